"""What is wrong or doubtful in the open project: looked for aside, kept up to date, put right.

The whole project is checked when a person asks for it. After that only images that were changed are
checked again, while somebody looks at the findings.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from maskstudio.annotation.edits import PERSON, Edit, ImageContent
from maskstudio.annotation.findings import TITLES, Finding, FindingKind, in_order
from maskstudio.annotation.quality_fixes import fixed
from maskstudio.errors import UserError
from maskstudio.progress import TaskContext
from maskstudio.session.quality_checking import (
    IGNORED,
    ProjectCheck,
    SecondLook,
    check_project,
    check_record,
    no_second_look,
)
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, Job, LaneName, Priority, Progress, Tasks

if TYPE_CHECKING:
    # It brings the database library, which an empty window does without.
    from maskstudio.storage.project import ProjectDatabase

# So many images are put right between two gestures; more of them aside.
_AT_ONCE = 20


class Quality(QObject):
    """The findings of the open project.

    Signals:
        changed: other findings are there, or fewer, or none yet.
        running_changed: a check of the whole project began or ended.
    """

    changed = Signal()
    running_changed = Signal()

    def __init__(self, session: Session, tasks: Tasks) -> None:
        super().__init__(session)
        self._session = session
        self._tasks = tasks
        self._check: ProjectCheck | None = None
        self._second_look: SecondLook = no_second_look
        self._found: tuple[Finding, ...] = ()
        self._findings: tuple[Finding, ...] = ()
        self._right: tuple[Finding, ...] = ()
        self._ignored = self._kept()
        self._job: Job | None = None
        self._again: Job | None = None
        self._stale: set[int] = set()
        self._watched = False
        self._outdated = False
        self._relist = False
        self._look_again = QTimer(self, interval=0, singleShot=True)
        self._look_again.timeout.connect(self._check_stale)
        session.opened.connect(self._on_opened)
        session.edited.connect(self._on_edited)
        session.renewed.connect(self._on_renewed)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found and is not said to be right, kind by kind, the gravest first."""
        return self._findings

    @property
    def ignored(self) -> tuple[Finding, ...]:
        """What was found and somebody said to be right."""
        return self._right

    @property
    def checked(self) -> bool:
        """True when the project was checked since it was opened."""
        return self._check is not None

    @property
    def outdated(self) -> bool:
        """True when so much was changed since that only another check can tell."""
        return self._outdated

    @property
    def running(self) -> bool:
        """True while the whole project is being checked."""
        return self._job is not None

    @property
    def progress(self) -> Progress:
        """How far the check of the whole project is."""
        return self._job.progress if self._job else Progress()

    @property
    def watched(self) -> bool:
        """True while somebody looks at the findings."""
        return self._watched

    @watched.setter
    def watched(self, watched: bool) -> None:
        self._watched = watched
        if watched:
            self._look_again.start()

    def start(self) -> None:
        """Check the whole project."""
        session, database = self._session, self._session.database
        if database is None or self._job is not None:
            return

        def ended(sentence: str = "") -> None:
            if self._job is job:
                self._set_job(None)
                if sentence:
                    session.problem.emit(sentence)

        categories, second_look = session.categories, self._second_look

        def work(context: TaskContext) -> tuple[ProjectCheck, tuple[Finding, ...]]:
            check = check_project(database, context, second_look)
            return check, _in_order(check.findings(categories))

        def done(checked: tuple[ProjectCheck, tuple[Finding, ...]]) -> None:
            if self._job is job:
                self._outdated = False
                self._set_job(None)
                self._take(*checked)

        # Whatever is changed from here on is looked at again at the end.
        self._stale.clear()
        callbacks = Callbacks(done, ended, ended)
        job = self._tasks.submit(LaneName.FILES, work, callbacks, Priority.LONG)
        self._set_job(job)

    def look_again(self, second_look: SecondLook, image_ids: Iterable[int]) -> None:
        """Find more from now on, and at once on some images."""
        self._second_look = second_look
        if self._check is None:
            self.start()
        else:
            self._note_stale(image_ids)

    def cancel(self) -> None:
        """Stop the check; what was found before stays."""
        if self._job is not None:
            self._job.cancel()

    def set_ignored(self, findings: Iterable[Finding], *, ignored: bool) -> None:
        """Note with the project that findings are right as they are, or that they are not."""
        keys = frozenset(finding.key for finding in findings)
        new = self._ignored | keys if ignored else self._ignored - keys
        try:
            self._session.require_database().set_setting(IGNORED, sorted(new))
        except UserError as error:
            self._session.problem.emit(str(error))
            return
        self._ignored = new
        self._sort_out()

    def fix(self, findings: Sequence[Finding]) -> None:
        """Put findings right in one undoable step, aside where they are many."""
        by_image: dict[int, list[Finding]] = {}
        for finding in findings:
            if finding.fixable and finding.image_id is not None:
                by_image.setdefault(finding.image_id, []).append(finding)
        if len(by_image) > _AT_ONCE:
            self._fix_aside(by_image)
        elif by_image:
            self._fix_here(by_image)

    def fix_all(self, kind: FindingKind) -> None:
        """Put all findings of a kind right that are not said to be right."""
        self.fix([finding for finding in self.findings if finding.kind is kind])

    def _fix_here(self, by_image: dict[int, list[Finding]]) -> None:
        session = self._session
        with session.beside.held():
            made = [fixed(session.content(i), found) for i, found in by_image.items()]
            whole = _joined([edit for edit in made if edit])
            if whole is None:
                # Found before somebody changed it, and not looked at again yet.
                session.problem.emit("That was changed meanwhile; check again.")
            else:
                session.edit(whole)

    def _fix_aside(self, by_image: dict[int, list[Finding]]) -> None:
        session = self._session
        records = {image_id: session.record(image_id) for image_id in by_image}
        (kind, *_) = {finding.kind for found in by_image.values() for finding in found}
        title, outdated = f"Fix all: {TITLES[kind].lower()}", self._outdated

        def make(database: "ProjectDatabase", context: TaskContext) -> None:
            def edits() -> Iterator[Edit]:
                for number, (image_id, found) in enumerate(by_image.items()):
                    context.raise_if_cancelled()
                    context.report(number, len(by_image), records[image_id].path)
                    standing = {a.id: a for a in database.annotations(image_id)}
                    edit = fixed(ImageContent(records[image_id], standing), found)
                    if edit:
                        yield edit

            database.commit_long(title, PERSON, edits(), context)

        def done(_: object) -> None:
            # What was changed is known.
            self._outdated = outdated
            self._note_stale(by_image)

        session.edit_long(self._tasks, make, Callbacks(done, session.problem.emit))

    def _set_job(self, job: Job | None) -> None:
        self._job = job
        self.running_changed.emit()

    def _on_opened(self) -> None:
        for job in (self._job, self._again):
            if job is not None:
                job.cancel()
        self._again, self._check, self._found = None, None, ()
        self._second_look = no_second_look
        self._stale.clear()
        self._outdated = self._relist = False
        self._ignored = self._kept()
        self._set_job(None)
        self._sort_out()

    def _kept(self) -> frozenset[str]:
        """Return what is kept with the project: the keys of findings that are right."""
        database = self._session.database
        return frozenset(database.setting(IGNORED, []) if database else ())

    def _on_edited(self, edit: Edit) -> None:
        if self._check is None and self._job is None:
            return
        self._outdated |= bool(edit.reassigned)
        self._relist |= bool(edit.categories or edit.reassigned)
        self._note_stale(edit.image_ids)

    def _on_renewed(self) -> None:
        if self._check is not None:
            self._outdated = True
            self.changed.emit()

    def _note_stale(self, image_ids: Iterable[int]) -> None:
        self._stale.update(image_ids)
        if self._watched:
            self._look_again.start()

    def _check_stale(self) -> None:
        """Check again what was changed, once nothing else is being checked."""
        session, database, check = self._session, self._session.database, self._check
        busy = self._job is not None or self._again is not None
        if database is None or check is None or busy or not (self._stale or self._relist):
            return
        records = [session.record(image_id) for image_id in sorted(self._stale)]
        categories, second_look = session.categories, self._second_look
        self._stale.clear()
        self._relist = False

        def work(context: TaskContext) -> tuple[ProjectCheck, tuple[Finding, ...]]:
            images = dict(check.images)
            for record in records:
                context.raise_if_cancelled()
                standing = database.annotations(record.id)
                sizes = check.sizes
                images[record.id] = check_record(database, record, standing, sizes, second_look)
            new = replace(check, images=images)
            return new, _in_order(new.findings(categories))

        def done(checked: tuple[ProjectCheck, tuple[Finding, ...]]) -> None:
            if self._again is job:
                self._again = None
                self._take(*checked)

        def failed(sentence: str) -> None:
            if self._again is job:
                self._again = None
                session.problem.emit(sentence)

        job = self._again = self._tasks.submit(LaneName.FILES, work, Callbacks(done, failed))

    def _take(self, check: ProjectCheck, found: tuple[Finding, ...]) -> None:
        self._check, self._found = check, found
        self._sort_out()
        # What was changed meanwhile.
        self._look_again.start()

    def _sort_out(self) -> None:
        """Keep what is said to be right apart from the rest."""
        right = self._ignored
        self._findings = tuple(f for f in self._found if f.key not in right)
        self._right = tuple(f for f in self._found if f.key in right)
        self.changed.emit()


def _in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings in order; on a lane, for a hundred thousand take a while."""
    found = in_order(findings)
    for finding in found:
        _ = finding.key
    return found


def _joined(edits: Sequence[Edit]) -> Edit | None:
    """Return several edits of one title as one; None where there is none."""
    if not edits:
        return None
    return replace(
        edits[0],
        annotations=tuple(change for edit in edits for change in edit.annotations),
        images=tuple(change for edit in edits for change in edit.images),
    )
