"""Edits: what makes them, how far they bring an image, and that each can be taken back."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.shapes import rectangle
from maskstudio.annotation import edits, rebasing
from maskstudio.annotation.annotation import (
    Annotation,
    Category,
    ImageRecord,
    ImageState,
    ImageStatus,
    Rejection,
)
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.edits import (
    AnnotationChange,
    CategoryChange,
    Edit,
    ImageChange,
    ImageContent,
)
from maskstudio.annotation.segmentation import Segmentation

IMAGE = 7

Held = TypeVar("Held", Annotation, Category)


def square(left: float, side: float = 10) -> Segmentation:
    return Segmentation.from_rings(rectangle(left, 0, left + side, side))


def drawn(annotation_id: int, left: float = 0) -> Annotation:
    return Annotation(annotation_id, 1, square(left))


def predicted(annotation_id: int, left: float = 0, score: float = 0.5) -> Annotation:
    return Annotation(annotation_id, 1, square(left), None, "m", score, touched=False)


def content(state: ImageState = ImageState.NEW, *annotations: Annotation) -> ImageContent:
    record = ImageRecord(IMAGE, "a.png", 50, 50, ImageStatus(state))
    return ImageContent(record, {annotation.id: annotation for annotation in annotations})


@dataclass
class World:
    """What a project holds, as plain dictionaries; an edit must find what it says was before."""

    status: dict[int, ImageStatus] = field(default_factory=lambda: {IMAGE: ImageStatus()})
    annotations: dict[int, Annotation] = field(default_factory=dict)
    categories: dict[int, Category] = field(default_factory=dict)

    def apply(self, edit: Edit) -> None:
        for change in edit.annotations:
            self._swap(self.annotations, change.before, change.after)
        for category in edit.categories:
            self._swap(self.categories, category.before, category.after)
        for image in edit.images:
            assert self.status[image.image_id] == image.before
            self.status[image.image_id] = image.after

    def content(self) -> ImageContent:
        record = ImageRecord(IMAGE, "a.png", 50, 50, self.status[IMAGE])
        return ImageContent(record, dict(sorted(self.annotations.items())))

    def copy(self) -> "World":
        return World(dict(self.status), dict(self.annotations), dict(self.categories))

    @staticmethod
    def _swap(held: dict[int, Held], old: Held | None, new: Held | None) -> None:
        if old is not None:
            assert held.pop(old.id) == old
        if new is not None:
            assert new.id not in held
            held[new.id] = new


def after(start: ImageContent, edit: Edit) -> ImageContent:
    """Return the image once the edit is applied."""
    world = World({IMAGE: start.record.status}, dict(start.annotations))
    world.apply(edit)
    return world.content()


# Edits as values


def test_an_edit_that_changes_nothing_is_false() -> None:
    assert not Edit("nothing")
    assert Edit("a", annotations=(AnnotationChange(1, None, drawn(1)),))
    assert Edit("b", images=(ImageChange(1, ImageStatus(), ImageStatus(ImageState.SKIPPED)),))
    assert Edit("c", categories=(CategoryChange(None, Category(1, "x")),))


def test_an_edit_names_the_images_it_touches_once_each() -> None:
    status = ImageChange(3, ImageStatus(), ImageStatus(ImageState.EDITED))
    changes = tuple(AnnotationChange(image, None, drawn(n)) for n, image in enumerate((5, 3, 5), 1))
    assert Edit("a", annotations=changes, images=(status,)).image_ids == (5, 3)


def test_the_inverse_swaps_before_and_after_and_turns_the_order_round() -> None:
    edit = Edit(
        "Draw",
        "model:m",
        (AnnotationChange(1, None, drawn(1)), AnnotationChange(1, drawn(2), drawn(2, 5))),
        (ImageChange(1, ImageStatus(), ImageStatus(ImageState.EDITED)),),
        (CategoryChange(None, Category(1, "x")), CategoryChange(Category(2, "y"), None)),
        undoable=False,
    )
    inverse = edit.inverse()
    assert inverse.annotations == (
        AnnotationChange(1, drawn(2, 5), drawn(2)),
        AnnotationChange(1, drawn(1), None),
    )
    assert inverse.images == (ImageChange(1, ImageStatus(ImageState.EDITED), ImageStatus()),)
    assert inverse.categories == (
        CategoryChange(None, Category(2, "y")),
        CategoryChange(Category(1, "x"), None),
    )
    assert (inverse.title, inverse.author, inverse.undoable) == ("Draw", "model:m", False)
    assert inverse.inverse() == edit


def test_a_batch_edit_is_the_same_edit_that_no_undo_meets() -> None:
    edit = edits.add(content(), [drawn(1)])
    assert edit.undoable
    assert edits.by_batch(edit) == replace(edit, undoable=False)


# What a person does


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (ImageState.NEW, ImageState.EDITED),
        (ImageState.PREDICTED, ImageState.EDITED),
        (ImageState.EDITED, ImageState.EDITED),
        (ImageState.SKIPPED, ImageState.EDITED),
        (ImageState.VERIFIED, ImageState.VERIFIED),
        (ImageState.EMPTY, ImageState.VERIFIED),
    ],
)
def test_drawing_on_an_image(state: ImageState, expected: ImageState) -> None:
    edit = edits.add(content(state), [drawn(1), drawn(2, 20)])
    result = after(content(state), edit)
    assert list(result.annotations) == [1, 2]
    assert result.record.state == expected
    assert edit.author == edits.PERSON


def test_drawing_on_an_edited_image_leaves_its_status_out() -> None:
    assert edits.add(content(ImageState.EDITED), [drawn(1)]).images == ()


def test_changing_a_pre_annotation_makes_it_a_persons() -> None:
    start = content(ImageState.PREDICTED, predicted(1), predicted(2, 20))
    moved = replace(start.annotations[1], segmentation=square(5))
    result = after(start, edits.change(start, [moved], "Move"))
    assert result.annotations[1] == replace(moved, touched=True)
    assert result.annotations[1].model_id == "m"
    assert result.annotations[1].score == 0.5
    assert result.annotations[2] is start.annotations[2]
    assert result.record.state == ImageState.EDITED


def test_a_change_that_changes_nothing_is_no_edit() -> None:
    start = content(ImageState.PREDICTED, predicted(1), predicted(2, 20))
    same = [Annotation(1, 1, square(0), None, "m", 0.5, touched=False)]
    assert not edits.change(start, same, "Move")
    assert not edits.add(start, [])
    assert not edits.delete(start, [])


def test_deleting_what_a_model_found_is_remembered_and_deleting_ones_own_is_not() -> None:
    accepted = replace(predicted(3, 40), touched=True)
    start = content(ImageState.PREDICTED, predicted(1), drawn(2, 20), accepted)
    edit = edits.delete(start, [1, 2, 3])
    result = after(start, edit)
    assert result.annotations == {}
    # The accepted one too: it was the model that found it, and would find it again.
    assert result.record.status.rejections == (
        Rejection(1, (0, 0, 10, 10), 0.5),
        Rejection(1, (40, 0, 50, 10), 0.5),
    )
    assert result.record.state == ImageState.EDITED
    assert edit.title == "Delete 3 annotations"
    assert edits.delete(start, [2]).title == "Delete annotation"


def test_earlier_rejections_stay() -> None:
    earlier = Rejection(1, (30, 30, 40, 40))
    start = content(ImageState.EDITED, predicted(1))
    record = replace(
        start.record, status=ImageStatus(ImageState.EDITED, (earlier,), DetectionFilter(0.4))
    )
    start = ImageContent(record, start.annotations)
    status = after(start, edits.delete(start, [1])).record.status
    assert status.rejections == (earlier, Rejection(1, (0, 0, 10, 10), 0.5))
    assert status.detection_filter == DetectionFilter(0.4)


def test_deleting_everything_on_a_verified_image_makes_it_empty() -> None:
    start = content(ImageState.VERIFIED, drawn(1), drawn(2, 20))
    assert after(start, edits.delete(start, [1])).record.state == ImageState.VERIFIED
    assert after(start, edits.delete(start, [1, 2])).record.state == ImageState.EMPTY


def test_verifying_accepts_what_stands_there_and_nothing_else() -> None:
    start = content(ImageState.PREDICTED, predicted(1), drawn(2, 20))
    edit = edits.verify(start)
    result = after(start, edit)
    assert result.annotations[1] == replace(start.annotations[1], touched=True)
    assert result.annotations[2] is start.annotations[2]
    assert result.record.state == ImageState.VERIFIED
    assert not edits.verify(result)


def test_verifying_an_image_with_nothing_on_it_makes_it_empty() -> None:
    assert after(content(), edits.verify(content())).record.state == ImageState.EMPTY


def test_a_state_is_set_and_nothing_else() -> None:
    start = content(ImageState.PREDICTED, predicted(1))
    edit = edits.set_state(start, ImageState.SKIPPED, "Skip image")
    assert edit.annotations == ()
    assert after(start, edit).record.status == replace(
        start.record.status, state=ImageState.SKIPPED
    )
    assert not edits.set_state(start, ImageState.PREDICTED, "again")


# What a model does


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (ImageState.NEW, ImageState.PREDICTED),
        (ImageState.SKIPPED, ImageState.PREDICTED),
        (ImageState.PREDICTED, ImageState.PREDICTED),
        (ImageState.EDITED, ImageState.EDITED),
        (ImageState.VERIFIED, ImageState.EDITED),
        (ImageState.EMPTY, ImageState.EDITED),
    ],
)
def test_new_pre_annotations_on_an_image(state: ImageState, expected: ImageState) -> None:
    edit = edits.pre_annotate(content(state), "m", [predicted(5)], DetectionFilter(0.3))
    result = after(content(state), edit)
    assert result.record.state == expected
    assert result.record.status.detection_filter == DetectionFilter(0.3)
    assert list(result.annotations) == [5]
    assert edit.author == "model:m"


@pytest.mark.parametrize("state", [ImageState.VERIFIED, ImageState.EMPTY])
def test_a_model_that_finds_nothing_new_leaves_a_verified_image_verified(state: ImageState) -> None:
    edit = edits.pre_annotate(content(state, drawn(1)), "m", [], DetectionFilter(0.3))
    assert after(content(state, drawn(1)), edit).record.state == state


def test_a_model_that_finds_nothing_marks_the_image_as_predicted() -> None:
    edit = edits.pre_annotate(content(), "m", [], DetectionFilter(0.5))
    assert after(content(), edit).record.state == ImageState.PREDICTED


def test_a_persons_annotations_stay_whatever_a_model_finds() -> None:
    accepted = replace(predicted(2, 20), touched=True)
    start = content(ImageState.EDITED, drawn(1), accepted, predicted(3, 40))
    result = after(start, edits.pre_annotate(start, "n", [predicted(9, 60)], DetectionFilter(0.5)))
    assert result.annotations[1] is start.annotations[1]
    assert result.annotations[2] is accepted
    assert list(result.annotations) == [1, 2, 9]


def test_what_is_shown_already_keeps_its_annotation() -> None:
    start = content(ImageState.PREDICTED, predicted(1, 0, 0.9), predicted(2, 20, 0.6))
    again = [predicted(11, 40, 0.4), predicted(12, 20, 0.6), predicted(13, 0, 0.9)]
    edit = edits.pre_annotate(start, "m", again, DetectionFilter(0.4))
    assert edit.annotations == (AnnotationChange(IMAGE, None, again[0]),)
    fewer = edits.pre_annotate(start, "m", again[2:], DetectionFilter(0.8))
    assert fewer.annotations == (AnnotationChange(IMAGE, start.annotations[2], None),)


@pytest.mark.parametrize(
    "other",
    [
        replace(predicted(9), model_id="n"),
        replace(predicted(9), category_id=2),
        predicted(9, score=0.51),
        predicted(9, left=1),
    ],
)
def test_another_detection_takes_the_place_of_what_is_shown(other: Annotation) -> None:
    start = content(ImageState.PREDICTED, predicted(1))
    result = after(start, edits.pre_annotate(start, "m", [other], DetectionFilter(0.5)))
    assert result.annotations == {9: other}


def test_what_comes_with_the_id_of_what_stands_there_is_changed_in_its_place() -> None:
    hidden = replace(predicted(1, 0), hidden=True, z=3)
    start = content(ImageState.PREDICTED, hidden, predicted(2, 40))
    wider = replace(hidden, segmentation=square(0, 12))
    edit = edits.pre_annotate(
        start, "m", [wider, predicted(8, 40)], DetectionFilter(mask_threshold=0.4)
    )
    assert edit.annotations == (AnnotationChange(IMAGE, hidden, wider),)
    assert after(after(start, edit), edit.inverse()).annotations == start.annotations


def test_pre_annotating_twice_changes_nothing_the_second_time() -> None:
    once = after(
        content(), edits.pre_annotate(content(), "m", [predicted(1)], DetectionFilter(0.5))
    )
    assert not edits.pre_annotate(once, "m", [predicted(2)], DetectionFilter(0.5))


# All of it, in any order


def random_edit(world: World, kind: int, pick: Sequence[int], next_id: int) -> Edit:
    """Make one of the edits there are; `pick` says which annotations and how."""
    here = world.content()
    chosen = [i for n, i in enumerate(here.annotations) if n in pick]
    left = float(pick[0])
    match kind:
        case 0:
            return edits.add(here, [drawn(next_id, left), drawn(next_id + 1, left + 1)])
        case 1:
            moved = [replace(here.annotations[i], segmentation=square(left)) for i in chosen]
            return edits.change(here, moved, "Move")
        case 2:
            return edits.delete(here, chosen)
        case 3:
            return edits.verify(here)
        case 4:
            # Nobody can call an image new that something stands on.
            states = [s for s in ImageState if s is not ImageState.NEW or not here.annotations]
            return edits.set_state(here, states[pick[0] % len(states)], "Set")
        case 5:
            new = [predicted(next_id + n, place, place / 10) for n, place in enumerate(set(pick))]
            return edits.pre_annotate(here, "mn"[pick[0] % 2], new, DetectionFilter(left / 10))
    category = Category(next_id, f"category {next_id}")
    known = list(world.categories.values())
    gone = CategoryChange(known[0], None) if known and pick[0] % 2 else None
    return Edit("Category", categories=(gone or CategoryChange(None, category),))


@settings(deadline=None, max_examples=120)
@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.lists(st.integers(0, 7), min_size=1, max_size=4)),
        max_size=20,
    )
)
def test_any_run_of_edits_can_be_taken_back_and_done_again(
    steps: list[tuple[int, list[int]]],
) -> None:
    world = World()
    worlds, done = [world.copy()], []
    for number, (kind, pick) in enumerate(steps):
        touched = {i: a for i, a in world.annotations.items() if a.touched}
        edit = random_edit(world, kind, pick, 10 * number + 1)
        world.apply(edit)
        if edit.author != edits.PERSON:
            assert touched.items() <= world.annotations.items()
        done.append(edit)
        worlds.append(world.copy())
    for edit, before in zip(reversed(done), reversed(worlds[:-1]), strict=True):
        back = edit.inverse()
        assert rebasing.rebased(back, {IMAGE: world.content()}) == back
        world.apply(back)
        assert world == before
    for edit, later in zip(done, worlds[1:], strict=True):
        assert rebasing.rebased(edit, {IMAGE: world.content()}) == edit
        world.apply(edit)
        assert world == later
