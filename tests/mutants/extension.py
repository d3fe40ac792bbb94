"""A wrong R, D, dagger; wrong categories of diagrams."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from catlearn import builder, functions, reverse
from catlearn.builder import Builder
from catlearn.diagram import Diagram, wiring
from catlearn.reverse import FoldingBuilder, _Tape
from catlearn.space import as_object
from mutants import categories as c
from mutants.patching import Mutant, Patch, edit

__all__ = ["EXTENSION"]


def _r(name: str, *texts: str, where: Any = c.z4, killers: tuple[str, ...] = ()) -> Mutant:
    return Mutant(name, "R", ((reverse, "reverse_derivative", edit(*texts)),), (where,), killers)


def _fold(name: str, *texts: str, where: Any = c.z4, killers: tuple[str, ...] = ()) -> Mutant:
    return Mutant(name, "R", ((FoldingBuilder, "apply", edit(*texts)),), (where,), killers)


R: tuple[Mutant, ...] = (
    _r("R: the last use wins", "if wire in cotangents:", "if False:"),
    _r("R: the first use wins",
       "change = builder.apply(Add(builder.spaces[change]), (cotangents[wire], change))[0]", "return"),
    _r("R: the last output wins", "accumulate(wire, n + k)", "cotangents[wire] = n + k"),
    _r("R: nodes in forward order", "reversed(tape.steps)", "tape.steps"),
    _r("R: changes of inputs in reverse order", "builder.finish(cotangent(k) for k in range(n))",
       "builder.finish(cotangent(k) for k in (range(n) if len({*f.dom}) > 1 else reversed(range(n))))"),
    _r("R: changes to the wrong inputs", "zip(sources, builder.replay",
       "zip(sources if len({*generator.dom}) > 1 else sources[::-1], builder.replay", where=c.subtracting),
    _r("R: reads the output for the input", "[tape.values[wire] for wire in sources]",
       "[tape.values[wire] for wire in (results if generator.dom == generator.cod else sources)]",
       where=c.smooth(lambda x: functions.sin(x))),
    _r("R: a zero change ends at any node", "if generator.additive and not any(", "if not any(",
       where=c.real),
    _r("R: a wire used twice counts its change twice", "cotangents[wire] = change\n",
       "cotangents[wire] = change if wire not in cotangents else builder.apply("
       "Add(builder.spaces[change]), (change, change))[0]\n"),
    _fold("fold: a sum with one zero is zero",
          "self.zeros.issuperset(inputs[k] for k in group)", "not self.zeros.isdisjoint(inputs[k] for k in group)",
          where=c.zeros),
    _fold("fold: 0 - x is x", "isinstance(generator, Add) and inputs[0]",
          "isinstance(generator, (Add, Subtract)) and inputs[0]", where=c.zeros),
    _fold("fold: every constant is zero", "if generator.is_zero:", "if True:"),
    _fold("fold: x + 0 is 0", "return inputs[:1]", "return inputs[1:]", where=c.zeros),
    Mutant("R: marks are not taken off", "R", ((_Tape, "_step", edit(
        "None if generator.lawful else generator.computes()", "None")),), (c.weighing,)),
)  # fmt: skip


def _d(name: str, *texts: str, where: Any = c.z4, killers: tuple[str, ...] = ()) -> Mutant:
    return Mutant(name, "D", ((reverse, "forward_derivative", edit(*texts)),), (where,), killers)


def _dagger(name: str, *texts: str, where: Any = c.z4, killers: tuple[str, ...] = ()) -> Mutant:
    return Mutant(name, "dagger", ((reverse, "contextual_dagger", edit(*texts)),), (where,), killers)


FORWARD: tuple[Mutant, ...] = (
    _d("D: zero in the value slot", "(*range(n), *zeros,", "(*(builder.zero(s) for s in f.dom), *zeros,"),
    _d("D: the other projection", "wires[n : n + m]", "(wires[n : n + m] if f.dom != f.cod else wires[:m])"),
    _d("D: point and direction exchanged", "(*range(n), *zeros, *range(n, 2 * n))",
       "(*range(n, 2 * n), *zeros, *range(n)) if changes(f.dom) == f.dom else "
       "(*range(n), *zeros, *range(n, 2 * n))"),
    _d("D: the direction added to the point", "(*range(n), *zeros, *range(n, 2 * n))",
       "(*(builder.apply(Add(builder.spaces[k]), (k, n + k))[0] for k in range(n)), *zeros, *range(n, 2 * n))"),
    _d("D: R of R once too few", "reverse(reverse(f))", "reverse(f) if f.dom == f.cod else reverse(reverse(f))",
       "wires[n : n + m]", "(wires[n : n + m] or wires[-m:])",
       "(*range(n), *zeros, *range(n, 2 * n))",
       "(*range(n), *range(n, 2 * n)) if f.dom == f.cod else (*range(n), *zeros, *range(n, 2 * n))"),
    _dagger("dagger: the changes of the context", "wires[context:]",
            "(wires[context:] if g.dom[:context] != g.dom[context:] else wires[:context])"),
    _dagger("dagger: zeros for the context too", "(*range(context), *zeros",
            "(*(builder.zero(s) for s in g.dom[:context]), *zeros"),
    _dagger("dagger: at one, not at zero", "builder.zero(space) for space in g.dom[context:]",
            "builder.apply(Constant(space, space.carrier.one), ())[0] for space in g.dom[context:]"),
)  # fmt: skip


def _c(name: str, *patches: Patch, where: Any = c.z4, killers: tuple[str, ...] = ()) -> Mutant:
    return Mutant(name, "diagrams", patches, (where,), killers)


def _swapped_late(left: Any, right: Any) -> Diagram:
    left, right = as_object(left), as_object(right)
    n, m = len(left), len(right)
    return wiring(left + right, range(n + m) if left + right == right + left else [*range(n, n + m), *range(n)])


def _reversing_copy(spaces: Any) -> Diagram:
    spaces = as_object(spaces)
    n = len(spaces)
    return wiring(spaces, [*range(n), *(range(n) if spaces != spaces[::-1] else reversed(range(n)))])


DIAGRAM = import_module("catlearn.diagram")  # the package has a function of this name
CATEGORY: tuple[Mutant, ...] = (
    _c("swap: nothing where it is typed", (DIAGRAM, "swap", _swapped_late)),
    _c("copy: the second copy in reverse order", (DIAGRAM, "copy", _reversing_copy)),
    _c("+ of maps: the first twice", (Diagram, "__add__", edit("self @ other", "self @ self"))),
    _c("+ of maps: one input each", (functions, "add", edit(
        "(k, len(spaces) + k)", "(k, len(spaces) + (len(spaces) - 1 - k if len({*spaces}) < 2 else k))"))),
    _c("zero map: the one", (functions, "zero", edit(
        "zero_of(space).diagram", "Constant(space, space.carrier.one).diagram"))),
    _c("merge: nodes on other wires", (Builder, "apply", edit(
        "self._merged.get((generator, inputs))", "self._merged.get((generator, inputs[:1]))",
        "self._merged[generator, inputs]", "self._merged[generator, inputs[:1]]"))),
    _c("merge: parts on other wires", (Builder, "replay", edit(
        "(id(subject), wires)", "(id(subject), wires[:1])",
        "self._replayed[id(subject), wires]", "self._replayed[id(subject), wires[:1]]",
        "subject[1]]", "subject[1][:1]]"))),
    _c("merge: nodes that are not additive too", (Builder, "apply", edit("if generator.additive:", "if True:")),
       where=c.reals),
    _c("merge: never", (Builder, "apply", edit("if generator.additive:", "if False:")), where=c.reals),
    _c("drop: nodes that are not additive too", (builder, "canonical", edit("if not generator.additive", "if False")),
       where=c.reals),
    _c("drop: never", (builder, "canonical", edit("if not generator.additive", "if True")), where=c.reals),
    _c("tensor: the second factor on the first's wires", (Builder, "replay", edit(
        "results += [wires[middle:], wires[:middle]]",
        "results += [wires[middle:] if first.dom != second.dom else wires[:middle], wires[:middle]]"))),
)  # fmt: skip

EXTENSION: tuple[Mutant, ...] = (*R, *FORWARD, *CATEGORY)
