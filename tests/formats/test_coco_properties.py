"""Crowds, attributes, notes and the stack leave the program and come back as they were."""

import json
from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from maskstudio.annotation.annotation import Annotation, Category, Dataset, ImageRecord
from maskstudio.annotation.many_runs import runs_of
from maskstudio.annotation.masks import mask_iou, place, rasterize
from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from maskstudio.formats.coco_reader import read_coco, segmentation_to_rle
from maskstudio.formats.gate import check_coco

HEIGHT, WIDTH = 30, 40
HOLED = Segmentation(
    (
        Part(
            as_ring([(2, 2), (22, 2), (22, 22), (2, 22)]),
            (as_ring([(8.3, 8), (16, 8), (16, 16)]),),
        ),
    )
)
SQUARE = Segmentation.from_rings([(10, 10), (16, 10), (16, 16), (10, 16)])
SAID = (("farbe", "grün"), ("occluded", ""))


def one_image(*annotations):
    image = ImageRecord(4, "a.png", HEIGHT, WIDTH)
    return Dataset((Category(1, "cell"),), (image,), {4: annotations})


def only_entry(path):
    (entry,) = json.loads(path.read_text(encoding="ascii"))["annotations"]
    return entry


def test_a_crowd_is_written_as_run_lengths(write_file):
    crowd = Annotation(3, 1, HOLED, iscrowd=True)
    dataset = one_image(crowd)
    path = write_file(dataset)
    entry = only_entry(path)
    assert entry["iscrowd"] == 1
    assert entry["segmentation"]["size"] == [HEIGHT, WIDTH]
    assert {type(run) for run in entry["segmentation"]["counts"]} == {int}
    expected = rasterize(HOLED, HEIGHT, WIDTH)
    coco = COCO(str(path))
    assert mask_iou(coco.annToRLE(coco.anns[3]), expected) == 1.0
    assert entry["area"] == coco_mask.area(expected)
    assert entry["bbox"] == coco_mask.toBbox(expected).tolist()


def test_the_gate_lets_crowds_through_and_counts_them(write_file):
    others = [Annotation(n, 1, SQUARE.translated(n, 0)) for n in (1, 2)]
    # Over one of the others, so that as a detection it would take what that one is to find.
    dataset = one_image(replace(others[0], id=5, iscrowd=True), *others)
    report = check_coco(write_file(dataset), dataset)
    assert report.problems == ()
    assert (report.annotations, report.crowds, report.min_iou, report.ap) == (3, 1, 1.0, 1.0)
    assert "1 crowd: evaluation and training pass over them." in report.sentences()


def test_there_is_nothing_to_evaluate_where_all_are_crowds(write_file):
    dataset = one_image(Annotation(3, 1, HOLED, iscrowd=True))
    report = check_coco(write_file(dataset), dataset)
    assert (report.problems, report.ap, report.min_iou) == ((), None, 1.0)


def test_the_gate_finds_a_crowd_that_is_a_pixel_off(write_file):
    dataset = one_image(Annotation(3, 1, SQUARE, iscrowd=True))
    path = write_file(dataset)
    raw = json.loads(path.read_text(encoding="ascii"))
    counts = raw["annotations"][0]["segmentation"]["counts"]
    counts[0], counts[-1] = counts[0] - 1, counts[-1] + 1
    path.write_text(json.dumps(raw), encoding="ascii")
    problems = check_coco(path, dataset).problems
    assert any("annotation 3 is not the mask on screen" in problem for problem in problems)


def test_a_crowd_of_a_box_alone(write_file):
    dataset = one_image(Annotation(3, 1, None, (2, 3, 8, 9), iscrowd=True))
    path = write_file(dataset)
    assert only_entry(path)["attributes"] == {"box_only": True}
    assert check_coco(path, dataset).ok


def test_attributes_and_note_are_written_and_read_back(write_file):
    dataset = one_image(Annotation(3, 1, SQUARE, attributes=SAID, note="schräg ☂"))
    path = write_file(dataset)
    entry = only_entry(path)
    assert entry["attributes"] == dict(SAID)
    assert entry["note"] == "schräg ☂"
    assert check_coco(path, dataset).ok
    ((read,),) = read_coco(path).annotations.values()
    assert (read.attributes, read.note, read.iscrowd) == (SAID, "schräg ☂", False)


def test_a_crowd_is_read_back(write_file):
    path = write_file(one_image(Annotation(3, 1, HOLED, iscrowd=True)))
    ((read,),) = read_coco(path).annotations.values()
    assert read.iscrowd
    rle = segmentation_to_rle(read.segmentation, HEIGHT, WIDTH)
    assert mask_iou(rle, rasterize(HOLED, HEIGHT, WIDTH)) == 1.0


def test_nothing_is_written_where_nothing_was_said(write_file):
    entry = only_entry(write_file(one_image(Annotation(3, 1, SQUARE))))
    assert "attributes" not in entry
    assert "note" not in entry


def test_hidden_and_locked_ones_are_exported_all_the_same(write_file):
    plain = Annotation(3, 1, SQUARE)
    shown = write_file(one_image(plain)).read_bytes()
    aside = replace(plain, hidden=True, locked=True, z=7)
    assert write_file(one_image(aside)).read_bytes() == shown


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"a": True, "b": 2.5, "c": None}, (("a", "true"), ("b", "2.5"), ("c", "null"))),
        (None, ()),
    ],
)
def test_attributes_of_other_programs_are_read_as_text(tmp_path, attributes, expected):
    entry = {"id": 1, "image_id": 1, "category_id": 1, "attributes": attributes, "note": None}
    raw = {
        "images": [{"id": 1, "file_name": "a.png", "height": 4, "width": 4}],
        "annotations": [entry],
        "categories": [{"id": 1, "name": "cell"}],
    }
    path = tmp_path / "other.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    ((read,),) = read_coco(path).annotations.values()
    assert (read.attributes, read.note) == (expected, "")


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(1, 9))
def test_run_lengths_are_those_of_the_mask(runs, height):
    column = np.repeat(np.arange(len(runs)) % 2, runs).astype(bool)
    width = max(1, -(-len(column) // height))
    mask = np.zeros(height * width, bool)
    mask[: len(column)] = column
    grid = mask.reshape(width, height).T
    (lengths,) = runs_of([place(grid, 0, 0, height, width)])
    assert sum(lengths) == height * width
    inside = np.repeat(np.arange(len(lengths)) % 2, lengths).astype(bool)
    assert np.array_equal(inside, mask)


def test_long_runs_are_unpacked_too():
    counts = [70_000, 3, 1_000_000, 40, 9, 100_000]
    rle = coco_mask.frPyObjects({"size": [1, sum(counts)], "counts": counts}, 1, sum(counts))
    assert runs_of([rle]) == [counts]
