"""Read masks that are PNG files without a table.

Known are a folder `masks` of one file an image, as Cellpose, StarDist and many others have it, and
one folder a sample with `images` and `masks` in it, one file an instance, as the Data Science Bowl
2018 (BBBC038) has it. Nothing says what the instances are: they are of one category.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskstudio.errors import UserError
from maskstudio.formats.files_below import files_below
from maskstudio.formats.incoming import (
    IncomingAnnotation,
    IncomingCategory,
    IncomingContent,
    IncomingImage,
)
from maskstudio.formats.masks_png import MaskSource, category_pieces, numbered
from maskstudio.formats.png_mask import mask_size, read_mask
from maskstudio.later import cv2
from maskstudio.progress import TaskContext

CATEGORY = "object"

_FOLDERS = ("masks", "mask", "instance_masks", "instances")
# What programs put behind the name of the image; the longer ones first.
_ENDINGS = ("_cp_masks", "_masks", "_mask", "_instances", "_labels", "_label")
# A folder of photographs is not gone through to the end to find that it has none.
_LOOKED_AT, _LOOKED_THROUGH = 3, 500
_SILENT = TaskContext()


@dataclass(frozen=True)
class _Sample:
    """An image and its masks.

    Attributes:
        name: of the image, from the folder that was opened.
        any_ending: the image itself is not there.
        masks: one file an instance, by name.
    """

    name: str
    any_ending: bool
    masks: Sequence[Path]


def is_mask_folder(path: Path) -> bool:
    """Tell by names alone whether a folder may hold masks without a table."""
    if not path.is_dir():
        return False
    return any(_sample_folders(path, _LOOKED_AT)) or any(islice(_mask_files(path), 1))


def open_mask_folder(path: Path, context: TaskContext = _SILENT) -> MaskSource:
    """Open a folder of masks.

    Masks of one file an image are gone through once, to see what their numbers mean.

    Raises:
        UserError: there is none, or one cannot be read.
        CancelledError: the person asked to stop.
    """
    samples = [_sample(folder, path) for folder in _sample_folders(path)]
    if samples:
        return _open_samples(path, samples, context)
    files = list(_mask_files(path))
    if not files:
        raise UserError(f"{path} holds no masks; choose the folder that the PNG files lie in.")
    numbers: set[int] = set()
    counts: list[tuple[int, int]] = []
    for number, file in enumerate(files):
        context.raise_if_cancelled()
        context.report(number, len(files), file.name)
        values = read_mask(file)
        found = np.unique(values)
        inside = found[found > 0].tolist()
        numbers.update(inside)
        pieces = 0 if len(numbers) > 1 else _piece_count(values > 0)
        counts.append((len(inside), pieces))
    in_pieces = len(numbers) < 2
    counted = [pieces if in_pieces else inside for inside, pieces in counts]
    how = "connected piece of a mask" if in_pieces else "number in a mask"
    return MaskSource(
        path,
        (IncomingCategory(CATEGORY, count=sum(counted)),),
        [
            IncomingImage(name, *mask_size(file), annotations=count, any_ending=True)
            for name, file, count in zip(_names(path, files), files, counted, strict=True)
        ],
        (f"{path} has no table: each {how} is taken for one instance.",),
        [
            partial(_content, file, dict.fromkeys(numbers, 0) if in_pieces else None)
            for file in files
        ],
    )


def _open_samples(path: Path, samples: Sequence[_Sample], context: TaskContext) -> MaskSource:
    images: list[IncomingImage] = []
    for number, sample in enumerate(samples):
        context.raise_if_cancelled()
        context.report(number, len(samples), sample.name)
        size = mask_size(sample.masks[0])
        count = len(sample.masks)
        images.append(
            IncomingImage(sample.name, *size, annotations=count, any_ending=sample.any_ending)
        )
    return MaskSource(
        path,
        (IncomingCategory(CATEGORY, count=sum(len(sample.masks) for sample in samples)),),
        images,
        (),
        [partial(_of_files, sample.masks) for sample in samples],
    )


def _content(mask: Path, of_pieces: Mapping[int, int] | None) -> IncomingContent:
    """Read a mask of an image: in pieces, or None for its numbers."""
    values = read_mask(mask)
    if of_pieces is None:
        return numbered(mask, values, None)
    return category_pieces(mask, values, of_pieces)


def _of_files(masks: Sequence[Path]) -> IncomingContent:
    """Read masks that are one instance each; what is not 0 belongs to it."""
    found: list[IncomingAnnotation] = []
    left_out: list[str] = []
    size = mask_size(masks[0])
    for mask in masks:
        if mask_size(mask) != size:
            left_out.append(f"{mask} is of another size than {masks[0].name}.")
            continue
        one = numbered(mask, (read_mask(mask) != 0).astype(np.uint8), None)
        found += one.annotations
        left_out += one.left_out or (() if one.annotations else (f"{mask} covers no pixel.",))
    return IncomingContent(tuple(found), tuple(left_out))


def _piece_count(inside: NDArray[np.bool_]) -> int:
    count, _ = cv2.connectedComponents(inside.astype(np.uint8), connectivity=4)
    return int(count) - 1


def _sample_folders(path: Path, most: int | None = None) -> Iterator[Path]:
    """Yield the folders in a folder that hold one sample each.

    Args:
        path: where to look.
        most: look at so many folders only.
    """
    with os.scandir(path) as entries:
        names = sorted(e.name for e in islice(entries, most) if e.is_dir())
    for name in names:
        folder = path / name
        if (folder / "images").is_dir() and any(_pngs(folder / "masks")):
            yield folder


def _sample(folder: Path, root: Path) -> _Sample:
    images = sorted(p for p in (folder / "images").iterdir() if not p.name.startswith("."))
    named = images[0] if images else folder / "images" / folder.name
    masks = sorted(_pngs(folder / "masks"))
    return _Sample(named.relative_to(root).as_posix(), not images, masks)


def _pngs(folder: Path) -> Iterator[Path]:
    return folder.glob("[!.]*.[pP][nN][gG]") if folder.is_dir() else iter(())


def _mask_files(path: Path) -> Iterator[Path]:
    """Yield the masks of a folder of one file an image.

    They lie in a folder that is called so; else their own names say what they are.
    """
    inner = next((path / name for name in _FOLDERS if (path / name).is_dir()), None)
    if inner is not None or path.name.lower() in _FOLDERS:
        yield from files_below(inner or path, ".png")
        return
    files = files_below(path, ".png")
    beginning = list(islice(files, _LOOKED_THROUGH))
    if any(_plain(file.stem) != file.stem for file in beginning):
        yield from (f for f in chain(beginning, files) if _plain(f.stem) != f.stem)


def _names(path: Path, files: Sequence[Path]) -> Iterator[str]:
    """Yield the names of the images of masks, without an ending.

    Raises:
        UserError: two masks are of one image.
    """
    root = next((path / name for name in _FOLDERS if (path / name).is_dir()), path)
    taken: dict[str, Path] = {}
    for file in files:
        name = file.relative_to(root).with_name(_plain(file.stem)).as_posix()
        if name in taken:
            raise UserError(f"{taken[name]} and {file} are masks of the same image; remove one.")
        taken[name] = file
        yield name


def _plain(stem: str) -> str:
    """Return the name of an image for that of its mask."""
    for ending in _ENDINGS:
        if stem.lower().endswith(ending) and len(stem) > len(ending):
            return stem[: -len(ending)]
    return stem
