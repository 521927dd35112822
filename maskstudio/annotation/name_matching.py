"""Which image of a project a data set means, by nothing but names.

A name is never taken for a path: it may be absolute, lead out of every folder, or be written as on
another system; it is compared, nothing else. Where two images could be meant, none is.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

_DRIVE_OR_SCHEME = re.compile(r"[a-z]:|[a-z][a-z0-9+.-]*:(?=/)", re.IGNORECASE)

_MOST_ALIKE = 3
"""So many paths are named where several could be meant."""


class Mismatch(StrEnum):
    """Why no image of the project is taken for one of a data set."""

    ABSENT = "absent"
    """None has its file name."""
    SEVERAL = "several"
    """Several could be meant."""
    SHARED = "shared"
    """Several of the data set could mean the same."""
    ELSEWHERE = "elsewhere"
    """Only the file name agrees: it lies in another folder."""
    UNREADABLE = "unreadable"
    """The file cannot be read, and its size is not known."""


@dataclass(frozen=True, slots=True)
class NameMatch:
    """What was found for one name.

    Attributes:
        place: of the path that is meant, among those given; None where none is taken.
        why: why none is taken.
        alike: places of a few paths that could be meant.
    """

    place: int | None
    why: Mismatch | None = None
    alike: tuple[int, ...] = ()


_ABSENT = NameMatch(None, Mismatch.ABSENT)


def match_names(
    names: Sequence[str], paths: Sequence[str], any_ending: Collection[int] = ()
) -> list[NameMatch]:
    """Find the path that each name means.

    The same path counts most; then one that ends as the name does or with which the name ends, in
    whole folders. The folders of an absolute name, or of one with `..` that leads out of its own,
    were those of another machine: for such the longest end that agrees is enough, be it the file
    name alone. Composed and decomposed letters are the same, and so are upper and lower case if
    that tells no two apart.

    Args:
        names: as a data set has them: with slashes or backslashes, a drive, anything.
        paths: of the project, POSIX, relative, each once.
        any_ending: places of the names that stand without the ending of the file.

    Returns:
        For each name what was found; no path is found for two names.
    """
    endless = frozenset(any_ending)
    exact = {path: place for place, path in enumerate(paths)}
    cleaned = [name_parts(name) for name in names]
    found = [
        NameMatch(exact[name]) if name in exact and place not in endless else _ABSENT
        for place, name in enumerate(names)
    ]
    for stems in (False, True):
        for fold in (str, str.casefold):
            _find_more(found, cleaned, endless, paths, fold=fold, stems=stems)
    same = [
        one.place is not None and _parts(paths[one.place]) == parts
        for one, (parts, _) in zip(found, cleaned, strict=True)
    ]
    return list(_each_once(found, same))


def _find_more(
    found: list[NameMatch],
    cleaned: Sequence[tuple[tuple[str, ...], bool]],
    endless: Collection[int],
    paths: Sequence[str],
    *,
    fold: Callable[[str], str],
    stems: bool,
) -> None:
    """Look for what is absent so far among the names with, or without, an ending."""
    wanted = [
        n for n, one in enumerate(found) if one.why is Mismatch.ABSENT and (n in endless) == stems
    ]
    if wanted:
        ends = _Ends([_stem(path) for path in paths] if stems else paths, fold)
        for place in wanted:
            found[place] = ends.find(*cleaned[place])


def _stem(path: str) -> str:
    """Return a path without the ending of its file."""
    folder, _, name = path.rpartition("/")
    stem, dot, _ = name.rpartition(".")
    return f"{folder}/{stem if dot and stem else name}"


class _Ends:
    """Paths, found by how they end."""

    def __init__(self, paths: Sequence[str], fold: Callable[[str], str]) -> None:
        self._fold = fold
        self._whole: dict[str, list[int]] = {}
        self._ends: dict[str, list[int]] = {}
        for place, path in enumerate(paths):
            parts = _parts(path)
            self._whole.setdefault(self._key(parts), []).append(place)
            for first in range(len(parts)):
                self._ends.setdefault(self._key(parts[first:]), []).append(place)

    def find(self, parts: tuple[str, ...], foreign: bool) -> NameMatch:
        """Find the path for a name taken apart; `foreign` where its folders need not agree."""
        if not parts or self._key(parts[-1:]) not in self._ends:
            return _ABSENT
        for meant in self._likely(parts, foreign):
            if len(meant) == 1:
                return NameMatch(meant[0])
            if meant:
                return NameMatch(None, Mismatch.SEVERAL, tuple(meant[:_MOST_ALIKE]))
        alike = self._ends[self._key(parts[-1:])][:_MOST_ALIKE]
        return NameMatch(None, Mismatch.ELSEWHERE, tuple(alike))

    def _likely(self, parts: tuple[str, ...], foreign: bool) -> Iterator[list[int]]:
        if not foreign:
            yield self._whole.get(self._key(parts), [])
            yield self._ends.get(self._key(parts), [])
        for first in range(0 if foreign else 1, len(parts)):
            key = self._key(parts[first:])
            yield self._whole.get(key, [])
            if foreign:
                yield self._ends.get(key, [])

    def _key(self, parts: Sequence[str]) -> str:
        return self._fold(_joined(parts))


def name_parts(name: str) -> tuple[tuple[str, ...], bool]:
    """Take the name of an image apart, as a data set has it.

    Returns:
        Its folders and its file name, without anything that leads elsewhere, and whether the
        folders were those of another machine: it is absolute, or leads out of its own.
    """
    plain = name.replace("\\", "/")
    drive = _DRIVE_OR_SCHEME.match(plain)
    rest = plain[drive.end() :] if drive else plain
    foreign = drive is not None or rest.startswith("/")
    parts: list[str] = []
    for part in _parts(rest):
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            foreign = True
    return tuple(parts), foreign


def _parts(path: str) -> tuple[str, ...]:
    composed = unicodedata.normalize("NFC", path)
    return tuple(part for part in composed.split("/") if part not in ("", "."))


def _joined(parts: Sequence[str]) -> str:
    return "/".join(parts)


def _each_once(found: Sequence[NameMatch], same: Sequence[bool]) -> Iterator[NameMatch]:
    """Yield what was found, without the paths that more than one name would get.

    Args:
        found: for each name.
        same: for each name whether it is the very path that was found.
    """
    claims: dict[int, int] = {}
    rights: dict[int, int] = {}
    for one, exact in zip(found, same, strict=True):
        if one.place is not None:
            claims[one.place] = claims.get(one.place, 0) + 1
            rights[one.place] = rights.get(one.place, 0) + exact
    for one, exact in zip(found, same, strict=True):
        if one.place is None or claims[one.place] == 1 or (exact and rights[one.place] == 1):
            yield one
        else:
            yield NameMatch(None, Mismatch.SHARED, (one.place,))
