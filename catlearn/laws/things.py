"""What can be checked, as categories: one row of a table for each kind of thing.

A generator or a diagram makes the category of its generators; a semiring that of polynomials over it; a lens, a loss
or an optimiser a category in which the laws about lenses, losses or optimisers speak of that one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from catlearn.builder import Builder
from catlearn.diagram import Diagram, Generator
from catlearn.errors import CatlearnError, OperationError
from catlearn.functors.symbolic import polynomials
from catlearn.laws.categories import MORPHISMS, SMOOTH, polynomial_category
from catlearn.laws.oracles import tuple_of
from catlearn.laws.strategies import Category
from catlearn.lens import Lens
from catlearn.losses import Loss
from catlearn.optimisers import Optimiser
from catlearn.reverse import reverse_derivative
from catlearn.semirings import INTEGERS, REAL, Z2, Carrier
from catlearn.space import Space

__all__ = ["as_category"]


def _of_carrier(thing: Carrier) -> Category:
    for operation in ("add", "multiply"):
        thing.require(operation)
    return polynomial_category(thing)


def _of_diagram(thing: Diagram, name: str = "the diagram") -> Category:
    own = [thing] if thing.dom and thing.nodes else []
    gates = tuple(dict.fromkeys([*(g.diagram for g, inputs, _ in thing.nodes if inputs), *own]))
    spaces = tuple(dict.fromkeys(space for gate in gates for space in (*gate.dom, *gate.cod)))
    if not gates:
        raise OperationError(f"{name} has no generator to check; give one with a node")
    if any(space.carrier.kind == "key" for space in spaces):
        raise OperationError(
            f"{name} takes random keys, and laws are compared at points: check what it does at one key"
        )
    rounds = any(space.carrier == REAL for space in spaces)
    own_names = {h: g for g, _, _ in thing.nodes for h in _same_morphisms(g)}
    closed = _identifying(own_names) if own_names else None
    return Category(name, spaces, gates, rounds, closed=closed, about=MORPHISMS)


def _same_morphisms(g: Generator) -> list[Generator]:
    """Other generators in the reverse of g that compute what g computes: one morphism by two names."""
    back = g.reversed
    used = dict.fromkeys(h for h, _, _ in back.nodes) if back is not None else {}
    return [h for h in used if type(h) is not type(g) and _one_meaning(g, h)]


def _one_meaning(g: Generator, h: Generator) -> bool:
    if not g.dom or (g.dom, g.cod) != (h.dom, h.cod) or not g.lawful:
        return False
    from catlearn.functors import default_functor

    try:
        if any(space.carrier == REAL for space in (*g.dom, *g.cod)):
            draw = np.random.default_rng(0)
            point = [draw.uniform(0.2, 1.7, space.shape) for space in g.dom]
            ours, theirs = (default_functor(each.diagram)(each.diagram)(*point) for each in (g, h))
            return all(np.allclose(a, b) for a, b in zip(tuple_of(ours), tuple_of(theirs), strict=True))
        return polynomials(g.diagram) == polynomials(h.diagram)
    except (CatlearnError, TypeError, ValueError):
        return False


def _identifying(names: Mapping[Generator, Generator]) -> Callable[[Diagram], Diagram]:
    """R with one name for each morphism: equal morphisms must have equal reverses (RD.generators)."""

    def renamed(f: Diagram) -> Diagram:
        builder = Builder(f.dom)
        here = list(range(len(f.dom)))
        for generator, sources, _ in f.nodes:
            here += builder.apply(names.get(generator, generator), tuple([here[k] for k in sources]))
        return builder.finish(here[k] for k in f.outputs)

    return lambda f: renamed(reverse_derivative(renamed(f)))


def _of_lens(thing: Lens) -> Category:
    both = [d for d in (thing.get, thing.put) if any(inputs for _, inputs, _ in d.nodes)]
    gates = tuple(dict.fromkeys(g.diagram for d in both for g, inputs, _ in d.nodes if inputs))
    ends = (*thing.get.dom, *thing.get.cod, *thing.put.dom, *thing.put.cod)
    spaces = tuple(dict.fromkeys((*ends, *(s for gate in gates for s in (*gate.dom, *gate.cod)))))
    rounds = any(space.carrier == REAL for space in spaces)
    return Category("the lens", spaces, gates, rounds, lenses=(thing,), about=("=>", "=o"))


_HOMES = (SMOOTH.spaces, (Space((), INTEGERS),), (Space((), Z2), Space(2, Z2)))


def _of_loss(thing: Loss) -> Category:
    home = _home(lambda space: thing.para(space), f"the loss {thing.name}")
    return replace(home, name=f"the loss {thing.name}", losses=(thing,), about=("loss",))


def _of_optimiser(thing: Optimiser) -> Category:
    home = _home(lambda space: thing.lens(space), f"the optimiser {thing.name}")
    return replace(home, name=f"the optimiser {thing.name}", optimisers=(thing,), about=("optimiser",))


def _home(attempt: Callable[[Space], Any], name: str) -> Category:
    """The category of the first family of spaces in which the thing is typed somewhere."""
    for spaces in _HOMES:
        fitting = []
        for space in spaces:
            try:
                attempt(space)
            except CatlearnError:
                continue
            fitting.append(space)
        if fitting:
            gates = SMOOTH.gates if spaces is SMOOTH.spaces else polynomial_category(spaces[0].carrier).gates
            return Category(name, spaces, gates, spaces is SMOOTH.spaces)
    raise OperationError(f"{name} fits no vector or scalar over REAL, INTEGERS or Z2; give check a Category with it")


KINDS: tuple[tuple[type, Callable[[Any], Category]], ...] = (
    (Category, lambda thing: thing),
    (Carrier, _of_carrier),
    (Diagram, _of_diagram),
    (Generator, lambda thing: _of_diagram(thing.diagram, f"the generator {thing.name}")),
    (Lens, _of_lens),
    (Loss, _of_loss),
    (Optimiser, _of_optimiser),
)


def as_category(thing: Any, breaks: Mapping[str, str] | None = None) -> Category:
    """The category in which the laws of a thing are checked; raises `OperationError` for what has none."""
    for kind, make in KINDS:
        if isinstance(thing, kind):
            made = make(thing)
            return replace(made, breaks={**made.breaks, **breaks}) if breaks else made
    raise OperationError(
        "check takes a Category, a semiring, a generator, a Diagram, a Lens, a Loss or an Optimiser (a Para has "
        f".morphism); got {thing!r}"
    )
