"""`compare`: its values, the laws of R on random circuits with it at all points, its marks, and what it refuses."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import catlearn as cl
from catlearn import functions, laws
from catlearn.errors import OperationError
from catlearn.functors import Exact, Jax
from catlearn.functors.symbolic import polynomials
from catlearn.generators.comparison import Compare, characteristic
from catlearn.laws.strategies import diagrams
from catlearn.reverse import forward_derivative
from catlearn.rigs import RATIONALS
from catlearn.serial import decode, encode
from catlearn.substitution import plain

FINITE = {"Z2": cl.Z2, "Z3": cl.Modular(3), "Z4": cl.Modular(4), "Sat3": cl.Saturating(3), "Bool": cl.BOOLEAN}
SIZES = {"Z2": 2, "Z3": 3, "Z4": 4, "Sat3": 3, "Bool": 2}
R = cl.reverse_derivative


def scalar(carrier):
    return cl.Space((), carrier)


def compared(carrier, reverse="zero"):
    return cl.trace((scalar(carrier),) * 2, lambda x, y: functions.compare(x, y, reverse))


def on_all(diagram, size, most=4000):
    """The outputs of a diagram of scalars at all points, or at many random ones where they are more."""
    wires = len(diagram.dom)
    if size**wires <= most:
        points = np.array(list(itertools.product(range(size), repeat=wires)), np.int64).reshape(-1, wires)
    else:
        points = np.random.default_rng(0).integers(0, size, (most, wires))
    results = Exact()(cl.batch(diagram, len(points)))(*points.T)
    return [np.asarray(value).tolist() for value in (results if isinstance(results, tuple) else (results,))]


@pytest.mark.parametrize("functor", [Exact(), Jax()], ids=repr)
@pytest.mark.parametrize("reverse", ["zero", "copy"])
@pytest.mark.parametrize("name", FINITE)
def test_the_value_is_equality(name, reverse, functor):
    size, space = SIZES[name], cl.Space((SIZES[name],) * 2, FINITE[name])
    x, y = np.meshgrid(range(size), range(size))
    f = cl.trace((space, space), lambda x, y: functions.compare(x, y, reverse))
    np.testing.assert_array_equal(np.asarray(functor(f)(x, y)).astype(int), np.eye(size, dtype=int))


@pytest.mark.parametrize(("carrier", "one", "zero"), [(cl.REAL, 1.0, 0.0), (cl.MIN_PLUS, 0.0, np.inf)])
def test_one_and_zero_are_those_of_the_semiring(carrier, one, zero):
    f = cl.trace(cl.Space(3, carrier), lambda x: functions.compare(x, functions.constant(cl.Space((), carrier), 2.5)))
    np.testing.assert_array_equal(np.asarray(Jax()(f)([2.5, 1.0, -3.0])), [one, zero, zero])


def test_scalars_and_numbers_are_compared_with_every_entry():
    ring = cl.Modular(5)
    f = cl.trace(
        (cl.Space(3, ring), cl.Space((), ring)),
        lambda x, y: (
            functions.compare(x, y),
            functions.compare(y, x),
            functions.compare(x, 7),
            functions.compare(2, x),
        ),
    )
    left, right, number, turned = Exact()(f)([1, 2, 3], 3)
    assert left.tolist() == right.tolist() == [0, 0, 1]
    assert number.tolist() == turned.tolist() == [0, 1, 0]


LAWS = ("RD.2", "RD.5", "RD.6", "RD.7")


def with_compare(name, reverse, node=None):
    """The category of polynomial circuits with compare."""
    space = scalar(FINITE[name])
    times = cl.trace((space, space), functions.multiply)
    return laws.Category(name, (space,), (functions.add(space), times, node or compared(FINITE[name], reverse)))


def broken(name, category, data):
    """The laws of R that a random circuit breaks, over one or two inputs; sides are compared at all points."""
    space = category.spaces[0]
    inputs = data.draw(st.integers(1, 2))
    f = data.draw(diagrams(category, (space,) * inputs, (space,)))
    g = data.draw(diagrams(category, (space,), (space,), gates=2))
    values = {"f": f, "g": g, "R": R, "D": forward_derivative}
    found = set()
    for identifier in LAWS:
        law = laws.by_identifier(identifier)
        for left, right in law.sides(**{key: values[key] for key in law.names}):
            assert (left.dom, left.cod) == (right.dom, right.cod)
            if on_all(left, SIZES[name]) != on_all(right, SIZES[name]):
                found.add(identifier)
    return found


@pytest.mark.parametrize("reverse", ["zero", "copy"])
@pytest.mark.parametrize("name", FINITE)
@settings(max_examples=20)
@given(data=st.data())
def test_CIRC_compare_keeps_the_laws_of_R(name, reverse, data):
    assert broken(name, with_compare(name, reverse), data) == set()


@pytest.mark.parametrize("p", [2, 3])
@settings(max_examples=20)
@given(data=st.data())
def test_the_formal_reverse_keeps_the_laws_of_R(p, data):
    assert broken(f"Z{p}", with_compare(f"Z{p}", "formal"), data) == set()


@dataclass(frozen=True)
class Wrong(Compare):
    """The reverse (y d, 0): additive, and the second derivative is not symmetric."""

    def reverse(self):
        return cl.trace((self.space,) * 3, lambda x, y, d: (y * d, functions.zeros(self.space)))


def test_the_laws_see_a_wrong_reverse():
    found = set()

    @settings(max_examples=100)
    @given(data=st.data())
    def search(data):
        found.update(broken("Z3", with_compare("Z3", "", Wrong(scalar(cl.Modular(3))).diagram), data))

    search()
    assert found == {"RD.7"}


@pytest.mark.parametrize("name", FINITE)
def test_the_reverses_written_out(name):
    size, carrier = SIZES[name], FINITE[name]
    d = [d for _ in range(size**2) for d in range(size)]
    assert on_all(R(compared(carrier, "zero")), size) == [[0] * size**3] * 2
    assert on_all(R(compared(carrier, "copy")), size) == [d, d]


@pytest.mark.parametrize("p", [2, 3, 5, 7])
def test_the_formal_compare_is_the_polynomial(p):
    f = compared(cl.Modular(p), "formal")
    assert f.nodes
    assert all(not isinstance(generator, Compare) for generator, _, _ in f.nodes)
    assert on_all(f, p) == on_all(compared(cl.Modular(p)), p)
    slopes = [[(x - y) ** (p - 2) * d % p for x in range(p) for y in range(p) for d in range(p)]]
    slopes.append([-slope % p for slope in slopes[0]])
    assert on_all(R(f), p) == slopes
    swapped = cl.swap(f.dom[:1], f.dom[:1]) >> f
    assert polynomials(f) == polynomials(swapped)
    assert polynomials(cl.copy(f.dom[:1]) >> f) == polynomials(cl.trace(f.dom[:1], lambda x: 0 * x + 1))


@pytest.mark.parametrize("name", FINITE)
def test_CIRC_compare_reflexive(name):
    """copy ; compare is the constant 1 as a function; its R is zero under zero, and 2 d under copy."""
    size, carrier = SIZES[name], FINITE[name]
    for reverse in ("zero", "copy"):
        f = cl.copy(scalar(carrier)) >> compared(carrier, reverse)
        assert on_all(f, size) == [[1] * size]
        assert len(f.nodes) == 1
        zero = on_all(R(f), size) == [[0] * size**2]
        assert zero == (reverse == "zero" or name == "Z2")


def test_marks():
    """Over REAL the derivative is zero, so that copying is not lawful, and what it computes is the lawful one."""
    straight = compared(cl.REAL, "copy")
    assert not straight.lawful
    assert plain(straight) == compared(cl.REAL, "zero")
    assert plain(straight).lawful
    for carrier in (*FINITE.values(), cl.INTEGERS, RATIONALS):
        assert compared(carrier, "zero").lawful
        assert compared(carrier, "copy").lawful
    back = Jax()(R(straight))(1.0, 1.0, 3.0)
    assert [float(v) for v in back] == [3.0, 3.0]


@pytest.mark.parametrize("flags", [*itertools.product((False, True), repeat=2)])
def test_batches(flags):
    space = cl.Space(2, cl.Modular(3))
    f = Compare(space).diagram
    many = cl.batch(f, 4, flags)
    assert all(isinstance(g, Compare) for g, inputs, _ in many.nodes if inputs and len(g.dom) == 2)
    random = np.random.default_rng(0)
    values = [random.integers(0, 3, (4, 2) if flag else 2) for flag in flags]
    rows = [[v[k] if flag else v for v, flag in zip(values, flags, strict=True)] for k in range(4)]
    assert Exact()(many)(*values).tolist() == [(x == y).astype(int).tolist() for x, y in rows]


def test_it_is_kept_as_data():
    for reverse in ("zero", "copy"):
        assert decode(encode(compared(cl.Modular(6), reverse))) == compared(cl.Modular(6), reverse)


def test_characteristic():
    primes = [p for p in range(2, 60) if characteristic(cl.Modular(p)) is not None]
    assert primes == [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59]
    assert characteristic(cl.Modular(59)) == 59
    assert characteristic(cl.Z2) == 2
    assert characteristic(cl.INTEGERS) is None
    assert characteristic(cl.BOOLEAN) is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: compared(cl.Modular(4), "formal"),
            r"modulo a prime alone; got Space\(\(\), Modular\(4\)\): use reverse",
        ),
        (lambda: compared(cl.INTEGERS, "formal"), "modulo a prime alone; got"),
        (lambda: compared(cl.Z2, "straight"), "the reverse 'zero', 'copy', 'formal'; got 'straight'"),
        (lambda: Compare(scalar(cl.Z2), "formal"), "the reverse 'zero' or 'copy'; got 'formal'"),
        (lambda: compared(cl.BITS), r"needs a semiring.*functions.invert\(functions.xor"),
        (lambda: Compare(scalar(cl.Discrete(3))), "needs a semiring"),
        (lambda: functions.compare(1, 2), "compare needs a wire; got 1"),
        (
            lambda: cl.trace((cl.Space(2, cl.Z2), cl.Space(3, cl.Z2)), functions.compare),
            "two wires of one space, or a scalar; got",
        ),
        (lambda: cl.trace((scalar(cl.Z2), scalar(cl.INTEGERS)), functions.compare), "two wires of one space"),
        (lambda: polynomials(compared(cl.Modular(4))), "symbolic has no rule for compare"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(OperationError, match=message):
        make()
