"""Asking for other outlines, about places, and for what cannot be done."""

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings

from annotation.shapes import places
from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.errors import UserError
from maskstudio.session import arranging, operations
from support.desk import BOX, KINDS, OTHER, Desk
from support.fakes import BOXES, SCORES, disc_detections
from support.unwritable import break_database, mend_database


@pytest.fixture
def desk(studio, qtbot):
    return Desk(studio, qtbot)


# Outline again


def drawn(desk, **more):
    """Put an annotation with everything a person may give it on the image."""
    kinds = desk.add_categories("cell", "debris")
    ring = [(20, 20), (60, 20), (60, 60), (20, 60)]
    told = Annotation(
        next(desk.session.require_database().take_annotation_ids()),
        kinds[1],
        Segmentation.from_rings(ring),
        attributes=(("stain", "blue"),),
        note="look again",
        z=3,
    )
    told = replace(told, **more)
    desk.session.edit(edits.add(desk.session.content(desk.session.current.id), [told]))
    return told


def again(desk, annotation, box=OTHER):
    desk.prompter.ask_again(annotation.id, box)
    desk.answered()


def test_outlining_again_changes_the_outline_alone(desk):
    before = drawn(desk)
    again(desk, before)
    (after,) = desk.annotations
    assert after.box == pytest.approx(OTHER, abs=3)
    assert replace(after, segmentation=before.segmentation) == before
    assert desk.session.selection == {before.id}
    assert desk.prompter.offer is None
    desk.session.undo()
    assert desk.annotations == [before]


def test_it_is_the_outline_of_its_own_category(desk):
    desk.knows(*KINDS)
    before = drawn(desk)
    whole = desk.model.answer

    def answer(features, boxes, context):
        """Give the second category a mask that fills the box."""
        found = whole(features, boxes, context)
        masks = found.roi_masks.copy()
        masks[:, 1] = 255
        return replace(found, roi_masks=masks)

    desk.model.answer = answer
    again(desk, before)
    assert desk.annotations[0].segmentation.area == pytest.approx(35 * 35, rel=0.05)


def test_a_box_alone_becomes_an_outline(desk):
    before = drawn(desk, segmentation=None, box_only=(20.0, 20.0, 60.0, 60.0))
    again(desk, before)
    (after,) = desk.annotations
    assert after.segmentation is not None
    assert after.box_only is None
    assert after.id == before.id


def test_a_pre_annotation_becomes_the_persons(desk):
    desk.studio.predict_image()
    found = desk.annotations[0]
    again(desk, found, BOX)
    after = desk.session.annotations[found.id]
    assert after.touched
    assert after.model_id == found.model_id


def test_a_locked_one_is_left_alone(desk):
    before = drawn(desk)
    desk.session.select([before.id])
    arranging.lock_selected(desk.session)
    (locked,) = desk.annotations
    desk.prompter.ask_again(before.id, OTHER)
    assert desk.prompter.waiting == ()
    assert desk.annotations == [locked]
    assert "locked" in desk.studio.problems[0]


@pytest.mark.parametrize("leave", ["image", "annotation"])
def test_what_was_left_before_its_outline_came_stays_as_it_was(desk, leave):
    before = drawn(desk)
    desk.hold()
    desk.prompter.ask_again(before.id, OTHER)
    desk.until(desk.model.started.is_set)
    if leave == "image":
        desk.studio.show("b.png")
    else:
        desk.session.select([before.id])
        operations.delete_selected(desk.session)
    desk.release()
    desk.until(lambda: desk.told)
    assert "left" in desk.told[0]
    assert list(desk.studio.on("a.png").values()) == ([before] if leave == "image" else [])
    assert desk.studio.on("b.png") == {}


# A place


def test_a_place_offers_what_covers_it(desk):
    desk.prompter.ask_at((20.0, 20.0))
    desk.answered()
    assert desk.prompter.offer.likeliest.box == pytest.approx(BOXES[0], abs=2)
    assert desk.prompter.place == (1, 1)
    assert desk.prompter.take()
    assert len(desk.annotations) == 1


def overlapping(desk):
    """Have the model find three things over each other."""
    boxes = ((10, 10, 60, 60), (20, 20, 50, 50), (30, 30, 70, 70))
    desk.model.detect = partial(disc_detections, boxes=boxes, scores=SCORES)
    return boxes


def test_one_walks_through_what_covers_a_place_round_and_round(desk):
    boxes = overlapping(desk)
    desk.prompter.ask_at((40.0, 40.0))
    desk.answered()
    for place in (1, 2, 3, 1):
        assert desk.prompter.place == (place, 3)
        assert desk.prompter.offer.likeliest.box == pytest.approx(boxes[place - 1], abs=3)
        desk.prompter.walk(1)
    desk.prompter.walk(-1)
    assert desk.prompter.place == (1, 3)
    desk.prompter.walk(-1)
    desk.prompter.take()
    assert desk.annotations[0].box == pytest.approx(boxes[2], abs=3)
    assert len(desk.annotations) == 1


def test_what_is_annotated_already_is_not_offered(desk):
    overlapping(desk)
    desk.ask((20, 20, 50, 50))
    desk.prompter.ask_at((40.0, 40.0))
    desk.answered()
    assert desk.prompter.place == (1, 2)
    assert len(desk.annotations) == 1


def test_where_nothing_is_seen_a_sentence_says_so(desk):
    desk.prompter.ask_at((90.0, 70.0))
    desk.answered()
    assert desk.prompter.offer is None
    (sentence,) = desk.told
    assert "drag a box" in sentence


# What cannot be done


@pytest.mark.parametrize(
    "box",
    [(30, 30, 30, 50), (30, 30, 50, 30), (200, 10, 300, 50), (-50, -50, -1, -1), (40, 40, 20, 20)],
)
def test_a_box_that_holds_nothing_is_refused_in_a_sentence(desk, box):
    desk.prompter.ask(box)
    assert desk.prompter.waiting == ()
    (sentence,) = desk.studio.problems
    assert "holds nothing of the image" in sentence
    assert desk.model.asked == []


def test_a_box_is_cut_to_the_image(desk):
    desk.ask((-30, -30, 300, 300))
    assert desk.prompter.offer.box == (0, 0, 100, 80)
    desk.prompter.take()
    x0, y0, x1, y1 = desk.annotations[0].box
    assert 0 <= x0 < x1 <= 100
    assert 0 <= y0 < y1 <= 80


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(*[places(-50, 150)] * 4)
def test_any_two_corners_give_an_outline_in_the_image_or_a_sentence(desk, x0, y0, x1, y1):
    before, said = len(desk.annotations), len(desk.studio.problems + desk.told)
    desk.ask((x0, y0, x1, y1))
    if desk.prompter.take():
        ax0, ay0, ax1, ay1 = desk.annotations[-1].box
        assert 0 <= ax0 < ax1 <= 100
        assert 0 <= ay0 < ay1 <= 80
        assert len(desk.annotations) == before + 1
    else:
        assert len(desk.studio.problems + desk.told) == said + 1


def test_a_model_that_draws_no_outlines_says_so(desk, qtbot):
    desk.model.draws_outlines = False
    desk.ask()
    assert desk.prompter.offer is None
    assert "draws no outlines" in desk.studio.problems[0]
    with qtbot.waitSignal(desk.studio.annotator.model_loaded):
        desk.studio.annotator.use_model("boxes")
    desk.prompter.set_in_hand(True)
    assert "maskrcnn_resnet50_fpn_v2" in desk.studio.problems[1]
    desk.prompter.ask(BOX)
    assert desk.prompter.waiting == ()


def test_what_the_model_cannot_do_is_said_and_the_next_box_is_answered(desk):
    whole = desk.model.answer

    def fails(features, boxes, context):
        raise UserError("The GPU has too little memory.")

    desk.model.answer = fails
    desk.ask()
    assert desk.studio.problems == ["The GPU has too little memory."]
    desk.model.answer = whole
    desk.ask()
    assert desk.prompter.offer is not None


def test_an_image_that_is_gone_is_told_of(desk):
    desk.session.path(desk.session.current.id).unlink()
    desk.ask()
    assert "a.png" in desk.studio.problems[0]


def test_nothing_is_drawn_in_a_folder_open_for_reading(desk, folder):
    desk.session.close()
    desk.studio.open(folder, read_only=True)
    desk.prompter.ask(BOX)
    assert desk.prompter.waiting == ()
    assert "for reading only" in desk.studio.problems[0]


def test_what_cannot_be_written_stays_offered(desk):
    desk.add_categories("cell")
    desk.ask()
    break_database(desk.session.folder)
    assert not desk.prompter.take()
    desk.prompter.ask(OTHER)
    assert desk.prompter.waiting == ()
    assert desk.prompter.offer.box == BOX
    assert all("cannot be written" in sentence for sentence in desk.studio.problems)
    mend_database(desk.session.folder)
    assert desk.prompter.take()
    assert len(desk.annotations) == 1


def test_a_box_in_which_no_pixel_is_likely_gives_a_sentence(desk):
    whole = desk.model.answer

    def nothing(features, boxes, context):
        found = whole(features, boxes, context)
        return replace(found, roi_masks=found.roi_masks * 0)

    desk.model.answer = nothing
    desk.ask()
    assert desk.prompter.offer is None
    assert "no object in that box" in desk.told[0]
