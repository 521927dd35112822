"""COCO files are taken as they are where they are right, and refused in a sentence where not."""

import json
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from maskstudio.annotation.annotation import Annotation, Category, Dataset, ImageRecord
from maskstudio.annotation.masks import decode, rasterize
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.errors import CancelledError, UserError
from maskstudio.formats.incoming import IncomingCategory, IncomingImage
from maskstudio.formats.sources import is_data_set, open_source
from maskstudio.progress import TaskContext
from support.coco_raw import GOOD, HEIGHT, IMAGE, RING, WIDTH, coco, content_of, entry

MASK = np.zeros((HEIGHT, WIDTH), bool)
MASK[3:9, 4:12] = True
MASK[5:7, 6:8] = False
MASK[15:17, 20] = True
SILENT = TaskContext()


def packed(mask):
    rle = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": rle["size"], "counts": rle["counts"].decode("ascii")}


def unpacked_runs(mask):
    flat = mask.ravel(order="F").astype(int)
    runs = np.diff(np.concatenate([[0], np.flatnonzero(np.diff(flat)) + 1, [flat.size]])).tolist()
    return {"size": list(mask.shape), "counts": [0, *runs] if flat[0] else runs}


def only(source):
    found = content_of(source)
    assert (found.left_out, found.mended) == ((), ())
    (annotation,) = found.annotations
    return annotation


def test_a_polygon_is_kept_to_the_last_bit(opened):
    square = [20, 2, 25, 2, 25, 7]
    annotation = only(opened(coco(entry(segmentation=[RING, square]))))
    expected = Segmentation.from_rings(np.reshape(RING, (-1, 2)), np.reshape(square, (-1, 2)))
    assert annotation.segmentation == expected
    assert (annotation.score, annotation.iscrowd, annotation.box) == (None, False, None)


def test_a_ring_that_repeats_its_first_point_is_open_afterwards(opened):
    annotation = only(opened(coco(entry(segmentation=[[*RING, *RING[:2]]]))))
    assert annotation.segmentation == Segmentation.from_rings(np.reshape(RING, (-1, 2)))


def test_a_keyhole_ring_is_a_hole_again(opened):
    outer, hole = [2, 2, 18, 2, 18, 18, 2, 18], [6, 6, 6, 12, 12, 12, 12, 6]
    ring = [*outer[:2], *hole, *hole[:2], *outer[:2], *outer[2:]]
    segmentation = only(opened(coco(entry(segmentation=[ring])))).segmentation
    (part,) = segmentation.parts
    assert segmentation.area == 16 * 16 - 6 * 6
    assert len(part.holes) == 1


@pytest.mark.parametrize("form", [packed, unpacked_runs])
def test_run_lengths_become_the_outline_of_their_pixels(opened, form):
    annotation = only(opened(coco(entry(segmentation=form(MASK), iscrowd=1))))
    assert annotation.iscrowd
    assert len(annotation.segmentation.parts) == 2
    assert np.array_equal(decode(rasterize(annotation.segmentation, HEIGHT, WIDTH)), MASK)


def test_a_box_without_an_outline_stays_a_box(opened):
    source = opened(coco(entry(bbox=[1.5, 2, 4, 5])))
    annotation = only(source)
    assert (annotation.segmentation, annotation.box) == (None, (1.5, 2, 5.5, 7))
    assert source.notes == ("Annotations that are boxes without an outline: 1.",)


def test_what_may_be_missing_is_not_missed(opened):
    images = (
        {"id": 0, "file_name": "sub\\a.png"},
        {"id": 10**15, "file_name": "../b.png", "height": 5, "width": 6, "license": None},
    )
    categories = (
        {"id": 900, "name": "Zelle", "supercategory": None},
        {"id": 0, "name": "細胞", "supercategory": "x"},
    )
    source = opened(
        coco(
            {"id": 0, "image_id": 0, "category_id": 0, "segmentation": [RING], "area": None},
            {"image_id": 0, "category_id": 900, "bbox": [0, 0, 2, 2], "segmentation": []},
            images=images,
            categories=categories,
        )
    )
    assert source.images == (
        IncomingImage("sub\\a.png", annotations=2),
        IncomingImage("../b.png", 5, 6),
    )
    assert source.categories == (
        IncomingCategory("Zelle", count=1),
        IncomingCategory("細胞", "x", count=1),
    )
    assert [one.category for one in content_of(source).annotations] == [1, 0]
    assert content_of(source, 1).annotations == ()


def test_annotations_keep_their_order_and_their_image_wherever_they_stand(opened):
    images = [{"id": n, "file_name": f"{n}.png", "height": 50, "width": 50} for n in (5, 1, 3)]
    order = [3, 5, 3, 1, 5, 3]
    boxes = [
        {"image_id": image, "category_id": 3, "bbox": [place, 0, 1, 1]}
        for place, image in enumerate(order)
    ]
    source = opened(coco(*boxes, images=images))
    lefts = [[one.box[0] for one in content_of(source, n).annotations] for n in range(3)]
    assert lefts == [[1, 4], [3], [0, 2, 5]]
    assert [image.annotations for image in source.images] == [2, 1, 3]


def test_what_we_write_comes_back_as_it_was(write_file, small_dataset):
    # The outlines are those of the file: the sliver, of no pixel, is not in it.
    source = open_source(write_file(small_dataset), SILENT)
    assert [image.name for image in source.images] == ["füße/a 1.png", "b.png", "empty.png"]
    first, second = (content_of(source, number).annotations for number in range(2))
    holed, slanted, in_two = first
    before = small_dataset.annotations
    assert holed.segmentation.geometry.equals(before[4][0].segmentation.geometry)
    assert (holed.score, slanted.score, in_two.score) == (0.75, None, None)
    assert [a.segmentation for a in (slanted, in_two)] == [a.segmentation for a in before[4][1:]]
    square, box = second
    assert (box.segmentation, box.box, box.attributes) == (None, (1.25, 2, 8.5, 9), ())
    assert [source.categories[one.category].name for one in (*first, *second)] == [
        *("Zelle", "細胞", "細胞"),
        *("Zelle", "細胞"),
    ]
    assert square.segmentation == before[5][0].segmentation


def test_attributes_and_notes_come_along(opened, write_file):
    said = (("farbe", "grün"), ("occluded", ""))
    outline = Segmentation.from_rings([(1, 1), (9, 1), (9, 9)])
    told = Annotation(1, 1, outline, attributes=said, note="zweite Reihe")
    image = ImageRecord(1, "a.png", HEIGHT, WIDTH)
    path = write_file(Dataset((Category(1, "cell"),), (image,), {1: (told,)}))
    annotation = only(open_source(path, SILENT))
    assert (annotation.attributes, annotation.note) == (said, "zweite Reihe")
    annotation = only(opened(coco(entry(segmentation=[RING], attributes={"n": 1, "l": [True]}))))
    assert annotation.attributes == (("l", "[true]"), ("n", "1"))


def test_a_mark_of_the_byte_order_and_a_key_with_quotes_are_understood(opened):
    raw = json.dumps(coco(GOOD, **{'a "b\\': {"images": 1, "images ": 2}}))
    assert len(content_of(opened(b"\xef\xbb\xbf" + raw.encode())).annotations) == 1


def test_results_refer_to_a_file_beside_them(opened, tmp_path):
    listed = tmp_path / "listed.json"
    images = [IMAGE, {"id": 8, "file_name": "b.png", "height": 5, "width": 5}]
    listed.write_text(json.dumps(coco(entry(bbox=[0, 0, 1, 1]), images=images)))
    results = [entry(segmentation=packed(MASK), score=0.5), entry(bbox=[1, 1, 2, 2], score=1)]
    source = opened(results, listed)
    assert [image.annotations for image in source.images] == [2, 0]
    assert [one.score for one in content_of(source).annotations] == [0.5, 1]
    assert source.categories == (IncomingCategory("cell", count=2),)
    with pytest.raises(UserError, match=r"set.json: \[0\] has image 9, which is not listed"):
        opened([entry(score=0.5) | {"image_id": 9}], listed)


def test_results_alone_are_of_the_images_of_the_project(opened):
    source = opened([entry(segmentation=packed(MASK), score=0.5)])
    assert [(image.project_id, image.annotations) for image in source.images] == [(7, 1)]
    assert [(one.project_id, one.count) for one in source.categories] == [(3, 1)]
    (annotation,) = source.content(0, HEIGHT, WIDTH).annotations
    assert np.array_equal(decode(rasterize(annotation.segmentation, HEIGHT, WIDTH)), MASK)
    (sentence,) = source.content(0, 5, 5).left_out
    assert sentence.startswith("set.json: [0] has a mask of 20 by 30")


def test_a_file_beside_is_only_for_results(opened, tmp_path):
    listed = tmp_path / "listed.json"
    listed.write_text("[]")
    with pytest.raises(UserError, match=r"listed\.json lists no images"):
        opened([], listed)
    with pytest.raises(UserError, match="needs no other file"):
        opened(coco(), listed)


def test_opening_stops_when_it_is_told_to(tmp_path):
    class Stopped(TaskContext):
        def raise_if_cancelled(self) -> None:
            raise CancelledError

    path = tmp_path / "set.json"
    path.write_text(json.dumps(coco(GOOD)))
    with pytest.raises(CancelledError):
        open_source(path, Stopped())


def test_what_is_no_data_set_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("[]")
    (tmp_path / "settings.json").write_text('{"window": 3}')
    assert not is_data_set(tmp_path / "notes.txt")
    assert not is_data_set(tmp_path / "settings.json")
    for name, words in (
        ("notes.txt", "is no data set that is known"),
        ("settings.json", "no list 'images'"),
        ("missing.json", "does not exist"),
    ):
        with pytest.raises(UserError, match=words):
            open_source(tmp_path / name, SILENT)


@pytest.mark.parametrize("raw", [coco(GOOD), [GOOD | {"score": 0.5}], {"info": {}} | coco()])
def test_a_coco_file_is_known_by_its_beginning(tmp_path: Path, raw):
    path = tmp_path / "set.json"
    path.write_text(json.dumps(raw))
    assert is_data_set(path)


def write_parts(folder, **parts):
    (folder / "annotations").mkdir(parents=True)
    for name, raw in parts.items():
        (folder / "annotations" / f"{name}.json").write_text(json.dumps(raw))
    return folder


def test_the_parts_of_a_split_come_in_as_one(tmp_path):
    other = {"id": 1, "file_name": "b.png", "height": 5, "width": 6}
    folder = write_parts(
        tmp_path,
        train=coco(GOOD, categories=[{"id": 3, "name": "cell"}, {"id": 4, "name": "dog"}]),
        val=coco(
            {"image_id": 1, "category_id": 9, "bbox": [1, 1, 2, 2]},
            {"image_id": 1, "category_id": 8, "bbox": [1, 1, 9, 2]},
            images=[other],
            categories=[{"id": 9, "name": "dog"}, {"id": 8, "name": "cat"}],
        ),
        results=[GOOD],
        panoptic={"images": [IMAGE], "annotations": [{"segments_info": []}]},
    )
    assert is_data_set(folder)
    source = open_source(folder, SILENT)
    assert [(image.name, image.annotations) for image in source.images] == [
        ("a.png", 1),
        ("b.png", 2),
    ]
    counts = [(one.name, one.count) for one in source.categories]
    assert counts == [("cell", 1), ("dog", 1), ("cat", 1)]
    found = [content_of(source, number) for number in range(2)]
    assert [[one.category for one in each.annotations] for each in found] == [[0], [1, 2]]
    assert found[1].mended[0].startswith("val.json: annotations[1] ")


def test_parts_that_list_the_same_image_are_refused(tmp_path):
    folder = write_parts(tmp_path, a=coco(GOOD), b=coco())
    with pytest.raises(UserError, match=r"b\.json and .*a\.json both list the image a\.png"):
        open_source(folder, SILENT)


def test_of_cocos_own_folder_the_instances_are_taken(tmp_path):
    folder = write_parts(tmp_path, instances_val=coco(GOOD), person_keypoints_val=coco())
    assert [image.annotations for image in open_source(folder, SILENT).images] == [1]
    assert is_data_set(folder / "annotations")


def test_a_folder_of_images_beside_a_coco_file_is_a_folder_of_images(tmp_path):
    (tmp_path / "set.json").write_text(json.dumps(coco(GOOD)))
    assert is_data_set(tmp_path)
    (tmp_path / "a.PNG").write_bytes(b"")
    assert not is_data_set(tmp_path)
