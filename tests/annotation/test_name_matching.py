"""An image of a data set is found by its name, or none is: never by a guess between two."""

import unicodedata
from collections.abc import Sequence

import hypothesis.strategies as st
import pytest
from hypothesis import given

from maskstudio.annotation.name_matching import Mismatch, match_names

PATHS = ("a.png", "train/1.jpg", "val/1.jpg", "deep/er/füße.tif", "x/twice.png", "Upper.JPG")


def found(name: str, paths: Sequence[str] = PATHS) -> str | Mismatch | None:
    (match,) = match_names([name], paths)
    return match.why if match.place is None else paths[match.place]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a.png", "a.png"),
        ("./a.png", "a.png"),
        ("images//a.png", "a.png"),
        ("train/1.jpg", "train/1.jpg"),
        ("train\\1.jpg", "train/1.jpg"),
        ("coco/images/val/1.jpg", "val/1.jpg"),
        ("twice.png", "x/twice.png"),
        ("er/füße.tif", "deep/er/füße.tif"),
        (unicodedata.normalize("NFD", "deep/er/füße.tif"), "deep/er/füße.tif"),
        ("/home/somebody/set/train/1.jpg", "train/1.jpg"),
        ("C:\\Users\\me\\set\\val\\1.jpg", "val/1.jpg"),
        ("D:1.jpg\\..\\twice.png", "x/twice.png"),
        ("\\\\server\\share\\other\\twice.png", "x/twice.png"),
        ("..\\..\\label-studio\\media\\upload\\twice.png", "x/twice.png"),
        ("../../../etc/a.png", "a.png"),
        ("https://host/media/twice.png", "x/twice.png"),
        ("val/../train/1.jpg", "train/1.jpg"),
        ("upper.jpg", "Upper.JPG"),
        ("TRAIN/1.JPG", "train/1.jpg"),
    ],
)
def test_a_name_finds_the_one_image_it_can_mean(name: str, path: str) -> None:
    assert found(name) == path


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("other.png", Mismatch.ABSENT),
        ("a.pn", Mismatch.ABSENT),
        ("ba.png", Mismatch.ABSENT),
        ("", Mismatch.ABSENT),
        ("..", Mismatch.ABSENT),
        ("/", Mismatch.ABSENT),
        ("a\0.png", Mismatch.ABSENT),
        ("1.jpg", Mismatch.SEVERAL),
        ("/elsewhere/1.jpg", Mismatch.SEVERAL),
        ("y/twice.png", Mismatch.ELSEWHERE),
        ("test/1.jpg", Mismatch.ELSEWHERE),
    ],
)
def test_where_none_or_several_are_meant_none_is_taken(name: str, why: Mismatch) -> None:
    assert found(name) is why


def test_the_very_same_name_counts_most() -> None:
    # On Linux a backslash may be part of a name, and composed letters are other ones.
    composed = unicodedata.normalize("NFC", "é.png")
    decomposed = unicodedata.normalize("NFD", "é.png")
    paths = ("a\\b.png", "a/b.png", composed, decomposed)
    assert [found(path, paths) for path in paths] == list(paths)


def test_no_image_is_taken_for_two_names() -> None:
    matches = match_names(["train/1.jpg", "val/1.jpg", "b.png"], ["1.jpg", "b.png"])
    assert [match.why for match in matches] == [Mismatch.SHARED, Mismatch.SHARED, None]
    matches = match_names(["old/1.jpg", "1.jpg"], ["1.jpg"])
    assert [match.place for match in matches] == [None, 0]
    matches = match_names(["a.png", "./a.png"], ["a.png"])
    assert [match.why for match in matches] == [Mismatch.SHARED, Mismatch.SHARED]


def test_a_name_without_ending_means_any() -> None:
    paths = ["a/b.jpg", "c.tif", "c.png", "d.e.png", ".f"]
    names = ["a/b", "root/a/b", "c", "d.e", "d", ".f"]
    matches = match_names(names[:1] + names[2:], paths, range(5))
    assert [match.place for match in matches] == [0, None, 3, None, 4]
    assert matches[1].why is Mismatch.SEVERAL
    assert match_names(["root/a/b", "c.png"], paths, [0])[0].place == 0
    assert match_names(["root/a/b", "c.png"], paths, [0])[1].place == 2


PARTS = st.sampled_from(["a", "b", "ü", "ü", "A", "..", ".", "", "C:"])
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("/".join) | st.text(max_size=8)


@given(st.lists(NAMES, max_size=6), st.lists(NAMES, max_size=6, unique=True))
def test_whatever_the_names_every_image_is_taken_once_at_most(
    names: list[str], paths: list[str]
) -> None:
    matches = match_names(names, paths)
    assert len(matches) == len(names)
    places = [match.place for match in matches if match.place is not None]
    assert len(places) == len(set(places))
    assert all((match.place is None) == (match.why is not None) for match in matches)
    for name, match in zip(names, matches, strict=True):
        if names.count(name) == 1 and name in paths:
            assert match.place is None or paths[match.place] == name
