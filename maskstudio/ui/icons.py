"""Icons in the colours of the window, sharp at every size.

They are drawings of one colour (`resources/icons`, of Material Design Icons), painted where they
are shown. Fonts of icons cost a program of this size a quarter of its start.
"""

from functools import cache

from PySide6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from maskstudio.resources import resource_path


def drawn_icon(name: str, colour: str, disabled: str) -> QIcon:
    """Return an icon.

    Args:
        name: of its file in `resources/icons`, without the ending.
        colour: `#rrggbb` it is painted in.
        disabled: likewise, where what it stands for cannot be done.

    Raises:
        FileNotFoundError: there is no such drawing.
    """
    if name not in _names():
        # Not left to the painting, where Qt cannot pass an error on.
        raise FileNotFoundError(f"there is no icon {name}")
    return QIcon(_Engine(name, colour, disabled))


class _Engine(QIconEngine):
    """Paints a drawing instead of scaling a picture of it.

    The file is read when it is first painted: most stand in menus.
    """

    def __init__(self, name: str, colour: str, disabled: str) -> None:
        super().__init__()
        self._name, self._colour, self._disabled = name, colour, disabled

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Paint it into a rectangle, as Qt asks for it."""
        del state
        colour = self._disabled if mode is QIcon.Mode.Disabled else self._colour
        side = min(rect.width(), rect.height())
        square = QRectF(0, 0, side, side)
        square.moveCenter(QRectF(rect).center())
        _drawing(self._name, colour).render(painter, square)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Return it as a picture of so many device pixels."""
        picture = QPixmap(size)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return picture

    def clone(self) -> QIconEngine:
        """Return another one that paints the same."""
        return _Engine(self._name, self._colour, self._disabled)


@cache
def _names() -> frozenset[str]:
    return frozenset(path.stem for path in resource_path("icons").glob("*.svg"))


@cache
def _drawing(name: str, colour: str) -> QSvgRenderer:
    drawn = resource_path("icons", f"{name}.svg").read_text(encoding="utf-8")
    coloured = drawn.replace("<path ", f'<path fill="{colour}" ', 1)
    return QSvgRenderer(QByteArray(coloured.encode()))
