"""Diagrams: the morphisms of the free cartesian category over a set of generators.

A diagram `dom -> cod` is stored in single-assignment form: a list of nodes (generator, input wires), where the wires
are numbered from the inputs on, and the output wires. That is a string diagram in a cartesian category: a wire used
twice is a copy, a wire not used is discarded. The laws of the category are the optimisations: copy is natural, so equal
nodes on equal wires are one; discard is natural, so nodes that no output needs are dropped. Both hold only for a
generator whose reverse is additive in the cotangent (LENS.share); one that is marked otherwise is neither merged nor
dropped.

`f >> g` composes in diagrammatic order, `f @ g` is the tensor. Both are lazy: a long composite is flattened once, in
time linear in its length. `f == g` says that the two have the same canonical form by the cartesian laws alone.

>>> from catlearn.semirings import Z2
>>> bit = Space((), Z2)
>>> swap(bit, bit) >> swap(bit, bit) == identity((bit, bit))
True
>>> copy(bit) >> (identity(bit) @ discard(bit)) == identity(bit)
True

Source: Fox's theorem on cartesian categories; the laws are named in the tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, ClassVar

from catlearn.builder import Builder, Node, Wires, canonical
from catlearn.errors import CompositionError
from catlearn.space import Object, Space, as_object, first_difference, show_object

__all__ = ["Diagram", "Generator", "copy", "discard", "identity", "swap", "wiring"]


class Generator:
    """A named basic morphism: data (its class and static fields), compared by value.

    A subclass is a frozen dataclass that gives `dom` and `cod`, and as many of these as make sense:

    - `reverse()`: the diagram R[g] : dom x changes(cod) -> changes(dom); None where `expansion` is to be reversed;
    - `expansion()`: the same morphism as a diagram of smaller generators;
    - `batched(size, flags)`: n copies side by side as one diagram, flags saying which inputs are stacked along a new
      first axis and which are shared; None where it has no better form than a `Map`;
    - `evaluate(arrays, *inputs)`: its meaning on arrays, in the operations of the functor `arrays`;
    - `evaluation()`: what it becomes after training, where that is another map;
    - `prepared()`: what functors into arrays run in its place, where its parts can be shared.

    `additive` is False for a generator whose reverse is not additive in the cotangent: such a node is never merged or
    dropped. `lawful` is False for one whose reverse is not the derivative of what it computes; `computes()` is then
    that map. `linear` lists groups of inputs in each of which, the others held, every output is linear. `by_value` says
    that `evaluate` looks at values (an address, a comparison), so that no polynomial can stand for them.
    """

    by_value: ClassVar[bool] = False

    @property
    def lawful(self) -> bool:
        """Whether the reverse is the derivative of what it computes, so that the laws of R hold for it."""
        return True

    def computes(self) -> Diagram | None:
        """For one that is not lawful, the map that it computes, as a diagram of lawful generators."""
        return None

    @property
    def additive(self) -> bool:
        """Whether the reverse is additive in the cotangent."""
        return True

    @property
    def linear(self) -> tuple[tuple[int, ...], ...]:
        """Groups of inputs in each of which, the others held, every output is linear; so zero where a group is zero."""
        return ()

    @property
    def dom(self) -> Object:
        """The object of the inputs."""
        raise NotImplementedError

    @property
    def cod(self) -> Object:
        """The object of the outputs."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """What a picture or an error calls it."""
        return type(self).__name__.lower()

    def reverse(self) -> Diagram | None:
        """R[g], or None where the expansion is to be reversed instead."""
        return None

    def expansion(self) -> Diagram | None:
        """The same morphism over smaller generators, or None."""
        return None

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        """The generator on `size` samples at once, every output stacked; None if only a `Map` will do."""
        return None

    def evaluation(self) -> Diagram | None:
        """What it becomes after training, or None where that is itself."""
        return None

    def prepared(self) -> Diagram | None:
        """What functors into arrays run in its place, or None."""
        return None

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        """The array of the output, or a tuple of several, from those of the inputs."""
        raise NotImplementedError

    @cached_property
    def reversed(self) -> Diagram | None:
        """`reverse()`, computed once."""
        return self.reverse()

    @cached_property
    def expanded(self) -> Diagram | None:
        """`expansion()`, computed once."""
        return self.expansion()

    @cached_property
    def diagram(self) -> Diagram:
        """The diagram of this one node."""
        dom = as_object(self.dom)
        return Diagram(dom, [(self, tuple(range(len(dom))))], range(len(dom), len(dom) + len(self.cod)))

    def __call__(self, *arguments: Any) -> Any:
        return self.diagram(*arguments)


class Diagram:
    """A morphism `dom -> cod`; see the module's text.

    `Diagram(dom, nodes, outputs)` is the diagram with those nodes (generator, input wires), the inputs being wires 0
    to len(dom) - 1 and the outputs of the nodes following in order. Raises `CompositionError` where a wire's space is
    not what the generator expects.
    """

    dom: Object
    cod: Object
    additive: bool
    is_identity: bool = False  # known to be an identity when it was made
    _flat: tuple[list[Node], Wires] | None
    _parts: tuple[str, Diagram, Diagram] | None

    def __init__(
        self,
        dom: Space | Iterable[Space],
        nodes: Iterable[tuple[Generator, Iterable[int]]] = (),
        outputs: Iterable[int] | None = None,
    ) -> None:
        self.dom = as_object(dom)
        builder = Builder(self.dom)
        made = list(range(len(self.dom)))
        for generator, inputs in nodes:
            wires = _chosen(made, inputs, generator.name)
            came = tuple(builder.spaces[wire] for wire in wires)
            if came != tuple(generator.dom):
                raise first_difference(
                    tuple(generator.dom), came, f"the inputs of {generator.name} do not fit, its domain and what came"
                )
            made += builder.apply(generator, wires)
        self._finish(builder, _chosen(made, range(len(made)) if outputs is None else outputs, "an output"))

    def _finish(self, builder: Builder, outputs: Wires) -> None:
        self.cod = tuple(builder.spaces[wire] for wire in outputs)
        self._flat = canonical(builder, outputs)
        self._parts = None
        self.additive = all(generator.additive for generator, _, _ in self._flat[0])

    @classmethod
    def _of(cls, builder: Builder, outputs: Wires) -> Diagram:
        result = cls.__new__(cls)
        result.dom = builder.dom
        result._finish(builder, outputs)
        return result

    @classmethod
    def _lazy(cls, kind: str, first: Diagram, second: Diagram, dom: Object, cod: Object) -> Diagram:
        result = cls.__new__(cls)
        result.dom, result.cod = dom, cod
        result._flat, result._parts = None, (kind, first, second)
        result.additive = first.additive and second.additive
        return result

    @property
    def nodes(self) -> list[Node]:
        """The nodes in canonical order, each (generator, input wires, output wires)."""
        return self._flatten()[0]

    @property
    def outputs(self) -> Wires:
        """The output wires."""
        return self._flatten()[1]

    def _flatten(self) -> tuple[list[Node], Wires]:
        if self.is_identity:
            return [], tuple(range(len(self.dom)))
        if self._flat is None:
            builder = Builder(self.dom)
            self._flat = canonical(builder, builder.replay(self, tuple(range(len(self.dom)))))
            self._parts = None
        return self._flat

    def __rshift__(self, other: Diagram) -> Diagram:
        if not isinstance(other, Diagram):
            return NotImplemented
        if self.cod != other.dom:
            raise first_difference(self.cod, other.dom, "cannot compose, the left codomain and the right domain")
        if self.is_identity or other.is_identity:
            return other if self.is_identity else self
        return Diagram._lazy(">>", self, other, self.dom, other.cod)

    def __matmul__(self, other: Diagram) -> Diagram:
        if not isinstance(other, Diagram):
            return NotImplemented
        if self.is_identity and other.is_identity:
            return _identity(self.dom + other.dom)
        if self.is_identity and not self.dom:
            return other
        if other.is_identity and not other.dom:
            return self
        return Diagram._lazy("@", self, other, self.dom + other.dom, self.cod + other.cod)

    identity: ClassVar[Any]
    swap: ClassVar[Any]

    def __add__(self, other: Diagram) -> Diagram:
        """The sum of parallel diagrams, <f, g> ; + (CLAC.left); the codomain must have addition."""
        from catlearn.functions import add

        if not isinstance(other, Diagram):
            return NotImplemented
        if self.dom != other.dom:
            raise first_difference(self.dom, other.dom, "cannot add, the domains")
        if self.cod != other.cod:
            raise first_difference(self.cod, other.cod, "cannot add, the codomains")
        return copy(self.dom) >> (self @ other) >> add(self.cod)

    @cached_property
    def lawful(self) -> bool:
        """Whether every generator's reverse is the derivative of what it computes; surrogates are not."""
        return all(generator.lawful for generator, _, _ in self.nodes)

    def select(self, outputs: Iterable[int]) -> Diagram:
        """The diagram followed by the projection onto those outputs, in that order."""
        return self >> wiring(self.cod, outputs)

    def observing(self, wires: Iterable[int]) -> Diagram:
        """The diagram with those of its wires as further outputs; wires are numbered as in `nodes`."""
        nodes = [(generator, inputs) for generator, inputs, _ in self.nodes]
        return Diagram(self.dom, nodes, (*self.outputs, *wires))

    def ignoring(self, inputs: Iterable[int]) -> Diagram:
        """The diagram without those inputs; raises `CompositionError` if it reads one of them."""
        gone = set(inputs)
        kept = [k for k in range(len(self.dom)) if k not in gone]
        builder = Builder(tuple(self.dom[k] for k in kept))
        here: list[int | None] = [None if k in gone else kept.index(k) for k in range(len(self.dom))]
        for generator, sources, _ in self.nodes:
            here.extend(builder.apply(generator, _present([here[k] for k in sources], generator.name)))
        return builder.finish(_present([here[k] for k in self.outputs], "an output"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Diagram):
            return NotImplemented
        return self is other or (
            self.dom == other.dom and self.cod == other.cod and self._flatten() == other._flatten()
        )

    @cached_property
    def _hash(self) -> int:
        nodes, outputs = self._flatten()
        return hash((self.dom, tuple(nodes), outputs))

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        nodes = [(generator, inputs) for generator, inputs, _ in self.nodes]
        return f"Diagram({self.dom!r}, {nodes!r}, {self.outputs!r})"

    def __str__(self) -> str:
        return f"diagram {show_object(self.dom)} -> {show_object(self.cod)} of {len(self.nodes)} nodes"

    def __call__(self, *arguments: Any) -> Any:
        """Run it on arrays and numbers, or, inside a traced function, apply it to wires.

        One output comes back bare, several as a tuple, none as `()`.
        """
        from catlearn.tracing import Wire, apply_diagram, is_tracing

        if any(isinstance(argument, Wire) for argument in arguments) or (is_tracing() and not arguments):
            return apply_diagram(self, arguments)
        from catlearn.functors import default_functor

        return default_functor(self)(self)(*arguments)

    def _repr_svg_(self) -> str:
        from catlearn.functors.picture import picture

        return picture(self)


def _chosen(made: Sequence[int], numbers: Iterable[int], reader: str) -> Wires:
    wires = tuple(numbers)
    if wires and not 0 <= min(wires) <= max(wires) < len(made):
        raise CompositionError(f"{reader} reads the wires {wires}, and before it there are {len(made)}, from 0 on")
    return tuple([made[k] for k in wires])


def _present(wires: Sequence[int | None], reader: str) -> Wires:
    present = tuple(wire for wire in wires if wire is not None)
    if len(present) < len(wires):
        raise CompositionError(f"an input cannot be left out: {reader} reads it")
    return present


def wiring(dom: Space | Iterable[Space], outputs: Iterable[int]) -> Diagram:
    """The structural map whose k-th output is the input number `outputs[k]`: copies, discards, permutes.

    >>> from catlearn.semirings import REAL, Z2
    >>> wiring((Space((), REAL), Space((), Z2)), [1, 0, 1]).cod
    (Space((), Z2), Space((), REAL), Space((), Z2))
    """
    spaces = as_object(dom)
    wires = tuple(outputs)
    if wires and not 0 <= min(wires) <= max(wires) < len(spaces):
        raise CompositionError(f"wiring uses inputs {min(wires)} to {max(wires)} of {len(spaces)}")
    result = Diagram.__new__(Diagram)
    result.dom, result.cod = spaces, tuple(map(spaces.__getitem__, wires))
    result._flat, result._parts, result.additive = ([], wires), None, True
    return result


def identity(spaces: Space | Iterable[Space] = ()) -> Diagram:
    """The identity on an object: (1, A -> A)."""
    return _identity(as_object(spaces))


def _identity(spaces: Object) -> Diagram:
    result = Diagram.__new__(Diagram)
    result.dom = result.cod = spaces
    result._flat, result._parts, result.additive, result.is_identity = None, None, True, True
    return result


def copy(spaces: Space | Iterable[Space]) -> Diagram:
    """The diagonal A -> A x A."""
    spaces = as_object(spaces)
    return wiring(spaces, [*range(len(spaces)), *range(len(spaces))])


def discard(spaces: Space | Iterable[Space]) -> Diagram:
    """The unique map A -> 1."""
    return wiring(spaces, ())


def swap(left: Space | Iterable[Space], right: Space | Iterable[Space]) -> Diagram:
    """The symmetry A x B -> B x A."""
    left, right = as_object(left), as_object(right)
    n, m = len(left), len(right)
    return wiring(left + right, [*range(n, n + m), *range(n)])


def permute(dom: Sequence[Object], order: Sequence[int]) -> Diagram:
    """The permutation of the factors of a product: factor `order[k]` of `dom` comes k-th.

    >>> from catlearn.semirings import REAL, Z2
    >>> r, b = (Space((), REAL),), (Space((), Z2),)
    >>> permute([r, b, b + r], [2, 0, 1]).outputs
    (2, 3, 0, 1)
    """
    starts = [0]
    for factor in dom:
        starts.append(starts[-1] + len(factor))
    return wiring(sum(dom, ()), chain.from_iterable(range(starts[k], starts[k + 1]) for k in order))


Diagram.identity = staticmethod(_identity)
Diagram.swap = staticmethod(swap)
