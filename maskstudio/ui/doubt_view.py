"""What a model doubts, marked on the canvas, and the walk from one such place to the next."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject

from maskstudio.annotation.overlay_request import NO_MARKS, Marks
from maskstudio.annotation.segmentation import Box
from maskstudio.session.doubt_finding import DoubtFinding, DoubtfulPlace
from maskstudio.session.session import Session
from maskstudio.ui.actions import Actions
from maskstudio.ui.canvas.canvas import Canvas

# A place is shown with as much around it as its annotation is large: one sees where one is.
_CONTEXT = 1.0


class DoubtView(QObject):
    """Marks doubtful places while that is turned on, and goes from one to the next.

    The most doubtful comes first: who meets nothing to correct can stop.
    """

    def __init__(
        self,
        session: Session,
        finding: DoubtFinding,
        canvas: Canvas,
        actions: Actions,
        say: Callable[[str], object],
    ) -> None:
        super().__init__(canvas)
        self._session = session
        self._finding = finding
        self._canvas = canvas
        self._actions = actions
        self._say = say
        self._going = False
        self._last: DoubtfulPlace | None = None
        finding.changed.connect(self._on_changed)
        session.current_changed.connect(self._on_current)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return what to call for each action."""
        return {"show_doubt": self._on_shown, "next_doubt": self._on_next}

    def _on_shown(self) -> None:
        self._finding.wanted = self._actions["show_doubt"].isChecked()
        self._mark()

    def _on_next(self) -> None:
        self._going = True
        self._finding.look()
        self._go()

    def _on_current(self) -> None:
        self._going, self._last = False, None

    def _on_changed(self) -> None:
        self._mark()
        self._go()

    def _mark(self) -> None:
        places = self._finding.places if self._finding.wanted else None
        lines = tuple(place.stretch.points for place in places or ())
        self._canvas.set_marks(Marks(lines) if lines else NO_MARKS)

    def _go(self) -> None:
        places = self._finding.places
        if not self._going or places is None or not self._finding.up_to_date:
            return
        self._going = False
        number = self._after_last(places)
        if number == len(places):
            self._tell_end()
            self._last = None
            return
        place = self._last = places[number]
        self._session.select([place.annotation_id])
        self._canvas.show_box(self._shown_box(place))
        self._say(
            f"Doubtful place {number + 1} of {len(places)}: the outline may lie "
            f"{place.stretch.width / 2:.0f} pixels further in or out.  ·  {{next_doubt}}: the next"
        )

    def _after_last(self, places: Sequence[DoubtfulPlace]) -> int:
        """Return which place comes after the one gone to last, also where that one is gone."""
        last = None if self._last is None else self._last.stretch
        if last is None:
            return 0
        for number, place in enumerate(places):
            if place.stretch is last:
                return number + 1
        return sum(place.stretch.width > last.width for place in places)

    def _tell_end(self) -> None:
        more = "" if self._last is None else "more "
        self._say(f"The model doubts no {more}outlines here.  ·  {{next}}: the next image")

    def _shown_box(self, place: DoubtfulPlace) -> Box:
        x0, y0, x1, y1 = place.stretch.box
        left, top, right, bottom = self._session.annotations[place.annotation_id].box
        across = max(0.0, _CONTEXT * (right - left) - (x1 - x0)) / 2
        down = max(0.0, _CONTEXT * (bottom - top) - (y1 - y0)) / 2
        return x0 - across, y0 - down, x1 + across, y1 + down
