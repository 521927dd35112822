"""Which of two models runs is said by what each left to do on the same images."""

from datetime import UTC, datetime

import pytest

from maskstudio.annotation.effort import Effort
from maskstudio.annotation.learning_curve import WINDOW, Comparison, CurvePoint, compare


def point(
    image_id: int,
    start: int,
    learned: int | None = None,
    *,
    start_id: str = "nuclei",
    shown_id: str = "nuclei",
    counts: bool = True,
) -> CurvePoint:
    return CurvePoint(
        image_id,
        datetime(2026, 1, 1, tzinfo=UTC),
        start_id,
        shown_id,
        4,
        Effort(gestures=start),
        None if learned is None else Effort(gestures=learned),
        counts,
    )


def test_only_images_that_both_were_judged_on_are_compared() -> None:
    points = [point(1, 50), point(2, 10, 6), point(3, 10, 2, counts=False)]
    points.append(point(4, 90, 1, start_id="another"))
    assert compare(points, "nuclei") == Comparison(1, 10, 6)


def test_the_last_images_count() -> None:
    points = [point(n, 100, 100) for n in range(5)] + [point(9, 10, 4)] * WINDOW
    assert compare(points, "nuclei") == Comparison(WINDOW, 10 * WINDOW, 4 * WINDOW)


@pytest.mark.parametrize(
    ("images", "start", "learned", "begins", "stays"),
    [
        (2, 10, 0, False, True),  # too few to say anything
        (3, 10, 9, True, True),
        (3, 10, 10, False, True),
        (3, 10, 11, False, False),
        (3, 0, 0, False, True),
    ],
)
def test_what_was_learned_comes_when_it_is_better_and_goes_when_it_is_worse(
    images: int, start: int, learned: int, begins: bool, stays: bool
) -> None:
    comparison = Comparison(images, start, learned)
    assert comparison.prefers_learned(in_use=False) is begins
    assert comparison.prefers_learned(in_use=True) is stays


def test_the_share_that_is_saved() -> None:
    assert Comparison(5, 20, 12).saved == pytest.approx(0.4)
    assert Comparison(5, 0, 0).saved == 0
    assert Comparison(5, 10, 15).saved == pytest.approx(-0.5)


def test_what_a_person_had_before_him_is_what_counts_as_shown() -> None:
    assert point(1, 9, 3).shown.gestures == 9
    assert point(1, 9, 3, shown_id="nuclei + cells").shown.gestures == 3
    assert point(1, 9, shown_id="nuclei + cells").shown.gestures == 9
