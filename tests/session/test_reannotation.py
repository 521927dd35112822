"""Another model predicts again what nobody has touched, and what was before can be looked at."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QObject

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation, ImageState
from maskstudio.annotation.edits import AnnotationChange, Edit
from maskstudio.errors import UserError
from maskstudio.session import operations
from maskstudio.session.model_store import ModelReading, ModelStore
from maskstudio.session.past import PastFinding
from maskstudio.session.reannotation import Reannotation
from support.fakes import FakePredictor, disc_detections

OLD, NEW = "fake", "better"
# The first as before, the second elsewhere, none of the third, one where nothing was.
NEW_BOXES = ((10, 10, 30, 30), (44, 10, 64, 30), (40, 40, 60, 60))


def read_nothing(*_):
    raise AssertionError("no file is read here")


@pytest.fixture
def models():
    made = {OLD: FakePredictor(OLD), NEW: FakePredictor(NEW)}
    made[NEW].detect = lambda size: disc_detections(size, NEW_BOXES, (0.9, 0.8, 0.7), NEW)
    return made


@pytest.fixture
def studio(make_studio, models, folder):
    def load(name):
        if name not in models:
            raise UserError(f"There is no model {name!r}.")
        return models[name]

    made = make_studio(load)
    made.open(folder)
    made.predict_folder()
    return made


@pytest.fixture
def store(studio):
    made = ModelStore(studio.tasks, ModelReading(read_nothing, read_nothing, read_nothing))
    made.chosen.connect(studio.annotator.use_model)
    return made


@pytest.fixture
def again(studio, store):
    return Reannotation(studio.session, studio.annotator, store, studio.session)


def promote(studio, again, *, predict=True):
    runs = len(studio.reports)
    again.promote(NEW, again=predict)
    studio.until(lambda: studio.annotator.model_name == NEW)
    if predict:
        studio.until(lambda: len(studio.reports) > runs)


def found_by(studio, name):
    return {a.model_id for a in studio.on(name).values()}


def test_what_nobody_touched_is_predicted_again_by_the_new_model(studio, again):
    promote(studio, again)
    for name in ("a.png", "b.png", "sub/c.png"):
        assert found_by(studio, name) == {NEW}
        assert studio.state(name) is ImageState.PREDICTED
    assert studio.reports[-1].done == 3


def test_verified_images_and_a_persons_annotations_stay(studio, again):
    session = studio.session
    drawn = Annotation(
        next(session.require_database().take_annotation_ids()),
        session.categories[0].id,
        None,
        (70, 50, 90, 70),
    )
    assert session.edit(edits.add(session.content(session.current.id), [drawn]))
    mine, moved = studio.by_score("a.png")[:2]
    changed = replace(moved, note="mine")
    session.edit(edits.change(session.content(session.current.id), [changed], "Note"))
    studio.show("b.png")
    assert operations.verify(session)
    verified = studio.on("b.png")
    promote(studio, again)
    there = studio.on("a.png")
    assert there[drawn.id] == drawn
    assert there[moved.id].note == "mine"
    assert mine.id not in there
    assert studio.on("b.png") == verified
    assert studio.state("b.png") is ImageState.VERIFIED
    assert studio.reports[-1].total == 2


def test_an_edited_image_with_nothing_left_to_predict_is_left_out(studio, again):
    everything = studio.on("a.png").values()
    content = studio.session.content(studio.image("a.png"))
    accepted = [
        AnnotationChange(content.record.id, a, replace(a, touched=True)) for a in everything
    ]
    state = edits.set_state(content, ImageState.EDITED, "Accept")
    assert studio.session.edit(replace(state, annotations=tuple(accepted)))
    assert [studio.session.record(i).path for i in again.images()] == ["b.png", "sub/c.png"]


def test_without_predicting_again_all_stays(studio, again):
    promote(studio, again, predict=False)
    studio.idle()
    assert found_by(studio, "b.png") == {OLD}


def test_a_model_that_cannot_be_loaded_predicts_nothing_again_nor_does_another_later(studio, again):
    again.promote("nowhere", again=True)
    studio.until(lambda: studio.problems)
    studio.idle()
    studio.annotator.use_model(NEW)
    studio.until(lambda: studio.annotator.model_name == NEW)
    assert len(studio.reports) == 1
    assert found_by(studio, "b.png") == {OLD}


@pytest.fixture
def past(studio):
    finding = PastFinding(studio.session, studio.tasks, QObject(studio.session))
    finding.told = []
    finding.found.connect(finding.told.append)
    finding.stepped.connect(finding.told.append)
    return finding


def look(studio, past):
    before = len(past.told)
    past.look()
    studio.until(lambda: len(past.told) > before)
    return past.told[-1]


def step(studio, past, by=1):
    before = len(past.told)
    past.step(by)
    studio.until(lambda: len(past.told) > before)
    return past.told[-1]


def test_after_one_model_there_is_nothing_before(studio, past):
    assert look(studio, past) is None
    assert step(studio, past) is None


def test_the_past_is_what_the_model_before_found(studio, again, past):
    before = studio.on("a.png")
    promote(studio, again)
    told = look(studio, past)
    assert told.annotations == before
    assert told.models == (OLD,)
    assert told.differences.words == "1 new, 1 changed"


def test_the_past_survives_a_restart(studio, again, past, folder):
    before = studio.on("a.png")
    promote(studio, again)
    studio.session.close()
    studio.open(folder)
    assert look(studio, past).annotations == before


def test_a_third_run_of_the_same_model_leaves_the_past_as_it_was(studio, again, past, models):
    before = studio.on("a.png")
    promote(studio, again)
    models[NEW].detect = lambda size: disc_detections(size, ((0, 0, 9, 9),), (0.9,), NEW)
    studio.annotator.run_current()
    studio.until(lambda: len(studio.on("a.png")) == 1)
    assert look(studio, past).annotations == before


def test_what_was_taken_back_is_no_past(studio, past):
    studio.annotator.use_model(NEW)
    studio.until(lambda: studio.annotator.model_name == NEW)
    studio.predict_image()
    assert look(studio, past) is not None
    studio.session.undo()
    assert look(studio, past) is None


def test_the_way_leads_through_what_changed_and_is_not_verified(studio, again, past):
    promote(studio, again)
    assert studio.session.record(step(studio, past).image_id).path == "b.png"
    studio.show("b.png")
    operations.verify(studio.session)
    studio.show("a.png")
    assert studio.session.record(step(studio, past).image_id).path == "sub/c.png"
    studio.show("sub/c.png")
    assert step(studio, past) is None
    assert studio.session.record(step(studio, past, -1).image_id).path == "a.png"


def test_images_on_which_nobody_could_see_a_difference_are_passed_over(studio, again, past, models):
    models[NEW].detect = lambda size: disc_detections(size, model_id=NEW)
    promote(studio, again)
    assert found_by(studio, "b.png") == {NEW}
    assert step(studio, past) is None
    assert not look(studio, past).differences


def test_a_person_who_only_drew_is_no_model(studio, past):
    content = studio.session.content(studio.image("a.png"))
    studio.session.edit(
        Edit("", "import:x", (), edits.set_state(content, ImageState.EDITED, "").images)
    )
    assert look(studio, past) is None
