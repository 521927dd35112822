"""How quick the canvas is while the model goes over the folder, and while it learns.

Run by hand, on a machine that does nothing else, from the root of the repository:
`python tests/benchmarks/busy_window.py [--check] [--json FILE] [--images DIR] [--model NAME]`.
The real program (offscreen where there is no screen) shows an image with many annotations, which is
panned, zoomed, and on which one is dragged: first with nothing else to do, then while the model
goes over the folder (Ctrl+B), then while it learns from images verified before. A frame is what the
GUI thread takes from the event to the painted canvas; between two frames the program has the rest
of a sixtieth of a second, as in life.

`stored` says how many annotations the run put on an image.
"""

import itertools
import math
import shutil
import sys
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPointF

from labeler import FRAME_MS, Labeler, Row, row, star
from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation, Category
from maskstudio.annotation.edits import CategoryChange, Edit
from maskstudio.session.learning import Learning
from on_images import run_on_images

_COPIES = 60
_FRAMES, _IMAGES = 250, 3
_SHOWN, _VERTICES = 500, 40
_LESSONS = 4
_NO_BOUND = float("inf")


class Hand(Labeler):
    """Somebody who uses the canvas while the model is at work."""

    def __init__(self, place: Path, model: str) -> None:
        super().__init__(place / "settings.json", (1400, 900))
        self._middle = QPointF()
        loaded: list[bool] = []
        self.app.annotator.model_loaded.connect(lambda: loaded.append(True))
        self.app.annotator.use_model(model)
        self.until(lambda: bool(loaded))

    def fill(self) -> None:
        """Put many annotations on the current image, and keep the run away from it."""
        session = self.session
        current = session.current
        assert current is not None
        ids = session.require_database().take_annotation_ids()
        if not session.categories:
            made = (CategoryChange(None, Category(1, "thing")),)
            session.edit(Edit("Add category", categories=made))
        category = session.categories[0].id
        side = math.isqrt(_SHOWN) + 1
        across, down = current.width / side, current.height / side
        places = [((n % side + 0.5) * across, (n // side + 0.5) * down) for n in range(_SHOWN)]
        stars = [star(*place, across / 3, _VERTICES) for place in places]
        new = [Annotation(next(ids), category, outline) for outline in stars]
        session.edit(edits.add(session.content(current.id), new))
        self.settle()
        self._middle = self.screen(*places[side * (side // 2) + side // 2])

    def pan(self) -> Generator[float, None, None]:
        """Drag the picture about; yield the milliseconds of each frame."""
        for n in itertools.count():
            way = round(6 * math.cos(n / 9)), round(6 * math.sin(n / 7))
            yield self.frame(partial(self.canvas.pan, *way))

    def zoom(self) -> Generator[float, None, None]:
        """Turn the wheel in and out."""
        for n in itertools.count():
            yield self.frame(partial(self.wheel, 0.5 if n % 20 < 10 else -0.5))

    def drag(self) -> Generator[float, None, None]:
        """Move an annotation about, and let go of it where it was."""
        self.canvas.fit()
        self.settle()
        at = self._middle
        self.press(at)
        try:
            for n in itertools.count():
                way = QPointF(30 * math.sin(n / 9), 20 * math.sin(n / 7))
                yield self.frame(partial(self.pull, at + way))
        finally:
            self.pull(at)
            self.release(at)
            self.settle()

    @property
    def learning(self) -> Learning:
        """What learns from the work."""
        found = self.app.findChild(Learning)
        assert isinstance(found, Learning)
        return found

    def teach(self) -> None:
        """Verify some images as the model found them, and come back to the first."""
        ids = self.session.image_ids
        self.learning.switch(on=True)
        for image_id in ids[1 : 1 + _LESSONS]:
            self.session.show(image_id)
            self.until(lambda: self.seen)
            self.verb("predict")
            self.until(lambda: not self.app.annotator.running)
            self.verb("verify")
        self.session.show(ids[0])
        self.until(lambda: self.seen and self.learning.state.images >= _LESSONS)
        self.settle()

    def images_done(self) -> int:
        """Return how many images the run has done; many once it is over."""
        progress = self.app.annotator.batch.progress()
        return progress.done if progress else _COPIES

    def use(self, gesture: Callable[[], Generator[float, None, None]], images: int) -> list[float]:
        """Do something for a while, and until so many more images are done."""
        enough = self.images_done() + images
        times = []
        frames = gesture()
        for took in frames:
            times.append(took)
            if len(times) >= _FRAMES and (not images or self.images_done() >= enough):
                break
        frames.close()
        return times


def measure(images: Path, model: str, place: Path) -> list[Row]:
    """Use the canvas at rest, and while the model is at work."""
    folder = place / "images"
    folder.mkdir()
    known = sorted(p for p in images.iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg"))
    for number in range(_COPIES):
        source = known[number % len(known)]
        shutil.copyfile(source, folder / f"{number:03}-{source.name}")
    hand = Hand(place, model)
    hand.open(folder, _COPIES)
    hand.learning.switch(on=False)
    hand.fill()
    gestures = {"pan": hand.pan, "zoom": hand.zoom, "drag an annotation": hand.drag}
    rows = [row(what, "at rest", hand.use(act, 0), FRAME_MS) for what, act in gestures.items()]
    hand.verb("predict_new")
    batch = hand.app.annotator.batch
    hand.until(lambda: hand.images_done() > 0)
    for what, act in gestures.items():
        before = hand.images_done()
        times = hand.use(act, _IMAGES)
        if not batch.running:
            raise RuntimeError("the run was over too early; give it more images")
        done = f"{hand.images_done() - before} images meanwhile"
        rows.append(row(what, done, times, FRAME_MS))
    hand.verb("cancel")
    hand.until(lambda: not batch.running)
    stored = [hand.session.count(i) for i in hand.session.image_ids[1:]]
    rows.append(row("stored for an image (annotations)", "", [n for n in stored if n], _NO_BOUND))
    hand.teach()
    for what, act in gestures.items():
        began = hand.learning.state.seconds
        times = hand.use(act, 0)
        if not hand.learning.busy:
            raise RuntimeError("it had learned all there was too early; give it more lessons")
        done = f"{hand.learning.state.seconds - began:.0f} s learned meanwhile"
        rows.append(row(what, done, times, FRAME_MS))
    hand.window.close()
    return rows


if __name__ == "__main__":
    sys.exit(run_on_images(__doc__ or "", measure))
