"""Look-up tables as polynomial circuits over a ring (RDA.lut): basis, copy, multiply, add.

    f(theta, x)_w = sum_i theta[w, i] [x = i],      [x = i] = prod_k (x_k if bit k of i else 1 - x_k)

It is a composite of generators, with no rule of its own. Over Z2, one pass of reverse derivative ascent over all
inputs, in any order and from any start, learns every table exactly.

Source: Wilson and Zanasi, Reverse derivative ascent (2101.10488).
"""

from __future__ import annotations

import numpy as np

from catlearn import functions
from catlearn.diagram import Diagram
from catlearn.errors import OperationError
from catlearn.para import Para, parametrised
from catlearn.parameters import Initialiser, Parameter
from catlearn.semirings import Z2, Carrier
from catlearn.space import Space
from catlearn.tracing import Wire, trace

__all__ = ["basis", "lookup_table"]


def basis(inputs: int, carrier: Carrier = Z2) -> Diagram:
    """The map x -> ([x = i])_i from `inputs` bits to the 2**inputs indicators; bit k of i is the k-th entry of x."""
    if isinstance(inputs, bool) or not isinstance(inputs, int) or not 0 <= inputs <= 20:
        raise OperationError(f"a basis needs 0 to 20 inputs; got {inputs!r}")
    carrier.require("subtract")
    addresses = np.arange(2**inputs)

    def indicators(x: Wire) -> Wire:
        result = functions.constant(Space(2**inputs, carrier), 1)
        if not inputs:
            return result
        literals = functions.concatenate([1 - x, x])
        for k in range(inputs):
            factor = functions.gather(literals, k + inputs * ((addresses >> k) & 1), axis=0)
            result = factor if k == 0 else result * factor
        return result

    return trace(Space(inputs, carrier), indicators)


def lookup_table(
    inputs: int, outputs: int, *, carrier: Carrier = Z2, initialise: Initialiser | None = None
) -> Para[Diagram]:
    """`outputs` tables of 2**inputs entries each, reading the same `inputs` entries; all entries start at zero.

    >>> lookup_table(4, 3).parameters[0].space
    Space((3, 16), Z2)
    """
    indicators = basis(inputs, carrier)
    table = Parameter("table", Space((outputs, 2**inputs), carrier), initialise)
    return parametrised(
        "lookup_table",
        {"table": table},
        Space(inputs, carrier),
        lambda theta, x: functions.einsum("wi,i->w", theta, indicators(x)),
    )
