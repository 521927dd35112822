"""Taking another model, and having it predict again what nobody has touched.

A person's annotations, verified and skipped images stay as they are: the run is the one that every
run over many images is, and leaves out the rest.
"""

from PySide6.QtCore import QObject, Signal

from maskstudio.annotation.annotation import ImageState
from maskstudio.session.model_store import ModelStore
from maskstudio.session.preannotation import PreAnnotator
from maskstudio.session.session import Session

STATES = (ImageState.PREDICTED, ImageState.EDITED)
"""Images in these may hold pre-annotations that nobody has touched."""


class Reannotation(QObject):
    """Puts another model to work.

    Signals:
        began: so many images are being predicted again.
    """

    began = Signal(int)

    def __init__(
        self, session: Session, annotator: PreAnnotator, models: ModelStore, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._annotator = annotator
        self._models = models
        # The model that is to predict again once it is loaded.
        self._awaited = ""
        annotator.model_loaded.connect(self._on_loaded)
        session.opened.connect(self._forget)

    def images(self) -> tuple[int, ...]:
        """Return the images on which something stands that no person has touched.

        Those on which a model found nothing are among them, as long as nobody worked on them.
        """
        session = self._session
        if not any(session.state_counts.get(state) for state in STATES):
            return ()
        record, facts, missing = session.record, session.facts, session.missing

        def is_open(image_id: int) -> bool:
            state = record(image_id).status.state
            if state is ImageState.PREDICTED:
                return image_id not in missing
            if state is not ImageState.EDITED or image_id in missing:
                return False
            return facts(image_id).lowest is not None

        return tuple(i for i in session.image_ids if is_open(i))

    def promote(self, model: str, *, again: bool) -> None:
        """Use a model from now on.

        Args:
            model: its name or path.
            again: have it predict again what nobody has touched, as soon as it is loaded.
        """
        self._awaited = model if again else ""
        self._models.choose(model)

    def start(self) -> None:
        """Have the model in use predict again what nobody has touched."""
        images = self.images()
        if self._annotator.batch.running:
            self._session.problem.emit(
                "A run over many images is on; let it end or cancel it, then predict again."
            )
        elif images:
            self._annotator.run_images(images, STATES)
            self.began.emit(len(images))

    def _on_loaded(self) -> None:
        # When it cannot be loaded, the one before is.
        awaited, self._awaited = self._awaited, ""
        if awaited and awaited == self._annotator.model_name:
            self.start()

    def _forget(self) -> None:
        self._awaited = ""
