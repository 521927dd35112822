"""A file is replaced as a whole or not at all."""

import sys
from pathlib import Path

import pytest

from maskstudio.errors import UserError
from maskstudio.storage.files import replaced_file
from storage.children import in_child, write, write_as_nobody, write_on_a_full_disk

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX rights and limits")


def test_the_file_is_whole_when_it_appears(tmp_path: Path) -> None:
    path = tmp_path / "größe.json"
    path.write_bytes(b"old")
    with replaced_file(path) as beside:
        beside.write_bytes(b"new and longer")
        assert path.read_bytes() == b"old"
        assert beside.parent == path.parent
        written = beside.stat().st_ino
    assert path.read_bytes() == b"new and longer"
    assert path.stat().st_ino == written  # moved in one step, not copied piece by piece
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_was_not_there_is_made(tmp_path: Path) -> None:
    assert write(tmp_path / "new.json", b"x") == ""
    assert (tmp_path / "new.json").read_bytes() == b"x"


@pytest.mark.parametrize("error", [ValueError("no"), UserError("No."), KeyboardInterrupt()])
def test_the_old_file_survives_what_is_raised_while_writing(
    tmp_path: Path, error: BaseException
) -> None:
    path = tmp_path / "out.json"
    path.write_bytes(b"old")

    def fail() -> None:
        with replaced_file(path) as beside:
            beside.write_bytes(b"half of the n")
            raise error

    with pytest.raises(type(error)) as raised:
        fail()
    assert raised.value is error
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_named_in_one_sentence(tmp_path: Path) -> None:
    said = write(tmp_path / "gone" / "out.json", b"new")
    expected = "cannot be written: its folder does not exist; choose another folder."
    assert said == f"{tmp_path / 'gone' / 'out.json'} {expected}"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert write(tmp_path / "out", b"new").startswith(f"{tmp_path / 'out'} cannot be written: ")
    assert (tmp_path / "out").is_dir()
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


@posix
def test_a_full_disk_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_bytes(b"old")
    said = in_child(write_on_a_full_disk, path, b"n" * 5000)
    assert said.startswith(f"{path} cannot be written: the file would grow beyond")
    assert said.endswith(".")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    assert in_child(write_on_a_full_disk, path, b"n" * 500) == ""


@posix
def test_a_folder_one_may_not_write_to_is_named_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_bytes(b"old")
    tmp_path.chmod(0o555)
    try:
        said = in_child(write_as_nobody, tmp_path, path.name, b"new")
    finally:
        tmp_path.chmod(0o755)
    assert said == (
        "out.json cannot be written: writing there is not permitted; choose another folder."
    )
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
