"""The detections cache: what a model found, kept beside the project so that sliders need no model.

Every file in it may be deleted; the model then runs again when it is asked for.
"""

import json
import zipfile
import zlib
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.detections import Detections
from maskstudio.progress import TaskContext
from maskstudio.storage.files import replaced_file
from maskstudio.storage.places import FOLDER_NAME

DETECTIONS = "detections"
"""What a model found on an image before a person worked on it."""
OPINIONS = "opinions"
"""Of images a person has finished: what a model thinks of them now, beside what it found then."""

# What zipfile, zlib, numpy and the domain raise on a damaged file; RuntimeError stands for zip
# features that a flipped bit asks for.
_DAMAGE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)


def write_detections(
    project_folder: Path, image_id: int, detections: Detections, *, cache: str = DETECTIONS
) -> None:
    """Keep the detections of an image, in place of older ones; by default those it was given.

    Raises:
        UserError: they cannot be written.
    """
    path = _path(project_folder, image_id, cache)
    about = {
        "model_id": detections.model_id,
        "size": detections.size,
        "has_masks": detections.roi_masks is not None,
        "tiles": detections.tiles,
        "categories": [[c.id, c.name, c.supercategory] for c in detections.categories],
    }
    arrays: dict[str, NDArray[Any]] = {
        "boxes": detections.boxes,
        "labels": detections.labels,
        "scores": detections.scores,
    }
    if detections.roi_masks is not None:
        arrays["roi_masks"] = detections.roi_masks
    with replaced_file(path) as beside:
        beside.parent.mkdir(exist_ok=True)
        with beside.open("wb") as file:
            np.savez_compressed(
                file, allow_pickle=False, about=np.array(json.dumps(about)), **arrays
            )


def read_detections(
    project_folder: Path, image_id: int, *, cache: str = DETECTIONS
) -> Detections | None:
    """Return the kept detections of an image, or None where there are none that can be read."""
    try:
        # Given the path alone, numpy leaves a damaged file open.
        with (
            _path(project_folder, image_id, cache).open("rb") as opened,
            np.load(opened, allow_pickle=False) as file,
        ):
            about = json.loads(str(file["about"]))
            height, width = about["size"]
            return Detections(
                about["model_id"],
                (height, width),
                file["boxes"],
                file["labels"],
                file["scores"],
                file["roi_masks"] if about["has_masks"] else None,
                tuple(Category(*c) for c in about["categories"]),
                int(about["tiles"]),
            )
    except _DAMAGE:
        # A cache: what cannot be read is as good as absent.
        return None


def count_found(
    project_folder: Path, model_id: str, min_score: float, context: TaskContext
) -> Counter[str]:
    """Count what a model found of each of its categories, by name, on all images that are kept.

    Args:
        project_folder: the project's.
        model_id: the model.
        min_score: lowest score that counts.
        context: asked often whether to stop.

    Raises:
        CancelledError: the person asked to stop.
    """
    counts: Counter[str] = Counter()
    for path in (project_folder / FOLDER_NAME / DETECTIONS).glob("*.npz"):
        context.raise_if_cancelled()
        with suppress(*_DAMAGE), path.open("rb") as opened, np.load(opened) as file:
            about = json.loads(str(file["about"]))
            if about["model_id"] == model_id:
                # What is not asked for is not unpacked: the RoI masks are all but everything.
                labels = file["labels"][file["scores"] >= min_score]
                counts.update(about["categories"][label][1] for label in labels)
    return counts


def _path(project_folder: Path, image_id: int, cache: str) -> Path:
    return project_folder / FOLDER_NAME / cache / f"{image_id}.npz"
