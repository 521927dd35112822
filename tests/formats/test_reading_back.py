"""The proof of formats with a file for each image: whatever is wrong in a file is found."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from maskstudio.annotation.annotation import (
    Annotation,
    Category,
    Dataset,
    ImageRecord,
    ImageState,
    ImageStatus,
)
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.formats.options import ExportFormat, ExportOptions, ExportPart
from maskstudio.formats.reading_back import Proof
from maskstudio.formats.writers import FORMATS
from maskstudio.progress import TaskContext
from support.labelled import SQUARE

OTHER = Segmentation.from_rings([(40, 10), (60, 10), (60, 40), (40, 40)])
NOTHING = Segmentation.from_rings([(5.1, 5.1), (5.2, 5.1), (5.2, 5.2)])
VERIFIED = ImageStatus(ImageState.VERIFIED)


def part() -> ExportPart:
    """Two images: three annotations, one of them of no pixel; and none."""
    images = (ImageRecord(1, "sub/a.png", 60, 80, VERIFIED), ImageRecord(2, "b.png", 60, 80))
    annotations = (
        Annotation(1, 1, SQUARE),
        Annotation(2, 1, NOTHING),
        Annotation(3, 2, OTHER),
    )
    return ExportPart(
        "", Dataset((Category(1, "one"), Category(2, "two")), images, {1: annotations})
    )


def yolo_lines(change: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    def tamper(folder: Path) -> None:
        path = folder / "labels" / "sub" / "a.txt"
        path.write_text("".join(change(path.read_text().splitlines(keepends=True))))

    return tamper


def labelme_shapes(change: Callable[[list[dict]], object]) -> Callable[[Path], None]:
    def tamper(folder: Path) -> None:
        path = folder / "sub" / "a.json"
        raw = json.loads(path.read_text())
        change(raw["shapes"])
        path.write_text(json.dumps(raw))

    return tamper


def move(shapes: list[dict]) -> None:
    shapes[0]["points"][0][0] += 2


def proved(format_: ExportFormat, folder: Path, tamper: Callable[[Path], object]) -> Proof:
    options = ExportOptions(format_, (ImageState.VERIFIED,))
    files = FORMATS[format_]
    written = files.write([part()], folder, options, TaskContext())
    tamper(folder)
    return files.prove([part()], folder, options, written, TaskContext())


@pytest.mark.parametrize("format_", [ExportFormat.YOLO, ExportFormat.LABELME])
def test_what_was_written_is_right_and_what_covers_nothing_is_told(
    format_: ExportFormat, tmp_path: Path
) -> None:
    proof = proved(format_, tmp_path, lambda _: None)
    assert proof.problems == ()
    assert "Read back from the files: every mask is the one on screen (to the pixel)." in (
        proof.sentences
    )


WRONG = {
    "gone": (ExportFormat.YOLO, lambda folder: (folder / "labels" / "sub" / "a.txt").unlink()),
    "a line less": (ExportFormat.YOLO, yolo_lines(lambda lines: lines[:1])),
    "a line more": (ExportFormat.YOLO, yolo_lines(lambda lines: [*lines, lines[0]])),
    "the wrong order": (ExportFormat.YOLO, yolo_lines(lambda lines: lines[::-1])),
    "another class": (ExportFormat.YOLO, yolo_lines(lambda lines: ["1" + lines[0][1:], lines[1]])),
    "no number": (ExportFormat.YOLO, yolo_lines(lambda lines: [lines[0], "1 a b c d e f\n"])),
    "no text": (ExportFormat.LABELME, lambda f: (f / "sub" / "a.json").write_bytes(b"\xff")),
    "a shape less": (ExportFormat.LABELME, labelme_shapes(lambda shapes: shapes.pop())),
    "a shape moved": (ExportFormat.LABELME, labelme_shapes(move)),
    "another label": (ExportFormat.LABELME, labelme_shapes(lambda s: s[0].update(label="two"))),
    "no such label": (ExportFormat.LABELME, labelme_shapes(lambda s: s[0].update(label="three"))),
}


@pytest.mark.parametrize("fault", WRONG)
def test_what_is_wrong_in_a_file_is_found(fault: str, tmp_path: Path) -> None:
    format_, tamper = WRONG[fault]
    proof = proved(format_, tmp_path, tamper)
    assert proof.problems
    assert any("a." in problem for problem in proof.problems)
