"""Damage to the files of a data set: the same for the same seed, some of it meant to do harm."""

import json
import random
import re
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any

Files = Mapping[str, bytes]

_NAMES = (
    "../../outside.png",
    "/etc/passwd",
    "..\\..\\outside.png",
    "C:\\outside.png",
    "D:/outside.png",
    "\\\\server\\share\\outside.png",
    "file:///etc/passwd",
    "aux",
    "a\x00b.png",
    "a\nb.png",
    "",
    ".",
    "👩‍🔬 ünïcode.png",
    "x" * 5000,
)
_NUMBERS = (
    *("NaN", "Infinity", "-Infinity", "1e999", "-1", "0", "-0.0", "1e308", "1e-320", "0.5"),
    *("9223372036854775808", "1000000000000", "9" * 400, "-2147483649", "1e9", "3"),
)
_VALUES = (
    *("null", "true", "false", "[]", "{}", "[[]]", "[null]", "[1,2]", "[1,2,3,4,5,6,7]", '"1"'),
    *('"\\ud800"', '{"size":[1000000000,1000000000],"counts":[0,1000000000000000000]}'),
    *(
        '{"size":[30,40],"counts":"garbage"}',
        '{"size":[30,40],"counts":[1200]}',
        '{"size":[30,40]}',
    ),
    '{"size":[30,40],"counts":[-5,1205]}',
    '{"size":[30,40],"counts":"' + "~" * 50 + '"}',
    "[" * 3000 + "]" * 3000,
    "[" + ",".join(["0"] * 50_000) + "]",
    "[[" + ",".join(["1e308"] * 8) + "]]",
    *_NUMBERS,
    *map(json.dumps, _NAMES),
)
_BOMB_XML = (
    b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]>"
)
_EVIL_YAML = (
    b'names: !!python/object/apply:os.system ["touch outside"]\n',
    b"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
    b"c: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c]\nnames: [*d,*d,*d,*d]\n",
    b"path: ../../..\nnames: [a]\n",
)


def damaged(files: Files, seed: int) -> dict[str, bytes]:
    """Return the files of a data set with one to three things wrong in one of them.

    Args:
        files: POSIX path in the data set to what stands in the file.
        seed: which damage.
    """
    rng = random.Random(seed)
    hurt = dict(files)
    name = rng.choice(sorted(hurt))
    for _ in range(rng.choice((1, 1, 2, 3))):
        hurt[name] = _hurt(name, hurt[name], rng)
    if rng.random() < 0.02:
        del hurt[name]
    return hurt


def png_header(png: bytes, width: int, height: int) -> bytes:
    """Return a PNG that says of itself that it is so large."""
    header = struct.pack(">4sII", b"IHDR", width, height) + png[24:29]
    return png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]


def _hurt(name: str, data: bytes, rng: random.Random) -> bytes:
    ending = name.rsplit(".", 1)[-1].lower()
    ways = {"json": _JSON, "xml": _XML, "yaml": _YAML, "txt": _TEXT, "png": _PNG}.get(
        ending, _BYTES
    )
    return rng.choice(ways)(data, rng)


def _flipped(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]


def _cut_short(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _stretch_moved(data: bytes, rng: random.Random) -> bytes:
    start, end, to = sorted(rng.randrange(len(data) + 1) for _ in range(3))
    ways = (data[:start] + data[end:], data[:end] + data[start:end] * 3 + data[end:], data[end:to])
    return rng.choice(ways)


def _number_replaced(data: bytes, rng: random.Random) -> bytes:
    return _token_replaced(data, rng, rb"-?\d+(\.\d+)?", rng.choice(_NUMBERS).encode())


def _word_replaced(data: bytes, rng: random.Random) -> bytes:
    return _token_replaced(data, rng, rb"[\w./-]{2,}", rng.choice(_NAMES).encode())


def _token_replaced(data: bytes, rng: random.Random, pattern: bytes, new: bytes) -> bytes:
    found = list(re.finditer(pattern, data))
    if not found:
        return data
    start, end = rng.choice(found).span()
    return data[:start] + new + data[end:]


def _value_replaced(data: bytes, rng: random.Random) -> bytes:
    """Put another value in the place of any in a JSON file."""
    return _tree_changed(data, rng, lambda parent, key: parent.__setitem__(key, _MARK))


def _value_gone(data: bytes, rng: random.Random) -> bytes:
    return _tree_changed(data, rng, lambda parent, key: parent.__delitem__(key))


def _value_twice(data: bytes, rng: random.Random) -> bytes:
    def twice(parent: Any, key: Any) -> None:
        if isinstance(parent, list):
            parent.insert(key, parent[key])
        else:
            parent[f"{_MARK}{key}"] = parent[key]

    return _tree_changed(data, rng, twice).replace(_MARK.encode(), b"")


_MARK = "«here»"


def _tree_changed(data: bytes, rng: random.Random, change: Callable[[Any, Any], None]) -> bytes:
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return _flipped(data, rng)
    places: list[tuple[Any, Any]] = []
    left = [tree]
    while left:
        node = left.pop()
        keys = node if isinstance(node, dict) else range(len(node))
        here = [(node, key) for key in keys]
        # Of a long list of numbers a few will do: the rest of the file is to have its turn too.
        places += here if len(here) < 20 else rng.sample(here, 5)
        left += [node[key] for key in keys if isinstance(node[key], dict | list)]
    if not places:
        return rng.choice(_VALUES).encode()
    change(*rng.choice(places))
    written = json.dumps(tree, ensure_ascii=False)
    return written.replace(f'"{_MARK}"', rng.choice(_VALUES)).encode("utf-8", "surrogatepass")


def _xml_bomb(data: bytes, rng: random.Random) -> bytes:
    del rng
    return _BOMB_XML + data.replace(b"<name>", b"<name>&j;", 1)


def _xml_outside(data: bytes, rng: random.Random) -> bytes:
    del rng
    start = b'<!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    return start + data.replace(b"<name>", b"<name>&a;", 1)


def _yaml_evil(data: bytes, rng: random.Random) -> bytes:
    evil = rng.choice(_EVIL_YAML)
    return evil + data if rng.random() < 0.5 else evil


def _png_of_another_size(data: bytes, rng: random.Random) -> bytes:
    if len(data) < 40:
        return data
    width, height = (rng.choice((0, 1, 7, 40, 60_000, 2**31 - 1)) for _ in range(2))
    return png_header(data, width, height)


_BYTES = (_flipped, _cut_short, _stretch_moved)
_JSON = (*_BYTES, *[_value_replaced] * 6, *[_value_gone, _value_twice, _number_replaced] * 2)
_TEXT = (*_BYTES, *[_number_replaced, _word_replaced] * 3)
_XML = (*_TEXT, _xml_bomb, _xml_outside)
_YAML = (*_TEXT, _yaml_evil, _yaml_evil)
_PNG = (*_BYTES, _png_of_another_size, _png_of_another_size)
