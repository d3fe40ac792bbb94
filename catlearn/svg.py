"""SVG as text: escaped elements, widths of texts, shapes of boxes and gates, and graphs laid out.

A picture is one `svg` element on white. In it stand a group of class `node` for each node, with its number, its kind
and its bounds (`data-node`, `data-kind`, `data-bounds`), and a group of class `wire` for each wire, with the ends that
it joins as `node.port` (`data-from`, `data-to`); each has its whole description as a `title`.

>>> text_width("wide") > text_width("ill")
True
>>> element("g", text(0, 0, "a < b", anchor="end"), class_="node")
'<g class="node"><text x="0" y="4.68" font-size="13" text-anchor="end">a &lt; b</text></g>'
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import pairwise

from catlearn.layout import Graph, Node, Point
from catlearn.routing import MARGIN, Curve, Layout, Route, arrange, mirrored, moved

__all__ = [
    "INK",
    "SIZE",
    "SMALL",
    "SOFT",
    "WIRE",
    "Label",
    "Look",
    "arrow",
    "document",
    "drawn",
    "element",
    "escaped",
    "inside",
    "path",
    "pictured",
    "samples",
    "shaped",
    "shortened",
    "text",
    "text_width",
]

SIZE, SMALL = 13.0, 11.0
INK, SOFT, FILL, WIRE = "#1a1a1a", "#5a5a5a", "#f4f6fa", "#33518c"
PAD, PITCH, LEAST, HEAD, STACK, PORT_LINE = 9.0, 16.0, 28.0, 18.0, 6.0, 16.0
GATE_WIDTH, GATE_HEIGHT, BUBBLE = 38.0, 30.0, 3.0
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Widths in hundredths of the size, those of the widest of the common sans-serif fonts.
_WIDTHS = {
    **dict.fromkeys("ijl'|", 30),
    **dict.fromkeys(".,:; ![]()ftIr-/\\", 42),
    **dict.fromkeys("mwMW@%+=<>", 98),
    **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ&", 78),
}


def text_width(words: str, size: float = SIZE) -> float:
    """About how wide a text is in a sans-serif font; rather too wide than too narrow."""
    return sum(_WIDTHS.get(letter, 64 if letter.isascii() else 100) for letter in words) * size / 100


def shortened(words: str, most: int = 22) -> str:
    """The text with its middle left out where it is longer than `most` letters."""
    return words if len(words) <= most else f"{words[: most // 2]}\N{HORIZONTAL ELLIPSIS}{words[1 - most // 2 :]}"


def _number(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def element(name: str, *parts: str, **attributes: object) -> str:
    """An element that holds others; `class_` is class, and an underscore a hyphen."""
    shown = _attributes(attributes)
    return f"<{name}{shown}>{''.join(parts)}</{name}>" if parts else f"<{name}{shown}/>"


def _attributes(values: Mapping[str, object]) -> str:
    return "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(_number(v) if isinstance(v, float) else str(v))}"'
        for key, v in values.items()
    )


def escaped(words: str) -> str:
    """The text as it stands in XML; letters that XML does not have become question marks."""
    return escape(_FORBIDDEN.sub("?", words))


def text(x: float, y: float, words: str, size: float = SIZE, anchor: str = "middle", **attributes: object) -> str:
    """A text whose middle height is at `y`."""
    place = {"x": float(x), "y": y + 0.36 * size, "font_size": float(size), "text_anchor": anchor}
    return f"<text{_attributes({**place, **attributes})}>{escaped(words)}</text>"


def document(width: float, height: float, body: Sequence[str], title: str) -> str:
    """A picture of that size, on white."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_number(width)} {_number(height)}" '
        f'width="{_number(width)}" height="{_number(height)}" font-family="sans-serif" role="img">'
    )
    ground = element("rect", class_="background", width="100%", height="100%", fill="white")
    return "\n".join([head, f"<title>{escaped(title)}</title>", ground, *body, "</svg>\n"])


# Nodes


@dataclass(frozen=True)
class Look:
    """How a node is drawn: its kind, the lines in it, all that is known of it, and entries that a bubble inverts.

    Kinds are "box", "round", "input", "output", "parameter", "port", "frame", and the gates "and", "or", "xor" and
    "buffer", also with `inverted`, a bubble at the output. A frame has its content in `inner`, whose first and last
    nodes are ports, through which a wire passes; `stacked` shows that there are many of it.
    """

    kind: str
    lines: tuple[str, ...]
    title: str = ""
    inverted: bool = False
    bubbles: tuple[int, ...] = ()
    inner: Layout | None = None
    stacked: bool = False

    def mirrored(self) -> Look:
        """The look from right to left."""
        return self if self.inner is None else replace(self, inner=mirrored(self.inner))


GATES = ("and", "or", "xor", "buffer")
_PLACES = {"input": "first", "output": "last", "parameter": "above"}


def shaped(look: Look, entries: int, exits: int, above: Sequence[int] = ()) -> Node:
    """The node of that look, those of its entries being entered from above."""
    words = max((text_width(line) for line in look.lines), default=0.0)
    if look.inner is not None:
        return _framed(look, look.inner)
    if look.kind == "parameter":
        return Node(text_width(look.lines[0], SMALL) + 8, 14.0, (), ((0.0, 0.0),), "above", look)
    if look.kind in ("input", "output"):
        width, middle = words + 6, SIZE / 2 + 2
        entry, exit_ = ((0.0, middle),), ((width, middle),)
        first = look.kind == "input"
        return Node(width, 2 * middle, () if first else entry, exit_ if first else (), _PLACES[look.kind], look)
    if look.kind == "round":
        size, height = max(24.0, words + 8), max(24.0, PITCH * max(entries, exits))
        into = tuple((0.0, y) for y in _spread(entries, height))
        return Node(size, height, into, tuple((size, y) for y in _spread(exits, height)), "", look)
    if look.kind in GATES:
        return _gate(look, entries)
    level = entries - len(above)
    height = max(LEAST, PITCH * max(level, exits) + 4, 17.0 * len(look.lines) + 10)
    width = max(LEAST, words + 2 * PAD, 14.0 * len(above) + 8)
    heights, across = iter(_spread(level, height)), iter(_spread(len(above), width))
    places = [(next(across), 0.0) if k in above else (0.0, next(heights)) for k in range(entries)]
    return Node(width, height, tuple(places), tuple((width, y) for y in _spread(exits, height)), "", look)


def _framed(look: Look, inner: Layout) -> Node:
    """A frame around its content, entered and left where the ports inside are."""
    ends: dict[str, list[float]] = {"first": [], "last": []}
    for node, (_, y) in zip(inner.graph.nodes, inner.corners, strict=True):
        if node.place in ends:
            ends[node.place].append(y + HEAD + PORT_LINE)
    behind = STACK * look.stacked
    width = max(inner.width, text_width(look.lines[0], SMALL) + 12)
    entries, exits = ([(x, y) for y in ends[side]] for side, x in (("first", 0.0), ("last", width)))
    return Node(width, inner.height + HEAD + behind, tuple(entries), tuple(exits), "", look)


def _spread(count: int, length: float) -> list[float]:
    return [length * (k + 0.5) / count for k in range(count)]


def _gate(look: Look, entries: int) -> Node:
    left = _left(look)
    width = left + GATE_WIDTH + 2 * BUBBLE * look.inverted
    inset = {"or": 4.0, "xor": -2.0}.get(look.kind, 0.0)
    places = [(0.0 if k in look.bubbles else left + inset, y) for k, y in enumerate(_spread(entries, GATE_HEIGHT))]
    return Node(width, GATE_HEIGHT, tuple(places), ((width, GATE_HEIGHT / 2),), "", look)


def _left(look: Look) -> float:
    """The room left of a gate's body."""
    return 6.0 if look.kind == "xor" else 2 * BUBBLE if look.bubbles else 0.0


def _body(look: Look, x: float, y: float) -> str:
    """The outline of a gate's body whose corner is (x, y)."""
    w, h = GATE_WIDTH, GATE_HEIGHT
    a, b, m, e = (_number(v) for v in (y, y + h, y + h / 2, x + w))
    if look.kind == "and":
        left, straight, e = _number(x), _number(x + w - h / 2), _number(x + w - h / 2 + h * 2 / 3)
        return f"M{left} {a}L{straight} {a}C{e} {a} {e} {b} {straight} {b}L{left} {b}Z"
    if look.kind == "buffer":
        return f"M{_number(x)} {a}L{e} {m}L{_number(x)} {b}Z"
    k, q = _number(x + 0.6 * w), _number(x + w / 4)
    outline = f"M{_number(x)} {a}Q{k} {a} {e} {m}Q{k} {b} {_number(x)} {b}Q{q} {m} {_number(x)} {a}Z"
    if look.kind == "xor":
        outline += f"M{_number(x - 6)} {a}Q{_number(x - 6 + w / 4)} {m} {_number(x - 6)} {b}"
    return outline


def _outline(node: Node, x: float, y: float) -> list[str]:
    look: Look = node.look
    if look.kind == "box":
        return [element("rect", x=x, y=y, width=node.width, height=node.height, rx=4.0, fill=FILL, stroke=INK)]
    if look.kind == "round":
        return [element("rect", x=x, y=y, width=node.width, height=node.height, rx=12.0, fill="white", stroke=INK)]
    if look.kind == "port":
        y += PORT_LINE
        return [element("path", d=f"M{_number(x)} {_number(y)}L{_number(x + node.width)} {_number(y)}", stroke=WIRE)]
    if look.kind == "frame":
        high = node.height - STACK * look.stacked
        return [
            element("rect", x=x + k, y=y + k, width=node.width - 2 * k, height=high, rx=6.0, fill="white", stroke=INK)
            for k in ((STACK, STACK / 2, 0.0) if look.stacked else (0.0,))
        ]
    if look.kind not in GATES:
        return []
    left = x + _left(look)
    parts = [element("path", d=_body(look, left, y), fill=FILL, stroke=INK, fill_rule="nonzero")]
    centres = [(x + BUBBLE, y + node.entries[k][1]) for k in look.bubbles]
    if look.inverted:
        centres.append((x + node.width - BUBBLE, y + GATE_HEIGHT / 2))
    return parts + [element("circle", cx=u, cy=v, r=BUBBLE, fill="white", stroke=INK) for u, v in centres]


def _written(node: Node, x: float, y: float) -> list[str]:
    look: Look = node.look
    middle = y + node.height / 2
    if look.kind == "input":
        return [text(x + node.width - 4, middle, look.lines[0], anchor="end", fill=INK)]
    if look.kind == "output":
        return [text(x + 4, middle, look.lines[0], anchor="start", fill=INK)]
    if look.kind == "parameter":
        return [text(x + 4, middle, look.lines[0], SMALL, "start", fill=WIRE)]
    if look.kind == "frame":
        return [text(x + 6, y + 10, look.lines[0], SMALL, "start", fill=INK)]
    if look.kind == "port":
        ((inner, _),) = (*node.entries, *node.exits)
        at, anchor = (x + inner - 2, "end") if inner else (x + 2, "start")
        return [text(at, y + 8, words, SMALL, anchor, fill=SOFT) for words in look.lines]
    if look.kind in GATES:
        return []
    first = middle - 8.5 * (len(look.lines) - 1)
    return [text(x + node.width / 2, first + 17 * k, words, fill=INK) for k, words in enumerate(look.lines)]


def _node(number: str, node: Node, corner: Point) -> str:
    x, y = corner
    look: Look = node.look
    bounds = " ".join(map(_number, (x, y, node.width, node.height)))
    parts = [
        f"<title>{escaped(look.title or ' '.join(look.lines))}</title>",
        *_outline(node, x, y),
        *_written(node, x, y),
    ]
    if look.inner is not None:
        parts.append(element("g", *inside(moved(look.inner, x, y + HEAD), f"{number}/"), class_="body"))
    return element("g", *parts, class_="node", data_node=number, data_kind=look.kind, data_bounds=bounds)


# Wires


@dataclass(frozen=True)
class Label:
    """What stands at a wire, and what it says when pointed at."""

    short: str
    title: str


def path(curves: Sequence[Curve], straight: bool = True) -> str:
    """The curves as the text of a path, level and upright ones as lines unless `straight` is false."""
    parts, at = [], None
    for a, b, c, d in curves:
        if a == d:
            continue
        if a != at:
            parts.append(f"M{_number(a[0])} {_number(a[1])}")
        lined = straight and (a[1] == d[1] or (a[0] == d[0] and b[0] == c[0] == a[0]))
        points = (d,) if lined else (b, c, d)
        parts.append(("L" if lined else "C") + " ".join(f"{_number(x)} {_number(y)}" for x, y in points))
        at = d
    return "".join(parts)


def arrow(start: Point, tip: Point, size: float = 6.0, colour: str = WIRE) -> str:
    """A small arrowhead at the tip, pointing away from the start."""
    (a, b), (x, y) = start, tip
    length = math.hypot(x - a, y - b) or 1.0
    u, v = size * (x - a) / length, size * (y - b) / length
    points = (x - u + 0.5 * v, y - v - 0.5 * u), (x, y), (x - u - 0.5 * v, y - v + 0.5 * u)
    shape = "L".join(f"{_number(c)} {_number(d)}" for c, d in points)
    return element("path", class_="arrow", d=f"M{shape}Z", fill=colour)


def _wire(route: Route, before: str = "") -> str:
    net = route.net
    style = {"stroke_dasharray": "4 3"} if route.kind == "loop" else {}
    parts = [element("path", d=path(route.curves), fill="none", stroke=WIRE, **style)]
    parts += [arrow(start, tip) for start, tip in route.arrows]
    parts += [element("circle", class_="copy", cx=x, cy=y, r=3.0, fill=WIRE) for x, y in route.dots]
    if route.end is not None:
        (x, y), (u, v) = route.end, (4.0, 0.0) if route.falls else (0.0, 4.0)
        bar = f"M{_number(x - u)} {_number(y - v)}L{_number(x + u)} {_number(y + v)}"
        parts.append(element("path", class_="discard", d=bar, fill="none", stroke=WIRE, stroke_width=2.0))
    if net.label is not None:
        parts.insert(0, f"<title>{escaped(net.label.title)}</title>")
    ends = " ".join(f"{before}{node}.{entry}" for node, entry in net.targets)
    source = f"{before}{net.source[0]}.{net.source[1]}"
    return element("g", *parts, class_=route.kind, data_from=source, data_to=ends)


def samples(curve: Curve, count: int = 12) -> list[Point]:
    """Points on a curve, from its start to its end."""
    a, b, c, d = curve
    found = []
    for k in range(count + 1):
        t = k / count
        p, q, r, s = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
        found.append((p * a[0] + q * b[0] + r * c[0] + s * d[0], p * a[1] + q * b[1] + r * c[1] + s * d[1]))
    return found


class _Space:
    """What is taken of the plane: rectangles, and segments of wires."""

    def __init__(self, placed: Layout) -> None:
        self.boxes = [
            (x, y, x + node.width, y + node.height)
            for (x, y), node in zip(placed.corners, placed.graph.nodes, strict=True)
        ]
        self.segments: list[tuple[float, float, float, float]] = []
        for route in placed.routes:
            for curve in route.curves:
                points = samples(curve)
                for (x, y), (u, v) in pairwise(points):
                    self.segments.append((min(x, u), min(y, v), max(x, u), max(y, v)))
        self.limit = placed.width, placed.height

    def free(self, a: float, b: float, c: float, d: float) -> bool:
        """Whether nothing stands in the rectangle from (a, b) to (c, d)."""
        inside = a >= 0 and b >= 0 and c <= self.limit[0] and d <= self.limit[1]
        taken = any(x < c and u > a and y < d and v > b for x, y, u, v in (*self.boxes, *self.segments))
        return inside and not taken


def _labels(placed: Layout) -> list[str]:
    """The labels of the wires that find room beside them."""
    space, found = _Space(placed), []
    for route in placed.routes:
        label, source = route.net.label, placed.graph.nodes[route.net.source[0]]
        if label is None or not label.short or not route.curves or source.place == "above":
            continue
        width, (x, y) = text_width(label.short, SMALL), route.curves[0][0]
        right = route.curves[0][3][0] >= x
        ends = [(x + 4 if right else x - 4 - width, y)]
        ends += [
            (c[3][0] - width - 4 if right else c[3][0] + 4, c[3][1])
            for c in route.curves
            if math.isclose(c[0][1], c[3][1])
        ]
        for left, height in ends:
            above = next(
                (v for v in (height - 8, height + 9) if space.free(left, v - 6.5, left + width, v + 6.5)), None
            )
            if above is not None:
                space.boxes.append((left, above - 6.5, left + width, above + 6.5))
                found.append(text(left, above, label.short, SMALL, "start", class_="label", fill=SOFT))
                break
    return found


def inside(placed: Layout, before: str = "") -> list[str]:
    """The elements of a layout: wires, nodes, whose numbers follow `before`, and labels."""
    body = [_wire(route, before) for route in placed.routes]
    pairs = zip(placed.graph.nodes, placed.corners, strict=True)
    body += [_node(f"{before}{k}", node, corner) for k, (node, corner) in enumerate(pairs)]
    return body + _labels(placed)


def drawn(graph: Graph, title: str, caption: str = "") -> str:
    """The picture of a graph of looks, with a caption below."""
    return pictured(arrange(graph), title, caption)


def pictured(placed: Layout, title: str, caption: str = "") -> str:
    """The picture of a layout, with a caption below."""
    body, width, height = inside(placed), placed.width, placed.height
    if caption:
        width = max(width, text_width(caption, SMALL) + 2 * MARGIN)
        body.append(text(MARGIN, height, caption, SMALL, "start", class_="caption", fill=SOFT))
        height += MARGIN
    return document(width, height, body, title)
