"""Reindexing: out[j] = in[index[j]] for a constant index, and its transpose, which scatters and adds.

`Gather` reads along one axis by a constant array of positions, so with `Reshape` it gives every reindexing; `Slice` and
`Concatenate` are cases that machines do more cheaply. All are linear: R[f](x, d) is the transpose of f applied to d,

    Gather <-> Scatter,   Reshape <-> Reshape,   Concatenate -> Slices,   Slice -> Concatenate with zeros.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from catlearn.diagram import Diagram, Generator
from catlearn.errors import OperationError
from catlearn.frozen import Frozen
from catlearn.space import Object, Space, sides_of
from catlearn.tracing import Wire, apply_generator, as_wire, trace

__all__ = ["Concatenate", "Gather", "Reshape", "Scatter", "Slice", "concatenate", "gather", "getitem", "reshape"]


@dataclass(frozen=True)
class Reindexing(Generator):
    """A linear map of one wire; subclasses give `cod`, `transposed` and `stacked`."""

    space: Space
    linear = ((0,),)

    @property
    def dom(self) -> Object:
        return (self.space,)

    def transposed(self, d: Wire) -> Wire:
        """The transpose, on changes."""
        raise NotImplementedError

    def stacked(self, size: int) -> Generator:
        """The same map on `size` samples along a new first axis."""
        raise NotImplementedError

    def reverse(self) -> Diagram | None:
        return trace((self.space, self.cod[0].changes), lambda x, d: self.transposed(d))

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        return self.stacked(size).diagram


def positions(index: Any) -> Frozen:
    """Positions as a generator holds them: an array of 32-bit integers that is compared by its entries."""
    return Frozen(np.asarray(index).astype(np.int32))


def _check_axis(space: Space, axis: int) -> None:
    if not 0 <= axis < len(space.shape):
        raise OperationError(f"there is no axis {axis} in {space}, which has {len(space.shape)}, counted from 0")


@dataclass(frozen=True)
class Reshape(Reindexing):
    """The same entries, in row-major order, in another shape."""

    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.space.with_shape(self.shape).size != self.space.size:
            raise OperationError(f"cannot reshape {self.space} of {self.space.size} entries to shape {self.shape}")

    @property
    def cod(self) -> Object:
        return (self.space.with_shape(self.shape),)

    def transposed(self, d: Wire) -> Wire:
        return reshape(d, self.space.shape)

    def stacked(self, size: int) -> Generator:
        return Reshape(self.space.batch(size), (size, *self.shape))

    def evaluate(self, arrays: Any, x: Any) -> Any:
        return arrays.namespace.reshape(x, self.shape)


@dataclass(frozen=True)
class Gather(Reindexing):
    """`out[..., j, ...] = in[..., index[j], ...]` along one axis; the index's shape takes the axis's place."""

    axis: int
    index: Frozen

    def __post_init__(self) -> None:
        _check_axis(self.space, self.axis)
        object.__setattr__(self, "index", positions(self.index))
        places, length = self.index.array, self.space.shape[self.axis]
        if places.size and not 0 <= places.min() <= places.max() < length:
            wrong = places[(places < 0) | (places >= length)][0]
            raise OperationError(f"index {wrong} is outside axis {self.axis} of {self.space}: use 0 to {length - 1}")

    @property
    def cod(self) -> Object:
        shape = self.space.shape
        return (self.space.with_shape((*shape[: self.axis], *self.index.shape, *shape[self.axis + 1 :])),)

    def transposed(self, d: Wire) -> Wire:
        scatter = Scatter(d.space, self.axis, self.index, self.space.shape[self.axis])
        return apply_generator(scatter, d)

    def stacked(self, size: int) -> Generator:
        return Gather(self.space.batch(size), self.axis + 1, self.index)

    def evaluate(self, arrays: Any, x: Any) -> Any:
        return arrays.namespace.take(x, self.index.array, axis=self.axis)


@dataclass(frozen=True)
class Scatter(Reindexing):
    """`out[..., i, ...] = sum of in[..., j, ...] over index[j] = i`: the transpose of `Gather`."""

    axis: int
    index: Frozen
    length: int

    def __post_init__(self) -> None:
        self.space.carrier.require("add")
        object.__setattr__(self, "index", positions(self.index))
        rank, places = len(self.index.shape), self.index.array
        if self.space.shape[self.axis : self.axis + rank] != self.index.shape:
            raise OperationError(
                f"scatter needs positions of the shape of the axes from {self.axis} on of {self.space}"
            )
        if places.size and not 0 <= places.min() <= places.max() < self.length:
            raise OperationError(
                f"scatter needs positions from 0 to {self.length - 1}; got {places.min()} to {places.max()}"
            )

    @property
    def cod(self) -> Object:
        shape = self.space.shape
        return (self.space.with_shape((*shape[: self.axis], self.length, *shape[self.axis + len(self.index.shape) :])),)

    def transposed(self, d: Wire) -> Wire:
        return apply_generator(Gather(d.space, self.axis, self.index), d)

    def stacked(self, size: int) -> Generator:
        return Scatter(self.space.batch(size), self.axis + 1, self.index, self.length)

    def evaluate(self, arrays: Any, x: Any) -> Any:
        shape, places = self.space.shape, self.index.array.ravel()
        flat = (*shape[: self.axis], places.size, *shape[self.axis + len(self.index.shape) :])
        rows = arrays.namespace.moveaxis(arrays.namespace.reshape(x, flat), self.axis, 0)
        total = arrays.scatter(self.space.carrier, rows, places, self.length)
        return arrays.namespace.moveaxis(total, 0, self.axis)


@dataclass(frozen=True)
class Slice(Reindexing):
    """The entries `start` to `stop` (exclusive) along one axis."""

    axis: int
    start: int
    stop: int

    def __post_init__(self) -> None:
        _check_axis(self.space, self.axis)

    @property
    def cod(self) -> Object:
        shape = list(self.space.shape)
        shape[self.axis] = self.stop - self.start
        return (self.space.with_shape(shape),)

    def transposed(self, d: Wire) -> Wire:
        from catlearn.functions import zeros

        def pad(length: int) -> list[Wire]:
            shape = list(self.space.shape)
            shape[self.axis] = length
            return [zeros(d.space.with_shape(shape))] if length else []

        pieces = [*pad(self.start), d, *pad(self.space.shape[self.axis] - self.stop)]
        return concatenate(pieces, self.axis)

    def stacked(self, size: int) -> Generator:
        return Slice(self.space.batch(size), self.axis + 1, self.start, self.stop)

    def evaluate(self, arrays: Any, x: Any) -> Any:
        return x[(slice(None),) * self.axis + (slice(self.start, self.stop),)]


@dataclass(frozen=True)
class Concatenate(Generator):
    """Several wires joined along one axis."""

    spaces: tuple[Space, ...]
    axis: int

    def __post_init__(self) -> None:
        if len({(s.carrier, s.shape[: self.axis], s.shape[self.axis + 1 :]) for s in self.spaces}) != 1:
            raise OperationError(f"concatenate along axis {self.axis} needs spaces alike but there; got {self.spaces}")

    @property
    def linear(self) -> tuple[tuple[int, ...], ...]:
        return (tuple(range(len(self.spaces))),)

    @property
    def dom(self) -> Object:
        return self.spaces

    @property
    def cod(self) -> Object:
        shape = list(self.spaces[0].shape)
        shape[self.axis] = int(np.sum([space.shape[self.axis] for space in self.spaces]))
        return (self.spaces[0].with_shape(shape),)

    def reverse(self) -> Diagram | None:
        ends = np.cumsum([0, *(space.shape[self.axis] for space in self.spaces)]).tolist()

        def rule(*wires: Wire) -> tuple[Wire, ...]:
            d = wires[-1]
            return tuple(slice_axis(d, self.axis, a, b) for a, b in pairwise(ends))

        return trace((*self.dom, self.cod[0].changes), rule)

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        from catlearn.generators.contraction import stack

        inner = Concatenate(tuple(space.batch(size) for space in self.spaces), self.axis + 1)
        spaces = [s.batch(size) if flag else s for s, flag in zip(self.spaces, flags, strict=True)]

        def joined(*wires: Wire) -> Any:
            return apply_generator(inner, *(w if f else stack(w, size) for w, f in zip(wires, flags, strict=True)))

        return trace(spaces, joined)

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        return arrays.namespace.concatenate(inputs, axis=self.axis)


def axis_of(x: Wire, axis: int) -> int:
    """The number of an axis, counted from the last if it is negative."""
    rank = len(x.shape)
    if not -rank <= axis < rank:
        raise OperationError(f"there is no axis {axis} in {x.space}, which has {rank}")
    return axis % rank


def reshape(x: Wire, shape: Iterable[int]) -> Wire:
    """The same entries, in row-major order, in another shape."""
    x, target = as_wire(x, "reshape"), sides_of(shape)
    return x if target == x.shape else apply_generator(Reshape(x.space, target), x)


def gather(x: Wire, index: Any, axis: int | None = None) -> Wire:
    """Entries at constant positions: of the flattened wire, or along one axis.

    `index` is an array of integers of any shape. Raises `OperationError` for a position outside the axis.
    """
    x, places = as_wire(x, "gather"), np.asarray(index)
    if places.dtype.kind not in "iu":
        raise OperationError(f"gather needs integer positions; got dtype {places.dtype}")
    if axis is None:
        x, axis = reshape(x, (x.space.size,)), 0
    axis = axis_of(x, axis)
    return apply_generator(Gather(x.space, axis, Frozen(places)), x)


def concatenate(wires: Sequence[Wire], axis: int = 0) -> Wire:
    """Wires joined along one axis; one wire alone is itself."""
    if not wires:
        raise OperationError("concatenate needs at least one wire")
    axis = axis_of(as_wire(wires[0], "concatenate"), axis)
    if len(wires) == 1:
        return wires[0]
    if len({len(as_wire(wire, "concatenate").shape) for wire in wires}) != 1:
        raise OperationError(f"concatenate needs spaces alike but along one axis; got {[w.space for w in wires]}")
    return apply_generator(Concatenate(tuple(w.space for w in wires), axis), *wires)


def slice_axis(x: Wire, axis: int, start: int, stop: int) -> Wire:
    """The entries `start` to `stop` (exclusive) along one axis."""
    axis = axis_of(x, axis)
    if not 0 <= start <= stop <= x.shape[axis]:
        raise OperationError(f"cannot take {start}:{stop} of axis {axis} of {x.space}")
    whole = start == 0 and stop == x.shape[axis]
    return x if whole else apply_generator(Slice(x.space, axis, start, stop), x)


def getitem(x: Wire, index: Any) -> Wire:
    """Basic indexing by integers and slices of step 1, one an axis from the first on."""
    parts = index if isinstance(index, tuple) else (index,)
    parts = tuple(int(part) if isinstance(part, np.integer) else part for part in parts)
    if len(parts) > len(x.shape) or not all(isinstance(part, (int, slice)) for part in parts):
        raise OperationError(
            f"index {x.space} by at most {len(x.shape)} integers and slices; got {index!r}; see gather"
        )
    kept = []
    for axis, part in enumerate(parts):
        length = x.shape[axis]
        if isinstance(part, int):
            if not -length <= part < length:
                raise OperationError(f"index {part} is outside axis {axis} of {x.space}")
            x = slice_axis(x, axis, part % length, part % length + 1)
        else:
            start, stop, step = part.indices(length)
            if step != 1:
                raise OperationError(f"slices have step 1; got {part}; see gather")
            x = slice_axis(x, axis, start, max(start, stop))
            kept.append(axis)
    kept += range(len(parts), len(x.shape))
    return reshape(x, [x.shape[axis] for axis in kept])
