"""The catalogue: every law, in the order in which they build on one another.

>>> by_identifier("RD.5").statement
'R[f ; g](a, z) = R[f](a, R[g](f(a), z))'
"""

from __future__ import annotations

from catlearn.errors import UnknownNameError, nearest
from catlearn.laws.ascent import ASCENT
from catlearn.laws.backward import BACKWARD
from catlearn.laws.causal import CAUSAL
from catlearn.laws.circuits import CIRCUITS
from catlearn.laws.delayed import DELAYED
from catlearn.laws.derivatives import DERIVATIVES
from catlearn.laws.estimates import ESTIMATES
from catlearn.laws.instances import INSTANCES
from catlearn.laws.law import Law
from catlearn.laws.learn import LEARN
from catlearn.laws.learners import LEARNERS
from catlearn.laws.lenses import LENSES
from catlearn.laws.modes import MODES
from catlearn.laws.moore import MOORE
from catlearn.laws.objectives import OBJECTIVES
from catlearn.laws.optics import OPTICS
from catlearn.laws.parametrised import PARAMETRISED
from catlearn.laws.schema import SCHEMA
from catlearn.laws.smoothing import SMOOTHING
from catlearn.laws.updates import UPDATES
from catlearn.laws.votes import VOTES

__all__ = ["CATALOGUE", "by_identifier"]

CATALOGUE: tuple[Law, ...] = (
    *DERIVATIVES,
    *INSTANCES,
    *LENSES,
    *OPTICS,
    *PARAMETRISED,
    *OBJECTIVES,
    *UPDATES,
    *LEARNERS,
    *ASCENT,
    *CIRCUITS,
    *VOTES,
    *LEARN,
    *MOORE,
    *CAUSAL,
    *DELAYED,
    *MODES,
    *SCHEMA,
    *SMOOTHING,
    *BACKWARD,
    *ESTIMATES,
)
"""The laws; each is checked on every category that can type it."""


def by_identifier(identifier: str) -> Law:
    """The law of that identifier; raises `UnknownNameError` naming the nearest."""
    known: dict[str, Law] = {law.identifier: law for law in CATALOGUE}
    if identifier not in known:
        raise UnknownNameError(f"no law is called {identifier!r}: {nearest(identifier, known)}")
    return known[identifier]
