"""Transformations around transformations, against optax and by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import catlearn as cl
from catlearn import layers, losses, optimisers, schedules
from catlearn.assignment import by_name
from catlearn.combinators import accumulated, confine, opposite
from catlearn.errors import OperationError

SPACES = (cl.Space((), cl.REAL), cl.Space(2, cl.REAL))


def followed(optimiser, changes):
    """The parameters after each change, starting at 1."""
    whole = optimiser.bound(SPACES)
    state = tuple(jnp.asarray(v, jnp.float32) for v in optimiser.init([np.ones(()), np.ones(2)], SPACES))
    counters = [wire.space.carrier == cl.DISCRETE for wire in optimiser.context(SPACES) if wire.stored]
    state = tuple(v.astype(jnp.int32) if k < len(counters) and counters[k] else v for k, v in enumerate(state))
    seen = []
    for change in changes:
        state = whole.put(*state, *change)
        seen.append(state[-2:])
    return seen


def drawn(seed, count):
    generator = np.random.default_rng(seed)
    return [(generator.normal(), generator.normal(size=2)) for _ in range(count)]


@pytest.mark.parametrize("steps", [1, 2, 3])
@settings(max_examples=3)
@given(seed=st.integers(0, 99))
def test_accumulation_is_that_of_optax(steps, seed):
    changes = drawn(seed, 7)
    rate = schedules.linear(0.1, 0.02, 3)
    ours = followed(accumulated(optimisers.adam(rate), steps), changes)
    chain = optax.chain(
        optax.scale_by_adam(), optax.scale_by_learning_rate(optax.linear_schedule(0.1, 0.02, 3), flip_sign=False)
    )
    theirs = optax.MultiSteps(chain, steps)
    place = (jnp.ones(()), jnp.ones(2))
    state = theirs.init(place)
    for change, (first, second) in zip(changes, ours, strict=True):
        update, state = theirs.update(tuple(jnp.asarray(c, jnp.float32) for c in change), state, place)
        place = optax.apply_updates(place, update)
        np.testing.assert_allclose(first, place[0], rtol=2e-5)
        np.testing.assert_allclose(second, place[1], rtol=2e-5)


def test_accumulation_over_n_batches_is_one_batch_n_times_as_large():
    generator = np.random.default_rng(3)
    x, y = generator.normal(size=(24, 3)), generator.normal(size=(24, 1))
    data = cl.Data(x, y, x, y)

    def trained(optimiser, size):
        learner = cl.supervised(layers.dense(3, 1), losses.quadratic, optimiser)
        return cl.fit(learner, data, epochs=2, batch_size=size, shuffle=False).parameters["dense_0"]["weight"]

    small = trained(accumulated(optimisers.momentum(0.1), 3), 4)
    np.testing.assert_allclose(small, trained(optimisers.momentum(0.1), 12), rtol=1e-4, atol=1e-6)
    assert abs(small - trained(optimisers.momentum(0.1), 4)).max() > 1e-3


def test_accumulation_by_name():
    generator = np.random.default_rng(4)
    x, y = generator.normal(size=(8, 3)), generator.normal(size=(8, 1))
    model = layers.dense(3, 2) >> layers.dense(2, 1)
    mixed = accumulated(by_name({"dense_0": optimisers.adam(0.1), "*": optimisers.gd(0.1)}), 2)
    learner = cl.supervised(model, losses.quadratic, mixed)
    state = learner.initial(0)
    after = learner.step(8)(*state, y, x, *learner.hyperparameters.values())
    for before, now in zip(state[-4:], after[-4:], strict=True):
        np.testing.assert_array_equal(np.asarray(before, np.float32), now)


@given(seed=st.integers(0, 99))
@settings(max_examples=5)
def test_confined_parameters_stay_within(seed):
    changes = drawn(seed, 6)
    kept = optimisers.optimiser("kept", optimisers.scale(1.0) >> confine(-0.5, 1.25))
    place = [np.float32(1.0), np.ones(2, np.float32)]
    for change, seen in zip(changes, followed(kept, changes), strict=True):
        place = [np.clip(p + np.asarray(c, np.float32), -0.5, 1.25) for p, c in zip(place, change, strict=True)]
        for mine, wanted in zip(seen, place, strict=True):
            np.testing.assert_allclose(mine, wanted, rtol=1e-6, atol=1e-6)


def test_opposite_descends_where_the_other_climbs():
    changes = drawn(5, 3)
    there = followed(optimisers.momentum(0.1), changes)
    back = followed(optimisers.optimiser("back", opposite() >> optimisers.momentum(0.1).transformation), changes)
    for (a, b), (c, d) in zip(there, back, strict=True):
        np.testing.assert_allclose(a - 1, -(c - 1), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(b - 1, -(d - 1), rtol=1e-5, atol=1e-6)


def test_R_of_a_stopped_wire_is_zero_and_the_value_is_kept():
    x = cl.Space(3, cl.REAL)
    f = cl.trace(x, lambda w: w * cl.stop_change(x)(w))
    values = np.random.default_rng(6).normal(size=(2, 3)).astype(np.float32)
    np.testing.assert_allclose(f(values[0]), values[0] ** 2, rtol=1e-6)
    wanted = jax.vjp(lambda w: w * jax.lax.stop_gradient(w), values[0])[1](values[1])[0]
    np.testing.assert_allclose(cl.reverse_derivative(f)(*values), wanted, rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: accumulated(optimisers.gd(0.1), 0), "positive number of steps; got 0"),
        (lambda: accumulated(optimisers.gd(0.1), True), "positive number of steps; got True"),
        (lambda: accumulated(0.1, 2), "accumulated takes an optimiser"),
        (lambda: confine(1.0, 0.0), "low <= high"),
        (
            lambda: cl.supervised(layers.lookup_table(2, 1), losses.exclusive_or, accumulated(optimisers.ga(), 2)),
            "accumulated over REAL; the model has a parameter in",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, said):
    with pytest.raises(OperationError, match=said):
        make()
