"""How an export ended, as a person reads it. Needs no Qt."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from maskstudio.annotation.annotation import ImageState
from maskstudio.formats.options import ExportOptions
from maskstudio.session.splitting import Drawing

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase


@dataclass(frozen=True)
class ExportReport:
    """How an export ended.

    Attributes:
        path: the file or the folder.
        proof: what was found when it was read back.
        drawing: how the images were divided; None where they were not.
        parts: name and number of images of each part.
        linked: images that are links to those of the project.
        copied: images that were copied although links were asked for.
        left: files of an earlier export that somebody has changed since, and that are no part of
            this one; they are still there.
        not_exported: state to number of images left out because of it.
    """

    path: Path
    proof: tuple[str, ...]
    drawing: Drawing | None
    parts: tuple[tuple[str, int], ...]
    linked: int
    copied: int
    left: tuple[str, ...]
    not_exported: dict[ImageState, int]

    def sentences(self) -> tuple[str, ...]:
        """Return the report as a person reads it."""
        return tuple(self._said())

    def _said(self) -> Iterator[str]:
        if self.drawing is not None:
            yield from self._of_parts(self.drawing)
        yield from self.proof
        if self.linked:
            yield (
                f"{self.linked:,} images are links to the project's own: whoever changes one of "
                "them changes both."
            )
        if self.copied:
            yield (
                f"{self.copied:,} images were copied: there can be no links to them, because the "
                "folder lies on another drive or its drive knows none."
            )
        if self.left:
            yield (
                f"{len(self.left):,} files of an earlier export were changed since and left as "
                f"they are: {self.left[0]}{', ...' if len(self.left) > 1 else '.'}"
            )
        if any(self.not_exported.values()):
            counts = (f"{count:,} {state}" for state, count in self.not_exported.items() if count)
            yield f"Not exported because of their state: {', '.join(counts)}."

    def _of_parts(self, drawing: Drawing) -> Iterator[str]:
        total = sum(count for _, count in self.parts)
        shares = (f"{name} {count:,} ({count / total:.1%})" for name, count in self.parts)
        yield f"Images: {', '.join(shares)}."
        old = total - drawing.drawn
        if old:
            yield f"{old:,} stay in the part they were in before, {drawing.drawn:,} are new."
        empty = [name for name, count in self.parts if not count]
        if empty:
            yield (
                f"Nothing is in {' and '.join(empty)}: there are too few images to divide, they "
                "look alike, or all had a part before; draw the parts anew to change the last."
            )
        if drawing.together:
            yield f"{_groups(drawing.together)} of images that look alike: each is in one part."
        if drawing.torn:
            yield (
                f"{_groups(drawing.torn)} of images that look alike stand in several parts since "
                "an earlier export; draw the parts anew to bring them together."
            )
        if drawing.alike.crowded:
            yield (
                f"{drawing.alike.crowded:,} images look like so many others that only those nearly "
                "the same were kept together."
            )


def not_exported(database: "ProjectDatabase", options: ExportOptions) -> dict[ImageState, int]:
    """Count the images whose state is not one that is exported."""
    counts = Counter(record.state for record in database.images())
    return {state: counts[state] for state in ImageState if state not in options.states}


def _groups(number: int) -> str:
    return f"{number:,} {'group' if number == 1 else 'groups'}"
