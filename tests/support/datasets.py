"""Data sets in memory, and one taken into a project."""

from collections.abc import Iterable
from dataclasses import replace

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation, Category, Dataset, ImageState
from maskstudio.annotation.edits import CategoryChange, Edit, ImageContent
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.progress import TaskContext
from maskstudio.storage.project import ProjectDatabase


def whole_dataset(project: ProjectDatabase, states: Iterable[ImageState] = ImageState) -> Dataset:
    """Return a project, or its images in some states, as one value."""
    with project.reading_dataset(states) as stored:
        return replace(stored, annotations=dict(stored.annotations))


def one_on_each(database: ProjectDatabase, context: TaskContext) -> None:
    """Put an annotation of a new category on every image."""
    kind, ids = database.next_category_id(), database.take_annotation_ids()
    square = Segmentation.from_rings([(5, 5), (25, 5), (25, 25), (5, 25)])
    made = [Edit("", categories=(CategoryChange(None, Category(kind, f"kind {kind}")),))]
    with database.reading_dataset(ImageState) as dataset:
        for record in dataset.images:
            there = {a.id: a for a in dataset.annotations.get(record.id, ())}
            new = Annotation(next(ids), kind, square)
            made.append(edits.add(ImageContent(record, there), [new]))
    database.commit_long("Take in", "person", iter(made), context)
