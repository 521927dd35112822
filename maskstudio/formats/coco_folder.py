"""A folder of COCO files, one a part of the set, as one data set."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from maskstudio.errors import UserError
from maskstudio.formats.coco_source import CocoSource, is_instances, open_coco
from maskstudio.formats.incoming import IncomingCategory, IncomingContent, IncomingImage
from maskstudio.progress import TaskContext

_ANNOTATIONS = "annotations"

_IMAGES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp")

# COCO's own folder has captions and keypoints of the same images beside them.
_PREFERRED = "instances"


def is_coco_folder(path: Path) -> bool:
    """Tell by names and first bytes whether a folder is of COCO files.

    They lie in `annotations`, or in the folder itself if no image does.
    """
    return path.is_dir() and bool(_files(path))


def open_coco_folder(path: Path, context: TaskContext) -> "JoinedSource":
    """Open all COCO files of a folder as one data set; categories of one name are the same.

    Raises:
        UserError: something in one of the files is wrong, or two list the same image.
    """
    parts = tuple(open_coco(file, context) for file in _files(path))
    first: dict[str, CocoSource] = {}
    for part in parts:
        for image in part.images:
            other = first.setdefault(image.name, part)
            if other is not part:
                raise UserError(
                    f"{part.path} and {other.path} both list the image {image.name}; import one of "
                    "them by itself."
                )
    return _joined(path, parts)


@dataclass(frozen=True)
class JoinedSource:
    """See `incoming.Source`.

    Attributes:
        parts: the files.
        begins: for each where its images begin.
        places: for each the place here of each of its categories.
    """

    path: Path
    title: str
    categories: Sequence[IncomingCategory]
    images: Sequence[IncomingImage]
    notes: Sequence[str]
    parts: Sequence[CocoSource]
    begins: Sequence[int]
    places: Sequence[Sequence[int]]

    def content(self, number: int, height: int, width: int) -> IncomingContent:
        """Read what stands on an image; see `incoming.Source`."""
        part = max(n for n, begin in enumerate(self.begins) if begin <= number)
        found = self.parts[part].content(number - self.begins[part], height, width)
        places = self.places[part]
        return replace(
            found,
            annotations=tuple(
                replace(one, category=places[one.category]) for one in found.annotations
            ),
        )

    def pixels(self, number: int) -> bytes | None:
        """Return None: the format holds no images."""
        del number
        return None


def _joined(path: Path, parts: Sequence[CocoSource]) -> JoinedSource:
    categories: dict[str, IncomingCategory] = {}
    for one in chain.from_iterable(part.categories for part in parts):
        before = categories.get(one.name)
        count = one.count + (before.count if before else 0)
        categories[one.name] = replace(before or one, count=count)
    place = {name: n for n, name in enumerate(categories)}
    sizes = [len(part.images) for part in parts]
    return JoinedSource(
        path,
        parts[0].title,
        tuple(categories.values()),
        tuple(chain.from_iterable(part.images for part in parts)),
        tuple(_notes(parts)),
        parts,
        tuple(sum(sizes[:n]) for n in range(len(parts))),
        tuple(tuple(place[one.name] for one in part.categories) for part in parts),
    )


def _notes(parts: Sequence[CocoSource]) -> Iterator[str]:
    for part in parts:
        yield from (f"{part.path.name}: {note}" for note in part.notes)


def _files(folder: Path) -> list[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return []
    found = sorted((folder / _ANNOTATIONS).glob("*.json"))
    if not found and not any(entry.suffix.lower() in _IMAGES for entry in entries):
        found = entries
    coco = [file for file in found if is_instances(file)]
    return [file for file in coco if file.name.startswith(_PREFERRED)] or coco
