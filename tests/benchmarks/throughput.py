"""From a file to outlines: torchvision as it stands beside this program, in one run.

`python tests/benchmarks/throughput.py [--check] [--json FILE] [--device cuda] [--rounds N]
[--data DIR] [--skip-speed]`

1. Speed and memory. `maskrcnn_resnet50_fpn` on pictures of 640 x 480 and 4000 x 3000 with 100
   detections. Stock is torchvision's `model([image])` in float32, each of its pasted masks cut at
   0.5 and traced by OpenCV. Each way runs in a process of its own, the ways take turns, and the
   best of all runs counts; memory is the most the process held above what it held with the model
   loaded. Runs are timed after one that is not (the first shapes the memory).
2. Agreement with float32. What is found with the embedded model on the sample pictures, and, with
   `--data` (a folder with `val.json` and `images`), its mask AP; and with the network of part 1.

No COCO weights lie here. The network's weights are random, with its heads set so that it finds a
hundred things: the bias of one category is raised, proposals are anchors of three times the size,
boxes are proposals, and the mask head's weights are made positive, so that masks are round blobs.
It does the same arithmetic as a trained one, but how far boxes move in shorter numbers only a
trained network tells; that is the embedded one here.

On a GPU memory is that of the GPU. On Windows memory is not measured.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from agreement import AP_OFF, BOX_IOU, MASK_IOU, measure_agreement, measure_ap, print_agreement
from maskstudio.annotation.annotation import Category
from maskstudio.annotation.detections import outline
from maskstudio.progress import TaskContext
from maskstudio.resources import resource_path
from maskstudio.storage.images import read_image
from predict import peak_megabytes

if TYPE_CHECKING:
    from torchvision.models.detection import FasterRCNN

    from maskstudio.mask_rcnn.precision import Precision
    from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor

# torch is imported where it is used: a child process inherits the peak memory of its parent.

_QUIET = TaskContext()
_ARCHITECTURE = "maskrcnn_resnet50_fpn"
_SAMPLES = ("samples", "nuclei")
_PICTURE = "stained-violet-1.png"
_SIZES_WH = {"small": (640, 480), "large": (4000, 3000)}
_WAYS = ("stock", "maskstudio")
# The bounds: times faster than stock on a CPU and on a GPU, and the share of its memory.
_FASTER = {"cpu": {"small": 2.0, "large": 5.0}, "cuda": {"small": 4.0, "large": 10.0}}
_MEMORY_SHARE = 0.1


@dataclass(frozen=True)
class Run:
    """One way on one picture.

    Attributes:
        detections: how many were found.
        outlines: how many of them have an outline.
        seconds: the best of the runs.
        cpu_seconds: of that run, all cores together.
        megabytes: most memory above the loaded model; None where that is not known.
    """

    detections: int
    outlines: int
    seconds: float
    cpu_seconds: float
    megabytes: float | None


def random_model() -> "FasterRCNN":
    """Return the network with weights that find a hundred round things in any picture."""
    import torch
    from torch import nn

    from maskstudio.mask_rcnn.architectures import build, default_architecture

    torch.manual_seed(0)
    model = build(default_architecture(_ARCHITECTURE), categories=90).eval()
    heads = model.roi_heads
    with torch.no_grad():
        model.rpn.head.bbox_pred.weight *= 0.1
        model.rpn.head.bbox_pred.bias.view(-1, 4)[:, 2:] = 1.2
        heads.box_predictor.bbox_pred.weight.zero_()
        heads.box_predictor.bbox_pred.bias.zero_()
        heads.box_predictor.cls_score.bias.zero_()
        heads.box_predictor.cls_score.bias[1] = 6
        convolutions = [m for m in heads.mask_head.modules() if isinstance(m, nn.Conv2d)]
        for number, layer in enumerate(convolutions):
            layer.weight.abs_()
            layer.weight /= layer.weight.sum((1, 2, 3), keepdim=True)
            layer.weight *= 1 if number else 0.1
            layer.bias = nn.Parameter(torch.full_like(layer.weight[:, 0, 0, 0], float(not number)))
        widening = heads.mask_predictor.conv5_mask
        widening.weight.abs_()
        widening.weight /= widening.weight.sum(0, keepdim=True)
        widening.bias.zero_()
        heads.mask_predictor.mask_fcn_logits.weight.fill_(10 / 256)
        heads.mask_predictor.mask_fcn_logits.bias.fill_(-6)
    return model


def write_picture(path: Path, size_wh: tuple[int, int]) -> None:
    """Write a JPEG of a size, made of a sample four times over."""
    sample = read_image(resource_path(*_SAMPLES, _PICTURE))
    picture = cv2.resize(np.tile(sample, (2, 2, 1)), size_wh, interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(path), picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])


def stock_way(device: str) -> Callable[[Path], tuple[int, int]]:
    """Return torchvision's way from a file to contours."""
    import torch
    from torchvision.io import ImageReadMode, decode_image
    from torchvision.models.detection import maskrcnn_resnet50_fpn

    model = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=91)
    model.load_state_dict(random_model().state_dict())
    model = model.eval().to(device)

    def run(path: Path) -> tuple[int, int]:
        image = decode_image(str(path), ImageReadMode.RGB).to(device).float() / 255
        with torch.inference_mode():
            masks = model([image])[0]["masks"]
        outlines = 0
        for mask in (masks[:, 0] > 0.5).to(torch.uint8).cpu().numpy():
            rings, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
            outlines += bool(rings)
        return len(masks), outlines

    return run


def own_way(device: str) -> Callable[[Path], tuple[int, int]]:
    """Return this program's way from a file to segmentations."""
    predictor = random_predictor(device)

    def run(path: Path) -> tuple[int, int]:
        found = outline(predictor.predict(read_image(path), _QUIET), _QUIET)
        return len(found.detections), sum(one is not None for one in found.outlines.values())

    return run


def random_predictor(device: str, precision: "Precision | None" = None) -> "MaskRCNNPredictor":
    """Return a predictor of the random network."""
    from maskstudio.mask_rcnn.architectures import default_architecture
    from maskstudio.mask_rcnn.device import choose_device
    from maskstudio.mask_rcnn.model_file import ModelInfo
    from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor

    categories = tuple(Category(n, f"category {n}") for n in range(1, 91))
    info = ModelInfo("random", default_architecture(_ARCHITECTURE), categories)
    return MaskRCNNPredictor(info, random_model(), choose_device(device), precision)


def memory_held(device: str) -> float | None:
    """Return the most memory held so far, of the process or of the GPU."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.max_memory_allocated() / 2**20
    return peak_megabytes()


def run_alone(way: str, picture: Path, device: str, repeats: int) -> None:
    """Run one way in this process and print the result as JSON."""
    run = (stock_way if way == "stock" else own_way)(device)
    before = memory_held(device)
    detections, outlines = run(picture)
    runs = []
    for _ in range(repeats):
        started, cpu = time.perf_counter(), time.process_time()
        run(picture)
        runs.append((time.perf_counter() - started, time.process_time() - cpu))
    after = memory_held(device)
    taken = None if before is None or after is None else after - before
    print(json.dumps(asdict(Run(detections, outlines, *min(runs), taken))))


def measure_speed(device: str, rounds: int) -> dict[str, dict[str, Run]]:
    """Run all ways on all pictures in turns; return picture to way to its best run."""
    best: dict[str, dict[str, Run]] = {size: {} for size in _SIZES_WH}
    with tempfile.TemporaryDirectory() as folder:
        for size, size_wh in _SIZES_WH.items():
            write_picture(Path(folder) / f"{size}.jpg", size_wh)
        for turn in range(rounds):
            for size, runs in best.items():
                for way in _WAYS:
                    print(f"\rround {turn + 1}, {size}, {way}   ", end="", file=sys.stderr)
                    run = _in_child(way, Path(folder) / f"{size}.jpg", device)
                    runs[way] = _better(runs.get(way), run)
    print(file=sys.stderr)
    return best


def _in_child(way: str, picture: Path, device: str) -> Run:
    command = [sys.executable, __file__, "--alone", way, "--device", device]
    command += ["--picture", str(picture)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def _better(one: Run | None, other: Run) -> Run:
    if one is None:
        return other
    best = min(one, other, key=lambda run: run.seconds)
    if one.megabytes is None or other.megabytes is None:
        return best
    return replace(best, megabytes=min(one.megabytes, other.megabytes))


def all_agreement(options: argparse.Namespace) -> dict[str, Any]:
    """Measure the second part."""
    from maskstudio.mask_rcnn.device import choose_device
    from maskstudio.mask_rcnn.model_file import find_model, load_model
    from maskstudio.mask_rcnn.precision import FLOAT32
    from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor

    path = find_model("nuclei")
    usual = MaskRCNNPredictor.load(path, options.device)
    exact = MaskRCNNPredictor(*load_model(path), choose_device(options.device), FLOAT32)
    pictures = sorted(resource_path(*_SAMPLES).glob("*.png"))
    report = {"embedded": measure_agreement(usual, exact, pictures)}
    if options.data:
        report["ap"] = measure_ap(usual, exact, options.data)
    networks = random_predictor(options.device), random_predictor(options.device, FLOAT32)
    report["random"] = measure_agreement(*networks, pictures[:1])
    return report


def print_speed(speed: dict[str, dict[str, Run]], device: str) -> None:
    """Print the first table."""
    print(f"\n{_ARCHITECTURE} on {device}, random weights set to find a hundred things")
    print(f"{'':22}{'found':>8}{'s':>8}{'CPU s':>8}{'MB':>8}{'faster':>8}{'memory':>8}")
    for size, runs in speed.items():
        stock = runs["stock"]
        for way, run in runs.items():
            megabytes = "?" if run.megabytes is None else f"{run.megabytes:,.0f}"
            faster = "" if way == "stock" else f"{stock.seconds / run.seconds:.1f}x"
            share = "" if way == "stock" else f"{_share(run, stock):.0%}"
            print(
                f"{size + ', ' + way:22}{run.detections:>8}{run.seconds:>8.2f}"
                f"{run.cpu_seconds:>8.2f}{megabytes:>8}{faster:>8}{share:>8}"
            )


def _share(run: Run, stock: Run) -> float:
    if run.megabytes is None or stock.megabytes is None:
        return float("nan")
    return run.megabytes / stock.megabytes


def missed(report: dict[str, Any], device: str) -> list[str]:
    """Return a sentence for each bound that is not held."""
    said = []
    bounds = _FASTER.get(device.split(":")[0], _FASTER["cpu"])
    for size, runs in report.get("speed", {}).items():
        faster = runs["stock"].seconds / runs["maskstudio"].seconds
        if faster < bounds[size]:
            said.append(f"{size}: {faster:.1f} times as fast as stock, not {bounds[size]:.0f}")
    large = report.get("speed", {}).get("large")
    if large and _share(large["maskstudio"], large["stock"]) > _MEMORY_SHARE:
        said.append("large: more than a tenth of stock's memory")
    embedded = report["agreement"]["embedded"]
    for kind, bound in (("box_iou", BOX_IOU), ("mask_iou", MASK_IOU)):
        if embedded[kind]["mean"] < bound:
            said.append(f"{kind} {embedded[kind]['mean']:.4f}, not {bound}")
    ap = report["agreement"].get("ap")
    if ap and abs(ap["usual"] - ap["float32"]) > AP_OFF:
        said.append(f"mask AP {ap['usual']:.4f} against {ap['float32']:.4f}")
    return said


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure all of it; speed first, while this process is small."""
    report: dict[str, Any] = {"device": options.device, "machine": platform.platform()}
    if not options.skip_speed:
        report["speed"] = measure_speed(options.device, options.rounds)
    return report | {"agreement": all_agreement(options)}


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--data", type=Path, help="val.json and images of nuclei, for the mask AP")
    parser.add_argument("--skip-speed", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--check", action="store_true", help="fail where a bound is missed")
    parser.add_argument("--alone", choices=_WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--picture", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measure, print, check."""
    options = parse_options()
    if options.alone:
        run_alone(options.alone, options.picture, options.device, repeats=2)
        return
    report = measure(options)
    if "speed" in report:
        print_speed(report["speed"], options.device)
    print_agreement(report["agreement"])
    if options.json:
        plain = json.dumps(report, indent=2, default=asdict)
        options.json.write_text(plain + "\n", encoding="utf-8")
    for sentence in (said := missed(report, options.device)):
        print(f"missed: {sentence}")
    if options.check and said:
        sys.exit(1)


if __name__ == "__main__":
    main()
