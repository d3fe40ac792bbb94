"""Which bits each table of a layer reads: wirings as arrays (.., tables, inputs of a table), and how tables start.

`balanced` draws at random so that every bit is read equally often; `local` draws each table's inputs from a patch of an
image; `shared` repeats the same tables at every place of an image (BIT.conv).

>>> np.bincount(balanced(6, 4, 3, seed=0).ravel()).tolist()
[2, 2, 2, 2, 2, 2]
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from catlearn.errors import OperationError
from catlearn.space import Space

__all__ = ["Projection", "RandomThreshold", "balanced", "local", "shared"]


def _check(inputs: int, tables: int, arity: int) -> None:
    for name, value, least in (("inputs", inputs, 0), ("tables", tables, 0), ("inputs of a table", arity, 0)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise OperationError(f"a wiring needs a number of {name} of at least {least}; got {value!r}")
    if arity > inputs and tables:
        raise OperationError(f"a table of {arity} different inputs needs as many bits to read; there are {inputs}")


def balanced(inputs: int, tables: int, arity: int, *, seed: int = 0) -> np.ndarray:
    """Random places, (tables, arity), every input read equally often up to one, no table reading a bit twice.

    Raises `OperationError` where there are fewer bits than a table has inputs.
    """
    _check(inputs, tables, arity)
    generator = np.random.default_rng([seed, inputs, tables, arity])
    drawn = [np.zeros(0, int)]
    for number in range(math.ceil(tables * arity / max(inputs, 1))):
        begun = number * inputs % arity  # inputs that the table across two permutations has from the one before
        drawn.append(_apart(generator.permutation(inputs), drawn[-1][len(drawn[-1]) - begun :], arity - begun))
    return np.concatenate(drawn)[: tables * arity].reshape(tables, arity).astype(np.int32)


def _apart(permutation: np.ndarray, before: np.ndarray, count: int) -> np.ndarray:
    """The permutation with its first `count` entries, that are not in `before`, moved to the front."""
    front = permutation[~np.isin(permutation, before)][:count]
    return np.concatenate([front, permutation[~np.isin(permutation, front)]])


def _image(shape: Sequence[int], patch: int) -> tuple[int, int, int]:
    sides = tuple(shape)
    if len(sides) not in (2, 3):
        raise OperationError(f"an image of bits has the shape (height, width) or (height, width, bits); got {sides}")
    if isinstance(patch, bool) or not isinstance(patch, int) or not 1 <= patch <= min(sides[:2]):
        raise OperationError(
            f"a patch has a side from 1 to {min(sides[:2])} in an image of shape {sides}; got {patch!r}"
        )
    return (sides[0], sides[1], sides[2] if len(sides) == 3 else 1)


def local(shape: Sequence[int], tables: int, arity: int, *, patch: int, seed: int = 0) -> np.ndarray:
    """Each table reads different bits of one random patch x patch window of an image: (tables, arity).

    Places are those of the flattened image, of shape (height, width) or (height, width, bits of a place).
    """
    height, width, depth = _image(shape, patch)
    _check(patch * patch * depth, tables, arity)
    generator = np.random.default_rng([seed, height, width, tables, arity, patch])
    top = generator.integers(height - patch + 1, size=tables)
    left = generator.integers(width - patch + 1, size=tables)
    inside = generator.random((tables, patch * patch * depth)).argsort(axis=1)[:, :arity]
    row, column, bit = np.unravel_index(inside, (patch, patch, depth))
    return (((top[:, None] + row) * width + left[:, None] + column) * depth + bit).astype(np.int32)


def shared(shape: Sequence[int], tables: int, arity: int, *, patch: int, stride: int = 1, seed: int = 0) -> np.ndarray:
    """The same tables at each place that a patch x patch window takes: (height', width', tables, arity) (BIT.conv)."""
    height, width, depth = _image(shape, patch)
    if isinstance(stride, bool) or not isinstance(stride, int) or stride < 1:
        raise OperationError(f"a stride is a positive integer; got {stride!r}")
    inside = balanced(patch * patch * depth, tables, arity, seed=seed)
    row, column, bit = np.unravel_index(inside, (patch, patch, depth))
    tops, lefts = (np.arange(0, side - patch + 1, stride) for side in (height, width))
    rows = tops[:, None, None, None] + row
    columns = lefts[None, :, None, None] + column
    return ((rows * width + columns) * depth + bit).astype(np.int32)


@dataclass(frozen=True)
class RandomThreshold:
    """Tables that start as random weighted thresholds of their inputs: [sum_i w_i (2 x_i - 1) > bias |w|], w normal.

    `sparse` tables give 0 where all their inputs are 0.
    """

    bias: float = 0.0
    sparse: bool = False

    def __call__(self, generator: np.random.Generator, space: Space) -> np.ndarray:
        tables, entries = space.shape
        arity = entries.bit_length() - 1
        weights = generator.normal(size=(tables, arity))
        signs = 2 * (np.arange(entries)[:, None] >> np.arange(arity) & 1) - 1
        length = np.sqrt((weights**2).sum(axis=1, keepdims=True))
        result = (weights @ signs.T > self.bias * length).astype(np.uint8)
        if self.sparse:
            result[:, 0] = 0
        return result


@dataclass(frozen=True)
class Projection:
    """Tables that start as their input of that number."""

    place: int = 0

    def __call__(self, generator: np.random.Generator, space: Space) -> np.ndarray:
        row = np.arange(space.shape[1]) >> self.place & 1
        return np.tile(row.astype(np.uint8), (space.shape[0], 1))
