"""Augmentation: moves against a loop over pixels, distortions against SciPy's, streams against their parts."""

import pickle
from collections import Counter

import numpy as np
import pytest
from scipy import ndimage

from catlearn.augmentation import Distort, Shift, augmented
from catlearn.coding import Thermometer
from catlearn.datasets import Data
from catlearn.errors import DataError, InputError


def pictures(shape, seed=0, dtype=np.uint8):
    generator = np.random.default_rng(seed)
    return generator.integers(1, 256, size=shape).astype(dtype)


def moved(image, down, right):
    result = np.zeros_like(image)
    for (y, x), value in np.ndenumerate(image):
        if 0 <= y + down < image.shape[0] and 0 <= x + right < image.shape[1]:
            result[y + down, x + right] = value
    return result


@pytest.mark.parametrize("most", [0, 1, 3])
def test_a_shift_is_one_of_the_moves_all_as_likely(most):
    images = pictures((1, 4, 3)).repeat(600, axis=0)
    shifted = Shift(most)(images, np.random.default_rng(0))
    assert (shifted.shape, shifted.dtype) == (images.shape, images.dtype)
    steps = range(-most, most + 1)
    moves = {moved(images[0], dy, dx).tobytes() for dy in steps for dx in steps}
    seen, counts = zip(*Counter(image.tobytes() for image in shifted).items(), strict=True)
    assert {*seen} <= moves
    if most < 2:
        assert len(seen) == len(moves)
        assert min(counts) > 0.6 * len(images) / len(moves)


def test_channels_move_together_and_nothing_is_changed():
    images = pictures((50, 5, 6, 2))
    before = images.copy()
    for transform in (Shift(2), Distort(30, 0.2, 0.2, 2)):
        whole = transform(images, np.random.default_rng(3))
        for channel in range(2):
            alone = transform(images[..., channel], np.random.default_rng(3))
            np.testing.assert_array_equal(whole[..., channel], alone)
        np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("shape", [(300, 9, 6), (10, 1, 1), (10, 12, 12)])
@pytest.mark.parametrize("bounds", [(0, 0, 0, 3.5), (25, 0.2, 0.3, 2), (180, 0.9, 2, 40)])
def test_distortions_are_affine_maps_read_bilinearly(shape, bounds):
    images = pictures(shape, dtype=np.float32)
    transform = Distort(*bounds)
    found = transform(images, np.random.default_rng(1))
    matrices, moves = transform.maps(len(images), np.random.default_rng(1))
    centre = (np.array(shape[1:]) - 1) / 2
    for image, own, matrix, move in zip(images, found, matrices, moves, strict=True):
        offset = centre - matrix @ (centre + move)
        theirs = ndimage.affine_transform(
            image.astype(np.float64), matrix, offset, order=1, mode="grid-constant", cval=0.0
        )
        np.testing.assert_allclose(own, theirs, atol=0.05)
    rounded = transform(images.astype(np.uint8), np.random.default_rng(1))
    assert rounded.dtype == np.uint8
    assert np.abs(rounded.astype(float) - found).max() <= 0.51


def test_the_parts_of_a_distortion_and_their_bounds():
    generator = np.random.default_rng(0)
    matrices, moves = Distort(0, 0, 0, 2).maps(1000, generator)
    np.testing.assert_array_equal(matrices, np.broadcast_to(np.eye(2), (1000, 2, 2)))
    assert 1.98 < np.abs(moves).max() <= 2
    turned, still = Distort(15, 0, 0, 0).maps(1000, generator)
    assert not still.any()
    np.testing.assert_allclose(turned @ turned.transpose(0, 2, 1), np.broadcast_to(np.eye(2), (1000, 2, 2)), atol=1e-12)
    assert 14.9 < np.rad2deg(np.abs(np.arctan2(turned[:, 1, 0], turned[:, 0, 0]))).max() <= 15
    scaled, _ = Distort(0, 0.25, 0, 0).maps(1000, generator)
    sizes = 1 / scaled[:, [0, 1], [0, 1]]
    assert not scaled[:, [0, 1], [1, 0]].any()
    assert 0.75 <= sizes.min() < 0.755
    assert 1.245 < sizes.max() <= 1.25
    assert np.abs(sizes[:, 0] - sizes[:, 1]).max() > 0.4
    slanted, _ = Distort(0, 0, 0.5, 0).maps(1000, generator)
    np.testing.assert_array_equal(slanted[:, 0], np.broadcast_to([1, 0], (1000, 2)))
    assert 0.495 < np.abs(slanted[:, 1, 0]).max() <= 0.5


def test_an_image_is_scaled_and_slanted_before_it_is_turned():
    generator = np.random.default_rng(0)
    matrices, _ = Distort(60, 0.4, 0, 0).maps(100, generator)
    grams = matrices.transpose(0, 2, 1) @ matrices
    np.testing.assert_allclose(grams[:, 0, 1], 0, atol=1e-12)
    matrices, _ = Distort(60, 0, 0.5, 0).maps(100, generator)
    angles = np.arctan2(-matrices[:, 0, 1], matrices[:, 1, 1])
    turns = np.array([[np.cos(angles), -np.sin(angles)], [np.sin(angles), np.cos(angles)]]).transpose(2, 0, 1)
    slants = turns.transpose(0, 2, 1) @ matrices
    np.testing.assert_allclose(slants[:, 0], np.broadcast_to([1, 0], (100, 2)), atol=1e-12)
    assert np.abs(angles).max() <= np.deg2rad(60)
    assert np.abs(slants[:, 1, 0]).max() <= 0.5


def test_the_parts_of_a_distortion_are_independent():
    matrices, moves = Distort(5, 0.05, 0.2, 1).maps(4000, np.random.default_rng(0))
    angle, sizes = -matrices[:, 0, 1], matrices[:, [0, 1], [0, 1]]
    slant = matrices[:, 1, 0] - angle
    correlations = np.corrcoef(np.column_stack([angle, slant, sizes, moves]).T)
    assert np.abs(correlations - np.eye(6)).max() < 0.15


def test_an_image_whose_pixel_moves_down_moves_down():
    image = np.zeros((1, 5, 5))
    image[0, 2, 2] = 1

    class Fixed(Distort):
        def maps(self, count, generator):
            return np.eye(2)[None], np.array([[1.0, 0.5]])

    found = Fixed()(image, np.random.default_rng(0))[0]
    assert found[3].tolist() == [0, 0, 0.5, 0.5, 0]
    assert found.sum() == 1


@pytest.mark.parametrize("transform", [Shift(0), Distort(0, 0, 0, 0)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float32, np.float64])
def test_no_distortion_is_the_identity(transform, dtype):
    images = pictures((260, 7, 4, 3), dtype=dtype)
    found = transform(images, np.random.default_rng(0))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, images)
    assert transform(images[:0], np.random.default_rng(0)).shape == (0, 7, 4, 3)


def problem(rows=23):
    images = pictures((rows, 5, 5, 1), seed=1)
    return Data(images, np.arange(rows), images[:4], np.arange(4))


def test_a_stream_has_each_row_once_and_its_target():
    data = problem()
    stream = augmented(data, 5, transforms=())
    batches = list(stream.batches(0))
    assert stream.steps == len(batches) == 4
    rows = np.concatenate([targets for _, targets in batches])
    assert len({*rows.tolist()}) == 20
    np.testing.assert_array_equal(np.concatenate([images for images, _ in batches]), data.train_inputs[rows])
    np.testing.assert_array_equal(stream.test_inputs, data.test_inputs)
    np.testing.assert_array_equal(stream.test_targets, data.test_targets)
    others = np.concatenate([targets for _, targets in stream.batches(1)])
    assert others.tolist() != rows.tolist()


@pytest.mark.parametrize("flat", [False, True])
def test_images_are_moved_before_they_are_coded(flat):
    data, coding = problem(), Thermometer([60, 120])
    shape = (50,) if flat else (5, 5, 2)
    stream = augmented(data, 5, 7, (Shift(1), Distort()), coding, flat)
    plain = augmented(data, 5, 7, (Shift(1), Distort()))
    for (bits, targets), (images, same) in zip(stream.batches(2), plain.batches(2), strict=True):
        np.testing.assert_array_equal(targets, same)
        np.testing.assert_array_equal(bits, coding.encode(images).reshape(5, *shape))
        assert (images != data.train_inputs[targets]).any()
    np.testing.assert_array_equal(stream.test_inputs, coding.encode(data.test_inputs).reshape(4, *shape))


def test_an_epoch_comes_from_its_seed_and_number_alone():
    def told(seed, epoch, stream=None):
        stream = stream or augmented(problem(), 4, seed, (Shift(2), Distort()))
        return [(images.tobytes(), targets.tolist()) for images, targets in stream.batches(epoch)]

    assert told(0, 3) == told(0, 3)
    stream = augmented(problem(), 4, 0, (Shift(2), Distort()))
    told(0, 0, stream)
    assert told(0, 3, stream) == told(0, 3)
    assert told(0, 3, pickle.loads(pickle.dumps(stream))) == told(0, 3)
    assert told(0, 3) != told(1, 3)
    assert told(0, 3) != told(0, 4)


def test_batches_epochs_and_seeds_are_moved_otherwise():
    images, targets = pictures((1, 6, 6)).repeat(16, axis=0), np.zeros(16)
    batches = set()
    for seed in (0, 1):
        stream = augmented(Data(images, targets, images, targets), 8, seed, (Shift(2),))
        batches |= {batch.tobytes() for epoch in (0, 1) for batch, _ in stream.batches(epoch)}
    assert len(batches) == 8


@pytest.mark.parametrize("most", [-1, 1.0, True, "1"])
def test_wrong_shifts(most):
    with pytest.raises(InputError, match="images are shifted by at most an integer of at least 0 pixels; got "):
        Shift(most)


@pytest.mark.parametrize("name", ["rotation", "scale", "shear", "translation"])
@pytest.mark.parametrize("value", [-0.1, np.inf, np.nan, True, "1", None])
def test_wrong_bounds(name, value):
    with pytest.raises(InputError, match=f"{name} is a bound, a finite number of at least 0; got "):
        Distort(**{name: value})


def test_a_scale_of_one():
    with pytest.raises(InputError, match=r"scale is less than 1, as an image scaled by 0 has no pixels; got 1\.0"):
        Distort(scale=1.0)


@pytest.mark.parametrize("transform", [Shift(1), Distort()])
@pytest.mark.parametrize("images", [np.zeros((3, 4)), np.zeros((1, 2, 3, 4, 5)), np.zeros((2, 0, 3)), [[["a"]]]])
def test_what_are_no_images(transform, images):
    with pytest.raises(DataError, match=r"images are numbers of shape \(n, height, width\) or .*; got dtype .*, shape"):
        transform(images, np.random.default_rng(0))


def test_wrong_streams():
    data = problem()
    for size in (0, 2.0, True):
        with pytest.raises(InputError, match="batch_size is an integer of at least 1; got "):
            augmented(data, size)
    for seed in (-1, None):
        with pytest.raises(InputError, match="seed is an integer of at least 0; got "):
            augmented(data, 1, seed)
    with pytest.raises(InputError, match=r"a transform is a function of images and a generator, .*; got 'shift'"):
        augmented(data, 1, transforms=("shift",))
    with pytest.raises(DataError, match="a batch of 24 needs as many training rows; got 23: take a smaller batch"):
        augmented(data, 24)
    with pytest.raises(DataError, match=r"23 training images need a target each; got targets of shape \(22,\)"):
        augmented(Data(data.train_inputs, np.arange(22), data.test_inputs, data.test_targets), 4)
    with pytest.raises(DataError, match="images are numbers of shape"):
        augmented(Data(np.zeros((3, 4)), np.arange(3), data.test_inputs, data.test_targets), 1)
