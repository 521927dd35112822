"""What one person prefers on this machine, kept between runs."""

import json
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path

import platformdirs

from maskstudio.storage.files import replaced_file

APP_NAME = "maskrcnn-studio"
_FILE_NAME = "settings.json"


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
    """

    theme: ThemeName = ThemeName.SYSTEM
    model: str = DEFAULT_MODEL
    last_folder: str = ""
    window: str = ""
    brightness: int = 0
    contrast: int = 0
    gamma: int = 0


def settings_path() -> Path:
    """Return where the settings lie."""
    return Path(platformdirs.user_config_dir(APP_NAME, appauthor=False)) / _FILE_NAME


def data_dir() -> Path:
    """Return the folder for what the program makes itself (the demo project, the log)."""
    return Path(platformdirs.user_data_dir(APP_NAME, appauthor=False))


def read_settings(path: Path) -> Settings:
    """Return the stored settings; the default stands for whatever is missing or not understood."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Settings()
    if not isinstance(stored, dict):
        return Settings()
    known = {
        f.name: stored[f.name]
        for f in fields(Settings)
        if type(stored.get(f.name)) is (int if type(f.default) is int else str)
    }
    if known.get("theme") not in list(ThemeName):
        known.pop("theme", None)
    else:
        known["theme"] = ThemeName(known["theme"])
    return Settings(**known)


def write_settings(path: Path, settings: Settings) -> None:
    """Keep the settings.

    Raises:
        UserError: they cannot be written.
    """
    with replaced_file(path) as beside:
        beside.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(asdict(settings), indent=2) + "\n", encoding="utf-8")
