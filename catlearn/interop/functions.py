"""A JAX function of a pytree of parameters and one sample, as a parametrised map.

    from_apply(apply, p) : (P, (x_1 .. x_k, a) -> apply(tree(x_1 .. x_k), a))       started at the leaves of p

P has one wire for each array leaf of the pytree, in the pytree's own order, named by the path to it. So whatever keeps
its parameters in a pytree becomes a model that composes, trains and is differentiated like any other; the node's
reverse is `jax.vjp`.

>>> import numpy as np
>>> from catlearn.semirings import REAL
>>> from catlearn.space import Space
>>> start = {"layers": [{"weight": np.full((2, 3), 0.5)}, {"weight": np.ones(3)}]}
>>> def apply(parameters, x):
...     first, second = parameters["layers"]
...     return x @ first["weight"] @ second["weight"]
>>> model = from_apply(apply, start, Space(2, REAL), Space((), REAL))
>>> model.names
('function_0.layers.0.weight', 'function_0.layers.1.weight')
>>> float(model.morphism(*model.initial(), [1.0, 2.0]))
4.5
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from catlearn.diagram import Diagram
from catlearn.errors import DataError, InputError, OperationError
from catlearn.functors.jax import Jax
from catlearn.generators.opaque import from_jax
from catlearn.para import Para, parametrised
from catlearn.parameters import Parameter
from catlearn.semirings import REAL
from catlearn.space import Object, Space, as_object

__all__ = ["Given", "examples", "from_apply", "from_pytree", "to_pytree"]


@dataclass(frozen=True)
class Given:
    """The initialiser that starts a parameter at one array, whatever the seed; two of equal arrays are equal.

    It keeps the array's bytes, so that nobody changes it later. Raises `InputError` for a space of another shape.

    >>> Given.of(np.array([1.0, 2.0]))(np.random.default_rng(0), Space(2, REAL))
    array([1., 2.])
    """

    shape: tuple[int, ...]
    dtype: str
    content: bytes

    @classmethod
    def of(cls, array: Any) -> Given:
        """That starts at this array; floating dtypes that NumPy lacks (bfloat16) are kept as float32."""
        plain = np.asarray(array)
        plain = plain.astype(np.float32) if plain.dtype.kind == "V" else plain
        return cls(plain.shape, plain.dtype.str, plain.tobytes())

    def __call__(self, generator: np.random.Generator, space: Space) -> np.ndarray:
        if space.shape != self.shape:
            raise InputError(
                f"the starting value has shape {self.shape} and its parameter is in {space}: make them one"
            )
        return np.frombuffer(self.content, self.dtype).reshape(self.shape).copy()


@dataclass(frozen=True)
class _Applied:
    """`apply` on the leaves of its pytree one by one; equal for one function and pytrees of one structure."""

    function: Callable[..., Any]
    structure: Any
    count: int

    def __call__(self, *wires: Any) -> Any:
        return self.function(jax.tree_util.tree_unflatten(self.structure, wires[: self.count]), *wires[self.count :])


def from_apply(
    apply: Callable[..., Any],
    parameters: Any,
    dom: Space | Iterable[Space],
    cod: Space | Iterable[Space],
    name: str = "function",
) -> Para[Diagram]:
    """The parametrised map of a pure JAX function `apply(parameters, *inputs)` of one sample.

    `parameters` is a pytree of arrays, the starting values: a leaf of shape s is a wire `Space(s, REAL)` called
    `<name>_0.<path>`. `apply` receives the pytree with arrays of the precision that the diagram runs in, then one array
    for each wire of `dom`, and returns as many as `cod` has wires. What it has besides (tables, functions, settings)
    it closes over. The morphism is one node.

    Raises `OperationError` for a leaf that is no array of real floating numbers or shares its name with another, and
    where `apply` fails on such arrays or returns other shapes than those of `cod`.

    >>> from_apply(lambda p, x: x, {"rows": np.arange(3)}, Space(3, REAL), Space(3, REAL))
    Traceback (most recent call last):
        ...
    catlearn.errors.OperationError: the parameter 'rows' has dtype int64, and a parameter is an array of real floating
    numbers: make it one if it is to be learnt, else keep it out of the pytree and let the function close over it
    """
    named = from_pytree(parameters)
    inputs, outputs = as_object(dom), as_object(cod)
    spaces = tuple(Space(np.shape(leaf), REAL) for leaf in named.values())
    function = _Applied(apply, jax.tree_util.tree_structure(parameters), len(spaces))
    _check(function, spaces + inputs, outputs, name)
    records = {n: Parameter(n, s, Given.of(x)) for (n, x), s in zip(named.items(), spaces, strict=True)}
    return parametrised(name, records, inputs, from_jax(function, spaces + inputs, outputs, name))


def examples(spaces: Iterable[Space]) -> list[jax.ShapeDtypeStruct]:
    """What stands for one value of each space where a function is only traced: float32, int32, keys."""
    run, key = Jax(), jax.eval_shape(lambda: jax.random.key(0)).dtype
    kinds = [(space.shape, key if space.carrier.kind == "key" else run.dtype(space.carrier)) for space in spaces]
    return [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in kinds]


def _check(function: _Applied, dom: Object, cod: Object, name: str) -> None:
    try:
        results = jax.eval_shape(function, *examples(dom))
    except Exception as mistake:
        inputs = dom[function.count :]
        raise OperationError(f"{name} cannot be called with its parameters and one of {inputs}: {mistake}") from mistake
    several = results if isinstance(results, (tuple, list)) else (results,)
    shapes = [getattr(result, "shape", type(result).__name__) for result in several]
    if shapes != [space.shape for space in cod]:
        raise OperationError(f"{name} returns {shapes} on one sample, and cod is {cod}: give one array for each wire")


def from_pytree(tree: Any) -> dict[str, Any]:
    """The leaves of a pytree by the names that `from_apply` gives them, in order.

    A name is the path: keys, numbers and attributes joined by dots; a pytree that is one array calls it "value".
    Raises `OperationError` for a leaf that is no array of real floating numbers, and for two of one name.

    >>> list(from_pytree({"layers": [{"weight": np.ones(2)}]}))
    ['layers.0.weight']
    """
    paths = [(_name(path), leaf) for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]]
    for name, leaf in paths:
        if not _real(leaf):
            came = f"has dtype {leaf.dtype}" if hasattr(leaf, "dtype") else f"is {leaf!r}"
            raise OperationError(
                f"the parameter {name!r} {came}, and a parameter is an array of real floating numbers: make it one "
                "if it is to be learnt, else keep it out of the pytree and let the function close over it"
            )
        if isinstance(leaf, jax.core.Tracer):
            raise OperationError(f"the parameter {name!r} is being traced: make the model outside jit, vmap and grad")
    twice = [name for name, count in Counter(name for name, _ in paths).items() if count > 1]
    if twice:
        raise OperationError(f"two parameters are called {twice[0]!r}: rename a key of the pytree")
    return dict(paths)


def to_pytree(like: Any, values: Mapping[str, Any]) -> Any:
    """The pytree `like` with each array of real floating numbers replaced by the value of its name; the rest stays.

    So what was trained goes back where it came from: `to_pytree(start, result.parameters["function_0"])`, and likewise
    for an Equinox module. A value takes the dtype of what it replaces. Raises `DataError` naming what is missing or too
    much, `InputError` naming a value of another shape.

    >>> to_pytree([np.zeros(2), "kept"], {"0": [1.0, 2.0]})
    [array([1., 2.]), 'kept']
    """
    pairs, structure = jax.tree_util.tree_flatten_with_path(like)
    named = [(_name(path) if _real(leaf) else None, leaf) for path, leaf in pairs]
    wanted = {name for name, _ in named if name is not None}
    missing, extra = sorted(wanted - set(values)), sorted(set(values) - wanted)
    if missing or extra:
        raise DataError(f"the values do not fit the pytree: missing {missing or 'none'}, unknown {extra or 'none'}")
    leaves = [leaf if name is None else _like(leaf, values[name], name) for name, leaf in named]
    return jax.tree_util.tree_unflatten(structure, leaves)


def _like(leaf: Any, value: Any, name: str) -> Any:
    if np.shape(value) != np.shape(leaf):
        raise InputError(f"the value of {name!r} must have shape {np.shape(leaf)}; got shape {np.shape(value)}")
    return (jnp if isinstance(leaf, jax.Array) else np).asarray(value, leaf.dtype)


def _real(leaf: Any) -> bool:
    return isinstance(leaf, (np.ndarray, np.generic, jax.Array)) and jnp.issubdtype(leaf.dtype, jnp.floating)


def _name(path: tuple[Any, ...]) -> str:
    parts = [getattr(key, "key", getattr(key, "idx", getattr(key, "name", key))) for key in path]
    return ".".join(map(str, parts)) or "value"
