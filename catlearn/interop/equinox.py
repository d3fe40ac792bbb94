"""Equinox modules as parametrised maps, and parametrised maps as Equinox modules.

A module is a pytree: its floating arrays are the parameters, all else stays inside. Both directions keep names and
values, and the gradients on both sides are those of the same map.

>>> import equinox, jax
>>> from catlearn.semirings import REAL
>>> from catlearn.space import Space
>>> layer = equinox.nn.Linear(2, 3, key=jax.random.key(0))
>>> model = from_equinox(layer, Space(2, REAL))
>>> model.names, model.cod
(('linear_0.weight', 'linear_0.bias'), (Space((3,), REAL),))
>>> list(to_equinox(model).parameters["linear_0"])
['weight', 'bias']
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from catlearn.diagram import Diagram
from catlearn.errors import InputError, OperationError
from catlearn.functors.functor import bare
from catlearn.functors.jax import Jax
from catlearn.interop.functions import examples, from_apply
from catlearn.para import Para
from catlearn.reverse import reverse_derivative
from catlearn.semirings import REAL
from catlearn.space import Object, Space, as_object

__all__ = ["Parametrised", "from_equinox", "to_equinox"]


def from_equinox(
    module: Any, dom: Space | Iterable[Space], cod: Space | Iterable[Space] | None = None
) -> Para[Diagram]:
    """The parametrised map of an Equinox module that is called with one sample, an array for each wire of `dom`.

    Every floating array is a parameter of its shape over REAL, named by its path (`mlp_0.layers.0.weight`) and started
    at its value; integers, functions and settings stay inside. `cod` is found by tracing if it is not given.
    `to_pytree(module, result.parameters["mlp_0"])` of `catlearn.interop.functions` is the trained module.

    Raises `OperationError` for what is no module, needs more than the inputs (a random key, a state), or returns
    something else than arrays of real floating numbers of the shapes of `cod`.
    """
    if not isinstance(module, eqx.Module) or not callable(module):
        raise OperationError(
            f"from_equinox takes a callable equinox.Module, such as equinox.nn.MLP(...); got {module!r}"
        )
    inputs, name = as_object(dom), _snake(type(module).__name__)
    learnt, static = eqx.partition(module, eqx.is_inexact_array)
    try:
        results = eqx.filter_eval_shape(module, *examples(inputs))
    except Exception as mistake:
        raise OperationError(
            f"{name} cannot be called with one of {inputs} alone: {mistake}. A module that draws random numbers or "
            "keeps a state does it after equinox.nn.inference_mode, or inside a module that takes arrays alone"
        ) from mistake
    outputs = _spaces(results, name) if cod is None else as_object(cod)

    def apply(parameters: Any, *wires: Any) -> Any:
        return eqx.combine(parameters, static)(*wires)

    return from_apply(apply, learnt, inputs, outputs, name)


def _snake(name: str) -> str:
    """The words of a class's name, in lower case: GRUCell is gru_cell."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _spaces(results: Any, name: str) -> Object:
    several = results if isinstance(results, (tuple, list)) else (results,)
    for result in several:
        if not hasattr(result, "dtype") or not jnp.issubdtype(result.dtype, jnp.floating):
            raise OperationError(f"{name} must return arrays of real floating numbers, or give its cod; got {results}")
    return tuple(Space(result.shape, REAL) for result in several)


class Parametrised(eqx.Module):
    """A parametrised map as an Equinox module of one sample; `to_equinox` makes it.

    `parameters` holds what the optimiser sets, a dictionary of layers, each a dictionary of names; `fixed`, alike, the
    frozen ones and the statistics, whose gradient is zero.
    """

    parameters: dict[str, dict[str, Any]]
    fixed: dict[str, dict[str, Any]]
    _run: Callable[..., Any] = eqx.field(static=True)

    def __call__(self, *inputs: Any, key: Any = None) -> Any:
        """The outputs of one sample: an array, or a tuple of several; `key` where the map takes random keys."""
        return self._run(self.parameters, jax.lax.stop_gradient(self.fixed), inputs, key)


def to_equinox(
    para: Para[Diagram], values: Mapping[str, Mapping[str, Any]] | None = None, seed: int = 0
) -> Parametrised:
    """The Equinox module of a parametrised map, float32, to be used with `filter_grad`, `filter_jit` and `vmap`.

    `values` are its parameters as `Result.parameters` has them; without, it starts as training with that seed does. Its
    gradient is `reverse_derivative`, also where that is not the derivative of what is computed (`surrogate`); so it has
    reverse mode only, and `Para.to_jax` is what to take for forward mode.

    Raises `OperationError` for a map whose parameters have no names, `DataError` for a parameter that is missing, too
    much, or of another shape.
    """
    if not isinstance(para, Para) or len(para.parameters) != len(para.parameter):
        raise OperationError(f"to_equinox takes a Para whose parameters are named (see parametrised); got {para}")
    run = _Run(para)
    given = para.initial(seed) if values is None else para.leaves(values)
    learnt: dict[str, dict[str, Any]] = {}
    fixed: dict[str, dict[str, Any]] = {}
    for name, parameter, value in zip(para.names, para.parameters, given, strict=True):
        if parameter.role != "auxiliary":
            layer, _, own = name.partition(".")
            part = learnt if parameter.role == "parameter" else fixed
            part.setdefault(layer, {})[own] = run.jax.accept(parameter.space, value, f"the parameter {name!r}")
    return Parametrised(learnt, fixed, run)


class _Run:
    """The map on dictionaries of parameters, its reverse its own; compared by identity, as jit's caches need."""

    def __init__(self, para: Para[Diagram]) -> None:
        self.jax, self.para = Jax(), para
        self.ready = self.jax.prepare(para.diagram)
        self.call = jax.custom_vjp(self._forth)
        # Not by way of `call`: JAX 0.10 refuses NumPy constants there under jit, grad and vmap.
        self.call.defvjp(lambda *wires: (self._forth(*wires), wires), self._back)

    def _forth(self, *wires: Any) -> tuple[Any, ...]:
        return self.jax.interpret(self.ready, wires)

    @cached_property
    def _reversed(self) -> Diagram:
        return self.jax.prepare(reverse_derivative(self.para.diagram))

    def _back(self, wires: tuple[Any, ...], cotangents: tuple[Any, ...]) -> tuple[Any, ...]:
        """R of the diagram; JAX has changes of floating numbers only, so the others start and end as nothing."""
        whole = self.para.diagram
        given = tuple(
            d if space.carrier.kind == "real" else self.jax.constant(space.changes, space.changes.carrier.zero)
            for space, d in zip(whole.cod, cotangents, strict=True)
        )
        back = self.jax.interpret(self._reversed, (*wires, *given))
        return tuple(d if s.carrier.kind == "real" else None for s, d in zip(whole.dom, back, strict=True))

    def __call__(self, parameters: Any, fixed: Any, inputs: tuple[Any, ...], key: Any) -> Any:
        names, records, dom = self.para.names, self.para.parameters, self.para.dom
        if len(inputs) != len(dom):
            raise InputError(f"the module takes {len(dom)} inputs; got {len(inputs)}")
        auxiliary = [k for k, record in enumerate(records) if record.role == "auxiliary"]
        if auxiliary and (key is None or not jnp.issubdtype(key.dtype, jax.dtypes.prng_key)):
            raise InputError(f"the module takes random keys: pass key=jax.random.key(seed); got {key!r}")
        keys = dict(zip(auxiliary, jax.random.split(key, len(auxiliary)), strict=True)) if auxiliary else {}
        values = []
        for k, (name, record) in enumerate(zip(names, records, strict=True)):
            layer, _, own = name.partition(".")
            part = parameters if record.role == "parameter" else fixed
            value = keys[k] if k in keys else part[layer][own]
            values.append(self.jax.accept(record.space, value, f"the parameter {name!r}"))
        given = [self.jax.accept(space, x, f"input {k}") for k, (space, x) in enumerate(zip(dom, inputs, strict=True))]
        return bare(self.call(*values, *given))
