"""How long the window stands still while the model is loaded, at work, and cancelled.

Run by hand, on a machine that does nothing else, from the root of the repository:
`python tests/benchmarks/responsiveness.py [--check] [--json FILE] [--images DIR] [--model NAME]`.
It starts the real program (offscreen where there is no screen) on copies of the images and lets a
timer of 1 ms tick on the GUI thread: the time between two ticks is how long a hand would have
waited. `--trace` says where the gaps over 50 ms come from.

a  the model is loaded for the first time: torch is imported, the weights are read;
b  each image is predicted (I), its result stored and shown;
c  the folder is predicted (Ctrl+B) while the pointer moves, the wheel turns and images change;
d  from pressing Cancel to the end of the run: the embedded model, and a ResNet-50 with random
   weights, one image of which takes a CPU several seconds.
"""

import argparse
import json
import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QTimer, qVersion
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from heartbeat import Gap, Heartbeat, Tracer
from labeler import Labeler
from maskstudio.resources import resource_path

_BOUNDS_MS = {"a": 350.0, "b": 50.0, "c": 50.0, "d": 1500.0}
_CANCEL_AFTER_S = (0.2, 0.5, 0.9)
_LARGE = "maskrcnn_resnet50_fpn"
_PATIENCE_S = 600.0


@dataclass(frozen=True)
class Row:
    """One line of the table; times in milliseconds."""

    what: str
    count: int
    p50: float
    p95: float
    max: float
    bound: float

    @property
    def kept(self) -> bool:
        return self.max <= self.bound


class User(Labeler):
    """The program with somebody in front of it, and a model."""

    def __init__(self, place: Path, model: str) -> None:
        super().__init__(place / "settings.json", (1400, 900))
        self.annotator = self.app.annotator
        self.model = model
        self._steps = 0

    def load(self, model: str) -> None:
        """Load a model."""
        loaded: list[bool] = []
        self.annotator.model_loaded.connect(lambda: loaded.append(True))
        self.annotator.use_model(model)
        self.until(lambda: bool(loaded))

    def show(self, image_id: int) -> None:
        """Go to an image."""
        self.session.show(image_id)
        self.until(self._shown)
        self.rest(0.2)

    def predict(self) -> None:
        """Press I and wait until the result is on the screen."""
        self.window.verbs["predict"].trigger()
        self.until(lambda: not self.annotator.running and self._shown())
        self.rest(0.1)

    def predict_folder(self) -> None:
        """Press Ctrl+B and use the window until the end."""
        hand = QTimer(interval=16)
        hand.timeout.connect(self._use)
        self.window.verbs["predict_folder"].trigger()
        hand.start()
        self.until(lambda: not self.annotator.running)
        hand.stop()

    def cancel(self, after_s: float) -> float:
        """Begin a run, cancel it in the middle of an image; return the seconds until its end."""
        ended: list[float] = []
        self.annotator.finished.connect(lambda _: ended.append(time.perf_counter()))
        self.window.verbs["predict_folder"].trigger()
        self.until(self._at_work)
        self.rest(after_s)
        pressed = time.perf_counter()
        self.window.verbs["cancel"].trigger()
        self.until(lambda: bool(ended))
        return ended[-1] - pressed

    def _shown(self) -> bool:
        return self.canvas.has_image and self.canvas.settled

    def _at_work(self) -> bool:
        progress = self.annotator.progress()
        return progress is not None and progress.note == "running the model"

    def _use(self) -> None:
        """Move the pointer in circles, zoom in and out, go to the next image."""
        self._steps += 1
        step = self._steps
        middle = self.canvas.rect().center()
        reach = min(middle.x(), middle.y()) * 0.8
        around = QPoint(round(reach * math.cos(step / 9)), round(reach * math.sin(step / 7)))
        QTest.mouseMove(self.canvas, middle + around)
        if step % 10 == 0:
            self.wheel(1 if step % 40 < 20 else -1, QPointF(middle + around))
        if step % 60 == 0:
            ids = self.session.image_ids
            self.session.show(ids[step // 60 % len(ids)])


def save_large_model(path: Path) -> None:
    """Save a ResNet-50 with random weights, in a process of its own: torch is to be new here."""
    code = (
        "import sys, torch\n"
        "from pathlib import Path\n"
        "from maskstudio.annotation.annotation import Category\n"
        "from maskstudio.mask_rcnn.architectures import build, default_architecture\n"
        "from maskstudio.mask_rcnn.model_file import ModelInfo, save_model\n"
        "torch.manual_seed(0)\n"
        f"architecture = default_architecture({_LARGE!r})\n"
        "weights = build(architecture, 1).state_dict()\n"
        "info = ModelInfo('random', architecture, (Category(1, 'thing'),))\n"
        "save_model(Path(sys.argv[1]), info, weights)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)


def measure(heartbeat: Heartbeat, images: Path, model: str, place: Path) -> list[Row]:
    """Go through all phases."""
    names = sorted(p.name for p in images.iterdir() if p.suffix.lower() in (".png", ".jpg"))
    folders = [place / name for name in ("images", "again", "cancelled", "slow")]
    for folder in folders:
        folder.mkdir()
        for name in names:
            shutil.copyfile(images / name, folder / name)
    save_large_model(place / "large.safetensors")
    if "torch" in sys.modules:
        raise RuntimeError("torch is loaded already, so its import cannot be measured")
    user = User(place, model)
    user.open(folders[0], len(names))
    with heartbeat.phase("a  loading the model"):
        user.load(model)
    for image_id in user.session.image_ids:
        user.show(image_id)
        with heartbeat.phase("b  pre-annotating an image"):
            user.predict()
    user.open(folders[1], len(names))
    with heartbeat.phase("c  pre-annotating the folder"):
        user.predict_folder()
    rows = [summarise(what, times) for what, times in heartbeat.gaps.items()]
    user.open(folders[2], len(names))
    rows.append(measure_cancelling(user, f"d  cancelling {model}"))
    user.load(str(place / "large.safetensors"))
    user.open(folders[3], len(names))
    rows.append(measure_cancelling(user, f"d  cancelling {_LARGE}"))
    user.window.close()
    return rows


def measure_cancelling(user: User, what: str) -> Row:
    """Cancel several times, at other places of the network."""
    return summarise(what, [user.cancel(after) * 1000 for after in _CANCEL_AFTER_S])


def summarise(what: str, milliseconds: list[float]) -> Row:
    """Make a line of the table."""
    p50, p95 = np.percentile(milliseconds, (50, 95))
    bound = _BOUNDS_MS[what[0]]
    return Row(what, len(milliseconds), float(p50), float(p95), max(milliseconds), bound)


def print_table(rows: list[Row]) -> None:
    """Print the figures."""
    print(f"{'ms':<40}{'ticks':>8}{'p50':>9}{'p95':>9}{'max':>9}{'bound':>9}")
    for row in rows:
        sign = "" if row.kept else "  too long"
        numbers = f"{row.p50:>9.1f}{row.p95:>9.1f}{row.max:>9.1f}{row.bound:>9.0f}"
        print(f"{row.what:<40}{row.count:>8,}{numbers}{sign}")


def print_gaps(gaps: list[Gap]) -> None:
    """Print when the GUI thread stood still and, where that was traced, in which code."""
    for gap in sorted(gaps, key=lambda gap: -gap.milliseconds):
        print(f"{gap.milliseconds:.0f} ms, {gap.after_s:.2f} s into «{gap.phase}»")
        for line in gap.trace:
            print(f"    {line}")


def choose_platform() -> None:
    """Paint offscreen where there is no screen."""
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def about_this_machine() -> dict[str, object]:
    """Say what the figures were taken on."""
    return {
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg() if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "qt": qVersion(),
    }


def main() -> int:
    """Measure, print, and with `--check` judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit with 1 when a bound is missed")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--images", type=Path, default=resource_path("samples", "nuclei"))
    parser.add_argument("--model", default="nuclei")
    parser.add_argument("--trace", action="store_true", help="say where long gaps come from")
    options = parser.parse_args()
    choose_platform()
    application = QApplication(["maskstudio"])
    machine = about_this_machine()
    tracer = Tracer() if options.trace else None
    if tracer is not None:
        tracer.start()
    heartbeat = Heartbeat(tracer)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        rows = measure(heartbeat, options.images, options.model, Path(place))
    print(", ".join(f"{key} {value}" for key, value in machine.items()))
    print_table(rows)
    print_gaps(heartbeat.long)
    if tracer is not None:
        tracer.end()
    if options.json:
        figures = {"machine": machine, "rows": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    application.quit()
    return 1 if options.check and not all(row.kept for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
