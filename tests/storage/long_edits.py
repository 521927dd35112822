"""A project in memory, on which edits are made and against which the stored one is held."""

import random
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import (
    Annotation,
    Category,
    Dataset,
    ImageRecord,
    ImageState,
    ImageStatus,
    Rejection,
)
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.edits import CategoryChange, Edit, ImageContent
from maskstudio.annotation.stack import back_to_front
from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.storage.opening import open_project
from maskstudio.storage.project import ProjectDatabase
from storage.children import CELL, draw_all, limit_file_size, make_project, numbered


class Model:
    """What a project must hold: the same edits, done to plain dictionaries."""

    def __init__(self, dataset: Dataset) -> None:
        self.categories = {category.id: category for category in dataset.categories}
        self.images = {record.id: record for record in dataset.images}
        self.there = {
            image_id: {a.id: a for a in dataset.annotations.get(image_id, ())}
            for image_id in self.images
        }

    def content(self, image_id: int) -> ImageContent:
        stacked = back_to_front(self.there[image_id].values())
        return ImageContent(self.images[image_id], {a.id: a for a in stacked})

    def do(self, edit: Edit) -> Edit:
        """Apply an edit and return it."""
        for change in edit.categories:
            if change.after:
                self.categories[change.after.id] = change.after
            elif change.before:
                del self.categories[change.before.id]
        for c in edit.annotations:
            if c.before:
                assert self.there[c.image_id].pop(c.before.id) == c.before
            if c.after:
                self.there[c.image_id][c.after.id] = c.after
        for image in edit.images:
            assert self.images[image.image_id].status == image.before
            self.images[image.image_id] = replace(self.images[image.image_id], status=image.after)
        return edit

    def dataset(self) -> Dataset:
        contents = {i: self.content(i) for i, there in self.there.items() if there}
        return Dataset(
            tuple(sorted(self.categories.values(), key=lambda category: category.id)),
            tuple(self.images.values()),
            {i: tuple(content.annotations.values()) for i, content in contents.items()},
        )


def any_edit(model: Model, chance: random.Random, ids: Iterator[int]) -> Edit:
    """Make one of the edits there are and do it to the model."""
    here = model.content(chance.choice(list(model.images)))
    return model.do(chance.choice(_KINDS)(model, here, chance, ids))


def _added(model: Model, here: ImageContent, chance: random.Random, ids: Iterator[int]) -> Edit:
    kinds = [chance.choice(list(model.categories)) for _ in range(3)]
    new = [replace(numbered(next(ids), chance.randrange(9)), category_id=kind) for kind in kinds]
    return edits.add(here, new)


def _deleted(model: Model, here: ImageContent, chance: random.Random, ids: Iterator[int]) -> Edit:
    del model, ids
    known = list(here.annotations)
    return edits.delete(here, chance.sample(known, min(2, len(known))))


def _changed(model: Model, here: ImageContent, chance: random.Random, ids: Iterator[int]) -> Edit:
    del model, ids
    said = (("pose", chance.choice("abc")),)
    return edits.change(
        here,
        [replace(a, attributes=said, z=chance.randrange(3)) for a in here.annotations.values()],
        "Say",
    )


def _predicted(model: Model, here: ImageContent, chance: random.Random, ids: Iterator[int]) -> Edit:
    kind = chance.choice(list(model.categories))
    found = [
        Annotation(next(ids), kind, None, (n, n, n + 1 / 7, 9), "m", chance.random(), touched=False)
        for n in range(2)
    ]
    return edits.pre_annotate(here, "m", found, DetectionFilter(chance.random()))


def _new_category(
    model: Model, here: ImageContent, chance: random.Random, ids: Iterator[int]
) -> Edit:
    del here, chance
    made = Category(max(model.categories) + 1, f"category {next(ids)}")
    return Edit("Add category", categories=(CategoryChange(None, made),))


def _state(model: Model, here: ImageContent, chance: random.Random, ids: Iterator[int]) -> Edit:
    del model, ids
    # An image with pre-annotations is never new: nothing in the program makes it so.
    open_ = any(annotation.is_pre_annotation for annotation in here.annotations.values())
    states = [state for state in ImageState if state is not ImageState.NEW or not open_]
    return edits.set_state(here, chance.choice(states), "Set state")


_KINDS: tuple[Callable[[Model, ImageContent, random.Random, Iterator[int]], Edit], ...] = (
    _added, _added, _deleted, _changed, _predicted, _new_category, _state,
)  # fmt: skip


def many(project: ProjectDatabase, images: Iterable[int], each: int = 100) -> Iterator[Edit]:
    """Make a category, then edits that put annotations of it on images and reject something."""
    ids = project.take_annotation_ids()
    kind = Category(project.next_category_id(), f"kind {project.next_category_id()}")
    yield Edit("", categories=(CategoryChange(None, kind),))
    for image_id in images:
        new = [replace(numbered(next(ids), n % 7), category_id=kind.id) for n in range(each)]
        status = ImageStatus(ImageState.EDITED, (Rejection(CELL.id, (0, 0, 1, 1)),))
        added = edits.add(ImageContent(ImageRecord(image_id, ""), {}), new)
        yield replace(added, images=(replace(added.images[0], after=status),))


def interrupted(made: Iterable[Edit], after: int, interrupt: Callable[[], None]) -> Iterator[Edit]:
    """Yield edits, and call something once so many were made."""
    for number, edit in enumerate(made):
        if number == after:
            interrupt()
        yield edit


SILENT = TaskContext()


def long_edit_on_a_full_disk(folder: Path) -> dict[str, Any]:
    """Write a long edit for which there is no room, then a shorter one for which there is."""
    with make_project(folder) as project:
        project.add_images([f"{n}.png" for n in range(2, 40)])
        draw_all(project, [1])
        limit_file_size(3_000_000)
        said = ""
        try:
            made = many(project, range(2, 40), each=400)
            project.commit_long("Import", "person", made, TaskContext())
        except UserError as error:
            said = str(error)
        there = project.annotation_counts()
        limit_file_size(None)
        project.commit_long("Import", "person", many(project, [2], each=400), TaskContext())
        again = project.annotation_counts()
    return {"said": said, "annotations": there, "again": again}


def long_edit_until_killed(folder: Path, reached: Connection) -> None:
    """Write the first half of a long edit, say so, and wait for the end."""

    def wait() -> None:
        reached.send("in the middle")
        threading.Event().wait()

    with open_project(folder) as project:
        made = interrupted(many(project, range(1, 21)), 15, wait)
        project.commit_long("Import", "person", made, TaskContext())
