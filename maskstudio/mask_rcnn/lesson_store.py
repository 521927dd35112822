"""Lessons on disk: bounded, in half precision, and of no worth to anything but their backbone.

One file an image, with all its views in it; one view is read without the others. The system keeps
in memory what was read lately, so nothing is kept here.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from maskstudio.errors import UserError
from maskstudio.mask_rcnn.lessons import Lesson, Objects
from maskstudio.storage.files import replaced_file, why

MOST_BYTES = 4 * 2**30
"""What the lessons of a project take of the disk at most: some 200 images of a light network."""

# Nor do they take more than this share of what would be free without them.
_SHARE_OF_FREE = 0.1
_SUFFIX = ".lesson"
_BACKBONE = "backbone.txt"
_HEADER = "lesson"


class LessonStore:
    """The lessons of images by their ids. Only lane MODEL uses it."""

    def __init__(self, folder: Path, backbone: str, most_bytes: int = MOST_BYTES) -> None:
        """Take up what lies in a folder, or begin anew where it is of another backbone.

        Args:
            folder: of this program alone; made when needed.
            backbone: says of what network at what size the features are.
            most_bytes: what all lessons may take.

        Raises:
            UserError: the folder cannot be read or written.
        """
        self._folder = folder
        self._backbone = backbone
        self._most_bytes = most_bytes
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._begin_anew_unless_mine()
            files = [(path.stat(), path) for path in folder.glob(f"*{_SUFFIX}")]
        except OSError as error:
            raise UserError(f"{folder} cannot be used: {why(error)}.") from error
        known = sorted(files, key=lambda file: file[0].st_mtime_ns)
        # By id, what was remembered longest ago first: bytes.
        self._sizes = {int(p.stem): stat.st_size for stat, p in known if p.stem.isdecimal()}

    @property
    def ids(self) -> frozenset[int]:
        """The images there are lessons of."""
        return frozenset(self._sizes)

    def is_of(self, backbone: str) -> bool:
        """Tell whether the features are of this network at this size."""
        return backbone == self._backbone

    def put(self, image_id: int, views: Sequence[Lesson]) -> None:
        """Keep the lessons of an image in the place of those it had; the oldest ones may give way.

        Raises:
            UserError: they cannot be written.
        """
        content = save(*_stored(views))
        path = self._path(image_id)
        with replaced_file(path) as beside:
            beside.write_bytes(content)
        self._sizes.pop(image_id, None)
        self._sizes[image_id] = len(content)
        self._bound()

    def drop(self, image_id: int) -> None:
        """Remove the lessons of an image, if there are any.

        Raises:
            UserError: they cannot be removed.
        """
        self._sizes.pop(image_id, None)
        path = self._path(image_id)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise UserError(f"{path} cannot be removed: {why(error)}.") from error

    def read(self, image_id: int, view: int) -> Lesson | None:
        """Read one view, the views counted around; None where the file is damaged or gone."""
        try:
            with safe_open(self._path(image_id), framework="pt") as file:
                header = json.loads((file.metadata() or {})[_HEADER])
                number = view % len(header)
                # What safetensors opens is no dict: it cannot be walked through itself.
                names = [n for n in file.keys() if n.startswith(f"{number}.")]  # noqa: SIM118
                tensors = {name.partition(".")[2]: file.get_tensor(name) for name in names}
            return _lesson(header[number], tensors)
        except (OSError, SafetensorError, KeyError, ValueError):
            return None

    def _path(self, image_id: int) -> Path:
        return self._folder / f"{image_id}{_SUFFIX}"

    def _begin_anew_unless_mine(self) -> None:
        mark = self._folder / _BACKBONE
        if mark.is_file() and mark.read_text(encoding="utf-8") == self._backbone:
            return
        for path in self._folder.glob(f"*{_SUFFIX}"):
            path.unlink()
        mark.write_text(self._backbone, encoding="utf-8")

    def _bound(self) -> None:
        taken = sum(self._sizes.values())
        room = taken + shutil.disk_usage(self._folder).free
        most = min(self._most_bytes, int(room * _SHARE_OF_FREE))
        while taken > most and len(self._sizes) > 1:
            oldest = next(iter(self._sizes))
            taken -= self._sizes[oldest]
            self.drop(oldest)


def _stored(views: Sequence[Lesson]) -> tuple[dict[str, Tensor], dict[str, str]]:
    tensors: dict[str, Tensor] = {}
    for number, view in enumerate(views):
        objects = view.objects
        named = {f"features.{level}": tensor for level, tensor in view.features.items()}
        named |= {name: getattr(objects, name) for name in _OBJECTS}
        # Where the channels lie last in memory they are stored last, and turned again when read.
        # No two may share memory.
        tensors |= {f"{number}.{n}": _last(n, t).clone() for n, t in named.items()}
    header = [{"scaled": v.scaled, "padded": v.padded, "names": v.objects.names} for v in views]
    return tensors, {_HEADER: json.dumps(header)}


_OBJECTS = ("boxes", "grids", "outlined", "crowds")


def _last(name: str, tensor: Tensor) -> Tensor:
    levels_last = name.startswith("features.")
    return (tensor.permute(0, 2, 3, 1) if levels_last else tensor).contiguous()


def _lesson(header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Lesson:
    levels = {
        name.partition(".")[2]: tensor.permute(0, 3, 1, 2)
        for name, tensor in tensors.items()
        if name.startswith("features.")
    }
    return Lesson(
        levels,
        (header["scaled"][0], header["scaled"][1]),
        (header["padded"][0], header["padded"][1]),
        Objects(
            tensors["boxes"],
            tuple(header["names"]),
            tensors["grids"],
            tensors["outlined"],
            tensors["crowds"],
        ),
    )
