"""Words of a file in a sentence about it."""

_MOST = 60


def quoted(value: object) -> str:
    """Return a value of a file in quotation marks, cut where it is long."""
    text = value if isinstance(value, str) else str(value)
    return repr(text if len(text) <= _MOST else f"{text[: _MOST - 1]}…")
