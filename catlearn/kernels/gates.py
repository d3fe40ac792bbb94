"""The numba kernels of the packed engine: gates evaluated on vectors of `LANES` words of 64 samples.

The nets of a block of samples are the rows of one array of words, aligned to the cache's lines. Gates come sorted, in
segments of one kind: kinds 0 to 15 are the tables of two inputs, kinds 16 to 19 those of three to six. The loop of each
kind is written as vector instructions, since numba does not vectorise a few words that are loaded, combined and stored.
Circuits are arguments, so a new one compiles nothing.

A table of more inputs is read by Shannon's expansion: all functions of its first one or two inputs are laid out, the
table's bits choose among them, and a tree of multiplexers over the other inputs chooses among what was chosen. Class
counts are sums of bits by full adders over words, 15 words at a time, added to a counter whose bits are words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

__all__ = ["ADDED", "LANES", "count_rows", "evaluate", "evaluate_rows", "evaluate_words"]

LANES = 8
"""How many words of 64 samples a block has: one line of the cache."""
ADDED = 15
"""How many words are summed before they are added to a counter."""
_BLOCK = 64 * LANES
_WORD = ir.IntType(64)
_TILE = 4096
_VECTOR = ir.VectorType(_WORD, LANES)
_NOTHING = types.void


def _array(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.make_array(kind)(context, builder, value)


def _index(number: int) -> Any:
    return ir.Constant(_WORD, number)


def _row(builder: Any, state: Any, net: Any) -> Any:
    """The address of the vector of a net."""
    return builder.bitcast(builder.gep(state, [builder.shl(net, _index(3))]), _VECTOR.as_pointer())


def _load(builder: Any, address: Any) -> Any:
    return builder.load(address, align=8)


@contextmanager
def _loop(builder: Any, start: Any, stop: Any) -> Iterator[Any]:
    """A loop whose counter goes from start to stop, of unsigned words; what is built inside is its body."""
    before = builder.block
    head, body, after = (builder.append_basic_block(name) for name in ("head", "body", "after"))
    builder.branch(head)
    builder.position_at_end(head)
    counter = builder.phi(_WORD)
    counter.add_incoming(start, before)
    builder.cbranch(builder.icmp_unsigned("<", counter, stop), body, after)
    builder.position_at_end(body)
    yield counter
    counter.add_incoming(builder.add(counter, _index(1)), builder.block)
    builder.branch(head)
    builder.position_at_end(after)


def _function(builder: Any, table: int, x: Any, y: Any) -> Any:
    """The function of two vectors whose table has these four bits, x being the lower bit of the address."""
    if table in (0, 15):
        return ir.Constant(_VECTOR, [-(table & 1)] * LANES)
    if table & 1:
        return builder.not_(_function(builder, 15 - table, x, y))
    return {
        0b0010: lambda: builder.and_(x, builder.not_(y)),
        0b0100: lambda: builder.and_(y, builder.not_(x)),
        0b0110: lambda: builder.xor(x, y),
        0b1000: lambda: builder.and_(x, y),
        0b1010: lambda: x,
        0b1100: lambda: y,
        0b1110: lambda: builder.or_(x, y),
    }[table]()


def _multiplexed(builder: Any, leaves: Sequence[Any], choices: Sequence[Any]) -> Any:
    """The leaf that the choices say, the first choice being between neighbours."""
    for choice in choices:
        other = builder.not_(choice)
        pairs = zip(leaves[::2], leaves[1::2], strict=True)
        leaves = [builder.or_(builder.and_(high, choice), builder.and_(low, other)) for low, high in pairs]
    return leaves[0]


def _looked_up(builder: Any, table: Any, layout: Any, *inputs: Any) -> Any:
    """The table's output for three to six vectors; `layout` has room for sixteen vectors."""
    low = 1 if len(inputs) < 5 else 2
    tables = [0b0000, 0b0101, 0b1010, 0b1111] if low == 1 else range(16)
    for number, function in enumerate(tables):
        place = builder.gep(layout, [_index(number)])
        builder.store(_function(builder, function, inputs[0], inputs[1]), place)
    leaves = []
    for entry in range(0, 1 << len(inputs), 1 << low):
        chosen = builder.and_(builder.lshr(table, _index(entry)), _index(len(tables) - 1))
        leaves.append(builder.load(builder.gep(layout, [chosen])))
    return _multiplexed(builder, leaves, inputs[low:])


def _segment_code(typing: Any, state: Any, code: Any, tables: Any, kind: Any, start: Any, stop: Any) -> Any:
    """Evaluate gates start to stop of one kind: row g of `code` is the nets that gate g reads, then that it drives."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        words, nets, entries = (_array(context, builder, signature.args[k], arguments[k]) for k in range(3))
        columns = builder.extract_value(nets.shape, 1)
        with builder.goto_entry_block():
            layout = builder.alloca(_VECTOR, size=16)
        done = builder.append_basic_block("done")
        choice = builder.switch(arguments[3], done)

        def gate(number: Any, arity: int, output: Callable[..., Any]) -> None:
            first = builder.mul(number, columns)
            places = [builder.add(first, _index(k)) for k in range(arity)]
            places.append(builder.add(first, builder.sub(columns, _index(1))))
            rows = [builder.zext(builder.load(builder.gep(nets.data, [place])), _WORD) for place in places]
            *inputs, target = (_row(builder, words.data, row) for row in rows)
            builder.store(output(*(_load(builder, source) for source in inputs)), target, align=8)

        for which in range(20):
            block = builder.append_basic_block(f"kind{which}")
            choice.add_case(ir.Constant(_WORD, which), block)
            builder.position_at_end(block)
            with _loop(builder, arguments[4], arguments[5]) as number:
                if which < 16:
                    gate(number, 2, partial(_function, builder, which))
                else:
                    table = builder.load(builder.gep(entries.data, [number]))
                    gate(number, which - 13, partial(_looked_up, builder, table, layout))
            builder.branch(done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    word = types.uint64
    return _NOTHING(state, code, tables, word, word, word), generate


_segment: Any = intrinsic(_segment_code)


def _digits(builder: Any, words: Sequence[Any]) -> list[Any]:
    """The binary digits of the sum of 2**n - 1 bits, each in a vector."""
    digits, column = [], list(words)
    while column:
        carries = []
        while len(column) > 1:
            a, b, c, *column = column
            total = builder.xor(a, b)
            carries.append(builder.or_(builder.and_(a, b), builder.and_(total, c)))
            column.append(builder.xor(total, c))
        digits.append(column[0])
        column = carries
    return digits


def _tally_code(typing: Any, state: Any, places: Any, start: Any, stop: Any, counter: Any, planes: Any) -> Any:
    """Sum the nets `places` of the rows start to stop into `planes` rows of the state from row `counter` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        words, nets = (_array(context, builder, signature.args[k], arguments[k]).data for k in range(2))
        zero = ir.Constant(_VECTOR, [0] * LANES)
        first, last = arguments[4], builder.add(arguments[4], arguments[5])
        with builder.goto_entry_block():
            held = builder.alloca(_VECTOR)
        with _loop(builder, first, last) as plane:
            builder.store(zero, _row(builder, words, plane), align=8)
        with _loop(builder, arguments[2], arguments[3]) as number:
            begin = builder.mul(number, _index(ADDED))
            rows = [builder.load(builder.gep(nets, [builder.add(begin, _index(k))])) for k in range(ADDED)]
            sums = _digits(builder, [_load(builder, _row(builder, words, builder.zext(row, _WORD))) for row in rows])
            carry = zero
            for place, digit in enumerate(sums):
                address = _row(builder, words, builder.add(first, _index(place)))
                old = _load(builder, address)
                total = builder.xor(old, digit)
                builder.store(builder.xor(total, carry), address, align=8)
                carry = builder.or_(builder.and_(old, digit), builder.and_(total, carry))
            builder.store(carry, held)
            with _loop(builder, builder.add(first, _index(len(sums))), last) as plane:
                address, carry = _row(builder, words, plane), builder.load(held)
                old = _load(builder, address)
                builder.store(builder.xor(old, carry), address, align=8)
                builder.store(builder.and_(old, carry), held)
        return context.get_dummy_value()

    word = types.uint64
    return _NOTHING(state, places, word, word, word, word), generate


_tally: Any = intrinsic(_tally_code)


@njit(cache=True, nogil=True)
def evaluate(state: Any, code: Any, tables: Any, segments: Any) -> None:
    """Evaluate a circuit on one block: the rows of `state` are the vectors of the nets, inputs and constants given."""
    for kind, start, stop in segments:
        _segment(state, code, tables, kind, start, stop)


@njit(cache=True, nogil=True)
def _pack(rows: Any, begin: int, state: Any, inputs: Any, planes: Any) -> None:
    """Pack the rows from `begin` on, at most a block of them: bit s of an input's words is that of row begin + s."""
    count = rows.shape[1]
    for lane in range(LANES):
        for group in range(8):
            at = begin + lane * 64 + group * 8
            plane = planes[group]
            if at + 8 <= len(rows):
                a, b, c, d = rows[at], rows[at + 1], rows[at + 2], rows[at + 3]
                e, f, g, h = rows[at + 4], rows[at + 5], rows[at + 6], rows[at + 7]
                for k in range(count):
                    low = a[k] | b[k] << 1 | c[k] << 2 | d[k] << 3
                    plane[k] = low | e[k] << 4 | f[k] << 5 | g[k] << 6 | h[k] << 7
            else:
                plane[:] = 0
                for place in range(max(len(rows) - at, 0)):
                    row = rows[at + place]
                    for k in range(count):
                        plane[k] |= row[k] << place
        for k in range(count):
            word = np.uint64(0)
            for group in range(8):
                word |= np.uint64(planes[group, k]) << np.uint64(8 * group)
            state[inputs[k] * LANES + lane] = word


@njit(cache=True, nogil=True)
def _byte(words: Any, shift: Any, plane: Any) -> None:
    for k in range(len(plane)):
        plane[k] = words[k] >> shift


@njit(cache=True, nogil=True)
def _bit(plane: Any, mask: Any, row: Any) -> None:
    for k in range(len(row)):
        row[k] = (plane[k] & mask) != 0


@njit(cache=True, nogil=True)
def _unpack(state: Any, outputs: Any, rows: Any, begin: int, words: Any, plane: Any) -> None:
    """The reverse of packing: rows from `begin` on, of the nets `outputs`, so many at a time as stay in the cache."""
    for tile in range(0, len(outputs), len(plane)):
        size = min(len(plane), len(outputs) - tile)
        for lane in range(min(LANES, (len(rows) - begin + 63) // 64)):
            for k in range(size):
                words[k] = state[outputs[tile + k] * LANES + lane]
            for at in range(begin + lane * 64, min(begin + lane * 64 + 64, len(rows)), 8):
                _byte(words, np.uint64((at - begin) % 64), plane[:size])
                for place in range(min(8, len(rows) - at)):
                    _bit(plane, np.uint8(1 << place), rows[at + place, tile : tile + size])


@njit(cache=True, nogil=True)
def _spread(state: Any, counter: int, planes: int, counts: Any, begin: int, column: int, totals: Any) -> None:
    """The numbers whose binary digits are the rows of the state from `counter` on, one a sample."""
    for lane in range(min(LANES, (len(counts) - begin + 63) // 64)):
        totals[:] = 0
        for plane in range(planes):
            word = state[(counter + plane) * LANES + lane]
            for k in range(64):
                totals[k] += np.int32((word >> np.uint64(k)) & np.uint64(1)) << plane
        at = begin + lane * 64
        for k in range(min(64, len(counts) - at)):
            counts[at + k, column] = totals[k]


@njit(cache=True, nogil=True)
def evaluate_rows(
    rows: Any,
    out: Any,
    start: int,
    stop: int,
    state: Any,
    code: Any,
    tables: Any,
    segments: Any,
    inputs: Any,
    outputs: Any,
) -> None:
    """Evaluate the blocks start to stop: rows (samples, bits in) to out (samples, bits out), both uint8."""
    planes = np.empty((8, rows.shape[1]), np.uint8)
    words, plane = np.empty(_TILE, np.uint64), np.empty(_TILE, np.uint8)
    for block in range(start, stop):
        _pack(rows, block * _BLOCK, state, inputs, planes)
        evaluate(state, code, tables, segments)
        _unpack(state, outputs, out, block * _BLOCK, words, plane)


@njit(cache=True, nogil=True)
def evaluate_words(
    words: Any,
    out: Any,
    start: int,
    stop: int,
    state: Any,
    code: Any,
    tables: Any,
    segments: Any,
    inputs: Any,
    outputs: Any,
) -> None:
    """Evaluate the blocks start to stop: words (bits in, words of samples) to out (bits out, words), both uint64."""
    for block in range(start, stop):
        begin, end = block * LANES, min(block * LANES + LANES, words.shape[1])
        for k in range(len(inputs)):
            for lane in range(begin, end):
                state[inputs[k] * LANES + lane - begin] = words[k, lane]
        evaluate(state, code, tables, segments)
        for k in range(len(outputs)):
            for lane in range(begin, end):
                out[k, lane] = state[outputs[k] * LANES + lane - begin]


@njit(cache=True, nogil=True)
def count_rows(
    rows: Any,
    counts: Any,
    start: int,
    stop: int,
    state: Any,
    code: Any,
    tables: Any,
    segments: Any,
    inputs: Any,
    places: Any,
    groups: Any,
    counter: int,
) -> None:
    """Evaluate the blocks start to stop: rows (samples, bits in) to counts (samples, groups) int32.

    Group k counts the nets of the rows groups[k] to groups[k + 1] of `places`, by a counter of the state's rows from
    `counter` on.
    """
    planes = np.empty((8, rows.shape[1]), np.uint8)
    totals = np.empty(64, np.int32)
    digits = len(state) // LANES - counter
    for block in range(start, stop):
        _pack(rows, block * _BLOCK, state, inputs, planes)
        evaluate(state, code, tables, segments)
        for group in range(counts.shape[1]):
            _tally(state, places, groups[group], groups[group + 1], counter, digits)
            _spread(state, counter, digits, counts, block * _BLOCK, group, totals)
