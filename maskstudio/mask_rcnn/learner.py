"""Learn while a person labels: all but the backbone, on features kept of verified images.

The backbone sees an image and its mirror image when it is remembered, and never again; a step is
then a few tenths of a second on one core. The feature pyramid learns with the heads where it is
light. Everything learned is float32, whatever the predictor runs in.
"""

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torchvision.models.detection import FasterRCNN

from maskstudio.annotation.annotation import Category
from maskstudio.annotation.detections import Predictor
from maskstudio.annotation.learning import LearnReport, Truth
from maskstudio.errors import UserError
from maskstudio.mask_rcnn.architectures import build
from maskstudio.mask_rcnn.backbones import TimmPyramid
from maskstudio.mask_rcnn.head_losses import ROIS, Known, Page, head_losses
from maskstudio.mask_rcnn.lesson_store import LessonStore
from maskstudio.mask_rcnn.lessons import Lesson, objects_of
from maskstudio.mask_rcnn.model_file import ModelInfo, load_model, save_model
from maskstudio.mask_rcnn.placement import LearnedParts, Placement
from maskstudio.mask_rcnn.teaching_plan import LEARNING_RATE, TeachingPlan
from maskstudio.mask_rcnn.training_start import with_rows
from maskstudio.mask_rcnn.views import VIEWS, views
from maskstudio.progress import TaskContext

_BACKBONE, _BODY = "backbone.", "backbone.body."
# A pyramid of so many channels learns too: one of 256 would make a step several times as long.
_LIGHT = 128
# Under this name `ModelInfo.training` has what `take_up` goes on from.
_LEARNING = "learning"
# What earlier steps found out is kept of so many views: 0.1 to 0.3 MB each.
_MOST_KNOWN = 128
_WEIGHT_DECAY, _CLIP = 1e-2, 5.0
# Of a level so many channels are left out of a step, each time others: from a few images the heads
# would learn by heart what single channels say.
_LEFT_OUT = 0.2
# Of the moving average of the weights: it remembers about fifty steps.
_AVERAGING = 0.98


class Base(Protocol):
    """What the model that it begins with is asked for; `mask_rcnn.predictor` has it."""

    place: Placement

    def refuse_a_line(self, shape: tuple[int, ...]) -> None:
        """Refuse an image of which nothing would be left."""

    def with_parts(self, info: ModelInfo, parts: LearnedParts) -> Predictor:
        """Return a predictor that shares the backbone and has other parts before it."""


class HeadLearner:
    """Teaches all but the backbone of a Mask R-CNN; implements `annotation.detections.Learner`."""

    def __init__(self, base: Base, source: Path, names: Sequence[str], folder: Path) -> None:
        """Begin with what a model knows.

        Args:
            base: the model; it looks at the images.
            source: its file, from which its weights are got as they are, in float32.
            names: of the categories to know; those it lacks are added to its own.
            folder: for lessons.

        Raises:
            UserError: the file or the folder cannot be read.
        """
        info, known = load_model(source)
        weights = known.state_dict()
        self._base = base
        self._device = base.place.device.torch_device
        self._source = source
        backbone = base.place.model.backbone
        # Of one that calculates in short numbers throughout, nothing is seen below the pyramid.
        self._with_pyramid = isinstance(backbone, TimmPyramid) and backbone.out_channels <= _LIGHT
        self._info = replace(
            info,
            architecture=replace(info.architecture, unnamed=0),
            categories=_extended(info.categories, names),
        )
        self._store = LessonStore(folder, self._fingerprint(info, weights))
        self._plan = TeachingPlan()
        self._begin_with(weights, info.categories)
        self._known: OrderedDict[tuple[int, int], Known] = OrderedDict()
        self._waiting: list[tuple[int, int]] = []

    @property
    def categories(self) -> tuple[Category, ...]:
        """See the protocol."""
        return self._info.categories

    @property
    def remembered(self) -> frozenset[int]:
        """See the protocol."""
        return self._store.ids

    @property
    def steps(self) -> int:
        """See the protocol."""
        return self._plan.steps

    @property
    def due(self) -> int:
        """See the protocol."""
        return self._plan.due if self._store.ids else 0

    def remember(
        self,
        image_id: int,
        image: NDArray[np.uint8],
        truth: Sequence[Truth],
        context: TaskContext,
    ) -> None:
        """Look at an image and its mirror image, and keep what that gave; see the protocol.

        Raises:
            CancelledError: it is to stop; nothing is kept of the image.
            UserError: the folder cannot be written, or the image or the device does not allow it.
            ValueError: a category is not one of the learner's.
        """
        unknown = {one.category for one in truth} - {one.name for one in self.categories}
        if unknown:
            raise ValueError(f"the learner does not know {', '.join(sorted(unknown))}")
        objects = objects_of(truth)
        self._base.refuse_a_line(image.shape)
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)

        def look(model: FasterRCNN) -> list[Lesson]:
            shown = pixels.to(self._device)
            return views(model, shown, objects, below_pyramid=self._with_pyramid)

        self._store.put(image_id, self._base.place.run(look, context))
        self._put_aside(image_id)
        self._plan.add(len(self._store.ids))

    def forget(self, image_id: int) -> None:
        """See the protocol."""
        self._store.drop(image_id)
        self._put_aside(image_id)

    def learn(self, seconds: float, context: TaskContext) -> LearnReport:
        """Make steps for a while; see the protocol.

        Raises:
            CancelledError: it is to stop; the steps made count.
            UserError: the device does not allow it.
        """
        if self._device != self._base.place.device.torch_device:
            raise UserError(
                "The GPU failed, and what was being learned with it; load the model again."
            )
        losses: list[float] = []
        clock = _Clock(context)
        while clock.seconds < seconds and self.due:
            clock.give_way()
            opened = self._next_page()
            if opened is not None:
                losses.append(self._step(opened, clock.give_way))
        mean = sum(losses) / len(losses) if losses else math.nan
        return LearnReport(len(losses), mean, len(self._store.ids), clock.seconds, self.due)

    def predictor(self, model_id: str) -> Predictor:
        """See the protocol."""
        model: Any = self._settled.module
        pyramid = model.backbone.fpn if self._with_pyramid else None
        return self._base.with_parts(
            replace(self._info, id=model_id, metrics={}),
            LearnedParts(model.rpn, model.roi_heads, pyramid),
        )

    def save(self, path: Path, name: str) -> None:
        """Write a model of what has been learned until now; see the protocol.

        Raises:
            UserError: the file is there, or cannot be written; or that of its model is gone.
        """
        if path.exists():
            raise UserError(f"{path} is there already; give another name.")
        info, known = load_model(self._source)
        weights = {n: t for n, t in known.state_dict().items() if n.startswith(_BACKBONE)}
        weights |= self._settled.module.state_dict()
        learning = {
            "steps": self._plan.steps,
            "due": self._plan.due,
            "images": len(self._store.ids),
            "from": info.id,
        }
        training = {**self._info.training, _LEARNING: learning}
        save_model(path, replace(self._info, id=name, metrics={}, training=training), weights)

    def take_up(self, path: Path) -> bool:
        """Go on from what `save` wrote; see the protocol."""
        try:
            info, known = load_model(path)
        except UserError:
            return False
        weights = known.state_dict()
        learning: Any = info.training.get(_LEARNING)
        if not isinstance(learning, dict) or not self._store.is_of(
            self._fingerprint(info, weights)
        ):
            return False
        self._begin_with(weights, info.categories)
        self._plan = TeachingPlan(int(learning.get("steps", 0)), int(learning.get("due", 0)))
        return True

    def _step(self, opened: "_Opened", give_way: Callable[[], None]) -> float:
        self._optimizer.zero_grad()
        try:
            loss = self._go_back(opened, give_way)
        except torch.cuda.OutOfMemoryError as error:
            raise UserError("The GPU has too little memory to learn beside its work.") from error
        parameters = [one for group in self._optimizer.param_groups for one in group["params"]]
        nn.utils.clip_grad_norm_(parameters, _CLIP)
        for group in self._optimizer.param_groups:
            group["lr"] = self._plan.rate
        if math.isfinite(loss):
            self._optimizer.step()
            self._settled.update_parameters(self._model)
        self._plan.step()
        return loss

    def _go_back(self, opened: "_Opened", give_way: Callable[[], None]) -> float:
        """Find all gradients, head by head so that more urgent work waits for none but one."""
        loss = 0.0
        for losses in head_losses(self._model, opened.page, give_way):
            total = torch.stack(list(losses.values())).sum()
            total.backward()
            loss += float(total.detach())
            give_way()
        ends = [(opened.levels[n], end.grad) for n, end in opened.page.features.items()]
        learned = [(level, grad) for level, grad in ends if grad is not None]
        if learned:
            levels, gradients = zip(*learned, strict=True)
            torch.autograd.backward(levels, gradients)
            give_way()
        return loss

    def _next_page(self) -> "_Opened | None":
        """Return a view to learn from, each once before the first comes again."""
        if not self._waiting:
            ids = sorted(self._store.ids)
            every = [(image_id, number) for image_id in ids for number in range(VIEWS)]
            self._waiting = [every[n] for n in torch.randperm(len(every)).tolist()]
        image_id, number = self._waiting.pop()
        found = self._store.read(image_id, number)
        if found is None:
            # Somebody has removed or damaged the file, which holds nothing of a person's.
            self.forget(image_id)
            return None
        return self._page(found, self._known_of(image_id, number))

    def _page(self, found: Lesson, known: Known) -> "_Opened":
        device = self._device
        labels = {category.name: n for n, category in enumerate(self.categories, 1)}
        objects = found.objects
        # Of a category that is gone nothing is learned, and not that there is nothing either.
        kept = torch.tensor([name in labels for name in objects.names], dtype=torch.bool)
        boxes = objects.boxes[kept].to(device)
        levels = {name: _thinned(level) for name, level in self._levels(found, boxes).items()}
        page = Page(
            {n: level.detach().requires_grad_(level.requires_grad) for n, level in levels.items()},
            found.scaled,
            found.padded,
            boxes,
            torch.tensor([labels[n] for n in objects.names if n in labels], dtype=torch.int64).to(
                device
            ),
            objects.grids[kept].to(device).float() / 255,
            objects.windows[kept].to(device),
            objects.outlined[kept].to(device),
            torch.cat([objects.crowds, objects.boxes[~kept]]).to(device),
            known,
        )
        return _Opened(page, levels)

    def _levels(self, found: Lesson, boxes: Tensor) -> dict[str, Tensor]:
        """Return the pyramid of a view, (1, C, h, w) by name, with gradients where it learns."""
        seen = {name: t.to(self._device, torch.float32) for name, t in found.features.items()}
        if not self._with_pyramid:
            return seen
        levels: dict[str, Tensor] = self._model.backbone.fpn(seen)
        # The finest levels are the dearest: they learn where they have objects to show.
        places = self._model.roi_heads.box_roi_pool.level_of([boxes])
        finest = int(places.min()) if len(boxes) else len(levels)
        dear = list(levels)[:finest]
        return {name: t.detach() if name in dear else t for name, t in levels.items()}

    def _known_of(self, image_id: int, number: int) -> Known:
        known = self._known.setdefault((image_id, number), Known())
        self._known.move_to_end((image_id, number))
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return known

    def _put_aside(self, image_id: int) -> None:
        """Have nothing more to do with what was known of an image."""
        for number in range(VIEWS):
            self._known.pop((image_id, number), None)
        self._waiting.clear()

    def _heads_of(self, weights: Mapping[str, Tensor], known: Sequence[Category]) -> FasterRCNN:
        """Return a network that has, of a model's weights, those that learn, and no others."""
        names = [category.name for category in self.categories]
        model = build(self._info.architecture, len(names))
        model.load_state_dict(with_rows(weights, [c.name for c in known], names))
        if self._with_pyramid:
            model.backbone.body = nn.Identity()
        else:
            model.backbone = nn.Identity()
        model.roi_heads.fg_bg_sampler.batch_size_per_image = ROIS
        return model.eval().to(self._device, memory_format=torch.channels_last)

    def _begin_with(self, weights: Mapping[str, Tensor], known: Sequence[Category]) -> None:
        """Learn from these weights on."""
        self._model = self._heads_of(weights, known)
        # What runs is the mean of the last steps: each image shown sets single weights swinging.
        averaging = get_ema_multi_avg_fn(_AVERAGING)
        self._settled = AveragedModel(self._model, multi_avg_fn=averaging)
        self._optimizer = torch.optim.AdamW(
            self._model.parameters(), lr=LEARNING_RATE, weight_decay=_WEIGHT_DECAY
        )

    def _fingerprint(self, info: ModelInfo, weights: Mapping[str, Tensor]) -> str:
        """Say what features are of: the same for a model and what it learned."""
        architecture = info.architecture
        digest = hashlib.sha256(f"{architecture.min_size} {architecture.max_size}".encode())
        seen_by = _BODY if self._with_pyramid else _BACKBONE
        for name in sorted(name for name in weights if name.startswith(seen_by)):
            digest.update(name.encode())
            digest.update(weights[name].contiguous().numpy().tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class _Opened:
    """A view to learn from.

    Attributes:
        page: for the heads.
        levels: what its features are copies of, with the pyramid's graph where that learns.
    """

    page: Page
    levels: dict[str, Tensor]


class _Clock:
    """How long learning takes, without what more urgent work takes amid it."""

    def __init__(self, context: TaskContext) -> None:
        self._context = context
        self._began = time.monotonic()
        self._away = 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began - self._away

    def give_way(self) -> None:
        """Let more urgent work run; raises where learning is to stop."""
        left = time.monotonic()
        self._context.raise_if_cancelled()
        self._away += time.monotonic() - left


def _thinned(level: Tensor) -> Tensor:
    """Leave out whole channels of a level (1, C, h, w), and make up for it by the others."""
    return functional.dropout2d(level, _LEFT_OUT)


def _extended(known: Sequence[Category], names: Sequence[str]) -> tuple[Category, ...]:
    """Return a model's categories and those it lacks, with ids of their own."""
    have = {category.name for category in known}
    last = max(category.id for category in known)
    new = [name for name in dict.fromkeys(names) if name not in have]
    return (*known, *(Category(last + n, name) for n, name in enumerate(new, 1)))
