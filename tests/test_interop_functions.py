"""JAX functions of a pytree of parameters as parametrised maps, against JAX itself."""

from collections import namedtuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import catlearn as cl
from catlearn import losses, optimisers
from catlearn.errors import DataError, InputError, OperationError
from catlearn.functors.jax import Jax
from catlearn.interop.functions import Given, from_apply, from_pytree, to_pytree
from catlearn.reverse import reverse_derivative

Pair = namedtuple("Pair", ["weight", "bias"])
two, three = cl.Space(2, cl.REAL), cl.Space(3, cl.REAL)


def start(seed=0):
    """A pytree of many kinds of node, with a scalar and a low precision."""
    rng = np.random.default_rng(seed)
    return {
        "layers": [
            Pair(jnp.asarray(rng.normal(size=(2, 4)), jnp.float32), rng.normal(size=4)),
            (jnp.asarray(rng.normal(size=(4, 3)), jnp.float32),),
        ],
        "gain": np.float32(1.5),
        "shift": jnp.asarray([0.5, -0.25, 2.0], jnp.bfloat16),
        "nothing": None,
    }


def apply(p, x):
    (weight, bias), (last,) = p["layers"]
    return p["gain"] * (jnp.tanh(x @ weight + bias) @ last) + p["shift"]


NAMES = ["gain", "layers.0.weight", "layers.0.bias", "layers.1.0", "shift"]


def single(tree):
    return jax.tree_util.tree_map(lambda leaf: jnp.asarray(leaf, jnp.float32), tree)


def test_values_and_gradients_are_those_of_jax():
    parameters = start()
    model = from_apply(apply, parameters, two, three, "net")
    assert model.names == tuple(f"net_0.{name}" for name in NAMES)
    assert [space.shape for space in model.parameter] == [(), (2, 4), (4,), (4, 3), (3,)]
    assert len(model.morphism.nodes) == 1
    rng = np.random.default_rng(1)
    x, d = rng.normal(size=2).astype("f"), rng.normal(size=3).astype("f")
    values = model.initial(7)
    expected, pull = jax.vjp(apply, single(parameters), x)
    np.testing.assert_allclose(Jax()(model.morphism)(*values, x), expected, rtol=1e-6)
    mine = Jax()(reverse_derivative(model.morphism))(*values, x, d)
    slopes, back = pull(jnp.asarray(d))
    for ours, theirs in zip(mine, [*from_pytree(slopes).values(), back], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_it_starts_at_the_leaves_whatever_the_seed_and_keeps_them():
    array = np.array([1.0, 2.0])
    model = from_apply(lambda p, x: p["a"] * x, {"a": array}, two, two)
    array[0] = 9.0
    for seed in (0, 1):
        (first,) = model.initial(seed)
        np.testing.assert_array_equal(first, [1.0, 2.0])
        first[0] = 5.0
    assert Given.of([1.0, 2.0]) == Given.of(np.array([1.0, 2.0])) != Given.of([1.0, 3.0])
    assert hash(Given.of([1.0, 2.0])) == hash(Given.of([1.0, 2.0]))
    assert Given.of([[1.0, 2.0]]) != Given.of([1.0, 2.0])
    with pytest.raises(InputError, match=r"shape \(2,\)"):
        Given.of([1.0, 2.0])(np.random.default_rng(0), three)


def test_two_of_one_function_and_structure_are_equal_morphisms():
    one, other = (from_apply(apply, start(seed), two, three) for seed in (0, 1))
    assert one == other
    assert one != from_apply(lambda p, x: apply(p, x), start(), two, three)


def test_training_is_the_loop_of_jax_and_optax():
    parameters = start()
    rng = np.random.default_rng(2)
    inputs, targets = rng.normal(size=(12, 2)).astype("f"), rng.normal(size=(12, 3)).astype("f")
    model = from_apply(apply, parameters, two, three, "net")
    learner = cl.supervised(model, losses.quadratic, optimisers.momentum(0.05, 0.9))
    data = cl.Data(inputs, targets, inputs[:0], targets[:0])
    result = cl.fit(learner, data, epochs=3, batch_size=4, shuffle=False)
    rule = optax.sgd(0.05, momentum=0.9)
    theirs = single(parameters)
    state = rule.init(theirs)

    def loss(p, x, y):
        return 0.5 * ((jax.vmap(lambda row: apply(p, row))(x) - y) ** 2).sum(1).mean()

    for _ in range(3):
        for k in range(0, 12, 4):
            changes, state = rule.update(jax.grad(loss)(theirs, inputs[k : k + 4], targets[k : k + 4]), state)
            theirs = optax.apply_updates(theirs, changes)
    mine = to_pytree(theirs, result.parameters["net_0"])
    assert jax.tree_util.tree_structure(mine) == jax.tree_util.tree_structure(parameters)
    for ours, other in zip(jax.tree_util.tree_leaves(mine), jax.tree_util.tree_leaves(theirs), strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-5, atol=1e-6)


def test_it_composes_and_takes_several_wires_and_discrete_ones():
    label = cl.Space((), cl.Discrete(3))
    table = np.arange(6.0).reshape(3, 2)
    look = from_apply(lambda p, k, x: (p["table"][k], x + 1.0), {"table": table}, (label, two), (two, two), "look")
    both = look >> from_apply(lambda p, a, b: a @ p @ b, np.eye(2) * 2.0, (two, two), cl.Space((), cl.REAL), "form")
    assert both.names == ("form_0.value", "look_0.table")
    assert float(both.morphism(*both.initial(), 2, [0.0, 1.0])) == pytest.approx(2 * (4.0 * 1.0 + 5.0 * 2.0))
    back = reverse_derivative(both.morphism)(*both.initial(), 2, [0.0, 1.0], 0.5)
    np.testing.assert_allclose(back[1], [[0, 0], [0, 0], [1.0, 2.0]])


def test_values_go_back_into_their_pytree():
    parameters = start()
    named = from_pytree(parameters)
    assert list(named) == NAMES
    other = {name: np.asarray(leaf, float) + 1.0 for name, leaf in named.items()}
    there = to_pytree(parameters, other)
    assert there["shift"].dtype == jnp.bfloat16
    assert isinstance(there["layers"][0], Pair)
    assert there["nothing"] is None
    assert float(there["gain"]) == 2.5
    np.testing.assert_allclose(there["layers"][0].bias, parameters["layers"][0].bias + 1.0)
    with pytest.raises(DataError, match=r"missing \['gain'\], unknown \['pain'\]"):
        to_pytree(parameters, {("pain" if name == "gain" else name): x for name, x in other.items()})
    with pytest.raises(DataError, match=r"missing none, unknown \['more'\]"):
        to_pytree(parameters, {**other, "more": 1.0})
    with pytest.raises(InputError, match=r"'layers.1.0' must have shape \(4, 3\); got shape \(3, 4\)"):
        to_pytree(parameters, {**other, "layers.1.0": other["layers.1.0"].T})


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"a": np.arange(3)}, "'a' has dtype int64"),
        ({"a": np.ones(3, complex)}, "'a' has dtype complex128"),
        ({"a": [np.ones(3), 0.5]}, "'a.1' is 0.5"),
        ({"a": "relu"}, "'a' is 'relu'"),
        ({"a.b": np.ones(3), "a": {"b": np.ones(3)}}, "two parameters are called 'a.b'"),
    ],
)
def test_a_leaf_that_is_no_parameter_is_named(parameters, match):
    with pytest.raises(OperationError, match=match):
        from_apply(lambda p, x: x, parameters, three, three)


def test_a_function_that_does_not_fit_says_so_at_once():
    with pytest.raises(OperationError, match=r"f cannot be called with its parameters and one of \(Space\(\(3,\)"):
        from_apply(apply, start(), three, three, "f")
    with pytest.raises(OperationError, match=r"returns \[\(3,\)\] on one sample, and cod is \(Space\(\(2,\)"):
        from_apply(apply, start(), two, two)
    with pytest.raises(OperationError, match=r"returns \['dict'\]"):
        from_apply(lambda p, x: {"y": x}, start(), two, two)
    with pytest.raises(OperationError, match="'a' is being traced"):
        jax.jit(lambda a: from_apply(lambda p, x: x, {"a": a}, two, two).initial()[0])(jnp.ones(2))
