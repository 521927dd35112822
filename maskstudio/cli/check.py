"""The command `check`: what training would stumble over."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskstudio.cli.console import ConsoleContext, ProgressOption, ProgressStyle, check_folders

if TYPE_CHECKING:
    from maskstudio.progress import TaskContext
    from maskstudio.session.quality_report import QualityReport


def check(
    path: Annotated[
        Path, typer.Argument(help="A project, a COCO file, or another program's data set.")
    ],
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write all that was found as JSON, too.")
    ] = None,
    progress: ProgressOption = ProgressStyle.BAR,
) -> None:
    """Check a project, or a data set of another program; exit code 1 where something is wrong."""
    check_folders(json_file)
    with ConsoleContext("Checking", progress) as context:
        report = _check(path, context)
        for line in report.sentences():
            context.produce(line)
    if json_file:
        from maskstudio.storage.files import replaced_file

        with replaced_file(json_file) as beside:
            beside.write_text(json.dumps(report.plain(), indent=1) + "\n", encoding="utf-8")
    if not report.ok:
        raise typer.Exit(1)


def _check(path: Path, context: "TaskContext") -> "QualityReport":
    from maskstudio.storage.places import has_project

    if not has_project(path):
        from maskstudio.session.source_checking import check_data_set

        return check_data_set(path, context)
    from maskstudio.session.quality_checking import check_project, report_on
    from maskstudio.storage.opening import open_project

    with open_project(path, read_only=True) as database:
        return report_on(check_project(database, context), database)
