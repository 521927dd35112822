"""Very large images: shown from tiles, at once by what is there, exactly as soon as it is read."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.session.image_opening import decode
from maskstudio.session.images import ImageLoader
from maskstudio.session.shown_image import DeepImage
from maskstudio.session.tasks import Callbacks, LaneName, Priority, Tasks
from maskstudio.session.tiled_image import TiledImage
from maskstudio.storage.pyramids import Pyramids
from support.pictures import write_picture

SMALL, LARGE, PHOTO = 1, 2, 3
BOXES = ((0, 0, 1101, 603), (0, 0, 1, 1), (100, 60, 333, 200), (1000, 500, 1101, 603))


class Loading:
    """A loader, a picture that fits into memory and two that shall not, and what it said."""

    def __init__(self, folder: Path, budget_bytes: int = 2**30) -> None:
        self.kept = folder / "kept"
        noise = np.random.default_rng(0).integers(0, 256, (603, 1101, 3), np.uint8)
        Image.fromarray(noise).save(folder / "large.png", compress_level=1)
        self.paths = {
            SMALL: write_picture(folder / "small.png", 200, 300),
            LARGE: folder / "large.png",
            PHOTO: write_picture(folder / "photo.jpg", 1500, 4100),
        }
        self.tasks = Tasks()
        pyramids = Pyramids(self.kept, tile=64)
        self.loader = ImageLoader(self.tasks, None, budget_bytes, pyramids, large_pixels=100_000)
        self.loaded: list[int] = []
        self.renewed: list[int] = []
        self.failed: list[tuple[int, str]] = []
        self.loader.loaded.connect(self.loaded.append)
        self.loader.renewed.connect(self.renewed.append)
        self.loader.failed.connect(lambda image_id, why: self.failed.append((image_id, why)))

    def request(self, image_id: int, *ahead: int) -> None:
        self.loader.request(image_id, self.paths[image_id], [(n, self.paths[n]) for n in ahead])

    def tiled(self, image_id: int) -> TiledImage:
        image = self.loader.get(image_id)
        assert isinstance(image, TiledImage)
        return image

    def close(self) -> None:
        self.tasks.close()
        self.loader.clear()

    def idle(self, qtbot) -> None:
        """Let lane FILES finish what was asked of it until now."""
        done = []
        for _ in range(2):
            self.tasks.submit(
                LaneName.FILES, lambda _: None, Callbacks(done.append), Priority.BATCH
            )
        qtbot.waitUntil(lambda: len(done) == 2)


@pytest.fixture
def loading(qapp, tmp_path) -> Iterator[Loading]:
    made = Loading(tmp_path)
    yield made
    made.close()


@pytest.fixture
def large(loading, qtbot) -> TiledImage:
    """The large picture, opened."""
    loading.request(LARGE)
    qtbot.waitUntil(lambda: loading.loaded == [LARGE])
    return loading.tiled(LARGE)


def settled(qtbot, image, level, box):
    """Ask for a part until all of it is there; return the one piece."""
    image.pieces(level, box)
    qtbot.waitUntil(lambda: image.settled)
    (piece,) = image.pieces(level, box)
    return piece


def within(piece, box):
    left, top, right, bottom = box
    return piece.pixels[
        top - piece.top : bottom - piece.top, left - piece.left : right - piece.left
    ]


def test_an_image_is_shown_from_tiles_only_if_it_is_large(loading, large, qtbot):
    loading.request(SMALL, LARGE)
    qtbot.waitUntil(lambda: SMALL in loading.loaded)
    assert not isinstance(loading.loader.get(SMALL), TiledImage)
    assert large.size == (603, 1101)
    assert large.complete


@pytest.mark.parametrize(("side", "tiled"), [(400, False), (500, True)])
def test_deep_grey_may_be_twice_as_large(loading, qtbot, side, tiled):
    values = np.arange(side * side, dtype=np.uint16).reshape(side, side)
    loading.paths[4] = loading.kept.parent / "deep.png"
    Image.fromarray(values).save(loading.paths[4])
    loading.request(4)
    qtbot.waitUntil(lambda: loading.loaded == [4])
    assert isinstance(loading.loader.get(4), TiledImage if tiled else DeepImage)


@pytest.mark.parametrize("box", BOXES)
def test_what_it_gives_is_what_the_whole_image_gives(loading, large, qtbot, box):
    whole = decode(loading.paths[LARGE], TaskContext())
    assert large.level_sizes == whole.level_sizes
    for level, (height, width) in enumerate(whole.level_sizes):
        part = tuple(
            min(edge >> level, end - (n < 2))
            for n, (edge, end) in enumerate(zip(box, (width, height) * 2, strict=True))
        )
        part = (part[0], part[1], max(part[2], part[0] + 1), max(part[3], part[1] + 1))
        expected = whole.read(level, part)
        assert np.array_equal(large.read(level, part), expected)
        assert np.array_equal(within(settled(qtbot, large, level, part), part), expected)


def test_until_a_part_is_read_coarser_pixels_stand_in(large, qtbot):
    (small,) = large.pieces(2, (0, 0, 1, 1))
    (at_once,) = large.pieces(0, (0, 0, 200, 100))
    assert at_once.pixels is small.pixels
    qtbot.waitUntil(lambda: large.settled)
    (piece,) = large.pieces(0, (0, 0, 200, 100))
    assert piece.level == 0

    # What is elsewhere is covered by the small level, what was there lies over it.
    below, above = large.pieces(0, (800, 400, 1101, 603))
    assert (below.pixels is small.pixels, above.pixels is piece.pixels) == (True, True)


def test_a_coarser_piece_stands_in_alone_where_it_covers_what_is_seen(large, qtbot):
    coarser = settled(qtbot, large, 1, (100, 100, 300, 200))
    (alone,) = large.pieces(0, (220, 220, 400, 300))
    assert alone.pixels is coarser.pixels
    below, above = large.pieces(0, (0, 0, 1101, 603))
    assert (below.level, above.pixels is coarser.pixels) == (2, True)


def test_what_is_at_hand_is_told_without_reading_anything(large, qtbot):
    box = (100, 100, 120, 110)
    assert large.at_hand(0, box) is None
    assert large.settled
    piece = settled(qtbot, large, 0, (50, 50, 300, 200))
    assert large.at_hand(0, box).pixels is piece.pixels
    assert large.at_hand(0, (1000, 500, 1101, 603)) is None
    assert large.at_hand(1, box) is None
    assert large.at_hand(2, (0, 0, 5, 5)).level == 2
    (again,) = large.pieces(0, (50, 50, 300, 200))
    assert again.pixels is piece.pixels


def test_the_smallest_level_is_there_at_any_time(large):
    last = len(large.level_sizes) - 1
    height, width = large.level_sizes[last]
    (piece,) = large.pieces(last, (0, 0, width, height))
    assert piece.pixels.shape == (height, width, 4)
    assert not piece.pixels.flags.writeable


def test_moving_a_little_asks_for_nothing_and_gives_the_same_pixels(large, loading, qtbot):
    piece = settled(qtbot, large, 0, (400, 200, 600, 300))
    loading.renewed.clear()
    again = settled(qtbot, large, 0, (410, 205, 610, 305))
    assert again.pixels is piece.pixels
    assert loading.renewed == []


def test_a_photo_is_shown_before_its_tiles_are_there(loading, qtbot):
    complete_when_shown = []
    loading.loader.loaded.connect(
        lambda image_id: complete_when_shown.append(loading.tiled(image_id).complete)
    )
    loading.request(PHOTO)
    qtbot.waitUntil(lambda: loading.renewed == [PHOTO])
    assert (loading.loaded, complete_when_shown) == ([PHOTO], [False])
    photo = loading.tiled(PHOTO)
    assert photo.complete
    whole = decode(loading.paths[PHOTO], TaskContext())
    assert np.array_equal(photo.read(0, (5, 5, 900, 80)), whole.read(0, (5, 5, 900, 80)))


def test_the_preview_looks_like_the_image_and_gives_no_exact_pixels(loading, qtbot):
    seen = []

    def look(image_id):
        image = loading.tiled(image_id)
        (piece,) = image.pieces(0, (0, 0, 4100, 1500))
        with pytest.raises(UserError, match="being prepared"):
            image.read(0, (0, 0, 10, 10))
        seen.append(piece)

    loading.loader.loaded.connect(look)
    loading.request(PHOTO)
    qtbot.waitUntil(lambda: loading.renewed == [PHOTO])
    (piece,) = seen
    exact = decode(loading.paths[PHOTO], TaskContext()).levels[piece.level]
    assert np.abs(piece.pixels[:, :, :3].astype(int) - exact[:, :, :3]).max() < 12


def test_tiles_are_not_made_ahead_but_those_there_are_opened(loading, qtbot):
    loading.request(SMALL, LARGE)
    loading.idle(qtbot)
    assert loading.loaded == [SMALL]
    assert not loading.kept.exists()
    loading.request(LARGE)
    qtbot.waitUntil(lambda: loading.loaded == [SMALL, LARGE])

    loading.loader.clear()
    loading.request(SMALL, LARGE)
    qtbot.waitUntil(lambda: sorted(loading.loaded) == [SMALL, SMALL, LARGE, LARGE])


def test_going_on_while_tiles_are_made_leaves_nothing_behind(loading, qtbot):
    loading.request(PHOTO)
    qtbot.waitUntil(lambda: loading.loaded == [PHOTO])
    loading.request(SMALL)
    loading.idle(qtbot)
    assert loading.loader.get(PHOTO) is None or loading.tiled(PHOTO).complete
    if loading.kept.exists():
        assert [one.suffix for one in loading.kept.iterdir()] in ([], [".pyramid"])
    loading.request(PHOTO)
    qtbot.waitUntil(lambda: loading.tiled(PHOTO) is not None and loading.tiled(PHOTO).complete)


def test_a_damaged_pyramid_is_made_again_while_it_is_shown(loading, large, qtbot):
    (kept,) = loading.kept.iterdir()
    data = bytearray(kept.read_bytes())
    data[1000:1_500_000] = bytes(1_499_000)
    kept.write_bytes(data)
    box = (300, 100, 500, 300)
    large.pieces(0, box)
    qtbot.waitUntil(lambda: loading.loaded == [LARGE, LARGE])
    renewed = loading.tiled(LARGE)
    assert renewed is not large
    whole = decode(loading.paths[LARGE], TaskContext())
    assert np.array_equal(renewed.read(0, box), whole.read(0, box))
    assert loading.failed == []


def test_an_image_that_is_gone_in_the_meantime_gives_a_sentence(loading, large, qtbot):
    for kept in loading.kept.iterdir():
        kept.write_bytes(kept.read_bytes()[:1000])
    loading.paths[LARGE].unlink()
    large.pieces(0, (300, 100, 500, 300))
    qtbot.waitUntil(lambda: len(loading.failed) == 1)
    assert "large.png is gone" in loading.failed[0][1]


def test_what_was_read_counts_and_is_let_go_of_with_the_next_image(loading, large, qtbot):
    before = large.bytes
    box = (0, 0, 1101, 603)
    settled(qtbot, large, 0, box)
    assert large.bytes == before + 2 * 603 * 1101 * 4  # the tiles and what is put together
    loading.request(SMALL, LARGE)
    assert large.bytes == before
    loading.request(LARGE)
    settled(qtbot, large, 0, box)
    assert large.bytes > before


def test_what_is_read_drives_other_images_out_of_the_budget(qapp, tmp_path, qtbot):
    loading = Loading(tmp_path, budget_bytes=2_000_000)
    loading.request(LARGE, SMALL)
    qtbot.waitUntil(lambda: sorted(loading.loaded) == [SMALL, LARGE])
    assert loading.loader.get(SMALL) is not None
    settled(qtbot, loading.tiled(LARGE), 0, (0, 0, 1101, 603))
    assert loading.loader.get(SMALL) is None
    assert loading.loader.get(LARGE) is not None
    loading.close()
