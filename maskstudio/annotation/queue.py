"""In which order images are best labelled: what would teach the model most comes first.

Two things count: how much the model doubts on an image, and how far the image lies from all that
is labelled or comes before it. Doubt alone would take the same hard case again and again, distance
alone every odd picture. Distances are those of k-center (Sener and Savarese, ICLR 2018): each image
chosen covers what lies near it. Of images that look alike one stands for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maskstudio.annotation.image_doubt import ImageDoubt
from maskstudio.later import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# So many are chosen one after the other; nobody comes to the rest before it is ordered anew.
_CHOSEN = 1000
# Of what is labelled already so many stand for all.
_MOST_CENTRES = 500
# An image the model does not doubt at all still teaches a little; and of two right beside each
# other the second teaches a third, or every odd picture would come before all that is doubtful.
_UNDOUBTED, _BESIDE = 0.1, 0.3
# Of two vectors of length 1 that have nothing in common, and of two that are the same but for how
# they are kept.
_FAR, _NO_DISTANCE = 2.0, 1e-6
# From this share of the farthest distance on an image is said to be unlike the others.
_UNLIKE = 0.6


@dataclass(frozen=True, eq=False)
class Candidate:
    """An image that may be labelled next.

    Attributes:
        image_id: the image.
        doubt: what the model doubts on it.
        gist: (channels,) float32 of length 1, what it looks like to the model; None where that is
            not known.
    """

    image_id: int
    doubt: ImageDoubt
    gist: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Place:
    """Where an image stands in the queue, and why.

    Attributes:
        number: from 0.
        doubt: what the model doubts on it.
        distance: how far it lies from what is labelled or comes before it: 0 (the same) to 1 (the
            farthest of all); None where that is not known.
        like: an image that looks like it, and is labelled or comes before it.
    """

    number: int
    doubt: ImageDoubt
    distance: float | None = None
    like: int | None = None


def arranged(
    candidates: Sequence[Candidate],
    labelled: Mapping[int, NDArray[np.float32] | None],
    alike: Iterable[Sequence[int]],
    check: Callable[[], None] = lambda: None,
) -> dict[int, Place]:
    """Put images in the order in which they teach most.

    Args:
        candidates: the images, in the order of their names.
        labelled: image id to the gist of each image that is labelled; None where not known.
        alike: groups of ids of images that look alike.
        check: called again and again, and may raise to end it.

    Returns:
        Image id to its place, the first first.
    """
    like = _stand_ins(candidates, labelled, alike)
    first = [one for one in candidates if one.image_id not in like]
    order = _chosen(first, labelled, check)
    places = {
        first[position].image_id: Place(number, first[position].doubt, distance)
        for number, (position, distance) in enumerate(order)
    }
    # Side by side with its likes: whoever wants one of them may want all.
    rest = [one for one in candidates if one.image_id in like]
    before = len(places)
    rest.sort(key=lambda one: _number(places, like[one.image_id]))
    for number, one in enumerate(rest):
        places[one.image_id] = Place(before + number, one.doubt, like=like[one.image_id])
    return places


def _number(places: Mapping[int, Place], image_id: int) -> int:
    place = places.get(image_id)
    return -1 if place is None else place.number


def why(place: Place, name_of: Callable[[int], str]) -> str:
    """Say why an image stands where it does, in a few words.

    Args:
        place: its place.
        name_of: gives the path of an image.
    """
    if place.like is not None:
        return f"looks like {name_of(place.like)}"
    said = [words for words in _doubts(place.doubt) if words]
    if place.distance is not None and place.distance >= _UNLIKE:
        said.insert(1, "unlike the rest")
    if said:
        return ", ".join(said)
    return "nothing doubtful" if place.doubt.found else "nothing found"


def figures(place: Place) -> str:
    """Give the figures behind the words, a line each."""
    doubt = place.doubt
    lines = [
        f"Place {place.number + 1:,} of what to label next",
        f"Found: {doubt.found:,}",
        f"Score near the threshold: {doubt.near:,}",
        f"Between two categories: {doubt.close:,}",
        f"Blurred, without a clear edge: {doubt.unclear:,}",
    ]
    if doubt.unsteady is not None:
        lines.append(f"Found only one way round (mirrored): {doubt.unsteady:,}")
    lines.append(f"Doubt in all: {doubt.weight:.1f}")
    if place.distance is not None:
        lines.append(f"Unlike what is labelled or comes before: {100 * place.distance:.0f} %")
    return "\n".join(lines)


def _doubts(doubt: ImageDoubt) -> Iterable[str]:
    yield f"{doubt.near:,} doubtful" if doubt.near else ""
    yield f"{doubt.close:,} between categories" if doubt.close else ""
    yield f"{doubt.unclear:,} blurred" if doubt.unclear else ""
    yield f"{doubt.unsteady:,} lost mirrored" if doubt.unsteady else ""


def _stand_ins(
    candidates: Sequence[Candidate],
    labelled: Mapping[int, NDArray[np.float32] | None],
    alike: Iterable[Sequence[int]],
) -> dict[int, int]:
    """Return for each candidate that another image stands for, which."""
    known = {one.image_id: one for one in candidates}
    found: dict[int, int] = {}
    for group in alike:
        there = [image_id for image_id in group if image_id in known]
        done = [image_id for image_id in group if image_id in labelled]
        if not there:
            continue
        stands = done[0] if done else max(there, key=lambda i: known[i].doubt.weight)
        found |= {image_id: stands for image_id in there if image_id != stands}
    return found


def _chosen(
    candidates: Sequence[Candidate],
    labelled: Mapping[int, NDArray[np.float32] | None],
    check: Callable[[], None],
) -> list[tuple[int, float | None]]:
    """Choose one after the other; return positions with their distances, the first first."""
    if not candidates:
        return []
    doubts = np.log1p([one.doubt.weight for one in candidates])
    doubts = np.maximum(doubts / max(float(doubts.max()), 1e-9), _UNDOUBTED)
    known = np.array([one.gist is not None for one in candidates])
    distances = _Distances(candidates, [gist for gist in labelled.values() if gist is not None])
    free = np.ones(len(candidates), np.bool_)
    order: list[tuple[int, float | None]] = []
    for _ in range(min(_CHOSEN, len(candidates))):
        check()
        worth = np.where(free, doubts * (_BESIDE + (1 - _BESIDE) * distances.relative), -1.0)
        best = int(worth.argmax())
        order.append((best, float(distances.relative[best]) if known[best] else None))
        free[best] = False
        distances.cover(best)
    worth = doubts * (_BESIDE + (1 - _BESIDE) * distances.relative)
    left = np.flatnonzero(free)
    left = left[np.argsort(-worth[left], kind="stable")]
    order += [(p, float(distances.relative[p]) if known[p] else None) for p in left.tolist()]
    return order


class _Distances:
    """How far each candidate lies from the nearest image that is labelled or chosen.

    Attributes:
        relative: (n,) 0 to 1, the farthest at the beginning being 1; what is not known of an image
            is taken to be as far as half of the others.
    """

    def __init__(
        self, candidates: Sequence[Candidate], labelled: Sequence[NDArray[np.float32]]
    ) -> None:
        gists = [one.gist for one in candidates]
        channels = next((len(gist) for gist in gists if gist is not None), 1)
        nothing = np.zeros(channels, np.float32)
        self._gists = np.array([nothing if gist is None else gist for gist in gists], np.float32)
        self._unknown = np.array([gist is None for gist in gists])
        centres = [gist for gist in labelled if len(gist) == channels]
        some = centres[:: max(1, -(-len(centres) // _MOST_CENTRES))]
        self._nearest = np.full(len(gists), _FAR, np.float32)
        for centre in some:
            self._nearest = np.minimum(self._nearest, 1 - self._gists @ centre)
        # While nothing is labelled one is as far as another.
        self.relative = np.ones(len(gists), np.float32)
        self._farthest = self._usual = 0.0
        if some:
            self._renew()

    def cover(self, position: int) -> None:
        """Take a candidate as chosen."""
        if not self._unknown[position]:
            away = 1 - self._gists @ self._gists[position]
            self._nearest = np.minimum(self._nearest, away)
            self._renew()

    def _renew(self) -> None:
        if not self._farthest:
            known = self._nearest[~self._unknown]
            self._farthest = max(float(known.max(initial=0)), _NO_DISTANCE)
            self._usual = float(np.median(known)) if len(known) else self._farthest
        nearest = np.where(self._unknown, self._usual, self._nearest)
        self.relative = np.clip(nearest / self._farthest, 0, 1)
