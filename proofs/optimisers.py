"""Identities between optimisers, for all rates, decays, states, parameters and changes, by SymPy.

Each optimiser's own lens runs on symbols: its hyper-parameters, what it stores, the parameter p and the change d. An
identity about many steps is proved by induction: from a state that satisfies it, one step leads to one that does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy

from catlearn import optimisers
from catlearn.diagram import Diagram
from catlearn.functors.expressions import equal, expressions
from catlearn.optimisers import Optimiser
from catlearn.proving import shown
from catlearn.semirings import REAL
from catlearn.space import Space

THEOREM = "Momentum at 0 is gradient descent; Nesterov's two forms agree; Adam corrects its bias; and more of OPT."
METHOD = "the library's own lenses on SymPy symbols, by induction on the number of steps"
SCOPE = "one real parameter, all values of every symbol (rates and decays positive); elementwise, so every parameter"
LAWS = (
    "OPT.gd", "OPT.momentum", "OPT.nesterov", "OPT.nesterov.flat", "OPT.nesterov.iso", "OPT.gamma0", "OPT.adam",
    "OPT.b1zero", "OPT.scaleinv", "OPT.odd", "OPT.adagrad", "OPT.rmsprop",
)  # fmt: skip
X = (Space((), REAL),)
p, d, s, m, g = sympy.symbols("p d s m g", real=True)
eta, gamma, b1, b2, delta, c, v = sympy.symbols("eta gamma b1 b2 delta c v", positive=True)
t = sympy.Symbol("t", integer=True, nonnegative=True)


def _array(value: Any) -> np.ndarray:
    result = np.empty((), object)
    result[()] = sympy.sympify(value)
    return result


def _run(diagram: Diagram, values: list[Any]) -> tuple[Any, ...]:
    return expressions(diagram, tuple(_array(value) for value in values))


def step(optimiser: Optimiser, given: dict[str, Any], p: Any, d: Any) -> dict[str, Any]:
    """One step: what is stored, by name, and the new parameter "p"."""
    context = optimiser.context(X)
    results = _run(optimiser.lens(X).put, [*(given[wire.name] for wire in context), p, d])
    return dict(zip([*(wire.name for wire in context if wire.stored), "p"], results, strict=True))


def place(optimiser: Optimiser, given: dict[str, Any], p: Any) -> Any:
    """The get: where the model is evaluated."""
    return _run(optimiser.lens(X).get, [*(given[wire.name] for wire in optimiser.context(X)), p])[0]


def _gradient_descent() -> list[str]:
    descent = step(optimisers.gd(0.1), {"learning_rate": eta}, p, d)["p"]
    lines = [shown(equal(descent, p + eta * d), "gd: p + eta d")]
    for make in (optimisers.momentum, optimisers.nesterov, optimisers.nesterov_flat):
        flat = {"learning_rate": eta, "decay": sympy.Integer(0), "s_0": s}
        at = make(0.1)
        same = equal(step(at, flat, p, d)["p"], descent) and equal(place(at, flat, p), p)
        lines.append(shown(same, f"{at.name} at gamma = 0 is gradient descent, from every state"))
    return lines


def _nesterov() -> list[str]:
    """theta = p + gamma s: if both forms agree before a step, they agree after it."""
    one, flat = optimisers.nesterov(0.1), optimisers.nesterov_flat(0.1)
    known = {"learning_rate": eta, "decay": gamma, "s_0": s}
    theta = place(one, known, p)
    after = step(one, known, p, d)
    ahead = place(one, {**known, "s_0": after["s_0"]}, after["p"])
    other = step(flat, known, theta, d)
    closed = theta + gamma**2 * s + (1 + gamma) * eta * d
    return [
        shown(
            equal(ahead, other["p"]) and equal(after["s_0"], other["s_0"]), "Nesterov's two forms agree at every step"
        ),
        shown(equal(ahead, closed), "theta+ = theta + gamma^2 s + (1 + gamma) eta d"),
        shown(equal(theta.subs(s, 0), p), "from s = 0 both start at p"),
    ]


def _adam() -> list[str]:
    """For a constant change g, m = (1 - b1^t) g and v = (1 - b2^t) g^2: the corrected moments are g and g^2."""
    adam = optimisers.adam()
    hyper = {"b1": b1, "b2": b2, "epsilon": delta, "learning_rate": eta}
    held = {**hyper, "count": t, "m_0": (1 - b1**t) * g, "v_0": (1 - b2**t) * g**2}
    after = step(adam, held, p, g)
    kept = (
        equal(after["m_0"], (1 - b1 ** (t + 1)) * g)
        and equal(after["v_0"], (1 - b2 ** (t + 1)) * g**2)
        and equal(after["count"], t + 1)
    )
    moved = p + eta * g / (sympy.Abs(g) + delta)
    lines = [
        shown(kept, "Adam: m = (1 - b1^t) g and v = (1 - b2^t) g^2 at every step of a constant change g"),
        shown(equal(after["p"], moved), "so each step is eta g / (|g| + delta), from the first one on"),
    ]
    free = {**hyper, "b1": sympy.Integer(0), "count": t, "m_0": m, "v_0": v}
    v_new = b2 * v + (1 - b2) * d**2
    corrected = p + eta * d / (sympy.sqrt(v_new / (1 - b2 ** (t + 1))) + delta)
    same = equal(step(adam, free, p, d)["p"], corrected)
    return [*lines, shown(same, "Adam with b1 = 0 is RMSProp with v corrected, delta outside the root")]


def _scales() -> list[str]:
    """With delta = 0, a positive factor c on every change leaves the parameters alone, and scales what is stored."""
    cases: list[tuple[Optimiser, dict[str, Any], dict[str, int]]] = [
        (optimisers.adagrad(0.1), {"learning_rate": eta, "s_0": v}, {"s_0": 2}),
        (optimisers.rmsprop(0.1), {"learning_rate": eta, "decay": gamma, "v_0": v}, {"v_0": 2}),
        (
            optimisers.adam(0.1),
            {"learning_rate": eta, "b1": b1, "b2": b2, "count": t, "m_0": m, "v_0": v},
            {"m_0": 1, "v_0": 2},
        ),
    ]
    lines = []
    for optimiser, given, powers in cases:
        given = {**given, "epsilon": sympy.Integer(0)}
        scaled = {name: value * c ** powers.get(name, 0) for name, value in given.items()}
        one, other = step(optimiser, given, p, d), step(optimiser, scaled, p, c * d)
        stored = all(equal(other[name], one[name] * c**power) for name, power in powers.items())
        lines.append(
            shown(equal(one["p"], other["p"]) and stored, f"{optimiser.name} with delta = 0 ignores c on every change")
        )
    plain = {"learning_rate": eta, "decay": gamma, "s_0": s}
    one, other = (step(optimisers.momentum(0.1), {**plain, "s_0": f * s}, p, f * d) for f in (1, c))
    difference = sympy.expand(other["p"] - p - c * (one["p"] - p))
    return [*lines, shown(difference == 0, "momentum moves c times as far")]


def _odd() -> list[str]:
    """Parameters and changes negated: so are the new parameters; sums of squares stay."""
    cases: list[tuple[Optimiser, dict[str, Any], tuple[str, ...]]] = [
        (optimisers.momentum(0.1), {"learning_rate": eta, "decay": gamma, "s_0": s}, ("s_0",)),
        (optimisers.adagrad(0.1), {"learning_rate": eta, "epsilon": delta, "s_0": v}, ()),
        (optimisers.rmsprop(0.1), {"learning_rate": eta, "decay": gamma, "epsilon": delta, "v_0": v}, ()),
        (
            optimisers.adam(0.1),
            {"learning_rate": eta, "b1": b1, "b2": b2, "epsilon": delta, "count": t, "m_0": m, "v_0": v},
            ("m_0",),
        ),
    ]
    lines = []
    for optimiser, given, odd in cases:
        mirrored = {name: -value if name in odd else value for name, value in given.items()}
        one, other = step(optimiser, given, p, d), step(optimiser, mirrored, -p, -d)
        good = equal(other.pop("p"), -one["p"]) and all(
            equal(value, -one[name] if name in odd else one[name]) for name, value in other.items()
        )
        lines.append(shown(good, f"{optimiser.name}: descent and ascent are mirror images"))
    return lines


def prove() -> list[str]:
    """One line an identity."""
    return [*_gradient_descent(), *_nesterov(), *_adam(), *_scales(), *_odd()]
