"""The embedded model, loaded once, and a small set to train on."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torchvision.models.detection import FasterRCNN

from maskstudio.formats.coco_reader import CocoFile, read_coco
from maskstudio.mask_rcnn.device import Device, choose_device
from maskstudio.mask_rcnn.model_file import ModelInfo, find_model, load_model
from maskstudio.resources import resource_path
from maskstudio.storage.images import read_image
from support.coco_sets import write_discs


@pytest.fixture(scope="package", autouse=True)
def _one_thread() -> Iterator[None]:
    """Small tensors gain nothing from more threads, and lose much where the cores are busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def nuclei() -> tuple[ModelInfo, FasterRCNN]:
    """The embedded model; tests may lower its input size but not touch its weights."""
    return load_model(find_model("nuclei"))


@pytest.fixture(scope="session")
def sample_image() -> NDArray[np.uint8]:
    """A sample picture of many nuclei, 520 x 696."""
    return read_image(resource_path("samples", "nuclei", "fluorescence-1.png"))


@pytest.fixture
def cpu() -> Device:
    return choose_device("cpu")


@pytest.fixture
def discs(tmp_path: Path) -> CocoFile:
    """Two pictures of three discs each, 64 x 64, in `tmp_path / "discs"`."""
    return read_coco(write_discs(tmp_path / "discs"))
