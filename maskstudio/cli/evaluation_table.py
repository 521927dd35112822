"""The figures of models as one table of text, a column for each."""

from collections.abc import Iterator

import numpy as np

from maskstudio.annotation.effort import ACCEPTED_IOU, Effort
from maskstudio.annotation.evaluation import Figures, ModelFigures, Report

_NARROWEST = 10
_MOST_CONFUSED = 5
_UNKNOWN = "-"
_NOT_MEASURED = Figures(None, None, None, None, None, None, {})


def table(report: Report) -> str:
    """Return the table, with a line above it that says what was measured on."""
    images = f"{report.images:,} image{'' if report.images == 1 else 's'}"
    objects = f"{report.objects:,} object{'' if report.objects == 1 else 's'}"
    confused = _most_confused(report)
    columns = [list(_column(model, report, confused)) for model in report.models]
    heads = _heads(report.models)
    first = max(len(what) for what, _ in columns[0])
    widths = (first, max(_NARROWEST, *map(len, heads)) + 2)
    lines = [f"{report.data}: {images}, {objects}", _line("", heads, widths)]
    lines += [
        _line(rows[0][0], [text for _, text in rows], widths) for rows in zip(*columns, strict=True)
    ]
    lines += [
        f"{head} does not know {', '.join(model.unknown)}: counted as missed."
        for head, model in zip(heads, report.models, strict=True)
        if model.unknown
    ]
    return "\n".join(lines)


def _heads(models: tuple[ModelFigures, ...]) -> list[str]:
    """Return what tells the models apart: their names, or how they were named in the command."""
    names = [model.model for model in models]
    return names if len(set(names)) == len(names) else [model.source for model in models]


def _line(what: str, cells: list[str], widths: tuple[int, int]) -> str:
    first, each = widths
    return f"{what:<{first}}{''.join(f'{cell:>{each}}' for cell in cells)}".rstrip()


def _most_confused(report: Report) -> list[tuple[int, int]]:
    """Return the categories most often taken for another, and that: rows and columns."""
    counts = sum(np.array(model.confusion.counts) for model in report.models)
    confused = np.array(counts)[:-1, :-1]
    np.fill_diagonal(confused, 0)
    order = np.argsort(-confused, axis=None, kind="stable")[:_MOST_CONFUSED]
    pairs = zip(*np.unravel_index(order, confused.shape), strict=True)
    return [(int(row), int(column)) for row, column in pairs if confused[row, column]]


def _column(
    model: ModelFigures, report: Report, confused: list[tuple[int, int]]
) -> Iterator[tuple[str, str]]:
    """Yield what stands in each row, with its words; the same rows for every model."""
    yield from _figures("mask", model.mask)
    yield from _figures("box", model.box)
    yield f"left to do, from score {report.min_score:.2f}", ""
    yield from _left(model.effort)
    yield "seconds an image", f"{model.seconds_per_image:.3f}"
    yield "AP by category", ""
    for name, ap in model.best.per_category.items():
        yield f"  {name}", _figure(ap)
    if confused:
        yield "taken for another", ""
    names = model.confusion.categories
    for row, column in confused:
        yield f"  {names[row]} for {names[column]}", f"{model.confusion.counts[row][column]:,}"


def _figures(kind: str, figures: Figures | None) -> Iterator[tuple[str, str]]:
    there = figures or _NOT_MEASURED
    yield f"{kind} AP", _figure(there.ap)
    yield f"{kind} AP50", _figure(there.ap50)
    yield f"{kind} AP75", _figure(there.ap75)
    yield f"{kind} AP, small objects", _figure(there.small)
    yield f"{kind} AP, medium", _figure(there.medium)
    yield f"{kind} AP, large", _figure(there.large)


def _left(effort: Effort | None) -> Iterator[tuple[str, str]]:
    known = effort is not None
    left = effort or Effort()
    for what, count in (
        (f"  good as found (IoU {ACCEPTED_IOU})", left.accepted),
        ("  to adjust", left.adjusted),
        ("  to delete", left.deleted),
        ("  to draw, by one box", left.boxed),
        ("  to draw, by hand", left.drawn),
    ):
        yield what, f"{count:,}" if known else _UNKNOWN
    drawn = left.objects > 0
    yield "  gestures an object", f"{left.per_object:.2f}" if drawn else _UNKNOWN
    yield "  if all drawn by hand", f"{left.per_object_by_hand:.2f}" if drawn else _UNKNOWN
    yield "  share of that", f"{left.share:.0%}" if drawn else _UNKNOWN


def _figure(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.3f}"
