"""The pseudo-linear model over Z2, of one bit a pixel, and its Boolean difference in closed form (RDA.code).

    f(p, x) = [popcount(p and x) <= popcount(p) div 4] = [s >= 0],     s = popcount(p) - 4 popcount(p and x)

What it denotes is the multilinear polynomial of that function, so R is the Boolean difference (CIRC.booldiff),

    R[f](p, x, d)_i = d (f(p, x) + f(p, x with bit i of either flipped)),

and a flipped bit moves s by a number that says so at once: all 2 n differences cost as much as one value.

The definition is a circuit, `PseudoLinear(n).expanded`: a scan that reads a pair of bits at a time and keeps s one-hot,
each step multilinear in its own two bits. The nodes here are that circuit and its reverse derivative, computed in O(n);
further derivatives are taken of the circuit.

Source: Wilson and Zanasi, Reverse derivative ascent (2101.10488), and the code that goes with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from catlearn import functions
from catlearn.diagram import Diagram, Generator
from catlearn.errors import OperationError
from catlearn.generators.scan import scan
from catlearn.para import Para, parametrised
from catlearn.parameters import Initialiser, Parameter
from catlearn.reverse import reverse_derivative
from catlearn.semirings import INTEGERS, Z2
from catlearn.space import Object, Space
from catlearn.tracing import Wire, apply_generator, trace

__all__ = ["PseudoLinear", "PseudoLinearDifference", "pseudo_linear"]

BIT = Space((), Z2)


@dataclass(frozen=True)
class PseudoLinear(Generator):
    """`(p, x) -> [popcount(p and x) <= popcount(p) div 4]` on two wires of `size` bits."""

    size: int
    by_value = True

    def __post_init__(self) -> None:
        if isinstance(self.size, bool) or not isinstance(self.size, int) or self.size < 1:
            raise OperationError(f"the pseudo-linear model has a positive number of bits; got {self.size!r}")

    @property
    def dom(self) -> Object:
        return (Space(self.size, Z2),) * 2

    @property
    def cod(self) -> Object:
        return (BIT,)

    def reverse(self) -> Diagram | None:
        return PseudoLinearDifference(self.size).diagram

    def expansion(self) -> Diagram | None:
        one_hot = Space(4 * self.size + 1, Z2)  # s is at least -3 n, at most n
        places = np.arange(one_hot.size)

        def body(state: Wire, p: Wire, x: Wire) -> Wire:
            up, down = functions.gather(state, np.roll(places, 1)), functions.gather(state, np.roll(places, -3))
            return state + p * (state + up + x * (up + down))

        each = scan(trace((one_hot, BIT, BIT), body), self.size)

        def run(p: Wire, x: Wire) -> Wire:
            start = functions.constant(one_hot, (places == 3 * self.size).astype(int))
            return functions.sum(each(start, p, x)[3 * self.size :])

        return trace(self.dom, run)

    def evaluate(self, arrays: Any, p: Any, x: Any) -> Any:
        return arrays.cast(arrays.namespace.where(_margin(arrays, p, x)[0] >= 0, 1, 0), Z2)


@dataclass(frozen=True)
class PseudoLinearDifference(Generator):
    """`(p, x, d) -> d` times the Boolean differences of the pseudo-linear model in p and in x."""

    size: int
    by_value = True
    linear = ((2,),)

    @property
    def dom(self) -> Object:
        return (*PseudoLinear(self.size).dom, BIT)

    @property
    def cod(self) -> Object:
        return PseudoLinear(self.size).dom

    def expansion(self) -> Diagram | None:
        definition = PseudoLinear(self.size).expanded
        return None if definition is None else reverse_derivative(definition)

    def evaluate(self, arrays: Any, p: Any, x: Any, d: Any) -> Any:
        margin, p, x = _margin(arrays, p, x)
        moved = margin + (1 - 2 * p) * (1 - 4 * x), margin - 4 * p * (1 - 2 * x)
        return tuple(
            arrays.cast(arrays.namespace.where((there >= 0) != (margin >= 0), 1, 0), Z2) * d for there in moved
        )


def _margin(arrays: Any, p: Any, x: Any) -> tuple[Any, Any, Any]:
    """s, and the bits as integers."""
    p, x = arrays.cast(p, INTEGERS), arrays.cast(x, INTEGERS)
    return INTEGERS.sum(arrays.namespace, p * (1 - 4 * x), (0,)), p, x


def pseudo_linear(inputs: int, *, initialise: Initialiser | None = None) -> Para[Diagram]:
    """The model `Space(inputs, Z2) -> Space((), Z2)` with a mask of as many bits: 1 where few of them meet the input.

    The parameters start at zero. Raises `OperationError` unless there is a positive number of inputs.

    >>> from catlearn.functors import Exact
    >>> model = pseudo_linear(8)
    >>> run = Exact()(model.morphism)
    >>> int(run([1] * 8, [1, 1] + [0] * 6)), int(run([1] * 8, [1, 1, 1] + [0] * 5))
    (1, 0)
    """
    node = PseudoLinear(inputs)
    mask = Parameter("mask", node.dom[0], initialise)
    return parametrised("pseudo_linear", {"mask": mask}, node.dom[1], lambda p, x: apply_generator(node, p, x))
