"""Training views: boxes fit masks, masks fit pixels, and only what is seen is decoded."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional
from torchvision.ops import masks_to_boxes

from maskstudio.errors import UserError
from maskstudio.formats.coco_reader import CocoFile, read_coco
from maskstudio.mask_rcnn import coco_dataset
from maskstudio.mask_rcnn.coco_dataset import CocoCrops, Sample, collate, read_listed_image
from maskstudio.mask_rcnn.settings import Augmentation
from support.coco_sets import (
    NUCLEUS,
    Entry,
    disc_mask,
    image_entry,
    mask_entry,
    write_discs,
    write_json,
)

PHOTO, MICROSCOPY = Augmentation.PHOTO, Augmentation.MICROSCOPY


@pytest.fixture(autouse=True)
def _same_draws() -> None:
    torch.manual_seed(0)


def write_set(
    folder: Path,
    masks: list[NDArray[np.bool_]],
    picture: NDArray[np.uint8] | None = None,
    **values: object,
) -> CocoFile:
    """Write one picture `a.png` and an annotation a mask."""
    height, width = masks[0].shape
    folder.mkdir(parents=True, exist_ok=True)
    if picture is None:
        picture = np.full((height, width, 3), 90, np.uint8)
    Image.fromarray(picture).save(folder / "a.png")
    annotations = [mask_entry(n + 1, 1, mask, **values) for n, mask in enumerate(masks)]
    images = [image_entry(1, "a.png", height, width)]
    return read_coco(write_json(folder / "a.json", images, annotations))


def in_view(sample: Sample) -> Tensor:
    """Masks (n, H, W) where they lie in the view, to its own pixels."""
    height, width = sample.image.shape[-2:]
    masks, windows = sample.target["masks"], sample.target["windows"]
    drawn = torch.zeros(len(masks), height, width, dtype=torch.bool)
    for into, mask, (x0, y0, x1, y1) in zip(drawn, masks, windows.tolist(), strict=True):
        rows = ((torch.arange(height) + 0.5 - y0) / (y1 - y0) * mask.shape[0]).floor().long()
        columns = ((torch.arange(width) + 0.5 - x0) / (x1 - x0) * mask.shape[1]).floor().long()
        inside = ((rows >= 0) & (rows < mask.shape[0]))[:, None]
        inside = inside & ((columns >= 0) & (columns < mask.shape[1]))[None]
        picked = mask[rows.clamp(0, mask.shape[0] - 1)][:, columns.clamp(0, mask.shape[1] - 1)]
        into[:] = inside & picked.bool()
    return drawn


def views(crops: CocoCrops, count: int) -> Iterator[Sample]:
    for number in range(count):
        yield crops[number % len(crops)]


@pytest.mark.parametrize("augmentation", list(Augmentation))
@pytest.mark.parametrize("crop", [64, 200])
def test_boxes_fit_their_masks_exactly_in_every_view(
    augmentation: Augmentation, crop: int, tmp_path: Path
) -> None:
    coco = read_coco(write_discs(tmp_path, images=3, side=90, discs=6))
    crops = CocoCrops(coco, tmp_path, 100, crop, augmentation)
    for sample in views(crops, 60):
        masks, boxes = sample.target["masks"], sample.target["boxes"]
        height, width = sample.image.shape[-2:]
        assert max(height, width) <= crop + 1
        assert 0 <= float(sample.image.min()) <= float(sample.image.max()) <= 1
        assert len(masks) == len(boxes) == len(sample.target["labels"])
        if not len(masks):
            continue
        assert masks.flatten(1).any(dim=1).all()
        # masks_to_boxes gives the last pixel, not the edge behind it.
        tight = masks_to_boxes(masks) + torch.tensor([0, 0, 1, 1])
        shown = sample.target["windows"]
        scale = (shown[:, 2:] - shown[:, :2]) / torch.tensor([masks.shape[2], masks.shape[1]])
        placed = tight * scale.repeat(1, 2) + shown[:, :2].repeat(1, 2)
        torch.testing.assert_close(boxes, placed, rtol=0, atol=1e-3)
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        assert float(boxes.min()) >= 0
        assert bool((boxes <= torch.tensor([width, height]).repeat(2) + 1e-3).all())


@pytest.mark.parametrize("augmentation", list(Augmentation))
def test_masks_lie_where_the_pixels_are(augmentation: Augmentation, tmp_path: Path) -> None:
    """Discs stand out from their ground, in whatever colours; so must what the masks cover."""
    coco = read_coco(write_discs(tmp_path, images=2, side=80, discs=2))
    crops = CocoCrops(coco, tmp_path, 80, 90, augmentation)
    for sample in views(crops, 30):
        if not len(sample.target["masks"]):
            continue
        inside = in_view(sample).any(dim=0).float()
        grey = sample.image.mean(dim=0)
        pairs = torch.stack([grey.flatten(), inside.flatten()])
        assert abs(float(torch.corrcoef(pairs)[0, 1])) > 0.8


def test_a_photo_is_only_mirrored_and_microscopy_is_turned_every_way(tmp_path: Path) -> None:
    # The letter L: no two of its eight positions look alike.
    letter = np.zeros((40, 40), np.bool_)
    letter[5:35, 8:14] = True
    letter[29:35, 8:26] = True
    coco = write_set(tmp_path, [letter])
    upright = functional.pad(torch.from_numpy(letter[5:35, 8:26]), (1, 1, 1, 1))
    mirrored = upright.flip(1)
    seen: dict[Augmentation, set[bytes]] = {}
    for augmentation in Augmentation:
        crops = CocoCrops(coco, tmp_path, 40, 400, augmentation)
        found = [sample.target["masks"][0].bool() for sample in views(crops, 120)]
        seen[augmentation] = {one.numpy().tobytes() for one in found}
    as_bytes = {one.numpy().tobytes() for one in (upright, mirrored)}
    assert seen[PHOTO] == as_bytes
    assert len(seen[MICROSCOPY]) == 8
    assert as_bytes < seen[MICROSCOPY]


def test_crowds_and_boxes_without_an_outline_are_left_out(tmp_path: Path) -> None:
    cell, crowd = disc_mask(60, 60, 20, 20, 8), disc_mask(60, 60, 42, 42, 12)
    write_set(tmp_path, [cell])
    annotations: list[Entry] = [
        mask_entry(1, 1, cell),
        mask_entry(2, 1, crowd, iscrowd=1),
        mask_entry(3, 1, crowd, segmentation=[]),
    ]
    images = [image_entry(1, "a.png", 60, 60), image_entry(2, "only-a-crowd.png", 60, 60)]
    annotations.append(mask_entry(4, 2, crowd, iscrowd=1))
    coco = read_coco(write_json(tmp_path / "crowd.json", images, annotations))
    crops = CocoCrops(coco, tmp_path, 60, 300, PHOTO)
    assert len(crops) == 1
    for sample in views(crops, 5):
        assert len(sample.target["labels"]) == 1
        assert int(sample.target["masks"].sum()) == int(cell.sum())

    nothing = read_coco(write_json(tmp_path / "none.json", images, annotations[1:]))
    with pytest.raises(UserError, match=r"none.json has no annotated image to learn from"):
        CocoCrops(nothing, tmp_path, 60, 300, PHOTO)


def test_of_a_box_that_was_drawn_alone_the_mask_is_no_lesson(tmp_path: Path) -> None:
    cell, box = disc_mask(60, 60, 20, 20, 8), np.zeros((60, 60), np.bool_)
    box[30:50, 30:55] = True
    write_set(tmp_path, [cell])
    alone = mask_entry(2, 1, box, attributes={"box_only": True})
    images = [image_entry(1, "a.png", 60, 60)]
    coco = read_coco(write_json(tmp_path / "b.json", images, [mask_entry(1, 1, cell), alone]))
    crops = CocoCrops(coco, tmp_path, 60, 300, PHOTO, copy_paste=1.0)
    for sample in views(crops, 8):
        # It is not put into other views either.
        assert sample.target["outlined"].logical_not().sum() <= 1
        assert len(sample.target["labels"]) == len(sample.target["outlined"])
    (whole,) = views(CocoCrops(coco, tmp_path, 60, 300, PHOTO), 1)
    assert whole.target["outlined"].tolist() == [True, False]


def test_labels_are_positions_of_the_sorted_categories(tmp_path: Path) -> None:
    cell = disc_mask(40, 40, 20, 20, 8)
    write_set(tmp_path, [cell])
    path = write_json(
        tmp_path / "two.json",
        [image_entry(1, "a.png", 40, 40)],
        [mask_entry(1, 1, cell, category_id=30), mask_entry(2, 1, cell, category_id=7)],
        [NUCLEUS | {"id": 30, "name": "late"}, NUCLEUS | {"id": 7, "name": "early"}],
    )
    (sample,) = views(CocoCrops(read_coco(path), tmp_path, 40, 300, PHOTO), 1)
    assert sample.target["labels"].tolist() == [2, 1]


def test_an_annotation_without_a_box_is_found_by_its_mask(tmp_path: Path) -> None:
    cell = disc_mask(60, 60, 30, 30, 10)
    coco = write_set(tmp_path, [cell], bbox=None)
    (sample,) = views(CocoCrops(coco, tmp_path, 60, 300, PHOTO), 1)
    assert len(sample.target["boxes"]) == 1


def test_a_crowded_image_costs_no_more_than_the_crop(tmp_path: Path) -> None:
    """Several hundred annotations; a view holds the masks that reach into it, of its own size."""
    centres = [(x, y) for x in range(8, 400, 16) for y in range(8, 256, 16)]
    masks = [disc_mask(256, 400, x, y, 6) for x, y in centres]
    coco = write_set(tmp_path, masks)
    crops = CocoCrops(coco, tmp_path, 256, 64, PHOTO)
    for sample in views(crops, 8):
        found = sample.target["masks"]
        largest = round(64 / 0.6)
        assert max(found.shape[1:]) <= largest
        cells = -(-largest // 16) + 1
        assert 0 < len(found) <= cells**2 < len(masks) / 4
        # Nothing but the view itself is kept alive by the tensor.
        assert found.untyped_storage().nbytes() == found.numel()


def test_what_lies_outside_the_view_is_not_even_decoded(tmp_path: Path) -> None:
    cell = disc_mask(60, 60, 30, 30, 10)
    write_set(tmp_path, [cell])
    cannot_be_decoded = {"size": [1, 1], "counts": [1]}
    entries = [
        mask_entry(1, 1, cell),
        mask_entry(2, 1, cell, segmentation=cannot_be_decoded, bbox=[500, 500, 5, 5]),
    ]
    path = write_json(tmp_path / "far.json", [image_entry(1, "a.png", 60, 60)], entries)
    (sample,) = views(CocoCrops(read_coco(path), tmp_path, 60, 300, PHOTO), 1)
    assert len(sample.target["masks"]) == 1


def test_images_are_kept_in_memory_up_to_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coco = read_coco(write_discs(tmp_path, images=2, side=64))
    # Room for the first of two pictures.
    monkeypatch.setattr(coco_dataset, "CACHE_BYTES", 64 * 64 * 3)
    crops = CocoCrops(coco, tmp_path, 64, 64, PHOTO)
    assert crops[0].image.shape[0] == crops[1].image.shape[0] == 3
    for picture in tmp_path.glob("*.png"):
        picture.unlink()
    assert crops[0].image.shape[0] == 3
    with pytest.raises(UserError, match=r"discs-2\.png is gone"):
        crops[1]


def test_all_images_can_be_checked_before_training(discs: CocoFile, tmp_path: Path) -> None:
    crops = CocoCrops(discs, tmp_path / "discs", 64, 64, PHOTO)
    crops.check_images()
    second = tmp_path / "discs" / "discs-2.png"
    Image.new("RGB", (64, 48)).save(second)
    with pytest.raises(UserError, match=r"discs-2\.png is 64 by 48 pixels, but .* 64 by 64"):
        crops.check_images()
    second.unlink()
    with pytest.raises(UserError, match=r"discs-2\.png is gone"):
        crops.check_images()


@pytest.mark.parametrize("size", [(30, 45), (300, 170)])
def test_images_smaller_and_larger_than_the_view(size: tuple[int, int], tmp_path: Path) -> None:
    coco = write_set(tmp_path, [np.ones(size, np.bool_)])
    crops = CocoCrops(coco, tmp_path, min(size), 100, PHOTO)
    sides = set()
    for sample in views(crops, 20):
        height, width = sample.image.shape[-2:]
        whole = torch.tensor([[0.0, 0.0, width, height]])
        torch.testing.assert_close(sample.target["boxes"], whole)
        sides.add((height, width))
    if size == (30, 45):  # always whole, at a varied scale
        assert all(abs(width / height - 1.5) < 0.1 for height, width in sides)
        assert len(sides) > 5
    else:
        assert all({99, 100, 101} >= set(pair) for pair in sides)


def test_larger_images_are_drawn_more_often_but_at_most_four_times(tmp_path: Path) -> None:
    cell = disc_mask(30, 30, 15, 15, 8)
    images = [image_entry(n, f"{n}.png", 50, w) for n, w in ((1, 50), (2, 100), (3, 5000))]
    annotations = [mask_entry(n, n, cell) for n in (1, 2, 3)]
    coco = read_coco(write_json(tmp_path / "three.json", images, annotations))
    assert CocoCrops(coco, tmp_path, 64, 64, PHOTO).weights() == [1.0, 2.0, 4.0]


def test_an_image_of_another_size_than_the_file_says_is_refused(tmp_path: Path) -> None:
    coco = write_set(tmp_path, [disc_mask(60, 50, 20, 20, 8)])
    Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
    says = r"a\.png is 64 by 48 pixels, but .*a\.json says 50 by 60"
    with pytest.raises(UserError, match=says):
        CocoCrops(coco, tmp_path, 60, 64, PHOTO)[0]
    with pytest.raises(UserError, match=says):
        read_listed_image(coco, coco.images[1], tmp_path)


def test_an_image_that_is_missing_is_refused(tmp_path: Path) -> None:
    coco = write_set(tmp_path, [disc_mask(60, 50, 20, 20, 8)])
    (tmp_path / "a.png").unlink()
    with pytest.raises(UserError, match=r"a\.png is gone"):
        CocoCrops(coco, tmp_path, 60, 64, PHOTO)[0]


def test_a_batch_is_lists_because_sizes_differ(discs: CocoFile, tmp_path: Path) -> None:
    crops = CocoCrops(discs, tmp_path / "discs", 64, 64, PHOTO)
    samples = [crops[0], crops[1]]
    images, targets = collate(samples)
    assert [image.shape for image in images] == [sample.image.shape for sample in samples]
    assert [list(one) for one in targets] == [
        ["boxes", "labels", "outlined", "masks", "windows"]
    ] * 2


def test_objects_of_other_images_lie_over_what_is_there(tmp_path: Path) -> None:
    """A red disc on black and a white square: what is put in has its own colour and mask."""
    disc, square = disc_mask(60, 60, 30, 30, 12), np.zeros((60, 60), np.bool_)
    square[4:56, 4:56] = True
    for name, mask, colour in (("a", disc, (255, 0, 0)), ("b", square, (255, 255, 255))):
        picture = np.zeros((60, 60, 3), np.uint8)
        picture[mask] = colour
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
    names = [NUCLEUS, NUCLEUS | {"id": 2, "name": "square"}]
    images = [image_entry(n, f"{name}.png", 60, 60) for n, name in ((1, "a"), (2, "b"))]
    annotations = [mask_entry(1, 1, disc), mask_entry(2, 2, square, category_id=2)]
    coco = read_coco(write_json(tmp_path / "two.json", images, annotations, names))
    crops = CocoCrops(coco, tmp_path, 60, 200, PHOTO, copy_paste=1.0)
    counts = set()
    for _ in range(40):
        sample = crops[1]
        drawn, labels = in_view(sample), sample.target["labels"]
        counts.add(tuple(sorted(labels.tolist())))
        twice = (drawn.sum(0) > 1).float().mean()
        assert float(twice) < 0.01, "what is covered is no longer of the instance"
        red = sample.image[0] - sample.image[2]
        for mask, label in zip(drawn, labels.tolist(), strict=True):
            # Colours vary, and edges are mixed; in the middle they are what they were.
            assert (float(red[mask].median()) > 0.3) == (label == 1)
    assert (1, 2) in counts, "a disc on the square"
    alone = CocoCrops(coco, tmp_path, 60, 200, PHOTO)
    assert alone[1].target["labels"].tolist() == [2]


def test_a_view_of_very_many_instances_shows_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    centres = [(x, y) for x in range(6, 200, 12) for y in range(6, 200, 12)]
    coco = write_set(tmp_path, [disc_mask(200, 200, x, y, 4) for x, y in centres])
    crops = CocoCrops(coco, tmp_path, 200, 400, PHOTO)
    whole = [len(sample.target["labels"]) for sample in views(crops, 6)]
    assert max(whole) == len(centres)
    monkeypatch.setattr(coco_dataset, "MOST_INSTANCES", 40)
    for sample in views(crops, 6):
        assert 0 < len(sample.target["labels"]) <= 40


def test_masks_of_large_objects_are_no_finer_than_what_is_learned(tmp_path: Path) -> None:
    disc = disc_mask(600, 800, 400, 300, 250)
    (sample,) = views(CocoCrops(write_set(tmp_path, [disc]), tmp_path, 600, 2000, PHOTO), 1)
    assert max(sample.target["masks"].shape[1:]) <= 114
    covered = int(in_view(sample).sum()) / sample.image[0].numel()
    assert covered == pytest.approx(disc.mean(), rel=0.02)


def test_images_on_which_nothing_is_are_a_tenth_of_the_views_at_most(tmp_path: Path) -> None:
    cell = disc_mask(50, 50, 25, 25, 8)
    images = [image_entry(n, f"{n}.png", 50, 50) for n in range(1, 9)]
    for n in range(1, 9):
        Image.new("RGB", (50, 50), (90, 90, 90)).save(tmp_path / f"{n}.png")
    coco = read_coco(write_json(tmp_path / "a.json", images, [mask_entry(1, 3, cell)]))
    crops = CocoCrops(coco, tmp_path, 64, 64, PHOTO)
    assert len(crops) == 8
    first, *empty = crops.weights()
    assert first == 1.0
    assert sum(empty) == pytest.approx(0.1)
    assert [len(crops[n].target["labels"]) for n in (1, 7)] == [0, 0]
