"""Every action of the program in one table: its words, keys, icon and tip."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence

from maskstudio.ui.theme import icon


@dataclass(frozen=True)
class ActionSpec:
    """One thing a person can ask for.

    Attributes:
        name: how code calls it.
        text: how the window calls it.
        keys: shortcuts, the first of which is shown.
        icon: its picture, or empty.
        tip: what it does, in a sentence.
        checkable: it is on or off.
        shown_keys: keys to show that the canvas handles itself.
    """

    name: str
    text: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    checkable: bool = False
    shown_keys: str = ""


_SPECS = (
    ActionSpec("open", "Open folder…", ("Ctrl+U", "Ctrl+O"), "mdi6.folder-open-outline",
               "Open a folder of images"),
    ActionSpec("export", "Export…", ("Ctrl+E",), "mdi6.export-variant",
               "Write the annotations as COCO JSON"),
    ActionSpec("quit", "Quit", ("Ctrl+Q",)),
    ActionSpec("undo", "Undo", ("Ctrl+Z",), "mdi6.undo"),
    ActionSpec("redo", "Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "mdi6.redo"),
    ActionSpec("delete", "Delete", ("Delete",), "mdi6.trash-can-outline",
               "Delete the selected annotations"),
    ActionSpec("copy", "Copy", ("Ctrl+C",), "mdi6.content-copy", "Copy the selected annotations"),
    ActionSpec("paste", "Paste", ("Ctrl+V",), "mdi6.content-paste",
               "Put what was copied on this image"),
    ActionSpec("duplicate", "Duplicate", ("Ctrl+D",), tip="Put a copy beside what is selected"),
    ActionSpec("copy_to_next", "Copy to next image", ("Ctrl+Shift+C",),
               tip="Go to the next image and put a copy of what is selected there"),
    ActionSpec("unite", "Unite", ("Ctrl+Shift+M",), "mdi6.vector-union",
               "Make one of the selected annotations; the topmost stays"),
    ActionSpec("subtract", "Subtract", ("Ctrl+Shift+X",), "mdi6.vector-difference-ab",
               "Take the other selected annotations off the largest; they are deleted"),
    ActionSpec("intersect", "Intersect", ("Ctrl+Shift+I",), "mdi6.vector-intersection",
               "Keep only what all selected annotations share"),
    ActionSpec("split_parts", "Split parts", ("Ctrl+Shift+P",), "mdi6.call-split",
               "Make an annotation of each part of the selected ones"),
    ActionSpec("select_all", "Select all", ("Ctrl+A",)),
    ActionSpec("next_annotation", "Next annotation", ("Tab",), tip="Walk through the annotations"),
    ActionSpec("previous_annotation", "Previous annotation", ("Shift+Tab",)),
    ActionSpec("select", "Select", ("V", "Ctrl+J"), "mdi6.cursor-default",
               "Select, move and reshape annotations", checkable=True),
    ActionSpec("polygon", "Polygon", ("P", "Ctrl+N"), "mdi6.vector-polygon",
               "Draw an outline vertex by vertex", checkable=True),
    ActionSpec("rectangle", "Rectangle", ("Shift+R",), "mdi6.rectangle-outline",
               "Draw a rectangle by dragging, or by two corners", checkable=True),
    ActionSpec("ellipse", "Ellipse", ("Shift+E",), "mdi6.ellipse-outline",
               "Draw an ellipse by dragging the box around it, or by two corners", checkable=True),
    ActionSpec("freehand", "Freehand", ("Shift+F",), "mdi6.lasso",
               "Draw an outline in one stroke", checkable=True),
    ActionSpec("brush", "Brush", ("Shift+B",), "mdi6.brush",
               "Paint on the selected annotation or begin one; Ctrl erases", checkable=True),
    ActionSpec("cut", "Cut", ("Shift+K",), "mdi6.box-cutter",
               "Cut annotations in two along a line", checkable=True),
    ActionSpec("next", "Next image", ("D", "PgDown")),
    ActionSpec("previous", "Previous image", ("A", "PgUp")),
    ActionSpec("next_unfinished", "Next unverified image", ("Ctrl+Shift+D",)),
    ActionSpec("go_to", "Go to image…", ("Ctrl+G",), tip="By its place in the list, or its name"),
    ActionSpec("find_image", "Find images", ("Ctrl+L",), tip="List those with a part of a name"),
    ActionSpec("verify", "Verify and next", (), "mdi6.check-bold",
               "Accept what stands on the image and go to the next; with nothing on it, it is "
               "verified empty", shown_keys="Space"),
    ActionSpec("skip", "Skip image", ("Ctrl+K",), tip="This image is not to be labelled"),
    ActionSpec("reopen", "Reopen image", (), tip="Take back that the image is verified or skipped"),
    ActionSpec("predict", "Pre-annotate", ("I",), "mdi6.auto-fix",
               "Run the model on this image"),
    ActionSpec("predict_folder", "Pre-annotate folder", ("Ctrl+B",), "mdi6.image-multiple-outline",
               "Run the model on every image that is not finished; your own work is never touched"),
    ActionSpec("cancel", "Cancel the model", ("Ctrl+.",), "mdi6.stop-circle-outline"),
    ActionSpec("choose_model", "Choose a model file…", (), "mdi6.file-outline"),
    ActionSpec("fit", "Fit image", ("F", "Ctrl+F"), "mdi6.fit-to-screen-outline"),
    ActionSpec("pixels", "100 %", ("Ctrl+0",)),
    ActionSpec("zoom_in", "Zoom in", ("Ctrl++", "Ctrl+="), tip="The wheel does it too"),
    ActionSpec("zoom_out", "Zoom out", ("Ctrl+-",)),
    ActionSpec("zoom_selection", "Zoom to selection", ("Z",)),
    ActionSpec("hide", "Hide annotations", ("T", "Ctrl+H"), checkable=True),
    ActionSpec("adjust", "Adjust display…", ("Ctrl+Shift+L",), "mdi6.brightness-6",
               "Show the image brighter or with more contrast; it stays as it is"),
    ActionSpec("reset_display", "Reset display", ("Ctrl+Shift+R",),
               tip="Show the image as it is stored"),
    ActionSpec("only_image", "Only the image", ("F11",), checkable=True,
               tip="Fold every panel away"),
    ActionSpec("keys", "Keys and mouse", ("F1",)),
    ActionSpec("about", "About MaskStudio"),
)  # fmt: skip


class Actions(QObject):
    """The actions by name."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._actions = {spec.name: self._make(spec) for spec in _SPECS}
        self._specs = {spec.name: spec for spec in _SPECS}

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

    def sheet(self) -> list[tuple[str, str]]:
        """Return (text, keys) of every action that has keys, for the help page."""
        rows = []
        for name, spec in self._specs.items():
            native = QKeySequence.SequenceFormat.NativeText
            keys = [k.toString(native) for k in self._actions[name].shortcuts()]
            if spec.shown_keys:
                keys.insert(0, spec.shown_keys)
            if keys:
                rows.append((spec.text.rstrip("…"), "  or  ".join(keys)))
        return rows

    def _make(self, spec: ActionSpec) -> QAction:
        action = QAction(spec.text, self)
        action.setObjectName(spec.name)
        action.setCheckable(spec.checkable)
        action.setShortcuts([QKeySequence(key) for key in spec.keys])
        if spec.icon:
            action.setIcon(icon(spec.icon))
        keys = spec.shown_keys or (spec.keys[0] if spec.keys else "")
        tip = spec.tip or spec.text.rstrip("…")
        action.setToolTip(f"{tip} ({keys})" if keys else tip)
        if spec.shown_keys:
            # Behind a tab Qt shows it where shortcuts stand.
            action.setText(f"{spec.text}\t{spec.shown_keys}")
            action.setIconText(spec.text)
        return action
