"""The account equals a plain recount, whatever persons, models and imports did, did not, undid."""

import random
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation, Category, ImageState
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.edits import (
    PERSON,
    AnnotationChange,
    CategoryChange,
    Edit,
    ImageContent,
    Reassignment,
)
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.progress import TaskContext
from maskstudio.session.payoff_reading import read_account
from maskstudio.storage.opening import open_project
from maskstudio.storage.project import ProjectDatabase
from support.recount import Done, recount, rounded

SHAPES = [
    Segmentation.from_rings([(x, 5), (x + 20, 5), (x + 20, 30), (x, 30)]) for x in range(0, 60, 7)
]
EDITS = 45
START = datetime(2026, 11, 20, 8, tzinfo=UTC)


@dataclass
class Entry:
    """An edit as the project was told of it."""

    edit: Edit
    undone: bool = False
    dropped: bool = False


class Life:
    """Somebody who works on a project at random, and remembers all of it."""

    def __init__(self, database: ProjectDatabase, seed: int) -> None:
        self.database = database
        self.chance = random.Random(seed)
        self.entries: list[Entry] = []
        self._ids = database.take_annotation_ids()
        database.add_images(["a.png", "b.png", "c.png"])
        made = (CategoryChange(None, Category(n, f"category {n}")) for n in (1, 2, 3))
        self._commit(edits.by_batch(Edit("Add categories", categories=tuple(made))))

    def live(self) -> None:
        acts = (self._predict, self._import, self._fix_all, self._merge, self._undo, self._redo)
        for _ in range(EDITS):
            self.chance.choice((*acts, *[self._edit] * 9))()

    def _edit(self) -> None:
        here = self._content(self.chance.randint(1, 3))
        some = self._some(here)
        moved = [replace(a, segmentation=self._shape()) for a in some]
        noted = [replace(a, note=str(self.chance.random())) for a in some]
        named = [replace(a, category_id=self.chance.randint(1, 3)) for a in some]
        shown = [replace(a, hidden=not a.hidden, z=self.chance.randint(0, 9)) for a in some]
        mended = {a.id: replace(a, segmentation=self._shape()) for a in some}
        self._commit(
            self.chance.choice(
                (
                    edits.add(here, [self._new(None), self._new("m1")]),
                    edits.add(here, [self._new(None)]),
                    edits.change(here, moved, "Move"),
                    edits.change(here, noted, "Note"),
                    edits.change(here, named, "Change category"),
                    edits.arrange(here, shown, "Arrange"),
                    edits.mend(here, mended, "Fix"),
                    edits.delete(here, [a.id for a in some]),
                    edits.verify(here),
                    edits.verify(here),
                    edits.set_state(here, ImageState.SKIPPED, "Skip image"),
                )
            )
        )

    def _predict(self) -> None:
        here = self._content(self.chance.randint(1, 3))
        model = self.chance.choice(("m1", "m2"))
        found = [self._new(model, touched=False) for _ in range(self.chance.randint(0, 5))]
        shown = DetectionFilter(min_score=self.chance.random())
        edit = edits.pre_annotate(here, model, found, shown)
        self._commit(edits.by_batch(edit) if self.chance.random() < 0.7 else edit)

    def _import(self) -> None:
        new = [self._new(None), self._new("import:x.json", touched=False)]
        changes = tuple(AnnotationChange(1, None, one) for one in new)
        self._commit_long("Import", "import:x.json", [Edit("", annotations=changes)])

    def _fix_all(self) -> None:
        contents = [self._content(n) for n in (1, 2)]
        made = (
            edits.mend(c, dict.fromkeys((a.id for a in self._some(c)), None), "") for c in contents
        )
        self._commit_long("Fix all", PERSON, [edit for edit in made if edit])

    def _merge(self) -> None:
        before, after = self.chance.sample((1, 2, 3), 2)
        ids = self.database.annotation_ids(before)
        if ids:
            self._commit(Edit("Merge", reassigned=(Reassignment(before, after, ids),)))

    def _undo(self) -> None:
        if self.database.history().undo is not None:
            self.database.undo()
            done = [e for e in self.entries if e.edit.undoable and not (e.undone or e.dropped)]
            done[-1].undone = True

    def _redo(self) -> None:
        if self.database.history().redo is not None:
            self.database.redo()
            next(e for e in self.entries if e.undone and not e.dropped).undone = False

    def _commit(self, edit: Edit) -> None:
        if edit:
            self.database.commit(edit)
            self._note(edit)

    def _commit_long(self, title: str, author: str, made: list[Edit]) -> None:
        if self.database.commit_long(title, author, iter(made), TaskContext()):
            changes = tuple(change for edit in made for change in edit.annotations)
            images = tuple(change for edit in made for change in edit.images)
            self._note(Edit(title, author, changes, images))

    def _note(self, edit: Edit) -> None:
        if edit.undoable:
            for entry in self.entries:
                entry.dropped |= entry.undone
        self.entries.append(Entry(edit))

    def _content(self, image_id: int) -> ImageContent:
        (record,) = (image for image in self.database.images() if image.id == image_id)
        return ImageContent(record, {a.id: a for a in self.database.annotations(image_id)})

    def _some(self, here: ImageContent) -> list[Annotation]:
        known = list(here.annotations.values())
        return self.chance.sample(known, min(len(known), self.chance.randint(1, 3)))

    def _shape(self) -> Segmentation:
        return self.chance.choice(SHAPES)

    def _new(self, model: str | None, *, touched: bool = True) -> Annotation:
        score = None if model is None else self.chance.random()
        category = self.chance.randint(1, 3)
        return Annotation(next(self._ids), category, self._shape(), None, model, score, touched)


def moments(count: int, chance: random.Random) -> Iterator[datetime]:
    """Yield when edits are done: mostly seconds apart, with pauses, nights and a clock set back."""
    at = START
    for _ in range(count):
        yield at
        at += timedelta(seconds=chance.choice((0.4, 3, 11.125, 59, 61, 5000, 50_000, -20)))


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32))
def test_the_account_equals_a_recount_of_every_edit(seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with open_project(Path(folder)) as database:
            life = Life(database, seed)
            life.live()
        times = list(moments(len(life.entries), life.chance))
        file = Path(folder) / ".maskstudio" / "project.db"
        with closing(sqlite3.connect(file)) as connection, connection:
            (ids,) = zip(*connection.execute("SELECT id FROM edits ORDER BY id"), strict=True)
            written = [(at.isoformat(), one) for one, at in zip(ids, times, strict=True)]
            connection.executemany("UPDATE edits SET at = ? WHERE id = ?", written)
        with open_project(Path(folder), read_only=True) as database:
            payoff = read_account(database, TaskContext(), UTC).payoff
    pairs = zip(life.entries, times, strict=True)
    done = [Done(e.edit, at) for e, at in pairs if not (e.undone or e.dropped)]
    assert rounded(payoff.tallies) == rounded(recount(done))
