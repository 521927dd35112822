"""A loaded model that turns an image into detections."""

import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.models.detection import FasterRCNN

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.box_answers import BoxAnswers, cut_to_image
from maskstudio.annotation.detections import Detections, ImageFeatures
from maskstudio.annotation.device_facts import DeviceFacts
from maskstudio.annotation.tiling import Sight
from maskstudio.errors import UserError
from maskstudio.mask_rcnn.device import Device, choose_device
from maskstudio.mask_rcnn.learner import HeadLearner
from maskstudio.mask_rcnn.model_file import SMALL_SIDE, ModelInfo, load_model
from maskstudio.mask_rcnn.pace import Pace
from maskstudio.mask_rcnn.placement import (
    BatchTooLargeError,
    LearnedParts,
    Placement,
    SharedPlacement,
)
from maskstudio.mask_rcnn.precision import Precision
from maskstudio.mask_rcnn.prompts import RawAnswers, answer_boxes, answer_place
from maskstudio.mask_rcnn.seen_image import SeenImage
from maskstudio.mask_rcnn.stages import RawDetections, find, propose, see
from maskstudio.progress import TaskContext

_T = TypeVar("_T")


class MaskRCNNPredictor:
    """Mask R-CNN or Faster R-CNN on one device; implements `annotation.detections.Predictor`."""

    def __init__(
        self,
        info: ModelInfo,
        model: FasterRCNN,
        device: Device,
        precision: Precision | None = None,
        source: Path | None = None,
    ) -> None:
        """Move the model to the device.

        Args:
            info: what the model says of itself.
            model: in evaluation mode, on the CPU, in float32; it is changed.
            device: where to run.
            precision: in what numbers to calculate; what is best on the device by default.
            source: the file it was loaded from.
        """
        self.info = info
        self._source = source
        self.place = Placement(info.id, model, device, precision)
        self._pace = Pace()
        self._renew_facts()

    @classmethod
    def load(cls, path: Path, device: str = "auto") -> "MaskRCNNPredictor":
        """Load a model file.

        Raises:
            UserError: the file is no model, or the device is not there.
        """
        chosen = choose_device(device)
        return cls(*load_model(path), chosen, source=path)

    @property
    def model_id(self) -> str:
        """The model's name."""
        return self.info.id

    @property
    def categories(self) -> tuple[Category, ...]:
        """What the model knows."""
        return self.info.categories

    @property
    def draws_outlines(self) -> bool:
        """False for Faster R-CNN."""
        return self.info.architecture.has_masks

    @property
    def sight(self) -> Sight:
        """To what size it scales an image, and how small an object it can find."""
        architecture = self.info.architecture
        small = self.info.training.get(SMALL_SIDE)
        return Sight(
            architecture.min_size,
            architecture.max_size,
            min(architecture.anchor_sizes),
            float(small) if isinstance(small, int | float) else None,
        )

    @property
    def device_name(self) -> str:
        """Where it runs, for a person."""
        return self.place.device.name

    @property
    def why_not_gpu(self) -> str:
        """Why it does not run on a GPU; empty when it does."""
        return self.place.device.why_not_gpu

    def facts(self) -> DeviceFacts:
        """Return how it runs; may be asked from any thread."""
        return self._facts

    def see(self, image: NDArray[np.uint8], context: TaskContext) -> SeenImage:
        """Look at an image; see the protocol.

        Args:
            image: (height, width, 3) uint8 RGB; it is kept and not to be changed.
            context: asked before every layer whether to stop.

        Raises:
            CancelledError: the person asked to stop.
            UserError: the device has too little memory, or the image is all but a line.
        """
        self.refuse_a_line(image.shape)
        with self._pace.of("see"):
            return self._run(lambda model: self._look(image, model), context)

    def find(self, features: ImageFeatures, context: TaskContext) -> Detections:
        """Find the instances of an image that was looked at; see the protocol."""
        own = self._own(features)
        with self._pace.of("find"):
            (raw,) = self._run(lambda model: find(model, self._seen(own, model).seen), context)
            return self._detections(raw, own.size)

    def predict(self, image: NDArray[np.uint8], context: TaskContext) -> Detections:
        """Find the instances of an image; see the protocol and `see`."""
        return self.find(self.see(image, context), context)

    @property
    def batch(self) -> int:
        """How many images it looks at together, where they are of one size."""
        return self.place.batch

    def predict_many(
        self, images: Sequence[NDArray[np.uint8]], context: TaskContext
    ) -> list[Detections]:
        """Find the instances of images, on a GPU several at a time where they are of one size.

        Args:
            images: each as for `see`.
            context: asked before every layer whether to stop.

        Raises:
            CancelledError: the person asked to stop.
            UserError: as `see`, for any of them.
        """
        found: list[Detections] = []
        while len(found) < len(images):
            alike = _first_alike(images[len(found) :], self.place.batch)
            if len(alike) == 1:
                found.append(self.predict(alike[0], context))
                continue
            self.refuse_a_line(alike[0].shape)
            # Halved, the batch is tried again; that was said.
            with suppress(BatchTooLargeError), self._pace.of("batch", len(alike)):
                found += self._find_together(alike, context)
        return found

    def answer(
        self, features: ImageFeatures, boxes: NDArray[np.floating], context: TaskContext
    ) -> BoxAnswers:
        """Outline and name what lies in boxes; see the protocol."""
        own = self._own(features)
        cut = torch.from_numpy(cut_to_image(boxes, own.size).astype(np.float32))

        def work(model: FasterRCNN) -> RawAnswers:
            here = self._here(own, model)
            return answer_boxes(model, here, cut.to(here.device))

        return self._answers(self._run(work, context), own)

    def candidates(
        self, features: ImageFeatures, x: float, y: float, context: TaskContext
    ) -> BoxAnswers:
        """Offer what covers a place; see the protocol."""
        own = self._own(features)

        def work(model: FasterRCNN) -> RawAnswers:
            here = self._seen(own, model)
            return answer_place(model, here, torch.tensor([x, y]).float().to(here.device))

        return self._answers(self._run(work, context), own)

    def gist(self, features: ImageFeatures) -> NDArray[np.float32]:
        """Return what an image looks like as a whole; see the protocol.

        The heads are the same for all levels of the pyramid, so its levels speak one language, and
        may be averaged.
        """
        levels = self._own(features).seen.features.values()
        mean = torch.stack([level.float().mean(dim=(0, 2, 3)) for level in levels]).mean(dim=0)
        return torch.nn.functional.normalize(mean, dim=0).cpu().numpy()

    @property
    def why_not_learning(self) -> str:
        """Why it cannot learn while a person labels, one clause; empty where it can."""
        if not self.draws_outlines:
            return "it finds boxes only, and draws no outlines"
        return "" if self._source else "it does not come from a file"

    def learner(self, names: Sequence[str], folder: Path) -> HeadLearner | None:
        """Return one that learns from here on; see the protocol."""
        if self._source is None or self.why_not_learning:
            return None
        return HeadLearner(self, self._source, names, folder)

    def with_parts(self, info: ModelInfo, parts: LearnedParts) -> "MaskRCNNPredictor":
        """Return a predictor that shares the backbone and has other parts before it.

        Args:
            info: what it says of itself.
            parts: they are copied.
        """
        return _Sharing(self, info, parts)

    def _renew_facts(self) -> None:
        place = self.place
        taken, whole = place.megabytes()
        self._facts = DeviceFacts(
            place.device.name,
            place.precision.name,
            place.device.why_not_gpu,
            self._pace.ms_per_image,
            taken,
            whole,
            place.steps,
        )

    def _run(self, work: Callable[[FasterRCNN], _T], context: TaskContext, images: int = 1) -> _T:
        try:
            return self.place.run(work, context, images)
        finally:
            self._renew_facts()

    def _look(self, image: NDArray[np.uint8], model: FasterRCNN) -> SeenImage:
        seen = see(model, [self._as_tensor(image)])
        return SeenImage(image, seen, model.backbone, model.rpn)

    def _find_together(
        self, images: Sequence[NDArray[np.uint8]], context: TaskContext
    ) -> list[Detections]:
        def work(model: FasterRCNN) -> list[RawDetections]:
            return find(model, see(model, [self._as_tensor(image) for image in images]))

        raws = self._run(work, context, len(images))
        height, width = images[0].shape[:2]
        return [self._detections(raw, (height, width)) for raw in raws]

    def _here(self, own: SeenImage, model: FasterRCNN) -> SeenImage:
        """Return what was seen of an image, seen anew where this model's pyramid did not see it.

        Or where a failed GPU has taken along what it saw.
        """
        moved = own.device.type != self.place.device.torch_device.type
        if moved or own.viewer is not model.backbone:
            anew = self._look(own.image, model)
            own.seen, own.viewer, own.proposer = anew.seen, anew.viewer, anew.proposer
        return own

    def _seen(self, own: SeenImage, model: FasterRCNN) -> SeenImage:
        """Return the same with this model's proposals: heads that have learned make others."""
        here = self._here(own, model)
        if here.proposer is model.rpn:
            return here
        return SeenImage(here.image, propose(model, here.seen), here.viewer, model.rpn)

    def _as_tensor(self, image: NDArray[np.uint8]) -> Tensor:
        # A copy, for images are read-only and torch knows no such thing.
        tensor = torch.from_numpy(np.array(image))
        return tensor.to(self.place.device.torch_device).permute(2, 0, 1)

    def refuse_a_line(self, shape: tuple[int, ...]) -> None:
        """Refuse an image of which nothing would be left.

        Raises:
            UserError: it is so narrow.
        """
        shorter, longer = sorted(shape[:2])
        if longer >= shorter * self.info.architecture.max_size:
            # Scaled to the longest side that the network takes, it would have no width left.
            raise UserError(
                f"An image of {shape[1]} by {shape[0]} pixels is too narrow for "
                f"{self.model_id}; cut it into pieces."
            )

    @staticmethod
    def _own(features: ImageFeatures) -> SeenImage:
        if not isinstance(features, SeenImage):
            raise TypeError("these features are of another predictor")
        return features

    def _answers(self, raw: RawAnswers, seen: SeenImage) -> BoxAnswers:
        return BoxAnswers(
            self.model_id,
            seen.size,
            raw.boxes.float().cpu().numpy(),
            raw.mask_boxes.float().cpu().numpy(),
            raw.labels.cpu().numpy() - 1,
            raw.scores.float().cpu().numpy(),
            None if raw.roi_masks is None else _as_bytes(raw.roi_masks),
            self.info.categories,
        )

    def _detections(self, raw: RawDetections, size: tuple[int, int]) -> Detections:
        masks = raw.roi_masks
        return Detections(
            self.model_id,
            size,
            raw.boxes.float().cpu().numpy(),
            raw.labels.cpu().numpy() - 1,
            raw.scores.float().cpu().numpy(),
            None if masks is None else _as_bytes(masks),
            self.info.categories,
        )


class _Sharing(MaskRCNNPredictor):
    """A predictor that has the backbone of another, and learned parts of its own."""

    def __init__(self, base: MaskRCNNPredictor, info: ModelInfo, parts: LearnedParts) -> None:
        vars(self).update(vars(base))
        self.info = info
        self._source = None
        self.place = SharedPlacement(base.place, info.id, parts)
        self._pace = Pace()
        self._renew_facts()


def _first_alike(images: Sequence[NDArray[np.uint8]], most: int) -> list[NDArray[np.uint8]]:
    """Return the first images, as many as are of one size, at most so many.

    A batch of several sizes is padded to the largest, which changes what the network sees.
    """
    alike = itertools.takewhile(lambda image: image.shape == images[0].shape, images)
    return list(itertools.islice(alike, most))


def _as_bytes(probabilities: Tensor) -> NDArray[np.uint8]:
    return (probabilities * 255).round().to(torch.uint8).cpu().numpy()
