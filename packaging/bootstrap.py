"""Make `.venv`, install MaskStudio in it, then run the demo or all checks.

    python3 packaging/bootstrap.py demo [ARGS...]
    python3 packaging/bootstrap.py test [ARGS...]

Standard library only: this file runs before anything is installed. A stamp in `.venv` says what
lies there, so that a second call starts at once. It says "incomplete" from before the first change
to `.venv` until pip has succeeded; a call that finds it so starts from an empty folder.
"""

# An older Python must be able to read this file to be told that it is too old.
from __future__ import annotations

import ctypes
import hashlib
import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

USAGE = """usage: python3 packaging/bootstrap.py demo [ARGS...]
       python3 packaging/bootstrap.py test [ARGS...]

demo  install MaskStudio in .venv, then run `maskstudio demo ARGS...`
test  install the test tools too, then run all checks; ARGS go to pytest
"""
OLDEST_PYTHON = (3, 11)
EXTRAS: dict[str, frozenset[str]] = {"demo": frozenset(), "test": frozenset({"test"})}
SIDE_BY_SIDE = ("--numprocesses=auto", "--maxprocesses=4", "--dist=loadfile")
LOCK_NAME = "maskstudio.lock"
STAMP_NAME = "maskstudio-stamp.json"
# A stamp that differs in one of these, or an installation stopped halfway, calls for a new .venv.
REBUILD_KEYS = ("complete", "python", "root")
# Exit codes from here on mean that the program was ended from outside.
FIRST_STOPPED_CODE = 128
INTERRUPTED_CODE = 130
INSTALL_WORDS = {"apt-get": "install", "dnf": "install", "zypper": "install", "pacman": "-S"}


class BootstrapError(Exception):
    """One sentence for the person: what is wrong and what to do."""


class Piece(NamedTuple):
    """A module or library that must be there, and which package brings it, by manager."""

    name: str
    packages: dict[str, str]


def read_pieces(table: str) -> list[Piece]:
    """Read rows of a name and its packages for apt-get, dnf, zypper (`=`: as apt) and pacman."""
    pieces = []
    for row in table.strip().splitlines():
        name, apt, dnf, zypper, pacman = row.split()
        zypper = apt if zypper == "=" else zypper
        packages = {"apt-get": apt, "dnf": dnf, "zypper": zypper, "pacman": pacman}
        pieces.append(Piece(name, packages))
    return pieces


# What the PySide6 wheels load from the system: readelf over libQt6Widgets and the two platform
# plugins. Not listed is what the package managers themselves need: libstdc++, libz, libzstd.
# opencv-python-headless and torch need nothing more.
PYTHON_MODULES = read_pieces("""
venv                    python3-venv        python3-libs        python3-base     python
ensurepip               python3-venv        python3-libs        python3-base     python
""")
IMPORT_LIBRARIES = read_pieces("""
libEGL.so.1             libegl1             libglvnd-egl        Mesa-libEGL1     libglvnd
libGL.so.1              libgl1              libglvnd-glx        Mesa-libGL1      libglvnd
libX11.so.6             libx11-6            libX11              libX11-6         libx11
libdbus-1.so.3          libdbus-1-3         dbus-libs           =                dbus
libfontconfig.so.1      libfontconfig1      fontconfig          =                fontconfig
libfreetype.so.6        libfreetype6        freetype            =                freetype2
libglib-2.0.so.0        libglib2.0-0        glib2               libglib-2_0-0    glib2
libgthread-2.0.so.0     libglib2.0-0        glib2               libgthread-2_0-0 glib2
libxkbcommon.so.0       libxkbcommon0       libxkbcommon        =                libxkbcommon
""")
X11_LIBRARIES = read_pieces("""
libX11-xcb.so.1         libx11-xcb1         libX11-xcb          libX11-xcb1      libx11
libxcb.so.1             libxcb1             libxcb              =                libxcb
libxcb-cursor.so.0      libxcb-cursor0      xcb-util-cursor     =                xcb-util-cursor
libxcb-icccm.so.4       libxcb-icccm4       xcb-util-wm         =                xcb-util-wm
libxcb-image.so.0       libxcb-image0       xcb-util-image      =                xcb-util-image
libxcb-keysyms.so.1     libxcb-keysyms1     xcb-util-keysyms    =                xcb-util-keysyms
libxcb-randr.so.0       libxcb-randr0       libxcb              =                libxcb
libxcb-render.so.0      libxcb-render0      libxcb              =                libxcb
libxcb-render-util.so.0 libxcb-render-util0 xcb-util-renderutil =                xcb-util-renderutil
libxcb-shape.so.0       libxcb-shape0       libxcb              =                libxcb
libxcb-shm.so.0         libxcb-shm0         libxcb              =                libxcb
libxcb-sync.so.1        libxcb-sync1        libxcb              =                libxcb
libxcb-util.so.1        libxcb-util1        xcb-util            =                xcb-util
libxcb-xfixes.so.0      libxcb-xfixes0      libxcb              =                libxcb
libxcb-xkb.so.1         libxcb-xkb1         libxcb              =                libxcb
libxkbcommon-x11.so.0   libxkbcommon-x11-0  libxkbcommon-x11    =                libxkbcommon-x11
""")
WAYLAND_LIBRARIES = read_pieces("""
libwayland-client.so.0  libwayland-client0  libwayland-client   =                wayland
libwayland-cursor.so.0  libwayland-cursor0  libwayland-cursor   =                wayland
""")


class Machine(NamedTuple):
    """What the bootstrap asks of the machine, so that tests can describe another one."""

    run: Callable[[Sequence[str], Path], int]  # a command, in a folder, to its exit code
    say: Callable[[str], None]
    has_piece: Callable[[str], bool]  # a module, or a library with all that it needs
    has_program: Callable[[str], bool]  # on the search path
    variables: Mapping[str, str]
    platform: str  # as in sys.platform
    is_root: bool  # may install system packages
    python: Path  # the interpreter that runs this file
    python_version: tuple[int, int]


def missing_pieces(machine: Machine, with_window: bool) -> list[Piece]:
    """Return what the system lacks; a screen counts only where a window will be shown."""

    def lacking(pieces: list[Piece]) -> list[Piece]:
        return [piece for piece in pieces if not machine.has_piece(piece.name)]

    if machine.platform != "linux":
        return lacking(PYTHON_MODULES)
    # Qt falls back from one way to the screen to the other, so one that works is enough.
    ways = {"DISPLAY": X11_LIBRARIES, "WAYLAND_DISPLAY": WAYLAND_LIBRARIES}
    usable = [ways[name] for name in ways if with_window and machine.variables.get(name)]
    screen = min((lacking(pieces) for pieces in usable), key=len, default=[])
    return lacking(PYTHON_MODULES + IMPORT_LIBRARIES) + screen


def complete_system(machine: Machine, with_window: bool) -> None:
    """Install what the system lacks where that is possible.

    Raises:
        BootstrapError: something is still missing.
    """
    missing = missing_pieces(machine, with_window)
    if missing and machine.is_root and machine.has_program("apt-get"):
        packages = packages_of(missing, "apt-get")
        machine.say(f"Installing system packages: {' '.join(packages)}")
        apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
        # A source out of reach may not matter: whether all is there in the end decides.
        machine.run([*apt, "update"], Path.cwd())
        machine.run([*apt, "install", "-y", "--no-install-recommends", *packages], Path.cwd())
        missing = missing_pieces(machine, with_window)
    if missing:
        raise BootstrapError(missing_sentence(missing, machine))


def packages_of(pieces: list[Piece], manager: str) -> list[str]:
    """Return the packages that bring the pieces, each once."""
    return list(dict.fromkeys(piece.packages[manager] for piece in pieces))


def missing_sentence(missing: list[Piece], machine: Machine) -> str:
    """Name what is missing and the command that brings it."""
    remedy = "install them with its package manager"
    if manager := next(filter(machine.has_program, INSTALL_WORDS), None):
        command = [manager, INSTALL_WORDS[manager], *packages_of(missing, manager)]
        remedy = f"run `{' '.join(command if machine.is_root else ['sudo', *command])}`"
    names = ", ".join(piece.name for piece in missing)
    return f"This system lacks {names}: {remedy}, then start again."


class Environment(NamedTuple):
    """The folder `.venv` of a checkout."""

    root: Path
    machine: Machine

    @property
    def folder(self) -> Path:
        """The environment itself."""
        return self.root / ".venv"

    @property
    def stamp(self) -> Path:
        """The file that says what is installed."""
        return self.folder / STAMP_NAME

    def program(self, name: str) -> str:
        """Return the path of a program in the environment."""
        if self.machine.platform == "win32":
            return str(self.folder / "Scripts" / f"{name}.exe")
        return str(self.folder / "bin" / name)

    def prepare(self, extras: Collection[str]) -> None:
        """Install the project with these extras, unless the stamp says that they are there.

        Raises:
            BootstrapError: they could not be installed.
        """
        if self._is_ready(extras):
            return
        self.folder.mkdir(exist_ok=True)
        with locked(self.folder / LOCK_NAME, self.machine.say):
            # Another call may have done it while this one waited.
            if not self._is_ready(extras):
                self._install({*extras, *self._read_stamp().get("extras", [])})

    def _is_ready(self, extras: Collection[str]) -> bool:
        stamp = self._read_stamp()
        wanted = self._new_stamp({*extras, *stamp.get("extras", [])})
        return stamp == wanted and Path(self.program("python")).exists()

    def _install(self, extras: Collection[str]) -> None:
        is_usable = self._is_usable()
        stamp = self._new_stamp(extras)
        self.stamp.write_text(json.dumps({**stamp, "complete": False}), encoding="utf-8")
        self.machine.say("Installing MaskStudio in .venv; the first time takes some minutes.")
        if not is_usable:
            self._make_anew()
        project = f".[{','.join(sorted(extras))}]" if extras else "."
        pip = [self.program("python"), "-m", "pip", "--disable-pip-version-check"]
        code = self.machine.run([*pip, "install", "-e", project], self.root)
        if code >= FIRST_STOPPED_CODE:
            raise BootstrapError("The installation was stopped: the next start makes .venv anew.")
        if code:
            # pip undid its own half work; what lies in .venv serves the next attempt.
            self.stamp.unlink()
            raise BootstrapError(f"pip failed with exit code {code}: see its message above.")
        self.stamp.write_text(json.dumps(stamp), encoding="utf-8")

    def _is_usable(self) -> bool:
        """Return whether pip may go on in the folder as it is."""
        found, needed = self._read_stamp(), self._new_stamp([])
        spoilt = any(found.get(key, needed[key]) != needed[key] for key in REBUILD_KEYS)
        if spoilt or not Path(self.program("python")).exists():
            return False
        probe = "import importlib.util, sys; sys.exit(not importlib.util.find_spec('pip'))"
        return self.machine.run([self.program("python"), "-c", probe], self.root) == 0

    def _make_anew(self) -> None:
        if self.folder in self.machine.python.parents:
            raise BootstrapError("Start with a Python outside .venv: this one must be replaced.")
        for entry in self.folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name not in {LOCK_NAME, STAMP_NAME}:
                entry.unlink()
        if self.machine.run([str(self.machine.python), "-m", "venv", str(self.folder)], self.root):
            raise BootstrapError("Python could not make .venv: see its message above.")

    def _new_stamp(self, extras: Collection[str]) -> dict[str, Any]:
        return {
            "complete": True,
            "python": list(self.machine.python_version),
            # Scripts in .venv name their folder: a copied or moved checkout needs its own.
            "root": str(self.root),
            "pyproject": hashlib.sha256((self.root / "pyproject.toml").read_bytes()).hexdigest(),
            "extras": sorted(extras),
        }

    def _read_stamp(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self.stamp.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return {}


@contextmanager
def locked(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold a lock that the operating system itself releases when this process ends."""
    with path.open("ab") as file:
        if not acquire(file.fileno()):
            say("Another call is installing in .venv: waiting for it.")
            while not acquire(file.fileno()):
                time.sleep(0.1)
        yield


def acquire(descriptor: int) -> bool:
    """Lock an open file unless someone else holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def run_checks(environment: Environment, words: list[str]) -> int:
    """Run every check in order, with the seconds it took, up to the first that fails."""
    root, machine, program = environment.root, environment.machine, environment.program
    checks = {
        "ruff format": [program("ruff"), "format", "--check", "."],
        "ruff check": [program("ruff"), "check", "."],
        "lint-imports": [program("lint-imports")],
        "mypy": [program("mypy")],
        # From the same beginning each time: whether a change is sound must not hang on the luck of
        # a search. By hand, `pytest` alone looks elsewhere at every run.
        # A file stays with one process: its fixtures, models among them, are made once.
        "pytest": [program("pytest"), "--hypothesis-profile=ci", *SIDE_BY_SIDE, *words],
        "wheel": [program("python"), str(root / "packaging" / "wheel_check.py")],
    }
    for name, command in checks.items():
        started = time.perf_counter()
        code = machine.run(command, root)
        machine.say(f"{name}: {time.perf_counter() - started:.1f} s")
        if code:
            machine.say(f"Step {name} failed with exit code {code}; those after it did not run.")
            return 1
    return 0


def bootstrap(words: Sequence[str], root: Path, machine: Machine) -> int:
    """Do what the command line asks; return the exit code."""
    if machine.python_version < OLDEST_PYTHON:
        machine.say(f"MaskStudio needs Python {'.'.join(map(str, OLDEST_PYTHON))} or newer.")
        return 1
    if not words or words[0] not in EXTRAS:
        machine.say(USAGE)
        return 2
    command, *rest = words
    environment = Environment(root, machine)
    try:
        complete_system(machine, with_window=command == "demo")
        environment.prepare(EXTRAS[command])
        if command == "test":
            return run_checks(environment, rest)
        # The caller's folder: a path among the arguments is relative to it.
        program = [environment.program("python"), "-m", "maskstudio", "demo"]
        return machine.run([*program, *rest], Path.cwd())
    except (BootstrapError, OSError) as error:
        machine.say(str(error))
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED_CODE


def run(command: Sequence[str], folder: Path) -> int:
    """Run a command to its end and return its exit code, 128 + n when signal n ended it."""
    interrupted = False
    with subprocess.Popen(command, cwd=folder) as process:
        while process.returncode is None:
            try:
                process.wait()
            except KeyboardInterrupt:
                # The terminal sent it to the command too, which ends in its own way.
                interrupted = True
        code = process.returncode
    if interrupted and code:
        return INTERRUPTED_CODE
    return code if code >= 0 else FIRST_STOPPED_CODE - code


def say(line: str) -> None:
    """Write a line for the person; standard output belongs to the program."""
    sys.stderr.write(line.rstrip() + "\n")


def has_piece(name: str) -> bool:
    """Return whether a module is there, or a shared library with all that it needs."""
    if ".so" not in name:
        importlib.invalidate_caches()  # it may have been installed just now
        return importlib.util.find_spec(name) is not None
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def this_machine() -> Machine:
    """Return the machine that this runs on."""
    return Machine(
        run=run,
        say=say,
        has_piece=has_piece,
        has_program=lambda name: shutil.which(name) is not None,
        variables=os.environ,
        platform=sys.platform,
        is_root=hasattr(os, "geteuid") and os.geteuid() == 0,
        python=Path(sys.executable),
        python_version=sys.version_info[:2],
    )


if __name__ == "__main__":
    sys.exit(bootstrap(sys.argv[1:], Path(__file__).resolve().parents[1], this_machine()))
