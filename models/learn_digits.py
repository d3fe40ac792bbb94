"""Handwritten digits by learners of the category Learn: made apart, composed, trained by what they ask of each other.

catlearn train models/learn_digits.py
catlearn train models/learn_digits.py --set ERROR=hyperbolic    the same by cosh(x - y) - 1 instead of (x - y)**2 / 2
catlearn train models/learn_digits.py --set HIDDEN=16

Three learners, each by gradient descent with a rate of its own, and neither knows the others: the second is not asked
for a gradient but for another input, and the first is told that this was wanted of it. At the end the file draws what
the first learner asks for: learn_digits.png shows test digits, and which images it would rather have been given for
them to be read as each of three other digits.
"""

import numpy as np

import catlearn as cl
from catlearn import functors, images, layers
from catlearn.errors import InputError
from catlearn.systems import learn

HIDDEN, RATES, ERROR, EPOCHS = 48, (0.05, 0.05, 0.02), "quadratic", 12
PICTURE = "learn_digits.png"

errors = {"quadratic": learn.quadratic, "hyperbolic": learn.hyperbolic}
if ERROR not in errors:
    raise InputError(f"ERROR is one of {', '.join(errors)}; got {ERROR!r}")

digits = images.digits()
hot = [cl.datasets.one_hot_labels(labels, 10) for labels in (digits.train_targets, digits.test_targets)]
data = cl.Data(digits.train_inputs, hot[0], digits.test_inputs, hot[1])

flat = layers.flatten((8, 8, 1)) >> layers.dense(64, HIDDEN, "tanh")
parts = (flat, layers.dense(HIDDEN, HIDDEN, "tanh"), layers.dense(HIDDEN, 10))
first, second, third = (
    learn.gradient_learner(part, errors[ERROR], rate) for part, rate in zip(parts, RATES, strict=True)
)
whole = first >> second >> third
learner = whole.to_learner()
epochs, batch_size, seed = EPOCHS, 1, 0


def asked(result, image, digit):
    """The image that would have been wanted, after some requests, each of the last."""
    request = functors.Jax()(whole.request)
    target = np.eye(10)[digit]
    for _ in range(20):
        image = np.asarray(request(*result.state, image, target))
    return image


def finish(result):
    """Draw what the composite asks for."""
    from matplotlib.figure import Figure

    x, labels = result.data.test_inputs, result.data.test_targets.argmax(axis=1)
    figure = Figure(figsize=(8, 6), layout="constrained")
    axes = figure.subplots(4, 6)
    for column, place in enumerate(np.flatnonzero(labels == k)[0] for k in range(6)):
        shown = [(x[place], f"a {labels[place]}")]
        for turn in (1, 2, 3):
            digit = (labels[place] + turn) % 10
            shown.append((asked(result, x[place], digit), f"for a {digit}"))
        for axis, (image, title) in zip(axes[:, column], shown, strict=True):
            axis.imshow(image[:, :, 0], cmap="gray_r", vmin=0, vmax=1)
            axis.set_title(title, fontsize=9)
            axis.axis("off")
    read = result.predict(np.stack([asked(result, x[k], (labels[k] + 1) % 10) for k in range(40)])).argmax(axis=1)
    share = 100.0 * np.mean(read == (labels[:40] + 1) % 10)
    print(f"images asked for that are then read as what they were asked for: {share:.0f} %")
    figure.savefig(PICTURE, dpi=110)
    print(f"wrote {PICTURE}")
