"""Convolutions and pooling: windows of the input, then a contraction with a kernel or the largest or mean entry.

    conv(w, b, x)[o, c'] = b[c'] + sum over k, c of x[o stride + k dilation - before, c] w[k, c, c']

Shapes have the channels last and no batch axis: (length, channels), (height, width, channels), and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from catlearn import functions
from catlearn.diagram import Diagram
from catlearn.errors import OperationError
from catlearn.generators.windows import Windows, frames_of
from catlearn.layers.affine import activation as _activation
from catlearn.layers.affine import bias as _bias
from catlearn.para import Para, parametrised
from catlearn.parameters import GlorotUniform, Initialiser, Parameter
from catlearn.semirings import REAL
from catlearn.space import Space, sides_of
from catlearn.tracing import Wire, apply_generator

__all__ = ["average_pool", "conv", "conv1d", "conv2d", "global_average_pool", "max_pool"]

Each = int | Sequence[int]


def conv(
    shape: Sequence[int],
    channels: int,
    kernel: Each = 3,
    activation: str = "identity",
    *,
    stride: Each = 1,
    padding: Any = "same",
    dilation: Each = 1,
    groups: int = 1,
    bias: bool = True,
    initialise: Initialiser | None = None,
) -> Para[Diagram]:
    """A convolution over all axes but the last, which holds the channels; then a bias, then the activation.

    `shape` is the input's, (lengths, channels); `channels` the number that comes out. `padding` is "same", "valid",
    or numbers (see `catlearn.generators.windows.frames_of`). With `groups`, the channels are cut into that many groups
    convolved apart. The weight has shape (kernels, channels in / groups, channels out). Raises `OperationError` for
    sizes that do not fit.

    >>> conv((28, 28, 1), 8, stride=2).cod
    (Space((14, 14, 8), REAL),)
    """
    shape = sides_of(shape)
    if len(shape) < 2:
        raise OperationError(f"a convolution needs a shape (lengths, channels); got {shape}")
    for name, value in (("channels", channels), ("groups", groups)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise OperationError(f"{name} must be a positive integer; got {value!r}")
    if shape[-1] % groups or channels % groups:
        raise OperationError(f"{groups} groups must divide the {shape[-1]} channels in and the {channels} out")
    axes = len(shape) - 1
    kernels = (kernel,) * axes if isinstance(kernel, int) else tuple(kernel)
    weight = Parameter("weight", Space((*kernels, shape[-1] // groups, channels), REAL), initialise or GlorotUniform())

    def convolved(w: Wire, x: Wire) -> Wire:
        return functions.convolve(x, w, stride=stride, padding=padding, dilation=dilation, groups=groups)

    result = parametrised("conv", {"weight": weight}, Space(shape, REAL), convolved)
    out = result.cod[0]
    if bias:
        result = result >> _channel_bias(out)
    return (result >> _activation(activation, out)).named("conv")


def _channel_bias(space: Space) -> Para[Diagram]:
    one = _bias(space.shape[-1])
    return parametrised(
        "bias", {"bias": one.parameters[0]}, space, lambda b, x: x + functions.broadcast(b, space.shape)
    )


def conv1d(shape: Sequence[int], channels: int, kernel: int = 3, activation: str = "identity", **more: Any) -> Any:
    """A convolution of sequences: shape (length, channels); see `conv`."""
    return _conv_of(1, shape, channels, kernel, activation, more)


def conv2d(shape: Sequence[int], channels: int, kernel: Each = 3, activation: str = "identity", **more: Any) -> Any:
    """A convolution of images: shape (height, width, channels); see `conv`."""
    return _conv_of(2, shape, channels, kernel, activation, more)


def _conv_of(axes: int, shape: Sequence[int], channels: int, kernel: Each, activation: str, more: Any) -> Any:
    if len(sides_of(shape)) != axes + 1:
        raise OperationError(f"conv{axes}d needs a shape of {axes} lengths and the channels; got {tuple(shape)}")
    return conv(shape, channels, kernel, activation, **more)


def max_pool(
    shape: Sequence[int], window: Each = 2, stride: Each | None = None, padding: Any = "valid"
) -> Para[Diagram]:
    """The largest entry of each window of each channel; the stride is the window's size unless given.

    Padding never wins. At a tie the cotangent goes to the first of the largest.

    >>> max_pool((28, 28, 8)).cod
    (Space((14, 14, 8), REAL),)
    """

    def pooled(x: Wire) -> Wire:
        seen, inside, axes = _windows(x, window, stride, padding)
        if inside is not None:
            seen = seen + (inside - 1.0) * 3e38
        return functions.maximum_over(seen, axes)

    return parametrised("max_pool", {}, Space(shape, REAL), pooled)


def average_pool(
    shape: Sequence[int], window: Each = 2, stride: Each | None = None, padding: Any = "valid"
) -> Para[Diagram]:
    """The mean of the entries of each window of each channel, padding not counted."""

    def pooled(x: Wire) -> Wire:
        seen, inside, axes = _windows(x, window, stride, padding)
        total = functions.sum(seen, axes)
        if inside is not None:
            return total / functions.sum(inside, axes)
        return total * (total.space.size / seen.space.size)

    return parametrised("average_pool", {}, Space(shape, REAL), pooled)


def _windows(x: Wire, window: Each, stride: Each | None, padding: Any) -> tuple[Wire, Wire | None, Sequence[int]]:
    """The windows, where they are inside of x (None if they all are), and the axes of a window."""
    axes = len(x.shape) - 1
    frames = frames_of(x.shape[:-1], window, window if stride is None else stride, padding)
    if any(max(f.before, f.after) >= f.reach for f in frames):
        raise OperationError(f"a window of {window} would lie in the padding {padding} alone: use less padding")
    if all(f.stride == f.kernel and f.count * f.kernel == f.length and not f.before + f.after for f in frames):
        cut = [side for f in frames for side in (f.count, f.kernel)]
        return functions.reshape(x, (*cut, x.shape[-1])), None, range(1, 2 * axes, 2)
    ones = functions.constant(x.space, 1.0)
    seen, inside = (apply_generator(Windows(x.space, frames), wire) for wire in (x, ones))
    return seen, inside if any(f.before + f.after for f in frames) else None, range(axes, 2 * axes)


def global_average_pool(shape: Sequence[int]) -> Para[Diagram]:
    """The mean of each channel over all other axes."""
    space = Space(shape, REAL)
    if not prod(space.shape[:-1]):
        raise OperationError(f"a mean needs at least one entry; got {space}")
    return parametrised("average_pool", {}, space, lambda x: functions.mean(x, range(len(space.shape) - 1)))
