"""Smoothing: backward filtering and forward guiding of Markov kernels, as optics.

A kernel K : S -> T with a guide K~ : S -> T is an optic whose first pass runs from T to S. A *message* h on T is a
likelihood, a function of T; a *law* on S is a measure, of any mass.

    first pass, T to S      h |-> g = K~ h,  leaving (g, h)                                            (BFFG.step)
    second pass, S to T     (g, h), mu |-> h ((mu / g) K)
    K1 ; K2 is the optic of K2 followed by that of K1                                                  (BFFG.seq)
    S -> S x S, the copy, multiplies two messages into one and copies the law                          (BFFG.copy)

With its guide the kernel itself, the second pass gives the marginals of every variable given all evidence
(BFFG.smoothing); with another guide, random paths with weights, whose averages do (BFFG.weight).
The optics are the core's, their entries (matrices, covariances) are parameters of Para, so the logarithm of the
likelihood is a parametrised diagram that trains like any model, and a long chain is a Scan. A model is a kernel out of
a point, the law of the first variable being a kernel too; its codomain are the leaves, where the evidence enters.

>>> from catlearn.systems.finite_kernels import Finite, evidence, prior, transition
>>> two = Finite(2)
>>> step = copy(two) >> (transition([[0.9, 0.1], [0.2, 0.8]]) @ identity(two))
>>> model = prior([0.5, 0.5]) >> repeat(step, 3)
>>> seen = evidence([[0.7, 0.3], [0.1, 0.9]], [0, 0, 1])
>>> found = smooth(model, None, seen)
>>> round(found.log_likelihood, 6), found.laws[1].round(3).tolist()
(-2.433263, [[0.936, 0.064], [0.933, 0.067], [0.705, 0.295]])

Messages on a product are products of messages (BFFG.par), so a model may branch, into a tree, and never merges.

Source: van der Meulen and Sommer, Backward filtering forward guiding (2303.13865).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from catlearn.diagram import Diagram
from catlearn.errors import InputError
from catlearn.generators.batching import batch
from catlearn.semirings import KEYS
from catlearn.systems.chains import repeat
from catlearn.systems.finite_kernels import Finite, evidence, likelihoods, prior, transition
from catlearn.systems.gaussian_kernels import (
    Gaussian,
    Observed,
    gaussian_prior,
    linear_gaussian,
    observation,
    observed,
)
from catlearn.systems.kernels import (
    NUMBER,
    Kernel,
    Stacked,
    State,
    at_start,
    copy,
    grouped,
    guided,
    identity,
    sides,
    started,
    swap,
)

__all__ = [
    "Finite",
    "Gaussian",
    "Kernel",
    "Observed",
    "Paths",
    "Smoothed",
    "Stacked",
    "State",
    "copy",
    "evidence",
    "gaussian_prior",
    "guided",
    "identity",
    "likelihoods",
    "linear_gaussian",
    "observation",
    "observed",
    "prior",
    "repeat",
    "sample",
    "smooth",
    "swap",
    "transition",
]


class Smoothed(NamedTuple):
    """What smoothing found: the logarithm of the likelihood, and for each leaf its law, an array or a tuple of them."""

    log_likelihood: float
    laws: tuple[Any, ...]


class Paths(NamedTuple):
    """Guided random paths: for each leaf its points (samples first); the logarithms of the weights (samples,).

    `log_likelihood` is that of the model, estimated: the guide's, times the mean weight.
    """

    points: tuple[Any, ...]
    log_weights: np.ndarray
    log_likelihood: float


Evidence = Any  # a message as a tuple of arrays, or None for none


def _given(kernel: Kernel, evidence: Sequence[Evidence]) -> list[np.ndarray]:
    if len(evidence) != len(kernel.cod):
        raise InputError(f"{kernel} has {len(kernel.cod)} leaves; got evidence for {len(evidence)}, None is for none")
    arrays: list[np.ndarray] = []
    for k, (state, message) in enumerate(zip(kernel.cod, evidence, strict=True)):
        values = state.nothing if message is None else tuple(np.asarray(part, float) for part in message)
        came, wanted = [np.shape(value) for value in values], [space.shape for space in state.messages]
        if came != wanted:
            raise InputError(f"the evidence at leaf {k}, {state}, has shapes {wanted}; got {came}")
        state.check(values, f"the evidence at leaf {k}")
        arrays += values
    return arrays


def _matrices(kernel: Kernel, parameters: Sequence[Any] | None) -> Sequence[Any]:
    return kernel.initial() if parameters is None else parameters


def smooth(
    kernel: Kernel, *evidence: Evidence, parameters: Sequence[Any] | None = None, backend: Any = None
) -> Smoothed:
    """The laws at the leaves given all evidence, and its likelihood (BFFG.smoothing); None is no evidence.

    Where a guide is not its model, the likelihood is the guide's, and a law is a measure that knows of what is ahead of
    it, or beside it, by the guide alone: the last of a chain is right, the others are `sample`'s to find.
    `parameters` stand for the matrices that the kernel was made with. Raises `InputError` for evidence that does not
    fit, and where its likelihood is zero, naming the first that is impossible given those before it;
    `CompositionError` for a kernel that does not start in one point.
    """
    arrays, matrices = _given(kernel, evidence), _matrices(kernel, parameters)
    value, *laws = kernel.run("smoothing", lambda: kernel.smoothing.diagram, backend, [*matrices, *arrays])
    if not np.isfinite(value):
        raise _impossible(kernel, matrices, arrays, backend, float(value))
    result, start = [], 0
    for state in kernel.cod:
        count = len(state.laws)
        result.append(laws[start] if count == 1 else tuple(laws[start : start + count]))
        start += count
    return Smoothed(float(value), tuple(result))


def _impossible(
    kernel: Kernel, matrices: Sequence[Any], arrays: list[np.ndarray], backend: Any, value: float
) -> InputError:
    """The error for evidence without likelihood; where it begins is found by halving."""
    places: list[tuple[int, int]] = []
    for leaf, state in enumerate(kernel.cod):
        places += [(leaf, at) for at in range(state.length if isinstance(state, Stacked) else 1)]

    def possible(count: int) -> bool:
        kept = set(places[:count])
        some: list[np.ndarray] = []
        for leaf, (state, message) in enumerate(zip(kernel.cod, grouped(kernel.cod, arrays), strict=True)):
            for array, nothing in zip(message, state.nothing, strict=True):
                if isinstance(state, Stacked):
                    here = np.array([(leaf, at) in kept for at in range(state.length)])
                    array = np.where(here.reshape(-1, *(1,) * (array.ndim - 1)), array, nothing)
                some.append(array if isinstance(state, Stacked) or (leaf, 0) in kept else nothing)
        run = kernel.run("likelihood", lambda: kernel.log_likelihood.diagram, backend, [*matrices, *some])
        return bool(np.isfinite(run[0]))

    low, high = 0, len(places)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if possible(middle) else (low, middle)
    leaf, at = places[high - 1]
    where = f", place {at}" if isinstance(kernel.cod[leaf], Stacked) else ""
    what = "zero likelihood" if value == -np.inf else f"a likelihood whose logarithm is {value}"
    return InputError(
        f"the evidence at leaf {leaf}{where} has {what} given the evidence before it: it contradicts the model; "
        "check the value there, or the zeros and the scale of the matrices"
    )


def sample(
    kernel: Kernel,
    *evidence: Evidence,
    count: int,
    seed: int = 0,
    parameters: Sequence[Any] | None = None,
    backend: Any = None,
) -> Paths:
    """Random paths of the guided kernels with their weights (BFFG.weight): 0, in logarithms, where guide is model.

    A mean over the paths with these weights is one given the evidence, and the mean weight corrects the guide's
    likelihood; a mean of few large weights is a poor one. Raises as `smooth`, and `InputError` where no path that was
    drawn has any weight.
    """
    import jax

    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise InputError(f"the number of paths is a whole number of at least 1; got {count!r}")
    arrays, matrices = _given(kernel, evidence), _matrices(kernel, parameters)
    ends = sides(kernel.dom, paths=True).backward
    starting: list[Any] = []
    started(kernel.dom)
    for state in kernel.dom:
        starting += [np.broadcast_to(np.ones(s.shape), (count, *s.shape)) for s in state.points]
        seed_here = jax.random.fold_in(jax.random.key(seed), len(starting))
        starting += [np.zeros(count), jax.random.split(seed_here, count)]
    assert len(starting) == len(ends)

    def whole() -> Diagram:
        optic = kernel.paths.morphism
        held = len(optic.residual)
        many = batch(optic.backward, count, [k >= held for k in range(len(optic.backward.dom))])
        firsts = optic.forward >> (Diagram.identity(optic.residual) @ at_start(kernel.dom))
        order = [held, *range(held)]
        spaces = tuple(space.batch(count) for space in ends)
        kept = [k for k, space in enumerate(many.cod) if space.carrier != KEYS]
        after = (firsts.select(order) @ Diagram.identity(spaces)) >> (Diagram.identity((NUMBER,)) @ many.select(kept))
        return after

    value, *found = kernel.run(f"sample {count}", whole, backend, [*matrices, *arrays, *starting])
    if not np.isfinite(value):
        raise _impossible(kernel, matrices, arrays, backend, float(value))
    points, weights, start = [], np.zeros(count), 0
    for state in kernel.cod:
        size = len(state.points)
        here, weight = found[start : start + size], found[start + size]
        points.append(here[0] if size == 1 else tuple(here))
        weights = weights + weight.reshape(count, -1).sum(1)
        start += size + 1
    weights = np.where(np.isnan(weights), -np.inf, weights)  # a path that left the model, and went on nowhere
    top = weights.max()
    if top == -np.inf:
        raise InputError(
            f"none of the {count} paths that the guide leads along is possible in the model: draw more, or take a "
            "guide that is nearer to it"
        )
    estimate = float(value) + top + float(np.log(np.mean(np.exp(weights - top))))
    return Paths(tuple(points), weights, estimate)
