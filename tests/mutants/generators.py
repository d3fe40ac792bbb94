"""Wrong reverses of single generators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catlearn import functions
from catlearn.functors.arrays import Arrays
from catlearn.functors.symbolic import Symbolic
from catlearn.generators import arithmetic, indexing
from catlearn.generators.arithmetic import (
    Add,
    Constant,
    Divide,
    Include,
    Invert,
    Multiply,
    Negate,
    Subtract,
    Xor,
    include,
)
from catlearn.generators.batching import Map
from catlearn.generators.contraction import Contract
from catlearn.generators.discrete import OneHot, Real
from catlearn.generators.elementwise import FUNCTIONS, LogSoftmax, Maximum, Power, Smooth, apply, softmax
from catlearn.generators.indexing import Concatenate, Gather, Reshape, Scatter, Slice
from catlearn.generators.scan import Scan
from catlearn.tracing import apply_generator, trace
from mutants import categories as c
from mutants.patching import Mutant, Patch, edit

__all__ = ["GENERATORS"]

zero = functions.zeros
Rule = Callable[..., Any]


def _rule(name: str, kind: type, rule: Rule, where: Any, *killers: str) -> Mutant:
    return Mutant(name, "generators", ((kind, "rule", lambda self, *wires: rule(*wires)),), (where,), killers)


def _function(name: str, derivative: Rule, where: Any, *killers: str) -> Mutant:
    row = Smooth(FUNCTIONS[name].implementation, derivative)
    return Mutant(f"{name}'", "elementwise", ((FUNCTIONS, name, row),), (where,), killers)


def _other(name: str, patch: Patch, where: Any, *killers: str) -> Mutant:
    return Mutant(name, "indexing", (patch,), (where,), killers)


DIVIDING = c.smooth(lambda x, y: x / (1.0 + y * y))
POWER = c.smooth(lambda x, y: functions.power(x * x + 0.5, y))
MAXIMUM = c.smooth(lambda x, y: functions.maximum(x + 0.37, y))
AWAY = 0.37  # no sum of products of drawn numbers meets a kink moved there


RULES: tuple[Mutant, ...] = (
    _rule("add: one side only", Add, lambda x, y, d: (d, zero(d.space)), c.naturals),
    _rule("add: as multiply", Add, lambda x, y, d: (include(y) * d, include(x) * d), c.integers),
    _rule("add: doubled", Add, lambda x, y, d: (d + d, d + d), c.integers),
    _rule("subtract: no sign", Subtract, lambda x, y, d: (d, d), c.subtracting),
    _rule("subtract: exchanged", Subtract, lambda x, y, d: (-d, d), c.subtracting),
    _rule("negate: no sign", Negate, lambda x, d: (d,), c.negating),
    _rule("multiply: exchanged", Multiply, lambda x, y, d: (x * d, y * d), c.naturals),
    _rule("multiply: half", Multiply, lambda x, y, d: (y * d, zero(d.space)), c.saturating),
    _rule("multiply: squared", Multiply, lambda x, y, d: (d * d, zero(d.space)), c.integers),
    _rule("multiply: as add", Multiply, lambda x, y, d: (d, d), c.boolean),
    _rule("multiply: one slope", Multiply, lambda x, y, d: (y * d, y * d), c.integers),
    _rule("multiply: times x y", Multiply, lambda x, y, d: (x * y * d, x * y * d), c.min_plus),
    _rule("multiply: shifted", Multiply, lambda x, y, d: (y * d + 1, x * d), c.integers),
    _rule("divide: no sign", Divide, lambda x, y, d: (d / y, d * x / (y * y)), DIVIDING),
    _rule("divide: no square", Divide, lambda x, y, d: (d / y, -(d * x / y)), DIVIDING),
    _rule("not: no sign", Invert, lambda x, d: (d,), c.bits),
    _rule("xor: as over Z2", Xor, lambda x, y, d: (d, d), c.bits),
    _rule("xor: exchanged", Xor, lambda x, y, d: ((1 - 2 * include(x)) * d, (1 - 2 * include(y)) * d), c.bits),
    _rule("and: as or", Multiply, lambda x, y, d: ((1 - include(y)) * d, (1 - include(x)) * d), c.bits),
    _rule("include: two votes a bit", Include, lambda x, d: (2 * d,), c.including),
    _rule("power: exponent not lowered", Power, lambda x, y, d: (
        y * apply_generator(Power(x.space), x, y) * d,
        apply("log", x) * apply_generator(Power(x.space), x, y) * d), POWER),
    _rule("power: no logarithm", Power, lambda x, y, d: (
        y * apply_generator(Power(x.space), x, y - 1.0) * d, apply_generator(Power(x.space), x, y) * d), POWER),
    _rule("maximum: to the smaller", Maximum, lambda x, y, d: (
        (1.0 - apply("step", x - y)) * d, apply("step", x - y) * d), MAXIMUM),
    _rule("maximum: to both", Maximum, lambda x, y, d: (d, d), MAXIMUM),
)  # fmt: skip


def _centred(self: LogSoftmax) -> Any:
    return trace((self.space, self.space), lambda x, d: d - softmax(x) * d)


def _uncentred(self: LogSoftmax) -> Any:
    return trace((self.space, self.space), lambda x, d: d - softmax(x))


ELEMENTWISE: tuple[Mutant, ...] = (
    _function("exp", lambda x, y: x, c.smooth(lambda x: functions.exp(x))),
    _function("log", lambda x, y: 1.0 / y, c.smooth(lambda x: functions.log(x * x + 0.5))),
    _function("sqrt", lambda x, y: 0.5 * y, c.smooth(lambda x: functions.sqrt(x * x + 0.5))),
    _function("sin", lambda x, y: -apply("cos", x), c.smooth(lambda x: functions.sin(x))),
    _function("cos", lambda x, y: apply("sin", x), c.smooth(lambda x: functions.cos(x))),
    _function("tanh", lambda x, y: 1.0 - y, c.smooth(lambda x: functions.tanh(x))),
    _function("sigmoid", lambda x, y: x * (1.0 - x), c.smooth(lambda x: functions.sigmoid(x))),
    _function("softplus", lambda x, y: apply("tanh", x), c.smooth(lambda x: functions.softplus(x))),
    _function("erf", lambda x, y: apply("exp", -(x * x)), c.smooth(lambda x: functions.erf(x))),
    _function("abs", lambda x, y: apply("step", x), c.smooth(lambda x: functions.absolute(x + AWAY))),
    _function("sign", lambda x, y: 1.0, c.smooth(lambda x: functions.sign(x + AWAY))),
    _function("relu", lambda x, y: apply("sign", x), c.smooth(lambda x: functions.relu(x + AWAY))),
    _function("step", lambda x, y: apply("sigmoid", x), c.smooth(lambda x: functions.step(x + AWAY))),
    Mutant("relu' at the kink", "elementwise",
           ((FUNCTIONS, "relu", Smooth("jax.nn:relu", lambda x, y: 1.0 - apply("step", -x))),), (c.reals,)),
    Mutant("log softmax: no total", "elementwise", ((LogSoftmax, "reverse", _centred),), (c.classes,)),
    Mutant("log softmax: total taken as one", "elementwise", ((LogSoftmax, "reverse", _uncentred),), (c.classes,)),
)  # fmt: skip


def _one(self: Any) -> bool:
    return not isinstance(self.value, tuple) and not self.value


RIGHT = Contract.reverse


def _mean(self: Contract) -> Any:
    """Repeating along a new axis has the mean over it for its reverse."""
    back, times = RIGHT(self), self.cod[0].size / max(self.dom[0].size, 1)
    return back >> trace(back.cod, lambda x: x * (1.0 / times)) if times > 1 and len(self.inputs) == 1 else back


INDEXING: tuple[Mutant, ...] = (
    _other("constant: falsehood taken for zero", (Constant, "is_zero", property(_one)), c.min_plus),
    _other("zero of a space: the number 0", (arithmetic, "zero_of", lambda space: Constant(space, 0)), c.min_plus),
    _other("contract: its own factor", (Contract, "reverse", edit(
        "(*values[:k], *values[k + 1 :])",
        "(values[k : k + 1] if len(values) == 2 and values[0].space == values[1].space else "
        "(*values[:k], *values[k + 1 :]))")), c.dotting),
    _other("contract: roles not exchanged", (Contract, "reverse", edit(
        "self.output), axes, self.sizes)", "axes), self.output, self.sizes)")), c.permuting),
    _other("contract: a mean for a sum", (Contract, "reverse", _mean), c.averaging),
    _other("contract: batch axis last", (Contract, "batched", edit("(new, *self.output)", "(*self.output, new)")),
           c.squares),
    _other("gather: scattered backwards", (Gather, "transposed", edit("self.index,", "self.index[::-1],")),
           c.gathering),
    _other("scatter: gathered backwards", (Scatter, "transposed", edit("self.index)", "self.index[::-1])")),
           c.gathering),
    Mutant("scatter: the last one wins", "indexing",
           ((Arrays, "scatter", edit("self.carrier(carrier).add(self.namespace, total[k], row)", "row")),
            (Symbolic, "scatter", edit("total[k] + row", "row"))), (c.gathering,)),
    _other("slice: padded on the wrong side", (Slice, "transposed", edit(
        "*pad(self.start), d, *pad(self.space.shape[self.axis] - self.stop)",
        "*pad(self.space.shape[self.axis] - self.stop), d, *pad(self.start)")), c.slicing),
    _other("concatenate: cut in the other order", (Concatenate, "reverse", edit(
        "for a, b in pairwise(ends))", "for a, b in reversed(list(pairwise(ends))))")), c.concatenating),
    _other("reshape: back by columns", (Reshape, "transposed", lambda self, d: functions.transpose(
        indexing.reshape(d, self.space.shape))), c.reshaping),
)  # fmt: skip

LOOPS: tuple[Mutant, ...] = tuple(
    Mutant(name, "loops", patches, (where,), killers)
    for name, patches, where, *killers in (
        ("map: the first sample's change", ((Map, "reverse", edit("sum(back, 0)", "back[0]")),), c.mapping),
        ("scan: back in the same direction", ((Scan, "reverse", edit(
            "len(before), not self.backward)", "len(before), self.backward)")),), c.scanning),
        ("scan: the last shared change", ((Scan, "_pull", edit(
            "builder.apply(Add(space), (a + j, results[j]))[0]", "results[j]")),), c.scanning),
        ("scan: reads the state after the step", ((Scan, "_emitting", edit(
            "dict(enumerate(inputs)), 1)",
            "{**dict(enumerate(inputs)), **dict(zip(range(self.shared, self.shared + self.states), states))}, 1)",
        )),), c.scanning),
        ("scan: no change through the state", ((Scan, "_pull", edit(
            "(*sums, *results[k:])",
            "(*sums, *(builder.apply(zero_of(s), ())[0] for s in changes(self.body.cod[:states])), "
            "*results[k + states:])")),), c.scanning),
        ("scan: backward emissions not turned", ((Arrays, "scan", edit(
            "emitted.reverse()", "pass")),), c.scanning),
    )
)  # fmt: skip

DISCRETE: tuple[Mutant, ...] = (
    Mutant("one hot: one too far", "discrete", ((OneHot, "evaluate", edit("np.arange(size)", "np.arange(1, size + 1)"
                                                                        )),), (c.reals,)),
    Mutant("counter: one too far", "discrete", ((Real, "evaluate", edit(
        "arrays.cast(inputs[0], REAL)", "arrays.cast(inputs[0] + 1, REAL)")),), (c.reals,)),
)  # fmt: skip

GENERATORS: tuple[Mutant, ...] = (*RULES, *ELEMENTWISE, *INDEXING, *LOOPS, *DISCRETE)
