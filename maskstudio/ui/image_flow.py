"""From the session's current image to pixels on the canvas, the next ones decoded ahead."""

from PySide6.QtCore import QElapsedTimer, QObject, QTimer

from maskstudio.session.images import ImageLoader
from maskstudio.session.session import Session
from maskstudio.ui.canvas.canvas import Canvas

_AHEAD = 3
_PROGRESS_MS = 100
# By then an image that was decoded ahead has been painted.
_PAINTED_MS = 25
# A hand that stays so long with an image it sees has come to rest: a key that is held goes sooner.
_HAND_MS = 100


class ImageFlow(QObject):
    """Puts the current image on the canvas as soon as it is decoded, and never another."""

    def __init__(self, session: Session, loader: ImageLoader, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._session = session
        self._loader = loader
        self._canvas = canvas
        self._waiting = False
        # Decoding would take the time of a processor that the picture is painted with.
        self._look_ahead_soon = QTimer(self, singleShot=True)
        self._hurried = False
        self._since_shown = QElapsedTimer()
        self._look_ahead_soon.timeout.connect(self._look_ahead)
        self._ask_progress = QTimer(self, interval=_PROGRESS_MS)
        self._ask_progress.timeout.connect(self._show_progress)
        session.opened.connect(loader.clear)
        session.current_changed.connect(self._on_current)
        loader.loaded.connect(self._on_loaded)
        loader.renewed.connect(self._on_renewed)
        loader.failed.connect(self._on_failed)

    @property
    def seen(self) -> bool:
        """True when the current image is on the screen, or the sentence that says why not."""
        return not self._waiting and self._canvas.painted

    def _on_current(self) -> None:
        current = self._session.current
        self._waiting = False
        if current is None:
            self._canvas.show_image(None)
            return
        self._hurried = self._since_shown.isValid() and self._since_shown.elapsed() < _HAND_MS
        image = self._loader.get(current.id)
        if image is not None:
            self._on_loaded(current.id)
            # Not begun anew at each step: a key that is held steps faster than that.
            if not self._look_ahead_soon.isActive():
                self._look_ahead_soon.start(_PAINTED_MS)
        else:
            self._look_ahead()
            self._waiting = True
            self._canvas.show_image(None, f"Opening {current.path} …")
            self._ask_progress.start()

    def _look_ahead(self) -> None:
        """Have the current image opened and then those that will be wanted next."""
        session, current = self._session, self._session.current
        if current is None:
            return
        near = [*session.order.ahead(current.id, _AHEAD), session.order.behind(current.id)]
        ahead = [(i, session.path(i)) for i in near if i]
        self._loader.request(current.id, session.path(current.id), ahead, hurried=self._hurried)
        if self._hurried:
            self._hurried = False
            self._look_ahead_soon.start(_HAND_MS)

    def _show_progress(self) -> None:
        current = self._session.current
        if not self._waiting or current is None:
            self._ask_progress.stop()
            return
        done = self._loader.share_done(current.id)
        if done:
            self._canvas.show_image(None, f"Opening {current.path} … {done:.0%}")

    def _on_loaded(self, image_id: int) -> None:
        image = self._loader.get(image_id)
        if image is None:
            return
        self._tell_size(image_id, *image.size)
        self._session.note_size(image_id, *image.size)
        current = self._session.current
        if current is not None and current.id == image_id:
            self._waiting = False
            self._canvas.show_image(image)
            self._since_shown.start()

    def _tell_size(self, image_id: int, height: int, width: int) -> None:
        """Say that a file is of another size than what was drawn on it is for."""
        if not self._session.count(image_id):
            return
        record = self._session.record(image_id)
        if record.height and (record.height, record.width) != (height, width):
            self._session.problem.emit(
                f"{record.path} has {width} by {height} pixels now, but was labelled at "
                f"{record.width} by {record.height}; put the old file back, or move the outlines."
            )

    def _on_renewed(self, image_id: int) -> None:
        current = self._session.current
        if current is not None and current.id == image_id:
            image = self._loader.get(image_id)
            if image is not None:
                self._canvas.renew_image(image)

    def _on_failed(self, image_id: int, sentence: str) -> None:
        current = self._session.current
        if current is not None and current.id == image_id:
            self._waiting = False
            self._canvas.show_image(None, sentence)
