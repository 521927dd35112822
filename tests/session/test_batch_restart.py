"""A run over many images is continued after a restart, with the model it began with."""

import pytest

from maskstudio.errors import UserError
from maskstudio.storage.run_file import StoredRun, note_end, read_run, write_run
from session.runs import NAMES, begin, counts
from support.fakes import FakePredictor
from support.pictures import write_picture
from support.unwritable import break_database, mend_database


def restart(make_studio, studio, folder, load=None):
    """Close the program in the middle, and open the folder with a new one."""
    studio.close()
    again = make_studio(load)
    again.open(folder)
    again.until(lambda: again.annotator.batch.unfinished is not None)
    return again


def test_a_run_goes_on_after_a_restart_with_what_is_left(studio, make_studio, folder, qtbot):
    begin(studio, qtbot, 2)
    again = restart(make_studio, studio, folder)
    batch = again.annotator.batch
    assert not again.annotator.running
    assert (len(batch.unfinished.image_ids), len(batch.unfinished.ended)) == (3, 1)

    batch.go_on()
    assert batch.unfinished is None
    again.until(lambda: again.reports)
    assert (again.reports[0].done, again.reports[0].total) == (3, 3)
    assert again.model.calls == [(64, 64), (64, 64)]
    assert counts(again) == [2, 2, 2]
    assert batch.unfinished is None
    assert read_run(folder) is None


def test_a_run_paused_before_a_restart_is_offered_too(studio, make_studio, folder, qtbot):
    begin(studio, qtbot, 2)
    studio.annotator.batch.pause()
    studio.idle()
    again = restart(make_studio, studio, folder)
    again.annotator.batch.go_on()
    again.until(lambda: again.reports)
    assert counts(again) == [2, 2, 2]


def test_a_run_that_is_not_wanted_any_more_is_forgotten(studio, make_studio, folder, qtbot):
    begin(studio, qtbot, 2)
    again = restart(make_studio, studio, folder)
    again.annotator.batch.forget()
    assert again.annotator.batch.unfinished is None
    assert read_run(folder) is None


def test_a_run_goes_on_with_its_own_model(studio, make_studio, folder, qtbot):
    begin(studio, qtbot, 2)
    names = []
    models = {"fake": FakePredictor(), "other": FakePredictor("other")}

    def load(name):
        names.append(name)
        return models[name]

    again = restart(make_studio, studio, folder, load)
    with qtbot.waitSignal(again.annotator.model_loaded):
        again.annotator.use_model("other")
    again.annotator.batch.go_on()
    assert again.annotator.progress().model == "fake"
    again.until(lambda: again.reports)
    assert {a.model_id for name in NAMES for a in again.on(name).values()} == {"fake"}
    assert again.annotator.model_name == "other"
    assert names == ["other", "fake"]


def test_the_model_chosen_in_the_middle_of_a_run_is_not_the_runs(make_studio, folder, qtbot):
    models = {"fake": FakePredictor(), "other": FakePredictor("other")}
    names = []

    def load(name):
        names.append(name)
        return models[name]

    studio = make_studio(load)
    studio.open(folder)
    models["fake"].hold.set()
    studio.annotator.run_folder()
    studio.until(lambda: models["fake"].calls)
    studio.annotator.use_model("other")
    studio.until(lambda: studio.annotator.model_name == "other")
    studio.show("sub/c.png")
    studio.predict_image()
    assert {a.model_id for a in studio.on("sub/c.png").values()} == {"other"}
    models["fake"].hold.clear()
    studio.until(lambda: not studio.annotator.running)
    assert {a.model_id for a in studio.on("b.png").values()} == {"fake"}
    assert names == ["fake", "other"]


def test_opening_another_folder_leaves_the_run_to_be_continued(studio, tmp_path, folder, qtbot):
    other = tmp_path / "other"
    write_picture(other / "a.png", 80, 100)
    begin(studio, qtbot, 2)
    studio.open(other)
    studio.model.release.set()
    studio.idle()
    assert studio.annotator.batch.unfinished is None
    assert studio.on("a.png") == {}
    studio.open(folder)
    studio.until(lambda: studio.annotator.batch.unfinished is not None)
    studio.annotator.batch.go_on()
    studio.until(lambda: len(studio.reports) == 2)
    assert counts(studio) == [2, 2, 2]


def test_a_run_whose_model_is_gone_stays_to_be_continued(studio, make_studio, folder, qtbot):
    begin(studio, qtbot, 2)

    def load(name):
        raise UserError(f"There is no model {name!r}.")

    again = restart(make_studio, studio, folder, load)
    again.annotator.batch.go_on()
    again.until(lambda: again.reports)
    assert again.problems == ["There is no model 'fake'."]
    assert again.reports[0].broken_off
    assert again.annotator.batch.unfinished is not None


def test_a_run_that_cannot_write_stops_says_so_once_and_goes_on_later(studio, folder, qtbot):
    begin(studio, qtbot, 2)
    break_database(folder)
    with qtbot.waitSignal(studio.annotator.finished):
        studio.model.release.set()
    (report,) = studio.reports
    assert (report.done, report.failed, report.broken_off) == (1, (), True)
    assert len(studio.problems) == 1
    assert "cannot be written" in studio.problems[0]
    assert len(studio.model.calls) == 2

    mend_database(folder)
    studio.annotator.batch.go_on()
    studio.until(lambda: len(studio.reports) == 2)
    assert studio.reports[1].done == 3
    assert counts(studio) == [2, 2, 2]


def test_images_that_left_the_project_are_passed_over(studio, folder, qtbot):
    write_run(folder, StoredRun("pre-annotate", "fake", ("new",), (99, studio.image("b.png"))))
    studio.session.close()
    studio.open(folder)
    studio.until(lambda: studio.annotator.batch.unfinished is not None)
    studio.annotator.batch.go_on()
    studio.until(lambda: studio.reports)
    assert studio.reports[0].done == 1


@pytest.mark.parametrize("text", ["", "{}", "[1]\n", "no JSON", '{"kind": "x"}\n'])
def test_a_file_of_a_run_that_is_none_is_passed_over(folder, studio, text):
    (folder / ".maskstudio" / "run.jsonl").write_text(text)
    assert read_run(folder) is None


def test_a_line_that_was_cut_off_is_an_image_to_be_done_again(tmp_path):
    (tmp_path / ".maskstudio").mkdir()
    write_run(tmp_path, StoredRun("pre-annotate", "fake", ("new",), (1, 2, 3)))
    note_end(tmp_path, 1)
    note_end(tmp_path, 2, "It is damaged.")
    path = tmp_path / ".maskstudio" / "run.jsonl"
    path.write_bytes(path.read_bytes()[:-9])
    assert read_run(tmp_path).ended == {1: ""}


def test_failures_before_a_restart_are_listed_after_it(studio, make_studio, folder, qtbot):
    (folder / "a.png").write_bytes((folder / "a.png").read_bytes()[:100])
    studio.model.hold.set()
    studio.annotator.run_folder()
    qtbot.waitUntil(lambda: len(studio.model.calls) == 1)
    again = restart(make_studio, studio, folder)
    again.annotator.batch.go_on()
    again.until(lambda: again.reports)
    assert [f.image_id for f in again.annotator.batch.failures] == [again.image("a.png")]
    assert (again.reports[0].done, len(again.reports[0].failed)) == (2, 1)
