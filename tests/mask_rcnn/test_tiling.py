"""The embedded model on a mosaic of samples: what is lost in the whole is found in tiles."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask
from torchvision.models.detection import FasterRCNN

from maskstudio.annotation.detections import Detections
from maskstudio.annotation.masks import Rle, place, sample_roi_mask
from maskstudio.annotation.tile_run import find_instances
from maskstudio.annotation.tiling import TileChoice, Tiling
from maskstudio.errors import CancelledError
from maskstudio.mask_rcnn.device import choose_device
from maskstudio.mask_rcnn.model_file import SMALL_SIDE, ModelInfo, find_model, load_model
from maskstudio.mask_rcnn.predictor import MaskRCNNPredictor
from maskstudio.progress import TaskContext
from maskstudio.resources import resource_path
from maskstudio.storage.image_source import WholeImage, open_source
from maskstudio.storage.images import read_image

QUIET = TaskContext()
NAMES = ("fluorescence-3", "fluorescence-4", "fluorescence-small", "stained-violet-1")
SIDE, ACROSS = 256, 4
ALWAYS, NEVER = Tiling(TileChoice.ALWAYS), Tiling(TileChoice.NEVER)


@pytest.fixture(scope="module")
def predictor() -> MaskRCNNPredictor:
    """The embedded model with half its input size, which takes a quarter of the time."""
    info, model = load_model(find_model("nuclei"))
    info = replace(info, architecture=replace(info.architecture, min_size=SIDE, max_size=2 * SIDE))
    model.transform.min_size, model.transform.max_size = (SIDE,), 2 * SIDE
    return MaskRCNNPredictor(info, model, choose_device("cpu"))


@pytest.fixture(scope="module")
def samples() -> list[NDArray[np.uint8]]:
    folder = resource_path("samples", "nuclei")
    return [read_image(folder / f"{name}.png")[:SIDE, :SIDE] for name in NAMES]


@pytest.fixture(scope="module")
def mosaic(samples: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Four by four samples; tiles of the input size end in the middle of most of them."""
    rows = [np.concatenate(samples[n:] + samples[:n], axis=1) for n in range(ACROSS)]
    return np.concatenate(rows)


@pytest.fixture(scope="module")
def in_tiles(predictor: MaskRCNNPredictor, mosaic: NDArray[np.uint8]) -> Detections:
    return find_instances(predictor, source_of(mosaic), ALWAYS, QUIET)


@pytest.fixture(scope="module")
def alone(predictor: MaskRCNNPredictor, samples: list[NDArray[np.uint8]]) -> list[Rle]:
    """What the model finds in each sample by itself, at its places in the mosaic."""
    found = [predictor.predict(sample, QUIET) for sample in samples]
    side = SIDE * ACROSS
    places = [(row, column) for row in range(ACROSS) for column in range(ACROSS)]
    return [
        rle
        for row, column in places
        for rle in masks(found[(row + column) % ACROSS], column * SIDE, row * SIDE, side)
    ]


def source_of(pixels: NDArray[np.uint8]) -> WholeImage:
    return WholeImage((pixels.shape[0], pixels.shape[1]), lambda: pixels)


def masks(found: Detections, left: int = 0, top: int = 0, side: int = SIDE * ACROSS) -> list[Rle]:
    """Return the masks of what is certain."""
    assert found.roi_masks is not None
    rles = []
    for index in np.flatnonzero(found.scores >= 0.5).tolist():
        sampled, x, y = sample_roi_mask(found.roi_masks[index], found.box(index), *found.size)
        rles.append(place(sampled >= 127.5, left + x, top + y, side, side))
    return rles


def agreement(wanted: list[Rle], found: list[Rle]) -> NDArray[np.float64]:
    """Return the mask IoU of each with each."""
    return np.asarray(coco_mask.iou(wanted, found, [0] * len(found)))


def doubles(found: list[Rle]) -> float:
    """Return the share of masks that are nearly those of others."""
    iou = agreement(found, found)
    np.fill_diagonal(iou, 0)
    return float((iou.max(axis=1) > 0.5).mean())


def test_tiles_find_what_the_model_finds_in_each_sample_alone(
    in_tiles: Detections, alone: list[Rle]
) -> None:
    found = masks(in_tiles)
    iou = agreement(alone, found)
    best = iou.max(axis=1)
    assert (best >= 0.5).mean() >= 0.9
    assert np.median(best) >= 0.9
    assert abs(len(found) - len(alone)) <= 0.1 * len(alone)


def test_no_more_is_found_twice_than_in_each_sample_alone(
    in_tiles: Detections, alone: list[Rle]
) -> None:
    # The model's own suppression goes by boxes: a few masks of one sample overlap by more.
    assert doubles(masks(in_tiles)) <= doubles(alone) + 0.01


def test_scaled_to_the_input_size_most_of_it_is_lost(
    predictor: MaskRCNNPredictor, mosaic: NDArray[np.uint8], alone: list[Rle]
) -> None:
    whole = find_instances(predictor, source_of(mosaic), NEVER, QUIET)
    assert whole.tiles == 0
    assert (agreement(alone, masks(whole)).max(axis=1) >= 0.5).mean() < 0.3


def test_the_model_itself_tells_that_the_objects_are_too_small(
    predictor: MaskRCNNPredictor, mosaic: NDArray[np.uint8]
) -> None:
    part = mosaic[: 2 * SIDE, : 2 * SIDE]
    assert Tiling().in_tiles(predictor.sight, (2 * SIDE, 2 * SIDE)) is None
    assert find_instances(predictor, source_of(part), Tiling(), QUIET).tiles == 9
    enlarged = np.repeat(np.repeat(part[:64, :64], 8, axis=0), 8, axis=1)
    assert find_instances(predictor, source_of(enlarged), Tiling(), QUIET).tiles == 0


def test_what_lay_whole_in_a_tile_is_as_it_was_found(
    predictor: MaskRCNNPredictor, mosaic: NDArray[np.uint8], in_tiles: Detections
) -> None:
    first = predictor.predict(mosaic[:SIDE, :SIDE], QUIET)
    assert first.roi_masks is not None
    assert in_tiles.roi_masks is not None
    known = {mask.tobytes() for mask in in_tiles.roi_masks}
    inside = (first.boxes[:, 2:] < SIDE * 0.7).all(axis=1) & (first.scores >= 0.5)
    assert inside.sum() > 5
    assert all(mask.tobytes() in known for mask in first.roi_masks[inside])


def test_an_image_too_large_for_memory_is_read_tile_by_tile(
    predictor: MaskRCNNPredictor, mosaic: NDArray[np.uint8], tmp_path: Path
) -> None:
    part = mosaic[:400, :400]
    path = tmp_path / "large.tif"
    Image.fromarray(part).save(path, tile=(256, 256), compression="tiff_deflate")
    with open_source(path, QUIET, most_pixels=1000) as source:
        assert not source.fits_memory
        found = find_instances(predictor, source, ALWAYS, QUIET)
    known = find_instances(predictor, source_of(part), ALWAYS, QUIET)
    assert found.tiles == known.tiles == 4
    np.testing.assert_allclose(found.boxes, known.boxes, atol=0.1)


def test_what_a_model_was_trained_on_tells_how_small_objects_are(
    nuclei: tuple[ModelInfo, FasterRCNN],
) -> None:
    info, model = nuclei
    trained = replace(info, training={**info.training, SMALL_SIDE: 20.0})
    sight = MaskRCNNPredictor(trained, model, choose_device("cpu")).sight
    assert (sight.shorter, sight.longer, sight.finest, sight.small) == (512, 1024, 8, 20)
    assert Tiling().in_tiles(sight, (3000, 4000)) is True


def test_a_cancel_ends_it_between_tiles(
    predictor: MaskRCNNPredictor, mosaic: NDArray[np.uint8]
) -> None:
    class Impatient(TaskContext):
        done = 0

        def report(self, done: int, total: int, note: str = "") -> None:
            del total, note
            self.done = done

        def raise_if_cancelled(self) -> None:
            if self.done == 2:
                raise CancelledError

    context = Impatient()
    with pytest.raises(CancelledError):
        find_instances(predictor, source_of(mosaic), ALWAYS, context)
    assert context.done == 2
