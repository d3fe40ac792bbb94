"""Layers made of layers: residual connections, repetition, positions of a sequence, shapes.

residual(f) = copy ; (1 x f) ; +
repeat(f, n) = f ; ... ; f, n times with parameters of their own, as one Scan over the stacked parameters
each(f, n) = f on n positions at once, with the same parameters (PARA.tie)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from catlearn import functions
from catlearn.diagram import Diagram, copy, identity, permute
from catlearn.errors import CompositionError, OperationError
from catlearn.generators.probe import Probe
from catlearn.generators.scan import Scan
from catlearn.para import Para, parametrised
from catlearn.parameters import Initialiser, Parameter, Signature
from catlearn.semirings import KEYS, REAL
from catlearn.space import Space, as_object, first_difference, sides_of
from catlearn.tracing import trace

__all__ = ["Stacked", "chain", "each", "flatten", "probe", "repeat", "reshape", "residual"]


def chain(dom: Space | Iterable[Space], *layers: Any) -> Para[Diagram]:
    """The composite of layers, each given as it is or as a function from the shape that it receives.

    `layers` are parametrised maps, diagrams, or functions from the shape of the wire so far to one of these.

    >>> from functools import partial
    >>> from catlearn.layers import conv, dense
    >>> model = chain(Space((28, 28, 1), REAL), partial(conv, channels=8), flatten, lambda s: dense(*s, 10))
    >>> model.cod
    (Space((10,), REAL),)
    """
    result: Para[Diagram] = Para.of(identity(dom))
    for layer in layers:
        if not isinstance(layer, (Para, Diagram)):
            if len(result.cod) != 1:
                raise CompositionError(f"a layer given by a shape needs one wire before it; there are {result.cod}")
            layer = layer(result.cod[0].shape)
        result = result >> layer
    return result


def flatten(shape: Sequence[int]) -> Para[Diagram]:
    """All entries in row-major order as one vector."""
    return reshape(shape, (prod(sides_of(shape)),))


def reshape(shape: Sequence[int], to: Sequence[int]) -> Para[Diagram]:
    """The same entries in row-major order in another shape."""
    return parametrised("reshape", {}, Space(shape, REAL), lambda x: functions.reshape(x, to))


def probe(name: str, dom: Space | Iterable[Space]) -> Diagram:
    """The identity, marked by a name, so that what passes can be watched while training (`fit(watch=..)`)."""
    result = identity()
    for place, space in enumerate(as_object(dom)):
        result = result @ Probe(space, name, place).diagram
    return result


def residual(layer: Para[Diagram] | Diagram) -> Para[Diagram]:
    """x -> x + layer(x); raises `CompositionError` where the layer does not end where it starts."""
    if layer.dom != layer.cod:
        raise first_difference(layer.dom, layer.cod, "a residual layer ends where it starts; its domain and codomain")
    return Para.of(copy(layer.dom)) >> (Para.of(identity(layer.dom)) @ layer) >> functions.add(layer.dom)


@dataclass(frozen=True)
class Stacked:
    """The initialiser of n parameters in one, stacked along a first axis, each drawn as the one it is made of."""

    one: Initialiser

    def __call__(self, generator: np.random.Generator, space: Space) -> np.ndarray:
        parts = [self.one(generator, space.with_shape(space.shape[1:])) for _ in range(space.shape[0])]
        return np.stack(parts) if parts else np.zeros(space.shape)


def repeat(layer: Para[Diagram] | Diagram, count: int) -> Para[Diagram]:
    """The layer `count` times in a row, each time with parameters of its own, stacked along a new first axis.

    It is one node, a Scan, so that tracing, compiling and R cost what they do for one layer; R of it is a scan again.
    A random key is split into one for each. Raises `CompositionError` where the layer does not end where it starts.
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise OperationError(f"repeat needs a number of times, an integer of at least 0; got {count!r}")
    layer = layer if isinstance(layer, Para) else Para.of(layer)
    if layer.dom != layer.cod:
        raise first_difference(layer.dom, layer.cod, "a repeated layer ends where it starts; its domain and codomain")
    body = permute([layer.dom, layer.parameter], [1, 0]) >> layer.morphism
    run = Scan(body, count, 0, len(layer.dom)).diagram
    stacked = tuple(space.batch(count) for space in layer.parameter)
    names = layer.signature.merged("repeat", layer.dom, layer.cod).parameters
    records = tuple(_stacked(parameter, count) for parameter in names)
    whole = permute([stacked, layer.dom], [1, 0]) >> run
    many = Para(stacked, layer.dom, whole, Signature.layer(records, "repeat", layer.dom, layer.cod))
    return _with_split_keys(many, count)


def each(layer: Para[Diagram] | Diagram, count: int) -> Para[Diagram]:
    """The layer on `count` positions at once, stacked along a new first axis, with the same parameters for all.

    A random key is split into one for each position.
    """
    layer = layer if isinstance(layer, Para) else Para.of(layer)
    many = layer.batch(count)
    records = tuple(replace(p, space=s) for p, s in zip(many.parameters, many.parameter, strict=True))
    layers = tuple(
        replace(record, dom=tuple(s.batch(count) for s in record.dom), cod=tuple(s.batch(count) for s in record.cod))
        for record in many.signature.layers
    )
    signature = Signature(records, many.signature.numbers, layers)
    return _with_split_keys(Para(many.parameter, many.dom, many.diagram, signature), count)


def _stacked(parameter: Parameter, count: int) -> Parameter:
    start = None if parameter.initialise is None else Stacked(parameter.initialise)
    return replace(parameter, space=parameter.space.batch(count), initialise=start)


def _with_split_keys(many: Para[Diagram], count: int) -> Para[Diagram]:
    """The same with one key in place of each array of `count` keys."""
    auxiliary = [p.role == "auxiliary" for p in many.parameters]
    if not any(auxiliary):
        return many
    one = Space((), KEYS)
    alpha = identity()
    for space, split in zip(many.parameter, auxiliary, strict=True):
        alpha = alpha @ (trace(one, lambda key: functions.split_key(key, count)) if split else identity(space))
    records = tuple(replace(p, space=one) if split else p for p, split in zip(many.parameters, auxiliary, strict=True))
    return many.reparametrise(alpha, Signature(records, many.signature.numbers, many.signature.layers))
