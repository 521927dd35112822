"""What a project remembers of learning while a person labels: its switch, and what came of it."""

import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from maskstudio.errors import UserError
from maskstudio.session.session import Session
from maskstudio.storage.model_folder import model_file

_SETTING = "learning"
_NOT_IN_NAMES = re.compile(r"[^\w .()+-]")
_LONGEST = 72


@dataclass(frozen=True)
class Kept:
    """What a model has learned in a project.

    Attributes:
        name: of the model it is saved as.
        in_use: it runs in the place of the model it began with.
        seconds: what learning took until now.
    """

    name: str
    in_use: bool = False
    seconds: float = 0.0

    @property
    def file(self) -> Path:
        """Where it is saved, or will be."""
        return model_file(self.name)


class LearningMemory:
    """Reads and writes it in the open project."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def on(self) -> bool:
        """True unless a person has switched learning off in this project."""
        return bool(self._stored().get("on", True))

    def switch(self, *, on: bool) -> None:
        """Remember whether a person wants it."""
        self._write({**self._stored(), "on": on})

    def kept(self, model_id: str) -> Kept:
        """Return what a model has learned; that of a new name, not in use, if it has not."""
        stored = self._stored().get("models", {}).get(model_id)
        return Kept(self._free_name(model_id)) if stored is None else Kept(**stored)

    def keep(self, model_id: str, kept: Kept) -> None:
        """Remember what a model has learned."""
        kept = replace(kept, seconds=round(kept.seconds, 1))
        stored = self._stored()
        models = {**stored.get("models", {}), model_id: asdict(kept)}
        self._write({**stored, "models": models})

    def _stored(self) -> dict[str, Any]:
        database = self._session.database
        found: dict[str, Any] = {} if database is None else database.setting(_SETTING, {})
        return found

    def _write(self, stored: dict[str, Any]) -> None:
        database = self._session.database
        if database is None or database.read_only or stored == self._stored():
            return
        try:
            database.set_setting(_SETTING, stored)
        except UserError as error:
            self._session.problem.emit(str(error))

    def _free_name(self, model_id: str) -> str:
        """Return a name that no model has yet: what was learned replaces nobody's file."""
        folder = self._session.folder
        project = _NOT_IN_NAMES.sub("-", "project" if folder is None else folder.name)
        # What was learned here before does not get the project's name a second time.
        again = re.fullmatch(rf"(.+) \+ {re.escape(project)}( \d+)?", model_id)
        start = _NOT_IN_NAMES.sub("-", again.group(1) if again else model_id)
        name = f"{start} + {project}"[:_LONGEST].strip()
        taken = {one["name"] for one in self._stored().get("models", {}).values()}
        names = (name, *(f"{name} {number}" for number in range(2, 1000)))
        free = (one for one in names if one not in taken and not model_file(one).exists())
        return next(free, name)
