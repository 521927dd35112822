"""Put the files of an export into a folder without touching what somebody else has put there.

Everything is written into a hidden folder beside its place, on the same drive, and moved into place
at the end. A manifest names what was written and what it held: a later export replaces and removes
these files, as long as nobody has changed them, and nothing else.
"""

import contextlib
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.storage.files import replaced_file, why

MANIFEST_NAME = "maskstudio-export.json"
"""The file in the folder of an export that names all others."""

_KEY = "files"
# In place of a digest: another name of an image. As long as that has a second one, nothing is lost
# with this one.
_LINK = "link"
_AT_ONCE = 1 << 20

Manifest = Mapping[str, tuple[str, ...]]
"""POSIX path below the folder to the digests that the file may have."""


@dataclass(frozen=True)
class Staging:
    """Files on their way into a folder.

    Attributes:
        folder: what is written here goes into the destination.
        destination: the folder; it need not exist.
        earlier: what an earlier export has put there.
        placed: POSIX path to digest of the images that were put into `folder`.
        kept: likewise, of images that stand in the destination already as they should.
    """

    folder: Path
    destination: Path
    earlier: Manifest
    placed: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)

    def place(self, source: Path, name: str, *, link: bool) -> bool:
        """Put an image into the export, where it does not lie there already.

        Args:
            source: the image.
            name: POSIX, below the folder.
            link: as another name of the same file, where the drive can do that; else as a copy.

        Returns:
            False when it had to be copied though a link was asked for.

        Raises:
            UserError: it cannot be read, or two images have names that are the same on this drive.
            OSError: it cannot be written.
        """
        there = self.destination / name
        with _reading(source):
            same_drive = source.stat().st_dev == self.folder.stat().st_dev
        if name in self.earlier and _as_wanted(there, source, link=link and same_drive):
            self.kept[name] = self.earlier[name][-1]
            return same_drive or not link
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            raise UserError(
                f"{name} differs only in case from another image, which {self.destination} cannot "
                "hold beside it; rename one of them, or choose another drive."
            )
        if link:
            with suppress(OSError, NotImplementedError):
                # Another name of what a symbolic link leads to, not of the symbolic link.
                os.link(source.resolve(), target)
                self.placed[name] = _LINK
                return True
        self.placed[name] = _copy(source, target)
        return not link


@contextmanager
def staged(destination: Path) -> Iterator[Staging]:
    """Give a folder to write an export into; whatever is left of it at the end is removed.

    Raises:
        UserError: the destination is a file, its folder is missing, it cannot be written, or its
            manifest is damaged.
    """
    destination = destination.absolute()
    if destination.exists() and not destination.is_dir():
        raise UserError(f"{destination} is a file; choose a folder to export into.")
    # Inside where it exists: it may be another drive than the folder it lies in.
    home = destination if destination.exists() else destination.parent
    folder = home / f".{destination.name}.{os.getpid()}.part"
    earlier = _read_manifest(destination / MANIFEST_NAME)
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        yield Staging(folder, destination, earlier)
    except OSError as error:
        raise UserError(f"{destination} cannot be written: {why(error)}.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def move_into_place(
    staging: Staging, context: TaskContext, before: Callable[[], None] = lambda: None
) -> tuple[str, ...]:
    """Move everything into the destination; what an earlier export alone had put there goes.

    Args:
        staging: what was written.
        context: asked whether to stop, as long as nothing has been moved.
        before: called when nothing is in the way any more and nothing has been moved yet.

    Returns:
        Files of the earlier export that somebody has changed since; they are left as they are.

    Raises:
        UserError: something in the way is not from an earlier export, or was changed since. Nothing
            has been moved then.
        OSError: a file cannot be moved. The next export goes on from there.
        CancelledError: the person asked to stop. Nothing has been moved then.
    """
    new = dict(staging.placed)
    for name in _files_below(staging.folder):
        if name not in new:
            context.raise_if_cancelled()
            new[name] = _digest(staging.folder / name)
    whole = {name: (digest,) for name, digest in (new | staging.kept).items()}
    if not staging.destination.exists():
        before()
        (staging.folder / MANIFEST_NAME).write_bytes(_manifest(whole))
        staging.folder.rename(staging.destination)
        return ()
    for name in new:
        context.raise_if_cancelled()
        _check_way(staging, name)
    before()
    manifest = staging.destination / MANIFEST_NAME
    # Should the power fail now, the next export knows the old files and the new ones for its own.
    both = {
        n: (*staging.earlier.get(n, ()), *whole.get(n, ())) for n in {**staging.earlier, **whole}
    }
    _write_manifest(manifest, both)
    for name in new:
        there = staging.destination / name
        there.parent.mkdir(parents=True, exist_ok=True)
        (staging.folder / name).replace(there)
    left = _remove(
        staging.destination, {n: d for n, d in staging.earlier.items() if n not in whole}
    )
    _write_manifest(manifest, whole)
    return left


def _as_wanted(there: Path, source: Path, *, link: bool) -> bool:
    """Tell whether an image lies in the destination as it would be put there."""
    try:
        found, wanted = there.lstat(), source.stat()
    except OSError:
        return False
    same = os.path.samestat(found, wanted)
    if link or same:
        return link and same
    # A copy has the time of what it was copied from.
    alike = (found.st_size, found.st_mtime_ns) == (wanted.st_size, wanted.st_mtime_ns)
    return alike and stat.S_ISREG(found.st_mode)


def _copy(source: Path, target: Path) -> str:
    digest = _new_digest()
    with contextlib.ExitStack() as stack:
        with _reading(source):
            read = stack.enter_context(source.open("rb"))
            status = source.stat()
        written = stack.enter_context(target.open("xb"))
        while piece := read.read(_AT_ONCE):
            digest.update(piece)
            written.write(piece)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    return str(digest.hexdigest())


@contextmanager
def _reading(source: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"{source} cannot be read: {error.strerror}.") from error


def _new_digest() -> Any:
    return hashlib.blake2b(digest_size=16)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, _new_digest).hexdigest()


def _check_way(staging: Staging, name: str) -> None:
    """Refuse to replace what is not from an earlier export."""
    there = staging.destination / name
    for parent in list(there.relative_to(staging.destination).parents)[:-1]:
        folder = staging.destination / parent
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise UserError(f"{folder} is in the way; move it away, or choose another folder.")
    if os.path.lexists(there) and not _is_ours(there, staging.earlier.get(name, ())):
        raise UserError(
            f"{there} was not written by an earlier export, or was changed since; "
            "move it away, or choose another folder."
        )


def _is_ours(path: Path, digests: Sequence[str]) -> bool:
    """Tell whether a file may be replaced without anything being lost."""
    found = path.lstat()
    if not digests or not stat.S_ISREG(found.st_mode):
        return False
    return (_LINK in digests and found.st_nlink > 1) or _digest(path) in digests


def _remove(destination: Path, stale: Manifest) -> tuple[str, ...]:
    """Remove files of an earlier export, and folders that are empty then; return what was left."""
    left = []
    folders: set[Path] = set()
    for name, digests in stale.items():
        path = destination / name
        if not os.path.lexists(path) or any(p.is_symlink() for p in _above(destination, path)):
            continue
        if not _is_ours(path, digests):
            left.append(name)
            continue
        path.unlink()
        folders.update(_above(destination, path))
    for folder in sorted(folders, key=lambda folder: -len(folder.parts)):
        with suppress(OSError):  # something is in it still
            folder.rmdir()
    return tuple(left)


def _above(destination: Path, path: Path) -> list[Path]:
    """Return the folders between a folder and a file below it."""
    return [p for p in path.parents if p.is_relative_to(destination) and p != destination]


def _files_below(folder: Path) -> Iterator[str]:
    """Yield all files as POSIX paths, in an order that does not depend on the drive."""
    for here, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            yield (Path(here) / name).relative_to(folder).as_posix()


def _write_manifest(path: Path, manifest: Manifest) -> None:
    with replaced_file(path) as beside:
        beside.write_bytes(_manifest(manifest))


def _manifest(manifest: Manifest) -> bytes:
    about = "Written by MaskStudio: a later export replaces these files while they are unchanged."
    lines = (f"{json.dumps(name)}:{json.dumps(manifest[name])}" for name in sorted(manifest))
    files = ",\n".join(lines)
    return f'{{"about":{json.dumps(about)},\n"{_KEY}":{{\n{files}\n}}}}\n'.encode("ascii")


def _read_manifest(path: Path) -> Manifest:
    """Return what an earlier export has written; nothing where there was none.

    Raises:
        UserError: there is a manifest, but it cannot be read.
    """
    try:
        raw = json.loads(path.read_bytes())
        read = {str(name): tuple(map(str, digests)) for name, digests in raw[_KEY].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(
            f"{path} cannot be read ({error}), so nobody knows which files there are from an "
            "earlier export; delete it, or choose another folder."
        ) from error
    # What leads out of the folder is not from an export.
    return {name: digests for name, digests in read.items() if _is_below(name) and digests}


def _is_below(name: str) -> bool:
    path = Path(name)
    return not path.is_absolute() and not path.drive and ".." not in path.parts and bool(path.parts)
