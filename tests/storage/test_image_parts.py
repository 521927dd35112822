"""Reading parts of an image: the same pixels as read whole, whatever the file looks like."""

import itertools
import struct
import zlib
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from maskstudio.errors import CancelledError, UserError
from maskstudio.progress import TaskContext
from maskstudio.storage.image_parts import ImageParts, parts
from maskstudio.storage.images import read_image, stretched
from support.tiffs import DEFLATE, NONE, Packer, by_pillow, deflated, plain, write_tiff

ORIENTATION = 0x0112
HEIGHT, WIDTH = 137, 210


def picture(height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """A smooth picture with a little noise, so that every part is another."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    smooth = np.stack([x * 250, y * 250, 128 + 100 * x * y], axis=2)
    noise = np.random.default_rng(3).integers(0, 6, smooth.shape)
    return np.asarray(smooth + noise, np.uint8)


def in_bands(image: ImageParts) -> NDArray[np.uint8]:
    """Read the whole image band by band."""
    height, width = image.size
    tops = range(0, height, image.band_rows)
    return np.concatenate(
        [image.read((0, top, width, min(height, top + image.band_rows))) for top in tops]
    )


def as_rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def assert_same(path: Path) -> None:
    """The bands, and a part across the edges of tiles, are what `read_image` gives."""
    whole = read_image(path)
    with parts(path, TaskContext()) as image:
        assert image.size == whole.shape[:2]
        assert np.array_equal(as_rgb(in_bands(image)), whole)
        assert np.array_equal(as_rgb(image.read((61, 30, 131, 99))), whole[30:99, 61:131])
        bottom, right = whole.shape[:2]
        assert np.array_equal(
            as_rgb(image.read((right - 1, bottom - 1, right, bottom))), whole[-1:, -1:]
        )


@pytest.mark.parametrize("tiled", [True, False])
@pytest.mark.parametrize(
    ("pack", "code"),
    [
        (plain, NONE), (deflated, DEFLATE), (by_pillow("tiff_lzw"), 5),
        (by_pillow("packbits"), 32773), (by_pillow("tiff_adobe_deflate"), DEFLATE),
    ],
)  # fmt: skip
def test_a_tiff_of_tiles_or_strips(tmp_path: Path, pack: Packer, code: int, tiled: bool) -> None:
    assert_same(write_tiff(tmp_path / "a.tif", picture(), (64, 48), pack, code, tiled=tiled))


@pytest.mark.parametrize("tiled", [True, False])
def test_a_big_tiff(tmp_path: Path, tiled: bool) -> None:
    path = tmp_path / "a.tif"
    assert_same(write_tiff(path, picture(), (64, 64), deflated, DEFLATE, big=True, tiled=tiled))


def test_the_other_order_of_bytes(tmp_path: Path) -> None:
    assert_same(write_tiff(tmp_path / "a.tif", picture(), (64, 64), deflated, DEFLATE, order=">"))


@pytest.mark.parametrize("samples", [1, 2, 3, 4])
def test_grey_colour_and_transparency(tmp_path: Path, samples: int) -> None:
    pixels = np.dstack([picture(), picture()[:, ::-1, 0]])[:, :, :samples]
    if samples == 2:
        pixels = np.dstack([picture()[:, :, 0], picture()[::-1, :, 0]])
    assert_same(write_tiff(tmp_path / "a.tif", pixels, (64, 64), deflated, DEFLATE))


@pytest.mark.parametrize("tiled", [True, False])
def test_planes_of_their_own(tmp_path: Path, tiled: bool) -> None:
    path = tmp_path / "a.tif"
    assert_same(
        write_tiff(path, picture(), (64, 64), deflated, DEFLATE, separate=True, tiled=tiled)
    )


@pytest.mark.parametrize("rows", [1, 7, 600, 2000])
def test_strips_of_any_height(tmp_path: Path, rows: int) -> None:
    pixels = picture(1500, 140)
    for name, pack, code in (("a", plain, NONE), ("b", deflated, DEFLATE)):
        path = tmp_path / f"{name}.tif"
        assert_same(write_tiff(path, pixels, (rows, 0), pack, code, tiled=False))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["tiles.tif", "strips.tif", "png", "jpg"])
def test_it_stands_upright(tmp_path: Path, ending: str, orientation: int) -> None:
    path = tmp_path / f"a.{ending}"
    if ending.endswith("tif"):
        write_tiff(
            path, picture(), (64, 48), tiled=ending == "tiles.tif",
            extra={ORIENTATION: (orientation,)},
        )  # fmt: skip
    else:
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        Image.fromarray(picture()).save(path, exif=exif)
    assert_same(path)


@pytest.mark.parametrize(
    ("mode", "compression"),
    [
        *itertools.product(["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"], ["raw", "tiff_lzw"]),
        *itertools.product(["L", "RGB", "CMYK"], ["jpeg"]),
    ],
)
def test_every_mode_a_tiff_can_have(tmp_path: Path, mode: str, compression: str) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(picture()).convert(mode).save(path, compression=compression)
    assert_same(path)


@pytest.mark.parametrize("ending", ["bmp", "gif", "jp2", "jpg", "png", "ppm", "webp"])
def test_what_pillow_decodes_whole(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    Image.fromarray(picture()).save(path)
    assert_same(path)


@pytest.mark.parametrize("order", ["<", ">"])
def test_deep_grey_is_stretched_once_for_the_whole_image(
    tmp_path: Path, order: Literal["<", ">"]
) -> None:
    values = (np.mgrid[0:137, 0:210].sum(axis=0) * 100).astype(np.uint16)
    path = write_tiff(tmp_path / "a.tif", values, (64, 64), deflated, DEFLATE, order=order)
    with parts(path, TaskContext()) as image:
        assert image.channels == 1
        assert image.shown is not None
        shown = image.shown
        assert 0 <= shown[0] < 1500
        assert 33_000 < shown[1] <= 34_500
        assert np.array_equal(in_bands(image)[:, :, 0], stretched(values, shown))
    with parts(path, TaskContext(), (0, 1000)) as image:
        assert np.array_equal(in_bands(image)[:, :, 0], stretched(values, (0, 1000)))


def test_square_tiles_of_a_tiff_serve_by_themselves(tmp_path: Path) -> None:
    sides = []
    for number, (shape, extra) in enumerate(
        [((128, 128), {}), ((64, 64), {}), ((128, 256), {}), ((128, 128), {ORIENTATION: (3,)})]
    ):
        path = write_tiff(tmp_path / f"{number}.tif", picture(300, 400), shape, extra=extra)
        with parts(path, TaskContext()) as image:
            sides.append(image.tile)
    assert sides == [128, None, None, None]


class Listening(TaskContext):
    """Keeps what is produced, and cancels when asked so often whether to."""

    def __init__(self, patience: int = 10**9) -> None:
        self.produced: list[NDArray[np.uint8]] = []
        self.patience = patience

    def produce(self, item: object) -> None:
        self.produced.append(np.asarray(item, np.uint8))

    def raise_if_cancelled(self) -> None:
        self.patience -= 1
        if self.patience < 0:
            raise CancelledError


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_a_preview_comes_first(tmp_path: Path, ending: str, orientation: int) -> None:
    path = tmp_path / f"a.{ending}"
    smooth = Image.fromarray(picture(40, 60)).resize((4301, 2107), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    smooth.save(path, exif=exif)
    listening = Listening()
    with parts(path, listening) as image:
        (preview,) = listening.produced
        height, width = image.size
    expected = Image.fromarray(read_image(path)).resize(
        (-(-width // 8), -(-height // 8)), Image.Resampling.BOX
    )
    assert preview.shape == np.asarray(expected).shape
    assert np.abs(preview.astype(int) - np.asarray(expected)).mean() < 2


def write_with_overviews(path: Path, flag: int) -> Image.Image:
    """Write a TIFF of 4,000 x 2,100 with copies of a half and of an eighth of the size."""
    whole = Image.fromarray(picture(40, 60)).resize((4000, 2100), Image.Resampling.BICUBIC)
    copies = [whole.resize(size, Image.Resampling.BOX) for size in ((2000, 1050), (500, 262))]
    for copy in copies:
        copy.encoderinfo = {"tiffinfo": {254: flag}}
    whole.save(path, save_all=True, append_images=copies, compression="tiff_lzw")
    return whole


def test_the_overview_a_tiff_brings_along_is_its_preview(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    whole = write_with_overviews(path, 1)
    listening = Listening()
    with parts(path, listening) as image:
        (preview,) = listening.produced
        assert np.array_equal(in_bands(image), np.asarray(whole))
    expected = np.asarray(whole.resize((2000, 1050), Image.Resampling.BOX))
    assert np.array_equal(preview, expected)


def test_another_page_is_no_preview(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    write_with_overviews(path, 0)
    listening = Listening()
    with parts(path, listening):
        assert listening.produced == []


def test_decoding_stops_when_it_is_no_longer_wanted(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), np.uint8)
    Image.fromarray(noise).save(path, quality=95)
    listening = Listening(patience=6)
    with pytest.raises(CancelledError), parts(path, listening):
        raise AssertionError("it was decoded to the end")


# Bad files


def says(path: Path) -> str:
    """Return what is said about a file, opening it or reading all of it."""
    with pytest.raises(UserError) as raised, parts(path, TaskContext()) as image:
        in_bands(image)
    sentence = str(raised.value)
    assert str(path) in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
def test_a_truncated_tiff(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(picture()).save(path)  # its directory comes first
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    assert "damaged" in says(path)


def test_tiles_that_lie_beyond_the_end(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", picture(), (64, 64), deflated, DEFLATE)
    data = bytearray(path.read_bytes())
    begin = struct.unpack_from("<I", data, 4)[0]
    for entry in range(struct.unpack_from("<H", data, begin)[0]):
        at = begin + 2 + 12 * entry
        tag, _, _, where = struct.unpack_from("<HHII", data, at)
        if tag == 324:
            struct.pack_into("<I", data, where, 2**31)
    path.write_bytes(data)
    assert "damaged" in says(path)


def test_a_tile_that_says_it_is_enormous_is_not_read(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", picture(), (64, 64), deflated, DEFLATE)
    data = bytearray(path.read_bytes())
    begin = struct.unpack_from("<I", data, 4)[0]
    for entry in range(struct.unpack_from("<H", data, begin)[0]):
        at = begin + 2 + 12 * entry
        tag, _, _, where = struct.unpack_from("<HHII", data, at)
        if tag == 325:
            struct.pack_into("<I", data, where, 2**31)
    path.write_bytes(data)
    assert "longer than it can be" in says(path)


def test_damage_inside_a_tile(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", picture(), (64, 64), deflated, DEFLATE)
    data = bytearray(path.read_bytes())
    data[8:10] = b"??"  # where the first tile begins
    path.write_bytes(data)
    assert "damaged" in says(path)


@pytest.mark.parametrize("tiled", [True, False])
@pytest.mark.filterwarnings("ignore")
def test_a_damaged_directory_gives_a_sentence_or_some_image(tmp_path: Path, tiled: bool) -> None:
    path = write_tiff(tmp_path / "a.tif", picture(), (64, 64), deflated, DEFLATE, tiled=tiled)
    good = path.read_bytes()
    begin = struct.unpack_from("<I", good, 4)[0]
    told: list[str] = []
    for at in range(begin, len(good), 2):
        for value in (0, 255):
            data = bytearray(good)
            data[at] = value
            path.write_bytes(data)
            try:
                with parts(path, TaskContext()) as image:
                    in_bands(image)
            except UserError as error:
                told.append(str(error))
    assert len(told) > 20
    assert all(str(path) in sentence for sentence in told)


def with_size(tiff: Path, width: int, height: int) -> Path:
    """Say in a TIFF that it has another size."""
    data = bytearray(tiff.read_bytes())
    begin = struct.unpack_from("<I", data, 4)[0]
    for entry, side in enumerate((width, height)):  # the first two tags
        struct.pack_into("<HII", data, begin + 2 + 12 * entry + 2, 4, 1, side)
    tiff.write_bytes(data)
    return tiff


@pytest.mark.parametrize(
    ("width", "height", "why"),
    [
        (50_000, 50_000, "more than the 1000 million that can be opened"),
        (2**31 - 1, 2, "more than the 262144 on a side that can be opened"),
        (2, 2**31 - 1, "more than the 262144 on a side that can be opened"),
    ],
)
def test_an_absurd_size_is_refused_before_anything_is_decoded(
    tmp_path: Path, width: int, height: int, why: str
) -> None:
    png = tmp_path / "a.png"
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    png.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d))
            for k, d in chunks
        )
    )
    assert why in says(png)
    tiff = write_tiff(tmp_path / "a.tif", picture(), (64, 64), deflated, DEFLATE)
    assert why in says(with_size(tiff, width, height))


def test_more_tiles_than_can_be_opened_are_refused(tmp_path: Path) -> None:
    side = 47_104
    path = tmp_path / "a.tif"
    # All tiles lie at the same place: a small file.
    one = np.zeros((1024, 1024), np.uint8)
    write_tiff(path, one, (1024, 1024), deflated, DEFLATE)
    count = (side // 1024) ** 2
    data = bytearray(path.read_bytes())
    begin = struct.unpack_from("<I", data, 4)[0]
    for entry in range(struct.unpack_from("<H", data, begin)[0]):
        at = begin + 2 + 12 * entry
        tag, _, _, value = struct.unpack_from("<HHII", data, at)
        if tag in (324, 325):
            struct.pack_into("<II", data, at + 4, count, len(data))
            data += struct.pack(f"<{count}I", *[value] * count)
    path.write_bytes(data)
    assert "more than the 2147 million that can be opened" in says(with_size(path, side, side))
