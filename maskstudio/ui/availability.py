"""Which actions can be done now."""

from maskstudio.annotation.history import HistoryState
from maskstudio.annotation.tiling import TileChoice
from maskstudio.session import arranging, border_operations, region_operations, vertex_operations
from maskstudio.session.preannotation import PreAnnotator
from maskstudio.session.session import Session
from maskstudio.ui.actions import NUDGES, Actions
from maskstudio.ui.tools.tool import Tool


class Availability:
    """Enables the actions that can be done, and says of undo and redo what they would do."""

    def __init__(self, actions: Actions) -> None:
        self._actions = actions
        self._told: HistoryState | None = None
        self._enabled: dict[str, bool] = {}

    def renew(self, session: Session, annotator: PreAnnotator, tool: Tool) -> None:
        """Look again at all that decides it."""
        history = session.history()
        available = _available(session, annotator, tool)
        self._enable(available)
        self._enabled = available
        for name, checked in _checked(session, annotator.tiles.tiling.choice).items():
            self._actions[name].setChecked(checked)
        if history != self._told:
            self._told = history
            self._tell("undo", history.undo)
            self._tell("redo", history.redo)

    def renew_for_tool(self, session: Session, tool: Tool) -> None:
        """Look again at what depends on whether a tool is busy: it changes at every press."""
        depends = _while_busy(session, tool)
        self._enable(depends)
        self._enabled = self._enabled | depends

    def _enable(self, available: dict[str, bool]) -> None:
        # Next to nothing changes from one time to the next.
        for name, enabled in available.items() - self._enabled.items():
            self._actions[name].setEnabled(enabled)

    def _tell(self, name: str, what: str | None) -> None:
        text = self._actions[name].text()
        self._actions.describe(name, f"{text}: {what}" if what else text)


def _checked(session: Session, tiles: TileChoice) -> dict[str, bool]:
    """Return which actions say how the selection and the project are."""
    chosen = session.selected()
    return {
        **{f"tiles_{choice}": choice is tiles for choice in TileChoice},
        "hide_selected": any(annotation.hidden for annotation in chosen),
        "lock": any(annotation.locked for annotation in chosen),
        "crowd": bool(chosen) and all(annotation.iscrowd for annotation in chosen),
    }


def _while_busy(session: Session, tool: Tool) -> dict[str, bool]:
    """Return what depends on whether a tool is busy."""
    free = not (session.read_only or session.writing)
    # A selection that moved under a tool would take what the tool is doing away.
    return dict.fromkeys(NUDGES, bool(session.selection) and not tool.busy) | {
        "undo": tool.busy or (free and session.history().undo is not None),
        "next_doubt": _was_predicted(session) and not tool.busy,
    }


def _available(session: Session, annotator: PreAnnotator, tool: Tool) -> dict[str, bool]:
    history = session.history()
    project = session.database is not None
    free = not (session.read_only or session.writing)
    categories = session.categories if free else ()
    writable = session.current is not None and free
    selected = bool(session.selection)
    combinable = writable and region_operations.can_combine(session)
    return _while_busy(session, tool) | {
        "import": project and free,
        "export": project,
        "train": project,
        "go_to": project,
        "redo": free and history.redo is not None,
        "delete": selected,
        "copy": selected,
        "paste": writable,
        "duplicate": writable and selected,
        "copy_to_next": writable and selected,
        "unite": combinable,
        "subtract": combinable,
        "intersect": combinable,
        "merge_parts": combinable,
        "fill_holes": writable and region_operations.can_fill_holes(session),
        "trim": writable and border_operations.can_trim(session),
        "split_parts": writable and region_operations.can_split(session),
        "simplify": writable and vertex_operations.can_change_detail(session),
        "hide_selected": writable and selected,
        "show_hidden": writable and bool(arranging.hidden_ones(session)),
        "lock": writable and selected,
        "to_front": writable and selected,
        "raise": writable and selected,
        "lower": writable and selected,
        "to_back": writable and selected,
        "crowd": writable and selected,
        "properties": selected,
        "zoom_selection": selected,
        "category_up": len(categories) > 1,
        "category_down": len(categories) > 1,
        "hide_category": bool(categories),
        "only_category": len(categories) > 1,
        "show_categories": any(category.hidden for category in categories),
        "merge_category": len(categories) > 1,
        "select_all": bool(session.shown),
        "verify": writable,
        "skip": writable,
        "reopen": writable,
        "quality": project,
        "audit": project and not session.read_only,
        "what_next": project,
        "next_finding": project,
        "previous_finding": project,
        "predict": writable,
        "predict_folder": writable,
        "predict_selected": writable and bool(session.order.chosen),
        "predict_new": writable,
        "look_ahead": project and not session.read_only,
        "learn": project and not session.read_only,
        "start_model": free and annotator.holder.has_learned(annotator.model_name),
        "pause": free and (annotator.batch.running or annotator.batch.unfinished is not None),
        "failures": bool(annotator.batch.failures),
        "outline_boxes": writable and _has_boxes(session),
        "outline_boxes_folder": project and free and not annotator.batch.running,
        "cancel": annotator.running,
        "compare": project,
        "predict_again": project and free and not annotator.batch.running,
        "show_before": session.current is not None,
        "next_changed": project,
        "previous_changed": project,
        "payoff": project,
        "whole_image": annotator.may_run_whole,
        "tiles_auto": project,
        "tiles_always": project,
        "tiles_never": project,
        "category_map": project and free and annotator.model is not None,
    }


def _has_boxes(session: Session) -> bool:
    """Tell whether anything that counts now is a box alone."""
    chosen = session.selected() or session.annotations.values()
    return any(a.segmentation is None and not a.locked for a in chosen)


def _was_predicted(session: Session) -> bool:
    image = session.current
    return image is not None and image.status.detection_filter is not None
