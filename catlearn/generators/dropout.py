"""Dropout: x times a random mask while training, x afterwards.

    training:    (k, x) -> x mask(k) / (1 - rate),  mask(k) independent entries that are 1 with probability 1 - rate
    afterwards:  (k, x) -> x

For each key it is an ordinary linear map in x, so every law of R holds. On a batch each sample has a key of its own.

Source: Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting (2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catlearn.diagram import Diagram
from catlearn.errors import OperationError
from catlearn.generators.random import PerKey, bernoulli
from catlearn.semirings import REAL
from catlearn.tracing import Wire, apply_generator, as_wire, trace

__all__ = ["Dropout", "dropout"]


@dataclass(frozen=True)
class Dropout(PerKey):
    """`(keys, x) -> x mask / (1 - rate)`: keys of shape `keys`, x of that shape followed by `shape`."""

    rate: float

    def __post_init__(self) -> None:
        if isinstance(self.rate, bool) or not isinstance(self.rate, (int, float)) or not 0 <= self.rate < 1:
            raise OperationError(f"the rate of dropout is a number from 0 to below 1; got {self.rate!r}")

    def expansion(self) -> Diagram | None:
        kept = 1.0 - self.rate
        return trace(self.dom, lambda k, x: x * (bernoulli(k, self.shape, kept) * (1.0 / kept)))


def dropout(key: Wire, x: Wire, rate: float) -> Wire:
    """x with each entry zero with that probability, and the others scaled up to keep the mean."""
    x = as_wire(x, "dropout")
    if x.space.carrier != REAL:
        raise OperationError(f"dropout acts on REAL; got {x.space}")
    result: Any = apply_generator(Dropout((), x.shape, rate), key, x)
    return result
