"""What each action does: a line or two for each, in terms of the session and its operations."""

from collections.abc import Callable
from functools import partial

from maskstudio.annotation.tiling import TileChoice
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
from maskstudio.session.runs import RunReport
from maskstudio.ui.canvas.adjustment import Adjustment
from maskstudio.ui.canvas.canvas import Canvas
from maskstudio.ui.panels.categories import CategoriesPanel
from maskstudio.ui.services import Services
from maskstudio.ui.tools.tool import Tool

_ZOOM_STEP = 1.25
_WAYS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


class Commands:
    """The verbs of the window that need no window of their own."""

    def __init__(
        self,
        services: Services,
        canvas: Canvas,
        categories: CategoriesPanel,
        tool: Callable[[], Tool],
    ) -> None:
        """Do them in a window.

        Args:
            services: what it works on.
            canvas: shows the image.
            categories: the list of categories.
            tool: gives the tool in hand.
        """
        self._tool = tool
        self._session = services.session
        self._tasks = services.tasks
        self._annotator = services.annotator
        self._look_ahead = services.look_ahead
        self._canvas = canvas
        self._categories = categories
        self._notifications = services.notifications
        self._warned: int | None = None  # the image of which it was said that it is not empty yet
        self._clipboard = Clipboard(self._session)
        self._nudge = Nudge(self._session)
        self._annotator.finished.connect(self._on_finished)

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
            "redo": lambda: session.redo(self._tasks),
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
            "predict_selected": self._predict_selected,
            "predict_new": self._annotator.run_new,
            "pause": self._annotator.batch.pause_or_go_on,
            "cancel": self._annotator.cancel,
            "whole_image": self._annotator.run_whole,
            "tiles_auto": lambda: self._annotator.tiles.choose(TileChoice.AUTO),
            "tiles_always": lambda: self._annotator.tiles.choose(TileChoice.ALWAYS),
            "tiles_never": lambda: self._annotator.tiles.choose(TileChoice.NEVER),
            "fit": canvas.fit,
            "pixels": canvas.zoom_to_pixels,
            "zoom_in": lambda: canvas.zoom(_ZOOM_STEP),
            "zoom_out": lambda: canvas.zoom(1 / _ZOOM_STEP),
            "zoom_selection": self._zoom_selection,
            "reset_display": lambda: canvas.set_adjustment(Adjustment()),
        }

    def _verify_and_next(self) -> None:
        """Accept the image and go on; on the last one say so."""
        if self._comes_too_soon():
            return
        unseen, unfinished = self._unseen(), bool(self._tool().draft)
        if self._session.current is None or not operations.verify(self._session):
            return
        said = []
        if not operations.step(self._session, 1):
            where = "shown" if self._session.order.query.filters else "of the folder"
            said.append(f"Verified. This was the last image {where}.")
        if unseen:
            were = "annotation was" if unseen == 1 else "annotations were"
            said.append(f"{unseen:,} hidden {were} accepted too.")
        if unfinished:
            said.append("The outline begun on the verified image is kept, but no part of it yet.")
        if said:
            self._notifications.info(" ".join(said))

    def _comes_too_soon(self) -> bool:
        """Tell whether an image would be verified as empty that the model has not done; once."""
        current, said = self._session.current, self._warned
        self._warned = None
        if current is None or self._session.annotations or not self._look_ahead.awaited:
            return False
        if said == current.id:
            return False
        self._warned = current.id
        self._notifications.info(
            "The model has not done this image yet; once more verifies it as empty."
        )
        return True

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
        if self._tool().use_category(category_id):
            return
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

    def _predict_selected(self) -> None:
        chosen = self._session.order.chosen
        # In the order of the names, as the whole folder is done.
        self._annotator.run_images(i for i in self._session.image_ids if i in chosen)

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
            sentences = tuple(failure.sentence for failure in report.failed)
            text = f"{count}; the others are done." if report.batch else sentences[0]
            self._notifications.problem(text, sentences if report.batch else ())
        elif report.batch and not report.broken_off:
            self._notifications.info(_batch_words(report))


def _batch_words(report: RunReport) -> str:
    stopped = "Stopped: " if report.cancelled else ""
    left = f" Finished ones left alone: {report.left_alone:,}." if report.left_alone else ""
    return f"{stopped}{report.done:,} of {report.total:,} images {report.words}.{left}"
