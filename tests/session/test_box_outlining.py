"""Annotations that are a box alone become outlines, all in one go."""

from dataclasses import replace

import pytest

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation, ImageState
from maskstudio.session import category_operations, operations
from maskstudio.session.box_outlining import BoxOutlining
from maskstudio.storage.images import read_size

BOXES = ((5.0, 5.0, 25.0, 25.0), (30.0, 30.0, 60.0, 50.0))


class Desk:
    """A studio in which boxes become outlines."""

    def __init__(self, studio, qtbot):
        self.studio, self.session, self.model = studio, studio.session, studio.model
        self.outlining = BoxOutlining(studio.session, studio.tasks, studio.annotator)
        self.told = []
        self.outlining.told.connect(self.told.append)
        self._qtbot = qtbot
        self.cell = category_operations.add_category(self.session, "cell").id

    def here(self):
        with self._qtbot.waitSignal(self.outlining.told):
            self.outlining.run_here()

    def folder(self):
        with self._qtbot.waitSignal(self.studio.annotator.finished):
            self.outlining.run_folder()
        return self.studio.reports[-1]

    def put(self, name="a.png", boxes=BOXES, **more):
        """Put boxes on an image, as an import does; return their ids."""
        ids = self.session.require_database().take_annotation_ids()
        new = [replace(Annotation(next(ids), self.cell, None, box), **more) for box in boxes]
        image_id = self.studio.image(name)
        self.session.note_size(image_id, *read_size(self.session.path(image_id)))
        self.session.edit(edits.add(self.session.content(image_id), new, "Import"))
        return [annotation.id for annotation in new]

    def boxes_left(self, name="a.png"):
        return [a.id for a in self.studio.on(name).values() if a.segmentation is None]


@pytest.fixture
def desk(studio, qtbot):
    return Desk(studio, qtbot)


def test_all_boxes_of_the_image_become_outlines_in_one_step(desk):
    told = {"attributes": (("stain", "blue"),), "note": "look", "z": 2}
    ids = desk.put(**told)
    before = desk.studio.on("a.png")
    desk.here()
    after = desk.studio.on("a.png")
    assert list(after) == ids
    for annotation_id, annotation in after.items():
        assert annotation.segmentation.box == pytest.approx(before[annotation_id].box, abs=2)
        boxed = replace(annotation, segmentation=None, box_only=before[annotation_id].box)
        assert boxed == before[annotation_id]
    assert desk.told == ["2 boxes became outlines."]
    assert desk.session.history().undo == "Outline 2 boxes"
    desk.session.undo()
    assert desk.studio.on("a.png") == before


def test_of_a_selection_only_what_is_selected_becomes_one(desk):
    first, second = desk.put()
    desk.session.select([second])
    desk.here()
    assert desk.boxes_left() == [first]
    assert desk.told == ["1 box became an outline."]


def test_the_model_is_asked_about_all_boxes_at_once(desk):
    desk.put()
    desk.here()
    (asked,) = desk.model.asked
    assert asked.tolist() == [list(box) for box in BOXES]


def test_what_is_locked_or_has_an_outline_is_left_alone(desk):
    (locked,) = desk.put(boxes=BOXES[:1], locked=True)
    desk.put(boxes=BOXES[1:])
    desk.here()
    outlined = desk.studio.on("a.png")
    assert desk.boxes_left() == [locked]
    assert desk.outlining.boxes_here == ()
    desk.outlining.run_here()
    assert desk.studio.on("a.png") == outlined
    assert desk.session.history().undo == "Outline a box"


def test_what_the_model_sees_nothing_in_stays_a_box_and_is_counted(desk):
    first, _ = desk.put()
    whole = desk.model.answer

    def answer(features, boxes, context):
        found = whole(features, boxes, context)
        masks = found.roi_masks.copy()
        masks[0] = 0
        return replace(found, roi_masks=masks)

    desk.model.answer = answer
    desk.here()
    assert desk.boxes_left() == [first]
    assert desk.told == ["1 box became an outline; 1 stayed: the model sees nothing in them."]


def test_what_was_changed_meanwhile_stays_as_it_is(desk, qtbot):
    first, second = desk.put()
    desk.model.hold.set()
    with qtbot.waitSignal(desk.outlining.told):
        desk.outlining.run_here()
        qtbot.waitUntil(desk.model.started.is_set)
        operations.move(desk.session, [first], 5, 5)
        desk.model.release.set()
    assert desk.boxes_left() == [first]
    assert desk.studio.on("a.png")[second].segmentation is not None


def test_the_result_goes_to_its_image_even_if_another_is_shown_by_then(desk, qtbot):
    desk.put()
    desk.model.hold.set()
    with qtbot.waitSignal(desk.outlining.told):
        desk.outlining.run_here()
        qtbot.waitUntil(desk.model.started.is_set)
        desk.studio.show("b.png")
        desk.model.release.set()
    assert desk.boxes_left() == []
    assert desk.studio.on("b.png") == {}


def test_the_boxes_of_the_whole_folder_become_outlines(desk):
    desk.put("a.png")
    desk.put("sub/c.png")
    report = desk.folder()
    assert (report.total, report.done, report.failed) == (2, 2, ())
    assert desk.boxes_left("a.png") == desk.boxes_left("sub/c.png") == []
    assert desk.told == ["4 boxes became outlines."]
    # Each image is a step of its own.
    desk.session.undo()
    desk.session.undo()
    assert len(desk.boxes_left("a.png")) == len(desk.boxes_left("sub/c.png")) == 2


def test_a_finished_image_with_new_outlines_is_to_be_looked_at(desk):
    desk.put("b.png")
    desk.studio.show("b.png")
    operations.verify(desk.session)
    desk.studio.show("a.png")
    desk.folder()
    assert desk.boxes_left("b.png") == []
    assert desk.studio.state("b.png") is ImageState.EDITED


def test_a_skipped_image_is_left_alone(desk):
    desk.put("b.png")
    desk.studio.show("b.png")
    operations.skip(desk.session)
    desk.folder()
    assert len(desk.boxes_left("b.png")) == 2
    assert desk.told == ["No annotation that can be changed is a box alone."]


def test_what_a_box_of_a_model_became_is_a_persons(desk):
    (found,) = desk.put(boxes=BOXES[:1], model_id="boxes", score=0.8, touched=False)
    desk.here()
    after = desk.studio.on("a.png")[found]
    assert after.touched
    assert (after.model_id, after.score) == ("boxes", 0.8)


def test_a_model_that_draws_no_outlines_is_told_of_and_not_run(desk, qtbot):
    desk.put()
    desk.model.draws_outlines = False
    with qtbot.waitSignal(desk.session.problem):
        desk.outlining.run_here()
    assert "draws no outlines" in desk.studio.problems[0]
    assert desk.model.calls == []
    report = desk.folder()
    assert len(report.failed) == 1
    assert len(desk.boxes_left()) == 2


def test_once_that_is_known_nothing_is_begun(desk, qtbot):
    desk.put()
    desk.model.draws_outlines = False
    with qtbot.waitSignal(desk.studio.annotator.model_loaded):
        desk.studio.annotator.use_model("boxes")
    desk.outlining.run_here()
    desk.outlining.run_folder()
    assert not desk.studio.annotator.running
    assert len(desk.studio.problems) == 2
