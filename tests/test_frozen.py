"""Arrays as values: equality, hashes, that nothing changes them, and what is made of them."""

import copy
import pickle

import numpy as np
import pytest

from catlearn.frozen import Frozen
from catlearn.serial import decode, encode

ARRAYS = [
    np.arange(6).reshape(2, 3),
    np.arange(6.0),
    np.zeros((0, 3), np.int32),
    np.zeros((3, 0), np.int32),
    np.array(5),
    np.array([True, False]),
    np.array([np.nan, -0.0]),
    np.array([np.nan, 0.0]),
    np.arange(6, dtype=np.int32).reshape(2, 3),
    np.arange(6).reshape(3, 2),
]


def test_equality_is_of_dtype_shape_and_bytes():
    held = [Frozen(a) for a in ARRAYS]
    for j, x in enumerate(held):
        for k, y in enumerate(map(Frozen, ARRAYS)):
            assert (x == y) == (j == k)
            assert j != k or hash(x) == hash(y)
    assert Frozen(np.arange(3)) != np.arange(3).tolist()
    assert len({Frozen(a) for a in ARRAYS * 2}) == len(ARRAYS)


def test_memory_does_not_matter():
    x = np.arange(12).reshape(3, 4)
    assert Frozen(np.asfortranarray(x)) == Frozen(x) == Frozen(np.repeat(x, 2, axis=1)[:, ::2])
    assert Frozen(Frozen(x)) == Frozen(x)


def test_nothing_changes_it():
    own = np.arange(3)
    held = Frozen(own)
    own[0] = 9
    assert held[0] == 0
    for each in (held, copy.copy(held), copy.deepcopy(held), pickle.loads(pickle.dumps(held)), decode(encode(held))):
        assert each == held
        assert hash(each) == hash(held)
        with pytest.raises(ValueError, match="read-only"):
            each.array[0] = 1
    with pytest.raises(AttributeError):
        held.array = own


def test_it_is_read_like_an_array():
    held = Frozen(np.arange(6).reshape(2, 3))
    assert held.shape == (2, 3)
    assert held[1, 2] == 5
    assert np.asarray(held).sum() == 15
    assert np.asarray(held, float).dtype == float


def test_its_repr():
    held = Frozen(np.array([[0, 1]], np.int32))
    assert repr(held) == "Frozen(np.array([[0, 1]], 'int32'))"
    assert eval(repr(held), {"np": np, "Frozen": Frozen}) == held
    assert repr(Frozen(np.zeros(65))) == "Frozen(np.array(<65 entries>, 'float64'))"
