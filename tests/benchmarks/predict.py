"""What exact sampling of RoI masks gains over torchvision's paste: accuracy, memory, time.

Run by hand, with nothing else running:
`python tests/benchmarks/predict.py --annotations val.json --images DIR [--model nuclei]
[--limit N] [--json FILE] [--skip-memory]`.

1. Mask AP (500 detections an image) of one and the same detections, from one and the same stored
   RoI masks: pasted by torchvision, sampled exactly, and traced and simplified to polygons.
2. Peak memory above that of the loaded model, and seconds, for 100 detections on a picture of
   4000 x 3000: torchvision's `model([image])` beside prediction and outlines here, each in a
   process of its own. The picture is a sample tiled and enlarged; the weights are the same.

Peak memory is `ru_maxrss` (KiB on Linux, bytes on macOS). Windows has no `resource` module: there
only the time is measured.
"""

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.detections import LOWEST_SCORE, Detections, outline
from maskstudio.annotation.masks import SIMPLIFY_MIN_IOU, Rle, place, rasterize
from maskstudio.formats.coco_reader import CocoFile, read_coco
from maskstudio.progress import TaskContext
from maskstudio.resources import resource_path
from maskstudio.storage.images import read_image

if TYPE_CHECKING:
    from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor

# torch is imported where it is used: a child process inherits the peak memory of its parent, so
# the parent must stay small until its children have been measured.

_QUIET = TaskContext()
_SAMPLE = ("samples", "nuclei", "fluorescence-1.png")
_HEIGHT, _WIDTH = 3000, 4000
_DETECTIONS = 100
_FIGURES = ("AP", "AP50", "AP75")
_WAYS = ("torchvision", "maskstudio")


def pasted(detections: Detections) -> Iterator[Rle]:
    """Yield each mask as torchvision pastes it: its box rounded to whole pixels first."""
    import torch
    from pycocotools import mask as coco_mask
    from torchvision.models.detection.roi_heads import paste_masks_in_image

    if detections.roi_masks is None:
        return
    masks = torch.from_numpy(detections.roi_masks.astype(np.float32) / 255)
    boxes = torch.from_numpy(detections.boxes.copy())
    for index in range(len(detections)):
        one = slice(index, index + 1)
        whole = paste_masks_in_image(masks[one, None], boxes[one], detections.size)[0, 0] > 0.5
        rle: Any = coco_mask.encode(np.asfortranarray(whole.numpy().astype(np.uint8)))
        yield rle


def sampled(detections: Detections) -> Iterator[Rle]:
    """Yield each mask sampled exactly under its box."""
    from maskstudio.mask_rcnn.evaluator import detection_rle

    for index in range(len(detections)):
        yield detection_rle(detections, index)


def polygons(detections: Detections) -> Iterator[Rle]:
    """Yield each mask as it is after tracing and simplification at the default bound."""
    height, width = detections.size
    for segmentation in outline(detections, _QUIET).outlines.values():
        if segmentation is None:
            yield place(np.zeros((0, 0), np.bool_), 0, 0, height, width)
        else:
            yield rasterize(segmentation, height, width)


_MASKS: dict[str, Callable[[Detections], Iterator[Rle]]] = {
    "torchvision's paste": pasted,
    "exact sampling": sampled,
    f"polygons (IoU {SIMPLIFY_MIN_IOU})": polygons,
}


def measure_accuracy(coco: CocoFile, images_dir: Path, predictor: "MaskRCNNPredictor") -> Any:
    """Predict every image once and evaluate its masks made in three ways."""
    from maskstudio.mask_rcnn.evaluator import MAX_DETECTIONS, ground_truth, score

    ids = {category.name: category.id for category in coco.categories}
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in _MASKS}
    seconds: list[float] = []
    for number, image in enumerate(coco.images.values(), start=1):
        pixels = read_image(images_dir / image.file_name)
        started = time.perf_counter()
        found = predictor.predict(pixels, _QUIET)
        seconds.append(time.perf_counter() - started)
        found = first_of(found, MAX_DETECTIONS)
        names = [found.categories[label].name for label in found.labels]
        for way, masks in _MASKS.items():
            results[way] += [
                {
                    "image_id": image.id,
                    "category_id": ids[name],
                    "score": float(found.scores[index]),
                    "segmentation": rle,
                }
                for index, (name, rle) in enumerate(zip(names, masks(found), strict=True))
                if name in ids
            ]
        print(f"\r{number} of {len(coco.images)} images", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    truth = ground_truth(coco)
    return {
        "images": len(coco.images),
        "detections": len(next(iter(results.values()))),
        "max_detections": MAX_DETECTIONS,
        "seconds_per_image": float(np.median(seconds)),
        "mask_ap": {
            way: {figure: score(truth, found, "mask")[figure] for figure in _FIGURES}
            for way, found in results.items()
        },
    }


def first_of(found: Detections, count: int) -> Detections:
    """Return the best detections."""
    masks = None if found.roi_masks is None else found.roi_masks[:count]
    return replace(
        found,
        boxes=found.boxes[:count],
        labels=found.labels[:count],
        scores=found.scores[:count],
        roi_masks=masks,
    )


def large_picture() -> NDArray[np.uint8]:
    """Return a sample four times over, enlarged to 4000 x 3000: more than 100 nuclei."""
    sample = np.tile(read_image(resource_path(*_SAMPLE)), (2, 2, 1))
    return np.asarray(
        cv2.resize(sample, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8
    )


def peak_megabytes() -> float | None:
    """Return the most memory this process has held so far; None where that is not known."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def run_alone(way: str, model_name: str) -> None:
    """Measure one prediction in this process and print the result as JSON."""
    import torch

    from maskstudio.mask_rcnn.device import choose_device
    from maskstudio.mask_rcnn.model_file import find_model, load_model
    from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor

    info, model = load_model(find_model(model_name))
    model.roi_heads.detections_per_img = _DETECTIONS
    model.roi_heads.score_thresh = LOWEST_SCORE
    predictor = MaskRCNNPredictor(info, model, choose_device("cpu"))
    picture = large_picture()
    before = peak_megabytes()
    started = time.perf_counter()
    if way == "maskstudio":
        count = len(outline(predictor.predict(picture, _QUIET), _QUIET).outlines)
    else:
        tensor = torch.from_numpy(picture.transpose(2, 0, 1).copy()).float() / 255
        with torch.inference_mode():
            count = len(model([tensor])[0]["masks"])
    seconds = time.perf_counter() - started
    after = peak_megabytes()
    used = None if before is None or after is None else after - before
    print(json.dumps({"detections": count, "seconds": seconds, "megabytes": used}))


def measure_memory(model_name: str) -> dict[str, Any]:
    """Measure both ways, each in a process of its own."""
    measured: dict[str, Any] = {}
    for way in _WAYS:
        command = [sys.executable, __file__, "--alone", way, "--model", model_name]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            measured[way] = {"failed": f"ended with {done.returncode} (killed for its memory?)"}
        else:
            measured[way] = json.loads(done.stdout)
    return measured


def print_memory(measured: dict[str, Any], model_name: str) -> None:
    """Print the second table."""
    print(
        f"\n{_WIDTH} x {_HEIGHT}, model {model_name} both times, CPU, peak above the loaded model"
    )
    print(f"{'':24}{'detections':>12}{'MB':>10}{'seconds':>10}")
    for way, one in measured.items():
        if "failed" in one:
            print(f"{way:24}{one['failed']}")
            continue
        megabytes = "?" if one["megabytes"] is None else f"{one['megabytes']:,.0f}"
        print(f"{way:24}{one['detections']:>12}{megabytes:>10}{one['seconds']:>10.2f}")


def print_accuracy(measured: dict[str, Any]) -> None:
    """Print the first table."""
    print(
        f"\n{measured['images']} images, {measured['detections']} detections "
        f"(at most {measured['max_detections']} an image), "
        f"{measured['seconds_per_image']:.3f} s an image for the prediction (median)"
    )
    print(f"{'mask AP':24}" + "".join(f"{figure:>8}" for figure in _FIGURES))
    for way, figures in measured["mask_ap"].items():
        print(f"{way:24}" + "".join(f"{figures[figure]:8.3f}" for figure in _FIGURES))


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--annotations", type=Path)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--model", default="nuclei")
    parser.add_argument("--limit", type=int, help="take the first N images only")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--skip-memory", action="store_true")
    parser.add_argument("--alone", choices=_WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.alone and not (options.annotations and options.images):
        parser.error("--annotations and --images are needed")
    return options


def main() -> None:
    """Measure and print."""
    options = parse_options()
    if options.alone:
        run_alone(options.alone, options.model)
        return
    report: dict[str, Any] = {"model": options.model}
    if not options.skip_memory:
        report["memory"] = measure_memory(options.model)

    import torch

    from maskstudio.mask_rcnn.model_file import find_model
    from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor

    predictor = MaskRCNNPredictor.load(find_model(options.model))
    if not predictor.info.architecture.has_masks:
        sys.exit(f"{options.model} is a Faster R-CNN: it has no masks to compare.")
    coco = read_coco(options.annotations)
    images = dict(list(coco.images.items())[: options.limit])
    annotations = {image: coco.annotations[image] for image in images}
    coco = replace(coco, images=images, annotations=annotations)
    report |= {
        "device": predictor.device_name,
        "machine": platform.platform(),
        "torch": torch.__version__,
        "accuracy": measure_accuracy(coco, options.images, predictor),
    }
    print(f"model {options.model} on {predictor.device_name}, torch {torch.__version__}")
    print_accuracy(report["accuracy"])
    if "memory" in report:
        print_memory(report["memory"], options.model)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
