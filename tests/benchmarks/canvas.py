"""How quick the window is at the work of a day, and how much memory it takes.

Run by hand, on a machine that does nothing else and has 6 GB of disk free for temporary files, from
the root of the repository:
`python tests/benchmarks/canvas.py [--check] [--json FILE] [--parts NAME ...]`.
The real window is measured (offscreen where there is no screen), each part in a process of its own:
pictures with very many annotations (`crowded.py`), starting and large folders (`folders.py`), and
images of 20,000 x 20,000 pixels (`large_image.py`). Times are those the GUI thread needs from an
event of the mouse or a key until the frame is painted, unless the words say otherwise.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from folders import PARTS
from labeler import Row, in_a_process, print_table

_COUNTS = 300, 3000, 10_000
_HERE = Path(__file__).parent
_NAMES = (*PARTS, *(f"{count}" for count in _COUNTS), "large_image")


def measure(name: str) -> list[Row]:
    """Run one part."""
    if name in PARTS:
        return in_a_process(str(_HERE / "folders.py"), name)
    if name == "large_image":
        return in_a_process(str(_HERE / "large_image.py"))
    return in_a_process(str(_HERE / "crowded.py"), name)


def main() -> int:
    """Measure, print, and with `--check` judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit with 1 when a bound is missed")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--parts", nargs="+", choices=_NAMES, default=_NAMES, metavar="NAME")
    options = parser.parse_args()
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    rows = [row for name in options.parts for row in measure(name)]
    print_table(rows)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    return 1 if options.check and not all(row.kept for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
