"""A data set in pieces is the whole data set, whoever reads it and however crowded it is."""

import pickle
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from maskstudio.annotation.annotation import (
    Annotation,
    Category,
    Dataset,
    ImageRecord,
    ImageState,
    ImageStatus,
)
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.annotation.unread import OfCategories
from maskstudio.formats.pieces import cut

SQUARE = Segmentation.from_rings([(1, 1), (5, 1), (5, 5)])
FILLING = "x" * 100_000


def read_text(texts: Sequence[tuple[int, str]]) -> dict[int, tuple[Annotation, ...]]:
    """Read what `OnPaper` holds; it is called where the work is done."""
    return {
        image_id: tuple(
            Annotation(int(word), 1 + int(word) % 2, SQUARE) for word in text.split()[1:]
        )
        for image_id, text in texts
    }


class OnPaper(Mapping[int, tuple[Annotation, ...]]):
    """Annotations as text, as a database has them; reading one here is counted."""

    def __init__(self, texts: Mapping[int, str]) -> None:
        self.texts = texts
        self.read_here = 0
        self.asked: list[int] = []

    def __getitem__(self, image_id: int) -> tuple[Annotation, ...]:
        self.read_here += 1
        return read_text([(image_id, self.texts[image_id])])[image_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self.texts)

    def __len__(self) -> int:
        return len(self.texts)

    def unread(self, image_ids: Sequence[int]) -> partial[dict[int, tuple[Annotation, ...]]]:
        self.asked += image_ids
        return partial(read_text, [(i, self.texts[i]) for i in image_ids if i in self.texts])


def images(count: int) -> tuple[ImageRecord, ...]:
    edited = ImageStatus(ImageState.EDITED)
    return tuple(ImageRecord(n, f"{n}.png", 8, 8, edited) for n in range(1, count + 1))


def paper(count: int) -> OnPaper:
    """Return very long text for each image but every fifth."""
    numbers = (n for n in range(1, count + 1) if n % 5)
    return OnPaper({n: f"{FILLING} {2 * n} {2 * n + 1}" for n in numbers})


def test_pieces_are_the_whole_in_order_and_none_is_large() -> None:
    annotations = paper(300)
    pieces = list(cut(Dataset((Category(1, "c"),), images(300), annotations)))
    assert [image.id for piece in pieces for image in piece.images] == list(range(1, 301))
    assert max(sum(map(len, piece.packed)) for piece in pieces) < 6_000_000
    read: dict[int, tuple[Annotation, ...]] = {}
    for piece in pieces:
        some = pickle.loads(pickle.dumps(piece)).annotations()
        assert some.keys() <= {image.id for image in piece.images}
        read |= some
    assert annotations.read_here == 0
    assert annotations.asked == list(range(1, 301))
    assert read == dict(annotations)


def test_a_mapping_that_knows_no_text_is_read_here() -> None:
    in_memory = dict(paper(10))
    (piece,) = cut(Dataset((), images(10), in_memory))
    assert piece.annotations() == in_memory


def test_without_images_there_is_no_piece() -> None:
    assert list(cut(Dataset((), ()))) == []


def test_other_categories_stay_out_and_nothing_is_read_before() -> None:
    annotations = paper(10)
    chosen = OfCategories(annotations, {2})
    (piece,) = cut(Dataset((), images(10), chosen))
    assert annotations.read_here == 0
    read = piece.annotations()
    assert {a.category_id for on_image in read.values() for a in on_image} == {2}
    assert read == {image_id: chosen[image_id] for image_id in chosen}
    assert len(chosen) == len(annotations)
