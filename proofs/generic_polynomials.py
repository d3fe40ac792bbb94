"""Bounded in degree and wires: RD.1 to RD.7, CD.1 to CD.7 and functoriality of R for generic polynomials.

A generic polynomial has a symbol for every coefficient; as a diagram its coefficients are inputs, and what is proved is
about R in the other inputs alone (RD.partial). Polynomials over the naturals are the free commutative semiring on their
variables and coefficients, so an equation between them holds for all coefficients in every commutative semiring.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations_with_replacement
from typing import Any

from catlearn import functions
from catlearn.diagram import Diagram
from catlearn.functors.symbolic import Polynomial, polynomials
from catlearn.laws.law import apply, formula
from catlearn.proving import shown
from catlearn.reverse import reverse_derivative
from catlearn.rigs import NATURALS
from catlearn.space import Object, Space

THEOREM = "R is a functor, and RD.1 to RD.7 and CD.1 to CD.7 hold, for generic polynomials."
METHOD = "polynomials over the naturals with a symbol for every coefficient, in normal form"
SCOPE = (
    "all polynomial maps of two wires to two of degree 2 (of one wire to one of degree 3), over every commutative "
    "semiring; bounded in degree and wires"
)
LAWS = ("RD.1", "RD.2", "RD.4", "RD.5", "RD.6", "RD.7", "RD.D", "RD.partial", "CD.1", "CD.2", "CD.4", "CD.5", "CD.6",
        "CD.7", "CIRC.functorial", "INST.poly")  # fmt: skip
X = Space((), NATURALS)


def monomials(n: int, degree: int) -> list[tuple[int, ...]]:
    """The monomials in n variables of at most that degree, each as the variables it multiplies."""
    return [m for d in range(degree + 1) for m in combinations_with_replacement(range(n), d)]


class Generic:
    """A polynomial map of n wires to m of that degree, its coefficients being wires of their own."""

    def __init__(self, n: int, m: int, degree: int) -> None:
        self.n, self.m, self.terms = n, m, monomials(n, degree)
        self.coefficients: Object = (X,) * (m * len(self.terms))

    def on(self, coefficients: Sequence[Any], x: Sequence[Any]) -> list[Any]:
        """Its values, on wires."""
        outputs = []
        for j in range(self.m):
            mine = coefficients[j * len(self.terms) : (j + 1) * len(self.terms)]
            total = functions.zeros(X)
            for factor, term in zip(mine, self.terms, strict=True):
                for k in term:
                    factor = factor * x[k]
                total = total + factor
            outputs.append(total)
        return outputs

    @property
    def diagram(self) -> Diagram:
        """Coefficients x wires -> values."""
        return formula([self.coefficients, (X,) * self.n], self.on)


def R(f: Diagram, held: int) -> Diagram:
    """The reverse derivative in all inputs but the first `held`."""
    return reverse_derivative(f).select(range(held, len(f.dom)))


def D(f: Diagram, held: int) -> Diagram:
    """D[f](c, a, v) = pi1 R[R[f]](a, 0, v), R being taken in a alone (RD.D)."""
    n, m = len(f.dom) - held, len(f.cod)
    twice = R(R(f, held), held)

    def run(c: list[Any], a: list[Any], v: list[Any]) -> list[Any]:
        zeros = [functions.zeros(X) for _ in range(m)]
        return apply(twice, c, a, zeros, v)[n : n + m]

    return formula([f.dom[:held], f.dom[held:], f.dom[held:]], run)


def equal(left: Diagram, right: Diagram) -> bool:
    """Whether two diagrams denote the same polynomials."""
    return polynomials(left) == polynomials(right)


def _formal(f: Diagram, held: int) -> tuple[Polynomial, ...]:
    values, n = polynomials(f), len(f.dom)
    results = []
    for i in range(held, n):
        total = Polynomial(NATURALS, {})
        for j, value in enumerate(values):
            total = total + value.derivative(f"x{i}") * Polynomial(NATURALS, {((f"x{n + j}", 1),): 1})
        results.append(total)
    return tuple(results)


def _composites(f: Generic, g: Generic) -> Iterable[str]:
    """R[f ; g], against the formal derivative and against the chain rule; and D[f ; g]."""
    c, e, x = f.coefficients, g.coefficients, (X,) * f.n
    z, v, held = (X,) * g.m, (X,) * f.n, len(f.coefficients) + len(g.coefficients)
    whole = formula([c, e, x], lambda c, e, x: g.on(e, f.on(c, x)))
    kind = f"f: {f.n} -> {f.m}, g: {g.n} -> {g.m}"
    back = R(whole, held)
    yield shown(polynomials(back) == _formal(whole, held), f"R[f ; g] is the formal derivative, {kind}")
    r_f, r_g = R(f.diagram, len(c)), R(g.diagram, len(e))

    def chain(c: Any, e: Any, x: Any, z: Any) -> list[Any]:
        return apply(r_f, c, x, apply(r_g, e, f.on(c, x), z))

    yield shown(equal(back, formula([c, e, x, z], chain)), f"RD.5: R[f ; g](a, z) = R[f](a, R[g](f(a), z)), {kind}")
    d_f, d_g = D(f.diagram, len(c)), D(g.diagram, len(e))

    def forward(c: Any, e: Any, x: Any, v: Any) -> list[Any]:
        return apply(d_g, e, f.on(c, x), apply(d_f, c, x, v))

    yield shown(equal(D(whole, held), formula([c, e, x, v], forward)), f"CD.5: D[f ; g] is the chain rule, {kind}")


def _sums(f: Generic) -> Iterable[str]:
    """R and D of a sum and of a pair of two generic polynomials of one type."""
    c, x, y = f.coefficients, (X,) * f.n, (X,) * f.m
    held, kind = 2 * len(c), f"{f.n} -> {f.m}"
    added = formula([c, c, x], lambda c, e, x: [a + b for a, b in zip(f.on(c, x), f.on(e, x), strict=True)])
    paired = formula([c, c, x], lambda c, e, x: [*f.on(c, x), *f.on(e, x)])
    for name, op, law in (("R", R, "RD.1"), ("D", D, "CD.1")):
        one, whole = op(f.diagram, len(c)), op(added, held)
        last = y if name == "R" else x

        def both(c: Any, e: Any, x: Any, d: Any, one: Diagram = one) -> list[Any]:
            return [a + b for a, b in zip(apply(one, c, x, d), apply(one, e, x, d), strict=True)]

        yield shown(
            equal(whole, formula([c, c, x, last], both)), f"{law}: {name}[f + g] = {name}[f] + {name}[g], {kind}"
        )

    def fourth(c: Any, e: Any, x: Any, d: Any, b: Any) -> list[Any]:
        back = R(f.diagram, len(c))
        return [u + v for u, v in zip(apply(back, c, x, d), apply(back, e, x, b), strict=True)]

    yield shown(equal(R(paired, held), formula([c, c, x, y, y], fourth)), f"RD.4: R[<f, g>], {kind}")
    d = D(f.diagram, len(c))
    pair = formula([c, c, x, x], lambda c, e, x, v: [*apply(d, c, x, v), *apply(d, e, x, v)])
    yield shown(equal(D(paired, held), pair), f"CD.4: D[<f, g>] = <D[f], D[g]>, {kind}")


def _linear(f: Generic) -> Iterable[str]:
    """RD.2, CD.2, RD.6, CD.6 and the symmetry of D[D[f]]."""
    c, x, y = f.coefficients, (X,) * f.n, (X,) * f.m
    held, kind = len(c), f"{f.n} -> {f.m}"
    for kind_of, one, last in (("RD", R(f.diagram, held), y), ("CD", D(f.diagram, held), x)):

        def summed(c: Any, x: Any, b: Any, d: Any, one: Diagram = one) -> list[Any]:
            return apply(one, c, x, [u + v for u, v in zip(b, d, strict=True)])

        def apart(c: Any, x: Any, b: Any, d: Any, one: Diagram = one) -> list[Any]:
            return [u + v for u, v in zip(apply(one, c, x, b), apply(one, c, x, d), strict=True)]

        yield shown(
            equal(formula([c, x, last, last], summed), formula([c, x, last, last], apart)), f"{kind_of}.2, {kind}"
        )
        again = D(one, held)

        def sixth(c: Any, x: Any, b: Any, d: Any, again: Diagram = again) -> list[Any]:
            return apply(again, c, x, b, [functions.zeros(X) for _ in x], d)

        def plain(c: Any, x: Any, b: Any, d: Any, one: Diagram = one) -> list[Any]:
            return apply(one, c, x, d)

        sides = formula([c, x, last, last], sixth), formula([c, x, last, last], plain)
        yield shown(equal(*sides), f"{kind_of}.6, {kind}")
    second = D(D(f.diagram, held), held)
    exchanged = formula([c, x, x, x, x], lambda c, a, v, w, u: apply(second, c, a, w, v, u))
    yield shown(equal(second, exchanged), f"RD.7 and CD.7: D[D[f]] is symmetric, {kind}")


def prove() -> list[str]:
    """One line an equation and a type."""
    shapes = [Generic(1, 1, 3), Generic(2, 2, 2), Generic(1, 2, 2), Generic(2, 1, 2)]
    pairs = [(f, g) for f in shapes for g in shapes if f.m == g.n]
    lines = [line for f, g in pairs for line in _composites(f, g)]
    return [*lines, *(line for f in shapes for part in (_sums, _linear) for line in part(f))]
