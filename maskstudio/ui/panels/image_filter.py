"""The controls over the list of images: which are shown, and in which order."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.edits import Edit
from maskstudio.session.image_order import ImageQuery, SortKey
from maskstudio.session.session import Session
from maskstudio.ui.panels.content_filter import (
    ContentFilter,
    content_words,
    with_known_categories,
)
from maskstudio.ui.theme import STATE_WORDS, icon, state_icon

_SORT_WORDS = {
    SortKey.NAME: "Name",
    SortKey.STATE: "State",
    SortKey.COUNT: "Number of annotations",
    SortKey.CATEGORIES: "Number of categories",
    SortKey.SCORE: "Lowest score",
    SortKey.TEACHING: "What teaches most",
}


class SearchField(QLineEdit):
    """A field that Esc empties, and leaves when it is empty.

    Signals:
        done: the person is through with the field.
    """

    done = Signal()

    def event(self, event: QEvent) -> bool:
        """Keep Esc from the window's own shortcut."""
        if event.type() == QEvent.Type.ShortcutOverride and _is_escape(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc empties or leaves; Enter and Down leave."""
        if _is_escape(event) and self.text():
            self.clear()
        elif _is_escape(event) or event.key() in (
            Qt.Key.Key_Return,
            Qt.Key.Key_Enter,
            Qt.Key.Key_Down,
        ):
            self.done.emit()
        else:
            super().keyPressEvent(event)


class ChoiceMenu(QMenu):
    """A menu that stays open while the mouse turns its entries on and off."""

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Turn the entry; a click elsewhere closes the menu as ever."""
        action = self.activeAction()
        if action is not None and action.isCheckable() and action.isEnabled():
            action.trigger()
            event.accept()
        else:
            super().mouseReleaseEvent(event)


class ImageFilter(QWidget):
    """A field for a part of the name, buttons for the states, for the order, and for the rest.

    Signals:
        left: the person is through with the field; the keys belong to the list.
    """

    left = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.field = SearchField()
        self.field.setPlaceholderText("Find an image…")
        self.field.setClearButtonEnabled(True)
        self.field.setAccessibleName("Find an image")
        self.states = _menu_button("States shown", ChoiceMenu())
        self.sorting = _menu_button("Order of the list", QMenu())
        self.content = QToolButton()
        self.content.setAccessibleName("Images by what stands on them")
        self._popup = ContentFilter(session, self._ask, self)
        self.content.clicked.connect(lambda: self._popup.open_under(self.field))
        self._fill_states()
        self._fill_sorting()
        first = QHBoxLayout()
        first.setSpacing(4)
        first.addWidget(self.field, 1)
        first.addWidget(self.content)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for button in (self.states, self.sorting):
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 0, 8, 0)
        column.setSpacing(4)
        column.addLayout(first)
        column.addLayout(buttons)
        self.field.textChanged.connect(lambda text: self._ask(text=text.strip()))
        self.field.done.connect(self.left)
        session.opened.connect(self._on_opened)
        session.edited.connect(self._on_edited)
        session.order.renewed.connect(self._show_query)
        self._show_query()

    def changeEvent(self, event: QEvent) -> None:
        """Draw the sign again where the theme is another one."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._show_content()

    def _fill_states(self) -> None:
        menu = self.states.menu()
        self._all = menu.addAction("All states")
        self._all.setCheckable(True)
        self._all.triggered.connect(lambda: self._ask(states=frozenset()))
        menu.addSeparator()
        self._of_state: dict[ImageState, QAction] = {}
        for state in ImageState:
            action = menu.addAction(STATE_WORDS[state])
            action.setCheckable(True)
            action.triggered.connect(lambda *_, state=state: self._turn(state))
            self._of_state[state] = action
        # Without icons until it is opened: they take their time, and the theme may change.
        menu.aboutToShow.connect(self._renew_icons)

    def _fill_sorting(self) -> None:
        menu = self.sorting.menu()
        self._of_key: dict[SortKey, QAction] = {}
        for key in SortKey:
            action = menu.addAction(_SORT_WORDS[key])
            action.triggered.connect(lambda *_, key=key: self._ask(sort=key))
            self._of_key[key] = action
        menu.addSeparator()
        self._of_direction: dict[bool, QAction] = {}
        for descending, words in ((False, "Ascending"), (True, "Descending")):
            action = menu.addAction(words)
            action.triggered.connect(lambda *_, down=descending: self._ask(descending=down))
            self._of_direction[descending] = action
        _exclusive(self._of_key.values(), self)
        _exclusive(self._of_direction.values(), self)

    def _renew_icons(self) -> None:
        for state, action in self._of_state.items():
            action.setIcon(state_icon(state))

    def _turn(self, state: ImageState) -> None:
        self._ask(states=self._session.order.query.states ^ {state})

    def _ask(self, **changed: Any) -> None:
        order = self._session.order
        order.ask(replace(order.query, **changed))
        self._show_query()

    def _on_opened(self) -> None:
        self.field.setText(self._session.order.query.text)
        self._show_query()

    def _on_edited(self, edit: Edit) -> None:
        if edit.categories:
            order = self._session.order
            order.ask(with_known_categories(order.query, self._session))
            self._show_content()

    def _show_content(self) -> None:
        """Show by the sign and its tip whether images are left out for what stands on them."""
        words = content_words(self._session.order.query, self._session)
        self.content.setIcon(icon("filter" if words else "filter-outline"))
        self.content.setToolTip(f"Images {words}" if words else "Images by category, score, number")

    def _show_query(self) -> None:
        query = self._session.order.query
        self._show_content()
        self._all.setChecked(not query.states)
        for state, action in self._of_state.items():
            action.setChecked(state in query.states)
        self._of_key[query.sort].setChecked(True)
        self._of_direction[query.descending].setChecked(True)
        self.states.setText(_states_words(query))
        self.sorting.setText(f"{query.sort.capitalize()} {'↓' if query.descending else '↑'}")


def _states_words(query: ImageQuery) -> str:
    chosen = [state.value for state in ImageState if state in query.states]
    if len(chosen) > 1:
        return f"{len(chosen)} states"
    return chosen[0] if chosen else "All states"


def _menu_button(name: str, menu: QMenu) -> QToolButton:
    button = QToolButton()
    button.setAccessibleName(name)
    button.setToolTip(name)
    menu.setParent(button, menu.windowFlags())
    button.setMenu(menu)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    # The words on it must not decide how wide the panel is.
    button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return button


def _exclusive(actions: Iterable[QAction], parent: QObject) -> None:
    group = QActionGroup(parent)
    for action in actions:
        action.setCheckable(True)
        group.addAction(action)


def _is_escape(event: QEvent) -> bool:
    return isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape
