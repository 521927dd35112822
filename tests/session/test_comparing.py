"""Models compared by a process of the program's own, on the images kept apart for it."""

import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QObject

from maskstudio.session import operations
from maskstudio.session.comparing import Comparing
from maskstudio.session.splitting import Split, remember, remembered_parts
from support.reports import keep_apart, model_figures, refusing, report, stand_in

ANSWER = report(model_figures("old", 0.5, 60), model_figures("new", 0.6, 80))


@pytest.fixture
def kept(studio):
    """The studio, with an image kept to measure on."""
    keep_apart(studio.session, studio.image("sub/c.png"))
    return studio


@pytest.fixture
def compare(studio, tmp_path):
    """What makes a comparison that runs a command in place of the program."""

    def make(command):
        made = Comparing(studio.session, studio.tasks, command, QObject(studio.session))
        made.sentences = []
        made.failed.connect(made.sentences.append)
        return made

    return make


def test_the_report_of_the_command_is_taken(kept, compare, tmp_path):
    comparing = compare(stand_in(tmp_path, ANSWER))
    comparing.start("old", "new")
    assert comparing.running
    kept.until(lambda: comparing.report is not None)
    assert comparing.report == ANSWER
    assert not comparing.running
    words = (tmp_path / "words.txt").read_text(encoding="utf-8").splitlines()
    assert words[:5] == ["evaluate", "--model", "old", "--model", "new"]
    assert words[words.index("--project") + 1] == str(kept.session.folder)
    # Nothing is left behind.
    assert not Path(words[words.index("--output") + 1]).exists()


def test_without_a_verified_image_it_says_what_to_do(studio, compare, tmp_path):
    comparing = compare(stand_in(tmp_path, ANSWER))
    comparing.start("old", "new")
    studio.until(lambda: not comparing.running)
    assert comparing.sentences == [
        "No image of this folder is verified yet; verify some, then compare on them."
    ]
    remember(studio.session.database, Split({studio.session.current.id: "train"}))
    operations.verify(studio.session)
    comparing.start("old", "new")
    studio.until(lambda: not comparing.running)
    assert comparing.sentences[1:] == [
        "None of the verified images (1) is kept to measure on; verify more, then compare again."
    ]


def test_verified_images_get_their_part_before(kept, compare, tmp_path):
    studio = kept
    for _ in range(3):
        operations.verify(studio.session)
        operations.step(studio.session, 1)
    comparing = compare(stand_in(tmp_path, ANSWER))
    comparing.start("old", "new")
    studio.until(lambda: comparing.report is not None)
    assert set(remembered_parts(studio.session.database)) == set(studio.session.image_ids)


def test_why_it_failed_is_said_once(kept, compare):
    comparing = compare(refusing("No image is kept to measure on."))
    comparing.start("old", "new")
    kept.until(lambda: not comparing.running)
    assert comparing.sentences == ["No image is kept to measure on."]


def test_a_program_that_is_not_there_is_said(kept, compare, tmp_path):
    comparing = compare((str(tmp_path / "nothing"),))
    comparing.start("old", "new")
    kept.until(lambda: comparing.sentences)
    assert not comparing.running


def test_what_is_no_report_is_said(kept, compare):
    code = "import sys; open(sys.argv[sys.argv.index('--output') + 1], 'w').write('{}')"
    comparing = compare((sys.executable, "-c", code))
    comparing.start("old", "new")
    kept.until(lambda: comparing.sentences)
    assert "evaluate again" in comparing.sentences[0]


def test_it_says_how_far_it_is_and_can_be_stopped(kept, compare, tmp_path):
    comparing = compare(stand_in(tmp_path, ANSWER, hangs=True))
    comparing.start("old", "new")
    kept.until(lambda: comparing.progress.done == 3)
    assert (comparing.progress.total, comparing.progress.note) == (7, "old: a.png")
    comparing.stop()
    assert not comparing.running
    kept.idle()
    assert comparing.sentences == []
    assert comparing.report is None


def test_another_folder_ends_it(kept, compare, tmp_path):
    comparing = compare(stand_in(tmp_path, ANSWER, hangs=True))
    comparing.start("old", "new")
    kept.until(lambda: comparing.progress.done == 3)
    kept.session.close()
    assert not comparing.running
