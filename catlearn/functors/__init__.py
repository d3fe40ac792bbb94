"""Functors out of diagrams, one file each; this module finds the one that runs a diagram.

`Functor` is the protocol, a table of rules; `Jax` and `Exact` run diagrams on arrays, `Symbolic` on polynomials,
`Expressions` on SymPy expressions, `Free` on terms. Each is loaded when first needed.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from catlearn.diagram import Diagram
from catlearn.errors import OperationError
from catlearn.functors.functor import Functor

if TYPE_CHECKING:
    from catlearn.functors.bits import Bits
    from catlearn.functors.exact import Exact
    from catlearn.functors.expressions import Expressions
    from catlearn.functors.free import Free
    from catlearn.functors.jax import Jax
    from catlearn.functors.symbolic import Symbolic

__all__ = ["Bits", "Exact", "Expressions", "Free", "Functor", "Jax", "Symbolic", "default_functor"]

_HOMES = {
    "Bits": "bits",
    "Jax": "jax",
    "Loops": "loops",
    "Exact": "exact",
    "Symbolic": "symbolic",
    "Expressions": "expressions",
    "Free": "free",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"catlearn.functors.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'catlearn.functors' has no attribute {name!r}")


def _on_the_host(diagram: Diagram) -> tuple[str, ...]:
    from importlib.util import find_spec

    tables = any(type(generator).__module__ == "catlearn.generators.tables" for generator, _, _ in diagram.nodes)
    if not tables or find_spec("numba") is None:
        return ()
    import jax

    return ("Bits",) if jax.default_backend() == "cpu" else ()


@cache
def _backend(name: str) -> Any:
    return __getattr__(name)()


def default_functor(diagram: Diagram) -> Any:
    """The first functor into arrays that covers every generator of the diagram: JAX, then the exact one.

    A diagram of tables of bits goes to `Bits` before these, where numba is there and JAX has no other device than the
    host: there its kernels are some ten times as fast. Raises `OperationError` naming the first generator that none
    covers.
    """
    for name in (*_on_the_host(diagram), "Jax", "Exact"):
        if _backend(name).covers(diagram):
            return _backend(name)
    missing = _backend("Jax").uncovered(diagram)
    raise OperationError(
        f"no functor runs {missing.name} ({type(missing).__name__}): give the class an evaluate() method, "
        "or register a rule with a functor and pass it as backend"
    )
