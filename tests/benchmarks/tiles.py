"""What tiles find of a large image that the whole view loses, and what the seams between them cost.

Run by hand, with nothing else running: `python tests/benchmarks/tiles.py [--data DIR] [--check]
[--json FILE] [--width N] [--height N]`. DIR holds `val.json` (COCO) and `images`; without it the
nuclei data beside the checkout is taken, and where that is not there either, nothing is measured.

Validation pictures are put side by side into one of 4000 x 3000 pixels, their truth shifted with
them. Recall is the share of true instances that a detection of score 0.5 or more covers with a mask
IoU of at least 0.5 or 0.75; on the seams it counts those only that a border of some tile cuts.
Doubled are detections whose mask overlaps with a better one's by 0.5 or more.

1. whole: the large picture scaled to the model's input size.
2. tiles: `find_instances`, as the program does.
3. pictures alone: each by itself, which the model enlarges if it is small; nobody has such cuts.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from maskstudio.annotation.detections import Detections
from maskstudio.annotation.masks import Rle, place, sample_roi_mask
from maskstudio.annotation.tile_run import find_instances
from maskstudio.annotation.tiling import TileChoice, Tiling, grid
from maskstudio.formats.coco_reader import CocoFile, read_coco
from maskstudio.mask_rcnn.model_file import find_model
from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor
from maskstudio.progress import TaskContext
from maskstudio.storage.image_source import WholeImage
from maskstudio.storage.images import read_image

_QUIET = TaskContext()
_NEAR = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "nuclei"
_CERTAIN, _SAME = 0.5, 0.5
# Bounds of `--check`; measured: recall 0.82 in tiles, 0.10 in the whole, 2 % doubled.
_LEAST_RECALL, _LEAST_GAIN, _MOST_DOUBLED, _MOST_SEAM_LOSS = 0.75, 0.4, 0.05, 0.05
# Pictures larger than this would be a large image of their own.
_LARGEST = 700


@dataclass(frozen=True, eq=False)
class Placed:
    """A picture at its place in the large one, with the masks of its instances."""

    pixels: NDArray[np.uint8]
    left: int
    top: int
    masks: list[NDArray[np.bool_]]


def placed_pictures(coco: CocoFile, folder: Path, size: tuple[int, int]) -> list[Placed]:
    """Fill a large picture row by row, the low pictures first; begin anew when there are no more.

    Args:
        coco: pictures and truth.
        folder: where the pictures are.
        size: (height, width) of the large one.
    """
    images = [i for i in coco.images.values() if max(i.width, i.height) <= _LARGEST]
    images.sort(key=lambda image: image.height)
    left = top = row = number = 0
    placed: list[Placed] = []
    while True:
        image = images[number % len(images)]
        number += 1
        if left + image.width > size[1]:
            left, top, row = 0, top + row, 0
        if top + image.height > size[0]:
            return placed
        truth = [one.segmentation for one in coco.annotations[image.id]]
        masks = [np.asarray(coco_mask.decode(rle), np.bool_) for rle in truth]
        placed.append(Placed(read_image(folder / image.file_name), left, top, masks))
        left, row = left + image.width, max(row, image.height)


def masks_of(found: Detections, left: int, top: int, size: tuple[int, int]) -> Iterator[Rle]:
    """Yield the masks of certain detections at their place in the large picture."""
    if found.roi_masks is None:
        return
    for index in np.flatnonzero(found.scores >= _CERTAIN).tolist():
        sampled, x, y = sample_roi_mask(found.roi_masks[index], found.box(index), *found.size)
        yield place(sampled >= 127.5, left + x, top + y, *size)


def on_seams(truth: list[Rle], tiles: tuple[tuple[int, int, int, int], ...]) -> NDArray[np.bool_]:
    """Tell which masks a border of some tile cuts."""
    boxes = np.array([coco_mask.toBbox(rle) for rle in truth])
    x0, y0 = boxes[:, 0], boxes[:, 1]
    x1, y1 = x0 + boxes[:, 2], y0 + boxes[:, 3]
    cut = np.zeros(len(truth), np.bool_)
    for x in {side for tile in tiles for side in (tile[0], tile[2])}:
        cut |= (x0 < x) & (x < x1)
    for y in {side for tile in tiles for side in (tile[1], tile[3])}:
        cut |= (y0 < y) & (y < y1)
    return cut


def figures(truth: list[Rle], found: list[Rle], seams: NDArray[np.bool_]) -> dict[str, float]:
    """Compare what was found with the truth."""
    iou = coco_mask.iou(truth, found, [0] * len(found))
    best = iou.max(axis=1)
    among = np.triu(coco_mask.iou(found, found, [0] * len(found)), 1)
    return {
        "found": len(found),
        "recall_50": float((best >= 0.5).mean()),
        "recall_75": float((best >= 0.75).mean()),
        "seam_recall_50": float((best[seams] >= 0.5).mean()),
        "seam_recall_75": float((best[seams] >= 0.75).mean()),
        "inner_recall_50": float((best[~seams] >= 0.5).mean()),
        "precision_50": float((iou.max(axis=0) >= 0.5).mean()),
        "doubled": float((among.max(axis=0) >= _SAME).mean()),
    }


def measure(coco: CocoFile, folder: Path, size: tuple[int, int], model: str) -> dict[str, Any]:
    """Look at the large picture in every way."""
    predictor = MaskRCNNPredictor.load(find_model(model))
    placed = placed_pictures(coco, folder, size)
    picture = np.zeros((*size, 3), np.uint8)
    truth: list[Rle] = []
    for one in placed:
        height, width = one.pixels.shape[:2]
        picture[one.top : one.top + height, one.left : one.left + width] = one.pixels
        truth += [place(mask, one.left, one.top, *size) for mask in one.masks]
    tiles = grid(predictor.sight, size)
    seams = on_seams(truth, tiles)
    source = WholeImage(size, lambda: picture)
    ways: dict[str, dict[str, float]] = {}
    for name, choice in (("whole", TileChoice.NEVER), ("tiles", TileChoice.AUTO)):
        wall, cpu = time.perf_counter(), time.process_time()
        found = find_instances(predictor, source, Tiling(choice), _QUIET)
        seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
        looks = found.tiles + 1
        ways[name] = {
            **figures(truth, list(masks_of(found, 0, 0, size)), seams),
            "tiles": found.tiles,
            "seconds": seconds,
            "cpu_seconds": cpu_seconds,
            "seconds_a_look": seconds / looks,
        }
        print(f"{name} done", file=sys.stderr)
    alone = [
        rle
        for one in placed
        for rle in masks_of(predictor.predict(one.pixels, _QUIET), one.left, one.top, size)
    ]
    ways["pictures alone"] = figures(truth, alone, seams)
    return {
        "model": model,
        "device": predictor.device_name,
        "size": size,
        "pictures": len(placed),
        "truth": len(truth),
        "on_seams": int(seams.sum()),
        "ways": ways,
    }


_COLUMNS = {
    "found": "found",
    "recall_50": "recall 0.5",
    "recall_75": "recall 0.75",
    "seam_recall_50": "seams 0.5",
    "seam_recall_75": "seams 0.75",
    "precision_50": "precision",
    "doubled": "doubled",
    "tiles": "tiles",
    "seconds": "seconds",
    "seconds_a_look": "s a tile",
}


def print_report(report: dict[str, Any]) -> None:
    """Print the table."""
    height, width = report["size"]
    print(
        f"{width} x {height}, {report['pictures']} pictures, {report['truth']:,} true instances, "
        f"{report['on_seams']:,} of them on seams; {report['model']} on {report['device']}"
    )
    print(f"{'':16}" + "".join(f"{title:>12}" for title in _COLUMNS.values()))
    for name, one in report["ways"].items():
        cells = ("" if key not in one else f"{one[key]:,.3g}" for key in _COLUMNS)
        print(f"{name:16}" + "".join(f"{cell:>12}" for cell in cells))


def missed_bounds(report: dict[str, Any]) -> list[str]:
    """Return what is not as good as it has to be."""
    whole, tiles = report["ways"]["whole"], report["ways"]["tiles"]
    loss = tiles["inner_recall_50"] - tiles["seam_recall_50"]
    gain = tiles["recall_50"] - whole["recall_50"]
    bounds = {
        f"recall in tiles at least {_LEAST_RECALL}": tiles["recall_50"] >= _LEAST_RECALL,
        f"at least {_LEAST_GAIN} more than in the whole": gain >= _LEAST_GAIN,
        f"doubled at most {_MOST_DOUBLED}": tiles["doubled"] <= _MOST_DOUBLED,
        f"at most {_MOST_SEAM_LOSS} less on seams than elsewhere": loss <= _MOST_SEAM_LOSS,
    }
    return [name for name, holds in bounds.items() if not holds]


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=_NEAR)
    parser.add_argument("--model", default="nuclei")
    parser.add_argument("--width", type=int, default=4000)
    parser.add_argument("--height", type=int, default=3000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--check", action="store_true", help="end with 1 when a bound is missed")
    return parser.parse_args()


def main() -> None:
    """Measure, print, check."""
    options = parse_options()
    if not (options.data / "val.json").is_file():
        print("There is no nuclei data; give its folder with --data. Nothing was measured.")
        return
    coco = read_coco(options.data / "val.json")
    size = options.height, options.width
    report = measure(coco, options.data / "images", size, options.model)
    print_report(report)
    missed = missed_bounds(report)
    report["missed"] = missed
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for bound in missed:
        print(f"missed: {bound}")
    if options.check and missed:
        sys.exit(1)


if __name__ == "__main__":
    main()
