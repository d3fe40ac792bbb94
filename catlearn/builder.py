"""Building diagrams: nodes are added one at a time, and equal ones are one (copy is natural).

A `Builder` is the free cartesian category at work: `apply` adds a generator to some wires, `replay` a whole diagram,
which is the functor from diagrams to what is being built. `canonical` keeps the nodes that are needed (discard is
natural) and orders them, so that diagrams equal by the cartesian laws get the same list. A generator whose reverse is
not additive is neither merged nor dropped (LENS.share).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from catlearn.space import Object, Space

if TYPE_CHECKING:
    from catlearn.diagram import Diagram, Generator

__all__ = ["Builder", "canonical"]

Wires: TypeAlias = tuple[int, ...]
Node: TypeAlias = "tuple[Generator, Wires, Wires]"


class Builder:
    """A diagram being built: nodes are added one at a time, equal ones merged.

    `spaces[wire]` is the space of a wire; `apply` adds a node; `replay` adds a whole diagram; `finish` makes the
    diagram.
    """

    def __init__(self, dom: Object) -> None:
        self.dom = dom
        self.spaces: list[Space] = list(dom)
        self.nodes: list[Node] = []
        self._merged: dict[tuple[Generator, Wires], Wires] = {}
        self._replayed: dict[tuple[int, Wires], tuple[Diagram, Wires]] = {}

    def apply(self, generator: Generator, inputs: Wires) -> Wires:
        """The output wires of the generator on those wires."""
        if generator.additive:
            known = self._merged.get((generator, inputs))
            if known is not None:
                return known
        outputs = tuple(range(len(self.spaces), len(self.spaces) + len(generator.cod)))
        self.spaces.extend(generator.cod)
        self.nodes.append((generator, inputs, outputs))
        if generator.additive:
            self._merged[generator, inputs] = outputs
        return outputs

    def replay(self, diagram: Diagram, inputs: Wires) -> Wires:
        """The output wires of the diagram on those wires.

        Composites are walked with an explicit stack (no recursion), and a part met again on the same wires is looked
        up, which keeps the textbook composition of lenses linear however it is nested.
        """
        results: list[Wires] = [inputs]
        agenda: list[tuple[str, Any]] = [("run", diagram)]
        while agenda:
            order, subject = agenda.pop()
            if order == "run":
                wires = results.pop()
                found = self._replayed.get((id(subject), wires)) if subject.additive else None
                if found is not None:
                    results.append(found[1])
                elif subject.is_identity:
                    results.append(wires)
                elif subject._parts is None:
                    results.append(self._replay_flat(subject, wires))
                    if subject.additive and subject.nodes:
                        self._replayed[id(subject), wires] = (subject, results[-1])
                else:
                    kind, first, second = subject._parts
                    agenda.append(("remember", (subject, wires)))
                    if kind == ">>":
                        agenda += [("run", second), ("run", first)]
                        results.append(wires)
                    else:
                        middle = len(first.dom)
                        agenda += [("join", None), ("run", second), ("exchange", None), ("run", first)]
                        results += [wires[middle:], wires[:middle]]
            elif order == "exchange":
                results[-1], results[-2] = results[-2], results[-1]
            elif order == "join":
                last = results.pop()
                results[-1] = results[-1] + last
            elif subject[0].additive:
                self._replayed[id(subject[0]), subject[1]] = (subject[0], results[-1])
        return results[0]

    def _replay_flat(self, diagram: Diagram, inputs: Wires) -> Wires:
        nodes, outputs = diagram._flatten()
        if not nodes:
            return tuple(map(inputs.__getitem__, outputs))
        here = list(inputs)
        for generator, sources, _ in nodes:
            here.extend(self.apply(generator, tuple([here[k] for k in sources])))
        return tuple([here[k] for k in outputs])

    def finish(self, outputs: Iterable[int]) -> Diagram:
        """The diagram from the builder's inputs to those wires."""
        from catlearn.diagram import Diagram

        return Diagram._of(self, tuple(outputs))


def canonical(builder: Builder, outputs: Wires) -> tuple[list[Node], Wires]:
    """The nodes that are needed, in the order in which a depth-first walk from the outputs first completes them."""
    source = {wire: k for k, node in enumerate(builder.nodes) for wire in node[2]}
    roots = [source[wire] for wire in outputs if wire in source]
    roots += [k for k, (generator, _, _) in enumerate(builder.nodes) if not generator.additive]
    rename = {k: k for k in range(len(builder.dom))}
    nodes: list[Node] = []
    done: set[int] = set()
    for root in roots:
        stack = [(root, False)]
        while stack:
            k, ready = stack.pop()
            if k in done:
                continue
            generator, inputs, made = builder.nodes[k]
            if ready:
                done.add(k)
                first = len(rename)
                for offset, wire in enumerate(made):
                    rename[wire] = first + offset
                nodes.append((generator, tuple([rename[wire] for wire in inputs]), tuple(rename[w] for w in made)))
            else:
                stack.append((k, True))
                stack.extend((source[w], False) for w in reversed(inputs) if w in source and source[w] not in done)
    return nodes, tuple(rename[wire] for wire in outputs)
