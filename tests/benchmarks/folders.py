"""How long it takes to start, to open large folders and to step through them, and what memory.

Run by hand through `tests/benchmarks/canvas.py`, or alone:
`python tests/benchmarks/folders.py PART`, where PART is one of the names in `PARTS`.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from heartbeat import Heartbeat
from labeler import Labeler, Row, megabytes, print_json, row

_STARTS = 7
_PHOTO_WH = 4000, 3000
_KEY_REPEAT_S = 1 / 30
_DWELL_S = 1.0
_WALK, _WARM_UP = 2000, 400
_MOST_LINKS = 30_000

# What `maskstudio` does, until the first frame is painted.
_START = """
import sys, time
from PySide6.QtWidgets import QApplication
import maskstudio.cli

def first_frame():
    for _ in range(3):
        QApplication.processEvents()
    pages = int(open("/proc/self/statm").read().split()[1])
    print(time.time() - float(sys.argv[1]), pages * 4096 / 2**20, flush=True)
    import os
    os._exit(0)

QApplication.exec = staticmethod(first_frame)
maskstudio.cli.open_window()
"""


def start() -> list[Row]:
    """Start the program several times."""
    seconds, memory = [], []
    with tempfile.TemporaryDirectory() as home:
        # A person's own settings and last folder are not to be met.
        environment = os.environ | {"HOME": home, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home}
        # An installed program is there as bytecode; sources compiled at every start are not warm.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for _ in range(_STARTS):
            command = [sys.executable, "-c", _START, str(time.time())]
            done = subprocess.run(
                command, env=environment, stdout=subprocess.PIPE, text=True, check=True
            )
            took, held = (float(number) for number in done.stdout.split()[-2:])
            seconds.append(took * 1000)
            memory.append(held)
    median = statistics.median
    return [
        Row("start to window, warm (median)", "", median(seconds), median(seconds), 400),
        Row("memory then, MB", "", median(memory), max(memory), 130),
    ]


def large_folder() -> list[Row]:
    """Open a folder nobody has opened before."""
    with _folder(100_000, _small_photo()) as (folder, settings):
        labeler = Labeler(settings)
        labeler.rest(1)
        heartbeat = Heartbeat(None)
        began = time.perf_counter()
        with heartbeat.phase("listing"):
            labeler.app.open_folder(folder)
            labeler.until(lambda: labeler.seen)
            first = (time.perf_counter() - began) * 1000
            labeler.until(lambda: len(labeler.session.image_ids) == 100_000)
            complete = (time.perf_counter() - began) * 1000
            labeler.rest(0.5)
        gaps = heartbeat.gaps["listing"]
        again = time.perf_counter()
        labeler.session.close()
        labeler.app.open_folder(folder)
        labeler.until(lambda: labeler.seen)
        once_more = (time.perf_counter() - again) * 1000
        labeler.window.close()
    name = "100,000 images"
    return [
        Row("open a folder: first image on the screen", name, first, first, 1000),
        Row("the same, known already", name, once_more, once_more, 1000),
        Row("list complete", name, complete, complete, 10_000),
        Row("longest time the window stands still meanwhile", name, max(gaps), max(gaps), 250),
    ]


def many_images() -> list[Row]:
    """Step through a folder of many small images."""
    with _folder(20_000, _small_photo()) as (folder, settings):
        labeler = Labeler(settings)
        labeler.open(folder, 20_000)
        times = []
        for _ in range(60):
            times.append(_step(labeler))
            labeler.rest(0.15)
        labeler.window.close()
    return [row("next image", "20,000 images", times, 10)]


def photos() -> list[Row]:
    """Step through photos of 12 megapixels, looking at each, and with the key held."""
    with _folder(60, _photo()) as (folder, settings):
        labeler = Labeler(settings)
        labeler.open(folder, 60)
        times = []
        # Of twenty steps p95 would be the slowest: what the machine does besides, now and then.
        for _ in range(55):
            labeler.rest(_DWELL_S / 2)
            times.append(_step(labeler))
        labeler.session.show(labeler.session.image_ids[0])
        labeler.rest(2)
        held = _hold(labeler, 40)
        labeler.window.close()
    name = "12 megapixels"
    return [
        row("next image, decoded ahead", name, times, 15),
        row("next image, key held", name, held, 110),
    ]


def walk() -> list[Row]:
    """Step through a folder for so long that a leak would show, with a look at every tenth image.

    What a hand hurries past is shown at half its size only and let go of again.
    """
    with _folder(300, _photo()) as (folder, settings):
        labeler = Labeler(settings)
        labeler.open(folder, 300)
        held = []
        for step in range(_WALK):
            labeler.verb("next" if step // 299 % 2 == 0 else "previous")
            labeler.until(lambda: labeler.seen)
            if step % 10 == 0:
                labeler.rest(_DWELL_S)
            if step >= _WARM_UP and step % 10 == 0:
                held.append(megabytes())
        labeler.window.close()
    # From look to look it goes up and down by a tenth, as the allocator gives memory back or not.
    third = len(held) // 3
    first, last = statistics.median(held[:third]), statistics.median(held[-third:])
    grown = 100 * (last / first - 1)
    name = f"{_WALK:,} steps"
    return [
        Row("memory grown after warm-up, %", name, grown, grown, 5),
        Row("memory while stepping, MB", name, last, max(held), 1024),
    ]


PARTS: dict[str, Callable[[], list[Row]]] = {
    "start": start,
    "large_folder": large_folder,
    "many_images": many_images,
    "photos": photos,
    "walk": walk,
}


def _step(labeler: Labeler) -> float:
    """Go to the next image; return the milliseconds until it was painted."""
    shown = labeler.session.current
    started = time.perf_counter()
    labeler.verb("next")
    QApplication.processEvents()
    if not labeler.seen:
        labeler.until(lambda: labeler.seen)
    took = (time.perf_counter() - started) * 1000
    if labeler.session.current is shown:
        raise AssertionError("the key did nothing")
    return took


def _hold(labeler: Labeler, steps: int) -> list[float]:
    """Hold the key down; return the milliseconds from each step to its picture."""
    session, canvas = labeler.session, labeler.canvas
    canvas.setFocus()
    none = Qt.KeyboardModifier.NoModifier
    times: list[float] = []
    asked: list[float] = []
    session.current_changed.connect(lambda: asked.append(time.perf_counter()))

    def look() -> None:
        if asked and labeler.seen:
            times.append((time.perf_counter() - asked[0]) * 1000)
            asked.clear()

    eyes = QTimer(interval=1)
    eyes.timeout.connect(look)
    eyes.start()
    QTest.simulateEvent(canvas, True, Qt.Key.Key_D.value, none, "d", False)
    while len(times) < steps:
        labeler.rest(_KEY_REPEAT_S)
        QTest.simulateEvent(canvas, True, Qt.Key.Key_D.value, none, "d", True)
    eyes.stop()
    return times


def _small_photo() -> list[bytes]:
    return [_jpeg((320, 240), 1)]


def _photo() -> list[bytes]:
    return [_jpeg(_PHOTO_WH, seed) for seed in range(5)]


def _jpeg(size_wh: tuple[int, int], seed: int) -> bytes:
    """Return a picture with detail of several sizes, as photos have."""
    width, height = size_wh
    random = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for divisor, strength in ((64, 90), (16, 60), (4, 30), (1, 6)):
        size = max(2, height // divisor), max(2, width // divisor), 3
        noise = random.uniform(0, strength, size).astype(np.float32)
        picture += cv2.resize(noise, size_wh, interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", picture.clip(0, 255).astype(np.uint8))[1].tobytes()


@contextmanager
def _folder(count: int, pictures: list[bytes]) -> Iterator[tuple[Path, Path]]:
    """Make a folder of images that share their bytes on the disk; yield it and a settings file."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        folder = Path(place, "images")
        folder.mkdir()
        for number in range(count):
            path = folder / f"img_{number:06}.jpg"
            like = number - len(pictures)
            # A file may have so many names only, and not on every disk.
            if like < 0 or number % _MOST_LINKS < len(pictures):
                path.write_bytes(pictures[number % len(pictures)])
            else:
                os.link(folder / f"img_{like:06}.jpg", path)
        yield folder, Path(place, "settings.json")


if __name__ == "__main__":
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication(["maskstudio"])
    print_json(PARTS[sys.argv[1]]())
    application.quit()
