"""How quick the canvas is with very many annotations, and how much memory the window takes.

Run by hand through `tests/benchmarks/canvas.py`, or alone:
`python tests/benchmarks/crowded.py COUNT`. The real window shows a picture of 4000 x 3000 with so
many annotations of 40 vertices, the last of them of 6,000.
"""

import math
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

from labeler import FRAME_MS, Labeler, Row, megabytes, print_json, row, star
from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation, Category
from maskstudio.annotation.edits import CategoryChange, Edit, ImageContent
from maskstudio.storage.opening import open_project

_HEIGHT, _WIDTH = 3000, 4000
_VERTICES, _MANY_VERTICES = 40, 6000
_STEPS = 80
# Of fewer the 95th percentile would be the one that the disk was slowest at.
_DRAGS = 30


def make_project(folder: Path, count: int) -> None:
    """Write a small and a large picture and put annotations on the large one."""
    noise = np.random.default_rng(1).integers(0, 255, (_HEIGHT // 20, _WIDTH // 20, 3), np.uint8)
    cv2.imwrite(str(folder / "a.png"), noise)
    cv2.imwrite(str(folder / "b.jpg"), cv2.resize(noise, (_WIDTH, _HEIGHT)))
    columns = math.ceil(math.sqrt(count * _WIDTH / _HEIGHT))
    pitch = _WIDTH / columns
    outlines = [
        star((n % columns + 0.5) * pitch, (n // columns + 0.5) * pitch, 0.42 * pitch, _VERTICES)
        for n in range(count - 1)
    ]
    outlines.append(star(_WIDTH / 2, _HEIGHT / 2, 900, _MANY_VERTICES))
    with open_project(folder) as database:
        (image,) = (i for i in database.add_images(["a.png", "b.jpg"]) if i.path == "b.jpg")
        categories = [Category(n, f"category {n}") for n in range(1, 4)]
        changes = tuple(CategoryChange(None, category) for category in categories)
        database.commit(Edit("Categories", categories=changes, undoable=False))
        ids = database.take_annotation_ids()
        new = [Annotation(next(ids), n % 3 + 1, one) for n, one in enumerate(outlines)]
        database.commit(edits.by_batch(edits.add(ImageContent(image, {}), new)))


def measure(labeler: Labeler, count: int) -> list[Row]:
    """Go through everything with one number of annotations."""
    name = f"{count:,} annotations"
    shown = show(labeler)
    held = megabytes()
    rows = [
        Row("show the image, from the key", name, shown, shown, 1000),
        Row("memory after that, MB", name, held, held, 350),
        row("pan, whole image in view", name, pan(labeler), FRAME_MS),
    ]
    labeler.canvas.zoom_to_pixels()
    labeler.settle()
    rows += [
        row("pan at 100 %", name, pan(labeler), FRAME_MS),
        row("hover at 100 %", name, hover(labeler), FRAME_MS),
        row("zoom", name, zoom(labeler), FRAME_MS),
    ]
    few, many = list(labeler.session.annotations)[count // 2], max(labeler.session.annotations)
    for vertices, identity in ((_VERTICES, few), (_MANY_VERTICES, many)):
        moves, edges = drag(labeler, identity)
        outline = f"{vertices:,} vertices"
        rows += [
            row(f"drag a vertex, a move: {outline}", name, moves, 8),
            row(f"press, and release until idle: {outline}", name, edges, 10),
            row(f"undo that: {outline}", name, undo(labeler), 10),
        ]
    for vertices, identity in ((_VERTICES, few), (_MANY_VERTICES, many)):
        outline = f"{vertices:,} vertices"
        rows.append(row(f"brush stroke, a move: {outline}", name, brush(labeler, identity), 12))
    return rows


def show(labeler: Labeler) -> float:
    """Go to the large image and wait until it is there with all that stands on it."""
    started = time.perf_counter()
    labeler.verb("next")
    canvas, session = labeler.canvas, labeler.session
    labeler.until(lambda: len(session.annotations) > 1 and labeler.seen and canvas.settled)
    QApplication.processEvents()
    return (time.perf_counter() - started) * 1000


def pan(labeler: Labeler) -> list[float]:
    """Move the image to and fro."""
    steps = [(9, 5) if n % 40 < 20 else (-9, -5) for n in range(_STEPS)]
    return [labeler.frame(partial(labeler.canvas.pan, *d)) for d in steps]


def hover(labeler: Labeler) -> list[float]:
    """Move the pointer over the annotations."""
    middle = QPointF(labeler.canvas.rect().center())
    turns = [QPointF(300 * math.cos(n / 7), 300 * math.sin(n / 5)) for n in range(_STEPS)]
    return [labeler.frame(partial(labeler.move, middle + turn)) for turn in turns]


def zoom(labeler: Labeler) -> list[float]:
    """Turn the wheel to and fro."""
    notches = [1 if n % 20 < 10 else -1 for n in range(_STEPS)]
    return [labeler.frame(partial(labeler.wheel, n)) for n in notches]


def drag(labeler: Labeler, identity: int) -> tuple[list[float], list[float]]:
    """Drag vertices of an annotation at 100 %; return times of moves, and of presses, releases."""
    moves: list[float] = []
    edges: list[float] = []
    for vertex in range(_DRAGS):
        start = look_at(labeler, identity, 5 * vertex)
        labeler.frame(partial(labeler.move, start))
        edges.append(labeler.frame(partial(labeler.press, start)))
        places = [start + QPointF(n, n / 2) for n in range(1, 17)]
        moves += [labeler.frame(partial(labeler.pull, place)) for place in places]
        edges.append(labeler.frame(partial(labeler.release, start + QPointF(16, 8))))
        labeler.settle()
    return moves, edges


def undo(labeler: Labeler) -> list[float]:
    """Take the drags back."""
    times = []
    for _ in range(_DRAGS):
        times.append(labeler.frame(partial(labeler.verb, "undo")))
        labeler.settle()
    return times


def brush(labeler: Labeler, identity: int) -> list[float]:
    """Paint over the outline of an annotation; return the times of the moves."""
    times: list[float] = []
    for vertex in (10, 30):
        start = look_at(labeler, identity, vertex)
        labeler.verb("brush")
        labeler.frame(partial(labeler.press, start))
        turns = [QPointF(4 * n, 25 * math.sin(n / 4)) for n in range(1, 41)]
        times += [labeler.frame(partial(labeler.pull, start + turn)) for turn in turns]
        labeler.frame(partial(labeler.release, start + turns[-1]))
        labeler.settle()
        labeler.verb("select")
    return times


def look_at(labeler: Labeler, identity: int, vertex: int) -> QPointF:
    """Select an annotation and show one of its vertices; return where that is on the screen."""
    segmentation = labeler.session.annotations[identity].segmentation
    if segmentation is None:
        raise AssertionError("it was made with an outline")
    ring = segmentation.ring(0, 0)
    x, y = ring[vertex % len(ring)].tolist()
    labeler.canvas.show_box((x - 400, y - 300, x + 400, y + 300))
    labeler.session.select([identity])
    labeler.settle()
    return labeler.screen(x, y)


def main() -> None:
    """Measure one number of annotations and print the rows as JSON."""
    count = int(sys.argv[1])
    application = QApplication(["maskstudio"])
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        folder = Path(place, "images")
        folder.mkdir()
        make_project(folder, count)
        labeler = Labeler(Path(place, "settings.json"))
        labeler.open(folder, 2)
        labeler.session.show(labeler.session.image_ids[0])
        labeler.rest(0.5)
        rows = measure(labeler, count)
        labeler.window.close()
    print_json(rows)
    application.quit()


if __name__ == "__main__":
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    main()
