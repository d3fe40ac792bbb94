"""Bounded in part: the cheap gradient principle, as an identity, and for all programs over + and x up to a size.

A program of N+ sums and N* products, n inputs and one output, every input and gate used, has its value and its whole
gradient in 2 N+ + 4 N* + 1 - n operations. The rules of the two generators are counted on the library's own reverse
derivatives; the rest is an identity between numbers of uses and wires, which holds for every program. That R of the
library never takes more is checked for all programs up to a size: this part is bounded.
"""

from __future__ import annotations

import sympy

from catlearn.diagram import copy
from catlearn.generators.arithmetic import Add, Multiply
from catlearn.laws.optics import circuits, gradient, gradient_cost, operations
from catlearn.proving import shown
from catlearn.semirings import INTEGERS
from catlearn.space import Space

THEOREM = "A program of N+ sums and N* products of n inputs has its gradient in 2 N+ + 4 N* + 1 - n operations."
METHOD = "counting on the generators' own rules, an identity in SymPy, and exhaustion over programs"
SCOPE = (
    "the count: every straight-line program; that the library's R takes no more: 1 to 3 inputs, up to 4 gates (3 of 3 "
    "inputs); bounded"
)
LAWS = ("COST.cheapgrad",)
SIZES = ((1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (2, 4), (3, 2), (3, 3))


def _identity() -> str:
    """Forward N; backward each rule, and one addition for each use of a wire after the first."""
    number = Space((), INTEGERS)
    rules = [generator.reversed for generator in (Add(number), Multiply(number))]
    of_add, of_multiply = (operations(rule) for rule in rules if rule is not None)
    adds, times, n = sympy.symbols("A M n")
    uses = 2 * (adds + times) + 1  # two a gate, and the seed of the output
    wires = n + adds + times
    total = (adds + times) + of_add * adds + of_multiply * times + (uses - wires)
    shown(sympy.expand(total - (2 * adds + 4 * times + 1 - n)) == 0, "the count is 2 N+ + 4 N* + 1 - n")
    shown(sympy.expand(4 * (adds + times) - total) == 2 * adds + n - 1, "4 N less the count is 2 N+ + n - 1")
    return "value and gradient take 2 N+ + 4 N* + 1 - n operations, so at most 4 times the program, whatever n >= 1 is"


def _programs(inputs: int, gates: int) -> str:
    count = 0
    for program in circuits(inputs, gates):
        counted, predicted = gradient_cost(program)
        both = copy(program.dom) >> (program @ gradient(program))
        shown(counted == predicted, f"the count for {program!r}")
        shown(operations(both) <= counted, f"R takes no more than the count for {program!r}")
        count += 1
    return f"R takes no more than the count: all {count} programs of {inputs} inputs and {gates} gates"


def prove() -> list[str]:
    """The identity, then a line for each size of programs."""
    return [_identity(), *(_programs(inputs, gates) for inputs, gates in SIZES)]
