"""Helper processes: in order, not without need, and gone when they should be."""

import multiprocessing
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from maskstudio.annotation.annotation import Dataset, ImageRecord
from maskstudio.errors import UserError
from maskstudio.formats.gate_piece import CompareTask
from maskstudio.formats.options import SegmentationStyle
from maskstudio.formats.pieces import cut
from maskstudio.processes import Helpers, helpers_at_most
from support.errands import die_elsewhere, divide, loaded_by_work, process_of, touch

# Starts helpers that connect to a port, and is killed while they wait for work.
PARENT = """
import os, signal, sys
sys.path[:0] = sys.argv[2:]
from maskstudio.processes import Helpers, helpers_at_most
from support.errands import hold_open

with Helpers(done_here=0) as helpers:
    for _ in helpers.in_order(hold_open, [int(sys.argv[1])] * 4):
        pass
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_results_come_in_order_from_other_processes_and_are_not_far_ahead() -> None:
    taken = []

    def pieces() -> Iterator[int]:
        for number in range(12):
            taken.append(number)
            yield number

    with Helpers(done_here=2) as helpers:
        ahead = []
        results = []
        for result in helpers.in_order(process_of, pieces()):
            results.append(result)
            ahead.append(len(taken) - len(results))
    assert [piece for piece, _ in results] == list(range(12))
    assert {process for _, process in results[:2]} == {os.getpid()}
    assert os.getpid() not in {process for _, process in results[2:]}
    assert max(ahead) <= 2 * helpers_at_most() + 1


def test_a_little_work_starts_nobody() -> None:
    with Helpers(done_here=2) as helpers:
        results = list(helpers.in_order(process_of, range(2)))
    assert results == [(0, os.getpid()), (1, os.getpid())]


def test_a_helper_that_is_ended_ends_the_work() -> None:
    harmless, deadly = (os.getpid(), False), (os.getpid(), True)
    with Helpers() as helpers:
        found = helpers.in_order(die_elsewhere, [harmless] * 12 + [deadly] * 12)
        assert [next(found) for _ in range(4)] == [False] * 4
        with pytest.raises(UserError, match="ended"):
            list(found)


def test_where_there_can_be_no_helpers_this_process_does_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise OSError("no semaphores here")

    monkeypatch.setattr(multiprocessing, "get_context", refuse)
    with Helpers(done_here=1) as helpers:
        assert list(helpers.in_order(process_of, range(6))) == [(n, os.getpid()) for n in range(6)]


def test_work_that_is_given_up_ends_soon(tmp_path: Path) -> None:
    with Helpers(done_here=0) as helpers:
        for _ in helpers.in_order(touch, [tmp_path / str(n) for n in range(1000)]):
            break
    assert len(list(tmp_path.iterdir())) < 20


def test_what_fails_there_fails_here() -> None:
    with Helpers(done_here=0) as helpers:
        found = helpers.in_order(divide, [1, 2, 0, 4])
        assert next(found) == 1
        assert next(found) == 0.5
        with pytest.raises(ZeroDivisionError):
            next(found)


def test_helpers_for_coco_files_load_neither_qt_nor_torch() -> None:
    images = (ImageRecord(1, "a.png", 8, 8),)
    with Helpers(done_here=0) as helpers:
        (piece,) = cut(Dataset((), images))
        task = CompareTask(piece, SegmentationStyle.POLYGON, (), (), b"[]")
        assert list(helpers.in_order(loaded_by_work, [task])) == [(1, set())]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_helpers_end_when_their_parent_is_killed() -> None:
    root = Path(__file__).resolve().parents[1]
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        port = str(server.getsockname()[1])
        command = [sys.executable, "-c", PARENT, port, str(root), str(root / "tests")]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as parent:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(60)
                assert connection.recv(1) == b""
            assert parent.wait() != 0
