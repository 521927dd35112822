"""Undo and redo: without end, across restarts, and never of what a batch did."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation, Category, ImageState
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.edits import AnnotationChange, CategoryChange, Edit, ImageContent
from maskstudio.annotation.history import HistoryState
from maskstudio.annotation.segmentation import Segmentation, VertexIndex, move_vertex
from maskstudio.storage.opening import open_project
from maskstudio.storage.project import ProjectDatabase
from storage.children import CELL, draw, draw_all, make_project, numbered

COMPARED = 20
"""After so many edits all of the project is compared."""


def content(project: ProjectDatabase) -> tuple[Any, ...]:
    """Return all that a person can see of a project; equal only to the last bit."""
    images = project.images()
    annotations = {image.id: project.annotations(image.id) for image in images}
    return images, project.categories(), annotations, project.annotation_counts()


def image_content(project: ProjectDatabase, image_id: int) -> ImageContent:
    record = next(image for image in project.images() if image.id == image_id)
    return ImageContent(record, {a.id: a for a in project.annotations(image_id)})


def any_edit(project: ProjectDatabase, number: int, chance: random.Random) -> Edit:
    """Make one of the edits there are, on one of two images; it always changes something."""
    here = image_content(project, chance.choice((1, 2)))
    known = list(here.annotations.values())
    kind = chance.randrange(7)
    if kind == 0 and known:
        return edits.delete(here, [a.id for a in chance.sample(known, min(len(known), 2))])
    if kind == 1 and known:
        chosen = chance.choice(known)
        if chosen.segmentation is not None:
            at = VertexIndex(0, 0, 1)
            moved = move_vertex(chosen.segmentation, at, chance.random() * 99, number + 1 / 3)
            return edits.change(here, [replace(chosen, segmentation=moved)], "Move vertex")
    if kind == 2:
        return edits.set_state(here, _other_state(here, chance), "Set state")
    if kind == 3:
        made = Category(number + 10, f"category {number}", colour="#123456")
        return Edit("Add category", categories=(CategoryChange(None, made),))
    ids = project.take_annotation_ids()
    if kind == 4:
        found = [
            Annotation(
                next(ids), CELL.id, None, (n, n, n + 1 / 7, 9), "m", chance.random(), touched=False
            )
            for n in range(3)
        ]
        return edits.pre_annotate(here, "m", found, DetectionFilter(number / 1000))
    return edits.add(here, [numbered(next(ids), number % 2), numbered(next(ids), 0)])


def _other_state(here: ImageContent, chance: random.Random) -> ImageState:
    return chance.choice([state for state in ImageState if state != here.record.state])


def test_200_edits_are_undone_and_redone_across_restarts(tmp_path: Path) -> None:
    chance = random.Random(7)
    project = make_project(tmp_path)
    project.add_images(["b.png"])
    states, titles = {0: content(project)}, []
    for number in range(1, 201):
        edit = any_edit(project, number, chance)
        project.commit(edit)
        titles.append(edit.title)
        if number % COMPARED == 0:
            states[number] = content(project)
    for left in range(199, -1, -1):
        if left % 67 == 0:
            project.close()
            project = open_project(tmp_path)
        assert project.history().undo == titles[left]
        project.undo()
        assert left % COMPARED or content(project) == states[left]
    assert project.undo() is None
    for done in range(1, 201):
        if done % 67 == 0:
            project.close()
            project = open_project(tmp_path)
        assert project.history().redo == titles[done - 1]
        project.redo()
        assert done % COMPARED or content(project) == states[done]
    assert project.redo() is None
    project.close()


def test_steps_back_and_forth_meet_what_a_list_of_them_says(tmp_path: Path) -> None:
    chance = random.Random(11)
    with make_project(tmp_path) as project:
        done: list[str] = []
        undone: list[str] = []
        drawn = 0
        for turn in range(400):
            step = chance.choice(["draw", "undo", "undo", "undo", "redo", "redo"])
            if step == "draw" or turn < 40:
                drawn += 1
                draw_all(project, [drawn])
                done.append(f"Draw {drawn}")
                undone.clear()
            else:
                edit = project.undo() if step == "undo" else project.redo()
                left, taken = (done, undone) if step == "undo" else (undone, done)
                assert (edit is None) == (not left)
                if left:
                    taken.append(left.pop())
            assert project.history() == HistoryState(
                done[-1] if done else None, undone[-1] if undone else None
            )
        numbers = sorted(int(title.split()[1]) for title in done)
        assert sorted(a.id for a in project.annotations(1)) == numbers


def test_undo_and_redo_return_the_edit_that_was_applied(tmp_path: Path) -> None:
    edit = draw(numbered(1, 1), "Draw")
    with make_project(tmp_path) as project:
        project.commit(edit)
        assert project.undo() == edit.inverse()
        assert project.redo() == edit


def test_the_history_names_what_comes_next(tmp_path: Path) -> None:
    with make_project(tmp_path) as project:
        assert project.history() == HistoryState(None, None)
        draw_all(project, [1, 2])
        assert project.history() == HistoryState("Draw 2", None)
        project.undo()
        assert project.history() == HistoryState("Draw 1", "Draw 2")
        project.undo()
        assert project.history() == HistoryState(None, "Draw 1")


def test_what_was_undone_is_dropped_by_a_new_edit(tmp_path: Path) -> None:
    with make_project(tmp_path) as project:
        draw_all(project, [1, 2, 3])
        project.undo()
        project.undo()
        draw_all(project, [4])
        assert project.redo() is None
        assert project.history() == HistoryState("Draw 4", None)
        project.undo()
        project.undo()
        assert project.undo() is None
        assert project.annotations(1) == ()


def test_what_a_batch_did_is_never_undone(tmp_path: Path) -> None:
    with make_project(tmp_path) as project:
        by_batch = edits.by_batch(draw(numbered(50, 5), "Pre-annotate"))
        draw_all(project, [1, 2])
        project.commit(by_batch)
        assert project.history() == HistoryState("Draw 2", None)
        project.undo()
        project.commit(edits.by_batch(draw(numbered(51, 6), "Pre-annotate")))
        # A batch does not take away what a person may bring back either.
        assert project.history() == HistoryState("Draw 1", "Draw 2")
        project.undo()
        assert project.undo() is None
        assert [a.id for a in project.annotations(1)] == [50, 51]
        project.redo()
        project.redo()
        assert [a.id for a in project.annotations(1)] == [1, 2, 50, 51]


def test_a_long_outline_comes_back_exactly_however_little_of_it_changed(tmp_path: Path) -> None:
    ring = np.random.default_rng(5).uniform(0, 900, (2000, 2))
    moved, same = ring.copy(), ring.copy()
    moved[700] = (0.1, 0.2)
    longer = np.insert(ring, 3, (5.5, 6.5), axis=0)
    steps = [Segmentation.from_rings(one) for one in (ring, moved, same, longer)]
    with open_project(tmp_path) as project:
        (image,) = project.add_images(["a.png"])
        category = CategoryChange(None, Category(1, "thing"))
        project.commit(Edit("Category", categories=(category,), undoable=False))
        before = None
        for step in steps:
            after = Annotation(1, 1, step)
            project.commit(Edit("Change", annotations=(AnnotationChange(1, before, after),)))
            before = after
    with open_project(tmp_path) as project:
        for step in steps[-2::-1]:
            assert project.undo()
            assert project.annotations(image.id)[0].segmentation == step
        for step in steps[1:]:
            assert project.redo()
            assert project.annotations(image.id)[0].segmentation == step
