"""Everything has a name that can be read aloud, and can be reached and worked without a mouse."""

from itertools import pairwise

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QLineEdit,
    QMenu,
    QMessageBox,
    QPlainTextEdit,
    QScrollBar,
    QTabBar,
    QTextEdit,
    QToolBar,
    QToolButton,
)

from maskstudio.session import category_operations
from maskstudio.ui.canvas.canvas import Canvas
from support.hand import ALT, SHIFT
from support.outlines import SQUARE, put

_KINDS = (
    QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit,
    QPlainTextEdit, QTabBar, QTextEdit, Canvas,
)  # fmt: skip


@pytest.fixture
def drawn(program):
    """The program with a square, selected."""
    put(program.session, SQUARE)
    category_operations.add_category(program.session, "other")
    program.session.select(program.session.annotations)
    program.canvas.setFocus()
    return program


def is_part_of_another(widget):
    """Tell whether Qt made a widget as a part of a control that is asked itself."""
    if isinstance(widget, QScrollBar) or widget.objectName().startswith("qt_"):
        return True
    parent = widget.parent()
    inner = (QLineEdit, QAbstractSpinBox, QComboBox, QAbstractItemView, QTabBar)
    return isinstance(parent, inner) or type(widget).__name__ == "QHeaderView"


def controls(top):
    """Every control on a widget that can be seen."""
    return [
        w for kind in _KINDS for w in top.findChildren(kind)
        if w.isVisible() and w.window() is top.window() and not is_part_of_another(w)
    ]  # fmt: skip


def name_of(widget):
    """What a screen reader calls it."""
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)


def nameless(top):
    return [f"{type(w).__name__} {w.objectName()}" for w in controls(top) if not name_of(w).strip()]


def unreachable(top):
    """The controls that Tab does not reach."""
    return [
        f"{type(w).__name__} {name_of(w)}"
        for w in controls(top)
        if w.isEnabled() and not w.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]


# Names


def test_every_control_of_the_window_has_a_name_and_can_have_the_focus(drawn):
    assert len(controls(drawn.window)) > 20
    assert nameless(drawn.window) == []
    assert unreachable(drawn.window) == []


def test_a_message_can_be_closed_and_its_list_shown_by_keys(drawn):
    drawn.app.notifications.problem("Two failed.", ("a", "b"))
    assert nameless(drawn.window) == []
    assert unreachable(drawn.window) == []


def test_every_entry_of_every_menu_has_words(drawn):
    for menu in drawn.window.findChildren(QMenu):
        for action in menu.actions():
            assert action.isSeparator() or action.text().strip()


def openers(program):
    """The actions whose words say that they open something."""
    verbs = program.window.verbs
    return [
        row.name
        for row in verbs.keymap.rows
        if row.name in ("keys", "properties", "payoff") or (
            row.name in {a.objectName() for a in program.window.actions()}
            and verbs[row.name].text().partition("\t")[0].endswith("…")
        )
    ]  # fmt: skip


def test_every_control_of_every_dialog_has_a_name_and_can_have_the_focus(drawn, monkeypatch):
    for name in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, lambda *_: ("", ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    monkeypatch.setattr(QMessageBox, "exec", lambda *_: 0)
    drawn.app.annotator.use_model("fake")
    drawn.until(drawn.window.verbs["category_map"].isEnabled)
    seen = []
    for name in openers(drawn):
        action = drawn.window.verbs[name]
        if not action.isEnabled():
            continue
        action.trigger()
        for dialog in drawn.window.findChildren(QDialog):
            if dialog.isVisible():
                seen.append(dialog.windowTitle())
                assert nameless(dialog) == [], dialog.windowTitle()
                assert unreachable(dialog) == [], dialog.windowTitle()
                dialog.close()
    assert {"Change keys", "Keys and mouse", "Adjust display", "Export", "Import"} <= set(seen)
    assert "Category map" in seen


# The way of the focus


def tab_chain(window):
    """Every control that can be seen, in the order that Tab goes through them."""
    chain, at = [], window.nextInFocusChain()
    while at is not window:
        if at.isVisible() and at.isEnabled() and at.focusPolicy() & Qt.FocusPolicy.TabFocus:
            chain.append(at)
        at = at.nextInFocusChain()
    return chain


def test_tab_stays_in_a_panel_until_it_has_been_everywhere_there(drawn):
    window = drawn.window
    panels = [window.images, window.annotations, window.model, window.categories]
    panels += window.findChildren(QToolBar)
    where = [
        next((n for n, p in enumerate(panels) if p.isAncestorOf(w)), None)
        for w in tab_chain(window)
    ]
    visited = [n for k, n in enumerate(where) if n is not None and (not k or where[k - 1] != n)]
    assert sorted(visited) == sorted(set(visited))


def test_tab_goes_down_through_the_images_panel(drawn):
    field = drawn.window.images.filter.field
    field.setFocus()
    heights = []
    for _ in range(4):
        focus = drawn.focus()
        heights.append(focus.mapTo(drawn.window, focus.rect().center()).y())
        drawn.key(Qt.Key.Key_Tab)
    assert all(later >= sooner - 5 for sooner, later in pairwise(heights))


def test_f6_walks_through_the_panels_and_back(drawn):
    window = drawn.window
    stops = []
    for _ in range(7):
        drawn.key(Qt.Key.Key_F6)
        stops.append(drawn.focus())
    assert stops[0] is window.annotations.list
    assert stops[1] is window.model.choice
    assert stops[2] is window.categories.list
    assert window.images.list in stops
    assert stops[-1] is drawn.canvas
    back = []
    for _ in range(7):
        drawn.key(Qt.Key.Key_F6, SHIFT)
        back.append(drawn.focus())
    assert back == [*reversed(stops[:-1]), drawn.canvas]


def test_f6_leaves_out_what_is_folded_away(drawn):
    drawn.key(Qt.Key.Key_F11)
    drawn.canvas.setFocus()
    drawn.key(Qt.Key.Key_F6)
    assert drawn.focus() is drawn.canvas
    drawn.key(Qt.Key.Key_F11)


def test_tab_leaves_the_canvas_alone_and_f6_leaves_it(drawn):
    drawn.key(Qt.Key.Key_Tab)
    assert drawn.focus() is drawn.canvas
    drawn.key(Qt.Key.Key_F6)
    assert drawn.focus() is not drawn.canvas


# Working the panels


def test_images_are_chosen_and_filtered_by_keys(drawn):
    drawn.window.images.list.setFocus()
    drawn.key(Qt.Key.Key_Down)
    drawn.until(lambda: drawn.shows("b.png"))
    drawn.key("l", Qt.KeyboardModifier.ControlModifier)
    drawn.type("c.png")
    drawn.key(Qt.Key.Key_Return)
    drawn.until(lambda: drawn.shows("sub/c.png"))


def test_the_states_shown_are_chosen_by_keys(drawn):
    button = drawn.window.images.filter.states
    button.setFocus()
    opened = []

    def close():
        opened.append(QApplication.activePopupWidget())
        opened[0].close()

    # The key returns when the menu is closed again.
    QTimer.singleShot(0, close)
    drawn.key(Qt.Key.Key_Space)
    assert opened == [button.menu()]


def test_an_annotation_is_chosen_by_keys_and_the_next_with_it(drawn):
    put(drawn.session, SQUARE)
    rows = drawn.window.annotations.list
    drawn.session.select(())
    rows.setFocus()
    drawn.key(Qt.Key.Key_Home)
    drawn.key(Qt.Key.Key_Down, SHIFT)
    assert len(drawn.session.selection) == 2


def test_a_category_is_taken_by_enter(drawn):
    categories = drawn.window.categories.list
    categories.setFocus()
    drawn.key(Qt.Key.Key_Home)
    drawn.key(Qt.Key.Key_Down)
    drawn.key(Qt.Key.Key_Return)
    assert drawn.window.categories.current == drawn.session.categories[1].id
    assert drawn.annotations[0].category_id == drawn.session.categories[1].id


def test_the_menu_of_a_category_opens_by_the_key_of_menus(drawn):
    categories = drawn.window.categories.list
    categories.setFocus()
    drawn.key(Qt.Key.Key_Home)
    drawn.key(Qt.Key.Key_F10, SHIFT)
    popup = QApplication.activePopupWidget()
    assert isinstance(popup, QMenu)
    assert "Rename" in [a.text() for a in popup.actions()]
    popup.close()


def test_the_menus_open_by_alt_and_their_letter(drawn):
    drawn.key("f", ALT)
    popup = QApplication.activePopupWidget()
    assert isinstance(popup, QMenu)
    popup.close()


# What has the focus can be seen, and what has no room for words has its icon


def test_a_list_with_the_focus_looks_otherwise(drawn):
    for panel in (drawn.window.images.list, drawn.window.annotations.list):
        drawn.canvas.setFocus()
        before = panel.grab().toImage()
        panel.setFocus()
        assert panel.grab().toImage() != before


def test_bars_leave_words_away_before_they_leave_buttons_away(drawn):
    window = drawn.window
    bars = {bar.objectName(): bar for bar in window.findChildren(QToolBar)}

    def shown(name):
        buttons = [b for b in bars[name].findChildren(QToolButton) if b.defaultAction()]
        style = Qt.ToolButtonStyle.ToolButtonIconOnly
        words = sum(b.toolButtonStyle() != style for b in buttons)
        return sum(b.isVisible() for b in buttons), words, len(buttons)

    window.resize(1600, 1000)
    drawn.until(lambda: shown("tools")[1] == shown("tools")[2])
    assert shown("main")[1] == shown("main")[2]
    window.resize(960, 520)
    drawn.until(lambda: shown("tools")[1] == 0)
    for name in bars:
        drawn.until(lambda name=name: shown(name)[0] == shown(name)[2])
    assert shown("main")[1] == 2
    window.resize(1600, 1000)
    drawn.until(lambda: shown("tools")[1] == shown("tools")[2])
