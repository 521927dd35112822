"""Whether a person should see what becomes of a model's categories before its work is stored."""

from collections.abc import Callable
from pathlib import Path

from maskstudio.annotation.category_map import is_open
from maskstudio.session.model_categories import settle
from maskstudio.session.model_lane import LoadedModel
from maskstudio.session.session import Session


class CategoryQuestion:
    """Asks once for each project and model; who goes on then has answered."""

    def __init__(self, session: Session, ask: Callable[[bool], object]) -> None:
        """Ask nothing yet.

        Args:
            session: the open project.
            ask: shows a person the categories; is told whether many images wait for the answer.
        """
        self._session = session
        self._ask = ask
        self._asked: tuple[Path | None, str] = None, ""

    def is_open(self, model: LoadedModel) -> bool:
        """Tell whether a person should see what becomes of a model's categories."""
        chosen = self._session.category_maps.of(model.model_id)
        return is_open(chosen, model.categories, self._session.categories)

    def note_seen(self, model: LoadedModel) -> None:
        """Note that a person sees it: no need to ask again."""
        self._asked = self._session.folder, model.model_id

    def is_settled(self, model: LoadedModel, *, batch: bool) -> bool:
        """Tell whether what a model finds may be stored; ask a person if need be.

        Args:
            model: it is going to run.
            batch: on many images.
        """
        if not self.is_open(model) or self._asked == (self._session.folder, model.model_id):
            settle(self._session, model.model_id, model.categories)
            return True
        self.note_seen(model)
        self._ask(batch)
        return False
