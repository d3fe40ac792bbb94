"""Chains of one kernel: a step S -> S x L run n times is S -> S x L^n, and both its passes are a Scan.

>>> from catlearn.systems.finite_kernels import Finite, transition
>>> from catlearn.systems.kernels import copy, identity
>>> two = Finite(2)
>>> str(repeat(copy(two) >> (transition([[0.9, 0.1], [0.2, 0.8]]) @ identity(two)), 5))
'kernel 2 states -> 2 states x 5 x (2 states)'
"""

from __future__ import annotations

from catlearn.errors import CompositionError, InputError
from catlearn.functors.functor import listed
from catlearn.generators.scan import scan
from catlearn.lens import Sides
from catlearn.optic import Optic
from catlearn.para import Para
from catlearn.systems.kernels import Kernel, Stacked, Wires, show, sides
from catlearn.tracing import Wire, trace

__all__ = ["repeat"]


def repeat(kernel: Kernel, length: int) -> Kernel:
    """A kernel S -> S x L run `length` times, of the same matrices each time: S -> S x L^length, its leaves stacked.

    Raises `InputError` for no step at all, `CompositionError` for a kernel of another form.
    """
    if isinstance(length, bool) or not isinstance(length, int) or length < 1:
        raise InputError(f"a chain has a whole number of steps, at least 1 (is the series empty?); got {length!r}")
    if len(kernel.dom) != 1 or kernel.cod[:1] != kernel.dom:
        raise CompositionError(
            f"a step to repeat goes from S to S x L, its first output being carried on; got {show(kernel.dom)} -> "
            f"{show(kernel.cod)}"
        )
    cod = kernel.dom + tuple(Stacked(state, length) for state in kernel.cod[1:])

    def chain(para: Para[Optic], paths: bool) -> Para[Optic]:
        optic = _scanned(para, sides(kernel.dom, paths), length)
        return Para(para.parameter, sides(cod, paths), optic, para.signature)

    return Kernel(kernel.dom, cod, chain(kernel.laws, False), chain(kernel.paths, True), kernel.exact)


def _scanned(para: Para[Optic], carried: Sides, length: int) -> Optic:
    """Messages from the last step to the first, leaving residuals; laws from the first on.

    What a residual holds of the matrices is held once, and not at each step.
    """
    optic, shared = para.morphism, len(para.parameter.forward)
    held, sent = len(optic.residual), optic.forward.outputs
    fixed = [k for k in range(held) if sent[k] < shared]
    moving = [k for k in range(held) if k not in fixed]
    messages, laws = len(carried.forward), len(carried.backward)

    body = optic.forward.select([*range(held, held + messages), *moving])
    backward = scan(body, length, shared, messages, backward=True)

    def first(*wires: Wire) -> Wires:
        made = listed(backward(*wires))
        return [*(wires[sent[k]] for k in fixed), *made[messages:], *made[:messages]]

    order = [*fixed, *range(held, held + laws), *moving]
    spaces = [optic.backward.dom[k] for k in order]
    turned = trace(spaces, lambda *wires: optic.backward(*(wires[order.index(k)] for k in range(len(order)))))
    forward, kept = scan(turned, length, len(fixed), laws), len(fixed)

    def second(*wires: Wire) -> Wires:
        return listed(forward(*wires[:kept], *wires[held:], *wires[kept:held]))

    whole = trace(backward.dom, first)
    residual = whole.cod[:held]
    return Optic(residual, whole, trace((*residual, *carried.backward), second))
