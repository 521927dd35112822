"""What a check of a data set found, as values: of what kind, where, how grave."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cached_property

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.segmentation import Box


class Severity(IntEnum):
    """How grave a finding is."""

    PROBLEM = 0
    """Readers fail on it, or learn something false."""
    DOUBT = 1
    """It is most likely not meant so; a person should look."""
    NOTE = 2
    """It is good to know."""


class FindingKind(StrEnum):
    """What can be found, the gravest first."""

    UNREADABLE = "unreadable"
    SIZE = "size"
    ORIENTATION = "orientation"
    NO_PIXEL = "no-pixel"
    FEW_CORNERS = "few-corners"
    CROSSING = "crossing"
    OUTSIDE = "outside"
    DUPLICATE = "duplicate"
    SLIVER = "sliver"
    STRAY_PART = "stray-part"
    MISSED = "missed"
    OTHER_CATEGORY = "other-category"
    SLOPPY = "sloppy"
    UNLABELLED = "unlabelled"
    TWIN = "twin"
    LOOKALIKE = "lookalike"
    SPLIT_GAP = "split-gap"
    UNUSED_CATEGORY = "unused-category"
    RARE_CATEGORY = "rare-category"


TITLES: dict[FindingKind, str] = {
    FindingKind.UNREADABLE: "Files that cannot be read",
    FindingKind.SIZE: "Labelled at another size",
    FindingKind.ORIENTATION: "Labelled in another orientation",
    FindingKind.NO_PIXEL: "Cover no pixel",
    FindingKind.FEW_CORNERS: "Rings of fewer than three corners",
    FindingKind.CROSSING: "Outlines that cross themselves",
    FindingKind.OUTSIDE: "Reach out of the image",
    FindingKind.DUPLICATE: "Labelled twice",
    FindingKind.SLIVER: "Thinner than a pixel",
    FindingKind.STRAY_PART: "Tiny stray parts",
    FindingKind.MISSED: "The model finds something where nothing is labelled",
    FindingKind.OTHER_CATEGORY: "The model takes it for another category",
    FindingKind.SLOPPY: "The model draws it otherwise",
    FindingKind.UNLABELLED: "Images without annotations",
    FindingKind.TWIN: "The same image twice",
    FindingKind.LOOKALIKE: "Images that look alike",
    FindingKind.SPLIT_GAP: "Categories missing in a split",
    FindingKind.UNUSED_CATEGORY: "Categories nobody uses",
    FindingKind.RARE_CATEGORY: "Rare categories",
}
"""What each kind is called where findings are listed."""

FIXES: dict[FindingKind, str] = {
    FindingKind.ORIENTATION: "Turn the outlines as the image is turned",
    FindingKind.NO_PIXEL: "Delete them",
    FindingKind.FEW_CORNERS: "Take these rings out",
    FindingKind.CROSSING: "Redraw them without the crossing",
    FindingKind.OUTSIDE: "Cut them at the edge of the image",
    FindingKind.DUPLICATE: "Keep one of each two",
    FindingKind.SLIVER: "Take the slivers out",
    FindingKind.STRAY_PART: "Take these parts out",
}
"""What the one right answer is, for the kinds that have one."""


@dataclass(frozen=True)
class Finding:
    """One thing that a check found.

    Attributes:
        kind: what it is.
        severity: how grave it is.
        sentence: what is wrong, for people.
        image_id: the image to look at; None where it concerns none.
        annotation_ids: the annotations it concerns, the one to be changed first.
        box: the place to look at, xyxy in image pixels; None for all of the image.
        category_id: the category it concerns, where it concerns one as a whole.
        size: (height, width) of the image that was checked against; (0, 0) where it is not known.
        orientation: as EXIF names it, how the file of the image is turned.
        stamp: of the outlines it concerns; another one where they have changed since.
        fixable: there is one right answer; see `quality_fixes.fixed`.
    """

    kind: FindingKind
    severity: Severity
    sentence: str
    image_id: int | None = None
    annotation_ids: tuple[int, ...] = ()
    box: Box | None = None
    category_id: int | None = None
    size: tuple[int, int] = (0, 0)
    orientation: int = 1
    stamp: int = 0
    fixable: bool = False

    @cached_property
    def key(self) -> str:
        """Names it from one check to the next, until what it concerns changes."""
        ids = "-".join(map(str, self.annotation_ids))
        return f"{self.kind}/{self.image_id or 0}/{ids}/{self.category_id or 0}/{self.stamp:x}"


def stamp_of(annotations: Iterable[Annotation]) -> int:
    """Return a number that changes with the outlines and the categories of annotations."""
    stamp = 0
    for annotation in annotations:
        stamp = zlib.crc32(f"{annotation.id} {annotation.category_id}".encode(), stamp)
        outline = annotation.segmentation
        content = repr(annotation.box_only).encode() if outline is None else outline.wkb
        stamp = zlib.crc32(content, stamp)
    return stamp


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings kind by kind, those kinds first of which something is gravest."""
    found = list(findings)
    gravest: dict[FindingKind, Severity] = {}
    for finding in found:
        before = gravest.get(finding.kind, Severity.NOTE)
        gravest[finding.kind] = min(before, finding.severity)
    found.sort(key=lambda f: (gravest[f.kind], _PLACES[f.kind], f.severity))
    return tuple(found)


_PLACES = {kind: place for place, kind in enumerate(FindingKind)}
