"""Handwritten digits by a network whose errors come back through other matrices than the transposes of its weights.

catlearn train models/feedback_alignment.py                                            feedback alignment
catlearn train models/feedback_alignment.py --set "RULE=direct feedback alignment"     the output's error to each layer
catlearn train models/feedback_alignment.py --set "RULE=product feedback alignment"    a way back that is learnt
catlearn train models/feedback_alignment.py --set RULE=exact                           backpropagation

At the end it prints the angle between the change that each weight gets and its gradient, before and after training, and
writes feedback_alignment.png: the angles by epoch, and the digits that are read wrong. The last layer's is 0: its
change is the gradient. The others begin near 90 degrees, at random, and come down, since the weights come to point
along the matrices that errors pass: hence the name. Weight decay helps the product form, whose way back is learnt.
"""

import numpy as np

import catlearn as cl
from catlearn import functors, images, layers, losses, optimisers
from catlearn.systems.backward import with_backward

RULE = "feedback alignment"
HIDDEN, RATE, DECAY = 64, 3e-3, 0.1
EPOCHS, BATCH = 20, 32
ROWS = 200  # of the training data, for the angles
PICTURE = "feedback_alignment.png"


def load(data_dir):
    """scikit-learn's Digits, each a row of 64 numbers."""
    data = images.digits()
    train, test = (x.reshape(len(x), -1) for x in (data.train_inputs, data.test_inputs))
    return cl.Data(train, data.train_targets, test, data.test_targets)


plain = layers.dense(64, HIDDEN, "tanh") >> layers.dense(HIDDEN, HIDDEN, "tanh") >> layers.dense(HIDDEN, 10)
model = with_backward(plain, RULE)
loss = losses.label_cross_entropy
learner = cl.supervised(model, loss, optimisers.adamw(RATE, weight_decay=DECAY))
epochs, batch_size, seed = EPOCHS, BATCH, 0
shown = []  # the angles, by epoch


def gradients(of):
    """The changes that a model's weights get from a batch, as a compiled function of its parameters and the batch."""
    step = cl.supervised(of, loss, optimisers.gd(1.0)).closed(ROWS).morphism.put
    run = functors.Jax()
    return run.compile(run(step))


backward, exact = gradients(model), gradients(plain)


def angles(data, parameters):
    """For each layer the angle in degrees between the change of its weight and the gradient."""
    x, labels = data.train_inputs[:ROWS], data.train_targets[:ROWS]
    values = [np.asarray(value, np.float32) for value in parameters]
    came = dict(zip(model.names, backward(labels, *values, x)[1:], strict=False))
    true = dict(zip(plain.names, exact(labels, *values[: len(plain.names)], x)[1:], strict=False))
    found = []
    for k in range(3):
        one, other = (np.ravel(each[f"dense_{k}.weight"]) for each in (came, true))
        cosine = one @ other / max(np.linalg.norm(one) * np.linalg.norm(other), 1e-30)
        found.append(float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))))
    return found


def note(event):
    """After each epoch."""
    shown.append(angles(event.result.data, model.leaves(event.result.parameters)))


options = {"callbacks": [note]}


def finish(result):
    """Print the angles and draw them, with the digits that are read wrong."""
    from matplotlib.figure import Figure

    rows = np.array([angles(result.data, model.initial(seed)), *shown])
    for k in range(3):
        print(f"angle to the gradient, layer {k + 1}: {rows[0, k]:.0f} degrees before, {rows[-1, k]:.0f} after")
    figure = Figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subfigures(1, 2)
    axis = left.subplots()
    for k in range(3):
        axis.plot(rows[:, k], marker=".", label=f"layer {k + 1}")
    axis.axhline(90, color="0.7", linewidth=1)
    axis.set(xlabel="epoch", ylabel="angle to the gradient, degrees", ylim=(-3, 120), title=RULE)
    axis.legend()
    axis.grid(alpha=0.3)
    x, labels = result.data.test_inputs, result.data.test_targets
    guesses = result.predict(x).argmax(axis=1)
    wrong = np.flatnonzero(guesses != labels)
    right.suptitle(f"{len(wrong)} of {len(labels)} test digits are read wrong")
    for axis in (axes := right.subplots(3, 6)).flat:
        axis.axis("off")
    for k, axis in zip(wrong, axes.flat, strict=False):
        axis.imshow(x[k].reshape(8, 8), cmap="gray_r")
        axis.set_title(f"{labels[k]} as {guesses[k]}", fontsize=7)
    figure.savefig(PICTURE, dpi=110)
    print(f"wrote {PICTURE}")
