"""What a training run says and keeps is read back as it was, also after a kill."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskstudio.errors import UserError
from maskstudio.storage.training_events import (
    Done,
    Event,
    Outline,
    Plan,
    RunState,
    Sample,
    StateChange,
    Step,
    Validation,
    from_json,
    to_json,
)
from maskstudio.storage.training_runs import (
    CHECKPOINT_NAME,
    LOG_NAME,
    holding,
    list_runs,
    make_run_folder,
    note,
    read_log,
    read_run,
    read_settings,
    rewind,
    runs_folder,
    write_settings,
)

PLAN = Plan(8, 2, 100, {"crop": 320}, {"cell": 40}, "CPU", 60.0)
FIGURES = {"AP": 0.5, "AP50": 0.75, "AP75": 0.25}

numbers = st.floats(0, 1e4, allow_nan=False)
points = st.tuples(numbers, numbers)
rings = st.lists(points, min_size=3, max_size=4).map(tuple)
parts = st.lists(rings, min_size=1, max_size=2).map(tuple)
outlines = st.builds(
    Outline, st.text(max_size=5), numbers, st.lists(parts, min_size=1, max_size=2).map(tuple)
)
figures = st.fixed_dictionaries({"AP": numbers, "AP50": numbers, "AP75": numbers})
events = st.one_of(
    st.just(PLAN),
    st.builds(
        Step,
        st.integers(1, 99),
        st.just(100),
        numbers,
        st.dictionaries(st.text(max_size=5), numbers, max_size=2),
        numbers,
        numbers,
        numbers,
    ),
    st.builds(Validation, st.integers(1, 99), figures, st.none() | figures, st.booleans()),
    st.builds(
        Sample,
        st.integers(1, 99),
        st.text(max_size=9),
        st.just(60),
        st.just(80),
        st.lists(outlines, max_size=2).map(tuple),
        st.lists(outlines, max_size=2).map(tuple),
    ),
    st.builds(StateChange, st.sampled_from(RunState), st.text(max_size=9)),
    st.builds(Done, st.text(max_size=9), st.fixed_dictionaries({"box": figures})),
)


@given(events)
def test_an_event_is_one_line_and_comes_back_as_it_was(event: Event) -> None:
    line = to_json(event)
    assert "\n" not in line
    assert from_json(line) == event


def test_other_lines_are_no_events_and_broken_ones_are_named() -> None:
    assert from_json('{"event": "progress", "done": 1, "total": 2}') is None
    assert from_json("not JSON") is None
    assert from_json("[1, 2]") is None
    assert from_json('"step"') is None
    for broken in ('{"event": "step", "iteration": 1}', '{"event": "state", "state": "odd"}'):
        with pytest.raises(UserError, match="cannot be understood"):
            from_json(broken)


def step(iteration: int) -> Step:
    return Step(iteration, 100, 1.5, {"loss_mask": 1.5}, 1e-3, 0.5, 9.0)


def run_in(project: Path, name: str = "cells") -> Path:
    folder = make_run_folder(runs_folder(project) / name)
    write_settings(folder, {"name": name})
    return folder


def test_a_run_is_listed_as_it_stands(tmp_path: Path) -> None:
    assert list_runs(tmp_path) == []
    folder = run_in(tmp_path)
    told: list[Event] = [
        PLAN,
        StateChange(RunState.TRAINING),
        step(1),
        Validation(1, FIGURES, None, best=True),
    ]
    with holding(folder):
        for event in (*told, step(2), Validation(2, FIGURES, None, best=False)):
            note(folder, event)
        (run,) = list_runs(tmp_path)
        assert (run.name, run.state, run.held) == ("cells", RunState.TRAINING, True)
        assert (run.plan, run.iteration, run.best) == (PLAN, 2, told[-1])
        assert not run.can_go_on
        with pytest.raises(UserError, match="being trained already"), holding(folder):
            pass
    note(folder, Done("cells.safetensors"))
    note(folder, StateChange(RunState.FINISHED))
    run = read_run(folder)
    assert (run.state, run.model, run.can_go_on) == (RunState.FINISHED, "cells.safetensors", False)


@pytest.mark.parametrize("last", [RunState.TRAINING, RunState.PAUSED, RunState.STOPPING])
def test_a_run_whose_process_was_killed_can_go_on(last: RunState, tmp_path: Path) -> None:
    folder = run_in(tmp_path)
    note(folder, StateChange(last))
    with (folder / LOG_NAME).open("a") as file:
        file.write('{"event": "step", "itera')
    run = read_run(folder)
    assert (run.state, run.can_go_on) == (RunState.BROKEN_OFF, False)
    (folder / CHECKPOINT_NAME).write_bytes(b"weights")
    assert read_run(folder).can_go_on


def test_what_came_after_a_checkpoint_is_taken_out_of_the_log(tmp_path: Path) -> None:
    folder = run_in(tmp_path)
    for event in (PLAN, step(1), step(2), StateChange(RunState.PAUSED), step(3)):
        note(folder, event)
    rewind(folder, 2)
    assert list(read_log(folder)) == [PLAN, step(1), step(2), StateChange(RunState.PAUSED)]
    rewind(folder, 0)
    assert list(read_log(folder)) == [PLAN, StateChange(RunState.PAUSED)]
    rewind(folder, -1)
    assert list(read_log(folder)) == []


def test_runs_never_share_a_folder(tmp_path: Path) -> None:
    names = [run_in(tmp_path).name for _ in range(3)]
    assert names == ["cells", "cells 2", "cells 3"]
    assert {run.name for run in list_runs(tmp_path)} == set(names)
    with pytest.raises(UserError, match=r"A run cannot be called '\.\.'"):
        make_run_folder(tmp_path / "..")


def test_what_is_no_run_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no training run in"), holding(tmp_path / "none"):
        pass
    with pytest.raises(UserError, match=r"is no training run: it has no settings.json; give the"):
        read_settings(tmp_path)
    for text in ("{", "[]"):
        (tmp_path / "settings.json").write_text(text)
        with pytest.raises(UserError, match=r"settings.json is damaged"):
            read_settings(tmp_path)
