"""Any JAX function as a generator over the reals, whose reverse is `jax.vjp`, again such a generator.

    R[f](x, d) = (jax.vjp at x)(d)

so R can be applied any number of times. Discrete inputs (keys, indices) have the trivial change. The axioms do not tie
such a rule to the function; `jax.vjp` does.

>>> import jax.numpy as jnp
>>> from catlearn.semirings import REAL
>>> from catlearn.reverse import reverse_derivative
>>> cube = from_jax(lambda x: x**3, Space((), REAL), Space((), REAL))
>>> float(reverse_derivative(cube)(2.0, 1.0))
12.0
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from catlearn.diagram import Diagram, Generator
from catlearn.errors import InputError, OperationError
from catlearn.semirings import REAL, TRIVIAL
from catlearn.space import Object, Space, as_object, changes

__all__ = ["JaxFunction", "from_jax"]


@dataclass(frozen=True)
class _Pullback:
    """The vector-Jacobian product of a function of `arity` arguments, as a function of them and the cotangents."""

    function: Callable[..., Any]
    arity: int

    def __call__(self, *arguments: Any) -> tuple[Any, ...]:
        import jax
        import jax.numpy as jnp

        values, cotangents = arguments[: self.arity], arguments[self.arity :]
        outputs, pull = jax.vjp(lambda *xs: _tuple(self.function(*xs)), *values)
        float0 = jax.dtypes.float0
        given = tuple(
            d if jnp.issubdtype(y.dtype, jnp.floating) else np.zeros(y.shape, float0)
            for y, d in zip(outputs, cotangents, strict=True)
        )
        return tuple(
            jnp.zeros(np.shape(x), np.uint8) if back.dtype == float0 else back
            for x, back in zip(values, pull(given), strict=True)
        )


@dataclass(frozen=True)
class _Mapped:
    """A function on a batch: the arguments flagged are stacked along their first axis."""

    function: Callable[..., Any]
    flags: tuple[bool, ...]

    def __call__(self, *arguments: Any) -> tuple[Any, ...]:
        import jax

        axes = tuple(0 if flag else None for flag in self.flags)
        return jax.vmap(lambda *xs: _tuple(self.function(*xs)), in_axes=axes)(*arguments)


def _tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


@dataclass(frozen=True)
class JaxFunction(Generator):
    """A pure JAX function of arrays; compared by the function itself and the spaces."""

    function: Callable[..., Any]
    inputs: Object
    outputs: Object
    label: str
    linear_groups: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        for space in self.inputs + self.outputs:
            if space.carrier not in (REAL, TRIVIAL) and space.carrier.kind not in ("index", "key"):
                raise OperationError(f"a JAX function maps REAL and discrete spaces; {space} is neither")

    @property
    def dom(self) -> Object:
        return self.inputs

    @property
    def cod(self) -> Object:
        return self.outputs

    @property
    def name(self) -> str:
        return self.label

    @property
    def linear(self) -> tuple[tuple[int, ...], ...]:
        return self.linear_groups

    def reverse(self) -> Diagram | None:
        n = len(self.inputs)
        return JaxFunction(
            _Pullback(self.function, n),
            self.inputs + changes(self.outputs),
            changes(self.inputs),
            f"R[{self.label}]",
            (tuple(range(n, n + len(self.outputs))),),
        ).diagram

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        inputs = tuple(s.batch(size) if flag else s for s, flag in zip(self.inputs, flags, strict=True))
        outputs = tuple(space.batch(size) for space in self.outputs)
        mapped = _Mapped(self.function, flags)
        return JaxFunction(mapped, inputs, outputs, f"{self.label} x {size}", self.linear_groups).diagram

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        results = _tuple(self.function(*inputs))
        shapes = [np.shape(result) for result in results]
        if shapes != [space.shape for space in self.outputs]:
            raise InputError(f"{self.label} returned shapes {shapes}; it was declared with outputs {self.outputs}")
        return tuple(arrays.cast(result, space.carrier) for result, space in zip(results, self.outputs, strict=True))


def from_jax(
    function: Callable[..., Any],
    dom: Space | Iterable[Space],
    cod: Space | Iterable[Space],
    name: str | None = None,
) -> Diagram:
    """The diagram of one JAX function: pure, of as many arrays as `dom` has wires, returning as many as `cod`.

    The shapes are checked when it runs: `InputError` if what it returns does not fit `cod`.
    """
    label = name or str(getattr(function, "__name__", "function"))
    return JaxFunction(function, as_object(dom), as_object(cod), label).diagram
