"""GAN.*: the steps of adversarial pairs against jax.grad, and what they learn."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import catlearn as cl
from catlearn import layers, optimisers
from catlearn.adversarial import adversarial, pair, sample
from catlearn.combinators import confine
from catlearn.errors import CompositionError, OperationError, UnknownNameError

GENERATOR = layers.dense(3, 6, "tanh") >> layers.dense(6, 2)
CRITIC = layers.dense(2, 5, "tanh") >> layers.dense(5, 1) >> layers.reshape((1,), ())
DRAWN = np.random.default_rng(0)
Z = DRAWN.normal(size=(16, 3)).astype(np.float32)
CENTRE = np.array([2.0, -1.0])
X = (DRAWN.normal(size=(16, 2)) + CENTRE).astype(np.float32)


def made(p, z):
    hidden = jnp.tanh(z @ p["dense_0.weight"] + p["dense_0.bias"])
    return hidden @ p["dense_1.weight"] + p["dense_1.bias"]


def judged(q, x):
    hidden = jnp.tanh(x @ q["dense_0.weight"] + q["dense_0.bias"])
    return (hidden @ q["dense_1.weight"] + q["dense_1.bias"])[..., 0]


def wgan(q, p):
    return (judged(q, X) - judged(q, made(p, Z))).mean()


def minimax(q, p):
    return (jax.nn.log_sigmoid(judged(q, X)) + jnp.log1p(-jax.nn.sigmoid(judged(q, made(p, Z))))).mean()


def saturating_not(q, p):
    return jax.nn.log_sigmoid(judged(q, made(p, Z))).mean()


# What the critic climbs, and what the generator climbs.
GAMES = {
    "wgan": (wgan, lambda q, p: -wgan(q, p)),
    "minimax": (minimax, lambda q, p: -minimax(q, p)),
    "non-saturating": (minimax, saturating_not),
}


@pytest.mark.parametrize("name", sorted(GAMES))
def test_GAN_both_sides_move_by_the_gradient_of_their_own_objective(name):
    learner = adversarial(GENERATOR, CRITIC, name, optimisers.gd(0.3), optimisers.gd(0.2))
    tree = learner.model.tree(learner.initial(1))
    q, p = tree["critic_0"], tree["generator_0"]
    after = learner.model.tree(learner.step(16)(*learner.initial(1), Z, X, 0.3, 0.2))
    for_critic, for_generator = GAMES[name]
    with jax.enable_x64(True):
        climbed = jax.grad(for_critic, 0)(q, p), jax.grad(for_generator, 1)(q, p)
    for side, rate, gradient, start in (("critic_0", 0.3, climbed[0], q), ("generator_0", 0.2, climbed[1], p)):
        for parameter, value in start.items():
            wanted = value + rate * np.asarray(gradient[parameter])
            np.testing.assert_allclose(after[side][parameter], wanted, rtol=1e-4, atol=1e-5, err_msg=parameter)
            assert parameter.endswith("bias") or abs(wanted - value).max() > 1e-3, parameter


def test_GAN_comp_the_critic_judges_the_fake_and_the_real_with_one_parameter():
    both = pair(GENERATOR, CRITIC)
    assert both.names[0].startswith("critic_0.")
    assert both.names[-1].startswith("generator_0.")
    assert len(both.names) == len(CRITIC.names) + len(GENERATOR.names)
    tree = both.tree(both.initial(2))
    fake, real = both.batch(16).morphism(*both.leaves(tree), Z, X)
    np.testing.assert_allclose(fake, judged(tree["critic_0"], made(tree["generator_0"], Z)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(real, judged(tree["critic_0"], X), rtol=1e-4, atol=1e-5)


def test_GAN_the_objective_may_be_ones_own():
    learner = adversarial(
        GENERATOR, CRITIC, lambda fake, real: real * real - fake, optimisers.gd(0.1), optimisers.gd(0.1)
    )
    tree = learner.model.tree(learner.initial(3))
    q, p = tree["critic_0"], tree["generator_0"]
    after = learner.model.tree(learner.step(16)(*learner.initial(3), Z, X, 0.1, 0.1))

    def objective(q, p):
        return (judged(q, X) ** 2 - judged(q, made(p, Z))).mean()

    wanted = p["dense_1.bias"] - 0.1 * jax.grad(objective, 1)(q, p)["dense_1.bias"]
    np.testing.assert_allclose(after["generator_0"]["dense_1.bias"], wanted, rtol=1e-4, atol=1e-5)


def test_GAN_wgan_learns_the_mean_and_keeps_its_weights_within():
    generator = layers.noise((3,)) >> GENERATOR
    kept = optimisers.optimiser(
        "kept", optimisers.scale_by_rms(0.9, 1e-8) >> optimisers.scale(5e-3) >> confine(-0.1, 0.1)
    )
    learner = adversarial(generator, CRITIC, "wgan", kept, optimisers.rmsprop(5e-3))
    rows = np.random.default_rng(4).normal(size=(256, 2)) + CENTRE
    result = cl.fit(learner, cl.Data(rows, (), rows[:4], ()), epochs=120, batch_size=32)
    assert max(abs(v).max() for v in result.parameters["critic_0"].values()) <= 0.1 + 1e-6
    before = np.abs(np.zeros(2) - rows.mean(0)).max()
    fakes = sample(result, generator, rows=500, seed=1)
    assert fakes.shape == (500, 2)
    assert np.abs(fakes.mean(0) - rows.mean(0)).max() < 0.3 * before
    assert not np.array_equal(fakes, sample(result, generator, rows=500, seed=2))
    assert np.isnan(result.history.accuracy).all()
    assert result.test_accuracy is None


def test_what_does_not_fit_is_refused():
    gd = optimisers.gd(0.1)
    with pytest.raises(CompositionError, match="the critic judges what the generator makes"):
        adversarial(layers.dense(3, 4), CRITIC, "wgan", gd, gd)
    with pytest.raises(UnknownNameError, match="did you mean 'wgan'"):
        adversarial(GENERATOR, CRITIC, "wgn", gd, gd)
    with pytest.raises(OperationError, match="a critic gives one number"):
        adversarial(GENERATOR, layers.dense(2, 2), "wgan", gd, gd)
