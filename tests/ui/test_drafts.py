"""An outline that is being drawn is not lost: by another image, another start, or a full disk."""

import json
import shutil

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox

from maskstudio.session import category_operations
from support.hand import CTRL, SHIFT
from support.outlines import corners

SMALL = ((10, 10), (50, 15), (40, 55), (12, 50))  # on the others, which are 64 by 64
POINTS = ((15, 15), (70, 20), (60, 65), (20, 60))
SAID = "An unfinished outline was brought back  ·  Enter finishes it  ·  Esc drops it"


@pytest.fixture
def drawing(program):
    """The program with the polygon tool in hand and four vertices set on `a.png`."""
    return draw(program)


def draw(program, points=POINTS):
    program.key("p")
    for point in points:
        program.hand.click(point)
    return program


def expected(program, points=POINTS):
    return [list(program.hand.there(point)) for point in points]


def finish(program):
    """Close the outline in hand and return its corners."""
    before = set(program.session.annotations)
    program.key(Qt.Key.Key_Return)
    (made,) = program.session.annotations.keys() - before
    return corners(program.session.annotations[made].segmentation)


def go(program, key, name):
    program.key(key)
    program.until(lambda: program.shows(name))


def stored(folder):
    """What is on the disk: for each image the number of points."""
    try:
        text = (folder / ".maskstudio" / "drafts.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    plain = json.loads(text)
    return {one["image"]: len(one["points"]) for one in plain}


def reopened(start, folder):
    """Start again and open the folder."""
    program = start()
    program.open(folder)
    program.canvas.setFocus()
    return program


# From image to image


def test_it_comes_back_with_its_image(drawing):
    outline = expected(drawing)
    go(drawing, "d", "b.png")
    assert not drawing.window.input.tool.busy
    assert SAID not in drawing.said
    go(drawing, "a", "a.png")
    assert drawing.window.input.tool.busy
    assert drawing.said == SAID
    assert finish(drawing) == outline
    assert drawing.titles() == ["Draw"]


def test_each_image_has_its_own(drawing):
    first = expected(drawing)
    go(drawing, "d", "b.png")
    draw(drawing, SMALL)
    second = expected(drawing, SMALL)
    go(drawing, "a", "a.png")
    assert finish(drawing) == first
    go(drawing, "d", "b.png")
    assert finish(drawing) == second


def test_it_is_drawn_on_where_it_was_left_at_another_magnification(drawing):
    outline = expected(drawing)
    go(drawing, "d", "b.png")
    go(drawing, "a", "a.png")
    drawing.look_at((20, 40), 7)
    outline += expected(drawing, [(17, 40)])
    drawing.hand.click((17, 40))
    assert finish(drawing) == outline


def test_ctrl_z_drops_its_last_point_as_ever(drawing):
    outline = expected(drawing)
    go(drawing, "d", "b.png")
    go(drawing, "a", "a.png")
    drawing.key("z", CTRL)
    assert finish(drawing) == outline[:3]


def test_the_polygon_tool_is_in_hand_again_whatever_was_used_meanwhile(drawing):
    outline = expected(drawing)
    go(drawing, "d", "b.png")
    drawing.key("v")
    go(drawing, "a", "a.png")
    assert drawing.window.verbs["polygon"].isChecked()
    assert finish(drawing) == outline


@pytest.mark.parametrize("tool", ["polygon", "hole", "magnetic"])
def test_so_does_that_of_every_tool_that_draws_by_clicks(program, folder, start, tool):
    program.window.verbs[tool].trigger()
    for point in POINTS[:3]:
        program.hand.click(point)
        program.idle()
    outline = program.window.input.tool.draft
    assert len(outline) >= 3
    go(program, "d", "b.png")
    go(program, "a", "a.png")
    assert (program.window.input.tool.name, program.window.input.tool.draft) == (tool, outline)
    program.close()
    again = reopened(start, folder)
    assert (again.window.input.tool.name, again.window.input.tool.draft) == (tool, outline)
    assert again.window.verbs[tool].isChecked()
    # As many steps back as there were clicks, however many points each has set.
    for left in (2, 1, 0):
        assert again.window.input.tool.busy
        again.key("z", CTRL)
        assert len(again.window.input.tool.draft_ends) == left
    assert not again.window.input.tool.busy


def test_it_keeps_the_category_it_was_drawn_in(program):
    for name in ("one", "two"):
        category_operations.add_category(program.session, name)
    program.key("1")
    draw(program)
    program.key("2")  # while drawing: the last word counts
    go(program, "d", "b.png")
    program.key("1")
    go(program, "a", "a.png")
    finish(program)
    assert program.session.category(program.annotations[0].category_id).name == "two"


def test_walking_the_list_of_images_goes_on_with_the_keys_in_the_list(drawing):
    names = drawing.window.images.list
    names.setFocus()
    for key, name in ((Qt.Key.Key_Down, "b.png"), (Qt.Key.Key_Up, "a.png")):
        QTest.keyClick(names, key)
        drawing.until(lambda name=name: drawing.shows(name))
    assert drawing.window.input.tool.busy
    assert names.hasFocus()


# From tool to tool


def test_a_slip_on_another_tool_keeps_it_and_its_own_brings_it_back(drawing, folder):
    outline = expected(drawing)
    drawing.key("v")
    assert not drawing.window.input.tool.busy
    assert drawing.said == "The unfinished outline is kept  ·  P takes it up again"
    drawing.hand.click((40, 40))
    drawing.until(lambda: stored(folder) == {"a.png": 4})
    drawing.key("p")
    assert drawing.said == SAID
    assert finish(drawing) == outline
    assert drawing.titles() == ["Draw"]


def test_the_key_of_the_last_tool_brings_it_back_too(drawing):
    outline = expected(drawing)
    drawing.key("v")
    drawing.key("n")
    assert finish(drawing) == outline


def test_its_own_key_in_the_middle_of_it_changes_nothing(drawing):
    outline = expected(drawing)
    drawing.key("p")
    assert drawing.said == ""
    assert finish(drawing) == outline


def test_another_category_meanwhile_leaves_it_as_it_is(drawing):
    for name in ("one", "two"):
        category_operations.add_category(drawing.session, name)
    outline = expected(drawing)
    drawing.key("v")
    drawing.key("2")
    drawing.key("p")
    assert finish(drawing) == outline


def test_outlines_of_two_tools_do_not_replace_each_other(drawing, folder, start):
    outline = expected(drawing)
    drawing.key("o", SHIFT)
    for point in SMALL[:3]:
        drawing.hand.click(point)
    drawing.key("p")
    assert drawing.window.input.tool.draft == tuple(map(tuple, outline))
    drawing.close()
    again = reopened(start, folder)
    # The hole was drawn on last.
    assert again.window.input.tool.name == "hole"
    assert len(again.window.input.tool.draft) == 3
    again.key("p")
    assert finish(again) == outline


def test_dropped_after_it_was_brought_back_it_is_gone(drawing, folder):
    for key in ("v", "p"):
        drawing.key(key)
    drawing.key(Qt.Key.Key_Escape)
    drawing.until(lambda: stored(folder) == {})
    for key in ("v", "p"):
        drawing.key(key)
    assert not drawing.window.input.tool.busy


def test_left_with_another_tool_in_hand_its_image_brings_it_back(drawing):
    outline = expected(drawing)
    drawing.key("v")
    go(drawing, "d", "b.png")
    go(drawing, "a", "a.png")
    assert drawing.said == SAID
    assert finish(drawing) == outline


# It ends


def by_enter(program):
    program.key(Qt.Key.Key_Return)


def by_escape(program):
    program.key(Qt.Key.Key_Escape)


def by_backspace(program):
    for _ in POINTS:
        program.key(Qt.Key.Key_Backspace)


def by_undo(program):
    for _ in POINTS:
        program.key("z", CTRL)


@pytest.mark.parametrize("end", [by_enter, by_escape, by_backspace, by_undo])
def test_finished_or_dropped_it_does_not_come_back(drawing, folder, start, end):
    drawing.until(lambda: stored(folder) == {"a.png": 4})
    end(drawing)
    go(drawing, "d", "b.png")
    go(drawing, "a", "a.png")
    assert not drawing.window.input.tool.busy
    drawing.until(lambda: stored(folder) == {})
    drawing.close()
    assert SAID not in [n.text for n in reopened(start, folder).told]


@pytest.mark.parametrize("end", [by_enter, by_escape])
def test_brought_back_and_ended_it_is_gone_from_the_disk(drawing, folder, start, end):
    drawing.close()
    again = reopened(start, folder)
    end(again)
    again.until(lambda: stored(folder) == {})
    assert len(again.annotations) == (1 if end is by_enter else 0)


# From start to start


def test_it_is_there_at_the_next_start_exactly(drawing, folder, start):
    outline = expected(drawing)
    drawing.look_at((20, 40), 3.3)
    outline += expected(drawing, [(17.2, 40.7)])
    drawing.hand.click((17.2, 40.7))
    drawing.close()
    again = reopened(start, folder)
    assert SAID in [n.text for n in again.told]
    assert finish(again) == outline


def test_the_image_it_is_on_is_shown_first_the_last_of_several(program, folder, start):
    program.show("sub/c.png")
    draw(program, SMALL[:2])
    program.show("b.png")
    draw(program, SMALL)
    program.close()
    again = reopened(start, folder)
    assert again.session.current.path == "b.png"
    outline = expected(again, SMALL)
    assert finish(again) == outline
    again.show("sub/c.png")
    again.key(Qt.Key.Key_Backspace)
    again.until(lambda: stored(folder) == {"sub/c.png": 1})


def test_each_point_is_on_the_disk_soon(program, folder):
    program.key("p")
    for number, point in enumerate(POINTS, 1):
        program.hand.click(point)
        program.until(lambda number=number: stored(folder) == {"a.png": number})
    program.key(Qt.Key.Key_Backspace)
    program.until(lambda: stored(folder) == {"a.png": 3})


def test_another_folder_knows_nothing_of_it(drawing, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "other", ignore=shutil.ignore_patterns(".maskstudio"))
    outline = expected(drawing)
    drawing.open(tmp_path / "other")
    drawing.until(lambda: drawing.shows("a.png"))
    assert not drawing.window.input.tool.busy
    draw(drawing, POINTS[:2])
    drawing.open(folder)
    drawing.until(lambda: drawing.session.folder == folder and drawing.shows("a.png"))
    assert finish(drawing) == outline
    assert stored(tmp_path / "other") == {"a.png": 2}


def test_of_an_image_that_is_gone_nothing_is_brought_back(drawing, folder, start):
    drawing.close()
    path = folder / ".maskstudio" / "drafts.json"
    path.write_text(path.read_text(encoding="utf-8").replace("a.png", "z.png"), encoding="utf-8")
    again = reopened(start, folder)
    assert not again.window.input.tool.busy
    assert again.problems == []


def test_of_a_tool_nobody_knows_nothing_is_brought_back(drawing, folder, start):
    drawing.close()
    path = folder / ".maskstudio" / "drafts.json"
    path.write_text(path.read_text(encoding="utf-8").replace("polygon", "laser"), encoding="utf-8")
    again = reopened(start, folder)
    assert again.shows("a.png")
    assert again.window.verbs["select"].isChecked()
    assert again.problems == []


# Where nothing can be written


def test_open_for_reading_only_nothing_is_written_or_taken_from_the_other(
    drawing, folder, start, monkeypatch
):
    drawing.until(lambda: stored(folder) == {"a.png": 4})
    before = (folder / ".maskstudio" / "drafts.json").read_bytes()
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    reader = reopened(start, folder)
    assert reader.session.read_only
    assert not reader.window.input.tool.busy
    draw(reader, POINTS[:3])
    go(reader, "d", "b.png")
    go(reader, "a", "a.png")
    assert reader.window.input.tool.busy
    reader.key(Qt.Key.Key_Escape)
    reader.idle()
    reader.close()
    assert (folder / ".maskstudio" / "drafts.json").read_bytes() == before


def test_a_disk_that_refuses_is_told_once_and_the_outline_goes_on(program, folder):
    hidden = folder / ".maskstudio" / "drafts.json"
    (hidden / "in the way").mkdir(parents=True)
    draw(program, POINTS[:2])
    program.until(lambda: program.problems)
    for point in POINTS[2:]:
        program.hand.click(point)
    program.idle()
    assert len(program.problems) == 1
    assert program.problems[0].startswith("The unfinished outline is not safe yet: ")
    shutil.rmtree(hidden)
    outline = expected(program, [*POINTS, (17, 40)])
    program.hand.click((17, 40))
    program.until(lambda: stored(folder) == {"a.png": 5})
    assert finish(program) == outline


def test_verifying_tells_of_an_outline_that_was_only_begun(drawing):
    outline = expected(drawing)
    drawing.window.verbs["verify"].trigger()
    drawing.until(lambda: drawing.shows("b.png"))
    assert "begun on the verified image is kept" in drawing.said
    go(drawing, "a", "a.png")
    assert finish(drawing) == outline
