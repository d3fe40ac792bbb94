"""Kernels for tables that learn: addresses, entries at them, votes, all samples of a wire lying together.

Entries of tables of at most six inputs are packed into one word, so that reading one is a shift; eight inputs give an
address of eight bits. Each function fills its last argument.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

__all__ = [
    "address",
    "at_least",
    "at_least_votes",
    "count_at",
    "pick",
    "rescale",
    "scatter",
    "size_of",
    "votes",
    "write_at",
]

jit = numba.njit(cache=True, nogil=True, boundscheck=False)


@jit
def address(x: Any, wiring: Any, out: Any) -> None:
    """out[m, b] = sum_i x[wiring[m, i], b] 2**i, of bits x (n, B)."""
    gates, arity = wiring.shape
    samples = x.shape[1]
    for m in range(gates):
        if arity >= 2:  # the first pass sets what later ones add to
            one, two = np.intp(wiring[m, 0]), np.intp(wiring[m, 1])
            for b in range(samples):
                out[m, b] = x[one, b] | np.uint8(x[two, b] << np.uint8(1))
        else:
            for b in range(samples):
                out[m, b] = 0
        i = 2 if arity >= 2 else 0
        while i < arity:  # three inputs in one pass over the samples, where there are three
            first, second, third = np.uint8(i), np.uint8(i + 1), np.uint8(i + 2)
            one = np.intp(wiring[m, i])
            if i + 2 < arity:
                two, three = np.intp(wiring[m, i + 1]), np.intp(wiring[m, i + 2])
                for b in range(samples):
                    pair = np.uint8(x[one, b] << first) | np.uint8(x[two, b] << second)
                    out[m, b] |= pair | np.uint8(x[three, b] << third)
                i += 3
            else:
                for b in range(samples):
                    out[m, b] |= np.uint8(x[one, b] << first)
                i += 1


@jit
def _packed(entries: Any, table: int) -> Any:
    word = np.uint64(0)
    for a in range(entries.shape[1]):
        word |= np.uint64(entries[table, a]) << np.uint64(a)
    return word


@jit
def pick(entries: Any, addresses: Any, out: Any) -> None:
    """out[p, w, b] = entries[w, addresses[p, w, b]]."""
    places, tables, samples = addresses.shape
    one = np.uint64(1)
    small = entries.shape[1] <= 64
    words = np.zeros(tables, np.uint64)
    if small:
        for w in range(tables):
            words[w] = _packed(entries, w)
    for p in range(places):
        for w in range(tables):
            if small:
                word = words[w]
                for b in range(samples):
                    out[p, w, b] = (word >> np.uint64(addresses[p, w, b])) & one
            else:
                for b in range(samples):
                    out[p, w, b] = entries[w, addresses[p, w, b]]


@jit
def _add_votes(addresses: Any, v: Any, out: Any) -> None:
    """out[w, a] += v[p, w, b] where addresses[p, w, b] = a."""
    places, tables, samples = addresses.shape
    entries = out.shape[1]
    for p in range(places):
        for w in range(tables):
            if entries <= 8:  # so few that samples met one after another would wait for each other's sums
                for a in range(entries):
                    total = np.int32(0)
                    for b in range(samples):
                        total += v[p, w, b] * np.int32(addresses[p, w, b] == a)
                    out[w, a] += total
            else:
                for b in range(samples):
                    out[w, addresses[p, w, b]] += v[p, w, b]


@jit
def write_at(addresses: Any, v: Any, out: Any) -> None:
    """out[w, a] = sum of v[p, w, b] where addresses[p, w, b] = a."""
    out[:] = 0
    _add_votes(addresses, v, out)


@jit
def count_at(counters: Any, addresses: Any, v: Any, limit: Any, out: Any) -> None:
    """out = counters plus the votes at the addresses, cut to +-limit."""
    out[:] = counters
    _add_votes(addresses, v, out)
    for w in range(len(out)):
        for a in range(out.shape[1]):
            out[w, a] = min(max(out[w, a], -limit), limit)


HALVES = np.array(
    [
        0x5555555555555555,
        0x3333333333333333,
        0x0F0F0F0F0F0F0F0F,
        0x00FF00FF00FF00FF,
        0x0000FFFF0000FFFF,
        0x00000000FFFFFFFF,
    ],
    np.uint64,
)
"""The entries of a table of six inputs at which input i is 0."""


@jit
def votes(entries: Any, addresses: Any, v: Any, wiring: Any, out: Any) -> None:
    """out[wiring[p, w, i], b] += (entry with bit i set - entry with it clear) v[p, w, b]; out (n, B) starts at 0.

    Of a table of at most six inputs two words hold the addresses at which input i makes it rise and fall.
    """
    places, tables, samples = addresses.shape
    arity = wiring.shape[2]
    out[:] = 0
    one = np.uint64(1)
    small = entries.shape[1] <= 64
    rises, falls = np.zeros((tables, arity), np.uint64), np.zeros((tables, arity), np.uint64)
    if small:
        for w in range(tables):
            word = _packed(entries, w)
            for i in range(arity):
                step = np.uint64(1 << i)
                low, high = word & HALVES[i], (word >> step) & HALVES[i]
                rise, fall = high & ~low, low & ~high
                rises[w, i], falls[w, i] = rise | (rise << step), fall | (fall << step)
    for p in range(places):
        for w in range(tables):
            if arity == 2:  # each input has a slope for either value of the other
                first, second = np.intp(wiring[p, w, 0]), np.intp(wiring[p, w, 1])
                t0, t1 = np.int32(entries[w, 0]), np.int32(entries[w, 1])
                t2, t3 = np.int32(entries[w, 2]), np.int32(entries[w, 3])
                slope, tilt = np.int32(t1 - t0), np.int32(t3 - t2 - t1 + t0)
                across = np.int32(t2 - t0)
                if slope | tilt:
                    for b in range(samples):
                        bit = np.int32(addresses[p, w, b] >> np.uint8(1))
                        out[first, b] += v[p, w, b] * np.int32(slope + tilt * bit)
                if across | tilt:
                    for b in range(samples):
                        bit = np.int32(addresses[p, w, b] & np.uint8(1))
                        out[second, b] += v[p, w, b] * np.int32(across + tilt * bit)
                continue
            for i in range(arity):
                wire = np.intp(wiring[p, w, i])
                if small:
                    rise, fall = rises[w, i], falls[w, i]
                    if rise | fall == 0:
                        continue
                    for b in range(samples):
                        a = np.uint64(addresses[p, w, b])
                        out[wire, b] += (np.int32((rise >> a) & one) - np.int32((fall >> a) & one)) * v[p, w, b]
                else:
                    flag = 1 << i
                    for b in range(samples):
                        place = np.intp(addresses[p, w, b])
                        difference = np.int32(entries[w, place | flag]) - np.int32(entries[w, place & ~flag])
                        out[wire, b] += difference * v[p, w, b]


@jit
def at_least(x: Any, wiring: Any, threshold: int, out: Any) -> None:
    """out[m, b] = [at least `threshold` of x[wiring[m, :], b] are 1]."""
    gates, arity = wiring.shape
    samples = x.shape[1]
    count = np.zeros(samples, np.int32)
    for m in range(gates):
        if threshold == 1:
            for b in range(samples):
                out[m, b] = 0
            for i in range(arity):
                wire = np.intp(wiring[m, i])
                for b in range(samples):
                    out[m, b] |= x[wire, b]
            continue
        count[:] = 0
        for i in range(arity):
            wire = np.intp(wiring[m, i])
            for b in range(samples):
                count[b] += x[wire, b]
        for b in range(samples):
            out[m, b] = count[b] >= threshold


@jit
def at_least_votes(x: Any, v: Any, wiring: Any, threshold: int, out: Any) -> None:
    """out[wiring[m, i], b] += v[m, b] where the others of gate m sum to threshold - 1; out starts at 0."""
    gates, arity = wiring.shape
    samples = x.shape[1]
    count = np.zeros(samples, np.int32)
    out[:] = 0
    for m in range(gates):
        count[:] = 1 - threshold
        for i in range(arity):
            wire = np.intp(wiring[m, i])
            for b in range(samples):
                count[b] += x[wire, b]
        for i in range(arity):
            wire = np.intp(wiring[m, i])
            for b in range(samples):
                out[wire, b] += v[m, b] * np.int32(count[b] == x[wire, b])


@jit
def scatter(rows: Any, index: Any, out: Any) -> None:
    """out[index[m]] += rows[m]; out starts at 0."""
    out[:] = 0
    for m in range(len(index)):
        place = np.intp(index[m])
        for b in range(rows.shape[1]):
            out[place, b] += rows[m, b]


@jit
def size_of(v: Any, most: int, coarse: int) -> Any:
    """The sum of |v| cut to `most`, each divided by `coarse`."""
    total = np.int64(0)
    for m in range(v.shape[0]):
        for b in range(v.shape[1]):
            size: Any = min(abs(np.int64(v[m, b])), most)
            total += size // coarse
    return total


@jit
def _hashed(x: Any) -> Any:
    x = np.uint32((x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D))
    x = np.uint32((x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B))
    return np.uint32(x ^ (x >> np.uint32(16)))


@jit
def rescale(v: Any, most: int, up: int, down: int, seed: Any, bits: int, out: Any) -> None:
    """out = v cut to +-most, times 2**up / 2**down rounded by a hash of the place in row-major order, cut again."""
    wires, samples = v.shape
    mask = np.int32((1 << down) - 1)
    for m in range(wires):
        for b in range(samples):
            kept = np.int32(min(max(v[m, b], -most), most))
            if down > 0:
                mixed = np.uint32(_hashed(np.uint32(b * wires + m)) ^ seed)
                drawn = np.int32(_hashed(mixed) >> np.uint32(32 - bits)) & mask
                kept = np.int32(np.int32(kept + drawn) >> np.int32(down))
            out[m, b] = min(max(np.int32(kept << np.int32(up)), -most), most)
