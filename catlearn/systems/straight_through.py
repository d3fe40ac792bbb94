"""Functions whose reverse is that of another: straight-through, clipped, pairs; and what acts on changes alone.

    straight-through            sign, step, round    (a, d) |-> d                    R of the identity (BWD.ste)
    clipped straight-through    sign, step, round    (a, d) |-> d [|a| <= bound]     R of hard tanh    (BWD.ste.clip)
    surrogate pairs             f                    (a, d) |-> R[g](a, d)                             (BWD.surrogate)
    reversal, scaling, stop     the identity         (a, d) |-> c d                                    (BWD.reversal)
    clipping, normalising       the identity         (a, d) |-> clip(d), d / |d|                       (BWD.clip)

A categorical variable drawn at random, one-hot, is flat as well; its straight-through is R of softmax, the mean of the
draw, and ReinMax is the rule that is exact in the mean for quadratic functions of the draw, not for affine ones only:

    s drawn from p = softmax(a):   a' = 2 J(q) d - J(p) d / 2,   q = (softmax(a / t) + s) / 2,   J(p) d = p d - p <p, d>

Sources: Bengio et al., Estimating or propagating gradients through stochastic neurons (1308.3432); Liu et al., Bridging
discrete and backpropagation: straight-through and beyond (2304.08612).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from catlearn import functions
from catlearn.diagram import Diagram, Generator, discard, identity
from catlearn.errors import OperationError, UnknownNameError, nearest
from catlearn.functions import zeros
from catlearn.generators.arithmetic import Pointwise
from catlearn.generators.elementwise import FUNCTIONS, Function
from catlearn.generators.random import Draw
from catlearn.generators.surrogate import stop_change, surrogate
from catlearn.para import Para, parametrised
from catlearn.parameters import Parameter
from catlearn.reverse import reverse_derivative
from catlearn.semirings import KEYS, REAL
from catlearn.space import Object, Space
from catlearn.tracing import Wire, apply_generator, trace

__all__ = [
    "Rounded",
    "Sampled",
    "flat",
    "normalise_change",
    "pair",
    "quantise",
    "reinmax",
    "sampled",
    "scale_change",
    "straight",
]


@dataclass(frozen=True)
class Rounded(Pointwise):
    """`x -> the nearest whole number`, at a tie the even one; the derivative is 0."""

    arity = 1

    @property
    def name(self) -> str:
        return "round"

    def rule(self, *wires: Wire) -> tuple[Wire, ...]:
        return (zeros(wires[1].space),)

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        return arrays.namespace.round(inputs[0])


def quantise(space: Space, step: float = 1.0) -> Diagram:
    """x -> the nearest multiple of `step`, entry by entry; raises `OperationError` for a step that is not positive."""
    if isinstance(step, bool) or not isinstance(step, (int, float)) or not step > 0 or space.carrier != REAL:
        raise OperationError(f"quantise takes a real space and a positive step; got {space} and {step!r}")
    return trace(space, lambda x: apply_generator(Rounded(space), x * (1.0 / step)) * float(step))


@dataclass(frozen=True)
class Sampled(Draw):
    """`(keys, a) -> s`, one-hot along the last axis, drawn with probabilities softmax(a); the derivative is 0.

    Keys have shape `keys`; a and s that shape followed by `shape`. After training it is its mean, softmax(a).
    """

    by_value: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.shape or not self.shape[-1]:
            raise OperationError(f"a categorical variable needs at least one class; got shape {self.shape}")

    @property
    def name(self) -> str:
        return "sampled"

    @property
    def dom(self) -> Object:
        return (Space(self.keys, KEYS), *self.cod)

    def reverse(self) -> Diagram | None:
        return functions.zero((*self.dom, *self.cod), (self.dom[0].changes, *self.cod))

    def evaluation(self) -> Diagram | None:
        return discard(self.dom[:1]) @ trace(self.cod, functions.softmax)

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        return Sampled((size, *self.keys), self.shape).diagram if all(flags) else None

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        keys, a = inputs
        draw = arrays.load("jax.random:categorical")
        if self.keys:
            import jax

            flat_keys, rows = keys.reshape(-1), a.reshape(-1, *self.shape)
            chosen = jax.vmap(draw)(flat_keys, rows).reshape(a.shape[:-1])
        else:
            chosen = draw(keys, a)
        xp = arrays.namespace
        return (chosen[..., None] == xp.arange(self.shape[-1])).astype(a.dtype)


def sampled(shape: int | tuple[int, ...]) -> Para[Diagram]:
    """The layer that draws a one-hot vector with probabilities softmax of its input; its key is an auxiliary input.

    Its derivative is zero: to learn through it, put a backward pass on it.
    """
    space = Space(shape, REAL)
    key = Parameter("key", Space((), KEYS), role="auxiliary")
    node = Sampled((), space.shape)
    return parametrised("sampled", {"key": key}, space, lambda k, a: apply_generator(node, k, a))


FLAT = ("sign", "step", "round", "sampled")
"""The names of the nodes that straight-through is for."""


def flat(generator: Generator) -> bool:
    """Whether the derivative of a node is zero though what it gives depends on its input."""
    return isinstance(generator, (Rounded, Sampled)) or (
        isinstance(generator, Function) and generator.function in ("sign", "step")
    )


def _on_data(generator: Generator, put: Callable[[Wire, Wire], Wire], label: str) -> Diagram:
    """The node with that put on its last input; random keys before it get no change."""
    keys = generator.dom[:-1]

    def run(*wires: Wire) -> list[Wire]:
        return [*(zeros(key.changes) for key in keys), put(wires[-2], wires[-1])]

    back = trace((*generator.dom, generator.cod[0].changes), run)
    return surrogate(f"{generator.name}, {label}", generator.diagram, back, additive=True)


def straight(generator: Generator, bound: float | None = None) -> Diagram:
    """The flat node with the put d, or d [|a| <= bound]; of a draw d is what softmax makes of it."""

    def put(a: Wire, d: Wire) -> Wire:
        passed = _softmax_change(functions.softmax(a), d) if isinstance(generator, Sampled) else d
        if bound is None:
            return passed
        return passed * (1.0 - functions.step(functions.absolute(a) - float(bound)))

    return _on_data(generator, put, "straight-through" if bound is None else "clipped straight-through")


def _softmax_change(p: Wire, d: Wire) -> Wire:
    """J(p) d = p d - p <p, d>, along the last axis."""
    axes = "".join(chr(97 + k) for k in range(len(p.shape)))
    inner = functions.einsum(f"{axes},{axes}->{axes[:-1]}", p, d)
    return p * (d - functions.einsum(f"{axes[:-1]}->{axes}", inner, sizes={axes[-1]: p.shape[-1]}))


def reinmax(node: Sampled, temperature: float = 1.0) -> Diagram:
    """The draw with the put of ReinMax."""

    def put(k: Wire, a: Wire, d: Wire) -> list[Wire]:
        p, cooler = functions.softmax(a), functions.softmax(a * (1.0 / temperature))
        shifted = 0.5 * (cooler + apply_generator(node, k, a))
        change = 2.0 * _softmax_change(shifted, d) - 0.5 * _softmax_change(p, d)
        return [zeros(k.space.changes), change]

    return surrogate("sampled, ReinMax", node.diagram, trace((*node.dom, *node.cod), put), additive=True)


def pair(generator: Generator, pairs: Mapping[str, Any]) -> Diagram | None:
    """The node with R of the function that stands beside it: a name, or a function on wires."""
    beside = pairs.get(generator.name)
    if beside is None or len(generator.dom) != 1 or generator.cod != generator.dom:
        return None
    if isinstance(beside, str):
        if beside not in FUNCTIONS:
            raise UnknownNameError(f"no function is called {beside!r}: {nearest(beside, FUNCTIONS)}")
        other = Function(generator.dom[0], beside).diagram
    else:
        other = trace(generator.dom, beside)
    if other.cod != generator.cod:
        raise OperationError(f"what stands beside {generator.name} must end in {generator.cod[0]}; got {other.cod}")
    return surrogate(f"{generator.name}, paired", generator.diagram, reverse_derivative(other), additive=True)


def scale_change(space: Space, factor: float) -> Diagram:
    """The identity whose reverse multiplies by that number: 1 is exact, 0 stops, -1 reverses (BWD.reversal).

    Numbers besides these three need a real space.
    """
    if factor == 0:
        return stop_change(space)
    put = trace((space, space.changes), lambda a, d: -d if factor == -1 else d if factor == 1 else float(factor) * d)
    return surrogate(f"times {factor:g}", identity(space), put, additive=True)


def normalise_change(space: Space, bound: float | None = None) -> Diagram:
    """The identity whose reverse makes the change of norm 1 (zero stays), or of at most `bound`; not additive."""

    def put(a: Wire, d: Wire) -> Wire:
        norm = functions.sqrt(functions.sum(d * d))
        least = 1e-30 if bound is None else float(bound)
        return d * ((1.0 if bound is None else float(bound)) / functions.maximum(norm, least))

    return surrogate("normalised", identity(space), trace((space, space), put))
