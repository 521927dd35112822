"""Put images that a data set carries within itself into the folder of a project.

Nothing is ever written over another file, or outside the folder, whatever the data set says.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from maskstudio.annotation.name_matching import Mismatch, name_parts
from maskstudio.errors import UserError
from maskstudio.formats.incoming import Source
from maskstudio.progress import TaskContext
from maskstudio.session.import_plan import ImportPlan, MatchedImage, MissingImage
from maskstudio.storage.files import why
from maskstudio.storage.folder import SUFFIXES
from maskstudio.storage.images import read_size

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase

# What no file of one of the systems may be called, or what hides it.
_REFUSED = re.compile(
    r'[<>:"|?*\\\x00-\x1f]|^[. ]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE
)

_FREE = (Mismatch.ABSENT, Mismatch.ELSEWHERE)


@dataclass
class PutImages:
    """Images that were put into the folder.

    Attributes:
        matched: they, as images of the project.
        left_out: a sentence for each that could not be.
    """

    matched: list[MatchedImage] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


@contextmanager
def put_images(
    database: "ProjectDatabase", plan: ImportPlan, context: TaskContext
) -> Iterator[PutImages]:
    """Put the images that the project lacks and the data set carries into its folder.

    When the body raises, they are taken out again.

    Raises:
        CancelledError: the person asked to stop.
    """
    put = PutImages()
    files = _Files(database.folder)
    carried = [one for one in plan.missing if one.embedded and one.why in _FREE]
    sizes: dict[str, tuple[MissingImage, tuple[int, int]]] = {}
    try:
        for done, image in enumerate(carried):
            context.raise_if_cancelled()
            context.report(done, len(carried), "putting images into the folder")
            try:
                path, size = files.write(plan.source, image)
                sizes[path] = image, size
            except UserError as error:
                put.left_out.append(str(error))
        for record in database.add_images(sizes):
            image, size = sizes[record.path]
            database.set_size(record.id, *size)
            other = _is_other(plan.source, image, size)
            put.matched.append(MatchedImage(image.number, record.id, record.path, *size, other))
        yield put
    except BaseException:
        files.remove()
        database.forget_images(one.image_id for one in put.matched)
        raise


class _Files:
    """New files of a folder, and the folders made for them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[Path] = []

    def write(self, source: Source, image: MissingImage) -> tuple[str, tuple[int, int]]:
        """Write the file of an image; return its path, POSIX, relative to the folder, and its size.

        Raises:
            UserError: there is one already, its name is none for a file, or it is no image.
        """
        raw = source.pixels(image.number)
        if raw is None:
            raise UserError(f"{image.name} is not carried by {source.path.name} after all.")
        parts = _file_parts(image.name)
        path = self._folder.joinpath(*parts)
        try:
            self._make_folder(path.parent)
            with path.open("xb") as file:
                self._made.append(path)
                file.write(raw)
        except FileExistsError as error:
            raise UserError(f"{path} exists already; the one carried was left out.") from error
        except OSError as error:
            raise UserError(f"{path} cannot be written: {why(error)}.") from error
        try:
            return "/".join(parts), read_size(path)
        except UserError as error:
            self._made.remove(path)
            path.unlink()
            raise UserError(
                f"{image.name} is carried as what is no image; it was left out."
            ) from error

    def remove(self) -> None:
        """Remove all that was made."""
        for path in reversed(self._made):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()

    def _make_folder(self, folder: Path) -> None:
        # A link may lead anywhere.
        if not folder.resolve().is_relative_to(self._folder.resolve()):
            raise UserError(f"{folder} leads out of the project; the image carried was left out.")
        missing = [one for one in (folder, *folder.parents) if not one.exists()]
        for one in reversed(missing):
            one.mkdir()
            self._made.append(one)


def _file_parts(name: str) -> tuple[str, ...]:
    """Return the folders and the file name that an image gets in the project.

    Raises:
        UserError: no image can be called so.
    """
    parts, foreign = name_parts(name)
    parts = parts[-1:] if foreign else parts
    if not parts or any(map(_REFUSED.search, parts)):
        raise UserError(f"{name!r} is no name for a file; the image carried was left out.")
    if Path(parts[-1]).suffix.lower() not in SUFFIXES:
        raise UserError(f"{name!r} is no name of an image; the image carried was left out.")
    return parts


def _is_other(source: Source, image: MissingImage, size: tuple[int, int]) -> bool:
    """Tell whether an image is of another size than the data set says."""
    told = source.images[image.number]
    return (told.height or size[0], told.width or size[1]) != size
