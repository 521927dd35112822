"""Where a project lies. Needs nothing, so that the window is up before the database is loaded."""

from pathlib import Path

FOLDER_NAME = ".maskstudio"
DATABASE_NAME = "project.db"


def has_project(folder: Path) -> bool:
    """Tell whether a folder holds a project."""
    return (folder / FOLDER_NAME / DATABASE_NAME).is_file()
