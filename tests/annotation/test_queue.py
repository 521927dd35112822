"""What a model doubts on an image, and in which order images are best labelled."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.detections import Detections
from maskstudio.annotation.image_doubt import ImageDoubt, doubt_of, with_mirrored
from maskstudio.annotation.queue import Candidate, Place, arranged, figures, why
from support.fakes import BOXES, disc_detections

SHOWN = DetectionFilter(0.5)
SIZE = (80, 100)
TWO = (Category(1, "cat"), Category(2, "dog"))
HERE, BESIDE = (10.0, 10.0, 30.0, 30.0), (11.0, 10.0, 31.0, 30.0)


def gist(*values: float) -> np.ndarray:
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


def names(image_id: int) -> str:
    return f"{image_id}.png"


# What is doubted on an image


def test_scores_near_the_threshold_are_doubtful_on_either_side() -> None:
    doubt = doubt_of(disc_detections(SIZE, scores=(0.98, 0.55, 0.42)), SHOWN)
    assert (doubt.found, doubt.near, doubt.close, doubt.unclear) == (2, 2, 0, 0)
    sure = doubt_of(disc_detections(SIZE, scores=(0.98, 0.97, 0.06)), SHOWN)
    assert (sure.found, sure.near) == (2, 0)
    assert sure.weight < doubt.weight / 2


def test_the_threshold_is_the_one_of_its_category() -> None:
    found = disc_detections(SIZE, scores=(0.98, 0.9, 0.3))
    assert doubt_of(found, DetectionFilter(0.5, category_scores=(("cell", 0.9),))).near == 2


def test_two_categories_nearly_as_likely_at_one_place_are_close() -> None:
    def of_two(second: float) -> Detections:
        return disc_detections(SIZE, (HERE, BESIDE), (0.95, second), labels=(0, 1), categories=TWO)

    assert doubt_of(of_two(0.9), SHOWN).close == 1
    assert doubt_of(of_two(0.1), SHOWN).close == 0
    alone = disc_detections(SIZE, (HERE, BESIDE), (0.95, 0.9), categories=TWO)
    assert doubt_of(alone, SHOWN).close == 0


def test_a_mask_that_fades_slowly_has_no_clear_edge() -> None:
    y, x = np.mgrid[:28, :28] - 13.5
    fading = np.clip(255 * (1 - np.hypot(x, y) / 20), 0, 255).astype(np.uint8)
    clear = disc_detections(SIZE, scores=(0.98, 0.98, 0.98))
    found = replace(clear, roi_masks=np.stack([fading, *clear.roi_masks[1:]]))  # type: ignore[index]
    assert doubt_of(clear, SHOWN).unclear == 0
    assert doubt_of(found, SHOWN).unclear == 1


def test_nothing_found_and_boxes_alone_can_be_measured() -> None:
    assert doubt_of(disc_detections(SIZE, (), ()), SHOWN) == ImageDoubt()
    boxes = replace(disc_detections(SIZE, scores=(0.98, 0.97, 0.06)), roi_masks=None)
    assert doubt_of(boxes, SHOWN).unclear == 0


def test_what_is_found_one_way_round_only_is_counted() -> None:
    found = disc_detections(SIZE, scores=(0.9, 0.8, 0.7))
    boxes = [(SIZE[1] - x1, y0, SIZE[1] - x0, y1) for x0, y0, x1, y1 in BOXES]
    same = disc_detections(SIZE, boxes, (0.9, 0.8, 0.7))
    assert with_mirrored(ImageDoubt(), found, same, SHOWN).unsteady == 0
    # One is lost, another is only a little less likely, and one is new.
    boxes[0] = (60.0, 50.0, 75.0, 70.0)
    other = disc_detections(SIZE, boxes, (0.9, 0.45, 0.7))
    assert with_mirrored(ImageDoubt(), found, other, SHOWN).unsteady == 2


# The order


def test_the_most_doubtful_comes_first_among_images_that_look_the_same_far() -> None:
    same = gist(1, 0)
    candidates = [
        Candidate(number, ImageDoubt(amount=amount), same) for number, amount in ((1, 2), (2, 9))
    ]
    assert list(arranged(candidates, {}, ())) == [2, 1]


def test_what_is_unlike_all_that_is_labelled_comes_first_among_the_equally_doubtful() -> None:
    doubt = ImageDoubt(amount=3.0)
    near, far, farther = gist(1, 0.1, 0), gist(1, 1, 0), gist(0, 1, 0.2)
    candidates = [Candidate(n, doubt, g) for n, g in enumerate((near, far, farther), 1)]
    queue = arranged(candidates, {9: gist(1, 0, 0), 8: None}, ())
    assert list(queue) == [3, 2, 1]
    assert queue[3].distance == 1
    assert "unlike the rest" in why(queue[3], names)


def test_one_chosen_covers_what_is_like_it() -> None:
    doubt = ImageDoubt(amount=3.0)
    looks = (gist(0, 1, 0), gist(0, 1, 0.05), gist(0, 0, 1))
    candidates = [Candidate(n, doubt, g) for n, g in enumerate(looks, 1)]
    order = list(arranged(candidates, {9: gist(1, 0, 0)}, ()))
    assert order[:2] in ([1, 3], [2, 3], [3, 1], [3, 2])


def test_one_stands_for_all_that_look_alike_and_none_where_one_is_labelled() -> None:
    candidates = [Candidate(n, ImageDoubt(amount=n), None) for n in range(1, 7)]
    queue = arranged(candidates, {9: None}, [(1, 2, 3), (9, 6), (7, 8)])
    assert list(queue)[:3] == [5, 4, 3]
    assert {n: queue[n].like for n in (1, 2, 6)} == {1: 3, 2: 3, 6: 9}
    assert why(queue[6], names) == "looks like 9.png"
    assert list(queue)[3] == 6


@given(
    st.lists(
        st.tuples(st.floats(0, 50), st.none() | st.tuples(*[st.floats(-1, 1, width=32)] * 3)),
        max_size=12,
    ),
    st.lists(st.lists(st.integers(1, 14), min_size=2, unique=True), max_size=3),
)
def test_every_image_has_one_place(
    images: list[tuple[float, tuple[float, ...] | None]], alike: list[list[int]]
) -> None:
    candidates = [
        Candidate(
            number,
            ImageDoubt(amount=amount),
            None if look is None or max(map(abs, look)) < 0.01 else gist(*look),
        )
        for number, (amount, look) in enumerate(images, 1)
    ]
    queue = arranged(candidates, {13: gist(1, 0, 0), 14: None}, alike)
    assert sorted(queue) == [one.image_id for one in candidates]
    assert [place.number for place in queue.values()] == list(range(len(candidates)))
    assert all(place.distance is None or 0 <= place.distance <= 1 for place in queue.values())
    assert all(why(place, names) and figures(place) for place in queue.values())


def test_of_very_many_images_the_first_are_chosen_and_all_have_a_place() -> None:
    generator = np.random.default_rng(1)
    looks = generator.normal(size=(3000, 8)).astype(np.float32)
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    doubts = generator.uniform(0, 20, 3000)
    candidates = [
        Candidate(n, ImageDoubt(amount=float(doubts[n])), looks[n]) for n in range(len(looks))
    ]
    checks: list[None] = []
    queue = arranged(candidates, {}, (), lambda: checks.append(None))
    assert sorted(queue) == list(range(3000))
    assert len(checks) == 1000
    first = np.mean([doubts[n] for n in list(queue)[:100]])
    assert first > doubts.mean() + doubts.std() / 2


# The words


@pytest.mark.parametrize(
    ("doubt", "words"),
    [
        (ImageDoubt(5, near=3, close=2), "3 doubtful, 2 between categories"),
        (ImageDoubt(5, unclear=1, unsteady=4), "1 blurred, 4 lost mirrored"),
        (ImageDoubt(5), "nothing doubtful"),
        (ImageDoubt(), "nothing found"),
    ],
)
def test_the_reason_is_said_in_words(doubt: ImageDoubt, words: str) -> None:
    assert why(Place(0, doubt), names) == words


def test_the_figures_stand_behind_the_words() -> None:
    said = figures(Place(4, ImageDoubt(7, 3, 2, 1, 4.25, unsteady=2), distance=0.5))
    assert "Place 5" in said
    assert "Found only one way round (mirrored): 2" in said
    assert "Doubt in all: 6.2" in said
    assert "50 %" in said
