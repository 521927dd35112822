"""A JPEG read the quick way is the one Pillow reads; what is not sound is left to Pillow."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from maskstudio.errors import UserError
from maskstudio.storage.images import read_half, read_image, read_painted
from maskstudio.storage.quick_jpeg import read_jpeg


def photo(height: int, width: int) -> Image.Image:
    random = np.random.default_rng(3)
    coarse = random.integers(0, 256, (height // 7, width // 7, 3), np.uint8)
    return Image.fromarray(cv2.resize(coarse, (width, height)))


def quick(path: Path) -> np.ndarray | None:
    with Image.open(path) as image:
        return read_jpeg(image, path)


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_the_pixels_are_those_of_pillow(
    tmp_path: Path, subsampling: int, *, progressive: bool
) -> None:
    path = tmp_path / "a.jpg"
    photo(211, 307).save(path, subsampling=subsampling, quality=88, progressive=progressive)
    with Image.open(path) as image:
        expected = np.asarray(image)
    found = quick(path)
    assert found is not None
    np.testing.assert_array_equal(found[:, :, ::-1], expected)
    np.testing.assert_array_equal(read_painted(path)[:, :, 2::-1], expected)
    np.testing.assert_array_equal(read_image(path), expected)


def test_a_truncated_one_is_named_as_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    photo(211, 307).save(path)
    path.write_bytes(path.read_bytes()[:-900])
    assert quick(path) is None
    with pytest.raises(UserError, match="truncated"):
        read_image(path)


def test_one_truncated_and_closed_again_is_still_read_as_pillow_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    photo(211, 307).save(path)
    path.write_bytes(path.read_bytes()[:-900] + b"\xff\xd9")
    with Image.open(path) as image:
        expected = np.asarray(image)
    np.testing.assert_array_equal(read_image(path), expected)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_kinds_are_left_to_pillow(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.jpg"
    photo(70, 91).convert(mode).save(path)
    assert quick(path) is None
    assert read_image(path).shape == (70, 91, 3)


def test_one_that_lies_on_its_side_stands_up(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    photo(70, 91).save(path, exif=exif)
    assert read_image(path).shape == (91, 70, 3)


def test_half_of_one_is_nearly_the_mean_of_its_pixels(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    photo(211, 307).save(path, quality=95)
    half = read_half(path)
    assert half is not None
    assert half.shape == (106, 154, 4)
    mean = cv2.resize(read_painted(path)[:210, :306], (153, 105), interpolation=cv2.INTER_AREA)
    assert np.abs(half[:105, :153, :3].astype(int) - mean[:, :, :3]).mean() < 4


@pytest.mark.parametrize(("name", "turned"), [("a.png", 1), ("a.jpg", 6)])
def test_where_nothing_is_gained_there_is_no_half(tmp_path: Path, name: str, turned: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turned
    photo(211, 307).save(tmp_path / name, exif=exif)
    assert read_half(tmp_path / name) is None
