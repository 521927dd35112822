"""Read the masks of Cityscapes: `CITY_..._instanceIds.png`, 16-bit.

A number from 1000 on is an instance, and the thousands of it are its class; a smaller one is a
class as a whole: of things a group that nobody told apart, else what has no instances (road, sky).
https://github.com/mcordts/cityscapesScripts, `helpers/labels.py` and `csCreateTrainIdInstanceImgs`
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from maskstudio.errors import UserError
from maskstudio.formats.files_below import files_below
from maskstudio.formats.incoming import IncomingCategory, IncomingContent, IncomingImage
from maskstudio.formats.masks_png import MaskSource, Values, numbered
from maskstudio.formats.png_mask import mask_size, read_mask
from maskstudio.progress import TaskContext

THINGS = {
    24: ("person", "human"),
    25: ("rider", "human"),
    26: ("car", "vehicle"),
    27: ("truck", "vehicle"),
    28: ("bus", "vehicle"),
    29: ("caravan", "vehicle"),
    30: ("trailer", "vehicle"),
    31: ("train", "vehicle"),
    32: ("motorcycle", "vehicle"),
    33: ("bicycle", "vehicle"),
}
"""Classes of which there are instances: name and category in the words of Cityscapes."""

_ENDING = "_instanceids.png"
_IMAGE = "leftImg8bit"
_LOOKED_THROUGH = 500  # a folder of photographs is not gone through to the end
_THOUSAND = 1000
_PLACES = {number: place for place, number in enumerate(THINGS)}
_SILENT = TaskContext()


def is_cityscapes(path: Path) -> bool:
    """Tell by names alone whether a folder holds masks of Cityscapes."""
    beginning = islice(files_below(path, ".png"), _LOOKED_THROUGH)
    return path.is_dir() and any(file.name.lower().endswith(_ENDING) for file in beginning)


def open_cityscapes(path: Path, context: TaskContext = _SILENT) -> MaskSource:
    """Open a folder of Cityscapes, such as `gtFine`.

    Every mask is gone through once, for the number of annotations.

    Raises:
        UserError: a mask cannot be read.
        CancelledError: the person asked to stop.
    """
    counts: Counter[int] = Counter()
    images: list[IncomingImage] = []
    contents: list[Callable[[], IncomingContent]] = []
    files = list(files_below(path, _ENDING))
    for number, file in enumerate(files):
        context.raise_if_cancelled()
        context.report(number, len(files), file.name)
        found = list(_of_things(read_mask(file)).values())
        counts.update(found)
        size = mask_size(file)
        name = _image_name(file, path)
        images.append(IncomingImage(name, *size, annotations=len(found), any_ending=True))
        contents.append(partial(_content, file))
    categories = [
        IncomingCategory(name, wider, count=counts[place])
        for place, (name, wider) in enumerate(THINGS.values())
    ]
    note = f"{path}: classes without instances (road, sky, ...) are passed over; groups are crowds."
    return MaskSource(path, categories, images, (note,), contents, title="Cityscapes")


def _content(mask: Path) -> IncomingContent:
    values = read_mask(mask)
    if values.dtype.itemsize > 2:
        raise UserError(f"{mask} has colours where numbers were expected.")
    places = _of_things(values)
    values[~np.isin(values, list(places))] = 0
    groups = np.where(values < _THOUSAND, values, 0)
    crowds = numbered(mask, groups, places)
    instances = numbered(mask, values - groups, places)
    return IncomingContent(
        (
            *(replace(annotation, iscrowd=True) for annotation in crowds.annotations),
            *instances.annotations,
        ),
        (*crowds.left_out, *instances.left_out),
    )


def _of_things(values: Values) -> dict[int, int]:
    """Return for each number of things in a mask the place of its category."""
    numbers = np.unique(values).tolist()
    classes = {n: n // _THOUSAND if n >= _THOUSAND else n for n in numbers}
    return {n: _PLACES[of] for n, of in classes.items() if of in _PLACES}


def _image_name(file: Path, root: Path) -> str:
    """Return the name of the image of a mask, which lies in a tree of its own, `leftImg8bit`."""
    stem = file.name[: -len(_ENDING)].rpartition("_")[0]
    parts = file.relative_to(root).parent.parts
    below = parts[1:] if parts and parts[0].startswith("gt") else parts
    return "/".join((*below, f"{stem}_{_IMAGE}"))
