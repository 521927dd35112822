"""Where the model runs, how fast, and what had to give, in a line of the model's panel."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from maskstudio.annotation.device_facts import DeviceFacts
from maskstudio.session.device_watch import DeviceWatch
from maskstudio.ui.labels import faint


class DeviceFactsLine(QWidget):
    """One faint line; all there is to tell is in its tool tip. Hidden until a model is loaded."""

    def __init__(self, watch: DeviceWatch) -> None:
        super().__init__()
        self.line = faint()
        self.line.setAccessibleName("How the model runs")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.line)
        watch.changed.connect(self._show)
        self.hide()
        if watch.facts is not None:
            self._show(watch.facts)

    def _show(self, facts: DeviceFacts) -> None:
        short = [facts.device, facts.pace, facts.memory if facts.of_megabytes else ""]
        if facts.steps:
            short.append("stepped down")
        self.line.setText(" · ".join(part for part in short if part))
        self.line.setToolTip("\n".join(f"{name}: {words}" for name, words in facts.lines()))
        self.show()
