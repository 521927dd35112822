"""Fetch a large file: resumed after any break, cancelled at once, and proved before it is used.

The first eight digits of the file's SHA-256 stand in its name (`name-0123abcd.pth`), as torchvision
names its files.
"""

import os
import queue
import re
import shutil
import threading
from contextlib import closing, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.storage.files import part_of, why

if TYPE_CHECKING:
    # They take 30 ms to load, which a window without a download does without.
    from http.client import HTTPResponse
    from urllib.error import HTTPError

_CHUNK = 1 << 18
_CHUNKS_AHEAD = 8
# A server that says nothing for so long says nothing any more.
_TIMEOUT_SECONDS = 30.0
_LOOK_EVERY_SECONDS = 0.05
_NAME = re.compile(r"-([0-9a-f]{8,64})\.\w+$")
_MEGABYTE = 1_000_000
_SIZE_TOLERANCE = 0.01
_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


@dataclass(frozen=True)
class Source:
    """A file to be fetched.

    Attributes:
        url: where it lies; its last part is the file's name.
        size: bytes it has, about; what the server says counts more.
        room: bytes that must be free beside it, for what is made of it.
    """

    url: str
    size: int
    room: int = 0

    @property
    def file_name(self) -> str:
        """Name of the file here as there."""
        return self.url.rsplit("/", 1)[-1]


def fetch(source: Source, folder: Path, context: TaskContext) -> Path:
    """Return the file, fetched unless it lies in the folder already.

    What arrives is kept beside (`part_of`) until it is whole, and the next call goes on from there.

    Args:
        source: what to fetch.
        folder: where to put it; made when it is not there.
        context: told bytes done and in all; asked often whether to stop.

    Raises:
        UserError: one sentence on what is wrong, with where to put the file by hand when it cannot
            be fetched.
        CancelledError: the person asked to stop; what has arrived stays.
    """
    path = folder / source.file_name
    if path.exists():
        prove(path, context)
        return path
    part = part_of(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _check_room(part, source)
        _fetch_into(part, source, context)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {why(error)}.") from error
    wanted, found = _wanted(path.name), _sha256(part, context)
    if not found.startswith(wanted):
        part.unlink(missing_ok=True)
        raise UserError(
            f"{path.name} arrived damaged (its checksum begins with {found[: len(wanted)]}) and is "
            "removed; download it again."
        )
    part.replace(path)
    return path


def prove(path: Path, context: TaskContext) -> str:
    """Return the SHA-256 of a file; it must begin as the file's name says.

    Raises:
        UserError: it is another file than its name says, or cannot be read.
        CancelledError: the person asked to stop.
    """
    wanted, found = _wanted(path.name), _sha256(path, context)
    if not found.startswith(wanted):
        raise UserError(
            f"{path} is another file than its name says (its checksum begins with "
            f"{found[: len(wanted)]}); remove it and download it again."
        )
    return found


def _wanted(name: str) -> str:
    found = _NAME.search(name)
    if found is None:
        raise UserError(f"The name {name} holds no checksum; what it is cannot be proved.")
    return found[1]


def _sha256(path: Path, context: TaskContext) -> str:
    import hashlib

    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                context.raise_if_cancelled()
                digest.update(chunk)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    return digest.hexdigest()


def _check_room(part: Path, source: Source) -> None:
    there = part.stat().st_size if part.exists() else 0
    needed = max(0, source.size - there) + source.room
    free = shutil.disk_usage(part.parent).free
    if free < needed:
        raise UserError(
            f"{source.file_name} needs {needed / _MEGABYTE:,.0f} MB, and {part.parent} has "
            f"{free / _MEGABYTE:,.0f} MB free; make room and download it again."
        )


def _fetch_into(part: Path, source: Source, context: TaskContext) -> None:
    """Bring the part file up to the whole file's length."""
    there = part.stat().st_size if part.exists() else 0
    with closing(_Stream(source, part.parent, there)) as stream:
        done = stream.starts_at(context)
        if done is None:
            # The part reaches beyond the whole: it is none of it.
            part.unlink()
            raise UserError(
                f"What had arrived of {source.file_name} was damaged and is removed; download it "
                "again."
            )
        total = stream.total or source.size
        context.report(done, total, source.file_name)
        with part.open("r+b" if done else "wb") as file:
            if done:
                file.truncate(done)
                file.seek(done)
            _copy(stream, file, done, context)
            file.flush()
            os.fsync(file.fileno())


def _copy(stream: "_Stream", file: BinaryIO, done: int, context: TaskContext) -> None:
    while chunk := stream.next_chunk(context):
        file.write(chunk)
        done += len(chunk)
        context.report(done, max(done, stream.total or stream.source.size), stream.source.file_name)
    if stream.total and done < stream.total:
        file.flush()
        raise stream.broke_off("the connection ended early")


class _Stream:
    """A file on its way, read on a thread of its own.

    To wait for a server cannot be interrupted; whoever reads here can be told to stop meanwhile.
    """

    def __init__(self, source: Source, folder: Path, there: int) -> None:
        """Ask for the file from byte `there` on; `folder` is only named in messages."""
        self.source = source
        self.total = 0
        self._folder = folder
        self._there = there
        self._stopped = threading.Event()
        self._arrived: queue.Queue[bytes | int | Exception | None] = queue.Queue(_CHUNKS_AHEAD)
        # It waits for a server that may never answer, which must not keep the program from ending.
        threading.Thread(target=self._read, name="download", daemon=True).start()

    def starts_at(self, context: TaskContext) -> int | None:
        """Return the byte the server begins with; None if it has no more than there is here."""
        start = self._next(context)
        return start if isinstance(start, int) and start >= 0 else None

    def next_chunk(self, context: TaskContext) -> bytes:
        """Return what arrived next; nothing once all is here."""
        chunk = self._next(context)
        return chunk if isinstance(chunk, bytes) else b""

    def close(self) -> None:
        """Read no further."""
        self._stopped.set()

    def broke_off(self, what: str) -> UserError:
        """Return what to tell when the server went away in the middle."""
        return UserError(
            f"The download of {self.source.file_name} broke off ({what}); what has arrived is "
            "kept: download it again to go on from there."
        )

    def _next(self, context: TaskContext) -> bytes | int | None:
        while True:
            context.raise_if_cancelled()
            try:
                item = self._arrived.get(timeout=_LOOK_EVERY_SECONDS)
            except queue.Empty:
                continue
            if isinstance(item, Exception):
                raise item
            return item

    def _read(self) -> None:
        from http.client import HTTPException
        from urllib.error import HTTPError

        begun = False
        try:
            with self._open() as response:
                self._put(self._start(response))
                begun = True
                while not self._stopped.is_set() and (chunk := response.read1(_CHUNK)):
                    self._put(chunk)
            self._put(None)
        except HTTPError as error:
            with error:
                self._put(self._refused(error))
                self._put(None)
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            self._put(self.broke_off(str(reason)) if begun else self._unreachable(str(reason)))

    def _put(self, item: bytes | int | Exception | None) -> None:
        while not self._stopped.is_set():
            with suppress(queue.Full):
                self._arrived.put(item, timeout=_LOOK_EVERY_SECONDS)
                return

    def _open(self) -> "HTTPResponse":
        from urllib.request import Request, urlopen

        headers = {"User-Agent": "MaskStudio", "Accept-Encoding": "identity"}
        if self._there:
            headers["Range"] = f"bytes={self._there}-"
        request = Request(self.source.url, headers=headers)
        response: HTTPResponse = urlopen(request, timeout=_TIMEOUT_SECONDS)
        return response

    def _start(self, response: "HTTPResponse") -> int:
        """Note the whole length and return from which byte on this is."""
        length = int(response.headers.get("Content-Length") or 0)
        if response.status != HTTPStatus.PARTIAL_CONTENT:
            if length and abs(length - self.source.size) > self.source.size * _SIZE_TOLERANCE:
                # As a network does that wants a person to log in first; what is here stays.
                raise ValueError(f"{length:,} bytes came instead of {self.source.size:,}")
            self.total = length
            return 0
        found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        start = int(found[1]) if found else self._there
        self.total = start + length
        return start if start <= self._there else -1

    def _refused(self, error: "HTTPError") -> int | Exception | None:
        """Return what to make of an answer that is no file."""
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and self._there:
            self.total = int(error.headers.get("Content-Range", "").rpartition("/")[2] or 0)
            return self._there if self.total == self._there else -1
        return UserError(
            f"The server does not give {self.source.file_name} ({error.code} {error.reason}); "
            f"{self._by_hand()}"
        )

    def _unreachable(self, reason: str) -> UserError:
        return UserError(f"{self.source.file_name} cannot be fetched ({reason}); {self._by_hand()}")

    def _by_hand(self) -> str:
        return (
            f"get {self.source.url} in another way and put the file into {self._folder}, "
            "where it is found."
        )
