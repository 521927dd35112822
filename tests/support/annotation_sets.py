"""Annotations for properties: outlines of every kind, with all that a person may say of them."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import reject
from hypothesis.extra import numpy as st_numpy
from numpy.typing import NDArray

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.masks import simplify_traced, trace
from maskstudio.annotation.segmentation import Box, Segmentation

HEIGHT, WIDTH = 14, 18
CATEGORY_IDS = (2, 3, 9)


def _traced(mask: NDArray[np.bool_], simplify: bool) -> Segmentation:
    outline = trace(mask)
    if outline is None:
        reject()
    return simplify_traced(outline, HEIGHT, WIDTH, 0.8) if simplify else outline


# Parts, holes, islands in holes, pieces that touch at corners.
_MASKS = st.builds(
    _traced,
    st_numpy.arrays(np.bool_, (HEIGHT, WIDTH), elements=st.booleans(), fill=st.just(False)),
    st.booleans(),
)

# Rings as a hand draws them: they may cross themselves, and reach out of the image.
_COORDINATE = st.floats(-4, WIDTH + 4, width=32) | st.integers(-8, 2 * WIDTH + 8).map(
    lambda half: half / 2
)
_RINGS = st.lists(
    st.lists(st.tuples(_COORDINATE, _COORDINATE), min_size=3, max_size=7, unique=True),
    min_size=1,
    max_size=3,
).map(lambda rings: Segmentation.from_rings(*rings))

OUTLINES = _MASKS | _RINGS

_BOXES = st.tuples(st.integers(0, 8), st.integers(0, 6), st.integers(1, 9), st.integers(1, 7)).map(
    lambda box: (float(box[0]), float(box[1]), float(box[0] + box[2]), float(box[1] + box[3]))
)


def _annotation(
    annotation_id: int, drawn: Segmentation | Box, crowd: bool, pre: bool
) -> Annotation:
    shape, box = (drawn, None) if isinstance(drawn, Segmentation) else (None, drawn)
    return Annotation(
        annotation_id,
        CATEGORY_IDS[annotation_id % len(CATEGORY_IDS)],
        shape,
        box,
        model_id="m" if pre else None,
        score=0.5 if pre else None,
        touched=not pre,
        iscrowd=crowd,
        attributes=(("farbe", "grün"),),
        note="schräg",
        z=annotation_id % 2,
    )


@st.composite
def annotation_stacks(draw: st.DrawFn) -> tuple[Annotation, ...]:
    """Draw what stands on an image of HEIGHT by WIDTH pixels, back to front."""
    drawn = draw(st.lists(st.tuples(OUTLINES | _BOXES, st.booleans(), st.booleans()), max_size=4))
    return tuple(_annotation(number, *one) for number, one in enumerate(drawn, 5))
