"""YOLO data sets as other programs write them, and those that are wrong."""

import numpy as np
import pytest
from PIL import Image

from maskstudio.annotation.annotation import ImageState
from maskstudio.errors import UserError
from maskstudio.formats.sources import is_data_set, open_source
from maskstudio.formats.yolo import open_yolo
from maskstudio.formats.yolo_layout import label_place
from maskstudio.progress import TaskContext

HEIGHT, WIDTH = 40, 80
SQUARE = "0.25 0.25 0.5 0.25 0.5 0.5 0.25 0.5"
RING = [[20, 10], [40, 10], [40, 20], [20, 20]]


def data_set(folder, labels, yaml="train: images\nval: images\nnames: [cell, 'no']\n", images=True):
    """Write one image for each name and its label file, None for no such file."""
    (folder / "data.yaml").write_text(yaml, encoding="utf-8")
    for name, text in labels.items():
        image = folder / "images" / name
        if images:
            image.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (WIDTH, HEIGHT)).save(image)
        if text is not None:
            label = folder / label_place(f"images/{name}")
            label.parent.mkdir(parents=True, exist_ok=True)
            label.write_text(text, encoding="utf-8")
    return folder / "data.yaml"


def only_content(path, **size):
    return open_yolo(path).content(0, size.get("height", HEIGHT), size.get("width", WIDTH))


def test_an_outline_is_scaled_to_the_image(tmp_path):
    source = open_source(data_set(tmp_path, {"a.png": f"1 {SQUARE}\n"}), TaskContext())
    (image,) = source.images
    assert (image.name, image.annotations, image.state) == ("images/a.png", 1, None)
    assert [(c.name, c.count) for c in source.categories] == [("cell", 0), ("no", 1)]
    (found,) = source.content(0, HEIGHT, WIDTH).annotations
    assert found.category == 1
    assert found.segmentation.ring(0, 0).tolist() == RING
    assert found.score is None


def test_the_folder_of_the_document_is_as_good_as_the_document(tmp_path):
    data_set(tmp_path, {"a.png": None})
    assert is_data_set(tmp_path)
    assert open_source(tmp_path, TaskContext()).title == "YOLO"


def test_boxes_outlines_scores_and_blank_lines_may_stand_together(tmp_path):
    text = f"0 0.5 0.5 0.25 0.5\n\n0 0.5 0.5 0.25 0.5 0.75\r\n1.0 {SQUARE} 0.5\n0 {SQUARE}"
    path = data_set(tmp_path, {"a.png": text})
    source = open_yolo(path)
    box, scored_box, scored, plain = source.content(0, HEIGHT, WIDTH).annotations
    assert (box.segmentation, box.box, box.score) == (None, (30, 10, 50, 30), None)
    assert (scored_box.box, scored_box.score) == ((30, 10, 50, 30), 0.75)
    assert (scored.category, scored.score, scored.segmentation.parts[0].outer.tolist()) == (
        1,
        0.5,
        RING,
    )
    assert plain.score is None
    assert source.notes == (f"{path}: 2 lines end in a score: they are a model's.",)


def test_an_empty_label_file_says_empty_and_none_says_nothing(tmp_path):
    source = open_yolo(data_set(tmp_path, {"a.png": "", "b.png": None, "c.png": " \n\n"}))
    assert [(image.name, image.state) for image in source.images] == [
        ("images/a.png", ImageState.EMPTY),
        ("images/b.png", None),
        ("images/c.png", ImageState.EMPTY),
    ]
    assert [source.content(n, HEIGHT, WIDTH).annotations for n in range(3)] == [(), (), ()]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0 0.1 0.1 0.2 0.2 0.3 nought", "holds something that is no number"),
        ("0 0.1 0.1 0.2 0.2 0.3 nan", "no finite number"),
        ("0 0.1 0.1 0.2 0.2 0.3 1e999", "no finite number"),
        ("0 0.1 0.1 0.2", "neither a box of four numbers nor an outline"),
        ("0 0.1 0.1 0.2 0.2 0.3 0.3 7", "odd number of coordinates"),
        ("0 10 10 40 10 40 20 10 20", "shares of the image's width and height"),
        ("0 0.1 0.1 0.2 0.2 0.3 0.3", "no area"),
        ("0 0.1 0.1 0 0.2", "is a box without an area"),
        ("cell 0.1 0.1 0.2 0.2", "begins with 'cell', which is no class"),
        ("0.5 0.1 0.1 0.2 0.2", "begins with '0.5', which is no class"),
        ("-inf 0.1 0.1 0.2 0.2", "begins with '-inf', which is no class"),
    ],
)
def test_a_wrong_line_is_left_out_and_told_with_its_place(tmp_path, line, said):
    path = data_set(tmp_path, {"sub/a.png": f"0 {SQUARE}\n{line}\n"})
    content = only_content(path)
    assert len(content.annotations) == 1
    (told,) = content.left_out
    assert told.startswith(f"{tmp_path / 'labels/sub/a.txt'}, line 2 ")
    assert said in told


def test_an_outline_that_crosses_itself_is_mended_and_told(tmp_path):
    path = data_set(tmp_path, {"a.png": "0 0.25 0.25 0.75 0.75 0.75 0.25 0.25 0.75"})
    content = only_content(path)
    (found,) = content.annotations
    assert found.segmentation.is_valid
    assert content.mended[0].startswith(f"{tmp_path / 'labels/a.txt'}, line 1 ")


def test_rounding_beyond_the_edge_is_no_matter_and_more_is_cut_and_told(tmp_path):
    text = "0 0 0 1.000001 0 1.000001 1 0 1\n0 0 0 1.005 0 1.005 1 0 1"
    content = only_content(data_set(tmp_path, {"a.png": text}))
    assert [a.segmentation.box for a in content.annotations] == [(0, 0, WIDTH, HEIGHT)] * 2
    (told,) = content.mended
    assert "line 2 reached out of the image" in told


def test_a_class_without_a_name_is_found_when_the_data_set_is_opened(tmp_path):
    path = data_set(tmp_path, {"a.png": f"0 {SQUARE}\n2 {SQUARE}"})
    with pytest.raises(UserError, match=r"a\.txt, line 2 has class 2, which .*data\.yaml"):
        open_yolo(path)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("names: [a, b]", ["a", "b"]),
        ("names: {1: b, 0: a}", ["a", "b"]),
        ("names:\n  0: a\n  7: b", ["a", "b"]),
        ("nc: 2", ["class_0", "class_1"]),
        ("names: [' yes ', 细胞]", ["yes", "细胞"]),
    ],
)
def test_names_are_a_list_or_a_table(tmp_path, names, expected):
    path = data_set(tmp_path, {"a.png": None}, f"train: images\n{names}\n")
    assert [category.name for category in open_yolo(path).categories] == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("train: images\nnames: [a, a]", "0 and 1 are both called 'a'"),
        ("train: images\nnames: [a, '']", "class 1 has no name"),
        ("train: images\nnames: [a, [b]]", "class 1 has no name"),
        ("train: images\nnames: {a: b}", "class numbers 0, 1, 2"),
        ("train: images\nnames: {0: a, 0.0: b}", "class numbers 0, 1, 2"),
        ("train: images\nnames: {-1: a}", "class numbers 0, 1, 2"),
        ("train: images\nnames: a", "neither a list nor a table"),
        ("train: images\nnames: []", "names no classes"),
        ("train: images", "names no classes"),
        ("train: images\nnc: 999999999999", "names no classes"),
        ("train: {a: b}\nnames: [a]", "no folder and no file"),
        ("train: images\npath: [a]\nnames: [a]", "path is no text"),
        ("train: nowhere\nnames: [a]", "no image and no label of it was found"),
        ("services: {web: 1}", "is no data.yaml of YOLO"),
        ("- a", "is no data.yaml of YOLO"),
    ],
)
def test_a_document_that_is_wrong(tmp_path, text, said):
    path = data_set(tmp_path, {"a.png": None}, text)
    with pytest.raises(UserError, match=r"data\.yaml") as told:
        open_yolo(path)
    assert said in str(told.value)


LAYOUTS = {
    "a folder": "train: images/t\nval: images/v",
    "lists of folders": "train: [images/t, images/v]",
    "below path": "path: ../set\ntrain: images/t\nval: images/v",
    "a path of another computer": "path: /data/of/somebody\ntrain: images/t\nval: images/v",
    "as Roboflow says it": "train: ../images/t\nval: ../images/v",
    "with backslashes": "train: images\\t\nval: images\\v",
    "one above the other": "train: images",
    "a list": "train: list.txt",
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_wherever_the_images_lie_their_labels_are_found(tmp_path, layout):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "list.txt").write_text("./images/t/x/a.png\nimages\\v\\b.png\n\nREADME\n")
    labels = {"t/x/a.png": f"0 {SQUARE}", "v/b.png": f"0 {SQUARE}\n0 {SQUARE}"}
    source = open_yolo(data_set(folder, labels, f"{layout}\nnames: [a]\n"))
    assert {image.name: image.annotations for image in source.images} == {
        "images/t/x/a.png": 1,
        "images/v/b.png": 2,
    }
    assert len(source.content(1, HEIGHT, WIDTH).annotations) == source.images[1].annotations


def test_what_is_not_there_is_noted(tmp_path):
    path = data_set(tmp_path, {"a.png": None}, "train: images\nval: gone\nnames: [a]")
    assert open_yolo(path).notes == (f"{path}: val leads to 'gone', which is not there.",)


@pytest.mark.parametrize("line", ["path: {}\ntrain: images", "train: [images, {}]"])
@pytest.mark.parametrize("name", ["x" * 5000, "y/" * 3000, '"a\\0b"'])
def test_places_that_no_system_knows(tmp_path, line, name):
    path = data_set(tmp_path, {"a.png": None}, f"{line.format(name)}\nnames: [a]")
    source = open_yolo(path)
    assert len(source.images) == 1
    assert "which is not there" in source.notes[0]


def test_images_of_a_list_that_no_system_knows(tmp_path):
    path = data_set(tmp_path, {}, "train: list.txt\nnames: [a]")
    (tmp_path / "list.txt").write_text(f"{'x' * 5000}.png\nimages/a\0.png\n")
    source = open_yolo(path)
    assert [source.content(n, 9, 9).annotations for n in range(len(source.images))] == [(), ()]


def test_a_whole_disk_is_no_folder_of_images(tmp_path):
    path = data_set(tmp_path, {}, "path: /\ntrain: .\nnames: [a]")
    with pytest.raises(UserError, match="no image and no label of it was found"):
        open_yolo(path)


def test_labels_without_their_images_name_them_but_for_the_ending(tmp_path):
    path = data_set(tmp_path, {"sub/a.b.png": f"0 {SQUARE}"}, images=False)
    (image,) = open_yolo(path).images
    assert (image.name, image.any_ending) == ("images/sub/a.b", True)


def test_a_label_whose_image_is_not_there_is_not_lost(tmp_path):
    path = data_set(tmp_path, {"a.png": f"0 {SQUARE}", "b.png": f"0 {SQUARE}"})
    (tmp_path / "images" / "b.png").unlink()
    (tmp_path / "labels" / "classes.txt").write_text("cell\n")
    source = open_yolo(path)
    assert [(image.name, image.any_ending) for image in source.images] == [
        ("images/a.png", False),
        ("images/b", True),
    ]
    assert len(source.content(1, HEIGHT, WIDTH).annotations) == 1


def test_labels_beside_their_images(tmp_path):
    path = data_set(tmp_path, {}, "train: pictures\nnames: [a]")
    (tmp_path / "pictures").mkdir()
    Image.new("L", (WIDTH, HEIGHT)).save(tmp_path / "pictures" / "a.jpg")
    (tmp_path / "pictures" / "a.txt").write_text(f"0 {SQUARE}")
    (tmp_path / "pictures" / "readme.txt").write_text("Not a label file.")
    (image,) = open_yolo(path).images
    assert (image.name, image.annotations) == ("pictures/a.jpg", 1)


def test_names_in_a_file_of_their_own(tmp_path):
    data_set(tmp_path, {"a.png": f"1 {SQUARE}"})
    (tmp_path / "data.yaml").unlink()
    (tmp_path / "classes.txt").write_text("cell\nnucleus\n")
    source = open_source(tmp_path, TaskContext())
    assert [(c.name, c.count) for c in source.categories] == [("cell", 0), ("nucleus", 1)]
    assert len(source.content(0, HEIGHT, WIDTH).annotations) == 1


def test_key_points_are_passed_over(tmp_path):
    yaml = "train: images\nkpt_shape: [2, 3]\nnames: [a]"
    path = data_set(tmp_path, {"a.png": "0 0.5 0.5 0.25 0.5 0.1 0.1 2 0.3 0.3 1"}, yaml)
    source = open_yolo(path)
    (found,) = source.content(0, HEIGHT, WIDTH).annotations
    assert found.box == (30, 10, 50, 30)
    assert "key points" in source.notes[0]


@pytest.mark.parametrize("raw", [b"\xff\xfe0 0 0", b"\x00" * 8])
def test_a_label_file_that_is_no_text(tmp_path, raw):
    path = data_set(tmp_path, {"a.png": ""})
    (tmp_path / "labels" / "a.txt").write_bytes(raw)
    if raw[0]:
        with pytest.raises(UserError, match=r"a\.txt is no label file"):
            open_yolo(path)
    else:
        assert "is no class" in only_content(path).left_out[0]


def test_a_folder_in_the_place_of_a_label_file(tmp_path):
    path = data_set(tmp_path, {"a.png": None})
    (tmp_path / "labels" / "a.txt").mkdir(parents=True)
    with pytest.raises(UserError, match=r"a\.txt is no label file"):
        open_yolo(path)


def test_the_last_folder_called_images_counts():
    assert label_place("images/train/images/a.b.png") == "images/train/labels/a.b.txt"
    assert label_place("images/a.png") == "labels/a.txt"
    assert label_place("pictures/a.png") == "pictures/a.txt"


def test_opening_can_be_stopped(tmp_path):
    class Stopped(TaskContext):
        def raise_if_cancelled(self):
            raise InterruptedError

    path = data_set(tmp_path, {"a.png": None})
    with pytest.raises(InterruptedError):
        open_yolo(path, Stopped())


def test_many_corners_are_read_quickly_enough(tmp_path):
    turn = np.linspace(0, 2 * np.pi, 20_000, endpoint=False)
    ring = np.stack([0.5 + 0.4 * np.cos(turn), 0.5 + 0.4 * np.sin(turn)], axis=1)
    text = " ".join(map(str, ring.ravel().tolist()))
    (found,) = only_content(data_set(tmp_path, {"a.png": f"0 {text}"})).annotations
    assert found.segmentation.vertex_count == 20_000
