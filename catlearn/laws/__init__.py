"""Laws as data, checked on any category with random well-typed morphisms and shrunk counterexamples.

    from catlearn import laws
    laws.check(laws.CATEGORIES["Z4"]).raise_if_wrong()

Checking needs Hypothesis (the extra `laws`).
"""

from catlearn.errors import CatlearnError

try:
    import hypothesis as _hypothesis  # noqa: F401
except ModuleNotFoundError as missing:
    raise CatlearnError("checking laws needs Hypothesis: pip install 'categorical-learning[laws]'") from missing

from catlearn.laws.catalogue import CATALOGUE, by_identifier
from catlearn.laws.categories import CATEGORIES, category, polynomial_category
from catlearn.laws.check import LawError, Report, Row, applicable, check, derivative_law
from catlearn.laws.law import Law, Variable
from catlearn.laws.strategies import Category

__all__ = [
    "CATALOGUE",
    "CATEGORIES",
    "Category",
    "Law",
    "LawError",
    "Report",
    "Row",
    "Variable",
    "applicable",
    "by_identifier",
    "category",
    "check",
    "derivative_law",
    "polynomial_category",
]
