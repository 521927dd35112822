"""Which key does what: presets, changes, and that no key ever means two things by accident."""

import ast
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QObject
from PySide6.QtGui import QKeySequence

from maskstudio.ui.actions import Actions
from maskstudio.ui.bars import menu_keys
from maskstudio.ui.key_presets import DEFAULT_PRESET, PRESETS
from maskstudio.ui.key_table import GROUPS, ToolKey, Where
from maskstudio.ui.keymap import Keymap, canonical

ROOT = Path(__file__).parents[2]


@pytest.fixture
def keymap(qapp):
    parent = QObject()
    yield Actions(parent, menu_keys()).keymap
    parent.deleteLater()


def accidents(keymap):
    """Every (name, key, others) where one key means what it may not mean at once."""
    return [
        (row.name, key, [other.name for other in others])
        for row in keymap.rows
        for key in keymap.keys(row.name)
        if (others := keymap.clashes(row.name, key))
    ]


# The tables


@pytest.mark.parametrize("preset", PRESETS)
def test_no_key_of_a_preset_means_two_things(keymap, preset):
    keymap.use_preset(preset)
    assert accidents(keymap) == []


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_names_only_what_there_is_and_keys_that_are_keys(keymap, preset):
    known = {row.name for row in keymap.rows}
    assert PRESETS[preset].keys() <= known
    for keys in [*PRESETS[preset].values(), *(row.keys for row in keymap.rows)]:
        for key in keys:
            assert canonical(key), key


def test_no_row_is_there_twice_and_every_row_has_a_heading(keymap):
    names = [row.name for row in keymap.rows]
    assert len(names) == len(set(names))
    assert {row.group for row in keymap.rows} <= set(GROUPS)


def test_only_a_tool_shares_a_key_with_an_action_in_the_tables(keymap):
    owners = {}
    for row in keymap.rows:
        for key in keymap.keys(row.name):
            owners.setdefault(key, []).append(row)
    for key, rows in owners.items():
        actions = [row for row in rows if row.where in (Where.WINDOW, Where.CANVAS)]
        assert len(actions) <= 1, f"{key}: {[row.name for row in actions]}"


@pytest.mark.parametrize("preset", PRESETS)
def test_what_every_day_needs_has_a_key_in_every_preset(keymap, preset):
    keymap.use_preset(preset)
    for name in (
        "next",
        "previous",
        "polygon",
        "select",
        "verify",
        "predict",
        "undo",
        "redo",
        "delete",
        "fit",
        "hide",
        "escape",
        "finish",
        "drop_vertex",
        "pan",
    ):
        assert keymap.keys(name), name


def test_cvat_goes_forward_with_f_and_back_with_d(keymap):
    keymap.use_preset("CVAT")
    assert keymap.keys("next") == ("F", "PgDown")
    assert keymap.keys("previous") == ("D", "PgUp")
    assert keymap.keys("fit") == ("Ctrl+F",)
    assert keymap.action_on("F") == "next"


def test_labelme_takes_space_to_close_and_still_verifies_with_it(keymap):
    keymap.use_preset("labelme")
    assert "Space" in keymap.keys("finish")
    assert keymap.keys("verify") == ("Space",)
    assert keymap.keys("pan") == ("Space",)


# Changing keys


def test_a_key_that_is_given_away_is_taken_from_what_had_it(keymap):
    assert [row.name for row in keymap.clashes("next", "F")] == ["fit"]
    keymap.set_keys("next", ("F",))
    assert keymap.keys("next") == ("F",)
    assert keymap.keys("fit") == ("Ctrl+F",)
    assert keymap.changes == {"next": ("F",)}


def test_what_lost_a_key_has_it_again_when_the_other_is_reset(keymap):
    keymap.set_keys("next", ("F",))
    keymap.set_keys("next", keymap.preset_keys("next"))
    assert keymap.changes == {}
    assert keymap.keys("fit") == ("F", "Ctrl+F")


def test_a_key_that_was_taken_can_be_taken_back(keymap):
    keymap.set_keys("next", ("F", "D"))
    keymap.set_keys("fit", ("F", "Ctrl+F"))
    assert keymap.keys("fit") == ("F", "Ctrl+F")
    assert keymap.keys("next") == ("D",)
    assert accidents(keymap) == []


def test_a_key_of_a_tool_is_no_ones_else_unless_the_tables_say_so(keymap):
    assert "wider" in [row.name for row in keymap.clashes("next", "]")]
    assert "drop_vertex" in [row.name for row in keymap.clashes("next", "Backspace")]
    # Tab is both by design: while an outline is being redrawn it is the tool's.
    assert keymap.clashes("next_annotation", "Tab") == ()


def test_the_key_to_pan_with_may_do_something_else_when_it_is_tapped(keymap):
    assert [row.name for row in keymap.clashes("next", "Space")] == ["verify"]
    keymap.set_keys("pan", ("Q",))
    assert keymap.keys("verify") == ("Space",)
    assert keymap.clashes("next", "Q") == ()


def test_keys_of_controls_can_be_taken_by_nobody(keymap):
    (row,) = keymap.clashes("next", "F2")
    assert row.where is Where.FIXED


_KEYS = st.sampled_from(["A", "F", "Space", "Tab", "]", "Backspace", "Return", "1", "Ctrl+Z", "Q"])
_NAMES = st.sampled_from(
    ["next", "fit", "verify", "polygon", "pan", "finish", "wider", "other_side", "category_1"]
)
_STEPS = st.lists(
    st.one_of(
        st.tuples(_NAMES, st.lists(_KEYS, max_size=3)),
        st.tuples(st.just("preset"), st.sampled_from(list(PRESETS))),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=60)
@given(_STEPS)
def test_whatever_is_changed_no_key_means_two_things_and_it_comes_back_from_the_settings(
    qapp, steps
):
    parent = QObject()
    rows = Actions(parent).keymap.rows
    keymap = Keymap(rows, parent)
    for name, what in steps:
        if name == "preset":
            keymap.use_preset(what)
        else:
            keymap.set_keys(name, what)
            assert keymap.keys(name) == tuple(dict.fromkeys(what))
        assert accidents(keymap) == []
    stored = json.loads(json.dumps(keymap.changes))
    again = Keymap(rows, parent)
    assert again.restore(keymap.preset, {n: tuple(k) for n, k in stored.items()}) == ""
    assert {r.name: again.keys(r.name) for r in rows} == {r.name: keymap.keys(r.name) for r in rows}
    parent.deleteLater()


# What is stored


def test_only_what_differs_is_kept(keymap):
    keymap.use_preset("CVAT")
    keymap.set_keys("previous", ("D", "PgUp"))
    keymap.set_keys("hide", ("Ctrl+Alt+H",))
    assert keymap.changes == {"hide": ("Ctrl+Alt+H",)}


def test_an_unknown_preset_is_told_in_a_sentence(keymap):
    said = keymap.restore("Vim", {})
    assert said == "There are no keys of 'Vim'; they are those of MaskStudio now."
    assert keymap.preset == DEFAULT_PRESET


@pytest.mark.parametrize(
    "keys", [("Nonsense",), ("T, H",), ("",), ("F2",)], ids=["no key", "two", "empty", "fixed"]
)
def test_stored_keys_that_are_none_are_left_out_and_told(keymap, keys):
    said = keymap.restore("CVAT", {"hide": keys, "fit": ("Ctrl+9",)})
    assert said == (
        "Keys in the settings could not be used: «Hide annotations»; they are those of CVAT."
    )
    assert keymap.keys("hide") == keymap.preset_keys("hide")
    assert keymap.keys("fit") == ("Ctrl+9",)


def test_two_stored_owners_of_a_key_are_told_and_the_first_has_it(keymap):
    said = keymap.restore("MaskStudio", {"next": ("X",), "hide": ("X",)})
    assert "Hide annotations" in said
    assert keymap.keys("next") == ("X",)
    assert accidents(keymap) == []


def test_what_another_version_wrote_is_left_out_without_a_word(keymap):
    assert keymap.restore("MaskStudio", {"fly": ("X",), "next": ("X",)}) == ""
    assert keymap.changes == {"next": ("X",)}


# Words


def test_texts_show_the_keys_as_they_are_now(keymap):
    text = "Click  ·  {polygon} draws  ·  {finish} ends"
    assert keymap.fill(text) == "Click  ·  P draws  ·  Enter ends"
    keymap.set_keys("polygon", ("Ctrl+Alt+P",))
    assert keymap.fill(text) == "Click  ·  Ctrl+Alt+P draws  ·  Enter ends"
    keymap.set_keys("polygon", ())
    assert keymap.fill(text) == "Click  ·  Enter ends"


def test_braces_that_name_nothing_stay(keymap):
    assert keymap.fill("a {b} c") == "a {b} c"


def test_a_key_is_written_once_though_two_keys_are_called_so(keymap):
    assert keymap.all_shown("finish") == "Enter"
    assert keymap.shown(ToolKey.DROP_VERTEX) == QKeySequence("Backspace").toString(
        QKeySequence.SequenceFormat.NativeText
    )


@pytest.mark.parametrize(
    "path", sorted((ROOT / "maskstudio" / "ui").rglob("*.py")), ids=lambda path: path.stem
)
def test_every_key_in_braces_is_the_key_of_something(keymap, path):
    """In hints, tips and gestures; braces of a style sheet hold more than a word or a colour."""
    if path.stem == "theme":
        return
    known = {row.name for row in keymap.rows}
    texts = [
        node.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    for text in texts:
        assert set(re.findall(r"\{([a-z]\w+)\}", text)) <= known
