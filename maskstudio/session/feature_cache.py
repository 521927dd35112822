"""What the model saw of the images looked at last, so that a question about one costs little."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path

from maskstudio.annotation.detections import ImageFeatures
from maskstudio.annotation.tiling import PixelBox

_MOST_BYTES = 512_000_000
"""The pyramid of an image as torchvision scales it (800 x 1,333) takes about 95 MB in float32."""


@dataclass(frozen=True)
class FeatureKey:
    """Whose features these are.

    Attributes:
        project_folder: of which project.
        image_id: of which image.
        model_name: what saw it.
        window: the part of the image that was seen, in pixels; None for all of it.
    """

    project_folder: Path
    image_id: int
    model_name: str
    window: PixelBox | None = None


class FeatureCache:
    """Keeps the features asked for last, within a number of bytes; any thread may ask.

    What was put here last is kept however large it is, or an image that takes more than all others
    together would be looked at anew for every question about it.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        """Keep nothing yet.

        Args:
            most_bytes: bound of all that is kept.
        """
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[FeatureKey, ImageFeatures] = OrderedDict()

    def __contains__(self, key: FeatureKey) -> bool:
        with self._lock:
            return key in self._kept

    def get(self, key: FeatureKey) -> ImageFeatures | None:
        """Return features, which become the ones asked for last; None when they are not kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def windows(self, key: FeatureKey) -> tuple[PixelBox, ...]:
        """Return the parts of an image that are kept, that asked for last first."""
        with self._lock:
            of_image = (kept for kept in self._kept if replace(kept, window=key.window) == key)
            return tuple(kept.window for kept in of_image if kept.window is not None)[::-1]

    def put(self, key: FeatureKey, features: ImageFeatures) -> None:
        """Keep features; those not asked for longest go where there is no room for all."""
        with self._lock:
            self._kept[key] = features
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and self._bytes() > self._most_bytes:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget all: another model is loaded, and needs the memory."""
        with self._lock:
            self._kept.clear()

    def _bytes(self) -> int:
        return sum(features.nbytes for features in self._kept.values())
