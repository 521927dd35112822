"""Every tool is there under the name of its action."""

import pytest

TOOLS = (
    "polygon", "rectangle", "ellipse", "freehand", "magnetic", "box_prompt", "brush", "hole", "cut",
    "erase_vertices", "select",
)  # fmt: skip


@pytest.mark.parametrize("name", TOOLS)
def test_the_action_of_a_tool_takes_that_tool(program, name):
    program.window.verbs[name].trigger()
    assert program.window.input.tool.name == name
