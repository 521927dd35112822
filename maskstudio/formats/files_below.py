"""Find the files of a data set in a folder and the folders within it."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

_FEW_FILES, _FEW_FOLDERS = 20, 50


def first_files_below(folder: Path, ending: str) -> Iterator[Path]:
    """Yield the first few of `files_below`, by which a kind of data set is known.

    Only a few folders are looked at: a person has just dropped this one on the window.
    """
    return itertools.islice(files_below(folder, ending, _FEW_FOLDERS), _FEW_FILES)


def files_below(folder: Path, ending: str, most_folders: int | None = None) -> Iterator[Path]:
    """Yield all files of an ending, folder by folder, by name.

    Links to folders are not followed, and what begins with a dot is passed over: neither a loop nor
    a project's own folder is part of a data set.

    Args:
        folder: where to look.
        ending: with its dot, in small letters.
        most_folders: how many folders are looked at; None for all.
    """
    for at, folders, files in itertools.islice(os.walk(folder), most_folders):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and name.lower().endswith(ending):
                yield Path(at) / name
