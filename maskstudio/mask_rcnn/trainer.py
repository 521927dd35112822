"""Train a model on a COCO file."""

import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, WeightedRandomSampler
from torchvision.models.detection import FasterRCNN

from maskstudio.errors import UserError
from maskstudio.mask_rcnn.coco_dataset import CocoCrops, collate
from maskstudio.mask_rcnn.device import Device
from maskstudio.mask_rcnn.settings import TrainingSettings
from maskstudio.mask_rcnn.stages import training_losses
from maskstudio.progress import TaskContext
from maskstudio.storage.files import replaced_file

_CHECKPOINT = {"settings", "iteration", "model", "average", "optimizer", "schedule", "random"}


class Trainer:
    """One training run; it can be cut off after any step and taken up again from its checkpoint."""

    def __init__(
        self, model: FasterRCNN, data: CocoCrops, settings: TrainingSettings, device: Device
    ) -> None:
        """Set up optimizer, schedule and averaging; the model is moved to the device."""
        torch.manual_seed(settings.seed)
        self._settings = settings
        self._device = device.torch_device
        self._data = data
        self.iteration = 0
        self.model = model.to(self._device, memory_format=torch.channels_last)
        heads = self.model.roi_heads
        heads.fg_bg_sampler.batch_size_per_image = settings.rois_per_image
        self._average = AveragedModel(
            self.model,
            multi_avg_fn=get_ema_multi_avg_fn(settings.averaging),
            use_buffers=False,
        )
        self._optimizer = torch.optim.AdamW(
            _parameter_groups(self.model, settings.weight_decay), lr=settings.learning_rate
        )
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimizer, self._factor)

    def run(self, context: TaskContext, checkpoint: Path | None = None, every: int = 200) -> None:
        """Train to the end.

        Args:
            context: hears of every step, through `produce` of a dict with iteration, losses,
                learning rate and seconds an iteration; a cancel ends the run between two steps.
            checkpoint: where to keep what is needed to go on after a crash.
            every: steps between two checkpoints.

        Raises:
            UserError: the loss is no longer a number, an image cannot be read, or the GPU has too
                little memory.
            CancelledError: the person asked to stop.
        """
        self.model.train()
        total = self._settings.iterations
        started = time.monotonic()
        for images, targets in self._batches():
            context.raise_if_cancelled()
            try:
                losses = self._step(images, targets)
            except torch.cuda.OutOfMemoryError as error:
                raise UserError(
                    "The GPU has too little memory; train with a smaller batch or smaller views."
                ) from error
            self.iteration += 1
            seconds = time.monotonic() - started
            started = time.monotonic()
            rate = self._schedule.get_last_lr()[0]
            context.produce(
                {"iteration": self.iteration, "learning_rate": rate, "seconds": seconds, **losses}
            )
            context.report(self.iteration, total, f"loss {sum(losses.values()):.3f}")
            if checkpoint and (self.iteration % every == 0 or self.iteration == total):
                self.save(checkpoint)

    def weights(self) -> dict[str, Tensor]:
        """Return the averaged weights, with the batch-norm statistics of the latest step."""
        averaged: nn.Module = self._average.module
        return {
            **self.model.state_dict(),
            **{name: p.detach() for name, p in averaged.named_parameters()},
        }

    def save(self, path: Path) -> None:
        """Write all that is needed to go on from here.

        Raises:
            UserError: the file cannot be written.
        """
        # Opened here: torch's own errors do not say that a disk is full.
        with replaced_file(path) as beside, beside.open("wb") as file:
            torch.save(
                {
                    "settings": json.dumps(asdict(self._settings)),
                    "iteration": self.iteration,
                    "model": self.model.state_dict(),
                    "average": self._average.state_dict(),
                    "optimizer": self._optimizer.state_dict(),
                    "schedule": self._schedule.state_dict(),
                    "random": torch.get_rng_state(),
                },
                file,
            )

    def resume(self, path: Path) -> None:
        """Go on from what `save` wrote.

        Raises:
            UserError: it is damaged, or was written by a run with other settings or another
                network.
        """
        state = self._read(path)
        if state["settings"] != json.dumps(asdict(self._settings)):
            raise UserError(f"{path} is of a run with other settings; give those, or remove it.")
        try:
            self.model.load_state_dict(state["model"])
            self._average.load_state_dict(state["average"])
            self._optimizer.load_state_dict(state["optimizer"])
        except (RuntimeError, ValueError) as error:
            raise UserError(f"{path} is of a run with another network; remove it.") from error
        self._schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"].cpu())
        self.iteration = int(state["iteration"])

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            state: Any = torch.load(path, map_location=self._device, weights_only=True)
        except Exception as error:  # torch names no errors of its own: whatever the bytes lead to
            raise UserError(f"{path} is damaged or no checkpoint of a run; remove it.") from error
        if not isinstance(state, dict) or not state.keys() >= _CHECKPOINT:
            raise UserError(f"{path} is no checkpoint of a run; give another, or remove it.")
        return state

    def _step(self, images: list[Tensor], targets: list[dict[str, Tensor]]) -> dict[str, float]:
        images = [image.to(self._device) for image in images]
        targets = [{k: v.to(self._device) for k, v in target.items()} for target in targets]
        losses = training_losses(self.model, images, targets)
        total = torch.stack(list(losses.values())).sum()
        if not torch.isfinite(total.detach()):
            raise UserError("The loss is no longer a number; train with a lower learning rate.")
        self._optimizer.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self._settings.clip)
        self._optimizer.step()
        self._schedule.step()
        self._average.update_parameters(self.model)
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def _batches(self) -> Iterator[tuple[list[Tensor], list[dict[str, Tensor]]]]:
        left = self._settings.iterations - self.iteration
        if left <= 0:
            return
        size = self._settings.batch_size
        sampler = WeightedRandomSampler(self._data.weights(), left * size)
        yield from DataLoader(self._data, size, sampler=sampler, collate_fn=collate)

    def _factor(self, step: int) -> float:
        settings = self._settings
        if step < settings.warmup:
            return (step + 1) / settings.warmup
        done = (step - settings.warmup) / max(1, settings.iterations - settings.warmup)
        return 0.01 + 0.99 * (1 + math.cos(math.pi * min(1.0, done))) / 2


def _parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Keep weight decay off biases and batch-norm weights, which have one dimension."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
    ]
