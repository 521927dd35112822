"""Where the images and labels of an Ultralytics YOLO data set lie, as its `data.yaml` says.

The rules are those of `check_det_dataset`, `BaseDataset.get_img_files` and `img2label_paths` in
Ultralytics (https://docs.ultralytics.com/datasets/detect/#ultralytics-yolo-format): `train`, `val`
and `test` each name a folder, a text file that lists images, or several of these, below `path`; the
label of an image lies where `images` becomes `labels` in its path and `.txt` its ending.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from maskstudio.errors import UserError
from maskstudio.formats.quoting import quoted
from maskstudio.progress import TaskContext

SPLITS = ("train", "val", "test")

IMAGE_ENDINGS = frozenset(
    ("bmp", "dng", "heic", "jpeg", "jpg", "mpo", "pfm", "png", "tif", "tiff", "webp")
)
"""The endings of files that Ultralytics takes for images (`IMG_FORMATS`)."""

NAMES_FILE = "classes.txt"
"""Label Studio and LabelImg write the names of the classes there, LabelImg among the labels."""

_MAX_LIST_BYTES = 256 << 20
_CHECK_EVERY = 1000


@dataclass(frozen=True)
class YoloImage:
    """An image of the data set.

    Attributes:
        name: POSIX, from the folder that the data set lies in where it lies below it.
        label: where its label file lies, if it has one.
        any_ending: only the label is known, and `name` has no ending.
    """

    name: str
    label: Path
    any_ending: bool = False


def label_place(image: str) -> str:
    """Return where the label of an image lies (`img2label_paths`): the last `images` counts.

    Args:
        image: POSIX path.
    """
    return str(PurePosixPath(_exchanged(image, "images", "labels")).with_suffix(".txt"))


def images_of(
    document_path: Path, document: Mapping[str, Any], notes: list[str], context: TaskContext
) -> list[YoloImage]:
    """Return all images that a `data.yaml` leads to, each once.

    Args:
        document_path: the `data.yaml`, for messages and for what is relative to it.
        document: what stands in it.
        notes: gets a sentence for each place that is not there.
        context: asked whether to stop.

    Raises:
        UserError: a place is no text, or a list cannot be read.
    """
    roots = _roots(document_path, document, notes)
    found: dict[str, YoloImage] = {}
    for split in SPLITS:
        for entry in _entries(document_path, split, document.get(split)):
            place = _existing(roots, entry)
            if place is None:
                notes.append(
                    f"{document_path}: {split} leads to {quoted(entry)}, which is not there."
                )
                continue
            for image in _images_at(place, roots[0], context):
                found.setdefault(str(image.label), image)
    return list(found.values())


def images_in(folder: Path, context: TaskContext) -> list[YoloImage]:
    """Return the images in the folders `images` and `labels` of a data set without `data.yaml`."""
    own = folder.absolute()
    return list(_images_at(own / "images", own, context))


def _roots(path: Path, document: Mapping[str, Any], notes: list[str]) -> list[Path]:
    """Return the folders that the places are looked for in, the right one first.

    Where `path` is relative, Ultralytics looks in its own folder of data sets; ours is that of the
    `data.yaml`. Where it is of another computer, the data set was moved together with its file.
    """
    named = document.get("path")
    own = path.absolute().parent
    if named is None:
        return [own]
    if not isinstance(named, str):
        raise UserError(f"{path}: path is no text; name the folder of the data set there.")
    root = Path(os.path.normpath(own / named.replace("\\", "/")))
    if _is_folder(root):
        return [root, own]
    notes.append(
        f"{path}: path leads to {quoted(named)}, which is not there; its own folder was taken."
    )
    return [own]


def _entries(path: Path, split: str, value: object) -> list[str]:
    entries = value if isinstance(value, list) else [] if value is None else [value]
    texts = [entry.replace("\\", "/") for entry in entries if isinstance(entry, str) and entry]
    if len(texts) < len(entries):
        raise UserError(f"{path}: {split} names something that is no folder and no file.")
    return texts


def _existing(roots: list[Path], entry: str) -> Path | None:
    """Return the place an entry means, or None where there is none.

    Exports of Roboflow say `../train/images` for what lies beside the file; Ultralytics knows that.
    """
    tried = [entry, entry[3:]] if entry.startswith("../") else [entry]
    places = [Path(os.path.normpath(root / one)) for root in roots for one in tried]
    # A whole disk is no folder of images, and going through it takes minutes.
    within = (place for place in places if place != place.parent)
    return next((p for p in within if _is_file(p) or _has_folder(p)), None)


def _has_folder(place: Path) -> bool:
    return _is_folder(place) or _is_folder(_label_folder(place))


def _is_folder(path: Path) -> bool:
    with suppress(OSError):  # such as a name that is too long
        return path.is_dir()
    return False


def _is_file(path: Path) -> bool:
    with suppress(OSError):
        return path.is_file()
    return False


def _label_folder(folder: Path) -> Path:
    return Path(label_place((folder / "x").as_posix())).parent


def _images_at(place: Path, root: Path, context: TaskContext) -> Iterator[YoloImage]:
    listed = _listed(place, root) if place.is_file() else _files(place, IMAGE_ENDINGS, context)
    known: set[Path] = set()
    for image in listed:
        label = Path(label_place(image.as_posix()))
        known.add(label)
        yield YoloImage(_name(image, root), label)
    labels = _label_folder(place)
    # Beside images may lie any text.
    if place.is_file() or (known and labels == place):
        return
    # Images that are not there are in the project most likely: their labels name them.
    for label in _files(labels, frozenset({"txt"}), context):
        if label not in known and label.name != NAMES_FILE:
            name = _name(label, root).removesuffix(".txt")
            yield YoloImage(_exchanged(name, "labels", "images"), label, any_ending=True)


def _exchanged(path: str, old: str, new: str) -> str:
    """Put a folder in the place of the last one of another name."""
    folder, found, rest = f"/{path}".rpartition(f"/{old}/")
    return f"{folder}/{new}/{rest}"[1:] if found else path


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _name(image: Path, root: Path) -> str:
    return (image.relative_to(root) if image.is_relative_to(root) else image).as_posix()


def _files(folder: Path, endings: frozenset[str], context: TaskContext) -> Iterator[Path]:
    """Yield the files of a folder and those below it, by path."""
    count = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            count += 1
            if count % _CHECK_EVERY == 0:
                context.raise_if_cancelled()
                context.report(0, 0, f"{count:,} files found")
            if _ending(name) in endings and not name.startswith("."):
                yield Path(parent, name)


def _listed(path: Path, root: Path) -> Iterator[Path]:
    """Yield the images of a list: absolute, from the list's own folder (`./`) or from the root."""
    try:
        if path.stat().st_size > _MAX_LIST_BYTES:
            raise UserError(f"{path} is too large for a list of images; is it the right file?")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no list of images: it is not text in UTF-8.") from error
    for line in text.split("\n"):
        named = line.strip().replace("\\", "/")
        if _ending(named) in IMAGE_ENDINGS:
            base = path.parent if named.startswith("./") else root
            yield Path(os.path.normpath(base / named))
