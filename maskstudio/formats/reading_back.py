"""Prove that files of one image each say what the data set says, by the readers of their format."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maskstudio.annotation.annotation import Annotation, Category, ImageRecord
from maskstudio.annotation.masks import mask_iou, rasterize
from maskstudio.annotation.segmentation import Box, Segmentation
from maskstudio.errors import UserError
from maskstudio.formats.coco_writing import exported_outline
from maskstudio.formats.gate_piece import MIN_IOU, count, floor
from maskstudio.formats.incoming import IncomingAnnotation, IncomingContent
from maskstudio.formats.names import stems
from maskstudio.formats.options import ExportPart
from maskstudio.formats.pieces import Piece, cut
from maskstudio.formats.written import Written
from maskstudio.processes import Helpers
from maskstudio.progress import TaskContext

_LISTED = 10
_NOWHERE: Box = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class ImageFile:
    """Where to read what an export says of one image.

    Attributes:
        folder: of the export.
        part: the name of the image's part, or empty.
        stem: its name in the export, see `names.stems`.
        image: the image as it was written.
        categories: those of the part, in order.
    """

    folder: Path
    part: str
    stem: str
    image: ImageRecord
    categories: tuple[Category, ...]


ReadFile = Callable[[ImageFile], IncomingContent]
"""Reads the file of one image: a function of a module. Categories are numbered as in the part."""


@dataclass(frozen=True)
class Proof:
    """What was found when the files of an export were read back.

    Attributes:
        sentences: what holds, as a person reads it.
        problems: a sentence for each thing that is wrong.
    """

    sentences: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def read_back(
    parts: Sequence[ExportPart],
    folder: Path,
    read: ReadFile,
    written: Written,
    context: TaskContext,
) -> Proof:
    """Read every image back, and hold each mask against the one on screen.

    Annotations must come in the order in which they were written. As many may be missing as the
    writer says it has left out. Large ones are compared by helper processes.

    Args:
        parts: what was written.
        folder: where it was written.
        read: reads the file of one image.
        written: what the writer said.
        context: told which image is being compared.

    Raises:
        CancelledError: the person asked to stop.
    """
    whole = _Found()
    names = stems(parts)
    total = len(names)
    with Helpers() as helpers:
        for part in parts:
            tasks = (
                _Task(
                    piece,
                    read,
                    folder,
                    part.name,
                    {image.id: names[image.id] for image in piece.images},
                    part.dataset.categories,
                )
                for piece in cut(part.dataset)
            )
            for found in helpers.in_order(_compare_piece, tasks):
                context.raise_if_cancelled()
                whole.add(found)
                context.report(whole.images, total, "reading back")
    return whole.proof(written)


@dataclass(frozen=True)
class _Task:
    """A piece of the work of comparing."""

    piece: Piece
    read: ReadFile
    folder: Path
    part: str
    stems: Mapping[int, str]
    categories: tuple[Category, ...]


@dataclass
class _Found:
    """Counts kept while the images pass by."""

    images: int = 0
    annotations: int = 0
    missing: list[str] = field(default_factory=list)
    min_iou: float = 1.0
    problems: list[str] = field(default_factory=list)

    def add(self, other: "_Found") -> None:
        self.images += other.images
        self.annotations += other.annotations
        self.missing += other.missing
        self.problems += other.problems
        self.min_iou = min(self.min_iou, other.min_iou)

    def proof(self, written: Written) -> Proof:
        problems = list(self.problems)
        if len(self.missing) > len(written.left_out):
            problems += self.missing
        if self.annotations != written.annotations:
            problems.append(
                f"{count(written.annotations, 'annotation')} were written, but "
                f"{self.annotations:,} are found in the files."
            )
        return Proof(tuple(self._sentences(written)), tuple(problems))

    def _sentences(self, written: Written) -> Iterator[str]:
        images, annotations = count(self.images, "image"), count(self.annotations, "annotation")
        yield f"{images}, {annotations}."
        if self.annotations:
            how = "to the pixel" if self.min_iou == 1 else f"IoU at least {floor(self.min_iou)}"
            yield f"Read back from the files: every mask is the one on screen ({how})."
        yield from first(written.left_out)
        yield from first(written.changed)


def _compare_piece(task: _Task) -> _Found:
    found = _Found()
    annotations = task.piece.annotations()
    places = {category.id: place for place, category in enumerate(task.categories)}
    for image in task.piece.images:
        found.images += 1
        where = (task.folder, task.part, task.stems[image.id], image, task.categories)
        try:
            content = task.read(ImageFile(*where))
        except UserError as error:
            found.problems.append(str(error))
            continue
        found.problems += content.left_out
        _compare(image, annotations.get(image.id, ()), content.annotations, places, found)
    return found


def _compare(
    image: ImageRecord,
    annotations: Sequence[Annotation],
    read: Sequence[IncomingAnnotation],
    places: Mapping[int, int],
    found: _Found,
) -> None:
    """Find for each annotation that was read the next one on screen that it is."""
    found.annotations += len(read)
    rest = iter(annotations)
    for one in read:
        rle = rasterize(_outline(one), image.height, image.width)
        passed: list[str] = []
        for annotation in rest:
            name = f"{image.path}: annotation {annotation.id}"
            on_screen = rasterize(exported_outline(annotation), image.height, image.width)
            iou = mask_iou(rle, on_screen)
            if one.category == places[annotation.category_id] and iou >= MIN_IOU:
                found.min_iou = min(found.min_iou, iou)
                found.missing += passed
                break
            passed.append(f"{name} is not in the files as it is on screen.")
        else:
            found.problems += passed or [f"{image.path} has more annotations than on screen."]
            return
    found.missing += [
        f"{image.path}: annotation {annotation.id} is not in the files." for annotation in rest
    ]


def _outline(read: IncomingAnnotation) -> Segmentation:
    if read.segmentation is not None:
        return read.segmentation
    x0, y0, x1, y1 = read.box or _NOWHERE
    return Segmentation.from_rings([(x0, y0), (x0, y1), (x1, y1), (x1, y0)])


def first(sentences: Sequence[str]) -> tuple[str, ...]:
    """Return the first of many sentences, and how many more there are."""
    more = len(sentences) - _LISTED
    return (*sentences[:_LISTED], *([f"... and {more:,} more."] if more > 0 else []))
