"""What is kept of an image to learn from, and that what is learned from it is torchvision's."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.rpn import concat_box_prediction_layers

from maskstudio.annotation.learning import Truth
from maskstudio.annotation.masks import decode, rasterize
from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from maskstudio.mask_rcnn.architectures import build, default_architecture
from maskstudio.mask_rcnn.head_losses import (
    Known,
    Page,
    head_losses,
    judged_anchors,
    matched_anchors,
)
from maskstudio.mask_rcnn.lesson_store import LessonStore
from maskstudio.mask_rcnn.lessons import GRID, Lesson, Objects, objects_of
from maskstudio.mask_rcnn.stages import mask_targets, stand_in
from maskstudio.mask_rcnn.views import views

HOLE = as_ring([[20, 20], [34, 20], [34, 30], [20, 30]])
RING = Segmentation(
    (
        Part(as_ring([[10, 12], [50, 12], [50, 40], [10, 40]]), (HOLE,)),
        Part(as_ring([[56, 14], [60, 14], [60, 44], [56, 44]])),
    )
)
"""Two parts, one of them with a hole; its box is 10, 12 to 60, 44."""


def network(name: str = "maskrcnn_resnet10t_fpn") -> FasterRCNN:
    torch.manual_seed(0)
    architecture = replace(default_architecture(name), min_size=64, max_size=128)
    return build(architecture, categories=2).eval()


def page_of(model: FasterRCNN, boxes: list[list[float]]) -> Page:
    """A view of features drawn at random, with discs of the second category."""
    channels = model.backbone.out_channels
    features = {
        str(n): torch.randn(1, channels, side, side) for n, side in enumerate((16, 8, 4, 2, 1))
    }
    there = torch.tensor(boxes).reshape(-1, 4)
    count = len(there)
    return Page(
        features,
        (60, 64),
        (64, 64),
        there,
        torch.full((count,), 2),
        torch.ones(count, GRID, GRID),
        there,
        torch.ones(count, dtype=torch.bool),
        torch.zeros(0, 4),
        Known(),
    )


def test_an_outline_is_kept_as_finely_as_a_mask_head_draws() -> None:
    objects = objects_of([Truth("ring", RING)])
    roi = torch.tensor([[8.0, 10, 62, 46]])
    first = torch.tensor([0])
    whole = torch.from_numpy(decode(rasterize(RING, 60, 70)).astype(np.uint8))[None]
    exact = mask_targets(whole, torch.tensor([[0.0, 0, 70, 60]]), first, roi, 28)
    kept = mask_targets(objects.grids.float() / 255, objects.windows, first, roi, 28)
    assert (kept - exact).abs().mean() < 0.03
    assert (kept - exact).mean().abs() < 0.005


def test_what_has_no_extent_is_left_out_and_crowds_are_told_apart() -> None:
    line = Truth("a", None, (5, 5, 5, 9))
    objects = objects_of([Truth("b", None, (1, 2, 3, 4)), line, Truth("c", RING, crowd=True)])
    assert objects.names == ("b",)
    assert objects.boxes.tolist() == [[1, 2, 3, 4]]
    assert objects.outlined.tolist() == [False]
    assert objects.crowds.tolist() == [[10, 12, 60, 44]]


def test_a_mirror_image_has_mirrored_objects() -> None:
    objects = objects_of([Truth("ring", RING), Truth("ring", RING, crowd=True)])
    mirrored = objects.mirrored(70)
    assert mirrored.boxes.tolist() == mirrored.crowds.tolist() == [[10, 12, 60, 44]]
    flipped = mirrored.mirrored(70)
    assert torch.equal(flipped.grids, objects.grids)
    assert not torch.equal(mirrored.grids, objects.grids)


@pytest.mark.parametrize("below", [False, True])
def test_the_views_lie_where_their_objects_do(below: bool) -> None:
    model = network()
    image = torch.randint(0, 256, (3, 60, 70), dtype=torch.uint8)
    objects = objects_of([Truth("ring", RING)])
    straight, mirrored = views(model, image, objects, below_pyramid=below)
    (theirs,) = views(model, image.flip(2), objects.mirrored(70), below_pyramid=below)[1:]
    for view in (straight, mirrored):
        assert view.scaled == (64, 74)
        assert view.objects.boxes[0] / torch.tensor([74, 64] * 2) == pytest.approx(
            torch.tensor([10 / 70, 12 / 60, 60 / 70, 44 / 60])
        )
        assert all(level.dtype == torch.float16 for level in view.features.values())
        assert view.padded[1] == 4 * view.features["0"].shape[-1]
    assert torch.equal(mirrored.objects.grids, objects.grids.flip(2))
    for name, level in straight.features.items():
        assert torch.equal(theirs.features[name], level)
        assert not torch.equal(mirrored.features[name], level)


def test_what_enters_the_pyramid_makes_what_leaves_it() -> None:
    model = network()
    image = torch.randint(0, 256, (3, 60, 70), dtype=torch.uint8)
    (left, _), (entered, _) = (
        views(model, image, objects_of([]), below_pyramid=below) for below in (False, True)
    )
    with torch.no_grad():
        made = model.backbone.fpn({name: level.float() for name, level in entered.features.items()})
    assert list(made) == list(left.features)
    for name, level in made.items():
        torch.testing.assert_close(level, left.features[name].float(), rtol=0.02, atol=0.02)


@pytest.mark.parametrize("name", ["maskrcnn_resnet10t_fpn", "maskrcnn_resnet18_fpn_v2"])
def test_judging_single_anchors_gives_what_the_whole_head_gives(name: str) -> None:
    model = network(name)
    levels = [torch.randn(1, model.backbone.out_channels, s, s) for s in (16, 8, 4)]
    with torch.no_grad():
        objectness, deltas = concat_box_prediction_layers(*model.rpn.head(levels))
        each = model.rpn.head.cls_logits.out_channels
        # Away from the border, where a second layer sees what the first makes of nothing.
        inner = [r * 16 + c for r in range(2, 14) for c in range(2, 14)]
        chosen = torch.tensor([place * each + kind for place in inner for kind in range(each)])
        chosen = chosen[torch.randperm(len(chosen))[:100]]
        found, moved = judged_anchors(model, levels, chosen)
    torch.testing.assert_close(found, objectness.flatten()[chosen], rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(moved, deltas[chosen], rtol=1e-3, atol=1e-4)


def test_anchors_are_matched_as_torchvision_matches_them() -> None:
    model = network()
    generator = torch.Generator().manual_seed(1)
    corners = torch.rand(40, 2, generator=generator) * 40
    boxes = torch.cat([corners, corners + 3 + torch.rand(40, 2, generator=generator) * 18], dim=1)
    page = page_of(model, boxes.tolist())
    levels = list(page.features.values())
    (anchors,) = model.rpn.anchor_generator(
        stand_in(page.features, page.padded, [page.scaled]), levels
    )
    kinds, owners = matched_anchors(model, page, anchors)
    labels, matched = model.rpn.assign_targets_to_anchors([anchors], [{"boxes": page.boxes}])
    assert torch.equal(kinds.float(), labels[0])
    assert torch.equal(page.boxes[owners], matched[0][labels[0] == 1])


def test_the_backbone_gets_no_gradient_and_every_head_does() -> None:
    model = network()
    page = page_of(model, [[8.0, 8, 40, 44]])
    losses = {k: v for each in head_losses(model, page, lambda: None) for k, v in each.items()}
    torch.stack(list(losses.values())).sum().backward()
    assert losses.keys() == {
        "loss_objectness",
        "loss_rpn_box_reg",
        "loss_classifier",
        "loss_box_reg",
        "loss_mask",
    }
    with_gradient = {
        name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None
    }
    assert with_gradient == {"rpn", "roi_heads"}


def test_nothing_is_learned_where_a_crowd_is() -> None:
    model = network()
    page = replace(page_of(model, []), left_out=torch.tensor([[-500.0, -500, 500, 500]]))
    every = [loss for each in head_losses(model, page, lambda: None) for loss in each.values()]
    assert every
    assert not any(float(loss.detach()) for loss in every)


def kept_lesson(value: float) -> Lesson:
    empty = objects_of([Truth("ring", RING)])
    return Lesson({"0": torch.full((1, 2, 3, 4), value).half()}, (10, 12), (12, 16), empty)


def test_lessons_are_read_as_they_were_put(tmp_path: Path) -> None:
    store = LessonStore(tmp_path, "network")
    first, second = kept_lesson(1.0), kept_lesson(2.0)
    store.put(5, [first, second])
    for number, put in enumerate((first, second, first)):
        read = store.read(5, number)
        assert read is not None
        assert (read.scaled, read.padded) == (put.scaled, put.padded)
        assert torch.equal(read.features["0"], put.features["0"])
        assert isinstance(read.objects, Objects)
        assert read.objects.names == ("ring",)
        for name in ("boxes", "grids", "outlined", "crowds"):
            assert torch.equal(getattr(read.objects, name), getattr(put.objects, name)), name
    assert store.read(6, 0) is None


def test_the_lessons_remembered_longest_ago_give_way(tmp_path: Path) -> None:
    probe = LessonStore(tmp_path / "probe", "network")
    probe.put(1, [kept_lesson(1.0)])
    size = (tmp_path / "probe" / "1.lesson").stat().st_size
    store = LessonStore(tmp_path / "lessons", "network", most_bytes=3 * size)
    for image_id in (1, 2, 3, 1, 4):
        store.put(image_id, [kept_lesson(1.0)])
    assert store.ids == {1, 3, 4}
    assert {path.stem for path in (tmp_path / "lessons").glob("*.lesson")} == {"1", "3", "4"}
    assert LessonStore(tmp_path / "lessons", "network").ids == {1, 3, 4}
    assert LessonStore(tmp_path / "lessons", "another").ids == frozenset()
    assert not list((tmp_path / "lessons").glob("*.lesson"))
