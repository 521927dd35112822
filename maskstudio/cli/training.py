"""The command `train`."""

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from maskstudio.cli.console import (
    ConsoleContext,
    DeviceName,
    ProgressOption,
    ProgressStyle,
    check_folders,
)
from maskstudio.errors import UserError
from maskstudio.mask_rcnn.settings import Augmentation
from maskstudio.storage.places import has_project

if TYPE_CHECKING:
    from maskstudio.cli.speaking import Speaker
    from maskstudio.mask_rcnn.device import Device
    from maskstudio.mask_rcnn.training_job import Job, Source, Wanted
    from maskstudio.mask_rcnn.world import World


@dataclass(frozen=True)
class _Asked:
    """What was asked for with options; see `train`."""

    project: Path | None
    annotations: Path | None
    images: Path | None
    val: Path | None
    init: str
    name: str
    output: Path | None
    run: Path | None
    backbone_weights: Path | None
    licence: str

    def check(self) -> None:
        """Refuse options that do not go together.

        Raises:
            BadParameter: they do not.
        """
        if (self.project is None) == (self.annotations is None):
            raise typer.BadParameter("Give --project, or --annotations with --images.")
        if self.annotations is not None and self.images is None:
            raise typer.BadParameter("--annotations needs --images.")
        if self.project is not None and (self.images or self.val):
            raise typer.BadParameter("--images and --val go with --annotations.")
        if self.name and self.output:
            raise typer.BadParameter("Give --name or --output, not both.")


def train(
    project: Annotated[
        Path | None, typer.Option(help="Folder of images whose verified ones are learned from.")
    ] = None,
    annotations: Annotated[
        Path | None, typer.Option(help="COCO file to learn from, in place of a project.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder the COCO files' file names are relative to.")
    ] = None,
    val: Annotated[
        Path | None, typer.Option(help="COCO file to measure on; the best there is kept.")
    ] = None,
    init: Annotated[
        str, typer.Option(help="Start from this model, or from an architecture's name.")
    ] = "nuclei",
    name: Annotated[
        str, typer.Option(help="Name of the new model, which goes into the models folder.")
    ] = "",
    output: Annotated[
        Path | None, typer.Option(help="Write the model to this .safetensors file instead.")
    ] = None,
    run_folder: Annotated[
        Path | None, typer.Option(help="Folder for checkpoint and log; made anew.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with the run in this folder; no other options.")
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only say what would be done, and how long it takes.")
    ] = False,
    iterations: Annotated[int | None, typer.Option(min=1, help="Steps.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Views in a step.")] = None,
    crop: Annotated[int | None, typer.Option(min=64, help="Side of a view, in pixels.")] = None,
    input_size: Annotated[
        int | None, typer.Option(min=64, help="Shorter side of an image for the network.")
    ] = None,
    anchors: Annotated[
        str, typer.Option(help="Sides of the anchors of each level, like 8,16,32,64,128.")
    ] = "",
    learning_rate: Annotated[float | None, typer.Option(min=0.0)] = None,
    augmentation: Annotated[
        Augmentation | None,
        typer.Option(help="photo: upright scenes; microscopy: no way is up."),
    ] = None,
    copy_paste: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Share of views that get objects of other images."),
    ] = None,
    validate_every: Annotated[
        int | None, typer.Option(min=1, help="Steps between two measurements.")
    ] = None,
    seed: Annotated[int | None, typer.Option()] = None,
    backbone_weights: Annotated[
        Path | None, typer.Option(help="A classifier's weights (.pth) for a fresh backbone.")
    ] = None,
    licence: Annotated[str, typer.Option(help="Licence of the weights, noted in the model.")] = "",
    device: DeviceName = "auto",
    control: Annotated[
        bool, typer.Option("--control", help="Take pause, resume and stop from standard input.")
    ] = False,
    progress: ProgressOption = ProgressStyle.BAR,
) -> None:
    """Train a model on the verified images of a project, or on a COCO file.

    What is not given is chosen from the data. Ctrl+C keeps the run, to go on with --resume.
    """
    from maskstudio.cli.speaking import Speaker
    from maskstudio.mask_rcnn.training_job import Wanted
    from maskstudio.mask_rcnn.world import join, part

    asked = _Asked(
        project, annotations, images, val, init, name, output, run_folder, backbone_weights, licence
    )
    wanted = Wanted(
        iterations,
        batch_size,
        crop,
        input_size,
        _anchors(anchors),
        learning_rate,
        augmentation,
        copy_paste,
        validate_every,
        seed,
    )
    if not resume:
        asked.check()
    world, chosen = join(device)
    try:
        with ConsoleContext("Training", progress) as context:
            speaker = Speaker(context, progress)
            if plan:
                _say_plan(asked, wanted, chosen, speaker)
                return
            folder = resume or (_begun(asked, wanted) if world.leads else Path())
            _go_on(world.agreed(folder), chosen, world, speaker, context, listen=control)
    finally:
        part()


def _say_plan(asked: _Asked, wanted: "Wanted", device: "Device", speaker: "Speaker") -> None:
    from maskstudio.mask_rcnn.training import plan

    with TemporaryDirectory() as folder:
        source = _source(asked, Path(folder), for_good=False)
        speaker.say(plan(_job(asked, wanted, source, _target(asked)), device))


def _begun(asked: _Asked, wanted: "Wanted") -> Path:
    """Make the folder of a new run, with all that it is about in it."""
    from maskstudio.storage.training_runs import make_run_folder, runs_folder, write_settings

    target = _target(asked)
    check_folders(asked.run, target)
    usual = target.with_name(f"{target.stem}-training")
    if asked.project is not None:
        usual = runs_folder(asked.project) / target.stem
    if asked.run and asked.run.exists():
        raise UserError(f"{asked.run} is there already; go on with --resume, or give another.")
    folder = make_run_folder((asked.run or usual).absolute())
    try:
        source = _source(asked, folder, for_good=True)
        write_settings(folder, _job(asked, wanted, source, target).to_json())
    except BaseException:
        rmtree(folder)  # It was made a moment ago, and nothing has been learned.
        raise
    return folder


def _go_on(
    folder: Path,
    device: "Device",
    world: "World",
    speaker: "Speaker",
    context: ConsoleContext,
    *,
    listen: bool,
) -> None:
    """Train until the end or until a person has had enough.

    Raises:
        UserError: as `training.train`; it has been said as an event too.
    """
    from maskstudio.cli.control import Control, standard_input
    from maskstudio.mask_rcnn.training import train as run
    from maskstudio.mask_rcnn.training_job import Job
    from maskstudio.mask_rcnn.training_run import Surroundings
    from maskstudio.storage.training_events import RunState, StateChange
    from maskstudio.storage.training_runs import holding, read_settings

    job = Job.from_json(read_settings(folder))
    control = Control()
    if listen and world.leads:
        control.listen(standard_input())
    say = speaker.noting(folder)
    around = Surroundings(folder, job.output, say, control.wish, world, context)
    with holding(folder) if world.leads else nullcontext(), control.signals():
        try:
            run(job, device, around)
        except UserError as error:
            if world.leads:
                say(StateChange(RunState.FAILED, str(error)))
            raise


def _job(asked: _Asked, wanted: "Wanted", source: "Source", target: Path) -> "Job":
    from maskstudio.mask_rcnn.training_job import prepare

    return prepare(
        source,
        asked.init,
        target,
        wanted,
        licence=asked.licence,
        backbone_weights=asked.backbone_weights,
    )


def _target(asked: _Asked) -> Path:
    """Return the file of the model that is to come.

    Raises:
        UserError: it is there already, or has no name.
    """
    from maskstudio.storage.model_folder import check_new_name, free_name, model_file, models_dir

    if asked.output is not None:
        if asked.output.exists():
            raise UserError(f"{asked.output} is there already and stays; give another name.")
        return asked.output
    if not asked.name and asked.project is None:
        raise UserError("The model needs a name: give --name or --output.")
    if asked.name:
        check_new_name(asked.name)
    models_dir().mkdir(parents=True, exist_ok=True)
    return model_file(asked.name or free_name(Path(asked.project or ".").absolute().name))


def _source(asked: _Asked, folder: Path, *, for_good: bool) -> "Source":
    """Return the data; that of a project is written to a folder as it is now."""
    from maskstudio.mask_rcnn.training_job import Source
    from maskstudio.progress import TaskContext
    from maskstudio.session.training_set import freeze_parts, write_training_files
    from maskstudio.storage.opening import ProjectLockedError, open_project

    if asked.annotations is not None and asked.images is not None:
        return Source(asked.annotations, asked.images, asked.val)
    project = asked.project or Path()
    context = TaskContext()
    try:
        database = open_project(project, read_only=not (for_good and has_project(project)))
    except ProjectLockedError:
        # The window has it: what is stored can still be read.
        database = open_project(project, read_only=True)
    with database:
        if for_good:
            freeze_parts(database, context)
        files = write_training_files(database, folder, context)
    return Source(files.train, files.images, files.val)


def _anchors(text: str) -> tuple[int, ...] | None:
    """Read the sides of anchors.

    Raises:
        BadParameter: they are none.
    """
    if not text:
        return None
    try:
        sides = tuple(int(side) for side in text.split(","))
    except ValueError:
        sides = (0,)
    if min(sides) < 1:
        raise typer.BadParameter(f"{text!r} is no list of sizes; write them like 8,16,32,64,128.")
    return sides
