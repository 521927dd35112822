"""Files of the VGG Image Annotator as a data set."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.segmentation import Box, Segmentation
from maskstudio.annotation.shapes import ellipse_vertices
from maskstudio.formats.boxes import FAR_AWAY, box_within, is_far
from maskstudio.formats.incoming import (
    IncomingAnnotation,
    IncomingCategory,
    IncomingContent,
    IncomingImage,
    Source,
)
from maskstudio.formats.quoting import quoted
from maskstudio.formats.rings import outline
from maskstudio.formats.via_file import ViaFile, ViaRegion, read_via
from maskstudio.progress import TaskContext

NO_CATEGORY = "object"
"""The category of a region of which nothing says what it is."""

# VIA knows attributes, and no categories: these names are what people call one.
_WORDS = ("class", "category", "label", "name", "object", "type")

_SURE = re.compile(
    rb'"_via_(img_metadata|settings|attributes)"|"vid_list"|region_shape_attributes'
    rb"|# Exported using VGG Image Annotator"
)
_FIRST_BYTES = 65_536
_ROUND = frozenset({"circle", "ellipse"})
_WITH_AREA = _ROUND | {"rect", "extreme rect", "polygon"}
_COUNTS = {"rect": (4,), "circle": (3,), "ellipse": (4, 5)}


def is_via(path: Path) -> bool:
    """Tell by its first bytes whether a file is one of VIA's."""
    if path.suffix.lower() not in (".json", ".csv") or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            start = file.read(_FIRST_BYTES)
    except OSError:
        return False
    regions = b'"filename"' in start and b'"regions"' in start
    return bool(_SURE.search(start)) or regions


def open_via(path: Path, context: TaskContext) -> Source:
    """Open a file of VIA.

    Raises:
        UserError: see `read_via`.
        CancelledError: the person asked to stop.
    """
    context.raise_if_cancelled()
    file = read_via(path)
    context.raise_if_cancelled()
    regions = [region for found in file.images.values() for region in found]
    named = _category_attribute([r for r in regions if r.kind in _WITH_AREA], file.choices)
    counts = Counter(_category(r, named) for r in regions if r.kind in _WITH_AREA)
    images = tuple(
        IncomingImage(name, annotations=sum(region.kind in _WITH_AREA for region in found))
        for name, found in file.images.items()
    )
    categories = tuple(IncomingCategory(name, count=count) for name, count in counts.items())
    notes = tuple(_notes(file, named, counts, regions))
    return ViaSource(path, categories, images, notes, tuple(file.images.values()), named)


@dataclass(frozen=True)
class ViaSource:
    """A file of VIA, opened; see `Source`."""

    path: Path
    categories: tuple[IncomingCategory, ...]
    images: tuple[IncomingImage, ...]
    notes: tuple[str, ...]
    regions: tuple[tuple[ViaRegion, ...], ...]
    category_attribute: str | None
    title: str = "VIA"

    def content(self, number: int, height: int, width: int) -> IncomingContent:
        """Read what stands on an image; see `Source`."""
        places = {category.name: place for place, category in enumerate(self.categories)}
        found: list[IncomingAnnotation] = []
        left_out: list[str] = []
        mended: list[str] = []
        for region in self.regions[number]:
            segmentation, box, notes = _shape(region, height, width)
            sentences = [f"{region.place} {note}." for note in notes]
            if segmentation is None and box is None:
                left_out.append(f"{region.place} {'; it '.join(notes)}; it was left out.")
                continue
            mended += sentences
            category = places[_category(region, self.category_attribute)]
            said = dict(region.attributes)
            said.pop(self.category_attribute or "", None)
            attributes = tuple(sorted(said.items()))
            found.append(IncomingAnnotation(category, segmentation, box, attributes=attributes))
        return IncomingContent(tuple(found), tuple(left_out), tuple(mended))

    def pixels(self, _number: int) -> bytes | None:
        """Return None: VIA's files carry no images that could be told from links to them."""
        return None


def _category_attribute(regions: Sequence[ViaRegion], choices: Sequence[str]) -> str | None:
    """Return the attribute that says what a region is, None where there is none."""
    names = list(dict.fromkeys(name for region in regions for name in region.attributes))
    if len(names) < 2:
        return names[0] if names else None
    known: Mapping[str, str] = {name.casefold(): name for name in reversed(names)}
    words = [known[word] for word in _WORDS if word in known]
    return next((name for name in (*words, *choices) if name in names), names[0])


def _category(region: ViaRegion, named: str | None) -> str:
    return region.attributes.get(named or "", NO_CATEGORY)


def _notes(
    file: ViaFile, named: str | None, counts: Mapping[str, int], regions: Sequence[ViaRegion]
) -> Iterator[str]:
    if named is not None:
        yield f"What stands in the attribute {quoted(named)} is taken for the category."
    if counts.get(NO_CATEGORY):
        yield f"Regions that do not say what they are become {NO_CATEGORY!r}."
    if any(region.kind in _ROUND for region in regions):
        yield "Circles and ellipses become outlines of 20 corners each."
    if file.passed_over:
        yield f"Entries about films or whole images are left out ({file.passed_over:,} of them)."


def _shape(
    region: ViaRegion, height: int, width: int
) -> tuple[Segmentation | None, Box | None, tuple[str, ...]]:
    """Return the outline or the box of a region, and notes; neither where nothing is left."""
    numbers = region.numbers
    if region.kind not in _WITH_AREA:
        return None, None, (f"is a shape {quoted(region.kind)} and covers nothing",)
    if len(numbers) not in _COUNTS.get(region.kind, range(2, len(numbers) + 1, 2)):
        return None, None, (f"is a shape {quoted(region.kind)} made of {len(numbers)} numbers",)
    if is_far(numbers):
        return None, None, (FAR_AWAY,)
    if region.kind in _ROUND or region.kind == "polygon":
        ring = _round(numbers) if region.kind in _ROUND else numbers.reshape(-1, 2)
        made = outline([ring], height, width)
        return made.segmentation, None, made.notes
    corners = numbers.reshape(-1, 2)
    if region.kind == "rect":
        corners = np.cumsum(corners, axis=0)  # what comes second is width and height
    return None, *box_within(corners, height, width)


def _round(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the vertices of a circle or an ellipse; its angle is in radians, as canvases take it.

    Args:
        numbers: middle x, y; one radius, or two and possibly the angle.
    """
    x, y, across, *more = numbers.tolist()
    down = more[0] if more else across
    upright = ellipse_vertices((-across, -down, across, down))
    angle = more[1] if len(more) > 1 else 0.0
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray(upright @ turn + (x, y), np.float64)
