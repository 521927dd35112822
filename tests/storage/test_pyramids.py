"""Pyramids of tiles: exact, made once, never trusted when they are not what was written."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from maskstudio.errors import CancelledError, UserError
from maskstudio.progress import TaskContext
from maskstudio.storage.images import read_image
from maskstudio.storage.levels import halved
from maskstudio.storage.pyramids import Pyramid, Pyramids, StalePyramidError
from support.pictures import write_picture
from support.tiffs import DEFLATE, deflated, write_tiff

HEIGHT, WIDTH = 603, 1101
TILE = 64

Write = Callable[[Path], Path]


def noise(seed: int = 0, size: tuple[int, int] = (HEIGHT, WIDTH)) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


def write_png(path: Path, seed: int = 0) -> Path:
    Image.fromarray(noise(seed)).save(path, compress_level=1)
    return path


def write_jpeg(path: Path) -> Path:
    return write_picture(path.with_suffix(".jpg"), HEIGHT, WIDTH)


def write_grey(path: Path) -> Path:
    Image.fromarray(noise()[:, :, 0]).save(path, compress_level=1)
    return path


def write_tiles(path: Path) -> Path:
    return write_tiff(path.with_suffix(".tif"), noise(), (128, 128), deflated, DEFLATE)


def write_strips(path: Path) -> Path:
    return write_tiff(path.with_suffix(".tif"), noise(), (50, 0), deflated, DEFLATE, tiled=False)


class Kept(Pyramids):
    """Remembers what was opened, so that it can be closed after a test."""

    opened: ClassVar[list[Pyramid]] = []

    def find(self, path: Path) -> Pyramid | None:
        found = super().find(path)
        if found is not None:
            self.opened.append(found)
        return found


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while Kept.opened:
        Kept.opened.pop().close()


def level_of(pyramid: Pyramid, level: int) -> NDArray[np.uint8]:
    """Put a level together from its tiles."""
    side = pyramid.tile_side(level)
    height, width = pyramid.level_sizes[level]
    rows = [
        np.hstack([pyramid.read_tile(level, y, x) for x in range(-(-width // side))])
        for y in range(-(-height // side))
    ]
    return np.vstack(rows)


@pytest.fixture
def pyramids(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "kept", tile=TILE)


def files(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "kept").iterdir())


@pytest.mark.parametrize("write", [write_png, write_jpeg, write_grey, write_tiles, write_strips])
def test_full_size_is_exact_and_each_level_is_half_the_one_before(
    tmp_path: Path, pyramids: Kept, write: Write
) -> None:
    path = write(tmp_path / "a.png")
    for pyramid in (pyramids.make(path, TaskContext()), pyramids.find(path)):
        assert pyramid is not None
        assert pyramid.level_sizes == ((603, 1101), (302, 551), (151, 276))
        expected = read_image(path)[:, :, ::-1]
        for level in range(3):
            pixels = level_of(pyramid, level)
            assert pixels.dtype == np.uint8
            assert np.array_equal(pixels[:, :, :3], expected)
            expected = halved(expected)


def test_a_pixel_of_a_smaller_level_is_the_mean_of_what_it_covers() -> None:
    pixels = np.arange(5 * 7, dtype=np.uint8).reshape(5, 7) * 3
    padded = np.pad(pixels, ((0, 1), (0, 1)), mode="edge").astype(float)
    means = padded.reshape(3, 2, 4, 2).mean(axis=(1, 3))
    assert np.abs(halved(pixels) - means).max() <= 0.5


def test_tiles_of_a_tiff_are_not_stored_again(tmp_path: Path, pyramids: Kept) -> None:
    pyramids.make(write_tiles(tmp_path / "a.tif"), TaskContext())
    (kept,) = files(tmp_path)
    assert kept.stat().st_size < HEIGHT * WIDTH * 3 * 0.36
    pyramids.make(write_png(tmp_path / "b.png"), TaskContext())
    assert sum(one.stat().st_size for one in files(tmp_path)) > HEIGHT * WIDTH * 3 * 1.3


def test_the_second_time_the_image_is_not_read(tmp_path: Path, pyramids: Kept) -> None:
    path = write_png(tmp_path / "a.png")
    before = level_of(pyramids.make(path, TaskContext()), 0)
    spoil(path)
    again = pyramids.find(path)
    assert again is not None
    assert np.array_equal(level_of(again, 0), before)
    # Nor by another window of the program.
    assert Kept(tmp_path / "kept").find(path) is not None


def spoil(path: Path) -> None:
    """Make a file unreadable that looks the same from outside."""
    status = path.stat()
    path.write_bytes(bytes(status.st_size))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_changed_image_has_no_pyramid_until_it_is_made_again(
    tmp_path: Path, pyramids: Kept
) -> None:
    path = write_png(tmp_path / "a.png")
    first = level_of(pyramids.make(path, TaskContext()), 2)
    write_png(path, seed=1)
    assert pyramids.find(path) is None
    assert not np.array_equal(level_of(pyramids.make(path, TaskContext()), 2), first)
    assert len(files(tmp_path)) == 1

    # The same bytes at another time count as changed too.
    os.utime(path, ns=(1, 1))
    assert pyramids.find(path) is None


def test_another_image_has_another_pyramid(tmp_path: Path, pyramids: Kept) -> None:
    one, other = write_png(tmp_path / "a.png"), tmp_path / "b.png"
    pyramids.make(one, TaskContext())
    other.write_bytes(one.read_bytes())
    status = one.stat()
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert pyramids.find(other) is None


@pytest.mark.parametrize("kept", [0, 10, 0.3, 0.99, -1])
def test_a_truncated_pyramid_is_as_good_as_none(
    tmp_path: Path, pyramids: Kept, kept: float
) -> None:
    path = write_png(tmp_path / "a.png")
    pyramids.make(path, TaskContext())
    (file,) = files(tmp_path)
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * kept) if 0 < kept < 1 else int(kept)])
    assert pyramids.find(path) is None
    assert level_of(pyramids.make(path, TaskContext()), 0).shape == (HEIGHT, WIDTH, 4)


@pytest.mark.parametrize("at", [3, 23, 27, 40, 200])
def test_damage_where_it_says_what_it_holds(tmp_path: Path, pyramids: Kept, at: int) -> None:
    path = write_png(tmp_path / "a.png")
    pyramids.make(path, TaskContext())
    flip(files(tmp_path)[0], at)
    assert pyramids.find(path) is None


def test_a_damaged_tile_is_not_shown_and_the_pyramid_goes(tmp_path: Path, pyramids: Kept) -> None:
    path = write_png(tmp_path / "a.png")
    pyramids.make(path, TaskContext())
    flip(files(tmp_path)[0], 400_000)
    found = pyramids.find(path)
    assert found is not None
    with pytest.raises(StalePyramidError, match="open the image again"):
        level_of(found, 0)
    assert pyramids.find(path) is None


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def test_a_tiff_that_changes_while_it_is_shown(tmp_path: Path, pyramids: Kept) -> None:
    path = write_tiles(tmp_path / "a.tif")
    pyramid = pyramids.make(path, TaskContext())
    assert pyramid.read_tile(0, 1, 1).shape == (128, 128, 4)
    os.utime(path, ns=(1, 1))
    with pytest.raises(StalePyramidError, match="has changed"):
        pyramid.read_tile(0, 1, 1)
    path.unlink()
    with pytest.raises(UserError, match="is gone"):
        pyramid.read_tile(0, 1, 1)


class Cancelling(TaskContext):
    """Cancels once so many rows are done."""

    def __init__(self, rows: int) -> None:
        self.rows, self.done = rows, 0

    def report(self, done: int, total: int, note: str = "") -> None:
        assert (done <= total == HEIGHT, note) == (True, "")
        self.done = done

    def raise_if_cancelled(self) -> None:
        if self.done >= self.rows:
            raise CancelledError


@pytest.mark.parametrize("rows", [0, 400])
@pytest.mark.parametrize("write", [write_png, write_strips])
def test_cancelled_it_leaves_nothing_behind(
    tmp_path: Path, pyramids: Kept, write: Write, rows: int
) -> None:
    path = write(tmp_path / "a.png")
    with pytest.raises(CancelledError):
        pyramids.make(path, Cancelling(rows))
    assert not (tmp_path / "kept").exists() or files(tmp_path) == []
    assert pyramids.find(path) is None


def test_an_image_that_cannot_be_read_leaves_nothing_behind(tmp_path: Path, pyramids: Kept) -> None:
    path = write_png(tmp_path / "a.png")
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(UserError, match="damaged"):
        pyramids.make(path, TaskContext())
    with pytest.raises(UserError, match="is gone"):
        pyramids.make(tmp_path / "missing.png", TaskContext())
    assert not (tmp_path / "kept").exists() or files(tmp_path) == []


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path) -> None:
    one = HEIGHT * WIDTH * 3 * 1.4
    pyramids = Kept(tmp_path / "kept", int(2.5 * one), TILE)
    paths = [write_png(tmp_path / f"{n}.png", n) for n in range(4)]
    for when, path in enumerate(paths[:2]):
        pyramids.make(path, TaskContext())
        for kept in files(tmp_path):
            os.utime(kept, (when, when))
    assert pyramids.find(paths[0]) is not None  # now it was used last
    pyramids.make(paths[2], TaskContext())
    assert [pyramids.find(path) is not None for path in paths] == [True, False, True, False]


def test_one_is_kept_however_large(tmp_path: Path) -> None:
    pyramids = Kept(tmp_path / "kept", 1000, TILE)
    for seed in range(2):
        path = write_png(tmp_path / f"{seed}.png", seed)
        pyramids.make(path, TaskContext())
        assert pyramids.find(path) is not None
        assert len(files(tmp_path)) == 1


def test_what_a_killed_program_left_goes_in_time(tmp_path: Path, pyramids: Kept) -> None:
    (tmp_path / "kept").mkdir()
    old, new = tmp_path / "kept" / "x.part", tmp_path / "kept" / "y.part"
    old.touch()
    new.touch()
    os.utime(old, (1, 1))
    pyramids.make(write_png(tmp_path / "a.png"), TaskContext())
    assert not old.exists()
    assert new.exists()


def test_a_folder_that_cannot_be_written_gives_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    path = write_png(tmp_path / "a.png")
    with pytest.raises(UserError, match="cannot be prepared") as raised:
        Pyramids(tmp_path / "kept").make(path, TaskContext())
    assert str(path) in str(raised.value)
