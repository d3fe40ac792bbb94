"""Learners against hand-written JAX steps (LEARNER.*, DREAM, RDA.*, PARA.tie); no list of carriers in the wiring."""

import ast
import re
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numerics import close, real, running

import catlearn as cl
from catlearn import functions, layers, losses, optimisers
from catlearn.diagram import permute
from catlearn.errors import CatlearnError, CompositionError, DataError, OperationError
from catlearn.functors import Exact, Jax
from catlearn.layers import dense, linear, lookup_table
from catlearn.learner import discard_change, eta, keep
from catlearn.losses import constant_cap

SEEDS = st.integers(0, 2**32 - 1)
SOME = settings(max_examples=6, deadline=None)
FEW = settings(max_examples=3, deadline=None)


def apart(left, right):
    return max(float(np.max(np.abs(np.asarray(x) - np.asarray(y)))) for x, y in zip(left, right, strict=True))


def draw(spaces, rng):
    return [rng.normal(size=space.shape) for space in spaces]


# A network of two layers, and the same in plain JAX; its parameters are b1, W1, b0, W0.

MODEL = dense(3, 4, "tanh") >> dense(4, 2)
NAMES = ("dense_1.bias", "dense_1.weight", "dense_0.bias", "dense_0.weight")


def network(b1, w1, b0, w0, x):
    return jnp.tanh(x @ w0 + b0) @ w1 + b1


def mean_squares(label, guess):
    return jnp.mean((guess - label) ** 2)


def softmax_entropy(label, guess):
    return -jnp.sum(label * jax.nn.log_softmax(guess))


def label_entropy(label, guess):
    return -jax.nn.log_softmax(guess)[label]


LOSSES = {
    "mean_squared_error": (mean_squares, -1.0),
    "quadratic": (lambda label, guess: 0.5 * jnp.sum((guess - label) ** 2), -1.0),
    "softmax_cross_entropy": (softmax_entropy, -1.0),
    "label_cross_entropy": (label_entropy, -1.0),
    "dot": (lambda label, guess: jnp.sum(label * guess), 1.0),
}


@cache
def change_of(name, batched):
    """The downhill change of a loss in (b_t, parameters, a), in plain JAX; for a batch that of the mean."""
    formula, sign = LOSSES[name]

    def one(label, p, x):
        return formula(label, network(*p, x))

    def mean(label, p, x):
        return sign * jnp.mean(jax.vmap(one, (0, None, 0))(label, p, x)) if batched else sign * one(label, p, x)

    if name == "label_cross_entropy":
        gradient = jax.grad(mean, argnums=(1, 2))
        return jax.jit(lambda label, p, x: (None, *gradient(label, p, x)))
    return jax.jit(jax.grad(mean, argnums=(0, 1, 2)))


def datum(name, rng, size=None):
    rows = () if size is None else (size,)
    label = rng.integers(0, 2, rows) if name == "label_cross_entropy" else rng.normal(size=(*rows, 2))
    return label, rng.normal(size=(*rows, 3))


def downhill(name, label, p, x):
    with jax.enable_x64(True):
        batched = np.ndim(x) == 2
        found = change_of(name, batched)(jnp.asarray(label), [jnp.asarray(v) for v in p], jnp.asarray(x))
        return jax.tree.map(np.asarray, found)


@jax.jit
def PULL(p, x, d):
    """The vector-Jacobian product of the network, in the parameters and the input."""
    return jax.vjp(network, *p, x)[1](d)


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


def test_LEARNER_names_of_the_network():
    assert MODEL.names == NAMES


@pytest.mark.parametrize("size", [None, 1, 4])
@pytest.mark.parametrize("name", LOSSES)
@FEW
@given(seed=SEEDS)
def test_LEARNER_closed(name, size, seed):
    """The put is the cap times the derivatives of the mean loss in b_t, p and a; the get is !."""
    rng = np.random.default_rng(seed)
    lens = closed_learner(name, size).morphism
    label, x = datum(name, rng, size)
    p = draw(MODEL.parameter, rng)
    first, *rest, last = running(lens.put)(label, *p, x)
    expected = downhill(name, label, p, x)
    close([*rest, last], [*expected[1], expected[2]])
    if expected[0] is None:
        assert not np.any(first)
        assert lens.put.cod[0].carrier == cl.TRIVIAL
    else:
        close([first], [expected[0]])


@cache
def closed_learner(name, size):
    para = cl.closed(MODEL, getattr(losses, name), size=size)
    assert para.dom == para.cod == cl.Sides((), ())
    assert para.morphism.get.cod == ()
    assert para.parameter.forward[1:-1] == MODEL.parameter
    return para


@SOME
@given(seed=SEEDS)
def test_LEARNER_closed_is_linear_in_the_cap(seed):
    rng = np.random.default_rng(seed)
    label, x = datum("quadratic", rng)
    p = draw(MODEL.parameter, rng)
    found = running(OTHER_CAP.morphism.put)(label, *p, x)
    expected = downhill("quadratic", label, p, x)
    close(found, [-2.5 * g for g in (expected[0], *expected[1], expected[2])])


OTHER_CAP = cl.closed(MODEL, losses.quadratic, constant_cap(2.5))


# One step with every optimiser, the optimisers written out.


def _moments(h, s, d):
    t = s["count"] + 1
    m, v = h["b1"] * s["m"] + (1 - h["b1"]) * d, h["b2"] * s["v"] + (1 - h["b2"]) * d * d
    return {"count": t, "m": m, "v": v}, m / (1 - h["b1"] ** t) / (np.sqrt(v / (1 - h["b2"] ** t)) + h["epsilon"])


def _hand_sum(h, s, p, d, inside):
    total = s["s"] + d * d
    root = np.sqrt(total + h["epsilon"]) if inside else np.sqrt(total) + h["epsilon"]
    return {"s": total}, p + h["learning_rate"] * d / root


def _hand_rms(h, s, p, d, inside):
    v = h["decay"] * s["v"] + (1 - h["decay"]) * d * d
    root = np.sqrt(v + h["epsilon"]) if inside else np.sqrt(v) + h["epsilon"]
    return {"v": v}, p + h["learning_rate"] * d / root


def _hand_momentum(h, s, p, d):
    new = h["decay"] * s["s"] + h["learning_rate"] * d
    return {"s": new}, p + new


def _hand_flat(h, s, p, d):
    new = h["decay"] * s["s"] + h["learning_rate"] * d
    return {"s": new}, p + h["decay"] * new + h["learning_rate"] * d


def _hand_adam(h, s, p, d, decay=0.0):
    new, step = _moments(h, s, d)
    return new, p + h["learning_rate"] * (step - decay * p)


HAND = {
    "ga": lambda h, s, p, d: ({}, p + d),
    "gd": lambda h, s, p, d: ({}, p + h["learning_rate"] * d),
    "momentum": _hand_momentum,
    "nesterov": _hand_momentum,
    "nesterov_flat": _hand_flat,
    "adagrad": lambda h, s, p, d: _hand_sum(h, s, p, d, False),
    "adagrad_inside": lambda h, s, p, d: _hand_sum(h, s, p, d, True),
    "rmsprop": lambda h, s, p, d: _hand_rms(h, s, p, d, False),
    "rmsprop_inside": lambda h, s, p, d: _hand_rms(h, s, p, d, True),
    "adam": _hand_adam,
    "adamw": lambda h, s, p, d: _hand_adam(h, s, p, d, h["weight_decay"]),
}


def rule_named(name):
    make = getattr(optimisers, name)
    return make() if name == "ga" else make(0.1)


@cache
def learner(name, loss="mean_squared_error"):
    return cl.supervised(MODEL, getattr(losses, loss), rule_named(name))


def hand_step(name, of, state, h, label, x, trap=False):
    """The new state, by name, of one step: d at the get, put on the stored parameters (or, with `trap`, on the get)."""
    stored = [w.name for w in of.context if w.stored]
    slots = dict(zip(stored, state, strict=False))
    p = list(state[len(stored) :])
    here = [q + h["decay"] * slots[f"s_{k}"] for k, q in enumerate(p)] if name == "nesterov" else p
    changes = [np.asarray(d) for d in downhill("mean_squared_error", label, here, x)[1]]
    names = sorted({n.split("_")[0] for n in stored})
    after, moved = {}, []
    for k, (q, d) in enumerate(zip(here if trap else p, changes, strict=True)):
        own = {n: slots["count"] if n == "count" else slots[f"{n}_{k}"] for n in names}
        new, value = HAND[name](h, own, q, d)
        after.update({n if n == "count" else f"{n}_{k}": v for n, v in new.items()})
        moved.append(value)
    return [*(after[n] for n in stored), *moved]


@pytest.mark.parametrize("name", HAND)
@FEW
@given(seed=SEEDS)
def test_LEARNER_supervised(name, seed):
    """Three steps of a batch of five equal a hand-written step, for every optimiser; hyper-parameters are inputs."""
    rng = np.random.default_rng(seed)
    of = learner(name)
    h = {n: rng.uniform(0.02, 0.5) for n in of.hyperparameters}
    state = [*of.initial(0)[: -len(MODEL.parameter)], *draw(MODEL.parameter, rng)]
    expected = state
    for _ in range(3):
        label, x = datum("mean_squared_error", rng, 5)
        state = running(of.step(5))(*state, label, x, *h.values())
        expected = hand_step(name, of, expected, h, label, x)
        close(state, expected, 1e-10)


@SOME
@given(seed=SEEDS)
def test_LEARNER_supervised_nesterov_trap(seed):
    """The put receives what is stored, the model the get; applying the put to the get is something else."""
    rng = np.random.default_rng(seed)
    of, h = learner("nesterov"), {"learning_rate": 0.1, "decay": 0.8}
    state = draw(of.state, rng)
    label, x = datum("mean_squared_error", rng, 5)
    found = running(of.step(5))(*state, label, x, *h.values())
    close(found, hand_step("nesterov", of, state, h, label, x))
    assert apart(found, hand_step("nesterov", of, state, h, label, x, trap=True)) > 1e-3
    plain = hand_step("momentum", of, state, h, label, x)
    assert apart(found, plain) > 1e-6
    looked = [q + 0.8 * s for s, q in zip(state[:4], state[4:], strict=True)]
    close(running(of.parameters_at())(*state, *h.values()), looked)
    with jax.enable_x64(True):
        guess = network(*looked, x)
    close(running(of.prediction(5))(*state, x, *h.values()), [guess])


def test_LEARNER_supervised_order_of_the_wires():
    of = learner("adam")
    assert list(of.hyperparameters) == ["b1", "b2", "epsilon", "learning_rate"]
    assert list(of.hyperparameters.values()) == [0.9, 0.999, 1e-8, 0.1]
    count, scalar = cl.Space((), cl.DISCRETE), real()
    assert of.state == (count, *MODEL.parameter * 3)
    assert of.step().dom == (*of.state, real(2), real(3), *[scalar] * 4)
    assert of.step(6).dom == (*of.state, real(6, 2), real(6, 3), *[scalar] * 4)
    assert of.step().cod == of.step(6).cod == of.state
    assert of.prediction(6).dom == (*of.state, real(6, 3), *[scalar] * 4)
    assert of.prediction(6).cod == (real(6, 2),)
    assert of.parameters_at().dom == (*of.state, *[scalar] * 4)
    start = MODEL.initial(3)
    close(of.initial(3)[-4:], start, 0)
    assert not any(np.any(x) for x in of.initial(3)[:-4])
    assert apart(start[1:2], MODEL.initial(4)[1:2]) > 1e-3


@SOME
@given(seed=SEEDS)
def test_LEARNER_iterate(seed):
    """The step is an endomorphism with a datum for parameter; n steps are its n-fold composite, later data first."""
    rng = np.random.default_rng(seed)
    three, size = iterated()
    data = [[*datum("mean_squared_error", rng), 0.1, 0.8] for _ in range(3)]
    start = draw(learner("momentum").state, rng)
    state = start
    for item in data:
        state = running(learner("momentum").step())(*state, *item)
    found = running(three.morphism)(*data[2], *data[1], *data[0], *start)
    close(found, state)
    assert len(three.parameter) == 3 * size
    assert apart(running(three.morphism)(*data[0], *data[1], *data[2], *start), state) > 1e-6


@cache
def iterated():
    of = learner("momentum")
    step, state = of.step(), of.state
    item = step.dom[len(state) :]
    once = cl.Para(item, state, permute([item, state], [1, 0]) >> step)
    return once >> once >> once, len(item)


@SOME
@given(seed=SEEDS)
def test_LEARNER_simplify(seed):
    """Quadratic: p - eps R[f](p, a, f(p, a) - b_t); softmax: p + R[f](p, a, -eps (softmax(f(p, a)) - b_t))."""
    rng = np.random.default_rng(seed)
    rate, x, p = rng.uniform(0.05, 0.5), rng.normal(size=3), draw(MODEL.parameter, rng)
    label = rng.uniform(size=2)
    label = label / label.sum()
    reverse = running(cl.reverse_derivative(MODEL.morphism))
    with jax.enable_x64(True):
        guess = np.asarray(network(*p, x))
    for loss, error in (("quadratic", guess - label), ("softmax_cross_entropy", softmax(guess) - label)):
        with jax.enable_x64(True):
            pulled = [np.asarray(v) for v in PULL(p, x, error)]
        found = running(learner("gd", loss).step())(*p, label, x, rate)
        close(found, [q - rate * d for q, d in zip(p, pulled[:-1], strict=True)])
        back = reverse(*p, x, -rate * error)
        close(found, [q + d for q, d in zip(p, back[:-1], strict=True)])


@pytest.mark.parametrize("name", HAND)
def test_LEARNER_modular(name):
    """Reparametrising the model and then composing is composing and then reparametrising."""
    rule, loss = rule_named(name), losses.mean_squared_error
    update = rule.bound(MODEL.parameter)
    error, one = loss.para(MODEL.cod), cl.Lens.identity
    cap = cl.Para.of(loss.cap.lens(error.cod))
    early = eta(MODEL.dom) >> MODEL.lens().reparametrise(update) >> error.lens() >> cap
    late = cl.closed(MODEL, loss).reparametrise(one(MODEL.cod) @ update @ one(MODEL.dom))
    assert early == late
    nested = eta(MODEL.dom) >> (MODEL.lens().reparametrise(update) >> (error.lens() >> cap))
    assert nested == late
    step = late.reparametrise(discard_change(MODEL.cod) @ one(update.dom) @ discard_change(MODEL.dom))
    rng = np.random.default_rng(1)
    of = learner(name)
    state = [*of.initial(0)[: -len(MODEL.parameter)], *draw(MODEL.parameter, rng)]
    label, x = datum("mean_squared_error", rng)
    found = running(of.step())(*state, label, x, *of.hyperparameters.values())
    close(running(step.morphism.put)(label, *state, x), found)


def test_LEARNER_keep_and_discard():
    spaces = (real(2), cl.Space(3, cl.BITS))
    assert keep(spaces).get == cl.identity(spaces)
    stored = [np.array([1.0, 2.0]), np.array([1, 0, 1])]
    first, second = keep(spaces).put(*stored, np.array([5.0, 6.0]), np.array([7, 8, 9]))
    np.testing.assert_array_equal(first, stored[0])
    np.testing.assert_array_equal(second, stored[1])
    lens = discard_change(spaces)
    assert lens.dom == cl.Sides(spaces, ())
    assert lens.cod == cl.Sides.of(spaces)
    assert lens.get == cl.identity(spaces)
    unit = eta(spaces)
    assert unit.parameter == unit.cod == cl.Sides.of(spaces)
    assert unit.dom == cl.Sides((), ())


# Learning the input.


@SOME
@given(seed=SEEDS)
def test_DREAM(seed):
    """The optimiser sits on the input; labels and parameters are data: T_A x Y x P -> T_A."""
    rng = np.random.default_rng(seed)
    of = dreamer("nesterov")
    h = {"learning_rate": 0.1, "decay": 0.8}
    (s, a), p, label = rng.normal(size=(2, 3)), draw(MODEL.parameter, rng), rng.normal(size=2)
    assert of.step().dom == (real(3), real(3), real(2), *MODEL.parameter, real(), real())
    found = running(of.step())(s, a, label, *p, *h.values())
    change = np.asarray(downhill("quadratic", label, p, a + 0.8 * s)[2])
    new = 0.8 * s + 0.1 * change
    close(found, [new, a + new])


@cache
def dreamer(name):
    return cl.dreaming(MODEL, losses.quadratic, rule_named(name))


@SOME
@given(seed=SEEDS)
def test_DREAM_dot(seed):
    """With the dot loss, ascent and cap eps: a + eps R[f](p, a, b_t), whatever f(p, a) is."""
    rng = np.random.default_rng(seed)
    a, p, label = rng.normal(size=3), draw(MODEL.parameter, rng), rng.normal(size=2)
    found = running(DREAM_DOT.step())(a, label, *p)
    with jax.enable_x64(True):
        pulled = np.asarray(PULL(p, a, label)[-1])
    close(found, [a + 0.3 * pulled])
    close(running(DREAM_DOT.step())(a, label, p[0] + 5.0, *p[1:]), found)


DREAM_DOT = cl.dreaming(MODEL, losses.dot, optimisers.ga(), constant_cap(0.3))


# Reverse derivative ascent.


def circuit(carrier):
    """A polynomial circuit of two products: ((x A + b) * (x B)) C."""
    wide = cl.Space((3, 3), carrier)
    parameters = {"a": wide, "b": cl.Space(3, carrier), "c": wide, "d": cl.Space((3, 2), carrier)}
    body = lambda a, b, c, d, x: ((x @ a + b) * (x @ c)) @ d  # noqa: E731
    return cl.parametrised("circuit", parameters, cl.Space(3, carrier), body)


CARRIERS = {"Z2": (cl.Z2, 2), "Modular(6)": (cl.Modular(6), 6), "INTEGERS": (cl.INTEGERS, None)}


def wrapped(x, modulus):
    return x if modulus is None else x % modulus


def formal_step(values, x, label, modulus):
    """p + R[f](p, a, b - f(p, a)), the formal derivative written out over the integers; and f(p, a)."""
    a, b, c, d = values
    left, right = x @ a + b, x @ c
    guess = wrapped((left * right) @ d, modulus)
    error = wrapped(label - guess, modulus)
    back = d @ error
    change = (np.outer(x, back * right), back * right, np.outer(x, back * left), np.outer(left * right, error))
    return [wrapped(v + e, modulus) for v, e in zip(values, change, strict=True)], guess


@cache
def circuit_learner(name):
    carrier, _ = CARRIERS[name]
    loss = losses.exclusive_or if name == "Z2" else losses.difference
    return cl.supervised(circuit(carrier), loss, optimisers.reverse_derivative_ascent())


@pytest.mark.parametrize("name", CARRIERS)
@SOME
@given(seed=SEEDS)
def test_RDA_step(name, seed):
    """RDA.composite: the learner of the circuit, the loss of its ring and ascent is p + R[f](p, a, b - f(p, a))."""
    carrier, modulus = CARRIERS[name]
    rng = np.random.default_rng(seed)
    step = circuit_learner(name).step()
    *p, label, x = [rng.integers(0, modulus or 4, space.shape) for space in step.dom]
    expected, guess = formal_step(p, x, label, modulus)
    for run in (running(step), Exact()(step)):
        close(run(*p, label, x), expected, 0)
    reverse = Exact()(cl.reverse_derivative(circuit(carrier).morphism))
    back = reverse(*p, x, wrapped(label - guess, modulus))[:-1]
    close([wrapped(q + d, modulus) for q, d in zip(p, back, strict=True)], expected, 0)


@pytest.mark.parametrize("name", CARRIERS)
@SOME
@given(seed=SEEDS)
def test_RDA_fixpoint(name, seed):
    """A right prediction changes nothing."""
    _, modulus = CARRIERS[name]
    rng = np.random.default_rng(seed)
    step = circuit_learner(name).step()
    *p, _, x = [rng.integers(0, modulus or 4, space.shape) for space in step.dom]
    _, guess = formal_step(p, x, np.zeros(2, int), modulus)
    for run in (running(step), Exact()(step)):
        close(run(*p, guess, x), p, 0)


@SOME
@given(seed=SEEDS)
def test_RDA_step_two_output_wires(seed):
    """Over Z2 the error is a vector, one entry for each output, however the outputs lie on wires (LOSS.xor, L = B)."""
    rng = np.random.default_rng(seed)
    space = cl.Space(3, cl.Z2)
    model = cl.parametrised("pair", {"w": space}, space, lambda w, x: (w * x, w + x))
    step = cl.supervised(model, losses.exclusive_or, optimisers.ga()).step()
    w, first, second, x = rng.integers(0, 2, (4, 3))
    expected = w ^ (x & (first ^ (w & x))) ^ second ^ w ^ x
    np.testing.assert_array_equal(step(w, first, second, x), expected)


@settings(max_examples=15, deadline=None)
@given(inputs=st.integers(1, 4), outputs=st.integers(1, 2), seed=SEEDS)
def test_RDA_lut(inputs, outputs, seed):
    """One pass over all inputs, in any order and from any start, learns every table exactly."""
    rng = np.random.default_rng(seed)
    step, predict = table_steps(inputs, outputs)
    table, target = rng.integers(0, 2, (2, outputs, 2**inputs))
    points = (np.arange(2**inputs)[:, None] >> np.arange(inputs)) & 1
    for k in rng.permutation(2**inputs):
        before = table
        table = np.asarray(step(table, target[:, k], points[k]))
        assert np.array_equal(
            np.flatnonzero((before != table).any(axis=0)), [k] if (before != target)[:, k].any() else []
        )
    np.testing.assert_array_equal(table, target)
    for k, x in enumerate(points):
        np.testing.assert_array_equal(predict(table, x), target[:, k])


@cache
def table_steps(inputs, outputs):
    of = cl.supervised(lookup_table(inputs, outputs), losses.exclusive_or, optimisers.reverse_derivative_ascent())
    backend = Jax()
    return backend.compile(backend(of.step())), backend.compile(backend(of.prediction()))


def test_RDA_lut_all_tables_of_two_bits():
    """All 16 tables from all 16 starts."""
    step, _ = table_steps(2, 1)
    points = (np.arange(4)[:, None] >> np.arange(2)) & 1
    for number in range(256):
        table, target = ((number >> np.arange(8)) & 1).reshape(2, 1, 4)
        for k in np.random.default_rng(number).permutation(4):
            table = step(table, target[:, k], points[k])
        np.testing.assert_array_equal(table, target)


@SOME
@given(seed=SEEDS)
def test_RDA_real(seed):
    """Over the reals the same wiring is gradient descent on half the square with step one."""
    rng = np.random.default_rng(seed)
    p, (label, x) = draw(MODEL.parameter, rng), datum("quadratic", rng)
    change = downhill("quadratic", label, p, x)[1]
    close(running(RDA_REAL.step())(*p, label, x), [q + d for q, d in zip(p, change, strict=True)])


RDA_REAL = cl.supervised(MODEL, losses.difference, optimisers.reverse_derivative_ascent())


# Batches.


@SOME
@given(seed=SEEDS)
def test_PARA_tie_batched_step_is_the_mean(seed):
    """A batch of n is the mean of the steps of its samples, for gradient descent; a batch of one is the sample."""
    rng = np.random.default_rng(seed)
    of, p = learner("gd"), draw(MODEL.parameter, rng)
    label, x = datum("mean_squared_error", rng, 4)
    each = [running(of.step())(*p, y, row, 0.2) for y, row in zip(label, x, strict=True)]
    mean = [np.mean(column, axis=0) for column in zip(*each, strict=True)]
    close(running(of.step(4))(*p, label, x, 0.2), mean)
    close(running(of.step(1))(*p, label[:1], x[:1], 0.2), each[0])


@pytest.mark.parametrize("name", CARRIERS)
@SOME
@given(seed=SEEDS)
def test_PARA_tie_sums_over_a_ring(name, seed):
    """Elsewhere the changes of the samples are added: over Z2, exclusive or."""
    _, modulus = CARRIERS[name]
    rng = np.random.default_rng(seed)
    of = circuit_learner(name)
    *p, label, x = [rng.integers(0, modulus or 4, space.shape) for space in of.step(5).dom]
    total = [np.array(q) for q in p]
    for y, row in zip(label, x, strict=True):
        one, _ = formal_step(p, row, y, modulus)
        total = [t + new - q for t, new, q in zip(total, one, p, strict=True)]
    for run in (running(of.step(5)), Exact()(of.step(5))):
        close(run(*p, label, x), [wrapped(t, modulus) for t in total], 0)


@pytest.mark.parametrize("size", [None, 5])
@pytest.mark.parametrize("loss", ["mean_squared_error", "softmax_cross_entropy", "label_cross_entropy"])
def test_LEARNER_monitored_shares_the_step(loss, size):
    """The losses and predictions on the way cost only the loss's own nodes, and are the right ones."""
    rng = np.random.default_rng(5)
    of = learner("adam", loss)
    step, seen = of.step(size), of.monitored(size)
    assert {generator for generator, _, _ in step.nodes} <= {generator for generator, _, _ in seen.nodes}
    assert len(step.nodes) <= len(seen.nodes) <= len(step.nodes) + 8
    assert seen.dom == step.dom
    state = [np.int32(3), *(np.abs(v) for v in draw(of.state[1:], rng))]
    label, x = datum(loss, rng, size)
    arguments = (*state, label, x, *of.hyperparameters.values())
    results = running(seen)(*arguments)
    close(results[: len(state)], running(step)(*arguments))
    value, guess = results[len(state) :]
    with jax.enable_x64(True):
        expected = network(*state[-4:], x)
        close([guess], [expected])
        rows = [(label, expected)] if size is None else zip(label, expected, strict=True)
        each = [LOSSES[loss][0](*row) for row in rows]
    close([value], [each[0] if size is None else np.stack(each)])


def test_LEARNER_monitored_shares_every_node_over_Z2():
    """The cap reads the loss there, so nothing at all is added."""
    of = circuit_learner("Z2")
    for size in (None, 3):
        assert len(of.monitored(size).nodes) == len(of.step(size).nodes)


# Roles of parameters.


@pytest.mark.parametrize("frozen", [("dense_0.weight",), ("dense_1.bias", "dense_0.bias"), NAMES])
def test_LEARNER_frozen_parameters_stay(frozen):
    """They follow the moved ones in the state, stay to the last bit, and change nothing else."""
    rng = np.random.default_rng(6)
    of = cl.supervised(MODEL.freeze(*frozen), losses.mean_squared_error, optimisers.momentum(0.1))
    moved = [k for k, name in enumerate(NAMES) if name not in frozen]
    still = [k for k, name in enumerate(NAMES) if name in frozen]
    s, p = draw(MODEL.parameter, rng), draw(MODEL.parameter, rng)
    label, x = datum("mean_squared_error", rng, 3)
    assert of.state == tuple(MODEL.parameter[k] for k in (*moved, *moved, *still))
    state = [*(s[k] for k in moved), *(p[k] for k in moved), *(p[k] for k in still)]
    found = running(of.step(3))(*state, label, x, 0.1, 0.9)
    whole = running(learner("momentum").step(3))(*s, *p, label, x, 0.1, 0.9)
    close(found[: 2 * len(moved)], [*(whole[k] for k in moved), *(whole[4 + k] for k in moved)], 1e-14)
    for value, k in zip(found[2 * len(moved) :], still, strict=True):
        np.testing.assert_array_equal(value, p[k])
    close(running(of.parameters_at())(*state, 0.1, 0.9), p, 0)
    with jax.enable_x64(True):
        close(running(of.prediction(3))(*state, x, 0.1, 0.9), [network(*p, x)])
    starts = MODEL.initial(2)
    close(of.initial(2)[len(moved) :], [starts[k] for k in (*moved, *still)], 0)


RATE = 0.25


def centring():
    """x - mean, whose reverse moves the mean a quarter of the way to x, whatever the loss."""
    space = real(3)
    get = cl.trace((space, space), lambda mean, x: x - mean)
    put = cl.trace((space, space, space), lambda mean, x, d: (RATE * (x - mean), d))
    node = cl.surrogate("centre", get, put)
    mean = cl.Parameter("mean", space, role="statistic")
    return cl.parametrised("centre", {"mean": mean}, space, node)


@pytest.mark.parametrize("size", [None, 4])
def test_LEARNER_statistics_move_by_ascent(size):
    """A statistic is moved by what its layer's put gives, not by the optimiser; in a batch the changes are added."""
    rng = np.random.default_rng(8)
    of = cl.supervised(centring() >> MODEL, losses.mean_squared_error, optimisers.momentum(0.1))
    assert of.state == (*MODEL.parameter, *MODEL.parameter, real(3))
    s, p, mean = draw(MODEL.parameter, rng), draw(MODEL.parameter, rng), rng.normal(size=3)
    label, x = datum("mean_squared_error", rng, size)
    for rate in (0.1, 3.0):
        *found, moved = running(of.step(size))(*s, *p, mean, label, x, rate, 0.9)
        close([moved], [mean + RATE * np.sum(np.atleast_2d(x - mean), axis=0)])
        close(found, running(learner("momentum").step(size))(*s, *p, label, x - mean, rate, 0.9))


KEY, ROW = cl.Space((), cl.KEYS), real(3)


def add_noise(key, x):
    return x + 0.5 * jax.random.normal(key, x.shape, x.dtype)


def noisy():
    node = cl.from_jax(add_noise, (KEY, ROW), ROW)
    return cl.parametrised("noise", {"key": cl.Parameter("key", KEY, role="auxiliary")}, ROW, node)


NOISY = cl.supervised(noisy() >> MODEL, losses.mean_squared_error, optimisers.gd(0.1))


def test_LEARNER_auxiliary_inputs_are_one_a_sample():
    """Keys come last, one a sample, and are not part of the state; each sample has its own noise."""
    rng = np.random.default_rng(9)
    assert NOISY.auxiliary == ("noise_0.key",)
    assert NOISY.state == MODEL.parameter
    assert NOISY.step(4).dom[-2:] == (real(), cl.Space(4, cl.KEYS))
    p, (label, x) = draw(MODEL.parameter, rng), datum("mean_squared_error", rng, 4)
    x[1:] = x[0]
    label[1:] = label[0]
    found = []
    for number in (1, 1, 2):
        keys = jax.random.split(jax.random.key(number), 4)
        with jax.enable_x64(True):
            seen = np.asarray(jax.vmap(add_noise)(keys, jnp.asarray(x)))
        assert len({row.tobytes() for row in seen}) == 4
        found.append(running(NOISY.step(4))(*p, label, x, 0.1, keys))
        close(found[-1], running(learner("gd").step(4))(*p, label, seen, 0.1))
    assert apart(found[0], found[1]) == 0
    assert apart(found[0], found[2]) > 1e-4
    one = jax.random.key(7)
    with jax.enable_x64(True):
        seen = np.asarray(add_noise(one, jnp.asarray(x[0])))
    expected = running(learner("gd").step())(*p, label[0], seen, 0.1)
    close(running(NOISY.step())(*p, label[0], x[0], 0.1, one), expected)


def test_LEARNER_auxiliary_inputs_change_at_each_step():
    """fit draws a key for every step and sample from its seed: the same seed, the same run; the steps differ."""
    rng = np.random.default_rng(10)
    label, x = datum("mean_squared_error", rng, 4)
    data = cl.Data(x, label, x, label)
    first, second = (
        cl.fit(NOISY, data, epochs=2, batch_size=4, seed=5, shuffle=False, progress=False) for _ in range(2)
    )
    assert first.history.loss == second.history.loss
    assert apart(first.state, second.state) == 0
    backend, drawn = Jax(), set()
    run = backend.compile(backend(NOISY.step(4)))
    ends = []
    for order in ((0, 1), (0, 0), (1, 0)):
        state = NOISY.initial(5)
        for number in order:
            keys = backend.keys(5, number, 0, 4)
            drawn |= {np.asarray(jax.random.key_data(key)).tobytes() for key in keys}
            state = run(*state, label, x, 0.1, keys)
        ends.append(state)
    assert len(drawn) == 8
    close(first.state, ends[0], 1e-5)
    assert min(apart(first.state, end) for end in ends[1:]) > 1e-4


def test_LEARNER_trained_in_float64_is_the_step_in_float64():
    """fit in a precision takes the steps of that precision."""
    rng = np.random.default_rng(12)
    label, x = datum("mean_squared_error", rng, 4)
    run = {"epochs": 2, "batch_size": 4, "shuffle": False, "progress": False}
    found = cl.fit(learner("gd"), cl.Data(x, label, x, label), backend=Jax("float64"), **run)
    state = learner("gd").initial(0)
    for _ in range(2):
        state = running(learner("gd").step(4))(*state, label, x, 0.1)
    close(found.state, state, 1e-12)
    values = dict(zip(NAMES, state, strict=True))
    for layer, part in found.parameters.items():
        for key, value in part.items():
            close([value], [values[f"{layer}.{key}"]], 1e-12)


def test_LEARNER_auxiliary_inputs_must_be_keys():
    par = cl.parametrised("bad", {"x": cl.Parameter("x", ROW, role="auxiliary")}, ROW, lambda p, x: p + x)
    with pytest.raises(DataError, match=r"bad_0\.x must be one random key"):
        cl.supervised(par, losses.quadratic, optimisers.gd(0.1))


# Penalties.


@cache
def penalised(size):
    loss = losses.mean_squared_error + losses.l2(0.3) + losses.l1(0.2)
    of = cl.supervised(MODEL.freeze("dense_1.bias"), loss, optimisers.gd(0.1))
    return of, running(of.step(size)), running(of.monitored(size))


@pytest.mark.parametrize("size", [None, 1, 5])
@FEW
@given(seed=SEEDS)
def test_LOSS_penalties_count_once_a_batch(size, seed):
    """The step descends mean loss + penalties of the moved parameters, by jax.grad; frozen ones count for nothing."""
    rng = np.random.default_rng(seed)
    _, step, monitored = penalised(size)
    p, (label, x) = draw(MODEL.parameter, rng), datum("mean_squared_error", rng, size)
    state = [*p[1:], p[0]]
    found = step(*state, label, x, 0.1)
    with jax.enable_x64(True):
        squares, absolute, gradient = jax.tree.map(np.asarray, PENALTY(p[0], p[1:], label, x))
    close(found, [*(q - 0.1 * g for q, g in zip(p[1:], gradient, strict=True)), p[0]])
    results = monitored(*state, label, x, 0.1)
    close(results[:4], found)
    assert results[4].shape == (() if size is None else (size,))
    close(results[5:7], [0.15 * squares, 0.2 * absolute])


@jax.jit
def PENALTY(fixed, moved, label, x):
    def squares(q):
        return sum(jnp.sum(v**2) for v in q)

    def absolute(q):
        return sum(jnp.sum(jnp.abs(v)) for v in q)

    def total(q):
        return mean_squares(label, network(fixed, *q, x)) + 0.15 * squares(q) + 0.2 * absolute(q)

    return squares(moved), absolute(moved), jax.grad(total)(moved)


# Errors.


def test_LEARNER_errors_of_what_does_not_fit():
    """What cannot be wired is refused when the learner is made."""
    good = (MODEL, losses.quadratic, optimisers.gd(0.1))
    assert isinstance(cl.supervised(*good), cl.Learner)
    bits = linear(3, 2, carrier=cl.Z2)
    with pytest.raises(OperationError, match=r"works over REAL.*Z2.*reverse_derivative_ascent"):
        cl.supervised(bits, losses.exclusive_or, optimisers.gd(0.1))
    with pytest.raises(OperationError, match="works over REAL"):
        cl.supervised(linear(3, 2, carrier=cl.INTEGERS), losses.difference, optimisers.adam())
    for loss in (losses.mean_squared_error, losses.softmax_cross_entropy, losses.sigmoid_cross_entropy):
        with pytest.raises(CatlearnError):
            cl.supervised(bits, loss, optimisers.ga())
    with pytest.raises(OperationError, match="a vector of scores"):
        cl.supervised(cl.identity(real(2, 0)), losses.label_cross_entropy, optimisers.ga())
    with pytest.raises(OperationError, match="needs a prediction"):
        cl.supervised(cl.discard(real(3)), losses.quadratic, optimisers.ga())
    votes = cl.parametrised("and", {"w": cl.Space(2, cl.BITS)}, cl.Space(2, cl.BITS), lambda w, x: w * x)
    loss = losses.Loss("xor", functions.xor, losses.identity_cap, losses.exclusive_or.correct)
    with pytest.raises(OperationError, match="ascent adds a change"):
        cl.supervised(votes, loss, optimisers.ga())


@pytest.mark.parametrize(
    "arguments",
    [
        (MODEL, optimisers.gd(0.1), losses.quadratic),
        (MODEL, losses.quadratic, optimisers.gd),
        (MODEL, "quadratic", optimisers.gd(0.1)),
        (MODEL, losses.quadratic, optimisers.scale(0.1)),
    ],
)
def test_LEARNER_errors_of_wrong_arguments(arguments):
    with pytest.raises(
        CompositionError, match=r"a learner takes \(model, loss, optimiser, cap=None\): the (loss|optimiser) is"
    ):
        cl.supervised(*arguments)


def test_LEARNER_errors_of_a_model_that_is_none():
    """A Python function is not a model; a number is not a cap."""
    with pytest.raises(CatlearnError):
        cl.supervised(np.tanh, losses.quadratic, optimisers.gd(0.1))
    with pytest.raises(CatlearnError):
        cl.supervised(MODEL, losses.quadratic, optimisers.gd(0.1), -1.0)


def test_LEARNER_needs_named_parameters():
    unnamed = cl.Para((real(3),), (real(3),), cl.add(real(3)))
    with pytest.raises(CompositionError, match="named"):
        cl.supervised(unnamed, losses.quadratic, optimisers.gd(0.1))


def test_LEARNER_of_a_model_without_parameters():
    """The state is what the optimiser counts; a diagram is a model."""
    of = cl.supervised(cl.identity(real(2)), losses.quadratic, optimisers.adam())
    assert of.state == (cl.Space((), cl.DISCRETE),)
    label, x = np.random.default_rng(0).normal(size=(2, 4, 2))
    assert running(of.step(4))(5, label, x, *of.hyperparameters.values())[0] == 6
    close(running(of.prediction(4))(5, x, *of.hyperparameters.values()), [x])


# The wiring knows no carrier, loss or optimiser.

CARRIER_WORDS = ["REAL", "Z2", "BITS", "INTEGERS", "DISCRETE", "Modular", "Tropical"]
LOSS_WORDS = ["xor", "quadratic", "softmax", "cross_entropy", *(n for n in losses.__all__ if n[0].islower())]
WORDS = [*CARRIER_WORDS, "sgd", *LOSS_WORDS, *HAND, "reverse_derivative_ascent"]


def code_of(path):
    """The code of a module without docstrings, comments and the texts of errors raised."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                value.value = ""
        if isinstance(node, ast.Raise):
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    part.value = ""
    return ast.unparse(tree)


def named_in(text):
    return [word for word in WORDS if re.search(rf"(?<![A-Za-z0-9_]){word}(?![A-Za-z0-9_])", text, re.IGNORECASE)]


@pytest.mark.parametrize("module", ["learner.py", "training.py"])
def test_LEARNER_wiring_names_no_carrier_loss_or_optimiser(module):
    assert named_in(code_of(Path(cl.__file__).parent / module)) == []


def test_LEARNER_wiring_check_finds_names():
    assert named_in("if carrier == REAL: adam(0.1)") == ["REAL", "adam"]
    assert named_in("raise carrier.name == 'z2'") == ["Z2"]
    assert named_in("already, gadget, dots") == []


def test_DREAM_random_keys_stay_auxiliary():
    model = layers.dropout((3,), 0.5) >> dense(3, 2)
    learner = cl.dreaming(model, losses.quadratic, optimisers.gd(0.1))
    assert len(learner.auxiliary) == 1
    assert learner.model.dom == model.parameter[:2]
    b, w, x, y = (np.random.default_rng(0).normal(size=s).astype(np.float32) for s in ((2,), (3, 2), (3,), (2,)))
    key = jax.random.key(3)
    moved = learner.step()(x, y, b, w, 0.1, key)

    def error(x):
        whole = x * jnp.where(jax.random.bernoulli(key, 0.5, (3,)), 2.0, 0.0)
        return 0.5 * ((whole @ w + b - y) ** 2).sum()

    np.testing.assert_allclose(moved, x - 0.1 * jax.grad(error)(x), rtol=1e-5, atol=1e-6)
