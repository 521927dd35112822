"""The outline of one instance: parts, each an outer ring with any number of holes.

Coordinates are pixel edges: x runs 0..width, y runs 0..height, and pixel (column c, row r) covers
[c, c+1) x [r, r+1). Rings are open (the first vertex is not repeated). Nothing here ever changes a
coordinate it was not asked to change.
"""

from __future__ import annotations

import base64
import itertools
import struct
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from maskstudio.errors import UserError
from maskstudio.later import np, shapely

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from shapely.geometry.base import BaseGeometry

    Ring = NDArray[np.float64]
else:
    Ring = Any
"""Vertices of one ring: (n, 2) float64, n >= 3, read-only."""

Box = tuple[float, float, float, float]
"""xyxy in pixel-edge coordinates."""

MIN_RING_VERTICES = 3

_POLYGON, _MULTI_POLYGON = 3, 6
"""Kinds of geometry in well-known binary (OGC 06-103r4, table 7)."""

MAX_COORDINATE = 1e6
"""No image is as large, and pycocotools, which walks every ring in steps, dies far beyond it."""


def as_ring(vertices: ArrayLike) -> Ring:
    """Return vertices as a read-only ring of its own.

    Args:
        vertices: (n, 2) numbers; the first vertex is dropped wherever it is repeated at the end.

    Raises:
        UserError: fewer than three vertices, a wrong shape, or a number that is not finite or far
            beyond any image.
    """
    ring = np.array(vertices, dtype=np.float64, ndmin=2)
    while ring.ndim == 2 and len(ring) > 1 and np.array_equal(ring[0], ring[-1]):
        ring = ring[:-1].copy()
    if ring.ndim != 2 or ring.shape[1] != 2 or len(ring) < MIN_RING_VERTICES:
        raise UserError("An outline needs at least three corners.")
    _check(ring)
    ring.setflags(write=False)
    return ring


def _check(vertices: Ring) -> None:
    if not np.isfinite(vertices).all():
        raise UserError("An outline has a coordinate that is not a number.")
    if np.abs(vertices).max(initial=0) > MAX_COORDINATE:
        raise UserError("An outline has a coordinate more than a million pixels away.")


@dataclass(frozen=True, eq=False)
class Part:
    """One connected piece of an instance.

    Attributes:
        outer: the outer ring.
        holes: rings inside it that do not belong to the instance.
    """

    outer: Ring
    holes: tuple[Ring, ...] = ()

    def rings(self) -> tuple[Ring, ...]:
        """Return the outer ring, then the holes."""
        return (self.outer, *self.holes)


@dataclass(frozen=True)
class VertexIndex:
    """Where a vertex stands in a segmentation; ring 0 is the outer ring, the rest are holes."""

    part: int
    ring: int
    vertex: int


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The outline of one instance; immutable, compared by its exact coordinates.

    Attributes:
        parts: at least one part.
    """

    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise UserError("An outline needs at least one part.")

    @classmethod
    def from_rings(cls, *outer: ArrayLike) -> Segmentation:
        """Return a segmentation with one part without holes for each ring given."""
        return cls(tuple(Part(as_ring(ring)) for ring in outer))

    @classmethod
    def from_geometry(cls, geometry: BaseGeometry) -> Segmentation | None:
        """Return the polygons of a shapely geometry, or None when it holds no area."""
        polygons = [p for p in _polygons(geometry) if p.area > 0]
        if not polygons:
            return None
        return cls(
            tuple(
                Part(as_ring(p.exterior.coords), tuple(as_ring(h.coords) for h in p.interiors))
                for p in polygons
            )
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Segmentation) and self.wkb == other.wkb

    def __hash__(self) -> int:
        return hash(self.wkb)

    @cached_property
    def geometry(self) -> shapely.MultiPolygon:
        """The same outline for shapely; it may be invalid, exactly as it was drawn."""
        return shapely.MultiPolygon(
            [shapely.Polygon(part.outer, part.holes) for part in self.parts]
        )

    @cached_property
    def is_valid(self) -> bool:
        """True when no ring crosses itself or another, and holes and parts lie as they must."""
        return bool(self.geometry.is_valid)

    @cached_property
    def wkb(self) -> bytes:
        """The outline as well-known binary (MultiPolygon, float64: exact)."""
        # As `shapely.to_wkb(self.geometry)` writes it, in a twentieth of the time.
        polygons = (_counted_wkb(_POLYGON, [_ring_wkb(r) for r in p.rings()]) for p in self.parts)
        return _counted_wkb(_MULTI_POLYGON, list(polygons))

    @cached_property
    def text(self) -> str:
        """`wkb` in base64, for a text; an edit asks for it several times."""
        return base64.b64encode(self.wkb).decode("ascii")

    @cached_property
    def box(self) -> Box:
        """The smallest box around all outer rings, xyxy."""
        low = np.min([part.outer.min(axis=0) for part in self.parts], axis=0)
        high = np.max([part.outer.max(axis=0) for part in self.parts], axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def prepare(self) -> None:
        """Work out and keep what painting and storing will ask for."""
        _ = self.box, self.wkb

    @property
    def area(self) -> float:
        """Area of the outline in square pixels, holes taken off (geometry, not raster)."""
        return float(self.geometry.area)

    @property
    def vertex_count(self) -> int:
        """Number of vertices of all rings."""
        return sum(len(ring) for _, _, ring in self.rings())

    def rings(self) -> Iterator[tuple[int, int, Ring]]:
        """Yield (part, ring, vertices) for every ring; ring 0 is the outer one."""
        for p, part in enumerate(self.parts):
            for r, ring in enumerate(part.rings()):
                yield p, r, ring

    def ring(self, part: int, ring: int) -> Ring:
        """Return one ring."""
        return self.parts[part].rings()[ring]

    def contains(self, x: float, y: float) -> bool:
        """Tell whether a point lies inside (in a hole is outside)."""
        x0, y0, x1, y1 = self.box
        if not (x0 <= x <= x1 and y0 <= y <= y1):
            return False
        return any(
            _even_odd(part.outer, x, y) and not any(_even_odd(hole, x, y) for hole in part.holes)
            for part in self.parts
        )

    def translated(self, dx: float, dy: float) -> Segmentation:
        """Return the outline moved by (dx, dy)."""
        offset = np.array([dx, dy])
        return Segmentation(
            tuple(
                Part(as_ring(part.outer + offset), tuple(as_ring(h + offset) for h in part.holes))
                for part in self.parts
            )
        )

    def with_ring(self, part: int, ring: int, vertices: ArrayLike | None) -> Segmentation | None:
        """Return the outline with one ring replaced, or taken out with `None`.

        Taking out an outer ring takes out its part; None comes back when nothing is left.
        """
        old = self.parts[part]
        rings: list[Ring] = list(old.rings())
        if vertices is None:
            del rings[ring]
        else:
            rings[ring] = as_ring(vertices)
        gone = vertices is None and ring == 0
        new = () if gone else (Part(rings[0], tuple(rings[1:])),)
        parts = (*self.parts[:part], *new, *self.parts[part + 1 :])
        return Segmentation(parts) if parts else None


def move_vertex(segmentation: Segmentation, at: VertexIndex, x: float, y: float) -> Segmentation:
    """Return the outline with one vertex put at (x, y)."""
    ring = segmentation.ring(at.part, at.ring).copy()
    ring[at.vertex] = (x, y)
    moved = segmentation.with_ring(at.part, at.ring, ring)
    if moved is None:
        raise AssertionError("replacing a ring leaves the part in place")
    return moved


def insert_vertex(segmentation: Segmentation, at: VertexIndex, x: float, y: float) -> Segmentation:
    """Return the outline with (x, y) inserted on the edge that begins at vertex `at`."""
    ring = np.insert(segmentation.ring(at.part, at.ring), at.vertex + 1, (x, y), axis=0)
    grown = segmentation.with_ring(at.part, at.ring, ring)
    if grown is None:
        raise AssertionError("replacing a ring leaves the part in place")
    return grown


def delete_vertex(segmentation: Segmentation, at: VertexIndex) -> Segmentation | None:
    """Return the outline without one vertex.

    A ring of three vertices goes as a whole: a hole is filled, an outer ring takes its part along.

    Returns:
        The outline, or None when its last part went.
    """
    ring = segmentation.ring(at.part, at.ring)
    if len(ring) <= MIN_RING_VERTICES:
        return segmentation.with_ring(at.part, at.ring, None)
    return segmentation.with_ring(at.part, at.ring, np.delete(ring, at.vertex, axis=0))


def nearest_vertex(segmentation: Segmentation, x: float, y: float) -> tuple[VertexIndex, float]:
    """Return the vertex closest to a point and its distance in pixels."""
    best: tuple[VertexIndex, float] | None = None
    for p, r, ring in segmentation.rings():
        distances = np.hypot(ring[:, 0] - x, ring[:, 1] - y)
        vertex = int(distances.argmin())
        if best is None or distances[vertex] < best[1]:
            best = VertexIndex(p, r, vertex), float(distances[vertex])
    if best is None:
        raise AssertionError("a segmentation has vertices")
    return best


def nearest_edge(
    segmentation: Segmentation, x: float, y: float
) -> tuple[VertexIndex, tuple[float, float], float]:
    """Return the edge closest to a point: its first vertex, the point on it, the distance."""
    best: tuple[VertexIndex, tuple[float, float], float] | None = None
    point = np.array([x, y])
    for p, r, ring in segmentation.rings():
        along = np.roll(ring, -1, axis=0) - ring
        squared = np.maximum((along**2).sum(axis=1), np.finfo(np.float64).tiny)
        t = np.clip(((point - ring) * along).sum(axis=1) / squared, 0, 1)
        foot = ring + t[:, None] * along
        distances = np.hypot(*(foot - point).T)
        edge = int(distances.argmin())
        if best is None or distances[edge] < best[2]:
            at = float(foot[edge, 0]), float(foot[edge, 1])
            best = VertexIndex(p, r, edge), at, float(distances[edge])
    if best is None:
        raise AssertionError("a segmentation has edges")
    return best


def repaired(segmentation: Segmentation, height: int, width: int) -> Segmentation | None:
    """Return the outline made valid and cut to the image; the very same one if it already is.

    Args:
        segmentation: any outline, self-intersections included.
        height: rows of the image.
        width: columns of the image.

    Returns:
        A valid outline inside 0..width, 0..height, or None when no area is left.
    """
    geometry: BaseGeometry = segmentation.geometry
    sound = segmentation.is_valid
    if not sound:
        geometry = shapely.make_valid(geometry, method="structure", keep_collapsed=False)
    # Not of the outer rings alone: a hole that reached out of them has become a part.
    x0, y0, x1, y1 = geometry.bounds
    inside = x0 >= 0 and y0 >= 0 and x1 <= width and y1 <= height
    if sound and inside and geometry.area > 0:
        return segmentation
    if not inside:
        geometry = shapely.intersection(geometry, shapely.box(0, 0, width, height))
        # A corner that lies outside by the last bit of a float is left there by shapely.
        geometry = shapely.transform(geometry, lambda xy: np.clip(xy, 0, (width, height)))
    return Segmentation.from_geometry(geometry)


def segmentations_from_wkb(stored: Sequence[bytes]) -> list[Segmentation]:
    """Read back what `Segmentation.wkb` gave, to the last bit.

    All at once: an image may hold thousands, and the window waits for them.

    Args:
        stored: as many outlines as there are.

    Raises:
        UserError: some bytes are not a polygon.
    """
    if not stored:
        return []
    try:
        geometries = shapely.from_wkb(list(stored))
    except shapely.errors.GEOSException as error:
        raise UserError(f"A stored outline cannot be read ({error}).") from error
    if (shapely.get_type_id(geometries) != shapely.GeometryType.MULTIPOLYGON).any():
        raise UserError("A stored outline is not a MultiPolygon.")
    polygons = shapely.get_parts(geometries)
    outlines = shapely.get_rings(polygons)
    vertices = shapely.get_coordinates(outlines)
    _check(vertices)
    vertices.setflags(write=False)
    # The last vertex of a ring in WKB is the first again.
    rings = [vertices[a : b - 1] for a, b in _spans(shapely.get_num_points(outlines))]
    if any(len(ring) < MIN_RING_VERTICES for ring in rings):
        raise UserError("A stored outline has fewer than three corners.")
    holes = _spans(shapely.get_num_interior_rings(polygons) + 1)
    parts = [Part(rings[a], tuple(rings[a + 1 : b])) for a, b in holes]
    spans = _spans(shapely.get_num_geometries(geometries))
    found = [Segmentation(tuple(parts[a:b])) for a, b in spans]
    for segmentation, wkb, box in zip(found, stored, shapely.bounds(geometries), strict=True):
        # What these would work out one by one.
        vars(segmentation).update(wkb=wkb, box=tuple(box.tolist()))
    return found


def _counted_wkb(kind: int, members: list[bytes]) -> bytes:
    """Return a geometry as well-known binary: byte order, kind, how many members, the members."""
    head = struct.pack("=BII", sys.byteorder == "little", kind, len(members))
    return head + b"".join(members)


def _ring_wkb(ring: Ring) -> bytes:
    """Return a ring as it stands in well-known binary, where its first vertex is the last too."""
    return struct.pack("=I", len(ring) + 1) + ring.tobytes() + ring[:1].tobytes()


def _spans(counts: NDArray[np.integer]) -> Iterator[tuple[int, int]]:
    """Yield where each of several runs begins and ends, laid one after the other."""
    return itertools.pairwise([0, *np.cumsum(counts).tolist()])


def _polygons(geometry: BaseGeometry) -> Iterator[shapely.Polygon]:
    if isinstance(geometry, shapely.Polygon):
        yield geometry
    for member in getattr(geometry, "geoms", ()):
        yield from _polygons(member)


def _even_odd(ring: Ring, x: float, y: float) -> bool:
    nexts = np.roll(ring, -1, axis=0)
    crosses = (ring[:, 1] > y) != (nexts[:, 1] > y)
    if not crosses.any():
        return False
    a, b = ring[crosses], nexts[crosses]
    at = a[:, 0] + (y - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0])
    return bool(np.count_nonzero(at > x) % 2)
