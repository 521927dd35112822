"""A data set cut into pieces that helper processes can work on, none of them large.

See `maskstudio.processes`: a piece is pickled, so it carries its annotations unread where the data
set can hand them over like that.
"""

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from maskstudio.annotation.annotation import Annotation, Dataset, ImageRecord, ImageStatus
from maskstudio.annotation.unread import Unread, unread

# An annotation takes about 400 bytes as the database has it, and twenty times as much while it is
# worked on.
_PIECE_BYTES = 5_000_000
_PIECE_IMAGES = 2000

# So many images are taken from the data set at a time: as many as make up a small share of a piece,
# though on each stand ten thousand annotations.
_FIRST_IMAGES, _MOST_IMAGES = 4, 64
_SHARE_BYTES = _PIECE_BYTES // 10

_NO_STATUS = ImageStatus()


@dataclass(frozen=True)
class Piece:
    """Some images of a data set and what stands on them.

    Attributes:
        images: in the order of the data set; their states and the like are left out.
        packed: their annotations, pickled, unread.
    """

    images: tuple[ImageRecord, ...]
    packed: tuple[bytes, ...]

    def annotations(self) -> Mapping[int, tuple[Annotation, ...]]:
        """Read the annotations: image id to those on it, back to front."""
        read: dict[int, tuple[Annotation, ...]] = {}
        for packed in self.packed:
            some: Unread = pickle.loads(packed)
            read |= some()
        return read


def cut(dataset: Dataset) -> Iterator[Piece]:
    """Cut a data set into pieces; together they are the whole, in its order."""
    first = end = size = 0
    at_once = _FIRST_IMAGES
    packed: list[bytes] = []
    while end < len(dataset.images):
        some = dataset.images[end : min(end + at_once, first + _PIECE_IMAGES)]
        ids = [image.id for image in some]
        packed.append(pickle.dumps(unread(dataset.annotations, ids), pickle.HIGHEST_PROTOCOL))
        end += len(some)
        size += len(packed[-1])
        at_once = at_once * 2 if len(packed[-1]) < _SHARE_BYTES else at_once // 2
        at_once = min(max(at_once, 1), _MOST_IMAGES)
        if size >= _PIECE_BYTES or end - first == _PIECE_IMAGES or end == len(dataset.images):
            yield Piece(_bare(dataset.images[first:end]), tuple(packed))
            first, size, packed = end, 0, []


def _bare(images: tuple[ImageRecord, ...]) -> tuple[ImageRecord, ...]:
    return tuple(replace(image, status=_NO_STATUS) for image in images)
