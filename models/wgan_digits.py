"""Handwritten digits made from noise, by a Wasserstein GAN with weight clipping.

catlearn train models/wgan_digits.py

The critic climbs the mean difference of its judgements of real and of made digits, its weights confined to a box; the
generator descends it, moved once every few steps by their mean. At the end it says how clear the made digits are to
their nearest neighbours among the real ones, and writes wgan_digits.png: real digits, made ones, and the estimate of
the distance between the two.
"""

import numpy as np

import catlearn as cl
from catlearn import images, layers, optimisers, schedules
from catlearn.adversarial import adversarial, sample
from catlearn.combinators import accumulated, confine

NOISE, HIDDEN, BOX, DECAY = 16, 128, 0.1, 0.9
EPOCHS, BATCH, CRITIC_STEPS = 2200, 64, 2
CRITIC_RATE, GENERATOR_RATE = 1e-3, 1e-3
MADE, NEAREST, AGREEING = 1000, 10, 9
PICTURE = "wgan_digits.png"

SHAPE = (8, 8, 1)
digits = images.digits()
data = cl.Data(digits.train_inputs, (), digits.test_inputs, ())

generator = (
    layers.noise((NOISE,))
    >> layers.dense(NOISE, HIDDEN, "relu")
    >> layers.dense(HIDDEN, HIDDEN, "relu")
    >> layers.dense(HIDDEN, 64, "sigmoid")
    >> layers.reshape((64,), SHAPE)
)
critic = (
    layers.flatten(SHAPE)
    >> layers.dense(64, HIDDEN, "leaky_relu")
    >> layers.dense(HIDDEN, HIDDEN, "leaky_relu")
    >> layers.dense(HIDDEN, 1)
    >> layers.reshape((1,), ())
)
steps = EPOCHS * -(-data.rows // BATCH)
critic_rate = schedules.cosine(CRITIC_RATE, steps)
generator_rate = schedules.cosine(GENERATOR_RATE, steps // CRITIC_STEPS + 1)
confined = optimisers.optimiser(
    "rmsprop in a box",
    optimisers.scale_by_rms(DECAY, 1e-8) >> optimisers.scale(critic_rate) >> confine(-BOX, BOX),
)
seldom = accumulated(optimisers.rmsprop(generator_rate, DECAY), CRITIC_STEPS)
learner = adversarial(generator, critic, "wgan", confined, seldom)
epochs, batch_size, seed = EPOCHS, BATCH, 0


def finish(result):
    """Print how clear the made digits are, and how they spread over the classes; draw."""
    from matplotlib.figure import Figure
    from sklearn.neighbors import KNeighborsClassifier

    reader = KNeighborsClassifier(NEAREST).fit(digits.train_inputs.reshape(-1, 64), digits.train_targets)
    made = sample(result, generator, rows=MADE, seed=result.seed)
    for name, pictures in (("real", digits.test_inputs), ("made", made)):
        shares = reader.predict_proba(pictures.reshape(-1, 64))
        clear = np.mean(NEAREST * shares.max(axis=1) > AGREEING - 0.5)
        print(f"{name} digits with {AGREEING} of the {NEAREST} nearest training digits of one class: {clear:.1%}")
    classes = np.bincount(shares.argmax(axis=1), minlength=10) / MADE
    print(f"made digits read as 0 to 9: {', '.join(f'{share:.0%}' for share in classes)}")
    spread = np.exp(-np.sum(classes * np.log(np.maximum(classes, 1e-9))))
    print(f"classes made, by the exponential of the entropy: {spread:.1f} of 10")

    figure = Figure(figsize=(12, 4.5), layout="constrained")
    parts = figure.subfigures(1, 3, width_ratios=[3, 3, 4])
    for part, name, pictures in zip(parts, ("real", "made"), (digits.train_inputs, made), strict=False):
        part.suptitle(name)
        for axis, picture in zip(part.subplots(8, 8).flat, pictures, strict=False):
            axis.imshow(picture[:, :, 0], cmap="gray_r", vmin=0, vmax=1)
            axis.axis("off")
    axis = parts[2].subplots()
    axis.plot(range(1, result.history.epochs + 1), result.history.loss)
    axis.set(xlabel="epoch", ylabel="mean judgement of real less made digits", yscale="log")
    axis.grid(alpha=0.3)
    figure.savefig(PICTURE, dpi=110)
    print(f"wrote {PICTURE}")
