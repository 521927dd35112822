"""What is wrong with a COCO file is said in one sentence, and what is right with it comes in."""

import json

import pytest

from maskstudio.errors import UserError
from support.coco_raw import GOOD, HEIGHT, IMAGE, RING, WIDTH, coco, content_of, entry

IMPOSSIBLE = {
    "a ring of two points": ({"segmentation": [[1, 1, 5, 5]]}, "at least three corners"),
    "a ring without area": ({"segmentation": [[1, 1, 5, 5, 9, 9]]}, "covers no area"),
    "a ring beyond the image": ({"segmentation": [[90, 1, 95, 1, 95, 9]]}, "covers no area"),
    "a ring far beyond any image": ({"segmentation": [[1, 1, 5e6, 1, 5, 9]]}, "million pixels"),
    "an odd ring": ({"segmentation": [[1, 1, 5, 5, 9, 1, 3]]}, "odd number of coordinates"),
    "a mask of another size": (
        {"segmentation": {"size": [HEIGHT, 99], "counts": [HEIGHT * 99]}},
        "a mask of 20 by 99 pixels on an image of 20 by 30",
    ),
    "a mask too short": ({"segmentation": {"size": [HEIGHT, WIDTH], "counts": [5, 5]}}, "make up"),
    "a run of 10^30": (
        {"segmentation": {"size": [HEIGHT, WIDTH], "counts": [5, 10**30]}},
        "longer than any image",
    ),
    "a mask cut off": ({"segmentation": {"size": [HEIGHT, WIDTH], "counts": "5o"}}, "packed"),
    "a mask of letters": ({"segmentation": {"size": [HEIGHT, WIDTH], "counts": "ü"}}, "packed"),
    "an empty mask": (
        {"segmentation": {"size": [HEIGHT, WIDTH], "counts": [HEIGHT * WIDTH]}},
        "has an empty mask",
    ),
    "neither outline nor box": ({}, "neither an outline nor a box"),
    "a box of three numbers": ({"bbox": [1, 2, 3]}, "a box of 3 numbers"),
    "a box of no width": ({"bbox": [1, 2, 0, 3]}, "covers no area"),
    "a box of negative height": ({"bbox": [1, 9, 5, -3]}, "covers no area"),
}


@pytest.mark.parametrize(("shape", "words"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_an_impossible_shape_is_left_out_and_named_and_the_others_stay(opened, shape, words):
    source = opened(coco(entry(segmentation=[RING]), entry(**shape), entry(bbox=[0, 0, 3, 3])))
    found = content_of(source)
    assert len(found.annotations) == 2
    (sentence,) = found.left_out
    assert sentence.startswith("set.json: annotations[1] ")
    assert words in sentence


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ({"segmentation": [[-5, 2, 10, 2, 10, 9, -5, 9]]}, (0, 2, 10, 9)),
        ({"bbox": [-5, 2, 15, 7]}, (0, 2, 10, 9)),
    ],
)
def test_what_reaches_out_of_the_image_is_cut_and_told(opened, shape, box):
    found = content_of(opened(coco(entry(**shape))))
    (annotation,) = found.annotations
    assert (annotation.box or annotation.segmentation.box) == box
    assert found.mended == (
        "set.json: annotations[0] reached out of the image and was cut at its edge.",
    )


def test_a_ring_that_crosses_itself_is_mended_and_told(opened):
    found = content_of(opened(coco(entry(segmentation=[[2, 2, 10, 10, 10, 2, 2, 10]]))))
    (annotation,) = found.annotations
    assert annotation.segmentation.is_valid
    assert found.mended[0].startswith("set.json: annotations[0] ")


TWO = [IMAGE, IMAGE | {"id": 8}]
REFUSED = {
    "no JSON": (b"{", "is not JSON"),
    "nothing": (b"", "is not JSON"),
    "a number": (b"3", "neither an object nor a list"),
    "not UTF-8": (b'{"images": "\xff\xfe"}', "not UTF-8|images is no list"),
    "UTF-16": ("{}".encode("utf-16"), "is not JSON"),
    "too deep": (b'{"images":' + b"[" * 100_000, "nested too deeply"),
    "NaN": (
        b'{"images": [], "annotations": [{"bbox": [1]}, {"bbox": [1, NaN]}]}',
        r"annotations\[1\]\.bbox\[1\] .* is not JSON: .*NaN",
    ),
    "infinity": (b'{"annotations": [{"score": -Infinity}]}', r"annotations\[0\]\.score"),
    "1e999": (
        json.dumps(coco(GOOD, entry(bbox=[1, 2, 3, 4]))).replace("[1, 2,", "[1, 1e999,").encode(),
        r"annotations\[1\]\.bbox\[1\] is wrong: number out of range",
    ),
    "a key twice": (b'{"images": [], "annotations": [1], "images": []}', 'gives "images" twice'),
    "a key of an entry twice": (
        json.dumps(coco(GOOD)).replace('"image_id": 7', '"image_id": 9, "image_id": 7').encode(),
        r'annotations\[0\] gives "image_id" twice',
    ),
    "no images": ({"annotations": [], "categories": []}, "no list 'images'"),
    "no annotations": ({"images": [], "categories": []}, "no list 'annotations'"),
    "images as an object": (coco() | {"images": {}}, "images is no list"),
    "an image that is a text": (coco(images=["a.png"]), r"images\[0\] is wrong: expected object"),
    "an image without a name": (coco(images=[{"id": 1}]), r"images\[0\] is wrong.*file_name"),
    "an image with no name": (coco(images=[IMAGE | {"file_name": ""}]), "an empty file_name"),
    "an image whose id is a text": (
        coco(images=[IMAGE | {"id": "7"}]),
        r"images\[0\]\.id is wrong",
    ),
    "an image id twice": (
        coco(images=[IMAGE, IMAGE | {"file_name": "b"}]),
        r"images\[1\] has the id 7, as images\[0\] has",
    ),
    "an image name twice": (coco(images=TWO), r"images\[1\] has the file_name 'a.png', as"),
    "an image of no height": (coco(images=[IMAGE | {"height": 0}]), r"images\[0\] has the size 0"),
    "a negative width": (
        coco(images=[IMAGE | {"width": -3}]),
        r"images\[0\] has the size 20 by -3",
    ),
    "an absurd width": (coco(images=[IMAGE | {"width": 10**12}]), "which no image has"),
    "a category without a name": (coco(categories=[{"id": 1}]), r"categories\[0\] is wrong"),
    "a category twice": (
        coco(categories=[{"id": 3, "name": "a"}, {"id": 4, "name": "a"}]),
        r"categories\[1\] has the name 'a', as categories\[0\] has",
    ),
    "an unlisted image": (coco(GOOD, GOOD | {"image_id": 8}), r"annotations\[1\] has image 8"),
    "an unlisted category": (coco(GOOD | {"category_id": 1}), r"annotations\[0\] has category 1"),
    "an annotation id twice": (
        coco(GOOD | {"id": 5}, GOOD, GOOD | {"id": 5}),
        r"annotations\[2\] has the id 5, as annotations\[0\] has",
    ),
    "no image_id": (coco({"category_id": 3}), r"annotations\[0\] is wrong.*image_id"),
    "a coordinate as text": (
        coco(entry(segmentation=[[1, 2, 3, 4, 5, "6"]])),
        r"annotations\[0\]\.segmentation\[0\]\[5\] is wrong: expected float, got str",
    ),
    "a score above 1": (coco(GOOD | {"score": 1.5}), r"annotations\[0\] has the score 1.5"),
    "a crowd of 2": (coco(GOOD | {"iscrowd": 2}), r"annotations\[0\] has iscrowd 2"),
    "a mask of billions": (
        coco(entry(segmentation={"size": [2**40, 2**40], "counts": "5"})),
        r"annotations\[0\]\.segmentation has the size",
    ),
    "a mask of nothing": (
        coco(entry(segmentation={"size": [0, 5], "counts": []})),
        r"annotations\[0\]\.segmentation has the size 0 by 5",
    ),
}


@pytest.mark.parametrize(("raw", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_refused_in_one_sentence_with_file_and_place(opened, raw, words):
    with pytest.raises(UserError, match=words) as refused:
        opened(raw)
    assert "set.json" in str(refused.value)
    assert "\n" not in str(refused.value)
