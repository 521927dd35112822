"""Lanes: urgency, cancelling, faults, closing; results arrive on the GUI thread."""

import sys
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication

from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.session.tasks import Callbacks, LaneName, Priority, Progress, Tasks
from support.gates import PATIENCE, Gate, until_cancelled


@pytest.fixture
def tasks(qapp) -> Iterator[Tasks]:
    tasks = Tasks()
    yield tasks
    tasks.close()


def test_the_most_urgent_job_goes_first_and_of_equals_the_older(tasks, qtbot):
    gate, order = Gate(), []
    tasks.submit(LaneName.MODEL, gate)
    assert gate.reached.wait(PATIENCE)

    for name, priority in [
        ("batch", Priority.BATCH),
        ("soon", Priority.SOON),
        ("now", Priority.NOW),
        ("soon too", Priority.SOON),
        ("now too", Priority.NOW),
    ]:
        work = lambda _, name=name: name  # noqa: E731
        tasks.submit(LaneName.MODEL, work, Callbacks(order.append), priority)
    gate.opened.set()

    qtbot.waitUntil(lambda: len(order) == 5)
    assert order == ["now", "now too", "soon", "soon too", "batch"]


def test_a_result_arrives_on_the_gui_thread_from_another(tasks, qtbot):
    threads = []
    tasks.submit(
        LaneName.PAINT,
        lambda _: threading.current_thread(),
        Callbacks(lambda worker: threads.extend([worker, threading.current_thread()])),
    )
    qtbot.waitUntil(lambda: len(threads) == 2)
    assert threads[0] is not threads[1]
    assert threads[1] is threading.current_thread()


def test_files_are_worked_on_two_at_a_time(tasks, qtbot):
    both, done = threading.Barrier(2, timeout=PATIENCE), []
    for _ in range(2):
        tasks.submit(LaneName.FILES, lambda _: both.wait(), Callbacks(done.append))
    qtbot.waitUntil(lambda: sorted(done) == [0, 1])


def test_lanes_do_not_wait_for_each_other(tasks, qtbot):
    gate, done = Gate(), []
    tasks.submit(LaneName.MODEL, gate)
    assert gate.reached.wait(PATIENCE)
    tasks.submit(LaneName.FILES, lambda _: "files", Callbacks(done.append))
    tasks.submit(LaneName.PAINT, lambda _: "paint", Callbacks(done.append))
    qtbot.waitUntil(lambda: sorted(done) == ["files", "paint"])
    gate.opened.set()


def test_a_job_cancelled_in_the_queue_never_runs(tasks, qtbot):
    gate, ran, told = Gate(), [], []
    tasks.submit(LaneName.MODEL, gate)
    assert gate.reached.wait(PATIENCE)
    job = tasks.submit(
        LaneName.MODEL,
        ran.append,
        Callbacks(done=lambda _: told.append("done"), cancelled=lambda: told.append("cancelled")),
    )
    job.cancel()
    gate.opened.set()
    qtbot.waitUntil(lambda: bool(told))
    assert (ran, told) == ([], ["cancelled"])


def test_a_running_job_learns_that_it_is_cancelled(tasks, qtbot):
    started, told = threading.Event(), []
    job = tasks.submit(
        LaneName.MODEL,
        until_cancelled(started),
        Callbacks(done=lambda _: told.append("done"), cancelled=lambda: told.append("cancelled")),
    )
    assert started.wait(PATIENCE)
    job.cancel()
    qtbot.waitUntil(lambda: told == ["cancelled"])


def test_what_a_person_can_mend_arrives_as_a_sentence(tasks, qtbot):
    def work(context: TaskContext) -> None:
        raise UserError("The disk is full; free some space.")

    told = []
    tasks.submit(LaneName.FILES, work, Callbacks(failed=told.append))
    qtbot.waitUntil(lambda: told == ["The disk is full; free some space."])


def test_a_bug_in_a_job_reaches_the_hook_on_the_gui_thread_and_the_lane_lives_on(
    tasks, qtbot, monkeypatch
):
    caught, told, done = [], [], []

    def hook(kind, error, trace):
        caught.append((error, trace is not None, threading.current_thread()))

    monkeypatch.setattr(sys, "excepthook", hook)
    tasks.submit(LaneName.MODEL, lambda _: 1 // 0, Callbacks(failed=told.append))
    tasks.submit(LaneName.MODEL, lambda _: "after", Callbacks(done.append))

    qtbot.waitUntil(lambda: done == ["after"])
    ((error, has_trace, thread),) = caught
    assert isinstance(error, ZeroDivisionError)
    assert has_trace
    assert thread is threading.current_thread()
    assert len(told) == 1


def test_a_bug_in_a_callback_does_not_keep_the_next_result_back(tasks, qtbot):
    done = []
    with qtbot.captureExceptions() as caught:
        tasks.submit(LaneName.PAINT, lambda _: 0, Callbacks(lambda zero: 1 // zero))
        tasks.submit(LaneName.PAINT, lambda _: "after", Callbacks(done.append))
        qtbot.waitUntil(lambda: done == ["after"])
    assert [kind for kind, _, _ in caught] == [ZeroDivisionError]


def test_items_arrive_in_order_and_before_the_end(tasks, qtbot):
    def work(context: TaskContext) -> str:
        for number in range(5):
            context.produce(number)
        return "end"

    told = []
    tasks.submit(LaneName.FILES, work, Callbacks(done=told.append, item=told.append))
    qtbot.waitUntil(lambda: "end" in told)
    assert told == [0, 1, 2, 3, 4, "end"]


def test_progress_is_there_to_be_asked_while_the_work_runs(tasks, qtbot):
    reported, go_on = threading.Event(), threading.Event()

    def work(context: TaskContext) -> None:
        context.report(3, 7, "reading")
        reported.set()
        assert go_on.wait(PATIENCE)

    done = []
    job = tasks.submit(LaneName.FILES, work, Callbacks(done.append))
    assert reported.wait(PATIENCE)
    assert job.progress == Progress(3, 7, "reading")
    go_on.set()
    qtbot.waitUntil(lambda: done == [None])


def test_closing_cancels_what_runs_drops_what_waits_and_ends_every_thread(qapp):
    before = set(threading.enumerate())
    tasks = Tasks()
    lanes = set(threading.enumerate()) - before
    assert {thread.name.split("-")[0] for thread in lanes} == {"model", "files", "paint", "tiles"}

    started, ran, told = threading.Event(), [], []
    callbacks = Callbacks(told.append, told.append, lambda: told.append("cancelled"))
    tasks.submit(LaneName.MODEL, until_cancelled(started), callbacks)
    tasks.submit(LaneName.MODEL, ran.append, callbacks)
    assert started.wait(PATIENCE)
    tasks.close()

    assert not any(thread.is_alive() for thread in lanes)
    QCoreApplication.processEvents()
    assert (ran, told) == ([], [])


def test_nothing_is_delivered_after_closing_not_even_what_was_ready(qapp):
    tasks, told, ended = Tasks(), [], threading.Event()
    callbacks = Callbacks(told.append)
    tasks.submit(LaneName.PAINT, lambda _: "ready", callbacks)
    tasks.submit(LaneName.PAINT, lambda _: ended.set(), callbacks)
    assert ended.wait(PATIENCE)
    tasks.close()
    QCoreApplication.processEvents()
    assert told == []
