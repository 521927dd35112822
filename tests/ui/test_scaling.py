"""On screens of two device pixels for one point everything is drawn in device pixels."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]

_SCRIPT = """
import json, sys
from pathlib import Path
import numpy as np
from PIL import Image
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from maskstudio import app
from maskstudio.annotation.segmentation import Segmentation
from support.fakes import FakePredictor
from support.hand import Hand
from support.outlines import put

place = Path(sys.argv[1])
images = place / "images"
images.mkdir()
checks = (np.indices((300, 400)).sum(0) % 2 * 255).astype(np.uint8)
Image.fromarray(checks).save(images / "a.png")
built = app.build(["maskstudio"], place / "settings.json", lambda _: FakePredictor())
window, canvas = built.window, built.window.canvas
window.setWindowState(Qt.WindowState.WindowNoState)
window.resize(1101, 703)
window.show()
built.open_folder(images)

def until(condition):
    for _ in range(500):
        QTest.qWait(10)
        if condition():
            return
    raise SystemExit("waited in vain")

until(lambda: canvas.has_image)
canvas.zoom_to_pixels()
canvas.pan(13, 7)

def shot(name):
    until(lambda: canvas.settled)
    image = canvas.grab().toImage()
    image.save(str(place / name))
    return image

plain = shot("plain.png")
square = Segmentation.from_rings([(40, 40), (140, 40), (140, 140), (40, 140)])
put(built.session, square)
shot("outline.png")
built.session.select(built.session.annotations)
Hand(canvas).move((90, 90))
shot("selected.png")
pixmap = window.verbs["polygon"].icon().pixmap(QSize(22, 22), window.devicePixelRatioF())
told = {
    "ratio": canvas.devicePixelRatioF(),
    "grabbed": plain.devicePixelRatio(),
    "corner": canvas.viewport.to_screen(0, 0),
    "scale": canvas.viewport.scale,
    "said": window.status.zoom.text(),
    "icon": [pixmap.width(), pixmap.devicePixelRatio()],
}
(place / "told.json").write_text(json.dumps(told))
window.close()
"""


@pytest.fixture(scope="module", params=["1", "1.5", "2"])
def scaled(request, tmp_path_factory):
    """What a program showed that ran with so many device pixels for a point."""
    place = tmp_path_factory.mktemp("scaled")
    environment = os.environ | {
        "QT_SCALE_FACTOR": request.param,
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
        "HOME": str(place),
        "XDG_CONFIG_HOME": str(place),
        "XDG_DATA_HOME": str(place),
    }
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(place)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads((place / "told.json").read_text(encoding="utf-8"))
    assert told["ratio"] == float(request.param)
    return place, told


def picture(place, name):
    """(height, width, 3) of what was shown, device pixels."""
    from PIL import Image

    return np.asarray(Image.open(place / name).convert("RGB")).astype(int)


def device(told, x, y):
    """The device pixel that an image pixel is shown as, at 100 %."""
    ratio = told["ratio"]
    left, top = told["corner"]
    return round(left * ratio) + x, round(top * ratio) + y


def test_at_100_percent_a_pixel_of_the_image_is_one_of_the_screen(scaled):
    place, told = scaled
    assert told["scale"] * told["ratio"] == pytest.approx(1)
    assert told["said"] == "100 %"
    for at in told["corner"]:
        assert at * told["ratio"] == pytest.approx(round(at * told["ratio"]), abs=1e-6)
    shown = picture(place, "plain.png")
    x, y = device(told, 0, 0)
    seen = shown[y : y + 300, x : x + 400, 0]
    assert seen.shape == (300, 400)
    assert (seen == np.indices((300, 400)).sum(0) % 2 * 255).all()


@pytest.mark.parametrize("name", ["outline.png", "selected.png"])
def test_an_outline_is_crisp(scaled, name):
    """Across a straight edge it begins and ends within a few device pixels, and hides no others."""
    place, told = scaled
    changed = (picture(place, name) != picture(place, "plain.png")).any(axis=2)
    x, y = device(told, 40, 70)
    across = changed[y, x - 20 : x]
    touched = np.flatnonzero(across)
    assert 0 < len(touched) <= round(4 * told["ratio"])
    # One line: nothing is smeared out beside it.
    assert (np.diff(touched) == 1).all()
    assert touched[-1] == 19


def test_icons_have_as_many_pixels_as_the_screen(scaled):
    _, told = scaled
    width, ratio = told["icon"]
    assert ratio == told["ratio"]
    assert width == round(22 * told["ratio"])
