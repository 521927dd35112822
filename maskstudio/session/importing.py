"""Take a data set of another program into a project: first a plan, then one undoable step.

Needs no Qt. What stands on an image already stays as it is unless the person has chosen otherwise.
"""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import chain
from typing import TYPE_CHECKING

from maskstudio.annotation.annotation import Category, ImageRecord
from maskstudio.annotation.category_map import IGNORED, TO_MAKE, guess
from maskstudio.annotation.edits import CategoryChange, Edit, ImageContent
from maskstudio.annotation.name_matching import Mismatch, NameMatch, match_names
from maskstudio.errors import UserError
from maskstudio.formats.incoming import IncomingCategory, IncomingImage, Source
from maskstudio.progress import TaskContext
from maskstudio.session.embedded_images import PutImages, put_images
from maskstudio.session.import_plan import (
    CategoryProposal,
    Destination,
    ImportChoices,
    ImportPlan,
    ImportReport,
    MatchedImage,
    MissingImage,
)
from maskstudio.session.imported_image import ImageImporter
from maskstudio.storage.images import read_size

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase

_REPORTED = 64
"""Images between two looks at whether to stop."""

_UNNAMED = "unnamed"


def plan_import(database: "ProjectDatabase", source: Source, context: TaskContext) -> ImportPlan:
    """Find out what of a data set the project has, and what stands there already.

    Args:
        database: the project; sizes of images never opened before are noted in it.
        source: the data set.
        context: told of the progress; asked whether to stop.
    """
    context.report(0, 0, "comparing names")
    records = database.images()
    found = _matches(source.images, records)
    standing, untouched = database.annotation_counts(), database.untouched_counts()
    matched: list[MatchedImage] = []
    missing: list[MissingImage] = []
    for number, (image, match) in enumerate(zip(source.images, found, strict=True)):
        if number % _REPORTED == 0:
            context.raise_if_cancelled()
            context.report(number, len(found), "comparing images")
        if match.place is None:
            alike = tuple(records[place].path for place in match.alike)
            missing.append(_missing(number, image, match.why or Mismatch.ABSENT, alike))
            continue
        record = records[match.place]
        size = _size(database, record)
        if size is None:
            missing.append(_missing(number, image, Mismatch.UNREADABLE, (record.path,)))
            continue
        models = untouched.get(record.id, 0)
        matched.append(
            MatchedImage(
                number,
                record.id,
                record.path,
                *size,
                other_size=(image.height or size[0], image.width or size[1]) != size,
                by_people=standing.get(record.id, 0) - models,
                by_models=models,
            )
        )
    categories = database.categories()
    proposals = (_proposal(one, categories) for one in source.categories)
    return ImportPlan(source, tuple(matched), tuple(missing), tuple(proposals))


def carry_out(
    database: "ProjectDatabase", plan: ImportPlan, choices: ImportChoices, context: TaskContext
) -> ImportReport:
    """Take a data set into the project, in one step that can be undone.

    What the plan says of the project may be out of date by then: what counts is what stands there
    now.

    Raises:
        UserError: it could not be written; nothing has changed then.
        CancelledError: the person asked to stop; nothing has changed then.
    """
    if len(choices.destinations) != len(plan.categories):
        raise ValueError("every category of the data set has a destination")
    name = plan.source.path.name
    categories, made = _destinations(database, plan, choices.destinations)
    importer = ImageImporter(plan.source, choices, categories, database.take_annotation_ids())
    importer.tally.made = tuple(category.name for category in made)
    carried = put_images(database, plan, context) if choices.embedded else nullcontext(PutImages())
    with carried as put:
        importer.tally.left_out.add(put.left_out)
        images = (*plan.matched, *put.matched)
        edits = chain(_making(made), _edits(database, images, importer, context))
        database.commit_long(f"Import {name}", f"import:{name}", edits, context)
    importer.tally.put = len(put.matched)
    return importer.tally.report(f"Import {name}", len(plan.missing) - len(put.matched))


def _edits(
    database: "ProjectDatabase",
    images: Sequence[MatchedImage],
    importer: ImageImporter,
    context: TaskContext,
) -> Iterator[Edit]:
    """Yield an edit for each image on which something changes.

    It is asked while the project is being written, so nothing can change what it finds there.
    """
    records = {record.id: record for record in database.images()}
    occupied = database.annotation_counts()
    for done, image in enumerate(images):
        if done % _REPORTED == 0:
            context.raise_if_cancelled()
            context.report(done, len(images), image.path)
        record = records[image.image_id]
        standing = database.annotations(record.id) if record.id in occupied else ()
        edit = importer.edit(image, ImageContent(record, {a.id: a for a in standing}))
        if edit is not None:
            yield edit
    context.report(len(images), len(images))


def _making(made: Sequence[Category]) -> Iterator[Edit]:
    """Yield the edit that makes categories, if there are any to make."""
    if made:
        yield Edit("", categories=tuple(CategoryChange(None, category) for category in made))


def _destinations(
    database: "ProjectDatabase", plan: ImportPlan, destinations: Sequence[Destination]
) -> tuple[list[int], list[Category]]:
    """Return the project's category for each of the data set's, and those that are to be made.

    A category that is gone from the project meanwhile is made again, by the data set's name.
    """
    categories = database.categories()
    by_name = {category.name: category.id for category in categories}
    known = {IGNORED, *by_name.values()}
    found: list[int] = []
    made: list[Category] = []
    for incoming, destination in zip(plan.source.categories, destinations, strict=True):
        if destination in known and isinstance(destination, int):
            found.append(destination)
            continue
        name = _tidy(destination if isinstance(destination, str) else incoming.name) or _UNNAMED
        if name not in by_name:
            by_name[name] = database.next_category_id() + len(made)
            supercategory = _tidy(incoming.supercategory)
            made.append(Category(by_name[name], name, supercategory, incoming.colour))
        found.append(by_name[name])
    return found, made


def _matches(
    images: Sequence[IncomingImage], records: Sequence[ImageRecord]
) -> Sequence[NameMatch]:
    """Return the place of the project's image that each of the data set's means."""
    if any(image.project_id is not None for image in images):
        place = {record.id: n for n, record in enumerate(records)}
        ids = (place.get(image.project_id or 0) for image in images)
        return [NameMatch(n, None if n is not None else Mismatch.ABSENT) for n in ids]
    return match_names(
        [image.name for image in images],
        [record.path for record in records],
        [n for n, image in enumerate(images) if image.any_ending],
    )


def _missing(
    number: int, image: IncomingImage, why: Mismatch, alike: tuple[str, ...] = ()
) -> MissingImage:
    return MissingImage(number, image.name, why, alike, image.annotations, image.embedded)


def _size(database: "ProjectDatabase", record: ImageRecord) -> tuple[int, int] | None:
    """Return the size of an image, None where its file cannot be read."""
    if record.height and record.width:
        return record.height, record.width
    try:
        size = read_size(database.folder / record.path)
    except UserError:
        return None
    database.set_size(record.id, *size)
    return size


def _proposal(incoming: IncomingCategory, categories: Sequence[Category]) -> CategoryProposal:
    name = _tidy(incoming.name) or _UNNAMED
    destination: Destination
    if incoming.project_id is not None:
        known = any(category.id == incoming.project_id for category in categories)
        destination = incoming.project_id if known else IGNORED
    else:
        meant = guess(name, categories)
        destination = name if meant == TO_MAKE else meant
    return CategoryProposal(name, incoming.count, destination)


def _tidy(name: str) -> str:
    """Return a name on one line."""
    return " ".join(name.split())
