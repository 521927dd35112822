"""Files that ship with the program: icons, sample images, the embedded model."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
# Inside a wheel the files lie in the package; in a checkout they lie beside it.
_ROOTS = (_PACKAGE / "_resources", _PACKAGE.parent / "resources")


def resource_path(*parts: str) -> Path:
    """Return where a shipped file or folder lies.

    Raises:
        FileNotFoundError: it does not ship with this program.
    """
    for root in _ROOTS:
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise FileNotFoundError("/".join(parts))
