"""A training run from the window's side: begun, followed, paused, stopped, broken off, gone on."""

import sys

import numpy as np
import pytest

from maskstudio.annotation.segmentation import Segmentation
from maskstudio.progress import TaskContext
from maskstudio.session import operations
from maskstudio.session.splitting import remembered_parts
from maskstudio.session.training import Training
from maskstudio.session.training_choice import TrainingChoice
from maskstudio.session.training_course import TrainingCourse
from maskstudio.session.training_outlook import look_at
from maskstudio.session.training_pictures import draw_sample
from maskstudio.session.training_planning import TrainingPlanning
from maskstudio.storage.training_events import Outline, RunState, Sample, Step, Validation
from maskstudio.storage.training_runs import holding, runs_folder
from support.outlines import SQUARE, put
from support.training import COMMAND

CORNER = Segmentation.from_rings([(5, 5), (15, 5), (15, 15), (5, 15)])


@pytest.fixture
def verified(studio):
    """A studio with two images verified, three annotations on them."""
    put(studio.session, SQUARE, CORNER)
    operations.verify(studio.session)
    studio.show("b.png")
    put(studio.session, CORNER)
    operations.verify(studio.session)
    return studio


@pytest.fixture
def begin(verified):
    """Return what begins a run of a name."""
    made = []

    def one(name, command=COMMAND):
        training = Training(verified.session, verified.tasks, command, verified.session)
        training.start(TrainingChoice("nuclei", name))
        made.append(training)
        return training

    yield one
    for training in made:
        training.let_go(10)


@pytest.fixture
def measured(begin, verified):
    """Return what begins a run and waits until it has told all it tells by itself."""

    def one(name):
        training = begin(name)
        verified.until(lambda: training.course and training.course.samples)
        return training

    return one


def ended(studio, training):
    studio.until(lambda: not training.running)


def test_a_run_tells_of_its_steps_its_figures_and_its_samples(measured):
    course = measured("cells").course
    assert course.plan.images == 4
    assert list(course.iterations) == [1, 2, 3]
    assert list(course.losses) == [2.0, 1.0, pytest.approx(2 / 3)]
    assert course.best.mask["AP"] == 0.5
    assert course.share == pytest.approx(0.3)
    assert [s.found[0].score for s in course.samples.values()] == [0.9]


def test_the_images_have_their_parts_before_it_begins(measured, verified):
    assert not remembered_parts(verified.session.database)
    measured("cells")
    assert set(remembered_parts(verified.session.database).values()) <= {"train", "val"}
    assert len(remembered_parts(verified.session.database)) == 2


def test_it_is_paused_and_goes_on(measured, verified):
    training = measured("cells")
    training.pause_or_go_on()
    verified.until(lambda: training.course.state is RunState.PAUSED)
    assert training.running
    assert not training.working
    training.pause_or_go_on()
    verified.until(lambda: training.course.step.iteration == 4)
    assert training.course.state is RunState.TRAINING


def test_stopped_it_keeps_the_best_and_says_which_model_that_is(measured, verified):
    training = measured("cells")
    made = []
    training.finished.connect(made.append)
    training.stop()
    ended(verified, training)
    assert made == ["/models/cells.safetensors"]
    assert training.course.state is RunState.FINISHED
    assert training.course.share == 1
    assert not training.resumable


def test_a_failure_is_one_sentence(begin, verified):
    training = begin("fails")
    ended(verified, training)
    assert training.course.state is RunState.FAILED
    assert training.course.sentence.endswith("lower the learning rate.")
    assert not training.resumable


def test_a_run_that_dies_says_so_and_can_go_on(begin, verified):
    training = begin("dies")
    verified.until(lambda: training.resumable)
    assert training.course.state is RunState.BROKEN_OFF
    assert "exit code 9" in training.course.sentence
    training.resume()
    assert training.running
    ended(verified, training)
    # It went on from its checkpoint: a step was made a second time.
    assert list(training.course.iterations) == [1, 2, 3, 4, 5]


def test_what_cannot_be_started_is_said(begin, verified):
    training = begin("cells", ("/nowhere/at/all",))
    ended(verified, training)
    assert "could not be started" in training.course.sentence


def test_let_go_it_writes_a_checkpoint_and_the_next_window_offers_it(measured, verified):
    training = measured("cells")
    training.let_go(10)
    verified.until(lambda: not training.running)
    assert training.course.state is RunState.BROKEN_OFF
    later = Training(verified.session, verified.tasks, COMMAND, verified.session)
    verified.until(lambda: later.resumable)
    assert list(later.course.iterations) == [1, 2, 3]
    later.resume()
    verified.until(lambda: later.course.step.iteration == 5)
    later.stop()
    ended(verified, later)
    assert later.course.done is not None


def test_put_aside_it_is_offered_no_more(measured, verified):
    training = measured("cells")
    training.let_go(10)
    verified.until(lambda: training.resumable)
    training.put_aside()
    assert not training.offered
    later = Training(verified.session, verified.tasks, COMMAND, verified.session)
    verified.until(lambda: later.course is not None)
    assert not later.offered
    assert later.resumable
    assert (runs_folder(verified.session.folder) / "cells" / "checkpoint.pt").exists()


def test_what_another_process_is_still_at_is_offered_once_it_has_let_go(measured, verified):
    training = measured("cells")
    training.let_go(10)
    folder = runs_folder(verified.session.folder) / "cells"
    with holding(folder):
        later = Training(verified.session, verified.tasks, COMMAND, verified.session)
        verified.until(lambda: later.elsewhere)
        assert not later.resumable
    verified.until(lambda: later.resumable)
    assert not later.elsewhere


def test_another_project_lets_it_go_and_says_so(measured, verified, tmp_path, folder):
    training = measured("cells")
    told = []
    training.left.connect(told.append)
    verified.session.close()
    assert len(told) == 1
    assert "images" in told[0]
    assert not training.running
    assert training.course is None
    # The process itself ends when it has written its checkpoint.
    checkpoint = runs_folder(folder) / "cells" / "checkpoint.pt"
    verified.until(checkpoint.exists)


def test_a_line_of_many_outlines_is_read_aside_and_counts_as_any_other(begin, verified):
    code = (
        "import json; ring = [[0.0, 0.0], [9.5, 0.0], [9.5, 9.5]] * 999;"
        "one = dict(category='cell', score=1.0, parts=[[ring]]);"
        "print(json.dumps(dict(event='sample', iteration=1, file='a.png', height=9, width=9, "
        "truth=[one], found=[])))"
    )
    training = begin("cells", (sys.executable, "-c", code))
    verified.until(lambda: training.course.samples)
    assert len(training.course.samples["a.png"].truth[0].parts[0][0]) == 2997


def test_lines_of_other_kinds_and_damaged_ones_are_passed_over(begin, verified):
    said = '{"event": "progress", "done": 1}|no json|{"event": "step"}|{"event": "state", '
    code = f"print({said!r}.replace('|', chr(10)) + '\"state\": \"finished\"}}')"
    training = begin("cells", (sys.executable, "-c", code))
    ended(verified, training)
    assert training.course.state is RunState.FINISHED


def test_a_course_keeps_the_later_of_what_was_done_twice():
    figures = {"AP": 0.1, "AP50": 0.2, "AP75": 0.1}
    steps = [Step(i, 9, float(i), {}, 0.1, 1.0, 1.0) for i in (1, 2, 3, 2)]
    better = {"AP": 0.3, "AP50": 0.4, "AP75": 0.3}
    course = TrainingCourse(
        [*steps, Validation(2, figures, None, best=True), Validation(2, better, None, best=True)]
    )
    assert list(course.iterations) == [1, 2]
    assert list(course.losses) == [1, 2]
    assert [v.box for v in course.validations] == [better]
    assert course.best.box == better


# What there is to learn from


def test_what_is_verified_is_counted_by_category_and_part(verified):
    outlook = look_at(verified.session.database, TaskContext())
    assert outlook.learned + outlook.measured == 2
    assert sum(c.learned + c.measured for c in outlook.categories) == 3
    assert outlook.obstacle() == ""
    assert any("Only 2 images are verified" in said for said in outlook.cautions())


def test_without_a_verified_image_it_says_what_to_do(studio):
    outlook = look_at(studio.session.database, TaskContext())
    assert "Verify some images first" in outlook.obstacle()
    assert outlook.cautions() == ()


def test_empty_images_alone_teach_nothing(studio):
    operations.verify(studio.session)
    outlook = look_at(studio.session.database, TaskContext())
    assert outlook.empty == 1
    assert outlook.obstacle() != ""


# What is found, drawn


def test_a_sample_is_drawn_in_the_colours_of_its_categories_with_holes_left_open(folder):
    hole = ((20.0, 20.0), (60.0, 20.0), (60.0, 60.0), (20.0, 60.0))
    outer = ((5.0, 5.0), (75.0, 5.0), (75.0, 75.0), (5.0, 75.0))
    sure, doubtful = (Outline("cell", score, ((outer, hole),)) for score in (0.9, 0.4))
    sample = Sample(1, str(folder / "a.png"), 80, 100, (sure,), (doubtful,))
    drawn = draw_sample(sample, None, 100, {"": "#00ff00", "cell": "#ff0000"}, TaskContext())
    assert drawn.plain.shape == (80, 100, 3)
    changed = (drawn.truth != drawn.plain).any(axis=2)
    assert changed[10:15, 10:70].all()
    assert not changed[25:55, 25:55].any()
    assert not changed[:, 80:].any()
    mixed = drawn.plain[12, 40] * 0.75 + np.array([255, 0, 0]) * 0.25
    assert drawn.truth[12, 40] == pytest.approx(mixed, abs=2)
    # A person would not see it either.
    assert (drawn.found == drawn.plain).all()


def test_a_sample_whose_image_is_gone_still_shows_its_outlines(tmp_path):
    square = Outline("cell", 1.0, ((((1.0, 1.0), (9.0, 1.0), (9.0, 9.0), (1.0, 9.0)),),))
    sample = Sample(1, str(tmp_path / "gone.png"), 20, 10, (square,), ())
    drawn = draw_sample(sample, None, 40, {"": "#00ff00"}, TaskContext())
    assert drawn.plain.shape == (40, 20, 3)
    assert (drawn.truth != drawn.plain).any()


# How long it would take


def test_a_plan_is_asked_for_and_the_last_question_counts(verified):
    planning = TrainingPlanning(COMMAND, verified.session.folder, verified.session)
    planning.ask(TrainingChoice("nuclei"))
    planning.ask(TrainingChoice("other"))
    assert planning.waiting
    verified.until(lambda: not planning.waiting)
    assert planning.plan.seconds == 600
    assert planning.failure == ""
    planning.ask(TrainingChoice("other"))
    assert not planning.waiting


def test_a_plan_that_fails_says_why(verified):
    code = "import sys; sys.exit('maskstudio: There is no model of that name.')"
    planning = TrainingPlanning(
        (sys.executable, "-c", code), verified.session.folder, verified.session
    )
    planning.ask(TrainingChoice("none"))
    verified.until(lambda: not planning.waiting)
    assert planning.plan is None
    assert planning.failure == "There is no model of that name."


def test_the_words_of_the_command(tmp_path):
    choice = TrainingChoice("nuclei", "mine", 300, {"crop": "256"})
    assert choice.words(tmp_path) == (
        f"--project={tmp_path}", "--init=nuclei", "--name=mine", "--iterations=300", "--crop=256",
    )  # fmt: skip
