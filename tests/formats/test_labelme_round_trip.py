"""What goes out as labelme comes back as it was, but for what labelme cannot hold."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
from hypothesis import given, settings

from maskstudio.annotation.annotation import (
    Annotation,
    Category,
    Dataset,
    ImageRecord,
    ImageState,
    ImageStatus,
)
from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from maskstudio.formats.labelme import open_labelme
from maskstudio.formats.labelme_writer import write_labelme
from maskstudio.formats.options import ExportFormat, ExportOptions, ExportPart
from maskstudio.progress import TaskContext
from support.roundtrip import HEIGHT, WIDTH, outlines, same_outline

OPTIONS = ExportOptions(ExportFormat.LABELME, tuple(ImageState))
CONTEXT = TaskContext()
CATEGORIES = (Category(2, "Zelle", "Gewebe"), Category(1, "細胞 🧬"), Category(7, "unused"))


def written(folder, *parts):
    return write_labelme(parts, folder, OPTIONS, CONTEXT)


def whole(images, annotations):
    return ExportPart("", Dataset(CATEGORIES, images, annotations))


def image(number, path, state=ImageState.EDITED):
    return ImageRecord(number, path, HEIGHT, WIDTH, ImageStatus(state))


words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)
boxes = st.tuples(st.integers(0, 20), st.floats(0, 15), st.floats(21, 60), st.floats(16, 40))


@st.composite
def annotations(draw):
    """As `Annotation`s may be: an outline or a box, a person's or an untouched model's."""
    box = draw(st.none() | boxes)
    score = draw(st.none() | st.floats(0, 1))
    return Annotation(
        draw(st.integers(1, 10**9)),
        draw(st.sampled_from([1, 2])),
        draw(outlines()) if box is None else None,
        box,
        model_id=None if score is None else "m",
        score=score,
        touched=score is None,
        iscrowd=draw(st.booleans()),
        attributes=tuple(
            sorted(draw(st.dictionaries(words, words | st.sampled_from(["true", "false"]))).items())
        ),
        note=draw(st.text(st.characters(codec="utf-8"), max_size=8)),
    )


@settings(max_examples=60)
@given(st.lists(annotations(), max_size=3, unique_by=lambda annotation: annotation.id))
def test_a_round_trip_keeps_all_that_an_annotation_says(drawn):
    part = whole((image(1, "a/b.png"),), {1: tuple(drawn)})
    with TemporaryDirectory() as name:
        report = written(Path(name), part)
        source = open_labelme(Path(name), CONTEXT)
        content = source.content(0, HEIGHT, WIDTH)
    assert (report.annotations, report.left_out, report.changed) == (len(drawn), (), ())
    assert (content.left_out, content.mended) == ((), ())
    names = {category.id: category.name for category in CATEGORIES}
    assert len(content.annotations) == len(drawn)
    for before, after in zip(drawn, content.annotations, strict=True):
        assert same_outline(before.segmentation, after.segmentation)
        assert after.box == before.box_only
        assert source.categories[after.category].name == names[before.category_id]
        assert after.score == before.score
        assert after.iscrowd == before.iscrowd
        assert after.attributes == before.attributes
        assert after.note == before.note


def test_categories_without_a_shape_and_their_order_come_back(tmp_path):
    written(tmp_path, whole((image(1, "a.png"),), {}))
    source = open_labelme(tmp_path, CONTEXT)
    assert [category.name for category in source.categories] == ["Zelle", "細胞 🧬", "unused"]
    # labelme has neither colours nor wider classes.
    assert {category.supercategory for category in source.categories} == {""}


def test_images_come_back_with_their_names_sizes_and_verdicts(tmp_path):
    square = Segmentation.from_rings([(1, 1), (5, 1), (5, 5)])
    images = (
        image(3, "füße/a.png", ImageState.VERIFIED),
        image(4, "füße/a.jpg", ImageState.EMPTY),
        image(5, "b.png", ImageState.PREDICTED),
    )
    written(tmp_path, whole(images, {3: (Annotation(1, 1, square),)}))
    source = open_labelme(tmp_path, CONTEXT)
    found = {entry.name: entry.state for entry in source.images}
    assert found == {
        "füße/a.png": ImageState.VERIFIED,
        "füße/a.jpg": ImageState.EMPTY,
        "b.png": None,
    }
    assert {(entry.height, entry.width) for entry in source.images} == {(HEIGHT, WIDTH)}


def test_each_split_has_a_folder_and_all_have_the_same_categories(tmp_path):
    parts = [
        ExportPart("train", Dataset(CATEGORIES, (image(1, "a.png"),))),
        ExportPart("val", Dataset(CATEGORIES, (image(2, "c/a.png"),))),
    ]
    written(tmp_path, *parts)
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert files == {"labels.txt", "train/a.json", "val/c/a.json"}
    raw = json.loads((tmp_path / "val/c/a.json").read_text(encoding="ascii"))
    assert (raw["imagePath"], raw["imageData"]) == ("a.png", None)


def test_the_same_data_set_gives_the_same_bytes(tmp_path, small_dataset):
    part = ExportPart("", small_dataset)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        written(tmp_path / name, part)
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in ("one", "two")
    )
    assert one == two
    assert set(one) == {"a 1.json", "b.json", "empty.json", "labels.txt"}


def test_rings_that_cross_are_written_along_their_pixels_and_that_is_said(tmp_path):
    crossing = Part(
        as_ring([(2, 2), (20, 2), (20, 20), (2, 20)]), (as_ring([(10, 5), (30, 5), (30, 9)]),)
    )
    annotation = Annotation(8, 1, Segmentation((crossing,)))
    report = written(tmp_path, whole((image(1, "a.png"),), {1: (annotation,)}))
    assert report.annotations == 1
    (sentence,) = report.changed
    assert sentence.startswith("a.png: annotation 8 ")
