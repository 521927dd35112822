"""One step back or forth in the journal, fitted to what stands in the project by then."""

from collections.abc import Mapping

import sqlalchemy as sa

from maskstudio.annotation.edits import Edit, ImageContent
from maskstudio.annotation.rebasing import keeping_used, rebased, with_free_names
from maskstudio.progress import TaskContext
from maskstudio.storage import journal, reading, writing
from maskstudio.storage.journal import Entry

NOTHING: Mapping[int, ImageContent] = {}


def step(connection: sa.Connection, edit: Edit, known: Mapping[int, ImageContent]) -> Edit:
    """Fit an edit, or its inverse, to the project and apply it; return what was applied.

    Args:
        connection: in a transaction.
        edit: what is to be done.
        known: images by id as they are now, so that they need not be read.
    """
    unknown = [i for i in edit.image_ids if i not in known]
    edit = rebased(edit, {**known, **reading.contents(connection, unknown)})
    if edit.categories:
        edit = keeping_used(edit, reading.uses(connection, edit))
        edit = with_free_names(edit, reading.categories(connection))
    writing.apply_edit(connection, edit)
    return edit


def step_long(connection: sa.Connection, entry: Entry, context: TaskContext, *, back: bool) -> None:
    """Take a long edit back, or bring it back, part by part.

    Raises:
        CancelledError: the person asked to stop; the transaction is to be rolled back then.
    """
    numbers = range(entry.parts)
    for done, number in enumerate(reversed(numbers) if back else numbers):
        context.raise_if_cancelled()
        context.report(done, entry.parts, entry.title)
        part = journal.read_part(connection, entry, number)
        step(connection, part.inverse() if back else part, NOTHING)
