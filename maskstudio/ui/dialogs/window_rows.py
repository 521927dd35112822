"""Which values of an image of more than 8 bits are shown between black and white."""

import math
from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from maskstudio.storage.stored_values import StoredValues, Window
from maskstudio.ui.canvas.canvas import Canvas
from maskstudio.ui.labels import faint

_WORDS = {"low": "Black at", "high": "White at"}
_FURTHEST = 1e15  # a float keeps the difference of whole numbers up to here
_MOST_DECIMALS = 12
# An arrow key takes a slider this part of the way through the image's own values.
_STEPS = 256
_SLIDER_WIDTH = 160


class WindowRows(QWidget):
    """Two sliders and two fields in the image's own units; hidden where 8 bits are all it has."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__()
        self._canvas = canvas
        self._sliders: dict[str, QSlider] = {}
        self._fields: dict[str, QDoubleSpinBox] = {}
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        for row, (end, words) in enumerate(_WORDS.items()):
            self._add_row(grid, row, end, words)
        self._extent = faint("")
        self._extent.setWordWrap(False)
        widest = self.fontMetrics().horizontalAdvance("Level 00000.000, width 00000.000")
        self._extent.setMinimumWidth(widest)
        self._automatic = _button("Auto", "Black and white at the ends of what is in each image")
        self._automatic.clicked.connect(lambda: self._set(None))
        self._full = _button("Full range", "Black and white at the ends of all that is in this one")
        self._full.clicked.connect(self._set_full)
        foot = QHBoxLayout()
        foot.addWidget(self._extent, 1)
        foot.addWidget(self._automatic)
        foot.addWidget(self._full)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(grid)
        column.addLayout(foot)

    def renew(self) -> None:
        """Show the window of the image on the canvas."""
        image = self._canvas.deep_image
        self.setVisible(image is not None)
        if image is None:
            return
        values, chosen = image.values, self._canvas.adjustment.window
        window = chosen or values.automatic
        for end in _WORDS:
            value: float = getattr(window, end)
            _show_on_slider(self._sliders[end], values, value)
            _show_in_field(self._fields[end], values, value)
        level, width = values.text((window.low + window.high) / 2), window.high - window.low
        self._extent.setText(f"Level {level}, width {values.text(width)}")
        self._automatic.setEnabled(chosen is not None)
        self._full.setEnabled(window != values.full)

    def _add_row(self, grid: QGridLayout, row: int, end: str, words: str) -> None:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setAccessibleName(words)
        slider.setMinimumWidth(_SLIDER_WIDTH)
        slider.valueChanged.connect(lambda level: self._move_to_level(end, level))
        field = QDoubleSpinBox()
        field.setAccessibleName(f"{words}, value")
        # A number that is half typed is none yet.
        field.setKeyboardTracking(False)
        field.setRange(-_FURTHEST, _FURTHEST)
        field.setFixedWidth(field.fontMetrics().horizontalAdvance("-00000.00000000"))
        field.valueChanged.connect(lambda value: self._move(end, value))
        for place, widget in enumerate((QLabel(words), slider, field)):
            grid.addWidget(widget, row, place)
        self._sliders[end], self._fields[end] = slider, field

    def _move_to_level(self, end: str, level: int) -> None:
        image = self._canvas.deep_image
        if image is not None:
            self._move(end, image.values.value(level))

    def _move(self, end: str, value: float) -> None:
        """Move one end; it takes the other along rather than pass it."""
        image = self._canvas.deep_image
        if image is None:
            return
        window = self._canvas.adjustment.window or image.values.automatic
        moved = Window(value, max(value, window.high))
        if end == "high":
            moved = Window(min(value, window.low), value)
        self._set(moved)

    def _set_full(self) -> None:
        image = self._canvas.deep_image
        if image is not None:
            self._set(image.values.full)

    def _set(self, window: Window | None) -> None:
        self._canvas.set_adjustment(replace(self._canvas.adjustment, window=window))


def _button(words: str, tip: str) -> QPushButton:
    button = QPushButton(words)
    button.setToolTip(tip)
    # Enter ends what is typed into a field; it must not press a button as well.
    button.setAutoDefault(False)
    return button


def _show_on_slider(slider: QSlider, values: StoredValues, value: float) -> None:
    first, last = values.level(values.full.low), values.level(values.full.high)
    with QSignalBlocker(slider):
        slider.setRange(first, last)
        slider.setSingleStep(max(1, (last - first) // _STEPS))
        slider.setPageStep(max(1, (last - first) // 16))
        slider.setValue(values.level(value))


def _show_in_field(field: QDoubleSpinBox, values: StoredValues, value: float) -> None:
    decimals = 0 if values.whole else math.ceil(-math.log10(values.step))
    with QSignalBlocker(field):
        field.setDecimals(min(max(decimals, 0), _MOST_DECIMALS))
        field.setSingleStep(values.step if values.whole else values.step * _STEPS)
        field.setValue(value)
