"""What each action does: a line or two for each, in terms of the session and its operations."""

from collections.abc import Callable
from functools import partial

from maskstudio.session import (
    arranging,
    category_operations,
    clipboard,
    operations,
    properties,
    region_operations,
)
from maskstudio.session.clipboard import Clipboard
from maskstudio.session.nudge import Nudge
from maskstudio.session.preannotation import PreAnnotator, RunReport
from maskstudio.session.session import Session
from maskstudio.ui.canvas.adjustment import Adjustment
from maskstudio.ui.canvas.canvas import Canvas
from maskstudio.ui.notifications import Notifications
from maskstudio.ui.panels.categories import CategoriesPanel

_ZOOM_STEP = 1.25
_WAYS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


class Commands:
    """The verbs of the window that need no window of their own."""

    def __init__(
        self,
        session: Session,
        annotator: PreAnnotator,
        canvas: Canvas,
        categories: CategoriesPanel,
        notifications: Notifications,
    ) -> None:
        self._session = session
        self._annotator = annotator
        self._canvas = canvas
        self._categories = categories
        self._notifications = notifications
        self._batch = False
        self._clipboard = Clipboard(session)
        self._nudge = Nudge(session)
        annotator.finished.connect(self._on_finished)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """Return what to call for each action."""
        session, canvas = self._session, self._canvas
        digits = {f"category_{digit}": partial(self._use_digit, digit) for digit in range(1, 10)}
        nudges = {
            f"nudge_{way}{name}": partial(self._nudge.by, dx * far, dy * far)
            for way, (dx, dy) in _WAYS.items()
            for name, far in (("", 1), ("_far", 10))
        }
        return {
            **digits,
            **nudges,
            "redo": session.redo,
            "delete": lambda: operations.delete_selected(session),
            "copy": self._clipboard.copy,
            "paste": self._paste,
            "duplicate": lambda: clipboard.duplicate(session),
            "copy_to_next": lambda: clipboard.copy_to_next(session),
            "unite": lambda: region_operations.unite_selected(session),
            "subtract": lambda: region_operations.subtract_selected(session),
            "intersect": lambda: region_operations.intersect_selected(session),
            "merge_parts": lambda: region_operations.merge_selected(session),
            "fill_holes": lambda: region_operations.fill_holes_selected(session),
            "split_parts": lambda: region_operations.split_selected(session),
            "select_all": lambda: session.select(session.shown),
            "hide_selected": lambda: arranging.hide_selected(session),
            "show_hidden": lambda: arranging.show_hidden(session),
            "lock": lambda: arranging.lock_selected(session),
            "to_front": lambda: arranging.bring_to_front(session),
            "raise": lambda: arranging.raise_selected(session),
            "lower": lambda: arranging.lower_selected(session),
            "to_back": lambda: arranging.send_to_back(session),
            "crowd": lambda: properties.toggle_crowd(session),
            "next_annotation": lambda: self._walk(1),
            "previous_annotation": lambda: self._walk(-1),
            "next": lambda: operations.step(session, 1),
            "previous": lambda: operations.step(session, -1),
            "next_unfinished": self._next_unfinished,
            "verify": self._verify_and_next,
            "skip": self._skip,
            "reopen": lambda: operations.reopen(session),
            "predict": self._annotator.run_current,
            "predict_folder": self._annotator.run_folder,
            "cancel": self._annotator.cancel,
            "fit": canvas.fit,
            "pixels": canvas.zoom_to_pixels,
            "zoom_in": lambda: canvas.zoom(_ZOOM_STEP),
            "zoom_out": lambda: canvas.zoom(1 / _ZOOM_STEP),
            "zoom_selection": self._zoom_selection,
            "reset_display": lambda: canvas.set_adjustment(Adjustment()),
        }

    def _verify_and_next(self) -> None:
        """Accept the image and go on; on the last one say so."""
        unseen = self._unseen()
        if self._session.current is None or not operations.verify(self._session):
            return
        said = []
        if not operations.step(self._session, 1):
            where = "shown" if self._session.order.query.filters else "of the folder"
            said.append(f"Verified. This was the last image {where}.")
        if unseen:
            were = "annotation was" if unseen == 1 else "annotations were"
            said.append(f"{unseen:,} hidden {were} accepted too.")
        if said:
            self._notifications.info(" ".join(said))

    def _unseen(self) -> int:
        """Count the pre-annotations that nobody can see now, and so nobody has looked at."""
        known, seen = self._session.annotations, self._canvas.visible_annotations()
        if len(seen) == len(known):
            return 0
        return sum(a.is_pre_annotation for i, a in known.items() if i not in seen)

    def _use_digit(self, number: int) -> None:
        """Give the selection the category of a digit, or make it the one drawn next."""
        category = self._categories.by_digit(number)
        if category is not None:
            self.use_category(category.id)

    def use_category(self, category_id: int) -> None:
        """Give the selection a category and make it the one drawn next."""
        self._categories.choose(category_id)
        if self._session.selection:
            operations.set_category(self._session, category_id)

    def add_category(self, name: str) -> None:
        """Make a category and choose it."""
        if self._session.database is None:
            self._notifications.problem("Open a folder first; categories belong to it.")
            return
        category = category_operations.add_category(self._session, name)
        if category is not None:
            self._categories.choose(category.id)

    def _paste(self) -> None:
        if len(self._clipboard):
            self._clipboard.paste()
        else:
            self._notifications.info("Nothing was copied yet; copy what is selected first.")

    def _walk(self, by: int) -> None:
        if operations.walk_annotations(self._session, by):
            self._canvas.bring_into_view(self._session.selected()[0].box)

    def _next_unfinished(self) -> None:
        if not operations.step_to_unfinished(self._session):
            which = " shown" if self._session.order.query.filters else ""
            self._notifications.info(f"Every image{which} is verified or skipped.")

    def _skip(self) -> None:
        if operations.skip(self._session):
            operations.step(self._session, 1)

    def _zoom_selection(self) -> None:
        boxes = [annotation.box for annotation in self._session.selected()]
        if boxes:
            x0, y0 = min(b[0] for b in boxes), min(b[1] for b in boxes)
            x1, y1 = max(b[2] for b in boxes), max(b[3] for b in boxes)
            self._canvas.show_box((x0, y0, x1, y1))

    def _on_finished(self, report: RunReport) -> None:
        if report.failed:
            count = f"{len(report.failed)} of {report.total} images failed"
            text = report.failed[0] if report.total == 1 else f"{count}; the others are done."
            self._notifications.problem(text, report.failed if report.total > 1 else ())
        elif report.batch and not report.broken_off:
            self._notifications.info(_batch_words(report))


def _batch_words(report: RunReport) -> str:
    stopped = "Stopped: " if report.cancelled else ""
    left = f" Finished ones left alone: {report.left_alone:,}." if report.left_alone else ""
    return f"{stopped}{report.done:,} of {report.total:,} images pre-annotated.{left}"
