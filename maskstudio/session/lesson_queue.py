"""What is to be learned next: which images were verified, changed or taken back since."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.edits import Edit
from maskstudio.session.session import Session

DONE = (ImageState.VERIFIED, ImageState.EMPTY)
"""The states of an image to learn from."""

_TAUGHT_AT_ONCE = 2
"""After so many images it learns from them before it is taught more."""


@dataclass(frozen=True)
class Step:
    """The next piece of work; nothing where all is done.

    Attributes:
        forget: an image to learn from no more.
        teach: an image to learn from.
        learn: learn from what is remembered.
    """

    forget: int | None = None
    teach: int | None = None
    learn: bool = False


class LessonQueue:
    """The images to learn from, in the order in which they count.

    Attributes:
        remembered: the images that the learner knows.
        learned_from: those of them that it has learned from.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.remembered: frozenset[int] = frozenset()
        self.learned_from: frozenset[int] = frozenset()
        self._verified: dict[int, None] = {}
        self._earlier: deque[int] = deque()
        self._gone: dict[int, None] = {}
        self._taught = self._due = 0
        self._teaching: int | None = None

    def begin(self, remembered: frozenset[int], due: int, earlier: Iterable[int]) -> None:
        """Take up what an earlier session left.

        Args:
            remembered: the images that the learner knows.
            due: steps that are still worth making with them.
            earlier: images that were verified and that it may be taught.
        """
        self.learned_from = remembered
        self.note(remembered, due)
        self._gone |= dict.fromkeys(i for i in sorted(remembered) if not self.is_done(i))
        known = remembered | self._verified.keys()
        self._earlier.extend(i for i in earlier if i not in known and self.is_done(i))

    def note(self, remembered: frozenset[int], due: int) -> None:
        """Take up how far the learner is.

        Args:
            remembered: the images that it knows.
            due: steps that are still worth making.
        """
        self.remembered, self._due = remembered, due

    def take_up(self, edit: Edit) -> list[int]:
        """Take up what an edit changed.

        Returns:
            The images that are verified no more.
        """
        left = []
        for image in edit.images:
            was, is_ = image.before.state in DONE, image.after.state in DONE
            if is_ and not was:
                self._gone.pop(image.image_id, None)
                self._verified[image.image_id] = None
            elif was and not is_:
                self._verified.pop(image.image_id, None)
                self._gone[image.image_id] = None
                left.append(image.image_id)
        # What is being taught now was read before this, or after: nobody knows.
        known = self.remembered | {self._teaching}
        for change in edit.annotations:
            if change.image_id in known and self.is_done(change.image_id):
                self._verified[change.image_id] = None
        return left

    def next(self, *, may_learn: bool) -> Step:
        """Return what to do next, and count on its being done; see `put_back`.

        Args:
            may_learn: what takes long may be done now, too.
        """
        if self._gone:
            return Step(forget=_first(self._gone))
        waiting = bool(self._verified or self._earlier)
        if may_learn and self._due and (self._taught >= _TAUGHT_AT_ONCE or not waiting):
            self.learned_from |= self.remembered
            self._taught = 0
            return Step(learn=True)
        while self._verified or self._earlier:
            image_id = _first(self._verified) if self._verified else self._earlier.popleft()
            if self.is_done(image_id):
                self._taught += 1
                self._teaching = image_id
                return Step(teach=image_id)
        return Step()

    def put_back(self, step: Step) -> None:
        """Do something another time: it was not to be now."""
        if step.forget is not None:
            self._gone[step.forget] = None
        if step.teach is not None:
            self._verified[step.teach] = None

    def is_done(self, image_id: int) -> bool:
        """Tell whether an image is verified, and there to learn from."""
        try:
            record = self._session.record(image_id)
        except KeyError:
            # Remembered of a project that was put back from a copy.
            return False
        return record.state in DONE and image_id not in self._session.missing


def _first(ids: dict[int, None]) -> int:
    """Take the first out."""
    image_id = next(iter(ids))
    del ids[image_id]
    return image_id
