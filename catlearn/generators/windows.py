"""Windows of an array and their overlap: what convolution and pooling are made of.

    windows(x)[.., o, .., k, .., c] = x[.., o stride + k dilation - before, .., c]          (zero outside of x)
    overlap(w)[.., i, .., c]        = sum of w[.., o, .., k, .., c] over o stride + k dilation - before = i

Both are linear and each is the transpose of the other, so R[windows](x, d) = overlap(d) and R[overlap](w, d) =
windows(d). They act on the axes just before the last one, which holds the channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from catlearn.diagram import Generator
from catlearn.errors import OperationError
from catlearn.generators.indexing import Reindexing
from catlearn.space import Object
from catlearn.tracing import Wire, apply_generator, as_wire

__all__ = ["Frame", "Overlap", "Windows", "frames_of", "windows"]


@dataclass(frozen=True)
class Frame:
    """How windows lie along an axis of `length` entries: `kernel` entries, `dilation` apart, a window every `stride`.

    The axis is first extended by `before` and `after` zeros. Raises `OperationError` for numbers out of range, and
    where no window fits.
    """

    length: int
    kernel: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1

    def __post_init__(self) -> None:
        for name, least in (("length", 0), ("kernel", 1), ("stride", 1), ("before", 0), ("after", 0), ("dilation", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise OperationError(f"the {name} of a window must be an integer of at least {least}; got {value!r}")
        if self.reach > self.length + self.before + self.after:
            raise OperationError(
                f"a window of {self.reach} entries does not fit an axis of {self.length} with {self.before} + "
                f"{self.after} of padding: use a smaller kernel or more padding"
            )

    @property
    def reach(self) -> int:
        """The number of entries from the first to the last of a window."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def count(self) -> int:
        """The number of windows."""
        return (self.length + self.before + self.after - self.reach) // self.stride + 1

    def taken(self, offset: int) -> slice:
        """The entries of the extended axis at that place of each window."""
        first = offset * self.dilation
        return slice(first, first + (self.count - 1) * self.stride + 1, self.stride)

    def put(self, offset: int) -> tuple[int, int, int]:
        """Before, after and between: the zeros, negative to cut, that bring those entries back to their places."""
        first = offset * self.dilation - self.before
        return first, self.length - first - (self.count - 1) * self.stride - 1, self.stride - 1


@dataclass(frozen=True)
class Windows(Reindexing):
    """The windows of an array: shape (.., lengths, channels) to (.., counts, kernels, channels)."""

    frames: tuple[Frame, ...]

    def __post_init__(self) -> None:
        lengths = tuple(frame.length for frame in self.frames)
        if not self.frames or len(self.space.shape) <= len(lengths) or self.space.shape[self._lead : -1] != lengths:
            raise OperationError(f"windows of lengths {lengths} do not fit the axes before the last of {self.space}")

    @property
    def _lead(self) -> int:
        return len(self.space.shape) - 1 - len(self.frames)

    @property
    def cod(self) -> Object:
        shape = self.space.shape
        counts, kernels = (tuple(getattr(f, what) for f in self.frames) for what in ("count", "kernel"))
        return (self.space.with_shape((*shape[: self._lead], *counts, *kernels, shape[-1])),)

    def transposed(self, d: Wire) -> Wire:
        return apply_generator(Overlap(d.space, self.frames), d)

    def stacked(self, size: int) -> Generator:
        return replace(self, space=self.space.batch(size))

    def evaluate(self, arrays: Any, x: Any) -> Any:
        ends = [(0, 0, 0)] * self._lead + [(f.before, f.after, 0) for f in self.frames] + [(0, 0, 0)]
        x = arrays.pad(self.space.carrier, x, ends)
        offsets = product(*(range(frame.kernel) for frame in self.frames))
        pieces = [x[(..., *(f.taken(k) for f, k in zip(self.frames, at, strict=True)), slice(None))] for at in offsets]
        return arrays.namespace.reshape(arrays.namespace.stack(pieces, axis=-2), self.cod[0].shape)


@dataclass(frozen=True)
class Overlap(Reindexing):
    """Windows added up at the places that they were taken from: the transpose of `Windows`."""

    frames: tuple[Frame, ...]

    def __post_init__(self) -> None:
        self.space.carrier.require("add")

    @property
    def cod(self) -> Object:
        n = len(self.frames)
        shape = self.space.shape
        lead = shape[: len(shape) - 1 - 2 * n]
        return (self.space.with_shape((*lead, *(frame.length for frame in self.frames), shape[-1])),)

    def transposed(self, d: Wire) -> Wire:
        return apply_generator(Windows(d.space, self.frames), d)

    def stacked(self, size: int) -> Generator:
        return replace(self, space=self.space.batch(size))

    def evaluate(self, arrays: Any, x: Any) -> Any:
        n, carrier = len(self.frames), self.space.carrier
        lead = len(self.space.shape) - 1 - 2 * n
        total = None
        for at in product(*(range(frame.kernel) for frame in self.frames)):
            piece = x[(slice(None),) * (lead + n) + at]
            ends = [(0, 0, 0)] * lead + [f.put(k) for f, k in zip(self.frames, at, strict=True)] + [(0, 0, 0)]
            piece = arrays.pad(carrier, piece, ends)
            total = piece if total is None else arrays.carrier(carrier).add(arrays.namespace, total, piece)
        return total


def frames_of(
    lengths: Sequence[int],
    kernel: int | Sequence[int],
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = "valid",
    dilation: int | Sequence[int] = 1,
) -> tuple[Frame, ...]:
    """One frame an axis; a number stands for the same on every axis.

    `padding` is "valid" (none), "same" (as many windows as length / stride, rounded up, the odd zero after), a number
    of zeros on both sides, or a number or a pair an axis. Raises `OperationError` where that does not fit the axes.
    """

    def each(what: str, value: Any) -> list[Any]:
        values = list(value) if isinstance(value, (tuple, list)) else [value] * len(lengths)
        if len(values) != len(lengths):
            raise OperationError(f"the {what} needs one number, or one for each of {len(lengths)} axes; got {value!r}")
        return values

    frames = []
    paddings = each("padding", padding)
    for length, size, step, pad, apart in zip(
        lengths, each("kernel", kernel), each("stride", stride), paddings, each("dilation", dilation), strict=True
    ):
        if pad == "same":
            Frame(max(length, 1), 1, step, 0, 0, 1)  # a stride that is none is refused before one divides by it
            reach = (size - 1) * apart + 1 if _positive(size, apart) else 1
            missing = max((-(-length // step) - 1) * step + reach - length, 0)
            pad = (missing // 2, missing - missing // 2)
        elif pad == "valid":
            pad = (0, 0)
        elif isinstance(pad, str):
            raise OperationError(f"the padding is 'valid', 'same' or numbers; got {pad!r}")
        before, after = pad if isinstance(pad, (tuple, list)) and len(pad) == 2 else (pad, pad)
        frames.append(Frame(length, size, step, before, after, apart))
    return tuple(frames)


def _positive(*values: Any) -> bool:
    return all(isinstance(value, int) and value > 0 for value in values)


def windows(
    x: Wire,
    kernel: int | Sequence[int],
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int | tuple[int, int]] = "valid",
    dilation: int | Sequence[int] = 1,
) -> Wire:
    """The windows of a wire of shape (lengths, channels): shape (counts, kernels, channels)."""
    x = as_wire(x, "windows")
    return apply_generator(Windows(x.space, frames_of(x.shape[:-1], kernel, stride, padding, dilation)), x)
