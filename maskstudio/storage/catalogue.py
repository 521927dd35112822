"""The models one can download, as torchvision describes them; reading this needs no torchvision."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from maskstudio.resources import resource_path

UNNAMED = "N/A"
"""What torchvision calls an output of a model that stands for nothing."""

# What a person reads: the name, and what the model is for.
_WORDS = {
    "maskrcnn_resnet50_fpn_v2": (
        "Photographs, 80 categories",
        "Outlines of people, animals, vehicles, food, furniture: the most exact here",
    ),
    "maskrcnn_resnet50_fpn": (
        "Photographs, 80 categories, older",
        "The same categories: half the work for the computer, outlines less exact",
    ),
    "fasterrcnn_resnet50_fpn_v2": (
        "Photographs, boxes only",
        "Boxes of the same categories, where outlines are not needed",
    ),
    "fasterrcnn_mobilenet_v3_large_fpn": (
        "Photographs, boxes only, quick",
        "Boxes of the same categories, many times as quick and less exact",
    ),
}


@dataclass(frozen=True)
class CatalogueEntry:
    """A model of torchvision's that was trained on COCO.

    Attributes:
        name: torchvision's name of its architecture, and ours of the model.
        title: its name for a person.
        purpose: what it is for, in one line.
        url: where its weights lie; the file's name holds the beginning of its SHA-256.
        size: bytes of the file, as exact as torchvision says (to about 500).
        box_ap: average precision of its boxes on COCO val2017, 0 to 1.
        mask_ap: likewise of its masks; None for Faster R-CNN.
    """

    name: str
    title: str
    purpose: str
    url: str
    size: int
    box_ap: float
    mask_ap: float | None

    @property
    def file_name(self) -> str:
        """Name of the file with the weights."""
        return self.url.rsplit("/", 1)[-1]


@cache
def catalogue() -> dict[str, CatalogueEntry]:
    """Return the models one can download, by name, the usual choice first."""
    return {
        model["name"]: CatalogueEntry(
            model["name"],
            *_WORDS[model["name"]],
            model["url"],
            model["size"],
            model["box_ap"],
            model["mask_ap"],
        )
        for model in _read()["models"]
    }


def coco_categories() -> tuple[str, ...]:
    """Return what the outputs of these models stand for, background left out.

    The name at position i is that of output i + 1 and of COCO's category id i + 1; `UNNAMED` where
    there is none.
    """
    return tuple(_read()["categories"])


@cache
def _read() -> dict[str, Any]:
    path = resource_path("models", "catalogue.json")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
