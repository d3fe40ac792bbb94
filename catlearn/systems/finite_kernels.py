"""Kernels of finitely many states: matrices whose rows sum to one, messages as vectors with the logarithm of a scale.

    message (h, c) is the likelihood exp(c) h; the first pass divides g = K~ h by its sum and adds its logarithm to c

so a chain of any length neither underflows nor overflows. The second pass does not see the scale: h / g has none.

>>> transition([[0.5, 0.6], [0.1, 0.9]])
Traceback (most recent call last):
catlearn.errors.InputError: row 0 of the matrix of transition must sum to 1; it sums to 1.1

Source: van der Meulen and Sommer (2303.13865), section 3; Rabiner, A tutorial on hidden Markov models (1989), for the
scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from catlearn import functions
from catlearn.errors import InputError
from catlearn.functions import einsum, log, step
from catlearn.generators.opaque import from_jax
from catlearn.semirings import REAL
from catlearn.space import Object, Space
from catlearn.systems.kernels import KEY, NUMBER, Kernel, State, Wires, guided
from catlearn.tracing import Wire

__all__ = ["Finite", "evidence", "likelihoods", "prior", "transition"]


@dataclass(frozen=True)
class Finite(State):
    """The space of `size` states. A message is (h, c), a law a vector of masses, a point a vector with one 1."""

    size: int

    def __post_init__(self) -> None:
        if isinstance(self.size, bool) or not isinstance(self.size, int) or self.size < 1:
            raise InputError(f"a finite space has a whole number of states, at least 1; got {self.size!r}")
        object.__setattr__(self, "start", (np.ones(1),) if self.size == 1 else None)

    def __str__(self) -> str:
        return f"{self.size} states"

    @property
    def messages(self) -> Object:
        return (Space(self.size, REAL), NUMBER)

    @property
    def laws(self) -> Object:
        return (Space(self.size, REAL),)

    @property
    def points(self) -> Object:
        return self.laws

    @property
    def nothing(self) -> tuple[np.ndarray, ...]:
        return np.ones(self.size), np.zeros(())

    def meet(self, one: Wires, two: Wires) -> Wires:
        (h, c), (other, scale) = one, two
        return h * other, c + scale

    def at_start(self, message: Wires) -> Wire:
        h, c = message
        return functions.sum(log(h)) + c

    def check(self, message: Sequence[np.ndarray], what: str) -> None:
        h, c = message
        least, most = h.min(initial=0.0), h.max(initial=0.0)  # NaN, if there is one
        if not (least > -np.inf and most < np.inf and np.isfinite(c).all()):
            raise InputError(f"{what} is not finite everywhere; a missing observation is a message of ones")
        if least < 0:
            place = tuple(int(k) for k in np.argwhere(h < 0)[0])
            raise InputError(f"{what} is a likelihood and has the negative entry {h[place]} at {place}")


def _stochastic(matrix: Any, name: str) -> np.ndarray:
    array = np.asarray(matrix, float)
    if array.ndim != 2 or 0 in array.shape:
        raise InputError(f"{name} must be a matrix, a row for each state; got shape {array.shape}")
    if not np.isfinite(array).all() or (array < 0).any():
        row, column = (int(k) for k in np.argwhere(~(array >= 0) | ~np.isfinite(array))[0])
        raise InputError(f"{name} holds probabilities; entry ({row}, {column}) is {array[row, column]}")
    sums = array.sum(1)
    tolerance = 1e-6 if np.asarray(matrix).dtype == np.float32 else 1e-9
    wrong = np.flatnonzero(np.abs(sums - 1.0) > tolerance)
    if wrong.size:
        raise InputError(f"row {wrong[0]} of {name} must sum to 1; it sums to {sums[wrong[0]]:.12g}")
    return array


def positive(x: Wire) -> Wire:
    """The same, and 1 where it is 0: there, what is divided by it is 0 too."""
    return x + (1.0 - step(x))


def transition(matrix: Any, guide: Any = None, *, name: str = "transition") -> Kernel:
    """The kernel of a matrix K[i, j] = P(j | i), guided by another, or by itself if none is given.

    Raises `InputError` for a row that does not sum to one, a negative entry, a guide of another shape, or one that is
    0 where the matrix is not: no weight corrects for a path that the guide never takes.
    """
    K = _stochastic(matrix, f"the matrix of {name}")
    matrices = {"matrix": K}
    if guide is not None:
        matrices["guide"] = _stochastic(guide, f"the guide of {name}")
        if matrices["guide"].shape != K.shape:
            raise InputError(f"the guide of {name} has shape {matrices['guide'].shape}, its matrix {K.shape}")
        if ((matrices["guide"] == 0) & (K > 0)).any():
            row, column = (int(k) for k in np.argwhere((matrices["guide"] == 0) & (K > 0))[0])
            raise InputError(f"the guide of {name} is 0 at ({row}, {column}), where its matrix is {K[row, column]}")
    source, target = Finite(K.shape[0]), Finite(K.shape[1])
    return guided(name, matrices, (source,), (target,), _first, _law, _draw, guide is None)


def _first(K: Wire, *rest: Wire) -> tuple[Wires, Wires]:
    *guide, h, c = rest
    g = einsum("ij,j->i", guide[0] if guide else K, h)
    size = positive(functions.sum(g))
    return (K, g, h), (g * (1.0 / size), c + log(size))


def _law(K: Wire, g: Wire, h: Wire, law: Wire) -> Wires:
    return (h * einsum("i,ij->j", law / positive(g), K),)


def _draw(K: Wire, g: Wire, h: Wire, point: Wire, weight: Wire, key: Wire) -> Wires:
    row = h * einsum("i,ij->j", point, K)
    drawn, after = from_jax(_categorical, (row.space, KEY), (row.space, KEY), "categorical")(row, key)
    return drawn, weight + log(functions.sum(row)) - log(einsum("i,i->", point, g)), after


def _categorical(row: Any, key: Any) -> tuple[Any, Any]:
    import jax
    import jax.numpy as jnp

    mine, after = jax.random.split(key, 2)
    return jax.nn.one_hot(jax.random.categorical(mine, jnp.log(row)), row.shape[0], dtype=row.dtype), after


def prior(probabilities: Any, *, name: str = "prior") -> Kernel:
    """The law of a first variable, a kernel from one point; raises `InputError` if it does not sum to one."""
    law = np.asarray(probabilities, float)
    if law.ndim != 1:
        raise InputError(f"a prior is a vector of probabilities; got shape {law.shape}")
    return transition(law[None], name=name)


def likelihoods(logarithms: Any) -> tuple[np.ndarray, np.ndarray]:
    """The messages of logarithms of likelihoods (.., states): each divided by its largest, which is its scale."""
    values = np.asarray(logarithms, float)
    if values.ndim < 1 or np.isnan(values).any():
        raise InputError("logarithms of likelihoods have the states as last axis and are no NaN")
    top = values.max(-1)
    top = np.where(np.isfinite(top), top, 0.0)
    return np.exp(values - top[..., None]), top


def evidence(emissions: Any, symbols: Any, *, missing: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The messages of observed symbols (any shape): column y of a matrix of P(symbol y | state i).

    The symbol `missing`, if one is named, says nothing. Raises `InputError` for a row that does not sum to one, an
    empty series, and for a symbol that the matrix does not have, saying where.
    """
    E = _stochastic(emissions, "the matrix of emissions")
    seen = np.asarray(symbols)
    if seen.dtype.kind not in "iu":
        raise InputError(f"symbols are whole numbers; got dtype {seen.dtype}")
    if not seen.size:
        raise InputError("the series of symbols is empty: give at least one")
    known = seen if missing is None else np.where(seen == missing, 0, seen)
    if known.min() < 0 or known.max() >= E.shape[1]:
        place = tuple(int(k) for k in np.argwhere((known < 0) | (known >= E.shape[1]))[0])
        raise InputError(
            f"symbol {seen[place]} at {place} is none of the {E.shape[1]} of the matrix; a missing one is named by "
            "missing="
        )
    columns = E.T.copy()[known]
    if missing is not None:
        columns[seen == missing] = 1.0
    return columns, np.zeros(seen.shape)
