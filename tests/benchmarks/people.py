"""Made-up photographs of people, with their masks: a category no model here has ever seen.

`python tests/benchmarks/people.py FOLDER [--images N] [--seed N] [--backgrounds DIR]` writes
`FOLDER/images/*.jpg` and `FOLDER/annotations.json` (COCO, one category, `person`); the same
arguments give the same pixels. `--backgrounds` takes photographs without people, and cuts from
them what is otherwise made up.

The figures have limbs and a torso in a pose drawn at random, clothes with patterns and folds,
light from one side, shadows on the ground; they stand before, behind and beside one another and
things of the same colours and sizes (posts, bins, bushes, boards, coats on a stand), some are cut
off by the border. It is no substitute for photographs: it is as hard in what makes up an object
and in what hides it, and far poorer in what the world looks like.
"""

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from people_parts import (
    HEIGHT,
    WIDTH,
    Body,
    Piece,
    Pixels,
    Point,
    a_colour,
    a_thing,
    capsule,
    clouds,
    ellipse,
    stuff,
)

PERSON = "person"
# A person of whom less is seen is not put there.
_LEAST_SEEN = 0.4
_SUBPIXELS = 4


@dataclass(frozen=True)
class Scene:
    """One picture.

    Attributes:
        image: (height, width, 3) uint8 RGB.
        masks: (n, height, width) what is seen of each person.
    """

    image: NDArray[np.uint8]
    masks: NDArray[np.bool_]


def scene(seed: int, backgrounds: Sequence[NDArray[np.uint8]] = ()) -> Scene:
    """Make a picture.

    Args:
        seed: of everything in it.
        backgrounds: (h, w, 3) uint8 RGB photographs to cut the background from; made up when there
            are none.
    """
    random = np.random.default_rng(seed)
    canvas = _Canvas(random, _background(random, backgrounds))
    layers = ["person"] * int(random.choice([1, 1, 2, 2, 3, 4, 5]))
    layers += ["thing"] * int(random.integers(0, 4))
    random.shuffle(layers)
    # What is nearer stands lower in the picture and is larger.
    for kind, near in zip(layers, np.sort(random.uniform(0, 1, len(layers))), strict=True):
        if kind == "person":
            canvas.add_person(float(near))
        else:
            canvas.add_thing(float(near))
    if not canvas.masks:
        canvas.add_person(0.7)
    return Scene(_photographed(random, canvas.pixels), np.stack(canvas.masks))


def write(
    folder: Path, images: int, seed: int = 0, backgrounds: Sequence[NDArray[np.uint8]] = ()
) -> Path:
    """Write pictures and their COCO file.

    Args:
        folder: gets `images/` and `annotations.json`.
        images: how many.
        seed: of the first; the next ones count on.
        backgrounds: see `scene`.

    Returns:
        The COCO file.
    """
    (folder / "images").mkdir(parents=True, exist_ok=True)
    listed: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number in range(images):
        made = scene(seed + number, backgrounds)
        name = f"images/{seed + number:05d}.jpg"
        bgr = cv2.cvtColor(made.image, cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(folder / name), bgr, [cv2.IMWRITE_JPEG_QUALITY, 90])
        height, width = made.image.shape[:2]
        listed.append({"id": number + 1, "file_name": name, "height": height, "width": width})
        for mask in made.masks:
            rle = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number + 1,
                    "category_id": 1,
                    "iscrowd": 0,
                    "bbox": [float(v) for v in coco_mask.toBbox(rle)],
                    "area": float(coco_mask.area(rle)),
                    "segmentation": {
                        "size": [height, width],
                        "counts": rle["counts"].decode("ascii"),
                    },
                }
            )
    path = folder / "annotations.json"
    categories = [{"id": 1, "name": PERSON, "supercategory": ""}]
    content = {"images": listed, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


class _Canvas:
    """The picture while it is painted from the back to the front."""

    def __init__(self, random: np.random.Generator, background: Pixels) -> None:
        self.pixels = background
        self.masks: list[NDArray[np.bool_]] = []
        self._whole: list[int] = []
        self._random = random
        angle = random.uniform(0, 2 * math.pi)
        self._light = np.array([math.cos(angle), -abs(math.sin(angle))]) * random.uniform(0.1, 0.6)

    def add_person(self, near: float) -> None:
        random = self._random
        tall = (0.4 + 0.5 * near) * HEIGHT * random.uniform(0.85, 1.15)
        foot = np.array([random.uniform(0.02, 0.98) * WIDTH, HEIGHT * (0.52 + 0.5 * near)])
        body = Body(random, foot, tall)
        self._put(body.pieces, body.cloths, is_person=True)

    def add_thing(self, near: float) -> None:
        random = self._random
        tall = (0.15 + 0.55 * near) * HEIGHT * random.uniform(0.5, 1.2)
        foot = np.array([random.uniform(0, 1) * WIDTH, HEIGHT * (0.52 + 0.5 * near)])
        pieces, cloths = a_thing(random, foot, tall)
        self._put(pieces, cloths, is_person=False)

    def _put(self, pieces: list[Piece], cloths: list[Pixels], *, is_person: bool) -> None:
        alpha = np.max([_filled(piece.outline) for piece in pieces], axis=0)
        covered = alpha > 0.5
        if not self._leaves_enough(covered) or (is_person and covered.sum() < 400):
            return
        self._shadow(pieces)
        for piece in pieces:
            self._paint(_filled(piece.outline), cloths[piece.cloth])
        self.masks = [mask & ~covered for mask in self.masks]
        if is_person:
            self.masks.append(covered)
            self._whole.append(int(covered.sum()))

    def _leaves_enough(self, covered: NDArray[np.bool_]) -> bool:
        return all(
            np.count_nonzero(mask & ~covered) >= _LEAST_SEEN * whole
            for mask, whole in zip(self.masks, self._whole, strict=True)
        )

    def _shadow(self, pieces: list[Piece]) -> None:
        every = np.concatenate([piece.outline for piece in pieces])
        (left, top), (right, bottom) = every.min(axis=0), every.max(axis=0)
        shade = np.zeros((HEIGHT, WIDTH), np.float32)
        wide = (right - left) * self._random.uniform(0.4, 0.9)
        centre = ((left + right) / 2 + self._light[0] * -wide, bottom)
        axes = (max(1, int(wide)), max(1, int((bottom - top) * 0.04)))
        cv2.ellipse(shade, (int(centre[0]), int(centre[1])), axes, 0, 0, 360, 1.0, -1)
        shade = _blurred(shade, max(1.0, (bottom - top) * 0.02))
        self.pixels *= 1 - self._random.uniform(0.1, 0.5) * shade[..., None]

    def _paint(self, alpha: Pixels, cloth: Pixels) -> None:
        """Lay cloth over the picture, lit as if it were round."""
        reach = max(1.0, 0.15 * math.sqrt(float(alpha.sum())))
        round_ = _blurred(alpha, reach)
        across, down = np.gradient(round_, axis=1), np.gradient(round_, axis=0)
        lit = 1 - reach * 2 * (self._light[0] * across + self._light[1] * down)
        lit *= 0.85 + 0.15 * np.clip(round_ * 1.4, 0, 1)
        shaded = cloth * lit[..., None]
        self.pixels += alpha[..., None] * (shaded.astype(np.float32) - self.pixels)


def _background(random: np.random.Generator, backgrounds: Sequence[NDArray[np.uint8]]) -> Pixels:
    if len(backgrounds):
        return _cut(random, backgrounds[int(random.integers(len(backgrounds)))])
    rows = np.linspace(0, 1, HEIGHT)[:, None, None]
    sky = a_colour(random) * (1 - rows) + a_colour(random) * rows
    picture = np.broadcast_to(sky, (HEIGHT, WIDTH, 3)).astype(np.float32).copy()
    horizon = int(HEIGHT * random.uniform(0.35, 0.65))
    for _ in range(int(random.integers(1, 6))):
        _house(random, picture, horizon)
    ground = stuff(random, HEIGHT)[: HEIGHT - horizon]
    lines = np.linspace(0.7, 1.1, HEIGHT - horizon)[:, None, None]
    picture[horizon:] = ground * lines
    for _ in range(int(random.integers(3, 16))):
        _patch(random, picture)
    picture *= 0.85 + 0.3 * clouds(random, (HEIGHT, WIDTH))[..., None]
    return picture


def _cut(random: np.random.Generator, photograph: NDArray[np.uint8]) -> Pixels:
    """Cut a window from a photograph, turn it over, and change its colours a little."""
    height, width = photograph.shape[:2]
    largest = min(height / HEIGHT, width / WIDTH)
    scale = largest * random.uniform(0.5, 1.0)
    rows, columns = int(HEIGHT * scale), int(WIDTH * scale)
    top = int(random.integers(height - rows + 1))
    left = int(random.integers(width - columns + 1))
    window = photograph[top : top + rows, left : left + columns, :3]
    if random.random() < 0.5:
        window = window[:, ::-1]
    sized = cv2.resize(np.ascontiguousarray(window), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return sized.astype(np.float32) * random.uniform(0.7, 1.2, 3).astype(np.float32)


def _house(random: np.random.Generator, picture: Pixels, horizon: int) -> None:
    left, wide = int(random.integers(-50, WIDTH)), int(random.integers(60, 300))
    top = int(random.integers(-40, max(1, horizon - 20)))
    cloth = stuff(random, 60)
    cv2.rectangle(picture, (left, top), (left + wide, horizon), cloth[0, 0].tolist(), -1)
    x0, y0 = max(0, left), max(0, top)
    part = picture[y0:horizon, x0 : max(0, left + wide)]
    part[:] = 0.5 * part + 0.5 * cloth[: part.shape[0], : part.shape[1]]
    step, pane = int(random.integers(18, 50)), random.uniform(0.3, 0.7)
    glass = a_colour(random).tolist()
    for x in range(left + step // 3, left + wide - step // 2, step):
        for y in range(top + step // 3, horizon - step // 2, int(step * 1.3)):
            corner = (int(x + step * pane), int(y + step * pane * 1.4))
            cv2.rectangle(picture, (x, y), corner, glass, -1)


def _patch(random: np.random.Generator, picture: Pixels) -> None:
    """Something far away that is not told apart."""
    at = np.array([random.uniform(0, WIDTH), random.uniform(0, HEIGHT)])
    size = random.uniform(5, 60)
    turned = random.uniform(0, math.pi)
    if random.random() < 0.5:
        outline = ellipse(at, size, size * random.uniform(0.2, 1.0), turned)
    else:
        way = np.array([math.cos(turned), math.sin(turned)]) * size
        outline = capsule(at - way, at + way, size * 0.2, size * 0.15)
    alpha = _filled(outline)[..., None] * random.uniform(0.4, 1.0)
    picture += alpha * (stuff(random, size * 3) - picture)


def _photographed(random: np.random.Generator, picture: Pixels) -> NDArray[np.uint8]:
    """What a camera makes of it: light, colour, blur, noise and compression."""
    lit = np.clip(picture / 255, 0, 1.3) ** random.uniform(0.8, 1.3)
    lit = lit * random.uniform(0.75, 1.1) * random.uniform(0.92, 1.08, 3)
    soft = _blurred(lit.astype(np.float32), float(random.uniform(0.3, 1.0)))
    noisy = soft + random.normal(0, random.uniform(0.005, 0.03), soft.shape)
    pixels = (np.clip(noisy, 0, 1) * 255).astype(np.uint8)
    quality = int(random.integers(60, 95))
    _, packed = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def _filled(outline: Point) -> Pixels:
    """Return the share of each pixel that an outline covers, (height, width)."""
    scaled = np.round(outline * 2**_SUBPIXELS).astype(np.int32)
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(alpha, [scaled], 255, cv2.LINE_AA, _SUBPIXELS)
    return np.asarray(alpha / 255, np.float32)


def _blurred(picture: Pixels, sigma: float) -> Pixels:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)


def read_backgrounds(folder: Path) -> list[NDArray[np.uint8]]:
    """Read the photographs of a folder, RGB, those that are large enough."""
    found = []
    for path in sorted(folder.iterdir()):
        read = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if read is not None and read.shape[0] >= HEIGHT // 2 and read.shape[1] >= WIDTH // 2:
            found.append(np.asarray(cv2.cvtColor(read, cv2.COLOR_BGR2RGB), np.uint8))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backgrounds", type=Path)
    given = parser.parse_args()
    backgrounds = read_backgrounds(given.backgrounds) if given.backgrounds else ()
    print(write(given.folder, given.images, given.seed, backgrounds))


if __name__ == "__main__":
    main()
