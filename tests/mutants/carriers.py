"""Wrong semirings and rigs."""

from __future__ import annotations

from typing import Any

from catlearn.rigs import BOOLEAN, MIN_PLUS, Saturating
from catlearn.semirings import BITS, INTEGERS, REAL, Z2, Carrier, Modular
from mutants import categories as c
from mutants.patching import Mutant, edit

__all__ = ["CARRIERS"]


def _s(name: str, owner: Any, operation: str, new: Any, where: Any, *killers: str) -> Mutant:
    return Mutant(name, "semirings", ((owner, operation, new),), (where,), killers or ())


LOGITS = c.objective("sigmoid_cross_entropy")
CARRIERS: tuple[Mutant, ...] = (
    _s("Z4: sums do not wrap", Modular, "add", lambda self, xp, x, y: x + y, c.z4),
    _s("Z4: sums stop at the top", Modular, "add", lambda self, xp, x, y: xp.minimum(x + y, self.modulus - 1), c.z4),
    _s("Z4: products do not wrap", Modular, "multiply", lambda self, xp, x, y: x * y, c.z4),
    _s("Z4: negatives do not wrap", Modular, "negate", lambda self, xp, x: -x, c.z4),
    _s("Z4: negation is the complement", Modular, "negate", lambda self, xp, x: self.modulus - 1 - x, c.z4),
    _s("Z4: a difference is a sum", Modular, "subtract", lambda self, xp, x, y: (x + y) % self.modulus, c.z4),
    _s("Z4: whole numbers stop at the top", Modular, "from_integer", lambda self, n: min(n, self.modulus - 1), c.z4),
    _s("Z3: one bit too wide", Modular, "add", lambda self, xp, x, y: (x + y) % (self.modulus + 1), c.z3),
    _s("Z2: addition is or", type(Z2), "add", lambda self, xp, x, y: x | y, c.z2),
    _s("Z2: multiplication is or", type(Z2), "multiply", lambda self, xp, x, y: x | y, c.z2),
    _s("Z2: negation is not", type(Z2), "negate", lambda self, xp, x: 1 - x, c.z2),
    _s("Z2: one is zero", Z2, "one", 0, c.z2),
    _s("Boolean: addition is exclusive or", type(BOOLEAN), "add", lambda self, xp, x, y: x ^ y, c.z2),
    _s("Boolean: operations exchanged", type(BOOLEAN), "multiply", lambda self, xp, x, y: x | y, c.boolean),
    _s("saturating: sums wrap", Saturating, "add", lambda self, xp, x, y: (x + y) % self.size, c.z2),
    _s(
        "saturating: an overflow is zero",
        Saturating,
        "add",
        lambda self, xp, x, y: (x + y) * (x + y < self.size),
        c.saturating,
    ),
    _s("saturating: products do not stop", Saturating, "multiply", lambda self, xp, x, y: x * y, c.saturating),
    _s("saturating: a mean for a sum", Saturating, "add", lambda self, xp, x, y: (x + y + 1) // 2, c.saturating),
    _s("min-plus: zero is 0", MIN_PLUS, "zero", 0.0, c.min_plus),
    _s("min-plus: one is 1", MIN_PLUS, "one", 1.0, c.min_plus),
    _s("min-plus: the larger", type(MIN_PLUS), "add", lambda self, xp, x, y: xp.maximum(x, y), c.min_plus),
    _s("min-plus: products", type(MIN_PLUS), "multiply", lambda self, xp, x, y: x * y, c.min_plus),
    _s("integers: negation is not", type(INTEGERS).__mro__[1], "negate", lambda self, xp, x: ~x, c.integers),
    _s("integers: a difference turned", type(INTEGERS).__mro__[1], "subtract", lambda self, xp, x, y: y - x, LOGITS),
    _s(
        "reals: a quotient turned",
        type(REAL),
        "divide",
        lambda self, xp, x, y: y / x,
        c.smooth(lambda x, y: x / (1.0 + y * y)),
    ),
    _s(
        "sums over an axis: an odd one is lost", Carrier, "_sum_axis", edit("[folded, x[2 * half :]]", "[folded]"), c.z4
    ),
    _s(
        "whole numbers: digits from the wrong end",
        Carrier,
        "from_integer",
        edit('reversed(f"{abs(number):b}")', 'f"{abs(number):b}"'),
        c.saturating,
    ),
    _s("bits: not is the same", type(BITS), "invert", lambda self, xp, x: x, c.bits),
    _s("bits: exclusive or is or", type(BITS), "exclusive_or", lambda self, xp, x, y: x | y, c.bits),
)
