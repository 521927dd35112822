"""Fixtures for all tests; Qt draws offscreen unless the environment says otherwise."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if "PYTEST_XDIST_WORKER" in os.environ:
    # The cores are busy with the other processes' tests already.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from support.pictures import write_picture


@pytest.fixture(autouse=True)
def _no_leaked_threads() -> Iterator[None]:
    """Fail a test that leaves one of the program's threads running."""
    before = set(threading.enumerate())
    yield
    left = [t.name for t in threading.enumerate() if t not in before and t.name != "asyncio_0"]
    # Libraries keep pools of their own; the program's lanes bear the names of LaneName.
    left = [name for name in left if name.split("-")[0] in ("model", "files", "paint", "tiles")]
    assert not left, f"threads left running: {left}"


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests away from the person's own settings and data."""
    home = tmp_path_factory.mktemp("home")
    folders = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    for name in (*folders, "APPDATA", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(home))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of three pictures: `a.png` (100 x 80), `b.png` and `sub/c.png` (64 x 64)."""
    images = tmp_path / "images"
    write_picture(images / "a.png", 80, 100)
    write_picture(images / "b.png", 64, 64)
    write_picture(images / "sub" / "c.png", 64, 64)
    return images
