"""Edits of the journal, taken back or done again after a batch has written between them."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from annotation.shapes import rectangle
from maskstudio.annotation import edits, rebasing
from maskstudio.annotation.annotation import (
    Annotation,
    Category,
    ImageRecord,
    ImageState,
    ImageStatus,
)
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.edits import CategoryChange, Edit, ImageContent
from maskstudio.annotation.segmentation import Segmentation

IMAGE = 7


def square(left: float) -> Segmentation:
    return Segmentation.from_rings(rectangle(left, 0, left + 10, 10))


def drawn(annotation_id: int, left: float) -> Annotation:
    return Annotation(annotation_id, 1, square(left))


def predicted(annotation_id: int, left: float, model_id: str = "m") -> Annotation:
    return Annotation(annotation_id, 1, square(left), None, model_id, left / 100, touched=False)


def content(state: ImageState = ImageState.NEW, *annotations: Annotation) -> ImageContent:
    record = ImageRecord(IMAGE, "a.png", 50, 200, ImageStatus(state))
    return ImageContent(record, {annotation.id: annotation for annotation in annotations})


def after(start: ImageContent, edit: Edit) -> ImageContent:
    """Do an edit, which must find everything as it says it was."""
    annotations, record = dict(start.annotations), start.record
    for change in edit.annotations:
        if change.before is not None:
            assert annotations.pop(change.before.id) == change.before
        if change.after is not None:
            assert change.after.id not in annotations
            annotations[change.after.id] = change.after
    for image in edit.images:
        assert image.before == record.status
        record = replace(record, status=image.after)
    return ImageContent(record, annotations)


def step(start: ImageContent, edit: Edit) -> ImageContent:
    return after(start, rebasing.rebased(edit, {IMAGE: start}))


def run_batch(
    start: ImageContent, new: Sequence[Annotation], model_id: str = "m", score: float = 0.5
) -> ImageContent:
    return after(
        start, edits.by_batch(edits.pre_annotate(start, model_id, new, DetectionFilter(score)))
    )


def test_what_a_batch_put_in_the_place_of_what_was_drawn_later_undone_is_known_as_predicted() -> (
    None
):
    draw = edits.add(content(), [drawn(1, 0)])
    now = step(run_batch(after(content(), draw), [predicted(2, 40)]), draw.inverse())
    assert set(now.annotations) == {2}
    assert now.record.status == ImageStatus(ImageState.PREDICTED, (), DetectionFilter(0.5))


def test_undoing_a_run_does_not_undo_the_other_model_s_run_after_it() -> None:
    ours = edits.pre_annotate(
        content(), "m", [predicted(1, 10), predicted(2, 30)], DetectionFilter(0.5)
    )
    batch = run_batch(after(content(), ours), [predicted(3, 10, "newer")], "newer", 0.6)
    now = step(batch, ours.inverse())
    assert set(now.annotations) == {3}
    assert now.record.status == ImageStatus(ImageState.PREDICTED, (), DetectionFilter(0.6))


def test_what_an_undo_brings_back_does_not_lie_among_what_another_model_found() -> None:
    start = after(
        content(),
        edits.pre_annotate(
            content(), "m", [predicted(1, 10), predicted(2, 30)], DetectionFilter(0.1)
        ),
    )
    fewer = edits.pre_annotate(
        start, "m", [predicted(2, 30)], DetectionFilter(0.3), "Move score threshold"
    )
    batch = run_batch(after(start, fewer), [predicted(5, 12, "newer")], "newer")
    assert set(step(batch, fewer.inverse()).annotations) == {5}


def test_redoing_a_run_shows_no_detection_twice() -> None:
    ours = edits.pre_annotate(
        content(), "m", [predicted(1, 10), predicted(2, 30)], DetectionFilter(0.5)
    )
    now = step(run_batch(content(), [predicted(3, 10), predicted(4, 30)]), ours)
    assert set(now.annotations) == {3, 4}
    assert now.record.status == ImageStatus(ImageState.PREDICTED, (), DetectionFilter(0.5))


def test_redoing_what_was_done_to_a_detection_is_done_to_the_same_one_found_again() -> None:
    start = after(
        content(), edits.pre_annotate(content(), "m", [predicted(1, 10)], DetectionFilter(0.5))
    )
    move = edits.change(start, [replace(start.annotations[1], segmentation=square(13))], "Move")
    delete = edits.delete(start, [1])
    again = run_batch(content(), [predicted(3, 10)])
    assert [a.segmentation for a in step(again, move).annotations.values()] == [square(13)]
    assert step(again, delete).annotations == {}


def test_what_was_moved_away_and_found_again_comes_back_once() -> None:
    start = after(
        content(), edits.pre_annotate(content(), "m", [predicted(1, 10)], DetectionFilter(0.5))
    )
    move = edits.change(start, [replace(start.annotations[1], segmentation=square(90))], "Move")
    again = run_batch(after(start, move), [predicted(2, 10)])
    back = step(again, move.inverse())
    assert list(back.annotations) == [2]
    assert [a.segmentation for a in step(back, move).annotations.values()] == [square(90)]


def test_a_person_s_work_comes_back_whatever_stands_there_now() -> None:
    start = after(
        content(), edits.pre_annotate(content(), "m", [predicted(1, 10)], DetectionFilter(0.5))
    )
    move = edits.change(start, [replace(start.annotations[1], segmentation=square(13))], "Move")
    other = run_batch(start, [predicted(5, 90, "newer")], "newer")
    now = step(other, move)
    assert now.annotations[1] == replace(
        start.annotations[1], segmentation=square(13), touched=True
    )
    assert step(now, move.inverse()).annotations[1] == start.annotations[1]


def test_taking_back_a_hiding_brings_nothing_back_that_a_batch_took_away() -> None:
    start = content(ImageState.PREDICTED, predicted(1, 20))
    hide = edits.arrange(start, [replace(predicted(1, 20), hidden=True)], "Hide")
    now = run_batch(after(start, hide), [])
    assert step(now, hide.inverse()).annotations == {}


def test_what_was_found_again_is_hidden_again_under_its_old_id() -> None:
    start = content(ImageState.PREDICTED, predicted(1, 20))
    hide = edits.arrange(start, [replace(predicted(1, 20), hidden=True)], "Hide")
    again = run_batch(run_batch(start, []), [predicted(5, 20)])
    assert step(again, hide).annotations == {1: replace(predicted(1, 20), hidden=True)}


MODELS = st.sampled_from("mn")
PLACES = st.sets(st.integers(0, 5), max_size=3)


class Journal(RuleBasedStateMachine):
    """An image and its edits as the project keeps them: a batch is in no undo."""

    def __init__(self) -> None:
        super().__init__()
        self.now = content()
        self.done: list[Edit] = []
        self.undone: list[Edit] = []
        self.next_id = 1

    @rule()
    def draw(self) -> None:
        self.do(edits.add(self.now, [drawn(self.new_id(), 7)]))

    @rule(places=PLACES)
    def delete(self, places: set[int]) -> None:
        self.do(edits.delete(self.now, [a.id for a in self.at(places)]))

    @rule(places=PLACES)
    def move(self, places: set[int]) -> None:
        moved = [replace(a, segmentation=square(a.box[0] + 1)) for a in self.at(places)]
        self.do(edits.change(self.now, moved, "Move"))

    @rule(places=PLACES, hidden=st.booleans(), locked=st.booleans(), z=st.integers(-1, 1))
    def arrange(self, places: set[int], hidden: bool, locked: bool, z: int) -> None:
        arranged = [replace(a, hidden=hidden, locked=locked, z=z) for a in self.at(places)]
        edit = edits.arrange(self.now, arranged, "Arrange")
        assert not edit.images
        self.do(edit)

    @rule(model_id=MODELS, places=PLACES)
    def run(self, model_id: str, places: set[int]) -> None:
        self.do(
            edits.pre_annotate(
                self.now, model_id, self.found(model_id, places), DetectionFilter(0.5)
            )
        )

    @rule(model_id=MODELS, places=PLACES)
    def batch(self, model_id: str, places: set[int]) -> None:
        kept = {i: a for i, a in self.now.annotations.items() if not a.is_replaceable}
        self.now = run_batch(self.now, self.found(model_id, places), model_id)
        assert kept.items() <= self.now.annotations.items()

    @precondition(lambda self: self.done)
    @rule()
    def undo(self) -> None:
        self.undone.append(self.done.pop())
        self.now = step(self.now, self.undone[-1].inverse())

    @precondition(lambda self: self.undone)
    @rule()
    def redo(self) -> None:
        self.done.append(self.undone.pop())
        self.now = step(self.now, self.done[-1])

    @invariant()
    def no_detection_is_shown_twice(self) -> None:
        shown = [(a.model_id, a.box) for a in self.now.annotations.values() if a.is_pre_annotation]
        assert len(set(shown)) == len(shown)

    @invariant()
    def an_image_with_detections_is_not_new(self) -> None:
        if any(a.is_pre_annotation for a in self.now.annotations.values()):
            assert self.now.record.state is not ImageState.NEW
            assert self.now.record.status.detection_filter is not None

    def do(self, edit: Edit) -> None:
        if edit:
            self.now = after(self.now, edit)
            self.done.append(edit)
            self.undone.clear()

    def at(self, places: set[int]) -> list[Annotation]:
        return [a for n, a in enumerate(self.now.annotations.values()) if n in places]

    def found(self, model_id: str, places: set[int]) -> list[Annotation]:
        found = [predicted(self.new_id(), 20 * place, model_id) for place in sorted(places)]
        locked = {edits.identity(a) for a in self.now.annotations.values() if a.locked}
        return [annotation for annotation in found if edits.identity(annotation) not in locked]

    def new_id(self) -> int:
        self.next_id += 1
        return self.next_id - 1


TestJournal = Journal.TestCase
TestJournal.settings = settings(deadline=None, max_examples=100, stateful_step_count=25)


# Names of categories


def renaming(category_id: int, old: str, new: str) -> CategoryChange:
    return CategoryChange(Category(category_id, old), Category(category_id, new))


def names_after(edit: Edit, *standing: Category) -> list[str]:
    fitted = rebasing.with_free_names(edit, standing)
    return [change.after.name for change in fitted.categories if change.after is not None]


def test_a_name_that_is_free_comes_back() -> None:
    edit = Edit("Rename", categories=(renaming(1, "cat", "dog"),))
    assert rebasing.with_free_names(edit, [Category(1, "cat"), Category(2, "bird")]) == edit


def test_a_name_that_is_taken_comes_back_with_the_first_number_that_is_free() -> None:
    edit = Edit("Rename", categories=(renaming(1, "cat", "dog"),))
    standing = [Category(1, "cat"), Category(2, "dog"), Category(3, "dog (2)")]
    assert names_after(edit, *standing) == ["dog (3)"]


def test_a_category_that_is_made_again_does_not_stand_in_its_own_way() -> None:
    deleted = Edit("Delete", categories=(CategoryChange(Category(1, "cat"), None),))
    assert names_after(deleted.inverse()) == ["cat"]
    assert names_after(deleted.inverse(), Category(2, "cat")) == ["cat (2)"]
    recoloured = CategoryChange(Category(1, "cat"), Category(1, "cat", colour="#123456"))
    assert names_after(Edit("Recolour", categories=(recoloured,)), Category(1, "cat")) == ["cat"]
