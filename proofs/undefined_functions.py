"""Bounded in arity: RD.5 to RD.7 and RD.D for undefined smooth functions, of which only derivatives are used.

A generator stands for a function f(x1, .., xn) of which nothing is known; its reverse is J_f^T d, the partial
derivatives again being undefined functions. The library's R and D of composites are compared with SymPy's own
derivatives of the composite expressions. Bounded in the number of arguments.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import sympy

from catlearn.diagram import Diagram, Generator, copy, identity
from catlearn.functors.expressions import equal, expressions, symbols
from catlearn.laws.catalogue import by_identifier
from catlearn.proving import shown
from catlearn.reverse import forward_derivative, reverse_derivative
from catlearn.semirings import REAL
from catlearn.space import Object, Space
from catlearn.tracing import Wire, apply_generator, trace

THEOREM = "For all smooth f and g, R[f ; g] is the transposed Jacobian of the composite, and D from R the Jacobian."
METHOD = "undefined functions in SymPy, run through the library's own R, D and composition"
SCOPE = "smooth maps of up to two arguments, up to three in a chain; all points; bounded in arity and length"
LAWS = ("RD.5", "RD.6", "RD.7", "RD.D", "CD.5", "CD.6", "CD.7", "INST.smooth", "DAG.context")
X = Space((), REAL)


@cache
def unknown(label: str, orders: tuple[int, ...]) -> Any:
    """The SymPy function of that name; its derivative by the k-th argument is the one of one order more there."""

    def fdiff(self: Any, argindex: int = 1) -> Any:
        more = tuple(n + (k == argindex - 1) for k, n in enumerate(orders))
        return unknown(label, more)(*self.args)

    return type(f"{label}_{''.join(map(str, orders))}", (sympy.Function,), {"fdiff": fdiff})


@dataclass(frozen=True)
class Undefined(Generator):
    """A partial derivative of an undefined function: `orders[k]` times by its k-th argument."""

    label: str
    orders: tuple[int, ...]

    @property
    def dom(self) -> Object:
        return (X,) * len(self.orders)

    @property
    def cod(self) -> Object:
        return (X,)

    def reverse(self) -> Diagram | None:
        def rule(*wires: Wire) -> list[Wire]:
            *x, d = wires
            partials = []
            for k in range(len(x)):
                orders = tuple(n + (j == k) for j, n in enumerate(self.orders))
                partials.append(apply_generator(Undefined(self.label, orders), *x) * d)
            return partials

        return trace((*self.dom, X), rule)

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        result = np.empty((), object)
        result[()] = unknown(self.label, self.orders)(*(np.asarray(x, object).item() for x in inputs))
        return result


def undefined(label: str, arity: int) -> Diagram:
    """A function of which nothing is known."""
    return Undefined(label, (0,) * arity).diagram


def _composites() -> dict[str, Diagram]:
    f, g, h = undefined("f", 1), undefined("g", 1), undefined("h", 2)
    x = (X,)
    return {
        "f": f,
        "h(x, y)": h,
        "f ; g": f >> g,
        "h ; f": h >> f,
        "copy ; h": copy(x) >> h,
        "copy ; (f x 1) ; h": copy(x) >> (f @ identity(x)) >> h,
        "(f x g) ; h": (f @ g) >> h,
        "h ; f ; g": h >> f >> g,
        "<f, h(x, x)>": copy(x) >> (f @ (copy(x) >> h)),
    }


def _jacobian(name: str, f: Diagram) -> str:
    n, m = len(f.dom), len(f.cod)
    x = symbols(f.dom)
    points = [array.item() for array in x]
    values = expressions(f, x)
    cotangents, directions = symbols((X,) * m, "d"), symbols((X,) * n, "v")
    back = expressions(reverse_derivative(f), (*x, *cotangents))
    for k in range(n):
        wanted = sum(sympy.diff(y, points[k]) * d.item() for y, d in zip(values, cotangents, strict=True))
        shown(equal(back[k], wanted), f"R of {name} is the transposed Jacobian")
    forward = expressions(forward_derivative(f), (*x, *directions))
    for given, y in zip(forward, values, strict=True):
        wanted = sum(sympy.diff(y, q) * v.item() for q, v in zip(points, directions, strict=True))
        shown(equal(given, wanted), f"D of {name} is the Jacobian")
    return f"{name}: R is the transposed Jacobian, and D from it the Jacobian"


def _laws(name: str, f: Diagram) -> str:
    known = {"f": f, "R": reverse_derivative, "D": forward_derivative}
    chosen = ("RD.6", "RD.7", "CD.6", "DAG.context")
    for identifier in chosen:
        law = by_identifier(identifier)
        for left, right in law.sides(**{key: known[key] for key in law.names}):
            same = zip(expressions(left), expressions(right), strict=True)
            shown(all(equal(a, b) for a, b in same), f"{identifier} of {name}")
    return f"{name}: {', '.join(chosen)}"


def prove() -> list[str]:
    """Two lines a composite."""
    return [line for name, f in _composites().items() for line in (_jacobian(name, f), _laws(name, f))]
