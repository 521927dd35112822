"""Choose where the network runs, and say why."""

import platform
from dataclasses import dataclass

import torch

from maskstudio.errors import UserError


@dataclass(frozen=True)
class Device:
    """Where the network runs.

    Attributes:
        torch_device: what torch calls it.
        name: what a person calls it, for example `CUDA: RTX 4070`.
        why_not_gpu: one clause for a CPU, empty for a GPU.
    """

    torch_device: torch.device
    name: str
    why_not_gpu: str = ""

    @property
    def is_gpu(self) -> bool:
        """True for a GPU."""
        return not self.why_not_gpu


def choose_device(wanted: str = "auto", why_cpu: str = "chosen by hand") -> Device:
    """Take the wanted device, or the fastest there is.

    Args:
        wanted: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`, ...
        why_cpu: one clause, why it is the CPU where that is wanted.

    Raises:
        UserError: the wanted device is not there.
    """
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu"
        reason = _why_not_gpu()
    else:
        reason = why_cpu
    if wanted.startswith("cuda"):
        if not torch.cuda.is_available():
            raise UserError(f"The device {wanted!r} cannot be used: {_why_not_gpu()}.")
        device = _cuda_device(wanted)
        return Device(device, f"CUDA: {torch.cuda.get_device_name(device)}")
    if wanted == "mps":
        if not _has_mps():
            raise UserError("The device 'mps' cannot be used: this is not an Apple GPU.")
        return Device(torch.device("mps"), "Apple GPU (MPS)")
    if wanted != "cpu":
        raise UserError(f"There is no device {wanted!r}; use auto, cpu, cuda, cuda:N or mps.")
    threads = torch.get_num_threads()
    name = f"CPU, {threads} thread{'s' if threads > 1 else ''}"
    return Device(torch.device("cpu"), name, reason)


def gpu_megabytes(device: Device) -> tuple[float | None, float | None]:
    """Return how much of a GPU's memory torch holds, and how much there is; None: not known."""
    kind = device.torch_device.type
    if kind == "cuda":
        whole = torch.cuda.get_device_properties(device.torch_device).total_memory
        return torch.cuda.memory_reserved(device.torch_device) / 2**20, whole / 2**20
    if kind == "mps":
        return (
            torch.mps.driver_allocated_memory() / 2**20,
            torch.mps.recommended_max_memory() / 2**20,
        )
    return None, None


def _cuda_device(wanted: str) -> torch.device:
    known = ["cuda", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
    if wanted not in known:
        raise UserError(f"There is no device {wanted!r}; here are {', '.join(known)}.")
    return torch.device(wanted)


def _has_mps() -> bool:
    return torch.backends.mps.is_available()


def _why_not_gpu() -> str:
    if torch.version.cuda is None and torch.version.hip is None:
        if platform.system() == "Darwin":
            return "this Mac has no Apple GPU that torch can use"
        return "this build of torch is for the CPU only"
    if not torch.cuda.is_available():
        return "no NVIDIA GPU or no driver for it was found"
    return ""
