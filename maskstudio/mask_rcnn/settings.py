"""How to train, as plain values: importing this loads no torch."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Augmentation(StrEnum):
    """What a training image may be turned into."""

    PHOTO = "photo"
    """Upright scenes: mirrored left to right, colours varied."""
    MICROSCOPY = "microscopy"
    """No way is up: also mirrored top to bottom, transposed, inverted and without colour."""


@dataclass(frozen=True)
class TrainingSettings:
    """How to train.

    Attributes:
        iterations: steps in all.
        batch_size: views in one step, on each device.
        crop: side of a view in pixels.
        learning_rate: of AdamW at its highest; it falls along a cosine to a hundredth.
        weight_decay: of AdamW, on weights of convolutions and linear layers only.
        warmup: steps over which the learning rate rises from nothing.
        clip: largest norm of the gradient.
        averaging: decay of the moving average of the weights, which is what is kept.
        rois_per_image: RoIs the heads learn from in one view; a quarter of them positive.
        augmentation: how views are varied.
        copy_paste: share of the views into which objects of other images are put.
        validate_every: steps between two measurements.
        seed: of everything drawn at random.
    """

    iterations: int = 2000
    batch_size: int = 4
    crop: int = 320
    learning_rate: float = 5e-4
    weight_decay: float = 1e-2
    warmup: int = 100
    clip: float = 5.0
    averaging: float = 0.998
    rois_per_image: int = 128
    augmentation: Augmentation = Augmentation.PHOTO
    copy_paste: float = 0.0
    validate_every: int = 200
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain JSON values."""
        return asdict(self) | {"augmentation": self.augmentation.value}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "TrainingSettings":
        """Read back what `to_json` gave.

        Raises:
            TypeError: a field is unknown.
            KeyError: the kind of augmentation is missing.
            ValueError: it is unknown.
        """
        return cls(**told | {"augmentation": Augmentation(told["augmentation"])})
