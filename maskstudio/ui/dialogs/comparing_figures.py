"""Two models side by side in words and numbers: what the page of a comparison lists."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from maskstudio.annotation.effort import Effort
from maskstudio.annotation.evaluation import Figures, ModelFigures, Report

# Below this the difference of two figures is not seen in what is shown of them.
_SAME = 0.0005
# Gestures differ by less than this share by chance alone on most sets.
_ABOUT_THE_SAME = 0.02
_FEW_IMAGES, _FEW_OBJECTS = 10, 50

# Under this name a model remembers that it learned from what was verified before it.
_LEARNED = "learning"

_NONE = "-"


@dataclass(frozen=True)
class Row:
    """A line of the list, or a heading with lines below it.

    Attributes:
        name: what it is.
        old: of the first model.
        new: of the second.
        change: from the first to the second.
        verdict: 1 where the second is better, -1 where it is worse, 0 where neither is.
        tip: what it means, where that is not plain.
        rows: what stands below a heading.
    """

    name: str
    old: str = ""
    new: str = ""
    change: str = ""
    verdict: int = 0
    tip: str = ""
    rows: tuple["Row", ...] = ()


def headline(report: Report) -> str:
    """Return in a sentence which of the two models leaves less to do."""
    old, new = report.models
    where = f"{_counted(report.images, 'image')} with {_counted(report.objects, 'object')}"
    said = _by_effort(old, new) or _by_precision(old, new)
    few = report.images < _FEW_IMAGES or report.objects < _FEW_OBJECTS
    caution = " So few may mislead; verify more and compare again." if few else ""
    return f"{said} Measured on {where}, kept apart for that.{caution}"


def notes(report: Report) -> str:
    """Return what has to be known beside the figures; empty where there is nothing."""
    return " ".join(
        sentence
        for one in report.models
        for sentence in (
            f"{one.model} does not know {_listed(one.unknown)}: all of these count as missed."
            if one.unknown
            else "",
            f"{one.model} learned while you labelled, perhaps from these very images: its figures "
            "may flatter it."
            if _LEARNED in one.training
            else "",
        )
        if sentence
    )


def rows(report: Report) -> list[Row]:
    """Return all figures of two models, under headings."""
    old, new = report.models
    found = [_effort_rows(report, old.effort, new.effort)]
    if old.mask is not None or new.mask is not None:
        found.append(_precision_rows("Masks", old.mask, new.mask))
    found.append(_precision_rows("Boxes", old.box, new.box))
    names = old.best.per_category
    if len(names) > 1:
        of_each = tuple(
            _figure(name, old.best.per_category.get(name), new.best.per_category.get(name))
            for name in names
        )
        found.append(Row("AP of each category", rows=of_each))
    found.append(_speed_rows(old, new))
    found.append(_memory_rows(old.training, new.training))
    return [heading for heading in found if heading.rows]


def _by_effort(old: ModelFigures, new: ModelFigures) -> str:
    if old.effort is None or new.effort is None or not old.effort.gestures:
        return ""
    before, after = old.effort.per_object, new.effort.per_object
    less = 1 - new.effort.gestures / old.effort.gestures
    if math.isnan(before) or abs(less) < _ABOUT_THE_SAME:
        return "" if math.isnan(before) else f"Both leave about as much to do: {_effort(after)}."
    share = f"{abs(less):.0%}".replace("%", " %")
    word = "fewer" if less > 0 else "more"
    than = f"{old.model} takes {before:.2f}"
    return f"With {new.model} a person needs {share} {word} gestures: {_effort(after)}; {than}."


def _effort(per_object: float) -> str:
    return f"{per_object:.2f} an object"


def _by_precision(old: ModelFigures, new: ModelFigures) -> str:
    before, after = old.best.ap, new.best.ap
    if before is None or after is None:
        return "There is nothing to compare by."
    word = "better than" if after > before + _SAME else "worse than"
    word = "as good as" if abs(after - before) <= _SAME else word
    return f"{new.model} is {word} {old.model}: AP {after:.3f} and {before:.3f}."


def _effort_rows(report: Report, old: Effort | None, new: Effort | None) -> Row:
    shown = f"of what is shown from a score of {report.min_score:g} on"
    if old is None or new is None:
        return Row("")
    of_by_hand = "Gestures that are left, of those that drawing every object by hand takes"
    return Row(
        f"What a person still has to do, {shown}",
        rows=(
            _lower("Gestures an object", old.per_object, new.per_object, "{:.2f}".format),
            _lower("Beside drawing by hand", old.share, new.share, _percent, of_by_hand),
            _count("Accepted as they are", old, new, "accepted", 1, "Mask IoU of 0.85 or more"),
            _count("To be adjusted", old, new, "adjusted", 0),
            _count("To be deleted", old, new, "deleted", -1),
            _count("Missed, one box outlines it", old, new, "boxed", 0),
            _count("Missed, to be drawn by hand", old, new, "drawn", -1),
        ),
    )


def _count(name: str, old: Effort, new: Effort, what: str, good: int, tip: str = "") -> Row:
    before, after = getattr(old, what), getattr(new, what)
    change = f"{after - before:+,}" if after != before else ""
    verdict = good * ((after > before) - (after < before))
    return Row(name, f"{before:,}", f"{after:,}", change, verdict, tip)


def _lower(name: str, old: float, new: float, shown: Callable[[float], str], tip: str = "") -> Row:
    """Return a figure that is better the lower it is."""
    if math.isnan(old) or math.isnan(new):
        return Row(name, _NONE, _NONE, tip=tip)
    change = f"{'+' if new > old else '-'}{shown(abs(new - old))}"
    same = shown(abs(new - old)) == shown(0.0)
    verdict = 0 if same else 1 if new < old else -1
    return Row(name, shown(old), shown(new), "" if same else change, verdict, tip)


def _precision_rows(name: str, old: Figures | None, new: Figures | None) -> Row:
    what = (
        ("AP", "ap", "Mean over IoU 0.50 to 0.95, as COCO has it"),
        ("AP50", "ap50", "Right from an IoU of 0.50 on"),
        ("AP75", "ap75", "Right from an IoU of 0.75 on"),
        ("AP of small objects", "small", "Below 32 x 32 pixels"),
        ("AP of medium objects", "medium", "Below 96 x 96 pixels"),
        ("AP of large objects", "large", "From 96 x 96 pixels on"),
    )
    known = [(words, getattr(old, key, None), getattr(new, key, None), t) for words, key, t in what]
    # Where there is no object of that size there is nothing to say of either.
    return Row(name, rows=tuple(_figure(*one) for one in known if one[1:3] != (None, None)))


def _figure(name: str, old: float | None, new: float | None, tip: str = "") -> Row:
    before, after = (_NONE if value is None else f"{value:.3f}" for value in (old, new))
    if old is None or new is None or abs(new - old) < _SAME:
        return Row(name, before, after, tip=tip)
    return Row(name, before, after, f"{new - old:+.3f}", 1 if new > old else -1, tip)


def _speed_rows(old: ModelFigures, new: ModelFigures) -> Row:
    before, after = (f"{one.seconds_per_image:.2f}" for one in (old, new))
    return Row(
        "Speed",
        rows=(
            Row("Seconds an image", before, after, tip="The median; prediction alone"),
            Row("Where it ran", old.device, new.device),
        ),
    )


def _memory_rows(old: Mapping[str, Any], new: Mapping[str, Any]) -> Row:
    before, after = dict(_plain(old)), dict(_plain(new))
    shown = (Row(n, before.get(n, _NONE), after.get(n, _NONE)) for n in before | after)
    return Row("What the models remember of their training", rows=tuple(shown))


def _plain(training: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    """Yield what a model remembers as names and words."""
    for key, value in training.items():
        name = f"{within}{key.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from _plain(value, f"{name}: ")
        elif value is not None:
            text = f"{value:g}" if isinstance(value, float) else str(value)
            yield name, text


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5:,} more"
