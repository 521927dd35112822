"""A process that is killed loses nothing that it had finished."""

import random
import sqlite3
from pathlib import Path

from maskstudio.storage.opening import open_project
from storage.children import CONTEXT, commit_until_killed, make_project, numbered

KILLS = 20


def run_and_kill(folder: Path, commits: int, rounds: int) -> int:
    """Kill a committing process a moment after its n-th commit; return its last finished one."""
    receiver, sender = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=commit_until_killed, args=(folder, sender))
    child.start()
    sender.close()
    last = 0
    for _ in range(commits):
        last = receiver.recv()
    for _ in range(rounds):  # somewhere in the midst of the next
        last += 0
    child.kill()
    child.join()
    try:
        while True:
            last = receiver.recv()
    except (EOFError, OSError):
        receiver.close()
    child.close()
    return last


def journal(folder: Path) -> list[str]:
    connection = sqlite3.connect(folder / ".maskstudio" / "project.db")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        query = "SELECT title FROM edits WHERE undoable AND state = 'done' ORDER BY id"
        return [title for (title,) in connection.execute(query)]
    finally:
        connection.close()


def test_whatever_was_finished_before_a_kill_is_there_after_it(tmp_path: Path) -> None:
    make_project(tmp_path).close()
    chance = random.Random(1)
    there = 0
    for _ in range(KILLS):
        finished = run_and_kill(tmp_path, chance.randrange(8), chance.randrange(100_000))
        with open_project(tmp_path) as project:
            annotations = project.annotations(1)
            assert len(annotations) >= max(finished, there)
            assert annotations == tuple(numbered(a.id, n) for n, a in enumerate(annotations, 1))
            titles = [f"Draw {n}" for n in range(1, len(annotations) + 1)]
            assert journal(tmp_path) == titles
            if annotations:
                assert project.history().undo == titles[-1]
                project.undo()
                assert project.annotations(1) == annotations[:-1]
                project.redo()
                assert project.annotations(1) == annotations
        there = len(annotations)
    assert there >= KILLS
