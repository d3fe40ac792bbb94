"""The functor into netlists: a diagram of bits and whole numbers as a circuit of gates.

The value of a wire is a `Signal`: an array of nets (*shape, width) and an interval that holds its numbers, from which
the width comes (the rules of `bounds`). Bits have width 1; numbers, labels and counters are two's complement with a
sign, as in `gates`. What is known of the inputs is put in as constants, and folds.

Counters of steps (`DISCRETE`) have 32 bits and wrap. Integers modulo n and saturating numbers are computed as whole
numbers and reduced.

>>> from catlearn.functions import include, sum
>>> from catlearn.netlist import evaluate
>>> from catlearn.tracing import trace
>>> count = lower(trace(Space(3, BITS), lambda x: sum(include(x))), names=["x"], results=["count"])
>>> evaluate(count, [[1, 1, 0], [1, 1, 1]]).tolist(), count.results
([[0, 1], [1, 1]], (Port(name='count', count=1, width=2, signed=False),))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from catlearn.diagram import Diagram, Generator
from catlearn.errors import InputError, OperationError
from catlearn.functors.arrays import check_values
from catlearn.functors.bounds import Bounds, Interval, hull
from catlearn.functors.functor import Functor
from catlearn.functors.netlist_rules import COUNTER_BITS, RULES, Signal
from catlearn.gates import Gates, Nets, fit, number, width_of
from catlearn.netlist import Netlist, Port
from catlearn.rigs import BOOLEAN, Saturating
from catlearn.semirings import BITS, INTEGERS, TRIVIAL, Z2, Carrier, Discrete, Modular
from catlearn.space import Space

__all__ = ["COUNTER_BITS", "Intervals", "Netlists", "Signal", "lower", "of_carrier"]


def of_carrier(carrier: Carrier) -> Interval | None:
    """The interval of a carrier's values in hardware; None for INTEGERS, which have no bound, and what has no bits."""
    if carrier in (BITS, Z2, BOOLEAN):
        return (0, 1)
    if isinstance(carrier, Discrete):
        return (0, 2**COUNTER_BITS - 1 if carrier.size is None else carrier.size - 1)
    if isinstance(carrier, (Modular, Saturating)):
        return (0, (carrier.modulus if isinstance(carrier, Modular) else carrier.size) - 1)
    return (0, 0) if carrier == TRIVIAL else None


def has_bits(carrier: Carrier) -> bool:
    """Whether values of the carrier can be held in bits."""
    return carrier == INTEGERS or of_carrier(carrier) is not None


def sized(space: Space, nets: Nets, interval: Interval) -> Signal:
    """The signal in the width of its interval."""
    shown = fit(nets, 1 if space.carrier.kind == "bit" else width_of(*interval))
    return Signal(space, np.broadcast_to(shown, (*space.shape, shown.shape[-1])), interval)


class Intervals(Functor):
    """Diagrams as functions of the intervals that signals have: the carrier's own, for integers those of `Bounds`."""

    def __init__(self) -> None:
        super().__init__("intervals")

    def rule(self, generator: Generator) -> Callable[..., Any] | None:
        if type(generator) not in RULES or not all(has_bits(s.carrier) for s in (*generator.dom, *generator.cod)):
            return None
        return interval_of

    def check(self, diagram: Diagram, names: Sequence[str]) -> None:
        """Raise `OperationError` naming a node, or an input, that has no meaning in hardware."""
        missing = self.uncovered(diagram)
        if missing is not None:
            made = ", ".join(map(str, missing.cod)) or "nothing"
            raise OperationError(f"the node '{missing.name}' giving {made} has no meaning in hardware: {_WHAT}")
        for name, space in zip(names, diagram.dom, strict=True):
            if not has_bits(space.carrier):
                raise OperationError(f"input '{name}' is in {space}, which has no bits: {_WHAT}")


def interval_of(generator: Generator, *inputs: Interval) -> Interval:
    """The interval of what a generator makes of values in intervals."""
    known = of_carrier(generator.cod[0].carrier)
    if known is not None:
        return known
    bounded = Bounds().rule(generator)
    if bounded is None:
        return hull(*inputs, (0, 1))  # what copies, and 0 and 1
    low, high = bounded(generator, *inputs)
    return int(low), int(high)


class Netlists(Intervals):
    """Diagrams as functions of signals, which put gates into `gates`; see `lower`."""

    def __init__(self, gates: Gates) -> None:
        super().__init__()
        self.name, self.gates = "netlists", gates

    def rule(self, generator: Generator) -> Callable[..., Any] | None:
        return None if super().rule(generator) is None else self._built

    def _built(self, generator: Generator, *inputs: Signal) -> Signal:
        interval = interval_of(generator, *(signal.interval for signal in inputs))
        nets = RULES[type(generator)](self.gates, generator, width_of(*interval), *inputs)
        return sized(generator.cod[0], nets, interval)


_WHAT = (
    "circuits hold bits, Z2, booleans, integers (also modulo n, or saturating), labels and counters; "
    "train a model of bits, such as layers.table_layer, and export that"
)


def constant(space: Space, value: Any, what: str) -> Signal:
    """A known value as constants; raises `InputError` where it is not one of the space."""
    array = np.asarray(value)
    if array.shape != space.shape:
        raise InputError(f"{what} must have shape {space.shape} ({space}); got shape {array.shape}")
    check_values(space, array, what)
    interval = (int(array.min()), int(array.max())) if array.size else (0, 0)
    return sized(space, number(array.astype(np.int64), max(width_of(*interval), 2)), interval)


def port(name: str, space: Space, interval: Interval) -> Port:
    """The port of a wire: its numbers in row-major order, signed where they can be negative."""
    if space.carrier.kind == "bit":
        return Port(name, space.size)
    signed = interval[0] < 0
    return Port(name, space.size, max(width_of(*interval) - (not signed), 1), signed)


def _input(gates: Gates, place: int, space: Space, interval: Interval) -> Signal:
    """The signal of an input port."""
    nets = gates.inputs[place]
    if interval == (0, 0):
        return constant(space, np.zeros(space.shape, int), "nothing but 0")
    if space.carrier.kind != "bit" and not gates.ports[place].signed:
        nets = gates.unsigned(nets)
    return sized(space, nets.reshape(*space.shape, nets.shape[-1]), interval)


def _interval(space: Space, interval: Interval | None, what: str) -> Interval:
    known = of_carrier(space.carrier)
    if known is None and interval is None:
        raise OperationError(f"{what} is of INTEGERS, which have no bound: say the interval (low, high) it is in")
    low, high = (0, 0) if interval is None else interval
    if low > high:
        raise OperationError(f"{what} needs an interval (low, high), low first; got {interval}")
    return known or (low, high)


def _check_inside(name: str, interval: Interval, limit: Interval) -> None:
    if interval[0] < limit[0] or interval[1] > limit[1]:
        raise OperationError(f"the register '{name}' leaves its interval {limit}: it reaches {interval}")


def lower(
    diagram: Diagram,
    known: Sequence[Any] | None = None,
    *,
    intervals: Sequence[Interval | None] | None = None,
    names: Sequence[str] | None = None,
    results: Sequence[str] | None = None,
    initial: Sequence[Any] = (),
) -> Netlist:
    """The netlist of a diagram, a port a wire.

    `known` has for each input its value, or None where it stays an input; `intervals` bounds inputs of INTEGERS;
    `names` and `results` name the ports of all inputs and outputs (`x0`, .. and `y0`, .. otherwise). `initial` are the
    values that the first inputs, the registers, start with: the first outputs are then their next values, which must
    stay in the registers' intervals.

    Raises `OperationError` for what has no meaning in hardware, naming the node, and for integers without an interval;
    `InputError` for values that do not fit.
    """
    many, held = len(diagram.dom), len(initial)
    given = [None] * many if known is None else list(known)
    ranges = [None] * many if intervals is None else list(intervals)
    called = [f"x{k}" for k in range(many)] if names is None else list(names)
    shown = [f"y{k}" for k in range(len(diagram.cod))] if results is None else list(results)
    for what, came, wanted in (
        ("known values", given, many),
        ("intervals", ranges, many),
        ("names", called, many),
        ("results", shown, len(diagram.cod)),
    ):
        if len(came) != wanted:
            raise InputError(f"the diagram needs {wanted} {what}, one a wire, None for what is none; got {len(came)}")
    if any(value is not None for value in given[:held]) or diagram.dom[:held] != diagram.cod[:held]:
        raise OperationError("registers are the first inputs and the first outputs, of the same spaces, and not known")
    free = [k for k, value in enumerate(given) if value is None]
    Intervals().check(diagram, called)
    limits = [_interval(diagram.dom[k], ranges[k], f"input '{called[k]}'") for k in free]
    gates = Gates([port(called[k], diagram.dom[k], limit) for k, limit in zip(free, limits, strict=True)])
    signals: list[Signal] = []
    for k, space in enumerate(diagram.dom):
        if given[k] is not None:
            signals.append(constant(space, given[k], f"input '{called[k]}'"))
        else:
            place = free.index(k)
            signals.append(_input(gates, place, space, limits[place]))
    made = Netlists(gates).interpret(diagram, tuple(signals))
    ports = [port(name, signal.space, signal.interval) for name, signal in zip(shown, made, strict=True)]
    for k, here in enumerate(gates.ports[:held]):
        _check_inside(here.name, made[k].interval, limits[k])
        ports[k] = Port(ports[k].name, here.count, here.width, here.signed)
    nets = [fit(signal.nets, p.width).ravel() for signal, p in zip(made, ports, strict=True)]
    start = []
    for k, (space, value) in enumerate(zip(diagram.dom[:held], initial, strict=True)):
        first = constant(space, value, f"register '{called[k]}'")
        _check_inside(called[k], first.interval, limits[k])
        start.append(fit(first.nets, gates.ports[k].width).ravel())
    outputs = np.concatenate([np.zeros(0, np.int32), *nets])
    return gates.netlist(outputs, ports, held, np.concatenate(start).astype(np.uint8) if held else None)
