"""A category the embedded model never saw: 100 images, the training's own defaults, the clock.

`python tests/benchmarks/new_domain.py [--images N] [--val N] [--device D] [--keep FOLDER] [--check]
[--json FILE]`. The images are made up (`people.py`); the validation images are of other seeds and
are never trained on. All that the training is told is where the data is and what to start from.
The seconds are those of the whole command, from its start to the model on the disk.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from labeler import Row, print_table
from people import write

_FIRST_VAL_SEED = 100_000
_MINUTES, _AP, _AP50 = 40, 0.60, 0.93


def _maskstudio(*words: str) -> None:
    command = [sys.executable, "-m", "maskstudio", *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def measure(folder: Path, images: int, val: int, device: str) -> list[Row]:
    """Train on images made in a folder, and measure what came of it.

    Args:
        folder: an empty folder.
        images: how many to train on.
        val: how many to measure on.
        device: where to train.
    """
    known = write(folder / "train", images, 0)
    unknown = write(folder / "val", val, _FIRST_VAL_SEED)
    model, report = folder / "person.safetensors", folder / "report.json"
    # One folder holds both, as the command wants it.
    for name in ("train", "val"):
        _name_below(folder / name / "annotations.json", name)
    began = time.monotonic()
    data = ("--annotations", str(known), "--val", str(unknown), "--images", str(folder))
    kept = ("--output", str(model), "--run-folder", str(folder / "run"))
    _maskstudio("train", *data, *kept, "--init", "nuclei", "--device", device)
    minutes = (time.monotonic() - began) / 60
    on = ("--annotations", str(unknown), "--images", str(folder), "--output", str(report))
    _maskstudio("evaluate", "--model", str(model), *on, "--device", device)
    (figures,) = json.loads(report.read_text(encoding="utf-8"))["models"]
    mask = figures["mask"]
    name = f"{images} images"
    return [
        Row("minutes of the whole training", name, minutes, minutes, _MINUTES),
        _at_least("mask AP", name, mask["ap"], _AP),
        _at_least("mask AP50", name, mask["ap50"], _AP50),
    ]


def _name_below(file: Path, folder: str) -> None:
    """Make the file names of a COCO file relative to the folder above its own."""
    coco = json.loads(file.read_text(encoding="utf-8"))
    for image in coco["images"]:
        image["file_name"] = f"{folder}/{image['file_name']}"
    file.write_text(json.dumps(coco), encoding="utf-8")


def _at_least(what: str, subject: str, figure: float, bound: float) -> Row:
    """Make a line of a figure that is better the higher it is: it is kept from the bound on."""
    short = 100 * (1 - figure)
    return Row(f"{what}, hundredths short of 1", subject, short, short, 100 * (1 - bound))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--val", type=int, default=50)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        place = arguments.keep or Path(made)
        rows = measure(place, arguments.images, arguments.val, arguments.device)
    print_table(rows)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(one) for one in rows]), encoding="utf-8")
    sys.exit(int(arguments.check and not all(one.kept for one in rows)))
