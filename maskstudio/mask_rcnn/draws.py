"""Which view is learned from at which step: drawn from the seed and the step alone.

Nothing has to be remembered to go on after a crash: step 700 sees the same views in the same order,
varied in the same way, whether the run came there in one go or in ten.
"""

import hashlib
import os
from collections.abc import Iterator

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from maskstudio.mask_rcnn.coco_dataset import CocoCrops, Sample, collate
from maskstudio.mask_rcnn.settings import TrainingSettings
from maskstudio.mask_rcnn.world import World

_MOST_WORKERS = 8


def step_seed(settings: TrainingSettings, iteration: int, slot: int) -> int:
    """Return what seeds one thing that is drawn at random at a step."""
    # torch's generator for the CPU takes no more than 32 bits of a seed.
    told = f"{settings.seed}:{iteration}:{slot}".encode("ascii")
    return int.from_bytes(hashlib.blake2b(told, digest_size=4).digest(), "big")


class _SeededViews(Dataset[Sample]):
    """Views by the number of their image and a seed."""

    def __init__(self, data: CocoCrops) -> None:
        self._data = data

    def __getitem__(self, key: tuple[int, int]) -> Sample:
        index, seed = key
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self._data[index]


class _Draws(Sampler[list[tuple[int, int]]]):
    """The views of each step that is left, for one of the processes that train together."""

    def __init__(
        self, weights: list[float], settings: TrainingSettings, done: int, world: World
    ) -> None:
        self._weights = torch.tensor(weights)
        self._settings = settings
        self._done = done
        self._world = world

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        size = self._settings.batch_size
        for iteration in range(self._done, self._settings.iterations):
            generator = torch.Generator()
            generator.manual_seed(step_seed(self._settings, iteration, 0))
            every = torch.multinomial(
                self._weights, size * self._world.size, replacement=True, generator=generator
            ).tolist()
            first = size * self._world.rank
            yield [
                (every[slot], step_seed(self._settings, iteration, 1 + slot))
                for slot in range(first, first + size)
            ]


def views(
    data: CocoCrops, settings: TrainingSettings, done: int, world: World, *, workers: bool
) -> "DataLoader[Sample]":
    """Return the batches of the steps that are left.

    Args:
        data: where they are cut from.
        settings: of the run.
        done: steps made so far.
        world: the processes that train together.
        workers: make them in processes of their own: where the CPU has nothing else to do.
    """
    count = min(_MOST_WORKERS, (os.cpu_count() or 1) // world.size) if workers else 0
    return DataLoader(
        _SeededViews(data),
        batch_sampler=_Draws(data.weights(), settings, done, world),
        collate_fn=collate,
        num_workers=count,
        pin_memory=workers,
    )
