"""Outlines to draw and ways to put them on the current image."""

from maskstudio.annotation.segmentation import Part, Segmentation, as_ring
from maskstudio.session import operations
from maskstudio.session.session import Session

SQUARE = Segmentation.from_rings([(20, 20), (60, 20), (60, 60), (20, 60)])
HOLED = Segmentation(
    (
        Part(
            as_ring([(20, 20), (60, 20), (60, 60), (20, 60)]),
            (as_ring([(30, 30), (50, 30), (50, 50), (30, 50)]),),
        ),
    )
)


def put(session: Session, *segmentations: Segmentation) -> list[int]:
    """Draw on the current image, the last in front; nothing is selected afterwards."""
    ids: list[int] = []
    for segmentation in segmentations:
        if not operations.draw(session, segmentation, None):
            raise AssertionError("it could not be drawn")
        ids += session.selection
    session.select(())
    return ids


def corners(segmentation: Segmentation | None, part: int = 0, ring: int = 0) -> list[list[float]]:
    """Return the vertices of a ring as plain lists."""
    if segmentation is None:
        raise AssertionError("there is no outline")
    vertices: list[list[float]] = segmentation.ring(part, ring).tolist()
    return vertices
