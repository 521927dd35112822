"""The images that can be shown: opened on lane FILES, ahead of need, within a budget of bytes."""

from collections import OrderedDict
from collections.abc import Iterable
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from maskstudio.progress import TaskContext
from maskstudio.session.shown_image import ShownImage
from maskstudio.session.tasks import Callbacks, Job, LaneName, Priority, Tasks
from maskstudio.storage.settings import cache_dir

if TYPE_CHECKING:
    # They bring the libraries that read images, which an empty window does without.
    from maskstudio.session.image_opening import Opener, Preview, Tiles
    from maskstudio.session.tiled_image import TiledImage
    from maskstudio.storage.pyramids import Pyramids

BUDGET_BYTES = 512 * 1024 * 1024
"""Memory for images, unless told otherwise; the current one is kept in any case."""

LARGE_PIXELS = 64_000_000
"""An image of more pixels is shown from tiles; held whole this many take 340 MB."""


class ImageLoader(QObject):
    """Opens images and keeps the ones used last.

    Signals:
        loaded: (image id) an image is there.
        renewed: (image id) there is more of an image than before.
        failed: (image id, sentence) an image cannot be read.
    """

    loaded = Signal(int)
    renewed = Signal(int)
    failed = Signal(int, str)

    def __init__(
        self,
        tasks: Tasks,
        parent: QObject | None = None,
        budget_bytes: int = BUDGET_BYTES,
        pyramids: "Pyramids | None" = None,
        large_pixels: int = LARGE_PIXELS,
    ) -> None:
        """Open nothing yet.

        Args:
            tasks: the lanes.
            parent: for Qt.
            budget_bytes: memory for all images together.
            pyramids: where the tiles of large images are kept; the person's own by default.
            large_pixels: an image of more is shown from tiles; a deep grey one of twice as many.
        """
        super().__init__(parent)
        self._tasks = tasks
        self._budget_bytes = budget_bytes
        self._pyramids = pyramids
        self._large_pixels = large_pixels
        # The ones to let go of first come first.
        self._images: OrderedDict[int, ShownImage] = OrderedDict()
        self._wanted: dict[int, Path] = {}
        self._jobs: dict[int, Job] = {}
        # Large images whose tiles have been made again because the old ones were of no use.
        self._made_again: set[int] = set()

    def get(self, image_id: int) -> ShownImage | None:
        """Return an image if it is there already."""
        image = self._images.get(image_id)
        if image is not None:
            self._images.move_to_end(image_id)
        return image

    def request(
        self,
        image_id: int,
        path: Path,
        ahead: Iterable[tuple[int, Path]] = (),
        *,
        hurried: bool = False,
    ) -> None:
        """Open an image now and others after it; what was asked for before is dropped.

        Args:
            image_id: the image wanted.
            path: its file.
            ahead: images that will be wanted next.
            hurried: leave out of those what takes long: it cannot be stopped once it has begun,
                and the next step would have to wait for it.
        """
        self._wanted = {image_id: path, **dict(ahead)}
        for other in self._jobs.keys() - self._wanted.keys():
            self._jobs.pop(other).cancel()
        for other, image in list(self._images.items()):
            tiled = _as_tiled(image)
            if tiled is not None and other != image_id:
                tiled.rest()
                if other not in self._jobs and not tiled.complete:
                    self._drop(other)
        self._made_again.clear()
        for one in self._wanted:
            if one not in self._images and one not in self._jobs:
                self._start(one, hurried=hurried)

    def share_done(self, image_id: int) -> float:
        """Return how much of the preparation of a large image is done, 0 to 1."""
        job = self._jobs.get(image_id)
        return job.progress.done / job.progress.total if job and job.progress.total else 0.0

    def clear(self) -> None:
        """Forget everything."""
        for job in self._jobs.values():
            job.cancel()
        self._jobs.clear()
        for image_id in list(self._images):
            self._drop(image_id)
        self._wanted = {}

    def _start(self, image_id: int, *, hurried: bool = False) -> None:
        path, opener = self._wanted[image_id], self._opener

        def work(context: TaskContext) -> "ShownImage | Tiles | None":
            return opener.open(path, context, lambda: self._is_shown(image_id), hurried=hurried)

        def previewed(preview: "Preview") -> None:
            if self._jobs.get(image_id) is job and image_id not in self._images:
                image = self._tiled(image_id, preview.size)
                image.set_preview(preview.pixels)
                self._keep(image_id, image)
                self.loaded.emit(image_id)

        def done(found: "ShownImage | Tiles | None") -> None:
            if self._jobs.get(image_id) is job:
                del self._jobs[image_id]
                self._on_opened(image_id, found)

        def failed(sentence: str) -> None:
            if self._jobs.get(image_id) is job:
                del self._jobs[image_id]
                self._drop(image_id)
                self.failed.emit(image_id, sentence)

        priority = Priority.NOW if self._is_shown(image_id) else Priority.SOON
        callbacks = Callbacks(done, failed, item=previewed)
        job = self._tasks.submit(LaneName.FILES, work, callbacks, priority)
        self._jobs[image_id] = job

    @cached_property
    def _opener(self) -> "Opener":
        from maskstudio.session.image_opening import Opener
        from maskstudio.storage.pyramids import Pyramids

        pyramids = self._pyramids or Pyramids(cache_dir() / "pyramids")
        return Opener(pyramids, self._large_pixels)

    def _on_opened(self, image_id: int, found: "ShownImage | Tiles | None") -> None:
        from maskstudio.session.image_opening import Tiles

        shown = _as_tiled(self._images.get(image_id))
        if found is None:
            if self._is_shown(image_id):  # since a moment ago
                self._start(image_id)
        elif not isinstance(found, Tiles):
            self._drop(image_id)
            self._keep(image_id, found)
            (self.loaded if shown is None else self.renewed).emit(image_id)
        elif shown is not None and not shown.complete:
            shown.set_pyramid(found.pyramid, found.small)
            self.renewed.emit(image_id)
        else:
            image = self._tiled(image_id, found.pyramid.size)
            image.set_pyramid(found.pyramid, found.small)
            self._keep(image_id, image)
            self.loaded.emit(image_id)

    def _is_shown(self, image_id: int) -> bool:
        """Tell whether an image is the one wanted now; may be asked from any thread."""
        return next(iter(self._wanted), None) == image_id

    def _tiled(self, image_id: int, size: tuple[int, int]) -> "TiledImage":
        from maskstudio.session.tiled_image import TiledImage

        return TiledImage(
            self._tasks,
            size,
            partial(self._on_news, image_id),
            partial(self._on_stale, image_id),
        )

    def _on_news(self, image_id: int) -> None:
        self._let_go()
        self.renewed.emit(image_id)

    def _on_stale(self, image_id: int, sentence: str) -> None:
        """Open a large image again whose tiles cannot be read, once."""
        if image_id in self._made_again or image_id not in self._wanted:
            self.failed.emit(image_id, sentence)
            return
        self._made_again.add(image_id)
        self._drop(image_id)
        self._start(image_id)

    def _keep(self, image_id: int, image: ShownImage) -> None:
        self._images[image_id] = image
        # What is wanted most goes last, so that an image decoded ahead never drives it out.
        for one in reversed(self._wanted):
            if one in self._images:
                self._images.move_to_end(one)
        self._let_go()

    def _let_go(self) -> None:
        held = sum(i.bytes for i in self._images.values())
        while len(self._images) > 1 and held > self._budget_bytes:
            oldest = next(iter(self._images))
            held -= self._images[oldest].bytes
            self._drop(oldest)

    def _drop(self, image_id: int) -> None:
        tiled = _as_tiled(self._images.pop(image_id, None))
        if tiled is not None:
            tiled.close()


def _as_tiled(image: ShownImage | None) -> "TiledImage | None":
    from maskstudio.session.tiled_image import TiledImage

    return image if isinstance(image, TiledImage) else None
