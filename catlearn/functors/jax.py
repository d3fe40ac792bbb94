"""The functor into JAX arrays.

Real numbers are float32 and integers int32 unless `precision` says otherwise; bits are uint8; labels and counters
int32. Values are checked on concrete arguments at the outermost call, never on what `jax.jit` traces.

>>> from catlearn.semirings import REAL
>>> from catlearn.space import Space
>>> from catlearn.tracing import diagram
>>> @diagram(Space((), REAL))
... def double(x): return x + x
>>> float(Jax()(double)(1.5))
3.0
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from catlearn.diagram import Diagram
from catlearn.errors import InputError, UnknownNameError, nearest
from catlearn.functors.arrays import Arrays, as_array, check_dtype, check_values, tidy
from catlearn.functors.convolution import by_definition, by_xla
from catlearn.functors.functor import bare
from catlearn.generators.batching import Map
from catlearn.generators.scan import Scan
from catlearn.semirings import REAL, Carrier
from catlearn.space import Space

if TYPE_CHECKING:
    from catlearn.generators.convolution import Convolution

__all__ = ["Jax", "step"]

_PRECISIONS = {
    "float32": ("float32", "int32"),
    "float64": ("float64", "int64"),
    "bfloat16": ("bfloat16", "int32"),
    "mixed": ("float32", "int32"),
}


def step(x: Any) -> Any:
    """1 where x > 0, else 0, in x's own dtype."""
    return (x > 0).astype(x.dtype)


class Jax(Arrays):
    """Diagrams as functions of JAX arrays, to be jitted, mapped and differentiated like any other.

    `precision` is "float32" (with int32), "float64" (with int64; 64-bit mode is on while it runs), "bfloat16", or
    "mixed": numbers are stored as float32, and computed with as bfloat16 between the nodes `Lower` and `Raise`.
    Raises `UnknownNameError` for any other.
    """

    def __init__(self, precision: str = "float32") -> None:
        if precision not in _PRECISIONS:
            raise UnknownNameError(f"no precision is called {precision!r}: {nearest(precision, _PRECISIONS)}")
        super().__init__("jax")
        self.precision = precision
        real, integer = _PRECISIONS[precision]
        self._dtypes = {"real": jnp.dtype(real), "integer": jnp.dtype(integer), "bit": jnp.dtype("uint8")}
        self._dtypes["index"] = jnp.dtype("int32")

    def __repr__(self) -> str:
        return f"Jax({self.precision!r})"

    @property
    def namespace(self) -> Any:
        return jnp

    def dtype(self, carrier: Carrier) -> Any:
        return self._dtypes[carrier.kind]

    @property
    def integer_bits(self) -> int | None:
        return 8 * self._dtypes["integer"].itemsize

    def scope(self) -> AbstractContextManager[Any]:
        """The context in which this precision's dtypes exist."""
        return jax.enable_x64(True) if self.precision == "float64" else nullcontext()

    def cast(self, value: Any, carrier: Carrier) -> Any:
        if carrier.kind == "key":
            return value
        if isinstance(value, (jax.Array, jax.core.Tracer)):
            return value.astype(self.dtype(carrier))
        return jax.device_put(np.asarray(value).astype(self.dtype(carrier)))  # converted by JAX, it would be compiled

    def lowered(self, x: Any) -> Any:
        return x.astype(jnp.bfloat16) if self.precision == "mixed" else x

    def all_finite(self, values: Sequence[Any]) -> bool:
        here = [part.data for value in values for part in value.addressable_shards]
        if all(part.device.platform == "cpu" for part in here):
            return super().all_finite(here)  # no copy, and nothing to compile
        return all(bool(jnp.isfinite(part).all()) for part in here if part.dtype.kind in "fV")

    def alike(self, values: Sequence[Any]) -> Sequence[Any]:
        low = self.precision == "mixed" and any(value.dtype == jnp.bfloat16 for value in values)
        return [value.astype(jnp.bfloat16) for value in values] if low else values

    def constant(self, space: Space, value: Any) -> Any:
        self._fits(space, np.asarray(value), "a constant")
        if not isinstance(value, tuple):
            if self.precision == "mixed" and space.carrier.kind == "real":
                return jnp.full(space.shape, float(value))  # of weak type: it takes the precision of what it meets
            return jnp.full(space.shape, value, dtype=self.dtype(space.carrier))
        return jnp.asarray(np.asarray(value).reshape(space.shape), dtype=self.dtype(space.carrier))

    def positions(self, places: Any) -> Any:
        return places

    def pad(self, carrier: Carrier, x: Any, ends: Sequence[tuple[int, int, int]]) -> Any:
        zero = self.carrier(carrier).zero
        return jax.lax.pad(x, jnp.asarray(zero, x.dtype), ends) if any(map(any, ends)) else x

    def convolution(self, form: Convolution, a: Any, b: Any) -> Any:
        fast = form.carrier == REAL and len(form.frames) <= 3
        return (by_xla if fast else by_definition)(form, self, a, b)

    def scatter(self, carrier: Carrier, rows: Any, index: Any, length: int) -> Any:
        if carrier.kind in ("real", "integer") and carrier.name in ("REAL", "INTEGERS"):
            return jnp.zeros((length, *rows.shape[1:]), rows.dtype).at[index].add(rows)
        if isinstance(index, jax.Array):  # known only when it runs: every row is offered to every place
            here = jnp.expand_dims(index == jnp.arange(length)[:, None], tuple(range(2, 1 + rows.ndim)))
            return self.carrier(carrier).sum(jnp, jnp.where(here, rows, jnp.asarray(carrier.zero, rows.dtype)), (1,))
        order = np.argsort(index, kind="stable")
        counts = np.bincount(index, minlength=length)
        widest = max(counts.tolist(), default=0)
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        table = starts[:, None] + np.arange(widest)
        inside = np.arange(widest) < counts[:, None]
        padded = jnp.concatenate([rows[order], jnp.full((1, *rows.shape[1:]), carrier.zero, rows.dtype)])
        return self.carrier(carrier).sum(jnp, padded[np.where(inside, table, len(index))], (1,))

    def map(self, generator: Map, inputs: tuple[Any, ...]) -> Any:
        if not any(generator.flags):
            results = self.interpret(generator.body, inputs)
            return bare(tuple(jnp.broadcast_to(y, (generator.size, *y.shape)) for y in results))
        axes = tuple(0 if flag else None for flag in generator.flags)
        mapped = jax.vmap(lambda *xs: self.interpret(generator.body, xs), in_axes=axes, axis_size=generator.size)
        return bare(mapped(*inputs))

    def scan(self, generator: Scan, inputs: tuple[Any, ...]) -> Any:
        k, fixed = generator.shared, generator.shared + generator.states
        shared = inputs[:k]

        def body(state: tuple[Any, ...], items: tuple[Any, ...]) -> tuple[Any, Any]:
            results = self.interpret(generator.body, (*shared, *state, *items))
            return results[: generator.states], results[generator.states :]

        start = inputs[k:fixed]
        if self.precision == "mixed":  # a constant takes the precision of what the body makes of it
            made = jax.eval_shape(
                body, start, tuple(jax.ShapeDtypeStruct(item.shape[1:], item.dtype) for item in inputs[fixed:])
            )[0]
            start = tuple(jnp.asarray(s, m.dtype) for s, m in zip(start, made, strict=True))
        state, emitted = jax.lax.scan(body, start, inputs[fixed:], length=generator.length, reverse=generator.backward)
        return bare((*state, *emitted))

    def _fits(self, space: Space, array: np.ndarray, what: str) -> None:
        """Raise `InputError` where a number is too large for the dtype that it is stored with."""
        dtype = self.dtype(space.carrier)
        if not array.size or array.dtype.kind not in "iufO" or space.carrier.kind not in ("real", "integer", "index"):
            return
        limits = jnp.finfo(dtype) if space.carrier.kind == "real" else jnp.iinfo(dtype)
        finite = array[np.isfinite(array.astype(float))] if space.carrier.kind == "real" else array
        if finite.size and (finite.max() > limits.max or finite.min() < limits.min):
            wider = "the exact functor" if self.precision == "float64" else "precision='float64' or the exact functor"
            raise InputError(f"{what} does not fit {dtype}; use {wider}")

    def accept(self, space: Space, value: Any, what: str) -> Any:
        array = value if hasattr(value, "dtype") else as_array(value, what)
        if tuple(array.shape) != space.shape:
            raise InputError(f"{what} must have shape {space.shape} ({space}); got shape {tuple(array.shape)}")
        if space.carrier.kind == "key":
            if not jnp.issubdtype(array.dtype, jax.dtypes.prng_key):
                raise InputError(f"{what} must be random keys (jax.random.key); got dtype {array.dtype}")
            return array
        if isinstance(array, jax.core.Tracer) or space.carrier.kind == "real":
            check_dtype(space, array, what)
        else:
            plain = np.asarray(array)
            check_values(space, plain, what)
        if not isinstance(array, (jax.Array, jax.core.Tracer)):
            self._fits(space, np.asarray(array), what)
        with self.scope():
            return self.cast(array, space.carrier)

    def __call__(self, diagram: Diagram) -> Callable[..., Any]:
        ready = tidy(diagram, self)

        def run(*arguments: Any) -> Any:
            if len(arguments) != len(diagram.dom):
                raise InputError(f"the diagram takes {len(diagram.dom)} inputs; it got {len(arguments)}")
            with self.scope():
                values = tuple(
                    self.accept(space, value, f"input {k}")
                    for k, (space, value) in enumerate(zip(diagram.dom, arguments, strict=True))
                )
                return bare(self.interpret(ready, values))

        return run

    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function compiled by `jax.jit`, run in this precision."""
        jitted = jax.jit(function)

        def run(*arguments: Any) -> Any:
            with self.scope():
                return jitted(*arguments)

        return run

    def loop(
        self, step: Callable[..., Any], state: Any, items: Any, count: Any, numbers: int
    ) -> tuple[Any, tuple[Any, ...]]:
        """`step(state, item) -> (state, that many real numbers)` on the first `count` items, the numbers stacked.

        The number of steps is an input of the compiled loop; what is stacked has the items' length, zeros at its end.
        """
        seen = tuple(jnp.zeros(len(items[0]), self.dtype(REAL)) for _ in range(numbers))

        def body(k: Any, carried: Any) -> Any:
            state, seen = carried
            item = tuple(jax.lax.dynamic_index_in_dim(item, k, keepdims=False) for item in items)
            state, made = step(state, item)
            return state, tuple(
                jax.lax.dynamic_update_index_in_dim(all_, jnp.asarray(one).astype(all_.dtype), k, 0)
                for all_, one in zip(seen, made, strict=True)
            )

        return jax.lax.fori_loop(0, count, body, (state, seen))

    def keys(self, seed: int, step: Any, wire: int, size: int | None) -> Any:
        """The random key of a wire at a step, or one a sample of a batch of that size."""
        key = jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), wire), step)
        return key if size is None else jax.random.split(key, size)
