"""How quick the canvas is with very many annotations, and how much memory the window takes.

Run by hand, on a machine that does nothing else, from the root of the repository:
`python tests/benchmarks/canvas.py [--check] [--json FILE] [--counts 300 3000 10000]`.
The real window (offscreen where there is no screen) shows a picture of 4000 x 3000 with annotations
of 40 vertices, and one of 6,000; each number of annotations is measured in a process of its own.
Times are those the GUI thread needs from an event of the mouse or a key until the frame is painted.
Bounds hold for every number of annotations.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from maskstudio import app as program
from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation, Category
from maskstudio.annotation.edits import CategoryChange, Edit, ImageContent
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.storage.opening import open_project

_HEIGHT, _WIDTH = 3000, 4000
_VERTICES, _MANY_VERTICES = 40, 6000
_STEPS = 80
_FRAME_MS = 16
_PATIENCE_S = 120.0
_NONE, _LEFT = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton


@dataclass(frozen=True)
class Row:
    """One line of the table; milliseconds, or megabytes for memory."""

    what: str
    annotations: int
    p50: float
    p95: float
    bound: float

    @property
    def kept(self) -> bool:
        return self.p95 <= self.bound


def star(x: float, y: float, radius: float, vertices: int) -> Segmentation:
    """Return a wavy ring around a point."""
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    distance = radius * (1 + 0.15 * np.sin(5 * angle))
    return Segmentation.from_rings(
        np.c_[x + distance * np.cos(angle), y + distance * np.sin(angle)]
    )


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


def megabytes() -> float:
    """Return the memory this process holds now (Linux only; elsewhere nan)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return math.nan
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class Labeler:
    """Somebody in front of the window."""

    def __init__(self, folder: Path, settings: Path) -> None:
        self.app = program.build(["maskstudio"], settings)
        self.window = self.app.window
        self.canvas = self.window.canvas
        self.session = self.app.session
        self.window.setWindowState(Qt.WindowState.WindowNoState)
        self.window.resize(1900, 1000)
        self.window.show()
        self.window.activateWindow()
        self.app.open_folder(folder)
        self.until(lambda: len(self.session.image_ids) == 2 and self.canvas.has_image)
        self.session.show(self.session.image_ids[0])
        self.rest(0.5)

    def until(self, condition: Callable[[], bool]) -> None:
        """Let the program run until a condition holds."""
        loop = QEventLoop()
        poll = QTimer(interval=1)
        poll.timeout.connect(lambda: loop.quit() if condition() else None)
        give_up = time.monotonic() + _PATIENCE_S
        poll.timeout.connect(lambda: loop.quit() if time.monotonic() > give_up else None)
        poll.start()
        loop.exec()
        if not condition():
            raise TimeoutError("the program did not come to an end")

    def rest(self, seconds: float) -> None:
        """Let the program run for a while."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end)

    def settle(self) -> None:
        """Wait until everything on the screen is the newest."""
        self.until(lambda: self.canvas.settled)
        self.rest(0.05)

    def frame(self, act: Callable[[], object]) -> float:
        """Do something, have it painted; return the milliseconds of the GUI thread it took."""
        started = time.perf_counter()
        act()
        QApplication.processEvents()
        took = (time.perf_counter() - started) * 1000
        # A frame a sixtieth of a second: the raster layer is painted meanwhile, as in life.
        self.rest(max(0.0, _FRAME_MS - took) / 1000)
        return took

    def mouse(self, kind: QEvent.Type, at: QPointF, held: Qt.MouseButton) -> None:
        """Send one event of the mouse."""
        moved = kind == QEvent.Type.MouseMove
        button = _NONE if moved else _LEFT
        place = QPointF(self.canvas.mapToGlobal(at))
        event = QMouseEvent(kind, at, place, button, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(self.canvas, event)

    def move(self, at: QPointF, held: Qt.MouseButton = _NONE) -> None:
        """Move the pointer."""
        self.mouse(QEvent.Type.MouseMove, at, held)

    def press(self, at: QPointF) -> None:
        """Press the left button."""
        self.mouse(QEvent.Type.MouseButtonPress, at, _LEFT)

    def release(self, at: QPointF) -> None:
        """Let go of it."""
        self.mouse(QEvent.Type.MouseButtonRelease, at, _NONE)

    def wheel(self, notches: float) -> None:
        """Turn the wheel in the middle."""
        at = QPointF(self.canvas.rect().center())
        event = QWheelEvent(
            at, QPointF(self.canvas.mapToGlobal(at)), QPoint(), QPoint(0, round(120 * notches)),
            _NONE, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(self.canvas, event)

    def screen(self, x: float, y: float) -> QPointF:
        """Return the screen point of an image point."""
        return QPointF(*self.canvas.viewport.to_screen(x, y))


def measure(count: int, folder: Path, settings: Path) -> list[Row]:
    """Go through everything with one number of annotations."""
    labeler = Labeler(folder, settings)
    rows: list[Row] = []

    def note(what: str, times: list[float], bound: float) -> None:
        p50, p95 = np.percentile(times, (50, 95))
        rows.append(Row(what, count, float(p50), float(p95), bound))

    note("show the image, from the key", [show(labeler)], 1000)
    note("memory, MB", [megabytes()], 350)
    canvas = labeler.canvas
    middle = QPointF(canvas.rect().center())
    note("pan, whole image in view", pan(labeler), _FRAME_MS)
    canvas.zoom_to_pixels()
    labeler.settle()
    note("pan at 100 %", pan(labeler), _FRAME_MS)
    turns = [QPointF(300 * math.cos(n / 7), 300 * math.sin(n / 5)) for n in range(_STEPS)]
    around = [middle + turn for turn in turns]
    hovers = [labeler.frame(partial(labeler.move, at)) for at in around]
    note("hover at 100 %", hovers, _FRAME_MS)
    zooms = [1 if n % 20 < 10 else -1 for n in range(_STEPS)]
    note("zoom", [labeler.frame(partial(labeler.wheel, n)) for n in zooms], _FRAME_MS)
    few, many = list(labeler.session.annotations)[count // 2], max(labeler.session.annotations)
    for name, identity in ((f"{_VERTICES} vertices", few), (f"{_MANY_VERTICES:,} vertices", many)):
        moves, edges = drag(labeler, identity)
        note(f"drag a vertex of {name}, a move", moves, 8)
        note(f"drag a vertex of {name}, press and release", edges, 10)
        note(f"undo that, {name}", undo(labeler), 10)
    labeler.window.close()
    return rows


def show(labeler: Labeler) -> float:
    """Go to the large image and wait until it is there with all that stands on it."""
    started = time.perf_counter()
    labeler.window.verbs["next"].trigger()
    canvas, session = labeler.canvas, labeler.session
    labeler.until(lambda: len(session.annotations) > 1 and canvas.has_image and canvas.settled)
    QApplication.processEvents()
    return (time.perf_counter() - started) * 1000


def pan(labeler: Labeler) -> list[float]:
    """Move the image to and fro."""
    steps = [(9, 5) if n % 40 < 20 else (-9, -5) for n in range(_STEPS)]
    return [labeler.frame(partial(labeler.canvas.pan, *d)) for d in steps]


def drag(labeler: Labeler, identity: int) -> tuple[list[float], list[float]]:
    """Drag vertices of an annotation at 100 %; return times of moves, and of presses, releases."""
    moves: list[float] = []
    edges: list[float] = []
    for vertex in range(0, 25, 5):
        annotation = labeler.session.annotations[identity]
        if annotation.segmentation is None:
            raise AssertionError("it was made with an outline")
        x, y = annotation.segmentation.ring(0, 0)[vertex].tolist()
        labeler.canvas.show_box((x - 400, y - 300, x + 400, y + 300))
        labeler.session.select([identity])
        labeler.settle()
        start = labeler.screen(x, y)
        labeler.frame(partial(labeler.move, start))
        edges.append(labeler.frame(partial(labeler.press, start)))
        for n in range(1, 17):
            at = start + QPointF(n, n / 2)
            moves.append(labeler.frame(partial(labeler.move, at, _LEFT)))
        edges.append(labeler.frame(partial(labeler.release, at)))
        labeler.settle()
    return moves, edges


def undo(labeler: Labeler) -> list[float]:
    """Take the drags back."""
    times = []
    for _ in range(5):
        times.append(labeler.frame(labeler.window.verbs["undo"].trigger))
        labeler.settle()
    return times


def print_table(rows: list[Row]) -> None:
    """Print the figures."""
    print(f"{'ms':<52}{'annotations':>12}{'p50':>9}{'p95':>9}{'bound':>9}")
    for row in sorted(rows, key=lambda row: row.what):
        sign = "" if row.kept else "  too long"
        numbers = f"{row.annotations:>12,}{row.p50:>9.1f}{row.p95:>9.1f}{row.bound:>9.0f}"
        print(f"{row.what:<52}{numbers}{sign}")


def main() -> int:
    """Measure, print, and with `--check` judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit with 1 when a bound is missed")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--counts", type=int, nargs="+", default=[300, 3000, 10000])
    parser.add_argument("--alone", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--place", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if options.alone:
        application = QApplication(["maskstudio"])
        place = options.place
        rows = measure(options.alone, place / "images", place / "settings.json")
        print(json.dumps([asdict(row) for row in rows]))
        application.quit()
        return 0
    rows = []
    for count in options.counts:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
            folder = Path(place, "images")
            folder.mkdir()
            make_project(folder, count)
            command = [sys.executable, __file__, "--alone", str(count), "--place", place]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        rows += [Row(**row) for row in json.loads(done.stdout.splitlines()[-1])]
    print_table(rows)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    return 1 if options.check and not all(row.kept for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
