"""What is imported when: torch takes seconds and Qt may not be there at all."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "torchvision", "timm", "PySide6", "sqlalchemy")
# What takes a third of the start of the window to load.
LIGHTER = ("numpy", "cv2", "shapely", "msgspec", "PIL")


def loaded_by(code: str, among: tuple[str, ...] = HEAVY) -> set[str]:
    """Run code in a fresh interpreter; return which of some packages it loaded."""
    code += f"\nimport sys\nprint('loaded:', *(set({among!r}) & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_the_domain_formats_and_storage_load_neither_torch_nor_qt() -> None:
    modules = (
        "maskstudio.annotation.detections",
        "maskstudio.annotation.overlay",
        "maskstudio.formats.coco",
        "maskstudio.formats.gate",
        "maskstudio.storage.project",
    )
    assert loaded_by(f"import {', '.join(modules)}") == {"sqlalchemy"}


def test_prediction_and_export_need_no_qt() -> None:
    modules = (
        "maskstudio.mask_rcnn.predictor",
        "maskstudio.mask_rcnn.batch",
        "maskstudio.mask_rcnn.trainer",
        "maskstudio.mask_rcnn.evaluator",
        "maskstudio.mask_rcnn.measuring",
        "maskstudio.session.exporting",
        "maskstudio.session.validation_set",
    )
    loaded = loaded_by(f"import {', '.join(modules)}")
    assert "torch" in loaded
    assert "PySide6" not in loaded


@pytest.mark.parametrize(
    "arguments", ["--help", "--version", "predict --help", "train --help", "evaluate --help"]
)
def test_help_loads_nothing_heavy(arguments: str) -> None:
    code = f"""
import runpy, sys
sys.argv = ["maskstudio", *{arguments.split()!r}]
try:
    runpy.run_module("maskstudio", run_name="__main__")
except SystemExit as end:
    assert not end.code, end.code
"""
    assert loaded_by(code) == set()


def test_the_settings_of_training_load_no_torch() -> None:
    assert loaded_by("import maskstudio.mask_rcnn.settings") == set()


def test_an_empty_window_loads_qt_only(tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from maskstudio.app import build
app = build(["maskstudio"], Path({str(tmp_path / "settings.json")!r}))
app.window.grab()
app.close()
"""
    assert loaded_by(code, (*HEAVY, *LIGHTER)) == {"PySide6"}
