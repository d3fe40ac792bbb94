"""Layered layout: ranks of the nodes of a string diagram, their order, and their heights; `routing` draws the wires.

A node's rank is the longest path to it, inputs first and outputs last; what depends on no input stands just before what
reads it. A wire longer than one rank passes the ranks between, once for all who read it there. The order in
a rank comes from barycentre sweeps, exchanges of neighbours and moves of single elements, inputs and outputs staying in
their order; entries that are alike, such as those of a sum, are entered in the order of what they read. Heights are
the least squares that keep the order and the distances, rank by rank. A wire bends only between two ranks, so it meets
no node but those that it joins. What comes from above goes down before, or straight into, the node that reads it.

>>> graph = Graph()
>>> first = [graph.add(Node(10, 10, (), ((10, 5),), "first")) for _ in range(2)]
>>> middle = [graph.add(Node(10, 10, ((0, 5),), ((10, 5),))) for _ in range(2)]
>>> for k in range(2): graph.join((first[k], 0), (middle[1 - k], 0))
>>> Ranks(graph).layers, Ranks(graph).crossings()
([[0, 1], [3, 2]], 0)

Source: Sugiyama, Tagawa and Toda, Methods for visual understanding of hierarchical system structures (1981).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, TypeAlias

__all__ = ["BEND", "End", "Graph", "Link", "Net", "Node", "Point", "Ranks"]

Point: TypeAlias = tuple[float, float]
End: TypeAlias = tuple[int, int]

GAP, PASS_GAP, BEND = 26.0, 16.0, 6.0
NEAR = 8.0  # a step in a wire that is smaller looks like a mistake
SWEEPS = 12


@dataclass(frozen=True)
class Node:
    """A thing to place: its size, and where wires enter and leave it, from its top left corner.

    `place` is "first", "last", "above" or nothing; an entry at height 0 is entered from above. `look` is for who draws.
    """

    width: float
    height: float
    entries: tuple[Point, ...]
    exits: tuple[Point, ...]
    place: str = ""
    look: Any = None
    alike: bool = False  # whether its entries at the left may change places, as those of a sum


@dataclass
class Net:
    """A wire from an end of a node to all who read it; `label` and its width, if it is to be written."""

    source: End
    targets: list[End] = field(default_factory=list)
    label: Any = None
    width: float = 0.0


class Graph:
    """Nodes in topological order and the nets between them, one for each exit; `tight` leaves little room for them."""

    def __init__(self) -> None:
        self.tight = False
        self.nodes: list[Node] = []
        self.nets: dict[End, Net] = {}

    def add(self, node: Node, labels: Sequence[tuple[Any, float]] = ()) -> int:
        """The number of a new node, whose exits have those labels and widths."""
        number = len(self.nodes)
        self.nodes.append(node)
        for k in range(len(node.exits)):
            label, width = labels[k] if labels else (None, 0.0)
            self.nets[number, k] = Net((number, k), [], label, width)
        return number

    def join(self, source: End, target: End) -> None:
        """Let the entry `target` read the exit `source`."""
        self.nets[source].targets.append(target)


@dataclass
class Link:
    """A piece of a net between two ranks, from a height on `left` (None: from above) to one on `right`.

    `entry` is the number of the entry that it ends in; None where it ends in a pass.
    """

    net: Net
    left: int | None
    out: float
    right: int
    into: float
    entry: int | None = None


def _ranks(graph: Graph) -> list[int]:
    """The rank of each node; that of a node above is its readers' first less one."""
    nodes = graph.nodes
    readers: list[list[int]] = [[] for _ in nodes]
    for net in graph.nets.values():
        readers[net.source[0]] += [target for target, _ in net.targets]
    rank, bound = [0] * len(nodes), [node.place == "first" for node in nodes]
    for k, node in enumerate(nodes):
        if node.entries:
            rank[k] = max(rank[k], 1)
        for reader in readers[k]:
            bound[reader] = bound[reader] or bound[k]
            if node.place != "above":
                rank[reader] = max(rank[reader], rank[k] + 1)
    last = max((r for r, node in zip(rank, nodes, strict=True) if node.place != "last"), default=0) + 1
    for k in reversed(range(len(nodes))):
        if nodes[k].place == "last":
            rank[k] = last
        elif not bound[k] and readers[k]:
            rank[k] = min(rank[reader] for reader in readers[k]) - 1
    return rank


class Ranks:
    """The ranks with the passes of long wires, in an order; element k is node k, later ones are passes."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.rank = graph, _ranks(graph)
        count = max((r + 1 for r, n in zip(self.rank, graph.nodes, strict=True) if n.place != "above"), default=1)
        self.layers: list[list[int]] = [[] for _ in range(count)]
        self.links: list[list[Link]] = [[] for _ in range(count)]
        self.right_of: dict[int, list[Link]] = {}
        self.left_of: dict[int, list[Link]] = {}
        self.passes: dict[int, Net] = {}
        self.standing: dict[int, int] = {}  # the rank of each pass
        self.direct: dict[End, End] = {}  # entries from above, by what comes
        for k, node in enumerate(graph.nodes):
            if node.place != "above":
                self.layers[self.rank[k]].append(k)
        for net in graph.nets.values():
            self._cut(net)
        self.order()

    def _cut(self, net: Net) -> None:
        number, k = net.source
        node = self.graph.nodes[number]
        above = node.place == "above"
        if above and len(net.targets) == 1 and self._entry(net.targets[0])[1] == 0:
            self.direct[net.source] = net.targets[0]
        rank = self.rank[number]
        here: int | None = None if above else number
        out = node.exits[k][1]
        last = max((self.rank[target] for target, _ in net.targets), default=0)
        while rank < last:
            for target, entry in net.targets:
                if self.rank[target] == rank + 1:
                    self._link(rank, Link(net, here, out, target, self._entry((target, entry))[1], entry))
            rank += 1
            if rank < last:
                passing = len(self.graph.nodes) + len(self.passes)
                self.passes[passing], self.standing[passing] = net, rank
                self.layers[rank].append(passing)
                self._link(rank - 1, Link(net, here, out, passing, 0.0))
                here, out = passing, 0.0

    def _link(self, rank: int, link: Link) -> None:
        self.links[rank].append(link)
        self.left_of.setdefault(link.right, []).append(link)
        if link.left is not None:
            self.right_of.setdefault(link.left, []).append(link)

    def _entry(self, end: End) -> Point:
        return self.graph.nodes[end[0]].entries[end[1]]

    # Order

    def order(self) -> None:
        """Order the ranks by sweeps, keep the best, and move what can be moved to a place with fewer crossings."""
        best, fewest = self._kept(), -1
        for sweep in range(SWEEPS):
            forward = sweep % 2 == 0
            ranks = range(1, len(self.layers)) if forward else range(len(self.layers) - 2, -1, -1)
            for rank in ranks:
                self._sort(rank, forward)
            self._turn()
            self._exchange()
            crossings = self.crossings()
            if fewest < 0 or crossings < fewest:
                best, fewest = self._kept(), crossings
        self.layers, turned = best
        for node, entries in turned.items():
            self._enter(node, entries)
        while self._sift():
            self._turn()

    def _kept(self) -> tuple[list[list[int]], dict[int, tuple[Point, ...]]]:
        """The order, and the places of the entries that may be exchanged."""
        turned = {k: node.entries for k, node in enumerate(self.graph.nodes) if node.alike}
        return [list(layer) for layer in self.layers], turned

    def _enter(self, node: int, entries: tuple[Point, ...]) -> None:
        """Give a node those places of its entries."""
        self.graph.nodes[node] = replace(self.graph.nodes[node], entries=entries)
        for link in self.left_of.get(node, []):
            if link.entry is not None:
                link.into = entries[link.entry][1]

    def _turn(self) -> None:
        """Let entries that are alike have the order of what they read."""
        places = self._places()
        for number, node in enumerate(self.graph.nodes):
            links = [x for x in self.left_of.get(number, []) if x.left is not None] if node.alike else []
            if len(links) > 1:
                links.sort(key=lambda x: (places[x.left], x.out))
                heights = sorted(x.into for x in links)
                entries = list(node.entries)
                for link, height in zip(links, heights, strict=True):
                    entries[link.entry or 0] = (0.0, height)
                self._enter(number, tuple(entries))

    def _sift(self) -> bool:
        """Move each element to the place in its rank with the fewest crossings; whether one was moved."""
        places, moved = self._places(), False
        for layer in self.layers:
            for element in [e for e in layer if not self._fixed(e)]:
                start = layer.index(element)
                best, gain = start, 0
                for way in (-1, 1):
                    change, place = 0, start
                    while 0 <= place + way < len(layer):
                        place += way
                        pair = (layer[place], element) if way < 0 else (element, layer[place])
                        change += self._pair(pair[1], pair[0], places) - self._pair(*pair, places)
                        if change < gain:
                            best, gain = place, change
                if best != start:
                    layer.insert(best, layer.pop(start))
                    places.update({e: k for k, e in enumerate(layer)})
                    moved = True
        return moved

    def _places(self) -> dict[int | None, int]:
        places: dict[int | None, int] = {e: k for layer in self.layers for k, e in enumerate(layer)}
        return {**places, None: -1}

    def _sort(self, rank: int, forward: bool) -> None:
        places, layer = self._places(), self.layers[rank]

        def key(element: int) -> float:
            links = (self.left_of if forward else self.right_of).get(element, [])
            ends = [(x.left, x.out) if forward else (x.right, x.into) for x in links]
            return sum(places[e] + at / 1000 for e, at in ends) / len(ends) if ends else places[element]

        chosen = sorted(layer, key=key)
        kept = iter([e for e in layer if self._fixed(e)])
        self.layers[rank] = [next(kept) if self._fixed(e) else e for e in chosen]

    def _fixed(self, element: int) -> bool:
        return element < len(self.graph.nodes) and self.graph.nodes[element].place in ("first", "last")

    def _pair(self, upper: int, lower: int, places: dict[int | None, int]) -> int:
        """Crossings between the wires of two neighbours, `upper` standing above."""
        found = 0
        for links, end in ((self.left_of, "left"), (self.right_of, "right")):
            one, two = (
                [(places[getattr(x, end)], x.out if end == "left" else x.into) for x in links.get(e, [])]
                for e in (upper, lower)
            )
            found += sum(a > b for a in one for b in two)
        return found

    def _exchange(self) -> None:
        for _ in range(SWEEPS):
            places, better = self._places(), False
            for layer in self.layers:
                for k in range(len(layer) - 1):
                    upper, lower = layer[k], layer[k + 1]
                    if self._fixed(upper) and self._fixed(lower):
                        continue
                    if self._pair(lower, upper, places) < self._pair(upper, lower, places):
                        layer[k], layer[k + 1] = lower, upper
                        places[lower], places[upper] = k, k + 1
                        better = True
            if not better:
                return

    def crossings(self) -> int:
        """The number of crossings of wires between neighbouring ranks."""
        places, found = self._places(), 0
        for links in self.links:
            ends = [((places[x.left], x.out), (places[x.right], x.into)) for x in links]
            found += sum((a < c and b > d) or (a > c and b < d) for k, (a, b) in enumerate(ends) for c, d in ends[:k])
        return found

    # Heights

    def _room(self, element: int) -> tuple[float, float]:
        """The room above and below the reference height of an element, its top."""
        if element in self.passes:
            return PASS_GAP / 2, PASS_GAP / 2
        node = self.graph.nodes[element]
        from_above = sum(y == 0 for _, y in node.entries)
        return GAP / 2 + BEND * from_above, node.height + GAP / 2

    def heights(self) -> dict[int, float]:
        """The height of each element, its top."""
        tops: dict[int, float] = {}
        for layer in self.layers:
            y = 0.0
            for element in layer:
                up, down = self._room(element)
                tops[element], y = y + up, y + up + down
        for sweep in range(4 * SWEEPS):
            forward, both = sweep % 2 == 0, sweep >= 3 * SWEEPS
            for rank in range(len(self.layers)) if forward else range(len(self.layers) - 1, -1, -1):
                self._level(self.layers[rank], tops, forward or both, not forward or both)
        for layer in self.layers:
            self._straighten(layer, tops)
        self._straighten(self.layers[0], tops)
        return tops

    def _straighten(self, layer: list[int], tops: dict[int, float]) -> None:
        """Move what has one wire to its height, that from the left or else to the right, where there is room."""
        for k, element in enumerate(layer):
            links = [link for link in self.left_of.get(element, []) if link.left is not None]
            if len(links) == 1 and links[0].left is not None:
                wanted = tops[links[0].left] + links[0].out - links[0].into
            elif not links and len(self.right_of.get(element, [])) == 1:
                onward = self.right_of[element][0]
                wanted = tops[onward.right] + onward.into - onward.out
            else:
                continue
            up, down = self._room(element)
            if k:
                wanted = max(wanted, tops[layer[k - 1]] + self._room(layer[k - 1])[1] + up)
            if k + 1 < len(layer) and wanted > tops[layer[k + 1]] - self._room(layer[k + 1])[0] - down:
                continue
            near = abs(wanted - tops[element])
            if element in self.passes or near < NEAR:
                tops[element] = wanted

    def _level(self, layer: list[int], tops: dict[int, float], left: bool, right: bool) -> None:
        wanted: list[float] = []
        weights: list[float] = []
        for element in layer:
            pulls: list[tuple[float, float]] = []
            for link in self.left_of.get(element, []) if left else []:
                if link.left is not None:
                    pulls.append((tops[link.left] + link.out - link.into, self._weight(link)))
            for link in self.right_of.get(element, []) if right else []:
                pulls.append((tops[link.right] + link.into - link.out, self._weight(link)))
            weight = sum(w for _, w in pulls)
            wanted.append(sum(y * w for y, w in pulls) / weight if pulls else tops[element])
            weights.append(weight or 0.05)
        steps = [0.0]
        for upper, lower in pairwise(layer):
            steps.append(steps[-1] + self._room(upper)[1] + self._room(lower)[0])
        found = _increasing([y - step for y, step in zip(wanted, steps, strict=False)], weights)
        for element, y, step in zip(layer, found, steps, strict=False):
            tops[element] = y + step

    def _weight(self, link: Link) -> float:
        return 8.0 if link.left in self.passes and link.right in self.passes else 1.0


def _increasing(wanted: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The increasing numbers nearest to the wanted ones in weighted squares: neighbours out of order are pooled."""
    pools: list[tuple[float, float, int]] = []
    for y, weight in zip(wanted, weights, strict=True):
        pools.append((y, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, v, n), (b, w, m) = pools[-2:]
            pools[-2:] = [((a * v + b * w) / (v + w), v + w, n + m)]
    return [y for y, _, count in pools for _ in range(count)]
