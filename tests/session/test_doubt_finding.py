"""Doubtful places are found for what no person has decided, and found again when that changes."""

from dataclasses import replace

import numpy as np
import pytest

from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.session import operations
from maskstudio.session.doubt_finding import DoubtFinding
from support.fakes import disc_detections


@pytest.fixture
def finding(studio):
    """What finds doubt on an image with three discs, all of which fade slowly."""
    y, x = np.mgrid[:28, :28] - 13.5
    fading = np.clip(255 * (1 - np.hypot(x, y) / 20), 0, 255).astype(np.uint8)

    def detect(size):
        found = disc_detections(size)
        return replace(found, roi_masks=np.repeat(fading[None], 3, axis=0))

    studio.model.detect = detect
    made = DoubtFinding(studio.session, studio.tasks, studio.filtering, studio.session)
    studio.predict_image()
    return made


def doubted(finding):
    return {place.annotation_id for place in finding.places or ()}


def test_nothing_is_looked_for_until_somebody_asks(studio, finding, qtbot):
    assert finding.places is None
    finding.look()
    qtbot.waitUntil(lambda: finding.up_to_date)
    assert doubted(finding) == set(studio.session.annotations)
    widths = [place.stretch.width for place in finding.places]
    assert widths == sorted(widths, reverse=True)


def test_it_follows_what_a_person_does_and_what_is_filtered(studio, finding, qtbot):
    session = studio.session
    finding.wanted = True
    qtbot.waitUntil(lambda: finding.up_to_date)
    first, second = sorted(session.annotations)
    operations.move(session, [first], 1, 0)
    qtbot.waitUntil(lambda: finding.up_to_date)
    assert doubted(finding) == {second}
    studio.let_go(DetectionFilter(0.2))
    qtbot.waitUntil(lambda: finding.up_to_date)
    assert doubted(finding) == set(session.annotations) - {first}
    assert len(doubted(finding)) == 2


def test_each_image_has_its_own(studio, finding, qtbot):
    finding.wanted = True
    qtbot.waitUntil(lambda: finding.up_to_date and bool(finding.places))
    studio.show("b.png")
    qtbot.waitUntil(lambda: finding.up_to_date)
    assert finding.places == ()
    studio.show("a.png")
    qtbot.waitUntil(lambda: finding.up_to_date and bool(finding.places))
    assert doubted(finding) == set(studio.session.annotations)


def test_boxes_alone_are_not_doubted(studio, finding, qtbot):
    studio.model.detect = lambda size: replace(disc_detections(size), roi_masks=None)
    studio.show("b.png")
    studio.predict_image()
    finding.look()
    qtbot.waitUntil(lambda: finding.up_to_date)
    assert finding.places == ()
