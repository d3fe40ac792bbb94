"""Laws of bits that change by votes: tables, thresholds, counters, losses on counts, rescaling, Boolean variation.

What is no polynomial (a sign, a bound, a rounding) is compared with Python's own whole numbers, at points.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from catlearn import count_losses, counters, functions
from catlearn.diagram import Diagram, copy
from catlearn.frozen import Frozen
from catlearn.functors.exact import Exact
from catlearn.functors.symbolic import polynomials
from catlearn.generators.counting import Clamp, Dither, Popcount, Positive, Scaled, Shares
from catlearn.generators.rescaling import RescaleVotes, rescale
from catlearn.generators.tables import Read
from catlearn.generators.thresholds import AtLeast
from catlearn.laws.derivatives import Operator
from catlearn.laws.law import Law, Pair, differ
from catlearn.laws.oracles import formal_derivative, tuple_of
from catlearn.losses import Loss
from catlearn.optimisers import Optimiser, optimiser
from catlearn.semirings import BITS, INTEGERS, Z2
from catlearn.space import Space
from catlearn.tracing import trace

__all__ = ["VOTES"]

OURS, BV = "catlearn", "Nguyen et al., Boolean variation and Boolean logic backpropagation (2311.07427)"
BIT, NUMBER = Space((), BITS), Space((), INTEGERS)


def _at(f: Diagram, *point: Any) -> list[Any]:
    """What a diagram makes of a point, by exact whole numbers."""
    return [np.asarray(v).tolist() for v in tuple_of(Exact()(f)(*point))]


def _denoted(f: Diagram, *point: Iterable[int]) -> list[Any]:
    """What the polynomials of a diagram are at a point."""
    values = {f"x{k}": v for k, v in enumerate(v for part in point for v in part)}
    return [p.at(values) for p in polynomials(f)]


def _cut(x: int, bound: int) -> int:
    return max(-bound, min(bound, x))


def _table(wiring: Any, inputs: int, rows: tuple[int, ...] = ()) -> Diagram:
    return Read(BITS, Frozen(np.asarray(wiring, int)), inputs, rows).diagram


ONE, TWO = _table([[0]], 1), _table([[0, 1]], 2)


def _lut(R: Operator) -> list[Any]:
    """As polynomials at small shapes; at all points of all tables of one and two inputs."""
    shapes = (ONE, TWO, _table([[0, 0]], 1), _table([[0], [0]], 1), _table([[0]], 1, (2,)))
    pairs: list[Any] = [(polynomials(R(f)), formal_derivative(f)) for f in shapes]
    for k, f in ((1, ONE), (2, TWO)):
        for t, x in product(product((0, 1), repeat=2**k), product((0, 1), repeat=k)):
            a = sum(bit << i for i, bit in enumerate(x))
            slopes = [3 * (t[a | 1 << i] - t[a & ~(1 << i)]) for i in range(k)]
            pairs += [(_at(f, [t], x), [[t[a]]]), (_denoted(f, t, x), [t[a]])]
            pairs.append((_at(R(f), [t], x, [3]), [[[3 * (j == a) for j in range(2**k)]], slopes]))
    return pairs


def _conv(R: Operator) -> list[Any]:
    """Tables at places, or on samples, are the tables at each on one wire of entries, so R adds the votes up."""
    places, bits = [[0, 1], [1, 2], [1, 1]], Space(3, BITS)
    tied = _table([[p] for p in places], 3)
    batch = _table([[0, 1]], 2, (2,))

    def at_places(t: Any, x: Any) -> Any:
        return functions.concatenate([functions.reshape(TWO(t, functions.gather(x, p)), (1, 1)) for p in places])

    def on_samples(t: Any, x: Any) -> Any:
        return functions.concatenate([functions.reshape(TWO(t, x[k]), (1, 1)) for k in range(2)])

    each, halves = trace((tied.dom[0], bits), at_places), trace(batch.dom, on_samples)
    return [(tied, each), (R(tied), R(each)), (batch, halves), (R(batch), R(halves))]


def _pooling(R: Operator) -> list[Any]:
    """x'_i = v [the others sum to t - 1]; for or, t = 1, where all the others are 0."""
    pairs: list[Any] = []
    for m, t in ((1, 1), (2, 1), (3, 1), (3, 2), (3, 3)):
        f = AtLeast(Frozen(np.arange(m)), m, t).diagram
        pairs.append((polynomials(R(f)), formal_derivative(f)))
        for x in product((0, 1), repeat=m):
            pairs += [(_at(f, x), [int(sum(x) >= t)]), (_denoted(f, x), [int(sum(x) >= t)])]
            pairs.append((_at(R(f), x, 5), [[5 * (sum(x) - bit == t - 1) for bit in x]]))
    return pairs


def _group_sum(R: Operator) -> list[Any]:
    f = Popcount(Space((2, 3), BITS)).diagram
    summed = trace(f.dom, lambda x: functions.sum(functions.include(x), 1))
    copied = trace((*f.dom, *f.cod), lambda x, d: functions.gather(functions.reshape(d, (2, 1)), [0, 0, 0], 1))
    return [(f, summed), (R(f), copied)]


def _base(R: Operator) -> list[Any]:
    """Over Z2 the reverse of a table's polynomial is the parity of its votes; two votes cancel there."""
    bit = Space((), Z2)
    f = trace((bit,) * 3, lambda a, b, x: a + x * (a + b))
    pairs: list[Any] = []
    for a, b, x, v in product((0, 1), (0, 1), (0, 1), (-3, -2, 1)):
        (entries,), inputs = _at(R(ONE), [[a, b]], [x], [v])
        pairs.append(([vote % 2 for vote in (*entries, *inputs)], _at(R(f), a, b, x, v % 2)))
    return [*pairs, (_at(R(copy(bit)), 1, 1, 1), [0]), (_at(R(copy(BIT)), 1, 1, 1), [2])]


def _select(R: Operator) -> list[Any]:
    """x'_j = [s = j] v, s'_l = (x at s_l = 1 - x at s_l = 0) v."""
    from catlearn.layers.circuits import select_wires

    f = select_wires(4, 1, 4, wiring=np.arange(4)[None]).morphism
    pairs: list[Any] = []
    for s, x in product(product((0, 1), repeat=2), product((0, 1), repeat=4)):
        j = s[0] + 2 * s[1]
        moved = [3 * (x[j | 1 << level] - x[j & ~(1 << level)]) for level in (0, 1)]
        pairs.append((_at(f, [s], x), [[x[j]]]))
        pairs.append((_at(R(f), [s], x, [3]), [[moved], [3 * (k == j) for k in range(4)]]))
    return pairs


def _on_counts(loss: Loss, residual: Callable[[int, list[int]], list[int]], R: Operator) -> list[Any]:
    """The loss is r_y and its reverse -a r, which the cap -1 sends upward."""
    pairs: list[Any] = []
    for counts in ([3, 1, 2], [9, 5, 6], [0, 0, 0], [40, 5, 38], [-1, 90, 0], [7, 7, 6], [4]):
        prediction = Space(len(counts), INTEGERS)
        whole = loss.para((prediction,))
        e = whole.morphism
        for y in range(len(counts)):
            r = residual(y, counts)
            pairs.append((_at(e, y, counts), [r[y]]))
            pairs.append((_at(R(e), y, counts, 2)[1], [-2 * vote for vote in r]))
            pairs.append((_at(R(e), y, counts, -1)[1], r))
    return pairs


def _shares(counts: list[int], scale: int, temperature: float) -> list[int]:
    e = [round(4096 * math.exp(-(max(counts) - c) / temperature)) for c in counts]
    return [math.floor(Fraction(scale * k, sum(e)) + Fraction(1, 2)) for k in e]


def _soft_residual(R: Operator) -> list[Any]:
    def residual(y: int, counts: list[int]) -> list[int]:
        return [16 * (k == y) - share for k, share in enumerate(_shares(counts, 16, 5.0))]

    table = Shares(Space(2, INTEGERS), 16, 20.0).table.tolist()
    exponentials = [round(4096 * math.exp(-i / 20.0)) for i in range(len(table))]
    return [(table, exponentials), *_on_counts(count_losses.count_softmax(16, 5.0), residual, R)]


def _margin(R: Operator) -> list[Any]:
    def residual(y: int, counts: list[int]) -> list[int]:
        near = [int(k != y and counts[y] - c < 4) for k, c in enumerate(counts)]
        return [sum(near) if k == y else -n for k, n in enumerate(near)]

    return _on_counts(count_losses.count_margin(4), residual, R)


def _step(rule: Optimiser, votes: int, *state: int) -> list[Any]:
    """What one bit's optimiser stores after a step, and the bit before it."""
    bound = rule.bound(BIT)
    return [*_at(bound.put, *state, votes), *_at(bound.get, *state)]


def _counter() -> list[Any]:
    """s+ = s + v cut to +-T; the bit is [s > 0]; a bit starts at a quarter of T, on its side."""
    pairs: list[Any] = []
    for limit in (1, 4):
        for s, v in product(range(-limit, limit + 1), (-9, -2, -1, 0, 1, 3, 9)):
            pairs.append((_step(counters.saturating(limit), v, s), [_cut(s + v, limit), int(s > 0)]))
    bits = Space(2, BITS)
    started = [counters.saturating(limit).init([np.array([0, 1])], bits)[-1].tolist() for limit in (1, 512)]
    return [*pairs, (started, [[-1, 1], [-128, 128]])]


def _accumulator() -> list[Any]:
    """m+ = m + v (1 - 2 b), not below -t; where m+ >= t the bit flips and m starts at 0 again."""
    pairs: list[Any] = []
    for m, b, v in product((-3, 0, 2), (0, 1), (-9, -1, 0, 1, 3)):
        total = m + v * (1 - 2 * b)
        after = [0, 1 - b] if total >= 3 else [max(total, -3), b]
        pairs.append((_step(counters.accumulator(3), v, m, b), [*after, b]))
    return pairs


def _flip() -> list[Any]:
    """The bit flips where a draw from 2^15 is below its share: always at the threshold, never against the votes."""
    (many,) = _at(Dither((40,), 15, 0).diagram, 3)
    pairs: list[Any] = [(0 <= min(many) <= max(many) < 2**15, True), (max(many) >= 2**14, True)]
    for n, b, v in product((0, 5, 77), (0, 1), (-20, -8, -3, 0, 2, 8)):
        (drawn,), wanted = _at(Dither((), 15, 0).diagram, n), _cut(v * (1 - 2 * b), 8)
        flips = wanted * 2**15 > drawn * 8
        pairs.append((_step(counters.flipping(8), v, n, b), [n + 1, b ^ flips, b]))
    return pairs


def _majority() -> list[Any]:
    rule = counters.majority()
    return [
        (_step(rule, v, b), [int(v > 0) if v else b, b]) for b, v in product((0, 1), (-5, -1, 0, 1, 7))
    ]  # fmt: skip


def _clip() -> list[Any]:
    """Get 1, put cut to +-c; next to the optimiser, so the counter adds what is left."""
    rule, pairs = optimiser("clipped", counters.clip_votes(2) >> counters.count_votes(9)), list[Any]()
    for s, v in product((-8, 0, 5), (-7, -2, 1, 2, 30)):
        pairs.append((_step(rule, v, s), [_cut(s + _cut(v, 2), 9), int(s > 0)]))
    return pairs


def _exponent(votes: list[int], target: int) -> int:
    """The largest e from -15 to 7 with 2^e (sum |v|) <= sqrt(2) target n."""
    reached = 2 * (target * len(votes)) ** 2
    return next(e for e in range(7, -16, -1) if Fraction(4) ** e * sum(map(abs, votes)) ** 2 <= reached)


def _rescale(R: Operator) -> list[Any]:
    """Get 1; put the votes times 2^e, rounded up or down; it keeps no sums, and is marked."""
    pairs: list[Any] = []
    for votes in ([8, -24, 0, 3], [1, 0, 0, -1], [0, 0, 0, 0], [200, 5, -5, 40], [1, 2, 3, 4]):
        (came,) = _at(RescaleVotes(Space(4, INTEGERS), 4).diagram, votes)
        exact = [Fraction(v) * Fraction(2) ** _exponent(votes, 4) for v in votes]
        pairs += [(c in (math.floor(x), math.ceil(x)), True) for c, x in zip(came, exact, strict=True)]
    f = trace(Space(2, BITS), lambda x: rescale(x, 2))
    (once,), (twice,) = (_at(R(f), [0, 1], [v, 0]) for v in (9, 18))
    rounded = [sum(_at(Scaled(NUMBER, 3).diagram, v, 5, u)[0] for u in range(8)) for v in (-7, 0, 3)]
    by_constant = (rounded, [-35, 0, 15])  # over all dithers the mean is exact
    return [*pairs, by_constant, (_at(f, [0, 1]), [[0, 1]]), (f.lawful, False), differ(twice, [2 * v for v in once])]


def _steps(R: Operator) -> list[Any]:
    """[x > 0] has the zero derivative; the bound takes the change of what it cuts."""
    pairs: list[Any] = []
    for x in (-3, -1, 0, 1, 5):
        pairs += [(_at(Positive(NUMBER).diagram, x), [int(x > 0)]), (_at(R(Positive(NUMBER).diagram), x, 7), [0])]
        side = (x >= 2) - (x <= -2)
        pairs.append((_at(Clamp(NUMBER).diagram, x, 2), [_cut(x, 2)]))
        pairs.append((_at(R(Clamp(NUMBER).diagram), x, 2, 7), [0 if side else 7, 7 * side]))
    return pairs


def _variation(f: Callable[..., int], x: tuple[int, ...], k: int) -> int:
    """xnor(delta(x -> not x), delta(f(x) -> f(not x))) in input k, coded +1, 0, -1."""
    turned = tuple(1 - bit if i == k else bit for i, bit in enumerate(x))
    return (turned[k] - x[k]) * (f(*turned) - f(*x))


def _of_table(t: tuple[int, ...]) -> Callable[..., int]:
    return lambda *x: t[sum(bit << i for i, bit in enumerate(x))]


def _variations(R: Operator) -> list[Any]:
    """Of a table that reads each bit once, R at the vote 1 is the variation in each input, all tables of two."""
    pairs: list[Any] = []
    for t, x in product(product((0, 1), repeat=4), product((0, 1), repeat=2)):
        pairs.append((_at(R(TWO), [t], x, [1])[1], [_variation(_of_table(t), x, k) for k in range(2)]))
    return pairs


def _gates(R: Operator) -> list[Any]:
    """Coded T = 1, F = -1: xor(x, a)' = not a, xnor' = a, and' = T if a, or' = T unless a, not' = F."""
    pairs: list[Any] = [(_at(R(trace(BIT, functions.invert)), x, 1), [-1]) for x in (0, 1)]
    rules: tuple[tuple[Any, Callable[[int], int]], ...] = (
        (functions.xor, lambda a: 1 - 2 * a),
        (lambda x, y: functions.invert(functions.xor(x, y)), lambda a: 2 * a - 1),
        (lambda x, y: x * y, lambda a: a),
        (functions.union, lambda a: 1 - a),
    )
    for gate, slope in rules:
        for x, a in product((0, 1), repeat=2):
            pairs.append((_at(R(trace((BIT, BIT), gate)), x, a, 1), [slope(a), slope(x)]))
    return pairs


def _chain(R: Operator) -> list[Any]:
    """(f ; g)'(x) = xnor(g'(f(x)), f'(x)) for maps of one bit, and it is R of their composite."""
    both = trace((*ONE.dom, ONE.dom[0]), lambda f, x, g: ONE(g, ONE(f, x)))
    pairs: list[Any] = []
    for f, g, x in product(product((0, 1), repeat=2), product((0, 1), repeat=2), (0, 1)):
        whole = _variation(lambda z, f=f, g=g: g[f[z]], (x,), 0)
        pairs.append((_variation(_of_table(g), (f[x],), 0) * _variation(_of_table(f), (x,), 0), whole))
        pairs.append((_at(R(both), [f], [x], [g], [1])[1], [whole]))
    return pairs


def _difference(R: Operator) -> list[Any]:
    """|f'| is the Boolean difference: f(x) xor f(x with the bit turned)."""
    pairs: list[Any] = []
    for t, (x, y) in product(product((0, 1), repeat=4), product((0, 1), repeat=2)):
        f = _of_table(t)
        sizes = [abs(vote) for vote in _at(R(TWO), [t], [x, y], [1])[1]]
        pairs.append((sizes, [f(x, y) ^ f(1 - x, y), f(x, y) ^ f(x, 1 - y)]))
    return pairs


def _many_paths(R: Operator) -> list[Pair | tuple[Any, Any]]:
    """xor(x, x) has the variation 0, and the votes over its two paths sum to +-2."""
    f = copy(BIT) >> trace((BIT, BIT), functions.xor)
    varied = [_variation(lambda x: x ^ x, (x,), 0) for x in (0, 1)]
    counted = [_at(R(f), x, 1)[0] for x in (0, 1)]
    return [(varied, [0, 0]), (counted, [2, -2]), differ(varied, counted)]


def _improves() -> list[Any]:
    """A bit flips iff the variation of the loss says so; then the loss is strictly less, and else it stays."""
    rule, pairs = counters.accumulator(1), list[Any]()
    for b, low, high in product((0, 1), range(3), range(3)):
        loss = (low, high)
        _, after, _ = _step(rule, low - high, 0, b)
        pairs.append((loss[after] < loss[b], loss[1 - b] < loss[b]))
        pairs.append((after != b, loss[after] < loss[b]))
    return pairs


def _law(name: str, statement: str, sides: Callable[..., Any], source: str = OURS) -> Law:
    return Law(name, statement, source, "", sides, ("shipped", "BITS"))


VOTES: tuple[Law, ...] = (
    _law("BIT.lut", "a table is sum_a t_a prod_i (x_i if a_i else 1 - x_i) over Z, R its formal derivative", _lut),
    _law("BIT.conv", "tables at places share their entries: votes are summed over places and samples", _conv),
    _law("BIT.orpool", "x'_i = v [the others sum to t - 1]; or is t = 1", _pooling),
    _law("BIT.groupsum", "class counts: gets sum, puts copy", _group_sum),
    _law("BIT.base", "over Z2 a table's reverse is the parity of its votes; two votes cancel", _base),
    _law("BIT.select", "x'_j = [s = j] v, s'_l = (x at s_l = 1 - x at s_l = 0) v", _select),
    _law("BIT.softres", "r_k = q [k = y] - round(q p_k) by an integer table; the reverse is -a r", _soft_residual),
    _law("BIT.margin", "r_y = the rivals within m, r_k = -1 for each; the reverse is -a r", _margin),
    _law("BIT.counter", "s+ = s + v cut to +-T, the bit [s > 0], started at a quarter of T", _counter),
    _law("BIT.accumulator", "m+ = m + v (1 - 2 b); at t the bit flips and m is 0 again", _accumulator),
    _law("BIT.flip", "flip with probability v (1 - 2 b) / t, cut to [0, 1]", _flip),
    _law("BIT.majority", "the bit becomes [v > 0], and stays where v = 0", _majority),
    _law("BIT.clip", "get 1, put cut to +-c", _clip),
    _law("BIT.rescale", "get 1, put times a power of two to a mean size, rounded; not additive", _rescale),
    _law("BIT.steps", "[x > 0] has the zero derivative, a bound takes the change of what it cuts", _steps),
    _law("BVAR.def", "R of a table at the vote 1 is its variation in each input", _variations, BV),
    _law("BVAR.table", "not' = F, xor(x, a)' = not a, xnor' = a, and' = a, or' = not a", _gates, BV),
    _law("BVAR.chain", "(f ; g)'(x) = xnor(g'(f(x)), f'(x)) for maps of one bit", _chain, BV),
    _law("BVAR.difference", "|f'| is the Boolean difference", _difference, BV),
    _law("BVAR.multipath", "xor(x, x)' = 0, and its votes over two paths sum to +-2", _many_paths, BV),
    _law("BVAR.flip", "a flip that the variation of the loss wants makes it strictly less", _improves, BV),
)
"""The laws of bits that change by votes."""
