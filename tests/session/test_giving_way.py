"""Lane MODEL: what is more urgent is done within what runs."""

import threading
from collections.abc import Iterator

import pytest

from maskstudio.progress import TaskContext
from maskstudio.session.tasks import Callbacks, LaneName, Priority, Tasks
from support.gates import PATIENCE, Gate, until_cancelled


@pytest.fixture
def tasks(qapp) -> Iterator[Tasks]:
    tasks = Tasks()
    yield tasks
    tasks.close()


def steps(context: TaskContext, order: list[str], name: str, gates: list[Gate]) -> None:
    """Pass gate after gate, asking before each whether to stop."""
    for number, gate in enumerate(gates):
        context.raise_if_cancelled()
        gate(context)
        order.append(f"{name} {number}")
    context.raise_if_cancelled()


def test_what_a_person_waits_for_is_done_within_a_batch_job_which_then_goes_on(tasks, qtbot):
    order, told, gates = [], [], [Gate(), Gate()]
    tasks.submit(
        LaneName.MODEL,
        lambda context: steps(context, order, "batch", gates),
        Callbacks(lambda _: told.append("batch")),
        Priority.BATCH,
    )
    assert gates[0].reached.wait(PATIENCE)
    tasks.submit(
        LaneName.MODEL, lambda _: order.append("now"), Callbacks(lambda _: told.append("now"))
    )
    gates[0].opened.set()

    qtbot.waitUntil(lambda: told == ["now"])
    assert gates[1].reached.wait(PATIENCE)
    assert order == ["batch 0", "now"]
    gates[1].opened.set()
    qtbot.waitUntil(lambda: told == ["now", "batch"])
    assert order == ["batch 0", "now", "batch 1"]


class Within:
    """Runs a job within another, both held at gates, on lane MODEL."""

    def __init__(self, tasks: Tasks, outer: Priority, inner: Priority) -> None:
        self.order: list[str] = []
        self.told: list[str] = []
        self.outer_gates, self.inner_gates = [Gate(), Gate()], [Gate(), Gate()]
        self.outer = self._submit(tasks, "outer", self.outer_gates, outer)
        assert self.outer_gates[0].reached.wait(PATIENCE)
        self.inner = self._submit(tasks, "inner", self.inner_gates, inner)
        self.outer_gates[0].opened.set()

    def _submit(self, tasks, name, gates, priority):
        return tasks.submit(
            LaneName.MODEL,
            lambda context: steps(context, self.order, name, gates),
            Callbacks(
                lambda _: self.told.append(f"{name} done"),
                self.told.append,
                lambda: self.told.append(f"{name} cancelled"),
            ),
            priority,
        )

    def open(self) -> None:
        for gate in (*self.outer_gates, *self.inner_gates):
            gate.opened.set()


@pytest.mark.parametrize(
    ("which", "told"),
    [
        ("outer", ["inner done", "outer cancelled"]),
        ("inner", ["inner cancelled", "outer done"]),
    ],
)
def test_cancelling_one_of_two_jobs_within_each_other_hits_only_that_one(tasks, qtbot, which, told):
    both = Within(tasks, Priority.BATCH, Priority.NOW)
    assert both.inner_gates[0].reached.wait(PATIENCE)
    getattr(both, which).cancel()
    both.open()
    qtbot.waitUntil(lambda: len(both.told) == 2)
    assert both.told == told


def test_a_layer_that_asks_for_the_outer_job_too_does_not_end_the_inner_one(tasks, qtbot):
    """The hooks of a model ask for every job that runs through it."""
    contexts, told, reached = [], [], Gate()

    def outer(context: TaskContext) -> None:
        contexts.append(context)
        reached(context)
        context.raise_if_cancelled()

    def inner(context: TaskContext) -> None:
        outer_job.cancel()
        for one in (*contexts, context):
            one.raise_if_cancelled()

    outer_job = tasks.submit(
        LaneName.MODEL, outer, Callbacks(cancelled=lambda: told.append("outer cancelled")),
        Priority.SOON,
    )  # fmt: skip
    assert reached.reached.wait(PATIENCE)
    tasks.submit(LaneName.MODEL, inner, Callbacks(lambda _: told.append("inner done")))
    reached.opened.set()
    qtbot.waitUntil(lambda: told == ["inner done", "outer cancelled"])


@pytest.mark.parametrize(
    ("outer", "inner"),
    [(Priority.NOW, Priority.NOW), (Priority.SOON, Priority.SOON), (Priority.SOON, Priority.BATCH)],
)
def test_a_job_gives_way_only_to_a_more_urgent_one(tasks, qtbot, outer, inner):
    both = Within(tasks, outer, inner)
    both.open()
    qtbot.waitUntil(lambda: len(both.told) == 2)
    assert both.order == ["outer 0", "outer 1", "inner 0", "inner 1"]


def test_however_many_wait_no_more_jobs_lie_within_each_other_than_there_are_urgencies(
    tasks, qtbot
):
    depth, deepest, done = [], [], []
    first = Gate()

    def work(context: TaskContext) -> None:
        depth.append(None)
        deepest.append(len(depth))
        for _ in range(3):
            context.raise_if_cancelled()
        depth.pop()

    def begin(context: TaskContext) -> None:
        first(context)
        work(context)

    tasks.submit(LaneName.MODEL, begin, Callbacks(done.append), Priority.BATCH)
    assert first.reached.wait(PATIENCE)
    for priority in [Priority.BATCH, Priority.SOON, Priority.NOW] * 20:
        tasks.submit(LaneName.MODEL, work, Callbacks(done.append), priority)
    first.opened.set()
    qtbot.waitUntil(lambda: len(done) == 61)
    assert max(deepest) <= len(Priority)


def test_a_bug_in_an_inner_job_does_not_end_the_outer_one(tasks, qtbot):
    gate, done = Gate(), []

    def outer(context: TaskContext) -> str:
        gate(context)
        context.raise_if_cancelled()
        return "outer"

    tasks.submit(LaneName.MODEL, outer, Callbacks(done.append), Priority.BATCH)
    assert gate.reached.wait(PATIENCE)
    with qtbot.captureExceptions() as caught:
        tasks.submit(LaneName.MODEL, lambda _: 1 // 0)
        gate.opened.set()
        qtbot.waitUntil(lambda: done == ["outer"])
    assert [kind for kind, _, _ in caught] == [ZeroDivisionError]


def test_another_thread_that_helps_a_job_never_does_other_work(tasks, qtbot):
    gate, threads, done = Gate(), [], []

    def outer(context: TaskContext) -> None:
        gate(context)
        helper = threading.Thread(target=context.raise_if_cancelled)
        helper.start()
        helper.join(PATIENCE)
        assert threads == []

    tasks.submit(LaneName.MODEL, outer, Callbacks(done.append), Priority.BATCH)
    assert gate.reached.wait(PATIENCE)
    tasks.submit(
        LaneName.MODEL, lambda _: threads.append(threading.current_thread()), Callbacks(done.append)
    )
    gate.opened.set()
    qtbot.waitUntil(lambda: len(done) == 2)
    assert threads[0].name.startswith("model")


def test_only_the_lane_of_the_model_gives_way(tasks, qtbot):
    """On another a job may be in the middle of a transaction."""
    order, gate = [], Gate()

    def outer(context: TaskContext) -> None:
        gate(context)
        context.raise_if_cancelled()
        order.append("outer")

    tasks.submit(LaneName.PAINT, outer, priority=Priority.BATCH)
    assert gate.reached.wait(PATIENCE)
    tasks.submit(LaneName.PAINT, lambda _: order.append("inner"))
    gate.opened.set()
    qtbot.waitUntil(lambda: len(order) == 2)
    assert order == ["outer", "inner"]


def test_closing_ends_jobs_within_each_other(qapp):
    tasks = Tasks()
    outer_started, inner_started, ended = threading.Event(), threading.Event(), []

    def noting(name, started):
        def work(context: TaskContext) -> None:
            try:
                until_cancelled(started)(context)
            finally:
                ended.append(name)

        return work

    tasks.submit(LaneName.MODEL, noting("outer", outer_started), priority=Priority.BATCH)
    assert outer_started.wait(PATIENCE)
    tasks.submit(LaneName.MODEL, noting("inner", inner_started))
    assert inner_started.wait(PATIENCE)
    tasks.close()
    assert ended == ["inner", "outer"]
