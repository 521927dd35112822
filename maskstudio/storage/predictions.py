"""What models did to images, as the journal holds it: also where another one was before."""

from collections.abc import Iterator

import sqlalchemy as sa

from maskstudio.annotation.edits import PERSON, Edit
from maskstudio.storage import journal, tables

_C = tables.edits.c
# The first of these says nothing new: the index has all of such, which the database has to read in
# the statement itself.
_NO_PERSON = _C.author != sa.bindparam("person", PERSON, literal_execute=True)
_BY_MODELS = (_NO_PERSON, _C.author.like("model:%"), _C.state == tables.EntryState.DONE)


def predicted_again(connection: sa.Connection) -> list[int]:
    """Return the ids of the images that more than one model was run on, in order."""
    query = sa.select(_C.image_id).where(*_BY_MODELS, _C.image_id.is_not(None))
    several = sa.func.count(_C.author.distinct()) > 1
    return list(connection.scalars(query.group_by(_C.image_id).having(several)))


def of_last_model(connection: sa.Connection, image_id: int) -> list[Edit]:
    """Return what the model did to an image that did anything to it last, in order.

    Only what came after what another model did; nothing where there was no other.
    """
    query = sa.select(_C.id, _C.author).where(*_BY_MODELS, _C.image_id == image_id)
    # Asked for in order, SQLite would go over the whole journal instead.
    entries = sorted((entry, author) for entry, author in connection.execute(query))
    last = list(_last_of_one_author(entries))
    if len(last) == len(entries):
        return []
    return [journal.read_entry(connection, entry) for entry in reversed(last)]


def _last_of_one_author(entries: list[tuple[int, str]]) -> Iterator[int]:
    """Yield the newest entries, the last first, as long as their author is the same."""
    for entry, author in reversed(entries):
        if author != entries[-1][1]:
            return
        yield entry
