"""How long the account of a whole project takes, and how much memory.

A project of 100,000 edits is made up: on each image a model finds objects, a person adjusts one,
draws one and verifies the rest. The edits are written by the program's own code, all in one
transaction. Then its journal is read as the page «Does it pay?» reads it.

    python tests/benchmarks/payoff.py [--edits 100000] [--objects 15] [--check] [--json FILE]
"""

import argparse
import json
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from maskstudio.annotation.annotation import Annotation, Category
from maskstudio.annotation.edits import AnnotationChange, CategoryChange, Edit
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.progress import TaskContext
from maskstudio.session.payoff_reading import read_account
from maskstudio.storage import writing
from maskstudio.storage.opening import open_project
from maskstudio.storage.project import ProjectDatabase

SECONDS, BYTES_AN_OBJECT = 2.0, 400
_EDITS_AN_IMAGE = 4
_VERTICES = 20
_MODEL = "nuclei"


def main() -> None:
    """Measure, print, and say whether it holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=100_000)
    parser.add_argument("--objects", type=int, default=15, help="that the model finds an image")
    parser.add_argument("--check", action="store_true", help="exit code 1 where a bound is missed")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), options.edits, options.objects)
    for name, value in figures.items():
        print(f"{name:>20}: {value:,.3f}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    slow = figures["CPU seconds"] > SECONDS * options.edits / 100_000
    large = figures["peak bytes"] > BYTES_AN_OBJECT * figures["objects"] + 8e6
    if options.check and (slow or large):
        raise SystemExit(1)


def measure(folder: Path, edits: int, objects: int) -> dict[str, float]:
    """Return what reading the account of a project of so many edits takes."""
    images = edits // _EDITS_AN_IMAGE
    with open_project(folder) as database:
        _fill(database, images, objects)
        files = (folder / ".maskstudio").iterdir()
        size = sum(file.stat().st_size for file in files)
        wall, cpu = time.perf_counter(), time.thread_time()
        account = read_account(database, TaskContext())
        wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
        tracemalloc.start()
        again = read_account(database, TaskContext())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    total = account.payoff.total
    expected = images * (objects + 1)
    if total.objects != expected or again != account:
        raise SystemExit(f"{total.objects} objects were counted instead of {expected}")
    return {
        "edits": images * _EDITS_AN_IMAGE,
        "objects": total.objects,
        "database MB": size / 1e6,
        "CPU seconds": cpu,
        "wall seconds": wall,
        "peak bytes": peak,
    }


def _fill(database: ProjectDatabase, images: int, objects: int) -> None:
    """Write the life of a project."""
    database.commit(Edit("", categories=(CategoryChange(None, Category(1, "cell")),)))
    records = database.add_images(f"{number:06}.png" for number in range(images))
    numbers = iter(range(1, images * (objects + 1) + 1))
    # A person's edits are on the disk one by one; to make up as many takes an hour that way.
    with database._writing() as connection:  # noqa: SLF001 - nothing else writes many at once
        for record in records:
            for edit in _life(record.id, objects, numbers):
                writing.write_journal(connection, edit, redoable=False)


def _life(image_id: int, objects: int, numbers: Iterator[int]) -> Iterator[Edit]:
    """Yield what happens on an image."""
    outlines = _OUTLINES
    found = [
        Annotation(next(numbers), 1, outlines[i % len(outlines)], None, _MODEL, 0.9, touched=False)
        for i in range(objects)
    ]
    author = f"model:{_MODEL}"
    made = tuple(AnnotationChange(image_id, None, one) for one in found)
    yield Edit("Pre-annotate", author, made, undoable=False)
    moved = replace(found[0], segmentation=outlines[-1], touched=True)
    yield Edit("Move", annotations=(AnnotationChange(image_id, found[0], moved),))
    drawn = Annotation(next(numbers), 1, outlines[0])
    yield Edit("Draw", annotations=(AnnotationChange(image_id, None, drawn),))
    left = (AnnotationChange(image_id, one, replace(one, touched=True)) for one in found[1:])
    yield Edit("Verify image", annotations=tuple(left))


def _outline(seed: int) -> Segmentation:
    random = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, _VERTICES, endpoint=False)
    radii = 20 + 5 * random.random(_VERTICES)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1) * radii[:, None] + 100
    return Segmentation.from_rings(ring)


_OUTLINES = [_outline(seed) for seed in range(10)]

if __name__ == "__main__":
    main()
