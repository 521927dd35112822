"""What is known of how a model runs: where, how exactly, how fast, and what had to give."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DeviceFacts:
    """How a loaded model runs.

    Attributes:
        device: where, for a person, for example `CUDA: RTX 4070`.
        precision: in what numbers, for example `float16`.
        why_not_gpu: one clause for a CPU, empty for a GPU.
        ms_per_image: milliseconds of the latest images, the middle one; None before the first.
        megabytes: memory the model and its work take: on a GPU what is in use of it, on a CPU the
            weights; None where it is not known.
        of_megabytes: memory the GPU has; None for a CPU or where it is not known.
        steps: a sentence for each step down that a device's failure or lack of memory forced, in
            order.
    """

    device: str
    precision: str
    why_not_gpu: str = ""
    ms_per_image: float | None = None
    megabytes: float | None = None
    of_megabytes: float | None = None
    steps: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The device and, if it is no GPU, why."""
        return f"{self.device} ({self.why_not_gpu})" if self.why_not_gpu else self.device

    @property
    def pace(self) -> str:
        """Milliseconds or seconds an image in words; empty before the first image."""
        if self.ms_per_image is None:
            return ""
        if self.ms_per_image < 1000:
            return f"{self.ms_per_image:.0f} ms an image"
        return f"{self.ms_per_image / 1000:.1f} s an image"

    @property
    def memory(self) -> str:
        """Memory in words; empty where it is not known."""
        if self.megabytes is None:
            return ""
        if self.of_megabytes is None:
            return f"{self.megabytes:,.0f} MB of weights"
        return f"{self.megabytes:,.0f} of {self.of_megabytes:,.0f} MB"

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Return all there is to tell, each with what it is about."""
        told = [
            ("device", self.where),
            ("precision", self.precision),
            ("speed", self.pace),
            ("memory", self.memory),
            *(("note", step) for step in self.steps),
        ]
        return tuple((name, words) for name, words in told if words)
