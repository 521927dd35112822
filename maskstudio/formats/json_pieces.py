"""Read a large JSON file strictly, its values left as they are until they are asked for."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Raw

from maskstudio.errors import UserError

Pieces = dict[str, Raw] | list[Raw]
"""The values of the object, or of the list, that a file holds."""

_BOM = b"\xef\xbb\xbf"

# What stands between two values of an object: one key, nothing else.
_BETWEEN = re.compile(rb'\s*[{,]\s*("(?:[^"\\]|\\.)*")\s*:\s*')
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[][{},:]')

# Finding the place of what is no JSON takes a second for so many bytes.
_MOST_SEARCHED = 8_000_000

# What is nested deeper, or has longer names, is no data set, and no sentence should be as long.
_MOST_STEPS, _LONGEST_STEP = 6, 40

_AT_BYTE = re.compile(r" \(byte (\d+)\)$")
_AT_VALUE = re.compile(r" - at `(?:key in )?\$([^`]*)`$")


def read_json_pieces(path: Path) -> Pieces:
    """Read a JSON file down to its top level.

    All of it is checked to be JSON, which knows no NaN and no Infinity.

    Returns:
        The values as they stand in the file; they keep all of it in memory.

    Raises:
        UserError: the file cannot be read, is not JSON, is neither an object nor a list, or gives
            a key twice; the sentence names the place.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    except MemoryError as error:
        raise UserError(f"{path} is larger than the memory; split it.") from error
    text = text.removeprefix(_BOM)
    try:
        whole: Pieces = msgspec.json.decode(text, type=dict[str, Raw] | list[Raw])
    except msgspec.ValidationError as error:
        raise UserError(f"{path} holds neither an object nor a list; choose another.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"{path}{_place_of(text, error)} is not JSON: {_why(error)}.") from error
    repeated = _repeated_key(text, whole) if isinstance(whole, dict) else ""
    if repeated:
        raise UserError(f"{path} gives {repeated} twice; keep one of them.")
    return whole


def list_pieces(path: Path, whole: dict[str, Raw], key: str) -> list[Raw]:
    """Return the entries of a list of the top level.

    Raises:
        UserError: there is no such list.
    """
    try:
        found: list[Raw] = msgspec.json.decode(whole[key], type=list[Raw])
    except KeyError as error:
        raise UserError(f"{path} has no list {key!r}.") from error
    except msgspec.ValidationError as error:
        raise UserError(f"{path}: {key} is no list.") from error
    return found


def decode_piece(path: Path, place: Callable[[], str], raw: Raw, decoder: Any) -> Any:
    """Read one entry.

    Args:
        path: the file, for messages.
        place: gives where the entry stands in the file, for messages.
        raw: the entry.
        decoder: an `msgspec.json.Decoder`.

    Raises:
        UserError: it is of another kind than the decoder's.
    """
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        inner = _AT_VALUE.search(str(error))
        where = f"{place()}{inner[1] if inner else ''}"
        raise UserError(f"{path}: {where} is wrong: {_why(error)}.") from error


def refuse_repeated_keys(path: Path, place: str, raw: Raw, keys: Iterable[bytes]) -> None:
    """Refuse an object that gives one of some keys twice.

    Args:
        path: the file, for messages.
        place: where the object stands in it.
        raw: the object.
        keys: with their quotes.

    Raises:
        UserError: it does, or one of its keys is not UTF-8.
    """
    text = bytes(raw)
    # Hardly ever is there a second: only then it matters whose key it is.
    if all(text.count(key) <= 1 for key in keys):
        return
    values = decode_piece(path, lambda: place, Raw(text), msgspec.json.Decoder(dict[str, Raw]))
    repeated = _repeated_key(text, values)
    if repeated:
        raise UserError(f"{path}: {place} gives {repeated} twice; keep one of them.")


def _repeated_key(text: bytes, values: dict[str, Raw]) -> str:
    """Return a key that an object gives more than once, as JSON; empty where there is none.

    Of a key that is given twice only the last value is in `values`, which are views of `text`: the
    other stands in a gap between two of them.
    """
    begin = _address(text)
    spans = sorted((_address(raw) - begin, memoryview(raw).nbytes) for raw in values.values())
    place = 0
    for start, length in spans:
        between = _BETWEEN.match(text, place)
        if between is not None and between.end() != start:
            return between[1].decode("utf-8", "replace")
        place = start + length
    return ""


def _address(buffer: Any) -> int:
    """Return where a buffer lies in memory."""
    address: int = np.frombuffer(buffer, np.uint8).__array_interface__["data"][0]
    return address


def _why(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "its text is not UTF-8"
    words = _AT_VALUE.sub("", _AT_BYTE.sub("", str(error).rstrip(".")))
    words = words.removeprefix("JSON is malformed: ").replace("`", "")
    if words == "invalid character":
        words += ", such as NaN or Infinity, which are no numbers there"
    return words[:1].lower() + words[1:]


def _place_of(text: bytes, error: Exception) -> str:
    """Return where in a file something is no JSON, to be put behind its name."""
    at = _AT_BYTE.search(str(error))
    if at is None:
        return ""
    byte = int(at[1])
    line = text.count(b"\n", 0, byte) + 1
    where = f" (line {line:,}, byte {byte:,})"
    if byte > _MOST_SEARCHED:
        return where
    steps = _steps(text[:byte])
    return f": {steps.removeprefix('.')}{where}" if steps else where


def _steps(before: bytes) -> str:
    """Return the keys and numbers that lead to the end of a piece of JSON, as `.images[3].id`."""
    path: list[str | int] = []
    key = ""
    for token in _TOKEN.finditer(before):
        mark = token[0]
        if mark == b"[":
            path.append(0)
        elif mark == b"{":
            path.append("")
        elif mark in (b"]", b"}"):
            path = path[:-1]
        elif mark == b"," and path:
            last = path[-1]
            path[-1] = last + 1 if isinstance(last, int) else ""
        elif mark == b":" and path:
            path[-1] = key
        else:
            key = mark[1:-1].decode("utf-8", "replace")
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path if step != ""]
    more = "..." if len(steps) > _MOST_STEPS else ""
    return "".join(step[:_LONGEST_STEP] for step in steps[:_MOST_STEPS]) + more
