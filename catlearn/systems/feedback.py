"""Feedback alignment: errors come back through matrices of their own, not through the transposes of the weights.

    feedback alignment           ((W, x), d) |-> (x d^T, B d)                    B fixed                       (BWD.fa)
    product feedback alignment   ((R, W, x), d) |-> (x (B d)^T, x d^T, R B d)    B fixed, R learnt
    direct feedback alignment    (p, a, e) |-> (R[f_k](p, a, B_k e) ; pi_P, e)   e the error of the output    (BWD.dfa)

for y = x W. All three are one node, a `Tap`: zero forward, and backward whatever one says. With `stop`, which lets no
change through,

    feedback alignment:  y = stop(x) W + tap_B(x)              product:  y = stop(x) W + tap_B(x R)
    direct:              y = f_L(stop(a_L)) + tap_1(a_1) + .. + tap_{L-1}(a_{L-1})

so a batch is still one matrix product, and the backward pass no longer reads W. In the product form R B comes near W,
since R gets the changes of W B^T; what they start with differs, and weight decay removes it.

Sources: Lillicrap et al., Random synaptic feedback weights support error backpropagation (2016); Nokland, Direct
feedback alignment provides learning in deep neural networks (1609.01596); Li and Benna, Deep learning without weight
symmetry (2405.20594).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from catlearn import functions
from catlearn.builder import Builder
from catlearn.diagram import Diagram, Generator, copy
from catlearn.errors import OperationError
from catlearn.generators.arithmetic import Add, Multiply
from catlearn.generators.batching import batch
from catlearn.generators.contraction import Contract
from catlearn.generators.surrogate import stop_change
from catlearn.lens import Lens, Sides
from catlearn.para import Para
from catlearn.parameters import GlorotUniform, Initialiser, Normal, RandomBits
from catlearn.reverse import reverse_derivative
from catlearn.space import Object, Space, changes, show_object
from catlearn.substitution import plain
from catlearn.systems.rewriting import DATA, Extra, Origins, Patch, extended, origin, origins_of, rewrite
from catlearn.tracing import Wire, apply_generator, trace

__all__ = ["Tap", "direct", "error_lens", "fed_back", "product_fed_back", "weight_of"]


@dataclass(frozen=True)
class Tap(Generator):
    """`(B, x) -> 0` in `target`; a change d of the zero comes back to x, of `source`, as `pull : B x target' -> x'`.

    B gets no change.
    """

    pull: Diagram
    source: Space
    target: Space

    def __post_init__(self) -> None:
        ends = (self.pull.dom[1:], self.pull.cod)
        if ends != ((self.target.changes,), (self.source.changes,)):
            raise OperationError(f"a tap from {self.source} to {self.target} cannot pull by {self.pull}")

    @property
    def lawful(self) -> bool:
        return False

    @property
    def dom(self) -> Object:
        return (self.pull.dom[0], self.source)

    @property
    def cod(self) -> Object:
        return (self.target,)

    def computes(self) -> Diagram | None:
        return functions.zero(self.dom, self.cod)

    def expansion(self) -> Diagram | None:
        return self.computes()

    def reverse(self) -> Diagram | None:
        def rule(b: Wire, x: Wire, d: Wire) -> tuple[Any, Any]:
            return functions.zeros(b.space.changes), self.pull(b, d)

        return trace((*self.dom, self.target.changes), rule)

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        if not flags[1]:
            return None
        pull = batch(self.pull, size, (flags[0], True))
        return Tap(pull, self.source.batch(size), self.target.batch(size)).diagram


def weight_of(generator: Generator, origins: Origins) -> tuple[int, int] | None:
    """The places of weight and data where a node is linear in both and is no product entry by entry; else None."""
    bilinear = len(origins) == 2 and generator.linear == ((0,), (1,)) and not isinstance(generator, Multiply)
    if not bilinear or DATA not in origins or max(origins) < 0:
        return None
    return (0, 1) if origins[1] == DATA else (1, 0)


def _start(matrix: Space) -> Initialiser:
    return GlorotUniform() if matrix.carrier.kind == "real" else RandomBits()


def _pull(generator: Generator, weight: int, data: int) -> Diagram:
    """B x d -> the change of the data that R would give if the weight were B."""
    back: Any = generator.reversed

    def run(b: Wire, d: Wire) -> Wire:
        values: list[Any] = [b, b]
        values[data] = functions.zeros(generator.dom[data])  # a bilinear map's change of x does not read x
        result: Wire = back(*values, d)[data]
        return result

    return trace((generator.dom[weight], generator.cod[0].changes), run)


def _beside(generator: Generator, data: int, wires: tuple[Wire, ...]) -> Wire:
    """The node as it is, its data held still."""
    held = list(wires)
    held[data] = stop_change(generator.dom[data])(held[data])
    result: Wire = generator(*held)
    return result


def fed_back(generator: Generator, origins: Origins) -> Patch | None:
    """y = g(W, stop(x)) + tap_B(x): feedback alignment of a node where a weight meets data."""
    found = weight_of(generator, origins)
    if found is None:
        return None
    weight, data = found
    tap = Tap(_pull(generator, weight, data), generator.dom[data], generator.cod[0])

    def run(*wires: Wire) -> Wire:
        return _beside(generator, data, wires[:2]) + apply_generator(tap, wires[2], wires[data])

    matrix = generator.dom[weight]
    extra = Extra("feedback", matrix, weight, "frozen", _start(matrix))
    return Patch(trace((*generator.dom, matrix), run), (extra,))


def product_fed_back(generator: Generator, origins: Origins, expansion: int) -> Patch | None:
    """y = g(W, stop(x)) + tap_B(g(R, x)), R having `expansion` times as many outputs as W."""
    found = weight_of(generator, origins)
    if found is None:
        return None
    weight, data = found
    path, axis = _widened(generator, weight, data, expansion)
    middle, target = path.cod[0], generator.cod[0]
    matrix = target.with_shape((middle.shape[axis], target.shape[axis]))
    letters = "".join(chr(97 + k) for k in range(len(target.shape)))
    wide = letters.replace(letters[axis], "z")

    def pull(b: Wire, d: Wire) -> Wire:
        return functions.einsum(f"z{letters[axis]},{letters}->{wide}", b, d)

    tap = Tap(trace((matrix, target), pull), middle, target)

    def run(*wires: Wire) -> Wire:
        further = list(wires[:2])
        further[weight] = wires[2]
        return _beside(generator, data, wires[:2]) + apply_generator(tap, wires[3], path(*further))

    ways = path.dom[weight]
    extras = (
        Extra("way", ways, weight, "parameter", _start(ways)),
        Extra("feedback", matrix, weight, "frozen", Normal(max(middle.shape[axis], 1) ** -0.5)),
    )
    return Patch(trace((*generator.dom, ways, matrix), run), extras)


def _widened(generator: Generator, weight: int, data: int, expansion: int) -> tuple[Generator, int]:
    """The contraction with `expansion` times as many outputs, and the axis of its output that they lie along."""
    if not isinstance(generator, Contract):
        raise OperationError(
            f"product feedback alignment needs weights that are matrices; {generator.name} has another kind: use "
            "feedback alignment"
        )
    own = [label for label in generator.inputs[weight] if label not in generator.inputs[data]]
    if len(own) != 1 or own[0] not in generator.output:
        raise OperationError(
            f"product feedback alignment needs a weight with one axis of outputs; {generator.name} has {len(own)}"
        )
    sizes = list(generator.sizes)
    sizes[own[0]] *= expansion
    return replace(generator, sizes=tuple(sizes)), generator.output.index(own[0])


def error_lens(layer: Para[Diagram], pull: Diagram) -> Para[Lens]:
    """The lens (A, E) -> (B, E) of one layer, to which the error e of the output comes unchanged (BWD.dfa).

    put (p, a, e) -> (R[layer](p, a, pull(e)) ; pi_P, e). Lenses of layers compose to the whole, whose last layer has
    the identity for `pull : E -> B'`. Raises `CompositionError` where the pull does not fit.
    """
    f, E, n = layer.diagram, pull.dom, len(layer.parameter)
    back = (Diagram.identity(f.dom) @ pull) >> reverse_derivative(f).select(range(n))
    put = (Diagram.identity(f.dom) @ copy(E)) >> (back @ Diagram.identity(E))
    sides = Sides(layer.parameter, changes(layer.parameter))
    return Para(sides, Sides(layer.dom, E), Lens(plain(f), put), layer.signature)


def direct(model: Para[Diagram], seed: int | None = None) -> Para[Diagram] | None:
    """Direct feedback alignment: each hidden layer gets the error of the output through a matrix of its own.

    A hidden layer ends where a weight meets what it gives; no change passes there. None where no layer is hidden.
    Raises `OperationError` where a layer has no global error: inside a loop, beside a shorter way to the output, or
    where there are several outputs.
    """
    f = model.diagram
    above = _cuts(model)
    cuts = list(above)
    if not cuts:
        return None
    spaces = [*f.dom, *(space for generator, _, _ in f.nodes for space in generator.cod)]
    if len(f.cod) != 1 or any(spaces[wire].carrier != f.cod[0].carrier for wire in cuts):
        raise OperationError(
            f"direct feedback alignment sends back the error of one output, like the hidden layers' wires; the model "
            f"ends in {show_object(f.cod)}"
        )
    target = f.cod[0]
    matrices = [target.with_shape(spaces[wire].shape + target.shape) for wire in cuts]
    extras = [
        Extra("feedback", matrix, above[wire], "frozen", _start(matrix))
        for wire, matrix in zip(cuts, matrices, strict=True)
    ]
    builder = Builder(f.dom + tuple(extra.space for extra in extras))
    here = list(range(len(f.dom)))
    taps: list[int] = []
    for generator, inputs, outputs in f.nodes:
        made = list(builder.apply(generator, tuple(here[k] for k in inputs)))
        for k, wire in enumerate(outputs):
            if wire in cuts:
                number = cuts.index(wire)
                tap = Tap(_spread(spaces[wire], target), spaces[wire], target)
                taps += builder.apply(tap, (len(f.dom) + number, made[k]))
                made[k] = builder.replay(stop_change(spaces[wire]), (made[k],))[0]
        here += made
    last = here[f.outputs[0]]
    for tapped in taps:
        last = builder.apply(Add(target), (last, tapped))[0]
    return extended(model, Patch(builder.finish((last,)), tuple(extras)), seed)


def _spread(source: Space, target: Space) -> Diagram:
    """(B, e) -> B e, all axes of the error summed."""
    n, m = len(source.shape), len(target.shape)
    every = tuple(range(n + m))
    sizes = source.shape + target.shape
    return Contract(target.carrier.changes, (every, every[n:]), every[:n], sizes).diagram


def _cuts(model: Para[Diagram]) -> dict[int, int]:
    """The wires where a hidden layer ends, in order, and for each the weight of that layer."""
    f, names = model.diagram, model.names
    here = origins_of(model)
    weights: dict[int, int] = {}  # of the nodes where a weight meets data, the parameter
    behind: list[bool] = [False] * len(f.dom)
    cuts: list[int] = []
    for number, (generator, inputs, outputs) in enumerate(f.nodes):
        reads = [here[k] for k in inputs]
        found = weight_of(generator, reads)
        if rewrite(generator.diagram, reads, _seen) is not None and found is None:
            raise OperationError(
                f"the weights inside {generator.name} have no global error: direct feedback alignment sends the "
                "output's to each layer of a chain; use feedback alignment, which is put inside as well"
            )
        if found is not None:
            weights[number] = reads[found[0]]
            wire = inputs[found[1]]
            if behind[wire] and wire not in cuts:
                cuts.append(wire)
        behind += [found is not None or any(behind[k] for k in inputs)] * len(outputs)
        here += [origin(reads)] * len(outputs)
    return _layers(f, cuts, weights, names)


def _seen(generator: Generator, origins: Origins) -> Patch | None:
    return Patch(generator.diagram) if weight_of(generator, origins) else None


def _layers(f: Diagram, cuts: list[int], weights: dict[int, int], names: tuple[str, ...]) -> dict[int, int]:
    """For each cut the last weight before it; raises where a layer reaches the output beside its cut, too."""
    live: list[frozenset[int]] = [frozenset()] * len(f.dom)
    cut: dict[int, frozenset[int]] = {}
    for number, (_, inputs, outputs) in enumerate(f.nodes):
        reached = frozenset().union(*(live[k] for k in inputs), {number} & weights.keys())
        for wire in outputs:
            if wire in cuts and reached:  # what only a cut leads to is cut already
                cut[wire] = reached
            live.append(frozenset() if wire in cut else reached)
    hidden, last = frozenset().union(*cut.values()), frozenset().union(*(live[k] for k in f.outputs))
    both = sorted({weights[number] for number in hidden & last})
    if both:
        shown = ", ".join(names[k] for k in both)
        raise OperationError(
            f"the layer of {shown} reaches the output by two ways, and only one passes the next weight: it has no "
            "error of its own; direct feedback alignment needs layers one after another"
        )
    return {wire: weights[max(reached)] for wire, reached in cut.items()}
