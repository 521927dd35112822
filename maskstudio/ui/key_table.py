"""What can have a key: a row for each action, and for what the canvas does with keys itself."""

from dataclasses import dataclass
from enum import Enum, StrEnum, auto

GROUPS = (
    "Draw",
    "Vertices",
    "Regions",
    "Annotations",
    "Categories",
    "Images",
    "Model",
    "View",
    "Program",
)
"""The headings that keys stand under, in order."""


class Where(Enum):
    """Who hears of a key, and so what it may share it with."""

    WINDOW = auto()
    """An action, wherever in the window the focus is, unless somebody types."""
    CANVAS = auto()
    """An action, while the canvas has the focus."""
    TOOL = auto()
    """The tool in hand, while it has a use for the key; it comes before the actions."""
    HELD = auto()
    """The canvas, while the key is held; a tap of it does what else it is the key of."""
    FIXED = auto()
    """A control of the window; it cannot be changed."""


class ToolKey(StrEnum):
    """What tools do with keys; each has a row in `TOOL_KEYS` and can be bound to any key."""

    FINISH = "finish"
    DROP_VERTEX = "drop_vertex"
    OTHER_SIDE = "other_side"
    WIDER = "wider"
    NARROWER = "narrower"
    FILL_HOLE = "fill_hole"
    OFFER_1 = "offer_1"
    OFFER_2 = "offer_2"
    OFFER_3 = "offer_3"
    NEXT_OFFER = "next_offer"
    PAN = "pan"


@dataclass(frozen=True)
class Bindable:
    """One thing that has keys.

    Attributes:
        name: how code calls it.
        text: how the window calls it.
        group: the heading it stands under.
        keys: its keys in the preset MaskStudio, as `QKeySequence` writes them; the first is shown.
        where: who hears of them.
    """

    name: str
    text: str
    group: str
    keys: tuple[str, ...]
    where: Where = Where.WINDOW


TOOL_KEYS: tuple[Bindable, ...] = (
    Bindable(ToolKey.FINISH, "Finish what is drawn", "Draw", ("Return", "Enter"), Where.TOOL),
    Bindable(
        ToolKey.DROP_VERTEX,
        "Drop the last vertex, or delete the one under the pointer",
        "Vertices",
        ("Backspace",),
        Where.TOOL,
    ),
    Bindable(
        ToolKey.OTHER_SIDE,
        "Redraw the other side of an outline",
        "Vertices",
        ("Tab",),
        Where.TOOL,
    ),
    Bindable(ToolKey.WIDER, "Wider brush", "Draw", ("]",), Where.TOOL),
    Bindable(ToolKey.NARROWER, "Narrower brush", "Draw", ("[",), Where.TOOL),
    Bindable(ToolKey.FILL_HOLE, "Fill the hole under the brush", "Regions", ("H",), Where.TOOL),
    Bindable(ToolKey.OFFER_1, "Take the likeliest category", "Model", ("1",), Where.TOOL),
    Bindable(ToolKey.OFFER_2, "Take the second category offered", "Model", ("2",), Where.TOOL),
    Bindable(ToolKey.OFFER_3, "Take the third category offered", "Model", ("3",), Where.TOOL),
    Bindable(ToolKey.NEXT_OFFER, "Next guess of the model", "Model", ("Tab",), Where.TOOL),
    Bindable(ToolKey.PAN, "Pan while it is held", "View", ("Space",), Where.HELD),
)

FIXED_KEYS: tuple[Bindable, ...] = (
    Bindable(
        "rename_category", "Rename a category, in their list", "Categories", ("F2",), Where.FIXED
    ),
    Bindable(
        "add_typed_category",
        "Add a category, in the field",
        "Categories",
        ("Ctrl+Return", "Ctrl+Enter"),
        Where.FIXED,
    ),
    Bindable(
        "menu_key", "Menu of what has the focus, as everywhere", "Program", ("Menu",), Where.FIXED
    ),
    Bindable("menu_bar", "Menus", "Program", ("F10",), Where.FIXED),
)
