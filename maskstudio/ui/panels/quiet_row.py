"""A faint line that is there while there is something to say, and what can be done about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QWidget

from maskstudio.ui.labels import faint


@dataclass(frozen=True)
class RowNames:
    """What the parts of a row are called.

    Attributes:
        line: the line, for screen readers.
        button: what stands on the button.
        choice: the button, for screen readers.
        tip: what the button is for.
    """

    line: str
    button: str
    choice: str
    tip: str


class QuietRow(QWidget):
    """The line and a button with choices; nothing of it is made before it is first seen."""

    def __init__(self, names: RowNames, choices: Sequence[QAction]) -> None:
        """Say nothing yet.

        Args:
            names: what its parts are called.
            choices: what the button offers.
        """
        super().__init__()
        self._names = names
        self._choices = choices
        self._line: QLabel | None = None
        self.hide()

    @property
    def text(self) -> str:
        """What is said; empty while there is nothing to say."""
        return "" if self._line is None or self.isHidden() else self._line.text()

    def say(self, words: str, tip: str = "") -> None:
        """Show words, with more in a tip; hide the row where there are none."""
        self.setVisible(bool(words))
        if words:
            line = self._made()
            line.setText(words)
            line.setToolTip(tip)

    def _made(self) -> QLabel:
        if self._line is None:
            self._line = faint()
            self._line.setAccessibleName(self._names.line)
            menu = QMenu(self)
            menu.addActions(self._choices)
            button = QToolButton()
            button.setText(self._names.button)
            button.setAccessibleName(self._names.choice)
            button.setToolTip(self._names.tip)
            button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
            button.setMenu(menu)
            row = QHBoxLayout(self)
            row.setContentsMargins(0, 0, 0, 0)
            row.addWidget(self._line, 1)
            row.addWidget(button)
        return self._line
