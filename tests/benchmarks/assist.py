"""How well and how quickly the model assists.

Run by hand, on a machine that does nothing else, from the root of the repository:
`python tests/benchmarks/assist.py [--check] [--json FILE] [--parts NAME ...] [--data DIR]`.
Each part is a benchmark of its own, run in a process of its own, and prints its own table:
`prompts` (a box becomes an outline: how exact, how soon), `look_ahead` (the next image with its
pre-annotations), `filters` (a step of a slider over 500 detections), `busy_window` (frames while a
folder is pre-annotated), `throughput` (images beside torchvision's own way) and `tiles` (large
images).
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
_NAMES = ("prompts", "look_ahead", "filters", "busy_window", "throughput", "tiles")
# Those that measure on the nuclei, which are no part of the repository.
_ON_DATA = ("prompts", "tiles", "throughput")


def run(name: str, report: Path, *, check: bool, data: Path | None) -> int:
    """Run one part; return its exit code."""
    words = [sys.executable, str(_HERE / f"{name}.py"), "--json", str(report)]
    words += ["--check"] if check else []
    words += ["--data", str(data)] if data and name in _ON_DATA else []
    sys.stdout.write(f"\n== {name}\n")
    sys.stdout.flush()
    return subprocess.run(words, check=False).returncode


def main() -> int:
    """Run the parts; with `--check` exit with 1 when one of them misses a bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit with 1 when a bound is missed")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--parts", nargs="+", choices=_NAMES, default=_NAMES, metavar="NAME")
    parser.add_argument("--data", type=Path, help="the folder of the nuclei, with val.json in it")
    options = parser.parse_args()
    reports: dict[str, Any] = {}
    failed = []
    with tempfile.TemporaryDirectory() as place:
        for name in options.parts:
            report = Path(place) / f"{name}.json"
            if run(name, report, check=options.check, data=options.data):
                failed.append(name)
            if report.is_file():
                reports[name] = json.loads(report.read_text(encoding="utf-8"))
    if options.json:
        options.json.write_text(json.dumps(reports, indent=2) + "\n", encoding="utf-8")
    if failed:
        sys.stdout.write(f"\nMissed or failed: {', '.join(failed)}.\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
