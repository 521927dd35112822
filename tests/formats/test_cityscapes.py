"""The masks of Cityscapes, whose numbers are classes and instances at once."""

import numpy as np
import pytest
from PIL import Image

from maskstudio.errors import UserError
from maskstudio.formats.sources import open_source
from maskstudio.progress import TaskContext

ROAD, CAR_GROUP, PERSON, CAR, OTHER_CAR, UNKNOWN = 7, 26, 24_000, 26_000, 26_001, 50_000


@pytest.fixture
def folder(tmp_path):
    values = np.full((12, 16), ROAD, np.uint16)
    values[0:4, 0:4], values[0:4, 4:8] = CAR, OTHER_CAR
    values[6:8, 0:2], values[8:10, 8:12], values[11, 15] = PERSON, CAR_GROUP, UNKNOWN
    place = tmp_path / "gtFine" / "val" / "ulm"
    place.mkdir(parents=True)
    Image.fromarray(values).save(place / "ulm_000001_000019_gtFine_instanceIds.png")
    Image.new("L", (16, 12)).save(place / "ulm_000001_000019_gtFine_labelIds.png")
    return tmp_path


@pytest.mark.parametrize("inner", ["", "gtFine"])
def test_instances_have_the_class_of_their_thousands_and_groups_are_crowds(folder, inner):
    source = open_source(folder / inner, TaskContext())
    assert source.title == "Cityscapes"
    (image,) = source.images
    assert (image.name, image.any_ending, image.annotations) == (
        "val/ulm/ulm_000001_000019_leftImg8bit",
        True,
        4,
    )
    names = [category.name for category in source.categories]
    found = {
        (names[one.category], one.segmentation.box, one.iscrowd)
        for one in source.content(0, 12, 16).annotations
    }
    assert found == {
        ("car", (0, 0, 4, 4), False),
        ("car", (4, 0, 8, 4), False),
        ("person", (0, 6, 2, 8), False),
        ("car", (8, 8, 12, 10), True),
    }
    counts = {c.name: (c.supercategory, c.count) for c in source.categories if c.count}
    assert counts == {"person": ("human", 1), "car": ("vehicle", 3)}


def test_a_mask_in_colours(folder):
    (path,) = folder.rglob("*instanceIds.png")
    Image.new("RGB", (16, 12)).save(path)
    with pytest.raises(UserError, match="has colours where numbers were expected"):
        open_source(folder, TaskContext()).content(0, 12, 16)
