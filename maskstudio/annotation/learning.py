"""What a model learns from while a person labels: plain values.

The one that learns is `annotation.detections.Learner`.
"""

from __future__ import annotations

from dataclasses import dataclass

from maskstudio.annotation.segmentation import Box, Segmentation


@dataclass(frozen=True)
class Truth:
    """One object of an image, as a person left it.

    Attributes:
        category: name of one of the learner's categories.
        segmentation: its outline; None where a person drew a box alone.
        box: xyxy, for want of an outline; taken from the outline where there is one.
        crowd: many objects in one outline: nothing is learned where it lies.
    """

    category: str
    segmentation: Segmentation | None
    box: Box | None = None
    crowd: bool = False

    @property
    def bounds(self) -> Box:
        """The box around it, xyxy in pixels of the image.

        Raises:
            ValueError: it has neither an outline nor a box.
        """
        if self.segmentation is not None:
            return self.segmentation.box
        if self.box is None:
            raise ValueError("a truth has an outline or a box")
        return self.box


@dataclass(frozen=True)
class LearnReport:
    """What one call of `Learner.learn` did.

    Attributes:
        steps: made in this call; 0 where there was nothing to learn from or no more to gain.
        loss: mean over them; nan without a step.
        images: how many images are remembered.
        seconds: what the steps took, without what more urgent work took between them.
        due: steps that are still worth making with the images remembered; 0 when it has learned
            what there is, until an image is added or changed.
    """

    steps: int
    loss: float
    images: int
    seconds: float
    due: int
