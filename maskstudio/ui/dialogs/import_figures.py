"""What the preview of an import tells in numbers and lists; reckoned on a lane, for all at once."""

from collections import defaultdict
from dataclasses import dataclass

from maskstudio.annotation.name_matching import Mismatch
from maskstudio.formats.incoming import IncomingImage
from maskstudio.session.import_plan import ImportPlan, MatchedImage, OtherSize, Standing


@dataclass(frozen=True)
class Amount:
    """Images of a data set, and the annotations on them."""

    images: int = 0
    annotations: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.images + other.images, self.annotations + other.annotations)


@dataclass(frozen=True)
class ImportFigures:
    """What a plan comes to.

    Attributes:
        whole: the data set.
        matched: what of it is in the project.
        absent: a sentence for each image that the project does not have.
        unclear: a sentence for each that may be several, or shares its name.
        unreadable: a sentence for each whose file in the project cannot be read.
        other_size: a sentence for each of another size than the data set tells of.
        occupied: images that hold annotations already.
        by_people: annotations on them that a person made, changed or accepted.
        by_models: pre-annotations on them.
        embedded: images the project lacks and the data set carries.
        silent: images of the project of which the data set does not say how far they have come.
        amounts: (of another size, holds annotations already) to what is matched and is so.
    """

    whole: Amount
    matched: Amount
    absent: tuple[str, ...]
    unclear: tuple[str, ...]
    unreadable: tuple[str, ...]
    other_size: tuple[str, ...]
    occupied: int
    by_people: int
    by_models: int
    embedded: Amount
    silent: int
    amounts: dict[tuple[bool, bool], Amount]

    def coming(self, standing: Standing, other_size: OtherSize, *, embedded: bool) -> Amount:
        """Return what comes in if a person decides so, whatever its categories."""
        coming = self.embedded if embedded else Amount()
        for (scaled, occupied), amount in self.amounts.items():
            left = (scaled and other_size is OtherSize.LEAVE_OUT) or (
                occupied and standing is Standing.LEAVE
            )
            coming += Amount() if left else amount
        return coming


def figures_of(plan: ImportPlan) -> ImportFigures:
    """Reckon what a plan comes to."""
    there = plan.source.images
    amounts: defaultdict[tuple[bool, bool], Amount] = defaultdict(Amount)
    for one in plan.matched:
        key = one.other_size, one.standing > 0
        amounts[key] += Amount(1, there[one.number].annotations)
    sentences: defaultdict[Mismatch, list[str]] = defaultdict(list)
    embedded = Amount()
    for lost in plan.missing:
        if lost.embedded:
            embedded += Amount(1, lost.annotations)
        sentences[lost.why].append(lost.sentence())
    unclear = (Mismatch.SEVERAL, Mismatch.SHARED, Mismatch.ELSEWHERE)
    return ImportFigures(
        Amount(len(there), sum(image.annotations for image in there)),
        sum(amounts.values(), Amount()),
        tuple(sentences[Mismatch.ABSENT]),
        tuple(sentence for why in unclear for sentence in sentences[why]),
        tuple(sentences[Mismatch.UNREADABLE]),
        tuple(_sizes(one, there[one.number]) for one in plan.other_size),
        sum(one.standing > 0 for one in plan.matched),
        sum(one.by_people for one in plan.matched),
        sum(one.by_models for one in plan.matched),
        embedded,
        sum(there[one.number].state is None for one in plan.matched),
        dict(amounts),
    )


def images(count: int) -> str:
    """Return a number of images in words."""
    return f"{count:,} image" if count == 1 else f"{count:,} images"


def annotations(count: int) -> str:
    """Return a number of annotations in words."""
    return f"{count:,} annotation" if count == 1 else f"{count:,} annotations"


def _sizes(here: MatchedImage, there: IncomingImage) -> str:
    return (
        f"{here.path} has {here.width} by {here.height} pixels here, {there.width} by "
        f"{there.height} in the data set."
    )
