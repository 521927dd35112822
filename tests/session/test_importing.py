"""A data set comes in as planned and chosen, in one step, and a person's work stays."""

import json

import numpy as np
import pytest

from maskstudio.annotation import edits
from maskstudio.annotation.annotation import Annotation, Category, ImageState
from maskstudio.annotation.category_map import IGNORED
from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.edits import CategoryChange, Edit, ImageContent
from maskstudio.annotation.name_matching import Mismatch
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.errors import CancelledError, UserError
from maskstudio.formats.coco import write_coco
from maskstudio.formats.incoming import (
    IncomingAnnotation,
)
from maskstudio.formats.sources import open_source
from maskstudio.session.import_plan import ImportChoices, ImportedState, OtherSize, Standing
from maskstudio.session.importing import carry_out, plan_import
from maskstudio.storage.opening import open_project
from support.datasets import whole_dataset
from support.given_set import (
    CORNER,
    SILENT,
    SQUARE,
    GivenSet,
    StopsAt,
    add_sized,
    drawn,
    everything,
    image,
    imported,
)

CELL = Category(1, "cell")
# The same square, begun elsewhere and walked the other way.
SQUARE_AGAIN = Segmentation.from_rings([(30, 40), (30, 10), (10, 10), (10, 40)])


@pytest.fixture
def project(folder):
    with open_project(folder) as database:
        add_sized(database, {"a.png": (80, 100), "b.png": (64, 64), "sub/c.png": (64, 64)})
        yield database


@pytest.fixture
def standing(project):
    """A square of a person on `a.png`, locked corner beside it; a model's square on `b.png`."""
    first, second, _ = project.images()
    project.commit(Edit("", categories=(CategoryChange(None, CELL),)))
    ids = project.take_annotation_ids()
    square, corner = Annotation(next(ids), 1, SQUARE), Annotation(next(ids), 1, CORNER, locked=True)
    project.commit(edits.add(ImageContent(first, {}), [square, corner]))
    found = Annotation(next(ids), 1, SQUARE, model_id="m", score=0.5, touched=False)
    project.commit(edits.pre_annotate(ImageContent(second, {}), "m", [found], DetectionFilter()))
    return square, corner, found


@pytest.fixture
def given(tmp_path):
    def make(*images, categories=("cell",)):
        return GivenSet(tmp_path / "set.json", images, categories)

    return make


def on(project, path):
    (found,) = (record for record in project.images() if record.path == path)
    return project.annotations(found.id)


def states(project):
    return {record.path: record.state for record in project.images()}


def test_the_plan_says_what_is_there_and_what_is_not(project, standing, given):
    source = given(
        (image("photos/a.png", 80, 100), [drawn(), drawn(CORNER)]),
        (image("b.png", 64, 63), [drawn()]),
        (image("..\\..\\c.png"), []),
        (image("d.png"), [drawn()]),
        categories=("Cells", "dog"),
    )
    plan = plan_import(project, source, SILENT)
    assert [(one.number, one.path, one.height, one.width) for one in plan.matched] == [
        (0, "a.png", 80, 100),
        (1, "b.png", 64, 64),
        (2, "sub/c.png", 64, 64),
    ]
    assert [one.path for one in plan.other_size] == ["b.png"]
    assert [(one.by_people, one.by_models) for one in plan.matched] == [(2, 0), (0, 1), (0, 0)]
    assert [(one.name, one.why) for one in plan.missing] == [("d.png", Mismatch.ABSENT)]
    assert plan.missing[0].sentence() == "d.png is not in the project."
    assert plan.annotations == 3
    assert plan.proposed() == (1, "dog")
    assert plan.sentences() == (
        "3 of 4 images are in the project, with 3 annotations.",
        "1 image not in the project: d.png.",
        "1 image of another size than here: b.png.",
        "2 images with annotations already: 2 of people, 1 of models that nobody has touched.",
        "Category Cells (0 annotations) goes to the one of the project.",
        "Category dog (0 annotations) is made.",
    )


def test_an_image_that_cannot_be_read_is_told_and_left_out(folder, given):
    (folder / "b.png").write_bytes(b"no image")
    source = given((image("b.png"), [drawn()]), (image("a.png"), [drawn()]))
    with open_project(folder) as project:
        project.add_images(["a.png", "b.png"])
        plan = plan_import(project, source, SILENT)
    assert [one.path for one in plan.matched] == ["a.png"]
    assert (plan.matched[0].height, plan.matched[0].width) == (80, 100)
    assert plan.missing[0].sentence() == "b.png stands for b.png, which cannot be read."


def test_persons_annotations_come_in_with_all_that_is_known_of_them(project, given):
    said = (("colour", "red"),)
    crowd = drawn(CORNER, 1, iscrowd=True, attributes=said, note="a crowd")
    box = IncomingAnnotation(0, None, (1, 2, 5.5, 6))
    report = imported(
        project, given((image("a.png"), [drawn(), crowd, box]), categories=("cell", "sky"))
    )
    assert project.categories() == (CELL, Category(2, "sky"))
    assert on(project, "a.png") == (
        Annotation(1, 1, SQUARE),
        Annotation(2, 2, CORNER, iscrowd=True, attributes=said, note="a crowd"),
        Annotation(3, 1, None, (1, 2, 5.5, 6)),
    )
    assert states(project)["a.png"] is ImageState.EDITED
    assert project.attribute_words() == {"colour": ("red",)}
    assert (report.images, report.annotations, report.made) == (1, 3, ("cell", "sky"))


def test_annotations_with_a_score_are_pre_annotations(project, given):
    report = imported(project, given((image("a.png"), [drawn(score=0.25)])))
    (annotation,) = on(project, "a.png")
    assert annotation.is_pre_annotation
    assert (annotation.model_id, annotation.score) == ("import:set.json", 0.25)
    assert states(project)["a.png"] is ImageState.PREDICTED
    assert (report.annotations, report.pre_annotations) == (1, 1)


def test_one_undo_takes_all_of_it_back_and_redo_brings_it_again(project, standing, given):
    before = everything(project)
    source = given(
        *((image(name), [drawn(CORNER), drawn(category=1)]) for name in ("a.png", "b.png")),
        (image("c.png"), [drawn()]),
        categories=("cell", "dog"),
    )
    imported(project, source, standing=Standing.REPLACE)
    after = everything(project)
    assert project.history().undo == "Import set.json"
    project.undo()
    assert everything(project) == before
    project.redo()
    assert everything(project) == after


def test_images_with_annotations_are_left_as_they_are_unless_told_otherwise(
    project, standing, given
):
    before = everything(project)
    source = given((image("a.png"), [drawn(CORNER)]), (image("b.png"), [drawn(CORNER)]))
    report = imported(project, source)
    assert everything(project) == before
    assert (report.images, report.annotations, report.occupied) == (0, 0, 2)
    assert "2 images left as they are, because annotations stand on them." in report.sentences()


def test_what_is_added_stands_beside_what_is_there_but_not_twice(project, standing, given):
    square, corner, found = standing
    triangle = Segmentation.from_rings([(1, 1), (50, 1), (50, 60)])
    source = given(
        (image("a.png"), [drawn(SQUARE_AGAIN), drawn(triangle), drawn(SQUARE, 1)]),
        (image("b.png"), [drawn()]),
        categories=("cell", "dog"),
    )
    report = imported(project, source, standing=Standing.ADD)
    assert on(project, "a.png") == (
        square,
        corner,
        Annotation(4, 1, triangle),
        Annotation(5, 2, SQUARE),
    )
    assert on(project, "b.png") == (found,)
    assert (report.annotations, report.already_there) == (2, 2)
    again = imported(project, source, standing=Standing.ADD)
    assert (again.images, again.annotations, again.already_there) == (0, 0, 4)


def test_replacing_spares_what_is_locked_and_what_nothing_takes_the_place_of(
    project, standing, given
):
    _, corner, found = standing
    triangle = Segmentation.from_rings([(1, 1), (50, 1), (50, 60)])
    source = given((image("a.png"), [drawn(triangle)]), (image("b.png"), []))
    report = imported(project, source, standing=Standing.REPLACE)
    assert on(project, "a.png") == (corner, Annotation(4, 1, triangle))
    assert on(project, "b.png") == (found,)
    assert (report.replaced, report.locked) == (1, 1)


def test_what_stands_there_since_the_plan_was_made_is_left_alone(project, given):
    plan = plan_import(project, given((image("a.png"), [drawn()])), SILENT)
    project.commit(Edit("", categories=(CategoryChange(None, CELL),)))
    mine = Annotation(next(project.take_annotation_ids()), 1, CORNER)
    project.commit(edits.add(ImageContent(project.images()[0], {}), [mine]))
    report = carry_out(project, plan, ImportChoices(plan.proposed()), SILENT)
    assert on(project, "a.png") == (mine,)
    assert report.occupied == 1


def test_categories_go_where_they_are_sent(project, standing, given):
    names = ("cell", "dog", "cat", "sky")
    source = given((image("sub/c.png"), [drawn(category=n) for n in range(4)]), categories=names)
    report = imported(project, source, destinations=("Cell wall", 1, "cell", IGNORED))
    assert [category.name for category in project.categories()] == ["cell", "Cell wall"]
    assert [one.category_id for one in on(project, "sub/c.png")] == [2, 1, 1]
    assert report.made == ("Cell wall",)


def test_every_category_has_a_destination(project, given):
    plan = plan_import(project, given(categories=("a", "b")), SILENT)
    with pytest.raises(ValueError, match="destination"):
        carry_out(project, plan, ImportChoices((IGNORED,)), SILENT)


def test_images_of_another_size_are_left_out_or_scaled(project, given):
    box = IncomingAnnotation(0, None, (0, 0, 4, 8))
    source = given((image("a.png", 40, 200), [drawn(), box]))
    report = imported(project, source)
    assert (on(project, "a.png"), report.other_size) == ((), 1)
    imported(project, source, other_size=OtherSize.SCALE)
    outline, boxed = on(project, "a.png")
    ring = outline.segmentation.parts[0].outer
    assert np.array_equal(ring, SQUARE.parts[0].outer * (0.5, 2))
    assert boxed.box == (0, 0, 2, 16)


def test_what_was_drawn_on_an_image_lying_on_its_side_is_not_squeezed(project, given):
    source = given((image("a.png", 100, 80), [drawn()]))
    report = imported(project, source, other_size=OtherSize.SCALE)
    assert (on(project, "a.png"), report.other_size) == ((), 1)


CAME = {
    "drawn": ([drawn()], {}, ImageState.EDITED),
    "drawn, all verified": ([drawn()], {"state": ImportedState.VERIFIED}, ImageState.VERIFIED),
    "found, all verified": (
        [drawn(), drawn(CORNER, score=0.5)],
        {"state": ImportedState.VERIFIED},
        ImageState.EDITED,
    ),
    "nothing": ([], {}, ImageState.NEW),
    "nothing, all verified": ([], {"state": ImportedState.VERIFIED}, ImageState.EMPTY),
    # That none could be used says nothing about the image.
    "nothing usable": (["unusable"], {"state": ImportedState.VERIFIED}, ImageState.NEW),
}


@pytest.mark.parametrize(("content", "choices", "state"), CAME.values(), ids=CAME)
def test_how_far_images_have_come_is_chosen(project, given, content, choices, state):
    imported(project, given((image("a.png"), content)), **choices)
    assert states(project)["a.png"] is state


@pytest.mark.parametrize(
    ("told", "content", "state"),
    [
        (ImageState.VERIFIED, [drawn()], ImageState.VERIFIED),
        (ImageState.VERIFIED, [], ImageState.EMPTY),
        (ImageState.EMPTY, [drawn()], ImageState.VERIFIED),
        (ImageState.EMPTY, [], ImageState.EMPTY),
        (ImageState.SKIPPED, [drawn()], ImageState.SKIPPED),
        (ImageState.NEW, [drawn()], ImageState.EDITED),
        (ImageState.EDITED, [], ImageState.EDITED),
    ],
)
def test_what_the_data_set_says_of_an_image_counts(project, given, told, content, state):
    imported(project, given((image("a.png", state=told), content)))
    assert states(project)["a.png"] is state


def test_a_verified_image_on_which_something_new_stands_is_no_longer_verified(
    project, standing, given
):
    first = project.images()[0]
    content = ImageContent(first, {a.id: a for a in project.annotations(first.id)})
    project.commit(edits.verify(content))
    triangle = Segmentation.from_rings([(1, 1), (50, 1), (50, 60)])
    imported(project, given((image("a.png"), [drawn(triangle)])), standing=Standing.ADD)
    assert states(project)["a.png"] is ImageState.EDITED


def test_the_fault_of_one_image_leaves_the_others_alone(project, given):
    source = given(
        (image("a.png"), [UserError("a.json cannot be read.")]),
        (image("b.png"), ["b.json: shapes[0] is a line.", drawn()]),
    )
    report = imported(project, source)
    assert len(on(project, "b.png")) == 1
    assert report.left_out.count == 2
    assert report.left_out.first == ("a.json cannot be read.", "b.json: shapes[0] is a line.")


def test_a_cancelled_import_leaves_nothing_behind(folder, given):
    names = [f"{n}.png" for n in range(300)]
    source = given(*((image(name, 9, 9), [drawn(CORNER)]) for name in names))
    with open_project(folder) as project:
        add_sized(project, dict.fromkeys(names, (9, 9)))
        plan = plan_import(project, source, SILENT)
        before = everything(project)
        with pytest.raises(CancelledError):
            carry_out(project, plan, ImportChoices(plan.proposed()), StopsAt(128))
        assert everything(project) == before
        assert project.history().undo is None


def test_a_project_that_is_exported_and_imported_is_the_same(project, standing, tmp_path, folder):
    path = tmp_path / "out.json"
    with path.open("wb") as file:
        write_coco(whole_dataset(project), file)
    before = whole_dataset(project)
    (tmp_path / "other").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "other" / name).write_bytes((folder / name).read_bytes())
    with open_project(tmp_path / "other") as other:
        other.add_images(["a.png", "b.png"])
        imported(other, open_source(path, SILENT))
        after = whole_dataset(other)
    assert after.categories == before.categories
    for name in ("a.png", "b.png"):
        ((was, came),) = [
            tuple(
                [(a.category_id, a.segmentation, a.score) for a in whole.annotations[image.id]]
                for whole, image in ((before, one), (after, other))
            )
            for one in before.images
            for other in after.images
            if one.path == other.path == name
        ]
        assert came == was


def test_results_refer_to_the_ids_of_the_project(project, standing, tmp_path):
    path = tmp_path / "results.json"
    third = project.images()[2]
    entries = [
        {"image_id": third.id, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5},
        {"image_id": third.id, "category_id": 9, "bbox": [1, 2, 3, 4], "score": 0.5},
        {"image_id": 99, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5},
    ]
    path.write_text(json.dumps(entries))
    plan = plan_import(project, open_source(path, SILENT), SILENT)
    assert [one.path for one in plan.matched] == ["sub/c.png"]
    assert [one.name for one in plan.missing] == ["image 99"]
    assert plan.proposed() == (1, IGNORED)
    carry_out(project, plan, ImportChoices(plan.proposed()), SILENT)
    (annotation,) = on(project, "sub/c.png")
    assert (annotation.box, annotation.category_id, annotation.score) == ((1, 2, 4, 6), 1, 0.5)
