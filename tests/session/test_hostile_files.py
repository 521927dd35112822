"""Whatever a data set says, the project ends as it began or with all of it, and nothing else moves.

The 20,000 cases are run by hand: `pytest -m benchmark tests/session/test_hostile_files.py`.
"""

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco_mask

from maskstudio.annotation.annotation import Annotation, Category, Dataset, ImageRecord
from maskstudio.annotation.edits import CategoryChange, Edit
from maskstudio.annotation.masks import rasterize
from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from maskstudio.errors import UserError
from maskstudio.formats.coco import write_coco
from maskstudio.formats.labelme_writer import write_labelme
from maskstudio.formats.masks_png_writer import write_instance_masks
from maskstudio.formats.options import (
    ExportFormat,
    ExportOptions,
    ExportPart,
    SegmentationStyle,
)
from maskstudio.formats.sources import open_source
from maskstudio.formats.yolo_writer import write_yolo
from maskstudio.progress import TaskContext
from maskstudio.session.import_plan import ImportChoices, OtherSize, Standing
from maskstudio.session.importing import carry_out, plan_import
from maskstudio.storage.opening import open_project
from maskstudio.storage.project import ProjectDatabase
from support.damage import damaged, png_header
from support.datasets import whole_dataset

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

QUIET = TaskContext()
CASES, CASES_BY_HAND = 500, 20_000
LONGEST_S = 10
DATA = Path(__file__).parents[1] / "data"


def small() -> Dataset:
    holed = Part(
        as_ring([(2, 2), (22, 2), (22, 22), (2, 22)]),
        (as_ring([(8, 8), (16, 8), (16, 16), (8, 16)]),),
    )
    slanted = Segmentation.from_rings([(30.1, 4), (39.7, 20.5), (25, 1 / 3 + 17)])
    square = Segmentation.from_rings([(10, 10), (16, 10), (16, 16), (10, 16)])
    return Dataset(
        (Category(1, "cell", "tissue"), Category(2, "füße")),
        (ImageRecord(1, "a.png", 30, 40), ImageRecord(2, "sub/b c.png", 20, 30)),
        {
            1: (Annotation(1, 1, Segmentation((holed,))), Annotation(2, 2, slanted)),
            2: (Annotation(3, 1, square), Annotation(4, 2, None, (1.25, 2, 8.5, 9))),
        },
    )


def coco(folder: Path, style: SegmentationStyle) -> None:
    with (folder / "data.json").open("wb") as file:
        write_coco(small(), file, style)


def coco_packed(folder: Path) -> None:
    coco(folder, SegmentationStyle.RLE)
    path = folder / "data.json"
    raw = json.loads(path.read_text())
    for entry in raw["annotations"]:
        packed = coco_mask.frPyObjects(entry["segmentation"], *entry["segmentation"]["size"])
        entry["segmentation"] = packed | {"counts": packed["counts"].decode("ascii")}
    path.write_text(json.dumps(raw))


def coco_results(folder: Path) -> None:
    found = []
    for image in small().images:
        for annotation in small().annotations[image.id]:
            if annotation.segmentation is not None:
                rle = rasterize(annotation.segmentation, image.height, image.width)
                shape = {**rle, "counts": rle["counts"].decode("ascii")}
                entry = {"image_id": image.id, "category_id": 1, "score": 0.5}
                found.append(entry | {"segmentation": shape, "bbox": [1, 2, 3, 4]})
    (folder / "results.json").write_text(json.dumps(found))


def labelme(folder: Path) -> None:
    write_labelme(*written(folder, ExportFormat.LABELME))


def labelme_by_hand(folder: Path) -> None:
    shutil.copytree(DATA / "labelme", folder, dirs_exist_ok=True)


def via(folder: Path, version: int) -> None:
    shutil.copy(DATA / "via" / f"version{version}.json", folder)


def voc(folder: Path) -> None:
    for part in ("Annotations", "SegmentationObject"):
        (folder / part).mkdir()
    for number, image in enumerate(small().images, start=1):
        text = (DATA / "voc" / "Annotations" / "2007_000001.xml").read_text()
        size = f"<width>{image.width}</width><height>{image.height}</height>"
        text = re.sub(r"<width>.*</height>", size, text, flags=re.DOTALL)
        text = re.sub("<filename>.*</filename>", f"<filename>{image.path}</filename>", text)
        (folder / "Annotations" / f"{number}.xml").write_text(text)
        numbers = np.zeros((image.height, image.width), np.uint8)
        numbers[2:12, 3:9], numbers[4:9, 15:25], numbers[12:14] = 1, 2, 255
        Image.fromarray(numbers).save(folder / "SegmentationObject" / f"{number}.png")


def yolo(folder: Path) -> None:
    pictures(folder / "images")
    write_yolo(*written(folder, ExportFormat.YOLO))


def masks(folder: Path) -> None:
    write_instance_masks(*written(folder, ExportFormat.INSTANCE_MASKS))


def mask_folder(folder: Path) -> None:
    """Masks without a table, as Cellpose has them."""
    masks(folder)
    (folder / "masks.json").unlink()


def class_masks(folder: Path) -> None:
    """As CVAT has them."""
    whole = folder / "whole"
    whole.mkdir()
    masks(whole)
    labels = "background:0,0,0::\ncell:10,20,30::\n"
    (folder / "labelmap.txt").write_text(labels, encoding="utf-8")
    for path in sorted((whole / "masks").rglob("*.png")):
        with Image.open(path) as image:
            numbers = np.asarray(image, np.uint8)
        for name, inside in (
            ("SegmentationObject", np.stack([numbers * 50] * 3, axis=2)),
            ("SegmentationClass", np.where(numbers[..., None] > 0, np.uint8([10, 20, 30]), 0)),
        ):
            place = folder / name / path.relative_to(whole / "masks")
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(inside.astype(np.uint8)).save(place)
    shutil.rmtree(whole)


def samples(folder: Path) -> None:
    """One file an instance, as the Data Science Bowl 2018 has them."""
    for image in small().images:
        name = Path(image.path).stem
        for number in (1, 2):
            place = folder / name / "masks" / f"{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            values = np.zeros((image.height, image.width), np.uint8)
            values[2 : 9 * number, 3:20] = 255
            Image.fromarray(values).save(place)
        (folder / name / "images").mkdir()
        Image.new("L", (image.width, image.height)).save(
            folder / name / "images" / Path(image.path).name
        )


def written(folder: Path, kind: ExportFormat) -> tuple:
    return [ExportPart("", small())], folder, ExportOptions(kind, ()), QUIET


def pictures(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for image in small().images:
        path = folder / image.path
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (image.height, image.width, 3), np.uint8)
        Image.fromarray(pixels).save(path)


KINDS: Mapping[str, Callable[[Path], None]] = {
    "coco polygons": lambda folder: coco(folder, SegmentationStyle.POLYGON),
    "coco run lengths": lambda folder: coco(folder, SegmentationStyle.RLE),
    "coco packed": coco_packed,
    "coco results": coco_results,
    "labelme": labelme,
    "labelme by hand": labelme_by_hand,
    "via 2": lambda folder: via(folder, 2),
    "via 3": lambda folder: via(folder, 3),
    "voc": voc,
    "yolo": yolo,
    "masks": masks,
    "mask folder": mask_folder,
    "class masks": class_masks,
    "samples": samples,
}


class Desk:
    """A project, a folder for data sets beside it, and what lies around them."""

    def __init__(self, folder: Path, project: ProjectDatabase) -> None:
        self.folder = folder
        self.project = project
        self.data = folder / "data"
        self.before = whole_dataset(project)
        self.around = self._around()

    def try_import(self, files: Mapping[str, bytes], seed: int) -> bool:
        """Import a data set; whether it could be."""
        shutil.rmtree(self.data, ignore_errors=True)
        for name, content in files.items():
            path = self.data / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        single = len(files) == 1 and next(iter(files)).endswith(".json")
        started = time.monotonic()
        said, changed = "", False
        try:
            changed = self._import(self.data / next(iter(files)) if single else self.data)
        except UserError as error:
            said = str(error)
        took = time.monotonic() - started
        assert took < LONGEST_S, f"case {seed} took {took:.0f} s"
        assert not said or ("data" in said and len(said) < 2000), f"case {seed}: {said}"
        if changed:
            assert self.project.undo() is not None
        assert whole_dataset(self.project) == self.before, f"case {seed}"
        return not said

    def _import(self, path: Path) -> bool:
        source = open_source(path, QUIET)
        plan = plan_import(self.project, source, QUIET)
        choices = ImportChoices(
            tuple(one.destination for one in plan.categories), Standing.ADD, OtherSize.SCALE
        )
        carry_out(self.project, plan, choices, QUIET)
        return whole_dataset(self.project) != self.before

    def assert_nothing_else_changed(self) -> None:
        assert self._around() == self.around

    def _around(self) -> dict[str, bytes]:
        own = self.data, self.project.folder / ".maskstudio"
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file() and not any(path.is_relative_to(one) for one in own)
        }


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    folder = tmp_path / "deep" / "desk"
    pictures(folder / "project")
    monkeypatch.chdir(folder)
    with open_project(folder / "project") as project:
        project.add_images([image.path for image in small().images])
        for image in small().images:
            project.set_size(image.id, image.height, image.width)
        project.commit(Edit("", categories=(CategoryChange(None, small().categories[0]),)))
        yield Desk(folder, project)


def files_of(kind: str, folder: Path) -> dict[str, bytes]:
    """Return a sound data set of a kind, POSIX path to content."""
    folder.mkdir()
    KINDS[kind](folder)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.parametrize("kind", KINDS)
def test_the_sound_data_set_goes_in(kind: str, desk: Desk, tmp_path: Path) -> None:
    assert desk.try_import(files_of(kind, tmp_path / "sound"), 0)


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_told_or_survived(kind: str, desk: Desk, tmp_path: Path) -> None:
    sound = files_of(kind, tmp_path / "sound")
    went_in = [desk.try_import(damaged(sound, seed), seed) for seed in range(CASES // len(KINDS))]
    desk.assert_nothing_else_changed()
    assert not all(went_in), "something was wrong with some of them"


@pytest.mark.benchmark
@pytest.mark.timeout(0)
@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_told_or_survived_20_000_times(kind: str, desk: Desk, tmp_path: Path) -> None:
    sound = files_of(kind, tmp_path / "sound")
    for seed in range(CASES, CASES + CASES_BY_HAND // len(KINDS)):
        desk.try_import(damaged(sound, seed), seed)
    desk.assert_nothing_else_changed()


@pytest.mark.parametrize("size", [(2**31 - 1, 2**31 - 1), (60_000, 60_000), (0, 5)])
def test_a_png_that_says_it_is_huge_is_not_decoded(
    size: tuple[int, int], desk: Desk, tmp_path: Path
) -> None:
    files = files_of("masks", tmp_path / "sound")
    (name,) = (name for name in files if name.endswith("a.png"))
    assert not desk.try_import(files | {name: png_header(files[name], *size)}, 0)


anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(["../a.png", "/a.png", "C:\\a.png", "sub\\b c.png", "👩‍🔬.png"]),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


def mostly(usual: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.one_of(usual, usual, usual, usual, anything)


numbers = st.floats(-5, 45) | st.integers(-5, 45)
rings = st.lists(st.lists(numbers, min_size=4, max_size=16), max_size=3)
runs = st.fixed_dictionaries(
    {
        "size": mostly(st.sampled_from([[30, 40], [20, 30]])),
        "counts": mostly(st.lists(st.integers(-1, 700), max_size=6) | st.text(max_size=9)),
    }
)
coco_like = st.fixed_dictionaries(
    {
        "images": mostly(
            st.lists(
                mostly(
                    st.fixed_dictionaries(
                        {
                            "id": mostly(st.integers(0, 3)),
                            "file_name": mostly(st.sampled_from(["a.png", "sub/b c.png"])),
                            "height": mostly(st.sampled_from([30, 20])),
                            "width": mostly(st.sampled_from([40, 30])),
                        }
                    )
                ),
                max_size=3,
            )
        ),
        "annotations": mostly(
            st.lists(
                mostly(
                    st.fixed_dictionaries(
                        {"image_id": mostly(st.integers(0, 3)), "category_id": mostly(st.just(1))},
                        optional={
                            "id": mostly(st.integers(0, 9)),
                            "segmentation": mostly(rings | runs),
                            "bbox": mostly(st.lists(numbers, min_size=4, max_size=4)),
                            "iscrowd": mostly(st.integers(0, 1)),
                            "attributes": anything,
                            "note": anything,
                        },
                    )
                ),
                max_size=5,
            )
        ),
        "categories": mostly(
            st.lists(
                mostly(st.fixed_dictionaries({"id": st.just(1), "name": mostly(st.just("cell"))})),
                max_size=2,
            )
        ),
    }
)


@given(raw=coco_like | anything)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_made_up_is_told_or_taken_in_whole(raw: object, desk: Desk) -> None:
    desk.try_import({"data.json": json.dumps(raw).encode()}, 0)
    desk.assert_nothing_else_changed()
