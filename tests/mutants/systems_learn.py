"""Wrong learners of Learn, wrong polynomials and wrong machines."""

from __future__ import annotations

from typing import Any

from catlearn.laws import CATEGORIES, Category
from catlearn.systems import discrepancy, learn, moore, poly
from catlearn.systems.discrepancy import Discrepancy, hyperbolic, quadratic
from catlearn.systems.learn import LearnMorphism
from catlearn.systems.poly import PolynomialFunctor, PolynomialMap
from mutants import categories as c
from mutants.patching import Mutant, edit

__all__ = ["SYSTEMS_LEARN"]


def smooth() -> Category:
    """The shipped smooth category, for closed statements about the reals too."""
    return CATEGORIES["SMOOTH"]


def integers() -> Category:
    """The shipped category of the integers, for closed statements."""
    return CATEGORIES["INTEGERS"]


def _m(name: str, owner: Any, attribute: str, change: Any, *where: Any) -> Mutant:
    return Mutant(
        name,
        "moore" if name.startswith(("poly", "machine")) else "learn",
        ((owner, attribute, change),),
        where or (smooth, c.z4),
    )


def _less_hom(q: PolynomialFunctor, r: PolynomialFunctor) -> PolynomialFunctor:
    return PolynomialFunctor(tuple(sum(r.directions[i] for i in f.positions[1:]) for f in poly.maps(q, r)))


SYSTEMS_LEARN: tuple[Mutant, ...] = (
    _m("Learn: the later parameter first", LearnMorphism, "__rshift__", edit(
        "permute([P, Q, A], [1, 0, 2])", "permute([P, Q, A], [0, 1, 2] if P == Q else [1, 0, 2])")),
    _m("Learn: asks with what it made", LearnMorphism, "__rshift__", edit(
        "middle >> (one @ other.request) >> self.request",
        "middle >> (one @ permute([Q, B, C], [1])) >> self.request")),
    _m("Learn: updates with what it made", LearnMorphism, "__rshift__", edit(
        "both >> (self.update @ identity(Q))",
        "(middle >> (one @ copy(inner)) >> (one @ permute([Q, B, C], [1]) @ other.update))"
        " >> (self.update @ identity(Q))"
    )),
    _m("Learn: the identity asks for what it is given", LearnMorphism, "identity", edit(
        "discard(A) @ identity(A)", "identity(A) @ discard(A)")),
    _m("Learn: a tensor with its targets exchanged", LearnMorphism, "__matmul__", edit(
        "permute([*outside, self.cod, other.cod], [0, 2, 4, 1, 3, 5])",
        "permute([*outside, self.cod, other.cod],"
        " [0, 2, 5, 1, 3, 4] if self.cod == other.cod else [0, 2, 4, 1, 3, 5])")),
    _m("Learn: from lens, the put's ends exchanged", learn, "from_lens", edit(
        "range(len(P)), range(len(P), len(whole.put.cod))",
        "(range(len(P)), range(len(P), len(whole.put.cod)))[:: -1 if whole.put.cod == P + P else 1]")),
    _m("functor: climbs", learn, "gradient_learner", edit("p - _times(rate, g)", "p + _times(rate, g)")),
    _m("functor: no rate", learn, "_times", lambda rate, g: g, smooth),
    _m("functor: asks for the gradient", learn, "gradient_learner", edit("error.inverse(a, g)", "g")),
    _m("functor: parameters in Para's order", learn, "_earlier_first", lambda f, roles: (f, roles)),
    Mutant("hyperbolic: asks as the quadratic", "learn", (
        (discrepancy, "hyperbolic", Discrepancy("hyperbolic", hyperbolic.slope, quadratic.inverse)),
        (Discrepancy, "check", lambda self, carrier=None: None)), (smooth,)),
    _m("slope: turned", discrepancy, "_difference", edit("x - y", "y - x"), smooth),
    _m("poly: directions forward", PolynomialMap, "__rshift__", edit(
        "tuple(row[d] for d in other.directions[i])", "tuple(row[:1] * len(other.directions[i]))"), c.z2),
    _m("poly: tensor adds", PolynomialFunctor, "__matmul__", edit("a * b", "a + b"), integers),
    _m("poly: hom without its first direction", poly, "internal_hom", _less_hom, integers),
    _m("poly: steps and requests exchanged", poly, "positions_and_steps", edit("d // n for row", "d % n for row"),
       c.z2),
    _m("poly: put read the other way", poly, "polynomial_map", edit("back[i * m : (i + 1) * m]", "back[i::n]"), c.z2),
    _m("machine: target before input", moore, "machine", edit(
        "permute([learner.state, inputs, targets], [0, 2, 1])",
        "permute([learner.state, inputs, targets], [0, 1, 2] if inputs == targets else [0, 2, 1])"), c.z4),
    _m("machine: outputs what it asks for", moore, "machine", edit(
        "learner.update, learner.implement, learner.request",
        "learner.update, learner.implement, learner.update if learner.update.cod == learner.dom else learner.request"),
       c.z2),
)  # fmt: skip
"""Mutants of Learn, of polynomials and of machines."""
