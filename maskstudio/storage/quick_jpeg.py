"""Decode a sound JPEG in half the time Pillow takes, most of which goes into copying pixels out."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

_END = b"\xff\xd9"
# What cameras and programs leave behind the end.
_PADDING = b"\x00\r\n "


def read_jpeg(image: Image.Image, path: Path) -> NDArray[np.uint8] | None:
    """Read a JPEG as it lies in its file: the same pixels, to the bit, as Pillow's.

    Args:
        image: opened by Pillow, which has looked at its header only.
        path: its file.

    Returns:
        (height, width, 3) uint8 in the order blue, green, red; None where Pillow has to look: of
        another kind, or not whole, for which OpenCV has no words.
    """
    if image.format != "JPEG" or image.mode != "RGB":
        return None
    data = path.read_bytes()
    if not data.rstrip(_PADDING).endswith(_END):
        return None
    how = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), how)
    if pixels is None or pixels.shape[1::-1] != image.size or pixels.dtype != np.uint8:
        return None
    return np.asarray(pixels, np.uint8)
