"""The command line as a process and, where importing torch again would take long, in this one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from maskstudio.annotation.annotation import Category
from maskstudio.cli import main
from maskstudio.mask_rcnn.architectures import build, default_architecture
from maskstudio.mask_rcnn.model_file import ModelInfo, save_model
from support.commands import Ended, Run


@pytest.fixture(scope="package", autouse=True)
def _one_thread() -> Iterator[None]:
    """Small tensors gain nothing from more threads, and lose much where the cores are busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def process(tmp_path: Path) -> Run:
    """Run `python -m maskstudio ...` in a folder of its own, without a display."""

    def run(*arguments: object) -> Ended:
        hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        root = Path(__file__).parents[2]
        done = subprocess.run(
            [sys.executable, "-m", "maskstudio", *map(str, arguments)],
            cwd=tmp_path,
            env=environment | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=240,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run what the process runs, `cli.main`, in this process."""

    def run(*arguments: object) -> Ended:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["maskstudio", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        written = capsys.readouterr()
        return Ended(int(end.value.code or 0), written.out, written.err)

    return run


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file of a small network that learned nothing but answers at once."""
    torch.manual_seed(0)
    architecture = replace(
        default_architecture("maskrcnn_resnet10t_fpn"), min_size=64, max_size=128, max_detections=8
    )
    info = ModelInfo("tiny", architecture, (Category(1, "nucleus", "cell"),))
    path = tmp_path_factory.mktemp("models") / "tiny.safetensors"
    save_model(path, info, build(architecture, categories=1).state_dict())
    return path
