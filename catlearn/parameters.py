"""Parameters: what is known of each parameter wire besides its space, and the names, computed when read.

The name of a parameter is `<layer>_<k>.<parameter>`, k counted over the layers of that name in order of application
(PARA.names), so it does not depend on how a composite was nested.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from catlearn.errors import OperationError
from catlearn.space import Object, Space

__all__ = [
    "Filled",
    "GlorotUniform",
    "HeNormal",
    "Layer",
    "Normal",
    "Parameter",
    "RandomBits",
    "Signature",
]

Initialiser = Callable[["np.random.Generator", Space], np.ndarray]


@dataclass(frozen=True)
class Filled:
    """The initialiser that fills a space with one value.

    >>> from catlearn.semirings import REAL
    >>> Filled(0.5)(np.random.default_rng(0), Space(2, REAL))
    array([0.5, 0.5])
    """

    value: Any

    def __call__(self, generator: np.random.Generator, space: Space) -> np.ndarray:
        return np.full(space.shape, self.value)


@dataclass(frozen=True)
class GlorotUniform:
    """Uniform on [-a, a] with a = sqrt(6 / (fan in + fan out)).

    For a matrix the fans are its two lengths; for a kernel of shape (.., in, out) they are those times the number of
    places of the kernel.

    Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks (2010).
    """

    gain: float = 1.0

    def __call__(self, generator: np.random.Generator, space: Space) -> np.ndarray:
        fans = _fan_in(space) + _fan_out(space)
        bound = self.gain * np.sqrt(6.0 / max(fans, 1))
        return generator.uniform(-bound, bound, space.shape)


def _fan_in(space: Space) -> int:
    return math.prod(space.shape[:-1]) if len(space.shape) > 1 else space.size


def _fan_out(space: Space) -> int:
    return math.prod((*space.shape[:-2], space.shape[-1])) if len(space.shape) > 1 else space.size


@dataclass(frozen=True)
class HeNormal:
    """Normal with mean 0 and deviation sqrt(2 / fan in), for layers followed by relu.

    Source: He et al., Delving deep into rectifiers (1502.01852).
    """

    def __call__(self, generator: np.random.Generator, space: Space) -> np.ndarray:
        return generator.normal(0.0, np.sqrt(2.0 / max(_fan_in(space), 1)), space.shape)


@dataclass(frozen=True)
class Normal:
    """Normal with mean 0 and that standard deviation."""

    deviation: float = 1.0

    def __call__(self, generator: np.random.Generator, space: Space) -> np.ndarray:
        return generator.normal(0.0, self.deviation, space.shape)


@dataclass(frozen=True)
class RandomBits:
    """Bits that are 1 with that probability."""

    probability: float = 0.5

    def __call__(self, generator: np.random.Generator, space: Space) -> np.ndarray:
        return (generator.random(space.shape) < self.probability).astype(np.uint8)


ROLES = ("parameter", "frozen", "statistic", "auxiliary")


@dataclass(frozen=True)
class Parameter:
    """One parameter wire: its name in its layer, its space, how it starts, and its role.

    The role says who sets it: "parameter", the optimiser; "frozen", nobody; "statistic", ascent alone (the layer's own
    reverse is the change); "auxiliary", the training loop, anew at each step (a random key for each sample).
    """

    name: str
    space: Space
    initialise: Initialiser | None = None
    role: str = "parameter"
    layer: str = ""

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise OperationError(f"the role of a parameter is one of {', '.join(ROLES)}; got {self.role!r}")

    def initial(self, generator: np.random.Generator) -> np.ndarray:
        """A starting value: that of the initialiser, or zeros."""
        if self.initialise is None:
            return np.full(self.space.shape, self.space.carrier.zero)
        return np.asarray(self.initialise(generator, self.space))


@dataclass(frozen=True)
class Layer:
    """What a signature knows of a layer: its name, and the objects that it maps between."""

    name: str
    dom: Object = ()
    cod: Object = ()


@dataclass(frozen=True, eq=False)
class Signature:
    """The parameters of a composite, in the order of its wires, with the number of the layer that each belongs to.

    `layers` are the layers in order of application; the numbers count them.
    """

    parameters: tuple[Parameter, ...] = ()
    numbers: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    layers: tuple[Layer, ...] = ()

    @classmethod
    def layer(cls, parameters: tuple[Parameter, ...], name: str, dom: Object = (), cod: Object = ()) -> Signature:
        """The signature of one layer dom -> cod."""
        own = tuple(replace(parameter, layer=name) for parameter in parameters)
        return cls(own, np.zeros(len(own), int), (Layer(name, dom, cod),))

    def then(self, later: Signature) -> Signature:
        """Of this and then that; the later one's parameters come first (C.para)."""
        numbers = np.concatenate([later.numbers + len(self.layers), self.numbers])
        return Signature(later.parameters + self.parameters, numbers, self.layers + later.layers)

    def beside(self, other: Signature) -> Signature:
        """Of this beside that; this one's parameters come first, and it counts as applied first."""
        numbers = np.concatenate([self.numbers, other.numbers + len(self.layers)])
        return Signature(self.parameters + other.parameters, numbers, self.layers + other.layers)

    def take(self, wires: list[int]) -> Signature:
        """The parameters on those wires; a layer that had parameters and keeps none is left out."""
        kept, had = set(self.numbers[wires].tolist()), set(self.numbers.tolist())
        stay = [k for k in range(len(self.layers)) if k in kept or k not in had]
        numbers = np.array([stay.index(k) for k in self.numbers[wires].tolist()], int)
        return Signature(tuple(self.parameters[k] for k in wires), numbers, tuple(self.layers[k] for k in stay))

    def with_role(self, chosen: set[int], role: str) -> Signature:
        """The same with another role for the chosen ones."""
        new = tuple(replace(p, role=role) if k in chosen else p for k, p in enumerate(self.parameters))
        return Signature(new, self.numbers, self.layers)

    @property
    def titles(self) -> tuple[str, ...]:
        """The name of each layer with its number among those of that name."""
        seen: Counter[str] = Counter()
        result = []
        for layer in self.layers:
            result.append(f"{layer.name}_{seen[layer.name]}")
            seen[layer.name] += 1
        return tuple(result)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each parameter, in the order of the wires."""
        titles = self.titles
        return tuple(f"{titles[int(k)]}.{p.name}" for k, p in zip(self.numbers, self.parameters, strict=True))

    def merged(self, layer: str, dom: Object, cod: Object) -> Signature:
        """All as the parameters of one layer dom -> cod: short names where they are unique, else the full ones."""
        full = self.names
        short = [parameter.name for parameter in self.parameters]
        names = [s if short.count(s) == 1 else f for s, f in zip(short, full, strict=True)]
        if len(set(names)) < len(names):
            names = list(full)
        own = tuple(replace(p, name=n) for p, n in zip(self.parameters, names, strict=True))
        return Signature.layer(own, layer, dom, cod)
