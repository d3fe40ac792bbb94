"""Losses, caps, penalties and accuracy, against jax.grad, jax.vjp and formulas in NumPy (LOSS.*, CAP.*)."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numerics import close, real, running

import catlearn as cl
from catlearn import functions, losses
from catlearn.errors import CatlearnError, OperationError
from catlearn.functors import Exact, Jax
from catlearn.losses import accuracy, constant_cap, identity_cap, negation_cap

SEEDS = st.integers(0, 2**32 - 1)
SOME = settings(max_examples=8, deadline=None)
SCALAR = cl.Space((), cl.REAL)


@cache
def parts(loss, spaces):
    """A loss's value and its reverse derivative."""
    error = loss.para(spaces).morphism
    return running(error), running(cl.reverse_derivative(error))


def quadratic(label, guess):
    return 0.5 * jnp.sum((guess - label) ** 2)


def mean_squares(label, guess):
    return jnp.sum((guess - label) ** 2) / max(guess.size, 1)


def log_sum_exp(x):
    top = jnp.max(x, axis=-1, keepdims=True)
    return top + jnp.log(jnp.sum(jnp.exp(x - top), axis=-1, keepdims=True))


def softmax_entropy(label, guess):
    return -jnp.sum(label * (guess - log_sum_exp(guess)))


def sigmoid_entropy(label, guess):
    right = 1 / (1 + jnp.exp(-guess))
    return -jnp.sum(label * jnp.log(right) + (1 - label) * jnp.log(1 - right))


def inner(label, guess):
    return jnp.sum(label * guess)


FORMULAS = {
    "quadratic": quadratic,
    "mean_squared_error": mean_squares,
    "softmax_cross_entropy": softmax_entropy,
    "sigmoid_cross_entropy": sigmoid_entropy,
    "dot": inner,
}
SHAPES = {
    "quadratic": [(), (0,), (4,), (2, 3)],
    "mean_squared_error": [(), (0,), (4,), (2, 3)],
    "softmax_cross_entropy": [(1,), (4,), (2, 3)],
    "sigmoid_cross_entropy": [(), (0,), (4,), (2, 3)],
    "dot": [(), (0,), (4,), (2, 3)],
}
CASES = [(name, shape) for name in FORMULAS for shape in SHAPES[name]]


@cache
def reference(formula):
    """The value of a formula and its vector-Jacobian product, compiled."""

    def both(values, alpha):
        value, pull = jax.vjp(formula, *values)
        return value, pull(alpha)

    return jax.jit(both)


@cache
def of_two(formula):
    """A formula on each of two wires, labels first."""
    return lambda s, t, x, y: (formula(s, x), formula(t, y))


def against(loss, formula, spaces, seed):
    """The loss's value and reverse derivative at a random point equal those of a formula on the same wires."""
    rng = np.random.default_rng(seed)
    values = [rng.normal(size=space.shape) for space in spaces * 2]
    alpha = rng.normal()
    value, reverse = parts(loss, spaces)
    with jax.enable_x64(True):
        expected, gradients = reference(formula)(values, alpha)
    close(value(*values), [expected])
    close(reverse(*values, alpha), gradients)


@pytest.mark.parametrize(("name", "shape"), CASES)
@SOME
@given(seed=SEEDS)
def test_LOSS_def_matches_jax(name, shape, seed):
    """e and both components of R[e](b_t, b_p, alpha), alpha any number."""
    against(getattr(losses, name), FORMULAS[name], (real(*shape),), seed)


@pytest.mark.parametrize("name", FORMULAS)
@SOME
@given(seed=SEEDS)
def test_LOSS_def_two_output_wires(name, seed):
    """L has a wire for each wire of B; the labels come first, in the order of the wires."""
    rng = np.random.default_rng(seed)
    spaces = (real(3), real(2, 2))
    values = [rng.normal(size=space.shape) for space in spaces * 2]
    alphas = tuple(rng.normal(size=2))
    value, reverse = parts(getattr(losses, name), spaces)
    with jax.enable_x64(True):
        expected, pull = jax.vjp(of_two(FORMULAS[name]), *values)
        gradients = pull(tuple(map(jnp.asarray, alphas)))
    close(value(*values), expected)
    close(reverse(*values, *alphas), gradients)


@pytest.mark.parametrize("name", [*FORMULAS, "label_cross_entropy", "exclusive_or", "difference"])
def test_LOSS_def_types(name):
    """e : Y x B -> L, the parameter being the label."""
    space = cl.Space(3, cl.Z2) if name == "exclusive_or" else real(3)
    loss = getattr(losses, name)
    para = loss.para(space)
    label = cl.Space((), cl.Discrete(3)) if name == "label_cross_entropy" else space
    assert para.parameter == loss.labels(space) == (label,)
    assert para.dom == (space,)
    assert para.cod == ((space,) if name in ("exclusive_or", "difference") else (SCALAR,))
    with pytest.raises(OperationError, match="needs a prediction"):
        loss.para(())


def draw(seed, shape=(4,)):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape), rng.normal(size=shape), rng.normal()


@SOME
@given(seed=SEEDS)
def test_LOSS_quadratic(seed):
    label, guess, alpha = draw(seed)
    value, reverse = parts(losses.quadratic, (real(4),))
    close(value(label, guess), [0.5 * np.sum((guess - label) ** 2)])
    close(reverse(label, guess, alpha), [alpha * (label - guess), alpha * (guess - label)])


@SOME
@given(seed=SEEDS)
def test_LOSS_mse(seed):
    """The mean is over the components of one sample."""
    label, guess, alpha = draw(seed, (2, 3))
    value, reverse = parts(losses.mean_squared_error, (real(2, 3),))
    close(value(label, guess), [np.mean((guess - label) ** 2)])
    close(reverse(label, guess, alpha), [2 * alpha / 6 * (label - guess), 2 * alpha / 6 * (guess - label)])


def softmax(x):
    weights = np.exp(x - x.max())
    return weights / weights.sum()


@SOME
@given(seed=SEEDS)
def test_LOSS_softmaxce(seed):
    """The weights of the label need not sum to one."""
    label, guess, alpha = draw(seed)
    p = softmax(guess)
    value, reverse = parts(losses.softmax_cross_entropy, (real(4),))
    close(value(label, guess), [-np.sum(label * np.log(p))])
    close(reverse(label, guess, alpha), [-alpha * np.log(p), alpha * (p * label.sum() - label)])
    label = np.abs(label) / np.abs(label).sum()
    close(reverse(label, guess, alpha)[1:], [alpha * (p - label)])


@SOME
@given(seed=SEEDS)
def test_LOSS_sigmoidbce(seed):
    label, guess, alpha = draw(seed)
    s = 1 / (1 + np.exp(-guess))
    value, reverse = parts(losses.sigmoid_cross_entropy, (real(4),))
    close(value(label, guess), [-np.sum(label * np.log(s) + (1 - label) * np.log(1 - s))])
    close(reverse(label, guess, alpha), [-alpha * guess, alpha * (s - label)])


@pytest.mark.parametrize("size", [80.0, 800.0])
def test_LOSS_entropies_of_large_logits_are_finite(size):
    value, reverse = parts(losses.sigmoid_cross_entropy, (real(4),))
    label, guess = np.array([0.0, 1.0, 0.0, 1.0]), np.array([size, size, -size, -size])
    close(value(label, guess), [2 * size])
    close(reverse(label, guess, 0.5)[1:], [[0.5, 0.0, 0.0, -0.5]])
    value, reverse = parts(losses.softmax_cross_entropy, (real(4),))
    label, guess = np.array([1.0, 0.0, 0.0, 0.0]), np.array([-size, size, -size, -size])
    close(value(label, guess), [2 * size])
    close(reverse(label, guess, 0.5)[1:], [[-0.5, 0.5, 0.0, 0.0]])


@SOME
@given(seed=SEEDS)
def test_LOSS_dot(seed):
    label, guess, alpha = draw(seed)
    value, reverse = parts(losses.dot, (real(4),))
    close(value(label, guess), [label @ guess])
    close(reverse(label, guess, alpha), [alpha * guess, alpha * label])


@SOME
@given(seed=SEEDS)
def test_LOSS_xor(seed):
    """Over Z2: L = B, e the exclusive or, R = (alpha, alpha). Over a ring the difference: R = (-alpha, alpha)."""
    rng = np.random.default_rng(seed)
    label, guess, alpha = rng.integers(0, 2, (3, 2, 3))
    error = losses.exclusive_or.para(cl.Space((2, 3), cl.Z2)).morphism
    np.testing.assert_array_equal(error(label, guess), label ^ guess)
    for found in cl.reverse_derivative(error)(label, guess, alpha):
        np.testing.assert_array_equal(found, alpha)
    for carrier, modulus in ((cl.Modular(5), 5), (cl.Modular(2), 2), (cl.INTEGERS, 10**9)):
        label, guess, alpha = rng.integers(0, min(modulus, 100), (3, 2, 3))
        error = losses.difference.para(cl.Space((2, 3), carrier)).morphism
        wrap = (lambda x: x) if carrier == cl.INTEGERS else (lambda x, m=modulus: x % m)
        for backend in (Jax(), Exact()):
            np.testing.assert_array_equal(backend(error)(label, guess), wrap(guess - label))
            first, second = backend(cl.reverse_derivative(error))(label, guess, alpha)
            np.testing.assert_array_equal(first, wrap(-alpha))
            np.testing.assert_array_equal(second, alpha)


@SOME
@given(seed=SEEDS)
def test_ERR1_printed_components_are_swapped(seed):
    """The book's alpha (b_p - b_t, b_t - b_p) is the negative of what R gives."""
    label, guess, alpha = draw(seed)
    found = parts(losses.quadratic, (real(4),))[1](label, guess, alpha)
    printed = (alpha * (guess - label), alpha * (label - guess))
    close(found, [-x for x in printed])
    assert all(np.max(np.abs(x - y)) > 1e-6 for x, y in zip(found, printed, strict=True))


@SOME
@given(seed=SEEDS)
def test_ERR2_printed_cross_entropy_has_another_gradient(seed):
    """sum (b_t)_i ((b_p)_i - log softmax(b_p)_i) has the gradient softmax(b_p) sum b_t."""
    label, guess, alpha = draw(seed)

    def printed(x):
        return jnp.sum(label * (x - (x - log_sum_exp(x))))

    with jax.enable_x64(True):
        wrong = alpha * np.asarray(jax.grad(printed)(jnp.asarray(guess)))
    close([wrong], [alpha * softmax(guess) * label.sum()])
    found = parts(losses.softmax_cross_entropy, (real(4),))[1](label, guess, alpha)[1]
    close([wrong - found], [alpha * label])
    assert np.max(np.abs(wrong - found)) > 1e-6


@SOME
@given(seed=SEEDS)
def test_LOSS_label_cross_entropy(seed):
    """Softmax cross-entropy of the one-hot label; the label is discrete and its change trivial (C.discrete)."""
    rng = np.random.default_rng(seed)
    guess, alpha, label = rng.normal(size=4), rng.normal(), int(rng.integers(4))
    error = losses.label_cross_entropy.para(real(4)).morphism
    reverse = cl.reverse_derivative(error)
    assert error.dom == (cl.Space((), cl.Discrete(4)), real(4))
    assert reverse.cod == (cl.Space((), cl.TRIVIAL), real(4))
    value, back = parts(losses.label_cross_entropy, (real(4),))
    close(value(label, guess), [-np.log(softmax(guess)[label])])
    trivial, change = back(label, guess, alpha)
    assert trivial == 0
    close([change], [alpha * (softmax(guess) - np.eye(4)[label])])
    hot, hot_back = parts(losses.softmax_cross_entropy, (real(4),))
    close(value(label, guess), hot(np.eye(4)[label], guess))
    close([change], hot_back(np.eye(4)[label], guess, alpha)[1:])


def test_LOSS_label_cross_entropy_of_a_sequence_is_the_mean_over_its_places():
    drawn = np.random.default_rng(8)
    labels, scores = drawn.integers(0, 4, (3, 5)), drawn.normal(size=(3, 5, 4))
    ours = losses.label_cross_entropy.para(real(3, 5, 4)).morphism
    wanted = -np.take_along_axis(jax.nn.log_softmax(scores), labels[..., None], axis=-1).mean()
    close([ours(labels, scores)], [wanted])
    right = losses.accuracy(losses.label_cross_entropy, [labels[None]], [scores[None]])
    assert right == pytest.approx(100 * (scores.argmax(-1) == labels).mean())


@pytest.mark.parametrize("shape", [(), (0,), (3, 0)])
def test_LOSS_label_cross_entropy_needs_a_vector(shape):
    with pytest.raises(OperationError, match="a vector of scores"):
        losses.label_cross_entropy.para(real(*shape))


@pytest.mark.parametrize("shape", [(), (0,), (3, 0)])
def test_LOSS_softmaxce_needs_a_last_axis(shape):
    with pytest.raises(OperationError, match="softmax"):
        losses.softmax_cross_entropy.para(real(*shape))


@pytest.mark.parametrize("name", [name for name in FORMULAS if name != "dot"])
def test_LOSS_of_reals_refuses_bits(name):
    with pytest.raises(CatlearnError):
        getattr(losses, name).para(cl.Space(3, cl.Z2))


# Penalties, sums, multiples.


PENALTIES = {
    "l2": (losses.l2(0.3), lambda *ps: 0.15 * sum(jnp.sum(p * p) for p in ps)),
    "l1": (losses.l1(0.3), lambda *ps: 0.3 * sum(jnp.sum(jnp.abs(p)) for p in ps)),
}
WEIGHTS = {
    "none": (),
    "scalar and empty": (real(), real(0)),
    "vector and matrix": (real(3), real(2, 2)),
}


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("name", PENALTIES)
@SOME
@given(seed=SEEDS)
def test_LOSS_penalties(name, weights, seed):
    """One scalar for all the parameters, its gradient that of the formula."""
    rng = np.random.default_rng(seed)
    penalty, formula = PENALTIES[name]
    spaces = WEIGHTS[weights]
    value, reverse = penalty_parts(penalty, spaces)
    values, alpha = [rng.normal(size=space.shape) for space in spaces], rng.normal()
    with jax.enable_x64(True):
        close(value(*values), [formula(*values)])
        gradients = jax.grad(formula, argnums=tuple(range(len(spaces))))(*values) if spaces else ()
        close(reverse(*values, alpha), [alpha * g for g in gradients])


@cache
def penalty_parts(penalty, spaces):
    diagram = penalty.diagram(spaces)
    assert diagram.cod == (SCALAR,)
    return running(diagram), running(cl.reverse_derivative(diagram))


SUM = 0.3 * losses.quadratic + 2.5 * losses.sigmoid_cross_entropy


def sum_formula(label, guess):
    return 0.3 * quadratic(label, guess) + 2.5 * sigmoid_entropy(label, guess)


@SOME
@given(seed=SEEDS)
def test_LOSS_sums_and_multiples(seed):
    """Losses on one label add and scale, value and reverse alike."""
    against(SUM, sum_formula, (real(4),), seed)


def test_LOSS_sums_keep_cap_accuracy_and_penalties():
    left, right = losses.quadratic + losses.l2(0.1), losses.dot + losses.l1(0.2)
    both = left + right
    assert both.cap is losses.quadratic.cap
    assert both.matches is losses.quadratic.matches
    assert [(p.name, p.strength) for p in both.penalties] == [("l2", 0.1), ("l1", 0.2)]
    assert both.name == "quadratic + l2 + dot + l1"
    assert losses.quadratic.penalties == ()
    assert (2.0 * losses.dot).cap is losses.dot.cap
    with pytest.raises(TypeError):
        losses.quadratic + 1.0


def test_LOSS_multiples_scale_penalties():
    """A multiple of a loss with a penalty is a multiple of the whole."""
    once, scaled = losses.quadratic + losses.l2(0.4), 0.5 * (losses.quadratic + losses.l2(0.4))
    p, point = np.array([1.0, -2.0, 3.0]), (np.zeros(3), np.array([1.0, 2.0, 4.0]))
    whole = [
        float(loss.para(real(3)).morphism(*point)) + sum(float(q.diagram((real(3),))(p)) for q in loss.penalties)
        for loss in (once, scaled)
    ]
    np.testing.assert_allclose(whole[1], 0.5 * whole[0], rtol=1e-6)


# Caps.


REALS = cl.Space(3, cl.REAL)


def cap_value(cap, space, value, size=1, backend=None):
    lens = cap.lens(space, size)
    assert lens.get.cod == ()
    assert lens.dom == cl.Sides.of(space)
    assert lens.cod == cl.Sides((), ())
    return np.asarray((backend or Jax("float64"))(lens.put)(value))


@SOME
@given(seed=SEEDS, size=st.integers(1, 7))
def test_CAP_const(seed, size):
    """A constant, whatever the loss is; over REAL one sample of n weighs 1 / n, elsewhere 1."""
    rng = np.random.default_rng(seed)
    loss, constant = rng.normal(size=3), rng.normal()
    close([cap_value(constant_cap(constant), REALS, loss, size)], [np.full(3, constant / size)], 1e-15)
    close([cap_value(constant_cap(-1), REALS, loss, size)], [np.full(3, -1 / size)], 1e-15)
    whole = rng.integers(0, 5, 3)
    assert cap_value(constant_cap(-1), cl.Space(3, cl.INTEGERS), whole, size).tolist() == [-1] * 3
    assert cap_value(constant_cap(-1), cl.Space(3, cl.Modular(5)), whole, size).tolist() == [4] * 3
    assert cap_value(constant_cap(1), cl.Space(3, cl.Z2), whole % 2, size).tolist() == [1] * 3


@SOME
@given(seed=SEEDS, size=st.integers(1, 7))
def test_CAP_id(seed, size):
    """The loss itself, weighted over REAL and plain elsewhere; the negation its inverse."""
    rng = np.random.default_rng(seed)
    loss, whole = rng.normal(size=3), rng.integers(0, 5, 3)
    close([cap_value(identity_cap, REALS, loss, size)], [loss / size], 1e-15)
    close([cap_value(negation_cap, REALS, loss, size)], [-loss / size], 1e-15)
    for carrier, modulus in ((cl.Z2, 2), (cl.Modular(5), 5), (cl.INTEGERS, None)):
        value = whole if modulus is None else whole % modulus
        minus = -value if modulus is None else -value % modulus
        np.testing.assert_array_equal(cap_value(identity_cap, cl.Space(3, carrier), value, size), value)
        np.testing.assert_array_equal(cap_value(negation_cap, cl.Space(3, carrier), value, size), minus)
        np.testing.assert_array_equal(cap_value(negation_cap, cl.Space(3, carrier), value, size, Exact()), minus)


def test_CAP_id_of_bits_counts_in_integers():
    lens = identity_cap.lens(cl.Space(4, cl.BITS), 3)
    assert lens.dom.backward == (cl.Space(4, cl.INTEGERS),)
    assert np.asarray(lens.put(np.array([0, 1, 1, 0]))).tolist() == [0, 1, 1, 0]
    minus = negation_cap.lens(cl.Space(4, cl.BITS), 3).put
    assert np.asarray(minus(np.array([0, 1, 1, 0]))).tolist() == [0, -1, -1, 0]


def test_CAP_of_several_losses():
    """One loss a wire, each with the weight of its own carrier."""
    spaces = (SCALAR, cl.Space(2, cl.Z2))
    first, second = identity_cap.lens(spaces, 4).put(6.0, np.array([1, 0]))
    assert float(first) == 1.5
    assert np.asarray(second).tolist() == [1, 0]


def test_CAP_default_signs():
    """Descent has -1, dot climbs with +1, exclusive or the identity, the difference the negation (OPT.sign, C3)."""
    for name in FORMULAS:
        sign = 1.0 if name == "dot" else -1.0
        assert float(getattr(losses, name).cap.lens(SCALAR).put(0.3)) == sign
    assert float(losses.label_cross_entropy.cap.lens(SCALAR).put(0.3)) == -1.0
    assert losses.exclusive_or.cap is identity_cap
    assert losses.difference.cap is negation_cap


def model():
    """A parametrised map with a product, a sum and a sine: (w, x) -> sin(x W) + b, as one wire."""
    return cl.parametrised("model", {"w": real(2, 3), "b": real(3)}, real(2), lambda w, b, x: functions.sin(x @ w) + b)


MODEL = model()


def predict(w, b, x):
    return jnp.sin(x @ w) + b


@cache
def closed_put(name, cap):
    return running(cl.closed(MODEL, getattr(losses, name), cap).morphism.put)


def point(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=3), rng.normal(size=(2, 3)), rng.normal(size=3), rng.normal(size=2)


@SOME
@given(seed=SEEDS)
def test_CAP_lossdep(seed):
    """The cap -l on the difference is gradient descent on half the square of it."""
    values = point(seed)

    def half(label, w, b, x):
        return 0.5 * jnp.sum((predict(w, b, x) - label) ** 2)

    with jax.enable_x64(True):
        expected = [-g for g in jax.grad(half, argnums=(0, 1, 2, 3))(*(jnp.asarray(v) for v in values))]
        close(closed_put("difference", None)(*values), expected)


CAPS = {c: constant_cap(c) for c in (1.0, -1.0, 0.37, -2.9)}


@pytest.mark.parametrize("constant", [c for c in CAPS if c != 1.0])
@pytest.mark.parametrize("name", ["quadratic", "softmax_cross_entropy"])
@SOME
@given(seed=SEEDS)
def test_CAP_slide(name, constant, seed):
    """What comes back is linear in a constant cap."""
    values = point(seed)
    once = closed_put(name, CAPS[1.0])(*values)
    close(closed_put(name, CAPS[constant])(*values), [constant * x for x in once])
    assert max(np.max(np.abs(x)) for x in once) > 1e-6


def test_CAP_loss_is_unused_under_a_constant_cap():
    """The value of the loss does not enter the step: a loss shifted by a constant gives the same diagram."""
    shifted = losses.Loss("shifted", lambda t, p: losses.quadratic.error(t, p) + 7.0, losses.quadratic.cap, None)
    assert cl.closed(MODEL, shifted) == cl.closed(MODEL, losses.quadratic)


# Accuracy.


def rows(*values):
    return [np.asarray(v) for v in values]


@SOME
@given(seed=SEEDS, classes=st.integers(2, 5))
def test_LOSS_accuracy_largest(seed, classes):
    rng = np.random.default_rng(seed)
    guess, label = rng.normal(size=(7, classes)), rng.integers(0, classes, 7)
    hot = np.eye(classes)[label]
    right = [max(range(classes), key=lambda k, row=row: row[k]) == want for row, want in zip(guess, label, strict=True)]
    expected = 100 * sum(right) / 7
    for name in ("quadratic", "mean_squared_error", "softmax_cross_entropy", "dot"):
        assert accuracy(getattr(losses, name), [hot], [guess]) == pytest.approx(expected)
        assert accuracy(getattr(losses, name), [hot * 0.2], [guess * 3]) == pytest.approx(expected)
    assert accuracy(losses.label_cross_entropy, [label], [guess]) == pytest.approx(expected)


def test_LOSS_accuracy_of_several_wires_needs_them_all():
    hot, guess = np.eye(3)[[0, 1, 2, 0]], np.eye(3)[[0, 1, 0, 1]]
    bit, logit = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.7, 0.8, 0.9, 0.1])
    assert accuracy(losses.quadratic, [hot, bit], [guess, logit]) == 25.0
    assert accuracy(losses.quadratic, [bit, hot], [logit, guess]) == 25.0
    assert accuracy(losses.label_cross_entropy, rows([0, 1, 2, 0], [0, 0, 2, 1]), [guess, guess]) == 25.0
    signs = np.array([-1.0, 1.0, 1.0, 1.0])
    assert accuracy(losses.sigmoid_cross_entropy, [bit, bit], [signs, -signs[::-1]]) == 25.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_LOSS_accuracy_counts_what_is_not_finite_as_wrong(bad):
    label, guess = np.eye(2)[[0, 1, 1]], np.array([[3.0, 1.0], [0.0, 1.0], [0.0, 2.0]])
    assert accuracy(losses.quadratic, [label], [guess]) == 100.0
    guess[1, 0] = bad
    assert accuracy(losses.quadratic, [label], [guess]) == pytest.approx(200 / 3)


def test_LOSS_accuracy_of_one_component_is_cut_at_a_half():
    label, guess = [0.0, 1.0, 1.0, 0.0, 1.0], [0.4, 0.6, 0.4, 0.6, 0.9]
    for shape in ((5,), (5, 1), (5, 1, 1)):
        assert accuracy(losses.quadratic, rows(np.reshape(label, shape)), rows(np.reshape(guess, shape))) == 60.0


def test_LOSS_accuracy_of_logits_is_by_sign():
    label = np.array([[0, 1], [1, 1], [0, 0], [1, 0]], float)
    guess = np.array([[-1, 0.2], [2, -0.1], [-3, -0.5], [0.3, 0.4]])
    assert accuracy(losses.sigmoid_cross_entropy, [label], [guess]) == 50.0
    assert accuracy(losses.sigmoid_cross_entropy, [label[:, 0]], [guess[:, 0]]) == 100.0


def test_LOSS_accuracy_of_bits_needs_all_equal():
    label, guess = np.array([[0, 1], [1, 1], [0, 0]]), np.array([[0, 1], [1, 0], [0, 0]])
    for loss in (losses.exclusive_or, losses.difference):
        assert accuracy(loss, [label], [guess]) == pytest.approx(200 / 3)
        other = np.array([0, 0, 1])
        assert accuracy(loss, [label, other], [guess, np.array([1, 0, 1])]) == pytest.approx(100 / 3)
        assert accuracy(loss, [label[:, 0]], [guess[:, 0]]) == 100.0


@pytest.mark.parametrize(
    "name", ["quadratic", "label_cross_entropy", "sigmoid_cross_entropy", "exclusive_or", "difference"]
)
def test_LOSS_accuracy_of_nothing_is_not_a_number(name):
    label = np.zeros(0, int) if name == "label_cross_entropy" else np.zeros((0, 3))
    assert np.isnan(accuracy(getattr(losses, name), [label], [np.zeros((0, 3))]))


@pytest.mark.parametrize("name", ["quadratic", "label_cross_entropy", "sigmoid_cross_entropy", "exclusive_or"])
def test_LOSS_accuracy_is_the_same_under_jax(name):
    rng = np.random.default_rng(1)
    guess = rng.integers(0, 2, (20, 2)) if name == "exclusive_or" else rng.normal(size=(20, 2))
    label = rng.integers(0, 2, (20,) if name == "label_cross_entropy" else (20, 2))
    correct = getattr(losses, name).correct
    traced = jax.jit(lambda t, p: correct(jnp, [t], [p]))(label, guess)
    plain = correct(np, [label], [guess])
    np.testing.assert_array_equal(traced, plain)
    assert 0 < plain.sum() < 20
