"""Tables of at most six inputs as integers of 64 bits, and the expressions that compute them.

A table of k inputs is spread over all 64 entries, repeating, so that entry a satisfies a = sum_i x_i 2**i whatever k
is; an input that the table does not depend on then costs nothing, and a complement is a complement.

Expressions come from Shannon's expansion f = x_i ? f_1 : f_0, which is an and, an or or an exclusive or where a
cofactor is constant or the two are complements; the input that makes it one is expanded first.

>>> expression(0b11101000, 3, ("a", "b", "c"))
'a ? (b | c) : (b & c)'
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from catlearn.netlist import MOST_INPUTS

__all__ = ["ONES", "PLACES", "VERILOG_CHOICE", "cofactors", "expression", "spread", "support"]

ONES = (1 << 64) - 1
PLACES = tuple(sum(1 << a for a in range(64) if a >> i & 1) for i in range(MOST_INPUTS))
"""The table of input i itself."""

VERILOG_CHOICE = "{0} ? {2} : {1}"


def spread(table: int, arity: int) -> int:
    """The table of `arity` inputs on 64 entries; what lies beyond its 2**arity entries is dropped."""
    size = 1 << arity
    table &= (1 << size) - 1
    while size < 64:
        table |= table << size
        size *= 2
    return table


def cofactors(table: int, place: int) -> tuple[int, int]:
    """The table where the input at this place is 0, and where it is 1."""
    low, high, shift = table & ~PLACES[place], table & PLACES[place], 1 << place
    return low | low << shift, high | high >> shift


def support(table: int) -> list[int]:
    """The places of the inputs on which a table depends."""
    return [i for i in range(MOST_INPUTS) if (table ^ table >> (1 << i)) & ~PLACES[i]]


@lru_cache(maxsize=1 << 16)
def _template(table: int, choice: str) -> str:
    """The expression of a table that is no constant, with {i} for input i, and no parentheses around it."""

    def difficulty(place: int) -> tuple[int, int]:
        low, high = cofactors(table, place)
        kind = 0 if {low, high} & {0, ONES} else 1 if low == high ^ ONES else 2
        return kind, len(support(low)) + len(support(high))

    def inner(part: int) -> str:
        text = _template(part, choice)
        return f"({text})" if " " in text else text

    places = support(table)
    place = min(places, key=difficulty) if len(places) > 1 else places[0]
    low, high = cofactors(table, place)
    yes, no = f"{{{place}}}", f"~{{{place}}}"
    if low in (0, ONES) and high in (0, ONES):
        return yes if high else no
    if low in (0, ONES):
        return f"{no} | {inner(high)}" if low else f"{yes} & {inner(high)}"
    if high in (0, ONES):
        return f"{yes} | {inner(low)}" if high else f"{no} & {inner(low)}"
    if low == high ^ ONES:
        return f"{yes} ^ {inner(low)}"
    return choice.format(yes, inner(low), inner(high))


def expression(
    table: int, arity: int, names: Sequence[str], constants: tuple[str, str] = ("0", "1"), choice: str = VERILOG_CHOICE
) -> str:
    """The table of the named nets, lowest first, with the operators & | ^ ~ and `choice.format(net, if 0, if 1)`."""
    table = spread(table, arity)
    if table in (0, ONES):
        return constants[table & 1]
    return _template(table, choice).format(*names)
