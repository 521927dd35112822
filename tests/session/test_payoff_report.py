"""The account in words, in a table and as CSV."""

import csv
import io
from datetime import date, timedelta

import pytest

from maskstudio.annotation.payoff import NO_MODEL, Payoff, Place, Tally
from maskstudio.session.payoff_report import (
    category_rows,
    cells,
    chosen_of,
    comparison,
    csv_text,
    model_rows,
    plain,
    sentence,
    unknown,
    when,
    without_model,
)

TODAY = date(2026, 11, 23)
DRAWN = Tally(drawn=10, seconds=300.0)
NAMES = {1: "cell", 2: 'a "rare", one'}


def payoff(**by_place: Tally) -> Payoff:
    """Return an account: `m` and `n` for with a model and without, then the category's id."""
    places = {
        Place(TODAY, int(name[1:]), "nuclei" if name[0] == "m" else NO_MODEL): tally
        for name, tally in by_place.items()
    }
    return Payoff(places, NAMES)


@pytest.mark.parametrize(
    ("tally", "said"),
    [
        (
            Tally(accepted=1017, adjusted=100, deleted=23, boxed=60, drawn=40, seconds=3844.0),
            "So far 82 % of 1,240 objects were accepted as the model left them; 3.1 s an object.",
        ),
        (
            Tally(accepted=1, seconds=2.04),
            "So far 100 % of 1 object was accepted as the model left it; 2.0 s an object.",
        ),
        (Tally(drawn=2, seconds=9.0), "So far 2 objects were drawn; 4.5 s an object."),
        (Tally(seconds=9.0), "So far nothing was accepted, corrected or drawn."),
    ],
)
def test_one_sentence_tells_what_it_was_worth(tally: Tally, said: str) -> None:
    assert sentence(tally, "So far") == said


def test_days_begin_the_sentence() -> None:
    assert [when(days) for days in (0, 1, 30)] == ["So far", "Today", "In the last 30 days"]


def test_the_last_days_are_counted_with_today() -> None:
    tallies = {Place(TODAY - timedelta(n), 1, "m"): Tally(drawn=1) for n in range(10)}
    every = Payoff(tallies, NAMES)
    for days, objects in ((0, 10), (1, 1), (7, 7)):
        assert chosen_of(every, days, TODAY, None, None).total.objects == objects
    assert chosen_of(every, 0, TODAY, 2, None).total.objects == 0
    assert chosen_of(every, 0, TODAY, 1, "other").total.objects == 0


def test_with_a_model_and_without_are_compared_where_both_are_known() -> None:
    by_hand, helped = DRAWN, Tally(accepted=20, seconds=100.0)
    assert (
        comparison(payoff(m1=helped), by_hand)
        == "5.0 s an object with a model, 30.0 s without: 6.0 times as fast."
    )
    slow = Tally(adjusted=10, seconds=400.0)
    assert (
        comparison(payoff(n1=by_hand, m1=slow), by_hand)
        == "40.0 s an object with a model, 30.0 s without: no time was saved."
    )
    assert comparison(payoff(m1=helped), Tally(drawn=9, seconds=1.0)) == ""
    assert comparison(payoff(n1=by_hand), by_hand) == ""


def test_what_took_how_long_without_a_model_counts_from_whatever_day() -> None:
    early = Place(TODAY - timedelta(90), 1, NO_MODEL), Place(TODAY, 2, NO_MODEL)
    account = Payoff({**payoff(m1=Tally(accepted=1)).tallies} | dict.fromkeys(early, DRAWN), NAMES)
    assert without_model(account, None) == DRAWN + DRAWN
    assert without_model(account, 1) == DRAWN


def test_what_is_not_known_is_said() -> None:
    found = Tally(accepted=1)
    assert "None of this was found by a model" in unknown(payoff(n1=DRAWN), DRAWN)[0]
    assert "without a model is not known" in unknown(payoff(m1=found), Tally())[0]
    assert unknown(payoff(m1=found), DRAWN) == ()
    more = Payoff(payoff(m1=found).tallies, NAMES, untouched=1200, imported=True)
    untouched, imported = unknown(more, DRAWN)
    assert untouched.startswith("1,200 pre-annotations nobody has looked at yet")
    assert imported.startswith("What was imported is not counted")


def test_tables_begin_with_what_is_most() -> None:
    few, many = Tally(drawn=1), Tally(accepted=3, adjusted=1, adjustments=2, seconds=10.0)
    account = payoff(n1=few, m2=many, m0=Tally(seconds=4.0))
    assert [row.name for row in category_rows(account)] == [NAMES[2], "cell"]
    assert [row.name for row in model_rows(account)] == ["nuclei", "no model"]
    assert cells(many) == ("4", "3 · 75 %", "1 · 25 % (2.0x)", "-", "-", "-", "2.5")
    assert cells(few)[-1] == "0.0"
    assert cells(Tally())[-1] == ""


def test_csv_has_a_row_for_each_day_category_and_model() -> None:
    account = payoff(
        m2=Tally(1, 2, 3, 4, 5, 6, 7.25), n0=Tally(seconds=8.0), n1=Tally(drawn=1, seconds=1.0)
    )
    head, *rows = csv.reader(io.StringIO(csv_text(account)))
    assert head == [
        *("day", "category", "model", "accepted", "adjusted", "deleted", "boxed", "drawn"),
        *("adjustments", "seconds"),
    ]
    day = TODAY.isoformat()
    assert rows == [
        [day, "", "", "0", "0", "0", "0", "0", "0", "8.0"],
        [day, "cell", "", "0", "0", "0", "0", "1", "0", "1.0"],
        [day, NAMES[2], "nuclei", "1", "2", "3", "4", "5", "6", "7.2"],
    ]
    assert [(row["category"], row["model"], row["seconds"]) for row in plain(account)] == [
        (None, None, 8.0),
        ("cell", None, 1.0),
        (NAMES[2], "nuclei", 7.25),
    ]
