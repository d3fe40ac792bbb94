"""Layers against formulas in NumPy and JAX, look-up tables against truth tables."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numerics import ACTIVATIONS_OF_JAX

import catlearn as cl
from catlearn import layers
from catlearn.errors import OperationError, UnknownNameError
from catlearn.functors import Jax


@pytest.mark.parametrize("name", sorted(layers.ACTIVATIONS))
def test_activations_and_their_reverse(name):
    generator = np.random.default_rng(0)
    x, d = generator.normal(size=(2, 5))
    ours = layers.activation(name, cl.Space(5, cl.REAL))
    with jax.enable_x64(True):
        expected, pull = jax.vjp(ACTIVATIONS_OF_JAX[name], x)
        np.testing.assert_allclose(Jax("float64")(ours)(x), expected, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(
            Jax("float64")(cl.reverse_derivative(ours))(x, d), pull(jnp.asarray(d))[0], rtol=1e-9
        )


@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_dense(inputs, outputs, seed):
    generator = np.random.default_rng(seed)
    layer = layers.dense(inputs, outputs, "tanh")
    assert layer.names == ("dense_0.bias", "dense_0.weight")
    b, w, x = (generator.normal(size=shape) for shape in ((outputs,), (inputs, outputs), (inputs,)))
    np.testing.assert_allclose(layer.morphism(b, w, x), np.tanh(x @ w + b), rtol=1e-4, atol=1e-5)


def test_INST_dual_the_reverse_of_linear_and_bias():
    generator = np.random.default_rng(1)
    w, x, d = generator.normal(size=(2, 3)), generator.normal(size=2), generator.normal(size=3)
    back = cl.reverse_derivative(layers.linear(2, 3).morphism)(w, x, d)
    np.testing.assert_allclose(back[0], np.outer(x, d), rtol=1e-6)
    np.testing.assert_allclose(back[1], w @ d, rtol=1e-5)
    np.testing.assert_allclose(cl.reverse_derivative(layers.bias(3).morphism)(d, d, d), (d, d), rtol=1e-6)


@pytest.mark.parametrize("carrier", [cl.Z2, cl.Modular(3)], ids=repr)
def test_linear_over_other_rings(carrier):
    n = 2 if carrier == cl.Z2 else 3
    layer = layers.linear(4, 2, carrier=carrier)
    generator = np.random.default_rng(2)
    w, x = generator.integers(0, n, (4, 2)), generator.integers(0, n, 4)
    np.testing.assert_array_equal(layer.morphism(w, x), x @ w % n)
    assert layer.initial()[0].tolist() == [[0, 0]] * 4


def test_starting_values():
    model = layers.dense(50, 30)
    bias, weight = model.initial(0)
    assert not bias.any()
    assert abs(weight).max() <= np.sqrt(6 / 80)
    assert weight.std() == pytest.approx(np.sqrt(6 / 80) / np.sqrt(3), rel=0.05)
    two = (layers.dense(5, 5) >> layers.dense(5, 5)).initial(0)
    assert not np.array_equal(two[1], two[3])


@given(st.integers(0, 4), st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_lookup_table_reads_its_entries(inputs, outputs, seed):
    """Bit k of the address is the k-th input."""
    table = np.random.default_rng(seed).integers(0, 2, (outputs, 2**inputs))
    f = layers.lookup_table(inputs, outputs).morphism
    for bits in itertools.product((0, 1), repeat=inputs):
        address = sum(bit << k for k, bit in enumerate(bits))
        assert np.asarray(f(table, np.array(bits, int))).tolist() == table[:, address].tolist()


def test_a_lookup_table_is_a_composite_of_generators():
    names = {generator.name.split(",")[0] for generator, _, _ in layers.lookup_table(3, 2).morphism.nodes}
    assert {"multiply", "gather", "concatenate"} <= names
    assert not any("table" in name for name in names)


def test_basis_over_the_integers():
    f = layers.basis(3, cl.INTEGERS)
    for address in range(8):
        bits = [address >> k & 1 for k in range(3)]
        assert np.asarray(f(bits)).tolist() == [int(k == address) for k in range(8)]


def test_mistakes():
    with pytest.raises(UnknownNameError, match="no activation is called 'sigmod': did you mean 'sigmoid'"):
        layers.dense(2, 2, "sigmod")
    with pytest.raises(OperationError, match="inputs must be a non-negative integer; got -1"):
        layers.dense(-1, 2)
    with pytest.raises(OperationError, match="0 to 20 inputs; got 21"):
        layers.basis(21)
    with pytest.raises(OperationError, match="BITS has no operation 'subtract'"):
        layers.lookup_table(2, 1, carrier=cl.BITS)
    with pytest.raises(OperationError, match="softmax acts along a last axis of positive length"):
        layers.dense(2, 0, "softmax")
