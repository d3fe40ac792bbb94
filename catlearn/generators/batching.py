"""Batches: n copies of a diagram side by side, some of its inputs shared (PARA.tie), and the generator Map.

    batch(f, n, flags) = (f x ... x f) after copying the shared inputs to all n copies

It is pushed through every generator that has a batched form, so that a dense layer on a batch is one matrix product and
the cotangent of a shared input comes out summed (R[copy] = +). `Map` is the same morphism as one node; R takes it by
its expansion, and only a body of a single generator without a batched form stays a loop.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from catlearn.builder import Builder
from catlearn.diagram import Diagram, Generator
from catlearn.errors import CompositionError
from catlearn.generators.contraction import stack, sum
from catlearn.reverse import reverse_derivative
from catlearn.space import Object, changes
from catlearn.substitution import evaluation, plain
from catlearn.tracing import Wire, trace

__all__ = ["Map", "batch"]


def batch(diagram: Diagram, size: int, flags: Iterable[bool] | None = None) -> Diagram:
    """The diagram on `size` samples at once: flagged inputs are stacked along a new first axis, the others shared.

    Every output is stacked. Without flags every input is. Raises `CompositionError` for a flag too many or too few.
    """
    stacked = _flags(diagram, flags)
    builder = Builder(_stack(diagram.dom, size, stacked))
    here = [(k, flag) for k, flag in enumerate(stacked)]
    for generator, sources, _ in diagram.nodes:
        inputs = tuple([here[k][0] for k in sources])
        which = tuple([here[k][1] for k in sources])
        if not any(which) and generator.additive:
            here += [(wire, False) for wire in builder.apply(generator, inputs)]
        else:
            form = generator.batched(size, which) or Map(generator.diagram, size, which).diagram
            here += [(wire, True) for wire in builder.replay(form, inputs)]
    outputs = [here[k] for k in diagram.outputs]
    for k, (wire, flag) in enumerate(outputs):
        if not flag:
            space = builder.spaces[wire]
            repeat = trace((space,), lambda x: stack(x, size))
            outputs[k] = (builder.replay(repeat, (wire,))[0], True)
    return builder.finish(wire for wire, _ in outputs)


def _flags(diagram: Diagram, flags: Iterable[bool] | None) -> tuple[bool, ...]:
    result = (True,) * len(diagram.dom) if flags is None else tuple(bool(flag) for flag in flags)
    if len(result) != len(diagram.dom):
        raise CompositionError(
            f"the diagram has {len(diagram.dom)} inputs and there are {len(result)} flags; give one each"
        )
    return result


def _stack(spaces: Iterable[Any], size: int, flags: Iterable[bool]) -> Object:
    return tuple(space.batch(size) if flag else space for space, flag in zip(spaces, flags, strict=True))


@dataclass(frozen=True)
class Map(Generator):
    """`size` copies of `body`, flagged inputs stacked along a new first axis, the others shared; outputs stacked."""

    body: Diagram
    size: int
    flags: tuple[bool, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "flags", _flags(self.body, self.flags))

    @property
    def additive(self) -> bool:
        return self.body.additive

    @property
    def lawful(self) -> bool:
        return self.body.lawful

    def computes(self) -> Diagram | None:
        return Map(plain(self.body), self.size, self.flags).diagram

    def evaluation(self) -> Diagram | None:
        body = evaluation(self.body)
        return None if body is self.body else Map(body, self.size, self.flags).diagram

    @property
    def name(self) -> str:
        return f"map x {self.size}"

    @property
    def dom(self) -> Object:
        return _stack(self.body.dom, self.size, self.flags)

    @property
    def cod(self) -> Object:
        return tuple(space.batch(self.size) for space in self.body.cod)

    @property
    def irreducible(self) -> bool:
        """Whether the body is a single generator that has no batched form."""
        nodes, outputs = self.body.nodes, self.body.outputs
        if len(nodes) != 1 or nodes[0][1] != tuple(range(len(self.body.dom))) or nodes[0][2] != outputs:
            return False
        return nodes[0][0].batched(self.size, self.flags) is None

    def expansion(self) -> Diagram | None:
        return None if self.irreducible else batch(self.body, self.size, self.flags)

    def reverse(self) -> Diagram | None:
        if not self.irreducible:
            return None
        flags = self.flags + (True,) * len(self.body.cod)
        each = Map(reverse_derivative(self.body), self.size, flags).diagram

        def rule(*wires: Wire) -> list[Wire]:
            results = each(*wires)
            results = results if isinstance(results, tuple) else (results,)
            return [back if flag else sum(back, 0) for back, flag in zip(results, self.flags, strict=True)]

        return trace(self.dom + changes(self.cod), rule)

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        if not self.irreducible:
            return None if self.expanded is None else batch(self.expanded, size, flags)
        return None

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        return arrays.map(self, inputs)
