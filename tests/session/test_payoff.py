"""The account is read aside, and follows what is done while somebody looks at it."""

import pytest
from pytestqt.qtbot import QtBot

from maskstudio.annotation.payoff import Tally
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.session import operations
from maskstudio.session.payoff import PayoffWatch
from support.studio import Studio

SQUARE = Segmentation.from_rings([(10, 10), (30, 10), (30, 40), (10, 40)])


def total(watch: PayoffWatch) -> Tally:
    return watch.account.payoff.total if watch.account else Tally()


def counts(tally: Tally) -> tuple[int, ...]:
    return tally.accepted, tally.adjusted, tally.deleted, tally.drawn


@pytest.fixture
def watch(studio: Studio) -> PayoffWatch:
    made = PayoffWatch(studio.session, studio.tasks, studio.session)
    studio.until(lambda: made.account is not None)
    return made


def test_it_follows_what_is_done_and_undone(studio: Studio, watch: PayoffWatch) -> None:
    assert total(watch) == Tally()
    studio.predict_image()
    studio.until(lambda: watch.account and watch.account.payoff.untouched == 2)
    operations.draw(studio.session, SQUARE, None)
    operations.verify(studio.session)
    studio.until(lambda: counts(total(watch)) == (2, 0, 0, 1))
    studio.session.undo()
    studio.until(lambda: counts(total(watch)) == (0, 0, 0, 1))


def test_another_project_has_another_account(
    studio: Studio, watch: PayoffWatch, qtbot: QtBot
) -> None:
    operations.draw(studio.session, SQUARE, None)
    studio.until(lambda: counts(total(watch)) == (0, 0, 0, 1))
    with qtbot.waitSignal(watch.changed):
        studio.session.close()
    assert watch.account is None


def test_nothing_is_taken_up_after_it_was_stopped(studio: Studio, watch: PayoffWatch) -> None:
    before = watch.account
    operations.draw(studio.session, SQUARE, None)
    watch.read()
    watch.stop()
    other = PayoffWatch(studio.session, studio.tasks, studio.session)
    studio.until(lambda: other.account is not None)
    assert total(other).drawn == 1
    assert watch.account is before
