"""Dense layers: a matrix product, a bias, an activation (INST.dual).

linear(W, x) = x W,   R = (x d^T, W d)        bias(b, x) = x + b,   R = (d, d)
"""

from __future__ import annotations

from collections.abc import Callable

from catlearn import functions
from catlearn.diagram import Diagram
from catlearn.errors import OperationError, UnknownNameError, nearest
from catlearn.para import Para, parametrised
from catlearn.parameters import Filled, GlorotUniform, Initialiser, Parameter
from catlearn.semirings import REAL, Carrier
from catlearn.space import Space
from catlearn.tracing import Wire, trace

__all__ = ["ACTIVATIONS", "activation", "bias", "dense", "linear"]

ACTIVATIONS: dict[str, Callable[[Wire], Wire]] = {
    "identity": lambda x: x,
    "sigmoid": functions.sigmoid,
    "tanh": functions.tanh,
    "relu": functions.relu,
    "softplus": functions.softplus,
    "silu": lambda x: x * functions.sigmoid(x),
    "gelu": lambda x: 0.5 * x * (1.0 + functions.erf(x * 0.5**0.5)),
    "softmax": functions.softmax,
    "sin": functions.sin,
}
"""The activations by name, each a function on wires."""


def _size(value: int, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise OperationError(f"{what} must be a non-negative integer; got {value!r}")
    return value


def linear(
    inputs: int, outputs: int, *, carrier: Carrier = REAL, initialise: Initialiser | None = None
) -> Para[Diagram]:
    """The parametrised map (W, x) -> x W, W of shape (inputs, outputs), over any semiring.

    Over REAL the weight starts Glorot uniform, elsewhere at zero.

    >>> linear(2, 3).names
    ('linear_0.weight',)
    """
    shape = (_size(inputs, "inputs"), _size(outputs, "outputs"))
    start = initialise or (GlorotUniform() if carrier.kind == "real" else None)
    weight = Parameter("weight", Space(shape, carrier), start)
    return parametrised("linear", {"weight": weight}, Space(inputs, carrier), lambda w, x: x @ w)


def bias(size: int, *, carrier: Carrier = REAL, initialise: Initialiser | None = None) -> Para[Diagram]:
    """The parametrised map (b, x) -> x + b, starting at zero."""
    start = initialise or Filled(carrier.zero)
    space = Space(_size(size, "size"), carrier)
    return parametrised("bias", {"bias": Parameter("bias", space, start)}, space, lambda b, x: x + b)


def activation(name: str, space: Space) -> Diagram:
    """The activation of that name on a space, entry by entry (softmax along the last axis).

    Raises `UnknownNameError` naming the nearest.

    >>> activation("sigmoyd", Space(3, REAL))
    Traceback (most recent call last):
        ...
    catlearn.errors.UnknownNameError: no activation is called 'sigmoyd': did you mean 'sigmoid'?
    """
    if name not in ACTIVATIONS:
        raise UnknownNameError(f"no activation is called {name!r}: {nearest(str(name), ACTIVATIONS)}")
    return trace(space, ACTIVATIONS[name])


def dense(
    inputs: int, outputs: int, activation: str = "identity", *, initialise: Initialiser | None = None
) -> Para[Diagram]:
    """linear, then bias, then the activation of that name, as one layer with parameters `weight` and `bias`.

    >>> (dense(4, 20, "sigmoid") >> dense(20, 3)).names
    ('dense_1.bias', 'dense_1.weight', 'dense_0.bias', 'dense_0.weight')
    """
    after = _activation(activation, Space(_size(outputs, "outputs"), REAL))
    return (linear(inputs, outputs, initialise=initialise) >> bias(outputs) >> after).named("dense")


_activation = activation
