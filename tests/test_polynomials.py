"""Circuits of functions against their tables, counts of polynomial functions, and simplification that keeps R."""

import itertools
import re
import subprocess
import sys
from fractions import Fraction
from math import factorial, gcd, prod
from pathlib import Path

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import catlearn as cl
from catlearn import functions, laws
from catlearn.errors import InputError, OperationError
from catlearn.functors import Exact, Jax
from catlearn.functors.symbolic import polynomials
from catlearn.generators.comparison import Compare
from catlearn.laws.circuits import polynomial_functions
from catlearn.laws.strategies import diagrams
from catlearn.polynomials import from_function, simplified
from catlearn.rigs import RATIONALS, TROPICAL_INTEGERS

R = cl.reverse_derivative
MODELS = Path(__file__).resolve().parents[1] / "models"


def scalar(carrier):
    return cl.Space((), carrier)


def table_of(diagram, values):
    """The values of a circuit of scalars at all points, one table an output."""
    points = np.array(list(itertools.product(values, repeat=len(diagram.dom))), np.int64)
    results = Exact()(cl.batch(diagram, len(points)))(*points.T)
    return [np.asarray(v).tolist() for v in (results if isinstance(results, tuple) else (results,))]


# The exact semirings


def test_rationals_are_exact():
    x = scalar(RATIONALS)
    third = cl.trace(x, lambda a: a / 3 + a / 6 - a)
    assert Exact()(third)(10**40 + 1) == Fraction(-(10**40) - 1, 2)
    assert Exact()(cl.trace(x, lambda a: 0.1 * a))(3) == Fraction(0.1) * 3
    back = R(cl.trace((x, x), lambda a, b: a / b))
    assert Exact()(back)(1, 3, 1) == (Fraction(1, 3), Fraction(-1, 9))
    assert float(Jax()(third)(1.0)) == pytest.approx(-0.5)
    with pytest.raises(InputError, match="inf, which is not in RATIONALS"):
        Exact()(third)(float("inf"))
    with pytest.raises(ZeroDivisionError):
        Exact()(cl.trace(x, lambda a: 1 / a))(0)
    row = cl.trace(cl.Space(3, RATIONALS), lambda v: (functions.sum(v / 3), functions.einsum("i,i->", v, v / 7)))
    assert Exact()(row)([1, 2, 4]) == (Fraction(7, 3), Fraction(3))


def test_tropical_integers_are_exact():
    x = scalar(TROPICAL_INTEGERS)
    f = cl.trace((x, x), lambda a, b: a * a * b + 1 * b + 0)
    big = 10**30
    assert Exact()(f)(big + 1, 2) == 2
    assert Exact()(cl.trace((x, x), lambda a, b: a * a * b))(big + 1, 2) == 2 * big + 4
    assert Exact()(f)(3, float("inf")) == float("inf")
    assert Exact()(R(f))(3, 5, 1) == (9, 1)
    for bad in (0.5, float("nan"), -float("inf")):
        with pytest.raises(InputError, match="not in TROPICAL_INTEGERS"):
            Exact()(f)(bad, 1)
    assert float(Jax()(f)(3.0, 5.0)) == 5.0


@pytest.mark.parametrize("carrier", [RATIONALS, TROPICAL_INTEGERS, cl.Modular(6)], ids=repr)
def test_CIRC_eqs_with_equal_R(carrier):
    chosen = [
        law
        for law in laws.CATALOGUE
        if re.match(r"CIRC\.(add|mul|copy|zero|one|dist|ann|cons|R$|func)", law.identifier)
    ]
    assert len(chosen) > 18
    report = laws.check(carrier, laws=chosen, examples=4)
    assert not report.wrong
    assert len(report.rows) == len(chosen)


# Polynomials of functions


@pytest.mark.parametrize("arity", [0, 1, 2, 3])
def test_every_boolean_function_has_its_algebraic_normal_form(arity):
    points = list(itertools.product((0, 1), repeat=arity))
    for values in itertools.product((0, 1), repeat=len(points)):
        known = dict(zip(points, values, strict=True))
        f = from_function(lambda *x, known=known: known[x], cl.Z2, arity)
        assert table_of(f, (0, 1)) == [list(values)]
        (came,) = polynomials(f)
        form = set()  # by definition: the coefficient of a product is the sum of f over what lies below
        for top in points:
            if sum(known[p] for p in points if all(a <= b for a, b in zip(p, top, strict=True))) % 2:
                form.add(tuple((f"x{k}", 1) for k, bit in enumerate(top) if bit))
        assert set(came.terms) == form


def test_boolean_circuits_are_small():
    def nodes(function, arity):
        return len(from_function(function, cl.Z2, arity).nodes)

    assert nodes(lambda *x: sum(x) % 2, 10) == 9
    assert nodes(lambda *x: int(all(x)), 10) == 9
    assert nodes(lambda x, y, z: int(x + y + z > 1), 3) == 4
    assert nodes(lambda x, y, z: x, 3) == 0
    assert nodes(lambda *x: 1, 4) == 1
    table = np.random.default_rng(0).integers(0, 2, (2,) * 12)
    f = from_function(table, cl.Z2, 12)
    assert len(f.nodes) < 1200  # with all products apart about 2,000 sums and 4,000 products
    assert table_of(f, (0, 1)) == [table.ravel().tolist()]


@pytest.mark.parametrize("p", [2, 3, 5, 7, 31])
def test_modulo_a_prime_the_polynomial_is_the_reduced_one(p):
    random = np.random.default_rng(p)
    arity = 1 if p == 31 else 2
    for _ in range(4):
        table = random.integers(0, p, (p,) * arity)
        f = from_function(table, cl.Modular(p), arity)
        assert table_of(f, range(p)) == [table.ravel().tolist()]
        (came,) = polynomials(f)
        assert all(exponent < p for monomial in came.terms for _, exponent in monomial)


def test_modulo_a_prime_the_coefficients_are_lagranges():
    x, p = sympy.symbols("x0"), 5
    for table in ([4, 2, 2, 4, 3], [0, 1, 4, 4, 1], [0, 0, 0, 0, 1]):
        lagrange = sum(v * (1 - (x - a) ** (p - 1)) for a, v in enumerate(table))
        expected = sympy.Poly(lagrange, x, modulus=p)
        (came,) = polynomials(from_function(table, cl.Modular(p), 1))
        powers = {dict(monomial).get("x0", 0): c for monomial, c in came.terms.items()}
        assert powers == {e: c % p for (e,), c in expected.terms() if c % p}


def is_polynomial(table, n):
    try:
        f = from_function(table, cl.Modular(n), np.ndim(table))
    except OperationError:
        return False
    assert table_of(f, range(n)) == [np.ravel(table).tolist()]
    return True


@pytest.mark.parametrize(("n", "count"), [(2, 4), (3, 27), (4, 64)])
def test_CIRC_fc_count(n, count):
    accepted = {t for t in itertools.product(range(n), repeat=n) if is_polynomial(list(t), n)}
    assert accepted == polynomial_functions(cl.Modular(n), 1)
    assert len(accepted) == count == prod(n // gcd(n, factorial(k)) for k in range(n))


def test_CIRC_fc_count_of_six():
    """108 of 46,656: the accepted among all tables of polynomials, each polynomial, and no others in a sample."""
    tables = {
        tuple(sum(c * x**k for k, c in enumerate(cs)) % 6 for x in range(6))
        for cs in itertools.product(range(6), repeat=4)
    }
    assert len(tables) == 108
    assert all(is_polynomial(list(table), 6) for table in tables)
    random = np.random.default_rng(0)
    sample = {tuple(random.integers(0, 6, 6).tolist()) for _ in range(300)}
    assert all(is_polynomial(list(table), 6) == (table in tables) for table in sample)


@pytest.mark.parametrize("n", [4, 6, 8, 9])
def test_polynomials_of_two_variables_modulo_a_composite_are_found(n):
    random = np.random.default_rng(n)
    x, y = np.meshgrid(range(n), range(n), indexing="ij")
    for _ in range(5):
        table = sum(random.integers(0, n) * x ** random.integers(0, 4) * y ** random.integers(0, 4) for _ in range(5))
        assert is_polynomial(table % n, n)
        table[0, 1] += 1
        assert not is_polynomial(table % n, n)


def test_CIRC_fc_composite():
    for n in range(2, 12):
        assert is_polynomial([1] + [0] * (n - 1), n) == sympy.isprime(n)


@pytest.mark.parametrize("carrier", [cl.BOOLEAN, cl.Saturating(2)], ids=repr)
def test_CIRC_fc_monotone(carrier):
    """The 20 monotone functions of three bits are found, and the others refused."""
    points = list(itertools.product((0, 1), repeat=3))
    below = [
        (i, j)
        for i, p in enumerate(points)
        for j, q in enumerate(points)
        if all(a <= b for a, b in zip(p, q, strict=True))
    ]
    found = 0
    for values in itertools.product((0, 1), repeat=8):
        table = np.array(values).reshape(2, 2, 2)
        if all(values[i] <= values[j] for i, j in below):
            assert table_of(from_function(table, carrier, 3), (0, 1)) == [list(values)]
            found += 1
        else:
            with pytest.raises(OperationError, match=r"monotone .*falls somewhere: give reverse="):
                from_function(table, carrier, 3)
    assert found == 20
    (majority,) = polynomials(from_function(lambda x, y, z: int(x + y + z > 1), carrier, 3))
    assert {tuple(name for name, _ in monomial) for monomial in majority.terms} == {
        ("x0", "x1"),
        ("x0", "x2"),
        ("x1", "x2"),
    }


@pytest.mark.parametrize("reverse", ["zero", "copy"])
@pytest.mark.parametrize("carrier", [cl.Modular(4), cl.Modular(3), cl.Saturating(3), cl.BOOLEAN, cl.Z2], ids=repr)
def test_CIRC_fc_with_compare_every_function_has_a_circuit(carrier, reverse):
    size = {"Modular(4)": 4, "BOOLEAN": 2, "Z2": 2}.get(carrier.name, 3)
    random = np.random.default_rng(1)
    for arity in (0, 1, 2, 3):
        table = random.integers(0, size, (*(size,) * arity, 2))
        f = from_function(lambda *x, table=table: tuple(table[x]), carrier, arity, reverse=reverse)
        assert table_of(f, range(size)) == [table[..., k].ravel().tolist() for k in (0, 1)]
        assert {g.choice for g, _, _ in f.nodes if isinstance(g, Compare)} <= {reverse}
        assert len(R(f).cod) == arity
    unused = from_function(lambda x, y: (y * y + 1) % size, carrier, 2, reverse=reverse)
    assert not any(0 in inputs for _, inputs, _ in unused.nodes)


def test_several_outputs_share_their_parts():
    adder = from_function(lambda x, y, c: ((x + y + c) % 2, (x + y + c) // 2), cl.Z2, 3)
    assert table_of(adder, (0, 1)) == [[0, 1, 1, 0, 1, 0, 0, 1], [0, 0, 0, 1, 0, 1, 1, 1]]
    assert len(adder.nodes) < len(adder.select([0]).nodes) + len(adder.select([1]).nodes)
    assert from_function(lambda x: (), cl.Z2, 1).cod == ()
    assert table_of(from_function(lambda: 2, cl.Modular(3), 0), ()) == [[2]]


def test_R_is_that_of_the_polynomial_and_not_of_the_function():
    """x and x**3 are one function modulo 3; the circuit is that of x."""
    f = from_function(lambda x: x**3 % 3, cl.Modular(3), 1)
    assert f == cl.identity(scalar(cl.Modular(3)))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((lambda x: x, cl.INTEGERS, 1), OperationError, "finite, of at most 1024 values; got INTEGERS"),
        ((lambda x: x, cl.REAL, 1), OperationError, "finite, of at most 1024 values; got REAL"),
        ((lambda x: x, cl.Modular(2000), 1), OperationError, "at most 1024 values"),
        ((lambda x: x, cl.BITS, 1), OperationError, "needs a semiring with 0 and 1 apart; got BITS"),
        ((lambda x: x, cl.TRIVIAL, 1), OperationError, "0 and 1 apart"),
        ((lambda x: x, cl.Z2, -1), InputError, "the arity is a number from 0"),
        ((lambda *x: 0, cl.Z2, 17), InputError, "at most 65536 points; got 17 and 2 values"),
        ((lambda x: x, cl.Z2, True), InputError, "the arity is a number from 0"),
        ((lambda x: x + 1, cl.Z2, 1), InputError, "2, which is not in Z2"),
        ((lambda x: 0.5, cl.Z2, 1), InputError, "0.5.*, which is not in Z2"),
        ((lambda x: 1.0, cl.Z2, 1), InputError, "1.0.*, which is not in Z2"),
        ((lambda x: None, cl.Z2, 1), InputError, "None, which is not in Z2"),
        ((lambda x: (x,) * x, cl.Z2, 1), InputError, "one value everywhere, or tuples of one length"),
        ((lambda x: (x,) if x else x, cl.Z2, 1), InputError, "one value everywhere, or tuples"),
        (([0, 1, 1], cl.Z2, 1), InputError, r"has shape \(2,\), and one more axis .*; got shape \(3,\)"),
        (([0, 2, 1, 3], cl.Modular(4), 1), OperationError, r"no polynomial over Modular\(4\)"),
        (([0, 1, 0], cl.Saturating(3), 1), OperationError, "monotone"),
        (([0, 1, 1], cl.Saturating(3), 1), OperationError, "sought over the integers modulo n and the Booleans alone"),
    ],
)
def test_what_is_no_function_of_a_finite_semiring(arguments, error, message):
    with pytest.raises(error, match=message):
        from_function(*arguments)


# Simplification

CARRIERS = [cl.Z2, cl.Modular(4), cl.Modular(6), cl.NATURALS, cl.INTEGERS, cl.BOOLEAN, cl.Saturating(3), cl.MIN_PLUS]
CARRIERS += [TROPICAL_INTEGERS, RATIONALS]


def circuits(carrier):
    x = scalar(carrier)
    gates = [functions.add(x), cl.trace((x, x), functions.multiply)]
    if carrier.has("negate"):
        gates += [cl.trace(x, functions.negate), cl.trace((x, x), lambda a, b: a - b)]
    return laws.Category("", (x,), tuple(gates))


@pytest.mark.parametrize("carrier", CARRIERS, ids=repr)
@settings(max_examples=25)
@given(data=st.data())
def test_simplified_circuits_denote_the_same_and_have_the_same_R(carrier, data):
    x = scalar(carrier)
    f = data.draw(diagrams(circuits(carrier), (x,) * data.draw(st.integers(0, 3)), (x,) * 2, gates=9))
    g = simplified(f)
    assert (g.dom, g.cod) == (f.dom, f.cod)
    assert polynomials(g) == polynomials(f)
    assert polynomials(R(g)) == polynomials(R(f))
    assert simplified(g) == g


def after(carrier, function, wires=2):
    return simplified(cl.trace((scalar(carrier),) * wires, function))


def same(carrier, left, right, wires=2):
    return after(carrier, left, wires) == cl.trace((scalar(carrier),) * wires, right)


def test_units_and_constants_go():
    for carrier in (cl.INTEGERS, cl.BOOLEAN, cl.Modular(4), cl.MIN_PLUS):
        assert same(carrier, lambda x, y: (x * 1 + 0) * (y + 0) + 0 * y, lambda x, y: x * y)
    assert same(cl.INTEGERS, lambda x: (2 + x) + 3, lambda x: x + 5, 1)
    assert same(cl.INTEGERS, lambda x: (2 * x) * 3, lambda x: x * 6, 1)
    assert same(cl.INTEGERS, lambda x: x - x, lambda x: functions.zeros(x.space), 1)
    assert same(cl.INTEGERS, lambda x, y: 0 - (-x) - y, lambda x, y: x - y)
    assert same(cl.INTEGERS, lambda x, y: -x - y, lambda x, y: -x - y)
    assert same(cl.BOOLEAN, lambda x: x + x, lambda x: x, 1)
    assert same(cl.Z2, lambda x, y: (x + y) + x, lambda x, y: y)
    assert same(cl.Modular(3), lambda x: x + x + x, lambda x: functions.zeros(x.space), 1)
    assert same(cl.Modular(4), lambda x: (2 * x) * 2, lambda x: functions.zeros(x.space), 1)


def test_order_and_nesting_do_not_matter():
    left = after(cl.INTEGERS, lambda x, y, z: (x + y * z) + (z + x * y), 3)
    assert left == after(cl.INTEGERS, lambda x, y, z: (y * x + z) + (x + z * y), 3)
    assert after(cl.INTEGERS, lambda x, y, z: (x * y) * z, 3) == after(cl.INTEGERS, lambda x, y, z: z * (y * x), 3)


def test_CIRC_polynotfun_nothing_is_done_by_truth_table():
    square = cl.trace(scalar(cl.Z2), lambda x: x * x)
    assert simplified(square) == square
    assert len(after(cl.Z2, lambda x: x * x + x, 1).nodes) == 2
    assert len(after(cl.BOOLEAN, lambda x: x * x, 1).nodes) == 1
    assert len(after(cl.BOOLEAN, lambda x, y: x + x * y).nodes) == 2  # absorption is no equation of semirings
    assert len(after(cl.Modular(3), lambda x: x * x * x, 1).nodes) == 2
    assert after(cl.BITS, lambda x: x * x, 1).nodes
    assert same(cl.BITS, lambda x, y: (x * 1) * y, lambda x, y: x * y)
    assert same(cl.BITS, lambda x, y: x * 0 * y, lambda x, y: functions.constant(x.space, 0))


def test_products_are_not_multiplied_out_and_what_is_shared_stays_shared():
    f = cl.trace((scalar(cl.INTEGERS),) * 2, lambda x, y: (x + y) * (x + y))
    assert simplified(f) == f

    def powers(x):
        for _ in range(20):
            x = x * x + 1
        return x

    assert len(after(cl.Modular(7), powers, 1).nodes) == 41


def test_other_nodes_and_shapes_are_kept():
    row = cl.Space(3, cl.REAL)
    f = cl.trace((row, row), lambda x, y: functions.sum(functions.tanh(x + 0.0) * 1.0) + functions.sum(y * 0.0))
    g = simplified(f)
    assert [type(n).__name__ for n, _, _ in g.nodes].count("Multiply") == 0
    np.testing.assert_allclose(Jax()(g)([1.0, 2.0, 3.0], [1.0] * 3), np.tanh([1.0, 2.0, 3.0]).sum(), rtol=1e-6)
    known = cl.trace(row, lambda x: x * functions.constant(x.space, [1.0, 2.0, 3.0]) + x)
    assert len(simplified(known).nodes) == 3
    clip = cl.clip_change(scalar(cl.REAL), 1.0)
    gone = cl.trace(scalar(cl.REAL), lambda x: clip(x) * 0.0)
    assert [type(n).__name__ for n, _, _ in simplified(gone).nodes].count("Surrogate") == 1
    label = cl.trace(scalar(cl.Discrete(3)), functions.one_hot)
    assert simplified(label) == label
    assert simplified(cl.identity(row)) == cl.identity(row)


def test_fractions_that_no_constant_holds_are_not_folded():
    x = scalar(RATIONALS)
    f = cl.trace(x, lambda a: (a * 0.1) * 0.1 + 0.5 * a + 0.25 * a)
    g = simplified(f)
    assert Exact()(g)(3) == Exact()(f)(3) == Fraction(0.1) ** 2 * 3 + Fraction(9, 4)
    assert len(g.nodes) < len(f.nodes)


def test_long_chains_take_no_long():
    def chain(x, y):
        total = x * y
        for k in range(4000):
            total = total + (k + 2) * x
        return total

    assert len(after(cl.INTEGERS, chain).nodes) == 4


def test_minimal_circuits_of_functions_stay_what_they_are():
    random = np.random.default_rng(0)
    for carrier, n in ((cl.Z2, 2), (cl.Modular(5), 5)):
        f = from_function(random.integers(0, n, (n,) * 3), carrier, 3)
        g = simplified(f)
        assert len(g.nodes) <= len(f.nodes)
        assert polynomials(R(g)) == polynomials(R(f))


# The model file


@pytest.mark.parametrize(
    ("settings", "low", "high"),
    [
        ([], 100, 100),
        (["MODULUS=31"], 100, 100),
        (["MODULUS=31", "BASIS=powers"], 0, 20),
        (["MODULUS=31", "EXPONENT=31"], 0, 20),
    ],
)
def test_the_rotor_is_learnt_exactly_and_fails_where_it_must(settings, low, high, tmp_path):
    given = [f"--set={text}" for text in settings]
    done = subprocess.run(
        [sys.executable, "-m", "catlearn.cli", "train", str(MODELS / "mod_circuit.py"), *given],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    for part in ("train", "test"):
        assert low <= float(re.search(rf"{part} accuracy +([\d.]+)", done.stdout)[1]) <= high


def test_the_rotor_refuses_another_basis(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "catlearn.cli", "train", str(MODELS / "mod_circuit.py"), "--set=BASIS=waves"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=200,
    )
    assert done.returncode != 0
    assert "BASIS is 'indicators' or 'powers'; got 'waves'" in done.stderr


def test_CIRC_wrap_equal_rows_of_one_batch_cancel():
    """n equal rows move an entry by n times the error, which is nothing; one row puts it right."""
    ring = cl.Modular(6)
    places = cl.trace(
        cl.Space((), ring), lambda x: functions.compare(x, functions.constant(cl.Space(6, ring), range(6)))
    )
    table = cl.Parameter("table", cl.Space(6, ring))
    model = cl.parametrised(
        "t", {"table": table}, cl.Space((), ring), lambda w, x: functions.einsum("a,a->", w, places(x))
    )
    learner = cl.supervised(model, cl.losses.difference, cl.optimisers.reverse_derivative_ascent())
    for size, expected in ((1, 5), (2, 4), (6, 0)):
        moved = Exact()(learner.step(size))([0] * 6, [5] * size, [2] * size)
        assert moved.tolist() == [0, 0, expected, 0, 0, 0]
