"""Augmentation: images moved and distorted anew in every epoch, before they are coded as bits.

A transform takes a batch of images and a generator to images of the same shape and dtype. `augmented` puts transforms,
a coding and the order of the rows together as a `Stream`; batch b of epoch e comes from (seed, e, b) alone.

>>> from catlearn.coding import Thermometer
>>> from catlearn.datasets import Data
>>> images, labels = np.full((8, 4, 4, 1), 200, np.uint8), np.arange(8)
>>> stream = augmented(Data(images, labels, images, labels), 4, transforms=(Shift(1),), coding=Thermometer([96, 160]))
>>> [bits.shape for bits, labels in stream.batches(0)], stream.test_inputs.shape
([(4, 4, 4, 2), (4, 4, 4, 2)], (8, 4, 4, 2))
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from catlearn.coding import Coding
from catlearn.datasets import Data
from catlearn.errors import DataError, InputError
from catlearn.feeding import Stream

__all__ = ["Distort", "Shift", "Transform", "augmented"]

Transform = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""From images (n, height, width) or (n, height, width, channels) and a generator to images alike."""

_BLOCK = 128
"""Images that are distorted at once: their coordinates then stay in the cache."""


@dataclass(frozen=True)
class Shift:
    """Each image moved by whole pixels, down and right each by one of -most ... most, all as likely; zeros move in.

    Raises `InputError` for a `most` that is no integer of at least 0, and `DataError` for what are no images.
    """

    most: int = 1

    def __post_init__(self) -> None:
        if isinstance(self.most, bool) or not isinstance(self.most, int) or self.most < 0:
            raise InputError(f"images are shifted by at most an integer of at least 0 pixels; got {self.most!r}")

    def __call__(self, images: Any, generator: np.random.Generator) -> np.ndarray:
        images = _images(images)
        count, height, width = images.shape[:3]
        most = self.most
        padded = np.pad(images, [(0, 0), (most, most), (most, most)] + [(0, 0)] * (images.ndim - 3))
        down, right = generator.integers(-most, most + 1, size=(2, count))
        moved = np.empty_like(images)
        for dy in range(-most, most + 1):
            for dx in range(-most, most + 1):
                chosen = np.flatnonzero((down == dy) & (right == dx))
                moved[chosen] = padded[chosen, most - dy : most - dy + height, most - dx : most - dx + width]
        return moved


@dataclass(frozen=True)
class Distort:
    """Each image under an affine map of its own about its centre c, read off bilinearly; beyond its edge it is zero.

    The pixel at p becomes the image's value at M (p - c - t) + c, M = turn(a) slant(k) / diag(s), each number drawn
    evenly: the angle a within `rotation` degrees, slant(k) = [[1, 0], [k, 1]] on (row, column) with k within `shear`,
    both scales s within 1 +- `scale`, both entries of t within `translation` pixels. Integer images are rounded.

    Raises `InputError` for bounds that are negative or not finite, a scale of 1 or more, and `DataError` for what are
    no images.
    """

    rotation: float = 10.0
    scale: float = 0.1
    shear: float = 0.1
    translation: float = 1.0

    def __post_init__(self) -> None:
        for name in ("rotation", "scale", "shear", "translation"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise InputError(f"{name} is a bound, a finite number of at least 0; got {value!r}")
        if self.scale >= 1:
            raise InputError(f"scale is less than 1, as an image scaled by 0 has no pixels; got {self.scale!r}")

    def maps(self, count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """The matrices M (count, 2, 2) and the moves t (count, 2) of so many images."""
        drawn = generator.uniform(-1, 1, size=(6, count))
        angle, slant = np.deg2rad(self.rotation * drawn[0]), self.shear * drawn[1]
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        slanted = np.array([[np.ones(count), np.zeros(count)], [slant, np.ones(count)]])
        matrices = np.einsum("ijn,jkn->nik", turn, slanted) / (1 + self.scale * drawn[2:4].T)[:, None, :]
        return matrices, self.translation * drawn[4:6].T

    def __call__(self, images: Any, generator: np.random.Generator) -> np.ndarray:
        images = _images(images)
        matrices, moves = self.maps(len(images), generator)
        distorted = np.empty_like(images)
        for start in range(0, len(images), _BLOCK):
            part = slice(start, start + _BLOCK)
            distorted[part] = _resampled(images[part], matrices[part], moves[part])
        return distorted


def _resampled(images: np.ndarray, matrices: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """The values of the images at M (p - c - t) + c, for all pixels p."""
    count, height, width = images.shape[:3]
    centre = np.array([height - 1, width - 1]) / 2
    offsets = centre - np.einsum("nij,nj->ni", matrices, centre + moves)
    m, o = matrices.astype(np.float32), offsets.astype(np.float32)
    rows, columns = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)
    # A border of zeros, one before and two after, lets all four neighbours be read wherever a pixel comes from.
    border = [(0, 0), (1, 2), (1, 2)] + [(0, 0)] * (images.ndim - 3)
    padded = np.pad(images, border).reshape(count * (height + 3) * (width + 3), -1)
    places, shares = [], []
    for axis, size in enumerate((height, width)):
        at = m[:, axis, 0, None, None] * rows + m[:, axis, 1, None, None] * columns + o[:, axis, None, None]
        np.clip(at, -1, size, out=at)
        at += 1
        whole = at.astype(np.int32)
        places.append(whole)
        shares.append(np.subtract(at, whole, dtype=np.float32)[..., None])
    first = places[0] * (width + 3) + places[1]
    first += (np.arange(count, dtype=np.int32) * ((height + 3) * (width + 3)))[:, None, None]
    down, right = shares
    above = _between(padded[first], padded[first + 1], right)
    first += width + 3
    values = _between(above, _between(padded[first], padded[first + 1], right), down)
    if images.dtype.kind in "iu":
        values = np.rint(values, out=values)
    return values.astype(images.dtype).reshape(images.shape)


def _between(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """first + share * (second - first), in floats."""
    kind = np.result_type(first.dtype, np.float32)
    difference = np.subtract(second, first, dtype=kind)
    difference *= share
    difference += first
    return difference


def _images(images: Any) -> np.ndarray:
    array = np.asarray(images)
    if array.ndim not in (3, 4) or array.dtype.kind not in "uif" or 0 in array.shape[1:]:
        raise DataError(
            "images are numbers of shape (n, height, width) or (n, height, width, channels); "
            f"got dtype {array.dtype}, shape {array.shape}"
        )
    return array


@dataclass(frozen=True, eq=False)
class _Augmented:
    """The batches of an epoch: rows in a new order, transformed, coded."""

    images: np.ndarray
    targets: np.ndarray
    size: int
    seed: int
    transforms: tuple[Transform, ...]
    coding: Coding | None
    flat: bool

    def __call__(self, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.images))
        for number in range(len(order) // self.size):
            rows = order[number * self.size : (number + 1) * self.size]
            generator = np.random.default_rng([self.seed, epoch, number])
            batch = self.images[rows]
            for transform in self.transforms:
                batch = transform(batch, generator)
            yield self.coded(batch), self.targets[rows]

    def coded(self, images: np.ndarray) -> np.ndarray:
        """What the learner is given for those images."""
        bits = images if self.coding is None else self.coding.encode(images)
        return bits.reshape(len(bits), math.prod(bits.shape[1:])) if self.flat else bits


def augmented(
    data: Data,
    batch_size: int,
    seed: int = 0,
    transforms: Sequence[Transform] = (Shift(1),),
    coding: Coding | None = None,
    flat: bool = False,
) -> Stream:
    """Training images as a stream of batches, transformed anew in each epoch and then coded; test images only coded.

    Images are (n, height, width) or (n, height, width, channels), bytes or floats, as the coding's levels are. With
    `flat` an input is one row of bits. An epoch has the whole batches of a new order; the rows that are left over,
    fewer than a batch, are others in each epoch.

    Raises `DataError` for what are no images, targets that are not one for each, and fewer rows than a batch;
    `InputError` for a batch size, a seed or a transform that is none.
    """
    for name, value, least in (("batch_size", batch_size, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise InputError(f"{name} is an integer of at least {least}; got {value!r}")
    wrong = [transform for transform in transforms if not callable(transform)]
    if wrong:
        raise InputError(f"a transform is a function of images and a generator, such as Shift(1); got {wrong[0]!r}")
    images, targets = _images(data.train_inputs), np.asarray(data.train_targets)
    if targets.shape[:1] != (len(images),):
        raise DataError(f"{len(images)} training images need a target each; got targets of shape {targets.shape}")
    if len(images) < batch_size:
        raise DataError(f"a batch of {batch_size} needs as many training rows; got {len(images)}: take a smaller batch")
    batches = _Augmented(images, targets, batch_size, seed, tuple(transforms), coding, flat)
    return Stream(batches, len(images) // batch_size, batches.coded(_images(data.test_inputs)), data.test_targets)
