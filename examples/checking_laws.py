"""Checking laws of one's own: a generator whose reverse is wrong, and what the check says of it.

A dot product over the integers, written as one node. Its reverse has the parts exchanged; no law of R alone can tell
(RD.blindspot), the comparison with the formal derivative does.
"""

from __future__ import annotations

from dataclasses import dataclass

import catlearn as cl
from catlearn import functions, laws
from catlearn.diagram import Diagram, Generator
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


def main() -> None:
    """Check both, and show the counterexample."""
    for generator in (Dot(right=True), Dot(right=False)):
        report = laws.check(generator, examples=10)
        print(f"Dot(right={generator.right}): {len(report.rows)} laws, {len(report.wrong)} broken")
        for row in report.wrong:
            print(row.counterexample)


if __name__ == "__main__":
    main()
