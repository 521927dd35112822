"""Whatever a person and the model do, in any order: undo takes all of it back, exactly."""

import functools
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import ParamSpec

import hypothesis.strategies as st
from hypothesis import HealthCheck, assume, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from PySide6.QtCore import QCoreApplication

from maskstudio.annotation.annotation import Category, Dataset
from maskstudio.annotation.detail import with_detail
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.detections import outline
from maskstudio.annotation.edits import CategoryChange, Edit
from maskstudio.annotation.segmentation import (
    MIN_RING_VERTICES,
    Segmentation,
    VertexIndex,
    delete_vertex,
    insert_vertex,
    move_vertex,
    repaired,
)
from maskstudio.annotation.vertices import swept, without_vertices
from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.session import (
    arranging,
    category_operations,
    clipboard,
    operations,
    properties,
    vertex_operations,
)
from maskstudio.session.detection_filtering import DetectionFiltering
from maskstudio.session.session import Session
from maskstudio.session.tasks import Tasks
from maskstudio.storage.opening import open_project
from support.datasets import one_on_each, whole_dataset
from support.fakes import CELL, disc_detections
from support.pictures import write_picture

P = ParamSpec("P")

HEIGHT, WIDTH = 60, 80

coordinates = st.tuples(
    st.floats(-15, WIDTH + 15, width=32, allow_subnormal=False) | st.integers(0, WIDTH).map(float),
    st.floats(-15, HEIGHT + 15, width=32, allow_subnormal=False)
    | st.integers(0, HEIGHT).map(float),
)
boxes = st.tuples(
    st.floats(0, WIDTH - 12, allow_subnormal=False),
    st.floats(0, HEIGHT - 12, allow_subnormal=False),
    st.floats(8, 12),
    st.floats(8, 12),
).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))


def encloses_something(outline: Segmentation) -> bool:
    """Tell whether something of the image is left; a person is told of what encloses nothing."""
    return repaired(outline, HEIGHT, WIDTH) is not None


shifts = st.integers(-9000, 9000).map(lambda n: n / 100)


def hands_off(verb: Callable[P, None]) -> Callable[P, None]:
    """Wrap what a person or a model does: no locked annotation is another one afterwards."""

    @functools.wraps(verb)
    def watched(*args: P.args, **kwargs: P.kwargs) -> None:
        session = args[0].session  # type: ignore[attr-defined]
        locked = {i: a for i, a in session.annotations.items() if a.locked}
        verb(*args, **kwargs)
        assert locked.items() <= session.annotations.items()

    return watched


class Work(RuleBasedStateMachine):
    """A project of three images, worked on at random."""

    def __init__(self) -> None:
        super().__init__()
        # On Windows a file that was just closed may not be gone yet.
        self.place = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.folder = Path(self.place.name)
        for name in ("a.png", "b.png", "c.png"):
            write_picture(self.folder / name, HEIGHT, WIDTH)
        self.tasks = Tasks()
        self.session = Session()
        self.filtering = DetectionFiltering(self.session, self.tasks)
        self.problems: list[str] = []
        self.session.problem.connect(self.problems.append)

    @initialize()
    def open(self) -> None:
        self.session.open(open_project(self.folder))
        self.session.add_images(
            self.session.require_database().add_images(["a.png", "b.png", "c.png"])
        )
        for image_id in self.session.image_ids:
            self.session.note_size(image_id, HEIGHT, WIDTH)
        # The model's category is there from the start: making it is never undone.
        made = (CategoryChange(None, CELL), CategoryChange(None, Category(2, "other")))
        self.session.edit(Edit("Begin", categories=made, undoable=False))
        self.session.show(self.session.image_ids[0])
        self.at_first = self.everything()

    @rule(ring=st.lists(coordinates, min_size=3, max_size=6))
    def draw(self, ring: list[tuple[float, float]]) -> None:
        with suppress(UserError):  # fewer than three corners that differ
            drawn = Segmentation.from_rings(ring)
            assume(encloses_something(drawn))
            operations.draw(self.session, drawn, None)

    @rule(place=st.integers(0, 99), more=st.booleans())
    def choose(self, place: int, more: bool) -> None:
        ids = list(self.session.annotations)
        assume(ids)
        kept = self.session.selection if more else frozenset()
        self.session.select(kept | {ids[place % len(ids)]})

    @rule(dx=shifts, dy=shifts)
    @hands_off
    def move(self, dx: float, dy: float) -> None:
        operations.move(self.session, sorted(self.session.selection), dx, dy)

    @rule(number=st.integers(0, 999), to=coordinates)
    @hands_off
    def move_vertex(self, number: int, to: tuple[float, float]) -> None:
        x, y = min(max(to[0], 0), WIDTH), min(max(to[1], 0), HEIGHT)
        self.reshape(number, lambda outline, at: move_vertex(outline, at, x, y))

    @rule(number=st.integers(0, 999), to=coordinates)
    @hands_off
    def insert_vertex(self, number: int, to: tuple[float, float]) -> None:
        self.reshape(number, lambda outline, at: insert_vertex(outline, at, *to))

    @rule(number=st.integers(0, 999))
    @hands_off
    def delete_vertex(self, number: int) -> None:
        self.reshape(number, delete_vertex)

    @rule(start=coordinates, end=coordinates, radius=st.integers(1, 40))
    @hands_off
    def erase_vertices(
        self, start: tuple[float, float], end: tuple[float, float], radius: int
    ) -> None:
        left = {
            a.id: without_vertices(a.segmentation, swept(a.segmentation, start, end, radius))
            for a in vertex_operations.changeable(self.session)
        }
        assume(all(map(encloses_something, left.values())))
        assert vertex_operations.reshape_each(self.session, left, "Erase vertices")

    @rule(level=st.integers(-100, 100))
    @hands_off
    def change_detail(self, level: int) -> None:
        new = {
            a.id: with_detail(a.segmentation, level / 100, (HEIGHT, WIDTH)).outline
            for a in vertex_operations.changeable(self.session)
        }
        assert vertex_operations.reshape_each(self.session, new, "Simplify")

    @rule()
    @hands_off
    def delete(self) -> None:
        operations.delete_selected(self.session)

    @rule()
    @hands_off
    def duplicate(self) -> None:
        clipboard.duplicate(self.session)

    @rule(place=st.integers(0, 4))
    @hands_off
    def set_category(self, place: int) -> None:
        categories = self.session.categories
        operations.set_category(self.session, categories[place % len(categories)].id)

    @rule(place=st.integers(0, 4))
    def delete_category(self, place: int) -> None:
        later = [category.id for category in self.session.categories[2:]]
        assume(later)
        category_operations.delete_category(self.session, later[place % len(later)])

    @rule(name=st.sampled_from(["dog", "cat", "other"]))
    def add_category(self, name: str) -> None:
        assume(name not in [c.name for c in self.session.categories])
        category_operations.add_category(self.session, name)

    @rule(
        verb=st.sampled_from(
            [
                arranging.hide_selected,
                arranging.lock_selected,
                arranging.bring_to_front,
                arranging.send_to_back,
                arranging.raise_selected,
                arranging.lower_selected,
            ]
        )
    )
    def arrange(self, verb: Callable[[Session], bool]) -> None:
        before = self.session.current.state
        verb(self.session)
        assert self.session.current.state is before

    @rule()
    def show_hidden(self) -> None:
        arranging.show_hidden(self.session)

    @rule(note=st.sampled_from(["", "look"]), value=st.sampled_from(["", "left", "right"]))
    @hands_off
    def describe(self, note: str, value: str) -> None:
        chosen = self.session.selection
        properties.set_note(self.session, chosen, note)
        properties.set_attribute(self.session, chosen, "pose", value)
        properties.rename_attribute(self.session, chosen, "zone", "pose")
        properties.remove_attribute(self.session, chosen, "pose" if note else "zone")

    @rule()
    @hands_off
    def crowd(self) -> None:
        properties.toggle_crowd(self.session)

    @rule(verb=st.sampled_from([operations.verify, operations.skip, operations.reopen]))
    def decide(self, verb: Callable[[Session], bool]) -> None:
        verb(self.session)

    @rule(place=st.integers(0, 2))
    def show(self, place: int) -> None:
        self.session.show(self.session.image_ids[place])

    @rule(found=st.lists(st.tuples(boxes, st.floats(0.05, 1)), max_size=5))
    def predict(self, found: list[tuple[tuple[float, float, float, float], float]]) -> None:
        current = self.session.current
        found = sorted(found, key=lambda one: -one[1])
        detections = disc_detections((HEIGHT, WIDTH), *zip(*found, strict=True)) if found else None
        detections = detections or disc_detections((HEIGHT, WIDTH), (), ())
        kept = {i: a for i, a in self.session.annotations.items() if not a.is_replaceable}
        assert self.filtering.store(current.id, outline(detections, TaskContext()), undoable=True)
        assert kept.items() <= self.session.annotations.items()

    @precondition(lambda self: self.filtering.available)
    @rule(
        score=st.integers(5, 99),
        overlap=st.integers(2, 19),
        count=st.none() | st.integers(1, 4),
        own=st.none() | st.integers(5, 99),
    )
    def filter(self, score: int, overlap: int, count: int | None, own: int | None) -> None:
        before = self.everything()
        shown = DetectionFilter(
            score / 100,
            overlap / 20,
            max_count=count,
            category_scores=() if own is None else ((CELL.name, own / 100),),
        )
        self.filtering.move_to(shown)
        preview = self.filtering.preview
        assert preview is not None
        assert self.everything() == before
        before_that = self.filtering.shown
        self.filtering.commit(shown)
        assert self.filtering.preview is None
        if shown != before_that:
            shown = [a.segmentation for a in self.session.shown.values()]
            assert [a.segmentation for a in preview.values()] == shown

    @rule()
    def take_in(self) -> None:
        """Have an annotation put on every image, by a lane."""
        assert self.session.edit_long(self.tasks, one_on_each)
        while self.session.writing:
            QCoreApplication.processEvents()

    @rule()
    def undo(self) -> None:
        self.session.undo()

    @rule()
    def redo(self) -> None:
        self.session.redo()

    @invariant()
    def what_is_seen_is_what_is_stored(self) -> None:
        session = self.session
        if session.current is None:
            return
        stored = {a.id: a for a in session.require_database().annotations(session.current.id)}
        assert dict(session.annotations) == stored
        stacked = sorted(stored.values(), key=lambda a: a.stacking)
        assert list(session.annotations.values()) == stacked
        assert list(session.shown.values()) == [a for a in stacked if not a.hidden]
        assert session.boxes.inside((0, 0, WIDTH, HEIGHT)) == list(session.shown)[::-1]
        assert session.selection <= stored.keys()
        counts = session.require_database().annotation_counts()
        assert {i: session.count(i) for i in session.image_ids if session.count(i)} == counts
        assert session.categories == session.require_database().categories()
        assert [session.record(i) for i in session.image_ids] == list(self.everything().images)
        assert self.unexpected() == []

    @invariant()
    def every_outline_is_valid_and_inside(self) -> None:
        for annotation in self.session.annotations.values():
            assert annotation.segmentation is not None
            assert annotation.segmentation.geometry.is_valid
            assert all(
                len(ring) >= MIN_RING_VERTICES for _, _, ring in annotation.segmentation.rings()
            )
            x0, y0, x1, y1 = annotation.box
            assert 0 <= x0 < x1 <= WIDTH
            assert 0 <= y0 < y1 <= HEIGHT

    def teardown(self) -> None:
        try:
            if self.session.database is not None:
                self.take_everything_back_and_bring_it_back()
        finally:
            self.tasks.close()
            self.session.close()
            self.place.cleanup()

    def take_everything_back_and_bring_it_back(self) -> None:
        while self.session.history().redo:
            self.session.redo()
        at_last = self.everything()
        self.session.close()
        self.session.open(open_project(self.folder))
        assert self.everything() == at_last
        while self.session.history().undo:
            self.session.undo()
        assert self.everything() == self.at_first
        while self.session.history().redo:
            self.session.redo()
        assert self.everything() == at_last
        assert self.unexpected() == []

    def reshape(
        self, number: int, change: Callable[[Segmentation, VertexIndex], Segmentation | None]
    ) -> None:
        chosen = self.session.selected()
        assume(len(chosen) == 1 and chosen[0].segmentation is not None)
        vertices = [
            VertexIndex(part, ring, vertex)
            for part, ring, points in chosen[0].segmentation.rings()
            for vertex in range(len(points))
        ]
        changed = change(chosen[0].segmentation, vertices[number % len(vertices)])
        assume(changed is None or encloses_something(changed))
        operations.reshape(self.session, chosen[0].id, changed, "Reshape")

    def unexpected(self) -> list[str]:
        """What was said besides that something is locked, in use, or at the end of the stack."""
        expected = ("locked; unlock", "Nothing lies", "is in use")
        return [said for said in self.problems if not any(words in said for words in expected)]

    def everything(self) -> Dataset:
        """The whole data set as it is on the disk."""
        return whole_dataset(self.session.require_database())


def test_undoing_everything_gives_back_the_beginning_and_redoing_it_the_end(qapp):
    del qapp
    run_state_machine_as_test(
        Work,
        settings=settings(
            max_examples=10,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
