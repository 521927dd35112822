"""How long a data set of COCO's own size takes to come in and to go out, and how much memory.

Run by hand, with nothing else running: `python tests/benchmarks/formats.py [--check] [--json FILE]
[--images N] [--folder DIR]`. It needs about 5 GB of disk at the whole size of 118,000 images (see
`coco_sized.py`); the bounds of `--check` are those of the whole, whatever N is.

1. plain reading: `json.load` of the file, and `pycocotools.COCO()` of it, for comparison.
2. import: the file is opened, compared with a project that lists the images, and taken in.
3. export: written as COCO (polygons, then run lengths), read back by pycocotools, every mask
   compared with the one in the project, evaluated against itself, moved into place.

Each is a process of its own. Its memory is the most that it and all processes it starts hold at a
time (the proportional set size, sampled five times a second; Linux only).
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from coco_sized import FULL_SIZE, make_coco_sized
from maskstudio.progress import TaskContext

# The modules of the program are imported by the stages: helper processes import this file too.

_SAMPLE_S = 0.2
_IMPORT_S, _EXPORT_S, _MEMORY_MB = 180, 90, 2500
_QUIET = TaskContext()

Figures = dict[str, float]
"""What a stage measured: name to seconds."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    figure: float
    unit: str
    bound: float | None = None

    @property
    def kept(self) -> bool:
        """True when it is within its bound, if it has one."""
        return self.bound is None or self.figure <= self.bound


def read_plainly(folder: Path) -> Figures:
    """Read the file as everybody does."""
    from pycocotools.coco import COCO

    file = folder / "instances.json"
    figures: Figures = {}
    with _timed(figures, "json.load"), file.open(encoding="utf-8") as text:
        json.load(text)
    with _timed(figures, "pycocotools.COCO()"):
        COCO(str(file))
    return figures


def import_it(folder: Path) -> Figures:
    """Take the file into a new project."""
    from maskstudio.formats.sources import open_source
    from maskstudio.session.import_plan import ImportChoices
    from maskstudio.session.importing import carry_out, plan_import
    from maskstudio.storage.folder import list_images
    from maskstudio.storage.opening import open_project

    images = folder / "images"
    figures: Figures = {}
    with open_project(images) as database:
        with _timed(figures, "list the images"):
            database.add_images([image.path for image in list_images(images)])
        with _timed(figures, "import"):
            with _timed(figures, "import: open the file"):
                source = open_source(folder / "instances.json", _QUIET)
            with _timed(figures, "import: preview"):
                plan = plan_import(database, source, _QUIET)
            with _timed(figures, "import: take it in"):
                names = tuple(category.name for category in plan.categories)
                report = carry_out(database, plan, ImportChoices(names), _QUIET)
    print(*report.sentences(), sep="\n", file=sys.stderr)
    return figures


def export_it(folder: Path, style: str) -> Figures:
    """Export the project as one COCO file."""
    from maskstudio.annotation.annotation import ImageState
    from maskstudio.formats.options import ExportFormat, ExportOptions, SegmentationStyle
    from maskstudio.session.exporting import export
    from maskstudio.storage.opening import open_project

    states = tuple(ImageState)
    options = ExportOptions(ExportFormat.COCO, states, segmentation=SegmentationStyle(style))
    figures: Figures = {}
    with open_project(folder / "images") as database, _timed(figures, f"export, {style}"):
        report = export(database, folder / f"{style}.json", options, _Stages(figures, style))
    print(*report.sentences(), sep="\n", file=sys.stderr)
    return figures


STAGES: dict[str, Callable[[Path], Figures]] = {
    "read": read_plainly,
    "import": import_it,
    "export-polygon": lambda folder: export_it(folder, "polygon"),
    "export-rle": lambda folder: export_it(folder, "rle"),
}

_BOUNDS = {"import": _IMPORT_S, "export, polygon": _EXPORT_S, "export, rle": _EXPORT_S}


class _Stages(TaskContext):
    """Notes how long the work spends on what it says it is doing."""

    def __init__(self, figures: Figures, name: str) -> None:
        self._figures = figures
        self._name = name
        self._since = time.perf_counter()
        self._doing = ""

    def report(self, done: int, total: int, note: str = "") -> None:
        del done, total
        now = time.perf_counter()
        doing = f"export, {self._name}: {self._doing or 'preparing'}"
        self._figures[doing] = self._figures.get(doing, 0.0) + now - self._since
        self._since, self._doing = now, note


@contextmanager
def _timed(figures: Figures, name: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    figures[name] = time.perf_counter() - began


def measure(name: str, folder: Path) -> list[Row]:
    """Run a stage in a process of its own."""
    command = [sys.executable, __file__, "--stage", name, "--folder", str(folder)]
    most = 0.0
    before = os.times()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            most = max(most, sum(map(_megabytes, _tree(process.pid))))
            time.sleep(_SAMPLE_S)
        if process.returncode or process.stdout is None:
            raise SystemExit(f"{name} failed")
        figures: Figures = json.loads(process.stdout.read())
    after = os.times()
    rows = [Row(what, took, "s", _BOUNDS.get(what)) for what, took in figures.items()]
    used = after.children_user + after.children_system
    used -= before.children_user + before.children_system
    bound = None if name == "read" else _MEMORY_MB
    return [*rows, Row(f"{name}: processor", used, "s"), Row(f"{name}: memory", most, "MB", bound)]


def _tree(process: int) -> Iterator[int]:
    """Yield a process and all it has started."""
    yield process
    for children in Path("/proc", str(process), "task").glob("*/children"):
        try:
            found = children.read_text(encoding="ascii").split()
        except OSError:  # it has ended meanwhile
            continue
        for child in found:
            yield from _tree(int(child))


def _megabytes(process: int) -> float:
    """Return what a process holds, its share of what it holds together with others."""
    try:
        text = Path("/proc", str(process), "smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return (
        next(float(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024
    )


def about_this_run(images: int, annotations: int, file: Path) -> dict[str, Any]:
    """Say what the figures were taken on."""
    return {
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "load": os.getloadavg() if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "images": images,
        "annotations": annotations,
        "file MB": round(file.stat().st_size / 1e6),
    }


def print_rows(rows: list[Row]) -> None:
    """Print the figures."""
    for row in rows:
        bound = "" if row.bound is None else f"bound {row.bound:,.0f}"
        missed = "" if row.kept else "  missed"
        print(f"{row.what:<48}{row.figure:>10,.1f} {row.unit:<3}{bound:>14}{missed}")


def main() -> int:
    """Measure, print, and with `--check` judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit with 1 when a bound is missed")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--images", type=int, default=FULL_SIZE)
    parser.add_argument("--folder", type=Path, help="where to work; else a temporary folder")
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        sys.stdout, out = sys.stderr, sys.stdout  # pycocotools prints
        out.write(json.dumps(STAGES[options.stage](options.folder)))
        return 0
    with tempfile.TemporaryDirectory(dir=options.folder, ignore_cleanup_errors=True) as place:
        folder = Path(place)
        file, annotations = make_coco_sized(folder, options.images)
        about = about_this_run(options.images, annotations, file)
        print(", ".join(f"{key} {value}" for key, value in about.items()), flush=True)
        rows = [row for name in STAGES for row in measure(name, folder)]
    print_rows(rows)
    if options.json:
        figures = {"run": about, "rows": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 1 if options.check and not all(row.kept for row in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main())
