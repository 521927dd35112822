"""Pre-annotation: the model that runs, the run over the current image, the runs over many.

A person's annotations are never touched: only what no person has touched is replaced.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from maskstudio.annotation.annotation import ImageState
from maskstudio.annotation.detections import Outlined
from maskstudio.annotation.tiling import TileChoice, TileEstimate, Tiling
from maskstudio.session.batch_run import BatchRun
from maskstudio.session.batch_work import OPEN_STATES, BatchWork
from maskstudio.session.category_question import CategoryQuestion
from maskstudio.session.detection_filtering import DetectionFiltering
from maskstudio.session.device_watch import DeviceWatch
from maskstudio.session.model_lane import ImageTask, LoadedModel, LoadPredictor, ModelHolder
from maskstudio.session.one_run import OneRun
from maskstudio.session.runs import Failure, RunProgress, RunReport
from maskstudio.session.session import Session
from maskstudio.session.tasks import Callbacks, LaneName, Priority, Tasks
from maskstudio.session.tile_guide import TileGuide

PRE_ANNOTATE = "pre-annotate"
"""The kind of run over many images that runs the model on each."""


class PreAnnotator(QObject):
    """Runs the model on images of the session.

    One image and a batch may run at the same time; the one image goes first.

    Attributes:
        holder: the loaded models; for work on lane MODEL.
        batch: the run over many images.
        device: how the model runs.
        tiles: whether images are looked at in tiles.

    Signals:
        running_changed: a run began, waits, goes on or ended.
        finished: a `RunReport`.
        model_loaded: `model_name` is another model.
        model_renewed: the model runs with what it has learned, or without it again.
        device_changed: `device_line` is another one.
        map_wanted: a person should see what becomes of the model's categories first; True when many
            images were to be predicted, which then wait for `ask_again`.
        asked: a person asked for the current image to be predicted.
        problem: one sentence for the person.
    """

    running_changed = Signal()
    finished = Signal(object)
    model_loaded = Signal()
    model_renewed = Signal()
    device_changed = Signal()
    map_wanted = Signal(bool)
    asked = Signal()
    problem = Signal(str)

    def __init__(
        self,
        session: Session,
        tasks: Tasks,
        filtering: DetectionFiltering,
        load_predictor: LoadPredictor,
        model_name: str,
    ) -> None:
        super().__init__(session)
        self._session = session
        self._tasks = tasks
        self._filter = filtering
        self.holder = ModelHolder(load_predictor)
        self.batch = BatchRun(session, tasks, self.holder)
        self.device = DeviceWatch(lambda: self.holder.facts(self._model_name), self)
        self.device.stepped_down.connect(self.problem)
        self.device.changed.connect(lambda facts: self._set_device_line(facts.where))
        self._model_name = model_name
        self._one: OneRun | None = None
        self._model: LoadedModel | None = None
        self._batch_model: LoadedModel | None = None
        self.tiles = TileGuide(session, tasks)
        self.tiles.problem.connect(self.problem)
        self._device_line = ""
        self._usual_seconds: float | None = None
        self._question = CategoryQuestion(session, self.map_wanted.emit)
        # Found while nobody had decided what becomes of the model's categories.
        self._kept_for: int | None = None
        self._asked_last: tuple[tuple[int, ...], tuple[ImageState, ...]] = (), ()
        self.batch.register(
            BatchWork(
                PRE_ANNOTATE,
                "pre-annotated",
                self.holder.find,
                lambda image_id, found: filtering.store(image_id, found, undoable=False),
                self._begins_batch,
                filtering.edit_beside,
                lambda image_id, found: session.note_size(image_id, *found.detections.size),
                self._shown_of_batch,
            )
        )
        self.batch.changed.connect(self._on_batch_changed)
        self.batch.finished.connect(self.finished)
        self.batch.problem.connect(self.problem)
        session.opened.connect(self._cancel_one)

    @property
    def model_name(self) -> str:
        """Name or path of the model that runs."""
        return self._model_name

    @property
    def model(self) -> LoadedModel | None:
        """What is known of that model; None until it is loaded."""
        return self._model

    @property
    def undecided(self) -> bool:
        """True while a person has not seen what becomes of the model's categories, and should."""
        return self._model is not None and self._question.is_open(self._model)

    @property
    def device_line(self) -> str:
        """Where the model runs and why not on a GPU, or that it is being loaded."""
        return self._device_line

    @property
    def running(self) -> bool:
        """True while images are being predicted, or a person lets that wait."""
        return self._one is not None or self.batch.running

    @property
    def at_work_on(self) -> int | None:
        """The image that a person asked to have predicted and waits for."""
        return self._one.image_id if self._one else None

    def progress(self) -> RunProgress | None:
        """Return where the run is (the batch, if there are two); None when there is none."""
        if self.batch.running:
            return self.batch.progress()
        return self._one.progress(self._usual_seconds) if self._one else None

    def image_task(
        self, image_id: int, *, use_kept: bool = False, keeps_features: bool = False
    ) -> ImageTask:
        """Return what the model's lane has to know of an image."""
        folder, path = self._session.require_database().folder, self._session.path(image_id)
        task = ImageTask(image_id, path, folder, self._model_name, use_kept, keeps_features)
        return _showing(replace(task, tiling=self.tiles.tiling), self._filter, self._model)

    def use_model(self, name: str) -> None:
        """Load a model and run it from then on; when it cannot be loaded, the one before stays."""
        self._set_device_line("loading the model …")
        self._want(name)
        self._tasks.submit(
            LaneName.MODEL,
            lambda _: self.holder.load(name),
            Callbacks(
                lambda loaded: self._on_loaded(name, loaded),
                lambda sentence: self._on_not_loaded(name, sentence),
            ),
            Priority.SOON,
        )

    def renew(self, loaded: LoadedModel) -> None:
        """Take up that the model runs with what it has learned, or without it again."""
        self._take_up(loaded)
        self.model_renewed.emit()

    def estimate(self) -> TileEstimate | None:
        """Return what the current image will take in tiles; None where it is looked at whole."""
        if self._model is None:
            return None
        facts = self.holder.facts(self._model_name)
        each = self._usual_seconds
        if facts is not None and facts.ms_per_image is not None:
            each = facts.ms_per_image / 1000
        return self.tiles.estimate(self._model.sight, each)

    @property
    def possible_tiles(self) -> int:
        """In how many tiles the current image would be looked at, had a person not said never."""
        if self.tiles.tiling.choice is not TileChoice.NEVER or self._model is None:
            return 0
        planned = self.tiles.estimate(self._model.sight, None, TileChoice.AUTO)
        return 0 if planned is None else planned.tiles

    @property
    def may_run_whole(self) -> bool:
        """True while an image is being looked at that may be looked at in tiles."""
        return self._one is not None and not self._one.whole and self.estimate() is not None

    def run_whole(self) -> None:
        """Look at the current image whole, in place of the tiles it is being looked at in."""
        run = self._one
        if run is not None and not run.whole:
            if run.job is not None:
                run.job.cancel()
            self._end(run, cancelled=True, told=False)
            self.run_current(whole=True)

    def run_current(self, *, whole: bool = False) -> None:
        """Run the model on the current image.

        Args:
            whole: never in tiles.
        """
        session, current = self._session, self._session.current
        if current is None or not self._allowed():
            return
        if self._one is not None:
            if self._model is not None and self.undecided:
                # Who asks again has seen the question; what is found is stored when it comes.
                self._question.is_settled(self._model, batch=False)
                self.asked.emit()
            return
        use_kept, self._kept_for = self._kept_for == current.id, None
        name = self._model_name
        run = OneRun(session.require_database(), current.id, name, use_kept, whole=whole)
        self._one = run
        run.job = self._tasks.submit(
            LaneName.MODEL,
            lambda _: self.holder.load(name),
            Callbacks(
                lambda loaded: self._on_ready(run, loaded),
                lambda sentence: self._on_no_model(run, sentence),
                lambda: self._end(run, cancelled=True),
            ),
        )
        self.asked.emit()
        self.running_changed.emit()

    def run_folder(self) -> None:
        """Run the model on every image a person has not finished."""
        self.run_images(self._session.image_ids)

    def run_new(self) -> None:
        """Run the model on every image that nothing has been done to."""
        self.run_images(self._session.image_ids, (ImageState.NEW,))

    def run_images(
        self, image_ids: Iterable[int], states: Sequence[ImageState] = OPEN_STATES
    ) -> None:
        """Run the model on some images, those of them that are in one of some states."""
        self._asked_last = tuple(image_ids), tuple(states)
        self.batch.start(PRE_ANNOTATE, self._model_name, *self._asked_last)

    def note_seen(self) -> None:
        """Note that a person sees what becomes of the model's categories: no need to ask again."""
        if self._model is not None:
            self._question.note_seen(self._model)

    def ask_again(self) -> None:
        """Begin the run over many images that was asked for last: now it can be."""
        self.run_images(*self._asked_last)

    def cancel(self) -> None:
        """Stop what runs; what it has done so far stays."""
        self._cancel_one()
        self.batch.cancel()

    def stop(self) -> None:
        """Stop what runs; a run over many images can be continued when its folder is opened."""
        self._cancel_one()
        self.batch.stop()

    def _cancel_one(self) -> None:
        run = self._one
        self._kept_for = None
        if run is not None:
            if run.job is not None:
                run.job.cancel()
            if not run.began_at or self._session.database is not run.database:
                # Loading a model cannot be interrupted, and nobody needs to wait for it.
                self._end(run, cancelled=True)

    def _allowed(self) -> bool:
        if self._session.read_only:
            self.problem.emit("This folder is open for reading only; nothing can be predicted.")
        elif self._session.writing:
            self.problem.emit("Still saving the change before; predict in a moment.")
        return not (self._session.read_only or self._session.writing)

    def _shown_of_batch(self, task: ImageTask) -> ImageTask:
        return _showing(replace(task, tiling=self.tiles.tiling), self._filter, self._batch_model)

    def _begins_batch(self, loaded: LoadedModel) -> bool:
        self._batch_model = loaded
        if self.batch.model == self._model_name:
            self._take_up(loaded)
        return self._question.is_settled(loaded, batch=True)

    def _take_up(self, loaded: LoadedModel) -> None:
        self._model = loaded
        self._set_device_line(loaded.device_line)

    def _on_ready(self, run: OneRun, loaded: LoadedModel) -> None:
        if run is not self._one:
            return
        if run.model == self._model_name:
            self._take_up(loaded)
        # The model looks at the image meanwhile.
        self._question.is_settled(loaded, batch=False)
        run.note = self._session.record(run.image_id).path
        run.began_at = time.monotonic()
        path, folder = self._session.path(run.image_id), run.database.folder
        task = ImageTask(run.image_id, path, folder, run.model, run.use_kept, keeps_features=True)
        tiling = Tiling(TileChoice.NEVER) if run.whole else self.tiles.tiling
        task = _showing(replace(task, tiling=tiling), self._filter, loaded)
        # What takes minutes gives way to what a person asks for meanwhile.
        many = not run.whole and self.estimate() is not None
        run.job = self._tasks.submit(
            LaneName.MODEL,
            lambda context: self.holder.find(task, context),
            Callbacks(
                lambda found: self._on_found(run, found),
                lambda sentence: self._end(run, failed=(Failure(run.image_id, sentence),)),
                lambda: self._end(run, cancelled=True),
            ),
            Priority.LONG if many else Priority.NOW,
        )

    def _on_no_model(self, run: OneRun, sentence: str) -> None:
        if run is self._one:
            self.problem.emit(sentence)
            self._end(run, broken_off=True)

    def _on_found(self, run: OneRun, found: Outlined) -> None:
        if run is not self._one:
            return
        looks = found.detections.tiles + 1
        self._usual_seconds = (time.monotonic() - run.began_at) / looks
        if self.undecided:
            self._kept_for = run.image_id
            self._end(run, told=False)
            return
        stored = self._filter.store(run.image_id, found, undoable=True)
        self._end(run, done=int(stored), broken_off=not stored)

    def _end(
        self,
        run: OneRun,
        *,
        done: int = 0,
        failed: tuple[Failure, ...] = (),
        cancelled: bool = False,
        broken_off: bool = False,
        told: bool = True,
    ) -> None:
        if run is not self._one:
            return
        self._one = None
        self.running_changed.emit()
        if told:
            self.finished.emit(RunReport(False, 1, done, failed, 0, cancelled, broken_off))

    def _on_batch_changed(self) -> None:
        self._want(self._model_name)
        self.running_changed.emit()

    def _want(self, name: str) -> None:
        self.holder.want({name, self._model_name, self.batch.model or name})

    def _on_loaded(self, name: str, loaded: LoadedModel) -> None:
        self._model_name = name
        self._usual_seconds = None
        self._kept_for = None
        self._want(name)
        self._take_up(loaded)
        self.model_loaded.emit()

    def _on_not_loaded(self, name: str, sentence: str) -> None:
        self.problem.emit(sentence)
        if name != self._model_name:
            self.use_model(self._model_name)
        else:
            self._set_device_line("no model is loaded")

    def _set_device_line(self, line: str) -> None:
        if line != self._device_line:
            self._device_line = line
            self.device_changed.emit()


def _showing(
    task: ImageTask, filtering: DetectionFiltering, model: LoadedModel | None
) -> ImageTask:
    """Have no more traced than will be shown; without a model nobody knows what that is."""
    if model is None:
        return task
    return replace(task, shown=filtering.start(task.image_id, model.model_id))
