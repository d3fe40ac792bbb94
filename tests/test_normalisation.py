"""Batch and layer normalisation against NumPy, jax.vjp, Equinox, and a training step written with JAX and optax."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numerics import close, real, running

import catlearn as cl
from catlearn import layers, losses, optimisers
from catlearn.errors import OperationError
from catlearn.functors import Jax
from catlearn.generators.normalisation import BatchNormalise, batch_normalise
from catlearn.semirings import INTEGERS
from catlearn.space import Space

R = cl.reverse_derivative
FEW = settings(max_examples=5, deadline=None)
seeds = st.integers(0, 2**32 - 1)
shapes = st.sampled_from([(3,), (2, 3)])  # few, for every new shape is compiled
sizes = st.sampled_from([1, 4])
EPSILON = 1e-5


def normals(seed, *all_shapes):
    generator = np.random.default_rng(seed)
    return [generator.normal(1.0, 2.0, size=shape) for shape in all_shapes]


def as_spaces(seed, spaces):
    return normals(seed, *(space.shape for space in spaces))


def moments(x):
    axes = tuple(range(x.ndim - 1))
    return x.mean(axes), x.var(axes)


def normalised(x, epsilon=EPSILON):
    mean, variance = moments(x)
    return (x - mean) / (variance + epsilon) ** 0.5


def pulled(function, values, cotangent):
    """The value and the cotangents, by JAX in float64."""
    with jax.enable_x64(True):

        def both(d, *xs):
            value, pull = jax.vjp(function, *xs)
            return (value, *pull(d))

        return jax.jit(both)(jnp.asarray(cotangent), *map(jnp.asarray, values))


def node(shape, rate=0.1, epsilon=EPSILON):
    return BatchNormalise(real(*shape), rate, epsilon).diagram


# Batch normalisation: scale, shift, mean, variance, x


@FEW
@given(shapes, sizes, seeds)
def test_the_training_form_on_a_batch_is_the_formula_whatever_the_statistics(shape, size, seed):
    many = layers.batch_normalisation(shape).batch(size).diagram
    scale, shift, m, v, x = as_spaces(seed, many.dom)
    axes = tuple(range(x.ndim - 1))
    expected = scale * (x - x.mean(axes)) / np.sqrt(x.var(axes) + EPSILON) + shift
    close(running(many)(scale, shift, m, v, x), [expected], 1e-9)
    close(running(many)(scale, shift, m + 3, -v, x), [expected], 1e-9)


@FEW
@given(shapes, sizes, seeds)
def test_the_reverse_of_batch_normalisation_is_that_of_the_map_on_the_whole_batch(shape, size, seed):
    many = layers.batch_normalisation(shape, rate=0.3).batch(size).diagram
    scale, shift, m, v, x, d = as_spaces(seed, (*many.dom, *many.cod))
    _, to_scale, to_shift, to_x = pulled(lambda a, b, x: a * normalised(x) + b, (scale, shift, x), d)
    mean, variance = moments(x)
    expected = (to_scale, to_shift, 0.3 * (mean - m), 0.3 * (variance - v), to_x)
    close(running(R(many))(scale, shift, m, v, x, d), expected, 1e-7)


@pytest.mark.parametrize("times", [0.0, 1.0, -3.0], ids=str)
def test_LENS_share_the_statistics_move_by_as_much_whatever_the_cotangent(times):
    m, v, x, d = normals(1, 3, 3, (4, 3), (4, 3))
    back = running(R(node((4, 3), 0.25)))(m, v, x, times * d)
    mean, variance = moments(x)
    close(back[:2], (0.25 * (mean - m), 0.25 * (variance - v)))
    close(back[2:], pulled(normalised, (x,), times * d)[1:])


def test_LENS_share_the_statistics_move_even_where_the_output_is_not_used():
    layer = layers.batch_normalisation((2,), rate=0.5)
    ignored = cl.trace(layer.diagram.dom, lambda *wires: (layer.diagram(*wires) * 0.0, wires[-1])[1])
    assert not ignored.additive
    many = cl.batch(ignored, 4, [False] * 4 + [True])
    scale, shift, m, v, x, d = as_spaces(2, (*many.dom, *many.cod))
    back = running(R(many))(scale, shift, m, v, x, d)
    mean, variance = moments(x)
    close(back, (np.zeros(2), np.zeros(2), 0.5 * (mean - m), 0.5 * (variance - v), d))
    discarded = layer.diagram >> cl.discard(layer.cod)
    close(running(R(discarded))(scale, shift, m, v, x[0])[2:4], (0.5 * (x[0] - m), -0.5 * v))


def test_LENS_share_two_normalisations_of_one_wire_are_two_nodes_and_the_statistics_move_twice():
    spaces = (real(2), real(2), real(4, 2))
    doubled = cl.trace(spaces, lambda m, v, x: sum_of(batch_normalise(m, v, x, 0.1, EPSILON) for _ in range(2)))
    assert [type(g) for g, _, _ in doubled.nodes].count(BatchNormalise) == 2
    m, v, x, d = normals(3, 2, 2, (4, 2), (4, 2))
    mean, variance = moments(x)
    close(running(doubled)(m, v, x), [2 * normalised(x)])
    to_x = pulled(normalised, (x,), 2 * d)[1]
    close(running(R(doubled))(m, v, x, d), (0.2 * (mean - m), 0.2 * (variance - v), to_x), 1e-9)


def sum_of(wires):
    first, *rest = wires
    for wire in rest:
        first = first + wire
    return first


@FEW
@given(shapes, sizes, seeds)
def test_after_training_the_running_statistics_are_used_and_samples_do_not_meet(shape, size, seed):
    model = layers.batch_normalisation(shape, epsilon=1e-3)
    after = model.evaluation()
    assert after.names == model.names
    assert after.diagram.lawful
    assert after.diagram.additive
    many = after.batch(size).diagram
    scale, shift, m, v, x, d = as_spaces(seed, (*many.dom, *many.cod))
    v = v**2

    def formula(scale, shift, m, v, x):
        return scale * (x - m) / (v + 1e-3) ** 0.5 + shift

    expected = pulled(formula, (scale, shift, m, v, x), d)
    close(running(many)(scale, shift, m, v, x), expected[:1], 1e-9)
    close(running(R(many))(scale, shift, m, v, x, d), expected[1:], 1e-8)


def test_a_batch_of_one_and_channels_that_do_not_vary_give_zero_and_finite_cotangents():
    alone = running(R(layers.batch_normalisation(3).batch(1).diagram))
    scale, shift, m, v, x, d = normals(4, 3, 3, 3, 3, (1, 3), (1, 3))
    expected = (np.zeros(3), d[0], 0.1 * (x[0] - m), -0.1 * v, np.zeros((1, 3)))
    close(alone(scale, shift, m, v, x, d), expected)
    flat = np.broadcast_to(x, (5, 3))
    close(running(node((5, 3)))(m, v, flat), [np.zeros((5, 3))], 1e-9)
    d = normals(5, (5, 3))[0]
    to_x = running(R(node((5, 3))))(m, v, flat, d)[2]
    close([to_x], [(d - d.mean(0)) / np.sqrt(EPSILON)], 1e-7)


def test_starting_values_and_roles():
    model = layers.batch_normalisation((4, 2))
    assert [p.name for p in model.parameters] == ["scale", "shift", "mean", "variance"]
    assert [p.role for p in model.parameters] == ["parameter", "parameter", "statistic", "statistic"]
    assert [value.tolist() for value in model.initial()] == [[1, 1], [0, 0], [0, 0], [1, 1]]


def test_it_is_marked_as_no_derivative_and_what_it_computes_is_the_map_on_the_batch():
    diagram = node((4, 3))
    assert not diagram.lawful
    assert not diagram.additive
    m, v, x = normals(6, 3, 3, (4, 3))
    plain = cl.substitution.plain(diagram)
    assert plain.lawful
    close(running(plain)(m, v, x), [normalised(x)])


def test_the_reverse_of_the_reverse_is_that_of_the_change_of_statistics_too():
    twice = R(R(node((4, 2), 0.2)))
    m, v, x, d, a, b, c = normals(7, 2, 2, (4, 2), (4, 2), 2, 2, (4, 2))

    def back(m, v, x, d):
        mean, variance = moments(x)
        return 0.2 * (mean - m), 0.2 * (variance - v), jax.vjp(normalised, x)[1](d)[0]

    with jax.enable_x64(True):
        expected = jax.vjp(back, *map(jnp.asarray, (m, v, x, d)))[1](tuple(map(jnp.asarray, (a, b, c))))
    close(running(twice)(m, v, x, d, a, b, c), expected, 1e-7)


# Inside other layers: parameters come as (scale, shift, mean, variance) of each


def test_inside_residual_and_twice_in_one_net():
    """The first's parameters come last."""
    one = layers.residual(layers.batch_normalisation(2, rate=0.1))
    many = (one >> layers.batch_normalisation(2, rate=0.4)).batch(5).diagram
    s1, b1, m1, v1, s0, b0, m0, v0, x, d = as_spaces(8, (*many.dom, *many.cod))

    def reference(s1, b1, s0, b0, x):
        return s1 * normalised(x + s0 * normalised(x) + b0) + b1

    value, to_s1, to_b1, to_s0, to_b0, to_x = pulled(reference, (s1, b1, s0, b0, x), d)
    (mean0, var0), (mean1, var1) = moments(x), moments(x + s0 * normalised(x) + b0)
    close(running(many)(s1, b1, m1, v1, s0, b0, m0, v0, x), [value], 1e-8)
    expected = (to_s1, to_b1, 0.4 * (mean1 - m1), 0.4 * (var1 - v1))
    expected += (to_s0, to_b0, 0.1 * (mean0 - m0), 0.1 * (var0 - v0), to_x)
    close(running(R(many))(s1, b1, m1, v1, s0, b0, m0, v0, x, d), expected, 1e-7)


def test_inside_repeat_the_statistics_are_stacked_and_each_moves_to_what_passed_there():
    count, size = 3, 4
    layer = layers.batch_normalisation(2, rate=0.2) >> layers.activation("tanh", real(2))
    repeated = layers.repeat(layer, count)
    assert [p.role for p in repeated.parameters] == ["parameter", "parameter", "statistic", "statistic"]
    assert [p.space.shape for p in repeated.parameters] == [(count, 2)] * 4
    assert repeated.initial()[3].tolist() == [[1.0, 1.0]] * count
    many = repeated.batch(size).diagram
    scale, shift, m, v, x, d = as_spaces(9, (*many.dom, *many.cod))

    def through(scale, shift, x):
        seen = [x]
        for k in range(count):
            seen.append(jnp.tanh(scale[k] * normalised(seen[-1]) + shift[k]))
        return seen

    value, to_scale, to_shift, to_x = pulled(lambda *w: through(*w)[-1], (scale, shift, x), d)
    with jax.enable_x64(True):
        met = [moments(np.asarray(y)) for y in through(*map(jnp.asarray, (scale, shift, x)))[:-1]]
    means, variances = (np.stack(column) for column in zip(*met, strict=True))
    close(running(many)(scale, shift, m, v, x), [value], 1e-9)
    expected = (to_scale, to_shift, 0.2 * (means - m), 0.2 * (variances - v), to_x)
    close(running(R(many))(scale, shift, m, v, x, d), expected, 1e-7)
    after = repeated.evaluation().batch(size).diagram
    y = x
    for k in range(count):
        y = np.tanh(scale[k] * (y - m[k]) / np.sqrt(v[k] ** 2 + EPSILON) + shift[k])
    close(running(after)(scale, shift, m, v**2, x), [y], 1e-9)


def test_PARA_tie_in_each_the_mean_is_over_the_positions_too():
    many = layers.each(layers.batch_normalisation(2, rate=1.0), 3).batch(4).diagram
    scale, shift, m, v, x, d = as_spaces(10, (*many.dom, *many.cod))
    assert x.shape == (4, 3, 2)
    close(running(many)(scale, shift, m, v, x), [scale * normalised(x) + shift], 1e-9)
    close(running(R(many))(scale, shift, m, v, x, d)[2:4], [a - b for a, b in zip(moments(x), (m, v), strict=True)])


def test_tied_statistics_move_by_the_sum_of_both_changes():
    both = layers.batch_normalisation(2) >> layers.batch_normalisation(2)
    names = both.names
    tied = both.tie(*([a, b] for a, b in zip(names[4:], names[:4], strict=True)))
    many = tied.batch(3).diagram
    scale, shift, m, v, x, d = as_spaces(11, (*many.dom, *many.cod))
    first, second = moments(x), moments(scale * normalised(x) + shift)
    back = running(R(many))(scale, shift, m, v, x, d)
    close(back[2:4], [0.1 * (a + b - 2 * c) for a, b, c in zip(first, second, (m, v), strict=True)], 1e-9)


# Training


def test_LEARNER_supervised_the_step_moves_the_statistics_by_ascent_and_the_rest_by_the_optimiser():
    size, rate = 6, 0.3
    model = (
        layers.dense(3, 4)
        >> layers.batch_normalisation(4, rate=rate)
        >> layers.activation("tanh", real(4))
        >> layers.dense(4, 2)
    )
    learner = cl.supervised(model, losses.mean_squared_error, optimisers.adam(1e-2))
    step = Jax("float64")(learner.step(size))
    state = [np.asarray(value, float) if value.dtype.kind == "f" else value for value in learner.initial(3)]
    names = ("dense_0.weight", "dense_0.bias", "batch_normalisation_0.scale", "batch_normalisation_0.shift")
    names += ("dense_1.weight", "dense_1.bias")
    at = {name: learner.state_names.index(name) for name in (*names, *model.names)}

    def predict(p, x):
        w0, b0, scale, shift, w1, b1 = p
        hidden = x @ w0 + b0
        return jnp.tanh(scale * normalised(hidden) + shift) @ w1 + b1, moments(hidden)

    def loss(p, x, y):
        guess, met = predict(p, x)
        return ((guess - y) ** 2).mean(), met

    with jax.enable_x64(True):
        theirs = [jnp.asarray(state[at[name]]) for name in names]
        running_mean, running_variance = (state[at[f"batch_normalisation_0.{n}"]] for n in ("mean", "variance"))
        transformation = optax.adam(1e-2)
        kept = transformation.init(theirs)
        for number in range(4):
            x, y = normals(20 + number, (size, 3), (size, 2))
            settings_of = learner.hyperparameters.values()
            state = [np.asarray(value) for value in step(*state, y, x, *settings_of)]
            gradient, (mean, variance) = jax.grad(loss, has_aux=True)(theirs, x, y)
            updates, kept = transformation.update(gradient, kept)
            theirs = optax.apply_updates(theirs, updates)
            running_mean = (1 - rate) * running_mean + rate * mean
            running_variance = (1 - rate) * running_variance + rate * variance
            close([state[at[name]] for name in names], theirs, 1e-7)
            found = [state[at[f"batch_normalisation_0.{name}"]] for name in ("mean", "variance")]
            close(found, (running_mean, running_variance), 1e-9)
        x = normals(30, (size, 3))[0]
        w0, b0, scale, shift, w1, b1 = theirs
        hidden = (x @ w0 + b0 - running_mean) / np.sqrt(running_variance + EPSILON)
        expected = jnp.tanh(scale * hidden + shift) @ w1 + b1
    found = Jax("float64")(learner.prediction(size))(*state, x, *learner.hyperparameters.values())
    close([found], [expected], 1e-7)


def test_a_frozen_normalisation_keeps_its_statistics_while_training():
    model = layers.batch_normalisation(2).freeze() >> layers.dense(2, 1)
    learner = cl.supervised(model, losses.mean_squared_error, optimisers.gd(0.1))
    state = learner.initial(0)
    x, y = normals(12, (5, 2), (5, 1))
    new = learner.step(5)(*state, y, x, *learner.hyperparameters.values())
    for name, before, after in zip(learner.state_names, state, new, strict=True):
        assert np.array_equal(before, after) == name.startswith("batch_normalisation_0"), name


def test_the_statistics_do_not_depend_on_the_loss():
    model = layers.batch_normalisation(3)
    changed = []
    for loss in (losses.mean_squared_error, losses.quadratic):
        learner = cl.supervised(model, loss, optimisers.gd(0.1))
        x, y = normals(13, (5, 3), (5, 3))
        new = learner.step(5)(*learner.initial(0), y, x, *learner.hyperparameters.values())
        changed.append(dict(zip(learner.state_names, map(np.asarray, new), strict=True)))
    first, second = changed
    for name in ("mean", "variance"):
        close([first[f"batch_normalisation_0.{name}"]], [second[f"batch_normalisation_0.{name}"]])
    assert not np.allclose(first["batch_normalisation_0.scale"], second["batch_normalisation_0.scale"])


def test_the_statistics_in_low_precision_are_near_those_in_high():
    many = layers.batch_normalisation((64, 2), rate=1.0).lowered().batch(64).diagram
    x = np.abs(normals(14, (64, 64, 2))[0])
    change = Jax("mixed")(R(many))(*np.zeros((4, 2)), x, np.zeros((64, 64, 2)))[2:4]
    np.testing.assert_allclose(np.ravel(change), np.ravel(moments(x)), rtol=0.03)


# Layer normalisation


@FEW
@given(shapes, sizes, seeds)
def test_layer_normalisation_and_its_reverse_are_those_written_by_hand(shape, size, seed):
    model = layers.layer_normalisation(shape, epsilon=1e-3)
    assert model.evaluation() == model
    many = model.batch(size).diagram
    scale, shift, x, d = as_spaces(seed, (*many.dom, *many.cod))

    def reference(scale, shift, x):
        mean = x.mean(-1, keepdims=True)
        variance = ((x - mean) ** 2).mean(-1, keepdims=True)
        return scale * (x - mean) / jnp.sqrt(variance + 1e-3) + shift

    value, *back = pulled(reference, (scale, shift, x), d)
    close(running(many)(scale, shift, x), [value], 1e-9)
    close(running(R(many))(scale, shift, x, d), back, 1e-7)


def test_layer_normalisation_is_that_of_equinox():
    theirs = eqx.nn.LayerNorm(5)
    scale, shift, x = normals(15, 5, 5, (4, 5))
    theirs = eqx.tree_at(lambda m: (m.weight, m.bias), theirs, (jnp.asarray(scale), jnp.asarray(shift)))
    expected = jax.vmap(theirs)(jnp.asarray(x, jnp.float32))
    found = layers.layer_normalisation((4, 5)).diagram(scale, shift, x)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_layer_normalisation_in_a_scan_is_the_layer_one_after_another():
    repeated = layers.repeat(layers.layer_normalisation((2, 3)), 2)
    scale, shift, x = as_spaces(16, repeated.diagram.dom)
    one = running(layers.layer_normalisation((2, 3)).diagram)
    (middle,) = one(scale[0], shift[0], x)
    close(running(repeated.diagram)(scale, shift, x), one(scale[1], shift[1], middle), 1e-9)


# Mistakes


@pytest.mark.parametrize("layer", [layers.batch_normalisation, layers.layer_normalisation])
@pytest.mark.parametrize("shape", [(), (3, 0)], ids=str)
def test_normalisation_needs_channels(layer, shape):
    with pytest.raises(OperationError, match="normalisation needs a last axis of positive length, the channels; got"):
        layer(shape)


@pytest.mark.parametrize("space", [Space(3, INTEGERS), real()], ids=repr)
def test_batch_normalisation_acts_on_real_channels(space):
    with pytest.raises(OperationError, match="batch normalisation acts on real channels, the last axis; got"):
        BatchNormalise(space, 0.1, EPSILON)


def test_statistics_are_shared_by_a_batch():
    with pytest.raises(OperationError, match="a batch of normalisations shares its statistics; they cannot be stacked"):
        cl.batch(node((2,)), 3)


@pytest.mark.parametrize("arguments", [{"rate": -3}, {"rate": "0.1"}, {"epsilon": -1.0}, {"rate": 1.5}], ids=str)
def test_the_rate_and_epsilon_of_normalisation_are_numbers_in_range(arguments):
    with pytest.raises(OperationError, match="normalisation"):
        layers.batch_normalisation(2, **arguments)


def test_functions_of_the_mean_use_the_whole_batch_in_the_gradient():
    """Without the share through mean and variance the cotangent of x would not be orthogonal to ones and to x."""
    x, d = normals(17, (6, 2), (6, 2))
    to_x = running(R(node((6, 2), 0.1, 0.0)))(np.zeros(2), np.ones(2), x, d)[2]
    close((to_x.sum(0), (to_x * normalised(x, 0.0)).sum(0)), (np.zeros(2), np.zeros(2)), 1e-9)
