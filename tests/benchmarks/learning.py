"""What a model learns, while a person labels, from a few images of a category it has never seen.

Run by hand, with nothing else running:
`python tests/benchmarks/learning.py [--folder DIR] [--images 5,10,20] [--draws N] [--val N]
[--model NAME] [--json FILE]`.

For 5, 10 and 20 images: the embedded model of nuclei gets them one after the other, as if a person
had verified them, and learns after each until it has learned what there is, or its time is up: 90,
120 and 180 seconds of CPU time, features included, which is half of that on two quiet cores. Then
mask AP50 on images it has not seen. `--draws` does the same with several draws of the images.

`DIR` has `train.json`, `val.json` and `images/`, whose categories are not the model's; without it,
pictures of people are made up (see `people.py`). Where others compete for the processor, CPU time
says nothing: threads that wait for one another count too.
"""

import argparse
import json
import platform
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import people
from maskstudio.annotation.learning import Truth
from maskstudio.annotation.masks import decode, trace
from maskstudio.formats.coco_reader import CocoFile, read_coco, segmentation_to_rle
from maskstudio.mask_rcnn.evaluator import evaluate
from maskstudio.mask_rcnn.model_file import find_model
from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor
from maskstudio.progress import TaskContext
from maskstudio.storage.images import read_image

CPU_SECONDS = {5: 90.0, 10: 120.0, 20: 180.0}

_QUIET = TaskContext()
_SLICE_S = 1.0


@dataclass(frozen=True)
class Verified:
    """An image as a person left it."""

    id: int
    image: NDArray[np.uint8]
    truth: list[Truth]


def main() -> None:
    options = parse_options()
    report: dict[str, Any] = {"machine": platform.platform(), "torch": torch.__version__}
    report["threads"] = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as made:
        folder = options.folder or make_people(Path(made), max(options.images), options)
        train, val = read_coco(folder / "train.json"), read_coco(folder / "val.json")
        val = replace(val, images=dict(list(val.images.items())[: options.val]))
        report["runs"] = [
            measure(folder, train, val, count, draw, options.model)
            for count in options.images
            for draw in range(options.draws)
        ]
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def make_people(folder: Path, most: int, options: argparse.Namespace) -> Path:
    """Make pictures to learn from and, of other seeds, to be measured on."""
    for name, images, seed in (("train", most * options.draws, 0), ("val", options.val, 100_000)):
        people.write(folder, images, seed).rename(folder / f"{name}.json")
    return folder


def measure(
    folder: Path, train: CocoFile, val: CocoFile, count: int, draw: int, model: str
) -> dict[str, Any]:
    """Learn from some images, and measure on all of the others."""
    ids = list(train.images)
    chosen = [ids[(draw * count + n) % len(ids)] for n in range(count)]
    images = [verified(folder, train, image_id) for image_id in chosen]
    torch.manual_seed(draw)
    predictor = MaskRCNNPredictor.load(find_model(model), "cpu")
    names = [category.name for category in train.categories]
    allowed = CPU_SECONDS.get(count, 9.0 * count)
    with tempfile.TemporaryDirectory() as store:
        started, wall = time.process_time(), time.monotonic()
        learner = predictor.learner(names, Path(store))
        if learner is None:
            sys.exit(f"{model} cannot learn: {predictor.why_not_learning}.")
        looked = 0.0
        for one in images:
            before = time.process_time()
            learner.remember(one.id, one.image, one.truth, _QUIET)
            looked += time.process_time() - before
            while learner.due and time.process_time() - started < allowed:
                learner.learn(_SLICE_S, _QUIET)
        seconds, waited = time.process_time() - started, time.monotonic() - wall
        kept = sum(path.stat().st_size for path in Path(store).iterdir())
        found = evaluate(learner.predictor("learned"), val, folder, _QUIET)
    result = {
        "images": count,
        "draw": draw,
        "steps": learner.steps,
        "due": learner.due,
        "cpu_seconds_looking": looked,
        "cpu_seconds": seconds,
        "seconds": waited,
        "megabytes": kept / 2**20,
        "box": found["box"],
        "mask": found["mask"],
    }
    print(
        f"{count:3} images: mask AP50 {found['mask']['AP50']:.3f}, AP {found['mask']['AP']:.3f}, "
        f"box AP50 {found['box']['AP50']:.3f}; {learner.steps} steps, {seconds:.0f} s of CPU time "
        f"({looked:.0f} s looking), {waited:.0f} s in all; {kept / 2**20:.0f} MB",
        flush=True,
    )
    return result


def verified(folder: Path, coco: CocoFile, image_id: int) -> Verified:
    image = coco.images[image_id]
    names = {category.id: category.name for category in coco.categories}
    truth: list[Truth] = []
    for annotation in coco.annotations[image_id]:
        if annotation.segmentation is None:
            continue
        rle = segmentation_to_rle(annotation.segmentation, image.height, image.width)
        outline = trace(decode(rle))
        if outline is not None:
            name = names[annotation.category_id]
            truth.append(Truth(name, outline, crowd=annotation.iscrowd))
    place = folder / image.file_name
    inside = place if place.is_file() else folder / "images" / image.file_name
    return Verified(image_id, read_image(inside), truth)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, help="train.json, val.json and images")
    parser.add_argument("--images", type=counts, default=[5, 10, 20])
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--val", type=int, default=60, help="images to measure on at most")
    parser.add_argument("--model", default="nuclei")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def counts(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


if __name__ == "__main__":
    main()
