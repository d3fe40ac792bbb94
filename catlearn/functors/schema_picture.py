"""Pictures of schemas: objects as dots, edges as arrows between them, the equations below.

Anything serves that has `objects` (names), `edges` (name, source, target) and `equations` (texts). Two objects stand
side by side, more on a circle. Edges between the same two objects bend apart, so do edges from an object to itself.

>>> drawing = schema(["X", "Y"], [("f", "X", "Y"), ("g", "Y", "X")], ["f ; g = X"])
>>> drawing.count('class="edge"'), drawing.count('class="node"'), drawing.count('class="equation"')
(2, 2, 1)
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from catlearn.errors import InputError
from catlearn.layout import Point
from catlearn.routing import MARGIN, Curve
from catlearn.svg import (
    FILL,
    INK,
    SIZE,
    SOFT,
    WIRE,
    arrow,
    document,
    element,
    escaped,
    path,
    samples,
    shortened,
    text,
    text_width,
)

__all__ = ["schema"]

APART, BEND, LEAST, LINE = 190.0, 34.0, 16.0, 22.0


def schema(
    objects: Iterable[str],
    edges: Iterable[tuple[str, str, str]],
    equations: Iterable[str] = (),
    title: str = "",
) -> str:
    """The SVG text of a schema.

    Raises `InputError` for an object that comes twice, and for an edge from or to what is no object.
    """
    names, arrows, texts = list(objects), [tuple(edge) for edge in edges], list(map(str, equations))
    if len(set(names)) < len(names):
        raise InputError(f"the objects of a schema have different names; got {names}")
    for edge in arrows:
        if len(edge) != 3 or edge[1] not in names or edge[2] not in names:
            raise InputError(f"an edge is (name, source, target), both among the objects {names}; got {edge}")
    return _Plan(names, arrows).document(texts, title or f"schema of {len(names)} objects and {len(arrows)} edges")


class _Plan:
    """Where objects, edges and their names are."""

    def __init__(self, names: Sequence[str], edges: Sequence[tuple[str, ...]]) -> None:
        self.names, self.edges = names, edges
        self.radius = {name: max(LEAST, text_width(shortened(name)) / 2 + 8) for name in names}
        self.centre = dict(zip(names, _places(len(names)), strict=True))
        beside: dict[frozenset[str], list[int]] = defaultdict(list)
        for k, (_, source, target) in enumerate(edges):
            beside[frozenset((source, target))].append(k)
        self.curves: dict[int, Curve] = {}
        for group in beside.values():
            for place, k in enumerate(group):
                _, source, target = edges[k]
                self.curves[k] = (
                    self._loop(source, place, len(group))
                    if source == target
                    else self._curve(source, target, self._bend(group, k))
                )

    def _bend(self, group: Sequence[int], k: int) -> float:
        """How far an edge bends to its left: edges one way lie on one side of those the other way."""
        one = self.edges[group[0]][1]
        forth = [j for j in group if self.edges[j][1] == one]
        back = [j for j in group if self.edges[j][1] != one]
        places = [*reversed(forth), *back]
        return (places.index(k) - (len(places) - 1) / 2) * 2 * BEND * (-1 if k in forth else 1)

    def _curve(self, source: str, target: str, bend: float) -> Curve:
        (a, b), (c, d) = self.centre[source], self.centre[target]
        length = math.hypot(c - a, d - b)
        u, v = (c - a) / length, (d - b) / length
        lift = 4 / 3 * bend
        p = (a + 0.3 * (c - a) + lift * v, b + 0.3 * (d - b) - lift * u)
        q = (a + 0.7 * (c - a) + lift * v, b + 0.7 * (d - b) - lift * u)
        return self._edge(source, p), p, q, self._edge(target, q, 2.0)

    def _edge(self, name: str, towards: Point, more: float = 0.0) -> Point:
        """The point of an object's border in that direction."""
        (a, b), r = self.centre[name], self.radius[name] + more
        length = math.hypot(towards[0] - a, towards[1] - b)
        return a + r * (towards[0] - a) / length, b + r * (towards[1] - b) / length

    def _loop(self, name: str, place: int, count: int) -> Curve:
        """A loop away from the middle of all."""
        a, b = self.centre[name]
        x, y = (sum(p[k] for p in self.centre.values()) / len(self.centre) for k in (0, 1))
        away = math.atan2(b - y, a - x) if math.hypot(a - x, b - y) > 1 else -math.pi / 2
        away += (place - (count - 1) / 2) * 1.1
        far = self.radius[name] + 58
        p, q = ((a + far * math.cos(away + t), b + far * math.sin(away + t)) for t in (-0.48, 0.48))
        return self._edge(name, p), p, q, self._edge(name, q, 2.0)

    def _label(self, k: int, taken: list[tuple[float, float, float, float]]) -> Point:
        """A free place for the name of an edge, beside its middle, on its outer side."""
        width, points = text_width(shortened(self.edges[k][0])), samples(self.curves[k], 40)
        sides = (1, -1)
        for at in (20, 16, 24, 12, 28, 8, 32):
            (a, b), (x, y), (c, d) = points[at - 1], points[at], points[at + 1]
            length = math.hypot(c - a, d - b)
            u, v = (d - b) / length, (a - c) / length
            for side in sides:
                for far in (1.0, 1.5, 2.0):
                    reach = far * side * (9 + abs(u) * width / 2)
                    centre = x + u * reach, y + v * (far * side * 11 + 0.0 * reach)
                    box = _box(centre, width)
                    if not any(_meet(box, other) for other in taken):
                        return centre
        return points[20]

    def _taken(self) -> list[tuple[float, float, float, float]]:
        found = [(x - r, y - r, x + r, y + r) for name, (x, y) in self.centre.items() for r in (self.radius[name],)]
        for curve in self.curves.values():
            found += [(x - 2, y - 2, x + 2, y + 2) for x, y in samples(curve, 60)]
        return found

    def document(self, equations: Sequence[str], title: str) -> str:
        """The whole picture, moved so that all of it is seen."""
        taken, labels = self._taken(), []
        for k in range(len(self.edges)):
            labels.append(self._label(k, taken))
            taken.append(_box(labels[-1], text_width(shortened(self.edges[k][0]))))
        left, top = (min((box[k] for box in taken), default=0.0) for k in (0, 1))
        right, bottom = (max((box[k] for box in taken), default=0.0) for k in (2, 3))
        lines = [shortened(words, 80) for words in equations]
        width = max(right - left, *(text_width(words) for words in lines), 60.0) if lines else right - left
        dx, dy = MARGIN - left + (width - (right - left)) / 2, MARGIN - top
        body = [self._arrow(k, dx, dy, (x + dx, y + dy)) for k, (x, y) in enumerate(labels)]
        body += [self._dot(k, name, dx, dy) for k, name in enumerate(self.names)]
        y = bottom + dy + LINE
        for k, words in enumerate(lines):
            body.append(text(MARGIN + width / 2, y + LINE * k, words, class_="equation", fill=INK))
        return document(width + 2 * MARGIN, y + LINE * (len(lines) - 1) + MARGIN, body, title)

    def _dot(self, number: int, name: str, dx: float, dy: float) -> str:
        (x, y), r = self.centre[name], self.radius[name]
        x, y = x + dx, y + dy
        bounds = " ".join(f"{value:.2f}" for value in (x - r, y - r, 2 * r, 2 * r))
        parts = [
            f"<title>{escaped(name)}</title>",
            element("circle", cx=x, cy=y, r=r, fill=FILL, stroke=INK),
            text(x, y, shortened(name), fill=INK),
        ]
        return element("g", *parts, class_="node", data_node=number, data_kind="object", data_bounds=bounds)

    def _arrow(self, k: int, dx: float, dy: float, at: Point) -> str:
        name, source, target = self.edges[k]
        a, b, c, d = ((x + dx, y + dy) for x, y in self.curves[k])
        parts = [
            f"<title>{escaped(f'{name}: {source} to {target}')}</title>",
            element("path", d=path([(a, b, c, d)], straight=False), fill="none", stroke=WIRE, stroke_width=1.5),
            arrow(samples((a, b, c, d), 40)[38], d, 9.0),
            text(*at, shortened(name), SIZE, fill=SOFT),
        ]
        return element("g", *parts, class_="edge", data_from=source, data_to=target)


def _places(count: int) -> list[Point]:
    """Places for so many objects: one, two side by side, or on a circle from the left."""
    if count < 2:
        return [(0.0, 0.0)] * count
    radius = APART / 2 / math.sin(math.pi / count)
    start = math.pi if count == 2 else -math.pi / 2 - math.pi / count
    return [
        (radius * math.cos(start + 2 * math.pi * k / count), radius * math.sin(start + 2 * math.pi * k / count))
        for k in range(count)
    ]


def _box(centre: Point, width: float) -> tuple[float, float, float, float]:
    (x, y), half = centre, SIZE * 0.6
    return x - width / 2, y - half, x + width / 2, y + half


def _meet(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
