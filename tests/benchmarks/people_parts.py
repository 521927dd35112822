"""What made-up pictures are made of: bodies, things that stand about, stuffs and outlines."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]
Point = NDArray[np.float64]

HEIGHT, WIDTH = 400, 540
"""Of a picture, in pixels."""

_SKINS = ((244, 208, 177), (224, 172, 132), (198, 134, 92), (141, 85, 54), (92, 58, 40))
_HAIRS = ((30, 24, 20), (70, 45, 28), (130, 90, 50), (190, 160, 105), (150, 150, 150))


@dataclass(frozen=True)
class Piece:
    """A part of a body or a thing: where it is, and what it is made of."""

    outline: Point
    cloth: int


class Body:
    """A person, its parts from the back to the front."""

    def __init__(self, random: np.random.Generator, foot: Point, tall: float) -> None:
        self._random, self._tall = random, tall
        self._stout = random.uniform(0.85, 1.25)
        self._lean = random.normal(0, 0.07)
        self._up = np.array([math.sin(self._lean), -math.cos(self._lean)])
        self._side = np.array([-self._up[1], self._up[0]])
        self._squat = random.uniform(0.6, 0.85) if random.random() < 0.15 else 1.0
        self._stride = random.uniform(0.0, 0.5) if random.random() < 0.7 else 0.05
        self._bare_arms, self._bare_legs = random.random() < 0.35, random.random() < 0.2
        self._hip = foot + self._up * tall * 0.5 * self._squat
        self._neck = self._hip + self._up * tall * 0.33
        wide = tall * random.uniform(0.45, 1.0) * self._stout
        self._shoulder, self._pelvis = 0.11 * wide, 0.075 * wide
        shirt, trousers, shoes = (stuff(random, tall) for _ in range(3))
        self.cloths = [_plain(random, _SKINS), _plain(random, _HAIRS), shirt, trousers, shoes]
        self.pieces: list[Piece] = []
        front = int(random.choice([-1, 1]))
        self._arm(-front)
        self._leg(-front)
        self._leg(front)
        self._torso()
        self._head()
        self._arm(front)

    def _limb(self, start: Point, end: Point, first: float, last: float, cloth: int) -> None:
        outline = capsule(start, end, first * self._tall, last * self._tall)
        self.pieces.append(Piece(outline, cloth))

    def _leg(self, which: int) -> None:
        random, tall = self._random, self._tall
        start = self._hip + self._side * self._pelvis * 0.6 * which
        swing = which * self._stride * random.uniform(0.5, 1.0) + random.normal(0, 0.05)
        bent = swing * random.uniform(-0.6, 0.9)
        knee = start + _turned(-self._up, swing) * tall * 0.25 * (0.6 + 0.4 * self._squat)
        ankle = knee + _turned(-self._up, bent) * tall * 0.235 * self._squat
        toe = ankle + np.array([random.choice([-1, 1]) * 0.05, 0.02]) * tall
        self._limb(start, knee, 0.052 * self._stout, 0.04, 3)
        self._limb(knee, ankle, 0.038, 0.026, 0 if self._bare_legs else 3)
        self._limb(ankle, toe, 0.025, 0.018, 4)

    def _arm(self, which: int) -> None:
        random, tall = self._random, self._tall
        start = self._neck + self._side * self._shoulder * which - self._up * 0.02 * tall
        raised = random.uniform(1.5, 2.8) if random.random() < 0.12 else random.normal(0.15, 0.25)
        bent = raised + random.uniform(-1.6, 0.4) * random.random()
        elbow = start + _turned(-self._up, which * raised) * tall * 0.17
        wrist = elbow + _turned(-self._up, which * bent) * tall * 0.15
        self._limb(start, elbow, 0.034 * self._stout, 0.027, 2)
        self._limb(elbow, wrist, 0.026, 0.019, 0 if self._bare_arms else 2)
        self._limb(wrist, wrist + (wrist - elbow) * 0.2, 0.02, 0.015, 0)

    def _torso(self) -> None:
        up, side, tall, neck = self._up, self._side, self._tall, self._neck
        coat = self._random.random() < 0.3
        low = self._hip - up * tall * (self._random.uniform(0.1, 0.25) if coat else 0.03)
        waist = (self._hip + neck) / 2
        self._limb(neck - up * 0.02 * tall, neck + up * 0.06 * tall, 0.024, 0.022, 0)
        half = [
            (neck + up * 0.01 * tall, self._shoulder * 0.5),
            (neck - up * 0.03 * tall, self._shoulder),
            (waist, self._pelvis * 0.95),
            (low, self._pelvis * (1.25 if coat else 1.0)),
        ]
        right = [at + side * wide for at, wide in half]
        left = [at - side * wide for at, wide in reversed(half)]
        self.pieces.append(Piece(_smooth(np.array(right + left)), 2))

    def _head(self) -> None:
        random, tall, up = self._random, self._tall, self._up
        head = self._neck + up * 0.105 * tall + self._side * random.normal(0, 0.01) * tall
        hair = ellipse(head + up * 0.012 * tall, 0.052 * tall, 0.068 * tall, self._lean)
        self.pieces.append(Piece(hair, 1))
        if random.random() < 0.75:  # Else it is seen from behind.
            face = head - up * 0.01 * tall + self._side * random.uniform(-0.02, 0.02) * tall
            outline = ellipse(face, 0.043 * tall, 0.056 * tall, self._lean)
            self.pieces.append(Piece(outline, 0))


def a_thing(
    random: np.random.Generator, foot: Point, tall: float
) -> tuple[list[Piece], list[Pixels]]:
    """Return something that stands about and may be taken for a part of a person."""
    up, side = np.array([0.0, -1.0]), np.array([1.0, 0.0])
    cloths = [stuff(random, tall), stuff(random, tall), _plain(random, _SKINS)]
    kind = random.choice(["post", "bin", "bush", "board", "coat", "sticks"])
    if kind == "post":
        return [Piece(capsule(foot, foot + up * tall * 1.3, *([0.02 * tall + 2] * 2)), 0)], cloths
    if kind == "bin":
        wide = tall * random.uniform(0.15, 0.3)
        body = [foot - side * wide * 0.8, foot + side * wide * 0.8]
        body += [foot + up * tall * 0.6 + side * wide, foot + up * tall * 0.6 - side * wide]
        lid = ellipse(foot + up * tall * 0.6, wide * 1.05, wide * 0.3, 0)
        return [Piece(np.array(body), 0), Piece(lid, 1)], cloths
    if kind == "board":
        wide, low = tall * random.uniform(0.2, 0.5), foot + up * tall * 0.4
        board = [low - side * wide, low + side * wide]
        board += [low + up * tall * 0.5 + side * wide, low + up * tall * 0.5 - side * wide]
        post = capsule(foot, low, 3, 3)
        return [Piece(post, 1), Piece(np.array(board), 0)], cloths
    if kind == "coat":  # Clothes without anybody in them.
        top = foot + up * tall
        body = [top - side * 0.02 * tall, top + side * 0.02 * tall]
        body += [
            top - up * 0.08 * tall + side * 0.13 * tall,
            foot + up * 0.25 * tall + side * 0.1 * tall,
        ]
        body += [
            foot + up * 0.25 * tall - side * 0.1 * tall,
            top - up * 0.08 * tall - side * 0.13 * tall,
        ]
        return [Piece(capsule(foot, top, 3, 2), 1), Piece(_smooth(np.array(body)), 0)], cloths
    count, pieces = int(random.integers(4, 12)), []
    for number in range(count):
        at = foot + up * random.uniform(0, 0.7) * tall + side * random.normal(0, 0.15) * tall
        if kind == "bush":
            size = random.uniform(0.08, 0.2) * tall
            pieces.append(Piece(ellipse(at, size, size * random.uniform(0.6, 1.2), 0), number % 2))
        else:  # Limbs that belong to nobody.
            way = _turned(up, random.normal(0, 0.8)) * tall * random.uniform(0.15, 0.3)
            wide = random.uniform(0.015, 0.05) * tall
            pieces.append(Piece(capsule(at, at + way, wide, wide * 0.8), number % 3))
    return pieces, cloths


def _plain(random: np.random.Generator, colours: Sequence[tuple[int, int, int]]) -> Pixels:
    colour = np.array(colours[int(random.integers(len(colours)))]) * random.uniform(0.8, 1.1)
    grain = 0.9 + 0.2 * clouds(random, (HEIGHT, WIDTH))
    return (colour * grain[..., None]).astype(np.float32)


def stuff(random: np.random.Generator, size: float) -> Pixels:
    """Return a picture full of one stuff: a colour, perhaps a pattern, and folds."""
    first, second = a_colour(random), a_colour(random)
    pattern = np.zeros((HEIGHT, WIDTH))
    kind = random.choice(["none", "none", "none", "none", "stripes", "checks", "spots"])
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    angle = random.uniform(0, math.pi)
    wave = 2 * math.pi / max(4.0, size * random.uniform(0.02, 0.12))
    along, across = (
        np.sin(wave * (x * math.cos(angle + t) + y * math.sin(angle + t))) for t in (0, math.pi / 2)
    )
    if kind == "stripes":
        pattern = (along > random.uniform(-0.5, 0.5)).astype(np.float64)
    elif kind == "checks":
        pattern = ((along > 0).astype(np.float64) + (across > 0)) / 2
    elif kind == "spots":
        pattern = (clouds(random, (HEIGHT, WIDTH)) > 0.55).astype(np.float64)
    folds = 0.75 + 0.5 * clouds(random, (HEIGHT, WIDTH))
    mixed = first + pattern[..., None] * (second - first) * random.uniform(0.3, 1.0)
    return (mixed * folds[..., None]).astype(np.float32)


def a_colour(random: np.random.Generator) -> Pixels:
    """Return a colour, RGB; in photographs most are nearly grey."""
    vivid = random.choice([8, 20, 20, 60])
    colour = random.uniform(20, 235) + random.normal(0, vivid, 3)
    return np.clip(colour, 5, 250).astype(np.float32)


def clouds(random: np.random.Generator, size: tuple[int, int]) -> Pixels:
    """Return clouds, (height, width), 0 to 1, as rough at every scale."""
    total = np.zeros(size, np.float32)
    for cells, weight in ((4, 0.4), (12, 0.3), (40, 0.2), (120, 0.1)):
        coarse = random.random((cells, cells), dtype=np.float32)
        total += weight * cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(total, 0, 1), np.float32)


def _turned(way: Point, angle: float) -> Point:
    cos, sin = math.cos(angle), math.sin(angle)
    return np.array([way[0] * cos - way[1] * sin, way[0] * sin + way[1] * cos])


def ellipse(at: Point, across: float, down: float, turned: float) -> Point:
    angles = np.linspace(0, 2 * math.pi, 32, endpoint=False)
    points = np.stack([np.cos(angles) * across, np.sin(angles) * down], axis=1)
    return np.asarray(at + np.array([_turned(point, turned) for point in points]), np.float64)


def capsule(start: Point, end: Point, first: float, last: float) -> Point:
    """Return a limb: two half circles, of radius `first` and `last`, and what is between them."""
    angle = math.atan2(end[1] - start[1], end[0] - start[0])
    half = np.linspace(math.pi / 2, 3 * math.pi / 2, 12)
    begin = np.stack([np.cos(half + angle), np.sin(half + angle)], axis=1) * first + start
    finish = np.stack([np.cos(half + angle + math.pi), np.sin(half + angle + math.pi)], axis=1)
    return np.asarray(np.concatenate([begin, finish * last + end]), np.float64)


def _smooth(corners: Point) -> Point:
    """Round corners off, twice, by cutting a quarter off either end of each side (Chaikin)."""
    for _ in range(2):
        following = np.roll(corners, -1, axis=0)
        both = np.stack([0.75 * corners + 0.25 * following, 0.25 * corners + 0.75 * following], 1)
        corners = both.reshape(-1, 2)
    return corners
