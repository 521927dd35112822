"""Every format through the whole of an export: read back, images placed, the same bytes again."""

import errno
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskstudio.annotation.annotation import Category, ImageState
from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from maskstudio.errors import UserError
from maskstudio.formats.options import (
    ExportFormat,
    ExportOptions,
    ImagePlacement,
    SegmentationStyle,
    SplitRatios,
)
from maskstudio.formats.sources import open_source
from maskstudio.progress import TaskContext
from maskstudio.session.exporting import export, placements, writes_one_file
from maskstudio.storage.opening import open_project
from support.labelled import SQUARE, label
from support.pictures import write_picture

HOLED = Segmentation(
    (
        Part(
            as_ring([(40, 10), (60, 10), (60, 40), (40, 40)]),
            (as_ring([(45, 15), (55, 15), (55, 25), (45, 25)]),),
        ),
        Part(as_ring([(5, 40), (20, 41.5), (12, 55.25)])),
    )
)
NAMES = ("a.jpg", "a.png", "sub dir/ä ö.png", "sub dir/b.v2.png", "日本/c.png", "empty.png")
FORMATS = tuple(ExportFormat)
SPLIT = SplitRatios(0.5, 0.25, 0.25)
LINK = ImagePlacement.LINK


@pytest.fixture
def project(tmp_path):
    """Six images with two annotations each but for the last; names that many trip over."""
    folder = tmp_path / "project"
    for seed, name in enumerate(NAMES):
        write_picture(folder / name, 60, 80, seed)
    contents = dict.fromkeys(NAMES, ((1, SQUARE), (2, HOLED))) | {"empty.png": ()}
    categories = (Category(1, "Zelle"), Category(2, "blob, round"), Category(5, "unused"))
    label(folder, contents, categories)
    return folder


def options_of(format_, splits=None, placement=None, **more):
    placement = placement or placements(format_)[0]
    states = (ImageState.VERIFIED, ImageState.EMPTY)
    return ExportOptions(format_, states, splits=splits, placement=placement, **more)


def run(project, destination, options):
    with open_project(project) as database:
        return export(database, destination, options, TaskContext())


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("splits", [None, SPLIT])
def test_every_format_is_read_back_and_gives_the_same_bytes_again(
    project, tmp_path, format_, splits
):
    options = options_of(format_, splits, ImagePlacement.COPY)
    report = run(project, tmp_path / "one", options)
    said = " ".join(report.sentences())
    assert "on screen" in said
    assert "10 annotations" in said or "10 segments" in said or splits
    run(project, tmp_path / "two", options)
    one, two = files(tmp_path / "one"), files(tmp_path / "two")
    assert one == two
    # Again into the same place: nothing changes, nothing is left over.
    run(project, tmp_path / "one", options)
    assert files(tmp_path / "one") == one
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "project", "two"]
    assert not any(str(tmp_path).encode() in content for content in one.values())


@pytest.mark.parametrize("format_", FORMATS)
def test_every_image_goes_out_once_whatever_its_name(project, tmp_path, format_):
    run(project, tmp_path / "out", options_of(format_, SPLIT, ImagePlacement.COPY))
    originals = sorted((project / name).read_bytes() for name in NAMES)
    home = tmp_path / "out" / ("" if format_ is ExportFormat.LABELME else "images")
    placed = [
        path
        for path in home.rglob("*")
        if path.suffix in (".png", ".jpg") and path.relative_to(home).parts[0] in SPLIT.shares
    ]
    assert sorted(path.read_bytes() for path in placed) == originals


ROUND_TRIPS = {
    ExportFormat.COCO: "annotations/instances.json",
    ExportFormat.YOLO: "data.yaml",
    ExportFormat.LABELME: "",
    ExportFormat.INSTANCE_MASKS: "masks.json",
}


@pytest.mark.parametrize("format_", ROUND_TRIPS)
def test_what_goes_out_can_come_in_again(project, tmp_path, format_):
    run(project, tmp_path / "out", options_of(format_, None, ImagePlacement.COPY))
    source = open_source(tmp_path / "out" / ROUND_TRIPS[format_], TaskContext())
    assert len(source.images) == len(NAMES)
    areas = [
        round(sum(a.segmentation.area for a in source.content(n, 60, 80).annotations))
        for n in range(len(NAMES))
    ]
    assert sorted(areas)[0] == 0
    assert all(abs(area - SQUARE.area - HOLED.area) < 15 for area in areas if area)


def test_the_bytes_do_not_depend_on_the_hash_seed_of_python(project, tmp_path):
    digests = set()
    for seed in ("1", "2"):
        # The drawing itself depends on no seed either.
        with open_project(project) as database:
            database.set_setting("parts", {"draw": 0, "parts": {}})
        out = tmp_path / seed
        code = f"""
from pathlib import Path
from maskstudio.formats.options import *
from maskstudio.progress import TaskContext
from maskstudio.session.exporting import DEFAULT_STATES, export
from maskstudio.storage.opening import open_project
with open_project(Path({str(project)!r})) as database:
    for name in ("coco", "yolo", "labelme", "instance-masks"):
        options = ExportOptions(ExportFormat(name), DEFAULT_STATES, placement=ImagePlacement.COPY,
                                splits=SplitRatios(0.5, 0.25, 0.25))
        export(database, Path({str(out)!r} + name), options, TaskContext())
"""
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, check=True
        )
        whole = hashlib.blake2b()
        for name in ("coco", "yolo", "labelme", "instance-masks"):
            for path, content in sorted(files(tmp_path / f"{seed}{name}").items()):
                whole.update(path.encode() + content)
        digests.add(whole.hexdigest())
    assert len(digests) == 1


def test_the_categories_chosen_are_the_same_in_every_part(project, tmp_path):
    chosen = frozenset({2, 5})
    run(project, tmp_path / "out", options_of(ExportFormat.COCO, SPLIT, categories=chosen))
    images = 0
    for part in SPLIT.shares:
        raw = json.loads((tmp_path / "out" / "annotations" / f"{part}.json").read_text())
        assert [c["name"] for c in raw["categories"]] == ["blob, round", "unused"]
        assert {a["category_id"] for a in raw["annotations"]} <= {2}
        images += len(raw["images"])
    assert images == len(NAMES)


def test_run_lengths_are_exact(project, tmp_path):
    rle = SegmentationStyle.RLE
    run(project, tmp_path / "out.json", options_of(ExportFormat.COCO, segmentation=rle))
    raw = json.loads((tmp_path / "out.json").read_text())
    assert all("counts" in a["segmentation"] for a in raw["annotations"])


def test_yolo_has_names_in_order_and_labels_beside_images(project, tmp_path):
    run(project, tmp_path / "out", options_of(ExportFormat.YOLO))
    out = tmp_path / "out"
    labels = {
        path.relative_to(out / "labels").as_posix() for path in (out / "labels").rglob("*.txt")
    }
    assert labels == {
        "a_jpg.txt", "a_png.txt", "sub dir/ä ö.txt", "sub dir/b.v2.txt", "日本/c.txt", "empty.txt",
    }  # fmt: skip
    images = {path.relative_to(out / "images").as_posix() for path in (out / "images").rglob("*.*")}
    assert {str(Path(image).with_suffix(".txt")) for image in images} == labels
    assert (out / "labels" / "empty.txt").read_text() == ""


def test_linked_images_are_the_project_s_own(project, tmp_path):
    report = run(project, tmp_path / "out", options_of(ExportFormat.YOLO, placement=LINK))
    assert (project / "日本/c.png").samefile(tmp_path / "out/images/日本/c.png")
    assert "6 images are links to the project's own" in " ".join(report.sentences())


def test_where_there_can_be_no_links_that_is_told(project, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    report = run(project, tmp_path / "out", options_of(ExportFormat.YOLO, placement=LINK))
    assert not (project / "日本/c.png").samefile(tmp_path / "out/images/日本/c.png")
    said = " ".join(report.sentences())
    assert "6 images were copied: there can be no links" in said
    assert "are links" not in said


@pytest.mark.parametrize("nothing", [{"states": ()}, {"categories": frozenset()}])
def test_nothing_chosen_is_told(project, tmp_path, nothing):
    options = replace(options_of(ExportFormat.COCO), **nothing)
    with pytest.raises(UserError, match="choose a state and a category"):
        run(project, tmp_path / "out.json", options)


def test_an_image_stands_upright_in_its_mask(project, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (60, 40)).save(project / "turned.jpg", exif=exif)
    label(project, {"turned.jpg": ((1, SQUARE),)})
    run(project, tmp_path / "out", options_of(ExportFormat.INSTANCE_MASKS))
    mask = np.asarray(Image.open(tmp_path / "out" / "masks" / "turned.png"))
    assert mask.shape == (60, 40)
    assert (np.argwhere(mask).min(), np.argwhere(mask).max()) == (10, 29)


@pytest.mark.parametrize("format_", FORMATS)
def test_images_that_would_land_in_the_project_are_refused(project, format_):
    options = options_of(format_, placement=ImagePlacement.COPY)
    with pytest.raises(UserError, match="choose a folder outside"):
        run(project, project / "export", options)
    assert not (project / "export").exists()


def test_labelme_files_may_lie_beside_the_images_they_are_of(project):
    referenced = options_of(ExportFormat.LABELME, placement=ImagePlacement.REFERENCE)
    run(project, project, referenced)
    raw = json.loads((project / "sub dir" / "ä ö.json").read_text())
    assert (project / "sub dir" / raw["imagePath"]).exists()
    raw = json.loads((project / "a_jpg.json").read_text())
    assert raw["imagePath"] == "a.jpg"


def test_what_makes_no_sense_in_a_format_is_refused(project, tmp_path):
    options = options_of(ExportFormat.YOLO, placement=ImagePlacement.REFERENCE)
    with pytest.raises(UserError, match="cannot be reference; choose copy or link"):
        run(project, tmp_path / "out", options)


def test_only_one_whole_coco_file_without_images_is_a_file():
    single = options_of(ExportFormat.COCO, placement=ImagePlacement.REFERENCE)
    assert writes_one_file(single)
    assert not writes_one_file(options_of(ExportFormat.COCO, placement=ImagePlacement.COPY))
    assert not writes_one_file(options_of(ExportFormat.COCO, SPLIT))
    assert not writes_one_file(options_of(ExportFormat.LABELME))
