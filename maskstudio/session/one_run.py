"""The run of the model over one image, for which a person waits."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maskstudio.session.runs import RunProgress
from maskstudio.session.tasks import Job, Progress

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase


@dataclass
class OneRun:
    """The run.

    Attributes:
        database: the project of the image.
        image_id: the image.
        model: name or path of the model.
        use_kept: what was found before is good enough.
        job: what is being done.
        note: the same in words, where the job itself has none.
        began_at: by the monotonic clock; 0 while the model is being loaded.
        whole: never in tiles.
    """

    database: "ProjectDatabase"
    image_id: int
    model: str
    use_kept: bool
    job: Job | None = None
    note: str = "loading the model"
    began_at: float = 0.0
    whole: bool = False

    def progress(self, usual_seconds: float | None) -> RunProgress:
        """Return how far it is.

        Args:
            usual_seconds: that a look at an image takes, if that is known.
        """
        at = self.job.progress if self.job else Progress()
        left = None
        if self.began_at:
            left = _seconds_left(usual_seconds, time.monotonic() - self.began_at, at)
        note = at.note or self.note
        return RunProgress(0, 1, left, note, self.model, parts_done=at.done, parts=at.total)


def _seconds_left(usual: float | None, passed: float, at: Progress) -> float | None:
    """Return the time that is left for one image; None where nothing tells.

    Args:
        usual: seconds that a look at an image takes, if that is known.
        passed: seconds since it began.
        at: the tiles done, if it is looked at in tiles.
    """
    if at.total:
        # Before the first tile the whole image was looked at.
        return passed / (at.done + 1) * (at.total - at.done)
    return None if usual is None else max(0.0, usual - passed)
