"""Ways along the edges of an image, in pixel-edge coordinates."""

import cv2
import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from maskstudio.annotation.scissors import EdgeWays, Patch

CENTRE, RADIUS = (100.0, 80.0), 50.0


def disc(light: int, dark: int, noise: float = 0.0) -> NDArray[np.uint8]:
    """Return a picture of a disc whose every pixel with its centre inside is light."""
    rows, columns = np.indices((160, 200))
    inside = np.hypot(columns + 0.5 - CENTRE[0], rows + 0.5 - CENTRE[1]) < RADIUS
    grey = np.where(inside, light, dark) + np.random.default_rng(0).normal(0, noise, inside.shape)
    bgra = cv2.cvtColor(np.clip(grey, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGRA)
    return np.asarray(bgra, np.uint8)


def around(angle: float, radius: float = RADIUS) -> tuple[float, float]:
    return CENTRE[0] + radius * np.cos(angle), CENTRE[1] + radius * np.sin(angle)


def iou(a: shapely.Geometry, b: shapely.Geometry) -> float:
    return float(shapely.intersection(a, b).area / shapely.union(a, b).area)


@pytest.mark.parametrize(
    "pixels",
    [disc(220, 30), disc(30, 220), disc(70, 60), disc(200, 60, 12)],
    ids=["bright", "dark", "faint", "noisy"],
)
def test_four_stretches_along_a_disc_are_the_disc(pixels: NDArray[np.uint8]) -> None:
    patch = Patch(pixels, 0, 0, 1)
    clicks = [around(angle, RADIUS - 0.4) for angle in (0.2, 1.8, 3.3, 4.9)]
    ring = [
        point
        for a, b in zip(clicks, clicks[1:] + clicks[:1], strict=True)
        for point in EdgeWays(patch, a).to(*b)
    ]
    true = shapely.Point(CENTRE).buffer(RADIUS, quad_segs=64)
    assert iou(shapely.Polygon(ring), true) > 0.95
    assert iou(shapely.Polygon(clicks), true) < 0.7
    assert len(ring) < 80


@pytest.mark.parametrize(("left", "top", "scale"), [(0, 0, 1), (400, 1000, 1), (0, 800, 4)])
def test_points_are_middles_of_pixels_wherever_the_patch_lies(
    left: float, top: float, scale: float
) -> None:
    stripe = np.zeros((60, 80, 4), np.uint8)
    stripe[30:] = 255
    ways = EdgeWays(Patch(stripe, left, top, scale), (left + 5.5 * scale, top + 30.5 * scale))
    way = ways.to(left + 70.25 * scale, top + 30.25 * scale)
    assert way[-1] == (left + 70.25 * scale, top + 30.25 * scale)
    for x, y in way[:-1]:
        assert (x - left) / scale % 1 == 0.5
        assert (y - top) / scale in (29.5, 30.5)


def test_a_way_of_no_length_is_the_point() -> None:
    ways = EdgeWays(Patch(disc(220, 30), 0, 0, 1), (20.5, 20.5))
    assert ways.to(20.5, 20.5) == ((20.5, 20.5),)
    assert ways.to(20.7, 20.6) == ((20.7, 20.6),)


def test_the_right_and_lower_border_belong_to_the_last_pixel() -> None:
    patch = Patch(disc(220, 30), 10, 20, 2)
    assert patch.pixel(10 + 400, 20 + 320) == (199, 159)
    assert patch.pixel(10, 20) == (0, 0)
    assert EdgeWays(patch, (410, 340)).to(10, 20)[-1] == (10, 20)


@pytest.mark.parametrize("off", [-6.0, 0.0, 6.0])
def test_the_edge_near_a_point_is_found_within_the_radius_only(off: float) -> None:
    patch = Patch(disc(220, 30), 0, 0, 1)
    at = patch.edge_near(*around(0.7, RADIUS + off), 8)
    assert at is not None
    assert np.hypot(at[0] - CENTRE[0], at[1] - CENTRE[1]) == pytest.approx(RADIUS, abs=1)
    assert at[0] % 1 == at[1] % 1 == 0.5
    assert patch.edge_near(*around(0.7, RADIUS + off), abs(off) / 3) is None or off == 0


def test_even_ground_has_no_edge() -> None:
    assert Patch(np.full((40, 40, 4), 90, np.uint8), 0, 0, 1).edge_near(20, 20, 10) is None
