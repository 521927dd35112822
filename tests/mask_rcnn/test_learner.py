"""The heads learn from what was verified; the model they began with, and snapshots, stay."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.detections import Detections
from maskstudio.annotation.learning import Truth
from maskstudio.annotation.masks import trace
from maskstudio.errors import CancelledError, UserError
from maskstudio.mask_rcnn.architectures import build, default_architecture
from maskstudio.mask_rcnn.learner import HeadLearner
from maskstudio.mask_rcnn.model_file import ModelInfo, load_model, read_info, save_model
from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor
from maskstudio.progress import TaskContext

QUIET = TaskContext()
SIDE = 64


class Stopping(TaskContext):
    """Asks to stop when it was asked so many times."""

    def __init__(self, after: int) -> None:
        self.left = after

    def raise_if_cancelled(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise CancelledError


def model_file(
    path: Path, name: str = "maskrcnn_resnet10t_fpn", seed: int = 0, fpn_channels: int = 16
) -> Path:
    """A network of random weights that knows cells."""
    torch.manual_seed(seed)
    small = {"mask_channels": 8, "box_features": 32, "max_detections": 20}
    small["fpn_channels"] = fpn_channels
    architecture = replace(default_architecture(name), min_size=SIDE, max_size=2 * SIDE, **small)
    weights = build(architecture, categories=1).state_dict()
    save_model(
        path, ModelInfo("tiny", architecture, (Category(1, "cell"),), licence="MIT"), weights
    )
    return path


def pictured(x: int, y: int, radius: int = 12) -> tuple[NDArray[np.uint8], Truth]:
    """A light disc on dark ground, and that it is a coin."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    disc = np.hypot(columns - x, rows - y) < radius
    outline = trace(disc)
    assert outline is not None
    image = np.where(disc[..., None], 220, 30).astype(np.uint8).repeat(3, axis=2)
    return image, Truth("coin", outline)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_file(tmp_path_factory.mktemp("model") / "tiny.safetensors")


@pytest.fixture
def base(tiny: Path) -> MaskRCNNPredictor:
    return MaskRCNNPredictor.load(tiny, "cpu")


def begun(base: MaskRCNNPredictor, folder: Path, names: Sequence[str] = ("coin",)) -> HeadLearner:
    learner = base.learner(names, folder)
    assert learner is not None
    return learner


def taught(base: MaskRCNNPredictor, folder: Path, images: int = 2) -> HeadLearner:
    torch.manual_seed(0)
    learner = begun(base, folder)
    for number in range(images):
        image, coin = pictured(20 + 20 * number, 30)
        learner.remember(number + 1, image, [coin], QUIET)
    return learner


def makes_steps(learner: HeadLearner, steps: int) -> None:
    """Learn until so many more were made."""
    wanted = learner.steps + steps
    while learner.steps < wanted:
        learner.learn(0.001, QUIET)


def same(first: Detections, second: Detections) -> bool:
    return all(
        np.array_equal(getattr(first, name), getattr(second, name))
        for name in ("boxes", "scores", "labels", "roi_masks")
    )


def test_new_categories_follow_the_models_and_none_comes_twice(
    base: MaskRCNNPredictor, tmp_path: Path
) -> None:
    learner = begun(base, tmp_path, ["coin", "cell", "coin", "key"])
    assert [(c.id, c.name) for c in learner.categories] == [(1, "cell"), (2, "coin"), (3, "key")]
    assert learner.predictor("learned").categories == learner.categories


def test_nothing_is_due_before_there_is_an_image(base: MaskRCNNPredictor, tmp_path: Path) -> None:
    learner = begun(base, tmp_path)
    report = learner.learn(10, QUIET)
    assert (report.steps, report.images, report.due, learner.steps) == (0, 0, 0, 0)


def test_the_loss_falls_and_the_steps_due_are_made(base: MaskRCNNPredictor, tmp_path: Path) -> None:
    learner = taught(base, tmp_path)
    due = learner.due
    first = learner.learn(0.001, QUIET)
    makes_steps(learner, 40)
    last = learner.learn(0.001, QUIET)
    assert last.loss < first.loss * 0.7
    assert last.images == 2
    assert last.due == learner.due == due - learner.steps


def test_it_finds_what_it_was_shown(base: MaskRCNNPredictor, tmp_path: Path) -> None:
    """Weights drawn at random find little more than the place in so few steps."""
    learner = taught(base, tmp_path, images=3)
    image, coin = pictured(20, 30)
    makes_steps(learner, 100)
    found = learner.predictor("learned").predict(image, QUIET)
    assert found.model_id == "learned"
    coins = found.boxes[found.labels == 1]
    x0, y0, x1, y1 = coin.bounds
    middle = (coins[0, :2] + coins[0, 2:]) / 2
    assert x0 < middle[0] < x1
    assert y0 < middle[1] < y1


def test_neither_the_model_nor_a_snapshot_changes_by_what_is_learned_later(
    base: MaskRCNNPredictor, tmp_path: Path
) -> None:
    image, _ = pictured(20, 30)
    before = base.predict(image, QUIET)
    learner = taught(base, tmp_path)
    makes_steps(learner, 5)
    snapshot = learner.predictor("then")
    then = snapshot.predict(image, QUIET)
    makes_steps(learner, 5)
    assert same(base.predict(image, QUIET), before)
    assert same(snapshot.predict(image, QUIET), then)
    assert not same(learner.predictor("now").predict(image, QUIET), then)


def test_a_model_and_what_it_learned_understand_each_others_features(
    base: MaskRCNNPredictor, tmp_path: Path
) -> None:
    image, _ = pictured(20, 30)
    learner = taught(base, tmp_path)
    makes_steps(learner, 20)
    learned = learner.predictor("learned")
    seen, seen_by_learned = base.see(image, QUIET), learned.see(image, QUIET)
    assert same(learned.find(seen, QUIET), learned.predict(image, QUIET))
    assert same(base.find(seen_by_learned, QUIET), base.predict(image, QUIET))
    box = np.array([[8.0, 18, 32, 42]])
    answers = [learned.answer(one, box, QUIET) for one in (seen, seen_by_learned)]
    assert np.array_equal(answers[0].scores, answers[1].scores)
    assert learned.why_not_learning


def test_images_are_remembered_until_forgotten_or_the_backbone_is_another(
    base: MaskRCNNPredictor, tmp_path: Path
) -> None:
    folder = tmp_path / "lessons"
    learner = taught(base, folder)
    assert learner.remembered == {1, 2}
    learner.forget(1)
    learner.forget(7)
    assert learner.remembered == begun(base, folder).remembered == {2}
    other = MaskRCNNPredictor.load(model_file(tmp_path / "other.safetensors", seed=1), "cpu")
    assert begun(other, folder).remembered == frozenset()


def test_without_an_image_left_nothing_is_due(base: MaskRCNNPredictor, tmp_path: Path) -> None:
    learner = taught(base, tmp_path, images=1)
    learner.forget(1)
    assert learner.learn(1, QUIET).steps == learner.due == 0


@pytest.mark.parametrize("after", [0, 3, 30])
def test_nothing_is_kept_of_an_image_when_it_is_to_stop(
    base: MaskRCNNPredictor, tmp_path: Path, after: int
) -> None:
    learner = begun(base, tmp_path)
    image, coin = pictured(20, 30)
    with pytest.raises(CancelledError):
        learner.remember(1, image, [coin], Stopping(after))
    assert learner.remembered == begun(base, tmp_path).remembered == frozenset()


@pytest.mark.parametrize("after", [0, 1, 9, 11])
def test_steps_made_before_it_was_to_stop_count(
    base: MaskRCNNPredictor, tmp_path: Path, after: int
) -> None:
    learner = taught(base, tmp_path)
    due = learner.due
    with pytest.raises(CancelledError):
        learner.learn(100, Stopping(after))
    assert learner.steps == due - learner.due
    assert bool(learner.steps) == (after > 8)


def test_it_is_saved_as_a_model_and_taken_up_again(
    base: MaskRCNNPredictor, tiny: Path, tmp_path: Path
) -> None:
    image, _ = pictured(20, 30)
    learner = taught(base, tmp_path / "lessons")
    makes_steps(learner, 5)
    path = tmp_path / "learned.safetensors"
    learner.save(path, "tiny + coins")
    info, loaded = load_model(path)
    assert (info.id, info.licence, info.categories) == ("tiny + coins", "MIT", learner.categories)
    assert info.training["learning"]["images"] == 2
    _, begun_with = load_model(tiny)
    for name, tensor in begun_with.backbone.body.state_dict().items():
        assert torch.equal(loaded.backbone.body.state_dict()[name], tensor), name
    expected = learner.predictor("now").predict(image, QUIET)
    assert same(MaskRCNNPredictor.load(path, "cpu").predict(image, QUIET), expected)

    again = begun(base, tmp_path / "lessons", ["key", "coin"])
    assert again.take_up(path)
    assert (again.steps, again.due, again.remembered) == (learner.steps, learner.due, {1, 2})
    assert [c.name for c in again.categories] == ["cell", "key", "coin"]
    found = again.predictor("now").predict(image, QUIET)
    kept = found.labels != 1
    assert np.allclose(found.boxes[kept][0], expected.boxes[0], atol=1e-3)
    makes_steps(again, 1)


@pytest.mark.parametrize(("channels", "learns"), [(16, True), (160, False)])
def test_the_pyramid_learns_where_it_is_light(tmp_path: Path, channels: int, learns: bool) -> None:
    source = model_file(tmp_path / "begun.safetensors", fpn_channels=channels)
    learner = taught(MaskRCNNPredictor.load(source, "cpu"), tmp_path / "lessons")
    makes_steps(learner, 3)
    learned = tmp_path / "learned.safetensors"
    learner.save(learned, "learned")
    before, after = (load_model(path)[1].backbone.fpn for path in (source, learned))
    changed = [
        not torch.equal(one, other)
        for one, other in zip(before.parameters(), after.parameters(), strict=True)
    ]
    assert any(changed) == learns
    image, _ = pictured(20, 30)
    loaded = MaskRCNNPredictor.load(learned, "cpu")
    assert same(learner.predictor("learned").predict(image, QUIET), loaded.predict(image, QUIET))


def test_it_never_writes_over_a_file(base: MaskRCNNPredictor, tmp_path: Path) -> None:
    path = tmp_path / "theirs.safetensors"
    path.write_text("precious")
    with pytest.raises(UserError, match="is there already"):
        taught(base, tmp_path / "lessons").save(path, "mine")
    assert path.read_text() == "precious"


def test_what_it_cannot_go_on_from_changes_nothing(
    base: MaskRCNNPredictor, tiny: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_text("not a model")
    other = MaskRCNNPredictor.load(model_file(tmp_path / "other.safetensors", seed=1), "cpu")
    foreign = tmp_path / "foreign.safetensors"
    taught(other, tmp_path / "foreign").save(foreign, "foreign")
    learner = taught(base, tmp_path / "lessons")
    makes_steps(learner, 1)
    due = learner.due
    for path in (damaged, foreign, tiny, tmp_path / "missing.safetensors"):
        assert not learner.take_up(path)
    assert (learner.steps, learner.due) == (1, due)


def test_crowds_boxes_and_empty_images_are_learned_from_too(
    base: MaskRCNNPredictor, tmp_path: Path
) -> None:
    learner = begun(base, tmp_path)
    image, coin = pictured(20, 30)
    learner.remember(1, image, [], QUIET)
    learner.remember(2, image, [replace(coin, crowd=True)], QUIET)
    learner.remember(3, image, [Truth("coin", None, (8, 18, 32, 42))], QUIET)
    learner.remember(4, image, [Truth("coin", None, (8, 18, 8, 42))], QUIET)
    makes_steps(learner, 16)
    assert np.isfinite(learner.learn(0.001, QUIET).loss)


def test_a_category_it_does_not_know_is_refused(base: MaskRCNNPredictor, tmp_path: Path) -> None:
    image, coin = pictured(20, 30)
    with pytest.raises(ValueError, match="does not know key"):
        begun(base, tmp_path).remember(1, image, [replace(coin, category="key")], QUIET)


def test_of_a_category_that_is_gone_nothing_is_learned(
    base: MaskRCNNPredictor, tmp_path: Path
) -> None:
    taught(base, tmp_path)
    learner = begun(base, tmp_path, [])
    image, _ = pictured(20, 30)
    learner.remember(3, image, [], QUIET)
    makes_steps(learner, 12)
    assert learner.remembered == {1, 2, 3}


def test_a_lesson_that_was_damaged_or_removed_is_forgotten(
    base: MaskRCNNPredictor, tmp_path: Path
) -> None:
    learner = taught(base, tmp_path, images=3)
    (tmp_path / "1.lesson").write_bytes(b"rubbish")
    (tmp_path / "2.lesson").unlink()
    makes_steps(learner, 12)
    assert learner.remembered == {3}


def test_an_image_that_is_all_but_a_line_is_refused(
    base: MaskRCNNPredictor, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="too narrow"):
        begun(base, tmp_path).remember(1, np.zeros((1, 900, 3), np.uint8), [], QUIET)


def test_a_model_that_draws_no_outlines_says_why_it_cannot_learn(tmp_path: Path) -> None:
    path = model_file(tmp_path / "boxes.safetensors", "fasterrcnn_resnet10t_fpn")
    predictor = MaskRCNNPredictor.load(path, "cpu")
    assert predictor.learner(["coin"], tmp_path / "lessons") is None
    assert "draws no outlines" in predictor.why_not_learning
    assert not (tmp_path / "lessons").exists()
    assert read_info(path).id == "tiny"
