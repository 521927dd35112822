"""An image of more than 8 bits, ready to be painted and read from."""

import cv2
import numpy as np
import pytest
from PIL import Image

from maskstudio.errors import CancelledError
from maskstudio.session.image_opening import decode
from maskstudio.session.shown_image import DecodedImage

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 60_000, (611, 1300), np.uint16)
COLOURS = RANDOM.integers(0, 60_000, (611, 1300, 3), np.uint16)


class Going:
    """A context of work that nobody cancels."""

    def report(self, done, total, note=""):
        pass

    def produce(self, item):
        pass

    def raise_if_cancelled(self):
        pass


class Cancelled(Going):
    def raise_if_cancelled(self):
        raise CancelledError


@pytest.fixture
def grey(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    return decode(tmp_path / "a.png", Going())


@pytest.fixture
def colours(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), COLOURS[:, :, ::-1])
    return decode(tmp_path / "a.png", Going())


def test_every_value_is_kept_at_full_size(grey, colours):
    assert np.array_equal(grey.levels[0], GREY)
    assert np.array_equal(colours.levels[0][:, :, 2::-1], COLOURS)


@pytest.mark.parametrize("kind", ["grey", "colours"])
def test_each_level_is_half_the_one_before(kind, request):
    image = request.getfixturevalue(kind)
    assert image.size == (611, 1300)
    assert image.level_sizes == ((611, 1300), (306, 650), (153, 325))
    for level in image.levels:
        assert level.dtype == np.uint16
        assert not level.flags.writeable
    four = image.levels[0][10:12, 20:22].astype(float).mean(axis=(0, 1))
    assert np.abs(image.levels[1][5, 10] - four).max() <= 0.51


def test_grey_takes_half_the_memory_of_8_bits(grey, tmp_path):
    Image.fromarray((GREY >> 8).astype(np.uint8)).save(tmp_path / "b.png")
    usual = decode(tmp_path / "b.png", Going())
    assert isinstance(usual, DecodedImage)
    assert grey.bytes * 2 == usual.bytes


def test_what_is_read_is_the_automatic_window_in_8_bits(grey, colours):
    box = (100, 50, 160, 90)
    table = grey.values.automatic_table
    read = grey.read(0, box)
    assert read.dtype == np.uint8
    assert np.array_equal(read[:, :, :3], np.repeat(table[GREY[50:90, 100:160]][:, :, None], 3, 2))
    expected = colours.values.automatic_table[COLOURS[50:90, 100:160]]
    assert np.array_equal(colours.read(0, box)[:, :, 2::-1], expected)


def test_the_value_of_a_pixel_is_told(grey, colours):
    assert grey.value_at(7, 5) == str(GREY[5, 7])
    assert colours.value_at(7, 5) == " ".join(map(str, COLOURS[5, 7]))
    for beside in ((-1, 5), (7, -1), (1300, 5), (7, 611)):
        assert grey.value_at(*beside) == ""


def test_it_stops_when_it_is_no_longer_wanted(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    with pytest.raises(CancelledError):
        decode(tmp_path / "a.png", Cancelled())
