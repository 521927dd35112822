"""What was decided about the categories of models in the open project.

The maps are data of the project: they change only through edits that carry rules.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from maskstudio.annotation.category_map import CategoryMap, RuleChange, maps_changed
from maskstudio.storage.category_maps import SETTING, maps_from

Read = Callable[[str, Any], Any]
"""Reads a setting of the project: its key, and what counts where there is none."""


class CategoryMaps:
    """The maps of the open project, one for each model that something was decided about."""

    def __init__(self) -> None:
        self.reset()

    def reset(self, read: Read | None = None) -> None:
        """Belong to another project, or to none."""
        self._read = read
        self._maps: dict[str, CategoryMap] | None = None

    def of(self, model_id: str) -> CategoryMap:
        """Return what was decided about the categories of a model."""
        return self._all().get(model_id) or CategoryMap(model_id)

    def apply(self, changes: Sequence[RuleChange]) -> None:
        """Go from before changes to after them."""
        if changes:
            self._maps = maps_changed(self._all(), changes)

    def following(self, gone: Collection[int], into_id: int) -> tuple[RuleChange, ...]:
        """Return the changes after which all that went to some categories goes to another."""
        maps = self._all().values()
        return tuple(change for one in maps for change in one.following(gone, into_id))

    def _all(self) -> dict[str, CategoryMap]:
        if self._maps is None:
            # Not on opening a folder: most have to wait for their first image then.
            self._maps = maps_from(self._read(SETTING, {})) if self._read else {}
        return self._maps
