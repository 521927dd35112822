"""What is evaluated in pieces adds up to what it is as a whole."""

import pytest

from maskstudio.formats.self_ap import average


def test_each_category_counts_once_and_each_piece_by_its_annotations() -> None:
    pieces = [{1: (1.0, 3), 2: (0.5, 1)}, {}, {1: (0.0, 1)}]
    assert average(pieces) == pytest.approx((0.75 + 0.5) / 2)


def test_without_anything_there_is_no_ap() -> None:
    assert average([]) is None
    assert average([{}, {}]) is None
