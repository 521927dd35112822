"""The charts of the page «Does it pay?»: bars a day, bars a model, and the curve of learning."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import pyqtgraph as pg
from PySide6.QtCore import QEvent

from maskstudio.annotation.effort import Effort
from maskstudio.annotation.learning_curve import WINDOW, CurvePoint
from maskstudio.annotation.payoff import Outcome, Tally
from maskstudio.session.payoff_report import Row
from maskstudio.ui.charts import Chart
from maskstudio.ui.theme import colours_now

WORDS = {
    Outcome.ACCEPTED: "accepted",
    Outcome.ADJUSTED: "adjusted",
    Outcome.BOXED: "added by a box",
    Outcome.DRAWN: "added by hand",
    Outcome.DELETED: "deleted",
}
"""What the key of the chart calls each outcome, from the foot of a bar to its head."""

_COLOURS = {
    Outcome.ACCEPTED: "good",
    Outcome.ADJUSTED: "edited",
    Outcome.BOXED: "predicted",
    Outcome.DRAWN: "waiting",
    Outcome.DELETED: "bad",
}
_BAR = 0.8
_LEAST_PLACES = 7  # or a single day would be a wall
_MOST_TICKS = 8
_MOST_EDGED = 60  # beyond, a bar would be all edge
_AXIS = 56
_HEADROOM = 1.25  # for the key


class _Bars(Chart):
    """A chart of bars that keep the colours of the theme."""

    # The palette changes before there are any; see `Chart`.
    _has_bars = False
    _edged = True

    def __init__(self, name: str, left: str) -> None:
        super().__init__(name, left, "")
        self._bars: list[tuple[pg.BarGraphItem, str]] = []
        # Or charts one below the other would not begin at the same place.
        self.getAxis("left").setWidth(_AXIS)
        self.getAxis("bottom").setStyle(tickLength=0)
        self._has_bars = True

    def changeEvent(self, event: QEvent) -> None:
        """Take up the colours of another theme."""
        super().changeEvent(event)
        if self._has_bars and event.type() == QEvent.Type.PaletteChange:
            self._paint()

    def add_bars(self, colour: str, name: str | None = None) -> pg.BarGraphItem:
        """Add bars of one of the theme's colours; give them numbers with `setOpts`."""
        bars = pg.BarGraphItem(x=[], height=[], width=_BAR, name=name)
        self.addItem(bars)
        self._bars.append((bars, colour))
        self._paint()
        return bars

    def name_places(self, names: Sequence[str]) -> None:
        """Write names under the places from 0 on, as many as there is room for."""
        step = -(-len(names) // _MOST_TICKS)
        ticks = [(place, name) for place, name in enumerate(names) if place % step == 0]
        self.getAxis("bottom").setTicks([ticks])
        self._edged = len(names) <= _MOST_EDGED
        self._paint()
        half = max(len(names), _LEAST_PLACES) / 2
        middle = (len(names) - 1) / 2
        self.setXRange(middle - half, middle + half, padding=0.02)

    def fit(self, highest: float) -> None:
        """Leave room for bars of this height."""
        self.setYRange(0, max(highest, 1e-9) * _HEADROOM, padding=0)

    def _paint(self) -> None:
        colours = colours_now()
        for bars, colour in self._bars:
            brush = getattr(colours, colour)
            bars.setOpts(brush=brush, pen=pg.mkPen(colours.base if self._edged else brush))


class DayChart(_Bars):
    """How many objects had which outcome, day by day."""

    def __init__(self) -> None:
        super().__init__("Objects a day by what became of them", "objects")
        self.key.setColumnCount(len(WORDS))
        self._of = {one: self.add_bars(_COLOURS[one], words) for one, words in WORDS.items()}

    def show_days(self, days: Mapping[date, Tally]) -> None:
        """Show the figures of days."""
        shown = _all_days(days)
        heights = [0] * len(shown)
        for outcome, bars in self._of.items():
            counts = [days.get(day, Tally()).of(outcome) for day in shown]
            bars.setOpts(x=list(range(len(shown))), y0=list(heights), height=counts)
            heights = [below + count for below, count in zip(heights, counts, strict=True)]
        self.name_places([_short(day) for day in shown])
        self.fit(max(heights, default=0))


class SecondsChart(_Bars):
    """Seconds an object, by day or by model."""

    def __init__(self, by: str) -> None:
        super().__init__(f"Seconds an object by {by}", "seconds an object")
        self._seconds = self.add_bars("accent")

    def show_days(self, days: Mapping[date, Tally]) -> None:
        """Show the figures of days."""
        shown = _all_days(days)
        self._show([(_short(day), days.get(day, Tally())) for day in shown])

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show the figures of the rows of a table that have objects."""
        self._show([(row.name, row.tally) for row in rows if row.tally.objects])

    def _show(self, named: Sequence[tuple[str, Tally]]) -> None:
        heights = [tally.seconds_per_object or 0.0 for _, tally in named]
        self._seconds.setOpts(x=list(range(len(named))), y0=0, height=heights)
        self.name_places([name for name, _ in named])
        self.fit(max(heights, default=0))


class LearningChart(Chart):
    """What two models left to do, over the images in the order they were verified in."""

    def __init__(self) -> None:
        super().__init__(
            "Gestures an object by the images verified",
            f"gestures an object (of the last {WINDOW} images)",
            "images verified",
        )
        self._start = self.line("the model you started with", "waiting")
        self._learned = self.line("with what it has learned", "accent")

    def show_points(self, points: Sequence[CurvePoint]) -> None:
        """Show the curve of one model that the person started with; the oldest first."""
        numbered = list(enumerate(points, 1))
        learned = [(number, one.learned) for number, one in numbered if one.learned is not None]
        start, then = _running([(number, one.start) for number, one in numbered]), _running(learned)
        self._start.setData(*start)
        self._learned.setData(*then)
        self.setXRange(0, max(len(points), WINDOW), padding=0.02)
        heights = [*start[1], *then[1]]
        self.setYRange(0, max(heights, default=1.0) * _HEADROOM, padding=0)


def _running(efforts: Sequence[tuple[int, Effort]]) -> tuple[list[int], list[float]]:
    """Return the number of an image, and gestures an object over it and those shortly before."""
    places, heights = [], []
    for end in range(1, len(efforts) + 1):
        together = sum((effort for _, effort in efforts[max(0, end - WINDOW) : end]), Effort())
        if together.objects:
            places.append(efforts[end - 1][0])
            heights.append(together.per_object)
    return places, heights


def _all_days(days: Mapping[date, Tally]) -> list[date]:
    """Return every day from the first to the last that has figures."""
    if not days:
        return []
    first, last = min(days), max(days)
    return [first + timedelta(n) for n in range((last - first).days + 1)]


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"
