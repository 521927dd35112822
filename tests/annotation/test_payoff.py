"""What an edit did to objects, what became of them, and where the seconds went."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from maskstudio.annotation import edits
from maskstudio.annotation.acts import Act, ActGroup, acts_of
from maskstudio.annotation.annotation import Annotation, ImageRecord
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.edits import (
    Edit,
    ImageContent,
    Reassignment,
)
from maskstudio.annotation.ledger import EditAccount, Ledger
from maskstudio.annotation.payoff import (
    NO_CATEGORY,
    NO_MODEL,
    Choice,
    Outcome,
    Payoff,
    Place,
    Tally,
)
from maskstudio.annotation.segmentation import Segmentation

SQUARE = Segmentation.from_rings([(10, 10), (30, 10), (30, 40), (10, 40)])
WIDER = Segmentation.from_rings([(10, 10), (35, 10), (35, 40), (10, 40)])
FOUND = Annotation(1, 1, SQUARE, None, "m", 0.9, touched=False)
CHECKED = replace(FOUND, touched=True)
DRAWN = Annotation(2, 1, SQUARE)
MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = MONDAY.date()


def content(*standing: Annotation) -> ImageContent:
    return ImageContent(ImageRecord(7, "a.png", 80, 100), {a.id: a for a in standing})


def told(edit: Edit) -> list[tuple[Act, int, str | None, tuple[int, ...]]]:
    return [(Act(act), category, model, ids) for act, category, model, ids in acts_of(edit)]


def test_verifying_accepts_what_nobody_had_touched() -> None:
    other = replace(FOUND, id=3, category_id=2)
    edit = edits.verify(content(FOUND, other, DRAWN, replace(FOUND, id=4)))
    assert told(edit) == [(Act.ACCEPTED, 1, "m", (1, 4)), (Act.ACCEPTED, 2, "m", (3,))]


@pytest.mark.parametrize(
    ("before", "after", "act"),
    [
        (FOUND, replace(FOUND, segmentation=WIDER), Act.ADJUSTED),
        (FOUND, replace(FOUND, category_id=2), Act.ADJUSTED),
        (FOUND, replace(FOUND, note="look"), Act.ACCEPTED),
        (CHECKED, replace(CHECKED, segmentation=WIDER), Act.CHANGED),
        (DRAWN, replace(DRAWN, category_id=2), Act.CHANGED),
        (DRAWN, replace(DRAWN, iscrowd=True), None),
    ],
)
def test_changing_adjusts_where_outline_or_category_are_others(
    before: Annotation, after: Annotation, act: Act | None
) -> None:
    edit = edits.change(content(before), [after], "Change")
    assert [group.act for group in acts_of(edit)] == ([] if act is None else [act])


def test_an_outline_as_good_as_the_same_is_no_correction() -> None:
    again = Segmentation.from_rings(SQUARE.parts[0].outer.copy())
    edit = edits.change(content(FOUND), [replace(FOUND, segmentation=again, note="n")], "Note")
    assert told(edit) == [(Act.ACCEPTED, 1, "m", (1,))]


def test_deleting_drawing_and_outlining_a_box() -> None:
    assert told(edits.delete(content(FOUND, DRAWN), [1, 2])) == [
        (Act.DELETED, 1, "m", (1,)),
        (Act.REMOVED, 1, None, (2,)),
    ]
    boxed = replace(CHECKED, id=5)
    assert told(edits.add(content(), [DRAWN, boxed])) == [
        (Act.DRAWN, 1, None, (2,)),
        (Act.BOXED, 1, "m", (5,)),
    ]


def test_what_nobody_looked_at_and_what_no_person_did_tells_nothing() -> None:
    here = content(FOUND, DRAWN)
    for edit in (
        edits.pre_annotate(here, "m2", [replace(FOUND, id=9, model_id="m2")], DetectionFilter()),
        edits.arrange(here, [replace(FOUND, hidden=True), replace(DRAWN, z=3)], "Arrange"),
        edits.mend(here, {1: replace(FOUND, segmentation=WIDER)}, "Fix"),
        replace(edits.verify(here), author="import:x.json"),
    ):
        assert edit
        assert acts_of(edit) == ()


def test_merging_categories_reassigns() -> None:
    edit = Edit("Merge", reassigned=(Reassignment(1, 4, (2, 1)),))
    assert told(edit) == [(Act.REASSIGNED, 4, None, (2, 1))]


def account(seconds: float, *groups: ActGroup, author: str = "person") -> EditAccount:
    """Return what an edit on image 7 did, so many seconds after Monday noon."""
    return EditAccount((MONDAY + timedelta(seconds=seconds)).timestamp(), author, (7,), groups)


def group(act: Act, *ids: int, category: int = 1, model: str | None = "m") -> ActGroup:
    return ActGroup(act, category, model, ids)


def drawn(*ids: int) -> ActGroup:
    return group(Act.DRAWN, *ids, model=None)


def tallies(*accounts: EditAccount) -> dict[Place, Tally]:
    ledger = Ledger(UTC)
    for one in accounts:
        ledger.take(one)
    return ledger.tallies()


def total(*accounts: EditAccount) -> Tally:
    return Payoff(tallies(*accounts), {}).total


def test_an_object_counts_where_a_person_decided_on_it_last() -> None:
    accepted = account(0, group(Act.ACCEPTED, 1, 2, 3))
    adjusted = account(1, group(Act.CHANGED, 2))
    deleted = account(2, group(Act.REMOVED, 3))
    again = account(3, group(Act.CHANGED, 2))
    found = total(accepted, adjusted, deleted, again)
    assert (found.accepted, found.adjusted, found.deleted, found.adjustments) == (1, 1, 1, 2)
    assert (found.found, found.objects) == (3, 3)
    gone = total(accepted, adjusted, again, account(9, group(Act.REMOVED, 2)))
    assert (gone.adjusted, gone.deleted, gone.adjustments) == (0, 1, 0)


def test_what_is_drawn_and_deleted_again_leaves_only_its_time() -> None:
    assert total(
        account(0, drawn(1)), account(5, group(Act.CHANGED, 1)), account(8, group(Act.REMOVED, 1))
    ) == Tally(seconds=8.0)


def test_what_was_imported_counts_nowhere() -> None:
    """Neither as objects nor as seconds: who made it, and when, is not known."""
    ledger = Ledger(UTC)
    ledger.take(account(0, author="import:old.json"))
    assert ledger.imported
    ledger.take(account(1, drawn(5)))
    ledger.take(account(11, group(Act.CHANGED, 1), group(Act.REMOVED, 2)))
    assert Payoff(ledger.tallies(), {}).total == Tally(drawn=1)


def test_it_stays_on_the_day_of_its_outcome_and_goes_to_its_new_category() -> None:
    day = 86_400
    found = tallies(
        account(0, group(Act.ADJUSTED, 1)),
        account(day, group(Act.CHANGED, 1, category=2)),
        account(2 * day, group(Act.REASSIGNED, 1, category=3, model=None)),
    )
    place = Place(DAY, 3, "m")
    assert found[place] == Tally(adjusted=1, adjustments=2)
    accepted = tallies(
        account(0, group(Act.ACCEPTED, 1)), account(day, group(Act.CHANGED, 1, category=2))
    )
    assert accepted[Place(DAY + timedelta(1), 2, "m")].adjusted == 1


def test_what_is_added_belongs_to_the_model_that_had_been_run_on_the_image() -> None:
    found = tallies(
        account(0, drawn(1)),
        account(1, author="model:m"),
        account(2, drawn(2)),
        account(3, author="model:m2"),
        account(4, group(Act.BOXED, 3, model="m")),
        account(5, drawn(4)),
    )
    by_model = Payoff(found, {}).by_model()
    assert {name: tally.objects for name, tally in by_model.items()} == {
        NO_MODEL: 1,
        "m": 2,
        "m2": 1,
    }


def test_seconds_lie_between_edits_and_go_to_the_objects_of_the_later() -> None:
    found = tallies(
        account(0, drawn(1)),
        account(6, group(Act.ACCEPTED, 2, 3), group(Act.DELETED, 4, category=2)),
        account(10),
        account(500, group(Act.CHANGED, 2)),
    )
    assert found[Place(DAY, 1, NO_MODEL)] == Tally(drawn=1)
    assert found[Place(DAY, 1, "m")].seconds == pytest.approx(4 + 60)
    assert found[Place(DAY, 2, "m")].seconds == pytest.approx(2)
    assert found[Place(DAY, NO_CATEGORY, NO_MODEL)] == Tally(seconds=4)


def test_a_clock_set_back_takes_no_seconds_away() -> None:
    assert total(account(0, drawn(1)), account(-50, drawn(2)), account(-47, drawn(3))).seconds == 3


def test_days_are_those_of_the_person() -> None:
    ledger = Ledger(timezone(timedelta(hours=13)))
    ledger.take(account(0, drawn(1)))
    ((place, _),) = ledger.tallies().items()
    assert place.day == date(2026, 11, 24)


def test_figures_are_chosen_and_grouped() -> None:
    one, two = Tally(accepted=1, seconds=2.0), Tally(drawn=3, seconds=9.0)
    payoff = Payoff(
        {
            Place(DAY, 1, "m"): one,
            Place(DAY + timedelta(1), 1, NO_MODEL): two,
            Place(DAY, 2, "m"): two,
        },
        {1: "cell", 2: "debris"},
    )
    assert payoff.by_day() == {DAY: one + two, DAY + timedelta(1): two}
    assert payoff.by_category() == {1: one + two, 2: two}
    assert payoff.by_model() == {NO_MODEL: two, "m": one + two}
    for choice, expected in (
        (Choice(first=DAY + timedelta(1)), two),
        (Choice(last=DAY), one + two),
        (Choice(category_id=1), one + two),
        (Choice(category_id=2, model_id="m"), two),
        (Choice(model_id=NO_MODEL), two),
        (Choice(first=DAY + timedelta(2)), Tally()),
    ):
        assert payoff.chosen(choice).total == expected
    assert payoff.total.of(Outcome.DRAWN) == 6
    assert payoff.total.seconds_per_object == pytest.approx(20 / 7)
    assert Tally(seconds=3).seconds_per_object is None
