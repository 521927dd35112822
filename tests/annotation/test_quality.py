"""Each check finds what it is for and nothing else, and its fix puts that right and no more."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.shapes import places, rectangle, rings, star, stars
from maskstudio.annotation.annotation import (
    Annotation,
    ImageRecord,
    ImageState,
    ImageStatus,
)
from maskstudio.annotation.edits import Edit, ImageContent
from maskstudio.annotation.findings import FIXES, TITLES, Finding, FindingKind, Severity
from maskstudio.annotation.masks import mask_iou, rasterize
from maskstudio.annotation.outlines import outline_of
from maskstudio.annotation.quality import FileFacts, check_image
from maskstudio.annotation.quality_fixes import fixed, turned_upright
from maskstudio.annotation.segmentation import Part, Ring, Segmentation, as_ring

HEIGHT, WIDTH = 80, 100
UPRIGHT = FileFacts(HEIGHT, WIDTH)
SQUARE = Segmentation.from_rings(rectangle(20, 20, 60, 60))
BOWTIE = Segmentation.from_rings([(10, 10), (30, 30), (30, 10), (10, 30)])
FAR = Segmentation.from_rings(rectangle(200, 200, 220, 220))
OUT = Segmentation.from_rings(rectangle(80, 60, 120, 90))
THREAD = Segmentation.from_rings(rectangle(10, 40.6, 90, 40.9))
SPECK = Part(as_ring(rectangle(2, 2, 4, 4)))
BARE = Part(np.array([(70.0, 5.0), (75.0, 9.0), (70.0, 5.0)]))
SLIVER = Part(as_ring(rectangle(5, 70, 95, 70.3)))
GAP = as_ring(rectangle(22, 40, 58, 40.3))
SQUARE_PART = SQUARE.parts[0]


def annotations(*outlines: Segmentation) -> list[Annotation]:
    return [Annotation(n, 1, outline) for n, outline in enumerate(outlines, 1)]


def content(
    standing: Sequence[Annotation], size: tuple[int, int] = (HEIGHT, WIDTH)
) -> ImageContent:
    status = ImageStatus(ImageState.EDITED)
    return ImageContent(ImageRecord(7, "a.png", *size, status), {a.id: a for a in standing})


def found(standing: Sequence[Annotation], facts: FileFacts = UPRIGHT) -> tuple[Finding, ...]:
    return check_image(content(standing), facts)


def kinds(standing: Sequence[Annotation], facts: FileFacts = UPRIGHT) -> list[FindingKind]:
    return [finding.kind for finding in found(standing, facts)]


def applied(before: ImageContent, edit: Edit) -> ImageContent:
    """Return an image after an edit."""
    standing = dict(before.annotations)
    for change in edit.annotations:
        assert change.image_id == before.record.id
        assert standing.get(change.before.id if change.before else 0) == change.before
        if change.after is None and change.before is not None:
            del standing[change.before.id]
        elif change.after is not None:
            standing[change.after.id] = change.after
    record = before.record
    for image in edit.images:
        assert image.before == record.status
        record = replace(record, status=image.after)
    return ImageContent(record, dict(sorted(standing.items())))


def outlines(of: ImageContent) -> list[Segmentation | None]:
    return [annotation.segmentation for annotation in of.annotations.values()]


# What each check finds

FAULTY = [
    (FindingKind.CROSSING, BOWTIE),
    (FindingKind.NO_PIXEL, FAR),
    (FindingKind.NO_PIXEL, THREAD),
    (FindingKind.OUTSIDE, OUT),
    (FindingKind.FEW_CORNERS, Segmentation((SQUARE_PART, BARE))),
    (FindingKind.SLIVER, Segmentation((SQUARE_PART, SLIVER))),
    (FindingKind.SLIVER, Segmentation((Part(SQUARE_PART.outer, (GAP,)),))),
    (FindingKind.STRAY_PART, Segmentation((SQUARE_PART, SPECK))),
]


@pytest.mark.parametrize(("kind", "outline"), FAULTY)
def test_a_faulty_outline_is_found_and_said_where(kind: FindingKind, outline: Segmentation) -> None:
    (one,) = found(annotations(outline))
    assert one.kind is kind
    assert (one.image_id, one.annotation_ids) == (7, (1,))
    assert one.box is not None
    assert one.sentence.endswith(".")
    assert one.fixable


@pytest.mark.parametrize(("kind", "outline"), FAULTY)
def test_its_fix_is_the_one_right_answer(kind: FindingKind, outline: Segmentation) -> None:
    before = content(annotations(outline, Segmentation.from_rings(rectangle(70, 2, 90, 12))))
    findings = check_image(before, UPRIGHT)
    edit = fixed(before, findings)
    after = applied(before, edit)
    assert check_image(after, UPRIGHT) == ()
    assert outlines(after)[-1] is outlines(before)[-1]
    assert TITLES[kind].lower() in edit.title
    assert kind in FIXES
    assert applied(after, edit.inverse()) == before


@given(stars())
def test_of_sound_outlines_nothing_is_said(outline: Segmentation) -> None:
    assert found(annotations(outline)) == ()


def test_a_place_is_small_where_the_fault_is_small() -> None:
    big = Segmentation.from_rings(
        [(1, 1), (99, 1), (99, 79), (50, 79), (52, 77), (50, 77), (52, 79), (1, 79)]
    )
    (one,) = found(annotations(big))
    assert one.box is not None
    x0, y0, x1, y1 = one.box
    assert x0 <= 51 <= x1
    assert y0 <= 78 <= y1 + 1
    assert x1 - x0 < 30


def test_a_crossing_that_leaves_nothing_is_deleted() -> None:
    there_and_back = Segmentation.from_rings([(10, 10), (40, 10), (60, 10), (30, 10)])
    before = content(annotations(there_and_back))
    (one,) = check_image(before, UPRIGHT)
    assert one.kind in (FindingKind.NO_PIXEL, FindingKind.CROSSING)
    assert applied(before, fixed(before, [one])).annotations == {}


def test_a_thread_as_a_whole_is_for_a_person_to_judge() -> None:
    slanted = Segmentation.from_rings([(10, 10), (90, 70), (90, 70.6), (10, 10.6)])
    (one,) = found(annotations(slanted))
    assert (one.kind, one.fixable) == (FindingKind.SLIVER, False)


def test_a_run_of_single_pixels_is_no_sliver() -> None:
    row = Part(as_ring(rectangle(5, 70, 95, 71)))
    assert kinds(annotations(Segmentation((SQUARE_PART, row)))) == []


def test_boxes_alone_are_looked_at_as_well() -> None:
    out = Annotation(1, 1, None, (90.0, 70.0, 120.0, 79.0))
    inside = Annotation(2, 1, None, (10.0, 10.0, 30.0, 30.0))
    before = content([out, inside])
    (one,) = check_image(before, UPRIGHT)
    assert one.kind is FindingKind.OUTSIDE
    after = applied(before, fixed(before, [one]))
    assert list(after.annotations[1].box) == [90, 70, 100, 79]
    assert after.annotations[2] is inside


def test_without_a_size_only_the_outline_itself_is_judged() -> None:
    standing = content(annotations(OUT, FAR, BOWTIE), (0, 0))
    assert [one.kind for one in check_image(standing, FileFacts())] == [FindingKind.CROSSING]


# What no fix may do


@settings(max_examples=60)
@given(st.lists(rings(-20, 110, most=6), min_size=1, max_size=4), st.data())
def test_any_finding_goes_away_by_its_fix_and_comes_back_by_undo(
    drawn: list[list[tuple[float, float]]], data: st.DataObject
) -> None:
    before = content(annotations(*[Segmentation.from_rings(ring) for ring in drawn]))
    findings = [one for one in check_image(before, UPRIGHT) if one.fixable]
    if not findings:
        return
    one = data.draw(st.sampled_from(findings))
    edit = fixed(before, [one])
    after = applied(before, edit)
    again = {(f.kind, f.annotation_ids) for f in check_image(after, UPRIGHT)}
    assert (one.kind, one.annotation_ids) not in again
    touched = set(one.annotation_ids)
    for annotation_id, annotation in before.annotations.items():
        if annotation_id not in touched:
            assert after.annotations[annotation_id] is annotation
        elif annotation_id in after.annotations:
            mended = after.annotations[annotation_id]
            assert replace(mended, segmentation=annotation.segmentation) == annotation
    assert after.record == before.record
    assert applied(after, edit.inverse()) == before


@settings(max_examples=40)
@given(st.lists(rings(-20, 110, most=6), min_size=2, max_size=5))
def test_all_of_a_kind_can_be_fixed_at_once(drawn: list[list[tuple[float, float]]]) -> None:
    before = content(annotations(*[Segmentation.from_rings(ring) for ring in drawn]))
    for kind in {one.kind for one in check_image(before, UPRIGHT) if one.fixable}:
        findings = [f for f in check_image(before, UPRIGHT) if f.kind is kind and f.fixable]
        edit = fixed(before, findings)
        after = applied(before, edit)
        assert [f for f in check_image(after, UPRIGHT) if f.kind is kind and f.fixable] == []
        assert applied(after, edit.inverse()) == before


@pytest.mark.parametrize("outline", [BOWTIE, OUT, Segmentation((SQUARE_PART, SPECK))])
def test_what_a_model_found_stays_its_own_and_the_image_in_its_state(outline: Segmentation) -> None:
    offered = Annotation(1, 1, outline, model_id="m", score=0.5, touched=False, note="n")
    before = content([offered])
    after = applied(before, fixed(before, check_image(before, UPRIGHT)))
    assert replace(after.annotations[1], segmentation=outline) == offered
    assert after.record == before.record


def test_what_a_model_found_and_is_deleted_is_not_offered_again() -> None:
    before = content([Annotation(1, 1, FAR, model_id="m", score=0.5, touched=False)])
    after = applied(before, fixed(before, check_image(before, UPRIGHT)))
    (rejection,) = after.record.status.rejections
    assert (rejection.box, rejection.score) == (FAR.box, 0.5)


def test_what_is_locked_is_found_and_left_alone() -> None:
    locked = [replace(a, locked=True) for a in annotations(BOWTIE, SQUARE, SQUARE)]
    before = content(locked)
    findings = check_image(before, UPRIGHT)
    assert [f.kind for f in findings] == [FindingKind.CROSSING, FindingKind.DUPLICATE]
    assert not any(one.fixable for one in findings)
    assert not fixed(before, [replace(one, fixable=True) for one in findings])


def test_what_has_changed_since_is_left_alone() -> None:
    (one,) = found(annotations(BOWTIE))
    changed = Segmentation.from_rings([(10, 10), (30, 30), (30, 10), (10, 31)])
    assert not fixed(content(annotations(changed)), [one])
    assert not fixed(content([]), [one])
    (again,) = found(annotations(changed))
    assert again.key != one.key


# Labelled twice


def noisy(radius: float, seed: int, centre: tuple[float, float] = (40, 40)) -> Segmentation:
    radii = radius * (1 + np.random.default_rng(seed).uniform(-0.02, 0.02, 24))
    return Segmentation.from_rings(star(centre, radii.tolist()))


@given(
    st.lists(
        st.tuples(st.sampled_from([8.0, 8.4, 9.0, 12.0]), places(30, 33), st.integers(1, 2)),
        min_size=2,
        max_size=6,
    )
)
def test_duplicates_are_those_of_an_iou_over_nine_tenths(
    drawn: list[tuple[float, float, int]],
) -> None:
    standing = [
        Annotation(n, category, noisy(radius, n, (x, 40)))
        for n, (radius, x, category) in enumerate(drawn, 1)
    ]
    before = content(standing)
    findings = [f for f in check_image(before, UPRIGHT) if f.kind is FindingKind.DUPLICATE]
    after = applied(before, fixed(before, findings))
    masks = {a.id: rasterize(outline_of(a), HEIGHT, WIDTH) for a in standing}

    def alike(a: Annotation, b: Annotation) -> bool:
        return a.id != b.id and mask_iou(masks[a.id], masks[b.id]) > 0.9

    left = list(after.annotations.values())
    assert not [1 for a in left for b in left if a.category_id == b.category_id and alike(a, b)]
    # Whoever went was like one that stays.
    gone = [a for a in standing if a.id not in after.annotations]
    assert all(any(alike(a, b) and a.category_id == b.category_id for b in left) for a in gone)
    across = {f.annotation_ids[0] for f in findings if not f.fixable}
    for a in left:
        others = [b for b in left if alike(a, b)]
        assert bool(others) == (a.id in across or any(b.id in across for b in others))


def test_of_two_that_are_the_same_the_better_stays() -> None:
    drawn = Annotation(5, 1, SQUARE)
    better = Annotation(3, 1, SQUARE, model_id="m", score=0.9, touched=False)
    worse = Annotation(4, 1, SQUARE, model_id="m", score=0.4, touched=False)
    for standing, stays in (([drawn, better, worse], 5), ([worse, better], 3)):
        before = content(standing)
        after = applied(before, fixed(before, check_image(before, UPRIGHT)))
        assert list(after.annotations) == [stays]


def test_a_crowd_is_no_duplicate_of_what_it_covers() -> None:
    one, crowd = annotations(SQUARE, SQUARE)
    assert kinds([one, replace(crowd, iscrowd=True)]) == []
    assert kinds([replace(one, iscrowd=True), replace(crowd, iscrowd=True)]) == [
        FindingKind.DUPLICATE
    ]


def test_thousands_of_neighbours_are_told_apart() -> None:
    standing = annotations(
        *(
            Segmentation.from_rings(rectangle(x, y, x + 8, y + 8))
            for x in range(0, 400, 8)
            for y in range(0, 400, 8)
        )
    )
    again = replace(standing[1234], id=5000)
    one = check_image(content([*standing, again], (400, 400)), FileFacts(400, 400))
    assert [f.annotation_ids for f in one] == [(5000, 1235)]


# The image


@pytest.mark.parametrize(
    ("state", "severity"),
    [
        (ImageState.NEW, Severity.NOTE),
        (ImageState.PREDICTED, Severity.NOTE),
        (ImageState.EDITED, Severity.DOUBT),
        (ImageState.VERIFIED, Severity.DOUBT),
        (ImageState.EMPTY, None),
        (ImageState.SKIPPED, None),
    ],
)
def test_nothing_on_an_image_is_said_unless_somebody_said_so(
    state: ImageState, severity: Severity | None
) -> None:
    record = ImageRecord(7, "a.png", HEIGHT, WIDTH, ImageStatus(state))
    findings = check_image(ImageContent(record, {}), UPRIGHT)
    assert [f.severity for f in findings] == ([] if severity is None else [severity])
    assert all(f.kind is FindingKind.UNLABELLED and not f.fixable for f in findings)


def test_a_file_of_another_size_than_was_labelled_is_found() -> None:
    (one,) = found(annotations(SQUARE), FileFacts(160, 200))
    assert one.kind is FindingKind.SIZE
    assert "Labelled at 100 by 80, but the file has 200 by 160 pixels" in one.sentence
    assert found([], FileFacts(160, 200))[0].kind is FindingKind.UNLABELLED


def test_a_file_that_cannot_be_read_is_found_and_its_outlines_all_the_same() -> None:
    findings = found(annotations(BOWTIE), FileFacts(fault="a.png is gone."))
    assert [f.kind for f in findings] == [FindingKind.UNREADABLE, FindingKind.CROSSING]
    assert findings[0].sentence == "a.png is gone."


# How the image is turned

TURNS = {5: (0, 0), 6: (0, 1), 7: (1, 1), 8: (1, 0)}


def in_file(ring: Ring, orientation: int) -> Ring:
    """Return where corners of the upright image lie in its file."""
    x, y = ring.T
    at_right, at_left = WIDTH - x, x
    below, above = HEIGHT - y, y
    stored = {5: (above, at_left), 6: (above, at_right), 7: (below, at_right), 8: (below, at_left)}
    return np.stack(stored[orientation], axis=1)


@pytest.mark.parametrize("orientation", TURNS)
def test_outlines_of_the_image_as_it_stands_in_its_file_are_turned(orientation: int) -> None:
    upright = np.array([(10.0, 5.0), (90.0, 8.0), (70.0, 75.0)])
    stored = in_file(upright, orientation)
    assert turned_upright(stored, orientation, HEIGHT, WIDTH) == pytest.approx(upright)
    tall = np.array([(5.0, 10.0), (75.0, 10.0), (75.0, 95.0), (5.0, 95.0)])
    box = Annotation(3, 1, None, (10.0, 10.0, 20.0, 90.0))
    first = Annotation(1, 1, Segmentation.from_rings(stored))
    before = content([first, Annotation(2, 1, Segmentation.from_rings(tall)), box])
    facts = FileFacts(HEIGHT, WIDTH, orientation)
    (one,) = check_image(before, facts)
    assert (one.kind, one.fixable) == (FindingKind.ORIENTATION, True)
    edit = fixed(before, [one])
    after = applied(before, edit)
    assert check_image(after, facts) == ()
    turned = after.annotations[1].segmentation
    assert turned is not None
    assert turned.ring(0, 0) == pytest.approx(upright)
    assert after.annotations[3].segmentation is None
    assert applied(after, edit.inverse()) == before


def test_where_the_file_does_not_say_how_it_is_turned_there_is_no_fix() -> None:
    tall = Segmentation.from_rings(rectangle(5, 10, 75, 95))
    (one,) = found(annotations(tall))
    assert (one.kind, one.fixable) == (FindingKind.ORIENTATION, False)


def test_a_hand_that_slipped_over_the_edge_turned_no_image() -> None:
    assert kinds(annotations(Segmentation.from_rings(rectangle(5, 10, 75, 81)))) == [
        FindingKind.OUTSIDE
    ]
