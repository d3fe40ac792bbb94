"""Other backward passes against hand-written JAX: twins by `jax.custom_vjp`, closed formulas, brute force."""

from itertools import combinations, pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import catlearn as cl
from catlearn import functions, images, laws, layers, losses, optimisers
from catlearn.diagram import copy, discard
from catlearn.errors import CatlearnError, DataError, OperationError, UnknownNameError
from catlearn.functors.jax import Jax
from catlearn.generators.surrogate import surrogate
from catlearn.laws.backward import BACKWARD as LAWS
from catlearn.laws.estimates import ESTIMATES
from catlearn.lens import Lens
from catlearn.reverse import forward_derivative, reverse_derivative
from catlearn.substitution import plain
from catlearn.systems import few_bit, residuals, straight_through
from catlearn.systems.backward import BACKWARD, Backward, table, with_backward
from catlearn.systems.residuals import bits_of, residual
from catlearn.systems.rewriting import Seeded

X, V = cl.Space((), cl.REAL), cl.Space(3, cl.REAL)
ROWS = 6


def network(*, activation="tanh"):
    return layers.dense(4, 5, activation) >> layers.dense(5, 3, activation) >> layers.dense(3, 2)


def draws(model, seed=0, rows=ROWS):
    """Values for a batch of the model: parameters by name, inputs, cotangents."""
    generator = np.random.default_rng(seed)
    named = {n: generator.normal(size=s.shape) for n, s in zip(model.names, model.parameter, strict=True)}
    inputs = [generator.normal(size=(rows, *s.shape)) for s in model.dom]
    return named, inputs, generator.normal(size=(rows, *model.cod[0].shape))


def compiled(f):
    """A diagram as a function of 64-bit arrays, compiled whole, which is faster than node by node."""
    return Jax("float64").compile(Jax("float64")(f))


def came_back(model, named, inputs, change, keys=()):
    """The changes of the parameters and the input of a batch, by R of the batch, by name."""
    many = model.batch(len(inputs[0])).diagram
    given = [keys[n] if n in keys else named[n] for n in model.names]
    made = compiled(reverse_derivative(many))(*given, *inputs, change)
    return dict(zip((*model.names, *(f"x{k}" for k in range(len(inputs)))), map(np.asarray, made), strict=True))


def gave(model, named, inputs):
    many = Lens.of(model.batch(len(inputs[0])).diagram).get
    return np.asarray(compiled(many)(*(named[n] for n in model.names), *inputs))


def twin(backward):
    """x W as a JAX function whose reverse in x is by the matrix B, for all B."""

    @jax.custom_vjp
    def apply(w, b, x):
        return x @ w

    apply.defvjp(lambda w, b, x: (x @ w, (w, b, x)), backward)
    return apply


aligned = twin(lambda kept, d: (kept[2].T @ d, jnp.zeros_like(kept[1]), d @ kept[1].T))


def forward(named, x, product, activation=jnp.tanh):
    for k in range(3):
        w, b = named[f"dense_{k}.weight"], named[f"dense_{k}.bias"]
        x = product(k, w, x) + b
        x = activation(x) if k < 2 else x
    return x


def test_the_map_is_the_same_and_the_parameters_start_as_before():
    plain = network()
    for name in (
        "feedback alignment",
        "direct feedback alignment",
        "product feedback alignment",
        "few-bit",
        "clipping",
    ):
        model = with_backward(plain, name)
        named, inputs, _ = draws(model)
        np.testing.assert_allclose(gave(model, named, inputs), gave(plain, named, inputs), rtol=1e-12)
        for value, other in zip(plain.initial(3), model.initial(3), strict=False):
            np.testing.assert_array_equal(value, other)


def test_BWD_fa_is_the_custom_vjp_twin():
    model = with_backward(network(), "feedback alignment")
    named, (x,), d = draws(model)
    with jax.enable_x64(True):
        values = {n: jnp.asarray(v) for n, v in named.items()}

        def run(values, x):
            return forward(values, x, lambda k, w, x: aligned(w, values[f"dense_{k}.weight_feedback"], x))

        expected, back = jax.vjp(run, values, jnp.asarray(x))[1](jnp.asarray(d))
    came = came_back(model, named, [x], d)
    for name, value in expected.items():
        np.testing.assert_allclose(came[name], value, rtol=1e-10, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(came["x0"], back, rtol=1e-10)
    exact = came_back(network(), named, [x], d)
    np.testing.assert_allclose(came["dense_2.weight"], exact["dense_2.weight"], rtol=1e-12)  # fa.last
    assert abs(came["dense_0.weight"] - exact["dense_0.weight"]).max() > 0.1


def test_BWD_fa_on_a_convolution():
    """The weights change as ever, the inputs as if the weights were B; so with B = W all is exact."""
    tanh = layers.activation("tanh", cl.Space((4, 4, 3), cl.REAL))
    model = layers.conv((4, 4, 2), 3) >> tanh >> layers.flatten((4, 4, 3)) >> layers.dense(48, 2)
    changed = with_backward(model, "feedback alignment")
    named, (x,), d = draws(changed, rows=2)
    exact = came_back(model, named, [x], d)
    same = {**named, **{n: named[n.removesuffix("_feedback")] for n in named if n.endswith("_feedback")}}
    back = came_back(changed, same, [x], d)
    for name in (*model.names, "x0"):
        np.testing.assert_allclose(back[name], exact[name], rtol=1e-9, atol=1e-12)
    last = came_back(changed, {**same, "conv_0.weight_feedback": named["conv_0.weight_feedback"]}, [x], d)
    one = layers.conv((4, 4, 2), 3)
    hidden = gave(one >> tanh, named, [x])
    error = (d @ named["dense_0.weight"].T).reshape(2, 4, 4, 3) * (1 - hidden**2)
    fixed = {**named, "conv_0.weight": named["conv_0.weight_feedback"]}
    np.testing.assert_allclose(last["x0"], came_back(one, fixed, [x], error)["x0"], rtol=1e-9, atol=1e-12)


def test_product_feedback_alignment_is_the_formula():
    model = with_backward(network(), "product feedback alignment", expansion=3)
    assert model.parameter[model.index("dense_0.weight_way")].shape == (4, 15)
    assert model.parameter[model.index("dense_0.weight_feedback")].shape == (15, 5)

    def back(kept, d):
        _, (r, b), x = kept
        wide = d @ b.T
        return x.T @ d, (x.T @ wide, jnp.zeros_like(b)), wide @ r.T

    product = twin(back)
    named, (x,), d = draws(model)
    with jax.enable_x64(True):
        values = {n: jnp.asarray(v) for n, v in named.items()}

        def run(values, x):
            def layer(k, w, x):
                return product(w, (values[f"dense_{k}.weight_way"], values[f"dense_{k}.weight_feedback"]), x)

            return forward(values, x, layer)

        expected, first = jax.vjp(run, values, jnp.asarray(x))[1](jnp.asarray(d))
    came = came_back(model, named, [x], d)
    for name, value in expected.items():
        np.testing.assert_allclose(came[name], value, rtol=1e-9, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(came["x0"], first, rtol=1e-9)
    for k in range(3):  # R gets the changes of W B^T, so R - W B^T stays but for weight decay
        moved = came[f"dense_{k}.weight"] @ named[f"dense_{k}.weight_feedback"].T
        np.testing.assert_allclose(came[f"dense_{k}.weight_way"], moved, rtol=1e-9, atol=1e-12)


def test_the_way_back_comes_near_the_weight_by_weight_decay():
    """By gradient steps with decay R - W B^T shrinks by the same factor at each, whatever the data."""
    model = with_backward(network(), "product feedback alignment")
    decayed = optimisers.decay_weights(0.4) >> optimisers.scale(0.05)
    learner = cl.supervised(model, losses.quadratic, optimisers.optimiser("decayed", decayed))
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(24, 4)), generator.normal(size=(24, 2))
    data = cl.Data(x, y, x, y)
    result = cl.fit(learner, data, epochs=5, batch_size=8, seed=0, precision="float64", progress=False)
    start, end = model.tree(model.initial(0)), result.parameters
    for layer in start:
        before, after = (
            tree[layer]["weight_way"] - tree[layer]["weight"] @ tree[layer]["weight_feedback"].T
            for tree in (start, end)
        )
        np.testing.assert_allclose(after, before * (1 - 0.4 * 0.05) ** result.steps, rtol=1e-6, atol=1e-9)


def digits():
    data = images.digits()
    train, test = (x.reshape(len(x), -1) for x in (data.train_inputs, data.test_inputs))
    return cl.Data(train, data.train_targets, test, data.test_targets)


def test_BWD_dfa_is_the_formula():
    model = with_backward(network(), "direct feedback alignment")
    assert model.names[-2:] == ("dense_0.weight_feedback", "dense_1.weight_feedback")
    assert [s.shape for s in model.parameter[-2:]] == [(5, 2), (3, 2)]
    named, (x,), e = draws(model)
    inputs = [x]
    for k in range(3):
        before = inputs[-1] @ named[f"dense_{k}.weight"] + named[f"dense_{k}.bias"]
        inputs.append(np.tanh(before) if k < 2 else before)
    came = came_back(model, named, [x], e)
    for k in range(3):
        error = e if k == 2 else (e @ named[f"dense_{k}.weight_feedback"].T) * (1 - inputs[k + 1] ** 2)
        np.testing.assert_allclose(came[f"dense_{k}.weight"], inputs[k].T @ error, rtol=1e-10)
        np.testing.assert_allclose(came[f"dense_{k}.bias"], error.sum(0), rtol=1e-10)
    first = (e @ named["dense_0.weight_feedback"].T) * (1 - inputs[1] ** 2) @ named["dense_0.weight"].T
    np.testing.assert_allclose(came["x0"], first, rtol=1e-10)


def test_direct_feedback_cuts_what_goes_past_a_layer():
    """x + f(x) is cut as a whole, so each of two residual layers gets the error of the output alone."""
    block = layers.residual(layers.dense(3, 3, "tanh"))
    model = with_backward(block >> block >> layers.dense(3, 2), "direct feedback alignment")
    named, (x,), e = draws(model)
    came = came_back(model, named, [x], e)
    h = np.tanh(x @ named["dense_0.weight"] + named["dense_0.bias"])
    error = (e @ named["dense_0.weight_feedback"].T) * (1 - h**2)
    np.testing.assert_allclose(came["dense_0.weight"], x.T @ error, rtol=1e-10)


def test_within_repeat_each_layer_has_its_own_matrix():
    one = layers.dense(3, 3, "tanh")
    looped = with_backward(layers.repeat(one, 2) >> layers.dense(3, 2), "feedback alignment")
    index = looped.index("repeat_0.weight_feedback")
    assert looped.parameter[index].shape == (2, 3, 3)
    start = looped.initial(0)[index]
    assert abs(start[0] - start[1]).max() > 0.01
    unrolled = with_backward(one >> one >> layers.dense(3, 2), "feedback alignment")
    named, (x,), d = draws(looped)
    other = {n: named[f"dense_0.{n.split('.')[1]}"] for n in unrolled.names if n.startswith("dense_2")}
    for k in range(2):
        other |= {n: named[f"repeat_0.{n.split('.')[1]}"][k] for n in unrolled.names if n.startswith(f"dense_{k}")}
    came, expected = came_back(looped, named, [x], d), came_back(unrolled, other, [x], d)
    for part in ("weight", "bias"):
        stacked = np.stack([expected[f"dense_{k}.{part}"] for k in range(2)])
        np.testing.assert_allclose(came[f"repeat_0.{part}"], stacked, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(came["x0"], expected["x0"], rtol=1e-9)


def test_a_shared_weight_of_a_recurrence_has_one_matrix_for_all_times():
    space = cl.Space(2, cl.REAL)

    def body(w, h, x):
        h = functions.tanh(h @ w + x)
        return h, h

    loop = cl.scan(cl.trace((cl.Space((2, 2), cl.REAL), space, space), body), 4, 1, 1)
    weight = {"w": cl.Parameter("w", cl.Space((2, 2), cl.REAL), layers.affine.GlorotUniform())}
    model = cl.parametrised("rnn", weight, loop.dom[1:], lambda w, h, x: loop(w, h, x)[0])
    changed = with_backward(model, "feedback alignment")
    assert changed.parameter[1].shape == (2, 2)
    generator = np.random.default_rng(0)
    w, b, h, x, d = (generator.normal(size=s) for s in ((2, 2), (2, 2), (2,), (4, 2), (2,)))
    came = Jax("float64")(reverse_derivative(changed.diagram))(w, b, h, x, d)
    with jax.enable_x64(True):

        def run(w, b, h, x):
            for k in range(4):
                h = jnp.tanh(aligned(w, b, h[None])[0] + x[k])
            return h

        expected = jax.vjp(run, *map(jnp.asarray, (w, b, h, x)))[1](jnp.asarray(d))
    for mine, other in zip(came, expected, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-10, atol=1e-12)


def test_within_a_map_the_matrix_is_shared_as_the_weight_is():
    shared = cl.Space((3, 2), cl.REAL)
    node = cl.trace((shared, V), lambda w, x: x @ w)
    mapped = cl.generators.batching.Map(node, 5, (False, True)).diagram
    model = cl.parametrised("map", {"w": shared}, mapped.dom[1:], lambda w, x: mapped(w, x))
    changed = with_backward(model, "feedback alignment")
    assert changed.parameter[1] == shared
    generator = np.random.default_rng(0)
    w, b, x, d = (generator.normal(size=s) for s in ((3, 2), (3, 2), (5, 3), (5, 2)))
    came = Jax("float64")(reverse_derivative(changed.diagram))(w, b, x, d)
    np.testing.assert_allclose(came[0], x.T @ d, rtol=1e-10)
    np.testing.assert_allclose(came[2], d @ b.T, rtol=1e-10)


def test_a_tied_weight_has_one_matrix():
    model = (layers.linear(3, 3) >> layers.linear(3, 3)).tie(["linear_0.weight", "linear_1.weight"])
    changed = with_backward(model, "feedback alignment")
    assert len(changed.parameter) == 2
    named, (x,), d = draws(changed)
    w, b = (named[n] for n in changed.names)
    came = came_back(changed, named, [x], d)
    np.testing.assert_allclose(came[changed.names[0]], (x @ w).T @ d + x.T @ (d @ b.T), rtol=1e-10)
    np.testing.assert_allclose(came["x0"], d @ b.T @ b.T, rtol=1e-10)


@pytest.mark.parametrize("name", ["sign", "step", "round"])
def test_BWD_ste_against_a_twin(name):
    node = straight_through.Rounded(V).diagram if name == "round" else cl.trace(V, lambda x: functions.apply(name, x))
    a, d = np.random.default_rng(1).normal(size=(2, 3)) * 2
    a[0] = 1.0
    forward_of = {"sign": np.sign, "step": lambda x: (x > 0) * 1.0, "round": np.round}[name]
    for rule, expected in (
        ("straight-through", d),
        ("clipped straight-through", d * (abs(a) <= 1)),
        ("exact", np.zeros(3)),
    ):
        model = with_backward(node, rule)
        np.testing.assert_array_equal(Jax("float64")(model.diagram)(a), forward_of(a))
        np.testing.assert_allclose(Jax("float64")(reverse_derivative(model.diagram))(a, d), expected, rtol=1e-12)


def test_quantise_learns_through_a_grid():
    grid = straight_through.quantise(V, 0.25)
    a = np.array([0.3, -0.9, 0.125])
    np.testing.assert_allclose(Jax("float64")(grid)(a), np.round(a / 0.25) * 0.25)
    back = reverse_derivative(with_backward(grid, "straight-through").diagram)
    np.testing.assert_allclose(Jax("float64")(back)(a, np.ones(3)), np.ones(3))
    assert float(np.abs(Jax("float64")(reverse_derivative(grid))(a, np.ones(3))).sum()) == 0.0


def test_BWD_surrogate_pairs():
    node = cl.trace(V, lambda x: functions.step(x) * 2.0)
    a, d = np.random.default_rng(1).normal(size=(2, 3))
    s = 1 / (1 + np.exp(-a))
    default = reverse_derivative(with_backward(node, "surrogate pairs").diagram)
    np.testing.assert_allclose(Jax("float64")(default)(a, d), 2 * s * (1 - s) * d, rtol=1e-10)
    spike = with_backward(node, "surrogate pairs", pairs={"step": lambda x: x / (1.0 + functions.absolute(x))})
    made = Jax("float64")(reverse_derivative(spike.diagram))(a, d)
    np.testing.assert_allclose(made, 2 * d / (1 + abs(a)) ** 2, rtol=1e-10)
    with pytest.raises(UnknownNameError, match="no function is called 'sigmoyd': did you mean 'sigmoid'"):
        with_backward(node, "surrogate pairs", pairs={"step": "sigmoyd"})
    with pytest.raises(OperationError, match="what stands beside step must end in"):
        with_backward(node, "surrogate pairs", pairs={"step": functions.sum})


def test_second_derivatives_of_a_replaced_node():
    """R of the put of sign with tanh's derivative is the second derivative of tanh."""
    model = with_backward(cl.trace(X, functions.sign), "surrogate pairs")
    second = reverse_derivative(reverse_derivative(model.diagram))  # a, d, e -> (d e tanh''(a), e tanh'(a))
    t = np.tanh(0.7)
    made = Jax("float64")(second)(0.7, 1.5, 2.0)
    np.testing.assert_allclose(made, (3.0 * -2 * t * (1 - t**2), 2.0 * (1 - t**2)), rtol=1e-10)
    tangent = Jax("float64")(forward_derivative(model.diagram))(0.7, 2.0)
    np.testing.assert_allclose(tangent, 2.0 * (1 - t**2), rtol=1e-10)


def jacobian(p):
    return np.diag(p) - np.outer(p, p)


def samples(model, logits, count=400):
    """A key for each outcome of a draw from these logits."""
    found = {}
    for seed in range(count):
        key = jax.random.key(seed)
        s = np.asarray(Jax("float64")(Lens.of(model.diagram).get)(key, logits))
        found.setdefault(int(s.argmax()), (key, s))
        assert sorted(s) == [0.0] * (len(s) - 1) + [1.0]
    return found


def test_ReinMax_is_the_formula_and_exact_in_the_mean_for_quadratics():
    logits = np.array([0.3, -0.4, 0.9])
    p = np.exp(logits) / np.exp(logits).sum()
    layer = straight_through.sampled(3)
    found = samples(layer, logits)
    assert sorted(found) == [0, 1, 2]
    generator = np.random.default_rng(0)
    Q, c = generator.normal(size=(3, 3)), generator.normal(size=3)

    def gradient(s, quadratic):
        return c + ((Q + Q.T) @ s if quadratic else 0)

    def value(s, quadratic):
        return c @ s + (s @ Q @ s if quadratic else 0)

    means = {}
    for rule in ("ReinMax", "straight-through"):
        back = Jax("float64")(reverse_derivative(with_backward(layer, rule).diagram))
        for quadratic in (False, True):
            total = 0.0
            for k, (key, s) in found.items():
                d = gradient(s, quadratic)
                made = np.asarray(back(key, logits, d)[1])
                q = (p + s) / 2
                formula = 2 * jacobian(q) @ d - 0.5 * jacobian(p) @ d if rule == "ReinMax" else jacobian(p) @ d
                np.testing.assert_allclose(made, formula, rtol=1e-10)
                total = total + p[k] * made
            means[rule, quadratic] = total
    for quadratic in (False, True):
        exact = jacobian(p) @ [value(s, quadratic) for s in np.eye(3)]
        np.testing.assert_allclose(means["ReinMax", quadratic], exact, rtol=1e-9)
        same = np.allclose(means["straight-through", quadratic], exact)
        assert same is not quadratic


def test_a_temperature_flattens_the_middle_of_ReinMax():
    logits, d = np.array([0.3, -0.4, 0.9]), np.array([1.0, -2.0, 0.5])
    layer = straight_through.sampled(3)
    key, s = samples(layer, logits)[0]
    back = reverse_derivative(with_backward(layer, "ReinMax", temperature=2.0).diagram)
    p, flat = (np.exp(a) / np.exp(a).sum() for a in (logits, logits / 2))
    expected = 2 * jacobian((flat + s) / 2) @ d - 0.5 * jacobian(p) @ d
    np.testing.assert_allclose(Jax("float64")(back)(key, logits, d)[1], expected, rtol=1e-10)


def test_a_draw_is_its_mean_after_training_with_and_without_a_backward_pass():
    for model in (straight_through.sampled(3), with_backward(straight_through.sampled(3), "ReinMax")):
        after = model.evaluation()
        assert after.parameter == ()
        made = np.asarray(Jax("float64")(after.diagram)(np.array([0.0, 1.0, 2.0])))
        np.testing.assert_allclose(made, np.exp([0, 1, 2]) / np.exp([0, 1, 2]).sum())


def test_draws_of_a_batch_have_keys_of_their_own_and_the_right_frequencies():
    logits = np.log([0.7, 0.2, 0.1])
    many = straight_through.sampled(3).batch(4000).diagram
    keys = jax.random.split(jax.random.key(0), 4000)
    made = np.asarray(Jax("float64")(many)(keys, np.broadcast_to(logits, (4000, 3))))
    np.testing.assert_allclose(made.mean(0), [0.7, 0.2, 0.1], atol=0.03)
    table_of = straight_through.sampled((2, 3))
    one = np.asarray(Jax("float64")(table_of.diagram)(jax.random.key(1), np.zeros((2, 3))))
    np.testing.assert_array_equal(one.sum(-1), [1, 1])


def test_BWD_fewbit_on_a_network_is_the_piecewise_constant_slope():
    model = with_backward(network(), "few-bit", bits=3)
    named, (x,), d = draws(model)
    edges, slopes = few_bit.cells("tanh", 3)
    assert (len(edges), len(slopes)) == (7, 8)

    @jax.custom_vjp
    def bent(a):
        return jnp.tanh(a)

    bent.defvjp(
        lambda a: (jnp.tanh(a), jnp.searchsorted(jnp.asarray(edges), a)),
        lambda k, d: (jnp.asarray(slopes)[k] * d,),
    )
    with jax.enable_x64(True):
        values = {n: jnp.asarray(v) for n, v in named.items()}
        run = lambda values, x: forward(values, x, lambda k, w, x: x @ w, bent)  # noqa: E731
        expected, first = jax.vjp(run, values, jnp.asarray(x))[1](jnp.asarray(d))
    came = came_back(model, named, [x], d)
    for name, value in expected.items():
        np.testing.assert_allclose(came[name], value, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(came["x0"], first, rtol=1e-9)


def test_more_bits_come_nearer_to_the_exact_slope():
    a = np.random.default_rng(0).normal(size=1000)
    space = cl.Space(1000, cl.REAL)
    exact = np.asarray(Jax("float64")(reverse_derivative(layers.activation("gelu", space)))(a, np.ones(1000)))
    errors = []
    for bits in (1, 2, 4, 6):
        node = few_bit.few_bit("gelu", space, bits)
        np.testing.assert_allclose(
            Jax("float64")(Lens.of(node).get)(a), Jax("float64")(layers.activation("gelu", space))(a)
        )
        errors.append(((np.asarray(Jax("float64")(reverse_derivative(node))(a, np.ones(1000))) - exact) ** 2).mean())
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-4 < errors[0]


@pytest.mark.parametrize("seed", range(6))
def test_BWD_fewbit_dp_against_every_partition(seed):
    generator = np.random.default_rng(seed)
    size, count = int(generator.integers(1, 9)), 1
    values, weights = generator.normal(size=size), generator.uniform(0, 2, size=size)
    weights[0] += 0.1
    for count in range(1, size + 1):
        cuts, error = few_bit.partition(values, weights, count)

        def total(cuts):
            ends = [0, *cuts, size]
            parts = [slice(i, j) for i, j in pairwise(ends)]
            return sum((weights[p] * (values[p] - np.average(values[p], weights=weights[p])) ** 2).sum() for p in parts)

        least = min(total(c) for c in combinations(range(1, size), count - 1))
        assert error == pytest.approx(least, abs=1e-10)
        assert total(cuts) == pytest.approx(least, abs=1e-10)


def test_a_cell_without_weight_and_equal_values():
    assert few_bit.partition([1.0, 1.0, 1.0], [1.0, 1.0, 1.0], 2)[1] == 0.0
    assert few_bit.levels([1.0, 3.0, 5.0], [0.0, 0.0, 1.0], (2,)) == [2.0, 5.0]
    assert few_bit.partition([5.0], [1.0], 1) == ((), 0.0)


def test_BWD_fwdgrad_of_a_model_is_the_derivative_along_the_draw():
    plain_model = layers.dense(3, 2, "tanh")
    model = with_backward(plain_model, "forward gradient", distribution="normal")
    assert model.names[-1].endswith("_key")
    named, (x,), d = draws(model, rows=2)
    keys = jax.random.split(jax.random.key(3), 2)
    came = came_back(model, named, [x], d, {model.names[-1]: keys})
    totals = dict.fromkeys(plain_model.names, 0.0)
    for row, change, key in zip(x, d, keys, strict=True):
        error = change * (1 - np.tanh(row @ named["dense_0.weight"] + named["dense_0.bias"]) ** 2)
        gradient = {"dense_0.bias": error, "dense_0.weight": np.outer(row, error)}
        with jax.enable_x64(True):
            each = zip(jax.random.split(key, 2), plain_model.names, strict=True)
            v = {n: np.asarray(jax.random.normal(k, gradient[n].shape, "float64")) for k, n in each}
        slope = sum((v[n] * gradient[n]).sum() for n in v)
        totals = {n: total + slope * v[n] for n, total in totals.items()}
    for name, total in totals.items():
        np.testing.assert_allclose(came[name], total, rtol=1e-8, atol=1e-10)
    np.testing.assert_array_equal(came["x0"], 0)


@pytest.mark.parametrize("each", ["model", "layer"])
def test_BWD_fwdgrad_is_unbiased_over_many_keys(each):
    model = with_backward(layers.linear(2, 2) >> layers.linear(2, 1), "forward gradient", each=each)
    named, (x,), d = draws(model, rows=1)
    count = 20000
    keys = {n: jax.random.split(jax.random.key(k), count) for k, n in enumerate(model.names) if n.endswith("key")}
    rows, changes = np.repeat(x, count, 0), np.repeat(d, count, 0) / count
    mean = came_back(model, named, [rows], changes, keys)
    exact = came_back(layers.linear(2, 2) >> layers.linear(2, 1), named, [x], d)
    for name in ("linear_0.weight", "linear_1.weight"):
        np.testing.assert_allclose(mean[name], exact[name], atol=0.15)


def test_each_layer_of_a_loop_has_a_draw_of_its_own():
    model = with_backward(layers.repeat(layers.linear(2, 2), 3), "forward gradient", each="layer")
    assert [p.role for p in model.parameters] == ["parameter", "auxiliary"]
    assert model.parameter[1].shape == ()
    named, (x,), d = draws(model, rows=1)
    came = came_back(model, named, [x], d, {model.names[1]: jax.random.split(jax.random.key(0), 1)})
    assert came[model.names[0]].shape == (3, 2, 2)
    learner = cl.supervised(model, losses.mean_squared_error, optimisers.gd(0.01))
    ones = np.ones((4, 2))
    data = cl.Data(ones, ones, ones, ones)
    assert np.isfinite(cl.fit(learner, data, epochs=1, batch_size=2, progress=False).history.loss[-1])


def test_BWD_reversal_scaling_stop_clip_and_norm():
    model, d = layers.linear(2, 3), np.array([[3.0, -4.0, 0.0], [0.1, 0.0, 0.0]])
    named, (x,), _ = draws(model, rows=2)
    for rule, settings, sent in (
        ("reversal", {}, -d),
        ("scaling", {"factor": 0.5}, d / 2),
        ("scaling", {"factor": 1}, d),
        ("stop", {"at": "output"}, 0 * d),
        ("clipping", {"bound": 0.5}, np.clip(d, -0.5, 0.5)),
        ("normalising", {}, d / np.linalg.norm(d, axis=1, keepdims=True)),
        ("normalising", {"bound": 1.0}, d / np.maximum(np.linalg.norm(d, axis=1, keepdims=True), 1)),
    ):
        came = came_back(with_backward(model, rule, **settings), named, [x], d)
        np.testing.assert_allclose(came["linear_0.weight"], x.T @ sent, rtol=1e-10, atol=1e-12, err_msg=rule)
    held = came_back(with_backward(model, "stop"), named, [x], d)
    np.testing.assert_array_equal(held["x0"], 0)
    np.testing.assert_allclose(held["linear_0.weight"], x.T @ d)


def test_after_each_node_of_a_name():
    model = with_backward(network(), "reversal", at="tanh")
    named, (x,), d = draws(model)
    came, exact = came_back(model, named, [x], d), came_back(network(), named, [x], d)
    for k, sign in ((0, 1), (1, -1), (2, 1)):  # two tanh come after the first layer, one after the second
        np.testing.assert_allclose(came[f"dense_{k}.weight"], sign * exact[f"dense_{k}.weight"], rtol=1e-12)


def test_passes_compose_in_either_order():
    one = with_backward(with_backward(network(), "feedback alignment"), "few-bit")
    other = with_backward(with_backward(network(), "few-bit"), "feedback alignment")
    assert one == other
    named, (x,), d = draws(one)
    assert came_back(one, named, [x], d)["dense_0.weight"].shape == (4, 5)


def test_it_is_a_functor():
    for name in ("feedback alignment", "few-bit", "reversal"):
        settings = {"at": "tanh"} if name == "reversal" else {}
        f, g = layers.dense(3, 4, "tanh"), layers.dense(4, 2, "tanh")
        whole, parts = with_backward(f >> g, name, **settings), [with_backward(h, name, **settings) for h in (f, g)]
        composed = parts[0] >> parts[1]
        named, (x,), d = draws(whole)
        came, other = came_back(whole, named, [x], d), came_back(composed, named, [x], d)
        assert sorted(whole.names) == sorted(composed.names)
        for key, value in came.items():
            np.testing.assert_allclose(other[key], value, rtol=1e-10, atol=1e-12)


def test_a_seed_of_its_own():
    one, two = (with_backward(network(), "feedback alignment", seed=5).initial(k) for k in (0, 1))
    np.testing.assert_array_equal(one[-1], two[-1])
    assert abs(one[0] - two[0]).max() >= 0
    assert abs(one[5] - two[5]).max() > 0
    assert abs(one[-1] - with_backward(network(), "feedback alignment", seed=6).initial(0)[-1]).max() > 0
    free = [with_backward(network(), "feedback alignment").initial(k)[-1] for k in (0, 1)]
    assert abs(free[0] - free[1]).max() > 0
    drawn = [Seeded(layers.affine.GlorotUniform(), 5, k)(None, V.with_shape((3, 3))) for k in (0, 0, 1)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert abs(drawn[0] - drawn[2]).max() > 0


@pytest.mark.parametrize(
    ("name", "settings"),
    [("feedback alignment", {"seed": 1}), pytest.param("few-bit", {"bits": 3}, marks=pytest.mark.slow)],
)
def test_fixed_matrices_do_not_move_and_a_learner_is_saved(name, settings, tmp_path):
    data = digits()
    model = with_backward(layers.dense(64, 6, "tanh") >> layers.dense(6, 10), name, **settings)
    learner = cl.supervised(model, losses.label_cross_entropy, optimisers.adam(5e-3))
    result = cl.fit(learner, data, epochs=1, batch_size=479, seed=0, progress=False)
    start, end = model.tree(model.initial(0)), result.parameters
    for layer, values in start.items():
        for key, value in values.items():
            if key.endswith("feedback"):
                np.testing.assert_allclose(end[layer][key], value, rtol=1e-6)
    loaded = cl.load(result.save(tmp_path / "learner.safetensors"))
    assert (loaded.predict(data.test_inputs[:20]) == result.predict(data.test_inputs[:20])).all()


@pytest.mark.parametrize(
    "rule",
    [
        "feedback alignment",
        pytest.param("few-bit", marks=pytest.mark.slow),
        pytest.param("direct feedback alignment", marks=pytest.mark.slow),
        pytest.param("product feedback alignment", marks=pytest.mark.slow),
    ],
)
def test_they_learn_digits(rule):
    model = with_backward(layers.dense(64, 16, "tanh") >> layers.dense(16, 10), rule)
    learner = cl.supervised(model, losses.label_cross_entropy, optimisers.adam(2e-2))
    assert cl.fit(learner, digits(), epochs=3, batch_size=96, seed=0, progress=False).test_accuracy > 75


def test_residual_counts_what_crosses():
    exact = residual(layers.linear(4, 3))
    assert exact.spaces == (cl.Space((1, 4), cl.REAL),)  # x for W', W being there anyway
    assert exact.bytes_a_row == 16
    assert residual(layers.linear(4, 3), 10).bytes_a_row == 16
    assert residual(layers.bias(4)).bytes_a_row == 0
    assert residual(cl.identity(V)).spaces == ()
    deep = network(activation="gelu")
    plain, again = residual(deep, 7), residual(deep, 7, again=True)
    assert again.bytes_a_row == 4 * (4 + 5 + 3)  # the inputs of the activations make all again
    assert plain.bytes_a_row > 2 * again.bytes_a_row - 16
    few = layers.dense(4, 5) >> few_bit.few_bit("gelu", cl.Space(5, cl.REAL), 2) >> layers.dense(5, 2)
    assert residual(few).bytes_a_row == 4 * 4 + 4 * 5 + 5 * 2 / 8  # x, what gelu gives, two bits an entry
    keyed = with_backward(layers.linear(4, 3), "forward gradient")
    assert residual(keyed).bytes_a_row == 16 + 8


def test_residual_of_a_loop_leaves_its_weights_out():
    looped = layers.repeat(layers.dense(3, 3, "tanh"), 5)
    assert residual(looped).bytes_a_row <= 5 * 2 * 3 * 4
    assert residual(with_backward(looped, "few-bit")).bytes_a_row == pytest.approx(5 * 3 * 4 + 5 * 3 * 2 / 8)


def brute(whole, stages, crossing, size):
    """The least size of a set of known wires that make, by cheap nodes, all that cross: over all subsets."""
    known = [k for k, stage in enumerate(stages) if stage == 1]
    best = None
    for count in range(len(known) + 1):
        for chosen in combinations(known, count):
            have = {k for k, stage in enumerate(stages) if stage == 0} | set(chosen)
            for generator, inputs, outputs in whole.nodes:
                if residuals._cheap(generator) and set(inputs) <= have:
                    have |= set(outputs)
            if set(crossing) <= have:
                total = sum(size[k] for k in chosen)
                best = total if best is None else min(best, total)
    return best


@pytest.mark.parametrize("seed", range(5))
def test_the_least_residual_against_every_subset(seed):
    generator = np.random.default_rng(seed)

    def run(w, x):
        wires = [x, functions.tanh(x @ w)]
        for _ in range(3):
            kind = generator.integers(4)
            a, b = (wires[k] for k in generator.integers(0, len(wires), 2))
            wires.append([functions.sin(a), a * b, a @ w, functions.exp(a)][kind])
        return wires[-1] * wires[-2]

    f = cl.trace((cl.Space((2, 2), cl.REAL), cl.Space(2, cl.REAL)), run)
    whole = reverse_derivative(f)
    stages = [0, 1, 2]
    for _, inputs, outputs in whole.nodes:
        stages += [max((stages[k] for k in inputs), default=0)] * len(outputs)
    read = {k for _, inputs, outputs in whole.nodes if stages[outputs[0]] == 2 for k in inputs}
    crossing = sorted(k for k in read | set(whole.outputs) if stages[k] == 1)
    spaces = [*whole.dom, *(s for g, _, _ in whole.nodes for s in g.cod)]
    size = [bits_of(s) for s in spaces]
    kept = residuals._least(whole, stages, crossing, size)
    assert sum(size[k] for k in kept) == brute(whole, stages, crossing, size)


def test_bits_of_spaces():
    for space, bits in (
        (cl.Space((2, 3), cl.REAL), 192),
        (cl.Space(5, cl.BITS), 5),
        (cl.Space(3, cl.semirings.Discrete(4)), 6),
        (cl.Space(3, cl.semirings.Discrete(5)), 9),
        (cl.Space(3, cl.semirings.Discrete(1)), 0),
        (cl.Space((), cl.semirings.KEYS), 64),
        (cl.Space(0, cl.REAL), 0),
        (cl.Space(2, cl.semirings.TRIVIAL), 0),
    ):
        assert bits_of(space) == bits


SINGLE = {
    "exact": cl.trace(X, functions.tanh),
    "feedback alignment": with_backward(layers.linear(1, 1), "feedback alignment").diagram,
    "product feedback alignment": with_backward(layers.linear(1, 1), "product feedback alignment", expansion=1).diagram,
    "direct feedback alignment": with_backward(
        layers.linear(1, 1) >> layers.linear(1, 1), "direct feedback alignment"
    ).diagram,
    "straight-through": with_backward(cl.trace(X, functions.sign), "straight-through").diagram,
    "clipped straight-through": with_backward(
        cl.trace(X, functions.sign), "clipped straight-through", bound=2.0
    ).diagram,
    "surrogate pairs": with_backward(cl.trace(X, functions.sign), "surrogate pairs").diagram,
    "few-bit": with_backward(cl.trace(X, functions.tanh), "few-bit").diagram,
    "stop": with_backward(cl.trace(X, functions.tanh), "stop").diagram,
    "reversal": with_backward(cl.trace(X, functions.tanh), "reversal").diagram,
    "scaling": with_backward(cl.trace(X, functions.tanh), "scaling").diagram,
    "clipping": with_backward(cl.trace(X, functions.tanh), "clipping", bound=0.1).diagram,
    "normalising": with_backward(cl.trace(X, functions.tanh), "normalising").diagram,
}


def agree(left, right, low):
    """Whether two diagrams are equal at random points."""
    generator, run = np.random.default_rng(0), [compiled(side) for side in (left, right)]
    for _ in range(5):
        point = [generator.uniform(low, 1.7, space.shape) for space in left.dom]
        sides = [jax.tree.leaves(each(*point)) for each in run]
        if not all(np.allclose(x, y, rtol=1e-9, atol=1e-9) for x, y in zip(*sides, strict=True)):
            return False
    return True


def holds(identifier, f):
    """Whether a law of the catalogue holds of this very diagram."""
    law, values = laws.by_identifier(identifier), {"f": f, "R": reverse_derivative, "D": forward_derivative}
    sides = law.sides(**{name: values[name] for name in law.names})
    return all(agree(left, right, -1.7) for left, right, *_ in sides)


@pytest.mark.parametrize("name", SINGLE)
def test_the_marks_of_the_table_are_what_the_laws_find(name):
    """add and 7 by RD.2 and RD.7, and dagger by R of what is computed, on the node itself."""
    marks, f = BACKWARD[name]().marks, SINGLE[name]
    checks = {
        "add": lambda: holds("RD.2", f),
        "†": lambda: agree(reverse_derivative(f), reverse_derivative(plain(f)), 0.2),
        "7": lambda: holds("RD.7", f),
    }
    found = {column: check() for column, check in checks.items() if marks[column] is not None}
    assert found == {column: marks[column] for column in found}


def test_the_laws_hold_on_two_categories():
    for category in (laws.CATEGORIES["Z4"], laws.CATEGORIES["INTEGERS"]):
        laws.check(category, laws=[*LAWS, *ESTIMATES], examples=3, strict=True)


def test_the_table_and_the_names():
    assert set(SINGLE) | {"ReinMax", "forward gradient"} == set(BACKWARD)
    text = table()
    assert len(text.splitlines()) == len(BACKWARD) + 1
    assert repr(BACKWARD["feedback alignment"]()) == "<feedback alignment: add ✓, map ✗, † ✗, 7 ✗>"
    assert repr(BACKWARD["forward gradient"]()) == "<forward gradient: add ✓, map mean, † mean, 7 ->"
    assert all(isinstance(make(), Backward) and make().name == name for name, make in BACKWARD.items())
    own = Backward("nothing", "d", (True, True, True, True), "nothing", lambda model: None)
    with pytest.raises(OperationError, match="nothing is for nothing; the model has none, its nodes are tanh"):
        with_backward(cl.trace(X, functions.tanh), own)
    assert with_backward(network(), "exact") == network()


def failing(call):
    with pytest.raises(CatlearnError) as found:
        call()
    return type(found.value), str(found.value)


def test_what_a_pass_needs_and_the_layer_has_not():
    tanh = cl.trace(V, functions.tanh)
    for rule, model, text in (
        ("feedback alignment", tanh, "feedback alignment is for nodes where a weight meets data, by a contraction or"),
        ("product feedback alignment", tanh, "product feedback alignment is for nodes where a weight meets data"),
        ("direct feedback alignment", layers.dense(3, 2), "is for models of several layers"),
        ("direct feedback alignment", tanh, "is for models of several layers"),
        (
            "straight-through",
            network(),
            "is for nodes called sign, step, round, sampled; the model has none, its nodes",
        ),
        ("clipped straight-through", tanh, "is for nodes called sign, step, round, sampled"),
        ("surrogate pairs", tanh, "is for nodes called step, sign"),
        ("ReinMax", network(), "is for categorical variables drawn at random (systems.straight_through.sampled)"),
        ("few-bit", layers.linear(2, 2), "is for nodes called tanh, sigmoid, softplus"),
        ("forward gradient", tanh, "is for models with parameters"),
        ("reversal", discard(V), "is for wires of numbers at its output"),
    ):
        kind, said = failing(lambda rule=rule, model=model: with_backward(model, rule))
        assert kind is OperationError
        assert text in said
    _, said = failing(lambda: with_backward(tanh, "reversal", at="sigmoid"))
    assert said == "reversal is for nodes called sigmoid; the model has none, its nodes are tanh"
    _, said = failing(lambda: with_backward(cl.identity(V), "few-bit"))
    assert said.endswith("its nodes are none")


def test_no_global_error():
    looped = layers.dense(2, 3) >> layers.repeat(layers.dense(3, 3, "tanh"), 2) >> layers.dense(3, 2)
    _, said = failing(lambda: with_backward(looped, "direct feedback alignment"))
    assert "the weights inside scan x 2 have no global error" in said
    assert "use feedback alignment" in said
    h = layers.linear(3, 3)
    passing = h >> layers.residual(cl.Para.of(cl.trace(V, functions.tanh)) >> layers.linear(3, 3))
    _, said = failing(lambda: with_backward(passing, "direct feedback alignment"))
    assert said.startswith("the layer of linear_0.weight reaches the output by two ways")
    forked = network() >> copy(cl.Space(2, cl.REAL))
    _, said = failing(lambda: with_backward(forked, "direct feedback alignment"))
    assert "sends back the error of one output" in said


def test_product_feedback_needs_matrices():
    convolved = layers.conv((4, 4, 1), 2)
    assert (
        "needs weights that are matrices; convolution has another kind"
        in failing(lambda: with_backward(convolved, "product feedback alignment"))[1]
    )
    space = cl.Space((2, 2, 2), cl.REAL)
    both = cl.parametrised("both", {"w": space}, cl.Space(2, cl.REAL), lambda w, x: functions.einsum("iab,i->ab", w, x))
    assert (
        "needs a weight with one axis of outputs"
        in failing(lambda: with_backward(both, "product feedback alignment"))[1]
    )
    assert with_backward(both, "feedback alignment").parameter == (space, space)


def test_wrong_names_and_settings():
    model = network()
    for call, kind, text in (
        (lambda: with_backward(model, "feedback aligment"), UnknownNameError, "did you mean 'feedback alignment'?"),
        (lambda: with_backward(model, None), UnknownNameError, "no backward pass is called None"),
        (
            lambda: with_backward(model, "few-bit", bit=2),
            UnknownNameError,
            "few-bit has no setting 'bit': did you mean 'bits'?",
        ),
        (lambda: with_backward(model, "exact", seed=2), UnknownNameError, "exact has no setting 'seed': it has none"),
        (
            lambda: with_backward(model, BACKWARD["few-bit"](), bits=2),
            OperationError,
            "are given where it is made; got bits",
        ),
        (lambda: with_backward("model", "exact"), OperationError, "a backward pass is put on a Para of diagrams"),
        (lambda: with_backward(model.lens(), "exact"), OperationError, "a backward pass is put on a Para of diagrams"),
        (lambda: with_backward(model, "few-bit", bits=0), OperationError, "a cell is kept in 1 to 8 bits; got 0"),
        (lambda: with_backward(model, "few-bit", bits=True), OperationError, "1 to 8 bits"),
        (lambda: with_backward(model, "few-bit", bits=9), OperationError, "1 to 8 bits"),
        (
            lambda: with_backward(model, "few-bit", spread=0.0),
            OperationError,
            "the spread is a positive number; got 0.0",
        ),
        (
            lambda: with_backward(model, "few-bit", functions=("tanhh",)),
            UnknownNameError,
            "no activation is called 'tanhh'",
        ),
        (lambda: with_backward(model, "feedback alignment", seed=-1), OperationError, "a seed is a whole number"),
        (lambda: with_backward(model, "feedback alignment", seed=1.5), OperationError, "a seed is a whole number"),
        (lambda: with_backward(model, "product feedback alignment", expansion=0), OperationError, "the expansion is"),
        (lambda: with_backward(model, "clipping", bound=-1), OperationError, "the bound is a positive number; got -1"),
        (
            lambda: with_backward(model, "clipping", bound=float("nan")),
            OperationError,
            "the bound is a positive number",
        ),
        (lambda: with_backward(model, "normalising", bound=0), OperationError, "the bound is a positive number"),
        (
            lambda: with_backward(model, "ReinMax", temperature=0),
            OperationError,
            "the temperature is a positive number",
        ),
        (
            lambda: with_backward(model, "scaling", factor="x"),
            OperationError,
            "changes are scaled by a number; got 'x'",
        ),
        (lambda: with_backward(model, "scaling", factor=float("nan")), OperationError, "scaled by a number"),
        (
            lambda: with_backward(model, "forward gradient", each="node"),
            UnknownNameError,
            "has no 'node': did you mean 'model'?",
        ),
        (
            lambda: with_backward(model, "forward gradient", distribution="sign"),
            UnknownNameError,
            "did you mean 'signs'?",
        ),
        (lambda: straight_through.quantise(V, 0.0), OperationError, "quantise takes a real space and a positive step"),
        (lambda: straight_through.sampled(0), OperationError, "a categorical variable needs at least one class"),
        (lambda: residual("model"), OperationError, "a residual is of a Para or a Diagram; got str"),
        (lambda: residual(model, 0), DataError, "what is kept is counted for at least one row; got 0"),
        (lambda: few_bit.partition([1.0], [1.0], 2), DataError, "1 values make 1 to 1 cells; got 2"),
        (lambda: few_bit.partition([], [], 1), DataError, "give as many weights as values, at least one"),
        (lambda: few_bit.partition([1.0], [1.0, 2.0], 1), DataError, "give as many weights as values"),
        (lambda: few_bit.partition([float("nan")], [1.0], 1), DataError, "values must be finite"),
        (lambda: few_bit.partition([1.0], [0.0], 1), DataError, "not all 0"),
        (lambda: few_bit.levels([1.0, 2.0], [1.0, 1.0], (2,)), DataError, "cuts must rise, from 1 to below 2; got"),
        (lambda: few_bit.levels([1.0, 2.0], [1.0, 1.0], (0,)), DataError, "cuts must rise"),
    ):
        found, said = failing(call)
        assert found is kind, said
        assert text in said


def test_a_further_parameter_needs_a_name():
    f = cl.trace((cl.Space((2, 3), cl.REAL), cl.Space(2, cl.REAL)), lambda w, x: x @ w)
    nameless = cl.Para(f.dom[:1], f.dom[1:], f)
    assert failing(lambda: with_backward(nameless, "feedback alignment"))[1].startswith(
        "the model's parameters need names"
    )
    assert with_backward(nameless, "reversal").parameter == f.dom[:1]


def test_the_empty_model_and_a_layer_without_inputs():
    nothing = cl.Para.of(cl.identity(()))
    assert with_backward(nothing, "exact").dom == ()
    zero = layers.dense(0, 2)
    changed = with_backward(zero, "feedback alignment")
    assert changed.parameter[-1].shape == (0, 2)
    named, inputs, d = draws(changed)
    assert came_back(changed, named, inputs, d)["x0"].shape == (ROWS, 0)


def test_a_put_that_does_not_add_is_neither_merged_nor_dropped():
    node = cl.clip_change(X, 1.0)
    twice = copy(X) >> (node @ node)
    assert len(twice.nodes) == 2
    assert float(reverse_derivative(twice)(0.0, 0.8, 0.8)) == pytest.approx(1.6)
    additive = surrogate("pass", cl.identity(X), cl.trace((X, X), lambda a, d: d), additive=True)
    assert len((copy(X) >> (additive @ additive)).nodes) == 1


def test_NaN_passes_through_as_NaN():
    for model, rule in ((cl.trace(V, functions.sign), "straight-through"), (network(), "few-bit")):
        changed = with_backward(model, rule)
        named, inputs, _ = draws(changed, rows=1)
        inputs[0][0, 0] = np.nan
        assert np.isnan(gave(changed, named, inputs)).any()
