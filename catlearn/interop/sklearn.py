"""Learners as scikit-learn estimators, for pipelines, cross-validation and parameter searches.

    LearnerClassifier: scores in R^k, the loss label_cross_entropy;  proba = softmax(scores)
    LearnerRegressor:  predictions in R^m, the loss mean_squared_error

The settings of both, all stored as given:

- `model`: a function (inputs, outputs) -> Para from vectors to vectors, such as `layers.dense`; None is a network of
  dense layers of the sizes `hidden` with that `activation`, and a linear one at the end;
- `optimiser`: an `Optimiser`, or a function that returns one, such as `partial(optimisers.adam, 1e-3)`; None is
  `adam(1e-2)`;
- `epochs`, and `batch_size`, which is cut to the number of rows;
- `precision`: "float64", as scikit-learn computes, or any that `functors.Jax` has;
- `random_state`: what scikit-learn takes; it fixes the starting parameters and the order of the rows.

`fit` scales nothing: put a `StandardScaler` before it. Afterwards `parameters_` holds the parameters by layer and name,
`loss_curve_` the mean loss of each epoch. An estimator can be pickled, predictions and all, if its settings can: an
`Optimiser` holds closures and cannot, a function of a module that returns one can.

>>> import numpy as np
>>> x = np.linspace(-1.0, 1.0, 20)[:, None]
>>> estimator = LearnerClassifier(hidden=(), epochs=5, random_state=0).fit(x, np.where(x[:, 0] > 0, "right", "left"))
>>> estimator.predict([[-0.9], [0.9]]).tolist()
['left', 'right']
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from catlearn.datasets import Data
from catlearn.diagram import Diagram
from catlearn.errors import OperationError
from catlearn.functors.jax import Jax
from catlearn.layers import dense
from catlearn.learner import Learner, supervised
from catlearn.losses import Loss, label_cross_entropy, mean_squared_error
from catlearn.optimisers import Optimiser, adam
from catlearn.para import Para
from catlearn.semirings import REAL
from catlearn.space import Space
from catlearn.training import Result, fit

__all__ = ["LearnerClassifier", "LearnerRegressor"]


@dataclass(frozen=True)
class _Recipe:
    """All that a learner is made of, so that a pickled estimator can make it again."""

    model: Any
    hidden: tuple[int, ...]
    activation: str
    optimiser: Any
    loss: str
    inputs: int
    outputs: int

    def learner(self) -> Learner:
        model = self._model()
        if (model.dom, model.cod) != ((Space(self.inputs, REAL),), (Space(self.outputs, REAL),)):
            raise OperationError(
                f"model({self.inputs}, {self.outputs}) must map {Space(self.inputs, REAL)} to "
                f"{Space(self.outputs, REAL)}; it maps {model.dom} to {model.cod}"
            )
        rule = self.optimiser
        if rule is None:
            rule = adam(1e-2)
        elif not isinstance(rule, Optimiser) and callable(rule):
            rule = rule()
        losses: dict[str, Loss] = {"classes": label_cross_entropy, "numbers": mean_squared_error}
        return supervised(model, losses[self.loss], rule)

    def _model(self) -> Para[Diagram]:
        if self.model is not None:
            if not callable(self.model):
                raise OperationError(
                    f"model is None or a function (inputs, outputs) -> Para, such as layers.dense; got {self.model!r}"
                )
            made = self.model(self.inputs, self.outputs)
            if not isinstance(made, (Para, Diagram)):
                raise OperationError(f"model({self.inputs}, {self.outputs}) must be a Para; it is {made!r}")
            return made if isinstance(made, Para) else Para.of(made)
        sizes = [self.inputs, *self.hidden]
        layers = [dense(a, b, self.activation) for a, b in pairwise(sizes)]
        whole = dense(sizes[-1], self.outputs)
        for layer in reversed(layers):
            whole = layer >> whole
        return whole


class _Trained:
    """A result that can be pickled, as its recipe and its arrays; the learner is made again when it is first used."""

    def __init__(self, recipe: _Recipe, result: Result) -> None:
        self.recipe = recipe
        self.result: Result | None = result
        self.kept = (result.backend.precision, result.seed, _plain(result.state), _plain(result.settings))

    def __getstate__(self) -> dict[str, Any]:
        return {"recipe": self.recipe, "result": None, "kept": self.kept}

    def scores(self, rows: np.ndarray) -> np.ndarray:
        if self.result is None:
            precision, seed, state, settings = self.kept
            run, learner, none = Jax(precision), self.recipe.learner(), np.zeros(0)
            spaces = [wire.space for wire in learner.context if not wire.stored]
            self.result = Result(
                learner=learner,
                state=_accepted(run, learner.state, state),
                data=Data(none, none, none, none),
                backend=run,
                settings=_accepted(run, spaces, settings),
                seed=seed,
            )
        return np.asarray(self.result.predict(rows))


def _plain(arrays: Iterable[Any]) -> tuple[np.ndarray, ...]:
    return tuple(np.asarray(array) for array in arrays)


def _accepted(run: Jax, spaces: Iterable[Space], arrays: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(run.accept(space, array, "the pickled state") for space, array in zip(spaces, arrays, strict=True))


class _LearnerEstimator(BaseEstimator):
    """What the classifier and the regressor share: their settings, and training."""

    def __init__(
        self,
        *,
        model: Callable[[int, int], Para[Diagram]] | None = None,
        hidden: tuple[int, ...] = (64,),
        activation: str = "tanh",
        optimiser: Optimiser | Callable[[], Optimiser] | None = None,
        epochs: int = 100,
        batch_size: int = 32,
        precision: str = "float64",
        random_state: Any = None,
    ) -> None:
        self.model = model
        self.hidden = hidden
        self.activation = activation
        self.optimiser = optimiser
        self.epochs = epochs
        self.batch_size = batch_size
        self.precision = precision
        self.random_state = random_state

    def _train(self, rows: np.ndarray, targets: np.ndarray, loss: str, outputs: int) -> None:
        recipe = _Recipe(self.model, tuple(self.hidden), self.activation, self.optimiser, loss, rows.shape[1], outputs)
        learner = recipe.learner()
        result = fit(
            learner,
            Data(rows, targets, rows[:0], targets[:0]),
            epochs=self.epochs,
            batch_size=min(self.batch_size, len(rows)),
            seed=int(check_random_state(self.random_state).randint(2**31 - 1)),
            backend=Jax(self.precision),
            progress=False,
        )
        self.parameters_ = result.parameters
        self.loss_curve_ = result.history.loss
        self._trained = _Trained(recipe, result)

    def _scores(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return self._trained.scores(validate_data(self, X, reset=False, dtype=self._dtype))

    @property
    def _dtype(self) -> Any:
        return np.float64 if self.precision == "float64" else np.float32


class LearnerClassifier(ClassifierMixin, _LearnerEstimator):
    """A classifier trained by a learner: scores, one a class, by `label_cross_entropy`.

    The settings are keywords, as the module says; `classes_` holds the labels in order.

    >>> LearnerClassifier(hidden=(), epochs=1).fit([[0.0], [1.0]], ["no", "yes"]).predict_proba([[0.5]]).shape
    (1, 2)
    """

    def fit(self, X: Any, y: Any) -> LearnerClassifier:
        """Train on rows `X` (rows, features) and labels `y` (rows,), of any type that sorts; returns itself.

        Raises `ValueError` where scikit-learn's checks fail, `OperationError` for settings that do not fit, and
        `NotFiniteError` where a loss is not finite.
        """
        rows, labels = validate_data(self, X, y, dtype=self._dtype)
        check_classification_targets(labels)
        self.classes_, numbers = np.unique(labels, return_inverse=True)
        self._train(rows, numbers, "classes", len(self.classes_))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probabilities (rows, classes) in the order of `classes_`: the softmax of the scores."""
        scores = self._scores(X)
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        return weights / weights.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> np.ndarray:
        """The label (rows,) of the largest score."""
        scores = self._scores(X)
        return self.classes_[np.argmax(scores, axis=1)]


class LearnerRegressor(RegressorMixin, _LearnerEstimator):
    """A regressor trained by a learner: one number or several a row, by `mean_squared_error`.

    The settings are keywords, as the module says.

    >>> LearnerRegressor(hidden=(), epochs=1).fit([[0.0], [1.0]], [[1.0, 2.0], [3.0, 4.0]]).predict([[0.5]]).shape
    (1, 2)
    """

    def fit(self, X: Any, y: Any) -> LearnerRegressor:
        """Train on rows `X` (rows, features) and numbers `y` (rows,) or (rows, outputs); returns itself.

        Raises `ValueError` where scikit-learn's checks fail, `OperationError` for settings that do not fit, and
        `NotFiniteError` where a loss is not finite.
        """
        rows, numbers = validate_data(self, X, y, dtype=self._dtype, multi_output=True, y_numeric=True)
        self._shape = numbers.shape[1:]
        targets = numbers.reshape(len(numbers), -1).astype(self._dtype)
        self._train(rows, targets, "numbers", targets.shape[1])
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The predictions, (rows,) or (rows, outputs) as `y` was."""
        scores = self._scores(X)
        return scores.reshape(len(scores), *self._shape)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
