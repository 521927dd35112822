"""One run over many images: what it does to each, and how far it is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.edits import Edit, ImageContent
from maskstudio.progress import TaskContext
from maskstudio.session.model_lane import ImageTask, LoadedModel
from maskstudio.session.runs import Failure, Pace, RunProgress, RunReport
from maskstudio.session.tasks import Job, Progress
from maskstudio.storage.run_file import StoredRun

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase

OPEN_STATES = (ImageState.NEW, ImageState.PREDICTED, ImageState.EDITED)
"""A run leaves alone what a person has finished or put aside."""


@dataclass(frozen=True)
class BatchWork:
    """What a run does to each image.

    Attributes:
        kind: its name, by which a run is continued after a restart.
        words: what has been done to an image then.
        work: does it, on lane MODEL.
        store: puts the result on the image, on the GUI thread; False when it cannot be written.
        begin: called with the model once it is loaded, on the GUI thread; False puts the run off.
        make: makes the edit of an image and a result, on lane MODEL while nothing else is edited;
            None where that takes `store`.
        noted: told of a result that was stored without `store`.
        prepare: adds to what the model's lane has to know of an image, on the GUI thread.
    """

    kind: str
    words: str
    work: Callable[[ImageTask, TaskContext], Any]
    store: Callable[[int, Any], bool]
    begin: Callable[[LoadedModel], bool] = lambda _: True
    make: Callable[[ImageContent, Any], Edit | None] | None = None
    noted: Callable[[int, Any], None] = lambda *_: None
    prepare: Callable[[ImageTask], ImageTask] = lambda task: task


@dataclass(frozen=True)
class Result:
    """What became of an image.

    Attributes:
        found: what was found.
        stored: it is on the image already.
        left_alone: it was not to be put there.
        refusal: why nothing can be written, in a sentence.
    """

    found: Any
    stored: bool
    left_alone: bool = False
    refusal: str = ""


@dataclass
class Run:
    """A run in progress; `waiting` ends with the image to be done next."""

    database: "ProjectDatabase"
    work: BatchWork
    stored: StoredRun
    states: frozenset[ImageState] = frozenset()
    waiting: list[int] = field(default_factory=list)
    left_alone: int = 0
    done: int = 0
    failed: list[Failure] = field(default_factory=list)
    job: Job | None = None
    at_work: int | None = None
    ready: bool = False
    paused: bool = False
    cancelled: bool = False
    broken_off: bool = False
    note: str = "loading the model"
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        stored, ended = self.stored, self.stored.ended
        self.states = frozenset(ImageState(state) for state in stored.states)
        self.waiting = [i for i in reversed(stored.image_ids) if i not in ended]
        self.left_alone = stored.left_alone
        there = [i for i in stored.image_ids if i in ended]
        self.failed = [Failure(i, ended[i]) for i in there if ended[i]]
        self.done = len(there) - len(self.failed)

    @property
    def total(self) -> int:
        """Images in all."""
        return len(self.stored.image_ids)

    def progress(self) -> RunProgress:
        """Return where it is."""
        left_since = self.left_alone - self.stored.left_alone
        finished = self.done + len(self.failed) + left_since
        left = None if self.paused else self.pace.seconds_left(self.total - finished)
        at = self.job.progress if self.job else Progress()
        return RunProgress(
            finished,
            self.total,
            left,
            at.note or self.note,
            self.stored.model,
            len(self.failed),
            self.paused,
            at.done,
            at.total,
        )

    def report(self) -> RunReport:
        """Return how it ended."""
        return RunReport(
            True,
            self.total,
            self.done,
            tuple(self.failed),
            self.left_alone,
            self.cancelled,
            self.broken_off,
            self.work.words,
        )
