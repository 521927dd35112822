"""Names of the files that an export writes for each image."""

from maskstudio.annotation.annotation import Dataset, ImageRecord
from maskstudio.formats.names import stems
from maskstudio.formats.options import ExportPart


def named(*paths: str, second: tuple[str, ...] = ()) -> list[str]:
    """Return the names of images of two parts."""
    records = [ImageRecord(n, path) for n, path in enumerate((*paths, *second), 1)]
    parts = [
        ExportPart("train", Dataset((), tuple(records[: len(paths)]))),
        ExportPart("val", Dataset((), tuple(records[len(paths) :]))),
    ]
    found = stems(parts)
    return [found[record.id] for record in records]


def test_a_name_is_the_path_without_its_ending() -> None:
    assert named("a.jpg", "sub dir/b.v2.png", "ä ö/日本.tif") == [
        "a", "sub dir/b.v2", "ä ö/日本",
    ]  # fmt: skip


def test_names_that_would_be_the_same_keep_their_endings_also_in_different_parts() -> None:
    assert named("a.jpg", "b.png", second=("a.png",)) == ["a_jpg", "b", "a_png"]


def test_names_that_a_drive_takes_for_the_same_are_told_apart() -> None:
    assert named("A.jpg", "a.png") == ["A_jpg", "a_png"]
    assert named("A.jpg", "a.jpg") == ["A_jpg", "a_jpg_2"]
    # One letter, and a letter and its accent.
    assert named("\u00e9.png", "e\u0301.png") == ["\u00e9_png", "e\u0301_png_2"]


def test_a_name_that_is_made_does_not_meet_another() -> None:
    assert named("a.jpg", "a.png", "a_jpg.bmp") == ["a_jpg_2", "a_png", "a_jpg"]
