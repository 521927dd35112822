"""What benchmarks that drive the window over a folder are asked for, and how they tell."""

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from PySide6.QtWidgets import QApplication

from labeler import Row, print_table
from maskstudio.resources import resource_path
from responsiveness import about_this_machine, choose_platform


def run_on_images(description: str, measure: Callable[[Path, str, Path], list[Row]]) -> int:
    """Measure, print, and with `--check` judge; return the exit code.

    Args:
        description: what `--help` says.
        measure: takes a folder of images, a model and a place for what it writes.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="exit with 1 when a bound is missed")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--images", type=Path, default=resource_path("samples", "nuclei"))
    parser.add_argument("--model", default="nuclei")
    options = parser.parse_args()
    choose_platform()
    application = QApplication(["maskstudio"])
    machine = about_this_machine()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        rows = measure(options.images, options.model, Path(place))
    print(", ".join(f"{key} {value}" for key, value in machine.items()))
    print_table(rows)
    if options.json:
        figures = {"machine": machine, "rows": [asdict(one) for one in rows]}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    application.quit()
    return 1 if options.check and not all(one.kept for one in rows) else 0
