"""Routing: the columns of a layered layout, and the ways of its wires as Bezier curves.

A wire leaves its rank's column level, bends in the channel before the next, and enters level. What comes from above
starts at a flag over the picture, and falls straight into a node that nothing stands over, else through the channel
before it.

>>> graph = Graph()
>>> first = graph.add(Node(10, 10, (), ((10, 5),), "first"))
>>> last = graph.add(Node(10, 10, ((0, 5),), (), "last"))
>>> graph.join((first, 0), (last, 0))
>>> placed = arrange(graph)
>>> placed.corners
((16.0, 16.0), (66.0, 16.0))
>>> placed.routes[0].curves[0][0], placed.routes[0].curves[-1][-1]
((26.0, 21.0), (66.0, 21.0))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from catlearn.layout import BEND, End, Graph, Net, Node, Point, Ranks

__all__ = ["MARGIN", "Curve", "Layout", "Route", "arrange", "line", "mapped", "mirrored", "moved", "stairs", "way"]

Curve: TypeAlias = tuple[Point, Point, Point, Point]

CHANNEL, STUB, MARGIN, FLAG, STEP, WIDEST_LABEL, TIGHT = 40.0, 8.0, 16.0, 16.0, 10.0, 120.0, 24.0


@dataclass
class Route:
    """The way of a net: its curves, the places of its copies, and where it ends unread (and whether falling).

    `kind` is "wire", or what else is drawn like one, and `arrows` are pieces of it, each ending in the tip of an arrow.
    """

    net: Net
    curves: list[Curve] = field(default_factory=list)
    dots: list[Point] = field(default_factory=list)
    end: Point | None = None
    falls: bool = False
    kind: str = "wire"
    arrows: list[tuple[Point, Point]] = field(default_factory=list)


@dataclass(frozen=True)
class Layout:
    """The top left corners of the nodes, the routes of the nets in the graph's order, and the size of it all."""

    graph: Graph
    corners: tuple[Point, ...]
    routes: tuple[Route, ...]
    width: float
    height: float


def line(start: Point, end: Point) -> Curve:
    """A straight curve."""
    (x, y), (u, v) = start, end
    return start, (x + (u - x) / 3, y + (v - y) / 3), (u - (u - x) / 3, v - (v - y) / 3), end


def way(points: Sequence[Point], radius: float = 5.0) -> list[Curve]:
    """The curves along level and upright lines from point to point, their corners rounded.

    >>> [curve[-1] for curve in way([(0.0, 0.0), (20.0, 0.0), (20.0, 30.0)])]
    [(15.0, 0.0), (20.0, 5.0), (20.0, 30.0)]
    """
    kept = [p for k, p in enumerate(points) if not k or p != points[k - 1]]
    found: list[Curve] = []
    at = kept[0]
    for k, corner in enumerate(kept[1:-1], 1):
        (a, b), (x, y), (c, d) = kept[k - 1], corner, kept[k + 1]
        before, after = abs(x - a) + abs(y - b), abs(c - x) + abs(d - y)
        r = min(radius, before / 2, after / 2)
        turn, end = (
            (x + (u - x) * r / length, y + (v - y) * r / length) for u, v, length in ((a, b, before), (c, d, after))
        )
        found += [line(at, turn), _corner(turn, corner, end)]
        at = end
    return [*found, line(at, kept[-1])]


def stairs(places: Sequence[tuple[float, float]]) -> list[int]:
    """Rows, from below, for flags at those places and of those widths, none met by the line of one further right.

    >>> stairs([(0.0, 30.0), (20.0, 30.0), (60.0, 30.0)])
    [1, 0, 0]
    """
    rows: dict[int, int] = {}
    for k in sorted(range(len(places)), key=lambda k: -places[k][0]):
        end = places[k][0] + places[k][1]
        rows[k] = 1 + max((row for other, row in rows.items() if places[other][0] < end), default=-1)
    return [rows[k] for k in range(len(places))]


def mapped(placed: Layout, change: Callable[[Point], Point]) -> Layout:
    """The layout with its wires changed point by point; the corners of its nodes stay."""

    def curve(points: Curve) -> Curve:
        a, b, c, d = map(change, points)
        return a, b, c, d

    routes = tuple(
        replace(
            route,
            curves=[curve(points) for points in route.curves],
            dots=[change(point) for point in route.dots],
            end=None if route.end is None else change(route.end),
            arrows=[(change(a), change(b)) for a, b in route.arrows],
        )
        for route in placed.routes
    )
    return replace(placed, routes=routes)


def moved(placed: Layout, right: float, down: float) -> Layout:
    """The layout moved in the plane."""

    def change(point: Point) -> Point:
        return point[0] + right, point[1] + down

    corners = tuple(change(corner) for corner in placed.corners)
    whole = mapped(placed, change)
    return replace(whole, corners=corners, width=placed.width + right, height=placed.height + down)


def mirrored(placed: Layout) -> Layout:
    """The layout from right to left; the looks of its nodes are asked for their own `mirrored` where they have one."""
    width, graph = placed.width, Graph()
    for node in placed.graph.nodes:
        entries, exits = (tuple((node.width - x, y) for x, y in side) for side in (node.entries, node.exits))
        look = node.look.mirrored() if hasattr(node.look, "mirrored") else node.look
        graph.nodes.append(replace(node, entries=entries, exits=exits, look=look))
    graph.nets = placed.graph.nets
    corners = tuple((width - x - n.width, y) for (x, y), n in zip(placed.corners, placed.graph.nodes, strict=True))
    return replace(mapped(placed, lambda point: (width - point[0], point[1])), graph=graph, corners=corners)


def _bend(start: Point, end: Point) -> Curve:
    """A curve that starts and ends level."""
    (x, y), (u, v) = start, end
    return start, ((x + u) / 2, y), ((x + u) / 2, v), end


def _corner(start: Point, middle: Point, end: Point) -> Curve:
    return start, middle, middle, end


class _Router:
    """The state of one routing."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.ranks = graph, Ranks(graph)
        self.tops = self.ranks.heights()
        self.routes = {source: Route(net) for source, net in graph.nets.items()}
        self.fallen = [k for k, node in enumerate(graph.nodes) if node.place == "above"]
        self._columns()
        self._flags()
        self._shift()

    # Columns

    def _waiting(self) -> dict[int, list[int]]:
        """The nodes above that come down through a channel, by the rank after it, from left to right."""
        found: dict[int, list[int]] = {}
        for k in self.fallen:
            target = self.ranks.direct.get((k, 0))
            if target is None or self.ranks.layers[self.ranks.rank[target[0]]][0] != target[0]:
                found.setdefault(self.ranks.rank[k] + 1, []).append(k)
        for waiting in found.values():
            waiting.sort(key=self._depth)
        return found

    def _depth(self, k: int) -> tuple[float, float]:
        target = self.ranks.direct.get((k, 0))
        if target is None:
            return float("-inf"), 0.0
        return -self.tops[target[0]], self._entry(target)[0]

    def _columns(self) -> None:
        """The sides of the columns, and the places of what comes down in the channels before them."""
        layers, waiting = self.ranks.layers, self._waiting()
        self.left: list[float] = []
        self.right: list[float] = []
        self.zone = [0.0] * (len(layers) + 1)
        self.falls: dict[int, float] = {}
        x = MARGIN
        for rank in range(len(layers) + 1):
            held = waiting.get(rank, [])
            if held:
                self.zone[rank] = STEP * len(held) + 4
            if rank:
                x += self._channel(rank - 1) + self.zone[rank]
            for place, k in enumerate(held):
                self.falls[k] = x - STUB - STEP * (len(held) - 1 - place)
            if rank < len(layers):
                widths = [self._node(e).width for e in layers[rank] if e not in self.ranks.passes]
                self.left.append(x)
                x += max(widths, default=0.0)
                self.right.append(x)

    def _channel(self, rank: int) -> float:
        links = self.ranks.links[rank]
        if rank + 1 == len(self.ranks.layers):
            return CHANNEL if rank + 1 in self._waiting() else 0.0
        steepest = max(
            (abs(self._out(x.left, x.out) - self._into(x.right, x.into)) for x in links if x.left is not None),
            default=0.0,
        )
        labels = [x.net.width + 22 for x in links if x.left == x.net.source[0]]
        least = TIGHT if self.graph.tight else CHANNEL
        return max(least, min(max(labels, default=0.0), WIDEST_LABEL)) + min(least / 200 * steepest, 1.5 * least)

    def _node(self, k: int) -> Node:
        return self.graph.nodes[k]

    def _entry(self, end: End) -> Point:
        return self._node(end[0]).entries[end[1]]

    def _out(self, element: int, at: float) -> float:
        return self.tops[element] + at

    def _into(self, element: int, at: float) -> float:
        return self.tops[element] + at

    def _corner_of(self, k: int) -> Point:
        """The top left corner of a node in its column, in the middle of which it stands."""
        if k in self.flags:
            return self.flags[k]
        rank, node = self.ranks.rank[k], self._node(k)
        free = self.right[rank] - self.left[rank] - node.width
        share = {"first": 1.0, "last": 0.0}.get(node.place, 0.5)
        return self.left[rank] + share * free, self.tops[k]

    # Flags

    def _flags(self) -> None:
        """Flags in rows, so that none is met by the line of one further right."""
        self.flags: dict[int, Point] = {}
        for k in self.fallen:
            if k not in self.falls:
                target = self.ranks.direct[k, 0]
                self.falls[k] = self._corner_of(target[0])[0] + self._entry(target)[0]
        found = stairs([(self.falls[k], self._node(k).width + 4) for k in self.fallen])
        rows = dict(zip(self.fallen, found, strict=True))
        self.band = FLAG * (max(rows.values(), default=-1) + 1)
        self.flags = {k: (self.falls[k], MARGIN + self.band - FLAG * (row + 1)) for k, row in rows.items()}

    def _shift(self) -> None:
        """Put the highest element under the flags."""
        highest = min((top - self._head(e) for e, top in self.tops.items()), default=0.0)
        move = MARGIN + self.band + (6 if self.band else 0) - highest
        self.tops = {e: round(top + move, 2) for e, top in self.tops.items()}

    def _head(self, element: int) -> float:
        if element in self.ranks.passes:
            return 0.0
        count = sum(y == 0 for _, y in self._node(element).entries)
        return 8 + BEND * count if count else 0.0

    # Wires

    def layout(self) -> Layout:
        """The nodes' corners and the wires' curves."""
        corners = [self._corner_of(k) for k in range(len(self.graph.nodes))]
        for rank in range(len(self.ranks.layers)):
            self._between(rank, corners)
        for k in self.fallen:
            self._fall(k, corners)
        for (number, k), route in self.routes.items():
            if not route.net.targets and number not in self.flags:
                x, y = self._exit((number, k), corners)
                route.end = (x + STUB, y)
                route.curves.append(line((x, y), route.end))
        boxes = [(x + n.width, y + n.height) for (x, y), n in zip(corners, self.graph.nodes, strict=True)]
        points = [p for route in self.routes.values() for curve in route.curves for p in curve]
        width = max((x for x, _ in (*boxes, *points)), default=0.0) + MARGIN
        height = max((y for _, y in (*boxes, *points)), default=0.0) + MARGIN
        return Layout(self.graph, tuple(corners), tuple(self.routes.values()), width, height)

    def _exit(self, end: End, corners: list[Point]) -> Point:
        (x, y), (dx, dy) = corners[end[0]], self._node(end[0]).exits[end[1]]
        return x + dx, y + dy

    def _arrival(self, net: Net, right: int, into: float, corners: list[Point]) -> Point:
        """Where a link arrives: at the entry of a node, or at the right side of the column that it passes."""
        if right in self.ranks.passes:
            return self.right[self.ranks.standing[right]] + STUB, self.tops[right]
        offset = next(
            x for target, k in net.targets if target == right for x, y in (self._entry((right, k)),) if y == into
        )
        return corners[right][0] + offset, self.tops[right] + into

    def _between(self, rank: int, corners: list[Point]) -> None:
        """The curves from one rank to the next."""
        starts: dict[Point, int] = {}
        for link in self.ranks.links[rank]:
            if link.left is None:
                continue
            route, leaving = self.routes[link.net.source], self.right[rank] + STUB
            start = (leaving, self._out(link.left, link.out))
            end = self._arrival(link.net, link.right, link.into, corners)
            if start not in starts:
                starts[start] = 0
                if link.left not in self.ranks.passes:
                    route.curves.append(line(self._exit(link.net.source, corners), start))
            starts[start] += 1
            if starts[start] == 2:
                route.dots.append(start)
            entering = (self.left[rank + 1] - STUB + 2 - self.zone[rank + 1], end[1])
            route.curves += [_bend(start, entering), line(entering, end)]

    def _fall(self, k: int, corners: list[Point]) -> None:
        """The way down of what comes from above."""
        route, (x, y) = self.routes[k, 0], corners[k]
        target = self.ranks.direct.get((k, 0))
        if target is not None:
            self._straight(route, (x, y), target, corners)
            return
        ends = [
            self._arrival(link.net, link.right, link.into, corners)
            for link in self.ranks.links[self.ranks.rank[k]]
            if link.left is None and link.net is route.net
        ]
        if not ends:
            route.end, route.falls = (x, y + FLAG + STUB), True
            route.curves.append(line((x, y), route.end))
            return
        ends = sorted(set(ends), key=lambda end: end[1])
        before = (x, y)
        for end in ends:
            turn = (x, end[1] - BEND)
            route.curves += [line(before, turn), _corner(turn, (x, end[1]), (x + BEND, end[1]))]
            route.curves.append(line((x + BEND, end[1]), end))
            if end != ends[-1]:
                route.dots.append(turn)
            before = turn

    def _straight(self, route: Route, start: Point, target: End, corners: list[Point]) -> None:
        (x, y), (left, top) = start, corners[target[0]]
        into, _ = self._entry(target)
        end = (left + into, top)
        if abs(end[0] - x) < 1e-6:
            route.curves.append(line((x, y), end))
            return
        beside = sorted(u for u, v in self._node(target[0]).entries if v == 0)
        level, r = top - 4 - BEND * (beside.index(into) + 1), 4.0
        route.curves += [
            line((x, y), (x, level - r)),
            _corner((x, level - r), (x, level), (x + r, level)),
            line((x + r, level), (end[0] - r, level)),
            _corner((end[0] - r, level), (end[0], level), (end[0], level + r)),
            line((end[0], level + r), end),
        ]


def arrange(graph: Graph) -> Layout:
    """Place the nodes of a graph and lay its wires."""
    return _Router(graph).layout()
