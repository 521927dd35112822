"""The detections cache: what is read is exactly what was written, or nothing."""

import io
import pickle
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.detections import Detections
from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.storage.detections import count_found, read_detections, write_detections

keep_folder = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".maskstudio").mkdir()
    return tmp_path


def cached(folder: Path, image_id: int = 5) -> Path:
    return folder / ".maskstudio" / "detections" / f"{image_id}.npz"


def some(number: int = 3, *, masks: bool = True, model_id: str = "mödel") -> Detections:
    chance = np.random.default_rng(number)
    return Detections(
        model_id,
        (300, 401),
        chance.random((number, 4), np.float32) * 300,
        chance.integers(0, 2, number),
        chance.random(number, np.float32),
        chance.integers(0, 256, (number, 28, 28), np.uint8) if masks else None,
        (Category(1, "Zelle", "Gewebe"), Category(7, "細胞")),
    )


def assert_same(a: Detections | None, b: Detections) -> None:
    assert a is not None
    assert (a.model_id, a.size, a.categories) == (b.model_id, b.size, b.categories)
    pairs: list[tuple[NDArray[Any], NDArray[Any]]] = [
        (a.boxes, b.boxes),
        (a.labels, b.labels),
        (a.scores, b.scores),
    ]
    if a.roi_masks is not None and b.roi_masks is not None:
        pairs.append((a.roi_masks, b.roi_masks))
    else:
        assert a.roi_masks is b.roi_masks is None
    for read, written in pairs:
        assert read.dtype == written.dtype
        assert read.shape == written.shape
        assert read.tobytes() == written.tobytes()


@pytest.mark.parametrize("masks", [True, False])
@pytest.mark.parametrize("number", [0, 1, 100])
def test_detections_come_back_to_the_last_bit(folder: Path, number: int, masks: bool) -> None:
    write_detections(folder, 5, some(number, masks=masks))
    assert_same(read_detections(folder, 5), some(number, masks=masks))
    assert [path.name for path in cached(folder).parent.iterdir()] == ["5.npz"]


def test_newer_detections_take_the_place_of_older_ones(folder: Path) -> None:
    write_detections(folder, 5, some(3))
    write_detections(folder, 6, some(2))
    write_detections(folder, 5, some(1, model_id="n"))
    assert_same(read_detections(folder, 5), some(1, model_id="n"))
    assert_same(read_detections(folder, 6), some(2))


def test_where_nothing_is_kept_nothing_is_read(folder: Path) -> None:
    assert read_detections(folder, 5) is None
    write_detections(folder, 5, some())
    assert read_detections(folder, 6) is None
    assert read_detections(folder / "gone", 5) is None


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be written"):
        write_detections(tmp_path / "gone", 5, some())


def test_a_truncated_file_is_none(folder: Path) -> None:
    write_detections(folder, 5, some())
    data = cached(folder).read_bytes()
    for length in range(0, len(data), 97):
        cached(folder).write_bytes(data[:length])
        assert read_detections(folder, 5) is None


@keep_folder
@given(
    st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4
    )
)
def test_a_file_with_other_bytes_in_it_is_none_or_what_was_written(
    folder: Path, changes: list[tuple[float, int]]
) -> None:
    write_detections(folder, 5, some())
    data = bytearray(cached(folder).read_bytes())
    for place, value in changes:
        data[int(place * len(data))] = value
    cached(folder).write_bytes(data)
    read = read_detections(folder, 5)
    if read is not None:  # dates and the like change nothing
        assert_same(read, some())


@keep_folder
@given(st.sampled_from([b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00"]), st.binary(max_size=200))
def test_random_bytes_are_none(folder: Path, start: bytes, rest: bytes) -> None:
    cached(folder).parent.mkdir(exist_ok=True)
    cached(folder).write_bytes(start + rest)
    assert read_detections(folder, 5) is None


class _Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


def test_a_pickle_is_not_opened(folder: Path) -> None:
    cached(folder).parent.mkdir()
    trap = folder / "trap"
    pickle.loads(pickle.dumps(_Bomb(trap)))
    assert trap.exists()
    trap.unlink()
    cached(folder).write_bytes(pickle.dumps(_Bomb(trap)))
    assert read_detections(folder, 5) is None

    write_detections(folder, 5, some())
    poisoned = io.BytesIO()
    np.save(poisoned, np.array([_Bomb(trap)], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(cached(folder)) as old:
        entries = {name: old.read(name) for name in old.namelist()}
    for name in entries:
        with zipfile.ZipFile(cached(folder), "w") as new:
            for other, data in entries.items():
                new.writestr(other, poisoned.getvalue() if other == name else data)
        assert read_detections(folder, 5) is None
    assert not trap.exists()


@pytest.mark.parametrize("missing", ["about", "boxes", "labels", "scores"])
def test_a_file_that_lacks_something_is_none(folder: Path, missing: str) -> None:
    write_detections(folder, 5, some())
    with np.load(cached(folder)) as file:
        arrays = {name: file[name] for name in file.files if name != missing}
    np.savez(cached(folder), allow_pickle=False, **arrays)
    assert read_detections(folder, 5) is None


@pytest.mark.parametrize("about", ["", "[]", "{}", '{"model_id": "m", "size": 3}', "null"])
def test_a_file_of_another_program_is_none(folder: Path, about: str) -> None:
    write_detections(folder, 5, some())
    with np.load(cached(folder)) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["about"] = np.array(about)
    np.savez(cached(folder), allow_pickle=False, **arrays)
    assert read_detections(folder, 5) is None


def test_arrays_of_different_length_are_none(folder: Path) -> None:
    write_detections(folder, 5, some())
    with np.load(cached(folder)) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["scores"] = arrays["scores"][:-1]
    np.savez(cached(folder), allow_pickle=False, **arrays)
    assert read_detections(folder, 5) is None


def test_what_was_found_is_counted_by_category(folder: Path) -> None:
    assert count_found(folder, "a", 0.5, TaskContext()) == {}
    kept = [some(20, model_id="a"), some(30, model_id="a", masks=False), some(40, model_id="b")]
    for image_id, detections in enumerate(kept, 1):
        write_detections(folder, image_id, detections)
    cached(folder, 9).write_bytes(b"damaged")
    names = [
        detections.categories[label].name
        for detections in kept[:2]
        for label, score in zip(detections.labels, detections.scores, strict=True)
        if score >= 0.5
    ]
    assert count_found(folder, "a", 0.5, TaskContext()) == Counter(names)
    assert 0 < len(names) < 50
