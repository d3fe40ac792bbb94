"""Layers for sequences of vectors: embedding, attention, the transformer block.

    attention(x) = sum over heads of softmax(Q K^T / sqrt(size)) V O,    Q = x q + q', K = x k + k', V = x v + v'

A sequence has shape (length, width), without a batch axis.

Source: Vaswani et al., Attention is all you need (1706.03762); the block normalises before each part (2002.04745).
"""

from __future__ import annotations

import math

from catlearn import functions
from catlearn.diagram import Diagram
from catlearn.errors import OperationError
from catlearn.layers.affine import dense
from catlearn.layers.normalisation import dropout as _dropout
from catlearn.layers.normalisation import layer_normalisation
from catlearn.layers.structure import each, residual
from catlearn.para import Para, parametrised
from catlearn.parameters import Filled, GlorotUniform, Normal, Parameter
from catlearn.semirings import REAL, Discrete
from catlearn.space import Space
from catlearn.tracing import Wire

__all__ = ["attention", "embedding", "positions", "transformer_block"]


def embedding(entries: int, width: int, length: int) -> Para[Diagram]:
    """A vector of `width` numbers for each of `length` labels in `Discrete(entries)`, the rows of a learnt table."""
    table = Parameter("table", Space((entries, width), REAL), Normal(0.02))
    return parametrised("embedding", {"table": table}, Space(length, Discrete(entries)), functions.lookup)


def positions(length: int, width: int) -> Para[Diagram]:
    """A learnt vector added at each position of a sequence."""
    space = Space((length, width), REAL)
    return parametrised("positions", {"table": Parameter("table", space, Normal(0.02))}, space, lambda p, x: x + p)


def attention(length: int, width: int, heads: int, *, causal: bool = False) -> Para[Diagram]:
    """Multi-head self-attention on sequences of that length and width; with `causal`, no position sees a later one.

    Raises `OperationError` where the heads do not divide the width.

    >>> attention(16, 32, 4, causal=True).cod
    (Space((16, 32), REAL),)
    """
    if heads < 1 or width < 1 or length < 1 or width % heads:
        raise OperationError(
            f"attention needs a length, a width and heads that divide it, all positive; "
            f"got a length of {length}, a width of {width} and {heads} heads"
        )
    size = width // heads
    start, zero = GlorotUniform(), Filled(0.0)
    parameters = {}
    for name in ("query", "key", "value"):
        parameters[f"{name}_weight"] = Parameter(f"{name}_weight", Space((width, width), REAL), start)
        parameters[f"{name}_bias"] = Parameter(f"{name}_bias", Space(width, REAL), zero)
    parameters["output_weight"] = Parameter("output_weight", Space((width, width), REAL), start)
    parameters["output_bias"] = Parameter("output_bias", Space(width, REAL), zero)

    def attended(*wires: Wire) -> Wire:
        *weights, o, o_bias, x = wires

        def projected(w: Wire, b: Wire) -> Wire:
            return functions.reshape(x @ w + functions.broadcast(b, x.shape), (length, heads, size))

        q, k, v = (projected(weights[j], weights[j + 1]) for j in (0, 2, 4))
        scores = functions.einsum("qhs,khs->hqk", q * (1.0 / math.sqrt(size)), k)
        if causal:
            scores = scores + functions.broadcast(_causal(length), scores.shape)
        mixed = functions.einsum("hqk,khs->qhs", functions.softmax(scores), v)
        return functions.reshape(mixed, (length, width)) @ o + functions.broadcast(o_bias, x.shape)

    return parametrised("attention", parameters, Space((length, width), REAL), attended)


def _causal(length: int) -> Wire:
    """0 where a position may look, a number so low that softmax makes it 0 where the other position is later."""
    square = Space((length, length), REAL)
    place = functions.constant(Space(length, Discrete(length)), tuple(range(length)))
    query, key = (functions.einsum(f"{letter}->qk", place, sizes={"q": length, "k": length}) for letter in "qk")
    low, zero = (functions.constant(square, number) for number in (-1e30, 0.0))
    return functions.select(functions.less(query, key), low, zero)


def transformer_block(
    length: int,
    width: int,
    heads: int,
    *,
    hidden: int | None = None,
    activation: str = "gelu",
    causal: bool = False,
    dropout: float = 0.0,
) -> Para[Diagram]:
    """x + attention(norm x), then x + dense(activation(dense(norm x))), one layer; dropout before each sum."""
    hidden = 4 * width if hidden is None else hidden
    shape = (length, width)

    def kept(layer: Para[Diagram]) -> Para[Diagram]:
        return residual(layer >> _dropout(shape, dropout) if dropout else layer)

    mixing = layer_normalisation(shape) >> attention(length, width, heads, causal=causal)
    inner = dense(width, hidden, activation) >> dense(hidden, width)
    block = kept(mixing) >> kept(layer_normalisation(shape) >> each(inner, length))
    return block.named("transformer_block")
