"""Pascal VOC as the challenge had it and as labelImg writes it; see tests/data/voc."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskstudio.annotation.masks import decode, rasterize
from maskstudio.errors import UserError
from maskstudio.formats.sources import open_source
from maskstudio.formats.voc import is_voc
from maskstudio.progress import TaskContext

DATA = Path(__file__).parents[1] / "data" / "voc"
CONTEXT = TaskContext()


def written(folder, text, name="a.xml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def voc(objects="", database="Unknown", size="<width>60</width><height>40</height>"):
    source = f"<source><database>{database}</database></source>"
    head = f"<filename>a.png</filename>{source}<size>{size}</size>"
    return f"<annotation>{head}{objects}</annotation>"


def box(x0, y0, x1, y1, name="dog"):
    corners = f"<xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax>"
    return f"<object><name>{name}</name><bndbox>{corners}</bndbox></object>"


def test_masks_give_outlines_and_objects_without_one_keep_their_boxes():
    source = open_source(DATA, CONTEXT)
    assert source.title == "Pascal VOC"
    assert [(image.name, image.height, image.width) for image in source.images] == [
        ("JPEGImages/2007_000001.jpg", 40, 60),
        ("JPEGImages/labelimg.png", 40, 60),
    ]
    content = source.content(0, 40, 60)
    person, dog, boxed = content.annotations
    with Image.open(DATA / "SegmentationObject" / "2007_000001.png") as image:
        numbers = np.asarray(image)
    for number, annotation in enumerate([person, dog], start=1):
        mask = decode(rasterize(annotation.segmentation, 40, 60))
        assert np.array_equal(mask, numbers == number)
    # From the first pixel of the image to the last.
    assert boxed.box == (0, 30, 60, 40)
    assert person.attributes == (("pose", "Frontal"), ("truncated", "true"))
    assert dog.attributes == (("difficult", "true"),)
    assert (content.left_out, content.mended) == ((), ())
    assert [(category.name, category.count) for category in source.categories] == [
        ("person", 1),
        ("dog", 3),
    ]


def test_boxes_of_other_programs_are_edges():
    source = open_source(DATA / "Annotations" / "labelimg.xml", CONTEXT)
    (annotation,) = source.content(0, 40, 60).annotations
    assert annotation.box == (12, 22, 25, 30)
    assert [image.name for image in source.images] == ["JPEGImages/labelimg.png"]


def test_a_box_from_0_shows_that_a_file_does_not_count_from_1(tmp_path):
    path = written(tmp_path, voc(box(0, 5, 9, 9), database="The VOC2007 Database"))
    (annotation,) = open_source(path, CONTEXT).content(0, 40, 60).annotations
    assert annotation.box == (0, 5, 9, 9)


def test_boxes_out_of_the_image_are_cut_or_left_out_and_that_is_said(tmp_path):
    path = written(tmp_path, voc(box(50, 30, 70, 45) + box(5, 5, 5, 9) + box(70, 1, 80, 9)))
    content = open_source(path, CONTEXT).content(0, 40, 60)
    (annotation,) = content.annotations
    assert annotation.box == (50, 30, 60, 40)
    assert "object 1 ('dog') reached out" in content.mended[0]
    assert [("object 2" in one, "object 3" in one) for one in content.left_out] == [
        (True, False),
        (False, True),
    ]


def test_a_mask_that_numbers_more_objects_than_the_file_has_is_told(tmp_path):
    shutil.copytree(DATA, tmp_path / "voc")
    path = written(tmp_path / "voc" / "Annotations", voc(), "2007_000001.xml")
    content = open_source(path, CONTEXT).content(0, 40, 60)
    assert content.annotations == ()
    assert len(content.left_out) == 2
    assert "2007_000001.png: the number 1" in content.left_out[0]


def test_a_mask_of_another_size_is_refused(tmp_path):
    shutil.copytree(DATA, tmp_path / "voc")
    source = open_source(tmp_path / "voc", CONTEXT)
    Image.new("P", (8, 8)).save(tmp_path / "voc" / "SegmentationObject" / "2007_000001.png")
    with pytest.raises(UserError, match="8 by 8 pixels, its image 60 by 40"):
        source.content(0, 40, 60)


def test_an_image_that_comes_twice_is_refused(tmp_path):
    written(tmp_path, voc(), "one.xml")
    written(tmp_path, voc(), "two.xml")
    with pytest.raises(UserError, match=r"one\.xml and .*two\.xml"):
        open_source(tmp_path, CONTEXT)


def test_other_xml_files_are_passed_over_and_that_is_said(tmp_path):
    written(tmp_path, voc())
    written(tmp_path, "<project/>", "b.xml")
    source = open_source(tmp_path, CONTEXT)
    assert len(source.images) == 1
    assert any("b.xml" in note for note in source.notes)
    assert not is_voc(tmp_path / "b.xml")


LAUGHS = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
HOSTILE = {
    "entities": f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]>' + voc(box(1, 1, 9, 9, "&l9;")),
    "a file of this machine": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    + voc(box(1, 1, 9, 9, "&x;")),
    "cut off": voc(box(1, 1, 9, 9))[:-20],
    "an unknown entity": voc(box(1, 1, 9, 9, "&what;")),
    "an encoding that is none": '<?xml version="1.0" encoding="klingon"?>' + voc(),
    "no name": voc(box(1, 1, 9, 9, " ")),
    "no number": voc(box("x", 1, 9, 9)),
    "infinity": voc(box("inf", 1, 9, 9)),
    "not a number": voc(box("nan", 1, 9, 9)),
    "no corner": voc("<object><name>a</name><bndbox><xmin>1</xmin></bndbox></object>"),
    "a size of words": voc(size="<width>many</width>"),
    "a size beyond everything": voc(size=f"<width>{'9' * 5000}</width>"),
    "another root": f"<a>{voc()}</a>",
    "depth": "<annotation>" * 200_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_wrong_is_said_with_file(tmp_path, text):
    path = written(tmp_path, text)
    with pytest.raises(UserError) as raised:
        open_source(path, CONTEXT)
    assert str(path) in str(raised.value)
