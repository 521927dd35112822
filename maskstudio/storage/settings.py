"""What one person prefers on this machine, kept between runs."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path

import platformdirs

from maskstudio.storage.files import replaced_file

APP_NAME = "maskrcnn-studio"
_FILE_NAME = "settings.json"

_PLAIN = (bool, int, float)

DEFAULT_MODEL = "nuclei"
"""The embedded model that runs until the person chooses another."""


class ThemeName(StrEnum):
    """How the window is coloured."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True)
class Settings:
    """A person's preferences.

    Attributes:
        theme: colours of the window.
        model: name or path of the model used last.
        last_folder: the folder opened last, or empty.
        window: size and layout of the window as Qt gives it, base64; empty for the default.
        brightness: of the image as shown, -100 to 100; 0 shows it as it is.
        contrast: likewise.
        gamma: likewise.
        black_at: of images of more than 8 bits this value and all below is shown black.
        white_at: this and all above white; where both are the same, each image has its own.
        share_borders: what is drawn is cut at its neighbours.
        minimap: a small picture of the whole image is shown while it is larger than the window.
        properties: note and attributes of what is selected are unfolded.
        more_filters: the filters of the model's detections besides the score are unfolded.
        key_preset: the program whose keys these are; empty for our own.
        keys: what has other keys than the preset gives it, by its name; as Qt writes keys.
    """

    theme: ThemeName = ThemeName.SYSTEM
    model: str = DEFAULT_MODEL
    last_folder: str = ""
    window: str = ""
    brightness: int = 0
    contrast: int = 0
    gamma: int = 0
    black_at: float = 0.0
    white_at: float = 0.0
    share_borders: bool = False
    minimap: bool = True
    properties: bool = False
    more_filters: bool = False
    key_preset: str = ""
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def settings_path() -> Path:
    """Return where the settings lie."""
    return Path(platformdirs.user_config_dir(APP_NAME, appauthor=False)) / _FILE_NAME


def cache_dir() -> Path:
    """Return the folder for what can be made again at any time."""
    return Path(platformdirs.user_cache_dir(APP_NAME, appauthor=False))


def data_dir() -> Path:
    """Return the folder for what the program makes itself (the demo project, the log)."""
    return Path(platformdirs.user_data_dir(APP_NAME, appauthor=False))


def read_settings(path: Path, tell: Callable[[str], object] | None = None) -> Settings:
    """Return the stored settings; the default stands for whatever is missing or not understood.

    Args:
        path: the file; where there is none yet, the defaults stand.
        tell: is given a sentence when the file is there and holds no settings.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError):
        stored = None
    if not isinstance(stored, dict):
        if tell is not None:
            tell(f"The settings in {path.name} cannot be read; the usual ones are used.")
        return Settings()
    known = {
        f.name: stored[f.name]
        for f in fields(Settings)
        if type(stored.get(f.name)) is (type(f.default) if type(f.default) in _PLAIN else str)
    }
    known["keys"] = _keys_in(stored.get("keys"))
    if known.get("theme") not in list(ThemeName):
        known.pop("theme", None)
    else:
        known["theme"] = ThemeName(known["theme"])
    return Settings(**known)


def _keys_in(stored: object) -> dict[str, tuple[str, ...]]:
    """Return what is a list of keys; whether each is one is for those to say who know keys."""
    if not isinstance(stored, dict):
        return {}
    return {
        name: tuple(keys)
        for name, keys in stored.items()
        if isinstance(keys, list) and all(isinstance(key, str) for key in keys)
    }


def write_settings(path: Path, settings: Settings) -> None:
    """Keep the settings.

    Raises:
        UserError: they cannot be written.
    """
    with replaced_file(path) as beside:
        beside.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(asdict(settings), indent=2) + "\n", encoding="utf-8")
