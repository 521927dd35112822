"""Real image files, small and made the same way every time."""

from pathlib import Path

import numpy as np
from PIL import Image


def write_picture(path: Path, height: int, width: int, seed: int = 0) -> Path:
    """Write an RGB picture of smooth noise and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), np.uint8)
    Image.fromarray(noise).resize((width, height)).save(path)
    return path
