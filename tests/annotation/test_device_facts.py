"""What is known of a device is told in words a person understands."""

from maskstudio.annotation.device_facts import DeviceFacts


def test_a_cpu_tells_why_it_is_no_gpu_and_how_large_the_weights_are() -> None:
    facts = DeviceFacts("CPU, 2 threads", "float32", "no NVIDIA GPU", 1234.5, 23.4)
    assert facts.lines() == (
        ("device", "CPU, 2 threads (no NVIDIA GPU)"),
        ("precision", "float32"),
        ("speed", "1.2 s an image"),
        ("memory", "23 MB of weights"),
    )


def test_a_gpu_tells_how_full_it_is_and_what_had_to_give() -> None:
    steps = ("The GPU has too little memory.", "The GPU failed.")
    facts = DeviceFacts("CUDA: RTX 4070", "float16", "", 42.4, 1500, 12000, steps)
    assert facts.lines() == (
        ("device", "CUDA: RTX 4070"),
        ("precision", "float16"),
        ("speed", "42 ms an image"),
        ("memory", "1,500 of 12,000 MB"),
        ("note", steps[0]),
        ("note", steps[1]),
    )


def test_before_the_first_image_nothing_is_said_of_speed() -> None:
    facts = DeviceFacts("Apple GPU (MPS)", "float32")
    assert facts.lines() == (("device", "Apple GPU (MPS)"), ("precision", "float32"))
