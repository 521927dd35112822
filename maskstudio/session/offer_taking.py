"""What becomes of an offer of the model once a person took it, or left before it came."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation, ImageState
from maskstudio.annotation.category_map import destinations
from maskstudio.annotation.edits import Edit
from maskstudio.annotation.offers import Choice, Offer
from maskstudio.annotation.segmentation import Segmentation, repaired
from maskstudio.session import operations
from maskstudio.session.model_categories import with_categories
from maskstudio.session.operations import Origin
from maskstudio.session.session import Session

_TITLE, _AGAIN = "Outline a box", "Outline again"


@dataclass(frozen=True)
class Taken:
    """An offer as it is to become an annotation.

    Attributes:
        outline: of the object.
        category_id: the project's; None takes the first one, which is made if there is none.
        origin: how the person came by it.
    """

    outline: Segmentation
    category_id: int | None
    origin: Origin


def as_choice(session: Session, offer: Offer, choice: int, category_id: int | None) -> Taken:
    """Return an offer read as one of its categories.

    Args:
        session: the open project.
        offer: what was offered.
        choice: which of its categories.
        category_id: counts where it has none.
    """
    origin = Origin(_TITLE, offer.reading.answers.model_id)
    if offer.choices:
        chosen = offer.choices[choice]
        category_id, made = _category(session, offer, chosen)
        origin = replace(origin, score=min(1.0, chosen.score), made=made)
    return Taken(offer.outline(choice), category_id, origin)


def as_category(offer: Offer, category_id: int) -> Taken:
    """Return an offer read as a category that the model did not name."""
    return Taken(offer.likeliest, category_id, Origin(_TITLE, offer.reading.answers.model_id))


def draw(session: Session, taken: Taken, neighbours: Sequence[Annotation]) -> bool:
    """Put it on the current image, cut at its neighbours, and select it."""
    return operations.draw(session, taken.outline, taken.category_id, neighbours, taken.origin)


def draw_on(session: Session, image_id: int, taken: Taken, *, seen: bool) -> bool:
    """Put it on an image that is not the current one.

    Args:
        session: the open project.
        image_id: the image.
        taken: what to put there; without a category nothing is done.
        seen: a person has seen it; else it is a pre-annotation, and the image is to be looked at.
    """
    content = session.content(image_id)
    outline = repaired(taken.outline, content.record.height, content.record.width)
    if outline is None or taken.category_id is None:
        return False
    annotation = Annotation(
        next(session.require_database().take_annotation_ids()),
        taken.category_id,
        outline,
        model_id=taken.origin.model_id,
        score=taken.origin.score,
        touched=seen,
        z=content.front_z,
    )
    made = taken.origin.made
    edit = edits.revealing(edits.add(content, [annotation], taken.origin.title), session.categories)
    edit = replace(edit, categories=made.categories + edit.categories, rules=made.rules)
    if not seen:
        state = edits.set_state(content, ImageState.EDITED, taken.origin.title)
        edit = replace(edit, author=f"model:{taken.origin.model_id}", images=state.images)
        # No undo on another image may bring the person back to this one.
        edit = edits.by_batch(edit)
    return session.edit(edit)


def redraw(session: Session, annotation_id: int, offer: Offer) -> bool:
    """Give an annotation of the current image the outline offered; all else of it stays."""
    outline = offer.outline_as(session.annotations[annotation_id].category_id)
    return operations.reshape(session, annotation_id, outline, _AGAIN)


def _category(session: Session, offer: Offer, chosen: Choice) -> tuple[int, Edit]:
    """Return the project's category, and what makes it if the project has it not."""
    if not chosen.to_be_made:
        return chosen.category.id, Edit("")
    answers = offer.reading.answers
    made = with_categories(session, answers.model_id, answers.categories, [chosen.label], Edit(""))
    rules = session.category_maps.of(answers.model_id).changed(made.rules)
    known = [*session.categories, *(c.after for c in made.categories if c.after)]
    return int(destinations(rules, answers.categories, known)[chosen.label]), made
