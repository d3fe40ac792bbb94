"""Checking laws: random well-typed morphisms, the smallest counterexample, a report.

    report = check(CATEGORIES["Z4"])        # or a generator, diagram, lens, loss, optimiser, semiring
    report.raise_if_wrong()

A law that a category declares broken must be seen to break, and any other must hold.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from catlearn.errors import CatlearnError, OperationError
from catlearn.laws.catalogue import CATALOGUE
from catlearn.laws.comparing import DifferenceError, compare, counterexample
from catlearn.laws.law import Law, Pair
from catlearn.laws.strategies import Category, assignment
from catlearn.laws.things import as_category
from catlearn.semirings import Carrier

__all__ = ["LawError", "Report", "Row", "applicable", "check", "tests"]


class LawError(CatlearnError, AssertionError):
    """A law does not hold where it is declared to hold, or holds where it is declared broken."""


@dataclass
class Row:
    """One law on one category: `status` is "holds", "holds to rounding", "broken as declared" or "BROKEN".

    `note` says how its sides were compared; where it is empty, they had one canonical form, or were no diagrams.
    """

    law: Law
    status: str
    examples: int
    seconds: float
    counterexample: str = ""
    note: str = ""

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

    def __str__(self) -> str:
        """The table: a line a law, which laws were sampled instead of exhausted, and the counterexamples."""
        lines = [self.category]
        for row in self.rows:
            statement = row.law.statement if len(row.law.statement) <= 62 else row.law.statement[:59] + "..."
            lines.append(
                f"  {row.law.identifier:<16} {statement:<62} {row.status:<18} {row.examples:>5} {row.seconds:>6.1f} s"
            )
        sampled: dict[str, list[str]] = {}
        for row in self.rows:
            for note in row.note.split("; "):
                if "too many" in note:
                    sampled.setdefault(note, []).append(row.law.identifier)
        lines += [f"  {note}: {', '.join(identifiers)}" for note, identifiers in sampled.items()]
        for row in self.rows:
            if row.counterexample:
                lines += ["", f"  {row.status}", *(f"  {line}" for line in row.counterexample.splitlines())]
        return "\n".join(lines)

    def raise_if_wrong(self) -> None:
        """Raise `LawError` with the counterexamples, if there are any."""
        if self.wrong:
            raise LawError(
                "\n\n".join(f"{self.category} breaks {r.law.identifier}: {r.counterexample}" for r in self.wrong)
            )


def _carriers(name: str) -> Callable[[Category], bool]:
    return lambda category: all(space.carrier.name == name for space in category.spaces)


NEEDS: dict[str, Callable[[Category], bool]] = {
    "own": lambda category: category.own_changes,
    "real": _carriers("REAL"),
    "exact": lambda category: not category.rounds,
    "Z2": _carriers("Z2"),
    "INTEGERS": _carriers("INTEGERS"),
    "BITS": lambda category: any(space.carrier.name == "BITS" for space in category.spaces),
    "shipped": lambda category: not category.about,
}
"""What a law may need besides operations of the carriers."""


def applicable(law: Law, category: Category) -> bool:
    """Whether a law is typed in a category: it has what the law needs, and things for the law's variables."""
    kinds = {variable.kind for variable in law.typed}
    if category.about and not kinds & {*category.about}:
        return False
    if ("loss" in kinds and not category.losses) or ("optimiser" in kinds and not category.optimisers):
        return False
    if category.reverse is not _OWN and not (law.any_reverse and {"R", "D"} & {*law.names}):
        return False
    return all(_has(category, need, law) for need in law.needs)


def _has(category: Category, need: str, law: Law) -> bool:
    if need in NEEDS:
        return NEEDS[need](category)
    if not hasattr(Carrier, need):
        raise OperationError(
            f"{law.identifier} needs {need!r}, which is no operation of a carrier (add, negate, ...), and none of "
            f"{', '.join(NEEDS)}"
        )
    return all(space.carrier.has(need) for space in category.spaces)


SEARCH = 1000
"""How many examples are tried to see a law break that is declared broken; the search ends at the first."""
_OWN = Category.__dataclass_fields__["reverse"].default


def check(
    thing: Any,
    *,
    laws: Iterable[Law] | None = None,
    examples: int = 25,
    breaks: Mapping[str, str] | None = None,
    strict: bool = False,
) -> Report:
    """Check laws on a category, semiring, generator, diagram, lens, loss or optimiser.

    `laws` are all that apply if none are given; `examples` a law; `breaks` says, by identifier, which laws the thing is
    declared to break and why. With `strict`, raises `LawError` at once if anything is not as declared. Raises
    `OperationError` for a thing that it cannot check.
    """
    category = as_category(thing, breaks)
    report = Report(category.name)
    for law in CATALOGUE if laws is None else laws:
        if applicable(law, category):
            report.rows.append(_row(law, category, examples))
    if strict:
        report.raise_if_wrong()
    return report


def tests(
    thing: Any, *, laws: Iterable[Law] | None = None, examples: int = 25, breaks: Mapping[str, str] | None = None
) -> Any:
    """A pytest test of the laws that apply to a thing, one case a law, named by its identifier.

    In a test file: `test_laws = laws.tests(my_generator)`. Needs pytest, whose summary then lists the laws that were
    checked; `pytest --law RD.5` runs that law alone.
    """
    import pytest

    category = as_category(thing, breaks)
    typed = [law for law in (CATALOGUE if laws is None else laws) if applicable(law, category)]

    @pytest.mark.parametrize(
        "law", [pytest.param(law, id=law.identifier, marks=pytest.mark.law(law.identifier)) for law in typed]
    )
    def test_law(law: Law, record_property: Any) -> None:
        report = check(category, laws=[law], examples=examples)
        for row in report.rows:
            record_property("catlearn law", [category.name, law.identifier, row.status, row.examples])
        report.raise_if_wrong()

    return test_law


tests.__dict__["__test__"] = False  # pytest must not take it for a test


def _pair(sides: Any, law: Law) -> Pair:
    if isinstance(sides, Pair):
        return sides
    if not isinstance(sides, tuple) or len(sides) != 2:
        raise OperationError(f"the sides of {law.identifier} must be pairs (left, right); got {sides!r}")
    return Pair(*sides)


def _row(law: Law, category: Category, examples: int) -> Row:
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st
    from hypothesis.errors import Unsatisfiable

    declared = law.identifier in category.breaks
    found: list[str] = []
    notes: set[str] = set()
    count = 0

    @settings(
        max_examples=max(examples, SEARCH) if declared else examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
    )
    @given(st.composite(assignment)(law, category), st.data())
    def holds(values: dict[str, Any], data: Any) -> None:
        nonlocal count
        count += 1
        try:
            for sides in law.sides(**values):
                compare(_pair(sides, law), category, data.draw, notes)
        except DifferenceError as difference:
            found.append(counterexample(law, values, str(difference), category))
            raise

    started = time.perf_counter()
    broken = False
    try:
        holds()
    except DifferenceError:
        broken = True
    except Unsatisfiable:
        found.append(f"{law.identifier}: {law.statement}\n  nothing in {category.name} fits its variables")
    status = {
        (False, False): "holds to rounding" if category.rounds else "holds",
        (True, True): "broken as declared",
    }.get((broken, declared), "BROKEN")
    if found and not broken:
        status = "BROKEN"
    if broken and declared:
        found[-1] += f"\n  declared: {category.breaks[law.identifier]}"
    text = f"declared broken ({category.breaks[law.identifier]}), yet it holds" if declared and not broken else ""
    return Row(
        law, status, count, time.perf_counter() - started, found[-1] if found else text, "; ".join(sorted(notes))
    )
