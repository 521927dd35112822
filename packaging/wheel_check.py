"""Prove that a wheel of this checkout carries every file of `resources/`.

    python packaging/wheel_check.py

It builds the wheel, installs it alone in a temporary folder and asks that copy for each file.
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
# Written by file managers, left out of wheels by the build backend.
LITTER = {".DS_Store"}


def resource_names(folder: Path) -> list[str]:
    """Return the files below a folder, as paths relative to it with slashes."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in LITTER)
    return sorted(path.relative_to(folder).as_posix() for path in files)


def find_faults(installed: Path, resources: Path) -> list[str]:
    """Return a line for each resource that the imported program does not have as it should.

    Args:
        installed: the folder that the program must have been imported from.
        resources: what the program should carry.
    """
    from maskstudio.resources import resource_path  # the copy under test, not the checkout's

    faults = []
    for name in resource_names(resources):
        try:
            path = resource_path(*name.split("/"))
        except FileNotFoundError:
            faults.append(f"{name}: not in the wheel")
            continue
        if not path.resolve().is_relative_to(installed.resolve()):
            faults.append(f"{name}: found outside the wheel")
        elif path.read_bytes() != (resources / name).read_bytes():
            faults.append(f"{name}: differs from the checkout")
    return faults


def install_wheel(folder: Path) -> Path:
    """Build the wheel and return the folder that it was installed in, without what it needs."""
    installed = folder / "installed"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheels = folder / "wheels"
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", wheels, ROOT], check=True)
    wheel = next(wheels.glob("*.whl"))
    subprocess.run([*pip, "install", "--no-deps", "--target", installed, wheel], check=True)
    return installed


def main(words: list[str]) -> int:
    """Check a wheel, or with two folders the copy in the first against the second."""
    if words:
        installed, resources = (Path(word) for word in words)
        faults = find_faults(installed, resources)
        count = len(resource_names(resources))
        sys.stdout.write("".join(f"{fault}\n" for fault in faults))
        sys.stdout.write(f"{count - len(faults)} of {count} resources come from the wheel\n")
        return 1 if faults or not count else 0
    with TemporaryDirectory() as name:
        folder = Path(name)
        installed = install_wheel(folder)
        # A process of its own, elsewhere: nothing of the checkout may stand in for the wheel.
        command = [sys.executable, __file__, str(installed), str(ROOT / "resources")]
        environment = {**os.environ, "PYTHONPATH": str(installed)}
        return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
