"""Many files are predicted: what fails is named, what is written can be read."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from maskstudio.annotation.detections import Detections
from maskstudio.annotation.tiling import Sight, TileChoice, Tiling
from maskstudio.errors import CancelledError, UserError
from maskstudio.mask_rcnn.batch import predict_files, write_overlays, write_results
from maskstudio.progress import TaskContext
from support.fakes import BOXES, CELL, FakePredictor, disc_detections
from support.pictures import write_picture

QUIET = TaskContext()
NAMES = ["a.png", "b.png", "sub/c.png"]


class Lines(TaskContext):
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.reports: list[tuple[int, int, str]] = []

    def produce(self, item: object) -> None:
        assert isinstance(item, str)
        self.lines.append(item)

    def report(self, done: int, total: int, note: str = "") -> None:
        self.reports.append((done, total, note))


def test_a_line_an_image_and_what_fails_is_named(folder: Path) -> None:
    (folder / "b.png").write_bytes(b"no image")
    context = Lines()
    results = predict_files(FakePredictor(), folder, NAMES, 0.5, context)
    assert [record.path for record in results.images] == ["a.png", "sub/c.png"]
    assert [(r.height, r.width) for r in results.images] == [(80, 100), (64, 64)]
    assert results.categories == (CELL,)
    assert [len(found) for found in results.annotations.values()] == [2, 2]
    ids = [a.id for found in results.annotations.values() for a in found]
    assert len(set(ids)) == len(ids) == 4
    (failed,) = results.failed
    assert "b.png is not an image" in failed
    assert context.lines[0].startswith("a.png: 2 annotations, ")
    assert context.lines[1] == failed
    assert context.lines[2].startswith("sub/c.png: 2 annotations, ")
    assert context.reports[0] == (0, 3, "a.png")
    assert context.reports[-1] == (3, 3, "")


class TooSmall(FakePredictor):
    """Says, as the GPU does, what is wrong but not with which file."""

    def predict(self, image: NDArray[np.uint8], context: TaskContext) -> Detections:
        if image.shape[0] == 80:
            raise UserError("The GPU has too little memory.")
        return super().predict(image, context)


def test_a_failure_of_the_model_names_the_file_too(folder: Path) -> None:
    results = predict_files(TooSmall(), folder, NAMES, 0.5, QUIET)
    assert results.failed == ["a.png: The GPU has too little memory."]
    assert len(results.images) == 2


def test_many_tiles_are_told_of_before_they_are_looked_at(folder: Path) -> None:
    model = FakePredictor()
    model.sight = Sight(32, 64, 4)
    model.detect = lambda size: disc_detections(size, [(12, 12, 20, 20)], [0.9])
    context = Lines()
    tiling = Tiling(TileChoice.ALWAYS)
    results = predict_files(model, folder, NAMES, 0.5, context, tiling)
    # Of 80 by 100 pixels: three rows of four tiles. The others are nine tiles each.
    assert [len(found) for found in results.annotations.values()] == [12, 9, 9]
    assert context.lines[0] == "a.png: 12 tiles"
    assert context.lines[1].startswith("a.png: 12 annotations, ")
    assert len(context.lines) == 4
    assert (0, 3, "a.png, tile 1 of 12") in context.reports
    never = predict_files(model, folder, NAMES, 0.5, QUIET, Tiling(TileChoice.NEVER))
    assert [len(found) for found in never.annotations.values()] == [1, 1, 1]


def test_a_cancel_ends_the_batch(folder: Path) -> None:
    class Impatient(Lines):
        def raise_if_cancelled(self) -> None:
            if self.lines:
                raise CancelledError

    context = Impatient()
    with pytest.raises(CancelledError):
        predict_files(FakePredictor(), folder, NAMES, 0.5, context)
    assert len(context.lines) == 1


def test_results_are_a_coco_file_with_scores(folder: Path, tmp_path: Path) -> None:
    results = predict_files(FakePredictor(), folder, NAMES, 0.2, QUIET)
    path = tmp_path / "out.json"
    write_results(results, path, QUIET)
    raw = json.loads(path.read_text())
    assert [image["file_name"] for image in raw["images"]] == NAMES
    assert len(raw["annotations"]) == 9
    assert sorted({round(a["score"], 2) for a in raw["annotations"]}) == [0.3, 0.6, 0.9]
    assert {c["name"] for c in raw["categories"]} == {"cell"}


def test_overlays_are_the_images_with_outlines_over_them(folder: Path, tmp_path: Path) -> None:
    results = predict_files(FakePredictor(), folder, NAMES, 0.5, QUIET)
    output = tmp_path / "overlays"
    write_overlays(results, folder, output)
    for name in NAMES:
        with Image.open(folder / name) as before, Image.open(output / name) as after:
            changed = np.any(np.asarray(before) != np.asarray(after), axis=2)
        x0, y0, x1, y1 = (int(v) for v in BOXES[0])
        assert changed[y0 + 5 : y1 - 5, x0 + 5 : x1 - 5].mean() > 0.9
        assert not changed[62:, 62:].any()


def test_overlays_never_replace_an_image(folder: Path) -> None:
    before = (folder / "a.png").read_bytes()
    results = predict_files(FakePredictor(), folder, NAMES, 0.5, QUIET)
    with pytest.raises(UserError, match=r"a\.png would be painted over; choose another folder"):
        write_overlays(results, folder, folder)
    assert (folder / "a.png").read_bytes() == before


def test_overlays_of_images_that_differ_in_their_ending_are_two(
    folder: Path, tmp_path: Path
) -> None:
    write_picture(folder / "a.jpg", 64, 64)
    results = predict_files(FakePredictor(), folder, ["a.png", "a.jpg"], 0.5, QUIET)
    write_overlays(results, folder, tmp_path / "overlays")
    assert sorted(p.name for p in (tmp_path / "overlays").iterdir()) == ["a.jpg.png", "a.png"]


def test_an_overlay_folder_that_cannot_be_made_is_said(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    results = predict_files(FakePredictor(), folder, NAMES, 0.5, QUIET)
    with pytest.raises(UserError, match="file cannot be made"):
        write_overlays(results, folder, tmp_path / "file")
