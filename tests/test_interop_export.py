"""Exported models and steps, against the results and learners that they were made of."""

import subprocess
import sys

import jax
import numpy as np
import pytest

import catlearn as cl
from catlearn import datasets, layers, losses, optimisers
from catlearn.errors import InputError, OperationError
from catlearn.functors import Exact
from catlearn.functors.jax import Jax
from catlearn.interop.export import export_model, export_step, load


def trained(precision="float32", optimiser=None):
    model = layers.dense(4, 6, "tanh") >> layers.dense(6, 3)
    learner = cl.supervised(model, losses.softmax_cross_entropy, optimiser or optimisers.nesterov(0.05))
    return cl.fit(learner, datasets.iris(), epochs=2, batch_size=25, seed=1, backend=Jax(precision))


@pytest.fixture(scope="module")
def result():
    return trained()


def test_a_model_of_any_number_of_rows_predicts_as_the_result(result):
    """Nesterov's get is not what is stored, so the hyper-parameters must be inside."""
    predict = load(export_model(result))
    for rows in (1, 2, 50):
        inputs = result.data.test_inputs[:rows]
        found = predict(inputs)
        assert found.shape == (rows, 3)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, result.predict(inputs), rtol=1e-5, atol=1e-6)


def test_a_model_of_one_batch_size_takes_that_many_rows(result):
    inputs = result.data.test_inputs[:20]
    predict = load(export_model(result, batch=20))
    np.testing.assert_allclose(predict(inputs), result.predict(inputs), rtol=1e-6, atol=1e-7)
    with pytest.raises(InputError, match=r"argument 0 .* must be float32\[20,4\]; got float64\[19, 4\]"):
        predict(inputs[:19])


def test_it_has_the_precision_of_the_backend():
    """In float64 the predictions agree to more digits than float32 has, outside 64-bit mode too."""
    result = trained("float64")
    inputs = result.data.test_inputs
    for predict in (load(export_model(result)), load(export_model(result, batch=50))):
        found = predict(inputs)
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, result.predict(inputs), rtol=1e-12)
    assert not jax.config.jax_enable_x64


@pytest.mark.parametrize("rows", ["any", 5])
def test_the_program_runs_with_jax_alone(result, rows, tmp_path):
    inputs = result.data.test_inputs[:5].astype(np.float32)
    (tmp_path / "model").write_bytes(export_model(result, batch=None if rows == "any" else rows))
    np.save(tmp_path / "inputs.npy", inputs)
    program = (
        "import sys, pathlib, jax, numpy\n"
        "from jax import export\n"
        "here = pathlib.Path(sys.argv[1])\n"
        "call = export.deserialize(bytearray((here / 'model').read_bytes())).call\n"
        "numpy.save(here / 'outputs.npy', call(numpy.load(here / 'inputs.npy')))\n"
        "assert not [name for name in sys.modules if name.startswith('catlearn')]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "outputs.npy"), result.predict(inputs), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("float64", 1e-12)])
def test_a_step_is_the_learners(precision, tolerance):
    """One step from the state reached, at another learning rate than the default; then one more."""
    result = trained(precision, optimisers.adam(0.01))
    learner, rows = result.learner, slice(0, 10)
    inputs, targets = result.data.train_inputs[rows], result.data.train_targets[rows]
    settings = [0.5 if name == "learning_rate" else value for name, value in learner.hyperparameters.items()]
    run, step = Jax(precision)(learner.step(10)), load(export_step(result, 10))
    mine, other = result.state, result.state
    for _ in range(2):
        mine, other = run(*mine, targets, inputs, *settings), step(*other, targets, inputs, *settings)
        assert len(mine) == len(other) == len(learner.state)
        for ours, loaded in zip(mine, other, strict=True):
            assert ours.dtype == loaded.dtype
            np.testing.assert_allclose(loaded, ours, rtol=tolerance, atol=tolerance)
    assert np.abs(np.asarray(other[-1]) - np.asarray(result.state[-1])).max() > 0.1


def noisy():
    """A model that draws a random mask for each sample."""
    key = cl.Parameter("key", cl.Space((), cl.KEYS), role="auxiliary")
    four = cl.Space(4, cl.REAL)
    mask = cl.from_jax(lambda k, x: x * jax.random.bernoulli(k, 0.5, (4,)), (key.space, four), four)
    return cl.parametrised("mask", {"key": key}, four, mask) >> layers.dense(4, 3)


def test_a_model_with_random_keys():
    """A loaded step takes a key a sample; the model draws what the result draws."""
    learner = cl.supervised(noisy(), losses.quadratic, optimisers.gd(0.05))
    result = cl.fit(learner, datasets.iris(), epochs=1, batch_size=50, seed=3)
    inputs = result.data.test_inputs[:7]
    for predict in (load(export_model(result)), load(export_model(result, batch=7))):
        np.testing.assert_allclose(predict(inputs), result.predict(inputs), rtol=1e-5, atol=1e-6)
    keys = jax.random.split(jax.random.key(9), 7)
    given = (*result.state, result.data.test_targets[:7], inputs, 0.05, keys)
    for ours, loaded in zip(Jax()(learner.step(7))(*given), load(export_step(result, 7))(*given), strict=True):
        np.testing.assert_allclose(loaded, ours, rtol=1e-5, atol=1e-6)
    with pytest.raises(InputError, match=r"must be key<fry>\[7\]; got uint32\[7\]"):
        load(export_step(result, 7))(*given[:-1], np.zeros(7, np.uint32))


def test_a_circuit_and_its_one_sample_step():
    learner = cl.supervised(layers.lookup_table(4, 3), losses.exclusive_or, optimisers.reverse_derivative_ascent())
    data = datasets.iris().binarised()
    result = cl.fit(learner, data, epochs=1, batch_size=1, shuffle=False, backend=Jax())
    found = load(export_model(result))(data.test_inputs)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, result.predict(data.test_inputs))
    given = (*learner.initial(), data.train_targets[0], data.train_inputs[0])
    (after,) = load(export_step(result, None))(*given)
    np.testing.assert_array_equal(after, Jax()(learner.step())(*given))
    assert after.any()


def test_arguments_that_do_not_fit_are_refused(result):
    predict = load(export_model(result))
    with pytest.raises(InputError, match=r"takes 1 arrays; got 2"):
        predict(np.zeros((2, 4)), np.zeros((2, 4)))
    with pytest.raises(InputError, match=r"must be float32\[rows,4\]; got float64\[2, 5\]"):
        predict(np.zeros((2, 5)))
    with pytest.raises(InputError, match=r"got float64\[4\]"):
        predict(np.zeros(4))
    with pytest.raises(InputError, match=r"got complex128\[2, 4\]"):
        predict(np.zeros((2, 4), complex))
    assert predict([[1, 2, 3, 4]]).shape == (1, 3)
    assert "float32[rows,4] -> float32[rows,3] for cpu" in repr(predict)


def test_integers_that_would_wrap_are_refused():
    classes = cl.Space((), cl.Discrete(3))
    model = layers.bias(3) >> cl.Para.of(cl.identity(cl.Space(3, cl.REAL)))
    look = cl.from_jax(lambda k: jax.nn.one_hot(k, 3), classes, cl.Space(3, cl.REAL))
    inputs = np.array([0, 2, 1])
    data = cl.Data(inputs, np.eye(3)[inputs], inputs[:0], np.eye(3)[:0])
    learner = cl.supervised(cl.Para.of(look) >> model, losses.quadratic, optimisers.gd(0.1))
    result = cl.fit(learner, data, epochs=1, batch_size=3)
    predict = load(export_model(result))
    np.testing.assert_allclose(predict(inputs), result.predict(inputs), rtol=1e-6)
    for wrong in (np.array([2**32 + 1]), np.array([0.5])):
        with pytest.raises(InputError, match=r"argument 0 .* must be int32\[rows\]"):
            predict(wrong)


def test_bytes_that_are_no_export_are_refused(result):
    content = export_model(result)
    for junk in (b"", b"abc", content[: len(content) // 2], bytes(1000), np.random.default_rng(0).bytes(3000)):
        with pytest.raises(InputError, match=rf"these {len(junk)} bytes are no program"):
            load(junk)
    with pytest.raises(InputError, match=r"takes the bytes that .* wrote; got str"):
        load("model")


def test_a_program_damaged_inside_says_that_it_does_not_run(result, capfd):
    """Zeros over the middle leave the frame whole; JAX finds out when it compiles, and says so on stderr."""
    content = bytearray(export_model(result))
    start = content.index(b"ML\xefR") + 200
    content[start : start + 400] = bytes(400)
    with pytest.raises(InputError, match="does not run on these arrays"):
        load(content)(result.data.test_inputs)
    capfd.readouterr()


def test_a_program_for_another_platform_is_refused(result):
    with pytest.raises(InputError, match=r'exported for tpu and this is cpu: .*platforms=\["cpu"\]'):
        load(export_model(result, platforms=["tpu"]))
    both = load(export_model(result, platforms=["cuda", "cpu"]))
    inputs = result.data.test_inputs
    np.testing.assert_allclose(both(inputs), result.predict(inputs), rtol=1e-5, atol=1e-6)


def test_what_cannot_be_exported_says_why(result):
    data = datasets.iris().binarised()
    circuit = cl.supervised(layers.lookup_table(4, 3), losses.exclusive_or, optimisers.ga())
    exact = cl.fit(circuit, data, epochs=1, batch_size=1, backend=Exact())
    for export in (export_model, lambda r: export_step(r, 1)):
        with pytest.raises(OperationError, match=r"backend functors.Jax\(\); got one of"):
            export(exact)
    with pytest.raises(OperationError, match=r"functors.Jax\(\); got <learner"):
        export_model(result.learner)
    with pytest.raises(OperationError, match=r"batch is a number of rows, at least 1, .*got 0"):
        export_model(result, batch=0)
    for wrong in (["abacus"], "cpu", []):
        with pytest.raises(OperationError, match="platforms is a list of some of cpu, cuda, rocm, tpu"):
            export_model(result, platforms=wrong)
    three = cl.Space(3, cl.REAL)

    def calls_back(x):
        fixed = jax.lax.stop_gradient(x)
        return x + jax.pure_callback(np.sin, jax.ShapeDtypeStruct((3,), x.dtype), fixed, vmap_method="expand_dims")

    learner = cl.supervised(
        layers.dense(4, 3) >> cl.from_jax(calls_back, three, three), losses.quadratic, optimisers.gd(0.1)
    )
    with pytest.raises(OperationError, match="JAX cannot export this"):
        export_model(cl.fit(learner, datasets.iris(), epochs=1, batch_size=50))
    constant = cl.parametrised("constant", {"value": three}, (), lambda value: value)
    alone = cl.supervised(constant, losses.quadratic, optimisers.gd(0.1))
    unfitted = cl.Result(alone, alone.initial(), datasets.iris(), Jax(), (0.1,), 0)
    with pytest.raises(OperationError, match="no inputs to count the rows of"):
        export_model(unfitted)
    np.testing.assert_array_equal(load(export_model(unfitted, batch=2))(), np.zeros((2, 3)))
