"""Curves of the effort that models leave, drawn as SVG; no library for charts is needed."""

from collections.abc import Mapping, Sequence
from itertools import chain

Curve = list[tuple[int, float]]
"""Images that were labelled, to gestures for each object."""

_WIDTH, _HEIGHT = 640, 400
_LEFT, _TOP, _RIGHT, _BOTTOM = 60, 30, 20, 50
_COLOURS = ("#1f5fd0", "#b06000")
_STEPS = 5


def effort_svg(means: Mapping[str, Curve], each: Mapping[str, Sequence[Curve]]) -> str:
    """Return a chart: a thick line for each mean, thin ones for what it is the mean of.

    Args:
        means: name of an order to its mean curve.
        each: name of an order to the curves of its seeds.
    """
    every = list(chain(*means.values(), *chain(*each.values())))
    most_images, most = max(x for x, _ in every), 1.05 * max(y for _, y in every)

    def at(images: float, gestures: float) -> tuple[float, float]:
        x = _LEFT + images / most_images * (_WIDTH - _LEFT - _RIGHT)
        return x, _TOP + (1 - gestures / most) * (_HEIGHT - _TOP - _BOTTOM)

    def line(curve: Curve, style: str) -> str:
        points = " ".join("{:.1f},{:.1f}".format(*at(*point)) for point in curve)
        return f'<polyline fill="none" {style} points="{points}"/>'

    drawn = [_words(_LEFT, _TOP - 12, "gestures for each object", "start")]
    for step in range(_STEPS + 1):
        x, y = at(most_images * step / _STEPS, most * step / _STEPS)
        drawn += [
            f'<path stroke="#ccc" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>',
            _words(_LEFT - 8, y + 4, f"{most * step / _STEPS:.1f}", "end"),
            _words(x, _HEIGHT - _BOTTOM + 20, f"{most_images * step / _STEPS:.0f}", "middle"),
        ]
    drawn.append(_words(_WIDTH - _RIGHT, _HEIGHT - 10, "labelled images", "end"))
    for number, (name, mean) in enumerate(means.items()):
        colour = _COLOURS[number]
        drawn += [line(one, f'stroke="{colour}" opacity="0.35"') for one in each[name]]
        drawn.append(line(mean, f'stroke="{colour}" stroke-width="3"'))
        place = _WIDTH - _RIGHT - 8, _TOP + 18 + 20 * number
        drawn.append(_words(*place, name, "end", colour))
    drawing = "\n".join(drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}">\n'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>\n{drawing}\n</svg>\n'
    )


def _words(x: float, y: float, text: str, anchor: str, colour: str = "#333") -> str:
    font = 'font-family="sans-serif" font-size="13"'
    where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {where} {font} fill="{colour}">{text}</text>'
