"""A model on its device, and the way down when the device is too small or fails.

A batch that does not fit is halved; an image that does not fit is shown to the network at half its
size; what still does not fit, and all that a failed GPU leaves, the CPU takes over. Each step is
said in a sentence once and lasts until the model is loaded anew.
"""

import copy
import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import nn
from torchvision.models.detection import FasterRCNN

from maskstudio.annotation.detections import LOWEST_SCORE
from maskstudio.errors import UserError
from maskstudio.mask_rcnn.device import Device, choose_device, gpu_megabytes
from maskstudio.mask_rcnn.folding import fold_norms
from maskstudio.mask_rcnn.precision import (
    Precision,
    choose_precision,
    lower,
    lower_heads,
    lower_pyramid,
)
from maskstudio.mask_rcnn.stages import interrupted_by
from maskstudio.progress import TaskContext

_T = TypeVar("_T")
_M = TypeVar("_M", bound=nn.Module)

# An image of 800 x 1333 takes about this much of a GPU while it is worked on, in float16; half of
# what there is stays free for what people do beside it.
_MEGABYTES_AN_IMAGE = 1500
_LARGEST_BATCH = 8
# A GPU gives way to the CPU rather than look at less than half; a CPU may go down to a quarter.
_HALVINGS_ON_GPU, _HALVINGS_ON_CPU = 1, 2

# What CUDA, cuDNN, cuBLAS, Apple's Metal and the CPU's allocator say where torch has no exception
# of its own.
_NO_ROOM = ("out of memory", "alloc_failed", "can't allocate memory", "not enough memory")
_BROKEN = ("cuda", "cudnn", "cublas", "hip", "mps", "metal", "accelerator")


class _Trouble(enum.Enum):
    """What an error says about a device."""

    NO_ROOM = enum.auto()
    BROKEN = enum.auto()


class BatchTooLargeError(Exception):
    """Memory did not suffice for several images at a time; the next batch is to be smaller."""


class Placement:
    """Where a model runs now. Only lane MODEL uses it, but for what is frozen."""

    def __init__(
        self, name: str, model: FasterRCNN, device: Device, precision: Precision | None = None
    ) -> None:
        """Move the model to the device.

        Args:
            name: of the model, for sentences.
            model: in evaluation mode, on the CPU, in float32.
            device: where to run.
            precision: in what numbers; what is best there by default.
        """
        self._name = name
        # Of a GPU that failed nothing can be read any more, not even the weights.
        self._spare = copy.deepcopy(model) if device.is_gpu else None
        self._put(model, device, precision)
        self.batch = _first_batch(device)
        self.steps: tuple[str, ...] = ()

    def run(self, work: Callable[[FasterRCNN], _T], context: TaskContext, images: int = 1) -> _T:
        """Do something with the model, stepping down until it can be done.

        Args:
            work: called with the model, again after each step; it puts what it gives the model on
                `device` anew each time.
            context: asked before every layer whether to stop.
            images: how many it is done to at a time.

        Raises:
            BatchTooLargeError: there are several images, and fewer are to be taken from now on.
            UserError: there is too little memory even for the last step.
            CancelledError: the person asked to stop.
        """
        while True:
            try:
                with interrupted_by(self.model, context.raise_if_cancelled):
                    return work(self.model)
            except (RuntimeError, MemoryError) as error:
                trouble = self._trouble(error)
                if trouble is None:
                    raise
                cause = error.with_traceback(None)
            # Out here, where no frame holds on to what filled the memory.
            if images > 1 and trouble is _Trouble.NO_ROOM:
                self._halve_batch(images)
                raise BatchTooLargeError
            self._step_down(trouble, cause)

    def megabytes(self) -> tuple[float | None, float | None]:
        """Return the memory taken, and the memory a GPU has; see `DeviceFacts`."""
        taken, whole = gpu_megabytes(self.device)
        return (self._weights if taken is None else taken), whole

    def _halve_batch(self, images: int) -> None:
        self.batch = images // 2
        at_a_time = "one" if self.batch == 1 else str(self.batch)
        self._say(
            f"The GPU has too little memory for {images} images at once; "
            f"it takes {at_a_time} at a time now."
        )
        self._free()

    def _trouble(self, error: BaseException) -> _Trouble | None:
        said = str(error).lower()
        if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
            return _Trouble.NO_ROOM
        if any(words in said for words in _NO_ROOM):
            return _Trouble.NO_ROOM
        if self.device.is_gpu and any(words in said for words in _BROKEN):
            return _Trouble.BROKEN
        return None

    def _step_down(self, trouble: _Trouble, cause: BaseException) -> None:
        on_gpu = self.device.is_gpu
        if trouble is _Trouble.BROKEN:
            first_line = (str(cause).splitlines() or [""])[0].rstrip(".")
            self._to_cpu(
                f"The GPU failed ({first_line}); {self._name} goes on with the CPU.",
                "the GPU failed; load the model again to try it once more",
            )
        elif self._halvings < (_HALVINGS_ON_GPU if on_gpu else _HALVINGS_ON_CPU):
            self._halve_input()
        elif on_gpu:
            self._to_cpu(
                f"The GPU has too little memory even so; {self._name} goes on with the CPU, "
                "at full size.",
                "it has too little memory for this model",
            )
        else:
            raise UserError(
                f"There is too little memory for {self._name}; close other programs or use a "
                "smaller model."
            ) from cause

    def _halve_input(self) -> None:
        self._halvings += 1
        transform = self.model.transform
        transform.min_size = tuple(max(1, size // 2) for size in transform.min_size)
        transform.max_size = max(1, transform.max_size // 2)
        whose = "The GPU" if self.device.is_gpu else "The computer"
        self._say(
            f"{whose} has too little memory for this image; {self._name} looks at images at half "
            "the size now and may miss small objects."
        )
        self._free()

    def _free(self) -> None:
        if self.device.torch_device.type == "cuda":
            torch.cuda.empty_cache()

    def _to_cpu(self, sentence: str, why_not_gpu: str) -> None:
        if self._spare is None:  # it was on the CPU from the start, which has no trouble of a GPU's
            raise AssertionError("there is no spare model")
        self.batch = 1
        self._put(self._spare, choose_device("cpu", why_not_gpu), None)
        self._spare = None
        self._say(sentence)

    def _put(self, model: FasterRCNN, device: Device, precision: Precision | None) -> None:
        self.device = device
        self.precision = precision or choose_precision(device.torch_device)
        # In this layout convolutions are faster on every device, with the same numbers.
        self.model = model.to(device.torch_device, memory_format=torch.channels_last)
        self.model.roi_heads.score_thresh = LOWEST_SCORE
        lower(self.model, self.precision)
        fold_norms(self.model)
        self._weights = sum(one.nbytes for one in self.model.state_dict().values()) / 2**20
        self._halvings = 0

    def _say(self, sentence: str) -> None:
        if sentence not in self.steps:
            self.steps = (*self.steps, sentence)


@dataclass(frozen=True)
class LearnedParts:
    """What a model has of its own before the backbone of another: all in evaluation mode, float32.

    Attributes:
        rpn: the region proposal network.
        heads: the RoI heads.
        pyramid: the feature pyramid; None for that of the other model.
    """

    rpn: nn.Module
    heads: nn.Module
    pyramid: nn.Module | None = None


class SharedPlacement(Placement):
    """The backbone of another placement, where it is now, before learned parts of its own."""

    def __init__(self, base: Placement, name: str, parts: LearnedParts) -> None:
        """Take copies of the parts.

        Args:
            base: has the backbone; it goes on as it is.
            name: of the model, for sentences.
            parts: what it has of its own.
        """
        vars(self).update(vars(base))
        self._name = name
        if self._spare is not None:
            self._spare = _with_parts(copy.deepcopy(self._spare), parts).cpu()
        self.model = _with_parts(self.model, parts)
        self.model.roi_heads.score_thresh = LOWEST_SCORE
        lower_heads(self.model, self.precision)
        if parts.pyramid is not None:
            lower_pyramid(self.model, self.precision)
        fold_norms(self.model)


def _with_parts(model: FasterRCNN, parts: LearnedParts) -> FasterRCNN:
    """Return a network with copies of other parts; nothing else is copied."""
    own = {"rpn": copy.deepcopy(parts.rpn), "roi_heads": copy.deepcopy(parts.heads)}
    if parts.pyramid is not None:
        own["backbone"] = _exchanged(model.backbone, {"fpn": copy.deepcopy(parts.pyramid)})
    return _exchanged(model, own)


def _exchanged(module: _M, parts: dict[str, nn.Module]) -> _M:
    """Return a module that shares all with another but some of its parts."""
    other = copy.copy(module)
    vars(other)["_modules"] = {**dict(module.named_children()), **parts}
    return other


def _first_batch(device: Device) -> int:
    """Images to begin with at a time: as many as there is room for on a GPU, one on a CPU."""
    _, whole = gpu_megabytes(device)
    if whole is None:
        return 1
    return max(1, min(_LARGEST_BATCH, int(whole / 2 / _MEGABYTES_AN_IMAGE)))
