"""Netlists run fast: 64 samples to a word, gates sorted by level and kind, the circuit kept as arrays.

Bit s of word w of a net is its value on sample 64 w + s. A gate of level l reads nets of lower levels only, so the
gates of a level go in any order, and they are sorted by kind: the loop over gates of one kind has no branch. Gates that
no output needs are dropped. All of this is sorting and indexing of arrays; a new circuit compiles nothing under numba,
and under JAX only where its shape is new.

>>> from catlearn.netlist import Netlist, Port
>>> majority = Netlist((Port("x", 3),), [[2, 3, 4]], [0b11101000], [3], [5], (Port("y", 1),))
>>> Packed(majority, "jax")([[0, 1, 1], [0, 0, 1]]).tolist()
[[1], [0]]

Source: the tables of BIT.lut and the group sums of BIT.vote.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from catlearn.errors import InputError, UnknownNameError, missing_extra, nearest
from catlearn.netlist import MOST_INPUTS, TRUE, Netlist

__all__ = ["Packed", "Schedule", "aligned"]

WORD = 64


@dataclass(frozen=True)
class Schedule:
    """The needed gates of a netlist by level, those of a level by kind, under the netlist's numbers of the nets.

    `gates` are their numbers; `levels` ascends from 1; kinds 0 to 15 are the tables of at most two inputs, kind
    13 + k is k inputs, for k from 3 to 6. `read` (gates, inputs) has at least two columns; what is not read is net 0.
    """

    first: int
    gates: np.ndarray
    levels: np.ndarray
    kinds: np.ndarray
    read: np.ndarray
    tables: np.ndarray
    outputs: np.ndarray

    @classmethod
    def of(cls, netlist: Netlist) -> Schedule:
        """The schedule of a netlist."""
        width = max(2, int(netlist.arity.max(initial=0)))
        read = np.where(np.arange(width) < netlist.arity[:, None], netlist.wiring[:, :width], 0)
        levels = _levels(read, netlist.first)
        order = np.argsort(levels, kind="stable")
        needed = _needed(read, order, levels, netlist)
        tables, kinds = _kinds(netlist)
        kept = order[needed[order]]
        kept = kept[np.lexsort((kinds[kept], levels[kept]))]
        return cls(netlist.first, kept, levels[kept], kinds[kept], read[kept], tables[kept], netlist.outputs)

    @property
    def bounds(self) -> np.ndarray:
        """Where each level starts, and the end."""
        changes = np.flatnonzero(np.diff(self.levels)) + 1
        return np.concatenate([np.zeros(1, np.int64), changes, np.full(min(len(self.gates), 1), len(self.gates))])


def _levels(read: np.ndarray, first: int) -> np.ndarray:
    """The level of each gate: one more than the highest that it reads, inputs and constants being of level 0."""
    edges = np.flatnonzero(read.ravel() >= first)
    source, target = read.ravel()[edges] - first, edges // read.shape[1]
    order = np.argsort(source, kind="stable")
    readers = target[order]
    begins = np.searchsorted(source[order], np.arange(len(read) + 1))
    waiting = np.bincount(target, minlength=len(read))
    levels, level = np.ones(len(read), np.int64), 1
    ready = np.flatnonzero(waiting == 0)
    while ready.size:
        levels[ready] = level
        lengths = begins[ready + 1] - begins[ready]
        ends = np.cumsum(lengths)
        reading = readers[np.arange(ends[-1]) + np.repeat(begins[ready] - ends + lengths, lengths)]
        np.subtract.at(waiting, reading, 1)
        ready = np.unique(reading[waiting[reading] == 0])
        level += 1
    return levels


def _needed(read: np.ndarray, order: np.ndarray, levels: np.ndarray, netlist: Netlist) -> np.ndarray:
    """Which gates an output depends on, given the gates in the order of their levels."""
    needed = np.zeros(netlist.nets, bool)
    needed[netlist.outputs] = True
    cuts = np.flatnonzero(np.diff(levels[order])) + 1
    for gates in reversed(np.split(order, cuts)):
        needed[read[gates[needed[netlist.first + gates]]]] = True
    return needed[netlist.first :]


def _kinds(netlist: Netlist) -> tuple[np.ndarray, np.ndarray]:
    """The tables, those of at most two inputs as tables of two, and the kinds."""
    tables, arity = netlist.tables, netlist.arity
    low, high = tables & np.uint64(1), tables >> np.uint64(1) & np.uint64(1)
    small = [low * np.uint64(15), low * np.uint64(5) | high * np.uint64(10), tables & np.uint64(15)]
    tables = np.select([arity == k for k in range(3)], small, tables)
    return tables, np.where(arity < 3, tables, arity + np.uint64(13)).astype(np.int64)


class Engine(Protocol):
    """What evaluates a schedule on checked arrays; see `Packed` for the shapes."""

    def rows(self, rows: np.ndarray) -> np.ndarray: ...

    def words(self, words: np.ndarray) -> np.ndarray: ...

    def counts(self, rows: np.ndarray, places: np.ndarray, bounds: np.ndarray) -> np.ndarray: ...


class Packed:
    """A netlist made ready to be evaluated on many samples; one step of it, where it has registers.

    `engine` is "numba" or "jax", or None for numba where it is installed, else JAX. `threads` share the samples, for
    numba; JAX has threads of its own.

    Raises `UnknownNameError` for another engine, `MissingExtraError` for numba where it is not installed, and
    `InputError` for a number of threads that is not positive.
    """

    def __init__(self, netlist: Netlist, engine: str | None = None, threads: int = 1) -> None:
        if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
            raise InputError(f"a circuit runs on a positive number of threads; got {threads!r}")
        if engine is not None and engine not in ENGINES:
            raise UnknownNameError(f"no engine is called {engine!r}; {nearest(str(engine), ENGINES)}")
        self.netlist = netlist
        self.engine = engine or ("numba" if find_spec("numba") else "jax")
        self.runner = ENGINES[self.engine](Schedule.of(netlist), threads)
        self._groups: tuple[bytes, Any] = (b"", None)

    def __call__(self, rows: Sequence[Any] | np.ndarray) -> np.ndarray:
        """The output bits (samples, bits out) uint8 of rows (samples, bits in) of bits.

        Raises `InputError` for rows of another width, or values that are no bits.
        """
        return self.runner.rows(self._bits(rows))

    def words(self, words: np.ndarray) -> np.ndarray:
        """The output words (bits out, words) uint64 of words (bits in, words) uint64, 64 samples a word.

        Raises `InputError` for words of another shape or dtype.
        """
        if not isinstance(words, np.ndarray) or words.dtype != np.uint64 or words.ndim != 2:
            raise InputError(f"words are a two-dimensional uint64 array; got {_described(words)}")
        if len(words) != self.netlist.input_bits:
            raise InputError(f"the netlist takes words of {self.netlist.input_bits} bits; got {_described(words)}")
        return self.runner.words(words)

    def counts(self, rows: Sequence[Any] | np.ndarray, groups: int | Sequence[int] | np.ndarray) -> np.ndarray:
        """How many outputs of each group are 1, (samples, groups) int32.

        `groups` is a number of groups of equally many outputs one after another, or the group of each output, from 0;
        an output of group -1 is not counted.

        Raises `InputError` for groups that do not fit the outputs, and as a call does.
        """
        given = self._bits(rows)
        labels = self._labels(groups)
        key = labels.tobytes()
        if self._groups[1] is None or key != self._groups[0]:
            order = np.argsort(labels, kind="stable")
            bounds = np.searchsorted(labels[order], np.arange(labels.max(initial=-1) + 2))
            self._groups = key, (order[bounds[0] :], bounds - bounds[0])
        return self.runner.counts(given, *self._groups[1])

    def _bits(self, rows: Sequence[Any] | np.ndarray) -> np.ndarray:
        given, width = np.asarray(rows), self.netlist.input_bits
        if given.ndim != 2 or given.shape[1] != width:
            raise InputError(f"the netlist takes rows of {width} bits; got shape {given.shape}")
        if given.dtype == bool:
            return np.ascontiguousarray(given).view(np.uint8)
        largest = given.max(initial=0) if given.dtype == np.uint8 else 2
        if largest > 1 and given.size and not ((given == 0) | (given == 1)).all():
            raise InputError("the netlist takes bits, 0 or 1")
        return np.ascontiguousarray(given, np.uint8)

    def _labels(self, groups: int | Sequence[int] | np.ndarray) -> np.ndarray:
        size = self.netlist.outputs.size
        labels = np.asarray(groups)
        if labels.dtype == bool or (labels.size and not np.issubdtype(labels.dtype, np.integer)):
            raise InputError(f"groups are integers; got {_described(labels)}")
        if labels.ndim == 0:
            if labels < 1 or size % labels:
                raise InputError(f"{size} outputs are not {labels} groups of equally many")
            return np.repeat(np.arange(int(labels)), size // int(labels))
        if labels.shape != (size,):
            raise InputError(f"{size} outputs need as many groups; got {_described(labels)}")
        if size and labels.min() < -1:
            raise InputError(f"groups are counted from 0, and -1 is none; got {labels.min()}")
        return labels.astype(np.int64)


def _described(value: Any) -> str:
    return f"shape {value.shape}, {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__


class _Numba:
    """A schedule for the numba kernels; nets whose last reader is done give their room to later ones."""

    def __init__(self, schedule: Schedule, threads: int) -> None:
        try:
            from catlearn.kernels import gates
        except ImportError as error:
            raise missing_extra("numba", "circuits", "the engine 'numba'") from error
        self.kernels, self.threads = gates, threads
        slots, self.size = _slots(schedule)
        driven = slots[schedule.first + schedule.gates]
        code = np.column_stack([slots[schedule.read], driven]).astype(np.uint32)
        self.inputs, self.outputs = slots[2 : schedule.first], slots[schedule.outputs]
        self.program = np.ascontiguousarray(code), schedule.tables, _segments(schedule)
        self.idle: dict[int, list[np.ndarray]] = {}

    def rows(self, rows: np.ndarray) -> np.ndarray:
        out = np.empty((len(rows), self.outputs.size), np.uint8)
        self._share(self.kernels.evaluate_rows, len(rows), 0, rows, out, self.outputs)
        return out

    def words(self, words: np.ndarray) -> np.ndarray:
        out = np.empty((self.outputs.size, words.shape[1]), np.uint64)
        given = np.ascontiguousarray(words)
        self._share(self.kernels.evaluate_words, words.shape[1] * WORD, 0, given, out, self.outputs)
        return out

    def counts(self, rows: np.ndarray, places: np.ndarray, bounds: np.ndarray) -> np.ndarray:
        counts = np.zeros((len(rows), len(bounds) - 1), np.int32)
        lengths = np.diff(bounds)
        added = self.kernels.ADDED
        ends = np.concatenate([[0], np.cumsum(-(-lengths // added))])
        padded = np.zeros(ends[-1] * added, np.uint32)  # net 0 is 0, so it may be counted
        padded[np.arange(len(places)) + np.repeat(ends[:-1] * added - bounds[:-1], lengths)] = self.outputs[places]
        digits = max(4, int(lengths.max(initial=0)).bit_length())
        arguments = padded, ends.astype(np.uint64), self.size
        self._share(self.kernels.count_rows, len(rows), digits, rows, counts, *arguments)
        return counts

    def _share(
        self, kernel: Callable[..., None], samples: int, extra: int, given: np.ndarray, out: np.ndarray, *arguments: Any
    ) -> None:
        """Run a kernel over the blocks of samples, shared among threads; `extra` rows of state are for counters."""
        blocks = -(-samples // (WORD * self.kernels.LANES))
        cuts = np.linspace(0, blocks, min(self.threads, max(blocks, 1)) + 1).astype(int)
        idle = self.idle.setdefault(extra, [])

        def run(start: int, stop: int) -> None:
            try:
                state = idle.pop()
            except IndexError:
                state = aligned(self.size + extra, self.kernels.LANES)
            kernel(given, out, start, stop, state, *self.program, self.inputs, *arguments)
            idle.append(state)

        if len(cuts) == 2:
            return run(0, blocks)
        with ThreadPoolExecutor(len(cuts) - 1) as pool:
            list(pool.map(run, cuts[:-1], cuts[1:]))
        return None


def _slots(schedule: Schedule) -> tuple[np.ndarray, int]:
    """The row of the state in which each net is kept (of those that are), and how many rows there are."""
    first, bounds = schedule.first, schedule.bounds
    nets = first + int(schedule.gates.max(initial=-1)) + 1
    slots = np.arange(nets)
    last = np.zeros(nets, np.int64)
    for column in schedule.read.T:
        np.maximum.at(last, column, schedule.levels)
    last[: TRUE + 1] = last[schedule.outputs] = np.iinfo(np.int64).max
    held = np.concatenate([np.arange(first), first + schedule.gates])
    leaving = held[np.argsort(last[held], kind="stable")]
    leave = np.searchsorted(last[leaving], np.arange(len(bounds) + 1))
    free, size = np.zeros(0, np.int64), first
    for level, (start, stop) in enumerate(pairwise(bounds), 1):
        free = np.sort(np.concatenate([free, slots[leaving[leave[level - 1] : leave[level]]]]))
        reused = free[: stop - start]
        fresh = np.arange(size, size + stop - start - len(reused))
        slots[first + schedule.gates[start:stop]] = np.concatenate([reused, fresh])
        free, size = free[len(reused) :], size + len(fresh)
    return slots, size


def _segments(schedule: Schedule) -> np.ndarray:
    """(segments, 3) uint64: kind, start and stop of each run of gates of one level and kind."""
    marks = np.flatnonzero(np.diff(schedule.levels * 32 + schedule.kinds, prepend=-1, append=-1))
    return np.column_stack([schedule.kinds[marks[:-1]], marks[:-1], marks[1:]]).astype(np.uint64)


def aligned(rows: int, lanes: int) -> np.ndarray:
    """The words of that many nets, aligned to the lines of the cache, all 0 but those of the constant 1."""
    raw = np.zeros((rows + 1) * lanes, np.uint64)
    skipped = -raw.ctypes.data // 8 % lanes
    state = raw[skipped : skipped + rows * lanes]
    state[TRUE * lanes : (TRUE + 1) * lanes] = ~np.uint64(0)
    return state


def _jax(schedule: Schedule, threads: int) -> Engine:
    from catlearn.kernels.words import JaxEngine

    return JaxEngine(schedule)


ENGINES: dict[str, Callable[[Schedule, int], Engine]] = {"numba": _Numba, "jax": _jax}
"""The engines by name."""
assert MOST_INPUTS == 6
