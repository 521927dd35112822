"""Decoded images: ahead of need, within a budget of bytes, and no longer than wanted."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskstudio.errors import CancelledError
from maskstudio.progress import TaskContext
from maskstudio.session.image_opening import decode
from maskstudio.session.images import ImageLoader
from maskstudio.session.tasks import LaneName, Tasks
from support.pictures import write_picture

BYTES = 64 * 64 * 4


class Loading:
    """A loader, six pictures of 64 x 64 and what it said."""

    def __init__(self, folder: Path, budget_bytes: int) -> None:
        self.paths = {n: write_picture(folder / f"{n}.png", 64, 64, seed=n) for n in range(1, 7)}
        self.tasks = Tasks()
        self.loader = ImageLoader(self.tasks, None, budget_bytes)
        self.loaded: list[int] = []
        self.failed: list[tuple[int, str]] = []
        self.loader.loaded.connect(self.loaded.append)
        self.loader.failed.connect(lambda image_id, why: self.failed.append((image_id, why)))

    def request(self, image_id: int, *ahead: int) -> None:
        self.loader.request(image_id, self.paths[image_id], [(n, self.paths[n]) for n in ahead])

    def held(self) -> set[int]:
        return {n for n in self.paths if self.loader.get(n) is not None}

    def block(self) -> threading.Event:
        """Keep both threads of lane FILES busy until the event is set."""
        gate, reached = threading.Event(), threading.Semaphore(0)

        def work(_: TaskContext) -> None:
            reached.release()
            assert gate.wait(10)

        for _ in range(2):
            self.tasks.submit(LaneName.FILES, work)
        assert all(reached.acquire(timeout=10) for _ in range(2))
        return gate


@pytest.fixture
def loading(qapp, tmp_path) -> Iterator[Loading]:
    made = Loading(tmp_path, 3 * BYTES)
    yield made
    made.tasks.close()


def test_the_image_wanted_comes_first_and_the_next_ones_are_decoded_too(loading, qtbot):
    loading.request(2, 3, 1)
    qtbot.waitUntil(lambda: sorted(loading.loaded) == [1, 2, 3])
    assert loading.held() == {1, 2, 3}
    assert loading.loader.get(2).size == (64, 64)


def test_what_is_there_is_not_decoded_again(loading, qtbot):
    loading.request(1, 2)
    qtbot.waitUntil(lambda: len(loading.loaded) == 2)
    loading.paths[1].unlink()
    loading.request(2, 1, 3)
    qtbot.waitUntil(lambda: len(loading.loaded) == 3)
    assert loading.failed == []


def test_the_budget_lets_go_of_what_was_wanted_longest_ago(loading, qtbot):
    for number in (1, 2, 3, 4):
        loading.request(number)
        qtbot.waitUntil(lambda number=number: number in loading.loaded)
    assert loading.held() == {2, 3, 4}


def test_an_image_larger_than_the_budget_is_kept_while_it_is_wanted(loading, qtbot, tmp_path):
    loading.paths[9] = write_picture(tmp_path / "large.png", 300, 300)
    loading.request(1)
    qtbot.waitUntil(lambda: loading.loaded == [1])
    loading.request(9, 2)
    qtbot.waitUntil(lambda: sorted(loading.loaded) == [1, 2, 9])
    assert loading.held() == {9}


def test_what_is_decoded_ahead_never_drives_out_the_image_wanted(loading, qtbot):
    loading.request(1, 2, 3, 4, 5)
    qtbot.waitUntil(lambda: len(loading.loaded) == 5)
    assert loading.held() == {1, 2, 3}


def test_what_is_no_longer_wanted_is_dropped(loading, qtbot):
    gate = loading.block()
    loading.request(1, 2, 3)
    loading.request(4, 3)
    gate.set()
    qtbot.waitUntil(lambda: sorted(loading.loaded) == [3, 4])
    # Lane FILES takes them in this order, so 1 and 2 are long behind.
    loading.request(5)
    qtbot.waitUntil(lambda: 5 in loading.loaded)
    assert sorted(loading.loaded) == [3, 4, 5]


def test_forgetting_everything_drops_what_is_under_way(loading, qtbot):
    loading.request(1)
    qtbot.waitUntil(lambda: loading.loaded == [1])
    gate = loading.block()
    loading.request(2, 3)
    loading.loader.clear()
    gate.set()
    assert loading.held() == set()
    loading.request(4)
    qtbot.waitUntil(lambda: 4 in loading.loaded)
    assert loading.loaded == [1, 4]


def test_an_image_that_cannot_be_read_gives_a_sentence_and_is_tried_again(loading, qtbot):
    good = loading.paths[1].read_bytes()
    loading.paths[1].write_bytes(good[:80])
    loading.request(1, 2)
    qtbot.waitUntil(lambda: len(loading.failed) == 1 and loading.loaded == [2])
    image_id, sentence = loading.failed[0]
    assert image_id == 1
    assert "1.png is damaged" in sentence

    loading.paths[1].write_bytes(good)
    loading.request(1)
    qtbot.waitUntil(lambda: loading.loaded == [2, 1])


def test_a_missing_image_gives_a_sentence(loading, qtbot):
    loading.paths[1].unlink()
    with qtbot.waitSignal(loading.loader.failed) as failed:
        loading.request(1)
    assert "1.png is gone" in failed.args[1]


def test_each_level_is_half_the_one_before(tmp_path):
    path = write_picture(tmp_path / "wide.png", 301, 1501)
    image = decode(path, TaskContext())
    assert [level.shape for level in image.levels] == [
        (301, 1501, 4), (151, 751, 4), (76, 376, 4),
    ]  # fmt: skip
    assert image.size == (301, 1501)
    assert image.bytes == 4 * (301 * 1501 + 151 * 751 + 76 * 376)
    assert not any(level.flags.writeable for level in image.levels)


def test_pixels_are_in_the_order_qt_paints(tmp_path):
    path = tmp_path / "one.png"
    Image.fromarray(np.array([[[10, 20, 30]]], np.uint8)).save(path)
    assert decode(path, TaskContext()).levels[0][0, 0, :3].tolist() == [30, 20, 10]


def test_decoding_stops_when_it_is_no_longer_wanted(tmp_path):
    class Cancelled(TaskContext):
        def raise_if_cancelled(self) -> None:
            raise CancelledError

    with pytest.raises(CancelledError):
        decode(write_picture(tmp_path / "a.png", 10, 10), Cancelled())


@pytest.fixture
def roomy(qapp, tmp_path) -> Iterator[Loading]:
    made = Loading(tmp_path, 10**9)
    yield made
    made.tasks.close()


@pytest.fixture
def photos(tmp_path) -> dict[int, Path]:
    """Two photographs that take a moment to decode."""
    coarse = np.random.default_rng(0).integers(0, 256, (160, 200, 3), np.uint8)
    photo = Image.fromarray(coarse).resize((2501, 1999), Image.Resampling.BICUBIC)
    paths = {n: tmp_path / f"photo-{n}.jpg" for n in (1, 2)}
    for path in paths.values():
        photo.save(path, quality=90)
    return paths


def test_a_photograph_somebody_waits_for_is_seen_at_half_its_size_first(roomy, photos, qtbot):
    seen, renewed = [], []

    def look(image_id: int) -> None:
        image = roomy.loader.get(image_id)
        (piece,) = image.pieces(0, (0, 0, 2501, 1999))
        seen.append((image.size, piece.level, piece.pixels))

    roomy.loader.loaded.connect(look)
    roomy.loader.renewed.connect(renewed.append)
    roomy.loader.request(1, photos[1], [(2, photos[2])])
    qtbot.waitUntil(lambda: renewed == [1] and sorted(roomy.loaded) == [1, 2])
    levels = {size: level for size, level, _ in seen if level}
    # The one ahead nobody waits for: it is decoded at once.
    assert levels == {(1999, 2501): 1}
    assert len(seen) == 2
    half = next(pixels for _, level, pixels in seen if level)
    whole = decode(photos[1], TaskContext())
    assert half.shape == whole.levels[1].shape
    assert np.abs(half[:, :, :3].astype(int) - whole.levels[1][:, :, :3]).mean() < 2
    assert np.array_equal(roomy.loader.get(1).levels[0], whole.levels[0])


def test_one_that_is_no_longer_wanted_is_not_decoded_further(roomy, photos, qtbot):
    def go_on(image_id: int) -> None:
        if image_id == 1:
            roomy.request(3)

    renewed = []
    roomy.loader.loaded.connect(go_on)
    roomy.loader.renewed.connect(renewed.append)
    roomy.loader.request(1, photos[1])
    qtbot.waitUntil(lambda: 3 in roomy.loaded)
    # Whoever was at it has let go of its thread.
    roomy.block().set()
    qtbot.waitUntil(lambda: roomy.loaded == [1, 3])
    assert renewed == []
    assert roomy.loader.get(1) is None


def test_a_hurried_hand_has_no_photograph_decoded_ahead_but_small_images(roomy, photos, qtbot):
    ahead = [(2, photos[2]), (3, roomy.paths[3])]
    roomy.loader.request(1, photos[1], ahead, hurried=True)
    qtbot.waitUntil(lambda: {1, 3} <= set(roomy.loaded))
    roomy.block().set()
    assert roomy.loader.get(2) is None
    roomy.loader.request(1, photos[1], ahead)
    qtbot.waitUntil(lambda: 2 in roomy.loaded)


def test_a_photograph_passed_by_is_not_decoded_though_the_hand_may_come_back(roomy, photos, qtbot):
    def go_on(image_id: int) -> None:
        if image_id == 1:
            roomy.loader.request(3, roomy.paths[3], [(1, photos[1])])

    renewed = []
    roomy.loader.loaded.connect(go_on)
    roomy.loader.renewed.connect(renewed.append)
    roomy.loader.request(1, photos[1])
    qtbot.waitUntil(lambda: 3 in roomy.loaded)
    roomy.block().set()
    qtbot.waitUntil(lambda: roomy.loaded == [1, 3])
    assert renewed == []
