"""Every action of the program in one table: its words, keys, icon and tip."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence

from maskstudio.ui.key_table import FIXED_KEYS, TOOL_KEYS, Bindable, ToolKey, Where
from maskstudio.ui.keymap import Keymap
from maskstudio.ui.theme import icon


@dataclass(frozen=True)
class ActionSpec:
    """One thing a person can ask for.

    Attributes:
        name: how code calls it.
        text: how the window calls it.
        keys: shortcuts in the preset MaskStudio, the first of which is shown; all can be changed.
        icon: its picture, or empty.
        tip: what it does, in a sentence.
        checkable: it is on or off.
        group: the heading of the sheet of keys it stands under; empty for that of the row before.
        on_canvas: its keys count only while the canvas has the focus.
        repeats: it is done again and again while its key is held.
        short: how its button calls it; empty for its text.
    """

    name: str
    text: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    checkable: bool = False
    group: str = ""
    on_canvas: bool = False
    repeats: bool = True
    short: str = ""


_SPECS = (
    ActionSpec("open", "Open folder…", ("Ctrl+U", "Ctrl+O"), "folder-open-outline",
               "Open a folder of images", group="Program"),
    ActionSpec("import", "Import…", ("Ctrl+Shift+E",), "import",
               "Take in the annotations of a data set of another program; a file or folder dropped "
               "on the window does the same"),
    ActionSpec("export", "Export…", ("Ctrl+E",), "export-variant",
               "Write the annotations for training, or for another program"),
    ActionSpec("quit", "Quit", ("Ctrl+Q",)),
    ActionSpec("undo", "Undo", ("Ctrl+Z",), "undo"),
    ActionSpec("redo", "Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "redo"),
    ActionSpec("escape", "Go back", ("Esc",),
               tip="Drop what is half done; then put the tool away; then select nothing"),
    ActionSpec("delete", "Delete", ("Delete",), "trash-can-outline",
               "Delete the selected annotations", group="Annotations"),
    ActionSpec("copy", "Copy", ("Ctrl+C",), "content-copy", "Copy the selected annotations"),
    ActionSpec("paste", "Paste", ("Ctrl+V",), "content-paste",
               "Put what was copied on this image"),
    ActionSpec("duplicate", "Duplicate", ("Ctrl+D",), tip="Put a copy beside what is selected"),
    ActionSpec("copy_to_next", "Copy to next image", ("Ctrl+Shift+C",),
               tip="Go to the next image and put a copy of what is selected there"),
    ActionSpec("unite", "Unite", ("Ctrl+Shift+M",), "vector-union",
               "Make one of the selected annotations; the topmost stays", group="Regions"),
    ActionSpec("subtract", "Subtract", ("Ctrl+Shift+X",), "vector-difference-ab",
               "Take the other selected annotations off the largest; they are deleted"),
    ActionSpec("intersect", "Intersect", ("Ctrl+Shift+I",), "vector-intersection",
               "Keep only what all selected annotations share"),
    ActionSpec("merge_parts", "Merge into parts", ("Ctrl+Shift+G",), "call-merge",
               "Make the selected annotations the parts of one; the topmost stays"),
    ActionSpec("split_parts", "Split parts", ("Ctrl+Shift+P",), "call-split",
               "Make an annotation of each part of the selected ones"),
    ActionSpec("fill_holes", "Fill holes", ("Ctrl+Shift+O",), "format-color-fill",
               "Fill every hole of the selected annotations"),
    ActionSpec("trim", "Trim to neighbours", ("Ctrl+Shift+T",), "content-cut",
               "Cut the selected annotations where others lie over or under them; borders are "
               "shared"),
    ActionSpec("share_borders", "Share borders", ("Shift+S",), "border-inside",
               "Cut what is drawn where others lie, and snap the polygon to their borders",
               checkable=True, repeats=False),
    ActionSpec("simplify", "Simplify…", ("Ctrl+Shift+S",), "vector-polyline-minus",
               "Give the selected annotations fewer vertices, or more", group="Vertices"),
    ActionSpec("select_all", "Select all", ("Ctrl+A",), group="Annotations"),
    ActionSpec("next_annotation", "Next annotation", ("Tab",), tip="Walk through the annotations",
               on_canvas=True),
    ActionSpec("previous_annotation", "Previous annotation", ("Shift+Tab",), on_canvas=True),
    ActionSpec("next_doubt", "Next doubtful place", ("U",),
               tip="Go to the part of an outline that the model doubts most, then to the next; "
               "what you accepted or changed is left out"),
    ActionSpec("hide_selected", "Hide selected", ("H",), "eye-off-outline",
               "Hide the selected annotations, or show them again; hidden ones are exported all "
               "the same", checkable=True, repeats=False),
    ActionSpec("show_hidden", "Show all hidden", ("Shift+H",), "eye-outline",
               "Show every annotation of this image that is hidden"),
    ActionSpec("lock", "Lock", ("L",), "lock-outline",
               "Keep the selected annotations from any change, or unlock them", checkable=True,
               repeats=False),
    ActionSpec("to_front", "Bring to front", ("Ctrl+]",), "arrange-bring-to-front",
               "In front of all others: clicked first, painted last"),
    ActionSpec("raise", "Bring forward", ("]",), "arrange-bring-forward",
               "In front of the next annotation that it overlaps"),
    ActionSpec("lower", "Send backward", ("[",), "arrange-send-backward",
               "Behind the next annotation that it overlaps"),
    ActionSpec("to_back", "Send to back", ("Ctrl+[",), "arrange-send-to-back",
               "Behind all others"),
    ActionSpec("crowd", "Crowd", ("Ctrl+Shift+W",), "account-group-outline",
               "The selected annotations are groups that nobody told apart (COCO's iscrowd): "
               "training and evaluation pass over them", checkable=True, repeats=False),
    ActionSpec("properties", "Note and attributes…", ("Ctrl+I",), "note-text-outline",
               "Type a note or attributes of the selected annotations"),
    *(
        ActionSpec(f"nudge_{way}{name}", f"Move {way} by {pixels}", (held + way.capitalize(),),
                   on_canvas=True)
        for way in ("left", "right", "up", "down")
        for name, pixels, held in (("", "one pixel", ""), ("_far", "ten pixels", "Shift+"))
    ),
    *(
        ActionSpec(f"category_{digit}", f"Category {digit}", (str(digit),), group="Categories",
                   tip=f"Give the selection category {digit}, or draw in it next")
        for digit in range(1, 10)
    ),
    ActionSpec("category_up", "Move category up", ("Alt+Up",),
               tip="The digits follow the order of the list; exports do not"),
    ActionSpec("category_down", "Move category down", ("Alt+Down",)),
    ActionSpec("hide_category", "Hide or show category", ("Ctrl+Shift+H",), "eye-outline",
               "Hide the annotations of the selected categories, or show them; they are exported "
               "all the same"),
    ActionSpec("only_category", "Show only this category",
               tip="Hide the annotations of all categories that are not selected"),
    ActionSpec("show_categories", "Show all categories"),
    ActionSpec("merge_category", "Merge category into…",
               tip="Give all annotations of a category another one, in the whole project"),
    ActionSpec("select", "Select", ("V", "Ctrl+J"), "cursor-default",
               "Select, move and reshape annotations", checkable=True, group="Draw"),
    ActionSpec("polygon", "Polygon", ("P", "Ctrl+N"), "vector-polygon",
               "Draw an outline vertex by vertex", checkable=True),
    ActionSpec("rectangle", "Rectangle", ("Shift+R",), "rectangle-outline",
               "Draw a rectangle by dragging, or by two corners", checkable=True),
    ActionSpec("ellipse", "Ellipse", ("Shift+E",), "ellipse-outline",
               "Draw an ellipse by dragging the box around it, or by two corners", checkable=True),
    ActionSpec("freehand", "Freehand", ("Shift+F",), "lasso",
               "Draw an outline in one stroke", checkable=True),
    ActionSpec("magnetic", "Magnetic", ("Shift+M",), "magnet",
               "Draw an outline that follows the edges in the image", checkable=True),
    ActionSpec("box_prompt", "Outline a box", ("R",), "vector-selection",
               "The model outlines what you drag a box around, and what it missed where you click",
               checkable=True, short="Box"),
    ActionSpec("brush", "Brush", ("Shift+B",), "brush",
               "Paint on the selected annotation or begin one; Ctrl erases", checkable=True),
    ActionSpec("hole", "Hole", ("Shift+O",), "vector-polygon-variant",
               "Draw a hole into the selected annotations, or into one under the pointer",
               checkable=True),
    ActionSpec("cut", "Cut", ("Shift+K",), "box-cutter",
               "Cut annotations in two along a line", checkable=True),
    ActionSpec("erase_vertices", "Erase vertices", ("Shift+X",), "eraser",
               "Take out all the vertices that a circle is dragged over", checkable=True,
               short="Eraser"),
    ActionSpec("repeat_tool", "Repeat last tool", ("N",),
               tip="Finish what is drawn, or take the drawing tool used last"),
    ActionSpec("next", "Next image", ("D", "PgDown"), group="Images"),
    ActionSpec("previous", "Previous image", ("A", "PgUp")),
    ActionSpec("next_unfinished", "Next unverified image", ("Ctrl+Shift+D",)),
    ActionSpec("go_to", "Go to image…", ("Ctrl+G",), tip="By its place in the list, or its name"),
    ActionSpec("find_image", "Find images", ("Ctrl+L",), tip="List those with a part of a name"),
    ActionSpec("what_next", "What to label next", ("Ctrl+Shift+A",), "head-question-outline",
               "Order the list by what would teach the model most, with the reason for each image; "
               "once that is known, go to the first"),
    ActionSpec("verify", "Verify and next", ("Space",), "check-bold",
               "Accept what stands on the image and go to the next; with nothing on it, it is "
               "verified empty", repeats=False),
    ActionSpec("skip", "Skip image", ("Ctrl+K",), tip="This image is not to be labelled",
               repeats=False),
    ActionSpec("reopen", "Reopen image", (), tip="Take back that the image is verified or skipped"),
    ActionSpec("quality", "Quality", ("Ctrl+Shift+Q",), "clipboard-check-outline",
               "Check the whole project for what training would stumble over, and put it right"),
    ActionSpec("audit", "Ask the model about verified work", (), "eye-check-outline",
               "List where the model disagrees with what was verified: likely misses, sloppy "
               "outlines, other categories"),
    ActionSpec("next_finding", "Next finding", ("F8",),
               tip="Go to the next place that the check of the project found"),
    ActionSpec("previous_finding", "Previous finding", ("Shift+F8",)),
    ActionSpec("predict", "Pre-annotate", ("I",), "auto-fix",
               "Run the model on this image", group="Model", repeats=False),
    ActionSpec("predict_folder", "Pre-annotate folder", ("Ctrl+B",), "image-multiple-outline",
               "Run the model on every image that is not finished; your own work is never touched"),
    ActionSpec("predict_selected", "Pre-annotate selected images", ("Ctrl+Alt+B",),
               tip="Run the model on the images selected in the list (Shift or Ctrl and a click)"),
    ActionSpec("predict_new", "Pre-annotate new images", ("Ctrl+Shift+B",),
               tip="Run the model on every image that nothing has been done to yet"),
    ActionSpec("look_ahead", "Pre-annotate while I work", ("Shift+I",), checkable=True,
               tip="Have the next images pre-annotated by the time you come to them; it comes on "
               "when you first pre-annotate an image of a folder", repeats=False),
    ActionSpec("learn", "Learn while I label", checkable=True, repeats=False,
               tip="Learn from every image you verify while the computer is idle; what was learned "
               "is used for as long as it leaves you less to correct"),
    ActionSpec("start_model", "Back to the model I started with", (), "backup-restore",
               "Use the model without what it has learned in this folder, and learn no more until "
               "you switch it on again"),
    ActionSpec("pause", "Pause or continue the run", ("Ctrl+P",), repeats=False,
               tip="Let the run over many images wait, or go on with it"),
    ActionSpec("whole_image", "Whole image, no tiles", (), "fit-to-page-outline",
               "Look at this image whole instead: quick, but what is small may be missed"),
    ActionSpec("tiles_auto", "Tiles: where needed", checkable=True,
               tip="Look at large images in tiles where objects would be too small to be found"),
    ActionSpec("tiles_always", "Tiles: always", checkable=True,
               tip="Look at every image in tiles that is larger than one"),
    ActionSpec("tiles_never", "Tiles: never", checkable=True,
               tip="Scale every image to the size the model takes"),
    ActionSpec("outline_boxes", "Boxes become outlines", (), "shape-polygon-plus",
               "The model outlines what is a box alone: of the selection, or of the whole image"),
    ActionSpec("outline_boxes_folder", "Boxes of the folder become outlines",
               tip="The model outlines every annotation of the folder that is a box alone"),
    ActionSpec("cancel", "Cancel the model", ("Ctrl+.",), "stop-circle-outline"),
    ActionSpec("category_map", "Category map…", (), "tag-arrow-right-outline",
               "Choose what becomes of each of the model's categories in this project"),
    ActionSpec("failures", "Images that failed…", (),
               tip="List the images that the run could not do, and why"),
    ActionSpec("train", "Train…", (), "school-outline",
               "Have a model learn from the images you have verified, so that tomorrow's "
               "pre-annotation is better than today's"),
    ActionSpec("compare", "Compare models…", (), "compare",
               "Measure another model and the one in use on the same images, and choose one"),
    ActionSpec("predict_again", "Predict untouched images again", (),
               tip="Run the model in use on every image with something on it that nobody has "
               "touched; your own work and verified images stay"),
    ActionSpec("show_before", "Show what was before", ("B",), "history",
               "Show what the model before found on this image, with what is another by now "
               "marked, while the key is held or until it is pressed again", checkable=True,
               repeats=False),
    ActionSpec("next_changed", "Next changed image", ("F7",),
               tip="Go to the next image, not verified, that another model changed"),
    ActionSpec("previous_changed", "Previous changed image", ("Shift+F7",)),
    ActionSpec("payoff", "Does it pay?", (), "chart-bar-stacked",
               "What became of what the model found, and how long an object takes: by day, "
               "category and model"),
    ActionSpec("models", "Models…", (), "cube-outline",
               "Choose, download or import a model, and see what each is for"),
    ActionSpec("choose_model", "Choose a model file…", (), "file-outline"),
    ActionSpec("fit", "Fit image", ("F", "Ctrl+F"), "fit-to-screen-outline", group="View"),
    ActionSpec("pixels", "100 %", ("Ctrl+0",)),
    ActionSpec("zoom_in", "Zoom in", ("Ctrl++", "Ctrl+="), tip="The wheel does it too"),
    ActionSpec("zoom_out", "Zoom out", ("Ctrl+-",)),
    ActionSpec("zoom_selection", "Zoom to selection", ("Z",)),
    ActionSpec("hide", "Hide annotations", ("T", "Ctrl+H"), checkable=True, repeats=False),
    ActionSpec("show_doubt", "Show doubt", ("Shift+U",), "help-rhombus-outline",
               "Mark the parts of outlines that the model doubts: where they would lie elsewhere "
               "at a slightly other mask threshold", checkable=True, repeats=False),
    ActionSpec("minimap", "Minimap", ("M",), checkable=True, repeats=False,
               tip="Show the whole image in a corner while it is larger than the window"),
    ActionSpec("adjust", "Adjust display…", ("Ctrl+Shift+L",), "brightness-6",
               "Show the image brighter or with more contrast, or other values of one of 16 bits; "
               "it stays as it is"),
    ActionSpec("reset_display", "Reset display", ("Ctrl+Shift+R",),
               tip="Show the image as it is stored"),
    ActionSpec("only_image", "Only the image", ("F11",), checkable=True,
               tip="Fold every panel away", repeats=False),
    ActionSpec("next_panel", "Next panel", ("F6",), group="Program",
               tip="Give the keys to the next part of the window"),
    ActionSpec("previous_panel", "Previous panel", ("Shift+F6",)),
    ActionSpec("context_menu", "Menu of what has the focus", ("Shift+F10",), repeats=False,
               tip="What the right mouse button opens"),
    ActionSpec("keys", "Keys and mouse", ("F1",), tip="The sheet of all keys and mouse gestures"),
    ActionSpec("change_keys", "Change keys…", (), "keyboard-outline",
               "Choose the keys of another program, or a key for each action"),
    ActionSpec("about", "About MaskStudio"),
)  # fmt: skip

NUDGES = tuple(spec.name for spec in _SPECS if spec.name.startswith("nudge_"))
"""The actions that move the selection by a few pixels."""


class Actions(QObject):
    """The actions by name.

    Attributes:
        keymap: the keys of the actions and of the tools; the actions follow it.
    """

    def __init__(self, parent: QObject, others: Iterable[Bindable] = ()) -> None:
        """Make all actions; `others` have keys too, and are no actions."""
        super().__init__(parent)
        self.keymap = Keymap([*_rows(), *TOOL_KEYS, *FIXED_KEYS, *others], self)
        self._specs = {spec.name: spec for spec in _SPECS}
        self._tips = {spec.name: spec.tip or spec.text.rstrip("…") for spec in _SPECS}
        self._actions = {spec.name: self._make(spec) for spec in _SPECS}
        self._renew_keys()
        self.keymap.changed.connect(self._renew_keys)

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def connect_all(self, handlers: dict[str, Callable[[], object]]) -> None:
        """Say what each action does; every action must have a handler."""
        left = self._actions.keys() ^ handlers.keys()
        if left:
            raise ValueError(f"actions and handlers differ: {sorted(left)}")
        for name, handler in handlers.items():
            self._actions[name].triggered.connect(lambda *_, call=handler: call())

    def renew_icons(self) -> None:
        """Draw the icons again, after the theme changed."""
        for name, spec in self._specs.items():
            if spec.icon:
                self._actions[name].setIcon(icon(spec.icon))

    def all(self, *, on_canvas: bool) -> list[QAction]:
        """Return the actions whose keys count on the canvas only, or all others."""
        return [self._actions[n] for n, s in self._specs.items() if s.on_canvas is on_canvas]

    def describe(self, name: str, tip: str) -> None:
        """Say of an action what it would do now."""
        self._tips[name] = tip
        self._renew_tip(name)

    def trigger_on(self, key: str) -> None:
        """Do what has a key, where the canvas heard of it first."""
        name = self.keymap.action_on(key)
        if name is not None:
            self._actions[name].trigger()

    def _renew_keys(self) -> None:
        """Give every action the keys it has now."""
        panning = self.keymap.keys(ToolKey.PAN)
        for name, action in self._actions.items():
            keys = self.keymap.keys(name)
            # The canvas hears of this one when it is let go of, and triggers the action itself.
            action.setShortcuts([QKeySequence(key) for key in keys if key not in panning])
            text = self._specs[name].text
            if any(key in panning for key in keys):
                # Behind a tab Qt shows it where shortcuts stand.
                action.setText(f"{text}\t{self.keymap.shown(name)}")
                action.setIconText(text)
            else:
                action.setText(text)
            self._renew_tip(name)

    def _renew_tip(self, name: str) -> None:
        tip, key = self._tips[name], self.keymap.shown(name)
        self._actions[name].setToolTip(f"{tip} ({key})" if key else tip)

    def _make(self, spec: ActionSpec) -> QAction:
        action = QAction(spec.text, self)
        action.setObjectName(spec.name)
        action.setCheckable(spec.checkable)
        action.setAutoRepeat(spec.repeats)
        if spec.on_canvas:
            # Elsewhere they walk from one control to the next, or through a list.
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        if spec.icon:
            action.setIcon(icon(spec.icon))
        if spec.short:
            action.setIconText(spec.short)
        return action


def _rows() -> list[Bindable]:
    rows, group = [], ""
    for spec in _SPECS:
        group = spec.group or group
        where = Where.CANVAS if spec.on_canvas else Where.WINDOW
        rows.append(Bindable(spec.name, spec.text.rstrip("…"), group, spec.keys, where))
    return rows
