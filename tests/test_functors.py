"""Functors out of diagrams: the protocol, dtypes, the symbolic one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import bit_circuits, circuits

import catlearn as cl
from catlearn import functions as F
from catlearn.errors import InputError, OperationError
from catlearn.functors import Exact, Functor, Jax, default_functor
from catlearn.functors.symbolic import polynomials
from catlearn.generators.arithmetic import Add, Multiply


def test_dtypes_belong_to_the_functor():
    f = cl.trace(
        (cl.Space((), cl.REAL), cl.Space((), cl.INTEGERS), cl.Space((), cl.Z2), cl.Space((), cl.BITS)),
        lambda r, n, z, b: (r + r, n + n, z + z, b * b),
    )
    arguments = (1.5, 2, True, np.int64(1))
    assert [str(v.dtype) for v in f(*arguments)] == ["float32", "int32", "uint8", "uint8"]
    assert [str(v.dtype) for v in Jax("float64")(f)(*arguments)] == ["float64", "int64", "uint8", "uint8"]
    assert [str(v.dtype) for v in Jax("bfloat16")(f)(*arguments)] == ["bfloat16", "int32", "uint8", "uint8"]
    whole = cl.trace(cl.Space((), cl.INTEGERS), lambda n: n * n)
    assert int(Exact()(whole)(10**30)) == 10**60
    with pytest.raises(InputError, match="does not fit int32; use precision='float64' or the exact functor"):
        whole(2**31)


def test_values_are_checked_outside_jit_only():
    z = cl.Space((), cl.Z2)
    f = cl.trace((z, z), lambda x, y: x + y)
    with pytest.raises(InputError, match="input 1 has the value 2, which is not in Z2"):
        f(1, 2)
    with pytest.raises(InputError, match=r"input 0 must hold 0, 1 or booleans .* got dtype float"):
        f(1.0, 1)
    assert int(jax.jit(f)(jnp.uint8(1), jnp.uint8(1))) == 0
    with pytest.raises(InputError, match=r"must hold 0, 1 or booleans"):
        jax.jit(f)(jnp.float32(1), jnp.uint8(1))


def test_diagrams_work_with_jax_transformations():
    x = cl.Space((), cl.REAL)
    f = cl.trace(x, lambda v: F.sin(v) * v)
    np.testing.assert_allclose(jax.grad(f)(0.7), np.cos(0.7) * 0.7 + np.sin(0.7), rtol=1e-6)
    np.testing.assert_allclose(jax.vmap(f)(jnp.arange(3.0)), np.sin(np.arange(3)) * np.arange(3), rtol=1e-6)


@given(st.one_of(circuits(cl.INTEGERS), circuits(cl.Modular(4)), circuits(cl.Z2)), st.data())
def test_functors_agree(f, data):
    """JAX, the exact functor and the value of the polynomials at the point give the same numbers."""
    values = [data.draw(st.integers(0, 1)) for _ in f.dom]
    names = {f"x{k}": value for k, value in enumerate(values)}
    expected = [p.at(names) for p in polynomials(f)]
    for functor in (Exact(), Jax()):
        got = functor(f)(*values)
        assert [int(v) for v in (got if isinstance(got, tuple) else (got,))] == expected


@given(bit_circuits(), st.data())
def test_bits_are_the_polynomials_over_the_integers(f, data):
    values = [data.draw(st.integers(0, 1)) for _ in f.dom]
    got = f(*values)
    names = {f"x{k}": value for k, value in enumerate(values)}
    assert [int(v) for v in (got if isinstance(got, tuple) else (got,))] == [p.at(names) for p in polynomials(f)]


def test_a_functor_of_ones_own():
    count = Functor("depth")
    count.on(Add)(lambda generator, x, y: max(x, y) + 1)
    z = cl.Space((), cl.Z2)
    f = cl.trace((z, z), lambda x, y: (x + y) + y)
    assert count(f)(0, 0) == 2
    g = cl.trace((z, z), lambda x, y: (x + y) * y)
    assert not count.covers(g)
    with pytest.raises(OperationError, match=r"the functor depth has no rule for multiply .* @depth.on\(Multiply\)"):
        count(g)(0, 0)
    wider = Functor("wider", extends=count)
    wider.on(Multiply)(lambda generator, x, y: max(x, y) + 10)
    assert wider(g)(0, 0) == 11
    assert not count.covers(g)


def test_the_default_functor_is_the_first_that_covers():
    z = cl.Space((), cl.Z2)
    assert isinstance(default_functor(cl.identity(z)), Jax)
    text = cl.trace(cl.Space((), cl.REAL), lambda v: F.sin(v))
    assert not Exact().covers(text)
    assert Jax().covers(text)


def test_an_expansion_stands_in_for_a_rule():
    x = cl.Space((3,), cl.INTEGERS)
    body = cl.trace((cl.Space((), cl.INTEGERS),), lambda v: v * v)
    from catlearn.generators.batching import Map

    squares = Map(body, 3, (True,)).diagram
    assert Exact()(squares)([1, 2, 3]).tolist() == [1, 4, 9]
    products = Functor("products")
    products.on(Multiply)(lambda generator, v, w: v * w)
    assert products(squares)(np.array([1, 2, 3])).tolist() == [1, 4, 9]
    assert squares.dom == (x,)


def test_polynomials_of_bits_and_of_matrices():
    m = cl.Space((2, 2), cl.INTEGERS)
    v = cl.Space((2,), cl.INTEGERS)
    f = cl.trace((m, v), lambda a, x: a @ x)
    assert [str(p) for p in polynomials(f)] == ["x0*x4 + x1*x5", "x2*x4 + x3*x5"]
    b = cl.Space((), cl.BITS)
    assert [str(p) for p in polynomials(cl.trace((b, b), F.xor))] == ["-2*x0*x1 + x0 + x1"]
    assert polynomials(cl.trace(cl.Space(0, cl.INTEGERS), lambda x: F.sum(x)))[0].terms == {}
