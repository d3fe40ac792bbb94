"""Laws of optics, and what running lenses and optics costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from itertools import product
from typing import Any

from catlearn.diagram import Diagram, copy, discard, identity
from catlearn.functors.free import symbol
from catlearn.generators.arithmetic import Add, Constant, Multiply
from catlearn.laws.derivatives import CF
from catlearn.laws.law import Law, differ
from catlearn.lens import Lens, Sides
from catlearn.optic import Optic
from catlearn.reverse import reverse_derivative
from catlearn.semirings import INTEGERS
from catlearn.space import Object, Space, changes

__all__ = ["OPTICS", "circuits", "gradient", "gradient_cost", "operations"]

OPTIC = "Riley, Categories of optics (1809.00738), section 2"
GRIEWANK = "Baur and Strassen (1983); Griewank and Walther, Evaluating derivatives, chapter 3"


def _slide(f: Diagram, h: Diagram, r: Diagram, M: Object, N: Object) -> list[tuple[Any, Any]]:
    one, two = Optic(M, f, (h @ identity(r.dom[len(N) :])) >> r).slide(h, r)
    return [(one.lens(), two.lens())]


def _composite(f: Diagram, r: Diagram, g: Diagram, s: Diagram, M: Object, N: Object) -> list[tuple[Any, Any]]:
    first, second = Optic(M, f, r), Optic(N, g, s)
    whole = first >> second
    return [
        (whole.lens(), first.lens() >> second.lens()),
        (whole.residual, M + N),
        (whole.forward, f >> (identity(M) @ g)),
        (whole.backward, (identity(M) @ s) >> r),
        ((first @ second).lens(), first.lens() @ second.lens()),
    ]


def _iso(f: Lens, g: Lens) -> list[tuple[Any, Any]]:
    one, two = Optic.of(f), Optic.of(g)
    return [(one.lens(), f), ((one >> two).lens(), f >> g), (Optic.of(f >> g).lens(), (one >> two).lens())]


def _nestings(parts: list[Any]) -> Iterator[tuple[str, Any]]:
    """The composite nested to the left, to the right, and balanced."""

    def balanced(some: list[Any]) -> Any:
        middle = len(some) // 2
        return some[0] if len(some) == 1 else balanced(some[:middle]) >> balanced(some[middle:])

    yield "left", reduce(lambda x, y: x >> y, parts)
    yield "right", reduce(lambda x, y: y >> x, reversed(parts))
    yield "balanced", balanced(parts)


def _count(diagram: Diagram, start: str) -> int:
    return sum(generator.name.startswith(start) for generator, _, _ in diagram.nodes)


def _chain(space: Space, n: int) -> list[Lens]:
    return [Lens.of(symbol(f"f{k}", (space,), (space,))) for k in range(n)]


def _sharing(A: Object) -> list[tuple[Any, Any]]:
    """The put of an n-fold composite: n - 1 gets and n puts, however it is nested."""
    n = 6
    return [
        ((_count(whole.put, "f"), _count(whole.put, "R[f")), (n - 1, n))
        for space in A[:1]
        for _, whole in _nestings(_chain(space, n))
    ]


def _running(A: Object) -> list[tuple[Any, Any]]:
    """Forward and then backward through an n-fold composite of optics: n calls each way, however it is nested."""
    n = 6
    pairs: list[tuple[Any, Any]] = []
    for space in A[:1]:
        for _, whole in _nestings([Optic.of(lens) for lens in _chain(space, n)]):
            pairs.append((_count(whole.forward, "f"), n))
            pairs.append((_count(whole.backward, "R[f"), n))
    return pairs


def circuits(inputs: int, gates: int) -> Iterator[Diagram]:
    """Every straight-line program of that many + and x gates on that many inputs, each input and gate used, one output.

    Gates read earlier wires, the larger number first; the output is the last gate.
    """
    number = Space((), INTEGERS)
    choices = [
        [(kind, (a, b)) for kind in (Add(number), Multiply(number)) for a in range(k) for b in range(a + 1)]
        for k in range(inputs, inputs + gates)
    ]
    for nodes in product(*choices):
        used = {wire for _, wires in nodes for wire in wires}
        different = len(set(nodes)) == len(nodes)  # a gate met twice is one
        if different and used == set(range(inputs + gates - 1)):
            yield Diagram((number,) * inputs, nodes, (inputs + gates - 1,))


def operations(diagram: Diagram) -> int:
    """How many sums and products a diagram computes; copies and constants are free."""
    return sum(not isinstance(generator, Constant) for generator, _, _ in diagram.nodes)


def gradient_cost(f: Diagram) -> tuple[int, int]:
    """The operations of f and its whole gradient, counted; and 2 N+ + 4 N* + 1 - n, as COST.cheapgrad says.

    The sweep is counted on a symbolic seed and on distinct wires: what is counted is the program, before equal parts of
    it are shared.
    """
    adds = sum(isinstance(generator, Add) for generator, _, _ in f.nodes)
    multiplications = len(f.nodes) - adds
    backward = 0
    reached: dict[int, int] = {f.outputs[0]: 1}  # how many cotangents arrive at a wire
    for generator, inputs, outputs in reversed(f.nodes):
        backward += reached[outputs[0]] - 1
        rule = generator.reversed
        assert rule is not None
        backward += operations(rule)
        for wire in inputs:
            reached[wire] = reached.get(wire, 0) + 1
    backward += sum(reached[wire] - 1 for wire in range(len(f.dom)))
    return len(f.nodes) + backward, 2 * adds + 4 * multiplications + 1 - len(f.dom)


def _gradients() -> Iterable[tuple[Any, Any]]:
    for f in [*circuits(1, 2), *circuits(2, 2), *circuits(2, 3)]:
        counted, predicted = gradient_cost(f)
        yield counted, predicted
        yield counted <= 4 * len(f.nodes), True
        both = copy(f.dom) >> (f @ gradient(f))
        yield operations(both) <= counted, True


def gradient(f: Diagram) -> Diagram:
    """The gradient of a program with one output: its R at the seed one."""
    one = Constant(f.cod[0], f.cod[0].carrier.one).diagram
    return (identity(f.dom) @ one) >> reverse_derivative(f)


def _in_terms_of_layers(A: Object, measure: Callable[[Lens], int]) -> list[tuple[Any, Any]]:
    return [
        (measure(whole), measure(_chain(space, 1)[0]) * n)
        for space in A[:1]
        for n in (1, 2, 5)
        for _, whole in _nestings(_chain(space, n))
    ]


OPTICS: tuple[Law, ...] = (
    Law(
        "OPTIC.def",
        "(M, l, r) ; (N, l2, r2) = (M N, l ; (1 x l2), (1 x r2) ; r), and as lenses likewise",
        OPTIC,
        "f: A -> M B, r: M B' -> A', g: B -> N C, s: N C' -> B', M, N",
        _composite,
    ),
    Law(
        "OPTIC.slide",
        "<l ; (h x 1) | r> = <l | (h x 1) ; r>",
        OPTIC,
        "f: A -> M B, h: M -> N, r: N B' -> A', M, N",
        _slide,
    ),
    Law("OPTIC.iso", "lens -> optic -> lens is 1, and keeps ;", OPTIC, "f: A => B, g: B => C", _iso),
    Law(
        "COST.assoc",
        "the put of n composed lenses holds n - 1 gets and n puts, however nested",
        CF,
        "A",
        _sharing,
    ),
    Law("COST.optic", "n composed optics run n forward and n backward maps, however nested", OPTIC, "A", _running),
    Law(
        "COST.test",
        "the put of n composed lenses calls each layer's reverse once",
        CF,
        "A",
        lambda A: _in_terms_of_layers(A, lambda lens: _count(lens.put, "R[f")),
    ),
    Law(
        "COST.cheapgrad",
        "a program of N+ sums and N* products of n inputs has its gradient in 2 N+ + 4 N* + 1 - n operations",
        GRIEWANK,
        "",
        _gradients,
        ("shipped", "INTEGERS"),
    ),
    Law(
        "LENS.notcartesian",
        "lenses (A, A') -> (1, 1) are the maps A -> A': there are several",
        CF,
        "f: A -> A', g: A -> A'",
        lambda f, g: [
            (Lens(discard(f.dom), f) == Lens(discard(g.dom), g), f == g),
            (Lens(discard(f.dom), f).cod, Sides((), ())),
            *([differ(_to_unit(f.dom, 0), _to_unit(f.dom, 1))] if any(space.size for space in f.dom) else []),
        ],
        ("own",),
    ),
)
"""The laws of optics and of cost."""


def _to_unit(spaces: Object, value: int) -> Lens:
    put = discard(spaces)
    for space in changes(spaces):
        constant = Constant(space, space.carrier.from_integer(value)).diagram
        put = put @ constant
    return Lens(discard(spaces), put)
