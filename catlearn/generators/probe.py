"""A named wire: the identity, kept as a node so that what passes there can be found and watched.

R[probe](x, d) = d, through a node of the same name with a prime, so that the change which comes back has a name too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catlearn.diagram import Diagram
from catlearn.generators.indexing import Reindexing
from catlearn.space import Object
from catlearn.tracing import Wire, apply_generator

__all__ = ["Probe", "probes"]


@dataclass(frozen=True)
class Probe(Reindexing):
    """`x -> x`, called by a name."""

    label: str

    @property
    def name(self) -> str:
        return f"probe {self.label}"

    @property
    def cod(self) -> Object:
        return (self.space,)

    def transposed(self, d: Wire) -> Wire:
        return apply_generator(Probe(d.space, f"{self.label}'"), d)

    def stacked(self, size: int) -> Probe:
        return Probe(self.space.batch(size), self.label)

    def evaluate(self, arrays: Any, x: Any) -> Any:
        return x


def probes(f: Diagram) -> dict[str, tuple[int, ...]]:
    """The wires of the diagram that have a name: for each name, the outputs of its probes, in order."""
    found: dict[str, tuple[int, ...]] = {}
    for generator, _, outputs in f.nodes:
        if isinstance(generator, Probe):
            found[generator.label] = (*found.get(generator.label, ()), *outputs)
    return found
