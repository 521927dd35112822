"""Which models there are: those that ship, those of the catalogue, and a person's own."""

import itertools
import re
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from maskstudio.errors import UserError
from maskstudio.resources import resource_path
from maskstudio.storage.catalogue import CatalogueEntry, catalogue
from maskstudio.storage.files import part_of, why
from maskstudio.storage.settings import data_dir

if TYPE_CHECKING:
    # A window without a download does without it.
    from maskstudio.storage.downloads import Source

_SUFFIX = ".safetensors"
_NAME = r"\w[\w .()+-]{0,79}"
_EMBEDDED_WORDS = {
    "nuclei": ("Cell nuclei", "Outlines of nuclei in micrographs; comes with the program"),
}


class Kind(StrEnum):
    """Where a model is from."""

    EMBEDDED = "embedded"
    """It ships with the program."""
    CATALOGUE = "catalogue"
    """torchvision's, to be downloaded."""
    OWN = "own"
    """A person imported it."""


class State(StrEnum):
    """Whether a model can be used."""

    READY = "ready"
    """It can."""
    PLACED = "placed"
    """Its weights lie in the folder as they were downloaded, and are taken in when it is used."""
    PARTLY = "partly"
    """Part of it has been downloaded."""
    ABSENT = "absent"
    """It would have to be downloaded."""


@dataclass(frozen=True)
class ListedModel:
    """A model as a list shows it.

    Attributes:
        name: what the program calls it.
        title: what a person calls it.
        purpose: what it is for, in one line.
        kind: where it is from.
        state: whether it can be used.
        size: bytes of its file, here or there.
        arrived: bytes of a download that was broken off.
    """

    name: str
    title: str
    purpose: str
    kind: Kind
    state: State
    size: int
    arrived: int = 0

    @property
    def is_here(self) -> bool:
        """True when it can be used without a network."""
        return self.state in (State.READY, State.PLACED)


@dataclass(frozen=True)
class ImportCandidate:
    """What a file that a person wants to import holds.

    Attributes:
        path: the file.
        architecture: the network, by its name.
        names: of its categories, its own or what to call them unless a person knows better;
            `N/A` where an output stands for none.
        is_named: the file names its categories itself.
    """

    path: Path
    architecture: str
    names: tuple[str, ...]
    is_named: bool


def models_dir() -> Path:
    """Return the folder of the models that a person downloaded or imported."""
    return data_dir() / "models"


def model_file(name: str) -> Path:
    """Return where a downloaded or imported model lies, or would."""
    return models_dir() / f"{name}{_SUFFIX}"


def weights_file(entry: CatalogueEntry) -> Path:
    """Return where the weights of a model of the catalogue lie as they were downloaded."""
    return models_dir() / entry.file_name


def source_of(entry: CatalogueEntry) -> "Source":
    """Return what to fetch for a model of the catalogue; taken in, it needs as much room again."""
    from maskstudio.storage.downloads import Source

    return Source(entry.url, entry.size, room=entry.size)


def embedded_models() -> list[str]:
    """Return the names of the models that ship with the program."""
    return sorted(path.stem for path in resource_path("models").glob(f"*{_SUFFIX}"))


def list_models() -> list[ListedModel]:
    """Return every model there is: embedded ones, the catalogue, then a person's own."""
    return [
        *(_embedded(name) for name in embedded_models()),
        *(_of_catalogue(entry) for entry in catalogue().values()),
        *(_own(path) for path in _own_files()),
    ]


def check_new_name(name: str) -> None:
    """Refuse a name that a new model cannot have.

    Raises:
        UserError: it could not be the name of a file, or there is a model of that name.
    """
    if not re.fullmatch(_NAME, name) or name != name.strip():
        raise UserError(
            f"A model cannot be called {name!r}; use letters, digits, spaces, dots, dashes."
        )
    taken = {model.name.casefold() for model in list_models()}
    if name.casefold() in taken:
        raise UserError(f"There is a model called {name!r} already; give another name.")


def free_name(wish: str) -> str:
    """Return a name for a new model as close to a wish as can be: with a number, if need be."""
    stem = re.sub(r"[^\w .()+-]", "-", wish).strip(" .-")[:60] or "model"
    names = (f"{stem} {number}" if number > 1 else stem for number in itertools.count(1))
    taken = {model.name.casefold() for model in list_models()}
    return next(name for name in names if name.casefold() not in taken)


def remove_model(name: str) -> None:
    """Delete a downloaded or imported model, and what was downloaded of it.

    Raises:
        UserError: it ships with the program, is not there, or cannot be deleted.
    """
    files = [model_file(name)]
    if name in catalogue():
        weights = weights_file(catalogue()[name])
        files += [weights, part_of(weights)]
    there = [file for file in files if file.exists()]
    if not there:
        ships = name in embedded_models()
        raise UserError(
            f"{name} ships with the program and stays." if ships else f"There is no model {name!r}."
        )
    for file in there:
        try:
            file.unlink()
        except OSError as error:
            raise UserError(f"{file} cannot be removed: {why(error)}.") from error


def _embedded(name: str) -> ListedModel:
    title, purpose = _EMBEDDED_WORDS.get(name, (name, "Comes with the program"))
    size = resource_path("models", f"{name}{_SUFFIX}").stat().st_size
    return ListedModel(name, title, purpose, Kind.EMBEDDED, State.READY, size)


def _of_catalogue(entry: CatalogueEntry) -> ListedModel:
    state, size, arrived = State.ABSENT, entry.size, 0
    weights = weights_file(entry)
    if (ready := _size(model_file(entry.name))) is not None:
        state, size = State.READY, ready
    elif _size(weights) is not None:
        state = State.PLACED
    elif part := _size(part_of(weights)):
        state, arrived = State.PARTLY, part
    return ListedModel(entry.name, entry.title, entry.purpose, Kind.CATALOGUE, state, size, arrived)


def _own(path: Path) -> ListedModel:
    return ListedModel(path.stem, path.stem, "Your own", Kind.OWN, State.READY, _size(path) or 0)


def _own_files() -> list[Path]:
    known = {*catalogue(), *embedded_models()}
    files = models_dir().glob(f"*{_SUFFIX}")
    return sorted(path for path in files if path.stem not in known and path.name[0] != ".")


def _size(path: Path) -> int | None:
    with suppress(OSError):
        return path.stat().st_size
    return None
