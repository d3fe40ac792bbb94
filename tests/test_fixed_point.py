"""Fixed points: against unrolled iterations, the implicit function theorem, finite differences, shortest paths."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numerics import close, real, running

import catlearn as cl
from catlearn import functions as F
from catlearn import layers, losses, optimisers
from catlearn.errors import CompositionError, NotFiniteError, OperationError
from catlearn.functors import Exact, Jax
from catlearn.generators.fixed_point import FixedPoint, fixed_point, newton
from catlearn.parameters import Filled

R = cl.reverse_derivative
NUMBER, VECTOR, MATRIX = real(), real(3), real(3, 3)
BODY = cl.trace((MATRIX, VECTOR, VECTOR), lambda w, b, x: F.tanh(0.2 * (w @ x) + b))
SOLVE = fixed_point(BODY, tolerance=1e-15)


@pytest.fixture(autouse=True)
def wide():
    with jax.enable_x64(True):
        yield


def unrolled(w, b, s, steps=80):
    for _ in range(steps):
        s = jnp.tanh(0.2 * (w @ s) + b)
    return s


def drawn(seed, *spaces):
    generator = np.random.default_rng(seed)
    return [generator.normal(size=space.shape) for space in spaces]


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_the_value_and_R_and_R_of_R_are_those_of_the_unrolled_iteration(seed):
    w, b, s, d, *second = drawn(seed, *SOLVE.dom, VECTOR, *SOLVE.dom)
    close(running(SOLVE)(w, b, s), [unrolled(w, b, s)])
    close(running(R(SOLVE))(w, b, s, d), jax.vjp(unrolled, w, b, s)[1](d))

    def once(w, b, s, d):
        return jax.vjp(unrolled, w, b, s)[1](d)

    close(running(R(R(SOLVE)))(w, b, s, d, *second), jax.vjp(once, w, b, s, d)[1](tuple(second)))


def test_the_implicit_function_theorem_by_hand():
    """dx/db = (1 - J)^-1 diag(1 - x^2), J the derivative of the body in the state."""
    w, b, s, d = drawn(7, *SOLVE.dom, VECTOR)
    (x,) = running(SOLVE)(w, b, s)
    inner = np.diag(1 - x**2)
    expected = d @ np.linalg.solve(np.eye(3) - inner @ (0.2 * w), inner)
    close([running(R(SOLVE))(w, b, s, d)[1]], [expected])


def test_finite_differences():
    w, b, s, d = drawn(8, *SOLVE.dom, VECTOR)
    step, expected = 1e-6, np.zeros(3)
    for k in range(3):
        e = np.eye(3)[k] * step
        (high,), (low,) = running(SOLVE)(w, b + e, s), running(SOLVE)(w, b - e, s)
        expected[k] = d @ (high - low) / (2 * step)
    close([running(R(SOLVE))(w, b, s, d)[1]], [expected], 1e-8)


def test_the_start_has_no_derivative_and_does_not_matter():
    w, b, s, d = drawn(9, *SOLVE.dom, VECTOR)
    close(running(SOLVE)(w, b, s), running(SOLVE)(w, b, 5 * s), 1e-13)
    assert not running(R(SOLVE))(w, b, s, d)[2].any()


def test_the_forward_derivative():
    w, b, s, *v = drawn(10, *SOLVE.dom, *SOLVE.dom)
    close(running(cl.forward_derivative(SOLVE))(w, b, s, *v), [jax.jvp(unrolled, (w, b, s), tuple(v))[1]])


@pytest.mark.parametrize(
    "flags", [(True, True, True), (False, True, True), (False, True, False), (False, False, False)]
)
def test_a_batch_is_each_alone_to_the_last_bit(flags):
    """A sample that has settled stays as it is while the others go on."""
    many = cl.batch(SOLVE, 4, flags)
    arguments = drawn(11, *many.dom)
    expected = [running(SOLVE)(*(x[k] if f else x for x, f in zip(arguments, flags, strict=True)))[0] for k in range(4)]
    (found,) = running(many)(*arguments)
    close([found], [np.stack(expected)], 1e-15)


def test_R_of_a_batch():
    flags = (False, True, True)
    many = cl.batch(SOLVE, 4, flags)
    arguments, d = drawn(12, *many.dom), drawn(13, *many.cod)
    each = jax.vmap(unrolled, in_axes=(None, 0, 0))
    close(running(R(many))(*arguments, *d), jax.vjp(each, *arguments)[1](*d))


def test_a_batch_of_a_batch():
    twice = cl.batch(cl.batch(SOLVE, 2, (False, True, True)), 3, (True, True, True))
    assert twice.nodes[-1][0].samples == 2 or any(getattr(g, "samples", 0) == 2 for g, _, _ in twice.nodes)
    w, b, s = drawn(14, *twice.dom)
    expected = [[unrolled(w[j], b[j, k], s[j, k]) for k in range(2)] for j in range(3)]
    close(running(twice)(w, b, s), [np.array(expected)])


def test_one_sample_that_does_not_settle_leaves_the_others():
    grow = fixed_point(cl.trace((NUMBER, NUMBER), lambda a, x: a * x + 1.0), limit=60, tolerance=1e-12)
    (found,) = running(cl.batch(grow, 3))(np.array([0.5, 2.0, -0.5]), np.zeros(3))
    np.testing.assert_allclose(found, [2.0, math.nan, 2 / 3], rtol=1e-11)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("rate", [2.0, -1.0, 1.0])
def test_what_is_no_contraction_is_not_a_number(rate, compiled):
    """Growth, oscillation and drift; growth is not taken for a rest at infinity."""
    f = fixed_point(cl.trace((NUMBER, NUMBER), lambda p, x: rate * x + p), limit=150)
    run = jax.jit(lambda p, x: Jax()(f)(p, x)) if compiled else f
    assert math.isnan(run(jnp.float32(1.0), jnp.float32(3.0)))
    back = R(f)
    run = jax.jit(lambda *xs: Jax()(back)(*xs)) if compiled else back
    assert math.isnan(run(jnp.float32(1.0), jnp.float32(3.0), jnp.float32(1.0))[0])


def test_not_a_number_in_is_not_a_number_out():
    assert math.isnan(fixed_point(cl.trace((NUMBER, NUMBER), lambda p, x: 0.5 * x + p))(math.nan, 0.0))


def test_several_states_and_none():
    two = cl.trace((NUMBER, NUMBER, VECTOR), lambda p, x, y: (0.3 * F.sin(F.sum(y)) + p, 0.4 * (x * F.tanh(y)) + p))
    p, x, y, *d = drawn(15, *two.dom, *two.cod)

    def steps(p, x, y):
        for _ in range(80):
            x, y = 0.3 * jnp.sin(jnp.sum(y)) + p, 0.4 * (x * jnp.tanh(y)) + p
        return x, y

    solve = fixed_point(two, tolerance=1e-15)
    value, pull = jax.vjp(steps, p, x, y)
    close(running(solve)(p, x, y), value)
    close(running(R(solve))(p, x, y, *d), pull(tuple(d)))
    assert fixed_point(cl.trace(NUMBER, lambda p: []))(1.0) == ()
    assert running(R(fixed_point(cl.trace(NUMBER, lambda p: []))))(1.0)[0] == 0.0


def test_a_state_without_entries_and_a_parameter_that_is_not_used():
    empty = fixed_point(cl.trace((NUMBER, real(0)), lambda p, x: 0.5 * x + p))
    assert running(empty)(1.0, np.zeros(0))[0].shape == (0,)
    unused = fixed_point(cl.trace((NUMBER, NUMBER), lambda p, x: 0.5 * x + 1.0))
    close(running(R(unused))(3.0, 0.0, 1.0), [0.0, 0.0])


def test_a_parameter_shared_with_what_follows():
    f = cl.trace((NUMBER,), lambda p: p * fixed_point(cl.trace((NUMBER,) * 2, lambda p, x: 0.5 * x + p))(p, 0.0 * p))
    close(running(R(f))(3.0, 1.0), [12.0], 1e-5)  # p times 2 p


@pytest.mark.slow
def test_nested_and_in_a_scan_and_of_a_scan():
    inner = fixed_point(cl.trace((NUMBER, NUMBER), lambda p, x: 0.3 * F.sin(x) + p), tolerance=1e-15)
    outer = fixed_point(cl.trace((NUMBER, NUMBER), lambda p, x: 0.3 * inner(p, x) + p), tolerance=1e-15)
    along = cl.scan(cl.trace((NUMBER, NUMBER), lambda s, x: (outer(s, x), inner(x, s))), 3)

    def least(p, x, f):
        return jax.lax.scan(lambda x, _: (f(p, x), None), x, None, length=40)[0]

    def one(p, x):
        return least(p, x, lambda p, x: 0.3 * jnp.sin(x) + p)

    def two(p, x):
        return least(p, x, lambda p, x: 0.3 * one(p, x) + p)

    def reference(s, xs):
        step = lambda s, x: (two(s, x), one(x, s))  # noqa: E731
        return jax.lax.scan(step, s, xs)

    s, xs, d, e = 0.3, np.array([0.1, -0.4, 0.8]), 0.7, np.array([1.0, 2.0, -1.0])
    value, pull = jax.vjp(reference, s, xs)
    close(running(along)(s, xs), value)
    close(running(R(along))(s, xs, d, e), pull((d, e)))
    many = cl.scan(cl.trace((NUMBER,) * 3, lambda p, s, x: s * 0.2 + p * x), 3, shared=1)
    around = cl.trace((NUMBER, real(3), NUMBER), lambda p, x, s: many(p, s, x))
    solve = fixed_point(around, tolerance=1e-15)
    (found,) = running(solve)(2.0, np.array([1.0, 2.0, 3.0]), 0.0)
    close([found], [(2 * 1 * 0.04 + 2 * 2 * 0.2 + 2 * 3) / (1 - 0.008)])
    close(running(R(solve))(2.0, np.array([1.0, 2.0, 3.0]), 0.0, 1.0)[:1], [found / 2])


# exact worlds


def test_shortest_paths_by_min_plus():
    """x = A x + b over (min, +) is the distance to the places where b is 0; against Floyd and Warshall."""
    generator = np.random.default_rng(3)
    n = 6
    lengths = np.where(generator.random((n, n)) < 0.4, generator.integers(1, 9, (n, n)), math.inf).astype(float)
    ends = np.where(np.arange(n) == 2, 0.0, math.inf)
    space, vector = cl.Space((n, n), cl.MIN_PLUS), cl.Space(n, cl.MIN_PLUS)
    solve = fixed_point(cl.trace((space, vector, vector), lambda a, b, x: F.add(a @ x, b)))
    far = np.where(np.eye(n, dtype=bool), 0.0, lengths)
    for k in range(n):
        far = np.minimum(far, far[:, k : k + 1] + far[k])
    for run in (Jax("float64"), Exact()):
        np.testing.assert_array_equal(np.asarray(run(solve)(lengths, ends, ends), float), far[:, 2])
    assert not np.isnan(np.asarray(Exact()(R(solve))(lengths, ends, ends, ends)[0], float)).any()


def test_what_can_be_reached_by_booleans():
    edges = np.array([[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
    space = cl.Space((4, 4), cl.BOOLEAN)
    closure = fixed_point(cl.trace((space, space), lambda a, x: F.add(a, a @ x)))
    expected = np.zeros((4, 4), int)
    expected[:3, :3] = 1
    np.testing.assert_array_equal(np.asarray(closure(edges, np.zeros((4, 4), int)), int), expected)


def test_over_the_integers_modulo_4_all_points():
    """x = 2 x^2 + p settles, for 2 is nilpotent; R is that of the steps written out."""
    number = cl.Space((), cl.Modular(4))
    body = cl.trace((number, number), lambda p, x: 2 * (x * x) + p)
    solve = fixed_point(body)
    steps = cl.trace((number, number), lambda p, x: body(p, body(p, body(p, x))))
    for point in itertools.product(range(4), repeat=3):
        assert Exact()(solve)(*point[:2]) == Exact()(steps)(*point[:2])
        assert Exact()(R(solve))(*point) == Exact()(R(steps))(*point)


# marked bodies, evaluation forms


def test_a_clipped_body():
    clipped = cl.clip_change(NUMBER, 0.1)
    solve = fixed_point(cl.trace((NUMBER, NUMBER), lambda p, x: 0.5 * x + clipped(p)), tolerance=1e-12)
    node = solve.nodes[0][0]
    assert (node.lawful, node.additive) == (False, False)
    assert node.computes() == fixed_point(cl.trace((NUMBER,) * 2, lambda p, x: 0.5 * x + p), tolerance=1e-12)
    close(running(R(solve))(3.0, 0.0, 1.0), [0.1, 0.0])


def test_evaluation_goes_into_the_body():
    keep = layers.dropout(3, 0.5).diagram
    node = FixedPoint(cl.trace((*keep.dom, VECTOR), lambda *w: 0.5 * w[-1] + keep(*w[:-1])))
    (after,) = [g for g, _, _ in node.evaluation().nodes]
    assert after.body == cl.trace(node.dom, lambda *w: 0.5 * w[-1] + w[-2])
    assert SOLVE.nodes[0][0].evaluation() is None


# Newton


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_roots_by_newton(seed):
    cube = newton(cl.trace((VECTOR, VECTOR), lambda p, x: x * x * x + x - p), tolerance=1e-14)
    p, s, d = drawn(seed, VECTOR, VECTOR, VECTOR)
    (x,) = running(cube)(p, s)
    expected = [next(r.real for r in np.roots([1, 0, 1, -q]) if abs(r.imag) < 1e-9) for q in p]
    close([x], [np.array(expected)])
    back = running(R(cube))(p, s, d)
    close(back, [d / (3 * x**2 + 1), np.zeros(3)])
    second = running(R(R(cube)))(p, s, d, np.ones(3), np.zeros(3))
    close(second[:1], [-d * 6 * x / (3 * x**2 + 1) ** 3])


def test_a_root_that_is_not_there():
    assert math.isnan(newton(cl.trace((NUMBER, NUMBER), lambda p, x: x * x + p))(1.0, 0.7))


# training through a solver


def test_training_through_a_solver_and_what_it_says_when_that_diverges():
    """One rate is learnt, of the body x = tanh(a x + u); where |a| grows beyond 1 without tanh, training stops."""

    def model(body):
        solve = fixed_point(body)
        return cl.parametrised(
            "solver", {"rate": cl.Parameter("rate", NUMBER, Filled(0.1))}, (NUMBER,), lambda a, u: solve(a, u, 0.0 * u)
        )

    inputs = np.linspace(-1, 1, 16).astype(np.float32)
    targets = (2.0 * inputs).astype(np.float32)  # x = 0.5 x + u
    data = cl.Data(inputs, targets, inputs, targets)
    straight = model(cl.trace((NUMBER,) * 3, lambda a, u, x: a * x + u))
    learner = cl.supervised(straight, losses.quadratic, optimisers.gd(0.05))
    result = cl.fit(learner, data, epochs=60, batch_size=4, seed=0)
    assert abs(float(jax.tree.leaves(result.parameters)[0]) - 0.5) < 1e-2
    wild = cl.supervised(straight, losses.quadratic, optimisers.gd(30.0))
    with pytest.raises(NotFiniteError):
        cl.fit(wild, data, epochs=5, batch_size=4, seed=0)


# bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"limit": 0}, "the limit of a fixed point must be an integer of at least 1; got 0"),
        ({"limit": True}, "the limit of a fixed point must be an integer of at least 1; got True"),
        ({"tolerance": -1.0}, r"the tolerance of a fixed point must be a number from 0 on; got -1.0"),
        ({"tolerance": math.nan}, "must be a number from 0 on; got nan"),
        ({"tolerance": "small"}, "must be a number from 0 on; got 'small'"),
    ],
)
def test_wrong_numbers(arguments, message):
    with pytest.raises(CompositionError, match=message):
        fixed_point(BODY, **arguments)


def test_wrong_bodies():
    with pytest.raises(CompositionError, match="the states that a fixed point's body takes and returns"):
        fixed_point(cl.trace((NUMBER, VECTOR), lambda p, x: p))
    with pytest.raises(CompositionError, match="the states that a fixed point's body takes and returns"):
        fixed_point(cl.trace((NUMBER,), lambda p: (p, p)))
    with pytest.raises(CompositionError, match="each state needs 1 axes that count samples"):
        FixedPoint(cl.trace((NUMBER, NUMBER), lambda p, x: 0.5 * x + p), samples=1)
    with pytest.raises(CompositionError, match="Newton's method needs f : shared x state -> state"):
        newton(cl.trace((NUMBER, VECTOR), lambda p, x: p))
    with pytest.raises(CompositionError, match="Newton's method needs"):
        newton(cl.trace((), lambda: []))


def test_where_there_is_no_nan_an_error_is_raised():
    number = cl.Space((), cl.INTEGERS)
    count = fixed_point(cl.trace((number, number), lambda p, x: x + p), limit=5)
    for run in (Jax(), Exact()):
        assert int(run(count)(0, 3)) == 3
        with pytest.raises(OperationError, match="no fixed point within 5 steps of its start: raise limit"):
            run(count)(1, 3)
    with pytest.raises(OperationError, match="cannot say that it was not found: run it uncompiled, or by Exact"):
        jax.jit(lambda p: Jax()(count)(p, 3))(jnp.int32(0))


def test_no_polynomial_stands_for_it():
    from catlearn.functors.symbolic import Symbolic

    number = cl.Space((), cl.INTEGERS)
    assert not Symbolic().covers(fixed_point(cl.trace((number, number), lambda p, x: p)))
