"""How to train, as plain values: importing this loads no torch."""

from dataclasses import dataclass
from enum import StrEnum


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
        batch_size: views in one step.
        crop: side of a view in pixels.
        learning_rate: of AdamW at its highest; it falls along a cosine to a hundredth.
        weight_decay: of AdamW, on weights of convolutions and linear layers only.
        warmup: steps over which the learning rate rises from nothing.
        clip: largest norm of the gradient.
        averaging: decay of the moving average of the weights, which is what is kept.
        rois_per_image: RoIs the heads learn from in one view; a quarter of them positive.
        augmentation: how views are varied.
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
    seed: int = 0
