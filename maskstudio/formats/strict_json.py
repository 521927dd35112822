"""Read JSON strictly: what the grammar leaves open or Python adds to it is refused, in a sentence.

For files that are read whole; those of half a gigabyte have a reader of their own.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

from maskstudio.errors import UserError
from maskstudio.formats.quoting import quoted

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

MAX_BYTES = 1 << 30
"""Larger files of this kind are no data sets."""


def load_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        UserError: it cannot be read, is too large, is not JSON in UTF-8, names a key of an object
            twice, or holds a number that is not finite.
    """
    return parse_json(read_bytes(path), path)


def read_bytes(path: Path, most: int = MAX_BYTES) -> bytes:
    """Read a file that is not larger than it may be.

    Raises:
        UserError: it cannot be read or is larger.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(most + 1)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    if len(raw) > most:
        raise UserError(f"{path} is larger than {most // (1 << 20):,} MB; it was not read.")
    return raw


def parse_json(raw: bytes | str, where: object) -> Any:
    """Parse JSON.

    Args:
        raw: the text; bytes are UTF-8, with or without a mark at the beginning.
        where: the file, and the place in it where that helps, for messages.

    Raises:
        UserError: see `load_json`.
    """
    try:
        text = raw.decode("utf-8-sig") if isinstance(raw, bytes) else raw
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_refused)
        if _SURROGATE.search(text):
            # Half of a pair is no character: no file name and no database takes it.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} is not JSON: {error}.") from error
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"an object has the key {quoted(twice)} twice")
    return found


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"it holds {constant}, which is no number")
