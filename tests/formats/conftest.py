"""A small data set with everything in it that a COCO file must carry, and a way to write it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from maskstudio.annotation.annotation import Annotation, Category, Dataset, ImageRecord
from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from maskstudio.formats.coco import write_coco
from maskstudio.formats.incoming import Source
from maskstudio.formats.sources import open_source
from maskstudio.progress import TaskContext

WriteFile = Callable[[Dataset], Path]
OpenRaw = Callable[..., Source]


@pytest.fixture
def small_dataset() -> Dataset:
    holed = Segmentation(
        (
            Part(
                as_ring([(2, 2), (22, 2), (22, 22), (2, 22)]),
                (as_ring([(8, 8), (16, 8), (16, 16), (8, 16)]),),
            ),
        )
    )
    slanted = Segmentation.from_rings([(30.1, 4), (39.7, 20.123456789), (25, 1 / 3 + 17)])
    in_two = Segmentation.from_rings(
        [(1, 25), (9, 25), (9, 29), (1, 29)], [(12, 25), (20, 25), (20, 29)]
    )
    square = Segmentation.from_rings([(10, 10), (16, 10), (16, 16), (10, 16)])
    sliver = Segmentation.from_rings([(5.1, 1), (5.3, 1), (5.3, 11)])
    return Dataset(
        categories=(Category(2, "Zelle", "Gewebe"), Category(1, "細胞"), Category(7, "unused")),
        images=(
            ImageRecord(4, "füße/a 1.png", 30, 40),
            ImageRecord(5, "b.png", 20, 30),
            ImageRecord(9, "empty.png", 6, 8),
        ),
        annotations={
            4: (
                Annotation(1, 2, holed, model_id="m", score=0.75, touched=False),
                Annotation(2, 1, slanted),
                Annotation(11, 1, in_two, model_id="m", score=0.5, touched=True),
            ),
            5: (
                Annotation(12, 2, square),
                Annotation(13, 1, None, (1.25, 2, 8.5, 9), model_id="m", score=0.1, touched=False),
                Annotation(14, 1, sliver),
            ),
        },
    )


@pytest.fixture
def write_file(tmp_path: Path) -> WriteFile:
    def write(dataset: Dataset) -> Path:
        path = tmp_path / "written.json"
        with path.open("wb") as file:
            write_coco(dataset, file)
        return path

    return write


@pytest.fixture
def opened(tmp_path: Path) -> OpenRaw:
    """Return what opens a COCO file that is given as bytes or as Python values."""

    def open_it(raw: object, of: Path | None = None) -> Source:
        path = tmp_path / "set.json"
        path.write_bytes(raw if isinstance(raw, bytes) else json.dumps(raw).encode())
        return open_source(path, TaskContext(), of)

    return open_it
