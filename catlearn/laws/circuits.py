"""Laws of polynomial circuits: the equations of the semiring, with equal reverse derivatives on both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product
from math import factorial, gcd, prod
from typing import Any

import numpy as np

from catlearn import functions
from catlearn.diagram import Diagram, copy, discard, identity, swap
from catlearn.functors.exact import Exact
from catlearn.functors.symbolic import polynomials
from catlearn.generators.arithmetic import Constant
from catlearn.generators.comparison import Compare
from catlearn.laws.derivatives import PC, Operator
from catlearn.laws.law import Law, Pair, apply, at_points, differ, formula
from catlearn.laws.oracles import denotes, finite_values, formal_derivative
from catlearn.rigs import BOOLEAN, Saturating
from catlearn.semirings import BITS, Z2, Carrier, Modular
from catlearn.space import Object, Space, changes

__all__ = ["CIRCUITS", "EQUATIONS", "boolean_difference", "compare", "polynomial_functions"]

Sides = Callable[..., Iterable[Any]]


def _add(A: Object) -> Diagram:
    return functions.add(A)


def _mul(A: Object) -> Diagram:
    return formula([A, A], lambda x, y: [a * b for a, b in zip(x, y, strict=True)])


def _constant(A: Object, number: Any) -> Diagram:
    result = identity()
    for space in A:
        value = space.carrier.from_integer(number) if isinstance(number, int) else number
        result = result @ Constant(space, value).diagram
    return result


def _equation(sides: Callable[[Object], tuple[Diagram, Diagram]]) -> Sides:
    """Both sides denote the same polynomials and the same functions, and so do their reverse derivatives."""

    def pairs(A: Object, R: Operator) -> list[Any]:
        left, right = sides(A)
        return [(left, right), at_points(left, right), (R(left), R(right)), at_points(R(left), R(right))]

    return pairs


def _middle(A: Object) -> Diagram:
    return identity(A) @ swap(A, A) @ identity(A)


def _distributes(A: Object) -> tuple[Diagram, Diagram]:
    left = (identity(A) @ _add(A)) >> _mul(A)
    spread = (copy(A) @ identity(A + A)) >> _middle(A)
    return left, spread >> (_mul(A) @ _mul(A)) >> _add(A)


EQUATIONS: tuple[tuple[str, str, Callable[[Object], tuple[Diagram, Diagram]]], ...] = (
    ("copy.assoc", "copy ; (copy x 1) = copy ; (1 x copy)", lambda A: (
        copy(A) >> (copy(A) @ identity(A)), copy(A) >> (identity(A) @ copy(A)))),
    ("copy.unit", "copy ; (discard x 1) = 1", lambda A: (copy(A) >> (discard(A) @ identity(A)), identity(A))),
    ("copy.comm", "copy ; swap = copy", lambda A: (copy(A) >> swap(A, A), copy(A))),
    ("add.assoc", "(add x 1) ; add = (1 x add) ; add", lambda A: (
        (_add(A) @ identity(A)) >> _add(A), (identity(A) @ _add(A)) >> _add(A))),
    ("add.unit", "(zero x 1) ; add = 1", lambda A: ((_constant(A, 0) @ identity(A)) >> _add(A), identity(A))),
    ("add.comm", "swap ; add = add", lambda A: (swap(A, A) >> _add(A), _add(A))),
    ("mul.assoc", "(mul x 1) ; mul = (1 x mul) ; mul", lambda A: (
        (_mul(A) @ identity(A)) >> _mul(A), (identity(A) @ _mul(A)) >> _mul(A))),
    ("mul.unit", "(one x 1) ; mul = 1", lambda A: ((_constant(A, 1) @ identity(A)) >> _mul(A), identity(A))),
    ("mul.comm", "swap ; mul = mul", lambda A: (swap(A, A) >> _mul(A), _mul(A))),
    ("add.copy", "add ; copy = (copy x copy) ; (1 x swap x 1) ; (add x add)", lambda A: (
        _add(A) >> copy(A), (copy(A) @ copy(A)) >> _middle(A) >> (_add(A) @ _add(A)))),
    ("mul.copy", "mul ; copy = (copy x copy) ; (1 x swap x 1) ; (mul x mul)", lambda A: (
        _mul(A) >> copy(A), (copy(A) @ copy(A)) >> _middle(A) >> (_mul(A) @ _mul(A)))),
    ("zero.copy", "zero ; copy = zero x zero", lambda A: (
        _constant(A, 0) >> copy(A), _constant(A, 0) @ _constant(A, 0))),
    ("one.copy", "one ; copy = one x one", lambda A: (_constant(A, 1) >> copy(A), _constant(A, 1) @ _constant(A, 1))),
    ("add.discard", "add ; discard = discard x discard", lambda A: (_add(A) >> discard(A), discard(A) @ discard(A))),
    ("mul.discard", "mul ; discard = discard x discard", lambda A: (_mul(A) >> discard(A), discard(A) @ discard(A))),
    ("zero.discard", "zero ; discard = 1", lambda A: (_constant(A, 0) >> discard(A), identity())),
    ("distrib", "(1 x add) ; mul = (copy x 1 x 1) ; (1 x swap x 1) ; (mul x mul) ; add", _distributes),
    ("annihil", "(1 x zero) ; mul = discard ; zero", lambda A: (
        (identity(A) @ _constant(A, 0)) >> _mul(A), discard(A) >> _constant(A, 0))),
)  # fmt: skip
"""Name, statement, and the two sides on an object."""


def _constants(s: Diagram, t: Diagram, A: Object) -> list[Any]:
    """Constants add and multiply as the semiring does: (s x t) ; add = (s + t), on what they evaluate to."""
    run, pairs = Exact(), []
    for k, space in enumerate(A):
        values = [run(each.select([k]))() for each in (s, t)]
        for gate, name in ((_add((space,)), "add"), (_mul((space,)), "multiply")):
            joined = (s.select([k]) @ t.select([k])) >> gate
            expected = getattr(space.carrier, name)(np, *values)
            pairs.append((np.asarray(run(joined)()).tolist(), np.asarray(expected).tolist()))
    return pairs


def _reverse_of_gates(A: Object, R: Operator) -> list[Any]:
    """R of each generator of circuits, written out."""
    B = changes(A)

    def product_rule(x: Any, y: Any, d: Any) -> list[Any]:
        inc = functions.include
        back = [(inc(b) * c, inc(a) * c) for a, b, c in zip(x, y, d, strict=True)]
        return [*(b for b, _ in back), *(b for _, b in back)]

    own = A == B
    adds: list[Any] = []
    if own:
        adds = [
            (R(_add(A)), formula([A, A, A], lambda x, y, d: [*d, *d])),
            (R(_constant(A, 0)), discard(A)),
            (R(_constant(A, 1)), discard(A)),
        ]
    return [
        *adds,
        (R(_mul(A)), formula([A, A, B], product_rule)),
        (R(copy(A)), formula([A, B, B], lambda x, d, e: [a + b for a, b in zip(d, e, strict=True)])),
        (R(discard(A)), functions.zero(A, B)),
        (R(identity(A)), discard(A) @ identity(B)),
        (R(swap(A, A)), discard(A + A) @ swap(B, B)),
    ]


def _is_formal(f: Diagram, R: Operator) -> list[Any]:
    """R on the circuit is the formal derivative of the polynomials that it denotes."""
    return [(polynomials(R(f)), formal_derivative(f))] if denotes(f) else []


def boolean_difference(f: Diagram) -> Diagram:
    """R'[f](x, d)_i = sum over j of d_j (f_j(x) + f_j(x + e_i)), over scalars of Z2: brute force, and no functor.

    >>> from catlearn.semirings import Z2
    >>> bit = (Space((), Z2),)
    >>> joined = copy(bit) >> formula([bit, bit], lambda x, y: [x[0] * y[0]])
    >>> int(boolean_difference(joined)(1, 1)), int(boolean_difference(identity(bit))(1, 1))
    (1, 1)
    """

    def rule(x: Any, d: Any) -> list[Any]:
        here, backs = apply(f, x), []
        for i, wire in enumerate(x):
            there = apply(f, [w + 1 if k == i else w for k, w in enumerate(x)])
            total = functions.zeros(wire.space)
            for before, after, change in zip(here, there, d, strict=True):
                total = total + change * (before + after)
            backs.append(total)
        return backs

    return formula([f.dom, changes(f.cod)], rule)


def _multilinear(f: Diagram) -> bool:
    return all(e == 1 for p in polynomials(f) for monomial in p.terms for _, e in monomial)


def _difference(f: Diagram, R: Operator) -> list[Any]:
    """Where the denoted polynomial has no square, R[f] and the Boolean difference are one function."""
    scalars = all(space.shape == () for space in (*f.dom, *f.cod))
    return [at_points(R(f), boolean_difference(f))] if scalars and _multilinear(f) else []


def _joined(space: Space) -> Diagram:
    return copy(space) >> _mul((space,))


def _no_chain(A: Object) -> list[Any]:
    """copy ; and is the identity function, with difference d; R[copy ; and] is 2 x d = 0."""
    bit = (Space((), Z2),)
    both, zero = _joined(bit[0]), functions.zero(bit + bit, bit)
    from catlearn.reverse import reverse_derivative

    return [
        at_points(both, identity(bit)),
        (reverse_derivative(both), zero),
        at_points(boolean_difference(both), discard(bit) @ identity(bit)),
        differ(boolean_difference(both), reverse_derivative(both), points=True),
    ]


def _wraps(R: Operator) -> list[Any]:
    """Over Z2 two uses of one wire cancel; over the Booleans they do not."""
    pairs: list[Any] = []
    for carrier, cancels in ((Z2, True), (BOOLEAN, False), (Saturating(3), False)):
        s = (Space((), carrier),)
        back = R(copy(s) >> _add(s))
        zero = functions.zero(s + s, s)
        pairs.append((back, zero) if cancels else differ(back, zero, points=True))
    return pairs


def _vanishes(R: Operator) -> list[Any]:
    """x^3 over Z3 and 2 x^2 over Z4 have the derivative zero, and are not constant."""
    pairs: list[Any] = []
    for n, power, factor in ((3, 3, 1), (4, 2, 2)):
        s = (Space((), Modular(n)),)

        def polynomial(x: Any, power: int = power, factor: int = factor) -> list[Any]:
            return [prod([x[0]] * (power - 1), start=x[0]) * factor]

        f = formula([s], polynomial)
        pairs += [(R(f), functions.zero(s + s, s)), differ(f, discard(s) >> _constant(s, 0), points=True)]
    return pairs


def _not_functions(R: Operator) -> list[Any]:
    """x^2 + x over Z2 is the function zero and has a derivative; over the Booleans x x and x are one function."""
    bit, truth = (Space((), Z2),), (Space((), BOOLEAN),)
    f = formula([bit], lambda x: [x[0] * x[0] + x[0]])
    square = _joined(truth[0])
    return [
        at_points(f, functions.zero(bit, bit)),
        differ(R(f), functions.zero(bit + bit, bit), points=True),
        at_points(square, identity(truth)),
        differ(R(square), R(identity(truth)), points=True),
    ]


def _complete(carrier: Carrier, arity: int, functions_of: int) -> bool:
    """Whether the polynomials in `arity` variables are as many functions as there are."""
    return len(polynomial_functions(carrier, arity)) == functions_of


def polynomial_functions(carrier: Carrier, arity: int) -> set[tuple[int, ...]]:
    """The value tables of all polynomials: the closure of constants and variables under + and x."""
    values = finite_values(carrier) or []
    points = list(product(values, repeat=arity))
    known = {tuple(v for _ in points) for v in values} | {tuple(p[k] for p in points) for k in range(arity)}
    fresh = set(known)
    while fresh:
        made = set()
        for x in fresh:
            for y in known:
                for name in ("add", "multiply"):
                    table = tuple(int(getattr(carrier, name)(np, a, b)) for a, b in zip(x, y, strict=True))
                    made.add(table)
        fresh = made - known
        known |= fresh
    return known


def compare(p: int) -> Diagram:
    """1 - (x - y)^(p - 1) over the integers modulo p."""
    s = (Space((), Modular(p)),)
    return formula([s, s], lambda x, y: [1 - (x[0] - y[0]) ** (p - 1)])


def _table(f: Diagram, p: int) -> list[int]:
    run = Exact()(f)
    return [int(run(x, y)) for x in range(p) for y in range(p)]


def _prime() -> list[Any]:
    return [(_table(compare(p), p), [int(x == y) for x in range(p) for y in range(p)]) for p in (2, 3, 5, 7)] + [
        (_complete(Modular(p), 1, p**p), True) for p in (2, 3)
    ]


def _composite() -> list[Any]:
    """[x = 0] is a polynomial function exactly for primes."""
    is_zero = {n: tuple(int(x == 0) for x in range(n)) for n in range(2, 5)}
    return [(is_zero[n] in polynomial_functions(Modular(n), 1), n in (2, 3)) for n in is_zero]


def _counts() -> list[Any]:
    """The unary polynomial functions on Z_n are the product over k of n / gcd(n, k!)."""
    return [
        (len(polynomial_functions(Modular(n), 1)), prod(n // gcd(n, factorial(k)) for k in range(n + 1)))
        for n in (2, 3, 4)
    ]


def _monotone() -> list[Any]:
    """Over the Booleans and the saturating naturals polynomials are monotone, so that not is none of them."""
    pairs = []
    for carrier in (BOOLEAN, Saturating(2), Saturating(3)):
        tables = polynomial_functions(carrier, 1)
        pairs.append((all(list(t) == sorted(t) for t in tables), True))
        pairs.append((tuple(reversed(range(len(next(iter(tables)))))) in tables, False))
    return pairs


def _functional_completeness() -> list[Any]:
    """Every f: S^m -> S is the sum over s of compare(s, x) f(s), here for all f of one input, and all f: Z2^2 -> Z2."""
    pairs: list[Any] = []
    for carrier, arity in ((Modular(3), 1), (Modular(4), 1), (BOOLEAN, 1), (Saturating(3), 1), (Modular(2), 2)):
        s, domain = Space((), carrier), finite_values(carrier) or []
        points, prime = list(product(domain, repeat=arity)), len(domain) in (2, 3) and carrier.has("negate")
        equals = compare(len(domain)) if prime else Compare(s).diagram
        for values in product(domain, repeat=len(points)):

            def f(*x: Any, values: Any = values, points: Any = points, equals: Any = equals, s: Any = s) -> Any:
                total = functions.zeros(s)
                for point, value in zip(points, values, strict=True):
                    term = functions.constant(s, value)
                    for k, wire in zip(point, x, strict=True):
                        term = term * equals(functions.constant(s, k), wire)
                    total = total + term
                return [total]

            denoted = Exact()(formula([(s,) * arity], lambda x, f=f: f(*x)))
            pairs.append(([int(denoted(*point)) for point in points], list(values)))
    return pairs


def _comparing(R: Operator) -> list[Any]:
    """The zero and the copying reverse of compare are additive in the cotangent; the formal one is forced."""
    pairs: list[Any] = []
    for p in (2, 3):
        s = Space((), Modular(p))

        def slope(x: Any, y: Any, d: Any, p: int = p) -> list[Any]:
            change = (x[0] - y[0]) ** (p - 2) * d[0]
            return [change, -change]

        pairs.append(at_points(R(compare(p)), formula([(s,)] * 3, slope)))
    for carrier in (Z2, Modular(3), Modular(4), BOOLEAN, Saturating(3)):
        s = Space((), carrier)
        for choice in ("zero", "copy"):
            node, still = Compare(s, choice).diagram, choice == "zero"
            back = formula(
                [(s,)] * 3, lambda x, y, d, still=still: [functions.zeros(v.space) if still else v for v in d * 2]
            )
            pairs.append((R(node), back))
            pairs.append(_additive(R(copy(s) @ identity(s) >> identity(s) @ node >> _mul((s,))), s))
    pairs.append(at_points(R(compare(2)), formula([(Space((), Modular(2)),)] * 3, lambda x, y, d: [*d, *d])))
    return pairs


def _additive(back: Diagram, s: Space) -> Pair:
    """R[f](x, d + e) = R[f](x, d) + R[f](x, e) for an f of two inputs."""
    x, d = (s, s), (s,)
    apart = formula(
        [x, d, d], lambda x, d, e: [u + v for u, v in zip(apply(back, x, d), apply(back, x, e), strict=True)]
    )
    return at_points(formula([x, d, d], lambda x, d, e: apply(back, x, [d[0] + e[0]])), apart)


def _reflexive(R: Operator) -> list[Any]:
    """copy ; compare = discard ; one forces 2 d = 0 under the copying reverse: true over Z2, false over Z3."""
    pairs: list[Any] = []
    for carrier, holds in ((Z2, True), (Modular(3), False), (BOOLEAN, False), (Saturating(3), False)):
        s = (Space((), carrier),)
        one = discard(s) >> _constant(s, 1)
        for choice in ("zero", "copy"):
            same = copy(s) >> Compare(s[0], choice).diagram
            pairs += [at_points(same, one), Pair(R(same), R(one), choice == "zero" or holds, True)]
    return pairs


def _bits(R: Operator) -> list[Any]:
    """On bits with integer changes not, and, xor have the slopes -1, y and 1 - 2 y (BIT.gates)."""
    b = (Space((), BITS),)
    inc = functions.include
    gates: tuple[tuple[Any, Any, int], ...] = (
        (lambda x: [functions.invert(x[0])], lambda x, v: [-v[0]], 1),
        (lambda x, y: [x[0] * y[0]], lambda x, y, v: [inc(y[0]) * v[0], inc(x[0]) * v[0]], 2),
        (
            lambda x, y: [functions.xor(x[0], y[0])],
            lambda x, y, v: [(1 - 2 * inc(y[0])) * v[0], (1 - 2 * inc(x[0])) * v[0]],
            2,
        ),
    )
    return [(R(formula([b] * n, gate)), formula([*[b] * n, changes(b)], slope)) for gate, slope, n in gates]


_SEMIRING = ("own", "add", "multiply")
_NEEDED = {"copy": (), "mul": ("own", "multiply")}
CIRCUITS: tuple[Law, ...] = (
    *(
        Law(
            f"CIRC.{name}",
            text,
            PC,
            "A",
            _equation(sides),
            _NEEDED.get(name.split(".")[0], _SEMIRING),
        )
        for name, text, sides in EQUATIONS
    ),
    Law("CIRC.constants", "(s x t) ; add = s + t, (s x t) ; mul = s t", PC, "s: 1 -> A, t: 1 -> A, A", _constants,
        ("exact", "add", "multiply", "own")),
    Law("CIRC.R", "R of add, zero, one, mul, copy, discard, 1, swap", PC, "A", _reverse_of_gates, ("multiply",)),
    Law("CIRC.functorial", "R of a circuit is the formal derivative of what it denotes", PC, "f: A -> B", _is_formal,
        ("exact", "shipped")),
    Law("CIRC.booldiff", "R[f] of a multilinear f over Z2 is the Boolean difference", PC, "f: A -> B", _difference,
        ("Z2",)),
    Law("CIRC.booldiff.nochain", "the Boolean difference is not functorial: copy ; and", PC, "",
        lambda: _no_chain(()), ("shipped", "Z2")),
    Law("CIRC.wrap", "over Z2 two uses of a wire cancel, over Boolean and saturating not", PC, "", lambda R: _wraps(R),
        ("shipped", "Z2")),
    Law("CIRC.char", "x^3 over Z3 and 2 x^2 over Z4 have derivative zero", PC, "", lambda R: _vanishes(R),
        ("shipped", "Z2")),
    Law("CIRC.polynotfun", "R is defined on polynomials, not on functions", PC, "", lambda R: _not_functions(R),
        ("shipped", "Z2")),
    Law("CIRC.fc", "f = sum over s of compare(s, x) f(s): complete iff compare is definable", PC, "",
        _functional_completeness, ("shipped", "Z2")),
    Law("CIRC.fc.prime", "over Z_p compare is 1 - (x - y)^(p - 1), and polynomials are all functions", PC, "", _prime,
        ("shipped", "Z2")),
    Law("CIRC.fc.composite", "over Z_n [x = 0] is a polynomial iff n is prime", PC, "", _composite, ("shipped", "Z2")),
    Law("CIRC.fc.count", "Z_n has prod n / gcd(n, k!) unary polynomial functions", PC, "", _counts, ("shipped", "Z2")),
    Law("CIRC.fc.monotone", "Boolean and saturating polynomials are monotone", PC, "", _monotone, ("shipped", "Z2")),
    Law("CIRC.compare", "compare's reverse: zero and copy are additive; over Z_p the formal one is (x - y)^(p - 2) d",
        PC, "", lambda R: _comparing(R), ("shipped", "Z2")),
    Law("CIRC.compare.reflexive", "copy ; compare = discard ; one forces 2 d = 0 under copy", PC, "",
        lambda R: _reflexive(R), ("shipped", "Z2")),
    Law("BIT.gates", "not, and, xor on bits have slopes -1, y, 1 - 2 y", PC, "", lambda R: _bits(R),
        ("shipped", "BITS")),
)  # fmt: skip
"""The laws of circuits."""
