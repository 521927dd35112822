"""What was decided about the categories of models, as it is kept with a project."""

from collections.abc import Mapping
from typing import Any

from maskstudio.annotation.category_map import CategoryMap, Goal, Rule

SETTING = "category_maps"
"""The setting of the project that holds all of it: model id to name to rule."""


def plain_rule(rule: Rule | None) -> list[Any] | None:
    """Return a rule as a list, for JSON."""
    return None if rule is None else [rule.goal, rule.category_id, rule.min_score]


def rule_from(plain: list[Any] | None) -> Rule | None:
    """Read a rule."""
    if plain is None:
        return None
    goal, category_id, min_score = plain
    return Rule(Goal(goal), category_id, min_score)


def plain_maps(maps: Mapping[str, CategoryMap]) -> dict[str, Any]:
    """Return maps by the ids of their models as a dictionary, for JSON."""
    return {
        model_id: {name: plain_rule(rule) for name, rule in one.rules.items()}
        for model_id, one in maps.items()
    }


def maps_from(plain: dict[str, Any]) -> dict[str, CategoryMap]:
    """Read maps."""
    return {
        model_id: CategoryMap(
            model_id, {name: rule for name, one in rules.items() if (rule := rule_from(one))}
        )
        for model_id, rules in plain.items()
    }
