"""What a person decides about a training run, and the words of the command that does it."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class TrainingChoice:
    """It; what is left open follows from the data.

    Attributes:
        init: the model to start from, by name or path, or the name of an architecture.
        name: what the new model is called.
        iterations: steps in all; 0: as the data asks for.
        options: further options of the command `train` by name, for example `batch-size`.
    """

    init: str
    name: str = ""
    iterations: int = 0
    options: dict[str, str] = field(default_factory=dict)

    def words(self, folder: Path) -> tuple[str, ...]:
        """Return the words after `maskstudio train`, for the project in a folder."""
        options = {"project": str(folder), "init": self.init}
        if self.name:
            options["name"] = self.name
        if self.iterations:
            options["iterations"] = str(self.iterations)
        options |= self.options
        # In one word: a value may begin with a dash.
        return tuple(f"--{name}={value}" for name, value in options.items())
