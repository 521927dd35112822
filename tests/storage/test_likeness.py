"""What images look like, out of their files and out of the cache."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskstudio.errors import CancelledError
from maskstudio.progress import TaskContext
from maskstudio.storage.likeness import CACHE_NAME, Likeness, cached_likenesses, likenesses
from support.pictures import write_picture


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a project's own folder and two pictures."""
    (tmp_path / ".maskstudio").mkdir()
    write_picture(tmp_path / "a.png", 80, 100, 1)
    write_picture(tmp_path / "ö b.png", 80, 100, 2)
    return tmp_path


NAMES = ["a.png", "ö b.png"]


def looks(project: Path, names: Sequence[str] = NAMES) -> dict[str, Likeness]:
    return dict(likenesses(project, names, TaskContext()))


def words(look: Likeness) -> list[int]:
    assert look.hash is not None
    return [int(word) for word in look.hash]


def hash_of(project: Path, name: str) -> list[int]:
    return words(looks(project, [name])[name])


def bits_apart(project: Path, one: str, other: str) -> int:
    a, b = (np.array(hash_of(project, name), np.uint64) for name in (one, other))
    return int(np.unpackbits((a ^ b).view(np.uint8)).sum())


def test_an_image_encoded_anew_at_another_size_looks_nearly_the_same(project: Path) -> None:
    with Image.open(project / "a.png") as image:
        image.resize((300, 240)).save(project / "a.jpg", quality=60)
    assert bits_apart(project, "a.png", "a.jpg") < 40
    assert bits_apart(project, "a.png", "ö b.png") > 90


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_it_is_looked_at_as_it_stands_upright(project: Path, orientation: int) -> None:
    turn = {
        3: Image.Transpose.ROTATE_180,
        6: Image.Transpose.ROTATE_90,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    with Image.open(project / "a.png") as image:
        image.transpose(turn).save(project / "turned.png", exif=exif)
    assert hash_of(project, "turned.png") == hash_of(project, "a.png")


def test_the_same_bytes_have_the_same_digest_and_others_another(project: Path) -> None:
    (project / "c.png").write_bytes((project / "a.png").read_bytes())
    found = looks(project, [*NAMES, "c.png"])
    assert found["c.png"].digest == found["a.png"].digest != found["ö b.png"].digest


def test_what_is_known_needs_no_file(project: Path) -> None:
    found = looks(project)
    for name in NAMES:
        (project / name).unlink()
    cached = cached_likenesses(project, [*NAMES, "never.png"])
    assert cached.keys() == set(NAMES)
    assert all(words(cached[name]) == words(found[name]) for name in NAMES)


def test_a_file_that_has_changed_is_looked_at_again(project: Path) -> None:
    before = hash_of(project, "a.png")
    write_picture(project / "a.png", 80, 100, 3)
    os.utime(project / "a.png", ns=(1, 1))
    assert hash_of(project, "a.png") != before


@pytest.mark.parametrize("damage", ["deleted", "no database", "cut"])
def test_the_cache_may_be_deleted_or_damaged(project: Path, damage: str) -> None:
    before = looks(project)
    cache = project / ".maskstudio" / CACHE_NAME
    if damage == "deleted":
        cache.unlink()
    else:
        cache.write_bytes(b"no" * 999 if damage == "no database" else cache.read_bytes()[:5000])
    for _ in range(2):
        again = looks(project)
        assert {name: one.digest for name, one in again.items()} == {
            name: one.digest for name, one in before.items()
        }
    assert cached_likenesses(project, NAMES).keys() == set(NAMES)


def test_without_a_place_for_the_cache_it_works_all_the_same(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", 80, 100)
    assert looks(tmp_path, ["a.png"])["a.png"].hash is not None
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_what_cannot_be_read_looks_like_nothing_and_what_is_gone_is_passed_over(
    project: Path,
) -> None:
    (project / "broken.png").write_bytes(b"\x89PNG nothing")
    found = looks(project, ["a.png", "broken.png", "gone.png"])
    assert found.keys() == {"a.png", "broken.png"}
    assert found["broken.png"].hash is None


def test_what_was_done_before_a_cancel_is_kept(project: Path) -> None:
    names = [f"{n}.png" for n in range(80)]
    for name in names:
        write_picture(project / name, 40, 40)

    class Cancelled(TaskContext):
        asked = 0

        def raise_if_cancelled(self) -> None:
            self.asked += 1
            if self.asked > 2:
                raise CancelledError

    with pytest.raises(CancelledError):
        list(likenesses(project, names, Cancelled()))
    kept = cached_likenesses(project, names)
    assert 0 < len(kept) < 80
