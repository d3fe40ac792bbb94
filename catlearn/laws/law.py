"""A law as data: an identifier, a statement, a source, typed variables, and pairs of sides to compare.

The variables are written as a reader would: `"f: A -> B, g: B -> C"`. A capital letter is an object, `A'` its object of
changes; several in a row are their product; `1` is the empty product.

    f: A -> B      a diagram              l: A => B     a lens, its backward types independent of its forward types
    m: A -o B      a linear map           l: A =o B     a lens (A, A') -> (B, B') whose put is additive
    e: loss B      a loss on B            U: optimiser P  an optimiser of parameters P

`sides` is a function of the variables and, where it names them, of the objects, of `R` (the reverse derivative of the
category) and of `D` (the forward derivative that comes of it). It returns pairs of things that must be equal;
`differ(left, right)` are two that must not be, `at_points(left, right)` two that are compared as functions.

>>> law = Law("RD.tensor", "R[f x g] = ..", "", "f: A -> B, g: C -> D", lambda f, g, R: [(R(f @ g), ...)])
>>> [variable.name for variable in law.typed], law.objects
(['f', 'g'], ('A', 'B', 'C', 'D'))
>>> law.names
('f', 'g', 'R')
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from catlearn.diagram import Diagram
from catlearn.errors import OperationError
from catlearn.space import Object
from catlearn.tracing import Wire, trace

__all__ = ["Law", "Pair", "Variable", "apply", "at_points", "differ", "formula"]

_ARROW = re.compile(r"^\s*(\w+)\s*:\s*([A-Z1' ]+?)\s*(->|=>|-o|=o)\s*([A-Z1' ]+?)\s*$")
_THING = re.compile(r"^\s*(\w+)\s*:\s*(loss|optimiser)\s+([A-Z])\s*$")


@dataclass(frozen=True)
class Variable:
    """A variable of a law: `kind` is "->", "-o", "=>", "=o", "loss" or "optimiser"; the last two have no `cod`."""

    name: str
    dom: tuple[str, ...]
    kind: str
    cod: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Variable:
        """The variable that a text such as `f: A -> B C` declares; raises `OperationError` for any other."""
        thing = _THING.match(text)
        if thing:
            return cls(thing[1], (thing[3],), thing[2], ())
        arrow = _ARROW.match(text)
        if arrow is None:
            raise OperationError(
                f"a law's variable is written 'f: A -> B' (or with =>, -o, =o), 'e: loss B' or 'U: optimiser P'; "
                f"got {text!r}"
            )
        name, dom, kind, cod = arrow.groups()
        return cls(name, _letters(dom), kind, _letters(cod))


def _letters(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[A-Z]'?", text))


class Pair(NamedTuple):
    """Two sides, whether they must be equal, whether they are compared as functions, and how closely in floats.

    With `partial`, entries of which the right side says NaN are left out: at a kink an oracle has no derivative.
    """

    left: Any
    right: Any
    equal: bool = True
    points: bool = False
    tolerance: float = 1e-9
    partial: bool = False


def differ(left: Any, right: Any, *, points: bool = False) -> Pair:
    """Two sides that must not be equal."""
    return Pair(left, right, equal=False, points=points)


def at_points(left: Diagram, right: Diagram) -> Pair:
    """Two diagrams that must be equal as functions: at all points where there are few, else at random ones."""
    return Pair(left, right, points=True)


@dataclass(frozen=True)
class Law:
    """An equation, or several, that a category, or what is in it, should satisfy.

    Raises `OperationError` where the variables are not written as above, or `sides` takes something else.

    `needs` says where the law is typed: operations that the carriers must have ("add", "negate"), "own" where values
    must be their own changes, "real" and "exact" for the numbers, the name of a carrier ("Z2"), "shipped" for a closed
    statement, which is checked with the shipped categories alone. `any_reverse` says that it is stated of every
    operator R, and not of the one that the library's lenses and learners are made with.
    """

    identifier: str
    statement: str
    source: str
    variables: str
    sides: Callable[..., Iterable[tuple[Any, Any] | Pair]]
    needs: tuple[str, ...] = ()
    any_reverse: bool = False

    def __post_init__(self) -> None:
        known = {*(variable.name for variable in self.typed), *self.objects, "R", "D"}
        strange = [name for name in self.names if name not in known]
        if strange:
            raise OperationError(
                f"the sides of {self.identifier} take {', '.join(strange)}; a law's sides take its variables, its "
                f"objects, R and D: here {', '.join(sorted(known))}"
            )

    @property
    def typed(self) -> tuple[Variable, ...]:
        """The variables, parsed."""
        return tuple(Variable.parse(text) for text in self.variables.split(",") if ":" in text)

    @property
    def objects(self) -> tuple[str, ...]:
        """The letters of the objects, in order; those that stand alone in `variables` among them."""
        alone = [text.strip() for text in self.variables.split(",") if text.strip() and ":" not in text]
        for text in alone:
            if not re.fullmatch("[A-Z]", text):
                Variable.parse(text)  # raises: it is neither an object nor a variable
        letters = [letter.rstrip("'") for variable in self.typed for letter in (*variable.dom, *variable.cod)]
        return tuple(dict.fromkeys([*letters, *alone]))

    @property
    def names(self) -> tuple[str, ...]:
        """What `sides` takes: variables, objects, and R or D where the law is about them."""
        return tuple(inspect.signature(self.sides).parameters)


def formula(objects: Iterable[Object], function: Callable[..., Any]) -> Diagram:
    """The diagram of a pointwise formula: a function of one list of wires an object, giving lists of wires.

    >>> from catlearn.semirings import Z2
    >>> from catlearn.space import Space
    >>> bit = (Space((), Z2),)
    >>> formula([bit, bit], lambda x, y: [*y, *x]).outputs
    (1, 0)
    """
    factors = [tuple(factor) for factor in objects]

    def run(*wires: Wire) -> Any:
        rest, groups = list(wires), []
        for factor in factors:
            groups.append(rest[: len(factor)])
            rest = rest[len(factor) :]
        return function(*groups)

    return trace(sum(factors, ()), run)


def apply(f: Diagram, *groups: Iterable[Wire]) -> list[Wire]:
    """The outputs of a diagram on lists of wires, as a list."""
    result = f(*(wire for group in groups for wire in group))
    return list(result) if isinstance(result, tuple) else [result]
