"""Wirings and starting tables: balance, no repetition, patches, places, and what is refused."""

import itertools

import numpy as np
import pytest

from catlearn.errors import OperationError
from catlearn.semirings import BITS
from catlearn.space import Space
from catlearn.wirings import Projection, RandomThreshold, balanced, local, shared


@pytest.mark.parametrize("inputs", range(9))
def test_balanced_is_balanced_and_repeats_nothing(inputs):
    for tables, arity, seed in itertools.product(range(10), range(inputs + 1), range(2)):
        wiring = balanced(inputs, tables, arity, seed=seed)
        assert wiring.shape == (tables, arity)
        assert wiring.dtype == np.int32
        assert all(len(set(row)) == arity for row in wiring.tolist())
        if wiring.size:
            counts = np.bincount(wiring.ravel(), minlength=inputs)
            assert len(counts) == inputs
            assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize(
    ("inputs", "tables", "arity"), [(784, 300, 6), (6, 500, 6), (7, 501, 6), (9, 100, 8), (1, 40, 1)]
)
def test_balanced_at_size(inputs, tables, arity):
    wiring = balanced(inputs, tables, arity, seed=3)
    counts = np.bincount(wiring.ravel(), minlength=inputs)
    assert counts.max() - counts.min() <= 1
    assert not any(len(set(row)) < arity for row in wiring.tolist())
    assert (wiring == balanced(inputs, tables, arity, seed=3)).all()
    if inputs > 1 and inputs != arity:
        assert (wiring != balanced(inputs, tables, arity, seed=4)).any()


def test_balanced_draws_evenly():
    """Every pair of bits meets in a table about equally often."""
    met = np.zeros((5, 5), int)
    for seed in range(400):
        for a, b in balanced(5, 5, 2, seed=seed).tolist():
            met[a, b] += 1
            met[b, a] += 1
    off = met[~np.eye(5, dtype=bool)]
    assert off.min() > 0.7 * off.mean()
    assert off.max() < 1.3 * off.mean()


@pytest.mark.parametrize("shape", [(6, 7), (6, 7, 1), (5, 4, 3)])
@pytest.mark.parametrize("patch", [1, 2, 4])
def test_local_reads_one_patch(shape, patch):
    depth = shape[2] if len(shape) == 3 else 1
    arity = min(4, patch * patch * depth)
    wiring = local(shape, 300, arity, patch=patch, seed=1)
    assert wiring.shape == (300, arity)
    assert all(len(set(row)) == arity for row in wiring.tolist())
    row, column, bit = np.unravel_index(wiring, (*shape[:2], depth))
    assert (np.ptp(row, axis=1) < patch).all()
    assert (np.ptp(column, axis=1) < patch).all()
    assert bit.max() < depth
    if patch < 4:
        assert len(np.unique(wiring)) > 0.8 * np.prod(shape)  # the whole image is read


@pytest.mark.parametrize("shape", [(6, 7), (5, 4, 3)])
@pytest.mark.parametrize(("patch", "stride"), [(1, 1), (3, 1), (2, 2), (3, 2), (4, 5)])
def test_shared_is_the_same_pattern_at_every_place(shape, patch, stride):
    """BIT.conv: against the places counted by loops."""
    depth = shape[2] if len(shape) == 3 else 1
    arity = min(3, patch * patch * depth)
    wiring = shared(shape, 5, arity, patch=patch, stride=stride, seed=2)
    tops, lefts = (range(0, side - patch + 1, stride) for side in shape[:2])
    assert wiring.shape == (len(tops), len(lefts), 5, arity)
    pattern = [divmod(int(p), shape[1] * depth) for p in wiring[0, 0].ravel()]
    for i, top in enumerate(tops):
        for j, left in enumerate(lefts):
            moved = [(r + top) * shape[1] * depth + c + left * depth for r, c in pattern]
            assert wiring[i, j].ravel().tolist() == moved
    assert wiring.max() < np.prod(shape)
    assert all(len(set(row)) == arity for row in wiring[0, 0].tolist())


def test_starts():
    """Thresholds are monotone or antitone in each input, and [w (2 x - 1) > bias |w|] for weights that exist."""
    generator = np.random.default_rng(0)
    table = RandomThreshold()(generator, Space((200, 8), BITS))
    assert table.dtype == np.uint8
    assert table.shape == (200, 8)
    assert set(np.unique(table)) == {0, 1}
    assert 0.4 < table.mean() < 0.6
    assert (table[:, ::-1] == 1 - table).all()  # turning every input round turns a threshold without a bias round
    for i in range(3):
        clear = np.arange(8)[np.arange(8) >> i & 1 == 0]
        slope = table[:, clear + 2**i].astype(int) - table[:, clear]
        assert ((slope >= 0).all(axis=1) | (slope <= 0).all(axis=1)).all()
    sparse = RandomThreshold(bias=1.2, sparse=True)(generator, Space((200, 64), BITS))
    assert (sparse[:, 0] == 0).all()
    assert 0 < sparse.mean() < 0.25
    np.testing.assert_array_equal(Projection(1)(generator, Space((2, 8), BITS)), [[0, 0, 1, 1, 0, 0, 1, 1]] * 2)
    assert Projection()(generator, Space((1, 4), BITS)).tolist() == [[0, 1, 0, 1]]
    assert RandomThreshold()(generator, Space((0, 4), BITS)).shape == (0, 4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: balanced(3, 2, 4), "a table of 4 different inputs needs as many bits to read; there are 3"),
        (lambda: balanced(-1, 2, 1), "a number of inputs of at least 0; got -1"),
        (lambda: balanced(3, 2.0, 1), "a number of tables of at least 0; got 2.0"),
        (lambda: balanced(3, True, 1), "a number of tables of at least 0; got True"),
        (lambda: balanced(3, 2, None), "a number of inputs of a table of at least 0; got None"),
        (lambda: local((4,), 2, 1, patch=2), r"the shape \(height, width\) or \(height, width, bits\); got \(4,\)"),
        (lambda: local((4, 3), 2, 1, patch=4), r"a patch has a side from 1 to 3 in an image of shape \(4, 3\); got 4"),
        (lambda: local((4, 3), 2, 1, patch=0), "a patch has a side from 1 to 3"),
        (lambda: local((4, 3), 2, 1, patch=1.0), "a patch has a side from 1 to 3"),
        (lambda: local((4, 3), 2, 5, patch=2), "a table of 5 different inputs"),
        (lambda: shared((4, 3), 2, 1, patch=2, stride=0), "a stride is a positive integer; got 0"),
        (lambda: shared((4, 3), 2, 1, patch=2, stride=True), "a stride is a positive integer; got True"),
        (lambda: shared((4, 3), 2, 5, patch=2), "a table of 5 different inputs"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(OperationError, match=message):
        make()
