"""Rewriting models: a functor on parametrised diagrams that sends nodes to others, which may have further inputs.

A rule looks at a node and at where its inputs come from, and gives a `Patch`: a diagram on the node's inputs and some
further ones, or nothing, which keeps the node. The bodies of `Scan` and `Map` are rewritten as well: a further input
beside what is shared is shared, one beside an item is an item. Each further input becomes a parameter of the model,
named after the parameter that it stands beside; the model's own keep their places, so they start as before.

    rewrite(f ; g) = rewrite(f) ; rewrite(g),    rewrite(f x g) = rewrite(f) x rewrite(g)    up to the further inputs
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from catlearn.builder import Builder
from catlearn.diagram import Diagram, Generator, identity, wiring
from catlearn.errors import OperationError
from catlearn.generators.batching import Map
from catlearn.generators.random import SplitKey
from catlearn.generators.scan import Scan
from catlearn.layers.structure import Stacked
from catlearn.para import Para
from catlearn.parameters import Initialiser, Parameter, Signature
from catlearn.space import Space

__all__ = ["DATA", "FIXED", "Extra", "Patch", "Seeded", "extended", "origins_of", "rewrite", "rewritten"]

DATA, FIXED = -1, -2
"""Where a wire comes from: from data (or random keys), from constants alone, or, at 0 and above, from a parameter."""

Origins = Sequence[int]


@dataclass(frozen=True)
class Extra:
    """A further input: its name, its space, its role and how it starts; `beside` is the input that it goes with."""

    name: str
    space: Space
    beside: int
    role: str = "frozen"
    initialise: Initialiser | None = None

    def repeated(self, count: int) -> Extra:
        """One for each of so many items, stacked."""
        start = None if self.initialise is None else Stacked(self.initialise)
        return replace(self, space=self.space.batch(count), initialise=start)


@dataclass(frozen=True)
class Patch:
    """What takes the place of a morphism: a diagram on its inputs, then on those of `extras`."""

    diagram: Diagram
    extras: tuple[Extra, ...] = ()


Rule = Callable[[Generator, Origins], Patch | None]


@dataclass(frozen=True)
class Seeded:
    """The initialiser that draws with a seed of its own, whatever the run's: the k-th of those that share it."""

    initialise: Initialiser
    seed: int
    number: int

    def __call__(self, generator: np.random.Generator, space: Space) -> np.ndarray:
        return self.initialise(np.random.default_rng([self.seed, self.number]), space)


def origin(inputs: Iterable[int]) -> int:
    """Where the outputs of a node come from: from data if an input does, else from the first parameter it reads."""
    found = list(inputs)
    learnt = [k for k in found if k >= 0]
    return DATA if DATA in found else min(learnt, default=FIXED)


def rewrite(f: Diagram, origins: Origins, rule: Rule) -> Patch | None:
    """The diagram with its nodes replaced, on its inputs and the further ones; None where no node is."""
    here, patches = list(origins), []
    for generator, inputs, outputs in f.nodes:
        reads = [here[k] for k in inputs]
        patches.append((_within(generator, reads, rule) or rule(generator, reads), reads))
        here += [origin(reads)] * len(outputs)
    if all(patch is None for patch, _ in patches):
        return None
    extras, places = _gathered(patches)
    builder = Builder(f.dom + tuple(extra.space for extra in extras))
    start = len(f.dom)
    wires = list(range(start))
    for (generator, inputs, _), (patch, _), own in zip(f.nodes, patches, places, strict=True):
        given = tuple([wires[k] for k in inputs])
        made = builder.apply(generator, given) if patch is None else None
        wires += builder.replay(patch.diagram, (*given, *(start + k for k in own))) if patch else (made or ())
    return Patch(builder.finish(wires[k] for k in f.outputs), extras)


def _gathered(patches: list[tuple[Patch | None, list[int]]]) -> tuple[tuple[Extra, ...], list[list[int]]]:
    """The further inputs of all nodes, those of one parameter being one (keys apart), and each node's among them."""
    extras: list[Extra] = []
    places: list[list[int]] = []
    for patch, reads in patches:
        places.append([])
        for extra in patch.extras if patch else ():
            outer = replace(extra, beside=reads[extra.beside])
            if outer.role == "auxiliary" or outer not in extras:
                extras.append(outer)
                places[-1].append(len(extras) - 1)
            else:
                places[-1].append(extras.index(outer))
    return tuple(extras), places


def _within(generator: Generator, reads: Origins, rule: Rule) -> Patch | None:
    """The patch of a node that has a body, by rewriting that."""
    if isinstance(generator, Scan):
        return _scanned(generator, reads, rule)
    if isinstance(generator, Map):
        return _mapped(generator, reads, rule)
    return None


def _inner(reads: Origins) -> list[int]:
    """A body's wires are numbered as the node's."""
    return [k if wire >= 0 else wire for k, wire in enumerate(reads)]


def _scanned(node: Scan, reads: Origins, rule: Rule) -> Patch | None:
    shared, fixed = node.shared, node.shared + node.states
    inside = _inner(reads)
    inside[shared:fixed] = [DATA] * node.states
    patch = rewrite(node.body, inside, rule)
    if patch is None:
        return None
    count = len(node.dom)
    common = [k for k, e in enumerate(patch.extras) if e.beside < shared and e.role != "auxiliary"]
    items = [k for k in range(len(patch.extras)) if k not in common]
    order = [*range(shared), *(count + k for k in common), *range(shared, count), *(count + k for k in items)]
    spaces = patch.diagram.dom
    body = wiring([spaces[k] for k in order], [order.index(k) for k in range(len(order))]) >> patch.diagram
    loop = Scan(body, node.length, shared + len(common), node.states, node.backward)
    extras = tuple(e if k in common else e.repeated(node.length) for k, e in enumerate(patch.extras))
    return Patch(wiring((*node.dom, *(e.space for e in extras)), order) >> loop.diagram, extras)


def _mapped(node: Map, reads: Origins, rule: Rule) -> Patch | None:
    patch = rewrite(node.body, _inner(reads), rule)
    if patch is None:
        return None
    stacked = [node.flags[e.beside] or e.role == "auxiliary" for e in patch.extras]
    extras = tuple(e.repeated(node.size) if many else e for e, many in zip(patch.extras, stacked, strict=True))
    return Patch(Map(patch.diagram, node.size, (*node.flags, *stacked)).diagram, extras)


def origins_of(model: Para[Diagram]) -> list[int]:
    """Where the wires of a model's domain come from."""
    roles = [p.role for p in model.parameters] or ["parameter"] * len(model.parameter)
    return [DATA if role == "auxiliary" else k for k, role in enumerate(roles)] + [DATA] * len(model.dom)


def rewritten(model: Para[Diagram], rule: Rule, seed: int | None = None) -> Para[Diagram] | None:
    """The model with its nodes replaced; None where no node is. See `extended` for the further inputs."""
    patch = rewrite(model.diagram, origins_of(model), rule)
    return None if patch is None else extended(model, patch, seed)


def extended(model: Para[Diagram], patch: Patch, seed: int | None = None) -> Para[Diagram]:
    """The model of a patch of its morphism: the further inputs follow its parameters, as parameters of their own.

    They start as the run's seed says, or as `seed` does. Raises `OperationError` where the model's parameters have no
    names, so that a further one cannot be named after them.
    """
    if patch.extras and len(model.parameters) != len(model.parameter):
        raise OperationError("the model's parameters need names; make it with layers or para.parametrised")
    own, count = len(model.parameter), len(model.diagram.dom)
    spaces = tuple(e.space for e in patch.extras)
    whole = wiring(
        (*model.parameter, *spaces, *model.dom),
        [*range(own), *range(own + len(spaces), count + len(spaces)), *range(own, own + len(spaces))],
    )
    records, taken = [], {(int(k), p.name) for k, p in zip(model.signature.numbers, model.parameters, strict=True)}
    for number, extra in enumerate(patch.extras):
        beside = model.parameters[extra.beside]
        name = _unused(f"{beside.name}_{extra.name}", int(model.signature.numbers[extra.beside]), taken)
        start = extra.initialise
        if seed is not None and start is not None and extra.role == "frozen":
            start = Seeded(start, seed, number)
        records.append(Parameter(name, extra.space, start, extra.role, beside.layer))
    numbers = [int(model.signature.numbers[e.beside]) for e in patch.extras]
    signature = Signature(
        (*model.parameters, *records),
        np.concatenate([model.signature.numbers, np.array(numbers, int)]),
        model.signature.layers,
    )
    result = Para((*model.parameter, *spaces), model.dom, whole >> patch.diagram, signature)
    return _with_single_keys(result)


def _unused(name: str, layer: int, taken: set[tuple[int, str]]) -> str:
    """The name, or with the next number where the layer has it already; noted as taken."""
    found, number = name, 1
    while (layer, found) in taken:
        found, number = f"{name}_{number}", number + 1
    taken.add((layer, found))
    return found


def _with_single_keys(model: Para[Diagram]) -> Para[Diagram]:
    """The same with one random key in place of each array of them: the array is split from it."""
    many = [p.role == "auxiliary" and p.space.carrier.kind == "key" and p.space.shape != () for p in model.parameters]
    if not any(many):
        return model
    alpha: Any = identity()
    for space, split in zip(model.parameter, many, strict=True):
        alpha = alpha @ (SplitKey((), space.shape).diagram if split and math.prod(space.shape) else identity(space))
    records = tuple(replace(p, space=s) for p, s in zip(model.parameters, alpha.dom, strict=True))
    return model.reparametrise(alpha, Signature(records, model.signature.numbers, model.signature.layers))
