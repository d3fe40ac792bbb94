"""Tracing: Python functions on wires become diagrams.

`@diagram(A, B, ...)` runs a function once on symbolic wires and records what it does. Wires have the operators of their
space; a Python number stands for the constant of that value; a scalar wire acts on a wire of any shape; nothing else is
broadcast. A call of another diagram on wires puts its nodes in place.

>>> from catlearn.semirings import Z2
>>> bit = Space((), Z2)
>>> @diagram(bit, bit)
... def half_adder(x, y):
...     return x + y, x * y
>>> half_adder.cod
(Space((), Z2), Space((), Z2))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Number
from typing import Any

from catlearn.builder import Builder
from catlearn.diagram import Diagram, Generator
from catlearn.errors import CompositionError, OperationError
from catlearn.space import Object, Space, as_object, first_difference

__all__ = ["Wire", "apply_diagram", "apply_generator", "building", "diagram", "trace"]


class Wire:
    """A wire of a diagram that is being traced; `space` is its type."""

    __slots__ = ("builder", "index", "space")
    __array_ufunc__ = None  # an array on the left leaves the operator to the wire

    def __init__(self, builder: Builder, index: int) -> None:
        self.builder, self.index, self.space = builder, index, builder.spaces[index]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the wire's space."""
        return self.space.shape

    def __repr__(self) -> str:
        return f"<wire {self.index}: {self.space}>"

    def __bool__(self) -> bool:
        raise OperationError("a wire has no value while a function is traced; a diagram cannot branch on it")

    def _compared(self, other: object) -> bool:
        raise OperationError("a wire has no value to compare while a function is traced; a diagram cannot branch on it")

    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __ne__ = _compared
    __hash__ = object.__hash__

    def __iter__(self) -> Iterable[Wire]:
        raise OperationError("a wire cannot be iterated over; index it (wire[0]) or slice it")

    def __getitem__(self, index: Any) -> Wire:
        return _operator("getitem")(self, index)

    def __add__(self, other: Any) -> Wire:
        return _operator("add")(self, other)

    def __radd__(self, other: Any) -> Wire:
        return _operator("add")(other, self)

    def __mul__(self, other: Any) -> Wire:
        return _operator("multiply")(self, other)

    def __rmul__(self, other: Any) -> Wire:
        return _operator("multiply")(other, self)

    def __sub__(self, other: Any) -> Wire:
        return _operator("subtract")(self, other)

    def __rsub__(self, other: Any) -> Wire:
        return _operator("subtract")(other, self)

    def __truediv__(self, other: Any) -> Wire:
        return _operator("divide")(self, other)

    def __rtruediv__(self, other: Any) -> Wire:
        return _operator("divide")(other, self)

    def __neg__(self) -> Wire:
        return _operator("negate")(self)

    def __pow__(self, exponent: Any) -> Wire:
        return _operator("power")(self, exponent)

    def __matmul__(self, other: Any) -> Wire:
        return _operator("matmul")(self, other)


def _operator(name: str) -> Callable[..., Any]:
    from catlearn import functions

    return getattr(functions, name)


def as_wire(value: Any, reader: str) -> Wire:
    """The value, if it is a wire; raises `OperationError` naming who reads it otherwise."""
    if not isinstance(value, Wire):
        raise OperationError(f"{reader} needs a wire; got {value!r}: use functions.constant(space, value)")
    return value


_TRACED: list[Builder] = []  # the builders of the functions being traced, the innermost last


@contextmanager
def building(builder: Builder) -> Iterator[Builder]:
    """The context in which operations on wires, and constants, go to that builder."""
    _TRACED.append(builder)
    try:
        yield builder
    finally:
        _TRACED.pop()


def is_tracing() -> bool:
    """Whether a function is being traced."""
    return bool(_TRACED)


def _builder_of(arguments: Iterable[Any], name: str) -> Builder:
    builders = {id(a.builder): a.builder for a in arguments if isinstance(a, Wire)}
    if not builders and _TRACED:
        return _TRACED[-1]
    if len(builders) != 1:
        raise OperationError(
            f"{name} needs the wires of one traced function; it got wires of {len(builders)} "
            "(a wire cannot leave the function that it was traced in)"
        )
    return next(iter(builders.values()))


def _bare(wires: Sequence[Wire]) -> Any:
    return wires[0] if len(wires) == 1 else tuple(wires)


def _fit(arguments: Sequence[Any], dom: Object, builder: Builder, name: str) -> tuple[int, ...]:
    if len(arguments) != len(dom):
        raise CompositionError(f"{name} takes {len(dom)} wires; it got {len(arguments)}")
    wires: list[Wire] = [
        argument if isinstance(argument, Wire) else _operator("constant")(space, argument)
        for argument, space in zip(arguments, dom, strict=True)
    ]
    came = tuple(wire.space for wire in wires)
    if came != dom:
        raise first_difference(dom, came, f"{name} cannot be applied, its domain and the wires")
    return tuple(wire.index for wire in wires)


def apply_generator(generator: Generator, *arguments: Wire) -> Any:
    """Add a node to the diagram being traced; its output wire, or a tuple of several."""
    builder = _builder_of(arguments, generator.name)
    inputs = _fit(arguments, tuple(generator.dom), builder, generator.name)
    return _bare([Wire(builder, wire) for wire in builder.apply(generator, inputs)])


def apply_diagram(diagram: Diagram, arguments: Sequence[Any]) -> Any:
    """Put a diagram in place in the one being traced; its output wire, or a tuple of several."""
    builder = _builder_of(arguments, "a diagram")
    inputs = _fit(arguments, diagram.dom, builder, "the diagram")
    return _bare([Wire(builder, wire) for wire in builder.replay(diagram, inputs)])


def trace(dom: Space | Iterable[Space], function: Callable[..., Any]) -> Diagram:
    """The diagram of a Python function on wires of those spaces.

    The function returns a wire, a number (a constant is then refused, for its space is not known), or a tuple or list
    of wires. Raises `CompositionError` for anything else.
    """
    spaces = as_object(dom)
    builder = Builder(spaces)
    with building(builder):
        result = function(*(Wire(builder, k) for k in range(len(spaces))))
    results = tuple(result) if isinstance(result, (tuple, list)) else (result,)
    for k, wire in enumerate(results):
        if not isinstance(wire, Wire) or wire.builder is not builder:
            hint = "use functions.constant(space, value)" if isinstance(wire, Number) else "return wires"
            raise CompositionError(f"output {k} of the traced function is {wire!r}, not one of its wires; {hint}")
    return builder.finish(wire.index for wire in results)


def diagram(*dom: Space | Iterable[Space]) -> Callable[[Callable[..., Any]], Diagram]:
    """The decorator that traces a function of wires of those spaces into a `Diagram`."""
    spaces = tuple(space for part in dom for space in as_object(part))
    return lambda function: trace(spaces, function)
