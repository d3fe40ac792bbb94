"""The category Learn: learners that hand on requests, and the functor from parametrised maps to it.

A learner A -> B is a parameter object P and three maps, over any carriers: what it computes, what it becomes when told
that b was wanted at a, and what it would rather have been given (LRN.def).

    implement : P x A -> B          update : P x A x B -> P          request : P x A x B -> A

    (P, I, U, r) ; (Q, J, V, s)  at (p, q, a, c), with b = I(p, a):                              (LRN.comp, LRN.tensor)
        implement J(q, b)      update (U(p, a, s(q, b, c)), V(q, b, c))      request r(p, a, s(q, b, c))

The parameter of the earlier learner comes first, unlike Para's. What travels backward is a value of A, a target, and no
cotangent: Learn is Para of the lenses (A, A) -> (B, B), after P x Q <-> Q x P (LRN.para, `to_lens`, `from_lens`).

For an error e : R x R -> R whose slope d1 e(x, -) is invertible for each x, and a rate h, every parametrised map is a
learner, and composites are composites (LRN.functor):

    update p - h grad_p E        request inverse(a, grad_a E)        E(p, a, b) = sum_j e(I(p, a)_j, b_j)

Only the slope matters, so with the slope x - y, that of the quadratic error, the functor lives over every ring.

>>> from catlearn.para import parametrised
>>> from catlearn.semirings import REAL
>>> number = Space((), REAL)
>>> scale = gradient_learner(parametrised("scale", {"w": number}, number, lambda w, x: w * x), quadratic, 0.5)
>>> twice = scale >> scale
>>> [float(value) for value in twice.update(2.0, 3.0, 1.0, 7.0)], float(twice.request(2.0, 3.0, 1.0, 7.0))
([3.5, 4.0], 7.0)

Source: Fong, Spivak and Tuyéras, Backprop as functor (1711.10455); Fong and Johnson, Lenses and learners (1903.03671).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from catlearn import losses
from catlearn.diagram import Diagram, copy, discard, identity, permute, wiring
from catlearn.errors import CompositionError, InputError, OperationError
from catlearn.frozen import Frozen
from catlearn.generators.surrogate import surrogate
from catlearn.learner import Learner, supervised
from catlearn.lens import Lens, Sides
from catlearn.optimisers import ga
from catlearn.para import Para
from catlearn.parameters import Filled, Parameter, Signature
from catlearn.reverse import reverse_derivative
from catlearn.semirings import REAL, Z2, Carrier
from catlearn.space import Object, Space, as_object, first_difference
from catlearn.substitution import plain
from catlearn.systems.discrepancy import Discrepancy, discrepancy, hyperbolic, logistic, quadratic, reason
from catlearn.tracing import Wire, trace

__all__ = [
    "Discrepancy",
    "LearnMorphism",
    "discrepancy",
    "from_lens",
    "gradient_learner",
    "hyperbolic",
    "logistic",
    "quadratic",
]


@dataclass(frozen=True)
class LearnMorphism:
    """The learner (P, implement, update, request): A -> B; `signature` names the parameters, and how they start.

    Two are equal if their parameters and their three maps are; names are not compared. Raises `CompositionError` where
    a map has another type.
    """

    parameter: Object
    implement: Diagram
    update: Diagram
    request: Diagram
    signature: Signature = field(default_factory=Signature, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameter", as_object(self.parameter))
        P, came = self.parameter, self.implement.dom
        if came[: len(P)] != P:
            raise first_difference(P, came[: len(P)], "a learner implements P x A -> B, but its P and what comes first")
        datum = P + self.dom + self.cod
        for name, part, cod in (("update", self.update, P), ("request", self.request, self.dom)):
            if part.dom != datum:
                raise first_difference(datum, part.dom, f"the {name} of a learner takes P x A x B, but the two")
            if part.cod != cod:
                raise first_difference(cod, part.cod, f"the {name} of a learner gives something else, wanted and given")
        if not self.signature.parameters and P:
            own = tuple(Parameter(f"p{k}", space) for k, space in enumerate(P))
            object.__setattr__(self, "signature", Signature.layer(own, "learner", self.dom, self.cod))

    @property
    def dom(self) -> Object:
        """A."""
        return self.implement.dom[len(self.parameter) :]

    @property
    def cod(self) -> Object:
        """B."""
        return self.implement.cod

    def __str__(self) -> str:
        return f"learner of {', '.join(self.signature.names) or 'nothing'}, {self.implement}"

    @classmethod
    def identity(cls, spaces: Space | Iterable[Space] = ()) -> LearnMorphism:
        """(1, 1_A, !, pi_1): it asks for what is asked of it (LRN.id)."""
        A = as_object(spaces)
        return cls((), identity(A), discard(A + A), discard(A) @ identity(A))

    def __rshift__(self, other: LearnMorphism) -> LearnMorphism:
        if not isinstance(other, LearnMorphism):
            return NotImplemented
        if self.cod != other.dom:
            raise first_difference(
                self.cod, other.dom, "cannot compose learners, the left codomain and the right domain"
            )
        P, Q, A, B, C = self.parameter, other.parameter, self.dom, self.cod, other.cod
        one, inner = identity(P + A), Q + B + C
        middle = permute([P, Q, A, C], [0, 2, 1, 0, 2, 3]) >> (one @ identity(Q) @ self.implement @ identity(C))
        both = middle >> (one @ copy(inner)) >> (one @ other.request @ other.update)
        return LearnMorphism(
            P + Q,
            permute([P, Q, A], [1, 0, 2]) >> (identity(Q) @ self.implement) >> other.implement,
            both >> (self.update @ identity(Q)),
            middle >> (one @ other.request) >> self.request,
            self.signature.beside(other.signature),
        )

    def __matmul__(self, other: LearnMorphism) -> LearnMorphism:
        if not isinstance(other, LearnMorphism):
            return NotImplemented
        outside = [self.parameter, other.parameter, self.dom, other.dom]
        datum = permute([*outside, self.cod, other.cod], [0, 2, 4, 1, 3, 5])
        return LearnMorphism(
            self.parameter + other.parameter,
            permute(outside, [0, 2, 1, 3]) >> (self.implement @ other.implement),
            datum >> (self.update @ other.update),
            datum >> (self.request @ other.request),
            self.signature.beside(other.signature),
        )

    def to_lens(self) -> Para[Lens]:
        """The parametrised lens (P, P) x (A, A) -> (B, B) with get I and put <U, r> (LRN.para)."""
        P, A = self.parameter, self.dom
        put = copy(P + A + self.cod) >> (self.update @ self.request)
        return Para(Sides(P, P), Sides(A, A), Lens(self.implement, put), self.signature)

    def initial(self, seed: int = 0) -> tuple[Any, ...]:
        """A starting value of every parameter wire, in order."""
        return Para(self.parameter, self.dom, self.implement, self.signature).initial(seed)

    def starting_at(self, values: Iterable[Any]) -> LearnMorphism:
        """The same learner, its parameters starting at those values, in order: one that was trained before.

        Raises `InputError` where there are more or fewer, or one has another shape.
        """
        arrays = [np.asarray(value) for value in values]
        if [array.shape for array in arrays] != [space.shape for space in self.parameter]:
            raise InputError(
                f"the parameters have the shapes {[space.shape for space in self.parameter]}; "
                f"got {[array.shape for array in arrays]}: give those of {', '.join(self.signature.names) or 'none'}"
            )
        pairs = zip(self.signature.parameters, arrays, strict=True)
        started = tuple(replace(parameter, initialise=Filled(Frozen(array))) for parameter, array in pairs)
        return replace(self, signature=replace(self.signature, parameters=started))

    def to_model(self) -> Para[Diagram]:
        """The parametrised map that computes I, and whose reverse hands on changes: what is asked minus what is.

            R(p, a, d) = (U(p, a, b) - p, r(p, a, b) - a)    where b = I(p, a) + d

        This is a functor to Para of diagrams (with the parameters in Learn's order), so all that trains a model trains
        a learner. Raises `OperationError` where values cannot be subtracted, or are not their own changes.
        """
        P, A, B = self.parameter, self.dom, self.cod
        _needs_differences(P + A + B, "a learner as a model")

        def put(*wires: Wire) -> list[Wire]:
            now, change = wires[: len(P + A)], wires[len(P + A) :]
            wanted = [b + d for b, d in zip(_outputs(self.implement, *now), change, strict=True)]
            asked = [*_outputs(self.update, *now, *wanted), *_outputs(self.request, *now, *wanted)]
            return [new - old for new, old in zip(asked, now, strict=True)]

        node = surrogate("learner", self.implement, trace(P + A + B, put))
        return Para(P, A, node, self.signature)

    def to_learner(self) -> Learner:
        """The `Learner` whose step on a datum (a, b) is this one's update, to be given to `fit`, one row a step.

        On a batch every sample asks for its share of the way, and what they ask of a parameter is added up.
        Raises `OperationError` as `to_model` does.
        """
        model = self.to_model()
        carriers = {space.carrier for space in self.cod}
        ring = losses.exclusive_or if carriers == {Z2} else losses.difference
        return supervised(model, losses.quadratic if carriers <= {REAL} else ring, ga())


def from_lens(lens: Para[Lens]) -> LearnMorphism:
    """The learner of a parametrised lens (P, P) x (A, A) -> (B, B): the inverse of `to_lens` (LRN.para).

    Raises `CompositionError` where what travels backward is not what travels forward.
    """
    for what, sides in (("parameter", lens.parameter), ("domain", lens.dom), ("codomain", lens.cod)):
        if not isinstance(sides, Sides):
            raise CompositionError(f"from_lens takes a parametrised lens, such as model.lens(); its {what} is {sides}")
        if sides.forward != sides.backward:
            raise first_difference(
                sides.forward, sides.backward, f"a learner asks for values, but the {what}, forward and backward"
            )
    P, whole = lens.parameter.forward, lens.morphism
    ends = range(len(P)), range(len(P), len(whole.put.cod))
    update, request = (whole.put.select(wires) for wires in ends)
    return LearnMorphism(P, whole.get, update, request, lens.signature)


def _outputs(f: Diagram, *wires: Wire) -> list[Wire]:
    result = f(*wires)
    return list(result) if isinstance(result, tuple) else [result]


def gradient_learner(
    model: Para[Diagram] | Diagram, error: Discrepancy = quadratic, rate: float = 1.0
) -> LearnMorphism:
    """The learner of a parametrised map by gradient descent on an error: the functor Para -> Learn (LRN.functor).

    The gradients are R's, so the model may be any over REAL, and with `quadratic` over any ring; a frozen parameter
    stays. The parameters come in Learn's order, the earlier layer's first: (f >> g) and (f) >> (g) have equal learners.

    Raises `OperationError` for a slope that is not invertible, values without subtraction, and a rate that is not a
    positive number of the carrier.
    """
    if not isinstance(model, (Para, Diagram)):
        raise OperationError(f"gradient_learner takes a Para such as layers.dense(4, 3), or a Diagram; got {model!r}")
    f = model if isinstance(model, Para) else Para.of(model)
    if not isinstance(error, Discrepancy):
        raise OperationError(reason(error))
    roles = [parameter.role for parameter in f.parameters] or ["parameter"] * len(f.parameter)
    strange = [n for n, role in zip(f.names, roles, strict=False) if role not in ("parameter", "frozen")]
    if strange:
        raise OperationError(
            f"a learner's update is a gradient step; {strange[0]} is a key or a statistic, without one"
        )
    f, roles = _earlier_first(f, roles)
    P, A, B = f.parameter, f.dom, f.cod
    _needs_differences(P + A + B, "a learner by gradient descent")
    carriers = {space.carrier for space in P + A + B}
    _check_rate(rate, carriers)
    for carrier in carriers:
        error.check(carrier)
    get, back = plain(f.diagram), reverse_derivative(f.diagram)

    def gradient(*wires: Wire) -> list[Wire]:
        now, wanted = wires[: len(P + A)], wires[len(P + A) :]
        slopes = [error.slope(guess, b) for guess, b in zip(_outputs(get, *now), wanted, strict=True)]
        return _outputs(back, *now, *slopes)

    def update(*wires: Wire) -> list[Wire]:
        moved = zip(roles, wires, gradient(*wires), strict=False)
        return [p if role == "frozen" else p - _times(rate, g) for role, p, g in moved]

    def request(*wires: Wire) -> list[Wire]:
        inputs = zip(wires[len(P) : len(P + A)], gradient(*wires)[len(P) :], strict=True)
        return [error.inverse(a, g) for a, g in inputs]

    return LearnMorphism(P, get, trace(P + A + B, update), trace(P + A + B, request), f.signature)


def _earlier_first(f: Para[Diagram], roles: list[str]) -> tuple[Para[Diagram], list[str]]:
    """The model with its parameters layer by layer as they are applied, and their roles in that order."""
    if not f.parameters:
        return f, roles
    order = sorted(range(len(roles)), key=lambda k: (int(f.signature.numbers[k]), k))
    back = wiring([f.parameter[k] for k in order], [order.index(k) for k in range(len(order))])
    return f.reparametrise(back, f.signature.take(order)), [roles[k] for k in order]


def _needs_differences(spaces: Object, what: str) -> None:
    for space in spaces:
        if not space.carrier.has("subtract") or space.changes != space:
            raise OperationError(
                f"{what} needs values that can be subtracted, their own changes, as over REAL or a ring; "
                f"it has a wire in {space}"
            )


def _times(rate: float, g: Wire) -> Wire:
    return g if rate == 1 else g * (float(rate) if g.space.carrier == REAL else int(rate))


def _check_rate(rate: Any, carriers: set[Carrier]) -> None:
    number = isinstance(rate, (int, float, np.number)) and not isinstance(rate, bool) and math.isfinite(rate)
    if not number or rate <= 0 or (not carriers <= {REAL} and int(rate) != rate):
        wanted = "a positive number" if carriers <= {REAL} else "a whole positive number, a multiple of one"
        raise OperationError(f"the rate is {wanted}; got {rate!r}")
