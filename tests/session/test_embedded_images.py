"""Images that a data set carries come into the folder, and nowhere else."""

import cv2
import numpy as np
import pytest

from maskstudio.errors import CancelledError
from maskstudio.session.import_plan import ImportChoices
from maskstudio.session.importing import carry_out, plan_import
from maskstudio.storage.opening import open_project
from support.given_set import (
    CORNER,
    SILENT,
    GivenSet,
    StopsAt,
    add_sized,
    drawn,
    everything,
    image,
    imported,
)

PICTURE = np.full((9, 12, 3), 200, np.uint8)


class Carrying(GivenSet):
    """A data set that carries its images within itself, as PNG."""

    raw = cv2.imencode(".png", PICTURE)[1].tobytes()

    def pixels(self, number):
        return b"no image" if "broken" in self.images[number].name else self.raw


@pytest.fixture
def project(folder):
    with open_project(folder) as database:
        add_sized(database, {"a.png": (80, 100), "b.png": (64, 64), "sub/c.png": (64, 64)})
        yield database


@pytest.fixture
def carrying(tmp_path):
    def make(*names):
        images = [(image(name, 9, 12, embedded=True), [drawn(CORNER)]) for name in names]
        return Carrying(tmp_path / "set.json", images)

    return make


def files_of(folder):
    found = (path for path in folder.rglob("*") if ".maskstudio" not in path.parts)
    return {
        path.relative_to(folder).as_posix(): path.is_file() and path.read_bytes() for path in found
    }


def test_images_that_the_data_set_carries_are_put_into_the_folder(project, carrying):
    source = carrying("new/d.png", "C:\\there\\e.png", "a.png")
    report = imported(project, source, embedded=True)
    # The one that is there already is of another size, and stays.
    assert (report.put, report.missing, report.other_size, report.images) == (2, 0, 1, 2)
    assert (project.folder / "new" / "d.png").read_bytes() == Carrying.raw
    assert (project.folder / "e.png").read_bytes() == Carrying.raw
    assert [image.path for image in project.images()][1:4] == ["b.png", "e.png", "new/d.png"]
    assert list(project.annotation_counts().values()) == [1, 1]


def test_without_being_asked_to_no_image_is_put_into_the_folder(project, carrying):
    before = files_of(project.folder)
    report = imported(project, carrying("d.png"))
    assert (report.put, report.missing) == (0, 1)
    assert files_of(project.folder) == before


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("..", "is no name for a file"),
        ("x/../.maskstudio/d.png", "is no name for a file"),
        ("x\0.png", "is no name for a file"),
        ("aux.png", "is no name for a file"),
        ("d.png:stream.png", "is no name for a file"),
        ("d.exe", "is no name of an image"),
        ("broken.png", "is carried as what is no image"),
        ("there.png", "exists already"),
        ("link/d.png", "leads out of the project"),
        ("link/more/d.png", "leads out of the project"),
        ("x" * 300 + ".png", "cannot be written"),
        ("a.png/d.png", "cannot be written"),
    ],
)
def test_no_image_is_written_where_it_must_not_be(project, carrying, tmp_path, name, words):
    outside = tmp_path / "outside"
    outside.mkdir()
    (project.folder / "link").symlink_to(outside)
    (project.folder / "there.png").write_bytes(b"mine")
    before = files_of(tmp_path)
    report = imported(project, carrying(name), embedded=True)
    assert files_of(tmp_path) == before
    assert words in report.left_out.first[0]
    assert (report.put, report.images) == (0, 0)


@pytest.mark.parametrize("stop", [65, "new/64.png"])
def test_a_cancelled_import_takes_its_images_out_again(folder, carrying, stop):
    names = [f"new/{n}.png" for n in range(70)]
    with open_project(folder) as project:
        before, files = everything(project), files_of(folder)
        plan = plan_import(project, carrying(*names), SILENT)
        choices = ImportChoices(plan.proposed(), embedded=True)
        with pytest.raises(CancelledError):
            carry_out(project, plan, choices, StopsAt(stop))
        assert everything(project) == before
        assert files_of(folder) == files
