"""Residuals: what a model's optic keeps from the forward for the backward pass, counted in bits (OPTIC.def).

The wires of R[f] that depend on no change and are read by a node that depends on one cross from forward to backward.
What depends on parameters alone is there anyway, and is not counted, nor are constants. What crosses may be kept, or
made again: with `again`, the fewest bits are counted from which operations entry by entry make all of it, a least cut.

>>> from catlearn.layers import dense
>>> residual(dense(4, 3, "tanh")).sizes          # the input, and 1 - y y
(128, 96)
>>> residual(dense(4, 3, "tanh"), again=True).sizes
(128, 96)
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from catlearn.diagram import Diagram
from catlearn.errors import DataError, OperationError
from catlearn.generators.arithmetic import Pointwise
from catlearn.generators.contraction import Contract
from catlearn.generators.indexing import Reindexing
from catlearn.para import Para
from catlearn.reverse import reverse_derivative
from catlearn.semirings import Discrete
from catlearn.space import Space

__all__ = ["Residual", "bits_of", "residual"]

_BITS = {"real": 32, "integer": 32, "bit": 1, "key": 64}


def bits_of(space: Space) -> int:
    """How many bits its values need: 32 a number, 1 a bit, log2(n) of n labels, 64 a random key."""
    carrier = space.carrier
    if isinstance(carrier, Discrete) and carrier.size is not None:
        return space.size * math.ceil(math.log2(carrier.size))
    return space.size * (0 if carrier.name == "TRIVIAL" else _BITS.get(carrier.kind, 32))


@dataclass(frozen=True)
class Residual:
    """The spaces of what is kept for a batch of `rows`, in the order of its wires."""

    spaces: tuple[Space, ...]
    rows: int

    @property
    def sizes(self) -> tuple[int, ...]:
        """The bits of each."""
        return tuple(map(bits_of, self.spaces))

    @property
    def bytes_a_row(self) -> float:
        """The bytes for one sample."""
        return sum(self.sizes) / 8 / self.rows


def residual(model: Para[Diagram] | Diagram, rows: int = 1, *, again: bool = False) -> Residual:
    """What a batch of so many samples keeps for the backward pass; see the module's text.

    Raises `DataError` for a batch of none, `OperationError` for what is no model.
    """
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < 1:
        raise DataError(f"what is kept is counted for at least one row; got {rows!r}")
    if not isinstance(model, (Para, Diagram)):
        raise OperationError(f"a residual is of a Para or a Diagram; got {type(model).__name__}")
    model = (model if isinstance(model, Para) else Para.of(model)).batch(rows)
    f = model.diagram
    roles = [p.role for p in model.parameters] or ["parameter"] * len(model.parameter)
    given = [0 if role != "auxiliary" else 1 for role in roles] + [1] * len(model.dom)
    whole = reverse_derivative(f)
    stages = given + [2] * (len(whole.dom) - len(given))
    for _, inputs, outputs in whole.nodes:
        stages += [max((stages[k] for k in inputs), default=0)] * len(outputs)
    read = {k for _, inputs, outputs in whole.nodes if outputs and stages[outputs[0]] == 2 for k in inputs}
    crossing = sorted(k for k in read | set(whole.outputs) if stages[k] == 1)
    spaces = [*whole.dom, *(space for generator, _, _ in whole.nodes for space in generator.cod)]
    kept = _least(whole, stages, crossing, [bits_of(space) for space in spaces]) if again else crossing
    return Residual(tuple(spaces[k] for k in kept), rows)


def _cheap(generator: object) -> bool:
    """Whether a node is made again: it acts entry by entry, or only moves or repeats entries."""
    moves = isinstance(generator, Contract) and len(generator.inputs) == 1 and not generator.summed
    return isinstance(generator, (Pointwise, Reindexing)) or moves


def _least(whole: Diagram, stages: list[int], crossing: list[int], size: list[int]) -> list[int]:
    """The wires of the least size from which cheap nodes make those that cross: a least cut, by augmenting paths.

    Wire k is the arc 2 k -> 2 k + 1 of its size; a cheap node gives free arcs from its inputs to its outputs, what is
    not made again hangs on the source, and what crosses on the sink.
    """
    source, sink = 2 * len(stages), 2 * len(stages) + 1
    room: dict[int, dict[int, float]] = {source: {}, sink: {}}

    def arc(a: int, b: int, much: float) -> None:
        room.setdefault(a, {})[b] = room.setdefault(a, {}).get(b, 0.0) + much
        room.setdefault(b, {}).setdefault(a, 0.0)

    made: set[int] = set()
    for generator, inputs, outputs in whole.nodes:
        for wire in outputs:
            if stages[wire] == 1 and _cheap(generator):
                made.add(wire)
                for k in inputs:
                    if stages[k] == 1:
                        arc(2 * k + 1, 2 * wire, math.inf)
    for k, stage in enumerate(stages):
        if stage == 1:
            arc(2 * k, 2 * k + 1, size[k])
            if k not in made:
                arc(source, 2 * k, math.inf)
    for k in crossing:
        arc(2 * k + 1, sink, math.inf)
    while (path := _path(room, source, sink)) is not None:
        least = min(room[a][b] for a, b in path)
        for a, b in path:
            room[a][b] -= least
            room[b][a] += least
    reached = _reached(room, source)
    return [k for k, stage in enumerate(stages) if stage == 1 and 2 * k in reached and 2 * k + 1 not in reached]


def _reached(room: dict[int, dict[int, float]], source: int) -> dict[int, int]:
    """What can still be reached from the source, each with the place before it."""
    before, agenda = {source: source}, deque([source])
    while agenda:
        a = agenda.popleft()
        for b, much in room[a].items():
            if much > 0 and b not in before:
                before[b] = a
                agenda.append(b)
    return before


def _path(room: dict[int, dict[int, float]], source: int, sink: int) -> list[tuple[int, int]] | None:
    before = _reached(room, source)
    if sink not in before:
        return None
    path, here = [], sink
    while here != source:
        path.append((before[here], here))
        here = before[here]
    return path
