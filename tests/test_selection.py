"""Choosing, largest entries, rows of tables, random draws, dropout and precision, against NumPy, JAX and jax.vjp."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numerics import close, real, running

import catlearn as cl
from catlearn import functions as F
from catlearn import layers
from catlearn.errors import CompositionError, InputError, OperationError
from catlearn.functors import Exact, Jax
from catlearn.generators.dropout import Dropout, dropout
from catlearn.generators.lookup import Collect, Lookup
from catlearn.generators.precision import Lower, Raise, lower, upper
from catlearn.generators.selection import Divides, FirstLargest, MaximumOver
from catlearn.rigs import MIN_PLUS, NATURALS
from catlearn.semirings import BITS, DISCRETE, INTEGERS, KEYS, REAL, TRIVIAL, Z2, Discrete, Modular
from catlearn.space import Space

R = cl.reverse_derivative
FUNCTORS = [Jax(), Exact()]
FEW = settings(max_examples=4, deadline=None)
MANY = settings(max_examples=9, deadline=None)
seeds = st.integers(0, 2**32 - 1)
KEY = Space((), KEYS)
CONDITION = Discrete(2)


def same(left, right):
    np.testing.assert_array_equal(np.asarray(left, float), np.asarray(right, float))


def normals(seed, *shapes):
    generator = np.random.default_rng(seed)
    return [generator.normal(size=shape) for shape in shapes]


def key(seed, *shape):
    made = jax.random.key(seed)
    return jax.random.split(made, shape) if shape else made


# select


def selecting(space, condition=None):
    return cl.trace((Space(space.shape if condition is None else condition, CONDITION), space, space), F.select)


@pytest.mark.parametrize("functor", FUNCTORS, ids=repr)
@pytest.mark.parametrize(
    "carrier", [INTEGERS, Z2, Modular(5), BITS, NATURALS, DISCRETE, Discrete(3), TRIVIAL, MIN_PLUS], ids=repr
)
def test_select_takes_the_first_where_the_condition_is_one_over_every_carrier(carrier, functor):
    diagram = selecting(Space((2, 3), carrier))
    top = {"bit": 2}.get(carrier.kind, 3) if carrier != TRIVIAL else 1
    generator = np.random.default_rng(0)
    c = generator.integers(0, 2, (2, 3))
    x, y = generator.integers(0, top, (2, 2, 3)).astype(float if carrier == MIN_PLUS else int)
    expected = [[a if k == 1 else b for k, a, b in zip(*rows, strict=True)] for rows in zip(c, x, y, strict=True)]
    same(functor(diagram)(c, x, y), expected)


@pytest.mark.parametrize("functor", FUNCTORS, ids=repr)
@pytest.mark.parametrize("carrier", [INTEGERS, Modular(5), BITS, MIN_PLUS], ids=repr)
def test_the_reverse_of_select_gives_each_side_its_share_and_zero(carrier, functor):
    back = R(selecting(Space(4, carrier)))
    assert back.cod == (Space(4, TRIVIAL), *(Space(4, carrier.changes),) * 2)
    c, d = np.array([0, 1, 1, 0]), np.array([1, 2, 3, 4])
    d = d.astype(float) if carrier == MIN_PLUS else d
    zero = carrier.changes.zero
    x, y = np.zeros((2, 4), d.dtype)
    nothing, to_x, to_y = functor(back)(c, x, y, d)
    same(nothing, [0] * 4)
    same(to_x, [zero, 2, 3, zero])
    same(to_y, [1, zero, zero, 4])


def test_select_between_keys_and_C_discrete():
    diagram = selecting(KEY)
    for condition, chosen in ((1, 5), (0, 6)):
        result = diagram(condition, key(5), key(6))
        assert (jax.random.key_data(result) == jax.random.key_data(key(chosen))).all()
    assert [space.carrier for space in R(diagram).cod] == [TRIVIAL] * 3


@FEW
@given(st.lists(st.booleans(), min_size=3, max_size=3), st.integers(1, 3), seeds)
def test_select_in_batches_and_its_reverse_are_jax(flags, size, seed):
    diagram = selecting(real(2))
    many = cl.batch(diagram, size, flags)
    generator = np.random.default_rng(seed)
    c = generator.integers(0, 2, many.dom[0].shape)
    x, y, d = (generator.normal(size=space.shape) for space in (*many.dom[1:], *many.cod))
    axes = [0 if flag else None for flag in flags]

    def reference(x, y):
        if not any(flags):
            return jnp.broadcast_to(jnp.where(c == 1, x, y), (size, 2))
        return jax.vmap(lambda c, x, y: jnp.where(c == 1, x, y), axes)(c, x, y)

    with jax.enable_x64(True):
        value, pull = jax.vjp(reference, x, y)
        expected = pull(jnp.asarray(d))
    close(running(many)(c, x, y), [value])
    close(running(R(many))(c, x, y, d)[1:], expected)


def test_a_scalar_condition_chooses_the_whole_and_the_reverse_of_the_reverse_chooses_too():
    diagram = selecting(real(3), ())
    x, y, d, a, b = normals(1, *[3] * 5)
    close(running(diagram)(1, x, y) + running(diagram)(0, x, y), (x, y))
    twice = R(R(diagram))
    c, to_x, to_y, to_d = running(twice)(0, x, y, d, np.zeros((), int), a, b)
    close((c, to_x, to_y, to_d), (0, np.zeros(3), np.zeros(3), b))


@pytest.mark.parametrize(
    "spaces",
    [
        (Space(2, BITS), real(2), real(2)),
        (Space(2, Discrete(3)), real(2), real(2)),
        (Space(2, CONDITION), real(2), real(3)),
        (Space(2, CONDITION), real(2), Space(2, INTEGERS)),
    ],
    ids=str,
)
def test_select_says_what_it_needs(spaces):
    with pytest.raises(OperationError, match=r"select takes a condition in Discrete\(2\) and two wires of one space"):
        cl.trace(spaces, F.select)


def test_select_refuses_a_condition_of_another_shape_and_what_is_no_wire():
    with pytest.raises(CompositionError, match="select cannot be applied"):
        cl.trace((Space(3, CONDITION), real(2), real(2)), F.select)
    with pytest.raises(OperationError, match=r"select needs a wire; got 0\.0"):
        cl.trace((Space((), CONDITION), real()), lambda c, x: F.select(c, x, 0.0))


# divides


@pytest.mark.parametrize("functor", FUNCTORS, ids=repr)
@pytest.mark.parametrize("number", [1, 2, 7])
def test_divides_is_divisibility(number, functor):
    n = np.arange(15).reshape(3, 5)
    diagram = cl.trace(Space((3, 5), DISCRETE), lambda n: F.divides(number, n))
    assert diagram.cod == (Space((3, 5), CONDITION),)
    same(functor(diagram)(n), [[divmod(k, number)[1] == 0 for k in row] for row in n.tolist()])
    same(functor(cl.batch(diagram, 2))(np.stack([n, n + 1]))[1], (n + 1) % number == 0)
    same(functor(R(diagram))(n, np.zeros((3, 5), int)), np.zeros((3, 5)))


@pytest.mark.parametrize("functor", FUNCTORS, ids=repr)
def test_a_quantity_that_moves_every_third_step_by_divides_and_select(functor):
    step = cl.trace(
        (Space((), DISCRETE), Space((), INTEGERS)), lambda n, x: (F.successor(n), F.select(F.divides(3, n), x + 1, x))
    )
    n, x, seen = 0, 0, []
    for _ in range(7):
        n, x = functor(step)(n, x)
        seen.append(int(x))
    assert seen == [1, 1, 1, 2, 2, 2, 3]


@pytest.mark.parametrize(
    "functor",
    [
        Jax(),
        pytest.param(Exact()),
    ],
    ids=repr,
)
def test_what_divides_gives_is_a_condition_that_select_takes(functor):
    condition = functor(cl.trace(Space(3, DISCRETE), lambda n: F.divides(2, n)))([4, 5, 6])
    same(functor(selecting(Space(3, INTEGERS)))(condition, [1, 2, 3], [7, 8, 9]), [1, 8, 3])


@pytest.mark.parametrize("number", [0, -1, True, 2.0])
def test_divides_needs_a_positive_integer(number):
    with pytest.raises(OperationError, match="divides needs a positive integer; got"):
        Divides(Space((), DISCRETE), number)


def test_divides_acts_on_counters():
    with pytest.raises(OperationError, match=r"divides acts on counters \(DISCRETE\); got"):
        cl.trace(Space((), Discrete(4)), lambda n: F.divides(2, n))


# The largest entry


@st.composite
def shapes_and_axes(draw):
    shape = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    axes = draw(st.sets(st.integers(0, len(shape) - 1), max_size=len(shape)))
    return tuple(shape), tuple(sorted(axes))


def largest(shape, axes):
    return cl.trace(real(*shape), lambda x: F.maximum_over(x, axes))


@MANY
@given(shapes_and_axes(), seeds)
def test_the_largest_entry_and_its_reverse_are_jax_away_from_ties(of, seed):
    shape, axes = of
    diagram = largest(shape, axes)
    generator = np.random.default_rng(seed)
    x = generator.permutation(np.arange(np.prod(shape)) - 20.0).reshape(shape)
    d = generator.normal(size=diagram.cod[0].shape)
    with jax.enable_x64(True):
        value, pull = jax.vjp(lambda x: jnp.max(x, axis=axes), x)
        expected = pull(jnp.asarray(d))
    close(running(diagram)(x), [value])
    close(running(R(diagram))(x, d), expected)


def first_by_loops(x, axes):
    """1 at the first largest entry, in row-major order along the axes."""
    result = np.zeros(x.shape)
    kept = [k for k in range(x.ndim) if k not in axes]
    for at in np.ndindex(*(x.shape[k] for k in kept)):
        best = None
        for inside in np.ndindex(*(x.shape[k] for k in axes)):
            where = tuple(dict(zip((*kept, *axes), (*at, *inside), strict=True))[k] for k in range(x.ndim))
            if best is None or x[where] > x[best]:
                best = where
        result[best] = 1.0
    return result


@MANY
@given(shapes_and_axes(), seeds)
def test_SMOOTH_kink_at_a_tie_the_cotangent_goes_to_the_first(of, seed):
    shape, axes = of
    generator = np.random.default_rng(seed)
    x = generator.integers(-2, 0, shape).astype(float)
    diagram = FirstLargest(real(*shape), axes).diagram
    first = first_by_loops(x, axes)
    close(running(diagram)(x), [first])
    d = generator.normal(size=largest(shape, axes).cod[0].shape)
    close(running(R(largest(shape, axes)))(x, d), [first * np.expand_dims(d, axes)])


@pytest.mark.parametrize("axes", [(0, 2), (1,), (0, 1, 2), (-1, 0), 2, -2, ()], ids=str)
def test_axes_that_are_apart_negative_or_one_number(axes):
    x = normals(3, (2, 4, 3))[0]
    close(running(largest((2, 4, 3), axes))(x), [np.max(x, axis=axes)])


def test_the_largest_of_infinities_and_of_equal_numbers():
    x = np.array([[-np.inf, -np.inf], [np.inf, np.inf], [-0.0, 0.0]])
    same(running(FirstLargest(real(3, 2), (1,)).diagram)(x)[0], [[1, 0]] * 3)
    same(running(largest((3, 2), 1))(x)[0], [-np.inf, np.inf, 0])


@FEW
@given(st.integers(1, 3), st.integers(0, 2), seeds)
def test_batches_of_largest_entries_are_those_of_each(outer, inner, seed):
    back = R(largest((2, 3), (0,)))
    many = cl.batch(cl.batch(back, inner), outer)
    x = np.random.default_rng(seed).integers(-1, 2, many.dom[0].shape).astype(float)
    d = np.random.default_rng(seed + 1).normal(size=many.dom[1].shape)
    result = running(many)(x, d)[0]
    assert result.shape == x.shape
    for at in np.ndindex(outer, inner):
        close([result[at]], [first_by_loops(x[at], (0,)) * d[at]])


def test_the_choice_of_the_largest_has_no_derivative_so_R_of_R_moves_the_cotangent_alone():
    twice = R(R(largest((2, 3), 1)))
    x, d, e = normals(4, (2, 3), 2, (2, 3))
    to_x, to_d = running(twice)(x, d, e)
    close((to_x, to_d), (np.zeros((2, 3)), (first_by_loops(x, (1,)) * e).sum(1)))


@pytest.mark.parametrize(
    ("space", "axes"),
    [
        (real(2, 3), (0, 0)),
        (real(2, 0), (1,)),
        (Space((2, 3), INTEGERS), (0,)),
        (real(2, 3), (2,)),
        (real(2, 3), (-1,)),
        (real(), (0,)),
    ],
    ids=str,
)
def test_the_largest_entry_needs_different_axes_of_positive_length_over_the_reals(space, axes):
    with pytest.raises(OperationError, match="the largest entry is taken along different axes of positive length"):
        MaximumOver(space, axes)


@pytest.mark.parametrize("axis", [2, 5, -3])
def test_the_largest_entry_along_an_axis_that_is_not_there(axis):
    with pytest.raises(OperationError, match="there is no axis"):
        largest((2, 3), axis)


# Tables


def looking(rows, row, places, carrier):
    return cl.trace((Space((rows, *row), carrier), Space(places, Discrete(rows))), F.lookup)


def collected_by_loops(places, rows, table, carrier):
    result = np.full(table, carrier.zero, rows.dtype)
    for at in np.ndindex(*places.shape):
        result[places[at]] = carrier.add(np, result[places[at]], rows[at])
    return result


@pytest.mark.parametrize("functor", FUNCTORS, ids=repr)
@pytest.mark.parametrize("carrier", [INTEGERS, Z2, Modular(4), MIN_PLUS], ids=repr)
@pytest.mark.parametrize(
    ("rows", "row", "places"),
    [(3, (2,), (5,)), (1, (), (4,)), (4, (2, 2), ()), (3, (2,), (2, 3)), (2, (2,), (0,))],
    ids=str,
)
def test_lookup_reads_rows_and_its_reverse_adds_those_of_one_place(rows, row, places, carrier, functor):
    diagram = looking(rows, row, places, carrier)
    generator = np.random.default_rng(5)
    top = {INTEGERS: 9, Z2: 2, Modular(4): 4, MIN_PLUS: 9}[carrier]
    kind = float if carrier == MIN_PLUS else int
    table, d = (generator.integers(0, top, s.shape).astype(kind) for s in (diagram.dom[0], diagram.cod[0]))
    at = generator.integers(0, rows, places)
    same(functor(diagram)(table, at), table[at])
    back, nothing = functor(R(diagram))(table, at, d)
    same(back, collected_by_loops(at, d, table.shape, carrier))
    same(nothing, np.zeros(places))


@FEW
@given(st.integers(1, 4), st.integers(0, 5), seeds)
def test_lookup_over_the_reals_and_its_reverses_are_jax(rows, places, seed):
    diagram = looking(rows, (2,), (places,), REAL)
    t, d, e = normals(seed, (rows, 2), (places, 2), (rows, 2))
    at = np.random.default_rng(seed).integers(0, rows, places)
    with jax.enable_x64(True):
        value, pull = jax.vjp(lambda t: t[at], t)
        back = pull(jnp.asarray(d))
        twice = jax.vjp(lambda d: pull(d)[0], jnp.asarray(d))[1](jnp.asarray(e))
    close(running(diagram)(t, at), [value])
    close(running(R(diagram))(t, at, d)[:1], back)
    to_t, _, to_d = running(R(R(diagram)))(t, at, d, e, np.zeros(places, int))
    close((to_t, to_d), (np.zeros((rows, 2)), *twice))


def test_lookup_and_collect_are_transposes_over_the_integers():
    places = Space((2, 3), Discrete(4))
    look, collect = Lookup(INTEGERS, places, (2,)).diagram, Collect(INTEGERS, places, (2,)).diagram
    generator = np.random.default_rng(6)
    t, r, at = generator.integers(-9, 9, (4, 2)), generator.integers(-9, 9, (2, 3, 2)), generator.integers(0, 4, (2, 3))
    for functor in FUNCTORS:
        left = (np.asarray(functor(look)(t, at)) * r).sum()
        assert left == (t * np.asarray(functor(collect)(at, r))).sum()
        same(functor(R(collect))(at, r, t)[1], t[at])


@pytest.mark.parametrize("functor", FUNCTORS, ids=repr)
@pytest.mark.parametrize("flags", [(False, True), (True, False), (True, True)], ids=str)
@pytest.mark.parametrize("carrier", [INTEGERS, Z2], ids=repr)
def test_PARA_tie_lookup_in_batches_with_its_table_shared_or_stacked(carrier, flags, functor):
    size, diagram = 3, looking(3, (2,), (4,), carrier)
    many = cl.batch(diagram, size, flags)
    generator = np.random.default_rng(8)
    t, d = (generator.integers(0, 2, space.shape) for space in (many.dom[0], many.cod[0]))
    at = generator.integers(0, 3, many.dom[1].shape)
    tables, places = (x if flag else np.stack([x] * size) for x, flag in zip((t, at), flags, strict=True))
    same(functor(many)(t, at), np.stack([tables[k][places[k]] for k in range(size)]))
    each = np.stack([collected_by_loops(places[k], d[k], (3, 2), carrier) for k in range(size)])
    total = each if flags[0] else np.asarray(carrier.sum(np, each, (0,)))
    same(functor(R(many))(t, at, d)[0], total)


def test_a_batch_of_collections_is_each_of_them():
    many = cl.batch(Collect(Z2, Space(5, Discrete(3)), ()).diagram, 4)
    generator = np.random.default_rng(9)
    at, rows = generator.integers(0, 3, (4, 5)), generator.integers(0, 2, (4, 5))
    expected = [collected_by_loops(at[k], rows[k], (3,), Z2) for k in range(4)]
    for functor in FUNCTORS:
        same(functor(many)(at, rows), expected)
        same(jax.jit(functor(many))(at, rows) if isinstance(functor, Jax) else expected, expected)


@pytest.mark.parametrize(
    ("table", "places"),
    [
        (real(3, 2), Space(4, Discrete(4))),
        (real(3, 2), Space(4, DISCRETE)),
        (real(), Space(4, Discrete(3))),
        (real(3), Space(2, INTEGERS)),
    ],
    ids=str,
)
def test_lookup_needs_labels_of_the_rows(table, places):
    with pytest.raises(OperationError, match=r"lookup takes a table of n rows and places in Discrete\(n\); got"):
        cl.trace((table, places), F.lookup)


def test_tables_need_labels_and_addition_and_labels_that_are_there():
    with pytest.raises(OperationError, match=r"places in a table are labels of a Discrete\(n\); got"):
        Lookup(REAL, Space(2, DISCRETE), ())
    with pytest.raises(OperationError, match="BITS has no operation 'add'"):
        Collect(BITS, Space(2, Discrete(3)), ())
    with pytest.raises(InputError, match=r"input 1 has the value 3, which is not in Discrete\(3\)"):
        looking(3, (), (2,), REAL)([1.0, 2.0, 3.0], [0, 3])


# Random draws


DRAWS = {
    "normal": lambda shape: cl.trace(KEY, lambda k: F.normal(k, shape)),
    "bernoulli": lambda shape: cl.trace(KEY, lambda k: F.bernoulli(k, shape, 0.3)),
}


@pytest.mark.parametrize("name", DRAWS)
def test_a_draw_is_a_function_of_its_key(name):
    diagram = DRAWS[name]((40,))
    same(diagram(key(0)), diagram(key(0)))
    assert not np.array_equal(diagram(key(0)), diagram(key(1)))


@pytest.mark.parametrize(("name", "mean", "deviation"), [("normal", 0.0, 1.0), ("bernoulli", 0.3, 0.21**0.5)], ids=str)
def test_the_moments_of_draws(name, mean, deviation):
    x = np.asarray(DRAWS[name]((20_000,))(key(3)))
    assert x.mean() == pytest.approx(mean, abs=5 * deviation / 20_000**0.5)
    assert x.std() == pytest.approx(deviation, abs=0.03)
    if name == "normal":
        assert (np.abs(x) > 1.96).mean() == pytest.approx(0.05, abs=0.01)
    else:
        assert set(np.unique(x)) == {0.0, 1.0}


@pytest.mark.parametrize("probability", [0, 0.0, 1, 1.0])
def test_a_probability_of_zero_or_one_is_certain(probability):
    assert (
        np.asarray(cl.trace(KEY, lambda k: F.bernoulli(k, (3, 2), probability))(key(0))).tolist()
        == [[float(probability)] * 2] * 3
    )


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("keys", [(2,), (2, 3), (0,)], ids=str)
def test_draws_from_arrays_of_keys_and_batches_are_those_from_each_key(name, keys):
    one = DRAWS[name]((4,))
    draw = {"normal": lambda k: F.normal(k, (4,)), "bernoulli": lambda k: F.bernoulli(k, (4,), 0.3)}[name]
    given_keys = key(1, *keys)
    result = cl.trace(Space(keys, KEYS), draw)(given_keys)
    assert result.shape == (*keys, 4)
    for at in np.ndindex(*keys):
        same(result[at], one(given_keys[at]))
    many = one
    for size in reversed(keys):
        many = cl.batch(many, size)
    same(many(given_keys), result)


def test_split_keys_are_those_of_jax_and_differ():
    diagram = cl.trace(KEY, lambda k: F.split_key(k, 5))
    made = jax.random.key_data(diagram(key(7)))
    same(made, jax.random.key_data(jax.random.split(key(7), 5)))
    assert len({tuple(row) for row in made.tolist()}) == 5
    many = cl.batch(diagram, 2)(key(7, 2))
    same(jax.random.key_data(many[1]), jax.random.key_data(diagram(key(7, 2)[1])))


def test_C_discrete_nothing_goes_back_to_a_key():
    for draw in DRAWS.values():
        back = R(draw((3,)))
        assert back.dom == (KEY, real(3))
        assert back.cod == (Space((), TRIVIAL),)
        assert int(back(key(0), normals(0, 3)[0])) == 0


def test_equal_draws_from_one_key_are_one_draw_and_from_two_keys_are_two():
    diagram = cl.trace((KEY, KEY), lambda k, j: (F.normal(k, (3,)) - F.normal(k, (3,)), F.normal(j, (3,))))
    zero, other = diagram(key(0), key(1))
    same(zero, np.zeros(3))
    assert np.abs(np.asarray(other)).min() > 0
    assert [g.name for g, _, _ in diagram.nodes].count("normaldraw") == 2


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan"), "half"])
def test_a_probability_is_from_zero_to_one(probability):
    with pytest.raises(OperationError, match="a probability is a number from 0 to 1; got"):
        cl.trace(KEY, lambda k: F.bernoulli(k, (), probability))


@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("bernoulli", lambda k: F.bernoulli(k, (), 0.5)),
        ("normal", lambda k: F.normal(k, ())),
        ("split_key", lambda k: F.split_key(k, 2)),
    ],
)
def test_draws_are_from_keys(name, draw):
    with pytest.raises(OperationError, match=rf"{name} draws from random keys \(KEYS\); got"):
        cl.trace(real(), draw)


def test_the_exact_functor_has_no_random_numbers():
    with pytest.raises(cl.errors.CatlearnError):
        Exact()(DRAWS["normal"]((2,)))(key(0))


# Dropout


@pytest.mark.parametrize("rate", [0.0, 0.25, 0.9])
def test_dropout_keeps_the_mean_and_zeroes_that_share(rate):
    diagram = Dropout((), (20_000,), rate).diagram
    x = np.abs(normals(10, 20_000)[0]) + 1.0
    y = np.asarray(diagram(key(2), x))
    zero = y == 0
    assert zero.mean() == pytest.approx(rate, abs=0.02)
    np.testing.assert_allclose(y[~zero], x[~zero] / (1 - rate), rtol=1e-5)
    assert y.mean() == pytest.approx(x.mean(), rel=0.1)


@pytest.mark.parametrize("rate", [0.0, 0.5])
def test_dropout_is_linear_with_the_same_mask_on_the_way_back(rate):
    diagram = Dropout((), (50,), rate).diagram
    x, d, e = normals(11, 50, 50, 50)
    mask = running(diagram)(key(0), np.ones(50))[0]
    close(running(diagram)(key(0), x), [x * mask])
    close(running(R(diagram))(key(0), x, d)[1:], [d * mask])
    to_x, to_d = running(R(R(diagram)))(key(0), x, d, np.zeros((), int), e)[1:]
    close((to_x, to_d), (np.zeros(50), e * mask))
    assert 0 < (mask == 0).mean() < 1 or rate == 0


def test_dropout_in_batches_has_a_mask_for_each_key():
    diagram = Dropout((), (30,), 0.5).diagram
    x, d = normals(12, (3, 30), (3, 30))
    keys = key(4, 3)
    stacked, shared = cl.batch(diagram, 3), cl.batch(diagram, 3, [False, True])
    each = [running(diagram)(keys[k], x[k])[0] for k in range(3)]
    close(running(stacked)(keys, x), [np.stack(each)])
    masks = np.stack([running(diagram)(keys[k], np.ones(30))[0] for k in range(3)])
    assert not np.array_equal(masks[0], masks[1])
    close(running(R(stacked))(keys, x, d)[1:], [d * masks])
    close(running(shared)(keys[0], x), [x * masks[0]])
    close(running(R(shared))(keys[0], x, d)[1:], [d * masks[0]])
    twice = cl.batch(stacked, 2)
    close(running(twice)(jnp.stack([keys, keys]), np.stack([x, -x])), [np.stack([np.stack(each), -np.stack(each)])])


def test_after_training_dropout_is_the_identity_in_batches_too():
    model = layers.dense(2, 3, "tanh") >> layers.dropout(3, 0.7) >> layers.dense(3, 2)
    plain = layers.dense(2, 3, "tanh") >> layers.dense(3, 2)
    assert model.names[2] == "dropout_0.key"
    assert model.evaluation() == plain
    assert model.evaluation().names == plain.names
    many = model.batch(4)
    after = cl.Para.evaluation(many)
    assert after.diagram == plain.batch(4).diagram


@pytest.mark.parametrize("rate", [1.0, 1, -0.1, True, None, "0.5"])
def test_the_rate_of_dropout_is_below_one(rate):
    with pytest.raises(OperationError, match="the rate of dropout is a number from 0 to below 1; got"):
        layers.dropout(3, rate)


def test_dropout_acts_on_the_reals():
    with pytest.raises(OperationError, match="dropout acts on REAL; got"):
        cl.trace((KEY, Space(2, INTEGERS)), lambda k, x: dropout(k, x, 0.5))


# Precision


@pytest.mark.parametrize("kind", [Lower, Raise])
def test_lower_and_raise_are_the_identity_in_one_precision_and_R_exchanges_them(kind):
    other = {Lower: Raise, Raise: Lower}[kind]
    x, d = normals(13, (2, 3), (2, 3))
    diagram = kind(real(2, 3)).diagram
    for precision in ("float32", "float64"):
        functor = Jax(precision)
        low = np.asarray(x, precision)
        same(functor(diagram)(x), low)
        same(functor(R(diagram))(x, d), np.asarray(d, precision))
    assert [type(g) for g, _, _ in R(diagram).nodes] == [other]
    assert cl.dagger(cl.dagger(diagram)) == diagram
    assert cl.batch(diagram, 4) == kind(real(4, 2, 3)).diagram


def test_mixed_precision_computes_in_bfloat16_between_lower_and_raise():
    functor = Jax("mixed")
    x = normals(14, 5)[0]
    low = functor(Lower(real(5)).diagram)(x)
    assert low.dtype == jnp.bfloat16
    same(low, jnp.asarray(x, jnp.bfloat16))
    there_and_back = functor(lower(real(5)) >> upper(real(5)))(x)
    assert there_and_back.dtype == jnp.float32
    same(there_and_back, jnp.asarray(x, jnp.bfloat16))
    assert functor(Raise(real(5)).diagram)(low).dtype == jnp.float32


def test_only_the_real_wires_of_an_object_are_lowered():
    spaces = (real(2), Space(3, Discrete(4)), KEY, real())
    names = [g.name for g, _, _ in (lower(spaces) >> upper(spaces)).nodes]
    assert sorted(names) == ["lower", "lower", "raise", "raise"]
    assert lower(spaces).dom == lower(spaces).cod == spaces
    assert lower(()) == cl.identity(())


def products(diagram, *arguments):
    """The dtypes that the matrix products of a program are of."""
    program = jax.make_jaxpr(Jax("mixed")(diagram))(*arguments)
    return {str(e.outvars[0].aval.dtype) for e in program.eqns if e.primitive.name == "dot_general"}


def test_a_lowered_model_multiplies_in_bfloat16_and_stores_float32():
    model = layers.dense(4, 8, "tanh") >> layers.dense(8, 3)
    many = model.lowered().batch(16)
    generator = np.random.default_rng(15)
    values = [generator.normal(size=s.shape).astype("float32") for s in (*many.diagram.dom, *many.diagram.cod)]
    back = R(many.diagram)
    assert products(many.diagram, *values[:-1]) == products(back, *values) == {"bfloat16"}
    assert products(model.batch(16).diagram, *values[:-1]) == {"float32"}
    low, high = Jax("mixed")(back)(*values), Jax()(R(model.batch(16).diagram))(*values)
    for a, b in zip(low, high, strict=True):
        assert a.dtype == jnp.float32
        assert 0 < np.linalg.norm(a - b) < 0.02 * np.linalg.norm(b)
    assert (many.names, many.evaluation().names) == (model.names, model.names)


@pytest.mark.parametrize("precision", ["bfloat16", "mixed"])
@pytest.mark.parametrize("way", ["sum", "mean", "contract"])
def test_sums_of_many_small_numbers_do_not_stick_in_low_precision(way, precision):
    def total(x, y):
        return {"sum": F.sum(x), "mean": F.mean(x), "contract": F.einsum("ij,k->k", x, y)}[way]

    spaces = (real(64, 64), real(1))
    diagram = lower(spaces) >> cl.trace(spaces, total)
    found = np.asarray(Jax(precision)(diagram)(np.ones((64, 64)), np.ones(1)), float)
    np.testing.assert_allclose(found.ravel(), [1.0 if way == "mean" else 4096.0], rtol=0.01)


@pytest.mark.parametrize(
    "length",
    [
        pytest.param(0),
        1,
        4,
    ],
)
def test_a_repeated_layer_in_mixed_precision_is_near_that_in_float32(length):
    model = layers.repeat(layers.dense(3, 3, "tanh"), length)
    generator = np.random.default_rng(16)
    values = [generator.normal(size=space.shape) for space in model.diagram.dom]
    low = Jax("mixed")(model.lowered().diagram)(*values)
    assert low.dtype == jnp.float32
    np.testing.assert_allclose(low, Jax()(model.diagram)(*values), atol=0.05)
