"""The report on a check, of a project or of another program's data set. Needs no Qt."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from maskstudio.annotation.findings import TITLES, Finding, Severity, in_order
from maskstudio.formats.file_check import FileProblem

_LISTED = 5


@dataclass(frozen=True)
class QualityReport:
    """What a check found, for people and for programs.

    Attributes:
        findings: what was found and nobody said to be right.
        ignored: how many findings somebody said to be right.
        images: how many images were checked.
        annotations: how many annotations stand on them.
        names: image id to its path.
        problems: what is wrong with the file as such, where it is one.
        ap: of its masks as detections of themselves; see `FileCheck`.
    """

    findings: tuple[Finding, ...]
    ignored: int
    images: int
    annotations: int
    names: Mapping[int, str]
    problems: tuple[FileProblem, ...] = ()
    ap: float | None = None

    @property
    def ok(self) -> bool:
        """True when nothing is wrong; some of it may be doubtful."""
        return not self.problems and all(
            finding.severity is not Severity.PROBLEM for finding in self.findings
        )

    def sentences(self) -> tuple[str, ...]:
        """Return the report as a person reads it; long lists are cut."""
        groups: dict[str, list[str]] = {}
        for problem in self.problems:
            groups.setdefault(problem.rule, []).append(problem.sentence)
        for finding in in_order(self.findings):
            groups.setdefault(TITLES[finding.kind], []).append(self.sentence(finding))
        said = [f"{_count(self.images, 'image')}, {_count(self.annotations, 'annotation')}."]
        for title, sentences in groups.items():
            said.append(f"{title}: {len(sentences):,}")
            said += [f"  {sentence}" for sentence in sentences[:_LISTED]]
            if len(sentences) > _LISTED:
                said.append(f"  ... and {len(sentences) - _LISTED:,} more.")
        if self.ap is not None:
            said.append(
                f"Evaluated against itself: AP {math.floor(self.ap * 1000 + 1e-6) / 1000:.3f}."
            )
        if self.ignored:
            said.append(f"Left out because somebody said it is right: {self.ignored:,}.")
        if self.ok:
            doubts = sum(finding.severity is Severity.DOUBT for finding in self.findings)
            look = f"Nothing is wrong for sure, {doubts:,} to look at."
            said.append(look if doubts else "Nothing is wrong.")
        return tuple(said)

    def sentence(self, finding: Finding) -> str:
        """Return what was found, with where."""
        where = [] if finding.image_id is None else [self.names[finding.image_id]]
        if len(finding.annotation_ids) in (1, 2):
            where.append(f"annotation {finding.annotation_ids[0]}")
        return ": ".join([*where, finding.sentence])

    def plain(self) -> dict[str, object]:
        """Return the report for programs, as JSON has it."""
        return {
            "images": self.images,
            "annotations": self.annotations,
            "ignored": self.ignored,
            "ok": self.ok,
            "ap": self.ap,
            "problems": [{"rule": p.rule, "sentence": p.sentence} for p in self.problems],
            "findings": [
                {
                    "kind": str(finding.kind),
                    "severity": finding.severity.name.lower(),
                    "sentence": finding.sentence,
                    "image": None if finding.image_id is None else self.names[finding.image_id],
                    "annotations": list(finding.annotation_ids),
                    "box": None if finding.box is None else list(finding.box),
                    "category_id": finding.category_id,
                    "fixable": finding.fixable,
                }
                for finding in self.findings
            ],
        }


def _count(number: int, one: str) -> str:
    return f"{number:,} {one if number == 1 else one + 's'}"
