"""What the head of an image file says, without decoding it."""

from pathlib import Path

from maskstudio.annotation.quality import FileFacts
from maskstudio.errors import UserError
from maskstudio.storage.images import SIDEWAYS, opened, orientation, stored_size_wh


def read_head(path: Path) -> FileFacts:
    """Return what the head of an image file says; a file that has none says so in `fault`."""
    try:
        with opened(path) as image:
            width, height = stored_size_wh(image)
            turned = orientation(image) or 1
    except UserError as error:
        return FileFacts(fault=str(error))
    if turned in SIDEWAYS:
        width, height = height, width
    return FileFacts(height, width, turned)
