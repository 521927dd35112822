"""What is remembered of an export, and what is made of a memory that cannot be understood."""

import json
from pathlib import Path

import pytest

from maskstudio.annotation.annotation import ImageState
from maskstudio.formats.options import (
    ExportFormat,
    ExportOptions,
    ImagePlacement,
    SegmentationStyle,
    SplitRatios,
)
from maskstudio.ui.dialogs.export_memory import ExportMemory, memory_from

STATES = (ImageState.VERIFIED,)
OPTIONS = ExportOptions(
    ExportFormat.YOLO,
    (ImageState.EDITED, ImageState.EMPTY),
    frozenset({2, 5}),
    SegmentationStyle.RLE,
    SplitRatios(0.7, 0.2, 0.1),
    ImagePlacement.LINK,
)


def kept(memory, folder):
    return json.loads(json.dumps(memory.as_setting(folder)))


def test_all_of_it_comes_back(tmp_path):
    memory = ExportMemory(OPTIONS).after(OPTIONS, tmp_path / "out", one_file=False)
    assert memory_from(kept(memory, tmp_path / "p"), tmp_path / "p", STATES) == memory


def test_that_the_parts_were_drawn_anew_is_forgotten(tmp_path):
    options = ExportOptions(ExportFormat.COCO, STATES, splits=OPTIONS.splits, draw_anew=True)
    memory = ExportMemory(options).after(options, tmp_path, one_file=False)
    assert not memory.options.draw_anew


def test_a_place_moves_along_with_the_folder(tmp_path):
    memory = ExportMemory(OPTIONS).after(OPTIONS, tmp_path / "a" / "out", one_file=False)
    moved = memory_from(kept(memory, tmp_path / "a" / "p"), tmp_path / "b" / "p", STATES)
    assert moved.place(tmp_path / "b" / "p", OPTIONS, one_file=False) == tmp_path / "b" / "out"


def test_each_kind_of_export_has_its_own_place(tmp_path):
    memory = ExportMemory(OPTIONS).after(OPTIONS, tmp_path / "out", one_file=False)
    coco = ExportOptions(ExportFormat.COCO, STATES)
    assert memory.place(Path("/p/q"), coco, one_file=True) == Path("/p/q/annotations.json")
    assert memory.place(Path("/p/q"), coco, one_file=False) == Path("/p/q-coco")


@pytest.mark.parametrize(
    "stored",
    [None, 7, "x", [], {}, {"format": "coco"}, {"format": "fax", "states": [], "categories": None}],
)
def test_what_cannot_be_understood_is_as_if_nothing_were_remembered(stored, tmp_path):
    usual = ExportMemory(ExportOptions(ExportFormat.COCO, STATES))
    assert memory_from(stored, tmp_path, STATES) == usual
