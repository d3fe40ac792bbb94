"""Bounded: the finite carriers listed are commutative semirings, rings where they negate, by exhaustion.

Bounded: the carriers listed. The integers modulo n are a quotient of a ring for every n; what is checked is that these
operations are that ring's.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from catlearn.proving import shown
from catlearn.rigs import BOOLEAN, Saturating
from catlearn.semirings import TRIVIAL, Z2, Carrier, Modular

THEOREM = "Z2, Z mod n, the saturating naturals, the Booleans and the trivial carrier are commutative semirings."
METHOD = "exhaustion over all triples of elements"
SCOPE = "Z2, Booleans, trivial, Z mod 2 to 8, saturating 2 to 8; rings where they negate; bounded"
LAWS = ("CIRC.Z2", "CIRC.Zn", "CIRC.Sat", "CIRC.Bool", "OPT.group")
CARRIERS: dict[str, tuple[Carrier, int]] = {
    "Z2": (Z2, 2),
    "BOOLEAN": (BOOLEAN, 2),
    "TRIVIAL": (TRIVIAL, 1),
    **{f"Z mod {n}": (Modular(n), n) for n in range(2, 9)},
    **{f"Saturating({n})": (Saturating(n), n) for n in range(2, 9)},
}


def _axioms(s: Carrier, size: int) -> bool:
    elements = range(size)

    def add(x: int, y: int) -> int:
        return int(s.add(np, x, y))

    def times(x: int, y: int) -> int:
        return int(s.multiply(np, x, y))

    pairs = all(
        add(x, y) == add(y, x) in elements
        and times(x, y) == times(y, x) in elements
        and add(s.zero, x) == times(s.one, x) == x
        and times(s.zero, x) == s.zero
        for x, y in product(elements, repeat=2)
    )
    triples = all(
        add(add(x, y), z) == add(x, add(y, z))
        and times(times(x, y), z) == times(x, times(y, z))
        and times(x, add(y, z)) == add(times(x, y), times(x, z))
        for x, y, z in product(elements, repeat=3)
    )
    return pairs and triples


def _negates(s: Carrier, size: int) -> bool:
    negatives = [int(s.negate(np, x)) for x in range(size)]
    sums = all(int(s.add(np, x, n)) == s.zero for x, n in enumerate(negatives))
    return sums and all(
        int(s.subtract(np, x, y)) == int(s.add(np, x, negatives[y])) for x in range(size) for y in range(size)
    )


def _counts(s: Carrier, size: int) -> bool:
    """The image of an integer is the sum of that many ones."""
    total = s.zero
    for number in range(2 * size + 1):
        if int(s.from_integer(number)) != int(total):
            return False
        total = s.add(np, total, s.one)
    return True


def prove() -> list[str]:
    """One line a carrier."""
    lines = []
    for name, (carrier, size) in CARRIERS.items():
        shown(_axioms(carrier, size), f"{name} is a commutative semiring")
        shown(_counts(carrier, size), f"{name} counts its ones")
        ring = carrier.has("negate")
        if ring:
            shown(_negates(carrier, size), f"{name} has negatives")
        else:
            missing = not any(int(carrier.add(np, 1, y)) == carrier.zero for y in range(size))
            shown(missing, f"{name} has no negatives")
        lines.append(f"{name} is a commutative {'ring' if ring else 'semiring without negatives'}")
    return lines
