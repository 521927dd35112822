"""From a key press to the next image with its pre-annotations on the screen.

Run by hand, on a machine that does nothing else, from the root of the repository:
`python tests/benchmarks/look_ahead.py [--check] [--json FILE] [--images DIR] [--model NAME]`.
The real program (offscreen where there is no screen) opens a folder of the images, copied under
other names until there are enough; somebody goes through it with the key for the next image and
stays at each for twice the time the model takes for an image on this machine. Meanwhile the lane of
the model works ahead.

The table says, for the 40 steps: from the press to the image, to the outlines that stand on it, and
what share of the images had theirs by then; and beside it the same steps with looking ahead off and
the model asked for at each image, as programs do that make people wait.
"""

import shutil
import sys
import time
from pathlib import Path

from labeler import Labeler, Row, row
from maskstudio.annotation.annotation import ImageState
from on_images import run_on_images

STEPS = 40
_BOUND_MS = 80.0
_NO_BOUND = float("inf")
_DWELL_TIMES = 2
_WAITED_FOR = 8


class Stepper(Labeler):
    """Somebody who goes from image to image."""

    def __init__(self, place: Path, model: str) -> None:
        super().__init__(place / "settings.json", (1400, 900))
        loaded: list[bool] = []
        self.app.annotator.model_loaded.connect(lambda: loaded.append(True))
        self.app.annotator.use_model(model)
        self.until(lambda: bool(loaded))

    @property
    def annotated(self) -> bool:
        """True when the image is on the screen with its pre-annotations."""
        current = self.session.current
        done = current is not None and current.state is not ImageState.NEW
        return done and self.seen and self.canvas.settled

    def switch(self, *, on: bool) -> None:
        """Switch looking ahead on or off."""
        if self.window.verbs["look_ahead"].isChecked() is not on:
            self.verb("look_ahead")

    def seconds_an_image(self, images: int) -> float:
        """Return what the model takes for an image, by asking for the first few."""
        times = []
        for _ in range(images):
            started = time.perf_counter()
            self.verb("predict")
            self.until(lambda: not self.app.annotator.running)
            times.append(time.perf_counter() - started)
            self.verb("next")
            self.until(lambda: self.seen)
        return sum(times) / len(times)

    def step(self, *, asks: bool) -> tuple[float, float]:
        """Go to the next image; return the milliseconds to the image and to its outlines."""
        started = time.perf_counter()
        self.verb("next")
        # As in life: the key has been pressed, what it does is seen after the event.
        seen_at = 0.0
        if asks:
            self.verb("predict")

        def look() -> bool:
            nonlocal seen_at
            if not seen_at and self.seen:
                seen_at = time.perf_counter()
            return self.annotated

        self.until(look)
        ended = time.perf_counter()
        return (seen_at - started) * 1000, (ended - started) * 1000


def measure(images: Path, model: str, place: Path) -> list[Row]:
    """Walk through the folder."""
    folder = place / "images"
    different = len(pictures(images))
    count = different + STEPS + _WAITED_FOR + 4
    copy_many(images, folder, count)
    stepper = Stepper(place, model)
    stepper.open(folder, count)
    stepper.switch(on=True)
    stepper.switch(on=False)
    seconds = stepper.seconds_an_image(different)
    dwell = _DWELL_TIMES * seconds
    stepper.switch(on=True)
    stepper.rest(dwell)
    steps = []
    for _ in range(STEPS):
        stepper.rest(dwell)
        steps.append(stepper.step(asks=False))
    stepper.switch(on=False)
    waited = []
    for _ in range(_WAITED_FOR):
        stepper.rest(dwell)
        waited.append(stepper.step(asks=True))
    stepper.window.close()
    subject = f"{STEPS} steps"
    return [
        Row("the model's time for an image", model, seconds * 1000, seconds * 1000, _NO_BOUND),
        row("press to image", subject, [seen for seen, _ in steps], _BOUND_MS),
        row("image to outlines", subject, [both - seen for seen, both in steps], _BOUND_MS),
        row("press to image with outlines", subject, [both for _, both in steps], _BOUND_MS),
        row("the same, asked for there", f"{_WAITED_FOR} steps", [b for _, b in waited], _NO_BOUND),
    ]


def copy_many(images: Path, folder: Path, count: int) -> None:
    """Copy images under other names until there are so many."""
    folder.mkdir()
    known = pictures(images)
    for number in range(count):
        source = known[number % len(known)]
        shutil.copyfile(source, folder / f"{number:03}-{source.name}")


def pictures(folder: Path) -> list[Path]:
    """Return the images of a folder."""
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg"))


if __name__ == "__main__":
    sys.exit(run_on_images(__doc__ or "", measure))
