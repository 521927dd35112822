"""What helper processes are sent to do in the tests; they must be able to import it."""

import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Loaded by who needs it: every helper imports this file.
    from maskstudio.formats.gate_piece import CompareTask

_held: list[socket.socket] = []


def process_of(piece: int) -> tuple[int, int]:
    """Return the piece and who got it."""
    return piece, os.getpid()


def die_elsewhere(piece: tuple[int, bool]) -> bool:
    """End the process at once if the piece says so and it is not the one named in it."""
    home, deadly = piece
    if deadly and os.getpid() != home:
        os._exit(3)
    return deadly


def touch(path: Path) -> None:
    """Leave a file behind."""
    path.touch()


def divide(piece: int) -> float:
    """Fail for 0."""
    return 1 / piece


def loaded_by_work(task: "CompareTask") -> tuple[int, set[str]]:
    """Compare a piece of a COCO file; return its images, and what heavy was loaded for it."""
    from maskstudio.formats.gate_piece import compare

    compared = compare(task)
    heavy = {"PySide6", "torch", "torchvision", "maskstudio.ui", "maskstudio.mask_rcnn"}
    return compared.images, heavy & sys.modules.keys()


def hold_open(port: int) -> int:
    """Connect to a port and stay connected for as long as the process lives."""
    _held.append(socket.create_connection(("127.0.0.1", port)))
    return os.getpid()
