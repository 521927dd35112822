"""Export: the file is proved before it takes the old one's place."""

import json
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from maskstudio.errors import CancelledError, UserError
from maskstudio.formats.options import ExportFormat, ExportOptions
from maskstudio.progress import TaskContext
from maskstudio.session import operations
from maskstudio.session.exporting import DEFAULT_STATES
from maskstudio.session.exporting import export as export_project
from support.pictures import write_picture

SQUARE = Segmentation.from_rings([(10, 10), (30, 10), (30, 30), (10, 30)])
HOLED = Segmentation(
    (
        Part(
            as_ring([(40, 10), (60, 10), (60, 40), (40, 40)]),
            (as_ring([(45, 15), (55, 15), (55, 25), (45, 25)]),),
        ),
    )
)


@pytest.fixture
def drawn(studio):
    """A studio with two annotations on `a.png`, one of them with a hole, and `b.png` empty."""
    operations.draw(studio.session, SQUARE, None)
    operations.draw(studio.session, HOLED, None)
    studio.show("b.png")
    operations.verify(studio.session)
    return studio


def export(studio, path, states=DEFAULT_STATES, context=None):
    options = ExportOptions(ExportFormat.COCO, tuple(states))
    database = studio.session.require_database()
    return export_project(database, path, options, context or TaskContext())


def read(path):
    with redirect_stdout(StringIO()):
        return COCO(str(path))


def test_the_file_is_what_is_on_screen(drawn, tmp_path):
    path = tmp_path / "out.json"
    report = export(drawn, path)

    assert "Evaluated against itself: AP 1.000." in report.sentences()
    coco = read(path)
    images = {image["file_name"]: image for image in coco.imgs.values()}
    assert images.keys() == {"a.png", "b.png"}
    assert (images["a.png"]["height"], images["a.png"]["width"]) == (80, 100)
    assert [c["name"] for c in coco.dataset["categories"]] == ["object"]
    masks = [coco.annToMask(a) for a in coco.loadAnns(coco.getAnnIds(images["a.png"]["id"]))]
    square, holed = np.zeros((2, 80, 100), np.uint8)
    square[10:30, 10:30] = 1
    holed[10:40, 40:60] = 1
    holed[15:25, 45:55] = 0
    assert np.array_equal(masks, [square, holed])
    assert coco.getAnnIds(images["b.png"]["id"]) == []


def test_the_report_names_what_was_left_out(drawn, tmp_path):
    report = export(drawn, tmp_path / "out.json")
    assert report.not_exported == {
        ImageState.NEW: 1, ImageState.PREDICTED: 0, ImageState.SKIPPED: 0,
    }  # fmt: skip
    assert "Not exported because of their state: 1 new." in report.sentences()


def test_only_the_states_asked_for_are_exported(drawn, tmp_path):
    path = tmp_path / "out.json"
    export(drawn, path, [ImageState.EMPTY, ImageState.NEW])
    assert {image["file_name"] for image in read(path).imgs.values()} == {"b.png", "sub/c.png"}


def test_a_model_s_work_that_nobody_checked_is_not_exported_unless_asked_for(studio, tmp_path):
    studio.predict_image()
    with pytest.raises(UserError, match="verify an image first"):
        export(studio, tmp_path / "out.json")
    export(studio, tmp_path / "out.json", [ImageState.PREDICTED])
    assert len(read(tmp_path / "out.json").anns) == 2


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_an_image_that_lies_on_its_side_is_exported_as_it_stands_upright(
    make_studio, tmp_path, orientation
):
    exif = Image.Exif()
    exif[0x0112] = orientation
    folder = tmp_path / "images"
    folder.mkdir()
    Image.new("RGB", (90, 50)).save(folder / "photo.jpg", exif=exif)
    studio = make_studio(None)
    studio.open(folder)
    operations.draw(studio.session, Segmentation.from_rings([(5, 5), (40, 5), (40, 45)]), None)

    export(studio, tmp_path / "out.json")

    (image,) = read(tmp_path / "out.json").imgs.values()
    upright = (90, 50) if orientation in (6, 8) else (50, 90)
    assert (image["height"], image["width"]) == upright


def test_the_same_project_gives_the_same_bytes(drawn, tmp_path):
    export(drawn, tmp_path / "one.json")
    export(drawn, tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_an_image_of_another_size_than_it_was_labelled_at_is_refused(drawn, tmp_path, folder):
    path = tmp_path / "out.json"
    export(drawn, path)
    before = path.read_bytes()
    write_picture(folder / "a.png", 40, 50)
    with pytest.raises(UserError, match=r"a\.png has 50 by 40 pixels now"):
        export(drawn, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["out.json"]


def test_an_image_that_is_gone_is_refused(drawn, tmp_path, folder):
    path = tmp_path / "out.json"
    export(drawn, path)
    before = path.read_bytes()
    (folder / "a.png").unlink()
    with pytest.raises(UserError, match=r"a\.png is gone"):
        export(drawn, path)
    assert path.read_bytes() == before


def test_with_nothing_to_export_it_says_what_to_do(studio, tmp_path):
    with pytest.raises(UserError, match="verify an image first, or export other states too"):
        export(studio, tmp_path / "out.json")
    assert not (tmp_path / "out.json").exists()


def test_a_file_that_somebody_else_has_written_is_never_replaced(drawn, tmp_path):
    path = tmp_path / "annotations.json"
    path.write_text('{"info": {}, "images": [], "annotations": [], "categories": []}')
    before = path.read_bytes()
    with pytest.raises(UserError, match="was not written by MaskStudio"):
        export(drawn, path)
    assert path.read_bytes() == before


class CancelledAt(TaskContext):
    """Cancels when it has been asked a number of times."""

    def __init__(self, number: int) -> None:
        self.left = number

    def raise_if_cancelled(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise CancelledError


@pytest.mark.parametrize("when", [0, 1, 2, 3])
def test_cancelled_anywhere_the_old_file_stays(drawn, tmp_path, when):
    path = tmp_path / "out.json"
    export(drawn, path)
    before = path.read_bytes()
    drawn.show("a.png")
    operations.draw(drawn.session, SQUARE.translated(30, 30), None)
    with pytest.raises(CancelledError):
        export(drawn, path, context=CancelledAt(when))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["out.json"]


def test_a_folder_that_is_not_there_gives_a_sentence(drawn, tmp_path):
    with pytest.raises(UserError, match="its folder does not exist"):
        export(drawn, tmp_path / "nowhere" / "out.json")


def test_what_came_from_a_model_is_exported_like_all_the_rest(studio, tmp_path):
    studio.predict_image()
    operations.verify(studio.session)
    export(studio, tmp_path / "out.json")
    written = json.loads((tmp_path / "out.json").read_text())
    assert len(written["annotations"]) == 2
