"""Boxes drawn for the model, and whether it has answered."""

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.segmentation import Box
from support.hand import Point
from support.program import Program

START, END = (20, 15), (75, 60)
NEXT = (5, 5), (40, 40)
KINDS = tuple(Category(n, name) for n, name in enumerate(("cell", "debris", "scratch"), 1))


def take_tool(program: Program) -> None:
    """Take the tool and let the model look at the image."""
    program.key("r")
    program.idle()


def hint(program: Program) -> str:
    """Return what the hint says."""
    return program.window.status.hint.text()


def is_offered(program: Program) -> bool:
    """Tell whether something can be taken."""
    return "drops it" in hint(program) and "takes" in hint(program)


def offer(program: Program, start: Point = START, end: Point = END) -> None:
    """Drag a box and wait for what is offered."""
    program.hand.drag(start, end)
    program.until(lambda: is_offered(program))


def box_of(program: Program, start: Point = START, end: Point = END) -> Box:
    """Return the box between the two places the pointer gets to."""
    return (*program.hand.there(start), *program.hand.there(end))


def names(program: Program) -> list[str]:
    """Return the names of the categories of what stands on the image."""
    return [program.session.category(a.category_id).name for a in program.annotations]
