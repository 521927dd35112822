"""All tools, by name; all but one are imported and made when they are first taken in hand."""

from collections.abc import Callable
from dataclasses import dataclass

from maskstudio.session.preannotation import PreAnnotator
from maskstudio.session.tasks import Tasks
from maskstudio.ui.tools.select import SelectTool
from maskstudio.ui.tools.tool import CanvasPort, Tool


@dataclass(frozen=True)
class Surroundings:
    """What tools need beside the canvas.

    Attributes:
        category_id: gives the category to draw in; None before there is any.
        tasks: where they have things worked out that take time.
        annotator: has the model that they ask.
        shown_key: gives the key of an action or a `ToolKey` as it is written for people.
        inform: says a sentence to the person that is no problem.
    """

    category_id: Callable[[], int | None]
    tasks: Tasks
    annotator: PreAnnotator
    shown_key: Callable[[str], str]
    inform: Callable[[str], None]


def _polygon(canvas: CanvasPort, around: Surroundings) -> Tool:
    from maskstudio.ui.tools.polygon import PolygonTool

    return PolygonTool(canvas, around.category_id)


def _rectangle(canvas: CanvasPort, around: Surroundings) -> Tool:
    from maskstudio.ui.tools.shapes import RectangleTool

    return RectangleTool(canvas, around.category_id)


def _ellipse(canvas: CanvasPort, around: Surroundings) -> Tool:
    from maskstudio.ui.tools.shapes import EllipseTool

    return EllipseTool(canvas, around.category_id)


def _freehand(canvas: CanvasPort, around: Surroundings) -> Tool:
    from maskstudio.ui.tools.freehand import FreehandTool

    return FreehandTool(canvas, around.category_id)


def _magnetic(canvas: CanvasPort, around: Surroundings) -> Tool:
    from maskstudio.ui.tools.magnetic import MagneticTool

    return MagneticTool(canvas, around.category_id, around.tasks)


def _box_prompt(canvas: CanvasPort, around: Surroundings) -> Tool:
    from maskstudio.session.prompting import Prompter
    from maskstudio.ui.tools.box_prompt import BoxPromptTool

    prompter = Prompter(
        canvas.session, around.tasks, around.annotator, around.category_id, canvas.neighbours
    )
    prompter.told.connect(around.inform)
    return BoxPromptTool(canvas, prompter, around.shown_key)


def _brush(canvas: CanvasPort, around: Surroundings) -> Tool:
    from maskstudio.ui.tools.brush import BrushTool

    return BrushTool(canvas, around.category_id)


def _hole(canvas: CanvasPort, _: Surroundings) -> Tool:
    from maskstudio.ui.tools.hole import HoleTool

    return HoleTool(canvas)


def _cut(canvas: CanvasPort, _: Surroundings) -> Tool:
    from maskstudio.ui.tools.cut import CutTool

    return CutTool(canvas)


def _eraser(canvas: CanvasPort, _: Surroundings) -> Tool:
    from maskstudio.ui.tools.eraser import EraserTool

    return EraserTool(canvas)


# In the order of the tool column.
_MAKERS: dict[str, Callable[[CanvasPort, Surroundings], Tool]] = {
    "polygon": _polygon,
    "rectangle": _rectangle,
    "ellipse": _ellipse,
    "freehand": _freehand,
    "magnetic": _magnetic,
    "box_prompt": _box_prompt,
    "brush": _brush,
    "hole": _hole,
    "cut": _cut,
    "erase_vertices": _eraser,
}


class Toolbox:
    """The tools; `select` is in hand when the window opens."""

    def __init__(self, canvas: CanvasPort, around: Surroundings) -> None:
        """Make the first tool.

        Args:
            canvas: what they work on.
            around: what else they need.
        """
        self.select = SelectTool(canvas)
        self._canvas = canvas
        self._around = around
        self._tools: dict[str, Tool] = {self.select.name: self.select}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all tools and of their actions, in the order of the tool column."""
        return (self.select.name, *_MAKERS)

    def __getitem__(self, name: str) -> Tool:
        if name not in self._tools:
            self._tools[name] = _MAKERS[name](self._canvas, self._around)
        return self._tools[name]
