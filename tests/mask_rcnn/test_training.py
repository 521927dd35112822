"""Steps of training: they learn, are drawn the same every time, and go on from a checkpoint."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, distributed
from torchvision.models.detection import FasterRCNN

from maskstudio.errors import UserError
from maskstudio.formats.coco_reader import CocoFile
from maskstudio.mask_rcnn.architectures import build, default_architecture
from maskstudio.mask_rcnn.coco_dataset import CocoCrops
from maskstudio.mask_rcnn.device import Device
from maskstudio.mask_rcnn.draws import views
from maskstudio.mask_rcnn.settings import Augmentation, TrainingSettings
from maskstudio.mask_rcnn.stages import training_losses
from maskstudio.mask_rcnn.trainer import StepTaken, Trainer
from maskstudio.mask_rcnn.world import World

LIGHT = "maskrcnn_tf_efficientnet_lite0_fpn"
TINY = "fasterrcnn_resnet10t_fpn"
SHORT = TrainingSettings(iterations=4, batch_size=2, crop=64, warmup=1, rois_per_image=8)

Start = Callable[..., Trainer]


def network(name: str, seed: int = 0) -> FasterRCNN:
    torch.manual_seed(seed)
    return build(replace(default_architecture(name), min_size=64, max_size=128), categories=1)


@pytest.fixture
def start(discs: CocoFile, cpu: Device, tmp_path: Path) -> Start:
    """Begin a run on the discs."""

    def begin(
        name: str = TINY, settings: TrainingSettings = SHORT, precision: torch.dtype | None = None
    ) -> Trainer:
        data = CocoCrops(
            discs, tmp_path / "discs", 64, settings.crop, Augmentation.PHOTO, copy_paste=0.5
        )
        return Trainer(network(name), data, settings, cpu, precision=precision)

    return begin


def taken(trainer: Trainer, steps: int = 1000) -> list[StepTaken]:
    """Make some steps, or all that are left."""
    return [step for _, step in zip(range(steps), trainer.steps(), strict=False)]


def total(step: StepTaken) -> float:
    return sum(step.losses.values())


def test_the_loss_falls_within_a_few_steps(start: Start) -> None:
    settings = replace(SHORT, iterations=15, crop=96, rois_per_image=32, learning_rate=2e-3)
    steps = taken(start(LIGHT, settings))
    assert sum(map(total, steps[-3:])) / 3 < total(steps[0]) / 2
    assert set(steps[0].losses) == {
        "loss_objectness",
        "loss_rpn_box_reg",
        "loss_classifier",
        "loss_box_reg",
        "loss_mask",
    }
    assert [step.iteration for step in steps] == list(range(1, 16))


def test_faster_rcnn_learns_without_masks(start: Start) -> None:
    (first, *_) = taken(start(TINY), 1)
    assert "loss_box_reg" in first.losses
    assert "loss_mask" not in first.losses


def test_numbers_of_sixteen_bits_learn_too(start: Start) -> None:
    """As on a GPU: the forward pass in bfloat16, weights and their changes in float32."""
    trainer = start(LIGHT, replace(SHORT, iterations=2), torch.bfloat16)
    exact = taken(start(LIGHT, replace(SHORT, iterations=2)))
    steps = taken(trainer)
    # Which RoIs the heads learn from hangs on the last bits of a fresh network.
    first = steps[0].losses["loss_objectness"]
    assert first == pytest.approx(exact[0].losses["loss_objectness"], rel=0.02)
    assert first != exact[0].losses["loss_objectness"]
    assert {t.dtype for t in trainer.weights().values()} == {torch.float32, torch.int64}


def test_the_learning_rate_rises_then_falls_to_a_hundredth(start: Start) -> None:
    settings = replace(SHORT, iterations=10, warmup=3, learning_rate=1e-3)
    rates = [step.learning_rate for step in taken(start(settings=settings))]
    assert rates[0] == pytest.approx(1e-3 / 3)
    assert max(rates) == pytest.approx(1e-3)
    peak = rates.index(max(rates))
    assert peak <= 3
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] < 1e-4


def target(boxes: list[list[float]], side: int) -> dict[str, Tensor]:
    masks = torch.zeros(len(boxes), side, side, dtype=torch.uint8)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes, strict=True):
        mask[int(y0) : int(y1), int(x0) : int(x1)] = 1
    return {
        "boxes": torch.tensor(boxes).reshape(-1, 4),
        "labels": torch.ones(len(boxes), dtype=torch.int64),
        "masks": masks,
    }


def test_all_losses_but_the_masks_are_torchvisions() -> None:
    """The mask loss differs by what the targets are: torchvision's are half a pixel off."""
    model = network("maskrcnn_resnet10t_fpn").train()
    images = [torch.rand(3, 64, 64), torch.rand(3, 64, 64)]
    targets = [target([[8.0, 8, 40, 44]], 64), target([[4.0, 20, 30, 60], [33, 2, 60, 31]], 64)]
    torch.manual_seed(5)
    theirs = model(images, [dict(one) for one in targets])
    torch.manual_seed(5)
    for _ in images:  # torchvision draws the size it scales each image to.
        torch.empty(1).uniform_()
    ours = training_losses(model, images, targets)
    assert ours.keys() == theirs.keys()
    for name in ours.keys() - {"loss_mask"}:
        torch.testing.assert_close(ours[name], theirs[name])
    torch.testing.assert_close(ours["loss_mask"], theirs["loss_mask"], rtol=0.2, atol=0)
    assert not torch.equal(ours["loss_mask"], theirs["loss_mask"])


@pytest.mark.parametrize("name", [LIGHT, TINY])
@pytest.mark.parametrize("annotated", [0, 1])
def test_images_without_annotations_are_learned_from_too(name: str, annotated: int) -> None:
    model = network(name).train()
    images = [torch.rand(3, 64, 64), torch.rand(3, 64, 48)]
    first = [[8.0, 8, 40, 44]] if annotated else []
    losses = training_losses(model, images, [target(first, 64), target([], 48)])
    total = torch.stack(list(losses.values())).sum()
    total.backward()
    assert torch.isfinite(total.detach())
    if name == LIGHT:
        assert (float(losses["loss_mask"].detach()) > 0) == bool(annotated)
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert all(torch.isfinite(gradient).all() for gradient in gradients)


def test_a_mere_box_teaches_no_mask() -> None:
    model = network("maskrcnn_resnet10t_fpn").train()
    wanted = target([[8.0, 8, 40, 44]], 64) | {"outlined": torch.tensor([False])}
    losses = training_losses(model, [torch.rand(3, 64, 64)], [wanted])
    assert float(losses["loss_mask"].detach()) == 0
    assert float(losses["loss_box_reg"].detach()) > 0


def test_a_mask_teaches_its_own_category_alone() -> None:
    torch.manual_seed(0)
    architecture = replace(default_architecture("maskrcnn_resnet10t_fpn"), min_size=64)
    model = build(architecture, categories=2).train()
    wanted = target([[8.0, 8, 40, 44]], 64)
    wanted["labels"] = torch.tensor([2])
    losses = training_losses(model, [torch.rand(3, 64, 64)], [wanted])
    losses["loss_mask"].backward()
    gradient = model.roi_heads.mask_predictor.mask_fcn_logits.weight.grad
    assert [bool(one.any()) for one in gradient] == [False, False, True]


def test_masks_cut_out_around_their_instances_teach_what_whole_ones_do() -> None:
    model = network("maskrcnn_resnet10t_fpn").train()
    images = [torch.rand(3, 64, 64)]
    whole = target([[8.0, 8, 40, 44], [30, 20, 60, 62]], 64)
    cut = torch.zeros(2, 50, 50, dtype=torch.uint8)
    windows = []
    for mask, into, (x0, y0, *_) in zip(
        whole["masks"], cut, whole["boxes"].int().tolist(), strict=True
    ):
        top, left = y0 - 1, x0 - 1
        shown = mask[top : top + 50, left : left + 50]
        into[: shown.shape[0], : shown.shape[1]] = shown
        windows.append([left, top, left + 50, top + 50])
    around = whole | {"masks": cut, "windows": torch.tensor(windows).float()}
    losses = []
    for one in (whole, around):
        torch.manual_seed(5)
        losses.append(training_losses(model, images, [one]))
    torch.testing.assert_close(losses[1]["loss_mask"], losses[0]["loss_mask"])


def test_a_run_cut_off_anywhere_ends_bit_by_bit_as_one_in_one_go(
    start: Start, tmp_path: Path
) -> None:
    straight = start()
    whole = taken(straight)

    path = tmp_path / "run.ckpt"
    pieces: list[StepTaken] = []
    for steps in (1, 2, 1):
        trainer = start()
        if path.exists():
            assert trainer.resume(path) == 0.25
        torch.manual_seed(len(pieces))  # What was drawn before the kill is not known after it.
        pieces += taken(trainer, steps)
        trainer.save(path, best=0.25)

    assert [one.losses for one in pieces] == [one.losses for one in whole]
    assert [one.learning_rate for one in pieces] == [one.learning_rate for one in whole]
    assert all(torch.equal(t, trainer.weights()[n]) for n, t in straight.weights().items())
    assert taken(trainer) == []


def test_another_seed_draws_other_views(start: Start) -> None:
    first, again, other = (
        taken(start(settings=replace(SHORT, seed=seed)), 1)[0] for seed in (0, 0, 1)
    )
    assert first.losses == again.losses != other.losses


def test_several_processes_learn_together(discs: CocoFile, cpu: Device, tmp_path: Path) -> None:
    """As torchrun starts them; each draws views of its own, the same every time."""
    data = CocoCrops(discs, tmp_path / "discs", 64, 64, Augmentation.PHOTO)
    pairs = [World(0, 2), World(1, 2), World(1, 2)]
    first, second, again = (
        next(iter(views(data, SHORT, 0, world, workers=False)))[0] for world in pairs
    )
    assert all(torch.equal(a, b) for a, b in zip(second, again, strict=True))
    seen = [image.shape for image in (*first, *second)]
    assert len({float(image.sum()) for image in (*first, *second)}) == len(seen) == 4

    meeting = f"file://{tmp_path / 'meeting'}"
    distributed.init_process_group("gloo", init_method=meeting, rank=0, world_size=1)
    try:
        trainer = Trainer(network(LIGHT), data, SHORT, cpu, World(0, 2))
        before = trainer.weights()["roi_heads.mask_predictor.mask_fcn_logits.weight"].clone()
        taken(trainer, 2)
    finally:
        distributed.destroy_process_group()
    after = trainer.weights()["roi_heads.mask_predictor.mask_fcn_logits.weight"]
    assert not torch.equal(before, after)


def test_a_checkpoint_of_other_settings_or_another_network_is_refused(
    start: Start, tmp_path: Path
) -> None:
    path = tmp_path / "run.ckpt"
    start().save(path, 0.0)
    with pytest.raises(UserError, match=r"run.ckpt is of a run with other settings"):
        start(settings=replace(SHORT, learning_rate=1e-3)).resume(path)
    with pytest.raises(UserError, match=r"run.ckpt is of a run with another network"):
        start("fasterrcnn_mobilenetv3_small_050_fpn").resume(path)


def test_a_checkpoint_that_cannot_be_written_is_said_in_one_sentence(
    start: Start, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="cannot be written: its folder does not exist"):
        start().save(tmp_path / "nowhere" / "run.ckpt", 0.0)


def test_what_is_no_checkpoint_is_refused(start: Start, tmp_path: Path) -> None:
    damaged, other = tmp_path / "damaged.ckpt", tmp_path / "other.ckpt"
    damaged.write_bytes(b"not a checkpoint")
    torch.save({"weights": torch.zeros(2)}, other)
    with pytest.raises(UserError, match=r"damaged.ckpt is damaged or no checkpoint"):
        start().resume(damaged)
    with pytest.raises(UserError, match=r"other.ckpt is no checkpoint of a run"):
        start().resume(other)


def test_a_loss_that_is_no_number_ends_the_run(start: Start) -> None:
    trainer = start(settings=replace(SHORT, iterations=30, learning_rate=1e6))
    with pytest.raises(UserError, match="train with a lower learning rate"):
        taken(trainer)


def test_a_gpu_that_is_too_small_is_said_in_one_sentence(start: Start) -> None:
    trainer = start()

    def no_room(*_: object) -> None:
        raise torch.cuda.OutOfMemoryError

    trainer.model.backbone.register_forward_pre_hook(no_room)
    with pytest.raises(UserError, match="The GPU has too little memory; train with a smaller"):
        taken(trainer)


def test_the_kept_weights_are_the_average_with_the_latest_statistics(start: Start) -> None:
    trainer = start(settings=replace(SHORT, averaging=0.0))
    taken(trainer)
    latest = trainer.model.state_dict()
    assert all(torch.equal(tensor, latest[name]) for name, tensor in trainer.weights().items())

    slow = start(settings=replace(SHORT, averaging=0.9))
    taken(slow)
    weights, latest = slow.weights(), slow.model.state_dict()
    parameters = dict(slow.model.named_parameters())
    for name, tensor in weights.items():
        assert name in parameters or torch.equal(tensor, latest[name]), name
    assert any(not torch.equal(weights[name], latest[name]) for name in parameters)
