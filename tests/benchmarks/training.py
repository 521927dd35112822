"""What a step of training costs beside torchvision's reference loop, and what ten kills change.

`python tests/benchmarks/training.py [--annotations FILE --images DIR] [--rounds N] [--check]`
makes steps of both with the same network, batch and size of images, in processes of their own by
turns, and compares processor time and peak memory. Without a file it makes up pictures of
fifty discs. The reference is torchvision's `references/detection`: `coco_utils.py`'s masks,
`presets.py`'s flip, `engine.py`'s loop with its SGD.

`... --killed [--kills N]` trains a small network on made-up pictures, once in one go and once
killed (SIGKILL) after a random number of steps and taken up again, and compares the AP.
"""

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from maskstudio.storage.training_events import Done, Step, from_json
from support.coco_sets import write_discs

TIME, MEMORY, AP = 1.1, 1.0, 0.01
"""Bounds: time and memory of a step beside the reference's, difference in mask AP."""

_STEPS, _WARM_UP, _BATCH, _THREADS = 8, 2, 2, 2
_SIZE = 384


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--annotations", type=Path)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--killed", action="store_true")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--check", action="store_true", help="exit with 1 beyond the bounds")
    parser.add_argument("--only", choices=["ours", "reference"], help=argparse.SUPPRESS)
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        if asked.killed:
            figures, fine = killed(Path(folder), asked.kills)
        else:
            annotations = asked.annotations or write_discs(Path(folder), 8, _SIZE, 50)
            images = asked.images or annotations.parent
            if asked.only:
                steps = {"ours": our_steps, "reference": reference_steps}[asked.only]
                print(json.dumps(measured(steps, annotations, images)))
                return
            figures, fine = side_by_side(annotations, images, asked.rounds)
    print(json.dumps(figures, indent=2))
    if asked.check and not fine:
        sys.exit(1)


def side_by_side(annotations: Path, images: Path, rounds: int) -> tuple[dict[str, Any], bool]:
    """Measure both by turns, each in a process of its own."""
    found: dict[str, list[dict[str, float]]] = {"ours": [], "reference": []}
    given = ("--annotations", str(annotations), "--images", str(images))
    for _ in range(rounds):
        for name, results in found.items():
            command = [sys.executable, __file__, "--only", name, *given]
            told = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
            results.append(json.loads(told.stdout.splitlines()[-1]))
    middle = {
        name: {key: statistics.median(one[key] for one in results) for key in results[0]}
        for name, results in found.items()
    }
    ratios = {
        key: middle["ours"][key] / middle["reference"][key] for key in ("cpu_seconds", "peak_mb")
    }
    fine = ratios["cpu_seconds"] <= TIME and ratios["peak_mb"] <= MEMORY
    return {**middle, "ratios": ratios}, fine


def measured(
    steps: Callable[[Path, Path], Iterator[None]], annotations: Path, images: Path
) -> dict[str, float]:
    """Return processor seconds a step, data and all, and the peak of memory."""
    import torch

    torch.set_num_threads(_THREADS)
    torch.manual_seed(0)
    seconds = []
    started = time.process_time()
    for _ in steps(annotations, images):
        seconds.append(time.process_time() - started)
        started = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu_seconds": statistics.median(seconds[_WARM_UP:]), "peak_mb": peak}


def our_steps(annotations: Path, images: Path) -> Iterator[None]:
    """Make steps on whole images, at the size that the reference shows them at."""
    from maskstudio.formats.coco_reader import read_coco
    from maskstudio.mask_rcnn import coco_dataset
    from maskstudio.mask_rcnn.device import choose_device
    from maskstudio.mask_rcnn.settings import Augmentation, TrainingSettings
    from maskstudio.mask_rcnn.trainer import Trainer

    whole = 4 * _SIZE
    coco_dataset.SCALES = (1.0, 1.0)
    data = coco_dataset.CocoCrops(
        read_coco(annotations), images, _SIZE, whole, Augmentation.PHOTO, copy_paste=0.3
    )
    settings = TrainingSettings(
        iterations=_STEPS, batch_size=_BATCH, crop=whole, rois_per_image=512, warmup=1
    )
    for _ in Trainer(network(), data, settings, choose_device("cpu")).steps():
        yield


def reference_steps(annotations: Path, images: Path) -> Iterator[None]:
    """Make steps as torchvision's `references/detection` does."""
    import torch
    from PIL import Image
    from pycocotools import mask as coco_mask
    from pycocotools.coco import COCO
    from torch.utils.data import DataLoader, Dataset
    from torchvision import tv_tensors
    from torchvision.transforms import v2

    class CocoDetection(Dataset[Any]):
        """As `get_coco` makes it: `ConvertCocoPolysToMask`, then `DetectionPresetTrain`."""

        def __init__(self) -> None:
            self._coco = COCO(str(annotations))
            self._ids = [i for i in self._coco.getImgIds() if self._coco.getAnnIds(i)]
            self._transform = v2.Compose(
                [
                    v2.PILToTensor(),
                    v2.RandomHorizontalFlip(0.5),
                    v2.ToDtype(torch.float, scale=True),
                ]
            )

        def __len__(self) -> int:
            return len(self._ids)

        def __getitem__(self, index: int) -> Any:
            (entry,) = self._coco.loadImgs(self._ids[index])
            image = Image.open(images / entry["file_name"]).convert("RGB")
            found = self._coco.loadAnns(self._coco.getAnnIds(entry["id"], iscrowd=False))
            boxes = torch.as_tensor([one["bbox"] for one in found], dtype=torch.float32)
            boxes[:, 2:] += boxes[:, :2]
            masks = [torch.as_tensor(coco_mask.decode(self._coco.annToRLE(one))) for one in found]
            keep = (boxes[:, 3] > boxes[:, 1]) & (boxes[:, 2] > boxes[:, 0])
            size = (image.height, image.width)
            target = {
                "boxes": tv_tensors.BoundingBoxes(boxes[keep], format="XYXY", canvas_size=size),
                "labels": torch.ones(int(keep.sum()), dtype=torch.int64),
                "masks": tv_tensors.Mask(torch.stack(masks)[keep]),
            }
            return self._transform(image, target)

    model = network().train()
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(parameters, lr=1e-3, momentum=0.9, weight_decay=1e-4)
    data = CocoDetection()
    sampler = torch.utils.data.RandomSampler(data, True, _STEPS * _BATCH)
    loader: Any = DataLoader(
        data, _BATCH, sampler=sampler, collate_fn=lambda b: zip(*b, strict=True)
    )
    for views, targets in loader:
        losses = model(list(views), [dict(one) for one in targets])
        total = sum(losses.values())
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        yield


def network() -> Any:
    """Return the light Mask R-CNN that the program trains by default, for this size of image."""
    from maskstudio.mask_rcnn.architectures import build, default_architecture

    name = "maskrcnn_tf_efficientnet_lite0_fpn"
    return build(replace(default_architecture(name), min_size=_SIZE, max_size=2 * _SIZE), 1)


def killed(folder: Path, kills: int) -> tuple[dict[str, Any], bool]:
    """Train once in one go, and once with kills."""
    steps = 15 * kills
    annotations = write_discs(folder, 6, 96, 5)
    data = ("--annotations", annotations, "--images", folder, "--val", annotations)
    short = ("--init", "maskrcnn_resnet10t_fpn", "--input-size", 96, "--crop", 96)
    length = ("--iterations", steps, "--batch-size", 2, "--learning-rate", 2e-3)
    start = ("train", *data, *short, *length, "--validate-every", 5, "--device", "cpu")
    whole = _go((*start, "--output", folder / "whole.safetensors"), None)
    chance = random.Random(0)
    last = _go((*start, "--output", folder / "killed.safetensors"), chance.randrange(6, 16))
    for done in range(1, kills):
        last = _go(("train", "--resume", folder / "killed-training"), chance.randrange(6, 16))
        if last is not None:
            raise SystemExit(f"It ended after {done} kills; make it longer.")
    last = _go(("train", "--resume", folder / "killed-training"), None)
    if whole is None or last is None:
        raise SystemExit("A run did not end.")
    names = ("whole.safetensors", "killed.safetensors")
    same = _weights(folder / names[0]) == _weights(folder / names[1])
    ap = [done.metrics["mask"]["AP"] for done in (whole, last)]
    figures = {"kills": kills, "steps": steps, "mask_ap": ap, "weights_bit_by_bit_equal": same}
    return figures, abs(ap[0] - ap[1]) <= AP


def _go(words: tuple[object, ...], steps: int | None) -> Done | None:
    """Train until the end, or kill the process after some steps."""
    command = [sys.executable, "-m", "maskstudio", *map(str, words), "--progress", "jsonl"]
    done = None
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as child:
        made = 0
        for line in child.stdout or ():
            event = from_json(line)
            made += isinstance(event, Step)
            done = event if isinstance(event, Done) else done
            if steps is not None and made >= steps:
                child.kill()
                break
    return done


def _weights(path: Path) -> dict[str, bytes]:
    from maskstudio.mask_rcnn.model_file import load_model

    _, model = load_model(path)
    return {name: tensor.numpy().tobytes() for name, tensor in model.state_dict().items()}


if __name__ == "__main__":
    main()
