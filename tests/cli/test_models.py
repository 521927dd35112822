"""`maskstudio models`: download, import, list, remove; in one line what cannot be done."""

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from maskstudio.mask_rcnn.architectures import build, default_architecture
from maskstudio.storage.catalogue import catalogue
from maskstudio.storage.model_folder import model_file, models_dir
from support.commands import Run
from support.file_server import FileServer
from support.weights import random_weights

QUICK = "fasterrcnn_mobilenet_v3_large_fpn"


@pytest.fixture(scope="module")
def coco_weights() -> bytes:
    """A file as torchvision's of the smallest model of the catalogue."""
    file = io.BytesIO()
    torch.save(random_weights(QUICK), file)
    return file.getvalue()


@pytest.fixture
def server(coco_weights: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A server in the place of torchvision's."""
    made = FileServer(coco_weights)
    name = f"{QUICK}-{hashlib.sha256(coco_weights).hexdigest()[:8]}.pth"
    entry = replace(catalogue()[QUICK], url=made.url(name), size=len(coco_weights))
    monkeypatch.setitem(catalogue(), QUICK, entry)
    yield made
    made.close()


def line_of(run: Run, name: str) -> str:
    """Return what the list of models says of one."""
    listed = run("models", "list")
    assert listed.code == 0
    (line,) = (line for line in listed.stdout.splitlines() if line.startswith(f"{name} "))
    return line


def test_a_model_is_downloaded_once_and_then_runs(
    command: Run, server: FileServer, folder: Path
) -> None:
    assert line_of(command, QUICK) == (
        f"{QUICK}  {len(server.content) / 1e6:.1f} MB to download  {catalogue()[QUICK].purpose}"
    )
    ended = command("models", "download", QUICK)
    assert ended == (0, f"{QUICK} is in {model_file(QUICK)}\n", "")
    assert list(models_dir().iterdir()) == [model_file(QUICK)]
    finds = "finds: person, bicycle, car, motorcycle, airplane and 75 more"
    line = line_of(command, QUICK)
    assert line.startswith(f"{QUICK}  ")
    assert line.endswith(f" MB  {QUICK}  {finds}")

    server.close()
    assert command("models", "download", QUICK).code == 0
    assert len(server.asked) == 1
    described = command("models", "info", QUICK, "--device", "cpu")
    assert described.stdout.startswith(f"model         {QUICK}  (")
    assert "BSD-3-Clause" in described.stdout
    run = command("predict", folder / "b.png", "--model", QUICK, "--output", "o.json")
    assert run.code == 0


def test_a_download_that_broke_off_goes_on(command: Run, server: FileServer) -> None:
    server.cut_after = 40_000_000
    ended = command("models", "download", QUICK)
    assert ended.code == 1
    assert "broke off" in ended.stderr
    assert ended.stderr.count("\n") == 1
    whole = len(server.content) / 1e6
    assert f"  40.0 of {whole:.1f} MB downloaded  " in line_of(command, QUICK)
    server.cut_after = None
    ended = command("models", "download", QUICK, "--progress", "jsonl")
    assert ended.code == 0
    assert server.asked == ["", "bytes=40000000-"]
    said = [json.loads(line) for line in ended.stdout.splitlines()[:-1]]
    assert (said[0]["done"], said[-1]["done"], said[-1]["total"]) == (40, int(whole), int(whole))


def test_without_a_network_a_file_put_there_by_hand_is_found(
    command: Run, server: FileServer, coco_weights: bytes
) -> None:
    server.close()
    ended = command("models", "download", QUICK)
    assert ended.code == 1
    assert f"put the file into {models_dir()}, where it is found." in ended.stderr
    assert ended.stderr.count("\n") == 1
    said = command("models", "info", QUICK)
    assert f"{QUICK} is not here yet" in said.stderr

    (models_dir() / catalogue()[QUICK].file_name).write_bytes(coco_weights)
    assert "MB, downloaded  " in line_of(command, QUICK)
    assert command("models", "info", QUICK, "--device", "cpu").code == 0
    assert list(models_dir().iterdir()) == [model_file(QUICK)]


@pytest.fixture
def own_weights(tmp_path: Path) -> Path:
    """Weights of a person's own small model with three categories."""
    architecture = replace(default_architecture(QUICK), box_features=16)
    torch.manual_seed(0)
    weights: dict[str, Tensor] = build(architecture, categories=3).state_dict()
    path = tmp_path / "bikes 3.pth"
    torch.save({"model": weights, "epoch": 3}, path)
    return path


def test_own_weights_are_imported_listed_and_removed(command: Run, own_weights: Path) -> None:
    ended = command("models", "import", own_weights, "--categories", "bike, rider,helmet")
    path = model_file("bikes 3")
    assert ended == (0, f"bikes 3  {QUICK}  finds: bike, rider, helmet\nwrote {path}\n", "")
    assert line_of(command, "bikes 3").endswith(f"  {QUICK}  finds: bike, rider, helmet")
    described = command("models", "info", "bikes 3", "--device", "cpu")
    assert "categories    bike, rider, helmet\n" in described.stdout
    assert command("models", "remove", "bikes 3") == (0, "removed bikes 3\n", "")
    assert not path.exists()


def test_names_come_from_a_coco_file_or_are_numbers(
    command: Run, own_weights: Path, tmp_path: Path
) -> None:
    assert "finds: category 1, category 2, category 3\n" in (
        command("models", "import", own_weights, "--name", "plain").stdout
    )
    categories = [{"id": 2, "name": "rider"}, {"id": 9, "name": "helmet"}, {"id": 1, "name": "b"}]
    (tmp_path / "c.json").write_text(json.dumps({"categories": categories}), encoding="utf-8")
    ended = command("models", "import", own_weights, "--coco", "c.json", "--name", "named")
    assert "finds: b, rider, helmet\n" in ended.stdout


def test_what_cannot_be_done_is_said_in_one_line(
    command: Run, own_weights: Path, tmp_path: Path
) -> None:
    (tmp_path / "junk.pth").write_bytes(b"junk")
    cases = [
        (("download", "nosuch"), "There is no model 'nosuch' to download; one of: maskrcnn_"),
        (("import", "none.pth"), "none.pth cannot be read: No such file"),
        (("import", "junk.pth"), "junk.pth is damaged or holds more than weights; not loaded."),
        (("import", own_weights, "--categories", "a,b"), "has 3 categories; 2 names were given"),
        (("import", own_weights, "--name", "nuclei"), "There is a model called 'nuclei' already"),
        (("remove", "nuclei"), "nuclei ships with the program and stays."),
        (("remove", "nosuch"), "There is no model 'nosuch'."),
    ]
    for arguments, says in cases:
        ended = command("models", *arguments)
        assert (ended.code, ended.stdout) == (1, ""), arguments
        assert says in ended.stderr
        assert ended.stderr.count("\n") == 1
    assert not any(models_dir().glob("*.safetensors"))
    both = command("models", "import", own_weights, "--categories", "a", "--coco", "c.json")
    assert both.code == 2


def test_a_damaged_model_spoils_no_list(command: Run) -> None:
    models_dir().mkdir(parents=True)
    model_file("broken").write_bytes(b"no model")
    assert "is damaged or not a model file" in line_of(command, "broken")
    assert line_of(command, "nuclei").endswith("finds: nucleus")
