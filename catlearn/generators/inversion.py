"""The inverse and the logarithm of the determinant of a square matrix over REAL.

    R[inverse](X, D) = -Y' D Y'   with Y = inverse X,      R[log det](X, d) = d Y'

Both are taken on the last two axes, one matrix at a time, so that each is its own batched form.

>>> from catlearn.functors.jax import Jax
>>> from catlearn.tracing import trace
>>> float(Jax("float64")(trace(Space((1, 1), REAL), inverse))([[4.0]])[0, 0])
0.25

Source: Magnus and Neudecker, Matrix differential calculus, chapter 8, sections 3 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from catlearn.diagram import Diagram, Generator
from catlearn.errors import OperationError
from catlearn.generators.arithmetic import Negate
from catlearn.generators.contraction import einsum
from catlearn.semirings import REAL
from catlearn.space import Object, Space
from catlearn.tracing import Wire, apply_generator, as_wire, trace

__all__ = ["Inverse", "LogDeterminant", "inverse", "log_determinant"]


@dataclass(frozen=True)
class _OfSquares(Generator):
    """A map of each square matrix in the last two axes; raises `OperationError` where they are not square."""

    space: Space

    def __post_init__(self) -> None:
        shape = self.space.shape
        if self.space.carrier != REAL or len(shape) < 2 or shape[-1] != shape[-2]:
            raise OperationError(f"inverses and determinants are of square matrices over REAL; got {self.space}")

    @property
    def dom(self) -> Object:
        return (self.space,)

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        return replace(self, space=self.space.batch(size)).diagram

    @property
    def lead(self) -> str:
        """Letters of the axes before the last two."""
        return "".join(chr(97 + k) for k in range(len(self.space.shape) - 2))


class Inverse(_OfSquares):
    """`X -> the inverse of X`; entries that are not finite where there is none."""

    @property
    def cod(self) -> Object:
        return (self.space,)

    def reverse(self) -> Diagram | None:
        lead = self.lead

        def rule(x: Wire, d: Wire) -> Wire:
            y = inverse(x)
            back = einsum(f"{lead}wx,{lead}wz,{lead}yz->{lead}xy", y, d, y)
            return apply_generator(Negate(self.space), back)

        return trace((self.space, self.space), rule)

    def evaluate(self, arrays: Any, x: Any) -> Any:
        return arrays.namespace.linalg.inv(x)


class LogDeterminant(_OfSquares):
    """`X -> log det X`; NaN where the determinant is negative."""

    @property
    def name(self) -> str:
        return "log det"

    @property
    def cod(self) -> Object:
        return (self.space.with_shape(self.space.shape[:-2]),)

    def reverse(self) -> Diagram | None:
        lead = self.lead
        return trace((self.space, *self.cod), lambda x, d: einsum(f"{lead},{lead}yx->{lead}xy", d, inverse(x)))

    def evaluate(self, arrays: Any, x: Any) -> Any:
        sign, size = arrays.namespace.linalg.slogdet(x)
        return arrays.namespace.where(sign < 0, float("nan"), size)


def inverse(x: Wire) -> Wire:
    """The inverse of a square matrix, or of each along the axes before the last two."""
    return apply_generator(Inverse(as_wire(x, "inverse").space), x)


def log_determinant(x: Wire) -> Wire:
    """The logarithm of the determinant of a square matrix, or of each along the axes before the last two."""
    return apply_generator(LogDeterminant(as_wire(x, "log_determinant").space), x)
