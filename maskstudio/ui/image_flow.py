"""From the session's current image to pixels on the canvas, the next ones decoded ahead."""

from PySide6.QtCore import QObject

from maskstudio.session.images import ImageLoader
from maskstudio.session.session import Session
from maskstudio.ui.canvas.canvas import Canvas

_AHEAD = 2


class ImageFlow(QObject):
    """Puts the current image on the canvas as soon as it is decoded, and never another."""

    def __init__(self, session: Session, loader: ImageLoader, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._session = session
        self._loader = loader
        self._canvas = canvas
        self._place = 0
        session.opened.connect(loader.clear)
        session.current_changed.connect(self._on_current)
        loader.loaded.connect(self._on_loaded)
        loader.failed.connect(self._on_failed)

    def _on_current(self) -> None:
        session, current = self._session, self._session.current
        if current is None:
            self._canvas.show_image(None)
            return
        place = session.order.place(current.id)
        step = 1 if place >= self._place else -1
        self._place = place
        ahead = [*(step * n for n in range(1, _AHEAD + 1)), -step]
        near = [session.order.neighbour(current.id, by) for by in ahead]
        self._loader.request(
            current.id, session.path(current.id), [(i, session.path(i)) for i in near if i]
        )
        image = self._loader.get(current.id)
        if image is not None:
            self._on_loaded(current.id)
        else:
            self._canvas.show_image(None, f"Opening {current.path} …")

    def _on_loaded(self, image_id: int) -> None:
        image = self._loader.get(image_id)
        if image is None:
            return
        self._session.note_size(image_id, *image.size)
        current = self._session.current
        if current is not None and current.id == image_id:
            self._canvas.show_image(image)

    def _on_failed(self, image_id: int, sentence: str) -> None:
        current = self._session.current
        if current is not None and current.id == image_id:
            self._canvas.show_image(None, sentence)
