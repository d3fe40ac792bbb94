"""FixedPoint: the solution x = f(p, x) of a body, found by iteration from a start, and its implicit derivative.

    body : shared x state -> state
    FixedPoint : shared x start -> state,      (p, s) |-> the limit x of f(p, f(p, ... f(p, s)))

The derivative of the solution needs none of the steps: with J the derivative of the body in the state at x,

    R(p, s, d) = (R[f](p, x, l) in p, 0)      where l = d + J^T l      (the implicit function theorem)

and l is again a fixed point, of a body linear in l that converges as the iteration itself does. So FixedPoint is
closed under R, and a solver can stand anywhere in a model. Steps end where no entry moves by more than `tolerance`
(1 + |x|); the entry is then within q / (1 - q) times that of the solution, for a contraction by q < 1. What has not
settled after `limit` steps is NaN, so training stops and names the node; where there is no NaN, an error is raised.
Over a semiring whose elements do not round the steps end where nothing moves: over MIN_PLUS such a limit is the
lengths of shortest paths.

>>> from catlearn.semirings import REAL
>>> from catlearn.space import Space
>>> x = Space((), REAL)
>>> half = fixed_point(trace((x, x), lambda p, x: 0.5 * x + p))  # x = 2 p
>>> round(float(half(3.0, 0.0)), 4), round(float(reverse_derivative(half)(3.0, 0.0, 1.0)[0]), 4)
(6.0, 2.0)

Source: Christianson, Reverse accumulation and attractive fixed points (1994).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import Any, ClassVar

import numpy as np

from catlearn.builder import Builder
from catlearn.diagram import Diagram, Generator
from catlearn.errors import CompositionError, OperationError
from catlearn.functions import add, constant, divide, subtract, zeros
from catlearn.reverse import forward_derivative, reverse_derivative
from catlearn.semirings import REAL
from catlearn.space import Object, changes, first_difference
from catlearn.substitution import evaluation, plain
from catlearn.tracing import Wire, apply_diagram, apply_generator, trace

__all__ = ["FixedPoint", "fixed_point", "newton"]


@dataclass(frozen=True)
class FixedPoint(Generator):
    """The limit of `body` in its last inputs, as many as it has outputs; the first `shared` inputs are held.

    `samples` says how many leading axes of every state count samples, each of which settles, or does not, alone.
    Raises `CompositionError` where the state that the body returns is not of the space of the state that it takes.
    """

    body: Diagram
    tolerance: float = 1e-6
    limit: int = 1000
    samples: int = 0
    by_value: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name, value, least in (("limit", self.limit, 1), ("samples", self.samples, 0)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise CompositionError(
                    f"the {name} of a fixed point must be an integer of at least {least}; got {value!r}"
                )
        number = isinstance(self.tolerance, (int, float)) and not isinstance(self.tolerance, bool)
        if not number or not 0 <= self.tolerance < inf:
            raise CompositionError(f"the tolerance of a fixed point must be a number from 0 on; got {self.tolerance!r}")
        taken = self.body.dom[self.shared :]
        if taken != self.body.cod:
            raise first_difference(taken, self.body.cod, "the states that a fixed point's body takes and returns")
        if any(len(space.shape) < self.samples for space in self.body.cod):
            raise CompositionError(f"each state needs {self.samples} axes that count samples; got {self.body.cod}")

    @property
    def shared(self) -> int:
        """How many inputs of the body are held."""
        return max(len(self.body.dom) - len(self.body.cod), 0)

    @property
    def name(self) -> str:
        return "fixed point"

    @property
    def dom(self) -> Object:
        return self.body.dom

    @property
    def cod(self) -> Object:
        return self.body.cod

    @property
    def additive(self) -> bool:
        return self.body.additive

    @property
    def lawful(self) -> bool:
        return self.body.lawful

    def _of(self, body: Diagram, samples: int = 0) -> FixedPoint:
        return FixedPoint(body, self.tolerance, self.limit, self.samples + samples)

    def computes(self) -> Diagram | None:
        return self._of(plain(self.body)).diagram

    def evaluation(self) -> Diagram | None:
        body = evaluation(self.body)
        return None if body is self.body else self._of(body).diagram

    def reverse(self) -> Diagram | None:
        n, k, d = len(self.dom), self.shared, changes(self.cod)
        known, slope = _split(reverse_derivative(self.body), n)
        m = len(known.cod)

        def step(*wires: Wire) -> list[Wire]:
            moved = _listed(slope, [*wires[:m], *wires[m + len(d) :]])[k:]
            return [add(y, more) for y, more in zip(wires[m : m + len(d)], moved, strict=True)]

        solve = self._of(trace(known.cod + d + d, step))

        def rule(*wires: Wire) -> list[Wire]:
            solution = _listed(self._of(plain(self.body)).diagram, wires[:n])
            at = _listed(known, [*wires[:k], *solution])
            adjoint = _listed(solve.diagram, [*at, *wires[n:], *wires[n:]])
            return [*_listed(slope, [*at, *adjoint])[:k], *(zeros(space) for space in d)]

        return trace(self.dom + d, rule)

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        from catlearn.generators.batching import batch
        from catlearn.generators.contraction import stack

        k = self.shared
        many = self._of(batch(self.body, size, (*flags[:k], *(True for _ in self.cod))), samples=1)
        spaces = [s.batch(size) if flag else s for s, flag in zip(self.dom, flags, strict=True)]

        def run(*wires: Wire) -> Any:
            starts = [w if f else stack(w, size) for w, f in zip(wires[k:], flags[k:], strict=True)]
            return apply_generator(many, *wires[:k], *starts)

        return trace(spaces, run)

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        xp, shared = arrays.namespace, inputs[: self.shared]

        def going(carry: Any) -> Any:
            return (carry[0] < self.limit) & ~xp.all(carry[2])

        def step(carry: Any) -> Any:
            number, state, settled = carry
            made = arrays.interpret(self.body, (*shared, *state))
            after = tuple(
                _where(xp, settled, x, xp.asarray(y, dtype=x.dtype)) for x, y in zip(state, made, strict=True)
            )
            return number + 1, after, settled | self._rests(xp, state, after)

        lead = self.cod[0].shape[: self.samples] if self.cod else ()
        start = tuple(x if hasattr(x, "dtype") else np.asarray(x, object) for x in inputs[self.shared :])
        carry: Any = (0, start, xp.full(lead, not self.cod))
        if xp is np or not any(isinstance(x, arrays.load("jax.core:Tracer")) for x in inputs):
            while going(carry):  # nothing to compile for one run
                carry = step(carry)
        else:
            carry = arrays.load("jax.lax:while_loop")(going, step, carry)
        results = tuple(self._found(xp, x, carry[2]) for x in carry[1])
        return results[0] if len(results) == 1 else results

    def _rests(self, xp: Any, before: tuple[Any, ...], after: tuple[Any, ...]) -> Any:
        """For each sample, whether no entry of any state has moved."""
        rests = True
        for space, x, y in zip(self.cod, before, after, strict=True):
            still = x == y
            if space.carrier == REAL:  # what grows without end does not rest at infinity
                still = (xp.abs(y - x) <= self.tolerance * (1 + xp.abs(y))) & xp.isfinite(y)
            rests = rests & xp.all(still, axis=tuple(range(self.samples, len(space.shape))))
        return rests

    def _found(self, xp: Any, x: Any, settled: Any) -> Any:
        """The state where it has settled; elsewhere NaN, or an error where there is none."""
        if x.dtype.kind in "fV":
            return _where(xp, settled, x, xp.asarray(xp.nan, x.dtype))
        try:
            found = bool(settled.all())
        except TypeError as error:  # under JAX, a value that is not there while a function is compiled
            raise OperationError(
                f"a fixed point in {self.cod} cannot say that it was not found: run it uncompiled, or by Exact()"
            ) from error
        if not found:
            raise OperationError(
                f"no fixed point within {self.limit} steps of its start: raise limit, or let the body be a contraction"
            )
        return x


def _where(xp: Any, settled: Any, x: Any, y: Any) -> Any:
    return xp.where(xp.reshape(settled, settled.shape + (1,) * (x.ndim - settled.ndim)), x, y)


def _listed(f: Diagram, wires: Iterable[Wire]) -> list[Wire]:
    made = apply_diagram(f, list(wires))
    return list(made) if isinstance(made, tuple) else [made]


def _split(back: Diagram, n: int) -> tuple[Diagram, Diagram]:
    """R[f] in two: what depends on the first n inputs alone, and the rest as a map of that and of the cotangents."""
    early = set(range(n))
    for _, sources, outputs in back.nodes:
        if sources and early.issuperset(sources):
            early.update(outputs)
    late = [node for node in back.nodes if not node[1] or not early.issuperset(node[1])]
    read = {wire for _, sources, _ in late for wire in sources} | {*back.outputs}
    crossing = sorted(read & early)
    known = back.observing(crossing).select(range(len(back.cod), len(back.cod) + len(crossing)))
    builder = Builder(known.cod + back.dom[n:])
    here = dict(zip((*crossing, *range(n, len(back.dom))), range(len(builder.dom)), strict=True))
    for generator, sources, outputs in late:
        here.update(zip(outputs, builder.apply(generator, tuple(here[wire] for wire in sources)), strict=True))
    return known.ignoring(range(n, len(back.dom))), builder.finish(here[wire] for wire in back.outputs)


def fixed_point(body: Diagram, *, tolerance: float = 1e-6, limit: int = 1000) -> Diagram:
    """The diagram (p, s) |-> x of the solution of x = body(p, x) that iteration from the start s finds.

    `body : shared x state -> state` should be a contraction in the state. An entry has settled where a step moves it by
    at most `tolerance` (1 + |x|); what has not after `limit` steps is NaN, or an error where there is no NaN. Raises
    `CompositionError` where the states that the body takes and returns differ.
    """
    return FixedPoint(body, tolerance, limit).diagram


def newton(f: Diagram, *, tolerance: float = 1e-6, limit: int = 100) -> Diagram:
    """The diagram (p, s) |-> x of the root f(p, x) = 0 that Newton's method finds from the start s.

    `f : shared x state -> state` over REAL, with one state on which it acts entry by entry; it is the fixed point of
    x - f / f', whose derivative in x is zero at a root, so that its reverse is found in one step. Raises
    `CompositionError` where f has not one output, of the space of its last input.

    >>> from catlearn.space import Space
    >>> number = Space((), REAL)
    >>> root = newton(trace((number, number), lambda p, x: x * x - p))
    >>> round(float(root(9.0, 1.0)), 4), round(float(reverse_derivative(root)(9.0, 1.0, 1.0)[0]), 4)
    (3.0, 0.1667)
    """
    if f.cod != f.dom[-1:] or [space.carrier for space in f.cod] != [REAL]:
        raise CompositionError(f"Newton's method needs f : shared x state -> state with one real state; got {f}")
    slope, k = forward_derivative(f), len(f.dom) - 1

    def step(*wires: Wire) -> Wire:
        tangents = [zeros(space) for space in changes(f.dom[:k])]
        along = apply_diagram(slope, [*wires, *tangents, constant(f.cod[0], 1)])
        return subtract(wires[k], divide(apply_diagram(f, wires), along))

    return fixed_point(trace(f.dom, step), tolerance=tolerance, limit=limit)
