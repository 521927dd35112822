"""The programs that people train and evaluate with read the COCO file as it was meant.

pycocotools itself is the gate's reader: tests/formats/test_coco_gate.py.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import faster_coco_eval
import numpy as np
import pytest
import supervision
import torch
from numpy.typing import NDArray
from PIL import Image
from torchvision.datasets import CocoDetection, wrap_dataset_for_transforms_v2
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.transforms import v2

from maskstudio.annotation.annotation import Dataset
from maskstudio.annotation.masks import decode, rasterize
from maskstudio.formats.coco import write_coco
from maskstudio.formats.coco_writing import exported_outline
from maskstudio.formats.options import SegmentationStyle

# pycocotools 2.0 predates what numpy 2 asks of arrays.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

Masks = Mapping[int, NDArray[np.bool_]]


@pytest.fixture(params=SegmentationStyle)
def style(request: pytest.FixtureRequest) -> SegmentationStyle:
    return request.param


@pytest.fixture
def written(small_dataset: Dataset, style: SegmentationStyle, tmp_path: Path) -> Path:
    """The file, beside the images it is about."""
    rng = np.random.default_rng(0)
    for image in small_dataset.images:
        path = tmp_path / image.path
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (image.height, image.width, 3), np.uint8)).save(path)
    path = tmp_path / "annotations.json"
    with path.open("wb") as file:
        write_coco(small_dataset, file, style)
    return path


def masks_of(dataset: Dataset, image_id: int) -> Masks:
    """Return the masks on screen that cover a pixel, by annotation."""
    (image,) = (one for one in dataset.images if one.id == image_id)
    masks = {
        annotation.id: decode(rasterize(exported_outline(annotation), image.height, image.width))
        for annotation in dataset.annotations.get(image_id, ())
    }
    return {identity: mask for identity, mask in masks.items() if mask.any()}


def test_faster_coco_eval_reads_the_masks_and_gives_the_file_full_marks(
    small_dataset: Dataset, written: Path
) -> None:
    truth = faster_coco_eval.COCO(str(written))
    for image in small_dataset.images:
        entries = truth.load_anns(truth.get_ann_ids(img_ids=[image.id]))
        read = {entry["id"]: truth.annToMask(entry).astype(bool) for entry in entries}
        expected = masks_of(small_dataset, image.id)
        assert read.keys() == expected.keys()
        for identity, mask in expected.items():
            np.testing.assert_array_equal(read[identity], mask)
    found = [
        {key: entry[key] for key in ("image_id", "category_id")}
        | {"segmentation": truth.annToRLE(entry), "score": 1.0}
        for entry in truth.anns.values()
    ]
    evaluation = faster_coco_eval.COCOeval_faster(truth, truth.loadRes(found), "segm")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats_as_dict["AP_all"] == pytest.approx(1)


def test_torchvision_reads_masks_boxes_and_categories(
    small_dataset: Dataset, written: Path
) -> None:
    read = wrap_dataset_for_transforms_v2(
        CocoDetection(written.parent, written), target_keys=("boxes", "labels", "masks")
    )
    _, first = read[0]
    np.testing.assert_array_equal(
        first["masks"].numpy().astype(bool), list(masks_of(small_dataset, 4).values())
    )
    assert first["labels"].tolist() == [2, 1, 1]
    assert first["boxes"].tolist() == [[2, 2, 22, 22], [25, 4, 39, 20], [1, 25, 20, 29]]
    _, second = read[1]
    assert second["masks"].sum(dim=(1, 2)).tolist() == [36, 56]
    _, empty = read[2]
    assert "masks" not in empty or len(empty["masks"]) == 0


def test_torchvision_trains_a_step_of_mask_rcnn_on_it(written: Path) -> None:
    to_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    read = wrap_dataset_for_transforms_v2(
        CocoDetection(written.parent, written, transforms=to_tensor),
        target_keys=("boxes", "labels", "masks"),
    )
    torch.manual_seed(0)
    # Labels are category ids, 0 is the background.
    backbone = resnet_fpn_backbone(backbone_name="resnet18", weights=None)
    model = MaskRCNN(backbone, num_classes=8, min_size=64, max_size=96)
    images, targets = zip(*(read[n] for n in range(2)), strict=True)
    before = model.roi_heads.mask_predictor.mask_fcn_logits.weight.detach().clone()
    losses: dict[str, Any] = model(list(images), list(targets))
    total = sum(losses.values())
    total.backward()
    torch.optim.SGD(model.parameters(), lr=0.01).step()
    assert {"loss_mask", "loss_classifier", "loss_box_reg"} <= losses.keys()
    assert torch.isfinite(total)
    assert losses["loss_mask"] > 0
    assert not torch.equal(before, model.roi_heads.mask_predictor.mask_fcn_logits.weight)


def test_supervision_reads_masks_boxes_and_categories(
    small_dataset: Dataset, written: Path, style: SegmentationStyle
) -> None:
    read = supervision.DetectionDataset.from_coco(
        str(written.parent), str(written), force_masks=True
    )
    # By category id: 1, 2, 7.
    assert read.classes == ["細胞", "Zelle", "unused"]
    found = {Path(path).name: detections for path, _, detections in read}
    assert found.keys() == {"a 1.png", "b.png", "empty.png"}
    assert len(found["empty.png"]) == 0
    first = found["a 1.png"]
    assert first.class_id.tolist() == [1, 0, 0]
    assert first.xyxy.tolist() == [[2, 2, 22, 22], [25, 4, 39, 20], [1, 25, 20, 29]]
    expected = list(masks_of(small_dataset, 4).values())
    if style is SegmentationStyle.RLE:
        np.testing.assert_array_equal(first.mask, expected)
        return
    # Its own way to paint polygons rounds corners to pixels and paints the edge too.
    for mask, wanted in zip(first.mask, expected, strict=True):
        assert not (wanted & ~mask).sum() > 0.15 * wanted.sum()


def test_every_client_gets_the_same_categories_though_one_is_not_used(
    written: Path, small_dataset: Dataset, write_file: Callable[[Dataset], Path]
) -> None:
    only = Dataset(small_dataset.categories, small_dataset.images[1:2], small_dataset.annotations)
    parts = [faster_coco_eval.COCO(str(path)) for path in (written, write_file(only))]
    assert parts[0].cats == parts[1].cats
