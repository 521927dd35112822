"""Goes to what a check found: the image, the annotation, the place."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from maskstudio.annotation.findings import Finding
from maskstudio.session.quality import Quality
from maskstudio.session.session import Session
from maskstudio.ui.canvas.canvas import Canvas


class FindingWalk(QObject):
    """Walks from one finding to the next, in the order they are listed in.

    Signals:
        went: a `Finding` is shown now.
    """

    went = Signal(object)

    def __init__(
        self, session: Session, quality: Quality, canvas: Canvas, say: Callable[[str], object]
    ) -> None:
        super().__init__(canvas)
        self._session = session
        self._quality = quality
        self._canvas = canvas
        self._say = say
        self._last: Finding | None = None
        self._place = -1
        self._awaited: Finding | None = None
        canvas.adjusted.connect(self._on_image)
        session.opened.connect(self._on_opened)

    def go(self, finding: Finding) -> None:
        """Show the image of a finding, select what it concerns and magnify the place."""
        self._last = finding
        found = self._quality.findings
        self._place = found.index(finding) if finding in found else -1
        session = self._session
        if finding.image_id is not None:
            self._awaited = finding
            session.show(finding.image_id)
            # The first is what is wrong; of two that are the same it lies over the other.
            few = finding.box is not None
            session.select(finding.annotation_ids[:1] if few else ())
            if self._canvas.has_image:
                self._on_image()
        self.went.emit(finding)

    def step(self, by: int) -> None:
        """Go to the next finding, or back with -1; what was put right is none any more."""
        found = self._quality.findings
        standing = 0 <= self._place < len(found) and found[self._place] == self._last
        place = self._place + by if standing or by < 0 else max(self._place, 0)
        if not 0 <= place < len(found):
            self._say("There is nothing more to look at." if found else "Nothing is found.")
            return
        self.go(found[place])
        finding = found[place]
        self._say(f"{place + 1:,} of {len(found):,}: {finding.sentence}  ·  {{next_finding}}: next")

    def _on_image(self) -> None:
        """Magnify the place, once its image is on the canvas."""
        finding, current = self._awaited, self._session.current
        if finding is None or current is None or not self._canvas.has_image:
            return
        if current.id == finding.image_id and finding.box is not None:
            self._canvas.show_box(finding.box)
        self._awaited = None

    def _on_opened(self) -> None:
        self._last, self._place, self._awaited = None, -1, None
