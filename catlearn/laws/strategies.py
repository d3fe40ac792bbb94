"""Hypothesis strategies: objects, well-typed diagrams over any set of generators, lenses, states, points.

Everything is drawn from Hypothesis, so counterexamples shrink: few wires, few gates, small numbers. Wires are used
repeatedly and left unused; objects may be empty. `assignment` draws a value for every variable of a law.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from catlearn.errors import CatlearnError

try:
    from hypothesis import assume
    from hypothesis import strategies as st
except ModuleNotFoundError as missing:
    raise CatlearnError("checking laws needs Hypothesis: pip install 'categorical-learning[laws]'") from missing

from catlearn.builder import Builder
from catlearn.diagram import Diagram
from catlearn.generators.arithmetic import Add, Constant, Multiply
from catlearn.laws.law import Law, Variable
from catlearn.lens import Lens, Sides
from catlearn.reverse import forward_derivative, reverse_derivative
from catlearn.semirings import Carrier
from catlearn.space import Object, Space, changes

__all__ = [
    "Category",
    "additive_lenses",
    "arrays",
    "assignment",
    "diagrams",
    "elements",
    "lenses",
    "linear_maps",
    "objects",
    "points",
    "sides",
    "states",
]

Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(frozen=True)
class Category:
    """A category to check: the spaces of its objects, its generators as diagrams, and what it declares of itself.

    `breaks` says, by identifier, which laws it breaks and why; `rounds` is True where laws hold to rounding only, and
    are compared at random points in 64-bit floats; otherwise sides are compared as polynomials. `reverse` is its R;
    `closed`, if there is one, is what laws stated of every R are checked with instead.
    `losses`, `optimisers` and `lenses` are what variables of those kinds stand for; `about`, if not empty, names the
    kinds of variable that a law must have to be checked here.
    """

    name: str
    spaces: tuple[Space, ...]
    gates: tuple[Diagram, ...]
    rounds: bool = False
    breaks: dict[str, str] = field(default_factory=dict)
    reverse: Callable[[Diagram], Diagram] = reverse_derivative
    closed: Callable[[Diagram], Diagram] | None = None
    losses: tuple[Any, ...] = ()
    optimisers: tuple[Any, ...] = ()
    lenses: tuple[Lens, ...] = ()
    about: tuple[str, ...] = ()

    @property
    def own_changes(self) -> bool:
        """Whether every value space is its own space of changes."""
        return all(space.changes == space for space in self.spaces)

    def operator(self, law: Law) -> Callable[[Diagram], Diagram]:
        """The R that a law is about."""
        return self.closed if self.closed is not None and law.any_reverse else self.reverse


@lru_cache(maxsize=1024)
def elements(carrier: Carrier) -> st.SearchStrategy[Any]:
    """Values of a carrier, small ones first."""
    choices = (0.0, 1.0, -1.0, 0.5, 2.0, -0.25) if carrier.kind == "real" else (0, 1, 2, -1, 3, -2, 5)
    return st.sampled_from([v for v in choices if bool(np.all(carrier.contains(np.array(v))))])


@lru_cache(maxsize=1024)
def _below(n: int) -> st.SearchStrategy[int]:
    """Making a strategy costs more than drawing from it, so those for indices are kept."""
    return st.integers(0, n - 1)


def _pick(draw: Draw, choices: Sequence[Any]) -> Any:
    return choices[draw(_below(len(choices)))]


_LENGTHS = (0, 1, 1, 1, 1, 2, 2, 2)
"""The empty object is the simplest, and says little: it is one in eight."""


def _draw_object(draw: Draw, spaces: Sequence[Space]) -> Object:
    return tuple(_pick(draw, spaces) for _ in range(_pick(draw, _LENGTHS))) if spaces else ()


def _draw_sides(draw: Draw, category: Category) -> Sides:
    back = tuple(dict.fromkeys(changes(category.spaces)))
    return Sides(_draw_object(draw, category.spaces), _draw_object(draw, back))


def objects(category: Category) -> st.SearchStrategy[Object]:
    """Objects of at most two wires; the empty one included."""
    return st.composite(_draw_object)(category.spaces)


def sides(category: Category) -> st.SearchStrategy[Sides]:
    """Objects of the category of lenses; what travels backward is drawn apart from what travels forward."""
    return st.composite(_draw_sides)(category)


@lru_cache(maxsize=1024)
def arrays(space: Space) -> st.SearchStrategy[np.ndarray]:
    """Arrays of a space."""
    entries = elements(space.carrier)
    kind = float if space.carrier.kind == "real" else int
    return st.lists(entries, min_size=space.size, max_size=space.size).map(
        lambda values: np.array(values, kind).reshape(space.shape)
    )


@lru_cache(maxsize=1024)
def points(spaces: Object) -> st.SearchStrategy[tuple[np.ndarray, ...]]:
    """An array for each space of an object."""
    return st.tuples(*map(arrays, spaces))


def _constant(draw: Draw, builder: Builder, space: Space) -> int:
    return builder.apply(Constant(space, draw(elements(space.carrier))), ())[0]


def _draw_diagram(draw: Draw, category: Category, dom: Object, cod: Object, gates: int = 4) -> Diagram:
    builder = Builder(dom)
    wires, made = list(range(len(dom))), list[int]()
    for _ in range(_pick(draw, (0, *range(1, gates + 1), *range(1, gates + 1))) if category.gates else 0):
        gate = _pick(draw, category.gates)
        made += builder.replay(gate, tuple(_choose(draw, builder, [*wires, *made], space) for space in gate.dom))
    return builder.finish([_choose(draw, builder, [*wires, *made, *made], space) for space in cod])


def _choose(draw: Draw, builder: Builder, wires: Sequence[int], space: Space) -> int:
    """A wire of that space, the latest first, or a constant."""
    there: list[int | None] = [wire for wire in reversed(wires) if builder.spaces[wire] == space]
    chosen = _pick(draw, [*there, None]) if there else None
    return _constant(draw, builder, space) if chosen is None else chosen


def _draw_lens(draw: Draw, category: Category, dom: Sides, cod: Sides) -> Lens:
    get = _draw_diagram(draw, category, dom.forward, cod.forward, gates=2)
    return Lens(get, _draw_diagram(draw, category, dom.forward + cod.backward, dom.backward, gates=2))


def _draw_additive_lens(draw: Draw, category: Category, dom: Object, cod: Object) -> Lens:
    return Lens.of(_draw_diagram(draw, category, dom, cod))


def _draw_linear_map(draw: Draw, category: Category, dom: Object, cod: Object) -> Diagram:
    builder = Builder(dom)
    outputs = []
    for space in cod:
        total = builder.apply(Constant(space, space.carrier.zero), ())[0]
        for wire, source in enumerate(dom):
            if source == space:
                scaled = builder.apply(Multiply(space), (wire, _constant(draw, builder, space)))[0]
                total = builder.apply(Add(space), (total, scaled))[0]
        outputs.append(total)
    return builder.finish(outputs)


def diagrams(category: Category, dom: Object, cod: Object, gates: int = 4) -> st.SearchStrategy[Diagram]:
    """A diagram of that type over the category's generators and constants."""
    return st.composite(_draw_diagram)(category, dom, cod, gates)


def lenses(category: Category, dom: Sides, cod: Sides) -> st.SearchStrategy[Lens]:
    """A lens with a random get and a random put, not in the image of R."""
    return st.composite(_draw_lens)(category, dom, cod)


def additive_lenses(category: Category, dom: Object, cod: Object) -> st.SearchStrategy[Lens]:
    """A lens (f, R[f]): its put is additive."""
    return st.composite(_draw_additive_lens)(category, dom, cod)


def linear_maps(category: Category, dom: Object, cod: Object) -> st.SearchStrategy[Diagram]:
    """A linear map: each output a sum of inputs of its space, each times a constant."""
    return st.composite(_draw_linear_map)(category, dom, cod)


@st.composite
def states(draw: Draw, optimiser: Any, spaces: Object, steps: int = 2) -> list[np.ndarray]:
    """A state that the optimiser reaches from random parameters by at most that many random changes."""
    from catlearn.functors.jax import Jax

    put = Jax("float64")(optimiser.bound(spaces).put)
    state = optimiser.init([draw(arrays(space)) for space in spaces], spaces)
    for _ in range(draw(st.integers(0, steps))):
        after = put(*state, *(draw(arrays(space)) for space in changes(spaces)))
        state = after if isinstance(after, tuple) else (after,)
    return [np.asarray(value) for value in state]


def _fits(thing: Any, kind: str, spaces: Object) -> bool:
    """Whether the loss or optimiser is typed there."""
    try:
        thing.para(spaces) if kind == "loss" else thing.lens(spaces)
    except CatlearnError:
        return False
    return True


def _plain(letter: str, values: dict[str, Any]) -> Any:
    """The object that a letter stands for, a prime taking its changes."""
    return changes(values[letter[0]]) if letter.endswith("'") else values[letter[0]]


def _together(letters: tuple[str, ...], values: dict[str, Any], empty: Any) -> Any:
    return sum((_plain(letter, values) for letter in letters), empty)


def assignment(draw: Draw, law: Law, category: Category) -> dict[str, Any]:
    """A value for every name that the law's sides take."""
    letters: dict[str, Any] = {}
    R = category.operator(law)
    values: dict[str, Any] = {"R": R, "D": lambda f: forward_derivative(f, R)}
    typed = law.typed
    for variable in sorted(typed, key=lambda v: v.kind not in ("loss", "optimiser")):
        _given(draw, variable, category, letters, values)
    of_lenses = {letter for v in typed if v.kind == "=>" for letter in (*v.dom, *v.cod)}
    for letter in law.objects:
        if letter not in letters:
            lens = letter in of_lenses
            letters[letter] = _draw_sides(draw, category) if lens else _draw_object(draw, category.spaces)
    for variable in typed:
        if variable.name not in values:
            values[variable.name] = _drawn(draw, variable, category, letters)
    return {name: values[name] if name in values else letters[name] for name in law.names}


def _given(draw: Draw, v: Variable, category: Category, letters: dict[str, Any], values: dict[str, Any]) -> None:
    """What the category brings itself: a loss or an optimiser with an object that it fits, the lens that is checked.

    One time in four a diagram is a generator alone, so that each is seen even where few objects are its domain.
    """
    if v.kind in ("loss", "optimiser"):
        spaces = _draw_object(draw, category.spaces)
        pool = category.losses if v.kind == "loss" else category.optimisers
        fitting = [thing for thing in pool if _fits(thing, v.kind, spaces)]
        assume(fitting)
        values[v.name], letters[v.dom[0]] = _pick(draw, fitting), spaces
    elif v.kind in ("=>", "=o") and category.lenses and not {*v.dom, *v.cod} & set(letters):
        lens = values[v.name] = _pick(draw, category.lenses)
        letters[v.dom[0]], letters[v.cod[0]] = lens.dom, lens.cod
    elif v.kind == "->" and category.gates and _two_free_letters(v, letters) and _pick(draw, _ONE_IN_FOUR):
        gate = values[v.name] = _pick(draw, category.gates)
        letters[v.dom[0]], letters[v.cod[0]] = gate.dom, gate.cod


_ONE_IN_FOUR = (False, False, False, True)


def _two_free_letters(v: Variable, letters: dict[str, Any]) -> bool:
    names = {*v.dom, *v.cod}
    return len(v.dom) == len(v.cod) == 1 and len(names) == 2 and not names & set(letters) and "'" not in "".join(names)


def _drawn(draw: Draw, variable: Variable, category: Category, letters: dict[str, Any]) -> Any:
    if variable.kind == "=>":
        empty = Sides((), ())
        dom, cod = (_together(side, letters, empty) for side in (variable.dom, variable.cod))
        return _draw_lens(draw, category, dom, cod)
    dom, cod = (_together(side, letters, ()) for side in (variable.dom, variable.cod))
    makers: dict[str, Any] = {"->": _draw_diagram, "-o": _draw_linear_map, "=o": _draw_additive_lens}
    return makers[variable.kind](draw, category, dom, cod)
