"""What each generator is as gates: the rules of the functor into netlists.

A rule takes the gates, the generator, the width of its result and its inputs' signals, and returns the nets
(*shape, at least the width): what lies above the width is cut off, what is missing repeats the sign.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from catlearn.diagram import Generator
from catlearn.functors.bounds import Interval
from catlearn.gates import AND, OR, XOR, Gates, Nets, fit, number, shifted, width_of
from catlearn.generators.arithmetic import Add, Constant, Include, Invert, Multiply, Negate, Subtract, Xor
from catlearn.generators.comparison import Compare
from catlearn.generators.contraction import Contract
from catlearn.generators.counting import Clamp, Dither, Popcount, Positive, Scaled, Shares, hashed
from catlearn.generators.discrete import OneHot, Since, Successor
from catlearn.generators.indexing import Concatenate, Gather, Reshape, Scatter, Slice
from catlearn.generators.lookup import Collect, Lookup
from catlearn.generators.multiplexer import Choose
from catlearn.generators.probe import Probe
from catlearn.generators.rescaling import DOWN, MOST, UP, RescaleVotes
from catlearn.generators.selection import Divides, Less, Select
from catlearn.generators.tables import Read, Tables, Votes, Write
from catlearn.generators.thresholds import AtLeast, AtLeastVotes
from catlearn.netlist import FALSE, MOST_INPUTS
from catlearn.rigs import BOOLEAN, Saturating
from catlearn.semirings import INTEGERS, Carrier, Modular
from catlearn.space import Space

__all__ = ["COUNTER_BITS", "RULES", "Signal"]

COUNTER_BITS = 32
"""The bits of a counter of steps; it wraps after 2**32 of them."""


@dataclass(frozen=True, eq=False)
class Signal:
    """The nets (*shape, width) of a wire of that space, and an interval that holds its values."""

    space: Space
    nets: Nets
    interval: Interval

    @property
    def bits(self) -> Nets:
        """The lowest bits, (*shape,): the whole of bits and conditions."""
        return self.nets[..., 0]


def _reduced(gates: Gates, carrier: Carrier, x: Nets) -> Nets:
    """A whole number, at least 0 where the carrier is bounded, as the value of the carrier that it stands for."""
    if isinstance(carrier, Modular):
        return gates.remainder(x, carrier.modulus)
    if isinstance(carrier, Saturating):
        return gates.minimum(x, number(carrier.size - 1, width_of(0, carrier.size - 1)))
    return x


def _sum(gates: Gates, carrier: Carrier, x: Nets, width: int) -> Nets:
    """The sum of (.., n, w) over n in a carrier."""
    if carrier.kind == "bit":
        return gates.reduce(OR if carrier == BOOLEAN else XOR, x[..., 0])[..., None]
    if carrier == INTEGERS:
        return gates.total(x, width)
    return _reduced(gates, carrier, gates.total(x, width + x.shape[-2].bit_length()))


def _sum_at(gates: Gates, carrier: Carrier, x: Nets, places: np.ndarray, length: int, width: int) -> Nets:
    """The sums of (.., m, w) where m places say, (.., length, w)."""
    if carrier == INTEGERS:
        return gates.total_at(x, places, length, width)
    if carrier.kind != "bit":
        return _reduced(gates, carrier, gates.total_at(x, places, length, width + len(places).bit_length()))
    many = gates.total_at(gates.unsigned(x), places, length, len(places).bit_length() if carrier == BOOLEAN else 1)
    return gates.reduce(OR, many)[..., None]


def _product(gates: Gates, carrier: Carrier, x: Nets, y: Nets) -> Nets:
    """The product in a carrier, entry by entry."""
    if carrier.kind == "bit":
        return gates.both(x, y)
    return _reduced(gates, carrier, gates.multiply(x, y, x.shape[-1] + y.shape[-1]))


def _constant(gates: Gates, g: Constant, width: int) -> Nets:
    return np.broadcast_to(number(g.value, max(width, 2)), (*g.space.shape, max(width, 2)))


def _add(gates: Gates, g: Add, width: int, x: Signal, y: Signal) -> Nets:
    carrier = g.space.carrier
    if carrier.kind == "bit":
        return gates.either(x.nets, y.nets) if carrier == BOOLEAN else gates.differ(x.nets, y.nets)
    if carrier == INTEGERS:
        return gates.add(x.nets, y.nets, width)
    return _reduced(gates, carrier, gates.add(x.nets, y.nets, width + 1))


def _subtract(gates: Gates, g: Subtract, width: int, x: Signal, y: Signal) -> Nets:
    carrier = g.space.carrier
    if carrier.kind == "bit":
        return gates.differ(x.nets, y.nets)
    if isinstance(carrier, Modular):
        opposite = gates.subtract(number(carrier.modulus, width + 1), y.nets, width + 1)
        return _reduced(gates, carrier, gates.add(x.nets, opposite, width + 1))
    return gates.subtract(x.nets, y.nets, width)


def _negate(gates: Gates, g: Negate, width: int, x: Signal) -> Nets:
    carrier = g.space.carrier
    if isinstance(carrier, Modular):
        return _reduced(gates, carrier, gates.subtract(number(carrier.modulus, width + 1), x.nets, width + 1))
    return x.nets if carrier.kind == "bit" else gates.negate(x.nets, width)


def _choose(gates: Gates, g: Choose, width: int, s: Signal, a: Signal, b: Signal) -> Nets:
    return gates.select(s.bits, a.nets, b.nets)


def _contract(gates: Gates, g: Contract, width: int, *inputs: Signal) -> Nets:
    labels = sorted({label for axes in g.inputs for label in axes})
    result = None
    for signal, axes in zip(inputs, g.inputs, strict=True):
        order = sorted(range(len(axes)), key=axes.__getitem__)
        nets = np.transpose(signal.nets, (*order, len(axes)))
        nets = np.expand_dims(nets, tuple(k for k, label in enumerate(labels) if label not in axes))
        result = nets if result is None else _product(gates, g.carrier, result, nets)
    assert result is not None
    kept, summed = [label for label in g.output if label in labels], [k for k in labels if k not in g.output]
    result = np.transpose(result, (*(labels.index(label) for label in (*kept, *summed)), len(labels)))
    if summed:
        many = math.prod(g.sizes[label] for label in summed)
        result = _sum(gates, g.carrier, result.reshape(*result.shape[: len(kept)], many, result.shape[-1]), width)
    result = np.expand_dims(result, tuple(k for k, label in enumerate(g.output) if label not in labels))
    return np.broadcast_to(result, (*g.cod[0].shape, result.shape[-1]))


def _scatter(gates: Gates, g: Scatter, width: int, x: Signal) -> Nets:
    places, rank = g.index.array.ravel(), len(g.index.shape)
    shape = x.nets.shape
    flat = x.nets.reshape(*shape[: g.axis], places.size, *shape[g.axis + rank :])
    total = _sum_at(gates, g.space.carrier, np.moveaxis(flat, g.axis, -2), places, g.length, width)
    return np.moveaxis(total, -2, g.axis)


def _concatenate(gates: Gates, g: Concatenate, width: int, *inputs: Signal) -> Nets:
    own = max(signal.nets.shape[-1] for signal in inputs)
    return np.concatenate([fit(signal.nets, own) for signal in inputs], g.axis)


def _slice(gates: Gates, g: Slice, width: int, x: Signal) -> Nets:
    return x.nets[(slice(None),) * g.axis + (slice(g.start, g.stop),)]


def _positive(gates: Gates, g: Positive, width: int, x: Signal) -> Nets:
    return gates.less(number(0, 1), x.nets)[..., None]


def _clamp(gates: Gates, g: Clamp, width: int, x: Signal, bound: Signal) -> Nets:
    inside = -bound.interval[0] <= x.interval[0] and x.interval[1] <= bound.interval[0]
    return x.nets if inside else gates.clamp(x.nets, fit(bound.nets, bound.nets.shape[-1] + 1))


def _shares(gates: Gates, g: Shares, width: int, x: Signal) -> Nets:
    own, last = x.nets.shape[-1] + 1, len(g.table) - 1
    below = gates.subtract(gates.greatest(x.nets)[..., None, :], x.nets, own)
    near = gates.minimum(below, number(last, width_of(0, last)))
    address = fit(near, last.bit_length())
    exponentials = gates.lookup(g.table, address, width_of(0, int(g.table.max())))
    total_width = width_of(0, int(g.table.max()) * x.space.shape[-1])
    total = gates.total(exponentials, total_width)[..., None, :]
    wide = width_of(0, 2 * g.scale * int(g.table.max()) + int(g.table.max()) * x.space.shape[-1])
    dividend = gates.add(gates.times(exponentials, 2 * g.scale, wide), total, wide)
    return gates.divide(dividend, shifted(total, 1, total_width + 1), g.scale.bit_length())[0]


def _scaled(gates: Gates, g: Scaled, width: int, x: Signal, factor: Signal, dither: Signal) -> Nets:
    wide = width + g.shift
    return gates.add(gates.multiply(x.nets, factor.nets, wide), dither.nets, wide)[..., g.shift :]


def _hashed(gates: Gates, x: Nets) -> Nets:
    """`counting.hashed` of words of 32 bits."""
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B), (16, 1)):
        x = gates.differ(x, np.concatenate([x[..., shift:], np.full((*x.shape[:-1], shift), FALSE, np.int32)], -1))
        x = gates.times(x, factor, 32) if factor > 1 else x
    return x


def _drawn(gates: Gates, seed: Nets, start: int, shape: tuple[int, ...], bits: int) -> Nets:
    """The highest `bits` bits of a hash of a word of 32 bits and each place of a shape."""
    places = hashed(np.arange(math.prod(shape), dtype=np.uint32) + np.uint32(start % 2**32))
    mixed = gates.differ(number(places, 32), gates.times(seed, 0x9E3779B1, 32))
    return gates.unsigned(_hashed(gates, mixed)[..., 32 - bits :]).reshape(*shape, bits + 1)


def _dither(gates: Gates, g: Dither, width: int, count: Signal) -> Nets:
    return _drawn(gates, gates.unsigned(fit(count.nets, 31)), g.seed, g.shape, g.bits)


def _rescale(gates: Gates, g: RescaleVotes, width: int, v: Signal) -> Nets:
    size, most = max(g.space.size, 1), MOST * g.target
    bound = number(most, width_of(-most, most))
    kept = gates.clamp(v.nets, bound)
    kept = kept.reshape(g.space.size, kept.shape[-1])
    coarse = max((size * most).bit_length() - 31, 0)
    sizes = gates.maximum(kept, gates.negate(kept, kept.shape[-1]))[..., coarse:]
    total = gates.total(sizes, width_of(0, size * most >> coarse))
    enough = math.isqrt(2 * (g.target * size) ** 2) >> coarse

    def above(limit: int) -> Nets:
        return gates.less(number(limit, width_of(0, limit)), total)

    up = [gates.invert(above(enough >> e)) for e in range(1, UP + 1)]
    down = [above(enough << e) for e in range(DOWN) if enough << e < 2**31]
    drawn = _drawn(gates, fit(gates.unsigned(total), 32), 0, (g.space.size,), DOWN)
    asked = gates.both(drawn[..., : len(down)], np.array(down, np.int32))  # as down is met from below: modulo 2**down
    wide = width_of(-most - 2**DOWN, most + 2**DOWN)
    result = gates.add(kept, gates.unsigned(asked), wide)
    for place, bit in enumerate(gates.popcount(np.array(down, np.int32), 5)[:4]):
        result = gates.choose(bit, result, fit(result[..., 1 << place :], wide))
    wide += UP
    result = fit(result, wide)
    for place, bit in enumerate(gates.popcount(np.array(up, np.int32), 4)[:3]):
        result = gates.choose(bit, result, shifted(result, 1 << place, wide))
    result = gates.clamp(result, bound)
    return result.reshape(*g.space.shape, result.shape[-1])


def _literals(g: Any, x: Signal) -> Nets:
    """The bits that each table reads, (rows, places, W, k)."""
    return np.take(x.bits, g.wiring.array, axis=len(g.rows))


def _read(gates: Gates, g: Read, width: int, entries: Signal, x: Signal) -> Nets:
    return gates.read(np.moveaxis(entries.nets, -1, -2), _literals(g, x)[..., None, :])


def _write(gates: Gates, g: Write, width: int, x: Signal, v: Signal) -> Nets:
    here = gates.decode(_literals(g, x))
    votes = gates.both(here[..., None], v.nets[..., None, :]).reshape(-1, *g.entries.shape, v.nets.shape[-1])
    return gates.total(np.moveaxis(votes, 0, -2), width)


def _votes(gates: Gates, g: Votes, width: int, entries: Signal, x: Signal, v: Signal) -> Nets:
    """Each vote as it is where the bit turns the entry on, negated where it turns it off, else none."""
    if g.carrier == INTEGERS:
        return _votes_of_numbers(gates, g, width, entries, x, v)
    bits, wide = _literals(g, x), v.nets.shape[-1] + 1
    against = gates.negate(v.nets, wide)
    each = []
    for high, low, others in _halves(g, entries.nets, bits):
        on, off = gates.read(high[..., 0, :], others), gates.read(low[..., 0, :], others)
        turned = gates.select(off, fit(v.nets, wide), against)
        each.append(gates.both(turned, gates.differ(on, off)[..., None]))
    return _to_inputs(gates, g, each, width, v)


def _votes_of_numbers(gates: Gates, g: Votes, width: int, entries: Signal, x: Signal, v: Signal) -> Nets:
    bits, own = _literals(g, x), entries.nets.shape[-1] + 1
    each = []
    for high, low, others in _halves(g, entries.nets, bits):
        on, off = (gates.read(part, others[..., None, :]) for part in (high, low))
        each.append(gates.multiply(gates.subtract(on, off, own), v.nets, own + v.nets.shape[-1]))
    return _to_inputs(gates, g, each, width, v)


def _halves(g: Tables, entries: Nets, bits: Nets) -> Any:
    """For each place in a table the entries where that bit is 1 and where it is 0, (W, width, half), and the others."""
    tables = np.moveaxis(entries, -1, -2)
    for i in range(g.arity):
        split = tables.reshape(*tables.shape[:-1], -1, 2, 2**i)
        low, high = (split[..., k, :].reshape(*tables.shape[:-1], -1) for k in (0, 1))
        yield high, low, np.delete(bits, i, -1)


def _to_inputs(gates: Gates, g: Any, each: list[Nets], width: int, v: Signal) -> Nets:
    """Votes (rows, places, W, w) for each place in a gate, added up at the inputs that they are for."""
    rows = v.space.shape[: len(g.rows)]
    if not each:
        return np.full((*rows, g.inputs, width), FALSE, np.int32)
    votes = np.stack(each, -2).reshape(*rows, g.wiring.array.size, each[0].shape[-1])
    return gates.total_at(votes, g.wiring.array.ravel(), g.inputs, width)


def _at_least(gates: Gates, g: AtLeast, width: int, x: Signal) -> Nets:
    bits, many = _literals(g, x), g.wiring.shape[-1]
    if many <= MOST_INPUTS:
        reached = [int(a).bit_count() >= g.threshold for a in range(2**many)]
        return gates.read(np.array(reached, np.int32), bits)[..., None]
    if g.threshold in (1, many):
        return gates.reduce(OR if g.threshold == 1 else AND, bits)[..., None]
    count = gates.popcount(bits, width_of(0, many))
    return gates.less(number(g.threshold - 1, count.shape[-1]), count)[..., None]


def _at_least_votes(gates: Gates, g: AtLeastVotes, width: int, x: Signal, v: Signal) -> Nets:
    bits, many = _literals(g, x), g.wiring.shape[-1]
    own = width_of(0, many)
    count = gates.popcount(bits, own)
    without, within = (gates.equal(count, number(g.threshold - k, own))[..., None] for k in (1, 0))
    matters = gates.choose(bits, without, within)
    each = gates.both(matters[..., None], v.nets[..., None, :])
    return _to_inputs(gates, g, list(np.moveaxis(each, -2, 0)), width, v)


def _one_hot(gates: Gates, g: OneHot, width: int, label: Signal) -> Nets:
    size = g.cod[0].shape[-1]
    hot = gates.decode(label.nets[..., : (size - 1).bit_length()])[..., :size]
    one, zero = (number(value, max(width, 2)) for value in (g.carrier.one, g.carrier.zero))
    return gates.choose(hot[..., None], zero, one)


def _successor(gates: Gates, g: Successor, width: int, n: Signal) -> Nets:
    return gates.unsigned(gates.add(n.nets, number(1, 2), COUNTER_BITS))


def _since(gates: Gates, g: Since, width: int, n: Signal) -> Nets:
    start = number(g.number, max(width, width_of(0, g.number)))
    later = gates.subtract(n.nets, start, len(start))
    return gates.select(gates.less(n.nets, start), later, number(0, 1))


def _divides(gates: Gates, g: Divides, width: int, n: Signal) -> Nets:
    rest = gates.remainder(n.nets, g.number)
    return gates.unsigned(gates.equal(rest, number(0, 1))[..., None])


def _compare(gates: Gates, g: Compare, width: int, x: Signal, y: Signal) -> Nets:
    one, zero = (number(value, max(width, 2)) for value in (g.space.carrier.one, g.space.carrier.zero))
    return gates.choose(gates.equal(x.nets, y.nets)[..., None], zero, one)


def _lookup(gates: Gates, g: Lookup, width: int, table: Signal, places: Signal) -> Nets:
    length = g.table.shape[0]
    address = places.nets[..., : (length - 1).bit_length()]
    flat = table.nets.reshape(length, -1).T
    none = np.full((len(flat), 2 ** address.shape[-1] - length), FALSE, np.int32)
    rows = gates.read(np.concatenate([flat, none], -1), address[..., None, :])
    return rows.reshape(*g.rows.shape, table.nets.shape[-1])


def _collect(gates: Gates, g: Collect, width: int, places: Signal, rows: Signal) -> Nets:
    length, count = g.table.shape[0], g.places.size
    here = gates.decode(places.nets.reshape(count, -1)[:, : (length - 1).bit_length()])[:, :length]
    flat = rows.nets.reshape(count, 1, -1)
    chosen = gates.both(here[..., None], flat).reshape(count, *g.table.shape, rows.nets.shape[-1])
    return _sum(gates, g.carrier, np.moveaxis(chosen, 0, -2), width)


RULES: dict[type[Generator], Callable[..., Nets]] = {
    Constant: _constant,
    Add: _add,
    Subtract: _subtract,
    Negate: _negate,
    Multiply: lambda gates, g, width, x, y: _product(gates, g.space.carrier, x.nets, y.nets),
    Include: lambda gates, g, width, x: gates.unsigned(x.nets),
    Invert: lambda gates, g, width, x: gates.invert(x.nets),
    Xor: lambda gates, g, width, x, y: gates.differ(x.nets, y.nets),
    Choose: _choose,
    Select: lambda gates, g, width, c, x, y: gates.select(c.bits, y.nets, x.nets),
    Compare: _compare,
    Positive: _positive,
    Less: lambda gates, g, width, x, y: gates.unsigned(gates.less(x.nets, y.nets)[..., None]),
    Divides: _divides,
    Clamp: _clamp,
    Shares: _shares,
    Scaled: _scaled,
    Dither: _dither,
    RescaleVotes: _rescale,
    Popcount: lambda gates, g, width, x: gates.popcount(x.bits, width),
    Read: _read,
    Write: _write,
    Votes: _votes,
    AtLeast: _at_least,
    AtLeastVotes: _at_least_votes,
    OneHot: _one_hot,
    Successor: _successor,
    Since: _since,
    Contract: _contract,
    Gather: lambda gates, g, width, x: np.take(x.nets, g.index.array, axis=g.axis),
    Reshape: lambda gates, g, width, x: x.nets.reshape(*g.shape, x.nets.shape[-1]),
    Slice: _slice,
    Concatenate: _concatenate,
    Scatter: _scatter,
    Lookup: _lookup,
    Collect: _collect,
    Probe: lambda gates, g, width, x: x.nets,
}
