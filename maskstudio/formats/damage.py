"""What Pillow raises on an image file that is damaged."""

import struct
import zlib

from PIL import Image, UnidentifiedImageError

DAMAGE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    struct.error,
    zlib.error,
)
