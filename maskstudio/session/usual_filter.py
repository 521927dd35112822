"""The filter that new predictions of a project start from: the one let go of last."""

from dataclasses import replace

from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.errors import UserError
from maskstudio.session.session import Session
from maskstudio.storage.plain import filter_from, plain_filter

_SETTING = "detection_filter"


class UsualFilter:
    """Reads it from the open project, and keeps it there."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: DetectionFilter | None = None
        session.opened.connect(self._forget)

    @property
    def value(self) -> DetectionFilter:
        """The filter; each model has its categories' scores besides."""
        if self._known is None:
            # The panel asks at every edit; the disk is asked once.
            database = self._session.database
            stored = database.setting(_SETTING, None) if database else None
            self._known = filter_from(stored) or DetectionFilter()
        return self._known

    def keep(self, shown: DetectionFilter) -> None:
        """Start from this one from now on; the categories' own scores belong to a model's map."""
        shown = replace(shown, category_scores=())
        database = self._session.database
        if database is None or database.read_only or shown == self.value:
            return
        try:
            database.set_setting(_SETTING, plain_filter(shown))
            self._known = shown
        except UserError as error:
            self._session.problem.emit(str(error))

    def _forget(self) -> None:
        self._known = None
