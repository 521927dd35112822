"""The commands about models: `models list` and `models info`."""

import json
from typing import Annotated

import typer

from maskstudio.cli.console import DeviceName

models = typer.Typer(no_args_is_help=True, help="The models there are.")


@models.command("list")
def list_models() -> None:
    """List the models that ship with the program."""
    from maskstudio.mask_rcnn.model_file import embedded_models, find_model, read_info

    for name in embedded_models():
        info = read_info(find_model(name))
        found = ", ".join(category.name for category in info.categories)
        typer.echo(f"{name}  {info.architecture.name}  finds: {found}")


@models.command("info")
def show_info(
    model: Annotated[str, typer.Argument(help="Name or path of the model.")] = "nuclei",
    device: DeviceName = "auto",
) -> None:
    """Show what a model says of itself, and where it would run."""
    from maskstudio.mask_rcnn.device import choose_device
    from maskstudio.mask_rcnn.model_file import find_model, read_info

    path = find_model(model)
    info = read_info(path)
    chosen = choose_device(device)
    why = f" ({chosen.why_not_gpu})" if chosen.why_not_gpu else ""
    facts = [f"{path.stat().st_size / 1e6:.1f} MB", *([info.licence] if info.licence else [])]
    typer.echo(f"model         {info.id}  ({', '.join(facts)})")
    typer.echo(f"architecture  {json.dumps(info.architecture.to_header())}")
    typer.echo(f"categories    {', '.join(category.name for category in info.categories)}")
    typer.echo(f"device        {chosen.name}{why}")
    typer.echo(f"metrics       {json.dumps(dict(info.metrics))}")
    typer.echo(f"training      {json.dumps(dict(info.training))}")
