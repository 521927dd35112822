"""Write `resources/models/catalogue.json`: what torchvision says of the models we offer.

    python packaging/make_catalogue.py

To be run again when torchvision names other files; a test compares the two.
"""

import json
from pathlib import Path
from typing import Any

OUTPUT = Path(__file__).resolve().parents[1] / "resources" / "models" / "catalogue.json"
# The usual choice first.
NAMES = (
    "maskrcnn_resnet50_fpn_v2",
    "maskrcnn_resnet50_fpn",
    "fasterrcnn_resnet50_fpn_v2",
    "fasterrcnn_mobilenet_v3_large_fpn",
)


def torchvision_says() -> dict[str, Any]:
    """Return the catalogue as torchvision has it.

    Sizes are in bytes (torchvision gives MiB to three decimals), AP of COCO val2017 is 0 to 1.
    """
    from torchvision.models import get_model_weights

    weights = [get_model_weights(name).COCO_V1 for name in NAMES]
    (outputs,) = {tuple(one.meta["categories"]) for one in weights}
    models = []
    for name, one in zip(NAMES, weights, strict=True):
        metrics = one.meta["_metrics"]["COCO-val2017"]
        models.append(
            {
                "name": name,
                "url": one.url,
                "size": round(one.meta["_file_size"] * 1024**2),
                "box_ap": _share(metrics["box_map"]),
                "mask_ap": _share(metrics.get("mask_map")),
            }
        )
    # The first output is background.
    return {"categories": list(outputs[1:]), "models": models}


def _share(percent: float | None) -> float | None:
    return None if percent is None else round(percent / 100, 6)


if __name__ == "__main__":
    OUTPUT.write_text(json.dumps(torchvision_says(), indent=1) + "\n", encoding="utf-8")
