"""What a model doubts on the images of a project and what they look like to it, kept in a file.

The file lies beside the project and may be deleted; the model then looks at the images again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from maskstudio.annotation.image_doubt import ImageDoubt
from maskstudio.later import np
from maskstudio.storage.cache_file import CacheFile, Stamp, file_stamps
from maskstudio.storage.places import FOLDER_NAME

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOOKS_NAME = "looks.db"
"""Its name in the project's own folder."""

_COLUMNS = (
    "path TEXT", "bytes INTEGER", "modified INTEGER", "model TEXT",
    "found INTEGER", "near INTEGER", "close INTEGER", "unclear INTEGER", "amount REAL",
    "unsteady INTEGER", "gist BLOB",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Look:
    """What a model saw of an image.

    Attributes:
        doubt: what it doubts.
        gist: (channels,) float32 of length 1, what the image looks like to it; None where it looked
            at parts of the image only. In the file at half precision.
    """

    doubt: ImageDoubt
    gist: NDArray[np.float32] | None


def known_looks(folder: Path, paths: Iterable[str], model_id: str) -> dict[str, Look]:
    """Return what a model saw of images whose files have not changed since.

    Args:
        folder: the project's.
        paths: of the images, POSIX, relative to it.
        model_id: the model.
    """
    with closing(_Looks(folder)) as looks:
        known = looks.read(model_id)
    stamps = file_stamps(folder, (path for path in paths if path in known))
    return {path: known[path][1] for path, stamp in stamps.items() if known[path][0] == stamp}


def keep_looks(folder: Path, found: Mapping[str, Look], model_id: str) -> None:
    """Keep what a model saw of images, by their paths, in place of what was kept of them."""
    stamps = file_stamps(folder, found)
    with closing(_Looks(folder)) as looks:
        looks.write(
            (path, *stamp, model_id, *astuple(found[path].doubt), _packed(found[path].gist))
            for path, stamp in stamps.items()
        )


class _Looks(CacheFile):
    """The file."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / FOLDER_NAME / LOOKS_NAME, "looks", _COLUMNS)

    def read(self, model_id: str) -> dict[str, tuple[Stamp, Look]]:
        """Return path to the stamp of its file and what the model saw."""
        try:
            return {
                path: ((size, modified), Look(ImageDoubt(*doubt), _unpacked(gist)))
                for path, size, modified, model, *doubt, gist in self.rows()
                if model == model_id
            }
        except (ValueError, TypeError):
            self.remove()
            return {}


def _packed(gist: NDArray[np.float32] | None) -> bytes:
    return b"" if gist is None else gist.astype(np.float16).tobytes()


def _unpacked(stored: bytes) -> NDArray[np.float32] | None:
    return np.frombuffer(stored, np.float16).astype(np.float32) if stored else None
