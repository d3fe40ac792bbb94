"""Laws of optimisers: each one's step as its formula, and what holds of any optimiser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from catlearn import functions, optimisers
from catlearn.diagram import Diagram, discard, identity, permute
from catlearn.generators.opaque import from_jax
from catlearn.laws.derivatives import CF
from catlearn.laws.law import Law, Pair, apply, differ, formula
from catlearn.lens import Lens, Sides
from catlearn.optimisers import Optimiser
from catlearn.semirings import REAL
from catlearn.space import Object, Space, changes

__all__ = ["UPDATES", "trajectory"]

PL = "Capucci et al., Deep learning with parametric lenses (2404.00408), section 3"
KINGMA = "Kingma and Ba, Adam (1412.6980), algorithm 1; Loshchilov and Hutter (1711.05101)"

Step = Callable[..., tuple[Any, ...]]


def trajectory(optimiser: Optimiser, spaces: Object, steps: int, **values: float) -> Diagram:
    """P x P' x ... x P' -> T: the state after that many steps, from the initial state of the parameters."""
    put = optimiser.bound(spaces, **values).put
    stored = [wire for wire in optimiser.context(spaces) if wire.stored]

    def run(p: list[Any], *given: list[Any]) -> list[Any]:
        state = [*(functions.constant(w.space, w.start) for w in stored), *p]
        for change in given:
            state = apply(put, state, change)
        return state

    return formula([spaces, *[changes(spaces)] * steps], run)


def moved(optimiser: Optimiser, spaces: Object, steps: int, **values: float) -> Diagram:
    """P x P' x ... x P' -> P: the parameters after that many steps."""
    whole = trajectory(optimiser, spaces, steps, **values)
    return whole.select(range(len(whole.cod) - len(spaces), len(whole.cod)))


def _step_is(
    optimiser: Optimiser, step: Step, squared: tuple[int, ...] = (), get: Step | None = None, start: float = 0.0
) -> Any:
    """On one wire: put is `step(stored.., p, d)` in plain JAX, get is `get(stored.., p)`, p unless given.

    The stored wires numbered in `squared` are sums of squares; both sides are given the square of what is drawn. What
    is stored starts at `start`.
    """

    def sides(A: Object) -> list[tuple[Any, Any]]:
        pairs: list[tuple[Any, Any]] = []
        for space in A:
            lens = optimiser.bound((space,))
            state = lens.dom.forward

            def lawful(*wires: Any, state: Object = state) -> list[Any]:
                return [w * w if k in squared else w for k, w in enumerate(wires)]

            before = formula([state, (space,)], lambda s, d, lawful=lawful: [*lawful(*s), *d])
            pairs.append((before >> lens.put, before >> from_jax(step, before.cod, state)))
            place = get or (lambda *stored: stored[-1])
            pairs.append((lens.get, from_jax(place, state, (space,))))
            stored = optimiser.init([np.ones(space.shape)], (space,))[:-1]
            pairs.append(
                ([np.asarray(x).tolist() for x in stored], [np.full(np.shape(x), start).tolist() for x in stored])
            )
        return pairs

    return sides


def _sqrt(x: Any) -> Any:
    import jax.numpy as jnp

    return jnp.sqrt(x)


ETA, GAMMA, DELTA = 0.1, 0.9, 1e-3


def _momentum(s: Any, p: Any, d: Any) -> tuple[Any, ...]:
    new = GAMMA * s + ETA * d
    return new, p + new


def _adam(t: Any, m: Any, v: Any, p: Any, d: Any, decay: float = 0.0) -> tuple[Any, ...]:
    t = t + 1
    m, v = 0.8 * m + 0.2 * d, 0.95 * v + 0.05 * d**2
    m_hat, v_hat = m / (1 - 0.8 ** t.astype(float)), v / (1 - 0.95 ** t.astype(float))
    return t, m, v, p + ETA * (m_hat / (_sqrt(v_hat) + DELTA) - decay * p)


def _rmsprop(v: Any, p: Any, d: Any) -> tuple[Any, ...]:
    v = GAMMA * v + (1 - GAMMA) * d**2
    return v, p + ETA * d / (_sqrt(v) + DELTA)


def _rmsprop_inside(v: Any, p: Any, d: Any) -> tuple[Any, ...]:
    v = GAMMA * v + (1 - GAMMA) * d**2
    return v, p + ETA * d / _sqrt(v + DELTA)


_ADAM = {"learning_rate": ETA, "b1": 0.8, "b2": 0.95, "epsilon": DELTA}

ROWS: tuple[tuple[str, str, str, Any], ...] = (
    ("OPT.ga", "p + d", PL, _step_is(optimisers.ga(), lambda p, d: (p + d,))),
    ("OPT.gd", "p + eta d", PL, _step_is(optimisers.gd(ETA), lambda p, d: (p + ETA * d,))),
    ("OPT.momentum", "s+ = gamma s + eta d; p + s+", PL, _step_is(optimisers.momentum(ETA, GAMMA), _momentum)),
    (
        "OPT.nesterov",
        "get p + gamma s; put as momentum",
        PL,
        _step_is(optimisers.nesterov(ETA, GAMMA), _momentum, get=lambda s, p: p + GAMMA * s),
    ),
    (
        "OPT.nesterov.flat",
        "s+ = gamma s + eta d; p + gamma s+ + eta d",
        PL,
        _step_is(
            optimisers.nesterov_flat(ETA, GAMMA),
            lambda s, p, d: (GAMMA * s + ETA * d, p + GAMMA * (GAMMA * s + ETA * d) + ETA * d),
        ),
    ),
    (
        "OPT.adagrad",
        "s+ = s + d^2; p + eta d / (delta + sqrt s+)",
        PL,
        _step_is(
            optimisers.adagrad(ETA, DELTA), lambda s, p, d: (s + d**2, p + ETA * d / (DELTA + _sqrt(s + d**2))), (0,)
        ),
    ),
    (
        "OPT.adagrad.optax",
        "s starts at 0.1; p + eta d / sqrt(s+ + delta)",
        PL,
        _step_is(
            optimisers.adagrad_inside(ETA, epsilon=DELTA),
            lambda s, p, d: (s + d**2, p + ETA * d / _sqrt(s + d**2 + DELTA)),
            (0,),
            start=0.1,
        ),
    ),
    (
        "OPT.rmsprop",
        "v+ = rho v + (1 - rho) d^2; p + eta d / (sqrt v+ + delta)",
        PL,
        _step_is(optimisers.rmsprop(ETA, GAMMA, DELTA), _rmsprop, (0,)),
    ),
    (
        "OPT.rmsprop.optax",
        "p + eta d / sqrt(v+ + delta)",
        PL,
        _step_is(optimisers.rmsprop_inside(ETA, GAMMA, DELTA), _rmsprop_inside, (0,)),
    ),
    (
        "OPT.adam",
        "t+ = t + 1; moments m, v; p + eta m_hat / (sqrt v_hat + delta), m_hat = m+ / (1 - b1^t+)",
        KINGMA,
        _step_is(optimisers.adam(**_ADAM), _adam, (2,)),
    ),
    (
        "OPT.adamw",
        "as adam, p + eta (m_hat / (sqrt v_hat + delta) - lambda p) with the old p",
        KINGMA,
        _step_is(
            optimisers.adamw(**_ADAM, weight_decay=0.3),
            lambda t, m, v, p, d: _adam(t, m, v, p, d, decay=0.3),
            (2,),
        ),
    ),
)
"""Identifier, the step, its source, and the sides."""


def _is_an_optimiser(U: Optimiser, P: Object) -> list[Any]:
    """A lens (T, T) -> (P, P') with an initial state in T, that starts from the parameters it is given."""
    lens = U.bound(P)
    values = [np.full(space.shape, space.carrier.one) for space in P]
    first = U.init(values, P)
    return [
        (lens.dom.forward, lens.dom.backward),
        (lens.cod, Sides.of(P)),
        ([np.shape(x) for x in first], [space.shape for space in lens.dom.forward]),
        ([np.asarray(x).tolist() for x in first[len(first) - len(P) :]], [v.tolist() for v in values]),
    ]


def _factors(U: Optimiser, P: Object) -> list[tuple[Any, Any]]:
    """(1_S x GA) ; T, written out: the put adds what the transformation passes on to the stored parameters."""
    inner, whole = U.transformation.lens(P), U.lens(P)
    X, n = whole.dom.forward[: len(whole.dom.forward) - len(P)], len(P)

    def put(x: Any, p: Any, d: Any) -> list[Any]:
        results = apply(inner.put, x, p, d)
        states, passed = results[: len(results) - n], results[len(results) - n :]
        return [*states, *(a + b for a, b in zip(p, passed, strict=True))]

    return [(whole.put, formula([X, P, changes(P)], put)), (whole.get, inner.get)]


def _chains(A: Object) -> list[tuple[Any, Any]]:
    """T1 >> T2 = (1 x T2) ; T1: the first is next to the model and sees the change first."""
    first, second = optimisers.clip(0.5), optimisers.scale(3.0)
    one, other = (moved(optimisers.optimiser("chain", t), A, 1) for t in (first >> second, second >> first))
    sides: list[tuple[Any, Any]] = []
    for chained, rule in ((one, lambda x: 3.0 * _clip(x)), (other, lambda x: _clip(3.0 * x))):
        plain = from_jax(_each(rule, len(A)), A + A, A)
        sides.append((chained, plain))
    return sides if A else []


def _clip(x: Any) -> Any:
    import jax.numpy as jnp

    return jnp.clip(x, -0.5, 0.5)


def _each(rule: Callable[[Any], Any], n: int) -> Callable[..., tuple[Any, ...]]:
    return lambda *values: tuple(p + rule(d) for p, d in zip(values[:n], values[n:], strict=True))


def _elementwise(U: Optimiser, P: Object) -> list[tuple[Any, Any]]:
    """On a product of parameters an optimiser does on each what it does alone."""
    steps, n = 2, len(P)
    whole = moved(U, P, steps)
    pairs = []
    for k, space in enumerate(P):
        alone = moved(U, (space,), steps)
        mine = [k + n * j for j in range(steps + 1)]
        chosen = formula([whole.dom], lambda w, mine=mine: [w[j] for j in mine])
        pairs.append((whole.select([k]), chosen >> alone))
    return pairs


def _odd(U: Optimiser, P: Object) -> list[tuple[Any, Any]]:
    """Descent and ascent are mirror images: with all parameters and changes negated, the parameters are."""
    path = moved(U, P, 2)
    negate = formula([path.dom], lambda w: [-x for x in w])
    return [(negate >> path, path >> formula([P], lambda p: [-x for x in p]))]


def _flattened(U: Optimiser, P: Object) -> list[tuple[Any, Any]]:
    """An optimiser of a vector is that of its entries, each a wire."""
    pairs = []
    for space in P:
        if len(space.shape) == 1 and space.size:
            scalar = (space.with_shape(()),)
            n, steps = space.size, 2
            apart = formula([(space,) * (steps + 1)], lambda w, n=n: [x[k] for x in w for k in range(n)])
            together = formula([scalar * n], lambda w: [_vector(w)])
            pairs.append((moved(U, (space,), steps), apart >> moved(U, scalar * n, steps) >> together))
    return pairs


def _vector(wires: list[Any]) -> Any:
    return functions.concatenate([functions.reshape(w, (1,)) for w in wires])


def _same_path(one: Optimiser, other: Optimiser, steps: int = 3) -> Any:
    return lambda A: [(moved(one, A, steps), moved(other, A, steps))]


def _positive(space: Space) -> Diagram:
    """The wire made at least 1/2, so that nothing is divided by zero."""
    return formula([(space,)], lambda w: [x * x + 0.5 for x in w])


def _scale_invariant(A: Object) -> list[Any]:
    """With delta = 0 the normalised optimisers do not see a factor on every change; gradient descent does."""
    pairs: list[Any] = []
    for space in A[:1]:
        spaces = (space,)
        kinds = (
            (optimisers.adagrad(0.1, 0.0), True),
            (optimisers.rmsprop(0.1, 0.9, 0.0), True),
            (optimisers.adam(0.1, epsilon=0.0), True),
            (optimisers.gd(0.1), False),
            (optimisers.momentum(0.1, 0.9), False),
            (optimisers.nesterov(0.1, 0.9), False),
        )
        away = identity(spaces) @ _positive(space) @ _positive(space)
        for optimiser, invariant in kinds:
            path = moved(optimiser, spaces, 2)
            tripled = formula([path.dom], lambda w: [w[0], *(3.0 * x for x in w[1:])])
            sides = (away >> path, away >> tripled >> path)
            pairs.append(sides if invariant else differ(*sides))
    return pairs


def _sign(A: Object) -> list[Any]:
    """Every optimiser adds: for a change of one, one step from zero goes up, and a cap of -1 makes it descent."""
    shipped: tuple[Any, ...] = (
        optimisers.ga(), optimisers.gd(0.1), optimisers.momentum(0.1), optimisers.nesterov(0.1),
        optimisers.nesterov_flat(0.1), optimisers.adagrad(0.1), optimisers.adagrad_inside(0.1),
        optimisers.rmsprop(0.1), optimisers.rmsprop_inside(0.1), optimisers.adam(0.1), optimisers.adamw(0.1),
    )  # fmt: skip
    return [(float(moved(each, (Space((), REAL),), 1)(0.0, 1.0)) > 0.0, True) for each in shipped]


def _nesterov(A: Object) -> list[tuple[Any, Any]]:
    """theta = p + gamma s moves by theta + gamma^2 s + (1 + gamma) eta d; from s = 0 it starts at p."""
    pairs: list[tuple[Any, Any]] = []
    for space in A:
        lens = optimisers.nesterov(ETA, GAMMA).bound((space,))
        after = lens.put >> lens.get
        moved_get = formula(
            [lens.dom.forward, (space,)],
            lambda t, d: [t[1] + GAMMA * t[0] + GAMMA**2 * t[0] + (1 + GAMMA) * ETA * d[0]],
        )
        pairs.append((after, moved_get))
        spaces = (space,)
        path = trajectory(optimisers.nesterov(ETA, GAMMA), spaces, 3) >> lens.get
        pairs.append((path, moved(optimisers.nesterov_flat(ETA, GAMMA), spaces, 3)))
    return pairs


def _any_monoid(A: Object) -> list[Any]:
    """Ascent is p + d over every carrier that adds; over Z2 it is its own inverse, so that descent is ascent."""
    lens = optimisers.ga().bound(A)
    sums = formula([A, A], lambda p, d: [x + y for x, y in zip(p, d, strict=True)])
    twice = formula([A, A], lambda p, d: apply(lens.put, apply(lens.put, p, d), d))
    there = discard(A) @ identity(A)
    involution: list[Any] = []
    if A:
        same = permute([A, A], [1, 0]) >> there
        two = all(space.carrier.name == "Z2" for space in A)
        involution = [(twice, same)] if two else [differ(twice, same)]
    return [(lens, Lens(identity(A), sums)), *involution]


def _quiet(U: Optimiser, P: Object) -> list[Pair]:
    """A change moves the parameters: the put is not constant in it."""
    path = moved(U, P, 1)
    n = len(P)
    still = formula([path.dom], lambda w: [*w[:n], *(functions.zeros(x.space) for x in w[n:])])
    return [differ(path, still >> path)] if any(space.size for space in P) else []


UPDATES: tuple[Law, ...] = (
    Law(
        "OPT.def",
        "an optimiser is a lens U: (T, T) -> (P, P') with init: P -> T",
        PL,
        "U: optimiser P",
        _is_an_optimiser,
    ),
    Law("OPT.moves", "the new parameters depend on the change", PL, "U: optimiser P", _quiet),
    Law("OPT.factor", "U = (1_S x GA) ; T, and T1 >> T2 = (1 x T2) ; T1", PL, "U: optimiser P", _factors),
    Law("OPT.chain", "T1 >> T2: the first sees the change first", PL, "A", _chains, ("real",)),
    Law("OPT.tensor", "U on P x Q is U on P and U on Q", PL, "U: optimiser P", _elementwise),
    Law("OPT.pytree", "U on a vector is U on its entries", PL, "U: optimiser P", _flattened),
    Law(
        "OPT.odd", "with parameters and changes negated the new parameters are", PL, "U: optimiser P", _odd, ("negate",)
    ),
    *(Law(name, f"put: {text}", source, "A", sides, ("real",)) for name, text, source, sides in ROWS),
    Law("OPT.sign", "every optimiser adds; the sign is the cap's", CF, "", lambda: _sign(()), ("shipped", "real")),
    Law(
        "OPT.gamma0",
        "momentum and Nesterov at gamma = 0 are gradient descent",
        PL,
        "A",
        lambda A: [
            pair
            for other in (optimisers.momentum, optimisers.nesterov, optimisers.nesterov_flat)
            for pair in _same_path(other(ETA, 0.0), optimisers.gd(ETA))(A)
        ],
        ("real",),
    ),
    Law(
        "OPT.b1zero",
        "Adam with b1 = 0 is RMSProp, its v bias-corrected, delta outside the root",
        KINGMA,
        "A",
        _step_is(
            optimisers.adam(ETA, 0.0, GAMMA, DELTA),
            lambda t, m, v, p, d: (
                t + 1,
                d,
                GAMMA * v + (1 - GAMMA) * d**2,
                p + ETA * d / (_sqrt((GAMMA * v + (1 - GAMMA) * d**2) / (1 - GAMMA ** (t + 1.0))) + DELTA),
            ),
            (2,),
        ),
        ("real",),
    ),
    Law("OPT.nesterov.iso", "theta = p + gamma s moves as optax's parameters do", PL, "A", _nesterov, ("real",)),
    Law(
        "OPT.scaleinv",
        "with delta = 0 AdaGrad, RMSProp and Adam ignore a factor on every change; gd and momentum do not",
        PL,
        "A",
        _scale_invariant,
        ("real",),
    ),
    Law("OPT.group", "GA needs a monoid; where 1 + 1 = 0 it is its own inverse", PL, "A", _any_monoid, ("own", "add")),
)
"""The laws of optimisers."""
