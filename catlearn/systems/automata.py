"""Finite-state machines in sequential circuits: which states there are, and proofs for all words.

A sequential netlist is a Mealy machine on its 2^S states. Walking from its initial state over all inputs it reaches
finitely many; walking together with another machine it reaches finitely many pairs, and the two give the same outputs
on all words, of any length, exactly if they do at every pair that is reached. Otherwise a shortest path to a pair where
they differ is a shortest word that tells them apart.

>>> from catlearn.systems.registers import StateMachine
>>> parity = StateMachine(inputs=1, state=1, outputs=1).circuit([[0, 1, 1, 0], [0, 1, 1, 0]])
>>> counterexample(parity, 0, lambda s, x: (s ^ x[0], (s ^ x[0],))) is None  # proved for all words
True
>>> counterexample(parity, 0, lambda s, x: (s | x[0], (s | x[0],))).tolist()  # the shortest word
[[1], [1]]

Source: Moore, Gedanken-experiments on sequential machines (1956).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from catlearn.errors import OperationError
from catlearn.netlist import Netlist, evaluate

__all__ = ["Automaton", "automaton_of", "counterexample"]

Bits: TypeAlias = tuple[int, ...]
Step: TypeAlias = Callable[[Any, Bits], tuple[Hashable, Sequence[int]]]
MOST_INPUT_BITS = 12


def _letters(netlist: Netlist) -> np.ndarray:
    """All values of the inputs, (2^X, X), the first bit changing fastest."""
    width = netlist.input_bits - netlist.state_bits
    if not netlist.registers:
        raise OperationError(f"a state machine is in a netlist with registers; this one has none: {netlist}")
    if width > MOST_INPUT_BITS:
        raise OperationError(f"every input is tried: at most {MOST_INPUT_BITS} bits of input; got {width}")
    return np.arange(2**width)[:, None] >> np.arange(width) & 1


def _moves(netlist: Netlist, states: Sequence[Bits], letters: np.ndarray) -> tuple[list[list[Bits]], list[list[Bits]]]:
    """For each state and letter the next state, and the output."""
    held = np.array(states, np.uint8).reshape(len(states), netlist.state_bits)
    rows = np.concatenate([np.repeat(held, len(letters), axis=0), np.tile(letters, (len(states), 1))], axis=1)
    made = evaluate(netlist, rows).reshape(len(states), len(letters), -1)
    parts = made[..., : netlist.state_bits], made[..., netlist.state_bits :]
    after, outputs = ([[tuple(bits) for bits in row] for row in part.tolist()] for part in parts)
    return after, outputs


def counterexample(netlist: Netlist, initial: Hashable, step: Step, most: int = 100_000) -> np.ndarray | None:
    """A shortest word on which a sequential netlist and a reference differ, (length, input bits); None if on none.

    The reference starts in the state `initial`, and `step(state, inputs) -> (state, outputs)` takes it further, inputs
    and outputs being tuples of bits, a state anything that can be hashed. None is a proof for words of every length.
    Raises `OperationError` where more than `most` pairs of states are reached, as of a reference without an end, and
    for a reference with another number of outputs.
    """
    letters, width = _letters(netlist), netlist.outputs.size - netlist.state_bits
    inputs = [tuple(letter) for letter in letters.tolist()]
    start = (tuple(np.asarray(netlist.initial).tolist()), initial)
    came: dict[tuple[Bits, Hashable], tuple[tuple[Bits, Hashable], Bits] | None] = {start: None}
    frontier = [start]
    while frontier:
        after, outputs = _moves(netlist, [state for state, _ in frontier], letters)
        reached = []
        for number, pair in enumerate(frontier):
            for letter, x in enumerate(inputs):
                following, wanted = step(pair[1], x)
                if len(wanted) != width:
                    raise OperationError(f"the circuit has {width} bits of output; the reference gave {wanted!r}")
                if outputs[number][letter] != tuple(map(int, wanted)):
                    return _word(came, pair, x)
                here = (after[number][letter], following)
                if here not in came:
                    came[here] = (pair, x)
                    reached.append(here)
        if len(came) > most:
            raise OperationError(
                f"more than {most} pairs of a state of the circuit and one of the reference are reached: give a "
                "reference with finitely many states, or a larger `most`"
            )
        frontier = reached
    return None


def _word(came: dict[Any, Any], pair: Any, last: Bits) -> np.ndarray:
    """The inputs on the way to a pair, and one more."""
    word = [last]
    while came[pair] is not None:
        pair, x = came[pair]
        word.append(x)
    return np.array(word[::-1], np.uint8).reshape(len(word), len(last))


@dataclass(frozen=True)
class Automaton:
    """A machine as two tables: `after[state, letter]` (int), `outputs[state, letter]` (bits); it starts in state 0.

    Letter a stands for the input bits of a, the lowest first. States have the numbers of a breadth-first walk, so two
    smallest machines of the same behaviour are equal tables.
    """

    after: np.ndarray
    outputs: np.ndarray

    @property
    def states(self) -> int:
        """The number of states."""
        return len(self.after)

    def smallest(self) -> Automaton:
        """The machine in which states that no word tells apart are one (Moore's refinement)."""
        _, classes = np.unique(self.outputs.reshape(self.states, -1), axis=0, return_inverse=True)
        while True:
            told = np.concatenate([classes.reshape(-1, 1), classes.reshape(-1)[self.after]], axis=1)
            _, finer = np.unique(told, axis=0, return_inverse=True)
            if finer.max() == classes.max():
                break
            classes = finer
        classes = classes.reshape(-1)
        order = list(dict.fromkeys(classes.tolist()))  # by their first states, which came breadth first
        firsts = [int(np.flatnonzero(classes == c)[0]) for c in order]
        number = np.array([order.index(c) for c in range(len(order))])
        return Automaton(number[classes[self.after[firsts]]], self.outputs[firsts])


def automaton_of(netlist: Netlist, most: int = 100_000) -> Automaton:
    """The machine of the states that a sequential netlist reaches from its initial state.

    Raises `OperationError` for a netlist without registers, and where more than `most` states are reached.
    """
    letters = _letters(netlist)
    numbers = {tuple(np.asarray(netlist.initial).tolist()): 0}
    frontier, after, outputs = list(numbers), [], []
    while frontier:
        nexts, shown = _moves(netlist, frontier, letters)
        first = len(numbers)
        after += [[numbers.setdefault(state, len(numbers)) for state in row] for row in nexts]
        outputs += shown
        if len(numbers) > most:
            raise OperationError(f"more than {most} states are reached: give a larger `most`")
        frontier = list(numbers)[first:]
    width = netlist.outputs.size - netlist.state_bits
    return Automaton(np.array(after), np.array(outputs, np.uint8).reshape(len(after), len(letters), width))
