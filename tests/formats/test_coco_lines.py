"""The annotations of a COCO file are found by image, whether it has one entry a line or not."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from maskstudio.annotation.annotation import Dataset
from maskstudio.errors import CancelledError
from maskstudio.formats.coco_lines import CocoLines, open_lines
from maskstudio.progress import TaskContext

SILENT = TaskContext()
WriteFile = Callable[[Dataset], Path]


def told(lines: CocoLines) -> tuple[object, ...]:
    on_images = {
        image_id: json.loads(lines.annotations(numbers))
        for image_id, numbers in lines.by_image.items()
    }
    return lines.keys, list(lines.images), list(lines.categories), list(lines.ids), on_images


def as_it_is(text: str) -> str:
    return text


def in_one_line(text: str) -> str:
    return json.dumps(json.loads(text))


def indented(text: str) -> str:
    return json.dumps(json.loads(text), indent=1)


def with_more_behind(text: str) -> str:
    return text.rstrip().removesuffix("}") + ',"more":[]}\n'


@pytest.mark.parametrize("layout", [as_it_is, in_one_line, indented, with_more_behind])
def test_any_layout_tells_the_same(
    small_dataset: Dataset, write_file: WriteFile, layout: Callable[[str], str]
) -> None:
    path = write_file(small_dataset)
    raw = json.loads(path.read_bytes())
    text = layout(path.read_text(encoding="ascii"))
    path.write_text(text, encoding="ascii")
    with open_lines(path, SILENT) as lines:
        keys, images, categories, ids, on_images = told(lines)
        assert lines.annotations([0, 2, 3]) != lines.annotations([0, 1, 2])
        assert json.loads(lines.annotations([])) == []
        some = [raw["annotations"][n] for n in (0, 2, 3)]
        assert json.loads(lines.annotations([0, 2, 3])) == some
    assert keys == json.loads(text).keys()
    assert images == raw["images"]
    assert categories == raw["categories"]
    assert ids == [entry["id"] for entry in raw["annotations"]]
    assert on_images == {
        image_id: [entry for entry in raw["annotations"] if entry["image_id"] == image_id]
        for image_id in (4, 5)
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("}\n],\n", "},\n],\n"),
        ("}\n],\n", "}],\n"),
        ("},\n{", "}\n{"),
        ('"images":[\n', '"images":[\n,'),
        ('{"id":1,"image_id"', '{"id":1 "image_id"'),
        ("\n]\n}\n", "\n]\n}\n}"),
        ("\n]\n}\n", "\n]\n"),
    ],
    ids=["comma too many", "one line less", "no comma", "comma first", "half", "more", "less"],
)
def test_what_is_no_json_is_what_it_is_for_pycocotools(
    small_dataset: Dataset, write_file: WriteFile, old: str, new: str
) -> None:
    path = write_file(small_dataset)
    text = path.read_text(encoding="ascii")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="ascii")
    try:
        json.loads(path.read_bytes())
    except ValueError:
        with pytest.raises(ValueError, match="line"), open_lines(path, SILENT):
            pass
    else:
        with open_lines(path, SILENT) as lines:
            assert len(lines.ids) == 5


@pytest.mark.parametrize("wrong", ["{}", '{"id":[1]}'])
@pytest.mark.parametrize("key", ["images", "categories"])
def test_entries_that_pycocotools_cannot_index_are_refused(
    small_dataset: Dataset, write_file: WriteFile, key: str, wrong: str
) -> None:
    path = write_file(small_dataset)
    text = path.read_text(encoding="ascii")
    path.write_text(text.replace(f'"{key}":[\n', f'"{key}":[\n{wrong},\n'), encoding="ascii")
    with pytest.raises((KeyError, TypeError)), open_lines(path, SILENT):
        pass


class Cancelled(TaskContext):
    def raise_if_cancelled(self) -> None:
        raise CancelledError


def test_cancel_is_heard(small_dataset: Dataset, write_file: WriteFile) -> None:
    with pytest.raises(CancelledError), open_lines(write_file(small_dataset), Cancelled()):
        pass
