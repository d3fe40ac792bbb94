"""Polynomial functors on finite sets: their maps, tensor and internal hom (MOORE.embed, MOORE.hom, MOORE.count).

A polynomial p = sum_i y^p[i] has positions i, and p[i] directions at each. A map p -> q takes every position i of p to
one of q, and every direction there back to a direction at i. The maps A y^A -> B y^B are the simple lenses A -> B, so
the internal hom [A y^A, B y^B] has these for its positions and A B directions at each, and a learner A -> B with
parameters P is a map P y^P -> [A y^A, B y^B]: at a state a lens, and for every datum the next state (MOORE.view).

    (p x q)[i, j] = p[i] q[j]        [q, r] = sum over maps f : q -> r of y^(sum_j r[f(j)])
    maps p x q -> r  are  maps p -> [q, r]

>>> two = monomial(2)
>>> print(two, "->", monomial(1), "has", count_maps(two, monomial(1)), "maps")
2 y^2 -> 1 y^1 has 4 maps
>>> print(internal_hom(two, monomial(1)))
4 y^2

Source: Spivak, Learners' languages (2103.01189).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from catlearn.diagram import Diagram
from catlearn.errors import CompositionError, OperationError
from catlearn.functors import Exact
from catlearn.generators.batching import batch
from catlearn.lens import Lens
from catlearn.semirings import Carrier
from catlearn.space import Object, show_object

__all__ = [
    "PolynomialFunctor",
    "PolynomialMap",
    "count_maps",
    "curry",
    "finite_values",
    "internal_hom",
    "maps",
    "monomial",
    "polynomial_map",
    "positions_and_steps",
    "uncurry",
]

MOST_POINTS = 2**14


@dataclass(frozen=True)
class PolynomialFunctor:
    """The polynomial with that many directions at each of its positions; `p @ q` is the tensor."""

    directions: tuple[int, ...]

    def __str__(self) -> str:
        terms = Counter(self.directions)
        return " + ".join(f"{terms[n]} y^{n}" for n in sorted(terms, reverse=True)) or "0"

    def __matmul__(self, other: PolynomialFunctor) -> PolynomialFunctor:
        return PolynomialFunctor(tuple(a * b for a in self.directions for b in other.directions))


@dataclass(frozen=True)
class PolynomialMap:
    """A map of polynomials: a position of `cod` for each of `dom`, and for each direction there one of `dom`.

    Raises `CompositionError` where a number is no position or direction.
    """

    dom: PolynomialFunctor
    cod: PolynomialFunctor
    positions: tuple[int, ...]
    directions: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        p, q = self.dom.directions, self.cod.directions
        if not len(p) == len(self.positions) == len(self.directions):
            raise CompositionError(f"a map from {self.dom} needs {len(p)} positions and as many rows of directions")
        for n, i, row in zip(p, self.positions, self.directions, strict=True):
            if not 0 <= i < len(q) or len(row) != q[i] or not all(0 <= d < n for d in row):
                raise CompositionError(
                    f"a map {self.dom} -> {self.cod} takes a position to one of {len(q)}, and the directions there "
                    f"back to {n}; got the position {i} and the directions {row}"
                )

    @classmethod
    def identity(cls, p: PolynomialFunctor) -> PolynomialMap:
        """The identity."""
        return cls(p, p, tuple(range(len(p.directions))), tuple(tuple(range(n)) for n in p.directions))

    def __rshift__(self, other: PolynomialMap) -> PolynomialMap:
        if self.cod != other.dom:
            raise CompositionError(f"cannot compose maps of polynomials, {self.cod} and {other.dom} differ")
        positions = tuple(other.positions[i] for i in self.positions)
        back = zip(self.positions, self.directions, strict=True)
        directions = tuple(tuple(row[d] for d in other.directions[i]) for i, row in back)
        return PolynomialMap(self.dom, other.cod, positions, directions)


def monomial(size: int, directions: int | None = None) -> PolynomialFunctor:
    """`size` positions with as many directions at each, or with that many: A y^A, A y^B."""
    return PolynomialFunctor((size if directions is None else directions,) * size)


def _choices(directions: int, q: PolynomialFunctor) -> Iterator[tuple[int, tuple[int, ...]]]:
    """What a map can do at one position: every position of q with every function from the directions there."""
    for i, n in enumerate(q.directions):
        for row in product(range(directions), repeat=n):
            yield i, row


def maps(p: PolynomialFunctor, q: PolynomialFunctor) -> Iterator[PolynomialMap]:
    """Every map p -> q: a choice at each position."""
    for chosen in product(*(list(_choices(n, q)) for n in p.directions)):
        yield PolynomialMap(p, q, tuple(i for i, _ in chosen), tuple(row for _, row in chosen))


def count_maps(p: PolynomialFunctor, q: PolynomialFunctor) -> int:
    """How many maps p -> q there are, counted one by one at each position, the choices there being independent."""
    return math.prod(_count(n, tuple(sorted(Counter(q.directions).items()))) for n in p.directions)


@lru_cache(maxsize=4096)
def _count(directions: int, kinds: tuple[tuple[int, int], ...]) -> int:
    return sum(many * sum(1 for _ in product(range(directions), repeat=n)) for n, many in kinds)


@lru_cache(maxsize=64)
def internal_hom(q: PolynomialFunctor, r: PolynomialFunctor) -> PolynomialFunctor:
    """[q, r]: its positions are the maps q -> r, in the order of `maps`, with r's directions at all that is hit."""
    return PolynomialFunctor(tuple(sum(r.directions[i] for i in f.positions) for f in maps(q, r)))


@lru_cache(maxsize=64)
def _numbers(q: PolynomialFunctor, r: PolynomialFunctor) -> dict[PolynomialMap, int]:
    return {f: k for k, f in enumerate(maps(q, r))}


def positions_and_steps(
    m: PolynomialMap, p: PolynomialFunctor, q: PolynomialFunctor
) -> list[tuple[PolynomialMap, tuple[int, ...]]]:
    """For each position of p, what a map p x q -> r is there: a map q -> r, and p's direction for all of r's."""
    found = []
    for i in range(len(p.directions)):
        here = range(i * len(q.directions), (i + 1) * len(q.directions))
        rows = [(m.directions[k], n) for k, n in zip(here, q.directions, strict=True)]
        lens = PolynomialMap(
            q, m.cod, tuple(m.positions[k] for k in here), tuple(tuple(d % n for d in row) for row, n in rows)
        )
        found.append((lens, tuple(d // n for row, n in rows for d in row)))
    return found


def curry(m: PolynomialMap, p: PolynomialFunctor, q: PolynomialFunctor) -> PolynomialMap:
    """The map p -> [q, r] of a map p x q -> r."""
    if m.dom != p @ q:
        raise CompositionError(f"curry takes a map from the tensor of {p} and {q}; got one from {m.dom}")
    numbers, parts = _numbers(q, m.cod), positions_and_steps(m, p, q)
    return PolynomialMap(
        p, internal_hom(q, m.cod), tuple(numbers[lens] for lens, _ in parts), tuple(steps for _, steps in parts)
    )


def uncurry(m: PolynomialMap, q: PolynomialFunctor, r: PolynomialFunctor) -> PolynomialMap:
    """The map p x q -> r of a map p -> [q, r]."""
    if m.cod != internal_hom(q, r):
        raise CompositionError(f"uncurry takes a map to the internal hom of {q} and {r}; got one to {m.cod}")
    lenses, positions, rows = list(_numbers(q, r)), list[int](), list[tuple[int, ...]]()
    for i, steps in zip(m.positions, m.directions, strict=True):
        rest = iter(steps)
        positions += lenses[i].positions
        for row, n in zip(lenses[i].directions, q.directions, strict=True):
            rows.append(tuple(next(rest) * n + d for d in row))
    return PolynomialMap(m.dom @ q, r, tuple(positions), tuple(rows))


def finite_values(carrier: Carrier) -> list[int] | None:
    """All values of a finite carrier, or None where there are infinitely many."""
    most = 2**15 + 1
    if carrier.kind in ("real", "key") or bool(np.all(carrier.contains(np.array([most])))):
        return None
    return [int(v) for v in np.flatnonzero(np.broadcast_to(carrier.contains(np.arange(most)), (most,)))]


def polynomial_map(lens: Lens) -> PolynomialMap:
    """The map A y^A -> B y^B of a simple lens (A, A) -> (B, B) over finite carriers (MOORE.embed).

    Values are numbered in lexicographic order, wire by wire. Raises `CompositionError` for a lens that is not simple,
    `OperationError` where a carrier is infinite, or there are more than 2**14 points.

    >>> from catlearn.semirings import Z2
    >>> from catlearn.space import Space
    >>> polynomial_map(Lens.identity(Space((), Z2))).positions
    (0, 1)
    """
    A, B = lens.dom.forward, lens.cod.forward
    if (lens.dom.backward, lens.cod.backward) != (A, B):
        raise CompositionError(
            f"a map of polynomials needs a lens with the same objects both ways; got {lens.dom} -> {lens.cod}"
        )
    n, m = _size(A), _size(B)
    if n * m > MOST_POINTS:
        raise OperationError(
            f"there are {n} x {m} points, and at most {MOST_POINTS} are tabulated: take smaller objects"
        )
    back = _table(lens.put, A + B, A)
    rows = tuple(tuple(back[i * m : (i + 1) * m]) for i in range(n))
    return PolynomialMap(monomial(n), monomial(m), tuple(_table(lens.get, A, B)), rows)


def _values(spaces: Object) -> list[list[int]]:
    """The values of each entry, wire by wire."""
    found = [finite_values(space.carrier) for space in spaces for _ in range(space.size)]
    if any(values is None for values in found):
        raise OperationError(f"polynomials are on finite sets, and {show_object(spaces)} has infinitely many values")
    return [values for values in found if values is not None]


def _size(spaces: Object) -> int:
    return math.prod(map(len, _values(spaces)))


def _table(f: Diagram, dom: Object, cod: Object) -> list[int]:
    """The number of f's value at every point of dom."""
    points = list(product(*_values(dom)))
    if not points:
        return []
    outputs = Exact()(batch(f, len(points)))(*_columns(points, dom)) if cod else ()
    arrays = outputs if isinstance(outputs, tuple) else (outputs,)
    flat = [np.reshape(array, (len(points), space.size)) for array, space in zip(arrays, cod, strict=True)]
    rows = np.concatenate([np.zeros((len(points), 0), int), *flat], axis=1).astype(int).tolist()
    places = [{value: k for k, value in enumerate(values)} for values in _values(cod)]
    return [_number(row, places) for row in rows]


def _columns(points: Sequence[Sequence[int]], spaces: Object) -> list[Any]:
    table, start, columns = np.array(points, int).reshape(len(points), -1), 0, []
    for space in spaces:
        columns.append(table[:, start : start + space.size].reshape(len(points), *space.shape))
        start += space.size
    return columns


def _number(row: Sequence[int], places: Sequence[dict[int, int]]) -> int:
    total = 0
    for value, place in zip(row, places, strict=True):
        total = total * len(place) + place[value]
    return total
