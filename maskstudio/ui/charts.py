"""Charts in the colours and the font of the window; imported when a page with charts is opened."""

import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QWidget

from maskstudio.ui.theme import colours_now

_GRID = 0.15
_LINE = 2.0


class Chart(pg.PlotWidget):  # type: ignore[misc]
    """Axes with lines on them, to be looked at: nothing of it moves or opens.

    Attributes:
        key: tells the lines apart.
    """

    # pyqtgraph changes the palette while it makes the widget, before there is anything to colour.
    _made = False

    def __init__(self, name: str, left: str, bottom: str) -> None:
        """Be empty.

        Args:
            name: what it shows, for those who hear the window.
            left: what goes up.
            bottom: what goes to the right; empty where it is told elsewhere.
        """
        super().__init__()
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMenuEnabled(False)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.setAntialiasing(True)
        self._labels = {"left": left, "bottom": bottom}
        self._lines: list[tuple[pg.PlotDataItem, str, float, Qt.PenStyle]] = []
        self.key = self.addLegend(offset=(-8, 8), labelTextSize=f"{self._points()}pt")
        self._made = True
        self._colour()

    def line(
        self,
        name: str,
        colour: str,
        width: float = _LINE,
        style: Qt.PenStyle = Qt.PenStyle.SolidLine,
    ) -> pg.PlotDataItem:
        """Add a line; give it numbers with its `setData`.

        Args:
            name: what the key calls it; empty to be left out there.
            colour: which of the theme's, by its name.
            width: pixels.
            style: of the pen.
        """
        item = self.plot(name=name or None)
        item.setClipToView(False)
        self._lines.append((item, colour, width, style))
        self._colour()
        return item

    def changeEvent(self, event: QEvent) -> None:
        """Take up the colours of another theme."""
        super().changeEvent(event)
        if self._made and event.type() == QEvent.Type.PaletteChange:
            self._colour()

    def wheelEvent(self, event: QEvent) -> None:
        """Leave the wheel to the page."""
        event.ignore()

    def _points(self) -> float:
        return max(7.0, QWidget.font(self).pointSizeF() - 1)

    def _colour(self) -> None:
        colours = colours_now()
        self.setBackground(colours.base)
        font = QWidget.font(self)
        font.setPointSizeF(self._points())
        for side, words in self._labels.items():
            axis = self.getAxis(side)
            axis.setPen(colours.line)
            axis.setTextPen(colours.faint)
            axis.setTickFont(font)
            axis.enableAutoSIPrefix(False)
            if words:
                size = f"{self._points()}pt"
                self.setLabel(side, words, **{"color": colours.faint, "font-size": size})
        self.showGrid(x=False, y=True, alpha=_GRID)
        self.key.setLabelTextColor(colours.text)
        for item, colour, width, style in self._lines:
            item.setPen(pg.mkPen(getattr(colours, colour), width=width, style=style))
            # Of points, where a line has some.
            item.setSymbolBrush(getattr(colours, colour))
            item.setSymbolPen(None)
