"""The learning curve of the open project: in memory, and written on lane FILES in its order."""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from maskstudio.annotation.learning_curve import Comparison, CurvePoint, compare
from maskstudio.progress import TaskContext
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, LaneName, Tasks


class CurveKeeping:
    """Knows the curve; one thing is written after the other."""

    def __init__(self, session: Session, tasks: Tasks) -> None:
        self._session = session
        self._tasks = tasks
        self._points: dict[int, CurvePoint] = {}
        # Asked at every edit; a project may hold thousands of points.
        self._compared: dict[str, Comparison] = {}
        self._waiting: deque[tuple[int, CurvePoint | None]] = deque()
        self._busy = False
        session.writing_changed.connect(self._write)

    def __contains__(self, image_id: int) -> bool:
        return image_id in self._points

    def reset(self, points: Iterable[CurvePoint] = ()) -> None:
        """Belong to another project, whose points these are; the oldest first."""
        self._points = {point.image_id: point for point in points}
        self._compared.clear()
        self._waiting.clear()

    def compare(self, start_id: str) -> Comparison:
        """Compare a model with what it has learned; see `learning_curve.compare`."""
        if start_id not in self._compared:
            self._compared[start_id] = compare(self._points.values(), start_id)
        return self._compared[start_id]

    def note(self, point: CurvePoint) -> None:
        """Take up what was found out on an image."""
        self._points.pop(point.image_id, None)
        self._points[point.image_id] = point
        self._put(point.image_id, point)

    def take_back(self, image_id: int, *, learned_from: bool) -> None:
        """Let an image count no more: what the person left on it is not what he wanted.

        Args:
            image_id: the image.
            learned_from: it can never be judged again, for the model has seen what was on it.
        """
        point = self._points.pop(image_id, None)
        if point is None:
            return
        if learned_from:
            self._points[image_id] = point = replace(point, counts=False)
        self._put(image_id, point if learned_from else None)

    def _put(self, image_id: int, point: CurvePoint | None) -> None:
        self._compared.clear()
        self._waiting.append((image_id, point))
        self._write()

    def _write(self) -> None:
        """Write what comes next; while a long edit is written a lane would wait for that."""
        session, database = self._session, self._session.database
        if self._busy or not self._waiting or session.writing or database is None:
            return
        image_id, point = self._waiting.popleft()
        self._busy = True

        def work(_: TaskContext) -> None:
            database.note_learning(image_id, point)

        def failed(sentence: str) -> None:
            session.problem.emit(sentence)
            self._end()

        self._tasks.submit(
            LaneName.FILES, work, Callbacks(lambda _: self._end(), failed, self._end)
        )

    def _end(self) -> None:
        self._busy = False
        self._write()
