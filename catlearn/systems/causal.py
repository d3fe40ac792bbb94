"""Causal maps: maps of sequences whose output at a time depends on the inputs up to then, by a state.

Objects are sequences X = (X_0, X_1, ..) of objects. A causal map X -> Y has states S_0, S_1, .., an initial state, a
step at each time, and parameters P that are the same at all times (ST.shared):

    i : P -> S_0        f_k : P x S_k x X_k -> S_{k+1} x Y_k                                             (ST.def)
    U_n(f) : P x X_0 x .. x X_n -> Y_0 x .. x Y_n     runs n + 1 steps and drops the last state         (ST.unroll)

Two are the same map if all their unrollings are. They compose and stand side by side, states beside states (ST.comp,
ST.tensor), parameters as in Para. The derivative of a causal map is one again, and needs no unrolling: its states are
pairs of a state and its change (ST.D). R of one is anticausal, so R is taken of an unrolling (ST.notcausal): `as_scan`
is one Scan, whose R is backpropagation through time (ST.BPTT). Feedback is in `catlearn.systems.delayed_trace`.

>>> from catlearn.reverse import reverse_derivative
>>> from catlearn.semirings import Z2
>>> from catlearn.space import Space
>>> from catlearn.tracing import diagram
>>> bit = Space((), Z2)
>>> @diagram(bit, bit)
... def parity(state, x):
...     return state + x, state + x
>>> outputs, state = stateful(parity, [0]).run([1, 1, 0, 1])
>>> outputs.tolist(), int(state)
([1, 0, 0, 1], 1)
>>> r = reverse_derivative(stateful(parity, [0]).as_scan(4).morphism)
>>> r([1, 1, 0, 1], [0, 0, 1, 0]).tolist()  # the third output reads the first three inputs
[1, 1, 1, 0]

Source: Sprunger and Katsumata, Differentiable causal computations via delayed trace (1903.01093); in our presentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from catlearn import functions
from catlearn.builder import Builder
from catlearn.diagram import Diagram, discard, identity, permute, swap
from catlearn.errors import CompositionError, InputError, OperationError
from catlearn.functors.arrays import as_array
from catlearn.functors.functor import bare, listed
from catlearn.generators.scan import Scan
from catlearn.para import Para
from catlearn.parameters import Layer, Parameter, Signature
from catlearn.reverse import forward_derivative
from catlearn.space import Object, changes, first_difference, show_object
from catlearn.systems.sequences import Objects, Sequence, along, always, first_time
from catlearn.tracing import Wire, trace

__all__ = ["Causal", "Steps", "beside", "delay", "derivative", "entries_of", "initial_values", "lift", "stateful"]

Steps: TypeAlias = "Causal | Para[Diagram] | Diagram"


LONG = 256  # steps that take longer than to compile them


@dataclass(frozen=True)
class Causal:
    """A causal map; see the module's text.

    `initial : P -> S_0`; `steps[k] : P x S_k x X_k -> S_{k+1} x Y_k`; `states[k]` is S_k; `signature` names the
    parameters. Equal as data, not as maps. Raises `CompositionError` where a step does not fit.
    """

    parameter: Object
    states: Objects
    initial: Diagram
    steps: Sequence[Diagram]
    signature: Signature = field(default_factory=Signature, compare=False, repr=False)

    def __post_init__(self) -> None:
        if (self.initial.dom, self.initial.cod) != (self.parameter, self.states[0]):
            raise CompositionError(
                f"the initial state is a diagram from the parameters {show_object(self.parameter)} to the first state "
                f"{show_object(self.states[0])}; got {self.initial}"
            )
        for time in range(self.settled + 1):
            step, taken, returned = self.steps[time], self.parameter + self.states[time], self.states[time + 1]
            if step.dom[: len(taken)] != taken:
                raise first_difference(taken, step.dom, f"the step at time {time} takes parameters and state first")
            if step.cod[: len(returned)] != returned:
                raise first_difference(returned, step.cod, f"the step at time {time} returns the next state first")

    @property
    def settled(self) -> int:
        """The time from which on steps and states are constant."""
        return max(self.steps.settled, self.states.settled)

    @cached_property
    def dom(self) -> Objects:
        """The sequence X."""
        return along(self.settled, lambda k: self.steps[k].dom[len(self.parameter) + len(self.states[k]) :])

    @cached_property
    def cod(self) -> Objects:
        """The sequence Y."""
        return along(self.settled, lambda k: self.steps[k].cod[len(self.states[k + 1]) :])

    @property
    def step(self) -> Diagram:
        """The step once constant: P x S x X -> S x Y."""
        return self.steps.rest

    def __str__(self) -> str:
        ends = " -> ".join(show_object(side.rest) for side in (self.dom, self.cod))
        return f"causal map {ends} with states {show_object(self.states.rest)}"

    def _repr_svg_(self) -> str:
        from catlearn.functors.picture import picture

        return picture(self)

    def __rshift__(self, other: Steps) -> Causal:
        """(s, t, x) -> (s', t', z) with (s', y) = f_k(s, x) and (t', z) = g_k(t, y) (ST.comp)."""
        then = lift(other)
        if self.cod != then.dom:
            raise first_time(self.cod, then.dom, "cannot compose, the left codomain and the right domain")
        P, Q = self.parameter, then.parameter

        def step(k: int) -> Diagram:
            f, g = self.steps[k], then.steps[k]
            S, T, X, Y = self.states[k], then.states[k], self.dom[k], self.cod[k]
            after = self.states[k + 1]
            first = permute([Q, P, S, T, X], [0, 3, 1, 2, 4]) >> (identity(Q + T) @ f)
            return first >> permute([Q, T, after, Y], [2, 0, 1, 3]) >> (identity(after) @ g)

        return Causal(
            Q + P,
            beside(self.states, then.states),
            swap(Q, P) >> (self.initial @ then.initial),
            along(max(self.settled, then.settled), step),
            self.signature.then(then.signature),
        )

    def __rrshift__(self, other: Para[Diagram] | Diagram) -> Causal:
        return lift(other) >> self

    def __matmul__(self, other: Steps) -> Causal:
        """Side by side, at each time (ST.tensor)."""
        more = lift(other)
        P, U = self.parameter, more.parameter

        def step(k: int) -> Diagram:
            factors = [P, U, self.states[k], more.states[k], self.dom[k], more.dom[k]]
            results = [self.states[k + 1], self.cod[k], more.states[k + 1], more.cod[k]]
            both = self.steps[k] @ more.steps[k]
            return permute(factors, [0, 2, 4, 1, 3, 5]) >> both >> permute(results, [0, 2, 1, 3])

        return Causal(
            P + U,
            beside(self.states, more.states),
            self.initial @ more.initial,
            along(max(self.settled, more.settled), step),
            self.signature.beside(more.signature),
        )

    def __rmatmul__(self, other: Para[Diagram] | Diagram) -> Causal:
        return lift(other) @ self

    def unrolled(self, length: int) -> Para[Diagram]:
        """So many steps one after another; U_n(f) : X_0 x .. x X_n -> Y_0 x .. x Y_n is that of n + 1 (ST.unroll)."""
        items = [self.dom[k] for k in range(_length(length))]
        dom: Object = sum(items, ())
        builder = Builder(self.parameter + dom)
        at, outputs = len(self.parameter), tuple[int, ...]()
        parameters = tuple(range(at))
        state = builder.replay(self.initial, parameters)
        for k, item in enumerate(items):
            results = builder.replay(self.steps[k], (*parameters, *state, *range(at, at + len(item))))
            at, n = at + len(item), len(self.states[k + 1])
            state, outputs = results[:n], outputs + results[n:]
        return Para(self.parameter, dom, builder.finish(outputs), self.signature)

    def scanned(self, length: int) -> Para[Diagram]:
        """S_0 x X^length -> S_length x Y^length: from any state on, the inputs stacked along a first axis, as one Scan.

        Steps before they are constant stand in front of the Scan. Raises `CompositionError` where X or Y is not the
        same at all times, for then there is nothing to stack.
        """
        self._check_alike()
        dom = self.states[0] + tuple(space.batch(_length(length)) for space in self.dom.rest)
        p, states = len(self.parameter), len(self.states.rest)
        once = None if length < self.settled else Scan(self.step, length - self.settled, p, states).diagram
        whole = once if once is not None and not self.settled else self._early(length, dom, once)

        def at_all_times(dom: Object, cod: Object) -> tuple[Object, Object]:
            return tuple(space.batch(length) for space in dom), tuple(space.batch(length) for space in cod)

        return Para(self.parameter, dom, whole, _relabelled(self.signature, at_all_times))

    def _early(self, length: int, dom: Object, once: Diagram | None) -> Diagram:
        """The first steps, and then the Scan, if it has come to that."""
        p, n, early = len(self.parameter), len(self.states[0]), min(self.settled, length)

        def run(*wires: Wire) -> list[Wire]:
            parameters, state, items = wires[:p], list(wires[p : p + n]), wires[p + n :]
            columns: list[list[Wire]] = [[] for _ in self.cod.rest]
            for k in range(early):
                results = listed(self.steps[k](*parameters, *state, *(x[k] for x in items)))
                state, outputs = _parted(results, len(columns))
                for column, y in zip(columns, outputs, strict=True):
                    column.append(functions.reshape(y, (1, *y.shape)))
            later = [functions.zeros(space.batch(0)) for space in self.cod.rest]
            if once is not None:
                state, later = _parted(listed(once(*parameters, *state, *(x[early:] for x in items))), len(columns))
            return [*state, *(functions.concatenate([*c, y]) for c, y in zip(columns, later, strict=True))]

        return trace(self.parameter + dom, run)

    def as_scan(self, length: int) -> Para[Diagram]:
        """X^length -> Y^length from the initial state, as `scanned`: its R is backpropagation through time (ST.BPTT).

        R emits just the wires that the backward steps read, computes nothing twice, and adds the parameters' changes up
        in its carry (ST.cost).
        """
        whole, P, S = self.scanned(length), self.parameter, self.states[0]
        items = whole.dom[len(S) :]
        started = permute([P, items], [0, 0, 1]) >> (identity(P) @ self.initial @ identity(items)) >> whole.morphism
        outputs = range(len(started.cod) - len(self.cod.rest), len(started.cod))
        return Para(P, items, started.select(outputs), whole.signature)

    def run(self, *words: Any, parameters: Any = (), state: Any = None, length: int | None = None) -> tuple[Any, Any]:
        """The outputs on words, one array for each wire of X with time as its first axis, and the last state.

        `parameters` are values in the order of the wires or a tree of them; `state` is what to start from, if not the
        initial state; `length` says how long it runs where X has no wires. Outputs and state come as a diagram gives
        them: one bare, several as a tuple. A short word goes step by step, a long one is compiled; many words are
        faster through `as_scan(n).batch(m)`. Raises `InputError` for words of different lengths.
        """
        self._check_alike()
        items = [as_array(word, f"word {number}") for number, word in enumerate(words)]
        length = _common_length([item.shape for item in items], len(self.dom.rest), length)
        signature = Para(self.parameter, (), discard(self.parameter), self.signature)
        values = signature.leaves(parameters) if isinstance(parameters, Mapping) else tuple(parameters)
        last = listed(_running(self.initial)(*values) if state is None else state)
        if length >= LONG:
            results = listed(_running(self.scanned(length).diagram)(*values, *last, *items))
            last, outputs = _parted(results, len(self.cod.rest))
            return bare(tuple(map(np.asarray, outputs))), bare(tuple(last))
        columns: list[list[Any]] = [[] for _ in self.cod.rest]
        for k in range(length):
            results = listed(self._steps_running[k](*values, *last, *(item[k] for item in items)))
            last, outputs = _parted(results, len(columns))
            for column, output in zip(columns, outputs, strict=True):
                column.append(np.asarray(output))
        shapes = [(length, *space.shape) for space in self.cod.rest]
        words = tuple(np.array(c).reshape(shape) for c, shape in zip(columns, shapes, strict=True))
        return bare(words), bare(tuple(last))

    @cached_property
    def _steps_running(self) -> Sequence[Callable[..., Any]]:
        return self.steps.map(_running)

    def _check_alike(self) -> None:
        for what, spaces in (("inputs", self.dom), ("outputs", self.cod)):
            if spaces.settled:
                alike = always(spaces[0])
                raise first_time(alike, spaces, f"{what} that are not alike cannot be stacked, use unrolled; those")


def _running(diagram: Diagram) -> Callable[..., Any]:
    from catlearn.functors import default_functor

    run: Callable[..., Any] = default_functor(diagram)(diagram)
    return run


def _length(length: Any) -> int:
    if isinstance(length, bool) or not isinstance(length, int) or length < 0:
        raise OperationError(f"a length is an integer of at least 0; got {length!r}")
    return length


def _common_length(shapes: list[tuple[int, ...]], wires: int, length: int | None) -> int:
    if len(shapes) != wires:
        raise InputError(f"run takes one word for each input wire, of which there are {wires}; it got {len(shapes)}")
    if () in shapes:
        raise InputError(f"a word is an array with time as its first axis; got arrays of the shapes {shapes}")
    lengths = sorted({shape[0] for shape in shapes} | ({_length(length)} if length is not None else set()))
    if len(lengths) > 1:
        raise InputError(f"words that run together have one length; got the lengths {', '.join(map(str, lengths))}")
    if not lengths:
        raise InputError("a causal map without inputs needs to be told how long to run: run(length=10)")
    return lengths[0]


def _parted(results: list[Any], outputs: int) -> tuple[list[Any], list[Any]]:
    """States and outputs apart."""
    return results[: len(results) - outputs], results[len(results) - outputs :]


def beside(left: Objects, right: Objects) -> Objects:
    """At each time the product of the two."""
    return along(max(left.settled, right.settled), lambda k: left[k] + right[k])


def _relabelled(signature: Signature, ends: Callable[[Object, Object], tuple[Object, Object]]) -> Signature:
    """The signature of layers between other objects."""
    layers = tuple(Layer(layer.name, *ends(layer.dom, layer.cod)) for layer in signature.layers)
    return Signature(signature.parameters, signature.numbers, layers)


def lift(steps: Steps | Sequence[Diagram]) -> Causal:
    """The causal map without a state that is this diagram, or parametrised map, at each time; a causal map as it is.

    A sequence of diagrams gives one for each time. Raises `CompositionError` for anything else.
    """
    if isinstance(steps, Causal):
        return steps
    if isinstance(steps, Para):
        return Causal(steps.parameter, always(()), discard(steps.parameter), always(steps.diagram), steps.signature)
    given = steps if isinstance(steps, Sequence) else always(steps)
    if not all(isinstance(f, Diagram) for f in (*given.prefix, given.rest)):
        raise CompositionError(f"a causal map is made of diagrams or parametrised maps; got {steps!r}")
    return Causal((), always(()), identity(), given)


def delay(f: Steps) -> Causal:
    """∂f, which does nothing at time 0 and then runs f (ST.delay); ∂X is `objects_of(X).delayed(())`."""
    g = lift(f)
    wait = discard(g.parameter) @ identity(g.states[0])
    return Causal(g.parameter, g.states.delayed(g.states[0]), g.initial, g.steps.delayed(wait), g.signature)


def stateful(step: Para[Diagram] | Diagram, initial: Any) -> Causal:
    """The causal map with the step S x X -> S x Y at all times: a cell of `layers`, or any diagram.

    `initial` has a value for each wire of S. Or it is a map 1 -> S, whose parameters, if it has some, come after those
    of the step: then the initial state is learnt. Raises `CompositionError` where the state that comes out is not of
    the space of the one that goes in.

    >>> from catlearn.layers import gru_cell
    >>> stateful(gru_cell(3, 5), [0.0]).as_scan(7).cod
    (Space((7, 5), REAL),)
    """
    cell = step if isinstance(step, Para) else Para.of(step)
    given = entries_of(initial)
    count = len(given.cod) if isinstance(given, Para) else len(given)
    S, T = cell.dom[:count], cell.cod[:count]
    if len(S) < count or S != T:
        raise first_difference(S, T, f"the {count} wires of state that a step takes and returns")
    first = initial_values(given, S)
    P, Q = cell.parameter, first.parameter
    steps = always((identity(P) @ discard(Q) @ identity(cell.dom)) >> cell.diagram)

    def without_states(dom: Object, cod: Object) -> tuple[Object, Object]:
        return (dom[count:], cod[count:]) if (dom, cod) == (cell.dom, cell.cod) else (dom, cod)

    signature = first.signature.then(_relabelled(cell.signature, without_states))
    return Causal(P + Q, always(S), discard(P) @ first.diagram, steps, signature)


def entries_of(initial: Any) -> Para[Diagram] | list[Any]:
    """What initial values are given as: a map from nothing, or a list with one value for each wire."""
    if isinstance(initial, (Para, Diagram)):
        made = initial if isinstance(initial, Para) else Para.of(initial)
        if made.dom:
            raise CompositionError(f"initial values are a map from nothing; got one from {show_object(made.dom)}")
        return made
    if isinstance(initial, (str, bytes, Mapping)) or not isinstance(initial, Iterable):
        raise OperationError(f"initial values are a list, one for each wire, or a map from nothing; got {initial!r}")
    return list(initial)


def initial_values(initial: Any, spaces: Object) -> Para[Diagram]:
    """The map 1 -> spaces of the values given; raises `CompositionError` where they do not fit."""
    given = entries_of(initial)
    if isinstance(given, Para):
        if given.cod != spaces:
            raise first_difference(spaces, given.cod, "the wires that start and their initial values")
        return given
    if len(given) != len(spaces):
        raise CompositionError(f"{len(spaces)} wires {show_object(spaces)} need as many initial values; got {given!r}")
    if any(value is None for value in given):
        raise CompositionError(f"each wire of a state needs an initial value; got {given!r}")
    constants = zip(spaces, given, strict=True)
    return Para.of(trace((), lambda: [functions.constant(space, value) for space, value in constants]))


def derivative(f: Steps) -> Causal:
    """D* f : X x X' -> Y', in which the states are S x S' and the parameters P x P'; nothing is unrolled (ST.D).

        (s, ds), (x, dx)  |->  (s', ds'), dy       (s', _) = f_k(s, x),  (ds', dy) = D[f_k]((s, x), (ds, dx))

    The unrolling of it is D of the unrolling of f. The changes of the parameters are frozen parameters of it, zero at
    first, called like those and `_change`; the changes of an initial state without parameters are zero.
    """
    g = lift(f)
    P = g.parameter

    def step(k: int) -> Diagram:
        S, X = g.states[k], g.dom[k]
        factors = [P, changes(P), S, changes(S), X, changes(X)]
        read = permute(factors, [0, 2, 4, 0, 2, 4, 1, 3, 5])
        return read >> (g.steps[k].select(range(len(g.states[k + 1]))) @ forward_derivative(g.steps[k]))

    started = permute([P, changes(P)], [0, 0, 1]) >> (g.initial @ forward_derivative(g.initial))
    states = g.states.map(lambda S: S + changes(S))
    return Causal(P + changes(P), states, started, along(g.settled, step), _with_changes(g.signature))


def _with_changes(signature: Signature) -> Signature:
    own = tuple(Parameter(f"{p.name}_change", p.space.changes, None, "frozen", p.layer) for p in signature.parameters)
    numbers = np.concatenate([signature.numbers, signature.numbers])
    return Signature(signature.parameters + own, numbers, signature.layers)
