"""Learners as Moore machines: states, an output at each, and a transition for every datum (MOORE.view).

A learner with parameters P is a machine with the states P. At a state p its output is a lens, I(p, -) and r(p, -, -);
its input is a datum (a, b), its transition p -> U(p, a, b); a data set is a word that it reads. A `Learner` of any
world is one too: its states are all that is stored, counters and moments included, its output is what the model
predicts at the optimiser's get, and there is no request, since its backward wire ends in the parameters.

>>> from catlearn import layers, losses, optimisers
>>> from catlearn.learner import supervised
>>> table = machine(supervised(layers.lookup_table(1, 1), losses.exclusive_or, optimisers.ga()))
>>> negation = [([0], [1]), ([1], [0])]
>>> table.run(table.start, negation)["lookup_table_0.table"].tolist()
[[1, 0]]
>>> predict, _ = table.output(table.run(table.start, negation))
>>> predict([0]).tolist(), predict([1]).tolist()
([1], [0])

Source: Spivak, Learners' languages (2103.01189).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from catlearn.datasets import Data, columns
from catlearn.diagram import Diagram, identity, permute
from catlearn.errors import DataError, InputError, OperationError
from catlearn.functors import Exact, Jax
from catlearn.functors.arrays import Arrays
from catlearn.functors.functor import bare, listed
from catlearn.generators.arithmetic import Constant
from catlearn.generators.batching import Map, batch
from catlearn.learner import Learner
from catlearn.semirings import REAL
from catlearn.space import Object
from catlearn.systems.learn import LearnMorphism

__all__ = ["Machine", "State", "letters", "machine", "mean_loss", "rows_right"]

AT_ONCE = 256
State = dict[str, Any]
"""A state: the array of every stored wire, by its name."""
Letter = tuple[tuple[Any, ...], tuple[Any, ...]]
"""A datum: the arrays of its inputs and those of its targets."""


@dataclass(frozen=True, eq=False)
class Machine:
    """A machine: `transition : S x A x B -> S`, `implement : S x A -> B` and `request : S x A x B -> A`, or None.

    `names` are those of the wires of S, `start` is where it starts, `backend` the functor that it is run in.
    """

    names: tuple[str, ...]
    start: State
    inputs: Object
    targets: Object
    transition: Diagram
    implement: Diagram
    request: Diagram | None
    backend: Arrays
    _programs: dict[Any, Callable[..., Any]] = field(default_factory=dict, repr=False)

    @property
    def states(self) -> Object:
        """The object S of states."""
        return self.transition.cod

    def __repr__(self) -> str:
        return f"<machine with the states {', '.join(self.names) or 'one'}, in {self.backend!r}>"

    def output(self, state: Mapping[str, Any]) -> tuple[Callable[..., Any], Callable[..., Any] | None]:
        """The lens at a state: I(p, -) : A -> B, and r(p, -, -) : A x B -> A where there is one."""
        here = self.values(state)

        def at(part: Diagram) -> Callable[..., Any]:
            return lambda *datum: bare(tuple(_plain(v) for v in self._run(part)(*here, *datum)))

        return at(self.implement), None if self.request is None else at(self.request)

    def advance(self, state: Mapping[str, Any], inputs: Any, targets: Any) -> State:
        """The state after one datum; arrays, or tuples of arrays for several wires."""
        return self.run(state, [(inputs, targets)])

    def run(self, state: Mapping[str, Any], word: Data | Iterable[tuple[Any, Any]]) -> State:
        """The state after a word: the rows of a `Data`, or pairs (inputs, targets).

        Raises `InputError` for a datum or a state that does not fit, `DataError` for a word that is none.
        """
        return self.along(state, word)[-1]

    def along(self, state: Mapping[str, Any], word: Data | Iterable[tuple[Any, Any]]) -> list[State]:
        """All states on the way of a word, the first included."""
        here, found = self.values(state), [self.named(self.values(state))]
        for inputs, targets in letters(self, word):
            here = self._run(self.transition)(*here, *inputs, *targets)
            found.append(self.named(here))
        return found

    def values(self, state: Mapping[str, Any]) -> tuple[Any, ...]:
        """The arrays of a state in the order of its wires, as the backend stores them."""
        if not isinstance(state, Mapping) or set(state) != set(self.names):
            came = sorted(state) if isinstance(state, Mapping) else repr(state)
            raise InputError(f"a state of this machine maps the names {', '.join(self.names)} to arrays; got {came}")
        return tuple(
            self.backend.accept(space, state[name], f"the state's {name}")
            for space, name in zip(self.states, self.names, strict=True)
        )

    def named(self, values: Sequence[Any]) -> State:
        """The state of those arrays."""
        return {name: _plain(value) for name, value in zip(self.names, values, strict=True)}

    def _run(self, part: Diagram) -> Callable[..., tuple[Any, ...]]:
        if part not in self._programs:
            program = self.backend(part)
            self._programs[part] = lambda *values: tuple(listed(program(*values)))
        return self._programs[part]

    def many(self, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """The states after many data at once, each row a state and a datum: its arrays in the transition's order."""
        if not rows:
            return []
        compiled = isinstance(self.backend, Jax)
        size = AT_ONCE if compiled else 1 << (min(len(rows), AT_ONCE) - 1).bit_length()
        whole = batch(self.transition, size)
        if not compiled and any(isinstance(generator, Map) for generator, _, _ in whole.nodes):
            return [self._run(self.transition)(*row) for row in rows]  # nothing is gained by rows that are looped over
        found: list[tuple[Any, ...]] = []
        for start in range(0, len(rows), size):
            some = list(rows[start : start + size])
            padded = some + [some[0]] * (size - len(some))
            stacked = [np.stack([np.asarray(row[k]) for row in padded]) for k in range(len(self.transition.dom))]
            after = [np.asarray(column) for column in self._run(whole)(*stacked)]
            found += [tuple(column[k] for column in after) for k in range(len(some))]
        return found


def machine(
    learner: Learner | LearnMorphism,
    *,
    seed: int = 0,
    hyperparameters: Mapping[str, float] | None = None,
    backend: Arrays | None = None,
) -> Machine:
    """The machine of a learner, started where `fit` starts with that seed.

    It runs in Python's whole numbers where that can be, else in 64-bit floats, or in `backend`. Raises `OperationError`
    for what is no learner, for one that takes random keys, and for hyper-parameters that it has not.
    """
    request: Diagram | None = None
    if isinstance(learner, LearnMorphism):
        if hyperparameters:
            raise OperationError(f"a morphism of Learn has no hyper-parameters; got {', '.join(hyperparameters)}")
        step, predict, request = learner.update, learner.implement, learner.request
        names, inputs, targets = learner.signature.names, learner.dom, learner.cod
    elif isinstance(learner, Learner):
        if learner.auxiliary:
            raise OperationError(
                "a machine's transition is a function of state and datum, and this learner draws "
                f"{learner.auxiliary[0]} at random: give the learner of model.evaluation()"
            )
        step, predict = (_settled(learner, f, hyperparameters) for f in (learner.step(), learner.prediction()))
        names, inputs, targets = _names(learner), learner.model.dom, learner.loss.labels(learner.model.cod)
        step = permute([learner.state, inputs, targets], [0, 2, 1]) >> step
    else:
        raise OperationError(f"a machine is made of a Learner or a LearnMorphism; got {learner!r}")
    exact = Exact()
    run = backend or (exact if all(exact.covers(f) for f in (step, predict)) else Jax("float64"))
    first = zip(step.cod, names, learner.initial(seed), strict=True)
    start = {name: _plain(run.accept(space, value, f"the state's {name}")) for space, name, value in first}
    return Machine(names, start, inputs, targets, step, predict, request, run)


def _settled(learner: Learner, f: Diagram, settings: Mapping[str, float] | None) -> Diagram:
    """A step or a prediction with its hyper-parameters, the last wires, at their values."""
    known = learner.hyperparameters
    unknown = sorted(set(settings or {}) - set(known))
    if unknown:
        raise OperationError(
            f"the optimiser has no hyper-parameter {', '.join(unknown)}; it has {', '.join(known) or 'none'}"
        )
    values = {**known, **(settings or {})}
    n = len(f.dom) - len(values)
    filled = identity(f.dom[:n])
    for space, value in zip(f.dom[n:], values.values(), strict=True):
        filled = filled @ Constant(space, float(value) if space.carrier == REAL else value).diagram
    return filled >> f


def _names(learner: Learner) -> tuple[str, ...]:
    """A name for each wire of a learner's state; that of a slot has its parameter before it where there are several."""
    names = list(learner.state_names)
    often = Counter(names)
    owners = zip(names, learner.state_owners, strict=True)
    longer = [f"{owner}.{name}" if often[name] > 1 and owner and owner != name else name for name, owner in owners]
    seen: Counter[str] = Counter()
    for k, name in enumerate(longer):
        longer[k] = name if not seen[name] else f"{name}_{seen[name]}"
        seen[name] += 1
    return tuple(longer)


def letters(of: Machine, word: Data | Iterable[tuple[Any, Any]]) -> list[Letter]:
    """The data of a word, each as the arrays of its inputs and of its targets, as the machine's backend stores them.

    Raises `DataError` for what is no sequence of pairs, `InputError` naming the datum and the wire that does not fit.
    """
    if isinstance(word, Data):
        word.check(of.inputs, of.targets)
        x, y = columns(word.train_inputs), columns(word.train_targets)
        pairs: list[Any] = [
            (tuple(column[k] for column in x), tuple(column[k] for column in y)) for k in range(word.rows)
        ]
    elif isinstance(word, Iterable) and not isinstance(word, (str, bytes, Mapping)):
        pairs = list(word)
    else:
        raise DataError(f"a word is a Data, or a list of pairs (inputs, targets); got {word!r}")
    return [_letter(of, pair, number) for number, pair in enumerate(pairs)]


def _letter(of: Machine, pair: Any, number: int) -> Letter:
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise DataError(f"datum {number} must be a pair (inputs, targets); got {pair!r}")
    made = []
    for kind, spaces, part in zip(("input", "target"), (of.inputs, of.targets), pair, strict=True):
        values = part if isinstance(part, tuple) else (part,)
        if len(values) != len(spaces):
            raise DataError(f"datum {number} needs {len(spaces)} {kind}s, a tuple of arrays; got {len(values)}")
        made.append(
            tuple(
                of.backend.accept(space, value, f"{kind} {k} of datum {number}")
                for k, (space, value) in enumerate(zip(spaces, values, strict=True))
            )
        )
    return made[0], made[1]


def mean_loss(learner: Learner, data: Data) -> Callable[[Mapping[str, Any]], float]:
    """The mean loss on the rows of a `Data` (its training part) as a function of a state of the learner's machine."""
    losses = _seen(learner, data)
    count = len(learner.model.cod)

    def at(state: Mapping[str, Any]) -> float:
        found = losses(state)[: count + len(learner.loss.penalties)]
        return float(sum(np.asarray(v, float).sum() / (data.rows if k < count else 1) for k, v in enumerate(found)))

    return at


def rows_right(learner: Learner, data: Data) -> Callable[[Mapping[str, Any]], frozenset[int]]:
    """The numbers of the rows of a `Data` (its training part) that the learner gets right, as a function of a state."""
    seen, labels = _seen(learner, data), [np.asarray(column) for column in columns(data.train_targets)]
    count = len(learner.model.cod)

    def at(state: Mapping[str, Any]) -> frozenset[int]:
        guesses = seen(state)[-count:]
        return frozenset(np.flatnonzero(learner.loss.correct(np, labels, guesses)).tolist())

    return at


def _seen(learner: Learner, data: Data) -> Callable[[Mapping[str, Any]], list[np.ndarray]]:
    """The losses and predictions on all rows at a state."""
    if not isinstance(learner, Learner):
        raise OperationError(f"this measures a Learner, such as morphism.to_learner() gives; got {learner!r}")
    of = machine(learner)
    data.check(of.inputs, of.targets)
    whole = _settled(learner.tested, learner.tested.seen(data.rows), None)
    rows = (*columns(data.train_targets), *columns(data.train_inputs))
    program = of.backend(whole)
    return lambda state: [_plain(v) for v in listed(program(*of.values(state), *rows))]


def _plain(value: Any) -> np.ndarray:
    """A NumPy array of numbers, of Python's own where they are too large for NumPy's."""
    array = np.asarray(value)
    return np.array(array.tolist()) if array.dtype == object else array
