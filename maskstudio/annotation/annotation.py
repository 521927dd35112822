"""The values a data set is made of: annotations, categories, images. All frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.segmentation import Box, Segmentation

# Okabe and Ito's colours for the colour-blind and Tol's muted ones: told apart by most eyes, on
# light and on dark images. https://jfly.uni-koeln.de/color/ https://personal.sron.nl/~pault/
# In this order those that follow one another are furthest apart to every eye (see the tests).
PALETTE = (
    "#e69f00",
    "#56b4e9",
    "#d55e00",
    "#cc79a7",
    "#f0e442",
    "#009e73",
    "#aa4499",
    "#ddcc77",
    "#44aa99",
    "#882255",
    "#117733",
    "#88ccee",
    "#cc6677",
    "#0072b2",
)


class ImageState(StrEnum):
    """How far an image has come."""

    NEW = "new"
    PREDICTED = "predicted"
    EDITED = "edited"
    VERIFIED = "verified"
    EMPTY = "empty"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Category:
    """What an instance may be.

    Attributes:
        id: 1 or more, stable for the life of the project.
        name: unique within a project.
        supercategory: a wider class it belongs to, or empty.
        colour: `#rrggbb`; empty takes the palette's colour for the id.
        position: its place among the categories as a person ordered them; 0 takes the id's, so
            that a new one comes last.
        hidden: its annotations are not shown.
    """

    id: int
    name: str
    supercategory: str = ""
    colour: str = ""
    position: int = 0
    hidden: bool = False

    @property
    def place(self) -> int:
        """By what the categories are ordered; no two of a project have the same."""
        return self.position or self.id

    @property
    def shown_colour(self) -> str:
        """The colour it is painted in, `#rrggbb`."""
        return self.colour or PALETTE[(self.id - 1) % len(PALETTE)]


@dataclass(frozen=True)
class Annotation:
    """One labelled instance on one image.

    Attributes:
        id: 1 or more, unique in the project, never used again.
        category_id: its category.
        segmentation: its outline; None where only a box is known (Faster R-CNN).
        box_only: the box, xyxy, where there is no segmentation; else None.
        model_id: the model that found it, None where a person drew it.
        score: the model's score, 0 to 1; None where a person drew it.
        touched: a person drew, changed or accepted it.
        iscrowd: it covers many instances that nobody told apart (COCO's `iscrowd`).
        attributes: (name, value) pairs, sorted; each name once.
        note: what a person wants to be remembered about it.
        hidden: it is neither painted nor hit; it is exported all the same.
        locked: a person cannot change or delete it, nor can a model.
        z: higher ones lie in front; among equal ones the one of higher id.
    """

    id: int
    category_id: int
    segmentation: Segmentation | None
    box_only: Box | None = None
    model_id: str | None = None
    score: float | None = None
    touched: bool = True
    iscrowd: bool = False
    attributes: tuple[tuple[str, str], ...] = ()
    note: str = ""
    hidden: bool = False
    locked: bool = False
    z: int = 0

    def __post_init__(self) -> None:
        if (self.segmentation is None) == (self.box_only is None):
            raise ValueError("an annotation has either a segmentation or a box alone")

    @property
    def box(self) -> Box:
        """The smallest box around it, xyxy."""
        if self.segmentation is not None:
            return self.segmentation.box
        if self.box_only is None:
            raise AssertionError("checked when it was made")
        return self.box_only

    @property
    def is_pre_annotation(self) -> bool:
        """True while it is a model's and no person has touched it."""
        return self.model_id is not None and not self.touched

    @property
    def is_replaceable(self) -> bool:
        """True while a model may take it away or find it again."""
        return self.is_pre_annotation and not self.locked

    @property
    def stacking(self) -> tuple[int, int]:
        """Sorted by this, annotations go from back to front."""
        return self.z, self.id


@dataclass(frozen=True)
class Rejection:
    """A pre-annotation a person deleted: it is not offered again.

    Attributes:
        category_id: what it was said to be.
        box: where, xyxy.
        score: the score it had, by which the same detection is known again when it is outlined
            larger or smaller; None where it is not known.
    """

    category_id: int
    box: Box
    score: float | None = None


@dataclass(frozen=True)
class ImageStatus:
    """What editing may change about an image besides its annotations.

    Attributes:
        state: how far it has come.
        rejections: pre-annotations a person deleted from it.
        detection_filter: what of its detections is shown; None before a model ran on it.
    """

    state: ImageState = ImageState.NEW
    rejections: tuple[Rejection, ...] = ()
    detection_filter: DetectionFilter | None = None


@dataclass(frozen=True)
class ImageRecord:
    """One image of a project.

    Attributes:
        id: 1 or more, stable for the life of the project.
        path: POSIX, relative to the project folder.
        height: rows as it stands upright, 0 until the file has been opened once.
        width: columns as it stands upright, 0 until the file has been opened once.
        status: how far it has come.
    """

    id: int
    path: str
    height: int = 0
    width: int = 0
    status: ImageStatus = ImageStatus()

    @property
    def state(self) -> ImageState:
        """How far it has come."""
        return self.status.state


@dataclass(frozen=True)
class Dataset:
    """A whole data set as a value, for the formats.

    Attributes:
        categories: by id.
        images: in the order of the project.
        annotations: image id to its annotations, back to front; images without any may be missing.
    """

    categories: tuple[Category, ...]
    images: tuple[ImageRecord, ...]
    annotations: Mapping[int, tuple[Annotation, ...]] = field(default_factory=dict)
