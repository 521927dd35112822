"""What is known of images without reading an outline, out of the index of annotations."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, func, select

from maskstudio.annotation.image_facts import ImageFacts
from maskstudio.storage import tables


def select_facts(image_ids: Sequence[int]) -> Select[Any]:
    """Select the facts of images, as one text."""
    c = tables.annotations.c
    categories = func.group_concat(c.category_id.distinct())
    each = select(
        c.image_id, categories.label("kinds"), func.min(c.open_score), func.max(c.open_score)
    ).group_by(c.image_id)
    named = func.json_each(json.dumps(list(image_ids))).table_valued("value")
    found = each.where(c.image_id.in_(select(named.c.value))).subquery()
    return select(func.json_group_array(func.json_array(*found.c)))


def facts_from_text(text: str) -> Iterator[tuple[int, ImageFacts]]:
    """Read what was selected: image ids and facts."""
    for image_id, categories, lowest, highest in json.loads(text):
        kinds = frozenset(map(int, categories.split(",")))
        yield image_id, ImageFacts(kinds, lowest, highest)
