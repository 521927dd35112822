"""The quality page: what a check found is one click away, and put right in one step."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.edits import AnnotationChange, Edit
from maskstudio.annotation.findings import TITLES, FindingKind
from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from maskstudio.ui.panels.quality import QualityPanel
from support.hand import NONE, SHIFT
from support.outlines import SQUARE, put
from support.pictures import write_picture
from support.program import Program

BOWTIE = Segmentation.from_rings([(10, 10), (30, 30), (30, 10), (10, 30)])
SPECKED = Segmentation(
    (
        Part(as_ring([(40, 10), (90, 10), (90, 60), (40, 60)])),
        Part(as_ring([(5, 70), (7, 70), (7, 72), (5, 72)])),
    )
)


def insert(program: Program, name: str, *outlines: Segmentation) -> list[int]:
    """Put outlines on an image as they are, past all that would mend them."""
    session, image_id = program.session, program.image(name)
    if not session.categories:
        put(session, SQUARE)
        session.undo()
    taken = session.require_database().take_annotation_ids()
    made = [Annotation(next(taken), session.categories[0].id, one) for one in outlines]
    changes = tuple(AnnotationChange(image_id, None, one) for one in made)
    assert session.edit(Edit("Put", annotations=changes))
    return [one.id for one in made]


def category(program: Program) -> None:
    """Have one category, and nothing drawn."""
    put(program.session, SQUARE)
    program.session.select(program.session.annotations)
    assert program.session.edit(
        edits.delete(program.session.content(program.session.current.id), program.session.selection)
    )


@pytest.fixture
def faulty(program: Program) -> Program:
    """`a.png` has a bowtie, `b.png` another and a stray part, both in front of a sound square."""
    category(program)
    insert(program, "a.png", SQUARE, BOWTIE)
    insert(program, "b.png", BOWTIE)
    insert(program, "sub/c.png", SPECKED)
    return program


def opened(program: Program) -> QualityPanel:
    """Open the page by its keys and wait until the project is checked."""
    shown = program.window.verbs.keymap.keys("quality")[0]
    assert QKeySequence(shown) in program.window.verbs["quality"].shortcuts()
    program.key(Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier | SHIFT, program.canvas)
    program.until(lambda: program.window.findChild(QualityPanel))
    page = program.window.findChild(QualityPanel)
    program.until(lambda: page.check.text() == "Check" and "Checking" not in page.said.text())
    return page


def listed(page: QualityPanel) -> dict[str, list[tuple[str, str]]]:
    """What is listed: heading to (sentence, image) of each row below it."""
    rows = page.rows
    return {
        rows.index(n, 0).data(): [
            (rows.index(m, 0, rows.index(n, 0)).data(), rows.index(m, 1, rows.index(n, 0)).data())
            for m in range(rows.rowCount(rows.index(n, 0)))
        ]
        for n in range(rows.rowCount())
    }


def heading(kind: FindingKind, count: int) -> str:
    return f"{TITLES[kind]}  ({count})"


def row(page: QualityPanel, kind: FindingKind, number: int = 0):
    """Return the index of a row of a kind."""
    for n in range(page.rows.rowCount()):
        top = page.rows.index(n, 0)
        if page.rows.kind(top) is kind:
            return page.rows.index(number, 0, top)
    raise AssertionError(f"no {kind} is listed")


def click(page: QualityPanel, kind: FindingKind, number: int = 0, held=NONE) -> None:
    """Click on a row."""
    index = row(page, kind, number)
    page.list.scrollTo(index)
    at = page.list.visualRect(index).center()
    QTest.mouseClick(page.list.viewport(), Qt.MouseButton.LeftButton, held, at)


def press(button) -> None:
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def outlines(program: Program, name: str) -> list[Segmentation | None]:
    content = program.session.content(program.image(name))
    return [annotation.segmentation for annotation in content.annotations.values()]


def test_findings_stand_below_their_kind_with_counts_the_gravest_first(faulty):
    page = opened(faulty)
    found = listed(page)
    assert list(found)[:2] == [heading(FindingKind.CROSSING, 2), heading(FindingKind.OUTSIDE, 1)]
    assert [image for _, image in found[heading(FindingKind.CROSSING, 2)]] == ["a.png", "b.png"]
    assert found[heading(FindingKind.CROSSING, 2)][0][0].startswith("The outline crosses itself")
    # Both smaller pictures have the same pixels.
    assert heading(FindingKind.TWIN, 1) in found


def test_many_are_headings_first_and_a_click_or_enter_opens_one(faulty):
    insert(faulty, "a.png", *[BOWTIE] * 9)
    page = opened(faulty)
    top = page.rows.index(0, 0)
    assert top.data() == heading(FindingKind.CROSSING, 11)
    assert not page.list.isExpanded(top)
    at = page.list.visualRect(top).center()
    QTest.mouseClick(page.list.viewport(), Qt.MouseButton.LeftButton, NONE, at)
    assert page.list.isExpanded(top)
    faulty.key(Qt.Key.Key_Return, on=page.list)
    assert not page.list.isExpanded(top)
    # An edit lists them anew, and what was opened by hand stays open.
    faulty.key(Qt.Key.Key_Return, on=page.list)
    insert(faulty, "b.png", BOWTIE)
    faulty.until(lambda: page.rows.index(0, 0).data() == heading(FindingKind.CROSSING, 12))
    assert page.list.isExpanded(page.rows.index(0, 0))


def test_a_click_goes_to_the_image_and_selects_and_magnifies_the_place(faulty):
    page = opened(faulty)
    before = faulty.canvas.viewport.scale
    click(page, FindingKind.CROSSING, 1)
    faulty.until(lambda: faulty.shows("b.png"))
    (chosen,) = faulty.session.selected()
    assert chosen.segmentation == BOWTIE
    faulty.until(lambda: faulty.canvas.viewport.scale > 1.2 * before)
    x, y = faulty.canvas.viewport.to_image(faulty.canvas.width() / 2, faulty.canvas.height() / 2)
    assert (x, y) == pytest.approx((20, 20), abs=3)


def test_enter_goes_there_too_and_f8_to_the_next_and_back(faulty):
    page = opened(faulty)
    page.list.setFocus()
    page.list.setCurrentIndex(row(page, FindingKind.CROSSING))
    faulty.key(Qt.Key.Key_Return, on=page.list)
    faulty.until(lambda: faulty.shows("a.png") and faulty.session.selection)
    faulty.key(Qt.Key.Key_F8, on=faulty.canvas)
    faulty.until(lambda: faulty.shows("b.png"))
    assert page.list.currentIndex() == row(page, FindingKind.CROSSING, 1)
    assert faulty.told[-1].text.startswith("2 of ")
    faulty.key(Qt.Key.Key_F8, SHIFT, on=faulty.canvas)
    faulty.until(lambda: faulty.shows("a.png"))


def test_the_walk_goes_on_without_the_page_and_says_its_end(faulty):
    page = opened(faulty)
    count = sum(map(len, listed(page).values()))
    faulty.key(Qt.Key.Key_Escape)
    assert not page.isVisible()
    assert faulty.focus() is faulty.canvas
    for _ in range(count + 1):
        faulty.key(Qt.Key.Key_F8, on=faulty.canvas)
    assert faulty.told[-1].text == "There is nothing more to look at."


def test_fix_puts_one_right_in_one_step_and_undo_takes_it_back(faulty):
    page = opened(faulty)
    click(page, FindingKind.CROSSING)
    press(page.fix)
    assert outlines(faulty, "a.png")[0] == SQUARE
    mended = outlines(faulty, "a.png")[1]
    assert mended.is_valid
    assert outlines(faulty, "b.png") == [BOWTIE]
    faulty.until(lambda: heading(FindingKind.CROSSING, 1) in listed(page))
    faulty.key("z", Qt.KeyboardModifier.ControlModifier, on=faulty.canvas)
    assert outlines(faulty, "a.png") == [SQUARE, BOWTIE]
    faulty.until(lambda: heading(FindingKind.CROSSING, 2) in listed(page))


def test_fix_all_is_one_step_over_all_images(faulty):
    page = opened(faulty)
    click(page, FindingKind.CROSSING)
    assert page.fix_all.text() == "Fix all 2 of this kind"
    press(page.fix_all)
    assert all(outline.is_valid for outline in outlines(faulty, "a.png"))
    assert all(outline.is_valid for outline in outlines(faulty, "b.png"))
    faulty.until(lambda: not any("cross" in title for title in listed(page)))
    faulty.session.undo()
    assert outlines(faulty, "a.png") == [SQUARE, BOWTIE]
    assert outlines(faulty, "b.png") == [BOWTIE]


def test_after_a_fix_the_row_that_follows_is_current_and_f8_goes_to_it(faulty):
    page = opened(faulty)
    click(page, FindingKind.CROSSING)
    faulty.until(lambda: faulty.shows("a.png"))
    press(page.fix)
    faulty.until(lambda: heading(FindingKind.CROSSING, 1) in listed(page))
    assert page.list.currentIndex() == row(page, FindingKind.CROSSING)
    faulty.key(Qt.Key.Key_F8, on=faulty.canvas)
    faulty.until(lambda: faulty.shows("b.png"))


def test_what_is_right_is_left_out_and_stays_so_after_a_restart(faulty, start, folder):
    page = opened(faulty)
    click(page, FindingKind.CROSSING, 1)
    press(page.right)
    assert heading(FindingKind.CROSSING, 1) in listed(page)
    faulty.close()
    again = start()
    again.open(folder)
    again.canvas.setFocus()
    page = opened(again)
    assert [image for _, image in listed(page)[heading(FindingKind.CROSSING, 1)]] == ["a.png"]
    assert page.show_right.text() == "Show what is right (1)"
    QTest.keyClick(page.show_right, Qt.Key.Key_Space)
    assert heading(FindingKind.CROSSING, 2) in listed(page)
    click(page, FindingKind.CROSSING, 1)
    assert page.right.text() == "It is not right"
    press(page.right)
    assert not page.show_right.isVisible()


def test_an_edit_is_looked_at_again_by_itself(faulty):
    page = opened(faulty)
    ids = insert(faulty, "a.png", BOWTIE)
    faulty.until(lambda: heading(FindingKind.CROSSING, 3) in listed(page))
    faulty.show("a.png")
    faulty.session.select(ids)
    faulty.key(Qt.Key.Key_Delete, on=faulty.canvas)
    faulty.until(lambda: heading(FindingKind.CROSSING, 2) in listed(page))


def test_where_only_a_person_can_say_there_is_no_fix(faulty):
    page = opened(faulty)
    click(page, FindingKind.TWIN)
    assert not page.fix.isEnabled()
    assert not page.fix_all.isEnabled()
    assert page.answer.text() == "What is right here only a person can say."


def test_it_can_be_cancelled(faulty):
    page = opened(faulty)
    press(page.check)
    assert page.check.text() == "Cancel"
    press(page.check)
    faulty.until(lambda: page.check.text() == "Check")
    assert heading(FindingKind.CROSSING, 2) in listed(page)
    assert faulty.problems == []


def test_it_leaves_the_image_in_sight_on_a_small_screen(faulty):
    faulty.window.resize(1366, 700)
    page = opened(faulty)
    assert faulty.window.size().width() == 1366
    assert faulty.window.size().height() == 700
    assert faulty.canvas.height() > 250
    assert page.list.height() > 80
    assert page.mapTo(faulty.window, page.rect().bottomRight()).y() < 700


def test_f11_leaves_only_the_image_and_brings_it_back(faulty):
    page = opened(faulty)
    faulty.key(Qt.Key.Key_F11)
    assert not page.isVisible()
    faulty.key(Qt.Key.Key_F11)
    assert page.isVisible()
    faulty.key(Qt.Key.Key_Escape, on=page.list)
    faulty.key(Qt.Key.Key_F11)
    faulty.key(Qt.Key.Key_F11)
    assert not page.isVisible()


def test_f6_reaches_it_and_all_its_controls_have_names(faulty):
    page = opened(faulty)
    faulty.canvas.setFocus()
    seen = []
    for _ in range(9):
        faulty.key(Qt.Key.Key_F6)
        seen.append(faulty.focus())
    assert page.list in seen
    controls = [*page.findChildren(QAbstractButton), page.list]
    names = [
        QAccessible.queryAccessibleInterface(one).text(QAccessible.Text.Name) for one in controls
    ]
    assert all(names)


def test_a_file_of_another_size_is_told_when_it_is_opened(faulty, start, folder):
    faulty.close()
    write_picture(folder / "b.png", 32, 48)
    again = start()
    again.open(folder)
    again.show("b.png")
    assert again.problems == [
        "b.png has 48 by 32 pixels now, but was labelled at 64 by 64; put the old file back, or "
        "move the outlines."
    ]
