"""Pictures read back as paths and words, which is all that they are made of: what other formats are written from.

Only the SVG that `svg` writes is read: rectangles, circles, paths of M, L, Q, C and Z, and texts.

>>> from catlearn.svg import document, element, text
>>> found = scene(document(20.0, 10.0, [element("circle", cx=5.0, cy=5.0, r=2.0), text(1, 2, "a < b")], "small"))
>>> (found.width, found.height, found.title), [type(item).__name__ for item in found.items]
((20.0, 10.0, 'small'), ['Path', 'Words'])
>>> found.items[1].words
'a < b'
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from xml.etree import ElementTree

from catlearn.errors import InputError
from catlearn.layout import Point

__all__ = ["Path", "Scene", "Segment", "Words", "scene"]

Segment: TypeAlias = tuple[str, tuple[Point, ...]]

ROUND = 0.5523  # how far the controls of a cubic that is a quarter of a circle are out
_DRAWN = ("rect", "circle", "path", "text")


@dataclass(frozen=True)
class Path:
    """Segments (M to a point, L to a point, C by two controls to a point, Z closing), colours and the line."""

    segments: tuple[Segment, ...]
    fill: str | None = None
    stroke: str | None = None
    width: float = 1.0
    dashes: tuple[float, ...] = ()


@dataclass(frozen=True)
class Words:
    """A text on a base line at a point, which is its "start", "middle" or "end"."""

    words: str
    at: Point
    size: float
    anchor: str
    colour: str = "#000000"


@dataclass(frozen=True)
class Scene:
    """A picture's size, its title, and what is drawn, from back to front; y grows downwards."""

    width: float
    height: float
    title: str
    items: tuple[Path | Words, ...]


def scene(svg: str) -> Scene:
    """What a picture of `svg` is made of. Raises `InputError` for a text that is none."""
    try:
        root = ElementTree.fromstring(svg)
        width, height = map(float, root.get("viewBox", "").split()[2:])
    except (ElementTree.ParseError, ValueError, TypeError) as error:
        raise InputError(f"a picture is the SVG text that catlearn's `picture` gives; this is none: {error}") from error
    items = tuple(item for element in root.iter() for item in _items(element))
    title = next((child.text or "" for child in root if _name(child) == "title"), "")
    return Scene(width, height, title, items)


def _name(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _items(element: ElementTree.Element) -> Iterator[Path | Words]:
    name, given = _name(element), element.attrib
    if name not in _DRAWN or given.get("class") == "background":
        return
    if name == "text":
        at = (float(given["x"]), float(given["y"]))
        yield Words(
            element.text or "", at, float(given["font-size"]), given["text-anchor"], _colour(given, "fill") or "#000000"
        )
        return
    segments = {"rect": _rectangle, "circle": _circle, "path": _path}[name](given)
    dashes = tuple(map(float, given.get("stroke-dasharray", "").split()))
    yield Path(segments, _colour(given, "fill"), _colour(given, "stroke"), float(given.get("stroke-width", 1)), dashes)


def _colour(given: Mapping[str, str], name: str) -> str | None:
    value = given.get(name, "none")
    return {"none": None, "white": "#ffffff", "black": "#000000"}.get(value, value)


def _rectangle(given: Mapping[str, str]) -> tuple[Segment, ...]:
    x, y, w, h = (float(given[name]) for name in ("x", "y", "width", "height"))
    r = min(float(given.get("rx", 0)), w / 2, h / 2)
    k, a, b = r * (1 - ROUND), x + w, y + h
    return (
        ("M", ((x + r, y),)),
        ("L", ((a - r, y),)),
        ("C", ((a - k, y), (a, y + k), (a, y + r))),
        ("L", ((a, b - r),)),
        ("C", ((a, b - k), (a - k, b), (a - r, b))),
        ("L", ((x + r, b),)),
        ("C", ((x + k, b), (x, b - k), (x, b - r))),
        ("L", ((x, y + r),)),
        ("C", ((x, y + k), (x + k, y), (x + r, y))),
        ("Z", ()),
    )


def _circle(given: Mapping[str, str]) -> tuple[Segment, ...]:
    x, y, r = (float(given[name]) for name in ("cx", "cy", "r"))
    side = str(2 * r)
    return _rectangle({"x": str(x - r), "y": str(y - r), "width": side, "height": side, "rx": str(r)})


def _path(given: Mapping[str, str]) -> tuple[Segment, ...]:
    found: list[Segment] = []
    at = (0.0, 0.0)
    for order, text in re.findall("([MLQCZ])([^A-Za-z]*)", given["d"]):
        numbers = [float(word) for word in text.replace(",", " ").split()]
        points = tuple(zip(numbers[::2], numbers[1::2], strict=True))
        if order == "Q":
            (p, q), (x, y) = points
            one, two = ((u + 2 * (p - u) / 3, v + 2 * (q - v) / 3) for u, v in (at, (x, y)))
            order, points = "C", (one, two, (x, y))
        found.append((order, points))
        at = points[-1] if points else at
    return tuple(found)
