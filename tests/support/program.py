"""The whole program on a fake model, driven as a person drives it."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QLabel,
    QTextEdit,
    QWidget,
)

from maskstudio.annotation.annotation import Annotation
from maskstudio.app import App
from maskstudio.progress import TaskContext
from maskstudio.session.detection_filtering import DetectionFiltering
from maskstudio.session.tasks import Callbacks, LaneName, Priority
from maskstudio.ui.notifications import Level, Notification, NotificationBar
from support.hand import NONE, Hand, Point


class Waiting(Protocol):
    """What is asked of pytest-qt."""

    def waitUntil(  # noqa: N802 - pytest-qt's name
        self, callback: Callable[[], object], *, timeout: int = ...
    ) -> None:
        """Process events until the callback holds."""


class Program:
    """The running program.

    Attributes:
        told: every notification so far.
    """

    def __init__(self, app: App, waiting: Waiting) -> None:
        """Show the window, at a size that does not depend on the screen."""
        self.app = app
        self.session = app.session
        self.window = app.window
        self.canvas = app.window.canvas
        self.hand = Hand(self.canvas)
        self.told: list[Notification] = []
        self._waiting = waiting
        self._closed = False
        app.notifications.posted.connect(self.told.append)
        self.window.setWindowState(Qt.WindowState.WindowNoState)
        self.window.resize(1400, 900)
        self.window.show()
        self.window.activateWindow()
        self.until(self.window.isActiveWindow)

    def until(self, condition: Callable[[], object]) -> None:
        """Let the program work until a condition holds."""
        self._waiting.waitUntil(lambda: bool(condition()), timeout=10_000)

    def close(self) -> None:
        """Close the window, as its button does, and let everything go."""
        if self._closed:
            return
        self._closed = True
        self.window.close()
        for one in (self.window, self.app):
            one.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def open(self, folder: Path) -> None:
        """Open a folder and wait until its first image is on the canvas."""
        self.app.open_folder(folder)
        self.until(lambda: self.session.current is not None and self.canvas.has_image)

    def show(self, name: str) -> None:
        """Go to an image by its path and wait until it is on the canvas."""
        self.session.show(self.image(name))
        self.until(lambda: self.shows(name))

    def shows(self, name: str) -> bool:
        """Tell whether an image is on the canvas."""
        current = self.session.current
        return current is not None and current.path == name and self.canvas.has_image

    def image(self, name: str) -> int:
        """Return the id of an image by its path."""
        (found,) = (i for i in self.session.image_ids if self.session.record(i).path == name)
        return found

    def look_at(self, point: Point, scale: float) -> None:
        """Bring an image point to the middle of the canvas, at a magnification."""
        canvas = self.canvas
        canvas.zoom(scale / canvas.viewport.scale)
        x, y = canvas.viewport.to_screen(*point)
        canvas.pan(round(canvas.width() / 2 - x), round(canvas.height() / 2 - y))

    def colour(self, point: Point) -> tuple[int, int, int]:
        """Return the colour of the canvas at an image point."""
        image = self.canvas.grab().toImage()
        ratio = image.devicePixelRatio()
        at = self.hand.screen(point)
        colour = image.pixelColor(round(at.x() * ratio), round(at.y() * ratio))
        return colour.red(), colour.green(), colour.blue()

    def key(
        self, key: Qt.Key | str, held: Qt.KeyboardModifier = NONE, on: QWidget | None = None
    ) -> None:
        """Press and release a key where the focus is."""
        QTest.keyClick(on or self.focus(), _as_key(key), held)

    def type(self, text: str) -> None:
        """Type text where the focus is."""
        for letter in text:
            QTest.keyClick(self.focus(), _as_key(letter))

    def repeat(self, key: Qt.Key) -> None:
        """Hold a key down so long that it repeats once."""
        for kind in (QEvent.Type.KeyRelease, QEvent.Type.KeyPress):
            event = QKeyEvent(kind, key, NONE, "", autorep=True)
            QApplication.sendEvent(self.focus(), event)

    def dialogs(self) -> list[QDialog]:
        """Return the dialogs that can be seen."""
        return [d for d in self.window.findChildren(QDialog) if d.isVisible()]

    @staticmethod
    def text_of(widget: QWidget) -> str:
        """Return all that can be read on a widget."""
        labels = [label.text() for label in widget.findChildren(QLabel)]
        pages = [page.toPlainText() for page in widget.findChildren(QTextEdit)]
        return "\n".join(labels + pages)

    def button(self, text: str) -> QAbstractButton:
        """Return the button with these words that can be seen."""
        found = [b for b in self.buttons_of(self.window) if b.text() == text]
        if len(found) != 1:
            raise AssertionError(f"{len(found)} buttons say {text!r}")
        return found[0]

    def idle(self) -> None:
        """Let every lane finish what was asked of it until now."""
        done: list[object] = []
        lanes = [LaneName.MODEL, LaneName.FILES, LaneName.FILES, LaneName.PAINT]
        # Or one thread of FILES would do both, while the other is still at work.
        both = threading.Barrier(lanes.count(LaneName.FILES), timeout=10)

        def work(_: TaskContext, lane: LaneName) -> None:
            if lane is LaneName.FILES:
                both.wait()

        for lane in lanes:
            job = partial(work, lane=lane)
            self.app.tasks.submit(lane, job, Callbacks(done.append), Priority.BATCH)
        self.until(lambda: len(done) == len(lanes))

    def focus(self) -> QWidget:
        """Return the widget that has the keys."""
        return QApplication.focusWidget() or self.canvas

    @property
    def annotations(self) -> list[Annotation]:
        """What stands on the current image, back to front."""
        return list(self.session.annotations.values())

    @property
    def filtering(self) -> DetectionFiltering:
        """The score filter the window works with."""
        found = self.app.findChild(DetectionFiltering)
        if not isinstance(found, DetectionFiltering):
            raise TypeError("the program has no score filter")
        return found

    @property
    def bar(self) -> NotificationBar:
        """The bar that shows the newest notification."""
        found = self.window.findChild(NotificationBar)
        if not isinstance(found, NotificationBar):
            raise TypeError("the window has no notification bar")
        return found

    @property
    def said(self) -> str:
        """What the bar shows; empty while it is hidden."""
        texts = [label.text() for label in self.bar.findChildren(QLabel) if label.text()]
        return " ".join(texts) if self.bar.isVisible() else ""

    @staticmethod
    def buttons_of(widget: QWidget) -> list[QAbstractButton]:
        """Return the buttons on a widget that can be seen."""
        return [b for b in widget.findChildren(QAbstractButton) if b.isVisible()]

    @property
    def problems(self) -> list[str]:
        """The sentences of every problem so far."""
        return [n.text for n in self.told if n.level is Level.PROBLEM]

    def titles(self) -> list[str]:
        """Undo everything and return what was undone, the last first."""
        undone = []
        while (title := self.session.history().undo) is not None:
            undone.append(title)
            self.session.undo()
        for _ in undone:
            self.session.redo()
        return undone


def _as_key(key: Qt.Key | str) -> Qt.Key:
    # QTest takes a letter too and finds out whether Shift is held for it.
    return key  # type: ignore[return-value]
