"""Carriers: the axioms of a commutative semiring, elements, and what bits and discrete sets lack."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import RINGS, SEMIRINGS, Saturating, Tropical, elements

import catlearn as cl
from catlearn.errors import OperationError

FINITE = [cl.Z2, cl.Modular(3), cl.Modular(4), cl.Modular(6), Saturating(), Saturating(size=2), cl.TRIVIAL]


def values(carrier):
    return [v for v in range(8) if carrier.contains(np.array(v))]


@pytest.mark.parametrize("carrier", FINITE, ids=repr)
def test_semiring_axioms_exhaustively(carrier):
    def add(x, y):
        return carrier.add(np, x, y)

    def mul(x, y):
        return carrier.multiply(np, x, y)

    every = values(carrier)
    for x, y, z in itertools.product(every, repeat=3):
        assert add(add(x, y), z) == add(x, add(y, z))
        assert mul(mul(x, y), z) == mul(x, mul(y, z))
        assert mul(x, add(y, z)) == add(mul(x, y), mul(x, z))
        assert add(x, y) == add(y, x)
        assert mul(x, y) == mul(y, x)
    for x in every:
        assert add(x, carrier.zero) == x
        assert mul(x, carrier.one) == x
        assert mul(x, carrier.zero) == carrier.zero
        if carrier.has("negate"):
            assert add(x, carrier.negate(np, x)) == carrier.zero


@given(st.data())
def test_operations_stay_inside_and_sums_are_folds(data):
    carrier = data.draw(st.sampled_from(SEMIRINGS))
    rows = data.draw(st.lists(elements(carrier), max_size=9))
    total = carrier.sum(np, np.array(rows, np.int64), (0,))
    fold = carrier.zero
    for value in rows:
        fold = carrier.add(np, fold, value)
    assert total == fold
    assert carrier.contains(np.asarray(total)).all()


@given(st.data())
def test_contraction_is_the_sum_of_products(data):
    carrier = data.draw(st.sampled_from([*SEMIRINGS, Tropical()]))
    n, m, k = (data.draw(st.integers(1, 3)) for _ in range(3))
    pool = st.integers(0, 5) if carrier.name == "TROPICAL" else elements(carrier)
    x = np.array([[data.draw(pool) for _ in range(m)] for _ in range(n)], np.int64)
    y = np.array([[data.draw(pool) for _ in range(k)] for _ in range(m)], np.int64)
    product = carrier.contract(np, [x, y], [(0, 1), (1, 2)], (2, 0))
    for i, j in itertools.product(range(n), range(k)):
        total = carrier.multiply(np, x[i, 0], y[0, j])
        for a in range(1, m):
            total = carrier.add(np, total, carrier.multiply(np, x[i, a], y[a, j]))
        assert product[j, i] == total


def test_a_sum_over_z2_keeps_its_parity_past_256():
    ones = np.ones(1001, np.uint8)
    assert int(cl.Z2.sum(np, ones, (0,))) == 1
    f = cl.trace(cl.Space(1001, cl.Z2), lambda x: cl.functions.sum(x))
    assert int(f(ones)) == 1


@pytest.mark.parametrize("carrier", RINGS, ids=repr)
def test_from_integer(carrier):
    for number in range(-5, 6):
        expected = number if carrier == cl.INTEGERS else number % carrier.from_integer(-1).__add__(1)
        assert carrier.from_integer(number) == expected
    assert Saturating().from_integer(9) == 3
    with pytest.raises(OperationError, match="SATURATING has no operation 'negate'"):
        Saturating().from_integer(-1)


def test_a_new_semiring_is_one_class():
    """A tropical circuit runs, and its R is the formal derivative: R[min] = (d, d), R[+] = (y + d, x + d)."""
    from catlearn.functors import Exact

    x = cl.Space((), Tropical())
    minimum = cl.trace((x, x), lambda v, w: v + w)
    plus = cl.trace((x, x), lambda v, w: v * w)
    assert int(Exact()(minimum)(4, 7)) == 4
    assert tuple(map(int, Exact()(cl.reverse_derivative(minimum))(4, 7, 3))) == (3, 3)
    assert tuple(map(int, Exact()(cl.reverse_derivative(plus))(4, 7, 3))) == (10, 7)


def test_bits():
    assert cl.BITS.changes == cl.INTEGERS
    assert not cl.BITS.has("add")
    with pytest.raises(OperationError, match=r"functions.xor for exclusive or .* functions.include"):
        cl.BITS.require("add")
    assert [int(v) for v in cl.BITS.multiply(np, np.array([0, 1, 1]), np.array([1, 0, 1]))] == [0, 0, 1]


def test_discrete_spaces():
    """C.discrete: one wire for one wire, changes in the one-element monoid, R into and out of it zero."""
    label = cl.Space((3,), cl.Discrete(4))
    assert label.changes == cl.Space((3,), cl.TRIVIAL)
    assert label.changes.changes == label.changes
    assert cl.Discrete(4).contains(np.array([-1, 0, 3, 4])).tolist() == [False, True, True, False]
    f = cl.trace(cl.Space((), cl.Discrete(3)), lambda k: cl.functions.one_hot(k))
    r = cl.reverse_derivative(f)
    assert r.cod == (cl.Space((), cl.TRIVIAL),)
    assert np.asarray(r(2, [0.3, 0.4, 0.5])) == 0


@pytest.mark.parametrize("bad", [1, 0, -3, True, 2.0, 10**6])
def test_modulus_is_checked(bad):
    with pytest.raises(OperationError, match="from 2 to 32768"):
        cl.Modular(bad)


def test_equality_is_by_value():
    assert cl.Modular(5) == cl.Modular(5) != cl.Modular(7)
    assert cl.Discrete(5) == cl.Discrete(5) != cl.Discrete(6)
    assert cl.Z2 != cl.BITS
    assert hash(cl.Modular(5)) == hash(cl.Modular(5))
    assert [repr(c) for c in (cl.REAL, cl.Z2, cl.BITS, cl.Modular(5), cl.Discrete(2), cl.DISCRETE)] == [
        "REAL",
        "Z2",
        "BITS",
        "Modular(5)",
        "Discrete(2)",
        "DISCRETE",
    ]


def test_large_moduli_do_not_overflow():
    modulus = 2**15
    x = cl.Space((4000,), cl.Modular(modulus))
    f = cl.trace((x, x), lambda v, w: cl.functions.einsum("i,i->", v, w))
    top = np.full(4000, modulus - 1)
    assert int(f(top, top)) == 4000 % modulus
