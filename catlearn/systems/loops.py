"""Wires fed back at once: a diagram whose outputs are joined to its inputs, where no signal runs in a circle.

A loop of wires and generators without a register says nothing about the signal on it: x = x holds of every value,
x = 1 + x of none over Z2. So it is refused, and named. Where no such circle is there, the joined wires are a mere
order of computing, and the result is a diagram again.

>>> from catlearn.semirings import Z2
>>> from catlearn.space import Space
>>> from catlearn.tracing import diagram
>>> @diagram(Space((), Z2), Space((), Z2))
... def ahead(x, back):
...     return x + back, x * x
>>> joined(ahead, {1: 1}).outputs  # the sum reads the square, and the square does not read the sum
(2,)
>>> joined(ahead, {1: 0})
Traceback (most recent call last):
    ...
catlearn.errors.CompositionError: a loop without a register, wire 1 -> add -> wire 1: what is on it is not determined;
give one wire of it an initial value, and it is fed back one step later
"""

from __future__ import annotations

from collections.abc import Mapping

from catlearn.builder import Builder
from catlearn.diagram import Diagram
from catlearn.errors import CompositionError
from catlearn.space import first_difference

__all__ = ["joined", "signal_path"]


def joined(body: Diagram, wires: Mapping[int, int], names: Mapping[int, str] | None = None) -> Diagram:
    """The diagram whose input k is output `wires[k]`, for each k there; these inputs and outputs are gone.

    `names` are what an error calls the inputs, if not "wire k". Raises `CompositionError` where the two have different
    spaces, and for a loop: naming the generators on it, each of which counts as reading all its inputs.
    """
    for into, out in wires.items():
        if body.dom[into] != body.cod[out]:
            raise first_difference((body.dom[into],), (body.cod[out],), f"output {out} cannot be fed to input {into}")
    kept = [k for k in range(len(body.dom)) if k not in wires]
    builder = Builder(tuple(body.dom[k] for k in kept))
    here = {wire: number for number, wire in enumerate(kept)}
    waiting, reached = list(body.nodes), -1
    while reached < len(here):
        reached = len(here)
        here.update((into, here[body.outputs[out]]) for into, out in wires.items() if body.outputs[out] in here)
        late = []
        for node in waiting:
            if all(wire in here for wire in node[1]):
                here.update(zip(node[2], builder.apply(node[0], tuple(here[w] for w in node[1])), strict=True))
            else:
                late.append(node)
        waiting = late
    stuck = [into for into in wires if into not in here]
    if stuck:
        path = _circle(body, wires, set(here), stuck[0], names or {})
        raise CompositionError(
            f"a loop without a register, {' -> '.join(path)}: what is on it is not determined; give one wire of it an "
            "initial value, and it is fed back one step later"
        )
    gone = set(wires.values())
    return builder.finish(here[wire] for k, wire in enumerate(body.outputs) if k not in gone)


def _circle(
    body: Diagram, wires: Mapping[int, int], known: set[int], start: int, names: Mapping[int, str]
) -> list[str]:
    """The names along a circle of unknown wires, in the order of the signal: each is read off what comes before it."""
    made = {wire: (generator, inputs) for generator, inputs, outputs in body.nodes for wire in outputs}
    trail, wire = [start], start
    while True:
        before = body.outputs[wires[wire]] if wire in wires else next(w for w in made[wire][1] if w not in known)
        if before in trail:
            circle = trail[trail.index(before) :]
            turn = next(k for k, w in enumerate(circle) if w in wires)  # begin at a wire that is fed back
            circle = circle[turn:] + circle[:turn]
            break
        trail.append(before)
        wire = before
    texts = [names.get(w, f"wire {w}") if w in wires else made[w][0].name for w in reversed(circle)]
    return [texts[-1], *texts]


def signal_path(body: Diagram, into: int, out: int) -> list[str] | None:
    """The names of the generators on a shortest path from an input to an output; None if there is no path.

    >>> from catlearn.functors.free import symbol
    >>> from catlearn.semirings import Z2
    >>> from catlearn.space import Space
    >>> x = Space((), Z2)
    >>> signal_path(symbol("f", x, x) >> symbol("g", x, x), 0, 0)
    ['f', 'g']
    """
    ways: dict[int, list[str]] = {into: []}
    for generator, inputs, outputs in body.nodes:
        reached = [ways[wire] for wire in inputs if wire in ways]
        if reached:
            ways.update((wire, [*min(reached, key=len), generator.name]) for wire in outputs)
    return ways.get(body.outputs[out])
