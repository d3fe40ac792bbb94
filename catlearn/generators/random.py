"""Random numbers as functions of a key: a key is a wire like any other, and a draw is a deterministic map out of it.

    bernoulli(k), normal(k) : KEYS -> REAL,   split(k) : KEYS -> KEYS^n,      R = 0, for keys are discrete (C.discrete)

So equal draws from one key are one draw, and what is random about a step is which keys it is given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any

from catlearn.diagram import Diagram, Generator, discard, identity
from catlearn.errors import OperationError
from catlearn.semirings import KEYS, REAL
from catlearn.space import Object, Space, sides_of
from catlearn.tracing import Wire, apply_generator, as_wire, trace

__all__ = ["Bernoulli", "NormalDraw", "PerKey", "SplitKey", "bernoulli", "normal", "split_key"]


@dataclass(frozen=True)
class Draw(Generator):
    """A draw of that shape from each key of an array of keys; subclasses give `drawn` from one key."""

    keys: tuple[int, ...]
    shape: tuple[int, ...]

    @property
    def dom(self) -> Object:
        return (Space(self.keys, KEYS),)

    @property
    def cod(self) -> Object:
        return (Space((*self.keys, *self.shape), REAL),)

    def reverse(self) -> Diagram | None:
        from catlearn.functions import zeros

        return trace((*self.dom, self.cod[0].changes), lambda k, d: zeros(k.space.changes))

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        return replace(self, keys=(size, *self.keys)).diagram

    def drawn(self, arrays: Any, key: Any) -> Any:
        """The draw from one key."""
        raise NotImplementedError

    def evaluate(self, arrays: Any, keys: Any) -> Any:
        if not self.keys:
            return self.drawn(arrays, keys)
        import jax

        many = jax.vmap(lambda key: self.drawn(arrays, key))(keys.reshape(prod(self.keys)))
        return many.reshape(self.cod[0].shape)


@dataclass(frozen=True)
class PerKey(Generator):
    """`(keys, x) -> y`, linear in x for each key while training, and x itself afterwards.

    Keys have shape `keys`; x and y have that shape followed by `shape`.
    """

    keys: tuple[int, ...]
    shape: tuple[int, ...]
    linear = ((1,),)

    @property
    def dom(self) -> Object:
        return (Space(self.keys, KEYS), *self.cod)

    @property
    def cod(self) -> Object:
        return (Space((*self.keys, *self.shape), REAL),)

    def evaluation(self) -> Diagram | None:
        return discard(self.dom[:1]) @ identity(self.cod)

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        return replace(self, keys=(size, *self.keys)).diagram if all(flags) else None


@dataclass(frozen=True)
class Bernoulli(Draw):
    """Independent entries that are 1 with that probability, else 0."""

    probability: float

    def drawn(self, arrays: Any, key: Any) -> Any:
        drawn = arrays.load("jax.random:bernoulli")(key, self.probability, self.shape)
        return arrays.namespace.where(
            drawn, arrays.constant(Space((), REAL), 1.0), arrays.constant(Space((), REAL), 0.0)
        )


@dataclass(frozen=True)
class NormalDraw(Draw):
    """Independent entries, normal with mean 0 and deviation 1."""

    def drawn(self, arrays: Any, key: Any) -> Any:
        return arrays.load("jax.random:normal")(key, self.shape, arrays.dtype(REAL))


@dataclass(frozen=True)
class SplitKey(Draw):
    """As many keys as the shape has entries."""

    @property
    def cod(self) -> Object:
        return (Space((*self.keys, *self.shape), KEYS),)

    def drawn(self, arrays: Any, key: Any) -> Any:
        return arrays.load("jax.random:split")(key, self.shape)


def _keys(key: Wire, reader: str) -> tuple[int, ...]:
    key = as_wire(key, reader)
    if key.space.carrier != KEYS:
        raise OperationError(f"{reader} draws from random keys (KEYS); got {key.space}")
    return key.shape


def bernoulli(key: Wire, shape: tuple[int, ...], probability: float) -> Wire:
    """Entries that are 1 with that probability, else 0; raises `OperationError` for one outside [0, 1]."""
    if not isinstance(probability, (int, float)) or not 0 <= probability <= 1:
        raise OperationError(f"a probability is a number from 0 to 1; got {probability!r}")
    return apply_generator(Bernoulli(_keys(key, "bernoulli"), sides_of(shape), float(probability)), key)


def normal(key: Wire, shape: tuple[int, ...]) -> Wire:
    """Independent normal entries with mean 0 and deviation 1."""
    return apply_generator(NormalDraw(_keys(key, "normal"), sides_of(shape)), key)


def split_key(key: Wire, count: int) -> Wire:
    """`count` keys from one."""
    return apply_generator(SplitKey(_keys(key, "split_key"), (count,)), key)
