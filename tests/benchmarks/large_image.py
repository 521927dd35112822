"""How long an image of 20,000 x 20,000 takes to open, how much memory, and how smoothly it moves.

Run by hand through `tests/benchmarks/canvas.py`, or alone.
The real window (offscreen where there is no screen) shows a photo (JPEG) and a TIFF of tiles
(deflate); the first opening, the second and the one with annotations each have a process of their
own. The TIFF is larger than most: its content is noise.
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
from numpy.typing import NDArray
from PySide6.QtWidgets import QApplication

from labeler import FRAME_MS, Labeler, Row, in_a_process, print_json, row, star
from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation, Category
from maskstudio.annotation.edits import CategoryChange, Edit, ImageContent
from maskstudio.session.tiled_image import TiledImage
from maskstudio.storage.opening import open_project

sys.path.insert(0, str(Path(__file__).parents[1]))
from support.tiffs import DEFLATE, deflated, write_tiff

_VERTICES, _ANNOTATIONS = 40, 10_000
_STEPS = 120
_PATCH = 2000
_SIDE = 20_000
_ENDINGS = ("jpg", "tif")
# Milliseconds; with annotations, those are there as well.
_FIRST_PAINT = {"first": 8000, "again": 100, "10,000 annotations": 1000}
_MEMORY = {"first": 2048, "again": 300}


def picture(side: int) -> NDArray[np.uint8]:
    """Return soft patches of many colours under fine noise, (side, side, 3) uint8."""
    random = np.random.default_rng(0)
    pixels = np.empty((side, side, 3), np.uint8)
    noise = random.integers(-6, 7, (_PATCH, _PATCH, 3), np.int16)
    for top in range(0, side, _PATCH):
        for left in range(0, side, _PATCH):
            coarse = random.integers(0, 256, (40, 40, 3), np.uint8)
            patch = cv2.resize(coarse, (_PATCH, _PATCH), interpolation=cv2.INTER_CUBIC)
            seen = pixels[top : top + _PATCH, left : left + _PATCH]
            patch = np.clip(patch + noise, 0, 255).astype(np.uint8)
            seen[:] = patch[: seen.shape[0], : seen.shape[1]]
    return pixels


def make_images(place: Path, side: int) -> None:
    """Write both images, each into a folder of its own with a small one before it."""
    pixels = picture(side)
    for ending in _ENDINGS:
        folder = place / ending
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / "a.png"), pixels[:100, :100])
        if ending == "jpg":
            how = [cv2.IMWRITE_JPEG_QUALITY, 90]
            cv2.imwrite(str(folder / "b.jpg"), pixels, how)
        else:
            write_tiff(folder / "b.tif", pixels, (512, 512), deflated, DEFLATE)


def annotate(folder: Path, side: int) -> None:
    """Put annotations on the large image."""
    columns = math.isqrt(_ANNOTATIONS)
    pitch = side / columns
    with open_project(folder) as database:
        (image,) = (i for i in database.images() if i.path.startswith("b"))
        category = Category(1, "category")
        change = CategoryChange(None, category)
        database.commit(Edit("Categories", categories=(change,), undoable=False))
        ids = database.take_annotation_ids()
        new = []
        for n in range(_ANNOTATIONS):
            x, y = (n % columns + 0.5) * pitch, (n // columns + 0.5) * pitch
            new.append(Annotation(next(ids), 1, star(x, y, 0.42 * pitch, _VERTICES)))
        database.commit(edits.by_batch(edits.add(ImageContent(image, {}), new)))


def peak_megabytes() -> float:
    """Return the most memory this process has held (Linux only; elsewhere nan)."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return math.nan
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(peak) / 1024


def image_of(labeler: Labeler) -> TiledImage:
    """Return the large image."""
    image = labeler.canvas.image
    if not isinstance(image, TiledImage):
        raise TypeError("the image is not shown from tiles")
    return image


def measure(kind: str, folder: Path, settings: Path) -> list[Row]:
    """Open the large image and, but for the first time, move it about."""
    labeler = Labeler(settings)
    labeler.open(folder, 2)
    labeler.session.show(labeler.session.image_ids[0])
    labeler.rest(0.5)
    name = f"{folder.name} of 20,000 x 20,000"
    wanted = _ANNOTATIONS if kind == "10,000 annotations" else 0
    started = time.perf_counter()
    labeler.verb("next")
    labeler.until(lambda: labeler.seen and len(labeler.session.annotations) == wanted)
    opened = (time.perf_counter() - started) * 1000
    rows = [Row(f"{kind}: to first paint", name, opened, opened, _FIRST_PAINT[kind])]
    labeler.until(lambda: image_of(labeler).complete)
    if kind != "first":
        settle(labeler)
        rows += move_about(labeler, kind, name)
    if kind in _MEMORY:
        held = peak_megabytes()
        rows.append(Row(f"{kind}: most memory, MB", name, held, held, _MEMORY[kind]))
    labeler.window.close()
    return rows


def move_about(labeler: Labeler, kind: str, name: str) -> list[Row]:
    """Pan at several magnifications, then zoom."""
    canvas = labeler.canvas
    rows = []
    pan_bound = 8 if kind == "again" else FRAME_MS
    steps = [(9, 5) if n % 60 < 30 else (-9, -5) for n in range(_STEPS)]
    for words, scale in (("whole image", 0.0), ("60 %", 0.6), ("100 %", 1.0)):
        if scale:
            canvas.zoom(scale / canvas.viewport.scale)
        settle(labeler)
        pans = [labeler.frame(partial(canvas.pan, *step)) for step in steps]
        rows.append(row(f"{kind}: pan, {words}", name, pans, pan_bound))
    canvas.fit()
    settle(labeler)
    notches = [1 if n % 40 < 20 else -1 for n in range(_STEPS)]
    zooms = [labeler.frame(partial(labeler.wheel, notch)) for notch in notches]
    return [*rows, row(f"{kind}: zoom", name, zooms, FRAME_MS)]


def settle(labeler: Labeler) -> None:
    """Wait until everything on the screen is the newest."""
    labeler.until(lambda: image_of(labeler).settled and labeler.canvas.settled)
    labeler.rest(0.1)


def main() -> None:
    """Measure both images in processes of their own, or one thing, and print the rows as JSON."""
    if len(sys.argv) > 1:
        application = QApplication(["maskstudio"])
        kind, folder = sys.argv[1], Path(sys.argv[2])
        print_json(measure(kind, folder, folder.parent / "settings.json"))
        application.quit()
        return
    rows = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        # The pyramids belong to this run alone.
        os.environ |= {"XDG_CACHE_HOME": place, "LOCALAPPDATA": place}
        make_images(Path(place), _SIDE)
        for ending in _ENDINGS:
            folder = Path(place, ending)
            for kind in _FIRST_PAINT:
                if kind == "10,000 annotations":
                    annotate(folder, _SIDE)
                rows += in_a_process(__file__, kind, str(folder))
    print_json(rows)


if __name__ == "__main__":
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    main()
