"""Validation images with what a person drew and what the model finds, side by side."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QWidget

from maskstudio.session.tasks import Callbacks, LaneName, Priority, Tasks
from maskstudio.session.training_pictures import Pictures, draw_sample, seen
from maskstudio.storage.training_events import Sample
from maskstudio.ui.labels import faint
from maskstudio.ui.theme import colours_now

_SIDE = 210  # pixels of the window that a picture takes across or down
_HEIGHT = _SIDE + 64  # with the words around it and a bar to scroll by


class SamplePair(QFrame):
    """One image twice: drawn by a person, and found by the model.

    Attributes:
        truth: shows what was drawn.
        found: shows what is found.
    """

    def __init__(self) -> None:
        super().__init__()
        self.truth, self.found = QLabel(), QLabel()
        self.truth.setAccessibleName("Drawn by you")
        self.found.setAccessibleName("Found by the model")
        self._truth_words, self._found_words = faint(), faint()
        self._name = QLabel()
        self._name.setTextFormat(Qt.TextFormat.PlainText)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 12, 0)
        grid.setSpacing(3)
        grid.addWidget(self._name, 0, 0, 1, 2)
        for column, (picture, words) in enumerate(
            ((self.truth, self._truth_words), (self.found, self._found_words))
        ):
            grid.addWidget(picture, 1, column, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(words, 2, column)
        grid.setRowStretch(3, 1)

    def show_sample(self, sample: Sample) -> None:
        """Say which image it is, and how much is on it."""
        scale = _SIDE / max(sample.height, sample.width)
        for picture in (self.truth, self.found):
            picture.setFixedSize(
                max(1, round(sample.width * scale)), max(1, round(sample.height * scale))
            )
        self._name.setText(PurePath(sample.file).name)
        self._name.setToolTip(sample.file)
        self._truth_words.setText(f"you drew {len(sample.truth):,}")
        self._found_words.setText(
            f"the model finds {len(seen(sample)):,}, step {sample.iteration:,}"
        )

    def show_pictures(self, pictures: Pictures) -> None:
        """Show the image with its outlines."""
        for label, pixels in ((self.truth, pictures.truth), (self.found, pictures.found)):
            label.setPixmap(_pixmap(pixels))
            label.setScaledContents(True)


class TrainingSamples(QScrollArea):
    """The pairs, beside one another; images are read and drawn on lane FILES."""

    def __init__(self, tasks: Tasks, colours: Callable[[], Mapping[str, str]]) -> None:
        """Show none.

        Args:
            tasks: the lanes.
            colours: gives the colours of the categories by their names.
        """
        super().__init__()
        self.setAccessibleName("Validation images: what you drew, and what the model finds")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self._tasks = tasks
        self._colours = colours
        self._pairs: dict[str, SamplePair] = {}
        self._shown: dict[str, Sample] = {}
        self._plain: dict[str, NDArray[np.uint8]] = {}
        self._ended = False
        inside = QWidget()
        self._row = QHBoxLayout(inside)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.addStretch(1)
        self.setWidget(inside)
        self.setFixedHeight(_HEIGHT)

    def sizeHint(self) -> QSize:
        """Leave it to the window how wide it is."""
        return QSize(_SIDE * 4, _HEIGHT)

    def show_samples(self, samples: Sequence[Sample]) -> None:
        """Show these, and no others."""
        if self._ended:
            return
        files = {sample.file for sample in samples}
        for file in self._pairs.keys() - files:
            self._pairs.pop(file).deleteLater()
            self._shown.pop(file)
            self._plain.pop(file, None)
        for sample in samples:
            if self._shown.get(sample.file) is not sample:
                self._shown[sample.file] = sample
                self._show(sample)

    def end(self) -> None:
        """Take no pictures any more: the page is going."""
        self._ended = True
        self._shown.clear()

    def _show(self, sample: Sample) -> None:
        if sample.file not in self._pairs:
            pair = self._pairs[sample.file] = SamplePair()
            self._row.insertWidget(self._row.count() - 1, pair)
        self._pairs[sample.file].show_sample(sample)
        work = partial(
            draw_sample,
            sample,
            self._plain.get(sample.file),
            round(_SIDE * self.devicePixelRatioF()),
            {"": colours_now().accent, **self._colours()},
        )
        self._tasks.submit(
            LaneName.FILES, work, Callbacks(partial(self._on_drawn, sample)), Priority.SOON
        )

    def _on_drawn(self, sample: Sample, pictures: Pictures) -> None:
        if self._shown.get(sample.file) is sample:
            self._plain[sample.file] = pictures.plain
            self._pairs[sample.file].show_pictures(pictures)


def _pixmap(pixels: NDArray[np.uint8]) -> QPixmap:
    height, width = pixels.shape[:2]
    image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image)
