"""The models a person can choose from: downloaded, imported and removed here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from maskstudio.errors import UserError
from maskstudio.session.tasks import Callbacks, Job, LaneName, Progress, Tasks
from maskstudio.storage.catalogue import catalogue
from maskstudio.storage.model_folder import (
    ImportCandidate,
    ListedModel,
    list_models,
    models_dir,
    remove_model,
    source_of,
)


@dataclass(frozen=True)
class ModelReading:
    """What is done with models where torch is; called on lane MODEL only.

    Attributes:
        look_into: says what a file holds.
        import_model: makes a model of a file, of the name and the categories' names given.
        names_from_coco: reads the names of so many categories from a COCO file.
    """

    look_into: Callable[[Path], ImportCandidate]
    import_model: Callable[[Path, str, Sequence[str] | None], Path]
    names_from_coco: Callable[[Path, int], tuple[str, ...]]


class ModelStore(QObject):
    """Which models there are. One is downloaded at a time: images are read on the same lane.

    Signals:
        changed: a model came or went, or a download began or ended.
        chosen: the name or path of a model that is here and wanted.
        looked_into: an `ImportCandidate`, what a file holds.
        names_read: the names of a COCO file's categories.
        imported: the name of a model that was made of a file.
        problem: one sentence for the person.
    """

    changed = Signal()
    chosen = Signal(str)
    looked_into = Signal(object)
    names_read = Signal(object)
    imported = Signal(str)
    problem = Signal(str)

    def __init__(self, tasks: Tasks, reading: ModelReading, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._reading = reading
        self._job: Job | None = None
        self._downloading = ""
        self._wanted = False

    @property
    def downloading(self) -> str:
        """Name of the model that is being downloaded, or nothing."""
        return self._downloading

    @property
    def progress(self) -> Progress:
        """How many bytes of it have arrived."""
        return self._job.progress if self._job is not None else Progress()

    def models(self) -> list[ListedModel]:
        """Return every model there is, here or to be downloaded."""
        return list_models()

    def choose(self, name: str) -> None:
        """Use a model, by name or path; one that is not here is downloaded first."""
        away = {model.name for model in list_models() if not model.is_here}
        if name in away:
            self.download(name, use=True)
        else:
            self._wanted = False
            self.chosen.emit(name)

    def download(self, name: str, *, use: bool = False) -> None:
        """Download a model of the catalogue.

        Args:
            name: of the model.
            use: it is wanted as soon as it is here.
        """
        if self._downloading and self._downloading != name:
            self.problem.emit(
                f"{catalogue()[self._downloading].title} is being downloaded; wait, or cancel it."
            )
            return
        self._wanted = use or self._wanted
        if self._downloading:
            return
        from maskstudio.storage.downloads import fetch

        source = source_of(catalogue()[name])
        self._downloading = name
        self._job = self._tasks.submit(
            LaneName.FILES,
            lambda context: fetch(source, models_dir(), context),
            Callbacks(lambda _: self._on_here(name), self._on_failed, self._end),
        )
        self.changed.emit()

    def cancel(self) -> None:
        """Stop the download; what has arrived stays, to go on from another time."""
        if self._job is not None:
            self._job.cancel()

    def look_into(self, path: Path) -> None:
        """Find out what a file holds; `looked_into` tells."""
        self._read(lambda: self._reading.look_into(path), self.looked_into.emit)

    def read_names(self, path: Path, count: int) -> None:
        """Read the names of so many categories from a COCO file; `names_read` tells."""
        self._read(lambda: self._reading.names_from_coco(path, count), self.names_read.emit)

    def import_model(self, path: Path, name: str, names: Sequence[str] | None) -> None:
        """Make a model of a file; `imported` tells when it is there."""

        def on_imported(_: Path) -> None:
            self.changed.emit()
            self.imported.emit(name)

        self._read(lambda: self._reading.import_model(path, name, names), on_imported)

    def remove(self, name: str) -> None:
        """Delete a model that was downloaded or imported."""
        try:
            remove_model(name)
        except UserError as error:
            self.problem.emit(str(error))
        self.changed.emit()

    def _read(self, work: Callable[[], object], then: Callable[[Any], None]) -> None:
        self._tasks.submit(LaneName.MODEL, lambda _: work(), Callbacks(then, self.problem.emit))

    def _on_here(self, name: str) -> None:
        wanted = self._wanted
        self._end()
        if wanted:
            self.chosen.emit(name)

    def _on_failed(self, sentence: str) -> None:
        self._end()
        self.problem.emit(sentence)

    def _end(self) -> None:
        self._job, self._downloading, self._wanted = None, "", False
        self.changed.emit()
