"""Few-bit backward: of an activation's input the number of its cell is kept, and each cell has one slope (BWD.fewbit).

    get(a) = f(a),    put(a, d) = c_k d,  k = cell(a)          optic: residual k, of `bits` bits, instead of a

The cells are intervals, cut at `edges`; c_k is the slope of f on the k-th cell. For inputs of a given distribution the
best slope in the mean square is the weighted mean of f' on the cell (BWD.fewbit.level), and the best cells come by
dynamic programming over intervals (BWD.fewbit.dp): with cost(i, j) the least error of one cell of points i to j - 1,

    best(m, j) = min over i of best(m - 1, i) + cost(i, j).

>>> values, weights = [0.0, 0.1, 1.0, 1.2], [1.0, 1.0, 1.0, 1.0]
>>> cuts, error = partition(values, weights, 2)
>>> cuts, [round(c, 3) for c in levels(values, weights, cuts)], round(error, 3)
((2,), [0.05, 1.1], 0.025)

Source: Novikov et al., Few-bit backward: quantized gradients of activation functions (2202.00441).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from catlearn.diagram import Diagram
from catlearn.errors import DataError, OperationError
from catlearn.generators.arithmetic import Pointwise
from catlearn.generators.surrogate import surrogate
from catlearn.layers.affine import activation
from catlearn.reverse import reverse_derivative
from catlearn.semirings import REAL, Discrete
from catlearn.space import Object, Space
from catlearn.tracing import Wire, apply_generator, trace

__all__ = ["AtLevel", "Cell", "cells", "few_bit", "levels", "partition"]


def _points(values: Any, weights: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays; raises `DataError` where they do not fit or the weights are no weights."""
    v, w = np.asarray(values, float), np.asarray(weights, float)
    if v.ndim != 1 or v.shape != w.shape or not v.size:
        raise DataError(f"give as many weights as values, at least one; got shapes {v.shape} and {w.shape}")
    if not np.isfinite(v).all() or not np.isfinite(w).all() or (w < 0).any() or not w.sum() > 0:
        raise DataError("values must be finite, and weights finite, at least 0 and not all 0")
    return v, w


def levels(values: Any, weights: Any, cuts: Sequence[int]) -> list[float]:
    """The best level of each cell in the mean square, its weighted mean; a cell without weight has the plain mean.

    Cell k holds the values from place `cuts[k - 1]` to before `cuts[k]`. Raises `DataError` for an empty cell.
    """
    v, w = _points(values, weights)
    ends = [0, *cuts, len(v)]
    if any(i >= j for i, j in pairwise(ends)):
        raise DataError(f"cuts must rise, from 1 to below {len(v)}; got {tuple(cuts)}")
    parts = [slice(i, j) for i, j in pairwise(ends)]
    return [float(np.average(v[p], weights=w[p] if w[p].sum() > 0 else None)) for p in parts]


def _costs(v: np.ndarray, w: np.ndarray) -> np.ndarray:
    """cost[i, j], the least sum of w (v - c)^2 over the points i to j - 1; infinite where there is none."""
    total, first, second = (np.concatenate([[0.0], np.cumsum(w * v**k)]) for k in range(3))
    mass = total[None] - total[:, None]
    mean = np.divide(first[None] - first[:, None], mass, out=np.zeros_like(mass), where=mass > 0)
    spread = second[None] - second[:, None] - mass * mean**2
    return np.where(np.arange(len(v) + 1)[:, None] < np.arange(len(v) + 1), np.maximum(spread, 0.0), np.inf)


def partition(values: Any, weights: Any, count: int) -> tuple[tuple[int, ...], float]:
    """The cuts of the best partition into `count` intervals, and its error, the sum of weight (value - level)^2.

    Raises `DataError` for fewer values than cells.
    """
    v, w = _points(values, weights)
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= len(v):
        raise DataError(f"{len(v)} values make 1 to {len(v)} cells; got {count!r}")
    cost = _costs(v - np.average(v, weights=w), w)
    best, chosen = cost[0], []
    for _ in range(count - 1):
        through = best[:, None] + cost
        chosen.append(through.argmin(axis=0))
        best = through.min(axis=0)
    cuts = [len(v)]
    for before in reversed(chosen):
        cuts.append(int(before[cuts[-1]]))
    return tuple(cuts[:0:-1]), float(best[-1])


@lru_cache(maxsize=256)
def cells(
    name: str, bits: int, spread: float = 1.0, reach: float = 5.0, points: int = 512
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The best edges and slopes for an activation, its inputs normal with that deviation: 2**bits cells.

    The slope is sampled at so many points from -reach to reach. Raises `OperationError` for another number of bits.
    """
    if isinstance(bits, bool) or not isinstance(bits, int) or not 1 <= bits <= 8:
        raise OperationError(f"a cell is kept in 1 to 8 bits; got {bits!r}")
    from catlearn.functors.jax import Jax

    grid = np.linspace(-reach, reach, points)
    back = reverse_derivative(activation(name, Space(points, REAL)))
    slopes = np.asarray(Jax("float64")(back)(grid, np.ones(points)))
    weights = np.exp(-0.5 * (grid / spread) ** 2)
    cuts, _ = partition(slopes, weights, 2**bits)
    edges = tuple(float(grid[k - 1] + grid[k]) / 2 for k in cuts)
    return edges, tuple(levels(slopes, weights, cuts))


@dataclass(frozen=True)
class Cell(Pointwise):
    """`a -> the number of edges below a`, entry by entry; the derivative is 0."""

    edges: tuple[float, ...] = ()
    arity = 1
    by_value: ClassVar[bool] = True

    @property
    def cod(self) -> Object:
        return (Space(self.space.shape, Discrete(len(self.edges) + 1)),)

    def on(self, space: Space) -> Pointwise:
        return Cell(space, self.edges)

    def rule(self, *wires: Wire) -> tuple[Wire, ...]:
        from catlearn.functions import zeros

        return (zeros(self.space.changes),)

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        (a,) = inputs
        above = a[..., None] > arrays.namespace.asarray(self.edges, a.dtype)
        return arrays.cast(above.sum(-1), self.cod[0].carrier)


@dataclass(frozen=True)
class AtLevel(Pointwise):
    """`(k, d) -> levels[k] d`, entry by entry; linear in d."""

    levels: tuple[float, ...] = ()
    linear = ((1,),)
    by_value: ClassVar[bool] = True

    @property
    def dom(self) -> Object:
        return (Space(self.space.shape, Discrete(len(self.levels))), self.space)

    def on(self, space: Space) -> Pointwise:
        return AtLevel(space, self.levels)

    def rule(self, *wires: Wire) -> tuple[Wire, ...]:
        from catlearn.functions import zeros

        k, _, e = wires
        return zeros(k.space.changes), apply_generator(self, k, e)

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        k, d = inputs
        return arrays.namespace.asarray(self.levels, d.dtype)[k] * d


def stepwise(get: Diagram, edges: tuple[float, ...], slopes: tuple[float, ...], label: str) -> Diagram:
    """The map with the put (a, d) -> slopes[cell(a)] d."""
    (space,) = get.dom
    put: Callable[..., Any] = lambda a, d: apply_generator(  # noqa: E731
        AtLevel(space, slopes), apply_generator(Cell(space, edges), a), d
    )
    return surrogate(label, get, trace((space, space), put), additive=True)


def few_bit(name: str, space: Space, bits: int = 2, spread: float = 1.0) -> Diagram:
    """The activation of that name whose reverse keeps `bits` bits an entry, best for inputs of that deviation.

    Raises `OperationError` for a number of bits that is not 1 to 8, `UnknownNameError` for a name.

    >>> few_bit("gelu", Space(3, REAL), bits=2).lawful
    False
    """
    get = activation(name, space)
    return stepwise(get, *cells(name, bits, spread), f"{name}, {bits} bits")
