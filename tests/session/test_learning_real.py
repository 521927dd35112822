"""A real network, a very small one, learns on the lane as the program has it learn."""

from contextlib import suppress
from dataclasses import replace

import pytest
import torch

from maskstudio.annotation.annotation import Annotation, Category
from maskstudio.annotation.category_map import CategoryMap
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.edits import CategoryChange, Edit, ImageContent, add
from maskstudio.annotation.learning_names import LearningNames
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.app import load_predictor
from maskstudio.errors import CancelledError
from maskstudio.mask_rcnn.architectures import build, default_architecture
from maskstudio.mask_rcnn.model_file import ModelInfo, save_model
from maskstudio.progress import TaskContext
from maskstudio.session.learning_lane import LearningLane, Lesson
from maskstudio.session.model_lane import ImageTask, ModelHolder
from maskstudio.storage.opening import open_project
from support.pictures import write_picture

QUIET = TaskContext()
SIDE = 64
CELL, DOT = Category(1, "cell"), Category(2, "dot")
SQUARE = Segmentation.from_rings([(10, 10), (30, 10), (30, 30), (10, 30)])
LEARNED = "tiny + test"


class Brief(TaskContext):
    """Lets a few steps be made."""

    def __init__(self) -> None:
        self.asked = 0

    def raise_if_cancelled(self) -> None:
        self.asked += 1
        if self.asked > 20:
            raise CancelledError


@pytest.fixture
def tiny(tmp_path):
    """The file of a network of random weights that knows cells."""
    torch.manual_seed(0)
    small = {"fpn_channels": 16, "mask_channels": 8, "box_features": 32, "max_detections": 20}
    known = default_architecture("maskrcnn_resnet10t_fpn")
    architecture = replace(known, min_size=SIDE, max_size=2 * SIDE, **small)
    weights = build(architecture, categories=1).state_dict()
    path = tmp_path / "tiny.safetensors"
    save_model(path, ModelInfo("tiny", architecture, (CELL,)), weights)
    return str(path)


@pytest.fixture
def database(tmp_path):
    write_picture(tmp_path / "images" / "a.png", SIDE, SIDE)
    with open_project(tmp_path / "images") as opened:
        opened.add_images(["a.png"])
        yield opened


def names(*categories):
    return LearningNames(categories, CategoryMap("tiny"), CategoryMap(LEARNED))


def lesson(database, model, of, *, judged):
    task = ImageTask(1, database.folder / "a.png", database.folder, model)
    return Lesson(task, of, DetectionFilter(0.05), judged, in_use=False)


def put(database, category, annotation):
    (record,) = database.images()
    database.commit(Edit("Add", categories=(CategoryChange(None, category),)))
    standing = {a.id: a for a in database.annotations(record.id)}
    database.commit(add(ImageContent(record, standing), [annotation]))


def test_it_judges_learns_gets_a_category_more_saves_and_goes_on(database, tiny, tmp_path):
    put(database, CELL, Annotation(1, CELL.id, SQUARE))
    holder = ModelHolder(load_predictor)
    lane = LearningLane(holder, database, tiny, LEARNED)
    saved = tmp_path / "saved.safetensors"
    lane.begin(names(CELL), saved, QUIET)

    first = lane.teach(lesson(database, tiny, names(CELL), judged=True), QUIET)
    assert first.point is not None
    assert first.point.start_id == "tiny"
    assert first.point.start.objects == 1
    assert first.remembered == {1}
    assert first.due > 0
    assert first.learned is None
    with suppress(CancelledError):
        lane.learn(Brief())

    put(database, DOT, Annotation(2, DOT.id, SQUARE.translated(25, 0)))
    both = names(CELL, DOT)
    second = lane.teach(lesson(database, tiny, both, judged=False), QUIET)
    assert second.remembered == {1}
    assert [c.name for c in second.learned.categories] == ["cell", "dot"]
    lane.save(saved, LEARNED, QUIET)

    again = LearningLane(holder, database, tiny, LEARNED)
    begun = again.begin(both, saved, QUIET).progressed
    assert begun.remembered == {1}
    assert begun.due > 0
    assert begun.learned is not None
    assert begun.learned.model_id == LEARNED
    # What another predictor has seen of the image is understood.
    seen = holder.look(lesson(database, tiny, both, judged=False).task, QUIET)
    found = begun.learned.find(seen, QUIET)
    same = load_predictor(str(saved)).find(seen, QUIET)
    assert len(found) == len(same) > 0
    assert found.scores.tolist() == pytest.approx(same.scores.tolist(), abs=1e-4)
