"""Comparing the two sides of a law, and telling how they differ.

Sides are equal if they have one type and denote the same polynomials; in categories that hold to rounding, if they
agree at random points in 64-bit floats; pairs that are about functions, at all points where those are few.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from catlearn.diagram import Diagram
from catlearn.errors import CatlearnError
from catlearn.functors.symbolic import Polynomial, polynomials
from catlearn.laws.law import Law, Pair
from catlearn.laws.oracles import by_jax, denotes, element, finite_values, formal_derivative, stepwise
from catlearn.laws.strategies import Category, points
from catlearn.lens import Lens
from catlearn.para import Para
from catlearn.semirings import REAL, Carrier
from catlearn.space import Object, Space

__all__ = ["DifferenceError", "compare", "counterexample"]

ALL_POINTS = 256
"""How many points are still tried one by one."""


class DifferenceError(Exception):
    """The two sides of a law, found different, or equal where they must differ; the text says at what."""


def compare(pair: Pair, category: Category, draw: Any, notes: set[str]) -> None:
    """Raise `DifferenceError` unless the pair is as it should be; `notes` collects how it was compared."""
    for left, right in _parts(pair.left, pair.right):
        difference = _difference(left, right, pair, category, draw, notes)
        if difference is not None:
            if pair.equal:
                raise DifferenceError(difference)
            return
    if not pair.equal:
        raise DifferenceError("the two sides must differ, and they are equal")


def _parts(left: Any, right: Any) -> Iterator[tuple[Any, Any]]:
    """The diagrams, or other values, that two things of one kind consist of."""
    if isinstance(left, Para) and isinstance(right, Para):
        yield left.parameter, right.parameter
        yield from _parts(left.morphism, right.morphism)
    elif isinstance(left, Lens) and isinstance(right, Lens):
        yield left.get, right.get
        yield left.put, right.put
    else:
        yield left, right


def _difference(left: Any, right: Any, pair: Pair, category: Category, draw: Any, notes: set[str]) -> str | None:
    if isinstance(left, tuple) and isinstance(right, tuple) and left and isinstance(left[0], Polynomial):
        names = {v for p in (*left, *right) for monomial in p.terms for v, _ in monomial}
        return _apart(left, right, [left[0].semiring] * (1 + max((int(v[1:]) for v in names), default=-1)))
    if not isinstance(left, Diagram):
        return None if left == right else f"the left side is {left} and the right side {right}"
    if (left.dom, left.cod) != (right.dom, right.cod):
        return f"the left side is {left} and the right side {right}"
    if left == right:
        return None
    if category.rounds:
        notes.add("in 64-bit floats at random points")
        return _numerically(left, right, pair, draw)
    values = all(space.carrier.has("multiply") for side in (left, right) for space in _spaces(side))
    if values and not pair.points and denotes(left) and denotes(right):
        notes.add("as polynomials")
        return _as_polynomials(left, right)
    return _at_points(left, right, pair, draw, notes)


def _spaces(diagram: Diagram) -> Iterator[Space]:
    """The spaces of all its wires."""
    yield from diagram.dom
    for generator, _, _ in diagram.nodes:
        yield from generator.cod


def _as_polynomials(left: Diagram, right: Diagram) -> str | None:
    carriers = [space.carrier for space in left.dom for _ in range(space.size)]
    return _apart(polynomials(left), polynomials(right), carriers)


def _apart(ours: tuple[Polynomial, ...], theirs: tuple[Polynomial, ...], carriers: list[Carrier]) -> str | None:
    """A small point where two tuples of polynomials differ, or the polynomials where they are equal as functions."""
    if ours == theirs:
        return None
    for values in _small_points(carriers):
        at = {f"x{k}": value for k, value in enumerate(values)}
        sides = [[p.at(at) for p in side] for side in (ours, theirs)]
        if sides[0] != sides[1]:
            point = ", ".join(map(str, values))
            return f"at ({point}) the left side is {_row(sides[0])} and the right side {_row(sides[1])}"
    return f"as polynomials the left side is {_row(ours)} and the right side {_row(theirs)}"


def _row(values: Iterable[Any]) -> str:
    texts = [str(value) for value in values]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def _small_points(carriers: list[Carrier], most: int = 729) -> Iterator[tuple[Any, ...]]:
    """Points with small coordinates, those of few and small ones first."""
    choices = [[v for v in (0, 1, 2) if bool(np.all(c.contains(np.array(v))))] for c in carriers]
    if math.prod(len(c) for c in choices) <= most:
        yield from sorted(itertools.product(*choices), key=lambda point: (sum(point), point[::-1]))
        return
    for spread in range(1, len(choices) + 1):
        yield tuple(c[(k * spread) % len(c)] for k, c in enumerate(choices))
        yield tuple(c[-1] if k % spread == 0 else c[0] for k, c in enumerate(choices))


def _at_points(left: Diagram, right: Diagram, pair: Pair, draw: Any, notes: set[str]) -> str | None:
    from catlearn.functors.exact import Exact

    run = Exact()
    functions = run(left), run(right)
    entries = [finite_values(space.carrier) for space in left.dom for _ in range(space.size)]
    known = [entry for entry in entries if entry is not None]
    total = math.prod(map(len, known)) if len(known) == len(entries) else None
    if total is not None and total <= ALL_POINTS:
        chosen: Iterable[Sequence[np.ndarray]] = (_arranged(left.dom, values) for values in itertools.product(*known))
        notes.add("at all points")
    else:
        chosen = [draw(points(left.dom))] if pair.equal else _generic_points(left.dom)
        many = "the points are infinitely many" if total is None else f"{total:,} points are too many for all"
        notes.add(f"at random points ({many})" if total is not None else "at random points")
    for point in chosen:
        sides = [[np.asarray(v).tolist() for v in _tuple(f(*point))] for f in functions]
        if sides[0] != sides[1]:
            at = ", ".join(str(np.asarray(value).tolist()) for value in point)
            return f"at ({at}) the left side is {_row(sides[0])} and the right side {_row(sides[1])}"
    return None


def _generic_points(spaces: Object) -> list[tuple[np.ndarray, ...]]:
    """Some points that are not special: two sides that differ may agree where all is zero."""
    chosen = []
    for shift in range(1, 6):
        entries = itertools.count(shift)
        carriers = [space.carrier for space in spaces for _ in range(space.size)]
        values = [element(carrier, next(entries) * shift) for carrier in carriers]
        chosen.append(tuple(_arranged(spaces, tuple(values))))
    return chosen


def _arranged(spaces: Object, values: tuple[Any, ...]) -> list[np.ndarray]:
    rest, result = list(values), []
    for space in spaces:
        result.append(np.array(rest[: space.size], object).reshape(space.shape))
        rest = rest[space.size :]
    return result


def _tuple(values: Any) -> tuple[Any, ...]:
    return values if isinstance(values, tuple) else (values,)


def _numerically(left: Diagram, right: Diagram, pair: Pair, draw: Any) -> str | None:
    run = stepwise()
    if pair.equal:
        point = list(draw(points(left.dom)))
    else:  # two that differ may agree at a special point
        generator = np.random.default_rng(0)
        point = [
            generator.uniform(0.2, 1.7, space.shape) if space.carrier == REAL else np.full(space.shape, k % 2)
            for k, space in enumerate(left.dom)
        ]
    results = [[np.asarray(v) for v in _tuple(run(side)(*point))] for side in (left, right)]
    for mine, other in zip(*results, strict=True):
        if pair.partial:
            other = np.where(np.isnan(other), mine, other)
        if not np.allclose(mine, other, rtol=pair.tolerance, atol=pair.tolerance, equal_nan=True):
            at = ", ".join(str(value.tolist()) for value in point)
            return f"at ({at}) the left side is {mine.tolist()} and the right side {other.tolist()}"
    return None


def counterexample(law: Law, values: Mapping[str, Any], difference: str, category: Category) -> str:
    """The law, the values of its variables, both sides, and the rule to look at, in a few lines."""
    lines = [f"{law.identifier}: {law.statement}"]
    lines += [f"  {name} = {_shown(value)}" for name, value in values.items() if name not in ("R", "D")]
    lines.append(f"  {difference}")
    lines += [f"  look at {text}" for text in _suspects(values, category)]
    return "\n".join(lines)


def _suspects(values: Mapping[str, Any], category: Category) -> list[str]:
    """The generators of a counterexample whose own reverse is not the derivative; all of them if none is."""
    diagrams = [d for v in values.values() for d in ((v.get, v.put) if isinstance(v, Lens) else (v,))]
    generators = dict.fromkeys(g for d in diagrams if isinstance(d, Diagram) for g, inputs, _ in d.nodes if inputs)
    marked = [f"the reverse of {g.name}, which is marked as no derivative" for g in generators if not g.lawful]
    wrong = [(g, text) for g in generators if (text := _wrong_rule(g.diagram, category)) is not None]
    if marked:
        return marked
    if wrong:
        return [f"the reverse of {g.name} ({type(g).__name__}): {text}" for g, text in wrong]
    names = ", ".join(dict.fromkeys(g.name for g in generators))
    return [f"how R is put together: no single rule is known to be wrong, of {names}"] if generators else []


def _wrong_rule(gate: Diagram, category: Category) -> str | None:
    reverse = category.closed or category.reverse
    try:
        if any(space.carrier == REAL for space in (*gate.dom, *gate.cod)):
            pair = Pair(reverse(gate), by_jax(gate), equal=False)
            return _numerically(pair.left, pair.right, pair, None)
        ours, theirs = polynomials(reverse(gate)), formal_derivative(gate)
    except (CatlearnError, TypeError, NotImplementedError):
        return None
    return None if ours == theirs else f"it gives {_row(ours)}, and the derivative is {_row(theirs)}"


def _shown(value: Any) -> str:
    if isinstance(value, Lens):
        return f"get {_shown(value.get)}, put {_shown(value.put)}"
    if not isinstance(value, Diagram):
        return str(value)
    steps = []
    for generator, inputs, outputs in value.nodes:
        steps.append(f"{_wires(outputs)} = {generator.name}({_wires(inputs)})")
    ends = f"({_wires(range(len(value.dom)))}) -> ({_wires(value.outputs)})"
    return f"{ends}" + (f" where {'; '.join(steps)}" if steps else "")


def _wires(wires: Iterable[int]) -> str:
    return ", ".join(f"w{wire}" for wire in wires)
