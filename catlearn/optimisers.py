"""Optimisers: lenses over the parameters, and the gradient transformations that they factor through.

An optimiser on P is a lens `U : (T, T) -> (P, P')` (OPT.def): its get chooses where the model is evaluated, its put
turns the stored T and the change p' into the new T. All add (OPT.sign, C3): p' already points where the loss falls.
Each factors as a *gradient transformation* and ascent (OPT.factor):

    U = (1_S x ascent) ; T,    ascent = (1, +) : (P, P) -> (P, P'),    T : (S x P, S x P') -> (P, P')
    T1 >> T2 = (1_S1 x T2) ; T1           the first is next to the model and sees the change first

Hyper-parameters are scalar wires, named, with defaults; a hyper-parameter may be a schedule instead, a diagram from the
number of steps taken (DISCRETE) to a real number.

>>> from catlearn.semirings import REAL
>>> step = gd(0.1).bound(Space((), REAL))
>>> round(float(step.put(1.0, -2.0)), 6)
0.8

Source: Cruttwell et al. (2103.01931), section 3.4, with the corrections ERR.3 to ERR.5 and ERR.9.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from catlearn.diagram import Diagram, identity
from catlearn.errors import OperationError
from catlearn.functions import add, maximum, real, sqrt, successor, sum
from catlearn.generators.arithmetic import Constant
from catlearn.lens import Lens, Sides
from catlearn.semirings import DISCRETE, REAL
from catlearn.space import Object, Space, as_object, changes
from catlearn.tracing import Wire, trace

__all__ = [
    "Optimiser",
    "Transformation",
    "adagrad",
    "adagrad_inside",
    "adam",
    "adamw",
    "ascent",
    "clip",
    "clip_by_norm",
    "decay_weights",
    "ga",
    "gd",
    "momentum",
    "nesterov",
    "nesterov_flat",
    "optimiser",
    "reverse_derivative_ascent",
    "rmsprop",
    "rmsprop_inside",
    "scale",
    "scale_by_adam",
    "scale_by_rms",
    "trace_changes",
    "transformation",
]

SCALAR = Space((), REAL)
COUNT = Space((), DISCRETE)
Hyper = float | Diagram


@dataclass(frozen=True)
class Wiring:
    """One context wire of a transformation: a stored one (`stored`, with its starting value) or a hyper-parameter.

    `of` is the number of the parameter that a stored wire belongs to, if it belongs to one.
    """

    name: str
    space: Space
    start: Any
    stored: bool
    of: int | None = None


@dataclass(frozen=True)
class Transformation:
    """A gradient transformation T : (X x P, S x P') -> (P, P').

    `context(P)` lists the wires X: the stored ones S among the hyper-parameters; `lens(P)` is the lens.
    """

    name: str
    context: Callable[[Object], tuple[Wiring, ...]]
    lens: Callable[[Object], Lens]

    def __rshift__(self, other: Transformation) -> Transformation:
        """This one next to the model, then the other: (1 x other) ; this (OPT.factor)."""

        def lens(spaces: Object) -> Lens:
            return (Lens.identity(sides_of(self.context(spaces))) @ other.lens(spaces)) >> self.lens(spaces)

        return Transformation(
            f"{self.name} >> {other.name}", lambda spaces: self.context(spaces) + other.context(spaces), lens
        )


@dataclass(frozen=True)
class Optimiser:
    """An optimiser over any object of parameters: see `lens` and `bound`."""

    name: str
    transformation: Transformation

    def __repr__(self) -> str:
        return f"<optimiser {self.name}>"

    def resolved(self, names: Sequence[str]) -> Optimiser:
        """The optimiser of parameters of those names: itself, unless it depends on them."""
        return self

    def context(self, spaces: Space | Iterable[Space]) -> tuple[Wiring, ...]:
        """The wires besides the parameters, hyper-parameters with unique names: what is stored, and what is set."""
        seen: Counter[str] = Counter()
        result = []
        for wire in self.transformation.context(as_object(spaces)):
            number = seen[wire.name]
            seen[wire.name] += 1
            name = wire.name if wire.stored or not number else f"{wire.name}_{number}"
            result.append(replace(wire, name=name))
        return tuple(result)

    def lens(self, spaces: Space | Iterable[Space]) -> Lens:
        """(X x P, S x P) -> (P, P'), the hyper-parameters being wires of X."""
        spaces = as_object(spaces)
        inner = self.transformation.lens(spaces)
        return (Lens.identity(sides_of(self.transformation.context(spaces))) @ ascent(spaces)) >> inner

    def bound(self, spaces: Space | Iterable[Space], **values: float) -> Lens:
        """(T, T) -> (P, P') with T = S x P: the hyper-parameters at those values, or at their defaults."""
        spaces = as_object(spaces)
        context = self.context(spaces)
        unknown = sorted(set(values) - {wire.name for wire in context if not wire.stored})
        if unknown:
            raise OperationError(f"{self.name} has no hyper-parameter {', '.join(unknown)}; see .context")
        whole = self.lens(spaces)
        fill = identity()
        for wire in context:
            given = Constant(wire.space, float(values.get(wire.name, wire.start))).diagram if not wire.stored else None
            fill = fill @ (given or identity(wire.space))
        fill = fill @ identity(spaces)
        return Lens(fill >> whole.get, (fill @ identity(whole.cod.backward)) >> whole.put)

    def init(self, values: Iterable[Any], spaces: Space | Iterable[Space]) -> tuple[Any, ...]:
        """The stored T for those parameter values: init : P -> T."""
        stored = [np.full(w.space.shape, w.start) for w in self.context(spaces) if w.stored]
        return (*stored, *values)


def sides_of(context: Iterable[Wiring]) -> Sides:
    """(X, S): all context wires forward, the stored ones backward."""
    wires = tuple(context)
    return Sides(tuple(w.space for w in wires), tuple(w.space for w in wires if w.stored))


def ascent(spaces: Space | Iterable[Space]) -> Lens:
    """GA = (1, +) : (P, P) -> (P, P'); raises `OperationError` where values and changes cannot be added."""
    spaces = as_object(spaces)
    for space in spaces:
        if space.changes != space:
            raise OperationError(
                f"ascent adds a change to a parameter, and {space} changes by {space.changes}: "
                "use an optimiser whose state holds the changes"
            )
    return Lens(identity(spaces), add(spaces))


def _context(spaces: Object, hyper: Mapping[str, Hyper], state: Mapping[str, float], count: bool) -> tuple[Wiring, ...]:
    scheduled = any(isinstance(value, Diagram) for value in hyper.values())
    settings = [Wiring(name, SCALAR, value, False) for name, value in hyper.items() if not isinstance(value, Diagram)]
    counter = [Wiring("count", COUNT, 0, True)] if count or scheduled else []
    slots = [Wiring(f"{name}_{k}", s, start, True, k) for name, start in state.items() for k, s in enumerate(spaces)]
    return (*settings, *counter, *slots)


def transformation(
    name: str,
    put: Callable[[Any, Any, Any, Any], tuple[Mapping[str, Any], Any]],
    *,
    get: Callable[[Any, Any, Any], Any] = lambda h, s, p: p,
    hyper: Mapping[str, Hyper] | None = None,
    state: Mapping[str, float] | None = None,
    count: bool = False,
    whole: bool = False,
) -> Transformation:
    """A gradient transformation from two functions on wires.

    `put(h, s, p, d)` returns the new slots, by name, and the change that goes on; `get(h, s, p)` is where the model is
    evaluated. `h` holds the hyper-parameters and, with `count`, the number t of this step counted from 1; `s` the slots
    that `state` names with their starting values. They work on one parameter wire at a time; with `whole`, on the
    lists of all.
    """
    settings, slots = dict(hyper or {}), dict(state or {})
    _check_settings(name, settings)

    def split(wires: tuple[Wire, ...], spaces: Object) -> tuple[Any, list[Any], list[Wire], list[Wire], Wire | None]:
        context = _context(spaces, settings, slots, count)
        n = len(spaces)
        named = dict(zip((w.name for w in context), wires, strict=False))
        h = SimpleNamespace(**{key: named[key] for key in settings if key in named})
        counter = named.get("count")
        for key, value in settings.items():
            if isinstance(value, Diagram):
                setattr(h, key, value(counter))
        after = None if counter is None else successor(counter)
        h.t = None if after is None else real(after)
        each = [SimpleNamespace(**{key: named[f"{key}_{k}"] for key in slots}) for k in range(n)]
        rest = wires[len(context) :]
        return h, each, list(rest[:n]), list(rest[n:]), after

    def lens(spaces: Object) -> Lens:
        _check_real(name, spaces, settings or slots)
        context = sides_of(_context(spaces, settings, slots, count)).forward

        def looks(*wires: Wire) -> list[Wire]:
            h, each, p, _, _ = split(wires, spaces)
            return list(get(h, each, p)) if whole else [get(h, s, q) for s, q in zip(each, p, strict=True)]

        def puts(*wires: Wire) -> list[Wire]:
            h, each, p, d, after = split(wires, spaces)
            if whole:
                new, out = put(h, each, p, d)
            else:
                done = [put(h, s, q, e) for s, q, e in zip(each, p, d, strict=True)]
                new, out = {key: [s[key] for s, _ in done] for key in slots}, [u for _, u in done]
            return [*([] if after is None else [after]), *(w for key in slots for w in new[key]), *out]

        return Lens(trace(context + spaces, looks), trace(context + spaces + changes(spaces), puts))

    return Transformation(name, lambda spaces: _context(spaces, settings, slots, count), lens)


def _check_settings(name: str, settings: Mapping[str, Any]) -> None:
    for key, value in settings.items():
        if key in ("t", "count"):
            raise OperationError(f"{name} cannot have a hyper-parameter called {key!r}: that is the number of the step")
        if isinstance(value, Diagram):
            if (value.dom, value.cod) != ((COUNT,), (SCALAR,)):
                raise OperationError(f"a schedule is a diagram ({COUNT},) -> ({SCALAR},); {name} got {value} for {key}")
        elif isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
            raise OperationError(f"{name} needs a number or a schedule (a Diagram) for {key}; got {value!r}")


def _check_real(name: str, spaces: Object, needed: Any) -> None:
    for space in spaces:
        if needed and space.carrier != REAL:
            hint = ": use reverse_derivative_ascent for a circuit" if space.changes == space else ""
            raise OperationError(
                f"the transformation '{name}' works over REAL; the model has a parameter in {space}{hint}"
            )


def _scaled(hyper: str, value: Hyper) -> Transformation:
    return transformation("scale", lambda h, s, p, d: ({}, getattr(h, hyper) * d), hyper={hyper: value})


def scale(learning_rate: Hyper) -> Transformation:
    """d -> learning_rate d."""
    return _scaled("learning_rate", learning_rate)


def trace_changes(learning_rate: Hyper, decay: Hyper, *, look_ahead: bool = False) -> Transformation:
    """s+ = decay s + learning_rate d; passes s+ on. With `look_ahead`, get = p + decay s.

    The rate is inside the trace: with a schedule this is not the same as scaling afterwards.
    """
    return transformation(
        "trace",
        lambda h, s, p, d: ({"s": (new := h.decay * s.s + h.learning_rate * d)}, new),
        get=(lambda h, s, p: p + h.decay * s.s) if look_ahead else (lambda h, s, p: p),
        hyper={"learning_rate": learning_rate, "decay": decay},
        state={"s": 0.0},
    )


def scale_by_rms(decay: Hyper, epsilon: Hyper, *, inside: bool = False) -> Transformation:
    """v+ = decay v + (1 - decay) d^2; d / (sqrt(v+) + epsilon), or d / sqrt(v+ + epsilon) with `inside`."""

    def put(h: Any, s: Any, p: Wire, d: Wire) -> tuple[Mapping[str, Wire], Wire]:
        v = h.decay * s.v + (1.0 - h.decay) * (d * d)
        return {"v": v}, d / (sqrt(v + h.epsilon) if inside else sqrt(v) + h.epsilon)

    return transformation("scale by rms", put, hyper={"decay": decay, "epsilon": epsilon}, state={"v": 0.0})


def scale_by_sum(epsilon: Hyper, start: float, *, inside: bool) -> Transformation:
    """s+ = s + d^2; d / (epsilon + sqrt(s+)), or d / sqrt(s+ + epsilon) with `inside`."""

    def put(h: Any, s: Any, p: Wire, d: Wire) -> tuple[Mapping[str, Wire], Wire]:
        total = s.s + d * d
        return {"s": total}, d / (sqrt(total + h.epsilon) if inside else sqrt(total) + h.epsilon)

    return transformation("scale by sum", put, hyper={"epsilon": epsilon}, state={"s": start})


def scale_by_adam(b1: Hyper = 0.9, b2: Hyper = 0.999, epsilon: Hyper = 1e-8) -> Transformation:
    """Adam's two moments and their bias correction (OPT.adam); t is incremented first, raw moments are stored."""

    def put(h: Any, s: Any, p: Wire, d: Wire) -> tuple[Mapping[str, Wire], Wire]:
        m = h.b1 * s.m + (1.0 - h.b1) * d
        v = h.b2 * s.v + (1.0 - h.b2) * (d * d)
        m_hat = m / (1.0 - h.b1**h.t)
        v_hat = v / (1.0 - h.b2**h.t)
        return {"m": m, "v": v}, m_hat / (sqrt(v_hat) + h.epsilon)

    settings = {"b1": b1, "b2": b2, "epsilon": epsilon}
    return transformation("scale by adam", put, hyper=settings, state={"m": 0.0, "v": 0.0}, count=True)


def decay_weights(weight_decay: Hyper) -> Transformation:
    """d -> d - weight_decay p, p being the stored parameter before the step."""
    return transformation(
        "decay weights", lambda h, s, p, d: ({}, d - h.weight_decay * p), hyper={"weight_decay": weight_decay}
    )


def clip(bound: Hyper) -> Transformation:
    """Each entry of the change cut to [-bound, bound] (BWD.clip: next to the optimiser, where it belongs)."""
    return transformation(
        "clip", lambda h, s, p, d: ({}, -maximum(-maximum(d, -h.bound), -h.bound)), hyper={"bound": bound}
    )


def clip_by_norm(bound: Hyper) -> Transformation:
    """The whole change scaled down so that its norm over all parameters is at most `bound`; not elementwise."""

    def put(h: Any, s: Any, p: list[Wire], d: list[Wire]) -> tuple[Mapping[str, Any], list[Wire]]:
        if not d:
            return {}, []
        norm = sqrt(_total(sum(each * each) for each in d))
        factor = h.bound / maximum(norm, h.bound)
        return {}, [each * factor for each in d]

    return transformation("clip by norm", put, get=lambda h, s, p: p, hyper={"bound": bound}, whole=True)


def _total(wires: Iterable[Wire]) -> Wire:
    first, *rest = wires
    for wire in rest:
        first = first + wire
    return first


def optimiser(name: str, inner: Transformation) -> Optimiser:
    """The optimiser (1 x ascent) ; T of a gradient transformation, or of a chain of them."""
    return Optimiser(name, inner)


def ga() -> Optimiser:
    """Gradient ascent with learning rate one, over any carrier: put(p, d) = p + d (OPT.ga)."""
    return optimiser("ga", transformation("unchanged", lambda h, s, p, d: ({}, d)))


def reverse_derivative_ascent() -> Optimiser:
    """Reverse derivative ascent: `ga`; with the loss `exclusive_or`, over Z2 (RDA.composite)."""
    return ga()


def gd(learning_rate: Hyper) -> Optimiser:
    """p + learning_rate d (OPT.gd)."""
    return optimiser("gd", scale(learning_rate))


def momentum(learning_rate: Hyper, decay: Hyper = 0.9) -> Optimiser:
    """s+ = decay s + learning_rate d; p + s+ (OPT.momentum)."""
    return optimiser("momentum", trace_changes(learning_rate, decay))


def nesterov(learning_rate: Hyper, decay: Hyper = 0.9) -> Optimiser:
    """As momentum, the model evaluated ahead at get = p + decay s (OPT.nesterov)."""
    return optimiser("nesterov", trace_changes(learning_rate, decay, look_ahead=True))


def nesterov_flat(learning_rate: Hyper, decay: Hyper = 0.9) -> Optimiser:
    """s+ = decay s + learning_rate d; p + decay s+ + learning_rate d (OPT.nesterov.flat)."""

    def put(h: Any, s: Any, p: Wire, d: Wire) -> tuple[Mapping[str, Wire], Wire]:
        step = h.learning_rate * d
        new = h.decay * s.s + step
        return {"s": new}, h.decay * new + step

    settings = {"learning_rate": learning_rate, "decay": decay}
    return optimiser("nesterov_flat", transformation("trace", put, hyper=settings, state={"s": 0.0}))


def adagrad(learning_rate: Hyper, epsilon: Hyper = 1e-7) -> Optimiser:
    """s+ = s + d^2; p + learning_rate d / (epsilon + sqrt(s+)) (OPT.adagrad)."""
    return optimiser("adagrad", scale_by_sum(epsilon, 0.0, inside=False) >> scale(learning_rate))


def adagrad_inside(learning_rate: Hyper, start: float = 0.1, epsilon: Hyper = 1e-7) -> Optimiser:
    """AdaGrad with epsilon under the root and s starting at 0.1, as optax has it (OPT.adagrad.optax)."""
    return optimiser("adagrad_inside", scale_by_sum(epsilon, start, inside=True) >> scale(learning_rate))


def rmsprop(learning_rate: Hyper, decay: Hyper = 0.9, epsilon: Hyper = 1e-8) -> Optimiser:
    """v+ = decay v + (1 - decay) d^2; p + learning_rate d / (sqrt(v+) + epsilon) (OPT.rmsprop)."""
    return optimiser("rmsprop", scale_by_rms(decay, epsilon) >> scale(learning_rate))


def rmsprop_inside(learning_rate: Hyper, decay: Hyper = 0.9, epsilon: Hyper = 1e-8) -> Optimiser:
    """RMSProp with epsilon under the root, as optax has it by default (OPT.rmsprop.optax)."""
    return optimiser("rmsprop_inside", scale_by_rms(decay, epsilon, inside=True) >> scale(learning_rate))


def adam(learning_rate: Hyper = 1e-3, b1: Hyper = 0.9, b2: Hyper = 0.999, epsilon: Hyper = 1e-8) -> Optimiser:
    """Adam (OPT.adam): Kingma and Ba (1412.6980), algorithm 1."""
    return optimiser("adam", scale_by_adam(b1, b2, epsilon) >> scale(learning_rate))


def adamw(
    learning_rate: Hyper = 1e-3,
    b1: Hyper = 0.9,
    b2: Hyper = 0.999,
    epsilon: Hyper = 1e-8,
    weight_decay: Hyper = 1e-4,
) -> Optimiser:
    """Adam with decoupled weight decay, on the parameter before the step (OPT.adamw)."""
    inner = scale_by_adam(b1, b2, epsilon) >> decay_weights(weight_decay) >> scale(learning_rate)
    return optimiser("adamw", inner)
