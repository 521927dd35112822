"""A data set in memory, and a project that it comes into."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskstudio.annotation.segmentation import Segmentation
from maskstudio.errors import CancelledError, UserError
from maskstudio.formats.incoming import (
    IncomingAnnotation,
    IncomingCategory,
    IncomingContent,
    IncomingImage,
    Source,
)
from maskstudio.progress import TaskContext
from maskstudio.session.import_plan import ImportChoices, ImportReport
from maskstudio.session.importing import carry_out, plan_import
from maskstudio.storage.project import ProjectDatabase
from support.datasets import whole_dataset

SQUARE = Segmentation.from_rings([(10, 10), (30, 10), (30, 40), (10, 40)])
CORNER = Segmentation.from_rings([(0, 0), (9, 0), (0.1, 9.7)])
SILENT = TaskContext()

Given = IncomingAnnotation | UserError | str
"""What stands on an image: an annotation, a fault of the image, or what is left out."""


class GivenSet:
    """A data set in memory; implements `incoming.Source`."""

    title = "given"
    notes: Sequence[str] = ()

    def __init__(
        self,
        path: Path,
        images: Iterable[tuple[IncomingImage, Sequence[Given]]],
        categories: Sequence[str] = ("cell",),
    ) -> None:
        """Hold images, each with what stands on it, and the names of categories."""
        images = tuple(images)
        self.path = path
        self._contents = [content for _, content in images]
        self.images = [replace(one, annotations=len(content)) for one, content in images]
        self.categories = [IncomingCategory(name) for name in categories]

    def content(self, number: int, height: int, width: int) -> IncomingContent:
        """Return what was given, whatever the size."""
        del height, width
        found = self._contents[number]
        for one in found:
            if isinstance(one, UserError):
                raise one
        made = tuple(one for one in found if isinstance(one, IncomingAnnotation))
        return IncomingContent(made, tuple(one for one in found if isinstance(one, str)))

    def pixels(self, number: int) -> bytes | None:
        """Return None."""
        del number
        return None


def drawn(
    outline: Segmentation = SQUARE, category: int = 0, score: float | None = None, **more: Any
) -> IncomingAnnotation:
    """Return an annotation of a person, or of a model that gave it a score."""
    return IncomingAnnotation(category, outline, score=score, **more)


def image(name: str, height: int = 0, width: int = 0, **more: Any) -> IncomingImage:
    """Return an image of a data set."""
    return IncomingImage(name, height, width, **more)


def add_sized(database: ProjectDatabase, sizes: Mapping[str, tuple[int, int]]) -> None:
    """Take images into a project as if they had been opened already."""
    for record in database.add_images(sizes):
        database.set_size(record.id, *sizes[record.path])
    database.set_setting("sizes", "written")


def imported(project: ProjectDatabase, source: Source, **choices: Any) -> ImportReport:
    """Take a data set in; categories go where it is proposed unless the choices say otherwise."""
    plan = plan_import(project, source, SILENT)
    made = ImportChoices(**({"destinations": plan.proposed()} | choices))
    return carry_out(project, plan, made, SILENT)


def everything(project: ProjectDatabase) -> tuple[object, ...]:
    """Return all of a project, to be compared."""
    whole = whole_dataset(project)
    return whole.images, whole.categories, whole.annotations


class StopsAt(TaskContext):
    """Stops work at the so-many-th step, or once it tells of something."""

    def __init__(self, step: int | str) -> None:
        self._step = step
        self._reached = False

    def report(self, done: int, total: int, note: str = "") -> None:
        """Take note."""
        del total
        at = note if isinstance(self._step, str) else done
        self._reached |= at == self._step

    def raise_if_cancelled(self) -> None:
        """Stop if it is time."""
        if self._reached:
            raise CancelledError
