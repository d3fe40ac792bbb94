"""Optax's gradient transformations as optimisers, and optimisers as optax's gradient transformations.

Both add what they return to the parameters; optax takes the gradient, an optimiser takes its negative (OPT.sign, C3).
What optax calls params are the points where the gradient is taken, the optimiser's gets: for Nesterov's momentum these
are not what is stored (OPT.nesterov), so `to_optax` keeps the stored parameters in its state where the two differ.

>>> import optax
>>> from catlearn import REAL, Space
>>> step = from_optax(optax.sgd(0.1)).bound(Space((), REAL))
>>> round(float(step.put(1.0, -2.0)), 6)
0.8
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from catlearn.diagram import Diagram, discard, identity
from catlearn.errors import CatlearnError, InputError, OperationError
from catlearn.generators.opaque import from_jax
from catlearn.lens import Lens
from catlearn.optimisers import Optimiser
from catlearn.semirings import DISCRETE, REAL
from catlearn.space import Object, Space, changes
from catlearn.transformations import Transformation, Wiring

__all__ = ["FromOptax", "from_optax", "to_optax"]


@dataclass(frozen=True, repr=False)
class FromOptax(Optimiser):
    """An optimiser made of an optax transformation, whose own init makes the starting state."""

    source: Any = None

    def init(self, values: Iterable[Any], spaces: Space | Iterable[Space]) -> tuple[Any, ...]:
        import jax

        parameters = tuple(np.asarray(value, np.float32) for value in values)
        leaves = jax.tree_util.tree_leaves(self.source.init(parameters))
        return (*(np.asarray(leaf) for leaf in leaves), *parameters)


def from_optax(transformation: Any, name: str = "optax") -> Optimiser:
    """The optimiser that does with the parameters what an `optax.GradientTransformation` does.

    Its hyper-parameters stay inside. Raises `OperationError` for what is no such transformation, keeps something else
    than real numbers and counters, or needs more than gradients, state and parameters.
    """
    if not callable(getattr(transformation, "init", None)) or not callable(getattr(transformation, "update", None)):
        raise OperationError(
            f"from_optax takes an optax.GradientTransformation, such as optax.adam(1e-3); got {transformation!r}"
        )

    def context(spaces: Object) -> tuple[Wiring, ...]:
        leaves, _ = _flat(_state(transformation, spaces, name))
        return tuple(Wiring(f"state_{k}", _space(leaf, name), 0, True) for k, leaf in enumerate(leaves))

    def lens(spaces: Object) -> Lens:
        for space in spaces:
            if space.carrier != REAL:
                raise OperationError(f"{name} works over REAL; the model has a parameter in {space}")
        leaves, treedef = _flat(_state(transformation, spaces, name))
        stored = tuple(_space(leaf, name) for leaf in leaves)
        n, k = len(spaces), len(stored)

        def update(*wires: Any) -> tuple[Any, ...]:
            import jax

            state = jax.tree_util.tree_unflatten(treedef, wires[:k])
            parameters, direction = wires[k : k + n], wires[k + n :]
            moved, after = transformation.update(tuple(-d for d in direction), state, parameters)
            return (*jax.tree_util.tree_leaves(after), *moved)

        _tried(update, (*leaves, *_zeros(spaces), *_zeros(spaces)), name)
        put = from_jax(update, stored + spaces + changes(spaces), stored + changes(spaces), name)
        return Lens(discard(stored) @ identity(spaces), put)

    return FromOptax(name, Transformation(name, context, lens), transformation)


def _state(transformation: Any, spaces: Object, name: str) -> Any:
    try:
        return transformation.init(_zeros(spaces))
    except CatlearnError:
        raise
    except Exception as mistake:
        raise OperationError(f"{name} cannot start on parameters of {spaces}: {mistake}") from mistake


def _zeros(spaces: Object) -> tuple[np.ndarray, ...]:
    return tuple(np.zeros(space.shape, np.float32) for space in spaces)


def _flat(tree: Any) -> tuple[list[Any], Any]:
    import jax

    return jax.tree_util.tree_flatten(tree)


def _space(leaf: Any, name: str) -> Space:
    import jax.numpy as jnp

    dtype = jnp.result_type(leaf)
    if jnp.issubdtype(dtype, jnp.floating):
        return Space(np.shape(leaf), REAL)
    if jnp.issubdtype(dtype, jnp.integer) and not np.shape(leaf):
        return Space((), DISCRETE)
    raise OperationError(
        f"{name} keeps {dtype} of shape {np.shape(leaf)} in its state; an optimiser here "
        "keeps real numbers and scalar counters"
    )


def _tried(update: Any, arguments: tuple[Any, ...], name: str) -> None:
    import jax

    try:
        jax.eval_shape(update, *arguments)
    except Exception as mistake:
        raise OperationError(
            f"{name} cannot be used as an optimiser: its update of gradients, state and parameters fails: {mistake}"
        ) from mistake


def to_optax(optimiser: Optimiser, **values: float) -> Any:
    """The `optax.GradientTransformation` that moves params as the optimiser moves its gets.

    `values` are hyper-parameters in place of the defaults. Where the get is not what is stored, the state also holds
    the stored parameters, and the transformation must be the last of a chain. `update` needs `params`.
    """
    import optax

    @cache
    def parts(spaces: Object) -> tuple[Any, Any, int, bool]:
        """The put and the get as functions, how many wires are stored, and whether the get looks ahead."""
        whole = optimiser.bound(spaces, **values)
        count = len(whole.dom.forward) - len(spaces)
        ahead = whole.get != discard(whole.get.dom[:count]) @ identity(spaces)
        return _running(whole.put), _running(whole.get), count, ahead

    def init(parameters: Any) -> Any:
        leaves, spaces = _leaves(parameters)
        _, _, count, ahead = parts(spaces)
        stored = [wire for wire in optimiser.context(spaces) if wire.stored]
        start = optimiser.init(leaves, spaces)[:count]
        kinds = [np.int32 if wire.space.carrier == DISCRETE else np.float32 for wire in stored]
        return tuple(np.asarray(x, kind) for x, kind in zip(start, kinds, strict=True)), tuple(leaves) if ahead else ()

    def update(gradients: Any, state: Any, parameters: Any = None) -> tuple[Any, Any]:
        import jax

        if parameters is None:
            raise InputError(f"{optimiser.name} as a transformation needs the parameters: update(grads, state, params)")
        leaves, spaces = _leaves(parameters)
        put, get, count, ahead = parts(spaces)
        stored, kept = state
        after = put(*stored, *(kept if ahead else leaves), *(-g for g in _flat(gradients)[0]))
        places = get(*after) if ahead else after[count:]
        moved = [new - old for new, old in zip(places, leaves, strict=True)]
        changed = jax.tree_util.tree_unflatten(_flat(parameters)[1], moved)
        return changed, (tuple(after[:count]), tuple(after[count:]) if ahead else ())

    return optax.GradientTransformation(init, update)


def _leaves(parameters: Any) -> tuple[list[Any], Object]:
    leaves, _ = _flat(parameters)
    return leaves, tuple(Space(np.shape(leaf), REAL) for leaf in leaves)


def _running(diagram: Diagram) -> Any:
    from catlearn.functors.jax import Jax

    run = Jax()
    ready = run.prepare(diagram)
    return lambda *wires: run.interpret(ready, wires)
