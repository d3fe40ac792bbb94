"""A circuit of look-up tables as a scikit-learn classifier: numbers in, bits inside, class counts out.

    rows -- coding_ --> bits -- layers of tables --> bits -- group_sum --> counts,   proba = softmax(counts / T)

`fit` chooses a coding on its rows (`coding.fit_coding`) and trains the tables by votes: `count_softmax` is the loss,
`saturating` the optimiser, all in whole numbers. The settings, all stored as given:

- `tables` a layer, made up to the next multiple of the number of classes, each of `arity` inputs, 2 to 8, or of all
  bits where there are fewer; `layers` of them, wired at random so that every bit is read equally often;
- `levels` of a feature at most, and the numbers of the `nominal` features, which are coded one-hot instead;
- `limit` of the counters, `scale` of the votes, `temperature` T of the softmax; "auto" is said below;
- `epochs`, and `batch_size`, which is cut to the number of rows;
- `backend`: "bits", the compiled kernels, which need numba, or "jax", which gives the same bits; "auto" is the first
  of them that is there;
- `random_state`: what scikit-learn takes; it fixes the wiring, the tables at the start and the order of the rows;
- `verbose` shows the progress, with the accuracy on the training rows.

The temperature is in counts. The count of a class has n = tables / classes bits, which differ between rows by some
sqrt(n): "auto" is T = sqrt(n / 2), 5 at 500 tables for ten classes, 20 at 8,000. "auto" for the limit is 32 `scale`:
from its start a bit falls by eight full votes. From four layers on, votes are rescaled on their way back to a mean of
one, or they would die out.

There is no `sample_weight`: votes are counted, a row has one. Features that do not vary are left out.

>>> import numpy as np
>>> x = np.random.default_rng(0).normal(size=(200, 2))
>>> estimator = CircuitClassifier(tables=100, random_state=0).fit(x, np.where(x[:, 0] > 0, "right", "left"))
>>> estimator.predict([[-2.0, 0.0], [2.0, 0.0]]).tolist()
['left', 'right']
>>> estimator.coding_.names(["a", "b"])[0], estimator.circuit_.learner.model.cod
('a > -0.773149', (Space((2,), INTEGERS),))
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from catlearn.coding import fit_coding
from catlearn.count_losses import count_softmax
from catlearn.counters import saturating
from catlearn.datasets import Data
from catlearn.errors import DataError, InputError, UnknownNameError, missing_extra, nearest
from catlearn.functors import default_functor
from catlearn.history import History
from catlearn.layers import chain, group_sum, rescale_votes, table_layer
from catlearn.learner import Learner, supervised
from catlearn.result import Result
from catlearn.semirings import BITS
from catlearn.space import Space
from catlearn.training import fit
from catlearn.wirings import balanced

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise missing_extra("scikit-learn", "sklearn", "CircuitClassifier") from error

__all__ = ["CircuitClassifier"]


BACKENDS = {"auto": "", "bits": "Bits", "jax": "Jax"}
MOST_INPUTS = 8
DEEP, MEAN_VOTE = 4, 1
"""From how many layers on the votes are rescaled between them, and to what mean size: larger ones undo each other."""


def _whole(value: Any, least: int, most: float = math.inf) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and least <= int(value) <= most


@dataclass(frozen=True)
class _Recipe:
    """All that a learner is made of: the wiring of each layer, kept as it was drawn, and numbers."""

    inputs: int
    classes: int
    wirings: tuple[np.ndarray, ...]
    limit: int
    scale: int
    temperature: float
    backend: str

    def learner(self) -> Learner:
        widths = [self.inputs, *map(len, self.wirings)]
        parts: list[Any] = []
        for number, wiring in enumerate(self.wirings):
            if number and len(self.wirings) >= DEEP:
                parts.append(rescale_votes(widths[number], MEAN_VOTE))
            parts.append(table_layer(widths[number], len(wiring), arity=wiring.shape[1], wiring=wiring))
        model = chain(Space(self.inputs, BITS), *parts, group_sum(widths[-1], self.classes))
        return supervised(model, count_softmax(self.scale, self.temperature), saturating(self.limit))

    def functor(self, learner: Learner) -> Any:
        from catlearn import functors

        name = BACKENDS[self.backend]
        return getattr(functors, name)() if name else default_functor(learner.monitored(1))


@dataclass
class _Trained:
    """A result that can be pickled, as its recipe and its arrays; `made` is made again when it is first used."""

    recipe: _Recipe
    state: tuple[np.ndarray, ...]
    settings: tuple[np.ndarray, ...]
    seed: int
    history: History
    steps: int
    seconds: float
    made: Result | None = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "made": None}

    @property
    def result(self) -> Result:
        if self.made is None:
            learner = self.recipe.learner()
            run = self.recipe.functor(learner)
            spaces = [wire.space for wire in learner.context if not wire.stored]
            given = zip((*learner.state, *spaces), (*self.state, *self.settings), strict=True)
            arrays = [run.accept(space, array, "the pickled state") for space, array in given]
            none = np.zeros(0)
            self.made = Result(
                learner,
                tuple(arrays[: len(self.state)]),
                Data(none, none, none, none),
                run,
                tuple(arrays[len(self.state) :]),
                self.seed,
                self.history,
                self.steps,
                self.seconds,
            )
        return self.made


class CircuitClassifier(ClassifierMixin, BaseEstimator):
    """A classifier that trains a circuit of look-up tables; the settings are as the module says.

    `fit` leaves behind: `classes_`, the labels in order; `coding_`, which turns rows into the bits that the circuit
    takes; `circuit_`, the trained `Result` on these bits, to be saved, or exported as hardware; `temperature_` and
    `limit_`, as they were chosen; `loss_curve_` and `accuracy_curve_`, one entry an epoch; `n_features_in_` and, for
    tables with names, `feature_names_in_`. It can be pickled, predictions and all.

    >>> CircuitClassifier(tables=8, epochs=1).fit([[0.0], [1.0]], ["no", "yes"]).predict_proba([[0.5]]).shape
    (1, 2)
    """

    def __init__(
        self,
        *,
        tables: int = 1000,
        arity: int = 4,
        layers: int = 2,
        levels: int = 3,
        nominal: Sequence[int] = (),
        limit: int | Literal["auto"] = "auto",
        scale: int = 16,
        temperature: float | Literal["auto"] = "auto",
        epochs: int = 30,
        batch_size: int = 64,
        backend: str = "auto",
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.tables = tables
        self.arity = arity
        self.layers = layers
        self.levels = levels
        self.nominal = nominal
        self.limit = limit
        self.scale = scale
        self.temperature = temperature
        self.epochs = epochs
        self.batch_size = batch_size
        self.backend = backend
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any) -> CircuitClassifier:
        """Train on rows `X` (rows, features) of numbers and labels `y` (rows,) of any type that sorts; returns itself.

        Raises `ValueError` where scikit-learn's checks fail, `DataError`, which is one, for labels of one class and for
        rows in which no feature varies, `InputError` and `OperationError` for settings that do not fit.
        """
        self._check_settings()
        rows, labels = validate_data(self, X, y)
        check_classification_targets(labels)
        classes, numbers = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise DataError(f"y has one class, {classes.tolist()[0]!r}: a classifier learns to tell two or more apart")
        coding = fit_coding(rows, self.levels, self.nominal)
        bits = coding.encode(rows)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        recipe = self._recipe(bits.shape[1], len(classes), seed)
        learner = recipe.learner()
        result = fit(
            learner,
            Data(bits, numbers, bits[:0], numbers[:0]),
            epochs=self.epochs,
            batch_size=min(self.batch_size, len(rows)),
            seed=seed,
            backend=recipe.functor(learner),
            progress=bool(self.verbose),
        )
        self.classes_, self.coding_ = classes, coding
        self.temperature_, self.limit_ = recipe.temperature, recipe.limit
        self.loss_curve_, self.accuracy_curve_ = result.history.loss, result.history.accuracy
        self._trained = _Trained(
            recipe,
            tuple(map(np.asarray, result.state)),
            tuple(map(np.asarray, result.settings)),
            seed,
            result.history,
            result.steps,
            result.seconds,
            result,
        )
        return self

    @property
    def circuit_(self) -> Result:
        """The trained result, from bits to counts: `circuit_.save(path)` keeps it, `coding_.names()` says the bits."""
        check_is_fitted(self)
        return self._trained.result

    def predict(self, X: Any) -> np.ndarray:
        """The label (rows,) of the largest count, the first of these where several are."""
        counts = self._counts(X)
        return self.classes_[np.argmax(counts, axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probabilities (rows, classes) in the order of `classes_`: the softmax of the counts / `temperature_`."""
        counts = self._counts(X)
        weights = np.exp((counts - counts.max(axis=1, keepdims=True)) / self.temperature_)
        return weights / weights.sum(axis=1, keepdims=True)

    def decision_function(self, X: Any) -> np.ndarray:
        """The counts (rows, classes), whole numbers; of two classes the count of the second less the first, (rows,)."""
        counts = self._counts(X)
        return counts[:, 1] - counts[:, 0] if len(self.classes_) == 2 else counts

    def _counts(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        rows = validate_data(self, X, reset=False)
        return np.asarray(self._trained.result.predict(self.coding_.encode(rows)))

    def _check_settings(self) -> None:
        for name in ("tables", "layers", "batch_size"):
            if not _whole(getattr(self, name), 1):
                raise InputError(f"{name} must be an integer of at least 1; got {getattr(self, name)!r}")
        if not _whole(self.arity, 2, MOST_INPUTS):
            raise InputError(
                f"arity, the inputs of a table, must be an integer from 2 to {MOST_INPUTS}; got {self.arity!r}"
            )
        for name in ("limit", "temperature"):
            if isinstance(getattr(self, name), str) and getattr(self, name) != "auto":
                raise InputError(f"{name} is a number or 'auto'; got {getattr(self, name)!r}")
        if self.backend not in BACKENDS:
            raise UnknownNameError(f"no backend is called {self.backend!r}: {nearest(str(self.backend), BACKENDS)}")

    def _recipe(self, inputs: int, classes: int, seed: int) -> _Recipe:
        each = math.ceil(self.tables / classes)
        widths = [inputs, *[each * classes] * self.layers]
        wirings = tuple(
            balanced(read, made, min(self.arity, read), seed=seed + number)
            for number, (read, made) in enumerate(pairwise(widths))
        )
        return _Recipe(
            inputs,
            classes,
            wirings,
            32 * self.scale if self.limit == "auto" else self.limit,
            self.scale,
            math.sqrt(each / 2) if self.temperature == "auto" else self.temperature,
            self.backend,
        )
