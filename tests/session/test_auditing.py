"""The model is asked about verified images; where it disagrees stands among the findings."""

import pytest

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.findings import FindingKind
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.session import operations
from maskstudio.session.auditing import Auditing
from maskstudio.session.quality import Quality
from maskstudio.storage.detections import OPINIONS, read_detections
from support.fakes import disc_detections
from support.studio import Studio

AUDITED = (FindingKind.MISSED, FindingKind.SLOPPY, FindingKind.OTHER_CATEGORY)


@pytest.fixture
def quality(studio: Studio) -> Quality:
    made = Quality(studio.session, studio.tasks)
    made.watched = True
    return made


@pytest.fixture
def auditing(studio: Studio, quality: Quality) -> Auditing:
    """On `a.png` one of the two discs that the model found was deleted, and it was verified."""
    studio.predict_image()
    session = studio.session
    _, other = sorted(session.annotations)
    session.select([other])
    operations.delete_selected(session)
    operations.verify(session)
    return Auditing(session, studio.tasks, studio.annotator, studio.filtering, quality)


def ask(studio: Studio, auditing: Auditing, quality: Quality) -> None:
    auditing.start()
    assert auditing.running
    studio.until(lambda: not auditing.running and quality.checked and not quality.running)
    studio.until(lambda: listed(quality) is not None)


def listed(quality: Quality) -> list[FindingKind]:
    return [one.kind for one in quality.findings if one.kind in AUDITED]


def test_nothing_is_asked_before_something_is_verified(studio, quality):
    auditing = Auditing(studio.session, studio.tasks, studio.annotator, studio.filtering, quality)
    auditing.start()
    assert not auditing.running
    assert studio.problems == ["No image is verified yet; verify some, then ask the model."]


def test_what_was_accepted_is_right_and_what_was_missed_is_listed(studio, auditing, quality):
    # What a person deleted by hand is not held against her.
    ask(studio, auditing, quality)
    assert listed(quality) == []
    studio.model.model_id = "another"
    studio.model.detect = lambda size: disc_detections(
        size, [(10, 10, 30, 30), (60, 40, 90, 70)], (0.95, 0.9), "another"
    )
    ask(studio, auditing, quality)
    studio.until(lambda: listed(quality) == [FindingKind.MISSED])
    (finding,) = (one for one in quality.findings if one.kind is FindingKind.MISSED)
    assert finding.image_id == studio.image("a.png")
    assert finding.box == (60, 40, 90, 70)


def test_what_the_model_thinks_now_leaves_what_it_found_then(studio, auditing, quality):
    image_id, folder = studio.image("a.png"), studio.session.folder
    before = read_detections(folder, image_id)
    studio.model.model_id = "another"
    studio.model.detect = lambda size: disc_detections(size, model_id="another")
    ask(studio, auditing, quality)
    after = read_detections(folder, image_id)
    assert (before.model_id, after.model_id) == ("fake", "fake")
    assert read_detections(folder, image_id, cache=OPINIONS).model_id == "another"


def test_what_the_model_thought_before_it_learned_counts_no_more(studio, auditing, quality):
    ask(studio, auditing, quality)
    calls = len(studio.model.calls)
    ask(studio, auditing, quality)
    assert len(studio.model.calls) == calls
    both = [(10.0, 10.0, 30.0, 30.0), (60.0, 40.0, 90.0, 70.0)]
    studio.model.detect = lambda size: disc_detections(size, both, (0.95, 0.9))
    studio.annotator.model_renewed.emit()
    ask(studio, auditing, quality)
    studio.until(lambda: listed(quality) == [FindingKind.MISSED])


def test_a_miss_that_is_drawn_is_a_miss_no_more_and_undo_brings_it_back(studio, auditing, quality):
    studio.model.model_id = "another"
    box = (60.0, 40.0, 90.0, 70.0)
    studio.model.detect = lambda size: disc_detections(size, [box], (0.95,), "another")
    ask(studio, auditing, quality)
    studio.until(lambda: listed(quality) == [FindingKind.MISSED])
    drawn = Segmentation.from_rings([(60, 40), (90, 40), (90, 70), (60, 70)])
    assert operations.draw(studio.session, drawn, None)
    assert studio.state("a.png") is ImageState.VERIFIED
    studio.until(lambda: FindingKind.MISSED not in listed(quality))
    studio.session.undo()
    studio.until(lambda: listed(quality) == [FindingKind.MISSED])
    # Said to be right it stays so after another check.
    quality.set_ignored([f for f in quality.findings if f.kind in AUDITED], ignored=True)
    quality.start()
    studio.until(lambda: not quality.running)
    assert listed(quality) == []


def test_it_can_be_stopped_and_an_image_that_cannot_be_read_is_counted(studio, auditing, quality):
    studio.show("b.png")
    operations.verify(studio.session)
    studio.model.hold.set()
    studio.model.started.clear()
    auditing.start()
    studio.until(studio.model.started.is_set)
    auditing.cancel()
    studio.until(lambda: not auditing.running)
    studio.model.hold.clear()
    (studio.session.folder / "b.png").write_bytes(b"no image")
    auditing.start()
    studio.until(lambda: not auditing.running)
    assert (auditing.asked, auditing.failed) == (2, 1)
