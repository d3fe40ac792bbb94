"""Bounded: over small fields every function is a polynomial of circuits, over Z4 and Z6 not.

The polynomial functions of a carrier are the closure of constants and projections under + and x, found by exhaustion.
"""

from __future__ import annotations

from itertools import product
from math import factorial, gcd, prod

from catlearn.functors.exact import Exact
from catlearn.laws.circuits import compare, polynomial_functions
from catlearn.proving import shown
from catlearn.rigs import BOOLEAN, Saturating
from catlearn.semirings import Z2, Modular

THEOREM = "Circuits with constants denote every function over Z_p, p prime, and not every one over a composite Z_n."
METHOD = "exhaustion"
SCOPE = "all functions of one or two inputs over Z2, one over Z3; compare over Z2 to Z13; Z4, Z6, Bool, Sat3; bounded"
LAWS = ("CIRC.fc", "CIRC.fc.prime", "CIRC.fc.composite", "CIRC.fc.count", "CIRC.fc.monotone")


def _compares(p: int) -> str:
    run = Exact()(compare(p))
    table = all(int(run(x, y)) == int(x == y) for x, y in product(range(p), repeat=2))
    return shown(table, f"over Z_{p}, 1 - (x - y)^{p - 1} is 1 where x = y and 0 elsewhere")


def prove() -> list[str]:
    """Completeness of fields, then what is missing elsewhere."""
    lines = [_compares(p) for p in (2, 3, 5, 7, 11, 13)]
    for carrier, size, inputs in ((Z2, 2, 1), (Z2, 2, 2), (Modular(3), 3, 1)):
        count, all_of_them = len(polynomial_functions(carrier, inputs)), size ** (size**inputs)
        lines.append(
            shown(count == all_of_them, f"{carrier} with {inputs} inputs: all {count} functions are polynomials")
        )
    for n in (4, 6):
        tables = polynomial_functions(Modular(n), 1)
        expected = prod(n // gcd(n, factorial(k)) for k in range(n + 1))
        shown(tuple(int(x == 0) for x in range(n)) not in tables, f"over Z_{n}, [x = 0] is no polynomial")
        lines.append(
            shown(len(tables) == expected, f"Z_{n}: {expected} of {n**n} functions are polynomials, [x = 0] not")
        )
    for carrier, top in ((BOOLEAN, 1), (Saturating(3), 2)):
        tables = polynomial_functions(carrier, 1)
        monotone = all(list(table) == sorted(table) for table in tables)
        reversal = tuple(range(top, -1, -1))
        lines.append(shown(monotone and reversal not in tables, f"{carrier}: polynomials are monotone, so not is none"))
    return lines
