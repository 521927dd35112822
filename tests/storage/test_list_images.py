"""Listing a folder: which files are taken, and in which order."""

import itertools
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskstudio.errors import UserError
from maskstudio.storage.folder import SUFFIXES, ImageFile, list_images, natural_key
from storage.children import in_child, list_as_nobody
from support.pictures import write_picture

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX rights and names")


def paths(folder: Path) -> list[str]:
    return [image.path for image in list_images(folder)]


def test_images_come_in_natural_order_from_all_subfolders(tmp_path: Path) -> None:
    names = ["img10.png", "img2.png", "IMG1.png", "b/2.png", "b/10.png", "b/c/1.png", "a1/x.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert paths(tmp_path) == [
        "a1/x.png",
        "b/2.png",
        "b/10.png",
        "b/c/1.png",
        "IMG1.png",
        "img2.png",
        "img10.png",
    ]


def test_every_kind_of_image_is_taken_and_nothing_else(tmp_path: Path) -> None:
    for ending in (*SUFFIXES, ".PNG", ".Jpg", ".txt", ".json", ".png.part", ""):
        (tmp_path / f"a{ending.lstrip('.')}{ending}").touch()
    expected = {f"a{ending.lstrip('.')}{ending}" for ending in (*SUFFIXES, ".PNG", ".Jpg")}
    assert set(paths(tmp_path)) == expected


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    for name in (".a.png", ".maskstudio/b.png", "c/.d/e.png", "c/.f.png", "g.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert paths(tmp_path) == ["g.png"]


def test_a_listed_file_carries_its_length_and_time(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "sub" / "ä.png", 8, 9)
    status = path.stat()
    expected = [ImageFile("sub/ä.png", status.st_size, status.st_mtime_ns)]
    assert list(list_images(tmp_path)) == expected


def test_a_folder_that_looks_like_an_image_is_walked(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    (tmp_path / "a.png" / "b.png").touch()
    assert paths(tmp_path) == ["a.png/b.png"]


def test_an_empty_folder_has_no_images(tmp_path: Path) -> None:
    assert paths(tmp_path) == []


def test_a_missing_folder_and_a_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError) as raised:
        paths(tmp_path / "gone")
    assert str(raised.value) == f"{tmp_path / 'gone'} does not exist; choose another folder."
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file; choose the folder it lies in"):
        paths(tmp_path / "file")


@posix
def test_a_link_to_nowhere_is_passed_over_and_one_to_a_file_is_taken(tmp_path: Path) -> None:
    (tmp_path / "b.png").touch()
    (tmp_path / "a.png").symlink_to("nowhere.png")
    (tmp_path / "c.png").symlink_to("b.png")
    (tmp_path / "d").symlink_to(tmp_path, target_is_directory=True)  # would go round for ever
    assert paths(tmp_path) == ["b.png", "c.png"]


@posix
def test_a_folder_one_may_not_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "a.png").touch()
    tmp_path.chmod(0o755)
    (tmp_path / "secret").chmod(0o000)
    try:
        said = in_child(list_as_nobody, tmp_path)
    finally:
        (tmp_path / "secret").chmod(0o755)
    assert said == "secret cannot be read: Permission denied."


@pytest.mark.skipif(sys.platform != "linux", reason="a name of any bytes exists on Linux only")
def test_a_name_that_is_not_unicode_is_told_in_one_sentence(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")).touch()
    with pytest.raises(UserError) as raised:
        paths(tmp_path)
    assert str(raised.value) == "The name of caf?.png is not Unicode; rename the file."


# The order


@pytest.mark.parametrize(
    "ordered",
    [
        ["img2", "img10", "img100"],
        ["a", "B", "c"],
        ["1", "2", "a1", "a01b", "a2"],
        ["2024-1-9", "2024-1-10", "2024-10-1"],
        ["x", "x1", "x1a", "xa"],
        ["", "0", "a"],
    ],
)
def test_natural_order(ordered: list[str]) -> None:
    mixed = ordered[::-1]
    assert sorted(mixed, key=natural_key) == ordered


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(alphabet="aB0129²٣ _./éß-", max_size=8), max_size=7))
def test_any_names_can_be_put_in_one_order(names: list[str]) -> None:
    for a, b, c in itertools.product(names, repeat=3):
        x, y, z = natural_key(a), natural_key(b), natural_key(c)
        assert (x < y) + (x > y) + (x == y) == 1
        assert not (x < y < z) or x < z
    ordered = [natural_key(name) for name in sorted(names, key=natural_key)]
    assert all(x <= y for x, y in itertools.pairwise(ordered))
