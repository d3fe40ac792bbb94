"""Bounded in shapes: every generator's reverse is the formal derivative, and satisfies RD.2, RD.6 and RD.7.

Polynomial generators run on polynomials over the naturals (over the integers where they need negatives). The naturals
are the free commutative semiring, and the integers the free commutative ring, so an equation that holds there as
polynomials holds over every one. Real functions run on SymPy expressions. Generators of arrays are taken at small
shapes: what is proved of them is bounded by those.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy

from catlearn import functions
from catlearn.diagram import Diagram
from catlearn.frozen import Frozen
from catlearn.functors.expressions import equal, expressions, symbols
from catlearn.functors.symbolic import polynomials
from catlearn.generators.batching import Map
from catlearn.generators.convolution import ROLES, Convolution
from catlearn.generators.counting import Popcount
from catlearn.generators.elementwise import FUNCTIONS
from catlearn.generators.indexing import Scatter, positions
from catlearn.generators.lookup import Collect
from catlearn.generators.multiplexer import Choose
from catlearn.generators.precision import Lower, Raise
from catlearn.generators.probe import Probe
from catlearn.generators.scan import scan
from catlearn.generators.tables import Read, Votes, Write
from catlearn.generators.thresholds import AtLeast, AtLeastVotes
from catlearn.generators.windows import Frame, Overlap
from catlearn.laws.catalogue import by_identifier
from catlearn.laws.oracles import formal_derivative
from catlearn.proving import shown
from catlearn.reverse import forward_derivative, reverse_derivative
from catlearn.rigs import NATURALS
from catlearn.semirings import BITS, DISCRETE, INTEGERS, REAL, Carrier, Discrete
from catlearn.space import Space
from catlearn.substitution import plain
from catlearn.tracing import apply_generator, trace

THEOREM = "R of every generator is its formal derivative, additive (RD.2), linear (RD.6) and symmetric (RD.7)."
METHOD = "generic polynomials over N and Z in normal form; SymPy expressions for real functions"
SCOPE = (
    "arithmetic, contractions, reindexings over every commutative semiring or ring, arrays at the shapes named; Scan "
    "and Map at one body each; real functions at all real numbers but their kinks; bounded in shapes alone"
)
LAWS = ("RD.2", "RD.6", "RD.7", "RD.derivative", "RD.generators", "CIRC.R", "INST.poly")


def polynomial_generators() -> dict[str, Diagram]:
    """The polynomial generators, by name, at small shapes."""

    def over(carrier: Carrier, *shapes: Any) -> list[Space]:
        return [Space(shape, carrier) for shape in shapes]

    n, z = NATURALS, INTEGERS
    bit, matrix = Space((), BITS), Space((2, 2), n)
    body = trace(over(n, (), (), ()), lambda w, s, x: (w * s + x, s * x))
    irreducible = trace(over(n, ()), lambda x: x * x + x)
    return {
        "add": trace(over(n, (), ()), functions.add(Space((), n)).__call__),
        "multiply": trace(over(n, (), ()), functions.multiply),
        "constant": trace(over(n, ()), lambda x: functions.constant(x.space, 5)),
        "negate": trace(over(z, ()), functions.negate),
        "subtract": trace(over(z, (), ()), lambda x, y: x - y),
        "invert (bits)": trace(bit, functions.invert),
        "and (bits)": trace((bit, bit), functions.multiply),
        "exclusive or (bits)": trace((bit, bit), functions.xor),
        "include (bits)": trace(bit, functions.include),
        "choose (bits)": Choose(bit).diagram,
        "choose (integers)": Choose(Space((), z)).diagram,
        "popcount of 3": Popcount(Space(3, BITS)).diagram,
        "two tables of two bits": Read(*TABLES).diagram,
        "votes of their entries": Write(*TABLES).diagram,
        "votes of their inputs": Votes(*TABLES).diagram,
        "a table at two places": Read(BITS, Frozen(np.array([[[0]], [[1]]])), 2).diagram,
        "a table on two samples": Read(BITS, Frozen(np.array([[0]])), 1, (2,)).diagram,
        "at least 2 of 3": AtLeast(Frozen(np.arange(3)), 3, 2).diagram,
        "votes for at least 2 of 3": AtLeastVotes(Frozen(np.arange(3)), 3, 2).diagram,
        "matrix product 2x2": trace((matrix, matrix), lambda x, y: x @ y),
        "matrix times vector 3x2": trace(over(n, (3, 2), 2), lambda w, x: functions.einsum("ij,j->i", w, x)),
        "three factors": trace(over(n, 2, 2, 2), lambda x, y, w: functions.einsum("i,i,i->", x, y, w)),
        "sum": trace(over(n, (2, 2)), lambda x: functions.sum(x, 0)),
        "broadcast": trace(over(n, 2), lambda x: functions.broadcast(x, (3, 2))),
        "transpose": trace(over(n, (2, 3)), functions.transpose),
        "gather": trace(over(n, 3), lambda x: functions.gather(x, [2, 0, 0, 1])),
        "scatter": trace(over(n, 4), lambda x: apply_generator(Scatter(x.space, 0, positions([2, 0, 0, 1]), 3), x)),
        "slice": trace(over(n, 4), lambda x: x[1:3]),
        "concatenate": trace(over(n, 2, 1), lambda x, y: functions.concatenate([x, y])),
        "reshape": trace(over(n, (2, 3)), lambda x: functions.reshape(x, (3, 2))),
        "windows": trace(over(n, (4, 1)), lambda x: functions.windows(x, 2, 2, 1)),
        "overlap": trace(over(n, (3, 2, 1)), lambda x: apply_generator(Overlap(x.space, (Frame(4, 2, 2, 1, 1),)), x)),
        **{f"convolution, to its {role}": _convolution(role).diagram for role in ROLES},
        "select": trace(over(n, 2, 2), lambda x, y: functions.select(_label(2, (1, 0)), x, y)),
        "lookup": trace(over(n, (3, 2)), lambda x: functions.lookup(x, _label(3, (2, 0, 2)))),
        "collect": trace(
            over(n, (3, 2)),
            lambda x: apply_generator(Collect(x.space.carrier, _places(3, 3), (2,)), _label(3, (2, 0, 2)), x),
        ),
        "probe": trace(over(n, 2), lambda x: apply_generator(Probe(x.space, "x"), x)),
        "map": Map(irreducible, 2, (True,)).diagram,
        "scan": scan(body, 2, shared=1, states=1),
    }


TABLES = (BITS, Frozen(np.array([[0, 1], [1, 1]])), 2)


def _places(size: int, count: int) -> Space:
    return Space(count, Discrete(size))


def _label(size: int, values: tuple[int, ...]) -> Any:
    return functions.constant(_places(size, len(values)), values)


def _convolution(role: str) -> Convolution:
    """Stride 2 and a zero of padding, two groups."""
    return Convolution(role, NATURALS, (), (Frame(3, 2, 2, 1, 0),), 2, 2, 2)


def real_generators() -> dict[str, Diagram]:
    """The generators over the reals that are no polynomials."""
    x, vector = Space((), REAL), Space(2, REAL)

    def named(name: str) -> Callable[..., Any]:
        return lambda wire: functions.apply(name, wire)

    return {
        **{name: trace(x, named(name)) for name in FUNCTIONS},
        "divide": trace((x, x), lambda a, b: a / b),
        "power": trace((x, x), functions.power),
        "maximum": trace((x, x), functions.maximum),
        "log_softmax of 2": trace(vector, functions.log_softmax),
        "lower": trace(x, lambda a: apply_generator(Lower(a.space), a)),
        "raise": trace(x, lambda a: apply_generator(Raise(a.space), a)),
    }


def discrete_generators() -> dict[str, Diagram]:
    """Maps out of discrete sets."""
    counter, label = Space((), DISCRETE), Space((), Discrete(3))
    return {
        "successor": trace(counter, functions.successor),
        "real": trace(counter, functions.real),
        "one_hot": trace(label, functions.one_hot),
        "since": trace(counter, lambda n: functions.since(2, n)),
        "divides": trace(counter, lambda n: functions.divides(2, n)),
        "less": trace((label, label), functions.less),
    }


def _laws(f: Diagram, same: Callable[[Diagram, Diagram], bool], name: str) -> None:
    R, D = reverse_derivative, forward_derivative
    for identifier in ("RD.2", "RD.6", "RD.7"):
        law = by_identifier(identifier)
        values = {"f": f, "R": R, "D": D}
        for left, right in law.sides(**{key: values[key] for key in law.names}):
            shown(same(left, right), f"{identifier} of {name}")


def _polynomial(name: str, f: Diagram) -> str:
    shown(polynomials(reverse_derivative(f)) == formal_derivative(f), f"R of {name} is the formal derivative")
    _laws(f, lambda left, right: polynomials(left) == polynomials(right), name)
    where = "every commutative semiring" if f.dom[0].carrier == NATURALS else "every commutative ring"
    return f"{name}: R is the formal derivative; RD.2, RD.6, RD.7; over {where if f.dom[0].carrier != BITS else 'bits'}"


def _real(name: str, f: Diagram) -> str:
    back = reverse_derivative(f)
    positive = {"positive": True} if name in ("log", "sqrt", "power") else {"real": True}
    inputs = symbols(back.dom, **positive)
    values = [entry for array in inputs for entry in array.flat]
    n = sum(space.size for space in f.dom)
    computed = expressions(f, inputs[: len(f.dom)])
    cotangents = values[n:]
    for k, given in enumerate(expressions(back, inputs)):
        wanted = sum(sympy.diff(y, values[k]) * d for y, d in zip(computed, cotangents, strict=True))
        shown(equal(given, wanted), f"R of {name} is the derivative")

    def same(left: Diagram, right: Diagram) -> bool:
        at = symbols(left.dom, **positive)
        return all(equal(a, b) for a, b in zip(expressions(left, at), expressions(right, at), strict=True))

    _laws(f, same, name)
    return f"{name}: R is the derivative; RD.2, RD.6, RD.7; over the reals"


def _discrete(name: str, f: Diagram) -> str:
    back = reverse_derivative(f)
    shown(all(space.carrier.name == "TRIVIAL" for space in back.cod), f"R of {name} has no change to give")
    shown(plain(f) == f, f"{name} is lawful")
    return f"{name}: R is zero, the only map into the one-element monoid"


def prove() -> list[str]:
    """One line a generator."""
    kinds = ((polynomial_generators, _polynomial), (real_generators, _real), (discrete_generators, _discrete))
    return [one(name, f) for generators, one in kinds for name, f in generators().items()]
