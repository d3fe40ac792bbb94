"""Simplification of netlists by function, for circuits that are trained: the same outputs from fewer gates.

`simplified` puts constants in, drops the inputs that a table does not depend on, lets readers absorb inverters and
wires, merges gates of one function of the same nets (or of opposite functions), and drops what no output needs, until
nothing changes. `decomposed` makes two-input gates of larger tables, by the expansions of Shannon and Davio, and by one
gate where a cofactor is constant or the two are opposite; `gate_count` counts them. All is by the truth tables of
single gates, never by that of the whole. It is sound for functions and not for R: after training only.

>>> from catlearn.netlist import Port
>>> wiring, tables = [[2, 3], [3, 2], [4, 5]], [0b1000, 0b1000, 0b1110]
>>> twice = Netlist((Port("x", 2),), wiring, tables, [2, 2, 2], [6], (Port("y", 1),))
>>> print(simplified(twice))
netlist of 1 gates, 2 bits in, 1 bits out
"""

from __future__ import annotations

import numpy as np

from catlearn.errors import OperationError
from catlearn.gates import AND, OR, PLACES, Gates, Nets, cofactors, depends, exchanged, reduced, spread
from catlearn.netlist import FALSE, MOST_INPUTS, Netlist

__all__ = ["decomposed", "gate_count", "levels", "simplified"]

ONE, ALL = np.uint64(1), np.uint64(2**64 - 1)
NOT, _NOT_AND = 0b01, 0b0100


def levels(netlist: Netlist) -> list[np.ndarray]:
    """The gates by the length of the longest path to them from inputs: those of one level read only earlier ones."""
    read = netlist.wiring - netlist.first
    count = len(netlist.tables)
    reader, place = np.nonzero((np.arange(read.shape[1]) < netlist.arity[:, None]) & (read >= 0))
    source = read[reader, place]
    order = np.argsort(source, kind="stable")
    reader, starts = reader[order], np.searchsorted(source[order], np.arange(count + 1))
    missing = np.bincount(reader, minlength=count)
    here, found = np.flatnonzero(missing == 0), []
    while here.size:
        found.append(here)
        lengths = starts[here + 1] - starts[here]
        within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        readers, times = np.unique(reader[np.repeat(starts[here], lengths) + within], return_counts=True)
        missing[readers] -= times
        here = readers[missing[readers] == 0]
    return found


class _Pass:
    """One walk over the levels: each old net as a literal 2 n + c, the net n of the new netlist, inverted where c is 1.

    The constants are the literals 0 and 1, so that 1 is the net 0 inverted, as it should be.
    """

    def __init__(self, netlist: Netlist) -> None:
        self.netlist = netlist
        self.literals = np.zeros(netlist.nets, np.int64)
        self.literals[1] = 1
        self.literals[2 : netlist.first] = 2 * np.arange(2, netlist.first)
        self.tables, self.arity = spread(netlist.tables, netlist.arity), np.zeros(len(netlist.tables), np.int64)
        self.wiring = netlist.wiring.astype(np.int64)
        self.kept = np.zeros(len(netlist.tables), bool)
        order = levels(netlist)
        for gates in order:
            self._level(gates)
        needed = np.zeros(netlist.nets, bool)
        needed[self.literals[netlist.outputs] >> 1] = True
        for gates in reversed(order):
            gates = gates[needed[netlist.first + gates] & self.kept[gates]]
            used = np.arange(MOST_INPUTS) < self.arity[gates, None]
            needed[self.wiring[gates][used]] = True
        self.kept &= needed[netlist.first :]

    def _level(self, gates: np.ndarray) -> None:
        used = np.arange(MOST_INPUTS) < self.netlist.arity[gates, None]
        literals = np.where(used, self.literals[self.netlist.wiring[gates]], 0)
        tables, wiring = self.tables[gates], literals >> 1
        for i in range(MOST_INPUTS):
            tables = np.where(literals[:, i] & 1, _inverted(tables, i), tables)
        tables, wiring, arity = reduced(tables, wiring)
        tables, wiring = _sorted(tables, wiring, arity)
        opposite = (tables & ONE).astype(np.int64)  # every table is 0 at 0, so that opposite gates are equal
        tables = np.where(opposite, ~tables, tables)
        self.tables[gates], self.wiring[gates], self.arity[gates] = tables, wiring, arity
        keys = np.concatenate([wiring, tables.view(np.int64)[:, None]], 1)
        _, first, same = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        nets = np.where(arity > 1, self.netlist.first + gates[first][same.ravel()], np.where(arity, wiring[:, 0], 0))
        self.kept[gates[first]] = arity[first] > 1
        self.literals[self.netlist.first + gates] = 2 * nets + opposite

    def result(self) -> Netlist:
        """The new netlist: a gate that outputs need inverted only is inverted, others get an inverter."""
        netlist, first = self.netlist, self.netlist.first
        wanted = self.literals[netlist.outputs]
        asked = np.zeros((netlist.nets, 2), bool)
        asked[wanted >> 1, wanted & 1] = True
        turned = asked[:, 1] & ~asked[:, 0] & (np.arange(netlist.nets) >= first)
        inverters = np.unique(wanted[(wanted & 1 == 1) & (wanted > 1) & ~turned[wanted >> 1]]) >> 1
        gates = np.flatnonzero(self.kept)
        place = np.arange(netlist.nets)
        place[first + gates] = first + np.arange(len(gates))
        wiring, arity = self.wiring[gates], self.arity[gates]
        tables = np.where(turned[first + gates], ~self.tables[gates], self.tables[gates])
        for i in range(MOST_INPUTS):
            tables = np.where(turned[wiring[:, i]], _inverted(tables, i), tables)
        last = np.zeros((len(inverters), MOST_INPUTS), np.int64)
        last[:, 0] = place[inverters]
        nets = np.where(wanted < 2, wanted, place[wanted >> 1])
        plain = (wanted & 1 == 1) & (wanted > 1) & ~turned[wanted >> 1]
        nets[plain] = first + len(gates) + np.searchsorted(inverters, wanted[plain] >> 1)
        size = ALL >> (np.uint64(64) - (ONE << arity.astype(np.uint64)))
        return Netlist(
            netlist.inputs,
            np.concatenate([place[wiring], last]),
            np.concatenate([tables & size, np.full(len(inverters), NOT, np.uint64)]),
            np.concatenate([arity, np.ones(len(inverters), np.int64)]),
            nets,
            netlist.results,
            netlist.registers,
            netlist.initial,
        )


def _inverted(tables: np.ndarray, place: int) -> np.ndarray:
    """The tables of one input inverted."""
    shift = np.uint64(1 << place)
    return (tables & PLACES[place]) >> shift | (tables & ~PLACES[place]) << shift


def _sorted(tables: np.ndarray, wiring: Nets, arity: np.ndarray) -> tuple[np.ndarray, Nets]:
    """The same gates with their nets in increasing order."""
    for end in range(MOST_INPUTS - 1, 0, -1):
        for i in range(end):
            wrong = (wiring[:, i] > wiring[:, i + 1]) & (i + 1 < arity)
            if wrong.any():
                tables = np.where(wrong, exchanged(tables, i, i + 1), tables)
                wiring[wrong, i : i + 2] = wiring[wrong, i : i + 2][:, ::-1]
    return tables, wiring


def simplified(netlist: Netlist) -> Netlist:
    """The netlist of the same function with no more gates, ports and registers as they were; see the module's text."""
    while True:
        after = _Pass(netlist).result()
        before = len(netlist.tables), int(netlist.arity.sum(dtype=np.int64))
        if (len(after.tables), int(after.arity.sum(dtype=np.int64))) == before:
            return after
        netlist = after


def decomposed(netlist: Netlist, arity: int = 2) -> Netlist:
    """The same function by gates of at most `arity` inputs, 2 to 6; raises `OperationError` for another number."""
    if isinstance(arity, bool) or not isinstance(arity, int) or not 2 <= arity <= MOST_INPUTS:
        raise OperationError(f"gates are cut to 2 to {MOST_INPUTS} inputs; got {arity!r}")
    gates = Gates(netlist.inputs)
    place = np.arange(netlist.nets, dtype=np.int32)
    for level in levels(netlist):
        used = np.arange(MOST_INPUTS) < netlist.arity[level, None]
        wiring = np.where(used, place[netlist.wiring[level]], FALSE).astype(np.int32)
        place[netlist.first + level] = _parts(gates, spread(netlist.tables[level], netlist.arity[level]), wiring, arity)
    return gates.netlist(place[netlist.outputs], netlist.results, netlist.registers, netlist.initial)


def _parts(gates: Gates, tables: np.ndarray, wiring: Nets, arity: int) -> Nets:
    """The nets of tables on six inputs, by gates of at most `arity`."""
    tables, wiring, own = reduced(tables, wiring)
    result = np.zeros(len(tables), np.int32)
    small = own <= arity
    result[small] = gates.table(tables[small], wiring[small])
    large = np.flatnonzero(~small)
    if not large.size:
        return result
    tables, wiring = _easiest_last(tables[large], wiring[large], own[large])
    low, high = cofactors(tables, MOST_INPUTS - 1)
    last, kind = wiring[:, -1], _kind(tables, MOST_INPUTS - 1)
    wiring = _without_last(wiring)
    made = np.zeros(len(large), np.int32)
    for way in range(4):
        here = kind == way
        if not here.any():
            continue
        bit, halves = last[here], [low[here], high[here]]
        if way == _BOTH:
            made[here] = _chosen(gates, bit, halves[0], halves[1], wiring[here], arity)
            continue
        constant, varied = halves if way == _LOW else halves[::-1]
        rest = _parts(gates, halves[0] if way == _XOR else varied, wiring[here], arity)
        made[here] = gates.differ(bit, rest) if way == _XOR else _one_gate(gates, bit, rest, constant, way == _LOW)
    result[large] = made
    return result


_XOR, _LOW, _HIGH, _BOTH = range(4)


def _kind(tables: np.ndarray, place: int) -> np.ndarray:
    """How the input at a place makes the table: of opposite cofactors, a constant one below or above, or neither."""
    low, high = cofactors(tables, place)
    known = [(half == 0) | (half == ALL) for half in (low, high)]
    return np.where(low == ~high, _XOR, np.where(known[0], _LOW, np.where(known[1], _HIGH, _BOTH)))


def _support(tables: np.ndarray) -> np.ndarray:
    """The number of inputs on which each table depends."""
    return np.sum([depends(tables, place) for place in range(MOST_INPUTS)], axis=0)


def _easiest_last(tables: np.ndarray, wiring: Nets, arity: np.ndarray) -> tuple[np.ndarray, Nets]:
    """The gates with the input that makes them most simply in the last of six places."""
    costs = []
    for i in range(MOST_INPUTS):
        left = sum(_support(half) for half in cofactors(tables, i))
        costs.append(np.where(i < arity, np.where(_kind(tables, i) == _BOTH, 100, 0) + left, 1000))
    best = np.argmin(costs, axis=0)
    wiring = np.concatenate([wiring, np.zeros((len(wiring), MOST_INPUTS - wiring.shape[1]), wiring.dtype)], 1)
    for i in range(MOST_INPUTS - 1):
        chosen = best == i
        tables = np.where(chosen, exchanged(tables, i, MOST_INPUTS - 1), tables)
        wiring[np.ix_(chosen, [i, MOST_INPUTS - 1])] = wiring[np.ix_(chosen, [MOST_INPUTS - 1, i])]
    return tables, wiring


def _without_last(wiring: Nets) -> Nets:
    """The wiring with a constant in its last place, on which nothing depends."""
    return np.concatenate([wiring[:, :-1], np.full((len(wiring), 1), FALSE, wiring.dtype)], 1)


def _one_gate(gates: Gates, bit: Nets, rest: Nets, constant: np.ndarray, below: bool) -> Nets:
    """What is constant where the bit is 0 (`below`) or else where it is 1, and `rest` elsewhere: an and, or an or."""
    nothing, everything = (AND, 0b1101) if below else (_NOT_AND, OR)
    return gates.table(np.where(constant == 0, nothing, everything), np.stack([bit, rest], -1))


def _chosen(gates: Gates, bit: Nets, low: np.ndarray, high: np.ndarray, wiring: Nets, arity: int) -> Nets:
    """The table `low` where the bit is 0, `high` where it is 1.

    By a multiplexer (Shannon), or one exclusive or its difference from the other where the bit says so (Davio).
    """
    difference = low ^ high
    costs = [2 ** _support(part) for part in (low, high, difference)]
    ways = [costs[0] + costs[1] + 1, costs[0] + costs[2], costs[1] + costs[2]]
    way = np.argmin(ways, axis=0) if arity == 2 else np.zeros(len(bit), int)
    made = np.zeros(len(bit), np.int32)
    for number, parts in enumerate(((low, high), (low, difference), (high, difference))):
        here = way == number
        if here.any():
            first, second = (_parts(gates, part[here], wiring[here], arity) for part in parts)
            if number:
                made[here] = gates.differ(first, gates.gate(AND if number == 1 else _NOT_AND, bit[here], second))
            else:
                made[here] = _multiplexer(gates, bit[here], first, second, arity)
    return made


def _multiplexer(gates: Gates, bit: Nets, zero: Nets, one: Nets, arity: int) -> Nets:
    if arity > 2:
        return gates.choose(bit, zero, one)
    return gates.either(gates.gate(_NOT_AND, bit, zero), gates.both(bit, one))


def gate_count(netlist: Netlist) -> int:
    """The number of two-input gates that the simplified netlist comes to; an inverter of an output counts as one."""
    return len(simplified(decomposed(simplified(netlist))).tables)
