"""Every member of the family is trained, saved, loaded and run."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from maskstudio.annotation.annotation import Category
from maskstudio.formats.coco_reader import CocoFile
from maskstudio.mask_rcnn.architectures import build, default_architecture
from maskstudio.mask_rcnn.coco_dataset import CocoCrops
from maskstudio.mask_rcnn.device import Device
from maskstudio.mask_rcnn.model_file import ModelInfo, save_model
from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor
from maskstudio.mask_rcnn.settings import Augmentation, TrainingSettings
from maskstudio.mask_rcnn.trainer import Trainer
from maskstudio.progress import TaskContext
from maskstudio.storage.images import read_image

BACKBONES = (
    "resnet50_fpn",
    "resnet50_fpn_v2",
    "resnet101_fpn",
    "tf_efficientnet_lite0_fpn",
    "mobilenetv3_small_050_fpn",
)
FAMILY = [(f"{head}_{body}", "align") for head in ("maskrcnn", "fasterrcnn") for body in BACKBONES]
FAMILY += [(f"{head}_tf_efficientnet_lite0_fpn", "pool") for head in ("maskrcnn", "fasterrcnn")]


@pytest.mark.parametrize(("name", "roi_op"), FAMILY)
def test_a_member_is_trained_saved_loaded_and_run(
    name: str, roi_op: str, discs: CocoFile, cpu: Device, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    architecture = replace(
        default_architecture(name), roi_op=roi_op, min_size=64, max_size=128, max_detections=10
    )
    settings = TrainingSettings(iterations=2, batch_size=2, crop=64, warmup=1, rois_per_image=8)
    data = CocoCrops(discs, tmp_path / "discs", 64, 64, Augmentation.MICROSCOPY)
    trainer = Trainer(build(architecture, categories=1), data, settings, cpu)
    start = {key: tensor.clone() for key, tensor in trainer.weights().items()}
    assert len(list(trainer.steps())) == 2
    weights = trainer.weights()
    assert all(torch.isfinite(tensor).all() for tensor in weights.values())
    for part in ("backbone.body", "backbone.fpn", "rpn", "roi_heads"):
        assert any(
            key.startswith(part) and not torch.equal(tensor, start[key])
            for key, tensor in weights.items()
        ), f"{part} learned nothing"

    info = ModelInfo("member", architecture, (Category(1, "nucleus", "cell"),))
    path = tmp_path / "member.safetensors"
    save_model(path, info, weights)
    trainer.model.load_state_dict(weights)
    image = read_image(tmp_path / "discs" / "discs-1.png")
    before = MaskRCNNPredictor(info, trainer.model.eval(), cpu).predict(image, TaskContext())
    after = MaskRCNNPredictor.load(path, "cpu").predict(image, TaskContext())

    assert 0 < len(after) <= 10
    assert after.model_id == "member"
    assert after.categories == info.categories
    assert after.size == (64, 64)
    np.testing.assert_array_equal(after.boxes, before.boxes)
    np.testing.assert_array_equal(after.scores, before.scores)
    np.testing.assert_array_equal(after.labels, before.labels)
    if name.startswith("fasterrcnn"):
        assert after.roi_masks is None
        return
    assert after.roi_masks is not None
    assert before.roi_masks is not None
    assert after.roi_masks.shape == (len(after), 28, 28)
    np.testing.assert_array_equal(after.roi_masks, before.roi_masks)
