"""Comparison over a semiring: what makes circuits functionally complete, with its choices of R (CIRC.compare).

    compare(x, y) = 1 if x = y else 0, entry by entry

It is no polynomial over most semirings, and functions do not determine derivatives (CIRC.polynotfun): R is a choice.

    zero      R(x, y, d) = (0, 0)       compare is locally constant: no signal
    copy      R(x, y, d) = (d, d)       compare moves as x + y does: straight through
    formal    over the integers modulo a prime p, the circuit of the polynomial 1 - (x - y)**(p - 1): no new generator

All three satisfy RD.1 to RD.7, the first two because compare may then be read as a formal constant c, or as x + y + c:
they are lawful over exact semirings. Over REAL the derivative is known, and is zero away from x = y: there `copy` is
marked as not lawful, and its plain map is `zero`. With all three swap ; compare = compare may be added as an equation;
copy ; compare = discard ; one may with `zero` and `formal`; with `copy` it forces 2 d = 0, which Z2 alone bears
(CIRC.compare.reflexive). As equations of morphisms the first two choices have neither: nothing is simplified by them.

Source: Wilson and Zanasi, Categories of differentiable polynomial circuits (2203.06430), section 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catlearn.diagram import Diagram, Generator
from catlearn.errors import OperationError
from catlearn.generators.contraction import broadcast, stack
from catlearn.semirings import REAL, Carrier, Modular, Semiring
from catlearn.space import Object, Space
from catlearn.tracing import Wire, apply_generator, as_wire, trace

__all__ = ["Compare", "characteristic", "compare"]

CHOICES = ("zero", "copy", "formal")


@dataclass(frozen=True)
class Compare(Generator):
    """`(x, y) -> 1 where x = y, else 0`, entry by entry; `choice` is its reverse, "zero" or "copy".

    Raises `OperationError` for another choice, and for a carrier that is no semiring.
    """

    space: Space
    choice: str = "zero"
    by_value = True

    def __post_init__(self) -> None:
        if not isinstance(self.space.carrier, Semiring):
            raise OperationError(
                f"compare needs a semiring, with its 0 and 1 and its own changes; got {self.space}: on bits write "
                "functions.invert(functions.xor(x, y))"
            )
        if self.choice not in CHOICES[:2]:
            raise OperationError(f"the generator compare has the reverse 'zero' or 'copy'; got {self.choice!r}")

    @property
    def lawful(self) -> bool:
        return self.choice == "zero" or self.space.carrier != REAL

    def computes(self) -> Diagram | None:
        return None if self.lawful else Compare(self.space).diagram

    @property
    def dom(self) -> Object:
        return (self.space, self.space)

    @property
    def cod(self) -> Object:
        return (self.space,)

    def reverse(self) -> Diagram | None:
        from catlearn.functions import zeros

        def rule(x: Wire, y: Wire, d: Wire) -> tuple[Wire, ...]:
            back = d if self.choice == "copy" else zeros(self.space)
            return back, back

        return trace((self.space,) * 3, rule)

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        spaces = [s.batch(size) if flag else s for s, flag in zip(self.dom, flags, strict=True)]
        inner = Compare(self.space.batch(size), self.choice)

        def run(*wires: Wire) -> Any:
            return apply_generator(inner, *(w if f else stack(w, size) for w, f in zip(wires, flags, strict=True)))

        return trace(spaces, run)

    def evaluate(self, arrays: Any, x: Any, y: Any) -> Any:
        carrier = self.space.carrier
        return arrays.cast(arrays.namespace.where(x == y, carrier.one, carrier.zero), carrier)


def characteristic(carrier: Carrier) -> int | None:
    """The p of a field of integers modulo a prime p, or None for any other carrier.

    >>> from catlearn.semirings import Z2
    >>> characteristic(Z2), characteristic(Modular(7)), characteristic(Modular(6))
    (2, 7, None)
    """
    n = carrier.modulus if isinstance(carrier, Modular) else 2 if carrier.name == "Z2" else 1
    return n if n > 1 and all(n % k for k in range(2, int(n**0.5) + 1)) else None


def compare(x: Any, y: Any, reverse: str = "zero") -> Wire:
    """1 where x = y, else 0, entry by entry, over a semiring; a number or a scalar wire is compared with every entry.

    `reverse` is "zero", "copy" or "formal" (see the module's text). Raises `OperationError` for another, for wires of
    two spaces, and for "formal" where the integers are not modulo a prime.

    >>> from catlearn.functors import Exact
    >>> from catlearn.generators.comparison import compare
    >>> f = trace(Space(3, Modular(5)), lambda x: compare(x, 2, "formal"))
    >>> Exact()(f)([1, 2, 4]).tolist()
    [0, 1, 0]
    """
    if not isinstance(x, Wire) and isinstance(y, Wire):
        x, y = y, x
    x = as_wire(x, "compare")
    if reverse not in CHOICES:
        raise OperationError(f"compare has the reverse {', '.join(map(repr, CHOICES))}; got {reverse!r}")
    x, y = _alike(x, y)
    if reverse != "formal":
        return apply_generator(Compare(x.space, reverse), x, y)
    p = characteristic(x.space.carrier)
    if p is None:
        raise OperationError(
            f"compare is a polynomial over the integers modulo a prime alone; got {x.space}: use reverse='zero' or "
            "'copy', or another modulus"
        )
    from catlearn.functions import power

    return 1 - power(x - y, p - 1)


def _alike(x: Wire, y: Any) -> tuple[Wire, Wire]:
    from catlearn.functions import constant

    y = y if isinstance(y, Wire) else constant(x.space, y)
    if x.shape == () and y.shape != ():
        x = broadcast(x, y.shape)
    elif y.shape == () and x.shape != ():
        y = broadcast(y, x.shape)
    if x.space != y.space:
        raise OperationError(f"compare takes two wires of one space, or a scalar; got {x.space} and {y.space}")
    return x, y
