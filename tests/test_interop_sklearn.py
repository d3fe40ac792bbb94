"""Learners as scikit-learn estimators: scikit-learn's own checks, and values computed without it."""

import pickle
from dataclasses import dataclass
from functools import partial

import jax
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import catlearn as cl
from catlearn import layers, optimisers
from catlearn.errors import CatlearnError, OperationError
from catlearn.interop.sklearn import LearnerClassifier, LearnerRegressor


@pytest.fixture(autouse=True, scope="module")
def quickly():
    """XLA need not optimise what runs for a moment: most of the time of these tests is compilation."""
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


@dataclass(frozen=True)
class Descent:
    """Gradient descent, with a name that is the same in every process."""

    rate: float

    def __call__(self):
        return optimisers.gd(self.rate)


CHECKED = [
    LearnerClassifier(hidden=(4,), epochs=100, batch_size=200, optimiser=Descent(1.0), random_state=0),
    LearnerRegressor(hidden=(4,), epochs=100, batch_size=200, optimiser=Descent(0.1), random_state=0),
]


@parametrize_with_checks(CHECKED)
def test_the_checks_of_sklearn(estimator, check):
    check(estimator)


def rows(seed, count=30, width=3):
    return np.random.default_rng(seed).normal(size=(count, width))


def test_the_probabilities_are_the_softmax_of_the_scores():
    """With no hidden layer the scores are x W + b: nothing was scaled on the way."""
    x = rows(0) * [1.0, 10.0, 100.0] + 5.0
    y = np.array(["c", "a", "b"])[np.argmax(rows(1), axis=1)]
    estimator = LearnerClassifier(hidden=(), epochs=3, random_state=2).fit(x, y)
    assert estimator.classes_.tolist() == ["a", "b", "c"]
    layer = estimator.parameters_["dense_0"]
    odds = np.exp(x @ layer["weight"] + layer["bias"])
    np.testing.assert_allclose(estimator.predict_proba(x), odds / odds.sum(axis=1, keepdims=True), rtol=1e-9)
    np.testing.assert_array_equal(estimator.predict(x), np.array(["a", "b", "c"])[np.argmax(odds, axis=1)])
    assert estimator.score(x, y) == np.mean(estimator.predict(x) == y)
    assert len(estimator.loss_curve_) == 3


def test_large_scores_do_not_overflow():
    x = np.array([[-1.0], [1.0]])
    estimator = LearnerClassifier(hidden=(), epochs=50, optimiser=partial(optimisers.gd, 1.0)).fit(x, [0, 1])
    np.testing.assert_allclose(estimator.predict_proba(1e6 * x), np.eye(2), atol=1e-12)


def test_one_epoch_of_gradient_descent_on_numbers():
    """From the start that the same seed gives, one full batch: W - rate times the gradient of the mean square."""
    x, y = rows(3, 20), rows(4, 20, 2)
    settings = {"hidden": (), "batch_size": 1000, "random_state": 7, "optimiser": partial(optimisers.gd, 0.3)}
    before = LearnerRegressor(epochs=0, **settings).fit(x, y).parameters_["dense_0"]
    estimator = LearnerRegressor(epochs=1, **settings).fit(x, y)
    residual = x @ before["weight"] + before["bias"] - y
    assert np.abs(before["weight"]).min() > 0
    after = estimator.parameters_["dense_0"]
    np.testing.assert_allclose(after["weight"], before["weight"] - 0.3 * x.T @ residual / 20, rtol=1e-9)
    np.testing.assert_allclose(after["bias"], before["bias"] - 0.3 * residual.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(estimator.predict(x), x @ after["weight"] + after["bias"], rtol=1e-9)


@pytest.mark.parametrize("shape", [(20,), (20, 1), (20, 2)])
def test_predictions_have_the_shape_of_the_targets(shape):
    x = rows(5, 20)
    y = np.random.default_rng(6).normal(size=shape)
    estimator = LearnerRegressor(hidden=(5,), epochs=2, random_state=0).fit(x, y)
    assert estimator.predict(x[:4]).shape == (4, *shape[1:])


def test_the_network_has_the_sizes_and_the_activation_asked_for():
    x = rows(7)
    estimator = LearnerRegressor(hidden=(5, 2), activation="relu", epochs=1, random_state=0).fit(x, x[:, 0])
    p = estimator.parameters_
    assert [p[f"dense_{k}"]["weight"].shape for k in range(3)] == [(3, 5), (5, 2), (2, 1)]
    value = x
    for k in range(3):
        value = value @ p[f"dense_{k}"]["weight"] + p[f"dense_{k}"]["bias"]
        value = np.maximum(value, 0) if k < 2 else value
    np.testing.assert_allclose(estimator.predict(x), value[:, 0], rtol=1e-9)


def test_the_random_state_fixes_everything():
    x, y = rows(8), rows(9)[:, 0]
    fits = [
        LearnerRegressor(hidden=(4,), epochs=2, batch_size=10, random_state=state).fit(x, y).predict(x)
        for state in (1, 1, 2, np.random.RandomState(1))
    ]
    np.testing.assert_array_equal(fits[0], fits[1])
    np.testing.assert_array_equal(fits[0], fits[3])
    assert np.abs(fits[0] - fits[2]).max() > 1e-3


def residual(inputs, outputs):
    """A model of one's own, with a constant in it."""
    return layers.dense(inputs, 6, "tanh") >> layers.dense(6, outputs)


def test_a_model_of_ones_own_and_single_precision():
    x = rows(10)
    estimator = LearnerClassifier(model=residual, precision="float32", epochs=60, batch_size=30, random_state=0)
    y = (x[:, 0] > 0).astype(int)
    assert estimator.fit(x, y).score(x, y) > 0.9
    weight = estimator.parameters_["dense_0"]["weight"]
    assert (weight.shape, weight.dtype) == ((3, 6), np.float32)
    assert estimator.predict_proba(x).dtype == np.float32


def test_a_search_over_settings_in_a_pipeline():
    x, y = load_iris(return_X_y=True)
    base = LearnerClassifier(hidden=(6,), epochs=40, batch_size=100, random_state=0)
    rules = [partial(optimisers.adam, 0.1), partial(optimisers.gd, 1e-6)]
    search = GridSearchCV(
        make_pipeline(StandardScaler(), base), {"learnerclassifier__optimiser": rules}, cv=3, error_score="raise"
    ).fit(x, y)
    assert search.best_params_["learnerclassifier__optimiser"] is rules[0]
    assert search.best_score_ > 0.9 > search.cv_results_["mean_test_score"][1]
    assert not hasattr(base, "classes_")


def test_cross_validation_with_an_optimiser_itself():
    x = rows(11)
    scores = cross_val_score(
        LearnerRegressor(hidden=(), optimiser=optimisers.adam(0.1), epochs=80, random_state=0), x, x @ [1, 2, 3], cv=2
    )
    assert scores.min() > 0.9


def test_settings_are_kept_as_given():
    rule, sizes = optimisers.gd(0.1), [3, 4]
    estimator = LearnerRegressor(optimiser=rule, hidden=sizes, model=residual)
    settings = estimator.get_params()
    assert settings["optimiser"] is rule
    assert settings["hidden"] is sizes
    assert settings["model"] is residual
    copied = clone(estimator)
    assert copied.hidden == sizes
    assert copied.model is residual


def test_a_pickle_predicts_the_same_and_can_be_pickled_again():
    """Nesterov's get is not what is stored: the whole state and the hyper-parameters come back."""
    x, y = rows(12), rows(13)[:, 0]
    for precision in ("float64", "float32"):
        estimator = LearnerRegressor(
            hidden=(4,), epochs=3, optimiser=partial(optimisers.nesterov, 0.05), precision=precision, random_state=0
        ).fit(x, y)
        expected = estimator.predict(x)
        once = pickle.loads(pickle.dumps(estimator))
        twice = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(once))))
        for other in (once, twice):
            np.testing.assert_array_equal(other.predict(x), expected)
        once.set_params(hidden=(9,))
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(once)).predict(x), expected)
    closed = LearnerRegressor(hidden=(), epochs=0, optimiser=optimisers.gd(0.1)).fit(x, y)
    with pytest.raises((pickle.PicklingError, AttributeError), match=r"local object|<lambda>"):
        pickle.dumps(closed)


def test_settings_that_do_not_fit_say_why():
    x, y = rows(14), rows(15)[:, 0]
    with pytest.raises(OperationError, match=r"model\(3, 1\) must map .*; it maps .*Space\(\(4,\)"):
        LearnerRegressor(model=lambda inputs, outputs: layers.dense(4, outputs)).fit(x, y)
    with pytest.raises(OperationError, match=r"model is None or a function \(inputs, outputs\) -> Para"):
        LearnerRegressor(model=layers.dense(3, 1)).fit(x, y)
    with pytest.raises(OperationError, match=r"model\(3, 1\) must be a Para; it is 4"):
        LearnerRegressor(model=lambda inputs, outputs: 4).fit(x, y)
    for wrong in ({"optimiser": 0.1}, {"epochs": -1}, {"batch_size": 0}, {"precision": "float8"}, {"activation": "x"}):
        with pytest.raises(CatlearnError):
            LearnerRegressor(**wrong).fit(x, y)
    with pytest.raises(NotFittedError):
        LearnerClassifier().predict(x)
    with pytest.raises(ValueError, match="X has 2 features, but LearnerRegressor is expecting 3"):
        LearnerRegressor(hidden=(), epochs=0).fit(x, y).predict(x[:, :2])


def test_the_model_may_have_several_layers_named_alike():
    """`parameters_` are the parameters by name, as in a result of fit."""
    x = rows(16)
    estimator = LearnerRegressor(hidden=(2, 2), epochs=0, random_state=0).fit(x, x[:, 1])
    assert list(estimator.parameters_) == ["dense_0", "dense_1", "dense_2"]
    assert isinstance(estimator._trained.result, cl.Result)
