"""What the layer of annotations over the image is painted from; see `overlay`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maskstudio.annotation.annotation import Annotation
from maskstudio.later import np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Marks:
    """Lines that point something out, over all outlines; the same only as itself.

    Attributes:
        lines: each (n, 2) float64, in pixels of the image.
    """

    lines: tuple[NDArray[np.float64], ...] = ()


NO_MARKS = Marks()


@dataclass(frozen=True)
class OverlayRequest:
    """Everything the layer depends on.

    Attributes:
        annotations: by id, back to front.
        colours: category id to (red, green, blue).
        scale: layer pixels for one image pixel.
        left: layer x of the image's left edge.
        top: layer y of the image's top edge.
        size: (height, width) of the layer in pixels.
        fill: opacity of the inside, 0 to 1.
        line: thickness of outlines in layer pixels.
        halo: thickness of a white line below each outline, which is seen on every image; 0 for
            none.
        left_out: ids of annotations that are not painted: they are drawn live instead.
        marks: what is pointed out.
    """

    annotations: Mapping[int, Annotation]
    colours: Mapping[int, tuple[int, int, int]]
    scale: float
    left: float
    top: float
    size: tuple[int, int]
    fill: float
    line: int
    halo: int = 0
    left_out: frozenset[int] = frozenset()
    marks: Marks = NO_MARKS

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        """Return the image point under a point of the layer."""
        return (x - self.left) / self.scale, (y - self.top) / self.scale


def colour_rgb(colour: str) -> tuple[int, int, int]:
    """Return (red, green, blue) of `#rrggbb`."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
