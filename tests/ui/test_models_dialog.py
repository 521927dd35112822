"""Models are chosen, downloaded, imported and removed beside the work."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QMessageBox, QPushButton

from maskstudio.storage.catalogue import catalogue
from maskstudio.storage.files import part_of
from maskstudio.storage.model_folder import model_file, models_dir, weights_file
from maskstudio.ui.dialogs.import_model import ImportModelDialog
from maskstudio.ui.dialogs.models import ModelsDialog
from maskstudio.ui.panels.download_row import DownloadRow
from support.file_server import FileServer
from support.hand import NONE
from support.program import Program

PHOTOS = "maskrcnn_resnet50_fpn_v2"
CONTENT = bytes(range(256)) * 16384  # 4 MiB


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A server in the place of torchvision's, of files that are small and no models."""
    made = FileServer(CONTENT)
    digest = hashlib.sha256(CONTENT).hexdigest()[:8]
    for name, entry in list(catalogue().items()):
        url = made.url(f"{name}_coco-{digest}.pth")
        monkeypatch.setitem(catalogue(), name, replace(entry, url=url, size=len(CONTENT)))
    yield made
    made.close()


@pytest.fixture
def asked(model) -> list[str]:
    """Names of the models the program loaded; see `studio`."""
    return []


@pytest.fixture
def studio(start, folder, model, asked, server) -> Program:
    """The program with a folder open, on a fake model whatever its name."""

    def load(name):
        asked.append(name)
        return model

    program = start(load)
    program.open(folder)
    program.until(lambda: len(program.session.image_ids) == 3)
    return program


def click(widget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def models(program: Program) -> ModelsDialog:
    """Open the list of models, as the menu does."""
    program.window.verbs["models"].trigger()
    dialog = program.window.findChild(ModelsDialog)
    program.until(dialog.isVisible)
    return dialog


def rows(dialog: ModelsDialog) -> list[tuple[str, str, str]]:
    """Return title, size and state of every model."""
    items = [dialog.list.topLevelItem(n) for n in range(dialog.list.topLevelItemCount())]
    return [(item.text(0), item.text(2), item.text(3)) for item in items]


def state(dialog: ModelsDialog, title: str) -> str:
    (found,) = (row[2] for row in rows(dialog) if row[0] == title)
    return found


def take(dialog: ModelsDialog, title: str) -> None:
    """Click on a row."""
    (item,) = dialog.list.findItems(title, Qt.MatchFlag.MatchExactly, 0)
    at = dialog.list.visualItemRect(item).center()
    QTest.mouseClick(dialog.list.viewport(), Qt.MouseButton.LeftButton, NONE, at)


def choose_in_panel(program: Program, words: str) -> None:
    """Open the panel's list and take the row that begins with these words."""
    choice = program.window.model.choice
    click(choice)
    program.until(choice.view().isVisible)
    (row,) = (n for n in range(choice.count()) if choice.itemText(n).startswith(words))
    view = choice.view()
    view.setCurrentIndex(choice.model().index(row, 0))
    QTest.keyClick(view, Qt.Key.Key_Return)
    # A platform without a screen does not do it by itself.
    program.window.activateWindow()
    program.until(program.window.isActiveWindow)


def test_a_model_for_photographs_is_one_choice_away(studio, asked, tmp_path):
    """It is downloaded, used and remembered; the one before runs until then."""
    choice = studio.window.model.choice
    shown = [choice.itemText(n) for n in range(choice.count())]
    assert shown[:2] == ["Cell nuclei", "Photographs, 80 categories (4 MB, download)"]
    assert shown[-1] == "Models…"
    assert "(maskrcnn_resnet50_fpn_v2)" in choice.itemData(1, Qt.ItemDataRole.ToolTipRole)

    choose_in_panel(studio, "Photographs, 80 categories (")
    studio.until(lambda: asked)
    assert asked == [PHOTOS]
    assert weights_file(catalogue()[PHOTOS]).read_bytes() == CONTENT
    studio.until(lambda: choice.currentText() == "Photographs, 80 categories")
    assert studio.problems == []
    studio.close()
    assert f'"model": "{PHOTOS}"' in (tmp_path / "settings.json").read_text()


def test_what_is_browsed_past_is_not_downloaded(studio, asked, server):
    choice = studio.window.model.choice
    choice.setFocus()
    wheel = QWheelEvent(
        QPointF(5, 5), QPointF(choice.mapToGlobal(QPoint(5, 5))), QPoint(), QPoint(0, -120),
        Qt.MouseButton.NoButton, NONE, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(choice, wheel)
    QTest.keyClick(choice, Qt.Key.Key_Down)
    studio.until(choice.view().isVisible)
    QTest.keyClick(choice.view(), Qt.Key.Key_Down)
    QTest.keyClick(choice.view(), Qt.Key.Key_Escape)
    studio.idle()
    assert choice.currentText() == "Cell nuclei"
    assert asked == []
    assert server.asked == []


def download_row(program: Program) -> DownloadRow:
    return program.window.model.findChild(DownloadRow)


def test_a_download_shows_how_far_it_is_and_goes_on_after_a_cancel(studio, asked, server):
    server.gate.clear()
    choose_in_panel(studio, "Photographs, 80 categories (")
    row = download_row(studio)
    studio.until(lambda: row.line.text() == "1 MB of 4 MB")
    assert row.isVisible()
    assert studio.window.model.choice.currentText() == "Cell nuclei"
    dialog = models(studio)
    assert state(dialog, "Photographs, 80 categories") == "downloading …"
    click(row.stop)
    studio.until(lambda: row.isHidden())
    assert state(dialog, "Photographs, 80 categories") == "1 MB of it here"
    assert studio.told == []

    server.gate.set()
    take(dialog, "Photographs, 80 categories")
    assert dialog.download.text() == "Go on downloading"
    click(dialog.download)
    studio.until(lambda: state(dialog, "Photographs, 80 categories") == "here")
    assert server.asked == ["", f"bytes={len(CONTENT) // 4}-"]
    assert asked == [], "to download is not to use"
    click(dialog.use)
    studio.until(lambda: state(dialog, "Photographs, 80 categories") == "in use")
    assert asked == [PHOTOS]


def test_the_work_goes_on_while_a_model_is_downloaded(studio, server):
    server.gate.clear()
    choose_in_panel(studio, "Photographs, 80 categories (")
    studio.until(lambda: download_row(studio).line.text() == "1 MB of 4 MB")
    studio.canvas.setFocus()
    studio.key("d")
    studio.until(lambda: studio.shows("b.png"))
    studio.key("i")
    studio.until(lambda: len(studio.annotations) == 2)
    # A second one has to wait; a server that is silent does not keep the window from closing.
    dialog = models(studio)
    take(dialog, "Photographs, boxes only")
    assert not dialog.download.isEnabled()
    assert not dialog.use.isEnabled()
    choose_in_panel(studio, "Photographs, boxes only (")
    studio.until(lambda: studio.told)
    assert studio.problems == [
        "Photographs, 80 categories is being downloaded; wait, or cancel it."
    ]
    studio.close()


@pytest.mark.parametrize("fault", ["no file", "other content", "no network"])
def test_a_download_that_fails_says_so_in_one_sentence(studio, asked, server, fault):
    if fault == "no file":
        server.status = 404
    elif fault == "other content":
        server.content = CONTENT[:-1] + b"x"
    else:
        server.close()
    dialog = models(studio)
    take(dialog, "Photographs, 80 categories")
    assert dialog.use.text() == "Download and use"
    click(dialog.use)
    studio.until(lambda: studio.told)
    (said,) = studio.problems
    assert dialog.said.text() == said
    if fault == "other content":
        assert "arrived damaged" in said
        assert not part_of(weights_file(catalogue()[PHOTOS])).exists()
    else:
        assert f"put the file into {models_dir()}" in said
    assert download_row(studio).isHidden()
    assert dialog.use.isEnabled()
    assert asked == []

    # Put there by hand it needs no network.
    models_dir().mkdir(parents=True, exist_ok=True)
    weights_file(catalogue()[PHOTOS]).write_bytes(CONTENT)
    click(dialog.use)
    studio.until(lambda: asked == [PHOTOS])


def test_the_list_says_what_each_model_is_for(studio):
    dialog = models(studio)
    assert not dialog.isModal()
    assert rows(dialog)[:2] == [
        ("Cell nuclei", "20 MB", "in use"),
        ("Photographs, 80 categories", "4 MB", "to download"),
    ]
    assert len(rows(dialog)) == 5
    for n in range(5):
        assert dialog.list.topLevelItem(n).text(1)
        assert "(" in dialog.list.topLevelItem(n).toolTip(0)
    assert dialog.list.accessibleName() == "Models"
    assert not dialog.use.isEnabled()
    assert not dialog.remove.isEnabled()
    assert not dialog.download.isEnabled()
    models(studio)
    assert len([d for d in studio.dialogs() if isinstance(d, ModelsDialog)]) == 1


def answer(monkeypatch, button) -> list[str]:
    """Answer every question with a button; return what was asked."""
    questions: list[str] = []

    def reply(_parent, _title, words):
        questions.append(words)
        return button

    monkeypatch.setattr(QMessageBox, "question", reply)
    return questions


def test_removing_asks_and_says_so_of_the_one_in_use(studio, asked, monkeypatch):
    dialog = models(studio)
    take(dialog, "Photographs, 80 categories")
    click(dialog.use)
    studio.until(lambda: state(dialog, "Photographs, 80 categories") == "in use")
    weights = weights_file(catalogue()[PHOTOS])
    questions = answer(monkeypatch, QMessageBox.StandardButton.No)
    click(dialog.remove)
    assert weights.exists()
    answer(monkeypatch, QMessageBox.StandardButton.Yes)
    click(dialog.remove)
    assert not weights.exists()
    assert "It is in use; the model that ships with the program takes its place." in questions[0]
    studio.until(lambda: state(dialog, "Cell nuclei") == "in use")
    assert asked == [PHOTOS, "nuclei"]
    assert state(dialog, "Photographs, 80 categories") == "to download"


@pytest.fixture
def own_weights(tmp_path: Path) -> Path:
    """Weights of a person's own small model with three categories."""
    import torch

    from maskstudio.mask_rcnn.architectures import build, default_architecture

    architecture = replace(
        default_architecture("fasterrcnn_mobilenet_v3_large_fpn"), box_features=16
    )
    path = tmp_path / "bikes.pth"
    torch.save(build(architecture, categories=3).state_dict(), path)
    return path


def choose_file(monkeypatch, path: Path) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))


def test_own_weights_are_imported_with_the_names_of_their_categories(
    studio, asked, own_weights, tmp_path, monkeypatch
):
    dialog = models(studio)
    choose_file(monkeypatch, own_weights)
    click(dialog.import_file)
    studio.until(lambda: dialog.findChild(ImportModelDialog))
    naming = dialog.findChild(ImportModelDialog)
    assert any(
        label.text() == "fasterrcnn_mobilenet_v3_large_fpn" for label in naming.findChildren(QLabel)
    )
    assert naming.names.toPlainText() == "category 1\ncategory 2\ncategory 3"
    naming.names.selectAll()
    naming.names.setFocus()
    studio.type("bike")
    assert naming.count.text() == "1 of 3 named"
    assert not naming.take.isEnabled()
    coco = tmp_path / "c.json"
    coco.write_text('{"categories": [{"id": 1, "name": "bike"}, {"id": 3, "name": "helmet"}]}')
    choose_file(monkeypatch, coco)
    click(naming.read)
    studio.until(lambda: naming.names.toPlainText() == "bike\nN/A\nhelmet")
    assert naming.count.text() == "3 of 3 named"

    naming.name.selectAll()
    naming.name.setFocus()
    studio.type("nuclei")
    click(naming.take)
    studio.until(lambda: "There is a model called 'nuclei' already" in naming.said.text())
    naming.name.selectAll()
    naming.name.setFocus()
    studio.type("bikes")
    click(naming.take)
    studio.until(lambda: ("bikes", "here") in [(row[0], row[2]) for row in rows(dialog)])
    assert model_file("bikes").exists()
    studio.until(lambda: dialog.findChild(ImportModelDialog) is None)
    assert dialog.list.currentItem().text(0) == "bikes"
    click(dialog.use)
    studio.until(lambda: studio.window.model.choice.currentText() == "bikes")
    assert asked == ["bikes"]


def test_a_file_that_holds_no_model_is_refused_in_one_sentence(studio, tmp_path, monkeypatch):
    junk = tmp_path / "junk.pth"
    junk.write_bytes(b"junk")
    dialog = models(studio)
    choose_file(monkeypatch, junk)
    click(dialog.import_file)
    studio.until(lambda: studio.told)
    assert studio.problems == [f"{junk} is damaged or holds more than weights; not loaded."]
    assert dialog.said.text() == studio.problems[0]
    assert dialog.findChild(ImportModelDialog) is None


def test_no_button_of_the_dialog_answers_to_enter(studio):
    """Enter on a row uses that model; no other button may take it."""
    dialog = models(studio)
    assert not any(button.autoDefault() for button in dialog.findChildren(QPushButton))
