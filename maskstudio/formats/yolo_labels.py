"""Read one label file of Ultralytics YOLO.

A line is an instance: its class number, then either the corners of its outline `x1 y1 x2 y2 ...`
(https://docs.ultralytics.com/datasets/segment/) or its box `x_center y_center width height`
(https://docs.ultralytics.com/datasets/detect/), all in shares of the image's width and height. The
files that its predictions are saved to (`save_txt`, `save_conf`) have the score behind that.
"""

import errno
import math
import stat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskstudio.errors import UserError
from maskstudio.formats.incoming import IncomingAnnotation, IncomingContent
from maskstudio.formats.quoting import quoted
from maskstudio.formats.rings import outline

MAX_BYTES = 64 << 20
"""An image with 10,000 outlines of 200 corners takes 40 MB."""

_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
_BOX_FIELDS = 5
# Ultralytics takes what is out by one in a hundred for rounding (`verify_image_label`).
_LOW, _HIGH = -0.01, 1.01
# What is out by less came of writing six digits; to cut it off and tell would tell of nothing.
_ROUNDING = 2e-6


def label_lines(path: Path) -> list[tuple[int, list[str]]] | None:
    """Return the number, from 1, and the fields of every line that is not blank.

    Returns:
        None where there is no such file.

    Raises:
        UserError: the file cannot be read or is no text.
    """
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > MAX_BYTES:
            raise UserError(f"{path} is no label file: no file, or one over {MAX_BYTES >> 20} MB.")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no label file: it is not text in UTF-8.") from error
    except ValueError:  # a name with a zero byte
        return None
    except OSError as error:
        if error.errno in _NOT_THERE:
            return None
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    split = ((number, line.split()) for number, line in enumerate(text.split("\n"), 1))
    return [(number, fields) for number, fields in split if fields]


def class_number(field: str) -> int | None:
    """Return the class number that a line begins with; None where that is no whole number."""
    try:
        value = float(field)
    except ValueError:
        return None
    return int(value) if math.isfinite(value) and value == int(value) else None


def read_labels(
    path: Path, places: dict[int, int], height: int, width: int, *, pose: bool = False
) -> IncomingContent:
    """Read what a label file says of its image.

    Args:
        path: the label file.
        places: class number to the place of its category.
        height: rows of the image.
        width: columns of the image.
        pose: key points stand behind every box; they are passed over.

    Raises:
        UserError: the file cannot be read or is no text.
    """
    found: list[IncomingAnnotation] = []
    left_out: list[str] = []
    mended: list[str] = []
    for number, fields in label_lines(path) or ():
        where = f"{path}, line {number}"
        try:
            annotation, notes = _annotation(fields, places, (height, width), pose)
        except UserError as error:
            left_out.append(f"{where} {error}")
            continue
        found.append(annotation)
        mended += [f"{where} {note}." for note in notes]
    return IncomingContent(tuple(found), tuple(left_out), tuple(mended))


def _annotation(
    fields: list[str], places: dict[int, int], size: tuple[int, int], pose: bool
) -> tuple[IncomingAnnotation, tuple[str, ...]]:
    """Return the instance of a line and half a sentence for each thing that was changed about it.

    Raises:
        UserError: no annotation can be made of it; half a sentence.
    """
    number = class_number(fields[0])
    if number not in places or number is None:
        raise UserError(f"begins with {quoted(fields[0])}, which is no class of the data set.")
    values, score = _numbers(fields[1 : _BOX_FIELDS if pose else None])
    height, width = size
    if len(values) == _BOX_FIELDS - 1:
        return IncomingAnnotation(places[number], None, _box(values, height, width), score), ()
    ring = values.reshape(-1, 2) * (width, height)
    drawn = outline([ring], height, width)
    if drawn.segmentation is None:
        raise UserError(f"{', '.join(drawn.notes)}.")
    return IncomingAnnotation(places[number], drawn.segmentation, score=score), drawn.notes


def _numbers(fields: list[str]) -> tuple[NDArray[np.float64], float | None]:
    """Return the shares on a line, an even number of them, and the score that may follow."""
    try:
        values = np.array(list(map(float, fields)))
    except ValueError as error:
        raise UserError("holds something that is no number.") from error
    if not np.isfinite(values).all():
        raise UserError("holds something that is no finite number.")
    score = None
    if len(values) % 2:
        score, values = float(values[-1]), values[:-1]
    if len(values) < _BOX_FIELDS - 1:
        raise UserError("is neither a box of four numbers nor an outline of three corners.")
    if score is not None and not 0 <= score <= 1:
        raise UserError("has an odd number of coordinates.")
    if values.min() < _LOW or values.max() > _HIGH:
        raise UserError(
            "has a coordinate below 0 or above 1; they are shares of the image's width and height."
        )
    near = (values > -_ROUNDING) & (values < 1 + _ROUNDING)
    return np.where(near, values.clip(0, 1), values), score


def _box(values: NDArray[np.float64], height: int, width: int) -> tuple[float, float, float, float]:
    x, y, w, h = values.tolist()
    x0, x1 = (min(max(share * width, 0.0), float(width)) for share in (x - w / 2, x + w / 2))
    y0, y1 = (min(max(share * height, 0.0), float(height)) for share in (y - h / 2, y + h / 2))
    if not (x1 > x0 and y1 > y0):
        raise UserError("is a box without an area.")
    return x0, y0, x1, y1
