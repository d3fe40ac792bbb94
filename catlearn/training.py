"""Training: batches, the compiled loop over them, and what comes out.

An epoch is one compiled scan of the learner's step over the batches; the data, the hyper-parameters and the random keys
are inputs of it, so changing them recompiles nothing. The order of each epoch comes from (seed, epoch). The short last
batch is trained too, by a step of its own size. The loop runs in any functor into arrays.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import and_
from typing import Any

import numpy as np

from catlearn.datasets import Data, columns
from catlearn.diagram import Diagram
from catlearn.errors import DataError, InputError, NotFiniteError, OperationError
from catlearn.functors import default_functor
from catlearn.functors.arrays import Arrays
from catlearn.learner import Learner
from catlearn.losses import accuracy
from catlearn.space import Object

__all__ = ["History", "Result", "fit"]

_ROWS_AT_ONCE = 4096


@dataclass
class History:
    """What training saw, one entry an epoch: the mean loss, and the accuracy in per cent of the predictions made."""

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)


@dataclass(eq=False)
class Result:
    """A learner with the state that training reached.

    `parameters` is a dictionary of layers with readable names, at the optimiser's get; `predict` runs the model there;
    `train_accuracy` and `test_accuracy` are in per cent, None where there are no rows; `steps` counts the steps taken
    and `seconds` the time they took, compilation included.
    """

    learner: Learner
    state: tuple[Any, ...]
    data: Data
    backend: Any
    settings: tuple[float, ...]
    seed: int
    history: History = field(default_factory=History)
    steps: int = 0
    seconds: float = 0.0
    _compiled: dict[int, Callable[..., Any]] = field(default_factory=dict, repr=False)

    def predict(self, inputs: Any) -> Any:
        """The model's outputs for rows of inputs: an array, or a tuple of arrays for several output wires.

        Raises `InputError` where the rows do not fit the model.
        """
        given = columns(inputs)
        spaces = self.learner.model.dom
        if len(given) != len(spaces):
            raise InputError(f"the model takes {len(spaces)} input arrays; got {len(given)}")
        if any(array.ndim == 0 for array in given):
            raise InputError(f"predict takes rows of inputs, an array a wire, rows first; got {inputs!r}")
        rows = len(given[0]) if given else 0
        parts = [
            self._predict(tuple(column[start : start + _ROWS_AT_ONCE] for column in given))
            for start in range(0, max(rows, 1), _ROWS_AT_ONCE)
        ]
        joined = tuple(np.concatenate([np.asarray(part[k]) for part in parts]) for k in range(len(parts[0])))
        return joined[0] if len(joined) == 1 else joined

    def _predict(self, given: tuple[Any, ...]) -> tuple[Any, ...]:
        rows = len(given[0]) if given else 0
        spaces = [space.batch(rows) for space in self.learner.model.dom]
        values = [
            self.backend.accept(space, column, f"input array {k}")
            for k, (space, column) in enumerate(zip(spaces, given, strict=True))
        ]
        if rows not in self._compiled:
            diagram = self.backend.prepare(self.learner.prediction(rows))
            self._compiled[rows] = self.backend.compile(lambda *xs: self.backend.interpret(diagram, xs))
        keys = _keys(self.backend, self.learner, self.seed, -1, rows)
        return self._compiled[rows](*self.state, *values, *self.settings, *keys)

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The parameters by layer and name, as NumPy arrays."""
        keys = _keys(self.backend, self.learner, self.seed, -1, None)
        diagram = self.learner.parameters_at()
        values = iter(self.backend.interpret(diagram, (*self.state, *self.settings, *keys)))
        model = self.learner.model
        whole = [None if p.role == "auxiliary" else np.asarray(next(values)) for p in model.parameters]
        return model.tree(whole)

    def accuracy(self, inputs: Any, targets: Any) -> float | None:
        """The accuracy in per cent on rows, as the loss counts it; None where there are no rows."""
        labels = columns(targets)
        if not labels or labels[0].shape[:1] == (0,):
            return None
        guesses = columns(self.predict(inputs))
        spaces = [space.batch(len(guesses[0])) for space in self.learner.loss.labels(self.learner.model.cod)]
        if len(labels) != len(spaces):
            raise InputError(f"the loss takes {len(spaces)} arrays of targets, one a wire; got {len(labels)}")
        for number, (space, label) in enumerate(zip(spaces, labels, strict=True)):
            self.backend.accept(space, label, f"target array {number}")
        return accuracy(self.learner.loss, labels, guesses)

    @cached_property
    def train_accuracy(self) -> float | None:
        """The accuracy in per cent on the training rows."""
        return self.accuracy(self.data.train_inputs, self.data.train_targets)

    @cached_property
    def test_accuracy(self) -> float | None:
        """The accuracy in per cent on the test rows."""
        return self.accuracy(self.data.test_inputs, self.data.test_targets)


def fit(
    learner: Learner,
    data: Data,
    *,
    epochs: int,
    batch_size: int,
    seed: int = 0,
    shuffle: bool = True,
    drop_last: bool = False,
    backend: Any = None,
    hyperparameters: Mapping[str, float] | None = None,
    progress: bool | None = None,
) -> Result:
    """Train a learner on data.

    `seed` fixes the starting parameters, the order of every epoch and the random keys: the same call gives the same
    result. `shuffle=False` keeps the rows' order; `drop_last=True` leaves out the short last batch. `backend` is a
    functor into arrays, by default the first that covers every generator. `hyperparameters` override defaults by name.
    `progress` shows a bar, by default on a terminal.

    Raises `DataError` for data that is empty or does not fit, `NotFiniteError` where a loss is not finite.
    """
    rows = _check(learner, data, epochs, batch_size, seed)
    run = _Run(learner, data, backend or default_functor(learner.monitored(batch_size)), seed, hyperparameters or {})
    result = Result(learner, run.initial(), data, run.backend, run.settings, seed)
    started = time.perf_counter()
    with _bar(epochs, progress) as show:
        for epoch in range(epochs):
            order = np.random.default_rng([seed, epoch]).permutation(rows) if shuffle else np.arange(rows)
            if drop_last:
                order = order[: rows // batch_size * batch_size]
            before = result.state
            result.state, losses, right, finite = run.epoch(before, order, batch_size, result.steps)
            bad = np.flatnonzero(~np.isfinite(losses))
            if bad.size or not finite:
                what = f"the loss is {losses[bad[0]]} at" if bad.size else "the parameters are not finite after"
                step = int(bad[0]) if bad.size else len(losses) - 1
                _stop(run, result, before, order, batch_size, epoch, step, what)
            sizes = np.minimum(batch_size, len(order) - batch_size * np.arange(len(losses)))
            result.steps += len(losses)
            result.history.loss.append(float((losses * sizes).sum() / max(len(order), 1)))
            result.history.accuracy.append(100.0 * float(right.sum()) / max(len(order), 1))
            show(result.history)
    result.seconds = time.perf_counter() - started
    return result


def _check(learner: Learner, data: Data, epochs: int, batch_size: int, seed: int) -> int:
    """The number of training rows; raises `DataError` where data and settings do not fit."""
    if not isinstance(learner, Learner):
        raise DataError(f"fit takes a learner, such as supervised(model, loss, optimiser) gives; got {learner!r}")
    if not isinstance(data, Data):
        raise DataError(f"fit takes a Data(train_inputs, train_targets, test_inputs, test_targets); got {data!r}")
    data.check(learner.model.dom, learner.loss.labels(learner.model.cod))
    rows = data.rows
    for name, value, least in (("epochs", epochs, 0), ("batch_size", batch_size, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise DataError(f"{name} must be an integer of at least {least}; got {value!r}")
    if batch_size > rows:
        raise DataError(f"batch_size is {batch_size} and there are {rows} training rows: use at most {rows}")
    return rows


class _Run:
    """The compiled epochs of one call of fit."""

    def __init__(self, learner: Learner, data: Data, backend: Any, seed: int, given: Mapping[str, float]) -> None:
        self.learner, self.backend, self.seed = learner, backend, seed
        if not isinstance(backend, Arrays):
            raise OperationError(f"backend takes a functor into arrays, such as functors.Jax(); got {backend!r}")
        missing = backend.uncovered(learner.monitored(1))
        if missing is not None:
            raise OperationError(f"the backend {backend!r} has no meaning for {missing.name}; use another backend")
        settings = dict(learner.hyperparameters)
        unknown = sorted(set(given) - set(settings))
        if unknown:
            raise DataError(f"the optimiser has no hyper-parameter {', '.join(unknown)}; it has {', '.join(settings)}")
        settings.update(given)
        names = [f"hyper-parameter {name}" for name in settings]
        spaces = [wire.space for wire in learner.context if not wire.stored]
        values = settings.values()
        self.settings = tuple(
            backend.accept(s, np.asarray(v), n) for s, v, n in zip(spaces, values, names, strict=True)
        )
        labels = learner.loss.labels(learner.model.cod)
        self.inputs = self._accept(learner.model.dom, data.train_inputs, "train_inputs", data.rows)
        self.targets = self._accept(labels, data.train_targets, "train_targets", data.rows)
        for name, wires, arrays in (
            ("test_inputs", learner.model.dom, data.test_inputs),
            ("test_targets", labels, data.test_targets),
        ):
            self._accept(wires, arrays, name, len(columns(arrays)[0]) if columns(arrays) else 0)
        self._compiled: dict[tuple[int, int], Callable[..., Any]] = {}

    def _accept(self, spaces: Object, values: Any, name: str, rows: int) -> tuple[Any, ...]:
        # An empty part may come without the width of its rows.
        return tuple(
            self.backend.accept(space.batch(rows), column if rows else np.zeros((0, *space.shape), column.dtype), name)
            for space, column in zip(spaces, columns(values), strict=True)
        )

    def initial(self) -> tuple[Any, ...]:
        """The starting state, as the backend stores it."""
        values = self.learner.initial(self.seed)
        spaces = self.learner.state
        return tuple(self.backend.accept(s, v, "the starting state") for s, v in zip(spaces, values, strict=True))

    def epoch(
        self, state: tuple[Any, ...], order: np.ndarray, size: int, first: int
    ) -> tuple[tuple[Any, ...], np.ndarray, np.ndarray, bool]:
        """The state after the rows of `order`, the loss and the number of right predictions of each step.

        Last comes whether every number of the state is finite.
        """
        whole, finite = len(order) // size * size, True
        losses, right = [np.zeros(0)], [np.zeros(0)]
        for start, stop, width in ((0, whole, size), (whole, len(order), len(order) - whole)):
            if stop > start:
                batches = order[start:stop].reshape(-1, width)
                numbers = np.arange(first + start // size, first + start // size + len(batches))
                state, seen, fine = self._loop(len(batches), width)(
                    state, batches.astype(np.int32), numbers.astype(np.int32), self.inputs, self.targets, self.settings
                )
                losses.append(np.asarray(seen[0], float))
                right.append(np.asarray(seen[1], float))
                finite = bool(fine)
        return state, np.concatenate(losses), np.concatenate(right), finite

    def _loop(self, steps: int, size: int) -> Callable[..., Any]:
        if (steps, size) not in self._compiled:
            diagram = self.backend.prepare(self.learner.monitored(size))
            self._compiled[steps, size] = self.backend.compile(self._scanned(diagram, size))
        return self._compiled[steps, size]

    def _scanned(self, diagram: Diagram, size: int) -> Callable[..., Any]:
        learner, backend, xp = self.learner, self.backend, self.backend.namespace
        stored, predicted = len(learner.state), len(learner.model.cod)

        def scanned(state: Any, batches: Any, numbers: Any, inputs: Any, targets: Any, settings: Any) -> Any:
            def one(state: Any, item: Any) -> Any:
                rows, number = item
                x, y = [[column[rows] for column in part] for part in (inputs, targets)]
                keys = _keys(backend, learner, self.seed, number, size)
                results = backend.interpret(diagram, (*state, *y, *x, *settings, *keys))
                new, losses, guesses = results[:stored], results[stored:-predicted], results[-predicted:]
                mean = sum(loss.sum(dtype=float) / size for loss in losses[:predicted]) + sum(losses[predicted:])
                return new, (mean, learner.loss.correct(xp, y, guesses).sum())

            after, seen = backend.loop(one, tuple(state), (batches, numbers))
            finite = [xp.isfinite(array).all() for array in after if array.dtype.kind in "fV"]
            return after, seen, reduce(and_, finite, True)

        return scanned


def _keys(backend: Any, learner: Learner, seed: int, step: Any, size: int | None) -> tuple[Any, ...]:
    """The auxiliary inputs of a step: for each wire a random key, or one a sample."""
    count = len(learner.auxiliary)
    return tuple(backend.keys(seed, step, wire, size) for wire in range(count))


def _stop(
    run: _Run, result: Result, before: Any, order: np.ndarray, size: int, epoch: int, bad: int, what: str
) -> None:
    """Replay the epoch up to the bad step, and raise with the last finite state before it."""
    rows, good = order[bad * size : (bad + 1) * size], bad
    state, _, _, finite = run.epoch(before, order[: good * size], size, result.steps)
    if not finite:  # the update just before made the loss what it is
        good -= 1
        state = run.epoch(before, order[: good * size], size, result.steps)[0]
    step, result.state, result.steps = result.steps + bad, state, result.steps + good
    raise NotFiniteError(
        f"{what} step {step} (epoch {epoch}, rows {', '.join(map(str, rows[:5]))}"
        f"{' ...' * (len(rows) > 5)}): lower the learning rate, or look at those rows for values that are not finite",
        step,
        epoch,
        result,
    )


def _bar(epochs: int, progress: bool | None) -> AbstractContextManager[Callable[[History], None]]:
    if not (sys.stderr.isatty() if progress is None else progress):
        return nullcontext(lambda history: None)
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    shown = "loss {task.fields[loss]:.4g}, accuracy {task.fields[right]:.1f} %"
    parts: Sequence[Any] = (BarColumn(), MofNCompleteColumn(), TextColumn(shown), TimeRemainingColumn())

    @contextmanager
    def bar() -> Any:
        with Progress(*parts, console=Console(stderr=True)) as live:
            task = live.add_task("epochs", total=epochs, loss=float("nan"), right=float("nan"))
            yield lambda h: live.update(task, advance=1, loss=h.loss[-1], right=h.accuracy[-1])

    return bar()
