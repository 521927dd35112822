"""What changes in how a model runs is noticed and told once."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from maskstudio.annotation.device_facts import DeviceFacts
from maskstudio.session.device_watch import DeviceWatch

GPU = DeviceFacts("CUDA: a test", "float16")


class Known:
    """What is known now."""

    def __init__(self) -> None:
        self.facts: DeviceFacts | None = None


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
def watch(qtbot: QtBot, known: Known) -> Iterator[DeviceWatch]:
    parent = QObject()
    yield DeviceWatch(lambda: known.facts, parent)
    parent.deleteLater()


def test_a_change_is_told_without_being_asked_and_told_once(
    qtbot: QtBot, watch: DeviceWatch, known: Known
) -> None:
    told: list[DeviceFacts] = []
    watch.changed.connect(told.append)
    watch.look()
    assert told == []
    known.facts = GPU
    qtbot.waitUntil(lambda: told == [GPU])
    watch.look()
    known.facts = replace(GPU)
    watch.look()
    assert told == [GPU]


def test_every_step_down_is_told_once(watch: DeviceWatch, known: Known) -> None:
    told: list[str] = []
    watch.stepped_down.connect(told.append)
    for steps in ((), ("smaller",), ("smaller",), ("smaller", "CPU", "even so")):
        known.facts = replace(GPU, steps=steps, ms_per_image=float(len(told)))
        watch.look()
    assert told == ["smaller", "CPU", "even so"]


def test_a_model_loaded_anew_has_not_stepped_down_and_may_again(
    watch: DeviceWatch, known: Known
) -> None:
    told: list[str] = []
    watch.stepped_down.connect(told.append)
    for steps in (("smaller",), (), ("smaller",)):
        known.facts = replace(GPU, steps=steps)
        watch.look()
    assert told == ["smaller", "smaller"]
