"""Running the model on an image and on a folder, beside a person's work and never over it."""

from functools import partial

import pytest

from maskstudio.annotation.annotation import Category, ImageState
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.errors import UserError
from maskstudio.session import operations
from maskstudio.storage.detections import read_detections
from support.fakes import BOXES, CELL, FakePredictor, disc_detections
from support.pictures import write_picture
from support.studio import Studio

# One image


def test_the_current_image_gets_pre_annotations_that_one_undo_takes_back(studio):
    report = studio.predict_image()

    assert (report.batch, report.total, report.done, report.failed) == (False, 1, 1, ())
    assert studio.model.calls == [(80, 100)]
    found = studio.by_score("a.png")
    assert [a.score for a in found] == pytest.approx([0.9, 0.6])
    assert all(a.is_pre_annotation and a.model_id == "fake" for a in found)
    assert [a.box for a in found] == [pytest.approx(box, abs=1.5) for box in BOXES[:2]]
    assert studio.state("a.png") is ImageState.PREDICTED

    studio.session.undo()
    assert studio.on("a.png") == {}
    assert studio.state("a.png") is ImageState.NEW


def test_the_best_lies_in_front(studio):
    studio.predict_image()
    assert [a.score for a in studio.session.annotations.values()] == pytest.approx([0.6, 0.9])


def test_the_result_goes_to_its_image_even_if_another_is_shown_by_then(studio, qtbot):
    studio.model.hold.set()
    studio.annotator.run_current()
    qtbot.waitUntil(studio.model.started.is_set)
    studio.show("b.png")
    with qtbot.waitSignal(studio.annotator.finished):
        studio.model.release.set()
    assert not studio.session.annotations
    assert len(studio.on("a.png")) == 2
    assert studio.session.count(studio.image("a.png")) == 2


def test_asking_again_while_it_runs_asks_once(studio, qtbot):
    studio.model.hold.set()
    studio.annotator.run_current()
    studio.annotator.run_current()
    qtbot.waitUntil(studio.model.started.is_set)
    with qtbot.waitSignal(studio.annotator.finished):
        studio.model.release.set()
    assert not studio.annotator.running
    assert len(studio.model.calls) == 1


# The folder


def test_the_folder_is_predicted_image_by_image(studio):
    report = studio.predict_folder()
    assert (report.batch, report.total, report.done, report.cancelled) == (True, 3, 3, False)
    assert [len(studio.on(name)) for name in ("a.png", "b.png", "sub/c.png")] == [2, 2, 2]
    assert studio.model.calls == [(80, 100), (64, 64), (64, 64)]


def test_what_the_folder_run_did_never_stands_between_a_person_and_an_undo(studio):
    operations.draw(studio.session, Segmentation.from_rings([(70, 50), (90, 50), (90, 70)]), None)
    studio.predict_folder()
    assert studio.session.history().undo == "Draw"
    studio.session.undo()
    assert len(studio.on("a.png")) == 2
    assert studio.session.history().undo is None


def test_the_folder_run_leaves_alone_what_a_person_finished(studio):
    operations.draw(studio.session, Segmentation.from_rings([(70, 50), (90, 50), (90, 70)]), None)
    operations.verify(studio.session)
    studio.show("b.png")
    operations.verify(studio.session)
    studio.show("sub/c.png")
    operations.skip(studio.session)
    before = {name: studio.on(name) for name in ("a.png", "b.png", "sub/c.png")}

    report = studio.predict_folder()

    assert (report.total, report.done, report.left_alone) == (0, 0, 3)
    assert {name: studio.on(name) for name in before} == before
    assert [studio.state(name) for name in before] == [
        ImageState.VERIFIED, ImageState.EMPTY, ImageState.SKIPPED,
    ]  # fmt: skip
    assert studio.model.calls == []


def test_what_the_same_model_found_before_is_not_found_again(studio):
    studio.predict_folder()
    before = studio.on("a.png")
    studio.predict_folder()
    assert len(studio.model.calls) == 3
    assert studio.on("a.png") == before


def test_another_model_replaces_what_nobody_has_touched(studio):
    studio.predict_folder()
    before = studio.on("a.png")
    studio.model.model_id = "newer"
    studio.model.detect = partial(disc_detections, model_id="newer", scores=(0.8, 0.7, 0.1))
    studio.predict_folder()
    after = studio.on("a.png")
    assert not before.keys() & after.keys()
    assert {a.model_id for a in after.values()} == {"newer"}
    assert len(after) == 2


# Progress, cancelling, urgency


def test_progress_counts_images_and_estimates_the_time_left(studio, qtbot, folder):
    for number in range(3):
        write_picture(folder / f"more{number}.png", 64, 64)
    studio.session.add_images(
        studio.session.require_database().add_images([f"more{number}.png" for number in range(3)])
    )
    assert studio.annotator.progress() is None

    studio.model.hold.set()
    studio.annotator.run_folder()
    assert studio.annotator.running
    seen = []
    for done in range(1, 4):
        studio.model.let_through()
        qtbot.waitUntil(lambda done=done: studio.annotator.progress().done == done)
        progress = studio.annotator.progress()
        seen.append((progress.total, progress.seconds_left is None))
    assert seen == [(6, True), (6, False), (6, False)]
    qtbot.waitUntil(lambda: studio.annotator.progress().note == "running the model")

    with qtbot.waitSignal(studio.annotator.finished):
        studio.model.release.set()
    assert studio.annotator.progress() is None
    assert not studio.annotator.running


def test_the_time_left_for_one_image_is_what_the_image_before_took(studio, qtbot):
    studio.model.hold.set()
    left = []
    for name in ("a.png", "b.png"):
        studio.show(name)
        studio.annotator.run_current()
        qtbot.waitUntil(studio.model.started.is_set)
        left.append(studio.annotator.progress().seconds_left)
        with qtbot.waitSignal(studio.annotator.finished):
            studio.model.let_through()
        studio.model.started.clear()
    assert left[0] is None
    assert left[1] >= 0


def test_cancelling_the_folder_ends_it_and_keeps_what_is_done(studio, qtbot):
    studio.model.hold.set()
    studio.annotator.run_folder()
    studio.model.let_through()
    qtbot.waitUntil(lambda: len(studio.model.calls) == 2)
    with qtbot.waitSignal(studio.annotator.finished):
        studio.annotator.cancel()

    (report,) = studio.reports
    assert (report.done, report.total, report.cancelled) == (1, 3, True)
    assert not studio.annotator.running
    assert len(studio.on("a.png")) == 2
    assert studio.on("b.png") == {}
    assert studio.state("b.png") is ImageState.NEW
    assert studio.problems == []

    studio.model.hold.clear()
    assert studio.predict_folder().done == 3


def test_cancelling_one_image_ends_it(studio, qtbot):
    studio.model.hold.set()
    studio.annotator.run_current()
    qtbot.waitUntil(studio.model.started.is_set)
    with qtbot.waitSignal(studio.annotator.finished):
        studio.annotator.cancel()
    assert studio.reports[0].cancelled
    assert studio.on("a.png") == {}


def test_cancelling_while_the_model_is_being_loaded_ends_the_run_at_once(
    make_studio, folder, qtbot
):
    reached, go_on = [], []
    model = FakePredictor()

    def load(name):
        reached.append(name)
        while not go_on:
            model.started.wait(0.01)
        return model

    studio = make_studio(load)
    studio.open(folder)
    studio.annotator.run_folder()
    qtbot.waitUntil(lambda: bool(reached))
    studio.annotator.cancel()
    assert not studio.annotator.running
    assert [report.cancelled for report in studio.reports] == [True]

    studio.annotator.run_folder()
    go_on.append(True)
    qtbot.waitUntil(lambda: len(studio.reports) == 2)
    assert studio.reports[1].done == 3
    assert len(model.calls) == 3


def test_one_image_asked_for_while_the_folder_runs_goes_first(studio, qtbot):
    studio.model.hold.set()
    studio.annotator.run_folder()
    qtbot.waitUntil(studio.model.started.is_set)
    studio.show("sub/c.png")
    studio.annotator.run_current()

    studio.model.let_through(2)
    qtbot.waitUntil(lambda: len(studio.reports) == 1)
    assert not studio.reports[0].batch
    assert len(studio.on("sub/c.png")) == 2
    assert studio.on("b.png") == {}

    with qtbot.waitSignal(studio.annotator.finished):
        studio.model.release.set()
    assert studio.reports[1].batch
    assert studio.reports[1].done == 3
    assert len(studio.on("sub/c.png")) == 2
    assert studio.session.history().undo == "Pre-annotate"


def test_cancelling_ends_the_image_that_goes_first_and_the_folder_that_waits_for_it(studio, qtbot):
    studio.model.hold.set()
    studio.annotator.run_folder()
    qtbot.waitUntil(studio.model.started.is_set)
    studio.show("sub/c.png")
    studio.annotator.run_current()
    studio.model.let_through()
    qtbot.waitUntil(lambda: len(studio.model.calls) == 2)
    studio.annotator.cancel()
    qtbot.waitUntil(lambda: not studio.annotator.running)
    assert sorted((report.batch, report.cancelled) for report in studio.reports) == [
        (False, True), (True, True),
    ]  # fmt: skip
    assert len(studio.model.calls) == 2


# What goes wrong


@pytest.mark.parametrize(
    "run", [Studio.predict_image, Studio.predict_folder], ids=["the image", "the folder"]
)
def test_a_model_that_cannot_be_loaded_gives_one_sentence_and_ends_the_run(
    make_studio, folder, run
):
    def load(name):
        raise UserError(f"There is no model {name!r}.")

    studio = make_studio(load)
    studio.open(folder)
    report = run(studio)
    assert studio.problems == ["There is no model 'fake'."]
    assert (report.done, report.broken_off, report.cancelled) == (0, True, False)
    assert not studio.annotator.running
    assert all(studio.on(name) == {} for name in ("a.png", "b.png"))


def test_a_damaged_image_is_listed_and_the_others_are_done(studio, folder):
    (folder / "b.png").write_bytes((folder / "b.png").read_bytes()[:100])
    report = studio.predict_folder()
    assert (report.done, report.total, report.cancelled) == (2, 3, False)
    assert len(report.failed) == 1
    assert "b.png is damaged" in report.failed[0].sentence
    assert studio.state("b.png") is ImageState.NEW
    assert len(studio.on("sub/c.png")) == 2


def test_an_image_deleted_while_it_waits_is_listed_and_the_others_are_done(studio, qtbot, folder):
    studio.model.hold.set()
    studio.annotator.run_folder()
    qtbot.waitUntil(studio.model.started.is_set)
    (folder / "b.png").unlink()
    with qtbot.waitSignal(studio.annotator.finished):
        studio.model.release.set()
    (report,) = studio.reports
    assert report.done == 2
    assert ["b.png is gone" in failure.sentence for failure in report.failed] == [True]


def test_a_bug_in_the_model_fails_one_image_and_reaches_the_hook(studio, qtbot):
    good = studio.model.detect
    studio.model.detect = lambda size: good(size) if size == (80, 100) else 1 / 0
    with qtbot.captureExceptions() as caught:
        report = studio.predict_folder()
    assert {kind for kind, _, _ in caught} == {ZeroDivisionError}
    assert (report.done, len(report.failed)) == (1, 2)


def test_closing_the_project_in_the_middle_ends_the_run_and_writes_nothing(studio, qtbot, folder):
    studio.model.hold.set()
    studio.annotator.run_folder()
    qtbot.waitUntil(studio.model.started.is_set)
    with qtbot.waitSignal(studio.annotator.finished):
        studio.session.close()
    assert not studio.annotator.running
    studio.open(folder)
    assert all(studio.on(name) == {} for name in ("a.png", "b.png", "sub/c.png"))


def test_opening_another_folder_in_the_middle_leaves_that_one_alone(studio, qtbot, tmp_path):
    other = tmp_path / "other"
    write_picture(other / "a.png", 80, 100)
    studio.model.hold.set()
    studio.annotator.run_current()
    qtbot.waitUntil(studio.model.started.is_set)
    with qtbot.waitSignal(studio.annotator.finished):
        studio.open(other)
        studio.model.release.set()
    assert studio.on("a.png") == {}
    assert studio.model.calls == [(80, 100)]


def test_a_run_that_cannot_write_stops_and_says_why_once(studio, qtbot, folder):
    studio.model.hold.set()
    studio.annotator.run_folder()
    qtbot.waitUntil(studio.model.started.is_set)
    folder.rename(folder.with_name("elsewhere"))
    with qtbot.waitSignal(studio.annotator.finished):
        studio.model.release.set()
    (report,) = studio.reports
    assert report.done == 0
    folder.with_name("elsewhere").rename(folder)


def test_a_folder_open_for_reading_is_not_predicted(studio, make_studio, folder):
    reader = make_studio(None)
    reader.open(folder, read_only=True)
    reader.annotator.run_current()
    reader.annotator.run_folder()
    assert not reader.annotator.running
    assert len(reader.problems) == 2
    assert all("reading only" in sentence for sentence in reader.problems)


def test_detections_are_kept_beside_the_project(studio, folder):
    studio.predict_image()
    kept = read_detections(folder, studio.image("a.png"))
    assert kept.model_id == "fake"
    assert len(kept) == 3


def test_categories_a_model_needs_are_made_and_never_undone(studio):
    studio.model.detect = partial(
        disc_detections, labels=(1, 0, 0), categories=(CELL, Category(9, "dog", "animal"))
    )
    studio.predict_image()
    assert [(c.name, c.supercategory) for c in studio.session.categories] == [
        ("cell", "biology"), ("dog", "animal"),
    ]  # fmt: skip
    studio.session.undo()
    assert [c.name for c in studio.session.categories] == ["cell", "dog"]
