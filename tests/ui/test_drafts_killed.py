"""A program that is killed in the middle of drawing leaves the outline to the next one."""

import json

from PySide6.QtCore import Qt

from storage.children import CONTEXT
from ui.children import draw_until_killed

AT_LEAST = (6, 15, 30)  # vertices on the disk at each kill


def stored(folder):
    """The vertices on the disk; there is always a whole file, or none."""
    try:
        text = (folder / ".maskstudio" / "drafts.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    (draft,) = json.loads(text)
    assert (draft["image"], draft["tool"]) == ("a.png", "polygon")
    return [tuple(point) for point in draft["points"]]


def draw_and_kill(folder, settings, first, at_least):
    """Kill a drawing process once so many vertices are on the disk; return its clicks."""
    receiver, sender = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=draw_until_killed, args=(folder, settings, first, sender))
    child.start()
    sender.close()
    clicks = []
    while len(stored(folder)) < at_least:
        clicks.append(receiver.recv())
    child.kill()
    child.join()
    child.close()
    try:
        while True:
            clicks.append(receiver.recv())
    except (EOFError, OSError):
        receiver.close()
    return clicks


def test_what_was_drawn_before_a_kill_is_in_hand_after_it(start, folder, tmp_path):
    vertices = []
    for at_least in AT_LEAST:
        settings = tmp_path / "child.json"
        vertices += draw_and_kill(folder, settings, len(vertices), at_least)
        kept = stored(folder)
        assert len(kept) >= at_least
        # The last clicks before the kill may be lost; the next process draws on without them.
        assert kept == vertices[: len(kept)]
        vertices = kept
    program = start()
    program.open(folder)
    assert "An unfinished outline was brought back" in program.said
    assert program.window.input.tool.draft == tuple(vertices)
    program.canvas.setFocus()
    program.key(Qt.Key.Key_Return)
    assert len(program.annotations) == 1
