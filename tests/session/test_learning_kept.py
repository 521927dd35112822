"""What was learned is kept, lets past all that is to be done, and stops where it cannot go on."""

import pytest

from maskstudio.annotation.segmentation import Segmentation
from maskstudio.session import operations
from maskstudio.session.learning_memory import LearningMemory
from maskstudio.session.look_ahead import LookAhead
from maskstudio.session.tasks import Callbacks, LaneName, Priority
from maskstudio.storage.detections import read_detections
from maskstudio.storage.model_folder import model_file
from support.gates import Gate
from support.learners import STEPS
from support.taught import Labeler, one_disc, pictures, write_pictures


@pytest.fixture
def begin(qtbot, tmp_path):
    """Return what puts somebody in front of the first picture, with a model that learns."""
    made = []
    folder = write_pictures(tmp_path / "many")

    def start(*, read_only=False, after=one_disc):
        made.append(Labeler(qtbot, after))
        made[-1].open(folder, read_only=read_only)
        return made[-1]

    yield start
    for labeler in made:
        labeler.close()


@pytest.fixture
def labeler(begin):
    return begin()


# What is kept


def test_what_was_learned_is_a_model_of_its_own_and_taken_up_again(begin):
    first = begin()
    first.finish(*pictures(5))
    assert model_file("fake + many").exists()
    steps = first.model.learners[0].steps
    seconds = first.learning.state.seconds
    first.close()

    again = begin()
    again.rest()
    assert again.learning.in_use
    assert again.annotator.model.model_id == "fake + many"
    assert again.model.learners[0].steps == steps
    assert again.learning.state.seconds == seconds > 0
    assert again.learning.state.images == 5
    assert again.model.learners[0].taught == []


def test_a_model_of_that_name_is_left_alone(begin):
    model_file("fake + many").parent.mkdir(parents=True)
    model_file("fake + many").write_text("somebody's")
    studio = begin()
    studio.finish(*pictures(5))
    assert model_file("fake + many").read_text() == "somebody's"
    assert studio.annotator.model.model_id == "fake + many 2"
    assert model_file("fake + many 2").exists()


@pytest.mark.parametrize("start", ["fake", "fake + many", "fake + many 2"])
def test_what_learns_on_gets_a_number_and_not_the_name_of_the_project_again(labeler, start):
    memory = LearningMemory(labeler.session)
    assert memory.kept("fake").name == "fake + many"
    model_file("fake + many").parent.mkdir(parents=True)
    model_file("fake + many").touch()
    assert memory.kept(start).name == "fake + many 2"


# Whom it lets past


@pytest.mark.parametrize("priority", [Priority.NOW, Priority.BATCH])
def test_all_that_is_to_be_done_is_done_between_two_steps(labeler, priority):
    labeler.show("0.png")
    labeler.predict_image()
    gate = Gate()
    learners = labeler.model.learner

    def held(names, folder):
        made = learners(names, folder)
        made.gate = gate
        return made

    labeler.model.learner = held
    operations.verify(labeler.session)
    labeler.until(gate.reached.is_set)
    order = []
    labeler.tasks.submit(
        LaneName.MODEL,
        lambda _: labeler.model.learners[0].steps,
        Callbacks(order.append),
        priority,
    )
    gate.opened.set()
    labeler.until(lambda: order)
    assert order[0] < STEPS
    labeler.rest()


def test_images_ahead_are_done_again_and_what_a_person_touched_is_not(begin, qtbot):
    studio = begin()
    ahead = LookAhead(studio.session, studio.tasks, studio.annotator, studio.filtering)

    def settled():
        qtbot.waitUntil(lambda: not (ahead.busy or studio.learning.busy))

    studio.predict_folder()
    studio.show("7.png")
    studio.session.select([studio.by_score("7.png")[0].id])
    operations.move(studio.session, studio.session.selection, 5, 5)
    mine = studio.on("7.png")
    studio.finish(*pictures(5))
    ahead.switch(on=True)
    settled()
    assert {a.model_id for a in studio.on("6.png").values()} == {"fake"}
    studio.show("6.png")
    settled()
    assert [a.model_id for a in studio.on("6.png").values()] == ["fake + many"]
    studio.show("7.png")
    settled()
    assert studio.on("7.png") == mine


def test_what_was_found_ahead_gives_way_to_what_was_learned(begin, qtbot):
    studio = begin()
    ahead = LookAhead(studio.session, studio.tasks, studio.annotator, studio.filtering)

    def settled():
        qtbot.waitUntil(lambda: not (ahead.busy or studio.learning.busy))

    studio.finish(*pictures(4))
    ahead.switch(on=True)
    studio.show("4.png")
    settled()
    before = read_detections(studio.session.folder, studio.image("5.png"))
    assert before.model_id == "fake"
    studio.finish("4.png")
    assert studio.learning.in_use
    settled()
    assert studio.on("5.png") == {}
    studio.show("5.png")
    settled()
    assert [a.model_id for a in studio.on("5.png").values()] == ["fake + many"]


def test_what_the_person_looks_at_does_not_change_before_his_eyes(begin, qtbot):
    studio = begin()
    ahead = LookAhead(studio.session, studio.tasks, studio.annotator, studio.filtering)
    studio.predict_folder()
    ahead.switch(on=True)
    studio.finish(*pictures(4))
    studio.show("7.png")
    before = studio.on("7.png")
    studio.show("4.png")
    wrong = studio.by_score("4.png")[1:]
    studio.session.select(a.id for a in wrong)
    operations.delete_selected(studio.session)
    operations.verify(studio.session)
    studio.show("7.png")
    qtbot.waitUntil(lambda: studio.learning.in_use)
    qtbot.waitUntil(lambda: not (ahead.busy or studio.learning.busy))
    assert studio.on("7.png") == before


def test_while_something_else_needs_the_processor_images_are_taken_up_and_not_learned(labeler):
    for who in ("training", "comparing"):
        labeler.learning.rest(who, on=True)
    labeler.finish(*pictures(4))
    (learner,) = labeler.model.learners
    assert len(learner.taught) == 4
    labeler.learning.rest("training", on=False)
    labeler.rest()
    assert learner.steps == 0
    labeler.learning.rest("comparing", on=False)
    labeler.rest()
    assert learner.steps > 0


def test_an_image_changed_while_it_is_taught_is_taught_again(labeler):
    labeler.show("0.png")
    labeler.predict_image()
    labeler.model.hold.set()
    labeler.model.calls.clear()
    operations.verify(labeler.session)
    labeler.show("1.png")
    operations.verify(labeler.session)
    labeler.until(lambda: labeler.model.calls)
    labeler.show("0.png")
    labeler.session.select(labeler.on("0.png"))
    operations.delete_selected(labeler.session)
    labeler.show("1.png")
    corner = Segmentation.from_rings([(70, 50), (90, 50), (90, 70)])
    operations.draw(labeler.session, corner, None)
    labeler.model.release.set()
    labeler.rest()
    truths = labeler.model.learners[0].truths
    assert [len(truths[labeler.image(name)]) for name in pictures(2)] == [0, 1]


# When it cannot


def test_a_model_that_cannot_learn_says_why(begin):
    studio = begin()
    studio.model.why_not_learning = "it finds boxes only"
    studio.finish("0.png")
    assert studio.learning.state.problem == "fake cannot learn: it finds boxes only."
    assert studio.problems == []


def test_a_project_open_for_reading_is_not_learned_from(begin):
    first = begin()
    first.learning.switch(on=False)
    first.finish("0.png")
    first.close()
    studio = begin(read_only=True)
    studio.rest()
    studio.learning.switch(on=True)
    assert not studio.learning.on
    assert studio.model.learners == []


def test_after_three_images_in_a_row_that_failed_it_stops_and_says_why(labeler):
    labeler.finish("0.png")
    learner = labeler.model.learners[0]
    learner.fails = "The disk is full."
    labeler.finish(*pictures(3, 1))
    assert labeler.learning.state.problem == "The disk is full."
    learner.fails = ""
    labeler.learning.switch(on=True)
    labeler.finish("4.png")
    assert labeler.learning.state.problem == ""
    assert labeler.image("4.png") in learner.taught
