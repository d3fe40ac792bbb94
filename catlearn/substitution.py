"""Substitution: functors from diagrams to diagrams that send each generator to a diagram and keep the wiring.

    substitute(f ; g) = substitute(f) ; substitute(g),    substitute(f x g) = substitute(f) x substitute(g)

`plain` sends a generator whose reverse is not its derivative to the map that it computes; `evaluation` sends one that
behaves otherwise while training (dropout, batch normalisation) to what it does afterwards.

>>> from catlearn.diagram import identity
>>> from catlearn.semirings import REAL
>>> from catlearn.space import Space
>>> plain(identity(Space(2, REAL))) == identity(Space(2, REAL))
True
"""

from __future__ import annotations

from collections.abc import Callable

from catlearn.builder import Builder
from catlearn.diagram import Diagram, Generator

__all__ = ["evaluation", "plain", "substitute"]


def substitute(f: Diagram, rule: Callable[[Generator], Diagram | None]) -> Diagram:
    """The diagram with each generator replaced by the diagram that the rule gives for it; None keeps the generator."""
    found = [rule(generator) for generator, _, _ in f.nodes]
    if all(replacement is None for replacement in found):
        return f
    builder = Builder(f.dom)
    here = list(range(len(f.dom)))
    for (generator, sources, _), replacement in zip(f.nodes, found, strict=True):
        inputs = tuple([here[k] for k in sources])
        here += builder.apply(generator, inputs) if replacement is None else builder.replay(replacement, inputs)
    return builder.finish(here[k] for k in f.outputs)


def plain(f: Diagram) -> Diagram:
    """The map that a diagram computes, without the marks on nodes whose reverse is not its derivative."""
    return f if f.lawful else substitute(f, lambda g: None if g.lawful else g.computes())


def evaluation(f: Diagram) -> Diagram:
    """The diagram as it is used after training: every generator in its evaluation form."""
    return substitute(f, lambda generator: generator.evaluation())
