"""Markov kernels with guides, as optics of the core: what smoothing is made of.

A kernel S -> T is a pair of optics from T to S with one first pass: messages go from T to S; back come laws, or random
paths. `guided` makes a kernel of three functions on wires; `>>`, `@` and `copy` make larger ones, and the
core's Optic and Para compose them (BFFG.seq, BFFG.par). Definitions are in `catlearn.systems.smoothing`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from catlearn import functions
from catlearn.diagram import Diagram
from catlearn.errors import CompositionError, InputError
from catlearn.functors.functor import listed
from catlearn.generators.batching import batch
from catlearn.generators.opaque import from_jax
from catlearn.lens import Sides
from catlearn.optic import Optic
from catlearn.para import Para
from catlearn.parameters import Filled, Parameter, Signature
from catlearn.semirings import KEYS, REAL
from catlearn.space import Object, Space
from catlearn.tracing import Wire, trace

__all__ = [
    "Kernel",
    "Stacked",
    "State",
    "copy",
    "guided",
    "identity",
    "swap",
]

NUMBER, KEY = Space((), REAL), Space((), KEYS)
Wires = Sequence[Wire]


class State:
    """A variable's space of values: the wires of its messages, of its laws and of its points, and what they are for.

    A subclass is a frozen dataclass; what has a default here need not be given.
    """

    start: tuple[np.ndarray, ...] | None = None
    """The law of the only point, for a space of one point."""

    @property
    def messages(self) -> Object:
        """The wires of a message."""
        raise NotImplementedError

    @property
    def laws(self) -> Object:
        """The wires of a law; none where nobody asks for it."""
        return ()

    @property
    def points(self) -> Object:
        """The wires of a point."""
        return ()

    @property
    def paths(self) -> Object:
        """The wires of a random path: a point, the logarithm of a weight, and a key for what comes after."""
        return (*self.points, NUMBER, KEY)

    @property
    def nothing(self) -> tuple[np.ndarray, ...]:
        """The message that says nothing, 1 everywhere."""
        raise NotImplementedError

    def meet(self, one: Wires, two: Wires) -> Wires:
        """The product of two messages."""
        return [x + y for x, y in zip(one, two, strict=True)]

    def at_start(self, message: Wires) -> Wire:
        """For a space of one point, the logarithm of a message there."""
        raise CompositionError(f"{self} is no space of one point")

    def check(self, message: Sequence[np.ndarray], what: str) -> None:
        """Raise `InputError` for arrays of the right shapes that are no message."""
        if not all(np.isfinite(part).all() for part in message):
            raise InputError(f"{what} is not finite everywhere; what is missing must be said to be missing")


@dataclass(frozen=True)
class Stacked(State):
    """`length` variables of one space, their wires stacked along a first axis."""

    each: State
    length: int

    def __str__(self) -> str:
        return f"{self.length} x ({self.each})"

    def _many(self, spaces: Object) -> Object:
        return tuple(space.batch(self.length) for space in spaces)

    @property
    def messages(self) -> Object:
        return self._many(self.each.messages)

    @property
    def laws(self) -> Object:
        return self._many(self.each.laws)

    @property
    def points(self) -> Object:
        return self._many(self.each.points)

    @property
    def paths(self) -> Object:
        return self._many(self.each.paths)

    @property
    def nothing(self) -> tuple[np.ndarray, ...]:
        return tuple(np.broadcast_to(array, (self.length, *array.shape)) for array in self.each.nothing)

    def meet(self, one: Wires, two: Wires) -> Wires:
        n = len(one)
        body = trace(self.each.messages * 2, lambda *wires: list(self.each.meet(wires[:n], wires[n:])))
        return listed(batch(body, self.length)(*one, *two))

    def check(self, message: Sequence[np.ndarray], what: str) -> None:
        self.each.check(message, what)


States = tuple[State, ...]


def sides(states: States, paths: bool = False) -> Sides:
    """Messages one way; laws, or random paths, the other."""
    back = [space for state in states for space in (state.paths if paths else state.laws)]
    return Sides(tuple(space for state in states for space in state.messages), tuple(back))


@dataclass(frozen=True, eq=False)
class Kernel:
    """A Markov kernel `dom -> cod` with its guide: two optics of one first pass, whose second carries laws, or paths.

    The optics run from `cod` to `dom`, so `K1 >> K2` composes them the other way round; `K1 @ K2` stands side by side.
    Raises `CompositionError` where kernels do not meet.
    """

    dom: States
    cod: States
    laws: Para[Optic]
    paths: Para[Optic]
    exact: bool = True

    def __rshift__(self, other: Kernel) -> Kernel:
        if not isinstance(other, Kernel):
            return NotImplemented
        if self.cod != other.dom:
            raise CompositionError(
                f"cannot compose kernels: the left one ends in {show(self.cod)}, the right one starts in "
                f"{show(other.dom)}"
            )
        exact = self.exact and other.exact
        return Kernel(self.dom, other.cod, other.laws >> self.laws, other.paths >> self.paths, exact)

    def __matmul__(self, other: Kernel) -> Kernel:
        if not isinstance(other, Kernel):
            return NotImplemented
        exact = self.exact and other.exact
        dom, cod = self.dom + other.dom, self.cod + other.cod
        return Kernel(dom, cod, self.laws @ other.laws, self.paths @ other.paths, exact)

    def __str__(self) -> str:
        return f"kernel {show(self.dom)} -> {show(self.cod)}"

    @property
    def parameter(self) -> Object:
        """The wires of its matrices, in order; `names` and `initial()` are theirs."""
        forward: Object = self.laws.parameter.forward
        return forward

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its matrices, in order of the wires; a layer's number counts from the last kernel."""
        return self.laws.names

    def initial(self) -> tuple[np.ndarray, ...]:
        """The matrices that it was made with."""
        return self.laws.initial()

    @cached_property
    def log_likelihood(self) -> Para[Diagram]:
        """The evidence at the leaves to the logarithm of its likelihood; its parameters are the matrices.

        Raises `CompositionError` for a kernel that does not start in one point.
        """
        whole = self.laws.morphism.lens().get >> at_start(self.dom)
        return Para(self.parameter, sides(self.cod).forward, whole, self.laws.signature)

    @cached_property
    def smoothing(self) -> Para[Diagram]:
        """The evidence at the leaves to the logarithm of its likelihood and the laws at the leaves."""
        optic = self.laws.morphism
        whole = optic.forward >> (Diagram.identity(optic.residual) @ at_start(self.dom))
        starting = trace((), lambda: _constants(sides(self.dom).backward, started(self.dom)))
        order = [*range(len(optic.residual), len(whole.cod)), *range(len(optic.residual))]
        second = (Diagram.identity(optic.residual) @ starting) >> optic.backward
        whole = whole.select(order) >> (Diagram.identity((NUMBER,)) @ second)
        return Para(self.parameter, sides(self.cod).forward, whole, self.laws.signature)

    @cached_property
    def _compiled(self) -> dict[Any, Callable[..., Any]]:
        return {}

    def run(self, name: str, make: Callable[[], Diagram], backend: Any, arguments: Sequence[Any]) -> list[np.ndarray]:
        """What a diagram of the kernel makes of arguments, compiled once for each name and functor."""
        from catlearn.functors.jax import Jax

        functor = backend or Jax("float64")
        key = name, repr(functor)
        if key not in self._compiled:
            self._compiled[key] = functor.compile(functor(make()))
        with functor.scope():
            return [np.asarray(value) for value in listed(self._compiled[key](*arguments))]


def show(states: States) -> str:
    """An object in words."""
    return " x ".join(map(str, states)) or "1"


def started(dom: States) -> tuple[np.ndarray, ...]:
    """The law of the only point; raises `CompositionError` where there are more."""
    for state in dom:
        if state.start is None:
            raise CompositionError(
                f"a model is a kernel out of a point, and this one starts in {show(dom)}: put a prior before it"
            )
    return tuple(array for state in dom for array in state.start or ())


def _constants(spaces: Object, arrays: Iterable[np.ndarray]) -> list[Wire]:
    return [functions.constant(space, array) for space, array in zip(spaces, arrays, strict=True)]


def at_start(dom: States) -> Diagram:
    """The logarithm of a message at the only point."""
    started(dom)

    def total(*wires: Wire) -> Wire:
        result = functions.constant(NUMBER, 0.0)
        for state, message in zip(dom, grouped(dom, wires), strict=True):
            result = result + state.at_start(message)
        return result

    return trace(sides(dom).forward, total)


def grouped(states: States, wires: Sequence[Any]) -> list[Sequence[Any]]:
    """The message of each state."""
    ends = [0, *accumulate(len(state.messages) for state in states)]
    return [wires[a:b] for a, b in pairwise(ends)]


def guided(
    layer: str,
    matrices: Mapping[str, np.ndarray],
    dom: States,
    cod: States,
    first: Callable[..., tuple[Wires, Wires]],
    law: Callable[..., Wires],
    path: Callable[..., Wires],
    exact: bool = True,
) -> Kernel:
    """The kernel of three functions on wires: a way to make kernels of one's own.

    `first(matrices, messages of cod)` gives the residual and the messages of dom; `law(residual, laws of dom)` the laws
    of cod; `path(residual, a point, a weight and a key for each of dom)` the same of cod.
    """
    records = tuple(Parameter(n, Space(a.shape, REAL), Filled(a)) for n, a in matrices.items())
    parameter = Sides(tuple(record.space for record in records), ())

    def optic(second: Callable[..., Wires], paths: bool) -> Para[Optic]:
        source, target = sides(cod, paths), sides(dom, paths)
        whole = trace(parameter.forward + source.forward, lambda *wires: [p for part in first(*wires) for p in part])
        residual = whole.cod[: len(whole.cod) - len(target.forward)]
        back = trace(residual + target.backward, lambda *wires: list(second(*wires)))
        made = Optic(residual, whole, back)
        return Para(parameter, source, made, Signature.layer(records, layer))

    return Kernel(dom, cod, optic(law, False), optic(path, True), exact)


def _structural(dom: States, cod: States, first: Callable[..., Wires], back: Callable[..., Wires]) -> Kernel:
    return guided("structure", {}, dom, cod, lambda *wires: ((), first(*wires)), back, back)


def identity(*states: State) -> Kernel:
    """The identity kernel."""
    return _structural(states, states, lambda *wires: wires, lambda *wires: wires)


def swap(left: State, right: State) -> Kernel:
    """The symmetry S x T -> T x S."""

    def exchanged(count: int) -> Callable[..., Wires]:
        return lambda *wires: (*wires[count:], *wires[:count])

    laws, paths = (len(sides((left,), each).backward) for each in (False, True))
    first = exchanged(len(right.messages))
    return guided(
        "structure",
        {},
        (left, right),
        (right, left),
        lambda *wires: ((), first(*wires)),
        exchanged(laws),
        exchanged(paths),
    )


def copy(state: State) -> Kernel:
    """The copy S -> S x S: the product of the two messages, the law twice (BFFG.copy).

    A leaf is a copy of a variable that goes on; its law is the variable's marginal, whatever the evidence there.
    """
    n = len(state.messages)

    return guided(
        "structure",
        {},
        (state,),
        (state, state),
        lambda *wires: ((), state.meet(wires[:n], wires[n:])),
        lambda *law: (*law, *law),
        lambda *path: _twice(state, path),
    )


def _twice(state: State, path: Wires) -> Wires:
    """Two paths of one: the point in both, the weight in one of them, and two keys."""
    if isinstance(state, Stacked):
        each = state.each
        return listed(batch(trace(each.paths, lambda *wires: list(_twice(each, wires))), state.length)(*path))
    *point, weight, key = path
    mine, theirs = _SPLIT(key)
    return [*point, weight, mine, *point, functions.constant(NUMBER, 0.0), theirs]


def _halves(key: Any) -> tuple[Any, Any]:
    import jax

    one, two = jax.random.split(key, 2)
    return one, two


_SPLIT = from_jax(_halves, KEY, (KEY, KEY), "split")
