"""The model's panel and the status bar say where the model runs, how fast, and what had to give."""

from maskstudio.annotation.device_facts import DeviceFacts

STEP = "The GPU failed (CUDA error: odd); fake goes on with the CPU."


def test_the_panel_tells_device_speed_and_memory_as_they_change(program, model):
    line = program.window.model.device.line
    program.app.annotator.use_model("fake")
    program.until(lambda: line.text() == "CPU, 1 thread")
    assert line.isVisible()
    assert "device: CPU, 1 thread (a test)" in line.toolTip()

    model.runs = DeviceFacts("CUDA: a test", "float16", "", 42.0, 1500.0, 12_000.0)
    program.until(lambda: line.text() == "CUDA: a test · 42 ms an image · 1,500 of 12,000 MB")
    assert line.toolTip().splitlines() == [
        "device: CUDA: a test",
        "precision: float16",
        "speed: 42 ms an image",
        "memory: 1,500 of 12,000 MB",
    ]
    assert program.window.status.device.text() == "CUDA: a test"


def test_a_step_down_is_said_once_and_stays_in_the_panel(program, model):
    line = program.window.model.device.line
    program.app.annotator.use_model("fake")
    program.until(lambda: line.text())
    model.runs = DeviceFacts("CPU, 1 thread", "float32", "the GPU failed", 900.0, steps=(STEP,))
    program.until(lambda: STEP in program.problems)
    assert line.text() == "CPU, 1 thread · 900 ms an image · stepped down"
    assert f"note: {STEP}" in line.toolTip()
    assert program.window.status.device.toolTip() == "CPU, 1 thread (the GPU failed)"
    model.runs = DeviceFacts("CPU, 1 thread", "float32", "the GPU failed", 800.0, steps=(STEP,))
    program.until(lambda: "800 ms" in line.text())
    assert program.problems.count(STEP) == 1
