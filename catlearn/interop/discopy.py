"""Diagrams as DisCoPy's, and back: a space is an atomic type, a generator a box, and copies and discards are spiders.

    to_discopy(f) : a discopy.markov.Diagram, whose boxes hold the generators
    from_discopy(d) : the diagram of it; equal to f for d = to_discopy(f)

DisCoPy's diagrams are lists of layers over planar wires, so a wire that is read twice is copied, one that is not read
is discarded, and what is read in another order is swapped, each by a box of its own. In `from_discopy` they are wires
again, so that DisCoPy's interchanges and normal forms do not change what comes back. Its functors need meanings for
boxes alone; `functions` gives the one into Python functions. It needs the extra `discopy`.

>>> from catlearn.semirings import Z2
>>> from catlearn.tracing import diagram
>>> bit = Space((), Z2)
>>> @diagram(bit, bit)
... def half_adder(x, y): return x + y, x * y
>>> drawn = to_discopy(half_adder)
>>> [type(box).__name__ for box in drawn.boxes]
['Copy', 'Copy', 'Swap', 'Box', 'Box']
>>> from_discopy(drawn) == half_adder
True

Source: de Felice, Toumi and Coecke, DisCoPy: monoidal categories in Python (2005.02975); Fritz (1908.07021) for Markov
categories, in which all boxes need not be copied: ours can be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from catlearn.builder import Builder
from catlearn.diagram import Diagram, Generator
from catlearn.errors import OperationError, UnknownNameError, missing_extra, nearest
from catlearn.functors import default_functor
from catlearn.functors.picture import shown
from catlearn.space import Object, Space, as_object, first_difference

try:
    from discopy import cat, markov, monoidal, python, symmetric
except ImportError as error:
    raise missing_extra("discopy", "discopy", "exchanging diagrams with DisCoPy") from error

__all__ = ["SpaceType", "from_discopy", "functions", "to_discopy", "type_of"]


class SpaceType(cat.Ob):
    """A space as an object of DisCoPy, named as in pictures and equal where the spaces are."""

    def __init__(self, space: Space) -> None:
        super().__init__(shown(space))
        self.space = space

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SpaceType) and self.space == other.space

    def __hash__(self) -> int:
        return hash(self.space)

    def __repr__(self) -> str:
        return f"SpaceType({self.space!r})"


def type_of(spaces: Space | Iterable[Space]) -> markov.Ty:
    """The type of an object: one atomic type a space.

    >>> from catlearn.semirings import REAL
    >>> print(type_of((Space(3, REAL), Space((), REAL))))
    REAL 3 @ REAL
    """
    return markov.Ty(*map(SpaceType, as_object(spaces)))


class _Layers:
    """A DisCoPy diagram being built: wires side by side, each the number of a wire of ours."""

    def __init__(self, spaces: list[Space], uses: Counter[int]) -> None:
        self.spaces, self.uses = spaces, uses
        self.wires: list[int] = []
        self.made = markov.Diagram.id(markov.Ty())

    def add(self, box: markov.Diagram, at: int, width: int, wires: Sequence[int]) -> None:
        """Put a box on the wires from `at` on, which gives those wires."""
        left, right = (type_of([self.spaces[w] for w in some]) for some in (self.wires[:at], self.wires[at + width :]))
        self.made = self.made >> left @ box @ right
        self.wires[at : at + width] = wires

    def spread(self, at: int) -> None:
        """Copy, or discard, the wire there, as often as it is read."""
        wire = self.wires[at]
        count, kind = self.uses[wire], type_of(self.spaces[wire])
        if count != 1:
            self.add(markov.Copy(kind, count), at, 1, [wire] * count)

    def gather(self, wanted: Sequence[int], at: int) -> None:
        """Swap wires until those wanted stand in that order from `at` on."""
        for place, wire in enumerate(wanted, at):
            found = self.wires.index(wire, place)
            for k in range(found, place, -1):
                one, two = self.wires[k - 1], self.wires[k]
                box = markov.Swap(type_of(self.spaces[one]), type_of(self.spaces[two]))
                self.add(box, k - 1, 2, [two, one])


def to_discopy(diagram: Diagram) -> markov.Diagram:
    """The DisCoPy diagram of a diagram: a box a node with its generator as `data`; copies, discards and swaps explicit.

    Raises `OperationError` for what is no diagram.
    """
    if not isinstance(diagram, Diagram):
        raise OperationError(f"to_discopy takes a Diagram, such as model.diagram or lens.get; got {diagram!r}")
    uses = Counter(wire for _, inputs, _ in diagram.nodes for wire in inputs)
    uses.update(diagram.outputs)
    spaces = [*diagram.dom, *(space for generator, _, _ in diagram.nodes for space in generator.cod)]
    layers = _Layers(spaces, uses)
    layers.made = markov.Diagram.id(type_of(diagram.dom))
    layers.wires = list(range(len(diagram.dom)))
    for at in reversed(range(len(diagram.dom))):
        layers.spread(at)
    for generator, inputs, outputs in diagram.nodes:
        at = min((layers.wires.index(wire) for wire in inputs), default=len(layers.wires))
        layers.gather(inputs, at)
        box = markov.Box(generator.name, type_of(generator.dom), type_of(generator.cod), data=generator)
        layers.add(box, at, len(inputs), outputs)
        for place in reversed(range(at, at + len(outputs))):
            layers.spread(place)
    layers.gather(diagram.outputs, 0)
    return layers.made


def from_discopy(
    diagram: monoidal.Diagram,
    spaces: Mapping[str, Space] | None = None,
    boxes: Mapping[str, Diagram | Generator] | None = None,
) -> Diagram:
    """The diagram of a DisCoPy diagram (monoidal, symmetric or markov).

    Boxes of `to_discopy` hold their generators; `boxes` gives the diagrams of others by name, and `spaces` the spaces
    of their types. Raises `UnknownNameError` for a box or type without one, `CompositionError` for a box whose diagram
    has other ends, `OperationError` for what has no meaning here (a merge, a dagger, a sum).
    """
    if not isinstance(diagram, monoidal.Diagram) or isinstance(diagram, monoidal.Sum):
        raise OperationError(f"from_discopy takes a diagram of DisCoPy, such as to_discopy gives; got {diagram!r}")
    spaces, boxes = spaces or {}, boxes or {}
    builder = Builder(_object(diagram.dom, spaces))
    wires = list(range(len(builder.dom)))
    for box, at in zip(diagram.boxes, diagram.offsets, strict=True):
        here = tuple(wires[at : at + len(box.dom)])
        wires[at : at + len(box.dom)] = _meaning(box, here, builder, spaces, boxes)
    return builder.finish(wires)


def _object(kind: monoidal.Ty, spaces: Mapping[str, Space]) -> Object:
    found = []
    for one in kind.inside:
        if not isinstance(one, SpaceType) and one.name not in spaces:
            raise UnknownNameError(f"the type {one.name!r} has no space: {_known(one.name, spaces, 'spaces')}")
        found.append(one.space if isinstance(one, SpaceType) else spaces[one.name])
    return tuple(found)


def _known(name: str, known: Mapping[str, Any], what: str) -> str:
    return nearest(name, known) if known else f"give {what}={{{name!r}: ..}}"


def _meaning(
    box: monoidal.Box,
    wires: tuple[int, ...],
    builder: Builder,
    spaces: Mapping[str, Space],
    boxes: Mapping[str, Diagram | Generator],
) -> tuple[int, ...]:
    """What a box does to those wires."""
    if isinstance(box, symmetric.Swap):
        return wires[::-1]
    if isinstance(box, markov.Copy):
        return wires * len(box.cod)
    if isinstance(box, markov.Merge) or box.is_dagger:
        raise OperationError(f"{box} has no meaning as a diagram: boxes, swaps, copies and discards have one")
    found = box.data if isinstance(box.data, Generator) else boxes.get(box.name)
    if found is None:
        raise UnknownNameError(f"the box {box.name!r} has no diagram: {_known(box.name, boxes, 'boxes')}")
    inner = found.diagram if isinstance(found, Generator) else found
    for what, kind, ours in (("domain", box.dom, inner.dom), ("codomain", box.cod, inner.cod)):
        if _object(kind, spaces) != ours:
            raise first_difference(_object(kind, spaces), ours, f"the {what} of the box {box.name} and its diagram's")
    return builder.replay(inner, wires)


def functions(run: Callable[[Diagram], Callable[..., Any]] | None = None) -> markov.Functor:
    """DisCoPy's functor from diagrams of `to_discopy` into Python functions: each box runs its own generator.

    `run` turns a diagram of one generator into a function, such as `Exact()` or `Jax()`; without, the default functor.
    Its values are functions of as many arguments as there are wires: `functions()(to_discopy(f))(*x) == f(*x)`.
    """

    def meaning(box: markov.Box) -> Callable[..., Any]:
        if not isinstance(box.data, Generator):
            raise UnknownNameError(f"the box {box.name!r} holds no generator: make it by to_discopy")
        whole = box.data.diagram
        return (run or default_functor(whole))(whole)

    return markov.Functor(lambda kind: object, meaning, cod=markov.Category(python.Ty, python.Function))
