"""Modes of differentiation and Taylor expansions: against jax.jvp, jax.vjp, jax.jacobian, jet, SymPy, polynomials."""

import math
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.experimental.jet import jet
from numerics import close, real, running

import catlearn as cl
from catlearn import functions as F
from catlearn.errors import CompositionError, InputError, OperationError, UnknownNameError
from catlearn.functors import Exact
from catlearn.functors.expressions import expressions
from catlearn.functors.symbolic import polynomials
from catlearn.generators.fixed_point import fixed_point
from catlearn.laws.oracles import formal_derivative
from catlearn.systems import linear_maps, modes
from catlearn.systems.linear_maps import FORWARD, MATRICES, REVERSE, Continuations, Dual
from catlearn.systems.taylor import Jets, expansion, taylor

NUMBER, VECTOR, MATRIX = real(), real(3), real(2, 3)
INTEGER = cl.Space((), cl.INTEGERS)


@pytest.fixture(autouse=True)
def wide():
    with jax.enable_x64(True):
        yield


def drawn(seed, spaces):
    generator = np.random.default_rng(seed)
    return [generator.normal(size=space.shape) for space in spaces]


def network(w, x, a):
    """Two outputs; the matrix, the vector and the number are each read twice."""
    h = F.tanh(F.einsum("ij,j->i", w, x)) * a
    return F.einsum("ij,i->j", w, h) + F.sin(x), F.sum(h * h) * a


def network_of_jax(w, x, a):
    h = jnp.tanh(w @ x) * a
    return h @ w + jnp.sin(x), jnp.sum(h * h) * a


MODEL = cl.trace((MATRIX, VECTOR, NUMBER), network)
LOSS = MODEL.select([1])


# first derivatives


@pytest.mark.parametrize("seed", range(1))
def test_forward_and_reverse_are_jvp_and_vjp(seed):
    point, v, d = drawn(seed, MODEL.dom), drawn(seed + 10, MODEL.dom), drawn(seed + 20, MODEL.cod)
    value, along = jax.jvp(network_of_jax, tuple(point), tuple(v))
    close(running(modes.forward(MODEL))(*point, *v), along)
    back = jax.vjp(network_of_jax, *point)[1](tuple(d))
    close(running(modes.reverse(MODEL))(*point, *d), back)
    for maps in (REVERSE, Continuations(REVERSE, MODEL.cod)):
        close(running(modes.differentiated(MODEL, maps))(*point, *d), (*value, *back))
    for maps in (FORWARD, Dual(REVERSE), Continuations(FORWARD, MODEL.cod)):
        close(running(modes.differentiated(MODEL, maps))(*point, *v), (*value, *along))


@pytest.mark.parametrize("mode", [*modes.JACOBIANS, None])
def test_every_mode_gives_the_jacobian(mode):
    point = drawn(3, MODEL.dom)
    expected = [block for row in jax.jacobian(network_of_jax, (0, 1, 2))(*point) for block in row]
    close(running(modes.jacobian(MODEL, mode))(*point), expected)


def test_matrices_in_all_their_forms():
    point = drawn(4, MODEL.dom)
    rows = jax.jacobian(network_of_jax, (0, 1, 2))(*point)
    sizes_in, sizes_out = [6, 3, 1], [3, 1]
    blocks = [
        [np.reshape(b, (m, n)) for b, n in zip(r, sizes_in, strict=True)] for r, m in zip(rows, sizes_out, strict=True)
    ]
    columns = [[blocks[j][i].T for j in range(2)] for i in range(3)]
    for maps, expected in (
        (MATRICES, blocks),
        (Continuations(MATRICES, MODEL.cod), blocks),
        (Dual(MATRICES), columns),
        (Continuations(Dual(MATRICES), MODEL.cod), columns),
    ):
        found = running(modes.differentiated(MODEL, maps))(*point)[2:]
        close(found, [block for row in expected for block in row])


def test_reverse_is_the_core_s_diagram():
    assert modes.reverse(MODEL) == cl.reverse_derivative(MODEL)


@pytest.mark.parametrize("carrier", [cl.Z2, cl.Modular(4), cl.INTEGERS, cl.NATURALS, cl.MIN_PLUS], ids=str)
def test_over_semirings_it_is_the_formal_derivative(carrier):
    x = cl.Space((), carrier)
    f = cl.trace((x, x), lambda a, b: (a * a * b + b, a * b))
    assert polynomials(modes.reverse(f)) == formal_derivative(f)
    expected = [p.derivative(f"x{i}") for p in polynomials(f) for i in range(2)]
    for mode in modes.JACOBIANS:
        assert list(polynomials(modes.jacobian(f, mode))) == expected


def test_bits_change_by_integers():
    bit = cl.Space((), cl.BITS)
    f = cl.trace((bit, bit), lambda x, y: (F.xor(x, y), F.include(x * y)))
    assert polynomials(modes.reverse(f)) == formal_derivative(f)
    found = [int(np.asarray(b)[0, 0]) for b in Exact()(modes.differentiated(f, MATRICES))(1, 1)[2:]]
    assert found == [-1, -1, 1, 1]  # of x + y - 2 x y and x y at (1, 1)


def test_the_linear_map_does_not_change_with_the_nesting():
    """D^ of the same composite, nested the other way, is the same diagram."""
    parts = [cl.trace(VECTOR, F.tanh), cl.trace(VECTOR, lambda x: x * x), cl.trace(VECTOR, F.sum)]
    left, right = (parts[0] >> parts[1]) >> parts[2], parts[0] >> (parts[1] >> parts[2])
    for maps in (FORWARD, REVERSE, MATRICES):
        assert modes.differentiated(left, maps) == modes.differentiated(right, maps)


@pytest.mark.slow
def test_long_chains_do_not_recurse():
    f = cl.trace(NUMBER, lambda x: x)
    for _ in range(1500):
        f = f >> cl.trace(NUMBER, F.sin)
    for maps in (FORWARD, REVERSE, Continuations(REVERSE, f.cod)):
        assert len(modes.differentiated(f, maps).nodes) < 8000


def test_corner_cases():
    nothing = cl.trace((), lambda: [])
    for maps in (FORWARD, REVERSE, MATRICES, Dual(MATRICES), Continuations(MATRICES, ())):
        assert modes.differentiated(nothing, maps) == nothing
    unused = cl.trace((NUMBER, VECTOR), lambda a, x: F.constant(VECTOR, 2.0))
    close(running(modes.reverse(unused))(1.0, np.ones(3), np.ones(3)), [0.0, np.zeros(3)])
    close(running(modes.forward(unused))(1.0, np.ones(3), 1.0, np.ones(3)), [np.zeros(3)])
    for mode in modes.JACOBIANS:
        found = running(modes.jacobian(unused, mode))(1.0, np.ones(3))
        close(found, [np.zeros(3), np.zeros((3, 3))])
    empty = cl.trace((real(0), NUMBER), lambda x, a: x * a)
    for mode in modes.JACOBIANS:
        shapes = [b.shape for b in running(modes.jacobian(empty, mode))(np.zeros(0), 1.0)]
        assert shapes == [(0, 0), (0,)]
    label = cl.Space((), cl.Discrete(3))
    hot = cl.trace((label, VECTOR), lambda k, x: F.one_hot(k) * x)
    close(running(modes.reverse(hot))(1, np.ones(3), np.ones(3))[1:], [[0.0, 1.0, 0.0]])
    assert running(modes.differentiated(hot, MATRICES))(1, np.ones(3))[2].tolist() == np.diag([0.0, 1.0, 0.0]).tolist()
    assert np.isnan(running(modes.reverse(cl.trace(NUMBER, F.sin)))(math.nan, 1.0)[0])


@pytest.mark.slow
def test_scans_maps_and_solvers_differentiate():
    cell = cl.trace((VECTOR, VECTOR), lambda s, x: (F.tanh(s + x), F.sum(s * x)))
    solve = fixed_point(cl.trace((VECTOR, VECTOR), lambda p, x: 0.3 * F.sin(x) + p), tolerance=1e-15)
    f = cl.trace((VECTOR, real(2, 3)), lambda s, xs: (*cl.scan(cell, 2)(s, xs), solve(s, 0.0 * s)))

    def reference(s, xs):
        end, out = jax.lax.scan(lambda s, x: (jnp.tanh(s + x), jnp.sum(s * x)), s, xs)
        y = s
        for _ in range(60):
            y = 0.3 * jnp.sin(y) + s
        return end, out, y

    s, xs, v, vs = drawn(6, (*f.dom, *f.dom))
    close(running(modes.forward(f))(s, xs, v, vs), jax.jvp(reference, (s, xs), (v, vs))[1])
    blocks = [b for row in jax.jacobian(reference, (0, 1))(s, xs) for b in row]
    for mode in ("forward", "reverse", "matrices"):
        close(running(modes.jacobian(f, mode))(s, xs), blocks)


# second derivatives


@pytest.mark.parametrize("mode", modes.SECOND)
def test_hessian_vector_products(mode):
    point, v, d = drawn(1, LOSS.dom), drawn(2, LOSS.dom), drawn(3, MODEL.cod)

    def loss(*xs):
        return network_of_jax(*xs)[1]

    expected = jax.jvp(jax.grad(loss, (0, 1, 2)), tuple(point), tuple(v))[1]
    close(running(modes.hessian_vector(LOSS, mode))(*point, *v), expected)

    def pulled(*xs):
        return jax.vjp(network_of_jax, *xs)[1](tuple(d))

    expected = jax.jvp(pulled, tuple(point), tuple(v))[1]
    close(running(modes.second_derivative(MODEL, mode))(*point, *v, *d), expected)


def test_the_gradient_and_a_third_derivative():
    point, v, w = drawn(1, LOSS.dom), drawn(2, LOSS.dom), drawn(3, LOSS.dom)
    grad = jax.grad(lambda *xs: network_of_jax(*xs)[1], (0, 1, 2))
    close(running(modes.gradient(LOSS))(*point), grad(*point))

    def second(*xs):
        return jax.jvp(grad, xs, tuple(v))[1]

    third = modes.forward(modes.hessian_vector(LOSS))
    held = [np.zeros(space.shape) for space in LOSS.dom]
    close(running(third)(*point, *v, *w, *held), jax.jvp(second, tuple(point), tuple(w))[1], 1e-10)


# cost


def test_the_waist():
    down, up = drawn(0, [real(2, 8), real(9, 2)])

    def narrow(x):
        middle = F.tanh(F.einsum("ij,j->i", F.constant(real(2, 8), down), x))
        return F.einsum("ij,j->i", F.constant(real(9, 2), up), middle)

    f = cl.trace(real(8), narrow)
    assert modes.sweeps(f) == {"forward": 8, "reverse": 9, "mixed": 2}
    (x,) = drawn(1, f.dom)
    close(running(modes.jacobian(f))(x), [up @ np.diag(1 - np.tanh(down @ x) ** 2) @ down])
    assert modes.jacobian(f) == modes.jacobian(f, "mixed")


def test_reverse_holds_no_jacobian():
    n = 20
    f = cl.trace((real(n, n), real(n, n), real(n)), lambda a, b, x: F.sum(F.tanh(a @ F.tanh(b @ x))))
    sizes = {s.size for g, i, _ in modes.reverse(f).select([2]).nodes if i for s in g.cod}
    assert max(sizes) <= n * n  # the outer products for a and b, which nothing reads, are gone
    held = modes.reverse(f).select([2]).nodes
    assert max(s.size for g, i, _ in held if i for s in g.cod) == n
    jacobians = modes.differentiated(f, MATRICES)
    assert max(s.size for g, i, _ in jacobians.nodes if i for s in g.cod) >= n**3


# a category of one's own


class Traces(linear_maps.Functions):
    """Functions of changes that note which generators they are made of."""

    def __init__(self):
        self.seen = []

    def generator(self, generator, point, transposed=False):
        self.seen.append(generator.name)
        return super().generator(generator, point, transposed)


def test_a_category_of_one_s_own():
    maps = Traces()
    f = cl.trace(NUMBER, lambda x: F.sin(x) * x)
    assert modes.differentiated(f, maps) == modes.differentiated(f, FORWARD)
    assert sorted(maps.seen) == ["multiply", "sin"]


# Taylor


def curve(function, coefficients, order):
    """Coefficients of function(sum_k c_k t^k) by nested jax.jvp."""

    def at(t):
        return function(*(sum(c[k] * t**k for k in range(order + 1)) for c in coefficients))

    results, derivative = [jax.tree.leaves(at(0.0))], at
    for k in range(1, order + 1):
        derivative = (lambda g: lambda t: jax.jvp(g, (t,), (1.0,))[1])(derivative)
        results.append([y / math.factorial(k) for y in jax.tree.leaves(derivative(0.0))])
    return [y for ys in results for y in ys]


@pytest.mark.parametrize("order", [0, 1, pytest.param(3, marks=pytest.mark.slow)])
def test_taylor_is_nested_jvp(order):
    series = taylor(MODEL, order)
    given = drawn(order, series.dom)
    n = len(MODEL.dom)
    coefficients = [[given[k * n + j] for k in range(order + 1)] for j in range(n)]
    close(running(series)(*given), curve(network_of_jax, coefficients, order), 1e-10)


@pytest.mark.parametrize("name", ["exp", "log", "sin", "cos", "tanh", "sqrt", "sigmoid", "erf"])
def test_taylor_is_jet(name):
    """`jet` gives derivatives: k! times the coefficients."""
    order = 5
    function = {"sigmoid": jax.nn.sigmoid, "erf": jax.scipy.special.erf}.get(name) or getattr(jnp, name)
    given = [np.array(0.7), *drawn(2, [NUMBER] * order)]
    factorials = [math.factorial(k) for k in range(order + 1)]
    primals, series = jet(function, (given[0],), ([c * f for c, f in zip(given[1:], factorials[1:], strict=True)],))
    expected = [primals, *(s / f for s, f in zip(series, factorials[1:], strict=True))]
    close(running(taylor(cl.trace(NUMBER, lambda x: F.apply(name, x)), order))(*given), expected, 1e-10)


@pytest.mark.parametrize(
    ("function", "symbolic"),
    [
        (lambda x: F.exp(F.sin(x)), lambda x: sympy.exp(sympy.sin(x))),
        (lambda x: 1.0 / (2.0 + x * F.tanh(x)), lambda x: 1 / (2 + x * sympy.tanh(x))),
        (lambda x: F.power(x, F.sqrt(x)), lambda x: x ** sympy.sqrt(x)),
        (lambda x: F.softplus(x) - F.log(x), lambda x: sympy.log(1 + sympy.exp(x)) - sympy.log(x)),
    ],
)
def test_expansions_are_the_series_of_sympy(function, symbolic):
    t, order, at = sympy.Symbol("t"), 5, sympy.Rational(6, 5)
    g = symbolic(at + t)
    expected = [float(sympy.diff(g, t, k).subs(t, 0).evalf(30) / math.factorial(k)) for k in range(order + 1)]
    close(running(expansion(cl.trace(NUMBER, function), order))(1.2, 1.0), expected, 1e-10)


def test_loops_and_solvers_go_along_with_their_jets():
    cell = cl.trace((NUMBER, VECTOR, VECTOR), lambda a, s, x: (F.tanh(a * s + x), F.sum(s * x)))
    f = cl.scan(cell, 3, shared=1)
    solve = fixed_point(cl.trace((VECTOR, VECTOR), lambda p, x: 0.3 * F.sin(x) + p), tolerance=1e-15)

    def along(a, s, xs):
        end, out = jax.lax.scan(lambda s, x: (jnp.tanh(a * s + x), jnp.sum(s * x)), s, xs)
        return end, out

    def steps(p, x):
        for _ in range(60):
            x = 0.3 * jnp.sin(x) + p
        return x

    for diagram, reference in ((f, along), (solve, steps)):
        series = taylor(diagram, 3)
        assert len(series.nodes) < 30  # one loop
        given, n = drawn(1, series.dom), len(diagram.dom)
        close(
            running(series)(*given),
            curve(reference, [[given[k * n + j] for k in range(4)] for j in range(n)], 3),
            1e-10,
        )


@pytest.mark.slow
def test_a_jax_function_and_a_softmax():
    f = cl.trace(VECTOR, lambda x: cl.from_jax(lambda x: jnp.cos(x) * x, VECTOR, VECTOR)(F.log_softmax(x)))
    series = taylor(f, 3)
    given = drawn(2, series.dom)

    def reference(x):
        y = jax.nn.log_softmax(x)
        return jnp.cos(y) * y

    close(running(series)(*given), curve(reference, [given], 3), 1e-10)


coefficient = st.integers(0, 5)


@settings(max_examples=15, deadline=None)
@given(st.lists(coefficient, min_size=1, max_size=5), st.integers(-3, 3), st.integers(-3, 3))
def test_over_the_integers_coefficients_are_those_of_the_polynomial(numbers, x, v):
    """sum_k c_k (x + t v)^k by the binomial theorem."""

    def horner(wire):
        total = F.constant(INTEGER, numbers[-1])
        for c in reversed(numbers[:-1]):
            total = total * wire + c
        return total

    order = 4
    expected = [
        sum(c * math.comb(k, j) * x ** (k - j) * v**j for k, c in enumerate(numbers) if k >= j)
        for j in range(order + 1)
    ]
    assert [int(y) for y in Exact()(expansion(cl.trace(INTEGER, horner), order))(x, v)] == expected


def test_rationals_divide_exactly():
    x = cl.Space((), cl.RATIONALS)
    f = expansion(cl.trace(x, lambda x: F.constant(x.space, 1) / (F.constant(x.space, 1) + x)), 4)
    assert list(Exact()(f)(2, 1)) == [Fraction((-1) ** k, 3 ** (k + 1)) for k in range(5)]


def test_over_z2_coefficients_are_there_where_derivatives_vanish():
    """x^2 at 1 + t is 1 + t^2 over Z2, though its second derivative is 2 = 0."""
    bit = cl.Space((), cl.Z2)
    assert [int(c) for c in expansion(cl.trace(bit, lambda x: x * x), 2)(1, 1)] == [1, 0, 1]


def test_the_size_is_quadratic_in_the_order():
    sizes = [len(taylor(cl.trace(NUMBER, F.tanh), n).nodes) for n in (4, 8, 16)]
    assert sizes[2] < 4.5 * sizes[1] < 4.5**2 * sizes[0]


def test_taylor_corner_cases():
    assert taylor(MODEL, 0) == MODEL
    assert taylor(cl.trace((), lambda: []), 3).dom == ()
    unused = cl.trace((NUMBER, NUMBER), lambda x, y: F.constant(NUMBER, 3.0))
    close(running(expansion(unused, 2))(1.0, 2.0, 1.0, 1.0), [3.0, 0.0, 0.0])
    label = cl.Space((), cl.Discrete(3))
    hot = cl.trace((label, VECTOR), lambda k, x: F.one_hot(k) * (x * x))
    series = taylor(hot, 2)
    zeros = np.zeros((), np.uint8)
    given = [1, np.ones(3), zeros, np.full(3, 2.0), zeros, np.full(3, 5.0)]
    close(running(series)(*given), [[0, 1, 0], [0, 4, 0], [0, 14, 0]])
    kink = expansion(cl.trace(NUMBER, F.relu), 3)
    close(running(kink)(2.0, 1.0), [2.0, 1.0, 0.0, 0.0])
    close(running(kink)(0.0, 1.0), [0.0, 0.0, 0.0, 0.0])
    empty = taylor(cl.trace((real(0),), F.sin), 2)
    assert [y.shape for y in running(empty)(*[np.zeros(0)] * 3)] == [(0,)] * 3


def test_marked_nodes_follow_their_put():
    """A straight-through sign has the derivative of the identity and no second one."""
    sign = cl.surrogate("sign", cl.trace(NUMBER, F.sign), cl.trace((NUMBER,) * 2, lambda x, d: d), additive=True)
    close(running(taylor(sign, 2))(-0.5, 2.0, 3.0), [-1.0, 2.0, 3.0])
    series = taylor(sign, 1)
    close(running(series)(-0.5, 2.0), [-1.0, *running(cl.forward_derivative(sign))(-0.5, 2.0)])


def test_a_rule_of_one_s_own():
    rules = Jets(2)
    from catlearn.generators.elementwise import Function

    @rules.on(Function)
    def only_values(generator, jet):
        return (generator(jet[0]), None, None)

    close(running(taylor(cl.trace(NUMBER, F.sin), 2, rules))(0.5, 1.0, 1.0), [math.sin(0.5), 0.0, 0.0])
    with pytest.raises(InputError, match="the functor is of jets of order 2, and the order asked for is 3"):
        taylor(cl.trace(NUMBER, F.sin), 3, rules)


def test_expressions_too():
    (x, v) = sympy.symbols("x v", real=True)
    f = expansion(cl.trace(NUMBER, lambda x: x * x * x), 3)
    found = expressions(f, (np.array(x, object), np.array(v, object)))
    assert [sympy.expand(y) for y in found] == [x**3, 3 * v * x**2, 3 * v**2 * x, v**3]


# bad input


def test_wrong_names_and_types():
    with pytest.raises(UnknownNameError, match="no mode of a Jacobian is called 'backward'"):
        modes.jacobian(MODEL, "backward")
    with pytest.raises(UnknownNameError, match="no second derivative is called 'reverse'"):
        modes.second_derivative(MODEL, "reverse")
    for function in (modes.gradient, modes.hessian_vector):
        with pytest.raises(OperationError, match="a gradient is of a map into one number; got"):
            function(MODEL)
    bit = cl.Space((), cl.BITS)
    mixed = cl.trace((bit, NUMBER), lambda b, x: x)
    with pytest.raises(OperationError, match="a Jacobian needs inputs and outputs that change in one semiring"):
        modes.jacobian(mixed)
    with pytest.raises(OperationError, match=r"a Taylor expansion needs values that are their own changes.*BITS"):
        taylor(cl.trace((bit, bit), F.xor), 2)
    number = cl.Space((), cl.INTEGERS)
    back = cl.trace((number,) * 2, lambda x, d: x * d)
    half = cl.surrogate("half", cl.trace(number, lambda x: x), back, additive=True)
    assert taylor(half, 1).dom == (number,) * 2
    with pytest.raises(OperationError, match=r"the jet of half beyond order 1 divides by 2, 3, \.\.\., which INTEGERS"):
        taylor(half, 2)
    for order in (-1, True, 1.5, "2"):
        with pytest.raises(InputError, match="the order of a Taylor expansion is an integer of at least 0"):
            taylor(MODEL, order)


def test_linear_maps_that_do_not_meet():
    one, two = FORWARD.identity((NUMBER,)), FORWARD.identity((VECTOR,))
    with pytest.raises(CompositionError, match="cannot compose linear maps"):
        FORWARD.compose(one, two)
    maps = Continuations(REVERSE, (VECTOR,))
    with pytest.raises(CompositionError, match="continuations are seen on maps into their result"):
        modes.differentiated(cl.trace(NUMBER, F.sin), maps)


def test_a_generator_without_a_derivative():
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Bare(cl.Generator):
        dom = cod = (NUMBER,)

    with pytest.raises(OperationError, match="bare has no derivative: give its class a reverse"):
        modes.forward(Bare().diagram)
