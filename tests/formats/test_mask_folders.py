"""Masks without a table, as other programs and well-known data sets have them."""

import numpy as np
import pytest
from PIL import Image

from maskstudio.errors import UserError
from maskstudio.formats.mask_folders import open_mask_folder
from maskstudio.formats.sources import is_data_set, open_source
from maskstudio.progress import TaskContext

HEIGHT, WIDTH = 12, 16


def save(path, *squares, dtype=np.uint16, mode=None):
    """Write a mask with squares of four pixels: (row, column, number)."""
    values = np.zeros((HEIGHT, WIDTH), dtype)
    for row, column, number in squares:
        values[row : row + 2, column : column + 2] = number
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(values)
    (image.convert(mode) if mode else image).save(path)


def boxes(source, number):
    found = source.content(number, HEIGHT, WIDTH).annotations
    return [annotation.segmentation.box for annotation in found]


def test_numbers_are_instances(tmp_path):
    save(tmp_path / "masks" / "train" / "a.png", (0, 0, 1), (4, 4, 300), (8, 8, 300))
    save(tmp_path / "masks" / "b.png")
    assert is_data_set(tmp_path)
    source = open_source(tmp_path, TaskContext())
    assert {image.name: image.annotations for image in source.images} == {"b": 0, "train/a": 2}
    assert all(image.any_ending for image in source.images)
    assert [(c.name, c.count) for c in source.categories] == [("object", 2)]
    place = [image.name for image in source.images].index("train/a")
    assert boxes(source, place) == [(0, 0, 2, 2), (4, 4, 10, 10)]
    assert "each number in a mask" in source.notes[0]


@pytest.mark.parametrize(("number", "mode"), [(255, None), (1, None), (255, "1"), (255, "RGB")])
def test_black_and_white_are_told_apart_by_their_pieces(tmp_path, number, mode):
    squares = (0, 0, number), (4, 4, number), (6, 6, number)
    folder = tmp_path / "masks"
    save(folder / "a.png", *squares, dtype=np.uint8, mode=mode)
    save(folder / "b.png", dtype=np.uint8, mode=mode)
    source = open_source(folder, TaskContext())
    assert [image.annotations for image in source.images] == [3, 0]
    assert sorted(boxes(source, 0)) == [(0, 0, 2, 2), (4, 4, 6, 6), (6, 6, 8, 8)]
    assert "each connected piece" in source.notes[0]


def test_colours_are_numbers_too(tmp_path):
    values = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    values[:2, :2], values[4:6, 4:6] = (0, 0, 255), (1, 0, 0)
    (tmp_path / "masks").mkdir()
    Image.fromarray(values).save(tmp_path / "masks" / "a.png")
    assert boxes(open_mask_folder(tmp_path), 0) == [(0, 0, 2, 2), (4, 4, 6, 6)]


def test_a_picture_among_the_masks_is_told(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    (tmp_path / "masks").mkdir()
    Image.fromarray(noise).save(tmp_path / "masks" / "a.png")
    source = open_mask_folder(tmp_path)
    with pytest.raises(UserError, match=r"a\.png changes its numbers too often"):
        source.content(0, 200, 200)


def test_masks_beside_their_images(tmp_path):
    save(tmp_path / "a_masks.png", (0, 0, 1), (4, 4, 2))
    save(tmp_path / "b_instances.png", (0, 0, 1), (4, 4, 2))
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "a.png")
    source = open_source(tmp_path, TaskContext())
    assert [image.name for image in source.images] == ["a", "b"]


def test_a_folder_of_pictures_is_no_data_set(tmp_path):
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "a.png")
    assert not is_data_set(tmp_path)
    with pytest.raises(UserError, match="holds no masks"):
        open_mask_folder(tmp_path)


def test_two_masks_of_one_image(tmp_path):
    save(tmp_path / "a_mask.png")
    save(tmp_path / "a_masks.png")
    with pytest.raises(UserError, match="masks of the same image"):
        open_mask_folder(tmp_path)


def test_one_file_an_instance(tmp_path):
    for name, count in (("s1", 2), ("s2", 1)):
        for number in range(count):
            square = (4 * number, 0, 255)
            save(tmp_path / name / "masks" / f"{number}.png", square, dtype=np.uint8, mode="RGBA")
    Image.new("RGB", (WIDTH, HEIGHT)).save(_made(tmp_path / "s1" / "images") / "s1.png")
    _made(tmp_path / "s2" / "images")
    assert is_data_set(tmp_path)
    source = open_source(tmp_path, TaskContext())
    told = [(image.name, image.any_ending, image.annotations) for image in source.images]
    assert told == [("s1/images/s1.png", False, 2), ("s2/images/s2", True, 1)]
    assert boxes(source, 0) == [(0, 0, 2, 2), (0, 4, 2, 6)]
    assert [(c.name, c.count) for c in source.categories] == [("object", 3)]


def test_one_file_an_instance_that_is_wrong_is_left_out(tmp_path):
    folder = tmp_path / "s1" / "masks"
    save(folder / "1.png", (0, 0, 255))
    save(folder / "2.png")
    Image.new("L", (3, 3)).save(folder / "3.png")
    _made(tmp_path / "s1" / "images")
    content = open_mask_folder(tmp_path).content(0, HEIGHT, WIDTH)
    assert len(content.annotations) == 1
    assert content.left_out == (
        f"{folder / '2.png'} covers no pixel.",
        f"{folder / '3.png'} is of another size than 1.png.",
    )


def test_opening_can_be_stopped(tmp_path):
    class Stopped(TaskContext):
        def raise_if_cancelled(self):
            raise InterruptedError

    save(tmp_path / "masks" / "a.png")
    with pytest.raises(InterruptedError):
        open_mask_folder(tmp_path, Stopped())


def _made(folder):
    folder.mkdir(parents=True, exist_ok=True)
    return folder
