"""Masks of classes and objects in colours, as CVAT and Pascal VOC have them."""

import numpy as np
import pytest
from PIL import Image

from maskstudio.errors import UserError
from maskstudio.formats.class_masks import open_class_masks
from maskstudio.formats.sources import is_data_set, open_source
from maskstudio.progress import TaskContext

HEIGHT, WIDTH = 12, 16
CELL, NUCLEUS, GROUND = (10, 20, 30), (200, 0, 0), (0, 128, 0)
LABELS = (
    "# label:color_rgb:parts:actions\nbackground:0,128,0::\ncell:10,20,30::\n\nnucleus:200, 0,0::\n"
)


def save(path, *rectangles, ground=(0, 0, 0), palette=False):
    """Write a picture of rectangles: (top, left, bottom, right, colour), the last in front."""
    values = np.full((HEIGHT, WIDTH, 3), ground, np.uint8)
    for top, left, bottom, right, colour in rectangles:
        values[top:bottom, left:right] = colour
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(values)
    (image.quantize(16) if palette else image).save(path)


def cvat(folder, labels=LABELS, palette=False):
    (folder / "labelmap.txt").write_text(labels, encoding="utf-8")
    save(
        folder / "SegmentationClass" / "sub" / "a.png",
        (0, 0, 4, 4, CELL),
        (0, 4, 4, 8, CELL),
        (6, 6, 9, 9, NUCLEUS),
        ground=GROUND,
        palette=palette,
    )
    save(
        folder / "SegmentationObject" / "sub" / "a.png",
        (0, 0, 4, 4, (128, 0, 0)),
        (0, 4, 4, 8, (0, 128, 0)),
        (6, 6, 9, 9, (128, 128, 0)),
        palette=palette,
    )


def found(source):
    names = [category.name for category in source.categories]
    return {
        (names[one.category], one.segmentation.box)
        for one in source.content(0, HEIGHT, WIDTH).annotations
    }


@pytest.mark.parametrize("palette", [False, True])
def test_objects_are_of_the_class_that_lies_under_them(tmp_path, palette):
    cvat(tmp_path, palette=palette)
    assert is_data_set(tmp_path)
    source = open_source(tmp_path, TaskContext())
    (image,) = source.images
    assert (image.name, image.any_ending, image.annotations) == ("sub/a", True, 3)
    assert found(source) == {
        ("cell", (0, 0, 4, 4)),
        ("cell", (4, 0, 8, 4)),
        ("nucleus", (6, 6, 9, 9)),
    }
    assert [(c.name, c.colour, c.count) for c in source.categories] == [
        ("cell", "#0a141e", 2),
        ("nucleus", "#c80000", 1),
    ]


def test_without_objects_each_piece_of_a_class_is_one(tmp_path):
    cvat(tmp_path)
    (tmp_path / "SegmentationObject" / "sub" / "a.png").unlink()
    source = open_class_masks(tmp_path)
    assert found(source) == {("cell", (0, 0, 8, 4)), ("nucleus", (6, 6, 9, 9))}


def test_the_colours_of_pascal_voc(tmp_path):
    save(
        tmp_path / "SegmentationClass" / "a.png",
        (0, 0, 5, 5, (224, 224, 192)),
        (1, 1, 4, 4, (192, 128, 128)),
        (6, 6, 9, 9, (0, 64, 128)),
    )
    save(
        tmp_path / "SegmentationObject" / "a.png",
        (0, 0, 5, 5, (224, 224, 192)),
        (1, 1, 4, 4, (128, 0, 0)),
        (6, 6, 9, 9, (0, 128, 0)),
    )
    source = open_class_masks(tmp_path)
    assert found(source) == {("person", (1, 1, 4, 4)), ("tvmonitor", (6, 6, 9, 9))}


def test_an_object_of_no_known_class_is_told(tmp_path):
    cvat(tmp_path, "cell:10,20,30::\n")
    content = open_class_masks(tmp_path).content(0, HEIGHT, WIDTH)
    assert len(content.annotations) == 2
    (told,) = content.left_out
    assert told.endswith(f"a.png: the number {0x808000} is not in the table.")


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("cell", "line 1 has no colour"),
        ("cell:1,2", "line 1 has no colour"),
        ("cell:1,2,-3", "line 1 has no colour"),
        ("cell:1,2,256", "over 255"),
        ("a:1,2,3\n:4,5,6", "line 2 names ''"),
        ("a:1,2,3\na:4,5,6", "line 2 names 'a'"),
        ("a:1,2,3\nb:1,2,3", "has the colour of 'a'"),
    ],
)
def test_a_table_of_colours_that_is_wrong(tmp_path, labels, said):
    cvat(tmp_path, labels)
    with pytest.raises(UserError, match=r"labelmap\.txt") as told:
        open_class_masks(tmp_path)
    assert said in str(told.value)


def test_masks_of_two_sizes(tmp_path):
    cvat(tmp_path)
    Image.new("RGB", (3, 3)).save(tmp_path / "SegmentationObject" / "sub" / "a.png")
    with pytest.raises(UserError, match="of another size than the mask in SegmentationClass"):
        open_class_masks(tmp_path)
