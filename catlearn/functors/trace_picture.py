"""Pictures of causal maps: the step as a frame, and the feedback of each state round below it through a delay.

>>> from catlearn.semirings import Z2
>>> from catlearn.space import Space
>>> from catlearn.systems.causal import stateful
>>> from catlearn.tracing import trace
>>> bit = Space((), Z2)
>>> drawing = causal(stateful(trace((bit, bit), lambda s, x: (s + x, s + x)), [0]))
>>> drawing.count(">delay<"), drawing.count('data-kind="frame"')
(1, 1)

Source: Sprunger and Katsumata, Differentiable causal computations via delayed trace (1903.01093), figure 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from catlearn.diagram import Diagram, permute
from catlearn.functors.nested_picture import MOST_NODES, Body, frame
from catlearn.functors.picture import Picture, checked, looks, named
from catlearn.generators.arithmetic import Constant
from catlearn.layout import Graph, Net, Node, Point
from catlearn.routing import MARGIN, Layout, Route, arrange, moved, way
from catlearn.svg import Label, Look, pictured, shaped, shortened

if TYPE_CHECKING:
    from catlearn.functors.functor import Functor
    from catlearn.systems.causal import Causal

__all__ = ["causal"]

ROOM, STEP = 14.0, 10.0


def _starts(initial: Diagram) -> list[str]:
    """What each state starts from: a number, or "learnt"."""
    made = {wire: node for node, _, wires in initial.nodes for wire in wires}
    found = [made.get(wire) for wire in initial.outputs]
    return [shortened(node.name, 12) if isinstance(node, Constant) else "learnt" for node in found]


def _step(thing: Causal, labels: bool, looks: Functor) -> Node:
    """The step with its states last on both sides."""
    count = len(thing.states.rest)
    P, S = thing.parameter, thing.states.rest
    X, Y = thing.dom.rest, thing.cod.rest
    step = permute([P, X, S], [0, 2, 1]) >> thing.step >> permute([S, Y], [1, 0])
    states = ["state"] if count == 1 else [f"state {k}" for k in range(count)]
    body = Body("step", step, ("",) * len(P + X) + tuple(states), ("",) * len(Y) + tuple(states))
    about = f"the step: {thing}"
    if max(len(step.nodes), len(step.dom), len(step.cod)) > MOST_NODES:
        return shaped(Look("box", ("step", f"{len(step.nodes)} nodes"), about), len(step.dom), len(step.cod))
    look = frame(body, lambda graph: Picture(graph, looks, 1, labels), about)
    return shaped(look, len(step.dom), len(step.cod))


def causal(
    thing: Causal,
    *,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    title: str = "",
    labels: bool = True,
    looks: Functor = looks,
) -> str:
    """The SVG text of a causal map: its step once constant, and its states fed back through delays.

    Raises `InputError` for another number of names than there are wires.
    """
    P, X, Y, states = thing.parameter, thing.dom.rest, thing.cod.rest, len(thing.states.rest)
    given = [*(thing.signature.names or named("p", len(P))), *checked(inputs, "x", len(X), "inputs")]
    made = checked(outputs, "y", len(Y), "outputs")
    graph = Graph()
    functor = Picture(graph, looks, labels=labels)
    ends = functor.ends(P + X, given, "input")
    step = graph.add(_step(thing, labels, looks), functor.labels_of(Y + thing.states.rest))
    for k, end in enumerate(ends):
        graph.join(end, (step, k))
    functor.give([(step, k) for k in range(len(Y))], made, Y)
    fed = {(step, len(Y) + k) for k in range(states)}
    for end in fed:
        graph.nets.setdefault(end, Net(end))
    placed = arrange(graph)
    routes = [route for route in placed.routes if route.net.source not in fed]
    placed = moved(Layout(graph, placed.corners, tuple(routes), placed.width, placed.height), STEP * states, 0.0)
    whole = _fed_back(placed, step, len(P + X), len(Y), _starts(thing.initial))
    late = thing.settled
    caption = f"The step from time {late} on." if late else ""
    return pictured(whole, title or str(thing), caption)


def _fed_back(placed: Layout, step: int, first: int, last: int, starts: Sequence[str]) -> Layout:
    """The layout with a delay below for each state, on its way back to the step."""
    graph, corners, routes = placed.graph, list(placed.corners), list(placed.routes)
    (x, y), node = corners[step], graph.nodes[step]
    lane = y + node.height + ROOM
    count, right = len(starts), 0.0
    for k in reversed(range(count)):
        words = ("delay", f"from {starts[k]}")
        shape = shaped(Look("box", words, f"delay of one step, starting from {starts[k]}"), 1, 1)
        at = x + (node.width - shape.width) / 2, lane
        middle = lane + shape.height / 2
        delay = len(graph.nodes)
        graph.nodes.append(shape)
        corners.append(at)
        out, into = node.exits[last + k], node.entries[first + k]
        leaving, entering = (x + out[0], y + out[1]), (x + into[0], y + into[1])
        far, near = leaving[0] + STEP * (count - k), entering[0] - STEP * (count - k)
        label = Label("", "the state, fed back")
        ways: list[tuple[Any, Any, list[Point]]] = [
            ((step, last + k), (delay, 0), [leaving, (far, leaving[1]), (far, middle), (at[0] + shape.width, middle)]),
            ((delay, 0), (step, first + k), [(at[0], middle), (near, middle), (near, entering[1]), entering]),
        ]
        for source, target, points in ways:
            arrows = [(points[-1], (points[-1][0] - 9, middle))] if target[0] == delay else [(points[-2], entering)]
            if target[0] == delay:
                arrows = [((points[-1][0] + 9, middle), points[-1])]
            routes.append(Route(Net(source, [target], label), way(points), arrows=arrows))
        lane, right = lane + shape.height + ROOM / 2, max(right, far)
    return Layout(
        graph, tuple(corners), tuple(routes), max(placed.width, right + MARGIN), max(placed.height, lane + MARGIN)
    )
