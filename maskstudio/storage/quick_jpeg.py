"""Decode a sound JPEG in half the time Pillow takes, most of which goes into copying pixels out."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

_END = b"\xff\xd9"
# What cameras and programs leave behind the end.
_PADDING = b"\x00\r\n "


def read_jpeg(image: Image.Image, path: Path, *, half: bool = False) -> NDArray[np.uint8] | None:
    """Read a JPEG as it lies in its file: the same pixels, to the bit, as Pillow's.

    Args:
        image: opened by Pillow, which has looked at its header only.
        path: its file.
        half: at half its size, rounded up, which takes half the time; nearly as if it were halved.

    Returns:
        (height, width, 3) uint8 in the order blue, green, red; None where Pillow has to look: of
        another kind, or not whole, for which OpenCV has no words.
    """
    if image.format != "JPEG" or image.mode != "RGB":
        return None
    data = path.read_bytes()
    if not data.rstrip(_PADDING).endswith(_END):
        return None
    colour = cv2.IMREAD_REDUCED_COLOR_2 if half else cv2.IMREAD_COLOR
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), colour | cv2.IMREAD_IGNORE_ORIENTATION)
    size = tuple(-(-side // 2) for side in image.size) if half else image.size
    if pixels is None or pixels.shape[1::-1] != size or pixels.dtype != np.uint8:
        return None
    return np.asarray(pixels, np.uint8)
