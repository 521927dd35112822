"""What was decided about a model's categories: kept with the project, done, undone and redone."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maskstudio.annotation.category_map import CategoryMap, Goal, Rule, RuleChange, maps_changed
from maskstudio.annotation.edits import Edit
from maskstudio.storage.category_maps import SETTING, maps_from, plain_maps
from maskstudio.storage.opening import open_project
from maskstudio.storage.project import ProjectDatabase

scores = st.none() | st.floats(0, 1)
rules = st.builds(Rule, st.sampled_from([Goal.GUESS, Goal.NEW, Goal.IGNORE]), min_score=scores)
rules |= st.builds(Rule, st.just(Goal.CATEGORY), st.integers(1, 2**40), scores)
steps = st.lists(
    st.lists(st.tuples(st.sampled_from("ab"), st.text(), st.none() | rules), min_size=1), max_size=5
)


def kept(project: ProjectDatabase) -> dict[str, CategoryMap]:
    return maps_from(project.setting(SETTING, {}))


def decided(maps: dict[str, CategoryMap]) -> dict[str, CategoryMap]:
    """Leave out maps in which nothing is decided any more."""
    return {model_id: one for model_id, one in maps.items() if one.rules}


@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps)
def test_what_is_done_undone_and_redone_is_what_is_kept(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[list[tuple[str, str, Rule | None]]]
) -> None:
    folder: Path = tmp_path_factory.mktemp("project")
    states: list[dict[str, CategoryMap]] = [{}]
    with open_project(folder) as project:
        for step in wanted:
            maps = states[-1]
            changes: list[RuleChange] = []
            for model_id, name, rule in step:
                chosen = maps.get(model_id, CategoryMap(model_id))
                changes.append(chosen.change(name, rule))
                maps = maps_changed(maps, changes[-1:])
            states.append(maps)
            project.commit(Edit("Change", rules=tuple(changes)))
            assert kept(project) == states[-1]
    with open_project(folder) as project:
        for state in states[-2::-1]:
            project.undo()
            assert decided(kept(project)) == decided(state)
        for state in states[1:]:
            assert project.redo()
            assert decided(kept(project)) == decided(state)


def test_maps_are_plain_values_and_back() -> None:
    maps = {"m": CategoryMap("m", {"Straßenlampe": Rule(Goal.CATEGORY, 3, 1 / 3), "": Rule()})}
    assert maps_from(plain_maps(maps)) == maps


def test_edits_of_nothing_but_rules_are_edits() -> None:
    assert not Edit("Nothing")
    assert Edit("One", rules=(RuleChange("m", "dog", None, Rule()),))
