"""How long work tells its caller where it is, hands over results, and learns of a cancel.

Work is a plain callable that takes a `TaskContext`. The base class ignores everything, so any
work can run in a test or a script without a window; the window and the command line subclass it.
"""


class TaskContext:
    """What a piece of work may say while it runs; this base class listens to none of it."""

    def report(self, done: int, total: int, note: str = "") -> None:
        """Say that `done` of `total` steps are finished; `note` names the step in words."""

    def produce(self, item: object) -> None:
        """Hand over a result before the whole work is finished."""

    def raise_if_cancelled(self) -> None:
        """Raise `errors.CancelledError` if the person has asked to stop."""


class Quiet(TaskContext):
    """For a part of the work whose own steps tell nothing of the whole: it can only be stopped."""

    def __init__(self, inner: TaskContext) -> None:
        self._inner = inner

    def raise_if_cancelled(self) -> None:
        """Raise `errors.CancelledError` if the person has asked to stop the whole."""
        self._inner.raise_if_cancelled()
