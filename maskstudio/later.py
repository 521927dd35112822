"""Libraries that are loaded when something of theirs is first used.

An empty window needs none of them, and loading them would be a third of its start: what is imported
before the window is up takes them from here.
"""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import cv2
    import numpy as np
    import shapely
else:

    class _Later(ModuleType):
        """Stands for a library until it is used; may be used by several threads at once."""

        def __getattr__(self, name: str) -> Any:
            value = getattr(importlib.import_module(self.__name__), name)
            # The next use finds it without coming here.
            setattr(self, name, value)
            return value

    cv2 = _Later("cv2")
    np = _Later("numpy")
    shapely = _Later("shapely")

__all__ = ["cv2", "np", "shapely"]
