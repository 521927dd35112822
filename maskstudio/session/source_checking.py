"""Check a data set of another program, file or folder, without taking it in. Needs no Qt."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from maskstudio.annotation.annotation import (
    Annotation,
    Category,
    ImageRecord,
    ImageState,
    ImageStatus,
)
from maskstudio.annotation.edits import ImageContent
from maskstudio.annotation.findings import Finding, FindingKind, Severity
from maskstudio.annotation.quality import FileFacts, check_image
from maskstudio.annotation.quality_project import check_categories
from maskstudio.errors import UserError
from maskstudio.formats.coco_source import is_coco
from maskstudio.formats.file_check import FileCheck, FileProblem, check_file
from maskstudio.formats.incoming import IncomingContent, IncomingImage, Source
from maskstudio.formats.sources import open_source
from maskstudio.progress import TaskContext
from maskstudio.session.quality_report import QualityReport
from maskstudio.storage.image_heads import read_head

_LEFT_OUT = "Shapes that no annotation can be made of"
_MENDED = "Outlines that had to be repaired or cut"
# Where images lie beside what tells of them, seen from the folder of the file.
_BESIDE = ("", "images", "../images", "..", "../train", "../val")


def check_data_set(path: Path, context: TaskContext) -> QualityReport:
    """Check a data set of another program.

    Raises:
        UserError: it is of no kind that is known.
        CancelledError: the person asked to stop.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist; give a project, a file or a folder.")
    coco = check_file(path, context) if is_coco(path) else None
    try:
        source = open_source(path, context)
    except UserError as error:
        if coco is None:
            raise
        # What keeps it from being opened has been told, in more words.
        return _of_file(coco, str(error))
    report = _check_source(source, context)
    if coco is None:
        return report
    # What no annotation can be made of has been told with the reason why readers fail on it.
    mended = tuple(problem for problem in report.problems if problem.rule == _MENDED)
    return replace(report, problems=(*coco.problems, *mended), ap=coco.ap)


def _of_file(coco: FileCheck, sentence: str) -> QualityReport:
    problems = coco.problems or (FileProblem("The file cannot be read", sentence),)
    return QualityReport((), 0, coco.images, coco.annotations, {}, problems, coco.ap)


def _check_source(source: Source, context: TaskContext) -> QualityReport:
    findings: list[Finding] = []
    problems: list[FileProblem] = []
    counts: dict[int, Counter[int]] = {}
    total = len(source.images)
    for number, image in enumerate(source.images):
        context.raise_if_cancelled()
        context.report(number, total, image.name)
        try:
            found = _Looked(source, number, image)
        except UserError as error:
            findings.append(
                Finding(FindingKind.UNREADABLE, Severity.PROBLEM, str(error), number + 1)
            )
            continue
        problems += [FileProblem(_LEFT_OUT, sentence) for sentence in found.content.left_out]
        problems += [FileProblem(_MENDED, sentence) for sentence in found.content.mended]
        findings += found.findings()
        counts[number + 1] = Counter(a.category + 1 for a in found.content.annotations)
    known = tuple(Category(n, c.name) for n, c in enumerate(source.categories, 1))
    findings += check_categories(known, {i: c for i, c in counts.items() if c}, {})
    names = {number: image.name for number, image in enumerate(source.images, 1)}
    annotations = sum(of_image.total() for of_image in counts.values())
    return QualityReport(tuple(findings), 0, total, annotations, names, tuple(problems))


class _Looked:
    """One image of a data set, read."""

    def __init__(self, source: Source, number: int, image: IncomingImage) -> None:
        """Read it.

        Raises:
            UserError: it cannot be read.
        """
        file = _file_of(source.path, image.name)
        facts = read_head(file) if file is not None else FileFacts(image.height, image.width)
        size = (image.height or facts.height, image.width or facts.width)
        self._record = ImageRecord(
            number + 1, image.name, *size, ImageStatus(image.state or ImageState.SKIPPED)
        )
        self._facts = facts
        self.content: IncomingContent = source.content(number, *size)

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong with it."""
        annotations = {
            n: Annotation(n, a.category + 1, a.segmentation, a.box, iscrowd=a.iscrowd)
            for n, a in enumerate(self.content.annotations, 1)
        }
        yield from check_image(ImageContent(self._record, annotations), self._facts)


def _file_of(path: Path, name: str) -> Path | None:
    """Return the file of an image, where it lies where such files usually do."""
    folder = path if path.is_dir() else path.parent
    tried = (folder / beside / name for beside in _BESIDE)
    return next((file for file in tried if file.is_file()), None)
