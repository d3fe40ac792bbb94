"""Laws of few-bit backward passes and of forward gradients: what a slope or a random direction makes of a change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import combinations, pairwise, product
from typing import Any

import numpy as np

from catlearn import functions
from catlearn.diagram import Diagram, copy
from catlearn.generators.elementwise import Function
from catlearn.laws.backward import A_POINTS, D_POINTS, ROW, N, X, added, at_reals, daggered, exchanged, of_zero
from catlearn.laws.derivatives import Operator
from catlearn.laws.law import Law, apply, differ, formula
from catlearn.lens import Lens
from catlearn.optic import Optic
from catlearn.semirings import INTEGERS, REAL
from catlearn.space import Object, Space
from catlearn.substitution import plain
from catlearn.systems import few_bit
from catlearn.systems.forward_gradient import along
from catlearn.tracing import trace

__all__ = ["ESTIMATES"]

FEW = "Novikov et al., Few-bit backward: quantized gradients of activation functions (2202.00441)"
FORWARD = "Baydin et al., Gradients without backpropagation (2202.08587)"
EDGES, LEVELS = (-1.0, 0.5, 2.0), (0.25, 1.0, -0.5, 0.0)


def _bent(a: Any) -> Any:
    """The piecewise linear map whose slopes are the levels."""
    steps = zip(EDGES, LEVELS, LEVELS[1:], strict=False)
    return sum(((after - before) * functions.relu(a - edge) for edge, before, after in steps), LEVELS[0] * a)


def _few(R: Operator, D: Operator) -> list[Any]:
    """The lens of an optic that keeps the cell; R of a piecewise linear map; not the exact one."""
    row = few_bit.stepwise(Function(ROW, "tanh").diagram, EDGES, LEVELS, "tanh")
    slopes = np.array(LEVELS)[np.searchsorted(EDGES, A_POINTS)]
    (came,), (bent,) = at_reals(R(row), A_POINTS, D_POINTS), at_reals(R(trace(ROW, _bent)), A_POINTS, D_POINTS)
    leaky = trace(ROW, lambda a: 0.25 * a + 0.75 * functions.relu(a))
    same = few_bit.stepwise(leaky, (0.0,), (0.25, 1.0), "leaky")
    node = few_bit.stepwise(Function(X, "tanh").diagram, EDGES, LEVELS, "tanh")
    cell, back = few_bit.Cell(X, EDGES), few_bit.AtLevel(X, LEVELS)
    optic = Optic(cell.cod, copy(X) >> (cell.diagram @ plain(node)), back.diagram)
    other = trace(X, lambda a: 2.0 * functions.sigmoid(2.0 * a) - 1.0)
    return [
        (came, (slopes * D_POINTS).tolist()),
        (came, bent),
        (at_reals(R(same), A_POINTS, D_POINTS), at_reals(R(leaky), A_POINTS, D_POINTS)),
        (optic.lens(), Lens.of(node)),
        (plain(node), Function(X, "tanh").diagram),
        added(node, R),
        of_zero(node, R),
        exchanged(node, D),
        differ(*daggered(node, R)),
        (plain(node), other),
        differ(R(node), R(other)),
    ]


def _random_cells(seed: int, count: int) -> tuple[list[Fraction], list[Fraction]]:
    draw = np.random.default_rng(seed)
    values = [Fraction(int(v), 8) for v in draw.integers(-9, 10, count)]
    return values, [Fraction(int(w), 4) for w in draw.integers(1, 9, count)]


def _error(values: Sequence[Fraction], weights: Sequence[Fraction], level: Fraction) -> Fraction:
    return sum((w * (v - level) ** 2 for v, w in zip(values, weights, strict=True)), Fraction(0))


def _cells_of(some: Sequence[Fraction], cuts: Sequence[int]) -> list[Sequence[Fraction]]:
    ends = [0, *cuts, len(some)]
    return [some[i:j] for i, j in pairwise(ends)]


def _level() -> list[Any]:
    """No level of a grid about the given one has a smaller error, by exact fractions."""
    pairs: list[Any] = []
    for seed, count, cuts in ((0, 1, ()), (1, 5, (2,)), (2, 9, (1, 4, 5)), (3, 4, (1, 2, 3))):
        values, weights = _random_cells(seed, count)
        chosen = few_bit.levels([float(v) for v in values], [float(w) for w in weights], cuts)
        for level, v, w in zip(chosen, _cells_of(values, cuts), _cells_of(weights, cuts), strict=True):
            best = sum((a * b for a, b in zip(v, w, strict=True)), Fraction(0)) / sum(w)
            pairs.append((abs(level - float(best)) < 1e-12, True))
            others = [best + Fraction(k, 16) for k in range(-4, 5) if k]
            pairs.append((all(_error(v, w, best) < _error(v, w, other) for other in others), True))
    return pairs


def _least(values: list[Fraction], weights: list[Fraction], count: int) -> Fraction:
    """The least error of all partitions into so many intervals, one by one."""

    def total(cuts: tuple[int, ...]) -> Fraction:
        parts = zip(_cells_of(values, cuts), _cells_of(weights, cuts), strict=True)
        return sum((_error(v, w, _mean(v, w)) for v, w in parts), Fraction(0))

    return min(total(cuts) for cuts in combinations(range(1, len(values)), count - 1))


def _mean(v: Sequence[Fraction], w: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(v, w, strict=True)), Fraction(0)) / sum(w)


def _partitions() -> list[Any]:
    pairs: list[Any] = []
    for seed, size in ((0, 1), (1, 2), (2, 6), (3, 8), (4, 9)):
        values, weights = _random_cells(seed, size)
        numbers = [float(v) for v in values], [float(w) for w in weights]
        for count in range(1, min(size, 5) + 1):
            cuts, error = few_bit.partition(*numbers, count)
            chosen = zip(_cells_of(values, cuts), _cells_of(weights, cuts), strict=True)
            total = sum((_error(v, w, _mean(v, w)) for v, w in chosen), Fraction(0))
            least = _least(values, weights, count)
            pairs += [(len(cuts), count - 1), (total, least), (abs(error - float(least)) < 1e-9, True)]
    return pairs


def _units(A: Object, scale: float | int = 1) -> Iterable[list[Any]]:
    """The unit vectors of an object, as constant wires; all made inside a traced function."""
    for place, space in enumerate(A):
        for entry in range(space.size):
            direction = [functions.zeros(s) for s in A]
            hot = np.zeros(space.size, int if isinstance(scale, int) else float)
            hot[entry] = scale
            direction[place] = _constant(space, hot)
            yield direction


def _constant(space: Space, values: Any) -> Any:
    entries = values.tolist()
    if not space.shape:
        return functions.constant(space, entries[0])
    elements = [space.carrier.from_integer(v) if isinstance(v, int) else v for v in entries]
    return functions.constant(space, np.array(elements, object).reshape(space.shape))


def _all(f: Diagram) -> Diagram:
    return along(f, range(len(f.dom)))


def _forward(f: Diagram, R: Operator, D: Operator) -> list[Any]:
    """<d, D[f](a, v)> v, additive in d for each v."""
    A, B = f.dom, f.cod
    if not A or not B or not f.additive:
        return []

    def direct(a: Any, v: Any, d: Any) -> list[Any]:
        slope = functions.sum(apply(D(f), a, v)[0] * d[0])
        for one, other in list(zip(apply(D(f), a, v), d, strict=True))[1:]:
            slope = slope + functions.sum(one * other)
        return [slope * wire for wire in v]

    g = _all(f)
    summed = formula([A, A, B, B], lambda a, v, y, z: apply(g, a, v, [b + c for b, c in zip(y, z, strict=True)]))
    apart = formula(
        [A, A, B, B], lambda a, v, y, z: [b + c for b, c in zip(apply(g, a, v, y), apply(g, a, v, z), strict=True)]
    )
    return [(g, formula([A, A, B], direct)), (summed, apart)]


def _summed(parts: Iterable[list[Any]]) -> list[Any]:
    total: list[Any] = []
    for part in parts:
        total = [a + b for a, b in zip(total, part, strict=True)] if total else part
    return total


def _unbiased(f: Diagram, R: Operator) -> list[Any]:
    """The sum over the unit vectors is the gradient; n of them times sqrt(n) have it as their mean."""
    A, B = f.dom, f.cod
    n = sum(space.size for space in A)
    if not n or not B or not f.additive:
        return []
    g = _all(f)
    units = formula([A, B], lambda a, d: _summed(apply(g, a, v, d) for v in _units(A)))
    pairs: list[Any] = [(units, R(f))]
    if all(space.carrier == REAL for space in (*A, *B)) and n <= 4:
        mean = formula(
            [A, B], lambda a, d: [w * (1.0 / n) for w in _summed(apply(g, a, v, d) for v in _units(A, n**0.5))]
        )
        pairs.append((mean, R(f)))
    return pairs


def _sign_vectors(A: Object) -> Iterable[list[Any]]:
    for signs in product((1, -1), repeat=sum(space.size for space in A)):
        rest, made = list(signs), []
        for space in A:
            made.append(functions.constant(space, np.array(rest[: space.size]).reshape(space.shape)))
            rest = rest[space.size :]
        yield made


def _signs(f: Diagram, R: Operator) -> list[Any]:
    """Over all vectors of signs, of which there are 2^n, the sum is 2^n times the gradient."""
    A, B = f.dom, f.cod
    n = sum(space.size for space in A)
    if not 0 < n <= 3 or not B or not f.additive:
        return []
    g = _all(f)
    total = formula([A, B], lambda a, d: _summed(apply(g, a, v, d) for v in _sign_vectors(A)))
    return [(total, formula([A, B], lambda a, d: [w * 2**n for w in apply(R(f), a, d)]))]


def _both_means(f: Diagram, R: Operator) -> list[Any]:
    whole = all(space.carrier in (REAL, INTEGERS) for space in (*f.dom, *f.cod))
    return [*_unbiased(f, R), *(_signs(f, R) if whole else [])]


def _spread(n: int) -> list[Any]:
    """The sum over signs of |<g, v> v - g|^2 is 2^n (n - 1) |g|^2, in the entries of g as variables."""
    row = Space(n, INTEGERS)
    put = along(trace((row, row), lambda g, x: functions.einsum("i,i->", g, x)), (1,))

    def signs(g: Any) -> list[Any]:
        nothing, one = functions.zeros(row), functions.constant(N, 1)
        off = [apply(put, g, [nothing], v, [one])[1] - g[0] for v in _sign_vectors((row,))]
        return [_summed([functions.sum(w * w)] for w in off)[0]]

    return [(formula([(row,)], signs), formula([(row,)], lambda g: [functions.sum(g[0] * g[0]) * (2**n * (n - 1))]))]


def _normal(n: int) -> list[Any]:
    """The same for normal entries is (n + 1) |g|^2: by three points an entry, exact for polynomials up to degree 5."""
    row = Space(n, REAL)
    put = along(trace((row, row), lambda g, x: functions.einsum("i,i->", g, x)), (1,))
    points, weights = (-(3**0.5), 0.0, 3**0.5), (1 / 6, 2 / 3, 1 / 6)

    def mean(g: Any) -> list[Any]:
        total: Any = functions.zeros(X)
        nothing, one = functions.zeros(row), functions.constant(X, 1.0)
        for chosen in product(range(3), repeat=n):
            v = functions.constant(row, np.array([points[k] for k in chosen]))
            off = apply(put, g, [nothing], [v], [one])[1] - g[0]
            total = total + functions.sum(off * off) * float(np.prod([weights[k] for k in chosen]))
        return [total]

    return [(formula([(row,)], mean), formula([(row,)], lambda g: [functions.sum(g[0] * g[0]) * float(n + 1)]))]


def _functorial(f: Diagram, g: Diagram, R: Operator) -> list[Any]:
    """Over all pairs of unit vectors the composites of the two puts sum to R[f ; g]; one composite is not it."""
    A, B, C = f.dom, f.cod, g.cod
    n, m = (sum(space.size for space in S) for S in (A, B))
    if not n or not m or not C or not f.additive or not g.additive or n * m > 16:
        return []

    def total(a: Any, c: Any) -> list[Any]:
        b = apply(plain(f), a)
        return _summed(apply(_all(f), a, v, apply(_all(g), b, u, c)) for v in _units(A) for u in _units(B))

    return [(formula([A, C], total), R(f >> g))]


def _not_functorial() -> list[Any]:
    """With v for the whole, and with v and u for its parts: identities of two numbers, one after the other."""
    row = (Space(2, INTEGERS),)
    one = _all(formula([row], lambda x: [x[0] * functions.constant(row[0], 1)]))
    whole = formula([row] * 4, lambda a, v, u, d: apply(one, a, v, d))
    parts = formula([row] * 4, lambda a, v, u, d: apply(one, a, v, apply(one, a, u, d)))
    return [differ(whole, parts)]


_RING = ("own", "add", "multiply")
_REALS = ("shipped", "real")
ESTIMATES: tuple[Law, ...] = (
    Law("BWD.fewbit", "put levels[cell(a)] d: the optic that keeps the cell, R of a piecewise linear map", FEW, "",
        _few, _REALS),
    Law("BWD.fewbit.level", "the best level of a cell is the weighted mean", FEW, "", _level, _REALS),
    Law("BWD.fewbit.dp", "the best of all partitions into intervals", FEW, "", _partitions, _REALS),
    Law("BWD.fwdgrad", "put(a, d) = <d, D[f](a, v)> v, additive for each v", FORWARD, "f: A -> B", _forward, _RING),
    Law("BWD.fwdgrad.unbiased", "over unit vectors the sum, over signs, sqrt(n) e_i the mean, is R[f](a, d)", FORWARD,
        "f: A -> B", _both_means, _RING),
    Law("BWD.fwdgrad.var", "E|put - g|^2 = (n - 1)|g|^2 for signs", FORWARD, "",
        lambda: [pair for n in (1, 2, 3, 4) for pair in _spread(n)], ("shipped", "INTEGERS")),
    Law("BWD.fwdgrad.var.normal", "E|put - g|^2 = (n + 1)|g|^2 for normal entries", FORWARD, "",
        lambda: [pair for n in (1, 2) for pair in _normal(n)], _REALS),
    Law("BWD.fwdgrad.functorial", "with v of its own for each layer the mean of the composites is R[f ; g]", FORWARD,
        "f: A -> B, g: B -> C", _functorial, _RING),
    Law("BWD.fwdgrad.functorial.one", "one composite of draws is not the draw of the composite", FORWARD, "",
        _not_functorial, ("shipped", "INTEGERS")),
)  # fmt: skip
"""The laws of slopes in few bits, and of forward gradients."""
