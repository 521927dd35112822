"""Where a model's categories go: by what was decided, by name, by likeness of names, or nowhere."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.category_map import (
    IGNORED,
    TO_MAKE,
    CategoryMap,
    Goal,
    Rule,
    destinations,
    guess,
    is_open,
    maps_changed,
    settled,
)
from maskstudio.annotation.edits import Edit
from support.coco_names import COCO

scores = st.none() | st.floats(0, 1)
rules = st.builds(Rule, st.sampled_from([Goal.GUESS, Goal.NEW, Goal.IGNORE]), min_score=scores)
rules |= st.builds(Rule, st.just(Goal.CATEGORY), st.integers(1, 9), scores)
names = st.sampled_from([category.name for category in COCO])
maps = st.builds(CategoryMap, st.just("m"), st.dictionaries(names, rules))
projects = st.lists(names, unique=True, max_size=9).map(
    lambda chosen: [Category(n, name) for n, name in enumerate(chosen, 1)]
)


def categories(*words: str) -> list[Category]:
    return [Category(n, word) for n, word in enumerate(words, 1)]


@pytest.mark.parametrize(
    ("of_model", "of_project"),
    [
        ("person", "Person"),
        ("traffic light", "traffic_light"),
        ("traffic light", "TrafficLight"),
        ("traffic light", "Traffic-Lights"),
        ("bus", "buses"),
        ("buses", "bus"),
        ("wine glass", "wine glasses"),
        ("knife", "KNIFE"),
        ("berry", "berries"),
        ("tomatoes", "tomato"),
        ("dining table", "diningtable"),
        ("couch", "sofas"),
        ("tv", "tv monitor"),
        ("person", "people"),
        ("nucleus", "nuclei"),
        ("hair drier", "Hair Dryer"),
    ],
)
def test_names_of_the_same_thing_meet(of_model: str, of_project: str) -> None:
    assert guess(of_model, categories("other", of_project)) == 2


@pytest.mark.parametrize(
    ("of_model", "of_project"),
    [
        ("car", "cart"),
        ("cat", "cattle"),
        ("glass", "wine glass"),
        ("mouse", "computer mouse"),
        ("bus", "bu"),
        ("person", "pedestrian"),
        ("orange", "apple"),
        ("bear", "teddy bear"),
        ("s", ""),
    ],
)
def test_names_of_other_things_do_not(of_model: str, of_project: str) -> None:
    assert guess(of_model, categories(of_project)) == TO_MAKE


def test_no_two_of_the_eighty_are_taken_for_each_other() -> None:
    for category in COCO:
        others = [one for one in COCO if one is not category]
        assert guess(category.name, others) == TO_MAKE


def test_the_closest_name_counts() -> None:
    project = categories("sofa", "couches", "Couch", "couch")
    assert [guess("couch", project[:n]) for n in range(5)] == [TO_MAKE, 1, 2, 3, 4]


@given(maps, projects)
def test_every_category_goes_to_one_of_the_project_or_nowhere(
    chosen: CategoryMap, project: list[Category]
) -> None:
    found = destinations(chosen, COCO, project)
    known = {category.id for category in project}
    assert found.shape == (80,)
    assert found.dtype == np.int64
    for category, goes_to in zip(COCO, found, strict=True):
        rule = chosen.rule(category.name)
        assert goes_to in known | {TO_MAKE, IGNORED}
        assert (goes_to == IGNORED) == (rule.goal is Goal.IGNORE)
        if rule.category_id in known:
            assert goes_to == rule.category_id
        if any(one.name == category.name for one in project) and rule.goal is Goal.NEW:
            assert goes_to == guess(category.name, project)


@given(maps, projects)
def test_what_is_gone_from_the_project_is_not_decided(
    chosen: CategoryMap, project: list[Category]
) -> None:
    gone = replace(
        chosen, rules={n: r for n, r in chosen.rules.items() if r.goal is not Goal.CATEGORY}
    )
    without = [replace(category, id=category.id + 100) for category in project]
    assert np.array_equal(destinations(chosen, COCO, without), destinations(gone, COCO, without))


def test_another_name_is_used_though_one_is_alike() -> None:
    project = categories("phone", "sofa")
    chosen = CategoryMap("m", {"couch": Rule(Goal.NEW)})
    assert list(destinations(chosen, categories("couch"), project)) == [TO_MAKE]
    assert list(destinations(chosen, categories("couch"), [*project, Category(3, "couch")])) == [3]


@given(maps, st.lists(st.tuples(names, st.none() | rules)))
def test_changes_can_be_taken_back(
    chosen: CategoryMap, wanted: list[tuple[str, Rule | None]]
) -> None:
    changed, edits = chosen, []
    for name, rule in wanted:
        edits.append(Edit("Change", rules=(changed.change(name, rule),)))
        changed = changed.changed(edits[-1].rules)
        assert changed.rule(name) == (rule or Rule())
    for edit in reversed(edits):
        assert maps_changed({"m": changed}, edit.rules) == {"m": changed}
        changed = changed.changed(edit.inverse().rules)
    assert changed == chosen


def test_another_models_changes_are_not_its_own() -> None:
    change = CategoryMap("other").change("dog", Rule(Goal.IGNORE))
    assert CategoryMap("m").changed([change]) == CategoryMap("m")
    both = maps_changed({"m": CategoryMap("m")}, [change])
    assert both["m"].rules == {}
    assert both["other"].rules == {"dog": Rule(Goal.IGNORE)}


@given(maps, st.sets(st.integers(1, 9)), st.integers(1, 9))
def test_all_that_went_to_a_merged_category_follows_it(
    chosen: CategoryMap, gone: set[int], into: int
) -> None:
    after = chosen.changed(chosen.following(gone, into))
    for name, rule in chosen.rules.items():
        follows = rule.category_id in gone
        assert after.rule(name) == (rule.to(Goal.CATEGORY, into) if follows else rule)


def test_only_what_has_a_score_of_its_own_is_said() -> None:
    own = {"dog": Rule(min_score=0.7), "cat": Rule(Goal.IGNORE, min_score=0.0), "car": Rule()}
    assert CategoryMap("m", own).category_scores == (("cat", 0.0), ("dog", 0.7))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Rule(Goal.CATEGORY),
        lambda: Rule(Goal.NEW, 3),
        lambda: Rule(min_score=1.5),
        lambda: Rule(min_score=float("nan")),
    ],
)
def test_a_rule_that_makes_no_sense_cannot_be_made(wrong: Callable[[], Rule]) -> None:
    with pytest.raises(ValueError, match="a "):
        wrong()


@pytest.mark.parametrize(
    ("of_model", "of_project", "asks"),
    [
        (categories("nucleus"), [], False),
        (categories("nucleus"), categories("cell"), False),
        (categories("a", "b", "c"), [], False),
        (categories("ant", "bee", "cat"), categories("dog"), True),
        (categories("ant", "bee", "cat"), categories("cat", "Bees", "ant"), False),
        (categories("a", "b", "c", "d"), [], True),
        (COCO, [], True),
        (COCO, list(COCO), False),
        (COCO, list(COCO[1:]), True),
    ],
)
def test_a_person_is_asked_when_there_is_something_to_decide(
    of_model: Sequence[Category], of_project: Sequence[Category], asks: bool
) -> None:
    chosen = CategoryMap("m")
    assert is_open(chosen, of_model, of_project) is asks
    assert not is_open(chosen.changed(settled(chosen, of_model)), of_model, of_project)


@given(maps, projects)
def test_what_was_decided_stays_when_the_rest_is_settled(
    chosen: CategoryMap, project: list[Category]
) -> None:
    after = chosen.changed(settled(chosen, COCO))
    assert {category.name for category in COCO} <= after.rules.keys()
    assert chosen.rules.items() <= after.rules.items()
    assert np.array_equal(destinations(chosen, COCO, project), destinations(after, COCO, project))
    assert settled(after, COCO) == ()


def test_deciding_on_some_leaves_the_others_open() -> None:
    chosen = CategoryMap("m", {COCO[0].name: Rule(Goal.IGNORE)})
    assert is_open(chosen, COCO, [])
