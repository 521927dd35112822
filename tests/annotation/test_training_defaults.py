"""Sizes and length that are chosen from the data: sane for any set, and as expected for known."""

from hypothesis import given
from hypothesis import strategies as st

from maskstudio.annotation.training_defaults import crop_for, sizes_for, steps_for

objects = st.lists(
    st.tuples(st.floats(0, 5000), st.floats(0, 5000), st.integers(1, 5000)), max_size=20
)


@given(objects, st.sampled_from([256, 512, 800]), st.integers(2, 5))
def test_any_set_gets_sizes_that_a_network_can_work_with(
    found: list[tuple[float, float, int]], most: int, levels: int
) -> None:
    sizes = sizes_for(found, most, levels)
    assert min(320, most) <= sizes.input_size <= most
    assert len(sizes.anchors) == levels
    assert all(b == 2 * a for a, b in zip(sizes.anchors, sizes.anchors[1:], strict=False))
    crop = crop_for(found, sizes.input_size)
    assert 256 <= crop <= 640


def test_small_objects_get_all_the_pixels_and_small_views() -> None:
    """Nuclei: twenty pixels in an image of 520."""
    nuclei = [(20.0, 20.0, 520)] * 30
    sizes = sizes_for(nuclei, 512, 5)
    assert sizes.input_size == 512
    assert sizes.anchors == (8, 16, 32, 64, 128)
    assert crop_for(nuclei, 512) == 256


def test_large_objects_get_fewer_pixels_larger_anchors_and_views_that_hold_them() -> None:
    """People: 100 by 280 pixels in photographs of 350."""
    people = [(100.0, 280.0, 350)] * 30
    sizes = sizes_for(people, 512, 5)
    assert sizes.input_size == 320
    assert sizes.anchors == (8, 16, 32, 64, 128)
    assert crop_for(people, 320) == 320
    huge = [(300.0, 340.0, 350)] * 30
    assert sizes_for(huge, 512, 5).anchors == (16, 32, 64, 128, 256)


def test_nothing_known_leaves_what_the_network_is_made_for() -> None:
    assert sizes_for([], 512, 5).input_size == 512
    assert sizes_for([(0.0, 0.0, 100)], 512, 5).input_size == 512


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=50))
def test_more_objects_are_worth_no_fewer_steps(by_image: list[int]) -> None:
    steps = steps_for(by_image)
    assert 600 <= steps <= 6000
    assert steps_for([*by_image, 3]) >= steps
    # A crowded image is worth ten objects, not three thousand.
    assert steps_for(by_image) == steps_for([min(number, 10) for number in by_image])
