"""A person's work when the model runs again: nothing is changed, nothing comes back unasked."""

from functools import partial

import pytest

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.session import category_operations, operations
from support.fakes import disc_detections
from support.studio import Studio


@pytest.mark.parametrize(
    "run", [Studio.predict_image, Studio.predict_folder], ids=["the image", "the folder"]
)
def test_what_a_person_did_stays_as_it_was(studio, run):
    """Moved, relabelled, drawn: all stay to the last coordinate, and nothing lands on top."""
    studio.model.detect = partial(
        disc_detections,
        boxes=((10, 10, 30, 30), (40, 10, 60, 30), (10, 40, 30, 60), (70, 10, 90, 30)),
        scores=(0.9, 0.8, 0.7, 0.6),
    )
    studio.predict_image()
    moved, relabelled, deleted, untouched = studio.by_score("a.png")
    session = studio.session
    operations.move(session, [moved.id], 1.25, 0.5)
    other = category_operations.add_category(session, "other")
    session.select([relabelled.id])
    operations.set_category(session, other.id)
    session.select([deleted.id])
    operations.delete_selected(session)
    operations.draw(session, Segmentation.from_rings([(50, 50), (70, 50), (60, 70)]), other.id)
    (drawn,) = session.selection
    before = studio.on("a.png")

    studio.model.detect = partial(studio.model.detect, model_id="newer")
    studio.model.model_id = "newer"
    run(studio)

    after = studio.on("a.png")
    for kept in (moved.id, relabelled.id, drawn):
        assert after[kept] == before[kept]
    new = [a for a in after.values() if a.id not in before]
    assert untouched.id not in after
    assert [a.box for a in new] == [pytest.approx((70, 10, 90, 30), abs=1.5)]


def test_what_was_accepted_stays_when_the_image_is_reopened_and_the_folder_run(studio):
    studio.predict_image()
    operations.verify(studio.session)
    operations.reopen(studio.session)
    before = studio.on("a.png")
    studio.model.model_id = "newer"
    studio.model.detect = partial(disc_detections, model_id="newer", scores=(0.95, 0.85, 0.1))
    assert studio.predict_folder().done == 3
    assert studio.on("a.png") == before


def test_a_deleted_one_is_not_offered_again_until_the_deletion_is_undone(studio):
    studio.predict_image()
    best, other = studio.by_score("a.png")
    studio.session.select([best.id])
    operations.delete_selected(studio.session)
    studio.predict_image()
    studio.predict_folder()
    assert set(studio.on("a.png")) == {other.id}

    studio.session.undo()
    assert set(studio.on("a.png")) == {best.id, other.id}
    studio.predict_image()
    assert set(studio.on("a.png")) == {best.id, other.id}


def slim(size, model_id="fake"):
    """A detection whose mask fills only the left half of its box, as real ones may."""
    found = disc_detections(size, boxes=((10, 10, 30, 30),), scores=(0.9,), model_id=model_id)
    masks = found.roi_masks.copy()
    masks[:, :, 10:] = 0
    return type(found)(
        model_id, size, found.boxes, found.labels, found.scores, masks, found.categories
    )


def test_a_deleted_one_whose_outline_is_smaller_than_its_box_is_not_offered_again(studio):
    studio.model.detect = slim
    studio.predict_image()
    studio.session.select(studio.session.annotations)
    operations.delete_selected(studio.session)
    studio.predict_image()
    assert studio.on("a.png") == {}


def test_an_accepted_one_whose_outline_is_smaller_than_its_box_is_not_doubled(studio):
    studio.model.detect = slim
    studio.predict_image()
    operations.verify(studio.session)
    before = studio.on("a.png")
    studio.predict_image()
    assert studio.on("a.png") == before


def test_one_that_was_accepted_and_then_deleted_is_not_offered_again(studio):
    studio.predict_image()
    operations.verify(studio.session)
    best, other = studio.by_score("a.png")
    studio.session.select([best.id])
    operations.delete_selected(studio.session)
    studio.predict_image()
    assert set(studio.on("a.png")) == {other.id}


def test_redoing_after_the_folder_was_run_shows_nothing_twice(studio):
    studio.predict_image()
    studio.session.undo()
    studio.predict_folder()
    studio.session.redo()
    assert sorted(a.score for a in studio.on("a.png").values()) == pytest.approx([0.6, 0.9])
    database = studio.session.require_database()
    assert database.annotation_counts()[studio.image("a.png")] == 2
    assert studio.session.count(studio.image("a.png")) == 2


def test_undoing_a_drawing_leaves_what_the_folder_run_put_there_known_as_predicted(studio):
    operations.draw(studio.session, Segmentation.from_rings([(70, 50), (90, 50), (90, 70)]), None)
    studio.predict_folder()
    studio.session.undo()
    assert len(studio.on("a.png")) == 2
    assert studio.state("a.png") is ImageState.PREDICTED
    assert studio.session.record(studio.image("a.png")).status.detection_filter.min_score == 0.5


def test_one_that_was_moved_away_is_not_offered_again_where_it_lay(studio):
    studio.predict_image()
    best, _ = studio.by_score("a.png")
    operations.move(studio.session, [best.id], 30, 30)
    before = studio.on("a.png")
    studio.predict_image()
    assert studio.on("a.png") == before

    studio.session.undo()
    studio.session.undo()
    studio.predict_image()
    assert len(studio.on("a.png")) == 2
