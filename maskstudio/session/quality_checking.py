"""Check a whole project: every outline, every image file, the categories. Needs no Qt."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from maskstudio.annotation.annotation import Annotation, Category, ImageRecord, ImageState
from maskstudio.annotation.edits import ImageContent
from maskstudio.annotation.findings import Finding, FindingKind
from maskstudio.annotation.quality import check_image
from maskstudio.annotation.quality_project import check_categories, check_twins
from maskstudio.progress import TaskContext
from maskstudio.session.alike import find_alike
from maskstudio.session.quality_report import QualityReport
from maskstudio.session.splitting import remembered_parts
from maskstudio.storage.image_heads import read_head

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase

IGNORED = "quality_ignored"
"""The setting of a project that holds the keys of findings a person said to be right."""

# The sizes that outlines are for, of images whose file was found to be of another one: the project
# takes up the size of a file once it is opened.
_SIZES = "labelled_sizes"
_NO_COUNTS: Mapping[int, int] = {}

SecondLook = Callable[[ImageContent], tuple[Finding, ...]]
"""Finds more on an image than can be seen of its outlines and its file; on any lane."""


def no_second_look(content: ImageContent) -> tuple[Finding, ...]:
    """Find nothing more."""
    del content
    return ()


@dataclass(frozen=True)
class ImageCheck:
    """What is known of an image after its check.

    Attributes:
        findings: what was found.
        counts: category id to how many annotations of it stand on the image.
    """

    findings: tuple[Finding, ...] = ()
    counts: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ProjectCheck:
    """What is known of a project after its check.

    Attributes:
        images: image id to what was found on it, in the order of the names.
        twins: images that are in the project already.
        splits: image id to the split it was exported in, as far as it was in one.
        sizes: image id to the (height, width) its outlines are for, where the file has another.
    """

    images: Mapping[int, ImageCheck]
    twins: tuple[Finding, ...] = ()
    splits: Mapping[int, str] = field(default_factory=dict)
    sizes: Mapping[int, tuple[int, int]] = field(default_factory=dict)

    def findings(self, categories: Sequence[Category]) -> tuple[Finding, ...]:
        """Return everything found, the categories of the project being these."""
        on_images = [found for image in self.images.values() for found in image.findings]
        counts = {i: image.counts for i, image in self.images.items() if image.counts}
        return (*on_images, *self.twins, *check_categories(categories, counts, self.splits))


def check_project(
    database: "ProjectDatabase", context: TaskContext, second_look: SecondLook = no_second_look
) -> ProjectCheck:
    """Check every image of a project.

    Raises:
        UserError: the project cannot be read.
        CancelledError: the person asked to stop.
    """
    checked: dict[int, ImageCheck] = {}
    sizes = _kept_sizes(database)
    with database.reading_dataset(ImageState) as dataset:
        images = dataset.images
        for number, record in enumerate(images):
            context.raise_if_cancelled()
            context.report(number, len(images), record.path)
            standing = dataset.annotations.get(record.id, ())
            checked[record.id] = check_record(database, record, standing, sizes, second_look)
    splits = remembered_parts(database)
    twins = _twins(database, images, splits, context)
    return ProjectCheck(checked, twins, splits, _keep_sizes(database, checked, sizes))


def check_record(
    database: "ProjectDatabase",
    record: ImageRecord,
    annotations: Iterable[Annotation],
    sizes: Mapping[int, tuple[int, int]],
    second_look: SecondLook,
) -> ImageCheck:
    """Check one image of a project.

    Args:
        database: the project.
        record: the image.
        annotations: what stands on it.
        sizes: see `ProjectCheck`.
        second_look: finds more on it.
    """
    height, width = sizes.get(record.id, (record.height, record.width))
    labelled = replace(record, height=height, width=width)
    content = ImageContent(labelled, {a.id: a for a in annotations})
    found = check_image(content, read_head(database.folder / record.path)) + second_look(content)
    counts = Counter(a.category_id for a in content.annotations.values())
    return ImageCheck(found, dict(counts) if counts else _NO_COUNTS)


def _kept_sizes(database: "ProjectDatabase") -> dict[int, tuple[int, int]]:
    kept = database.setting(_SIZES, {})
    return {int(image_id): (height, width) for image_id, (height, width) in kept.items()}


def _keep_sizes(
    database: "ProjectDatabase",
    checked: Mapping[int, ImageCheck],
    before: Mapping[int, tuple[int, int]],
) -> Mapping[int, tuple[int, int]]:
    """Keep the sizes that outlines are for, where that is not the file's and not right so."""
    right = frozenset(database.setting(IGNORED, []))
    found = (finding for image in checked.values() for finding in image.findings)
    wrong = (f for f in found if f.kind is FindingKind.SIZE and f.key not in right)
    sizes = {f.image_id: f.size for f in wrong if f.image_id is not None}
    if sizes != before and not database.read_only:
        database.set_setting(_SIZES, {str(image_id): size for image_id, size in sizes.items()})
    return sizes


def report_on(check: ProjectCheck, database: "ProjectDatabase") -> QualityReport:
    """Return the report on the check of a project, without what somebody said to be right."""
    right = frozenset(database.setting(IGNORED, []))
    found = check.findings(database.categories())
    left = tuple(finding for finding in found if finding.key not in right)
    annotations = sum(sum(image.counts.values()) for image in check.images.values())
    names = {record.id: record.path for record in database.images()}
    return QualityReport(left, len(found) - len(left), len(check.images), annotations, names)


def _twins(
    database: "ProjectDatabase",
    images: Sequence[ImageRecord],
    splits: Mapping[int, str],
    context: TaskContext,
) -> tuple[Finding, ...]:
    names = {record.id: record.path for record in images}
    found = find_alike(database.folder, images, context)
    return tuple(check_twins(found.exact, found.near, names, splits))
