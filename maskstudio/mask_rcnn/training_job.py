"""What is trained on what, and how; what nobody has chosen is chosen from the data."""

import hashlib
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.tiling import small_side
from maskstudio.annotation.training_defaults import Sizes, crop_for, sizes_for, steps_for
from maskstudio.errors import UserError
from maskstudio.formats.coco_reader import CocoFile, read_coco
from maskstudio.mask_rcnn.architectures import Architecture
from maskstudio.mask_rcnn.coco_dataset import CocoCrops
from maskstudio.mask_rcnn.model_file import SMALL_SIDE, ModelInfo
from maskstudio.mask_rcnn.settings import Augmentation, TrainingSettings
from maskstudio.mask_rcnn.training_start import fitting, is_architecture, start_info
from maskstudio.storage.training_events import Plan

# Wide pyramids are those of large networks, which want smaller steps.
_WIDE, _RATE, _WIDE_RATE, _WIDE_BATCH = 256, 5e-4, 1e-4, 2
_COPY_PASTE = 0.3
_MEASUREMENTS = 12
_FORGOTTEN_AFTER, _LONGEST_AVERAGE = 20, 0.998


@dataclass(frozen=True)
class Source:
    """The data of a run.

    Attributes:
        annotations: COCO file to learn from.
        images: folder that file names are relative to.
        val: COCO file to measure on; None: nothing is measured.
    """

    annotations: Path
    images: Path
    val: Path | None


@dataclass(frozen=True)
class Wanted:
    """What a person has decided of the settings; None: the data decides."""

    iterations: int | None = None
    batch_size: int | None = None
    crop: int | None = None
    input_size: int | None = None
    anchors: tuple[int, ...] | None = None
    learning_rate: float | None = None
    augmentation: Augmentation | None = None
    copy_paste: float | None = None
    validate_every: int | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Job:
    """All that a run is about.

    Attributes:
        output: its file.
        init: what it begins with: a model's name or path, or an architecture's name.
        source: the data.
        settings: how it is trained.
        info: what the model will say of itself, but for its figures.
        backbone_weights: of a classifier, for a fresh network.
    """

    output: Path
    init: str
    source: Source
    settings: TrainingSettings
    info: ModelInfo
    backbone_weights: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        files = {
            "output": self.output,
            "annotations": self.source.annotations,
            "images": self.source.images,
            "val": self.source.val,
            "backbone_weights": self.backbone_weights,
        }
        return {
            **{name: path and str(path.absolute()) for name, path in files.items()},
            "init": self.init,
            "settings": self.settings.to_json(),
            "name": self.info.id,
            "architecture": self.info.architecture.to_header(),
            "categories": [[c.id, c.name, c.supercategory] for c in self.info.categories],
            "training": dict(self.info.training),
            "licence": self.info.licence,
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Job":
        """Read back what `to_json` gave.

        Raises:
            UserError: something is missing or cannot be understood.
        """
        try:
            info = ModelInfo(
                told["name"],
                Architecture.from_header(told["architecture"]),
                tuple(Category(*one) for one in told["categories"]),
                {},
                dict(told["training"]),
                told["licence"],
            )
            source = Source(Path(told["annotations"]), Path(told["images"]), _path(told["val"]))
            return cls(
                Path(told["output"]),
                told["init"],
                source,
                TrainingSettings.from_json(told["settings"]),
                info,
                _path(told["backbone_weights"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(
                f"The settings of the run cannot be understood ({error!r}); begin a new run."
            ) from error

    def check_unchanged(self) -> None:
        """Refuse to go on with data other than that the run began with.

        Raises:
            UserError: a file has changed or cannot be read.
        """
        for key, path in (
            ("sha256", self.source.annotations),
            ("val_sha256", self.source.val),
        ):
            if path is not None and _hash(path) != self.info.training[key]:
                raise UserError(f"{path} has changed since the run began; begin a new run.")

    def crops(self, coco: CocoFile) -> CocoCrops:
        """Return the views that are learned from."""
        return CocoCrops(
            coco,
            self.source.images,
            self.info.architecture.min_size,
            self.settings.crop,
            self.settings.augmentation,
            copy_paste=self.settings.copy_paste,
        )

    def plan(self, coco: CocoFile, val: CocoFile | None, device: str) -> Plan:
        """Say what will be done."""
        architecture = self.info.architecture
        shown = self.settings.to_json() | {
            "init": self.init,
            "architecture": architecture.name,
            "input_size": architecture.min_size,
            "anchors": list(architecture.anchor_sizes),
        }
        return Plan(
            len(coco.images),
            len(val.images) if val else 0,
            self.settings.iterations,
            shown,
            _counts(coco),
            device,
        )


def prepare(
    source: Source,
    init: str,
    output: Path,
    wanted: Wanted,
    *,
    licence: str = "",
    backbone_weights: Path | None = None,
) -> Job:
    """Decide all of a run.

    Args:
        source: the data.
        init: a model's name or path, or an architecture's name.
        output: the model to write; its name is the model's.
        wanted: what a person has decided.
        licence: of the weights.
        backbone_weights: of a classifier, for a fresh network.

    Raises:
        UserError: a file cannot be read, there is no such model, or it does not fit the data.
    """
    coco = read_coco(source.annotations)
    start = start_info(init)
    if backbone_weights and not is_architecture(init):
        raise UserError(f"{init} has its own backbone; give backbone weights with an architecture.")
    categories = tuple(Category(c.id, c.name, c.supercategory) for c in coco.categories)
    architecture = _architecture(start, coco, wanted)
    settings = _settings(start, architecture, coco, wanted)
    return Job(
        output,
        init,
        source,
        settings,
        ModelInfo(
            output.stem,
            architecture,
            categories,
            {},
            _memory(source, init, coco) | {"settings": settings.to_json()},
            licence or start.licence,
        ),
        backbone_weights,
    )


def _architecture(start: ModelInfo, coco: CocoFile, wanted: Wanted) -> Architecture:
    """Return what to build; see `_knows`."""
    base = start.architecture
    usual = Sizes(base.min_size, base.anchor_sizes)
    if not _knows(start, coco):
        usual = sizes_for(_objects(coco), base.min_size, len(base.anchor_sizes))
    anchors = wanted.anchors or usual.anchors
    if len(anchors) != len(base.anchor_sizes):
        raise UserError(
            f"{base.name} has {len(base.anchor_sizes)} levels; give as many anchor sizes."
        )
    return fitting(base, wanted.input_size or usual.input_size, anchors)


def _knows(start: ModelInfo, coco: CocoFile) -> bool:
    """Tell whether a model knows all categories of a set: then its sizes fit them already."""
    known = {category.name for category in start.categories}
    return known >= {category.name for category in coco.categories}


def _settings(
    start: ModelInfo, architecture: Architecture, coco: CocoFile, wanted: Wanted
) -> TrainingSettings:
    usual = TrainingSettings()
    before = start.training.get("settings")
    before = before if isinstance(before, dict) and _knows(start, coco) else {}
    steps = wanted.iterations or steps_for([_learned(coco, i) for i in coco.images])
    augmentation = wanted.augmentation or Augmentation(
        before.get("augmentation", usual.augmentation)
    )
    wide = architecture.fpn_channels >= _WIDE
    chosen: dict[str, Any] = {
        "batch_size": _WIDE_BATCH if wide else usual.batch_size,
        "crop": before.get("crop") or crop_for(_objects(coco), architecture.min_size),
        "learning_rate": _WIDE_RATE if wide else _RATE,
        "copy_paste": _COPY_PASTE if augmentation is Augmentation.PHOTO else 0.0,
        "validate_every": max(1, math.ceil(steps / _MEASUREMENTS)),
        "warmup": min(usual.warmup, max(1, steps // 10)),
        "averaging": min(_LONGEST_AVERAGE, max(0.0, 1 - _FORGOTTEN_AFTER / steps)),
    }
    chosen |= {name: value for name, value in _decided(wanted) if value is not None}
    return replace(usual, **chosen | {"iterations": steps, "augmentation": augmentation})


def _decided(wanted: Wanted) -> list[tuple[str, Any]]:
    names = ("batch_size", "crop", "learning_rate", "copy_paste", "validate_every", "seed")
    return [(name, getattr(wanted, name)) for name in names]


def _memory(source: Source, init: str, coco: CocoFile) -> dict[str, Any]:
    """Return what a model remembers of where it came from."""
    boxes = [a.bbox_xywh for of_image in coco.annotations.values() for a in of_image]
    return {
        "annotations": source.annotations.name,
        "sha256": _hash(source.annotations),
        "val": source.val and source.val.name,
        "val_sha256": source.val and _hash(source.val),
        "images": len(coco.images),
        "objects": _counts(coco),
        "init": init,
        "date": datetime.now(UTC).date().isoformat(),
        SMALL_SIDE: small_side([math.sqrt(width * height) for _, _, width, height in boxes]),
    }


def _objects(coco: CocoFile) -> list[tuple[float, float, int]]:
    return [
        (a.bbox_xywh[2], a.bbox_xywh[3], min(image.height, image.width))
        for image in coco.images.values()
        for a in coco.annotations[image.id]
    ]


def _learned(coco: CocoFile, image_id: int) -> int:
    return sum(not one.iscrowd for one in coco.annotations[image_id])


def _counts(coco: CocoFile) -> dict[str, int]:
    names = {category.id: category.name for category in coco.categories}
    counted = Counter(
        names[one.category_id]
        for image_id in coco.images
        for one in coco.annotations[image_id]
        if not one.iscrowd
    )
    return {name: counted[name] for name in names.values()}


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
