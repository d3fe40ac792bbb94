"""Functors out of diagrams: a meaning for each generator gives a meaning to every diagram.

A functor is a table from generator classes to rules. `functor(diagram)` is a Python function of as many arguments as
the diagram has inputs; it walks the nodes, calls each generator's rule on the values of its input wires, and returns
the values of the outputs. A generator without a rule is replaced by its expansion. A functor of one's own:

>>> from catlearn.generators.arithmetic import Add, Multiply
>>> from catlearn.semirings import Z2
>>> from catlearn.space import Space
>>> from catlearn.tracing import diagram
>>> text = Functor("text")
>>> @text.on(Add)
... def write_sum(generator, x, y): return f"({x} + {y})"
>>> @text.on(Multiply)
... def write_product(generator, x, y): return f"{x} {y}"
>>> @diagram(Space((), Z2), Space((), Z2))
... def f(x, y): return (x + y) * y
>>> text(f)("a", "b")
'(a + b) b'
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catlearn.diagram import Diagram, Generator
from catlearn.errors import CompositionError, OperationError

__all__ = ["Functor", "bare", "listed"]

Rule = Callable[..., Any]


def bare(values: tuple[Any, ...]) -> Any:
    """One value bare, several as a tuple, none as `()`."""
    return values[0] if len(values) == 1 else values


def listed(values: Any) -> list[Any]:
    """What `bare` was made of, as a list."""
    return list(values) if isinstance(values, tuple) else [values]


class Functor:
    """A table of rules, one a class of generators; a rule takes the generator and the values of its inputs.

    A rule returns the value of its one output, or a tuple of several. `extends` is a functor whose rules hold where
    this one has none.
    """

    def __init__(self, name: str, extends: Functor | None = None) -> None:
        self.name = name
        self.rules: dict[type[Generator], Rule] = dict(extends.rules) if extends else {}

    def __repr__(self) -> str:
        return f"<functor {self.name}>"

    def on(self, kind: type[Generator]) -> Callable[[Rule], Rule]:
        """The decorator that makes a function the rule for a class of generators and its subclasses."""

        def register(rule: Rule) -> Rule:
            self.rules[kind] = rule
            return rule

        return register

    def rule(self, generator: Generator) -> Rule | None:
        """The rule for a generator: that of its class, or of the nearest class above; None if there is none."""
        for kind in type(generator).__mro__:
            if kind in self.rules:
                return self.rules[kind]
        return None

    def uncovered(self, diagram: Diagram) -> Generator | None:
        """A generator of the diagram that the functor has no meaning for, or None."""
        for generator, _, _ in diagram.nodes:
            if self.rule(generator) is None:
                expanded = generator.expanded
                missing = generator if expanded is None else self.uncovered(expanded)
                if missing is not None:
                    return missing
        return None

    def covers(self, diagram: Diagram) -> bool:
        """Whether every generator of the diagram has a meaning here."""
        return self.uncovered(diagram) is None

    def interpret(self, diagram: Diagram, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """The values of the outputs from those of the inputs."""
        values = list(inputs)
        for generator, sources, outputs in diagram.nodes:
            arguments = tuple([values[k] for k in sources])
            rule = self.rule(generator)
            if rule is None:
                if generator.expanded is None:
                    raise OperationError(
                        f"the functor {self.name} has no rule for {generator.name} ({type(generator).__name__}): "
                        f"register one with @{self.name}.on({type(generator).__name__})"
                    )
                values += self.interpret(generator.expanded, arguments)
            else:
                result = rule(generator, *arguments)
                values += result if isinstance(result, tuple) and len(outputs) != 1 else _single(result)
        return tuple([values[k] for k in diagram.outputs])

    def __call__(self, diagram: Diagram) -> Callable[..., Any]:
        """The meaning of a diagram: a function of the values of its inputs."""

        def run(*arguments: Any) -> Any:
            if len(arguments) != len(diagram.dom):
                raise CompositionError(f"the diagram takes {len(diagram.dom)} inputs; it got {len(arguments)}")
            return bare(self.interpret(diagram, arguments))

        return run


def _single(result: Any) -> tuple[Any]:
    return result if isinstance(result, tuple) and len(result) == 1 else (result,)
