"""The model's lane rests while another image comes to the screen."""

import itertools
import threading
import time

from maskstudio.session.hush import REST_S, Hush
from maskstudio.session.tasks import Callbacks, LaneName, Priority


def test_work_of_the_model_rests_when_another_image_is_shown_and_goes_on_then(studio):
    Hush(studio.session, studio.tasks)
    begun, asked, told = threading.Event(), [], []

    def work(context):
        begun.set()
        while not studio.model.release.is_set():
            context.raise_if_cancelled()
            asked.append(time.monotonic())

    studio.tasks.submit(LaneName.MODEL, work, Callbacks(told.append), Priority.BATCH)
    assert begun.wait(10)
    studio.until(lambda: asked)
    studio.show("b.png")
    studio.until(lambda: len(asked) > 1 and max(rests(asked)) >= REST_S / 2)
    studio.model.release.set()
    studio.until(lambda: told)


def rests(times):
    """The seconds between one time and the next."""
    copy = list(times)
    return [b - a for a, b in itertools.pairwise(copy)] or [0.0]


def test_stepping_on_is_one_rest_and_closing_ends_it(studio):
    Hush(studio.session, studio.tasks)
    for _ in range(50):
        for name in ("b.png", "a.png"):
            studio.show(name)
    ended = []
    studio.tasks.submit(LaneName.MODEL, lambda _: None, Callbacks(ended.append))
    studio.until(lambda: ended)
    studio.show("b.png")
