"""Training: an epoch is compiled loops of the learner's step over its batches, and what one does around them.

The order of each epoch and the random keys come from (seed, epoch) and (seed, step), so that the same call gives the
same bits, and a run taken up from a checkpoint those of a run that was not interrupted. How many steps one compiled
call takes is adapted to the time they need, and changes no result. The loop runs in any functor into arrays.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from catlearn.datasets import Data
from catlearn.errors import CheckpointError, DataError, Interrupted, NotFiniteError, OperationError
from catlearn.feeding import Pace, Portion, Stream
from catlearn.functors import default_functor
from catlearn.history import History
from catlearn.learner import Learner
from catlearn.result import Result
from catlearn.running import Devices, Run, Seen, lowered
from catlearn.sources import source

if TYPE_CHECKING:
    from catlearn.checkpoints import Checkpoints

__all__ = ["Event", "History", "Result", "fit"]


@dataclass
class Event:
    """What a callback is given after each epoch: its number from 0, and the result so far.

    `stop(reason)` ends training after this epoch.
    """

    epoch: int
    result: Result
    reason: str | None = None

    @property
    def history(self) -> History:
        """What training saw so far."""
        return self.result.history

    def stop(self, reason: str = "a callback asked for it") -> None:
        """End training after this epoch."""
        self.reason = reason


@dataclass
class _Best:
    """The best epoch so far by the validation loss, or the training loss where nothing is held out."""

    value: float = float("inf")
    epoch: int = -1
    state: tuple[Any, ...] | None = None


@dataclass
class _Epoch:
    """The part of an epoch that is done: its steps, and the sums over its rows."""

    steps: int = 0
    rows: int = 0
    loss: float = 0.0
    right: float = 0.0
    watched: dict[str, float] = field(default_factory=dict)

    def saw(self, portion: Portion, seen: Seen) -> None:
        self.steps += portion.count
        self.rows += portion.count * portion.size
        self.loss = _added(self.loss, seen.losses * portion.size)
        self.right = _added(self.right, seen.right)
        for name, values in seen.watched.items():
            self.watched[name] = _added(self.watched.get(name, 0.0), values)

    @property
    def entry(self) -> dict[str, float]:
        return {"loss": self.loss / max(self.rows, 1), "accuracy": 100.0 * self.right / max(self.rows, 1)}


def _added(total: float, values: np.ndarray) -> float:
    # One after another, so that portions of other lengths give the same bits.
    return float(np.add.accumulate([total, *values])[-1])


def fit(
    learner: Learner,
    data: Data | Stream,
    *,
    epochs: int,
    batch_size: int | None = None,
    seed: int = 0,
    shuffle: bool = True,
    drop_last: bool = False,
    backend: Any = None,
    precision: str | None = None,
    hyperparameters: Mapping[str, float] | None = None,
    validation: float | tuple[Any, Any] | None = None,
    patience: int | None = None,
    keep_best: bool = False,
    callbacks: Iterable[Callable[[Event], None]] = (),
    watch: Mapping[str, Callable[..., Any]] | None = None,
    checkpoint: Any = None,
    resume: bool = False,
    resident: bool | None = None,
    mesh: Any = None,
    sharding: Mapping[str, Any] | None = None,
    progress: bool | None = None,
) -> Result:
    """Train a learner on data.

    `data` is a `Data`, whose arrays may be memory maps, or a `Stream` of batches. `seed` fixes the starting parameters,
    the order of every epoch and the random keys: the same call gives the same result. `shuffle=False` keeps the rows'
    order; `drop_last=True` leaves out the short last batch. `backend` is a functor into arrays, by default the first
    that covers every generator; `precision` stands for JAX in "float32", "float64" or "bfloat16": then the model is
    computed in bfloat16, while parameters, losses and the optimiser stay in float32.
    `hyperparameters` override defaults by name.

    `validation` is the share of the training rows to hold out, or (inputs, targets). Training stops after `patience`
    epochs without a better validation loss (training loss where nothing is held out); `keep_best` gives the state of
    the best epoch. Each of `callbacks` is called with an `Event` after every epoch. `watch` maps the names of probes
    (`layers.probe`; with a prime, what comes back there) to functions that give a number, which the history keeps.

    `checkpoint` is a folder, or a `Checkpoints`: the run is kept there after every epoch, and when Ctrl-C or SIGTERM
    ends it; `resume=True` takes up the newest one. `resident` says whether the rows lie on the device (by default where
    they fit). `mesh` is a `jax.sharding.Mesh`, or a number of devices: batches are cut over its first axis; `sharding`
    maps patterns of names to the partition specifications of parameters. `progress` shows a bar, by default on a
    terminal.

    Raises `DataError` for data that is empty or does not fit, `NotFiniteError` where a loss is not finite,
    `CheckpointError` for a checkpoint of another run, `Interrupted` after a signal.
    """
    if not isinstance(learner, Learner):
        raise DataError(f"fit takes a learner, such as supervised(model, loss, optimiser) gives; got {learner!r}")
    _check_numbers(epochs, seed, patience)
    seed = int(seed)
    if sharding and mesh is None:
        raise OperationError("sharding says how parameters lie on a mesh of devices: give mesh too")
    devices = None if mesh is None else Devices(mesh, dict(sharding or {}))
    size = batch_size if isinstance(batch_size, int) and batch_size > 0 else 1
    learner, backend = _in_precision(learner, backend, precision, size)
    run = Run(learner, backend, seed, hyperparameters, watch, devices, size)
    feed, held = source(run, data, batch_size, shuffle, drop_last, validation, resident)
    result = Result(learner, run.initial(), data, run.backend, run.settings, seed)
    trainer = _Trainer(run, feed, held, result, patience, keep_best, _keeper(checkpoint, resume))
    trainer.facts = _facts(run, data, batch_size, shuffle, drop_last, validation, keep_best, watch)
    if resume:
        trainer.take_up()
    trainer.since = time.perf_counter()
    try:
        with _signals(trainer) if checkpoint is not None else nullcontext(), _bar(epochs, progress) as show:
            trainer.train(epochs, list(callbacks), show)
    finally:
        trainer.count_time()
    return result


@dataclass
class _Trainer:
    """One call of fit: what changes from portion to portion, and how it is kept."""

    run: Run
    source: Any
    held: tuple[tuple[Any, ...], tuple[Any, ...]] | None
    result: Result
    patience: int | None
    keep_best: bool
    keeper: Checkpoints | None
    best: _Best = field(default_factory=_Best)
    done: _Epoch = field(default_factory=_Epoch)
    pace: Pace = field(default_factory=Pace)
    facts: dict[str, Any] = field(default_factory=dict)
    signalled: int | None = None
    since: float = 0.0

    def count_time(self) -> None:
        now = time.perf_counter()
        self.result.seconds += now - self.since
        self.since = now

    def train(self, epochs: int, callbacks: list[Callable[[Event], None]], show: Callable[..., None]) -> None:
        result = self.result
        while result.history.epochs < epochs and result.stopped is None:
            epoch = result.history.epochs
            for portion in self.source.portions(epoch, self.done.steps, self.pace):
                self._advance(portion, epoch)
                show(result.history, self.done, self.source.steps)
                if self.signalled is not None:
                    self._leave()
            if not self.done.steps:
                raise DataError(f"there is no batch in epoch {epoch}: give at least one")
            self._finish(epoch, callbacks)
            show(result.history, self.done, self.source.steps)
            if self.keeper is not None and self.keeper.due(epoch, last=epoch + 1 == epochs or bool(result.stopped)):
                self.keep()
            if self.signalled is not None:
                self._leave()
        if self.keep_best and self.best.state is not None:
            result.state = self.best.state

    def _advance(self, portion: Portion, epoch: int) -> None:
        result, started = self.result, time.perf_counter()
        seen = self.run.steps(result.state, portion, result.steps)
        if not (seen.finite and np.isfinite(seen.losses).all()):
            _stop(self, portion, seen, epoch)
        self.pace.took(time.perf_counter() - started)
        result.state = seen.state
        result.steps += portion.count
        self.done.saw(portion, seen)

    def _finish(self, epoch: int, callbacks: list[Callable[[Event], None]]) -> None:
        result, history = self.result, self.result.history
        entry = self.done.entry
        if self.held is not None:
            loss, right = self.run.evaluate(result.state, *self.held)
            entry |= {"validation_loss": loss, "validation_accuracy": right}
        history.add(watched={name: value / self.done.steps for name, value in self.done.watched.items()}, **entry)
        self.done = _Epoch()
        value = entry.get("validation_loss", entry["loss"])
        if value < self.best.value:
            self.best = _Best(value, epoch, result.state if self.keep_best else None)
        elif self.patience is not None and epoch - self.best.epoch >= self.patience:
            last = "any number" if self.best.epoch < 0 else f"that of epoch {self.best.epoch}"
            result.stopped = f"no better loss than {last} in {self.patience} epochs"
        self.count_time()
        event = Event(epoch, replace(result))  # its accuracies are kept where they are read, and are this epoch's
        for callback in callbacks:
            callback(event)
        result.stopped = event.reason or result.stopped

    def keep(self) -> Any:
        """Write a checkpoint; its path."""
        assert self.keeper is not None
        self.count_time()
        result, history = self.result, self.result.history
        arrays = {f"state.{k}": value for k, value in enumerate(result.state)}
        arrays |= {f"best.{k}": value for k, value in enumerate(self.best.state or ())}
        progress = {
            "steps": result.steps,
            "seconds": result.seconds,
            "stopped": result.stopped,
            "history": vars(history),
            "done": vars(self.done),
            "best": [self.best.value, self.best.epoch],
        }
        return self.keeper.write(result, arrays, self.facts, progress)

    def take_up(self) -> None:
        """Go on from the newest checkpoint, if there is one."""
        assert self.keeper is not None
        found = self.keeper.newest(self.result.learner, self.facts)
        if found is None:
            return
        arrays, progress = found
        count = len(self.result.state)
        self.result.state = self.run.stored([arrays[f"state.{k}"] for k in range(count)])
        if "best.0" in arrays:
            self.best.state = self.run.stored([arrays[f"best.{k}"] for k in range(count)])
        self.best.value, self.best.epoch = progress["best"]
        self.result.steps, self.result.seconds = progress["steps"], progress["seconds"]
        self.result.stopped = progress["stopped"]
        self.result.history = History(**progress["history"])
        self.done = _Epoch(**progress["done"])

    def _leave(self) -> None:
        path = self.keep()
        name = signal.Signals(self.signalled or 0).name
        raise Interrupted(
            f"stopped by {name} after step {self.result.steps} (epoch {self.result.history.epochs}); "
            f"the run is kept in {path}: go on with resume=True, or --resume",
            path,
            self.signalled or 0,
            self.result,
        )


def _check_numbers(epochs: int, seed: int, patience: int | None) -> None:
    numbers = [("epochs", epochs, 0), ("seed", seed, 0), *([] if patience is None else [("patience", patience, 1)])]
    for name, value, least in numbers:
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise DataError(f"{name} must be an integer of at least {least}; got {value!r}")


def _in_precision(learner: Learner, backend: Any, precision: str | None, size: int) -> tuple[Learner, Any]:
    """The learner and the functor for a precision: with bfloat16 the model computes in it, and the rest in float32."""
    if precision is None:
        return learner, backend or default_functor(learner.monitored(size))
    if backend is not None:
        raise OperationError("give backend or precision, not both: precision stands for JAX in that precision")
    from catlearn.functors.jax import Jax

    if precision != "bfloat16":
        return learner, Jax(precision)
    return lowered(learner), Jax("mixed")


def _keeper(checkpoint: Any, resume: bool) -> Checkpoints | None:
    if checkpoint is None:
        if resume:
            raise CheckpointError(
                "resume=True needs the folder of the checkpoints: give checkpoint=FOLDER, or --checkpoint DIR"
            )
        return None
    from catlearn.checkpoints import Checkpoints

    return checkpoint if isinstance(checkpoint, Checkpoints) else Checkpoints(checkpoint)


def _facts(
    run: Run, data: Any, size: int | None, shuffle: bool, drop_last: bool, validation: Any, keep_best: bool, watch: Any
) -> dict[str, Any]:
    """What must be the same for a run to be taken up, besides the learner."""
    rows = data.rows if isinstance(data, Data) else None
    share = validation if isinstance(validation, float) else validation is not None
    return {
        "seed": run.seed,
        "backend": repr(run.backend),
        "batch_size": None if size is None else int(size),
        "shuffle": bool(shuffle),
        "drop_last": bool(drop_last),
        "validation": share,
        "keep_best": bool(keep_best),
        "training rows": rows,
        "watched": sorted(watch or {}),
    }


@contextmanager
def _signals(trainer: _Trainer) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the run after the steps under way; a second Ctrl-C ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def note(number: int, frame: Any) -> None:
        if trainer.signalled is not None:
            raise KeyboardInterrupt
        trainer.signalled = number

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(trainer: _Trainer, portion: Portion, seen: Seen, epoch: int) -> None:
    """Find the bad step of a portion, and raise with the last finite state before it."""
    run, result = trainer.run, trainer.result
    bad = np.flatnonzero(~np.isfinite(seen.losses))
    what = f"the loss is {seen.losses[bad[0]]} at" if bad.size else "the parameters are not finite after"
    step = int(bad[0]) if bad.size else portion.count - 1

    def first(count: int) -> Seen:
        return run.steps(result.state, Portion(portion.size, count, portion.items, portion.rows), result.steps)

    if not bad.size:  # the steps before may have been the ones
        while step and not first(step).finite:
            step -= 1
    good = step
    after = first(good)
    while not after.finite and good:  # an update before made the loss what it is
        good -= 1
        after = first(good)
    number = result.steps + step
    node = run.not_finite(after.state, portion, good, result.steps + good)
    rows = None if portion.rows is None else portion.rows[good]
    where = f", after the update of step {result.steps + good}" if good < step else ""
    where += "" if rows is None else f", rows {', '.join(map(str, rows[:5]))}{' ...' * (len(rows) > 5)}"
    result.state, result.steps = after.state, result.steps + good
    trainer.done.saw(replace(portion, count=good), after)
    kept = f"; the last good state is kept in {trainer.keep()}" if trainer.keeper is not None else ""
    raise NotFiniteError(
        f"{what} step {number} (epoch {epoch}{where}): lower the learning rate, or look at those rows for values that "
        f"are not finite{node}{kept}",
        number,
        epoch,
        result,
    )


def _bar(epochs: int, progress: bool | None) -> AbstractContextManager[Callable[..., None]]:
    if not (sys.stderr.isatty() if progress is None else progress):
        return nullcontext(lambda history, done, steps: None)
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    parts: Any = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[shown]}"), TimeRemainingColumn())

    @contextmanager
    def bar() -> Any:
        started, taken = time.perf_counter(), 0
        with Progress(*parts, console=Console(stderr=True)) as live:
            task = live.add_task("epochs", total=epochs, shown="")

            def show(history: History, done: _Epoch, steps: int | None) -> None:
                nonlocal taken
                taken = max(taken, history.epochs * (steps or 0) + done.steps)
                rate = taken / max(time.perf_counter() - started, 1e-9)
                share = done.steps / steps if steps else 0.0
                live.update(task, completed=history.epochs + share, shown=_shown(history, done, rate))

            yield show

    return bar()


def _shown(history: History, done: _Epoch, rate: float) -> str:
    """The line of the bar: this epoch's loss and accuracy so far, or those of the last, and the steps a second."""
    entry = done.entry if done.steps else {"loss": history.loss[-1], "accuracy": history.accuracy[-1]}
    text = f"loss {entry['loss']:.4g}, accuracy {entry['accuracy']:.1f} %"
    if history.validation_loss:
        text += f"; held out {history.validation_loss[-1]:.4g}, {history.validation_accuracy[-1]:.1f} %"
    return f"{text}; {rate:.4g} steps/s"
