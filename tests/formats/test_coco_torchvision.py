"""torchvision's own loader, which trains Mask R-CNN elsewhere, reads the file as it was meant."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets import CocoDetection, wrap_dataset_for_transforms_v2

from maskstudio.annotation.annotation import Dataset
from maskstudio.annotation.masks import decode, rasterize
from maskstudio.formats.coco import exported_outline

# pycocotools 2.0 predates what numpy 2 asks of arrays.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_torchvision_reads_masks_boxes_and_categories(
    small_dataset: Dataset, write_file: Callable[[Dataset], Path], tmp_path: Path
) -> None:
    for image in small_dataset.images:
        (tmp_path / image.path).parent.mkdir(exist_ok=True)
        Image.new("RGB", (image.width, image.height)).save(tmp_path / image.path)
    read = wrap_dataset_for_transforms_v2(
        CocoDetection(tmp_path, write_file(small_dataset)),
        target_keys=("boxes", "labels", "masks"),
    )
    _, first = read[0]
    annotations = small_dataset.annotations[4]
    masks = [decode(rasterize(exported_outline(a), 30, 40)) for a in annotations]
    np.testing.assert_array_equal(first["masks"].numpy().astype(bool), masks)
    assert first["labels"].tolist() == [2, 1, 1]
    assert first["boxes"].tolist() == [[2, 2, 22, 22], [25, 4, 39, 20], [1, 25, 20, 29]]
    _, second = read[1]
    assert second["masks"].sum(dim=(1, 2)).tolist() == [36, 56]
    _, empty = read[2]
    assert "masks" not in empty or len(empty["masks"]) == 0
