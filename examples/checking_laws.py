"""Checking laws: a generator of one's own whose reverse is wrong, and a law of one's own.

A dot product over the integers, written as one node. Its reverse has the parts exchanged; no law of R alone can tell
(RD.blindspot), the comparison with the formal derivative does. The law says that over Z2 a second derivative in one
direction vanishes, D[D[f]]((a, v), (v, 0)) = 0, since it counts every pair of variables twice; over Z3 it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import catlearn as cl
from catlearn import functions, laws
from catlearn.diagram import Diagram, Generator
from catlearn.space import changes
from catlearn.tracing import Wire

VECTOR = cl.Space(2, cl.INTEGERS)


@dataclass(frozen=True)
class Dot(Generator):
    """`(x, y) -> x . y`; `right` says whether the reverse is."""

    right: bool

    @property
    def dom(self) -> tuple[cl.Space, ...]:
        return (VECTOR, VECTOR)

    @property
    def cod(self) -> tuple[cl.Space, ...]:
        return (cl.Space((), cl.INTEGERS),)

    def expansion(self) -> Diagram:
        return cl.trace(self.dom, lambda x, y: functions.einsum("i,i->", x, y))

    def reverse(self) -> Diagram:
        def rule(x: Wire, y: Wire, d: Wire) -> tuple[Wire, Wire]:
            return (d * y, d * x) if self.right else (d * x, d * y)

        return cl.trace((*self.dom, *self.cod), rule)


def twice(f: Diagram, D: Callable[[Diagram], Diagram]) -> list[tuple[Diagram, Diagram]]:
    """The two sides: D[D[f]] at a, v, v, 0, and zero."""
    a, v = f.dom, changes(f.dom)
    left = laws.formula([a, v], lambda a, v: [*a, *v, *v, *(functions.zeros(w.space) for w in v)]) >> D(D(f))
    return [(left, cl.zero(a + v, changes(f.cod)))]


TWICE = laws.Law("OWN.twice", "over Z2, D[D[f]]((a, v), (v, 0)) = 0", "", "f: A -> B", twice, ("add",))


def main() -> None:
    """Check both generators, show the counterexample, and check the law on two categories."""
    for generator in (Dot(right=True), Dot(right=False)):
        report = laws.check(generator, examples=10)
        print(f"Dot(right={generator.right}): {len(report.rows)} laws, {len(report.wrong)} broken")
        for row in report.wrong:
            print(row.counterexample)
    for name in ("Z2", "Z3"):
        print(laws.check(laws.CATEGORIES[name], laws=[TWICE], examples=100))


if __name__ == "__main__":
    main()
