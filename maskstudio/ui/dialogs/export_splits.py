"""How an export is split: how much is kept apart, and what that comes to."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSpinBox, QVBoxLayout, QWidget

from maskstudio.formats.options import SplitRatios
from maskstudio.ui.dialogs.import_figures import annotations, images
from maskstudio.ui.labels import faint

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.session.exporting import PartCounts

_USUAL = SplitRatios(0.8, 0.2, 0.0)
_WHOLE = 100


class SplitChoice(QWidget):
    """Whether images are kept apart for validation and test, and how many in the hundred.

    Signals:
        changed: something was decided otherwise.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.on = QCheckBox("keep some images apart from training")
        self.on.setAccessibleName("Split into train, val and test")
        self.val = _percent("Per cent of the images for validation")
        self.test = _percent("Per cent of the images for the test")
        self._train = QLabel()
        self._train.setAccessibleName("Per cent of the images for training")
        self.anew = QCheckBox("draw the parts anew")
        self.anew.setToolTip(
            "Else an image stays in the part it was in before, and results can be compared"
        )
        self._note = faint("Images that look alike stay together, and each part gets its share of "
                           "every category.")  # fmt: skip
        row = QHBoxLayout()
        for words, box in (("Validation", self.val), ("Test", self.test)):
            label = QLabel(words)
            label.setBuddy(box)
            row.addWidget(label)
            row.addWidget(box)
            row.addSpacing(8)
        row.addWidget(self._train)
        row.addStretch(1)
        self._shares = QWidget()
        self._shares.setLayout(row)
        row.setContentsMargins(0, 0, 0, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.on, self._shares, self._note, self.anew):
            column.addWidget(widget)
        self.show_ratios(None)
        self.anew.hide()
        self.on.toggled.connect(self._on_changed)
        self.val.valueChanged.connect(self._on_changed)
        self.test.valueChanged.connect(self._on_changed)
        self.anew.toggled.connect(lambda: self.changed.emit())

    @property
    def ratios(self) -> SplitRatios | None:
        """How large the parts are; None where all stays together."""
        if not self.on.isChecked():
            return None
        val, test = self.val.value(), self.test.value()
        return SplitRatios((_WHOLE - val - test) / _WHOLE, val / _WHOLE, test / _WHOLE)

    def show_ratios(self, ratios: SplitRatios | None) -> None:
        """Have this decided."""
        shown = ratios or _USUAL
        self.on.setChecked(ratios is not None)
        self.val.setValue(round(shown.val * _WHOLE))
        self.test.setValue(round(shown.test * _WHOLE))
        self._on_changed()

    def show_remembered(self, count: int) -> None:
        """Offer to draw anew if as many images were in a part before."""
        there = count > 0 or self.anew.isChecked()
        self.anew.setVisible(self.on.isChecked() and there)
        if not there:
            self.anew.setChecked(False)

    def _on_changed(self) -> None:
        val, test = self.val.value(), self.test.value()
        # Something must be left to train on.
        self.val.setMaximum(_WHOLE - 1 - test)
        self.test.setMaximum(_WHOLE - 1 - val)
        self._train.setText(f"Training {_WHOLE - val - test} %")
        for widget in (self._shares, self._note):
            widget.setVisible(self.on.isChecked())
        if not self.on.isChecked():
            self.anew.hide()
        self.changed.emit()


def part_words(counts: "PartCounts") -> str:
    """Return what goes out, in words: a line for each part."""
    if not any(part.images for part in counts.parts):
        return "No image is in a state that is ticked above."
    about = "" if counts.exact else "about "
    lines = [
        f"{f'{part.name}: ' if part.name else ''}{about}{images(part.images)}, "
        f"{annotations(part.annotations)}"
        for part in counts.parts
    ]
    kept = sum(part.remembered for part in counts.parts)
    if kept:
        lines.append(f"{kept:,} of them stay in the part they were in before")
    return "\n".join(lines)


def _percent(name: str) -> QSpinBox:
    box = QSpinBox(suffix=" %", maximum=_WHOLE - 1)
    box.setAccessibleName(name)
    return box
