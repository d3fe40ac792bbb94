"""Invariants of training: proved by going through all states, or refuted by a shortest word of data.

An invariant of a machine is a set of states that no transition leaves, p in phi => U(p, a, b) in phi for all data
(MOORE.topos). Two questions are asked of a predicate:

    check_invariant    does it hold at every state that words over the data reach from the start?
    check_inductive    is it kept by every step, also from states that are never reached?

The first goes through the reachable states breadth first, so that the word of a counterexample is a shortest one; where
it comes to an end nothing is left to try, which is a proof. Where there are too many states, random words follow, and a
counterexample is shortened as long as a letter can be left out. A predicate of two states is about a step: before and
after it.

>>> from catlearn import layers, losses, optimisers
>>> from catlearn.learner import supervised
>>> learner = supervised(layers.lookup_table(1, 1), losses.exclusive_or, optimisers.ga())
>>> print(check_invariant(learner, lambda state: state["lookup_table_0.table"].sum() < 2, [([0], [1]), ([1], [1])]))
refuted by a word of 2 data, none being shorter
  start                    lookup_table_0.table = [[0 0]]
  datum 0: [0] -> [1]      lookup_table_0.table = [[1 0]]
  datum 1: [1] -> [1]      lookup_table_0.table = [[1 1]]

Source: Spivak, Learners' languages (2103.01189), section 4.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

import numpy as np

from catlearn.datasets import Data
from catlearn.errors import InputError, OperationError, UnknownNameError, nearest
from catlearn.learner import Learner
from catlearn.systems.learn import LearnMorphism
from catlearn.systems.moore import AT_ONCE, Letter, Machine, State, letters, machine
from catlearn.systems.poly import finite_values

__all__ = ["Move", "Verdict", "check_inductive", "check_invariant"]

Values = tuple[Any, ...]
Thing = Learner | LearnMorphism | Machine


@dataclass(frozen=True, eq=False)
class Move:
    """A state of a trace, and the datum that led to it: its number and its arrays, None at the start."""

    state: State
    datum: int | None = None
    letter: Letter | None = None


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a check found: `holds` is True where it is proved, False where it is refuted, None where nothing was found.

    `states` and `steps` count what was gone through, `scope` says it; `trace` is the way to a counterexample. It prints
    as text.
    """

    holds: bool | None
    states: int
    steps: int
    scope: str
    trace: tuple[Move, ...] = ()

    @property
    def word(self) -> tuple[int, ...]:
        """The numbers of the data of the trace."""
        return tuple(move.datum for move in self.trace if move.datum is not None)

    def __str__(self) -> str:
        head = {True: "proved", False: "refuted", None: "not refuted"}[self.holds]
        return "\n".join([f"{head} {self.scope}", *_lines(self.trace)])


def _lines(trace: Sequence[Move]) -> Iterator[str]:
    """A line a move: the datum, and what it changed."""
    before: State = {}
    for move in trace:
        changed = {n: v for n, v in move.state.items() if n not in before or not np.array_equal(before[n], v)}
        wires = ", ".join(f"{name} = {_row(value)}" for name, value in changed.items()) or "nothing changes"
        datum = "start"
        if move.letter is not None:
            inputs, targets = (" ".join(map(_row, part)) for part in move.letter)
            datum = f"datum {move.datum}: {inputs} -> {targets}"
        yield f"  {datum:<24} {wires}"
        before = move.state


def _row(value: Any) -> str:
    array = np.asarray(value)
    array = np.array(array.tolist()) if array.dtype == object else array
    return np.array2string(array, threshold=24, edgeitems=3, precision=4).replace("\n", "")


@dataclass(frozen=True)
class _Claim:
    """A predicate of one state, or of the two of a step."""

    predicate: Callable[..., Any]
    of_steps: bool

    @classmethod
    def of(cls, predicate: Any) -> _Claim:
        wanted = "a predicate is a function of a state (names to arrays), or of the states before and after a step"
        if not callable(predicate):
            raise OperationError(f"{wanted}; got {predicate!r}")
        taken = [
            p
            for p in inspect.signature(predicate).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty
        ]
        if len(taken) not in (1, 2):
            raise OperationError(f"{wanted}; this one takes {len(taken)} arguments")
        return cls(predicate, len(taken) == 2)

    def __call__(self, *states: State) -> bool:
        answer = self.predicate(*states)
        if not isinstance(answer, (bool, np.bool_)):
            raise OperationError(f"a predicate answers True or False; it gave {answer!r}: use .all() or .any()")
        return bool(answer)


@dataclass
class _Search:
    """States found from a start, each with the one that it came from and the datum."""

    of: Machine
    claim: _Claim
    word: list[Letter]
    steps: int = 0

    def advance(self, pairs: Sequence[tuple[Values, int]]) -> list[Values]:
        """The states after those data, many at once."""
        self.steps += len(pairs)
        return self.of.many([(*state, *self.word[k][0], *self.word[k][1]) for state, k in pairs])

    def wrong(self, before: State, after: State) -> bool:
        return not (self.claim(before, after) if self.claim.of_steps else self.claim(after))

    def trace(self, start: Values, numbers: Sequence[int]) -> tuple[Move, ...]:
        """The moves of a word."""
        moves, state = [Move(self.of.named(start))], start
        for k in numbers:
            (state,) = self.advance([(state, k)])
            moves.append(Move(self.of.named(state), k, self.word[k]))
        return tuple(moves)

    def first_wrong(self, start: Values, words: Sequence[Sequence[int]]) -> list[int | None]:
        """For each word the length of its first prefix that ends in a wrong step, None where there is none."""
        states, found = [start] * len(words), list[int | None]([None] * len(words))
        for place in range(max(map(len, words), default=0)):
            live = [k for k, word in enumerate(words) if found[k] is None and place < len(word)]
            after = self.advance([(states[k], words[k][place]) for k in live])
            for k, state in zip(live, after, strict=True):
                if self.wrong(self.of.named(states[k]), self.of.named(state)):
                    found[k] = place + 1
                states[k] = state
        return found


def _key(state: Values) -> tuple[Any, ...]:
    return tuple(tuple(np.asarray(value).ravel().tolist()) for value in state)


def check_invariant(
    learner: Thing,
    predicate: Callable[..., Any],
    data: Data | Iterable[tuple[Any, Any]],
    *,
    start: Mapping[str, Any] | None = None,
    most: int = 10_000,
    words: int = 32,
    length: int = 100,
    seed: int = 0,
) -> Verdict:
    """Whether a predicate holds at, or of the steps between, all states that words over the data reach from a start.

    `data` are the letters: the training rows of a `Data`, or pairs (inputs, targets). All reachable states are gone
    through, at most `most`; if there are more, `words` random words of that `length` are tried. `start` is where the
    learner starts if none is given.

    Raises `OperationError` for a predicate that does not answer True or False, `InputError` and `DataError` for states
    and data that do not fit.
    """
    search, claim = _begun(learner, predicate, data), _Claim.of(predicate)
    numbers = [("most", most, 1), ("words", words, 0), ("length", length, 0)]
    _whole(numbers)
    first = search.of.values(search.of.start if start is None else start)
    if not claim.of_steps and not claim(search.of.named(first)):
        return Verdict(False, 1, 0, "by the starting state", (Move(search.of.named(first)),))
    verdict = _breadth_first(search, first, most)
    return verdict if verdict.holds is not None else _at_random(search, first, verdict, words, length, seed)


def _whole(numbers: Iterable[tuple[str, Any, int]]) -> None:
    for name, value, least in numbers:
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            raise InputError(f"{name} is an integer of at least {least}; got {value!r}")


def _begun(learner: Thing, predicate: Any, data: Any) -> _Search:
    claim = _Claim.of(predicate)
    of = learner if isinstance(learner, Machine) else machine(learner)
    return _Search(of, claim, letters(of, data))


def _breadth_first(search: _Search, first: Values, most: int) -> Verdict:
    """Level by level, so that a counterexample has a shortest word."""
    reached, origin, level = {_key(first): 0}, [(0, -1)], [(0, first)]
    while level and search.word:
        after: list[tuple[int, Values]] = []
        pairs = ((number, state, k) for number, state in level for k in range(len(search.word)))
        while some := list(islice(pairs, AT_ONCE)):
            for (number, before, k), state in zip(some, search.advance([(s, k) for _, s, k in some]), strict=True):
                key = _key(state)
                new = key not in reached
                if (new or search.claim.of_steps) and search.wrong(search.of.named(before), search.of.named(state)):
                    word = [*_way(origin, number), k]
                    scope = f"by a word of {len(word)} data, none being shorter"
                    return Verdict(False, len(reached), search.steps, scope, search.trace(first, word))
                if new:
                    reached[key] = len(origin)
                    after.append((len(origin), state))
                    origin.append((number, k))
            if len(reached) > most:
                scope = f"at the first {len(reached):,} states and {search.steps:,} steps"
                return Verdict(None, len(reached), search.steps, scope)
        level = after
    scope = f"at all {len(reached):,} reachable states, {search.steps:,} steps"
    return Verdict(True, len(reached), search.steps, scope)


def _way(origin: Sequence[tuple[int, int]], number: int) -> list[int]:
    """The word to a state."""
    word: list[int] = []
    while number:
        number, k = origin[number]
        word.append(k)
    return word[::-1]


def _at_random(search: _Search, first: Values, so_far: Verdict, words: int, length: int, seed: int) -> Verdict:
    random = np.random.default_rng(seed)
    tried = [random.integers(len(search.word), size=length).tolist() for _ in range(words)]
    found = search.first_wrong(first, tried)
    failing = [word[:n] for word, n in zip(tried, found, strict=True) if n is not None]
    if not failing:
        scope = f"{so_far.scope}, and on {words} random words of {length} data"
        return Verdict(None, so_far.states, search.steps, scope)
    word = _shortened(search, first, min(failing, key=len))
    scope = f"by a word of {len(word)} data, of which none can be left out"
    return Verdict(False, so_far.states, search.steps, scope, search.trace(first, word))


def _shortened(search: _Search, first: Values, word: list[int]) -> list[int]:
    """A word that still goes wrong, without letters that it does not need: halves are left out first, then less."""
    piece = max(len(word) // 2, 1)
    while True:
        shorter = [word[:k] + word[k + piece :] for k in range(0, len(word), piece)]
        found = search.first_wrong(first, shorter)
        failing = [w[:n] for w, n in zip(shorter, found, strict=True) if n is not None]
        if failing:
            word = min(failing, key=len)
            piece = min(piece, max(len(word) // 2, 1))
        elif piece == 1:
            return word
        else:
            piece //= 2


def check_inductive(
    learner: Thing,
    predicate: Callable[..., Any],
    data: Data | Iterable[tuple[Any, Any]],
    *,
    values: Mapping[str, Iterable[Any]] | None = None,
    most: int = 200_000,
) -> Verdict:
    """Whether every step from a state where the predicate holds ends in one, p in phi => U(p, a, b) in phi.

    A predicate of two states is asked of every step from every state. All states are gone through, reachable or not;
    the entries of a wire take all values of its carrier, or those that `values` gives for its name. Raises
    `OperationError` where these are infinitely many states, or more than `most`.
    """
    search = _begun(learner, predicate, data)
    _whole([("most", most, 1)])
    held = steps = 0
    entries = _entries(search.of, dict(values or {}), most)
    points = product(*entries)
    while some := list(islice(points, AT_ONCE)):
        states = [_arranged(search.of, point) for point in some]
        if not search.claim.of_steps:
            states = [state for state in states if search.claim(search.of.named(state))]
        held += len(states)
        pairs = [(state, k) for state in states for k in range(len(search.word))]
        for (before, k), after in zip(pairs, search.advance(pairs), strict=True):
            steps += 1
            if search.wrong(search.of.named(before), search.of.named(after)):
                trace = (Move(search.of.named(before)), Move(search.of.named(after), k, search.word[k]))
                return Verdict(False, held, steps, "by a step from a state that need not be reached", trace)
    total = math.prod(map(len, entries))
    where = "all" if search.claim.of_steps else f"the {held:,} where it holds, of"
    return Verdict(True, held, steps, f"for {steps:,} steps from {where} {total:,} states")


def _entries(of: Machine, values: dict[str, Iterable[Any]], most: int) -> list[list[Any]]:
    """The values that each entry of a state may take."""
    for name in values:
        if name not in of.names:
            raise UnknownNameError(f"the state has no {name!r}: {nearest(name, of.names)}")
    result: list[list[Any]] = []
    for name, space in zip(of.names, of.states, strict=True):
        found = list(values[name]) if name in values else finite_values(space.carrier)
        if found is None:
            raise OperationError(
                f"{name} has infinitely many values, in {space}: give values={{{name!r}: range(..)}}, or use "
                "check_invariant, which goes through the states that are reached"
            )
        result += [found] * space.size
    total = math.prod(map(len, result))
    if total > most:
        raise OperationError(
            f"there are {total:,} states, and at most {most:,} are gone through: raise most=, or use check_invariant, "
            "which goes through the states that are reached"
        )
    return result


def _arranged(of: Machine, point: Sequence[Any]) -> Values:
    rest, state = list(point), {}
    for name, space in zip(of.names, of.states, strict=True):
        state[name] = np.array(rest[: space.size]).reshape(space.shape)
        del rest[: space.size]
    return of.values(state)
