"""Counting gates on bits: whether at least t of some inputs are 1 (BIT.orpool is t = 1).

    at_least(x)[w]    = [x[c[w, 0]] + .. + x[c[w, m - 1]] >= t]
    R[at_least](x, v)[j] = sum over c[w, i] = j of [the others of w sum to t - 1] v[w]

Or is t = 1, and is t = m, majority is t = m // 2 + 1. It is a multilinear polynomial over Z, and that is its formal
derivative at 0 and 1; `expansion` is the polynomial, from which higher derivatives come.

>>> majority = AtLeast(Frozen(np.array([[0, 1, 2]])), 3, 2)
>>> [int(majority(x)[0]) for x in ([0, 0, 1], [1, 0, 1])]
[0, 1]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from catlearn.diagram import Diagram, Generator
from catlearn.errors import OperationError
from catlearn.frozen import Frozen
from catlearn.generators.arithmetic import Constant
from catlearn.generators.indexing import gather
from catlearn.generators.multiplexer import choose
from catlearn.generators.tables import within
from catlearn.reverse import reverse_derivative
from catlearn.semirings import BITS, INTEGERS
from catlearn.space import Object, Space
from catlearn.tracing import Wire, apply_generator, trace

__all__ = ["AtLeast", "AtLeastVotes", "at_least"]


@dataclass(frozen=True)
class AtLeast(Generator):
    """`bits -> [at least `threshold` of the inputs of each gate are 1]`, by a wiring (.., gates, inputs of a gate)."""

    wiring: Frozen
    inputs: int
    threshold: int
    rows: tuple[int, ...] = ()
    by_value: ClassVar[bool] = True

    def __post_init__(self) -> None:
        array = np.asarray(self.wiring)
        if array.ndim < 1 or array.dtype.kind not in "iu":
            raise OperationError(f"a wiring is an array of integers (.., inputs of a gate); got shape {array.shape}")
        whole = isinstance(self.threshold, (int, np.integer)) and not isinstance(self.threshold, bool)
        if not whole or not 1 <= self.threshold <= array.shape[-1]:
            raise OperationError(f"a threshold of {array.shape[-1]} inputs is 1 to that; got {self.threshold!r}")
        object.__setattr__(self, "wiring", within(array, self.inputs))

    @property
    def bits(self) -> Space:
        """The space of the inputs."""
        return Space((*self.rows, self.inputs), BITS)

    @property
    def gates(self) -> Space:
        """The space of the outputs."""
        return Space((*self.rows, *self.wiring.shape[:-1]), BITS)

    @property
    def dom(self) -> Object:
        return (self.bits,)

    @property
    def cod(self) -> Object:
        return (self.gates,)

    def reverse(self) -> Diagram | None:
        return AtLeastVotes(self.wiring, self.inputs, self.threshold, self.rows).diagram

    def expansion(self) -> Diagram | None:
        def counted(x: Wire) -> Wire:
            no, yes = (apply_generator(Constant(self.gates, number)) for number in (0, 1))
            reached = [yes] + [no] * self.threshold  # whether at least k of the inputs so far are 1
            for i in range(self.wiring.shape[-1]):
                bit = gather(x, self.wiring[..., i], axis=len(self.rows))
                reached = [yes, *(choose(bit, reached[k], reached[k - 1]) for k in range(1, len(reached)))]
            return reached[-1]

        return trace(self.dom, counted)

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        return AtLeast(self.wiring, self.inputs, self.threshold, (size, *self.rows)).diagram

    def counts(self, arrays: Any, x: Any) -> tuple[Any, Any]:
        """The bits that each gate reads, as numbers, and how many of them are 1."""
        taken = arrays.namespace.take(x, self.wiring.array, axis=len(self.rows))
        shape = (*self.gates.shape, self.wiring.shape[-1])  # of no bits, JAX takes none, in another shape
        carried = arrays.cast(arrays.namespace.reshape(taken, shape), INTEGERS)
        return carried, arrays.namespace.reshape(carried.sum(axis=-1), self.gates.shape)

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        return arrays.cast(self.counts(arrays, inputs[0])[1] >= self.threshold, BITS)


class AtLeastVotes(AtLeast):
    """`(bits, votes of the outputs) -> votes of the inputs`: R of `AtLeast`."""

    linear = ((1,),)

    @property
    def dom(self) -> Object:
        return (self.bits, self.gates.changes)

    @property
    def cod(self) -> Object:
        return (self.bits.changes,)

    def reverse(self) -> Diagram | None:
        return None

    def expansion(self) -> Diagram | None:
        tree = AtLeast(self.wiring, self.inputs, self.threshold, self.rows).expanded
        assert tree is not None
        return reverse_derivative(tree)

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        if not all(flags):
            return None
        return AtLeastVotes(self.wiring, self.inputs, self.threshold, (size, *self.rows)).diagram

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        x, v = inputs
        xp = arrays.namespace
        carried, count = self.counts(arrays, x)
        matters = arrays.cast(count[..., None] - carried == self.threshold - 1, INTEGERS)
        votes = xp.reshape(v, (*self.gates.shape, 1))
        each = xp.reshape(matters * votes, (*self.rows, self.wiring.array.size))
        total = arrays.scatter(INTEGERS, xp.moveaxis(each, -1, 0), self.wiring.array.ravel(), self.inputs)
        return xp.moveaxis(total, 0, -1)


def at_least(threshold: int, x: Wire, wiring: Any) -> Wire:
    """Whether at least `threshold` of the bits that each gate reads from the last axis of x are 1."""
    result: Wire = apply_generator(AtLeast(Frozen(np.asarray(wiring)), x.shape[-1], threshold, x.shape[:-1]), x)
    return result
