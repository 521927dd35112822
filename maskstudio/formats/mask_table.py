"""The table beside masks, `masks.json`: which mask is whose, and what its numbers mean."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Literal

import msgspec

from maskstudio.annotation.annotation import ImageState
from maskstudio.errors import UserError
from maskstudio.formats.png_mask import MAX_PIXELS, MAX_VALUE
from maskstudio.formats.quoting import quoted
from maskstudio.formats.strict_json import load_json

TABLE_NAME = "masks.json"
INSTANCES, CATEGORIES = "instance-masks", "category-masks"

SAID = (ImageState.EDITED, ImageState.VERIFIED, ImageState.EMPTY)
"""The states that say something about a mask: a person has worked on it."""

_HEAD = re.compile(rb'^\s*\{\s*"format"\s*:\s*"(instance|category)-masks"')
_MAX_NAME, _SHOWN = 1000, 200
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


class MaskCategory(msgspec.Struct, frozen=True):
    """A category; `value` is the number of its pixels in category masks, 0 in instance masks."""

    name: str
    supercategory: str = ""
    colour: str = ""
    value: int = 0


class MaskInstance(msgspec.Struct, frozen=True, omit_defaults=True):
    """An instance: the number of its pixels and the name of its category."""

    id: int
    category: str
    crowd: bool = False


class MaskImage(msgspec.Struct, frozen=True):
    """An image and its mask; both paths are POSIX, the mask's from the folder of the table.

    Attributes:
        split: `train`, `val`, `test`, or empty.
        state: how far it has come, one of `SAID`; None where nothing is said.
        instances: back to front; none in category masks.
    """

    image: str
    mask: str
    height: int
    width: int
    split: str = ""
    state: ImageState | None = None
    instances: Sequence[MaskInstance] = ()


class MaskTable(msgspec.Struct, frozen=True):
    """The whole table."""

    format: Literal["instance-masks", "category-masks"]
    categories: Sequence[MaskCategory]
    images: Sequence[MaskImage]


def is_table(path: Path) -> bool:
    """Tell by its first bytes whether a file is such a table."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return _HEAD.match(file.read(200)) is not None
    except OSError:
        return False


def read_table(path: Path) -> MaskTable:
    """Read a table.

    Raises:
        UserError: it cannot be read, or something in it is wrong; the sentence names the place.
    """
    try:
        table = msgspec.convert(load_json(path), MaskTable)
    except msgspec.ValidationError as error:
        raise UserError(f"{path} is no table of masks: {str(error)[:_SHOWN]}.") from error
    _check_once(path, "categories", "the name", (c.name for c in table.categories))
    if table.format == CATEGORIES:
        _check_once(path, "categories", "the value", (c.value for c in table.categories))
    _check_once(path, "images", "the image", (image.image for image in table.images))
    _check_once(path, "images", "the mask", (image.mask for image in table.images))
    for number, category in enumerate(table.categories):
        _check_category(f"{path}: categories[{number}]", table.format, category)
    known = {category.name for category in table.categories}
    for number, image in enumerate(table.images):
        _check_image(f"{path}: images[{number}]", image, known)
    return table


def _check_once(path: Path, key: str, what: str, values: Iterable[str | int]) -> None:
    seen: dict[str | int, int] = {}
    for number, value in enumerate(values):
        first = seen.setdefault(value, number)
        if first != number:
            raise UserError(
                f"{path}: {key}[{number}] has {what} {quoted(value)}, as "
                f"{key}[{first}] has; give each its own."
            )


def _check_category(where: str, kind: str, category: MaskCategory) -> None:
    if not category.name:
        raise UserError(f"{where} has no name; give it one.")
    if category.colour and not _COLOUR.fullmatch(category.colour):
        raise UserError(f"{where} has the colour {quoted(category.colour)}; write it as #rrggbb.")
    if kind == CATEGORIES and not 0 < category.value <= MAX_VALUE:
        raise UserError(f"{where} has the value {category.value}; give it one from 1 on.")


def _check_image(where: str, image: MaskImage, categories: set[str]) -> None:
    place = PurePosixPath(image.mask)
    leads_out = ".." in place.parts or place.is_absolute() or PureWindowsPath(image.mask).drive
    too_long = len(image.mask) > _MAX_NAME
    if leads_out or too_long or "\\" in image.mask or "\0" in image.mask or not image.mask:
        raise UserError(
            f"{where} has the mask {quoted(image.mask)}, which is not beside the table."
        )
    if not image.image:
        raise UserError(f"{where} does not say whose mask it is; name its image.")
    if min(image.height, image.width) < 1 or image.height * image.width > MAX_PIXELS:
        raise UserError(f"{where} has the size {image.width} by {image.height}, as no mask has.")
    ids: set[int] = set()
    for number, instance in enumerate(image.instances):
        if not 0 < instance.id <= MAX_VALUE or instance.id in ids:
            raise UserError(
                f"{where}.instances[{number}] has the id {instance.id}; each needs its own, "
                f"from 1 to {MAX_VALUE}."
            )
        ids.add(instance.id)
        if instance.category not in categories:
            raise UserError(
                f"{where}.instances[{number}] has the category "
                f"{quoted(instance.category)}, which is not listed."
            )
