"""The detections cache: what a model found, kept beside the project so that sliders need no model.

Every file in it may be deleted; the model then runs again when it is asked for.
"""

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.detections import Detections
from maskstudio.storage.files import replaced_file
from maskstudio.storage.places import FOLDER_NAME

_FOLDER = "detections"

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


def write_detections(project_folder: Path, image_id: int, detections: Detections) -> None:
    """Keep the detections of an image, in place of older ones.

    Raises:
        UserError: they cannot be written.
    """
    path = _path(project_folder, image_id)
    about = {
        "model_id": detections.model_id,
        "size": detections.size,
        "has_masks": detections.roi_masks is not None,
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


def read_detections(project_folder: Path, image_id: int) -> Detections | None:
    """Return the kept detections of an image, or None where there are none that can be read."""
    try:
        # Given the path alone, numpy leaves a damaged file open.
        with (
            _path(project_folder, image_id).open("rb") as opened,
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
            )
    except _DAMAGE:
        # A cache: what cannot be read is as good as absent.
        return None


def _path(project_folder: Path, image_id: int) -> Path:
    return project_folder / FOLDER_NAME / _FOLDER / f"{image_id}.npz"
