"""A run over many images: which ones, beside what a person does, pausing, what fails."""

import threading

import pytest

from maskstudio.annotation.annotation import Category, ImageState
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.session import operations
from maskstudio.session.batch_work import BatchWork
from maskstudio.storage.run_file import read_run
from session.runs import NAMES, begin, counts, finish
from support.fakes import CELL, disc_detections

CORNER = Segmentation.from_rings([(70, 50), (90, 50), (90, 70)])


# Which images


def test_only_the_selected_images_are_done(studio):
    chosen = [studio.image("b.png"), studio.image("sub/c.png")]
    studio.annotator.run_images(chosen)
    studio.until(lambda: studio.reports)
    assert counts(studio) == [0, 2, 2]
    assert (studio.reports[0].total, studio.reports[0].done) == (2, 2)


def test_only_new_images_are_done(studio):
    operations.draw(studio.session, CORNER, None)
    before = studio.on("a.png")
    studio.annotator.run_new()
    studio.until(lambda: studio.reports)
    assert studio.on("a.png") == before
    assert counts(studio)[1:] == [2, 2]
    assert (studio.reports[0].total, studio.reports[0].left_alone) == (2, 1)


@pytest.mark.parametrize("finish_it", [operations.verify, operations.skip])
@pytest.mark.parametrize("then", ["a.png", "b.png"], ids=["and left", "and looked at"])
def test_an_image_finished_while_it_waits_is_left_alone(studio, qtbot, finish_it, then):
    begin(studio, qtbot)
    studio.show("b.png")
    operations.draw(studio.session, Segmentation.from_rings([(5, 5), (20, 5), (5, 20)]), None)
    finish_it(studio.session)
    before, state = studio.on("b.png"), studio.state("b.png")
    studio.show(then)
    report = finish(studio, qtbot)
    assert studio.on("b.png") == before
    assert studio.state("b.png") is state
    assert (report.done, report.left_alone) == (2, 1)
    assert len(studio.model.calls) == 2


@pytest.mark.parametrize("then", ["a.png", "b.png"], ids=["and left", "and looked at"])
def test_an_image_finished_while_the_model_is_at_it_is_left_alone(studio, qtbot, then):
    begin(studio, qtbot, 2)
    studio.show("b.png")
    operations.verify(studio.session)
    studio.show(then)
    report = finish(studio, qtbot)
    assert studio.on("b.png") == {}
    assert studio.state("b.png") is ImageState.EMPTY
    assert (report.done, report.left_alone) == (2, 1)


def test_what_a_person_draws_while_the_model_is_at_the_image_stays(studio, qtbot):
    begin(studio, qtbot, 2)
    studio.show("b.png")
    operations.draw(studio.session, Segmentation.from_rings([(40, 40), (60, 40), (60, 60)]), None)
    (drawn,) = studio.on("b.png").values()
    studio.show("a.png")
    finish(studio, qtbot)
    assert studio.on("b.png")[drawn.id] == drawn
    assert len(studio.on("b.png")) == 3


# What is written beside the window


def test_while_images_are_written_ids_counts_and_states_agree_with_the_disk(studio, folder):
    studio.predict_folder()
    session = studio.session
    shown = {name: (studio.on(name), studio.state(name)) for name in NAMES}
    told = [session.count(studio.image(name)) for name in NAMES]
    assert told == [2, 2, 2]
    ids = [i for content, _ in shown.values() for i in content]
    assert len(set(ids)) == 6
    assert next(session.require_database().take_annotation_ids()) > max(ids)
    studio.session.close()
    studio.open(folder)
    assert {name: (studio.on(name), studio.state(name)) for name in NAMES} == shown


def test_an_image_the_person_goes_to_in_the_middle_of_the_run_is_whole(studio, qtbot):
    """Whatever was on the disk before it is shown is what is shown."""
    begin(studio, qtbot, 2)
    studio.model.release.set()

    def look_at_all():
        for name in NAMES:
            studio.show(name)
            in_memory = dict(studio.session.annotations)
            image_id = studio.image(name)
            on_disk = studio.session.require_database().annotations(image_id)
            assert in_memory == {a.id: a for a in on_disk}
            assert studio.session.count(image_id) == len(on_disk)
            assert (studio.state(name) is ImageState.NEW) == (not on_disk)
        return studio.reports

    studio.until(look_at_all)
    assert counts(studio) == [2, 2, 2]


def test_undo_in_the_middle_of_a_run_takes_back_what_the_person_did(studio, qtbot):
    operations.draw(studio.session, CORNER, None)
    begin(studio, qtbot, 2)
    studio.session.undo()
    assert studio.session.history().redo == "Draw"
    finish(studio, qtbot)
    studio.session.redo()
    assert len(studio.on("a.png")) == 3


def test_categories_that_come_up_in_the_middle_are_made_once(studio):
    def detect(size):
        names = (CELL, Category(9, "dog", "animal"))
        return disc_detections(size, labels=(1, 0, 0), categories=names)

    studio.model.detect = detect
    studio.predict_folder()
    assert [c.name for c in studio.session.categories] == ["cell", "dog"]
    assert counts(studio) == [2, 2, 2]


# Pausing


def test_a_paused_run_waits_and_goes_on_with_the_same_image(studio, qtbot):
    begin(studio, qtbot, 2)
    batch = studio.annotator.batch
    batch.pause()
    assert batch.paused
    studio.idle()
    assert studio.annotator.progress().paused
    assert studio.annotator.progress().done == 1
    assert studio.annotator.progress().seconds_left is None
    calls = len(studio.model.calls)
    studio.idle()
    assert len(studio.model.calls) == calls

    batch.go_on()
    assert not batch.paused
    report = finish(studio, qtbot)
    assert (report.done, report.total) == (3, 3)
    assert counts(studio) == [2, 2, 2]


def test_pausing_and_going_on_at_once_does_nothing_twice(studio, qtbot):
    begin(studio, qtbot, 2)
    for _ in range(3):
        studio.annotator.batch.pause_or_go_on()
        studio.annotator.batch.pause_or_go_on()
    report = finish(studio, qtbot)
    assert (report.done, len(report.failed)) == (3, 0)
    assert counts(studio) == [2, 2, 2]


def test_a_paused_run_can_be_cancelled(studio, qtbot):
    begin(studio, qtbot, 2)
    studio.annotator.batch.pause()
    studio.idle()
    studio.annotator.cancel()
    (report,) = studio.reports
    assert (report.done, report.cancelled) == (1, True)
    assert not studio.annotator.running
    assert read_run(studio.session.folder) is None


def test_one_image_is_predicted_while_a_run_is_paused(studio, qtbot):
    begin(studio, qtbot, 2)
    studio.annotator.batch.pause()
    studio.show("sub/c.png")
    studio.model.release.set()
    studio.predict_image()
    assert len(studio.on("sub/c.png")) == 2
    assert studio.annotator.batch.paused


# What fails


def test_failures_are_listed_and_can_be_tried_again(studio, folder):
    whole = (folder / "b.png").read_bytes()
    (folder / "b.png").write_bytes(whole[:100])
    studio.predict_folder()
    batch = studio.annotator.batch
    (failure,) = batch.failures
    assert failure.image_id == studio.image("b.png")
    assert "b.png is damaged" in failure.sentence

    (folder / "b.png").write_bytes(whole)
    batch.try_again()
    studio.until(lambda: len(studio.reports) == 2)
    assert (studio.reports[1].total, studio.reports[1].done) == (1, 1)
    assert batch.failures == ()
    assert counts(studio) == [2, 2, 2]


def test_a_long_edit_in_the_middle_of_a_run_is_waited_for(studio, qtbot):
    """Merging categories changes the whole project on a lane."""
    begin(studio, qtbot)
    go_on = threading.Event()

    def make(*_):
        assert go_on.wait(10)

    studio.session.edit_long(studio.tasks, make)
    assert studio.session.writing
    studio.model.hold.clear()
    qtbot.waitUntil(lambda: len(studio.model.calls) >= 1)
    go_on.set()
    studio.until(lambda: studio.reports)
    assert studio.reports[0].done == 3
    assert studio.problems == []


def test_other_work_can_be_a_run_too(studio):
    seen, stored = [], []
    work = BatchWork(
        "look", "looked at",
        lambda task, _: seen.append(task.image_id) or task.image_id,
        lambda image_id, found: not stored.append((image_id, found)),
    )  # fmt: skip
    studio.annotator.batch.register(work)
    studio.annotator.batch.start("look", "fake", studio.session.image_ids)
    studio.until(lambda: studio.reports)
    assert seen == list(studio.session.image_ids)
    assert stored == [(i, i) for i in seen]
    assert studio.reports[0].words == "looked at"


def test_a_run_of_a_kind_nobody_knows_is_refused(studio):
    studio.annotator.batch.start("dance", "fake", studio.session.image_ids)
    assert not studio.annotator.running
    assert len(studio.problems) == 1
