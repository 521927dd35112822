"""One slider for how many vertices the selected annotations have, seen before it is done."""

import math
from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from maskstudio.annotation.annotation import Annotation
from maskstudio.session import vertex_operations
from maskstudio.session.detail_finder import DetailFinder, DetailRequest, Details
from maskstudio.session.session import Session
from maskstudio.session.tasks import Tasks
from maskstudio.ui.canvas.canvas import Canvas
from maskstudio.ui.dialogs.tool_window import ToolWindow
from maskstudio.ui.labels import faint
from maskstudio.ui.tools.pointer_input import PointerInput

_LIMIT = 100
_SLIDER_WIDTH = 320
# More than these are not drawn one by one, see Canvas; then the figures have to do.
_MOST_SHOWN = 100


class SimplifyDialog(ToolWindow):
    """Many more vertices, as it is, few vertices: seen on the canvas, done by «Apply»."""

    def __init__(
        self,
        session: Session,
        canvas: Canvas,
        gestures: PointerInput,
        tasks: Tasks,
        parent: QWidget,
    ) -> None:
        super().__init__("Simplify or add vertices", parent)
        self._session = session
        self._canvas = canvas
        self._finder = DetailFinder(tasks, self)
        self._gestures = gestures
        self._of: dict[int, Annotation] = {}
        self._details: Details | None = None
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(-_LIMIT, _LIMIT)
        self._slider.setMinimumWidth(_SLIDER_WIDTH)
        self._slider.setAccessibleName("Vertices: many more to the left, few to the right")
        self._figures = QLabel()
        self._figures.setAccessibleName("Vertices before and after, and the IoU it costs")
        self._apply = QPushButton("Apply")
        self._apply.setDefault(True)
        self._build()
        self._slider.valueChanged.connect(self._ask)
        self._finder.found.connect(self._show)
        self._apply.clicked.connect(self._commit)
        self.finished.connect(self._put_back)
        self._changes = (session.selection_changed, session.current_changed, session.edited)
        for signal in self._changes:
            signal.connect(self._on_changed)
        gestures.busy_changed.connect(self._on_gesture)
        self._begin_anew()
        self._slider.setFocus()

    def _build(self) -> None:
        words = QHBoxLayout()
        for text, side in (
            ("many more vertices", Qt.AlignmentFlag.AlignLeft),
            ("as it is", Qt.AlignmentFlag.AlignHCenter),
            ("few vertices", Qt.AlignmentFlag.AlignRight),
        ):
            word = QLabel(text)
            word.setAlignment(side)
            words.addWidget(word, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        buttons.addButton(self._apply, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addLayout(words)
        column.addWidget(self._slider)
        column.addWidget(self._figures)
        column.addWidget(faint("IoU: of the areas before and after, exact."))
        column.addWidget(buttons)

    def _on_changed(self) -> None:
        """Put the slider back if something else is selected now, or what is was changed."""
        if self._chosen() != self._of:
            self._begin_anew()

    def _begin_anew(self) -> None:
        self._of = self._chosen()
        with QSignalBlocker(self._slider):
            self._slider.setValue(0)
        self._ask()

    def _on_gesture(self) -> None:
        if self._gestures.tool.busy and self._slider.value():
            # What is being dragged is shown instead.
            self._begin_anew()

    def _chosen(self) -> dict[int, Annotation]:
        return {a.id: a for a in vertex_operations.changeable(self._session)}

    def _ask(self) -> None:
        """Find out what the slider would do."""
        image = self._session.current
        self._slider.setEnabled(bool(self._of))
        self._apply.setEnabled(False)
        if image is None or not self._of:
            self._finder.drop()
            self._figures.setText("Select the annotations to simplify; locked ones stay.")
            return
        outlines = {i: a.segmentation for i, a in self._of.items() if a.segmentation}
        level = self._slider.value() / _LIMIT
        self._finder.ask(DetailRequest(outlines, level, (image.height, image.width)))

    def _show(self, details: Details) -> None:
        """Show what the slider would do."""
        self._details = details
        self._figures.setText(_words(details))
        self._apply.setEnabled(bool(details.outlines) and not self._session.read_only)
        shown = details.outlines.items() if len(details.outlines) <= _MOST_SHOWN else ()
        if not self._gestures.tool.busy:
            self._canvas.set_preview(
                tuple(replace(self._of[i], segmentation=new, touched=True) for i, new in shown)
            )

    def _commit(self) -> None:
        if self._details is None:
            return
        fewer = self._details.request.level > 0
        count = len(self._details.outlines)
        what = "annotation" if count == 1 else f"{count} annotations"
        title = f"{'Simplify' if fewer else 'Add vertices to'} {what}"
        if vertex_operations.reshape_each(self._session, self._details.outlines, title):
            self.accept()

    def _put_back(self) -> None:
        # Closed, it lives on until the event loop comes to it, and must not ask for anything.
        for signal in self._changes:
            signal.disconnect(self._on_changed)
        self._gestures.busy_changed.disconnect(self._on_gesture)
        self._finder.drop()
        if not self._gestures.tool.busy:
            self._canvas.set_preview(())


def show_simplify(
    session: Session, canvas: Canvas, gestures: PointerInput, tasks: Tasks, parent: QWidget
) -> None:
    """Open the slider at the canvas's corner, or bring it back to the front."""
    dialog = parent.findChild(SimplifyDialog)
    if dialog is None:
        dialog = SimplifyDialog(session, canvas, gestures, tasks, parent)
        dialog.show_at(canvas)
    dialog.activateWindow()


def _words(details: Details) -> str:
    # Rounded down: what costs anything at all is never called 1.000.
    iou = math.floor(details.iou * 1000 + 1e-6) / 1000
    count = len(details.request.outlines)
    lowest = f", the lowest of {count:,}" if count > 1 else ""
    unseen = "  ·  too many to be shown" if len(details.outlines) > _MOST_SHOWN else ""
    return f"Vertices: {details.before:,} → {details.after:,}  ·  IoU {iou:.3f}{lowest}{unseen}"
