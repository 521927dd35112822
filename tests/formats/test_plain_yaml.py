"""YAML is read as lists, tables and text, and nothing in it can build, grow or nest."""

import tempfile
from contextlib import suppress
from pathlib import Path

import hypothesis.strategies as st
import pytest
import yaml
from hypothesis import given

from maskstudio.errors import UserError
from maskstudio.formats.plain_yaml import MAX_BYTES, read_plain_yaml


def read(tmp_path, text):
    path = tmp_path / "data.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_plain_yaml(path)


def test_scalars_stay_the_text_that_stands_there(tmp_path):
    text = "names: [no, 1e3, '007', 2026-01-02, on, ~]\nval:\nnc: 6\nü: |\n  a\n  b\n"
    assert read(tmp_path, text) == {
        "names": ["no", "1e3", "007", "2026-01-02", "on", None],
        "val": None,
        "nc": "6",
        "ü": "a\nb\n",
    }


def test_an_empty_file_and_one_with_a_mark_at_its_beginning(tmp_path):
    assert read(tmp_path, "") is None
    assert read(tmp_path, b"\xef\xbb\xbfa: 1") == {"a": "1"}


LAUGHS = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("names: !!python/object/apply:os.system ['echo']", "line 1: the tag"),
        ("a: 1\nb: !!python/name:os.system", "line 2: the tag"),
        ("a: !own 1", "the tag '!own' would build an object"),
        (LAUGHS, "line 2: a reference"),
        ("a: &a {b: 1}\nc:\n  <<: *a", "line 3: a reference"),
        ("[" * 100, "nested more than"),
        pytest.param("[" * 100_000, "nest", id="deeper than libyaml itself reads on"),
        ("- " * 1000 + "1", "nested more than"),
        ("a: 1\nb: 2\na: 3", "line 3: 'a' stands there twice"),
        ("? [1, 2]\n: 3", "line 1: a key that is a list"),
        ("a: [1", "is not YAML"),
        ("a: 1\n--- \nb: 2", "is not YAML"),
        ("a: \x00", "is not YAML"),
        (b"a: \xff\xfe", "is not text in UTF-8"),
        (" " * (MAX_BYTES + 1), "is larger than any list of categories"),
    ],
)
def test_what_is_refused_is_told_with_file_and_line(tmp_path, text, said):
    with pytest.raises(UserError, match=r"data\.yaml") as told:
        read(tmp_path, text)
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_plain_yaml(tmp_path / "data.yaml")


@given(st.dictionaries(st.text(), st.lists(st.text(), max_size=3), max_size=4))
def test_text_that_was_dumped_comes_back(table):
    text = yaml.dump(table, Dumper=yaml.CSafeDumper, allow_unicode=True, default_style='"')
    with tempfile.TemporaryDirectory() as folder:
        assert read(Path(folder), text) == table


@given(st.binary(max_size=60) | st.text("ab:-[]{},&*!|>'\"?#%@` \n\t0", max_size=60))
def test_anything_else_is_read_or_refused_in_a_sentence(raw):
    with tempfile.TemporaryDirectory() as folder, suppress(UserError):
        read(Path(folder), raw)
