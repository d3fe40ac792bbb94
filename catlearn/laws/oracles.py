"""What does not know R: formal derivatives, `jax.vjp`, finite differences; and the elements of finite carriers.

The axioms do not tie R[g] to g (RD.blindspot), so a rule is also compared with one of these.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from catlearn.diagram import Diagram
from catlearn.functors.symbolic import Polynomial, Symbolic, base_of, polynomials
from catlearn.semirings import REAL, Carrier
from catlearn.space import changes
from catlearn.substitution import plain

__all__ = [
    "by_differences",
    "by_jax",
    "denotes",
    "element",
    "finite_values",
    "formal_derivative",
    "stepwise",
    "tuple_of",
]


def finite_values(carrier: Carrier) -> list[int] | None:
    """All values of a finite carrier, or None for one that is not."""
    if carrier.kind == "real" or bool(np.all(carrier.contains(np.array([2**15 + 1])))):
        return None
    there = carrier.contains(np.arange(2**15 + 1))
    return [int(v) for v in np.flatnonzero(np.broadcast_to(there, (2**15 + 1,)))]


def element(carrier: Carrier, k: int) -> Any:
    """The k-th of a few elements of a carrier, for any k."""
    choices = (0.0, 1.0, 2.0, 3.5) if carrier.kind == "real" else (0, 1, 2, 3)
    there = [v for v in choices if bool(np.all(carrier.contains(np.array(v))))]
    return there[k % len(there)]


def denotes(f: Diagram) -> bool:
    """Whether polynomials are what a diagram denotes: signs, bounds and roundings have none."""
    return Symbolic().covers(f)


def formal_derivative(f: Diagram) -> tuple[Polynomial, ...]:
    """R[f] as polynomials: sum over j of (d f_j / d x_i) y_j (INST.poly)."""
    denoted, n = polynomials(plain(f)), sum(space.size for space in f.dom)
    dom = [space for space in f.dom for _ in range(space.size)]
    cod = [space for space in f.cod for _ in range(space.size)]
    expected = []
    for i, source in enumerate(dom):
        total = Polynomial(base_of(source.carrier), {})
        for j, space in enumerate(cod):
            base = base_of(space.carrier)
            total = total + denoted[j].derivative(f"x{i}") * Polynomial(base, {((f"x{n + j}", 1),): base.one})
        expected.append(total)
    return tuple(expected)


def by_jax(f: Diagram) -> Diagram:
    """The vector-Jacobian product of what f computes, by `jax.vjp` alone; NaN at a kink (see `by_differences`)."""
    opaque, differences, n = _opaque(f), _differences(f), len(f.dom)
    back = opaque.reversed

    def product(*arguments: Any) -> tuple[Any, ...]:
        import jax.numpy as jnp

        exact = tuple_of(stepwise()(back)(*arguments)) if n else ()
        slopes = differences(*arguments)
        return tuple(
            jnp.where(jnp.isnan(s), jnp.nan, jnp.asarray(e, float)) if space.carrier == REAL else e
            for e, s, space in zip(exact, slopes, f.dom, strict=True)
        )

    return _product(product, f, "vjp")


def by_differences(f: Diagram) -> Diagram:
    """The vector-Jacobian product of what f computes, by central differences in every entry of the inputs.

    Where the slopes on the two sides differ there is a kink, and the entry is NaN (SMOOTH.kink).
    """
    return _product(_differences(f), f, "differences")


def _product(function: Any, f: Diagram, name: str) -> Diagram:
    from catlearn.generators.opaque import JaxFunction

    return JaxFunction(function, f.dom + changes(f.cod), changes(f.dom), name).diagram


def _differences(f: Diagram, step: float = 1e-5) -> Any:
    opaque, n = _opaque(f), len(f.dom)

    def product(*arguments: Any) -> tuple[Any, ...]:
        import jax.numpy as jnp

        values, cotangents = arguments[:n], arguments[n:]

        def at(k: int, place: tuple[int, ...], distance: float) -> float:
            moved = np.array(values[k])
            moved[place] += distance
            outputs = tuple_of(opaque.function(*values[:k], jnp.asarray(moved), *values[k + 1 :]))
            pairs = zip(outputs, cotangents, f.cod, strict=True)
            return sum(float(jnp.sum(y * d)) for y, d, space in pairs if space.carrier == REAL)

        results = []
        for k, space in enumerate(f.dom):
            back = np.zeros(space.changes.shape)
            for place in np.ndindex(*space.shape) if space.carrier == REAL else ():
                low, here, high = (at(k, place, distance) for distance in (-step, 0.0, step))
                left, right = (here - low) / step, (high - here) / step
                kink = abs(right - left) > 1e-2 * (1.0 + abs(left) + abs(right))
                back[place] = np.nan if kink else (high - low) / (2 * step)
            results.append(jnp.asarray(back))
        return tuple(results)

    return product


def _opaque(f: Diagram) -> Any:
    from catlearn.generators.opaque import JaxFunction

    run, ready = stepwise(), plain(f)
    return JaxFunction(lambda *xs: run.interpret(ready, xs), f.dom, f.cod, "f")


@cache
def stepwise() -> Any:
    """The functor into JAX in 64 bits that compiles nothing: loops run one step after another."""
    from catlearn.functors.arrays import Arrays
    from catlearn.functors.jax import Jax

    return type("Stepwise", (Jax,), {"map": Arrays.map, "scan": Arrays.scan})("float64")


def tuple_of(values: Any) -> tuple[Any, ...]:
    """One value as a tuple of one."""
    return values if isinstance(values, tuple) else (values,)
