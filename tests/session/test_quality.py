"""The findings of a project: looked for aside, kept up to date, fixed in one undoable step."""

import threading
from pathlib import Path

import pytest
from PIL import Image

from maskstudio.annotation.annotation import Annotation
from maskstudio.annotation.edits import AnnotationChange, Edit
from maskstudio.annotation.findings import FindingKind
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.session import operations
from maskstudio.session.quality import Quality
from maskstudio.session.tasks import Callbacks, LaneName
from support.outlines import SQUARE, put
from support.pictures import write_picture
from support.studio import Studio

BOWTIE = Segmentation.from_rings([(10, 10), (30, 30), (30, 10), (10, 30)])
MANY = 25


def spoil(studio: Studio, name: str, outline: Segmentation = BOWTIE) -> None:
    """Put an outline on an image as it is, past all that would mend it."""
    session = studio.session
    if not session.categories:
        put(session, SQUARE)
    identity = next(session.require_database().take_annotation_ids())
    made = Annotation(identity, session.categories[0].id, outline)
    change = AnnotationChange(studio.image(name), None, made)
    assert session.edit(Edit("Put", annotations=(change,)))


def checked(studio: Studio) -> Quality:
    """Check the project, somebody looking on."""
    quality = Quality(studio.session, studio.tasks)
    quality.watched = True
    quality.start()
    assert quality.running
    studio.until(lambda: quality.checked)
    assert not quality.running
    return quality


def of_kind(quality: Quality, kind: FindingKind) -> list[int | None]:
    return [finding.image_id for finding in quality.findings if finding.kind is kind]


def crossing(quality: Quality) -> list[int | None]:
    return of_kind(quality, FindingKind.CROSSING)


@pytest.fixture
def many(make_studio, tmp_path: Path) -> Studio:
    """A studio with a bowtie on each of more images than are fixed between two gestures."""
    for number in range(MANY):
        write_picture(tmp_path / "many" / f"{number}.png", 40, 40, seed=number)
    studio = make_studio(None)
    studio.open(tmp_path / "many")
    for number in range(MANY):
        spoil(studio, f"{number}.png")
    return studio


def test_everything_is_checked_outlines_and_files(studio, folder):
    spoil(studio, "b.png")
    with Image.open(folder / "sub" / "c.png") as image:
        image.resize((32, 32)).save(folder / "sub" / "c.png")
    spoil(studio, "sub/c.png", SQUARE)
    (folder / "a.png").unlink()
    quality = checked(studio)
    assert crossing(quality) == [studio.image("b.png")]
    assert of_kind(quality, FindingKind.SIZE) == [studio.image("sub/c.png")]
    assert of_kind(quality, FindingKind.UNREADABLE) == [studio.image("a.png")]


def test_another_size_is_found_until_the_file_is_back_or_it_is_said_to_be_right(studio, folder):
    spoil(studio, "b.png", SQUARE)
    b = studio.image("b.png")
    old = (folder / "b.png").read_bytes()
    write_picture(folder / "b.png", 128, 128)
    assert of_kind(checked(studio), FindingKind.SIZE) == [b]
    # The project takes up the size of a file that is opened.
    studio.session.note_size(b, 128, 128)
    quality = checked(studio)
    assert of_kind(quality, FindingKind.SIZE) == [b]
    (folder / "b.png").write_bytes(old)
    studio.session.note_size(b, 64, 64)
    assert of_kind(checked(studio), FindingKind.SIZE) == []
    write_picture(folder / "b.png", 128, 128)
    quality = checked(studio)
    studio.session.note_size(b, 128, 128)
    quality.set_ignored([f for f in quality.findings if f.kind is FindingKind.SIZE], ignored=True)
    for _ in range(2):
        quality = checked(studio)
        assert of_kind(quality, FindingKind.SIZE) == []


def test_an_image_that_is_there_twice_is_found(studio, folder):
    (folder / "b.png").write_bytes((folder / "sub" / "c.png").read_bytes())
    quality = checked(studio)
    assert of_kind(quality, FindingKind.TWIN) == [studio.image("sub/c.png")]


def test_only_what_was_changed_is_checked_again(studio, folder):
    spoil(studio, "b.png")
    quality = checked(studio)
    # A file that breaks meanwhile is not noticed before the next whole check.
    (folder / "sub" / "c.png").unlink()
    spoil(studio, "a.png")
    studio.until(lambda: crossing(quality) == [studio.image("a.png"), studio.image("b.png")])
    assert of_kind(quality, FindingKind.UNREADABLE) == []
    studio.session.undo()
    studio.until(lambda: crossing(quality) == [studio.image("b.png")])


def test_while_nobody_looks_nothing_is_checked_and_then_all_of_it(studio):
    spoil(studio, "b.png")
    quality = checked(studio)
    quality.watched = False
    heard = []
    quality.changed.connect(lambda: heard.append(1))
    spoil(studio, "a.png")
    studio.idle()
    assert not heard
    quality.watched = True
    studio.until(lambda: len(crossing(quality)) == 2)


def test_what_is_changed_during_a_check_is_in_it(studio):
    spoil(studio, "b.png")
    quality = Quality(studio.session, studio.tasks)
    quality.watched = True
    go_on = threading.Event()
    for _ in range(2):  # both threads of the lane
        studio.tasks.submit(LaneName.FILES, lambda _: go_on.wait(10), Callbacks())
    quality.start()
    spoil(studio, "a.png")
    go_on.set()
    studio.until(lambda: len(crossing(quality)) == 2)


def test_a_cancelled_check_leaves_what_was_found(studio):
    spoil(studio, "b.png")
    quality = checked(studio)
    go_on = threading.Event()
    for _ in range(2):
        studio.tasks.submit(LaneName.FILES, lambda _: go_on.wait(10), Callbacks())
    quality.start()
    quality.cancel()
    go_on.set()
    studio.until(lambda: not quality.running)
    assert crossing(quality) == [studio.image("b.png")]


def test_another_project_has_nothing_of_this_one(studio, tmp_path):
    spoil(studio, "b.png")
    quality = checked(studio)
    write_picture(tmp_path / "other" / "x.png", 20, 20)
    studio.open(tmp_path / "other")
    assert not quality.checked
    assert quality.findings == ()


def test_fixing_a_few_is_one_undo(studio):
    spoil(studio, "a.png")
    spoil(studio, "b.png")
    before = {name: studio.on(name) for name in ("a.png", "b.png")}
    quality = checked(studio)
    quality.fix_all(FindingKind.CROSSING)
    studio.until(lambda: not crossing(quality))
    assert studio.session.history().undo == "Fix: outlines that cross themselves"
    studio.session.undo()
    assert {name: studio.on(name) for name in before} == before
    studio.until(lambda: len(crossing(quality)) == 2)
    studio.session.redo()
    studio.until(lambda: not crossing(quality))


def test_fixing_many_is_one_undo_too_and_done_aside(many):
    before = {i: many.session.content(i).annotations for i in many.session.image_ids}
    quality = checked(many)
    assert len(crossing(quality)) == MANY
    quality.fix_all(FindingKind.CROSSING)
    assert many.session.writing
    many.until(lambda: not many.session.writing and not crossing(quality))
    assert not quality.outdated
    many.session.undo(many.tasks)
    many.until(lambda: not many.session.writing)
    assert {i: many.session.content(i).annotations for i in before} == before
    # What a long undo has changed is not known.
    assert quality.outdated
    assert many.problems == []


def test_what_is_said_to_be_right_is_not_fixed_with_the_others(studio):
    spoil(studio, "a.png")
    spoil(studio, "b.png")
    quality = checked(studio)
    quality.set_ignored(quality.findings[:1], ignored=True)
    quality.fix_all(FindingKind.CROSSING)
    studio.until(lambda: not crossing(quality))
    assert [a.segmentation for a in studio.on("a.png").values()][-1] == BOWTIE
    assert len(quality.ignored) == 1


def test_it_is_right_only_until_it_changes(studio):
    spoil(studio, "a.png")
    quality = checked(studio)
    quality.set_ignored(quality.findings[:1], ignored=True)
    assert crossing(quality) == []
    annotation_id = list(studio.session.annotations)[-1]
    operations.move(studio.session, [annotation_id], 3, 3)
    studio.until(lambda: crossing(quality) == [studio.image("a.png")])


def test_a_finding_that_is_none_any_more_is_not_fixed_again(studio):
    spoil(studio, "a.png")
    quality = checked(studio)
    quality.watched = False
    findings = [f for f in quality.findings if f.kind is FindingKind.CROSSING]
    studio.session.select(list(studio.session.annotations)[-1:])
    assert operations.delete_selected(studio.session)
    quality.fix(findings)
    assert studio.problems == ["That was changed meanwhile; check again."]


def test_a_project_open_for_reading_can_be_checked(studio, make_studio, folder):
    spoil(studio, "a.png")
    reader = make_studio(None)
    reader.open(folder, read_only=True)
    quality = checked(reader)
    assert len(crossing(quality)) == 1
    quality.set_ignored(quality.findings, ignored=True)
    assert "reading only" in reader.problems[0]
    assert len(crossing(quality)) == 1
