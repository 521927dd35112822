"""Which images are listed by what stands on them: categories, the model's scores, how many."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from maskstudio.session.image_order import ImageQuery, ScoreBound
from maskstudio.session.session import Session

_WIDTH = 230
_MOST = 1_000_000
# What a score is bound by: (the lowest of the image, else the highest; below, else from), or None.
_SCORES = {
    None: "any",
    (True, True): "lowest below",
    (True, False): "lowest from",
    (False, True): "highest below",
    (False, False): "highest from",
}
_FIRST_SCORE = 0.5


class ContentFilter(QDialog):
    """A small window under its button; what is chosen counts at once."""

    def __init__(self, session: Session, ask: Callable[..., None], parent: QWidget) -> None:
        """Make it, not yet seen.

        Args:
            session: the open project.
            ask: takes other values for attributes of the query, by name.
            parent: what it belongs to.
        """
        super().__init__(parent, Qt.WindowType.Popup)
        self._session = session
        self._ask = ask
        self.setAccessibleName("Images by what stands on them")
        self.setFixedWidth(_WIDTH)
        self.having = _combo("Only images with this category")
        self.lacking = _combo("Only images without this category")
        self.score = _combo("A bound on the scores that nobody has checked yet")
        for words in _SCORES.values():
            self.score.addItem(words)
        self.value = QDoubleSpinBox(minimum=0, maximum=1, singleStep=0.05, decimals=2)
        self.value.setAccessibleName("Score")
        self.fewest = _count("So many annotations at least", "")
        self.most = _count("So many annotations at most", "any")
        self.clear = QPushButton("Show all")
        for control in (self.having, self.lacking, self.score, self.value, self.fewest, self.most):
            # A long name must not decide how wide the window is.
            control.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        form = QFormLayout(self)
        form.setContentsMargins(12, 12, 12, 12)
        form.addRow("With", self.having)
        form.addRow("Without", self.lacking)
        form.addRow("Score", self.score)
        form.addRow("", self.value)
        form.addRow("Annotations", _side_by_side(self.fewest, self.most))
        form.addRow(self.clear)
        self.having.activated.connect(lambda: self._ask(having=self.having.currentData()))
        self.lacking.activated.connect(lambda: self._ask(lacking=self.lacking.currentData()))
        self.score.activated.connect(self._on_score)
        self.value.valueChanged.connect(self._on_score)
        self.fewest.valueChanged.connect(lambda number: self._ask(fewest=max(0, number)))
        self.most.valueChanged.connect(lambda number: self._ask(most=_or_none(number)))
        self.clear.clicked.connect(self._on_clear)

    def open_under(self, button: QWidget) -> None:
        """Show it, with the categories there are now."""
        self._renew()
        self.move(button.mapToGlobal(button.rect().bottomLeft()))
        self.show()
        self.having.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter closes it too: everything has been applied already."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.accept()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw an edge: without one it runs into the list below it."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setPen(self.palette().placeholderText().color())
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _renew(self) -> None:
        query = self._session.order.query
        controls = (self.having, self.lacking, self.score, self.value, self.fewest, self.most)
        blockers = [QSignalBlocker(control) for control in controls]
        for box, chosen, none in (
            (self.having, query.having, "any category"),
            (self.lacking, query.lacking, "no category"),
        ):
            box.clear()
            box.addItem(none, None)
            for category in self._session.categories:
                box.addItem(category.name, category.id)
            box.setCurrentIndex(max(0, box.findData(chosen)))
        bound = query.score
        kind = (bound.lowest, bound.below) if bound else None
        self.score.setCurrentIndex(list(_SCORES).index(kind))
        self.value.setValue(bound.value if bound else _FIRST_SCORE)
        self.value.setEnabled(bound is not None)
        self.fewest.setValue(query.fewest)
        self.most.setValue(-1 if query.most is None else query.most)
        for blocker in blockers:
            blocker.unblock()

    def _on_score(self, _: object) -> None:
        kind = list(_SCORES)[self.score.currentIndex()]
        self.value.setEnabled(kind is not None)
        self._ask(score=None if kind is None else ScoreBound(*kind, round(self.value.value(), 2)))

    def _on_clear(self) -> None:
        self._ask(**cleared())
        self._renew()


def cleared() -> dict[str, Any]:
    """Return the attributes of a query that leave no image out for what stands on it."""
    plain = ImageQuery()
    names = ("having", "lacking", "score", "fewest", "most")
    return {name: getattr(plain, name) for name in names}


def with_known_categories(query: ImageQuery, session: Session) -> ImageQuery:
    """Return a query that asks for no category that is gone."""
    known = {category.id for category in session.categories}
    return replace(
        query,
        having=query.having if query.having in known else None,
        lacking=query.lacking if query.lacking in known else None,
    )


def content_words(query: ImageQuery, session: Session) -> str:
    """Say which images a query leaves in for what stands on them; empty where it leaves all."""
    words = []
    if query.having is not None:
        words.append(f"with {session.category(query.having).name}")
    if query.lacking is not None:
        words.append(f"without {session.category(query.lacking).name}")
    if query.score is not None:
        kind = query.score.lowest, query.score.below
        words.append(f"{_SCORES[kind]} {query.score.value:.2f}")
    if query.most is not None:
        words.append(f"{query.fewest} to {query.most} annotations")
    elif query.fewest:
        words.append(f"{query.fewest} annotations or more")
    return ", ".join(words)


def _or_none(number: int) -> int | None:
    return None if number < 0 else number


def _combo(words: str) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(words)
    box.setToolTip(words)
    return box


def _count(words: str, none: str) -> QSpinBox:
    box = QSpinBox(minimum=-1 if none else 0, maximum=_MOST)
    box.setSpecialValueText(none)
    box.setAccessibleName(words)
    box.setToolTip(words)
    return box


def _side_by_side(first: QWidget, second: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.addWidget(first, 1)
    row.addWidget(second, 1)
    return row
