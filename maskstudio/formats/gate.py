"""Prove that a COCO file just written says what the data set says, before anyone trains on it.

The file is read back with pycocotools, the reader the field compares with. Nothing of the writer
but the rule which outline is meant is used here: a mistake in the writer is not repeated.
"""

import contextlib
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskstudio.annotation.annotation import Dataset
from maskstudio.formats.coco_lines import LISTS, CocoLines, Entry, open_lines
from maskstudio.formats.gate_piece import MIN_IOU, Compared, CompareTask, compare, count, floor
from maskstudio.formats.options import SegmentationStyle
from maskstudio.formats.pieces import Piece, cut
from maskstudio.formats.self_ap import PERFECT, average
from maskstudio.processes import Helpers
from maskstudio.progress import TaskContext

_LISTED = 10
_STRAYS_AT_ONCE = 2000
_READ_ERRORS = (OSError, ValueError, KeyError, TypeError, AssertionError, RecursionError)
_SILENT = TaskContext()


@dataclass(frozen=True)
class GateReport:
    """What was found when a COCO file was read back.

    Attributes:
        images: images in the file.
        annotations: annotations in the file.
        categories: categories in the file.
        min_iou: the lowest IoU of a mask in the file with the mask on screen; None without masks.
        mean_iou: their mean.
        ap: AP (0.50:0.95) of the masks as detections of themselves; None when there is nothing to
            evaluate, or the file is too broken to try.
        left_out: a sentence for each annotation that covers no pixel and is not in the file.
        boxes_only: annotations that are a box alone, in the file as rectangles.
        crowds: annotations that are crowds, in the file as run lengths.
        problems: a sentence for each thing that is wrong.
    """

    images: int = 0
    annotations: int = 0
    categories: int = 0
    min_iou: float | None = None
    mean_iou: float | None = None
    ap: float | None = None
    left_out: tuple[str, ...] = ()
    boxes_only: int = 0
    crowds: int = 0
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True when the file may be handed over."""
        return not self.problems

    def sentences(self) -> tuple[str, ...]:
        """Return the report as a person reads it; long lists are cut."""
        counts = (
            count(self.images, "image"),
            count(self.annotations, "annotation"),
            count(self.categories, "category", "categories"),
        )
        said = [", ".join(counts) + "."]
        if self.min_iou is not None:
            same = self.min_iou >= MIN_IOU
            masks = "every mask is the one" if same else "not every mask is the one"
            iou = f"IoU at least {floor(self.min_iou)}"
            exactly = "to the pixel" if self.min_iou == 1.0 else iou
            said.append(f"Read back with pycocotools: {masks} on screen ({exactly}).")
        if self.ap is not None:
            said.append(f"Evaluated against itself: AP {floor(self.ap)}.")
        elif self.annotations == 0 and self.ok:
            said.append("Without annotations there is nothing to evaluate.")
        if self.boxes_only:
            boxes = count(self.boxes_only, "annotation")
            said.append(f"{boxes} without an outline stand in the file as rectangles.")
        if self.crowds:
            said.append(f"{count(self.crowds, 'crowd')}: evaluation and training pass over them.")
        return (*said, *_first(self.left_out), *_first(self.problems))


def check_coco(
    path: Path,
    dataset: Dataset,
    style: SegmentationStyle = SegmentationStyle.POLYGON,
    context: TaskContext = _SILENT,
) -> GateReport:
    """Read a COCO file back and compare it with the data set it was written from.

    It is done piece by piece, those of a large file by helper processes (`maskstudio.processes`).
    No mask is decoded, and a file with one entry a line never stands in memory.

    Args:
        path: the file, wherever it stands for now.
        dataset: what `write_coco` was given.
        style: likewise; a mask must be the one on screen, or of polygons nearly so (`MIN_IOU`).
        context: told how many images are compared.

    Returns:
        The report; whatever is wrong with the file is in its problems, nothing is raised for it.

    Raises:
        CancelledError: the person asked to stop.
    """
    total = len(dataset.images)
    context.report(0, total, "reading the file back")
    found: list[Compared] = []
    with contextlib.ExitStack() as stack:
        try:
            lines = stack.enter_context(open_lines(path, context))
        except _READ_ERRORS as error:
            reason = f"{type(error).__name__}: {error}"
            return GateReport(problems=(f"pycocotools cannot read {path.name} ({reason}).",))
        helpers = stack.enter_context(Helpers())
        done = 0
        for compared in helpers.in_order(compare, _tasks(lines, dataset, style)):
            context.raise_if_cancelled()
            found.append(compared)
            done += compared.images
            context.report(done, total, "comparing masks")
        return _report(lines, dataset, found)


def _tasks(lines: CocoLines, dataset: Dataset, style: SegmentationStyle) -> Iterator[CompareTask]:
    """Put each piece of the data set beside what the file has on its images."""
    images = {entry["id"]: entry for entry in lines.images}

    def task(piece: Piece, image_ids: Iterable[Any], numbers: Sequence[int]) -> CompareTask:
        listed = [images[image_id] for image_id in image_ids if image_id in images]
        annotations = lines.annotations(numbers)
        return CompareTask(piece, style, listed, lines.categories, annotations)

    for piece in cut(dataset):
        ids = [image.id for image in piece.images]
        numbers = [number for image_id in ids for number in lines.by_image.get(image_id, ())]
        yield task(piece, ids, numbers)
    # What stands on images that are not in the data set.
    strays = list(lines.by_image.keys() - {image.id for image in dataset.images})
    numbers = sorted(number for image_id in strays for number in lines.by_image[image_id])
    for start in range(0, len(numbers), _STRAYS_AT_ONCE):
        yield task(Piece((), ()), strays, numbers[start : start + _STRAYS_AT_ONCE])


def _report(lines: CocoLines, dataset: Dataset, found: Sequence[Compared]) -> GateReport:
    """Put together what was found piece by piece."""
    malformed = [sentence for piece in found for sentence in piece.malformed]
    masks = sum(piece.masks for piece in found)
    problems = [*_missing_keys(lines), *malformed, *_listing_problems(lines, dataset, found)]
    precisions = [piece.precisions for piece in found if piece.precisions is not None]
    whole = len(precisions) == len(found) and len(lines.ids) == len(set(lines.ids))
    ap = average(precisions) if whole else None
    if ap is not None and ap < PERFECT:
        problems.append(f"Evaluated against itself the file reaches AP {floor(ap)}, not 1.000.")
    return GateReport(
        images=len(lines.images),
        annotations=len(lines.ids),
        categories=len(lines.categories),
        min_iou=min(piece.min_iou for piece in found if piece.masks) if masks else None,
        mean_iou=sum(piece.sum_iou for piece in found) / masks if masks else None,
        ap=ap,
        left_out=tuple(sentence for piece in found for sentence in piece.left_out),
        boxes_only=sum(piece.boxes_only for piece in found),
        crowds=sum(piece.crowds for piece in found),
        problems=(*problems, *(sentence for piece in found for sentence in piece.problems)),
    )


def _missing_keys(lines: CocoLines) -> Iterator[str]:
    for key in ("info", "licenses", *LISTS):
        if key not in lines.keys:
            yield f"The file has no {key!r}."


def _listing_problems(
    lines: CocoLines, dataset: Dataset, found: Sequence[Compared]
) -> Iterator[str]:
    """Yield what is missing, too much, or listed as something else."""
    yield from _id_problems("Image", [entry["id"] for entry in lines.images])
    images = {i.id: f"{i.path} ({i.width} x {i.height})" for i in dataset.images}
    yield from _differences("Image", images, {e["id"]: _image(e) for e in lines.images})
    yield from _id_problems("Category", [entry["id"] for entry in lines.categories])
    categories = {c.id: f"{c.name!r} in {c.supercategory!r}" for c in dataset.categories}
    listed = {e["id"]: _category(e) for e in lines.categories}
    yield from _differences("Category", categories, listed)
    twice = yield from _id_problems("Annotation", lines.ids)
    missing = {key: text for piece in found for key, text in piece.missing.items()}
    extra = {
        key: text
        for piece in found
        for key, text in piece.extra.items()
        if key in missing or key not in twice
    }
    yield from _differences("Annotation", missing, extra)


def _image(entry: Entry) -> str:
    return f"{entry.get('file_name')} ({entry.get('width')} x {entry.get('height')})"


def _category(entry: Entry) -> str:
    return f"{entry.get('name')!r} in {entry.get('supercategory')!r}"


def _differences(kind: str, expected: Mapping[int, str], found: Mapping[Any, str]) -> Iterator[str]:
    for entry_id, text in expected.items():
        if entry_id not in found:
            yield f"{kind} {entry_id}, {text}, is missing."
        elif found[entry_id] != text:
            yield f"{kind} {entry_id} is {found[entry_id]}, not {text}."
    for entry_id, text in found.items():
        if entry_id not in expected:
            yield f"{kind} {entry_id}, {text}, is not in the data set."


def _id_problems(kind: str, ids: Sequence[Any]) -> Generator[str, None, set[Any]]:
    """Yield what is wrong with the ids of a list; return those that are used more than once."""
    twice = set()
    for entry_id, times in Counter(ids).items():
        if type(entry_id) is not int or entry_id < 1:
            yield f"{kind} id {entry_id!r} is not a whole number from 1."
        if times > 1:
            twice.add(entry_id)
            yield f"{kind} id {entry_id} is used {times} times."
    return twice


def _first(sentences: Sequence[str]) -> list[str]:
    more = len(sentences) - _LISTED
    return [*sentences[:_LISTED], *([f"... and {more:,} more."] if more > 0 else [])]
