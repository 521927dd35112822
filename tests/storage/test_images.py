"""Reading images upright as 8-bit RGB, whatever the file holds."""

import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from maskstudio.errors import UserError
from maskstudio.storage.images import MAX_PIXELS, read_image, read_size

Pixels = NDArray[np.uint8]
ORIENTATION = 0x0112


def picture(height: int = 20, width: int = 30) -> Pixels:
    """A smooth picture, so that JPEG changes little, with another colour in each corner."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    return np.asarray(np.stack([x * 255, y * 255, 128 + 100 * x * y], axis=2), np.uint8)


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turn stored pixels upright as the EXIF standard says."""
    turned: dict[int, Callable[[Pixels], Pixels]] = {
        1: lambda p: p,
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.swapaxes(0, 1),
        6: lambda p: p[::-1].swapaxes(0, 1),
        7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
        8: lambda p: p[:, ::-1].swapaxes(0, 1),
    }
    return turned[orientation](pixels)


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    return tags


def says(path: Path) -> str:
    """Return what `read_image` says about a file it cannot read."""
    with pytest.raises(UserError) as raised:
        read_image(path)
    sentence = str(raised.value)
    assert str(path) in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


# Upright


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp"])
def test_an_image_stands_upright(tmp_path: Path, ending: str, orientation: int) -> None:
    path = tmp_path / f"a.{ending}"
    stored = picture()
    options = {"lossless": True} if ending == "webp" else {"quality": 98, "subsampling": 0}
    Image.fromarray(stored).save(path, exif=exif(orientation), **options)
    pixels = read_image(path)
    expected = upright(stored, orientation)
    assert pixels.shape == expected.shape
    difference = np.abs(pixels.astype(int) - expected).max()
    assert difference <= (8 if ending == "jpg" else 0)
    assert read_size(path) == expected.shape[:2]


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_a_png_that_names_its_orientation_behind_the_pixels_stands_upright(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(picture()).save(path)
    end = png_chunk(b"IEND", b"")
    late = png_chunk(b"eXIf", exif(6).tobytes().removeprefix(b"Exif\0\0"))
    path.write_bytes(path.read_bytes().removesuffix(end) + late + end)
    assert np.array_equal(read_image(path), upright(picture(), 6))
    assert read_size(path) == (30, 20)


def test_an_orientation_that_is_none_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(picture()).save(path, exif=exif(0))
    assert np.array_equal(read_image(path), picture())
    assert read_size(path) == (20, 30)


@pytest.mark.parametrize("ending", ["bmp", "gif", "jp2", "jpg", "pgm", "png", "ppm", "tif", "webp"])
def test_the_size_is_known_without_decoding(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    image = Image.fromarray(picture(111, 157))
    (image.convert("L") if ending == "pgm" else image).save(path)
    assert read_size(path) == read_image(path).shape[:2] == (111, 157)
    if ending in ("bmp", "gif", "jpg", "png", "ppm"):
        # Half of the pixels are gone, which only decoding would notice.
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        assert read_size(path) == (111, 157)
        says(path)


# Pixel formats


def test_the_pixels_are_rgb_and_cannot_be_changed(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(picture()).save(path)
    pixels = read_image(path)
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, picture())
    with pytest.raises(ValueError, match="read-only"):
        pixels[0, 0] = 0


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_16_bit_grey_is_stretched(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    grey = np.linspace(1000, 5000, 40 * 50).reshape(40, 50).astype(np.uint16)
    Image.fromarray(grey).save(path)
    pixels = read_image(path)
    assert pixels.shape == (40, 50, 3)
    assert (pixels == pixels[:, :, :1]).all()
    assert pixels[0, 0, 0] == 0
    assert pixels[-1, -1, 0] == 255
    middle = (grey.astype(float) - 1000) / 4000 * 255
    assert np.abs(pixels[:, :, 0] - middle).max() <= 2


def test_16_bit_grey_of_one_value_is_no_division_by_zero(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(np.full((4, 5), 777, np.uint16)).save(path)
    assert read_image(path).shape == (4, 5, 3)


def test_a_float_image_is_stretched_over_what_is_a_number(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    heights = np.linspace(1000, 1010, 40 * 50, dtype=np.float32).reshape(40, 50)
    holed = heights.copy()
    holed[:10, :10] = np.nan
    holed[10:12, :10] = np.inf
    holed[12:14, :10] = -np.inf
    Image.fromarray(holed).save(path)
    pixels = read_image(path)[:, :, 0]
    known = np.isfinite(holed)
    low, high = holed[known].min(), holed[known].max()
    expected = (holed - low) / (high - low) * 255
    assert np.abs(pixels[known] - expected[known]).max() <= 2
    assert (pixels[:10, :10] == 0).all()
    assert (pixels[10:12, :10] == 255).all()
    assert (pixels[12:14, :10] == 0).all()


def test_a_float_image_without_a_number_is_black(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(np.full((4, 5), np.nan, np.float32)).save(path)
    assert not read_image(path).any()


def test_transparency_is_laid_over_white(tmp_path: Path) -> None:
    rgba = np.zeros((3, 1, 4), np.uint8)
    rgba[:, 0] = [(200, 100, 0, 255), (200, 100, 0, 0), (200, 100, 0, 51)]
    path = tmp_path / "a.png"
    Image.fromarray(rgba).save(path)
    pixels = read_image(path)[:, 0].astype(int)
    assert pixels[0].tolist() == [200, 100, 0]
    assert pixels[1].tolist() == [255, 255, 255]
    assert np.abs(pixels[2] - [244, 224, 204]).max() <= 1


@pytest.mark.parametrize("transparency", [1, b"\xff\x00\xff"])
def test_a_palette_with_transparency_is_laid_over_white(
    tmp_path: Path, transparency: int | bytes
) -> None:
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    path = tmp_path / "a.png"
    image.save(path, transparency=transparency)
    assert read_image(path).tolist() == [[[10, 20, 30], [255, 255, 255], [70, 80, 90]]]


def test_a_cmyk_jpeg_has_the_colours_it_was_made_from(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(picture()).convert("CMYK").save(path, quality=98, subsampling=0)
    assert np.abs(read_image(path).astype(int) - picture()).max() <= 10


def test_a_1_bit_image_is_black_and_white(tmp_path: Path) -> None:
    bits = np.arange(20 * 30).reshape(20, 30) % 3 == 0
    path = tmp_path / "a.png"
    Image.fromarray(bits).save(path)
    assert np.array_equal(read_image(path), np.repeat(bits[:, :, None], 3, axis=2) * 255)


def test_the_first_frame_of_an_animation_is_the_image(tmp_path: Path) -> None:
    for ending in ("png", "gif"):
        path = tmp_path / f"a.{ending}"
        first = Image.fromarray(np.zeros((4, 6, 3), np.uint8))
        second = Image.fromarray(np.full((4, 6, 3), 255, np.uint8))
        first.save(path, save_all=True, append_images=[second])
        assert not read_image(path).any()
        assert read_size(path) == (4, 6)


# Names and damage


@pytest.mark.parametrize(
    "name", ["Füße.png", "細胞 №1.png", "a'b\"c.png" if Path("/").root else "a"]
)
def test_any_name_will_do(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    Image.fromarray(picture()).save(path, "PNG")
    assert np.array_equal(read_image(path), picture())


def test_the_content_counts_not_the_ending(tmp_path: Path) -> None:
    path = tmp_path / "really_a_png.jpg"
    Image.fromarray(picture()).save(path, "PNG")
    assert np.array_equal(read_image(path), picture())


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "bmp", "gif", "webp", "jp2"])
@pytest.mark.parametrize("kept", [0.05, 0.3, 0.6, 0.9])
def test_a_truncated_file_is_refused(tmp_path: Path, ending: str, kept: float) -> None:
    path = tmp_path / f"a.{ending}"
    noise = np.random.default_rng(0).integers(0, 256, (60, 70, 3), np.uint8)
    Image.fromarray(noise).save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of a short TIFF before it raises
        sentence = says(path)
    assert "damaged" in sentence or "is not an image" in sentence


def test_damage_in_the_midst_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(picture(200, 300)).save(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    assert "damaged" in says(path)


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.touch()
    assert says(path) == f"{path} is empty; replace or remove the file."


@pytest.mark.parametrize("content", [b"just text\n" * 50, b"\x00", b"%PDF-1.7\n", b"\xff\xd8"])
def test_what_is_no_image_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    says(path)
    with pytest.raises(UserError):
        read_size(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "is gone" in says(tmp_path / "missing.png")
    (tmp_path / "folder.png").mkdir()
    assert "cannot be read" in says(tmp_path / "folder.png")


def test_an_image_too_large_to_open_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    """The header announces 30,000 x 30,000 pixels; decoding what follows would call it damaged."""
    path = tmp_path / "a.png"
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0))
    data = png_chunk(b"IDAT", zlib.compress(bytes(1000)))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + data + png_chunk(b"IEND", b""))
    assert says(path) == (
        f"{path} has 30000 by 30000 pixels, more than the 250 million that can be taken at "
        "once; cut it into tiles for that."
    )
    assert read_size(path) == (30_000, 30_000)
    assert MAX_PIXELS < 30_000 * 30_000


def test_text_in_a_png_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    notes = PngInfo()
    notes.add_text("Comment", "long " * 100, zip=True)
    Image.fromarray(picture()).save(path, pnginfo=notes)
    assert np.array_equal(read_image(path), picture())
