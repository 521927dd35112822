"""labelme: a JSON file beside each image, or a folder of them, also as X-AnyLabeling writes it."""

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from maskstudio.annotation.annotation import ImageState
from maskstudio.errors import UserError
from maskstudio.formats.embedded import checked_image, decoded
from maskstudio.formats.files_below import files_below, first_files_below
from maskstudio.formats.incoming import (
    IncomingAnnotation,
    IncomingCategory,
    IncomingContent,
    IncomingImage,
    Source,
)
from maskstudio.formats.labelme_file import (
    LabelmeFile,
    labelme_file,
    looks_like_labelme,
    read_labelme,
)
from maskstudio.formats.labelme_shapes import instance, instances, without_area
from maskstudio.formats.quoting import quoted
from maskstudio.formats.strict_json import load_json, read_bytes
from maskstudio.progress import TaskContext

CATEGORY_FILE = "labels.txt"
"""Names of categories, one a line, for labelme's option `--labels`: those without a shape too."""

# How labelme's own tutorials begin that file: what is not labelled, and the background.
_NO_CATEGORIES = frozenset({"__ignore__", "_background_"})
# Our own list of what an export wrote, see `storage.export_folder`.
_MANIFEST = "maskstudio-export.json"
_KEY = re.compile(rb'"(shapes|imagePath|imageData)"\s*:')
_FIRST_BYTES = 4096
_MOST_NAMES_BYTES = 1 << 20


def is_labelme(path: Path) -> bool:
    """Tell whether a path is a labelme file, or a folder with one among its first JSON files."""
    if path.is_file():
        return path.suffix.lower() == ".json" and _begins_like_labelme(path)
    return path.is_dir() and any(map(_begins_like_labelme, first_files_below(path, ".json")))


def open_labelme(path: Path, context: TaskContext) -> Source:
    """Open a labelme file or folder.

    Raises:
        UserError: a file is unsound, two are about one image, or there is none.
        CancelledError: the person asked to stop.
    """
    root = path if path.is_dir() else path.parent
    listed = _Listed(root)
    paths = [path] if path.is_file() else list(files_below(path, ".json"))
    for number, one in enumerate(paths):
        context.raise_if_cancelled()
        context.report(number, len(paths), one.name)
        raw = load_json(one)
        if len(paths) > 1 and not looks_like_labelme(raw):
            listed.pass_over(one)
            continue
        listed.add(labelme_file(one, raw))
    if not listed.images:
        raise UserError(f"{path} holds no labelme file; choose the folder with its JSON files.")
    return listed.source(path)


def read_shapes(path: Path, height: int, width: int, names: Sequence[str]) -> IncomingContent:
    """Read what one labelme file says of its image.

    Args:
        path: the file.
        height: rows of the image.
        width: columns of the image.
        names: the categories, by which the annotations name theirs.

    Raises:
        UserError: it is unsound, or has a category that is not among them.
    """
    file = read_labelme(path)
    places = {name: place for place, name in enumerate(names)}
    left_out = [f"{path}: {sentence}" for sentence in without_area(file.shapes)]
    mended: list[str] = []
    found: list[IncomingAnnotation] = []
    for shapes in instances(file.shapes):
        label = shapes[0].label
        if label not in places:
            raise UserError(f"{path} has changed since it was opened: {quoted(label)} is new.")
        made, sentences = instance(shapes, places[label], height, width)
        found += [] if made is None else [made]
        (left_out if made is None else mended).extend(f"{path}: {s}" for s in sentences)
    return IncomingContent(tuple(found), tuple(left_out), tuple(mended))


@dataclass(frozen=True)
class LabelmeSource:
    """A labelme folder, opened; see `Source`."""

    path: Path
    categories: tuple[IncomingCategory, ...]
    images: tuple[IncomingImage, ...]
    notes: tuple[str, ...]
    files: tuple[Path, ...]
    title: str = "labelme"

    def content(self, number: int, height: int, width: int) -> IncomingContent:
        """Read what stands on an image; see `Source`."""
        names = [category.name for category in self.categories]
        return read_shapes(self.files[number], height, width, names)

    def pixels(self, number: int) -> bytes | None:
        """Return the image that the file carries, or None; see `Source`."""
        file = self.files[number]
        data = read_labelme(file).image_data
        if not data:
            return None
        try:
            return checked_image(decoded(data))
        except UserError as error:
            raise UserError(f"{file}: 'imageData' {error}.") from error


class _Listed:
    """What has been seen of a folder so far."""

    def __init__(self, root: Path) -> None:
        self.images: dict[str, IncomingImage] = {}
        self._passed_over: list[Path] = []
        self._root = root
        self._files: list[Path] = []
        self._counts: Counter[str] = Counter()
        self._circles = 0
        self._flagged: list[Path] = []

    def add(self, file: LabelmeFile) -> None:
        name = self._name(file)
        if name in self.images:
            other = self._files[list(self.images).index(name)]
            raise UserError(
                f"{other} and {file.path} are both about the image {quoted(name)}; "
                "take one of them away."
            )
        found = list(instances(file.shapes))
        self.images[name] = IncomingImage(
            name,
            file.height,
            file.width,
            _state(file, found),
            annotations=len(found),
            embedded=bool(file.image_data),
        )
        self._files.append(file.path)
        self._counts.update(shapes[0].label for shapes in found)
        self._circles += sum(shape.kind == "circle" for shape in file.shapes)
        self._flagged += [file.path] if file.flags else []

    def pass_over(self, path: Path) -> None:
        self._passed_over += [path] if path.name != _MANIFEST else []

    def source(self, path: Path) -> LabelmeSource:
        names = dict.fromkeys([*_category_file(self._root), *self._counts])
        return LabelmeSource(
            path,
            tuple(IncomingCategory(name, count=self._counts[name]) for name in names),
            tuple(self.images.values()),
            tuple(self._notes()),
            tuple(self._files),
        )

    def _name(self, file: LabelmeFile) -> str:
        """Return the image's name, from the folder that was opened on."""
        if re.match(r"[A-Za-z]:|/", file.image_path):
            return file.image_path
        beside = PurePosixPath(file.path.parent.relative_to(self._root).as_posix())
        return posixpath.normpath(str(beside / file.image_path))

    def _notes(self) -> Iterator[str]:
        if self._circles:
            yield f"Circles become outlines of 20 corners each ({self._circles:,} of them)."
        if self._flagged:
            first = self._flagged[0].name
            yield f"Flags of whole images are left out ({len(self._flagged):,} files, {first})."
        if self._passed_over:
            first = self._passed_over[0].name
            count = f"{len(self._passed_over):,}"
            yield f"JSON files that are not labelme's are passed over ({count}, {first})."


def _state(file: LabelmeFile, found: Sequence[object]) -> ImageState | None:
    if not file.checked:
        return None
    return ImageState.VERIFIED if found else ImageState.EMPTY


def _category_file(folder: Path) -> list[str]:
    """Return the names in the file of categories; none where there is no such file."""
    path = folder / CATEGORY_FILE
    if not path.is_file():
        return []
    try:
        text = read_bytes(path, _MOST_NAMES_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not text in UTF-8; save it so, or take it away.") from error
    names = [line.strip() for line in text.splitlines()]
    return [name for name in names if name and name not in _NO_CATEGORIES]


def _begins_like_labelme(path: Path) -> bool:
    """Tell by one of the keys that labelme alone has, near the beginning."""
    try:
        with path.open("rb") as file:
            return bool(_KEY.search(file.read(_FIRST_BYTES)))
    except OSError:
        return False
