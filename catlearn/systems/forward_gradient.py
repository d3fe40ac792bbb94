"""Forward gradients: the change that comes back is a random direction, times the derivative along it (BWD.fwdgrad).

    put(a, d) = <d, D[f](a, v)> v,    v drawn anew at each step, E[v v^T] = 1

In the mean this is R[f](a, d), since E[<g, v> v] = g; of one draw E|put - g|^2 = (n - 1) |g|^2 for entries +-1, and
(n + 1) |g|^2 for normal ones, n the number of entries (BWD.fwdgrad.var). Put on a whole model it takes one pass
forward, of D, and none backward; with draws of their own for each layer, it is exact in the mean still, but not for one
draw a functor.

Source: Baydin et al., Gradients without backpropagation (2202.08587).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from catlearn import functions
from catlearn.diagram import Diagram, Generator, discard
from catlearn.errors import OperationError
from catlearn.generators.surrogate import surrogate
from catlearn.para import Para
from catlearn.reverse import forward_derivative
from catlearn.semirings import KEYS, REAL
from catlearn.space import Object, Space
from catlearn.systems.feedback import weight_of
from catlearn.systems.rewriting import Extra, Origins, Patch, extended
from catlearn.tracing import Wire, trace

__all__ = ["along", "by_layer", "drawn", "whole"]

KEY = Space((), KEYS)


def along(f: Diagram, moved: Sequence[int]) -> Diagram:
    """A x V x B' -> A': <d, D[f](a, v)> v, v of the inputs that are moved; the others get zero.

    Raises `OperationError` where f has an output that is not its own space of changes.
    """
    still = [s for s in (*f.cod, *(f.dom[k] for k in moved)) if s.changes != s]
    if still:
        raise OperationError(f"a forward gradient needs values that are their own changes; got {still[0]}")
    D = forward_derivative(f)
    n, m = len(f.dom), len(moved)

    def run(*wires: Wire) -> list[Wire]:
        a, v, d = wires[:n], wires[n : n + m], wires[n + m :]
        direction = [functions.zeros(space.changes) for space in f.dom]
        for place, wire in zip(moved, v, strict=True):
            direction[place] = wire
        made = D(*a, *direction)
        parts = zip(made if isinstance(made, tuple) else (made,), d, strict=True)
        slopes = [functions.sum(one * other) for one, other in parts]
        back = [functions.zeros(space.changes) for space in f.dom]
        for place, wire in zip(moved if slopes else (), v, strict=False):
            back[place] = reduce(functions.add, slopes) * wire
        return back

    return trace((*f.dom, *(f.dom[k] for k in moved), *f.cod), run)


def drawn(key: Wire, spaces: Object, distribution: str) -> list[Wire]:
    """A wire for each space, its entries independent, with mean 0 and deviation 1: "signs" or "normal"."""
    keys = functions.split_key(key, len(spaces))
    made = []
    for k, space in enumerate(spaces):
        if distribution == "normal":
            made.append(functions.normal(keys[k], space.shape))
        else:
            made.append(2.0 * functions.bernoulli(keys[k], space.shape, 0.5) - 1.0)
    return made


def _node(f: Diagram, moved: Sequence[int], distribution: str) -> Diagram:
    """f on its inputs and a key, with the forward gradient for the inputs that are moved as its put."""
    spaces = tuple(f.dom[k] for k in moved)
    back = along(f, moved)
    n = len(f.dom)

    def put(*wires: Wire) -> list[Any]:
        a, key, d = wires[:n], wires[n], wires[n + 1 :]
        made = back(*a, *drawn(key, spaces, distribution), *d)
        return [*(made if isinstance(made, tuple) else (made,)), functions.zeros(KEY.changes)]

    return surrogate("forward gradient", f @ discard(KEY), trace((*f.dom, KEY, *f.cod), put), additive=True)


def by_layer(generator: Generator, origins: Origins, distribution: str) -> Patch | None:
    """The forward gradient of one node where a weight meets data, with a key of its own."""
    found = weight_of(generator, origins)
    if found is None:
        return None
    return Patch(_node(generator.diagram, (0, 1), distribution), (Extra("key", KEY, found[0], "auxiliary"),))


def whole(model: Para[Diagram], distribution: str) -> Para[Diagram] | None:
    """The forward gradient of a model, one draw for all its parameters; its inputs get no change."""
    moved = [k for k, p in enumerate(model.parameters) if p.role == "parameter" and p.space.carrier == REAL]
    if not moved:
        return None
    patch = Patch(_node(model.diagram, moved, distribution), (Extra("key", KEY, moved[0], "auxiliary"),))
    return extended(model, patch)
