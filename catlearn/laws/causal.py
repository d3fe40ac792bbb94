"""Laws of causal maps and of their derivatives, each on the unrolling of three steps.

A random causal map is two random steps, one at time 0 and one at all later times, on objects that differ likewise.
Unrollings whose sides are put together differently are compared as functions: as polynomials their degrees explode.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

from catlearn import functions
from catlearn.diagram import Diagram, copy, discard, identity, permute
from catlearn.functions import add, zero
from catlearn.functors.free import Symbol, symbol
from catlearn.generators.scan import Scan
from catlearn.laws.law import Law, Pair, apply, at_points, differ, formula
from catlearn.para import Para
from catlearn.space import Object, changes
from catlearn.systems.causal import Causal, delay, derivative, lift, stateful
from catlearn.systems.sequences import Sequence as Times
from catlearn.systems.sequences import always
from catlearn.tracing import Wire, trace

__all__ = ["CAUSAL", "DT", "STEPS", "Sides", "alike", "cut", "items_of", "random_map", "same", "steady"]

DT = "Sprunger and Katsumata, Differentiable causal computations via delayed trace (1903.01093)"
STEPS = 3

Operator = Callable[[Diagram], Diagram]
Sides = Iterable[tuple[Any, Any] | Pair]


def random_map(i: Diagram, f: Diagram, g: Diagram, S: Object, T: Object, P: Object = ()) -> Causal:
    """i : P -> S; f : P S X_0 -> T Y_0 at time 0; g : P T X -> T Y later."""
    return Causal(P, Times((S,), T), i, Times((f,), g))


def steady(i: Diagram, f: Diagram, S: Object, P: Object = ()) -> Causal:
    """i : P -> S, and f : P S X -> S Y at all times."""
    return Causal(P, always(S), i, always(f))


def same(left: Causal, right: Causal, steps: int = STEPS) -> tuple[Any, Any]:
    """The unrollings."""
    return left.unrolled(steps), right.unrolled(steps)


def alike(left: Causal, right: Causal, steps: int = STEPS) -> Pair:
    """The unrollings, as functions."""
    return at_points(left.unrolled(steps).diagram, right.unrolled(steps).diagram)


def cut(wires: Sequence[Wire], objects: Iterable[Object]) -> list[list[Wire]]:
    """The wires of each object."""
    rest, parts = list(wires), []
    for spaces in objects:
        parts.append(rest[: len(spaces)])
        rest = rest[len(spaces) :]
    return parts


def _outputs(f: Causal, p: list[Wire], items: Sequence[list[Wire]]) -> list[list[Wire]]:
    """What f gives at each time, by its unrolling."""
    wires = apply(f.unrolled(len(items)).diagram, p, *items)
    return cut(wires, [f.cod[k] for k in range(len(items))])


def _by_hand(f: Causal, p: list[Wire], items: Sequence[list[Wire]]) -> tuple[list[list[Wire]], list[list[Wire]]]:
    """The states before each step and after the last, and the outputs, step by step."""
    states, outputs = [apply(f.initial, p)], []
    for k, item in enumerate(items):
        state, output = cut(apply(f.steps[k], p, states[-1], item), [f.states[k + 1], f.cod[k]])
        states.append(state)
        outputs.append(output)
    return states, outputs


def items_of(f: Causal, steps: int = STEPS) -> list[Object]:
    """The objects X_0, X_1, .. that come in."""
    return [f.dom[k] for k in range(steps)]


def _definition(i: Diagram, f: Diagram, g: Diagram, P: Object, S: Object, T: Object) -> Sides:
    whole = random_map(i, f, g, S, T, P)
    pointwise = formula([P, *items_of(whole)], lambda p, *items: [*chain(*_by_hand(whole, p, items)[1])])
    longer = formula([P, *items_of(whole)], lambda p, *items: apply(whole.unrolled(STEPS).diagram, p, *items))
    shorter = whole.unrolled(STEPS - 1).diagram @ discard(whole.dom[STEPS - 1])
    return [
        (longer, pointwise),
        (longer.select(range(len(shorter.cod))), shorter),  # what comes later changes nothing
        (whole.unrolled(0).diagram, discard(P)),
        (whole.dom[0], f.dom[len(P + S) :]),
        (whole.cod[1], g.cod[len(T) :]),
    ]


def _functor(
    i: Diagram, f: Diagram, g: Diagram, j: Diagram, h: Diagram, k: Diagram,
    P: Object, Q: Object, S: Object, T: Object, U: Object, V: Object,
) -> Sides:  # fmt: skip
    one, two = random_map(i, f, g, S, T, P), random_map(j, h, k, U, V, Q)
    return [
        ((one >> two).unrolled(STEPS), one.unrolled(STEPS) >> two.unrolled(STEPS)),
        (lift(one.dom.map(identity)).unrolled(STEPS), Para.of(identity(one.unrolled(STEPS).dom))),
    ]


def _composite(
    i: Diagram, f: Diagram, g: Diagram, j: Diagram, h: Diagram, k: Diagram,
    P: Object, Q: Object, S: Object, T: Object, U: Object, V: Object,
) -> Sides:  # fmt: skip
    one, two = random_map(i, f, g, S, T, P), random_map(j, h, k, U, V, Q)
    whole = one >> two

    def step(time: int) -> Diagram:
        s, t, after = one.states[time], two.states[time], one.states[time + 1]

        def run(q: Any, p: Any, s: Any, t: Any, x: Any) -> list[Any]:
            new, y = cut(apply(one.steps[time], p, s, x), [after, one.cod[time]])
            return [*new, *apply(two.steps[time], q, t, y)]

        return formula([Q, P, s, t, one.dom[time]], run)

    return [
        (whole.initial, formula([Q, P], lambda q, p: [*apply(i, p), *apply(j, q)])),
        *((whole.states[time], one.states[time] + two.states[time]) for time in range(2)),
        *((whole.steps[time], step(time)) for time in range(2)),
    ]


def _tensor(
    i: Diagram, f: Diagram, g: Diagram, j: Diagram, h: Diagram, k: Diagram,
    P: Object, Q: Object, S: Object, T: Object, U: Object, V: Object,
) -> Sides:  # fmt: skip
    one, two = random_map(i, f, g, S, T, P), random_map(j, h, k, U, V, Q)
    both = [space for pair in zip(items_of(one), items_of(two), strict=True) for space in pair]

    def run(p: Any, q: Any, *items: Any) -> list[Any]:
        left, right = _outputs(one, p, items[::2]), _outputs(two, q, items[1::2])
        return [wire for pair in zip(left, right, strict=True) for part in pair for wire in part]

    return [((one @ two).unrolled(STEPS).diagram, formula([P, Q, *both], run))]


def _assoc(
    i: Diagram, f: Diagram, j: Diagram, g: Diagram, k: Diagram, h: Diagram,
    P: Object, Q: Object, U: Object, S: Object, T: Object, V: Object,
) -> Sides:  # fmt: skip
    one, two, three = steady(i, f, S, P), steady(j, g, T, Q), steady(k, h, V, U)
    return [same((one >> two) >> three, one >> (two >> three)), ((one >> two) >> three, one >> (two >> three))]


def _unit(i: Diagram, f: Diagram, g: Diagram, P: Object, S: Object, T: Object) -> Sides:
    whole = random_map(i, f, g, S, T, P)
    before, after = lift(whole.dom.map(identity)), lift(whole.cod.map(identity))
    return [same(before >> whole, whole), same(whole >> after, whole)]


def _delay(
    i: Diagram, f: Diagram, g: Diagram, j: Diagram, h: Diagram, k: Diagram,
    P: Object, Q: Object, S: Object, T: Object, U: Object, V: Object,
) -> Sides:  # fmt: skip
    one, two = random_map(i, f, g, S, T, P), random_map(j, h, k, U, V, Q)
    late = delay(one)
    return [
        ((late.dom, late.cod), (one.dom.delayed(()), one.cod.delayed(()))),
        (late.unrolled(STEPS), one.unrolled(STEPS - 1)),
        same(delay(one >> two), late >> delay(two)),
        same(delay(lift(one.dom.map(identity))), lift(late.dom.map(identity))),
    ]


# Derivatives. Inputs of D* are values and then changes, x_0 dx_0 x_1 dx_1 ..; those of D are all values, all changes.


def _unrolled_derivative(f: Causal, D: Operator) -> Pair:
    """U(D* f) = D[U f], interleaved."""
    P, X = f.parameter, [side for spaces in items_of(f) for side in (spaces, changes(spaces))]

    def run(p: Any, dp: Any, *items: Any) -> list[Any]:
        return apply(D(f.unrolled(STEPS).diagram), p, *items[::2], dp, *items[1::2])

    return at_points(derivative(f).unrolled(STEPS).diagram, formula([P, changes(P), *X], run))


def _pair(f: Causal, g: Causal) -> Causal:
    return lift(copy(f.dom.rest)) >> (f @ g)


def _of_causal_maps(f: Causal, g: Causal, h: Causal) -> Iterable[Pair]:
    """CD.1 to CD.7 of f, g : X -> Y and h : Y -> Z."""
    X, Y, d = f.dom.rest, f.cod.rest, derivative
    df, dg, dX, dY, one = d(f), d(g), changes(X), changes(Y), identity(X)
    if all(space.carrier.has("add") for space in Y):
        yield alike(d(_pair(f, g) >> add(Y)), _pair(df, dg) >> add(dY))
    ways = (one @ identity(dX) @ discard(dX)) >> df, (one @ discard(dX) @ identity(dX)) >> df
    yield alike((one @ add(dX)) >> df, _pair(*ways) >> add(dY))
    yield alike((one @ zero((), dX)) >> df, lift(zero(X, dY)))
    yield alike(d(one @ discard(Y)), lift(discard(X + Y) @ identity(dX) @ discard(dY)))
    yield alike(d(_pair(f, g)), _pair(df, dg))
    yield alike(d(f >> h), _pair(f @ discard(dX), df) >> d(h))
    if f.step.lawful:  # a surrogate's second derivative need not be symmetric, in St(C) as in C
        twice, nothing = d(df), identity(X + dX) @ zero((), dX) @ identity(dX)
        yield alike(nothing >> twice, (one @ discard(dX) @ identity(dX)) >> df)
        yield alike(twice, permute([X, dX, dX, dX], [0, 2, 1, 3]) >> twice)


def _derivative(
    i: Diagram, f: Diagram, g: Diagram, P: Object, S: Object, T: Object,
    j: Diagram, h: Diagram, U: Object, k: Diagram, a: Diagram, V: Object, m: Diagram, b: Diagram, W: Object,
    D: Operator,
) -> Sides:  # fmt: skip
    return [
        _unrolled_derivative(random_map(i, f, g, S, T, P), D),
        *_of_causal_maps(steady(j, h, U), steady(k, a, V), steady(m, b, W)),
    ]


def _by_recursion(f: Causal, R: Operator) -> Diagram:
    """lambda_{n+1} = 0; for k = n .. 0 (lambda_k, x'_k) = R[f_k]((s_k, x_k), (lambda_{k+1}, y'_k))."""
    P, X, Y = f.parameter, items_of(f), [changes(f.cod[k]) for k in range(STEPS)]

    def run(p: Any, *wires: Any) -> list[Any]:
        items, ends = wires[:STEPS], wires[STEPS:]
        states, _ = _by_hand(f, p, items)
        change = [functions.zeros(wire.space.changes) for wire in states[-1]]
        total, back = [functions.zeros(space) for space in changes(P)], list[Any]()
        for k in reversed(range(STEPS)):
            parts = [changes(P), changes(f.states[k]), changes(X[k])]
            part, change, item = cut(apply(R(f.steps[k]), p, states[k], items[k], change, ends[k]), parts)
            total, back = _sums(total, part), [*item, *back]
        return [*_sums(total, apply(R(f.initial), p, change)), *back]

    return formula([P, *X, *Y], run)


def _sums(left: Iterable[Wire], right: Iterable[Wire]) -> list[Wire]:
    return [a + b for a, b in zip(left, right, strict=True)]


def _stacked(spaces: Object) -> Diagram:
    """X x .. x X -> X^n."""

    def run(*wires: Wire) -> list[Wire]:
        rows = [functions.reshape(wire, (1, *wire.shape)) for wire in wires]
        return [functions.concatenate(rows[k :: len(spaces)]) for k in range(len(spaces))]

    return trace(spaces * STEPS, run)


def _through_time(
    i: Diagram, f: Diagram, g: Diagram, P: Object, S: Object, T: Object,
    j: Diagram, h: Diagram, Q: Object, U: Object, R: Operator,
) -> Sides:  # fmt: skip
    """By hand, and by one Scan."""
    varied, whole = random_map(i, f, g, S, T, P), steady(j, h, U, Q)
    X, Y = whole.dom.rest, whole.cod.rest
    once, many = whole.as_scan(STEPS).diagram, whole.unrolled(STEPS).diagram
    inputs, ends = identity(Q) @ _stacked(X), _stacked(changes(Y))
    return [
        at_points(R(varied.unrolled(STEPS).diagram), _by_recursion(varied, R)),
        at_points(inputs >> once, many >> _stacked(Y)),
        at_points((inputs @ ends) >> R(once), R(many) >> (identity(changes(Q)) @ _stacked(changes(X)))),
    ]


def _shared(i: Diagram, f: Diagram, g: Diagram, c: Diagram, P: Object, S: Object, T: Object, R: Operator) -> Sides:
    """A parameter, the same input at all times, and a part of the state."""
    tied = random_map(identity(P) @ i >> discard(P) @ identity(S), f, g, S, T, P)
    states = tied.states
    untied = steps_of(tied, lambda k: permute([states[k], P, tied.dom[k]], [1, 0, 2]) >> tied.steps[k], (), i)
    X, Y, dP = items_of(tied), [changes(tied.cod[k]) for k in range(STEPS)], changes(P)

    def repeated(p: Any, *items: Any) -> list[Any]:
        return apply(untied.unrolled(STEPS).diagram, *(part for item in items for part in (p, item)))

    def back(p: Any, *wires: Any) -> list[Any]:
        items = [part for item in wires[:STEPS] for part in (p, item)]
        results = apply(R(untied.unrolled(STEPS).diagram), *items, *wires[STEPS:])
        parts = cut(results, [part for spaces in X for part in (dP, changes(spaces))])
        total = [functions.zeros(space) for space in dP]
        for part in parts[::2]:
            total = _sums(total, part)
        return [*total, *(wire for part in parts[1::2] for wire in part)]

    return [
        (tied.unrolled(STEPS).diagram, formula([P, *X], repeated)),
        at_points(R(tied.unrolled(STEPS).diagram), formula([P, *X, *Y], back)),
        *_in_the_state(tied, i, c),
    ]


def _in_the_state(tied: Causal, i: Diagram, c: Diagram) -> Sides:
    """Kept in the state, a parameter has the change zero: D* does not see it."""
    P, states = tied.parameter, tied.states

    def step(k: int) -> Diagram:
        return (copy(P) @ identity(states[k] + tied.dom[k])) >> (identity(P) @ tied.steps[k])

    kept = Causal((), states.map(lambda spaces: P + spaces), c @ i, Times((step(0),), step(1)))
    given = derivative(tied).unrolled(STEPS)
    fixed = (c @ zero((), changes(P)) @ identity(given.dom)) >> given.diagram
    yield at_points(derivative(kept).unrolled(STEPS).diagram, fixed)


def steps_of(f: Causal, step: Callable[[int], Diagram], parameter: Object, initial: Diagram) -> Causal:
    """The causal map with the states of f and other steps."""
    return Causal(parameter, f.states, initial, Times((step(0),), step(1)))


def _not_causal(i: Diagram, f: Diagram, g: Diagram, P: Object, S: Object, T: Object, A: Object, R: Operator) -> Sides:
    """x'_2 reads no y'_k of k < 2; and x'_0 reads y'_2, where a sum runs along."""
    whole = random_map(i, f, g, S, T, P)
    back, X, Y = R(whole.unrolled(STEPS).diagram), items_of(whole), [changes(whole.cod[k]) for k in range(STEPS)]
    last = back.select(range(len(back.cod) - len(X[-1]), len(back.cod)))
    before: Object = sum(Y[:-1], ())
    ignored = identity(P + sum(X, ())) @ zero(before, before) @ identity(Y[-1])
    yield at_points(last, ignored >> last)
    for space in A[:1]:
        if space.size and space.carrier.has("add"):
            running = stateful(trace((space, space), lambda s, x: (s + x, s + x)), [space.carrier.zero])
            ends, items = (space.changes,) * STEPS, discard((space,) * STEPS)
            first = R(running.unrolled(STEPS).diagram).select([0])
            yield at_points(first, items @ trace(ends, lambda a, b, c: a + b + c))
            yield differ(first, items @ (discard(ends[:1]) @ identity(ends[:1]) @ discard(ends[:1])), points=True)


def _cost(A: Object, R: Operator) -> Sides:
    """R of the Scan of f ; g: a scan of one f and one g, and one of R[f] and R[g] alone, which stacks no p'."""
    for space in A[:1]:
        body = symbol("f", (space,) * 3, space) >> symbol("g", space, (space,) * 2)
        whole = stateful(Para((space,), (space,) * 2, body), [space.carrier.zero])
        scans = [g for g, _, _ in R(whole.as_scan(5).diagram).nodes if isinstance(g, Scan)]
        used = [sorted(g.name for g, _, _ in scan.body.nodes if isinstance(g, Symbol)) for scan in scans]
        yield used, [["f", "g"], ["R[f]", "R[g]"]]
        yield len(scans[0].cod) - scans[0].states <= 3, True  # s, x, and what is between f and g, but not y
        yield len(scans[1].cod) - scans[1].states, 1


_ONE = "i: P -> S, f: P S A -> T B, g: P T C -> T E"
_TWO = f"{_ONE}, j: Q -> U, h: Q U B -> V F, k: Q V E -> V G"
CAUSAL: tuple[Law, ...] = (
    Law("ST.def", "U_n(f) runs f_0, .., f_n from i, handing on the state, and drops the last", DT, _ONE, _definition),
    Law("ST.unroll", "U_n(f ; g) = U_n(f) ; U_n(g), U_n(1) = 1", DT, _TWO, _functor),
    Law("ST.comp", "(s, t, x) -> ((s', t'), z): (s', y) = f_k(s, x), (t', z) = g_k(t, y)", DT, _TWO, _composite),
    Law(
        "ST.tensor",
        "U_n(f x g) is U_n(f) and U_n(g), time by time",
        DT,
        f"{_ONE}, j: Q -> U, h: Q U F -> V G, k: Q V H -> V K",
        _tensor,
    ),
    Law(
        "ST.assoc",
        "(f ; g) ; h = f ; (g ; h)",
        DT,
        "i: P -> S, f: P S A -> S B, j: Q -> T, g: Q T B -> T C, k: U -> V, h: U V C -> V E",
        _assoc,
    ),
    Law("ST.unit", "1 ; f = f = f ; 1", DT, _ONE, _unit),
    Law("ST.delay", "∂f does nothing at time 0 and then runs f; ∂(f ; g) = ∂f ; ∂g, ∂1 = 1", DT, _TWO, _delay),
    Law(
        "ST.D",
        "U_n(D* f) = D[U_n f], interleaved, and CD.1 to CD.7 hold of D*",
        DT,
        f"{_ONE}, j: 1 -> U, h: U F -> U G, k: 1 -> V, a: V F -> V G, m: 1 -> W, b: W G -> W H",
        _derivative,
    ),
    Law(
        "ST.BPTT",
        "R[U_n f]: (lambda_k, x'_k) = R[f_k]((s_k, x_k), (lambda_{k+1}, y'_k)), lambda_{n+1} = 0; and by one Scan",
        DT,
        f"{_ONE}, j: Q -> U, h: Q U F -> U G",
        _through_time,
    ),
    Law(
        "ST.shared",
        "a parameter's change is the sum over time; kept in the state instead, it has none",
        DT,
        "i: 1 -> S, f: P S A -> T B, g: P T C -> T E, c: 1 -> P",
        _shared,
    ),
    Law("ST.notcausal", "x'_k reads y'_j for j >= k alone, and does read later ones", DT, f"{_ONE}, A", _not_causal),
    Law("ST.cost", "R of a scan of f computes f once a step, and stacks no parameter's change", DT, "A", _cost),
)
"""The laws of causal maps."""
