"""Shows, in the place of what stands on an image, what stood there before another model ran."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget

from maskstudio.annotation.edits import Edit
from maskstudio.session.past import Past, PastFinding
from maskstudio.session.session import Session
from maskstudio.ui.actions import Actions
from maskstudio.ui.canvas.canvas import Canvas

_SHOW = "show_before"
_HEARD = (
    QEvent.Type.MouseButtonPress,
    QEvent.Type.ShortcutOverride,
    QEvent.Type.KeyRelease,
)


class BlinkView(QObject):
    """The key that shows what was before, held or tapped, and the way to the next changed image."""

    def __init__(
        self,
        window: QWidget,
        session: Session,
        finding: PastFinding,
        canvas: Canvas,
        verbs: Actions,
        say: Callable[[str], object],
    ) -> None:
        super().__init__(window)
        self._session = session
        self._finding = finding
        self._canvas = canvas
        self._action = verbs[_SHOW]
        self._say = say
        self._held = False
        finding.found.connect(self._on_found)
        finding.stepped.connect(self._on_stepped)
        session.current_changed.connect(self.end)
        session.edited.connect(self._on_edited)
        window.installEventFilter(self)
        canvas.installEventFilter(self)

    def switch(self) -> None:
        """Show what was before, or what is now, as the action says."""
        self._held = False
        if self._action.isChecked():
            self._finding.look()
        else:
            self.end()

    def step(self, by: int) -> None:
        """Go to the next image that was changed; -1 for the one before."""
        self._finding.step(by)

    def end(self) -> None:
        """Show what stands on the image."""
        self._canvas.instead.show(None)
        self._action.setChecked(False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hear whether the key is held, and let nobody take hold of what is only shown."""
        # Nothing of the window is asked about other events: it may be on its way out.
        if event.type() not in _HEARD or not self._action.isChecked():
            return False
        if isinstance(event, QKeyEvent):
            self._note_key(event)
        elif watched is self._canvas:
            self.end()
            return True
        return False

    def _note_key(self, event: QKeyEvent) -> None:
        if QKeySequence(event.keyCombination()) not in self._action.shortcuts():
            return
        if event.isAutoRepeat():
            self._held = True
        elif event.type() == QEvent.Type.KeyRelease and self._held:
            self.end()

    def _on_found(self, past: Past | None) -> None:
        current = self._session.current
        if not self._action.isChecked() or current is None:
            return
        if past is None or not past.differences:
            self.end()
            same = "Only one model was run on this image; nothing was before."
            self._say(same if past is None else "The model before it found the same on this image.")
            return
        known = {category.id: category.hidden for category in self._session.categories}
        shown = {
            i: a
            for i, a in past.annotations.items()
            if not a.hidden and not known.get(a.category_id, True)
        }
        self._canvas.instead.show(shown, past.marks)
        by = f" ({', '.join(past.models)})" if past.models else ""
        self._say(f"Before{by}. Since then: {past.differences.words}.  ·  {{{_SHOW}}}: now again")

    def _on_stepped(self, past: Past | None) -> None:
        if past is None:
            self._say("No other image that is not verified was changed by another model.")
            return
        self._session.show(past.image_id)
        self._say(f"{past.differences.words}.  ·  {{{_SHOW}}}: before  ·  {{next_changed}}: next")

    def _on_edited(self, edit: Edit) -> None:
        current = self._session.current
        if edit.categories or (current is not None and current.id in edit.image_ids):
            self.end()
