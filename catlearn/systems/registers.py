"""Boolean circuits with registers: state machines that are learnt from words, and sequential logic of what was learnt.

A circuit with S bits of registers is a causal map of bits (ST.def): at each clock a body makes the next state and the
outputs of the state and the inputs,

    body : P x (S + X bits) -> (S + Y bits)         (s_t, x_t)  |->  (s_{t+1}, y_t),   s_0 given

Along a word it is one Scan whose tables are shared by all times, so their votes are summed over time (ST.shared), and
votes for a state come back through later states (ST.BPTT, over Z by BIT.lut). Only outputs are shown, never a state, so
whether a machine is found depends on how its tables start. Hence `StateMachine` trains `copies` of one machine that
start differently, side by side in one circuit, and the copy that is right on the most words is kept.

>>> from catlearn.netlist import evaluate
>>> parity = StateMachine(inputs=1, state=1, outputs=1)
>>> exclusive_or = [[0, 1, 1, 0], [0, 1, 1, 0]]  # the next state, the output, by state + 2 x
>>> parity.causal().run([[1], [1], [0], [1]], parameters=[exclusive_or])[0].ravel().tolist()
[1, 0, 0, 1]
>>> circuit = parity.circuit(exclusive_or)
>>> evaluate(circuit, [[0, 1], [1, 1]]).tolist()  # state and input to next state and output, one clock
[[1, 1], [0, 0]]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from catlearn import functions
from catlearn.count_losses import bit_errors
from catlearn.counters import saturating
from catlearn.datasets import Data
from catlearn.diagram import Diagram, identity, permute
from catlearn.errors import CompositionError, DataError, OperationError
from catlearn.functors.bounds import Interval
from catlearn.functors.netlists import lower
from catlearn.generators.counting import clamp
from catlearn.generators.surrogate import surrogate
from catlearn.generators.tables import MOST_TABLE_INPUTS
from catlearn.layers.circuits import table_layer
from catlearn.learner import Learner, supervised
from catlearn.losses import Loss
from catlearn.netlist import Netlist
from catlearn.para import Para
from catlearn.result import Result
from catlearn.semirings import BITS
from catlearn.space import Space
from catlearn.substitution import evaluation, plain
from catlearn.systems.causal import Causal, stateful
from catlearn.tracing import Wire, trace

__all__ = ["StateMachine", "errors_of_copies", "limit_votes", "registers", "sequential_circuit", "word_pairs"]


def limit_votes(bits: int, limit: int) -> Diagram:
    """The identity on a vector of bits, whose votes come back cut to [-limit, limit]; not additive (BWD.clip).

    Without it votes for a state can grow by a factor at every clock, and those of a long word drown the others.
    """
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise OperationError(f"votes are cut to a limit, an integer of at least 1; got {limit!r}")
    space = Space(bits, BITS)
    put = trace((space, space.changes), lambda x, v: clamp(v, functions.constant(Space((), v.space.carrier), limit)))
    return surrogate("limit votes", identity(space), put)


def registers(body: Para[Diagram] | Diagram, state: int, initial: Any = 0, *, limit: int | None = 4) -> Causal:
    """The causal map with that body, a map of one vector of bits, and `state` bits of registers, which come first.

    `initial` is a bit for all registers, or one for each. `limit` cuts the votes for a state (see `limit_votes`); None
    leaves them. Raises `CompositionError` where the body is no map of vectors of bits, or of fewer bits than `state`.
    """
    made = body if isinstance(body, Para) else Para.of(body)
    if isinstance(state, bool) or not isinstance(state, int) or state < 0:
        raise OperationError(f"the registers are a number of bits, an integer of at least 0; got {state!r}")
    sizes = []
    for what, spaces in (("takes", made.dom), ("gives", made.cod)):
        if len(spaces) != 1 or spaces[0].carrier != BITS or len(spaces[0].shape) != 1 or spaces[0].size < state:
            raise CompositionError(
                f"the body of a circuit with {state} bits of registers {what} one vector of bits, at least {state}, "
                f"the registers first; this one {what} {', '.join(map(str, spaces)) or 'nothing'}"
            )
        sizes.append(spaces[0].size)
    held, free = Space(state, BITS), Space(sizes[0] - state, BITS)
    cut = identity(held) if limit is None else limit_votes(state, limit)
    joined = trace((held, free), lambda s, x: functions.concatenate([s, x]))
    parted = trace(Space(sizes[1], BITS), lambda z: (z[:state], z[state:]))
    return stateful(((cut @ identity(free)) >> joined) >> made >> parted, [_initial(initial, state)])


def _initial(initial: Any, state: int) -> Any:
    """The value of all the registers."""
    values = np.asarray(initial)
    if values.shape not in ((), (state,)) or not np.isin(values, (0, 1)).all():
        raise OperationError(f"registers start as one bit, or as {state} bits, one for each; got {initial!r}")
    return np.broadcast_to(values, (state,)).astype(int) if state else 0


def sequential_circuit(
    causal: Causal,
    parameters: Sequence[Any] | Mapping[str, Any] = (),
    *,
    intervals: Sequence[Interval | None] | None = None,
) -> Netlist:
    """The netlist of a causal map, one step a clock: registers `state`, set to the initial state by the reset.

    Its ports are `x` and `y` (`x0`, .. and `state0`, .. of several wires); `parameters` are put in as constants, and
    `intervals` bound states and inputs of INTEGERS. What `catlearn.hardware` makes of it is sequential logic. Raises
    `OperationError` for a map whose steps are not all the same, and for what has no meaning in hardware.
    """
    if causal.settled:
        raise OperationError(
            f"a circuit does the same at every clock; this causal map does something else before time {causal.settled}"
        )
    values = causal.as_scan(0).leaves(parameters) if isinstance(parameters, Mapping) else tuple(parameters)
    if len(values) != len(causal.parameter):
        raise OperationError(f"the causal map has {len(causal.parameter)} parameters; it was given {len(values)}")
    P, S, X, Y = causal.parameter, causal.states.rest, causal.dom.rest, causal.cod.rest
    step = permute([S, P, X], [1, 0, 2]) >> plain(evaluation(causal.step))
    first = causal.initial(*values)
    state, inputs, outputs = (_names(name, len(side)) for name, side in (("state", S), ("x", X), ("y", Y)))
    given = [None] * (len(S) + len(X)) if intervals is None else list(intervals)
    return lower(
        step,
        [*[None] * len(S), *map(np.asarray, values), *[None] * len(X)],
        intervals=[*given[: len(S)], *[None] * len(P), *given[len(S) :]],
        names=[*state, *(f"p{k}" for k in range(len(P))), *inputs],
        results=[*(f"{name}_next" for name in state), *outputs],
        initial=[np.asarray(value) for value in (first if isinstance(first, tuple) else (first,))],
    )


def _names(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name}{k}" for k in range(count)]


def word_pairs(
    inputs: Sequence[Any] | np.ndarray, outputs: Sequence[Any] | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Words and the answers to them as two arrays (words, length, bits), of uint8.

    A word is a sequence of bits or of rows of bits. Raises `DataError` for words that are not all of one length, or an
    answer that is not as long as its word, naming the first, and for what is no bit.
    """
    if len(inputs) != len(outputs):
        raise DataError(f"each word needs its answer: there are {len(inputs)} words and {len(outputs)} answers")
    if not len(inputs):
        raise DataError("there are no words to learn from: give at least one")
    words, answers = [_as_bits(row, "a word") for row in inputs], [_as_bits(row, "an answer") for row in outputs]
    for number, (word, answer) in enumerate(zip(words, answers, strict=True)):
        for what, other in (("the answer to it", answer), ("word 0", words[0])):
            if len(word) != len(other):
                raise DataError(
                    f"sequences are of one length: word {number} has {len(word)} places and {what} has {len(other)}; "
                    "cut them, or train one learner for each length"
                )
        for what, row, one in (("word", word, words[0]), ("answer", answer, answers[0])):
            if row.shape != one.shape:
                raise DataError(f"{what} {number} has {row.shape[1]} bits a place, and {what} 0 has {one.shape[1]}")
    return np.stack(words), np.stack(answers)


def _as_bits(row: Any, what: str) -> np.ndarray:
    array = np.asarray(row)
    if array.ndim not in (1, 2) or (array.size and not np.isin(array, (0, 1)).all()):
        raise DataError(f"{what} is a sequence of bits, or of rows of bits; got {row!r}")
    return array.reshape(len(array), prod(array.shape[1:])).astype(np.uint8)


@dataclass(frozen=True)
class RightCopies:
    """The share of copies whose answers are right at all places, for each row."""

    copies: int

    def __call__(self, xp: Any, y: Any, guess: Any) -> Any:
        parted = guess.reshape(*guess.shape[:-1], self.copies, y.shape[-1])
        wrong = (parted != y[..., None, :]).any(axis=-1)
        return 1 - wrong.reshape(len(y), -1, self.copies).any(axis=1).mean(axis=-1)


def errors_of_copies(copies: int) -> Loss:
    """The wrong bits of each of `copies` answers that stand one after another, all compared with the one label.

    With one copy it is `count_losses.bit_errors`. What counts as right is the share of copies without a wrong bit.
    """

    def label(space: Space) -> Space:
        bit_errors.labels(space)  # refuses what are no bits
        if not space.shape or space.shape[-1] % copies:
            raise OperationError(f"{copies} answers of one size stand on the last axis of the prediction; got {space}")
        return space.with_shape((*space.shape[:-1], space.shape[-1] // copies))

    def error(y: Wire, guess: Wire) -> Wire:
        if not y.space.shape[-1]:
            return bit_errors.error(guess, guess)
        places = np.tile(np.arange(y.space.shape[-1]), copies)
        return bit_errors.error(functions.gather(y, places, axis=len(y.space.shape) - 1), guess)

    if isinstance(copies, bool) or not isinstance(copies, int) or copies < 1:
        raise OperationError(f"there is at least one copy; got {copies!r}")
    return replace(bit_errors, name=f"bit errors of {copies}", error=error, matches=RightCopies(copies), label=label)


@dataclass(frozen=True)
class StateMachine:
    """A machine with `state` bits, each next bit and each output a table of the whole state and all inputs.

    `copies` of it stand side by side on the same inputs, each with tables and a state of its own; `initial` is as for
    `registers`, for one copy. Raises `OperationError` for more bits than a table takes.
    """

    inputs: int
    state: int
    outputs: int
    copies: int = 1
    initial: Any = 0

    def __post_init__(self) -> None:
        for name, least in (("inputs", 0), ("state", 0), ("outputs", 0), ("copies", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise OperationError(f"a state machine needs {name}, an integer of at least {least}; got {value!r}")
        if self.state + self.inputs > MOST_TABLE_INPUTS:
            raise OperationError(
                f"a table takes at most {MOST_TABLE_INPUTS} bits; {self.state} of state and {self.inputs} of input are "
                "more: give a body of several layers to `registers`"
            )
        _initial(self.initial, self.state)

    def body(self) -> Para[Diagram]:
        """The tables of all copies: first the next states, copy by copy, then the outputs."""
        n, S, X = self.copies, self.state, self.inputs
        own = np.concatenate([np.repeat(np.arange(n), S), np.repeat(np.arange(n), self.outputs)])
        shared = np.broadcast_to(n * S + np.arange(X), (len(own), X))
        wiring = np.concatenate([own[:, None] * S + np.arange(S), shared], axis=1).astype(np.int32)
        return table_layer(n * S + X, len(own), arity=S + X, wiring=wiring, initialise="random")

    def causal(self, limit: int | None = 4) -> Causal:
        """The machine as a map of sequences of bits; its one parameter is the tables, its output that of all copies."""
        start = np.broadcast_to(_initial(self.initial, self.state), (self.copies, self.state))
        return registers(self.body(), self.copies * self.state, start.ravel(), limit=limit)

    def learner(self, length: int, limit: int = 4) -> Learner:
        """What learns from words of that length: votes for each wrong bit, counted from -limit to limit.

        The limit is small on purpose: what is nearly undecided can still change, and that gets out of dead ends.
        """
        return supervised(self.causal(limit).as_scan(length), errors_of_copies(self.copies), saturating(limit))

    def best(self, result: Result) -> tuple[np.ndarray, float]:
        """The tables (state + outputs, entries) of the copy that is right on the most words, and their share.

        It looks at the training words of the result, and at nothing else. Raises `DataError` where they were a stream.
        """
        if not isinstance(result.data, Data):
            raise DataError("the best copy is found on the training words: train on Data, words and answers as arrays")
        words, answers = np.asarray(result.data.train_inputs), np.asarray(result.data.train_targets)
        guesses = np.asarray(result.predict(words)).reshape(*words.shape[:2], self.copies, self.outputs)
        right = (guesses == answers[:, :, None]).all(axis=(1, 3)).mean(axis=0)
        chosen = int(right.argmax())
        (tables,) = (np.asarray(value) for layer in result.parameters.values() for value in layer.values())
        return self.tables(tables, chosen), float(right[chosen])

    def tables(self, values: Any, copy: int) -> np.ndarray:
        """The tables of one copy, next states first, from those of all."""
        held, n = self.copies * self.state, self.copies
        states = np.asarray(values)[:held].reshape(n, self.state, -1)[copy] if self.state else np.asarray(values)[:0]
        outputs = np.asarray(values)[held:].reshape(n, self.outputs, -1)[copy] if self.outputs else states[:0]
        return np.concatenate([states, outputs])

    def circuit(self, tables: Any) -> Netlist:
        """Sequential logic of one copy with those tables."""
        return sequential_circuit(replace(self, copies=1).causal(), [np.asarray(tables)])
