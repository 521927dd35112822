"""A run over many images that is killed loses at most the image at work, and goes on."""

import random
from pathlib import Path

from maskstudio.annotation.annotation import Annotation, ImageState
from maskstudio.annotation.edits import AnnotationChange, CategoryChange, Edit
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.storage.opening import open_project
from maskstudio.storage.run_file import read_run
from session.children import END, go_through_the_folder
from storage.children import CONTEXT
from support.fakes import CELL
from support.pictures import write_picture

IMAGES = 16
KILLS = 2
DRAWN = Segmentation.from_rings([(70, 50), (90, 50), (90, 70)])


def make_folder(folder: Path) -> Annotation:
    """Write the pictures, on the first of which a person has drawn something."""
    names = [f"{number:02}.png" for number in range(IMAGES)]
    for name in names:
        write_picture(folder / name, 80, 100)
    with open_project(folder) as project:
        project.add_images(names)
        drawn = Annotation(next(project.take_annotation_ids()), CELL.id, DRAWN)
        change = AnnotationChange(1, None, drawn)
        project.commit(
            Edit("Draw", annotations=(change,), categories=(CategoryChange(None, CELL),))
        )
    return drawn


def run(folder: Path, kill_after: int | None) -> bool:
    """Let a process go on with the run; kill it after so many images. Tell whether it ended."""
    receiver, sender = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=go_through_the_folder, args=(folder, sender))
    child.start()
    sender.close()
    done, ended = 0, False
    while not ended and (kill_after is None or done < kill_after):
        told = receiver.recv()
        ended = told == END
        done += 1
    if not ended:
        for _ in range(random.Random(done).randrange(50_000)):  # somewhere in the midst of the next
            done += 0
        child.kill()
    child.join()
    receiver.close()
    child.close()
    return ended


def test_whatever_was_done_before_a_kill_is_there_after_it_and_the_rest_is_done_then(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    drawn = make_folder(folder)
    finished: set[int] = set()
    for kill in range(KILLS):
        assert not run(folder, 3 + kill)
        stored = read_run(folder)
        assert stored is not None
        assert len(stored.image_ids) == IMAGES
        assert finished <= stored.ended.keys()
        finished = set(stored.ended)
        with open_project(folder) as project:
            there = {i.id for i in project.images() if i.state is not ImageState.NEW}
            assert finished <= there
            assert len(there - finished) <= 1
    assert run(folder, None)

    assert read_run(folder) is None
    with open_project(folder) as project:
        for image in project.images():
            found = project.annotations(image.id)
            assert sum(a.is_pre_annotation for a in found) == 2
        assert drawn in project.annotations(1)
