"""Normalisation, dropout and noise: layers that keep signals at a size, and those that need the batch or chance.

    layer_normalisation(s, b, x) = s (x - mean x) / sqrt(var x + epsilon) + b      mean and var over the last axis
    batch_normalisation          the same over the batch and all axes but the last (`generators.normalisation`)
    dropout                      x mask / (1 - rate)                               (`generators.dropout`)

Sources: Ba et al., Layer normalization (1607.06450); Ioffe and Szegedy (1502.03167); Srivastava et al. (2014).
"""

from __future__ import annotations

from collections.abc import Sequence

from catlearn import functions
from catlearn.diagram import Diagram
from catlearn.errors import OperationError
from catlearn.generators.dropout import dropout as _dropout
from catlearn.generators.normalisation import batch_normalise
from catlearn.generators.shift import shift
from catlearn.para import Para, parametrised
from catlearn.parameters import Filled, Parameter
from catlearn.semirings import KEYS, REAL
from catlearn.space import Space
from catlearn.tracing import Wire

__all__ = ["batch_normalisation", "dropout", "layer_normalisation", "noise", "random_shift"]


def _channels(shape: Sequence[int]) -> tuple[Space, Space]:
    space = Space(shape, REAL)
    if not space.shape or not space.shape[-1]:
        raise OperationError(f"normalisation needs a last axis of positive length, the channels; got {space}")
    return space, Space(space.shape[-1], REAL)


def _scale_and_shift(channels: Space) -> dict[str, Parameter]:
    return {"scale": Parameter("scale", channels, Filled(1.0)), "shift": Parameter("shift", channels, Filled(0.0))}


def layer_normalisation(shape: Sequence[int], epsilon: float = 1e-5) -> Para[Diagram]:
    """Mean 0 and variance 1 along the last axis, then a learnt scale and shift for each of its entries."""
    space, channels = _channels(shape)
    last = len(space.shape) - 1
    letters = "".join(chr(97 + k) for k in range(len(space.shape)))

    def along(x: Wire) -> Wire:
        return functions.einsum(f"{letters[:-1]}->{letters}", x, sizes={letters[-1]: channels.size})

    def normalised(scale: Wire, shift: Wire, x: Wire) -> Wire:
        centred = x - along(functions.mean(x, last))
        over = 1.0 / functions.sqrt(functions.mean(centred * centred, last) + epsilon)
        return centred * along(over) * functions.broadcast(scale, x.shape) + functions.broadcast(shift, x.shape)

    return parametrised("layer_normalisation", _scale_and_shift(channels), space, normalised)


def batch_normalisation(shape: Sequence[int], rate: float = 0.1, epsilon: float = 1e-5) -> Para[Diagram]:
    """Mean 0 and variance 1 of each channel (last axis) over the batch and the other axes; then a scale and a shift.

    Running statistics move by `rate` towards those of each batch while training; `model.evaluation()` uses them.
    """
    space, channels = _channels(shape)
    statistics = {
        "mean": Parameter("mean", channels, Filled(0.0), "statistic"),
        "variance": Parameter("variance", channels, Filled(1.0), "statistic"),
    }

    def normalised(scale: Wire, shift: Wire, mean: Wire, variance: Wire, x: Wire) -> Wire:
        y = batch_normalise(mean, variance, x, rate, epsilon)
        return y * functions.broadcast(scale, x.shape) + functions.broadcast(shift, x.shape)

    return parametrised("batch_normalisation", _scale_and_shift(channels) | statistics, space, normalised)


def noise(shape: Sequence[int]) -> Para[Diagram]:
    """Independent normal numbers of that shape, from a random key of each sample; it has no input."""
    key = Parameter("key", Space((), KEYS), role="auxiliary")
    return parametrised("noise", {"key": key}, (), lambda k: functions.normal(k, Space(shape, REAL).shape))


def random_shift(shape: Sequence[int], most: int = 2) -> Para[Diagram]:
    """The input moved by up to `most` places along each axis but the last while training, the identity afterwards."""
    key = Parameter("key", Space((), KEYS), role="auxiliary")
    return parametrised("random_shift", {"key": key}, Space(shape, REAL), lambda k, x: shift(k, x, most))


def dropout(shape: Sequence[int], rate: float = 0.5) -> Para[Diagram]:
    """Each entry zero with probability `rate` while training, the others scaled up; the identity afterwards.

    The random key is an auxiliary input, one for each sample.
    """
    key = Parameter("key", Space((), KEYS), role="auxiliary")
    return parametrised("dropout", {"key": key}, Space(shape, REAL), lambda k, x: _dropout(k, x, rate))
