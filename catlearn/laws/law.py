"""A law as data: an identifier, a statement, a source, typed variables, and two sides to compare.

The variables are written as a reader would: `"f: A -> B, g: B -> C"`. A capital letter is an object; several in a row
are their product; `1` is the empty product; `l: A => B` is a lens (A, A') -> (B, B'); `m: A -o B` is a linear map.
`sides` is a function of the variables and, where it names them, of the objects; it returns pairs of things that must be
equal.

>>> from catlearn.reverse import reverse_derivative as R
>>> law = Law("RD.tensor", "R[f x g] = ex ; (R[f] x R[g])", "", "f: A -> B, g: C -> D", lambda f, g: [(R(f @ g), ...)])
>>> [variable.name for variable in law.typed], law.objects
(['f', 'g'], ('A', 'B', 'C', 'D'))
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from catlearn.errors import OperationError

__all__ = ["Law", "Variable"]

_VARIABLE = re.compile(r"^\s*(\w+)\s*:\s*([A-Z1 ]+?)\s*(->|=>|-o)\s*([A-Z1 ]+?)\s*$")


@dataclass(frozen=True)
class Variable:
    """A variable of a law: `kind` is "->" for a diagram, "=>" for a lens, "-o" for a linear map."""

    name: str
    dom: tuple[str, ...]
    kind: str
    cod: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Variable:
        """The variable that a text such as `f: A -> B C` declares; raises `OperationError` for any other."""
        found = _VARIABLE.match(text)
        if found is None:
            raise OperationError(f"a law's variable is written 'f: A -> B', 'l: A => B' or 'm: A -o B'; got {text!r}")
        name, dom, kind, cod = found.groups()
        return cls(name, _letters(dom), kind, _letters(cod))


def _letters(text: str) -> tuple[str, ...]:
    return tuple(letter for letter in text.replace(" ", "") if letter != "1")


@dataclass(frozen=True)
class Law:
    """An equation that a category, or what is in it, should satisfy.

    `needs` names the operations that the carriers must have ("add", "negate"), and "own" where values must be their own
    changes, for the law to be typed.
    """

    identifier: str
    statement: str
    source: str
    variables: str
    sides: Callable[..., Iterable[tuple[Any, Any]]]
    needs: tuple[str, ...] = ()

    @property
    def typed(self) -> tuple[Variable, ...]:
        """The variables, parsed."""
        return tuple(Variable.parse(text) for text in self.variables.split(",") if ":" in text)

    @property
    def objects(self) -> tuple[str, ...]:
        """The letters of the objects, in order; those that stand alone in `variables` among them."""
        alone = [text.strip() for text in self.variables.split(",") if text.strip() and ":" not in text]
        letters = [letter for variable in self.typed for letter in (*variable.dom, *variable.cod)]
        return tuple(dict.fromkeys([*letters, *alone]))
