"""The images ahead are done while a person works on one, and get what was found on arrival."""

from functools import partial

import pytest

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.errors import UserError
from maskstudio.session import operations
from maskstudio.session.look_ahead import LookAhead
from maskstudio.storage.detections import read_detections
from support.fakes import disc_detections
from support.pictures import write_picture

COUNT = 8
CORNER = Segmentation.from_rings([(70, 50), (90, 50), (90, 70)])


@pytest.fixture
def many(tmp_path):
    """Pictures each of another width, by which the model's calls are told apart."""
    folder = tmp_path / "many"
    for number in range(COUNT):
        write_picture(folder / f"{number}.png", 80, 100 + number)
    return folder


@pytest.fixture
def begin(make_studio, many, qtbot):
    """Return what puts somebody in front of the first picture, with a model loaded."""

    def start(load=None, *, on=True, **options):
        studio = make_studio(load)
        studio.look_ahead = LookAhead(
            studio.session, studio.tasks, studio.annotator, studio.filtering, **options
        )
        studio.look_ahead.problem.connect(studio.problems.append)
        if load is None:
            with qtbot.waitSignal(studio.annotator.model_loaded):
                studio.annotator.use_model("fake")
        studio.open(many)
        if on:
            studio.look_ahead.switch(on=True)
        return studio

    return start


@pytest.fixture
def labeler(begin, qtbot):
    """Somebody at the first picture, when the model has nothing left to do."""
    studio = begin()
    rest(qtbot, studio)
    return studio


def rest(qtbot, studio):
    """Wait until the model has nothing left to do."""
    qtbot.waitUntil(lambda: not (studio.look_ahead.busy or studio.annotator.running))


def looked_at(studio):
    """The numbers of the pictures the model was given, in order."""
    return [width - 100 for _, width in studio.model.calls]


def go(qtbot, studio, name):
    studio.show(name)
    rest(qtbot, studio)


# What is done ahead


def test_the_current_image_and_the_next_three_are_done_the_nearest_first(labeler):
    assert looked_at(labeler) == [0, 1, 2, 3]
    assert labeler.state("0.png") is ImageState.PREDICTED
    for name in ("1.png", "2.png", "3.png"):
        assert labeler.on(name) == {}
        assert labeler.state(name) is ImageState.NEW
        assert len(read_detections(labeler.session.folder, labeler.image(name))) == 3


def test_on_arrival_what_was_found_is_put_on_the_image_without_the_model(labeler, qtbot):
    before = len(labeler.model.calls)
    labeler.model.hold.set()
    labeler.show("1.png")
    qtbot.waitUntil(lambda: len(labeler.on("1.png")) == 2)
    assert all(a.is_pre_annotation for a in labeler.on("1.png").values())
    assert labeler.state("1.png") is ImageState.PREDICTED
    assert 1 not in looked_at(labeler)[before:]
    labeler.model.release.set()


def test_it_never_stands_between_a_person_and_an_undo(labeler, qtbot):
    operations.draw(labeler.session, CORNER, None)
    go(qtbot, labeler, "1.png")
    assert labeler.session.history().undo == "Draw"


def test_each_step_brings_one_more_image(labeler, qtbot):
    for number in range(1, 4):
        go(qtbot, labeler, f"{number}.png")
        assert looked_at(labeler) == list(range(number + 4))


def test_it_looks_the_way_the_person_goes(begin, qtbot):
    labeler = begin(on=False)
    labeler.show("6.png")
    labeler.show("5.png")
    labeler.look_ahead.switch(on=True)
    rest(qtbot, labeler)
    assert looked_at(labeler) == [5, 4, 3, 2]


def test_it_follows_the_list_as_it_is_sorted_and_filtered(begin, qtbot):
    from dataclasses import replace

    labeler = begin(on=False)
    order = labeler.session.order
    order.ask(replace(order.query, descending=True))
    labeler.show("6.png")
    labeler.look_ahead.switch(on=True)
    rest(qtbot, labeler)
    assert looked_at(labeler) == [6, 5, 4, 3]


def test_what_is_no_longer_ahead_is_dropped_for_the_image_the_person_went_to(begin, qtbot):
    labeler = begin(on=False)
    labeler.model.hold.set()
    labeler.look_ahead.switch(on=True)
    labeler.model.let_through()
    qtbot.waitUntil(lambda: looked_at(labeler) == [0, 1])
    labeler.show("6.png")
    qtbot.waitUntil(lambda: looked_at(labeler) == [0, 1, 6])
    labeler.model.release.set()
    rest(qtbot, labeler)
    assert looked_at(labeler) == [0, 1, 6, 7]
    assert len(labeler.on("6.png")) == 2
    assert labeler.on("1.png") == {}


def test_the_image_a_person_came_to_goes_before_the_one_ahead_that_is_being_done(begin, qtbot):
    labeler = begin(on=False)
    labeler.model.hold.set()
    labeler.look_ahead.switch(on=True)
    labeler.model.let_through()
    qtbot.waitUntil(lambda: looked_at(labeler) == [0, 1])
    labeler.show("3.png")
    labeler.show("2.png")
    qtbot.waitUntil(lambda: looked_at(labeler) == [0, 1, 2])
    labeler.model.let_through()
    qtbot.waitUntil(lambda: len(labeler.on("2.png")) == 2)
    labeler.model.release.set()
    rest(qtbot, labeler)


def test_what_an_earlier_session_kept_is_not_looked_for_again(labeler, begin, qtbot):
    labeler.close()
    again = begin(on=False)
    rest(qtbot, again)
    assert again.look_ahead.on
    go(qtbot, again, "1.png")
    assert len(again.on("1.png")) == 2
    # 0 and 1 are looked at for boxes a person may draw, 4 and so on because they are next.
    assert {2, 3}.isdisjoint(looked_at(again))


def test_more_than_the_budget_is_traced_again_and_not_looked_at_again(begin, qtbot):
    labeler = begin(budget_bytes=1)
    rest(qtbot, labeler)
    for number in range(1, 4):
        go(qtbot, labeler, f"{number}.png")
        assert len(labeler.on(f"{number}.png")) == 2
    assert sorted(set(looked_at(labeler))) == list(range(7))


def test_the_features_of_the_current_image_are_at_hand(labeler, qtbot):
    for name in ("1.png", "3.png"):
        go(qtbot, labeler, name)
        task = labeler.annotator.image_task(labeler.image(name))
        assert labeler.annotator.holder.has_looked(task)


# What it leaves alone


def draw_corner(session):
    operations.draw(session, CORNER, None)


@pytest.mark.parametrize("do", [operations.verify, operations.skip, draw_corner])
def test_an_image_that_is_not_new_any_more_is_left_as_it_is(begin, qtbot, do):
    labeler = begin(on=False)
    labeler.show("1.png")
    do(labeler.session)
    before, state = labeler.on("1.png"), labeler.state("1.png")
    labeler.show("0.png")
    labeler.look_ahead.switch(on=True)
    rest(qtbot, labeler)
    go(qtbot, labeler, "1.png")
    assert labeler.on("1.png") == before
    assert labeler.state("1.png") is state


def test_an_image_verified_before_its_result_comes_is_left_as_it_is(begin, qtbot):
    labeler = begin(on=False)
    labeler.model.hold.set()
    labeler.look_ahead.switch(on=True)
    qtbot.waitUntil(labeler.model.started.is_set)
    operations.verify(labeler.session)
    labeler.model.release.set()
    rest(qtbot, labeler)
    assert labeler.state("0.png") is ImageState.EMPTY
    assert labeler.on("0.png") == {}


def test_what_a_person_undid_is_not_done_again(begin, qtbot):
    labeler = begin(on=False)
    labeler.predict_image()
    labeler.session.undo()
    labeler.look_ahead.switch(on=True)
    rest(qtbot, labeler)
    go(qtbot, labeler, "1.png")
    go(qtbot, labeler, "0.png")
    assert labeler.state("0.png") is ImageState.NEW
    assert labeler.on("0.png") == {}


def test_switched_off_nothing_is_looked_at_and_nothing_put_on(labeler, qtbot):
    labeler.look_ahead.switch(on=False)
    calls = len(labeler.model.calls)
    go(qtbot, labeler, "1.png")
    go(qtbot, labeler, "5.png")
    assert labeler.on("1.png") == {}
    assert len(labeler.model.calls) == calls


def test_a_project_open_for_reading_is_not_looked_at(labeler, make_studio, many, qtbot):
    reader = make_studio(None)
    ahead = LookAhead(reader.session, reader.tasks, reader.annotator, reader.filtering)
    with qtbot.waitSignal(reader.annotator.model_loaded):
        reader.annotator.use_model("fake")
    reader.open(many, read_only=True)
    ahead.switch(on=True)
    assert not ahead.on
    qtbot.waitUntil(lambda: not ahead.busy)
    assert reader.model.calls == []


# When it is on


def test_who_never_asks_for_pre_annotations_gets_none(begin, qtbot):
    labeler = begin(on=False)
    for number in range(4):
        go(qtbot, labeler, f"{number}.png")
    assert not labeler.look_ahead.on
    assert labeler.model.calls == []


def test_the_first_image_a_person_has_pre_annotated_switches_it_on(begin, qtbot):
    labeler = begin(on=False)
    labeler.predict_image()
    assert labeler.look_ahead.on
    rest(qtbot, labeler)
    go(qtbot, labeler, "1.png")
    assert len(labeler.on("1.png")) == 2


def test_who_switched_it_off_is_not_overruled_also_after_a_restart(labeler, begin, qtbot):
    labeler.look_ahead.switch(on=False)
    labeler.show("5.png")
    labeler.predict_image()
    assert not labeler.look_ahead.on
    labeler.close()
    again = begin(on=False)
    again.predict_image()
    assert not again.look_ahead.on


def test_it_belongs_to_the_project(labeler, folder):
    labeler.open(folder)
    assert not labeler.look_ahead.on


# What goes wrong


def test_an_image_that_fails_is_tried_once_and_said_when_the_person_comes_to_it(begin, many, qtbot):
    (many / "2.png").write_bytes((many / "2.png").read_bytes()[:100])
    labeler = begin()
    rest(qtbot, labeler)
    assert labeler.problems == []
    for name in ("1.png", "2.png", "3.png", "2.png"):
        go(qtbot, labeler, name)
    assert ["2.png is damaged" in sentence for sentence in labeler.problems] == [True]
    assert len(labeler.on("3.png")) == 2


def test_an_image_the_model_cannot_do_is_not_tried_for_ever(begin, qtbot):
    labeler = begin(on=False)
    good = labeler.model.detect

    def detect(size):
        if size[1] == 101:
            raise UserError("This image is too narrow.")
        return good(size)

    labeler.model.detect = detect
    labeler.look_ahead.switch(on=True)
    rest(qtbot, labeler)
    for name in ("1.png", "2.png", "1.png", "2.png"):
        go(qtbot, labeler, name)
    assert looked_at(labeler).count(1) == 1
    assert labeler.problems == ["This image is too narrow."]


def test_without_a_model_nothing_is_tried_for_ever(begin, qtbot):
    tried = []

    def load(name):
        tried.append(name)
        raise UserError("There is no model.")

    labeler = begin(load)
    labeler.annotator.use_model("fake")
    qtbot.waitUntil(lambda: labeler.problems == ["There is no model."])
    for number in range(4):
        go(qtbot, labeler, f"{number}.png")
    assert len(tried) == 1
    assert labeler.problems == ["There is no model."]


def test_another_model_looks_anew(labeler, qtbot):
    labeler.model.model_id = "newer"
    labeler.model.detect = partial(disc_detections, model_id="newer", scores=(0.8, 0.7, 0.6))
    with qtbot.waitSignal(labeler.annotator.model_loaded):
        labeler.annotator.use_model("newer")
    rest(qtbot, labeler)
    go(qtbot, labeler, "1.png")
    assert {a.model_id for a in labeler.on("1.png").values()} == {"newer"}
    assert len(labeler.on("1.png")) == 3
    # What the model before put on an image stays until the person asks.
    assert {a.model_id for a in labeler.on("0.png").values()} == {"fake"}


def test_another_folder_in_the_middle_gets_nothing_of_the_one_before(begin, folder, qtbot):
    labeler = begin(on=False)
    labeler.model.hold.set()
    labeler.look_ahead.switch(on=True)
    qtbot.waitUntil(labeler.model.started.is_set)
    labeler.open(folder)
    labeler.model.release.set()
    rest(qtbot, labeler)
    assert labeler.on("a.png") == {}
    assert labeler.look_ahead.on is False
