"""The commands about models: list, download, import, remove and describe them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskstudio.cli.console import ConsoleContext, DeviceName, ProgressOption, ProgressStyle
from maskstudio.errors import UserError
from maskstudio.progress import TaskContext

if TYPE_CHECKING:
    from maskstudio.storage.model_folder import ListedModel

models = typer.Typer(no_args_is_help=True, help="The models there are.")

_MEGABYTE = 1_000_000
_NAMES_SHOWN = 5


@models.command("list")
def list_models() -> None:
    """List the models that are here, and those that can be downloaded."""
    from maskstudio.storage import model_folder

    for model in model_folder.list_models():
        typer.echo(_line(model))


@models.command()
def download(
    name: Annotated[str, typer.Argument(help="Name of the model, as `models list` gives it.")],
    progress: ProgressOption = ProgressStyle.BAR,
) -> None:
    """Download a model; what was broken off goes on from where it was."""
    from maskstudio.mask_rcnn.importing import obtain_model
    from maskstudio.storage.catalogue import catalogue
    from maskstudio.storage.downloads import fetch
    from maskstudio.storage.model_folder import model_file, models_dir, source_of

    entry = catalogue().get(name)
    if entry is None:
        raise UserError(f"There is no model {name!r} to download; one of: {', '.join(catalogue())}")
    if not model_file(name).exists():
        with ConsoleContext(f"Downloading {name}, MB", progress) as context:
            fetch(source_of(entry), models_dir(), _InMegabytes(context))
    typer.echo(f"{name} is in {obtain_model(name)}")


@models.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="Weights of torchvision's (.pth), or .safetensors.")],
    categories: Annotated[
        str, typer.Option(help="Names in the order of the outputs, comma-separated; N/A: none.")
    ] = "",
    coco: Annotated[
        Path | None, typer.Option(help="COCO file whose categories the model was trained on.")
    ] = None,
    name: Annotated[str, typer.Option(help="What to call it; the file's name by default.")] = "",
) -> None:
    """Import a model that was trained with torchvision; the network is recognised."""
    from maskstudio.mask_rcnn.importing import import_model, look_into, names_from_coco
    from maskstudio.mask_rcnn.model_file import read_info

    if categories and coco:
        raise typer.BadParameter("give either --categories or --coco")
    names = tuple(categories.split(",")) if categories else None
    if coco:
        names = names_from_coco(coco, len(look_into(file).names))
    path = import_model(file, name or file.stem, names)
    info = read_info(path)
    found = _names([category.name for category in info.categories])
    typer.echo(f"{info.id}  {info.architecture.name}  finds: {found}\nwrote {path}")


@models.command()
def remove(
    name: Annotated[str, typer.Argument(help="Name of the model, as `models list` gives it.")],
) -> None:
    """Delete a model that was downloaded or imported."""
    from maskstudio.storage.model_folder import remove_model

    remove_model(name)
    typer.echo(f"removed {name}")


@models.command("info")
def show_info(
    model: Annotated[str, typer.Argument(help="Name or path of the model.")] = "nuclei",
    device: DeviceName = "auto",
) -> None:
    """Show what a model says of itself, and how it runs here, tried out on a sample picture."""
    from maskstudio.mask_rcnn.importing import obtain_model
    from maskstudio.mask_rcnn.model_file import read_info
    from maskstudio.mask_rcnn.trial import try_out

    path = obtain_model(model)
    info = read_info(path)
    runs = try_out(path, device)
    facts = [f"{path.stat().st_size / 1e6:.1f} MB", *([info.licence] if info.licence else [])]
    typer.echo(f"model         {info.id}  ({', '.join(facts)})")
    typer.echo(f"architecture  {json.dumps(info.architecture.to_header())}")
    typer.echo(f"categories    {', '.join(category.name for category in info.categories)}")
    for about, words in runs.lines():
        typer.echo(f"{about:14}{words}")
    typer.echo(f"metrics       {json.dumps(dict(info.metrics))}")
    typer.echo(f"training      {json.dumps(dict(info.training))}")


class _InMegabytes(TaskContext):
    """Progress in bytes, passed on as one can read it."""

    def __init__(self, inner: TaskContext) -> None:
        self._inner = inner

    def report(self, done: int, total: int, note: str = "") -> None:
        self._inner.report(done // _MEGABYTE, total // _MEGABYTE, note)

    def raise_if_cancelled(self) -> None:
        self._inner.raise_if_cancelled()


def _line(model: "ListedModel") -> str:
    """Return what a list says of a model; what cannot be read says so and spoils no other."""
    from maskstudio.mask_rcnn.model_file import find_model, read_info
    from maskstudio.storage.model_folder import State

    size = f"{model.size / _MEGABYTE:.1f} MB"
    if model.state is not State.READY:
        words = {
            State.ABSENT: f"{size} to download",
            State.PARTLY: f"{model.arrived / _MEGABYTE:.1f} of {size} downloaded",
            State.PLACED: f"{size}, downloaded",
        }
        return f"{model.name}  {words[model.state]}  {model.purpose}"
    try:
        info = read_info(find_model(model.name))
    except UserError as error:
        return f"{model.name}  {error}"
    found = _names([category.name for category in info.categories])
    return f"{model.name}  {size}  {info.architecture.name}  finds: {found}"


def _names(names: list[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    shown = ", ".join(names[:_NAMES_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown
