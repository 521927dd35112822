"""The program on a fake model; every window that is opened is closed again."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from maskstudio import app
from maskstudio.annotation.detections import Predictor
from support.fakes import FakePredictor
from support.program import Program
from support.training import COMMAND

Start = Callable[..., Program]


@pytest.fixture
def model() -> FakePredictor:
    """The model the program runs."""
    return FakePredictor()


@pytest.fixture
def start(qapp: QObject, qtbot: QtBot, tmp_path: Path, model: FakePredictor) -> Iterator[Start]:
    """Return what starts the program, with the settings kept from one start to the next."""
    del qapp
    started: list[Program] = []

    def begin(
        load: Callable[[str], Predictor] | None = None, command: tuple[str, ...] = COMMAND
    ) -> Program:
        settings = tmp_path / "settings.json"
        built = app.build(["maskstudio"], settings, load or (lambda _: model), command)
        started.append(Program(built, qtbot))
        return started[-1]

    yield begin
    for program in started:
        program.close()


@pytest.fixture
def program(start: Start, folder: Path) -> Program:
    """The program with the folder of three pictures open and `a.png` (100 x 80) shown."""
    made = start()
    made.open(folder)
    made.until(lambda: len(made.session.image_ids) == 3)
    made.canvas.setFocus()
    return made


@pytest.fixture
def unhurried(program: Program) -> Program:
    """The program that looks at no images ahead: the model does nothing but what is asked of it."""
    for _ in ("on", "off"):
        program.window.verbs["look_ahead"].trigger()
    program.idle()
    return program


@pytest.fixture
def predicted(program: Program) -> Program:
    """The program with two discs found: 0.9 at (10, 10, 30, 30), 0.6 at (40, 10, 60, 30)."""
    program.key("i")
    program.until(lambda: program.annotations and not program.app.annotator.running)
    program.until(lambda: program.canvas.settled)
    return program
