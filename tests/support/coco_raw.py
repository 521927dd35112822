"""COCO files as Python values, right or wrong, and what a reader makes of them."""

from typing import Any

from maskstudio.formats.incoming import IncomingContent, Source
from support.coco_sets import Entry

HEIGHT, WIDTH = 20, 30
IMAGE: Entry = {"id": 7, "file_name": "a.png", "height": HEIGHT, "width": WIDTH}
CATEGORY: Entry = {"id": 3, "name": "cell"}
RING = [1.25, 2.5, 10.0000000000001, 2, 10, 12.75, 1, 12]


def entry(**values: object) -> Entry:
    """Return an annotation of the image and the category above."""
    return {"image_id": 7, "category_id": 3} | values


GOOD = entry(segmentation=[RING])


def coco(
    *annotations: Entry, images: Any = (IMAGE,), categories: Any = (CATEGORY,), **more: object
) -> dict[str, Any]:
    """Return a COCO file."""
    lists = {"images": images, "categories": categories, "annotations": annotations}
    return {key: list(value) for key, value in lists.items()} | more


def content_of(source: Source, number: int = 0) -> IncomingContent:
    """Return what stands on an image, of the size above where the file does not say."""
    image = source.images[number]
    return source.content(number, image.height or HEIGHT, image.width or WIDTH)
