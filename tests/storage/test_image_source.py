"""An image for a model: the same pixels, read whole, in parts of the file, or from kept tiles."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from maskstudio.annotation.tiling import PixelBox
from maskstudio.errors import CancelledError, UserError
from maskstudio.progress import TaskContext
from maskstudio.storage.image_source import open_source
from maskstudio.storage.images import read_image
from maskstudio.storage.pyramids import Pyramids
from support.tiffs import DEFLATE, deflated, write_tiff

HEIGHT, WIDTH = 303, 501
QUIET = TaskContext()
PIXELS = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)

Write = Callable[[Path], Path]


def write_png(folder: Path) -> Path:
    Image.fromarray(PIXELS).save(folder / "a.png", compress_level=1)
    return folder / "a.png"


def write_grey(folder: Path) -> Path:
    Image.fromarray(PIXELS[:, :, 0]).save(folder / "a.png", compress_level=1)
    return folder / "a.png"


def write_tiles(folder: Path) -> Path:
    return write_tiff(folder / "a.tif", PIXELS, (128, 128), deflated, DEFLATE)


def write_strips(folder: Path) -> Path:
    return write_tiff(folder / "a.tif", PIXELS, (50, 0), deflated, DEFLATE, tiled=False)


WRITERS = [write_png, write_grey, write_tiles, write_strips]


@st.composite
def boxes(draw: st.DrawFn) -> PixelBox:
    x0, y0 = draw(st.integers(0, WIDTH - 1)), draw(st.integers(0, HEIGHT - 1))
    return x0, y0, draw(st.integers(x0 + 1, WIDTH)), draw(st.integers(y0 + 1, HEIGHT))


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("kept", [True, False])
def test_windows_are_exactly_parts_of_the_image(write: Write, kept: bool, tmp_path: Path) -> None:
    path = write(tmp_path)
    pyramids = Pyramids(tmp_path / "kept", tile=64)
    if kept:
        pyramids.make(path, QUIET).close()
    whole = read_image(path)

    with open_source(path, QUIET, pyramids, most_pixels=1000) as source:
        assert source.size == (HEIGHT, WIDTH)
        assert not source.fits_memory

        @settings(max_examples=25, deadline=None)
        @given(boxes())
        def is_part(box: PixelBox) -> None:
            x0, y0, x1, y1 = box
            window = source.window(box)
            np.testing.assert_array_equal(window, whole[y0:y1, x0:x1])
            assert window.flags.c_contiguous

        is_part()


@pytest.mark.parametrize("write", WRITERS)
def test_reduced_it_is_the_mean_of_its_pixels(write: Write, tmp_path: Path) -> None:
    path = write(tmp_path)
    whole = read_image(path)
    with open_source(path, QUIET, most_pixels=1000) as source:
        small, times = source.reduced(60, QUIET)
    assert times == 5
    assert small.shape == (61, 101, 3)
    # What a whole number of pixels does not fill is filled by the last ones.
    filled = np.pad(whole, ((0, 2), (0, 4), (0, 0)), mode="edge")
    means = filled.reshape(61, 5, 101, 5, 3).mean(axis=(1, 3))
    assert np.abs(small - means).max() <= 1


def test_a_small_image_is_read_whole_and_only_when_it_is_needed(tmp_path: Path) -> None:
    path = write_png(tmp_path)
    with open_source(path, QUIET) as source:
        assert source.fits_memory
        assert source.size == (HEIGHT, WIDTH)
        pixels, times = source.reduced(60, QUIET)
        assert times == 1
        np.testing.assert_array_equal(pixels, PIXELS)
        path.unlink()
        np.testing.assert_array_equal(source.window((1, 2, 30, 40)), PIXELS[2:40, 1:30])


def test_an_image_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is gone"), open_source(tmp_path / "no.png", QUIET):
        pass


def test_a_cancel_ends_the_reduction(tmp_path: Path) -> None:
    class Stopped(TaskContext):
        def raise_if_cancelled(self) -> None:
            raise CancelledError

    with (
        open_source(write_tiles(tmp_path), QUIET, most_pixels=1000) as source,
        pytest.raises(CancelledError),
    ):
        source.reduced(60, Stopped())
