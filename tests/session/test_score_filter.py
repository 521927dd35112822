"""The score slider: previews, then one edit; the model is never asked again."""

from functools import partial

import pytest

from maskstudio.annotation.annotation import Category, ImageState
from maskstudio.session import category_operations, operations
from support.fakes import CELL, disc_detections


@pytest.fixture
def predicted(studio):
    """A studio whose current image has been predicted: scores 0.9, 0.6 and, unseen, 0.3."""
    studio.predict_image()
    assert scores(studio) == [0.6, 0.9]
    return studio


def scores(studio, annotations=None):
    shown = studio.session.annotations if annotations is None else annotations
    return sorted(round(a.score, 2) for a in shown.values() if a.score is not None)


def test_moving_shows_without_writing(predicted):
    edits, before = [], dict(predicted.session.annotations)
    predicted.session.edited.connect(edits.append)

    predicted.score_filter.move_to(0.2)
    assert scores(predicted, predicted.score_filter.preview) == [0.3, 0.6, 0.9]
    predicted.score_filter.move_to(0.7)
    assert scores(predicted, predicted.score_filter.preview) == [0.9]

    assert predicted.session.annotations == before
    assert predicted.session.require_database().annotations(predicted.image("a.png")) == tuple(
        before.values()
    )
    assert edits == []


def test_letting_go_is_one_edit_and_undo_brings_score_and_annotations_back(predicted):
    before = dict(predicted.session.annotations)
    for step in (0.4, 0.3, 0.2):
        predicted.score_filter.move_to(step)
    predicted.score_filter.commit(0.2)

    assert predicted.score_filter.preview is None
    assert scores(predicted) == [0.3, 0.6, 0.9]
    assert predicted.score_filter.min_score == 0.2
    assert predicted.session.history().undo == "Move score threshold"
    predicted.session.undo()
    assert predicted.session.annotations == before
    assert predicted.score_filter.min_score == 0.5
    predicted.session.redo()
    assert scores(predicted) == [0.3, 0.6, 0.9]
    assert predicted.score_filter.min_score == 0.2
    assert len(predicted.model.calls) == 1


def test_what_stays_visible_keeps_its_id(predicted):
    before = set(predicted.session.annotations)
    predicted.score_filter.commit(0.2)
    assert before < set(predicted.session.annotations)
    predicted.score_filter.commit(0.5)
    assert set(predicted.session.annotations) == before


def test_letting_go_where_it_was_is_no_edit(predicted):
    predicted.score_filter.move_to(0.2)
    predicted.score_filter.commit(0.5)
    assert predicted.score_filter.preview is None
    assert predicted.session.history().undo == "Pre-annotate"


def test_what_a_person_did_stays_whatever_the_score(predicted):
    best = max(predicted.session.annotations.values(), key=lambda a: a.score)
    operations.move(predicted.session, [best.id], 3, 2)
    moved = predicted.session.annotations[best.id]
    predicted.score_filter.commit(0.99)
    assert dict(predicted.session.annotations) == {moved.id: moved}


def test_a_deleted_one_does_not_come_back_with_a_lower_score(predicted):
    weakest = min(predicted.session.annotations.values(), key=lambda a: a.score)
    predicted.session.select([weakest.id])
    operations.delete_selected(predicted.session)
    predicted.score_filter.commit(0.2)
    assert scores(predicted) == [0.3, 0.9]


def test_the_score_let_go_of_is_what_later_predictions_start_from(predicted):
    predicted.score_filter.commit(0.2)
    predicted.show("b.png")
    assert predicted.score_filter.min_score == 0.2
    predicted.predict_image()
    assert scores(predicted) == [0.3, 0.6, 0.9]


def test_the_score_belongs_to_the_image(predicted):
    predicted.show("b.png")
    predicted.predict_image()
    predicted.score_filter.commit(0.7)
    predicted.show("a.png")
    assert predicted.score_filter.min_score == 0.5


def test_a_score_can_be_chosen_before_anything_was_predicted(studio):
    assert not studio.score_filter.available
    studio.score_filter.move_to(0.7)
    studio.score_filter.commit(0.7)
    assert studio.score_filter.preview is None
    assert studio.session.history().undo is None
    studio.predict_image()
    assert scores(studio) == [0.9]


def test_filtering_goes_on_after_a_restart_without_the_model(predicted, make_studio, qtbot):
    folder = predicted.session.folder
    predicted.session.close()
    again = make_studio(None)
    again.open(folder)
    qtbot.waitUntil(lambda: again.score_filter.available)
    assert again.score_filter.found == 3

    again.score_filter.commit(0.25)
    assert scores(again) == [0.3, 0.6, 0.9]
    assert again.model.calls == []
    again.session.undo()
    assert scores(again) == [0.6, 0.9]


def test_what_was_kept_comes_back_with_the_image(predicted, qtbot):
    predicted.show("b.png")
    assert not predicted.score_filter.available
    predicted.show("a.png")
    qtbot.waitUntil(lambda: predicted.score_filter.available)
    predicted.score_filter.commit(0.25)
    assert scores(predicted) == [0.3, 0.6, 0.9]


def test_a_damaged_cache_is_as_good_as_none(predicted):
    folder = predicted.session.folder
    for kept in (folder / ".maskstudio").rglob("*.npz"):
        kept.write_bytes(b"not what it was")
    predicted.show("b.png")
    predicted.show("a.png")
    predicted.predict_folder()
    assert predicted.problems == []
    assert len(predicted.model.calls) == 1 + 3


def test_leaving_the_image_ends_the_preview(predicted):
    predicted.score_filter.move_to(0.2)
    changes = []
    predicted.score_filter.preview_changed.connect(
        lambda: changes.append(predicted.score_filter.preview)
    )
    predicted.show("b.png")
    assert changes == [None]


def test_categories_of_what_a_lower_score_brings_are_made(studio):
    dog = Category(7, "dog")
    studio.model.detect = partial(
        disc_detections, labels=(0, 0, 1), categories=(CELL, dog), model_id="fake"
    )
    studio.predict_image()
    assert [c.name for c in studio.session.categories] == ["cell"]

    studio.score_filter.move_to(0.2)
    known = {c.id for c in studio.session.categories}
    assert {a.category_id for a in studio.score_filter.preview.values()} <= known
    studio.score_filter.commit(0.2)

    assert studio.problems == []
    names = {c.id: c.name for c in studio.session.categories}
    assert [names[a.category_id] for a in studio.session.annotations.values()] == [
        "cell", "cell", "dog",
    ]  # fmt: skip
    studio.session.undo()
    assert scores(studio) == [0.6, 0.9]


def test_a_models_categories_are_matched_by_name_not_by_number(studio):
    category_operations.add_category(studio.session, "other")
    cell = category_operations.add_category(studio.session, "cell")
    studio.predict_image()
    assert cell.id == 2
    assert {a.category_id for a in studio.session.annotations.values()} == {2}


def test_in_a_folder_open_for_reading_the_score_changes_nothing(predicted, make_studio, qtbot):
    reader = make_studio(None)
    reader.open(predicted.session.folder, read_only=True)
    qtbot.waitUntil(lambda: reader.score_filter.available)
    reader.score_filter.move_to(0.2)
    assert scores(reader, reader.score_filter.preview) == [0.3, 0.6, 0.9]
    reader.score_filter.commit(0.2)
    assert reader.score_filter.preview is None
    assert scores(reader) == [0.6, 0.9]
    assert len(reader.problems) == 1


def test_finding_nothing_new_still_makes_the_score_movable(predicted, qtbot):
    folder, image_id = predicted.session.folder, predicted.image("b.png")
    predicted.show("b.png")
    predicted.predict_image()
    predicted.show("a.png")
    for kept in (folder / ".maskstudio").rglob("*.npz"):
        kept.unlink()
    predicted.show("b.png")
    assert not predicted.score_filter.available
    with qtbot.waitSignal(predicted.score_filter.changed):
        predicted.predict_image()
    assert predicted.session.current.id == image_id
    assert predicted.score_filter.available


def test_a_lower_score_leaves_a_verified_image_to_be_checked_again(predicted):
    operations.verify(predicted.session)
    predicted.score_filter.commit(0.2)
    assert predicted.state("a.png") is ImageState.EDITED
    predicted.session.undo()
    assert predicted.state("a.png") is ImageState.VERIFIED


def test_the_preview_leaves_out_what_is_hidden(studio):
    session = studio.session
    studio.predict_image()
    cell = next(c for c in session.categories if c.name == CELL.name)
    studio.score_filter.move_to(0.2)
    assert len(studio.score_filter.preview) == 3
    category_operations.set_categories_hidden(session, [cell.id], hidden=True)
    studio.score_filter.move_to(0.2)
    assert dict(studio.score_filter.preview) == {}
