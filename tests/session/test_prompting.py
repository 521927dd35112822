"""Asking the model about boxes, without a window."""

import pytest

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.category_map import Goal
from maskstudio.annotation.edits import Edit
from maskstudio.session import operations
from support.desk import BOX, KINDS, OTHER, Desk
from support.fakes import BOXES
from support.pictures import write_picture


@pytest.fixture
def desk(studio, qtbot):
    return Desk(studio, qtbot)


# A box


def test_a_box_is_offered_as_an_outline_and_nothing_is_changed_yet(desk):
    desk.ask()
    assert desk.prompter.offer.box == BOX
    assert desk.prompter.offer.likeliest.box == pytest.approx(BOX, abs=3)
    assert [c.category.name for c in desk.prompter.offer.choices] == ["cell"]
    assert desk.annotations == []
    assert desk.session.history().undo is None


def test_taking_it_makes_a_persons_annotation_in_one_step(desk):
    desk.ask()
    outline = desk.prompter.offer.likeliest
    assert desk.prompter.take()
    (annotation,) = desk.annotations
    assert annotation.segmentation == outline
    assert desk.name(annotation) == "cell"
    assert (annotation.model_id, annotation.score) == ("fake", 0.5)
    assert annotation.touched
    assert not annotation.is_replaceable
    assert desk.session.selection == {annotation.id}
    assert desk.prompter.offer is None
    assert desk.studio.state("a.png") is ImageState.EDITED
    desk.session.undo()
    assert desk.annotations == []
    assert desk.session.categories == ()
    assert desk.session.history().undo is None
    desk.session.redo()
    assert desk.annotations == [annotation]
    assert [category.name for category in desk.session.categories] == ["cell"]


def test_no_run_of_the_model_takes_it_away(desk):
    desk.ask(BOXES[0])
    desk.prompter.take()
    (mine,) = desk.annotations
    desk.studio.predict_image()
    assert desk.session.annotations[mine.id] == mine
    assert len(desk.annotations) == 2  # the one at 0.6 beside it


def test_the_likeliest_three_can_each_be_taken(desk):
    desk.knows(*KINDS)
    for choice, name in enumerate(("cell", "debris", "scratch")):
        desk.ask()
        offered = [c.category.name for c in desk.prompter.offer.choices]
        assert offered == ["cell", "debris", "scratch"]
        assert desk.prompter.take(choice)
        assert desk.name(desk.annotations[-1]) == name
    assert not desk.prompter.take(1)


def test_a_category_the_model_did_not_name_can_be_taken(desk):
    (mine,) = desk.add_categories("mine")
    desk.ask()
    assert desk.prompter.take_as(mine)
    (annotation,) = desk.annotations
    assert (annotation.category_id, annotation.score) == (mine, None)
    assert not desk.prompter.take_as(mine)


def test_a_category_is_made_only_when_it_is_taken(desk):
    desk.knows(*KINDS)
    desk.ask()
    assert desk.session.categories == ()
    desk.prompter.take(1)
    assert [c.name for c in desk.session.categories] == ["debris"]


def test_the_projects_own_categories_are_offered(desk):
    desk.knows(*KINDS)
    (junk,) = desk.add_categories("junk")
    rules = desk.session.category_maps.of("fake")
    send = rules.rule("debris").to(Goal.CATEGORY, junk)
    also = rules.rule("scratch").to(Goal.CATEGORY, junk)
    ignore = rules.rule("cell").to(Goal.IGNORE)
    changes = {"debris": send, "scratch": also, "cell": ignore}
    desk.session.edit(Edit("map", rules=tuple(rules.change(n, r) for n, r in changes.items())))
    desk.ask()
    (choice,) = desk.prompter.offer.choices
    assert choice.category.id == junk
    assert choice.score == pytest.approx(0.25 + 0.125)


def test_where_all_is_ignored_the_category_in_use_is_taken(desk):
    (mine,) = desk.add_categories("mine")
    rules = desk.session.category_maps.of("fake")
    change = rules.change("cell", rules.rule("cell").to(Goal.IGNORE))
    desk.session.edit(Edit("map", rules=(change,)))
    desk.chosen = mine
    desk.ask()
    assert desk.prompter.offer.choices == ()
    assert desk.prompter.take()
    assert desk.annotations[0].category_id == mine


def test_what_is_offered_can_be_dropped(desk):
    desk.ask()
    assert desk.prompter.open
    assert desk.prompter.drop()
    assert not desk.prompter.open
    assert not desk.prompter.take()
    assert not desk.prompter.drop()
    assert desk.annotations == []


# Box after box


def test_the_next_box_takes_what_is_offered(desk):
    desk.ask()
    desk.ask(OTHER)
    assert len(desk.annotations) == 1
    assert desk.prompter.offer.box == OTHER
    desk.prompter.take()
    assert len(desk.annotations) == 2
    desk.session.undo()
    assert len(desk.annotations) == 1


def test_boxes_drawn_while_the_model_looks_wait_in_order(desk):
    desk.hold()
    desk.prompter.ask(BOX)
    desk.prompter.ask(OTHER)
    desk.until(desk.model.started.is_set)
    assert [prompt.box for prompt in desk.prompter.waiting] == [BOX, OTHER]
    assert not desk.prompter.has_looked
    desk.release()
    desk.answered()
    (first,) = desk.annotations
    assert first.box == pytest.approx(BOX, abs=3)
    assert desk.prompter.offer.box == OTHER
    assert len(desk.model.calls) == 1


def test_the_box_drawn_last_is_the_one_dropped_while_both_wait(desk):
    desk.hold()
    desk.prompter.ask(BOX)
    desk.prompter.ask(OTHER)
    desk.until(desk.model.started.is_set)
    assert desk.prompter.drop()
    assert not desk.prompter.drop()  # the first was as good as taken when the second was drawn
    desk.release()
    desk.answered()
    assert desk.prompter.offer is None
    assert len(desk.annotations) == 1


def test_asking_instead_drops_the_box_before(desk):
    desk.ask()
    desk.prompter.ask_instead(OTHER)
    desk.answered()
    assert desk.annotations == []
    assert desk.prompter.offer.box == OTHER


# The features


def test_the_image_is_looked_at_once(desk):
    for box in (BOX, OTHER, BOX):
        desk.ask(box)
    assert len(desk.model.calls) == 1
    assert desk.prompter.has_looked


def test_with_the_tool_in_hand_this_image_and_the_next_are_looked_at_ahead(desk):
    desk.prompter.set_in_hand(True)
    desk.until(lambda: len(desk.model.calls) == 2)
    assert desk.model.calls == [(80, 100), (64, 64)]
    desk.studio.show("b.png")
    assert desk.prompter.has_looked
    desk.until(lambda: len(desk.model.calls) == 3)
    desk.prompter.set_in_hand(False)
    desk.studio.show("a.png")
    desk.ask()
    assert len(desk.model.calls) == 3


def test_an_image_that_cannot_be_read_is_passed_over(desk):
    desk.session.path(desk.session.current.id).write_bytes(b"no image")
    desk.prompter.set_in_hand(True)
    desk.until(lambda: desk.model.calls)
    assert desk.model.calls == [(64, 64)]
    assert desk.studio.problems == []


def test_a_box_drawn_while_that_is_going_on_waits_for_it(desk):
    desk.hold()
    desk.prompter.set_in_hand(True)
    desk.until(desk.model.started.is_set)
    desk.prompter.ask(BOX)
    assert len(desk.prompter.waiting) == 1
    desk.release()
    desk.answered()
    assert desk.prompter.offer is not None
    assert desk.model.calls.count((80, 100)) == 1


def test_another_model_looks_for_itself(desk, qtbot):
    desk.ask()
    with qtbot.waitSignal(desk.studio.annotator.model_loaded):
        desk.studio.annotator.use_model("another")
    assert not desk.prompter.has_looked
    desk.ask()
    assert len(desk.model.calls) == 2


# Another image


def test_what_is_offered_is_taken_when_the_image_is_left(desk):
    desk.ask()
    desk.studio.show("b.png")
    (annotation,) = desk.studio.on("a.png").values()
    assert annotation.touched
    assert desk.annotations == []
    assert desk.prompter.offer is None
    desk.session.undo()
    assert desk.session.current.path == "a.png"
    assert desk.annotations == []


@pytest.mark.parametrize("verified", [False, True])
def test_what_comes_after_the_image_was_left_is_kept_to_be_looked_at(desk, verified):
    desk.hold()
    desk.prompter.ask(BOX)
    desk.until(desk.model.started.is_set)
    if verified:
        operations.verify(desk.session)
    desk.studio.show("b.png")
    assert desk.prompter.waiting == ()
    desk.release()
    desk.until(lambda: desk.studio.on("a.png"))
    (annotation,) = desk.studio.on("a.png").values()
    assert annotation.is_pre_annotation
    assert desk.studio.state("a.png") is ImageState.EDITED
    assert desk.annotations == []
    (sentence,) = desk.told
    assert "a.png" in sentence
    # No undo on this image brings the person back to that one.
    assert desk.session.history().undo == ("Verify image" if verified else None)


def test_nothing_is_offered_on_another_folder(desk, tmp_path):
    desk.hold()
    desk.prompter.ask(BOX)
    desk.until(desk.model.started.is_set)
    write_picture(tmp_path / "elsewhere" / "d.png", 64, 64)
    desk.studio.open(tmp_path / "elsewhere")
    desk.release()
    desk.ask((5, 5, 30, 30))
    assert desk.prompter.take()
    assert len(desk.annotations) == 1
    assert desk.studio.problems == []


def test_what_is_offered_is_kept_when_the_folder_is_closed(desk, folder):
    desk.ask()
    desk.session.close()
    desk.studio.open(folder)
    assert len(desk.studio.on("a.png")) == 1
