"""What `catlearn laws` does: choose categories and laws, check them, show a table or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from catlearn import losses
from catlearn.diagram import Diagram, Generator
from catlearn.errors import ModelFileError
from catlearn.laws.catalogue import CATALOGUE, by_identifier
from catlearn.laws.categories import CATEGORIES, category
from catlearn.laws.checking import Report, Row, check
from catlearn.laws.law import Law
from catlearn.laws.strategies import Category
from catlearn.lens import Lens
from catlearn.losses import Loss
from catlearn.optimisers import Optimiser
from catlearn.semirings import Semiring

__all__ = ["as_json", "as_table", "chosen_laws", "chosen_things", "run", "things_in"]


def chosen_laws(identifiers: Sequence[str]) -> list[Law] | None:
    """The laws of those identifiers, or None for all; raises `UnknownNameError` for an unknown one."""
    return [by_identifier(name) for name in identifiers] or None


def chosen_things(names: Sequence[str], defined: Mapping[str, Any] | None) -> dict[str, Any]:
    """What to check: the categories of those names, or what a file defined, or all shipped categories."""
    if defined is not None:
        return dict(defined)
    return {name: category(name) for name in names} if names else dict(CATEGORIES)


def things_in(names: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The categories, semirings, generators, diagrams, lenses, losses and optimisers that a file defined at top level.

    Raises `ModelFileError` where there are none.
    """
    imported = {id(value) for value in CATEGORIES.values()}
    shipped = {id(value) for value in vars(losses).values()}
    found: dict[str, Any] = {}
    for name, value in names.items():
        if name.startswith("_") or id(value) in imported:
            continue
        own_class = type(value).__module__ == names.get("__name__")
        own_thing = isinstance(value, (Loss, Optimiser)) and id(value) not in shipped
        own_semiring = isinstance(value, Semiring) and own_class
        if isinstance(value, (Category, Diagram, Generator, Lens)) or own_thing or own_semiring:
            found[name] = value
    if not found:
        raise ModelFileError(
            f"{path} defines nothing to check: it needs a Category, a semiring, a generator, a diagram, a lens, a loss "
            "or an optimiser at top level"
        )
    return found


def run(
    things: Mapping[str, Any], laws: Sequence[Law] | None, examples: int, jobs: int = 1
) -> list[tuple[str, Report]]:
    """The report of each thing, by name.

    Shipped categories are checked by `jobs` processes, a part of the catalogue at a time; what a file defines, here.
    """
    chosen = CATALOGUE if laws is None else laws
    shipped = all(CATEGORIES.get(name) is thing for name, thing in things.items())
    if jobs < 2 or not shipped or len(chosen) * len(things) < 200:
        return [(name, check(thing, laws=chosen, examples=examples)) for name, thing in things.items()]
    parts = [
        (name, [law.identifier for law in chosen[k : k + 30]]) for name in things for k in range(0, len(chosen), 30)
    ]
    reports = {name: Report(name) for name in things}
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        for (name, _), rows in zip(parts, pool.map(_part, parts, repeat(examples)), strict=True):
            for identifier, *rest in rows:
                reports[name].rows.append(Row(by_identifier(identifier), *rest))
    return list(reports.items())


def _part(part: tuple[str, list[str]], examples: int) -> list[tuple[Any, ...]]:
    """The rows of some laws on a shipped category, each law by its identifier: laws do not travel between processes."""
    name, identifiers = part
    report = check(category(name), laws=[by_identifier(each) for each in identifiers], examples=examples)
    return [
        (row.law.identifier, row.status, row.examples, row.seconds, row.counterexample, row.note) for row in report.rows
    ]


def as_table(reports: Sequence[tuple[str, Report]]) -> str:
    """The table of each thing, under its name, and the totals."""
    rows = [row for _, report in reports for row in report.rows]
    wrong = sum(row.wrong for row in rows)
    totals = (
        f"{len({row.law.identifier for row in rows})} laws, {len(reports)} categories, {len(rows)} checks, "
        f"{sum(row.examples for row in rows)} examples, {sum(row.seconds for row in rows):.1f} s: "
        f"{f'{wrong} WRONG' if wrong else 'all as declared'}"
    )
    return "\n\n".join([*(str(replace(report, category=name)) for name, report in reports), totals])


def as_json(reports: Sequence[tuple[str, Report]]) -> str:
    """One JSON object: for each category its laws, and whether all is as declared."""
    categories = {
        name: [
            {
                "law": row.law.identifier,
                "status": row.status,
                "examples": row.examples,
                "seconds": row.seconds,
                "compared": row.note or None,
                "counterexample": row.counterexample or None,
            }
            for row in report.rows
        ]
        for name, report in reports
    }
    return json.dumps({"as_declared": not any(report.wrong for _, report in reports), "categories": categories})
