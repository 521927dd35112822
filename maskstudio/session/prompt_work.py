"""What is asked of the model about an image, and the asking itself, on lane MODEL."""

from dataclasses import dataclass

from maskstudio.annotation.box_answers import BoxAnswers
from maskstudio.annotation.offers import Reading, readings
from maskstudio.annotation.segmentation import Box
from maskstudio.progress import TaskContext
from maskstudio.session import views
from maskstudio.session.model_lane import ImageTask, ModelHolder
from maskstudio.session.tasks import Job


@dataclass(eq=False)
class Prompt:
    """One thing a person asked.

    Attributes:
        image_id: of which image.
        box: what to outline, xyxy; None: `point` was asked about.
        point: what is to be covered, (x, y).
        annotation_id: whose outline is to be replaced; None for a new annotation.
        at_once: its likeliest category is taken without asking: the person has gone on.
        job: what asks the model.
    """

    image_id: int
    box: Box | None = None
    point: tuple[float, float] = (0.0, 0.0)
    annotation_id: int | None = None
    at_once: bool = False
    job: Job | None = None


@dataclass(frozen=True)
class Answer:
    """What the model said.

    Attributes:
        answers: as it said it.
        readings: of each answer, the likeliest first.
    """

    answers: BoxAnswers
    readings: tuple[tuple[Reading, ...], ...]


def look(holder: ModelHolder, task: ImageTask, context: TaskContext) -> None:
    """Have the model look at an image ahead of the first question about it."""
    holder.look(task, context)


def ask(
    holder: ModelHolder,
    task: ImageTask,
    box: Box | None,
    point: tuple[float, float],
    context: TaskContext,
) -> bool:
    """Produce the `Answer` about a box, or about a place where there is no box.

    Returns:
        False when the image is just being looked at by what this gave way for: ask again later.
    """
    if box is not None:
        view = views.view_of_box(holder, task, box)
    else:
        view = views.view_of_place(holder, task, *point)
    if view is None and holder.is_looking(task):
        return False
    if box is not None:
        answers = views.answer_in(holder, task, view, [box], context)
    else:
        answers = views.candidates_in(holder, task, view, point, context)
    found = readings(answers)
    for first in (one[0] for one in found if one):
        _ = first.outline
    context.produce(Answer(answers, found))
    # The person looks at the first; by the time they choose another it is traced.
    for reading in (other for one in found for other in one[1:]):
        context.raise_if_cancelled()
        _ = reading.outline
    return True
