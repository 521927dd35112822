"""Anything done to categories, in any order, taken back and done again exactly."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maskstudio.session import category_operations, operations
from support.datasets import whole_dataset
from support.outlines import HOLED, SQUARE

STEPS = st.tuples(
    st.sampled_from(["add", "move", "hide", "only", "merge", "draw", "give", "go on"]),
    st.integers(0, 5),
    st.integers(0, 5),
)


def one_of(things, number):
    return things[number % len(things)]


def do(studio, qtbot, verb, first, second):
    session = studio.session
    ids = [category.id for category in session.categories]
    a, b = one_of(ids, first), one_of(ids, second)
    match verb:
        case "add":
            category_operations.add_category(session, f"new {first}")
        case "move":
            category_operations.move_category(session, a, second)
        case "hide":
            category_operations.set_categories_hidden(session, [a], hidden=bool(second % 2))
        case "only":
            category_operations.show_only(session, [a, b])
        case "merge":
            category_operations.merge_categories(session, studio.tasks, [a], b)
            qtbot.waitUntil(lambda: not session.writing)
        case _:
            work_on_an_image(session, verb, a, first)


def work_on_an_image(session, verb, category_id, number):
    if verb == "draw":
        operations.draw(session, SQUARE, category_id)
    elif verb == "give":
        session.select(list(session.annotations)[number : number + 1])
        operations.set_category(session, category_id)
    elif not operations.step(session, 1):
        operations.step(session, -2)


def everything(session):
    stored = session.require_database()
    return whole_dataset(stored), stored.categories(), session.categories


def begin(session):
    """Have a cat and a dog, each on the first image."""
    for name in ("cat", "dog") if not session.categories else ():
        category = category_operations.add_category(session, name)
        operations.draw(session, HOLED, category.id)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(STEPS, max_size=9))
def test_undoing_all_gives_back_what_was_and_redoing_it_the_same_again(studio, qtbot, steps):
    session = studio.session
    begin(session)
    states, title = [everything(session)], session.history().undo
    for step in steps:
        do(studio, qtbot, *step)
        if everything(session) != states[-1]:
            states.append(everything(session))
    for before in states[-2::-1]:
        assert session.undo() is not None
        assert everything(session) == before
    assert session.history().undo == title
    for after in states[1:]:
        assert session.redo() is not None
        assert everything(session) == after
    for _ in states[1:]:
        session.undo()
