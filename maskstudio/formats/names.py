"""The names of files that an export writes for each image."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from maskstudio.formats.options import ExportPart


def stems(parts: Sequence[ExportPart]) -> dict[int, str]:
    """Return a name without an ending for each image of an export.

    It is the image's own path without its ending where no other image has the same; else the
    ending stays as part of it: `a.jpg` and `a.png` become `a_jpg` and `a_png`. Names that differ
    only in case, or in how an accent is written, count as the same: many file systems do not tell
    them apart.

    Returns:
        Image id to POSIX path, each of them once.
    """
    paths = {image.id: PurePosixPath(image.path) for part in parts for image in part.dataset.images}
    plain = {image_id: str(path.with_suffix("")) for image_id, path in paths.items()}
    times = Counter(map(alike, plain.values()))
    taken = {name for name, count in times.items() if count == 1}
    found: dict[int, str] = {}
    for image_id, path in paths.items():
        name = plain[image_id]
        if times[alike(name)] > 1:
            name = _free(f"{name}_{path.suffix[1:]}", taken)
        found[image_id] = name
    return found


def alike(name: str) -> str:
    """Return the same text for names that some file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _free(name: str, taken: set[str]) -> str:
    """Return a name that is not taken, and take it."""
    number, free = 1, name
    while alike(free) in taken:
        number += 1
        free = f"{name}_{number}"
    taken.add(alike(free))
    return free
