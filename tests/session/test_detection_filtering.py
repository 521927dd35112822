"""The filter: previews, then one edit; the model is never asked again."""

from dataclasses import replace
from functools import partial

import pytest

from maskstudio.annotation.annotation import Category, ImageState
from maskstudio.annotation.detection_filter import DetectionFilter
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

    predicted.move_filter(DetectionFilter(0.2))
    assert scores(predicted, predicted.filtering.preview) == [0.3, 0.6, 0.9]
    predicted.move_filter(DetectionFilter(0.7))
    assert scores(predicted, predicted.filtering.preview) == [0.9]

    assert predicted.session.annotations == before
    assert predicted.session.require_database().annotations(predicted.image("a.png")) == tuple(
        before.values()
    )
    assert edits == []


def test_letting_go_is_one_edit_and_undo_brings_score_and_annotations_back(predicted):
    before = dict(predicted.session.annotations)
    for step in (0.4, 0.3, 0.2):
        predicted.move_filter(DetectionFilter(step))
    predicted.let_go(DetectionFilter(0.2))

    assert predicted.filtering.preview is None
    assert scores(predicted) == [0.3, 0.6, 0.9]
    assert predicted.filtering.shown.min_score == 0.2
    assert predicted.session.history().undo == "Filter detections"
    predicted.session.undo()
    assert predicted.session.annotations == before
    assert predicted.filtering.shown.min_score == 0.5
    predicted.session.redo()
    assert scores(predicted) == [0.3, 0.6, 0.9]
    assert predicted.filtering.shown.min_score == 0.2
    assert len(predicted.model.calls) == 1


def test_what_stays_visible_keeps_its_id(predicted):
    before = set(predicted.session.annotations)
    predicted.let_go(DetectionFilter(0.2))
    assert before < set(predicted.session.annotations)
    predicted.let_go(DetectionFilter(0.5))
    assert set(predicted.session.annotations) == before


def test_letting_go_where_it_was_is_no_edit(predicted):
    predicted.move_filter(DetectionFilter(0.2))
    predicted.let_go(DetectionFilter(0.5))
    assert predicted.filtering.preview is None
    assert predicted.session.history().undo == "Pre-annotate"


def test_what_a_person_did_stays_whatever_the_score(predicted):
    best = max(predicted.session.annotations.values(), key=lambda a: a.score)
    operations.move(predicted.session, [best.id], 3, 2)
    moved = predicted.session.annotations[best.id]
    predicted.let_go(DetectionFilter(0.99))
    assert dict(predicted.session.annotations) == {moved.id: moved}


def test_a_deleted_one_does_not_come_back_with_a_lower_score(predicted):
    weakest = min(predicted.session.annotations.values(), key=lambda a: a.score)
    predicted.session.select([weakest.id])
    operations.delete_selected(predicted.session)
    predicted.let_go(DetectionFilter(0.2))
    assert scores(predicted) == [0.3, 0.9]


def test_the_score_let_go_of_is_what_later_predictions_start_from(predicted):
    predicted.let_go(DetectionFilter(0.2))
    predicted.show("b.png")
    assert predicted.filtering.shown.min_score == 0.2
    predicted.predict_image()
    assert scores(predicted) == [0.3, 0.6, 0.9]


def test_the_score_belongs_to_the_image(predicted):
    predicted.show("b.png")
    predicted.predict_image()
    predicted.let_go(DetectionFilter(0.7))
    predicted.show("a.png")
    assert predicted.filtering.shown.min_score == 0.5


def test_a_score_can_be_chosen_before_anything_was_predicted(studio):
    assert not studio.filtering.available
    studio.move_filter(DetectionFilter(0.7))
    studio.let_go(DetectionFilter(0.7))
    assert studio.filtering.preview is None
    assert studio.session.history().undo is None
    studio.predict_image()
    assert scores(studio) == [0.9]


def test_filtering_goes_on_after_a_restart_without_the_model(predicted, make_studio, qtbot):
    folder = predicted.session.folder
    predicted.session.close()
    again = make_studio(None)
    again.open(folder)
    qtbot.waitUntil(lambda: again.filtering.available)
    assert len(again.filtering.detections) == 3

    again.let_go(DetectionFilter(0.25))
    assert scores(again) == [0.3, 0.6, 0.9]
    assert again.model.calls == []
    again.session.undo()
    assert scores(again) == [0.6, 0.9]


def test_what_was_kept_comes_back_with_the_image(predicted, qtbot):
    predicted.show("b.png")
    assert not predicted.filtering.available
    predicted.show("a.png")
    qtbot.waitUntil(lambda: predicted.filtering.available)
    predicted.let_go(DetectionFilter(0.25))
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
    predicted.move_filter(DetectionFilter(0.2))
    changes = []
    predicted.filtering.preview_changed.connect(lambda: changes.append(predicted.filtering.preview))
    predicted.show("b.png")
    assert changes == [None]


def test_categories_of_what_a_lower_score_brings_are_made(studio):
    dog = Category(7, "dog")
    studio.model.detect = partial(
        disc_detections, labels=(0, 0, 1), categories=(CELL, dog), model_id="fake"
    )
    studio.predict_image()
    assert [c.name for c in studio.session.categories] == ["cell"]

    studio.move_filter(DetectionFilter(0.2))
    known = {c.id for c in studio.session.categories}
    assert {a.category_id for a in studio.filtering.preview.values()} <= known
    studio.let_go(DetectionFilter(0.2))

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
    qtbot.waitUntil(lambda: reader.filtering.available)
    reader.move_filter(DetectionFilter(0.2))
    assert scores(reader, reader.filtering.preview) == [0.3, 0.6, 0.9]
    reader.let_go(DetectionFilter(0.2))
    assert reader.filtering.preview is None
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
    assert not predicted.filtering.available
    with qtbot.waitSignal(predicted.filtering.changed):
        predicted.predict_image()
    assert predicted.session.current.id == image_id
    assert predicted.filtering.available


def test_a_lower_score_leaves_a_verified_image_to_be_checked_again(predicted):
    operations.verify(predicted.session)
    predicted.let_go(DetectionFilter(0.2))
    assert predicted.state("a.png") is ImageState.EDITED
    predicted.session.undo()
    assert predicted.state("a.png") is ImageState.VERIFIED


def test_the_preview_leaves_out_what_is_hidden(studio):
    session = studio.session
    studio.predict_image()
    cell = next(c for c in session.categories if c.name == CELL.name)
    studio.move_filter(DetectionFilter(0.2))
    assert len(studio.filtering.preview) == 3
    category_operations.set_categories_hidden(session, [cell.id], hidden=True)
    studio.move_filter(DetectionFilter(0.2))
    assert dict(studio.filtering.preview) == {}


# More than the score


@pytest.fixture
def crowded(studio):
    """A studio whose model finds two that overlap, a small one, and one of another category."""
    boxes = ((10, 10, 30, 30), (13, 10, 33, 30), (10, 40, 18, 48), (40, 10, 60, 30))
    studio.model.detect = partial(
        disc_detections,
        boxes=boxes,
        scores=(0.9, 0.8, 0.7, 0.6),
        labels=(0, 0, 0, 1),
        categories=(CELL, Category(7, "dog")),
        model_id="fake",
    )
    studio.let_go(DetectionFilter(nms_iou=0.95))
    studio.predict_image()
    assert scores(studio) == [0.6, 0.7, 0.8, 0.9]
    return studio


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"nms_iou": 0.5}, [0.6, 0.7, 0.9]),
        ({"min_area": 100}, [0.6, 0.8, 0.9]),
        ({"max_count": 2}, [0.8, 0.9]),
        ({"category_scores": (("cell", 0.75),)}, [0.6, 0.8, 0.9]),
        ({"category_scores": (("dog", 0.65),)}, [0.7, 0.8, 0.9]),
    ],
)
def test_each_of_them_filters_is_kept_with_the_image_and_undone(crowded, change, left):
    before = dict(crowded.session.annotations)
    shown = replace(crowded.filtering.shown, **change)
    crowded.move_filter(shown)
    assert scores(crowded, crowded.filtering.preview) == left
    crowded.let_go(shown)
    assert scores(crowded) == left
    assert crowded.session.current.status.detection_filter == shown
    crowded.session.undo()
    assert crowded.session.annotations == before
    assert crowded.filtering.shown == DetectionFilter(nms_iou=0.95)
    crowded.session.redo()
    assert crowded.filtering.shown == shown
    assert scores(crowded) == left


def test_a_category_s_own_score_is_what_later_predictions_of_the_model_start_from(crowded):
    shown = replace(crowded.filtering.shown, category_scores=(("cell", 0.75),))
    crowded.let_go(shown)
    crowded.show("b.png")
    crowded.predict_image()
    assert scores(crowded) == [0.6, 0.8, 0.9]
    crowded.show("a.png")
    crowded.session.undo()  # of the prediction
    crowded.session.undo()
    assert dict(crowded.session.category_maps.of("fake").category_scores) == {}


def test_the_mask_threshold_draws_outlines_anew_and_keeps_the_annotations(crowded):
    before = dict(crowded.session.annotations)
    narrow = replace(crowded.filtering.shown, mask_threshold=0.8)
    crowded.move_filter(narrow)
    preview = dict(crowded.filtering.preview)
    crowded.let_go(narrow)
    after = dict(crowded.session.annotations)
    assert after == preview
    assert after.keys() == before.keys()
    assert all(after[i].segmentation.area < before[i].segmentation.area for i in after)
    assert crowded.session.history().undo == "Filter detections"
    crowded.session.undo()
    assert dict(crowded.session.annotations) == before
    assert crowded.session.history().undo == "Pre-annotate"


def test_leaving_the_image_at_once_loses_nothing_of_what_was_let_go_of(crowded, qtbot):
    first = crowded.image("a.png")
    crowded.filtering.commit(replace(crowded.filtering.shown, mask_threshold=0.8))
    crowded.show("b.png")
    qtbot.waitUntil(lambda: crowded.session.history().undo == "Filter detections")
    assert crowded.session.record(first).status.detection_filter.mask_threshold == 0.8
    assert dict(crowded.on("b.png")) == {}


def test_so_does_closing_the_project(crowded, make_studio):
    folder = crowded.session.folder
    crowded.filtering.commit(replace(crowded.filtering.shown, mask_threshold=0.8))
    crowded.session.close()
    again = make_studio(None)
    again.open(folder)
    assert again.filtering.shown.mask_threshold == 0.8


def test_what_was_let_go_of_can_be_taken_back_before_it_is_traced(crowded, qtbot):
    before = dict(crowded.session.annotations)
    crowded.filtering.commit(replace(crowded.filtering.shown, mask_threshold=0.8))
    assert crowded.filtering.drop_wish()
    assert crowded.filtering.preview is None
    assert crowded.filtering.shown.mask_threshold == 0.5
    qtbot.waitUntil(lambda: not crowded.filtering.tracing)
    assert dict(crowded.session.annotations) == before
    assert not crowded.filtering.drop_wish()


@pytest.mark.parametrize("threshold", [0.2, 0.8])
def test_what_a_person_did_holds_at_another_mask_threshold(crowded, threshold):
    session = crowded.session
    best, second, small, dog = sorted(session.annotations.values(), key=lambda a: -a.score)
    session.select([best.id])
    operations.delete_selected(session)
    operations.move(session, [dog.id], 2, 0)
    moved = session.annotations[dog.id]
    crowded.let_go(replace(crowded.filtering.shown, mask_threshold=threshold))
    assert session.annotations.keys() == {second.id, small.id, dog.id}
    assert session.annotations[dog.id] == moved


def test_boxes_alone_are_filtered_without_outlines(crowded):
    found = crowded.model.detect((80, 100))
    crowded.model.detect = lambda size: replace(found, roi_masks=None, size=size)
    crowded.show("b.png")
    crowded.predict_image()
    assert scores(crowded) == [0.6, 0.7, 0.8, 0.9]
    crowded.let_go(replace(crowded.filtering.shown, nms_iou=0.5, mask_threshold=0.8))
    assert scores(crowded) == [0.6, 0.7, 0.9]
