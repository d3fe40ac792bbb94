"""Feeding: how the batches of an epoch come to the training loop, some steps at a time.

A *portion* is a number of consecutive batches of one size. Rows that fit on the device lie there, and a portion is the
row numbers of its batches; rows that do not (memory maps, data above a limit) and batches from an iterator are put
together on the host, a portion at a time. The order of the rows comes from (seed, epoch) alone, so that an epoch can be
taken up in the middle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from catlearn.datasets import Data, columns
from catlearn.errors import DataError
from catlearn.space import Object

__all__ = ["Gathered", "Pace", "Portion", "Resident", "Stream", "Streamed", "feed"]

RESIDENT_BYTES = 2**30
PORTION_BYTES = 2**26
MOST_STEPS = 1024


@dataclass
class Pace:
    """How many steps one call takes: so many that a call lasts some tenths of a second, that one can interrupt it."""

    steps: int = 64

    def took(self, seconds: float) -> None:
        """Adapt to a call of that length."""
        if seconds < 0.2:
            self.steps = min(4 * self.steps, MOST_STEPS)
        elif seconds > 1.0:
            self.steps = max(self.steps // 2, 1)


@dataclass
class Portion:
    """`count` batches of `size` rows: `items` are arrays with a first axis of at least `count`, zeros after that.

    `rows` are the row numbers of each batch, None where rows have no numbers.
    """

    size: int
    count: int
    items: tuple[Any, ...]
    rows: np.ndarray | None


@dataclass(frozen=True)
class Stream:
    """Batches from an iterator, for data that is made or read as one goes.

    `batches(epoch)` gives an iterable of (inputs, targets), each an array or a tuple of arrays, rows first. `steps`
    limits the batches of an epoch; the test rows are as in `Data`.
    """

    batches: Callable[[int], Iterable[tuple[Any, Any]]]
    steps: int | None = None
    test_inputs: Any = ()
    test_targets: Any = ()

    def __post_init__(self) -> None:
        if not callable(self.batches):
            raise DataError(
                f"a Stream takes a function from the epoch to its batches, such as lambda epoch: batches; got "
                f"{type(self.batches).__name__}"
            )


class _Rows:
    """What the feeds from rows share: the order of an epoch, cut into portions."""

    def __init__(self, rows: np.ndarray, size: int, seed: int, shuffle: bool, drop_last: bool) -> None:
        self.rows, self.size, self.seed, self.shuffle, self.drop_last = rows, size, seed, shuffle, drop_last
        self.capacity = max(1, min(MOST_STEPS, len(rows) // size))

    def order(self, epoch: int) -> np.ndarray:
        """The numbers of the rows of an epoch, in their order."""
        count = len(self.rows)
        order = np.random.default_rng([self.seed, epoch]).permutation(count) if self.shuffle else np.arange(count)
        return self.rows[order[: count // self.size * self.size] if self.drop_last else order]

    @property
    def steps(self) -> int:
        """The number of steps of an epoch."""
        whole, rest = divmod(len(self.rows), self.size)
        return whole + (1 if rest and not self.drop_last else 0)

    def portions(self, epoch: int, skip: int, pace: Pace) -> Iterator[Portion]:
        """The portions of an epoch after that many steps."""
        order = self.order(epoch)
        whole = len(order) // self.size
        while skip < self.steps:
            if skip < whole:
                count, size, capacity = min(pace.steps, self.capacity, whole - skip), self.size, self.capacity
            else:
                count, size, capacity = 1, len(order) - whole * self.size, 1
            batches = order[skip * self.size : skip * self.size + count * size].reshape(count, size)
            yield Portion(size, count, self.items(batches, capacity), batches)
            skip += count

    def items(self, batches: np.ndarray, capacity: int) -> tuple[Any, ...]:
        """What goes to the loop for those row numbers."""
        raise NotImplementedError


class Resident(_Rows):
    """Rows that lie on the device: a batch is its row numbers."""

    def items(self, batches: np.ndarray, capacity: int) -> tuple[Any, ...]:
        return (_padded(batches.astype(np.int32), capacity),)


class Gathered(_Rows):
    """Rows that stay on the host, or in a file: a batch is its rows."""

    def __init__(self, arrays: tuple[Any, ...], accept: Callable[..., Any], *more: Any) -> None:
        super().__init__(*more)
        self.arrays, self.accept = arrays, accept
        row = sum(array[:1].nbytes for array in arrays) * self.size
        self.capacity = max(1, min(self.capacity, PORTION_BYTES // max(row, 1)))

    def items(self, batches: np.ndarray, capacity: int) -> tuple[Any, ...]:
        flat = batches.ravel()
        order = np.argsort(flat, kind="stable")  # a file is read forward
        back = np.argsort(order, kind="stable")
        found = [np.asarray(array[flat[order]])[back] for array in self.arrays]
        return self.accept([_padded(x.reshape(*batches.shape, *x.shape[1:]), capacity) for x in found])


class Streamed:
    """Batches as an iterator gives them; a batch of another size is a portion of its own."""

    def __init__(self, stream: Stream, accept: Callable[..., Any], check: Callable[..., int]) -> None:
        self.stream, self.accept, self.check = stream, accept, check
        self.steps = stream.steps

    def portions(self, epoch: int, skip: int, pace: Pace) -> Iterator[Portion]:
        """The portions of an epoch after that many steps."""
        batches = islice(self.stream.batches(epoch), skip, self.steps)
        held: list[tuple[Any, ...]] = []
        for number, pair in enumerate(batches, skip):
            arrays = self._arrays(pair, number)
            if held and [a.shape for a in held[0]] != [a.shape for a in arrays]:
                yield self._portion(held)
                held = []
            held.append(arrays)
            enough = max(1, PORTION_BYTES // max(sum(a.nbytes for a in arrays), 1))
            if len(held) >= min(pace.steps, enough, MOST_STEPS):
                yield self._portion(held)
                held = []
        if held:
            yield self._portion(held)

    def _arrays(self, pair: Any, number: int) -> tuple[Any, ...]:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise DataError(f"a stream gives pairs (inputs, targets); its batch {number} is {type(pair).__name__}")
        self.check(*pair, f"batch {number} of the stream")
        return (*columns(pair[0]), *columns(pair[1]))

    def _portion(self, held: list[tuple[Any, ...]]) -> Portion:
        capacity = 1 << (len(held) - 1).bit_length()  # few different lengths, so few compilations
        items = self.accept([_padded(np.stack(column), capacity) for column in zip(*held, strict=True)])
        return Portion(len(held[0][0]), len(held), items, None)


def _padded(array: np.ndarray, capacity: int) -> np.ndarray:
    missing = capacity - len(array)
    return np.concatenate([array, np.zeros((missing, *array.shape[1:]), array.dtype)]) if missing > 0 else array


def feed(data: Data, resident: bool | None) -> bool:
    """Whether the rows of the data are to lie on the device: not if they are memory maps, or very many."""
    if resident is not None:
        return resident
    parts = (*_parts(data.train_inputs), *_parts(data.train_targets))
    if any(isinstance(part, np.memmap) for part in parts):
        return False
    return sum(getattr(part, "nbytes", 0) for part in parts) <= RESIDENT_BYTES


def _parts(values: Any) -> tuple[Any, ...]:
    return values if isinstance(values, tuple) else (values,)


def check_batch(inputs: Any, targets: Any, dom: Object, labels: Object, name: str) -> int:
    """The number of rows of a batch; raises `DataError` where its arrays do not fit the spaces."""
    rows = None
    for kind, spaces, arrays in (("inputs", dom, columns(inputs)), ("targets", labels, columns(targets))):
        if len(arrays) != len(spaces):
            raise DataError(f"the {kind} of {name} need {len(spaces)} arrays, one a wire; got {len(arrays)}")
        for array, space in zip(arrays, spaces, strict=True):
            if array.ndim == 0 or tuple(array.shape[1:]) != space.shape or not len(array):
                raise DataError(f"the {kind} of {name} need rows of shape {space.shape}; got shape {array.shape}")
            if rows is not None and len(array) != rows:
                raise DataError(f"{name} has {rows} rows of one kind and {len(array)} {kind}: give one each")
            rows = len(array)
    return rows or 0
