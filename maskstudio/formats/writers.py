"""All formats that an export can have: who writes it, who proves it, where its images lie."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from maskstudio.formats.coco import write_coco
from maskstudio.formats.gate import check_coco
from maskstudio.formats.incoming import IncomingContent
from maskstudio.formats.labelme import read_shapes
from maskstudio.formats.labelme_writer import write_labelme
from maskstudio.formats.masks_png_proof import prove_masks
from maskstudio.formats.masks_png_writer import write_category_masks, write_instance_masks
from maskstudio.formats.options import ExportFormat, ExportOptions, ExportPart, ImagePlacement
from maskstudio.formats.panoptic import write_panoptic
from maskstudio.formats.panoptic_proof import prove_panoptic
from maskstudio.formats.reading_back import ImageFile, Proof, read_back
from maskstudio.formats.written import Written
from maskstudio.formats.yolo_labels import read_labels
from maskstudio.formats.yolo_writer import label_path, write_yolo
from maskstudio.progress import TaskContext

Write = Callable[[Sequence[ExportPart], Path, ExportOptions, TaskContext], Written]
"""Writes all but the images into a folder that is there and empty."""

Prove = Callable[[Sequence[ExportPart], Path, ExportOptions, Written, TaskContext], Proof]
"""Reads back what was written."""

_REFERENCE, _COPY, _LINK = ImagePlacement.REFERENCE, ImagePlacement.COPY, ImagePlacement.LINK


@dataclass(frozen=True)
class FormatFiles:
    """How one format is written.

    Attributes:
        write: writes it.
        prove: reads it back.
        images: the folder in which its images lie, above that of their part; empty for none.
        placements: what may become of the images; the first is what most people want.
        by_stem: files of it are found by the names of the images without their endings.
        pictures: it has PNG files that could be taken for images.
    """

    write: Write
    prove: Prove
    images: str
    placements: tuple[ImagePlacement, ...]
    by_stem: bool = True
    pictures: bool = False


def coco_file(part: str) -> str:
    """Return the name of a COCO file in an export of several files, POSIX."""
    return f"annotations/{part or 'instances'}.json"


def _write_coco(
    parts: Sequence[ExportPart], folder: Path, options: ExportOptions, context: TaskContext
) -> Written:
    reports = []
    for part in parts:
        path = folder / coco_file(part.name)
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as file:
            reports.append(write_coco(part.dataset, file, options.segmentation, context))
    return Written(
        sum(report.images for report in reports),
        sum(report.annotations for report in reports),
        tuple(sentence for report in reports for sentence in report.left_out),
        tuple(sentence for report in reports for sentence in report.redrawn),
    )


def _prove_coco(
    parts: Sequence[ExportPart],
    folder: Path,
    options: ExportOptions,
    _written: Written,
    context: TaskContext,
) -> Proof:
    sentences: list[str] = []
    problems: list[str] = []
    for part in parts:
        path = folder / coco_file(part.name)
        gate = check_coco(path, part.dataset, options.segmentation, context)
        name = f"{part.name}: " if part.name else ""
        sentences += [f"{name}{sentence}" for sentence in gate.sentences()]
        problems += [f"{name}{problem}" for problem in gate.problems]
    return Proof(tuple(sentences), tuple(problems))


def _prove_labelme(
    parts: Sequence[ExportPart],
    folder: Path,
    _options: ExportOptions,
    written: Written,
    context: TaskContext,
) -> Proof:
    return read_back(parts, folder, _read_labelme, written, context)


def _read_labelme(file: ImageFile) -> IncomingContent:
    path = file.folder / file.part / f"{file.stem}.json"
    names = [category.name for category in file.categories]
    return read_shapes(path, file.image.height, file.image.width, names)


def _prove_yolo(
    parts: Sequence[ExportPart],
    folder: Path,
    _options: ExportOptions,
    written: Written,
    context: TaskContext,
) -> Proof:
    return read_back(parts, folder, _read_yolo, written, context)


def _read_yolo(file: ImageFile) -> IncomingContent:
    ending = PurePosixPath(file.image.path).suffix
    path = file.folder / label_path(file.part, file.stem + ending)
    if not path.exists():
        return IncomingContent(())
    places = {place: place for place in range(len(file.categories))}
    return read_labels(path, places, file.image.height, file.image.width)


FORMATS: Mapping[ExportFormat, FormatFiles] = {
    ExportFormat.COCO: FormatFiles(
        _write_coco, _prove_coco, "images", (_REFERENCE, _COPY, _LINK), by_stem=False
    ),
    ExportFormat.PANOPTIC: FormatFiles(
        write_panoptic, prove_panoptic, "images", (_REFERENCE, _COPY, _LINK), pictures=True
    ),
    ExportFormat.YOLO: FormatFiles(write_yolo, _prove_yolo, "images", (_COPY, _LINK)),
    ExportFormat.LABELME: FormatFiles(
        write_labelme, _prove_labelme, "", (_COPY, _LINK, _REFERENCE)
    ),
    ExportFormat.INSTANCE_MASKS: FormatFiles(
        write_instance_masks, prove_masks, "images", (_REFERENCE, _COPY, _LINK), pictures=True
    ),
    ExportFormat.CATEGORY_MASKS: FormatFiles(
        write_category_masks, prove_masks, "images", (_REFERENCE, _COPY, _LINK), pictures=True
    ),
}
