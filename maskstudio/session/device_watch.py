"""Notice when what is known of how the model runs has changed, and tell it."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from maskstudio.annotation.device_facts import DeviceFacts

# The model's lane changes it a few times a minute; nobody sees half a second.
_POLL_MS = 500


class DeviceWatch(QObject):
    """Asks now and then how the model runs.

    Signals:
        changed: a `DeviceFacts`, another than before.
        stepped_down: a sentence for the person, each once a model.
    """

    changed = Signal(object)
    stepped_down = Signal(str)

    def __init__(self, ask: Callable[[], DeviceFacts | None], parent: QObject) -> None:
        """Begin to watch.

        Args:
            ask: returns what is known now; None while no model is loaded.
            parent: ends the watch with itself.
        """
        super().__init__(parent)
        self._ask = ask
        self.facts: DeviceFacts | None = None
        timer = QTimer(self, interval=_POLL_MS)
        timer.timeout.connect(self.look)
        timer.start()

    def look(self) -> None:
        """Ask at once."""
        facts = self._ask()
        if facts is None or facts == self.facts:
            return
        told = self.facts.steps if self.facts else ()
        self.facts = facts
        self.changed.emit(facts)
        for sentence in facts.steps:
            if sentence not in told:
                self.stepped_down.emit(sentence)
