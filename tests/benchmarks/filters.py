"""How long a step of each filter slider keeps the window, with 500 detections on the image.

Run by hand, on a machine that does nothing else, from the root of the repository:
`python tests/benchmarks/filters.py [--check] [--json FILE]`.
The real window (offscreen where there is no screen) shows a picture of 1600 x 1200 for which 500
detections of ten categories, with soft masks, were stored at score 0.05 and more. Each slider is
held and moved over its stops to and fro; a step is timed from the slider's new place until all that
follows from it on the GUI thread is done: filtering, the preview, painting, and, for the mask
threshold, taking in the outlines that were traced on their lane meanwhile.

Letting go is timed likewise, until the edit is written and shown; for the mask threshold without
the time the lane takes to trace what is missing.
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PySide6.QtWidgets import QApplication

from labeler import FRAME_MS, Labeler, Row, print_table, row
from maskstudio.annotation.annotation import Category
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.detections import Detections, outline
from maskstudio.progress import TaskContext
from maskstudio.session.detection_filtering import DetectionFiltering
from maskstudio.ui.panels.filter_slider import FilterSlider
from responsiveness import about_this_machine, choose_platform

COUNT = 500
_HEIGHT, _WIDTH = 1200, 1600
_CATEGORIES = 10
_STEPS = 60
_LETTING_GO_MS = 100.0


def detections() -> Detections:
    """Return detections in clumps, so that many overlap, best score first."""
    rng = np.random.default_rng(7)
    middles = np.repeat(rng.uniform(60, (_WIDTH - 60, _HEIGHT - 60), (COUNT // 5, 2)), 5, axis=0)
    middles += rng.normal(0, 18, middles.shape)
    sides = rng.uniform(24, 90, (COUNT, 2))
    boxes = np.concatenate([middles - sides / 2, middles + sides / 2], axis=1)
    boxes = np.clip(boxes, 0, (_WIDTH, _HEIGHT, _WIDTH, _HEIGHT))
    y, x = np.mgrid[:28, :28] - 13.5
    softness = rng.uniform(0.5, 4, COUNT)[:, None, None]
    wave = 1 + 0.2 * np.sin(rng.integers(2, 6, COUNT)[:, None, None] * np.arctan2(y, x))
    masks = 255 / (1 + np.exp((np.hypot(x, y) * wave - 11) / softness))
    categories = tuple(Category(n + 1, f"category {n}") for n in range(_CATEGORIES))
    return Detections(
        "benchmark",
        (_HEIGHT, _WIDTH),
        boxes.astype(np.float32),
        rng.integers(0, _CATEGORIES, COUNT),
        np.sort(rng.uniform(0.05, 1, COUNT))[::-1].astype(np.float32),
        masks.astype(np.uint8),
        categories,
    )


def filtering_of(labeler: Labeler) -> DetectionFiltering:
    """Return what the sliders of the window work on."""
    found = labeler.app.findChild(DetectionFiltering)
    if not isinstance(found, DetectionFiltering):
        raise TypeError("the program has no filter of detections")
    return found


def sweep(labeler: Labeler, slider: FilterSlider) -> list[float]:
    """Hold a slider and move it over its stops; return the milliseconds of each step."""
    wide = slider.slider
    low, high, start = wide.minimum(), wide.maximum(), wide.value()
    way = [*range(start, low, -1), *range(low, high), *range(high, start, -1)]
    picked = [way[n] for n in np.linspace(0, len(way) - 1, min(_STEPS, len(way))).astype(int)]
    wide.setSliderDown(True)
    return [labeler.frame(partial(wide.setValue, stop)) for stop in picked]


def let_go(labeler: Labeler, slider: FilterSlider) -> float:
    """Let go of a slider beside where it was; return the milliseconds until it is the truth."""
    filtering = filtering_of(labeler)
    wide = slider.slider
    aside = -2 if wide.value() - 2 >= wide.minimum() else 2
    wide.setValue(wide.value() + aside)
    labeler.until(lambda: not filtering.tracing)
    started = time.perf_counter()
    wide.setSliderDown(False)
    QApplication.processEvents()
    took = (time.perf_counter() - started) * 1000
    labeler.until(lambda: filtering.preview is None)
    labeler.settle()
    return took


def measure(place: Path) -> list[Row]:
    """Move every slider."""
    folder = place / "images"
    folder.mkdir()
    rng = np.random.default_rng(1)
    small = rng.integers(60, 200, (_HEIGHT // 8, _WIDTH // 8, 3), np.uint8)
    cv2.imwrite(str(folder / "a.png"), cv2.resize(small, (_WIDTH, _HEIGHT)))
    labeler = Labeler(place / "settings.json", (1366, 768))
    labeler.open(folder, 1)
    found = outline(detections(), TaskContext())
    filtering = filtering_of(labeler)
    filtering.commit(DetectionFilter(min_score=0.05))
    filtering.store(labeler.session.image_ids[0], found, undoable=True)
    labeler.settle()
    panel = labeler.window.model.filters
    panel.fold.setChecked(True)
    sliders = {"score": panel.score, **panel.more}
    first_category, own = next(iter(panel.categories.items()))
    sliders[f"score of {first_category}"] = own
    rows = []
    for name, slider in sliders.items():
        times = sweep(labeler, slider)
        rows.append(
            row(f"a step of {name.replace('_', ' ')}", f"{len(times)} steps", times, FRAME_MS)
        )
        took = let_go(labeler, slider)
        rows.append(row("    let go of", "once", [took], _LETTING_GO_MS))
        labeler.session.undo()
        labeler.settle()
    labeler.window.close()
    return rows


def main() -> int:
    """Measure, print, and with `--check` judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit with 1 when a bound is missed")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    choose_platform()
    application = QApplication(["maskstudio"])
    machine = about_this_machine()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        rows = measure(Path(place))
    print(", ".join(f"{key} {value}" for key, value in machine.items()))
    print_table(rows)
    if options.json:
        figures = {"machine": machine, "rows": [asdict(one) for one in rows]}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    application.quit()
    return 1 if options.check and not all(one.kept for one in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
