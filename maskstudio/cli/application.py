"""The commands. Each imports what it needs when it runs, so that help is instant."""

from typing import Any

import typer
from typer.core import TyperGroup

from maskstudio import __version__
from maskstudio.cli.check import check
from maskstudio.cli.data import demo, gui, predict
from maskstudio.cli.effort import effort
from maskstudio.cli.evaluation import evaluate
from maskstudio.cli.exporting import export
from maskstudio.cli.incoming import import_data
from maskstudio.cli.models import models
from maskstudio.cli.training import train

_GUI = "gui"


class _Group(TyperGroup):
    """Commands; without one, or with a folder in its place, the window opens."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = args and (args[0] in self.commands or args[0].startswith("-"))
        # A bare word is more likely a command misspelt than a folder that is not there.
        if not args or (not named and _looks_like_path(args[0])):
            args = [_GUI, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_Group, add_completion=False, pretty_exceptions_enable=False)
app.command(_GUI)(gui)
for _command in (demo, predict, train, evaluate, export, check, effort):
    app.command()(_command)
app.command("import")(import_data)
app.add_typer(models, name="models")


@app.callback(invoke_without_command=True)
def _options(
    *,
    version: bool = typer.Option(False, "--version", help="Print the version and end."),
) -> None:
    """Label images with Mask R-CNN: `maskstudio [FOLDER]` opens the window."""
    if version:
        typer.echo(f"maskstudio {__version__}")
        raise typer.Exit


def _looks_like_path(text: str) -> bool:
    from pathlib import Path

    return Path(text).exists() or "/" in text or "\\" in text
