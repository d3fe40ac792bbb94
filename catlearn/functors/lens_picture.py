"""Pictures of lenses and optics: get above from left to right, put below from right to left, the residual between.

A wire of the domain that the put reads too is copied and goes down at the left; an optic's residual goes down at the
right, where its forward map gives it. Parameters come from above and their changes leave there. What has more than
`limit` nodes is one box with both directions; `lens_rows` draws such boxes side by side.

>>> from catlearn.functions import sin
>>> from catlearn.semirings import REAL
>>> from catlearn.tracing import trace
>>> drawing = two_way(Lens.of(trace(Space((), REAL), sin)))
>>> drawing.count('data-way="forward"'), drawing.count('data-way="backward"'), drawing.count('class="residual"')
(2, 2, 1)

Source: Riley, Categories of optics (1809.00738), section 2; Cruttwell et al. (2103.01931), figure 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from catlearn.diagram import Diagram
from catlearn.functors.functor import Functor
from catlearn.functors.lens_rows import Box, Pair, row, words
from catlearn.functors.picture import LIMIT, Picture, checked, looks, named, shown
from catlearn.layout import End, Graph, Node, Point
from catlearn.lens import Lens
from catlearn.optic import Optic
from catlearn.para import Para
from catlearn.routing import MARGIN, Layout, arrange, mirrored, moved, stairs, way
from catlearn.space import Object, Space, changes
from catlearn.svg import (
    INK,
    SIZE,
    SOFT,
    WIRE,
    Look,
    arrow,
    document,
    element,
    escaped,
    inside,
    path,
    text,
    text_width,
)

__all__ = ["two_way"]

COLUMN, HEAD, STUB, STEP, EDGE = 9.0, 16.0, 26.0, 15.0, 14.0


@dataclass(frozen=True)
class _Part:
    """One direction laid out: the numbers of its entry nodes, of its drops and of its exit nodes."""

    placed: Layout
    entries: dict[int, int]
    drops: dict[int, int]
    exits: tuple[int, ...]

    def at(self, node: int) -> Point:
        """Where the wire of a port is."""
        (x, y), look = self.placed.corners[node], self.placed.graph.nodes[node]
        return x, y + look.height / 2

    def moved(self, right: float, down: float) -> _Part:
        return replace(self, placed=moved(self.placed, right, down))

    def mirrored(self) -> _Part:
        return replace(self, placed=mirrored(self.placed))


def _read(diagram: Diagram) -> set[int]:
    return {wire for _, inputs, _ in diagram.nodes for wire in inputs} | set(diagram.outputs)


def _end(graph: Graph, space: Space, place: str) -> int:
    """A port without width, whose wire goes on outside."""
    point, height = ((0.0, 8.0),), 16.0
    sides = {"first": ((), point), "last": (point, ()), "above": ((), ((0.0, 0.0),))}[place]
    look = Look("pin", (), str(space))
    return graph.add(Node(0.0, 0.0 if place == "above" else height, *sides, place, look))


def _part(diagram: Diagram, above: set[int], idle: set[int], picture: Callable[[Graph], Picture]) -> _Part:
    """A diagram laid out, those inputs dropping from above, and idle ones having a place but no wire."""
    graph = Graph()
    functor = picture(graph)
    entries = {k: _end(graph, s, "first") for k, s in enumerate(diagram.dom) if k not in above}
    drops = {k: _end(graph, diagram.dom[k], "above") for k in sorted(above - idle)}
    for k in idle & set(entries):
        node = graph.nodes[entries[k]]
        graph.nodes[entries[k]] = replace(node, exits=())
        del graph.nets[entries[k], 0]
    nodes = {**entries, **drops}
    ends: list[Any] = [(nodes[k], 0) if k in nodes else None for k in range(len(diagram.dom))]
    uses = [wire for _, inputs, _ in diagram.nodes for wire in inputs] + list(diagram.outputs)
    functor.above = frozenset(ends[k] for k in drops if uses.count(k) == 1 and k not in diagram.outputs)
    given: tuple[End, ...] = functor.interpret(diagram, tuple(ends))
    exits = []
    for end, space in zip(given, diagram.cod, strict=True):
        exits.append(_end(graph, space, "last"))
        graph.join(end, (exits[-1], 0))
    return _Part(arrange(graph), entries, drops, tuple(exits))


@dataclass(frozen=True)
class _Names:
    """Names of the wires that go forward, and how many of the first that come back are the parameters' changes."""

    parameters: Sequence[str]
    inputs: Sequence[str]
    outputs: Sequence[str]
    changed: int


def two_way(
    thing: Lens | Para[Lens] | Optic,
    *,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    title: str = "",
    limit: int = LIMIT,
    labels: bool = True,
    looks: Functor = looks,
) -> str:
    """The SVG text of a lens, a parametrised lens or an optic, with both its directions.

    `inputs` and `outputs` name what goes forward; what comes back has the same names with a prime, as far as they go.
    Raises `InputError` for another number of names than there are wires.
    """
    whole: Lens | Optic = thing.morphism if isinstance(thing, Para) else thing
    forward, backward = (whole.get, whole.put) if isinstance(whole, Lens) else (whole.forward, whole.backward)
    names = _named(thing, whole, inputs, outputs)
    title = title or f"{type(whole).__name__.lower()} of {forward}"
    if max(len(d.nodes) + len(d.dom) for d in (forward, backward)) > limit:
        return _folded(whole, names, title)
    return _Drawing(forward, backward, whole, names, partial(Picture, looks=looks, labels=labels), labels).document(
        title
    )


def _named(thing: Any, whole: Lens | Optic, inputs: Sequence[str] | None, outputs: Sequence[str] | None) -> _Names:
    many, changed, own = 0, 0, tuple[str, ...]()
    if isinstance(thing, Para):
        many, changed = len(thing.parameter.forward), len(thing.parameter.backward)
        own = thing.signature.names
        if len(thing.signature.layers) == 1:  # whose name says nothing more
            own = tuple(name.partition(".")[2] for name in own)
    given = checked(inputs, "x", len(whole.dom.forward) - many, "inputs")
    return _Names(own or named("p", many), given, checked(outputs, "y", len(whole.cod.forward), "outputs"), changed)


def primed(names: Sequence[str], forward: Object, backward: Object) -> list[str]:
    """Names of what comes back: those of the values whose changes they are, or of the last ones, with a prime."""
    extra = len(forward) - len(backward)
    if backward not in (forward[extra:], changes(forward[extra:])):
        return named("d", len(backward))
    return [f"{name}\N{PRIME}" for name in names[extra:]]


def _folded(whole: Lens | Optic, names: _Names, title: str) -> str:
    """One box with both directions."""
    dom, cod, many, changed = whole.dom, whole.cod, len(names.parameters), names.changed
    both = (whole.get, whole.put) if isinstance(whole, Lens) else (whole.forward, whole.backward)
    counts = [f"{len(diagram.nodes):,} nodes" for diagram in both]
    above = (Pair(words(dom.forward[:many]), words(dom.backward[:changed])),) if many else ()
    box = Box((type(whole).__name__.lower(), f"forward: {counts[0]}", f"backward: {counts[1]}"), title, above)
    before = Pair(words(dom.forward[many:]), words(dom.backward[changed:]))
    return row([box], [before, Pair(words(cod.forward), words(cod.backward))], title)


@dataclass(frozen=True)
class _Pin:
    """A wire through the frame's border: from outside, where its words stand, to a port inside, or back."""

    side: str
    forward: bool
    words: str
    space: Space
    inner: tuple[Point, ...]  # from the border on


class _Drawing:
    """The geometry of one drawing: two layouts in a frame, the residual's lanes between them, and pins all round."""

    def __init__(
        self,
        forward: Diagram,
        backward: Diagram,
        whole: Lens | Optic,
        names: _Names,
        functor: Callable[[Graph], Picture],
        labels: bool,
    ) -> None:
        self.whole, self.names, self.labels = whole, names, labels
        self.many = many = len(names.parameters)
        self.optic = isinstance(whole, Optic)
        self.kept = len(whole.residual) if isinstance(whole, Optic) else len(forward.dom)
        self.read = sorted(k for k in _read(backward) if k < self.kept)
        self.idle = set() if self.optic else set(self.read) - _read(forward)
        self.copied = [] if self.optic else [k for k in self.read if k < many]
        if self.optic:  # the residual leaves below what goes on
            forward = forward.select([*range(self.kept, len(forward.cod)), *range(self.kept)])
        front = _part(forward, set(range(many)), self.idle, functor)
        residual = set(range(self.kept))
        self._place(front, _part(backward, residual, residual - set(self.read), functor).mirrored())

    def _place(self, front: _Part, back: _Part) -> None:
        """Put the get over the put, room for the lanes beside and between them."""
        words = {(w, side): self.words(w, side) for side in ("left", "right", "top") for w in (True, False)}
        outer = {
            side: max((text_width(words_, SIZE) for w in (True, False) for words_, _ in words[w, side]), default=0.0)
            for side in ("left", "right")
        }
        tops = len(words[True, "top"]) + len(words[False, "top"])
        self.x, self.y = MARGIN + outer["left"] + 4 + STUB, MARGIN + STEP * tops + STUB * bool(tops)
        lanes = COLUMN * len(self.read)
        left = EDGE + COLUMN * len(words[False, "top"]) + (0 if self.optic else lanes)
        right = EDGE + lanes * self.optic
        self.left = self.x + left
        self.right = self.x + left + max(front.placed.width, back.placed.width) - 2 * MARGIN + right
        head = HEAD + COLUMN * len(self.copied)
        self.front = front.moved(self.left - MARGIN, self.y + head - MARGIN)
        self.middle = self.front.placed.height - MARGIN / 2
        self.back = back.moved(
            self.right - right + MARGIN - back.placed.width, self.middle + lanes + 4 - (MARGIN if self.read else 0)
        )
        self.bottom = self.back.placed.height
        self.width = self.right + STUB + 4 + outer["right"] + MARGIN

    def words(self, forward: bool, side: str) -> list[tuple[str, Space]]:
        """What is written at the pins of a side that go forward, or backward, with their spaces."""
        dom, cod, names = self.whole.dom, self.whole.cod, self.names
        if side == "right":
            spaces = cod.forward if forward else cod.backward
            some = names.outputs if forward else primed(names.outputs, cod.forward, spaces)
        else:
            spaces = dom.forward if forward else dom.backward
            cut = len(names.parameters) if forward else names.changed
            own, part = (names.parameters, slice(0, cut)) if side == "top" else (names.inputs, slice(cut, None))
            values = dom.forward[slice(0, self.many) if side == "top" else slice(self.many, None)]
            spaces = spaces[part]
            some = own if forward else primed(own, values, spaces)
        return [
            (f"{name} {shown(space)}" if self.labels else name, space) for name, space in zip(some, spaces, strict=True)
        ]

    # The residual

    def column(self, k: int) -> float:
        """Where what is kept goes down: left of the get, or an optic's right of it; the first the innermost."""
        place = self.read.index(k)
        return self.right - EDGE - COLUMN * place if self.optic else self.left - 8 - COLUMN * place

    def start(self, k: int) -> Point:
        """Where a wire that is kept leaves its own."""
        if self.optic:
            return self.front.at(self.front.exits[len(self.whole.cod.forward) + k])
        if k in self.copied:
            return self.fall(k), self.y + HEAD / 2 + COLUMN * (len(self.copied) - self.copied.index(k))
        return self.column(k), self.front.at(self.front.entries[k])[1]

    def fall(self, k: int) -> float:
        """Where a parameter comes down: to what reads it in the get, else down the column in which it is kept."""
        drop = self.front.drops.get(k)
        return self.column(k) if drop is None else self.front.placed.corners[drop][0]

    def residual(self) -> list[str]:
        """The ways of what is kept, from the get's side to the put."""
        found = []
        for k in self.read:
            start, end = self.start(k), self.back.placed.corners[self.back.drops[k]]
            x, y = self.column(k), self.middle + COLUMN * (self.read.index(k) + 0.5)
            points = [start, (x, start[1]), (x, y), (end[0], y), end]
            parts = [element("path", d=path(way(points)), fill="none", stroke=WIRE)]
            if not self.optic and k not in self.idle:
                parts.append(element("circle", class_="copy", cx=start[0], cy=start[1], r=3.0, fill=WIRE))
            found.append(element("g", *parts, class_="residual", data_wire=k))
        return found

    # The pins

    def inner(self, side: str, forward: bool, k: int) -> tuple[Point, ...]:
        """The way of a pin from the border on."""
        part, many = (self.front if forward else self.back), self.many
        if side == "top":
            if not forward:
                x, end = self.x + EDGE + COLUMN * k, part.at(part.exits[k])
                return (x, self.y), (x, end[1]), end
            drop = part.drops.get(k)
            x, low = self.fall(k), self.start(k)[1] if drop is None else part.placed.corners[drop][1]
            return (x, self.y), (x, low)
        if side == "left":
            node = part.entries[many + k] if forward else part.exits[self.names.changed + k]
            end = part.at(node)
            return (self.x, end[1]), (self.column(many + k), end[1]) if forward and many + k in self.idle else end
        end = part.at(part.exits[k] if forward else part.entries[self.kept + k])
        return (self.right, end[1]), end

    def pins(self) -> list[_Pin]:
        """All wires through the border."""
        return [
            _Pin(side, forward, words, space, self.inner(side, forward, k))
            for side in ("left", "right", "top")
            for forward in (True, False)
            for k, (words, space) in enumerate(self.words(forward, side))
        ]

    def pin(self, pin: _Pin, row: int) -> str:
        """A pin with its words, an arrow between them and the border; those over the frame stand in rows."""
        x, y = border = pin.inner[0]
        inwards = pin.forward != (pin.side == "right")
        if pin.side == "top":
            outside, at = (x, y - STUB - STEP * row), (x + 4, y - STUB - STEP * row + 4)
            words = text(*at, pin.words, anchor="start", fill=WIRE)
            near = (x, y - STUB)
        else:
            way_ = -1 if pin.side == "left" else 1
            outside = near = (x + way_ * STUB, y)
            anchor = "end" if pin.side == "left" else "start"
            words = text(outside[0] + way_ * 4, y, pin.words, anchor=anchor, fill=INK)
        middle = ((near[0] + border[0]) / 2, (near[1] + border[1]) / 2)
        start, end = (near, border) if inwards else (border, near)
        parts = [
            f"<title>{escaped(str(pin.space))}</title>",
            element("path", d=path(way([outside, *pin.inner])), fill="none", stroke=WIRE),
            arrow(start, (middle[0] + 0.12 * (end[0] - start[0]), middle[1] + 0.12 * (end[1] - start[1]))),
            words,
        ]
        direction = "forward" if pin.forward else "backward"
        return element("g", *parts, class_="pin", data_side=pin.side, data_way=direction)

    # All

    def document(self, title: str) -> str:
        """The whole picture."""
        pins = self.pins()
        tops = [pin for pin in pins if pin.side == "top"]
        rows = dict(zip(map(id, tops), stairs([(p.inner[0][0], text_width(p.words) + 8) for p in tops]), strict=True))
        frame = element(
            "rect", class_="lens", x=self.x, y=self.y, width=self.right - self.x, height=self.bottom - self.y, rx=6.0,
            fill="none", stroke=SOFT, stroke_dasharray="2 3",
        )  # fmt: skip
        what = ("forward", "backward") if self.optic else ("get", "put")
        marks = [
            text(self.right - 6, y, words, anchor="end", class_="label", fill=SOFT)
            for words, y in zip(what, (self.y + 10, self.bottom - 10), strict=True)
        ]
        parts = [
            element("g", *inside(part.placed, f"{name}/"), class_=name)
            for name, part in zip(what, (self.front, self.back), strict=True)
        ]
        ways = [self.pin(pin, rows.get(id(pin), 0)) for pin in pins]
        widest = max((p.inner[0][0] + text_width(p.words) + MARGIN for p in tops), default=0.0)
        body = [frame, *self.residual(), *ways, *parts, *marks]
        return document(max(self.width, widest), self.bottom + MARGIN, body, title)
