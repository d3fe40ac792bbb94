"""Spaces and objects."""

import pickle

import pytest

import catlearn as cl
from catlearn.errors import OperationError
from catlearn.space import as_object, changes, show_object


def test_spaces_compare_by_value_and_cannot_change():
    space = cl.Space((2, 3), cl.REAL)
    assert space == cl.Space([2, 3], cl.REAL) != cl.Space((3, 2), cl.REAL)
    assert hash(space) == hash(cl.Space((2, 3), cl.REAL))
    assert space != "a string"
    with pytest.raises(AttributeError, match="immutable"):
        space.shape = (1,)
    assert pickle.loads(pickle.dumps(space)) == space
    assert eval(repr(space), vars(cl)) == space


def test_sizes_and_shapes():
    assert cl.Space((), cl.REAL).size == 1
    assert cl.Space((2, 0, 3), cl.REAL).size == 0
    assert cl.Space(4, cl.Z2).shape == (4,)
    assert cl.Space((2,), cl.Z2).batch(5) == cl.Space((5, 2), cl.Z2)


def test_C_prime_changes_are_idempotent():
    for carrier in (cl.REAL, cl.INTEGERS, cl.Z2, cl.BITS, cl.Modular(7), cl.Discrete(3), cl.KEYS, cl.TRIVIAL):
        space = cl.Space((2,), carrier)
        assert space.changes.changes == space.changes
        assert space.changes.shape == (2,)
        assert space.changes.carrier.has("add")
    assert changes((cl.Space((), cl.BITS), cl.Space((), cl.REAL))) == (cl.Space((), cl.INTEGERS), cl.Space((), cl.REAL))


@pytest.mark.parametrize("shape", [(-1,), (1.5,), (True,), ("2",)])
def test_bad_shapes(shape):
    with pytest.raises(OperationError, match="non-negative integers"):
        cl.Space(shape, cl.REAL)


def test_bad_carrier_and_bad_object():
    with pytest.raises(OperationError, match="a shape over a carrier such as REAL or Z2; got 'REAL'"):
        cl.Space((), "REAL")
    with pytest.raises(OperationError, match="an object is a tuple of spaces"):
        as_object([3])


def test_long_objects_are_abbreviated():
    text = show_object((cl.Space((), cl.REAL),) * 20)
    assert "... 12 more ..." in text
    assert text.count("Space") == 8
