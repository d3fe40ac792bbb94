"""Trained models and training steps as StableHLO, the portable programs of `jax.export`, which run without catlearn.

`export_model` writes rows -> predictions, the trained parameters inside; `export_step` writes the training step on a
batch, T x Y x A x named inputs -> T, nothing inside. `load` runs either; so does a program that has JAX alone, by
`jax.export.deserialize(content).call(...)`. Needs flatbuffers, which JAX writes its exports with.

>>> import catlearn as cl
>>> data = cl.datasets.iris()
>>> learner = cl.supervised(cl.layers.dense(4, 3), cl.losses.quadratic, cl.optimisers.gd(0.01))
>>> result = cl.fit(learner, data, epochs=1, batch_size=50)
>>> predict = load(export_model(result))
>>> predict(data.test_inputs).shape, predict(data.test_inputs[:7]).shape
((50, 3), (7, 3))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export

from catlearn.errors import InputError, OperationError
from catlearn.functors.functor import bare
from catlearn.functors.jax import Jax
from catlearn.space import Space
from catlearn.training import Result

__all__ = ["Loaded", "export_model", "export_step", "load"]

_KINDS = {"f": "fiu", "V": "fiuV", "i": "iu", "u": "iub"}
_PLATFORMS = {"cpu", "cuda", "rocm", "tpu"}


def export_model(result: Result, *, batch: int | None = None, platforms: Sequence[str] | None = None) -> bytes:
    """The trained model as a portable program: rows of inputs, an array for each wire, to what `result.predict` gives.

    Parameters, hyper-parameters and, where the model takes them, the random keys of `result.predict` are constants of
    it; reals have the precision of `result.backend`. With `batch` it takes that many rows. Without, any number: it is
    then the prediction of one sample under `jax.vmap`, the same up to rounding. `platforms` ("cpu", "cuda", "tpu") are
    those it is to run on, by default the one it is made on.

    Raises `OperationError` where the result was not trained under JAX, for a model with no inputs and no `batch`, for
    an unknown platform, and for what JAX cannot export (a callback into Python).
    """
    run, learner = _backend(result), result.learner
    if batch is not None and (isinstance(batch, bool) or not isinstance(batch, int) or batch < 1):
        raise OperationError(f"batch is a number of rows, at least 1, or None for any number; got {batch!r}")
    if batch is None and not learner.model.dom:
        raise OperationError("the model has no inputs to count the rows of: give their number as batch")
    rows: Any = export.symbolic_shape("rows")[0] if batch is None else batch
    prediction, count = learner.prediction(batch), len(learner.model.dom)
    diagram, drawn = run.prepare(prediction), len(prediction.dom) - len(result.state) - count - len(result.settings)

    def one(*wires: Any) -> Any:
        return bare(run.interpret(diagram, (*result.state, *wires[:count], *result.settings, *wires[count:])))

    def predict(*inputs: Any) -> Any:
        keys = [run.keys(result.seed, np.int32(-1), wire, rows) for wire in range(drawn)]
        return (one if batch is not None else jax.vmap(one))(*inputs, *keys)

    shapes = [jax.ShapeDtypeStruct((rows, *space.shape), _dtype(run, space)) for space in learner.model.dom]
    return _written(run, predict, shapes, platforms)


def export_step(result: Result, size: int | None, *, platforms: Sequence[str] | None = None) -> bytes:
    """The training step on `size` samples (None: one, without a batch axis) as a portable program.

    It is `learner.step(size)`: the wires of the state, the labels, the inputs, the hyper-parameters in the order of
    `learner.hyperparameters`, then the random keys of `learner.auxiliary`, one a sample, to the tuple of the new state.
    Nothing of the result is inside but its precision; `result.state` and `result.settings` are what to go on with.

    Raises `OperationError` where the result was not trained under JAX, and for what JAX cannot export.
    """
    run = _backend(result)
    step = result.learner.step(size)
    diagram = run.prepare(step)
    shapes = [jax.ShapeDtypeStruct(space.shape, _dtype(run, space)) for space in step.dom]
    return _written(run, lambda *wires: run.interpret(diagram, wires), shapes, platforms)


def _backend(result: Result) -> Jax:
    if not isinstance(result, Result) or not isinstance(result.backend, Jax):
        came = f"one of {result.backend!r}" if isinstance(result, Result) else repr(result)
        raise OperationError(f"what is exported is the result of a fit with the backend functors.Jax(); got {came}")
    return result.backend


def _dtype(run: Jax, space: Space) -> Any:
    keys = space.carrier.kind == "key"
    return jax.eval_shape(lambda: jax.random.key(0)).dtype if keys else run.dtype(space.carrier)


def _written(run: Jax, function: Callable[..., Any], shapes: Sequence[Any], platforms: Sequence[str] | None) -> bytes:
    if platforms is not None and (isinstance(platforms, str) or not set(platforms) <= _PLATFORMS or not platforms):
        known = ", ".join(sorted(_PLATFORMS))
        raise OperationError(f"platforms is a list of some of {known}, or None for this one; got {platforms!r}")
    try:
        with run.scope():
            exported = export.export(jax.jit(function), platforms=platforms)(*shapes)
        return bytes(exported.serialize())
    except ImportError as mistake:
        raise OperationError("an export is written with flatbuffers: install categorical-learning[export]") from mistake
    except Exception as mistake:
        raise OperationError(f"JAX cannot export this: {mistake}") from mistake


class Loaded:
    """An exported program as a function; `load` makes it.

    It takes as many arrays as were exported, of shapes that fit; numbers are stored with the program's own dtypes.
    Raises `InputError` for others, and where the program does not run here.
    """

    def __init__(self, exported: Any) -> None:
        self._exported, self._call = exported, jax.jit(exported.call)
        names = [str(aval.dtype) for aval in (*exported.in_avals, *exported.out_avals)]
        self._wide = any(name in ("float64", "int64", "uint64") for name in names)

    def __repr__(self) -> str:
        inputs, outputs = (", ".join(map(str, side)) for side in (self._exported.in_avals, self._exported.out_avals))
        return f"<exported program {inputs} -> {outputs} for {', '.join(self._exported.platforms)}>"

    def _scope(self) -> AbstractContextManager[Any]:
        return jax.enable_x64(True) if self._wide else nullcontext()

    def __call__(self, *arguments: Any) -> Any:
        """The outputs for those arguments, as the exported function returned them."""
        wanted = self._exported.in_avals
        if len(arguments) != len(wanted):
            raise InputError(f"the exported program takes {len(wanted)} arrays; got {len(arguments)}")
        with self._scope():
            given = [_accept(aval, x, k) for k, (aval, x) in enumerate(zip(wanted, arguments, strict=True))]
            try:
                return self._call(*given)
            except Exception as mistake:
                raise InputError(f"the exported program {self!r} does not run on these arrays: {mistake}") from mistake


def _accept(aval: Any, value: Any, number: int) -> Any:
    """The value with the dtype of an argument of the program, if that loses no more than precision."""
    array = value if hasattr(value, "dtype") else np.asarray(value)
    fits = len(array.shape) == len(aval.shape) and all(
        not isinstance(want, int) or want == came for want, came in zip(aval.shape, array.shape, strict=True)
    )
    if jnp.issubdtype(aval.dtype, jax.dtypes.prng_key):
        fits, converted = fits and array.dtype == aval.dtype, array
    else:
        fits = fits and array.dtype.kind in _KINDS.get(np.dtype(aval.dtype).kind, "")
        converted = array if not fits else jnp.asarray(array).astype(aval.dtype)
        if fits and np.dtype(aval.dtype).kind in "iu" and not isinstance(array, jax.core.Tracer):
            fits = bool((np.asarray(converted) == np.asarray(array)).all())
    if not fits:
        raise InputError(
            f"argument {number} of the exported program must be {aval}; got {array.dtype}{list(array.shape)}, "
            "or numbers that are too large"
        )
    return converted


def load(content: bytes) -> Loaded:
    """The function that `export_model` or `export_step` wrote.

    Raises `InputError` for bytes that are no such export, and for one made for other platforms than this one.

    >>> load(b"something else")
    Traceback (most recent call last):
        ...
    catlearn.errors.InputError: these 14 bytes are no program of export_model or export_step: read the whole file
    """
    if not isinstance(content, (bytes, bytearray, memoryview)):
        raise InputError(f"load takes the bytes that export_model or export_step wrote; got {type(content).__name__}")
    try:
        exported = export.deserialize(bytearray(content))
    except ImportError as mistake:
        raise OperationError("an export is read with flatbuffers: install categorical-learning[export]") from mistake
    except Exception as mistake:
        raise InputError(
            f"these {len(content)} bytes are no program of export_model or export_step: read the whole file"
        ) from mistake
    here = export.default_export_platform()
    if here not in exported.platforms:
        raise InputError(
            f"the program was exported for {', '.join(exported.platforms)} and this is {here}: "
            f'export it again with platforms=["{here}"]'
        )
    return Loaded(exported)
