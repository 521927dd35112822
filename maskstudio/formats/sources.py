"""Open a data set of another program, whichever it is: what it holds tells."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from maskstudio.errors import UserError
from maskstudio.formats.cityscapes import is_cityscapes, open_cityscapes
from maskstudio.formats.class_masks import is_class_masks, open_class_masks
from maskstudio.formats.coco_folder import is_coco_folder, open_coco_folder
from maskstudio.formats.coco_source import is_coco, open_coco
from maskstudio.formats.incoming import Source
from maskstudio.formats.labelme import is_labelme, open_labelme
from maskstudio.formats.mask_folders import is_mask_folder, open_mask_folder
from maskstudio.formats.masks_png import is_mask_table, open_mask_table
from maskstudio.formats.via import is_via, open_via
from maskstudio.formats.voc import is_voc, open_voc
from maskstudio.formats.yolo import is_yolo, open_yolo
from maskstudio.progress import TaskContext


@dataclass(frozen=True)
class _Format:
    """One kind of data set.

    Attributes:
        is_it: tells by names and first bytes whether a file or folder is of this kind.
        open_it: opens it.
    """

    is_it: Callable[[Path], bool]
    open_it: Callable[[Path, TaskContext], Source]


# The surest signs come first; a folder of PNG files is the weakest.
FORMATS: tuple[_Format, ...] = (
    _Format(is_mask_table, open_mask_table),
    _Format(is_coco, open_coco),
    _Format(is_coco_folder, open_coco_folder),
    _Format(is_labelme, open_labelme),
    _Format(is_via, open_via),
    _Format(is_voc, open_voc),
    _Format(is_yolo, open_yolo),
    _Format(is_class_masks, open_class_masks),
    _Format(is_cityscapes, open_cityscapes),
    _Format(is_mask_folder, open_mask_folder),
)


def is_data_set(path: Path) -> bool:
    """Tell by names and first bytes whether a file or folder is a data set that can be opened."""
    return any(one.is_it(path) for one in FORMATS)


def open_source(path: Path, context: TaskContext, of: Path | None = None) -> Source:
    """Open a data set.

    Args:
        path: its file or folder.
        context: told of the progress; asked whether to stop.
        of: the COCO file that COCO results refer to.

    Raises:
        UserError: it is of no kind that is known, or something in it is wrong.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist; choose another file or folder.")
    # A JSON file that nobody knows is refused in the words of the commonest kind.
    unknown = path.suffix.lower() == ".json" and path.is_file() and not is_data_set(path)
    if of is not None or unknown:
        return open_coco(path, context, of)
    for one in FORMATS:
        if one.is_it(path):
            return one.open_it(path, context)
    raise UserError(
        f"{path} is no data set that is known; choose a COCO or VIA file, or a folder of labelme, "
        "YOLO, Pascal VOC or mask files."
    )
