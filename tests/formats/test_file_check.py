"""Any COCO file is checked by the rules of the gate that need no project."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from maskstudio.errors import CancelledError
from maskstudio.formats.file_check import FileCheck, check_file
from maskstudio.progress import TaskContext
from support.coco_sets import disc_mask, image_entry, mask_entry
from support.damage import damaged

Raw = dict[str, Any]
SQUARE = [10.0, 10.0, 30.0, 10.0, 30.0, 40.0, 10.0, 40.0]


def good() -> Raw:
    """A file with nothing wrong: two images, a polygon, an exact mask, a crowd, a packed mask."""
    disc = disc_mask(60, 80, 40, 30, 12)
    packed = mask_entry(2, 2, disc)
    crowd = mask_entry(3, 2, disc_mask(60, 80, 60, 40, 9), iscrowd=1, category_id=2)
    flat = disc_mask(60, 80, 20, 20, 8)
    plain = mask_entry(4, 2, flat)
    plain["segmentation"] = {"size": [60, 80], "counts": runs(flat)}
    square = {
        "id": 1, "image_id": 1, "category_id": 1, "segmentation": [SQUARE], "iscrowd": 0,
        "area": 600.0, "bbox": [10, 10, 20, 30],
    }  # fmt: skip
    return {
        "info": {},
        "licenses": [{"id": 3, "name": "x", "url": ""}],
        "images": [
            image_entry(1, "a.png", 60, 80) | {"license": 3},
            image_entry(2, "sub/b.png", 60, 80),
        ],
        "annotations": [square, packed, crowd, plain],
        "categories": [
            {"id": 1, "name": "cat", "supercategory": "animal"},
            {"id": 2, "name": "dog", "supercategory": ""},
        ],
    }


def runs(mask: Any) -> list[int]:
    """Return the run lengths of a mask, as COCO has them unpacked."""
    flat = mask.ravel(order="F")
    lengths, value, count = [], False, 0
    for one in flat:
        if one != value:
            lengths.append(count)
            value, count = one, 0
        count += 1
    return [*lengths, count]


def checked(folder: Path, raw: Any) -> FileCheck:
    path = folder / "set.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    return check_file(path)


def sentences(check: FileCheck) -> list[str]:
    return [problem.sentence for problem in check.problems]


def test_a_good_file_has_no_problem(tmp_path: Path) -> None:
    check = checked(tmp_path, good())
    assert sentences(check) == []
    assert (check.images, check.annotations, check.categories) == (2, 4, 2)
    assert check.ap == pytest.approx(1)


def first(raw: Raw) -> Raw:
    entry: Raw = raw["annotations"][0]
    return entry


def put(entry: Callable[[Raw], Raw], **values: object) -> Callable[[Raw], object]:
    return lambda raw: entry(raw).update(values)


def image(raw: Raw) -> Raw:
    entry: Raw = raw["images"][0]
    return entry


def category(raw: Raw) -> Raw:
    entry: Raw = raw["categories"][0]
    return entry


FAULTS: list[tuple[Callable[[Raw], object], str]] = [
    (lambda raw: raw.pop("info"), "There is no 'info'."),
    (lambda raw: raw.update(images={}), "'images' is no list."),
    (lambda raw: raw["categories"].append(7), "categories[2] is no object."),
    (put(first, id=0), "Annotation id 0 is not a whole number from 1."),
    (put(first, id=2), "Annotation id 2 is used 2 times."),
    (put(first, id="1"), "has the id '1', which is no whole number in reach."),
    (put(first, id=True), "Annotation id True is not a whole number from 1."),
    (put(category, id=0), "Category id 0 is not a whole number from 1."),
    (put(image, id=-1), "Image id -1 is not a whole number from 0."),
    (put(image, id=2), "Image id 2 is used 2 times."),
    (put(image, file_name="sub/b.png"), "has the file_name 'sub/b.png', which 2 images have."),
    (put(image, file_name="../a.png"), "'../a.png', which is not below the images' folder."),
    (put(image, file_name="/a.png"), "'/a.png', which is not below the images' folder."),
    (put(image, file_name="c:\\a.png"), "which is not below the images' folder."),
    (put(image, file_name=5), "has the file_name 5, which is no name."),
    (put(image, height=0), "Image 1 (a.png) is 80 by 0, which is no size of an image."),
    (put(image, width="80"), "Image 1 (a.png) is '80' by 60, which is no size"),
    (put(image, height=10**9), "is 80 by 1000000000, which is no size of an image."),
    (put(image, height=10**6, width=10**5), "which is no size of an image."),
    (put(image, license=[1]), "refers to license [1], which is not listed."),
    (put(first, id=[[1]]), "Annotation id [[1]] is not a whole number from 1."),
    (put(first, id=10**30), "which is no whole number in reach."),
    (put(image, license=1), "refers to license 1, which is not listed."),
    (put(category, name="dog"), "has the name 'dog', which 2 categories have."),
    (put(category, supercategory=None), "has the supercategory None, which is no text."),
    (put(first, image_id=9), "refers to image 9, which is not listed."),
    (put(first, category_id=9), "refers to category 9, which is not listed."),
    (put(first, iscrowd=False), "has iscrowd False, not 0 or 1."),
    (put(first, iscrowd=1), "is a crowd without the run lengths"),
    (put(first, ignore=0), "has the key 'ignore'"),
    (put(first, bbox=[1, 2, 3]), "which is not four numbers."),
    (put(first, bbox=[10, 10, 30, 40]), "but its mask has [10.0, 10.0, 20.0, 30.0]."),
    (put(first, area=10**400), "which is no number."),
    (put(first, area=None), "has the area None, which is no number."),
    (put(first, area=800), "has the area 800, but covers 600 pixels."),
    (put(first, segmentation=[]), "has no list of rings."),
    (put(first, segmentation=[[1, 2, 3, 4]]), "has a ring that is not an even number"),
    (put(first, segmentation=[[10, 10, 10.2, 10, 10.2, 40, 10, 40]]), "covers no pixel."),
    (put(first, segmentation=[[90 + n for n in SQUARE]]), "reaches out of the image."),
]


@pytest.mark.parametrize(("spoil", "sentence"), FAULTS)
def test_a_fault_is_told_with_its_place(
    tmp_path: Path, spoil: Callable[[Raw], object], sentence: str
) -> None:
    raw = good()
    spoil(raw)
    told = sentences(checked(tmp_path, raw))
    assert any(sentence in one for one in told), told


def test_an_annotation_says_where_it_stands(tmp_path: Path) -> None:
    raw = good()
    raw["annotations"][1]["area"] = 5
    (told,) = sentences(checked(tmp_path, raw))
    assert told.startswith("annotations[1] (sub/b.png, id 2) has the area 5, but covers ")


def test_what_a_zero_costs_is_measured(tmp_path: Path) -> None:
    raw = good()
    first(raw)["id"] = 0
    check = checked(tmp_path, raw)
    assert check.ap is not None
    assert check.ap < 0.9
    assert "The masks as detections of themselves reach AP" in sentences(check)[-1]


def test_areas_and_boxes_on_paper_are_no_fault(tmp_path: Path) -> None:
    raw = good()
    disc = raw["annotations"][1]
    x, y, width, height = disc["bbox"]
    disc |= {"area": disc["area"] * 1.04, "bbox": [x + 0.6, y - 0.7, width + 0.5, height + 1.1]}
    assert sentences(checked(tmp_path, raw)) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not JSON"),
        ("[1]", "It holds a list, as results are."),
        ("3", "holds neither an object nor a list"),
        ('{"images": [NaN]}', "is not JSON"),
        ('{"images": [], "images": []}', 'gives "images" twice'),
    ],
)
def test_what_is_no_data_set_is_told(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "set.json"
    path.write_text(text)
    (told,) = sentences(check_file(path))
    assert sentence in told


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-9, 9) | st.sampled_from(["", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=5,
)


@settings(max_examples=60)
@given(st.data())
def test_whatever_stands_in_a_place_it_is_told_or_right(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    raw = good()
    entry = data.draw(
        st.sampled_from([raw, *raw["images"], *raw["annotations"], *raw["categories"]])
    )
    key = data.draw(st.sampled_from(sorted(entry)))
    before, entry[key] = entry[key], data.draw(JSON)
    check = checked(tmp_path_factory.mktemp("any"), raw)
    if entry[key] != before and key in ("id", "image_id", "segmentation", "iscrowd"):
        assert check.problems


def test_what_is_told_can_be_shown_however_long_it_is(tmp_path: Path) -> None:
    raw = good()
    image(raw)["file_name"] = "../" + "x" * 5000
    first(raw)["id"] = [[["y" * 5000]]]
    told = sentences(checked(tmp_path, raw))
    assert told
    assert max(map(len, told)) < 400
    assert all(one.encode() for one in told)


def test_no_damage_is_more_than_told(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    sound = {path.name: json.dumps(good()).encode()}
    told = 0
    for seed in range(200):
        files = damaged(sound, seed)
        if path.name in files:
            path.write_bytes(files[path.name])
            told += bool(check_file(path).problems)
    assert told > 100


def test_it_can_be_stopped(tmp_path: Path) -> None:
    class Stopped(TaskContext):
        def raise_if_cancelled(self) -> None:
            raise CancelledError

    path = tmp_path / "set.json"
    path.write_text(json.dumps(good()))
    with pytest.raises(CancelledError):
        check_file(path, Stopped())


def test_the_packed_mask_of_the_good_file_is_packed() -> None:
    packed = good()["annotations"][1]["segmentation"]
    assert isinstance(packed["counts"], str)
    rle: Any = {"size": packed["size"], "counts": packed["counts"].encode()}
    assert coco_mask.area(rle) == good()["annotations"][1]["area"]
