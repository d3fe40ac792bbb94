"""Optimisers against optax, and against their formulas written out in NumPy (OPT.*)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numerics import running

import catlearn as cl
from catlearn import functions as f
from catlearn import optimisers
from catlearn.errors import OperationError
from catlearn.functors import Exact, Jax
from catlearn.optimisers import Optimiser, optimiser
from catlearn.transformations import ascent, sides_of, transformation

SEEDS = st.integers(0, 2**32 - 1)
SOME = settings(max_examples=6, deadline=None)
FEW = settings(max_examples=3, deadline=None)
COUNT = cl.Space((), cl.DISCRETE)
VECTOR, MATRIX = cl.Space(3, cl.REAL), cl.Space((2, 2), cl.REAL)
WIRES = (VECTOR, MATRIX)
POINT = (cl.Space(4, cl.REAL),)

RANGES = {
    "learning_rate": (0.01, 1.0),
    "decay": (0.1, 0.95),
    "b1": (0.1, 0.95),
    "b2": (0.3, 0.99),
    "epsilon": (0.01, 0.3),
    "weight_decay": (0.05, 1.0),
    "bound": (0.2, 1.0),
}


@cache
def whole(rule, spaces):
    """The get and put of an optimiser's lens."""
    lens = rule.lens(spaces)
    return running(lens.get), running(lens.put)


@cache
def at_defaults(rule, spaces):
    """The get and put of the lens with the hyper-parameters at their defaults."""
    lens = rule.bound(spaces)
    return running(lens.get), running(lens.put)


@cache
def inner(rule, spaces):
    """The put of the gradient transformation."""
    return running(rule.transformation.lens(spaces).put)


def draw_context(rule, spaces, rng):
    """A random value for each context wire."""
    values = []
    for wire in rule.context(spaces):
        if not wire.stored:
            values.append(rng.uniform(*RANGES[wire.name]))
        elif wire.name == "count":
            values.append(int(rng.integers(0, 30)))
        elif wire.name.startswith("v_") or "adagrad" in rule.name:
            values.append(rng.uniform(0.01, 2.0, wire.space.shape))
        else:
            values.append(rng.normal(size=wire.space.shape))
    return values


def draw(spaces, rng):
    return [rng.normal(size=space.shape) for space in spaces]


def distance(left, right):
    """The largest difference, absolute for small and relative for large values; NaN counts as infinite."""
    left, right = [np.asarray(x, float) for x in left], [np.asarray(x, float) for x in right]
    assert [x.shape for x in left] == [x.shape for x in right]
    errors = [np.max(np.abs(x - y) / (1 + np.abs(y)), initial=0.0) for x, y in zip(left, right, strict=True)]
    worst = max(errors, default=0.0)
    return worst if np.isfinite(worst) else np.inf


class Squares(NamedTuple):
    sum_of_squares: list


def textbook_adagrad(learning_rate, epsilon=1e-7):
    """AdaGrad with epsilon outside the root, in NumPy, with optax's interface."""

    def update(gradients, state, params=None):
        total = [np.asarray(s) + np.asarray(g) ** 2 for s, g in zip(state.sum_of_squares, gradients, strict=True)]
        steps = [-learning_rate * g / (epsilon + np.sqrt(s)) for g, s in zip(gradients, total, strict=True)]
        return steps, Squares(total)

    return optax.GradientTransformation(lambda params: Squares([np.zeros_like(p) for p in params]), update)


@dataclass(frozen=True)
class Row:
    """A row of the OPT table: the optimiser, its entry in optax, and how a slot reads there."""

    ours: Optimiser
    theirs: Callable
    slots: dict = field(default_factory=dict)
    looks_ahead: bool = False


def same(value, h):
    return value


def negative(value, h):
    return -value


def trace_of(value, h):
    return -value / h["learning_rate"]


def _eps(h):
    """Hyper-parameters under optax's names."""
    return {{"epsilon": "eps"}.get(name, name): value for name, value in h.items()}


MOMENTS = {"m": ("mu", negative), "v": ("nu", same)}
TABLE = {
    "ga": Row(optimisers.ga(), lambda: optax.sgd(1.0)),
    "gd": Row(optimisers.gd(0.05), lambda learning_rate=0.05: optax.sgd(learning_rate)),
    "momentum": Row(
        optimisers.momentum(0.05),
        lambda learning_rate=0.05, decay=0.9: optax.sgd(learning_rate, momentum=decay),
        {"s": ("trace", trace_of)},
    ),
    "nesterov": Row(
        optimisers.nesterov(0.05),
        lambda learning_rate=0.05, decay=0.9: optax.sgd(learning_rate, momentum=decay, nesterov=True),
        {"s": ("trace", trace_of)},
        looks_ahead=True,
    ),
    "nesterov_flat": Row(
        optimisers.nesterov_flat(0.05),
        lambda learning_rate=0.05, decay=0.9: optax.sgd(learning_rate, momentum=decay, nesterov=True),
        {"s": ("trace", trace_of)},
    ),
    "adagrad": Row(
        optimisers.adagrad(0.05),
        lambda learning_rate=0.05, epsilon=1e-7: textbook_adagrad(learning_rate, epsilon),
        {"s": ("sum_of_squares", same)},
    ),
    "adagrad_inside": Row(
        optimisers.adagrad_inside(0.05),
        lambda learning_rate=0.05, **more: optax.adagrad(learning_rate, **_eps(more)),
        {"s": ("sum_of_squares", same)},
    ),
    "rmsprop": Row(
        optimisers.rmsprop(0.05),
        lambda learning_rate=0.05, decay=0.9, epsilon=1e-8: optax.rmsprop(
            learning_rate, decay, epsilon, eps_in_sqrt=False
        ),
        {"v": ("nu", same)},
    ),
    "rmsprop_inside": Row(
        optimisers.rmsprop_inside(0.05),
        lambda learning_rate=0.05, **more: optax.rmsprop(learning_rate, **_eps(more)),
        {"v": ("nu", same)},
    ),
    "adam": Row(
        optimisers.adam(0.05),
        lambda learning_rate=0.05, **more: optax.adam(learning_rate, **_eps(more)),
        MOMENTS,
    ),
    "adamw": Row(
        optimisers.adamw(0.05),
        lambda learning_rate=0.05, **more: optax.adamw(learning_rate, **_eps(more)),
        MOMENTS,
    ),
}


def step_error(name, rule, seed, look=None):
    """How far one step from a random state is from optax's, in parameters and in state (OPT.test a)."""
    row, rng = TABLE[name], np.random.default_rng(seed)
    looks_ahead = row.looks_ahead if look is None else look
    context = rule.context(WIRES)
    values, p, d = draw_context(rule, WIRES, rng), draw(WIRES, rng), draw(WIRES, rng)
    stored = [k for k, wire in enumerate(context) if wire.stored]
    before = {context[k].name: values[k] for k in stored}
    h = {wire.name: v for wire, v in zip(context, values, strict=True) if not wire.stored}
    get, put = whole(rule, WIRES)
    results = put(*values, *p, *d)
    after = {context[k].name: x for k, x in zip(stored, results, strict=False)}
    new, slots, n = results[len(stored) :], range(len(WIRES)), len(WIRES)

    def at(where, state):
        return [w + h["decay"] * state[f"s_{k}"] for k, w in enumerate(where)] if looks_ahead else list(where)

    theirs = row.theirs(**h)
    with jax.enable_x64(True):
        state = theirs.init(p)
        for slot, (key, read) in row.slots.items():
            state = optax.tree.set(state, **{key: [jnp.asarray(read(before[f"{slot}_{k}"], h)) for k in slots]})
        if "count" in before:
            state = optax.tree.set(state, count=jnp.asarray(before["count"], jnp.int32))
        updates, state = theirs.update([jnp.asarray(-x) for x in d], state, [jnp.asarray(x) for x in at(p, before)])
        expected = [np.asarray(x + u) for x, u in zip(at(p, before), updates, strict=True)]
        pairs = [(at(new, after), expected), (get(*values, *p), at(p, before))]
        for slot, (key, read) in row.slots.items():
            pairs.append(([read(after[f"{slot}_{k}"], h) for k in slots], optax.tree.get(state, key)))
        if "count" in before:
            pairs.append(([after["count"]], [optax.tree.get(state, "count")]))
    assert len(new) == n
    return max(distance(left, right) for left, right in pairs)


def run_error(name, rule, seed, at_get=None, steps=20):
    """How far a free run on a random quadratic is from optax's, both at their defaults (OPT.test b)."""
    row, rng = TABLE[name], np.random.default_rng(seed)
    at_get = row.looks_ahead if at_get is None else at_get
    turn = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    hessian = turn @ np.diag(rng.uniform(0.1, 1.5, 4)) @ turn.T
    target, start = rng.normal(size=4), rng.normal(size=4)
    get, put = at_defaults(rule, POINT)
    state = rule.init([start], POINT)
    theirs, worst = row.theirs(), 0.0
    with jax.enable_x64(True):
        params = [jnp.asarray(start)]
        other = theirs.init(params)
        for _ in range(steps):
            (here,) = get(*state)
            worst = max(worst, distance([here if at_get else state[-1]], params))
            state = put(*state, -hessian @ (here - target))
            gradient = hessian @ (np.asarray(params[0]) - target)
            updates, other = theirs.update([jnp.asarray(gradient)], other, params)
            params = [params[0] + updates[0]]
        end = get(*state) if at_get else state[-1:]
        return max(worst, distance(end, params))


def agrees(name, rule, seed):
    """Whether an optimiser is that row of the table: the checker of the right ones and of the mutants."""
    return step_error(name, rule, seed) < 1e-12 and run_error(name, rule, seed) < 1e-9


@pytest.mark.parametrize("name", TABLE)
@SOME
@given(seed=SEEDS)
def test_OPT_one_step_matches_optax(name, seed):
    assert step_error(name, TABLE[name].ours, seed) < 1e-12


@pytest.mark.parametrize("name", TABLE)
@FEW
@given(seed=SEEDS)
def test_OPT_free_run_matches_optax(name, seed):
    """Defaults and starting states are optax's too, for both sides use their own."""
    assert run_error(name, TABLE[name].ours, seed) < 1e-9


def test_OPT_table_is_complete():
    made = {name for name in optimisers.__all__ if isinstance(_made(name), Optimiser)}
    assert made == {*TABLE, "reverse_derivative_ascent"}


def _made(name):
    maker = getattr(optimisers, name)
    for arguments in ((), (0.1,)):
        try:
            return maker(*arguments)
        except TypeError:
            continue
    return None


@SOME
@given(seed=SEEDS)
def test_OPT_adagrad_formula(seed):
    rng = np.random.default_rng(seed)
    rate, delta, s, p, d = rng.uniform(0.1, 1), rng.uniform(0.1, 1), rng.uniform(0, 2, 3), *rng.normal(size=(2, 3))
    new_s, new_p = at_defaults_with("adagrad", learning_rate=rate, epsilon=delta)(s, p, d)
    np.testing.assert_allclose(new_s, s + d**2, rtol=1e-13)
    np.testing.assert_allclose(new_p, p + rate * d / (delta + np.sqrt(s + d**2)), rtol=1e-12)


def at_defaults_with(name, **values):
    """The put of `bound` with those values, on one vector."""
    lens = TABLE[name].ours.bound(VECTOR, **values)
    run = Jax("float64")(lens.put)
    return lambda *arguments: [np.asarray(x) for x in run(*arguments)]


# The wrong optimisers: each must be rejected by the checker that accepts the right one.


def _momentum_with_minus():
    put = lambda h, s, p, d: ({"s": (new := -h.decay * s.s + h.learning_rate * d)}, new)  # noqa: E731
    rule = transformation("trace", put, hyper={"learning_rate": 0.05, "decay": 0.9}, state={"s": 0.0})
    return optimiser("momentum", rule)


def _adam_like(name, rule, **more):
    def put(h, s, p, d):
        m, v, out = rule(h, s, d)
        return {"m": m, "v": v}, out

    start = {"b1": 0.9, "b2": 0.999, "epsilon": 1e-8}
    inner = transformation("scale by adam", put, hyper=start, state={"m": 0.0, "v": 0.0}, count=True)
    return optimiser(name, inner >> optimisers.scale(0.05))


def _moments(h, s, d):
    return h.b1 * s.m + (1.0 - h.b1) * d, h.b2 * s.v + (1.0 - h.b2) * d * d


def _right_rule(h, s, d):
    m, v = _moments(h, s, d)
    return m, v, m / (1.0 - h.b1**h.t) / (f.sqrt(v / (1.0 - h.b2**h.t)) + h.epsilon)


def _corrected_stored(h, s, d):
    m, v = _moments(h, s, d)
    m, v = m / (1.0 - h.b1**h.t), v / (1.0 - h.b2**h.t)
    return m, v, m / (f.sqrt(v) + h.epsilon)


def _corrected_with_b2(h, s, d):
    m, v = _moments(h, s, d)
    return m, v, m / (1.0 - h.b2**h.t) / (f.sqrt(v / (1.0 - h.b2**h.t)) + h.epsilon)


def _count_before(h, s, d):
    m, v = _moments(h, s, d)
    t = h.t - 1.0
    return m, v, m / (1.0 - h.b1**t) / (f.sqrt(v / (1.0 - h.b2**t)) + h.epsilon)


def _epsilon_inside(h, s, d):
    m, v = _moments(h, s, d)
    return m, v, m / (1.0 - h.b1**h.t) / f.sqrt(v / (1.0 - h.b2**h.t) + h.epsilon)


def _adamw_on_new():
    def put(h, s, p, d):
        step = h.learning_rate * d
        return {}, step - h.learning_rate * h.weight_decay * (p + step)

    decay = transformation("decay", put, hyper={"weight_decay": 1e-4, "learning_rate": 0.05})
    return optimiser("adamw", optimisers.scale_by_adam() >> decay)


def _adamw_coupled():
    inner = optimisers.decay_weights(1e-4) >> optimisers.scale_by_adam() >> optimisers.scale(0.05)
    return optimiser("adamw", inner)


def _nesterov_flat_put():
    return Optimiser("nesterov", optimisers.nesterov_flat(0.05).transformation)


MUTANTS = {
    "momentum with -decay (ERR.3)": ("momentum", _momentum_with_minus),
    "Adam stores corrected moments (ERR.4)": ("adam", lambda: _adam_like("adam", _corrected_stored)),
    "Adam corrects m with b2 (ERR.7)": ("adam", lambda: _adam_like("adam", _corrected_with_b2)),
    "Adam reads t before it counts": ("adam", lambda: _adam_like("adam", _count_before)),
    "Adam with epsilon inside": ("adam", lambda: _adam_like("adam", _epsilon_inside)),
    "Nesterov without look-ahead": ("nesterov", lambda: optimisers.momentum(0.05)),
    "Nesterov flat for Nesterov": ("nesterov", _nesterov_flat_put),
    "momentum for Nesterov flat": ("nesterov_flat", lambda: optimisers.momentum(0.05)),
    "AdaGrad with epsilon inside": ("adagrad", lambda: _renamed(optimisers.adagrad_inside(0.05), "adagrad")),
    "AdaGrad with epsilon outside": ("adagrad_inside", lambda: optimisers.adagrad(0.05)),
    "AdaGrad started at zero": ("adagrad_inside", lambda: optimisers.adagrad_inside(0.05, start=0.0)),
    "RMSProp with epsilon inside": ("rmsprop", lambda: optimisers.rmsprop_inside(0.05)),
    "RMSProp with epsilon outside": ("rmsprop_inside", lambda: optimisers.rmsprop(0.05)),
    "AdamW decays the new parameter": ("adamw", _adamw_on_new),
    "AdamW with coupled decay": ("adamw", _adamw_coupled),
    "AdamW without decay": ("adamw", lambda: optimisers.adam(0.05)),
}


def _renamed(rule, name):
    return Optimiser(name, rule.transformation)


def test_M_hand_written_adam_is_accepted():
    """The form in which the mutants are written gives the right optimiser with the right rule."""
    assert agrees("adam", _adam_like("adam", _right_rule), 5)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_M_mutants_are_rejected(mutant):
    name, make = MUTANTS[mutant]
    rule = make()
    for seed in range(3):
        assert agrees(name, TABLE[name].ours, seed)
        assert not agrees(name, rule, seed)


@pytest.mark.parametrize("seed", range(3))
def test_M_nesterov_stored_parameter_is_not_optax(seed):
    """OPT.nesterov: optax's parameters are the gets; the stored ones differ by far more than rounding."""
    assert run_error("nesterov", TABLE["nesterov"].ours, seed, at_get=False) > 1e-3
    assert step_error("nesterov", TABLE["nesterov"].ours, seed, look=False) > 1e-3


# Relations between the rows.


@SOME
@given(seed=SEEDS)
def test_OPT_gamma0(seed):
    """Momentum and both forms of Nesterov with decay 0 are gradient descent."""
    rng = np.random.default_rng(seed)
    rate, s, p, d = rng.uniform(0.1, 1), *(draw(WIRES, rng) for _ in range(3))
    for name in ("momentum", "nesterov", "nesterov_flat"):
        get, put = whole(TABLE[name].ours, WIRES)
        assert distance(get(rate, 0.0, *s, *p), p) == 0
        expected = [x + rate * e for x, e in zip(p, d, strict=True)]
        assert distance(put(rate, 0.0, *s, *p, *d)[2:], expected) < 1e-14


@SOME
@given(seed=SEEDS)
def test_OPT_b1zero(seed):
    """Adam with b1 = 0 is RMSProp with its second moment corrected and epsilon outside the root."""
    rng = np.random.default_rng(seed)
    b2, delta, rate, t = rng.uniform(0.3, 0.99), rng.uniform(0.01, 0.3), rng.uniform(0.01, 1), int(rng.integers(0, 20))
    m, p, d = (draw(WIRES, rng) for _ in range(3))
    v = [rng.uniform(0.1, 2, space.shape) for space in WIRES]
    results = whole(TABLE["adam"].ours, WIRES)[1](0.0, b2, delta, t, *m, *v, rate, *p, *d)
    total = [b2 * a + (1 - b2) * e**2 for a, e in zip(v, d, strict=True)]
    new = [x + rate * e / (np.sqrt(a / (1 - b2 ** (t + 1))) + delta) for x, e, a in zip(p, d, total, strict=True)]
    assert distance(results[1:], [*d, *total, *new]) < 1e-12


@SOME
@given(seed=SEEDS)
def test_OPT_nesterov_iso(seed):
    """theta = p + gamma s moves by gamma^2 s + (1 + gamma) eta p'."""
    rng = np.random.default_rng(seed)
    rate, gamma = rng.uniform(0.1, 1), rng.uniform(0.1, 0.95)
    s, p, d = (draw(WIRES, rng) for _ in range(3))
    get, put = whole(TABLE["nesterov"].ours, WIRES)
    after = get(rate, gamma, *put(rate, gamma, *s, *p, *d))
    expected = [x + gamma * a + gamma**2 * a + (1 + gamma) * rate * e for x, a, e in zip(p, s, d, strict=True)]
    assert distance(after, expected) < 1e-12


def trajectory(name, changes, factor, **values):
    """The parameters along a sequence of changes times a factor, from zero."""
    rule = TABLE[name].ours
    settings_ = {w.name: values.get(w.name, w.start) for w in rule.context(VECTOR) if not w.stored}
    state = list(rule.init([np.zeros(3)], VECTOR))
    _, put = whole(rule, (VECTOR,))
    path = []
    for change in changes:
        stored = iter(state)
        context = [next(stored) if w.stored else settings_[w.name] for w in rule.context(VECTOR)]
        state = list(put(*context, *stored, factor * change))
        path.append(state[-1])
    return np.stack(path)


@FEW
@given(seed=SEEDS)
def test_OPT_scaleinv(seed):
    """With epsilon 0 the normalising ones ignore a positive factor in the cap; the linear ones scale with it."""
    rng = np.random.default_rng(seed)
    changes, factor = rng.normal(size=(5, 3)), rng.uniform(2, 50)
    for name in ("adagrad", "rmsprop", "rmsprop_inside", "adam"):
        once, scaled = (trajectory(name, changes, c, epsilon=0.0) for c in (1.0, factor))
        assert distance([scaled], [once]) < 1e-11
    for name in ("ga", "gd", "momentum", "nesterov", "nesterov_flat"):
        once, scaled = (trajectory(name, changes, c) for c in (1.0, factor))
        assert distance([scaled], [factor * once]) < 1e-12
        assert distance([scaled], [once]) > 1e-3
    assert distance([trajectory("adamw", changes, 1.0, weight_decay=0.0)], [trajectory("adam", changes, 1.0)]) < 1e-14


@pytest.mark.parametrize("name", [name for name in TABLE if name not in ("adagrad_inside",)])
@FEW
@given(seed=SEEDS)
def test_OPT_odd(name, seed):
    """Descent and ascent are mirror images: first moments and parameters are odd, second moments even."""
    rng = np.random.default_rng(seed)
    rule = TABLE[name].ours
    context = rule.context(WIRES)
    values, p, d = draw_context(rule, WIRES, rng), draw(WIRES, rng), draw(WIRES, rng)
    even = ("count", "v_") if "adagrad" not in name else ("s_",)
    signs = [1 if not w.stored or w.name.startswith(even) else -1 for w in context]
    _, put = whole(rule, WIRES)
    plain = put(*values, *p, *d)
    mirrored = put(*(s * v for s, v in zip(signs, values, strict=True)), *(-x for x in p), *(-x for x in d))
    out = [s for s, w in zip(signs, context, strict=True) if w.stored] + [-1] * len(WIRES)
    assert distance(mirrored, [s * x for s, x in zip(out, plain, strict=True)]) == 0
    assert distance(plain[-1:], mirrored[-1:]) > 1e-3


# Factoring and chaining.


@pytest.mark.parametrize("name", TABLE)
@FEW
@given(seed=SEEDS)
def test_OPT_factor(name, seed):
    """The lens is (1 x ascent) ; T; on values, T passes on what is added to the stored parameter."""
    rng = np.random.default_rng(seed)
    rule = TABLE[name].ours
    lens, transform = rule.lens(WIRES), rule.transformation.lens(WIRES)
    context = sides_of(rule.context(WIRES))
    assert lens == (cl.Lens.identity(context) @ ascent(WIRES)) >> transform
    assert transform.dom == context + cl.Sides.of(WIRES)
    assert transform.cod == cl.Sides.of(WIRES)
    assert lens.dom == cl.Sides(context.forward + WIRES, context.backward + WIRES)
    values, p, d = draw_context(rule, WIRES, rng), draw(WIRES, rng), draw(WIRES, rng)
    *state, first, second = inner(rule, WIRES)(*values, *p, *d)
    assert distance(whole(rule, WIRES)[1](*values, *p, *d), [*state, p[0] + first, p[1] + second]) < 1e-14


def test_OPT_factor_ascent():
    """GA = (1, +): the get is the identity, the put adds."""
    lens = ascent(WIRES)
    assert lens.get == cl.identity(WIRES)
    p, d = [1.5, -2.0, 0.25], [4.0, 8.0, -0.5]
    q, e = [[1.0, 2.0], [3.0, 4.0]], [[0.5, 0.5], [-1.0, 2.0]]
    first, second = lens.put(p, q, d, e)
    np.testing.assert_array_equal(first, [5.5, 6.0, -0.25])
    np.testing.assert_array_equal(second, [[1.5, 2.5], [2.0, 6.0]])


CHAINS = {
    "clip, adam": (
        optimisers.clip(0.3) >> optimisers.scale_by_adam() >> optimisers.scale(0.1),
        lambda: (optax.clip(0.3), optax.scale_by_adam(), optax.scale(-0.1)),
    ),
    "adam, clip": (
        optimisers.scale_by_adam() >> optimisers.clip(0.3) >> optimisers.scale(0.1),
        lambda: (optax.scale_by_adam(), optax.clip(0.3), optax.scale(-0.1)),
    ),
    "norm, trace": (
        optimisers.clip_by_norm(0.7) >> optimisers.trace_changes(0.1, 0.8),
        lambda: (optax.clip_by_global_norm(0.7), optax.trace(0.8), optax.scale(-0.1)),
    ),
    "decay, trace": (
        optimisers.decay_weights(0.2) >> optimisers.trace_changes(0.1, 0.8),
        lambda: (optax.add_decayed_weights(0.2), optax.trace(0.8), optax.scale(-0.1)),
    ),
    "trace, decay": (
        optimisers.trace_changes(1.0, 0.8) >> optimisers.decay_weights(0.2) >> optimisers.scale(0.1),
        lambda: (optax.trace(0.8), optax.add_decayed_weights(0.2), optax.scale(-0.1)),
    ),
    "rms, norm": (
        optimisers.scale_by_rms(0.9, 1e-3) >> optimisers.clip_by_norm(0.7) >> optimisers.scale(0.1),
        lambda: (
            optax.scale_by_rms(0.9, 1e-3, eps_in_sqrt=False),
            optax.clip_by_global_norm(0.7),
            optax.scale(-0.1),
        ),
    ),
}
CHAINED = {name: optimiser(name, rule) for name, (rule, _) in CHAINS.items()}


def chain_path(name, changes):
    rule = CHAINED[name]
    _, put = at_defaults(rule, WIRES)
    state = rule.init([np.ones(3), -np.ones((2, 2))], WIRES)
    path = []
    for change in changes:
        state = put(*state, *change)
        path += state[-2:]
    return path


def optax_path(parts, changes):
    theirs = optax.chain(*parts)
    with jax.enable_x64(True):
        params = [jnp.ones(3), -jnp.ones((2, 2))]
        state, path = theirs.init(params), []
        for change in changes:
            updates, state = theirs.update([jnp.asarray(-x) for x in change], state, params)
            params = [x + u for x, u in zip(params, updates, strict=True)]
            path += [np.asarray(x) for x in params]
    return path


@pytest.mark.parametrize("name", CHAINS)
@FEW
@given(seed=SEEDS)
def test_OPT_factor_chain_matches_optax(name, seed):
    """T1 >> T2, the first next to the model, is optax.chain(T1, T2)."""
    rng = np.random.default_rng(seed)
    changes = [draw(WIRES, rng) for _ in range(5)]
    assert distance(chain_path(name, changes), optax_path(CHAINS[name][1](), changes)) < 1e-11


def test_OPT_factor_order_of_a_chain_matters():
    rng = np.random.default_rng(0)
    changes = [draw(WIRES, rng) for _ in range(5)]
    for one, other in (("clip, adam", "adam, clip"), ("decay, trace", "trace, decay")):
        assert distance(chain_path(one, changes), optax_path(CHAINS[other][1](), changes)) > 1e-3


def test_OPT_factor_chaining_is_associative():
    first, second, third = optimisers.clip(0.3), optimisers.scale_by_adam(), optimisers.scale(0.1)
    left, right = (first >> second) >> third, first >> (second >> third)
    assert left.lens(WIRES) == right.lens(WIRES)
    assert left.context(WIRES) == right.context(WIRES)


@SOME
@given(seed=SEEDS)
def test_BWD_clip_next_to_the_optimiser(seed):
    rng = np.random.default_rng(seed)
    bound, d = rng.uniform(0.2, 1.0), rng.normal(size=3)
    _, put = whole(_CLIP, (VECTOR,))
    assert distance(put(bound, np.zeros(3), d), [np.clip(d, -bound, bound)]) == 0
    _, put = whole(_NORM, WIRES)
    d, e = rng.normal(size=3), rng.normal(size=(2, 2))
    norm = np.sqrt((d**2).sum() + (e**2).sum())
    expected = [x * min(1.0, bound / norm) for x in (d, e)]
    assert distance(put(bound, np.zeros(3), np.zeros((2, 2)), d, e), expected) < 1e-14
    small = [x * 0.5 * bound / norm for x in (d, e)]
    assert distance(put(bound, np.zeros(3), np.zeros((2, 2)), *small), small) < 1e-15


_CLIP = optimiser("clip", optimisers.clip(1.0))
_NORM = optimiser("clip_by_norm", optimisers.clip_by_norm(1.0))


# Products and changes of parameters.


def tensor_error(rule, seed):
    """How far the lens on P x Q is from the tensor of the lenses on P and Q, hyper-parameters and count shared."""
    rng = np.random.default_rng(seed)
    P, Q = (VECTOR,), (MATRIX, VECTOR)
    context = rule.context(P + Q)
    values, p, d = draw_context(rule, P + Q, rng), draw(P + Q, rng), draw(P + Q, rng)
    get, put = whole(rule, P + Q)
    named = {w.name: v for w, v in zip(context, values, strict=True)}
    stored = [w.name for w in context if w.stored]
    after = dict(zip([*stored, "p_0", "p_1", "p_2"], put(*values, *p, *d), strict=True))
    looked, pairs = get(*values, *p), []
    for spaces, start in ((P, 0), (Q, len(P))):
        own = rule.context(spaces)
        numbers = [_shifted(w, start) for w in own]
        part = slice(start, start + len(spaces))
        mine = [named[n] for n in numbers]
        get, put = whole(rule, spaces)
        pairs.append((looked[part], get(*mine, *p[part])))
        expected = put(*mine, *p[part], *d[part])
        names = [n for n, w in zip(numbers, own, strict=True) if w.stored]
        names += [f"p_{k}" for k in range(start, start + len(spaces))]
        pairs.append(([after[n] for n in names], expected))
    return max(distance(left, right) for left, right in pairs)


def _shifted(wire, start):
    slot, _, number = wire.name.rpartition("_")
    return f"{slot}_{int(number) + start}" if wire.stored and slot else wire.name


@pytest.mark.parametrize("name", [*TABLE, "clip"])
@FEW
@given(seed=SEEDS)
def test_OPT_tensor(name, seed):
    """Elementwise optimisers are compatible with products of parameters."""
    assert tensor_error(_CLIP if name == "clip" else TABLE[name].ours, seed) < 1e-14


@pytest.mark.parametrize("seed", range(3))
def test_OPT_tensor_fails_for_the_norm(seed):
    assert tensor_error(_NORM, seed) > 1e-3


@pytest.mark.parametrize("name", TABLE)
@FEW
@given(seed=SEEDS)
def test_OPT_pytree(name, seed):
    """Flattening the parameters, and permuting the entries, commutes with every elementwise optimiser."""
    rng = np.random.default_rng(seed)
    rule, flat = TABLE[name].ours, (cl.Space(7, cl.REAL),)
    order = rng.permutation(7)
    values, p, d = draw_context(rule, WIRES, rng), draw(WIRES, rng), draw(WIRES, rng)
    context = rule.context(WIRES)
    stored = [k for k, w in enumerate(context) if w.stored]

    def flatten(arrays):
        return np.concatenate([np.asarray(x).reshape(-1) for x in arrays])[order]

    def joined(names, arrays):
        found = dict(zip(names, arrays, strict=True))
        slots = {n.rpartition("_")[0]: n for n in names if n.endswith("_0")}
        return [flatten([found[f"{s}_0"], found[f"{s}_1"]]) for s in slots], found

    names = [context[k].name for k in stored]
    slots, found = joined(names, [values[k] for k in stored])
    given_slots, given_values = iter(slots), []
    for wire, other in ((w, dict(zip((c.name for c in context), values, strict=True))) for w in rule.context(flat)):
        given_values.append(next(given_slots) if wire.stored and wire.name != "count" else other[wire.name])
    result = whole(rule, WIRES)[1](*values, *p, *d)
    expected, found = joined(names, result[: len(names)])
    expected = [*([found["count"]] if "count" in found else []), *expected, flatten(result[len(names) :])]
    assert distance(whole(rule, flat)[1](*given_values, flatten(p), flatten(d)), expected) < 1e-14


def test_OPT_pytree_rotations():
    """Gradient descent and momentum commute with every rotation; Adam and RMSProp do not."""
    rng = np.random.default_rng(3)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    changes = rng.normal(size=(6, 3))
    for name in ("gd", "momentum", "nesterov_flat"):
        assert distance([trajectory(name, changes @ turn, 1.0)], [trajectory(name, changes, 1.0) @ turn]) < 1e-13
    for name in ("adam", "rmsprop", "adagrad"):
        assert distance([trajectory(name, changes @ turn, 1.0)], [trajectory(name, changes, 1.0) @ turn]) > 1e-3


# Carriers.


@pytest.mark.parametrize("modulus", [2, 5, 8])
@SOME
@given(seed=SEEDS)
def test_OPT_group(modulus, seed):
    """Gradient ascent needs only addition."""
    rng = np.random.default_rng(seed)
    p, d = rng.integers(0, modulus, (2, 6))
    for carrier in (cl.Modular(modulus), *((cl.Z2,) if modulus == 2 else ())):
        for rule in (optimisers.ga(), optimisers.reverse_derivative_ascent()):
            lens = rule.bound(cl.Space(6, carrier))
            np.testing.assert_array_equal(Jax()(lens.put)(p, d), (p + d) % modulus)
            np.testing.assert_array_equal(Exact()(lens.put)(p, d), (p + d) % modulus)
    big = [int(x) * 10**20 for x in p]
    total = Exact()(optimisers.ga().bound(cl.Space(6, cl.INTEGERS)).put)(np.array(big, object), d)
    assert list(total) == [b + int(e) for b, e in zip(big, d, strict=True)]


def test_OPT_group_refusals():
    bits = cl.Space(3, cl.BITS)
    with pytest.raises(OperationError, match=r"ascent adds a change.*BITS.*INTEGERS"):
        optimisers.ga().lens(bits)
    with pytest.raises(OperationError, match="ascent adds a change"):
        ascent((VECTOR, bits))
    for rule in (row.ours for name, row in TABLE.items() if name != "ga"):
        for carrier in (cl.Z2, cl.INTEGERS, cl.Modular(3), cl.BITS):
            with pytest.raises(OperationError, match=r"REAL.*Space\(\(3,\)"):
                rule.lens((VECTOR, cl.Space(3, carrier)))


# Schedules and hyper-parameters.


def _exponential(start, rate):
    return cl.trace(COUNT, lambda n: start * f.exp(-rate * f.real(n)))


SCHEDULED = {
    "gd": (optimisers.gd, lambda s: optax.sgd(s)),
    "adam": (optimisers.adam, lambda s: optax.adam(s)),
    "adamw": (lambda s: optimisers.adamw(s, weight_decay=0.3), lambda s: optax.adamw(s, weight_decay=0.3)),
    "rmsprop_inside": (optimisers.rmsprop_inside, lambda s: optax.rmsprop(s)),
    "adagrad_inside": (optimisers.adagrad_inside, lambda s: optax.adagrad(s)),
}


@pytest.mark.parametrize("name", SCHEDULED)
def test_OPT_schedule_matches_optax(name):
    """A schedule is a diagram from the number of steps taken, 0 at the first, to the learning rate."""
    rng = np.random.default_rng(11)
    start, rate = rng.uniform(0.5, 1.0), rng.uniform(0.3, 0.6)
    ours, theirs = SCHEDULED[name]
    rule = ours(_exponential(start, rate))
    assert "learning_rate" not in [w.name for w in rule.context(WIRES)]
    assert "count" in [w.name for w in rule.context(WIRES) if w.stored]
    other = theirs(lambda count: start * jnp.exp(-rate * count))
    changes = [draw(WIRES, rng) for _ in range(5)]
    _, put = at_defaults(rule, WIRES)
    state, path = rule.init([np.ones(3), -np.ones((2, 2))], WIRES), []
    for change in changes:
        state = put(*state, *change)
        path += state[-2:]
    assert distance(path, optax_path((other,), changes)) < 1e-12


def test_OPT_schedule_of_every_hyper_parameter():
    """Rate and decay of momentum and Nesterov on a schedule, against the formula with the number of steps taken."""
    rng = np.random.default_rng(7)
    rate, decay = _exponential(0.8, 0.4), _exponential(0.9, 0.1)
    for make, ahead in ((optimisers.momentum, False), (optimisers.nesterov, True)):
        rule = make(rate, decay)
        assert [w.name for w in rule.context(VECTOR)] == ["count", "s_0"]
        get, put = at_defaults(rule, (VECTOR,))
        s, p = np.zeros(3), rng.normal(size=3)
        state = rule.init([p], VECTOR)
        for k in range(4):
            d, eta, gamma = rng.normal(size=3), 0.8 * np.exp(-0.4 * k), 0.9 * np.exp(-0.1 * k)
            assert distance(get(*state), [p + gamma * s if ahead else p]) < 1e-13
            s = gamma * s + eta * d
            p = p + s
            state = put(*state, d)
            assert distance(state, [k + 1, s, p]) < 1e-13


def test_OPT_schedule_one_hyper_parameter_wire_left():
    rule = optimisers.momentum(_exponential(0.8, 0.4), 0.5)
    context = rule.context(VECTOR)
    assert [(w.name, w.stored) for w in context] == [("decay", False), ("count", True), ("s_0", True)]


HYPER = {
    "ga": {},
    "gd": {"learning_rate": 0.05},
    "momentum": {"learning_rate": 0.05, "decay": 0.9},
    "nesterov": {"learning_rate": 0.05, "decay": 0.9},
    "nesterov_flat": {"learning_rate": 0.05, "decay": 0.9},
    "adagrad": {"epsilon": 1e-7, "learning_rate": 0.05},
    "adagrad_inside": {"epsilon": 1e-7, "learning_rate": 0.05},
    "rmsprop": {"decay": 0.9, "epsilon": 1e-8, "learning_rate": 0.05},
    "rmsprop_inside": {"decay": 0.9, "epsilon": 1e-8, "learning_rate": 0.05},
    "adam": {"b1": 0.9, "b2": 0.999, "epsilon": 1e-8, "learning_rate": 0.05},
    "adamw": {"b1": 0.9, "b2": 0.999, "epsilon": 1e-8, "weight_decay": 1e-4, "learning_rate": 0.05},
}


@pytest.mark.parametrize("name", TABLE)
def test_OPT_hyper_parameters_are_wires(name):
    """Names, order, defaults and places: a scalar wire each, forward only."""
    rule = TABLE[name].ours
    context = rule.context(WIRES)
    found = [(w.name, w.start) for w in context if not w.stored]
    assert found == list(HYPER[name].items())
    assert all(w.space == cl.Space((), cl.REAL) for w in context if not w.stored)
    lens = rule.lens(WIRES)
    assert lens.dom.forward == (*(w.space for w in context), *WIRES)
    assert lens.dom.backward == (*(w.space for w in context if w.stored), *WIRES)
    bound = rule.bound(WIRES)
    assert bound.dom.forward == bound.dom.backward == lens.dom.backward
    assert lens.cod == bound.cod == cl.Sides.of(WIRES)


@pytest.mark.parametrize("name", [name for name in TABLE if HYPER[name]])
def test_OPT_bound_overrides_defaults(name):
    """`bound(name=value)` is the lens with that value on that wire."""
    rng = np.random.default_rng(2)
    rule = TABLE[name].ours
    context = rule.context(VECTOR)
    values, p, d = draw_context(rule, (VECTOR,), rng), draw((VECTOR,), rng), draw((VECTOR,), rng)
    stored = [v for w, v in zip(context, values, strict=True) if w.stored]
    for wire in context:
        if wire.stored:
            continue
        chosen = {w.name: v for w, v in zip(context, values, strict=True) if w.name == wire.name}
        used = [
            v if w.stored else chosen.get(w.name, HYPER[name][w.name] if not w.stored else v)
            for w, v in zip(context, values, strict=True)
        ]
        result = Jax("float64")(rule.bound(VECTOR, **chosen).put)(*stored, *p, *d)
        expected = whole(rule, (VECTOR,))[1](*used, *p, *d)
        assert distance(result if isinstance(result, tuple) else [result], expected) < 1e-13


def test_OPT_repeated_names_are_told_apart():
    chain = optimisers.decay_weights(0.1) >> optimisers.scale(0.5) >> optimisers.decay_weights(0.2)
    rule = optimiser("twice", chain)
    names = [w.name for w in rule.context(VECTOR)]
    assert names == ["weight_decay", "learning_rate", "weight_decay_1"]
    p, d, put = 2.0, 3.0, rule.bound(cl.Space((), cl.REAL), weight_decay=0.25, weight_decay_1=0.75).put
    assert float(put(p, d)) == p + (0.5 * (d - 0.25 * p) - 0.75 * p)


def test_OPT_unknown_hyper_parameters_are_refused():
    with pytest.raises(OperationError, match="adam has no hyper-parameter rate"):
        optimisers.adam().bound(VECTOR, rate=0.1)
    with pytest.raises(OperationError, match="momentum has no hyper-parameter s_0"):
        optimisers.momentum(0.1).bound(VECTOR, s_0=0.1)
    with pytest.raises(OperationError, match="gd has no hyper-parameter learning_rate"):
        optimisers.gd(_exponential(1.0, 1.0)).bound(VECTOR, learning_rate=0.1)


@SOME
@given(seed=SEEDS)
def test_OPT_adamw_decays_the_old_parameter(seed):
    rng = np.random.default_rng(seed)
    rate, decay, p, d = 0.3, rng.uniform(0.1, 1), *rng.normal(size=(2, 3))
    rule = TABLE["adamw"].ours
    _, put = whole(rule, (VECTOR,))
    new = put(0.9, 0.999, 1e-8, 0, np.zeros(3), np.zeros(3), decay, rate, p, d)[-1]
    np.testing.assert_allclose(new, p + rate * (d / (np.abs(d) + 1e-8) - decay * p), rtol=1e-12, atol=1e-13)


def test_OPT_init():
    """init puts the starting slots before the parameters, in the order of the wires."""
    p = [np.arange(3.0), np.ones((2, 2))]
    state = optimisers.adagrad_inside(0.1, start=0.25).init(p, WIRES)
    assert [x.tolist() for x in state[:2]] == [[0.25] * 3, [[0.25] * 2] * 2]
    assert state[2] is p[0]
    assert state[3] is p[1]
    state = optimisers.adam().init(p, WIRES)
    assert [np.shape(x) for x in state] == [(), (3,), (2, 2), (3,), (2, 2), (3,), (2, 2)]
    assert not any(np.any(x) for x in state[:5])


@pytest.mark.parametrize("name", [*TABLE, "clip_by_norm"])
def test_OPT_no_parameters(name):
    """Over the unit object there is only the count."""
    rule = _NORM if name == "clip_by_norm" else TABLE[name].ours
    lens = rule.bound(())
    stored = tuple(w.space for w in rule.context(()) if w.stored)
    assert lens.dom.forward == stored
    assert lens.cod == cl.Sides((), ())
    if stored:
        assert int(lens.put(6)) == 7


@pytest.mark.parametrize("name", TABLE)
def test_OPT_empty_and_scalar_wires(name):
    """Wires of shape () and (0,) pass; the scalar moves as an entry of a vector would."""
    spaces = (cl.Space((), cl.REAL), cl.Space(0, cl.REAL))
    rng = np.random.default_rng(4)
    rule = TABLE[name].ours
    values = draw_context(rule, spaces, rng)
    scalar, empty = whole(rule, spaces)[1](*values, 0.7, np.zeros(0), -1.3, np.zeros(0))[-2:]
    assert empty.shape == (0,)
    one = (cl.Space(1, cl.REAL),)
    context = rule.context(spaces)
    kept = [
        np.reshape(v, w.space.shape) if not w.stored or w.name == "count" else np.reshape(v, 1)
        for v, w in zip(values, context, strict=True)
        if not w.stored or not w.name.endswith("_1")
    ]
    assert distance([scalar], [whole(rule, one)[1](*kept, np.full(1, 0.7), np.full(1, -1.3))[-1][0]]) < 1e-14
