"""From learners and results to netlists: a trained circuit, or a circuit that trains itself.

A circuit has one input port a wire of the model, `x` (`x0`, `x1`, .. for several), its parameters put in as constants.
A learner's circuit is its training step on one sample: registers hold its state T, every clock is a step on `x` and the
label `y`, and the prediction is shown of the state before the step. Hyper-parameters are put in at their values.

A counter of steps has 32 bits and wraps; stored integers have the bits of the interval that no number of steps leaves,
which is found by the rules of `functors.bounds`.

>>> from catlearn.layers.circuits import group_sum, table_layer
>>> from catlearn.count_losses import count_margin
>>> from catlearn.counters import majority
>>> from catlearn.learner import supervised
>>> learner = supervised(table_layer(6, 4, arity=2) >> group_sum(4, 2), count_margin(1), majority())
>>> circuit = circuit_of(learner, learner=True)
>>> [port.name for port in circuit.inputs], [port.name for port in circuit.results]
(['table_layer_0_table', 'y', 'x'], ['table_layer_0_table_next', 'counts'])
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from catlearn import functions
from catlearn.diagram import Diagram, copy, wiring
from catlearn.errors import OperationError
from catlearn.functors.bounds import Interval, hull
from catlearn.functors.netlists import Intervals, lower, of_carrier
from catlearn.generators.counting import positive
from catlearn.generators.multiplexer import choose
from catlearn.learner import Learner
from catlearn.netlist import Netlist
from catlearn.result import Result
from catlearn.running import on_host
from catlearn.semirings import INTEGERS
from catlearn.space import Space
from catlearn.tracing import Wire, trace

__all__ = ["circuit_of", "first_largest"]

OUTPUTS = ("counts", "class")
MOST_ROUNDS = 64


def first_largest(length: int) -> Diagram:
    """The place of the largest of some integers, of equal ones the first, found in rounds of pairs.

    >>> int(first_largest(4)([1, 7, 7, 2]))
    1
    """

    def place(x: Wire) -> Wire:
        number = functions.constant(x.space, np.arange(length))
        while x.shape[0] > 1:
            half = x.shape[0] // 2
            left, right = 2 * np.arange(half), 2 * np.arange(half) + 1
            higher = positive(functions.gather(x, right) - functions.gather(x, left))
            rest = slice(2 * half, x.shape[0])
            x, number = (
                functions.concatenate(
                    [choose(higher, functions.gather(wire, left), functions.gather(wire, right)), wire[rest]]
                )
                for wire in (x, number)
            )
        return number[0]

    if isinstance(length, bool) or not isinstance(length, int) or length < 1:
        raise OperationError(f"the largest is found among at least one integer; got {length!r}")
    return trace(Space(length, INTEGERS), place)


def circuit_of(thing: Result | Learner, *, learner: bool = False, output: str = "counts") -> Netlist:
    """The netlist of a result (trained), or of a learner (its starting values for seed 0).

    It computes the model in its evaluation form; with `learner`, it is the training step of one sample, registers
    first. The outputs are `counts`, or with `output="class"` the first of the largest counts as `class`; of a model
    that ends in bits or others, `y` (`prediction` beside a label `y`). Raises `OperationError` for models that have no
    meaning in hardware, naming the node.
    """
    if isinstance(thing, Result):
        owner, state, settings = thing.learner, thing.state, thing.settings
    elif isinstance(thing, Learner):
        owner, state, settings = thing, thing.initial(0), tuple(thing.hyperparameters.values())
    else:
        raise OperationError(f"a circuit is made of a Result or a Learner; got {thing!r}")
    if output not in OUTPUTS:
        raise OperationError(f"the output is 'counts' or 'class'; got {output!r}")
    drawn = (owner if learner else owner.tested).auxiliary
    if drawn:
        raise OperationError(f"random keys have no meaning in hardware: the model draws from {', '.join(drawn)}")
    held = [np.asarray(on_host(value)) for value in state]
    numbers = [np.asarray(on_host(value)) for value in settings]
    after, shown = _shown(owner.prediction(), output)
    inputs = _names("x", len(owner.model.dom))
    if not learner:
        names = [*map(_legal, owner.state_names), *inputs, *owner.hyperparameters]
        free = [None] * len(owner.model.dom)
        return lower(after, [*held, *free, *numbers], names=names, results=shown)
    return _step(owner, after, held, numbers, inputs, shown)


def _step(
    owner: Learner,
    prediction: Diagram,
    state: Sequence[np.ndarray],
    settings: Sequence[np.ndarray],
    inputs: Sequence[str],
    shown: Sequence[str],
) -> Netlist:
    """The netlist of the training step beside the prediction: T x Y x A x settings -> T x B."""
    step, held, several = owner.step(), len(state), len(owner.model.dom)
    labels = len(step.dom) - held - several - len(settings)
    unread = wiring(step.dom, [k for k in range(len(step.dom)) if not held <= k < held + labels])
    both = copy(step.dom) >> (step @ (unread >> prediction))
    registers = _unique([_legal(name) for name in owner.state_names], (*inputs, *_names("y", labels)))
    names = [*registers, *_names("y", labels), *inputs, *owner.hyperparameters]
    known = [None] * (held + labels + several) + list(settings)
    results = [*(f"{name}_next" for name in registers), *("prediction" if n == "y" else n for n in shown)]
    limits = _limits(step, state, settings)
    return lower(both, known, intervals=limits, names=names, results=results, initial=state)


def _limits(step: Diagram, state: Sequence[np.ndarray], settings: Sequence[np.ndarray]) -> list[Interval | None]:
    """For each input the interval that it stays in, whatever the data and however many steps are taken."""
    intervals, middle = Intervals(), len(step.dom) - len(settings)
    values = [*state, *(None for _ in step.dom[len(state) : middle]), *settings]
    first = [_range(space, value) for space, value in zip(step.dom, values, strict=True)]
    known = [interval for interval in first if interval is not None]
    if len(known) < len(first) or not intervals.covers(step):
        return [None] * len(first)  # `lower` names what has no meaning in hardware
    held, rest = known[: len(state)], known[len(state) :]
    for _ in range(MOST_ROUNDS):
        after = intervals.interpret(step, (*held, *rest))
        grown = [hull(a, b) for a, b in zip(held, after, strict=True)]
        if grown == held:
            return [*held, *rest]
        held = grown
    raise OperationError("the stored integers grow with every step, and no width holds them: use counters with a limit")


def _range(space: Space, value: np.ndarray | None) -> Interval | None:
    if value is None or space.carrier != INTEGERS:
        return of_carrier(space.carrier)
    return (int(value.min()), int(value.max())) if value.size else (0, 0)


def _shown(prediction: Diagram, output: str) -> tuple[Diagram, list[str]]:
    """The prediction as it is shown, and the names of its ports."""
    spaces = prediction.cod
    counts = len(spaces) == 1 and spaces[0].carrier == INTEGERS and len(spaces[0].shape) == 1 and spaces[0].size > 0
    if output == "class":
        if not counts:
            raise OperationError(
                f"a class is the place of the largest count; the model gives {spaces}: use output='counts'"
            )
        return prediction >> first_largest(spaces[0].size), ["class"]
    return prediction, ["counts"] if counts else _names("y", len(spaces))


def _names(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name}{k}" for k in range(count)]


def _legal(name: str) -> str:
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    return f"_{plain}" if plain[:1].isdigit() or not plain else plain


def _unique(names: Sequence[str], taken: Sequence[str]) -> list[str]:
    """The names, those used before with a number behind."""
    used, result = set(taken), []
    for name in names:
        chosen, number = name, 1
        while chosen in used:
            number += 1
            chosen = f"{name}_{number}"
        used.add(chosen)
        result.append(chosen)
    return result
