"""A large image is looked at in tiles: foreseen, followed, given up, never twice for nothing."""

import pytest

from maskstudio.annotation.segmentation import Segmentation
from maskstudio.annotation.tiling import Sight, TileChoice
from maskstudio.errors import UserError
from maskstudio.session import operations
from maskstudio.session.tasks import Callbacks, LaneName
from maskstudio.storage.detections import read_detections
from support.fakes import disc_detections

# `a.png` has 80 by 100 pixels: four by three tiles of 32 that share 8.
TILES = 12


@pytest.fixture
def studio(studio):
    """The model finds one small disc in all it is given, so one in each tile."""
    studio.model.sight = Sight(32, 64, 4)
    studio.model.detect = lambda size: disc_detections(size, [(12, 12, 20, 20)], [0.9])
    return studio


def kept(studio, name="a.png"):
    folder = studio.session.require_database().folder
    return read_detections(folder, studio.image(name))


def begin(studio, looks):
    """Run the model on the image until it has looked so many times, and is at the next."""
    studio.model.hold.set()
    studio.annotator.run_current()
    studio.model.let_through(looks)
    studio.until(lambda: len(studio.model.calls) == looks + 1)


def test_what_is_too_small_in_the_whole_is_found_in_tiles_and_one_undo_takes_it_back(studio):
    report = studio.predict_image()
    assert report.done == 1
    assert studio.model.calls == [(80, 100)] + [(32, 32)] * TILES
    assert len(studio.on("a.png")) == TILES
    assert kept(studio).tiles == TILES
    studio.session.undo()
    assert studio.on("a.png") == {}


def test_where_a_device_takes_several_at_a_time_it_gets_them(studio):
    studio.model.batch = 5
    together = []
    one_by_one = studio.model.predict_many

    def predict_many(images, context):
        together.append(len(images))
        return one_by_one(images, context)

    studio.model.predict_many = predict_many
    studio.predict_image()
    assert together == [5, 5, 2]
    assert len(studio.on("a.png")) == TILES


def test_never_is_kept_with_the_project(studio, folder):
    studio.annotator.tiles.choose(TileChoice.NEVER)
    studio.session.close()
    studio.open(folder)
    assert studio.annotator.tiles.tiling.choice is TileChoice.NEVER
    studio.predict_image()
    assert len(studio.on("a.png")) == 1
    assert kept(studio).tiles == 0


def test_it_is_foreseen_once_the_model_is_known(studio):
    assert studio.annotator.estimate() is None
    studio.predict_image()
    foreseen = studio.annotator.estimate()
    assert (foreseen.tiles, foreseen.certain) == (TILES, False)
    assert foreseen.seconds is not None
    studio.annotator.tiles.choose(TileChoice.ALWAYS)
    assert studio.annotator.estimate().certain
    studio.annotator.tiles.choose(TileChoice.NEVER)
    assert studio.annotator.estimate() is None
    assert studio.annotator.possible_tiles == TILES


def test_the_tiles_done_are_told(studio):
    begin(studio, 4)
    progress = studio.annotator.progress()
    assert (progress.parts_done, progress.parts) == (3, TILES)
    assert progress.note == "tile 4 of 12"
    assert progress.seconds_left is not None
    studio.model.release.set()
    studio.until(lambda: not studio.annotator.running)


def test_the_whole_image_instead_looks_at_nothing_again(studio):
    studio.predict_image()
    studio.session.undo()
    studio.model.calls.clear()
    studio.annotator.tiles.choose(TileChoice.ALWAYS)
    # What the model saw of the whole image is still there: the first look is at a tile.
    begin(studio, 2)
    assert studio.annotator.may_run_whole
    studio.annotator.run_whole()
    assert not studio.annotator.may_run_whole
    studio.until(lambda: not studio.annotator.running)
    assert len(studio.on("a.png")) == 1
    assert kept(studio).tiles == 0
    assert studio.model.calls == [(32, 32)] * 3
    assert studio.reports[-1].done == 1


def test_a_cancel_between_tiles_leaves_everything_as_it_was(studio):
    begin(studio, 5)
    studio.annotator.cancel()
    studio.until(lambda: not studio.annotator.running)
    assert studio.reports[-1].cancelled
    assert studio.on("a.png") == {}
    assert kept(studio) is None


def test_what_a_person_asks_meanwhile_is_not_kept_waiting(studio):
    begin(studio, 2)
    answered = []
    studio.tasks.submit(LaneName.MODEL, lambda _: True, Callbacks(answered.append))
    studio.until(lambda: answered)
    assert studio.annotator.running
    studio.model.release.set()
    studio.until(lambda: not studio.annotator.running)
    assert len(studio.on("a.png")) == TILES


def test_a_folder_takes_what_was_kept_as_long_as_it_is_what_is_wanted(studio):
    studio.annotator.tiles.choose(TileChoice.NEVER)
    studio.predict_folder()
    studio.annotator.tiles.choose(TileChoice.ALWAYS)
    studio.predict_folder()
    assert kept(studio).tiles == TILES
    studio.model.calls.clear()
    studio.annotator.tiles.choose(TileChoice.AUTO)
    studio.predict_folder()
    assert studio.model.calls == []
    assert len(studio.on("a.png")) == TILES


def test_what_a_person_drew_tells_that_the_whole_is_good_enough(studio):
    for n in range(10):
        corners = [(n, 40), (n + 30, 40), (n + 30, 70), (n, 70)]
        operations.draw(studio.session, Segmentation.from_rings(corners), None)
    studio.show("b.png")
    studio.until(lambda: studio.annotator.tiles.tiling.small is not None)
    assert studio.annotator.tiles.tiling.small == pytest.approx(30)
    studio.show("a.png")
    studio.predict_image()
    # 30 pixels are 12 in the whole image, and the model sees 4.
    assert kept(studio).tiles == 0


def test_a_model_that_fails_on_a_tile_fails_on_the_image_and_lives_on(studio):
    well = studio.model.detect

    def fails(size):
        if size == (32, 32):
            raise UserError("The GPU has too little memory.")
        return well(size)

    studio.model.detect = fails
    report = studio.predict_image()
    assert [failure.sentence for failure in report.failed] == ["The GPU has too little memory."]
    assert kept(studio) is None
    studio.model.detect = well
    studio.predict_image()
    assert len(studio.on("a.png")) == TILES


def test_a_thousand_instances_of_one_image_are_one_undo(studio):
    boxes = [(x, y, x + 2, y + 2) for x in range(1, 29, 3) for y in range(1, 29, 3)]
    studio.model.detect = lambda size: disc_detections(size, boxes, [0.9] * len(boxes))
    studio.predict_image()
    found = studio.on("a.png")
    assert len(found) > 800
    assert len(kept(studio)) == len(found)
    studio.session.undo()
    assert studio.on("a.png") == {}
    studio.session.redo()
    assert set(studio.on("a.png")) == set(found)
