"""Files of the VGG Image Annotator, as its three versions write them; see tests/data/via."""

import json
from pathlib import Path

import numpy as np
import pytest

from maskstudio.errors import UserError
from maskstudio.formats.sources import open_source
from maskstudio.formats.via import is_via
from maskstudio.progress import TaskContext

DATA = Path(__file__).parents[1] / "data" / "via"
CONTEXT = TaskContext()
TRIANGLE = [[2, 3], [20, 4], [18, 15]]


def opened(name):
    source = open_source(DATA / name, CONTEXT)
    return source, source.content(0, 40, 60)


def names(source):
    return [category.name for category in source.categories]


@pytest.mark.parametrize("name", ["version1.json", "version1.csv", "version3.json", "version3.csv"])
def test_every_version_gives_the_same_outline_and_box(name):
    source, content = opened(name)
    assert source.title == "VIA"
    polygon, rectangle = content.annotations
    assert polygon.segmentation.ring(0, 0).tolist() == TRIANGLE
    assert rectangle.box == (30, 20, 42, 28)
    assert names(source)[rectangle.category] == "debris"
    assert (polygon.score, content.mended) == (None, ())


def test_version_2_gives_every_kind_of_shape():
    source, content = opened("version2.json")
    polygon, rectangle, ellipse, circle = content.annotations
    assert polygon.segmentation.ring(0, 0).tolist() == TRIANGLE
    assert rectangle.box == (30, 20, 42, 28)
    # Turned by a right angle it is 8 high and 4 wide.
    assert np.allclose(ellipse.segmentation.box, (41, 4, 49, 20), atol=0.2)
    assert np.isclose(ellipse.segmentation.area, np.pi * 8 * 4)
    assert np.isclose(circle.segmentation.area, np.pi * 5.5**2)
    assert [image.annotations for image in source.images] == [4, 0]
    point, line = content.left_out
    assert "is a shape 'point'" in point
    assert "is a shape 'polyline'" in line


def test_the_attribute_chosen_from_a_list_is_the_category_and_the_others_stay():
    source, content = opened("version2.json")
    assert [(category.name, category.count) for category in source.categories] == [
        ("cell", 2),
        ("debris", 1),
        ("object", 1),
    ]
    first, second, *_ = content.annotations
    assert first.attributes == (("remark", "on the left"), ("seen", "whole, sharp"))
    assert second.attributes == ()
    assert any("'kind'" in note for note in source.notes)
    assert any("'object'" in note for note in source.notes)


def test_options_of_version_3_are_told_by_their_words():
    source, content = opened("version3.json")
    assert names(source) == ["cell", "debris"]
    assert content.annotations[0].attributes == (("remark", "on the left"),)
    assert [image.name for image in source.images] == ["a.png"]
    assert any("films" in note and "2 of them" in note for note in source.notes)


def test_a_file_of_another_program_is_not_taken_for_one(tmp_path):
    other = tmp_path / "other.json"
    other.write_text('{"images": [], "annotations": []}')
    assert not is_via(other)
    assert not is_via(tmp_path)
    assert all(map(is_via, DATA.iterdir()))


REGION = {
    "shape_attributes": {"name": "polygon", "all_points_x": [2, 20, 18], "all_points_y": [3, 4, 9]},
    "region_attributes": {},
}


def with_shape(**values):
    return [{**REGION, "shape_attributes": {**REGION["shape_attributes"], **values}}]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"regions": [REGION]}, "names no image"),
        ({"filename": "a.png"}, "no list 'regions'"),
        ({"filename": "a.png", "regions": [7]}, "regions[0] is a int"),
        ({"filename": "a.png", "regions": with_shape(all_points_x=[1, 2])}, "2 x, but 3 y"),
        ({"filename": "a.png", "regions": with_shape(all_points_x=[1, 2, "3"])}, "numbers"),
        ({"filename": "a.png", "regions": with_shape(all_points_x=[1, 2, 10**400])}, "too large"),
        ({"filename": "a.png", "regions": with_shape(name=None)}, "kind"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_place(tmp_path, entry, said):
    path = tmp_path / "via.json"
    path.write_text(json.dumps({"_via_img_metadata": {"key1": entry}}))
    with pytest.raises(UserError) as raised:
        open_source(path, CONTEXT)
    assert str(path) in str(raised.value)
    assert "key1" in str(raised.value)
    assert said in str(raised.value)


def test_an_image_that_comes_twice_is_refused(tmp_path):
    path = tmp_path / "via.json"
    entry = {"filename": "a.png", "regions": []}
    path.write_text(json.dumps({"_via_img_metadata": {"a1": entry, "a2": entry}}))
    with pytest.raises(UserError, match=r"a\.png"):
        open_source(path, CONTEXT)


def test_metadata_about_a_view_that_is_not_there_is_refused(tmp_path):
    raw = json.loads((DATA / "version3.json").read_text())
    raw["metadata"]["1_QS2MRdKC"]["vid"] = "9"
    path = tmp_path / "via.json"
    path.write_text(json.dumps(raw))
    with pytest.raises(UserError, match="view '9'"):
        open_source(path, CONTEXT)


HEADER_3 = "# Exported using VGG Image Annotator\n"


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n",
        "filename,region_shape_attributes\na.png,{7}\n",
        f'{HEADER_3}"',
        f"{HEADER_3}1,2,3\n",
        f"{HEADER_3}# ATTRIBUTE = 7\n",
    ],
)
def test_a_table_that_is_none_of_vias_is_refused(tmp_path, text):
    path = tmp_path / "via.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=r"via\.csv"):
        open_source(path, CONTEXT)
