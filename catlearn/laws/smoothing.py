"""Laws of smoothing: the two passes, their composition, marginals, weights, products and copies.

Each is checked on random kernels against NumPy: enumeration of all states, or the joint normal law of all variables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from itertools import product
from typing import Any

import numpy as np

from catlearn.diagram import Diagram
from catlearn.functors.arrays import Arrays
from catlearn.laws.law import Law, Pair
from catlearn.laws.oracles import tuple_of
from catlearn.semirings import KEYS, Carrier
from catlearn.space import Space
from catlearn.systems.chains import repeat
from catlearn.systems.finite_kernels import Finite, prior, transition
from catlearn.systems.gaussian_kernels import Gaussian, gaussian_prior, linear_gaussian, observation
from catlearn.systems.kernels import Kernel, copy, grouped, identity

__all__ = ["SMOOTHING"]

BFFG = "van der Meulen and Sommer, Backward filtering forward guiding (2303.13865)"
Message = tuple[np.ndarray, ...]


def _stochastic(generator: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    return generator.dirichlet(np.ones(columns), rows)


def _message(generator: np.random.Generator, size: int) -> Message:
    return generator.random(size) + 0.1, generator.normal(size=())


def _definite(generator: np.random.Generator, size: int) -> np.ndarray:
    root = generator.normal(size=(size, size))
    return root @ root.T + 0.1 * np.eye(size)


class _Dense(Arrays):
    """Real diagrams on NumPy arrays of 64 bits: nothing to compile for each of many small kernels."""

    namespace = np

    def dtype(self, carrier: Carrier) -> Any:
        return np.dtype(float)

    def load(self, path: str) -> Any:
        module, _, name = path.partition(":")
        return getattr(np, name) if module == "jax.numpy" else super().load(path)

    def accept(self, space: Space, value: Any, what: str) -> Any:
        return value if space.carrier == KEYS else super().accept(space, value, what)

    def cast(self, value: Any, carrier: Carrier) -> Any:
        return value if carrier == KEYS else np.asarray(value, float)


def _run(diagram: Diagram, *arguments: Any) -> list[np.ndarray]:
    from catlearn.functors.jax import Jax

    with Jax("float64").scope():  # a draw is JAX's
        return [np.asarray(value) for value in tuple_of(_Dense("dense")(diagram)(*arguments))]


def _back(kernel: Kernel, *messages: Message) -> list[np.ndarray]:
    """What the first pass makes of messages at the leaves."""
    get = kernel.laws.morphism.lens().get
    return _run(get, *kernel.initial(), *(part for message in messages for part in message))


def _forth(kernel: Kernel, messages: list[Message], laws: list[np.ndarray]) -> list[np.ndarray]:
    """What the second pass makes of laws, after messages at the leaves."""
    put = kernel.laws.morphism.lens().put
    return _run(put, *kernel.initial(), *(part for m in messages for part in m), *laws)


def _whole(message: Any) -> np.ndarray:
    """A message without its scale."""
    return np.exp(message[1]) * np.asarray(message[0])


def _near(left: Any, right: Any) -> Pair:
    """Two arrays that must agree but for rounding."""
    ours, theirs = np.asarray(left, float), np.asarray(right, float)
    close = ours.shape == theirs.shape and np.allclose(ours, theirs, rtol=1e-8, atol=1e-10)
    return Pair(ours.tolist(), ours.tolist() if close else theirs.tolist())


def _seeds(statement: Callable[[np.random.Generator, int], Iterator[Pair]]) -> list[Pair]:
    """The pairs of a statement about random kernels, of sizes from 1 on."""
    return [pair for size in (1, 2, 3) for pair in statement(np.random.default_rng(size), size)]


def _log_normal(x: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> float:
    z = x - mean
    return float(-0.5 * (z @ np.linalg.solve(covariance, z) + np.linalg.slogdet(2 * np.pi * covariance)[1]))


def _value(message: Any, x: np.ndarray) -> float:
    """The logarithm of a canonical form at a point."""
    c, F, H = message
    return float(c + F @ x - 0.5 * x @ H @ x)


def _canonical(generator: np.random.Generator, size: int) -> Message:
    return generator.normal(size=()), generator.normal(size=size), _definite(generator, size)


def _pulled(A: np.ndarray, b: np.ndarray, Q: np.ndarray, message: Message, x: np.ndarray) -> float:
    """The logarithm of (K h)(x): h is a normal density up to a factor, so this is one with more noise."""
    c, F, H = message
    V = np.linalg.inv(H)
    return (
        c
        + _value((0.5 * F @ V @ F, 0 * F, H), 0 * F)
        + 0.5 * np.linalg.slogdet(2 * np.pi * V)[1]
        + _log_normal(V @ F, A @ x + b, Q + V)
    )


def _affine(generator: np.random.Generator, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return generator.normal(size=(rows, columns)), generator.normal(size=rows), _definite(generator, rows)


def _kernel(part: tuple[np.ndarray, ...], guide: tuple[np.ndarray, ...] | None = None) -> Kernel:
    A, b, Q = part
    return linear_gaussian(A, Q, b, None if guide is None else (guide[0], guide[2], guide[1]))


def _step(generator: np.random.Generator, n: int) -> Iterator[Pair]:
    K, G = (_stochastic(generator, n, n + 1) for _ in range(2))
    message, law = _message(generator, n + 1), generator.random(n)
    h = message[0]
    kernel = transition(K, G)
    yield _near(_whole(_back(kernel, message)), G @ _whole(message))
    yield _near(_forth(kernel, [message], [law])[0], h * ((law / (G @ h)) @ K))
    part, given, x = _affine(generator, n + 1, n), _canonical(generator, n + 1), generator.normal(size=n)
    yield _near(_value(_back(_kernel(part), given), x), _pulled(*part, given, x))
    if n == 1:
        yield from _by_quadrature(generator)


def _by_quadrature(generator: np.random.Generator) -> Iterator[Pair]:
    """mu |-> h ((mu / g) K) on the line, the guide another kernel, by sums over a grid."""
    K, G = (np.eye(1), np.array([0.3]), np.array([[0.5]])), (np.array([[0.9]]), np.zeros(1), np.array([[0.6]]))
    message, m, P = _canonical(generator, 1), 0.4, 0.3
    grid = np.linspace(-12.0, 12.0, 1201)
    density = np.array([np.exp(_log_normal(np.array([x]), np.array([m]), np.array([[P]]))) for x in grid])
    g = np.array([np.exp(_pulled(*G, message, np.array([x]))) for x in grid])
    steps = np.exp(-0.5 * (grid[None] - grid[:, None] - 0.3) ** 2 / 0.5) / np.sqrt(2 * np.pi * 0.5)
    h = np.array([np.exp(_value(message, np.array([y]))) for y in grid])
    after = h * ((density / g) @ steps) * (grid[1] - grid[0])
    mass = after.sum() * (grid[1] - grid[0])
    mean = (after @ grid) / after.sum()
    law = [np.zeros(()), np.array([m]), np.array([[P]])]
    w, found, covariance = _forth(_kernel(K, G), [message], law)
    yield _near([w, found[0], covariance[0, 0]], [np.log(mass), mean, (after @ (grid - mean) ** 2) / after.sum()])


def _seq(generator: np.random.Generator, n: int) -> Iterator[Pair]:
    (K1, G1), (K2, G2) = ([_stochastic(generator, n + k, n + 1 + k) for _ in range(2)] for k in range(2))
    message, law = _message(generator, n + 2), generator.random(n)
    two, one = transition(K1, G1) >> transition(K2, G2), transition(K1 @ K2, G1 @ G2)
    yield _near(_whole(_back(two, message)), _whole(_back(one, message)))
    yield _near(_forth(two, [message], [law])[0], _forth(one, [message], [law])[0])
    parts = [_affine(generator, n + 1 + k, n + k) for k in range(2)]
    guides = [(A + 0.01, b + 0.1, 1.1 * Q) for A, b, Q in parts]
    given = _canonical(generator, n + 2)
    steps, whole = (_kernel(parts[0], guides[0]) >> _kernel(parts[1], guides[1])), _kernel(*map(_then, (parts, guides)))
    normal = [np.zeros(()), generator.normal(size=n), 0.01 * np.eye(n)]
    for left, right in zip(
        _back(steps, given) + _forth(steps, [given], normal),
        _back(whole, given) + _forth(whole, [given], normal),
        strict=True,
    ):
        yield _near(left, right)
    S = Finite(n)
    square = _stochastic(generator, n, n)
    step = copy(S) >> (transition(square) @ identity(S))
    messages = [_message(generator, n) for _ in range(4)]
    stacked = [messages[0], tuple(np.stack(part) for part in zip(*messages[1:], strict=True))]
    unrolled = reduce(lambda kernel, k: kernel >> (step @ identity(*[S] * k)), (1, 2), step)
    leaves = [messages[0], *messages[:0:-1]]  # the last step's leaf comes first
    chain = repeat(step, 3)
    yield _near(_whole(_back(chain, *stacked)), _whole(_back(unrolled, *leaves)))
    last, laws = _forth(chain, stacked, [law])
    unwound = _forth(unrolled, leaves, [law])
    yield _near([last, *laws], [unwound[0], *unwound[:0:-1]])


def _then(parts: Any) -> tuple[np.ndarray, ...]:
    (A1, b1, Q1), (A2, b2, Q2) = parts
    return A2 @ A1, A2 @ b1 + b2, A2 @ Q1 @ A2.T + Q2


def _smoothing(generator: np.random.Generator, n: int) -> Iterator[Pair]:
    p, K, S = generator.dirichlet(np.ones(n)), _stochastic(generator, n, n), Finite(n)
    seen = generator.random((3, n)) + 0.1
    model = prior(p) >> repeat(copy(S) >> (transition(K) @ identity(S)), 3)
    weights = {
        s: p[s[0]] * K[s[0], s[1]] * K[s[1], s[2]] * seen[0, s[0]] * seen[1, s[1]] * seen[2, s[2]]
        for s in product(range(n), repeat=3)
    }
    total = sum(weights.values())
    marginals = [[sum(w for s, w in weights.items() if s[t] == i) / total for i in range(n)] for t in range(3)]
    messages = [S.nothing, (seen, np.zeros(3))]
    yield _near(_whole(_back(model, *messages)), [total])
    yield _near(_forth(model, messages, [np.ones(1)])[1], marginals)
    yield from _joint(generator, n)


def _joint(generator: np.random.Generator, n: int) -> Iterator[Pair]:
    """x ~ N(m, P), y = A x + b and noise, z = C y + d and noise: the law of y given z, and the density of z."""
    m, P = generator.normal(size=n), _definite(generator, n)
    (A, b, Q), (C, d, R) = _affine(generator, n, n), _affine(generator, 2, n)
    model = gaussian_prior(m, P) >> linear_gaussian(A, Q, b) >> copy_of(n) >> (identity_of(n) @ observation(C, R, d))
    z = generator.normal(size=2)
    leaves = [tuple(np.asarray(part) for part in model.cod[0].nothing), (z, np.ones(2))]
    mean, spread = A @ m + b, A @ P @ A.T + Q
    noisy = C @ spread @ C.T + R
    gain = np.linalg.solve(noisy, C @ spread).T
    yield _near(_back(model, *leaves)[0], _log_normal(z, C @ mean + d, noisy))
    w, found, covariance = _forth(model, leaves, list(model.dom[0].start or ()))
    yield _near(w, 0.0)
    yield _near(found, mean + gain @ (z - C @ mean - d))
    yield _near(covariance, spread - gain @ C @ spread)


def copy_of(n: int) -> Kernel:
    """The copy of R^n."""
    return copy(Gaussian(n))


def identity_of(n: int) -> Kernel:
    """The identity of R^n."""
    return identity(Gaussian(n))


def _weight(generator: np.random.Generator, n: int) -> Iterator[Pair]:
    import jax

    key = jax.random.key(n)
    K, G, message = _stochastic(generator, n, n + 1), _stochastic(generator, n, n + 1), _message(generator, n + 1)
    for kernel, guide in ((transition(K, G), G), (transition(K), K)):
        for i, point in enumerate(np.eye(n)):
            mass = (K @ message[0])[i] / (guide @ message[0])[i]
            yield _near(_drawn(kernel, message, [point], key)[1], np.log(mass))
    part, x, given = _affine(generator, n + 1, n), generator.normal(size=n), _canonical(generator, n + 1)
    other = (part[0] + 0.1, part[1] - 0.2, 2.0 * part[2])
    mass = _pulled(*part, given, x) - _pulled(*other, given, x)
    yield _near(_drawn(_kernel(part, other), given, [x], key)[1], mass)
    yield _near(_drawn(_kernel(part), given, [x], key)[1], 0.0)


def _drawn(kernel: Kernel, message: Message, point: list[np.ndarray], key: Any) -> list[Any]:
    put = kernel.paths.morphism.lens().put
    return _run(put.select(range(2)), *kernel.initial(), *message, *point, np.zeros(()), key)


def _par(generator: np.random.Generator, n: int) -> Iterator[Pair]:
    parts = [(_stochastic(generator, n, n + 1), _stochastic(generator, n, n + 1)) for _ in range(2)]
    (K1, G1), (K2, G2) = parts
    messages, laws = [_message(generator, n + 1) for _ in parts], [generator.random(n) for _ in parts]
    both = transition(K1, G1) @ transition(K2, G2)
    one = transition(np.kron(K1, K2), np.kron(G1, G2))
    joint = (np.kron(messages[0][0], messages[1][0]), messages[0][1] + messages[1][1])
    back = grouped(both.dom, _back(both, *messages))
    yield _near(np.kron(_whole(back[0]), _whole(back[1])), _whole(_back(one, joint)))
    yield _near(np.kron(*_forth(both, messages, laws)), _forth(one, [joint], [np.kron(*laws)])[0])
    if n > 1:  # a message that is no product stays none: lax
        pulled = (np.kron(G1, G2) @ np.eye(n + 1).ravel()).reshape(n, n)
        yield Pair(int(np.linalg.matrix_rank(pulled)), 1, equal=False)


def _copy(generator: np.random.Generator, n: int) -> Iterator[Pair]:
    one, two, law = _message(generator, n), _message(generator, n), generator.random(n)
    yield _near(_whole(_back(copy(Finite(n)), one, two)), _whole(one) * _whole(two))
    yield _near(_forth(copy(Finite(n)), [one, two], [law]), [law, law])
    left, right, x = _canonical(generator, n), _canonical(generator, n), generator.normal(size=n)
    yield _near(_value(_back(copy_of(n), left, right), x), _value(left, x) + _value(right, x))


def _law(name: str, text: str, statement: Callable[[np.random.Generator, int], Iterator[Pair]]) -> Law:
    return Law(f"BFFG.{name}", text, BFFG, "", lambda: _seeds(statement), ("shipped", "real"))


SMOOTHING: tuple[Law, ...] = (
    _law("step", "h |-> g = K~ h, then mu |-> h ((mu / g) K)", _step),
    _law("seq", "(K1, K~1) ; (K2, K~2) is (K1 K2, K~1 K~2), and a chain is its steps", _seq),
    _law("smoothing", "K~ = K: the second pass gives the marginals given all evidence", _smoothing),
    _law("weight", "a guided path's weight is (K h) / (K~ h), 1 where K~ = K", _weight),
    _law("par", "side by side, messages that are products stay so; others do not become so", _par),
    _law("copy", "S -> S x S: (h1, h2) |-> h1 h2, and the law twice", _copy),
)
"""The laws of smoothing."""
