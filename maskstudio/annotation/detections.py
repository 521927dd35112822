"""What a model found on one image, and how it becomes pre-annotations.

The model runs once at a low score; what a person sees is filtered from what was kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from maskstudio.annotation.annotation import Annotation, Category
from maskstudio.annotation.box_answers import BoxAnswers
from maskstudio.annotation.detection_filter import (
    DEFAULT_MASK_THRESHOLD,
    Overlaps,
    mask_boxes,
    overlaps,
)
from maskstudio.annotation.device_facts import DeviceFacts
from maskstudio.annotation.learning import LearnReport, Truth
from maskstudio.annotation.segmentation import Box, Segmentation
from maskstudio.annotation.tiling import Sight
from maskstudio.later import np
from maskstudio.progress import TaskContext

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOWEST_SCORE = 0.05
"""Score from which detections are kept; torchvision's own bound."""


@dataclass(frozen=True, eq=False)
class Detections:
    """All a model found on one image, best score first. Arrays are read-only.

    Attributes:
        model_id: the model.
        size: (height, width) of the image.
        boxes: (n, 4) float32 xyxy.
        labels: (n,) int64, 0-based positions in the model's categories.
        scores: (n,) float32, 0 to 1.
        roi_masks: (n, 28, 28) uint8, probability times 255; None for Faster R-CNN.
        categories: the model's categories.
        tiles: in how many tiles the image was looked at; 0 when it was looked at whole.
    """

    model_id: str
    size: tuple[int, int]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    scores: NDArray[np.float32]
    roi_masks: NDArray[np.uint8] | None
    categories: tuple[Category, ...]
    tiles: int = 0

    def __post_init__(self) -> None:
        count = len(self.boxes)
        arrays = (self.boxes, self.labels, self.scores, self.roi_masks)
        if any(array is not None and len(array) != count for array in arrays):
            raise ValueError("boxes, labels, scores and RoI masks differ in number")
        for array in arrays:
            if array is not None:
                array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.boxes)

    @cached_property
    def overlaps(self) -> Overlaps:
        """Which of the boxes overlap."""
        return overlaps(self.boxes)

    @cached_property
    def mask_boxes(self) -> NDArray[np.float64]:
        """Boxes around what is likely inside, (n, 4) xyxy; see `detection_filter.mask_boxes`."""
        return mask_boxes(self.boxes, self.roi_masks)

    def prepare(self) -> None:
        """Work out and keep what filtering will ask for."""
        _ = self.overlaps, self.mask_boxes

    def box(self, index: int) -> Box:
        """Return one box, xyxy."""
        x0, y0, x1, y1 = (float(v) for v in self.boxes[index])
        return x0, y0, x1, y1


@dataclass(frozen=True, eq=False)
class Outlined:
    """Detections with their outlines traced.

    Attributes:
        detections: what was found.
        outlines: position of a detection to its outline; None where it has no mask or none of its
            pixels reaches the threshold; what is missing was not traced.
        mask_threshold: probability from which a pixel was taken to belong to an instance.
    """

    detections: Detections
    outlines: Mapping[int, Segmentation | None]
    mask_threshold: float = DEFAULT_MASK_THRESHOLD


class ImageFeatures(Protocol):
    """What a model has seen of one image; only the predictor that made it can read it."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the image."""

    @property
    def nbytes(self) -> int:
        """Memory it takes, on the model's device and off it."""


class Predictor(Protocol):
    """A loaded model. Only lane MODEL calls it.

    Any of its methods that take a context raise `CancelledError` when the person asked to stop.
    """

    @property
    def model_id(self) -> str:
        """The name annotations made by it carry."""

    @property
    def categories(self) -> tuple[Category, ...]:
        """What it knows; the labels of its detections are positions in these."""

    @property
    def draws_outlines(self) -> bool:
        """False when it finds boxes only."""

    @property
    def device_name(self) -> str:
        """Where it runs, for a person."""

    @property
    def why_not_gpu(self) -> str:
        """Why it does not run on a GPU; empty when it does."""

    @property
    def sight(self) -> Sight:
        """To what size it scales an image, and how small an object it can find."""

    def facts(self) -> DeviceFacts:
        """How it runs: where, how exactly, how fast; may be asked from any thread."""

    def see(self, image: NDArray[np.uint8], context: TaskContext) -> ImageFeatures:
        """Look at an image: the long part of the work, of use to all that follows.

        Args:
            image: (height, width, 3) uint8 RGB.
            context: asked often whether to stop.

        Raises:
            UserError: the image or the device does not allow it.
        """

    def find(self, features: ImageFeatures, context: TaskContext) -> Detections:
        """Find the instances of an image that was looked at.

        Raises:
            UserError: the device does not allow it.
        """

    def predict(self, image: NDArray[np.uint8], context: TaskContext) -> Detections:
        """Find the instances of an image.

        Args:
            image: (height, width, 3) uint8 RGB.
            context: asked often whether to stop.

        Raises:
            CancelledError: the person asked to stop.
            UserError: the image or the device does not allow it.
        """

    @property
    def batch(self) -> int:
        """How many images it looks at together, where they are of one size."""

    def predict_many(
        self, images: Sequence[NDArray[np.uint8]], context: TaskContext
    ) -> list[Detections]:
        """Find the instances of several images; see `predict`."""

    def answer(
        self, features: ImageFeatures, boxes: NDArray[np.floating], context: TaskContext
    ) -> BoxAnswers:
        """Outline and name what lies in boxes a person drew, one answer a box, in their order.

        Args:
            features: what `see` gave.
            boxes: (n, 4) xyxy in pixels of the image; what lies outside it is cut off.
            context: asked often whether to stop.

        Raises:
            UserError: a box has no size, lies outside the image or is not of numbers, or the
                device does not allow it.
        """

    def candidates(
        self, features: ImageFeatures, x: float, y: float, context: TaskContext
    ) -> BoxAnswers:
        """Offer objects that cover a place, the likeliest first, none nearly like another.

        Args:
            features: what `see` gave.
            x: column in pixels of the image.
            y: row.
            context: asked often whether to stop.

        Returns:
            None to a few answers; with masks, only such as have the place inside their outline.

        Raises:
            UserError: the device does not allow it.
        """

    def gist(self, features: ImageFeatures) -> NDArray[np.float32]:
        """Return what an image looks like to the model as a whole: like images lie close together.

        Args:
            features: what `see` gave.

        Returns:
            (channels,) of length 1; as many for every image.
        """

    @property
    def why_not_learning(self) -> str:
        """Why it cannot learn while a person labels, one clause; empty where it can."""

    def learner(self, names: Sequence[str], folder: Path) -> Learner | None:
        """Return one that learns from here on; None where `why_not_learning` says why.

        Args:
            names: of the categories it is to know; those the model lacks are added to its own.
            folder: for features, of this program alone; made when needed. What lies there of
                another backbone or input size is removed.

        Raises:
            UserError: the model's file or the folder cannot be read.
        """


class Learner(Protocol):
    """Teaches a model, but for its backbone, what a person verified. Only lane MODEL calls it.

    It begins with what its model knows, and never changes it: what was learned is got with
    `predictor`. What takes a context raises `CancelledError` when it is to stop.
    """

    @property
    def categories(self) -> tuple[Category, ...]:
        """The model's, in their order and with their ids, then the new ones."""

    @property
    def remembered(self) -> frozenset[int]:
        """Ids of the images to learn from, from earlier sessions too."""

    @property
    def steps(self) -> int:
        """Steps made since it was begun; 0: it is as its model is."""

    @property
    def due(self) -> int:
        """Steps that are still worth making; see `LearnReport.due`."""

    def remember(
        self,
        image_id: int,
        image: NDArray[np.uint8],
        truth: Sequence[Truth],
        context: TaskContext,
    ) -> None:
        """Look at an image, in the place of what was kept of it before; the oldest may give way.

        Args:
            image_id: the image.
            image: (height, width, 3) uint8 RGB.
            truth: all that is on it; none for an empty image.
            context: asked often whether to stop; then nothing is kept of the image.

        Raises:
            UserError: the folder cannot be written, or the image or the device does not allow it.
            ValueError: a category is not one of the learner's.
        """

    def forget(self, image_id: int) -> None:
        """Learn from an image no more; nothing happens where it is not remembered."""

    def learn(self, seconds: float, context: TaskContext) -> LearnReport:
        """Make steps for a while, fewer where no more are due.

        Args:
            seconds: how long at most; the step begun last is ended.
            context: asked often whether to stop; the steps made count.

        Raises:
            UserError: the device does not allow it.
        """

    def predictor(self, model_id: str) -> Predictor:
        """Return a predictor of what has been learned until now; it does not change later.

        It shares the backbone with its model: each understands the features the other has seen.
        """

    def save(self, path: Path, name: str) -> None:
        """Write a model, of this name, of what has been learned until now.

        Raises:
            UserError: the file is there already, or cannot be written.
        """

    def take_up(self, path: Path) -> bool:
        """Go on from what `save` wrote in an earlier session, for the same model.

        Categories that the file lacks begin as they always do; `steps` and `due` go on from there.

        Returns:
            False, and nothing is changed, where it cannot be read, or is of another backbone.
        """


def outline(
    detections: Detections,
    context: TaskContext,
    mask_threshold: float = DEFAULT_MASK_THRESHOLD,
    wanted: Iterable[int] | None = None,
) -> Outlined:
    """Trace the outlines of detections.

    Args:
        detections: what was found.
        context: asked before each of them whether to stop.
        mask_threshold: probability from which a pixel belongs to an instance.
        wanted: positions of those to trace, in this order; all by default.

    Raises:
        CancelledError: the person asked to stop.
    """
    detections.prepare()
    outlines: dict[int, Segmentation | None] = {}
    for index in range(len(detections)) if wanted is None else wanted:
        context.raise_if_cancelled()
        outlines[index] = outline_of(detections, index, mask_threshold)
    return Outlined(detections, outlines, mask_threshold)


def outline_of(detections: Detections, index: int, mask_threshold: float) -> Segmentation | None:
    """Trace the outline of one detection; None where it has no mask, or no pixel reaches it."""
    from maskstudio.annotation.masks import trace_roi_mask

    if detections.roi_masks is None:
        return None
    box, size = detections.box(index), detections.size
    traced = trace_roi_mask(detections.roi_masks[index], box, size, mask_threshold)
    if traced is not None:
        # What storing it needs is worked out here, not while the window waits.
        traced.prepare()
    return traced


def pre_annotation(
    detections: Detections,
    index: int,
    segmentation: Segmentation | None,
    category_id: int,
    identity: int,
) -> Annotation:
    """Return the pre-annotation that a detection becomes.

    Args:
        detections: what was found.
        index: which of them.
        segmentation: its outline; None makes an annotation of its box alone.
        category_id: the project's category.
        identity: the id it gets.
    """
    return Annotation(
        identity,
        category_id,
        segmentation,
        None if segmentation is not None else detections.box(index),
        detections.model_id,
        float(detections.scores[index]),
        touched=False,
    )
