"""Keys that people bring along from other programs.

Each preset says only what differs from MaskStudio's own keys, which stand in the table of actions
and in `key_table`; what it gives a key to takes the key from whatever else had it. Sources: the
default shortcuts of labelme 7, X-AnyLabeling 4 and CVAT 2, as far as there is such an action here.
"""

DEFAULT_PRESET = "MaskStudio"
"""The preset in which everything has the keys of the tables."""

PRESETS: dict[str, dict[str, tuple[str, ...]]] = {
    DEFAULT_PRESET: {},
    "labelme": {
        "polygon": ("Ctrl+N",),
        "rectangle": ("Ctrl+R",),
        "select": ("Ctrl+J",),
        "finish": ("Return", "Enter", "Space"),
        "fit": ("Ctrl+F",),
        "zoom_in": ("Ctrl++", "Ctrl+="),
        "hide": ("T",),
    },
    "X-AnyLabeling": {
        "polygon": ("P",),
        "rectangle": ("R",),
        "box_prompt": ("Shift+R",),
        "select": ("Ctrl+J",),
        "fit": ("Ctrl+F",),
        "pixels": ("Ctrl+=",),
        "zoom_in": ("Ctrl++",),
        "hide": ("Ctrl+H",),
        "hide_selected": ("S",),
        "next_unfinished": ("Ctrl+Shift+D",),
        "predict": ("I",),
        "predict_folder": ("Ctrl+B",),
        "unite": ("Ctrl+Shift+M",),
    },
    "CVAT": {
        "next": ("F", "PgDown"),
        "previous": ("D", "PgUp"),
        "repeat_tool": ("N",),
        "brush": ("Shift+1",),
        "category_1": ("1", "Ctrl+1"),
        "category_2": ("2", "Ctrl+2"),
        "category_3": ("3", "Ctrl+3"),
        "category_4": ("4", "Ctrl+4"),
        "category_5": ("5", "Ctrl+5"),
        "category_6": ("6", "Ctrl+6"),
        "category_7": ("7", "Ctrl+7"),
        "category_8": ("8", "Ctrl+8"),
        "category_9": ("9", "Ctrl+9"),
        "copy_to_next": ("Ctrl+B",),
        "predict_folder": ("Ctrl+Shift+B",),
    },
}
"""Keys by preset and by the name of the action or `ToolKey`."""
