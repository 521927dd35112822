"""A report outlives its program as JSON."""

import json

import pytest

from maskstudio.annotation.effort import Effort
from maskstudio.annotation.evaluation import (
    ALL,
    Confusion,
    Curve,
    Figures,
    ModelFigures,
    Report,
)
from maskstudio.errors import UserError

CURVE = Curve(ALL, 0.5, (1.0, 0.5, 0.0))
MASK = Figures(0.5, 0.9, 0.4, None, 0.5, None, {"cell": 0.5, "stæv": None}, (CURVE,))
CONFUSION = Confusion(("cell", "stæv"), ((3, 0, 1), (0, 0, 0), (2, 0, 0)))
EFFORT = Effort(3, 1, 2, 0, 1, 15, 40)


def model(name: str, mask: Figures | None) -> ModelFigures:
    effort = None if mask is None else EFFORT
    return ModelFigures(
        name, f"{name}.safetensors", MASK, mask, CONFUSION, effort, 3, ("stæv",), 0.25, "CPU",
        {"sha256": "ab", "settings": {"iterations": 3}},
    )  # fmt: skip


REPORT = Report("val.json", "0" * 64, 3, 4, 0.5, 500, (model("a", MASK), model("b", None)))


def test_what_is_read_back_is_what_was_written() -> None:
    text = REPORT.to_json()
    assert Report.from_json(text) == REPORT
    assert Report.from_json(text.encode()) == REPORT


def test_other_programs_can_read_it() -> None:
    read = json.loads(REPORT.to_json())
    assert read["models"][0]["mask"]["ap50"] == 0.9
    assert read["models"][0]["mask"]["per_category"] == {"cell": 0.5, "stæv": None}
    assert read["models"][1]["mask"] is None
    assert read["models"][0]["effort"]["gestures"] == 15


@pytest.mark.parametrize("text", ["", "[]", "{}", "no JSON", '{"data": 1}'])
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="This is no report of `maskstudio evaluate`"):
        Report.from_json(text)


def test_a_model_keeps_the_figures_without_the_curves() -> None:
    kept = REPORT.models[0].summary()
    json.dumps(kept, allow_nan=False)
    assert kept["mask"] == {
        "AP": 0.5, "AP50": 0.9, "AP75": 0.4, "small": None, "medium": 0.5, "large": None,
        "per_category": {"cell": 0.5, "stæv": None},
    }  # fmt: skip
    assert kept["effort"]["accepted"] == 3
    assert kept["images"] == 3
    assert set(REPORT.models[1].summary()) == {
        *("box", "images", "seconds_per_image", "device", "sha256")
    }


def test_the_best_figures_are_those_of_the_masks() -> None:
    assert REPORT.models[0].best is MASK
    assert REPORT.models[1].best is REPORT.models[1].box
