"""What a large image will take, said before the model looks at it, and the choice of less."""

from collections.abc import Sequence

from PySide6.QtGui import QAction

from maskstudio.annotation.tiling import MANY_TILES, TileEstimate
from maskstudio.session.preannotation import PreAnnotator
from maskstudio.ui.panels.quiet_row import QuietRow, RowNames
from maskstudio.ui.panels.run_progress import duration

_NAMES = RowNames(
    "What this image will take",
    "Tiles",
    "When to look in tiles",
    "Choose whether large images are looked at in tiles",
)


class TilesRow(QuietRow):
    """Seen while the current image is one of many tiles."""

    def __init__(self, annotator: PreAnnotator, choices: Sequence[QAction]) -> None:
        """Say nothing yet.

        Args:
            annotator: knows what it will take.
            choices: when to look in tiles.
        """
        super().__init__(_NAMES, choices)
        self._annotator = annotator
        annotator.tiles.changed.connect(self._renew)
        annotator.device.changed.connect(self._on_device)
        annotator.running_changed.connect(self._renew)

    def _on_device(self) -> None:
        # In a run the line below tells how much is left.
        if not self._annotator.running:
            self._renew()

    def _renew(self) -> None:
        size, words = self._annotator.tiles.size, ""
        if size is not None:
            shown = f"{size[1]:,} by {size[0]:,}"
            words = _words(shown, self._annotator.estimate(), self._annotator.possible_tiles)
        self.say(words)


def _words(size: str, planned: TileEstimate | None, possible: int) -> str:
    if planned is None:
        missed = possible >= MANY_TILES
        return f"{size}, looked at whole: what is small may be missed" if missed else ""
    if planned.tiles < MANY_TILES:
        return ""
    time = "" if planned.seconds is None else f", about {duration(planned.seconds)}"
    if planned.certain:
        return f"{size}: {planned.tiles:,} tiles{time}"
    return f"{size}: up to {planned.tiles:,} tiles{time}, if what it finds is small"
