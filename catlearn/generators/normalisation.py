"""Batch normalisation: a lens that is not the derivative of its get, for its put also moves the running statistics.

    get(m, v, x) = (x - mean x) / sqrt(var x + epsilon)                     mean and var over all axes but the last
    put(m, v, x, d) = (rate (mean x - m), rate (var x - v), R[get](x, d))   a change for each running statistic

The statistics are parameters of the role "statistic": ascent alone moves them, so that the training step stores m +
rate (mean x - m). After training the node becomes (x - m) / sqrt(v + epsilon). On a batch it is not n copies of the map
on one sample, as PARA.tie has it for every other map: the mean is over the samples too. The put is not additive in d,
so the node is neither merged nor dropped (LENS.share).

Source: Ioffe and Szegedy, Batch normalization (1502.03167), algorithms 1 and 2, the variance without correction.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from catlearn import functions
from catlearn.diagram import Diagram, Generator, discard
from catlearn.errors import OperationError
from catlearn.reverse import reverse_derivative
from catlearn.semirings import REAL
from catlearn.space import Object, Space
from catlearn.tracing import Wire, apply_generator, trace

__all__ = ["BatchNormalise", "batch_normalise"]


@dataclass(frozen=True)
class BatchNormalise(Generator):
    """`(m, v, x) -> (x - mean x) / sqrt(var x + epsilon)`, x of shape (.., channels), m and v of shape (channels)."""

    space: Space
    rate: float
    epsilon: float

    def __post_init__(self) -> None:
        if self.space.carrier != REAL or not self.space.shape:
            raise OperationError(f"batch normalisation acts on real channels, the last axis; got {self.space}")
        numbers = all(isinstance(n, (int, float)) for n in (self.rate, self.epsilon))
        if not numbers or not 0 <= self.rate <= 1 or not self.epsilon >= 0:
            raise OperationError(
                f"batch normalisation needs a rate from 0 to 1 and an epsilon of at least 0; "
                f"got {self.rate!r} and {self.epsilon!r}"
            )

    @property
    def lawful(self) -> bool:
        return False

    @property
    def additive(self) -> bool:
        return False

    @property
    def dom(self) -> Object:
        channels = Space(self.space.shape[-1], REAL)
        return (channels, channels, self.space)

    @property
    def cod(self) -> Object:
        return (self.space,)

    def _moments(self, x: Wire) -> tuple[Wire, Wire]:
        axes = range(len(self.space.shape) - 1)
        mean = functions.mean(x, axes)
        centred = x - functions.broadcast(mean, x.shape)
        return mean, functions.mean(centred * centred, axes)

    def _scaled(self, x: Wire, mean: Wire, variance: Wire) -> Wire:
        over = 1.0 / functions.sqrt(variance + self.epsilon)
        return (x - functions.broadcast(mean, x.shape)) * functions.broadcast(over, x.shape)

    @cached_property
    def _normalised(self) -> Diagram:
        return trace(self.space, lambda x: self._scaled(x, *self._moments(x)))

    def computes(self) -> Diagram | None:
        return discard(self.dom[:2]) @ self._normalised

    def expansion(self) -> Diagram | None:
        return self.computes()

    def reverse(self) -> Diagram | None:
        back = reverse_derivative(self._normalised)

        def rule(m: Wire, v: Wire, x: Wire, d: Wire) -> tuple[Wire, ...]:
            mean, variance = self._moments(x)
            return self.rate * (mean - m), self.rate * (variance - v), back(x, d)

        return trace((*self.dom, self.space), rule)

    def evaluation(self) -> Diagram | None:
        return trace(self.dom, lambda m, v, x: self._scaled(x, m, v))

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        if flags != (False, False, True):
            raise OperationError("a batch of normalisations shares its statistics; they cannot be stacked")
        return BatchNormalise(self.space.batch(size), self.rate, self.epsilon).diagram


def batch_normalise(mean: Wire, variance: Wire, x: Wire, rate: float, epsilon: float) -> Wire:
    """x normalised over its batch, the running mean and variance of its channels moved on the way back."""
    result: Any = apply_generator(BatchNormalise(x.space, rate, epsilon), mean, variance, x)
    return result
