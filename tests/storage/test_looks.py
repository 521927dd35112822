"""What a model saw of images is kept beside the project, in a file one may delete."""

from pathlib import Path

import numpy as np
import pytest

from maskstudio.annotation.image_doubt import ImageDoubt
from maskstudio.storage.looks import LOOKS_NAME, Look, keep_looks, known_looks
from support.pictures import write_picture

DOUBT = ImageDoubt(5, 1, 2, 3, 4.5, unsteady=6)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".maskstudio").mkdir()
    write_picture(tmp_path / "a.png", 20, 20)
    write_picture(tmp_path / "b.png", 20, 20, seed=1)
    return tmp_path


def keep(project: Path, *paths: str, model: str = "m") -> None:
    gist = np.array([0.6, 0.8], np.float32)
    keep_looks(project, {path: Look(DOUBT, gist) for path in paths}, model)


def test_it_is_read_back_for_the_same_model_and_the_same_file(project: Path) -> None:
    keep(project, "a.png", "b.png")
    known = known_looks(project, ["a.png", "gone.png"], "m")
    assert list(known) == ["a.png"]
    assert known["a.png"].doubt == DOUBT
    assert known["a.png"].gist == pytest.approx([0.6, 0.8], abs=1e-3)
    assert known_looks(project, ["a.png"], "another") == {}
    write_picture(project / "a.png", 30, 20, seed=2)
    assert known_looks(project, ["a.png", "b.png"], "m").keys() == {"b.png"}


def test_what_is_found_later_takes_the_place_of_what_was(project: Path) -> None:
    keep(project, "a.png")
    keep_looks(project, {"a.png": Look(ImageDoubt(1), None)}, "m")
    look = known_looks(project, ["a.png"], "m")["a.png"]
    assert (look.doubt, look.gist) == (ImageDoubt(1), None)


def test_an_image_without_a_file_is_not_kept(project: Path) -> None:
    keep(project, "gone.png")
    assert known_looks(project, ["gone.png"], "m") == {}


@pytest.mark.parametrize("damage", ["deleted", "no database", "cut"])
def test_the_file_may_be_deleted_or_damaged(project: Path, damage: str) -> None:
    keep(project, "a.png")
    file = project / ".maskstudio" / LOOKS_NAME
    if damage == "deleted":
        file.unlink()
    else:
        file.write_bytes(b"no" * 999 if damage == "no database" else file.read_bytes()[:5000])
    assert known_looks(project, ["a.png"], "m") == {}
    keep(project, "a.png")
    assert known_looks(project, ["a.png"], "m")


def test_without_a_place_for_it_nothing_is_kept_and_nothing_fails(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", 20, 20)
    keep(tmp_path, "a.png")
    assert known_looks(tmp_path, ["a.png"], "m") == {}
