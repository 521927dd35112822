"""All tools, by name."""

from collections.abc import Callable

from maskstudio.session.tasks import Tasks
from maskstudio.ui.tools.brush import BrushTool
from maskstudio.ui.tools.cut import CutTool
from maskstudio.ui.tools.eraser import EraserTool
from maskstudio.ui.tools.freehand import FreehandTool
from maskstudio.ui.tools.hole import HoleTool
from maskstudio.ui.tools.magnetic import MagneticTool
from maskstudio.ui.tools.polygon import PolygonTool
from maskstudio.ui.tools.select import SelectTool
from maskstudio.ui.tools.shapes import EllipseTool, RectangleTool
from maskstudio.ui.tools.tool import CanvasPort, Tool


class Toolbox:
    """The tools in the order of the tool column; `names` are those of their actions too."""

    def __init__(
        self, canvas: CanvasPort, category_id: Callable[[], int | None], tasks: Tasks
    ) -> None:
        """Make every tool.

        Args:
            canvas: what they work on.
            category_id: the category to draw in; None before there is any.
            tasks: where they have things worked out that take time.
        """
        self.select = SelectTool(canvas)
        tools: tuple[Tool, ...] = (
            self.select,
            PolygonTool(canvas, category_id),
            RectangleTool(canvas, category_id),
            EllipseTool(canvas, category_id),
            FreehandTool(canvas, category_id),
            MagneticTool(canvas, category_id, tasks),
            BrushTool(canvas, category_id),
            HoleTool(canvas),
            CutTool(canvas),
            EraserTool(canvas),
        )
        self._tools = {tool.name: tool for tool in tools}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all tools, in order."""
        return tuple(self._tools)

    def __getitem__(self, name: str) -> Tool:
        return self._tools[name]
