"""Which images the list shows, in which order, and how one walks through them."""

import time

import pytest

from maskstudio.annotation.annotation import ImageRecord, ImageState, ImageStatus
from maskstudio.annotation.image_facts import ImageFacts
from maskstudio.session import operations
from maskstudio.session.image_order import ImageOrder, ImageQuery, SortKey
from support.outlines import SQUARE, put

NEW, VERIFIED, EDITED = ImageState.NEW, ImageState.VERIFIED, ImageState.EDITED


@pytest.fixture
def session(studio):
    return studio.session


def shown(session):
    return [session.record(i).path for i in session.order.shown]


def test_all_images_by_name_until_something_else_is_asked(session):
    assert shown(session) == ["a.png", "b.png", "sub/c.png"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("B.P", ["b.png"]), ("sub/", ["sub/c.png"]), (".png", ["a.png", "b.png", "sub/c.png"]),
     ("none", [])],
)  # fmt: skip
def test_a_part_of_the_path_in_any_case(session, text, expected):
    session.order.ask(ImageQuery(text=text))
    assert shown(session) == expected


def test_several_states_and_a_name_together(session):
    operations.verify(session)
    session.show(session.image_ids[1])
    put(session, SQUARE)
    session.order.ask(ImageQuery(states=frozenset({EDITED, ImageState.EMPTY})))
    assert shown(session) == ["a.png", "b.png"]
    session.order.ask(ImageQuery("a", frozenset({EDITED, ImageState.EMPTY})))
    assert shown(session) == ["a.png"]


def test_sorted_by_count_and_by_state_names_stay_in_order_among_equals(session):
    session.show(session.image_ids[1])
    put(session, SQUARE, SQUARE)
    session.show(session.image_ids[0])
    session.order.ask(ImageQuery(sort=SortKey.COUNT))
    assert shown(session) == ["a.png", "sub/c.png", "b.png"]
    session.order.ask(ImageQuery(sort=SortKey.COUNT, descending=True))
    assert shown(session) == ["b.png", "a.png", "sub/c.png"]
    session.order.ask(ImageQuery(sort=SortKey.STATE))
    assert shown(session) == ["a.png", "sub/c.png", "b.png"]
    session.order.ask(ImageQuery(sort=SortKey.NAME, descending=True))
    assert shown(session) == ["sub/c.png", "b.png", "a.png"]


def test_an_image_keeps_its_place_until_it_is_left(session):
    session.order.ask(ImageQuery(states=frozenset({NEW})))
    operations.verify(session)
    assert shown(session) == ["a.png", "b.png", "sub/c.png"]
    assert operations.step(session, 1)
    assert session.current.path == "b.png"
    assert shown(session) == ["b.png", "sub/c.png"]


def test_an_undo_brings_an_image_back_into_the_list(session):
    session.order.ask(ImageQuery(states=frozenset({NEW})))
    operations.verify(session)
    operations.step(session, 1)
    session.undo()
    assert session.current.path == "a.png"
    assert shown(session) == ["a.png", "b.png", "sub/c.png"]


def test_one_works_through_a_list_sorted_by_count_without_meeting_an_image_twice(session):
    session.order.ask(ImageQuery(sort=SortKey.COUNT))
    walked = []
    for _ in range(3):
        walked.append(session.current.path)
        put(session, SQUARE, SQUARE)
        operations.step(session, 1)
    assert walked == ["a.png", "b.png", "sub/c.png"]
    assert shown(session) == ["a.png", "b.png", "sub/c.png"]


def test_a_change_elsewhere_moves_only_that_image(session, studio):
    moves = []
    session.order.moved.connect(lambda *move: moves.append(move))
    session.order.ask(ImageQuery(states=frozenset({NEW, ImageState.PREDICTED})))
    c = session.image_ids[2]
    session.show(c)
    operations.verify(session)
    session.show(session.image_ids[0])
    assert moves == [(c, 2, None)]
    assert shown(session) == ["a.png", "b.png"]


def test_from_an_image_that_is_not_shown_one_steps_to_the_nearest_that_is(session, studio):
    studio.show("b.png")
    session.order.ask(ImageQuery(text="c"))
    assert session.current.path == "b.png"
    assert not operations.step(session, -1)
    assert operations.step(session, 1)
    assert session.current.path == "sub/c.png"
    studio.show("b.png")
    session.order.ask(ImageQuery(text="a.png"))
    assert not operations.step(session, 1)
    assert operations.step(session, -1)
    assert session.current.path == "a.png"


def test_the_next_unfinished_is_sought_among_those_shown(session):
    session.order.ask(ImageQuery(text="c"))
    assert operations.step_to_unfinished(session)
    assert session.current.path == "sub/c.png"
    operations.verify(session)
    assert not operations.step_to_unfinished(session)


def test_the_next_unfinished_follows_the_order_shown(session):
    session.order.ask(ImageQuery(descending=True))
    assert operations.step_to_unfinished(session)
    assert session.current.path == "sub/c.png"
    assert operations.step_to_unfinished(session)
    assert session.current.path == "b.png"


def test_many_changes_at_once_are_announced_once(qapp):
    states = dict.fromkeys(range(1, 101), NEW)
    order = order_of(states)
    order.ask(ImageQuery(states=frozenset({NEW})))
    told = []
    order.renewed.connect(lambda: told.append("renewed"))
    order.moved.connect(lambda *_: told.append("moved"))
    states |= dict.fromkeys(range(1, 51), VERIFIED)
    order.update(range(1, 51))
    assert told == ["renewed"]
    assert list(order.shown) == list(range(51, 101))


def test_an_image_that_kept_its_place_leads_no_other_astray(qapp):
    counts = {1: 0, 2: 1, 3: 2}
    order = ImageOrder(
        lambda i: ImageRecord(i, f"img{i}.png", 8, 8),
        counts.__getitem__,
        lambda _: ImageFacts(),
        None,
    )
    order.set_images([1, 2, 3])
    order.ask(ImageQuery(sort=SortKey.COUNT))
    counts |= {1: 9, 3: 0}
    order.update([3])
    assert list(order.shown) == [1, 3, 2]
    order.update([1])
    assert list(order.shown) == [3, 2, 1]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("1", "a.png"), (" 3 ", "sub/c.png"), ("B", "b.png"), ("c.png", "sub/c.png"),
     ("sub", "sub/c.png"), ("0", None), ("4", None), ("", None), ("nothing", None),
     ("-1", None), ("²", None)],
)  # fmt: skip
def test_go_to_a_place_or_a_name(session, wanted, expected):
    found = operations.go_to(session, wanted)
    assert found == (expected is not None)
    assert session.current.path == (expected or "a.png")


def test_go_to_counts_the_images_shown(session):
    session.order.ask(ImageQuery(descending=True))
    assert operations.go_to(session, "1")
    assert session.current.path == "sub/c.png"
    session.order.ask(ImageQuery(text="sub"))
    assert not operations.go_to(session, "a.png")


def order_of(states):
    """An order of images `img<id>.png`; the id modulo 7 is the number of annotations."""

    def record(image_id):
        return ImageRecord(image_id, f"img{image_id}.png", 8, 8, ImageStatus(states[image_id]))

    order = ImageOrder(record, lambda image_id: image_id % 7, lambda _: ImageFacts(), None)
    order.set_images(sorted(states))
    return order


def test_go_to_takes_a_whole_name_before_a_part_of_one(qapp):
    order = order_of(dict.fromkeys((10, 1), NEW))
    order.ask(ImageQuery(descending=True))
    assert order.find("img1") == 1
    assert order.find("img") == 10


def test_a_number_beyond_the_list_may_be_part_of_a_name(qapp):
    order = order_of(dict.fromkeys((10, 4711), NEW))
    assert order.find("4711") == 4711
    assert order.find("2") == 4711


def test_a_hundred_thousand_images_are_filtered_and_sorted_at_once(qapp):
    order = order_of(dict.fromkeys(range(1, 100_001), NEW))
    begun = time.perf_counter()
    order.ask(ImageQuery(text="7", sort=SortKey.COUNT, descending=True))
    # Many times what it takes: this is to catch seconds, not milliseconds.
    assert time.perf_counter() - begun < 3
    counts = [image_id % 7 for image_id in order.shown]
    assert counts == sorted(counts, reverse=True)
    assert len(order.shown) == sum("7" in str(i) for i in range(1, 100_001))
