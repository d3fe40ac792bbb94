"""Equinox modules as ours and ours as Equinox modules, against Equinox and JAX themselves."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import catlearn as cl
from catlearn import functions, layers, losses, optimisers
from catlearn.errors import DataError, InputError, OperationError
from catlearn.functors.jax import Jax
from catlearn.interop.equinox import from_equinox, to_equinox
from catlearn.interop.functions import from_pytree, to_pytree
from catlearn.reverse import reverse_derivative


def real(*shape):
    return cl.Space(shape, cl.REAL)


KEY = jax.random.key(3)
MODULES = {
    "mlp": (lambda: eqx.nn.MLP(3, 2, 5, 2, jnp.tanh, key=KEY), (real(3),), (real(2),)),
    "linear": (lambda: eqx.nn.Linear(3, 4, use_bias=False, key=KEY), (real(3),), (real(4),)),
    "gru_cell": (lambda: eqx.nn.GRUCell(3, 4, key=KEY), (real(3), real(4)), (real(4),)),
    "layer_norm": (lambda: eqx.nn.LayerNorm(4), (real(4),), (real(4),)),
    "conv2d": (lambda: eqx.nn.Conv2d(2, 3, 2, key=KEY), (real(2, 4, 4),), (real(3, 3, 3),)),
    "dropout": (lambda: eqx.nn.Dropout(0.5, inference=True), (real(4),), (real(4),)),
}


def points(spaces, seed):
    rng = np.random.default_rng(seed)
    return tuple(jnp.asarray(rng.normal(size=space.shape), jnp.float32) for space in spaces)


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-6)


def theirs_at(module, inputs, cotangent):
    """The output, and the gradients by parameter name and by input, by Equinox and JAX."""
    learnt, static = eqx.partition(module, eqx.is_inexact_array)
    output, pull = jax.vjp(lambda p, *xs: eqx.combine(p, static)(*xs), learnt, *inputs)
    slopes, *back = pull(cotangent)
    return output, from_pytree(slopes), back


@pytest.mark.parametrize("name", MODULES)
def test_theirs_as_ours_and_back(name):
    make, dom, cod = MODULES[name]
    module = make()
    inputs, (cotangent,) = points(dom, 1), points(cod, 2)
    output, slopes, back = theirs_at(module, inputs, cotangent)
    model = from_equinox(module, dom)
    assert (model.dom, model.cod) == (dom, cod)
    assert model.names == tuple(f"{name}_0.{path}" for path in slopes)
    values = model.initial(5)
    close(Jax()(model.morphism)(*values, *inputs), output)
    mine = Jax()(reverse_derivative(model.morphism))(*values, *inputs, cotangent)
    mine = mine if isinstance(mine, tuple) else (mine,)
    for ours, other in zip(mine, [*slopes.values(), *back], strict=True):
        close(ours, other)
    returned = to_equinox(model)
    again, gradients, inwards = theirs_at(returned, inputs, cotangent)
    close(again, output)
    assert {n.removeprefix(f"parameters.{name}_0."): tuple(g.shape) for n, g in gradients.items()} == {
        n: tuple(g.shape) for n, g in slopes.items()
    }
    for path, slope in slopes.items():
        close(gradients[f"parameters.{name}_0.{path}"], slope)
    for ours, other in zip(inwards, back, strict=True):
        close(ours, other)


def test_the_names_are_readable():
    model = from_equinox(eqx.nn.MLP(3, 2, 5, 1, key=KEY), real(3))
    assert model.names == tuple(f"mlp_0.layers.{k}.{n}" for k in (0, 1) for n in ("weight", "bias"))
    twice = model >> from_equinox(eqx.nn.MLP(2, 3, 5, 0, key=KEY), real(2))
    assert twice.names[:2] == ("mlp_1.layers.0.weight", "mlp_1.layers.0.bias")


def test_training_is_the_step_of_equinox_and_optax():
    module = eqx.nn.MLP(3, 2, 5, 1, jax.nn.relu, key=KEY)
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(8, 3)).astype("f"), rng.normal(size=(8, 2)).astype("f")
    learner = cl.supervised(from_equinox(module, real(3)), losses.mean_squared_error, optimisers.adam(0.05))
    data = cl.Data(inputs, targets, inputs[:0], targets[:0])
    result = cl.fit(learner, data, epochs=3, batch_size=8, shuffle=False)
    rule = optax.adam(0.05)
    theirs, state = module, rule.init(eqx.filter(module, eqx.is_inexact_array))

    @eqx.filter_jit
    def step(theirs, state):
        def loss(module):
            return jnp.mean((jax.vmap(module)(inputs) - targets) ** 2)

        changes, state = rule.update(eqx.filter_grad(loss)(theirs), state)
        return eqx.apply_updates(theirs, changes), state

    for _ in range(3):
        theirs, state = step(theirs, state)
    mine = to_pytree(module, result.parameters["mlp_0"])
    assert mine.activation is module.activation
    for ours, other in zip(*map(from_pytree_values, (mine, theirs)), strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-4, atol=1e-5)
    close(jax.vmap(mine)(inputs), result.predict(inputs))


def from_pytree_values(module):
    return from_pytree(eqx.filter(module, eqx.is_inexact_array)).values()


def dense():
    return layers.dense(3, 4, "tanh") >> layers.dense(4, 2)


def test_ours_trained_by_equinox_is_ours_trained_by_fit():
    """The step a user of Equinox writes, with filter_jit, filter_grad and vmap on our module."""
    rng = np.random.default_rng(1)
    inputs, targets = rng.normal(size=(6, 3)).astype("f"), rng.normal(size=(6, 2)).astype("f")
    learner = cl.supervised(dense(), losses.quadratic, optimisers.gd(0.1))
    data = cl.Data(inputs, targets, inputs[:0], targets[:0])
    result = cl.fit(learner, data, epochs=2, batch_size=6, seed=4, shuffle=False)
    module = to_equinox(dense(), seed=4)

    @eqx.filter_jit
    def step(module):
        slopes = eqx.filter_grad(lambda m: 0.5 * ((jax.vmap(m)(inputs) - targets) ** 2).sum(1).mean())(module)
        return jax.tree_util.tree_map(lambda p, g: p - 0.1 * g, module, slopes)

    module = step(step(module))
    for layer, values in result.parameters.items():
        for name, value in values.items():
            close(module.parameters[layer][name], value)
    close(jax.vmap(to_equinox(dense(), result.parameters))(inputs), result.predict(inputs))


def test_values_that_do_not_fit_are_named():
    values = dense().tree(dense().initial())
    with pytest.raises(DataError, match=r"dense_1.bias has shape \(2,\); got shape \(3,\)"):
        to_equinox(dense(), {**values, "dense_1": {**values["dense_1"], "bias": np.zeros(3)}})
    with pytest.raises(DataError, match=r"missing \['dense_1.bias'\], unknown \['dense_1.bais'\]"):
        to_equinox(dense(), {**values, "dense_1": {"weight": np.zeros((4, 2)), "bais": np.zeros(2)}})
    with pytest.raises(InputError, match="takes 1 inputs; got 2"):
        to_equinox(dense())(np.zeros(3), np.zeros(3))
    with pytest.raises(InputError, match=r"input 0 must have shape \(3,\)"):
        to_equinox(dense())(np.zeros(4))
    unnamed = cl.Para((real(),), (real(),), cl.trace((real(), real()), lambda p, x: p * x))
    with pytest.raises(OperationError, match="parameters are named"):
        to_equinox(unnamed)


def test_a_surrogate_keeps_its_own_reverse():
    """A step whose reverse is the identity's: JAX's derivative of what it computes is zero."""
    x = real(3)
    hard = cl.surrogate(
        "hard", cl.trace(x, lambda x: functions.apply("step", x)), cl.trace((x, x), lambda x, d: d * 1.0)
    )
    model = layers.dense(2, 3) >> hard
    module = to_equinox(model, seed=1)
    inputs, (d,) = points((real(2),), 3), points((x,), 4)
    output, slopes, back = theirs_at(module, inputs, d)
    weight = module.parameters["dense_0"]["weight"]
    np.testing.assert_array_equal(output, np.asarray(inputs[0] @ weight > 0, "f"))
    close(slopes["parameters.dense_0.weight"], np.outer(inputs[0], d))
    close(back[0], weight @ d)


def test_frozen_parameters_have_no_gradient_and_keys_come_as_a_key():
    key = cl.Parameter("key", cl.Space((), cl.KEYS), role="auxiliary")
    noise = cl.from_jax(lambda k, x: x * jax.random.bernoulli(k, 0.5, (4,)), (key.space, real(4)), real(4))
    masked = cl.parametrised("mask", {"key": key}, real(4), noise)
    model = layers.dense(3, 4).freeze("dense_0.bias") >> masked >> layers.dense(4, 2) >> layers.bias(2)
    module = to_equinox(model, seed=2)
    assert set(module.fixed["dense_0"]) == {"bias"}
    (x,), (d,) = points((real(3),), 5), points((real(2),), 6)
    dropped = jax.random.bernoulli(jax.random.split(jax.random.key(8), 1)[0], 0.5, (4,))
    first, second = module.parameters["dense_0"]["weight"], module.parameters["dense_1"]["weight"]
    close(module(x, key=jax.random.key(8)), (x @ first * dropped) @ second)
    slopes = eqx.filter_grad(lambda m: m(x, key=jax.random.key(8)) @ d)(module)
    close(slopes.parameters["dense_0"]["weight"], np.outer(x, dropped * (second @ d)))
    np.testing.assert_array_equal(slopes.fixed["dense_0"]["bias"], np.zeros(4))
    assert float(jnp.abs(slopes.parameters["dense_1"]["bias"]).sum()) > 0
    with pytest.raises(InputError, match=r"pass key=jax.random.key\(seed\)"):
        module(x)


def test_a_circuit_has_values_and_no_gradient():
    """Bits are no floating numbers: filter_grad leaves them out, and the values pass through."""
    model = layers.lookup_table(2, 1)
    table = np.array([[0, 1, 1, 0]], np.uint8).reshape(model.parameter[0].shape)
    module = to_equinox(model, {"lookup_table_0": {"table": table}})
    found = [int(module(np.array(bits, np.uint8))[0]) for bits in ((0, 0), (1, 0), (0, 1), (1, 1))]
    assert found == [0, 1, 1, 0]
    assert jax.tree_util.tree_leaves(eqx.filter(module, eqx.is_inexact_array)) == []


class Permuted(eqx.Module):
    """A module with integers and settings besides its parameter."""

    order: jax.Array
    weight: jax.Array
    power: int

    def __call__(self, x):
        return self.weight * x[self.order] ** self.power


def test_integers_and_settings_stay_inside():
    model = from_equinox(Permuted(jnp.array([2, 0, 1]), jnp.array([1.0, 2.0, 3.0]), 2), real(3))
    assert model.names == ("permuted_0.weight",)
    np.testing.assert_allclose(model.morphism(*model.initial(), [1.0, 2.0, 3.0]), [9.0, 2.0, 12.0])


class Integer(eqx.Module):
    """A module that returns no real numbers."""

    weight: jax.Array

    def __call__(self, x):
        return jnp.argmax(self.weight * x)


def test_what_cannot_be_a_parametrised_map_says_why():
    with pytest.raises(OperationError, match=r"dropout cannot be called .* alone: .*inference_mode"):
        from_equinox(eqx.nn.Dropout(0.5), real(4))
    norm, _ = eqx.nn.make_with_state(eqx.nn.BatchNorm)(4, "batch", mode="batch")
    with pytest.raises(OperationError, match=r"batch_norm cannot be called .*keeps a state"):
        from_equinox(norm, real(4))
    with pytest.raises(OperationError, match=r"takes a callable equinox.Module.*got 3"):
        from_equinox(3, real(4))
    with pytest.raises(OperationError, match="must return arrays of real floating numbers"):
        from_equinox(Integer(jnp.ones(4)), real(4))
    with pytest.raises(OperationError, match=r"returns \[\(4,\)\] on one sample, and cod is"):
        from_equinox(eqx.nn.LayerNorm(4), real(4), real(3))
    with pytest.raises(OperationError, match=r"'weight' has dtype complex64"):
        from_equinox(eqx.nn.Linear(2, 2, dtype=jnp.complex64, key=KEY), real(2), real(2))
