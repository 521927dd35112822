"""How many vertices traced outlines keep: simplified from pixel steps, or through edge middles.

Run by hand, with nothing else running:
`python tests/benchmarks/outlines.py --annotations val.json [--count 600] [--json FILE]`.
Both ways start from the same traced masks and obey the same bound on mask IoU. Times are
of one thread.
"""

import argparse
import json
import random
import time
from pathlib import Path

import numpy as np
import shapely

from maskstudio.annotation.masks import (
    SIMPLIFY_MIN_IOU,
    decode,
    mask_iou,
    rasterize,
    simplify_traced,
    trace,
)
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.formats.coco_reader import read_coco, segmentation_to_rle

_TOLERANCES = (4.0, 2.83, 2.0, 1.41, 1.0, 0.71, 0.5)


def simplify_steps(traced: Segmentation, height: int, width: int) -> Segmentation:
    """Simplify the pixel steps themselves, coarse to fine, under the same bound."""
    target = rasterize(traced, height, width)
    for tolerance in _TOLERANCES:
        simpler = Segmentation.from_geometry(shapely.simplify(traced.geometry, tolerance))
        if simpler is None or not simpler.geometry.is_valid:
            continue
        if mask_iou(target, rasterize(simpler, height, width)) >= SIMPLIFY_MIN_IOU:
            return simpler
    return traced


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    coco = read_coco(options.annotations)
    everything = [(i, a) for i in coco.images.values() for a in coco.annotations[i.id]]
    chosen = random.Random(1).sample(everything, min(options.count, len(everything)))
    rows: dict[str, list[tuple[int, float, float]]] = {"traced": [], "steps": [], "middles": []}
    for image, annotation in chosen:
        mask = decode(segmentation_to_rle(annotation.segmentation, image.height, image.width))
        x, y, w, h = (int(v) for v in annotation.bbox_xywh)
        mask = mask[y : y + h, x : x + w]
        traced = trace(mask)
        if traced is None:
            continue
        target = rasterize(traced, *mask.shape)
        for name, way in (
            ("traced", lambda outline, *_: outline),
            ("steps", simplify_steps),
            ("middles", simplify_traced),
        ):
            started = time.perf_counter()
            outline = way(traced, *mask.shape)
            seconds = time.perf_counter() - started
            iou = mask_iou(target, rasterize(outline, *mask.shape))
            rows[name].append((outline.vertex_count, iou, seconds))
    report = {}
    print(f"{len(rows['traced'])} outlines, mask IoU at least {SIMPLIFY_MIN_IOU}")
    print(f"{'':10}{'vertices':>10}{'IoU mean':>10}{'IoU min':>10}{'ms':>8}")
    for name, measured in rows.items():
        vertices, ious, times = (np.array(column) for column in zip(*measured, strict=True))
        report[name] = {
            "vertices_mean": float(vertices.mean()),
            "iou_mean": float(ious.mean()),
            "iou_min": float(ious.min()),
            "milliseconds": float(np.median(times) * 1000),
        }
        print(
            f"{name:10}{vertices.mean():10.1f}{ious.mean():10.4f}{ious.min():10.4f}"
            f"{np.median(times) * 1000:8.2f}"
        )
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
