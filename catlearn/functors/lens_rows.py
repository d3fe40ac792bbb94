"""Rows of lenses as boxes with both directions: forward wires run above to the right, backward ones below to the left.

On a box stand its parameters: one comes down, its change goes up, to a further box on top, such as an optimiser's, or
to words. So a learner is drawn as it is defined (LEARNER.closed, LEARNER.supervised).

>>> from catlearn.semirings import REAL
>>> from catlearn.space import Space
>>> identity = Lens.identity(Space((), REAL))
>>> drawing = composite([identity, identity], names=["f", "g"])
>>> drawing.count('data-kind="lens"'), drawing.count('data-way="backward"')
(2, 3)

Source: Cruttwell et al. (2103.01931), figures 2 and 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from catlearn.errors import CompositionError, InputError, OperationError
from catlearn.functors.picture import shown
from catlearn.layout import Point
from catlearn.lens import Lens, Sides
from catlearn.optic import Optic
from catlearn.para import Para
from catlearn.routing import MARGIN, line, way
from catlearn.space import Object
from catlearn.svg import (
    FILL,
    INK,
    SMALL,
    SOFT,
    WIRE,
    arrow,
    document,
    element,
    escaped,
    path,
    shortened,
    text,
    text_width,
)

if TYPE_CHECKING:
    from catlearn.learner import Learner

__all__ = ["Box", "Pair", "composite", "learner", "row"]

LEADING, PAD, APART, RISE, STUB, GAP = 17.0, 12.0, 26.0, 46.0, 34.0, 14.0


@dataclass(frozen=True)
class Pair:
    """A wire forward, a wire backward, and for one that stands on a box what is above: a box, or words at its ends.

    An empty `back` is a change that is dropped; None is no wire backward.
    """

    forth: str
    back: str | None
    source: Box | None = None
    given: str = ""
    taken: str = ""


@dataclass(frozen=True)
class Box:
    """A box of a row: what is written in it, all that is known of it, and the pairs that stand on it."""

    lines: tuple[str, ...]
    about: str = ""
    above: tuple[Pair, ...] = ()

    @property
    def width(self) -> float:
        """Its width, with the words of the pairs on it."""
        own = max((text_width(words) for words in self.lines), default=0.0) + 2 * PAD
        return max(own, sum(sum(_sides(pair)) for pair in self.above), 70.0)

    @property
    def height(self) -> float:
        """Its height."""
        return max(LEADING * len(self.lines) + PAD, 2 * APART + 4)

    @property
    def reach(self) -> float:
        """The width of it and of what stands on it."""
        return max(
            self.width,
            max(
                (
                    2 * abs(self.feet[k] - self.width / 2) + p.source.reach + GAP
                    for k, p in enumerate(self.above)
                    if p.source
                ),
                default=0.0,
            ),
        )

    @property
    def rise(self) -> float:
        """The height of what stands on it."""
        return max((RISE + (p.source.height + p.source.rise if p.source else 14.0) for p in self.above), default=0.0)

    @property
    def feet(self) -> list[float]:
        """Where the pairs on it stand, from its left side."""
        sides = [_sides(pair) for pair in self.above]
        x, found = (self.width - sum(map(sum, sides))) / 2, []
        for left, right in sides:
            found.append(x + left)
            x += left + right
        return found


def _sides(pair: Pair) -> tuple[float, float]:
    """The room left and right of the middle of a pair that stands on a box."""
    left = max(text_width(pair.forth, SMALL), text_width(pair.given) - 8)
    right = max(text_width(pair.back or "", SMALL), text_width(pair.taken) - 8)
    return APART / 2 + left + 10, APART / 2 + right + 10


class _Row:
    """A row being drawn."""

    def __init__(self) -> None:
        self.wires: list[str] = []
        self.boxes: list[str] = []

    def box(self, box: Box, x: float, y: float) -> None:
        """A box and what stands on it."""
        number, bounds = len(self.boxes), f"{x:.2f} {y:.2f} {box.width:.2f} {box.height:.2f}"
        middle = y + box.height / 2 - LEADING / 2 * (len(box.lines) - 1)
        parts = [
            f"<title>{escaped(box.about or ' '.join(box.lines))}</title>",
            element("rect", x=x, y=y, width=box.width, height=box.height, rx=5.0, fill=FILL, stroke=INK),
            *(
                text(x + box.width / 2, middle + LEADING * k, words, fill=SOFT if k else INK)
                for k, words in enumerate(box.lines)
            ),
        ]
        self.boxes.append(element("g", *parts, class_="node", data_node=number, data_kind="lens", data_bounds=bounds))
        for pair, foot in zip(box.above, box.feet, strict=True):
            self.pair(pair, x + foot, y)

    def pair(self, pair: Pair, x: float, y: float) -> None:
        """A pair upon the height y, around x, and what it comes from."""
        top, down, up = y - RISE, x - APART / 2, x + APART / 2
        if pair.source:
            self.box(pair.source, x - pair.source.width / 2, top - pair.source.height)
        self.wire("forward", (down, top), (down, y), pair.forth, (down - 5, y - RISE / 2), "end")
        if pair.back:
            self.wire("backward", (up, y), (up, top), pair.back, (up + 5, y - RISE / 2), "start")
        elif pair.back is not None:
            self.dropped((up, y), (up, y - 18), (4.0, 0.0))
        if not pair.source:
            ends = ((down + 4, pair.given, "end"), (up - 4, pair.taken, "start"))
            self.boxes += [text(u, top - 8, said, anchor=at, class_="end", fill=INK) for u, said, at in ends if said]

    def wire(self, kind: str, start: Point, end: Point, words: str, at: Point, anchor: str) -> None:
        """A wire with its arrow in the middle, and its words."""
        (a, b), (c, d) = start, end
        tip = (a + c) / 2 + 0.08 * (c - a), (b + d) / 2 + 0.08 * (d - b)
        parts = [
            f"<title>{escaped(words)}</title>",
            element("path", d=path([line(start, end)]), fill="none", stroke=WIRE),
            arrow(start, tip),
            text(at[0], at[1], shortened(words, 30), SMALL, anchor, class_="label", fill=SOFT),
        ]
        self.wires.append(element("g", *parts, class_="wire", data_way=kind))

    def dropped(self, start: Point, end: Point, bar: Point) -> None:
        """A change that nothing takes."""
        (x, y), (u, v) = end, bar
        parts = [
            element("path", d=path(way([start, end])), fill="none", stroke=WIRE),
            element("path", class_="discard", d=f"M{x - u} {y - v}L{x + u} {y + v}", stroke=WIRE, stroke_width=2.0),
        ]
        self.wires.append(element("g", *parts, class_="wire", data_way="backward"))

    def between(self, pair: Pair, x: float, end: float, y: float) -> None:
        """A pair between two boxes, or at an end of the row."""
        middle = (x + end) / 2
        self.wire(
            "forward", (x, y - APART / 2), (end, y - APART / 2), pair.forth, (middle, y - APART / 2 - 9), "middle"
        )
        if pair.back:
            self.wire(
                "backward", (end, y + APART / 2), (x, y + APART / 2), pair.back, (middle, y + APART / 2 + 10), "middle"
            )
        elif pair.back is not None:
            self.dropped((end, y + APART / 2), (end - 18, y + APART / 2), (0.0, 4.0))


def row(boxes: Sequence[Box], pairs: Sequence[Pair | None], title: str, caption: str = "") -> str:
    """The SVG text of boxes in a row; `pairs` are those before, between and after them, None at an end for nothing."""
    drawing = _Row()
    y = MARGIN + max(box.rise + box.height / 2 for box in boxes)
    x = MARGIN
    for k, pair in enumerate(pairs):
        if pair is not None:
            words = max(text_width(shortened(w or "", 30), SMALL) for w in (pair.forth, pair.back))
            sides = (boxes[j] for j in (k - 1, k) if 0 <= j < len(boxes))
            room = max(words + 16, STUB + 20, sum((box.reach - box.width) / 2 for box in sides))
            drawing.between(pair, x, x + room, y)
            x += room
        if k < len(boxes):
            drawing.box(boxes[k], x, y - boxes[k].height / 2)
            x += boxes[k].width
    height = y + max(box.height for box in boxes) / 2 + MARGIN
    body = [*drawing.wires, *drawing.boxes]
    width = x + MARGIN
    if caption:
        body.append(text(MARGIN, height, caption, SMALL, "start", class_="caption", fill=SOFT))
        width, height = max(width, text_width(caption, SMALL) + 2 * MARGIN), height + MARGIN
    return document(width, height, body, title)


def words(spaces: Object) -> str:
    """An object in a few words."""
    found = ", ".join(map(shown, spaces)) or "1"
    return found if len(found) <= 30 else f"{len(spaces)} wires"


def _pair(sides: Sides, **more: Any) -> Pair:
    return Pair(words(sides.forward), words(sides.backward), **more)


def composite(parts: Sequence[Any], names: Sequence[str] | None = None, title: str = "") -> str:
    """The SVG text of a composite `a >> b >> ..` of lenses, parametrised lenses or optics, one box a part.

    Raises `CompositionError` where two parts do not compose, `OperationError` for a part that is none of these and
    `InputError` for no part, or another number of names.
    """
    names = [f"f{k}" for k in range(len(parts))] if names is None else list(names)
    if not parts or len(names) != len(parts):
        raise InputError(
            f"a composite is drawn of at least one part, with a name each; got {len(parts)} parts and "
            f"{len(names)} names"
        )
    for part in parts:
        if not isinstance(part, (Lens, Optic)) and not (
            isinstance(part, Para) and isinstance(part.morphism, (Lens, Optic))
        ):
            raise OperationError(f"a composite of lenses has lenses, parametrised lenses and optics; got {part!r}")
    for k, (one, two) in enumerate(pairwise(parts)):
        if one.cod != two.dom:
            raise CompositionError(f"{names[k]} ends in {one.cod}, and {names[k + 1]} begins in {two.dom}")
    boxes = []
    for part, name in zip(parts, names, strict=True):
        above = (_pair(part.parameter),) if isinstance(part, Para) and part.parameter != Sides((), ()) else ()
        boxes.append(Box((shortened(name, 30),), f"{name}: {type(part).__name__}", above))
    ends = [_pair(parts[0].dom), *(_pair(part.cod) for part in parts)]
    return row(boxes, ends, title or " >> ".join(names))


def learner(learner: Learner, title: str = "") -> str:
    """The SVG text of a learner as lenses: the model and the loss in a row to the cap, the optimiser on the model."""
    from catlearn.functors.summary_picture import layer_rows
    from catlearn.pictures import layer_lines

    model, loss = learner.model, learner.loss
    losses = loss.para(model.cod).cod
    state = words(learner.state)
    stored = Pair(state, state, given="state", taken="next state")
    numbers = learner.hyperparameters
    listed = ", ".join(numbers)
    said = listed if len(listed) <= 30 else f"{len(numbers)} numbers"
    settings = Pair(said, None, given="settings") if numbers else None
    optimiser = Box(
        (shortened(learner.optimiser.name, 24), "optimiser"),
        f"the optimiser {learner.optimiser.name}: its get chooses the parameters, its put takes their change",
        tuple(pair for pair in (settings, stored) if pair),
    )
    count = len(model.parameter)
    forth, back = ("1 parameter", "its change") if count == 1 else (f"{count} parameters", "their changes")
    on = (Pair(forth, back, source=optimiser),) if count else ()
    labels = loss.labels(model.cod)
    boxes = [
        Box(("model", *layer_lines(layer_rows(model))), f"the model as a lens: {model}", on),
        Box(
            (shortened(loss.name, 24), "loss"),
            "the loss as a lens",
            (Pair(words(labels), "", given="label"),) if labels else (),
        ),
        Box((shortened(f"cap {learner.cap.name}", 24),), "the cap: what comes back of the losses"),
    ]
    ends: list[Pair | None] = [Pair(words(model.dom), ""), _pair(Sides.of(model.cod)), _pair(Sides.of(losses)), None]
    learnt = sum(p.space.size for p in model.parameters if p.role == "parameter")
    return row(boxes, ends, title or repr(learner), f"A learner as lenses: {learnt:,} entries learnt.")
