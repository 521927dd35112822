"""Every model of the catalogue is torchvision's, to the last detection."""

import hashlib
import importlib.util
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor
from torchvision.models import WeightsEnum, detection, get_model_weights
from torchvision.models.detection import FasterRCNN

from maskstudio.errors import UserError
from maskstudio.mask_rcnn.importing import obtain_model, take_in
from maskstudio.mask_rcnn.model_file import ModelInfo, find_model, load_model
from maskstudio.mask_rcnn.stages import RawDetections, detect
from maskstudio.progress import TaskContext
from maskstudio.resources import resource_path
from maskstudio.storage.catalogue import CatalogueEntry, catalogue, coco_categories
from maskstudio.storage.model_folder import list_models, model_file, models_dir, weights_file
from support.weights import random_weights, with_old_names

NAMES = (
    "maskrcnn_resnet50_fpn_v2",
    "maskrcnn_resnet50_fpn",
    "fasterrcnn_resnet50_fpn_v2",
    "fasterrcnn_mobilenet_v3_large_fpn",
)
SMALL = "fasterrcnn_mobilenet_v3_large_fpn"


def test_the_catalogue_says_what_torchvision_says() -> None:
    path = Path(__file__).parents[2] / "packaging" / "make_catalogue.py"
    spec = importlib.util.spec_from_file_location("make_catalogue", path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    kept = json.loads(resource_path("models", "catalogue.json").read_text(encoding="utf-8"))
    assert kept == script.torchvision_says()


@pytest.mark.parametrize("name", NAMES)
def test_each_entry_is_torchvisions(name: str) -> None:
    entry, own = catalogue()[name], get_model_weights(name).COCO_V1
    assert tuple(catalogue()) == NAMES
    assert entry.url == own.url
    assert entry.file_name == Path(own.url).name
    assert entry.size / 1024**2 == pytest.approx(own.meta["_file_size"], abs=1e-3)
    assert 100 * entry.box_ap == pytest.approx(own.meta["_metrics"]["COCO-val2017"]["box_map"])
    assert (entry.mask_ap is not None) == name.startswith("maskrcnn")
    assert ("__background__", *coco_categories()) == tuple(own.meta["categories"])
    assert entry.title
    assert entry.purpose


class Pair(NamedTuple):
    """A model of torchvision's and what was made of the same file."""

    own: FasterRCNN
    info: ModelInfo
    ours: FasterRCNN


def place(name: str, weights: dict[str, Tensor], *, old: bool = False) -> CatalogueEntry:
    """Put a file of torchvision's layout where a download puts it; return its entry."""
    models_dir().mkdir(parents=True, exist_ok=True)
    path = models_dir() / "weights"
    torch.save(
        with_old_names(weights) if old else weights, path, _use_new_zipfile_serialization=not old
    )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    entry = replace(catalogue()[name], url=f"http://127.0.0.1/{name}_coco-{digest[:8]}.pth")
    path.rename(weights_file(entry))
    return entry


@pytest.fixture(scope="module", params=NAMES)
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    name = request.param
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("XDG_DATA_HOME", "HOME", "LOCALAPPDATA"):
            patch.setenv(variable, str(tmp_path_factory.mktemp("data")))
        old = name == "maskrcnn_resnet50_fpn"
        weights = random_weights(name)
        entry = place(name, weights, old=old)
        # torchvision's own way from here on, the eps of its norms included; only nothing is
        # downloaded.
        kept = with_old_names(weights) if old else weights
        patch.setattr(WeightsEnum, "get_state_dict", lambda *_, **__: dict(kept))
        own = getattr(detection, name)(weights="COCO_V1")
        info, ours = load_model(take_in(entry, TaskContext()))
        for model in (own, ours):
            model.transform.min_size, model.transform.max_size = (32,), 48
        yield Pair(own.eval(), info, ours)


@torch.inference_mode()
def own_detections(model: FasterRCNN, image: Tensor) -> RawDetections:
    """Return what torchvision finds on an image, up to where it pastes masks."""
    masks = []
    hook = model.roi_heads.register_forward_hook(
        lambda *called: masks.append(called[-1][0][0].get("masks"))
    )
    (found,) = model([image])
    hook.remove()
    roi_masks = masks[0] if masks[0] is None else masks[0][:, 0]
    return RawDetections(found["boxes"], found["labels"], found["scores"], roi_masks)


def test_it_finds_what_torchvision_finds(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    image = torch.rand(3, 48, 60, generator=torch.Generator().manual_seed(1))
    for model in (pair.own, pair.ours):
        # Random weights find the same everywhere; a few of each category are enough.
        monkeypatch.setattr(model.roi_heads, "nms_thresh", 0.1)
    own = own_detections(pair.own, image)
    (ours,) = detect(pair.ours, [image])
    outputs = coco_categories()
    named = [n for n, label in enumerate(own.labels) if outputs[label - 1] != "N/A"]
    assert len(named) > 5, "this image proves nothing"
    assert len({int(own.labels[n]) for n in named}) > 2
    assert len(own.labels) > len(named), "no output without a name was ever the likeliest"
    # Where scores are all but equal their order is chance: each is looked for.
    labels = torch.tensor([pair.info.categories[label - 1].id for label in ours.labels])
    apart = torch.cdist(own.boxes[named], ours.boxes, p=torch.inf)
    apart += 1000 * (own.labels[named][:, None] != labels[None])
    nearest, same = apart.min(dim=1)
    assert len(set(same.tolist())) == len(named)
    assert nearest.max() < 2e-3
    torch.testing.assert_close(ours.scores[same], own.scores[named], atol=1e-5, rtol=1e-4)
    if own.roi_masks is None:
        assert ours.roi_masks is None
    else:
        assert ours.roi_masks is not None
        torch.testing.assert_close(ours.roi_masks[same], own.roi_masks[named], atol=1e-4, rtol=1e-3)


def test_it_says_what_it_is_and_where_it_is_from(pair: Pair) -> None:
    info = pair.info
    entry = catalogue()[info.id]
    assert info.architecture.name == info.id
    assert [c.name for c in info.categories] == [n for n in coco_categories() if n != "N/A"]
    assert len(info.categories) == 80
    assert [(c.id, c.name) for c in info.categories[11:13]] == [
        (13, "stop sign"),
        (14, "parking meter"),
    ]
    assert info.licence == "BSD-3-Clause"
    assert info.training["from"] == "torchvision, trained on COCO train2017"
    assert info.training["sha256"][:8] in info.training["url"]
    assert info.metrics["box"] == {"AP": entry.box_ap}
    assert info.architecture.has_masks == ("mask" in info.metrics)


def test_it_proposes_and_keeps_as_many_as_torchvision(pair: Pair) -> None:
    own, ours = pair.own, pair.ours
    for which in ("pre_nms_top_n", "post_nms_top_n"):
        assert getattr(ours.rpn, which)() == getattr(own.rpn, which)()
    assert ours.rpn.score_thresh == own.rpn.score_thresh
    assert ours.rpn.nms_thresh == own.rpn.nms_thresh
    assert ours.roi_heads.detections_per_img == own.roi_heads.detections_per_img
    assert ours.roi_heads.score_thresh == own.roi_heads.score_thresh
    assert ours.roi_heads.nms_thresh == own.roi_heads.nms_thresh
    anchors = ours.rpn.anchor_generator
    assert anchors.sizes == own.rpn.anchor_generator.sizes
    assert anchors.aspect_ratios == own.rpn.anchor_generator.aspect_ratios


def test_downloaded_weights_become_a_model_once() -> None:
    entry = place(SMALL, random_weights(SMALL))
    path = take_in(entry, TaskContext())
    assert list(models_dir().iterdir()) == [path]
    assert find_model(SMALL) == obtain_model(SMALL) == path == model_file(SMALL)


def test_what_a_person_put_there_is_another_file() -> None:
    """Its content is not what its name says; it stays, and nothing is made of it."""
    entry = catalogue()[SMALL]
    models_dir().mkdir(parents=True)
    weights_file(entry).write_bytes(b"a page that says: log in first")
    with pytest.raises(UserError, match="is another file than its name says"):
        obtain_model(SMALL)
    assert list(models_dir().iterdir()) == [weights_file(entry)]


def test_a_model_that_is_not_here_is_found_nowhere() -> None:
    says = f"{SMALL} is not here yet: `maskstudio models download {SMALL}` fetches it \\(78 MB\\)"
    with pytest.raises(UserError, match=says):
        obtain_model(SMALL)
    assert not models_dir().exists()
    assert [m.name for m in list_models() if m.is_here] == ["nuclei"]
