"""Images of more than 8 bits a value, read with all of them."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from maskstudio.errors import UserError
from maskstudio.storage.deep_images import DeepPixels, read_deep
from maskstudio.storage.images import read_image
from maskstudio.storage.stored_values import Window

RAMP = np.arange(60_000, dtype=np.uint16).reshape(200, 300)


def write(path: Path, pixels: NDArray[np.integer[Any]]) -> Path:
    """Write any type OpenCV can; three channels are red, green, blue."""
    assert cv2.imwrite(str(path), pixels if pixels.ndim == 2 else pixels[:, :, ::-1])
    return path


def deep(path: Path) -> DeepPixels:
    read = read_deep(path)
    assert read is not None
    return read


def values(read: DeepPixels) -> NDArray[np.float64]:
    """Return what the levels stand for."""
    return np.asarray(read.values.offset + read.levels * read.values.step, np.float64)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.pgm"])
def test_grey_of_16_bits_keeps_every_value(tmp_path: Path, name: str) -> None:
    read = deep(write(tmp_path / name, RAMP))
    assert read.levels.dtype == np.uint16
    assert np.array_equal(read.levels, RAMP)
    assert (read.values.offset, read.values.step, read.values.whole) == (0, 1, True)
    assert read.values.full == Window(0, 59_999)
    # 0.1 % of 60,000 pixels are 60 on each side.
    assert read.values.automatic == Window(60, 59_939)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_colours_of_16_bits_keep_every_value(tmp_path: Path, name: str) -> None:
    colours = np.stack([RAMP, RAMP[::-1], RAMP // 7], axis=2)
    read = deep(write(tmp_path / name, colours))
    assert np.array_equal(read.levels, colours)
    assert read.values.full == Window(0, 59_999)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.bmp"])
@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 3)])
def test_8_bits_are_not_deep(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    grey = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    assert read_deep(write(tmp_path / name, grey)) is None


def test_floats_lie_in_even_steps_between_the_lowest_and_the_highest(tmp_path: Path) -> None:
    stored = np.linspace(-1.5, 2.5, 5_000, dtype=np.float32).reshape(50, 100)
    Image.fromarray(stored).save(tmp_path / "a.tif")
    read = deep(tmp_path / "a.tif")
    assert not read.values.whole
    assert read.values.full.low == pytest.approx(-1.5)
    assert read.values.full.high == pytest.approx(2.5)
    assert np.abs(values(read) - stored).max() <= 4 / 65_535 / 2 * 1.01


def test_what_is_no_number_is_the_lowest_and_infinity_lies_at_its_end(tmp_path: Path) -> None:
    stored = np.array([[5, np.nan, np.inf], [-np.inf, 7, 6]], np.float32)
    Image.fromarray(stored).save(tmp_path / "a.tif")
    read = deep(tmp_path / "a.tif")
    assert values(read) == pytest.approx(np.array([[5, 5, 7], [5, 7, 6]]), abs=1e-4)
    assert read.values.full.low == 5
    assert read.values.full.high == pytest.approx(7)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_image_without_any_number_is_flat(tmp_path: Path, value: float) -> None:
    Image.fromarray(np.full((4, 5), value, np.float32)).save(tmp_path / "a.tif")
    read = deep(tmp_path / "a.tif")
    assert values(read).tolist() == [[0] * 5] * 4
    assert not read.values.automatic_table[0]


def test_a_flat_image_is_black_in_its_own_window(tmp_path: Path) -> None:
    read = deep(write(tmp_path / "a.png", np.full((4, 5), 900, np.uint16)))
    assert read.values.automatic == read.values.full == Window(900, 900)
    assert read.values.automatic_table[[0, 899, 900, 901]].tolist() == [0, 0, 0, 255]


@pytest.mark.parametrize(
    ("stored", "offset", "whole"),
    [
        ([[0, 65_535]], 0, True),
        ([[-300, 40_000]], -300, True),
        ([[100_000, 100_007]], 100_000, True),
        ([[-(2**31), 2**31 - 1]], -(2**31), False),
    ],
)
def test_whole_numbers_of_32_bits_are_exact_where_16_bits_reach(
    tmp_path: Path, stored: list[list[int]], offset: int, whole: bool
) -> None:
    Image.fromarray(np.array(stored, np.int32)).save(tmp_path / "a.tif")
    read = deep(tmp_path / "a.tif")
    assert (read.values.offset, read.values.whole) == (offset, whole)
    assert values(read).tolist() == stored


def test_it_stands_upright_as_the_model_sees_it(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter to the right
    Image.fromarray(RAMP).save(tmp_path / "a.png", exif=exif)
    read = deep(tmp_path / "a.png")
    assert np.array_equal(read.levels, np.rot90(RAMP, -1))
    assert read.levels.shape == read_image(tmp_path / "a.png").shape[:2]


def test_what_the_model_sees_is_what_it_was_in_8_bits(tmp_path: Path) -> None:
    read = read_image(write(tmp_path / "a.png", RAMP))
    automatic = deep(tmp_path / "a.png").values.automatic_table
    assert np.abs(automatic[RAMP].astype(int) - read[:, :, 0]).max() <= 1


@pytest.mark.parametrize("colours", [False, True])
def test_a_truncated_file_is_told(tmp_path: Path, colours: bool) -> None:
    pixels = np.random.default_rng(0).integers(0, 65_535, (100, 90, 3), np.uint16)
    path = write(tmp_path / "a.png", pixels if colours else pixels[:, :, 0])
    path.write_bytes(path.read_bytes()[:9_000])
    with pytest.raises(UserError, match="is damaged"):
        read_deep(path)


def test_tones_run_from_the_low_end_of_a_window_to_the_high_one(tmp_path: Path) -> None:
    stored = deep(write(tmp_path / "a.png", RAMP)).values
    tones = stored.tones(Window(1_000, 2_000))
    assert tones[[0, 1_000, 1_250, 1_500, 2_000, 65_535]].tolist() == [0, 0, 0.25, 0.5, 1, 1]
    assert stored.tones(Window(-50, -20)).min() == 1
    assert stored.tones(Window(500, 500))[[500, 501]].tolist() == [0, 1]
