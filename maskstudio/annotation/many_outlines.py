"""Make many outlines at once: one by one, the calls into shapely take most of the time."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskstudio.annotation.segmentation import (
    MAX_COORDINATE,
    MIN_RING_VERTICES,
    Part,
    Segmentation,
)
from maskstudio.later import shapely


def outlines_of_rings(
    instances: Sequence[Sequence[NDArray[np.float64]]],
) -> list[Segmentation | None]:
    """Return for each instance the outline with one part without holes for each of its rings.

    What storing and painting will ask of them is worked out already.

    Args:
        instances: for each its rings, (n, 2); at least one.

    Returns:
        For each what `Segmentation.from_rings` gives, valid or not; None where that would refuse
        it.
    """
    rings = [ring for instance in instances for ring in instance]
    found: list[Segmentation | None] = [None] * len(instances)
    if not rings or min(map(len, rings)) < MIN_RING_VERTICES:
        # One by one, then: it is known who is to blame.
        return found
    of_instance = np.repeat(np.arange(len(instances)), [len(one) for one in instances])
    vertices = np.concatenate(rings)
    length = np.array([len(ring) for ring in rings])
    first, last = np.cumsum(length) - length, np.cumsum(length) - 1
    closed = (vertices[first] == vertices[last]).all(axis=1)
    # A first vertex that comes more than once more at the end is left to `as_ring`.
    closed_twice = closed & (vertices[first] == vertices[last - 1]).all(axis=1)
    within = np.logical_and.reduceat((np.abs(vertices) <= MAX_COORDINATE).all(axis=1), first)
    sound = within & ~closed_twice & (length - closed >= MIN_RING_VERTICES)
    whole = np.ones(len(instances), bool)
    whole[of_instance[~sound]] = False
    used = whole[of_instance]
    spans = zip(first[used].tolist(), (last + 1 - closed)[used].tolist(), strict=True)
    vertices.setflags(write=False)
    kept = [vertices[begin:end] for begin, end in spans]
    parts = iter(Part(ring) for ring in kept)
    numbers = np.flatnonzero(whole).tolist()
    made = [tuple(islice(parts, len(instances[number]))) for number in numbers]
    for number, segmentation in zip(numbers, segmentations(made), strict=True):
        found[number] = segmentation
    return found


def segmentations(instances: Sequence[tuple[Part, ...]]) -> list[Segmentation]:
    """Return an outline for each instance, with what will be asked of it worked out already.

    Args:
        instances: for each its parts, at least one, of rings as `as_ring` gives them.
    """
    parts = [part for instance in instances for part in instance]
    if not parts:
        return []
    rings = [ring for part in parts for ring in part.rings()]
    ring = np.repeat(np.arange(len(rings)), [len(one) for one in rings])
    part = np.repeat(np.arange(len(parts)), [1 + len(one.holes) for one in parts])
    instance = np.repeat(np.arange(len(instances)), [len(one) for one in instances])
    linear: Any = shapely.linearrings(np.concatenate(rings), indices=ring)
    # The first ring of each polygon is the outer one.
    polygons: Any = shapely.polygons(linear, indices=part)
    geometries: Any = shapely.multipolygons(polygons, indices=instance)
    wkb, valid, box = map(
        np.ndarray.tolist,
        (shapely.to_wkb(geometries), shapely.is_valid(geometries), shapely.bounds(geometries)),
    )
    made = [Segmentation(instance) for instance in instances]
    for number, one in enumerate(made):
        vars(one).update(wkb=wkb[number], is_valid=valid[number], box=tuple(box[number]))
    return made
