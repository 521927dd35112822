"""The images of a project that models are measured on. Needs no Qt."""

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from maskstudio.annotation.annotation import Category, Dataset
from maskstudio.annotation.category_map import CategoryMap, destinations
from maskstudio.annotation.tiling import TileChoice, Tiling, small_side
from maskstudio.errors import UserError
from maskstudio.formats.coco import write_coco
from maskstudio.formats.coco_reader import CocoFile, read_coco
from maskstudio.formats.options import SegmentationStyle
from maskstudio.progress import TaskContext
from maskstudio.session.image_sizes import with_sizes
from maskstudio.session.splitting import remembered_parts
from maskstudio.session.training_set import LEARNED_STATES, freeze_parts
from maskstudio.storage.category_maps import SETTING, maps_from
from maskstudio.storage.opening import ProjectLockedError, open_project
from maskstudio.storage.places import has_project

if TYPE_CHECKING:
    # They bring the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase
    from maskstudio.storage.stored_dataset import StoredAnnotations

_PART = "val"
_TILES = "tiles"  # as session/tile_guide.py keeps it


@dataclass(frozen=True)
class ValidationSet:
    """What a project keeps apart to measure on.

    Attributes:
        coco: the images and what stands on them; its path is the project's folder.
        categories: the project's.
        maps: what was decided about the categories of models, by their ids.
        tiling: whether images are looked at in tiles, as in the window.
    """

    coco: CocoFile
    categories: tuple[Category, ...]
    maps: Mapping[str, CategoryMap]
    tiling: Tiling

    def names(self, model_id: str, of_model: Sequence[Category]) -> dict[str, str]:
        """Return the project's category that each of a model's is for; empty where for none.

        As in the window: what a person decided, else what the names say.
        """
        chosen = self.maps.get(model_id, CategoryMap(model_id))
        names = {category.id: category.name for category in self.categories}
        goals = destinations(chosen, of_model, self.categories).tolist()
        return {
            category.name: names.get(goal, "")
            for category, goal in zip(of_model, goals, strict=True)
        }


def validation_set(folder: Path, context: TaskContext) -> ValidationSet:
    """Read the finished images of the part `val` of a project, as it is now.

    A project that was never divided is divided now, as an export would; where a window has it open
    nothing is written, and it must have been divided before.

    Raises:
        UserError: there is no such image, one is missing or of another size than it was labelled
            at, or the project cannot be read.
        CancelledError: the person asked to stop.
    """
    with _opened(folder) as database:
        if not database.read_only:
            freeze_parts(database, context)
        with database.reading_dataset(LEARNED_STATES) as dataset:
            kept = _kept(dataset, database)
            coco = _as_coco(with_sizes(kept, folder, context), context)
            maps = maps_from(database.setting(SETTING, {}))
            tiling = Tiling(_tile_choice(database), _small(coco))
            return ValidationSet(replace(coco, path=folder), dataset.categories, maps, tiling)


def _opened(folder: Path) -> "ProjectDatabase":
    if has_project(folder):
        try:
            return open_project(folder)
        except ProjectLockedError:
            pass
    return open_project(folder, read_only=True)


def _kept(dataset: Dataset, database: "ProjectDatabase") -> Dataset:
    """Return the images of the part to measure on.

    Raises:
        UserError: there is none.
    """
    folder = database.folder
    if not dataset.images:
        raise UserError(f"No image of {folder} is verified; verify some, then evaluate on them.")
    parts = remembered_parts(database)
    images = tuple(image for image in dataset.images if parts.get(image.id) == _PART)
    if not images and database.read_only:
        raise UserError(
            f"No verified image of {folder} is kept to measure on; export it with a split once, or "
            "close it in the window and evaluate again, which keeps a fifth of them."
        )
    if not images:
        raise UserError(
            f"None of the {len(dataset.images)} verified images of {folder} is kept to measure on; "
            "verify more, then evaluate again."
        )
    # What the database gives them as.
    stored = cast("StoredAnnotations", dataset.annotations)
    return replace(dataset, images=images, annotations=stored.only([i.id for i in images]))


def _tile_choice(database: "ProjectDatabase") -> TileChoice:
    stored = database.setting(_TILES, "")
    return TileChoice(stored) if stored in list(TileChoice) else TileChoice.AUTO


def _small(coco: CocoFile) -> float | None:
    """Return the side of the small ones of the objects."""
    boxes = [one.bbox_xywh for of_image in coco.annotations.values() for one in of_image]
    return small_side([math.sqrt(width * height) for _, _, width, height in boxes])


def _as_coco(dataset: Dataset, context: TaskContext) -> CocoFile:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "val.json"
        with path.open("wb") as file:
            write_coco(dataset, file, SegmentationStyle.RLE, context)
        return read_coco(path)
