"""Reports of `maskstudio evaluate` as it would write them, and a stand-in for the command."""

import sys
from pathlib import Path

from maskstudio.annotation import edits
from maskstudio.annotation.effort import Effort
from maskstudio.annotation.evaluation import (
    ALL,
    CURVE_IOUS,
    Confusion,
    Curve,
    Figures,
    ModelFigures,
    Report,
)
from maskstudio.session.session import Session
from maskstudio.session.splitting import Split, remember

NAMES = ("cell", "dust")


def figures(ap: float) -> Figures:
    """Average precisions around one; the second category has half of it."""
    recalls = round(100 * ap) + 1
    curve = (1.0,) * recalls + (0.0,) * (101 - recalls)
    curves = tuple(Curve(name, iou, curve) for name in (ALL, *NAMES) for iou in CURVE_IOUS)
    return Figures(ap, min(1.0, ap + 0.2), ap, None, ap, None, {"cell": ap, "dust": ap / 2}, curves)


def model_figures(
    name: str, ap: float, accepted: int, source: str = "", unknown: tuple[str, ...] = ()
) -> ModelFigures:
    """A model that finds `accepted` of 100 objects; the others are each a box prompt."""
    missed = 100 - accepted
    effort = Effort(accepted=accepted, boxed=missed, gestures=2 * missed, by_hand=1000)
    confusion = Confusion(NAMES, ((accepted, 3, missed), (0, 0, 0), (5, 0, 0)))
    training = {"images": 80, "settings": {"iterations": 600, "learning_rate": 0.005}}
    return ModelFigures(
        name,
        source or name,
        figures(ap),
        figures(ap),
        confusion,
        effort,
        unknown=unknown,
        seconds_per_image=0.25,
        device="CPU",
        training=training,
    )


def report(*models: ModelFigures, images: int = 20, objects: int = 100) -> Report:
    """What was measured of some models."""
    return Report("the folder", "0" * 64, images, objects, 0.5, 500, models)


def keep_apart(session: Session, image_id: int) -> None:
    """Verify an image and keep it for validation."""
    session.edit(edits.verify(session.content(image_id)))
    remember(session.require_database(), Split({image_id: "val"}))


def stand_in(folder: Path, answer: Report, *, hangs: bool = False) -> tuple[str, ...]:
    """Return a command that takes any words, tells how far it is, and writes a report.

    Args:
        folder: where its script is put; it also writes its words there, one a line.
        answer: the report.
        hangs: it tells how far it is and never ends.
    """
    written, script = folder / "answer.json", folder / "evaluate.py"
    written.write_text(answer.to_json(), encoding="utf-8")
    script.write_text(
        "import json, pathlib, sys, time\n"
        f"pathlib.Path({str(folder / 'words.txt')!r}).write_text('\\n'.join(sys.argv[1:]))\n"
        "told = {'event': 'progress', 'done': 3, 'total': 7, 'note': 'old: a.png'}\n"
        "print(json.dumps(told), flush=True)\n"
        f"while {hangs}:\n"
        "    time.sleep(1)\n"
        "output = pathlib.Path(sys.argv[sys.argv.index('--output') + 1])\n"
        f"output.write_bytes(pathlib.Path({str(written)!r}).read_bytes())\n",
        encoding="utf-8",
    )
    return sys.executable, str(script)


def refusing(sentence: str) -> tuple[str, ...]:
    """Return a command that fails with a sentence, as the program's own commands do."""
    said = f"maskstudio: {sentence}"
    return sys.executable, "-c", f"import sys; sys.stderr.write({said!r}); sys.exit(1)"
