"""The queue of what to label next: computed aside, kept, and renewed where predictions changed."""

from pathlib import Path

import numpy as np
import pytest

from maskstudio.annotation.annotation import ImageState
from maskstudio.session import operations
from maskstudio.session.queueing import Queueing
from maskstudio.storage.detections import read_detections
from maskstudio.storage.looks import LOOKS_NAME
from support.fakes import disc_detections
from support.pictures import write_picture
from support.studio import Studio

SIDES = {"sure.png": 64, "doubtful.png": 65, "odd.png": 66, "mid.png": 67}


@pytest.fixture
def varied(make_studio, tmp_path: Path) -> Studio:
    """A studio on four pictures; the model tells them apart by their size."""
    for seed, (name, side) in enumerate(SIDES.items()):
        write_picture(tmp_path / "varied" / name, side, side, seed=seed)
    studio = make_studio(None)
    scores = {64: (0.99,), 65: (0.55, 0.5, 0.45), 66: (0.97,), 67: (0.6,)}
    looks = {66: (0.0, 1.0), 67: (0.8, 0.6)}

    def detect(size):
        found = scores[size[0]]
        return disc_detections(
            size, [(10, 10, 30, 30), (40, 10, 60, 30), (10, 40, 30, 60)][: len(found)], found
        )

    studio.model.detect = detect
    studio.model.looks = lambda size: np.array(looks.get(size[0], (1.0, 0.0)), np.float32)
    studio.open(tmp_path / "varied")
    return studio


@pytest.fixture
def queueing(varied: Studio) -> Queueing:
    return Queueing(varied.session, varied.tasks, varied.annotator, varied.filtering)


def ordered(studio: Studio, queueing: Queueing) -> list[str]:
    """Order the images and return their names, the first first."""
    queueing.start()
    assert queueing.running
    studio.until(lambda: not queueing.running)
    return names(studio)


def names(studio: Studio) -> list[str]:
    return [studio.session.record(image_id).path for image_id in studio.session.order.queue]


def test_the_doubtful_come_first_and_what_is_labelled_is_left_out(varied, queueing):
    assert ordered(varied, queueing)[0] == "doubtful.png"
    assert sorted(names(varied)) == sorted(SIDES)
    varied.show("doubtful.png")
    operations.verify(varied.session)
    assert "doubtful.png" not in ordered(varied, queueing)
    assert varied.session.order.queue[varied.image("odd.png")].number == 0


def test_each_image_is_looked_at_once_and_mirrored_once(varied, queueing):
    ordered(varied, queueing)
    looks = len(varied.model.calls)
    assert looks == 2 * len(SIDES)
    assert all(place.doubt.unsteady is not None for place in varied.session.order.queue.values())
    before = names(varied)
    # As after a restart: nothing is known but what is kept.
    again = Queueing(varied.session, varied.tasks, varied.annotator, varied.filtering)
    assert ordered(varied, again) == before
    assert len(varied.model.calls) == looks
    (varied.session.folder / ".maskstudio" / LOOKS_NAME).unlink()
    assert ordered(varied, again) == before
    assert len(varied.model.calls) > looks


def test_what_was_found_waits_for_whoever_comes_to_a_new_image(varied, queueing):
    ordered(varied, queueing)
    image_id = varied.image("mid.png")
    assert read_detections(varied.session.folder, image_id) is not None
    assert varied.state("mid.png") is ImageState.NEW
    calls = len(varied.model.calls)
    varied.predict_folder()
    assert varied.on("mid.png")
    assert len(varied.model.calls) == calls


def test_cancelled_it_orders_what_was_looked_at_and_goes_on_later(varied, queueing):
    varied.model.hold.set()
    queueing.start()
    varied.until(varied.model.started.is_set)
    varied.model.let_through(1)
    varied.until(lambda: len(varied.model.calls) == 2)
    assert queueing.progress().total == len(SIDES)
    queueing.cancel()
    varied.until(lambda: not queueing.running)
    assert len(names(varied)) == 1
    varied.model.hold.clear()
    assert len(ordered(varied, queueing)) == len(SIDES)


def test_an_image_that_cannot_be_read_is_counted_and_passed_over(varied, queueing):
    (varied.session.folder / "odd.png").write_bytes(b"no image")
    assert "odd.png" not in ordered(varied, queueing)
    assert queueing.failed == 1


def test_a_model_that_cannot_be_loaded_is_said_once(make_studio, folder):
    from maskstudio.errors import UserError

    def load(_):
        raise UserError("There is no such model.")

    studio = make_studio(load)
    studio.open(folder)
    queueing = Queueing(studio.session, studio.tasks, studio.annotator, studio.filtering)
    said: list[str] = []
    queueing.problem.connect(said.append)
    queueing.start()
    studio.until(lambda: not queueing.running)
    assert said == ["There is no such model."]


def test_the_order_follows_what_the_model_finds_anew(varied, queueing):
    ordered(varied, queueing)
    first = varied.session.order.queue[varied.image("sure.png")]
    varied.model.detect = lambda size: disc_detections(size, scores=(0.5, 0.52, 0.48))
    varied.show("sure.png")
    varied.predict_image()
    varied.until(
        lambda: varied.session.order.queue[varied.image("sure.png")].doubt.near > first.doubt.near
    )
    assert varied.session.order.queue[varied.image("sure.png")].number < first.number


def test_another_model_puts_the_order_out_of_date(varied, queueing):
    varied.annotator.use_model("fake")
    varied.until(lambda: varied.annotator.model is not None)
    ordered(varied, queueing)
    assert not queueing.outdated
    varied.model.model_id = "another"
    varied.annotator.use_model("other")
    varied.until(lambda: queueing.outdated)
    ordered(varied, queueing)
    assert not queueing.outdated


def test_what_the_model_has_learned_puts_it_out_of_date_and_all_is_looked_at_anew(varied, queueing):
    varied.annotator.use_model("fake")
    varied.until(lambda: varied.annotator.model is not None)
    ordered(varied, queueing)
    calls = len(varied.model.calls)
    varied.annotator.model_renewed.emit()
    assert queueing.outdated
    ordered(varied, queueing)
    assert len(varied.model.calls) > calls + len(SIDES)
    assert not queueing.outdated


def test_another_project_ends_it(varied, queueing, folder):
    varied.model.hold.set()
    queueing.start()
    varied.until(varied.model.started.is_set)
    varied.open(folder)
    assert not queueing.running
    varied.model.release.set()
    varied.idle()
    assert varied.session.order.queue == {}
