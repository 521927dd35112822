"""The command `import`: a data set of another program into a project."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskstudio.cli.console import ConsoleContext, ProgressOption, ProgressStyle
from maskstudio.errors import UserError
from maskstudio.session.import_plan import (
    Destination,
    ImportChoices,
    ImportedState,
    ImportPlan,
    OtherSize,
    Standing,
)

if TYPE_CHECKING:
    from maskstudio.annotation.annotation import Category
    from maskstudio.progress import TaskContext
    from maskstudio.storage.project import ProjectDatabase

_LEAVE_OUT = "-"


def import_data(
    path: Annotated[Path, typer.Argument(help="File or folder of the data set.", metavar="FILE")],
    project: Annotated[Path, typer.Option(help="Folder of the images.")],
    of: Annotated[
        Path | None, typer.Option(help="For COCO results: the COCO file whose ids they have.")
    ] = None,
    category: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=NAME: where a category goes; NAME=- leaves it out. Once for each.",
        ),
    ] = None,
    existing: Annotated[
        Standing, typer.Option(help="Images that hold annotations already.")
    ] = Standing.LEAVE,
    other_size: Annotated[
        OtherSize, typer.Option(help="What was drawn on an image of another size.")
    ] = OtherSize.LEAVE_OUT,
    state: Annotated[
        ImportedState, typer.Option(help="How far images have come, if the data set is silent.")
    ] = ImportedState.EDITED,
    images: Annotated[
        bool, typer.Option(help="Put images that the data set carries into the folder.")
    ] = False,
    dry_run: Annotated[bool, typer.Option(help="Say what would happen, change nothing.")] = False,
    progress: ProgressOption = ProgressStyle.BAR,
) -> None:
    """Take a data set of another program into a project; one undo takes it back.

    COCO, COCO results, labelme, VIA, Pascal VOC, YOLO and mask PNGs are told apart by themselves.
    """
    from maskstudio.formats.sources import open_source
    from maskstudio.session.importing import carry_out, plan_import
    from maskstudio.storage.opening import open_project

    with ConsoleContext("Importing", progress) as context:
        source = open_source(path, context, of)
        with open_project(project) as database:
            _list_images(database)
            plan = plan_import(database, source, context)
            if dry_run:
                _say(context, plan.sentences())
                return
            if not plan.matched and not (images and any(one.embedded for one in plan.missing)):
                _refuse(plan)
            chosen = _destinations(plan, database.categories(), category or [])
            choices = ImportChoices(chosen, existing, other_size, state, images)
            report = carry_out(database, plan, choices, context)
            _say(context, report.sentences())


def _list_images(database: "ProjectDatabase") -> None:
    """Bring the images of the folder into the project, as opening it in the window does."""
    from maskstudio.storage.folder import list_images

    database.add_images(image.path for image in list_images(database.folder))


def _say(context: "TaskContext", sentences: tuple[str, ...]) -> None:
    for sentence in sentences:
        context.produce(sentence)


def _refuse(plan: ImportPlan) -> None:
    first = plan.missing[0].sentence() if plan.missing else "it lists none."
    raise UserError(
        f"{plan.source.path}: none of its images was found in the project, so nothing was taken "
        f"in; {first}"
    )


def _destinations(
    plan: ImportPlan, categories: "tuple[Category, ...]", wishes: list[str]
) -> tuple[Destination, ...]:
    """Return where each category goes: as proposed, but where somebody wishes otherwise.

    Raises:
        typer.BadParameter: a wish is no wish, or speaks of a category the data set does not have.
    """
    from maskstudio.annotation.category_map import IGNORED

    names = [one.name for one in plan.categories]
    chosen = list(plan.proposed())
    known = {one.name: one.id for one in categories}
    for wish in wishes:
        name, equals, goal = wish.partition("=")
        if not equals or not goal or name not in names:
            raise typer.BadParameter(
                f"{wish!r} is not NAME=NAME with the name of one of its categories: "
                f"{', '.join(names)}",
                param_hint="--category",
            )
        place = names.index(name)
        chosen[place] = IGNORED if goal == _LEAVE_OUT else known.get(goal, goal)
    return tuple(chosen)
