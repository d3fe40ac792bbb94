"""There is no reverse derivative on Boolean functions: of all tables for R[and] none satisfies what the axioms force.

swap ; and = and as functions, so R[and](x, x, d) must be a pair (p, p); then R[copy ; and](x, d) = p + p = 0 over Z2.
But copy ; and is the identity function, whose R is d. Every one of the 2^16 tables is tried. The same for and over
integer votes, where p + p = d has no solution for odd d, is part of the Coq development.
"""

from __future__ import annotations

import numpy as np

from catlearn.diagram import copy, identity, swap
from catlearn.functors.exact import Exact
from catlearn.proving import shown
from catlearn.semirings import Z2
from catlearn.space import Space
from catlearn.tracing import trace

THEOREM = "No operator R on Boolean functions satisfies RD.3, RD.4, RD.5 and RD.tensor."
METHOD = "exhaustion over all 2^16 tables of R[and], changes being bits under exclusive or"
SCOPE = "Boolean functions with Z2 changes; complete"
LAWS = ("CIRC.polynotfun", "CIRC.booldiff.nochain")


def _tables() -> np.ndarray:
    """Every function (x, y, d) -> (x', y'), one a row, as two tables of 8 bits."""
    numbers = np.arange(2**16)
    return ((numbers[:, None] >> np.arange(16)) & 1).astype(np.uint8).reshape(-1, 2, 8)


def _at(x: int, y: int, d: int) -> int:
    return 4 * x + 2 * y + d


def prove() -> list[str]:
    """The equations of functions, and that no table is left."""
    bit = Space((), Z2)
    conjunction = trace((bit, bit), lambda x, y: x * y)
    run = Exact()
    points = [(x, y) for x in (0, 1) for y in (0, 1)]
    swapped, plain = run(swap(bit, bit) >> conjunction), run(conjunction)
    lines = [
        shown(all(int(swapped(*p)) == int(plain(*p)) for p in points), "swap ; and = and, as functions"),
        shown(
            all(int(run(copy(bit) >> conjunction)(x)) == int(run(identity(bit))(x)) for x in (0, 1)),
            "copy ; and = 1, as functions",
        ),
    ]
    tables = _tables()
    left = np.ones(len(tables), bool)
    for x, y in points:
        for d in (0, 1):  # R[swap ; and](x, y, d) = (second, first) of R[and](y, x, d)
            left &= (tables[:, 0, _at(x, y, d)] == tables[:, 1, _at(y, x, d)]) & (
                tables[:, 1, _at(x, y, d)] == tables[:, 0, _at(y, x, d)]
            )
    lines.append(shown(bool(left.any()), f"{int(left.sum())} of 65536 tables respect swap ; and = and"))
    for x in (0, 1):
        for d in (0, 1):  # R[copy ; and](x, d) is the sum of the two parts at (x, x, d)
            left &= (tables[:, 0, _at(x, x, d)] ^ tables[:, 1, _at(x, x, d)]) == d
    lines.append(shown(not left.any(), "none of them also respects copy ; and = 1"))
    return lines
