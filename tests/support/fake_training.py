"""A stand-in for `maskstudio train`: the same words, the same lines, and nothing learned.

Run as a program of its own. What it does is in the name of the model it is asked for: `fails` ends
with a sentence, `dies` ends without one, `quick` comes to its end by itself; any other makes three
steps and a validation, and waits for what its standard input says.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from maskstudio.storage import training_runs as runs
from maskstudio.storage.training_events import (
    Done,
    Event,
    Outline,
    Plan,
    RunState,
    Sample,
    StateChange,
    Step,
    Validation,
    to_json,
)

TOTAL = 10
SQUARE = (((10.0, 10.0), (40.0, 10.0), (40.0, 40.0), (10.0, 40.0)),)


def main() -> int:
    """Do what the words say."""
    words = dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
    plan = Plan(4, 1, TOTAL, {"crop": 320, "anchors": [8, 16]}, {"cell": 12}, "CPU, a test", 600.0)
    if "--plan" in sys.argv:
        sys.stdout.write(to_json(plan) + "\n")
        return 0
    if "--resume" in sys.argv:
        run = _Run(Path(sys.argv[sys.argv.index("--resume") + 1]))
        return run.go_on(first=3)
    folder = runs.runs_folder(Path(words["--project"])) / words["--name"]
    run = _Run(runs.make_run_folder(folder))
    runs.write_settings(run.folder, {})
    run.tell(plan)
    run.image = str(next(Path(words["--project"]).glob("*.png")))
    return run.go_on(first=1)


class _Run:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.image = ""

    def tell(self, event: Event) -> None:
        runs.note(self.folder, event)
        sys.stdout.write(to_json(event) + "\n")
        sys.stdout.flush()

    def go_on(self, first: int) -> int:
        with runs.holding(self.folder):
            self.tell(StateChange(RunState.TRAINING))
            for iteration in range(first, first + 3):
                self._step(iteration)
            figures = {"AP": 0.5, "AP50": 0.75, "AP75": 0.6}
            self.tell(Validation(first + 2, figures, figures, best=True))
            if self.image:
                found = (Outline("cell", 0.9, (SQUARE,)), Outline("cell", 0.2, (SQUARE,)))
                truth = (Outline("cell", 1.0, (SQUARE,)),)
                self.tell(Sample(first + 2, self.image, 80, 100, truth, found))
            name = self.folder.name
            if "fails" in name:
                return self._fail("The loss is no longer a number; lower the learning rate.")
            if "dies" in name:
                self._checkpoint()
                os._exit(9)
            return self._finish() if "quick" in name else self._obey(first + 3)

    def _step(self, iteration: int) -> None:
        self.tell(Step(iteration, TOTAL, 2.0 / iteration, {}, 1e-3, 0.1, 90.0))

    def _obey(self, following: int) -> int:
        for line in sys.stdin:
            word = line.strip()
            if word == "pause":
                self.tell(StateChange(RunState.PAUSED))
            elif word == "resume":
                self.tell(StateChange(RunState.TRAINING))
                self._step(following)
            elif word == "stop":
                self.tell(StateChange(RunState.STOPPING))
                return self._finish()
        self._checkpoint()
        self.tell(StateChange(RunState.BROKEN_OFF))
        return 0

    def _finish(self) -> int:
        figures = {"AP": 0.5, "AP50": 0.75, "AP75": 0.6}
        self.tell(StateChange(RunState.FINISHED))
        self.tell(Done(f"/models/{self.folder.name}.safetensors", {"mask": figures}))
        return 0

    def _fail(self, sentence: str) -> int:
        self.tell(StateChange(RunState.FAILED, sentence))
        sys.stderr.write(f"maskstudio: {sentence}\n")
        return 1

    def _checkpoint(self) -> None:
        (self.folder / runs.CHECKPOINT_NAME).write_bytes(b"")


if __name__ == "__main__":
    sys.exit(main())
