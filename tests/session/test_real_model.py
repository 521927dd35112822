"""The embedded model gives way in the middle of an image, and finds the same all the same."""

import shutil
import threading

import numpy as np
import pytest

from maskstudio.app import load_predictor
from maskstudio.progress import TaskContext
from maskstudio.resources import resource_path
from maskstudio.session.model_lane import ImageTask, ModelHolder
from maskstudio.session.tasks import Callbacks, LaneName, Priority

NAME = "fluorescence-dim.png"


@pytest.fixture
def samples(tmp_path):
    folder = tmp_path / "samples"
    (folder / ".maskstudio").mkdir(parents=True)
    shutil.copyfile(resource_path("samples", "nuclei") / NAME, folder / NAME)
    return folder


class Reporting(TaskContext):
    """Notes what an image is asked while the model is at it, and tells once it has begun."""

    def __init__(self, context: TaskContext, begun: threading.Event, go_on: threading.Event):
        self._context = context
        self._begun = begun
        self._go_on = go_on
        self.asked = 0

    def raise_if_cancelled(self) -> None:
        self.asked += 1
        if self.asked == 40:  # somewhere in the midst of the backbone
            self._begun.set()
            assert self._go_on.wait(30)
        self._context.raise_if_cancelled()


def same(one, other):
    assert np.array_equal(one.detections.labels, other.detections.labels)
    assert np.allclose(one.detections.boxes, other.detections.boxes, atol=1e-3)
    assert np.allclose(one.detections.scores, other.detections.scores, atol=1e-5)
    assert one.outlines.keys() == other.outlines.keys()


def test_an_image_done_in_the_middle_of_another_changes_nothing_of_either(studio, samples):
    holder = ModelHolder(load_predictor)
    tasks = [ImageTask(number, samples / NAME, samples, "nuclei") for number in range(2)]
    alone = holder.find(tasks[0], TaskContext())
    assert len(alone.detections) > 20

    told, begun, go_on = [], threading.Event(), threading.Event()

    def outer(context):
        return holder.find(tasks[0], Reporting(context, begun, go_on))

    studio.tasks.submit(
        LaneName.MODEL, outer, Callbacks(lambda found: told.append((0, found))), Priority.BATCH
    )
    studio.until(begun.is_set)
    studio.tasks.submit(
        LaneName.MODEL,
        lambda context: holder.find(tasks[1], context),
        Callbacks(lambda found: told.append((1, found))),
    )
    go_on.set()
    studio.until(lambda: len(told) == 2)

    assert [number for number, _ in told] == [1, 0]
    for _, found in told:
        same(found, alone)
