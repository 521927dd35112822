"""What a large image will take, said before the model looks at it, and the choice of less."""

from collections.abc import Sequence

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QWidget

from maskstudio.annotation.tiling import MANY_TILES, TileEstimate
from maskstudio.session.preannotation import PreAnnotator
from maskstudio.ui.labels import faint
from maskstudio.ui.panels.run_progress import duration


class TilesRow(QWidget):
    """Seen while the current image is one of many tiles; nothing of it is made before."""

    def __init__(self, annotator: PreAnnotator, choices: Sequence[QAction]) -> None:
        """Say nothing yet.

        Args:
            annotator: knows what it will take.
            choices: when to look in tiles.
        """
        super().__init__()
        self._annotator = annotator
        self._choices = choices
        self._line: QLabel | None = None
        self.hide()
        annotator.tiles.changed.connect(self._renew)
        annotator.device.changed.connect(self._on_device)
        annotator.running_changed.connect(self._renew)

    @property
    def text(self) -> str:
        """What is said; empty while there is nothing to say."""
        return "" if self._line is None or self.isHidden() else self._line.text()

    def _on_device(self) -> None:
        # In a run the line below tells how much is left.
        if not self._annotator.running:
            self._renew()

    def _renew(self) -> None:
        size, words = self._annotator.tiles.size, ""
        if size is not None:
            shown = f"{size[1]:,} by {size[0]:,}"
            words = _words(shown, self._annotator.estimate(), self._annotator.possible_tiles)
        self.setVisible(bool(words))
        if words:
            self._made().setText(words)

    def _made(self) -> QLabel:
        if self._line is None:
            self._line = faint()
            self._line.setAccessibleName("What this image will take")
            menu = QMenu(self)
            menu.addActions(self._choices)
            button = QToolButton()
            button.setText("Tiles")
            button.setAccessibleName("When to look in tiles")
            button.setToolTip("Choose whether large images are looked at in tiles")
            button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
            button.setMenu(menu)
            row = QHBoxLayout(self)
            row.setContentsMargins(0, 0, 0, 0)
            row.addWidget(self._line, 1)
            row.addWidget(button)
        return self._line


def _words(size: str, planned: TileEstimate | None, possible: int) -> str:
    if planned is None:
        missed = possible >= MANY_TILES
        return f"{size}, looked at whole: what is small may be missed" if missed else ""
    if planned.tiles < MANY_TILES:
        return ""
    time = "" if planned.seconds is None else f", about {duration(planned.seconds)}"
    if planned.certain:
        return f"{size}: {planned.tiles:,} tiles{time}"
    return f"{size}: up to {planned.tiles:,} tiles{time}, if what it finds is small"
