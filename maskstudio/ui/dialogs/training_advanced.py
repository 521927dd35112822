"""What hardly anybody needs to decide about a training run; left alone it follows from the data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from maskstudio.ui.labels import faint

_USUAL = "from the data"
_SAME = "the one of the start model"
_NETWORKS = (
    "maskrcnn_resnet50_fpn_v2",
    "maskrcnn_resnet50_fpn",
    "maskrcnn_mobilenet_v3_large_fpn",
    "fasterrcnn_resnet50_fpn_v2",
)
_AUGMENTATIONS = (
    ("photo", "photographs: mirrored, colours varied"),
    ("microscopy", "microscopy: no way is up"),
)


@dataclass(frozen=True)
class _Number:
    """A number that a run can be given.

    Attributes:
        option: of the command `train`, without dashes.
        label: its words.
        tip: what it does.
        most: the largest there is.
        step: of its arrows.
        least: the smallest there is; what is below it stands for the data's own.
        decimals: after the point; 0 for whole numbers.
    """

    option: str
    label: str
    tip: str
    most: float
    step: float = 1
    least: float = 1
    decimals: int = 0


_NUMBERS = (
    _Number("iterations", "Steps", "How many steps in all, instead of the length above", 1_000_000,
            100),
    _Number("batch-size", "Views a step", "More are steadier, and need more memory and time", 64),
    _Number("crop", "Side of a view", "Pixels of the square that is learned from at a time; larger "
            "ones need more memory and time", 4096, 32, 64),
    _Number("input-size", "Shorter side of images", "Pixels that the network scales images to; "
            "more for small objects", 8192, 32, 64),
    _Number("learning-rate", "Learning rate", "How far a step goes; lower it if the loss jumps",
            1.0, 0.0001, 0.000001, 6),
    _Number("copy-paste", "Copy-paste", "Share of the views that get objects of other images",
            1.0, 0.1, 0.0, 2),
    _Number("validate-every", "Measure every", "Steps between two measurements", 1_000_000, 50),
    _Number("seed", "Seed", "Of all that is drawn at random: the same seed, the same run",
            1_000_000, 1, 0),
)  # fmt: skip


class TrainingAdvanced(QWidget):
    """The form.

    Signals:
        changed: something was decided otherwise.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.network = QComboBox(editable=True)
        self.network.setAccessibleName("Network")
        self.network.setToolTip(
            "Another network begins from nothing, or from ImageNet where its backbone brings that; "
            "maskrcnn_BACKBONE_fpn takes any backbone of timm"
        )
        self.network.addItems([_SAME, *_NETWORKS])
        self.device = _combo("Device", "Where it runs", ("auto", "cpu", "cuda", "mps"))
        self.augmentation = _combo("Variation of images", "What images are varied by", (_USUAL,))
        for name, words in _AUGMENTATIONS:
            self.augmentation.addItem(words, name)
        self.anchors = QLineEdit(placeholderText=_USUAL)
        self.anchors.setAccessibleName("Anchor sizes")
        self.anchors.setToolTip("Sides of the boxes that objects are looked for with, like 8,16,32")
        self.numbers = {number.option: _spin(number) for number in _NUMBERS}
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Network", self.network)
        form.addRow("Device", self.device)
        form.addRow("Variation", self.augmentation)
        for number in _NUMBERS:
            form.addRow(number.label, self.numbers[number.option])
        form.addRow("Anchor sizes", self.anchors)
        form.addRow(
            faint("Left as it is, each follows from the sizes and the number of your annotations.")
        )
        self.network.currentTextChanged.connect(self._on_changed)
        self.device.currentIndexChanged.connect(self._on_changed)
        self.augmentation.currentIndexChanged.connect(self._on_changed)
        self.anchors.editingFinished.connect(self._on_changed)
        for spin in self.numbers.values():
            spin.valueChanged.connect(self._on_changed)

    @property
    def init(self) -> str:
        """The architecture to begin with; empty: that of the start model."""
        name = self.network.currentText().strip()
        return "" if name == _SAME else name

    @property
    def iterations(self) -> int:
        """Steps in all; 0 where that was not decided here."""
        return round(max(0, self.numbers["iterations"].value()))

    @property
    def options(self) -> dict[str, str]:
        """What was decided besides, by the names of the command's options."""
        chosen = {
            option: spin.cleanText()
            for option, spin in self.numbers.items()
            if option != "iterations" and spin.value() > spin.minimum()
        }
        if self.device.currentText() != "auto":
            chosen["device"] = self.device.currentText()
        if self.augmentation.currentData():
            chosen["augmentation"] = self.augmentation.currentData()
        if anchors := self.anchors.text().replace(" ", ""):
            chosen["anchors"] = anchors
        return chosen

    def show_usual(self, settings: Mapping[str, Any]) -> None:
        """Say what the data asks for.

        Args:
            settings: of a plan, by the names of the options with `_` for `-`; some may be missing.
        """
        for option, spin in self.numbers.items():
            spin.setSpecialValueText(_usual(settings.get(option.replace("-", "_"))))
        self.anchors.setPlaceholderText(_usual(settings.get("anchors")))
        words = dict(_AUGMENTATIONS).get(str(settings.get("augmentation")), "")
        self.augmentation.setItemText(0, f"{_USUAL}: {words}" if words else _USUAL)

    def _on_changed(self) -> None:
        self.changed.emit()


def _usual(value: Any) -> str:
    if value is None:
        return _USUAL
    if isinstance(value, float):
        return f"{_USUAL}: {value:g}"
    if isinstance(value, list | tuple):
        return f"{_USUAL}: {','.join(map(str, value))}"
    return f"{_USUAL}: {value}"


def _spin(number: _Number) -> QSpinBox | QDoubleSpinBox:
    spin: QSpinBox | QDoubleSpinBox
    if number.decimals:
        spin = QDoubleSpinBox(decimals=number.decimals, maximum=number.most)
        # The one below the least stands for the data's own.
        spin.setMinimum(number.least - 10**-number.decimals)
        spin.setSingleStep(number.step)
        spin.setValue(spin.minimum())
    else:
        spin = QSpinBox(maximum=round(number.most), minimum=round(number.least) - 1)
        spin.setSingleStep(round(number.step))
        spin.setValue(spin.minimum())
    spin.setSpecialValueText(_USUAL)
    spin.setAccessibleName(number.label)
    spin.setToolTip(number.tip)
    # While a number is typed, each digit would be another decision.
    spin.setKeyboardTracking(False)
    return spin


def _combo(name: str, tip: str, words: tuple[str, ...]) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    combo.setToolTip(tip)
    combo.addItems(list(words))
    return combo
