"""Checking laws on a category: random well-typed morphisms, the smallest counterexample, a report.

    report = check(CATEGORIES["Z4"])        # or check(carrier), check(diagram)
    report.raise_if_wrong()

Two sides are equal if they have one type and denote the same polynomials; where laws hold to rounding only, if they
agree at random points in 64-bit floats. A law that a category declares broken must be seen to break. Since no law ties
R[g] to g for an opaque generator (RD.blindspot), `RD.derivative` compares R[f] with the formal derivative, or with
`jax.vjp`.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from catlearn.diagram import Diagram
from catlearn.errors import CatlearnError, OperationError
from catlearn.functors.symbolic import Polynomial, base_of, polynomials
from catlearn.laws.catalogue import CATALOGUE
from catlearn.laws.categories import polynomial_category
from catlearn.laws.law import Law
from catlearn.laws.strategies import Category, arrays, diagrams, lenses, linear_maps, objects
from catlearn.lens import Lens
from catlearn.para import Para
from catlearn.reverse import plain, reverse_derivative
from catlearn.semirings import REAL, Carrier

__all__ = ["LawError", "Report", "Row", "applicable", "check", "derivative_law", "tests"]


class LawError(CatlearnError, AssertionError):
    """A law does not hold where it is declared to hold, or holds where it is declared broken."""


class _DifferenceError(Exception):
    """The two sides of a law, found different; the text says at what."""


@dataclass
class Row:
    """One law on one category: `status` is "holds", "holds to rounding", "broken as declared" or "BROKEN"."""

    law: Law
    status: str
    examples: int
    seconds: float
    counterexample: str = ""

    @property
    def wrong(self) -> bool:
        """Whether this is not as declared."""
        return self.status == "BROKEN"


@dataclass
class Report:
    """What a check found, one row a law."""

    category: str
    rows: list[Row] = field(default_factory=list)

    @property
    def wrong(self) -> list[Row]:
        """The rows that are not as declared."""
        return [row for row in self.rows if row.wrong]

    def raise_if_wrong(self) -> None:
        """Raise `LawError` with the counterexamples, if there are any."""
        if self.wrong:
            raise LawError(
                "\n\n".join(f"{self.category} breaks {r.law.identifier}: {r.counterexample}" for r in self.wrong)
            )


def derivative_law() -> Law:
    """R[f] is the derivative of f: the formal one of polynomials, or what `jax.vjp` gives."""
    return Law(
        "RD.derivative", "R[f](x, d) = J_f(x)^T d", "Cockett et al. (1910.07065), example 14", "f: A -> B", _formal
    )


def _formal(f: Diagram) -> list[tuple[Any, Any]]:
    if any(space.carrier == REAL for space in (*f.dom, *f.cod)):
        return [(reverse_derivative(f), _by_jax(f))]
    denoted, n = polynomials(plain(f)), sum(space.size for space in f.dom)
    dom = [space for space in f.dom for _ in range(space.size)]
    cod = [space for space in f.cod for _ in range(space.size)]
    expected = []
    for i, source in enumerate(dom):
        total = Polynomial(base_of(source.carrier), {})
        for j, space in enumerate(cod):
            base = base_of(space.carrier)
            total = total + denoted[j].derivative(f"x{i}") * Polynomial(base, {((f"x{n + j}", 1),): base.one})
        expected.append(total)
    return [(polynomials(reverse_derivative(f)), tuple(expected))]


def _by_jax(f: Diagram) -> Diagram:
    """The vector-Jacobian product of what f computes, by JAX alone."""
    from catlearn.functors.jax import Jax
    from catlearn.generators.opaque import JaxFunction

    run, ready = Jax("float64"), plain(f)
    opaque = JaxFunction(lambda *xs: run.interpret(ready, xs), f.dom, f.cod, "f")
    return opaque.reversed or opaque.diagram


def applicable(law: Law, category: Category) -> bool:
    """Whether a law is typed in a category: it has the operations, and its values are their own changes if need be."""
    if "own" in law.needs and not category.own_changes:
        return False
    return all(space.carrier.has(need) for need in law.needs if need != "own" for space in category.spaces)


def check(
    thing: Category | Carrier | Diagram, *, laws: Iterable[Law] | None = None, examples: int = 25, strict: bool = False
) -> Report:
    """Check laws on a category, on the polynomials over a semiring, or on what a diagram's generators make.

    `laws` are all that apply if none are given; `examples` a law. With `strict`, raises `LawError` at once if anything
    is not as declared. Raises `OperationError` for a thing that it cannot check.
    """
    category = _category(thing)
    report = Report(category.name)
    for law in _chosen(laws):
        if applicable(law, category):
            report.rows.append(_row(law, category, examples))
    if strict:
        report.raise_if_wrong()
    return report


def tests(thing: Category | Carrier | Diagram, *, laws: Iterable[Law] | None = None, examples: int = 25) -> Any:
    """A pytest test of the laws that apply to a thing, one case a law, named by its identifier.

    In a test file: `test_laws = laws.tests(my_generator.diagram)`. Needs pytest.
    """
    import pytest

    category = _category(thing)
    typed = [law for law in _chosen(laws) if applicable(law, category)]

    @pytest.mark.parametrize("law", typed, ids=[law.identifier for law in typed])
    def test_law(law: Law) -> None:
        check(category, laws=[law], examples=examples, strict=True)

    return test_law


tests.__dict__["__test__"] = False  # pytest must not take it for a test


def _chosen(laws: Iterable[Law] | None) -> tuple[Law, ...]:
    return (*CATALOGUE, derivative_law()) if laws is None else tuple(laws)


def _category(thing: Any) -> Category:
    if isinstance(thing, Category):
        return thing
    if isinstance(thing, Carrier):
        thing.require("add")
        return polynomial_category(thing)
    if isinstance(thing, Diagram):
        gates = tuple(dict.fromkeys(generator.diagram for generator, inputs, _ in thing.nodes if inputs))
        spaces = tuple(dict.fromkeys(space for gate in gates for space in (*gate.dom, *gate.cod)))
        if not gates:
            raise OperationError("the diagram has no generator to check; give one with a node")
        rounds = any(space.carrier == REAL for space in spaces)
        return Category("the diagram", spaces, gates, rounds)
    raise OperationError(f"check takes a Category, a semiring or a Diagram (a generator's is g.diagram); got {thing!r}")


def _row(law: Law, category: Category, examples: int) -> Row:
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    found: list[str] = []
    count = 0

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
    )
    @given(st.data())
    def holds(data: Any) -> None:
        nonlocal count
        count += 1
        values = _draw(data.draw, law, category)
        try:
            for left, right in law.sides(**values):
                _compare(left, right, category, data.draw)
        except _DifferenceError as difference:
            found.append(_counterexample(law, values, str(difference)))
            raise

    started = time.perf_counter()
    try:
        holds()
        broken = False
    except _DifferenceError:
        broken = True
    declared = law.identifier in category.breaks
    status = {
        (False, False): "holds to rounding" if category.rounds else "holds",
        (True, True): "broken as declared",
    }.get((broken, declared), "BROKEN")
    text = (
        found[-1]
        if broken
        else ""
        if not declared
        else f"declared broken ({category.breaks[law.identifier]}), yet it holds"
    )
    return Row(law, status, count, time.perf_counter() - started, text)


def _draw(draw: Any, law: Law, category: Category) -> dict[str, Any]:
    """Values for the variables of a law, and for the objects that its sides name."""
    letters = {letter: draw(objects(category)) for letter in law.objects}
    makers: dict[str, Any] = {"->": diagrams, "=>": lenses, "-o": linear_maps}
    values: dict[str, Any] = {}
    for variable in law.typed:
        dom, cod = (sum((letters[x] for x in side), ()) for side in (variable.dom, variable.cod))
        values[variable.name] = draw(makers[variable.kind](category, dom, cod))
    wanted = inspect.signature(law.sides).parameters
    values.update({letter: spaces for letter, spaces in letters.items() if letter in wanted})
    return values


def _compare(left: Any, right: Any, category: Category, draw: Any) -> None:
    if isinstance(left, Para):
        if left.parameter != right.parameter:
            raise _DifferenceError(f"the parameters are {left.parameter} and {right.parameter}")
        left, right = left.morphism, right.morphism
    if isinstance(left, Lens):
        _compare(left.get, right.get, category, draw)
        left, right = left.put, right.put
    if not isinstance(left, Diagram):
        if left != right:
            raise _DifferenceError(f"the left side is {left} and the right side {right}")
        return
    if (left.dom, left.cod) != (right.dom, right.cod):
        raise _DifferenceError(f"the left side is {left} and the right side {right}")
    if left == right:
        return
    if category.rounds:
        _compare_numbers(left, right, draw)
    elif polynomials(left) != polynomials(right):
        raise _DifferenceError(
            f"as polynomials the left side is {polynomials(left)} and the right side {polynomials(right)}"
        )


def _compare_numbers(left: Diagram, right: Diagram, draw: Any) -> None:
    from catlearn.functors.jax import Jax

    run = Jax("float64")
    point = [draw(arrays(space)) for space in left.dom]
    results = []
    for side in (left, right):
        values = run(side)(*point)
        results.append([np.asarray(v) for v in (values if isinstance(values, tuple) else (values,))])
    for mine, other in zip(*results, strict=True):
        if not np.allclose(mine, other, rtol=1e-9, atol=1e-9):
            at = ", ".join(str(value.tolist()) for value in point)
            raise _DifferenceError(f"at {at} the left side is {mine.tolist()} and the right side {other.tolist()}")


def _counterexample(law: Law, values: dict[str, Any], difference: str) -> str:
    lines = [f"{law.identifier}: {law.statement}"]
    for name, value in values.items():
        lines.append(f"  {name} = {_shown(value)}")
    return "\n".join([*lines, f"  {difference}"])


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
