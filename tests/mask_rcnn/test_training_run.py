"""A run from its first step to its model: what it says, keeps, and obeys."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from maskstudio.annotation.annotation import Category
from maskstudio.errors import UserError
from maskstudio.mask_rcnn.architectures import build, default_architecture
from maskstudio.mask_rcnn.device import Device
from maskstudio.mask_rcnn.model_file import ModelInfo, load_model, read_info, save_model
from maskstudio.mask_rcnn.training import plan, train
from maskstudio.mask_rcnn.training_job import Job, Source, Wanted, prepare
from maskstudio.mask_rcnn.training_run import Surroundings, Wish
from maskstudio.mask_rcnn.training_start import start_model
from maskstudio.mask_rcnn.world import World
from maskstudio.progress import TaskContext
from maskstudio.storage.training_events import (
    Done,
    Event,
    Plan,
    RunState,
    Sample,
    StateChange,
    Step,
    Validation,
    from_json,
    to_json,
)
from maskstudio.storage.training_runs import BEST_NAME, CHECKPOINT_NAME, note, read_run
from support.coco_sets import write_discs

WANTED = Wanted(iterations=6, batch_size=1, crop=64, input_size=64, validate_every=2)


class Listener:
    """Hears events, keeps them in the run's log, and wishes something after a step."""

    def __init__(self, folder: Path, wishes: dict[int, list[Wish]] | None = None) -> None:
        self.folder = folder
        self.events: list[Event] = []
        self._wishes = wishes or {}

    def say(self, event: Event) -> None:
        note(self.folder, event)
        self.events.append(event)

    def wish(self) -> Wish:
        step = max((e.iteration for e in self.of(Step)), default=0)
        wishes = self._wishes.get(step, [])
        return wishes.pop(0) if wishes else Wish.GO_ON

    def of(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def states(self) -> list[RunState]:
        return [event.state for event in self.of(StateChange)]


@pytest.fixture
def source(tmp_path: Path) -> Source:
    folder = tmp_path / "discs"
    file = write_discs(folder, images=2)
    return Source(file, folder, write_discs(tmp_path / "discs", images=2))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the discs' category that has learned nothing and finds few."""
    architecture = replace(
        default_architecture("maskrcnn_resnet10t_fpn"), min_size=64, max_size=128, max_detections=6
    )
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("models") / "small.safetensors"
    info = ModelInfo("small", architecture, (Category(1, "nucleus"),))
    save_model(path, info, build(architecture, 1).state_dict())
    return path


@pytest.fixture
def job(source: Source, small: Path, tmp_path: Path) -> Job:
    return prepare(source, str(small), tmp_path / "own.safetensors", WANTED)


@pytest.fixture
def go(job: Job, cpu: Device, tmp_path: Path) -> Callable[..., tuple[bool, Listener]]:
    """Train in the folder `run`, from where it was."""

    def run(job: Job = job, **wishes: list[Wish]) -> tuple[bool, Listener]:
        folder = tmp_path / "run"
        folder.mkdir(exist_ok=True)
        listener = Listener(folder, {int(step[1:]): list(w) for step, w in wishes.items()})
        around = Surroundings(
            folder, job.output, listener.say, listener.wish, World(), TaskContext()
        )
        return train(job, cpu, around), listener

    return run


def test_a_run_says_what_it_does_and_writes_a_model_of_the_best(
    go: Callable[..., tuple[bool, Listener]], job: Job, tmp_path: Path
) -> None:
    finished, heard = go()
    assert finished
    (told,) = heard.of(Plan)
    assert (told.images, told.val_images, told.iterations) == (2, 2, 6)
    assert told.categories == {"nucleus": 6}
    assert told.settings["input_size"] == 64
    assert [one.iteration for one in heard.of(Step)] == [1, 2, 3, 4, 5, 6]
    assert heard.of(Step)[-1].loss == pytest.approx(sum(heard.of(Step)[-1].losses.values()))
    measured = heard.of(Validation)
    assert [one.iteration for one in measured] == [2, 4, 6]
    assert measured[0].best
    figures = [one.mask["AP"] for one in measured]
    assert [one.best for one in measured] == [
        figure > max(figures[:n], default=-1) for n, figure in enumerate(figures)
    ]
    check_samples(heard.of(Sample), tmp_path)
    assert heard.states == [RunState.TRAINING, RunState.FINISHED]
    (done,) = heard.of(Done)
    info, _ = load_model(Path(done.model))
    assert info.id == "own"
    assert info.metrics["mask"]["AP"] == pytest.approx(max(figures))
    assert info.metrics == done.metrics
    assert Path(info.training["init"]).name == "small.safetensors"
    assert info.training["settings"]["iterations"] == 6
    assert len(info.training["sha256"]) == len(info.training["val_sha256"]) == 64
    # What is needed to go on takes much room, and there is nothing to go on with.
    assert not (tmp_path / "run" / CHECKPOINT_NAME).exists()
    assert not (tmp_path / "run" / BEST_NAME).exists()


def check_samples(samples: list[Sample], folder: Path) -> None:
    """Truth and what is found are there, image by image."""
    assert len(samples) == 6
    assert Path(samples[0].file) == folder / "discs" / "discs-1.png"
    assert (samples[0].height, samples[0].width) == (64, 64)
    assert len(samples[0].truth) == 3
    for outline in samples[0].truth:
        (part,) = outline.parts
        assert len(part[0]) >= 3
        assert all(0 <= x <= 64 and 0 <= y <= 64 for x, y in part[0])


def test_a_run_left_and_taken_up_ends_as_one_in_one_go(
    go: Callable[..., tuple[bool, Listener]], job: Job, tmp_path: Path
) -> None:
    straight = replace(job, output=tmp_path / "straight.safetensors")
    _, whole = go(straight)
    (tmp_path / "run" / "log.jsonl").unlink()

    finished, first = go(_3=[Wish.LEAVE])
    assert not finished
    assert first.states == [RunState.TRAINING, RunState.BROKEN_OFF]
    assert read_run(tmp_path / "run").can_go_on
    # Killed later: what the log has of steps after the checkpoint is done again.
    note(tmp_path / "run", Step(4, 6, 9.0, {}, 0.1, 1.0, 1.0))
    finished, second = go()
    assert finished
    assert second.of(Plan) == []
    told = [step.losses for step in (*first.of(Step), *second.of(Step))]
    assert told == [step.losses for step in whole.of(Step)]
    assert [step.iteration for step in second.of(Step)] == [4, 5, 6]
    log = [from_json(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    steps = [event.iteration for event in log if isinstance(event, Step)]
    assert steps == [1, 2, 3, 4, 5, 6]
    _, model = load_model(job.output)
    _, other = load_model(straight.output)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


def test_measuring_is_broken_off_when_the_run_is_left_and_done_anew_after(
    go: Callable[..., tuple[bool, Listener]],
) -> None:
    """Asked for the first time while it measures, after the second step."""
    finished, heard = go(_2=[Wish.LEAVE])
    assert not finished
    assert heard.states[-1] is RunState.BROKEN_OFF
    assert heard.of(Validation) == []
    finished, heard = go(_3=[Wish.STOP])
    assert finished
    assert [one.iteration for one in heard.of(Validation)] == [2, 3]
    assert heard.of(Validation)[0].best


def test_a_run_pauses_and_goes_on_and_stops_with_the_best(
    go: Callable[..., tuple[bool, Listener]], tmp_path: Path
) -> None:
    pauses = [Wish.PAUSE, Wish.PAUSE, Wish.GO_ON]
    finished, heard = go(_1=pauses, _3=[Wish.STOP])
    assert finished
    assert heard.states == [
        RunState.TRAINING,
        RunState.PAUSED,
        RunState.TRAINING,
        RunState.STOPPING,
        RunState.FINISHED,
    ]
    assert len(heard.of(Step)) == 3
    assert [one.iteration for one in heard.of(Validation)] == [2, 3]
    assert read_info(tmp_path / "own.safetensors").metrics["images"] == 2


def test_without_images_to_measure_on_the_latest_is_kept(
    go: Callable[..., tuple[bool, Listener]], job: Job
) -> None:
    blind = replace(job, source=replace(job.source, val=None))
    finished, heard = go(blind, _2=[Wish.STOP])
    assert finished
    assert heard.of(Validation) == []
    assert read_info(job.output).metrics == {}


def test_a_run_is_not_taken_up_with_other_data(
    go: Callable[..., tuple[bool, Listener]], job: Job
) -> None:
    go(_1=[Wish.LEAVE])
    job.source.annotations.write_text(job.source.annotations.read_text() + " ")
    with pytest.raises(UserError, match=r"discs.json has changed since the run began"):
        go()


def test_a_model_that_came_in_the_meantime_is_not_written_over(
    go: Callable[..., tuple[bool, Listener]], job: Job, tmp_path: Path
) -> None:
    job.output.write_bytes(b"somebody's")
    with pytest.raises(UserError, match=r"own.safetensors is there already"):
        go(_1=[Wish.STOP])
    assert job.output.read_bytes() == b"somebody's"
    job.output.rename(tmp_path / "elsewhere")
    finished, heard = go(_3=[Wish.STOP])
    assert finished, "nothing that was learned is lost"
    assert [step.iteration for step in heard.of(Step)] == [2, 3]


def test_a_job_is_what_it_was_when_it_is_read_back(job: Job) -> None:
    told = json.loads(json.dumps(job.to_json()))
    back = Job.from_json(told)
    assert json.loads(json.dumps(back.to_json())) == told
    assert (back.settings, back.info.architecture) == (job.settings, job.info.architecture)
    with pytest.raises(UserError, match="begin a new run"):
        Job.from_json({name: value for name, value in told.items() if name != "init"})


def test_a_plan_says_what_would_be_done_and_how_long_it_takes(job: Job, cpu: Device) -> None:
    told = plan(job, cpu)
    assert (told.images, told.iterations) == (2, 6)
    assert told.seconds is not None
    assert from_json(to_json(told)) == told


def test_rows_of_known_categories_are_taken_over_and_new_ones_begin_as_their_mean(
    tmp_path: Path, small: Path
) -> None:
    architecture = read_info(small).architecture
    torch.manual_seed(0)
    known = build(architecture, 2)
    names = (Category(1, "cat"), Category(2, "dog"))
    save_model(tmp_path / "a.safetensors", ModelInfo("a", architecture, names), known.state_dict())
    wanted = (Category(5, "dog"), Category(6, "horse"))
    model = start_model(str(tmp_path / "a.safetensors"), architecture, wanted, None, 0)
    before, after = known.state_dict(), model.state_dict()
    for name, each in (
        ("roi_heads.box_predictor.cls_score.weight", 1),
        ("roi_heads.box_predictor.bbox_pred.bias", 4),
        ("roi_heads.mask_predictor.mask_fcn_logits.weight", 1),
    ):
        old = before[name].unflatten(0, (-1, each))
        new = after[name].unflatten(0, (-1, each))
        assert torch.equal(new[0], old[0]), "nothing is nothing as ever"
        assert torch.equal(new[1], old[2])
        torch.testing.assert_close(new[2], (old[1] + old[2]) / 2)
    kept = "backbone.fpn.layer_blocks.0.0.weight"
    assert torch.equal(after[kept], before[kept])
