"""The way in. The window is opened from here without the command line's own libraries."""

import gc
import os
import sys
from pathlib import Path

from maskstudio.errors import CancelledError, UserError


def main() -> None:
    """Run what the words after the program's name say.

    Exit code 0, 1 (one line on stderr) or 2 (wrong usage).
    """
    if getattr(sys, "frozen", False):
        # In a program made into one file a helper process is that program again, with other words.
        import multiprocessing

        multiprocessing.freeze_support()
    try:
        words = sys.argv[1:]
        if not words or _is_folder(*words):
            sys.exit(open_window(*words))
        from maskstudio.cli.application import app

        app()
    except UserError as error:
        # A library's words inside the sentence may run over several lines.
        sys.stderr.write(f"maskstudio: {' '.join(str(error).splitlines())}\n")
        sys.exit(1)
    except (CancelledError, KeyboardInterrupt):
        sys.stderr.write("maskstudio: stopped\n")
        sys.exit(1)


def has_display() -> bool:
    """Tell whether a window can be opened here."""
    names = ("DISPLAY", "WAYLAND_DISPLAY")
    return sys.platform in ("win32", "darwin") or any(os.environ.get(name) for name in names)


def open_window(folder: str | os.PathLike[str] | None = None) -> int:
    """Open the window, with a folder of images in it; return the exit code once it is closed.

    Raises:
        UserError: there is no display.
    """
    if not has_display() and not os.environ.get("QT_QPA_PLATFORM"):
        # Qt would abort the process.
        raise UserError("There is no display for the window; see `maskstudio --help` for the rest.")
    # None of the hundreds of thousands of objects that the imports make is garbage; to search them
    # for it, then and ever after, takes a tenth of the start and several frames each time.
    gc.disable()
    from maskstudio.app import run

    gc.freeze()
    gc.enable()
    return run(None if folder is None else Path(folder))


def _is_folder(word: str, *more: str) -> bool:
    """Tell whether the words are one folder and cannot be a command."""
    path = Path(word)
    return not more and path.is_dir() and path.name != word
