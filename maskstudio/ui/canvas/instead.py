"""What the canvas shows in place of the annotations of its image, to be looked at and no more."""

from collections.abc import Callable, Mapping

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.overlay_request import NO_MARKS, Marks


class Instead:
    """Other annotations for a while, and what is pointed out among them.

    Attributes:
        annotations: by id, back to front; None while the image shows its own.
        marks: drawn over them, in place of all other marks.
    """

    def __init__(self, renew: Callable[[], object]) -> None:
        """Stand in for nothing; `renew` is called when that is another matter."""
        self._renew = renew
        self.annotations: Mapping[int, Annotation] | None = None
        self.marks = NO_MARKS

    def show(self, annotations: Mapping[int, Annotation] | None, marks: Marks = NO_MARKS) -> None:
        """Show these; with None what stands on the image."""
        if annotations is not self.annotations:
            self.annotations, self.marks = annotations, marks
            self._renew()
