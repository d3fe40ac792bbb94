"""Cartesian categories of linear maps, as data: what a derivative at a point may be represented by (ESS.D, ESS.dual).

A category k gives, for changes A, B of values: the structural maps `wiring` (copies, discards, exchanges) and their
transposes `joining` (sums, injections), composition, maps side by side, and the derivative of a generator at a point,
or its transpose. That is all that `catlearn.systems.modes.derivative` asks for; one of one's own is one class.

- `Functions`: functions of wires; a generator's is D[g](a, -), its transpose R[g](a, -).
- `Matrices`: blocks of matrices on wires, one for each pair of an output and an input; zero and identity have none.
- `Dual(k)`: maps of k the other way. Wiring and joining exchange, and a generator and its transpose; so
  `Dual(Functions())` is reverse mode, and `Dual(Dual(k))` is k.
- `Continuations(k, r)`: (B -> r) -> (A -> r), maps of k into a fixed object r, composed on the right.

Source: Elliott, The simple essence of automatic differentiation (1804.00746), figures 6 to 12.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias

import numpy as np

from catlearn.diagram import Generator
from catlearn.functions import add, constant, reshape, zeros
from catlearn.generators.batching import batch
from catlearn.generators.contraction import einsum, transpose
from catlearn.reverse import forward_derivative, reverse_derivative
from catlearn.semirings import TRIVIAL
from catlearn.space import Object, Space, changes, first_difference
from catlearn.tracing import Wire, apply_diagram

__all__ = [
    "FORWARD",
    "MATRICES",
    "REVERSE",
    "Continuations",
    "Dual",
    "Functions",
    "Linear",
    "LinearMaps",
    "Matrices",
    "apply_to",
    "unit_changes",
]


@dataclass(frozen=True)
class Linear:
    """A linear map of changes `dom -> cod`; `form` is what its category represents it by."""

    dom: Object
    cod: Object
    form: Any


class LinearMaps:
    """A cartesian category of linear maps with biproducts; see the module's text.

    A subclass gives `wiring`, `joining`, `generator`, `after`, `beside`, and how a map is seen: `arguments` are the
    spaces of further wires that `run` takes.
    """

    def wiring(self, dom: Object, wires: Sequence[int]) -> Linear:
        """The map whose k-th output is input `wires[k]`."""
        raise NotImplementedError

    def joining(self, cod: Object, wires: Sequence[int]) -> Linear:
        """Its transpose: output j is the sum of the inputs k with `wires[k] = j`."""
        raise NotImplementedError

    def generator(self, generator: Generator, point: Sequence[Wire], transposed: bool = False) -> Linear:
        """The derivative of a generator at a point, or its transpose."""
        raise NotImplementedError

    def after(self, f: Linear, g: Linear) -> Any:
        """The form of f ; g."""
        raise NotImplementedError

    def beside(self, f: Linear, g: Linear) -> Linear:
        """f x g."""
        raise NotImplementedError

    def arguments(self, dom: Object, cod: Object) -> Object:
        """What `run` takes besides a map `dom -> cod`."""
        raise NotImplementedError

    def run(self, f: Linear, given: Sequence[Wire]) -> list[Wire]:
        """The wires by which a map is seen: what it makes of a change, or its entries."""
        raise NotImplementedError

    def identity(self, spaces: Object) -> Linear:
        """The identity map."""
        return self.wiring(spaces, range(len(spaces)))

    def compose(self, f: Linear, g: Linear) -> Linear:
        """f ; g; raises `CompositionError` where they do not meet."""
        if f.cod != g.dom:
            raise first_difference(f.cod, g.dom, "cannot compose linear maps, the left codomain and the right domain")
        return Linear(f.dom, g.cod, self.after(f, g))


Stage: TypeAlias = Callable[[list[Wire]], list[Wire]]


class Functions(LinearMaps):
    """Linear maps as functions of wires; a form is the functions that are applied one after another."""

    def __repr__(self) -> str:
        return "Functions()"

    def wiring(self, dom: Object, wires: Sequence[int]) -> Linear:
        stages = () if list(wires) == [*range(len(dom))] else (lambda v: [v[wire] for wire in wires],)
        return Linear(dom, tuple(dom[wire] for wire in wires), stages)

    def joining(self, cod: Object, wires: Sequence[int]) -> Linear:
        def joined(v: list[Wire]) -> list[Wire]:
            parts: list[list[Wire]] = [[] for _ in cod]
            for wire, part in zip(wires, v, strict=True):
                parts[wire].append(part)
            return [reduce(add, some) if some else zeros(space) for some, space in zip(parts, cod, strict=True)]

        stages = () if list(wires) == [*range(len(cod))] else (joined,)
        return Linear(tuple(cod[wire] for wire in wires), cod, stages)

    def generator(self, generator: Generator, point: Sequence[Wire], transposed: bool = False) -> Linear:
        dom, cod = changes(generator.dom), changes(generator.cod)
        slope = (reverse_derivative if transposed else forward_derivative)(generator.diagram)
        stages = (lambda v: apply_to(slope, [*point, *v]),)
        return Linear(cod, dom, stages) if transposed else Linear(dom, cod, stages)

    def after(self, f: Linear, g: Linear) -> Any:
        return f.form + g.form

    def beside(self, f: Linear, g: Linear) -> Linear:
        n = len(f.dom)

        def both(v: list[Wire]) -> list[Wire]:
            return [*self.run(f, v[:n]), *self.run(g, v[n:])]

        return Linear(f.dom + g.dom, f.cod + g.cod, (both,) if f.form or g.form else ())

    def arguments(self, dom: Object, cod: Object) -> Object:
        return dom

    def run(self, f: Linear, given: Sequence[Wire]) -> list[Wire]:
        return reduce(lambda v, stage: stage(v), f.form, list(given))


Block: TypeAlias = Wire | None
"""A matrix on a wire, of as many rows as the output has entries and columns as the input; None is the identity."""


class Matrices(LinearMaps):
    """Linear maps as matrices: a form has for each output the blocks of the inputs, those that are zero left out."""

    def __repr__(self) -> str:
        return "Matrices()"

    def wiring(self, dom: Object, wires: Sequence[int]) -> Linear:
        return Linear(dom, tuple(dom[wire] for wire in wires), [{wire: None} for wire in wires])

    def joining(self, cod: Object, wires: Sequence[int]) -> Linear:
        rows: list[dict[int, Block]] = [{k: None for k, wire in enumerate(wires) if wire == j} for j in range(len(cod))]
        return Linear(tuple(cod[wire] for wire in wires), cod, rows)

    def generator(self, generator: Generator, point: Sequence[Wire], transposed: bool = False) -> Linear:
        dom, cod = changes(generator.dom), changes(generator.cod)
        rows = [self._row(generator, point, j) for j in range(len(cod))]
        if not transposed:
            return Linear(dom, cod, rows)
        return Linear(
            cod, dom, [{j: transpose(row[i]) for j, row in enumerate(rows) if i in row} for i in range(len(dom))]
        )

    def _row(self, generator: Generator, point: Sequence[Wire], j: int) -> dict[int, Wire]:
        """The blocks of one output: R[g](a, -) on its unit changes, all at once."""
        cod, n = changes(generator.cod), len(generator.dom)
        if not cod[j].carrier.has("multiply"):
            return {}
        flags = [False] * n + [k == j for k in range(len(cod))]
        many = batch(reverse_derivative(generator.diagram), cod[j].size, flags)
        given = [unit_changes(space) if k == j else zeros(space) for k, space in enumerate(cod)]
        found = enumerate(zip(apply_to(many, [*point, *given]), changes(generator.dom), strict=True))
        alike = {i: (wire, space) for i, (wire, space) in found if space.carrier == cod[j].carrier}
        return {i: reshape(wire, (cod[j].size, space.size)) for i, (wire, space) in alike.items()}

    def after(self, f: Linear, g: Linear) -> Any:
        rows = []
        for row in g.form:
            made: dict[int, Block] = {}
            for j, left in row.items():
                for i, right in f.form[j].items():
                    block = _product(left, right)
                    made[i] = _sum(made[i], block, f.dom[i]) if i in made else block
            rows.append(made)
        return rows

    def beside(self, f: Linear, g: Linear) -> Linear:
        n = len(f.dom)
        moved = [{n + i: block for i, block in row.items()} for row in g.form]
        return Linear(f.dom + g.dom, f.cod + g.cod, [*f.form, *moved])

    def arguments(self, dom: Object, cod: Object) -> Object:
        return ()

    def run(self, f: Linear, given: Sequence[Wire]) -> list[Wire]:
        """Every block, output by output and in each input by input."""
        return [
            _entries(row[i], space) if i in row else zeros(_between(space, out))
            for out, row in zip(f.cod, f.form, strict=True)
            for i, space in enumerate(f.dom)
        ]


def _between(dom: Space, cod: Space) -> Space:
    """The matrices of maps between two spaces; over different carriers there is the zero map alone."""
    return Space((cod.size, dom.size), cod.carrier if cod.carrier == dom.carrier else TRIVIAL)


def _entries(block: Block, space: Space) -> Wire:
    return reshape(unit_changes(space), (space.size, space.size)) if block is None else block


def _product(left: Block, right: Block) -> Block:
    if left is None or right is None:
        return right if left is None else left
    return einsum("ij,jk->ik", left, right)


def _sum(left: Block, right: Block, space: Space) -> Block:
    return add(_entries(left, space), _entries(right, space))


def unit_changes(space: Space) -> Wire:
    """The changes of a space that are one in a single entry and else zero, stacked along a first axis."""
    zero, one, n = space.carrier.zero, space.carrier.one, space.size
    stacked = space.batch(n)
    return constant(stacked, np.where(np.eye(n, dtype=bool), one, zero).reshape(stacked.shape)) if n else zeros(stacked)


@dataclass(frozen=True)
class Dual(LinearMaps):
    """Maps of another category the other way: A -> B is a map B -> A there, and composition runs backward."""

    base: LinearMaps

    def wiring(self, dom: Object, wires: Sequence[int]) -> Linear:
        return _turned(self.base.joining(dom, wires))

    def joining(self, cod: Object, wires: Sequence[int]) -> Linear:
        return _turned(self.base.wiring(cod, wires))

    def generator(self, generator: Generator, point: Sequence[Wire], transposed: bool = False) -> Linear:
        return _turned(self.base.generator(generator, point, not transposed))

    def after(self, f: Linear, g: Linear) -> Any:
        return self.base.compose(g.form, f.form)

    def beside(self, f: Linear, g: Linear) -> Linear:
        return _turned(self.base.beside(f.form, g.form))

    def arguments(self, dom: Object, cod: Object) -> Object:
        return self.base.arguments(cod, dom)

    def run(self, f: Linear, given: Sequence[Wire]) -> list[Wire]:
        return self.base.run(f.form, given)


def _turned(f: Linear) -> Linear:
    return Linear(f.cod, f.dom, f)


@dataclass(frozen=True)
class Continuations(LinearMaps):
    """Maps A -> B as what makes, of maps B -> r in another category, maps A -> r; `result` is the object r of changes.

    A form is the maps of the other category that are composed on the left, the last one first. Seen are maps into r,
    as the other category sees what comes of the identity; `run` raises `CompositionError` for a map into anything else.
    """

    base: LinearMaps
    result: Object

    def wiring(self, dom: Object, wires: Sequence[int]) -> Linear:
        return _alone(self.base.wiring(dom, wires))

    def joining(self, cod: Object, wires: Sequence[int]) -> Linear:
        return _alone(self.base.joining(cod, wires))

    def generator(self, generator: Generator, point: Sequence[Wire], transposed: bool = False) -> Linear:
        return _alone(self.base.generator(generator, point, transposed))

    def after(self, f: Linear, g: Linear) -> Any:
        return f.form + g.form

    def beside(self, f: Linear, g: Linear) -> Linear:
        """(f x 1) ; (1 x g), so that a continuation is used once."""
        before, after = self.base.identity(g.dom), self.base.identity(f.cod)
        left = tuple([self.base.beside(part, before) for part in f.form])
        right = tuple([self.base.beside(after, part) for part in g.form])
        return Linear(f.dom + g.dom, f.cod + g.cod, left + right)

    def continued(self, f: Linear, h: Linear) -> Linear:
        """What f makes of a map from its codomain to r."""
        return reduce(lambda later, part: self.base.compose(part, later), reversed(f.form), h)

    def arguments(self, dom: Object, cod: Object) -> Object:
        return self.base.arguments(dom, self.result)

    def run(self, f: Linear, given: Sequence[Wire]) -> list[Wire]:
        if f.cod != self.result:
            what = "continuations are seen on maps into their result, it and the codomain"
            raise first_difference(self.result, f.cod, what)
        return self.base.run(self.continued(f, self.base.identity(self.result)), given)


def _alone(f: Linear) -> Linear:
    return Linear(f.dom, f.cod, (f,))


def apply_to(f: Any, wires: Iterable[Wire]) -> list[Wire]:
    """The outputs of a diagram on wires, as a list."""
    made = apply_diagram(f, list(wires))
    return list(made) if isinstance(made, tuple) else [made]


FORWARD = Functions()
"""Functions of changes: forward mode."""

REVERSE = Dual(FORWARD)
"""Functions of changes the other way: reverse mode."""

MATRICES = Matrices()
"""Matrices: Jacobians multiplied from the input on."""
