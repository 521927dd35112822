"""A person's settings: what is not understood falls back to the default, all else stays."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maskstudio.errors import UserError
from maskstudio.storage.settings import (
    Settings,
    ThemeName,
    data_dir,
    read_settings,
    settings_path,
    write_settings,
)

WHOLE = Settings(ThemeName.DARK, "cells", "/daten/Füße 細胞", "AAAA/+=", 12, -7, 100)

keep_folder = settings(
    deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_settings_come_back(tmp_path: Path) -> None:
    path = tmp_path / "not there yet" / "deep" / "settings.json"
    write_settings(path, WHOLE)
    assert read_settings(path) == WHOLE
    write_settings(path, Settings())
    assert read_settings(path) == Settings()
    assert [found.name for found in path.parent.iterdir()] == ["settings.json"]


def test_without_a_file_the_defaults_stand(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "none.json") == Settings()
    assert read_settings(tmp_path) == Settings()
    assert Settings().theme == ThemeName.SYSTEM


@pytest.mark.parametrize(
    "content", [b"", b"{", b"null", b"[]", b"3", b'"text"', b"\xff\xfe\x00", b"{]", b"\x00" * 50]
)
def test_what_is_no_settings_file_is_ignored(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    assert read_settings(path) == Settings()


@pytest.mark.parametrize("theme", ["purple", "", "DARK", None, 3, ["dark"], {"dark": 1}])
def test_an_unknown_theme_is_the_systems_and_the_rest_stays(tmp_path: Path, theme: object) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"theme": theme, "model": "cells"}), encoding="utf-8")
    assert read_settings(path) == Settings(model="cells")


@pytest.mark.parametrize("value", ["7", True, 1.5, None, [3]])
def test_what_is_no_whole_number_is_none(tmp_path: Path, value: object) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"brightness": value, "gamma": -3}), encoding="utf-8")
    assert read_settings(path) == Settings(gamma=-3)


def test_what_an_older_or_newer_program_wrote_is_read_as_far_as_it_is_known(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    stored = {"theme": "light", "model": 7, "new_setting": True, "window": None}
    path.write_text(json.dumps(stored), encoding="utf-8")
    assert read_settings(path) == Settings(ThemeName.LIGHT)


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
json_values = plain | st.lists(plain, max_size=2) | st.dictionaries(st.text(), plain, max_size=2)
names = st.sampled_from(["theme", "model", "last_folder", "window", "gamma", "other"])


@keep_folder
@given(st.dictionaries(names, json_values))
def test_any_json_gives_settings_that_can_be_written(
    tmp_path: Path, stored: dict[str, object]
) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(stored), encoding="utf-8")
    read = read_settings(path)
    for name in ("model", "last_folder", "window"):
        value = stored.get(name)
        expected = value if isinstance(value, str) else getattr(Settings(), name)
        assert getattr(read, name) == expected
    write_settings(path, read)
    assert read_settings(path) == read


def test_settings_that_cannot_be_written_are_told_and_the_old_stay(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"):
        write_settings(tmp_path / "file" / "settings.json", WHOLE)
    (tmp_path / "settings.json").mkdir()
    with pytest.raises(UserError, match="cannot be written"):
        write_settings(tmp_path / "settings.json", WHOLE)


def test_settings_and_data_lie_in_the_persons_own_folders() -> None:
    assert settings_path().name == "settings.json"
    assert "maskrcnn-studio" in settings_path().parts
    assert "maskrcnn-studio" in data_dir().parts


def test_keys_come_back(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    kept = Settings(key_preset="CVAT", keys={"next": ("F", "Ctrl+F"), "hide": ()})
    write_settings(path, kept)
    assert read_settings(path) == kept


@pytest.mark.parametrize(
    "keys", [None, [], "F", 3, {"next": "F"}, {"next": None}, {"next": [3]}, {"next": {"F": 1}}]
)
def test_what_are_no_lists_of_keys_is_left_out(tmp_path: Path, keys: object) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"keys": keys, "model": "cells"}), encoding="utf-8")
    assert read_settings(path) == Settings(model="cells")


def test_a_file_that_holds_no_settings_is_told_in_one_sentence(tmp_path: Path) -> None:
    told: list[str] = []
    path = tmp_path / "settings.json"
    assert read_settings(path, told.append) == Settings()
    assert told == []
    write_settings(path, WHOLE)
    assert read_settings(path, told.append) == WHOLE
    assert told == []
    path.write_text("{", encoding="utf-8")
    assert read_settings(path, told.append) == Settings()
    assert told == ["The settings in settings.json cannot be read; the usual ones are used."]
