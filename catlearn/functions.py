"""Functions on wires, for use inside a traced function (`@cl.diagram`).

>>> from catlearn.semirings import REAL
>>> from catlearn.tracing import diagram
>>> @diagram(Space((3,), REAL))
... def norm(x):
...     return sqrt(sum(x * x))
>>> norm.cod
(Space((), REAL),)

`add`, `zeros` and `copy` are morphisms of the category; see `catlearn.diagram` for the structural ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from catlearn.diagram import Diagram, identity, permute
from catlearn.errors import OperationError
from catlearn.generators.arithmetic import (
    Add,
    Constant,
    Divide,
    Invert,
    Multiply,
    Negate,
    Pointwise,
    Subtract,
    Xor,
    include,
    zero_of,
)
from catlearn.generators.contraction import broadcast, einsum, matmul, mean, stack, sum, transpose
from catlearn.generators.discrete import one_hot, real, since, successor
from catlearn.generators.elementwise import Maximum, Power, apply, log_softmax, softmax
from catlearn.generators.indexing import concatenate, gather, getitem, reshape
from catlearn.semirings import REAL
from catlearn.space import Space, as_object
from catlearn.tracing import Wire, apply_generator

if TYPE_CHECKING:
    from catlearn.generators.comparison import compare
    from catlearn.generators.convolution import convolve
    from catlearn.generators.lookup import lookup
    from catlearn.generators.random import bernoulli, normal, split_key
    from catlearn.generators.selection import divides, less, maximum_over, select
    from catlearn.generators.windows import windows

__all__ = [
    "absolute",
    "add",
    "apply",
    "bernoulli",
    "broadcast",
    "compare",
    "concatenate",
    "constant",
    "convolve",
    "cos",
    "divide",
    "divides",
    "einsum",
    "erf",
    "exp",
    "gather",
    "getitem",
    "include",
    "invert",
    "less",
    "log",
    "log_softmax",
    "lookup",
    "matmul",
    "maximum",
    "maximum_over",
    "mean",
    "multiply",
    "negate",
    "normal",
    "one_hot",
    "power",
    "real",
    "relu",
    "reshape",
    "select",
    "sigmoid",
    "sign",
    "sin",
    "since",
    "softmax",
    "softplus",
    "split_key",
    "sqrt",
    "square",
    "stack",
    "step",
    "subtract",
    "successor",
    "sum",
    "tanh",
    "transpose",
    "union",
    "windows",
    "xor",
    "zeros",
]


def constant(space: Space, value: Any) -> Wire:
    """The constant of that value: a number for the whole space, or an array of its shape.

    A Python integer n stands for the n-fold sum of one, so 1 and 0 are the semiring's own.
    """
    if isinstance(value, bool):
        value = int(value)
    if isinstance(value, int):
        value = space.carrier.from_integer(value)
    return apply_generator(Constant(space, value))


def zeros(space: Space) -> Wire:
    """The zero of a space."""
    return apply_generator(zero_of(space))


def _pair(kind: type[Pointwise], x: Any, y: Any) -> Wire:
    """The generator on two wires of one carrier; a number or a scalar wire acts on a wire of any shape."""
    if not isinstance(x, Wire):
        x = constant(y.space, x)
    if not isinstance(y, Wire):
        y = constant(x.space, y)
    if x.space.carrier != y.space.carrier:
        raise OperationError(
            f"{kind.__name__.lower()} cannot mix {x.space} and {y.space}: both wires need one carrier "
            "(functions.include takes bits to integers, functions.real a counter to REAL)"
        )
    if x.shape != y.shape:
        if x.shape == ():
            x = broadcast(x, y.shape)
        elif y.shape == ():
            y = broadcast(y, x.shape)
        else:
            raise OperationError(
                f"{kind.__name__.lower()} needs equal shapes or a scalar; got {x.space} and {y.space}: "
                "use functions.broadcast, reshape or einsum"
            )
    return apply_generator(kind(x.space), x, y)


def add(x: Any, y: Any = None) -> Any:
    """The sum of two wires; or, given a space or object alone, the diagram + : A x A -> A (CLAC.monoid)."""
    if isinstance(x, Wire) or isinstance(y, Wire):
        return _pair(Add, x, y)
    spaces = as_object(x)
    each = identity()
    for space in spaces:
        each = each @ Add(space).diagram
    pairs = [(space,) for space in spaces]
    order = [index for k in range(len(spaces)) for index in (k, len(spaces) + k)]
    return permute(pairs + pairs, order) >> each


def zero(dom: Space | Iterable[Space], cod: Space | Iterable[Space]) -> Diagram:
    """The zero map A -> B (CLAC.left)."""
    from catlearn.diagram import discard

    result = discard(dom)
    for space in as_object(cod):
        result = result @ zero_of(space).diagram
    return result


def multiply(x: Any, y: Any) -> Wire:
    """The product of two wires, entry by entry; on bits, and."""
    return _pair(Multiply, x, y)


def subtract(x: Any, y: Any) -> Wire:
    """The difference of two wires, over a ring."""
    return _pair(Subtract, x, y)


def divide(x: Any, y: Any) -> Wire:
    """The quotient of two wires, over a field."""
    return _pair(Divide, x, y)


def maximum(x: Any, y: Any) -> Wire:
    """The larger of two real wires, entry by entry."""
    return _pair(Maximum, x, y)


def negate(x: Wire) -> Wire:
    """The additive inverse, over a ring."""
    return apply_generator(Negate(x.space), x)


def power(x: Wire, exponent: int | Wire) -> Wire:
    """The `exponent`-fold product of a wire with itself, by squaring; or, over REAL, to the power of a wire."""
    if isinstance(exponent, Wire):
        return _pair(Power, x, exponent)
    if isinstance(exponent, bool) or not isinstance(exponent, int) or exponent < 0:
        raise OperationError(f"a power needs a whole exponent of at least 0; got {exponent!r}")
    if exponent == 0:
        return constant(x.space, 1)
    half = power(x, exponent // 2) if exponent > 1 else None
    square = x if half is None else multiply(half, half)
    return square if exponent % 2 == 0 or half is None else multiply(square, x)


def invert(x: Wire) -> Wire:
    """Not, on bits."""
    return apply_generator(Invert(x.space), x)


def xor(x: Wire, y: Wire) -> Wire:
    """Exclusive or, on bits; over Z2 it is the sum."""
    return add(x, y) if x.space.carrier.has("add") else _pair(Xor, x, y)


def union(x: Wire, y: Wire) -> Wire:
    """Or, on bits: the not of the and of the nots."""
    return invert(multiply(invert(x), invert(y)))


def exp(x: Wire) -> Wire:
    """The exponential, entry by entry."""
    return apply("exp", x)


def log(x: Wire) -> Wire:
    """The natural logarithm, entry by entry."""
    return apply("log", x)


def sqrt(x: Wire) -> Wire:
    """The square root, entry by entry."""
    return apply("sqrt", x)


def square(x: Wire) -> Wire:
    """x times x, entry by entry; over REAL one node, whose reverse is 2 x d and not x d + x d."""
    return apply("square", x) if x.space.carrier == REAL else multiply(x, x)


def sin(x: Wire) -> Wire:
    """The sine, entry by entry."""
    return apply("sin", x)


def cos(x: Wire) -> Wire:
    """The cosine, entry by entry."""
    return apply("cos", x)


def tanh(x: Wire) -> Wire:
    """The hyperbolic tangent, entry by entry."""
    return apply("tanh", x)


def sigmoid(x: Wire) -> Wire:
    """1 / (1 + exp(-x)), entry by entry."""
    return apply("sigmoid", x)


def softplus(x: Wire) -> Wire:
    """log(1 + exp(x)), entry by entry."""
    return apply("softplus", x)


def erf(x: Wire) -> Wire:
    """The error function, entry by entry."""
    return apply("erf", x)


def relu(x: Wire) -> Wire:
    """max(x, 0), entry by entry; the derivative at 0 is 0."""
    return apply("relu", x)


def absolute(x: Wire) -> Wire:
    """The absolute value, entry by entry; the derivative at 0 is 0."""
    return apply("abs", x)


def sign(x: Wire) -> Wire:
    """-1, 0 or 1, entry by entry; the derivative is 0."""
    return apply("sign", x)


def step(x: Wire) -> Wire:
    """1 where x > 0, else 0, entry by entry; the derivative is 0."""
    return apply("step", x)


_LATER = {
    "bernoulli": "random",
    "compare": "comparison",
    "convolve": "convolution",
    "divides": "selection",
    "less": "selection",
    "lookup": "lookup",
    "maximum_over": "selection",
    "normal": "random",
    "select": "selection",
    "split_key": "random",
    "windows": "windows",
}


def __getattr__(name: str) -> Any:
    """What few diagrams need is loaded when it is first asked for."""
    if name not in _LATER:
        raise AttributeError(f"module 'catlearn.functions' has no attribute {name!r}")
    return getattr(import_module(f"catlearn.generators.{_LATER[name]}"), name)
