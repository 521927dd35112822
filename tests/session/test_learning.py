"""The model learns from verified images, and what it learned runs only while it is better."""

import pytest

from maskstudio.annotation.annotation import Category, ImageState
from maskstudio.annotation.edits import CategoryChange, Edit
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.session import operations
from maskstudio.session.splitting import Split, remember
from maskstudio.storage.model_folder import model_file
from support.fakes import disc_detections
from support.learners import STEPS
from support.taught import Labeler, many_discs, one_disc, pictures, write_pictures

CORNER = Segmentation.from_rings([(70, 50), (90, 50), (90, 70)])


@pytest.fixture
def begin(qtbot, tmp_path):
    """Return what puts somebody in front of the first picture, with a model that learns."""
    made = []
    folder = write_pictures(tmp_path / "many")

    def start(*, read_only=False, after=one_disc):
        made.append(Labeler(qtbot, after))
        made[-1].open(folder, read_only=read_only)
        return made[-1]

    yield start
    for labeler in made:
        labeler.close()


@pytest.fixture
def labeler(begin):
    return begin()


def curve(studio):
    """What was kept of the curve of what was judged, once it is written."""
    written = studio.session.require_database().learning_curve
    expected = studio.learning.state.comparison.images
    studio.until(lambda: sum(p.learned is not None and p.counts for p in written()) >= expected)
    return {p.image_id: p for p in written()}


# What it learns from


def test_a_verified_image_is_judged_first_and_learned_from_after(labeler):
    labeler.finish("0.png")
    (learner,) = labeler.model.learners
    assert learner.taught == [labeler.image("0.png")]
    assert [t.category for t in learner.truths[labeler.image("0.png")]] == ["cell"]
    assert learner.steps == STEPS
    labeler.until(lambda: labeler.session.require_database().learning_curve())
    (point,) = labeler.session.require_database().learning_curve()
    assert (point.start.accepted, point.start.deleted) == (1, 1)
    assert point.learned is None
    assert (point.start_id, point.shown_id) == ("fake", "fake")


def test_an_image_verified_empty_is_learned_from_too(labeler):
    labeler.finish("0.png", keep=0)
    assert labeler.state("0.png") is ImageState.EMPTY
    assert labeler.model.learners[0].truths == {labeler.image("0.png"): []}


def test_an_image_drawn_by_hand_is_judged_by_what_the_model_would_have_found(labeler):
    operations.draw(labeler.session, CORNER, None)
    operations.verify(labeler.session)
    labeler.rest()
    labeler.until(lambda: labeler.session.require_database().learning_curve())
    (point,) = labeler.session.require_database().learning_curve()
    assert point.start.deleted == 2
    assert point.start.objects == 1


def test_what_is_changed_on_a_verified_image_is_learned_but_not_judged_again(labeler):
    labeler.finish("0.png")
    labeler.until(lambda: curve(labeler))
    first = curve(labeler)
    operations.draw(labeler.session, CORNER, None)
    labeler.rest()
    image = labeler.image("0.png")
    assert labeler.model.learners[0].taught == [image, image]
    assert len(labeler.model.learners[0].truths[image]) == 2
    assert curve(labeler) == first


def test_taking_back_that_an_image_is_verified_forgets_it(labeler):
    labeler.finish("0.png", "1.png")
    labeler.show("1.png")
    assert labeler.session.undo().title == "Verify image"
    labeler.rest()
    assert labeler.model.learners[0].remembered == {labeler.image("0.png")}
    # It was learned from: whatever the person does now, it is no test of the model any more.
    database = labeler.session.require_database()
    labeler.until(lambda: [p.counts for p in database.learning_curve()] == [True, False])
    operations.verify(labeler.session)
    labeler.rest()
    assert [p.counts for p in database.learning_curve()] == [True, False]
    assert labeler.model.learners[0].remembered == set(map(labeler.image, pictures(2)))


def test_images_verified_before_are_gone_through_when_it_begins(begin):
    before = begin()
    before.learning.switch(on=False)
    before.finish(*pictures(3))
    assert before.model.learners == []
    before.close()

    studio = begin()
    assert not studio.learning.on
    studio.learning.switch(on=True)
    studio.rest()
    assert studio.model.learners[0].taught == list(map(studio.image, pictures(3)))
    studio.until(lambda: len(curve(studio)) == 3)


def test_an_image_that_models_are_measured_on_is_judged_and_never_learned_from(begin):
    first = begin()
    first.finish(*pictures(2))
    parts = {
        first.image("0.png"): "train",
        first.image("1.png"): "val",
        first.image("2.png"): "val",
    }
    remember(first.session.require_database(), Split(parts))
    first.finish("2.png")
    (learner,) = first.model.learners
    assert learner.remembered == set(map(first.image, pictures(2)))
    database = first.session.require_database()
    first.until(lambda: len(database.learning_curve()) == 3)
    first.close()
    # What was learned from before it was kept apart is let go of.
    again = begin()
    again.rest()
    assert again.model.learners[0].remembered == {again.image("0.png")}


def test_a_category_that_the_model_does_not_know_becomes_one_of_what_it_learned(labeler):
    labeler.finish("0.png")
    labeler.show("1.png")
    session = labeler.session
    dot = Category(session.require_database().next_category_id(), "dot")
    session.edit(Edit("Add category", categories=(CategoryChange(None, dot),)))
    operations.draw(session, CORNER, dot.id)
    operations.verify(session)
    labeler.rest()
    learner = labeler.model.learners[-1]
    assert [c.name for c in learner.categories] == ["cell", "dot"]
    assert [t.category for t in learner.truths[labeler.image("1.png")]] == ["dot"]
    # What was learned before went along.
    assert len(labeler.model.learners) == 2
    assert learner.steps > STEPS


# When it runs


def test_what_was_learned_runs_once_it_left_less_to_do_on_three_images(labeler):
    labeler.finish(*pictures(4))
    assert not labeler.learning.in_use
    # The first two were learned from before anything could be judged.
    assert labeler.learning.state.comparison.images == 2
    labeler.finish("4.png")
    assert labeler.learning.in_use
    assert labeler.annotator.model_name == "fake"
    assert labeler.annotator.model.model_id == "fake + many"
    comparison = labeler.learning.state.comparison
    assert (comparison.start, comparison.learned, comparison.saved) == (6, 0, 1.0)
    labeler.show("5.png")
    labeler.predict_image()
    (found,) = labeler.on("5.png").values()
    assert found.model_id == "fake + many"
    assert not labeler.annotator.undecided


def test_what_was_learned_does_not_run_while_it_is_no_better(begin):
    studio = begin(after=lambda size, i, known: disc_detections(size, model_id=i, categories=known))
    studio.finish(*pictures(7))
    assert studio.learning.state.comparison.images == 5
    assert not studio.learning.in_use
    assert not model_file("fake + many").exists()


def test_what_gets_worse_goes_again(labeler):
    labeler.finish(*pictures(5))
    assert labeler.learning.in_use
    labeler.model.after = many_discs
    labeler.finish("5.png", "6.png")
    assert not labeler.learning.in_use
    assert labeler.annotator.model.model_id == "fake"
    labeler.show("7.png")
    labeler.predict_image()
    assert {a.model_id for a in labeler.on("7.png").values()} == {"fake"}


def test_rules_of_the_category_map_count_for_what_was_learned(labeler):
    labeler.finish(*pictures(5))
    (cell,) = labeler.session.categories
    map_ = labeler.session.category_maps.of("fake + many")
    assert map_.rule("cell").category_id == cell.id


def test_back_to_the_start_model_lasts_until_it_is_switched_on(labeler):
    labeler.finish(*pictures(5))
    labeler.learning.back_to_start()
    labeler.rest()
    assert not labeler.learning.on
    assert labeler.annotator.model.model_id == "fake"
    labeler.finish("5.png")
    assert len(labeler.model.learners[0].taught) == 5
    labeler.learning.switch(on=True)
    labeler.rest()
    assert labeler.learning.in_use


def test_switched_off_it_learns_no_more_and_what_was_learned_stays(labeler):
    labeler.finish(*pictures(5))
    labeler.learning.switch(on=False)
    labeler.finish("5.png")
    assert len(labeler.model.learners[0].taught) == 5
    assert labeler.learning.in_use


def test_another_project_begins_with_the_model_itself(labeler, folder):
    labeler.finish(*pictures(5))
    labeler.open(folder)
    assert not labeler.learning.in_use
    assert labeler.annotator.model.model_id == "fake"
    labeler.predict_image()
    assert {a.model_id for a in labeler.on("a.png").values()} == {"fake"}
