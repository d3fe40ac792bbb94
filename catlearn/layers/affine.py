"""Dense layers: a matrix product, a bias, an activation (INST.dual).

linear(W, x) = x W,   R = (x d^T, W d)        bias(b, x) = x + b,   R = (d, d)
"""

from __future__ import annotations

import math
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

_SELU_SCALE, _SELU_SLOPE = 1.0507009873554805, 1.6732632423543772


def _below(x: Wire) -> Wire:
    """exp(x) - 1 for negative x, else 0; the exponential sees no positive number, so it cannot overflow."""
    return functions.exp(x - functions.relu(x)) - 1.0


ACTIVATIONS: dict[str, Callable[[Wire], Wire]] = {
    "identity": lambda x: x,
    "sigmoid": functions.sigmoid,
    "tanh": functions.tanh,
    "relu": functions.relu,
    "softplus": functions.softplus,
    "silu": lambda x: x * functions.sigmoid(x),
    "gelu": lambda x: 0.5 * x * (1.0 + functions.erf(x * 0.5**0.5)),
    "gelu_tanh": lambda x: 0.5 * x * (1.0 + functions.tanh((x + 0.044715 * (x * x * x)) * (2.0 / math.pi) ** 0.5)),
    "leaky_relu": lambda x: functions.maximum(x, 0.01 * x),
    "elu": lambda x: functions.relu(x) + _below(x),
    "selu": lambda x: _SELU_SCALE * (functions.relu(x) + _SELU_SLOPE * _below(x)),
    "relu6": lambda x: -functions.maximum(-functions.relu(x), -6.0),
    "hard_tanh": lambda x: -functions.maximum(-functions.maximum(x, -1.0), -1.0),
    "mish": lambda x: x * functions.tanh(functions.softplus(x)),
    "softsign": lambda x: x / (1.0 + functions.absolute(x)),
    "log_softmax": functions.log_softmax,
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
    inputs: int,
    outputs: int,
    activation: str = "identity",
    *,
    bias: bool = True,
    initialise: Initialiser | None = None,
) -> Para[Diagram]:
    """linear, then bias, then the activation of that name, as one layer with parameters `weight` and `bias`.

    >>> (dense(4, 20, "sigmoid") >> dense(20, 3)).names
    ('dense_1.bias', 'dense_1.weight', 'dense_0.bias', 'dense_0.weight')
    """
    after = _activation(activation, Space(_size(outputs, "outputs"), REAL))
    product = linear(inputs, outputs, initialise=initialise)
    return ((product >> _bias(outputs) if bias else product) >> after).named("dense")


_activation, _bias = activation, bias
