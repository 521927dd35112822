"""One threshold: its name, a slider over a few values, the value, and the way back to the usual."""

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QSlider, QToolButton, QWidget

from maskstudio.ui.theme import icon

# Keys and clicks beside the handle move the slider without letting go of it: they commit once the
# hand rests.
_REST_MS = 350
_ICON, _BACK = 14, 20

Value = float | None


@dataclass(frozen=True)
class Threshold:
    """What a slider is for.

    Attributes:
        name: how the row is called.
        spoken: the same for a screen reader, where it stands alone.
        tip: what it does, in a sentence.
        stops: the values it can have, in order.
        words: says a value.
        usual: the value until somebody moves it.
    """

    name: str
    spoken: str
    tip: str
    stops: Sequence[Value]
    words: Callable[[Value], str]
    usual: Value


class FilterSlider(QObject):
    """The parts of a row; the panel lays them out.

    Signals:
        moved: it is on the way to a value.
        let_go: it has come to rest at a value.
        reset: it is to have its usual value again.
    """

    moved = Signal(object)
    let_go = Signal(object)
    reset = Signal()

    def __init__(self, threshold: Threshold, parent: QWidget) -> None:
        super().__init__(parent)
        self._threshold = threshold
        self._usual = True
        self.label = QLabel(threshold.name, parent)
        self.slider = QSlider(Qt.Orientation.Horizontal, parent)
        self.slider.setRange(0, len(threshold.stops) - 1)
        self.slider.setPageStep(max(1, len(threshold.stops) // 10))
        self.value_label = QLabel(parent)
        self.back = QToolButton(parent)
        self.back.setObjectName("small")
        self.back.setAutoRaise(True)
        self.back.setIconSize(QSize(_ICON, _ICON))
        self.back.setFixedSize(_BACK, _BACK)
        # It keeps its place: nothing moves under the hand when there is nothing to take back.
        policy = self.back.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.back.setSizePolicy(policy)
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self._commit)
        self.slider.valueChanged.connect(self._on_moved)
        self.slider.sliderReleased.connect(self._commit)
        self.slider.installEventFilter(self)
        self.back.clicked.connect(self._on_reset)
        self.renew_icon()
        self.call(threshold)

    def renew_icon(self) -> None:
        """Draw the icon, in the colours there are now."""
        self.back.setIcon(icon("restore"))

    def call(self, threshold: Threshold) -> None:
        """Be for something else of the same values."""
        self._threshold = threshold
        self.label.setText(threshold.name)
        self.slider.setAccessibleName(threshold.spoken)
        for widget in (self.label, self.slider, self.value_label):
            widget.setToolTip(threshold.tip)
        self.back.setToolTip(f"Back to the usual ({threshold.words(threshold.usual)})")
        self.back.setAccessibleName(f"{threshold.spoken}: back to the usual")

    def add_to(self, grid: QGridLayout, row: int) -> None:
        """Lay the row out, over four columns."""
        for column, widget in enumerate((self.label, self.slider, self.value_label, self.back)):
            grid.addWidget(widget, row, column)

    @property
    def height(self) -> int:
        """How high the row is."""
        widgets = (self.label, self.slider, self.value_label)
        return max(_BACK, *(widget.sizeHint().height() for widget in widgets))

    def set_shown(self, shown: bool) -> None:
        """Show the row or hide it."""
        self._rest.stop()
        for widget in (self.label, self.slider, self.value_label):
            widget.setVisible(shown)
        self.back.setVisible(shown and not self._usual)

    @property
    def value(self) -> Value:
        """Where it stands."""
        return self._threshold.stops[self.slider.value()]

    def show_value(self, value: Value, *, usual: bool) -> None:
        """Stand at a value, or the nearest there is; nothing is said of it.

        Args:
            value: the value.
            usual: there is nothing to go back from.
        """
        self._rest.stop()
        blocked = self.slider.blockSignals(True)
        self.slider.setValue(nearest(self._threshold.stops, value))
        self.slider.blockSignals(blocked)
        self._usual = usual
        self.back.setVisible(not usual and not self.slider.isHidden())
        self._say()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Go back to the usual value on a double-click."""
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self._on_reset()
            return True
        return super().eventFilter(watched, event)

    def _on_moved(self) -> None:
        self._say()
        self.moved.emit(self.value)
        if not self.slider.isSliderDown():
            self._rest.start()

    def _commit(self) -> None:
        self._rest.stop()
        self.let_go.emit(self.value)

    def _on_reset(self) -> None:
        self._rest.stop()
        self.reset.emit()

    def _say(self) -> None:
        words = self._threshold.words(self.value)
        self.value_label.setText(words)
        self.slider.setAccessibleDescription(words)


def nearest(stops: Sequence[Value], value: Value) -> int:
    """Return the position of the stop nearest to a value; None is beyond all numbers.

    Args:
        stops: ascending; None may be the last.
        value: any number, or None.
    """
    if value is None:
        return len(stops) - 1
    numbers = [stop for stop in stops if stop is not None]
    above = bisect.bisect_left(numbers, value)
    beside = range(max(0, above - 1), min(above + 1, len(numbers)))
    return min(beside, key=lambda n: abs(numbers[n] - value))
