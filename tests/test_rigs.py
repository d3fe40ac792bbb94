"""Rigs: the operations, what they refuse, and the same program on each under JAX and exactly."""

import numpy as np
import pytest

import catlearn as cl
from catlearn.errors import InputError, OperationError
from catlearn.functors.exact import Exact
from catlearn.functors.jax import Jax

SCALARS = [cl.NATURALS, cl.BOOLEAN, cl.MIN_PLUS, cl.Saturating(3)]


def test_CIRC_Sat():
    s = cl.Saturating(4)
    table = [[int(s.add(np, x, y)) for y in range(4)] for x in range(4)]
    assert table == [[min(3, x + y) for y in range(4)] for x in range(4)]
    assert [int(s.multiply(np, 2, y)) for y in range(4)] == [0, 2, 3, 3]
    assert s.from_integer(9) == 3
    assert not s.has("negate")


def test_CIRC_Bool_is_saturation_at_two():
    two = cl.Saturating(2)
    for x in (0, 1):
        for y in (0, 1):
            assert int(cl.BOOLEAN.add(np, x, y)) == int(two.add(np, x, y)) == (x or y)
            assert int(cl.BOOLEAN.multiply(np, x, y)) == int(two.multiply(np, x, y)) == (x and y)


def test_CIRC_trop():
    """R[min](x, y, d) = (d, d) and R[+](x, y, d) = (y + d, x + d): the formal derivative, not the subgradient."""
    x = cl.Space((), cl.MIN_PLUS)
    least, plus = cl.add(x), cl.trace((x, x), cl.functions.multiply)
    run = Exact()
    assert float(run(least)(3.0, 5.0)) == 3.0
    assert float(run(plus)(3.0, 5.0)) == 8.0
    assert [float(v) for v in run(cl.reverse_derivative(least))(3.0, 5.0, 1.0)] == [1.0, 1.0]
    assert [float(v) for v in run(cl.reverse_derivative(plus))(3.0, 5.0, 1.0)] == [6.0, 4.0]
    zero = cl.trace(x, lambda a: cl.functions.zeros(a.space))
    assert float(run(zero)(2.0)) == float("inf")
    with pytest.raises(InputError):
        run(least)(float("nan"), 1.0)


@pytest.mark.parametrize("carrier", SCALARS, ids=repr)
def test_one_program_under_jax_and_exactly(carrier):
    x = cl.Space(3, carrier)
    program = cl.trace((x, x), lambda a, b: (a * b + a, cl.functions.einsum("i,i->", a, b)))
    values = [np.array([0, 1, 1]), np.array([1, 1, 0])]
    if carrier.kind == "real":
        values = [v.astype(float) for v in values]
    for left, right in zip(Jax()(program)(*values), Exact()(program)(*values), strict=True):
        np.testing.assert_array_equal(np.asarray(left), np.asarray(right).astype(np.asarray(left).dtype))
    back = cl.reverse_derivative(program)
    cotangents = [values[0], values[1][1]]
    for left, right in zip(Jax()(back)(*values, *cotangents), Exact()(back)(*values, *cotangents), strict=True):
        np.testing.assert_array_equal(np.asarray(left), np.asarray(right).astype(np.asarray(left).dtype))


def test_what_is_refused():
    with pytest.raises(OperationError, match="size from 2 to 32768"):
        cl.Saturating(1)
    with pytest.raises(OperationError, match="no negative numbers"):
        cl.NATURALS.from_integer(-1)
    with pytest.raises(OperationError, match="no operation 'negate'"):
        cl.trace(cl.Space((), cl.NATURALS), lambda a: -a)
    with pytest.raises(OperationError, match="acts on REAL"):
        cl.trace(cl.Space((), cl.MIN_PLUS), cl.functions.tanh)
    with pytest.raises(InputError):
        Exact()(cl.identity(cl.Space((), cl.Saturating(3))))(3)
