"""Training learns, stops when asked, and goes on from its checkpoint."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision.models.detection import FasterRCNN

from maskstudio.errors import CancelledError, UserError
from maskstudio.formats.coco_reader import CocoFile
from maskstudio.mask_rcnn.architectures import build, default_architecture
from maskstudio.mask_rcnn.coco_dataset import CocoCrops
from maskstudio.mask_rcnn.device import Device
from maskstudio.mask_rcnn.settings import Augmentation, TrainingSettings
from maskstudio.mask_rcnn.stages import training_losses
from maskstudio.mask_rcnn.trainer import Trainer
from maskstudio.progress import TaskContext

LIGHT = "maskrcnn_tf_efficientnet_lite0_fpn"
TINY = "fasterrcnn_resnet10t_fpn"
SHORT = TrainingSettings(iterations=4, batch_size=2, crop=64, warmup=1, rois_per_image=8)

Start = Callable[..., Trainer]


class Diary(TaskContext):
    """Keeps what a run says, and stops it after a number of steps."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.steps: list[Mapping[str, Any]] = []
        self.reports: list[tuple[int, int, str]] = []
        self._stop_after = stop_after

    def produce(self, item: object) -> None:
        assert isinstance(item, dict)
        self.steps.append(item)

    def report(self, done: int, total: int, note: str = "") -> None:
        self.reports.append((done, total, note))

    def raise_if_cancelled(self) -> None:
        if len(self.steps) == self._stop_after:
            raise CancelledError

    @property
    def totals(self) -> list[float]:
        return [
            sum(value for name, value in step.items() if name.startswith("loss"))
            for step in self.steps
        ]


def network(name: str, seed: int = 0) -> FasterRCNN:
    torch.manual_seed(seed)
    return build(replace(default_architecture(name), min_size=64, max_size=128), categories=1)


@pytest.fixture
def start(discs: CocoFile, cpu: Device, tmp_path: Path) -> Start:
    """Begin a run on the discs."""

    def begin(name: str = TINY, settings: TrainingSettings = SHORT) -> Trainer:
        data = CocoCrops(discs, tmp_path / "discs", 64, settings.crop, Augmentation.PHOTO)
        return Trainer(network(name), data, settings, cpu)

    return begin


def test_the_loss_falls_within_a_few_steps(start: Start) -> None:
    settings = replace(SHORT, iterations=15, crop=96, rois_per_image=32, learning_rate=2e-3)
    diary = Diary()
    start(LIGHT, settings).run(diary)
    assert sum(diary.totals[-3:]) / 3 < diary.totals[0] / 2
    assert {name for name in diary.steps[0] if name.startswith("loss")} == {
        "loss_objectness",
        "loss_rpn_box_reg",
        "loss_classifier",
        "loss_box_reg",
        "loss_mask",
    }
    assert [report[:2] for report in diary.reports] == [(step, 15) for step in range(1, 16)]
    assert diary.reports[0][2] == f"loss {diary.totals[0]:.3f}"


def test_faster_rcnn_learns_without_masks(start: Start) -> None:
    diary = Diary()
    start(TINY).run(diary)
    assert "loss_box_reg" in diary.steps[0]
    assert "loss_mask" not in diary.steps[0]


def test_the_learning_rate_rises_then_falls_to_a_hundredth(start: Start) -> None:
    diary = Diary()
    start(settings=replace(SHORT, iterations=10, warmup=3, learning_rate=1e-3)).run(diary)
    rates = [step["learning_rate"] for step in diary.steps]
    assert rates[0] < rates[1]
    assert max(rates) == pytest.approx(1e-3)
    peak = rates.index(max(rates))
    assert peak <= 3
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] == pytest.approx(1e-5)


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


def test_a_cancel_ends_the_run_between_two_steps(start: Start) -> None:
    trainer = start()
    diary = Diary(stop_after=2)
    with pytest.raises(CancelledError):
        trainer.run(diary)
    assert trainer.iteration == 2
    assert len(diary.steps) == 2


def test_a_run_goes_on_from_its_checkpoint(start: Start, tmp_path: Path) -> None:
    straight = start()
    straight.run(Diary())

    path = tmp_path / "run.ckpt"
    first = start()
    with pytest.raises(CancelledError):
        first.run(Diary(stop_after=2))
    first.save(path)
    second = start()
    second.resume(path)
    assert second.iteration == 2
    for name, tensor in first.weights().items():
        assert torch.equal(tensor, second.weights()[name]), name
    diary = Diary()
    second.run(diary)

    assert [step["iteration"] for step in diary.steps] == [3, 4]
    assert second.iteration == straight.iteration == 4
    assert diary.steps[-1]["learning_rate"] == pytest.approx(SHORT.learning_rate / 100)
    weights = second.weights()
    assert weights.keys() == straight.weights().keys() == network(TINY).state_dict().keys()
    assert all(torch.isfinite(tensor).all() for tensor in weights.values())


def test_a_checkpoint_is_kept_while_training_and_at_the_end(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    kept: list[int] = []

    class Watching(Diary):
        def raise_if_cancelled(self) -> None:
            if path.exists():
                kept.append(torch.load(path, weights_only=True)["iteration"])

    trainer = start(settings=replace(SHORT, iterations=5))
    trainer.run(Watching(), path, every=2)
    assert kept == [2, 2, 4]
    finished = start(settings=replace(SHORT, iterations=5))
    finished.resume(path)
    diary = Diary()
    finished.run(diary)
    assert finished.iteration == 5
    assert diary.steps == []


def test_a_checkpoint_of_other_settings_or_another_network_is_refused(
    start: Start, tmp_path: Path
) -> None:
    path = tmp_path / "run.ckpt"
    start().save(path)
    with pytest.raises(UserError, match=r"run.ckpt is of a run with other settings"):
        start(settings=replace(SHORT, learning_rate=1e-3)).resume(path)
    with pytest.raises(UserError, match=r"run.ckpt is of a run with another network"):
        start("fasterrcnn_mobilenetv3_small_050_fpn").resume(path)


def test_a_checkpoint_that_cannot_be_written_is_said_in_one_sentence(
    start: Start, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="cannot be written: its folder does not exist"):
        start().save(tmp_path / "nowhere" / "run.ckpt")


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
        trainer.run(Diary())


def test_a_gpu_that_is_too_small_is_said_in_one_sentence(start: Start) -> None:
    trainer = start()

    def no_room(*_: object) -> None:
        raise torch.cuda.OutOfMemoryError

    trainer.model.backbone.register_forward_pre_hook(no_room)
    with pytest.raises(UserError, match="The GPU has too little memory; train with a smaller"):
        trainer.run(Diary())


def test_the_kept_weights_are_the_average_with_the_latest_statistics(start: Start) -> None:
    trainer = start(settings=replace(SHORT, averaging=0.0))
    trainer.run(Diary())
    latest = trainer.model.state_dict()
    assert all(torch.equal(tensor, latest[name]) for name, tensor in trainer.weights().items())

    slow = start(settings=replace(SHORT, averaging=0.9))
    slow.run(Diary())
    weights, latest = slow.weights(), slow.model.state_dict()
    parameters = dict(slow.model.named_parameters())
    for name, tensor in weights.items():
        assert name in parameters or torch.equal(tensor, latest[name]), name
    assert any(not torch.equal(weights[name], latest[name]) for name in parameters)
