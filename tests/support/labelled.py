"""Projects with annotations on them, made without a window."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from maskstudio.annotation.annotation import Annotation, Category, ImageState
from maskstudio.annotation.edits import AnnotationChange, CategoryChange, Edit, ImageChange
from maskstudio.annotation.segmentation import Segmentation
from maskstudio.storage.folder import list_images
from maskstudio.storage.opening import open_project

SQUARE = Segmentation.from_rings([(10, 10), (30, 10), (30, 30), (10, 30)])


def label(
    folder: Path,
    contents: Mapping[str, Sequence[tuple[int, Segmentation]]],
    categories: Sequence[Category] = (Category(1, "object"),),
) -> None:
    """Verify images of a folder, with annotations on them; its other images stay new.

    Args:
        folder: of images; it may be a project already.
        contents: path to category id and outline of each annotation.
        categories: those that are made, where they are not there yet.
    """
    with open_project(folder) as database:
        database.add_images([file.path for file in list_images(folder)])
        known = {category.id for category in database.categories()}
        made = tuple(CategoryChange(None, c) for c in categories if c.id not in known)
        ids = database.take_annotation_ids()
        annotations: list[AnnotationChange] = []
        images: list[ImageChange] = []
        for record in database.images():
            if record.path not in contents:
                continue
            outlines = contents[record.path]
            annotations += [
                AnnotationChange(record.id, None, Annotation(next(ids), category, outline))
                for category, outline in outlines
            ]
            state = ImageState.VERIFIED if outlines else ImageState.EMPTY
            images.append(
                ImageChange(record.id, record.status, replace(record.status, state=state))
            )
        if made:
            database.commit(Edit("", categories=made))
        database.commit(Edit("", annotations=tuple(annotations), images=tuple(images)))
