"""A session with everything that works on it, closed at the end."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from maskstudio.annotation.detections import Predictor
from support.studio import Studio

MakeStudio = Callable[[Callable[[str], Predictor] | None], Studio]


@pytest.fixture
def make_studio(qtbot: QtBot) -> Iterator[MakeStudio]:
    """Return what makes a studio without a folder; all are closed at the end."""
    made: list[Studio] = []

    def make(load: Callable[[str], Predictor] | None = None) -> Studio:
        made.append(Studio(qtbot, load))
        return made[-1]

    yield make
    for studio in made:
        studio.close()


@pytest.fixture
def studio(make_studio: MakeStudio, folder: Path) -> Studio:
    """A studio with the folder of three pictures open; `a.png` is the current one."""
    made = make_studio(None)
    made.open(folder)
    return made
