"""Pascal VOC: XML files of boxes, and masks of the objects where they lie beside them."""

import posixpath
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from maskstudio.annotation.segmentation import Segmentation
from maskstudio.errors import UserError
from maskstudio.formats.boxes import box_within
from maskstudio.formats.files_below import files_below, first_files_below
from maskstudio.formats.incoming import (
    IncomingAnnotation,
    IncomingCategory,
    IncomingContent,
    IncomingImage,
    Source,
)
from maskstudio.formats.label_map import outlines_of
from maskstudio.formats.png_mask import read_mask
from maskstudio.formats.quoting import quoted
from maskstudio.formats.voc_file import VocFile, VocObject, read_voc
from maskstudio.progress import TaskContext

ANNOTATIONS = "Annotations"
IMAGES = "JPEGImages"
MASKS = "SegmentationObject"
VOID = 255
"""In a mask: the border of objects and what nobody could tell."""

_FIRST_BYTES = 4096


def is_voc(path: Path) -> bool:
    """Tell whether a path is a VOC file, or a folder with one among its first XML files."""
    if path.is_file():
        return path.suffix.lower() == ".xml" and _begins_like_voc(path)
    return path.is_dir() and any(map(_begins_like_voc, first_files_below(path, ".xml")))


def open_voc(path: Path, context: TaskContext) -> Source:
    """Open a VOC file or folder.

    Raises:
        UserError: a file is unsound, two are about one image, or there is none.
        CancelledError: the person asked to stop.
    """
    root = _root(path)
    paths = [path] if path.is_file() else list(files_below(path, ".xml"))
    files: dict[str, VocFile] = {}
    passed_over: list[Path] = []
    for number, one in enumerate(paths):
        context.raise_if_cancelled()
        context.report(number, len(paths), one.name)
        if len(paths) > 1 and not _begins_like_voc(one):
            passed_over.append(one)
            continue
        file = read_voc(one)
        name = _name(file, root)
        if name in files:
            raise UserError(
                f"{files[name].path} and {one} are both about the image {quoted(name)}; "
                "take one of them away."
            )
        files[name] = file
    if not files:
        raise UserError(f"{path} holds no Pascal VOC file; choose the folder above {ANNOTATIONS}.")
    return _source(path, files, passed_over)


@dataclass(frozen=True)
class VocSource:
    """A VOC folder, opened; see `Source`."""

    path: Path
    categories: tuple[IncomingCategory, ...]
    images: tuple[IncomingImage, ...]
    notes: tuple[str, ...]
    files: tuple[VocFile, ...]
    title: str = "Pascal VOC"

    def content(self, number: int, height: int, width: int) -> IncomingContent:
        """Read what stands on an image; see `Source`."""
        file = self.files[number]
        places = {category.name: place for place, category in enumerate(self.categories)}
        masks, left_out = _masks(file, height, width)
        found: list[IncomingAnnotation] = []
        mended: list[str] = []
        for place, one in enumerate(file.objects, start=1):
            where = f"{file.path}: object {place} ({quoted(one.name)})"
            mask = masks.get(place)
            box, notes = (None, ()) if mask else _box(one, file.from_one, height, width)
            if mask is None and box is None:
                left_out.append(f"{where} {'; it '.join(notes)}; it was left out.")
                continue
            mended += [f"{where} {note}." for note in notes]
            category = places[one.name]
            found.append(IncomingAnnotation(category, mask, box, attributes=one.attributes))
        return IncomingContent(tuple(found), tuple(left_out), tuple(mended))

    def pixels(self, _number: int) -> bytes | None:
        """Return None: VOC's files carry no images."""
        return None


def _source(path: Path, files: dict[str, VocFile], passed_over: Sequence[Path]) -> VocSource:
    counts = Counter(one.name for file in files.values() for one in file.objects)
    return VocSource(
        path,
        tuple(IncomingCategory(name, count=count) for name, count in counts.items()),
        tuple(
            IncomingImage(
                name,
                file.height,
                file.width,
                annotations=len(file.objects),
                any_ending=not PurePosixPath(file.filename).suffix,
            )
            for name, file in files.items()
        ),
        tuple(_notes(list(files.values()), passed_over)),
        tuple(files.values()),
    )


def _notes(files: Sequence[VocFile], passed_over: Sequence[Path]) -> Iterator[str]:
    if any(file.from_one for file in files):
        yield "Boxes are counted from pixel 1, as Pascal VOC's own are."
    elif any(one.box for file in files for one in file.objects):
        yield "Boxes are taken as the edges they name."
    if any(_mask_file(file).is_file() for file in files):
        yield f"Outlines come from the masks in {MASKS}, boxes where there is none."
    if passed_over:
        first = passed_over[0].name
        yield f"XML files of another kind are passed over ({len(passed_over):,}, {first})."


def _masks(file: VocFile, height: int, width: int) -> tuple[dict[int, Segmentation], list[str]]:
    """Return the outline of each object that the mask beside a file shows, by its place from 1."""
    path = _mask_file(file)
    if not path.is_file():
        return {}, []
    values = read_mask(path)
    if values.shape != (height, width):
        rows, columns = values.shape
        raise UserError(
            f"{path} has {columns} by {rows} pixels, its image {width} by {height}; replace it."
        )
    found: dict[int, Segmentation] = {}
    left_out: list[str] = []
    try:
        for number, outline in outlines_of(values):
            if number == VOID:
                continue
            if number > len(file.objects):
                left_out.append(f"{path}: the number {number} stands for no object of {file.path}.")
            elif isinstance(outline, UserError):
                left_out.append(f"{path}: object {number}: {outline}")
            else:
                found[number] = outline
    except UserError as error:
        raise UserError(f"{path} {error}.") from error
    return found, left_out


def _box(
    one: VocObject, from_one: bool, height: int, width: int
) -> tuple[tuple[float, float, float, float] | None, tuple[str, ...]]:
    if one.box is None:
        return None, ("has neither a box nor a mask",)
    x0, y0, x1, y1 = one.box
    first = 1 if from_one else 0
    return box_within([(x0 - first, y0 - first), (x1, y1)], height, width)


def _mask_file(file: VocFile) -> Path:
    return file.path.parent.parent / MASKS / f"{file.path.stem}.png"


def _root(path: Path) -> Path:
    """Return the folder that names are told from: never that of the XML files alone."""
    folder = path if path.is_dir() else path.parent
    return folder.parent if folder.name == ANNOTATIONS else folder


def _name(file: VocFile, root: Path) -> str:
    """Return the image's name from the root on; beside the XML files where there is no other."""
    folder = file.path.parent
    beside = folder.parent / IMAGES if folder.name == ANNOTATIONS else folder
    filename = file.filename or file.path.stem
    return posixpath.normpath(str(PurePosixPath(beside.relative_to(root).as_posix()) / filename))


def _begins_like_voc(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return b"<annotation" in file.read(_FIRST_BYTES)
    except OSError:
        return False
