"""Smooth functions of one real variable, entry by entry, and the logarithm of softmax.

Each is one row of the table `FUNCTIONS`: where JAX keeps it, and its derivative as a function of the input x and the
output y = f(x) on wires. R[f](x, d) = f'(x) d; since the output is the same node as in the forward pass, it is computed
once. At a kink the derivative is the one that the table says (SMOOTH.kink): relu'(0) = abs'(0) = 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from catlearn.diagram import Diagram, Generator
from catlearn.errors import OperationError, UnknownNameError, nearest
from catlearn.generators.arithmetic import Pointwise
from catlearn.generators.contraction import einsum
from catlearn.semirings import REAL
from catlearn.space import Object, Space
from catlearn.tracing import Wire, apply_generator, as_wire, trace

__all__ = ["FUNCTIONS", "Function", "LogSoftmax", "Maximum", "Power", "Smooth", "apply", "log_softmax", "softmax"]


@dataclass(frozen=True)
class Smooth:
    """A row of the table: the implementation as "module:name", and the derivative from x and y = f(x)."""

    implementation: str
    derivative: Callable[[Wire, Wire], Any]


def apply(name: str, x: Wire) -> Wire:
    """The function of that name, entry by entry; raises `UnknownNameError` naming the nearest."""
    x = as_wire(x, name)
    if name not in FUNCTIONS:
        raise UnknownNameError(f"no function is called {name!r}: {nearest(name, FUNCTIONS)}")
    return apply_generator(Function(x.space, name), x)


FUNCTIONS: dict[str, Smooth] = {
    "exp": Smooth("jax.numpy:exp", lambda x, y: y),
    "log": Smooth("jax.numpy:log", lambda x, y: 1.0 / x),
    "square": Smooth("jax.numpy:square", lambda x, y: 2.0 * x),
    "sqrt": Smooth("jax.numpy:sqrt", lambda x, y: 0.5 / y),
    "sin": Smooth("jax.numpy:sin", lambda x, y: apply("cos", x)),
    "cos": Smooth("jax.numpy:cos", lambda x, y: -apply("sin", x)),
    "tanh": Smooth("jax.numpy:tanh", lambda x, y: 1.0 - y * y),
    "sigmoid": Smooth("jax.nn:sigmoid", lambda x, y: y * (1.0 - y)),
    "softplus": Smooth("jax.nn:softplus", lambda x, y: apply("sigmoid", x)),
    "erf": Smooth("jax.scipy.special:erf", lambda x, y: apply("exp", -(x * x)) * (2.0 / np.sqrt(np.pi))),
    "abs": Smooth("jax.numpy:abs", lambda x, y: apply("sign", x)),
    "sign": Smooth("jax.numpy:sign", lambda x, y: 0.0),
    "relu": Smooth("jax.nn:relu", lambda x, y: apply("step", x)),
    "step": Smooth("catlearn.functors.jax:step", lambda x, y: 0.0),
}


@dataclass(frozen=True)
class Function(Pointwise):
    """The function of the table of that name, entry by entry, on a real space."""

    function: str = ""
    arity = 1

    def __post_init__(self) -> None:
        if self.space.carrier != REAL:
            raise OperationError(f"{self.function} acts on REAL; got {self.space}")

    @property
    def name(self) -> str:
        return self.function

    def on(self, space: Space) -> Pointwise:
        return Function(space, self.function)

    def rule(self, *wires: Wire) -> tuple[Wire, ...]:
        x, d = wires
        return (FUNCTIONS[self.function].derivative(x, apply(self.function, x)) * d,)

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        return arrays.load(FUNCTIONS[self.function].implementation)(*inputs)


class _Binary(Pointwise):
    """A function of two real numbers, entry by entry; `implementation` is "module:name"."""

    implementation: ClassVar[str] = ""

    def __post_init__(self) -> None:
        if self.space.carrier != REAL:
            raise OperationError(f"{self.name} acts on REAL; got {self.space}")

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        return arrays.load(self.implementation)(*inputs)


class Power(_Binary):
    """`(x, y) -> x ** y` for x >= 0; R(x, y, d) = (y x**(y-1) d, log(x) x**y d)."""

    implementation = "jax.numpy:power"

    def rule(self, *wires: Wire) -> tuple[Wire, ...]:
        x, y, d = wires
        whole: Wire = apply_generator(Power(self.space), x, y)
        less: Wire = apply_generator(Power(self.space), x, y - 1.0)
        return y * less * d, apply("log", x) * whole * d


class Maximum(_Binary):
    """`(x, y) -> max(x, y)`; the cotangent goes to the larger, at a tie to y (SMOOTH.kink)."""

    implementation = "jax.numpy:maximum"

    def rule(self, *wires: Wire) -> tuple[Wire, ...]:
        x, y, d = wires
        chosen = apply("step", x - y)
        return chosen * d, (1.0 - chosen) * d


@dataclass(frozen=True)
class LogSoftmax(Generator):
    """`x -> x - log sum exp x` along the last axis; R(x, d) = d - softmax(x) sum(d)."""

    space: Space

    def __post_init__(self) -> None:
        if self.space.carrier != REAL or not self.space.shape or not self.space.shape[-1]:
            raise OperationError(f"softmax acts along a last axis of positive length over REAL; got {self.space}")

    @property
    def dom(self) -> Object:
        return (self.space,)

    @property
    def cod(self) -> Object:
        return (self.space,)

    def reverse(self) -> Diagram | None:
        axes = "".join(chr(97 + k) for k in range(len(self.space.shape)))

        def rule(x: Wire, d: Wire) -> Wire:
            total = einsum(f"{axes}->{axes[:-1]}", d)
            return d - softmax(x) * einsum(f"{axes[:-1]}->{axes}", total, sizes={axes[-1]: x.shape[-1]})

        return trace((self.space, self.space), rule)

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        return LogSoftmax(self.space.batch(size)).diagram

    def evaluate(self, arrays: Any, x: Any) -> Any:
        return arrays.load("jax.nn:log_softmax")(x)


def log_softmax(x: Wire) -> Wire:
    """The logarithm of softmax along the last axis."""
    x = as_wire(x, "softmax")
    return apply_generator(LogSoftmax(x.space), x)


def softmax(x: Wire) -> Wire:
    """exp(x) over its sum along the last axis."""
    return apply("exp", log_softmax(x))
