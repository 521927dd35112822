"""The curves of a training run."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from maskstudio.session.training_course import TrainingCourse
from maskstudio.ui.charts import Chart
from maskstudio.ui.dialogs.training_words import figures

_MOST_POINTS = 600  # more than the pixels across
_DOT = 5
_SMOOTHED_OVER = 25  # bins of that many


class TrainingCharts(QWidget):
    """Loss and learning rate at the left, precision on validation images at the right."""

    def __init__(self) -> None:
        super().__init__()
        self.loss = Chart("Loss", "loss", "")
        self.rate = Chart("Learning rate", "rate", "step")
        self.precision = Chart("Precision on validation images", "AP", "step")
        self._every = self.loss.line("", "line", 1)
        self._smooth = self.loss.line("loss", "accent")
        self._rate = self.rate.line("", "edited")
        self._mask = self.precision.line("mask AP", "accent")
        self._mask50 = self.precision.line("mask AP50", "good", style=Qt.PenStyle.DashLine)
        self._box = self.precision.line("box AP", "edited")
        for item in (self._mask, self._mask50, self._box):
            # The first measurement is a point, and no line yet.
            item.setSymbol("o")
            item.setSymbolSize(_DOT)
        self.precision.setYRange(0, 1, padding=0.04)
        self.rate.setXLink(self.loss)
        for chart in (self.loss, self.rate, self.precision):
            chart.getAxis("left").setWidth(58)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(self.loss, 0, 0)
        grid.addWidget(self.rate, 1, 0)
        grid.addWidget(self.precision, 0, 1, 2, 1)
        grid.setRowStretch(0, 3)
        grid.setRowStretch(1, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)

    def show_course(self, course: TrainingCourse) -> None:
        """Draw a run as it is now."""
        steps = np.array(course.iterations, np.float64)
        losses = np.array(course.losses, np.float64)
        at, thinned = thin(steps, losses)
        self._every.setData(at, thinned)
        self._smooth.setData(at, smoothed(thinned))
        self._rate.setData(*thin(steps, np.array(course.rates, np.float64)))
        self.rate.setYRange(0, max(course.rates, default=0.0) or 1.0)
        for chart in (self.loss, self.precision):
            chart.setXRange(0, max(1, course.total), padding=0.02)
        masks = [(v.iteration, v.mask) for v in course.validations]
        self._mask.setData(*_curve(masks, "AP"))
        self._mask50.setData(*_curve(masks, "AP50"))
        self._box.setData(*_curve([(v.iteration, v.box) for v in course.validations], "AP"))
        self._tell(course)

    def _tell(self, course: TrainingCourse) -> None:
        """Say for those who hear the window what the curves come to."""
        if course.step is not None:
            step = course.step
            self.loss.setAccessibleDescription(f"{step.loss:.3f} at step {step.iteration}")
            self.rate.setAccessibleDescription(f"{step.learning_rate:.2g}")
        last = course.validations[-1] if course.validations else None
        self.precision.setAccessibleDescription(figures(last))


def thin(
    steps: NDArray[np.float64], values: NDArray[np.float64], most: int = _MOST_POINTS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return means of neighbours, so that there are at most so many points.

    Args:
        steps: (n,), ascending.
        values: (n,).
        most: points.
    """
    together = math.ceil(len(steps) / most)
    if together <= 1:
        return steps, values
    starts = np.arange(0, len(steps), together)
    counts = np.diff(np.append(starts, len(steps)))
    return np.add.reduceat(steps, starts) / counts, np.add.reduceat(values, starts) / counts


def smoothed(values: NDArray[np.float64], over: int = _SMOOTHED_OVER) -> NDArray[np.float64]:
    """Return the running mean of (n,) values, each over itself and those around it.

    At the ends it is over what there is.
    """
    if len(values) < 3:
        return values
    kernel = np.ones(min(over, len(values)))
    counts = np.convolve(np.ones_like(values), kernel, "same")
    return np.asarray(np.convolve(values, kernel, "same") / counts, np.float64)


def _curve(
    measured: Sequence[tuple[int, Mapping[str, float] | None]], name: str
) -> tuple[list[int], list[float]]:
    """Return the steps at which a figure is known, and the figure."""
    known = [
        (iteration, found[name])
        for iteration, found in measured
        if found is not None and math.isfinite(found.get(name, math.nan))
    ]
    return [iteration for iteration, _ in known], [value for _, value in known]
