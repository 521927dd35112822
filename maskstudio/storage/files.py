"""Write a file so that there is always a whole one: beside, to the disk, then in its place."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from maskstudio.errors import UserError

"""The folder beside the images that holds all that belongs to a project."""


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Give a path to write to; on leaving, what was written takes the place of `path`.

    When the body raises, the old file stays as it was and the new one is removed.

    Raises:
        UserError: the folder is missing, not writable, or the disk is full.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield beside
        with beside.open("rb+") as written:
            os.fsync(written.fileno())
        beside.replace(path)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {why(error)}.") from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def part_of(path: Path) -> Path:
    """Return where a file lies that is being downloaded, until it is whole."""
    return path.with_name(f"{path.name}.part")


def why(error: OSError) -> str:
    """Say what an error of the file system means and what to do about it."""
    reasons = {
        errno.ENOSPC: "the disk is full; free some space and try again",
        errno.EDQUOT: "the disk quota is used up; free some space and try again",
        errno.EFBIG: "the file would grow beyond what is allowed here",
        errno.EACCES: "writing there is not permitted; choose another folder",
        errno.EPERM: "writing there is not permitted; choose another folder",
        errno.EROFS: "the disk is read-only; choose another folder",
        errno.ENOENT: "its folder does not exist; choose another folder",
    }
    return reasons.get(error.errno or 0, error.strerror or str(error))
