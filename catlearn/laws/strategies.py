"""Hypothesis strategies: objects, well-typed diagrams over any set of generators, lenses, linear maps, points.

Everything is drawn from Hypothesis, so counterexamples shrink: few wires, few gates, small numbers. Wires are used
repeatedly and left unused; objects may be empty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from catlearn.errors import CatlearnError

try:
    from hypothesis import strategies as st
except ModuleNotFoundError as missing:
    raise CatlearnError("checking laws needs Hypothesis: pip install 'categorical-learning[laws]'") from missing

from catlearn.builder import Builder
from catlearn.diagram import Diagram
from catlearn.generators.arithmetic import Add, Constant, Multiply
from catlearn.lens import Lens
from catlearn.semirings import Carrier
from catlearn.space import Object, Space, changes

__all__ = ["Category", "arrays", "diagrams", "elements", "lenses", "linear_maps", "objects"]

Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(frozen=True)
class Category:
    """A category to check: the spaces of its objects, its generators as diagrams, and what it declares of itself.

    `breaks` says, by identifier, which laws it breaks and why; `rounds` is True where laws hold to rounding only, and
    are compared at random points in 64-bit floats; otherwise sides are compared as polynomials.
    """

    name: str
    spaces: tuple[Space, ...]
    gates: tuple[Diagram, ...]
    rounds: bool = False
    breaks: dict[str, str] = field(default_factory=dict)

    @property
    def own_changes(self) -> bool:
        """Whether every value space is its own space of changes."""
        return all(space.changes == space for space in self.spaces)


def elements(carrier: Carrier) -> st.SearchStrategy[Any]:
    """Values of a carrier, small ones first."""
    if carrier.kind == "real":
        return st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0, -0.25])
    values = [v for v in (0, 1, 2, -1, 3, -2, 5) if bool(np.all(carrier.contains(np.array(v))))]
    return st.sampled_from(values)


def objects(category: Category, most: int = 2) -> st.SearchStrategy[Object]:
    """Objects of at most that many wires; the empty one included."""
    return st.lists(st.sampled_from(category.spaces), max_size=most).map(tuple)


def arrays(space: Space) -> st.SearchStrategy[np.ndarray]:
    """Arrays of a space."""
    entries = elements(space.carrier)
    kind = float if space.carrier.kind == "real" else int
    return st.lists(entries, min_size=space.size, max_size=space.size).map(
        lambda values: np.array(values, kind).reshape(space.shape)
    )


def _constant(draw: Draw, builder: Builder, space: Space) -> int:
    return builder.apply(Constant(space, draw(elements(space.carrier))), ())[0]


@st.composite
def diagrams(draw: Draw, category: Category, dom: Object, cod: Object, gates: int = 4) -> Diagram:
    """A diagram of that type over the category's generators, and constants where a wire is wanted and none is there."""
    builder = Builder(dom)
    wires = list(range(len(dom)))
    for _ in range(draw(st.integers(0, gates)) if category.gates else 0):
        gate = draw(st.sampled_from(category.gates))
        chosen = tuple(_choose(draw, builder, wires, space) for space in gate.dom)
        wires += builder.replay(gate, chosen)
    return builder.finish([_choose(draw, builder, wires, space) for space in cod])


def _choose(draw: Draw, builder: Builder, wires: Sequence[int], space: Space) -> int:
    """A wire of that space, the latest first, or a constant."""
    there = [wire for wire in reversed(wires) if builder.spaces[wire] == space]
    return draw(st.sampled_from(there)) if there else _constant(draw, builder, space)


@st.composite
def lenses(draw: Draw, category: Category, dom: Object, cod: Object) -> Lens:
    """A lens with a random get and a random put, not in the image of R."""
    get = draw(diagrams(category, dom, cod, gates=2))
    return Lens(get, draw(diagrams(category, dom + changes(cod), changes(dom), gates=2)))


@st.composite
def linear_maps(draw: Draw, category: Category, dom: Object, cod: Object) -> Diagram:
    """A linear map: each output a sum of inputs of its space, each times a constant."""
    builder = Builder(dom)
    outputs = []
    for space in cod:
        total = builder.apply(Constant(space, space.carrier.zero), ())[0]
        for wire, source in enumerate(dom):
            if source == space:
                scaled = builder.apply(Multiply(space), (wire, _constant(draw, builder, space)))[0]
                total = builder.apply(Add(space), (total, scaled))[0]
        outputs.append(total)
    return builder.finish(outputs)
