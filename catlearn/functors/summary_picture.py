"""Pictures of what is too large to be drawn: rows of boxes from top to bottom, equal parts folded.

A model is drawn by its layers in order of application, with the shapes of their parameters and what they give out; a
part that comes several times is framed once, with how often it comes. What has no layers is drawn by its levels, with
the number of nodes of each kind. The picture says that it is a summary.

>>> folded(list("abcbcbcd"))
[(1, ['a']), (3, ['b', 'c']), (1, ['d'])]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from catlearn.diagram import Diagram
from catlearn.para import Para
from catlearn.routing import MARGIN
from catlearn.space import Object
from catlearn.svg import FILL, INK, SIZE, SMALL, SOFT, WIRE, document, element, escaped, shortened, text, text_width

__all__ = ["Row", "by_layers", "by_levels", "folded", "levelled", "stacked"]

MOST_ROWS, MOST_LINES, LEADING, PAD, GAP = 24, 6, 17.0, 10.0, 26.0

T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """A box of a summary: its title, what it says, and the label of the wires after it."""

    title: str
    lines: tuple[str, ...] = ()
    gives: str = ""


def folded(items: Sequence[T]) -> list[tuple[int, list[T]]]:
    """The items as parts in order, each with how often it comes in a row; what saves most is folded first."""
    found: list[tuple[int, list[T]]] = []
    start = 0
    while start < len(items):
        times, length = 1, 1
        for size in range(1, (len(items) - start) // 2 + 1):
            part, count = items[start : start + size], 1
            while list(items[start + count * size : start + (count + 1) * size]) == list(part):
                count += 1
            if (count - 1) * size > (times - 1) * length:
                times, length = count, size
        found.append((times, list(items[start : start + length])))
        start += times * length
    joined: list[tuple[int, list[T]]] = []
    for times, part in found:
        if times == 1 and joined and joined[-1][0] == 1:
            joined[-1][1].extend(part)
        else:
            joined.append((times, part))
    return joined


def _listed(spaces: Object) -> str:
    from catlearn.functors.picture import shown

    return shortened(", ".join(map(shown, spaces)), 60)


def layer_rows(model: Para[Diagram]) -> list[Row]:
    """A row for each layer of a model."""
    from catlearn.functors.picture import shown

    signature = model.signature
    rows = []
    for number, layer in enumerate(signature.layers):
        own = [p for k, p in zip(signature.numbers, signature.parameters, strict=True) if k == number]
        lines = [shortened(f"{p.name}: {shown(p.space)}" + _role(p.role), 60) for p in own]
        rows.append(Row(layer.name, _capped(lines), _listed(layer.cod)))
    return rows


def _role(role: str) -> str:
    return "" if role == "parameter" else f" ({role})"


def _capped(lines: Sequence[str]) -> tuple[str, ...]:
    if len(lines) <= MOST_LINES:
        return tuple(lines)
    return (*lines[: MOST_LINES - 1], f"and {len(lines) - MOST_LINES + 1} more")


def by_layers(model: Para[Diagram], title: str = "") -> str:
    """The SVG text of a model's layers."""
    entries = sum(p.space.size for p in model.parameters if p.role == "parameter")
    count = len(model.signature.layers)
    caption = (
        f"A summary by layers: {count} {_plural('layer', count)} of {len(model.diagram.nodes):,} nodes, "
        f"{entries:,} entries learnt."
    )
    first, last = Row("input", (), _listed(model.dom)), Row("output", (_listed(model.cod),))
    return stacked([first, *layer_rows(model), last], title or str(caption), caption)


def by_levels(diagram: Diagram, title: str = "") -> str:
    """The SVG text of a diagram's levels, a node's level being the longest path to it."""
    depth = [0] * len(diagram.dom)
    counts: dict[int, Counter[str]] = {}
    for generator, inputs, outputs in diagram.nodes:
        level = 1 + max((depth[wire] for wire in inputs), default=0)
        depth += [level] * len(outputs)
        counts.setdefault(level, Counter())[generator.name] += 1
    first = Row("inputs", _capped([f"{len(diagram.dom)}: {_listed(diagram.dom)}"]))
    last = Row("outputs", _capped([f"{len(diagram.cod)}: {_listed(diagram.cod)}"]))
    count = len(diagram.nodes)
    caption = f"A summary by levels: {count:,} {_plural('node', count)}, {max(counts, default=0):,} levels deep."
    return stacked([first, *levelled(counts, "node"), last], title or caption, caption)


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


def levelled(counts: Mapping[int, Counter[str]], what: str) -> list[Row]:
    """Rows of levels with their numbers of things of each kind; many levels are put together in bands."""
    depth = max(counts, default=0)
    band = -(-depth // MOST_ROWS) or 1
    rows = []
    for low in range(1, depth + 1, band):
        high = min(low + band - 1, depth)
        total = sum((counts.get(level, Counter()) for level in range(low, high + 1)), Counter[str]())
        name = f"level {low}" if low == high else f"levels {low:,} to {high:,}"
        kinds = sorted(total.items(), key=lambda item: (-item[1], item[0]))
        lines = [f"{number:,} \N{MULTIPLICATION SIGN} {shortened(kind, 40)}" for kind, number in kinds]
        size = sum(total.values())
        rows.append(Row(f"{name}: {size:,} {_plural(what, size)}", _capped(lines)))
    return rows


def stacked(rows: Sequence[Row], title: str, caption: str) -> str:
    """The SVG text of rows from top to bottom."""
    parts = folded(rows)
    widest = [text_width(words, SIZE) for row in rows for words in (row.title, *row.lines)]
    width = max([*widest, 120.0]) + 2 * PAD
    left, y = MARGIN + PAD, MARGIN
    body: list[str] = []
    number, before, bottom = 0, "", y
    for times, part in parts:
        frame = y
        for place, row in enumerate(part):
            if number:
                middle = y + GAP / 2
                y += GAP
                if place == 0 and times > 1:
                    frame, y = y - 4, y + 4
                body.append(_down(left + width / 2, bottom, y, middle, before))
            height = PAD * 2 + LEADING * (1 + len(row.lines)) - 4
            body.append(_block(number, row, left, y, width, height))
            y = bottom = y + height
            before, number = row.gives, number + 1
        if times > 1:
            body.append(_frame(times, left, frame, width, y))
            y += PAD
    body.append(text(MARGIN, y + 20, caption, SMALL, "start", class_="caption", fill=SOFT))
    room = max(
        width + 2 * PAD + 90, text_width(caption, SMALL), *(width / 2 + text_width(r.gives, SMALL) + 16 for r in rows)
    )
    return document(room + 2 * MARGIN, y + 28 + MARGIN, body, title)


def _down(x: float, top: float, bottom: float, middle: float, label: str) -> str:
    parts = [element("path", d=f"M{x:.2f} {top:.2f}L{x:.2f} {bottom:.2f}", fill="none", stroke=WIRE)]
    if label:
        parts.append(text(x + 6, middle, label, SMALL, "start", class_="label", fill=SOFT))
    return element("g", *parts, class_="wire")


def _block(number: int, row: Row, x: float, y: float, width: float, height: float) -> str:
    bounds = f"{x:.2f} {y:.2f} {width:.2f} {height:.2f}"
    parts = [
        f"<title>{escaped('; '.join((row.title, *row.lines)))}</title>",
        element("rect", x=x, y=y, width=width, height=height, rx=4.0, fill=FILL, stroke=INK),
        text(x + width / 2, y + PAD + LEADING / 2 - 2, row.title, fill=INK),
    ]
    for k, words in enumerate(row.lines):
        parts.append(text(x + width / 2, y + PAD + LEADING * (k + 1.5) - 2, words, SMALL, fill=SOFT))
    return element("g", *parts, class_="node", data_node=number, data_kind="row", data_bounds=bounds)


def _frame(times: int, x: float, top: float, width: float, bottom: float) -> str:
    box = element(
        "rect", x=x - PAD / 2, y=top, width=width + PAD, height=bottom - top + PAD / 2, rx=6.0,
        fill="none", stroke=SOFT, stroke_dasharray="4 3",
    )  # fmt: skip
    words = f"\N{MULTIPLICATION SIGN} {times}"
    times_at = text(x + width + PAD, (top + bottom) / 2, words, anchor="start", class_="times", fill=INK)
    return element("g", box, times_at, class_="repeated", data_times=times)
