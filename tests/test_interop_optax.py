"""Optax's transformations as optimisers and ours as optax's, against optax itself."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import catlearn as cl
from catlearn import laws, layers, losses, optimisers
from catlearn.errors import InputError, OperationError
from catlearn.functors.jax import Jax
from catlearn.interop.optax import from_optax, to_optax

x, v = cl.Space((), cl.REAL), cl.Space((2, 3), cl.REAL)

THEIRS = {
    "adam": lambda: optax.adam(0.05),
    "a chain": lambda: optax.chain(optax.clip_by_global_norm(0.5), optax.adamw(0.05, weight_decay=0.1)),
    "nesterov": lambda: optax.sgd(0.05, momentum=0.9, nesterov=True),
    "a schedule": lambda: optax.sgd(optax.exponential_decay(0.1, 2, 0.5)),
    "lion": lambda: optax.lion(0.01),
    "adafactor": lambda: optax.adafactor(0.05),
    "no state": lambda: optax.sgd(0.1),
}


def quadratic(parameters):
    return sum(jnp.sum((k + 1) * (p - 0.3) ** 2) for k, p in enumerate(jax.tree_util.tree_leaves(parameters)))


def theirs(rule, parameters, steps):
    state = rule.init(parameters)
    for _ in range(steps):
        changes, state = rule.update(jax.grad(quadratic)(parameters), state, parameters)
        parameters = optax.apply_updates(parameters, changes)
    return parameters


def start():
    rng = np.random.default_rng(0)
    return jnp.asarray(rng.normal(), jnp.float32), jnp.asarray(rng.normal(size=(2, 3)), jnp.float32)


@pytest.mark.parametrize("name", THEIRS)
def test_theirs_as_ours(name):
    rule = from_optax(THEIRS[name]())
    put = Jax()(rule.bound((x, v)).put)
    state = rule.init(start(), (x, v))
    for _ in range(4):
        slopes = jax.grad(quadratic)((state[-2], state[-1]))
        state = put(*state, *(-g for g in slopes))
    for mine, other in zip(state[-2:], theirs(THEIRS[name](), start(), 4), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)


OURS = {
    "gd": (lambda: optimisers.gd(0.05), lambda: optax.sgd(0.05)),
    "momentum": (lambda: optimisers.momentum(0.05, 0.9), lambda: optax.sgd(0.05, momentum=0.9)),
    "nesterov": (lambda: optimisers.nesterov(0.05, 0.9), lambda: optax.sgd(0.05, momentum=0.9, nesterov=True)),
    "adam": (lambda: optimisers.adam(0.05), lambda: optax.adam(0.05)),
    "adagrad": (lambda: optimisers.adagrad_inside(0.05), lambda: optax.adagrad(0.05)),
    "adamw": (lambda: optimisers.adamw(0.05, weight_decay=0.1), lambda: optax.adamw(0.05, weight_decay=0.1)),
}


@pytest.mark.parametrize("name", OURS)
def test_ours_as_theirs(name):
    """On a pytree with names, jitted; Nesterov's params are the gets (OPT.nesterov)."""
    ours, same = OURS[name]
    parameters = dict(zip("ab", start(), strict=True))
    mine = jax.jit(lambda p: theirs(to_optax(ours()), p, 4))(parameters)
    other = theirs(same(), parameters, 4)
    for key in parameters:
        np.testing.assert_allclose(mine[key], other[key], rtol=2e-5, atol=1e-6)


def test_there_and_back():
    back = from_optax(to_optax(optimisers.adam(0.05)))
    put = Jax()(back.bound((x,)).put)
    one = Jax()(optimisers.adam(0.05).bound((x,)).put)
    state = back.init([1.0], (x,))
    direct = optimisers.adam(0.05).init([1.0], (x,))
    for change in (-0.5, 0.25):
        state, direct = put(*state, change), one(*direct, change)
    np.testing.assert_allclose(state[-1], direct[-1], rtol=1e-5)


def test_hyper_parameters_at_other_values():
    rule = to_optax(optimisers.gd(0.1), learning_rate=0.5)
    parameters = jnp.asarray(1.0)
    changes, _ = rule.update(jnp.asarray(2.0), rule.init(parameters), parameters)
    assert float(changes) == -1.0


def test_a_learner_trained_by_an_optax_chain():
    """`fit` with optax's chain, against the loop that a JAX user writes."""
    rng = np.random.default_rng(1)
    data = cl.datasets.Data(
        (rng.normal(size=(24, 2)),), (rng.normal(size=(24, 1)),), (rng.normal(size=(4, 2)),), (rng.normal(size=(4, 1)),)
    )
    model = layers.dense(2, 3, "tanh") >> layers.dense(3, 1)
    chain = THEIRS["a chain"]()
    learner = cl.supervised(model, losses.quadratic, from_optax(chain, "my chain"))
    assert "my chain" in repr(learner)
    result = cl.fit(learner, data, epochs=2, batch_size=8, seed=5, shuffle=False)
    _, apply = model.to_jax()
    leaves = tuple(jnp.asarray(p, jnp.float32) for p in model.initial(5))
    state = chain.init(leaves)

    def loss(leaves, inputs, targets):
        outputs = jax.vmap(lambda row: apply(model.tree(leaves), row))(inputs)
        return 0.5 * ((outputs - targets) ** 2).sum(1).mean()

    (inputs,), (targets,) = data.train_inputs, data.train_targets
    for _ in range(2):
        for k in range(0, 24, 8):
            slopes = jax.grad(loss)(leaves, inputs[k : k + 8].astype("f"), targets[k : k + 8].astype("f"))
            changes, state = chain.update(slopes, state, leaves)
            leaves = optax.apply_updates(leaves, changes)
    for layer, values in model.tree(leaves).items():
        for name, value in values.items():
            np.testing.assert_allclose(result.parameters[layer][name], value, rtol=1e-4, atol=1e-6)


def test_the_laws_of_optimisers_on_theirs():
    """Adam satisfies them; clipping by the norm of all parameters is not elementwise."""
    assert laws.check(from_optax(optax.adam(0.1)), examples=4).wrong == []
    elementwise = laws.by_identifier("OPT.tensor")
    by_norm = from_optax(optax.chain(optax.clip_by_global_norm(0.5), optax.sgd(0.1)), "by norm")
    assert {row.law.identifier for row in laws.check(by_norm, laws=[elementwise], examples=60).wrong} == {"OPT.tensor"}


def test_what_cannot_be_an_optimiser_says_why():
    with pytest.raises(OperationError, match=r"optax.GradientTransformation, such as optax.adam"):
        from_optax(3)
    with pytest.raises(OperationError, match="fails"):
        from_optax(optax.polyak_sgd()).lens((x,))
    with pytest.raises(OperationError, match="keeps key"):
        from_optax(optax.add_noise(0.1, 0.5, jax.random.key(0))).lens((x,))
    with pytest.raises(OperationError, match="works over REAL"):
        from_optax(optax.sgd(0.1)).lens((cl.Space((), cl.Z2),))
    rule = to_optax(optimisers.gd(0.1))
    with pytest.raises(InputError, match="needs the parameters"):
        rule.update(jnp.asarray(1.0), rule.init(jnp.asarray(1.0)))
