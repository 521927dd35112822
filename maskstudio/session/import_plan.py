"""What an import would do, what a person decides about it, and what it did. Values only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from maskstudio.annotation.name_matching import Mismatch

if TYPE_CHECKING:
    # The command line offers the choices below without the libraries for outlines.
    from maskstudio.formats.incoming import Source

Destination = int | str
"""Where a category of a data set goes: the id of the project's, `IGNORED`, or the name of one."""

_MOST_LISTED = 5


class Standing(StrEnum):
    """What becomes of images that hold annotations already."""

    LEAVE = "leave"
    ADD = "add"
    REPLACE = "replace"


class OtherSize(StrEnum):
    """What becomes of what was drawn on an image of another size."""

    LEAVE_OUT = "leave-out"
    SCALE = "scale"


class ImportedState(StrEnum):
    """How far an image has come with what a person drew elsewhere, if the data set is silent."""

    EDITED = "edited"
    VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class MatchedImage:
    """An image of the data set that the project has.

    Attributes:
        number: its place in `Source.images`.
        image_id: the project's image.
        path: the project's path of it.
        height: rows of the project's image.
        width: columns of it.
        other_size: the data set tells of another size.
        by_people: annotations a person made, changed or accepted that stand there already.
        by_models: pre-annotations nobody has touched that stand there already.
    """

    number: int
    image_id: int
    path: str
    height: int
    width: int
    other_size: bool = False
    by_people: int = 0
    by_models: int = 0

    @property
    def standing(self) -> int:
        """Annotations that stand there already."""
        return self.by_people + self.by_models


@dataclass(frozen=True, slots=True)
class MissingImage:
    """An image of the data set that the project does not have.

    Attributes:
        number: its place in `Source.images`.
        name: as the data set has it.
        why: why none of the project is taken for it.
        alike: paths of the project that were meant, perhaps; a few.
        annotations: how many stand on it in the data set.
        embedded: the data set carries it, and it can be put into the folder.
    """

    number: int
    name: str
    why: Mismatch
    alike: tuple[str, ...] = ()
    annotations: int = 0
    embedded: bool = False

    def sentence(self) -> str:
        """Return it as a person reads it."""
        alike = ", ".join(self.alike)
        return {
            Mismatch.ABSENT: f"{self.name} is not in the project.",
            Mismatch.SEVERAL: f"{self.name} may be any of {alike}.",
            Mismatch.SHARED: f"{self.name} is one of several that may be {alike}.",
            Mismatch.ELSEWHERE: f"{self.name} lies in another folder than {alike}.",
            Mismatch.UNREADABLE: f"{self.name} stands for {alike}, which cannot be read.",
        }[self.why]


@dataclass(frozen=True, slots=True)
class CategoryProposal:
    """A category of the data set and where it is proposed to go.

    Attributes:
        name: as the data set has it.
        count: annotations of it.
        destination: the id of the project's category that it most likely is, the name of one to
            make, or `IGNORED`.
    """

    name: str
    count: int
    destination: Destination


@dataclass(frozen=True)
class ImportPlan:
    """What an import would meet.

    Attributes:
        source: the data set.
        matched: its images that the project has.
        missing: the others.
        categories: one for each of `source.categories`.
    """

    source: "Source"
    matched: tuple[MatchedImage, ...]
    missing: tuple[MissingImage, ...]
    categories: tuple[CategoryProposal, ...]

    @property
    def annotations(self) -> int:
        """Annotations on the images that the project has."""
        return sum(self.source.images[one.number].annotations for one in self.matched)

    @property
    def other_size(self) -> tuple[MatchedImage, ...]:
        """Images of another size than the data set tells of."""
        return tuple(one for one in self.matched if one.other_size)

    @property
    def occupied(self) -> tuple[MatchedImage, ...]:
        """Images that hold annotations already."""
        return tuple(one for one in self.matched if one.standing)

    def proposed(self) -> tuple[Destination, ...]:
        """Return where each category goes unless a person decides otherwise."""
        return tuple(one.destination for one in self.categories)

    def sentences(self) -> tuple[str, ...]:
        """Return the plan as a person reads it."""
        images = _count(len(self.source.images), "image")
        annotations = _count(self.annotations, "annotation")
        return (
            f"{len(self.matched):,} of {images} are in the project, with {annotations}.",
            *self._missing_sentences(),
            *self._image_sentences(),
            *map(_category_sentence, self.categories),
            *self.source.notes,
        )

    def _missing_sentences(self) -> Iterator[str]:
        reasons = {
            Mismatch.ABSENT: "not in the project",
            Mismatch.SEVERAL: "may be any of several in the project",
            Mismatch.SHARED: "may be the same one of the project",
            Mismatch.ELSEWHERE: "found only in another folder",
            Mismatch.UNREADABLE: "not to be read",
        }
        for why, words in reasons.items():
            names = [one.name for one in self.missing if one.why is why]
            if names:
                yield f"{_count(len(names), 'image')} {words}: {_listed(names)}."

    def _image_sentences(self) -> Iterator[str]:
        if self.other_size:
            names = [one.path for one in self.other_size]
            yield f"{_count(len(names), 'image')} of another size than here: {_listed(names)}."
        if self.occupied:
            people = sum(one.by_people for one in self.occupied)
            models = sum(one.by_models for one in self.occupied)
            yield (
                f"{_count(len(self.occupied), 'image')} with annotations already: {people:,} of "
                f"people, {models:,} of models that nobody has touched."
            )


@dataclass(frozen=True)
class ImportChoices:
    """What a person decides.

    Attributes:
        destinations: where each of the data set's categories goes, in their order.
        standing: what becomes of images that hold annotations already. `REPLACE` takes away what
            stands on images on which the data set has something to put in its place; what is locked
            stays.
        other_size: what becomes of what was drawn on images of another size.
        state: how far images have come where the data set does not say.
        embedded: images that the project lacks and the data set carries are put into its folder.
    """

    destinations: tuple[Destination, ...]
    standing: Standing = Standing.LEAVE
    other_size: OtherSize = OtherSize.LEAVE_OUT
    state: ImportedState = ImportedState.EDITED
    embedded: bool = False


@dataclass(frozen=True)
class Told:
    """Sentences of which there may be hundreds of thousands.

    Attributes:
        count: how many there were.
        first: some hundred of them.
    """

    count: int = 0
    first: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Attributes:
        title: as the Undo menu has it.
        images: images on which something changed.
        annotations: annotations that were taken in, pre-annotations among them.
        pre_annotations: those of them with a score.
        already_there: annotations that stood there already, equal to the last digit.
        replaced: annotations that were taken away for it.
        locked: annotations that were to be taken away and stay, because they are locked.
        occupied: images left as they are because annotations stand on them.
        other_size: images left out because their size is another.
        missing: images of the data set that the project does not have.
        put: images that the data set carried and that were put into the folder.
        made: names of the categories that were made.
        left_out: shapes no annotation can be made of.
        mended: outlines that were changed to be valid or to lie in their image.
    """

    title: str
    images: int = 0
    annotations: int = 0
    pre_annotations: int = 0
    already_there: int = 0
    replaced: int = 0
    locked: int = 0
    occupied: int = 0
    other_size: int = 0
    missing: int = 0
    put: int = 0
    made: tuple[str, ...] = ()
    left_out: Told = field(default_factory=Told)
    mended: Told = field(default_factory=Told)

    def sentences(self) -> tuple[str, ...]:
        """Return the report as a person reads it."""
        people = self.annotations - self.pre_annotations
        counts = (
            (len(self.made), f"Categories made: {_listed(self.made)}."),
            (self.already_there, f"{self.already_there:,} stood there already."),
            (self.replaced, f"{_count(self.replaced, 'annotation')} replaced."),
            (self.locked, f"{_count(self.locked, 'locked annotation')} kept."),
            (
                self.occupied,
                f"{_count(self.occupied, 'image')} left as they are, because annotations stand "
                "on them.",
            ),
            (self.other_size, f"{_count(self.other_size, 'image')} left out: of another size."),
            (self.put, f"{_count(self.put, 'image')} put into the folder."),
            (self.missing, f"{_count(self.missing, 'image')} not in the project."),
        )
        return (
            f"{_count(self.annotations, 'annotation')} taken in on "
            f"{_count(self.images, 'image')}: {people:,} of people, {self.pre_annotations:,} of "
            "models.",
            *(sentence for count, sentence in counts if count),
            *_told("left out", self.left_out),
            *_told("mended", self.mended),
        )


def _category_sentence(one: CategoryProposal) -> str:
    if isinstance(one.destination, str):
        becomes = "is made" if one.destination == one.name else f"is made as {one.destination}"
    else:
        becomes = "is left out" if one.destination < 0 else "goes to the one of the project"
    return f"Category {one.name} ({_count(one.count, 'annotation')}) {becomes}."


def _told(words: str, told: Told) -> Iterator[str]:
    """Yield how many things something was said of, and the first of them."""
    if not told.count:
        return
    yield f"{_count(told.count, 'outline')} {words}:"
    yield from told.first[:_MOST_LISTED]
    if told.count > _MOST_LISTED:
        yield f"... and {told.count - _MOST_LISTED:,} more."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _listed(names: Sequence[str]) -> str:
    """Return the first of some names."""
    more = len(names) - _MOST_LISTED
    return ", ".join(names[:_MOST_LISTED]) + (f" and {more:,} more" if more > 0 else "")
