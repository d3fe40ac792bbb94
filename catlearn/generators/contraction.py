"""Contraction: sums of products over named axes, of which matrix product, transpose, sum and broadcast are cases.

A contraction labels the axes of its inputs and its output; it multiplies the inputs, sums over the labels that the
output lacks, and repeats along the labels that only the output has. It is linear in each input, and its reverse is
again a contraction: the cotangent of input k is the contraction of the other inputs and d, with the roles of the
labels of input k and of the output exchanged. So sum and broadcast swap roles, as add and copy do (RD.struct).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from catlearn.diagram import Diagram, Generator
from catlearn.errors import OperationError
from catlearn.generators.arithmetic import include
from catlearn.semirings import Carrier
from catlearn.space import Object, Space
from catlearn.space import sides_of as _shape
from catlearn.tracing import Wire, apply_generator, as_wire, trace

__all__ = ["Contract", "broadcast", "einsum", "matmul", "mean", "stack", "sum", "transpose"]

Labels = tuple[int, ...]


@dataclass(frozen=True)
class Contract(Generator):
    """`out[o] = sum over the rest of prod_k in_k[i_k]`; `inputs` and `output` label axes, `sizes[label]` is a length.

    No label stands twice in one input, nor in the output. Raises `OperationError` where two inputs are multiplied, or a
    label is summed, over a carrier that cannot.
    """

    carrier: Carrier
    inputs: tuple[Labels, ...]
    output: Labels
    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.inputs) > 1:
            self.carrier.require("multiply")
        if self.summed:
            self.carrier.require("add")

    @property
    def name(self) -> str:
        letters = ["".join(chr(97 + label % 26) for label in axes) for axes in (*self.inputs, self.output)]
        return ",".join(letters[:-1]) + "->" + letters[-1]

    @property
    def dom(self) -> Object:
        return tuple(self._space(axes) for axes in self.inputs)

    @property
    def cod(self) -> Object:
        return (self._space(self.output),)

    @property
    def summed(self) -> Labels:
        """The labels that are summed over."""
        return tuple({label: None for axes in self.inputs for label in axes if label not in self.output})

    @property
    def linear(self) -> tuple[tuple[int, ...], ...]:
        return tuple((k,) for k in range(len(self.inputs)))

    def _space(self, axes: Labels) -> Space:
        return Space([self.sizes[label] for label in axes], self.carrier)

    def reverse(self) -> Diagram | None:
        carrier = self.carrier.changes

        def rule(*wires: Wire) -> tuple[Wire, ...]:
            values, d = wires[:-1], wires[-1]
            return tuple(
                apply_generator(
                    Contract(carrier, (*self.inputs[:k], *self.inputs[k + 1 :], self.output), axes, self.sizes),
                    *(include(value) for value in (*values[:k], *values[k + 1 :])),
                    d,
                )
                for k, axes in enumerate(self.inputs)
            )

        return trace((*self.dom, self.cod[0].changes), rule)

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        new = len(self.sizes)
        inputs = tuple((new, *axes) if flag else axes for axes, flag in zip(self.inputs, flags, strict=True))
        return Contract(self.carrier, inputs, (new, *self.output), (*self.sizes, size)).diagram

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        xp, carrier = arrays.namespace, arrays.carrier(self.carrier)
        inputs = arrays.alike(inputs)
        given = {label for axes in self.inputs for label in axes}
        present = [label for label in self.output if label in given]
        if len(inputs) == 1:
            result, axes = inputs[0], self.inputs[0]
            if self.summed:
                result = carrier.sum(xp, result, tuple(axes.index(label) for label in self.summed))
            kept = [label for label in axes if label in present]
            if kept != present:
                result = xp.transpose(result, [kept.index(label) for label in present])
        else:
            result = carrier.contract(xp, inputs, self.inputs, present)
        if len(present) == len(self.output):
            return result
        result = xp.expand_dims(result, tuple(k for k, label in enumerate(self.output) if label not in given))
        return xp.broadcast_to(result, self.cod[0].shape)


def einsum(subscripts: str, *wires: Wire, sizes: dict[str, int] | None = None) -> Wire:
    """Sum of products over named axes, in the usual notation: `einsum("bi,io->bo", x, w)`.

    Letters that only the output has are new axes to repeat along; `sizes` gives their lengths. Raises
    `OperationError` for a letter used twice in one input, a wrong number of axes, lengths or spaces that differ.
    """
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    parts = left.split(",")
    if not arrow or len(parts) != len(wires):
        raise OperationError(f"einsum needs 'a,b->c' with one part a wire; got {subscripts!r} and {len(wires)} wires")
    wires = tuple(as_wire(wire, "einsum") for wire in wires)
    lengths: dict[str, int] = dict(sizes or {})
    for part, wire in zip(parts, wires, strict=True):
        if len(part) != len(wire.shape) or len(set(part)) != len(part):
            raise OperationError(f"einsum part {part!r} needs {len(wire.shape)} different letters for {wire.space}")
        for letter, side in zip(part, wire.shape, strict=True):
            if lengths.setdefault(letter, side) != side:
                raise OperationError(f"einsum letter {letter!r} is {lengths[letter]} on one wire and {side} on another")
    carriers = {wire.space.carrier for wire in wires}
    if len(carriers) != 1:
        raise OperationError(f"einsum cannot mix carriers; got {', '.join(sorted(map(repr, carriers)))}")
    missing = set(right) - set(lengths)
    if missing or len(set(right)) != len(right):
        raise OperationError(
            f"einsum output {right!r}: letters must differ and have a length; none for {sorted(missing)}"
        )
    letters = list(lengths)
    code = {letter: k for k, letter in enumerate(letters)}
    labels = [tuple(code[letter] for letter in part) for part in (*parts, right)]
    generator = Contract(carriers.pop(), tuple(labels[:-1]), labels[-1], tuple(lengths[letter] for letter in letters))
    return apply_generator(generator, *wires)


def _relabel(wire: Wire, output: Iterable[int], sizes: Iterable[int]) -> Wire:
    axes = tuple(range(len(wire.shape)))
    result: Wire = apply_generator(Contract(wire.space.carrier, (axes,), tuple(output), tuple(sizes)), wire)
    return result


def transpose(x: Wire, axes: Iterable[int] | None = None) -> Wire:
    """The axes in another order; reversed if none is given."""
    x = as_wire(x, "transpose")
    order = tuple(axes) if axes is not None else tuple(reversed(range(len(x.shape))))
    if sorted(order) != list(range(len(x.shape))):
        raise OperationError(f"transpose of {x.space} needs a permutation of its {len(x.shape)} axes; got {order}")
    return _relabel(x, order, x.shape)


def sum(x: Wire, axes: int | Iterable[int] | None = None) -> Wire:
    """The sum over some axes, or over all."""
    x = as_wire(x, "sum")
    rank = len(x.shape)
    chosen = range(rank) if axes is None else (axes,) if isinstance(axes, int) else tuple(axes)
    if any(not -rank <= axis < rank for axis in chosen):
        raise OperationError(f"sum over axes {tuple(chosen)} of {x.space}, which has {rank} axes")
    gone = {axis % rank for axis in chosen}
    return _relabel(x, (axis for axis in range(rank) if axis not in gone), x.shape) if gone else x


def mean(x: Wire, axes: int | Iterable[int] | None = None) -> Wire:
    """The mean over some axes, or over all; needs a carrier with fractions (REAL)."""
    x = as_wire(x, "mean")
    x.space.carrier.require("divide")
    total = sum(x, axes)
    return total * (total.space.size / x.space.size if x.space.size else float("nan"))


def broadcast(x: Wire, shape: Iterable[int]) -> Wire:
    """The wire repeated along new leading axes, so that it has that shape; the last lengths must agree."""
    x, target = as_wire(x, "broadcast"), _shape(shape)
    lead = len(target) - len(x.shape)
    if lead < 0 or target[lead:] != x.shape:
        raise OperationError(f"cannot broadcast {x.space} to shape {target}: only new leading axes can be added")
    rank = len(x.shape)
    return _relabel(x, (*range(rank, rank + lead), *range(rank)), (*x.shape, *target[:lead])) if lead else x


def repeated(x: Wire, size: int) -> Wire:
    """The wire `size` times along a new last axis."""
    return _relabel(x, range(len(x.shape) + 1), (*x.shape, size))


def stack(x: Wire, size: int) -> Wire:
    """`size` copies of the wire along a new first axis."""
    return broadcast(x, (size, *x.shape))


def matmul(x: Wire, y: Wire) -> Wire:
    """The matrix product of a vector or matrix by a vector or matrix."""
    x, y = as_wire(x, "@"), as_wire(y, "@")
    names = {(1, 1): "i,i->", (1, 2): "i,ij->j", (2, 1): "ij,j->i", (2, 2): "ij,jk->ik"}
    if (len(x.shape), len(y.shape)) not in names:
        raise OperationError(f"@ multiplies vectors and matrices; got {x.space} and {y.space}; use einsum")
    return einsum(names[len(x.shape), len(y.shape)], x, y)
