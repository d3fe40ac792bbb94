"""A named wire: the identity, kept as a node so that what passes there can be found and watched.

R[probe](x, d) = d, through a node of the same name with a prime, so that the change which comes back has a name too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from catlearn.diagram import Diagram
from catlearn.generators.indexing import Reindexing
from catlearn.space import Object
from catlearn.tracing import Wire, apply_generator

__all__ = ["Probe", "probes"]


@dataclass(frozen=True)
class Probe(Reindexing):
    """`x -> x`, called by a name; `place` is its number among several wires of that name."""

    label: str
    place: int = 0

    @property
    def name(self) -> str:
        return f"probe {self.label}"

    @property
    def cod(self) -> Object:
        return (self.space,)

    def transposed(self, d: Wire) -> Wire:
        return apply_generator(Probe(d.space, f"{self.label}'", self.place), d)

    def stacked(self, size: int) -> Probe:
        return replace(self, space=self.space.batch(size))

    def evaluate(self, arrays: Any, x: Any) -> Any:
        return x


def probes(f: Diagram) -> dict[str, tuple[int, ...]]:
    """The wires of the diagram that have a name, in the order of their places; of equal ones the first."""
    found: dict[str, dict[int, int]] = {}
    for generator, _, outputs in f.nodes:
        if isinstance(generator, Probe):
            found.setdefault(generator.label, {}).setdefault(generator.place, outputs[0])
    return {name: tuple(wires[place] for place in sorted(wires)) for name, wires in found.items()}
