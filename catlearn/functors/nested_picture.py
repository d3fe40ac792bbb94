"""Generators that hold a body, drawn as a frame with the body inside: what is run many times is seen once.

The wires of the body end at ports on the frame's border, one a wire outside. A scan's states come first on both sides:
their wires go back from right to left over the body, dashed, as the state of the next item. A map is a stack of frames.
How a class of generators is opened is a rule, a function of the generator that gives a `Body`; one's own go before
those here, as with looks.

>>> from catlearn.functions import sin
>>> from catlearn.functors.picture import picture
>>> from catlearn.generators.scan import scan
>>> from catlearn.semirings import REAL
>>> from catlearn.space import Space
>>> from catlearn.tracing import trace
>>> x = Space((), REAL)
>>> drawing = picture(scan(trace((x, x), lambda s, i: (s + sin(i), s * i)), 5))
>>> drawing.count('data-kind="frame"'), drawing.count('class="loop"'), ">scan × 5<" in drawing
(1, 1, True)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from catlearn.diagram import Diagram, Generator
from catlearn.functors.functor import Functor
from catlearn.generators.batching import Map
from catlearn.generators.fixed_point import FixedPoint
from catlearn.generators.scan import Scan
from catlearn.layout import End, Graph, Net, Node, Point
from catlearn.routing import MARGIN, Layout, Route, arrange, moved, way
from catlearn.space import Space
from catlearn.svg import PORT_LINE, SMALL, Label, Look, text_width

if TYPE_CHECKING:
    from catlearn.functors.picture import Picture

__all__ = ["Body", "bodies", "frame", "opened", "ports"]

DEPTH, MOST_NODES, MOST_LOOPS = 2, 24, 3
STEP, LINE = 9.0, PORT_LINE

bodies = Functor("bodies")


@dataclass(frozen=True)
class Body:
    """What a frame shows: its title, the diagram in it, a role for each of its inputs and outputs, and its loops.

    The first `states` outputs come back as the inputs that begin at `first`. `order` is the order of the inputs from
    top to bottom. `stacked` says that there are many side by side.
    """

    title: str
    diagram: Diagram
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    states: int = 0
    first: int = 0
    stacked: bool = False

    @property
    def order(self) -> list[int]:
        """The inputs from top to bottom: the states, then the others."""
        back = range(self.first, self.first + self.states)
        return [*back, *(k for k in range(len(self.inputs)) if k not in back)]


def _counted(role: str, count: int) -> list[str]:
    return [role] * count if count < 2 else [f"{role} {k}" for k in range(count)]


@bodies.on(Scan)
def _scan(generator: Scan) -> Body:
    states = _counted("state", generator.states)
    fixed = generator.shared + generator.states
    title = f"scan \N{MULTIPLICATION SIGN} {generator.length}" + ", last item first" * generator.backward
    return Body(
        title,
        generator.body,
        (*_counted("shared", generator.shared), *states, *_counted("item", len(generator.dom) - fixed)),
        (*states, *_counted("emitted", len(generator.cod) - generator.states)),
        generator.states,
        generator.shared,
    )


@bodies.on(Map)
def _map(generator: Map) -> Body:
    roles = tuple("item" if flag else "shared" for flag in generator.flags)
    title = f"map \N{MULTIPLICATION SIGN} {generator.size}"
    return Body(title, generator.body, roles, ("item",) * len(generator.cod), stacked=True)


@bodies.on(FixedPoint)
def _fixed_point(generator: FixedPoint) -> Body:
    states = _counted("state", len(generator.cod))
    roles = (*_counted("shared", generator.shared), *states)
    return Body("until it is fixed", generator.body, roles, tuple(states), len(states), generator.shared)


def opened(generator: Generator, depth: int, rules: Functor = bodies) -> Body | None:
    """The body to be drawn in place of that generator, if there is one, not too deep and not too large."""
    rule = rules.rule(generator)
    if rule is None or depth <= 0:
        return None
    body: Body = rule(generator)
    size = max(len(body.diagram.nodes), len(body.inputs), len(body.outputs))
    return body if size <= MOST_NODES else None


def ports(graph: Graph, spaces: Sequence[Space], roles: Sequence[str], place: str, loops: int = 0) -> list[int]:
    """A port of that place, "first" or "last", for each wire, with its role over it and room for so many loops."""
    width = max((text_width(role, SMALL) for role in roles), default=0.0) + 8 + STEP * loops
    found, first = [], place == "first"
    for space, role in zip(spaces, roles, strict=True):
        entry, exit_ = ((0.0, LINE),), ((width, LINE),)
        look = Look("port", (role,) if role else (), f"{role}: {space}")
        node = Node(width, LINE + 4.0, () if first else entry, exit_ if first else (), place, look)
        found.append(graph.add(node))
    return found


def frame(body: Body, add: Callable[[Graph], Picture], about: str) -> Look:
    """The look of a frame around a body, drawn by the functor that `add` makes for a graph."""
    graph = Graph()
    loops = body.states if body.states <= MOST_LOOPS else 0
    dom, order = body.diagram.dom, body.order
    numbers = ports(graph, [dom[k] for k in order], [body.inputs[k] for k in order], "first", loops)
    place = dict(zip(order, numbers, strict=True))
    functor = add(graph)
    ends: Sequence[End] = functor.interpret(body.diagram, tuple((place[k], 0) for k in range(len(dom))))
    outputs = ports(graph, body.diagram.cod, body.outputs, "last", loops)
    for end, node in zip(ends, outputs, strict=True):
        graph.join(end, (node, 0))
    placed = arrange(graph)
    placed = moved(placed, -MARGIN, (STEP * loops + 4 if loops else 0.0) - MARGIN / 2)
    placed = replace(placed, width=placed.width - MARGIN, height=placed.height - MARGIN / 4)
    pairs = [(outputs[k], numbers[k]) for k in range(loops)]
    placed = replace(placed, routes=(*placed.routes, *_loops(placed, pairs)))
    return Look("frame", (body.title,), about, inner=placed, stacked=body.stacked)


def _loops(placed: Layout, pairs: Sequence[tuple[int, int]]) -> list[Route]:
    """The ways back of the states over the body, the first the innermost."""
    found = []
    for k, (last, first) in enumerate(pairs):
        (x, y), (u, v) = placed.corners[last], placed.corners[first]
        start: Point = (x + placed.graph.nodes[last].width - STEP * (len(pairs) - k), y + LINE)
        end: Point = (u + STEP * (len(pairs) - k), v + LINE)
        lane = STEP * (len(pairs) - k)
        curves = way([start, (start[0], lane), (end[0], lane), end])
        found.append(
            Route(
                Net((last, 0), [(first, 0)], Label("", "state of the next item")),
                curves,
                [start],
                kind="loop",
                arrows=[((end[0], end[1] - 9), (end[0], end[1] - 1))],
            )
        )
    return found


def permuted(body: Body, node: Node) -> Node:
    """The frame's node with its entries in the order of the generator's inputs."""
    entries: list[Any] = [None] * len(body.inputs)
    for at, k in zip(node.entries, body.order, strict=True):
        entries[k] = at
    return replace(node, entries=tuple(entries))
