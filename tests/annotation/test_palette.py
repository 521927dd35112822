"""The palette holds up for the colour-blind: what follows one another is told apart.

Colours are put through the eye's defect in linear light (Machado, Oliveira and Fernandes, "A
physiologically-based model for simulation of color vision deficiency", IEEE TVCG 15(6), 2009, table
of matrices for severity 1.0, https://www.inf.ufrgs.br/~oliveira/pubs_files/CVD_Simulation/) and
compared in CIE L*a*b* (D65) by the CIE 1976 distance, in which 2.3 is just noticeable.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from maskstudio.annotation.annotation import PALETTE, Category

# Measured: 27.1 (deuteranopia, #44aa99 and #882255); in the order before this one it was 16.1.
PROMISED = 25.0
EYES = {
    "normal": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def linear(colours: tuple[str, ...]) -> NDArray[np.float64]:
    """Return (n, 3) linear light, 0 to 1, of sRGB colours (IEC 61966-2-1)."""
    values = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in colours])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (n, 3) L*a*b* of linear light (CIE 15:2004, white D65)."""
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    xyz = light @ to_xyz.T / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


def seen(colours: tuple[str, ...], eye: str) -> NDArray[np.float64]:
    """Return the colours as an eye sees them, (n, 3) L*a*b*."""
    return lab(np.clip(linear(colours) @ np.array(EYES[eye]).T, 0, 1))


@pytest.mark.parametrize("eye", EYES)
def test_colours_that_follow_one_another_are_told_apart(eye: str) -> None:
    colours = seen(PALETTE, eye)
    apart = np.linalg.norm(colours - np.roll(colours, -1, axis=0), axis=1)
    assert apart.min() >= PROMISED


@pytest.mark.parametrize("eye", EYES)
def test_all_colours_differ_to_every_eye(eye: str) -> None:
    colours = seen(PALETTE, eye)
    apart = np.linalg.norm(colours[:, None] - colours[None], axis=2)
    assert apart[~np.eye(len(PALETTE), dtype=bool)].min() >= 4.0


def test_the_eyes_are_simulated_as_published() -> None:
    """A red and a green of equal lightness to the deuteranope are far apart to the normal eye."""
    pair = ("#c94a4a", "#808040")
    normal, deutan = (seen(pair, eye) for eye in ("normal", "deuteranopia"))
    assert np.linalg.norm(normal[0] - normal[1]) > 2 * np.linalg.norm(deutan[0] - deutan[1])
    for matrix in EYES.values():
        assert np.allclose(np.sum(matrix, axis=1), 1, atol=1e-5)


def test_new_categories_take_the_palette_in_turn() -> None:
    shown = [Category(i, str(i)).shown_colour for i in range(1, len(PALETTE) + 2)]
    assert shown == [*PALETTE, PALETTE[0]]
