"""What does not know R: formal derivatives, `jax.vjp`, finite differences; and the elements of finite carriers.

The axioms do not tie R[g] to g (RD.blindspot), so a rule is also compared with one of these.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from catlearn.diagram import Diagram
from catlearn.functors.symbolic import Polynomial, base_of, polynomials
from catlearn.reverse import plain
from catlearn.semirings import REAL, Carrier
from catlearn.space import changes

__all__ = ["by_differences", "by_jax", "finite_values", "formal_derivative"]


def finite_values(carrier: Carrier) -> list[int] | None:
    """All values of a finite carrier, or None for one that is not."""
    if carrier.kind == "real" or bool(np.all(carrier.contains(np.array([2**15 + 1])))):
        return None
    there = carrier.contains(np.arange(2**15 + 1))
    return [int(v) for v in np.flatnonzero(np.broadcast_to(there, (2**15 + 1,)))]


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
    """The vector-Jacobian product of what f computes, by `jax.vjp` alone."""
    opaque = _opaque(f)
    return opaque.reversed or opaque.diagram


def by_differences(f: Diagram, step: float = 1e-5) -> Diagram:
    """The vector-Jacobian product of what f computes, by central differences in every entry of the inputs."""
    from catlearn.generators.opaque import JaxFunction

    opaque, n = _opaque(f), len(f.dom)

    def product(*arguments: Any) -> tuple[Any, ...]:
        import jax.numpy as jnp

        values, cotangents = arguments[:n], arguments[n:]
        results = []
        for k, space in enumerate(f.dom):
            back = np.zeros(space.changes.shape)
            if space.carrier == REAL:
                for place in np.ndindex(*space.shape):
                    ends = []
                    for sign in (1.0, -1.0):
                        moved = np.array(values[k])
                        moved[place] += sign * step
                        ends.append(tuple_of(opaque.function(*values[:k], jnp.asarray(moved), *values[k + 1 :])))
                    slopes = [(a - b) / (2 * step) for a, b in zip(*ends, strict=True)]
                    back[place] = sum(float(jnp.sum(s * d)) for s, d in zip(slopes, cotangents, strict=True))
            results.append(jnp.asarray(back))
        return tuple(results)

    return JaxFunction(product, f.dom + changes(f.cod), changes(f.dom), "differences").diagram


def _opaque(f: Diagram) -> Any:
    from catlearn.functors.jax import Jax
    from catlearn.generators.opaque import JaxFunction

    run, ready = Jax("float64"), plain(f)
    return JaxFunction(lambda *xs: run.interpret(ready, xs), f.dom, f.cod, "f")


def tuple_of(values: Any) -> tuple[Any, ...]:
    """One value as a tuple of one."""
    return values if isinstance(values, tuple) else (values,)
