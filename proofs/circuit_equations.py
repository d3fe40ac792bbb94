"""The equations of polynomial circuits, with equal reverse derivatives, over every commutative semiring.

Both sides of each equation in CIRC.eqs denote one tuple of polynomials over the naturals, the free commutative
semiring, and so do their reverse derivatives. So R respects the equations that present polynomial circuits, the
condition under which it is defined on them (RD.generators).
"""

from __future__ import annotations

from catlearn.functors.symbolic import polynomials
from catlearn.laws.circuits import EQUATIONS
from catlearn.proving import shown
from catlearn.reverse import reverse_derivative
from catlearn.rigs import NATURALS
from catlearn.space import Space

THEOREM = "Both sides of every equation of circuits denote the same polynomials, and so do their reverse derivatives."
METHOD = "polynomials over the naturals in normal form"
SCOPE = "every commutative semiring; the equations of generators, from which those of all circuits follow"
LAWS = (*(f"CIRC.{name}" for name, _, _ in EQUATIONS), "CIRC.eqs", "RD.generators")
WIRE = (Space((), NATURALS),)


def prove() -> list[str]:
    """One line an equation."""
    lines = []
    for name, statement, sides in EQUATIONS:
        left, right = sides(WIRE)
        same = polynomials(left) == polynomials(right)
        back = polynomials(reverse_derivative(left)) == polynomials(reverse_derivative(right))
        lines.append(shown(same and back, f"CIRC.{name}: {statement}, with equal R"))
    return lines
