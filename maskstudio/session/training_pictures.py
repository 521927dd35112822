"""Draws what a person drew and what a model finds on an image, small, as a page shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.storage.images import read_image
from maskstudio.storage.training_events import Outline, Sample

_SEEN_FROM = 0.5
"""The score from which a person sees what is found, unless it is set otherwise."""
_FILL = 0.25
_GREY = 128
_BITS = 4  # of a pixel that OpenCV takes corners to
_FINE = 300  # a picture of so many pixels gets a line of one, a larger one of two


@dataclass(frozen=True, eq=False)
class Pictures:
    """An image as it is shown; all (height, width, 3) uint8 RGB.

    Attributes:
        plain: without outlines.
        truth: with what a person drew.
        found: with what the model finds.
    """

    plain: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    found: NDArray[np.uint8]


def seen(sample: Sample) -> tuple[Outline, ...]:
    """Return what of the model's findings a person would see."""
    return tuple(outline for outline in sample.found if outline.score >= _SEEN_FROM)


def draw_sample(
    sample: Sample,
    plain: NDArray[np.uint8] | None,
    side: int,
    colours: Mapping[str, str],
    context: TaskContext,
) -> Pictures:
    """Draw a sample.

    Args:
        sample: what is to be seen.
        plain: its image, as it was returned before; None to read it.
        side: pixels of the longer side of the pictures.
        colours: `#rrggbb` by the name of the category; that of the empty name for all others.
        context: asked whether to stop.

    Raises:
        CancelledError: the person asked to stop.
    """
    context.raise_if_cancelled()
    scale = side / max(sample.height, sample.width)
    width, height = (max(1, round(length * scale)) for length in (sample.width, sample.height))
    if plain is None:
        plain = _read(Path(sample.file), (width, height))
    context.raise_if_cancelled()
    return Pictures(
        plain,
        _drawn(plain, sample.truth, scale, colours),
        _drawn(plain, seen(sample), scale, colours),
    )


def _read(path: Path, size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """Return an image scaled; where it cannot be read, plain grey: the outlines are still seen."""
    try:
        pixels = read_image(path)
    except UserError:
        return np.full((size_wh[1], size_wh[0], 3), _GREY, np.uint8)
    return np.asarray(cv2.resize(pixels, size_wh, interpolation=cv2.INTER_AREA), np.uint8)


def _drawn(
    plain: NDArray[np.uint8],
    outlines: Sequence[Outline],
    scale: float,
    colours: Mapping[str, str],
) -> NDArray[np.uint8]:
    """Return the image with outlines: a line around, a light fill within, holes left open."""
    every = [
        (_rgb(colours.get(outline.category, colours[""])), rings)
        for outline in outlines
        if (rings := _corners(outline, scale))
    ]
    filled = plain.copy()
    for colour, rings in every:
        cv2.fillPoly(filled, rings, colour, cv2.LINE_AA, _BITS)
    picture = np.asarray(cv2.addWeighted(filled, _FILL, plain, 1 - _FILL, 0), np.uint8)
    thick = 1 if max(plain.shape[:2]) <= _FINE else 2
    for colour, rings in every:
        cv2.polylines(picture, rings, True, colour, thick, cv2.LINE_AA, _BITS)
    return picture


def _corners(outline: Outline, scale: float) -> list[NDArray[np.int32]]:
    """Return the rings of an outline as OpenCV takes them: from the middle of the first pixel."""
    rings = (ring for part in outline.parts for ring in part if len(ring) > 2)
    return [
        np.rint((np.array(ring) * scale - 0.5) * (1 << _BITS)).astype(np.int32) for ring in rings
    ]


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
