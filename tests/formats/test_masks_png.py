"""Masks leave as PNG files with a table, and come back to the pixel as far as they can be seen."""

import json
import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from PIL import Image

from maskstudio.annotation.annotation import (
    Annotation,
    Category,
    Dataset,
    ImageRecord,
    ImageState,
    ImageStatus,
)
from maskstudio.annotation.masks import decode, rasterize
from maskstudio.annotation.outlines import outline_of
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.errors import UserError
from maskstudio.formats.masks_png import open_mask_table
from maskstudio.formats.masks_png_proof import prove_masks
from maskstudio.formats.masks_png_writer import write_category_masks, write_instance_masks
from maskstudio.formats.options import ExportFormat, ExportOptions, ExportPart
from maskstudio.formats.sources import is_data_set, open_source
from maskstudio.progress import TaskContext
from support.annotation_sets import CATEGORY_IDS, HEIGHT, WIDTH, annotation_stacks

OPTIONS = ExportOptions(ExportFormat.INSTANCE_MASKS, tuple(ImageState))
CATEGORIES = (Category(2, "Zelle", "Gewebe", "#102030"), Category(3, "細胞"), Category(9, "no"))
BACK = Segmentation.from_rings([(2, 2), (10, 2), (10, 8), (2, 8)])
FRONT = Segmentation.from_rings([(6, 2), (14, 2), (14, 8), (6, 8)])


def one_image(*annotations, state=ImageState.VERIFIED):
    image = ImageRecord(4, "sub/ä.jpg", HEIGHT, WIDTH, ImageStatus(state))
    return [ExportPart("", Dataset(CATEGORIES, (image,), {4: annotations}))]


def pixels(outline):
    return decode(rasterize(outline, HEIGHT, WIDTH))


@given(annotation_stacks())
def test_instances_come_back_as_far_as_they_are_in_front(annotations):
    expected = np.zeros((HEIGHT, WIDTH), int)
    for annotation in annotations:
        expected[pixels(outline_of(annotation))] = annotation.id
    seen = [a for a in annotations if (expected == a.id).any()]
    with tempfile.TemporaryDirectory() as folder:
        report = write_instance_masks(one_image(*annotations), Path(folder), OPTIONS)
        content = open_mask_table(Path(folder)).content(0, HEIGHT, WIDTH)
    assert (report.images, report.annotations) == (1, len(seen))
    assert len(report.left_out) == len(annotations) - len(seen)
    assert (content.left_out, content.mended) == ((), ())
    for before, after in zip(seen, content.annotations, strict=True):
        assert CATEGORY_IDS[after.category] == before.category_id
        assert after.iscrowd == before.iscrowd
        assert np.array_equal(pixels(after.segmentation), expected == before.id)
        assert (after.box, after.score, after.attributes, after.note) == (None, None, (), "")


@given(annotation_stacks())
def test_categories_come_back_in_pieces(annotations):
    expected = np.zeros((HEIGHT, WIDTH), int)
    for annotation in annotations:
        expected[pixels(outline_of(annotation))] = annotation.category_id
    with tempfile.TemporaryDirectory() as folder:
        write_category_masks(one_image(*annotations), Path(folder), OPTIONS)
        source = open_mask_table(Path(folder))
        found = source.content(0, HEIGHT, WIDTH).annotations
    painted = np.zeros_like(expected)
    for one in found:
        assert len(one.segmentation.parts) == 1
        painted[pixels(one.segmentation)] = CATEGORY_IDS[one.category]
    assert np.array_equal(painted, expected)
    assert source.images[0].annotations == len(found)


def broken_pixel(folder):
    path = folder / "masks" / "sub" / "ä.png"
    with Image.open(path) as image:
        image.putpixel((9, 3), 1)
        image.save(path)


def broken_table(change):
    def change_table(folder):
        path = folder / "masks.json"
        whole = json.loads(path.read_text("utf-8"))
        change(whole)
        path.write_text(json.dumps(whole), encoding="utf-8")

    return change_table


@pytest.mark.parametrize(
    ("write", "damage", "said"),
    [
        (write_instance_masks, lambda _: None, None),
        (write_category_masks, lambda _: None, None),
        (write_instance_masks, broken_pixel, "a mask that is not what is on screen"),
        (write_category_masks, broken_pixel, "a mask that is not what is on screen"),
        (
            write_instance_masks,
            broken_table(lambda whole: whole["images"][0]["instances"].pop()),
            "has instances in masks.json that are not what is on screen",
        ),
        (
            write_instance_masks,
            broken_table(lambda whole: whole["images"][0]["instances"][0].update(crowd=True)),
            "has instances in masks.json that are not what is on screen",
        ),
        (
            write_category_masks,
            broken_table(lambda whole: whole["categories"][0].update(value=7)),
            "a mask that is not what is on screen",
        ),
        (write_instance_masks, broken_table(lambda w: w["images"].clear()), "lists 0 images"),
        (
            write_instance_masks,
            broken_table(lambda whole: whole["images"][0].update(image="other.jpg")),
            "has a mask of another image",
        ),
        (write_instance_masks, lambda f: (f / "masks" / "sub" / "ä.png").unlink(), "is not there"),
    ],
)
def test_the_proof_finds_what_is_not_on_screen(tmp_path, write, damage, said):
    hidden = Annotation(4, 3, BACK)
    parts = one_image(hidden, Annotation(5, 2, BACK), Annotation(6, 9, FRONT))
    written = write(parts, tmp_path, OPTIONS)
    damage(tmp_path)
    proof = prove_masks(parts, tmp_path, OPTIONS, written, TaskContext())
    if said is None:
        assert proof.problems == ()
        assert proof.sentences[0] == "1 image, 2 annotations."
    else:
        (problem,) = proof.problems
        assert said in problem


def test_what_is_behind_is_told(tmp_path):
    annotations = Annotation(5, 2, BACK), Annotation(6, 3, FRONT), Annotation(7, 9, FRONT)
    report = write_instance_masks(one_image(*annotations), tmp_path, OPTIONS)
    assert report.changed == (
        "sub/ä.jpg: annotation 5 lies partly behind others: 24 of its 48 pixels are theirs.",
    )
    assert report.left_out == (
        "sub/ä.jpg: annotation 6 lies wholly behind others and is not in the mask.",
    )
    (image,) = json.loads((tmp_path / "masks.json").read_text("utf-8"))["images"]
    assert image["instances"] == [{"id": 1, "category": "Zelle"}, {"id": 3, "category": "no"}]


def test_other_instances_of_the_same_category_hide_nothing_of_it(tmp_path):
    annotations = Annotation(5, 2, BACK), Annotation(6, 2, FRONT)
    assert write_category_masks(one_image(*annotations), tmp_path, OPTIONS).changed == ()


def test_the_files_are_those_that_other_programs_read(tmp_path):
    boxed = Annotation(5, 2, None, (1, 1, 4, 4))
    report = write_instance_masks(one_image(boxed, Annotation(6, 9, FRONT)), tmp_path, OPTIONS)
    assert report.changed == (
        "sub/ä.jpg: annotation 5 is a box alone; it was written as a rectangle.",
    )
    with Image.open(tmp_path / "masks" / "sub" / "ä.png") as image:
        assert image.mode == "I;16"
        values = np.asarray(image)
    assert {*values.ravel().tolist()} == {0, 1, 2}
    assert (values[3, 10], values[1, 1], values[0, 0]) == (2, 1, 0)


def test_category_masks_show_the_colours_of_the_categories(tmp_path):
    annotations = Annotation(5, 2, BACK), Annotation(6, 9, FRONT)
    write_category_masks(one_image(*annotations), tmp_path, OPTIONS)
    with Image.open(tmp_path / "masks" / "sub" / "ä.png") as image:
        assert image.mode == "P"
        assert (image.getpixel((3, 3)), image.getpixel((12, 3)), image.getpixel((0, 0))) == (
            1,
            3,
            0,
        )
        assert image.convert("RGB").getpixel((3, 3)) == (0x10, 0x20, 0x30)
    categories = json.loads((tmp_path / "masks.json").read_text("utf-8"))["categories"]
    assert categories[0] == {
        "name": "Zelle",
        "supercategory": "Gewebe",
        "colour": "#102030",
        "value": 1,
    }
    source = open_source(tmp_path, TaskContext())
    assert [(c.name, c.supercategory, c.count) for c in source.categories] == [
        ("Zelle", "Gewebe", 1),
        ("細胞", "", 0),
        ("no", "", 1),
    ]
    assert "each connected piece" in source.notes[0]


def test_more_categories_than_a_palette_has_colours(tmp_path):
    categories = tuple(Category(n, f"c{n}") for n in range(1, 301))
    image = ImageRecord(4, "a.png", HEIGHT, WIDTH)
    dataset = Dataset(categories, (image,), {4: (Annotation(5, 300, FRONT),)})
    write_category_masks([ExportPart("", dataset)], tmp_path, OPTIONS)
    (found,) = open_mask_table(tmp_path).content(0, HEIGHT, WIDTH).annotations
    assert found.category == 299


@pytest.mark.parametrize(
    ("state", "said"),
    [(ImageState.EMPTY, ImageState.EMPTY), (ImageState.EDITED, ImageState.EDITED)]
    + [(state, None) for state in (ImageState.NEW, ImageState.PREDICTED, ImageState.SKIPPED)],
)
def test_states_that_a_person_gave_come_back(tmp_path, state, said):
    write_instance_masks(one_image(state=state), tmp_path, OPTIONS)
    (image,) = open_mask_table(tmp_path).images
    assert (image.name, image.height, image.width) == ("sub/ä.jpg", HEIGHT, WIDTH)
    assert (image.state, image.annotations) == (said, 0)


def test_parts_lie_in_folders_of_their_own_and_names_never_collide(tmp_path):
    parts = [
        ExportPart("train", Dataset(CATEGORIES, (ImageRecord(1, "a.png", 9, 9),))),
        ExportPart("val", Dataset(CATEGORIES, (ImageRecord(2, "a.jpg", 9, 9),))),
    ]
    write_instance_masks(parts, tmp_path, OPTIONS)
    files = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.png")}
    assert files == {"masks/train/a_png.png", "masks/val/a_jpg.png"}
    assert [image.name for image in open_mask_table(tmp_path).images] == ["a.png", "a.jpg"]


def test_the_same_project_gives_the_same_bytes(tmp_path):
    contents = []
    for write in (write_instance_masks, write_instance_masks):
        folder = tmp_path / str(len(contents))
        folder.mkdir()
        write(one_image(Annotation(5, 2, BACK)), folder, OPTIONS)
        contents.append([p.read_bytes() for p in sorted(folder.rglob("*.*"))])
    assert contents[0] == contents[1]


@pytest.mark.parametrize(
    ("height", "said"), [(0, "size of a.png is not known"), (10**6, "too many for a mask")]
)
def test_an_image_that_can_have_no_mask(tmp_path, height, said):
    image = ImageRecord(1, "a.png", height, 10**6)
    with pytest.raises(UserError, match=said):
        write_instance_masks([ExportPart("", Dataset(CATEGORIES, (image,)))], tmp_path, OPTIONS)


def table(folder, **changes):
    """Write a table of one mask with the numbers 1 and 2, and change it."""
    values = np.zeros((6, 8), np.uint16)
    values[:2, :2], values[3:, 3:] = 1, 2
    Image.fromarray(values).save(folder / "a.png")
    instances = [{"id": 1, "category": "a"}, {"id": 2, "category": "b", "crowd": True}]
    image = {"image": "x/a.jpg", "mask": "a.png", "height": 6, "width": 8, "instances": instances}
    whole = {"format": "instance-masks", "categories": [{"name": "a"}, {"name": "b"}]}
    whole["images"] = [image | changes.pop("image", {})]
    (folder / "masks.json").write_text(json.dumps(whole | changes), encoding="utf-8")
    return folder / "masks.json"


def test_a_table_of_another_program(tmp_path):
    path = table(tmp_path)
    assert is_data_set(path)
    source = open_source(path, TaskContext())
    assert [(c.name, c.count) for c in source.categories] == [("a", 1), ("b", 1)]
    first, second = source.content(0, 6, 8).annotations
    assert first.segmentation.box == (0, 0, 2, 2)
    assert (second.segmentation.box, second.iscrowd) == ((3, 3, 8, 6), True)


def test_numbers_without_a_line_and_lines_without_a_number(tmp_path):
    instances = [{"id": 2, "category": "a"}, {"id": 3, "category": "a"}]
    content = open_mask_table(table(tmp_path, image={"instances": instances})).content(0, 6, 8)
    assert len(content.annotations) == 1
    assert [text.partition(": ")[2] for text in content.left_out] == [
        "the number 1 is not in the table.",
        "no pixel has the number 3.",
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"image": {"mask": "../a.png"}}, "images[0] has the mask '../a.png', which is not beside"),
        ({"image": {"mask": "/a.png"}}, "which is not beside"),
        ({"image": {"mask": "C:a.png"}}, "which is not beside"),
        ({"image": {"mask": "b\\a.png"}}, "which is not beside"),
        ({"image": {"mask": ""}}, "which is not beside"),
        ({"image": {"mask": "x" * 5000}}, "which is not beside"),
        ({"image": {"mask": "x" * 900}}, "cannot be read"),
        ({"image": {"instances": ["\ud800"]}}, "is not JSON"),
        ({"image": {"mask": "gone.png"}}, "gone.png is not there"),
        ({"image": {"mask": "."}}, "is not there"),
        ({"image": {"mask": "masks.json"}}, "is no PNG file"),
        ({"image": {"height": 7}}, "but its table says 8 by 7"),
        ({"image": {"height": 10**9}}, "as no mask has"),
        ({"image": {"image": ""}}, "does not say whose mask it is"),
        ({"image": {"instances": [{"id": 0, "category": "a"}]}}, "instances[0] has the id 0"),
        ({"image": {"instances": [{"id": 1, "category": "a"}] * 2}}, "instances[1] has the id 1"),
        ({"image": {"instances": [{"id": 1, "category": "c"}]}}, "category 'c', which is not"),
        ({"image": {"state": "finished"}}, "is no table of masks"),
        ({"image": {"height": "6"}}, "is no table of masks"),
        ({"categories": [{"name": "a"}, {"name": "a"}]}, "categories[1] has the name 'a', as"),
        ({"images": ["\ud800"]}, "is not JSON"),
        ({"categories": [{"name": ""}]}, "categories[0] has no name"),
        ({"categories": [{"name": "a", "colour": "red"}]}, "the colour 'red'"),
        ({"images": 5}, "is no table of masks"),
        ({"format": "category-masks"}, "has the value '0', as"),
    ],
)
def test_a_table_that_is_wrong(tmp_path, changes, said):
    with pytest.raises(UserError) as told:
        open_mask_table(table(tmp_path, **changes))
    assert said in str(told.value)
    assert str(tmp_path) in str(told.value)
    assert len(str(told.value)) < 2000


def png(width, height, depth=8, colour=0):
    """Return the beginning of a PNG file of any size, and no pixels."""

    def chunk(kind, body):
        crc = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("width", "height", "colour"),
    [(100_000, 100_000, 0), (2**31 - 1, 2**31 - 1, 0), (10_000, 10_000, 2), (0, 10, 0)],
)
def test_a_mask_that_claims_too_many_pixels_is_never_decoded(tmp_path, width, height, colour):
    path = table(tmp_path)
    (tmp_path / "a.png").write_bytes(png(width, height, colour=colour))
    with pytest.raises(UserError, match=r"a\.png says that it has .* cut it into tiles"):
        open_mask_table(path)


@pytest.mark.parametrize("cut", [20, 40, 60, -30])
def test_a_damaged_mask_is_told_when_it_is_read(tmp_path, cut):
    path = table(tmp_path)
    raw = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(raw[:cut])
    with pytest.raises(UserError, match=r"a\.png is (damaged|no PNG file)"):
        open_mask_table(path).content(0, 6, 8)
