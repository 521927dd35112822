"""What an import makes of one image: a data set's annotations beside those that stand there."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from maskstudio.annotation.annotation import Annotation, ImageState
from maskstudio.annotation.category_map import IGNORED
from maskstudio.annotation.edits import AnnotationChange, Edit, ImageChange, ImageContent
from maskstudio.annotation.segmentation import Box, Part, Segmentation, as_ring
from maskstudio.errors import UserError
from maskstudio.formats.incoming import IncomingAnnotation, IncomingContent, IncomingImage, Source
from maskstudio.later import shapely
from maskstudio.session.import_plan import (
    ImportChoices,
    ImportedState,
    ImportReport,
    MatchedImage,
    OtherSize,
    Standing,
    Told,
)

_MOST_TOLD = 500
"""So many sentences are kept of each kind: nobody reads more, and there may be a million."""

_DONE = (ImageState.VERIFIED, ImageState.EMPTY)


@dataclass
class _Sentences:
    """Sentences that are counted and of which the first are kept."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, sentences: Sequence[str]) -> None:
        self.count += len(sentences)
        self.first += sentences[: max(0, _MOST_TOLD - len(self.first))]

    def told(self) -> Told:
        return Told(self.count, tuple(self.first))


@dataclass
class ImportTally:
    """What is counted while images pass by; see `ImportReport`."""

    images: int = 0
    annotations: int = 0
    pre_annotations: int = 0
    already_there: int = 0
    replaced: int = 0
    locked: int = 0
    occupied: int = 0
    other_size: int = 0
    put: int = 0
    made: tuple[str, ...] = ()
    left_out: _Sentences = field(default_factory=_Sentences)
    mended: _Sentences = field(default_factory=_Sentences)

    def report(self, title: str, missing: int) -> ImportReport:
        """Return it as a value."""
        return ImportReport(
            title,
            self.images,
            self.annotations,
            self.pre_annotations,
            self.already_there,
            self.replaced,
            self.locked,
            self.occupied,
            self.other_size,
            missing,
            self.put,
            self.made,
            self.left_out.told(),
            self.mended.told(),
        )


class ImageImporter:
    """Makes an edit for one image after the other, and counts."""

    def __init__(
        self,
        source: Source,
        choices: ImportChoices,
        categories: Sequence[int],
        new_ids: Iterator[int],
    ) -> None:
        """Prepare it.

        Args:
            source: the data set.
            choices: what the person decided.
            categories: for each category of the data set the id of the project's, or `IGNORED`.
            new_ids: gives ids for new annotations.
        """
        self.tally = ImportTally()
        self._source = source
        self._choices = choices
        self._categories = categories
        self._new_ids = new_ids
        self._model_id = f"import:{source.path.name}"

    def edit(self, image: MatchedImage, content: ImageContent) -> Edit | None:
        """Return what the data set changes on an image, None where that is nothing.

        Args:
            image: the image.
            content: it, and what stands on it now.
        """
        incoming = self._source.images[image.number]
        scaled = self._choices.other_size is OtherSize.SCALE and not _is_turned(image, incoming)
        if image.other_size and not scaled:
            self.tally.other_size += 1
            return None
        if content.annotations and self._choices.standing is Standing.LEAVE:
            self.tally.occupied += bool(incoming.annotations)
            return None
        found = self._read(image, incoming)
        if found is None:
            return None
        edit = self._merged(content, incoming, found)
        self.tally.images += bool(edit)
        return edit

    def _read(self, image: MatchedImage, incoming: IncomingImage) -> IncomingContent | None:
        height, width = incoming.height or image.height, incoming.width or image.width
        try:
            found = self._source.content(image.number, height, width)
        except UserError as error:
            # Its own fault: the others are none the worse for it.
            self.tally.left_out.add([str(error)])
            return None
        self.tally.left_out.add(found.left_out)
        self.tally.mended.add(found.mended)
        if (height, width) == (image.height, image.width):
            return found
        scale = (image.width / width, image.height / height)
        return replace(found, annotations=tuple(_scaled(a, *scale) for a in found.annotations))

    def _merged(
        self, content: ImageContent, incoming: IncomingImage, found: IncomingContent
    ) -> Edit | None:
        standing = content.annotations
        there = {_key(a.category_id, a.segmentation, a.box): i for i, a in standing.items()}
        new: list[Annotation] = []
        same: set[int] = set()
        for one in found.annotations:
            category_id = self._categories[one.category]
            if category_id == IGNORED:
                continue
            twin = there.get(_key(category_id, one.segmentation, one.box)) if there else None
            if twin is None:
                new.append(self._annotation(one, category_id, content.front_z))
            else:
                same.add(twin)
                self.tally.already_there += 1
        # Where the data set has nothing, nothing takes the place of what stands there.
        gone = self._gone(standing, same) if new or same else {}
        left = [a for i, a in standing.items() if i not in gone]
        state = _state_after(content.record.state, incoming, self._choices.state, new, left, gone)
        return self._changed(content, gone.values(), new, state)

    def _gone(self, standing: Mapping[int, Annotation], same: set[int]) -> dict[int, Annotation]:
        if self._choices.standing is not Standing.REPLACE:
            return {}
        others = {i: a for i, a in standing.items() if i not in same}
        gone = {i: a for i, a in others.items() if not a.locked}
        self.tally.replaced += len(gone)
        self.tally.locked += len(others) - len(gone)
        return gone

    def _changed(
        self,
        content: ImageContent,
        gone: Iterable[Annotation],
        new: Iterable[Annotation],
        state: ImageState,
    ) -> Edit | None:
        image_id, status = content.record.id, content.record.status
        changes = [AnnotationChange(image_id, a, None) for a in gone]
        changes += [AnnotationChange(image_id, None, a) for a in new]
        after = status if state is status.state else replace(status, state=state)
        images = () if after is status else (ImageChange(image_id, status, after),)
        return Edit("", annotations=tuple(changes), images=images) if changes or images else None

    def _annotation(self, one: IncomingAnnotation, category_id: int, z: int) -> Annotation:
        by_model = one.score is not None
        self.tally.annotations += 1
        self.tally.pre_annotations += by_model
        return Annotation(
            next(self._new_ids),
            category_id,
            one.segmentation,
            one.box,
            self._model_id if by_model else None,
            one.score,
            touched=not by_model,
            iscrowd=one.iscrowd,
            attributes=one.attributes,
            note=one.note,
            z=z,
        )


def _state_after(
    before: ImageState,
    incoming: IncomingImage,
    chosen: ImportedState,
    new: Sequence[Annotation],
    left: Sequence[Annotation],
    gone: Collection[int],
) -> ImageState:
    """Return how far an image has come with what was imported.

    Args:
        before: how far it had come.
        incoming: what the data set says of it.
        chosen: how far it has come with a person's work, if the data set is silent.
        new: what was added.
        left: what stood there and stays.
        gone: what was taken away for it.
    """
    told = incoming.state or ImageState(chosen)
    if not incoming.annotations and not left:
        empty = ImageState.EMPTY if told in _DONE else told
        return empty if incoming.state or told in _DONE else before
    if not new and not gone:
        return before
    if told in _DONE and not any(a.is_pre_annotation for a in (*new, *left)):
        return ImageState.VERIFIED
    if told is ImageState.SKIPPED:
        return told
    return _state_with(before, new, gone)


def _state_with(before: ImageState, new: Sequence[Annotation], gone: Collection[int]) -> ImageState:
    """Return how far an image has come on which something changed that nobody has verified."""
    if gone or any(a.touched for a in new) or before in _DONE:
        return ImageState.EDITED
    return ImageState.PREDICTED if before in (ImageState.NEW, ImageState.SKIPPED) else before


def _is_turned(image: MatchedImage, incoming: IncomingImage) -> bool:
    """Tell whether the data set has an image lying on its side: scaling would not bring it right.

    So it is where another program does not heed how a camera was held (EXIF).
    """
    upright, told = (image.height, image.width), (incoming.height, incoming.width)
    return image.height != image.width and told == upright[::-1]


def _key(
    category_id: int, segmentation: Segmentation | None, box: Box | None
) -> tuple[object, ...]:
    """Return what two annotations have in common that are the same but for who says so.

    A ring may begin at any of its vertices, and go either way.
    """
    if segmentation is None:
        return category_id, box
    return category_id, shapely.to_wkb(shapely.normalize(segmentation.geometry))


def _scaled(one: IncomingAnnotation, across: float, down: float) -> IncomingAnnotation:
    """Return an annotation drawn on an image of another size."""
    factors = np.array([across, down])
    if one.box is not None:
        x0, y0, x1, y1 = one.box
        return replace(one, box=(x0 * across, y0 * down, x1 * across, y1 * down))
    if one.segmentation is None:
        raise AssertionError("an annotation has a box or an outline")
    parts = (
        Part(as_ring(part.outer * factors), tuple(as_ring(h * factors) for h in part.holes))
        for part in one.segmentation.parts
    )
    return replace(one, segmentation=Segmentation(tuple(parts)))
