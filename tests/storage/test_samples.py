"""The demo project: samples of one's own, on which work is kept."""

import sys
from pathlib import Path

import pytest

from maskstudio.errors import UserError
from maskstudio.storage.folder import list_images
from maskstudio.storage.images import read_image
from maskstudio.storage.samples import demo_project
from maskstudio.storage.settings import data_dir
from storage.children import demo_on_a_full_disk, in_child
from support.pictures import write_picture


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    for seed, name in enumerate(("a.png", "b.png")):
        write_picture(tmp_path / "nuclei" / name, 60, 90, seed)
    (tmp_path / "nuclei" / "SOURCES.md").touch()
    return tmp_path / "nuclei"


def test_the_samples_are_copied_to_a_folder_of_ones_own(samples: Path) -> None:
    folder = demo_project(samples)
    assert data_dir() in folder.parents
    assert [image.path for image in list_images(folder)] == ["a.png", "b.png"]
    for name in ("a.png", "b.png"):
        assert (folder / name).read_bytes() == (samples / name).read_bytes()


def test_what_is_there_already_is_left_as_it_is(samples: Path) -> None:
    folder = demo_project(samples)
    (folder / "a.png").write_bytes(b"changed")
    (folder / "b.png").unlink()
    assert demo_project(samples) == folder
    assert (folder / "a.png").read_bytes() == b"changed"
    assert (folder / "b.png").read_bytes() == (samples / "b.png").read_bytes()


def test_a_folder_that_cannot_be_made_is_told(samples: Path) -> None:
    data_dir().parent.mkdir(parents=True, exist_ok=True)
    data_dir().touch()
    with pytest.raises(UserError, match=r"^The demo cannot be set up in .*\.$"):
        demo_project(samples)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
def test_a_full_disk_leaves_no_half_sample(samples: Path) -> None:
    assert "cannot be written" in in_child(demo_on_a_full_disk, samples, 1000)
    folder = demo_project(samples)
    for name in ("a.png", "b.png"):
        assert read_image(folder / name).shape == (60, 90, 3)
