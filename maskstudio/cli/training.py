"""The commands `train` and `evaluate`."""

import hashlib
import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskstudio.cli.console import (
    ConsoleContext,
    DeviceName,
    ProgressOption,
    ProgressStyle,
    check_folders,
)
from maskstudio.errors import UserError
from maskstudio.mask_rcnn.settings import Augmentation, TrainingSettings

if TYPE_CHECKING:
    from maskstudio.formats.coco_reader import CocoFile
    from maskstudio.mask_rcnn.model_file import ModelInfo

_DEFAULTS = TrainingSettings()

Annotations = Annotated[Path, typer.Option(help="COCO instance file.")]
Images = Annotated[Path, typer.Option(help="Folder its file names are relative to.")]


def train(
    annotations: Annotations,
    images: Images,
    output: Annotated[Path, typer.Option(help="The model to write, .safetensors.")],
    init: Annotated[
        str, typer.Option(help="Start from this model, or from an architecture's name.")
    ] = "nuclei",
    val: Annotated[Path | None, typer.Option(help="COCO file to measure the result on.")] = None,
    backbone_weights: Annotated[
        Path | None, typer.Option(help="A classifier's weights (.pth) for a fresh backbone.")
    ] = None,
    input_size: Annotated[
        int, typer.Option(help="Shorter side of an image for the network; 0: as it is.")
    ] = 0,
    augmentation: Annotated[
        Augmentation, typer.Option(help="photo: upright scenes; microscopy: no way is up.")
    ] = _DEFAULTS.augmentation,
    iterations: Annotated[int, typer.Option(min=1)] = _DEFAULTS.iterations,
    batch_size: Annotated[int, typer.Option(min=1)] = _DEFAULTS.batch_size,
    crop: Annotated[int, typer.Option(min=64, help="Side of a training view.")] = _DEFAULTS.crop,
    learning_rate: Annotated[float, typer.Option(min=0.0)] = _DEFAULTS.learning_rate,
    seed: Annotated[int, typer.Option()] = _DEFAULTS.seed,
    licence: Annotated[str, typer.Option(help="Licence of the weights, noted in the model.")] = "",
    device: DeviceName = "auto",
    checkpoint: Annotated[
        Path | None, typer.Option(help="Keep the run here, and go on from it if it is there.")
    ] = None,
    progress: ProgressOption = ProgressStyle.BAR,
) -> None:
    """Train a model on a COCO file."""
    from maskstudio.formats.coco_reader import read_coco
    from maskstudio.mask_rcnn.coco_dataset import CocoCrops
    from maskstudio.mask_rcnn.device import choose_device
    from maskstudio.mask_rcnn.model_file import SMALL_SIDE, save_model
    from maskstudio.mask_rcnn.trainer import Trainer

    check_folders(output, checkpoint)
    settings = TrainingSettings(
        iterations=iterations,
        batch_size=batch_size,
        crop=crop,
        learning_rate=learning_rate,
        augmentation=augmentation,
        seed=seed,
    )
    coco = read_coco(annotations)
    measured_on = read_coco(val) if val else None
    info, model = _start(init, output.stem, coco, backbone_weights, input_size, seed)
    data = CocoCrops(coco, images, info.architecture.min_size, crop, augmentation)
    data.check_images()
    trainer = Trainer(model, data, settings, choose_device(device))
    if checkpoint and checkpoint.exists():
        trainer.resume(checkpoint)
    with ConsoleContext("Training", progress) as context:
        trainer.run(context, checkpoint)
        info = replace(
            info,
            training={
                "annotations": annotations.name,
                "sha256": hashlib.sha256(annotations.read_bytes()).hexdigest(),
                "init": init,
                "settings": asdict(settings),
                SMALL_SIDE: _small_side(coco),
            },
            licence=licence,
        )
        save_model(output, info, trainer.weights())
        context.produce(f"wrote {output}")
    if measured_on:
        metrics = _evaluate(output, measured_on, images, device, progress)
        save_model(output, replace(info, metrics=metrics), trainer.weights())


def evaluate(
    model: Annotated[str, typer.Option(help="Name or path of the model.")],
    annotations: Annotations,
    images: Images,
    output: Annotated[Path | None, typer.Option(help="Write the report as JSON.")] = None,
    device: DeviceName = "auto",
    progress: ProgressOption = ProgressStyle.BAR,
) -> None:
    """Measure a model on a COCO file: box and mask AP, overall and per category."""
    from maskstudio.formats.coco_reader import read_coco
    from maskstudio.mask_rcnn.importing import obtain_model
    from maskstudio.storage.files import replaced_file

    check_folders(output)
    metrics = _evaluate(obtain_model(model), read_coco(annotations), images, device, progress)
    if output:
        with replaced_file(output) as beside:
            beside.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")


def _start(
    init: str,
    name: str,
    coco: "CocoFile",
    backbone_weights: Path | None,
    input_size: int,
    seed: int,
) -> "tuple[ModelInfo, Any]":
    import torch

    from maskstudio.annotation.annotation import Category
    from maskstudio.mask_rcnn.architectures import (
        build,
        default_architecture,
        load_backbone_weights,
    )
    from maskstudio.mask_rcnn.importing import obtain_model
    from maskstudio.mask_rcnn.model_file import ModelInfo, load_model, read_state_dict

    torch.manual_seed(seed)
    categories = tuple(Category(c.id, c.name, c.supercategory) for c in coco.categories)
    if init.startswith(("maskrcnn_", "fasterrcnn_")) and not Path(init).is_file():
        architecture = default_architecture(init)
        if input_size:
            architecture = replace(architecture, min_size=input_size, max_size=2 * input_size)
        model = build(architecture, len(categories))
        if backbone_weights:
            load_backbone_weights(model, read_state_dict(backbone_weights))
        return ModelInfo(name, architecture, categories), model
    if backbone_weights or input_size:
        raise UserError(
            f"{init} has its own backbone weights and input size; give an architecture's name "
            "with --init to choose others."
        )
    info, model = load_model(obtain_model(init))
    if [c.name for c in info.categories] != [c.name for c in categories]:
        raise UserError(
            f"{init} finds other categories than {coco.path} has; start from an architecture."
        )
    # The figures it brings are those of the model it was.
    return replace(info, id=name, categories=categories, metrics={}), model


def _small_side(coco: "CocoFile") -> float | None:
    """Return the side of the small ones among the objects of a set."""
    from maskstudio.annotation.tiling import small_side

    boxes = [a.bbox_xywh for of_image in coco.annotations.values() for a in of_image]
    return small_side([math.sqrt(width * height) for _, _, width, height in boxes])


def _evaluate(
    model: Path, coco: "CocoFile", images: Path, device: str, progress: ProgressStyle
) -> dict[str, Any]:
    from maskstudio.mask_rcnn.evaluator import evaluate as run
    from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor

    predictor = MaskRCNNPredictor.load(model, device)
    with ConsoleContext("Evaluating", progress) as context:
        metrics = run(predictor, coco, images, context)
        plain: dict[str, Any] = _without_nan(metrics)
        context.produce(plain)
        context.produce(_summary(metrics))
    return plain


def _without_nan(value: Any) -> Any:
    """Return figures with None for what could not be measured: JSON knows no nan."""
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def _summary(metrics: dict[str, Any]) -> str:
    lines = []
    for kind in ("box", "mask"):
        if kind in metrics:
            figures = metrics[kind]
            lines.append(
                f"{kind:4}  AP {figures['AP']:.3f}  AP50 {figures['AP50']:.3f}  "
                f"AP75 {figures['AP75']:.3f}"
            )
    lines.append(f"{metrics['images']} images, {metrics['seconds_per_image']:.3f} s an image")
    return "\n".join(lines)
