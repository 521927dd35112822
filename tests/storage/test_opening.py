"""Opening a project: one process at a time, and never one that is damaged or of a newer program."""

import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from maskstudio.errors import UserError
from maskstudio.storage.opening import ProjectLockedError, open_project
from maskstudio.storage.places import has_project
from storage.children import (
    draw,
    draw_all,
    in_child,
    make_on_a_full_disk,
    make_project,
    numbered,
    read_as_nobody,
    try_to_open,
    write_as_nobody_would,
)

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX rights and limits")


def database(folder: Path) -> Path:
    return folder / ".maskstudio" / "project.db"


def says(folder: Path) -> str:
    """Return what is said about a project that cannot be opened, one way or the other."""
    sentences = []
    for read_only in (False, True):
        with pytest.raises(UserError) as raised:
            open_project(folder, read_only=read_only)
        sentences.append(str(raised.value))
    assert sentences[0] == sentences[1]
    assert str(folder) in sentences[0]
    assert sentences[0].endswith(".")
    assert "\n" not in sentences[0]
    return sentences[0]


def execute(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


# One at a time


def test_a_project_is_open_in_one_process_only(tmp_path: Path) -> None:
    with make_project(tmp_path):
        happened, said = in_child(try_to_open, tmp_path, read_only=False)
        assert happened == "locked"
        assert said == (
            f"{tmp_path} is open in another window of MaskStudio; close that, or open for reading."
        )
        assert in_child(try_to_open, tmp_path, read_only=True) == ("opened", "a.png")
        with pytest.raises(ProjectLockedError):
            open_project(tmp_path)
    assert in_child(try_to_open, tmp_path, read_only=False) == ("opened", "a.png")


def test_what_is_open_for_reading_sees_what_is_saved_and_refuses_to_change_it(
    tmp_path: Path,
) -> None:
    with make_project(tmp_path) as project, open_project(tmp_path, read_only=True) as reader:
        draw_all(project, [1])
        assert reader.read_only
        assert reader.annotations(1) == project.annotations(1)
        for write in (
            lambda: reader.commit(draw(numbered(9, 9), "Draw")),
            lambda: reader.add_images(["b.png"]),
            lambda: reader.set_setting("key", 1),
            reader.undo,
            reader.redo,
        ):
            with pytest.raises(UserError, match="open for reading only; nothing was changed"):
                write()
        reader.set_size(1, 5, 5)
        draw_all(project, [2])
        assert len(reader.annotations(1)) == 2
        assert reader.history().undo == "Draw 2"
    with open_project(tmp_path) as project:
        assert [image.path for image in project.images()] == ["a.png"]
        assert project.images()[0].height == 0


def test_opening_for_reading_changes_not_one_byte(tmp_path: Path) -> None:
    make_project(tmp_path).close()
    execute(database(tmp_path), "PRAGMA journal_mode = DELETE")
    before = database(tmp_path).read_bytes()
    with open_project(tmp_path, read_only=True) as project:
        assert [image.path for image in project.images()] == ["a.png"]
    assert database(tmp_path).read_bytes() == before


def test_a_folder_without_a_project_has_nothing_to_read(tmp_path: Path) -> None:
    assert not has_project(tmp_path)
    with pytest.raises(UserError, match="holds no project yet"):
        open_project(tmp_path, read_only=True)
    assert list(tmp_path.iterdir()) == []
    make_project(tmp_path).close()
    assert has_project(tmp_path)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    assert says(gone) == f"{gone} is not a folder; choose the folder that holds the images."
    assert not gone.exists()


@posix
def test_a_project_on_a_read_only_disk_can_be_read() -> None:
    with tempfile.TemporaryDirectory() as reachable:  # by another user; `tmp_path` is not
        Path(reachable).chmod(0o755)
        folder = Path(reachable) / "a ?%41#ü"
        folder.mkdir()
        make_project(folder).close()
        home = folder / ".maskstudio"
        home.chmod(0o555)
        try:
            assert in_child(read_as_nobody, folder) == ("opened", "a.png")
        finally:
            home.chmod(0o755)
        assert sorted(path.name for path in home.iterdir()) == ["lock", "project.db"]


@posix
def test_a_folder_one_may_not_write_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        happened, said = in_child(write_as_nobody_would, tmp_path)
    finally:
        tmp_path.chmod(0o755)
    assert happened == "refused"
    assert said.endswith("writing there is not permitted; choose another folder.")
    assert list(tmp_path.iterdir()) == []


# Where the folder is and what it is called


@pytest.mark.parametrize("name", ["what?.db", "50%25#1", "a&b=c", "Füße 細胞", "with space"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    if sys.platform == "win32" and "?" in name:
        pytest.skip("Windows allows no such name")
    folder = tmp_path / name
    folder.mkdir()
    with make_project(folder) as project:
        draw_all(project, [1])
    assert database(folder).is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    with open_project(folder, read_only=True) as project:
        assert len(project.annotations(1)) == 1


@pytest.mark.parametrize("move", [Path.rename, shutil.copytree])
def test_the_work_moves_with_the_folder(
    tmp_path: Path, move: Callable[[Path, Path], object]
) -> None:
    folder = tmp_path / "before"
    folder.mkdir()
    with make_project(folder) as project:
        draw_all(project, [1, 2])
        before = project.annotations(1)
    move(folder, tmp_path / "after")
    with open_project(tmp_path / "after") as project:
        assert project.annotations(1) == before
        project.undo()
        assert project.annotations(1) == before[:1]


# Damage


def test_a_newer_project_is_left_alone(tmp_path: Path) -> None:
    make_project(tmp_path).close()
    execute(
        database(tmp_path),
        "UPDATE settings SET value = '2' WHERE key = 'schema_version'",
        "PRAGMA journal_mode = DELETE",
    )
    before = database(tmp_path).read_bytes()
    assert says(tmp_path) == (
        f"{database(tmp_path)} has version 2, this program writes 1; "
        "open it with the program that made it."
    )
    assert database(tmp_path).read_bytes() == before


def text(path: Path) -> None:
    path.write_text("this is no database, only a text that is long enough\n" * 100)


def other_program(path: Path) -> None:
    path.unlink()
    execute(path, "CREATE TABLE notes (text)", "INSERT INTO notes VALUES ('mine')")


def without_version(path: Path) -> None:
    execute(path, "DELETE FROM settings")


def without_annotations(path: Path) -> None:
    execute(path, "DROP TABLE annotations")


def damaged_header(path: Path) -> None:
    path.write_bytes(b"\x00" * 100 + path.read_bytes()[100:])


def damaged_schema(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[100:4096] = bytes(range(256)) * 15 + bytes(156)
    path.write_bytes(data)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:6000])


@pytest.mark.parametrize(
    "damage",
    [
        text,
        other_program,
        without_version,
        without_annotations,
        damaged_header,
        damaged_schema,
        truncated,
    ],
)
def test_a_damaged_project_is_refused_and_left_as_it_is(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    make_project(tmp_path).close()
    damage(database(tmp_path))
    before = database(tmp_path).read_bytes()
    says(tmp_path)
    assert database(tmp_path).read_bytes() == before
    # Moving it away is what the sentence advises, and the lock does not stand in the way.
    database(tmp_path).rename(tmp_path / "damaged.db")
    make_project(tmp_path).close()


@posix
def test_a_project_that_could_not_be_made_can_be_made_later(tmp_path: Path) -> None:
    for size in (100, 5_000, 20_000, 40_000):
        folder = tmp_path / str(size)
        folder.mkdir()
        said = in_child(make_on_a_full_disk, folder, size)
        assert str(folder) in said
        with make_project(folder) as project:
            draw_all(project, [1])
