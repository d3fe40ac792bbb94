"""Taylor expansion to any order: the functor that sends a diagram to its action on truncated power series.

    T_n[f] : A x A' ^ n -> B x B' ^ n,     coefficients of x(t) |-> coefficients of f(x(t)) up to t^n    (ESS.taylor)

A wire becomes its jet, n + 1 wires that are the coefficients of 1, t, ..., t^n (divided by no factorial: the k-th is
the k-th derivative over k!, Hasse's, and is one of f over every semiring, where k! may be zero). T_0[f] is f, T_1[f] is
the pair of f and D[f], and T_n[f ; g] = T_n[f] ; T_n[g]. Each generator is sent to a diagram of its own:

- one that is linear in groups of inputs: y_k is the sum over i + j + ... = k of g(a_i, b_j, ...);
- any other, by y' = D[g](x, x'), a recurrence in the jets of D[g] up to order n - 1: k y_k is coefficient k - 1 of
  that. So the derivative that each generator brings is all that is needed, and the size is the square of the order,
  where iterating D doubles it each time. Dividing by k needs a field: REAL or RATIONALS.

>>> from catlearn.semirings import INTEGERS
>>> from catlearn.tracing import diagram
>>> @diagram(Space((), INTEGERS))
... def cube(x):
...     return x * x * x
>>> [int(c) for c in expansion(cube, 3)(2, 1)]  # (2 + t)^3
[8, 12, 6, 1]

Source: Griewank and Walther, Evaluating derivatives, chapter 13; Hasse derivatives over rings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, reduce
from typing import Any, TypeAlias

from catlearn.diagram import Diagram, Generator
from catlearn.errors import InputError, OperationError
from catlearn.functions import add, constant, divide, multiply, zeros
from catlearn.functors.functor import Functor
from catlearn.generators.fixed_point import FixedPoint
from catlearn.generators.scan import Scan
from catlearn.reverse import forward_derivative
from catlearn.semirings import TRIVIAL
from catlearn.space import Object, Space, changes
from catlearn.systems.linear_maps import apply_to
from catlearn.systems.modes import folded
from catlearn.tracing import Wire, trace

__all__ = ["Jet", "Jets", "expansion", "taylor"]

Jet: TypeAlias = tuple[Wire | None, ...]
"""The coefficients of 1, t, ..., t^n on wires; None is zero."""


class Jets(Functor):
    """Diagrams as functions of jets of that order, within a traced function; `on` registers a rule of one's own.

    A rule takes the generator and a jet for each input, and returns a jet, or a tuple of several.
    """

    def __init__(self, order: int, extends: Functor | None = None) -> None:
        super().__init__("jets", extends)
        self.order = order
        self._known: dict[Any, list[Jet]] = {}

    @cached_property
    def below(self) -> Jets:
        """The functor of one order less."""
        return Jets(self.order - 1, self)

    def rule(self, generator: Generator) -> Callable[..., Any] | None:
        found = super().rule(generator)
        if found is not None:
            return lambda generator, *jets: (
                (found(generator, *jets),) if len(generator.cod) == 1 else found(generator, *jets)
            )
        _check(generator)
        if isinstance(generator, (Scan, FixedPoint)) and generator.lawful:
            return self._along_a_body
        whole = generator.expanded is None or not generator.lawful or _covers(generator, ())
        return self._jets if whole else None

    def _jets(self, generator: Generator, *jets: Jet) -> tuple[Jet, ...]:
        held = [k for k, jet in enumerate(jets) if _is_constant(jet)]
        if generator.lawful and _covers(generator, held):
            return self._multilinear(generator, jets)
        key = (generator, tuple(tuple(None if wire is None else wire.index for wire in jet) for jet in jets))
        if key not in self._known:
            self._known[key] = self._recurrence(generator, jets)
        return tuple(self._known[key])

    def _multilinear(self, generator: Generator, jets: Sequence[Jet]) -> tuple[Jet, ...]:
        """Coefficient k is the sum of the generator on coefficients of its groups of inputs that add up to k."""
        groups = generator.linear
        terms: list[list[list[Wire]]] = [[[] for _ in range(self.order + 1)] for _ in generator.cod]
        for orders in _splits(len(groups), self.order):
            chosen = [jet[0] for jet in jets]
            for group, k in zip(groups, orders, strict=True):
                for j in group:
                    chosen[j] = jets[j][k]
            if all(any(chosen[j] is not None for j in group) for group in groups):
                for column, wire in zip(terms, _on(generator, chosen), strict=True):
                    column[sum(orders)].append(wire)
        return tuple(tuple(reduce(add, some) if some else None for some in column) for column in terms)

    def _recurrence(self, generator: Generator, jets: Sequence[Jet]) -> list[Jet]:
        """y' = D[g](x, x')."""
        values = _on(generator, [jet[0] for jet in jets])
        if not self.order or all(map(_is_constant, jets)):
            return [_constant(value, self.order) for value in values]
        if self.order > 1:
            _check_division(generator)
        below = [jet[:-1] for jet in jets] + [_slope(jet) for jet in jets]
        slopes = self.below.interpret(forward_derivative(generator.diagram), tuple(below))
        return [
            _constant(value, self.order)
            if value.space.changes.carrier == TRIVIAL
            else (value, *(_over(wire, k) for k, wire in enumerate(slope, 1)))
            for value, slope in zip(values, slopes, strict=True)
        ]

    def _along_a_body(self, generator: Scan | FixedPoint, *jets: Jet) -> tuple[Jet, ...]:
        """A state that is carried, or solved for, goes along with its jet: the same generator of the body's jets."""
        body, fixed = generator.body, generator.shared
        states = generator.states if isinstance(generator, Scan) else len(body.cod)
        there = [
            _orders(space, self.order)
            if fixed <= k < fixed + states
            else [n for n, w in enumerate(jet) if w is not None or not n]
            for k, (space, jet) in enumerate(zip(body.dom, jets, strict=True))
        ]

        def step(*wires: Wire) -> list[Wire]:
            given = iter(wires)
            inside = [tuple(next(given) if n in some else None for n in range(self.order + 1)) for some in there]
            made = Jets(self.order, self).interpret(body, tuple(inside))
            return [
                _wire(jet[n], space, n)
                for jet, space in zip(made, body.cod, strict=True)
                for n in _orders(space, self.order)
            ]

        dom = [space if not n else space.changes for space, some in zip(body.dom, there, strict=True) for n in some]
        carried = trace(dom, step)
        counts = [len(some) for some in there]
        shared, state = sum(counts[:fixed]), sum(counts[fixed : fixed + states])
        lifted: Generator = (
            replace(generator, body=carried, shared=shared, states=state)
            if isinstance(generator, Scan)
            else replace(generator, body=carried)
        )
        wires = [_wire(jet[n], s, n) for jet, some, s in zip(jets, there, generator.dom, strict=True) for n in some]
        made = iter(apply_to(lifted.diagram, wires))
        orders = [_orders(space, self.order) for space in body.cod]
        return tuple(tuple(next(made) if n in some else None for n in range(self.order + 1)) for some in orders)


def _check(generator: Generator) -> None:
    for space in (*generator.dom, *generator.cod):
        if space.changes != space and space.changes.carrier != TRIVIAL:
            raise OperationError(
                f"a Taylor expansion needs values that are their own changes, or have none; {generator.name} has "
                f"{space}, which changes by {space.changes}"
            )


def _check_division(generator: Generator) -> None:
    for space in generator.cod:
        if space.changes.carrier != TRIVIAL and not space.carrier.has("divide"):
            raise OperationError(
                f"the jet of {generator.name} beyond order 1 divides by 2, 3, ..., which {space.carrier} cannot: "
                "expand it by sums and products, or register a rule for its class with Jets.on"
            )


def _covers(generator: Generator, held: Sequence[int]) -> bool:
    """Whether every input that moves is in one of the groups that the generator is linear in."""
    groups = {k for group in generator.linear for k in group}.union(held)
    return groups.issuperset(k for k, space in enumerate(generator.dom) if space.changes.carrier != TRIVIAL)


def _splits(count: int, most: int) -> Iterator[tuple[int, ...]]:
    """Every tuple of that many numbers whose sum is at most `most`."""
    if not count:
        yield ()
        return
    for first in range(most + 1):
        for rest in _splits(count - 1, most - first):
            yield (first, *rest)


def _on(generator: Generator, wires: Sequence[Wire | None]) -> list[Wire]:
    """The generator's outputs, None standing for zero; one whose reverse is not its derivative leaves no mark."""
    f = generator.diagram if generator.lawful else generator.computes() or generator.diagram
    return apply_to(f, [_wire(wire, space) for wire, space in zip(wires, generator.dom, strict=True)])


def _wire(wire: Wire | None, space: Space, order: int = 0) -> Wire:
    return wire if wire is not None else zeros(space.changes if order else space)


def _is_constant(jet: Jet) -> bool:
    return all(wire is None for wire in jet[1:])


def _constant(value: Wire, order: int) -> Jet:
    return (value, *[None] * order)


def _orders(space: Space, order: int) -> list[int]:
    return [*range(order + 1)] if space.changes.carrier != TRIVIAL else [0]


def _slope(jet: Jet) -> Jet:
    """The jet of x': its coefficient k is k + 1 times the next of x."""
    return tuple(wire if wire is None or k == 1 else multiply(wire, k) for k, wire in enumerate(jet[1:], 1))


def _over(wire: Wire | None, k: int) -> Wire | None:
    return wire if wire is None or k == 1 else divide(wire, constant(wire.space, k))


def _checked(order: int) -> int:
    if isinstance(order, bool) or not isinstance(order, int) or order < 0:
        raise InputError(f"the order of a Taylor expansion is an integer of at least 0; got {order!r}")
    return order


def _wires(jets: Sequence[Jet], spaces: Object, order: int) -> list[Wire]:
    """All wires of order 0, then all of order 1, and so on."""
    return [_wire(jet[n], space, n) for n in range(order + 1) for jet, space in zip(jets, spaces, strict=True)]


def taylor(f: Diagram, order: int, functor: Jets | None = None) -> Diagram:
    """T_n[f], from the coefficients of x(t) to those of f(x(t)): first the wires of order 0, then of 1, up to n.

    `functor` may be a `Jets` of that order with rules of one's own. Raises `InputError` for an order that is no whole
    number from 0 on, `OperationError` for values that differ from their changes (bits), and where a generator that is
    neither a sum, a product nor made of them would have to be divided by k in a carrier that cannot.
    """
    rules, n = functor or Jets(_checked(order)), len(f.dom)
    if rules.order != order:
        raise InputError(f"the functor is of jets of order {rules.order}, and the order asked for is {order}")

    def run(*wires: Wire) -> list[Wire]:
        jets = [
            tuple(wires[k * n + j] if not k or space.changes.carrier != TRIVIAL else None for k in range(order + 1))
            for j, space in enumerate(f.dom)
        ]
        return _wires(Jets(order, rules).interpret(f, tuple(jets)), f.cod, order)

    return folded(f.dom + changes(f.dom) * order, run)


def expansion(f: Diagram, order: int, functor: Jets | None = None) -> Diagram:
    """The expansion of t |-> f(x + t v), A x A' -> B x B' ^ n: all wires of its value, then its coefficients of t, ...

    Raises what `taylor` raises.
    """
    series, A = taylor(f, order, functor), changes(f.dom)
    later = max(order - 1, 0)

    def run(*wires: Wire) -> list[Wire]:
        given = wires[: (order > 0) * len(A) + len(f.dom)]
        return apply_to(series, [*given, *(zeros(space) for _ in range(later) for space in A)])

    return folded(f.dom + A, run)
