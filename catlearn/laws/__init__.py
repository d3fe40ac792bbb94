"""Laws as data, checked on any category with random well-typed morphisms and shrunk counterexamples.

    from catlearn import laws
    laws.check(laws.CATEGORIES["Z4"]).raise_if_wrong()

Checking needs Hypothesis (the extra `laws`); it is loaded when first needed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catlearn.laws.catalogue import CATALOGUE, by_identifier
    from catlearn.laws.categories import CATEGORIES, category, polynomial_category
    from catlearn.laws.checking import LawError, Report, Row, applicable, check, tests
    from catlearn.laws.law import Law, Pair, Variable, at_points, differ, formula
    from catlearn.laws.strategies import Category

__all__ = [
    "CATALOGUE",
    "CATEGORIES",
    "Category",
    "Law",
    "LawError",
    "Pair",
    "Report",
    "Row",
    "Variable",
    "applicable",
    "at_points",
    "by_identifier",
    "category",
    "check",
    "differ",
    "formula",
    "polynomial_category",
    "tests",
]

_HOMES = {
    "catalogue": ("CATALOGUE", "by_identifier"),
    "categories": ("CATEGORIES", "category", "polynomial_category"),
    "checking": ("LawError", "Report", "Row", "applicable", "check", "tests"),
    "law": ("Law", "Pair", "Variable", "at_points", "differ", "formula"),
    "strategies": ("Category",),
}


def __getattr__(name: str) -> Any:
    """Modules are loaded when something of theirs is first asked for."""
    for home, names in _HOMES.items():
        if name in names:
            globals()[name] = value = getattr(import_module(f"catlearn.laws.{home}"), name)
            return value
    raise AttributeError(f"module 'catlearn.laws' has no attribute {name!r}")
