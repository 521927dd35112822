"""What a model answers when a person asks about boxes, or about a place in the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.segmentation import Box, Segmentation
from maskstudio.errors import UserError
from maskstudio.later import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_CHOICES = 3
"""How many categories are offered for a box; a person takes one by Enter or a digit."""

# Pixels; torchvision takes a box that is smaller for no box.
_LEAST_SIDE = 0.01


@dataclass(frozen=True, eq=False)
class BoxAnswers:
    """Outlines and likeliest categories, one answer a box. Arrays are read-only.

    A mask head gives every category a mask of its own, so an answer has one for each choice.

    Attributes:
        model_id: the model.
        size: (height, width) of the image.
        boxes: (n, 4) float32 xyxy, what was asked about, or where the model found something.
        mask_boxes: (n, 4) float32 xyxy, the areas that the masks lie under: each its box or wider.
        labels: (n, k) int64, the k likeliest categories, the likeliest first, as 0-based positions
            in the model's; k is at most `MAX_CHOICES`.
        scores: (n, k) float32, probability of each, 0 to 1; what is missing to 1 is that of the
            other categories and of there being nothing.
        roi_masks: (n, k, m, m) uint8, probability times 255; None for Faster R-CNN.
        categories: the model's categories.
    """

    model_id: str
    size: tuple[int, int]
    boxes: NDArray[np.float32]
    mask_boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    scores: NDArray[np.float32]
    roi_masks: NDArray[np.uint8] | None
    categories: tuple[Category, ...]

    def __post_init__(self) -> None:
        masks = self.roi_masks
        shapes = {self.labels.shape, self.scores.shape}
        if masks is not None:
            shapes.add(masks.shape[:2])
        if len(shapes) > 1 or {len(self.labels), len(self.mask_boxes)} != {len(self.boxes)}:
            raise ValueError("boxes, labels, scores and RoI masks differ in number")
        for array in (self.boxes, self.mask_boxes, self.labels, self.scores, masks):
            if array is not None:
                array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def choices(self) -> int:
        """How many categories are offered for each box."""
        return int(self.labels.shape[1])

    def box(self, index: int) -> Box:
        """Return the box of one answer, xyxy."""
        return _as_box(self.boxes[index])

    def category(self, index: int, choice: int = 0) -> Category:
        """Return one of the likeliest categories of an answer, 0 the likeliest."""
        return self.categories[int(self.labels[index, choice])]

    def score(self, index: int, choice: int = 0) -> float:
        """Return its probability, 0 to 1."""
        return float(self.scores[index, choice])

    def outline(self, index: int, choice: int = 0) -> Segmentation | None:
        """Trace the outline of one answer for one of its categories.

        Returns:
            None for Faster R-CNN, and where no pixel is likely to belong to the object.
        """
        from maskstudio.annotation.masks import trace_roi_mask

        if self.roi_masks is None:
            return None
        area = _as_box(self.mask_boxes[index])
        return trace_roi_mask(self.roi_masks[index, choice], area, self.size)


def cut_to_image(boxes: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.float64]:
    """Return boxes with what lies outside the image cut off.

    Args:
        boxes: (n, 4) xyxy in pixels.
        size: (height, width) of the image.

    Raises:
        UserError: a box has a corner that is not a number, or nothing of it is left.
    """
    given = np.asarray(boxes, np.float64).reshape(-1, 4)
    if not np.isfinite(given).all():
        raise UserError("A box has a corner that is not a number; draw it anew.")
    cut = np.clip(given, 0, [size[1], size[0]] * 2)
    if (cut[:, 2:] - cut[:, :2] < _LEAST_SIDE).any():
        raise UserError("A box has no size or lies outside the image; draw it around an object.")
    return cut


def _as_box(corners: NDArray[np.float32]) -> Box:
    x0, y0, x1, y1 = (float(v) for v in corners)
    return x0, y0, x1, y1
