"""Wrong modes of differentiation, expansions and fixed points."""

from __future__ import annotations

from typing import Any

from catlearn.generators.fixed_point import FixedPoint
from catlearn.systems import linear_maps, modes, taylor
from catlearn.systems.linear_maps import Continuations, Functions, Matrices
from catlearn.systems.taylor import Jets
from mutants import categories as c
from mutants.patching import Mutant, edit

__all__ = ["SYSTEMS_MODES"]


def _m(name: str, owner: Any, attribute: str, change: Any, where: Any = c.integers) -> Mutant:
    return Mutant(name, "modes", ((owner, attribute, change),), (where,))


SYSTEMS_MODES: tuple[Mutant, ...] = (
    _m("modes: joining takes the last, not the sum", Functions, "joining", edit("reduce(add, some)", "some[-1]")),
    _m("modes: at the inputs in the other order", Functions, "generator", edit("[*point, *v]", "[*point[::-1], *v]")),
    _m("modes: what is not read changes by one", Functions, "joining", edit("zeros(space)", "constant(space, 1)")),
    _m("modes: a map beside reads the first inputs", Functions, "beside", edit("v[n:]", "v[: len(v) - n]")),
    _m("modes: a matrix keeps the last path", Matrices, "after", edit(
        "_sum(made[i], block, f.dom[i]) if i in made else block", "block")),
    _m("modes: what goes through an identity is one", linear_maps, "_product", edit(
        "right if left is None else left", "right")),
    _m("modes: the second matrix beside is not moved", Matrices, "beside", edit("{n + i: block", "{i: block")),
    _m("modes: continuations into the outputs exchanged", Continuations, "run", edit(
        "self.base.identity(self.result)", "self.base.wiring(self.result, range(len(self.result))[::-1])")),
    _m("modes: values from the last point", modes, "derivative", edit(
        "values += _values(generator, here)", "values += _values(generator, here[::-1])"), c.subtracting),
    _m("modes: the second derivative by the change, not the point", modes, "second_derivative", edit(
        "reverse(forward(f)).select(range(len(A)))", "reverse(forward(f)).select(range(len(A), 2 * len(A)))")),
    _m("jets: products of equal orders alone", taylor, "_splits", edit(
        "_splits(count - 1, most - first)", "[(first,) * (count - 1)] * (count * first <= most)")),
    _m("jets: derivatives, not divided", taylor, "_over", edit(
        "divide(wire, constant(wire.space, k))", "wire"), c.real),
    _m("jets: the slope is not multiplied", taylor, "_slope", edit("multiply(wire, k)", "wire"), c.real),
    _m("jets: the recurrence sees the point only", Jets, "_recurrence", edit(
        "jet[:-1] for", "_constant(jet[0], self.order - 1) for"), c.real),
    _m("fixed point: one step of the adjoint", FixedPoint, "reverse", edit(
        "_listed(solve.diagram, [*at, *wires[n:], *wires[n:]])", "[*wires[n:]]"), c.real),
    _m("fixed point: the adjoint forgets the cotangent", FixedPoint, "reverse", edit("add(y, more)", "more"), c.real),
    _m("fixed point: the reverse at the start", FixedPoint, "reverse", edit(
        "[*wires[:k], *solution]", "wires[:n]"), c.real),
    _m("fixed point: two steps alone", FixedPoint, "evaluate", edit("carry[0] < self.limit", "carry[0] < 2"), c.real),
)  # fmt: skip
