"""What is known of a project and written with the next change: nothing that a person waits for."""

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from maskstudio.storage import writing


@dataclass
class Unwritten:
    """What is to be written.

    Attributes:
        sizes: image id to (height, width).
        settings: key to JSON value.
    """

    sizes: dict[int, tuple[int, int]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """True when there is anything."""
        return bool(self.sizes or self.settings)

    def write(self, connection: sa.Connection) -> "Unwritten":
        """Write it in a transaction; return what was written.

        More is noted meanwhile, where this is not the GUI thread.
        """
        noted = Unwritten(dict(self.sizes), dict(self.settings))
        writing.write_sizes(connection, noted.sizes)
        for key, value in noted.settings.items():
            writing.write_setting(connection, key, value)
        return noted

    def forget(self, written: "Unwritten") -> None:
        """Forget what is on the disk by now, unless it was noted anew."""
        for image_id, size in written.sizes.items():
            if self.sizes.get(image_id) == size:
                del self.sizes[image_id]
        for key, value in written.settings.items():
            if self.settings.get(key) is value:
                del self.settings[key]
