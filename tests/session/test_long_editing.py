"""Long edits: written aside while everything can be looked at, and taken up at the end."""

import threading
from collections.abc import Callable, Iterator

import pytest

from maskstudio.annotation.annotation import Annotation, Category, ImageState, ImageStatus
from maskstudio.annotation.edits import (
    AnnotationChange,
    CategoryChange,
    Edit,
    ImageChange,
)
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.session import operations
from maskstudio.session.image_order import ImageQuery, SortKey
from maskstudio.session.tasks import Callbacks, Job
from maskstudio.storage.opening import open_project
from maskstudio.storage.project import ProjectDatabase
from support.datasets import whole_dataset
from support.studio import Studio

SQUARE = Segmentation.from_rings([(1, 1), (9, 1), (9, 9), (1, 9)])
EDITED = ImageStatus(ImageState.EDITED)


@pytest.fixture(autouse=True)
def _sizes_are_stored(studio: Studio) -> None:
    """What was noted of the images on opening is written with the first change."""
    studio.session.require_database().set_setting("any", 0)


def two_on_each(database: ProjectDatabase) -> Iterator[Edit]:
    """A new category, and two annotations of it on every image."""
    ids, kind = database.take_annotation_ids(), database.next_category_id()
    yield Edit("", categories=(CategoryChange(None, Category(kind, f"kind {kind}")),))
    for record in database.images():
        new = (Annotation(next(ids), kind, SQUARE) for _ in range(2))
        yield Edit(
            "",
            annotations=tuple(AnnotationChange(record.id, None, one) for one in new),
            images=(ImageChange(record.id, record.status, EDITED),),
        )


def fill(database: ProjectDatabase, context: TaskContext) -> str:
    database.commit_long("Import", "person", two_on_each(database), context)
    return "filled"


class Heard:
    """What was told of a long edit, and how the session was by then."""

    def __init__(self, studio: Studio) -> None:
        self.said: list[object] = []
        self.writing: list[bool] = []
        self.studio = studio

    def callbacks(self) -> Callbacks:
        return Callbacks(self.hear, self.hear, lambda: self.hear("cancelled"), self.hear)

    def hear(self, what: object) -> None:
        self.said.append(what)
        self.writing.append(self.studio.session.writing)


def begin(studio: Studio, make: Callable[[ProjectDatabase, TaskContext], object]) -> Heard:
    heard = Heard(studio)
    assert studio.session.edit_long(studio.tasks, make, heard.callbacks())
    assert studio.session.writing
    return heard


def filled(studio: Studio) -> None:
    heard = begin(studio, fill)
    studio.until(lambda: heard.said)
    assert heard.said == ["filled"]


def assert_session_knows_all(studio: Studio) -> None:
    session, database = studio.session, studio.session.require_database()
    assert [session.record(i) for i in session.image_ids] == database.images()
    counts = database.annotation_counts()
    assert {i: session.count(i) for i in session.image_ids if session.count(i)} == counts
    assert session.categories == database.categories()
    current = session.current
    assert current is not None
    assert tuple(session.annotations.values()) == database.annotations(current.id)


class Gate:
    """Work that stops at a place until it is let go on."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()

    def wait(self, context: TaskContext) -> None:
        self.reached.set()
        while not self.go_on.wait(0.01):
            context.raise_if_cancelled()


def test_the_session_knows_all_of_it_when_it_is_told(studio: Studio) -> None:
    session = studio.session
    edits: list[Edit] = []
    renewed: list[int] = []
    session.edited.connect(edits.append)
    session.renewed.connect(lambda: renewed.append(len(edits)))
    heard = begin(studio, fill)
    studio.until(lambda: heard.said)
    assert (heard.said, heard.writing) == (["filled"], [False])
    assert_session_knows_all(studio)
    assert [session.count(i) for i in session.image_ids] == [2, 2, 2]
    assert {session.record(i).state for i in session.image_ids} == {ImageState.EDITED}
    # What is seen of it is told like any edit, and then that all the rest may be another.
    (seen,) = edits
    assert {c.image_id for c in seen.annotations} == {studio.image("a.png")}
    assert [c.after for c in seen.categories] == [session.categories[-1]]
    assert renewed == [1]
    assert studio.problems == []


def test_undo_and_redo_of_it_run_aside(studio: Studio) -> None:
    session = studio.session
    before = whole_dataset(session.require_database())
    filled(studio)
    after = whole_dataset(session.require_database())
    for step, expected in ((session.undo, before), (session.redo, after), (session.undo, before)):
        assert step(studio.tasks) is None
        assert session.writing
        assert session.long_job is not None
        studio.until(lambda: not session.writing)
        assert whole_dataset(session.require_database()) == expected
        assert_session_knows_all(studio)
    assert session.history().redo == "Import"
    assert session.long_job is None


def test_undo_of_it_can_be_waited_for(studio: Studio) -> None:
    session = studio.session
    before = whole_dataset(session.require_database())
    filled(studio)
    session.undo()
    assert not session.writing
    assert whole_dataset(session.require_database()) == before
    assert_session_knows_all(studio)


def test_short_edits_before_and_after_it_are_undone_with_it(studio: Studio) -> None:
    session = studio.session
    operations.draw(session, SQUARE, None)
    drawn = whole_dataset(session.require_database())
    filled(studio)
    operations.draw(session, SQUARE, None)
    session.undo(studio.tasks)
    session.undo(studio.tasks)
    studio.until(lambda: not session.writing)
    assert whole_dataset(session.require_database()) == drawn
    assert session.undo(studio.tasks) is not None
    assert session.annotations == {}


def test_nothing_else_is_changed_meanwhile(studio: Studio) -> None:
    gate = Gate()

    def make(database: ProjectDatabase, context: TaskContext) -> str:
        gate.wait(context)
        return fill(database, context)

    heard = begin(studio, make)
    session = studio.session
    assert not operations.draw(session, SQUARE, None)
    assert session.undo(studio.tasks) is None
    assert session.edit_long(studio.tasks, fill) is None
    assert len(studio.problems) == 3
    assert set(studio.problems) == {"Still saving the change before; do it again in a moment."}
    gate.go_on.set()
    studio.until(lambda: heard.said)
    assert_session_knows_all(studio)


def test_an_image_can_be_looked_at_before_it_is_announced(studio: Studio) -> None:
    """Its annotations are of categories that the session has not heard of."""
    gate, session = Gate(), studio.session

    def make(database: ProjectDatabase, context: TaskContext) -> None:
        fill(database, context)
        gate.wait(context)

    heard = begin(studio, make)
    studio.until(gate.reached.is_set)
    studio.show("b.png")
    names = [session.category(a.category_id).name for a in session.annotations.values()]
    assert names == ["kind 1", "kind 1"]
    gate.go_on.set()
    studio.until(lambda: heard.said)
    assert_session_knows_all(studio)


def test_a_size_noted_meanwhile_is_kept(studio: Studio) -> None:
    gate, session = Gate(), studio.session

    def made(database: ProjectDatabase, context: TaskContext) -> Iterator[Edit]:
        yield from two_on_each(database)
        gate.wait(context)

    def make(database: ProjectDatabase, context: TaskContext) -> None:
        database.commit_long("Import", "person", made(database, context), context)

    heard = begin(studio, make)
    studio.until(gate.reached.is_set)
    b = studio.image("b.png")
    session.note_size(b, 11, 12)
    gate.go_on.set()
    studio.until(lambda: heard.said)
    record = session.record(b)
    assert (record.height, record.width, record.state) == (11, 12, ImageState.EDITED)


def test_images_that_it_brings_come_in(studio: Studio) -> None:
    changed: list[None] = []
    studio.session.images_changed.connect(lambda: changed.append(None))

    def make(database: ProjectDatabase, context: TaskContext) -> None:
        database.add_images(["aa.png"])
        fill(database, context)

    heard = begin(studio, make)
    studio.until(lambda: heard.said)
    assert changed
    assert_session_knows_all(studio)
    assert studio.session.count(studio.image("aa.png")) == 2
    assert list(studio.session.order.shown) == list(studio.session.image_ids)


def test_a_list_that_is_filtered_or_sorted_follows(studio: Studio) -> None:
    session = studio.session
    session.order.ask(ImageQuery(fewest=1, sort=SortKey.COUNT))
    assert list(session.order.shown) == []
    filled(studio)
    assert list(session.order.shown) == list(session.image_ids)
    kind = session.categories[-1].id
    session.order.ask(ImageQuery(having=kind))
    studio.until(lambda: len(session.order.shown) == 3)


def test_a_cancel_leaves_everything_as_it_was(studio: Studio) -> None:
    gate, session = Gate(), studio.session
    before = whole_dataset(session.require_database())

    def made(database: ProjectDatabase, context: TaskContext) -> Iterator[Edit]:
        yield from two_on_each(database)
        gate.wait(context)

    def make(database: ProjectDatabase, context: TaskContext) -> None:
        database.commit_long("Import", "person", made(database, context), context)

    heard = begin(studio, make)
    studio.until(gate.reached.is_set)
    job = session.long_job
    assert isinstance(job, Job)
    job.cancel()
    studio.until(lambda: heard.said)
    assert (heard.said, heard.writing) == (["cancelled"], [False])
    assert whole_dataset(session.require_database()) == before
    assert_session_knows_all(studio)
    assert operations.draw(session, SQUARE, None)


def test_a_failure_is_told_to_whoever_asked(studio: Studio) -> None:
    def make(database: ProjectDatabase, context: TaskContext) -> None:
        del database, context
        raise UserError("a.json cannot be read.")

    heard = begin(studio, make)
    studio.until(lambda: heard.said)
    assert (heard.said, heard.writing) == (["a.json cannot be read."], [False])
    assert studio.problems == []


def test_what_it_produces_on_the_way_is_handed_on(studio: Studio) -> None:
    heard = begin(studio, lambda _, context: context.produce("half way"))
    studio.until(lambda: len(heard.said) == 2)
    assert heard.said == ["half way", None]


def test_closing_the_project_meanwhile_leaves_nothing_of_it(studio: Studio) -> None:
    gate, session = Gate(), studio.session
    database = session.require_database()
    before = whole_dataset(database)

    def made(context: TaskContext) -> Iterator[Edit]:
        yield from two_on_each(database)
        gate.wait(context)

    def make(database: ProjectDatabase, context: TaskContext) -> None:
        database.commit_long("Import", "person", made(context), context)

    heard = begin(studio, make)
    studio.until(gate.reached.is_set)
    session.close()
    studio.until(lambda: heard.said)
    assert heard.said == ["cancelled"]
    assert not session.writing
    with open_project(database.folder) as again:
        assert whole_dataset(again) == before
