"""Ways along edges, worked out beside the GUI: quickly near the seed, coarser far away."""

import numpy as np
import pytest

from maskstudio.errors import UserError
from maskstudio.session.shown_image import DecodedImage
from maskstudio.session.tasks import Tasks
from maskstudio.session.tracing import Tracer, edge_near
from maskstudio.storage.levels import halved

EDGE = 1000  # the row from which the image is light


@pytest.fixture
def image():
    """An image of 2000 x 3000, dark above and light below."""
    pixels = np.full((2000, 3000, 4), 40, np.uint8)
    pixels[EDGE:] = 210
    levels = [pixels]
    while max(levels[-1].shape[:2]) > 512:
        levels.append(halved(levels[-1]))
    return DecodedImage(tuple(levels))


@pytest.fixture
def tasks(qapp):
    made = Tasks()
    yield made
    made.close()


@pytest.fixture
def known(tasks, qtbot):
    """Return what waits for the way between two points."""
    told = []
    tracer = Tracer(tasks, lambda: told.append(None))

    def way(image, seed, to, level=0):
        found = tracer.way(image, seed, to, level)
        while found is None:
            told.clear()
            assert tracer.working
            qtbot.waitUntil(lambda: bool(told))
            found = tracer.way(image, seed, to, level)
        return found

    return way


@pytest.mark.parametrize("far", [150, 700, 2800])
def test_a_way_follows_the_edge_however_far_it_goes(image, known, far):
    way = known(image, (100.5, EDGE + 0.5), (100.5 + far, EDGE + 0.5))
    assert way[-1] == (100.5 + far, EDGE + 0.5)
    assert len(way) < 10
    assert all(abs(y - EDGE) <= 8 for _, y in way)


def test_the_ways_of_one_seed_serve_every_place_near_it(image, tasks, qtbot):
    told = []
    tracer = Tracer(tasks, lambda: told.append(None))
    assert tracer.way(image, (500.5, 999.5), (510, 990), 0) is None
    qtbot.waitUntil(lambda: bool(told))
    for to in ((700.5, 1000.5), (350.0, 900.0), (500.5, 999.5)):
        assert tracer.way(image, (500.5, 999.5), to, 0)[-1] == to
    assert not tracer.working
    assert tracer.way(image, (600.5, 999.5), (610, 990), 0) is None


def test_what_was_dropped_is_not_told_of(image, tasks, qtbot):
    told = []
    tracer = Tracer(tasks, lambda: told.append(None))
    tracer.way(image, (500.5, 999.5), (510, 990), 0)
    tracer.drop()
    assert not tracer.working
    other = Tracer(tasks, lambda: told.append("other"))
    other.way(image, (500.5, 999.5), (510, 990), 0)
    qtbot.waitUntil(lambda: bool(told))
    assert told == ["other"]


class Unreadable(DecodedImage):
    """An image whose file has gone."""

    reads = 0

    def read(self, level, box):
        del level, box
        type(self).reads += 1
        raise UserError("The file is gone.")


def test_an_image_that_cannot_be_read_is_asked_once_for_a_seed(image, tasks, qtbot):
    told = []
    tracer = Tracer(tasks, lambda: told.append(None))
    broken = Unreadable(image.levels)
    assert tracer.way(broken, (500.5, 999.5), (510, 990), 0) is None
    qtbot.waitUntil(lambda: bool(told))
    assert tracer.way(broken, (500.5, 999.5), (515, 990), 0) is None
    assert not tracer.working
    assert Unreadable.reads == 1


@pytest.mark.parametrize(("level", "off"), [(0, 3), (2, 9)])
def test_the_edge_near_a_point_is_that_of_the_level_that_is_painted(image, level, off):
    at = edge_near(image, (700, EDGE + off), 12, level)
    assert at is not None
    assert abs(at[1] - EDGE) <= 2**level / 2
    assert abs(at[0] - 700) <= 2**level
    assert edge_near(image, (700, EDGE + 30), 12, level) is None


def test_at_the_border_of_the_image_there_is_nothing_beyond(image):
    assert edge_near(image, (0, EDGE + 2), 8, 0)[0] == 0.5
    assert edge_near(image, (3000, 2000), 8, 0) is None
