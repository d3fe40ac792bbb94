"""Linear Gaussian kernels x -> N(A x + b, Q), with messages in canonical form.

    message (c, F, H)   the likelihood exp(c + F.x - x.H x / 2)
    law (w, m, P)       exp(w) times the normal law of mean m and covariance P

Everything is one integral: of a message against N(m, P), with u = F - H m and S = P (1 + H P)^-1,

    log of it = c + F.m - m.H m / 2 + u.S u / 2 - log det(1 + H P) / 2

and the law N(m, P) times the message has mean m + S u and covariance S. No covariance is inverted, so those of a noise
may be singular, or zero. Where a guide is not the kernel, the second pass multiplies the law by (K h) / (K~ h) first;
that needs 1 + (H - H~) P to be positive, else the law has no mass, and comes out NaN.

Source: van der Meulen and Sommer (2303.13865), section 4; Wilkinson and Yeung (2002), for the canonical form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from catlearn import functions
from catlearn.errors import InputError
from catlearn.functions import einsum
from catlearn.generators.contraction import transpose
from catlearn.generators.inversion import inverse, log_determinant
from catlearn.generators.opaque import from_jax
from catlearn.semirings import REAL
from catlearn.space import Object, Space
from catlearn.systems.kernels import KEY, NUMBER, Kernel, State, Wires, guided
from catlearn.tracing import Wire

__all__ = ["Gaussian", "Observed", "gaussian_prior", "linear_gaussian", "observation", "observed"]


def _dimension(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InputError(f"a dimension is a whole number of at least 0; got {value!r}")


@dataclass(frozen=True)
class Gaussian(State):
    """R^dimension. A message is (c, F, H), a law (w, m, P), a point a vector."""

    dimension: int

    def __post_init__(self) -> None:
        _dimension(self.dimension)
        d = self.dimension
        object.__setattr__(self, "start", None if d else (np.zeros(()), np.zeros(0), np.zeros((0, 0))))

    def __str__(self) -> str:
        return f"R^{self.dimension}"

    @property
    def messages(self) -> Object:
        d = self.dimension
        return NUMBER, Space(d, REAL), Space((d, d), REAL)

    @property
    def laws(self) -> Object:
        return self.messages

    @property
    def points(self) -> Object:
        return (Space(self.dimension, REAL),)

    @property
    def nothing(self) -> tuple[np.ndarray, ...]:
        d = self.dimension
        return np.zeros(()), np.zeros(d), np.zeros((d, d))

    def at_start(self, message: Wires) -> Wire:
        return message[0]


@dataclass(frozen=True)
class Observed(State):
    """What is seen of R^dimension: a message is (y, seen), values and 1 or 0 for each entry, seen or missing."""

    dimension: int

    def __post_init__(self) -> None:
        _dimension(self.dimension)

    def __str__(self) -> str:
        return f"observations in R^{self.dimension}"

    @property
    def messages(self) -> Object:
        return Space(self.dimension, REAL), Space(self.dimension, REAL)

    @property
    def nothing(self) -> tuple[np.ndarray, ...]:
        return np.zeros(self.dimension), np.zeros(self.dimension)

    def check(self, message: Sequence[np.ndarray], what: str) -> None:
        super().check(message, what)
        if not np.isin(message[1], (0.0, 1.0)).all():
            raise InputError(f"{what} says 1 or 0 of each entry, seen or missing; use observed(values)")


def _vector(value: Any, what: str) -> np.ndarray:
    array = np.asarray(value, float)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise InputError(f"{what} is a vector of finite numbers; got shape {array.shape}")
    return array


def _map(value: Any, what: str) -> np.ndarray:
    array = np.asarray(value, float)
    if array.ndim != 2 or not np.isfinite(array).all():
        raise InputError(f"{what} is a matrix of finite numbers; got shape {array.shape}")
    return array


def _covariance(value: Any, size: int, what: str, definite: bool = False) -> np.ndarray:
    array = _map(value, what)
    if array.shape != (size, size):
        raise InputError(f"{what} has shape ({size}, {size}); got {array.shape}")
    scale = np.abs(array).max(initial=0.0)
    if np.abs(array - array.T).max(initial=0.0) > 1e-9 * scale:
        raise InputError(f"{what} must be symmetric; entries differ by {np.abs(array - array.T).max():.3g}")
    least = np.linalg.eigvalsh(array).min(initial=np.inf)
    if least < -1e-12 * scale or (definite and least <= 0):
        wanted = "positive definite" if definite else "positive semi-definite"
        raise InputError(f"{what} must be {wanted}; its least eigenvalue is {least:.3g}")
    return array


def _affine(A: Any, b: Any, Q: Any, what: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    A = _map(A, f"the matrix of {what}")
    b = np.zeros(len(A)) if b is None else _vector(b, f"the offset of {what}")
    if b.shape != A.shape[:1]:
        raise InputError(f"the offset of {what} has length {A.shape[0]}, as its matrix has rows; got {b.shape[0]}")
    return A, b, _covariance(Q, len(A), f"the covariance of {what}")


def linear_gaussian(A: Any, Q: Any, b: Any = None, guide: Any = None, *, name: str = "linear_gaussian") -> Kernel:
    """The kernel x -> N(A x + b, Q), guided by another (A, Q) or (A, Q, b), or by itself; Q may be singular.

    Raises `InputError` for shapes that do not meet and for a covariance that is not symmetric and positive
    semi-definite.
    """
    matrices = dict(zip(("matrix", "offset", "covariance"), _affine(A, b, Q, name), strict=True))
    target, source = matrices["matrix"].shape
    if guide is not None:
        if not isinstance(guide, tuple) or len(guide) not in (2, 3):
            raise InputError(f"the guide of {name} is (A, Q) or (A, Q, b); got {type(guide).__name__}")
        values = _affine(guide[0], guide[2] if len(guide) == 3 else None, guide[1], f"the guide of {name}")
        if values[0].shape != (target, source):
            raise InputError(f"the guide of {name} has shape {values[0].shape}, its matrix {(target, source)}")
        matrices |= dict(zip(("guide_matrix", "guide_offset", "guide_covariance"), values, strict=True))

    def first(A: Wire, b: Wire, Q: Wire, *rest: Wire) -> tuple[Wires, Wires]:
        *other, c, F, H = rest
        matrix, offset, noise = other or (A, b, Q)
        message = _pulled(matrix, offset, noise, c, F, H)
        return (A, b, Q, F, H, *((c, *message) if other else ())), message

    def law(A: Wire, b: Wire, Q: Wire, F: Wire, H: Wire, *rest: Wire) -> Wires:
        *more, w, m, P = rest
        if more:
            w, m, P = _weighed(_over(_pulled(A, b, Q, more[0], F, H), more[1:]), (w, m, P))
        G = _transposed(_resolvent(H, Q))
        mean = G @ (A @ m + b + Q @ F)
        spread = G @ A
        return w, mean, spread @ P @ _transposed(spread) + G @ Q

    def path(A: Wire, b: Wire, Q: Wire, F: Wire, H: Wire, *rest: Wire) -> Wires:
        *more, x, weight, key = rest
        if more:
            weight = weight + _value(_over(_pulled(A, b, Q, more[0], F, H), more[1:]), x)
        G = _transposed(_resolvent(H, Q))
        drawn = from_jax(_normal, (b.space, Q.space, KEY), (b.space, KEY), "normal")
        y, after = drawn(G @ (A @ x + b + Q @ F), G @ Q, key)
        return y, weight, after

    return guided(name, matrices, (Gaussian(source),), (Gaussian(target),), first, law, path, guide is None)


def gaussian_prior(mean: Any, covariance: Any, *, name: str = "prior") -> Kernel:
    """The normal law of a first variable, a kernel out of R^0; raises as `linear_gaussian`."""
    m = _vector(mean, f"the mean of {name}")
    return linear_gaussian(np.zeros((len(m), 0)), covariance, m, name=name)


def observation(C: Any, R: Any, d: Any = None, *, name: str = "observation") -> Kernel:
    """What is seen of x with noise, y = N(C x + d, R): a kernel to `Observed`, whose evidence are the values.

    Raises `InputError` for shapes that do not meet and for a covariance that is not positive definite.
    """
    C, d, R = _affine(C, d, R, name)
    _covariance(R, len(R), f"the covariance of {name}", definite=True)
    n, size = C.shape

    def first(C: Wire, d: Wire, R: Wire, y: Wire, seen: Wire) -> tuple[Wires, Wires]:
        both = einsum("i,j->ij", seen, seen)
        unit = functions.constant(R.space, np.eye(n))
        missing = einsum("i,ij->ij", 1.0 - seen, unit)
        weight = inverse(R * both + missing)  # of what is seen; a missing entry has variance 1 and is 0
        residual = seen * (y - d)
        rows = einsum("i,ij->ij", seen, C)
        lost = _square(weight, residual) + log_determinant(R * both + missing)
        c = -0.5 * (lost + float(np.log(2 * np.pi)) * functions.sum(seen))
        return (), (c, (weight @ residual) @ rows, _transposed(rows) @ weight @ rows)

    matrices = {"matrix": C, "offset": d, "covariance": R}
    last = len(Gaussian(size).paths) - 2
    return guided(
        name, matrices, (Gaussian(size),), (Observed(n),), first, lambda *law: (), lambda *path: path[last:], True
    )


def observed(values: Any, *, missing: str = "refused") -> tuple[np.ndarray, np.ndarray]:
    """The evidence of observed values (.., dimension); with missing="nan", NaN stands for a missing entry.

    Raises `InputError` for an empty series, and for NaN where it was not said to mean that.
    """
    array = np.asarray(values, float)
    if missing not in ("refused", "nan"):
        raise InputError(f"missing is 'refused' or 'nan'; got {missing!r}")
    if not array.ndim or not array.size:
        raise InputError(f"observations have a last axis, their dimension, and are not empty; got shape {array.shape}")
    gone = np.isnan(array) if missing == "nan" else np.zeros(array.shape, bool)
    wrong = np.argwhere(~gone & ~np.isfinite(array))
    if wrong.size:
        place = tuple(int(k) for k in wrong[0])
        raise InputError(f"the observation at {place} is {array[place]}; if NaN means missing, say missing='nan'")
    return np.where(gone, 0.0, array), (~gone).astype(float)


def _transposed(x: Wire) -> Wire:
    return transpose(x, (1, 0))


def _resolvent(H: Wire, P: Wire) -> Wire:
    """(1 + H P)^-1."""
    return inverse(_plus_one(H @ P))


def _plus_one(x: Wire) -> Wire:
    return x + functions.constant(x.space, np.eye(x.shape[0]))


def _square(H: Wire, x: Wire) -> Wire:
    """x.H x"""
    return einsum("i,ij,j->", x, H, x)


def _pulled(A: Wire, b: Wire, Q: Wire, c: Wire, F: Wire, H: Wire) -> Wires:
    """The message K h of x -> N(A x + b, Q), as a function of x."""
    L = _resolvent(H, Q)
    f, h = L @ F, L @ H
    scale = c + 0.5 * (F @ (Q @ f)) - 0.5 * log_determinant(_plus_one(H @ Q))
    back = _transposed(A) @ h @ A
    return scale + f @ b - 0.5 * _square(h, b), (f - h @ b) @ A, 0.5 * (back + _transposed(back))


def _over(one: Wires, two: Sequence[Wire]) -> Wires:
    """The quotient of two messages."""
    return [x - y for x, y in zip(one, two, strict=True)]


def _value(message: Wires, x: Wire) -> Wire:
    c, F, H = message
    return c + F @ x - 0.5 * _square(H, x)


def _weighed(message: Wires, law: Wires) -> Wires:
    """A law times a message."""
    (_, F, H), (w, m, P) = message, law
    S = P @ _resolvent(H, P)
    u = F - H @ m
    mass = _value(message, m) + 0.5 * _square(S, u) - 0.5 * log_determinant(_plus_one(H @ P))
    return w + mass, m + S @ u, S


def _normal(mean: Any, covariance: Any, key: Any) -> tuple[Any, Any]:
    """A draw from the normal law of a covariance that may be singular."""
    import jax
    import jax.numpy as jnp

    mine, after = jax.random.split(key, 2)
    values, vectors = jnp.linalg.eigh(0.5 * (covariance + covariance.T))
    noise = jax.random.normal(mine, mean.shape, mean.dtype)
    return mean + vectors @ (jnp.sqrt(jnp.maximum(values, 0.0)) * noise), after
