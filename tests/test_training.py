"""Training: the published experiment, the loop against one written by hand, what happens when a loss is not finite."""

import pathlib
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import catlearn as cl
from catlearn import datasets, layers, losses, optimisers
from catlearn.datasets import Data
from catlearn.errors import DataError, InputError, NotFiniteError, OperationError
from catlearn.functors import Exact, Jax

ROOT = pathlib.Path(__file__).resolve().parent.parent


def toy(rows=10, seed=0, test_rows=4):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows + test_rows, 3))
    y = x @ generator.normal(size=(3, 2)) + 0.1
    return Data(x[:rows], y[:rows], x[rows:], y[rows:])


def linear_learner(optimiser=None):
    return cl.supervised(layers.dense(3, 2), losses.mean_squared_error, optimiser or optimisers.gd(0.05))


def by_hand(learner, data, orders, size, rate=0.05):
    """The same run in JAX alone: the parameters, the mean losses of the epochs."""
    bias, weight = (jnp.asarray(v, jnp.float32) for v in learner.initial(0))

    def loss(parameters, x, y):
        return jnp.mean((x @ parameters[1] + parameters[0] - y) ** 2)

    means = []
    for order in orders:
        seen = []
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            x, y = (jnp.asarray(part[rows], jnp.float32) for part in (data.train_inputs, data.train_targets))
            value, gradient = jax.value_and_grad(loss)((bias, weight), x, y)
            bias, weight = bias - rate * gradient[0], weight - rate * gradient[1]
            seen += [float(value)] * len(rows)
        means.append(np.mean(seen))
    return bias, weight, means


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("drop_last", [True, False])
def test_fit_is_the_loop_written_by_hand(shuffle, drop_last):
    """Order from (seed, epoch), the short last batch with its own mean, the history weighted by size."""
    data, learner = toy(), linear_learner()
    result = cl.fit(learner, data, epochs=3, batch_size=4, seed=7, shuffle=shuffle, drop_last=drop_last)
    orders = [np.random.default_rng([7, e]).permutation(10) if shuffle else np.arange(10) for e in range(3)]
    orders = [order[:8] if drop_last else order for order in orders]
    start = cl.fit(learner, data, epochs=0, batch_size=4, seed=7)
    assert start.steps == 0
    reference = cl.supervised(layers.dense(3, 2), losses.mean_squared_error, optimisers.gd(0.05))
    object.__setattr__(reference, "initial", lambda seed: learner.initial(7))
    bias, weight, means = by_hand(reference, data, orders, 4)
    np.testing.assert_allclose(result.parameters["dense_0"]["weight"], weight, rtol=1e-5)
    np.testing.assert_allclose(result.parameters["dense_0"]["bias"], bias, rtol=1e-5)
    np.testing.assert_allclose(result.history.loss, means, rtol=1e-5)
    assert result.steps == 3 * (2 if drop_last else 3)


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    data = datasets.iris()
    learner = cl.supervised(layers.dense(4, 3, "softmax"), losses.mean_squared_error, optimisers.adam(0.01))
    runs = [cl.fit(learner, data, epochs=2, batch_size=16, seed=seed) for seed in (3, 3, 4)]
    same, again, other = (run.parameters["dense_0"]["weight"] for run in runs)
    assert same.tobytes() == again.tobytes()
    assert same.tobytes() != other.tobytes()
    assert runs[0].history.loss == runs[1].history.loss


@pytest.mark.parametrize(
    ("classes", "labels", "expected"),
    [(2, "binary", 98.0), (2, "one-hot", 98.0), (3, "binary", 73.3), (3, "one-hot", 73.3)],
)
@pytest.mark.parametrize("backend", [Jax(), Exact()], ids=["jax", "exact"])
def test_RDA_code_iris_the_published_figures(classes, labels, expected, backend):
    data = datasets.iris_sorted(classes).binarised(labels=labels)
    circuit = layers.lookup_table(4, data.train_targets.shape[1])
    learner = cl.supervised(circuit, losses.exclusive_or, optimisers.reverse_derivative_ascent())
    result = cl.fit(learner, data, epochs=1, batch_size=1, shuffle=False, backend=backend)
    assert round(result.test_accuracy, 1) == expected


def test_CAP_id_a_constant_cap_is_fatal_over_z2():
    """Iris with the constant cap 1: 48.0, 0.0, 18.7 and 0.0 % instead (CAP.id)."""
    got = []
    for classes in (2, 3):
        for labels in ("binary", "one-hot"):
            data = datasets.iris_sorted(classes).binarised(labels=labels)
            circuit = layers.lookup_table(4, data.train_targets.shape[1])
            ascent, cap = optimisers.reverse_derivative_ascent(), losses.constant_cap(1)
            learner = cl.supervised(circuit, losses.exclusive_or, ascent, cap=cap)
            result = cl.fit(learner, data, epochs=1, batch_size=1, shuffle=False)
            got.append(round(result.test_accuracy, 1))
    assert got == [48.0, 0.0, 18.7, 0.0]


def test_the_example_prints_the_published_figures():
    done = subprocess.run(
        [sys.executable, "examples/rda_iris.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "HOME": "/tmp"},
    )
    assert [line.split()[-2] for line in done.stdout.splitlines()] == ["98.0", "98.0", "73.3", "73.3"]


def test_history_and_accuracy_by_hand():
    """On Z2 rows the history's accuracy counts the predictions made before each step, and the loss the wrong bits."""
    x = np.array([[0, 0], [1, 0], [0, 0], [1, 1]], np.uint8)
    y = np.array([[1], [0], [1], [1]], np.uint8)
    learner = cl.supervised(layers.lookup_table(2, 1), losses.exclusive_or, optimisers.ga())
    result = cl.fit(learner, Data(x, y, x[:0], y[:0]), epochs=2, batch_size=1, shuffle=False)
    assert result.history.loss == [0.5, 0.0]
    assert result.history.accuracy == [50.0, 100.0]
    assert result.train_accuracy == 100.0
    assert result.test_accuracy is None


def test_hyperparameters_are_inputs():
    data, learner = toy(), linear_learner()
    slow = cl.fit(learner, data, epochs=1, batch_size=5, hyperparameters={"learning_rate": 0.0})
    np.testing.assert_allclose(slow.parameters["dense_0"]["weight"], learner.initial(0)[1].astype("float32"))
    fast = cl.fit(learner, data, epochs=1, batch_size=5, hyperparameters={"learning_rate": 0.1})
    usual = cl.fit(linear_learner(optimisers.gd(0.1)), data, epochs=1, batch_size=5)
    np.testing.assert_allclose(fast.parameters["dense_0"]["weight"], usual.parameters["dense_0"]["weight"])
    with pytest.raises(DataError, match="has no hyper-parameter rate; it has learning_rate"):
        cl.fit(learner, data, epochs=1, batch_size=5, hyperparameters={"rate": 0.1})


def test_a_loss_that_is_not_finite_stops_with_the_last_good_state():
    data = toy(rows=12)
    data.train_inputs[9] = np.nan
    learner = linear_learner()
    with pytest.raises(NotFiniteError, match=r"the loss is nan at step 4 \(epoch 0, rows 8, 9\)") as caught:
        cl.fit(learner, data, epochs=2, batch_size=2, shuffle=False)
    assert (caught.value.step, caught.value.epoch) == (4, 0)
    clean = Data(data.train_inputs[:8], data.train_targets[:8], data.test_inputs, data.test_targets)
    before = cl.fit(learner, clean, epochs=1, batch_size=2, shuffle=False)
    good = caught.value.result
    assert good.steps == 4
    for mine, other in zip(good.state, before.state, strict=True):
        assert np.asarray(mine).tobytes() == np.asarray(other).tobytes()
    assert np.isfinite(good.predict(data.test_inputs)).all()


def test_divergence_in_a_later_epoch():
    learner = linear_learner(optimisers.gd(50.0))
    with pytest.raises(NotFiniteError, match="lower the learning rate") as caught:
        cl.fit(learner, toy(), epochs=50, batch_size=4)
    assert caught.value.epoch > 0
    assert caught.value.step - caught.value.result.steps in (0, 1)
    assert all(np.isfinite(np.asarray(v)).all() for v in caught.value.result.state)


@pytest.mark.parametrize("rows", [0, 1, 5, 5000])
def test_predict(rows):
    result = cl.fit(linear_learner(), toy(), epochs=1, batch_size=5)
    x = np.random.default_rng(1).normal(size=(rows, 3)).astype("float32")
    layer = result.parameters["dense_0"]
    np.testing.assert_allclose(result.predict(x), x @ layer["weight"] + layer["bias"], atol=1e-5)
    assert result.predict(x).shape == (rows, 2)
    with pytest.raises(InputError, match="input array 0 must have shape"):
        result.predict(np.zeros((4, 2)))


def test_several_inputs_and_outputs():
    a, b = cl.Space(2, cl.REAL), cl.Space((), cl.REAL)
    model = cl.parametrised("two", {"w": b}, (a, b), lambda w, x, s: (w * x, s + w))
    learner = cl.supervised(model, losses.quadratic, optimisers.gd(0.1))
    generator = np.random.default_rng(0)
    x, s = generator.normal(size=(9, 2)), generator.normal(size=9)
    data = Data((x, s), (2 * x, s + 2), (x[:3], s[:3]), (2 * x[:3], s[:3] + 2))
    result = cl.fit(learner, data, epochs=200, batch_size=4)
    assert float(result.parameters["two_0"]["w"]) == pytest.approx(2.0, abs=1e-4)
    first, second = result.predict((x, s))
    np.testing.assert_allclose(first, 2 * x, atol=1e-3)
    np.testing.assert_allclose(second, s + 2, atol=1e-3)
    with pytest.raises(DataError, match="train_inputs needs 2 arrays, one a wire; got 1"):
        cl.fit(learner, Data(x, (x, s), x, (x, s)), epochs=1, batch_size=2)


def test_to_jax_agrees_with_predict():
    model = layers.dense(3, 4, "tanh") >> layers.dense(4, 2)
    result = cl.fit(cl.supervised(model, losses.quadratic, optimisers.adam(0.01)), toy(), epochs=2, batch_size=5)
    init, apply = model.to_jax()
    assert jax.tree.map(np.shape, init(0)) == jax.tree.map(np.shape, result.parameters)
    x = toy().test_inputs.astype("float32")
    np.testing.assert_allclose(jax.vmap(apply, (None, 0))(result.parameters, x), result.predict(x), rtol=1e-5)


def test_nesterov_predicts_at_the_get():
    learner = linear_learner(optimisers.nesterov(0.05, 0.9))
    result = cl.fit(learner, toy(), epochs=2, batch_size=5)
    bias_slot, weight_slot, bias, weight = (np.asarray(v) for v in result.state)
    np.testing.assert_allclose(result.parameters["dense_0"]["weight"], weight + 0.9 * weight_slot, rtol=1e-6)
    x = toy().test_inputs.astype("float32")
    np.testing.assert_allclose(result.predict(x), x @ (weight + 0.9 * weight_slot) + bias + 0.9 * bias_slot, rtol=1e-4)


def test_precision_is_the_backends():
    result = cl.fit(linear_learner(), toy(), epochs=1, batch_size=5, backend=Jax("float64"))
    assert result.parameters["dense_0"]["weight"].dtype == np.float64
    assert result.predict(toy().test_inputs).dtype == np.float64


def test_a_progress_bar_changes_nothing(capsys):
    quiet = cl.fit(linear_learner(), toy(), epochs=2, batch_size=5)
    loud = cl.fit(linear_learner(), toy(), epochs=2, batch_size=5, progress=True)
    assert quiet.history.loss == loud.history.loss
    assert "2/2" in capsys.readouterr().err


def test_bad_data():
    data, learner = toy(), linear_learner()
    x, y = data.train_inputs, data.train_targets
    with pytest.raises(DataError, match="the training set is empty"):
        cl.fit(learner, Data(x[:0], y[:0], x, y), epochs=1, batch_size=1)
    with pytest.raises(DataError, match="batch_size is 11 and there are 10 training rows: use at most 10"):
        cl.fit(learner, data, epochs=1, batch_size=11)
    with pytest.raises(DataError, match="train_inputs has 10 rows and train_targets has 9"):
        cl.fit(learner, Data(x, y[:9], x, y), epochs=1, batch_size=1)
    with pytest.raises(DataError, match=r"train_targets needs rows of shape \(2,\) .* got shape \(10, 3\)"):
        cl.fit(learner, Data(x, x, x, y), epochs=1, batch_size=1)
    with pytest.raises(DataError, match="epochs must be an integer of at least 0; got -1"):
        cl.fit(learner, data, epochs=-1, batch_size=1)
    with pytest.raises(DataError, match="fit takes a learner"):
        cl.fit(layers.dense(2, 3), data, epochs=1, batch_size=1)
    with pytest.raises(OperationError, match="has no meaning for"):
        cl.fit(learner, data, epochs=1, batch_size=1, backend=Exact())


def test_labels_out_of_range():
    learner = cl.supervised(layers.dense(3, 2), losses.label_cross_entropy, optimisers.gd(0.1))
    x = toy().train_inputs
    with pytest.raises(InputError, match=r"train_targets has the value 2, which is not in Discrete\(2\)"):
        cl.fit(learner, Data(x, np.arange(10) % 3, x[:0], np.arange(0)), epochs=1, batch_size=2)
    with pytest.raises(InputError, match="test_targets has the value -1"):
        cl.fit(learner, Data(x, np.arange(10) % 2, x[:1], np.array([-1])), epochs=1, batch_size=2)
    with pytest.raises(InputError, match="train_targets must hold integers from 0"):
        cl.fit(learner, Data(x, np.full(10, 0.5), x[:0], np.arange(0)), epochs=1, batch_size=2)
    good = cl.fit(learner, Data(x, np.arange(10) % 2, x, np.arange(10) % 2), epochs=3, batch_size=2)
    guesses = np.argmax(good.predict(x), axis=1)
    assert good.train_accuracy == pytest.approx(100 * np.mean(guesses == np.arange(10) % 2))


def test_parameters_that_overflow_in_the_last_step_are_noticed():
    learner = cl.supervised(layers.linear(3, 2), losses.mean_squared_error, optimisers.gd(1e38))
    data = toy()
    large = Data(data.train_inputs * 1e6, data.train_targets, data.test_inputs, data.test_targets)
    with pytest.raises(NotFiniteError, match=r"the parameters are not finite after step 0 \(epoch 0") as caught:
        cl.fit(learner, large, epochs=3, batch_size=10)
    np.testing.assert_array_equal(caught.value.result.state[0], learner.initial(0)[0].astype("float32"))


def test_the_state_kept_is_finite_where_the_update_before_was_not():
    """The first update overflows, the second step's loss shows it: the state before the first is kept."""
    learner = cl.supervised(layers.linear(3, 2), losses.mean_squared_error, optimisers.gd(1e38))
    data = toy()
    large = Data(data.train_inputs * 1e6, data.train_targets, data.test_inputs, data.test_targets)
    with pytest.raises(NotFiniteError, match=r"the loss is (nan|inf) at step 1 \(epoch 0") as caught:
        cl.fit(learner, large, epochs=1, batch_size=2, shuffle=False)
    assert caught.value.step == 1
    assert caught.value.result.steps == 0
    np.testing.assert_array_equal(caught.value.result.state[0], learner.initial(0)[0].astype("float32"))


def test_a_prediction_that_is_not_finite_is_wrong():
    data = toy()
    learner = cl.supervised(layers.dense(3, 2), losses.mean_squared_error, optimisers.gd(0.1))
    result = cl.fit(
        learner,
        Data(data.train_inputs, data.train_targets, data.test_inputs * np.nan, data.test_targets),
        epochs=1,
        batch_size=5,
    )
    assert result.test_accuracy == 0.0


def test_wrong_arguments():
    data, learner = toy(), linear_learner()
    for seed in (-1, 1.5, "a", None, True):
        with pytest.raises(DataError, match="seed must be an integer of at least 0"):
            cl.fit(learner, data, epochs=1, batch_size=2, seed=seed)
    with pytest.raises(DataError, match="fit takes a Data"):
        cl.fit(learner, None, epochs=1, batch_size=2)
    with pytest.raises(DataError, match="all rows alike"):
        cl.fit(learner, Data([[1.0], [1.0, 2.0]], [1.0], [], []), epochs=1, batch_size=2)
    with pytest.raises(DataError, match="train_inputs needs rows of shape"):
        cl.fit(learner, Data(1.0, 2.0, 1.0, 2.0), epochs=1, batch_size=1)
    with pytest.raises(DataError, match="targets one-hot"):
        Data(np.eye(3), np.arange(3), np.eye(3), np.arange(3)).binarised()
    with pytest.raises(DataError, match="split_seed must be"):
        datasets.iris(-1)


def circuit_learner(data):
    circuit = layers.lookup_table(4, data.train_targets.shape[1])
    return cl.supervised(circuit, losses.exclusive_or, optimisers.reverse_derivative_ascent())


@pytest.mark.parametrize("labels", ["binary", "one-hot"])
def test_the_exact_functor_learns_the_same_table(labels):
    """Also that of a NumPy loop: over Z2 a step flips the entries that the row reads where the bits differ."""
    data = datasets.iris_sorted(3).binarised(labels=labels)
    tables = [
        cl.fit(circuit_learner(data), data, epochs=1, batch_size=1, shuffle=False, backend=b).parameters
        for b in (Jax(), Exact())
    ]
    table = np.zeros((data.train_targets.shape[1], 16), int)
    for x, y in zip(data.train_inputs, data.train_targets, strict=True):
        address = int(x @ (1, 2, 4, 8))
        table[:, address] ^= table[:, address] ^ y
    assert table.any()
    for parameters in tables:
        assert list(parameters) == ["lookup_table_0"]
        assert list(parameters["lookup_table_0"]) == ["table"]
        assert np.asarray(parameters["lookup_table_0"]["table"], int).tolist() == table.tolist()


@settings(max_examples=4)
@given(st.integers(0, 2**32 - 1))
def test_accuracy_is_counted_at_the_get(seed):
    generator = np.random.default_rng(seed)
    x, y = generator.normal(size=(12, 3)), np.eye(2)[generator.integers(0, 2, 12)]
    learner = linear_learner(optimisers.nesterov(0.3, 0.9))
    result = cl.fit(learner, Data(x, y, x[:7], y[:7]), epochs=1, batch_size=4, seed=seed % 1000)
    bias_slot, weight_slot, bias, weight = (np.asarray(v) for v in result.state)
    assert np.abs(weight_slot).max() > 0
    guesses = x.astype("float32") @ (weight + 0.9 * weight_slot) + bias + 0.9 * bias_slot
    right = np.argmax(guesses, axis=1) == np.argmax(y, axis=1)
    assert result.train_accuracy == pytest.approx(100 * right.mean())
    assert result.test_accuracy == pytest.approx(100 * right[:7].mean())


def test_parameters_are_named_by_layer_in_order_of_application():
    model = layers.dense(3, 4, "tanh") >> layers.dense(4, 4) >> layers.linear(4, 2)
    result = cl.fit(cl.supervised(model, losses.quadratic, optimisers.gd(0.1)), toy(), epochs=0, batch_size=5, seed=3)
    shapes = {layer: {name: value.shape for name, value in part.items()} for layer, part in result.parameters.items()}
    dense = {"bias": (4,), "weight": (3, 4)}
    assert shapes == {"dense_0": dense, "dense_1": {"bias": (4,), "weight": (4, 4)}, "linear_0": {"weight": (4, 2)}}
    start = dict(zip(model.names, model.initial(3), strict=True))
    for layer, part in result.parameters.items():
        for name, value in part.items():
            np.testing.assert_array_equal(value, start[f"{layer}.{name}"].astype("float32"))
    assert result.history.loss == result.history.accuracy == []


@pytest.mark.parametrize("size", [1, 3, 8])
def test_a_short_last_batch_counts_with_its_own_mean(size):
    """One epoch over 8 rows in float64, each step's mean over the rows that it has."""
    data = toy(rows=8)
    result = cl.fit(linear_learner(), data, epochs=1, batch_size=size, shuffle=False, backend=Jax("float64"))
    b, w = linear_learner().initial(0)
    for start in range(0, 8, size):
        x, y = data.train_inputs[start : start + size], data.train_targets[start : start + size]
        error = 2 * (x @ w + b - y) / y.size
        b, w = b - 0.05 * error.sum(axis=0), w - 0.05 * x.T @ error
    np.testing.assert_allclose(result.parameters["dense_0"]["weight"], w, rtol=1e-10)
    np.testing.assert_allclose(result.parameters["dense_0"]["bias"], b, rtol=1e-10)


UNCLEAR = {
    "a number": lambda result, data: result.predict(3.0),
    "rows that differ": lambda result, data: result.accuracy(data.train_inputs, data.train_targets[:4]),
    "targets of another shape": lambda result, data: result.accuracy(data.train_inputs, data.train_inputs),
}


@pytest.mark.parametrize("what", UNCLEAR)
def test_what_a_result_does_not_yet_refuse_clearly(what):
    data = toy()
    result = cl.fit(linear_learner(), data, epochs=0, batch_size=5)
    with pytest.raises((DataError, InputError)):
        UNCLEAR[what](result, data)


def test_an_empty_list_is_no_test_rows():
    data = toy()
    empty = Data(data.train_inputs, data.train_targets, [], [])
    assert cl.fit(linear_learner(), empty, epochs=0, batch_size=5).test_accuracy is None
