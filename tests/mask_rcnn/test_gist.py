"""What an image looks like to a model as a whole: near for like images, far for others."""

import numpy as np
import pytest
from numpy.typing import NDArray

from maskstudio.annotation.detection_filter import DetectionFilter
from maskstudio.annotation.image_doubt import doubt_of, with_mirrored
from maskstudio.mask_rcnn.model_file import find_model
from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor
from maskstudio.progress import TaskContext
from maskstudio.resources import resource_path
from maskstudio.storage.images import read_image

QUIET = TaskContext()


@pytest.fixture(scope="module")
def embedded() -> MaskRCNNPredictor:
    return MaskRCNNPredictor.load(find_model("nuclei"), "cpu")


def picture(name: str) -> NDArray[np.uint8]:
    return read_image(resource_path("samples", "nuclei", f"{name}.png"))[:256, :256]


def test_like_images_lie_close_together_and_others_far_apart(embedded: MaskRCNNPredictor) -> None:
    images = {
        name: picture(name) for name in ("stained-pink-1", "stained-pink-2", "fluorescence-3")
    }
    images["mirrored"] = np.ascontiguousarray(images["stained-pink-1"][:, ::-1])
    gists = {name: embedded.gist(embedded.see(one, QUIET)) for name, one in images.items()}
    assert {gist.shape for gist in gists.values()} == {(96,)}
    assert all(gist.dtype == np.float32 for gist in gists.values())
    np.testing.assert_allclose([np.linalg.norm(gist) for gist in gists.values()], 1, atol=1e-5)
    mirrored, pink, dark = (
        1 - float(gists["stained-pink-1"] @ gists[name])
        for name in ("mirrored", "stained-pink-2", "fluorescence-3")
    )
    assert mirrored < pink < dark


def test_a_mirror_image_of_a_clear_picture_is_found_again(embedded: MaskRCNNPredictor) -> None:
    image = picture("fluorescence-3")
    found = embedded.predict(image, QUIET)
    mirrored = embedded.predict(np.ascontiguousarray(image[:, ::-1]), QUIET)
    doubt = doubt_of(found, DetectionFilter())
    both = with_mirrored(doubt, found, mirrored, DetectionFilter())
    assert doubt.found >= 10
    # Taken for an image as it stands, it would hardly be found again.
    assert both.unsteady is not None
    assert both.unsteady <= doubt.found / 5
    as_it_stands = with_mirrored(doubt, found, found, DetectionFilter()).unsteady
    assert as_it_stands is not None
    assert as_it_stands > doubt.found
