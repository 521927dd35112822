"""Sliders for how bright the image is shown; the window stays usable beside them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from maskstudio.ui.canvas.adjustment import LIMIT, Adjustment
from maskstudio.ui.canvas.canvas import Canvas
from maskstudio.ui.dialogs.tool_window import ToolWindow
from maskstudio.ui.dialogs.window_rows import WindowRows
from maskstudio.ui.labels import faint

_SLIDER_WIDTH = 220
_WORDS: dict[str, Callable[[Adjustment], str]] = {
    "brightness": lambda adjustment: f"{adjustment.brightness:+d}",
    "contrast": lambda adjustment: f"{adjustment.contrast:+d}",
    "gamma": lambda adjustment: f"{adjustment.gamma_exponent:.2f}",
}


class AdjustDialog(ToolWindow):
    """Brightness, contrast and gamma of the canvas, the window of deep images, and a way back."""

    def __init__(self, canvas: Canvas, parent: QWidget) -> None:
        super().__init__("Adjust display", parent)
        self._canvas = canvas
        self._sliders: dict[str, QSlider] = {}
        self._values: dict[str, QLabel] = {}
        grid = QGridLayout()
        for row, name in enumerate(_WORDS):
            self._add_row(grid, row, name)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Reset | QDialogButtonBox.StandardButton.Close
        )
        self._reset = buttons.button(QDialogButtonBox.StandardButton.Reset)
        self._reset.clicked.connect(lambda: canvas.set_adjustment(Adjustment()))
        buttons.rejected.connect(self.reject)
        for button in buttons.findChildren(QPushButton):
            # Enter ends what is typed into a field; it must not reset the display as well.
            button.setAutoDefault(False)
        self._window = WindowRows(canvas)
        column = QVBoxLayout(self)
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        column.addWidget(self._window)
        column.addLayout(grid)
        column.addWidget(faint("Only what you see; files and the model's input stay as they are."))
        column.addWidget(buttons)
        canvas.adjusted.connect(self._show)
        self._show()

    def _add_row(self, grid: QGridLayout, row: int, name: str) -> None:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(-LIMIT, LIMIT)
        slider.setMinimumWidth(_SLIDER_WIDTH)
        slider.setAccessibleName(name.capitalize())
        slider.valueChanged.connect(lambda value: self._change(name, value))
        label = QLabel(name.capitalize())
        value = QLabel()
        value.setAlignment(Qt.AlignmentFlag.AlignRight)
        value.setMinimumWidth(value.fontMetrics().horizontalAdvance("+000"))
        for place, widget in enumerate((label, slider, value)):
            grid.addWidget(widget, row, place)
        self._sliders[name], self._values[name] = slider, value

    def _change(self, name: str, value: int) -> None:
        changed: dict[str, Any] = {name: value}
        self._canvas.set_adjustment(replace(self._canvas.adjustment, **changed))

    def _show(self) -> None:
        adjustment = self._canvas.adjustment
        for name, words in _WORDS.items():
            slider = self._sliders[name]
            with QSignalBlocker(slider):
                slider.setValue(getattr(adjustment, name))
            self._values[name].setText(words(adjustment))
        self._reset.setEnabled(not adjustment.neutral)
        self._window.renew()


def show_adjust(canvas: Canvas, parent: QWidget) -> None:
    """Open the sliders at the canvas's corner, or bring them back to the front."""
    dialog = parent.findChild(AdjustDialog)
    if dialog is None:
        dialog = AdjustDialog(canvas, parent)
        dialog.show_at(canvas)
    dialog.activateWindow()
