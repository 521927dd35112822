"""What a person asks the model about an image: a box becomes an outline, a place becomes offers.

The features of the image are kept, so an answer takes the heads of the network only. What is
offered is taken unless the person drops it: by the next box, by going on to another image, by
putting the tool away.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.offers import Offer, distinct_from, offers_of
from maskstudio.annotation.segmentation import Box
from maskstudio.session import offer_taking
from maskstudio.session.box_outlining import NO_OUTLINES, can_outline
from maskstudio.session.offer_taking import Taken
from maskstudio.session.preannotation import PreAnnotator
from maskstudio.session.prompt_work import Answer, Prompt, ask, look
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Priority, Tasks

# An image that is being looked at by what this gave way for: it is asked about again so much later.
_AGAIN_MS = 40
# By then the image is painted, and a run that looks at it anyway has begun.
_PAINTED_MS = 100


class Prompter(QObject):
    """Asks the model about the current image, and keeps what it offers.

    Signals:
        changed: another offer, or other boxes wait.
        told: one sentence for the person that is no problem.
    """

    changed = Signal()
    told = Signal(str)

    def __init__(
        self,
        session: Session,
        tasks: Tasks,
        annotator: PreAnnotator,
        category_id: Callable[[], int | None],
        neighbours: Callable[[Box], Sequence[Annotation]],
    ) -> None:
        """Ask nothing yet.

        Args:
            session: the open project.
            tasks: the lanes.
            annotator: knows which model is in use.
            category_id: the category where the model offers none; None before there is any.
            neighbours: gives what shares borders with what is drawn in a box.
        """
        super().__init__(session)
        self._session = session
        self._tasks = tasks
        self._annotator = annotator
        self._category_id = category_id
        self._neighbours = neighbours
        self._prompts: list[Prompt] = []
        self._offers: tuple[Offer, ...] = ()
        self._shown = 0
        self._image_id = 0  # whose offers these are
        self._in_hand = False
        self._ahead: Job | None = None
        self._soon = QTimer(self, interval=_PAINTED_MS, singleShot=True)
        self._soon.timeout.connect(self._look_ahead)
        session.current_changed.connect(self._on_current)
        session.opened.connect(self._on_opened)
        annotator.model_loaded.connect(self._look_ahead)

    @property
    def offer(self) -> Offer | None:
        """What the person may take now."""
        return self._offers[self._shown] if self._offers else None

    @property
    def place(self) -> tuple[int, int]:
        """Which offer of how many it is, from 1; (1, 1) for that of a box."""
        return self._shown + 1, len(self._offers)

    @property
    def waiting(self) -> tuple[Prompt, ...]:
        """What was asked about the current image and is not answered yet, in order."""
        current = self._session.current
        return tuple(p for p in self._prompts if current is not None and p.image_id == current.id)

    @property
    def open(self) -> bool:
        """True while there is something to drop."""
        return bool(self._offers) or any(not prompt.at_once for prompt in self.waiting)

    @property
    def has_looked(self) -> bool:
        """True when an answer about the current image needs no more than the heads."""
        current = self._session.current
        if current is None:
            return False
        return self._annotator.holder.has_looked(self._annotator.image_task(current.id))

    def set_in_hand(self, in_hand: bool) -> None:
        """Look at every image ahead of the first box as long as the tool is in hand."""
        self._in_hand = in_hand
        self._look_ahead()
        if in_hand:
            can_outline(self._session, self._annotator)

    def ask(self, box: Box) -> None:
        """Have an object outlined; what is offered now is taken first.

        Args:
            box: around the object, xyxy; what lies outside the image is cut off.
        """
        if self.settle():
            self._ask_about(box, None)

    def ask_instead(self, box: Box) -> None:
        """Have the object that is offered outlined in another box."""
        self._set_offers(())
        self._ask_about(box, None)

    def ask_again(self, annotation_id: int, box: Box) -> None:
        """Have the outline of an annotation drawn anew; all else of it stays."""
        annotation = self._session.annotations.get(annotation_id)
        if annotation is None or not self._session.allows_changing([annotation]):
            return
        if self.settle():
            self._ask_about(box, annotation_id)

    def ask_at(self, point: tuple[float, float]) -> None:
        """Have everything offered that covers a place and is not annotated yet."""
        image = self._session.current
        if image is not None and self.settle() and self._may_draw():
            self._begin(Prompt(image.id, point=point))

    def walk(self, by: int) -> None:
        """Show the offer `by` places further on, round and round."""
        if self._offers:
            self._shown = (self._shown + by) % len(self._offers)
            self.changed.emit()

    def take(self, choice: int = 0) -> bool:
        """Take what is offered, as one of its categories; False when that cannot be done."""
        offer = self.offer
        if offer is None or choice >= max(1, len(offer.choices)):
            return False
        return self._keep(offer_taking.as_choice(self._session, offer, choice, self._category_id()))

    def take_as(self, category_id: int) -> bool:
        """Take what is offered as any category of the project."""
        offer = self.offer
        if offer is None:
            return False
        known = [n for n, c in enumerate(offer.choices) if c.category.id == category_id]
        return (
            self.take(known[0])
            if known
            else self._keep(offer_taking.as_category(offer, category_id))
        )

    def settle(self) -> bool:
        """Take what is offered, and later what is asked already, as soon as it is answered.

        Returns:
            False when what is offered could not be taken; `Session.problem` said why.
        """
        for prompt in self._prompts:
            prompt.at_once = True
        return self.offer is None or self.take()

    def drop(self) -> bool:
        """Drop what is offered, or what was asked last; False when there is neither."""
        # That of an image just left is being taken.
        if self._offers and self._is_current(self._image_id):
            self._set_offers(())
            return True
        left = [prompt for prompt in self.waiting if not prompt.at_once]
        if left:
            self._forget(left[-1])
            self.changed.emit()
        return bool(left)

    def _ask_about(self, box: Box, annotation_id: int | None) -> None:
        image = self._session.current
        if image is None or not self._may_draw():
            return
        x0, x1 = (min(max(x, 0.0), float(image.width)) for x in (box[0], box[2]))
        y0, y1 = (min(max(y, 0.0), float(image.height)) for y in (box[1], box[3]))
        if not (x0 < x1 and y0 < y1):
            self._session.problem.emit(
                "That box holds nothing of the image; drag it around an object."
            )
            return
        self._begin(Prompt(image.id, (x0, y0, x1, y1), annotation_id=annotation_id))

    def _may_draw(self) -> bool:
        if self._session.read_only:
            self._session.problem.emit(
                "This folder is open for reading only; nothing can be drawn."
            )
        return not self._session.read_only and can_outline(self._session, self._annotator)

    def _begin(self, prompt: Prompt) -> None:
        self._prompts.append(prompt)
        self._submit(prompt)
        self.changed.emit()

    def _submit(self, prompt: Prompt) -> None:
        if prompt not in self._prompts:
            return
        holder, task = self._annotator.holder, self._annotator.image_task(prompt.image_id)
        prompt.job = self._tasks.submit(
            LaneName.MODEL,
            partial(ask, holder, task, prompt.box, prompt.point),
            Callbacks(
                partial(self._on_done, prompt),
                partial(self._on_failed, prompt),
                item=partial(self._on_answer, prompt),
            ),
            Priority.NOW,
        )

    def _on_done(self, prompt: Prompt, asked: bool) -> None:
        if not asked:
            QTimer.singleShot(_AGAIN_MS, self, partial(self._submit, prompt))

    def _on_failed(self, prompt: Prompt, sentence: str) -> None:
        if prompt in self._prompts:
            self._prompts.remove(prompt)
            self._session.problem.emit(sentence)
            self.changed.emit()

    def _on_answer(self, prompt: Prompt, answer: Answer) -> None:
        if prompt not in self._prompts:
            return
        self._prompts.remove(prompt)
        offers = self._offers_of(prompt, answer)
        if offers and prompt.annotation_id is not None:
            self._redraw(prompt, prompt.annotation_id, offers[0])
        elif offers and not self._is_current(prompt.image_id):
            self._keep_aside(prompt, offers[0])
        elif offers and (self.offer is None or self.take()):
            self._set_offers(offers)
            if prompt.at_once:
                self.take()
            else:
                self._session.select(())
        self.changed.emit()

    def _offers_of(self, prompt: Prompt, answer: Answer) -> tuple[Offer, ...]:
        """Return what can be offered; where there is nothing, say why."""
        model_id = answer.answers.model_id
        if answer.answers.roi_masks is None:
            self._session.problem.emit(NO_OUTLINES.format(model=model_id))
            return ()
        chosen = self._session.category_maps.of(model_id)
        offers = offers_of(answer.readings, chosen, self._session.categories)
        if prompt.box is not None:
            offers = tuple(replace(offer, box=prompt.box) for offer in offers)
        elif self._is_current(prompt.image_id):
            offers = distinct_from(offers, tuple(self._session.annotations.values()))
        if not offers:
            self.told.emit(
                "The model sees no other object there; drag a box around it."
                if prompt.box is None
                else "The model sees no object in that box; drag a wider one, or draw the outline."
            )
        return offers

    def _redraw(self, prompt: Prompt, annotation_id: int, offer: Offer) -> None:
        """Give an annotation another outline, if it is still there to be seen."""
        if self._is_current(prompt.image_id) and annotation_id in self._session.annotations:
            offer_taking.redraw(self._session, annotation_id, offer)
            self._session.select([annotation_id])
        else:
            self.told.emit(
                "The annotation was left before its new outline came; it stayed as it was."
            )

    def _keep(self, taken: Taken) -> bool:
        if self._is_current(self._image_id):
            neighbours = self._neighbours(taken.outline.box)
            kept = offer_taking.draw(self._session, taken, neighbours)
        else:
            kept = offer_taking.draw_on(self._session, self._image_id, taken, seen=True)
        if kept:
            self._set_offers(())
        return kept

    def _keep_aside(self, prompt: Prompt, offer: Offer) -> None:
        """Put what came too late on its image, where somebody has to look at it."""
        if prompt.box is None:
            # Nobody drew anything: one of several offers would have been chosen.
            return
        taken = offer_taking.as_choice(self._session, offer, 0, self._category_id())
        if offer_taking.draw_on(self._session, prompt.image_id, taken, seen=False):
            path = self._session.record(prompt.image_id).path
            self.told.emit(
                f"An outline came after {path} was left; it stands there as a pre-annotation, to "
                "be looked at."
            )

    def _set_offers(self, offers: tuple[Offer, ...]) -> None:
        current = self._session.current
        self._offers, self._shown = offers, 0
        self._image_id = current.id if current is not None else 0
        self.changed.emit()

    def _is_current(self, image_id: int) -> bool:
        current = self._session.current
        return current is not None and current.id == image_id

    def _look_ahead(self) -> None:
        """Have the current image looked at, and the one that comes next."""
        self._stop_looking()
        current = self._session.current
        if self._in_hand and current is not None:
            self._look_at([current.id, *self._session.order.ahead(current.id, 1)])

    def _stop_looking(self) -> None:
        if self._ahead is not None:
            self._ahead.cancel()
            self._ahead = None

    def _look_at(self, image_ids: Sequence[int]) -> None:
        """Have images looked at, one after another, so that no box waits for that."""
        holder, missing = self._annotator.holder, self._session.missing
        tasks = [self._annotator.image_task(i) for i in image_ids if i not in missing]
        left = [t for t in tasks if not (holder.has_looked(t) or holder.is_looking(t))]
        if not left:
            return

        def ended(_: object) -> None:
            if self._ahead is job:
                self._ahead = None
                self.changed.emit()
                self._look_at([task.image_id for task in left[1:]])

        # What goes wrong here is said when somebody asks.
        job = self._tasks.submit(
            LaneName.MODEL, partial(look, holder, left[0]), Callbacks(ended, ended), Priority.SOON
        )
        self._ahead = job

    def _forget(self, prompt: Prompt) -> None:
        self._prompts.remove(prompt)
        if prompt.job is not None:
            prompt.job.cancel()

    def _on_current(self) -> None:
        self.take()
        self._set_offers(())
        self._stop_looking()
        self._soon.start()

    def _on_opened(self) -> None:
        for prompt in tuple(self._prompts):
            self._forget(prompt)
        self._set_offers(())
