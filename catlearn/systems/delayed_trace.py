"""Feedback: the delayed trace of a causal map, and the registers that make it one.

    dtr(f) : X -> Y  for  f : X x ∂M -> Y x M,  what is on M at time k being on ∂M at time k + 1       (DTR.def)

It is what a wire that runs back through a register does, in a circuit or a network. Undelayed feedback is refused where
a signal would run in a circle; where none does, it is mere wiring. A register X -> X is the unit delay X -> ∂X, which
is the delayed trace of the swap (DTR.yank), with values for time 0.

>>> from catlearn.semirings import Z2
>>> from catlearn.tracing import diagram
>>> bit = Space((), Z2)
>>> @diagram(bit, bit)
... def toggle(x, q):
...     return q, x + q
>>> feedback(toggle, [0]).run([1, 1, 0, 1])[0].tolist()
[0, 1, 0, 0]

Source: Sprunger and Katsumata, Differentiable causal computations via delayed trace (1903.01093).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from typing import Any

from catlearn.diagram import Diagram, discard, identity, permute, swap
from catlearn.errors import CompositionError
from catlearn.para import Para
from catlearn.space import Object, Space, as_object, first_difference
from catlearn.systems.causal import Causal, Steps, beside, entries_of, initial_values, lift, stateful
from catlearn.systems.loops import joined, signal_path
from catlearn.systems.sequences import Objects, along, always, objects_of

__all__ = ["delayed_trace", "feedback", "register", "start", "unit_delay"]


def unit_delay(spaces: Objects | Space | Iterable[Space]) -> Causal:
    """X -> ∂X, each input one step later: the delayed trace of the swap X x ∂X -> ∂X x X (DTR.yank)."""
    X = objects_of(spaces)
    late = X.delayed(())
    return delayed_trace(lift(along(late.settled, lambda k: swap(X[k], late[k]))), X)


def start(spaces: Objects | Space | Iterable[Space], initial: Any) -> Causal:
    """∂X -> X: the initial values at time 0, where ∂X has none, and then what comes; `initial` as in `feedback`."""
    X = objects_of(spaces)
    first = initial_values(initial, X[0])
    P = first.parameter
    steps = along(max(1, X.settled), lambda k: discard(P) @ identity(X[k]) if k else first.diagram)
    return Causal(P, always(()), discard(P), steps, first.signature)


def delayed_trace(f: Steps, spaces: Objects | Space | Iterable[Space]) -> Causal:
    """dtr(f) : X -> Y for f : X x ∂M -> Y x M, where M is `spaces`; the state gains (∂M)_k (DTR.def).

    Raises `CompositionError` where f does not end so; where M comes in with no delay, the error names the loop.
    """
    whole, M = lift(f), objects_of(spaces)
    late = M.delayed(())
    settled = max(whole.settled, late.settled)
    if not isinstance(f, Causal) and M.rest and _ends(whole.dom.rest, M.rest) and _ends(whole.cod.rest, M.rest):
        raise _without_delay(whole.step, len(M.rest))
    for k in range(settled + 1):
        for spaces_, wanted, what in ((whole.dom[k], late[k], "∂M comes in"), (whole.cod[k], M[k], "M goes out")):
            if not _ends(spaces_, wanted):
                raise first_difference(wanted, spaces_, f"in a delayed trace {what} last; M and the wires at time {k}")

    def step(k: int) -> Diagram:
        P, S, after = whole.parameter, whole.states[k], whole.states[k + 1]
        X, Y = _without(whole.dom[k], late[k]), _without(whole.cod[k], M[k])
        return permute([P, S, late[k], X], [0, 1, 3, 2]) >> whole.steps[k] >> permute([after, Y, M[k]], [0, 2, 1])

    states = beside(whole.states, late)
    return Causal(whole.parameter, states, whole.initial, along(settled, step), whole.signature)


def _ends(spaces: Object, last: Object) -> bool:
    return len(last) <= len(spaces) and spaces[len(spaces) - len(last) :] == last


def _without(spaces: Object, last: Object) -> Object:
    return spaces[: len(spaces) - len(last)]


def _without_delay(body: Diagram, count: int) -> CompositionError:
    ways = [signal_path(body, len(body.dom) - j, len(body.cod) - k) for j, k in product(range(count, 0, -1), repeat=2)]
    shortest = min((way for way in ways if way is not None), key=len, default=[])
    return CompositionError(
        f"the delay is missing: a delayed trace is of X x ∂M -> Y x M, and here M comes in at time 0, before anything "
        f"was fed back; the loop is {' -> '.join(['M', *shortest, 'M'])}. Give initial values: feedback(body, initial)"
    )


def feedback(body: Steps, initial: Any) -> Causal:
    """The map X -> Y of a body X x M -> Y x M whose last outputs are fed back to its last inputs.

    `initial` has one entry for each wire of M: its value at time 0, and then the wire has a register and is fed back
    one step later; or None, and then it is fed back at once. Or it is a (parametrised) map 1 -> M: initial values that
    are learnt, their parameters after those of the body. It is the delayed trace of `start`, then the body.

    Raises `CompositionError` for a loop without a register, naming the generators on it, and where M does not fit.

    >>> from catlearn.semirings import Z2
    >>> from catlearn.tracing import diagram
    >>> @diagram(Space((), Z2), Space((), Z2))
    ... def toggle(x, q):
    ...     return q, x + q
    >>> feedback(toggle, [None])
    Traceback (most recent call last):
        ...
    catlearn.errors.CompositionError: a loop without a register, fed-back wire 0 -> add -> fed-back wire 0: what is
    on it is not determined; give one wire of it an initial value, and it is fed back one step later
    """
    given = entries_of(initial)
    whole = _at_once(lift(body), given) if isinstance(given, list) else lift(body)
    count = len(given.cod) if isinstance(given, Para) else sum(value is not None for value in given)
    M = whole.dom[0][max(0, len(whole.dom[0]) - count) :]
    first = initial_values(given if isinstance(given, Para) else [v for v in given if v is not None], M)
    for k, side in product(range(whole.settled + 1), (whole.dom, whole.cod)):
        if not _ends(side[k], first.cod):
            raise first_difference(first.cod, side[k][-count:], f"the wires that are fed back, at time {k},")
    P, Q = whole.parameter, first.parameter

    def step(k: int) -> Diagram:
        S, after, X, Y = whole.states[k], whole.states[k + 1], _without(whole.dom[k], M), _without(whole.cod[k], M)
        read = permute([P, Q, S, M, X], [0, 2, 4, 3])
        return read >> whole.steps[k] >> permute([after, Y, M], [0, 2, 1])

    states, initially = beside(whole.states, always(M)), whole.initial @ first.diagram
    return Causal(P + Q, states, initially, along(whole.settled, step), first.signature.then(whole.signature))


def _at_once(whole: Causal, given: list[Any]) -> Causal:
    """The wires that have no register joined, at each time."""
    for k, side in product(range(whole.settled + 1), (whole.dom, whole.cod)):
        if len(side[k]) < len(given):
            raise CompositionError(f"{len(given)} wires are to be fed back, and at time {k} there are {len(side[k])}")
    free = [j for j, value in enumerate(given) if value is None]
    if not free:
        return whole

    def step(k: int) -> Diagram:
        f = whole.steps[k]
        last_in, last_out = len(f.dom) - len(given), len(f.cod) - len(given)
        wires = {last_in + j: last_out + j for j in free}
        return joined(f, wires, {last_in + j: f"fed-back wire {j}" for j in free})

    return replace(whole, steps=along(whole.settled, step))


def register(space: Space | Iterable[Space], initial: Any = None) -> Causal:
    """The delay X -> X: the initial values first, then each input one step later. They are zero if none are given.

    >>> from catlearn.semirings import Z2
    >>> register(Space((), Z2), [1]).run([0, 0, 1])[0].tolist()
    [1, 0, 0]
    """
    spaces = as_object(space)
    return stateful(swap(spaces, spaces), initial_values([0] * len(spaces) if initial is None else initial, spaces))
