"""The functor into pictures: a diagram as a string diagram in SVG, from left to right.

The value of a wire is the end of a node in a graph that is being drawn; a generator adds a box. Equal wires are one
wire, its copies are dots and its discards short ends, and the parameters of a parametrised map come from above. How a
class of generators looks is a rule, a function of the generator that gives a `Look`; one's own go before those here:

>>> from catlearn.generators.arithmetic import Add
>>> from catlearn.semirings import REAL
>>> from catlearn.tracing import trace
>>> own = Functor("own", extends=looks)
>>> @own.on(Add)
... def sign(generator): return Look("round", ("sum",))
>>> drawing = picture(trace(Space((), REAL), lambda x: x + x), looks=own)
>>> drawing.startswith("<svg"), drawing.count('class="copy"'), ">sum</text>" in drawing
(True, 1, True)

Source: Selinger, A survey of graphical languages for monoidal categories (0908.3347); `layout` says how it is laid out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from catlearn.diagram import Diagram, Generator
from catlearn.errors import InputError, OperationError
from catlearn.functors.functor import Functor
from catlearn.generators.arithmetic import Add, Constant, Divide, Multiply, Subtract
from catlearn.layout import End, Graph
from catlearn.netlist import Netlist
from catlearn.para import Para
from catlearn.space import Object, Space
from catlearn.svg import SMALL, Label, Look, drawn, shaped, shortened, text_width

__all__ = ["LIMIT", "Picture", "labels_of", "looks", "named", "picture", "shown"]

LIMIT = 60  # a drawing of more nodes is no longer read as one

looks = Functor("looks")


def shown(space: Space) -> str:
    """A space in a word or two, such as REAL 4x3."""
    return f"{space.carrier} {_sides(space)}".strip()


def _sides(space: Space) -> str:
    return "\N{MULTIPLICATION SIGN}".join(map(str, space.shape))


def labels_of(spaces: Object) -> list[tuple[Label, float]]:
    """The labels of wires of those spaces, with their widths."""
    found = [Label(shortened(shown(space)), str(space)) for space in spaces]
    return [(label, text_width(label.short, SMALL)) for label in found]


def named(prefix: str, count: int) -> list[str]:
    """Names of so many wires: the bare prefix for one."""
    return [prefix] if count == 1 else [f"{prefix}{k}" for k in range(count)]


@looks.on(Generator)
def _box(generator: Generator) -> Look:
    dom, cod = (", ".join(map(shown, spaces)) or "1" for spaces in (generator.dom, generator.cod))
    title = f"{generator.name} ({type(generator).__name__}): {dom} \N{RIGHTWARDS ARROW} {cod}"
    return Look("box", (shortened(generator.name),), title)


@looks.on(Constant)
def _constant(generator: Constant) -> Look:
    words = f"[{_sides(generator.space)}]" if isinstance(generator.value, tuple) else shortened(generator.name, 8)
    return Look("round", (words,), f"constant {generator.name} in {generator.space}")


def _sign(sign: str) -> Callable[[Generator], Look]:
    return lambda generator: Look("box", (sign,), _box(generator).title)


for _kind, _drawn in ((Add, "+"), (Subtract, "\N{MINUS SIGN}"), (Multiply, "\N{MULTIPLICATION SIGN}"), (Divide, "/")):
    looks.on(_kind)(_sign(_drawn))


class Picture(Functor):
    """Diagrams as functions of ends of nodes, which add nodes to `graph`; wires of `above` enter from above."""

    def __init__(self, graph: Graph, looks: Functor = looks) -> None:
        super().__init__("picture")
        self.graph, self.looks, self.above = graph, looks, frozenset[End]()

    def rule(self, generator: Generator) -> Callable[..., Any]:
        """A new node joined to the ends that it reads."""

        def add(generator: Generator, *ends: End) -> tuple[End, ...]:
            look = self.looks.rule(generator) or _box
            falling = [k for k, end in enumerate(ends) if end in self.above]
            node = self.graph.add(
                shaped(look(generator), len(ends), len(generator.cod), falling), labels_of(generator.cod)
            )
            for k, end in enumerate(ends):
                self.graph.join(end, (node, k))
            return tuple((node, k) for k in range(len(generator.cod)))

        return add

    def ends(self, spaces: Object, names: Sequence[str], kind: str) -> list[End]:
        """A node of that kind for each wire that comes from outside."""
        found = []
        for space, name, label in zip(spaces, names, labels_of(spaces), strict=True):
            words = f"{name} {shown(space)}" if kind == "parameter" else name
            look = Look(kind, (shortened(words, 32),), f"{kind} {name}: {space}")
            found.append((self.graph.add(shaped(look, 0, 1), [label]), 0))
        return found

    def give(self, ends: Sequence[End], names: Sequence[str], spaces: Object) -> None:
        """An output for each of those ends."""
        for end, name, space in zip(ends, names, spaces, strict=True):
            node = self.graph.add(shaped(Look("output", (shortened(name, 32),), f"output {name}: {space}"), 1, 0))
            self.graph.join(end, (node, 0))


def _checked(given: Sequence[str] | None, prefix: str, count: int, what: str) -> list[str]:
    names = named(prefix, count) if given is None else list(given)
    if len(names) != count:
        raise InputError(f"the drawing needs {count} names of {what}, one a wire; got {len(names)}")
    return names


def _sketch(
    diagram: Diagram,
    names: Sequence[str],
    inputs: Sequence[str] | None,
    outputs: Sequence[str] | None,
    looks: Functor,
) -> Graph:
    """The graph of a diagram whose first inputs are parameters of those names."""
    many = len(names)
    given = _checked(inputs, "x", len(diagram.dom) - many, "inputs")
    made = _checked(outputs, "y", len(diagram.cod), "outputs")
    uses = Counter(wire for _, sources, _ in diagram.nodes for wire in sources)
    uses.update(wire for wire in diagram.outputs)
    functor = Picture(Graph(), looks)
    ends = functor.ends(diagram.dom[:many], names, "parameter")
    read = {wire for _, sources, _ in diagram.nodes for wire in sources}
    functor.above = frozenset(ends[k] for k in range(many) if uses[k] == 1 and k in read)
    ends += functor.ends(diagram.dom[many:], given, "input")
    functor.give(functor.interpret(diagram, tuple(ends)), made, diagram.cod)
    return functor.graph


def picture(
    thing: Diagram | Para[Diagram] | Netlist,
    *,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    title: str = "",
    limit: int = LIMIT,
    looks: Functor = looks,
) -> str:
    """The SVG text of a diagram, a parametrised diagram or a netlist.

    `inputs` and `outputs` name the wires of a diagram, which are x0, .. and y0, .. otherwise; `looks` says how nodes
    are drawn. What has more than `limit` nodes, inputs or outputs is summarised: a model by its layers, equal ones
    folded, and what has none by its levels; the picture says so.

    Raises `OperationError` for what has no picture, `InputError` for another number of names than there are wires.
    """
    if isinstance(thing, Netlist):
        from catlearn.functors.gate_picture import gates

        return gates(thing, title, limit)
    if not isinstance(thing, (Diagram, Para)):
        raise OperationError(
            "a picture is made of a diagram, a parametrised diagram or a netlist, and of a lens by its get or its put; "
            f"got {type(thing).__name__}"
        )
    diagram = thing if isinstance(thing, Diagram) else thing.diagram
    if max(len(diagram.nodes), len(diagram.dom), len(diagram.cod)) > limit:
        from catlearn.functors.summary_picture import by_layers, by_levels

        if isinstance(thing, Para) and thing.signature.layers:
            return by_layers(thing, title)
        return by_levels(diagram, title)
    names: Sequence[str] = ()
    if isinstance(thing, Para):
        names = thing.signature.names or named("p", len(thing.parameter))
    return drawn(_sketch(diagram, names, inputs, outputs, looks), title or str(thing))
