"""The command `effort`: what the model's work was worth, out of the journal of a project."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskstudio.cli.console import check_folders
from maskstudio.errors import UserError

if TYPE_CHECKING:
    from maskstudio.annotation.payoff import Payoff
    from maskstudio.session.payoff_report import Row

_GAP = "  "


def effort(
    project: Annotated[Path, typer.Option(help="Folder of images that was labelled.")],
    days: Annotated[int, typer.Option(min=0, help="Only so many days, with today; 0: all.")] = 0,
    category: Annotated[str, typer.Option(help="Only this category.")] = "",
    model: Annotated[str, typer.Option(help="Only this model.")] = "",
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Write a row for each day, category and model.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the same as JSON.")
    ] = None,
) -> None:
    """Tell what became of what models found, and how long an object took a person."""
    from maskstudio.session import payoff_report as report
    from maskstudio.storage.files import replaced_file

    check_folders(csv_file, json_file)
    payoff, today = _read(project), datetime.now().astimezone().date()
    category_id = _category(payoff, category) if category else None
    chosen = report.chosen_of(payoff, days, today, category_id, _model(payoff, model))
    typer.echo(report.sentence(chosen.total, report.when(days)))
    without = report.without_model(payoff, category_id)
    told = (report.comparison(chosen, without), *report.unknown(chosen, without), report.PAUSES)
    for line in filter(None, told):
        typer.echo(line)
    for what, rows in (
        ("model", report.model_rows(chosen)),
        ("category", report.category_rows(chosen)),
    ):
        _print_table(what, rows)
    if csv_file:
        with replaced_file(csv_file) as beside:
            beside.write_text(report.csv_text(chosen), encoding="utf-8", newline="")
    if json_file:
        rows_told = json.dumps(list(report.plain(chosen)), indent=1, ensure_ascii=False)
        with replaced_file(json_file) as beside:
            beside.write_text(f"{rows_told}\n", encoding="utf-8")


def _read(project: Path) -> "Payoff":
    from maskstudio.progress import TaskContext
    from maskstudio.session.payoff_reading import read_account
    from maskstudio.storage.opening import open_project

    with open_project(project, read_only=True) as database:
        return read_account(database, TaskContext()).payoff


def _category(payoff: "Payoff", name: str) -> int:
    """Return a category by its name.

    Raises:
        UserError: there are no figures of it.
    """
    found = [i for i, known in payoff.names.items() if known == name]
    if not found:
        raise UserError(
            f"There is nothing of a category {name!r}; {_known(payoff.names.values())}."
        )
    return found[0]


def _model(payoff: "Payoff", model_id: str) -> str | None:
    """Return a model by its id; None where none is asked for.

    Raises:
        UserError: there are no figures of it.
    """
    known = list(payoff.by_model())
    if model_id and model_id not in known:
        raise UserError(f"There is nothing of a model {model_id!r}; {_known(filter(None, known))}.")
    return model_id or None


def _known(names: Iterable[str]) -> str:
    there = ", ".join(repr(name) for name in sorted(names))
    return f"choose of {there}" if there else "leave the option out"


def _print_table(what: str, rows: Sequence["Row"]) -> None:
    from maskstudio.session.payoff_report import COLUMNS, cells

    if not rows:
        return
    table = [(what, *COLUMNS), *((row.name, *cells(row.tally)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    typer.echo()
    for name, *figures in table:
        line = [name.ljust(widths[0])]
        line += [figure.rjust(width) for figure, width in zip(figures, widths[1:], strict=True)]
        typer.echo(_GAP.join(line).rstrip())
