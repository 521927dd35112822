"""Read masks of classes and objects in colours: CVAT's «Segmentation mask» and Pascal VOC's.

Two folders of PNG files of the same names, `SegmentationClass` and `SegmentationObject`, and
`labelmap.txt`, which says what the colours of classes mean; without it they are those of VOC.
https://docs.cvat.ai/docs/dataset_management/formats/format-smask/
"""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskstudio.errors import UserError
from maskstudio.formats.files_below import files_below
from maskstudio.formats.incoming import IncomingCategory, IncomingContent, IncomingImage
from maskstudio.formats.masks_png import MaskSource, category_pieces, numbered
from maskstudio.formats.png_mask import mask_size, read_colours
from maskstudio.formats.quoting import quoted
from maskstudio.formats.strict_json import read_bytes
from maskstudio.progress import TaskContext

CLASSES, OBJECTS, LABEL_MAP = "SegmentationClass", "SegmentationObject", "labelmap.txt"

VOC_NAMES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
    *("train", "tvmonitor"),
)
"""The classes of Pascal VOC, from 1."""

_BACKGROUND = "background"
_BLACK = 0
_VOC_VOID = {_BLACK, 0xE0E0C0}  # the border of objects, and what nobody could tell
_MAX_BYTES = 1 << 20
_SILENT = TaskContext()


def is_class_masks(path: Path) -> bool:
    """Tell by names alone whether a folder holds masks of classes."""
    return path.is_dir() and next(files_below(path / CLASSES, ".png"), None) is not None


def open_class_masks(path: Path, context: TaskContext = _SILENT) -> MaskSource:
    """Open a folder of masks of classes.

    Every mask is gone through once, for the number of annotations.

    Raises:
        UserError: the table of colours is wrong, or a mask cannot be read.
        CancelledError: the person asked to stop.
    """
    labels = path / LABEL_MAP
    names, void = _read_labels(labels) if labels.exists() else (_voc_names(), _VOC_VOID)
    places = {colour: place for place, colour in enumerate(names)}
    counts: Counter[int] = Counter()
    images: list[IncomingImage] = []
    contents: list[Callable[[], IncomingContent]] = []
    files = list(files_below(path / CLASSES, ".png"))
    for number, file in enumerate(files):
        name = file.relative_to(path / CLASSES).with_suffix("").as_posix()
        context.raise_if_cancelled()
        context.report(number, len(files), name)
        objects = path / OBJECTS / file.relative_to(path / CLASSES)
        of_objects = objects if objects.is_file() else None
        contents.append(partial(_content, file, of_objects, places, void))
        found = contents[-1]().annotations
        counts.update(annotation.category for annotation in found)
        size = mask_size(file)
        images.append(IncomingImage(name, *size, annotations=len(found), any_ending=True))
    categories = [
        IncomingCategory(name, colour=f"#{colour:06x}", count=counts[place])
        for place, (colour, name) in enumerate(names.items())
    ]
    in_pieces = not (path / OBJECTS).is_dir()
    note = f"{path} has no {OBJECTS}: each connected piece of a class is taken for one instance."
    return MaskSource(path, categories, images, (note,) if in_pieces else (), contents)


def _content(
    classes: Path, objects: Path | None, places: Mapping[int, int], void: set[int]
) -> IncomingContent:
    """Read the masks of an image.

    Args:
        classes: the mask of its classes.
        objects: the mask of its objects; None takes each connected piece of a class for one.
        places: colour to the place of its category.
        void: colours that are no category: background, and what nobody could tell.
    """
    of_classes = read_colours(classes)
    if objects is None:
        of_classes[np.isin(of_classes, list(void))] = 0
        return category_pieces(classes, of_classes, places)
    of_objects = read_colours(objects)
    if of_objects.shape != of_classes.shape:
        raise UserError(f"{objects} is of another size than the mask in {CLASSES}.")
    category = _categories_under(of_objects, of_classes, places)
    of_objects[np.isin(of_objects, [colour for colour in void if colour not in category])] = 0
    return numbered(objects, of_objects, category)


def _categories_under(
    objects: NDArray[np.uint32], classes: NDArray[np.uint32], places: Mapping[int, int]
) -> dict[int, int]:
    """Return for each colour of an object the place of the category with most of its pixels."""
    pairs, pixels = np.unique(
        (objects.astype(np.uint64) << np.uint64(24)) | classes, return_counts=True
    )
    # What has most pixels comes last and stays.
    ordered = (divmod(int(pairs[n]), 1 << 24) for n in np.argsort(pixels, kind="stable"))
    return {colour: places[under] for colour, under in ordered if under in places}


def _read_labels(path: Path) -> tuple[dict[int, str], set[int]]:
    """Read `labelmap.txt`: lines of `name:red,green,blue:parts:actions`.

    Returns:
        Colour to name, and the colours of the background.
    """
    try:
        text = read_bytes(path, _MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not text in UTF-8; save it as that.") from error
    names: dict[int, str] = {}
    void = {_BLACK}
    for number, line in enumerate(text.split("\n"), 1):
        where = f"{path}, line {number}"
        name, _, rest = line.strip().partition(":")
        if not line.strip() or name.startswith("#"):
            continue
        colour = _colour(where, rest.partition(":")[0])
        if name == _BACKGROUND:
            void.add(colour)
        elif not name or name in names.values():
            raise UserError(f"{where} names {quoted(name)}, which is empty or stands there twice.")
        elif names.setdefault(colour, name) != name:
            raise UserError(f"{where} has the colour of {quoted(names[colour])}; change one.")
    return names, void


def _colour(where: str, text: str) -> int:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 3 or not all(part.isdecimal() and len(part) < 4 for part in parts):
        raise UserError(f"{where} has no colour; write it as name:red,green,blue::")
    red, green, blue = map(int, parts)
    if max(red, green, blue) > 255:
        raise UserError(f"{where} has a colour over 255; write it as name:red,green,blue::")
    return red << 16 | green << 8 | blue


def _voc_names() -> dict[int, str]:
    return {_voc_colour(number): name for number, name in enumerate(VOC_NAMES, 1)}


def _voc_colour(number: int) -> int:
    """Return the colour of a class, as `VOClabelcolormap` of Pascal VOC's development kit does.

    The bits of the number go to red, green and blue in turn, the lowest of it to the highest.
    """
    colour = 0
    for bit in range(8):
        if number >> bit & 1:
            colour |= 1 << (8 * (2 - bit % 3) + 7 - bit // 3)
    return colour
