"""Try a model out on this machine, to say how it runs."""

from pathlib import Path

from maskstudio.annotation.device_facts import DeviceFacts
from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor
from maskstudio.progress import TaskContext
from maskstudio.resources import resource_path
from maskstudio.storage.images import read_image

_PICTURE = ("samples", "nuclei", "fluorescence-1.png")
# The first runs are slower; the middle one of three is not among the slow.
_RUNS = 3


def try_out(model: Path, device: str) -> DeviceFacts:
    """Run a model on a sample picture.

    Raises:
        UserError: the file is no model, or the device is not there or too small.
    """
    predictor = MaskRCNNPredictor.load(model, device)
    picture = read_image(resource_path(*_PICTURE))
    for _ in range(_RUNS):
        predictor.predict(picture, TaskContext())
    return predictor.facts()
