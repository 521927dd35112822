"""A large file arrives whole or not at all, whatever the server does."""

import hashlib
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from maskstudio.errors import CancelledError, UserError
from maskstudio.progress import TaskContext
from maskstudio.storage.downloads import Source, fetch, prove
from maskstudio.storage.files import part_of
from support.file_server import FileServer

CONTENT = bytes(range(256)) * 4096  # 1 MiB
NAME = f"weights-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth"


class Listener(TaskContext):
    """Hears of progress, and may ask to stop."""

    def __init__(self, cancel: Callable[[int], bool] = lambda _: False) -> None:
        self.reports: list[tuple[int, int, str]] = []
        self._cancel = cancel

    def report(self, done: int, total: int, note: str = "") -> None:
        self.reports.append((done, total, note))

    def raise_if_cancelled(self) -> None:
        if self.reports and self._cancel(self.reports[-1][0]):
            raise CancelledError


class Place(NamedTuple):
    """A folder to download into."""

    folder: Path
    file: Path
    part: Path


@pytest.fixture
def server() -> Iterator[FileServer]:
    made = FileServer(CONTENT)
    yield made
    made.close()


@pytest.fixture
def source(server: FileServer) -> Source:
    return Source(server.url(NAME), len(CONTENT) + 300)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    folder = tmp_path / "data" / "models"
    return Place(folder, folder / NAME, part_of(folder / NAME))


def refused(source: Source, folder: Path, context: TaskContext | None = None) -> str:
    """Return the one sentence that says why a file cannot be fetched."""
    with pytest.raises(UserError) as raised:
        fetch(source, folder, context or TaskContext())
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_file_arrives_whole_with_its_progress(source: Source, place: Place) -> None:
    listener = Listener()
    assert fetch(source, place.folder, listener) == place.file
    assert place.file.read_bytes() == CONTENT
    assert list(place.folder.iterdir()) == [place.file]
    done = [report[0] for report in listener.reports]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, len(CONTENT))
    assert {report[1] for report in listener.reports} == {len(CONTENT)}


def test_a_file_that_is_there_needs_no_network(
    server: FileServer, source: Source, place: Place
) -> None:
    place.folder.mkdir(parents=True)
    place.file.write_bytes(CONTENT)
    server.close()
    assert fetch(source, place.folder, TaskContext()) == place.file
    assert server.asked == []


def test_a_file_put_there_by_hand_that_is_another_is_refused(source: Source, place: Place) -> None:
    place.folder.mkdir(parents=True)
    place.file.write_bytes(CONTENT[:-1])
    said = refused(source, place.folder)
    assert said.startswith(f"{place.file} is another file than its name says (its checksum begins")
    assert said.endswith("); remove it and download it again.")
    assert place.file.exists()


def test_after_a_break_the_rest_is_fetched(
    server: FileServer, source: Source, place: Place
) -> None:
    server.cut_after = 700_000
    said = refused(source, place.folder)
    assert said.startswith(f"The download of {NAME} broke off (")
    assert said.endswith("; what has arrived is kept: download it again to go on from there.")
    assert place.part.read_bytes() == CONTENT[:700_000]
    assert not place.file.exists()
    server.cut_after = None
    listener = Listener()
    fetch(source, place.folder, listener)
    assert place.file.read_bytes() == CONTENT
    assert server.asked == ["", "bytes=700000-"]
    assert listener.reports[0][:2] == (700_000, len(CONTENT))
    assert not place.part.exists()


def test_a_server_that_cannot_begin_in_the_middle_begins_anew(
    server: FileServer, source: Source, place: Place
) -> None:
    place.folder.mkdir(parents=True)
    place.part.write_bytes(b"x" * 2_000_000)
    server.ranges = False
    fetch(source, place.folder, TaskContext())
    assert place.file.read_bytes() == CONTENT


def test_a_part_that_is_the_whole_needs_nothing_more(source: Source, place: Place) -> None:
    place.folder.mkdir(parents=True)
    place.part.write_bytes(CONTENT)
    fetch(source, place.folder, TaskContext())
    assert list(place.folder.iterdir()) == [place.file]


def test_a_part_longer_than_the_whole_is_removed(source: Source, place: Place) -> None:
    place.folder.mkdir(parents=True)
    place.part.write_bytes(CONTENT + b"more")
    assert refused(source, place.folder) == (
        f"What had arrived of {NAME} was damaged and is removed; download it again."
    )
    assert list(place.folder.iterdir()) == []
    fetch(source, place.folder, TaskContext())
    assert place.file.read_bytes() == CONTENT


@pytest.mark.parametrize("damaged_before", [False, True], ids=["sent so", "kept so"])
def test_a_file_with_another_checksum_is_removed(
    server: FileServer, source: Source, place: Place, damaged_before: bool
) -> None:
    place.folder.mkdir(parents=True)
    if damaged_before:
        place.part.write_bytes(b"x" * 1000)
    else:
        server.content = CONTENT[:-1] + b"x"
    said = refused(source, place.folder)
    assert said.startswith(f"{NAME} arrived damaged (its checksum begins with ")
    assert said.endswith(") and is removed; download it again.")
    assert list(place.folder.iterdir()) == []
    server.content = CONTENT
    fetch(source, place.folder, TaskContext())
    assert place.file.read_bytes() == CONTENT


def test_a_page_in_the_place_of_the_file_costs_nothing_that_has_arrived(
    server: FileServer, source: Source, place: Place
) -> None:
    """As networks do that want a person to log in first."""
    place.folder.mkdir(parents=True)
    place.part.write_bytes(CONTENT[:1000])
    server.content, server.ranges = b"<html>Log in first</html>", False
    said = refused(source, place.folder)
    assert said.startswith(f"{NAME} cannot be fetched (25 bytes came instead of 1,048,876); get ")
    assert place.part.read_bytes() == CONTENT[:1000]


@pytest.mark.parametrize("status", [403, 404, 503])
def test_a_server_without_the_file_says_where_to_put_it(
    server: FileServer, source: Source, place: Place, status: int
) -> None:
    server.status = status
    said = refused(source, place.folder)
    assert said.startswith(f"The server does not give {NAME} ({status} ")
    assert said.endswith(
        f"); get {source.url} in another way and put the file into {place.folder}, where it is "
        "found."
    )
    assert list(place.folder.iterdir()) == []


def test_without_a_network_one_sentence_says_where_to_put_the_file(
    server: FileServer, source: Source, place: Place
) -> None:
    server.close()
    said = refused(source, place.folder)
    assert said.startswith(f"{NAME} cannot be fetched (")
    assert said.endswith(
        f"); get {source.url} in another way and put the file into {place.folder}, where it is "
        "found."
    )


def test_a_server_that_stops_answering_can_be_cancelled_at_once(
    server: FileServer, source: Source, place: Place
) -> None:
    server.gate.clear()
    with pytest.raises(CancelledError):
        fetch(source, place.folder, Listener(lambda done: done >= len(CONTENT) // 4))
    assert place.part.read_bytes() == CONTENT[: len(CONTENT) // 4]
    server.gate.set()
    fetch(source, place.folder, TaskContext())
    assert place.file.read_bytes() == CONTENT
    assert server.asked == ["", f"bytes={len(CONTENT) // 4}-"]


def test_a_slow_server_is_waited_for(server: FileServer, source: Source, place: Place) -> None:
    """It pauses until what it sent before has been seen to arrive."""
    server.gate.clear()

    def go_on(done: int) -> bool:
        if done >= len(CONTENT) // 4:
            server.gate.set()
        return False

    fetch(source, place.folder, Listener(go_on))
    assert place.file.read_bytes() == CONTENT


def test_a_disk_too_small_is_noticed_before_anything_is_fetched(
    server: FileServer, source: Source, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(place.folder.parents[1])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2_000_000))
    big = Source(source.url, 5_000_000, room=5_000_000)
    assert refused(big, place.folder) == (
        f"{NAME} needs 10 MB, and {place.folder} has 2 MB free; make room and download it again."
    )
    assert server.asked == []
    # What is there already needs no more room.
    place.part.write_bytes(CONTENT[:500_000])
    fetch(Source(source.url, len(CONTENT)), place.folder, TaskContext())
    assert place.file.read_bytes() == CONTENT


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is a disk that is full")
def test_a_disk_that_fills_up_is_said_in_one_sentence(source: Source, place: Place) -> None:
    place.folder.mkdir(parents=True)
    place.part.symlink_to("/dev/full")
    assert refused(source, place.folder) == (
        f"{place.file} cannot be written: the disk is full; free some space and try again."
    )
    assert not place.file.exists()


def test_a_folder_that_cannot_be_made_is_said_in_one_sentence(
    source: Source, tmp_path: Path
) -> None:
    (tmp_path / "models").write_bytes(b"a file")
    assert refused(source, tmp_path / "models").startswith(
        f"{tmp_path / 'models' / NAME} cannot be written: "
    )


def test_a_file_whose_name_holds_no_checksum_is_not_taken_for_proved(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(CONTENT)
    with pytest.raises(UserError, match=r"The name weights\.pth holds no checksum"):
        prove(path, TaskContext())
    right = path.rename(tmp_path / NAME)
    assert prove(right, TaskContext()) == hashlib.sha256(CONTENT).hexdigest()
    with pytest.raises(UserError, match=r"cannot be read: No such file"):
        prove(path.with_name("none-01234567.pth"), TaskContext())
