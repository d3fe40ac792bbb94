"""Laws of polynomial functors on finite sets, and of learners as machines in them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from catlearn import functions, losses, optimisers
from catlearn.diagram import Diagram, identity, permute
from catlearn.functors.exact import Exact
from catlearn.laws.law import Law, formula
from catlearn.laws.learners import model, with_defaults
from catlearn.laws.oracles import tuple_of
from catlearn.learner import supervised
from catlearn.lens import Lens, Sides
from catlearn.polynomials import from_function
from catlearn.semirings import Z2
from catlearn.space import Object
from catlearn.systems.learn import LearnMorphism
from catlearn.systems.moore import machine
from catlearn.systems.poly import (
    PolynomialFunctor,
    PolynomialMap,
    count_maps,
    curry,
    finite_values,
    internal_hom,
    maps,
    monomial,
    polynomial_map,
    positions_and_steps,
    uncurry,
)

__all__ = ["MOORE"]

SP = "Spivak, Learners' languages (2103.01189)"
MOST = 300
"""How many points are still tabulated."""


def _points(spaces: Object) -> list[list[Any]] | None:
    """All points of an object, None where they are infinitely many."""
    found = [finite_values(space.carrier) for space in spaces]
    if any(values is None or space.shape for values, space in zip(found, spaces, strict=True)):
        return None
    return [list(point) for point in product(*(values for values in found if values is not None))]


def _few(*objects: Object) -> bool:
    points = [_points(spaces) for spaces in objects]
    return all(p is not None for p in points) and math.prod(len(p) for p in points if p is not None) <= MOST


def _embedded(i: Diagram, r: Diagram, j: Diagram, s: Diagram, A: Object, B: Object, C: Object) -> list[Any]:
    """Composites go to composites, identities to identities; the maps of 2 y^2 are all lenses, each one's own."""
    if not _few(A, B) or not _few(B, C) or not _few(A, C):
        return []
    first, second = Lens(i, r), Lens(j, s)
    made = polynomial_map(first)
    return [
        (polynomial_map(first >> second), made >> polynomial_map(second)),
        (polynomial_map(Lens.identity(Sides(A, A))), PolynomialMap.identity(made.dom)),
        (made, _tabulated(first)),
        *(_full() if A and A[0].carrier == Z2 and len(A) == 1 else []),
    ]


def _tabulated(lens: Lens) -> PolynomialMap:
    """The map of a lens, a point at a time."""
    A, B = lens.dom.forward, lens.cod.forward
    there, here = _points(A) or [], _points(B) or []
    get, put = Exact()(lens.get), Exact()(lens.put)

    def number(values: Any, among: list[list[Any]]) -> int:
        return among.index([int(np.asarray(v)) for v in tuple_of(values)])

    return PolynomialMap(
        monomial(len(there)),
        monomial(len(here)),
        tuple(number(get(*a), here) for a in there),
        tuple(tuple(number(put(*a, *b), there) for b in here) for a in there),
    )


def _full() -> Iterator[tuple[Any, Any]]:
    """Every map 2 y^2 -> 2 y^2 is that of a lens of one bit, made as a circuit of its tables."""
    two = monomial(2)
    for wanted in list(maps(two, two))[::7]:
        get = from_function(np.array(wanted.positions), Z2, 1)
        put = from_function(np.array(wanted.directions), Z2, 2)
        yield polynomial_map(Lens(get, put)), wanted


SIZES = [(p, a, b) for p, a, b in product(range(3), repeat=3)] + [(3, 1, 2), (1, 3, 2), (2, 2, 3), (3, 2, 3), (2, 3, 2)]
SMALL = [(2, 1, 2), (1, 2, 2), (2, 2, 1), (0, 2, 1), (2, 0, 2), (1, 3, 1), (3, 1, 1), (1, 1, 3)]


def _hom() -> Iterator[tuple[Any, Any]]:
    """Positions are the lenses, B^A A^(A B) of them, directions the data A B; and [y, r] is r."""
    for _, a, b in SIZES:
        hom = internal_hom(monomial(a), monomial(b))
        yield hom, PolynomialFunctor((a * b,) * (b**a * a ** (a * b)))
        yield len(hom.directions), sum(1 for _ in maps(monomial(a), monomial(b)))
    uneven = PolynomialFunctor((2, 0, 3))
    yield internal_hom(monomial(1), uneven), uneven


def _counted() -> Iterator[tuple[Any, Any]]:
    """Maps counted on both sides, and currying, as a bijection between them where they are few."""
    for p, a, b in SIZES:
        P, A, B = map(monomial, (p, a, b))
        left, right = count_maps(P @ A, B), count_maps(P, internal_hom(A, B))
        yield left, right
        yield left, b ** (p * a) * (p * a) ** (p * a * b)
        yield right, (b**a * a ** (a * b)) ** p * p ** (p * a * b)
    uneven = PolynomialFunctor((2, 0)), PolynomialFunctor((1, 2)), PolynomialFunctor((1, 0))
    for P, A, B in [tuple(map(monomial, sizes)) for sizes in SMALL] + [uneven]:
        every = list(maps(P @ A, B))
        turned = [curry(m, P, A) for m in every]
        yield set(turned), set(maps(P, internal_hom(A, B)))
        yield [uncurry(m, A, B) for m in turned], every
        yield len(every), count_maps(P @ A, B)


def _viewed(i: Diagram, u: Diagram, r: Diagram, P: Object, A: Object, B: Object) -> list[Any]:
    """The machine of a learner is its three maps; as a map P y^P -> [A y^A, B y^B] it is their tables."""
    f = LearnMorphism(P, i, u, r)
    seen = machine(f)
    pairs: list[Any] = [(seen.implement, i), (seen.transition, u), (seen.request, r)]
    if B and all(space.carrier.has("subtract") and space.changes == space for space in (*P, *A, *B)):
        loss = losses.exclusive_or if B[0].carrier == Z2 else losses.difference
        learner = supervised(model(i, P), loss, optimisers.ga())
        exchanged = permute([P, A, B], [0, 2, 1]) >> with_defaults(learner)
        pairs += [(machine(learner).transition, exchanged), (machine(learner).implement, i)]
    return [*pairs, *_in_poly(f)] if _few(P, A, B) else pairs


def _in_poly(f: LearnMorphism) -> Iterator[tuple[Any, Any]]:
    """At each state the lens, and for each datum the next state; and the run over a word of two data."""
    states, inputs, targets = (_points(spaces) or [] for spaces in (f.parameter, f.dom, f.cod))
    seen, whole = machine(f), polynomial_map(f.to_lens().morphism)
    parts = positions_and_steps(whole, monomial(len(states)), monomial(len(inputs)))
    run = Exact()(f.update)
    for p, (lens, steps) in zip(states, parts, strict=True):
        at = formula([()], lambda _, p=p: _constants(p, f.parameter))
        get, put = ((at @ identity(part.dom[len(p) :])) >> part for part in (f.implement, f.request))
        yield lens, _tabulated(Lens(get, put))
        after = [[int(np.asarray(v)) for v in tuple_of(run(*p, *a, *b))] for a in inputs for b in targets]
        yield [states[k] for k in steps], after
        state = dict(zip(seen.names, p, strict=True))
        for datum, following in list(zip(product(inputs, targets), after, strict=True))[:2]:
            word = [(tuple(datum[0]), tuple(datum[1]))] * 2
            again = tuple_of(run(*following, *datum[0], *datum[1]))
            yield [v.tolist() for v in seen.run(state, word).values()], [int(np.asarray(v)) for v in again]


def _constants(values: list[Any], spaces: Object) -> list[Any]:
    return [functions.constant(space, int(value)) for value, space in zip(values, spaces, strict=True)]


MOORE: tuple[Law, ...] = (
    Law("MOORE.embed", "simple lenses A -> B are the maps A y^A -> B y^B, functorially", SP,
        "i: A -> B, r: A B -> A, j: B -> C, s: B C -> B", _embedded, ("exact",)),
    Law("MOORE.hom", "[A y^A, B y^B] has the lenses A -> B for positions and A B directions at each", SP, "", _hom,
        ("shipped", "INTEGERS")),
    Law("MOORE.count", "maps P y^P x A y^A -> B y^B are maps P y^P -> [A y^A, B y^B], by currying", SP, "", _counted,
        ("shipped", "INTEGERS")),
    Law("MOORE.view", "a learner is a machine: state p, output (I(p, -), r(p, -, -)), p -> U(p, a, b) at a datum", SP,
        "i: P A -> B, u: P A B -> P, r: P A B -> A", _viewed, ("exact",)),
)  # fmt: skip
"""The laws of learners as machines."""
