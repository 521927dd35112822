"""Gestures at random: what a hand with a mouse and a keyboard could do next."""

from collections.abc import Sequence
from dataclasses import dataclass

import hypothesis.strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from maskstudio.ui.main_window import MainWindow
from support.hand import ALT, CTRL, LEFT, NONE, RIGHT, SHIFT, Point
from support.program import Program

# Not asked for, like all that opens a dialog: its words end in an ellipsis. What the model finds
# comes when it is ready, and its categories cannot be undone.
_LEFT_OUT = frozenset(
    (
        "quit", "undo", "redo", "find_image", "predict", "predict_folder", "only_image",
        "predict_selected", "predict_new", "look_ahead", "pause",
        "box_prompt", "outline_boxes", "outline_boxes_folder",
        "keys", "about",
    )
)  # fmt: skip
KEYS = (
    Qt.Key.Key_Return, Qt.Key.Key_Backspace, Qt.Key.Key_Escape, Qt.Key.Key_Delete, Qt.Key.Key_Tab,
    Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight, Qt.Key.Key_H, Qt.Key.Key_1, Qt.Key.Key_2,
)  # fmt: skip
ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)


@dataclass(frozen=True)
class Place:
    """Where on the canvas: somewhere, or near a vertex or an edge there is.

    Attributes:
        x: a share of the image's width; below 0 and above 1 lie beside it.
        y: likewise of its height.
        vertex: this one of what is selected, or of all, counted round and round; None: (x, y).
        on_edge: the middle of the edge that begins there, instead.
        off: so many screen points beside it.
    """

    x: float
    y: float
    vertex: int | None
    on_edge: bool
    off: tuple[int, int]

    def find(self, program: Program) -> Point:
        """Return the place in image coordinates."""
        record = program.session.current
        if record is None:
            raise AssertionError("no image is shown")
        x, y = self.x * record.width, self.y * record.height
        rings = [
            ring
            for annotation in program.session.selected() or program.annotations
            if annotation.segmentation is not None
            for _, _, ring in annotation.segmentation.rings()
        ]
        if self.vertex is not None and rings:
            ring = rings[self.vertex % len(rings)]
            at = self.vertex % len(ring)
            x, y = ring[at]
            if self.on_edge:
                other = ring[(at + 1) % len(ring)]
                x, y = (x + other[0]) / 2, (y + other[1]) / 2
        scale = program.canvas.viewport.scale
        return float(x) + self.off[0] / scale, float(y) + self.off[1] / scale


@dataclass(frozen=True)
class Use:
    """An action is asked for by its key, or where it has none as from its menu."""

    name: str

    def do(self, program: Program) -> None:
        """Do it, if it can be done now."""
        action = program.window.verbs[self.name]
        if action.shortcut().isEmpty():
            action.trigger()
        else:
            QTest.keySequence(program.focus(), action.shortcut())


@dataclass(frozen=True)
class Pick:
    """Annotations are selected: the pointer is taken in hand, each is clicked with Ctrl.

    Attributes:
        which: their places on the image, counted round and round.
        middle: whether the middle or the first vertex is clicked.
    """

    which: tuple[int, ...]
    middle: bool

    def do(self, program: Program) -> None:
        """Select them, or what lies over them."""
        program.session.select(())
        Use("select").do(program)
        shown = [a for a in program.annotations if a.segmentation is not None]
        for place in self.which if shown else ():
            outline = shown[place % len(shown)].segmentation
            if outline is not None:
                inside = outline.geometry.representative_point()
                first = outline.ring(0, 0)[0]
                at = (inside.x, inside.y) if self.middle else (float(first[0]), float(first[1]))
                program.hand.click(at, held=CTRL)


@dataclass(frozen=True)
class Press:
    """A key is pressed, with others held."""

    key: Qt.Key
    held: Qt.KeyboardModifier

    def do(self, program: Program) -> None:
        """Press and release it."""
        program.key(self.key, self.held)


@dataclass(frozen=True)
class Click:
    """A button is clicked at each place in turn, twice at the last one if so."""

    places: tuple[Place, ...]
    button: Qt.MouseButton
    held: Qt.KeyboardModifier
    twice: bool

    def do(self, program: Program) -> None:
        """Click."""
        for place in self.places:
            program.hand.click(place.find(program), self.button, self.held)
        # A menu that is open has the mouse.
        if self.twice and QApplication.activePopupWidget() is None:
            program.hand.double_click(self.places[-1].find(program))


@dataclass(frozen=True)
class Drag:
    """A button is held from place to place; `key` is pressed before it is let go."""

    places: tuple[Place, ...]
    button: Qt.MouseButton
    held: Qt.KeyboardModifier
    key: Qt.Key | None

    def do(self, program: Program) -> None:
        """Drag."""
        start, *stops = [place.find(program) for place in self.places]
        program.hand.press(start, self.button, self.held)
        for stop in stops:
            QTest.mouseMove(program.canvas, program.hand.screen(stop))
        if self.key is not None:
            program.key(self.key)
        program.hand.release(stops[-1], self.button, self.held)


@dataclass(frozen=True)
class Wheel:
    """The wheel is turned at a place."""

    place: Place
    notches: int
    held: Qt.KeyboardModifier

    def do(self, program: Program) -> None:
        """Turn it."""
        program.hand.wheel(self.place.find(program), self.notches, self.held)


Gesture = Use | Pick | Press | Click | Drag | Wheel

_held = st.sampled_from((NONE, NONE, NONE, CTRL, SHIFT, ALT))
_shares = st.integers(-10, 110).map(lambda n: n / 100)
_places = st.builds(
    Place,
    _shares,
    _shares,
    st.none() | st.integers(0, 400),
    st.booleans(),
    st.tuples(st.integers(-3, 3), st.integers(-3, 3)),
)
_vertices = st.builds(Place, _shares, _shares, st.integers(0, 400), st.booleans(), st.just((0, 0)))
# From vertex to vertex an outline is drawn anew; Tab takes its other side.
_redraws = st.sampled_from((SHIFT, SHIFT, NONE))
_side = st.sampled_from((None, Qt.Key.Key_Tab))


def _several(least: int, most: int) -> st.SearchStrategy[tuple[Place, ...]]:
    return st.lists(_places, min_size=least, max_size=most).map(tuple)


def actions_of(window: MainWindow) -> list[str]:
    """Return the names of the actions that may be asked for at any time."""
    named = {action.objectName(): action for action in window.verbs.findChildren(QAction)}
    return [name for name, a in named.items() if name not in _LEFT_OUT and "…" not in a.text()]


def edits_of(window: MainWindow) -> list[str]:
    """Return those of them that stand in the menus of what is done to annotations."""
    menus = (m for m in window.findChildren(QMenu) if m.title() in ("&Edit", "&Annotation"))
    names = {action.objectName() for menu in menus for action in menu.actions()}
    return [name for name in actions_of(window) if name in names]


def gestures(
    actions: Sequence[str], edits: Sequence[str], tools: Sequence[str]
) -> st.SearchStrategy[tuple[Gesture, ...]]:
    """Return the gestures there are, some of them with what makes them possible before them.

    Args:
        actions: the names of all actions that may be asked for.
        edits: those that change what is selected.
        tools: those that take a tool in hand.
    """
    use, edit, take = (st.builds(Use, st.sampled_from(names)) for names in (actions, edits, tools))
    pick = st.builds(Pick, st.lists(st.integers(0, 20), max_size=3).map(tuple), st.booleans())
    button = st.sampled_from((LEFT, LEFT, LEFT, RIGHT))
    mouse = st.one_of(
        st.builds(Click, _several(1, 1), button, _held, st.booleans()),
        st.builds(Click, _several(3, 6), st.just(LEFT), st.just(NONE), st.booleans()),
        st.builds(Drag, _several(2, 5), button, _held, st.none() | st.sampled_from(KEYS)),
        st.builds(Drag, _several(2, 3), st.just(LEFT), st.just(NONE), st.none()),
        st.builds(Drag, st.tuples(_vertices, _places, _vertices), st.just(LEFT), _redraws, _side),
        st.builds(Click, st.tuples(_vertices), st.just(LEFT), st.just(ALT), st.just(False)),
    )
    others = st.one_of(
        st.builds(Press, st.sampled_from(KEYS), st.just(NONE)),
        st.builds(Press, st.sampled_from(ARROWS), st.sampled_from((NONE, SHIFT))),
        st.builds(Wheel, _places, st.integers(-4, 6), st.sampled_from((NONE, CTRL, SHIFT))),
    )
    return st.one_of(
        st.tuples(pick, edit),
        st.tuples(pick, edit, edit),
        st.tuples(pick, mouse),
        st.tuples(pick, take, mouse),
        st.tuples(take, mouse, mouse),
        st.tuples(mouse),
        st.tuples(use),
        st.tuples(others),
    )
