"""The steps of a training run: losses, optimizer, averaging; what is needed to go on."""

import json
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torchvision.models.detection import FasterRCNN

from maskstudio.errors import UserError
from maskstudio.mask_rcnn.coco_dataset import CocoCrops
from maskstudio.mask_rcnn.device import Device
from maskstudio.mask_rcnn.draws import step_seed, views
from maskstudio.mask_rcnn.settings import TrainingSettings
from maskstudio.mask_rcnn.stages import training_losses
from maskstudio.mask_rcnn.world import World
from maskstudio.storage.files import replaced_file

_CHECKPOINT = {"settings", "iteration", "model", "average", "optimizer", "schedule", "scaler"}
_ALONE = World()


@dataclass(frozen=True)
class StepTaken:
    """One step of learning.

    Attributes:
        iteration: from 1.
        losses: by torchvision's names.
        learning_rate: with which it was made.
        seconds: how long it took, data and all.
    """

    iteration: int
    losses: Mapping[str, float]
    learning_rate: float
    seconds: float


class Trainer:
    """Makes the steps of a run; it can be cut off after any and taken up again."""

    def __init__(
        self,
        model: FasterRCNN,
        data: CocoCrops,
        settings: TrainingSettings,
        device: Device,
        world: World = _ALONE,
        precision: torch.dtype | None = None,
    ) -> None:
        """Set up optimizer, schedule and averaging; the model is moved to the device.

        Args:
            model: in float32.
            data: what is learned from.
            settings: how.
            device: where.
            world: the processes that train together.
            precision: of the numbers of the forward pass where less than float32 will do; None:
                what is best on the device.
        """
        self._settings = settings
        self._device = device.torch_device
        self._data = data
        self._world = world
        self._precision = precision or best_precision(self._device)
        self.iteration = 0
        self.model = model.to(self._device, memory_format=torch.channels_last)
        heads = self.model.roi_heads
        heads.fg_bg_sampler.batch_size_per_image = settings.rois_per_image
        self._losses: nn.Module = _Losses(self.model)
        if world.size > 1:
            # Every weight takes part in every step: see `_mask_loss` for views without an object.
            self._losses = DistributedDataParallel(self._losses)
        self._average = AveragedModel(
            self.model,
            multi_avg_fn=get_ema_multi_avg_fn(settings.averaging),
            use_buffers=False,
        )
        self._optimizer = torch.optim.AdamW(
            _parameter_groups(self.model, settings.weight_decay), lr=settings.learning_rate
        )
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimizer, self._factor)
        # Numbers of 16 bits with few for the exponent: small gradients would be nothing.
        half = self._precision is torch.float16
        self._scaler = torch.amp.GradScaler(self._device.type, enabled=half)

    def steps(self) -> Iterator[StepTaken]:
        """Make the steps that are left, one each time the next is asked for.

        Raises:
            UserError: the loss is no longer a number, an image cannot be read, or the GPU has too
                little memory.
        """
        on_gpu = self._device.type == "cuda"
        batches = views(self._data, self._settings, self.iteration, self._world, workers=on_gpu)
        started = time.monotonic()
        for images, targets in batches:
            rate = float(self._schedule.get_last_lr()[0])
            try:
                losses = self._step(images, targets)
            except torch.cuda.OutOfMemoryError as error:
                raise UserError(
                    "The GPU has too little memory; train with a smaller batch or smaller views."
                ) from error
            self.iteration += 1
            yield StepTaken(self.iteration, losses, rate, time.monotonic() - started)
            started = time.monotonic()

    def weights(self) -> dict[str, Tensor]:
        """Return the averaged weights, with the batch-norm statistics of the latest step."""
        averaged: nn.Module = self._average.module
        return {
            **self.model.state_dict(),
            **{name: p.detach() for name, p in averaged.named_parameters()},
        }

    def save(self, path: Path, best: float) -> None:
        """Write all that is needed to go on from here.

        Args:
            path: the file.
            best: the best figure so far; it is given back by `resume`.

        Raises:
            UserError: the file cannot be written.
        """
        # Opened here: torch's own errors do not say that a disk is full.
        with replaced_file(path) as beside, beside.open("wb") as file:
            torch.save(
                {
                    "settings": json.dumps(self._settings.to_json()),
                    "iteration": self.iteration,
                    "best": best,
                    "model": self.model.state_dict(),
                    "average": self._average.state_dict(),
                    "optimizer": self._optimizer.state_dict(),
                    "schedule": self._schedule.state_dict(),
                    "scaler": self._scaler.state_dict(),
                },
                file,
            )

    def resume(self, path: Path) -> float:
        """Go on from what `save` wrote; return the best figure so far.

        Raises:
            UserError: it is damaged, or was written by a run with other settings or another
                network.
        """
        state = self._read(path)
        if state["settings"] != json.dumps(self._settings.to_json()):
            raise UserError(f"{path} is of a run with other settings; give those, or remove it.")
        try:
            self.model.load_state_dict(state["model"])
            self._average.load_state_dict(state["average"])
            self._optimizer.load_state_dict(state["optimizer"])
        except (RuntimeError, ValueError) as error:
            raise UserError(f"{path} is of a run with another network; remove it.") from error
        self._schedule.load_state_dict(state["schedule"])
        self._scaler.load_state_dict(state["scaler"])
        self.iteration = int(state["iteration"])
        return float(state["best"])

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            state: Any = torch.load(path, map_location=self._device, weights_only=True)
        except Exception as error:  # torch names no errors of its own: whatever the bytes lead to
            raise UserError(f"{path} is damaged or no checkpoint of a run; remove it.") from error
        if not isinstance(state, dict) or not state.keys() >= _CHECKPOINT:
            raise UserError(f"{path} is no checkpoint of a run; give another, or remove it.")
        return state

    def _step(self, images: list[Tensor], targets: list[dict[str, Tensor]]) -> dict[str, float]:
        self.model.train()
        # Which RoIs are sampled is drawn at random too.
        first_slot = 1 + self._settings.batch_size * self._world.size
        torch.manual_seed(step_seed(self._settings, self.iteration, first_slot + self._world.rank))
        images = [image.to(self._device, non_blocking=True) for image in images]
        targets = [
            {k: v.to(self._device, non_blocking=True) for k, v in target.items()}
            for target in targets
        ]
        with torch.autocast(
            self._device.type, self._precision, enabled=self._precision is not torch.float32
        ):
            losses = self._losses(images, targets)
        total = torch.stack(list(losses.values())).sum()
        if not torch.isfinite(total.detach()):
            raise UserError("The loss is no longer a number; train with a lower learning rate.")
        self._scaler.scale(total).backward()
        self._scaler.unscale_(self._optimizer)
        nn.utils.clip_grad_norm_(self.model.parameters(), self._settings.clip)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        # Now, not before the next backward pass: the forward pass has use for the room.
        self._optimizer.zero_grad()
        self._schedule.step()
        self._average.update_parameters(self.model)
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def _factor(self, step: int) -> float:
        settings = self._settings
        if step < settings.warmup:
            return (step + 1) / settings.warmup
        done = (step - settings.warmup) / max(1, settings.iterations - settings.warmup)
        return 0.01 + 0.99 * (1 + math.cos(math.pi * min(1.0, done))) / 2


def best_precision(device: torch.device) -> torch.dtype:
    """Return of what numbers the forward pass is to be made on a device."""
    if device.type != "cuda":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


class _Losses(nn.Module):
    """The forward pass of a step as one module, as several GPUs want it."""

    def __init__(self, model: FasterRCNN) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: list[Tensor], targets: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        """Return the losses; see `training_losses`."""
        return training_losses(self.model, images, targets)


def _parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Keep weight decay off biases and batch-norm weights, which have one dimension."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
    ]
