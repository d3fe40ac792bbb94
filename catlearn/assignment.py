"""Different optimisers for different parameters: the tensor of optimisers, after exchanging wires (OPT.tensor).

    T1 x .. x Tn : (X1 P1 .. Xn Pn, S1 P1' .. Sn Pn') -> (P1 .. Pn, P1' .. Pn')

is a gradient transformation of the product of the parameters once the context wires are brought to the front and the
parameters into the model's order. Which parameter goes to which optimiser is said by name.

>>> from catlearn import layers, losses, optimisers, supervised
>>> model = layers.dense(2, 3, "tanh") >> layers.dense(3, 1)
>>> mixed = by_name({"dense_1": optimisers.adam(1e-3), "*": optimisers.gd(0.1)})
>>> list(supervised(model, losses.quadratic, mixed).hyperparameters)
['dense_1.b1', 'dense_1.b2', 'dense_1.epsilon', 'dense_1.learning_rate', '*.learning_rate']

Source: Cruttwell et al. (2103.01931), section 3.4, for products of parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from catlearn.diagram import Diagram, discard, wiring
from catlearn.errors import OperationError, UnknownNameError, nearest
from catlearn.lens import Lens
from catlearn.optimisers import Optimiser
from catlearn.space import Object
from catlearn.transformations import Transformation, Wiring, sides_of

__all__ = ["Assigned", "by_name", "tensor"]


def tensor(parts: Mapping[str, Transformation], choice: Sequence[str]) -> Transformation:
    """The transformation that treats parameter wire k as the part called `choice[k]` does.

    Context wires are those of the parts, in their order, hyper-parameters named `part.name`.
    """
    groups = {name: [k for k, chosen in enumerate(choice) if chosen == name] for name in parts}

    def of(spaces: Object, name: str) -> Object:
        return tuple(spaces[k] for k in groups[name])

    def context(spaces: Object) -> tuple[Wiring, ...]:
        return tuple(
            replace(wire, name=f"{name}.{wire.name}", of=None if wire.of is None else groups[name][wire.of])
            for name, part in parts.items()
            for wire in part.context(of(spaces, name))
        )

    def lens(spaces: Object) -> Lens:
        beside = Lens.identity()
        for name, part in parts.items():
            beside = beside @ part.lens(of(spaces, name))
        order = [k for name in parts for k in groups[name]]
        contexts = [sides_of(part.context(of(spaces, name))) for name, part in parts.items()]
        counts = [
            (len(side.forward), len(side.backward), len(groups[name]))
            for side, name in zip(contexts, parts, strict=True)
        ]
        forward = _interleaved([x for x, _, _ in counts], order, [n for _, _, n in counts])
        backward = _interleaved([s for _, s, _ in counts], order, [n for _, _, n in counts])
        values = tuple(beside.dom.forward[k] for k in _inverse(forward))
        before = _rewiring(values, forward, beside.dom.backward, _inverse(backward))
        ends = beside.cod
        after = _rewiring(ends.forward, _inverse(order), tuple(ends.backward[k] for k in _inverse(order)), order)
        return before >> beside >> after

    def base(spaces: Object) -> Lens:
        return tensor(
            {name: Transformation(name, _no_context, part.base) for name, part in parts.items()}, choice
        ).lens(spaces)

    starts = tuple((name, part.start) for name, part in parts.items())
    return Transformation(
        " x ".join(part.name for part in parts.values()), context, lens, base, Started(starts, tuple(choice))
    )


def _no_context(spaces: Object) -> tuple[Wiring, ...]:
    return ()


@dataclass(frozen=True)
class Started:
    """What is stored in the place of parameters, by the part that each goes to."""

    starts: tuple[tuple[str, Any], ...]
    choice: tuple[str, ...]

    def __call__(self, values: Sequence[Any], spaces: Object) -> tuple[Any, ...]:
        result = list(values)
        for name, start in self.starts:
            mine = [k for k, chosen in enumerate(self.choice) if chosen == name]
            for k, value in zip(mine, start([values[k] for k in mine], tuple(spaces[k] for k in mine)), strict=True):
                result[k] = value
        return tuple(result)


def _interleaved(contexts: Sequence[int], order: Sequence[int], sizes: Sequence[int]) -> list[int]:
    """Where each wire of X1 P1 X2 P2 .. stands in X1 X2 .. P, P being in the model's order."""
    result: list[int] = []
    start, done, first = 0, 0, sum(contexts)
    for count, size in zip(contexts, sizes, strict=True):
        result += range(start, start + count)
        result += [first + k for k in order[done : done + size]]
        start, done = start + count, done + size
    return result


def _inverse(order: Sequence[int]) -> list[int]:
    return [list(order).index(k) for k in range(len(order))]


def _rewiring(values: Object, forward: Sequence[int], changes: Object, backward: Sequence[int]) -> Lens:
    """The lens that only exchanges wires: values by `forward`, changes on the way back by `backward`."""
    get = wiring(values, forward)
    put: Diagram = discard(values) @ wiring(changes, backward)
    return Lens(get, put)


@dataclass(frozen=True, repr=False)
class Assigned(Optimiser):
    """Optimisers by pattern; `resolved(names)` is the optimiser for parameters of those names, in that order."""

    rules: tuple[tuple[str, Optimiser], ...] = ()

    def resolved(self, names: Sequence[str]) -> Optimiser:
        """Each name goes to the first pattern that is the name, its layer, or a glob of either.

        Raises `UnknownNameError` for a name without an optimiser, and for a pattern that no name fits.
        """
        choice = [self._pattern_of(name) for name in names]
        for pattern, _ in self.rules:
            if pattern not in choice and not any(fits(pattern, name) for name in names):
                raise UnknownNameError(f"no parameter fits {pattern!r}: {nearest(pattern, names)}")
        used = {pattern: optimiser.transformation for pattern, optimiser in self.rules if pattern in choice}
        return Optimiser(self.name, tensor(used, choice))

    def _pattern_of(self, name: str) -> str:
        for pattern, _ in self.rules:
            if fits(pattern, name):
                return pattern
        raise UnknownNameError(
            f"no optimiser is given for the parameter {name!r}: add its name, its layer, or '*' for all others"
        )


def fits(pattern: str, name: str) -> bool:
    """Whether a pattern is the name, its layer, or a glob of either."""
    return fnmatchcase(name, pattern) or fnmatchcase(name.split(".")[0], pattern)


def by_name(rules: Mapping[str, Optimiser]) -> Assigned:
    """Optimisers by the names of parameters: a full name, a layer, or a glob; the first that fits wins.

    Raises `OperationError` where something else than an optimiser is given.
    """
    for pattern, optimiser in rules.items():
        if not isinstance(optimiser, Optimiser) or isinstance(optimiser, Assigned):
            raise OperationError(f"by_name takes an optimiser for each pattern; got {optimiser!r} for {pattern!r}")
    if not rules:
        raise OperationError("by_name needs at least one optimiser, such as by_name({'*': adam()})")

    def unresolved(*_: Any) -> Any:
        raise OperationError("optimisers given by name need the names of a model's parameters: give it to `supervised`")

    name = ", ".join(f"{pattern}: {optimiser.name}" for pattern, optimiser in rules.items())
    return Assigned(name, Transformation("by name", unresolved, unresolved), tuple(rules.items()))
