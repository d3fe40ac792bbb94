"""Tracing Python functions on wires."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import catlearn as cl
from catlearn import functions as F
from catlearn.errors import CompositionError, OperationError

number, bit, real = cl.Space((), cl.INTEGERS), cl.Space((), cl.Z2), cl.Space((), cl.REAL)


@given(st.integers(-9, 9), st.integers(-9, 9))
def test_operators(x, y):
    f = cl.trace((number, number), lambda a, b: (a + b, a * b, a - b, -a, a**3, 2 * a + 1, 5 - b))
    assert tuple(map(int, f(x, y))) == (x + y, x * y, x - y, -x, x**3, 2 * x + 1, 5 - y)


def test_division_and_powers_of_reals():
    f = cl.trace((real, real), lambda a, b: (a / b, 1.0 / b, a**b, a**2))
    np.testing.assert_allclose(f(3.0, 4.0), (0.75, 0.25, 81.0, 9.0), rtol=1e-6)
    with pytest.raises(OperationError, match="INTEGERS has no operation 'divide'"):
        cl.trace((number, number), lambda a, b: a / b)


def test_other_diagrams_are_put_in_place():
    half = cl.trace((bit, bit), lambda x, y: (x + y, x * y))

    @cl.diagram(bit, bit, bit)
    def full_adder(x, y, carry):
        first, overflow = half(x, y)
        total, more = half(first, carry)
        return total, overflow + more

    for k in range(8):
        x, y, z = k & 1, k >> 1 & 1, k >> 2 & 1
        assert tuple(map(int, full_adder(x, y, z))) == ((x + y + z) % 2, (x + y + z) // 2)


def test_a_scalar_acts_on_an_array_and_nothing_else_is_broadcast():
    v = cl.Space(3, cl.REAL)
    f = cl.trace((real, v), lambda a, x: a * x + 1.0)
    np.testing.assert_allclose(f(2.0, [1.0, 2.0, 3.0]), [3.0, 5.0, 7.0])
    with pytest.raises(OperationError, match="needs equal shapes or a scalar"):
        cl.trace((v, cl.Space((1, 3), cl.REAL)), lambda x, y: x + y)


def test_constants():
    f = cl.trace((), lambda: F.constant(cl.Space((2, 2), cl.REAL), [[1.0, 2.0], [3.0, 4.0]]))
    np.testing.assert_allclose(f(), [[1, 2], [3, 4]])
    g = cl.trace(cl.Space(2, cl.INTEGERS), lambda x: x + np.array([10, 20]))
    assert g([1, 2]).tolist() == [11, 22]
    h = cl.trace(cl.Space(2, cl.INTEGERS), lambda x: np.array([10, 20]) - x)
    assert h([1, 2]).tolist() == [9, 18]
    assert int(cl.trace(cl.Space((), cl.Modular(5)), lambda x: x * 7)(3)) == 1
    assert int(cl.trace(bit, lambda x: x + True)(1)) == 0


def test_no_inputs_no_outputs():
    assert cl.trace((), lambda: ())() == ()
    closed = cl.trace((), lambda: F.constant(number, 7))
    assert int(cl.trace(number, lambda x: x + closed())(1)) == 8


def test_mistakes():
    with pytest.raises(OperationError, match="cannot branch"):
        cl.trace(number, lambda x: x if x else -x)
    with pytest.raises(OperationError, match="cannot be iterated"):
        cl.trace(number, lambda x: list(x))
    with pytest.raises(CompositionError, match=r"output 0 of the traced function is 3, .* use functions.constant"):
        cl.trace(number, lambda x: 3)
    kept = []
    cl.trace(number, lambda x: kept.append(x) or x)
    with pytest.raises(OperationError, match="it got wires of 2"):
        cl.trace(number, lambda x: x + kept[0])
    with pytest.raises(OperationError, match="add cannot mix"):
        cl.trace((number, bit), lambda x, y: x + y)
    with pytest.raises(CompositionError, match="takes 2 wires; it got 1"):
        cl.trace(number, lambda x: cl.add(number)(x))


@given(st.lists(st.booleans(), min_size=2, max_size=2))
def test_bits_have_and_or_xor_not(values):
    b = cl.Space((), cl.BITS)
    x, y = map(int, values)
    f = cl.trace((b, b), lambda p, q: (p * q, F.union(p, q), F.xor(p, q), F.invert(p), F.include(p) + F.include(q)))
    assert tuple(map(int, f(x, y))) == (x & y, x | y, x ^ y, 1 - x, x + y)
    with pytest.raises(OperationError, match=r"BITS has no operation 'add'.*functions.xor.*functions.include"):
        cl.trace((b, b), lambda p, q: p + q)
