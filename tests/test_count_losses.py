"""Losses on counts: residuals against floats and plain Python, what they refuse, and how many are right."""

import numpy as np
import pytest
from bit_reference import agree

import catlearn as cl
from catlearn import count_losses, counters, layers, losses
from catlearn.errors import CatlearnError, InputError, OperationError
from catlearn.laws.votes import _shares as by_fractions
from catlearn.semirings import BITS, INTEGERS, REAL, Discrete
from catlearn.space import Space

R = cl.reverse_derivative


def error(loss, classes):
    return loss.para(Space(classes, INTEGERS)).morphism


def softmax_residual(y, counts, scale, temperature):
    e = np.exp((counts - counts.max()) / temperature)
    return scale * (np.arange(len(counts)) == y) - scale * e / e.sum()


@pytest.mark.parametrize(("scale", "temperature"), [(16, 20.0), (64, 4), (1, 1.0), (2**14, 500.0)])
@pytest.mark.parametrize("classes", [1, 2, 10])
def test_BIT_softres(scale, temperature, classes):
    """Exactly by whole numbers, within rounding the residual of a float softmax; -a r goes back."""
    e = error(count_losses.count_softmax(scale, temperature), classes)
    generator = np.random.default_rng(classes)
    for trial in range(12):
        counts = generator.integers(0, int(3 * temperature) + 2, classes) if trial else np.zeros(classes, int)
        y = int(generator.integers(classes))
        r = scale * (np.arange(classes) == y) - np.array(by_fractions(counts.tolist(), scale, temperature))
        agree(e, (y, counts), [np.array(r[y])], ("bits", "exact"))
        back = [np.asarray(v) for v in R(e)(y, counts, -1)]
        np.testing.assert_array_equal(back[1].astype(int), r)
        assert abs(r - softmax_residual(y, counts, scale, temperature)).max() <= 0.5 + scale * classes * 0.5 / 4096
        assert abs(r.sum()) <= (classes + 1) // 2
        np.testing.assert_array_equal(np.asarray(R(e)(y, counts, 3)[1]).astype(int), -3 * r)
    agree(R(e), (y, counts, 2), [np.array(0), -2 * r])


def test_far_apart_and_ties():
    e = error(count_losses.count_softmax(16, 20.0), 3)
    for y, counts, wanted in (
        (0, [10**6, 0, 0], [0, 0, 0]),
        (1, [10**6, 0, 0], [-16, 16, 0]),
        (2, [5, 5, 5], [-5, -5, 11]),
        (0, [-(10**6), 0, 0], [16, -8, -8]),
    ):
        agree(R(e), (y, counts, -1), [np.array(0), wanted], ("exact", "bits"))


@pytest.mark.parametrize("margin", [1, 3, 100])
def test_BIT_margin(margin):
    e = error(count_losses.count_margin(margin), 5)
    generator = np.random.default_rng(margin)
    for _ in range(20):
        counts, y = generator.integers(0, 8, 5), int(generator.integers(5))
        near = [k != y and counts[y] - counts[k] < margin for k in range(5)]
        r = np.array([sum(near) if k == y else -int(n) for k, n in enumerate(near)])
        agree(e, (y, counts), [np.array(r[y])], ("exact", "bits"))
        agree(R(e), (y, counts, -1), [np.array(0), r], ("exact", "bits"))
    agree(R(e), (y, counts, 4), [np.array(0), -4 * r])
    agree(error(count_losses.count_margin(2), 1), (0, [7]), [np.array(0)])


@pytest.mark.parametrize(
    "loss", [count_losses.count_softmax(8, 3.0), count_losses.count_margin(2)], ids=lambda e: e.name
)
def test_the_cap_sends_the_residual_upward(loss):
    """A step of a learner of one table a class moves the counters by r at the address, for each sample."""
    model = layers.table_layer(2, 2, arity=2, wiring=[[0, 1], [1, 0]]) >> layers.group_sum(2, 2)
    learner = cl.supervised(model, loss, counters.saturating(1000))
    s = np.random.default_rng(0).integers(-9, 10, (2, 4))
    bits, x, y = s > 0, np.array([[0, 1], [1, 1], [0, 1]]), np.array([0, 1, 1])
    wanted = s.copy()
    for sample, label in zip(x, y, strict=True):
        addresses = [sample[0] + 2 * sample[1], sample[1] + 2 * sample[0]]
        counts = [int(bits[w, a]) for w, a in enumerate(addresses)]
        r = np.asarray(R(error(loss, 2))(int(label), counts, -1)[1]).astype(int)
        for w, a in enumerate(addresses):
            wanted[w, a] += r[w]
    agree(learner.step(3), (s, y, x, 1000), [wanted])


def test_how_many_are_right():
    loss = count_losses.count_softmax()
    counts = np.array([[3, 1], [1, 3], [2, 2]])
    assert loss.correct(np, (np.array([0, 0, 0]),), (counts,)).tolist() == [True, False, True]
    assert loss.label(Space(4, INTEGERS)) == Space((), Discrete(4))


@pytest.mark.parametrize(
    "space", [Space(3, REAL), Space(3, BITS), Space((), INTEGERS), Space((2, 3), INTEGERS), Space(0, INTEGERS)]
)
@pytest.mark.parametrize("loss", [count_losses.count_softmax(), count_losses.count_margin(1)], ids=lambda e: e.name)
def test_on_what_is_no_counts(space, loss):
    with pytest.raises(OperationError, match="a loss on counts needs a vector of counts, one a class; the model gives"):
        loss.para(space)


@pytest.mark.parametrize("value", [0, -1, 1.5, float("nan"), True, None])
def test_settings(value):
    with pytest.raises(OperationError, match="the scale of shares is an integer from 1 to 16384; got"):
        count_losses.count_softmax(value)
    with pytest.raises(OperationError, match="the margin is a positive integer, in counts; got"):
        count_losses.count_margin(value)


@pytest.mark.parametrize("value", [0, -1, float("nan"), 1e9, "2", None])
def test_temperatures(value):
    with pytest.raises(OperationError, match="the temperature of shares is a positive number, at most 65536; got"):
        count_losses.count_softmax(16, value)


def test_labels_are_class_numbers():
    model = layers.table_layer(2, 2, arity=2) >> layers.group_sum(2, 2)
    learner = cl.supervised(model, count_losses.count_softmax(), counters.saturating(8))
    x = np.zeros((3, 2), int)
    for y in ([0, 1, 2], [0.0, 1.0, 1.0], [0, -1, 1]):
        with pytest.raises((InputError, CatlearnError)):
            cl.fit(learner, cl.datasets.Data(x, np.array(y), x, np.array([0, 0, 0])), epochs=1, batch_size=3)


def test_losses_add_up():
    """A sum of two losses on counts is one, and its residual the sum."""
    both = count_losses.count_softmax(16, 4.0) + count_losses.count_margin(3)
    y, counts = 1, [5, 4, 9]
    parts = [error(e, 3) for e in (count_losses.count_softmax(16, 4.0), count_losses.count_margin(3))]
    summed = sum(np.asarray(R(e)(y, counts, -1)[1]).astype(int) for e in parts)
    np.testing.assert_array_equal(np.asarray(R(error(both, 3))(y, counts, -1)[1]).astype(int), summed)
    assert isinstance(both, losses.Loss)
