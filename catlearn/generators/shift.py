"""A random shift: an array moved along its axes by whole places that a key chooses, zeros coming in.

    training:    (k, x)[i, c] = x[i - s(k), c], zero outside; s(k) uniform on {-most, .., most} for each axis
    afterwards:  (k, x) -> x

For each key it is linear in x, and its transpose is the opposite shift: R[shift](k, x, d) = (0, shift back of d).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any

from catlearn.diagram import Diagram
from catlearn.errors import OperationError
from catlearn.generators.random import PerKey
from catlearn.semirings import REAL
from catlearn.tracing import Wire, apply_generator, as_wire, trace

__all__ = ["Shift", "shift"]


@dataclass(frozen=True)
class Shift(PerKey):
    """`(keys, x) -> x shifted`: keys of shape `keys`, x of that shape followed by `shape`, the channels last.

    With `back` it shifts the other way.
    """

    most: int
    back: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.most, bool) or not isinstance(self.most, int) or self.most < 0:
            raise OperationError(f"a shift is by at most a number of places of at least 0; got {self.most!r}")
        if len(self.shape) < 2:
            raise OperationError(f"a shift needs a shape (lengths, channels); got {self.shape}")

    def reverse(self) -> Diagram | None:
        from catlearn.functions import zeros

        other = replace(self, back=not self.back)
        return trace((*self.dom, *self.cod), lambda k, x, d: (zeros(k.space.changes), apply_generator(other, k, d)))

    def evaluate(self, arrays: Any, keys: Any, x: Any) -> Any:
        import jax
        import jax.numpy as jnp

        axes = len(self.shape) - 1

        def one(key: Any, x: Any) -> Any:
            places = jax.random.randint(key, (axes,), 0, 2 * self.most + 1)
            start = places if self.back else 2 * self.most - places
            wide = jnp.pad(x, [(self.most, self.most)] * axes + [(0, 0)])
            return jax.lax.dynamic_slice(wide, (*start, 0), self.shape)

        if not self.keys:
            return one(keys, x)
        count = prod(self.keys)
        return jax.vmap(one)(keys.reshape(count), x.reshape(count, *self.shape)).reshape(self.cod[0].shape)


def shift(key: Wire, x: Wire, most: int) -> Wire:
    """x, channels last, moved along every other axis by at most that many places."""
    x = as_wire(x, "shift")
    if x.space.carrier != REAL:
        raise OperationError(f"shift acts on REAL; got {x.space}")
    result: Wire = apply_generator(Shift((), x.shape, most), key, x)
    return result
