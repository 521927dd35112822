"""Small objects of large images are seen in parts, and what is answered lies where it was asked."""

import pytest

from maskstudio.annotation.tiling import Sight
from maskstudio.session.prompting import Prompter

# Of a.png, 100 x 80, a quarter of each side is left: boxes of less than 64 pixels are seen in parts
# of 20 pixels a side or, if they are larger than 10 pixels, in twice their own.
FEW = Sight(20, 40, 8)


@pytest.fixture
def prompter(studio):
    studio.model.sight = FEW
    return Prompter(studio.session, studio.tasks, studio.annotator, lambda: None, lambda _: ())


def ask(prompter, qtbot, box):
    prompter.ask(box)
    qtbot.waitUntil(lambda: not prompter.waiting)
    return prompter.offer


def test_a_large_box_is_answered_from_the_whole_image(studio, prompter, qtbot):
    ask(prompter, qtbot, (10, 5, 90, 75))
    assert studio.model.calls == [(80, 100)]


@pytest.mark.parametrize("box", [(60, 50, 70, 60), (2, 3, 12, 12), (91, 70, 99, 79)])
def test_a_small_one_from_a_part_around_it(studio, prompter, qtbot, box):
    offer = ask(prompter, qtbot, box)
    assert studio.model.calls == [(20, 20)]
    assert offer.box == box
    assert offer.likeliest.box == pytest.approx(box, abs=2)
    prompter.take()
    (annotation,) = studio.session.annotations.values()
    assert annotation.box == pytest.approx(box, abs=2)


def test_its_neighbours_are_answered_from_the_same_part(studio, prompter, qtbot):
    ask(prompter, qtbot, (60, 50, 66, 56))
    offer = ask(prompter, qtbot, (62, 52, 68, 58))
    assert len(studio.model.calls) == 1
    assert offer.likeliest.box == pytest.approx((62, 52, 68, 58), abs=2)
    ask(prompter, qtbot, (10, 10, 16, 16))
    assert len(studio.model.calls) == 2


def test_a_part_of_another_image_is_another(studio, prompter, qtbot):
    ask(prompter, qtbot, (30, 30, 36, 36))
    studio.show("b.png")
    studio.model.sight = Sight(16, 32, 8)
    ask(prompter, qtbot, (30, 30, 36, 36))
    assert len(studio.model.calls) == 2


def test_an_image_that_was_seen_whole_is_asked_whole(studio, prompter, qtbot):
    ask(prompter, qtbot, (10, 5, 90, 75))
    offer = ask(prompter, qtbot, (60, 50, 70, 60))
    prompter.ask_at((20.0, 20.0))
    qtbot.waitUntil(lambda: not prompter.waiting)
    assert studio.model.calls == [(80, 100)]
    assert offer.likeliest.box == pytest.approx((60, 50, 70, 60), abs=2)


@pytest.mark.parametrize(("sight", "seen"), [(FEW, (80, 100)), (Sight(16, 32, 8), (16, 16))])
def test_a_place_is_asked_about_in_the_whole_image_unless_it_is_shrunk_too_much(
    studio, prompter, qtbot, sight, seen
):
    studio.model.sight = sight
    prompter.ask_at((20.0, 20.0))
    qtbot.waitUntil(lambda: not prompter.waiting)
    assert studio.model.calls == [seen]
