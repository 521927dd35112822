"""What was chosen for the last export, kept with the project; places as seen from its folder."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from maskstudio.annotation.annotation import ImageState
from maskstudio.formats.options import (
    ExportFormat,
    ExportOptions,
    ImagePlacement,
    SegmentationStyle,
    SplitRatios,
)

SETTING = "export"
"""The key of the project's setting."""

_FILE = "annotations.json"


@dataclass(frozen=True)
class ExportMemory:
    """The last options, and where each kind of export went.

    Attributes:
        options: them.
        places: kind of export to where the last of it went.
    """

    options: ExportOptions
    places: Mapping[str, Path] = field(default_factory=dict)

    def place(self, folder: Path, options: ExportOptions, *, one_file: bool) -> Path:
        """Return where an export goes unless a person says otherwise.

        Beside the project's folder, where its files are not taken for images of the project.

        Args:
            folder: the project's.
            options: what is exported.
            one_file: it is a file, not a folder.
        """
        usual = folder / _FILE if one_file else folder.parent / f"{folder.name}-{options.format}"
        return self.places.get(_kind(options, one_file=one_file), usual)

    def after(self, options: ExportOptions, place: Path, *, one_file: bool) -> "ExportMemory":
        """Return what is remembered after an export."""
        kind = _kind(options, one_file=one_file)
        return ExportMemory(replace(options, draw_anew=False), {**self.places, kind: place})

    def as_setting(self, folder: Path) -> dict[str, Any]:
        """Return it as a value of JSON."""
        options, splits = self.options, self.options.splits
        return {
            "format": options.format,
            "states": list(options.states),
            "categories": None if options.categories is None else sorted(options.categories),
            "segmentation": options.segmentation,
            "splits": None if splits is None else [splits.train, splits.val, splits.test],
            "placement": options.placement,
            "places": {kind: _seen_from(folder, place) for kind, place in self.places.items()},
        }


def memory_from(stored: Any, folder: Path, states: tuple[ImageState, ...]) -> ExportMemory:
    """Return what was remembered, or what is usual where nothing is or it cannot be understood.

    Args:
        stored: what `ExportMemory.as_setting` gave once, or anything else.
        folder: the project's.
        states: the states that are usual.
    """
    usual = ExportMemory(ExportOptions(ExportFormat.COCO, states))
    try:
        splits, categories = stored["splits"], stored["categories"]
        options = ExportOptions(
            ExportFormat(stored["format"]),
            tuple(ImageState(state) for state in stored["states"]),
            None if categories is None else frozenset(categories),
            SegmentationStyle(stored["segmentation"]),
            None if splits is None else SplitRatios(*splits),
            ImagePlacement(stored["placement"]),
        )
        places = {kind: folder / place for kind, place in stored["places"].items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        return usual
    return ExportMemory(options, {k: Path(os.path.normpath(p)) for k, p in places.items()})


def _kind(options: ExportOptions, *, one_file: bool) -> str:
    return f"{options.format}, one file" if one_file else str(options.format)


def _seen_from(folder: Path, place: Path) -> str:
    """Return a path from the folder, so that both can be moved together."""
    try:
        return Path(os.path.relpath(place, folder)).as_posix()
    except ValueError:
        # On another drive of Windows.
        return str(place)
