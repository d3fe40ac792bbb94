"""The exact functor: Python integers, in NumPy arrays of objects.

It runs every diagram over the exact carriers (integers, integers mod n, Z2, bits, and semirings of one's own whose
operations work on Python numbers), without rounding and without overflow.

>>> from catlearn.semirings import INTEGERS
>>> from catlearn.space import Space
>>> from catlearn.tracing import diagram
>>> @diagram(Space((), INTEGERS))
... def square(x): return x * x
>>> int(Exact()(square)(10**20))
10000000000000000000000000000000000000000
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from catlearn.diagram import Generator
from catlearn.errors import OperationError
from catlearn.functors.arrays import Arrays
from catlearn.semirings import Carrier
from catlearn.space import Space

__all__ = ["Exact"]


class Exact(Arrays):
    """Diagrams as functions of NumPy arrays of Python integers."""

    def __init__(self) -> None:
        super().__init__("exact")

    @property
    def namespace(self) -> Any:
        return np

    def dtype(self, carrier: Carrier) -> Any:
        return np.dtype(object)

    def rule(self, generator: Generator) -> Callable[..., Any] | None:
        spaces = (*generator.dom, *generator.cod)
        if any(space.carrier.kind == "key" or space.carrier.name == "REAL" for space in spaces):
            return None
        return super().rule(generator)

    def accept(self, space: Space, value: Any, what: str) -> Any:
        if space.carrier.kind == "key":
            raise OperationError(f"{what} is a random key, and there is nothing random here: use functors.Jax()")
        return super().accept(space, value, what)

    def cast(self, value: Any, carrier: Carrier) -> Any:
        array = np.asarray(value)
        if array.dtype == object:
            return array
        return np.array([entry.item() for entry in array.flat] + [None], object)[:-1].reshape(array.shape)
