"""Which part of the image is seen, and how large: between image pixels and screen points."""

from dataclasses import dataclass

MIN_SCALE, MAX_SCALE = 0.01, 64.0
"""Screen points for one image pixel, at least and at most."""

_ONE_SIZE = 1e-9  # as far apart may rounding bring two magnifications that are meant to be the same
_ONE_PLACE = 1e-3  # likewise two places, in device pixels
# Room left around an image that is fitted into the window, as a share of the window.
_MARGIN = 0.02


@dataclass(frozen=True)
class Viewport:
    """Where the image stands on the screen.

    Attributes:
        scale: screen points for one image pixel.
        left: screen x of the image's left edge.
        top: screen y of the image's top edge.
    """

    scale: float = 1.0
    left: float = 0.0
    top: float = 0.0

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        """Return the image point (pixel edges) under a screen point."""
        return (x - self.left) / self.scale, (y - self.top) / self.scale

    def to_screen(self, x: float, y: float) -> tuple[float, float]:
        """Return the screen point of an image point."""
        return x * self.scale + self.left, y * self.scale + self.top

    def moved(self, dx: float, dy: float) -> "Viewport":
        """Return the view with the image moved by screen points."""
        return Viewport(self.scale, self.left + dx, self.top + dy)

    def zoomed(self, factor: float, x: float, y: float) -> "Viewport":
        """Return the view made larger by a factor, the image point under (x, y) staying there."""
        scale = min(MAX_SCALE, max(MIN_SCALE, self.scale * factor))
        ratio = scale / self.scale
        return Viewport(scale, x - (x - self.left) * ratio, y - (y - self.top) * ratio)

    def aligned(self, ratio: float) -> "Viewport":
        """Return the view with the image's pixels on those of the screen, if both are one size.

        Args:
            ratio: device pixels for one screen point.
        """
        if abs(self.scale * ratio - 1) > _ONE_SIZE:
            return self
        left, top = round(self.left * ratio), round(self.top * ratio)
        return Viewport(1 / ratio, left / ratio, top / ratio)

    def steps_from(self, other: "Viewport", ratio: float) -> tuple[int, int] | None:
        """Return by how many device pixels this view is moved against another one.

        Args:
            other: the other one.
            ratio: device pixels for one screen point.

        Returns:
            (to the right, down); None where it is of another magnification, or moved by parts of
            pixels.
        """
        if self.scale != other.scale:
            return None
        dx, dy = (self.left - other.left) * ratio, (self.top - other.top) * ratio
        steps = round(dx), round(dy)
        whole = abs(dx - steps[0]) < _ONE_PLACE and abs(dy - steps[1]) < _ONE_PLACE
        return steps if whole else None

    def kept_in_sight(self, image: tuple[int, int], window: tuple[float, float]) -> "Viewport":
        """Return the view moved so that at least a part of the image stays in the window.

        Args:
            image: (height, width) in pixels.
            window: (width, height) in screen points.
        """
        keep = 40.0
        width, height = image[1] * self.scale, image[0] * self.scale
        left = min(max(self.left, keep - width), window[0] - keep)
        top = min(max(self.top, keep - height), window[1] - keep)
        return Viewport(self.scale, left, top)


def fitted(box: tuple[float, float, float, float], window: tuple[float, float]) -> Viewport:
    """Return the view in which a part of the image fills the window.

    Args:
        box: the part, xyxy.
        window: (width, height) in screen points.
    """
    x0, y0, x1, y1 = box
    room = 1 - 2 * _MARGIN
    width, height = max(x1 - x0, 1e-3), max(y1 - y0, 1e-3)
    scale = min(window[0] * room / width, window[1] * room / height)
    scale = min(MAX_SCALE, max(MIN_SCALE, scale))
    return Viewport(
        scale,
        window[0] / 2 - (x0 + x1) / 2 * scale,
        window[1] / 2 - (y0 + y1) / 2 * scale,
    )
