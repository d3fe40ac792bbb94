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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from catlearn.diagram import identity
from catlearn.errors import OperationError
from catlearn.functions import maximum, sqrt, sum
from catlearn.generators.arithmetic import Constant
from catlearn.lens import Lens
from catlearn.semirings import REAL
from catlearn.space import Space, as_object
from catlearn.tracing import Wire
from catlearn.transformations import Hyper, Transformation, Wiring, ascent, sides_of, transformation

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
        """(X x Q, S x Q) -> (P, P'), the hyper-parameters being wires of X; Q is P, or what is stored in its place."""
        spaces, inner = as_object(spaces), self.transformation
        whole = inner.lens(spaces)  # the first to say what does not fit
        return (Lens.identity(sides_of(inner.context(spaces))) @ inner.base(spaces)) >> whole

    def bound(self, spaces: Space | Iterable[Space], **values: float) -> Lens:
        """(T, T) -> (P, P') with T = S x Q: the hyper-parameters at those values, or at their defaults."""
        spaces = as_object(spaces)
        context = self.context(spaces)
        unknown = sorted(set(values) - {wire.name for wire in context if not wire.stored})
        if unknown:
            raise OperationError(f"{self.name} has no hyper-parameter {', '.join(unknown)}; see .context")
        whole = self.lens(spaces)
        fill = identity()
        for wire in context:
            number: Any = values.get(wire.name, wire.start)
            number = float(number) if wire.space.carrier == REAL else number
            fill = fill @ (identity(wire.space) if wire.stored else Constant(wire.space, number).diagram)
        fill = fill @ identity(whole.dom.forward[len(context) :])
        return Lens(fill >> whole.get, (fill @ identity(whole.cod.backward)) >> whole.put)

    def init(self, values: Iterable[Any], spaces: Space | Iterable[Space]) -> tuple[Any, ...]:
        """The stored T for those parameter values: init : P -> T."""
        stored = [np.full(w.space.shape, w.start) for w in self.context(spaces) if w.stored]
        values = self.transformation.start(list(values), as_object(spaces))
        return (*stored, *values)


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
