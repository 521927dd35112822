"""Unfinished outlines on the disk."""

import json
from pathlib import Path

import pytest

from maskstudio.annotation.draft import Draft
from maskstudio.errors import UserError
from maskstudio.storage.drafts import read_drafts, write_drafts

_POINTS = ((0.1, 1 / 3), (99.99999999999999, 5e-12), (1, 2))
DRAFTS = [
    ("b.png", Draft("magnetic", 3, _POINTS, (1, 3))),
    ("sub/ä.png", Draft("hole", None, ((7, 7),), (1,))),
    ("b.png", Draft("polygon", 3, _POINTS[:1], (1,))),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".maskstudio").mkdir()
    return tmp_path


def file(folder: Path) -> Path:
    return folder / ".maskstudio" / "drafts.json"


def test_they_come_back_exactly_and_in_order(folder: Path) -> None:
    write_drafts(folder, DRAFTS)
    assert read_drafts(folder) == DRAFTS


def test_the_file_goes_with_the_last_of_them(folder: Path) -> None:
    write_drafts(folder, DRAFTS)
    write_drafts(folder, [])
    assert list((folder / ".maskstudio").iterdir()) == []
    assert read_drafts(folder) == []
    write_drafts(folder, [])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "{}",
        "[1]",
        "null",
        '[{"image": "a"}]',
        '[{"image": "a", "tool": "polygon", "category": 1, "points": [], "ends": []}]',
        '[{"image": "a", "tool": "polygon", "category": 1, "points": [[1, NaN]], "ends": [1]}]',
        '[{"image": "a", "tool": "polygon", "category": 1, "points": [[1, 2, 3]], "ends": [1]}]',
        '[{"image": "a", "tool": "polygon", "category": "x", "points": [[1, 2]], "ends": [1]}]',
        '[{"image": "a", "tool": "polygon", "category": 1, "points": 5, "ends": [1]}]',
        '[{"image": "a", "tool": "polygon", "category": 1, "points": [[1, 2]], "ends": []}]',
        '[{"image": "a", "tool": "polygon", "category": 1, "points": [[1, 2]], "ends": [2]}]',
        '[{"image": "a", "tool": "polygon", "category": 1, "points": [[1, 2]], "ends": [1, 1]}]',
        '[{"image": "a", "tool": "polygon", "category": 1, "points": [[1, 2]], "ends": [0, 1]}]',
    ],
)
def test_what_is_not_understood_is_left_out(folder: Path, text: str) -> None:
    file(folder).write_text(text, encoding="utf-8")
    assert read_drafts(folder) == []


def test_bytes_that_are_no_text_are_left_out(folder: Path) -> None:
    file(folder).write_bytes(b"\xff\xfe\x00")
    assert read_drafts(folder) == []


def test_a_folder_that_cannot_be_written_is_told_and_the_old_ones_stay(folder: Path) -> None:
    write_drafts(folder, DRAFTS)
    elsewhere = folder / "elsewhere"
    (folder / ".maskstudio").rename(elsewhere)
    with pytest.raises(UserError, match=r"drafts\.json cannot be written: its folder"):
        write_drafts(folder, DRAFTS)
    assert len(json.loads((elsewhere / "drafts.json").read_text(encoding="utf-8"))) == 3


def test_what_cannot_be_removed_is_told(folder: Path) -> None:
    (file(folder) / "in the way").mkdir(parents=True)
    with pytest.raises(UserError, match=r"drafts\.json cannot be removed"):
        write_drafts(folder, [])
