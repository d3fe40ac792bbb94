"""Schedules against optax's, and as hyper-parameters of optimisers."""

import numpy as np
import optax
import pytest

import catlearn as cl
from catlearn import layers, losses, optimisers, schedules
from catlearn.errors import OperationError

STEPS = (0, 1, 4, 5, 6, 11, 12, 19, 20, 21, 500)
SAME = {
    "linear": (schedules.linear(0.1, 0.01, 20), optax.linear_schedule(0.1, 0.01, 20)),
    "linear upward": (schedules.linear(-1.0, 2.0, 7), optax.linear_schedule(-1.0, 2.0, 7)),
    "cosine": (schedules.cosine(0.1, 20, 0.01), optax.cosine_decay_schedule(0.1, 20, alpha=0.1)),
    "exponential": (schedules.exponential(0.1, 0.5, 10), optax.exponential_decay(0.1, 10, 0.5)),
    "piecewise": (
        schedules.piecewise({12: 0.5, 5: 0.1}, 0.3),
        optax.piecewise_constant_schedule(0.3, {5: 0.1, 12: 0.5}),
    ),
    "constant": (schedules.constant(0.3), optax.constant_schedule(0.3)),
}


@pytest.mark.parametrize("name", sorted(SAME))
def test_it_is_that_of_optax(name):
    ours, theirs = SAME[name]
    wanted = [theirs(step) for step in STEPS]
    np.testing.assert_allclose([ours(step) for step in STEPS], wanted, rtol=1e-5, atol=1e-7)


def test_a_warm_up_leads_to_the_start_of_what_follows():
    whole = schedules.warm_up(4, schedules.linear(1.0, 0.0, 10))
    wanted = [0.25, 0.5, 0.75, 1.0, 1.0, 0.9, 0.8]
    np.testing.assert_allclose([whole(step) for step in range(7)], wanted, rtol=1e-6)
    np.testing.assert_allclose([schedules.warm_up(2, 0.6)(step) for step in range(4)], [0.3, 0.6, 0.6, 0.6], rtol=1e-6)


def test_an_optimiser_reads_the_number_of_steps_taken():
    rates = [0.5, 0.4, 0.3, 0.2]
    step = optimisers.gd(schedules.linear(0.5, 0.1, 4)).bound(cl.Space((), cl.REAL)).put
    count, place = 0, 0.0
    for rate in rates:
        count, moved = step(count, place, -2.0)
        np.testing.assert_allclose(moved - place, -2.0 * rate, rtol=1e-5)
        place = moved


def test_a_schedule_of_ones_own():
    inverse = schedules.schedule(lambda t: 1.0 / (t + 2.0))
    np.testing.assert_allclose([inverse(t) for t in (0, 2, 8)], [0.5, 0.25, 0.1], rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: schedules.linear(1.0, 0.0, 0), "positive number of steps; got 0"),
        (lambda: schedules.cosine(1.0, -3), "positive number of steps; got -3"),
        (lambda: schedules.cosine(1.0, True), "positive number of steps; got True"),
        (lambda: schedules.exponential(1.0, 0.0, 5), "rate of an exponential decay must be positive"),
        (lambda: schedules.warm_up(3, cl.identity(cl.Space((), cl.REAL))), "leads to a number or a schedule"),
        (lambda: schedules.schedule(lambda t: cl.functions.broadcast(t, (2,))), "gives one real number"),
    ],
)
def test_what_is_no_schedule_is_refused(make, said):
    with pytest.raises(OperationError, match=said):
        make()


def test_changing_a_schedule_changes_training():
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(8, 2)), generator.normal(size=(8, 1))
    data = cl.Data(x, y, x, y)

    def trained(rate):
        learner = cl.supervised(layers.dense(2, 1), losses.quadratic, optimisers.adam(rate))
        return cl.fit(learner, data, epochs=3, batch_size=4).parameters["dense_0"]["weight"]

    np.testing.assert_allclose(trained(schedules.constant(0.1)), trained(0.1), rtol=1e-5)
    assert abs(trained(schedules.linear(0.1, 0.0, 3)) - trained(0.1)).max() > 1e-3
