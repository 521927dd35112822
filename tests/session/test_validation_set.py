"""What a project keeps to measure on: finished images of one part, and what its categories mean."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

from maskstudio.annotation.annotation import Category, ImageState
from maskstudio.annotation.category_map import CategoryMap, Goal, Rule
from maskstudio.annotation.edits import Edit, ImageChange
from maskstudio.annotation.tiling import TileChoice, Tiling
from maskstudio.errors import UserError
from maskstudio.formats.coco_reader import segmentation_to_rle
from maskstudio.progress import TaskContext
from maskstudio.session.splitting import Split, remember, remembered_parts
from maskstudio.session.validation_set import validation_set
from maskstudio.storage.category_maps import SETTING, plain_maps
from maskstudio.storage.opening import open_project
from support.labelled import SQUARE, label

KINDS = (Category(1, "people"), Category(2, "dog"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten pictures, verified, each with a square."""
    folder = tmp_path / "project"
    folder.mkdir()
    names = [f"{number}.png" for number in range(10)]
    for number, name in enumerate(names):
        noise = np.random.default_rng(number).integers(0, 255, (8, 8, 3), np.uint8)
        Image.fromarray(noise).resize((64, 48), Image.Resampling.NEAREST).save(folder / name)
    label(folder, dict.fromkeys(names, ((1, SQUARE),)), KINDS)
    return folder


def test_a_fifth_is_kept_and_stays_the_same(folder: Path) -> None:
    found = validation_set(folder, TaskContext())
    assert len(found.coco.images) == 2
    assert found.coco.path == folder
    with open_project(folder) as database:
        parts = remembered_parts(database)
    assert Counter(parts.values()) == {"train": 8, "val": 2}
    assert {image_id for image_id, part in parts.items() if part == "val"} == set(found.coco.images)
    assert validation_set(folder, TaskContext()).coco == found.coco


def test_its_masks_are_those_on_screen(folder: Path) -> None:
    found = validation_set(folder, TaskContext())
    for image in found.coco.images.values():
        (annotation,) = found.coco.annotations[image.id]
        mask = coco_mask.decode(segmentation_to_rle(annotation.segmentation, 48, 64))
        assert mask.sum() == mask[10:30, 10:30].sum() == 400


def test_only_what_is_finished_and_of_the_part_is_measured_on(folder: Path) -> None:
    with open_project(folder) as database:
        first, second, third, *others = database.images()
        parts = {first.id: "val", second.id: "val", third.id: "test"}
        remember(database, Split(parts | {image.id: "train" for image in others}))
        again = replace(second.status, state=ImageState.EDITED)
        database.commit(Edit("", images=(ImageChange(second.id, second.status, again),)))
    assert list(validation_set(folder, TaskContext()).coco.images) == [first.id]


def test_a_models_categories_go_where_they_go_in_the_window(folder: Path) -> None:
    """As they were decided for this model; else by their names."""
    decided = CategoryMap("decided", {"wolf": Rule(Goal.CATEGORY, 2), "dog": Rule(Goal.IGNORE)})
    with open_project(folder) as database:
        database.set_setting(SETTING, plain_maps({"decided": decided}))
    found = validation_set(folder, TaskContext())
    of_model = [Category(1, "person"), Category(2, "dog"), Category(3, "wolf")]
    assert found.names("decided", of_model) == {"person": "people", "dog": "", "wolf": "dog"}
    assert found.names("another", of_model) == {"person": "people", "dog": "dog", "wolf": ""}


def test_images_are_looked_at_as_in_the_window(folder: Path) -> None:
    assert validation_set(folder, TaskContext()).tiling == Tiling(TileChoice.AUTO)
    with open_project(folder) as database:
        database.set_setting("tiles", TileChoice.ALWAYS)
    assert validation_set(folder, TaskContext()).tiling == Tiling(TileChoice.ALWAYS)
    filled = dict.fromkeys(("0.png", "1.png"), ((1, SQUARE),) * 10)
    label(folder, filled)
    with open_project(folder) as database:
        first, second, *_ = database.images()
        remember(database, Split({first.id: "val", second.id: "val"}))
    assert validation_set(folder, TaskContext()).tiling == Tiling(TileChoice.ALWAYS, 20.0)


def test_where_none_is_left_to_measure_on_it_says_what_to_do(folder: Path) -> None:
    with open_project(folder) as database:
        remember(database, Split({image.id: "train" for image in database.images()}))
        with pytest.raises(UserError, match="export it with a split once, or close it"):
            validation_set(folder, TaskContext())
    with pytest.raises(UserError, match=r"None of the 10 verified images of .* verify more"):
        validation_set(folder, TaskContext())


def test_an_image_that_is_gone_is_refused(folder: Path) -> None:
    validation_set(folder, TaskContext())
    for path in folder.glob("*.png"):
        path.unlink()
    with pytest.raises(UserError, match=r"\.png is gone"):
        validation_set(folder, TaskContext())
