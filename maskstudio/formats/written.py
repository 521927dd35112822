"""What a writer says of the files it has written."""

from dataclasses import dataclass


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
