"""Building netlists: gates and whole numbers on arrays of nets, all gates of a shape in one step.

A *bit* is an array of nets of any shape. A *number* is an array (*shape, width) of nets, two's complement, lowest bit
first: its last bit is the sign, which is the constant 0 where it is known to be no negative number. Every operation
broadcasts, and says in how many bits its result is; arithmetic is modulo 2**width. A gate with inputs that are constant
or equal becomes a smaller one, or none, as it is made.

>>> gates = Gates((Port("x", 1, 3, True), Port("y", 1, 3, True)))
>>> x, y = gates.inputs
>>> total = gates.add(x, y, 4)
>>> netlist = gates.netlist(total, (Port("sum", 1, 4, True),))
>>> from catlearn.netlist import evaluate
>>> evaluate(netlist, [[1, 1, 0, 1, 0, 1]]).tolist()  # 3 + (-3)
[[0, 0, 0, 0]]
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from catlearn.errors import OperationError
from catlearn.netlist import FALSE, MOST_INPUTS, TRUE, Netlist, Port

__all__ = ["Gates", "Nets", "cofactors", "depends", "exchanged", "fit", "reduced", "spread", "width_of"]

Nets = np.ndarray

ALL = np.uint64(2**64 - 1)
PLACES = np.array([sum(1 << a for a in range(64) if a >> i & 1) for i in range(MOST_INPUTS)], np.uint64)
"""The table of input i itself, on 64 entries."""

AND, OR, XOR, NOT, CHOOSE, MAJORITY, PARITY, BORROW = 0b1000, 0b1110, 0b0110, 0b01, 0xE2, 0xE8, 0x96, 0xD4


def spread(tables: Any, arity: Any) -> np.ndarray:
    """Tables of `arity` inputs repeated over all 64 entries; what lies beyond their 2**arity entries is dropped."""
    size = np.uint64(1) << np.asarray(arity, np.uint64)
    whole = np.asarray(tables, np.uint64) & np.where(size == 64, ALL, (np.uint64(1) << (size % np.uint64(64))) - 1)
    for i in range(MOST_INPUTS):
        whole = np.where(size <= 1 << i, whole | whole << np.uint64(1 << i), whole)
    return whole


def cofactors(tables: np.ndarray, place: int) -> tuple[np.ndarray, np.ndarray]:
    """The tables, on 64 entries, where the input at a place is 0, and where it is 1."""
    shift = np.uint64(1 << place)
    low, high = tables & ~PLACES[place], tables & PLACES[place]
    return low | low << shift, high | high >> shift


def depends(tables: np.ndarray, place: int) -> np.ndarray:
    """Whether each table, on 64 entries, depends on the input at a place."""
    low, high = cofactors(tables, place)
    return low != high


def exchanged(tables: np.ndarray, first: int, second: int) -> np.ndarray:
    """The tables, on 64 entries, of the inputs with two places exchanged, the first before the second."""
    mask, shift = PLACES[first] & ~PLACES[second], np.uint64((1 << second) - (1 << first))
    return (tables & ~(mask | mask << shift)) | ((tables & mask) << shift) | ((tables >> shift) & mask)


def reduced(tables: np.ndarray, wiring: Nets) -> tuple[np.ndarray, Nets, np.ndarray]:
    """Gates with only the inputs that matter, in front: their tables on 64 entries, wiring and arity.

    Constant inputs are put in, and equal ones are one. The wiring (gates, k) has `FALSE` after the inputs that matter.
    """
    wiring, most = wiring.copy(), wiring.shape[1]
    for i in range(most):
        if (wiring[:, i] <= TRUE).any():
            low, high = cofactors(tables, i)
            tables = np.where(wiring[:, i] == FALSE, low, np.where(wiring[:, i] == TRUE, high, tables))
        for j in range(i):
            same = wiring[:, i] == wiring[:, j]
            if same.any():
                low, high = (cofactors(half, j)[k] for k, half in enumerate(cofactors(tables, i)))
                tables = np.where(same, (low & ~PLACES[j]) | (high & PLACES[j]), tables)
    kept = np.stack([depends(tables, i) for i in range(most)], 1) if most else np.zeros(wiring.shape, bool)
    for i in reversed(range(most)):
        dropped = ~kept[:, i]
        for j in range(i, most - 1):
            if dropped.any():
                tables = np.where(dropped, exchanged(tables, j, j + 1), tables)
        if dropped.any():
            wiring[dropped, i:] = np.concatenate([wiring[dropped, i + 1 :], np.zeros((dropped.sum(), 1), int)], 1)
    return tables, wiring, kept.sum(1)


def width_of(low: int, high: int) -> int:
    """The bits of a number from `low` to `high`, the sign among them."""
    return max(high, -low - 1, 0).bit_length() + 1


def fit(x: Nets, width: int) -> Nets:
    """The number in that many bits: the higher ones cut off, or the sign repeated."""
    own = x.shape[-1]
    return x[..., :width] if own >= width else np.concatenate([x, np.repeat(x[..., -1:], width - own, -1)], -1)


def shifted(x: Nets, places: int, width: int) -> Nets:
    """The number times 2**places."""
    zeros = np.full((*x.shape[:-1], min(places, width)), FALSE, np.int32)
    return fit(np.concatenate([zeros, x], -1), width)


def number(values: Any, width: int) -> Nets:
    """The constants, whole numbers, in that many bits."""
    bits = np.minimum(np.arange(width), 63)
    return (np.asarray(values, np.int64)[..., None] >> bits & 1).astype(np.int32)


class Gates:
    """A netlist being built on the given input ports: `inputs` are their nets, (count, width) each.

    The number of a port that is not signed has no sign bit; `unsigned` gives it one.
    """

    def __init__(self, ports: Sequence[Port] = ()) -> None:
        self.ports = tuple(ports)
        ends = np.cumsum([2, *(port.bits for port in self.ports)])
        self.first = self.count = int(ends[-1])
        self.inputs = [
            np.arange(start, start + port.bits, dtype=np.int32).reshape(port.count, port.width)
            for start, port in zip(ends, self.ports, strict=False)
        ]
        self._parts: list[tuple[Nets, np.ndarray, np.ndarray]] = []

    def netlist(
        self, outputs: Any, results: Sequence[Port], registers: int = 0, initial: np.ndarray | None = None
    ) -> Netlist:
        """The netlist of all gates so far, with those output nets."""
        wiring = np.zeros((self.count - self.first, MOST_INPUTS), np.int32)
        tables, arity = np.zeros(len(wiring), np.uint64), np.zeros(len(wiring), np.uint8)
        start = 0
        for inputs, part, counts in self._parts:
            end = start + len(part)
            wiring[start:end, : inputs.shape[1]], tables[start:end], arity[start:end] = inputs, part, counts
            start = end
        nets = np.asarray(outputs, np.int32).ravel()
        return Netlist(self.ports, wiring, tables, arity, nets, tuple(results), registers, initial)

    def table(self, tables: Any, inputs: Any) -> Nets:
        """Gates of tables (*shape,) on inputs (*shape, k), k at most 6; entry a is bit a of a table (BIT.lut)."""
        inputs = np.asarray(inputs, np.int32)
        arity = inputs.shape[-1]
        if arity > MOST_INPUTS:
            raise OperationError(f"a gate has at most {MOST_INPUTS} inputs; got {arity}: use Gates.read")
        given = spread(tables, arity)
        shape = np.broadcast_shapes(given.shape, inputs.shape[:-1])
        wiring = np.broadcast_to(inputs, (*shape, arity)).reshape(math.prod(shape), arity)
        whole, wiring, left = reduced(np.broadcast_to(given, shape).ravel(), wiring)
        result = (whole & np.uint64(1)).astype(np.int32)
        wires = (left == 1) & (result == 0)
        if arity:
            result[wires] = wiring[wires, 0]
        made = (left > 1) | ((left == 1) & ~wires)
        count = int(made.sum())
        if count:
            result[made] = np.arange(self.count, self.count + count)
            self.count += count
            size = np.uint64(1) << left[made].astype(np.uint64)
            own = whole[made] & (ALL >> (np.uint64(64) - size))
            self._parts.append((wiring[made], own, left[made].astype(np.uint8)))
        return result.reshape(shape)

    def gate(self, table: int, *bits: Any) -> Nets:
        """One gate on each tuple of bits."""
        return self.table(table, np.stack(np.broadcast_arrays(*bits), -1))

    def invert(self, x: Any) -> Nets:
        """Not."""
        return self.gate(NOT, x)

    def both(self, x: Any, y: Any) -> Nets:
        """And."""
        return self.gate(AND, x, y)

    def either(self, x: Any, y: Any) -> Nets:
        """Or."""
        return self.gate(OR, x, y)

    def differ(self, x: Any, y: Any) -> Nets:
        """Exclusive or."""
        return self.gate(XOR, x, y)

    def choose(self, s: Any, a: Any, b: Any) -> Nets:
        """The bits a where s is 0, b where it is 1."""
        return self.gate(CHOOSE, a, s, b)

    def reduce(self, table: int, x: Nets) -> Nets:
        """And, or, or exclusive or of the bits along the last axis, as a balanced tree; of none, the neutral bit."""
        if not x.shape[-1]:
            return np.full(x.shape[:-1], TRUE if table == AND else FALSE, np.int32)
        while x.shape[-1] > 1:
            half = x.shape[-1] // 2
            x = np.concatenate([self.gate(table, x[..., :half], x[..., half : 2 * half]), x[..., 2 * half :]], -1)
        return x[..., 0]

    def read(self, entries: Nets, address: Nets) -> Nets:
        """The entry (.., 2**k) at an address (.., k) of bits: one gate if all entries are constants and k is at most 6.

        Else multiplexers, the highest bit first (Shannon's expansion).
        """
        arity = address.shape[-1]
        constant = not entries.size or int(entries.max()) <= TRUE
        if constant and arity <= MOST_INPUTS:
            weights = np.uint64(1) << np.arange(2**arity, dtype=np.uint64)
            return self.table((entries.astype(np.uint64) * weights).sum(-1, dtype=np.uint64), address)
        if not arity:
            return np.broadcast_to(entries[..., 0], np.broadcast_shapes(entries.shape[:-1], address.shape[:-1]))
        last, halves = address[..., -1], entries.reshape(*entries.shape[:-1], 2, -1)
        if constant:
            each = self.read(halves, address[..., None, :-1])
            return self.choose(last, each[..., 0], each[..., 1])
        return self.read(self.choose(last[..., None], halves[..., 0, :], halves[..., 1, :]), address[..., :-1])

    def decode(self, address: Nets) -> Nets:
        """For each address (.., k) the 2**k bits of which the one at the address is 1."""
        result = np.full((*address.shape[:-1], 1), TRUE, np.int32)
        for k in range(address.shape[-1]):
            bit = address[..., k, None]
            result = np.concatenate([self.gate(0b0010, result, bit), self.both(result, bit)], -1)
        return result

    def unsigned(self, x: Nets) -> Nets:
        """The number whose bits, all of them, are given: a sign of 0 is put on."""
        return np.concatenate([x, np.full((*x.shape[:-1], 1), FALSE, np.int32)], -1)

    def add(self, x: Nets, y: Nets, width: int, carry: Any = FALSE) -> Nets:
        """x + y, and 1 more where the carry is set."""
        x, y = np.broadcast_arrays(fit(x, width), fit(y, width))
        result = np.empty(x.shape, np.int32)
        for k in range(width):
            a, b = x[..., k], y[..., k]
            result[..., k] = self.gate(PARITY, a, b, carry)
            carry = self.gate(MAJORITY, a, b, carry) if k + 1 < width else FALSE
        return result

    def subtract(self, x: Nets, y: Nets, width: int) -> Nets:
        """x - y."""
        return self.add(x, self.invert(fit(y, width)), width, TRUE)

    def negate(self, x: Nets, width: int) -> Nets:
        """-x."""
        return self.subtract(number(0, 1), x, width)

    def total(self, x: Nets, width: int) -> Nets:
        """The sum of numbers (.., n, w) over n, by full adders column after column."""
        own = min(x.shape[-1], width)
        columns: list[list[Nets]] = [[x[..., k]] for k in range(own)] + [[] for _ in range(own, width)]
        sign = x[..., own - 1]
        moving = sign != FALSE
        if own < width and moving.any():  # -s 2**k = (1 - s) 2**k - 2**k, so that no sign needs repeating
            columns[own - 1] = [np.where(moving, self.invert(sign), FALSE)]
            for k, bits in enumerate(np.moveaxis(number(-(moving.sum(-1) << (own - 1)), width), -1, 0)):
                columns[k].append(bits[..., None])
        result = np.empty((*x.shape[:-2], width), np.int32)
        for k in range(width):
            carried = columns[k + 1] if k + 1 < width else None
            result[..., k] = self._column(np.concatenate(columns[k] or [x[..., :0, 0]], -1), carried)
        return result

    def _column(self, bits: Nets, carried: list[Nets] | None) -> Nets:
        """The parity of bits along the last axis; what they carry is added to the list, where there is one."""
        while bits.shape[-1] > 1:
            n = bits.shape[-1] // 3
            parts = [bits[..., k * n : (k + 1) * n] for k in range(3)] if n else [bits[..., :1], bits[..., 1:]]
            if carried is not None:
                carried.append(self.gate(MAJORITY if n else AND, *parts))
            bits = np.concatenate([self.gate(PARITY if n else XOR, *parts), bits[..., max(3 * n, 2) :]], -1)
        return bits[..., 0] if bits.shape[-1] else np.full(bits.shape[:-1], FALSE, np.int32)

    def total_at(self, x: Nets, places: np.ndarray, length: int, width: int) -> Nets:
        """Numbers (.., m, w) added up where m places say: the numbers (.., length, width)."""
        order = np.argsort(places, kind="stable")
        counts = np.bincount(places, minlength=length)
        within = np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts)
        members = np.full((length, int(counts.max(initial=0))), len(places))
        members[places[order], within] = order
        none = np.full((*x.shape[:-2], 1, x.shape[-1]), FALSE, np.int32)
        return self.total(np.concatenate([x, none], -2)[..., members, :], width)

    def popcount(self, bits: Nets, width: int) -> Nets:
        """How many bits are 1 along the last axis."""
        return self.total(self.unsigned(bits[..., None]), width)

    def multiply(self, x: Nets, y: Nets, width: int) -> Nets:
        """x y, as the sum of x shifted to the bits of the narrower factor."""
        x, y = (x, y) if y.shape[-1] <= x.shape[-1] else (y, x)
        shape = np.broadcast_shapes(x.shape[:-1], y.shape[:-1])
        kept = [k for k in range(min(y.shape[-1] - 1, width)) if (y[..., k] != FALSE).any()]
        terms = [shifted(self.both(x, y[..., k, None]), k, width) for k in kept]
        result = np.broadcast_to(number(0, width), (*shape, width))
        if terms:
            result = terms[0] if len(terms) == 1 else self.total(np.stack(terms, -2), width)
        if (y[..., -1] != FALSE).any():
            result = self.subtract(result, shifted(self.both(x, y[..., -1:]), y.shape[-1] - 1, width), width)
        return result

    def times(self, x: Nets, factor: int, width: int) -> Nets:
        """x times one constant, by its canonical signed digits: few sums and differences of x shifted."""
        sums: dict[int, list[Nets]] = {1: [], -1: []}
        place = 0
        while factor and place < width:
            if factor & 1:
                digit = 2 - (factor & 3)
                sums[digit].append(shifted(x, place, width))
                factor -= digit
            factor, place = factor >> 1, place + 1
        none = np.full((*x.shape[:-1], width), FALSE, np.int32)
        up, down = (self.total(np.stack([none, *terms], -2), width) for terms in sums.values())
        return self.subtract(up, down, width)

    def less(self, x: Nets, y: Nets) -> Nets:
        """The bit [x < y]."""
        width = max(x.shape[-1], y.shape[-1])
        x, y = fit(x, width), fit(y, width)
        borrow: Any = FALSE
        for k in range(width - 1):
            borrow = self.gate(BORROW, x[..., k], y[..., k], borrow)
        return self.gate(BORROW, y[..., -1], x[..., -1], borrow)

    def equal(self, x: Nets, y: Nets) -> Nets:
        """The bit [x = y]."""
        width = max(x.shape[-1], y.shape[-1])
        return self.reduce(AND, self.invert(self.differ(fit(x, width), fit(y, width))))

    def select(self, s: Nets, x: Nets, y: Nets) -> Nets:
        """The number x where the bit is 0, y where it is 1."""
        width = max(x.shape[-1], y.shape[-1])
        return self.choose(s[..., None], fit(x, width), fit(y, width))

    def minimum(self, x: Nets, y: Nets) -> Nets:
        """The lesser number."""
        return self.select(self.less(x, y), y, x)

    def maximum(self, x: Nets, y: Nets) -> Nets:
        """The greater number."""
        return self.select(self.less(x, y), x, y)

    def clamp(self, x: Nets, bound: Nets) -> Nets:
        """x cut to [-bound, bound], the bound at least 0."""
        return self.minimum(self.maximum(x, self.negate(bound, bound.shape[-1])), bound)

    def greatest(self, x: Nets) -> Nets:
        """The greatest of numbers (.., n, w) over n, n at least 1."""
        while x.shape[-2] > 1:
            half = x.shape[-2] // 2
            higher = self.maximum(x[..., :half, :], x[..., half : 2 * half, :])
            x = np.concatenate([higher, x[..., 2 * half :, :]], -2)
        return x[..., 0, :]

    def lookup(self, values: Any, address: Nets, width: int) -> Nets:
        """The whole number (.., n) at an address (.., k) of bits below n, n at most 2**k."""
        entries = np.moveaxis(number(values, width), -1, -2)
        missing = 2 ** address.shape[-1] - entries.shape[-1]
        entries = np.concatenate([entries, np.repeat(entries[..., -1:], missing, -1)], -1)
        return self.read(entries, address[..., None, :])

    def divide(self, x: Nets, y: Nets, bits: int) -> tuple[Nets, Nets]:
        """The quotient, known to be below 2**bits, and the rest of x >= 0 by y > 0: restoring division."""
        width = max(x.shape[-1], y.shape[-1])
        x = np.broadcast_to(fit(x, width), (*np.broadcast_shapes(x.shape[:-1], y.shape[:-1]), width))
        quotient = np.empty((*x.shape[:-1], bits), np.int32)
        for k in reversed(range(bits)):
            part = shifted(y, k, y.shape[-1] + k)
            quotient[..., k] = taken = self.invert(self.less(x, part))
            x = self.select(taken, x, self.subtract(x, part, width))
        return self.unsigned(quotient), fit(x, y.shape[-1])

    def remainder(self, x: Nets, modulus: int) -> Nets:
        """x modulo a positive number, for x >= 0."""
        length = (modulus - 1).bit_length()
        if modulus == 1 << length:
            return self.unsigned(fit(x, length)) if x.shape[-1] > length else x
        bits = max(x.shape[-1] - modulus.bit_length(), 0)
        return self.divide(x, number(modulus, modulus.bit_length() + 1), bits)[1] if bits else x
