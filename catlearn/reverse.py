"""The reverse derivative R, the forward derivative D and the dagger, source to source.

R[f] : A x B' -> A' for f : A -> B. Each generator brings its own reverse derivative as a diagram; R extends it to
diagrams by the chain rule (RD.5), the tensor (RD.tensor), and copy and add exchanging roles (RD.struct). R[f] is again
a diagram, of size linear in that of f, so R can be applied any number of times. A cotangent that is known to be zero
folds away, except into a generator whose reverse is not additive (LENS.share).

    D[f] = (iota_0 x 1) ; R[R[f]] ; pi_1 : A x A' -> B'                                  (RD.D)
    dagger(f) = iota_1 ; R[f] : B -> A                                                   (DAG.linear)

>>> from catlearn.semirings import INTEGERS
>>> from catlearn.tracing import diagram
>>> @diagram(Space((), INTEGERS), Space((), INTEGERS))
... def product(x, y):
...     return x * y
>>> tuple(map(int, reverse_derivative(product)(3, 5, 10)))
(50, 30)
>>> int(forward_derivative(product)(3, 5, 1, 0))
5

Source: Cockett et al., Reverse derivative categories (1910.07065), definition 13, theorem 16 and sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Callable

from catlearn.builder import Builder, Wires
from catlearn.diagram import Diagram, Generator
from catlearn.errors import CompositionError, OperationError
from catlearn.generators.arithmetic import Add, Constant, Subtract, zero_of
from catlearn.semirings import TRIVIAL
from catlearn.space import Space, changes

__all__ = ["contextual_dagger", "dagger", "forward_derivative", "reverse_derivative"]


class FoldingBuilder(Builder):
    """A builder in which a zero on a linear slot folds: 0 + x = x, 0 x = 0, f(0) = 0 for linear f."""

    def __init__(self, dom: tuple[Space, ...]) -> None:
        super().__init__(dom)
        self.zeros = {k for k, space in enumerate(dom) if space.carrier == TRIVIAL}

    def zero(self, space: Space) -> int:
        """The wire of the zero of a space."""
        return self.apply(zero_of(space), ())[0]

    def apply(self, generator: Generator, inputs: Wires) -> Wires:
        if isinstance(generator, Constant):
            wires = super().apply(generator, inputs)
            if generator.is_zero:
                self.zeros.add(wires[0])
            return wires
        if generator.additive:
            trivial = all(space.carrier == TRIVIAL for space in generator.cod)
            if trivial or any(group and self.zeros.issuperset(inputs[k] for k in group) for group in generator.linear):
                return tuple([self.zero(space) for space in generator.cod])
            if isinstance(generator, (Add, Subtract)) and inputs[1] in self.zeros:
                return inputs[:1]
            if isinstance(generator, Add) and inputs[0] in self.zeros:
                return inputs[1:]
        return super().apply(generator, inputs)


class _Tape:
    """One forward pass: its own number for every wire, the builder's wire behind it, and what each node read."""

    def __init__(self, builder: FoldingBuilder, inputs: Wires) -> None:
        self.builder = builder
        self.values = list(inputs)
        self.steps: list[tuple[Generator, Diagram, list[int], range]] = []

    def play(self, diagram: Diagram, inputs: list[int]) -> list[int]:
        here = list(inputs)
        for generator, sources, _ in diagram.nodes:
            here += self._step(generator, [here[k] for k in sources])
        return [here[k] for k in diagram.outputs]

    def _step(self, generator: Generator, sources: list[int]) -> list[int]:
        wires = tuple([self.values[k] for k in sources])
        back = generator.reversed
        if back is None:
            if generator.expanded is None:
                raise OperationError(
                    f"{generator.name} has no reverse derivative: give its class a reverse() or an expansion()"
                )
            return self.play(generator.expanded, sources)
        computed = None if generator.lawful else generator.computes()
        made = self.builder.apply(generator, wires) if computed is None else self.builder.replay(computed, wires)
        results = range(len(self.values), len(self.values) + len(made))
        self.values += made
        self.steps.append((generator, back, sources, results))
        return list(results)


def reverse_derivative(f: Diagram) -> Diagram:
    """R[f] : A x B' -> A', the vector-Jacobian product as a diagram.

    Raises `OperationError` where a generator has neither a reverse derivative nor an expansion.
    """
    if not isinstance(f, Diagram):
        raise CompositionError(
            f"a derivative is taken of a Diagram; got {type(f).__name__}: a Para has .morphism, and .lens() for both"
        )
    cached = f.__dict__.get("_reverse")
    if cached is not None:
        return cached
    builder = FoldingBuilder(f.dom + changes(f.cod))
    n = len(f.dom)
    tape = _Tape(builder, tuple(range(n)))
    outputs = tape.play(f, list(range(n)))
    cotangents: dict[int, int] = {}

    def accumulate(wire: int, change: int) -> None:
        if change in builder.zeros:
            return
        if wire in cotangents:
            change = builder.apply(Add(builder.spaces[change]), (cotangents[wire], change))[0]
        cotangents[wire] = change

    def cotangent(wire: int) -> int:
        found = cotangents.get(wire)
        return builder.zero(builder.spaces[tape.values[wire]].changes) if found is None else found

    for k, wire in enumerate(outputs):
        accumulate(wire, n + k)
    for generator, reverse, sources, results in reversed(tape.steps):
        if generator.additive and not any(wire in cotangents for wire in results):
            continue
        given = [tape.values[wire] for wire in sources] + [cotangent(wire) for wire in results]
        for wire, change in zip(sources, builder.replay(reverse, tuple(given)), strict=True):
            accumulate(wire, change)
    result = builder.finish(cotangent(k) for k in range(n))
    f.__dict__["_reverse"] = result
    return result


def forward_derivative(f: Diagram, reverse: Callable[[Diagram], Diagram] = reverse_derivative) -> Diagram:
    """D[f] : A x A' -> B', the Jacobian-vector product, from R alone (RD.D); `reverse` may be another R."""
    twice = reverse(reverse(f))
    n, m = len(f.dom), len(f.cod)
    builder = FoldingBuilder(f.dom + changes(f.dom))
    zeros = tuple(builder.zero(space) for space in changes(f.cod))
    wires = builder.replay(twice, (*range(n), *zeros, *range(n, 2 * n)))
    return builder.finish(wires[n : n + m])


def dagger(f: Diagram, reverse: Callable[[Diagram], Diagram] = reverse_derivative) -> Diagram:
    """f† = iota_1 ; R[f] : B -> A, the transpose of a linear map (DAG.linear).

    Raises `OperationError` where values and changes differ, for then the law is not typed.
    """
    return contextual_dagger(f, 0, reverse)


def contextual_dagger(g: Diagram, context: int, reverse: Callable[[Diagram], Diagram] = reverse_derivative) -> Diagram:
    """For g : C x A -> B linear in A, (iota_0 x 1) ; R[g] ; pi_1 : C x B -> A; C is the first `context` wires."""
    for space in (*g.dom[context:], *g.cod):
        if space.changes != space:
            raise OperationError(
                f"a dagger needs values that are their own changes; {space} changes by {space.changes}"
            )
    builder = FoldingBuilder(g.dom[:context] + g.cod)
    zeros = tuple(builder.zero(space) for space in g.dom[context:])
    wires = builder.replay(reverse(g), (*range(context), *zeros, *range(context, len(builder.dom))))
    return builder.finish(wires[context:])
