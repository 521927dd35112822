"""A loaded model that turns an image into detections."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.models.detection import FasterRCNN

from maskstudio.annotation.detections import LOWEST_SCORE, Detections
from maskstudio.errors import UserError
from maskstudio.mask_rcnn.device import Device, choose_device
from maskstudio.mask_rcnn.model_file import ModelInfo, load_model
from maskstudio.mask_rcnn.stages import RawDetections, detect, interrupted_by
from maskstudio.progress import TaskContext


class MaskRCNNPredictor:
    """Mask R-CNN or Faster R-CNN on one device; implements `annotation.detections.Predictor`."""

    def __init__(self, info: ModelInfo, model: FasterRCNN, device: Device) -> None:
        """Move the model to the device.

        Args:
            info: what the model says of itself.
            model: in evaluation mode.
            device: where to run.
        """
        self.info = info
        self._device = device
        # On a CPU this layout makes the convolutions half again as fast, with the same numbers.
        self._model = model.to(device.torch_device, memory_format=torch.channels_last)
        self._model.roi_heads.score_thresh = LOWEST_SCORE

    @classmethod
    def load(cls, path: Path, device: str = "auto") -> "MaskRCNNPredictor":
        """Load a model file.

        Raises:
            UserError: the file is no model, or the device is not there.
        """
        chosen = choose_device(device)
        return cls(*load_model(path), chosen)

    @property
    def model_id(self) -> str:
        """The model's name."""
        return self.info.id

    @property
    def device_name(self) -> str:
        """Where it runs, for a person."""
        return self._device.name

    @property
    def why_not_gpu(self) -> str:
        """Why it does not run on a GPU; empty when it does."""
        return self._device.why_not_gpu

    def predict(self, image: NDArray[np.uint8], context: TaskContext) -> Detections:
        """Find the instances of an image; see the protocol.

        Args:
            image: (height, width, 3) uint8 RGB.
            context: asked before every layer whether to stop.

        Raises:
            CancelledError: the person asked to stop.
            UserError: the device has too little memory, or the image is all but a line.
        """
        shorter, longer = sorted(image.shape[:2])
        if longer >= shorter * self.info.architecture.max_size:
            # Scaled to the longest side that the network takes, it would have no width left.
            raise UserError(
                f"An image of {image.shape[1]} by {image.shape[0]} pixels is too narrow for "
                f"{self.model_id}; cut it into pieces."
            )
        tensor = torch.from_numpy(image.transpose(2, 0, 1).copy())
        scaled = tensor.to(self._device.torch_device).float() / 255
        try:
            with interrupted_by(self._model, context.raise_if_cancelled):
                (raw,) = detect(self._model, [scaled])
        except torch.cuda.OutOfMemoryError as error:
            raise UserError(
                f"The GPU has too little memory for {self.model_id}; "
                "use a smaller model or the CPU."
            ) from error
        return self._detections(raw, (image.shape[0], image.shape[1]))

    def _detections(self, raw: RawDetections, size: tuple[int, int]) -> Detections:
        masks = raw.roi_masks
        return Detections(
            self.model_id,
            size,
            raw.boxes.float().cpu().numpy(),
            raw.labels.cpu().numpy() - 1,
            raw.scores.float().cpu().numpy(),
            None if masks is None else (masks * 255).round().to(torch.uint8).cpu().numpy(),
            self.info.categories,
        )
