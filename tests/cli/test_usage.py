"""Help, wrong usage, errors in one line: what every command shares."""

import sys
from pathlib import Path

import pytest

from maskstudio import __version__
from support.commands import Run

COMMANDS = ("gui", "demo", "predict", "train", "evaluate", "export", "models")


def test_help_names_every_command(process: Run) -> None:
    ended = process("--help")
    assert ended.code == 0
    assert ended.stderr == ""
    for command in COMMANDS:
        assert command in ended.stdout


@pytest.mark.parametrize("command_name", COMMANDS)
def test_every_command_has_help(command_name: str, command: Run) -> None:
    ended = command(command_name, "--help")
    assert ended.code == 0
    assert "Usage:" in ended.stdout


def test_the_version_is_said(process: Run) -> None:
    assert process("--version") == (0, f"maskstudio {__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("predcit", "folder"),
        ("predict",),
        ("predict", "a.png", "--output", "o.json", "--score", "2"),
        ("predict", "a.png", "--output", "o.json", "--nosuch"),
        ("predict", "a.png", "--output", "o.json", "--tiles", "sometimes"),
        ("train", "--annotations", "a.json", "--images", ".", "--output", "m", "--iterations", "0"),
        ("export", "--project", ".", "--output", "o.json", "--states", "finished"),
        ("models", "nosuch"),
    ],
)
def test_wrong_usage_ends_with_two(arguments: tuple[str, ...], command: Run) -> None:
    ended = command(*arguments)
    assert ended.code == 2
    assert "Usage:" in ended.stderr
    assert ended.stdout == ""


def test_wrong_usage_ends_the_process_with_two(process: Run) -> None:
    ended = process("predict", "a.png", "--output", "o.json", "--progress", "dots")
    assert ended.code == 2
    assert "dots" in ended.stderr


def test_an_error_is_one_line_and_ends_the_process_with_one(process: Run) -> None:
    ended = process("export", "--project", "nowhere", "--output", "o.json")
    assert ended.code == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith("maskstudio: nowhere is not a folder; ")
    assert ended.stderr.endswith("\n")
    assert ended.stderr.count("\n") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
def test_without_a_display_the_window_is_refused_in_one_line(process: Run) -> None:
    for arguments in ((), ("gui",), (".",)):
        ended = process(*arguments)
        assert ended.code == 1
        assert ended.stderr.startswith("maskstudio: There is no display for the window; ")
        assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("predict", "none.png", "--output", "o.json"), "none.png does not exist; give images"),
        (("predict", ".", "--output", "o.json"), "There is no image to predict"),
        (("predict", ".", "--output", "no/o.json"), "its folder does not exist; make it first"),
        (("predict", "a\nb.png", "--output", "o.json"), "a b.png does not exist"),
        (("models", "info", "nosuch"), "There is no model 'nosuch': give the path"),
        (("models", "info", "nuclei", "--device", "tpu"), "There is no device 'tpu'; use auto"),
        (
            ("evaluate", "--model", "nuclei", "--annotations", "none.json", "--images", "."),
            "none.json cannot be read: No such file",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    arguments: tuple[str, ...], says: str, command: Run
) -> None:
    ended = command(*arguments)
    assert ended.code == 1
    assert ended.stdout == ""
    assert says in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_models_are_listed_and_described(command: Run, tiny_model: Path) -> None:
    listed = command("models", "list")
    assert listed.code == 0
    (line,) = (line for line in listed.stdout.splitlines() if line.startswith("nuclei "))
    assert "maskrcnn_tf_efficientnet_lite0_fpn" in line
    assert line.endswith("finds: nucleus")

    described = command("models", "info", tiny_model, "--device", "cpu")
    assert described.code == 0
    lines = dict(line.split(maxsplit=1) for line in described.stdout.splitlines())
    assert lines["model"].startswith("tiny")
    assert '"name": "maskrcnn_resnet10t_fpn"' in lines["architecture"]
    assert lines["categories"] == "nucleus"
    assert lines["device"] == "CPU, 1 thread (chosen by hand)"
    assert lines["metrics"] == "{}"


def test_the_embedded_model_is_described_unless_another_is_named(command: Run) -> None:
    described = command("models", "info")
    assert described.code == 0
    assert described.stdout.startswith("model         nuclei ")
