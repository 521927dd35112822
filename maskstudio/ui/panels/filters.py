"""What of a model's detections is shown: the score always at hand, the rest behind a fold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.later import np
from maskstudio.session.detection_filtering import DetectionFiltering
from maskstudio.ui.labels import faint
from maskstudio.ui.panels.filter_slider import FilterSlider, Threshold, Value
from maskstudio.ui.theme import icon

_USUAL = DetectionFilter()
_SCORES = tuple(n / 100 for n in range(5, 100))
_SQUARES = (
    0, 4, 9, 16, 25, 36, 50, 75, 100, 150, 200, 300, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000,
    7_500, 10_000, 20_000, 50_000, 100_000,
)  # fmt: skip
_COUNTS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200, 300, 500, 750, 1_000, None)
_NAME_WIDTH = 90
_FOLD_INSET = 6
# So many rows of categories are seen at once; the rest is scrolled to.
_ROWS = 4


def _share(value: Value) -> str:
    return "" if value is None else f"{value:.2f}"


def _area(value: Value) -> str:
    return f"{value or 0:,.0f} px²"


def _count(value: Value) -> str:
    return "all" if value is None else f"{value:,.0f}"


@dataclass(frozen=True)
class _Row:
    """A threshold, the field of the filter it is, and what undoing it is called."""

    field: str
    title: str
    threshold: Threshold


_SCORE = _Row(
    "min_score",
    "Move score threshold",
    Threshold("Score from", "Lowest score shown", "Detections below this score are not shown",
              _SCORES, _share, _USUAL.min_score),
)  # fmt: skip
_MORE = (
    _Row(
        "nms_iou",
        "Move overlap threshold",
        Threshold("Overlap to", "Largest overlap of two of one category",
                  "Of two boxes of one category that overlap by more than this (intersection over "
                  "union), only the better is shown; the model itself lets half pass",
                  tuple(n / 100 for n in range(5, 96, 5)), _share, _USUAL.nms_iou),
    ),
    _Row(
        "min_area",
        "Move smallest area",
        Threshold("Area from", "Smallest area shown",
                  "Instances of fewer square pixels are not shown", _SQUARES, _area,
                  _USUAL.min_area),
    ),
    _Row(
        "max_count",
        "Move largest number",
        Threshold("At most", "Largest number shown", "Only so many are shown, the best ones",
                  _COUNTS, _count, _USUAL.max_count),
    ),
    _Row(
        "mask_threshold",
        "Move mask threshold",
        Threshold("Mask from", "Probability from which a pixel is inside",
                  "A pixel belongs to an instance from this probability on: to the left outlines "
                  "grow, to the right they shrink",
                  tuple(n / 100 for n in range(5, 96, 5)), _share, _USUAL.mask_threshold),
    ),
)  # fmt: skip


class FiltersPanel(QWidget):
    """The sliders that filter what was kept of the current image.

    Attributes:
        score: the slider that is always there.
        fold: unfolds the others; it is remembered by whoever keeps the settings.
        more: the others, by the field of the filter they set; empty until they are unfolded.
    """

    def __init__(self, filtering: DetectionFiltering) -> None:
        super().__init__()
        self._filter = filtering
        self.score = FilterSlider(_SCORE.threshold, self)
        self.more: dict[str, FilterSlider] = {}
        self._categories: _CategoryScores | None = None
        self._said = faint()
        self._said.setToolTip("Of what the model found at any score; no slider needs a new run")
        self.fold = QPushButton("More filters")
        self.fold.setObjectName("fold")
        self.fold.setCheckable(True)
        self.fold.setToolTip("Overlap, area, number, mask, and a score for each category")
        self.fold.toggled.connect(self._on_folded)
        self._area = QWidget()
        self._area.hide()
        grid = QGridLayout()
        _narrow(grid)
        self.score.add_to(grid, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(grid)
        column.addWidget(self._said)
        beside = QHBoxLayout()
        # Its arrow stands where that of other folds does.
        beside.setContentsMargins(-_FOLD_INSET, 0, 0, 0)
        beside.addWidget(self.fold)
        column.addLayout(beside)
        column.addWidget(self._area)
        self._connect(self.score, _SCORE)
        filtering.changed.connect(self._show)
        self._on_folded()
        self._show()

    @property
    def categories(self) -> dict[str, FilterSlider]:
        """The sliders of the model's categories that were found here, by their names."""
        return {} if self._categories is None else self._categories.rows

    def enterEvent(self, event: QEnterEvent) -> None:
        """Get ready: a slider is about to move."""
        super().enterEvent(event)
        self._filter.get_ready()

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icon again when the theme is another one."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._on_folded()
            for slider in self.findChildren(FilterSlider):
                slider.renew_icon()

    def _on_folded(self) -> None:
        unfolded = self.fold.isChecked()
        self.fold.setIcon(icon("chevron-down" if unfolded else "chevron-right"))
        if unfolded and not self.more:
            self._build_more()
        self._area.setVisible(unfolded)
        self._show()

    def _build_more(self) -> None:
        column = QVBoxLayout(self._area)
        column.setContentsMargins(0, 0, 0, 0)
        grid = QGridLayout()
        _narrow(grid)
        for number, row in enumerate(_MORE):
            self.more[row.field] = FilterSlider(row.threshold, self._area)
            self.more[row.field].add_to(grid, number)
            self._connect(self.more[row.field], row)
        self._categories = _CategoryScores(self._filter)
        column.addLayout(grid)
        column.addWidget(self._categories)

    def _connect(self, slider: FilterSlider, row: _Row) -> None:
        def wanted(value: Value) -> DetectionFilter:
            changes: dict[str, Any] = {row.field: value}
            return replace(self._filter.shown, **changes)

        _connect(slider, self._filter, wanted, row.title, row.threshold.usual)

    def _show(self) -> None:
        shown = self._filter.shown
        for row in (_SCORE, *_MORE):
            slider = self.score if row is _SCORE else self.more.get(row.field)
            if slider is not None:
                value: Any = getattr(shown, row.field)
                slider.show_value(value, usual=value == row.threshold.usual)
        if self._categories is not None and self.fold.isChecked():
            self._categories.show_scores()
        detections = self._filter.detections
        self._said.setText(
            "Nothing kept: counts for the next run"
            if detections is None
            else f"{len(detections):,} detections kept"
        )


class _CategoryScores(QScrollArea):
    """A slider for each of the model's categories that was found on the image, most of it first.

    Attributes:
        rows: those that can be seen, by the category's name.
    """

    def __init__(self, filtering: DetectionFiltering) -> None:
        super().__init__()
        self._filter = filtering
        self.rows: dict[str, FilterSlider] = {}
        self._made: list[FilterSlider] = []
        self._inside = QWidget()
        self._grid = QGridLayout(self._inside)
        self._grid.setContentsMargins(0, 0, 0, 0)
        _narrow(self._grid)
        self._grid.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setWidget(self._inside)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Score from, for each category")

    def show_scores(self) -> None:
        """Show the categories of the current image and their scores."""
        names = self._found()
        self.setVisible(bool(names))
        if names != list(self.rows):
            self._name_rows(names)
        shown = self._filter.shown
        own = dict(shown.category_scores)
        for name, row in self.rows.items():
            row.show_value(shown.score_of(name), usual=name not in own)
            row.value_label.setEnabled(name in own)

    def _found(self) -> list[str]:
        detections = self._filter.detections
        if detections is None or len(detections.categories) == 1:
            # The score for all is the score of the only one.
            return []
        labels, counts = np.unique(detections.labels, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return [detections.categories[label].name for label in labels[order]]

    def _name_rows(self, names: list[str]) -> None:
        """Give rows other names; eighty of them are made once at most."""
        while len(self._made) < len(names):
            row = FilterSlider(_of_category(""), self._inside)
            row.label.setMaximumWidth(_NAME_WIDTH)
            row.add_to(self._grid, len(self._made))
            self._connect(row)
            self._made.append(row)
        self.rows = dict(zip(names, self._made, strict=False))
        for name, row in self.rows.items():
            row.call(_of_category(name))
        for number, row in enumerate(self._made):
            row.set_shown(number < len(names))
        self.setFixedHeight(sum(row.height for row in self._made[: min(len(names), _ROWS)]))

    def _connect(self, row: FilterSlider) -> None:
        def name() -> str:
            return next(name for name, other in self.rows.items() if other is row)

        def wanted(value: Value) -> DetectionFilter:
            shown = self._filter.shown
            own = {n: score for n, score in shown.category_scores if n != name()}
            if value is not None:
                own[name()] = value
            return replace(shown, category_scores=tuple(sorted(own.items())))

        _connect(row, self._filter, wanted, "Move score threshold of a category", None)


def _narrow(grid: QGridLayout) -> None:
    grid.setVerticalSpacing(0)
    grid.setHorizontalSpacing(4)
    grid.setColumnStretch(1, 1)


def _connect(
    slider: FilterSlider,
    filtering: DetectionFiltering,
    wanted: Callable[[Value], DetectionFilter],
    title: str,
    usual: Value,
) -> None:
    """Let a slider preview while it moves and commit when it is let go of."""
    slider.moved.connect(lambda value: filtering.move_to(wanted(value)))
    slider.let_go.connect(lambda value: filtering.commit(wanted(value), title))
    slider.reset.connect(lambda: filtering.commit(wanted(usual), title))


def _of_category(name: str) -> Threshold:
    tip = f"Detections of {name} below this score are not shown, whatever counts for the others"
    return Threshold(name, f"Lowest score of {name} shown", tip, _SCORES, _own, None)


def _own(value: Value) -> str:
    return "the score for all" if value is None else _share(value)
