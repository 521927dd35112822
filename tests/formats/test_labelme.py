"""labelme files as labelme 7.9.1 and older versions write them, and files that lie."""

import base64
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.masks import decode, rasterize
from maskstudio.errors import CancelledError, UserError
from maskstudio.formats.labelme import is_labelme
from maskstudio.formats.sources import open_source
from maskstudio.progress import TaskContext

DATA = Path(__file__).parents[1] / "data" / "labelme"
CONTEXT = TaskContext()
TRIANGLE = [[2, 3], [20, 4], [18, 15]]


def labelme(shapes=(), **values):
    whole = {"version": "5.5.0", "flags": {}, "shapes": list(shapes), "imagePath": "a.png"}
    return {**whole, "imageData": None, "imageHeight": 40, "imageWidth": 60, **values}


def shape(points=TRIANGLE, kind="polygon", **values):
    whole = {"label": "cell", "points": points, "group_id": None, "shape_type": kind, "flags": {}}
    return {**whole, **values}


def written(folder, raw, name="a.json"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(raw if isinstance(raw, str) else json.dumps(raw), encoding="utf-8")
    return path


def content_of(folder, *shapes):
    return open_source(written(folder, labelme(shapes)), CONTEXT).content(0, 40, 60)


def png(array):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")


@pytest.fixture(scope="module")
def source():
    return open_source(DATA, CONTEXT)


def of(source, name):
    number = [image.name for image in source.images].index(name)
    return number, source.content(number, 40, 60)


def test_a_folder_gives_every_image_by_its_path_from_there(source):
    found = [(image.name, image.height, image.width, image.annotations) for image in source.images]
    assert found == [
        ("embedded.png", 6, 8, 1),
        ("nothing.png", 6, 8, 0),
        ("older/any.png", 40, 60, 2),
        ("images/old.png", 0, 0, 1),  # "..\\images\\old.png", and version 3 wrote no sizes
        ("older/four.png", 40, 60, 1),
        ("images/kinds.png", 40, 60, 7),
    ]
    assert source.title == "labelme"


def test_every_kind_of_shape_with_an_area_becomes_an_annotation(source):
    _, content = of(source, "images/kinds.png")
    names = [category.name for category in source.categories]
    polygon, group, other, rectangle, circle, oriented, mask = content.annotations
    assert polygon.segmentation.ring(0, 0).tolist() == [[2.5, 3], [20.25, 4], [18, 15.75]]
    assert polygon.attributes == (("blurred", "true"), ("cut", "false"))
    assert polygon.note == "on the left"
    # One group, but two labels: that makes two instances.
    assert len(group.segmentation.parts) == 2
    assert (names[other.category], len(other.segmentation.parts)) == ("debris", 1)
    assert (rectangle.segmentation, rectangle.box) == (None, (12.5, 22, 25, 30))
    assert np.isclose(circle.segmentation.area, np.pi * 36)
    assert oriented.segmentation.ring(0, 0).tolist() == [[2, 30], [6, 26], [9, 29], [5, 33]]
    assert mask.segmentation.area == 4 * 6 - 2 * 2
    assert mask.segmentation.box == (42, 32, 48, 36)


def test_points_and_lines_are_left_out_each_with_its_place(source):
    _, content = of(source, "images/kinds.png")
    said = [sentence.split("kinds.json: ")[1].split(" and ")[0] for sentence in content.left_out]
    assert said == [
        "shapes[8] ('cell') is a point",
        "shapes[9] ('cell') is a line",
        "shapes[10] ('cell') is a line",
        "shapes[11] ('cell') is single points",
    ]


def test_the_notes_tell_what_is_understood_in_one_way(source):
    said = " ".join(source.notes)
    assert "Circles become outlines of 20 corners" in said
    assert "Flags of whole images are left out" in said


def test_versions_3_and_4_are_read(source):
    _, old = of(source, "images/old.png")
    assert old.annotations[0].segmentation.ring(0, 0).tolist() == [[1, 2], [11, 2], [11, 9.5]]
    _, four = of(source, "older/four.png")
    assert four.annotations[0].box == (3, 4, 9, 8)


def test_what_x_anylabeling_adds_is_understood(source):
    number, content = of(source, "older/any.png")
    box, turned = content.annotations
    assert (box.box, box.score) == ((3, 4, 9, 8), 0.875)
    assert box.attributes == (("difficult", "true"), ("stain", "blue"))
    assert turned.segmentation.vertex_count == 4
    assert turned.score is None
    assert source.images[number].state is ImageState.VERIFIED


def test_an_image_within_the_file_comes_out_whole(source):
    number, _ = of(source, "embedded.png")
    assert source.images[number].embedded
    with Image.open(io.BytesIO(source.pixels(number))) as image:
        assert image.size == (8, 6)
    other, _ = of(source, "nothing.png")
    assert source.pixels(other) is None


def test_a_mask_is_laid_where_its_first_point_says(tmp_path):
    mask = np.zeros((5, 7), np.uint8)
    mask[1:4, 2:6] = 1
    mask[2, 3] = 0
    content = content_of(tmp_path, shape([[10, 20], [16, 24]], "mask", mask=png(mask)))
    found = decode(rasterize(content.annotations[0].segmentation, 40, 60))
    assert np.array_equal(found[20:25, 10:17], mask.astype(bool))
    assert found.sum() == mask.sum()


def test_a_group_takes_rectangles_and_masks_as_parts_too(tmp_path):
    mask = png(np.ones((2, 2), np.uint8))
    content = content_of(
        tmp_path,
        shape([[1, 1], [3, 3]], "rectangle", group_id=4),
        shape([[40, 20], [41, 21]], "mask", mask=mask, group_id=4),
        shape(group_id=5),
    )
    first, second = content.annotations
    assert (first.box, first.segmentation.area, len(first.segmentation.parts)) == (None, 8, 2)
    assert len(second.segmentation.parts) == 1


def test_a_ring_that_crosses_itself_is_mended_and_that_is_said(tmp_path):
    content = content_of(tmp_path, shape([[0, 0], [10, 10], [10, 0], [0, 10]]))
    assert content.annotations[0].segmentation.is_valid
    assert "shapes[0] ('cell') has rings that cross" in content.mended[0]


def test_what_reaches_out_of_the_image_is_cut_and_that_is_said(tmp_path):
    far = shape([[50, 30], [70, 30], [70, 45]], "polygon")
    box = shape([[-3, -3], [5, 5]], "rectangle")
    content = content_of(tmp_path, far, box)
    assert content.annotations[0].segmentation.box[2] == 60
    assert content.annotations[1].box == (0, 0, 5, 5)
    assert len(content.mended) == 2


def test_a_shape_without_area_is_left_out_and_the_rest_goes_in(tmp_path):
    content = content_of(
        tmp_path,
        shape([[1, 1], [2, 2]]),
        shape([[1, 1], [2, 2], [3, 3]]),
        shape([[1, 1], [1, 9]], "rectangle"),
        shape([[100, 100], [120, 100], [120, 120]]),
        shape([[5, 5], [5, 5]], "circle"),
        shape([[1e9, 0], [1e9, 5], [0, 5]]),
        shape(TRIANGLE, "cuboid"),
        shape(label=""),
        shape(label="kept"),
    )
    assert len(content.annotations) == 1
    places = sorted(sentence.split("shapes[")[1][0] for sentence in content.left_out)
    assert places == list("01234567")


def test_a_ring_like_a_ball_of_wool_is_left_out_at_once(tmp_path):
    rng = np.random.default_rng(1)
    wool = (rng.random((3000, 2)) * (60, 40)).tolist()
    content = content_of(tmp_path, shape(wool))
    assert content.annotations == ()
    assert "too often" in content.left_out[0]


def test_names_that_lead_elsewhere_are_only_names(tmp_path):
    (tmp_path / "secret.png").write_bytes(b"x")
    names = ["../secret.png", "/etc/passwd", "C:\\x\\a.png", "..\\..\\..\\b.png", "sub/./c.png"]
    folder = tmp_path / "set"
    for number, name in enumerate(names):
        written(folder, labelme(imagePath=name), f"{number}.json")
    found = [image.name for image in open_source(folder, CONTEXT).images]
    expected = ["../secret.png", "/etc/passwd", "C:/x/a.png", "../../../b.png", "sub/c.png"]
    assert found == expected


def test_two_files_about_one_image_are_refused(tmp_path):
    written(tmp_path, labelme(), "one.json")
    written(tmp_path, labelme(imagePath="./a.png"), "two.json")
    with pytest.raises(UserError, match=r"one\.json and .*two\.json are both about"):
        open_source(tmp_path, CONTEXT)


def test_other_json_files_in_the_folder_are_passed_over_and_that_is_said(tmp_path):
    written(tmp_path, labelme())
    written(tmp_path, {"colours": []}, "config.json")
    written(tmp_path, labelme(imagePath="hidden.png"), ".maskstudio/hidden.json")
    source = open_source(tmp_path, CONTEXT)
    assert [image.name for image in source.images] == ["a.png"]
    assert any("config.json" in note for note in source.notes)


def test_opening_can_be_cancelled(tmp_path):
    class Cancelled(TaskContext):
        def raise_if_cancelled(self):
            raise CancelledError

    written(tmp_path, labelme())
    with pytest.raises(CancelledError):
        open_source(tmp_path, Cancelled())


def test_a_coco_file_is_not_taken_for_labelme(tmp_path):
    path = written(tmp_path, {"images": [], "annotations": [], "categories": []})
    assert not is_labelme(path)
    assert not is_labelme(tmp_path)


TEXT = json.dumps(labelme([shape()]))
WRONG = {
    "cut off": TEXT[:-9],
    "a number that is none": TEXT.replace("20", "NaN"),
    "infinity": TEXT.replace("20", "-Infinity"),
    "infinity by its exponent": TEXT.replace("20", "1e999"),
    "a number of 400 digits": TEXT.replace("20", "9" * 400),
    "a number of 9000 digits": TEXT.replace("20", "9" * 9000),
    "a key twice": TEXT.replace('"label"', '"label": "a", "label"'),
    "half a surrogate": TEXT.replace('"cell"', r'"\ud800"'),
    "depth": TEXT.replace("[2, 3]", "[" * 100_000),
    "points that are text": TEXT.replace("20", '"20"'),
    "points of three numbers": TEXT.replace("[2, 3]", "[2, 3, 4]"),
    "no points": TEXT.replace('"points"', '"dots"'),
    "a label that is a number": TEXT.replace('"cell"', "7"),
    "flags that are a list": TEXT.replace('"flags": {}', '"flags": []'),
    "a height that is true": TEXT.replace("40", "true"),
    "a height below 0": TEXT.replace("40", "-40"),
    "no name of an image": TEXT.replace("a.png", ""),
    "a name that is a list": TEXT.replace('"a.png"', "[]"),
    "shapes that are numbers": json.dumps(labelme([7])),
    "a score of 2": json.dumps(labelme([shape(score=2)])),
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_with_file(tmp_path, text):
    path = written(tmp_path, text)
    with pytest.raises(UserError) as raised:
        open_source(tmp_path, CONTEXT)
    sentence = str(raised.value)
    assert str(path) in sentence
    assert len(sentence) < 1000


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(TEXT.encode("utf-16"))
    with pytest.raises(UserError, match="is not JSON"):
        open_source(path, CONTEXT)


def huge_png(width, height):
    """A PNG of a few bytes whose header announces an image of any size."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"\0" * 10)
    chunks = [
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c))
        for c in (header, data, b"IEND")
    ]
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode("ascii")


MASKS = {
    "a bomb": huge_png(2**31 - 1, 2**31 - 1),
    "a large one": huge_png(100_000, 100_000),
    "larger than the image": png(np.ones((9, 62), np.uint8)),
    "half of one": huge_png(20, 20),
    "in colours": png(np.ones((4, 4, 3), np.uint8)),
    "of nothing": png(np.zeros((4, 4), np.uint8)),
    "not base64": "a",
    "not ASCII": "ü",
    "no PNG": base64.b64encode(b"GIF89a" * 9).decode("ascii"),
    "none": None,
}


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_a_mask_that_cannot_be_one_is_left_out(tmp_path, mask):
    content = content_of(tmp_path, shape([[1, 1], [4, 4]], "mask", mask=mask), shape())
    assert len(content.annotations) == 1
    (sentence,) = content.left_out
    assert "a.json: shapes[0] ('cell')" in sentence


@pytest.mark.parametrize("data", ["a", huge_png(100_000, 100_000), "AAAA"])
def test_an_image_within_the_file_that_is_none_is_refused(tmp_path, data):
    source = open_source(written(tmp_path, labelme(imageData=data)), CONTEXT)
    with pytest.raises(UserError, match=r"a\.json: 'imageData' is"):
        source.pixels(0)
