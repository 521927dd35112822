"""The processes that train together: one for each GPU, as `torchrun` starts them, or one alone."""

import os
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import distributed

from maskstudio.mask_rcnn.device import Device, choose_device

_T = TypeVar("_T")


@dataclass(frozen=True)
class World:
    """This process among those that train together.

    Attributes:
        rank: its number; 0 alone measures, writes and speaks.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """True for the one that measures, writes and speaks."""
        return self.rank == 0

    def agreed(self, value: _T) -> _T:
        """Return what the leading process has given."""
        if self.size == 1:
            return value
        told = [value]
        distributed.broadcast_object_list(told, src=0)
        return told[0]


def join(wanted: str) -> tuple[World, Device]:
    """Meet the other processes, where `torchrun` has started some, and choose a device.

    Args:
        wanted: as in `choose_device`; each process takes the GPU of its own number.

    Raises:
        UserError: the wanted device is not there.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return World(), choose_device(wanted)
    on_gpu = wanted in ("auto", "cuda") and torch.cuda.is_available()
    own = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if on_gpu else wanted
    device = choose_device(own)
    if on_gpu:
        torch.cuda.set_device(device.torch_device)
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if on_gpu else "gloo")
    return World(distributed.get_rank(), distributed.get_world_size()), device


def part() -> None:
    """Leave the other processes."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
