"""A data set of another program as values, before anything of it is taken into a project."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.segmentation import Box, Segmentation


@dataclass(frozen=True)
class IncomingCategory:
    """A category as the data set has it.

    Attributes:
        name: never empty.
        supercategory: a wider class it belongs to, or empty.
        colour: `#rrggbb`, or empty where the data set has none.
        count: annotations of it in the whole data set.
        project_id: the id of the category in the project, where the data set knows no name of it.
    """

    name: str
    supercategory: str = ""
    colour: str = ""
    count: int = 0
    project_id: int | None = None


@dataclass(frozen=True)
class IncomingImage:
    """An image as the data set tells of it.

    Attributes:
        name: as the data set has it. Nothing about it has been checked: it may be absolute, lead
            out of any folder, have backslashes or a drive.
        height: rows, 0 where the data set does not say.
        width: columns, 0 where the data set does not say.
        state: how far somebody says it has come; None where the data set does not say.
        project_id: the id of the image in the project, where the data set knows no other name.
        annotations: how many stand on it.
        embedded: the data set carries the image itself; see `Source.pixels`.
        any_ending: `name` stands without the image's ending: `a/b` means `a/b.jpg`, `a/b.tif`, ...
    """

    name: str
    height: int = 0
    width: int = 0
    state: ImageState | None = None
    project_id: int | None = None
    annotations: int = 0
    embedded: bool = False
    any_ending: bool = False


@dataclass(frozen=True)
class IncomingAnnotation:
    """One instance as the data set has it; the other fields are as `Annotation` has them.

    Attributes:
        category: its place in `Source.categories`.
        segmentation: its outline in pixel-edge coordinates; None where only a box is known.
        box: the box, xyxy, where there is no segmentation; else None.
        score: a model's score, 0 to 1; None where a person drew it.
    """

    category: int
    segmentation: Segmentation | None
    box: Box | None = None
    score: float | None = None
    iscrowd: bool = False
    attributes: tuple[tuple[str, str], ...] = ()
    note: str = ""


@dataclass(frozen=True)
class IncomingContent:
    """What stands on one image.

    Attributes:
        annotations: back to front.
        left_out: a sentence for each shape that no annotation can be made of, naming file and
            place.
        mended: likewise for each outline that was changed to be valid or to lie in the image.
    """

    annotations: tuple[IncomingAnnotation, ...]
    left_out: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()


class Source(Protocol):
    """A data set of another program, opened: its lists are read, its outlines when asked for.

    Opening it has found every fault of the whole: what `content` may still raise is a fault of one
    image's own file or entry.
    """

    @property
    def path(self) -> Path:
        """Where it was read from, for messages."""

    @property
    def title(self) -> str:
        """The name of the format, for people: `COCO`, `labelme`."""

    @property
    def categories(self) -> Sequence[IncomingCategory]:
        """The categories, in the order of the data set."""

    @property
    def images(self) -> Sequence[IncomingImage]:
        """The images, in the order of the data set."""

    @property
    def notes(self) -> Sequence[str]:
        """A sentence for each thing of the whole that is left out or understood in one way."""

    def content(self, number: int, height: int, width: int) -> IncomingContent:
        """Read what stands on an image.

        Args:
            number: its place in `images`.
            height: rows of the image: as `images` tells, or in the project where it does not.
            width: columns of it.

        Raises:
            UserError: it cannot be read; the sentence names file and place.
        """

    def pixels(self, number: int) -> bytes | None:
        """Return the image file that the data set carries, or None."""
