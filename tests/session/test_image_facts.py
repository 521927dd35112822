"""What is known of images without their outlines, and the list filtered and sorted by it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maskstudio.annotation.image_facts import ImageFacts
from maskstudio.session import category_operations, operations
from maskstudio.session.image_facts import FactsStore
from maskstudio.session.image_order import ImageQuery, ScoreBound, SortKey
from support.fakes import disc_detections
from support.outlines import HOLED, SQUARE, put

ALL = ["a.png", "b.png", "sub/c.png"]


@pytest.fixture
def session(studio):
    """Cat and dog on `a.png`, a cat on `b.png`; `sub/c.png` is empty."""
    session = studio.session
    for name in ("cat", "dog"):
        category_operations.add_category(session, name)
    operations.draw(session, SQUARE, 1)
    operations.draw(session, HOLED, 2)
    studio.show("b.png")
    operations.draw(session, SQUARE, 1)
    studio.show("a.png")
    return session


def shown(session, **asked):
    session.order.ask(ImageQuery(**asked))
    return [session.record(i).path for i in session.order.shown]


def truth(session, image_id):
    """The facts as the annotations themselves say."""
    there = session.content(image_id).annotations.values()
    scores = [a.score for a in there if a.is_pre_annotation]
    return ImageFacts(
        frozenset(a.category_id for a in there),
        min(scores, default=None),
        max(scores, default=None),
    )


def assert_true(session):
    for image_id in session.image_ids:
        known, true = session.facts(image_id), truth(session, image_id)
        assert known.categories == true.categories
        assert (known.lowest is None) == (true.lowest is None)
        if true.lowest is not None:
            # SQLite writes fifteen digits.
            assert known[1:] == pytest.approx(true[1:], 1e-12)


def find_different(studio, monkeypatch=None):
    """Have the model find discs of other scores on each image."""
    scores = iter([(0.9, 0.7), (0.95, 0.55), (0.8,)])

    def detect(size):
        found = next(scores)
        boxes = ((2, 2, 12, 12), (20, 2, 30, 12))[: len(found)]
        return disc_detections(size, boxes, found)

    studio.model.detect = detect
    studio.predict_folder()


# By category


def test_images_with_a_category_and_without_one(session):
    assert shown(session, having=1) == ["a.png", "b.png"]
    assert shown(session, having=2) == ["a.png"]
    assert shown(session, lacking=2) == ["b.png", "sub/c.png"]
    assert shown(session, having=1, lacking=2) == ["b.png"]
    assert shown(session, having=1, text="b") == ["b.png"]
    assert shown(session) == ALL


def test_by_the_number_of_categories(session):
    assert shown(session, sort=SortKey.CATEGORIES) == ["sub/c.png", "b.png", "a.png"]
    assert shown(session, sort=SortKey.CATEGORIES, descending=True) == ALL


def test_by_the_number_of_annotations(session):
    assert shown(session, fewest=1) == ["a.png", "b.png"]
    assert shown(session, most=1) == ["b.png", "sub/c.png"]
    assert shown(session, fewest=1, most=1) == ["b.png"]
    assert shown(session, fewest=3) == []


def test_an_image_that_is_edited_keeps_its_place_until_it_is_left(session, studio):
    assert shown(session, lacking=2) == ["b.png", "sub/c.png"]
    studio.show("b.png")
    operations.draw(session, HOLED, 2)
    assert [session.record(i).path for i in session.order.shown] == ["b.png", "sub/c.png"]
    operations.step(session, 1)
    assert [session.record(i).path for i in session.order.shown] == ["sub/c.png"]
    session.undo()
    operations.step(session, 1)
    assert [session.record(i).path for i in session.order.shown] == ["b.png", "sub/c.png"]


# By score


def test_by_the_lowest_and_the_highest_score(studio):
    session = studio.session
    find_different(studio)
    lowest = {"a.png": 0.7, "b.png": 0.55, "sub/c.png": 0.8}
    for name, score in lowest.items():
        assert session.facts(studio.image(name)).lowest == pytest.approx(score)
    assert shown(session, sort=SortKey.SCORE) == ["b.png", "a.png", "sub/c.png"]
    assert shown(session, sort=SortKey.SCORE, descending=True) == ["sub/c.png", "a.png", "b.png"]
    assert shown(session, score=ScoreBound(True, True, 0.75)) == ["a.png", "b.png"]
    assert shown(session, score=ScoreBound(True, False, 0.75)) == ["sub/c.png"]
    assert shown(session, score=ScoreBound(False, True, 0.92)) == ["a.png", "sub/c.png"]
    assert shown(session, score=ScoreBound(False, False, 0.92)) == ["b.png"]


def test_what_a_person_has_accepted_has_no_score_any_more(studio):
    session = studio.session
    find_different(studio)
    session.order.ask(ImageQuery(sort=SortKey.SCORE))
    studio.show("b.png")
    operations.verify(session)
    studio.show("a.png")
    assert [session.record(i).path for i in session.order.shown] == ["a.png", "sub/c.png", "b.png"]
    descending = shown(session, sort=SortKey.SCORE, descending=True)
    assert descending == ["sub/c.png", "a.png", "b.png"]
    assert shown(session, score=ScoreBound(True, True, 1.0)) == ["a.png", "sub/c.png"]


def test_a_bound_leaves_images_without_scores_out(session):
    assert shown(session, score=ScoreBound(True, True, 1.0)) == []
    assert shown(session, score=ScoreBound(True, False, 0.0)) == []


# Kept up to date


def test_facts_follow_edits_undo_and_merging(session, studio, qtbot):
    assert_true(session)
    studio.predict_image()
    assert_true(session)
    session.select([min(session.annotations)])
    operations.delete_selected(session)
    assert_true(session)
    session.undo()
    assert_true(session)
    session.order.ask(ImageQuery(having=2))
    with qtbot.waitSignal(session.order.renewed):
        category_operations.merge_categories(session, studio.tasks, [2], 1)
    assert_true(session)


def give(session, category_id):
    session.select(list(session.annotations)[:1])
    operations.set_category(session, category_id)


def delete(session):
    session.select(list(session.annotations)[:1])
    operations.delete_selected(session)


VERBS = {
    "draw a cat": lambda session: operations.draw(session, SQUARE, 1),
    "draw a dog": lambda session: operations.draw(session, SQUARE, 2),
    "make it a dog": lambda session: give(session, 2),
    "delete": delete,
    "undo": lambda session: session.undo(),
    "redo": lambda session: session.redo(),
    "verify": operations.verify,
    "go on": lambda session: operations.step(session, 1) or operations.step(session, -2),
}


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.sampled_from(list(VERBS))))
def test_facts_follow_any_edits(session, steps):
    for number, step in enumerate(steps):
        VERBS[step](session)
        if number % 3 == 0:
            assert_true(session)
    assert_true(session)


def test_they_are_there_when_the_folder_is_opened_again(session, studio, folder):
    expected = {i: session.facts(i) for i in session.image_ids}
    session.close()
    assert session.facts(1) == ImageFacts()
    studio.open(folder)
    assert {i: session.facts(i) for i in session.image_ids} == expected
    assert shown(session, having=2) == ["a.png"]


class Disk:
    """Facts as a project holds them; remembers what was asked of it."""

    def __init__(self, **kinds):
        self.facts = {int(i[1:]): ImageFacts(frozenset(kind)) for i, kind in kinds.items()}
        self.asked = []

    def read(self, image_ids):
        self.asked.append(list(image_ids))
        return [(i, self.facts[i]) for i in image_ids if i in self.facts]


def store_of(disk):
    store = FactsStore()
    store.reset(disk.read, max(disk.facts))
    return store


def test_what_was_edited_while_all_were_being_read_is_read_again():
    disk = Disk(i1={1}, i2={1})
    store = store_of(disk)
    assert store(1).categories == {1}
    before = store.reading_all()(lambda: None)
    disk.facts[1] = ImageFacts(frozenset({2}))
    store.forget([1])
    assert store(1).categories == {2}
    store.take(before)
    assert [store(i).categories for i in (1, 2)] == [{2}, {1}]


def test_an_edited_image_on_which_nothing_is_left_has_no_facts():
    disk = Disk(i1={1})
    store = store_of(disk)
    assert store(1).categories == {1}
    del disk.facts[1]
    store.forget([1])
    assert store(1) == ImageFacts()


def test_only_the_images_that_were_edited_are_read_again():
    disk = Disk(i1={1}, i2={2}, i3={3})
    store = store_of(disk)
    store(1)
    store.forget([3, 2])
    assert [store(i).categories for i in (1, 2, 3, 2)] == [{1}, {2}, {3}, {2}]
    assert disk.asked == [[1, 2, 3], [2, 3]]


def test_of_an_image_that_came_later_nothing_is_known():
    store = store_of(Disk(i1={1}))
    assert store(7) == ImageFacts()


def test_the_count_of_put_annotations_is_not_asked_of_the_facts(session):
    put(session, SQUARE)
    assert shown(session, fewest=3) == ["a.png"]
