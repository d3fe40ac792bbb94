"""Gradient transformations, and what stands beneath them: the parts that optimisers are chains of (OPT.factor).

    T : (X x P, S x P') -> (P, P')              context X, of which S is stored
    T1 >> T2 = (1_S1 x T2) ; T1                 the first is next to the model and sees the change first

`transformation` makes one from two functions on wires. Over REAL hyper-parameters, slots and changes are real; over
bits, whose changes are integers, they are integers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from catlearn.diagram import Diagram, identity
from catlearn.errors import OperationError
from catlearn.functions import add, real, successor
from catlearn.lens import Lens, Sides
from catlearn.semirings import DISCRETE, REAL, Carrier
from catlearn.space import Object, Space, as_object, changes
from catlearn.tracing import Wire, trace

__all__ = [
    "COUNT",
    "SCALAR",
    "AsGiven",
    "Hyper",
    "Transformation",
    "Wiring",
    "ascent",
    "sides_of",
    "transformation",
]

SCALAR = Space((), REAL)
COUNT = Space((), DISCRETE)
Hyper = float | Diagram


@dataclass(frozen=True)
class Wiring:
    """One context wire of a transformation: a stored one (`stored`, with its starting value) or a hyper-parameter.

    `of` is the number of the parameter that a stored wire belongs to, if it belongs to one; `least` the least value
    that a hyper-parameter can have, if there is one.
    """

    name: str
    space: Space
    start: Any
    stored: bool
    of: int | None = None
    least: int | None = None


def ascent(spaces: Space | Iterable[Space]) -> Lens:
    """GA = (1, +) : (P, P) -> (P, P'); raises `OperationError` where values and changes cannot be added."""
    spaces = as_object(spaces)
    for space in spaces:
        if space.changes != space:
            raise OperationError(
                f"ascent adds a change to a parameter, and {space} changes by {space.changes}: "
                "use an optimiser whose state holds the changes"
            )
    return Lens(identity(spaces), add(spaces))


@dataclass(frozen=True)
class AsGiven:
    """The parameters as they are given."""

    def __call__(self, values: Sequence[Any], spaces: Object) -> tuple[Any, ...]:
        return tuple(values)


@dataclass(frozen=True)
class _Ascent:
    def __call__(self, spaces: Object) -> Lens:
        return ascent(spaces)


@dataclass(frozen=True)
class _Replaced:
    """(Q, Q) -> (Q, Q): the new value takes the place of the old one; Q is what stands for each parameter."""

    stores: Callable[[Space], Space]

    def __call__(self, spaces: Object) -> Lens:
        held = tuple(map(self.stores, spaces))
        return Lens.identity(Sides(held, held))


@dataclass(frozen=True)
class Transformation:
    """A gradient transformation T : (X x P, S x P') -> (P, P').

    `context(P)` lists the wires X: the stored ones S among the hyper-parameters; `lens(P)` is the lens. Beneath it
    stands `base(P)`, a lens (Q, Q) -> (Q, Q'), which is ascent on P unless another Q is stored in the place of P;
    `start` makes the first Q of parameter values and their spaces.
    """

    name: str
    context: Callable[[Object], tuple[Wiring, ...]]
    lens: Callable[[Object], Lens]
    base: Callable[[Object], Lens] = _Ascent()
    start: Callable[[Sequence[Any], Object], tuple[Any, ...]] = AsGiven()

    def __rshift__(self, other: Transformation) -> Transformation:
        """This one next to the model, then the other: (1 x other) ; this (OPT.factor)."""

        def lens(spaces: Object) -> Lens:
            return (Lens.identity(sides_of(self.context(spaces))) @ other.lens(spaces)) >> self.lens(spaces)

        def context(spaces: Object) -> tuple[Wiring, ...]:
            return self.context(spaces) + other.context(spaces)

        if not isinstance(self.base, _Ascent):
            raise OperationError(
                f"{self.name} stores something in the place of the parameters: it comes last in a chain"
            )
        return Transformation(f"{self.name} >> {other.name}", context, lens, other.base, other.start)


def sides_of(context: Iterable[Wiring]) -> Sides:
    """(X, S): all context wires forward, the stored ones backward."""
    wires = tuple(context)
    return Sides(tuple(w.space for w in wires), tuple(w.space for w in wires if w.stored))


def _context(
    spaces: Object, hyper: Mapping[str, Hyper], state: Mapping[str, float], count: bool, carrier: Carrier
) -> tuple[Wiring, ...]:
    number = Space((), carrier)
    scheduled = any(isinstance(value, Diagram) for value in hyper.values())
    least = None if carrier == REAL else 1  # whole settings are limits and thresholds
    given = {name: value for name, value in hyper.items() if not isinstance(value, Diagram)}
    settings = [Wiring(name, number, value, False, None, least) for name, value in given.items()]
    counter = [Wiring("count", COUNT, 0, True)] if count or scheduled else []
    slots = [
        Wiring(f"{name}_{k}", s.changes, start, True, k) for name, start in state.items() for k, s in enumerate(spaces)
    ]
    return (*settings, *counter, *slots)


def transformation(
    name: str,
    put: Callable[[Any, Any, Any, Any], tuple[Mapping[str, Any], Any]],
    *,
    get: Callable[[Any, Any, Any], Any] = lambda h, s, p: p,
    hyper: Mapping[str, Hyper] | None = None,
    state: Mapping[str, float] | None = None,
    count: bool = False,
    whole: bool = False,
    carrier: Carrier = REAL,
    stores: Callable[[Space], Space] | None = None,
    start: Callable[[Sequence[Any], Object], tuple[Any, ...]] | None = None,
) -> Transformation:
    """A gradient transformation from two functions on wires.

    `put(h, s, p, d)` returns the new slots, by name, and the change that goes on; `get(h, s, p)` is where the model is
    evaluated. `h` holds the hyper-parameters and, with `count`, the number t of this step counted from 1; `s` the slots
    that `state` names with their starting values. Hyper-parameters, slots and changes are over `carrier`. They work on
    one parameter wire at a time; with `whole`, on the lists of all.

    With `stores` the optimiser stores a value of the space that it gives in the place of each parameter: `p` is that
    value, `get` makes the parameter of it, `put` returns the new one, and `start` makes the first one.
    """
    settings, slots = dict(hyper or {}), dict(state or {})
    _check_settings(name, settings, Space((), carrier))

    def split(wires: tuple[Wire, ...], spaces: Object) -> tuple[Any, list[Any], list[Wire], list[Wire], Wire | None]:
        context = _context(spaces, settings, slots, count, carrier)
        n = len(spaces)
        named = dict(zip((w.name for w in context), wires, strict=False))
        h = SimpleNamespace(**{key: named[key] for key in settings if key in named})
        counter = named.get("count")
        for key, value in settings.items():
            if isinstance(value, Diagram):
                setattr(h, key, value(counter))
        after = None if counter is None else successor(counter)
        h.count, h.t = counter, real(after) if after is not None and carrier == REAL else None
        each = [SimpleNamespace(**{key: named[f"{key}_{k}"] for key in slots}) for k in range(n)]
        rest = wires[len(context) :]
        return h, each, list(rest[:n]), list(rest[n:]), after

    def lens(spaces: Object) -> Lens:
        _check_carrier(name, spaces, carrier, settings or slots)
        context = sides_of(_context(spaces, settings, slots, count, carrier)).forward

        def looks(*wires: Wire) -> list[Wire]:
            h, each, p, _, _ = split(wires, spaces)
            return list(get(h, each, p)) if whole else [get(h, s, q) for s, q in zip(each, p, strict=True)]

        def puts(*wires: Wire) -> list[Wire]:
            h, each, p, d, after = split(wires, spaces)
            if whole:
                new, out = put(h, each, p, d)
            else:
                done = [put(h, s, q, e) for s, q, e in zip(each, p, d, strict=True)]
                new, out = {key: [s[key] for s, _ in done] for key in slots}, [u for _, u in done]
            return [*([] if after is None else [after]), *(w for key in slots for w in new[key]), *out]

        held = tuple(map(stores, spaces)) if stores else spaces
        return Lens(trace(context + held, looks), trace(context + held + changes(spaces), puts))

    def own(spaces: Object) -> tuple[Wiring, ...]:
        return _context(spaces, settings, slots, count, carrier)

    if stores is None:
        return Transformation(name, own, lens)
    return Transformation(name, own, lens, _Replaced(stores), start or AsGiven())


def _check_settings(name: str, settings: Mapping[str, Any], number: Space) -> None:
    for key, value in settings.items():
        if key in ("t", "count"):
            raise OperationError(f"{name} cannot have a hyper-parameter called {key!r}: that is the number of the step")
        if isinstance(value, Diagram):
            if (value.dom, value.cod) != ((COUNT,), (number,)):
                raise OperationError(f"a schedule is a diagram ({COUNT},) -> ({number},); {name} got {value} for {key}")
        elif isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
            raise OperationError(f"{name} needs a number or a schedule (a Diagram) for {key}; got {value!r}")
        elif number.carrier != REAL and not isinstance(value, (int, np.integer)):
            raise OperationError(f"{name} works with integers; got {value!r} for {key}")


def _check_carrier(name: str, spaces: Object, carrier: Carrier, needed: Any) -> None:
    for space in spaces:
        if needed and space.changes.carrier != carrier:
            hint = ""
            if space.changes == space:
                hint = ": use reverse_derivative_ascent for a circuit"
            elif space.changes.carrier.name == "INTEGERS":
                hint = ", which changes by integers: use counters.saturating"
            raise OperationError(
                f"the transformation '{name}' works over {carrier}; the model has a parameter in {space}{hint}"
            )
