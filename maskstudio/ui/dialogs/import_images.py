"""What of a data set's images is here, and what becomes of those that are not as they should be."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QSize, QStringListModel, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QGridLayout,
    QLabel,
    QListView,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from maskstudio.annotation.annotation import ImageState
from maskstudio.session.import_plan import ImportedState, OtherSize, Standing
from maskstudio.ui.dialogs.import_figures import ImportFigures, annotations, images
from maskstudio.ui.dialogs.tool_window import ToolWindow
from maskstudio.ui.labels import heading
from maskstudio.ui.theme import good_icon, problem_icon, state_icon

_SIGN = 16
_LIST_SIZE = QSize(560, 360)
_STANDING = {
    Standing.LEAVE: "leave these images as they are",
    Standing.ADD: "add to what is there",
    Standing.REPLACE: "replace what is there",
}
_OTHER_SIZE = {
    OtherSize.LEAVE_OUT: "leave them out",
    OtherSize.SCALE: "scale the outlines to fit",
}
_STATES = {
    ImportedState.EDITED: "edited: I want to look at them",
    ImportedState.VERIFIED: "verified: they are right",
}


class _Line(NamedTuple):
    """One line of what is told: a sign, a sentence, a choice, and a list on demand."""

    sign: QLabel
    words: QLabel
    more: QPushButton


class ImageChoice(QWidget):
    """A line for each thing that is to be known of the images; only what there is, is shown.

    Signals:
        changed: something was decided otherwise.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setColumnStretch(1, 1)
        self._grid.addWidget(heading("Images"), 0, 0, 1, 4)
        self._lists: dict[QPushButton, tuple[str, Sequence[str]]] = {}
        self.other_size = _combo(_OTHER_SIZE.items(), "What becomes of images of another size")
        self.standing = _combo(
            _STANDING.items(), "What becomes of images that hold annotations already"
        )
        self.embedded = QCheckBox("put them into the folder")
        self.embedded.setAccessibleName("Put the images that the data set carries into the folder")
        self.state = _combo(_STATES.items(), "What imported images become")
        self._here = self._line()
        self._absent = self._line()
        self._carried = self._line(self.embedded)
        self._unclear = self._line()
        self._unreadable = self._line()
        self._sizes = self._line(self.other_size)
        self._occupied = self._line(self.standing)
        self._lost = self._line()
        self._silent = self._line(self.state)
        self._figures: ImportFigures | None = None
        for combo in (self.other_size, self.standing, self.state):
            combo.currentIndexChanged.connect(self._on_changed)
        self.embedded.toggled.connect(self._on_changed)

    def show_figures(self, figures: ImportFigures) -> None:
        """Tell of the images of a plan; what was decided before is forgotten."""
        self._figures = figures
        for combo in (self.other_size, self.standing, self.state):
            combo.setCurrentIndex(0)
        whole, here = figures.whole, figures.matched
        words = f"{here.images:,} of {images(whole.images)} {_are(here.images)} in this folder"
        if here.annotations:
            words += f", with {annotations(here.annotations)}"
        self._tell(self._here, words, good_icon() if here.images else problem_icon())
        self._list(self._absent, figures.absent, "{} not in this folder")
        carried = figures.embedded.images
        self._tell(
            self._carried, f"the data set carries {carried:,} of these itself" if carried else ""
        )
        self.embedded.setChecked(False)
        self.embedded.setVisible(bool(carried))
        self._list(self._unclear, figures.unclear, "{} left out: the name fits several images")
        self._list(self._unreadable, figures.unreadable, "{} left out: the file cannot be read")
        self._list(self._sizes, figures.other_size, "{} of another size here")
        self.other_size.setVisible(bool(figures.other_size))
        self.standing.setVisible(figures.occupied > 0)
        self._tell(self._occupied, _occupied_words(figures), state_icon(ImageState.EDITED))
        self.state.setVisible(figures.silent > 0)
        all_silent = figures.silent == here.images
        whose = "Imported images" if all_silent else "Those it tells no state of"
        self._tell(self._silent, f"{whose} become" if figures.silent else "")
        self._show_lost()

    @property
    def choices(self) -> tuple[Standing, OtherSize, ImportedState, bool]:
        """What was decided; the last is whether carried images are put into the folder."""
        return (
            Standing(self.standing.currentData()),
            OtherSize(self.other_size.currentData()),
            ImportedState(self.state.currentData()),
            self.embedded.isChecked() and not self.embedded.isHidden(),
        )

    def _on_changed(self) -> None:
        self._show_lost()
        self.changed.emit()

    def _show_lost(self) -> None:
        """Say what a person's work loses, before it does."""
        figures = self._figures
        replaced = self.standing.currentData() == Standing.REPLACE
        if figures is None or not (replaced and figures.by_people):
            self._tell(self._lost, "")
            return
        many = annotations(figures.by_people)
        self._tell(
            self._lost,
            f"{many} of a person will be replaced, unless locked; Undo brings them back",
            problem_icon(),
        )

    def _line(self, choice: QWidget | None = None) -> _Line:
        row = self._grid.rowCount()
        line = _Line(QLabel(), QLabel(wordWrap=True), QPushButton("List…", autoDefault=False))
        line.more.clicked.connect(lambda: self._open_list(line.more))
        self._grid.addWidget(line.sign, row, 0)
        self._grid.addWidget(line.words, row, 1)
        if choice is not None:
            self._grid.addWidget(choice, row, 2)
        self._grid.addWidget(line.more, row, 3)
        return line

    def _tell(self, line: _Line, words: str, sign: QIcon = QIcon()) -> None:  # noqa: B008 - empty
        line.words.setText(words)
        line.sign.setPixmap(sign.pixmap(_SIGN, _SIGN))
        line.sign.setVisible(bool(words))
        line.words.setVisible(bool(words))
        line.more.hide()

    def _list(self, line: _Line, sentences: Sequence[str], words: str) -> None:
        """Tell how many there are, and have them listed on demand."""
        count = len(sentences)
        said = words.format(f"{count:,} {_are(count)}") if count else ""
        self._tell(line, said, state_icon(ImageState.SKIPPED))
        line.more.setVisible(bool(count))
        line.more.setAccessibleName(f"List what is meant: {said}")
        self._lists[line.more] = said, sentences

    def _open_list(self, button: QPushButton) -> None:
        title, sentences = self._lists[button]
        NameList(title, sentences, self).show()


class NameList(ToolWindow):
    """A list of sentences, however long."""

    def __init__(self, title: str, sentences: Sequence[str], parent: QWidget) -> None:
        super().__init__(title, parent)
        self.resize(_LIST_SIZE)
        self.list = QListView()
        self.list.setAccessibleName(title)
        self.list.setUniformItemSizes(True)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setModel(QStringListModel(list(sentences), self.list))
        close = QPushButton("Close", default=True)
        close.clicked.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self.list)
        column.addWidget(close)


def _combo(words: Iterable[tuple[str, str]], name: str) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    for value, text in words:
        combo.addItem(text, value)
    return combo


def _occupied_words(figures: ImportFigures) -> str:
    if not figures.occupied:
        return ""
    hold = "holds" if figures.occupied == 1 else "hold"
    whose = [
        f"{count:,} of {who}"
        for count, who in ((figures.by_people, "a person"), (figures.by_models, "a model"))
        if count
    ]
    return f"{figures.occupied:,} {hold} annotations already: {', '.join(whose)}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
