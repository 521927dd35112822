"""COCO panoptic: every pixel has the id of what is in front of it, and the JSON tells of each."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskstudio.annotation.annotation import Annotation, Category, Dataset, ImageRecord, ImageState
from maskstudio.annotation.masks import decode, rasterize
from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from maskstudio.errors import CancelledError, UserError
from maskstudio.formats.coco_writing import exported_outline
from maskstudio.formats.options import ExportFormat, ExportOptions, ExportPart
from maskstudio.formats.panoptic import HIGHEST_ID, write_panoptic
from maskstudio.formats.panoptic_proof import prove_panoptic
from maskstudio.formats.reading_back import Proof
from maskstudio.formats.written import Written
from maskstudio.progress import TaskContext

SILENT = TaskContext()
OPTIONS = ExportOptions(ExportFormat.PANOPTIC, (ImageState.EDITED,))


def box(x0: float, y0: float, x1: float, y1: float) -> Segmentation:
    return Segmentation.from_rings([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])


def one_image(*annotations: Annotation) -> Dataset:
    categories = (Category(1, "細胞", colour="#102030"), Category(5, "Kern", "Zelle"))
    return Dataset(categories, (ImageRecord(3, "a.jpg", 40, 60),), {3: annotations})


def written(folder: Path, *parts: ExportPart) -> tuple[Written, Proof]:
    report = write_panoptic(parts, folder, OPTIONS, SILENT)
    return report, prove_panoptic(parts, folder, OPTIONS, report, SILENT)


def read(folder: Path, part: str = "panoptic") -> dict:
    return json.loads((folder / "annotations" / f"{part}.json").read_bytes())


def read_ids(folder: Path, name: str, part: str = "panoptic") -> np.ndarray:
    with Image.open(folder / "annotations" / part / name) as image:
        assert image.mode == "RGB"
        rgb = np.asarray(image).astype(np.int64)
    return rgb[:, :, 0] + 256 * rgb[:, :, 1] + 256 * 256 * rgb[:, :, 2]


def test_every_pixel_is_of_what_is_in_front(small_dataset: Dataset, tmp_path: Path) -> None:
    report, proof = written(tmp_path, ExportPart("", small_dataset))
    assert proof.problems == ()
    assert report.annotations == 5
    for image in small_dataset.images:
        expected = np.zeros((image.height, image.width), np.int64)
        for annotation in small_dataset.annotations.get(image.id, ()):
            outline = exported_outline(annotation)
            expected[decode(rasterize(outline, image.height, image.width))] = annotation.id
        name = image.path.replace(".png", "") + ".png"
        np.testing.assert_array_equal(read_ids(tmp_path, name), expected)


def test_segments_are_listed_with_what_can_be_seen_of_them(tmp_path: Path) -> None:
    holed = Segmentation(
        (
            Part(
                as_ring([(2, 2), (22, 2), (22, 22), (2, 22)]),
                (as_ring([(8, 8), (16, 8), (16, 16), (8, 16)]),),
            ),
        )
    )
    dataset = one_image(
        Annotation(70_000, 5, box(10, 10, 14, 14)),  # in the hole, behind it
        Annotation(9, 1, holed),
        Annotation(10, 5, box(0, 0, 5, 40), iscrowd=True),
        Annotation(4, 1, box(30, 10, 34, 14)),
        Annotation(5, 1, box(29, 9, 35, 15)),  # hides all of 4
        Annotation(6, 1, box(50.1, 1, 50.3, 9)),  # covers no pixel
    )
    report, proof = written(tmp_path, ExportPart("", dataset))
    whole = read(tmp_path)
    assert whole["annotations"] == [
        {
            "image_id": 3,
            "file_name": "a.png",
            "segments_info": [
                {"id": 70_000, "category_id": 5, "area": 16, "bbox": [10, 10, 4, 4], "iscrowd": 0},
                {"id": 9, "category_id": 1, "area": 276, "bbox": [5, 2, 17, 20], "iscrowd": 0},
                {"id": 10, "category_id": 5, "area": 200, "bbox": [0, 0, 5, 40], "iscrowd": 1},
                {"id": 5, "category_id": 1, "area": 36, "bbox": [29, 9, 6, 6], "iscrowd": 0},
            ],
        }
    ]
    assert whole["images"] == [{"id": 3, "width": 60, "height": 40, "file_name": "a.jpg"}]
    named = {"id": 1, "name": "細胞", "supercategory": "", "isthing": 1, "color": [16, 32, 48]}
    assert whole["categories"][0] == named
    assert read_ids(tmp_path, "a.png")[12, 12] == 70_000
    assert report == Written(
        1,
        4,
        (
            "a.jpg: annotation 4 lies wholly behind others and was left out.",
            "a.jpg: annotation 6 covers no pixel and was left out.",
        ),
        ("a.jpg: annotation 9 has lost 60 of its 336 pixels to what lies in front of it.",),
    )
    assert proof.problems == ()
    assert proof.sentences == (
        "1 image, 4 segments.",
        "Read back from the PNG files: every pixel is of what is in front on screen.",
        *report.left_out,
        *report.changed,
    )


def test_ids_that_no_colour_can_say_are_counted_anew(tmp_path: Path) -> None:
    dataset = one_image(
        Annotation(HIGHEST_ID, 1, box(0, 0, 5, 5)), Annotation(HIGHEST_ID + 1, 1, box(9, 9, 12, 12))
    )
    _, proof = written(tmp_path, ExportPart("", dataset))
    assert proof.problems == ()
    assert np.unique(read_ids(tmp_path, "a.png")).tolist() == [0, 1, 2]


def test_parts_have_files_of_their_own_and_the_same_categories(tmp_path: Path) -> None:
    twins = (ImageRecord(1, "x/a.jpg", 10, 10), ImageRecord(2, "x/a.png", 10, 10))
    whole = replace(
        one_image(), images=twins, annotations={2: (Annotation(1, 1, box(0, 0, 5, 5)),)}
    )
    parts = (
        ExportPart("train", replace(whole, images=twins[:1])),
        ExportPart("val", replace(whole, images=twins[1:])),
    )
    _, proof = written(tmp_path, *parts)
    assert proof.problems == ()
    train, val = read(tmp_path, "panoptic_train"), read(tmp_path, "panoptic_val")
    assert train["categories"] == val["categories"]
    assert train["annotations"] == [
        {"image_id": 1, "file_name": "x/a_jpg.png", "segments_info": []}
    ]
    assert val["annotations"][0]["file_name"] == "x/a_png.png"
    assert read_ids(tmp_path, "x/a_png.png", "panoptic_val").sum() == 25


def test_the_same_data_set_gives_the_same_bytes(small_dataset: Dataset, tmp_path: Path) -> None:
    contents = []
    for name in ("one", "two"):
        written(tmp_path / name, ExportPart("", small_dataset))
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        contents.append([path.read_bytes() for path in files])
    assert len(contents[0]) == 4
    assert contents[0] == contents[1]


def another_pixel(folder: Path) -> None:
    path = folder / "annotations/panoptic/b.png"
    with Image.open(path) as image:
        changed = image.copy()
    changed.putpixel((29, 19), (1, 0, 0))
    changed.save(path)


def cut_short(folder: Path) -> None:
    path = folder / "annotations/panoptic/b.png"
    path.write_bytes(path.read_bytes()[:-30])


def replaced(old: str, new: str, folder: Path) -> None:
    path = folder / "annotations/panoptic.json"
    text = path.read_text(encoding="ascii")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="ascii")


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (another_pixel, "b.png has a mask that is not what is on screen."),
        (cut_short, "b.png has a mask that"),
        (lambda folder: replaced('"area":336', '"area":335', folder), "has a segment 1 that is"),
        (lambda folder: replaced('"category_id":2', '"category_id":1', folder), "has a segment 1"),
        (lambda folder: replaced('"name":"Zelle"', '"name":"Zell"', folder), "cannot be read"),
        (lambda folder: replaced('"image_id":5', '"image_id":6', folder), "b.png is not listed."),
        (
            lambda folder: (folder / "annotations/panoptic/b.png").unlink(),
            "b.png has a mask that cannot be read",
        ),
        (lambda folder: (folder / "annotations/panoptic.json").unlink(), "cannot be read"),
        (lambda folder: replaced("[", "", folder), "panoptic.json cannot be read"),
    ],
    ids=["pixel", "cut short", "area", "category", "name", "image", "no PNG", "no JSON", "no list"],
)
def test_damage_is_found(small_dataset: Dataset, tmp_path: Path, damage, sentence: str) -> None:
    parts = (ExportPart("", small_dataset),)
    report = write_panoptic(parts, tmp_path, OPTIONS, SILENT)
    damage(tmp_path)
    proof = prove_panoptic(parts, tmp_path, OPTIONS, report, SILENT)
    assert any(sentence in problem for problem in proof.problems), proof.problems
    assert not any("every pixel" in said for said in proof.sentences)


def test_image_never_opened_is_named(tmp_path: Path) -> None:
    dataset = replace(one_image(), images=(ImageRecord(3, "new.jpg"),))
    with pytest.raises(UserError, match=r"new\.jpg"):
        write_panoptic((ExportPart("", dataset),), tmp_path, OPTIONS, SILENT)


class Cancelled(TaskContext):
    def raise_if_cancelled(self) -> None:
        raise CancelledError


def test_cancel_is_heard(small_dataset: Dataset, tmp_path: Path) -> None:
    parts = (ExportPart("", small_dataset),)
    with pytest.raises(CancelledError):
        write_panoptic(parts, tmp_path, OPTIONS, Cancelled())
