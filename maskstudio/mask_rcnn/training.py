"""Train: put data, network, trainer and measuring together, and let them run."""

from dataclasses import replace
from pathlib import Path

from torchvision.models.detection import FasterRCNN

from maskstudio.formats.coco_reader import CocoFile, read_coco
from maskstudio.mask_rcnn.coco_dataset import CocoCrops
from maskstudio.mask_rcnn.device import Device
from maskstudio.mask_rcnn.trainer import Trainer
from maskstudio.mask_rcnn.training_job import Job
from maskstudio.mask_rcnn.training_run import Surroundings, TrainingRun
from maskstudio.mask_rcnn.training_start import start_model
from maskstudio.mask_rcnn.validation import Validator
from maskstudio.storage.training_events import Plan
from maskstudio.storage.training_runs import CHECKPOINT_NAME, rewind

# The first step is slower than the others; measuring takes about a tenth on top.
_STEPS_TIMED, _MEASURING = 3, 1.1


def train(job: Job, device: Device, around: Surroundings) -> bool:
    """Train from the run's checkpoint, or from the beginning where there is none.

    Args:
        job: what is trained on what.
        device: where.
        around: what the run has around it.

    Returns:
        False where it was left to go on another time.

    Raises:
        UserError: one sentence on what is wrong with the data, a model or a file, or what stopped
            the run.
    """
    goes_on = (around.folder / CHECKPOINT_NAME).exists()
    if goes_on:
        job.check_unchanged()
    coco, val = _data(job)
    crops = job.crops(coco)
    crops.check_images()
    trainer = _trainer(job, crops, device, around)
    validator = Validator(job.info, val, job.source.images, device) if val else None
    settings = job.settings
    run = TrainingRun(
        trainer, settings.iterations, settings.validate_every, job.info, validator, around
    )
    if goes_on:
        run.resume()
    elif around.world.leads:
        # Killed before its first checkpoint, it begins anew, and so does its log.
        rewind(around.folder, -1)
        around.say(job.plan(coco, val, device.name))
    return run.run()


def plan(job: Job, device: Device) -> Plan:
    """Say what would be done and, after trying a few steps, how long it would take.

    Raises:
        UserError: as `train`.
    """
    coco, val = _data(job)
    crops = job.crops(coco)
    crops.check_images()
    short = replace(job, settings=replace(job.settings, iterations=_STEPS_TIMED))
    trainer = Trainer(_network(short), crops, short.settings, device)
    *_, last = trainer.steps()
    seconds = last.seconds * job.settings.iterations * _MEASURING
    return replace(job.plan(coco, val, device.name), seconds=round(seconds))


def _data(job: Job) -> tuple[CocoFile, CocoFile | None]:
    val: Path | None = job.source.val
    return read_coco(job.source.annotations), read_coco(val) if val else None


def _trainer(job: Job, crops: CocoCrops, device: Device, around: Surroundings) -> Trainer:
    return Trainer(_network(job), crops, job.settings, device, around.world)


def _network(job: Job) -> FasterRCNN:
    return start_model(
        job.init,
        job.info.architecture,
        job.info.categories,
        job.backbone_weights,
        job.settings.seed,
    )
