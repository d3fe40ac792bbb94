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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from catlearn.diagram import Diagram, Generator
from catlearn.errors import InputError, OperationError
from catlearn.functors.functor import Functor
from catlearn.functors.nested_picture import DEPTH, frame, opened, permuted
from catlearn.generators.arithmetic import Add, Constant, Divide, Multiply, Subtract
from catlearn.layout import End, Graph, Node
from catlearn.lens import Lens
from catlearn.netlist import Netlist
from catlearn.optic import Optic
from catlearn.para import Para
from catlearn.space import Object, Space
from catlearn.svg import SMALL, Label, Look, drawn, shaped, shortened, text_width

__all__ = ["LIMIT", "Picture", "checked", "labels_of", "looks", "named", "picture", "shown"]

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
    return Look("box", (shortened(generator.name.replace("->", "\N{RIGHTWARDS ARROW}")),), title)


@looks.on(Constant)
def _constant(generator: Constant) -> Look:
    words = f"[{_sides(generator.space)}]" if isinstance(generator.value, tuple) else shortened(generator.name, 8)
    return Look("round", (words,), f"constant {generator.name} in {generator.space}")


def _sign(sign: str) -> Callable[[Generator], Look]:
    return lambda generator: Look("box", (sign,), _box(generator).title)


for _kind, _drawn in ((Add, "+"), (Subtract, "\N{MINUS SIGN}"), (Multiply, "\N{MULTIPLICATION SIGN}"), (Divide, "/")):
    looks.on(_kind)(_sign(_drawn))


class Picture(Functor):
    """Diagrams as functions of ends of nodes, which add nodes to `graph`; wires of `above` enter from above.

    Bodies are drawn inside their generators to that `depth`; `labels` says whether spaces are written at the wires.
    """

    def __init__(self, graph: Graph, looks: Functor = looks, depth: int = DEPTH, labels: bool = True) -> None:
        super().__init__("picture")
        self.graph, self.looks, self.depth, self.labels = graph, looks, depth, labels
        self.graph.tight, self.above = not labels, frozenset[End]()

    def labels_of(self, spaces: Object) -> list[tuple[Label, float]]:
        """The labels of wires of those spaces."""
        return labels_of(spaces) if self.labels else [(Label("", str(space)), 0.0) for space in spaces]

    def node(self, generator: Generator, falling: Sequence[int]) -> Node:
        """The node of a generator, those of its entries being entered from above."""
        body, look = opened(generator, self.depth), self.looks.rule(generator) or _box
        if body is None or look is not _box:
            node = shaped(look(generator), len(generator.dom), len(generator.cod), falling)
            return replace(node, alike=isinstance(generator, (Add, Multiply)))
        inner = frame(
            body, lambda graph: Picture(graph, self.looks, self.depth - 1, self.labels), _box(generator).title
        )
        return permuted(body, shaped(inner, len(generator.dom), len(generator.cod)))

    def rule(self, generator: Generator) -> Callable[..., Any]:
        """A new node joined to the ends that it reads."""

        def add(generator: Generator, *ends: End) -> tuple[End, ...]:
            falling = [k for k, end in enumerate(ends) if end in self.above]
            node = self.graph.add(self.node(generator, falling), self.labels_of(generator.cod))
            for k, end in enumerate(ends):
                self.graph.join(end, (node, k))
            return tuple((node, k) for k in range(len(generator.cod)))

        return add

    def ends(self, spaces: Object, names: Sequence[str], kind: str) -> list[End]:
        """A node of that kind for each wire that comes from outside."""
        found = []
        for space, name, label in zip(spaces, names, self.labels_of(spaces), strict=True):
            words = f"{name} {shown(space)}" if kind == "parameter" else name
            look = Look(kind, (shortened(words, 32),), f"{kind} {name}: {space}")
            found.append((self.graph.add(shaped(look, 0, 1), [label]), 0))
        return found

    def give(self, ends: Sequence[End], names: Sequence[str], spaces: Object) -> None:
        """An output for each of those ends."""
        for end, name, space in zip(ends, names, spaces, strict=True):
            node = self.graph.add(shaped(Look("output", (shortened(name, 32),), f"output {name}: {space}"), 1, 0))
            self.graph.join(end, (node, 0))


def checked(given: Sequence[str] | None, prefix: str, count: int, what: str) -> list[str]:
    """The names given, or made with the prefix; raises `InputError` for another number of them."""
    names = named(prefix, count) if given is None else list(given)
    if len(names) != count:
        raise InputError(f"the drawing needs {count} names of {what}, one a wire; got {len(names)}")
    return names


def _sketch(
    functor: Picture,
    diagram: Diagram,
    names: Sequence[str],
    inputs: Sequence[str] | None,
    outputs: Sequence[str] | None,
) -> Graph:
    """The graph of a diagram whose first inputs are parameters of those names."""
    many = len(names)
    given = checked(inputs, "x", len(diagram.dom) - many, "inputs")
    made = checked(outputs, "y", len(diagram.cod), "outputs")
    uses = Counter(wire for _, sources, _ in diagram.nodes for wire in sources)
    uses.update(wire for wire in diagram.outputs)
    ends = functor.ends(diagram.dom[:many], names, "parameter")
    read = {wire for _, sources, _ in diagram.nodes for wire in sources}
    functor.above = frozenset(ends[k] for k in range(many) if uses[k] == 1 and k in read)
    ends += functor.ends(diagram.dom[many:], given, "input")
    functor.give(functor.interpret(diagram, tuple(ends)), made, diagram.cod)
    return functor.graph


def picture(
    thing: Any,
    *,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    title: str = "",
    limit: int = LIMIT,
    labels: bool = True,
    looks: Functor = looks,
) -> str:
    """The SVG text of a diagram, lens or optic, parametrised or not, a list of lenses that compose (or a dictionary, by
    their names), a learner, a netlist, a schema or a causal map.

    `inputs` and `outputs` name the wires of what goes forward, which are x0, .. and y0, .. otherwise; `labels` says
    whether spaces are written at the wires, and `looks` how nodes are drawn. What has more than `limit` nodes, inputs
    or outputs is summarised: a model by its layers, equal ones folded, what has none by its levels, and a lens by a
    box; the picture says so.

    Raises `OperationError` for what has no picture, `InputError` for another number of names than there are wires.
    """
    if isinstance(thing, Diagram) or (isinstance(thing, Para) and isinstance(thing.morphism, Diagram)):
        return _diagram(thing, inputs, outputs, title, limit, labels, looks)
    from catlearn.functors import lens_picture, lens_rows, schema_picture, trace_picture
    from catlearn.learner import Learner

    names: dict[str, Any] = {"inputs": inputs, "outputs": outputs, "title": title, "labels": labels, "looks": looks}
    if isinstance(thing, Netlist):
        from catlearn.functors.gate_picture import gates

        return gates(thing, title, limit)
    if isinstance(thing, (Lens, Optic, Para)):
        return lens_picture.two_way(thing, limit=limit, **names)
    if isinstance(thing, Learner):
        return lens_rows.learner(thing, title)
    if isinstance(thing, Mapping):
        return lens_rows.composite(list(thing.values()), list(map(str, thing)), title)
    if isinstance(thing, (list, tuple)):
        return lens_rows.composite(thing, title=title)
    if _has(thing, "objects", "edges", "equations"):
        return schema_picture.schema(thing.objects, thing.edges, thing.equations, title)
    if _has(thing, "step", "states", "initial", "settled"):
        return trace_picture.causal(thing, **names)
    raise OperationError(
        "a picture is made of a diagram, a lens, an optic, a learner, a netlist, a schema or a causal map; "
        f"got {type(thing).__name__}"
    )


def _has(thing: Any, *names: str) -> bool:
    return not isinstance(thing, type) and all(hasattr(thing, name) for name in names)


def _diagram(
    thing: Diagram | Para[Diagram],
    inputs: Sequence[str] | None,
    outputs: Sequence[str] | None,
    title: str,
    limit: int,
    labels: bool,
    looks: Functor,
) -> str:
    diagram = thing if isinstance(thing, Diagram) else thing.diagram
    if max(len(diagram.nodes), len(diagram.dom), len(diagram.cod)) > limit:
        from catlearn.functors.summary_picture import by_layers, by_levels

        if isinstance(thing, Para) and thing.signature.layers:
            return by_layers(thing, title)
        return by_levels(diagram, title)
    names: Sequence[str] = ()
    if isinstance(thing, Para):
        names = thing.signature.names or named("p", len(thing.parameter))
    functor = Picture(Graph(), looks, labels=labels)
    return drawn(_sketch(functor, diagram, names, inputs, outputs), title or str(thing))
