"""Training a schema: equations become distances, objects get critics, and all is one learner.

An equation l = r between paths X -> Y becomes the distance of F(l)(x) and F(r)(x) at samples x of X. Edges that both
paths use are tied, so what comes back to a parameter is the sum over both (CDL.cycle). A critic d at Y climbs an
objective V of its judgements of F(e)(x) and of samples y of Y, for each edge e : X -> Y, which descends it (GAN.comp);
where the edge climbs something of its own, the critic sees the fake held still, and the edge a critic held still. Two
objects, two edges and two equations are CycleGAN:

    V(d(f(x)), d(y)) + V(c(g(y)), c(x)) + |g(f(x)) - x| + |f(g(y)) - y|          f, g descend it, c, d climb it

>>> from catlearn.layers import linear
>>> from catlearn.optimisers import adam
>>> from catlearn.systems.schema import Schema
>>> schema = Schema({"r": ("X", "X")}, ["r ; r = X"])
>>> schema_learner(schema.interpret({"X": Space(2, REAL)}, {"r": linear(2, 2)}), adam())
<learner of r_0.weight by unlabelled and adam>

Sources: Gavranovic, Compositional deep learning (1907.08292); Zhu et al., CycleGAN (1703.10593); Mao et al., Least
squares generative adversarial networks (1611.04076).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from operator import add
from typing import Any, NamedTuple

import numpy as np

from catlearn import functions
from catlearn.adversarial import OBJECTIVES
from catlearn.assignment import Assigned, by_name
from catlearn.combinators import opposite
from catlearn.datasets import columns
from catlearn.diagram import Diagram
from catlearn.errors import DataError, OperationError, UnknownNameError, nearest
from catlearn.feeding import Stream
from catlearn.generators.probe import Probe
from catlearn.generators.surrogate import stop_change
from catlearn.learner import Learner, supervised
from catlearn.losses import constant_cap, unlabelled
from catlearn.optimisers import Optimiser
from catlearn.para import Para
from catlearn.semirings import REAL
from catlearn.space import Space, first_difference
from catlearn.systems.schema import Edge, Interpretation, named
from catlearn.tracing import Wire, apply_generator, trace

__all__ = ["DISTANCES", "GAMES", "Game", "schema_learner", "unpaired"]

Rule = Callable[[Wire, Wire], Wire]

DISTANCES: dict[str, Rule] = {
    "l1": lambda x, y: functions.sum(functions.absolute(x - y)),
    "squared": lambda x, y: functions.sum(functions.square(x - y)),
}
"""Distances of two values of one space, by name; over several wires they add up."""


class Game(NamedTuple):
    """What a critic climbs, of (fake, real), and what the edge climbs, of fake, where that is not its opposite."""

    critic: Rule
    edge: Callable[[Wire], Wire] | None = None


GAMES: dict[str, Game] = {
    "wgan": Game(OBJECTIVES["wgan"]),
    "minimax": Game(OBJECTIVES["minimax"]),
    "non-saturating": Game(OBJECTIVES["minimax"], lambda fake: -functions.softplus(-fake)),
    "least-squares": Game(
        lambda fake, real: -functions.square(real - 1.0) - functions.square(fake),
        lambda fake: -functions.square(fake - 1.0),
    ),
}
"""Games by name."""


@dataclass(frozen=True)
class _Term:
    """A number to descend: maps out of objects, and what becomes of all that they give; `owner` has its weight."""

    name: str
    owner: str
    maps: tuple[tuple[str, Para[Diagram]], ...]
    value: Callable[..., Wire]


def schema_learner(
    interpretation: Interpretation,
    optimiser: Optimiser,
    *,
    critics: Mapping[str, Para[Diagram] | Diagram] | None = None,
    critic_optimiser: Optimiser | None = None,
    objective: str | Rule = "non-saturating",
    distance: str | Rule = "l1",
    weights: Mapping[str, float] | None = None,
) -> Learner:
    """The learner of a schema's edges: they descend the distances of its equations and what its critics climb.

    `critics` maps objects Y to maps Y -> REAL, each of which judges all edges into Y that have something to learn;
    `objective` is a name in `GAMES`, or a function of the judgements (fake, real) on wires that the critic climbs and
    the edges descend. `distance` is a name in `DISTANCES`, or a function of two wires that gives a number. `weights`
    maps equations, as the schema prints them, and objects with a critic to numbers, which are 1 where not given.
    `critic_optimiser` is `optimiser` where not given.

    Data are rows of samples without targets: an array for each wire of each object that an equation or a critic needs,
    in the order of the schema's objects. Rows of different objects need not belong together; `unpaired` makes a stream
    of sets of different sizes. Parameters are called `f_0.weight` and `critic_Y_0.weight`; each term is a probe, called
    "f ; g = X" or "critic_Y on f".

    Raises `OperationError`, `CompositionError` or `UnknownNameError` for what does not fit, or nothing to train.
    """
    judges = {name: _critic(interpretation, name, given) for name, given in (critics or {}).items()}
    terms = [
        *_judgements(interpretation, judges, _game(objective)),
        *_distances(interpretation, _chosen(distance, DISTANCES, "distance")),
    ]
    if not terms:
        raise OperationError("there is nothing to train: the schema has no equation, and no critic is given")
    model = _objective(interpretation, terms, _factors(terms, weights or {}))
    if not judges:
        if not _learns(model):
            raise OperationError("there is nothing to train: no edge in an equation has a parameter to learn")
        return supervised(model, unlabelled, optimiser, constant_cap(-1))
    return supervised(model, unlabelled, _both(judges, optimiser, critic_optimiser), constant_cap(-1))


def _chosen(given: Any, table: Mapping[str, Any], what: str) -> Any:
    if callable(given):
        return given
    if given not in table:
        raise UnknownNameError(f"no {what} is called {given!r}: {nearest(str(given), table)}, or give a function")
    return table[given]


def _game(given: Any) -> Game:
    chosen = _chosen(given, GAMES, "objective")
    return chosen if isinstance(chosen, Game) else Game(chosen)


def _critic(interpretation: Interpretation, name: str, given: Any) -> Para[Diagram]:
    """The critic of that object, its layer named; raises where it does not fit, or has no edge to judge."""
    schema, layer = interpretation.schema, f"critic_{name}"
    if name not in schema.objects:
        raise UnknownNameError(f"a critic is given for {name!r}, which is no object: {nearest(name, schema.objects)}")
    if layer in schema.arrows:
        raise OperationError(f"the critic's layer is called {layer}, and so is an edge: give that another name")
    critic, space = named(f"critic of {name}", layer, given), Space((), REAL)
    if critic.dom != interpretation.spaces[name]:
        raise first_difference(interpretation.spaces[name], critic.dom, f"the critic of {name} judges its samples, but")
    if critic.cod != (space,):
        raise OperationError(f"the critic of {name} must give one number, {space}; got {critic.cod}")
    if not _learns(critic):
        raise OperationError(f"the critic of {name} has no parameter to learn: give layers that have one")
    if not _judged(interpretation, name):
        raise OperationError(f"the critic of {name} has nothing to judge: no edge with a parameter ends in {name}")
    return critic


def _learns(map_: Para[Diagram]) -> bool:
    return any(p.role == "parameter" for p in map_.parameters)


def _judged(interpretation: Interpretation, name: str) -> list[Edge]:
    """The edges into an object that have something to learn."""
    return [e for e in interpretation.schema.edges if e.target == name and _learns(interpretation.maps[e.name])]


def _judgements(interpretation: Interpretation, judges: Mapping[str, Para[Diagram]], game: Game) -> Iterator[_Term]:
    """GAN.comp for each critic and each edge that it judges."""
    for name, critic in judges.items():
        for edge in _judged(interpretation, name):
            made, real = interpretation.maps[edge.name], (name, critic)
            maps: tuple[tuple[str, Para[Diagram]], ...] = ((edge.source, made >> critic), real)
            value: Callable[..., Wire] = game.critic
            if game.edge is not None:
                still = critic.reparametrise(stop_change(critic.parameter), critic.signature)
                seen = made >> stop_change(made.cod) >> critic
                maps, value = ((edge.source, seen), (edge.source, made >> still), real), partial(_two_sided, game)
            yield _Term(f"critic_{name} on {edge.name}", name, maps, value)


def _two_sided(game: Game, seen: Wire, pushed: Wire, real: Wire) -> Wire:
    assert game.edge is not None
    return game.critic(seen, real) - game.edge(pushed)


def _distances(interpretation: Interpretation, distance: Rule) -> Iterator[_Term]:
    """The distance between the two sides of each equation."""
    schema = interpretation.schema
    for text, sides in zip(schema.equations, schema.relations, strict=True):
        yield _Term(text, text, tuple((p.source, interpretation.path(p)) for p in sides), partial(_apart, distance))


def _apart(distance: Rule, *wires: Wire) -> Wire:
    half = len(wires) // 2
    numbers = [distance(x, y) for x, y in zip(wires[:half], wires[half:], strict=True)]
    return reduce(add, numbers) if numbers else functions.constant(Space((), REAL), 0.0)


def _factors(terms: Iterable[_Term], weights: Mapping[str, float]) -> list[float]:
    """The weight of each term."""
    owners = [term.owner for term in terms]
    for owner, weight in weights.items():
        if owner not in owners:
            raise UnknownNameError(
                f"a weight is given for {owner!r}, which is no equation and no object with a critic: "
                f"{nearest(owner, set(owners))}"
            )
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight < math.inf:
            raise OperationError(f"the weight of {owner!r} must be a number of at least 0; got {weight!r}")
    return [float(weights.get(owner, 1.0)) for owner in owners]


def _objective(interpretation: Interpretation, terms: Sequence[_Term], factors: Sequence[float]) -> Para[Diagram]:
    """The weighted sum of the terms, at one sample of each object that they need."""
    values = interpretation.beside([map_ for term in terms for map_ in term.maps])
    sizes = [sum(len(map_.cod) for _, map_ in term.maps) for term in terms]

    def total(*wires: Wire) -> Wire:
        rest, numbers = iter(wires), []
        for term, size, factor in zip(terms, sizes, factors, strict=True):
            number = term.value(*(next(rest) for _ in range(size)))
            if number.space != Space((), REAL):
                raise OperationError(
                    f"the term '{term.name}' must be one number, {Space((), REAL)}; got {number.space}"
                )
            numbers.append(apply_generator(Probe(number.space, term.name), number) * factor)
        return reduce(add, numbers)

    return values >> trace(values.cod, total)


def _both(judges: Iterable[str], optimiser: Optimiser, critic_optimiser: Optimiser | None) -> Assigned:
    """The edges' optimiser descends, that of the critics climbs."""
    climbing = critic_optimiser or optimiser
    if isinstance(climbing, Assigned):
        raise OperationError("all critics have one optimiser: give critic_optimiser=, and not one that by_name makes")
    climbing = Optimiser(f"opposite {climbing.name}", opposite() >> climbing.transformation)
    rules = optimiser.rules if isinstance(optimiser, Assigned) else (("*", optimiser),)
    return by_name({**{f"critic_{name}_0": climbing for name in judges}, **dict(rules)})


def unpaired(*sets: Any, batch_size: int, seed: int = 0) -> Stream:
    """Batches of rows of sets that do not belong together: each is shuffled by itself, anew in every epoch.

    `sets` are arrays, one an object (a tuple of arrays where it has several wires), of any numbers of rows; an epoch
    goes once through the smallest, without a short last batch. Raises `DataError` for a set that fills no batch.

    >>> stream = unpaired(np.arange(5), np.arange(9), batch_size=2)
    >>> [tuple(map(len, inputs)) for inputs, targets in stream.batches(0)]
    [(2, 2), (2, 2)]
    """
    parts = [columns(part) for part in sets]
    rows = [len(part[0]) for part in parts]
    if not rows or isinstance(batch_size, bool) or not 1 <= batch_size <= min(rows):
        raise DataError(f"each set must fill a batch of {batch_size!r} rows, at least one; the sets have {rows} rows")

    def batches(epoch: int) -> Iterator[tuple[Any, Any]]:
        orders = [np.random.default_rng([seed, epoch, k]).permutation(n) for k, n in enumerate(rows)]
        for start in range(0, min(rows) - batch_size + 1, batch_size):
            chosen = [order[start : start + batch_size] for order in orders]
            yield tuple(x[c] for part, c in zip(parts, chosen, strict=True) for x in part), ()

    return Stream(batches)
