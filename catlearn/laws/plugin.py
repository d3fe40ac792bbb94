"""The pytest plugin: `--law RD.5` runs that law's tests alone, and the summary lists the laws that were checked.

It is loaded by pytest wherever catlearn is installed, and knows of the tests that `catlearn.laws.tests` makes and of
those marked `@pytest.mark.law("RD.5")`.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from catlearn.errors import UnknownNameError

__all__ = ["pytest_addoption", "pytest_collection_modifyitems", "pytest_configure", "pytest_terminal_summary"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--law`."""
    group = parser.getgroup("catlearn", "categorical laws")
    group.addoption("--law", action="append", default=[], metavar="ID", help="only the tests of that law, such as RD.5")


def pytest_configure(config: pytest.Config) -> None:
    """Registers the mark, and refuses an unknown law."""
    config.addinivalue_line("markers", "law(identifier): the test is about that law of catlearn's catalogue")
    wanted = config.getoption("--law")
    if wanted:
        from catlearn.laws.catalogue import by_identifier

        for identifier in wanted:
            try:
                by_identifier(identifier)
            except UnknownNameError as mistake:
                raise pytest.UsageError(str(mistake)) from mistake


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves only the tests of the laws that are wanted."""
    wanted = set(config.getoption("--law"))
    if wanted:
        chosen = [item for item in items if wanted & {m.args[0] for m in item.iter_markers("law") if m.args}]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line for each thing whose laws were checked: how many laws, how they stand, how many examples."""
    things: dict[str, list[tuple[str, str, int]]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "call":
                for key, value in getattr(report, "user_properties", ()):
                    if key == "catlearn law":
                        name, identifier, status, examples = value
                        things.setdefault(name, []).append((identifier, status, examples))
    if not things:
        return
    terminalreporter.section("laws")
    for name, rows in things.items():
        counted = Counter(status for _, status, _ in rows)
        standing = ", ".join(f"{count} {status}" for status, count in counted.items())
        wrong = [identifier for identifier, status, _ in rows if status == "BROKEN"]
        terminalreporter.write_line(
            f"{name}: {len(rows)} laws, {standing}, {sum(n for _, _, n in rows)} examples"
            + (f"; broken: {', '.join(wrong)}" if wrong else "")
        )
