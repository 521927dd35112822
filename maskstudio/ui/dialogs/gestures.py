"""What the mouse does, told by the groups of the sheet of keys."""

GESTURES: tuple[tuple[str, str, str], ...] = (
    ("Images", "Select several in the list", "Ctrl+click, Shift+click; the shown one stays"),
    ("Draw", "Polygon", "click its vertices; drag in one go with Freehand"),
    (
        "Draw",
        "Close an outline",
        "click its first vertex or double-click  ·  {finish}",
    ),
    ("Draw", "Drop the last vertex", "right-click  ·  {drop_vertex}  ·  {undo}"),
    (
        "Draw",
        "Rectangle or ellipse",
        "drag, or click two opposite corners; Shift: square or circle; Alt: from the centre",
    ),
    ("Draw", "Freehand", "drag along the outline; letting go closes it"),
    (
        "Draw",
        "Outline a box by the model",
        "drag around an object, or Shift+click two opposite corners; a handle: outline again",
    ),
    (
        "Draw",
        "Outline what the model missed",
        "click inside it with Outline a box  ·  {next_offer} or wheel: its next guess",
    ),
    (
        "Draw",
        "Take what the model outlined",
        "{finish}, the next box, or click it; {offer_1} to {offer_3}: its categories",
    ),
    ("Draw", "Brush", "drag adds to the selected annotation or begins one; Ctrl+drag erases"),
    ("Draw", "Wider or narrower brush", "wheel  ·  {wider} and {narrower}; Ctrl+wheel zooms"),
    ("Draw", "End what is brushed", "right-click: the next stroke begins another  ·  {finish}"),
    (
        "Draw",
        "Magnetic outline",
        "click on the edge, move along it, click to fix the stretch; Ctrl: straight",
    ),
    (
        "Regions",
        "Draw a hole",
        "click its vertices or drag around it, in what is selected or lies under the pointer",
    ),
    (
        "Regions",
        "Share a border",
        "what is drawn over a neighbour is cut there, the polygon snaps to it  ·  {share_borders}",
    ),
    (
        "Draw",
        "Cut",
        "drag a line right across what is selected, or across anything if nothing is",
    ),
    ("Vertices", "Move a vertex", "drag it"),
    ("Vertices", "Insert a vertex", "drag an edge, Alt+click it, or double-click it"),
    ("Vertices", "Delete a vertex", "Alt+click or Shift+click it  ·  {drop_vertex} over it"),
    (
        "Vertices",
        "Erase many vertices",
        "drag over them with Erase vertices; wheel: wider circle  ·  {wider} and {narrower} too",
    ),
    (
        "Vertices",
        "Redraw a stretch of an outline",
        "Shift+drag from one place of it to another; the shorter side goes  ·  {other_side}: other",
    ),
    (
        "Annotations",
        "Select",
        "click; Ctrl+click adds; drag over empty ground takes all inside",
    ),
    ("Annotations", "Menu", "right-click one, or empty ground  ·  {context_menu}"),
    ("Annotations", "Move", "drag  ·  {nudge_left} {nudge_right} {nudge_up} {nudge_down}"),
    (
        "Annotations",
        "Move by ten pixels",
        "{nudge_left_far} {nudge_right_far} {nudge_up_far} {nudge_down_far}",
    ),
    ("Annotations", "Hide or show", "click its eye in the list  ·  {hide_selected}"),
    ("Annotations", "Lock or unlock", "click its lock in the list  ·  {lock}"),
    ("Annotations", "Note, attributes", "Properties below the list  ·  {properties}"),
    (
        "Categories",
        "Choose or change",
        "click it, or type a part of its name and Enter  ·  {category_1} to {category_9}",
    ),
    ("Categories", "Put elsewhere in the list", "drag it  ·  {category_up} and {category_down}"),
    ("Categories", "Hide or show", "click its eye  ·  {hide_category}"),
    ("Categories", "Rename", "click its pencil  ·  F2 in the list"),
    ("Categories", "Colour, merge, delete", "right-click it; Ctrl+click selects several"),
    (
        "Model",
        "Filter what it found",
        "drag a slider of the panel; let go: one step; double-click: back to the usual",
    ),
    (
        "Model",
        "Find what it doubts",
        "{next_doubt}: the most doubtful outline, then the next  ·  {show_doubt}: mark them all",
    ),
    (
        "Model",
        "See what another model changed",
        "{show_before} held: what was before  ·  {next_changed}: the next changed image",
    ),
    ("View", "Zoom", "wheel, with or without Ctrl; Shift+wheel goes sideways"),
    ("View", "Minimap", "click: show what lies there; drag: move the view  ·  {minimap}"),
    ("View", "Pan", "middle button  ·  {pan} and drag; also in the middle of drawing"),
    (
        "Program",
        "Open or import",
        "drop a folder of images, or a data set of another program, on the window",
    ),
)
"""(group, what, how); keys stand in braces, as `Keymap.fill` takes them."""
