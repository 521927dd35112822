"""The categories of a project, in the order a person gave them."""

from collections.abc import Iterable

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.edits import CategoryChange


class CategoryTable:
    """Categories by id.

    Attributes:
        ordered: all of them, by their places.
        hidden: ids of those whose annotations are not shown.
    """

    def __init__(self, categories: Iterable[Category] = ()) -> None:
        self._by_id = {category.id: category for category in categories}
        self._arrange()

    def __getitem__(self, category_id: int) -> Category:
        return self._by_id[category_id]

    def apply(self, changes: Iterable[CategoryChange]) -> None:
        """Go from before changes to after them."""
        for change in changes:
            if change.before is not None:
                self._by_id.pop(change.before.id, None)
            if change.after is not None:
                self._by_id[change.after.id] = change.after
        self._arrange()

    def take_in(self, categories: Iterable[Category]) -> None:
        """Take in those that are not known yet."""
        self._by_id = {category.id: category for category in categories} | self._by_id
        self._arrange()

    def _arrange(self) -> None:
        self.ordered = tuple(sorted(self._by_id.values(), key=lambda category: category.place))
        self.hidden = frozenset(category.id for category in self.ordered if category.hidden)
