"""What other processes do in these tests, and how to start one.

Where the system can, children are forked from a server that has the imports done: the twentieth
child costs no more than a few milliseconds.
"""

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import (
    Annotation,
    Category,
    ImageRecord,
    ImageState,
    ImageStatus,
)
from maskstudio.annotation.edits import CategoryChange, Edit, ImageContent
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.errors import UserError
from maskstudio.storage.files import replaced_file
from maskstudio.storage.folder import list_images
from maskstudio.storage.opening import ProjectLockedError, open_project
from maskstudio.storage.project import ProjectDatabase
from maskstudio.storage.samples import demo_project

P = ParamSpec("P")
R = TypeVar("R")

_METHOD = "spawn" if sys.platform == "win32" else "forkserver"
CONTEXT: Any = multiprocessing.get_context(_METHOD)
if _METHOD == "forkserver":
    CONTEXT.set_forkserver_preload(["maskstudio.storage.opening"])

CELL = Category(1, "cell", "biology", "#102030")
NOBODY = 65534


def in_child(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a function of this module in another process; return what it returns."""
    with ProcessPoolExecutor(max_workers=1, mp_context=CONTEXT) as pool:
        return pool.submit(work, *args, **kwargs).result()


def numbered(annotation_id: int, number: int) -> Annotation:
    """Return an annotation that tells its number; up to 600 corners that no two share.

    Every other one has all that a person can say about it.
    """
    corners = 3 + number * 37 % 600
    ring = [(number + 1 / (3 + n), n * n / 7 + number / 3) for n in range(corners)]
    plain = Annotation(annotation_id, CELL.id, Segmentation.from_rings(ring))
    if number % 2:
        return plain
    said = (("colour", "grün"), ("number", str(number)))
    return replace(plain, iscrowd=True, attributes=said, note="☂", hidden=True, locked=True)


def draw(annotation: Annotation, title: str, image_id: int = 1) -> Edit:
    """Return the edit that puts an annotation on an image that is being edited already."""
    record = ImageRecord(image_id, "", status=ImageStatus(ImageState.EDITED))
    return edits.add(ImageContent(record, {}), [annotation], title)


def draw_all(project: ProjectDatabase, numbers: Iterable[int]) -> None:
    ids = project.take_annotation_ids()
    for number in numbers:
        project.commit(draw(numbered(next(ids), number), f"Draw {number}"))


def make_project(folder: Path) -> ProjectDatabase:
    """Make a project with one image and one category."""
    project = open_project(folder)
    project.add_images(["a.png"])
    project.commit(Edit("Add category", categories=(CategoryChange(None, CELL),), undoable=False))
    return project


def try_to_open(folder: Path, *, read_only: bool) -> tuple[str, str]:
    """Open a project and close it; return what happened and what was found or said."""
    try:
        with open_project(folder, read_only=read_only) as project:
            return "opened", project.images()[0].path
    except ProjectLockedError as error:
        return "locked", str(error)
    except UserError as error:
        return "refused", str(error)


def read_as_nobody(folder: Path) -> tuple[str, str]:
    """Open a project for reading as a user who may write nothing there."""
    become_nobody()
    return try_to_open(folder, read_only=True)


def write_as_nobody_would(folder: Path) -> tuple[str, str]:
    """Open a project for writing as a user who may write nothing there."""
    os.chdir(folder)
    become_nobody()
    return try_to_open(Path(), read_only=False)


def become_nobody() -> None:
    if sys.platform != "win32" and os.geteuid() == 0:
        os.setuid(NOBODY)


def limit_file_size(size: int | None) -> None:
    """Let no file of this process grow beyond `size` bytes: to a program that is a full disk."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard if size is None else size, hard))


def write(path: Path, data: bytes) -> str:
    """Replace a file; return what was said if that failed."""
    try:
        with replaced_file(path) as beside:
            beside.write_bytes(data)
    except UserError as error:
        return str(error)
    return ""


def write_on_a_full_disk(path: Path, data: bytes) -> str:
    limit_file_size(1000)
    return write(path, data)


def write_as_nobody(folder: Path, name: str, data: bytes) -> str:
    os.chdir(folder)
    become_nobody()
    return write(Path(name), data)


def list_as_nobody(folder: Path) -> str:
    """List a folder that has something in it the user may not read; return what was said."""
    os.chdir(folder)
    become_nobody()
    try:
        return str(list(list_images(Path())))
    except UserError as error:
        return str(error)


def demo_on_a_full_disk(samples: Path, size: int) -> str:
    limit_file_size(size)
    try:
        return str(demo_project(samples))
    except UserError as error:
        return str(error)


def commit_on_a_full_disk(folder: Path) -> dict[str, Any]:
    """Commit one edit too many; return what was said and what stands in the project then."""
    with make_project(folder) as project:
        draw_all(project, range(1, 4))
        log = folder / ".maskstudio" / "project.db-wal"
        limit_file_size(log.stat().st_size + 6000)
        said = ""
        try:
            draw_all(project, [16])
        except UserError as error:
            said = str(error)
        there, undo = len(project.annotations(1)), project.history().undo
        limit_file_size(None)
        draw_all(project, [4])
    return {"said": said, "there": there, "undo": undo}


def make_on_a_full_disk(folder: Path, size: int) -> str:
    limit_file_size(size)
    return try_to_open(folder, read_only=False)[1]


def commit_until_killed(folder: Path, finished: Connection) -> None:
    """Draw annotation after annotation; send the number of each that is on the disk."""
    with open_project(folder) as project:
        first = len(project.annotations(1)) + 1
        ids = project.take_annotation_ids()
        for number in count(first):
            project.commit(draw(numbered(next(ids), number), f"Draw {number}"))
            finished.send(number)
