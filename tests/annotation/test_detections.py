"""What a model found, and its outlines."""

from dataclasses import replace

import numpy as np
import pytest

from annotation.found_detections import BOXES, found
from maskstudio.annotation.detections import outline
from maskstudio.errors import CancelledError
from maskstudio.progress import TaskContext


def test_detections_of_different_number_are_refused() -> None:
    whole = found().detections
    with pytest.raises(ValueError, match="differ in number"):
        replace(whole, boxes=whole.boxes[:1])
    with pytest.raises(ValueError, match="differ in number"):
        replace(whole, labels=whole.labels[:1])
    with pytest.raises(ValueError, match="differ in number"):
        replace(whole, scores=whole.scores[:1])
    with pytest.raises(ValueError, match="differ in number"):
        replace(whole, roi_masks=np.zeros((5, 28, 28), np.uint8))


def test_detections_cannot_be_changed() -> None:
    detections = found().detections
    assert len(detections) == 4
    assert detections.box(1) == (40, 10, 60, 30)
    for array in (detections.boxes, detections.labels, detections.scores, detections.roi_masks):
        assert array is not None
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_tracing_stops_when_the_person_asks() -> None:
    class Cancelled(TaskContext):
        def raise_if_cancelled(self) -> None:
            raise CancelledError

    with pytest.raises(CancelledError):
        outline(found().detections, Cancelled())


def test_only_the_outlines_that_are_wanted_are_traced() -> None:
    detections = found().detections
    traced = outline(detections, TaskContext(), wanted=[2, 0])
    assert list(traced.outlines) == [2, 0]
    assert [o.box for o in traced.outlines.values() if o] == [BOXES[2], BOXES[0]]


def test_a_higher_mask_threshold_shrinks_an_outline() -> None:
    fading = np.tile(np.linspace(0, 255, 28).astype(np.uint8), (1, 28, 1))
    detections = replace(found(BOXES[:1]).detections, roi_masks=fading)
    widths = []
    for threshold in (0.2, 0.5, 0.8):
        (traced,) = outline(detections, TaskContext(), threshold).outlines.values()
        assert traced is not None
        widths.append(traced.box[2] - traced.box[0])
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > widths[1] > widths[2]
