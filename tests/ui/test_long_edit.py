"""A long edit in the window: seen as it goes, stopped, undone and redone by the usual keys."""

import threading
from dataclasses import replace

import pytest
from PySide6.QtTest import QTest

from maskstudio.annotation.annotation import Annotation, Category, ImageState
from maskstudio.annotation.edits import AnnotationChange, CategoryChange, Edit, ImageChange
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.storage.opening import open_project
from maskstudio.ui.panels.images import COUNT_ROLE
from support.datasets import whole_dataset
from support.hand import CTRL, LEFT, SHIFT
from ui.category_rows import names

SQUARE = Segmentation.from_rings([(1, 1), (9, 1), (9, 9), (1, 9)])


class Import:
    """Puts an annotation of a new category on every image; stops before the last when told to."""

    def __init__(self, *, stops):
        self.go_on = threading.Event()
        if not stops:
            self.go_on.set()

    def __call__(self, database, context):
        database.commit_long("Import all.json", "person", self.made(database, context), context)

    def made(self, database, context):
        ids, kind = database.take_annotation_ids(), database.next_category_id()
        yield Edit("", categories=(CategoryChange(None, Category(kind, "ibex")),))
        images = database.images()
        for number, image in enumerate(images):
            context.report(number, len(images))
            while number == 2 and not self.go_on.wait(0.01):
                context.raise_if_cancelled()
            new = AnnotationChange(image.id, None, Annotation(next(ids), kind, SQUARE))
            verified = replace(image.status, state=ImageState.VERIFIED)
            status = ImageChange(image.id, image.status, verified)
            yield Edit("", annotations=(new,), images=(status,))


@pytest.fixture
def images(program):
    return program.window.images


def begin(program, *, stops=False):
    work = Import(stops=stops)
    assert program.session.edit_long(program.app.tasks, work)
    return work


def saved(program):
    program.until(lambda: not program.session.writing)
    assert program.window.status.saved.text() == "saved"
    assert program.window.status.stop.isHidden()


def rows(images):
    model = images.model
    return [model.data(model.index(n), COUNT_ROLE) for n in range(model.rowCount())]


def summary(program):
    return program.text_of(program.window.images)


def test_the_window_shows_all_of_it_at_the_end(program, images):
    painted = set()
    images.model.dataChanged.connect(
        lambda first, last: painted.update(range(first.row(), last.row() + 1))
    )
    begin(program)
    saved(program)
    assert painted == {0, 1, 2}
    assert rows(images) == ["1", "1", "1"]
    assert "3 of 3 verified" in summary(program)
    assert len(program.annotations) == 1
    assert names(program)[-1] == "ibex"
    program.key("z", CTRL)
    saved(program)
    assert rows(images) == ["", "", ""]
    assert "0 of 3 verified" in summary(program)
    assert program.annotations == []
    program.key("z", CTRL | SHIFT)
    saved(program)
    assert rows(images) == ["1", "1", "1"]
    assert program.problems == []


def test_how_far_it_is_is_said_and_it_can_be_stopped(program, images):
    database = program.session.require_database()
    before = whole_dataset(database)
    begin(program, stops=True)
    assert program.window.status.saved.text() == "saving …"
    assert not program.window.verbs["undo"].isEnabled()
    program.until(lambda: program.window.status.saved.text() == "saving … 66 %")
    stop = program.window.status.stop
    assert stop.isVisible()
    QTest.mouseClick(stop, LEFT)
    saved(program)
    assert replace(whole_dataset(database), images=()) == replace(before, images=())
    assert rows(images) == ["", "", ""]
    assert program.session.history().undo is None


def test_another_image_can_be_looked_at_meanwhile(program):
    work = begin(program, stops=True)
    program.session.show(program.session.image_ids[1])
    assert program.annotations == []
    work.go_on.set()
    saved(program)
    assert len(program.annotations) == 1


def test_the_program_can_be_quit_meanwhile_and_nothing_is_left_of_it(program, folder):
    begin(program, stops=True)
    program.until(lambda: program.window.status.saved.text() == "saving … 66 %")
    program.close()
    with open_project(folder) as again:
        assert whole_dataset(again).annotations == {}
        assert again.categories() == ()
        assert again.history().undo is None
