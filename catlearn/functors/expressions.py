"""The functor of expressions: diagrams over the reals as SymPy expressions, for proofs and for reading.

Every entry of an array is an expression. Functions with a kink are written by the absolute value, so that what is
proved of them is proved away from their kinks (SMOOTH.kink).

>>> from catlearn.semirings import REAL
>>> from catlearn.space import Space
>>> from catlearn import functions, reverse_derivative, trace
>>> expressions(reverse_derivative(trace(Space((), REAL), functions.tanh)))
(x1*(1 - tanh(x0)**2),)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy

from catlearn.diagram import Diagram, Generator
from catlearn.errors import OperationError
from catlearn.functors.arrays import Arrays
from catlearn.semirings import REAL, TRIVIAL, Carrier
from catlearn.space import Object, Space

__all__ = ["Expressions", "equal", "expressions", "symbols"]


def _log_softmax(x: Any) -> Any:
    total = np.sum(_exp(x), axis=-1, keepdims=True)
    return x - _log(total)


def _entrywise(function: Callable[..., Any]) -> Callable[..., Any]:
    return np.vectorize(function, otypes=[object])


def _absolute(x: Any) -> Any:
    return x * sympy.sign(x)


_exp, _log = _entrywise(sympy.exp), _entrywise(sympy.log)
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "jax.numpy:exp": _exp,
    "jax.numpy:log": _log,
    "jax.numpy:sqrt": _entrywise(sympy.sqrt),
    "jax.numpy:sin": _entrywise(sympy.sin),
    "jax.numpy:cos": _entrywise(sympy.cos),
    "jax.numpy:tanh": _entrywise(sympy.tanh),
    "jax.nn:sigmoid": _entrywise(lambda x: 1 / (1 + sympy.exp(-x))),
    "jax.numpy:square": _entrywise(lambda x: x * x),
    "jax.nn:softplus": _entrywise(lambda x: sympy.log(1 + sympy.exp(x))),
    "jax.scipy.special:erf": _entrywise(sympy.erf),
    "jax.numpy:abs": _entrywise(_absolute),
    "jax.numpy:sign": _entrywise(sympy.sign),
    "jax.nn:relu": _entrywise(lambda x: (x + _absolute(x)) / 2),
    "catlearn.functors.jax:step": _entrywise(lambda x: (1 + sympy.sign(x)) / 2),
    "jax.numpy:power": _entrywise(lambda x, y: x**y),
    "jax.numpy:maximum": _entrywise(lambda x, y: (x + y + _absolute(x - y)) / 2),
    "jax.nn:log_softmax": _log_softmax,
}
"""The expressions of the functions that generators load by name."""


def _number(value: Any) -> Any:
    """The exact number that a constant stands for: a short decimal, or a multiple of a root of pi."""
    text = repr(float(value))
    if not np.isfinite(float(value)):
        return sympy.sympify(float(value))
    return sympy.Rational(text) if len(text) < 12 else sympy.nsimplify(float(value), [sympy.sqrt(sympy.pi)])


class Expressions(Arrays):
    """Diagrams over the reals, and counters, as functions of arrays of expressions."""

    def __init__(self) -> None:
        super().__init__("expressions")

    @property
    def namespace(self) -> Any:
        return np

    def dtype(self, carrier: Carrier) -> Any:
        return np.dtype(object)

    def rule(self, generator: Generator) -> Callable[..., Any] | None:
        for space in (*generator.dom, *generator.cod):
            if space.carrier not in (REAL, TRIVIAL) and space.carrier.name != "DISCRETE":
                return None
        return super().rule(generator)

    def load(self, path: str) -> Callable[..., Any]:
        if path not in FUNCTIONS:
            raise OperationError(f"{path} has no expression; the functions that have: {', '.join(sorted(FUNCTIONS))}")
        return FUNCTIONS[path]

    def cast(self, value: Any, carrier: Carrier) -> Any:
        return np.asarray(value, object)

    def constant(self, space: Space, value: Any) -> Any:
        result = np.empty(space.shape, object)
        result[...] = _entrywise(_number)(np.broadcast_to(np.asarray(value, object), space.shape))
        return result

    def accept(self, space: Space, value: Any, what: str) -> Any:
        return np.asarray(value, dtype=object).reshape(space.shape)


def symbols(spaces: Object, name: str = "x", **assumptions: bool) -> tuple[np.ndarray, ...]:
    """An array of real symbols for each space, named x0, x1, ... over all entries."""
    result, number = [], 0
    for space in spaces:
        array = np.empty(space.shape, object)
        for index in np.ndindex(*space.shape):
            array[index] = sympy.Symbol(f"{name}{number}", **(assumptions or {"real": True}))
            number += 1
        result.append(array)
    return tuple(result)


def expressions(diagram: Diagram, inputs: tuple[np.ndarray, ...] | None = None) -> tuple[Any, ...]:
    """The expressions of the outputs, one an entry, in x0, x1, ... or in what stands for the inputs."""
    functor = Expressions()
    outputs = functor.interpret(functor.prepare(diagram), inputs or symbols(diagram.dom))
    return tuple(entry for array in outputs for entry in np.asarray(array, dtype=object).flat)


def equal(left: Any, right: Any) -> bool:
    """Whether two expressions are shown to be equal, away from points where a sign changes."""
    difference = sympy.sympify(left - right).replace(sympy.DiracDelta, lambda *arguments: sympy.Integer(0))
    if difference == 0 or sympy.expand(difference) == 0:
        return True
    rewritten = difference.rewrite(sympy.exp)
    return bool(sympy.simplify(rewritten) == 0)
