"""Join the parts of an instance into one ring, for formats that know one ring only.

Between two parts the ring walks a bridge there and back: what is walked twice encloses nothing, so
by the even-odd rule the ring covers what its parts cover where they do not overlap. Ultralytics
joins the polygons of COCO the same way (`merge_multi_segment` of its converter).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.masks import Rle, mask_iou, rasterize
from maskstudio.annotation.run_tracing import trace_runs, unpacked
from maskstudio.annotation.segmentation import Part, Ring, Segmentation, as_ring, repaired
from maskstudio.formats.keyhole import keyhole
from maskstudio.formats.rings import outline
from maskstudio.later import shapely


def single_ring(segmentation: Segmentation, mask: Rle) -> tuple[Ring, bool]:
    """Return one ring within the image that covers the pixels of an outline, to the pixel.

    Args:
        segmentation: any outline.
        mask: the pixels of the image that it covers, at least one: what `rasterize` gives.

    Returns:
        The ring, and whether it had to be redrawn along the pixels: where parts overlap, holes
        cross, or what reached out of the image could not be cut off without changing a pixel.
    """
    height, width = mask["size"]
    inside = _inside(segmentation, height, width)
    if inside is not None:
        ring = bridged([keyhole(part) for part in inside.parts])
        plain = inside is segmentation and _is_plain(inside, ring)
        if plain or _covers(ring, mask):
            return ring, False
    traced = trace_runs(unpacked(mask["counts"]), height, width)
    if traced is None:
        raise AssertionError("a mask of at least one pixel has an outline")
    return bridged([keyhole(part) for part in traced.parts]), True


def bridged(rings: Sequence[Ring]) -> Ring:
    """Return one ring that walks along all of them, over bridges as short as they can be.

    Args:
        rings: (n, 2) each, at least one; they may touch.

    Returns:
        (n, 2); no vertex is new, only the ends of bridges come up more than once.
    """
    if len(rings) == 1:
        return rings[0]
    clouds = np.array([shapely.MultiPoint(ring) for ring in rings], object)
    shapely.prepare(clouds)
    # Prim's tree: each next part is the one nearest to those that are joined already.
    nearest = shapely.distance(clouds[0], clouds)
    beside = np.zeros(len(rings), np.intp)
    nearest[0] = np.inf
    joined = rings[0]
    for _ in rings[1:]:
        new = int(nearest.argmin())
        ends = shapely.shortest_line(clouds[beside[new]], clouds[new])
        joined = _joined(joined, rings[new], shapely.get_coordinates(ends))
        nearest[new] = np.inf
        distance = shapely.distance(clouds[new], clouds)
        closer = (distance < nearest) & np.isfinite(nearest)
        nearest[closer], beside[closer] = distance[closer], new
    return as_ring(joined)


def _joined(
    ring: NDArray[np.float64], other: NDArray[np.float64], ends: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Walk round `other` from the bridge between two vertices, ends (2, 2), and come back."""
    at, first = (
        int((walked == end).all(axis=1).argmax())
        for walked, end in zip((ring, other), ends, strict=True)
    )
    walked = np.roll(other, -first, axis=0)
    back = [walked, walked[:1], ring[at : at + 1]]
    if np.array_equal(*ends):  # they touch: a bridge of no length is not walked
        back = [walked[1:], walked[:1]]
    return np.concatenate([ring[: at + 1], *back, ring[at + 1 :]])


def _inside(segmentation: Segmentation, height: int, width: int) -> Segmentation | None:
    """Return the outline as it is where it lies within the image, else cut, None if nothing is."""
    x0, y0, x1, y1 = segmentation.box
    if x0 >= 0 and y0 >= 0 and x1 <= width and y1 <= height:
        return segmentation
    return repaired(segmentation, height, width)


def _is_plain(segmentation: Segmentation, ring: Ring) -> bool:
    return ring is segmentation.parts[0].outer and segmentation.is_valid


def _covers(ring: Ring, mask: Rle) -> bool:
    """Tell whether a ring covers these pixels as it stands, and as the outline it is read as."""
    height, width = mask["size"]
    read = outline([ring], height, width).segmentation
    shapes = (Segmentation((Part(ring),)), read)
    return all(
        shape is not None and mask_iou(rasterize(shape, height, width), mask) == 1.0
        for shape in shapes
    )
