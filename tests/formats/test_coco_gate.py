"""The gate lets a true file through and names whatever is wrong with a broken one."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from maskstudio.annotation.annotation import Annotation, Category, Dataset, ImageRecord
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.errors import CancelledError
from maskstudio.formats.coco import write_coco
from maskstudio.formats.gate import GateReport, check_coco
from maskstudio.formats.gate_piece import MIN_IOU
from maskstudio.formats.options import SegmentationStyle
from maskstudio.progress import TaskContext

WriteFile = Callable[[Dataset], Path]
Raw = dict


def by_id(raw: Raw, annotation_id: int) -> dict:
    (found,) = (a for a in raw["annotations"] if a["id"] == annotation_id)
    return found


def drop(raw: Raw, key: str, entry_id: int) -> None:
    raw[key] = [entry for entry in raw[key] if entry["id"] != entry_id]


def change(annotation_id: int, **values: object) -> Callable[[Raw], None]:
    return lambda raw: by_id(raw, annotation_id).update(values)


def forget(annotation_id: int, key: str) -> Callable[[Raw], None]:
    return lambda raw: by_id(raw, annotation_id).pop(key)


def shift_small_square(raw: Raw) -> None:
    square = by_id(raw, 12)
    square["segmentation"] = [[n + 0.5 for n in square["segmentation"][0]]]
    square["bbox"] = [11.0, 11.0, 6.0, 6.0]


def lose_hole(raw: Raw) -> None:
    holed = by_id(raw, 1)
    holed["segmentation"] = [[2, 2, 22, 2, 22, 22, 2, 22]]
    holed["area"] = 400.0


def hole_as_a_ring_of_its_own(raw: Raw) -> None:
    by_id(raw, 1)["segmentation"] = [[2, 2, 22, 2, 22, 22, 2, 22], [8, 8, 16, 8, 16, 16, 8, 16]]


def lose_a_part(raw: Raw) -> None:
    in_two = by_id(raw, 11)
    del in_two["segmentation"][1]
    in_two.update(area=32.0, bbox=[1.0, 25.0, 8.0, 4.0])


def id_zero(raw: Raw) -> None:
    by_id(raw, 2)["id"] = 0


def id_twice(raw: Raw) -> None:
    by_id(raw, 2)["id"] = 1


DAMAGES = {
    "id 0": (id_zero, "Annotation id 0 is not a whole number from 1."),
    "id 0 lowers the AP": (id_zero, "Evaluated against itself the file reaches AP 0."),
    "id twice": (id_twice, "Annotation id 1 is used 2 times."),
    "id is text": (change(2, id="2"), "Annotation id '2' is not a whole number from 1."),
    "lost hole": (lose_hole, "füße/a 1.png: annotation 1 is not the mask on screen (IoU 0.840)."),
    "hole as a ring": (hole_as_a_ring_of_its_own, "annotation 1 is not the mask on screen"),
    "lost part": (lose_a_part, "annotation 11 is not the mask on screen (IoU 0.666)."),
    "half a pixel off": (shift_small_square, "b.png: annotation 12 is not the mask on screen"),
    "annotation missing": (
        lambda raw: drop(raw, "annotations", 12),
        "Annotation 12, on image b.png with category 2, is missing.",
    ),
    "annotation too many": (
        lambda raw: raw["annotations"].append({**by_id(raw, 12), "id": 99}),
        "Annotation 99, on image b.png with category 2, is not in the data set.",
    ),
    "on another image": (
        change(12, image_id=4),
        "Annotation 12 is on image füße/a 1.png with category 2, not on image b.png with",
    ),
    "of another category": (change(12, category_id=7), "Annotation 12 is on image b.png with"),
    "wrong area": (change(1, area=335.0), "annotation 1 has the area 335.0, but covers 336 pixels"),
    "area of the box": (change(1, area=400.0), "annotation 1 has the area 400.0"),
    "bbox off by one": (
        change(1, bbox=[2.0, 2.0, 21.0, 21.0]),
        "annotation 1 has the bbox [2.0, 2.0, 21.0, 21.0], but its mask has [2.0, 2.0, 20.0, 20.0]",
    ),
    "bbox is xyxy": (change(1, bbox=[2.0, 2.0, 22.0, 22.0]), "annotation 1 has the bbox"),
    "bbox too short": (change(1, bbox=[2.0, 2.0, 20.0]), "annotation 1 has the bbox [2.0, 2.0, 20"),
    "no bbox": (forget(1, "bbox"), "annotation 1 has the bbox None"),
    "no area": (forget(1, "area"), "annotation 1 has the area None"),
    "area not a number": (change(1, area=float("nan")), "annotation 1 has the area nan"),
    "iscrowd is false": (change(2, iscrowd=False), "annotation 2 has iscrowd False, not 0 or 1."),
    "iscrowd is 2": (change(2, iscrowd=2), "annotation 2 has iscrowd 2, not 0 or 1."),
    "a crowd of rings": (change(2, iscrowd=1), "annotation 2 is a crowd without the run lengths"),
    "a crowd of another size": (
        change(2, iscrowd=1, segmentation={"size": [40, 30], "counts": [1200]}),
        "annotation 2 is a crowd without the run lengths of a mask of its image's size.",
    ),
    "a crowd of too few runs": (
        change(2, iscrowd=1, segmentation={"size": [30, 40], "counts": [1000, 100]}),
        "annotation 2 is a crowd without the run lengths of a mask of its image's size.",
    ),
    "a crowd that should be none": (
        change(2, iscrowd=1, segmentation={"size": [30, 40], "counts": [100, 1100]}),
        "annotation 2 has the iscrowd 1, not 0.",
    ),
    "attributes nobody gave": (
        change(2, attributes={"colour": "red"}),
        "annotation 2 has the attributes {'colour': 'red'}, not {}.",
    ),
    "a note nobody wrote": (change(2, note="look"), "annotation 2 has the note 'look', not ''."),
    "no iscrowd": (forget(2, "iscrowd"), "annotation 2 has iscrowd None, not 0 or 1."),
    "ignore": (change(2, ignore=0), "annotation 2 has the key 'ignore'"),
    "no segmentation": (forget(2, "segmentation"), "annotation 2 has no list of rings."),
    "empty segmentation": (change(2, segmentation=[]), "annotation 2 has no list of rings."),
    "ring of two points": (change(2, segmentation=[[1, 2, 3, 4]]), "annotation 2 has a ring that"),
    "odd ring": (change(2, segmentation=[[1, 2, 3, 4, 5, 6, 7]]), "annotation 2 has a ring that"),
    "ring far away": (change(2, segmentation=[[1, 2, 3, 4, 5, 1e300]]), "annotation 2 has a ring"),
    "ring with NaN": (
        change(2, segmentation=[[1, 2, 3, 4, 5, float("nan")]]),
        "annotation 2 has a ring that",
    ),
    "category missing": (
        lambda raw: drop(raw, "categories", 1),
        "Category 1, '細胞' in '', is missing.",
    ),
    "category missing, annotations dangle": (
        lambda raw: drop(raw, "categories", 1),
        "annotation 2 refers to category 1, which is not listed.",
    ),
    "unused category missing": (
        lambda raw: drop(raw, "categories", 7),
        "Category 7, 'unused' in '', is missing.",
    ),
    "category renamed": (
        lambda raw: raw["categories"][0].update(name="Zell"),
        "Category 2 is 'Zell' in 'Gewebe', not 'Zelle' in 'Gewebe'.",
    ),
    "image missing": (
        lambda raw: drop(raw, "images", 5),
        "Image 5, b.png (30 x 20), is missing.",
    ),
    "image missing, annotations dangle": (
        lambda raw: drop(raw, "images", 5),
        "annotation 12 refers to image 5, which is not listed.",
    ),
    "empty image missing": (
        lambda raw: drop(raw, "images", 9),
        "Image 9, empty.png (8 x 6), is missing.",
    ),
    "size turned": (
        lambda raw: raw["images"][1].update(width=20, height=30),
        "Image 5 is b.png (20 x 30), not b.png (30 x 20).",
    ),
    "no size": (
        lambda raw: raw["images"][1].pop("height"),
        "Image 5 is b.png (30 x None), not b.png (30 x 20).",
    ),
    "folder lost": (
        lambda raw: raw["images"][0].update(file_name="a 1.png"),
        "Image 4 is a 1.png (40 x 30), not füße/a 1.png (40 x 30).",
    ),
    "image twice": (
        lambda raw: raw["images"].append(raw["images"][0]),
        "Image id 4 is used 2 times.",
    ),
    "no info": (lambda raw: raw.pop("info"), "The file has no 'info'."),
    "no annotations": (lambda raw: raw.pop("annotations"), "The file has no 'annotations'."),
    "no image id": (forget(2, "image_id"), "pycocotools cannot read written.json (KeyError"),
}


def test_true_file_passes(small_dataset: Dataset, write_file: WriteFile) -> None:
    report = check_coco(write_file(small_dataset), small_dataset)
    assert report == GateReport(
        images=3,
        annotations=5,
        categories=3,
        min_iou=1.0,
        mean_iou=1.0,
        ap=pytest.approx(1.0),
        left_out=("b.png: annotation 14 covers no pixel and was left out.",),
        boxes_only=1,
    )
    assert report.ok


@pytest.mark.parametrize(("damage", "sentence"), DAMAGES.values(), ids=DAMAGES)
def test_damage_is_named(
    small_dataset: Dataset,
    write_file: WriteFile,
    damage: Callable[[Raw], object],
    sentence: str,
) -> None:
    path = write_file(small_dataset)
    raw = json.loads(path.read_bytes())
    damage(raw)
    path.write_text(json.dumps(raw), encoding="ascii")
    report = check_coco(path, small_dataset)
    assert not report.ok
    assert any(sentence in problem for problem in report.problems), report.problems
    assert any(sentence in said for said in report.sentences())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"images": 3}', '{"images": [3]}', "ü"])
def test_what_is_no_coco_file_is_one_problem(
    small_dataset: Dataset, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "half.json"
    path.write_text(text, encoding="utf-8")
    report = check_coco(path, small_dataset)
    (problem,) = report.problems
    assert problem.startswith("pycocotools cannot read half.json")


def test_missing_file_is_one_problem(small_dataset: Dataset, tmp_path: Path) -> None:
    assert len(check_coco(tmp_path / "gone.json", small_dataset).problems) == 1


def test_file_cut_short_does_not_pass(small_dataset: Dataset, write_file: WriteFile) -> None:
    path = write_file(small_dataset)
    path.write_bytes(path.read_bytes()[:-20])
    assert not check_coco(path, small_dataset).ok


def test_file_without_annotations_passes_without_an_ap(write_file: WriteFile) -> None:
    dataset = Dataset((Category(1, "c"),), (ImageRecord(1, "a.png", 6, 8),))
    report = check_coco(write_file(dataset), dataset)
    assert report.ok
    assert (report.ap, report.min_iou, report.mean_iou) == (None, None, None)
    assert report.sentences() == (
        "1 image, 0 annotations, 1 category.",
        "Without annotations there is nothing to evaluate.",
    )


def test_self_ap_is_one_with_hundreds_of_annotations_on_an_image(write_file: WriteFile) -> None:
    rng = np.random.default_rng(0)
    corners = np.array([(0, 0), (12, 1), (11, 13), (2, 9)])
    places = rng.uniform(0, 380, (300, 2))
    crowd = tuple(
        Annotation(n + 1, n % 2 + 1, Segmentation.from_rings(corners + place))
        for n, place in enumerate(places)
    )
    twins = (crowd[0].segmentation, crowd[0].segmentation)
    alike = tuple(Annotation(301 + n, 1, twin) for n, twin in enumerate(twins))
    dataset = Dataset(
        (Category(1, "even"), Category(2, "odd")),
        (ImageRecord(1, "crowd.png", 400, 400),),
        {1: (*crowd, *alike)},
    )
    report = check_coco(write_file(dataset), dataset)
    assert report.ap == pytest.approx(1.0)
    assert report.ok
    assert report.annotations == 302


def test_report_reads_as_sentences() -> None:
    report = GateReport(
        images=412,
        annotations=9831,
        categories=3,
        min_iou=0.99951,
        mean_iou=1.0,
        ap=0.9999999999999998,
        left_out=("a.png: annotation 4 covers no pixel and was left out.",),
        boxes_only=2,
    )
    assert report.sentences() == (
        "412 images, 9,831 annotations, 3 categories.",
        "Read back with pycocotools: every mask is the one on screen (IoU at least 0.999).",
        "Evaluated against itself: AP 1.000.",
        "2 annotations without an outline stand in the file as rectangles.",
        "a.png: annotation 4 covers no pixel and was left out.",
    )


def test_long_lists_of_problems_are_cut_in_the_sentences() -> None:
    report = GateReport(min_iou=0.5, problems=tuple(f"Problem {n}." for n in range(1234)))
    assert report.sentences()[1].startswith("Read back with pycocotools: not every mask")
    assert report.sentences()[-2:] == ("Problem 9.", "... and 1,224 more.")


def test_pycocotools_is_silenced(
    small_dataset: Dataset, write_file: WriteFile, capsys: pytest.CaptureFixture[str]
) -> None:
    check_coco(write_file(small_dataset), small_dataset)
    assert capsys.readouterr() == ("", "")


class Cancelled(TaskContext):
    def raise_if_cancelled(self) -> None:
        raise CancelledError


def test_cancel_is_heard(small_dataset: Dataset, write_file: WriteFile) -> None:
    path = write_file(small_dataset)
    with pytest.raises(CancelledError):
        check_coco(path, small_dataset, context=Cancelled())


def test_gate_finds_what_changed_after_writing(small_dataset: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    file = io.BytesIO()
    write_coco(small_dataset, file)
    path.write_bytes(file.getvalue())
    moved = small_dataset.annotations[5][0].segmentation.translated(2, 0)
    changed = Dataset(
        small_dataset.categories,
        small_dataset.images,
        {**small_dataset.annotations, 5: (Annotation(12, 2, moved),)},
    )
    problems = check_coco(path, changed).problems
    assert "b.png: annotation 12 is not the mask on screen (IoU 0.500)." in problems
    assert "Annotation 13, on image b.png with category 1, is not in the data set." in problems


def spread_out() -> Dataset:
    """Return a data set of more than one piece, some of it hard to export."""
    square = Segmentation.from_rings([(10, 10), (26, 10), (26, 24)])
    sliver = Segmentation.from_rings([(5.1, 1), (5.3, 1), (5.3, 11)])
    numbers = range(1, 2101)
    annotations = {
        n: (Annotation(n, n % 3 + 1, sliver if n % 1000 == 7 else square, iscrowd=n % 500 == 3),)
        for n in numbers
    }
    records = tuple(ImageRecord(n, f"{n}.png", 32 + n % 3, 40) for n in numbers)
    return Dataset((Category(1, "a"), Category(2, "b"), Category(3, "c")), records, annotations)


def test_many_images_are_written_and_compared_in_pieces(write_file: WriteFile) -> None:
    dataset = spread_out()
    path = write_file(dataset)
    report = check_coco(path, dataset)
    assert report == GateReport(
        images=2100,
        annotations=2097,
        categories=3,
        min_iou=1.0,
        mean_iou=1.0,
        ap=pytest.approx(1.0),
        left_out=tuple(
            f"{n}.png: annotation {n} covers no pixel and was left out." for n in (7, 1007, 2007)
        ),
        crowds=5,
    )
    # All in one line it is read in another way, and the same is found.
    path.write_text(json.dumps(json.loads(path.read_bytes())), encoding="ascii")
    assert check_coco(path, dataset) == report


def test_what_went_from_one_piece_to_another_is_named(write_file: WriteFile) -> None:
    dataset = spread_out()
    path = write_file(dataset)
    text = path.read_text(encoding="ascii")
    text = text.replace('{"id":12,"image_id":12,', '{"id":12,"image_id":2012,')
    text = text.replace('{"id":2050,"image_id":', '{"id":30,"image_id":')
    path.write_text(text, encoding="ascii")
    report = check_coco(path, dataset)
    assert report.problems == (
        "Annotation id 30 is used 2 times.",
        "Annotation 12 is on image 2012.png with category 1, not on image 12.png with category 1.",
        "Annotation 2050, on image 2050.png with category 2, is missing.",
    )
    assert report.ap is None


def test_exact_masks_are_held_to_the_pixel(small_dataset: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "exact.json"
    with path.open("wb") as file:
        write_coco(small_dataset, file, SegmentationStyle.RLE)
    assert check_coco(path, small_dataset, SegmentationStyle.RLE).min_iou == 1.0
    raw = json.loads(path.read_bytes())
    counts = by_id(raw, 1)["segmentation"]["counts"]
    counts[1], counts[2] = counts[1] - 1, counts[2] + 1
    path.write_text(json.dumps(raw), encoding="ascii")
    report = check_coco(path, small_dataset, SegmentationStyle.RLE)
    assert report.min_iou > MIN_IOU
    assert "füße/a 1.png: annotation 1 is not the mask on screen (IoU 0.997)." in report.problems


def test_masks_are_what_was_asked_for(small_dataset: Dataset, write_file: WriteFile) -> None:
    report = check_coco(write_file(small_dataset), small_dataset, SegmentationStyle.RLE)
    assert (
        "füße/a 1.png: annotation 1 has not the run lengths of a mask of its image's size."
        in report.problems
    )
