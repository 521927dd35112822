"""The actions that switch something of the window on or off."""

from collections.abc import Callable

from maskstudio.session.look_ahead import LookAhead
from maskstudio.ui.actions import Actions
from maskstudio.ui.bars import StatusBar
from maskstudio.ui.canvas.canvas import Canvas
from maskstudio.ui.canvas.minimap import Minimap


class Switches:
    """Does what a switch says, and has the switch say what is done."""

    def __init__(
        self,
        verbs: Actions,
        canvas: Canvas,
        minimap: Minimap,
        look_ahead: LookAhead,
        status: StatusBar,
    ) -> None:
        self._verbs = verbs
        self._canvas = canvas
        self._minimap = minimap
        self._look_ahead = look_ahead
        self._status = status
        look_ahead.changed.connect(self._on_look_ahead)
        for name in ("show_doubt", "show_before"):
            verbs[name].toggled.connect(self.show)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return what to call for each action."""
        return {
            "hide": self._hide,
            "look_ahead": self._switch_look_ahead,
            "share_borders": self._share_borders,
            "minimap": self._show_minimap,
        }

    def show(self) -> None:
        """Say in the status bar what is switched on that is easily forgotten."""
        self._status.show_modes(self._verbs)

    def _is_on(self, name: str) -> bool:
        return self._verbs[name].isChecked()

    def _hide(self) -> None:
        self._canvas.set_hidden(self._is_on("hide"))
        self.show()

    def _share_borders(self) -> None:
        self._canvas.shares_borders = self._is_on("share_borders")
        self.show()

    def _show_minimap(self) -> None:
        self._minimap.wanted = self._is_on("minimap")

    def _switch_look_ahead(self) -> None:
        self._look_ahead.switch(on=self._is_on("look_ahead"))

    def _on_look_ahead(self) -> None:
        self._verbs["look_ahead"].setChecked(self._look_ahead.on)
        self.show()
