"""The demo project: the sample images, copied to where work on them can be stored."""

import shutil
from pathlib import Path

from maskstudio.errors import UserError
from maskstudio.storage.files import replaced_file, why
from maskstudio.storage.settings import data_dir


def demo_project(samples: Path) -> Path:
    """Return a folder of the person's own with the sample images in it; work in it is kept.

    Raises:
        UserError: the folder cannot be written.
    """
    folder = data_dir() / "demo" / samples.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for sample in sorted(samples.glob("*.png")):
            if not (folder / sample.name).exists():
                with replaced_file(folder / sample.name) as beside:
                    shutil.copyfile(sample, beside)
    except OSError as error:
        raise UserError(f"The demo cannot be set up in {folder}: {why(error)}.") from error
    return folder
