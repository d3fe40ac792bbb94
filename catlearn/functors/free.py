"""The free functor: diagrams as terms over symbols, so that an equation that holds here holds in every category.

A `Symbol` is a generator that means nothing; its reverse derivative is another symbol. `Free()` runs a diagram on
terms: a generator applied to terms is a term, equal ones being one object. Two composites with equal terms are equal by
the cartesian laws alone, in every cartesian category.

>>> from catlearn.diagram import copy
>>> from catlearn.semirings import REAL
>>> from catlearn.space import Space
>>> x = (Space((), REAL),)
>>> f, g = symbol("f", x, x), symbol("g", x + x, x)
>>> free = Free()
>>> free.terms(copy(x) >> (f @ f) >> g)
(g(f(x0), f(x0)),)
>>> free.terms(f >> copy(x) >> g) == free.terms(copy(x) >> (f @ f) >> g)
True
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from catlearn.diagram import Diagram, Generator
from catlearn.functors.functor import Functor
from catlearn.space import Object, Space, as_object, changes

__all__ = ["Free", "Symbol", "Term", "symbol"]


@dataclass(frozen=True)
class Symbol(Generator):
    """A generator without a meaning, of that name and type; R of it is R[name], additive in the cotangent."""

    label: str
    inputs: Object
    outputs: Object
    groups: tuple[tuple[int, ...], ...] = ()

    @property
    def name(self) -> str:
        return self.label

    @property
    def dom(self) -> Object:
        return self.inputs

    @property
    def cod(self) -> Object:
        return self.outputs

    @property
    def linear(self) -> tuple[tuple[int, ...], ...]:
        return self.groups

    def reverse(self) -> Diagram | None:
        n, m = len(self.inputs), len(self.outputs)
        dom, cod = self.inputs + changes(self.outputs), changes(self.inputs)
        return Symbol(f"R[{self.label}]", dom, cod, (tuple(range(n, n + m)),)).diagram


def symbol(name: str, dom: Space | tuple[Space, ...], cod: Space | tuple[Space, ...]) -> Diagram:
    """The diagram of one symbol."""
    return Symbol(name, as_object(dom), as_object(cod)).diagram


@dataclass(frozen=True, eq=False)
class Term:
    """An output of a head applied to terms. Those of one `Free` are equal only if they are the same object."""

    head: str
    arguments: tuple[Term, ...] = ()

    def __repr__(self) -> str:
        return f"{self.head}({', '.join(map(repr, self.arguments))})" if self.arguments else self.head


class Free(Functor):
    """Diagrams as functions of terms; every generator is a symbol."""

    def __init__(self) -> None:
        super().__init__("free")
        self._known: dict[tuple[Any, ...], Term] = {}

    def term(self, key: Any, head: str, arguments: tuple[Term, ...] = ()) -> Term:
        """The one term of that key on those arguments, shown with that head."""
        place = (key, *(id(argument) for argument in arguments))
        return self._known.setdefault(place, Term(head, arguments))

    def rule(self, generator: Generator) -> Callable[..., Any] | None:
        def run(generator: Generator, *arguments: Term) -> tuple[Term, ...]:
            many = len(generator.cod) > 1
            return tuple(
                self.term((generator, k), f"{generator.name}{f'.{k}' if many else ''}", arguments)
                for k in range(len(generator.cod))
            )

        return run

    def terms(self, diagram: Diagram) -> tuple[Term, ...]:
        """The terms of the outputs, in variables x0, x1, ... for the inputs."""
        variables = tuple(self.term((k, space), f"x{k}") for k, space in enumerate(diagram.dom))
        return self.interpret(diagram, variables)
