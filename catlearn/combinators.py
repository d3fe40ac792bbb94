"""Gradient transformations around others, and around the step itself: accumulation, confinement, the opposite sign.

    accumulate(T, n)   adds up n changes and hands their mean to T, once every n steps; between, nothing moves
    confine(a, b)      the change that takes a parameter no further than [a, b], next to ascent (GAN.wgan's clipping)
    opposite()         d -> -d: what climbed descends (one side of GAN.comp)

Each is a transformation like any other, so an optimiser of them is a chain that ends in ascent (OPT.factor).

>>> from catlearn.optimisers import gd
>>> from catlearn.space import Space
>>> step = accumulated(gd(1.0), 2).bound(Space((), REAL)).put
>>> first = step(0, 0.0, 5.0, -1.0)
>>> [float(v) for v in first], [float(v) for v in step(*first, -3.0)]
([1.0, -1.0, 5.0], [2.0, 0.0, 3.0])
"""

from __future__ import annotations

from dataclasses import replace

from catlearn import functions
from catlearn.assignment import Assigned
from catlearn.diagram import discard
from catlearn.errors import OperationError
from catlearn.lens import Lens
from catlearn.optimisers import Optimiser
from catlearn.semirings import REAL
from catlearn.space import Object, changes
from catlearn.tracing import Wire, trace
from catlearn.transformations import COUNT, Transformation, Wiring, sides_of, transformation

__all__ = ["accumulate", "accumulated", "confine", "opposite"]


def accumulate(inner: Transformation, steps: int) -> Transformation:
    """The transformation that hands the mean of `steps` changes to the inner one, once every `steps` steps.

    It stores the number of steps taken and the sums. Between, the inner one's state stays, and no change is passed on.
    Raises `OperationError` for a number that is no positive integer, and over anything but REAL.
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise OperationError(f"changes are accumulated over a positive number of steps; got {steps!r}")

    def own(spaces: Object) -> tuple[Wiring, ...]:
        for space in spaces:
            if space.carrier != REAL:
                raise OperationError(f"changes are accumulated over REAL; the model has a parameter in {space}")
        sums = [Wiring(f"sum_{k}", space, 0.0, True, k) for k, space in enumerate(spaces)]
        return (Wiring("accumulated", COUNT, 0, True), *sums)

    def context(spaces: Object) -> tuple[Wiring, ...]:
        return own(spaces) + inner.context(spaces)

    def lens(spaces: Object) -> Lens:
        n, whole, under = len(spaces), inner.lens(spaces), sides_of(inner.context(spaces))
        mine = sides_of(own(spaces)).forward
        kept = [k for k, wire in enumerate(inner.context(spaces)) if wire.stored]

        def put(*wires: Wire) -> list[Wire]:
            count, sums = functions.successor(wires[0]), wires[1 : 1 + n]
            state, rest = wires[1 + n : 1 + n + len(under.forward)], wires[1 + n + len(under.forward) :]
            parameters, change = rest[:n], rest[n:]
            total = [s + d for s, d in zip(sums, change, strict=True)]
            fires = functions.divides(steps, count)
            made = whole.put(*state, *parameters, *(t * (1.0 / steps) for t in total))
            made = made if isinstance(made, tuple) else (made,)
            held = [state[k] for k in kept]
            zeros = [functions.zeros(t.space) for t in total]
            after = [functions.select(fires, z, t) for z, t in zip(zeros, total, strict=True)]
            new = [functions.select(fires, a, b) for a, b in zip(made, [*held, *zeros], strict=True)]
            return [count, *after, *new]

        dom = mine + under.forward + spaces
        return Lens(discard(mine) @ whole.get, trace(dom + changes(spaces), put))

    return Transformation(f"accumulate {steps} >> {inner.name}", context, lens, inner.base, inner.start)


def accumulated(optimiser: Optimiser, steps: int) -> Optimiser:
    """The optimiser that moves once every `steps` steps, by the mean of their changes, as one larger batch would."""
    if isinstance(optimiser, Assigned):
        return replace(optimiser, rules=tuple((name, accumulated(one, steps)) for name, one in optimiser.rules))
    if not isinstance(optimiser, Optimiser):
        raise OperationError(f"accumulated takes an optimiser, such as optimisers.adam(1e-3); got {optimiser!r}")
    return replace(
        optimiser, name=f"{optimiser.name} every {steps}", transformation=accumulate(optimiser.transformation, steps)
    )


def confine(low: float, high: float) -> Transformation:
    """Next to ascent: each parameter, moved by the change, goes no further than `low` and `high` (to rounding)."""
    if not low <= high:
        raise OperationError(f"parameters are confined to low <= high; got {low!r} and {high!r}")

    def within(x: Wire) -> Wire:
        below = -functions.maximum(-x, functions.constant(x.space, -float(high)))
        return functions.maximum(below, functions.constant(x.space, float(low)))

    return transformation("confine", lambda h, s, p, d: ({}, within(p + d) - p))


def opposite() -> Transformation:
    """d -> -d."""
    return transformation("opposite", lambda h, s, p, d: ({}, -d))
