"""What a writer says of the files it has written."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Written:
    """What went into the files of an export and what did not.

    Attributes:
        images: images that stand in the files, those without annotations included.
        annotations: annotations that stand in the files.
        left_out: a sentence for each annotation that does not.
        changed: a sentence for each annotation that stands there otherwise than on screen.
    """

    images: int
    annotations: int
    left_out: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


@dataclass
class Tally:
    """Counts kept while the images of an export pass by; see `Written`."""

    images: int = 0
    annotations: int = 0
    left_out: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    def written(self) -> Written:
        """Return what has passed by."""
        return Written(self.images, self.annotations, tuple(self.left_out), tuple(self.changed))
