"""Modes of differentiation: one derivative, of which the representation of linear maps is a choice.

    D^ f = a |-> (f a, f'(a)),        f'(a) : A' -> B' in any cartesian category k of linear maps            (ESS.D)
    D^ (f ; g)(a) = (c, f' ; g')  where (b, f') = D^ f a and (c, g') = D^ g b
    D^ (f x g) is componentwise, and D^ of a linear map is a |-> (f a, f)

`derivative(f, k)` is that functor, one fold over the nodes of a diagram. A category k is an instance of `LinearMaps`:

| k | a linear map is | f'(a) gives | mode |
| --- | --- | --- | --- |
| `FORWARD` | a function of changes | D[f](a, v) | forward |
| `REVERSE`, which is `Dual(FORWARD)` | a function of changes the other way | R[f](a, d) | reverse (ESS.dual) |
| `MATRICES` | a matrix for each pair of wires | the Jacobian | products of Jacobians, left to right |
| `Dual(MATRICES)` | their transposes | its transpose | the same, right to left |
| `Continuations(k, r)` | what makes maps A -> r of maps B -> r | as k, right to left | reverse without a transpose |

The point is on wires, and so is what a map in k gives, so each choice is a diagram again: it runs in every functor,
over every semiring, and is differentiated in turn. Second derivatives are one mode over another. For f with n numbers
in and m out, D[f] and R[f] cost a few times what f costs, a Jacobian n forward or m reverse sweeps, a product by a
Hessian a few times f in any order of modes (ESS.assoc).

>>> from catlearn.semirings import INTEGERS
>>> from catlearn.tracing import diagram
>>> @diagram(Space((), INTEGERS), Space((), INTEGERS))
... def f(x, y):
...     return x * x * y
>>> int(forward(f)(3, 5, 1, 0)), [int(d) for d in reverse(f)(3, 5, 1)], [int(j) for j in jacobian(f)(3, 5)]
(30, [30, 9], [30, 9])
>>> [int(h) for h in hessian_vector(f)(3, 5, 1, 0)]
[10, 6]

Source: Elliott, The simple essence of automatic differentiation (1804.00746), sections 4, 9 and 12.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from catlearn.diagram import Diagram, Generator, identity, permute
from catlearn.errors import OperationError, UnknownNameError, nearest
from catlearn.functions import add, constant, einsum, reshape, transpose, zeros
from catlearn.generators.batching import batch
from catlearn.reverse import FoldingBuilder
from catlearn.space import Object, Space, changes
from catlearn.substitution import substitute
from catlearn.systems.linear_maps import (
    FORWARD,
    MATRICES,
    REVERSE,
    Continuations,
    Dual,
    Linear,
    LinearMaps,
    apply_to,
    unit_changes,
)
from catlearn.tracing import Wire, trace

__all__ = [
    "FORWARD",
    "MATRICES",
    "REVERSE",
    "Continuations",
    "Dual",
    "Linear",
    "LinearMaps",
    "derivative",
    "differentiated",
    "folded",
    "forward",
    "gradient",
    "hessian_vector",
    "jacobian",
    "reverse",
    "second_derivative",
    "sweeps",
]


def derivative(f: Diagram, maps: LinearMaps) -> Callable[[Sequence[Wire]], tuple[list[Wire], Linear]]:
    """D^ f: a function of wires at a point a, giving those of f a and the linear map f'(a) in the category `maps`.

    It is used inside a traced function; `differentiated` is the diagram. Raises `OperationError` where a generator has
    neither a reverse derivative nor an expansion.
    """
    f = _with_reverses(f)
    read_later = _live(f)[1:]

    def at(point: Sequence[Wire]) -> tuple[list[Wire], Linear]:
        values, live = list(point), list(range(len(f.dom)))
        slope = maps.identity(changes(f.dom))
        for (generator, sources, outputs), later in zip(f.nodes, read_later, strict=True):
            here = [values[wire] for wire in sources]
            kept = [wire for wire in later if wire not in outputs]
            slope = _to(maps, slope, live, [*kept, *sources])
            beside = maps.identity(slope.cod[: len(kept)])
            slope = maps.compose(slope, maps.beside(beside, maps.generator(generator, here)))
            values += _values(generator, here)
            live = [*kept, *outputs]
        return [values[wire] for wire in f.outputs], _to(maps, slope, live, f.outputs)

    return at


def _to(maps: LinearMaps, slope: Linear, live: Sequence[int], wires: Sequence[int]) -> Linear:
    """The map into the wires that are live, followed by copies, discards and exchanges into those."""
    places = {wire: k for k, wire in enumerate(live)}
    return maps.compose(slope, maps.wiring(slope.cod, [places[wire] for wire in wires]))


def _with_reverses(f: Diagram) -> Diagram:
    """The same diagram of generators that have a reverse derivative of their own."""
    for generator, _, _ in f.nodes:
        if generator.reversed is None and generator.expanded is None:
            raise OperationError(f"{generator.name} has no derivative: give its class a reverse() or an expansion()")
    expanded = substitute(f, lambda generator: generator.expanded if generator.reversed is None else None)
    return f if expanded is f else _with_reverses(expanded)


def _values(generator: Generator, here: Sequence[Wire]) -> list[Wire]:
    """What a generator computes; one whose reverse is not its derivative leaves no mark."""
    computed = None if generator.lawful else generator.computes()
    return apply_to(generator.diagram if computed is None else computed, here)


def differentiated(f: Diagram, maps: LinearMaps) -> Diagram:
    """The diagram of D^ f, A x arguments -> B x results: f a, and f'(a) as the category `maps` shows it.

    With `FORWARD` it is (a, v) |-> (f a, D[f](a, v)), with `REVERSE` (a, d) |-> (f a, R[f](a, d)), with `MATRICES`
    a |-> (f a, the blocks of the Jacobian, a matrix of entries by entries for each output and each input).
    """
    given = maps.arguments(changes(f.dom), changes(f.cod))

    def run(*wires: Wire) -> list[Wire]:
        values, slope = derivative(f, maps)(wires[: len(f.dom)])
        return [*values, *maps.run(slope, wires[len(f.dom) :])]

    return folded(f.dom + given, run)


def folded(dom: Object, function: Callable[..., list[Wire]]) -> Diagram:
    """The diagram of a function of wires, with zeros folded away: 0 + x = x, and f(0) = 0 for linear f."""
    made = trace(dom, function)
    builder = FoldingBuilder(made.dom)
    return builder.finish(builder.replay(made, tuple(range(len(made.dom)))))


def _slope(f: Diagram, maps: LinearMaps) -> Diagram:
    """f'(a) alone."""
    whole = differentiated(f, maps)
    return whole.select(range(len(f.cod), len(whole.cod)))


def forward(f: Diagram) -> Diagram:
    """Forward mode, (a, v) |-> D[f](a, v) : A x A' -> B'; `cl.forward_derivative` gives the same from R alone."""
    return _slope(f, FORWARD)


def reverse(f: Diagram) -> Diagram:
    """Reverse mode, (a, d) |-> R[f](a, d) : A x B' -> A', the same as `cl.reverse_derivative`."""
    return _slope(f, REVERSE)


def gradient(f: Diagram) -> Diagram:
    """a |-> R[f](a, 1) : A -> A', for f with one output of one entry; raises `OperationError` for another."""
    if len(f.cod) != 1 or f.cod[0].size != 1:
        raise OperationError(
            f"a gradient is of a map into one number; got {f}: use reverse(f) with a change of its output"
        )
    one = trace((), lambda: constant(f.cod[0].changes, 1))
    return (identity(f.dom) @ one) >> reverse(f)


SECOND = ("forward over reverse", "reverse over forward", "reverse over reverse")
"""The orders of modes that give a second derivative."""


def second_derivative(f: Diagram, mode: str = SECOND[0]) -> Diagram:
    """(a, v, d) |-> the derivative of R[f](-, d) at a along v, A x A' x B' -> A': sum_k d_k H_k v.

    "forward over reverse" is D of a |-> R[f](a, d); "reverse over forward" R of a |-> D[f](a, v) at d; "reverse over
    reverse" R of a |-> R[f](a, d) at v, the same because H is symmetric (RD.7). Raises `UnknownNameError` for another.
    """
    A, a, b = f.dom, changes(f.dom), changes(f.cod)
    if mode == SECOND[0]:
        # D of (a, d) |-> R[f](a, d), with d held still
        still = permute([A, a, b], [0, 2, 1]) >> (identity(A + b + a) @ _nothing(b))
        return _replayed(still >> forward(reverse(f)))
    if mode == SECOND[1]:
        return _replayed(reverse(forward(f)).select(range(len(A))))
    if mode == SECOND[2]:
        back = permute([A, a, b], [0, 2, 1]) >> reverse(reverse(f))
        return _replayed(back.select(range(len(A))))
    raise UnknownNameError(f"no second derivative is called {mode!r}: {nearest(mode, SECOND)}")


def _nothing(spaces: Object) -> Diagram:
    return trace((), lambda: [zeros(space) for space in changes(spaces)])


def _replayed(f: Diagram) -> Diagram:
    return folded(f.dom, lambda *wires: apply_to(f, wires))


def hessian_vector(f: Diagram, mode: str = SECOND[0]) -> Diagram:
    """(a, v) |-> H v, A x A' -> A', the Hessian of f, a map into one number, times a change; see `second_derivative`.

    It costs a few times what f costs, whatever the number of inputs; no Hessian is made.
    """
    gradient(f)  # refused for the same f
    one = trace((), lambda: constant(f.cod[0].changes, 1))
    return _replayed((identity(f.dom + changes(f.dom)) @ one) >> second_derivative(f, mode))


JACOBIANS = ("forward", "reverse", "mixed", "matrices")
"""The modes of a Jacobian."""


def sweeps(f: Diagram) -> dict[str, int]:
    """How often each mode runs through f for its Jacobian: as many times as there are numbers in, out, or at the waist.

    The waist is where f can be cut in two with the fewest numbers between; "mixed" goes back through what is before it
    and forward through what comes after.

    >>> from catlearn import layers
    >>> sweeps((layers.dense(9, 2) >> layers.dense(2, 7)).morphism)  # with the parameters: 18 + 2 + 14 + 7 more inputs
    {'forward': 50, 'reverse': 7, 'mixed': 7}
    """
    return {"forward": _size(f.dom), "reverse": _size(f.cod), "mixed": min(_widths(f))}


def _size(spaces: Object) -> int:
    return sum(space.size for space in spaces if space.changes.carrier.has("multiply"))


def jacobian(f: Diagram, mode: str | None = None) -> Diagram:
    """a |-> the Jacobian, an output of shape (output's shape, input's shape) for each output of f and each input.

    "forward" runs D[f] on all unit changes of the input at once, "reverse" R[f] on those of the output, "mixed" is the
    product of the Jacobians of two parts (see `sweeps`), "matrices" multiplies those of all nodes. None takes that of
    the first three with the fewest sweeps. Raises `UnknownNameError` for another mode, `OperationError` where
    inputs and outputs do not change in one and the same semiring.
    """
    carriers = {space.carrier for space in changes(f.dom + f.cod)}
    if len(carriers) > 1 or not all(carrier.has("multiply") for carrier in carriers):
        raise OperationError(
            f"a Jacobian needs inputs and outputs that change in one semiring; got {f}: hold the others by a constant"
        )
    if mode is None:
        cost = sweeps(f)
        mode = min(cost, key=cost.__getitem__)
    ways: dict[str, Callable[[Diagram], Diagram]] = {
        "forward": _by_columns,
        "reverse": _by_rows,
        "mixed": _by_parts,
        "matrices": lambda f: _slope(f, MATRICES),
    }
    if mode not in ways:
        raise UnknownNameError(f"no mode of a Jacobian is called {mode!r}: {nearest(mode, JACOBIANS)}")
    blocks = ways[mode](f)

    def shaped(*wires: Wire) -> list[Wire]:
        shapes = [(*out.shape, *space.shape) for out in f.cod for space in f.dom]
        return [reshape(block, shape) for block, shape in zip(wires, shapes, strict=True)]

    return blocks >> trace(blocks.cod, shaped)


def _by_rows(f: Diagram) -> Diagram:
    """The blocks of the Jacobian, R[f] on every unit change of the output."""
    return _sides(f, reverse(f), changes(f.cod), changes(f.dom), lambda part, out, space: part)


def _by_columns(f: Diagram) -> Diagram:
    """The same by D[f] on every unit change of the input."""
    made = _sides(f, forward(f), changes(f.dom), changes(f.cod), lambda part, space, out: transpose(part))
    n, m = len(f.dom), len(f.cod)
    return made.select(i * m + j for j in range(m) for i in range(n))


def _sides(f: Diagram, slope: Diagram, seeds: Object, results: Object, made: Callable[..., Wire]) -> Diagram:
    """For every seed and result, the matrix with a row for each unit change of the seed."""

    def run(*point: Wire) -> list[Wire]:
        blocks = []
        for k, seed in enumerate(seeds):
            flags = [False] * len(point) + [j == k for j in range(len(seeds))]
            given = [unit_changes(space) if j == k else zeros(space) for j, space in enumerate(seeds)]
            rows = apply_to(batch(slope, seed.size, flags), [*point, *given])
            blocks += [
                made(reshape(row, (seed.size, space.size)), seed, space)
                for row, space in zip(rows, results, strict=True)
            ]
        return blocks

    return folded(f.dom, run)


def _by_parts(f: Diagram) -> Diagram:
    """The product of the Jacobians of what is before the waist, by rows, and after it, by columns."""
    before, after = _cut(f)

    def run(*point: Wire) -> list[Wire]:
        first = apply_to(_by_rows(before), point)
        second = apply_to(_by_columns(after), apply_to(before, point))
        n, p = len(before.dom), len(before.cod)

        def block(j: int, i: int) -> Wire:
            parts = [einsum("ab,bc->ac", second[j * p + k], first[k * n + i]) for k in range(p)]
            return reduce(add, parts) if parts else zeros(_block(f, j, i))

        return [block(j, i) for j in range(len(f.cod)) for i in range(n)]

    return folded(f.dom, run)


def _block(f: Diagram, j: int, i: int) -> Space:
    return f.cod[j].changes.with_shape((f.cod[j].size, f.dom[i].size))


def _live(f: Diagram) -> list[list[int]]:
    """For each place between nodes, the wires made before it that something after it reads."""
    last = {wire: k for k, (_, sources, _) in enumerate(f.nodes) for wire in sources}
    last.update(dict.fromkeys(f.outputs, len(f.nodes)))
    made, live = list(range(len(f.dom))), [[*range(len(f.dom))]]
    for k, (_, _, outputs) in enumerate(f.nodes):
        made = [wire for wire in (*made, *outputs) if last.get(wire, -1) > k]
        live.append(made)
    return live


def _crossing(f: Diagram) -> list[list[int]]:
    """The same without constants, which are made again where they are read."""
    constants = {wire for _, sources, outputs in f.nodes if not sources for wire in outputs}
    return [[wire for wire in wires if wire not in constants] for wires in _live(f)]


def _widths(f: Diagram) -> list[int]:
    spaces = [*f.dom, *(space for generator, _, _ in f.nodes for space in generator.cod)]
    return [_size(tuple(spaces[wire] for wire in wires)) for wires in _crossing(f)]


def _cut(f: Diagram) -> tuple[Diagram, Diagram]:
    """Two diagrams whose composite is f, with the fewest numbers between them."""
    widths = _widths(f)
    k = widths.index(min(widths))
    wires = _crossing(f)[k]
    nodes = [(generator, sources) for generator, sources, _ in f.nodes]
    before = Diagram(f.dom, nodes[:k], wires)
    builder = FoldingBuilder(before.cod)
    here = dict(zip(wires, range(len(wires)), strict=True))
    for generator, sources, outputs in [node for j, node in enumerate(f.nodes) if j >= k or not node[1]]:
        made = builder.apply(generator, tuple(here[wire] for wire in sources))
        here.update(zip(outputs, made, strict=True))
    return before, builder.finish(here[wire] for wire in f.outputs)
