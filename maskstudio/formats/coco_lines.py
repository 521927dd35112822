"""Find the annotations of a COCO file by image without reading all of it into memory.

`maskstudio.formats.coco` writes one entry a line; such a file is gone through once, noting where
each line begins. Whatever else a file may look like is read whole, by pycocotools.
"""

import contextlib
import io
import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from pycocotools.coco import COCO

from maskstudio.progress import TaskContext

Entry = dict[str, Any]
"""An entry of one of the lists of a COCO file, whatever it holds."""

LISTS = ("images", "annotations", "categories")
"""The lists of a COCO file, in the order they are written in."""

_LINES_BETWEEN_CANCELS = 4096


class _Head(msgspec.Struct):
    """Of an annotation, what it is found by."""

    id: int
    image_id: int


_read_head = msgspec.json.Decoder(_Head).decode


class _OtherwiseWrittenError(Exception):
    """The file has not one entry a line."""


@dataclass(frozen=True, eq=False)
class CocoLines:
    """A COCO file whose annotations are read when they are asked for.

    Attributes:
        keys: of its top level.
        images: its images, as they stand there.
        categories: its categories, as they stand there.
        ids: of its annotations, in their order; anything that JSON has.
        by_image: image id to the numbers of the annotations on it, in their order.
    """

    keys: frozenset[str]
    images: Sequence[Entry]
    categories: Sequence[Entry]
    ids: Sequence[Any]
    by_image: Mapping[Any, Sequence[int]]
    _text: BinaryIO
    _begins: Sequence[int]

    def annotations(self, numbers: Sequence[int]) -> bytes:
        """Return annotations as a JSON list; those that follow one another are read at once."""
        pieces: list[bytes] = []
        at = 0
        while at < len(numbers):
            end = at + 1
            while end < len(numbers) and numbers[end] == numbers[end - 1] + 1:
                end += 1
            begin = self._begins[numbers[at]]
            self._text.seek(begin)
            pieces.append(
                self._text.read(self._begins[numbers[end - 1] + 1] - begin).rstrip(b",\n")
            )
            at = end
        return b"[" + b",\n".join(pieces) + b"]"


@contextlib.contextmanager
def open_lines(path: Path, context: TaskContext) -> Iterator[CocoLines]:
    """Open a COCO file.

    Raises:
        OSError, ValueError, KeyError, TypeError, AssertionError, RecursionError: pycocotools cannot
            read it.
        CancelledError: the person asked to stop.
    """
    with path.open("rb") as file:
        try:
            lines = _indexed(file, context)
        except (_OtherwiseWrittenError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            lines = None
        # Not in the handler: what pycocotools raises has nothing to do with what was tried before.
        yield lines or _read_whole(path)


def _indexed(file: BinaryIO, context: TaskContext) -> CocoLines:
    """Go through a file that has one entry a line."""
    before = []
    for line in file:
        if line == b'"images":[\n':
            break
        before.append(line)
    top = msgspec.json.decode(b"".join(before).removesuffix(b",\n") + b"}")
    if not isinstance(top, dict) or set(top) & set(LISTS):
        raise _OtherwiseWrittenError
    images = _entries(file)
    _expect(file, b'],\n"annotations":[\n')
    ids: list[int] = []
    begins = array("q")
    by_image: dict[int, list[int]] = {}
    for number, (begin, line) in enumerate(_lines(file)):
        if number % _LINES_BETWEEN_CANCELS == 0:
            context.raise_if_cancelled()
        head = _read_head(line)
        ids.append(head.id)
        begins.append(begin)
        by_image.setdefault(head.image_id, []).append(number)
    begins.append(file.tell())
    _expect(file, b'],\n"categories":[\n')
    categories = _entries(file)
    _expect(file, b"]\n}\n")
    if file.read(1):
        raise _OtherwiseWrittenError
    if not all(isinstance(entry.get("id"), int | float | str) for entry in (*images, *categories)):
        raise _OtherwiseWrittenError
    keys = frozenset([*top, *LISTS])
    return CocoLines(keys, images, categories, ids, by_image, file, begins)


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield where each line of a list begins, and the line without its comma."""
    begin = file.tell()
    comma: bool | None = None  # behind the line before; None where there was no line
    while True:
        line = file.readline()
        ends = line in (b"]\n", b"],\n")
        if not line or (comma is not None and comma == ends):
            raise _OtherwiseWrittenError
        if ends:
            file.seek(begin)
            return
        comma = line.endswith(b",\n")
        yield begin, line.removesuffix(b",\n")
        begin += len(line)


def _entries(file: BinaryIO) -> list[Entry]:
    text = b"[" + b",".join(line for _, line in _lines(file)) + b"]"
    found: list[Entry] = msgspec.json.decode(text, type=list[Entry])
    return found


def _expect(file: BinaryIO, text: bytes) -> None:
    if file.read(len(text)) != text:
        raise _OtherwiseWrittenError


def _read_whole(path: Path) -> CocoLines:
    """Let pycocotools read a file."""
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints
        whole: Any = COCO(str(path)).dataset
    images, annotations, categories = (whole.get(key, ()) for key in LISTS)
    text = io.BytesIO()
    begins = [0]
    by_image: dict[Any, list[int]] = {}
    for number, entry in enumerate(annotations):
        begins.append(begins[-1] + text.write(json.dumps(entry).encode("ascii") + b",\n"))
        by_image.setdefault(entry["image_id"], []).append(number)
    ids = [entry["id"] for entry in annotations]
    return CocoLines(frozenset(whole), images, categories, ids, by_image, text, begins)
