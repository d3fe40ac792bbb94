"""What training gives: a learner with the state that it reached, to predict with, to measure, and to keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from catlearn.datasets import Data, columns
from catlearn.errors import InputError, UnknownNameError, missing_extra, nearest
from catlearn.feeding import Stream
from catlearn.history import History
from catlearn.learner import Learner
from catlearn.losses import accuracy
from catlearn.running import AFTERWARDS, auxiliary_keys, on_host

__all__ = ["Result"]

ROWS_AT_ONCE = 512


@dataclass(eq=False)
class Result:
    """A learner with the state that training reached.

    `parameters` is a dictionary of layers with readable names, at the optimiser's get; `predict` runs the model there,
    in its evaluation form; `train_accuracy` and `test_accuracy` are in per cent, None where there are no rows; `steps`
    counts the steps taken and `seconds` the time they took, compilation included; `stopped` says why training ended
    before its last epoch, None where it did not.
    """

    learner: Learner
    state: tuple[Any, ...]
    data: Data | Stream
    backend: Any
    settings: tuple[Any, ...]
    seed: int
    history: History = field(default_factory=History)
    steps: int = 0
    seconds: float = 0.0
    stopped: str | None = None
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
            self._predict(tuple(column[start : start + ROWS_AT_ONCE] for column in given))
            for start in range(0, max(rows, 1), ROWS_AT_ONCE)
        ]
        joined = tuple(np.concatenate([on_host(part[k]) for part in parts]) for k in range(len(parts[0])))
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
        keys = auxiliary_keys(self.backend, self.learner.tested, self.seed, AFTERWARDS, rows)
        return self._compiled[rows](*self.state, *values, *self.settings, *keys)

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The parameters by layer and name, as NumPy arrays."""
        keys = auxiliary_keys(self.backend, self.learner, self.seed, AFTERWARDS, None)
        diagram = self.learner.parameters_at()
        values = iter(self.backend.interpret(diagram, (*self.state, *self.settings, *keys)))
        model = self.learner.model
        whole = [None if p.role == "auxiliary" else on_host(next(values)) for p in model.parameters]
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
        """The accuracy in per cent on the training rows; None for a stream."""
        return self.accuracy(self.data.train_inputs, self.data.train_targets) if isinstance(self.data, Data) else None

    @cached_property
    def test_accuracy(self) -> float | None:
        """The accuracy in per cent on the test rows."""
        return self.accuracy(self.data.test_inputs, self.data.test_targets)

    def metric(self, name: str, inputs: Any = None, targets: Any = None, **options: Any) -> Any:
        """A metric of scikit-learn on rows, by default the test rows: `result.metric("f1_score", average="macro")`.

        Classes are the largest entry of a prediction and of a label, where these are vectors; otherwise both are used
        as they are. Raises `UnknownNameError` for a name that `sklearn.metrics` has not.
        """
        try:
            from sklearn import metrics
        except ImportError as error:
            raise missing_extra("scikit-learn", "examples", "a metric") from error
        if not callable(getattr(metrics, name, None)):
            raise UnknownNameError(f"sklearn.metrics has no {name!r}: {nearest(name, metrics.__all__)}")
        inputs = self.data.test_inputs if inputs is None else inputs
        labels = columns(self.data.test_targets if targets is None else targets)[0]
        guesses = columns(self.predict(inputs))[0]
        return getattr(metrics, name)(_classes(labels), _classes(guesses), **options)

    def save(self, path: str | Path) -> Path:
        """Write the learner and its state to one file, which `catlearn.load` reads; see `catlearn.checkpoints`."""
        from catlearn.checkpoints import save

        return save(self, path)


def _classes(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values)
    return values.argmax(axis=-1) if values.ndim > 1 and values.shape[-1] > 1 else values
