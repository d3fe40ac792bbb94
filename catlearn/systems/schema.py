"""Schemas: a graph with equations between its paths, and the architectures that interpret it.

A graph G generates the free category on it: objects, and paths of edges under concatenation. An *interpretation* gives
each object its spaces and each edge e : X -> Y a parametrised map (P_e, F(e)) : F(X) -> F(Y); a path goes to the
composite in Para in which an edge that is repeated keeps one parameter, so that the parameter of F(p) is the product of
the P_e of its edges (CDL.schema, by PARA.tie):

    F(1_X) = 1                 F(p ; q) = F(p) ; F(q), with the parameters of one edge tied

An equation l = r between parallel paths is a wish: `catlearn.systems.schema_training` makes it a loss.

>>> schema = Schema({"f": ("X", "Y"), "g": ("Y", "X")}, ["f ; g = X", "g ; f = Y"])
>>> schema.path("f ; g") >> schema.path("f")
Path('X', 'Y', ('f', 'g', 'f'))
>>> from catlearn.layers import linear
>>> from catlearn.semirings import REAL
>>> cycle = schema.interpret({"X": Space(2, REAL), "Y": Space(3, REAL)}, {"f": linear(2, 3), "g": linear(3, 2)})
>>> cycle.path("f ; g ; f").names
('g_0.weight', 'f_0.weight')

Source: Gavranovic, Compositional deep learning (1907.08292).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise
from operator import matmul, rshift
from typing import Any, NamedTuple

import numpy as np

from catlearn.diagram import Diagram, identity, wiring
from catlearn.errors import CompositionError, DataError, OperationError, UnknownNameError, nearest
from catlearn.para import Para
from catlearn.space import Object, Space, as_object, first_difference

__all__ = ["Edge", "Interpretation", "Path", "Schema", "named", "tied"]


class Edge(NamedTuple):
    """An edge of the graph."""

    name: str
    source: str
    target: str


@dataclass(frozen=True)
class Path:
    """A morphism of the free category: consecutive edges, none for the identity of an object."""

    source: str
    target: str
    edges: tuple[str, ...] = ()

    def __rshift__(self, other: Path) -> Path:
        if not isinstance(other, Path):
            return NotImplemented
        if self.target != other.source:
            raise CompositionError(
                f"cannot compose paths: '{self}' ends in {self.target} and '{other}' starts in {other.source}"
            )
        return Path(self.source, other.target, self.edges + other.edges)

    def __str__(self) -> str:
        return " ; ".join(self.edges) or self.source

    def __repr__(self) -> str:
        return f"Path({self.source!r}, {self.target!r}, {self.edges!r})"


@dataclass(frozen=True)
class Schema:
    """A graph and equations between its parallel paths.

    `arrows` maps the name of each edge to (source, target); an equation is a text "f ; g = X", in which an object's
    name is the identity of it; `isolated` are further objects. Raises `OperationError` for what is not written so,
    `UnknownNameError` for a name that is neither an edge nor an object, `CompositionError` for edges that do not follow
    on one another and for an equation between paths with different ends.
    """

    arrows: Mapping[str, tuple[str, str]]
    equations: Sequence[str] = ()
    isolated: Sequence[str] = ()
    relations: tuple[tuple[Path, Path], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "arrows", dict(_checked_arrows(self.arrows)))
        object.__setattr__(self, "isolated", tuple(self.isolated))
        for name in (*self.arrows, *self.objects):
            if not isinstance(name, str) or not name.isidentifier():
                raise OperationError(f"edges and objects are called by names such as f or X; got {name!r}")
        both = sorted({*self.arrows} & {*self.objects})
        if both:
            raise OperationError(f"{both[0]} is an edge and an object: give one of them another name")
        if isinstance(self.equations, str):
            raise OperationError(f"equations are a list of texts, such as ['f ; g = X']; got {self.equations!r}")
        object.__setattr__(self, "relations", tuple(self._relation(text) for text in self.equations))
        object.__setattr__(self, "equations", tuple(f"{left} = {right}" for left, right in self.relations))

    def _repr_svg_(self) -> str:
        from catlearn.functors.picture import picture

        return picture(self)

    @property
    def objects(self) -> tuple[str, ...]:
        """The objects, in the order in which the edges name them, then the isolated ones."""
        return tuple(dict.fromkeys([*(end for ends in self.arrows.values() for end in ends), *self.isolated]))

    @property
    def edges(self) -> tuple[Edge, ...]:
        """The edges, as (name, source, target)."""
        return tuple(Edge(name, *ends) for name, ends in self.arrows.items())

    def path(self, text: str | Path) -> Path:
        """The path that a text such as "f ; g" writes; an object's name is its identity."""
        text = str(text) if isinstance(text, Path) else text
        if not isinstance(text, str) or not text.strip():
            raise OperationError(
                f"a path is written 'f ; g', and the identity of X is written 'X'; got {text!r}, which names neither"
            )
        parts = [self._generator(name.strip(), text) for name in text.split(";")]
        for number, (before, after) in enumerate(pairwise(parts), 1):
            if before.target != after.source:
                raise CompositionError(
                    f"'{text.strip()}' is no path: {before} ends in {before.target}, and {after}, its part "
                    f"{number + 1}, starts in {after.source}"
                )
        return reduce(rshift, parts)

    def _generator(self, name: str, text: str) -> Path:
        if name in self.arrows:
            return Path(*self.arrows[name], (name,))
        if name in self.objects:
            return Path(name, name)
        raise UnknownNameError(
            f"'{text.strip()}' names {name!r}, which is no edge and no object: "
            f"{nearest(name, [*self.arrows, *self.objects])}"
        )

    def _relation(self, text: str) -> tuple[Path, Path]:
        sides = text.split("=") if isinstance(text, str) else []
        if len(sides) != 2:
            raise OperationError(f"an equation is a text with two sides, such as 'f ; g = X'; got {text!r}")
        left, right = map(self.path, sides)
        if (left.source, left.target) != (right.source, right.target):
            raise CompositionError(
                f"the equation '{text.strip()}' compares a path {left.source} -> {left.target} with a path "
                f"{right.source} -> {right.target}: both sides must start and end at the same objects"
            )
        return left, right

    def with_equations(self, *equations: str) -> Schema:
        """The schema with further equations."""
        return Schema(self.arrows, (*self.equations, *equations), self.isolated)

    def interpret(
        self, spaces: Mapping[str, Space | Iterable[Space]], maps: Mapping[str, Para[Diagram] | Diagram]
    ) -> Interpretation:
        """The architecture that gives each object those spaces and each edge that map.

        Raises `UnknownNameError` for a name too much, `OperationError` for one too few and for what is no map or has
        parameters without names, `CompositionError` for a map that does not go from the edge's source to its target.
        """
        _same_names("object", "spaces", self.objects, spaces)
        _same_names("edge", "a map", self.arrows, maps)
        objects = {name: as_object(spaces[name]) for name in self.objects}
        return Interpretation(self, objects, {e.name: _fitting(e, maps[e.name], objects) for e in self.edges})


def _checked_arrows(arrows: Any) -> Iterator[tuple[str, tuple[str, str]]]:
    if not isinstance(arrows, Mapping):
        raise OperationError(f"the edges of a schema are a dictionary such as {{'f': ('X', 'Y')}}; got {arrows!r}")
    for name, ends in arrows.items():
        if not isinstance(ends, (tuple, list)) or len(ends) != 2:
            raise OperationError(f"an edge goes from a source to a target, such as ('X', 'Y'); {name!r} has {ends!r}")
        yield name, (ends[0], ends[1])


def _same_names(kind: str, what: str, known: Iterable[str], given: Mapping[str, Any]) -> None:
    known = list(known)
    for name in given:
        if name not in known:
            raise UnknownNameError(f"the schema has no {kind} {name!r}: {nearest(name, known)}")
    missing = [name for name in known if name not in given]
    if missing:
        raise OperationError(f"the {kind} {missing[0]} needs {what}: give one for each of {', '.join(known)}")


def _fitting(edge: Edge, given: Any, objects: Mapping[str, Object]) -> Para[Diagram]:
    """The map as a Para with the edge's name as its layer."""
    map_ = named(f"edge {edge.name}", edge.name, given)
    for end, name, came in (("start", edge.source, map_.dom), ("end", edge.target, map_.cod)):
        if came != objects[name]:
            what = f"the map of {edge.name} : {edge.source} -> {edge.target} must {end} in {name}; the two"
            raise first_difference(objects[name], came, what)
    return map_


def named(what: str, layer: str, given: Any) -> Para[Diagram]:
    """The map as a Para of one layer of that name; raises `OperationError` for what is none, or cannot be tied."""
    if not isinstance(given, (Para, Diagram)):
        raise OperationError(f"the {what} needs a Para such as layers.dense(4, 3), or a Diagram; got {given!r}")
    map_ = given if isinstance(given, Para) else Para.of(given)
    if len(map_.parameters) != len(map_.parameter):
        raise OperationError(f"the parameters of {what} need names, to be tied by; see para.parametrised")
    return map_.named(layer)


def tied(model: Para[Diagram]) -> Para[Diagram]:
    """The model in which layers of one name are one layer: they share their parameters (PARA.tie)."""
    groups: dict[tuple[str, str], list[str]] = {}
    for number, parameter, name in zip(model.signature.numbers, model.parameters, model.names, strict=True):
        layer = model.signature.layers[int(number)].name
        groups.setdefault((layer, parameter.name), []).append(name)
    repeated = [names for names in groups.values() if len(names) > 1]
    return model.tie(*repeated) if repeated else model


@dataclass(frozen=True, eq=False)
class Interpretation:
    """Spaces for the objects of a schema and maps for its edges; made by `Schema.interpret`, which checks them."""

    schema: Schema
    spaces: Mapping[str, Object]
    maps: Mapping[str, Para[Diagram]]

    def path(self, path: str | Path) -> Para[Diagram]:
        """F(path): the composite in Para, each edge with one parameter; its layers are called `f_0` and so on."""
        path = self.schema.path(path)
        return tied(reduce(rshift, (self.maps[e] for e in path.edges), Para.of(identity(self.spaces[path.source]))))

    def together(self, *paths: str | Path) -> Para[Diagram]:
        """The values of several paths, one after another, at one sample of each object that a path starts from.

        An edge has one parameter in all of them. The samples come in the order of the schema's objects.
        """
        parsed = [self.schema.path(path) for path in paths]
        return self.beside([(path.source, self.path(path)) for path in parsed])

    def beside(self, maps: Sequence[tuple[str, Para[Diagram]]]) -> Para[Diagram]:
        """The same for maps out of the objects that they are given with; layers of one name are tied."""
        sources = [source for source, _ in maps]
        sampled = [name for name in self.schema.objects if name in sources]
        first = np.cumsum([0, *(len(self.spaces[name]) for name in sampled)])
        places = [first[sampled.index(name)] + k for name in sources for k in range(len(self.spaces[name]))]
        whole = reduce(matmul, (map_ for _, map_ in maps), Para.of(identity()))
        return tied(wiring(sum((self.spaces[name] for name in sampled), ()), places) >> whole)

    def run(self, result: Any, path: str | Path, inputs: Any = (), *, rows: int | None = None, seed: int = 0) -> Any:
        """What a path makes of rows of inputs after training: an array, or a tuple of them for several wires.

        `result` is what `fit` gave for a learner of this interpretation, or its `parameters`; `rows` is for paths from
        an object of no wire. Raises `DataError` for inputs that do not fit, and for an edge without parameters there.
        """
        model = self.path(path).evaluation()
        given = inputs if isinstance(inputs, tuple) else (inputs,)
        if len(given) != len(model.dom) or any(np.ndim(x) == 0 for x in given):
            raise DataError(
                f"the path '{path}' takes {len(model.dom)} arrays of samples, rows first; got {len(given)}"
                f"{' without rows' if len(given) == len(model.dom) else ''}"
            )
        count = len(given[0]) if given else rows
        if count is None:
            raise DataError(f"the path '{path}' starts from an object of no wire: say how many rows=")
        titles = model.signature.titles
        known = getattr(result, "parameters", result)
        values = model.leaves({name: part for name, part in known.items() if name in titles})
        made = model.batch(count).morphism(*_with_keys(model, values, count, seed), *given)
        return tuple(map(np.asarray, made)) if isinstance(made, tuple) else np.asarray(made)


def _with_keys(model: Para[Diagram], values: Sequence[Any], rows: int, seed: int) -> Iterator[Any]:
    """The values, with fresh keys, one a row, for what is random."""
    import jax

    for k, (parameter, value) in enumerate(zip(model.parameters, values, strict=True)):
        drawn = parameter.role == "auxiliary"
        yield jax.random.split(jax.random.fold_in(jax.random.key(seed), k), rows) if drawn else value
