"""Kernels for tables that learn: addresses, entries at them, votes; arrays are wire-major, all samples of a wire together.

Entries of tables of at most six inputs are packed into one word, so that reading one is a shift; eight inputs give an
address of eight bits. Each function fills its last argument.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

__all__ = ["address", "at_least", "at_least_votes", "count_at", "pick", "scatter", "votes", "write_at"]

jit = numba.njit(cache=True, nogil=True, boundscheck=False)


@jit
def address(x: Any, wiring: Any, out: Any) -> None:
    """out[m, b] = sum_i x[wiring[m, i], b] 2**i, of bits x (n, B)."""
    gates, arity = wiring.shape
    samples = x.shape[1]
    for m in range(gates):
        if arity == 0:
            out[m] = 0
            continue
        first = x[wiring[m, 0]]
        row = out[m]
        for b in range(samples):
            row[b] = first[b]
        for i in range(1, arity):
            bit = x[wiring[m, i]]
            shift = np.uint8(i)
            for b in range(samples):
                row[b] |= bit[b] << shift


@jit
def _packed(entries: Any) -> Any:
    word = np.uint64(0)
    for a in range(len(entries)):
        word |= np.uint64(entries[a]) << np.uint64(a)
    return word


@jit
def pick(entries: Any, addresses: Any, out: Any) -> None:
    """out[p, w, b] = entries[w, addresses[p, w, b]]."""
    places, tables, samples = addresses.shape
    one = np.uint64(1)
    if entries.shape[1] <= 64:
        for w in range(tables):
            word = _packed(entries[w])
            for p in range(places):
                here, row = addresses[p, w], out[p, w]
                for b in range(samples):
                    row[b] = (word >> np.uint64(here[b])) & one
    else:
        for w in range(tables):
            table = entries[w]
            for p in range(places):
                here, row = addresses[p, w], out[p, w]
                for b in range(samples):
                    row[b] = table[here[b]]


@jit
def write_at(addresses: Any, v: Any, out: Any) -> None:
    """out[w, a] = sum of v[p, w, b] where addresses[p, w, b] = a."""
    places, tables, samples = addresses.shape
    for w in range(tables):
        total = out[w]
        total[:] = 0
        for p in range(places):
            here, vote = addresses[p, w], v[p, w]
            for b in range(samples):
                total[here[b]] += vote[b]


@jit
def count_at(counters: Any, addresses: Any, v: Any, limit: Any, out: Any) -> None:
    """out = counters plus the votes at the addresses, cut to +-limit."""
    places, tables, samples = addresses.shape
    entries = out.shape[1]
    for w in range(tables):
        total, before = out[w], counters[w]
        for a in range(entries):
            total[a] = before[a]
        for p in range(places):
            here, vote = addresses[p, w], v[p, w]
            for b in range(samples):
                total[here[b]] += vote[b]
        for a in range(entries):
            total[a] = min(max(total[a], -limit), limit)


@jit
def votes(entries: Any, addresses: Any, v: Any, wiring: Any, out: Any) -> None:
    """out[wiring[p, w, i], b] += (entry with bit i set - entry with it clear) v[p, w, b]; out (n, B) starts at 0."""
    places, tables, samples = addresses.shape
    arity = wiring.shape[2]
    out[:] = 0
    one = np.uint64(1)
    if entries.shape[1] <= 64:
        for w in range(tables):
            word = _packed(entries[w])
            for i in range(arity):
                bit = np.uint64(1 << i)
                mask = ~bit
                for p in range(places):
                    here, vote, total = addresses[p, w], v[p, w], out[wiring[p, w, i]]
                    for b in range(samples):
                        a = np.uint64(here[b])
                        slope = np.int32((word >> (a | bit)) & one) - np.int32((word >> (a & mask)) & one)
                        total[b] += slope * vote[b]
    else:
        for w in range(tables):
            table = entries[w]
            for i in range(arity):
                bit = 1 << i
                for p in range(places):
                    here, vote, total = addresses[p, w], v[p, w], out[wiring[p, w, i]]
                    for b in range(samples):
                        a = np.int64(here[b])
                        total[b] += (np.int32(table[a | bit]) - np.int32(table[a & ~bit])) * vote[b]


@jit
def at_least(x: Any, wiring: Any, threshold: int, out: Any) -> None:
    """out[m, b] = [at least `threshold` of x[wiring[m, :], b] are 1]."""
    gates, arity = wiring.shape
    samples = x.shape[1]
    count = np.zeros(samples, np.int32)
    for m in range(gates):
        row = out[m]
        if threshold == 1:
            row[:] = x[wiring[m, 0]]
            for i in range(1, arity):
                bit = x[wiring[m, i]]
                for b in range(samples):
                    row[b] |= bit[b]
            continue
        count[:] = 0
        for i in range(arity):
            bit = x[wiring[m, i]]
            for b in range(samples):
                count[b] += bit[b]
        for b in range(samples):
            row[b] = count[b] >= threshold


@jit
def at_least_votes(x: Any, v: Any, wiring: Any, threshold: int, out: Any) -> None:
    """out[wiring[m, i], b] += v[m, b] where the others of gate m sum to threshold - 1; out starts at 0."""
    gates, arity = wiring.shape
    samples = x.shape[1]
    count = np.zeros(samples, np.int32)
    out[:] = 0
    for m in range(gates):
        vote = v[m]
        count[:] = 1 - threshold
        for i in range(arity):
            bit = x[wiring[m, i]]
            for b in range(samples):
                count[b] += bit[b]
        for i in range(arity):
            bit, total = x[wiring[m, i]], out[wiring[m, i]]
            for b in range(samples):
                total[b] += vote[b] * (count[b] == bit[b])


@jit
def scatter(rows: Any, index: Any, out: Any) -> None:
    """out[index[m]] += rows[m]; out starts at 0."""
    out[:] = 0
    for m in range(len(index)):
        total, row = out[index[m]], rows[m]
        for b in range(len(row)):
            total[b] += row[b]
