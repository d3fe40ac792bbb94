"""Bounded in inputs: look-up tables learn by ascent, for one step at a point sets its entry and no other.

The parameters and the label are symbols; the point runs through all 2^n. As the step at x sets the entry of x to the
label and leaves the rest, one pass over the points in any order, from any parameters, gives the table of labels.
Bounded in the number n of inputs.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from catlearn import functions, losses, optimisers, supervised
from catlearn.functors.symbolic import polynomials
from catlearn.laws.law import apply, formula
from catlearn.layers import lookup_table
from catlearn.proving import shown
from catlearn.semirings import Z2
from catlearn.space import Space

THEOREM = "One pass of reverse derivative ascent over the 2^n points learns any table, in any order, from any start."
METHOD = "polynomials over Z2 with symbols for the parameters and the label"
SCOPE = "tables of 0 to 4 inputs, all parameters, labels and orders; bounded in the number of inputs"
LAWS = ("RDA.lut", "RDA.step", "RDA.fixpoint")


def _point(row: tuple[int, ...]) -> Any:
    bit = Space((), Z2)
    if not row:
        return functions.zeros(Space(0, Z2))
    return functions.concatenate([functions.reshape(functions.constant(bit, b), (1,)) for b in row])


def prove() -> list[str]:
    """One line for each number of inputs."""
    lines = []
    for n in range(5):
        layer = lookup_table(n, 1)
        step = supervised(layer, losses.exclusive_or, optimisers.reverse_derivative_ascent()).step()
        table, label = layer.parameter[0], Space(1, Z2)
        for row in product((0, 1), repeat=n):

            def learn(theta: Any, y: Any, row: Any = row, step: Any = step) -> Any:
                return apply(step, theta, y, [_point(row)])

            address = sum(b << k for k, b in enumerate(row))
            after = polynomials(formula([(table,), (label,)], learn))
            wanted = polynomials(formula([(table,), (label,)], lambda theta, y: theta))
            new = polynomials(formula([(table,), (label,)], lambda theta, y: y))[0]
            expected = tuple(new if k == address else entry for k, entry in enumerate(wanted))
            shown(after == expected, f"the step at {row} sets entry {address} to the label and leaves the others")
        lines.append(f"{n} inputs: the step at each of the {2**n} points sets its entry to the label, and no other")
    return lines
