"""An export replaces the files of an earlier export, and nothing that is somebody else's."""

import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from maskstudio.errors import CancelledError, UserError
from maskstudio.progress import TaskContext
from maskstudio.storage.export_folder import MANIFEST_NAME, move_into_place, staged

Files = Mapping[str, str]


def put(
    destination: Path,
    files: Files,
    images: Files | None = None,
    *,
    link: bool = False,
    context: TaskContext | None = None,
) -> int:
    """Export files, and images from their sources; return how many were copied all the same."""
    with staged(destination) as staging:
        for name, text in files.items():
            path = staging.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        copied = sum(
            not staging.place(Path(source), name, link=link)
            for name, source in (images or {}).items()
        )
        move_into_place(staging, context or TaskContext())
    return copied


def there(folder: Path) -> dict[str, str]:
    """Return all files of a folder but the manifest."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST_NAME
    }


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """An image of a project."""
    path = tmp_path / "project" / "ä b.png"
    path.parent.mkdir()
    path.write_text("pixels")
    return path


def test_a_new_folder_holds_what_was_written_and_nothing_beside_it(tmp_path: Path) -> None:
    put(tmp_path / "out", {"data.yaml": "1", "labels/ä b.txt": "2"})
    assert there(tmp_path / "out") == {"data.yaml": "1", "labels/ä b.txt": "2"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_later_export_replaces_its_files_and_removes_those_no_longer_in_it(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    put(out, {"a.txt": "1", "old/b.txt": "1", "both/c.txt": "1"})
    (out / "both" / "mine.txt").write_text("mine")
    put(out, {"a.txt": "2", "new/d.txt": "2"})
    assert there(out) == {"a.txt": "2", "new/d.txt": "2", "both/mine.txt": "mine"}
    assert not (out / "old").exists()


@pytest.mark.parametrize("inside", ["a.txt", "sub/a.txt"])
def test_a_file_that_is_not_of_an_export_is_never_replaced(tmp_path: Path, inside: str) -> None:
    out = tmp_path / "out"
    (out / inside).parent.mkdir(parents=True)
    (out / inside).write_text("mine")
    with pytest.raises(UserError, match="was not written by an earlier export"):
        put(out, {"0.txt": "1", inside: "1"})
    assert there(out) == {inside: "mine"}
    assert not (out / MANIFEST_NAME).exists()


def test_a_file_that_somebody_has_changed_since_is_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    put(out, {"a.txt": "1", "b.txt": "1"})
    (out / "a.txt").write_text("changed by hand")
    with pytest.raises(UserError, match="or was changed since"):
        put(out, {"a.txt": "2", "b.txt": "2"})
    assert there(out) == {"a.txt": "changed by hand", "b.txt": "1"}


def test_a_file_that_somebody_has_changed_since_is_not_removed_and_that_is_told(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    put(out, {"a.txt": "1", "b.txt": "1"})
    (out / "a.txt").write_text("changed by hand")
    with staged(out) as staging:
        (staging.folder / "b.txt").write_text("2")
        assert move_into_place(staging, TaskContext()) == ("a.txt",)
    assert there(out) == {"a.txt": "changed by hand", "b.txt": "2"}


def test_a_folder_that_leads_elsewhere_is_not_written_through(tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (out / "labels").symlink_to(elsewhere)
    with pytest.raises(UserError, match="labels is in the way"):
        put(out, {"labels/a.txt": "1"})
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("name", ["../other.txt", "/{}/other.txt", "sub/../../other.txt"])
def test_a_manifest_cannot_name_files_outside(tmp_path: Path, name: str) -> None:
    other, out = tmp_path / "other.txt", tmp_path / "out"
    put(tmp_path / "first", {"other.txt": "1"})
    (tmp_path / "first" / "other.txt").rename(other)
    (digests,) = json.loads((tmp_path / "first" / MANIFEST_NAME).read_text())["files"].values()
    out.mkdir()
    named = name.format(str(tmp_path).strip("/"))
    (out / MANIFEST_NAME).write_text(json.dumps({"files": {named: digests}}))
    put(out, {"a.txt": "1"})
    assert other.read_text() == "1"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 3}', '{"files": {"a": 3}}'])
def test_a_manifest_that_cannot_be_read_stops_the_export(tmp_path: Path, text: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / MANIFEST_NAME).write_text(text)
    with pytest.raises(UserError, match="delete it, or choose another folder"):
        put(out, {"a.txt": "1"})
    assert there(out) == {}


def test_images_are_copied_with_their_times(tmp_path: Path, image: Path) -> None:
    put(tmp_path / "out", {}, {"images/a.png": str(image)})
    copy = tmp_path / "out" / "images" / "a.png"
    assert copy.read_text() == "pixels"
    assert copy.stat().st_mtime_ns == image.stat().st_mtime_ns
    assert not image.samefile(copy)


def test_a_copy_that_is_there_already_is_not_made_again(tmp_path: Path, image: Path) -> None:
    out = tmp_path / "out"
    put(out, {}, {"images/a.png": str(image)})
    before = (out / "images" / "a.png").stat().st_ino
    put(out, {"new.txt": "1"}, {"images/a.png": str(image)})
    assert (out / "images" / "a.png").stat().st_ino == before
    image.write_text("others")
    put(out, {}, {"images/a.png": str(image)})
    assert there(out) == {"images/a.png": "others"}


def test_a_linked_image_is_the_same_file(tmp_path: Path, image: Path) -> None:
    out = tmp_path / "out"
    assert put(out, {}, {"images/a.png": str(image)}, link=True) == 0
    assert image.samefile(out / "images" / "a.png")
    # Linked again, then copied in its place, then linked once more.
    put(out, {}, {"images/a.png": str(image)}, link=True)
    put(out, {}, {"images/a.png": str(image)})
    assert not image.samefile(out / "images" / "a.png")
    put(out, {}, {"images/a.png": str(image)}, link=True)
    assert image.samefile(out / "images" / "a.png")
    put(out, {"a.txt": "1"})
    assert there(out) == {"a.txt": "1"}
    assert image.read_text() == "pixels"


def test_a_link_that_is_the_last_name_of_an_image_is_kept(tmp_path: Path, image: Path) -> None:
    out = tmp_path / "out"
    put(out, {}, {"images/a.png": str(image)}, link=True)
    image.unlink()
    put(out, {"a.txt": "1"})
    assert there(out) == {"a.txt": "1", "images/a.png": "pixels"}


def test_what_leads_to_an_image_is_linked_as_the_image(tmp_path: Path, image: Path) -> None:
    pointer = tmp_path / "pointer.png"
    pointer.symlink_to(image)
    put(tmp_path / "out", {}, {"a.png": str(pointer)}, link=True)
    assert not (tmp_path / "out" / "a.png").is_symlink()
    assert image.samefile(tmp_path / "out" / "a.png")


def test_where_there_can_be_no_links_images_are_copied(
    tmp_path: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    assert put(tmp_path / "out", {}, {"images/a.png": str(image)}, link=True) == 1
    assert there(tmp_path / "out") == {"images/a.png": "pixels"}


def test_cancelled_before_the_end_everything_stays(tmp_path: Path) -> None:
    class Cancelled(TaskContext):
        def raise_if_cancelled(self) -> None:
            raise CancelledError

    out = tmp_path / "out"
    put(out, {"a.txt": "1"})
    before = (out / MANIFEST_NAME).read_bytes()
    with pytest.raises(CancelledError):
        put(out, {"a.txt": "2"}, context=Cancelled())
    assert there(out) == {"a.txt": "1"}
    assert (out / MANIFEST_NAME).read_bytes() == before


def test_after_an_end_in_the_middle_the_next_export_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    put(out, {"a.txt": "1", "b.txt": "1", "gone.txt": "1"})
    replace, left = Path.replace, [2]

    def break_off(self: Path, target: Path) -> Path:
        if target.suffix == ".txt":
            left[0] -= 1
            if not left[0]:
                raise OSError(errno.EIO, "Input/output error")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", break_off)
    with pytest.raises(UserError, match="Input/output error"):
        put(out, {"a.txt": "2", "b.txt": "2"})
    monkeypatch.undo()
    assert there(out) == {"a.txt": "2", "b.txt": "1", "gone.txt": "1"}
    put(out, {"a.txt": "3", "b.txt": "3"})
    assert there(out) == {"a.txt": "3", "b.txt": "3"}


def test_a_file_in_place_of_the_folder_or_no_folder_to_put_it_in_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="is a file"):
        put(tmp_path / "file", {})
    with pytest.raises(UserError, match="its folder does not exist"):
        put(tmp_path / "nowhere" / "out", {})
