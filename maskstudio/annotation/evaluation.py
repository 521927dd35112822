"""What was measured of models on images that none of them has learned from: values, and as JSON.

`mask_rcnn` fills them, `maskstudio evaluate --output` writes them, the window shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from maskstudio.annotation.effort import Effort
from maskstudio.errors import UserError

ALL = ""
"""Stands for all categories together; no category has this name."""

CURVE_IOUS = (0.5, 0.75)
"""IoU thresholds that precision is kept for at every recall."""


@dataclass(frozen=True)
class Curve:
    """Precision over recall.

    Attributes:
        category: its name; `ALL` for the mean over all categories that are there.
        iou: from which IoU a detection counts as right.
        precision: 0 to 1 at the recalls 0, 0.01, ... 1: the best that is reached at that recall or
            a higher one (pycocotools' own array); 0 beyond what is reached.
    """

    category: str
    iou: float
    precision: tuple[float, ...]


@dataclass(frozen=True)
class Figures:
    """Average precisions by pycocotools, 0 to 1; None where there is nothing to measure.

    Attributes:
        ap: mean over IoU 0.50, 0.55, ... 0.95.
        ap50: at IoU 0.50.
        ap75: at IoU 0.75.
        small: `ap` of objects below 32 x 32 pixels.
        medium: of those below 96 x 96.
        large: of the others.
        per_category: name to `ap`, in the order of the data set.
        curves: those of each category and of `ALL`, for each of `CURVE_IOUS`.
    """

    ap: float | None
    ap50: float | None
    ap75: float | None
    small: float | None
    medium: float | None
    large: float | None
    per_category: Mapping[str, float | None]
    curves: tuple[Curve, ...] = ()

    def summary(self) -> dict[str, Any]:
        """Return the figures without the curves, under the names that the field knows."""
        return {
            "AP": self.ap,
            "AP50": self.ap50,
            "AP75": self.ap75,
            "small": self.small,
            "medium": self.medium,
            "large": self.large,
            "per_category": dict(self.per_category),
        }


@dataclass(frozen=True)
class Confusion:
    """What was taken for what, among what a person would be shown.

    Objects and detections are paired by mask IoU of 0.5 or more (box IoU for models without
    masks), whatever their categories.

    Attributes:
        categories: names, in the order of the data set.
        counts: (k + 1) rows of k + 1 numbers: row i are the objects of category i, column j what
            they were found as; the last column are objects that were missed, the last row is what
            was found where nothing is.
    """

    categories: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class ModelFigures:
    """What was measured of one model.

    Attributes:
        model: its own name (`ModelInfo.id`).
        source: how it was named in the command: a name or a path.
        box: of its boxes.
        mask: of its masks; None for Faster R-CNN.
        confusion: of categories.
        effort: what a person would still have to do; None for Faster R-CNN.
        images: on how many it was measured.
        unknown: categories of the data set that it does not know; their objects count as missed.
        seconds_per_image: of prediction alone, the median.
        device: where it ran, for a person.
        training: what the model remembers of how it was trained (`ModelInfo.training`).
        sha256: of what it was measured on; see `Report`.
    """

    model: str
    source: str
    box: Figures
    mask: Figures | None
    confusion: Confusion
    effort: Effort | None
    images: int = 0
    unknown: tuple[str, ...] = ()
    seconds_per_image: float = 0.0
    device: str = ""
    training: Mapping[str, Any] = field(default_factory=dict)
    sha256: str = ""

    @property
    def best(self) -> Figures:
        """Those of its masks, or of its boxes where it has none."""
        return self.mask or self.box

    def summary(self) -> dict[str, Any]:
        """Return what a model keeps of its figures (`ModelInfo.metrics`): no curve, no table."""
        found: dict[str, Any] = {"box": self.box.summary()}
        if self.mask is not None:
            found["mask"] = self.mask.summary()
        if self.effort is not None:
            found["effort"] = asdict(self.effort)
        return found | {
            "images": self.images,
            "seconds_per_image": self.seconds_per_image,
            "device": self.device,
            "sha256": self.sha256,
        }


@dataclass(frozen=True)
class Report:
    """Figures of models on the same images.

    Attributes:
        data: what they were measured on, for a person: a file's name, or a project's folder.
        sha256: of the images' names and all that stands on them: the same for the same data.
        images: how many.
        objects: how many stand on them, crowds left out.
        min_score: from this score on a person would be shown a detection; `confusion` and `effort`
            are about those (and without doubles, as the program leaves them out).
        max_detections: so many are counted in an image.
        models: in the order in which they were named.
    """

    data: str
    sha256: str
    images: int
    objects: int
    min_score: float
    max_detections: int
    models: tuple[ModelFigures, ...]

    def to_json(self) -> str:
        """Return it as JSON, one figure a line."""
        import msgspec

        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode() + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Report:
        """Read what `to_json` gave.

        Raises:
            UserError: it is something else.
        """
        import msgspec

        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError as error:
            raise UserError(
                f"This is no report of `maskstudio evaluate` ({error}); evaluate again."
            ) from error
