"""What a person decides about an export; only what applies to the format is shown."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGridLayout,
    QVBoxLayout,
    QWidget,
)

from maskstudio.annotation.annotation import Category, ImageState
from maskstudio.formats.options import (
    ExportFormat,
    ExportOptions,
    ImagePlacement,
    SegmentationStyle,
)
from maskstudio.ui.dialogs.category_ticks import CategoryTicks
from maskstudio.ui.dialogs.export_splits import SplitChoice
from maskstudio.ui.labels import faint
from maskstudio.ui.theme import STATE_WORDS, state_icon

_FORMATS = {
    ExportFormat.COCO: ("COCO", "One JSON file, which most training code and programs read."),
    ExportFormat.PANOPTIC: (
        "COCO panoptic",
        "A PNG for each image in which a pixel belongs to one annotation, the front one, and a "
        "JSON file.",
    ),
    ExportFormat.YOLO: (
        "YOLO",
        "A text file for each image and data.yaml, for training with Ultralytics. Holes are cut "
        "open; crowds are left out.",
    ),
    ExportFormat.LABELME: ("labelme", "A JSON file beside each image, to be edited in labelme."),
    ExportFormat.INSTANCE_MASKS: (
        "Instance masks",
        "A PNG for each image: the pixels of each annotation have a number of their own.",
    ),
    ExportFormat.CATEGORY_MASKS: (
        "Category masks",
        "A PNG for each image: each pixel has the number of its category.",
    ),
}
_STYLES = {
    SegmentationStyle.POLYGON: "polygons: can be edited elsewhere",
    SegmentationStyle.RLE: "run lengths: exact to the pixel",
}
_PLACEMENTS = {
    ImagePlacement.REFERENCE: "stay where they are",
    ImagePlacement.COPY: "are copied beside the annotations",
    ImagePlacement.LINK: "are linked beside the annotations; takes no room",
}

Placements = Callable[[ExportFormat], Sequence[ImagePlacement]]
"""Tells what can become of the image files in a format, the usual first."""


class ExportChoice(QWidget):
    """The form.

    Signals:
        changed: something was decided otherwise.
    """

    changed = Signal()

    def __init__(self, placements: Placements) -> None:
        super().__init__()
        self._placements = placements
        self.format = _combo("Format")
        for kind, (words, _) in _FORMATS.items():
            self.format.addItem(words, kind)
        self._about = faint()
        self.states: dict[ImageState, QCheckBox] = {}
        self.all = QCheckBox("all")
        self.all.setAccessibleName("Annotations of all categories")
        self.categories = CategoryTicks("Categories that are exported")
        self.style_ = _combo("How outlines are written")
        for style, words in _STYLES.items():
            self.style_.addItem(words, style)
        self.placement = _combo("What becomes of the image files")
        self.splits = SplitChoice()
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._build()
        self._show_format()
        self._connect()

    def offer(self, categories: Iterable[Category], states: Counter[ImageState]) -> None:
        """Show the categories there are, and how many images are in each state."""
        self.categories.offer(categories)
        for state, box in self.states.items():
            box.setText(f"{STATE_WORDS[state]}  ({states[state]:,})")
            box.setEnabled(bool(states[state]))

    def show_options(self, options: ExportOptions) -> None:
        """Have this decided."""
        with QSignalBlocker(self):
            self.format.setCurrentIndex(self.format.findData(options.format))
            self._show_format()
            for state, box in self.states.items():
                box.setChecked(state in options.states)
            self.all.setChecked(options.categories is None)
            self.categories.tick(options.categories)
            self.style_.setCurrentIndex(self.style_.findData(options.segmentation))
            place = self.placement.findData(options.placement)
            self.placement.setCurrentIndex(max(place, 0))
            self.splits.show_ratios(options.splits)
        self._on_changed()

    @property
    def options(self) -> ExportOptions:
        """What was decided."""
        return ExportOptions(
            ExportFormat(self.format.currentData()),
            tuple(state for state, box in self.states.items() if box.isChecked()),
            None if self.all.isChecked() else self.categories.ticked,
            SegmentationStyle(self.style_.currentData()),
            self.splits.ratios,
            ImagePlacement(self.placement.currentData()),
            draw_anew=self.splits.ratios is not None and self.splits.anew.isChecked(),
        )

    def _build(self) -> None:
        form = self._form
        head = QVBoxLayout()
        head.setSpacing(2)
        head.addWidget(self.format)
        head.addWidget(self._about)
        form.addRow("Format", head)
        grid = QGridLayout()
        grid.setColumnStretch(2, 1)
        for number, state in enumerate(ImageState):
            box = QCheckBox(STATE_WORDS[state])
            box.setIcon(state_icon(state))
            self.states[state] = box
            grid.addWidget(box, number // 2, number % 2)
        form.addRow("Images", grid)
        kinds = QVBoxLayout()
        kinds.addWidget(self.all)
        kinds.addWidget(self.categories)
        form.addRow("Categories", kinds)
        form.addRow("Outlines", self.style_)
        form.addRow("Image files", self.placement)
        form.addRow("Split", self.splits)

    def _connect(self) -> None:
        self.format.currentIndexChanged.connect(self._on_format)
        for box in (*self.states.values(), self.all):
            box.toggled.connect(self._on_changed)
        self.categories.changed.connect(self._on_changed)
        self.style_.currentIndexChanged.connect(self._on_changed)
        self.placement.currentIndexChanged.connect(self._on_changed)
        self.splits.changed.connect(self._on_changed)

    def _on_format(self) -> None:
        self._show_format()
        self._on_changed()

    def _show_format(self) -> None:
        """Offer what the format can have."""
        kind = ExportFormat(self.format.currentData())
        self._about.setText(_FORMATS[kind][1])
        self._form.setRowVisible(self.style_, kind is ExportFormat.COCO)
        possible = self._placements(kind)
        chosen = self.placement.currentData()
        with QSignalBlocker(self.placement):
            self.placement.clear()
            for placement in possible:
                self.placement.addItem(_PLACEMENTS[placement], placement)
            self.placement.setCurrentIndex(max(self.placement.findData(chosen), 0))
        self.placement.setEnabled(len(possible) > 1)

    def _on_changed(self) -> None:
        self.categories.setVisible(not self.all.isChecked())
        self.changed.emit()


def _combo(name: str) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    return combo
