"""How a command of the command line ended."""

from collections.abc import Callable
from typing import NamedTuple


class Ended(NamedTuple):
    """Exit code and what was written."""

    code: int
    stdout: str
    stderr: str


Run = Callable[..., Ended]
"""Runs `maskstudio` with arguments."""
