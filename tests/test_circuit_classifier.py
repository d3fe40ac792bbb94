"""A circuit of tables as a scikit-learn classifier: scikit-learn's own checks, and counts computed without it."""

import pickle
import subprocess
import sys

import jax
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import catlearn as cl
from catlearn.checkpoints import load
from catlearn.errors import CatlearnError, DataError, InputError, OperationError, UnknownNameError
from catlearn.exporting import circuit_of
from catlearn.functors.bits import available
from catlearn.generators.rescaling import Rescale
from catlearn.interop.circuits import CircuitClassifier
from catlearn.netlist import evaluate

BACKENDS = ["jax", pytest.param("bits", marks=pytest.mark.skipif(not available(), reason="numba is not installed"))]


@pytest.fixture(autouse=True, scope="module")
def quickly():
    """XLA need not optimise what runs for a moment."""
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


@parametrize_with_checks([CircuitClassifier(tables=60, epochs=10, random_state=0)])
def test_the_checks_of_sklearn(estimator, check):
    check(estimator)


def small(**settings):
    """A circuit that trains in a moment."""
    return CircuitClassifier(**{"tables": 20, "arity": 3, "epochs": 2, "random_state": 0} | settings)


def table(seed, classes=3, count=60, width=4):
    """Rows, and labels that depend on two of their features."""
    rows = np.random.default_rng(seed).normal(size=(count, width))
    return rows, np.array(["c", "a", "b", "d"])[np.digitize(rows[:, 0] + rows[:, 1], [-0.5, 0.5, 1.5][: classes - 1])]


def counted(estimator, rows):
    """The class counts, table by table, from the coding, the wiring and the tables."""
    values = [
        [int(value > level) for k, part in estimator.coding_.parts for value, level in thresholds(row[k], part)]
        for row in rows
    ]
    result = []
    for bits in values:
        for number, wiring in enumerate(estimator._trained.recipe.wirings):
            entries = estimator.circuit_.parameters[f"table_layer_{number}"]["table"]
            bits = [entries[w][sum(bits[place] << i for i, place in enumerate(wiring[w]))] for w in range(len(wiring))]
            bits = [int(bit) for bit in bits]
        each = len(bits) // len(estimator.classes_)
        result.append([sum(bits[k : k + each]) for k in range(0, len(bits), each)])
    return np.array(result)


def thresholds(value, part):
    return [(value, level) for level in np.ravel(part.levels)]


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_predictions_come_from_counts_of_tables(layers):
    """Also in deep circuits, whose votes are rescaled on their way back and whose bits are not."""
    x, y = table(0)
    estimator = small(layers=layers).fit(x, y)
    assert len(estimator._trained.recipe.wirings) == layers
    fresh = table(1)[0]
    counts = counted(estimator, fresh)
    assert len(np.unique(counts, axis=0)) > 5
    found = estimator.decision_function(fresh)
    assert found.dtype.kind == "i"
    np.testing.assert_array_equal(found, counts)
    odds = np.exp(counts / estimator.temperature_)
    np.testing.assert_allclose(estimator.predict_proba(fresh), odds / odds.sum(axis=1, keepdims=True), rtol=1e-12)
    np.testing.assert_array_equal(estimator.predict(fresh), np.array(["a", "b", "c"])[np.argmax(counts, axis=1)])
    assert estimator.score(x, y) == np.mean(estimator.predict(x) == y)


def test_of_two_classes_the_decision_is_the_difference_of_the_counts():
    x, y = table(2, classes=2)
    estimator = small().fit(x, y)
    counts = counted(estimator, x)
    np.testing.assert_array_equal(estimator.decision_function(x), counts[:, 1] - counts[:, 0])
    tied = counts[:, 0] == counts[:, 1]
    assert tied.any()
    assert set(estimator.predict(x)[tied]) == {"a"}


def test_probabilities_sum_to_one_and_rise_with_the_counts():
    x, y = table(3, classes=4)
    estimator = small(tables=40, temperature=0.1).fit(x, y)
    counts, proba = estimator.decision_function(x), estimator.predict_proba(x)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
    assert proba.min() >= 0
    order = np.argsort(counts, axis=1, kind="stable")
    assert (np.diff(np.take_along_axis(proba, order, axis=1), axis=1) >= 0).all()


def test_the_wider_the_circuit_the_higher_its_temperature():
    """4 to 5 counts at 500 tables for ten classes, 20 at 8,000; and every class has equally many tables."""
    rows, labels = np.arange(20.0)[:, None], np.arange(20) % 10
    for tables, made, temperature in ((500, 500, 5.0), (8000, 8000, 20.0), (195, 200, 10**0.5), (1, 10, 0.5**0.5)):
        estimator = CircuitClassifier(tables=tables, epochs=0, random_state=0).fit(rows, labels)
        assert estimator.temperature_ == pytest.approx(temperature)
        assert [wiring.shape for wiring in estimator._trained.recipe.wirings] == [(made, 3), (made, min(made, 4))]
    chosen = small(temperature=3, limit=40).fit(rows, labels)
    assert (chosen.temperature_, chosen.limit_) == (3, 40)
    assert CircuitClassifier(tables=10, epochs=0, scale=64).fit(rows, labels).limit_ == 32 * 64


def test_tables_read_all_bits_where_there_are_few():
    rows = np.array([[0.0], [1.0]] * 10)
    estimator = small(epochs=10).fit(rows, rows[:, 0] > 0)
    assert [wiring.shape[1] for wiring in estimator._trained.recipe.wirings] == [1, 3]
    assert estimator.predict([[0.2], [0.8]]).tolist() == [False, True]
    assert estimator.score(rows, rows[:, 0] > 0) == 1.0


def test_the_coding_is_fitted_on_the_training_rows_and_remembered():
    rows = np.array([[0, 7, 3], [1, 7, 5], [2, 7, 9], [3, 7, 3]] * 5)
    labels = rows[:, 0] > 1
    estimator = small(levels=5, nominal=(2,)).fit(rows, labels)
    assert estimator.coding_.names() == ("x0 > 0.5", "x0 > 1.5", "x0 > 2.5", "x2 = 3", "x2 = 5", "x2 = 9")
    assert estimator.coding_.dropped == (1,)
    before = estimator.coding_
    unseen = np.array([[9, -1, 4], [2, 7, 1]])
    np.testing.assert_array_equal(
        estimator.decision_function(unseen), estimator.decision_function(np.array([[3, 7, 0], [2, 0, 0]]))
    )
    assert estimator.coding_ == before
    for kind in (np.uint8, np.float32, object):
        np.testing.assert_array_equal(estimator.predict(rows.astype(kind)), estimator.predict(rows))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_neighbouring_numbers_are_told_apart_in_their_precision(kind):
    low = kind(0.1)
    rows = np.array([[low], [np.nextafter(low, kind(1))]] * 10, kind)
    labels = np.arange(20) % 2
    assert small(epochs=20).fit(rows, labels).score(rows, labels) == 1.0


def test_exclusive_or_is_learnt():
    rows = np.random.default_rng(5).integers(0, 2, (200, 6))
    labels = rows[:, 1] ^ rows[:, 4]
    assert small(tables=200, epochs=30).fit(rows[:150], labels[:150]).score(rows[150:], labels[150:]) > 0.95


def test_iris_by_cross_validation():
    x, y = load_iris(return_X_y=True)
    assert cross_val_score(CircuitClassifier(random_state=0), x, y, cv=5).mean() > 0.92


def test_a_search_over_settings_in_a_pipeline():
    x, y = load_breast_cancer(return_X_y=True)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), small(tables=100, epochs=5)), {"circuitclassifier__epochs": [0, 8]}, cv=2
    ).fit(x[::2], y[::2])
    assert search.best_params_ == {"circuitclassifier__epochs": 8}
    assert search.best_score_ > 0.9 > search.cv_results_["mean_test_score"][0]


def test_six_layers_learn():
    x, y = load_iris(return_X_y=True)
    assert CircuitClassifier(tables=300, layers=6, random_state=0).fit(x, y).score(x, y) > 0.9


@pytest.mark.parametrize(("layers", "rescaled"), [(1, 0), (3, 0), (4, 3), (6, 5)])
def test_votes_are_rescaled_between_the_layers_of_a_deep_circuit(layers, rescaled):
    model = small(layers=layers, epochs=0).fit(*table(15)).circuit_.learner.model
    assert sum(type(generator) is Rescale for generator, _, _ in model.diagram.nodes) == rescaled


@pytest.mark.parametrize("layers", [1, 4])
@pytest.mark.skipif(not available(), reason="numba is not installed")
def test_both_backends_give_the_same_bits(layers):
    x, y = table(6)
    kernels, plain = (small(layers=layers, backend=name, batch_size=30).fit(x, y) for name in ("bits", "jax"))
    assert [repr(e.circuit_.backend)[:4] for e in (kernels, plain)] == ["Bits", "Jax("]
    for one, other in zip(kernels.circuit_.state, plain.circuit_.state, strict=True):
        np.testing.assert_array_equal(one, np.asarray(other))
    np.testing.assert_array_equal(kernels.decision_function(x), plain.decision_function(x))
    assert kernels.loss_curve_ == pytest.approx(
        plain.loss_curve_, rel=1e-6
    )  # sums of whole numbers, in single precision
    assert len(kernels.accuracy_curve_) == 2


def test_the_random_state_fixes_everything():
    x, y = table(7)
    made = [small(random_state=state).fit(x, y).decision_function(x) for state in (1, 1, 2, np.random.RandomState(1))]
    np.testing.assert_array_equal(made[0], made[1])
    np.testing.assert_array_equal(made[0], made[3])
    assert (made[0] != made[2]).any()
    wirings = small(tables=21, layers=3).fit(x, y)._trained.recipe.wirings
    assert (wirings[1] != wirings[2]).any()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_pickle_predicts_the_same_and_can_be_pickled_again(backend):
    x, y = table(8)
    estimator = small(backend=backend).fit(x, y)
    once = pickle.loads(pickle.dumps(estimator))
    twice = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(once))))
    for other in (once, twice):
        np.testing.assert_array_equal(other.predict_proba(x), estimator.predict_proba(x))
        assert other.circuit_.history == estimator.circuit_.history
        assert other.circuit_.steps == estimator.circuit_.steps == 2
    once.set_params(tables=7, temperature=100.0, levels=9)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(once)).predict_proba(x), estimator.predict_proba(x))


def test_a_pickle_keeps_the_wiring_that_was_drawn(monkeypatch):
    """How wirings are drawn may change from version to version; a trained circuit does not."""
    x, y = table(9)
    estimator = small().fit(x, y)
    kept = pickle.dumps(estimator)
    monkeypatch.setattr("catlearn.interop.circuits.balanced", None)
    np.testing.assert_array_equal(pickle.loads(kept).predict(x), estimator.predict(x))


def test_settings_are_kept_as_given():
    settings = {"nominal": [1], "limit": "auto", "temperature": 2, "tables": np.int64(5), "verbose": 0}
    estimator = CircuitClassifier(**settings)
    assert all(estimator.get_params()[name] is value for name, value in settings.items())
    assert clone(estimator).get_params() == estimator.get_params()
    assert estimator.fit(*table(10)).predict(table(10)[0]).shape == (60,)


def test_the_circuit_is_a_result_to_export():
    """The netlist that is exported has the counts of the classifier, bit for bit."""
    x, y = table(11)
    estimator = small().fit(x, y)
    assert isinstance(estimator.circuit_, cl.Result)
    assert estimator.circuit_.train_accuracy == pytest.approx(100 * estimator.score(x, y))
    bits = estimator.coding_.encode(x)
    for result in (estimator.circuit_, pickle.loads(pickle.dumps(estimator)).circuit_):
        netlist = circuit_of(result)
        (port,) = netlist.results
        found = evaluate(netlist, bits).reshape(len(bits), port.count, port.width) @ (1 << np.arange(port.width))
        np.testing.assert_array_equal(found, estimator.decision_function(x))


def test_the_circuit_can_be_saved(tmp_path):
    x, y = table(16)
    estimator = small().fit(x, y)
    loaded = load(estimator.circuit_.save(tmp_path / "circuit.safetensors"))
    np.testing.assert_array_equal(loaded.predict(estimator.coding_.encode(x)), estimator.decision_function(x))


def test_progress_is_shown_when_asked_for(capsys):
    x, y = table(12)
    small(epochs=1).fit(x, y)
    assert capsys.readouterr().err == ""
    small(epochs=1, verbose=True).fit(x, y)
    assert "accuracy" in capsys.readouterr().err


def test_names_of_features_are_kept():
    pandas = pytest.importorskip("pandas")
    x, y = table(13)
    frame = pandas.DataFrame(x, columns=["p", "q", "r", "s"])
    estimator = small().fit(frame, y)
    assert estimator.feature_names_in_.tolist() == ["p", "q", "r", "s"]
    assert estimator.n_features_in_ == 4
    with pytest.raises(ValueError, match="feature names should match"):
        estimator.predict(frame.rename(columns={"p": "z"}))


X, Y = table(14)
NAN, INFINITE = X.copy(), X.copy()
NAN[3, 1], INFINITE[3, 1] = np.nan, np.inf


@pytest.mark.parametrize(
    ("rows", "labels", "error", "message"),
    [
        (X, ["same"] * 60, DataError, "y has one class, 'same': a classifier learns to tell two or more apart"),
        (X, np.full(60, 3), DataError, "y has one class, 3:"),
        (np.ones((60, 2)), Y, DataError, "no column of the table varies, so there is nothing to learn from"),
        (NAN, Y, ValueError, "Input X contains NaN"),
        (INFINITE, Y, ValueError, "Input X contains infinity"),
        (np.zeros((0, 4)), [], ValueError, r"Found array with 0 sample\(s\)"),
        (np.zeros((60, 0)), Y, ValueError, r"Found array with 0 feature\(s\)"),
        (X[:, 0], Y, ValueError, "Expected 2D array, got 1D array"),
        ([["a"], ["b"]], [0, 1], ValueError, "could not convert string to float|dtype='numeric' is not compatible"),
        (X, Y[:50], ValueError, "inconsistent numbers of samples"),
        (X, X[:, 0], ValueError, "Unknown label type: continuous"),
        (X, np.where(Y == "a", np.nan, 1.0), ValueError, "Input y contains NaN"),
    ],
)
def test_bad_rows_say_what_is_wrong(rows, labels, error, message):
    with pytest.raises(error, match=message):
        small().fit(rows, labels)


def test_sparse_rows_and_weights_are_refused():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match="Sparse data was passed"):
        small().fit(sparse.csr_array(X), Y)
    with pytest.raises(TypeError, match="sample_weight"):
        small().fit(X, Y, sample_weight=np.ones(60))


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"tables": 0}, InputError, "tables must be an integer of at least 1; got 0"),
        ({"tables": 10.0}, InputError, "tables must be an integer of at least 1; got 10.0"),
        ({"layers": True}, InputError, "layers must be an integer of at least 1; got True"),
        ({"batch_size": "64"}, InputError, "batch_size must be an integer of at least 1; got '64'"),
        ({"arity": 1}, InputError, "arity, the inputs of a table, must be an integer from 2 to 8; got 1"),
        ({"arity": 9}, InputError, "from 2 to 8; got 9"),
        ({"levels": 0}, InputError, "the number of levels is an integer of at least 1; got 0"),
        ({"nominal": (4,)}, InputError, "nominal columns are 0 to 3; got 4"),
        ({"limit": "large"}, InputError, "limit is a number or 'auto'; got 'large'"),
        ({"limit": 0}, OperationError, r"a counter needs a limit, an integer from 1 to 2\*\*30; got 0"),
        ({"scale": 0}, OperationError, "the scale of shares is an integer from 1 to 16384; got 0"),
        ({"temperature": "hot"}, InputError, "temperature is a number or 'auto'; got 'hot'"),
        (
            {"temperature": -1.0},
            OperationError,
            "the temperature of shares is a positive number, at most 65536; got -1.0",
        ),
        ({"epochs": -1}, DataError, "epochs must be an integer of at least 0; got -1"),
        ({"backend": "bit"}, UnknownNameError, "no backend is called 'bit': did you mean 'bits'?"),
    ],
)
def test_settings_that_do_not_fit_say_why(settings, error, message):
    with pytest.raises(error, match=message) as caught:
        small(**settings).fit(X, Y)
    assert isinstance(caught.value, CatlearnError)


def test_what_was_not_fitted_or_has_other_features_is_refused():
    for ask in ("predict", "predict_proba", "decision_function"):
        with pytest.raises(NotFittedError):
            getattr(small(), ask)(X)
    with pytest.raises(NotFittedError):
        _ = small().circuit_
    estimator = small().fit(X, Y)
    with pytest.raises(ValueError, match="X has 2 features, but CircuitClassifier is expecting 4"):
        estimator.predict(X[:, :2])
    with pytest.raises(ValueError, match="Input X contains NaN"):
        estimator.predict(NAN)


def test_it_is_a_name_of_the_package_and_says_what_it_needs():
    assert cl.CircuitClassifier is CircuitClassifier
    program = (
        "import sys; sys.modules['sklearn'] = None\n"
        "from catlearn import *\n"
        "import catlearn\n"
        "assert set(dir(catlearn)) == set(catlearn.__all__)\n"
        "try:\n    catlearn.CircuitClassifier\nexcept CatlearnError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "CircuitClassifier needs scikit-learn, which is not installed: pip install scikit-learn" in done.stdout
